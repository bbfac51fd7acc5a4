package exchange

import (
	"slices"
	"time"

	"freizeichen/sip/exchange/deadline"
	"freizeichen/sip/exchange/studio"
)

// A visitor is a citizen at the exchange: waiting, talking to an agent, or transferred.
type visitor struct {
	Citizen
	id    ID
	queue string // empty: the citizen or colleague calls a phone directly
	party *party
	since time.Time // he is at the exchange
	end   time.Time // gives up, or hangs up; zero: never
}

// admit lets a citizen call; 0 means that the number leads nowhere.
func (e *Exchange) admit(now time.Time, c Citizen) ID {
	e.lastID++
	v := &visitor{Citizen: c, id: e.lastID, since: now, end: deadline.After(now, c.Patience)}
	v.party = &party{who: c.Party, visitor: v, sound: studio.NewTalker(c.Voice, false)}
	v.queue, _ = e.queues.Find(c.Called)
	switch {
	case v.queue != "":
		e.visitors = append(e.visitors, v)
		e.queues.Join(now, v.id, c.Called)
	case e.account(c.Called) != nil:
		e.visitors = append(e.visitors, v)
		e.try(now, &attempt{target: c.Called, visitor: v})
	default:
		return 0
	}
	e.callers.Remember(c)
	return v.id
}

// dismiss is a citizen's hanging up, while waiting or talking.
func (e *Exchange) dismiss(now time.Time, v *visitor) {
	e.visitors = slices.DeleteFunc(e.visitors, func(x *visitor) bool { return x == v })
	e.queues.Abandon(now, v.id)
	for _, a := range slices.Clone(e.attempts) {
		if a.visitor == v && v.queue == "" {
			e.abort(now, a, gaveUp)
		}
	}
	e.lost(now, v.party)
}

// engaged reports whether the citizen with the number is at the exchange: waiting, talking, or called by a phone.
func (e *Exchange) engaged(number string) bool {
	is := func(p *party) bool { return p != nil && p.leg == nil && p.who.Number == number }
	return slices.ContainsFunc(e.visitors, func(v *visitor) bool { return is(v.party) }) ||
		slices.ContainsFunc(e.legs, func(l *leg) bool { return is(l.party.peer) }) ||
		slices.ContainsFunc(e.attempts, func(a *attempt) bool {
			return a.office != nil && a.who.Number == number || a.referral != nil && is(a.referral.remote)
		})
}

func (e *Exchange) visitor(id ID) *visitor {
	for _, v := range e.visitors {
		if v.id == id {
			return v
		}
	}
	return nil
}
