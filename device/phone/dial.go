package phone

import (
	"slices"
	"strings"
	"time"

	"freizeichen/hal"
	"freizeichen/sip"
)

// numberMax bounds what can be typed: E.164 has 15 digits, feature codes and prefixes add some.
const numberMax = 32

// separators are what may stand in a number for the eye alone (RFC 3966 section 5.1.1).
var separators = strings.NewReplacer("-", "", ".", "", "(", "", ")", "")

// dialling is a number being typed.
type dialling struct {
	number   string
	offHook  bool       // a line is seized
	transfer sip.CallID // the call that shall be passed to the number, 0 without
	auto     time.Time  // when it is dialled by itself, zero means never
}

// seize takes the line on the route: dial tone.
func (p *Phone) seize(route hal.Route) {
	p.ended, p.list = nil, nil
	p.desk.LeaveScreen()
	p.route = route
	p.dial = &dialling{offHook: true}
}

// seizeIfLifted gives dial tone again when everything is over and the handset is still up.
func (p *Phone) seizeIfLifted() {
	if p.hookUp && p.dial == nil && len(p.present()) == 0 && !p.desk.AfterCall() {
		p.seize(hal.Handset)
	}
}

// handsFree is the route of answering and dialling by key.
func (p *Phone) handsFree() hal.Route {
	switch {
	case p.route != hal.Silent:
		return p.route
	case p.hookUp:
		return hal.Handset
	}
	return p.prefer
}

// typeDigit adds a digit to the number, and begins one where there is none.
func (p *Phone) typeDigit(now time.Time, digit byte) {
	p.ended, p.list = nil, nil
	if p.dial == nil {
		p.dial = &dialling{offHook: p.route != hal.Silent}
	}
	d := p.dial
	// "#" sends a number as on most phones, but belongs to feature codes such as *21#.
	if digit == '#' && d.number != "" && !strings.ContainsAny(d.number[:1], "*#") {
		p.dialTyped(now)
		return
	}
	if len(d.number) >= numberMax {
		return
	}
	d.number += string(digit)
	d.auto = time.Time{}
	if d.transfer == 0 && d.offHook && p.emergency(d.number) {
		p.dialTyped(now)
		return
	}
	if d.offHook && p.config.AutoDial > 0 && d.transfer == 0 {
		d.auto = now.Add(p.config.AutoDial)
	}
}

func (p *Phone) deleteDigit(now time.Time) {
	d := p.dial
	if d == nil || d.number == "" {
		return
	}
	d.number = d.number[:len(d.number)-1]
	d.auto = time.Time{}
	switch {
	case d.number == "" && !d.offHook && d.transfer == 0:
		p.dial = nil
	case d.number != "" && d.offHook && p.config.AutoDial > 0 && d.transfer == 0:
		d.auto = now.Add(p.config.AutoDial)
	}
}

// cancelDial gives up typing. A call that waited to be passed on waits on.
func (p *Phone) cancelDial() {
	d := p.dial
	p.dial = nil
	if d == nil {
		return
	}
	if c := p.find(d.transfer); c != nil && c.held {
		p.resume(c, p.handsFree())
		return
	}
	p.disengage()
}

// dialTyped dials the typed number; for a call that shall be passed on, as a consultation.
func (p *Phone) dialTyped(now time.Time) {
	d := p.dial
	if d == nil || d.number == "" {
		return
	}
	p.dial = nil
	if c := p.find(d.transfer); d.transfer != 0 {
		if c != nil {
			p.consult(c, sip.Party{Number: d.number})
		}
		return
	}
	p.call(now, sip.Party{Number: d.number}, p.handsFree())
}

// passTyped passes the waiting call to the typed number without asking there.
func (p *Phone) passTyped() {
	d := p.dial
	if d == nil || d.number == "" {
		return
	}
	p.dial = nil
	if c := p.find(d.transfer); c != nil {
		p.transfer(c, d.number)
	}
}

// transfer passes a call to a number without asking there.
func (p *Phone) transfer(c *call, number string) {
	c.consults = 0 // who is passed on is asked no more
	p.hush(c, sip.Party{Number: number})
	p.send(sip.Transfer{Call: c.id, Number: p.rewrite(number)})
	p.selected = c.id
	p.disengage()
}

// call dials a party on the route; a live call is put on hold first.
func (p *Phone) call(now time.Time, party sip.Party, route hal.Route) Refusal {
	emergency := p.emergency(party.Number)
	if refused := p.refuseCall(now, party, emergency); refused != Done {
		return refused
	}
	p.holdLive()
	if emergency && p.freeLine() == 0 {
		// An emergency call takes the line of whoever waits: first of one that rings, then of an office that is being
		// asked, then of one on hold.
		if c := p.ringing(); c != nil {
			p.leave(c)
		} else if c := p.consultation(); c != nil {
			p.leave(c)
		} else if c := p.held(); c != nil {
			p.leave(c)
		}
	}
	c := &call{id: p.next, line: p.freeLine(), party: party, state: CallingOut, since: now, at: now}
	p.next += 2 // odd: see sip.CallID
	p.calls = append(p.calls, c)
	p.selected, p.route = c.id, route
	p.dial, p.list, p.ended = nil, nil, nil
	p.desk.LeaveScreen()
	p.remember(&p.dialled, c)
	number := party.Number
	if !emergency {
		number = p.rewrite(number)
	}
	p.send(sip.Dial{Call: c.id, Number: number})
	return Done
}

// refuseCall says why a party cannot be called, on the panel too.
func (p *Phone) refuseCall(now time.Time, party sip.Party, emergency bool) Refusal {
	refused, cause := Done, sip.CauseNone
	live := p.live()
	switch {
	case !dialable(separators.Replace(party.Number)): // a caller without number, or who withholds it
		refused, cause = NoNumber, sip.BadNumber
	case emergency:
	case p.registration != Registered:
		refused, cause = NotRegistered, sip.NotRegistered
	case p.freeLine() == 0 && (live == nil || live.state == Talking):
		refused, cause = NoLine, sip.NoFreeLine
	}
	if refused != Done {
		p.dial = nil
		p.ended = &ending{view: Ended{Party: party, Cause: cause}, until: now.Add(endedShown)}
		if live == nil && p.route != hal.Silent {
			p.ended.tone = ToneCongestion
		}
		p.settle()
	}
	return refused
}

func (p *Phone) emergency(number string) bool { return slices.Contains(p.config.Emergency, number) }

func (p *Phone) rewrite(number string) string {
	for _, r := range p.config.Rules {
		if rest, ok := strings.CutPrefix(number, r.Prefix); ok {
			return r.Replace + rest
		}
	}
	return number
}
