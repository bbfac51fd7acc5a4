package callcentre

import (
	"slices"
	"time"

	"freizeichen/device/callcentre/library"
	"freizeichen/sip"
)

// View is what the desk adds to the panel. focus is the call that the screen and the keys mean, 0 without one.
func (d *Desk) View(now time.Time, focus sip.CallID) View {
	if !d.config.On {
		return View{}
	}
	d.now = now
	v := View{On: true, Agent: d.agentView(), Queue: d.shown, Closing: d.closing(), Unsent: d.unsent, Lost: d.broken}
	for _, q := range d.queues {
		qv := q.view(now, d.config)
		v.Queues = append(v.Queues, qv)
		v.Light = max(v.Light, qv.Level.Light)
	}
	if c := d.citizen(focus); c != nil {
		v.Caller = d.callerView(c)
		if c.talking {
			v.Card = d.card(c)
		} else {
			v.Caller.Waited += max(0, now.Sub(c.rang)) // he waits on while it rings
		}
	}
	if d.AfterCall() {
		v.After = d.afterView()
	}
	if p := d.prompt; p != nil {
		v.Prompt = &Prompt{Kind: p.kind, Typed: p.typed, Tries: p.tries}
		if p.kind == AskPIN {
			v.Prompt.Typed, v.Prompt.Hidden = p.number, len(p.typed)
		}
	}
	if m := d.menu; m != nil {
		v.Menu = &Menu{Kind: m.kind, Arg: m.arg, Selected: m.selected}
		for _, e := range m.entries {
			v.Menu.Choices = append(v.Menu.Choices, e.Choice)
		}
	}
	if now.Before(d.note.until) {
		v.Note, v.NoteArg = d.note.what, d.note.arg
	}
	if f := d.figures; f != nil && ofToday(f.Day, now) {
		v.Today = &Today{Team: f.Team, Own: f.Own}
	}
	if d.library.Loaded {
		v.Edition = &Edition{Version: d.library.Version, At: d.library.Compiled, Example: d.library.Example}
		v.Edition.Old = d.link.known && !d.link.up && now.Sub(d.link.since) >= oldAfter
	}
	return v
}

func (d *Desk) agentView() AgentView {
	a := d.agent
	v := AgentView{
		Number: a.Number, Name: a.Name, State: a.State, Reason: a.Reason, ReasonText: d.reason(a.Reason).Text, Since: a.Since,
		PausesNext: a.PausesNext != "",
		Known:      d.known, Asked: d.asked != nil && d.asked.Verb != sip.AskState || d.code != nil, Quiet: d.quiet,
	}
	v.Unconfirmed = d.known && a.State != sip.SignedOut && !a.Confirmed
	if d.link.known && !d.link.up {
		v.Away, v.Problem = d.link.since, d.link.problem
	}
	return v
}

// Busy is how pressing the queues are together: for the lamp. What is known to press goes before what is unknown.
func (v View) Busy() Busy {
	worst, unknown := Calm, false
	for _, q := range v.Queues {
		if q.Busy == Unknown {
			unknown = true
		} else {
			worst = max(worst, q.Busy)
		}
	}
	if worst == Calm && unknown {
		return Unknown
	}
	return worst
}

// ofToday reports whether figures that were counted from midnight on, by the clock of the place, are of the present day.
func ofToday(midnight, now time.Time) bool {
	age := now.Sub(midnight)
	return age >= 0 && age < 24*time.Hour
}

// minute is what the calendars say in one minute: they are asked once, not at every view.
type minute struct {
	at      time.Time
	closing []library.Closing
	offices map[string]OfficeView
}

// calendars brings the minute up to date.
func (d *Desk) calendars() *minute {
	if at := d.now.Truncate(time.Minute); !at.Equal(d.minute.at) || d.minute.offices == nil {
		d.minute = minute{at: at, closing: d.library.Closing(d.now), offices: map[string]OfficeView{}}
	}
	return &d.minute
}

func (d *Desk) closing() []library.Closing { return slices.Clone(d.calendars().closing) }

// officeView is an office as the panel shows it, nil without one.
func (d *Desk) officeView(id string) *OfficeView {
	m := d.calendars()
	v, known := m.offices[id]
	if !known {
		o, open, changes := d.library.Open(id, d.now)
		if o == nil {
			return nil
		}
		v = OfficeView{Name: o.Name, Number: o.Number, Open: open, Changes: changes}
		m.offices[id] = v
	}
	return &v
}
