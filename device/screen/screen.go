// Package screen turns a phone.View into what a person sees and hears read: pixels and lines of text, in German
// or English. It decides nothing about the phone, keeps no state and does no I/O.
//
//	phone.View --wording--> words --layout of the panel--> picture, 128x64 or 320x240
//	                          +-----> lines of text for screen readers and phonectl
//	catalogue_de.go, catalogue_en.go: all words           font: letters
//
// Every state has an icon and words; colour only repeats them. What is too long is cut so that what tells things
// apart stays: the beginning of a name, the end of a number.
package screen

import (
	"image"

	"freizeichen/device/phone"
	"freizeichen/hal"
)

// A Renderer draws for one panel in one language. Its zero value draws for hal.Mono128x64 in German.
type Renderer struct {
	panel    hal.Panel
	language Language
}

// New returns a Renderer for panel. It has no state: any goroutine may use it.
func New(panel hal.Panel, language Language) Renderer { return Renderer{panel, language} }

// Draw returns a new picture of the panel's size, which is never written to again. On a mono panel index 0 is
// dark and 1 is lit.
func (r Renderer) Draw(view phone.View) *image.Paletted { return r.draw(&view, nil) }

// Text returns what the panel shows as lines in the order they are read: the status line, the screen, the volume
// while its bar is up, and the soft keys. What the picture abbreviates or cuts is whole here.
func (r Renderer) Text(view phone.View) []string {
	rows, menuRows := colourListRows, colourMenuRows
	if r.panel == hal.Mono128x64 {
		rows, menuRows = monoListRows, monoMenuRows
	}
	return wording{r.language.catalogue(), &view}.lines(rows, menuRows)
}

// Soft returns what the four soft keys mean now, left to right, in full words; "" for one that does nothing.
func (r Renderer) Soft(view phone.View) [4]string {
	var words [4]string
	for i, soft := range view.Soft {
		words[i] = r.language.catalogue().soft(soft).Full
	}
	return words
}

// draw draws the view, and tells seen what can be read.
func (r Renderer) draw(view *phone.View, seen func(string, image.Rectangle, uint8)) *image.Paletted {
	area := image.Rectangle{Max: r.panel.Size()}
	w := wording{r.language.catalogue(), view}
	if r.panel == hal.Colour320x240 {
		c := canvas{image.NewPaletted(area, colourPalette), seen}
		colour{c, w}.draw()
		return c.Paletted
	}
	c := canvas{image.NewPaletted(area, monoPalette), seen}
	mono{c, w}.draw()
	return c.Paletted
}
