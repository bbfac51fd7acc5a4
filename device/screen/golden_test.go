package screen

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"freizeichen/hal"
)

var rewrite = flag.Bool("rewrite", false, "write the pictures in testdata instead of comparing with them")

var panelNames = map[hal.Panel]string{hal.Mono128x64: "mono", hal.Colour320x240: "colour"}

// Pictures are looked at before they are committed: go test ./device/screen -rewrite
func TestEveryScreenLooksAsItDid(t *testing.T) {
	for panel, panelName := range panelNames {
		for language := range languageCount {
			for _, s := range scenes() {
				name := filepath.Join("testdata", panelName, language.String(), s.name+".png")
				picture := New(panel, language).Draw(s.view)
				if *rewrite {
					writePicture(t, name, picture)
					continue
				}
				comparePicture(t, name, picture)
			}
		}
	}
}

func writePicture(t *testing.T, name string, picture image.Image) {
	t.Helper()
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&b, picture); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func comparePicture(t *testing.T, name string, got *image.Paletted) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Error(err)
		return
	}
	defer file.Close()
	decoded, err := png.Decode(file)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	want, ok := decoded.(*image.Paletted)
	if !ok || want.Rect != got.Rect || !slices.EqualFunc(want.Palette, got.Palette, sameColour) {
		t.Errorf("%s is a %T of %v, or has other colours; the picture is %v", name, decoded, decoded.Bounds(), got.Rect)
		return
	}
	different, first := 0, -1
	for i := range got.Pix {
		if got.Pix[i] != want.Pix[i] {
			if different == 0 {
				first = i
			}
			different++
		}
	}
	if different > 0 {
		t.Errorf("%s: %d pixels differ, the first at %d, %d", name, different, first%got.Stride, first/got.Stride)
	}
}

func sameColour(a, b color.Color) bool {
	return color.RGBAModel.Convert(a) == color.RGBAModel.Convert(b)
}
