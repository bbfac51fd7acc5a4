package desk

import (
	"strings"

	"freizeichen/device/callcentre"
	"freizeichen/device/screen/font"
	"freizeichen/firmware"
)

// A CallerText is the citizen of a call.
type CallerText struct {
	Tenant, Line, Greeting, Topic string

	Spoken     string // the greeting with the word for it before it
	Waited     string // "wartet seit 1:07", empty when the PBX does not tell
	WaitedOnly string // "1:07"
}

// Caller says who the caller is for.
func (d Desk) Caller() CallerText {
	c := d.View.Caller
	t := CallerText{Tenant: font.CleanHead(c.Tenant), Line: font.CleanHead(c.Line), Greeting: font.CleanHead(c.Greeting), Topic: font.CleanHead(c.Topic)}
	if t.Greeting != "" {
		t.Spoken = d.say(phraseGreeting) + ": " + t.Greeting
	}
	if c.Waited > 0 {
		t.WaitedOnly = Clock(c.Waited)
		t.Waited = d.say(phraseWaited, t.WaitedOnly)
	}
	return t
}

// A CardText is the head of a card.
type CardText struct {
	Topic, Tenant string
	Source        string // badge: "lokal", "115", "Tag"
	Age           string // "vor 12 Tagen geprüft"
	Example       string // "Beispieldaten" or empty
	Missing       string // that there is no card, or empty
	Position      string // "Zeile 3 von 9", empty when the card begins with its first line
}

// Card says what card is shown.
func (d Desk) Card() CardText {
	c := d.View.Card
	t := CardText{Topic: font.CleanHead(c.Topic), Tenant: font.CleanHead(c.Tenant)}
	if c.Example {
		t.Example = d.say(phraseExample)
	}
	switch {
	case c.Missing && t.Topic != "":
		t.Missing = d.say(phraseNoCardFor, t.Topic)
	case c.Missing:
		t.Missing = d.say(phraseNoCard)
	default:
		t.Source, t.Age = d.sources[min(c.Source, firmware.Day)], d.age(c)
	}
	if top := d.CardTop(); top > 0 {
		t.Position = d.say(phraseLineOf, top+1, len(c.Lines))
	}
	return t
}

// age says when the card was looked at last; empty when nobody knows.
func (d Desk) age(c *callcentre.CardView) string {
	switch {
	case c.Updated.IsZero() || c.Age < 0:
		return ""
	case c.Age == 0:
		return d.say(phraseCheckedToday)
	case c.Age == 1:
		return d.say(phraseCheckedOne)
	}
	return d.say(phraseChecked, min(c.Age, 9999))
}

// CardTop is the first line shown, whatever the View says.
func (d Desk) CardTop() int { return max(0, min(d.View.Card.Top, len(d.View.Card.Lines)-1)) }

// A LineText is one line of a card.
type LineText struct {
	Kind   callcentre.LineKind
	Label  string // "Gebühr"; empty where the text says it itself
	Text   string
	Spoken string // label and text
	shown  string // Text with a number that does not break, empty when it is Text
}

// CardLine says line i of the card, which must exist.
func (d Desk) CardLine(i int) LineText {
	c := d.View.Card
	line := &c.Lines[i]
	t := LineText{Kind: min(line.Kind, callcentre.SourceLine), Text: font.CleanHead(line.Text)}
	t.Label = d.lines[t.Kind]
	switch {
	case t.Kind == callcentre.OfficeLine && c.Office != nil:
		name, number := font.CleanHead(c.Office.Name), font.CleanHead(c.Office.Number)
		t.Text, t.shown = Join(", ", name, number), Join(", ", name, strings.ReplaceAll(number, " ", "\u00a0"))
	case t.Kind == callcentre.OpenLine && c.Office != nil:
		t.Text = d.open(c.Office)
	case t.Kind == callcentre.SourceLine:
		head, old := d.Card(), ""
		if e := d.View.Edition; e != nil && e.Old {
			old = d.say(phraseOld, d.at(e.At))
		}
		t.Text = Join(dot, head.Source, head.Age, head.Example, old)
	}
	t.Spoken = Join(": ", t.Label, t.Text)
	return t
}

// Shown is the line as a panel shows it beside an icon: notices, papers and offices are told by theirs.
func (t LineText) Shown() string {
	if t.Kind == callcentre.FeeLine || t.Kind == callcentre.HoursLine {
		return t.Spoken
	}
	if t.shown != "" {
		return t.shown
	}
	return t.Text
}

// open says whether the office can be reached now, and until when.
func (d Desk) open(o *callcentre.OfficeView) string {
	p, until := phraseClosed, phraseClosedUntil
	if o.Open {
		p, until = phraseOpen, phraseOpenUntil
	}
	text := d.say(p)
	if !o.Changes.IsZero() {
		text = d.say(until, d.at(o.Changes))
	}
	if o.Busy {
		text = Join(", ", text, d.say(phraseOfficeBusy))
	}
	return text
}
