package panel

import (
	"errors"
	"fmt"
	"image"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/hal"
	"freizeichen/hal/haltest"

	"periph.io/x/conn/v3/i2c/i2ctest"
)

// direct is a panel without its goroutine.
func direct(c Controller) *Panel {
	n := c.form().Length()
	return &Panel{controller: c, memory: make([]byte, n), next: make([]byte, n), report: func(hal.PartChange) {}}
}

// A subject is one controller with the model that it speaks with.
type subject struct {
	name       string
	controller Controller
	colour     bool                                     // 320x240, else 128x64 mono
	traffic    func() (transfers, bytes int)            // so far
	differs    func(p *image.Paletted) (at []int)       // first pixel that the model does not show
	power      func()                                   // interrupts it
	wrong      func() []string                          //
	fault      func(f func(n int) (part bool, e error)) // asked before each transfer, with its number; nil ends that
}

// narrowBus takes no longer messages than an adapter does.
type narrowBus struct {
	haltest.Bus
	most int
}

func (b *narrowBus) Tx(addr uint16, w, r []byte) error {
	if len(w) > b.most {
		return fmt.Errorf("message of %d bytes, at most %d", len(w), b.most)
	}
	return b.Bus.Tx(addr, w, r)
}

func oledSubject(name string, model *haltest.SSD1306, sh bool, setup OLED) subject {
	bus := &narrowBus{most: max(8, setup.MessageMax)}
	if setup.MessageMax == 0 {
		bus.most = 1025
	}
	bus.Attach(0x3C, model)
	s := subject{name: name, traffic: bus.Traffic, power: model.PowerCycle, wrong: model.Wrong}
	s.controller = NewSSD1306(bus, setup)
	if sh {
		s.controller = NewSH1106(bus, setup)
	}
	s.differs = func(p *image.Paletted) []int {
		seen := model.Picture()
		for i := range seen.Pix {
			if x, y := i%128, i/128; seen.Pix[i] != min(1, index(p, x, y)) {
				return []int{x, y}
			}
		}
		return nil
	}
	s.fault = func(f func(int) (bool, error)) {
		if f == nil {
			bus.Fail(nil)
			return
		}
		n := 0
		bus.Fail(func(_ uint16, w, r []byte) error {
			n++
			part, err := f(n)
			if part {
				model.Write(w[:len(w)/2])
			}
			return err
		})
	}
	return s
}

func serialSubject(name string, c Controller, bus *serialBus, differs func(*image.Paletted) []int) subject {
	return subject{name: name, controller: c, traffic: bus.traffic, differs: differs, fault: func(f func(int) (bool, error)) {
		if f == nil {
			bus.fail(nil)
			return
		}
		n := 0
		bus.fail(func(w []byte) (int, error) {
			n++
			part, err := f(n)
			switch {
			case part:
				return len(w) / 2, err
			case err != nil:
				return 0, err
			}
			return len(w), nil
		})
	}}
}

func greySubject(name string, double bool) subject {
	m := newGreyModel()
	s := serialSubject(name, NewSSD1322(Grey{SPI: m.spi(), Double: double}), &m.serialBus, func(p *image.Paletted) []int {
		for i := range 256 * 64 {
			x, y := i%256, i/256
			want := index(p, x-64, y) * 15
			if double {
				want = index(p, x/2, y) * 15
			}
			if m.level(x, y) != want {
				return []int{x, y}
			}
		}
		return nil
	})
	s.power, s.wrong = m.powerCycle, func() []string { return m.wrong }
	return s
}

func tftSubject(name string, limit int, readable bool) subject {
	m := newTFTModel()
	m.limit = limit
	s := serialSubject(name, NewST7789(TFT{SPI: m.spi(), Readable: readable}), &m.serialBus, func(p *image.Paletted) []int {
		for i := range 320 * 240 {
			x, y := i%320, i/320
			r, g, b := paint(p, int(index(p, x, y)))
			if m.colour(x, y) != uint16(r>>3)<<11|uint16(g>>2)<<5|uint16(b>>3) {
				return []int{x, y}
			}
		}
		return nil
	})
	s.colour, s.power, s.wrong = true, m.powerCycle, func() []string { return m.wrong }
	return s
}

func subjects() []subject {
	return []subject{
		oledSubject("ssd1306", haltest.NewSSD1306(), false, OLED{}),
		oledSubject("ssd1306 by 32 bytes", haltest.NewSSD1306(), false, OLED{MessageMax: 32}),
		oledSubject("sh1106", haltest.NewSH1106(), true, OLED{}),
		oledSubject("sh1106 by 8 bytes", haltest.NewSH1106(), true, OLED{MessageMax: 1}),
		greySubject("ssd1322 256x64", false),
		greySubject("ssd1322 double", true),
		tftSubject("st7789", 0, false),
		tftSubject("st7789 by 100 bytes", 100, false),
		tftSubject("st7789 that can be read", 0, true),
	}
}

func (s subject) picture() *image.Paletted {
	if s.colour {
		return colourPicture()
	}
	return monoPicture()
}

// screens are three pictures: a desk with a clock, one character changed, and another screen.
func (s subject) screens() (desk, one, minute, other *image.Paletted) {
	desk = s.picture()
	width, height, scale := 6, 12, 1
	if s.colour {
		width, height, scale = 12, 24, 2
	}
	for i, text := range []string{"Kreis Wesel 14:09", "Elterngeld", "wartet 00:42", "frei    3 Anrufe"} {
		write(desk, 4*scale, (2+i*15)*scale, width, height, text)
	}
	one = clone(desk)
	write(one, 4*scale+11*width, 32*scale, width, height, "3")
	minute = clone(desk)
	write(minute, 4*scale+15*width, 2*scale, width, height, "10")
	other = s.picture()
	for i, text := range []string{"Gespraech  Ada", "02841 2020", "Wohngeld", "halten  weiter"} {
		write(other, 4*scale, (2+i*15)*scale, width, height, text)
	}
	return desk, one, minute, other
}

func TestEveryPanelShowsWhatItIsGivenForThePriceThatIsSaid(t *testing.T) {
	for _, s := range subjects() {
		synctest.Test(t, func(t *testing.T) {
			desk, one, minute, other := s.screens()
			p := direct(s.controller)
			if err := p.start(want{picture: desk, fraction: 1}); err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			if at := s.differs(desk); at != nil {
				t.Fatalf("%s: pixel %v after start", s.name, at)
			}
			previous := desk
			whole := Price(s.controller, nil, desk)
			for _, step := range []struct {
				name    string
				picture *image.Paletted
				share   int // the price is at most one of so many parts of the whole
			}{{"the same again", clone(desk), 1 << 30}, {"one character", one, 20}, {"back", desk, 20}, {"a minute", minute, 15}, {"another screen", other, 1}} {
				price := Price(s.controller, previous, step.picture)
				transfers, bytes := s.traffic()
				if err := p.change(want{picture: step.picture, fraction: 1}); err != nil {
					t.Fatalf("%s: %s: %v", s.name, step.name, err)
				}
				n, b := s.traffic()
				if price.Transfers != n-transfers || price.Bytes != b-bytes {
					t.Errorf("%s: %s: said %+v, were %d transfers and %d bytes", s.name, step.name, price, n-transfers, b-bytes)
				}
				if price.Bytes > whole.Bytes/step.share {
					t.Errorf("%s: %s costs %d bytes, everything %d", s.name, step.name, price.Bytes, whole.Bytes)
				}
				if at := s.differs(step.picture); at != nil {
					t.Errorf("%s: pixel %v after %s", s.name, at, step.name)
				}
				t.Logf("%-20s %-15s %6d bytes %3d transfers %3d windows, everything %6d bytes", s.name, step.name, price.Bytes, price.Transfers, price.Windows, whole.Bytes)
				previous = step.picture
			}
			if w := s.wrong(); len(w) > 0 {
				t.Errorf("%s: the model complains: %q", s.name, w)
			}
		})
	}
}

func TestACharacterOnTheSSD1306CostsAFewDozenBytes(t *testing.T) {
	s := subjects()[0]
	for y := 0; y+12 <= 64; y++ {
		before, after := s.picture(), s.picture()
		write(before, 60, y, 6, 12, "8")
		write(after, 60, y, 6, 12, "9")
		if c := Price(s.controller, before, after); c.Bytes == 0 || c.Bytes > 36 {
			t.Errorf("at line %d: %+v", y, c)
		}
	}
}

func FuzzWhateverIsShownTheMemoryIsThePictureAndItCostsAtMostEverything(f *testing.F) {
	f.Add([]byte{1, 0, 0, 6, 12, 2, 100, 50, 20, 20, 0, 3, 3, 1, 1})
	for i := range 8 {
		f.Add(append([]byte{byte(i)}, "2 3 4 5 the quick brown fox jumps over the lazy dog 6 7 8 9"...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		all := subjects()
		if len(data) == 0 {
			return
		}
		synctest.Test(t, func(t *testing.T) { follow(t, all[int(data[0])%len(all)], data[1:]) })
	})
}

// follow shows pictures that come from bytes, five for each rectangle.
func follow(t *testing.T, s subject, data []byte) {
	p := direct(s.controller)
	picture := s.picture()
	if err := p.start(want{picture: picture, fraction: 1}); err != nil {
		t.Fatal(err)
	}
	whole := Price(s.controller, nil, picture)
	next := clone(picture)
	for steps := data[:min(len(data), 100)]; len(steps) >= 5; steps = steps[5:] {
		x, y := int(steps[1])*picture.Rect.Dx()/256, int(steps[2])*picture.Rect.Dy()/256
		fill(next, image.Rect(x, y, x+1+int(steps[3])%64, y+1+int(steps[4])%64), steps[0]%2)
		if steps[0]&2 == 0 {
			continue // several changes in one picture
		}
		price := Price(s.controller, picture, next)
		transfers, bytes := s.traffic()
		if err := p.change(want{picture: next, fraction: 1}); err != nil {
			t.Fatal(err)
		}
		n, b := s.traffic()
		if price.Transfers != n-transfers || price.Bytes != b-bytes {
			t.Fatalf("%s: said %+v, were %d transfers and %d bytes", s.name, price, n-transfers, b-bytes)
		}
		if f := s.controller.form(); price.Bytes+price.Transfers*f.Wire.Turn > whole.Bytes+whole.Transfers*f.Wire.Turn {
			t.Fatalf("%s: %+v is more than everything, %+v", s.name, price, whole)
		}
		picture, next = next, clone(next)
	}
	if at := s.differs(picture); at != nil {
		t.Fatalf("%s: pixel %v", s.name, at)
	}
	if w := s.wrong(); len(w) > 0 {
		t.Fatalf("%s: %q", s.name, w)
	}
}

func TestAnOLEDBuiltInUpsideDownShowsThePictureTurned(t *testing.T) {
	for _, s := range []subject{
		oledSubject("ssd1306", haltest.NewSSD1306(), false, OLED{Turned: true}),
		oledSubject("sh1106", haltest.NewSH1106(), true, OLED{Turned: true}),
	} {
		desk, _, _, _ := s.screens()
		turned := monoPicture()
		for i := range desk.Pix {
			turned.Pix[len(desk.Pix)-1-i] = desk.Pix[i]
		}
		if err := direct(s.controller).start(want{picture: desk, fraction: 1}); err != nil {
			t.Fatal(err)
		}
		if at := s.differs(turned); at != nil {
			t.Errorf("%s: pixel %v", s.name, at)
		}
	}
}

// The transfers of an SSD1306 as they were recorded: initialisation with a black picture, then one character.
func TestTheSSD1306IsInitialisedAndWrittenAsRecorded(t *testing.T) {
	black := make([]byte, 1025)
	black[0] = 0x40
	bus := &i2ctest.Playback{DontPanic: true, Ops: []i2ctest.IO{
		{Addr: 0x3D, W: []byte{0x00, 0xE3, 0xE3, 0xAE}},
		{Addr: 0x3D, W: []byte{0x00, 0xD5, 0x80, 0xA8, 0x3F, 0xD3, 0x00, 0x40, 0xA1, 0xC8, 0xDA, 0x12, 0xD9, 0xF1, 0xDB, 0x20, 0xA4, 0xA6, 0x8D, 0x14, 0x20, 0x00, 0x2E}},
		{Addr: 0x3D, W: []byte{0x00, 0x21, 0, 127, 0x22, 0, 7}},
		{Addr: 0x3D, W: black},
		{Addr: 0x3D, W: []byte{0x00, 0x81, 0x80, 0xAF}},
		// A bar of 3x10 pixels at 30, 20: pages 2 and 3.
		{Addr: 0x3D, W: []byte{0x00, 0x21, 30, 32, 0x22, 2, 3}},
		{Addr: 0x3D, W: []byte{0x40, 0xF0, 0xF0, 0xF0, 0x3F, 0x3F, 0x3F}},
		{Addr: 0x3D, R: []byte{0x03}},
		{Addr: 0x3D, R: []byte{0x43}},
		{Addr: 0x3D, W: []byte{0x00, 0x81, 0x80, 0xAE}},
	}}
	p := direct(NewSSD1306(bus, OLED{Address: 0x3D}))
	picture := monoPicture()
	errs := []error{p.start(want{picture: picture, fraction: 0.5})}
	bar := clone(picture)
	fill(bar, image.Rect(30, 20, 33, 30), 1)
	errs = append(errs, p.change(want{picture: bar, fraction: 0.5}))
	text, err := p.controller.status(true)
	if _, off := p.controller.status(true); !errors.Is(off, errLost) || text != "ssd1306 at 0x3d answers, status 0x03" {
		t.Errorf("%q, %v", text, off)
	}
	errs = append(errs, err, p.controller.light(false, 0.5), bus.Close())
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}

func TestTheSH1106IsInitialisedAndWrittenAsRecorded(t *testing.T) {
	ops := []i2ctest.IO{
		{Addr: 0x3C, W: []byte{0x00, 0xE3, 0xE3, 0xAE}},
		{Addr: 0x3C, W: []byte{0x00, 0xD5, 0x50, 0xA8, 0x3F, 0xD3, 0x00, 0x40, 0xA0, 0xC0, 0xDA, 0x12, 0xD9, 0x22, 0xDB, 0x35, 0xA4, 0xA6, 0xAD, 0x8A, 0x32}},
	}
	for page := range byte(8) {
		ops = append(ops, i2ctest.IO{Addr: 0x3C, W: []byte{0x00, 0xB0 | page, 0x02, 0x10}}, i2ctest.IO{Addr: 0x3C, W: append([]byte{0x40}, make([]byte, 128)...)})
	}
	bus := &i2ctest.Playback{DontPanic: true, Ops: append(ops,
		i2ctest.IO{Addr: 0x3C, W: []byte{0x00, 0x81, 0xFF, 0xAF}},
		i2ctest.IO{Addr: 0x3C, W: []byte{0x00, 0xB2, 0x00, 0x12}}, // column 30 is 32
		i2ctest.IO{Addr: 0x3C, W: []byte{0x40, 0xF0, 0xF0, 0xF0}},
		i2ctest.IO{Addr: 0x3C, W: []byte{0x00, 0xB3, 0x00, 0x12}},
		i2ctest.IO{Addr: 0x3C, W: []byte{0x40, 0x3F, 0x3F, 0x3F}},
	)}
	p := direct(NewSH1106(bus, OLED{Turned: true, External: true}))
	bar := monoPicture()
	fill(bar, image.Rect(30, 20, 33, 30), 1)
	if err := errors.Join(p.start(want{fraction: 1}), p.change(want{picture: bar, fraction: 1}), bus.Close()); err != nil {
		t.Error(err)
	}
}

func TestTheSSD1322IsInitialisedAndWrittenAsRecorded(t *testing.T) {
	m := newGreyModel()
	p := direct(NewSSD1322(Grey{SPI: m.spi(), Double: true}))
	if err := p.start(want{fraction: 1}); err != nil {
		t.Fatal(err)
	}
	sameNotes(t, "start", m.take(), []string{
		"c fd", "d 12", "c ae", "c b3", "d 91", "c ca", "d 3f", "c a2", "d 00", "c a1", "d 00", "c a0", "d 16 11", "c b5", "d 00", "c ab", "d 01",
		"c b4", "d a0 fd", "c c1", "d 9f", "c b9", "c b1", "d f2", "c d1", "d 82 20", "c bb", "d 1f", "c b6", "d 08", "c be", "d 04", "c a6", "c a9",
		"c 15", "d 1c 5b", "c 75", "d 00 3f", "c 5c", "d 4096 bytes", "d 4096 bytes", "c c7", "d 0f", "c af"})
	bar := monoPicture()
	fill(bar, image.Rect(31, 20, 33, 22), 1) // across two cells of two pixels
	if err := p.change(want{picture: bar, fraction: 0.4}); err != nil {
		t.Fatal(err)
	}
	sameNotes(t, "bar", m.take(), []string{"c 15", "d 2b 2c", "c 75", "d 14 15", "c 5c", "d 00 ff ff 00 00 ff ff 00", "c c7", "d 06", "c af"})
	if _, err := p.controller.status(true); !errors.Is(err, ErrUnreadable) {
		t.Error(err)
	}
}

func TestTheST7789IsInitialisedAndWrittenAsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newTFTModel()
		var lamp []float64
		p := direct(NewST7789(TFT{SPI: m.spi(), Inverted: true, Offset: image.Pt(0, 0), Readable: true, Setup: [][]byte{{0xB2, 0x0C, 0x0C, 0x00, 0x33, 0x33}},
			Backlight: func(f float64) error { lamp = append(lamp, f); return nil }}))
		begin := time.Now()
		if err := p.start(want{fraction: 0.7}); err != nil {
			t.Fatal(err)
		}
		want1 := []string{"c 28", "c 11", "c 36", "d 60", "c 3a", "d 55", "c 21", "c 53", "d 24", "c 51", "d 00", "c b2", "d 0c 0c 00 33 33",
			"c 2a", "d 00 00 01 3f", "c 2b", "d 00 00 00 ef", "c 2c"}
		for range 153600 / 4096 {
			want1 = append(want1, "d 4096 bytes")
		}
		sameNotes(t, "start", m.take(), append(want1, "d 2048 bytes", "c 29"))
		if d := time.Since(begin); d < 2*wakeTime || len(m.wrong) > 0 {
			t.Errorf("took %v, %q", d, m.wrong)
		}
		bar := colourPicture()
		fill(bar, image.Rect(300, 20, 302, 22), 2)
		if err := errors.Join(p.change(want{picture: bar, fraction: 0.7}), p.change(want{picture: bar, fraction: 0.7, blank: true})); err != nil {
			t.Fatal(err)
		}
		sameNotes(t, "bar", m.take(), []string{"c 2a", "d 01 2c 01 2d", "c 2b", "d 00 14 00 15", "c 2c", "d f8 00 f8 00 f8 00 f8 00", "c 28"})
		if !slices.Equal(lamp, []float64{0, 0.7, 0}) {
			t.Errorf("backlight %v", lamp)
		}
		if text, err := p.controller.status(false); text != "st7789 answers, ID 858552" {
			t.Errorf("%q, %v", text, err)
		}
		m.answer = nil
		if text, err := p.controller.status(true); err == nil {
			t.Error("a bus that reads only zeros: ", text)
		}
		if _, err := NewST7789(TFT{SPI: m.spi()}).status(true); !errors.Is(err, ErrUnreadable) {
			t.Error(err)
		}
	})
}

func TestAnST7789WithoutResetLineOrBacklightIsResetByCommandAndDimmedByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newTFTModel()
		s := m.spi()
		s.Reset = nil
		p := direct(NewST7789(TFT{SPI: s, Scan: 0xA0}))
		picture := colourPicture()
		fill(picture, image.Rect(0, 0, 3, 2), 1)
		if err := p.start(want{picture: picture, fraction: 0.5}); err != nil {
			t.Fatal(err)
		}
		if notes := m.take(); notes[0] != "c 01" || m.bright != 128 || len(m.wrong) > 0 {
			t.Errorf("%q, brightness %d, %q", notes[0], m.bright, m.wrong)
		}
		// Turned round, the upper left corner is at the lower right.
		for _, c := range []struct {
			x, y int
			want uint16
		}{{319, 239, 0xFFFF}, {317, 238, 0xFFFF}, {316, 238, 0}, {317, 237, 0}, {0, 0, 0}} {
			if got := m.colour(c.x, c.y); got != c.want {
				t.Errorf("%d, %d: %04x", c.x, c.y, got)
			}
		}
	})
}

func TestAnSSD1322BuiltInUpsideDownCountsColumnsAndLinesTheOtherWay(t *testing.T) {
	for _, c := range []struct {
		double, turned bool
		remap, want    byte
	}{{false, false, 0, 0x14}, {true, false, 0, 0x16}, {false, true, 0, 0x06}, {true, true, 0, 0x04}, {false, true, 0x31, 0x34}} {
		m := newGreyModel()
		if err := NewSSD1322(Grey{SPI: m.spi(), Double: c.double, Turned: c.turned, Remap: c.remap}).start(); err != nil || m.remap != c.want {
			t.Errorf("%+v: %#02x, %v", c, m.remap, err)
		}
	}
}

func TestAGreyPictureHasItsLevels(t *testing.T) {
	m := newGreyModel()
	p := direct(NewSSD1322(Grey{SPI: m.spi()}))
	picture := colourPicture()
	picture.Rect = image.Rect(0, 0, 320, 240)
	fill(picture, image.Rect(0, 0, 1, 1), 1)
	fill(picture, image.Rect(1, 0, 2, 1), 5)
	if err := p.start(want{picture: picture, fraction: 1}); err != nil {
		t.Fatal(err)
	}
	for x, want := range map[int]byte{63: 0, 64: 15, 65: 7, 66: 0} {
		if got := m.level(x, 0); got != want {
			t.Errorf("column %d: %d, want %d", x, got, want)
		}
	}
}

func TestPicturesOfOtherSizesAndBrokenOnesAreCut(t *testing.T) {
	broken := monoPicture()
	broken.Pix = broken.Pix[:100]
	tiny := image.NewPaletted(image.Rect(50, 50, 53, 52), nil)
	tiny.Pix[0] = 9
	huge := image.NewPaletted(image.Rect(-10, -10, 900, 900), colourPalette)
	for _, s := range subjects() {
		synctest.Test(t, func(t *testing.T) {
			p := direct(s.controller)
			for _, picture := range []*image.Paletted{nil, broken, tiny, huge, {}, {Rect: image.Rect(0, 0, 128, 64), Stride: -5, Pix: []byte{1}}} {
				if err := p.start(want{picture: picture, fraction: 1}); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
