package centre

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"

	"freizeichen/sip/switchboard/wire"
)

// told is News that remembers.
type told map[string]string

func (n told) Publish(resource, subtype, text string) { n[resource] = subtype + " " + text }
func (n told) Run(ctx context.Context) error          { <-ctx.Done(); return ctx.Err() }

func TestABellRingsUnderANameThatOnlyItsPhoneKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		news, hash := told{}, wire.SecretHash("of phone 201")
		b := newBells(news, func(_ context.Context, device string) (string, error) {
			switch device {
			case "201":
				return hash, nil
			case "205":
				return "", errors.New("the disk is full")
			}
			return "", nil
		}, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- b.Run(ctx) }()
		b.Publish("cc-kw", "queue", "1")
		for _, device := range []string{"201", "202", "205"} {
			b.Publish("cc-phone-"+device, "agent", "17")
			b.Publish("cc-phone-"+device, "agent", "18")
		}
		synctest.Wait()
		if len(news) != 2 || news["cc-kw"] != "queue 1" || news[wire.Bell("201", hash)] != "agent 18" {
			t.Errorf("told %v", news)
		}
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	if wire.Bell("201", wire.SecretHash("a")) == wire.Bell("201", wire.SecretHash("b")) || wire.Bell("201", "x") == wire.Bell("202", "x") {
		t.Error("two phones have one bell")
	}
}
