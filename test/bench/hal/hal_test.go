//go:build linux

package main

import (
	"bytes"
	"context"
	"image"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"freizeichen/device/screen"
	"freizeichen/firmware/config"
	"freizeichen/hal/panel"
	"freizeichen/test/bench/process"
)

func TestOptionsWantWholeNumbersAndKnownParts(t *testing.T) {
	for _, args := range [][]string{{"-rounds", "0"}, {"-rest", "x"}, {"-talk", "-1"}, {"-parts", "panels"}, {"-parts", ""}, {"file"}} {
		if _, err := parseOptions(args); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
	o, err := parseOptions([]string{"-rest", "3", "-parts", "size,board"})
	if err != nil || o.rest != 3*time.Second || !o.wants(partBoard) || o.wants(partPanel) {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestMiddleIsAValueThatWasMeasured(t *testing.T) {
	for _, test := range []struct {
		values        []int
		middle, worst int
	}{{nil, 0, 0}, {[]int{7}, 7, 7}, {[]int{3, 1, 2}, 2, 3}, {[]int{4, 3, 2, 1}, 2, 4}} {
		if m, w := middle(test.values), worst(test.values); m != test.middle || w != test.worst {
			t.Errorf("of %v: %d, %d", test.values, m, w)
		}
	}
}

func TestEveryChangeIsSeenAndDearerThanTheLeast(t *testing.T) {
	for _, g := range glasses() {
		for _, c := range changes() {
			draw := screen.New(g.shows, screen.German).Draw
			before, after := draw(c.before), draw(c.after)
			cost, least := panel.Price(g.controller, before, after), g.least(before, after)
			if cost.Bytes == 0 || least.Bytes == 0 {
				t.Errorf("%s: %s: nothing changes", g.name, c.name)
			}
			if cost.Bytes < least.Bytes || g.time(cost) < g.time(least) {
				t.Errorf("%s: %s: %+v is less than the least, %+v", g.name, c.name, cost, least)
			}
		}
	}
}

func TestTheLeastIsWhatOneWindowCosts(t *testing.T) {
	for _, g := range glasses() {
		before := image.NewPaletted(image.Rectangle{Max: g.shows.Size()}, screen.New(g.shows, screen.German).Draw(changes()[0].before).Palette)
		after := image.NewPaletted(before.Rect, before.Palette)
		if least := g.least(before, after); least != (panel.Cost{}) {
			t.Errorf("%s: no change costs %+v", g.name, least)
		}
		for x := range 40 { // one row of cells, without a gap
			after.SetColorIndex(8+x*g.cell.X%after.Rect.Dx(), g.cell.Y, 1)
		}
		least, cost := g.least(before, after), panel.Price(g.controller, before, after)
		if cost.Windows != 1 || least.Bytes != cost.Bytes || least.Bits != cost.Bits {
			t.Errorf("%s: the least of one window is %+v, and it costs %+v", g.name, least, cost)
		}
	}
}

func TestTheMeterReckonsTheBusUntilThePanelsLastByte(t *testing.T) {
	m := &meter{}
	if _, changed := m.since(time.Time{}); changed {
		t.Error("an idle bus has changed the panel")
	}
	_ = m.note(addressPanel, []byte{controlData, 1}, nil) // before
	from := time.Now()
	_ = m.note(addressKeypad, []byte{2}, nil)         // 2 bytes
	_ = m.note(addressKeypad, nil, make([]byte, 2))   // 3 bytes
	_ = m.note(addressPanel, []byte{0, 0x21, 1}, nil) // 4 bytes: commands
	if _, changed := m.since(from); changed {
		t.Error("commands have changed the picture")
	}
	_ = m.note(addressPanel, []byte{controlData, 1, 2}, nil) // 4 bytes
	_ = m.note(0x62, []byte{1, 2, 3}, nil)                   // afterwards
	b, changed := m.since(from)
	if !changed || b.panel != 8 || b.bits != 9*13+4*2 || b.last.Before(from) || b.first != b.last {
		t.Errorf("%t %+v", changed, b)
	}
	if want := time.Duration(b.bits) * 2500 * time.Nanosecond; b.busy() != want {
		t.Errorf("%d bits take %s, not %s", b.bits, b.busy(), want)
	}
	if messages, bytes := m.bytes(0, from); messages != 5 || bytes != 17 {
		t.Errorf("%d messages, %d bytes", messages, bytes)
	}
}

func TestAGoalThatIsMissedIsAWord(t *testing.T) {
	var out bytes.Buffer
	table := newTable("rest", "", "goal")
	restOf(process.Usage{CPU: time.Second}, process.Usage{CPU: 2 * time.Second, Switches: 10}, 10*time.Second).rows(table)
	if err := table.print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"10.000", "below 0.5 %: missed", "1.00", "(load "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in:\n%s", want, out.String())
		}
	}
}

func TestThePhonesFileIsTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "phone.yaml")
	text := configuration(netip.MustParseAddrPort("10.0.2.2:5070"), "bench-301", netip.MustParseAddr("10.0.2.15"))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path)
	if err != nil || len(c.Accounts) != 1 || c.Accounts[0].User != account || c.Accounts[0].Server != "10.0.2.2:5070" {
		t.Errorf("%+v, %v", c.Accounts, err)
	}
}

func TestAPauseEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if pause(ctx, time.Hour) == nil {
		t.Error("the pause went on")
	}
}

func TestTheEmulatedProcessorIsFoundAmongThreads(t *testing.T) {
	proc := t.TempDir()
	put := func(path, text string) {
		t.Helper()
		path = filepath.Join(proc, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("5/stat", "5 (qemu (of somebody else)) S 1 5 5")
	put("5/task/6/schedstat", "9000 1000 12\n")
	put("6/stat", "6 (another child) S 99 6 6")
	put("6/task/6/schedstat", "9000 1000 12\n")
	put("7/stat", "7 (qemu-system-aar) S 99 7 7")
	put("7/task/7/schedstat", "none\n")
	if _, err := emulated(proc, 99); err == nil {
		t.Error("a processor without a thread was found")
	}
	put("7/task/7/schedstat", "2000 5000 12\n")
	put("7/task/8/schedstat", "3000 1000 12\n")
	got, err := emulated(proc, 99)
	if err != nil || got != (turn{3000, 1000}) {
		t.Errorf("%+v, %v", got, err)
	}
	if share := (turn{1000, 500}).share(got); share != 0.8 {
		t.Errorf("it ran %v of the time", share)
	}
	if share := got.share(got); share != 1 {
		t.Errorf("of no time it ran %v", share)
	}
}
