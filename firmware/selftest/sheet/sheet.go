// Package sheet prints a self-test on one page of A4: who was tested, the verdict, the part to replace, every test with its
// values and limits, and a QR code with the document's hash.
//
//	report.Record --Page--> PDF, always one page; the same record gives the same bytes
//
// It draws with the fonts that every PDF reader has (code page 1252: umlauts, no font file), and with signs beside colours.
// It reads records alone: no clock, no file.
package sheet

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"github.com/boombuler/barcode/qr"

	"freizeichen/firmware/selftest"
	"freizeichen/firmware/selftest/report"
)

// Options are how the page is written. The zero value is German, in UTC.
type Options struct {
	Language selftest.Language
	Place    *time.Location // of the times; nil: UTC
}

// The page in millimetres.
const (
	pageWidth, pageHeight = 210, 297
	margin                = 15.0
	width                 = pageWidth - 2*margin
	right                 = pageWidth - margin
	footer                = 279.0
)

// Page is the PDF. The error is that of a record that cannot be encoded, or that has more for a QR code than fits.
func Page(r report.Record, options Options) ([]byte, error) {
	document, err := r.Encode()
	if err != nil {
		return nil, err
	}
	if options.Place == nil {
		options.Place = time.UTC
	}
	pdf := fpdf.New("P", "mm", "A4", "")
	pdf.SetAutoPageBreak(false, 0) // one page, whatever comes
	pdf.SetMargins(margin, margin, margin)
	pdf.SetCellMargin(0)
	// Same record, same bytes: the dates are the record's, and the dictionaries are sorted.
	made := time.UnixMilli(r.EndMillis).UTC()
	pdf.SetCreationDate(made)
	pdf.SetModificationDate(made)
	pdf.SetCatalogSort(true)
	pdf.SetLang(options.Language.String())
	p := &page{pdf: pdf, r: r, Options: options, encode: pdf.UnicodeTranslatorFromDescriptor("cp1252")}
	pdf.SetTitle(p.text(p.word("Selbsttest ", "Self-test ")+r.DUT), false)
	pdf.SetProducer("selftest", false)
	pdf.AddPage()
	hash := report.Hash(document)
	if err := p.code(hash); err != nil {
		return nil, err
	}
	p.head()
	y := p.verdict(61)
	p.table(y + 4)
	p.foot(hash)
	var b bytes.Buffer
	if err := pdf.Output(&b); err != nil {
		return nil, fmt.Errorf("sheet: page of %s: %w", r.DUT, err)
	}
	return b.Bytes(), nil
}

// CodeText is what the QR code of a record says, for whoever scans it.
func CodeText(r report.Record, hash string) string {
	// Upper case, so that a QR code can pack it two characters in eleven bits.
	return fmt.Sprintf("SELFTEST/1 S:%s V:%s H:%s", r.DUT, r.Metadata.Verdict, strings.ToUpper(hash))
}

type page struct {
	pdf *fpdf.Fpdf
	r   report.Record
	Options
	encode func(string) string
}

func (p *page) word(german, english string) string {
	return selftest.Text{German: german, English: english}.In(p.Language)
}

// substitutes are for what code page 1252 has not.
var substitutes = strings.NewReplacer("≤ ", "max. ", "≥ ", "min. ", "≤", "max. ", "≥", "min. ", "−", "-", "\u00a0", " ")

// text is a text in the code page. What it has not becomes a question mark.
func (p *page) text(s string) string {
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c > 0xff && !strings.ContainsRune("€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ", c) || c >= 0x7f && c < 0xa0 {
			return '?'
		}
		return c
	}, substitutes.Replace(s))
	return p.encode(s)
}

// fits is a text that is cut with an ellipsis until it has room, in the font of the moment.
func (p *page) fits(s string, room float64) string {
	if p.pdf.GetStringWidth(p.text(s)) <= room {
		return p.text(s)
	}
	runes := []rune(s)
	low, high := 0, len(runes) // the longest beginning that fits with its ellipsis
	for low < high {
		middle := (low + high + 1) / 2
		if p.pdf.GetStringWidth(p.text(string(runes[:middle])+"…")) <= room {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return p.text(strings.TrimRight(string(runes[:low]), " ;,") + "…")
}

// write puts a text on its baseline y, cut to room.
func (p *page) write(x, y, room, size float64, style, s string) {
	p.pdf.SetFont("Helvetica", style, size)
	p.pdf.Text(x, y, p.fits(s, room))
}

// ink is one of the page's colours.
func (p *page) ink(c [3]int) {
	p.pdf.SetTextColor(c[0], c[1], c[2])
	p.pdf.SetDrawColor(c[0], c[1], c[2])
	p.pdf.SetFillColor(c[0], c[1], c[2])
}

var (
	black = [3]int{20, 20, 20}
	grey  = [3]int{105, 105, 105}
	pale  = [3]int{243, 243, 243}
	line  = [3]int{200, 200, 200}
	green = [3]int{0, 110, 60}
	amber = [3]int{160, 90, 0}
	red   = [3]int{180, 20, 20}
)

const codeSize = 36.0

// code draws the QR code at the top right, with its quiet zone of four modules (ISO/IEC 18004 section 5.3.8).
func (p *page) code(hash string) error {
	code, err := qr.Encode(CodeText(p.r, hash), qr.M, qr.Auto)
	if err != nil {
		return fmt.Errorf("sheet: QR code of %s: %w", p.r.DUT, err)
	}
	modules := code.Bounds().Dx()
	size := codeSize / float64(modules+8)
	left, top := right-codeSize+8*size, margin+2 // the zone to the right is the margin of the page
	p.ink(black)
	for y := range modules {
		for x := 0; x < modules; x++ {
			from := x
			for x < modules && dark(code.At(x, y).RGBA()) {
				x++
			}
			if x > from { // one bar for all neighbours: between two of them some printers leave a hair
				p.pdf.Rect(left+float64(from)*size, top+float64(y)*size, float64(x-from)*size, size, "F")
			}
		}
	}
	return nil
}

func dark(r, g, b, _ uint32) bool { return r+g+b < 3*0x8000 }

// head says who was tested.
func (p *page) head() {
	m := p.r.Metadata
	const room = width - codeSize - 4
	p.ink(black)
	product := m.Product
	if product == "" {
		product = p.word("Telefon", "Phone")
	}
	p.write(margin, 22, room, 20, "B", product)
	p.ink(grey)
	p.write(margin, 28, room, 10, "", p.word("Protokoll des Selbsttests", "Record of the self-test"))
	rows := [][2][2]string{
		{{p.word("Modell", "Model"), m.Model}, {p.word("Zeit", "Time"), p.when()}},
		{{p.word("Seriennummer", "Serial number"), p.r.DUT}, {p.word("Dauer", "Duration"), p.lasted()}},
		{{"MAC", m.MAC}, {p.word("Stufe", "Level"), p.level()}},
		{{p.word("Stand", "Revision"), m.Revision}, {"Firmware", m.Firmware}},
		{{p.word("Prüfplatz", "Station"), p.station()}, {p.word("Lampencode", "Lamp code"), p.lamp()}},
	}
	for i, row := range rows {
		for column, field := range row {
			x, y := margin+float64(column)*(room/2), 35+float64(i)*5.2
			p.ink(grey)
			p.write(x, y, 24, 8, "", field[0])
			p.ink(black)
			value := field[1]
			if value == "" {
				value = "-"
			}
			p.write(x+25, y, room/2-26, 9, "B", value)
		}
	}
}

func (p *page) station() string {
	if p.r.Station == p.r.DUT {
		return p.word("das Telefon selbst", "the phone itself")
	}
	return p.r.Station
}

func (p *page) lamp() string {
	if p.r.Metadata.LampCode == selftest.CodePassed {
		return p.word("Dauerlicht", "steady light")
	}
	return fmt.Sprint(p.r.Metadata.LampCode)
}

func (p *page) when() string {
	format := "02.01.2006 15:04:05 MST"
	if p.Language == selftest.English {
		format = "2006-01-02 15:04:05 MST"
	}
	return time.UnixMilli(p.r.StartMillis).In(p.Place).Format(format)
}

func (p *page) lasted() string {
	seconds := fmt.Sprintf("%.1f s", float64(p.r.EndMillis-p.r.StartMillis)/1000)
	if p.Language == selftest.German {
		seconds = strings.Replace(seconds, ".", ",", 1)
	}
	return seconds
}

func (p *page) level() string {
	switch selftest.ParseLevel(p.r.Metadata.Level) {
	case selftest.PowerOn:
		return p.word("beim Einschalten", "power-on")
	case selftest.Continuous:
		return p.word("laufend", "continuous")
	case selftest.Technician:
		return p.word("Techniker", "technician")
	case selftest.Factory:
		return p.word("Werk", "factory")
	}
	return p.r.Metadata.Level
}

// verdict draws the box that is read from across the room, and what to do; it is where the box ends.
func (p *page) verdict(top float64) float64 {
	v := p.r.Verdict()
	colour, outcome := grey, selftest.NotDone
	switch v {
	case selftest.Passed:
		colour, outcome = green, selftest.Pass
	case selftest.Warned:
		colour, outcome = amber, selftest.Marginal
	case selftest.Failed:
		colour, outcome = red, selftest.Fail
	}
	part := selftest.Part(p.r.Metadata.Part)
	height := 16.0
	if part != "" {
		height = 27
	}
	p.ink(colour)
	p.pdf.SetLineWidth(0.8)
	p.pdf.Rect(margin, top, width, height, "D")
	p.sign(margin+5, top+3.5, 9, outcome)
	p.write(margin+20, top+11.5, width-70, 24, "B", v.Title().In(p.Language))
	p.ink(grey)
	p.pdf.SetFont("Helvetica", "", 9)
	counted := p.text(p.counted())
	p.pdf.Text(right-4-p.pdf.GetStringWidth(counted), top+10.5, counted)
	if part != "" {
		p.ink(black)
		p.write(margin+20, top+19, width-24, 12, "B", p.word("Defektes Teil: ", "Broken part: ")+part.Title().In(p.Language))
		p.write(margin+20, top+24, width-24, 10, "", part.Advice().In(p.Language)+p.others(part))
	}
	return top + height
}

// others are the other broken parts.
func (p *page) others(first selftest.Part) string {
	named := map[string]bool{string(first): true}
	var also []string
	for _, phase := range p.r.Phases {
		if phase.Finer() == selftest.Fail && !named[phase.Result.Part] {
			named[phase.Result.Part] = true
			also = append(also, selftest.Part(phase.Result.Part).Title().In(p.Language))
		}
	}
	if also == nil {
		return ""
	}
	return p.word(". Außerdem fehlerhaft: ", ". Also failed: ") + strings.Join(also, ", ")
}

func (p *page) counted() string {
	passed, failed, open := 0, 0, 0
	for _, phase := range p.r.Phases {
		switch phase.Finer() {
		case selftest.Pass, selftest.Marginal:
			passed++
		case selftest.Fail:
			failed++
		case selftest.NotDone:
			open++
		}
	}
	return fmt.Sprintf(p.word("%d bestanden, %d fehlerhaft, %d nicht geprüft", "%d passed, %d failed, %d not done"), passed, failed, open)
}

func (p *page) foot(hash string) {
	p.ink(line)
	p.pdf.SetLineWidth(0.2)
	p.pdf.Line(margin, footer, right, footer)
	p.ink(grey)
	p.write(margin, footer+4, width, 7, "", p.word("SHA-256 des Berichts: ", "SHA-256 of the document: ")+hash)
	p.write(margin, footer+8, width, 7, "", p.word(
		"Ein Test ohne sein Teil gilt nie als bestanden. Werte: gemessen (erlaubt). Der QR-Code nennt Seriennummer, Ergebnis und Prüfsumme.",
		"A test without its part is never passed. Values: measured (allowed). The QR code says serial number, verdict and hash."))
}
