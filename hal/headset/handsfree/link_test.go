package handsfree

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/hal"
)

// A desk is a phone with a line to a headset's base that can be unplugged.
type desk struct {
	t     *testing.T
	link  *Link
	mu    sync.Mutex
	far   net.Conn // the base's end; nil while it is not plugged in
	near  net.Conn
	heard []hal.HeadsetAction
	tries int
}

func (d *desk) open() (io.ReadWriteCloser, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tries++
	if d.near == nil {
		return nil, syscall.ENOENT
	}
	near := d.near
	d.near = nil
	return near, nil
}

func (d *desk) plug() *bufio.Reader {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.near, d.far = net.Pipe()
	return bufio.NewReader(d.far)
}

func (d *desk) hears(want ...hal.HeadsetAction) {
	d.t.Helper()
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Equal(d.heard, want) {
		d.t.Errorf("heard %v, want %v", d.heard, want)
	}
	d.heard = nil
}

func says(t *testing.T, r *bufio.Reader, want string) {
	t.Helper()
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("%v before %q", err, want)
		}
		if line = strings.TrimSpace(line); line != "" {
			if line != want {
				t.Fatalf("got %q, want %q", line, want)
			}
			return
		}
	}
}

// atDesk runs a test at a desk; the bubble makes sure that no goroutine is left.
func atDesk(t *testing.T, test func(d *desk)) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{t: t}
		d.link = NewLink(Config{Open: d.open, Change: func(c hal.HeadsetChange) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.heard = append(d.heard, c.Action)
		}})
		ctx, cancel := context.WithCancel(t.Context())
		stopped := make(chan struct{})
		go func() {
			d.link.Run(ctx)
			close(stopped)
		}()
		test(d)
		cancel()
		<-stopped
	})
}

func TestAnUnpluggedBaseIsFoundAgain(t *testing.T) {
	atDesk(t, func(d *desk) {
		for range 3 {
			d.hears()
			base := d.plug()
			time.Sleep(delayMax)
			d.hears(hal.HeadsetPlugged)
			d.link.Show(hal.HeadsetLamps{Ring: true})
			says(t, base, "RING")
			if _, err := d.far.Write([]byte("AT+CKPD=200\r")); err != nil {
				t.Fatal(err)
			}
			says(t, base, "OK")
			d.hears(hal.HeadsetOffHook)
			d.far.Close()
			d.hears(hal.HeadsetUnplugged)
			d.link.Show(hal.HeadsetLamps{})
		}
	})
}

func TestABaseThatComesLateIsToldWhatRuns(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.link.Show(hal.HeadsetLamps{OffHook: true})
		d.link.Show(hal.HeadsetLamps{Ring: true})
		time.Sleep(time.Minute)
		base := d.plug()
		says(t, base, "RING")
		says(t, base, "RING")
		d.hears(hal.HeadsetPlugged)
	})
}

func TestAMissingBaseIsLookedForSeldom(t *testing.T) {
	atDesk(t, func(d *desk) {
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.tries < 20 || d.tries > 27 {
			t.Errorf("opened %d times in ten minutes", d.tries)
		}
	})
}

func TestALineThatTakesNothingIsClosed(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.plug() // and never reads
		time.Sleep(delayMax)
		d.hears(hal.HeadsetPlugged)
		for range 1000 {
			d.link.Show(hal.HeadsetLamps{Ring: true})
			d.link.Show(hal.HeadsetLamps{OffHook: true, Mute: true})
		}
		d.link.Show(hal.HeadsetLamps{Ring: true})
		d.hears()
		time.Sleep(writeTime + time.Second)
		d.hears(hal.HeadsetUnplugged)
		if _, err := d.far.Write([]byte{0}); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("the line is still open: %v", err)
		}
	})
}

func TestABaseThatOnlyTalksIsClosedBeforeItFillsTheMemory(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.plug()
		time.Sleep(delayMax)
		for range 10_000 {
			if _, err := d.far.Write([]byte(strings.Repeat("AT+CIND=?\r", 10))); err != nil {
				d.hears(hal.HeadsetPlugged, hal.HeadsetUnplugged)
				return
			}
		}
		t.Error("a million bytes of answers are kept")
	})
}

func TestStoppingEndsATalk(t *testing.T) {
	atDesk(t, func(d *desk) {
		base := d.plug()
		time.Sleep(delayMax)
		d.link.Show(hal.HeadsetLamps{Ring: true})
		says(t, base, "RING")
	})
}
