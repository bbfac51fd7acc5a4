package screen

import (
	"fmt"
	"time"

	"freizeichen/device/phone"
	"freizeichen/device/screen/font"
	"freizeichen/hal"
	"freizeichen/sip"
)

// faults says which parts of the body are missing or fail; empty when all is well.
func (w wording) faults() string {
	text := ""
	for part, fault := range w.view.Status.Faults {
		switch fault {
		case hal.Missing:
			text = join(", ", text, w.word(wordPartMissing, w.parts[part]))
		case hal.Failing:
			text = join(", ", text, w.word(wordPartFails, w.parts[part]))
		}
	}
	return text
}

// message is what that lies over the screen, and whether it is a good one. What is broken is told where it hides nothing
// that somebody works with: not beside an agent who takes calls; there the icon in the status line must do.
func (w wording) message() (text string, good bool) {
	if text = w.says().Note(); w.view.Desk.On && text != "" {
		return text, w.says().NoteGood()
	}
	_, idle := w.view.Screen.(phone.Idle)
	busy := w.view.Desk.On && (w.view.Desk.Agent.State == sip.Ready || w.view.Desk.Agent.State == sip.WrapUp)
	if !idle || busy {
		return "", false
	}
	return w.faults(), false
}

// A testText is the self-test in words. The test's own texts are in the phone's language already.
type testText struct {
	title, place, left string
	lines              []string
	mark               icon
}

func (w wording) test(t phone.Test) testText {
	text := testText{title: clean(t.Title), mark: iconRegistering}
	if t.Count > 0 {
		text.place = fmt.Sprintf("%d/%d", t.Number, t.Count)
	}
	if t.Left > 0 {
		text.left = w.word(wordSeconds, int((t.Left+time.Second-1)/time.Second))
	}
	for _, line := range t.Lines {
		text.lines = append(text.lines, clean(line))
	}
	switch t.Outcome {
	case "":
	case "pass":
		text.mark = iconRegistered
	default:
		text.mark = iconNotice
	}
	return text
}

// testLines reads the self-test aloud.
func (w wording) testLines(lines []string, t phone.Test) []string {
	text := w.test(t)
	if t.Pattern != phone.PatternNone {
		lines = append(lines, w.word(wordPattern, int(t.Pattern)))
	}
	return append(append(lines, join(", ", text.title, text.place, text.left)), text.lines...)
}

// pattern draws a picture that shows dead pixels, columns and rows. It has the whole panel.
func (c canvas) pattern(p phone.Pattern, off, on uint8) {
	size := c.Rect.Size()
	c.fill(0, 0, size.X, size.Y, off)
	for y := range size.Y {
		for x := range size.X {
			lit := false
			switch p {
			case phone.PatternBright:
				lit = true
			case phone.PatternChecker:
				lit = (x/8+y/8)%2 == 0
			case phone.PatternLines:
				lit = y%2 == 0
			case phone.PatternFrame:
				lit = x == 0 || y == 0 || x == size.X-1 || y == size.Y-1 || x*size.Y/size.X == y
			}
			if lit {
				c.SetColorIndex(x, y, on)
			}
		}
	}

}

func (m mono) test(t phone.Test) {
	text := m.wording.test(t)
	m.round(0, monoBody, monoWidth, monoBody+13, 1, lit)
	x := monoWidth - 3
	for _, right := range []string{text.place, text.left} {
		if right != "" {
			x = m.right(font.Face5x8, x, monoBody+3, right, right, dark) - 4
		}
	}
	m.icon(text.mark, 2, monoBody+2, 1, "", dark)
	m.name(font.Face6x12, iconSize+5, x, monoBody+1, text.title, dark)
	y := monoBody + 15
	for _, line := range text.lines {
		for _, row := range font.Face5x8.Lines(line, monoWidth-2, 3) {
			if y+8 > monoBodyEnd {
				return
			}
			m.text(font.Face5x8, 1, y, row, line, lit)
			y += 9
		}
	}
}

func (c colour) test(t phone.Test) {
	text := c.wording.test(t)
	paint := slate
	switch t.Outcome {
	case "":
	case "pass":
		paint = green
	default:
		paint = red
	}
	c.band(text.mark, text.title, join(dot, text.left, text.place), paint, white)
	y := colourBody + colourBand + 10
	for _, line := range text.lines {
		for _, row := range font.Face8x16.Lines(line, colourWidth-2*colourMargin, 4) {
			if y+16 > colourBodyEnd {
				return
			}
			c.text(font.Face8x16, colourMargin, y, row, line, ink)
			y += 20
		}
	}
}
