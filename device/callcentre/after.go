package callcentre

import (
	"fmt"
	"time"

	"freizeichen/sip"
)

// after is the work after a call: topic and result, until the next call.
type after struct {
	outcome sip.Outcome
	citizen *citizen // until the work is done: a message needs whom to call back
	ended   time.Time
	open    bool
	late    bool      // opened again from the menu
	done    bool      // it is done, and the wrap-up not yet ended
	until   time.Time // closes by itself when no wrap-up runs
	top     int
	topics  []string // on keys 1 to 9: their order stands still while somebody chooses
}

// close ends the work. Nothing of the caller is left; topic and result can still be told.
func (a *after) close() {
	a.open, a.late, a.citizen = false, false, nil
}

// begin opens the work after the citizen's call, and keeps what is known already.
func (d *Desk) begin(c *citizen) {
	a := &after{citizen: c, ended: d.now, open: true, until: d.now.Add(afterShown)}
	a.outcome = sip.Outcome{
		ID: d.name(), Agent: d.agent.Number, Queue: c.queue, Tenant: c.tenant, Line: c.line, Topic: c.topic, Office: c.resultAt,
		Result: c.result, At: c.answered, Talked: d.now.Sub(c.answered),
	}
	if c.result != sip.Forwarded && c.result != sip.LeftMessage {
		a.outcome.Office = ""
	}
	if a.outcome.Talked < 0 { // the clock was put back
		a.outcome.Talked = 0
	}
	d.after = a
	d.count(c.topic, 1)
	d.arrange()
	d.do(Keep{a.outcome})
}

// name is a name that no other outcome or message has.
func (d *Desk) name() string {
	d.made++
	return fmt.Sprintf("%s%08x", d.config.Boot, d.made)
}

func (d *Desk) count(topic string, by int) {
	d.counts.of(d.now)
	if topic != "" {
		d.counts.made[topic] += by
	}
}

// revise keeps what the agent says now in place of what was kept before.
func (d *Desk) revise(change func(*sip.Outcome)) {
	a := d.after
	before := a.outcome
	change(&a.outcome)
	if a.outcome == before {
		return
	}
	a.outcome.Revision++
	if !a.late {
		a.outcome.WrapUp = max(0, d.now.Sub(a.ended))
	}
	a.until = d.now.Add(afterShown)
	d.do(Keep{a.outcome})
}

func (d *Desk) setTopic(id string) {
	d.count(d.after.outcome.Topic, -1)
	d.count(id, 1)
	d.revise(func(o *sip.Outcome) { o.Topic = id })
	if c := d.after.citizen; c != nil {
		c.topic, c.office = id, ""
	}
}

func (d *Desk) setResult(r sip.Result) {
	d.revise(func(o *sip.Outcome) {
		o.Result = r
		if r != sip.Forwarded && r != sip.LeftMessage {
			o.Office = ""
		}
	})
}

// leaveMessage marks the result, and leaves the office the message while it is known whom to call back.
func (d *Desk) leaveMessage() {
	a := d.after
	if a.citizen == nil {
		d.setResult(sip.LeftMessage)
		return
	}
	if d.message(a.citizen); a.citizen.result == sip.LeftMessage {
		d.revise(func(o *sip.Outcome) { o.Result, o.Office = sip.LeftMessage, a.citizen.resultAt })
	}
}

// done ends the work, and the wrap-up with it.
func (d *Desk) done() {
	d.after.done = !d.after.late
	d.after.close()
	d.endWrapUp(true)
}

// endWrapUp ends the wrap-up of work that is done, now or as soon as it is known: the end of a call reaches the phone sooner
// than the switchboard, and who presses quickly has pressed for it.
func (d *Desk) endWrapUp(pressed bool) {
	if a := d.after; a != nil && a.done && d.agent.State == sip.WrapUp && (pressed || d.asked == nil) {
		a.done = false
		d.ask(sip.AgentRequest{Verb: sip.GoReady})
	}
}

func (d *Desk) extend() {
	switch {
	case d.agent.State != sip.WrapUp:
	case d.agent.Extends <= 0:
		d.say(NoteProblem, sip.ExtendedEnough.String())
	default:
		d.ask(sip.AgentRequest{Verb: sip.ExtendWrap})
	}
}

// arrange puts on keys 1 to 9 what comes often today.
func (d *Desk) arrange() {
	ids := d.library.Favourites(d.after.outcome.Tenant, d.today())
	d.after.topics = ids[:min(9, len(ids))]
}

func (d *Desk) afterView() *After {
	a := d.after
	v := &After{Result: a.outcome.Result, Top: a.top, Late: a.late}
	if a.outcome.Topic != "" {
		v.Topic = d.library.TopicName(a.outcome.Topic)
	}
	if t := d.library.Tenant(a.outcome.Tenant); t != nil {
		v.Tenant = t.Name
	}
	for _, id := range a.topics {
		v.Choices = append(v.Choices, Choice{Text: d.library.TopicName(id), Mark: id == a.outcome.Topic})
	}
	v.Choices = append(v.Choices, Choice{Word: WordOther})
	if d.agent.State == sip.WrapUp && !a.late {
		if left := d.agent.Until.Sub(d.now); left > 0 {
			v.Counting, v.Left, v.Of = true, (left + time.Second - 1).Truncate(time.Second), d.agent.Until.Sub(d.agent.Since)
		}
		v.Extends = d.agent.Extends
	}
	return v
}

// counts are how often each topic came today: what comes often stands first.
type counts struct {
	day  time.Time
	made map[string]int
}

// of begins a new count with each day.
func (c *counts) of(now time.Time) {
	y, m, d := now.Date()
	if day := time.Date(y, m, d, 0, 0, 0, 0, now.Location()); !day.Equal(c.day) {
		c.day, c.made = day, map[string]int{}
	}
}

// today is how often each topic came, from all agents where the switchboard tells.
func (d *Desk) today() map[string]int {
	if d.figures == nil || !ofToday(d.figures.Day, d.now) {
		return d.counts.made
	}
	sum := map[string]int{}
	for _, t := range d.figures.Topics {
		sum[t.Name] = t.Calls
	}
	for topic, n := range d.counts.made {
		sum[topic] = max(sum[topic], n)
	}
	return sum
}
