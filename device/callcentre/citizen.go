package callcentre

import (
	"slices"
	"time"

	"freizeichen/device/callcentre/library"
	"freizeichen/firmware"
	"freizeichen/sip"
)

// citizensMax bounds what is remembered of calls: the phone has two lines.
const citizensMax = 4

// citizen is a caller for whom the agent speaks.
type citizen struct {
	call     sip.CallID
	party    sip.Party
	called   string // number
	tenant   string // identifier; may be changed by the agent
	line     string // digits of the called number when it is a line of ours
	topic    string // identifier; may be changed by the agent
	said     string // what the PBX said the topic is
	queue    string
	waited   time.Duration
	rang     time.Time
	talking  bool
	answered time.Time

	top        int // of the card
	office     string
	officeBusy bool
	armedFor   Action // pressed once while the office is closed
	armedUntil time.Time
	result     sip.Result
	resultAt   string // office that the call or the message went to
}

// fromQueue reports whether the PBX offers the call again when it is refused.
func (c *citizen) fromQueue() bool { return c.queue != "" || c.tenant != "" }

func (d *Desk) citizen(call sip.CallID) *citizen {
	for _, c := range d.citizens {
		if c.call == call {
			return c
		}
	}
	return nil
}

// talking is the citizen the agent speaks with, nil without one.
func (d *Desk) talking() *citizen {
	for _, c := range d.citizens {
		if c.talking {
			return c
		}
	}
	return nil
}

// rings notes who calls, and for whom.
func (d *Desk) rings(e sip.Incoming) {
	c := &citizen{
		call: e.Call, party: e.From, called: e.Called.Number, said: e.Topic, queue: e.Queue, waited: e.Waited, rang: d.now,
		topic: d.library.Topic(e.Topic),
	}
	if at := d.library.Called(e.Called.Number); at.Tenant != nil {
		c.tenant, c.line = at.Tenant.ID, library.Digits(at.Line.Number)
	}
	if len(d.citizens) >= citizensMax {
		d.citizens = d.citizens[1:]
	}
	d.citizens = append(d.citizens, c)
}

func (d *Desk) answered(call sip.CallID) {
	c := d.citizen(call)
	if c == nil || c.talking {
		return
	}
	c.talking, c.answered = true, d.now
	d.LeaveScreen()
	if c.fromQueue() {
		d.after = nil // the last call can be told of until the next
	}
}

// over ends a call. What came of it is kept at once: nothing is lost if the agent says no more.
func (d *Desk) over(e Over) {
	c := d.citizen(e.Call)
	for i := range d.citizens {
		if d.citizens[i] == c {
			d.citizens = append(d.citizens[:i:i], d.citizens[i+1:]...)
			break
		}
	}
	if c == nil || !c.talking || !c.fromQueue() {
		return
	}
	if e.Cause == sip.Transferred { // what happened last counts; a message left before is answered all the same
		c.result, c.resultAt = sip.Forwarded, d.officeAt(c, e.To)
	}
	if d.menu != nil && d.menu.ofCall() {
		d.menu = nil
	}
	d.begin(c)
}

// officeOf is who is responsible for the citizen's topic, or whom the agent has chosen instead.
func (d *Desk) officeOf(c *citizen) string {
	if c.office != "" {
		return c.office
	}
	day, lasting := d.library.CardsFor(c.tenant, c.topic, d.now)
	for _, card := range []*firmware.Card{day, lasting} {
		if card != nil && card.Office != "" {
			return card.Office
		}
	}
	return ""
}

// officeAt is the office that has the number, empty when it is none of ours: the citizen's own before others.
func (d *Desk) officeAt(c *citizen, number string) string {
	digits := library.Digits(number)
	if digits == "" || d.isOffice(c, number) {
		return d.officeOf(c)
	}
	for i := range d.library.Offices {
		if o := &d.library.Offices[i]; library.Digits(o.Number) == digits {
			return o.ID
		}
	}
	return ""
}

// isOffice reports whether the number is that of the office that the citizen's card names.
func (d *Desk) isOffice(c *citizen, number string) bool {
	o := d.library.Office(d.officeOf(c))
	return o != nil && library.Digits(o.Number) == library.Digits(number)
}

// toOffice asks the office, or gives it the call. One that is closed is called at the second press only.
func (d *Desk) toOffice(c *citizen, action Action) {
	o := d.officeView(d.officeOf(c))
	if o == nil {
		d.say(NoteNoOffice, "")
		return
	}
	again := c.armedFor == action && d.now.Before(c.armedUntil)
	if !o.Open && !again {
		c.armedFor, c.armedUntil = action, d.now.Add(armed)
		arg := ""
		if !o.Changes.IsZero() {
			arg = o.Changes.In(d.now.Location()).Format("2.1. 15:04")
		}
		d.say(NoteOfficeClosed, arg)
		return
	}
	c.armedFor, c.officeBusy = ActNone, false
	office := sip.Party{Name: o.Name, Number: o.Number}
	if action == ActAsk {
		d.do(Consult{Call: c.call, Office: office})
	} else {
		d.do(Pass{Call: c.call, Office: office})
	}
}

// message leaves the office a message: who calls back, and for what.
func (d *Desk) message(c *citizen) {
	office := d.officeOf(c)
	switch {
	case d.library.Office(office) == nil:
		d.say(NoteNoOffice, "")
		return
	case library.Digits(c.party.Number) == "":
		d.say(NoteNoNumber, "")
		return
	case c.result == sip.LeftMessage && c.resultAt == office:
		d.say(NoteMessageSent, d.library.Office(office).Name) // once is enough
		return
	}
	c.result, c.resultAt = sip.LeftMessage, office
	d.do(Leave{sip.OfficeMessage{
		ID: d.name(), Agent: d.agent.Number, Tenant: c.tenant, Line: c.line, Topic: c.topic, Office: office,
		Callback: c.party.Number, Name: c.party.Name, At: d.now,
	}})
	d.say(NoteMessageSent, d.library.Office(office).Name)
}

// callerView is the citizen as the panel shows him.
func (d *Desk) callerView(c *citizen) *Caller {
	v := &Caller{Call: c.call, Topic: c.said, Talking: c.talking, Waited: c.waited}
	if c.topic != "" {
		v.Topic = d.library.TopicName(c.topic)
	}
	if t := d.library.Tenant(c.tenant); t != nil {
		v.Tenant = t.Name
		line := &t.Lines[0]
		for i := range t.Lines {
			if library.Digits(t.Lines[i].Number) == c.line {
				line = &t.Lines[i]
			}
		}
		v.Line, v.Greeting = line.Name, line.Greeting
	}
	return v
}

// card is what the agent speaks from: the news first, then the card, who is responsible, and where it comes from.
func (d *Desk) card(c *citizen) *CardView {
	t := d.library.Tenant(c.tenant)
	if t == nil {
		return nil // nobody's number: no card of somebody else
	}
	v := &CardView{Tenant: t.Name, Topic: c.said, Example: d.library.Example}
	if c.topic != "" {
		v.Topic = d.library.TopicName(c.topic)
	}
	add := func(kind LineKind, texts ...string) {
		for _, text := range texts {
			if text != "" {
				v.Lines = append(v.Lines, CardLine{kind, text})
			}
		}
	}
	add(NoticeLine, d.library.NoticesFor(c.tenant, c.topic, d.now)...)
	day, card := d.library.CardsFor(c.tenant, c.topic, d.now)
	if day != nil {
		add(NoticeLine, day.Text...)
	}
	if card == nil {
		card = day
	} else {
		add(TextLine, card.Text...)
	}
	if v.Missing = card == nil; !v.Missing {
		add(PaperLine, card.Papers...)
		add(FeeLine, card.Fee)
		add(HoursLine, card.Hours)
		v.Source, v.Updated = card.Source, card.Updated
		v.Age = daysBetween(card.Updated, d.now)
	}
	if v.Office = d.officeView(d.officeOf(c)); v.Office != nil {
		v.Office.Busy = c.officeBusy
		add(OfficeLine, v.Office.Name+" "+v.Office.Number)
		v.Lines = append(v.Lines, CardLine{Kind: OpenLine})
	}
	if !v.Missing {
		v.Lines = append(v.Lines, CardLine{Kind: SourceLine})
	}
	v.Top = max(0, min(c.top, len(v.Lines)-1))
	return v
}

// officeLine is the index of the line that names the office, 0 without one.
func (v *CardView) officeLine() int {
	return max(0, slices.IndexFunc(v.Lines, func(l CardLine) bool { return l.Kind == OfficeLine }))
}

func daysBetween(from, to time.Time) int {
	if from.IsZero() {
		return 0
	}
	y, m, d := from.Date()
	y2, m2, d2 := to.Date()
	return int(time.Date(y2, m2, d2, 0, 0, 0, 0, time.UTC).Sub(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)) / (24 * time.Hour))
}
