// Package raster knows how the kernel's framebuffers lie in memory: it reads what the kernel says of one, and sets pixels. It
// opens nothing. Structures are those of include/uapi/linux/fb.h.
//
//	fb_fix_screeninfo, fb_var_screeninfo --Parse--> Mode --Pixel, Put--> row of memory
package raster

import (
	"encoding/binary"
	"fmt"
	"image"
	"strings"
)

// videoMax is the most pixels in a row or column, and videoBytes the most memory, that are believed: 8K with 32 bits.
const (
	videoMax   = 8192
	videoBytes = videoMax * videoMax * 4
)

// A Mode is how a framebuffer's memory is laid out: packed pixels of 1, 16, 24 or 32 bits.
type Mode struct {
	ID      string
	Size    image.Point // visible
	Bits    int         // of a pixel: 1, 16, 24 or 32
	Stride  int         // bytes from row to row
	Start   int         // byte of the upper left visible pixel
	Length  int         // of the memory
	fields  [3]field    // red, green, blue
	inverse bool        // of 1 bit: 0 is white
}

// field is where a colour stands in a pixel.
type field struct{ offset, length int }

// layout is where a structure's numbers stand. They follow from include/uapi/linux/fb.h: smem_start and mmio_start of
// fb_fix_screeninfo are words of the machine.
type layout struct{ length, kind, visual, stride int }

var (
	layout64 = layout{24, 28, 36, 48} // 80 bytes
	layout32 = layout{20, 24, 32, 44} // 68 bytes
)

// Parse reads what FBIOGET_FSCREENINFO and FBIOGET_VSCREENINFO have filled, and refuses what cannot be drawn into: 80 bytes where the
// machine's words have 64 bits and 68 where they have 32, and 160 bytes.
func Parse(fixed, variable []byte) (Mode, error) {
	at := layout64
	switch len(fixed) {
	case 80:
	case 68:
		at = layout32
	default:
		return Mode{}, fmt.Errorf("fixed information of %d bytes, want 68 or 80", len(fixed))
	}
	if len(variable) != 160 {
		return Mode{}, fmt.Errorf("variable information of %d bytes, want 160", len(variable))
	}
	number := func(from []byte, at int) int { return int(min(binary.LittleEndian.Uint32(from[at:]), 1<<30)) }
	id, _, _ := strings.Cut(string(fixed[:16]), "\x00")
	m := Mode{
		ID: strings.ToValidUTF8(id, "?"), Size: image.Pt(number(variable, 0), number(variable, 4)),
		Bits: number(variable, 24), Stride: number(fixed, at.stride), Length: number(fixed, at.length),
		inverse: number(fixed, at.visual) == 0, // FB_VISUAL_MONO01
	}
	for i := range m.fields {
		m.fields[i] = field{number(variable, 32+12*i), number(variable, 36+12*i)}
	}
	// The visible part begins at xoffset, yoffset of a larger memory.
	left, top := number(variable, 16), number(variable, 20)
	m.Start = top*m.Stride + left*m.Bits/8
	if kind := number(fixed, at.kind); kind != 0 { // FB_TYPE_PACKED_PIXELS
		return Mode{}, fmt.Errorf("%q has pixels of type %d, only packed ones are known", m.ID, kind)
	}
	return m, m.check(left, top)
}

func (m Mode) check(left, top int) error {
	switch m.Bits {
	case 1:
		if left%8 != 0 {
			return fmt.Errorf("%q begins inside a byte, at column %d", m.ID, left)
		}
	case 16, 24, 32:
		for _, f := range m.fields {
			if f.length < 1 || f.length > 8 || f.offset+f.length > m.Bits {
				return fmt.Errorf("%q has a colour of %d bits at bit %d of %d", m.ID, f.length, f.offset, m.Bits)
			}
		}
	default:
		return fmt.Errorf("%q has %d bits a pixel, only 1, 16, 24 and 32 are known: set one of them with fbset or on the kernel's command line", m.ID, m.Bits)
	}
	if m.Size.X < 1 || m.Size.Y < 1 || m.Size.X > videoMax || m.Size.Y > videoMax || left > videoMax || top > videoMax {
		return fmt.Errorf("%q has %v pixels, from %d, %d", m.ID, m.Size, left, top)
	}
	if m.Stride < (left*m.Bits+m.Size.X*m.Bits+7)/8 || m.Stride > videoMax*4 || m.Length > videoBytes ||
		m.Length < (top+m.Size.Y)*m.Stride {
		return fmt.Errorf("%q has %d bytes in rows of %d, too few for %v pixels of %d bits from %d, %d", m.ID, m.Length, m.Stride, m.Size, m.Bits, left, top)
	}
	return nil
}

// Pixel is a colour as it stands in memory, upper bits first in the number.
func (m Mode) Pixel(r, g, b uint8) uint32 {
	if m.Bits == 1 {
		// Luminance as of image/color: half and more is white.
		if white := (299*int(r)+587*int(g)+114*int(b))/1000 >= 128; white != m.inverse {
			return 1
		}
		return 0
	}
	var v uint32
	for i, c := range [3]uint8{r, g, b} {
		v |= uint32(c>>(8-m.fields[i].length)) << m.fields[i].offset
	}
	return v
}

// Put sets one visible pixel in a row of memory. With 1 bit the left pixel is the lowest bit, as the kernel's ssd1307fb and
// little-endian drawing have it.
func (m Mode) Put(row []byte, x int, v uint32) {
	switch m.Bits {
	case 1:
		row[x/8] = row[x/8]&^(1<<(x%8)) | byte(v&1)<<(x%8)
	case 16:
		binary.LittleEndian.PutUint16(row[2*x:], uint16(v))
	case 24:
		row[3*x], row[3*x+1], row[3*x+2] = byte(v), byte(v>>8), byte(v>>16)
	default:
		binary.LittleEndian.PutUint32(row[4*x:], v)
	}
}
