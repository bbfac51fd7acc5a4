package sheet

import (
	"fmt"
	"strings"

	"freizeichen/firmware/selftest"
	"freizeichen/firmware/selftest/report"
)

// The columns: sign and outcome, test, values.
const (
	outcomeX, outcomeRoom = margin + 6, 22.0
	testX, testRoom       = margin + 29, 48.0
	valuesX               = testX + testRoom + 2
)

// Rows are as high as there is room for, between what looks lost on the page and what is too small to read.
const (
	rowMost, rowLeast = 6.4, 3.3
	headRow           = 5.0
)

// table draws all tests from top to the footer. What does not fit even in the smallest rows is counted in the last: first
// what this model has not is left out, then what passed.
func (p *page) table(top float64) {
	room := footer - 2 - top - headRow
	phases, left := chosen(p.r.Phases, int(room/rowLeast))
	rows := len(phases)
	if left > 0 {
		rows++
	}
	row := min(rowMost, room/float64(max(1, rows)))
	p.ink(grey)
	p.write(outcomeX, top+3.2, outcomeRoom, 7.5, "B", p.word("Ergebnis", "Outcome"))
	p.write(testX, top+3.2, testRoom, 7.5, "B", "Test")
	p.write(valuesX, top+3.2, right-valuesX, 7.5, "B", p.word("Werte (erlaubt)", "Values (allowed)"))
	y := top + headRow
	for i, phase := range phases {
		p.row(y, row, phase, i%2 == 0)
		y += row
	}
	if left > 0 {
		p.ink(grey)
		p.write(testX, y+row*0.72, width-30, row*1.75, "", fmt.Sprintf(p.word("… und %d weitere, siehe Bericht", "… and %d more, see the document"), left))
	}
}

// chosen are the tests for which there is room, in their order, and how many are left out.
func chosen(phases []report.Phase, most int) (shown []report.Phase, left int) {
	if len(phases) <= most {
		return phases, 0
	}
	most-- // the last row counts the others
	drop := len(phases) - most
	for _, expendable := range []selftest.Outcome{selftest.NotApplicable, selftest.Pass, selftest.NotDone, selftest.Marginal, selftest.Fail} {
		shown = nil
		for i := len(phases) - 1; i >= 0; i-- {
			if drop > left && phases[i].Finer() == expendable {
				left++
				continue
			}
			shown = append([]report.Phase{phases[i]}, shown...)
		}
		if phases = shown; left == drop {
			break
		}
	}
	return phases, left
}

// row draws one test.
func (p *page) row(y, height float64, phase report.Phase, shaded bool) {
	if shaded {
		p.ink(pale)
		p.pdf.Rect(margin, y, width, height, "F")
	}
	size := min(9, height*1.75)
	base := y + height*0.5 + size*0.125
	outcome := phase.Finer()
	p.ink(colour(outcome))
	mark := min(3.6, height*0.7)
	p.sign(margin+1.2, y+(height-mark)/2, mark, outcome)
	style := ""
	if outcome == selftest.Fail {
		style = "B"
	}
	p.write(outcomeX, base, outcomeRoom, size*0.9, style, p.outcome(outcome))
	p.ink(black)
	p.write(testX, base, testRoom, size, style, phase.Title(p.Language))
	if outcome == selftest.NotDone || outcome == selftest.NotApplicable {
		p.ink(grey)
	}
	p.fill(y, base, height, size*0.9, style, p.values(phase))
}

// fill writes the values: in one line, or where that is too short and the row high enough, in two smaller ones.
func (p *page) fill(y, base, height, size float64, style, values string) {
	const room = right - valuesX - 1
	p.pdf.SetFont("Helvetica", style, size)
	if p.pdf.GetStringWidth(p.text(values)) <= room || height < 4.5 {
		p.write(valuesX, base, room, size, style, values)
		return
	}
	small := min(6.4, height*1.2)
	p.pdf.SetFont("Helvetica", style, small)
	first, rest := p.broken(values, "; ", room)
	if first == "" || p.pdf.GetStringWidth(p.text(rest)) > room {
		first, rest = p.broken(values, " ", room)
	}
	p.write(valuesX, y+height*0.43, room, small, style, strings.TrimRight(first, " "))
	p.write(valuesX, y+height*0.88, room, small, style, rest)
}

// values are the reason and the measurements in one line, the worst first: a line is cut at its end.
func (p *page) values(phase report.Phase) string {
	var bad, near, good []string
	for _, m := range phase.Ordered() {
		text := m.Title(phase, p.Language) + " " + m.Text(p.Language)
		if allowed := m.Allowed(p.Language); allowed != "" && strings.TrimPrefix(allowed, "= ") != m.Text(p.Language) {
			text += " (" + allowed + ")"
		}
		switch {
		case m.Outcome == "FAIL":
			bad = append(bad, text)
		case m.Marginal:
			near = append(near, text)
		default:
			good = append(good, text)
		}
	}
	why := phase.Why(p.Language)
	if why != "" {
		bad = append([]string{why}, bad...)
	}
	return strings.Join(append(append(bad, near...), good...), "; ")
}

func (p *page) outcome(o selftest.Outcome) string {
	switch o {
	case selftest.Pass:
		return p.word("bestanden", "passed")
	case selftest.Marginal:
		return p.word("knapp", "marginal")
	case selftest.Fail:
		return p.word("FEHLER", "FAILED")
	case selftest.NotApplicable:
		return p.word("entfällt", "not fitted")
	}
	return p.word("nicht geprüft", "not done")
}

func colour(o selftest.Outcome) [3]int {
	switch o {
	case selftest.Pass:
		return green
	case selftest.Marginal:
		return amber
	case selftest.Fail:
		return red
	}
	return grey
}

// sign draws the outcome in a square, in the ink of the moment: a tick, a triangle with an exclamation mark, a cross, an empty
// circle, a bar. They differ in shape: nobody must see colours.
func (p *page) sign(x, y, size float64, o selftest.Outcome) {
	at := func(fx, fy float64) (float64, float64) { return x + fx*size, y + fy*size }
	stroke := func(points ...float64) {
		for i := 0; i+3 < len(points); i += 2 {
			x1, y1 := at(points[i], points[i+1])
			x2, y2 := at(points[i+2], points[i+3])
			p.pdf.Line(x1, y1, x2, y2)
		}
	}
	p.pdf.SetLineCapStyle("round")
	defer p.pdf.SetLineCapStyle("butt")
	p.pdf.SetLineWidth(size * 0.15)
	switch o {
	case selftest.Pass:
		stroke(0.05, 0.55, 0.38, 0.88, 0.95, 0.12)
	case selftest.Marginal:
		p.pdf.SetLineWidth(size * 0.1)
		stroke(0.5, 0.08, 0.97, 0.92, 0.03, 0.92, 0.5, 0.08)
		stroke(0.5, 0.4, 0.5, 0.6)
		stroke(0.5, 0.76, 0.5, 0.77)
	case selftest.Fail:
		stroke(0.1, 0.1, 0.9, 0.9)
		stroke(0.1, 0.9, 0.9, 0.1)
	case selftest.NotApplicable:
		p.pdf.SetLineWidth(size * 0.1)
		cx, cy := at(0.5, 0.5)
		p.pdf.Circle(cx, cy, size*0.3, "D")
	default:
		stroke(0.1, 0.5, 0.9, 0.5)
	}
}

// broken is the longest beginning that ends with a separator and has room, and what is left.
func (p *page) broken(text, separator string, room float64) (first, rest string) {
	at := 0
	for i := range text {
		if !strings.HasPrefix(text[i:], separator) {
			continue
		}
		end := i + len(separator)
		if p.pdf.GetStringWidth(p.text(strings.TrimRight(text[:end], " "))) > room {
			break
		}
		at = end
	}
	return text[:at], text[at:]
}
