package acd

import (
	"cmp"
	"slices"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/acd/alarm"
)

// A seat is one interface of the PBX: a phone, perhaps with an agent, in the queues that it serves.
type seat struct {
	name    string // the PBX's: "PJSIP/201"
	device  string // "201"; empty when it is none of the phones
	members []*member
	talking *queue // with a caller of it

	// agent is what the phone is told but for Confirmed; without Number nobody is signed in.
	agent sip.Agent
	alarm alarm.Alarm[owner]
	empty time.Time // since when the agent serves no queue; zero: he does
	rung  uint64    // the version that the phone was told of

	job      *job      // a request of the phone that the PBX works on
	patience time.Time // how long it may
	asked    []Asked   // requests that wait for it
	open     int       // commands without Done
	undo     bool      // a sign-in was cut off: what it did is to be taken back
}

// seat finds a seat, or makes it.
func (c *Centre) seat(name string) *seat {
	s := c.seats[name]
	if s == nil {
		s = &seat{name: name, device: c.device(name)}
		s.alarm.Owner.seat, s.agent.Device = s, s.device
		c.seats[name] = s
	}
	return s
}

// discard forgets a seat that says nothing: no member, no agent, nothing to answer. The phone's version must not be
// forgotten, and so those that had an agent stay.
func (c *Centre) discard(s *seat) {
	if len(s.members) == 0 && s.agent.Version == 0 && s.job == nil && len(s.asked) == 0 && s.open == 0 && !s.undo {
		c.alarms.Set(&s.alarm, time.Time{})
		delete(c.seats, s.name)
	}
}

func (s *seat) signedIn() bool { return s.agent.Number != "" }

// told is what the phone is told.
func (c *Centre) told(s *seat) sip.Agent {
	a := s.agent
	a.Queues = slices.Clone(a.Queues)
	a.Confirmed = c.connected && s.open == 0
	return a
}

// change makes the phone's agent a new version: the phone is told, and the memory too.
func (c *Centre) change(now time.Time, s *seat) {
	s.agent.Queues = s.agent.Queues[:0:0]
	if s.signedIn() {
		for _, m := range s.members {
			s.agent.Queues = append(s.agent.Queues, m.queue.Name)
		}
	}
	// Versions grow over a restart too, as long as the clock does.
	s.agent.Version = max(s.agent.Version+1, uint64(max(0, now.UnixMilli())))
	c.do(RememberSignIn{SignIn{
		Device: s.device, Number: s.agent.Number, Name: s.agent.Name, State: s.agent.State, Reason: s.agent.Reason,
		Since: s.agent.Since, Until: s.agent.Until, Extends: s.agent.Extends, Version: s.agent.Version,
	}})
	c.bell(now, s)
	c.arm(s)
}

// enter puts the agent into a state and tells of it.
func (c *Centre) enter(now time.Time, s *seat, state sip.AgentState, reason string) {
	s.become(now, state, reason)
	c.change(now, s)
}

// become is enter without telling.
func (s *seat) become(now time.Time, state sip.AgentState, reason string) {
	s.agent.State, s.agent.Reason, s.agent.Since = state, reason, now
	s.agent.Until, s.agent.Extends, s.agent.Elsewhere = time.Time{}, 0, ""
	if state != sip.Ready && state != sip.WrapUp {
		s.agent.PausesNext = ""
	}
}

// seatIn gives the seat to an agent who is ready.
func (c *Centre) seatIn(now time.Time, s *seat, number, name string) {
	if s.signedIn() {
		delete(c.agents, s.agent.Number)
	}
	s.agent.Number, s.agent.Name, s.empty = number, name, time.Time{}
	c.agents[number] = s
	c.enter(now, s, sip.Ready, "")
}

// seatOut signs the agent out; elsewhere is the phone that took him over.
func (c *Centre) seatOut(now time.Time, s *seat, elsewhere string) {
	if c.agents[s.agent.Number] == s {
		delete(c.agents, s.agent.Number)
	}
	s.agent.Number, s.agent.Name, s.empty = "", "", time.Time{}
	s.become(now, sip.SignedOut, "")
	s.agent.Elsewhere = elsewhere
	c.change(now, s)
}

// afterCall is what follows a queue's call for the agent: the wrap-up, or the pause that he asked for meanwhile.
func (c *Centre) afterCall(now time.Time, s *seat, q *queue) {
	if !s.signedIn() || s.agent.State != sip.Ready || s.job != nil {
		return
	}
	switch {
	case q.WrapUp > 0:
		c.wrapUp(now, s, q.WrapUp)
		c.pause(s, nil, true, c.config.WrapUpReason)
	case s.agent.PausesNext != "":
		c.pauseNext(now, s)
	}
}

func (c *Centre) wrapUp(now time.Time, s *seat, long time.Duration) {
	s.become(now, sip.WrapUp, "")
	s.agent.Until, s.agent.Extends = now.Add(long), c.config.Extends
	c.change(now, s)
}

// pauseNext begins the pause that was asked for during a call.
func (c *Centre) pauseNext(now time.Time, s *seat) {
	reason := s.agent.PausesNext
	c.enter(now, s, sip.Paused, reason)
	c.pause(s, nil, true, c.text(reason))
}

// text is the PBX's reason of a pause.
func (c *Centre) text(id string) string { return cmp.Or(c.reasons[id], id) }

// reason is the phone's identifier of a pause; one that the site does not have is told by its text.
func (c *Centre) reason(text string) string { return cmp.Or(c.ids[text], text) }

// arm sets the seat's alarm: the end of a wrap-up, of the patience with the PBX, or of serving nothing. Without a PBX
// nothing ends: it would not obey.
func (c *Centre) arm(s *seat) {
	at := s.patience
	sooner := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	if c.connected && s.agent.State == sip.WrapUp && s.job == nil {
		sooner(s.agent.Until)
	}
	if c.connected && !s.empty.IsZero() {
		sooner(s.empty.Add(emptyPatience))
	}
	c.alarms.Set(&s.alarm, at)
}

// seatDue is the seat's alarm.
func (c *Centre) seatDue(now time.Time, s *seat) {
	switch {
	case !s.patience.IsZero() && !now.Before(s.patience):
		c.giveUp(now, s)
	case !s.empty.IsZero() && !now.Before(s.empty.Add(emptyPatience)):
		s.empty = time.Time{}
		if len(s.members) == 0 && s.signedIn() {
			c.seatOut(now, s, "")
		}
	case s.agent.State == sip.WrapUp && !now.Before(s.agent.Until):
		if s.agent.PausesNext != "" {
			c.pauseNext(now, s)
		} else {
			c.enter(now, s, sip.Ready, "")
			c.pause(s, nil, false, "")
		}
	}
	c.arm(s)
}

// observe takes what the PBX does with a seat over as the truth, unless a command of ours is under way.
func (c *Centre) observe(now time.Time, s *seat) {
	if !s.signedIn() || s.job != nil || s.open > 0 || !c.connected {
		return
	}
	if len(s.members) == 0 {
		if s.empty.IsZero() {
			s.empty = now
			c.arm(s)
		}
		return
	}
	s.empty = time.Time{}
	paused, text := true, ""
	for _, m := range s.members {
		paused = paused && m.paused
		text = cmp.Or(text, m.reason)
	}
	wrapping := paused && text == c.config.WrapUpReason
	switch {
	case wrapping && s.agent.State != sip.WrapUp:
		// Begun by a feature code, or by a switchboard that forgot: it must end by itself all the same.
		c.wrapUp(now, s, wrapUpDefault)
	case paused && !wrapping && (s.agent.State != sip.Paused || s.agent.Reason != c.reason(text)):
		c.enter(now, s, sip.Paused, c.reason(text))
	case !paused && s.agent.State != sip.Ready:
		c.enter(now, s, sip.Ready, "")
	case !slices.EqualFunc(s.members, s.agent.Queues, func(m *member, name string) bool { return m.queue.Name == name }):
		c.change(now, s)
	}
	c.arm(s)
}

// rejoin is a seat after a sync: what a cut-off sign-in left is taken back, an agent is what the PBX says.
func (c *Centre) rejoin(now time.Time, s *seat) {
	if s.undo && !s.signedIn() {
		for _, m := range s.members {
			c.send(s, nil, MemberRemove{Queue: m.queue.Name, Interface: s.name})
		}
	}
	s.undo = false
	c.observe(now, s)
	s.rung = 0
	c.bell(now, s)
	c.arm(s)
}

// sorted are the seats in an order that does not depend on chance.
func (c *Centre) sorted() []*seat {
	all := make([]*seat, 0, len(c.seats))
	for _, s := range c.seats {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *seat) int { return cmp.Compare(a.name, b.name) })
	return all
}

// restore takes what was remembered, before the PBX has spoken. An agent at two phones is at the later one.
func (c *Centre) restore(now time.Time, e Restored) {
	if c.connected {
		return
	}
	for _, in := range e.SignIns {
		s := c.seat(c.config.Technology + in.Device)
		if in.Device == "" || s.signedIn() {
			continue
		}
		s.agent.Version = in.Version
		if in.Number == "" || in.State >= sip.AgentStateCount || in.State == sip.SignedOut {
			continue
		}
		if there := c.agents[in.Number]; there != nil {
			if there.agent.Version > in.Version {
				continue
			}
			c.seatOut(now, there, in.Device)
		}
		c.agents[in.Number] = s
		s.agent = sip.Agent{
			Device: in.Device, Number: in.Number, Name: in.Name, State: in.State, Reason: in.Reason, Since: in.Since,
			Until: in.Until, Extends: in.Extends, Version: in.Version,
		}
	}
	for _, d := range e.Days {
		c.restoreDay(d)
	}
}
