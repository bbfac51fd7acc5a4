package browser

import (
	"bytes"
	"errors"
	"fmt"
	"image/png"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"freizeichen/cmd/centre/pagetest"
)

// selfMade lets a browser take the certificate of a test's server.
var selfMade = []string{"ignore-certificate-errors"}

// A desk is the supervisor's page over an invented service centre.
type desk struct {
	*pagetest.Centre
	url    string
	server *httptest.Server
}

func startDesk(t *testing.T) *desk {
	t.Helper()
	centre := pagetest.Example(time.Now())
	pages, err := centre.Page(time.Local, nil)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(pages)
	t.Cleanup(func() {
		pages.Close()
		server.CloseClientConnections()
		server.Close()
	})
	return &desk{centre, server.URL, server}
}

// enter logs in by keyboard.
func (d *desk) enter(b *browser) *tab {
	b.t.Helper()
	tab := b.open(d.url + "/?lang=de")
	tab.until(`document.getElementById("name")`)
	tab.press(kb.Tab + kb.Tab + kb.Tab) // skip link, language, name
	tab.press(pagetest.Name + kb.Tab + pagetest.Password + kb.Enter)
	tab.until(`document.getElementById("picture")`)
	return tab
}

// With FREIZEICHEN_PICTURE=1 the pictures for the README are written anew; look at them before you commit them.
func TestPicturesOfTheSupervisorsPageCanBeTaken(t *testing.T) {
	d := startDesk(t)
	b := startBrowser(t, selfMade)
	tab := d.enter(b)
	tab.system("light")
	for _, shot := range []struct {
		name, path    string
		width, height int64
	}{{"supervisor", "/", 1280, 1300}, {"wallboard", "/wallboard", 1920, 1080}} {
		tab.do(chromedp.EmulateViewport(shot.width, shot.height), chromedp.Navigate(d.url+shot.path))
		tab.until(`document.getElementById("picture")`)
		picture := coarse(tab.picture(page.CaptureScreenshotParams{}))
		var data bytes.Buffer
		if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&data, picture); err != nil {
			t.Fatal(err)
		}
		if width := picture.Bounds().Dx(); data.Len() > pictureMax || int64(width) != shot.width {
			t.Errorf("the picture of %s has %d bytes and is %d pixels wide", shot.path, data.Len(), width)
		}
		if os.Getenv("FREIZEICHEN_PICTURE") == "1" {
			if err := os.WriteFile(filepath.Join("testdata", shot.name+".png"), data.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

var _ = errors.New
var _ = fmt.Sprint
var _ = strings.Fields
