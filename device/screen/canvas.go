package screen

import (
	"image"

	"freizeichen/device/screen/font"
)

// A canvas is a picture that is being drawn. All coordinates are pixels of the panel; what lies outside is
// left out.
type canvas struct {
	*image.Paletted
	// seen is told everything that a person can read on the picture, uncut and in full words, before it is drawn.
	// Tests compare it with Text and measure contrast; it is nil otherwise.
	seen func(meaning string, area image.Rectangle, ink uint8)
}

func (c canvas) note(meaning string, area image.Rectangle, ink uint8) {
	if c.seen != nil && meaning != "" {
		c.seen(meaning, area, ink)
	}
}

// fill paints the rectangle [x0,x1) x [y0,y1).
func (c canvas) fill(x0, y0, x1, y1 int, ink uint8) {
	area := image.Rect(x0, y0, x1, y1).Intersect(c.Rect)
	for y := area.Min.Y; y < area.Max.Y; y++ {
		row := c.Pix[c.PixOffset(area.Min.X, y):][:area.Dx()]
		for i := range row {
			row[i] = ink
		}
	}
}

// round paints a rectangle without its corner pixels.
func (c canvas) round(x0, y0, x1, y1, radius int, ink uint8) {
	for i := range radius {
		c.fill(x0+radius-i, y0+i, x1-radius+i, y0+i+1, ink)
		c.fill(x0+radius-i, y1-1-i, x1-radius+i, y1-i, ink)
	}
	c.fill(x0, y0+radius, x1, y1-radius, ink)
}

// text writes text, which must fit, and returns where it ends. meaning is what it stands for: itself before it was
// cut, or the words it abbreviates.
func (c canvas) text(face font.Face, x, y int, text, meaning string, ink uint8) int {
	if text == "" {
		return x
	}
	c.note(meaning, image.Rect(x, y, x+face.Width(text), y+face.Height()), ink)
	return face.Draw(c.Paletted, x, y, text, ink)
}

// name writes text from x0 on and cuts its end at x1.
func (c canvas) name(face font.Face, x0, x1, y int, text string, ink uint8) int {
	return c.text(face, x0, y, face.Cut(text, x1-x0), text, ink)
}

// number writes text from x0 on; of a long one the last digits stay.
func (c canvas) number(face font.Face, x0, x1, y int, text string, ink uint8) int {
	return c.text(face, x0, y, face.CutFront(text, x1-x0), text, ink)
}

// right writes text so that it ends at x1, and returns where it begins.
func (c canvas) right(face font.Face, x1, y int, text, meaning string, ink uint8) int {
	x := x1 - face.Width(text)
	c.text(face, x, y, text, meaning, ink)
	return x
}

// centre writes text in the middle between x0 and x1, cut if need be.
func (c canvas) centre(face font.Face, x0, x1, y int, text, meaning string, ink uint8) {
	text = face.Cut(text, x1-x0)
	c.text(face, x0+(x1-x0-face.Width(text))/2, y, text, meaning, ink)
}

// middle writes a name, or a number, with the middle of its capitals at row y, and returns where it ends.
func (c canvas) middle(face font.Face, x0, x1, y int, text string, isNumber bool, ink uint8) int {
	top, bottom := face.Ink()
	y -= (top + bottom) / 2
	short := face.Cut(text, x1-x0-1)
	if isNumber {
		short = face.CutFront(text, x1-x0-1)
	}
	return c.strong(face, x0, y, short, text, ink)
}

// strong writes text, the large faces bold: their strokes are no thicker than those of the small ones.
func (c canvas) strong(face font.Face, x, y int, text, meaning string, ink uint8) int {
	if face >= font.Face12x24 {
		c.text(face, x, y, text, meaning, ink)
		x++
	}
	return c.text(face, x, y, text, meaning, ink)
}

// title writes what a party is called.
func (c canvas) title(face font.Face, x0, x1, y int, p partyText, ink uint8) {
	if p.digits {
		c.number(face, x0, x1, y, p.title, ink)
		return
	}
	c.name(face, x0, x1, y, p.title, ink)
}

// pair writes a name on the left and its number on the right in a smaller face, which may take three fifths.
func (c canvas) pair(face, small font.Face, x0, x1, y int, p partyText, ink uint8) {
	if p.number != "" {
		number := small.CutFront(p.number, (x1-x0)*3/5)
		_, base := face.Ink()
		_, smallBase := small.Ink()
		x1 = c.right(small, x1, y+base-smallBase, number, p.number, ink) - face.Width("n")
	}
	c.title(face, x0, x1, y, p, ink)
}

// scrollBar shows where in a list of n the entry at stands.
func (c canvas) scrollBar(x, y0, y1, at, n int, ink uint8) {
	if n < 2 {
		return
	}
	length := max(5, (y1-y0)/n)
	y := y0 + (y1-y0-length)*at/(n-1)
	c.fill(x, y, x+2, y+length, ink)
}

// icon draws an icon whose meaning, unless it is "", nothing else on the picture says.
func (c canvas) icon(i icon, x, y, scale int, meaning string, ink uint8) {
	c.note(meaning, image.Rect(x, y, x+iconSize*scale, y+iconSize*scale), ink)
	for at := range len(i) {
		if i[at] == '#' {
			px, py := x+at%iconSize*scale, y+at/iconSize*scale
			c.fill(px, py, px+scale, py+scale, ink)
		}
	}
}

// largest is the first of the faces in which text fits into width, or the last.
func largest(text string, width int, faces ...font.Face) font.Face {
	for _, face := range faces {
		if face.Width(text) <= width {
			return face
		}
	}
	return faces[len(faces)-1]
}
