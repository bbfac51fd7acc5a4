package hostile

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/hal"
	"freizeichen/sip/exchange"
	"freizeichen/sip/siptest"
)

// inTime plays a conversation in fake time.
func inTime(t *testing.T, name string, play func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, play) })
}

// onWire is the ground of most faults.
func onWire() (ground, *siptest.Wire) {
	wire := siptest.NewWire(1)
	return ground{wire: wire}, wire
}

// wantAccounts fails unless every call that the phone's log knows has begun once and ended once.
func (d *desk) wantAccounts() {
	d.t.Helper()
	open := map[string]int{}
	d.log.mu.Lock()
	defer d.log.mu.Unlock()
	for _, e := range d.log.entries {
		words := strings.Fields(e.text)
		switch {
		case strings.HasPrefix(e.text, "call rings"), strings.HasPrefix(e.text, "call goes out"):
			open[words[len(words)-1]]++
		case strings.HasPrefix(e.text, "call ended"):
			open[words[2]]--
		}
	}
	for call, n := range open {
		if n != 0 {
			d.t.Errorf("%s has begun and not ended, or ended twice: %+d", call, n)
		}
	}
	if len(open) == 0 {
		d.t.Error("the log knows of no call")
	}
}

// recovered fails unless the phone comes back by itself: registered, and with the handset down at rest; then it must work.
func (d *desk) recovered(within time.Duration) {
	d.t.Helper()
	d.await("registered again", within, d.registered)
	for _, id := range d.citizens {
		d.exchange.HangUp(id)
	}
	d.body.Hook(false)
	d.press(hal.KeyCancel, hal.KeyCancel) // of a held call
	d.await("at rest", 40*time.Second, d.atRest)
	time.Sleep(time.Minute) // what the exchange still wanted of the old calls
	d.wantWork()
	d.wantAccounts()
}

func TestTheExchangeComesLate(t *testing.T) {
	for _, away := range []time.Duration{10 * time.Second, 10 * time.Minute} {
		inTime(t, away.String(), func(t *testing.T) {
			g, _ := onWire()
			g.away = true
			d := raise(t, g)
			time.Sleep(9 * time.Second)
			if !d.shows("nicht erreichbar") && !d.shows("Keine Verbindung") {
				t.Errorf("the panel does not say what is wrong:\n%s", d.panel())
			}
			time.Sleep(away - 9*time.Second)
			d.startPBX()
			d.recovered(90 * time.Second)
		})
	}
}

func TestAWrongPasswordIsSetRightAtTheExchange(t *testing.T) {
	inTime(t, "within minutes", func(t *testing.T) {
		g, _ := onWire()
		g.password = "other"
		d := raise(t, g)
		d.await("the panel says so", 10*time.Second, func() bool { return d.shows("Passwort") })
		time.Sleep(time.Hour)
		d.stopPBX()
		d.pbx.Accounts = []exchange.Account{{User: "201", Password: "secret"}}
		d.startPBX()
		d.recovered(7 * time.Minute)
	})
}

// situations are the states of a call in which the network can fail. Each begins with a registered phone at rest.
var situations = []struct {
	name string
	do   func(d *desk) exchange.ID
}{
	{"idle", func(*desk) exchange.ID { return 0 }},
	{"ringing", func(d *desk) exchange.ID {
		id := d.call(ada)
		d.await("it rings", 5*time.Second, d.rings)
		return id
	}},
	{"calling out", func(d *desk) exchange.ID { d.dial("5036"); time.Sleep(50 * time.Millisecond); return 0 }},
	{"ringing there", func(d *desk) exchange.ID { d.dial("5070"); time.Sleep(3 * time.Second); return 0 }},
	{"an announcement", func(d *desk) exchange.ID { d.dial("5080"); time.Sleep(3 * time.Second); return 0 }},
	{"talking to a citizen", func(d *desk) exchange.ID { return d.talk(ada) }},
	{"talking to an office", func(d *desk) exchange.ID { d.dial("5090"); d.await("they talk", 10*time.Second, d.talks); return 0 }},
	{"holding", func(d *desk) exchange.ID {
		id := d.talk(ada)
		d.press(hal.KeyHold)
		time.Sleep(time.Second)
		return id
	}},
	{"two calls", func(d *desk) exchange.ID {
		id := d.talk(ada)
		d.callAt(ada, "201")
		d.await("a second one knocks", 5*time.Second, d.rings)
		d.press(hal.KeySoft1)
		time.Sleep(time.Second)
		return id
	}},
}

// TestTheNetworkIsCut for a short and a long while, in every state of a call.
func TestTheNetworkIsCut(t *testing.T) {
	for _, s := range situations {
		for _, cut := range []time.Duration{3 * time.Second, 3 * time.Minute} {
			inTime(t, s.name+" for "+cut.String(), func(t *testing.T) {
				g, wire := onWire()
				d := raise(t, g)
				d.await("registered", 10*time.Second, d.registered)
				id := s.do(d)
				wire.Cut(phoneHost, pbxHost)
				time.Sleep(cut)
				if cut > time.Minute && d.registered() {
					t.Errorf("after %v the phone believes that it is registered:\n%s", cut, d.panel())
				}
				wire.Join(phoneHost, pbxHost)
				if id != 0 && d.exchange.Present(id) && d.talks() && s.name == "talking to a citizen" {
					d.wantSound(id)
				}
				d.recovered(2 * time.Minute)
			})
		}
	}
}

// TestTheAgentHangsUpWhileTheNetworkIsCut: the phone is rid of the call at once, and the exchange learns of it or not.
func TestTheAgentHangsUpWhileTheNetworkIsCut(t *testing.T) {
	for _, s := range situations[1:] {
		inTime(t, s.name, func(t *testing.T) {
			g, wire := onWire()
			d := raise(t, g)
			d.await("registered", 10*time.Second, d.registered)
			s.do(d)
			wire.Cut(phoneHost, pbxHost)
			time.Sleep(time.Second)
			for range 3 {
				d.press(hal.KeyCancel)
				d.body.Hook(false)
				time.Sleep(time.Second)
			}
			d.await("in no call", 10*time.Second, d.inNoCall)
			time.Sleep(10 * time.Second) // a BYE is sent again for 32 s
			wire.Join(phoneHost, pbxHost)
			d.recovered(2 * time.Minute)
		})
	}
}

// TestTheExchangeRestarts and knows nothing of what was, in every state of a call.
func TestTheExchangeRestarts(t *testing.T) {
	for _, s := range situations {
		inTime(t, s.name, func(t *testing.T) {
			g, _ := onWire()
			d := raise(t, g)
			d.await("registered", 10*time.Second, d.registered)
			s.do(d)
			d.stopPBX()
			time.Sleep(5 * time.Second)
			d.startPBX()
			d.recovered(4 * time.Minute)
		})
	}
}

// TestACallThatTheExchangeHasForgottenEnds by itself, with nobody at the desk.
func TestACallThatTheExchangeHasForgottenEnds(t *testing.T) {
	for _, s := range situations {
		inTime(t, s.name, func(t *testing.T) {
			g, _ := onWire()
			d := raise(t, g)
			d.await("registered", 10*time.Second, d.registered)
			s.do(d)
			d.stopPBX()
			time.Sleep(5 * time.Second)
			d.startPBX()
			d.await("in no call", 35*time.Minute, d.inNoCall)
			d.recovered(4 * time.Minute)
		})
	}
}

// TestOneWayIsDeaf: what one side sends is lost for a while: 180, 200, ACK and BYE among it.
func TestOneWayIsDeaf(t *testing.T) {
	lost := siptest.Faults{Loss: 1}
	for _, way := range []struct {
		name     string
		from, to netip.Addr
	}{{"to the phone", pbxHost, phoneHost}, {"to the exchange", phoneHost, pbxHost}} {
		for _, deaf := range []time.Duration{time.Second, 8 * time.Second, 40 * time.Second} {
			inTime(t, "a call from a citizen "+way.name+" for "+deaf.String(), func(t *testing.T) {
				g, wire := onWire()
				d := raise(t, g)
				d.await("registered", 10*time.Second, d.registered)
				id := d.call(ada)
				d.await("it rings", 5*time.Second, d.rings)
				wire.SetLink(way.from, way.to, lost) // the 200 or its ACK
				d.body.Hook(true)
				time.Sleep(deaf)
				wire.SetLink(way.from, way.to, siptest.Faults{})
				if deaf < 30*time.Second {
					d.await("they talk", 10*time.Second, d.talks)
					d.wantSound(id)
				}
				d.recovered(2 * time.Minute)
			})
			inTime(t, "a call to an office "+way.name+" for "+deaf.String(), func(t *testing.T) {
				g, wire := onWire()
				d := raise(t, g)
				d.await("registered", 10*time.Second, d.registered)
				d.dial("5036")
				time.Sleep(2950 * time.Millisecond) // the office lifts after 3 s
				wire.SetLink(way.from, way.to, lost)
				time.Sleep(deaf)
				wire.SetLink(way.from, way.to, siptest.Faults{})
				if deaf < 30*time.Second {
					d.await("they talk", 10*time.Second, d.talks)
				}
				d.recovered(2 * time.Minute)
			})
		}
	}
}

// TestADirectCallLeavesTheAgentFree for the queues.
func TestADirectCallLeavesTheAgentFree(t *testing.T) {
	inTime(t, "after it", func(t *testing.T) {
		g, _ := onWire()
		d := raise(t, g)
		d.await("registered", 10*time.Second, d.registered)
		d.callAt(ada, "201")
		d.await("it rings", 5*time.Second, d.rings)
		d.body.Hook(true)
		d.await("they talk", 5*time.Second, d.talks)
		d.body.Hook(false)
		d.wantWork()
	})
}
