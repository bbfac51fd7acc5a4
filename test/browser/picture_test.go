package browser

import (
	"bytes"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// pictureMax keeps the README quick to load.
const pictureMax = 300 << 10

// With FREIZEICHEN_PICTURE=1 the README's picture is written anew; look at it before you commit it.
func TestThePictureOfTheReadmeCanBeTaken(t *testing.T) {
	b := startBrowser(t, nil)
	p := startPhone(t, "-panel", "colour320x240") // with the exchange and the switchboard of its own: somebody calls soon
	tab := b.openPhone(p)
	tab.do(chromedp.EmulateViewport(1200, 800))
	tab.system("light")
	tab.until(`screenSize() === "320x240"`)
	tab.shows("Eingehender Anruf", "Begrüßung", "Anliegen")
	tab.lamp("message", "fast")
	tab.until(litPixels + ` > 1000`)
	// The lamps blink: they are held where they are lit.
	tab.run(`const lit = new CSSStyleSheet(); lit.replaceSync(".lamp:not([data-blink=dark])::after { opacity: 1 !important; }"); document.adoptedStyleSheets = [lit];`)
	picture := coarse(tab.picture(page.CaptureScreenshotParams{}))
	var data bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&data, picture); err != nil {
		t.Fatal(err)
	}
	if width := picture.Bounds().Dx(); data.Len() > pictureMax || width != 1200 {
		t.Errorf("the picture has %d bytes and is %d pixels wide", data.Len(), width)
	}
	if os.Getenv("FREIZEICHEN_PICTURE") == "1" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join("testdata", "ringing.png"), data.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// coarse rounds every part of every colour to a multiple of three: nobody sees it, and it makes the file a third smaller.
func coarse(picture image.Image) image.Image {
	const step = 3 // divides 255: white stays white
	out := image.NewNRGBA(picture.Bounds())
	draw.Draw(out, out.Bounds(), picture, picture.Bounds().Min, draw.Src)
	for i, part := range out.Pix {
		out.Pix[i] = uint8((int(part) + step/2) / step * step)
	}
	return out
}
