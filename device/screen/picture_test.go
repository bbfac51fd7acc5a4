package screen

import (
	"bytes"
	"image"
	"math"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"freizeichen/device/phone"
	"freizeichen/hal"
	"freizeichen/sip"
)

// luminance is the relative luminance of WCAG 2.1.
func luminance(index uint8) float64 {
	linear := func(v uint32) float64 {
		c := float64(v) / 0xffff
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	r, g, b, _ := colourPalette[index].RGBA()
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}

func contrast(a, b uint8) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// WCAG 2.1 section 1.4.3 asks for 4.5:1. The paper is what lies under a text's rectangle before it is drawn.
func TestEveryTextStandsOutFromItsPaper(t *testing.T) {
	pairs := map[[2]uint8]bool{}
	for language := range languageCount {
		for _, s := range scenes() {
			c := canvas{Paletted: image.NewPaletted(image.Rectangle{Max: hal.Colour320x240.Size()}, colourPalette)}
			c.seen = func(meaning string, area image.Rectangle, ink uint8) {
				for y := area.Min.Y; y < area.Max.Y; y++ {
					for x := area.Min.X; x < area.Max.X; x++ {
						under := c.ColorIndexAt(x, y)
						if under == ink || pairs[[2]uint8{ink, under}] {
							continue // the first stroke of a bold letter, or measured before
						}
						pairs[[2]uint8{ink, under}] = true
						if got := contrast(ink, under); got < 4.5 {
							t.Errorf("%s: %q at %v has a contrast of %.2f", s.name, meaning, area, got)
							return
						}
					}
				}
			}
			colour{c, wording{language.catalogue(), &s.view}}.draw()
		}
	}
	if len(pairs) < 8 {
		t.Errorf("only %d pairs of colours were seen", len(pairs))
	}
}

// Whoever sees no colours reads the state: no two states say the same.
func TestNoStateIsToldByColourAlone(t *testing.T) {
	shapes := map[string]string{}
	for state := phone.CallingOut; state <= phone.Transferring; state++ {
		view := phone.View{Now: now, Screen: inState(state, time.Minute)}
		r := New(hal.Colour320x240, German)
		var read bytes.Buffer
		r.draw(&view, func(meaning string, _ image.Rectangle, _ uint8) { read.WriteString(meaning + "\n") })
		if other, ok := shapes[read.String()]; ok {
			t.Errorf("state %v says the same as %v", state, other)
		}
		shapes[read.String()] = state.String()
	}
}

func TestAShownPictureIsNeverWrittenAgain(t *testing.T) {
	r := New(hal.Mono128x64, German)
	first := r.Draw(sceneNamed(t, "idle"))
	kept := slices.Clone(first.Pix)
	second := r.Draw(sceneNamed(t, "ringing"))
	if &first.Pix[0] == &second.Pix[0] || !bytes.Equal(first.Pix, kept) {
		t.Error("two pictures share their pixels")
	}
}

func TestAMonoPictureHasTwoColours(t *testing.T) {
	picture := New(hal.Mono128x64, German).Draw(sceneNamed(t, "ringing"))
	if len(picture.Palette) != 2 || picture.Palette[0] == picture.Palette[1] {
		t.Errorf("palette is %v", picture.Palette)
	}
	if lit := bytes.Count(picture.Pix, []byte{1}); lit < 500 || lit+bytes.Count(picture.Pix, []byte{0}) != 128*64 {
		t.Errorf("%d pixels are lit", lit)
	}
}

// The last digits tell two callers apart: numbers that differ only there look different, however long.
func TestTheLastDigitsOfALongNumberAreSeen(t *testing.T) {
	for panel, name := range panelNames {
		r := New(panel, German)
		for i, show := range []func(number string) phone.Screen{
			func(n string) phone.Screen { return phone.Dialling{Number: n} },
			func(n string) phone.Screen { return dialled(phone.Talking, sip.Party{Number: n}) },
			func(n string) phone.Screen { return ringing(func(c *phone.Call) { c.Party.Number = n }) },
			func(n string) phone.Screen { return phone.Ended{Party: sip.Party{Number: n}} },
			func(n string) phone.Screen { return phone.Ended{Party: ada, Waiting: []sip.Party{{Number: n}}} },
			func(n string) phone.Screen {
				return phone.List{Entries: []phone.Entry{{At: now, Party: sip.Party{Name: longest.Name, Number: n}}}}
			},
		} {
			const long = "00492841123456789012345678901234567890"
			a := r.Draw(phone.View{Now: now, Screen: show(long + "1")})
			b := r.Draw(phone.View{Now: now, Screen: show(long + "2")})
			if bytes.Equal(a.Pix, b.Pix) {
				t.Errorf("%s: screen %d hides the last digit", name, i)
			}
		}
	}
}

func FuzzDraw(f *testing.F) {
	f.Add("Ada Lovelace", "0281 2070", "Kreis Wesel", "Elterngeld", uint8(2), 0)
	f.Add("Mu\u0308ller 🙂", "+49\xff", hostile, longTopic, uint8(3), 1)
	f.Add("", "anonymous", "", "", uint8(0), -1)
	f.Fuzz(func(t *testing.T, name, number, called, topic string, state uint8, at int) {
		party := sip.Party{Name: name, Number: number}
		call := phone.Call{State: phone.CallState(state), Party: party, Called: sip.Party{Name: called}, Topic: topic, Line: at}
		status := phone.Status{Name: called, Registration: phone.Registration(state % 5), Cause: sip.Cause(state), Missed: at, Route: hal.Route(state)}
		for _, s := range []phone.Screen{
			phone.Idle{}, phone.Dialling{Number: number},
			phone.Calls{Calls: []phone.Call{call}}, phone.Calls{Calls: []phone.Call{call, call, call}, Selected: at},
			phone.Ended{Party: party, Cause: sip.Cause(state), Status: at, Duration: time.Duration(at), Waiting: []sip.Party{party}},
			phone.List{Entries: []phone.Entry{{Party: party, Called: call.Called, Topic: topic}, {}, {}}, Selected: at, Kind: phone.ListKind(state)},
		} {
			view := phone.View{Now: now, Status: status, Screen: s, Soft: [4]phone.Soft{phone.Soft(state)}}
			for panel := range panelNames {
				r := New(panel, Language(state%2))
				bounds := image.Rectangle{Max: panel.Size()}
				r.draw(&view, func(meaning string, area image.Rectangle, _ uint8) {
					if !area.In(bounds) {
						t.Fatalf("%q is drawn at %v on %v", meaning, area, bounds)
					}
				})
				for _, line := range r.Text(view) {
					if !utf8.ValidString(line) {
						t.Fatalf("text line %q", line)
					}
				}
			}
		}
	})
}

func BenchmarkDraw(b *testing.B) {
	for panel, name := range panelNames {
		for _, s := range []string{"idle-missed", "ringing-long", "two-calls", "missed-third"} {
			b.Run(name+"/"+s, func(b *testing.B) {
				r := New(panel, German)
				var view phone.View
				for _, scene := range scenes() {
					if scene.name == s {
						view = scene.view
					}
				}
				b.ReportAllocs()
				for b.Loop() {
					r.Draw(view)
				}
			})
		}
	}
}
