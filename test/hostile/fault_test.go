package hostile

import (
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/hal"
	"freizeichen/sip/exchange"
	"freizeichen/sip/siptest"
)

// inTime plays a conversation in fake time.
func inTime(t *testing.T, name string, play func(t *testing.T)) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, play)
	})
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
	time.Sleep(5 * time.Second) // what the exchange still wanted of the old calls
	d.wantWork()
	d.wantAccounts()
}

func TestTheExchangeComesLate(t *testing.T) {
	t.Parallel()
	for _, away := range []time.Duration{10 * time.Second, 2 * time.Minute} {
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
	t.Parallel()
	inTime(t, "within minutes", func(t *testing.T) {
		g, _ := onWire()
		g.password = "other"
		d := raise(t, g)
		d.await("the panel says so", 10*time.Second, func() bool { return d.shows("Passwort") })
		time.Sleep(2 * time.Minute)
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
	t.Parallel()
	for _, s := range situations {
		for _, cut := range []time.Duration{3 * time.Second, 45 * time.Second} {
			inTime(t, s.name+" for "+cut.String(), func(t *testing.T) {
				g, wire := onWire()
				d := raise(t, g)
				d.await("registered", 10*time.Second, d.registered)
				id := s.do(d)
				wire.Cut(phoneHost, pbxHost)
				time.Sleep(cut)
				if cut > 40*time.Second && d.registered() {
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
	t.Parallel()
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

// TestTheExchangeRestarts and has forgotten all calls. They end by themselves, with nobody at the desk: soon if the phone has
// noticed that the exchange was away, else when the session is refreshed.
func TestTheExchangeRestarts(t *testing.T) {
	t.Parallel()
	forgets := func(name string, do func(*desk) exchange.ID, away, within time.Duration) {
		inTime(t, name+", after "+away.String(), func(t *testing.T) {
			g, _ := onWire()
			d := raise(t, g)
			d.await("registered", 10*time.Second, d.registered)
			do(d)
			d.stopPBX()
			time.Sleep(away)
			d.startPBX()
			d.await("registered again", 3*time.Minute, d.registered)
			d.await("in no call", within, d.inNoCall)
			d.recovered(time.Minute)
		})
	}
	for _, s := range situations {
		within := 5 * time.Second
		if strings.Contains(s.name, "ringing") || s.name == "calling out" || s.name == "an announcement" {
			within = ringMax // nobody asks about a call that nobody has answered
		}
		forgets(s.name, s.do, 45*time.Second, within)
	}
	forgets("unnoticed", situations[5].do, time.Second, 16*time.Minute)
}

// ringMax is how long the phone lets a call ring.
const ringMax = 5 * time.Minute

// TestOneWayIsDeaf: what one side sends is lost for a while: 180, 200, ACK and BYE among it.
func TestOneWayIsDeaf(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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

// A nat is a router before the phone: the exchange sees its address, and a port that changes.
type nat struct {
	wire *siptest.Wire
	mu   sync.Mutex
	in   chan datagram
	out  *siptest.Conn // the mapping of now
	over chan struct{}
}

type datagram struct {
	data []byte
	from net.Addr
}

var publicHost = netip.MustParseAddr("198.51.100.7")

// listen is for the phone's socket for SIP.
func (n *nat) listen(string, string) (net.PacketConn, error) {
	n.in, n.over = make(chan datagram, 100), make(chan struct{})
	return n, n.remap(4001)
}

// remap begins a new mapping. What comes for the old one is lost.
func (n *nat) remap(port uint16) error {
	conn, err := n.wire.Listen(netip.AddrPortFrom(publicHost, port))
	if err != nil {
		return err
	}
	n.mu.Lock()
	old := n.out
	n.out = conn
	n.mu.Unlock()
	if old != nil {
		old.Close()
	}
	go func() {
		for {
			buffer := make([]byte, 65535)
			size, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			select {
			case n.in <- datagram{buffer[:size], from}:
			case <-n.over:
				return
			}
		}
	}()
	return nil
}

// ReadFrom implements net.PacketConn.
func (n *nat) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case d := <-n.in:
		return copy(b, d.data), d.from, nil
	case <-n.over:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo implements net.PacketConn.
func (n *nat) WriteTo(b []byte, to net.Addr) (int, error) {
	n.mu.Lock()
	out := n.out
	n.mu.Unlock()
	return out.WriteTo(b, to)
}

// Close implements net.PacketConn.
func (n *nat) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case <-n.over:
		return nil
	default:
		close(n.over)
	}
	return n.out.Close()
}

// LocalAddr implements net.PacketConn: the phone does not know of the NAT.
func (n *nat) LocalAddr() net.Addr {
	return net.UDPAddrFromAddrPort(netip.AddrPortFrom(phoneHost, 5060))
}

// SetDeadline implements net.PacketConn; nobody uses it here, nor the two below.
func (n *nat) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.PacketConn.
func (n *nat) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.PacketConn.
func (n *nat) SetWriteDeadline(time.Time) error { return nil }

// TestTheAddressChanges in a router on the way: with nobody at the desk, and in a call.
func TestTheAddressChanges(t *testing.T) {
	t.Parallel()
	for _, s := range situations {
		inTime(t, s.name, func(t *testing.T) {
			g, wire := onWire()
			router := &nat{wire: wire}
			g.nat = router.listen
			d := raise(t, g)
			d.await("registered", 10*time.Second, d.registered)
			s.do(d)
			for port := range uint16(2) {
				if err := router.remap(4100 + port); err != nil {
					t.Fatal(err)
				}
				time.Sleep(35 * time.Second) // the phone looks after its way every 25 s
			}
			d.recovered(time.Minute)
		})
	}
}
