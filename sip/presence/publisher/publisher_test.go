package publisher

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"freizeichen/sip/presence"
	"freizeichen/sip/siptest"
)

var serverAddr = netip.MustParseAddrPort("192.0.2.1:5060")

// A desk is a publisher on a wire with a scripted presence server.
type desk struct {
	*Publisher
	t    *testing.T
	wire *siptest.Wire
	peer *siptest.Peer
	log  *logbook
	stop func()
}

// A logbook is a log for several goroutines.
type logbook struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(b)
}

func atDesk(t *testing.T, test func(d *desk), change ...func(*Config)) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{t: t, wire: siptest.NewWire(1), log: &logbook{}}
		conn, err := d.wire.Listen(serverAddr)
		if err != nil {
			t.Fatal(err)
		}
		d.peer = siptest.NewPeer(t, conn)
		config := Config{Server: serverAddr.String(), Domain: "presence.example", User: "switchboard", Password: "secret", Local: netip.MustParseAddrPort("192.0.2.5:5060"),
			ListenPacket: d.wire.ListenPacket, Random: rand.New(rand.NewPCG(1, 2)), Log: slog.New(slog.NewTextHandler(d.log, nil))}
		for _, f := range change {
			f(&config)
		}
		if d.Publisher, err = Open(config); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx) }()
		d.stop = sync.OnceFunc(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
		defer d.stop()
		test(d)
	})
}

// want takes a PUBLISH: its entity-tag, "expires" and text.
func (d *desk) want(tag, expires, text string) siptest.Message {
	d.t.Helper()
	m := d.peer.Want("PUBLISH")
	r := m.Request
	if got := fieldOf(r, "SIP-If-Match"); got != tag || fieldOf(r, "Expires") != expires || fieldOf(r, "Event") != "presence" {
		d.t.Fatalf("want SIP-If-Match %q and Expires %s:\n%s", tag, expires, r)
	}
	document, err := presence.ReadDocument(r.Body())
	switch {
	case text == "" && len(r.Body()) == 0:
	case err != nil, len(document.Texts) != 1, document.Texts[0] != text:
		d.t.Fatalf("want the text %q:\n%s", text, r)
	}
	return m
}

func (d *desk) ok(m siptest.Message, tag string) {
	d.peer.Answer(m, "200 OK", "tag=s", "SIP-ETag: "+tag, "Expires: "+fieldOf(m.Request, "Expires"))
}

func fieldOf(r *sip.Request, name string) string {
	if h := r.GetHeader(name); h != nil {
		return h.Value()
	}
	return ""
}

func TestATextIsPublishedChangedRefreshedAndTakenBack(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.Publish("cc-kw", "{1}")
		first := d.want("", "600", "{1}")
		if r := first.Request; r.Recipient.String() != "sip:cc-kw@presence.example" || fieldOf(r, "To") != "<sip:cc-kw@presence.example>" ||
			!strings.HasPrefix(fieldOf(r, "From"), "<sip:switchboard@presence.example>") {
			t.Errorf("published with\n%s", r)
		}
		d.ok(first, "e1")
		d.peer.WantNothing(time.Minute)
		d.Publish("cc-kw", "{2}")
		d.ok(d.want("e1", "600", "{2}"), "e2")
		d.Publish("cc-kw", "{2}")
		d.peer.WantNothing(400 * time.Second) // the same is no news
		began := time.Now()
		d.ok(d.want("e2", "600", ""), "e3") // the refresh carries no body
		if took := time.Since(began); took > 100*time.Second {
			t.Errorf("refreshed %v late", took)
		}
		d.Publish("cc-kw", "")
		d.ok(d.want("e3", "0", ""), "e4")
		d.Publish("cc-moers", "")
		d.peer.WantNothing(time.Hour)
		if s := d.Status(); s != (Status{}) {
			t.Errorf("status %+v", s)
		}
	})
}

func TestOfTextsThatComeQuicklyTheLastIsPublished(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.Publish("cc-kw", "{0}")
		first := d.want("", "600", "{0}")
		var all sync.WaitGroup
		for i := range 500 {
			all.Go(func() { d.Publish("cc-kw", fmt.Sprintf("{%d}", i)) })
		}
		all.Wait()
		d.Publish("cc-kw", "{last}")
		d.peer.WantNothing(100 * time.Millisecond) // one is under way
		d.ok(first, "e1")
		d.ok(d.want("e1", "600", "{last}"), "e2")
		d.peer.WantNothing(time.Minute)
	})
}

func TestManyResourcesAreNotPublishedAtOnce(t *testing.T) {
	atDesk(t, func(d *desk) {
		for i := range 1000 {
			d.Publish(fmt.Sprint("cc-", i), "{1}")
		}
		var underWay []siptest.Message
		for range 8 {
			underWay = append(underWay, d.peer.Want("PUBLISH"))
		}
		d.peer.WantNothing(100 * time.Millisecond)
		if s := d.Status(); s != (Status{Resources: 1000, Pending: 1000}) {
			t.Errorf("status %+v", s)
		}
		seen := map[string]bool{}
		for i := range 1000 {
			m := underWay[0]
			underWay = underWay[1:]
			seen[m.Request.Recipient.User] = true
			d.ok(m, fmt.Sprint("e", i))
			if i < 1000-8 {
				underWay = append(underWay, d.peer.Want("PUBLISH"))
			}
		}
		synctest.Wait()
		if s := d.Status(); s != (Status{Resources: 1000}) || len(seen) != 1000 {
			t.Errorf("status %+v, %d seen", s, len(seen))
		}
	}, func(c *Config) { c.AtOnce = 8 })
}

func TestAServerThatHasForgottenIsToldAnew(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.Publish("cc-kw", "{1}")
		d.ok(d.want("", "600", "{1}"), "e1")
		synctest.Wait()
		d.Publish("cc-kw", "{2}")
		d.peer.Answer(d.want("e1", "600", "{2}"), "412 Conditional Request Failed", "tag=s")
		d.ok(d.want("", "600", "{2}"), "e9")
		d.peer.WantNothing(400 * time.Second)
		d.peer.Answer(d.want("e9", "600", ""), "412 Conditional Request Failed", "tag=s") // a refresh too
		d.ok(d.want("", "600", "{2}"), "e10")
	})
}

func TestChallengesAndShortTimesAreAnswered(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.Publish("cc-kw", "{1}")
		d.peer.Answer(d.want("", "600", "{1}"), "407 Proxy Authentication Required", "tag=s", `Proxy-Authenticate: Digest realm="p",nonce="n",algorithm=MD5,qop="auth"`)
		second := d.want("", "600", "{1}")
		if got := fieldOf(second.Request, "Proxy-Authorization"); !strings.Contains(got, `username="switchboard"`) {
			t.Errorf("answered with %q", got)
		}
		d.peer.Answer(second, "423 Interval Too Brief", "tag=s", "Min-Expires: 3600")
		d.ok(d.want("", "3600", "{1}"), "e1")
	})
}

func TestAServerThatIsAwayIsTriedAgainAndNotLoggedEachTime(t *testing.T) {
	atDesk(t, func(d *desk) {
		for i := range 100 {
			d.Publish(fmt.Sprint("cc-", i), "{1}")
		}
		d.peer.Ignore(10 * time.Minute)
		if s := d.Status(); s.Pending != 100 || s.Failing == 0 {
			t.Errorf("status %+v", s)
		}
		d.Publish("cc-7", "{2}")
		seven := false
		for end := time.Now().Add(5 * time.Minute); time.Now().Before(end) && d.Status().Pending > 0; {
			d.peer.Retransmissions = true
			m := d.peer.Want("PUBLISH")
			seven = seven || m.Request.Recipient.User == "cc-7" && bytes.Contains(m.Request.Body(), []byte("{2}"))
			d.ok(m, "e")
			synctest.Wait()
		}
		if s := d.Status(); s != (Status{Resources: 100}) || !seven {
			t.Errorf("status %+v", s)
		}
		d.log.mu.Lock()
		lines := strings.Count(d.log.String(), "\n")
		d.log.mu.Unlock()
		if lines < 2 || lines > 70 || !strings.Contains(d.log.String(), "published again") {
			t.Errorf("%d lines in the log", lines)
		}
	})
}

func TestARefusalIsTriedWithGrowingPauses(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.Publish("cc-kw", "{1}")
		m := d.want("", "600", "{1}")
		var pauses []time.Duration
		for range 9 {
			d.peer.Answer(m, "403 Forbidden", "tag=s")
			began := time.Now()
			m = d.want("", "600", "{1}")
			pauses = append(pauses, time.Since(began))
		}
		if !slices.IsSorted(pauses[:6]) || pauses[0] > 2*time.Second || pauses[8] < 45*time.Second || pauses[8] > 75*time.Second {
			t.Errorf("pauses %v", pauses)
		}
		d.peer.Answer(m, "503 Service Unavailable", "tag=s", "Retry-After: 70 (busy)")
		began := time.Now()
		if d.want("", "600", "{1}"); time.Since(began) < 70*time.Second {
			t.Errorf("again after %v", time.Since(began))
		}
	})
}

func TestTheEndTakesBackWhatWasPublished(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.Publish("cc-kw", "{1}")
		d.ok(d.want("", "600", "{1}"), "e1")
		synctest.Wait()
		go func() { d.ok(d.want("e1", "0", ""), "e2") }()
		began := time.Now()
		if d.stop(); time.Since(began) > time.Second {
			t.Errorf("the end took %v", time.Since(began))
		}
		if d.Publish("cc-kw", "{2}"); d.Status() != (Status{}) {
			t.Error("something is published after the end")
		}
	})
	atDesk(t, func(d *desk) { // a server that does not answer
		d.Publish("cc-kw", "{1}")
		d.ok(d.want("", "600", "{1}"), "e1")
		synctest.Wait()
		began := time.Now()
		if d.stop(); time.Since(began) > 3*time.Second {
			t.Errorf("the end took %v", time.Since(began))
		}
	})
}
