package panel

import (
	"errors"
	"fmt"
	"image"

	"freizeichen/hal"
	"freizeichen/hal/panel/plan"
	"freizeichen/hal/panel/raster"
)

// A Video is an open framebuffer device. On Linux, OpenVideo makes one.
type Video interface {
	// Info is what FBIOGET_FSCREENINFO and FBIOGET_VSCREENINFO fill: 80 bytes where the machine's words have 64 bits and 68
	// where they have 32, and 160 bytes.
	Info() (fixed, variable []byte, err error)
	// Map is the first length bytes of the device's memory.
	Map(length int) ([]byte, error)
	// Blank switches the display dark or on (FBIOBLANK). The error is errors.ErrUnsupported where the driver cannot.
	Blank(blank bool) error
	// Close ends the map, too.
	Close() error
}

// A Framebuffer is how the kernel shows a picture on a device such as /dev/fb0.
type Framebuffer struct {
	// Open opens the device. It is called again after each failure.
	Open func() (Video, error)
	// Panel is the size of the picture. It is enlarged by the largest whole factor that fits, and centred.
	Panel hal.Panel
	// Backlight sets the lamp, from 0 to 1; nil when the brightness cannot be set.
	Backlight func(fraction float64) error
}

type framebuffer struct {
	setup  Framebuffer
	shape  form
	video  Video
	mode   raster.Mode
	memory []byte // mapped; nil until the first start
	scale  int
	corner image.Point // of the picture in the visible part
	cells  []byte      // what is shown, or would be
	dark   bool        // by us, because the driver cannot blank
}

// NewFramebuffer is a display that the kernel drives. It opens nothing yet.
func NewFramebuffer(setup Framebuffer) Controller {
	size := setup.Panel.Size()
	f := &framebuffer{setup: setup, shape: form{
		// No bus that we see: a window is worth the drawing of some pixels.
		Grid: plan.Grid{Size: size, Unit: 4, Rows: size.Y, Wire: plan.Wire{Room: size.X * size.Y * 4, Turn: 256}},
		name: "framebuffer", byteBits: 8,
	}}
	f.shape.encode = func(memory []byte, picture *image.Paletted) { encodeRGB(memory, picture, size, setup.Panel) }
	f.cells = make([]byte, f.shape.Length())
	return f
}

func (f *framebuffer) form() *form { return &f.shape }

// start implements Controller: it opens the device again, whose mode may be another one.
func (f *framebuffer) start() error {
	f.Close()
	video, err := f.setup.Open()
	if err != nil {
		return absent{fmt.Errorf("panel: framebuffer: %w", err)}
	}
	f.video = video
	fixed, variable, err := video.Info()
	if err != nil {
		return absent{fmt.Errorf("panel: framebuffer: ask for its mode: %w", err)}
	}
	if f.mode, err = raster.Parse(fixed, variable); err != nil {
		return fmt.Errorf("panel: framebuffer: %w", err)
	}
	f.scale = min(f.mode.Size.X/f.shape.Size.X, f.mode.Size.Y/f.shape.Size.Y)
	if f.scale < 1 {
		return fmt.Errorf("panel: framebuffer: %q has %v pixels, the picture has %v", f.mode.ID, f.mode.Size, f.shape.Size)
	}
	f.corner = f.mode.Size.Sub(f.shape.Size.Mul(f.scale)).Div(2)
	if f.memory, err = video.Map(f.mode.Length); err == nil && len(f.memory) < f.mode.Length {
		err = fmt.Errorf("%d bytes instead of %d", len(f.memory), f.mode.Length)
	}
	if err != nil {
		return fmt.Errorf("panel: framebuffer: map the memory of %q: %w", f.mode.ID, err)
	}
	clear(f.cells)
	f.blacken()
	return nil
}

// blacken fills the visible part.
func (f *framebuffer) blacken() {
	black := f.mode.Pixel(0, 0, 0)
	for y := range f.mode.Size.Y {
		row := f.memory[f.mode.Start+y*f.mode.Stride:]
		for x := range f.mode.Size.X {
			f.mode.Put(row, x, black)
		}
	}
}

// write implements Controller.
func (f *framebuffer) write(window image.Rectangle, data []byte) error {
	width := window.Dx() * 4
	for y := range window.Dy() {
		copy(f.cells[((window.Min.Y+y)*f.shape.Size.X+window.Min.X)*4:], data[y*width:(y+1)*width])
	}
	if !f.dark {
		f.draw(window)
	}
	return nil
}

// draw enlarges a window of the cells into the memory.
func (f *framebuffer) draw(window image.Rectangle) {
	for y := window.Min.Y * f.scale; y < window.Max.Y*f.scale; y++ {
		row := f.memory[f.mode.Start+(f.corner.Y+y)*f.mode.Stride:]
		cells := f.cells[y/f.scale*f.shape.Size.X*4:]
		for x := window.Min.X; x < window.Max.X; x++ {
			v := f.mode.Pixel(cells[4*x], cells[4*x+1], cells[4*x+2])
			for i := range f.scale {
				f.mode.Put(row, f.corner.X+x*f.scale+i, v)
			}
		}
	}
}

// light implements Controller. A driver that cannot blank is blackened.
func (f *framebuffer) light(on bool, fraction float64) error {
	err := f.video.Blank(!on)
	if f.dark = errors.Is(err, errors.ErrUnsupported) && !on; f.dark {
		f.blacken()
	} else if errors.Is(err, errors.ErrUnsupported) {
		f.draw(image.Rectangle{Max: f.shape.Size})
	} else if err != nil {
		return fmt.Errorf("panel: framebuffer: blank %q, %t: %w", f.mode.ID, !on, err)
	}
	if f.setup.Backlight == nil {
		return nil
	}
	if !on {
		fraction = 0
	}
	if err := f.setup.Backlight(fraction); err != nil {
		return fmt.Errorf("panel: framebuffer: backlight: %w", err)
	}
	return nil
}

// status implements Controller.
func (f *framebuffer) status(bool) (string, error) {
	fixed, variable, err := f.video.Info()
	if err != nil {
		return "", fmt.Errorf("panel: framebuffer: ask for its mode: %w", err)
	}
	m, err := raster.Parse(fixed, variable)
	if err != nil {
		return "", fmt.Errorf("panel: framebuffer: %w", err)
	}
	if m != f.mode {
		return "", fmt.Errorf("panel: framebuffer: %q is now %v with %d bits: %w", m.ID, m.Size, m.Bits, errLost)
	}
	return fmt.Sprintf("framebuffer %q answers, %dx%d with %d bits", m.ID, m.Size.X, m.Size.Y, m.Bits), nil
}

// Close closes the device.
func (f *framebuffer) Close() error {
	if f.video == nil {
		return nil
	}
	err := f.video.Close()
	f.video, f.memory, f.dark = nil, nil, false
	return err
}

// encodeRGB puts a picture into red, green, blue and a byte that is 0. A mono picture is black and white, whatever its palette
// says.
func encodeRGB(memory []byte, picture *image.Paletted, size image.Point, panel hal.Panel) {
	var colours [256][3]byte
	for i := range colours {
		switch {
		case panel != hal.Mono128x64:
			colours[i][0], colours[i][1], colours[i][2] = paint(picture, i)
		case i > 0:
			colours[i] = [3]byte{255, 255, 255}
		}
	}
	clear(memory)
	if picture == nil {
		return
	}
	seen := picture.Rect.Sub(picture.Rect.Min).Intersect(image.Rectangle{Max: size})
	for y := range seen.Dy() {
		for x := range seen.Dx() {
			copy(memory[(y*size.X+x)*4:], colours[index(picture, x, y)][:])
		}
	}
}
