package font

import (
	"image"
	"image/color"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var textFaces = []Face{Face5x8, Face6x12, Face8x16, Face12x24, Face16x32}

func sheet(width, height int) *image.Paletted {
	return image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.Black, color.White})
}

// drawn is the text's picture as rows of '#' and '.'.
func drawn(f Face, text string) string {
	picture := sheet(f.Width(text), f.Height())
	f.Draw(picture, 0, 0, text, 1)
	var b strings.Builder
	for y := range picture.Rect.Dy() {
		for x := range picture.Rect.Dx() {
			b.WriteByte(".#"[picture.ColorIndexAt(x, y)])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestWhatCannotBeDrawnIsAVisibleBox(t *testing.T) {
	const box = "" +
		"....\n####\n#..#\n#..#\n#..#\n#..#\n####\n....\n"
	for _, text := range []string{"🙂", "Д", "\ufffd", "漢"} {
		if got := drawn(Face5x8, text); got != box {
			t.Errorf("%q is drawn as\n%s", text, got)
		}
	}
	if got, want := drawn(Face32x64, "ä"), drawn(Face32x64, "🙂"); got != want {
		t.Error("the clock's face draws a letter it does not have")
	}
}

func TestUmlautsAreDrawnWithTheirDots(t *testing.T) {
	want := "" +
		"#..#\n" +
		"....\n" +
		"#..#\n" +
		"#..#\n" +
		"#..#\n" +
		"#..#\n" +
		".###\n" +
		"....\n"
	if got := drawn(Face5x8, "Ü"); got != want {
		t.Errorf("Ü is drawn as\n%s", got)
	}
	for _, f := range textFaces {
		if drawn(f, "ä") == drawn(f, "a") || drawn(f, "Ö") == drawn(f, "O") {
			t.Errorf("face %d draws umlauts without dots", f)
		}
	}
}

func TestEveryLetterOfWesternAndCentralEuropeHasAShape(t *testing.T) {
	for _, f := range textFaces {
		box := drawn(f, "\ufffd")
		var all []rune
		for r := rune(0x20); r < 0x180; r++ {
			if r < 0x7f || r > 0xa0 && r != 0xad && r != '¤' && r != '¶' {
				all = append(all, r)
			}
		}
		all = append(all, []rune(runes+"ẞșȚ")...)
		for _, r := range all {
			if drawn(f, string(r)) == box {
				t.Errorf("face %d has nothing for %q", f, r)
			}
			if r > ' ' && !strings.Contains(drawn(f, string(r)), "#") {
				t.Errorf("face %d draws %q without ink", f, r)
			}
		}
	}
}

func TestDigitsAreEquallyWide(t *testing.T) {
	for f := Face5x8; f <= Face32x64; f++ {
		for d := '0'; d <= '9'; d++ {
			if f.Width(string(d)) != f.Width("8") {
				t.Errorf("face %d: %c is %d wide, 8 is %d", f, d, f.Width(string(d)), f.Width("8"))
			}
		}
	}
}

func TestDrawingOutsideThePictureIsLeftOut(t *testing.T) {
	for _, p := range []image.Point{{-3, -3}, {7, 5}, {-100, 2}, {100, 100}} {
		picture := sheet(9, 7)
		Face6x12.Draw(picture, p.X, p.Y, "Ä🙂g", 1) // must not panic
	}
}

func TestACutNameKeepsItsBeginningAndACutNumberItsEnd(t *testing.T) {
	const width = 60
	for _, f := range textFaces {
		name, number := f.Cut("Bürgermeisterin Müller-Lüdenscheidt", width), f.CutFront("0281 207 1234567890", width)
		if f == Face16x32 {
			continue // too narrow to ask what is left
		}
		if !strings.HasPrefix(name, "Bü") || !strings.HasSuffix(name, "…") || f.Width(name) > width {
			t.Errorf("face %d: name is cut to %q, %d wide", f, name, f.Width(name))
		}
		if !strings.HasSuffix(number, "90") || !strings.HasPrefix(number, "…") || f.Width(number) > width {
			t.Errorf("face %d: number is cut to %q, %d wide", f, number, f.Width(number))
		}
	}
	if got := Face5x8.Cut("Ada", 3); got != "" {
		t.Errorf("where nothing fits stands %q", got)
	}
	if got := Face5x8.Cut("Ada", Face5x8.Width("Ada")); got != "Ada" {
		t.Errorf("a name that fits is cut to %q", got)
	}
}

func TestALongTextBreaksAtASpace(t *testing.T) {
	for _, c := range []struct {
		text          string
		width         int
		first, second string
	}{
		{"", 50, "", ""},
		{"Elterngeld", 200, "Elterngeld", ""},
		{"Elterngeld beantragen", 60, "Elterngeld", "beantragen"},
		{"Kraftfahrzeugzulassungsstelle", 60, "Kraftfahrz", "eugzulass…"},
		{"Elterngeld und vieles mehr, was sonst ist", 60, "Elterngeld", "und vieles…"},
	} {
		first, second := Face6x12.Wrap(c.text, c.width)
		if first != c.first || second != c.second {
			t.Errorf("%q in %d pixels is %q, %q; want %q, %q", c.text, c.width, first, second, c.first, c.second)
		}
	}
}

func TestALongTextHasAsManyLinesAsThereIsRoomFor(t *testing.T) {
	for _, c := range []struct {
		text         string
		width, count int
		want         []string
	}{
		{"", 60, 3, nil},
		{"Amt", 60, 0, nil},
		{"Amt", 0, 3, nil},
		{"Elterngeld", 60, 3, []string{"Elterngeld"}},
		{"Elterngeld und vieles mehr", 60, 3, []string{"Elterngeld", "und vieles", "mehr"}},
		{"Elterngeld und vieles mehr", 60, 2, []string{"Elterngeld", "und vieles…"}},
		{"Elterngeld und vieles mehr", 60, 1, []string{"Elterngeld…"}},
		{"Kraftfahrzeugzulassungsstelle", 60, 9, []string{"Kraftfahrz", "eugzulassu", "ngsstelle"}},
		{"0000 0000 0000", 28, 2, []string{"0000", "000…"}},
		{"tel 0281\u00a0207", 60, 2, []string{"tel", "0281\u00a0207"}}, // a number holds together
	} {
		if got := Face6x12.Lines(c.text, c.width, c.count); !slices.Equal(got, c.want) {
			t.Errorf("%q in %d lines of %d pixels is %q, want %q", c.text, c.count, c.width, got, c.want)
		}
	}
}

// A line that is cut may be longer in bytes than what is left of the text.
func TestLinesNeverReadBeyondTheText(t *testing.T) {
	const text = "Amt 00000000 00000000000 0 0 11 i i"
	for face := Face5x8; face <= Face16x32; face++ {
		for width := range face.Width(text) + 2 {
			for count := range 5 {
				lines := face.Lines(text, width, count)
				if got := len(lines); got > count {
					t.Errorf("face %d: %d lines in %d of %d pixels", face, got, count, width)
				}
			}
		}
	}
}

func TestOnlyTheBeginningOfAnEndlessTextIsLookedAt(t *testing.T) {
	if got := CleanHead(strings.Repeat("ü", 1000)); got != strings.Repeat("ü", headMax/2) {
		t.Errorf("%d bytes are left: %.20q", len(got), got)
	}
	if got := CleanHead("x" + strings.Repeat("ü", 1000)); !utf8.ValidString(got) || len(got) > headMax {
		t.Errorf("a letter is cut in two: %q", got)
	}
}

func TestTextFromTheNetworkIsCleaned(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"a\r\nb", "a b"},
		{" \t Ada  Lovelace ", "Ada Lovelace"},
		{"0281\u202e2070", "02812070"},   // right-to-left override
		{"Mu\u0308ller", "Müller"},       // as some systems send names
		{"\u0308a", "\u0308a"},           // a mark without a letter
		{"E\u0301\u0301", "É\u0301"},     // only one fits
		{"Stra\u00adße", "Straße"},       // soft hyphen
		{"a\xffb\xc3", "a\ufffdb\ufffd"}, // not UTF-8
		{"Amt\u00a0für", "Amt für"},      // no-break space
		{"👩\u200d🔧", "👩\u200d🔧"},         // joined emoji
		{"Größe", "Größe"},
		{"", ""},
		{"\x00", ""},
	} {
		if got := Clean(c.in); got != c.want {
			t.Errorf("Clean(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, seed := range []string{"", "Mu\u0308ller", "a\xffb", "🙂🙂", "\u202e0281", "x\u0301\u0308", strings.Repeat("ß ", 200)} {
		f.Add(seed, 60, 3, -2)
	}
	f.Fuzz(func(t *testing.T, raw string, width, x, y int) {
		width, x, y = width%400, x%500, y%500
		text := Clean(raw)
		if !utf8.ValidString(text) || strings.ContainsAny(text, "\r\n\x00\u202e") || Clean(text) != text {
			t.Fatalf("Clean(%q) = %q", raw, text)
		}
		picture := sheet(40, 30)
		for f := Face5x8; f <= Face32x64; f++ {
			f.Draw(picture, x, y, raw, 1)
			first, second := f.Wrap(text, width)
			for _, line := range f.Lines(text, width, 4) {
				if line == "" || width > 40 && f.Width(line) > width {
					t.Fatalf("face %d: line %q is %d wide, not %d", f, line, f.Width(line), width)
				}
			}
			for _, part := range []string{f.Cut(text, width), f.CutFront(text, width), second} {
				if part != "" && f.Width(part) > width {
					t.Fatalf("face %d: %q is %d wide, not %d", f, part, f.Width(part), width)
				}
			}
			if width > 40 && f.Width(first) > width {
				t.Fatalf("face %d: first line %q is %d wide, not %d", f, first, f.Width(first), width)
			}
		}
	})
}
