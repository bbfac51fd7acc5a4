package sim

import (
	"fmt"
	"image"
	"image/color"
	"slices"
	"sync"
	"testing"
	"time"

	"freizeichen/hal"
)

// listeningBody is a body and what it has delivered, as text.
func listeningBody() (*Body, *[]string) {
	var heard []string
	return NewBody(
		func(c hal.KeyChange) { heard = append(heard, fmt.Sprintf("%v %v", c.Key, c.Down)) },
		func(c hal.HookChange) { heard = append(heard, fmt.Sprintf("hook %v", c.Up)) },
	), &heard
}

func TestABodyDeliversChangesOnly(t *testing.T) {
	b, heard := listeningBody()
	b.Press(hal.KeyNone)
	b.Press(hal.KeyCount)
	b.Press(hal.KeyCount + 9)
	b.Release(hal.Key5)
	b.Hook(false)
	if len(*heard) != 0 {
		t.Fatalf("no change, but %q was delivered", *heard)
	}
	b.Press(hal.Key5)
	b.Press(hal.Key5)
	b.Press(hal.KeyHold)
	b.Hook(true)
	b.Hook(true)
	b.Release(hal.Key5)
	b.Release(hal.Key5)
	b.Hook(false)
	want := []string{"5 true", "hold true", "hook true", "5 false", "hook false"}
	if !slices.Equal(*heard, want) {
		t.Errorf("delivered %q, want %q", *heard, want)
	}
}

// picture is a mono panel with one pixel on.
func picture(x int) *image.Paletted {
	p := image.NewPaletted(image.Rect(0, 0, 128, 64), color.Palette{color.Black, color.White})
	p.SetColorIndex(x, 0, 1)
	return p
}

func TestASlowWatcherSeesTheNewestDisplay(t *testing.T) {
	b, _ := listeningBody()
	if got := b.Display(); got.Picture != nil || got.Text != nil {
		t.Fatalf("before the first Show: %v", got)
	}
	changed, stop := b.Watch()
	for n := range 50 { // never waits, though nobody takes
		b.Show(hal.Display{Picture: picture(n), Text: []string{fmt.Sprint(n)}})
	}
	<-changed
	if got := b.Display().Text[0]; got != "49" {
		t.Errorf("display %s, want the newest, 49", got)
	}
	select {
	case <-changed:
		t.Error("a second change although the newest display has been seen")
	default:
	}
	stop()
	stop()
	b.Show(hal.Display{})
	select {
	case <-changed:
		t.Error("a change after stop")
	default:
	}
}

func TestAnEqualDisplayIsNoChange(t *testing.T) {
	lamps := hal.Lamps{hal.LampHold: hal.Steady}
	shown := hal.Display{Picture: picture(3), Lamps: lamps, Text: []string{"a", "b"}}
	yellow := picture(3)
	yellow.Palette = color.Palette{color.Black, color.RGBA{255, 255, 0, 255}}
	for _, c := range []struct {
		name   string
		next   hal.Display
		change bool
	}{
		{"the same", shown, false},
		{"a copy", hal.Display{Picture: picture(3), Lamps: lamps, Text: []string{"a", "b"}}, false},
		{"another pixel", hal.Display{Picture: picture(4), Lamps: lamps, Text: []string{"a", "b"}}, true},
		{"another palette", hal.Display{Picture: yellow, Lamps: lamps, Text: []string{"a", "b"}}, true},
		{"no picture", hal.Display{Lamps: lamps, Text: []string{"a", "b"}}, true},
		{"another lamp", hal.Display{Picture: picture(3), Text: []string{"a", "b"}}, true},
		{"another soft key", hal.Display{Picture: picture(3), Lamps: lamps, Text: []string{"a", "b"}, Soft: [4]string{3: "Annehmen"}}, true},
		{"another text", hal.Display{Picture: picture(3), Lamps: lamps, Text: []string{"a"}}, true},
	} {
		b, _ := listeningBody()
		b.Show(shown)
		changed, stop := b.Watch()
		defer stop()
		b.Show(c.next)
		if got := len(changed) == 1; got != c.change {
			t.Errorf("%s: change %v, want %v", c.name, got, c.change)
		}
	}
}

func TestABodyMayBeUsedFromEverywhere(t *testing.T) {
	var presses int // guarded by the body: changes come one at a time
	b := NewBody(func(hal.KeyChange) { presses++ }, func(hal.HookChange) { presses++ })
	var users sync.WaitGroup
	for n := range 8 {
		users.Go(func() {
			changed, stop := b.Watch()
			defer stop()
			for range 100 {
				b.Press(hal.Key1 + hal.Key(n))
				b.Release(hal.Key1 + hal.Key(n))
				b.Show(hal.Display{Text: []string{fmt.Sprint(n)}})
				b.Display()
			}
			select {
			case <-changed:
			case <-time.After(10 * time.Second):
				t.Error("no change seen")
			}
		})
	}
	users.Wait()
	if presses != 1600 {
		t.Errorf("%d changes, want 1600", presses)
	}
}

func TestTheHandsetCanBeLookedAt(t *testing.T) {
	b := NewBody(func(hal.KeyChange) {}, func(hal.HookChange) {})
	changed, stop := b.Watch()
	defer stop()
	b.Hook(true)
	select {
	case <-changed:
	default:
		t.Error("who watches is not told that the handset was lifted")
	}
	if !b.Lifted() {
		t.Error("a lifted handset is not seen")
	}
	if b.Hook(false); b.Lifted() {
		t.Error("a handset in its cradle is seen as lifted")
	}
}
