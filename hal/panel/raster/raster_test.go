package raster

import (
	"encoding/binary"
	"image"
	"testing"
)

// structures are fb_fix_screeninfo of 64-bit words and fb_var_screeninfo.
func structures(size image.Point, bits, visual, stride, length int, fields ...int) (fixed, variable []byte) {
	fixed, variable = make([]byte, 80), make([]byte, 160)
	copy(fixed, "a name of 16 byt")
	for at, n := range map[int]int{24: length, 36: visual, 48: stride} {
		binary.LittleEndian.PutUint32(fixed[at:], uint32(n))
	}
	for at, n := range map[int]int{0: size.X, 4: size.Y, 24: bits} {
		binary.LittleEndian.PutUint32(variable[at:], uint32(n))
	}
	for i, n := range fields {
		binary.LittleEndian.PutUint32(variable[32+12*(i/2)+4*(i%2):], uint32(n))
	}
	return fixed, variable
}

func TestAColourStandsWhereTheKernelSays(t *testing.T) {
	for _, c := range []struct {
		name    string
		bits    int
		visual  int
		fields  []int
		r, g, b uint8
		want    uint32
	}{
		{"565", 16, 2, []int{11, 5, 5, 6, 0, 5}, 0xFF, 0x84, 0x08, 0xFC21},
		{"565 blue first", 16, 2, []int{0, 5, 5, 6, 11, 5}, 0xFF, 0x84, 0x08, 0x0C3F},
		{"888", 24, 2, []int{16, 8, 8, 8, 0, 8}, 1, 2, 3, 0x010203},
		{"8888 red first", 32, 2, []int{0, 8, 8, 8, 16, 8}, 1, 2, 3, 0x030201},
		{"white is 1", 1, 1, nil, 128, 128, 128, 1},
		{"grey is not", 1, 1, nil, 127, 127, 127, 0},
		{"white is 0", 1, 0, nil, 255, 255, 255, 0},
		{"black is 1", 1, 0, nil, 0, 0, 0, 1},
	} {
		m, err := Parse(structures(image.Pt(8, 2), c.bits, c.visual, 32, 64, c.fields...))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := m.Pixel(c.r, c.g, c.b); got != c.want || m.ID != "a name of 16 byt" {
			t.Errorf("%s: %#x, want %#x; %q", c.name, got, c.want, m.ID)
		}
	}
}

func TestAPixelIsPutBesideItsNeighbours(t *testing.T) {
	for bits, want := range map[int]string{
		1:  "\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		16: "\x00\x00\x67\x45\x00\x00\x00\x00\x00\x00\x00\x00",
		24: "\x00\x00\x00\x67\x45\x23\x00\x00\x00\x00\x00\x00",
		32: "\x00\x00\x00\x00\x67\x45\x23\x01\x00\x00\x00\x00",
	} {
		row := make([]byte, 12)
		Mode{Bits: bits}.Put(row, 1, 0x01234567)
		if string(row) != want {
			t.Errorf("%d bits: % x", bits, row)
		}
	}
}

func FuzzNoModeReachesBeyondItsMemory(f *testing.F) {
	fixed, variable := structures(image.Pt(320, 240), 16, 2, 640, 153600, 11, 5, 5, 6, 0, 5)
	f.Add(fixed, variable)
	fixed, variable = structures(image.Pt(128, 64), 1, 1, 16, 1024)
	f.Add(fixed, variable)
	f.Fuzz(func(t *testing.T, fixed, variable []byte) {
		m, err := Parse(fixed, variable)
		if err != nil {
			return
		}
		last := m.Start + (m.Size.Y-1)*m.Stride + (m.Size.X*m.Bits+7)/8
		if m.Start < 0 || last > m.Length || m.Size.X < 1 || m.Size.Y < 1 {
			t.Errorf("%+v", m)
		}
		m.Pixel(1, 2, 3)
	})
}
