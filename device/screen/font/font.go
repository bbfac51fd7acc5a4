// Package font draws text with the bitmap font Spleen, in proportions measured from its glyphs, and fits
// text into a width. It knows nothing of phones; it does no I/O and keeps no state.
//
//	text -> Clean -> Cut, CutFront, Wrap -> Face.Draw -> *image.Paletted
//
// What can be drawn: ASCII, Latin-1, Latin Extended-A, the euro sign, typographic quotes and dashes,
// arrows. A few more are written with letters that exist (½ as 1/2, ẞ as SS); all else, such as emoji or
// Cyrillic, is drawn as an empty box, so that it is seen that something is missing.
package font

import (
	"image"
	"strings"
	"unicode"
	"unicode/utf8"
)

//go:generate go run ./internal/generate -o glyphs_spleen.go

// A Face is one size of the font, named by its cell: width x height in pixels.
type Face uint8

// The faces. Face32x64 has digits, the colon and other ASCII up to it only.
const (
	Face5x8 Face = iota
	Face6x12
	Face8x16
	Face12x24
	Face16x32
	Face32x64
)

// A face's glyphs stand in the order of the repertoire: glyph i is height rows of (width+7)/8 bytes, the
// leftmost pixel in the highest bit; its ink is widths[i] columns from column lefts[i] on.
type face struct {
	width, height         int
	gap                   int // between two glyphs
	capTop, baseline      int // first and last row of a digit
	glyphs, lefts, widths string
}

// ellipsis stands for what has been cut.
const ellipsis = "…"

// Height is the height of a line in pixels.
func (f Face) Height() int { return faces[f].height }

// Ink returns the first row of a digit or capital and the row after its last one, counted from the top of
// the line: what to centre by.
func (f Face) Ink() (top, bottom int) { return faces[f].capTop, faces[f].baseline + 1 }

// index is the glyph of r, or -1.
func (f *face) index(r rune) int {
	i := -1
	switch {
	case r >= ' ' && r <= '~':
		i = indexASCII + int(r-' ')
	case r >= '¡' && r <= 'ſ':
		i = indexLatin + int(r-'¡')
	case r >= '–' && r <= '↓':
		i = indexRunes
		for _, have := range runes {
			if have == r {
				break
			}
			i++
		}
	}
	if i < 0 || i >= len(f.widths) || f.widths[i] == 0 {
		return -1
	}
	return i
}

// boxWidth is the width of the box that stands for a missing glyph.
func (f *face) boxWidth() int { return f.width - f.gap }

// silent reports whether r is not drawn at all: marks that found no letter to stand on, and the invisible
// runes of emoji and of right-to-left text.
func silent(r rune) bool {
	return r >= 0x300 && r != utf8.RuneError && (unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r))
}

// runeWidth is how far r moves the pen.
func (f *face) runeWidth(r rune) int {
	if i := f.index(r); i >= 0 {
		return int(f.widths[i]) + f.gap
	}
	if silent(r) {
		return 0
	}
	if other := transliterations[r]; other != "" {
		return f.advance(other)
	}
	return f.boxWidth() + f.gap
}

// advance is how far text moves the pen: its width with the gap after its last glyph.
func (f *face) advance(text string) int {
	width := 0
	for _, r := range text {
		width += f.runeWidth(r)
	}
	return width
}

// Width is how many pixels wide text is.
func (f Face) Width(text string) int {
	return max(0, faces[f].advance(text)-faces[f].gap)
}

// Draw draws text in the colour ink of picture's palette, with the upper left corner of its line at (x, y),
// and returns where the next glyph would begin. What lies outside the picture is left out.
func (f Face) Draw(picture *image.Paletted, x, y int, text string, ink uint8) int {
	face := &faces[f]
	for _, r := range text {
		x = face.draw(picture, x, y, r, ink)
	}
	return x
}

func (f *face) draw(picture *image.Paletted, x, y int, r rune, ink uint8) int {
	i := f.index(r)
	if i < 0 {
		return f.drawOther(picture, x, y, r, ink)
	}
	stride := (f.width + 7) / 8
	glyph := f.glyphs[i*f.height*stride : (i+1)*f.height*stride]
	left, width := int(f.lefts[i]), int(f.widths[i])
	area := image.Rect(x, y, x+width, y+f.height).Intersect(picture.Rect)
	for py := area.Min.Y; py < area.Max.Y; py++ {
		row := glyph[(py-y)*stride:]
		out := picture.Pix[picture.PixOffset(area.Min.X, py):]
		for px := area.Min.X; px < area.Max.X; px++ {
			if column := px - x + left; row[column>>3]<<(column&7)&0x80 != 0 {
				out[px-area.Min.X] = ink
			}
		}
	}
	return x + width + f.gap
}

// drawOther draws a rune that has no glyph.
func (f *face) drawOther(picture *image.Paletted, x, y int, r rune, ink uint8) int {
	if silent(r) {
		return x
	}
	if other := transliterations[r]; other != "" {
		for _, r := range other {
			x = f.draw(picture, x, y, r, ink)
		}
		return x
	}
	box := image.Rect(x, y+f.capTop, x+f.boxWidth(), y+f.baseline+1)
	for py := box.Min.Y; py < box.Max.Y; py++ {
		for px := box.Min.X; px < box.Max.X; px++ {
			edge := px == box.Min.X || px == box.Max.X-1 || py == box.Min.Y || py == box.Max.Y-1
			if edge && image.Pt(px, py).In(picture.Rect) {
				picture.Pix[picture.PixOffset(px, py)] = ink
			}
		}
	}
	return box.Max.X + f.gap
}

// Cut shortens text to width pixels: its beginning stays, and an ellipsis says that more follows. It is for names.
func (f Face) Cut(text string, width int) string {
	if f.Width(text) <= width {
		return text
	}
	room := width - f.Width(ellipsis)
	end, used := 0, 0
	for i, r := range text {
		if used += faces[f].runeWidth(r); used > room {
			end = i
			break
		}
	}
	return f.unlessTooNarrow(strings.TrimRight(text[:end], " .,;:-–·")+ellipsis, width)
}

// CutFront shortens text to width pixels: its end stays. It is for telephone numbers, whose last digits tell callers apart.
func (f Face) CutFront(text string, width int) string {
	if f.Width(text) <= width {
		return text
	}
	room := width - f.Width(ellipsis)
	start, used := len(text), 0
	for start > 0 {
		r, size := utf8.DecodeLastRuneInString(text[:start])
		if used += faces[f].runeWidth(r); used > room {
			break
		}
		start -= size
	}
	return f.unlessTooNarrow(ellipsis+strings.TrimLeft(text[start:], " "), width)
}

// unlessTooNarrow returns text, or nothing where not even an ellipsis has room.
func (f Face) unlessTooNarrow(text string, width int) string {
	if f.Width(text) > width {
		return ""
	}
	return text
}

// Wrap breaks text into at most two lines of width pixels, at a space where there is one, and cuts the second.
// A text that fits has an empty second line.
func (f Face) Wrap(text string, width int) (first, second string) {
	if f.Width(text) <= width {
		return text, ""
	}
	used, fits, space := 0, 0, -1
	for i, r := range text {
		if r == ' ' {
			space = i
		}
		if used += faces[f].runeWidth(r); used-faces[f].gap > width {
			fits = i
			break
		}
	}
	if space < 0 {
		return text[:fits], f.Cut(text[fits:], width)
	}
	return text[:space], f.Cut(text[space+1:], width)
}

// Lines breaks text into at most count lines of width pixels, as Wrap does, and cuts the last. It returns no empty line.
func (f Face) Lines(text string, width, count int) []string {
	var lines []string
	for text != "" && len(lines) < count {
		line, rest := f.Wrap(text, width)
		if len(lines) == count-1 {
			line, rest = f.Cut(text, width), ""
		}
		if line == "" {
			break // not one glyph has room
		}
		lines = append(lines, line)
		if rest == "" {
			break
		}
		text = strings.TrimLeft(text[len(line):], " ")
	}
	return lines
}
