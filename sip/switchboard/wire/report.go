package wire

import (
	"time"

	"freizeichen/sip"
)

type outcome struct {
	ID       string    `json:"id"`
	Revision int       `json:"revision"`
	Agent    string    `json:"agent"`
	Queue    string    `json:"queue,omitempty"`
	Tenant   string    `json:"tenant,omitempty"`
	Line     string    `json:"line,omitempty"`
	Topic    string    `json:"topic,omitempty"`
	Office   string    `json:"office,omitempty"`
	Result   string    `json:"result"`
	At       time.Time `json:"at"`
	Talked   float64   `json:"talked"`
	WrapUp   float64   `json:"wrapUp"`
}

// EncodeOutcome writes the body of PUT /v1/outcomes/{id}.
func EncodeOutcome(o sip.Outcome) []byte {
	return encode(outcome{
		ID: o.ID, Revision: o.Revision, Agent: o.Agent, Queue: o.Queue, Tenant: o.Tenant, Line: o.Line, Topic: o.Topic, Office: o.Office,
		Result: o.Result.String(), At: utc(o.At), Talked: seconds(o.Talked), WrapUp: seconds(o.WrapUp),
	})
}

// DecodeOutcome reads what EncodeOutcome wrote.
func DecodeOutcome(data []byte) (sip.Outcome, error) {
	var o outcome
	if err := decode(data, &o, true); err != nil {
		return sip.Outcome{}, wrap("outcome", err)
	}
	var c check
	c.id(o.ID)
	c.count("revision", o.Revision)
	about(&c, o.Agent, o.Tenant, o.Line, o.Topic, o.Office)
	c.text("queue", o.Queue, nameMax)
	at(&c, o.At)
	words := sip.Outcome{
		ID: o.ID, Revision: o.Revision, Agent: o.Agent, Queue: o.Queue, Tenant: o.Tenant, Line: o.Line, Topic: o.Topic, Office: o.Office,
		Result: parse(&c, "result", o.Result, sip.ParseResult), At: utc(o.At), Talked: c.seconds("talked", o.Talked), WrapUp: c.seconds("wrapUp", o.WrapUp),
	}
	if c.err != nil {
		return sip.Outcome{}, wrap("outcome", c.err)
	}
	return words, nil
}

// about checks what outcomes and messages have in common. The agent may be empty: who has signed in by a feature code while
// the switchboard was away is not known by number, and what he did counts for the team.
func about(c *check, agent, tenant, line, topic, office string) {
	c.text("agent", agent, numberMax)
	c.text("tenant", tenant, nameMax)
	c.text("line", line, numberMax)
	c.text("topic", topic, nameMax)
	c.text("office", office, nameMax)
}

func at(c *check, t time.Time) {
	if t.IsZero() {
		c.fail("at is missing")
	}
	c.when("at", t)
}

type message struct {
	ID       string    `json:"id"`
	Agent    string    `json:"agent"`
	Tenant   string    `json:"tenant,omitempty"`
	Line     string    `json:"line,omitempty"`
	Topic    string    `json:"topic,omitempty"`
	Office   string    `json:"office"`
	Callback string    `json:"callback"`
	Name     string    `json:"name,omitempty"`
	At       time.Time `json:"at"`
}

// EncodeMessage writes the body of PUT /v1/messages/{id}.
func EncodeMessage(m sip.OfficeMessage) []byte {
	return encode(message{
		ID: m.ID, Agent: m.Agent, Tenant: m.Tenant, Line: m.Line, Topic: m.Topic, Office: m.Office, Callback: m.Callback, Name: m.Name, At: utc(m.At),
	})
}

// DecodeMessage reads what EncodeMessage wrote. No error repeats what the message says of the citizen.
func DecodeMessage(data []byte) (sip.OfficeMessage, error) {
	var m message
	if err := decode(data, &m, true); err != nil {
		return sip.OfficeMessage{}, wrap("message", err)
	}
	var c check
	c.id(m.ID)
	about(&c, m.Agent, m.Tenant, m.Line, m.Topic, m.Office)
	if m.Office == "" {
		c.fail("office is empty")
	}
	c.text("callback", m.Callback, numberMax)
	c.text("name", m.Name, nameMax)
	at(&c, m.At)
	if c.err != nil {
		return sip.OfficeMessage{}, wrap("message", c.err)
	}
	return sip.OfficeMessage{
		ID: m.ID, Agent: m.Agent, Tenant: m.Tenant, Line: m.Line, Topic: m.Topic, Office: m.Office, Callback: m.Callback, Name: m.Name, At: utc(m.At),
	}, nil
}

type receipt struct {
	Due time.Time `json:"due,omitzero"`
}

// EncodeReceipt writes the answer of PUT /v1/messages/{id}: when the office answers at the latest, zero without a promise.
func EncodeReceipt(due time.Time) []byte { return encode(receipt{utc(due)}) }

// DecodeReceipt reads what EncodeReceipt wrote.
func DecodeReceipt(data []byte) (due time.Time, err error) {
	var r receipt
	if err := decode(data, &r, false); err != nil {
		return time.Time{}, wrap("receipt", err)
	}
	var c check
	c.when("due", r.Due)
	if c.err != nil {
		return time.Time{}, wrap("receipt", c.err)
	}
	return utc(r.Due), nil
}

type tally struct {
	Name      string `json:"name,omitempty"`
	Calls     int    `json:"calls"`
	Solved    int    `json:"solved"`
	Forwarded int    `json:"forwarded"`
	Messages  int    `json:"messages"`
	Unsaid    int    `json:"unsaid"`
}

func tallyOf(t sip.Tally) tally {
	return tally{Calls: t.Calls, Solved: t.Solved, Forwarded: t.Forwarded, Messages: t.Messages, Unsaid: t.Unsaid}
}

func namedOf(n sip.NamedTally) tally {
	t := tallyOf(n.Tally)
	t.Name = n.Name
	return t
}

func (t tally) words(c *check) sip.Tally {
	c.count("a tally", t.Calls, t.Solved, t.Forwarded, t.Messages, t.Unsaid)
	if t.Solved+t.Forwarded+t.Messages+t.Unsaid != t.Calls {
		c.fail("a tally whose parts are not its whole")
	}
	return sip.Tally{Calls: t.Calls, Solved: t.Solved, Forwarded: t.Forwarded, Messages: t.Messages, Unsaid: t.Unsaid}
}

type figures struct {
	Day    time.Time `json:"day"`
	Team   tally     `json:"team"`
	Lines  []tally   `json:"lines"`
	Topics []tally   `json:"topics"`
	Own    tally     `json:"own"`
}

// EncodeFigures writes the answer of GET /v1/figures. Lines and topics beyond what a body holds are left out: the rare ones.
func EncodeFigures(f sip.DayFigures) []byte {
	return encode(figures{
		Day: utc(f.Day), Team: tallyOf(f.Team), Own: tallyOf(f.Own),
		Lines:  sameOrder(f.Lines[:min(len(f.Lines), topicsMax)], namedOf),
		Topics: sameOrder(f.Topics[:min(len(f.Topics), topicsMax)], namedOf),
	})
}

// DecodeFigures reads what EncodeFigures wrote. Day is in UTC: the midnight of the place is some other hour there.
func DecodeFigures(data []byte) (sip.DayFigures, error) {
	var f figures
	if err := decode(data, &f, false); err != nil {
		return sip.DayFigures{}, wrap("figures", err)
	}
	var c check
	c.when("day", f.Day)
	named := func(t tally) sip.NamedTally {
		c.text("name", t.Name, nameMax)
		return sip.NamedTally{Name: t.Name, Tally: t.words(&c)}
	}
	if len(f.Lines) > topicsMax || len(f.Topics) > topicsMax {
		c.fail("more than %d lines or topics", topicsMax)
	}
	words := sip.DayFigures{Day: utc(f.Day), Team: f.Team.words(&c), Own: f.Own.words(&c), Lines: sameOrder(f.Lines, named), Topics: sameOrder(f.Topics, named)}
	if c.err != nil {
		return sip.DayFigures{}, wrap("figures", c.err)
	}
	return words, nil
}

// ProblemType is the media type of a Problem.
const ProblemType = "application/problem+json"

// A Problem is an HTTP error (RFC 9457): the status, its name, and a sentence that says what to do.
type Problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// EncodeProblem writes a Problem.
func EncodeProblem(p Problem) []byte { return encode(p) }

// DecodeProblem reads a Problem. Its texts are the other side's: they are cut to what a log line holds.
func DecodeProblem(data []byte) (Problem, error) {
	var p Problem
	if err := decode(data, &p, false); err != nil {
		return Problem{}, wrap("problem", err)
	}
	var c check
	c.text("title", p.Title, nameMax)
	c.text("detail", p.Detail, 4*nameMax)
	if c.err != nil || p.Status < 100 || p.Status > 599 {
		c.fail("status is none of HTTP")
		return Problem{}, wrap("problem", c.err)
	}
	return p, nil
}
