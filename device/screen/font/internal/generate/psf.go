package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
)

// A bitmap is one glyph: a row is a string of '#' and '.', as in the art files.
type bitmap []string

// A font is a console font in memory.
type font struct {
	width, height int
	glyphs        map[rune]bitmap
}

var errShort = errors.New("file is cut short")

// parsePSF reads a PC screen font with a Unicode table, version 1 or 2 (linux: Documentation of
// kbd, psf.h). A glyph without ink is taken as missing, except the space: Spleen fills unused places so.
func parsePSF(data []byte) (font, error) {
	switch {
	case len(data) > 32 && binary.LittleEndian.Uint32(data) == 0x864ab572:
		return parsePSF2(data)
	case len(data) > 4 && data[0] == 0x36 && data[1] == 0x04:
		return parsePSF1(data)
	}
	return font{}, errors.New("not a PC screen font")
}

func parsePSF1(data []byte) (font, error) {
	const modeLong, endOfGlyph, startOfSequence = 1, 0xffff, 0xfffe
	count, size := 256<<(data[2]&modeLong), int(data[3])
	f := font{width: 8, height: size, glyphs: make(map[rune]bitmap)}
	if len(data) < 4+count*size {
		return f, errShort
	}
	table := data[4+count*size:]
	glyph, sequence := 0, false
	for ; len(table) >= 2 && glyph < count; table = table[2:] {
		switch r := binary.LittleEndian.Uint16(table); {
		case r == endOfGlyph:
			glyph, sequence = glyph+1, false
		case r == startOfSequence:
			sequence = true
		case !sequence:
			f.add(rune(r), data[4+glyph*size:])
		}
	}
	return f, nil
}

func parsePSF2(data []byte) (font, error) {
	const endOfGlyph, startOfSequence = 0xff, 0xfe
	word := func(i int) int { return int(binary.LittleEndian.Uint32(data[4*i:])) }
	header, count, size := word(2), word(4), word(5)
	f := font{width: word(7), height: word(6), glyphs: make(map[rune]bitmap)}
	if size != f.height*((f.width+7)/8) {
		return f, fmt.Errorf("a glyph of %dx%d has %d bytes", f.width, f.height, size)
	}
	if len(data) < header+count*size {
		return f, errShort
	}
	table := data[header+count*size:]
	glyph, sequence := 0, false
	for len(table) > 0 && glyph < count {
		switch table[0] {
		case endOfGlyph:
			glyph, sequence, table = glyph+1, false, table[1:]
		case startOfSequence:
			sequence, table = true, table[1:]
		default:
			r, n := utf8.DecodeRune(table)
			if table = table[n:]; !sequence {
				f.add(r, data[header+glyph*size:])
			}
		}
	}
	return f, nil
}

// add unpacks the glyph that data begins with.
func (f font) add(r rune, data []byte) {
	stride := (f.width + 7) / 8
	glyph, ink := make(bitmap, f.height), false
	for y := range glyph {
		row := make([]byte, f.width)
		for x := range row {
			row[x] = '.'
			if data[y*stride+x/8]<<(x%8)&0x80 != 0 {
				row[x], ink = '#', true
			}
		}
		glyph[y] = string(row)
	}
	if ink || r == ' ' {
		f.glyphs[r] = glyph
	}
}
