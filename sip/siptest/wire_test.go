package siptest

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var (
	phone = netip.MustParseAddrPort("192.0.2.1:5060")
	pbx   = netip.MustParseAddrPort("192.0.2.2:5060")
)

// pair opens two sockets on a wire with faults.
func pair(t *testing.T, seed uint64, f Faults) (w *Wire, from, to *Conn) {
	t.Helper()
	w = NewWire(seed)
	w.SetFaults(f)
	from, err := w.Listen(phone)
	if err != nil {
		t.Fatal(err)
	}
	if to, err = w.Listen(pbx); err != nil {
		t.Fatal(err)
	}
	return w, from, to
}

// arrivals sends packets numbered from 0, one every millisecond, and says what came within ten seconds.
func arrivals(t *testing.T, from, to *Conn, packets int) string {
	t.Helper()
	for i := range packets {
		if _, err := from.WriteToUDPAddrPort([]byte{byte(i)}, pbx); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	to.SetReadDeadline(time.Now().Add(10 * time.Second))
	var got []string
	for buf := make([]byte, 10); ; {
		n, addr, err := to.ReadFromUDPAddrPort(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return strings.Join(got, " ")
		}
		if err != nil || n != 1 || addr != phone {
			t.Fatal(n, addr, err)
		}
		got = append(got, fmt.Sprint(buf[0]))
	}
}

func TestWithoutFaultsPacketsArriveAtOnceAndInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, from, to := pair(t, 1, Faults{})
		start := time.Now()
		if got := arrivals(t, from, to, 6); got != "0 1 2 3 4 5" {
			t.Errorf("got %s", got)
		}
		if took := time.Since(start); took != 6*time.Millisecond+10*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestFaultsDoWhatTheirNamesSay(t *testing.T) {
	const packets = 200
	for _, tt := range []struct {
		name   string
		faults Faults
		right  func(got []string) bool
	}{
		{"loss", Faults{Loss: 0.5}, func(got []string) bool { return len(got) > 70 && len(got) < 130 && ordered(got) }},
		{"total loss", Faults{Loss: 1}, func(got []string) bool { return len(got) == 0 }},
		{"duplicates", Faults{Duplicate: 0.5}, func(got []string) bool { return len(got) > 270 && len(got) < 330 && ordered(got) }},
		{"delay", Faults{Delay: time.Second}, func(got []string) bool { return len(got) == packets && ordered(got) }},
		{"jitter", Faults{Jitter: 50 * time.Millisecond}, func(got []string) bool { return len(got) == packets && !ordered(got) }},
		{"reordering", Faults{Reorder: 0.1}, func(got []string) bool { return len(got) == packets && !ordered(got) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, from, to := pair(t, 1, tt.faults)
				if got := strings.Fields(arrivals(t, from, to, packets)); !tt.right(got) {
					t.Errorf("%d arrived: %s", len(got), got)
				}
			})
		})
	}
}

func ordered(numbers []string) bool {
	last := -1
	for _, s := range numbers {
		n := 0
		fmt.Sscan(s, &n)
		if n < last {
			return false
		}
		last = n
	}
	return true
}

func TestTheSameSeedMakesTheSameFaults(t *testing.T) {
	faults := Faults{Loss: 0.3, Duplicate: 0.3, Reorder: 0.3, Delay: 10 * time.Millisecond, Jitter: 20 * time.Millisecond}
	var got [3]string
	for i, seed := range []uint64{7, 7, 8} {
		synctest.Test(t, func(t *testing.T) {
			_, from, to := pair(t, seed, faults)
			got[i] = arrivals(t, from, to, 100)
		})
	}
	if got[0] != got[1] || got[0] == got[2] {
		t.Errorf("seed 7: %s\nseed 7: %s\nseed 8: %s", got[0], got[1], got[2])
	}
}

func TestACutSeparatesUntilItIsJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, from, to := pair(t, 1, Faults{})
		w.Cut(pbx.Addr(), phone.Addr())
		if got := arrivals(t, from, to, 3); got != "" {
			t.Errorf("through the cut came %s", got)
		}
		w.Join(phone.Addr(), pbx.Addr())
		if got := arrivals(t, from, to, 3); got != "0 1 2" {
			t.Errorf("afterwards came %s", got)
		}
	})
}

func TestALinkHasItsOwnFaultsOneWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, from, to := pair(t, 1, Faults{})
		w.SetLink(pbx.Addr(), phone.Addr(), Faults{Loss: 1})
		if got := arrivals(t, from, to, 2); got != "0 1" {
			t.Errorf("towards the PBX came %s", got)
		}
		to.WriteToUDPAddrPort([]byte("x"), phone)
		from.SetReadDeadline(time.Now().Add(time.Second))
		if _, _, err := from.ReadFrom(make([]byte, 10)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("from the PBX: %v, want nothing", err)
		}
	})
}

func TestReadsEndWithDeadlineAndClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, conn, _ := pair(t, 1, Faults{})
		buf := make([]byte, 10)
		start := time.Now()
		conn.SetReadDeadline(start.Add(time.Second))
		conn.SetReadDeadline(start.Add(3 * time.Second)) // moved
		if _, _, err := conn.ReadFrom(buf); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if _, _, err := conn.ReadFrom(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%v, want the deadline still in the past", err)
		}
		conn.SetReadDeadline(time.Time{}) // none
		go func() {
			time.Sleep(time.Hour)
			conn.Close()
		}()
		if _, _, err := conn.ReadFrom(buf); !errors.Is(err, net.ErrClosed) || time.Since(start) != time.Hour+3*time.Second {
			t.Errorf("%v after %v, want it closed", err, time.Since(start))
		}
		if _, err := conn.WriteTo(buf, net.UDPAddrFromAddrPort(pbx)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("writing: %v, want it closed", err)
		}
	})
}

func TestAnAddressBelongsToOneSocketUntilItCloses(t *testing.T) {
	w, conn, _ := pair(t, 1, Faults{})
	if _, err := w.Listen(phone); err == nil {
		t.Error("two sockets have one address")
	}
	conn.Close()
	conn.Close()
	if _, err := w.ListenPacket("udp", phone.String()); err != nil {
		t.Error(err)
	}
}

func TestPortZeroTakesAFreePortAndPairsAreEven(t *testing.T) {
	w := NewWire(1)
	host := phone.Addr()
	seen := map[netip.AddrPort]bool{}
	for range 50 {
		one, err := w.Listen(netip.AddrPortFrom(host, 0))
		if err != nil {
			t.Fatal(err)
		}
		rtp, rtcp, err := w.ListenPair(host)
		if err != nil {
			t.Fatal(err)
		}
		if rtp.AddrPort().Port()%2 != 0 || rtcp.AddrPort().Port() != rtp.AddrPort().Port()+1 {
			t.Errorf("pair %v %v", rtp.AddrPort(), rtcp.AddrPort())
		}
		for _, c := range []*Conn{one, rtp, rtcp} {
			if seen[c.AddrPort()] {
				t.Errorf("%v twice", c.AddrPort())
			}
			seen[c.AddrPort()] = true
		}
	}
}
