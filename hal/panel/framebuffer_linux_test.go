package panel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/hal"
	"freizeichen/hal/panel/raster"
)

// video is a framebuffer whose memory is a slice, and whose answers are those of the kernel's structures.
type video struct {
	fixed, variable []byte
	memory          []byte
	infoErr, mapErr error
	blankErr        error
	blank           bool
	open            int
	mode            raster.Mode // what seen has read
}

func (v *video) Info() ([]byte, []byte, error) { return v.fixed, v.variable, v.infoErr }
func (v *video) Map(length int) ([]byte, error) {
	return v.memory[:min(length, len(v.memory))], v.mapErr
}
func (v *video) Close() error { v.open--; return nil }
func (v *video) Blank(blank bool) error {
	if v.blankErr == nil {
		v.blank = blank
	}
	return v.blankErr
}

// layout is where numbers of fb_fix_screeninfo stand, told by the compiler for amd64 and by the structure for 32 bits.
type layout struct{ length, kind, visual, stride int }

var (
	layout64 = layout{length: 24, kind: 28, visual: 36, stride: 48}
	layout32 = layout{length: 20, kind: 24, visual: 32, stride: 44}
)

// newVideo is a framebuffer of so many pixels in a memory that is larger by a margin, on a machine with words of so many bits.
func newVideo(width, height, bits, words int) *video {
	const margin = 8
	v := &video{fixed: make([]byte, 68), variable: make([]byte, 160)}
	at := layout32
	if words == 64 {
		v.fixed, at = make([]byte, 80), layout64
	}
	stride := ((width+2*margin)*bits/8 + 7) &^ 3
	v.memory = bytes.Repeat([]byte{0xA5}, stride*(height+2*margin))
	set := func(to []byte, at, n int) { binary.LittleEndian.PutUint32(to[at:], uint32(n)) }
	copy(v.fixed, "test fb")
	set(v.fixed, at.length, len(v.memory))
	set(v.fixed, at.visual, 1)
	set(v.fixed, at.stride, stride)
	for i, n := range []int{width, height, width + 2*margin, height + 2*margin, margin, margin, bits} {
		set(v.variable, 4*i, n)
	}
	fields := [][2]int{{16, 8}, {8, 8}, {0, 8}}
	if bits == 16 {
		fields = [][2]int{{11, 5}, {5, 6}, {0, 5}}
	}
	for i, f := range fields {
		set(v.variable, 32+12*i, f[0])
		set(v.variable, 36+12*i, f[1])
	}
	return v
}

// seen is a visible pixel as the number that stands in memory.
func (v *video) seen(t *testing.T, x, y int) uint32 {
	t.Helper()
	if v.mode == (raster.Mode{}) {
		var err error
		if v.mode, err = raster.Parse(v.fixed, v.variable); err != nil {
			t.Fatal(err)
		}
	}
	m := v.mode
	row := v.memory[m.Start+y*m.Stride:]
	switch m.Bits {
	case 1:
		return uint32(row[x/8] >> (x % 8) & 1)
	case 16:
		return uint32(row[2*x]) | uint32(row[2*x+1])<<8
	case 24:
		return uint32(row[3*x]) | uint32(row[3*x+1])<<8 | uint32(row[3*x+2])<<16
	}
	return binary.LittleEndian.Uint32(row[4*x:])
}

func framebufferOf(v *video, panel hal.Panel) *framebuffer {
	return NewFramebuffer(Framebuffer{Panel: panel, Open: func() (Video, error) { v.open++; return v, nil }}).(*framebuffer)
}

func TestAModeThatCannotBeDrawnIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(v *video){
		"short fixed":       func(v *video) { v.fixed = v.fixed[:72] },
		"short variable":    func(v *video) { v.variable = v.variable[:100] },
		"8 bits":            func(v *video) { v.variable[24] = 8 },
		"planes":            func(v *video) { v.fixed[layout64.kind] = 1 },
		"no pixels":         func(v *video) { clear(v.variable[:4]) },
		"too many pixels":   func(v *video) { v.variable[2] = 1 },
		"row too short":     func(v *video) { v.fixed[layout64.stride+1] = 0 },
		"memory too short":  func(v *video) { clear(v.fixed[layout64.length+1 : layout64.length+4]) },
		"memory too long":   func(v *video) { v.fixed[layout64.length+3] = 0xFF },
		"rows beyond":       func(v *video) { v.variable[20] = 200 },
		"a colour too wide": func(v *video) { v.variable[36] = 9 },
		"a colour beyond":   func(v *video) { v.variable[32] = 25 },
		"a colour of none":  func(v *video) { v.variable[36] = 0 },
		"too small":         func(v *video) { *v = *newVideo(127, 64, 32, 64) },
		"map fails":         func(v *video) { v.mapErr = errWire },
		"map is short":      func(v *video) { v.memory = v.memory[:100] },
		"no answer":         func(v *video) { v.infoErr = errWire },
	} {
		v := newVideo(320, 240, 32, 64)
		spoil(v)
		f := framebufferOf(v, hal.Mono128x64)
		if err := f.start(); err == nil {
			t.Errorf("%s: started", name)
		}
		if err := f.Close(); err != nil || v.open != 0 {
			t.Errorf("%s: %v, %d still open", name, err, v.open)
		}
	}
}

func TestAFramebufferShowsThePictureEnlargedAndCentredInEveryDepth(t *testing.T) {
	for _, c := range []struct {
		width, height, bits, words int
		panel                      hal.Panel
		scale                      int
		white, red                 uint32
	}{
		{128, 64, 1, 64, hal.Mono128x64, 1, 1, 1},
		{128, 64, 1, 32, hal.Mono128x64, 1, 1, 1},
		{131, 67, 16, 64, hal.Mono128x64, 1, 0xFFFF, 0xFFFF},
		{800, 480, 16, 64, hal.Mono128x64, 6, 0xFFFF, 0xFFFF},
		{320, 240, 16, 32, hal.Colour320x240, 1, 0xFFFF, 0xF800},
		{800, 480, 24, 64, hal.Colour320x240, 2, 0xFFFFFF, 0xFF0000},
		{1024, 768, 32, 32, hal.Colour320x240, 3, 0xFFFFFF, 0xFF0000},
	} {
		name := fmt.Sprintf("%dx%d, %d bits, words of %d", c.width, c.height, c.bits, c.words)
		v := newVideo(c.width, c.height, c.bits, c.words)
		untouched := bytes.Clone(v.memory)
		f := framebufferOf(v, c.panel)
		p := direct(f)
		size := c.panel.Size()
		picture := monoPicture()
		if c.panel == hal.Colour320x240 {
			picture = colourPicture()
		}
		fill(picture, image.Rect(3, 4, 9, 9), 1)
		if err := p.start(want{picture: picture, fraction: 1}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		next := clone(picture)
		fill(next, image.Rectangle{size.Sub(image.Pt(5, 3)), size}, min(2, uint8(len(next.Palette)-1)))
		if err := p.change(want{picture: next, fraction: 1}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		corner := image.Pt(c.width-size.X*c.scale, c.height-size.Y*c.scale).Div(2)
		for y := range c.height {
			for x := range c.width {
				at := image.Pt(x, y).Sub(corner)
				ink := uint8(0)
				if at.X >= 0 && at.Y >= 0 {
					ink = index(next, at.X/c.scale, at.Y/c.scale)
				}
				if got := v.seen(t, x, y); got != [3]uint32{0, c.white, c.red}[ink] {
					t.Fatalf("%s: pixel %d, %d is %06x, ink %d", name, x, y, got, ink)
				}
			}
		}
		if m := f.mode; !bytes.Equal(v.memory[:m.Start-8], untouched[:m.Start-8]) {
			t.Errorf("%s: memory before the visible part was written", name)
		}
	}
}

func TestAFramebufferThatCannotBlankIsBlackened(t *testing.T) {
	for _, blankErr := range []error{nil, errors.ErrUnsupported} {
		v := newVideo(320, 240, 16, 64)
		v.blankErr = blankErr
		var lamp float64
		f := framebufferOf(v, hal.Colour320x240)
		f.setup.Backlight = func(fraction float64) error { lamp = fraction; return nil }
		p := direct(f)
		picture := colourPicture()
		fill(picture, image.Rect(0, 0, 10, 10), 1)
		if err := p.start(want{fraction: 0.5, picture: picture}); err != nil || v.seen(t, 5, 5) != 0xFFFF || lamp != 0.5 {
			t.Errorf("%v, %04x, %v", err, v.seen(t, 5, 5), lamp)
		}
		if err := p.change(want{fraction: 0.5, picture: picture, blank: true}); err != nil || lamp != 0 {
			t.Errorf("%v, %v", err, lamp)
		}
		if dark := v.blank || v.seen(t, 5, 5) == 0; !dark {
			t.Error("not dark")
		}
		next := clone(picture)
		fill(next, image.Rect(20, 20, 30, 30), 1)
		if err := p.change(want{fraction: 0.5, picture: next, blank: true}); err != nil || blankErr != nil && v.seen(t, 25, 25) != 0 {
			t.Errorf("%v: a picture was seen while dark", err)
		}
		if err := p.change(want{fraction: 1, picture: next}); err != nil || v.blank || v.seen(t, 5, 5) != 0xFFFF || v.seen(t, 25, 25) != 0xFFFF || lamp != 1 {
			t.Errorf("lit again: %v, %04x %04x", err, v.seen(t, 5, 5), v.seen(t, 25, 25))
		}
	}
}

func TestAFramebufferThatComesLaterOrChangesItsModeIsOpenedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, r := newVideo(640, 480, 32, 64), &reports{}
		var there atomic.Pointer[video]
		p := Open(NewFramebuffer(Framebuffer{Panel: hal.Colour320x240, Open: func() (Video, error) {
			v := there.Load()
			if v == nil {
				return nil, os.ErrNotExist
			}
			v.open++
			return v, nil
		}}), r.report)
		picture := colourPicture()
		fill(picture, picture.Rect, 1)
		p.Show(picture)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		wantFaults(t, "not there", r, hal.Missing)
		there.Store(v)
		time.Sleep(time.Second)
		synctest.Wait()
		wantFaults(t, "there", r, hal.Working)
		if text, err := p.Check(t.Context()); err != nil || text != `framebuffer "test fb" answers, 640x480 with 32 bits` {
			t.Errorf("%q, %v", text, err)
		}
		old := v
		v = newVideo(320, 240, 16, 64)
		old.fixed, old.variable = v.fixed, v.variable
		there.Store(v)
		if _, err := p.Check(t.Context()); !errors.Is(err, errLost) {
			t.Error(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		wantFaults(t, "another mode", r, hal.Failing, hal.Working)
		if err := p.Close(); err != nil || old.open != 0 || v.open != 0 || v.seen(t, 3, 3) != 0xFFFF || !v.blank {
			t.Errorf("%v, %d and %d open, %04x", err, old.open, v.open, v.seen(t, 3, 3))
		}
	})
}

func FuzzNoModeOfAFramebufferWritesBeyondItsMemory(f *testing.F) {
	for _, v := range []*video{newVideo(320, 240, 16, 64), newVideo(128, 64, 1, 32), newVideo(200, 100, 24, 64)} {
		f.Add(v.fixed, v.variable)
	}
	f.Fuzz(func(t *testing.T, fixed, variable []byte) {
		m, err := raster.Parse(fixed, variable)
		if err != nil || m.Length > 1<<22 {
			return
		}
		v := &video{fixed: fixed, variable: variable, memory: make([]byte, m.Length)}
		p := direct(framebufferOf(v, hal.Mono128x64))
		picture := monoPicture()
		fill(picture, picture.Rect, 1)
		_ = p.start(want{picture: picture, fraction: 1})
	})
}

func TestAFileIsNoFramebufferButCanBeMapped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fb0")
	if _, err := OpenVideo(path); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if err := os.WriteFile(path, make([]byte, 8192), 0o600); err != nil {
		t.Fatal(err)
	}
	v, err := OpenVideo(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := v.Info(); err == nil {
		t.Error("a file has a mode")
	}
	if err := v.Blank(true); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	memory, err := v.Map(8000)
	if err != nil || len(memory) != 8000 {
		t.Fatalf("%d bytes, %v", len(memory), err)
	}
	memory[7999] = 42
	if _, err := v.Map(1); err == nil {
		t.Error("mapped twice")
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(path); err != nil || got[7999] != 42 {
		t.Errorf("%v, %d", err, got[7999])
	}
}
