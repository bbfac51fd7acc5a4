package screen

import (
	"strconv"

	"freizeichen/device/callcentre"
	"freizeichen/device/phone"
	"freizeichen/device/screen/desk"
	"freizeichen/device/screen/font"
	"freizeichen/sip"
)

// A part is what the agent's desk has of the screen.
type part uint8

const (
	partNone     part = iota // the screen is the phone's own
	partIdle                 // agent and queues
	partIncoming             // a citizen rings
	partCard                 // the card of the topic while the agent talks
	partPrompt
	partMenu
	partAfter
)

// part decides who draws the screen; layouts and Text go by it.
func (w wording) part() part {
	d := &w.view.Desk
	if !d.On {
		return partNone
	}
	switch s := w.view.Screen.(type) {
	case phone.Dialling, phone.Ended, phone.List, phone.Test:
		return partNone
	case phone.Calls:
		if len(s.Calls) != 1 {
			return partNone
		}
		switch call := &s.Calls[0]; {
		case call.State == phone.RingingIn && w.citizen(call.ID).Tenant != "":
			return partIncoming
		case call.State == phone.Talking && d.Card != nil:
			return partCard
		}
		return partNone
	case phone.Desk:
		switch {
		case d.Prompt != nil:
			return partPrompt
		case d.Menu != nil:
			return partMenu
		case d.After != nil:
			return partAfter
		}
	}
	if w.unregistered().headline != "" {
		return partNone // the phone cannot be called: that goes first
	}
	return partIdle
}

// says is the desk in words.
func (w wording) says() desk.Desk {
	return desk.Desk{Words: w.catalogue.desk, View: &w.view.Desk, Now: w.view.Now}
}

// since is since when the agent's state lasts, as far as it fits beside the state: that goes first.
func since(t desk.AgentText, face font.Face, width int) string {
	for _, text := range []string{t.Since, t.At} {
		if face.Width(t.Title)+face.Width(text) <= width {
			return text
		}
	}
	return ""
}

// citizen is who is at the other end of a call, empty when the desk knows nobody's.
func (w wording) citizen(id sip.CallID) desk.CallerText {
	if c := w.view.Desk.Caller; !w.view.Desk.On || c == nil || c.Call != id {
		return desk.CallerText{}
	}
	return w.says().Caller()
}

// unsent is the number beside the icon of what waits for the switchboard, and what it means; empty when all is well.
func (w wording) unsent() (number, meaning string) {
	d := &w.view.Desk
	if meaning = w.says().Unsent(); !d.On || meaning == "" {
		return "", ""
	}
	number = strconv.Itoa(max(0, min(d.Unsent, 99)))
	if d.Lost {
		number += "!"
	}
	return number, meaning
}

// An alert is something that must be seen beside the queues; brief is for 116 pixels of Face5x8.
type alert struct{ full, brief string }

// alerts are why the agent's state is not certain, and lines that close soon.
func (w wording) alerts() []alert {
	var all []alert
	if agent := w.says().Agent(); agent.Warning != "" {
		all = append(all, alert{agent.Warning, agent.Brief})
	}
	for _, closing := range w.says().Closing() {
		all = append(all, alert{closing.Full, closing.Brief})
	}
	return all
}

// noQueue says that an agent is signed in and no queue is watched; without an agent that is as it should be.
func (w wording) noQueue() string {
	if w.view.Desk.Agent.State == sip.SignedOut {
		return ""
	}
	return w.says().NoQueue()
}

// A cardRow is one row of a card on the panel; a long line takes several.
type cardRow struct {
	desk.LineText
	text  string // this row's share
	first bool   // of its line
}

// cardRows lays out the card from its top on, in rows of width pixels.
func (w wording) cardRows(face font.Face, width, rows int) []cardRow {
	var out []cardRow
	add := func(t desk.LineText) {
		for i, text := range face.Lines(t.Shown(), width, rows-len(out)) {
			out = append(out, cardRow{t, text, i == 0})
		}
	}
	for _, t := range w.cardLines() {
		add(t)
	}
	return out
}

// cardTitle is whose card it is, above its first line; empty when that line needs more than rows, or says it itself: its
// end would never be seen.
func (w wording) cardTitle(face font.Face, width, rows int) string {
	card, lines := w.says().Card(), w.cardLines()
	if w.says().CardTop() > 0 || card.Missing != "" || len(lines) == 0 || len(face.Lines(lines[0].Shown(), width, rows+1)) > rows {
		return ""
	}
	return join(dot, card.Topic, card.Tenant)
}

// cardLines are the card's lines from its top on. That there is no card stands after the day's notices.
func (w wording) cardLines() []desk.LineText {
	d := w.says()
	lines, missing := d.View.Card.Lines, d.Card().Missing
	var out []desk.LineText
	told := missing == "" || d.CardTop() > 0
	for i := d.CardTop(); i < len(lines); i++ {
		if !told && lines[i].Kind != callcentre.NoticeLine {
			out, told = append(out, desk.LineText{Kind: callcentre.TextLine, Text: missing, Spoken: missing}), true
		}
		out = append(out, d.CardLine(i))
	}
	if !told {
		out = append(out, desk.LineText{Kind: callcentre.TextLine, Text: missing, Spoken: missing})
	}
	return out
}

// favourites is the part of the choices of the work after a call that has room.
func (w wording) favourites(rows int) (from, to int) {
	a := w.view.Desk.After
	n := len(a.Choices)
	from = max(0, min(a.Top, n-rows))
	return from, min(n, from+rows)
}

// typed writes what has been typed with its middle at row y; of a secret the meaning is how much there is.
func (c canvas) typed(face font.Face, x0, x1, y int, t desk.PromptText, ink uint8) int {
	top, bottom := face.Ink()
	return c.strong(face, x0, y-(top+bottom)/2, face.CutFront(t.Typed, x1-x0), t.Spoken, ink)
}
