package page

import (
	"errors"
	"image"
	"image/color"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"freizeichen/hal"
)

func TestASlowPageNeitherHoldsThePhoneNorMissesTheNewest(t *testing.T) {
	d, b := slowDesk(t)
	d.page.timing.write = patience
	newest := d.flood()
	fast := d.open() // as a page that came now
	fast.until("the newest picture", func() bool { return same(newest, paletted(fast.screen)) })
	pictures := 0
	b.until("the newest picture", func() bool {
		if b.screen != nil {
			pictures++
		}
		return same(newest, paletted(b.screen))
	})
	if pictures > floodSize/2 {
		t.Errorf("a slow page was sent %d of %d pictures, want the newest after a few", pictures, floodSize)
	}
}

func TestAPageThatTakesNothingIsGivenUp(t *testing.T) {
	d, b := slowDesk(t)
	d.page.timing.write = 100 * time.Millisecond
	b.send(`{"key":"1","down":true}`)
	d.wantMoved(hal.KeyChange{Key: hal.Key1, Down: true})
	d.flood()
	d.wantMoved(hal.KeyChange{Key: hal.Key1})
	for end := time.Now().Add(patience); !strings.Contains(d.log.String(), "does not take what it is sent"); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the log says %q", d.log)
		}
	}
}

// floodSize is how many pictures are shown in a row: together more than any buffer of the two sockets holds.
const floodSize = 200

// slowDesk is a desk whose connections have small buffers, and a page that does not read.
func slowDesk(t *testing.T) (*desk, *browser) {
	d := newDesk(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.server = httptest.NewUnstartedServer(d.page)
	d.server.Listener.Close()
	d.server.Listener = narrowListener{l}
	d.server.Start()
	t.Cleanup(d.server.Close)
	t.Cleanup(d.page.Close)
	return d, d.open()
}

type narrowListener struct{ net.Listener }

func (l narrowListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok {
		err = errors.Join(err, tcp.SetWriteBuffer(4096))
	}
	return conn, err
}

// flood shows pictures that do not compress, and returns the last.
func (d *desk) flood() *image.Paletted {
	var picture *image.Paletted
	palette := make(color.Palette, 256)
	for i := range palette {
		palette[i] = color.RGBA{uint8(i), uint8(i), uint8(i), 255}
	}
	noise := uint32(1)
	for range floodSize {
		picture = image.NewPaletted(image.Rectangle{Max: hal.Colour320x240.Size()}, palette)
		for i := range picture.Pix {
			noise = noise*1664525 + 1013904223
			picture.Pix[i] = uint8(noise >> 24)
		}
		began := time.Now()
		d.body.Show(hal.Display{Picture: picture})
		if took := time.Since(began); took > time.Second {
			d.t.Errorf("showing a picture took %v", took)
		}
		time.Sleep(time.Millisecond) // so that they are not all one to a fast page
	}
	return picture
}

func paletted(picture image.Image) *image.Paletted {
	p, _ := picture.(*image.Paletted)
	return p
}
