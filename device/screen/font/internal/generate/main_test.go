package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestABrokenFontIsRefused(t *testing.T) {
	psf2 := append([]byte{0x72, 0xb5, 0x4a, 0x86}, make([]byte, 60)...)
	psf2[8], psf2[16], psf2[20], psf2[24], psf2[28] = 32, 200, 8, 8, 5
	for name, data := range map[string][]byte{
		"nothing": nil, "text": []byte("STARTFONT 2.1"), "PSF1 without glyphs": {0x36, 0x04, 3, 16, 0}, "PSF2 without glyphs": psf2,
	} {
		if _, err := parsePSF(data); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestArtOfAWrongWidthIsRefused(t *testing.T) {
	f := font{width: 5, height: 8, glyphs: make(map[rune]bitmap)}
	for _, art := range []string{"U+00DF\n####", "U+00DF\n..x..", "U+XY\n.....", "U+00DF\n.....\n.....\n.....\n.....\n.....\n.....\n.....\n.....\n....."} {
		if err := f.addArt(art); err == nil {
			t.Errorf("%q is accepted", art)
		}
	}
}

// Debian's fonts are not everywhere; where they are, the generated file must be what they give.
func TestTheGeneratedFileIsUpToDate(t *testing.T) {
	const fonts = "/usr/share/consolefonts"
	if _, err := os.Stat(filepath.Join(fonts, "spleen-5x8.psfu.gz")); err != nil {
		t.Skip("package fonts-spleen is not installed")
	}
	want, err := generate(fonts)
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("../../glyphs_spleen.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Error("glyphs_spleen.go is old: run go generate ./device/screen/font")
	}
}
