package main

import (
	"fmt"
	"strconv"
	"strings"

	"freizeichen/device/screen/font/internal/latin"
)

// A block of the repertoire.
type block struct {
	name        string
	first, last rune
}

// The repertoire is what can be drawn: ASCII, Latin-1 and Latin Extended-A as ranges, then single runes.
var repertoire = [...]block{
	{"indexASCII", ' ', '~'},
	{"indexLatin", 0xa1, 0x17f},
	{"indexRunes", '–', '–'},
}

const singles = "–—‘’‚“”„•…‹›€←↑→↓"

func allRunes() []rune {
	var all []rune
	for _, b := range repertoire[:2] {
		for r := b.first; r <= b.last; r++ {
			all = append(all, r)
		}
	}
	return append(all, []rune(singles)...)
}

func indexOf(r rune) int {
	for i, have := range allRunes() {
		if have == r {
			return i
		}
	}
	return -1
}

// addArt reads glyphs drawn by hand: a line "U+00DF", then rows of '#' and '.', ended by an empty line.
// Rows that are left out at the bottom are empty. A glyph of the font is replaced.
func (f font) addArt(text string) error {
	for _, paragraph := range strings.Split(text, "\n\n") {
		name, art, _ := strings.Cut(strings.TrimSpace(paragraph), "\n")
		hex, ok := strings.CutPrefix(name, "U+")
		if !ok {
			continue // the note at the top
		}
		code, err := strconv.ParseUint(hex, 16, 32)
		if err != nil {
			return fmt.Errorf("art %q: %w", name, err)
		}
		glyph := bitmap(strings.Split(art, "\n"))
		for _, row := range glyph {
			if len(row) != f.width || strings.Trim(row, "#.") != "" {
				return fmt.Errorf("art %q: row %q is not %d of '#' and '.'", name, row, f.width)
			}
		}
		if len(glyph) > f.height {
			return fmt.Errorf("art %q has %d rows", name, len(glyph))
		}
		for len(glyph) < f.height {
			glyph = append(glyph, f.empty())
		}
		f.glyphs[rune(code)] = glyph
	}
	return nil
}

func (f font) empty() string { return strings.Repeat(".", f.width) }

// complete makes the glyphs that can be made of others.
func (f font) complete() {
	for r := rune(0xc0); r < 0x180; r++ {
		if _, ok := f.glyphs[r]; ok {
			continue
		}
		base, mark, ok := latin.Decompose(r)
		if !ok || f.glyphs[mark] == nil || f.glyphs[base] == nil {
			continue // font.transliterate has a word for it
		}
		f.glyphs[r] = f.accent(base, mark)
	}
	for i, r := range "←↑→↓" {
		if f.glyphs[r] == nil {
			f.glyphs[r] = f.arrow(i / len("←"))
		}
	}
	if dash := f.glyphs['–']; f.glyphs['—'] == nil && dash != nil {
		wide := append(bitmap(nil), dash...)
		for y, row := range wide {
			if strings.Contains(row, "#") {
				wide[y] = strings.Repeat("#", f.width)
			}
		}
		f.glyphs['—'] = wide
	}
	f.glyphs['0'] = f.plainZero()
	_, baseline := f.glyphs['0'].rows()
	for low, high := range map[rune]rune{'‚': '’', '„': '”'} {
		if f.glyphs[low] == nil && f.glyphs[high] != nil {
			top, bottom := f.glyphs[high].rows()
			f.glyphs[low] = f.moved(f.glyphs[high], baseline-(top+bottom)/2-1)
		}
	}
}

// plainZero is the zero without its slash, which marks a terminal. Only the outline is the same in the
// mirror; what is left of the slash in the middle does not touch it.
func (f font) plainZero() bitmap {
	left, width := f.glyphs['0'].columns()
	zero := make([][]byte, f.height)
	for y, row := range f.glyphs['0'] {
		zero[y] = []byte(f.empty())
		for x := range width {
			if row[left+x] == '#' && row[left+width-1-x] == '#' {
				zero[y][left+x] = '*'
			}
		}
	}
	top, _ := f.glyphs['0'].rows()
	var keep func(x, y int)
	keep = func(x, y int) {
		if y < 0 || y >= f.height || x < 0 || x >= f.width || zero[y][x] != '*' {
			return
		}
		zero[y][x] = '#'
		for d := range 9 {
			keep(x+d%3-1, y+d/3-1)
		}
	}
	for x := range f.width {
		keep(x, top)
	}
	glyph := make(bitmap, f.height)
	for y := range glyph {
		glyph[y] = strings.ReplaceAll(string(zero[y]), "*", ".")
	}
	return glyph
}

// accent puts a mark on a letter. A letter that is in the way loses rows that repeat: capitals become
// lower, the dots of i and j go.
func (f font) accent(base, mark rune) bitmap {
	letter, accent := append(bitmap(nil), f.glyphs[base]...), f.glyphs[mark]
	xTop, _ := f.glyphs['x'].rows()
	top, bottom := accent.rows()
	switch {
	case top >= xTop: // below the letter: nothing is in the way
	case base == 'i' || base == 'j':
		for y := range xTop {
			letter[y] = f.empty()
		}
	case strings.ContainsRune("dtlLhk", base) && mark == '\u030c':
		// A caron on a tall letter is written as an apostrophe beside it.
		accent = make(bitmap, f.height)
		for y := range accent {
			accent[y] = f.empty()
			if y >= xTop-2 && y < xTop {
				accent[y] = accent[y][1:] + "#"
			}
		}
	case base >= 'A' && base <= 'Z':
		for first, _ := letter.rows(); first <= min(bottom+1, xTop-1); first++ {
			letter = f.squeezed(letter)
		}
	}
	for y, row := range letter {
		merged := []byte(row)
		for x := range merged {
			if accent[y][x] == '#' {
				merged[x] = '#'
			}
		}
		letter[y] = string(merged)
	}
	return letter
}

// squeezed takes one row out of a glyph and lets what is above sink: a row like its neighbour, as near
// to the middle as possible.
func (f font) squeezed(glyph bitmap) bitmap {
	top, bottom := glyph.rows()
	best, middle := -1, (top+bottom)/2
	for y := top; y < bottom; y++ {
		if glyph[y] == glyph[y+1] && (best < 0 || abs(y-middle) < abs(best-middle)) {
			best = y
		}
	}
	if best < 0 {
		best = middle
	}
	out := append(bitmap{f.empty()}, glyph[:best]...)
	return append(out, glyph[best+1:]...)
}

func (f font) moved(glyph bitmap, down int) bitmap {
	out := make(bitmap, f.height)
	for y := range out {
		out[y] = f.empty()
		if y-down >= 0 && y-down < f.height {
			out[y] = glyph[y-down]
		}
	}
	return out
}

// arrow draws an arrow: 0 left, 1 up, 2 right, 3 down.
func (f font) arrow(way int) bitmap {
	_, baseline := f.glyphs['0'].rows()
	xTop, _ := f.glyphs['x'].rows()
	size := f.width - 1 - f.width/12
	size -= 1 - size%2 // odd, so that the shaft has a middle
	stroke, middle, row := max(1, f.width/8), size/2, (xTop+baseline)/2
	out := make([][]byte, f.height)
	for y := range out {
		out[y] = []byte(f.empty())
	}
	for along := range size {
		for across := range size {
			off, fromTip := abs(across-middle), along
			if way >= 2 {
				fromTip = size - 1 - along
			}
			ink := off <= (stroke-1)/2 || off <= fromTip && off > fromTip-stroke && fromTip <= middle
			x, y := along, row-middle+across
			if way%2 == 1 {
				x, y = across, row-middle+along
			}
			if ink && y >= 0 && y < f.height {
				out[y][x] = '#'
			}
		}
	}
	glyph := make(bitmap, f.height)
	for y := range glyph {
		glyph[y] = string(out[y])
	}
	return glyph
}

// rows returns the first and the last row with ink.
func (b bitmap) rows() (top, bottom int) {
	top = -1
	for y, row := range b {
		if strings.Contains(row, "#") {
			if top < 0 {
				top = y
			}
			bottom = y
		}
	}
	return max(top, 0), bottom
}

// columns returns the first column with ink and the number of columns up to the last one.
func (b bitmap) columns() (left, width int) {
	left, right := -1, -1
	for _, row := range b {
		if i := strings.IndexByte(row, '#'); i >= 0 && (left < 0 || i < left) {
			left = i
		}
		right = max(right, strings.LastIndexByte(row, '#'))
	}
	return max(left, 0), right - max(left, 0) + 1
}

// measure returns where the glyph of r begins and how wide it is. All digits are equally wide, so that a
// running clock does not dance.
func (f font) measure(r rune) (left, width byte) {
	if r == ' ' {
		return 0, byte(max(2, f.width*3/8))
	}
	l, w := f.glyphs[r].columns()
	if r >= '0' && r <= '9' {
		first, last := f.width, 0
		for d := '0'; d <= '9'; d++ {
			dl, dw := f.glyphs[d].columns()
			first, last = min(first, dl), max(last, dl+dw)
		}
		l, w = first, last-first
	}
	return byte(l), byte(w)
}

// gap is the room between two letters: what a full-width digit leaves free of its cell.
func (f font) gap() int {
	_, width := f.glyphs['8'].columns()
	return f.width - width
}

// bytes packs the glyph of r, the leftmost column in the highest bit.
func (f font) bytes(r rune) []byte {
	glyph, stride := f.glyphs[r], (f.width+7)/8
	out := make([]byte, f.height*stride)
	for y, row := range glyph {
		for x := range f.width {
			if row[x] == '#' {
				out[y*stride+x/8] |= 0x80 >> (x % 8)
			}
		}
	}
	return out
}

func abs(n int) int { return max(n, -n) }
