//go:build linux

package checks

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/firmware/selftest"
	"freizeichen/hal/board"
)

func TestTheGatewayIsThatOfTheInterface(t *testing.T) {
	const head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
	for _, c := range []struct{ name, routes, want string }{
		{"one", "eth0\t00000000\t0202000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\neth0\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n", "10.0.2.2"},
		{"another interface's", "wlan0\t00000000\t0202000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n", ""},
		{"none to everywhere", "eth0\t0002000A\t0202000A\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0\n", ""},
		{"a line without a next hop", "eth0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n", ""},
		{"nonsense, then one", "eth0\t00000000\tno\t0003\neth0\neth0\t00000000\t0101A8C0\t0x3\neth0\t00000000\t01A8C0\t0003\neth0\t00000000\tFE01A8C0\t0403\n", "192.168.1.254"},
	} {
		b := newBench(t, board.Table{}, map[string]string{"proc/net/route": head + c.routes})
		if got, known := b.gateway("eth0"); known != (c.want != "") || known && got.String() != c.want {
			t.Errorf("%s: %s, %t, want %q", c.name, got, known, c.want)
		}
	}
	if got, known := newBench(t, board.Table{}, nil).gateway("eth0"); known {
		t.Errorf("without a table: %s", got)
	}
}

func TestOnlyATestThatAPersonWantsLoadsTheNetwork(t *testing.T) {
	for level := range selftest.LevelCount {
		want := strings.Contains("technician factory", level.String())
		if got := guided(&selftest.Step{Level: level}); got != want {
			t.Errorf("%s: %t", level, got)
		}
	}
}

func TestPingsAreCountedUntilEnoughIsKnown(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name       string
		ctx        context.Context
		takes      time.Duration
		echoes     func(n uint16, bytes int) bool
		sent, lost int
	}{
		{"all answered", t.Context(), time.Millisecond, func(uint16, int) bool { return true }, 1000, 0},
		{"one lost", t.Context(), time.Millisecond, func(n uint16, _ int) bool { return n != 700 }, 1000, 1},
		{"the first ones lost, while the address is asked for", t.Context(), time.Millisecond, func(n uint16, _ int) bool { return n > 1 }, 1000, 2},
		{"every second lost", t.Context(), time.Millisecond, func(n uint16, _ int) bool { return n%2 == 0 }, 10, 5},
		{"a host that answers nobody", t.Context(), time.Second, func(uint16, int) bool { return false }, 0, 0},
		{"a cable that breaks long frames", t.Context(), time.Second, func(_ uint16, bytes int) bool { return bytes == 0 }, 5, 5},
		{"a slow host", t.Context(), 100 * time.Millisecond, func(uint16, int) bool { return true }, 150, 0},
		{"a test that has ended", ended, time.Millisecond, func(uint16, int) bool { return true }, 0, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			sent, lost := count(c.ctx, func(n uint16, bytes int) bool { time.Sleep(c.takes); return c.echoes(n, bytes) })
			if sent != c.sent || lost != c.lost {
				t.Errorf("%s: %d sent, %d lost, want %d, %d", c.name, sent, lost, c.sent, c.lost)
			}
		})
	}
}
