package ami

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/sip/ami/amitest"
)

const secret = "sehr-geheim"

// A bench is a client at a server of its own, in a bubble of fake time.
type bench struct {
	t      *testing.T
	server *amitest.Server
	client *Client
	began  time.Time
	slow   time.Duration // of observe

	mu     sync.Mutex
	log    bytes.Buffer
	events []Event
	newest []time.Duration // when the events came that take has not given yet, since began
	times  []time.Duration // of those that take gave last
}

func (b *bench) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.Write(data)
}

func (b *bench) observe(e Event) {
	time.Sleep(b.slow)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events, b.newest = append(b.events, e), append(b.newest, time.Since(b.began))
}

// take gives what has been observed since the last take.
func (b *bench) take() []Event {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	events := b.events
	b.times, b.events, b.newest = b.newest, nil, nil
	return events
}

// kinds are the names of events: "SyncBegin QueueParams ...".
func kinds(events []Event) string {
	var names []string
	for _, e := range events {
		name := strings.TrimPrefix(fmt.Sprintf("%T", e), "ami.")
		if lost, ok := e.(Lost); ok {
			name += ":" + lost.Cause.String()
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

func (b *bench) want(want string) []Event {
	b.t.Helper()
	events := b.take()
	if got := kinds(events); got != want {
		b.t.Fatalf("after %s\n got %s\nwant %s", time.Since(b.began), got, want)
	}
	return events
}

// run runs a test in a bubble with a server that has the queues "alle" (a member, a caller) and "zulassung".
func run(t *testing.T, test func(*bench), faults ...amitest.Fault) {
	t.Helper()
	runAs(t, Config{User: "switchboard", Secret: secret, Presence: true}, test, faults...)
}

func runAs(t *testing.T, config Config, test func(*bench), faults ...amitest.Fault) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{t: t, server: amitest.New("switchboard", secret, "alle", "zulassung"), began: time.Now()}
		b.server.Add("alle", amitest.Member{Interface: "PJSIP/201", Name: "4711", Static: true})
		b.server.Join("alle", "1795360724.11")
		b.server.Next(faults...)
		config.Address, config.Observe, config.Dial = "pbx:5038", b.observe, b.server.Dial
		config.Log = slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug}))
		client, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		b.client = client
		ctx, cancel := context.WithCancel(b.t.Context())
		done := make(chan error, 1)
		go func() { done <- client.Run(ctx) }()
		synctest.Wait()
		test(b)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run returned %v", err)
		}
		b.server.Close()
		if said := b.log.String(); strings.Contains(said, secret) || strings.Contains(said, "028415551234") || strings.Contains(said, "Müller") {
			t.Errorf("the log tells secrets:\n%s", said)
		}
	})
}

const listed = "SyncBegin QueueParams QueueMember QueueEntry QueueParams SyncComplete"

func TestAfterTheLoginAllQueuesAreListed(t *testing.T) {
	for name, fault := range map[string]amitest.Fault{"at once": amitest.None, "byte by byte": amitest.Bytewise, "with odd line ends": amitest.LineFeeds,
		"with a secret in clear": amitest.NoChallenge} {
		t.Run(name, func(t *testing.T) {
			run(t, func(b *bench) {
				events := b.want(listed)
				want := []Event{
					QueueParams{Queue: "alle", Strategy: "rrmemory", Calls: 1, HoldTime: 4 * time.Second, TalkTime: 90 * time.Second, Completed: 7, Abandoned: 2,
						ServiceLevel: 30 * time.Second, Level: 857, Level2: 800},
					QueueMember{Member{Queue: "alle", Name: "4711", Interface: "PJSIP/201", StateInterface: "PJSIP/201", Membership: "static", CallsTaken: 3,
						LastCall: time.Unix(1795828100, 0), LoginTime: time.Unix(1795828000, 0), Status: DeviceNotInUse, WrapupTime: 2 * time.Second}},
					QueueEntry{Queue: "alle", Uniqueid: "1795360724.11", Position: 1, Wait: 12 * time.Second},
				}
				if got := events[1:4]; !slices.Equal(got, want) {
					t.Errorf("got\n%+v, want\n%+v", got, want)
				}
				if shown := fmt.Sprintf("%+v", events); strings.Contains(shown, "028415551234") || strings.Contains(shown, "Erika") {
					t.Errorf("a caller is shown: %s", shown)
				}
			}, fault)
		})
	}
}

func TestLiveEventsComeInOrder(t *testing.T) {
	run(t, func(b *bench) {
		b.want(listed)
		b.server.Join("zulassung", "1.1")
		b.server.Join("zulassung", "1.2")
		b.server.Event("TestEvent", "Queue", "zulassung")
		b.server.Leave("zulassung", "1.1")
		got := b.take()
		want := []Event{QueueCallerJoin{"zulassung", "1.1", 1, 1}, QueueCallerJoin{"zulassung", "1.2", 2, 2}, QueueCallerLeave{"zulassung", "1.1", 1, 1}}
		if !slices.Equal(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

func TestALateGreetingIsWaitedFor(t *testing.T) {
	run(t, func(b *bench) {
		b.want("")
		time.Sleep(4 * time.Second)
		b.want(listed)
	}, amitest.Late)
}

// Each cause names what the operator must look at, and is followed by an attempt that succeeds.
func TestEveryCauseIsToldApart(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault amitest.Fault
		want  string        // events until Lost
		after time.Duration // that Lost comes
		says  string        // the error, for the operator
		slow  bool          // the next attempt is after 30 s
	}{
		{"nobody listens", amitest.Refuse, "Lost:refused", 0, "is Asterisk running, with enabled, bindaddr and port of [general] in manager.conf?", false},
		{"no way", amitest.Unreachable, "Lost:unreachable", 0, "no route to host", false},
		{"no greeting", amitest.Mute, "Lost:timed-out", bannerMax, "no greeting within 10s", false},
		{"another protocol", amitest.HTTP, "Lost:not-ami", 0, `its first line is "HTTP/1.1 400 Bad Request"`, false},
		{"no right to change", amitest.NoRights, "SyncBegin Lost:rights-missing", 0, `section [switchboard] of manager.conf needs "write = agent,call"`, true},
		{"no right to set", amitest.NoSetvar, "SyncBegin Lost:rights-missing", 0, `may not use the action Setvar`, true},
		{"no queues", amitest.NoQueues, "SyncBegin Lost:not-ready", 0, "app_queue is not loaded", false},
		{"silence after the login", amitest.Silent, "SyncBegin Lost:timed-out", actionMax, "no answer to the action ListCommands within 10s", false},
		{"silence in the list", amitest.SilentInList, "SyncBegin QueueParams Lost:timed-out", pingAfter + pongMax, "not even the answer to a Ping", false},
		{"cut in the list", amitest.CutInList, "SyncBegin QueueParams Lost:closed", 0, "the PBX closed the connection", false},
		{"a flood", amitest.Flood, "SyncBegin Lost:garbled", 0, "a message without an end", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			run(t, func(b *bench) {
				time.Sleep(test.after)
				events := b.want(test.want)
				lost := events[len(events)-1].(Lost)
				if !strings.Contains(lost.Err.Error(), test.says) {
					t.Errorf("it says %q", lost.Err)
				}
				if slow := lost.Retry == retryMax; slow != test.slow || !slow && lost.Retry > retryMin*5/4 {
					t.Errorf("the next attempt is after %s", lost.Retry)
				}
				if err := b.client.Ping(b.t.Context()); !errors.Is(err, ErrAway) {
					t.Errorf("an action without a connection: %v", err)
				}
				time.Sleep(lost.Retry)
				b.want(listed)
			}, test.fault)
		})
	}
}

func TestAWrongSecretIsTriedSlowlyAndNeverTold(t *testing.T) {
	runAs(t, Config{User: "switchboard", Secret: secret + "x"}, func(b *bench) {
		lost := b.want("Lost:login-refused")[0].(Lost)
		if said := lost.Err.Error(); !strings.Contains(said, "section [switchboard] in manager.conf") || strings.Contains(said, secret) {
			t.Errorf("it says %s", said)
		}
		time.Sleep(10*time.Minute + time.Second)
		if n := b.server.Dials(); n != 21 {
			t.Errorf("%d attempts in 10 minutes", n)
		}
	})
}

func TestAClientWithoutPresenceNeedsNoRightToSet(t *testing.T) {
	runAs(t, Config{User: "switchboard", Secret: secret}, func(b *bench) {
		b.want(listed)
		if err := b.client.SetPresence(b.t.Context(), Presence{"cc-alle", "queue", nil}); !errors.Is(err, ErrForbidden) {
			t.Errorf("setting all the same: %v", err)
		}
	}, amitest.NoSetvar)
}

func TestAttemptsGrowRareAndNeverEnd(t *testing.T) {
	run(t, func(b *bench) {
		time.Sleep(24 * time.Hour)
		var pauses []time.Duration
		for _, e := range b.take() {
			pauses = append(pauses, e.(Lost).Retry)
		}
		for i, pause := range pauses {
			whole := min(retryMin<<min(i, 10), retryMax)
			if pause < whole*3/4 || pause > whole*5/4 {
				t.Fatalf("pause %d is %s", i, pause)
			}
		}
		if n := len(pauses); n < 2500 || n > 3500 {
			t.Errorf("%d attempts in a day", n)
		}
	}, slices.Repeat([]amitest.Fault{amitest.Refuse}, 4000)...)
}

func TestAfterALongConnectionTheAttemptsBeginQuicklyAgain(t *testing.T) {
	run(t, func(b *bench) {
		time.Sleep(2 * time.Minute)
		if got := kinds(b.take()); !strings.HasSuffix(got, listed) {
			t.Fatalf("no connection: %s", got)
		}
		b.server.Cut("")
		if lost := b.want("Lost:closed")[0].(Lost); lost.Retry > retryMin*5/4 {
			t.Errorf("the next attempt is after %s", lost.Retry)
		}
	}, slices.Repeat([]amitest.Fault{amitest.Refuse}, 6)...)
}

func TestAConnectionThatIsCutTellsNoHalfEvent(t *testing.T) {
	whole := "Event: QueueCallerLeave\r\nPrivilege: agent,all\r\nUniqueid: 1795360724.11\r\nQueue: alle\r\nPosition: 1\r\nCount: 0\r\n\r\n"
	for at := 1; at < len(whole); at += 7 {
		run(t, func(b *bench) {
			b.want(listed)
			b.server.Cut(whole[:at])
			b.want("Lost:closed")
			time.Sleep(retryMin * 5 / 4)
			b.want(listed)
		})
	}
	run(t, func(b *bench) {
		b.want(listed)
		b.server.Cut(whole)
		b.want("QueueCallerLeave Lost:closed")
	})
}

func TestASilentConnectionIsAskedAndNoticedWithin25Seconds(t *testing.T) {
	run(t, func(b *bench) {
		b.want(listed)
		time.Sleep(time.Hour - time.Second)
		b.want("")
		pings := 0
		for _, action := range b.server.Actions() {
			if action == "Ping" {
				pings++
			}
		}
		if pings != 3600/15-1 {
			t.Errorf("%d Pings in a silent hour", pings)
		}
		b.server.Freeze()
		time.Sleep(25 * time.Second)
		b.want("Lost:timed-out " + listed)
		if b.times[0] > time.Hour+pingAfter+pongMax {
			t.Errorf("it was noticed after %s", b.times[0])
		}
	})
}

func TestQueueStatusListsOnceMore(t *testing.T) {
	run(t, func(b *bench) {
		b.want(listed)
		b.server.Join("zulassung", "2.1")
		if err := b.client.QueueStatus(b.t.Context()); err != nil {
			t.Error(err)
		}
		b.want("QueueCallerJoin SyncBegin QueueParams QueueMember QueueEntry QueueParams QueueEntry SyncComplete")
		// Nobody waits, but the list comes to its end.
		b.server.Delay(time.Second)
		ctx, cancel := context.WithTimeout(b.t.Context(), time.Millisecond)
		defer cancel()
		if err := b.client.QueueStatus(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("QueueStatus: %v", err)
		}
		time.Sleep(time.Second)
		b.want("SyncBegin QueueParams QueueMember QueueEntry QueueParams QueueEntry SyncComplete")
	})
}

// Nothing is dropped, and memory is bounded: who sends waits.
func TestASlowObserverGetsEverythingInOrder(t *testing.T) {
	const count = 3 * eventsMax
	run(t, func(b *bench) {
		b.want(listed)
		b.slow = time.Millisecond
		for i := range count {
			b.server.Event("QueueCallerJoin", "Queue", "alle", "Uniqueid", fmt.Sprint(i))
		}
		time.Sleep(count * time.Millisecond)
		events := b.take()
		for i, e := range events {
			if e != (QueueCallerJoin{Queue: "alle", Uniqueid: fmt.Sprint(i)}) {
				t.Fatalf("event %d is %+v", i, e)
			}
		}
		if len(events) != count {
			t.Errorf("%d of %d came", len(events), count)
		}
	})
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	good := Config{Address: "pbx:5038", User: "u", Secret: "s", Observe: func(Event) {}}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"address without a port": func(c *Config) { c.Address = "pbx" },
		"no user":                func(c *Config) { c.User = "" },
		"no secret":              func(c *Config) { c.Secret = "" },
		"two lines as user":      func(c *Config) { c.User = "u\r\nAction: Command" },
		"two lines as secret":    func(c *Config) { c.Secret = "s\n" },
		"nobody observes":        func(c *Config) { c.Observe = nil },
	} {
		config := good
		change(&config)
		if _, err := New(config); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
