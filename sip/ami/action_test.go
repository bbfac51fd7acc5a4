package ami

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"freizeichen/sip/ami/amitest"
)

func TestMembersComePauseAndGo(t *testing.T) {
	run(t, func(b *bench) {
		b.want(listed)
		ctx := b.t.Context()
		member := Addition{Queue: "zulassung", Interface: "PJSIP/202", MemberName: "4712", Paused: true, Reason: "sign-in"}
		if err := b.client.QueueAdd(ctx, member); err != nil {
			t.Fatal(err)
		}
		added := b.want("QueueMemberAdded")[0].(QueueMemberAdded)
		if added.Queue != "zulassung" || added.Name != "4712" || added.Interface != "PJSIP/202" || !added.Paused || added.PausedReason != "sign-in" {
			t.Errorf("added %+v", added)
		}
		if err := b.client.QueuePause(ctx, "PJSIP/202", "", false, ""); err != nil {
			t.Fatal(err)
		}
		if paused := b.want("QueueMemberPause")[0].(QueueMemberPause); paused.Paused || paused.PausedReason != "" {
			t.Errorf("ready %+v", paused)
		}
		if err := b.client.QueuePause(ctx, "PJSIP/202", "zulassung", true, "Pause"); err != nil {
			t.Fatal(err)
		}
		if paused := b.want("QueueMemberPause")[0].(QueueMemberPause); !paused.Paused || paused.PausedReason != "Pause" {
			t.Errorf("paused %+v", paused)
		}
		if err := b.client.QueueRemove(ctx, "zulassung", "PJSIP/202"); err != nil {
			t.Fatal(err)
		}
		b.want("QueueMemberRemoved")
	})
}

func TestEveryRefusalIsAnErrorOfItsOwn(t *testing.T) {
	run(t, func(b *bench) {
		ctx, c := b.t.Context(), b.client
		reason := "x\r\n\r\nAction: Command\r\nCommand: core stop now"
		for name, test := range map[string]struct{ got, want error }{
			"add to no queue":        {c.QueueAdd(ctx, Addition{Queue: "nix", Interface: "PJSIP/202"}), ErrNoQueue},
			"add twice":              {c.QueueAdd(ctx, Addition{Queue: "alle", Interface: "PJSIP/201"}), ErrIsMember},
			"remove from no queue":   {c.QueueRemove(ctx, "nix", "PJSIP/201"), ErrNoQueue},
			"remove nobody":          {c.QueueRemove(ctx, "zulassung", "PJSIP/201"), ErrNoMember},
			"remove who stands fast": {c.QueueRemove(ctx, "alle", "PJSIP/201"), ErrStatic},
			"pause nobody":           {c.QueuePause(ctx, "PJSIP/299", "", true, "Pause"), ErrNoMember},
			"another action":         {c.QueuePause(ctx, "PJSIP/201", "", true, reason), ErrUnfit},
			"a presence with commas": {c.SetPresence(ctx, Presence{"cc-x", "queue,e", nil}), ErrUnfit},
			"a presence of others":   {c.SetPresence(ctx, Presence{"x)=SHELL(y", "queue", nil}), ErrUnfit},
			"a text too long":        {c.SetPresence(ctx, Presence{"cc-x", "queue", make([]byte, TextRoom("queue")+1)}), ErrTextTooLong},
			"the longest text":       {c.SetPresence(ctx, Presence{"cc-x", "queue", make([]byte, TextRoom("queue"))}), nil},
		} {
			if !errors.Is(test.got, test.want) {
				t.Errorf("%s: %v, want %v", name, test.got, test.want)
			}
		}
		if text := fmt.Sprint(b.server.Actions()); strings.Contains(text, "Command]") {
			t.Errorf("an injected action came through: %s", text)
		}
	})
}

func TestAnActionIsNotWaitedForForEver(t *testing.T) {
	run(t, func(b *bench) {
		b.want(listed)
		b.server.Freeze()
		began := time.Now()
		if err := b.client.Ping(b.t.Context()); !errors.Is(err, ErrTimeout) || time.Since(began) != actionMax {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		ctx, cancel := context.WithTimeout(b.t.Context(), time.Second)
		defer cancel()
		if err := b.client.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a deadline: %v", err)
		}
		b.server.Cut("")
		if err := b.client.Ping(b.t.Context()); !errors.Is(err, ErrAway) {
			t.Errorf("cut: %v", err)
		}
	})
}

// More than may be in flight; a round trip of 50 ms each would take 15 s.
func TestABurstOfPresencesDoesNotWaitForEachAnswer(t *testing.T) {
	run(t, func(b *bench) {
		b.want(listed)
		b.server.Delay(50 * time.Millisecond)
		var states []Presence
		for i := range 300 {
			states = append(states, Presence{fmt.Sprintf("cc-%d", i), "queue", []byte(`{"w":1}`)}, Presence{fmt.Sprintf("cc-%d", i), "queue", []byte(`{"w":2}`)})
		}
		began := time.Now()
		if err := b.client.SetPresence(b.t.Context(), states...); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 500*time.Millisecond {
			t.Errorf("600 took %s", took)
		}
		for i := range 300 {
			if got := b.server.State(fmt.Sprintf("PRESENCE_STATE(CustomPresence:cc-%d)", i)); got != "available,queue,eyJ3IjoyfQ==" {
				t.Fatalf("state %d is %s", i, got)
			}
		}
	})
}

// A user with "write = agent" and without "read = agent" would see calm queues for ever.
func TestAUserWhoMayNotReadEventsIsFoundOut(t *testing.T) {
	run(t, func(b *bench) {
		b.want(listed)
		if err := b.client.QueueAdd(b.t.Context(), Addition{Queue: "zulassung", Interface: "PJSIP/202"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(actionMax)
		lost := b.want("Lost:rights-missing")[0].(Lost)
		if !strings.Contains(lost.Err.Error(), `"read = agent"`) {
			t.Errorf("it says %v", lost.Err)
		}
	}, amitest.Blind)
}
