package acd

import (
	"slices"
	"time"

	"freizeichen/sip"
)

// A job is a phone's request that the PBX works on: it is answered when the last command is done.
type job struct {
	asked   Asked
	open    int
	did     int  // commands that took effect
	refused bool // a command that was not done for another reason than being superfluous
}

// A command is what the PBX was told and has not answered yet.
type command struct {
	seat   *seat
	job    *job // nil: nobody waits for it
	effect Effect
}

// ask takes a phone's request.
func (c *Centre) ask(now time.Time, a Asked) {
	s := c.seat(c.config.Technology + a.Device)
	verb := a.Request.Verb
	switch {
	case a.Verified.Problem != sip.NoProblem:
		c.reply(s, a, a.Verified.Problem)
	case verb == sip.AskState:
		c.reply(s, a, sip.NoProblem)
	case verb == sip.ExtendWrap:
		c.reply(s, a, c.extend(now, s))
	case !c.connected:
		c.reply(s, a, sip.PBXAway)
	case s.job != nil && len(s.asked) >= askedMax:
		c.reply(s, a, sip.PBXRefused)
	case s.job != nil:
		s.asked = append(s.asked, a)
	case verb == sip.SignIn:
		c.signIn(now, s, a)
	case !s.signedIn():
		c.reply(s, a, sip.NotSignedIn)
	case verb == sip.SignOut:
		c.begin(now, s, a, func(j *job) {
			for _, m := range s.members {
				c.send(s, j, MemberRemove{Queue: m.queue.Name, Interface: s.name})
			}
		})
	case verb == sip.GoReady:
		c.goReady(now, s, a)
	case verb == sip.GoPaused:
		c.goPaused(now, s, a)
	default:
		c.reply(s, a, sip.PBXRefused)
	}
	c.discard(s)
}

func (c *Centre) reply(s *seat, a Asked, problem sip.AgentProblem) {
	r := sip.AgentReply{ID: a.Request.ID, Problem: problem, Known: problem != sip.PhoneUnknown}
	if r.Known {
		r.Agent = c.told(s)
	}
	switch problem {
	case sip.WrongPIN:
		r.Tries = a.Verified.Tries
	case sip.TooManyTries:
		r.Retry = a.Verified.Retry
	case sip.SignedInThere:
		r.Elsewhere = c.elsewhere(s, a)
	}
	c.do(Reply{s.device, r})
}

// elsewhere is the other phone at which the agent is signed in; empty: at none.
func (c *Centre) elsewhere(s *seat, a Asked) string {
	if there := c.agents[a.Verified.Number]; there != nil && there != s {
		return there.device
	}
	return ""
}

// begin starts a job. One without a command is done at once.
func (c *Centre) begin(now time.Time, s *seat, a Asked, commands func(*job)) {
	j := &job{asked: a}
	s.job, s.patience = j, now.Add(commandPatience)
	commands(j)
	if j.open == 0 {
		c.finish(now, s)
	}
	c.arm(s)
}

// send tells the PBX something.
func (c *Centre) send(s *seat, j *job, e Effect) {
	c.command++
	switch command := e.(type) {
	case MemberAdd:
		command.ID = c.command
		e = command
	case MemberRemove:
		command.ID = c.command
		e = command
	case MemberPause:
		command.ID = c.command
		e = command
	}
	c.commands[c.command] = command{s, j, e}
	s.open++
	if j != nil {
		j.open++
	}
	c.do(e)
}

// pause tells the PBX to pause a seat or to end it. Without a PBX, the next sync decides. What the switchboard does of
// its own accord counts at once: nobody is free for the moment between a call and its wrap-up.
func (c *Centre) pause(s *seat, j *job, paused bool, reason string) {
	if !c.connected {
		return
	}
	if j == nil {
		s.pause(c, paused, reason)
	}
	c.send(s, j, MemberPause{Interface: s.name, Paused: paused, Reason: reason})
}

// pause is how the PBX sees the seat now.
func (s *seat) pause(c *Centre, paused bool, reason string) {
	for _, m := range s.members {
		m.set(m.status, paused, reason)
		c.touch(m.queue)
	}
}

func (c *Centre) signIn(now time.Time, s *seat, a Asked) {
	if !a.Request.TakeOver && c.elsewhere(s, a) != "" {
		c.reply(s, a, sip.SignedInThere)
		return
	}
	c.begin(now, s, a, func(j *job) {
		wanted := a.Verified.Queues
		for _, m := range s.members {
			keep := slices.ContainsFunc(wanted, func(w Serving) bool { return w.Queue == m.queue.Name })
			// The PBX keeps the name of a member who is there: another agent must be added anew.
			if s.agent.Number != a.Verified.Number || !keep {
				c.send(s, nil, MemberRemove{Queue: m.queue.Name, Interface: s.name})
			}
		}
		for _, w := range wanted {
			q := c.byName[w.Queue]
			if q == nil || !q.onPBX {
				c.do(QueueMissing{w.Queue})
				continue
			}
			c.send(s, j, MemberAdd{Queue: w.Queue, Interface: s.name, Name: a.Verified.Number, Penalty: w.Penalty})
		}
	})
}

func (c *Centre) goReady(now time.Time, s *seat, a Asked) {
	next := s.agent.PausesNext
	switch {
	case s.agent.State == sip.Ready:
		if next != "" {
			s.agent.PausesNext = ""
			c.change(now, s)
		}
		c.reply(s, a, sip.NoProblem)
	case s.agent.State == sip.WrapUp && next != "":
		// He is done with the work after the call; what follows is the pause that he asked for.
		c.begin(now, s, a, func(j *job) { c.pause(s, j, true, c.text(next)) })
	default:
		c.begin(now, s, a, func(j *job) { c.pause(s, j, false, "") })
	}
}

func (c *Centre) goPaused(now time.Time, s *seat, a Asked) {
	reason := a.Request.Reason
	if _, known := c.reasons[reason]; !known {
		c.reply(s, a, sip.ReasonUnknown)
		return
	}
	if s.talking != nil && s.agent.State == sip.Ready {
		s.agent.PausesNext = reason
		c.change(now, s)
		c.reply(s, a, sip.NoProblem)
		return
	}
	c.begin(now, s, a, func(j *job) { c.pause(s, j, true, c.text(reason)) })
}

func (c *Centre) extend(now time.Time, s *seat) sip.AgentProblem {
	switch {
	case !s.signedIn():
		return sip.NotSignedIn
	case s.agent.State != sip.WrapUp || s.agent.Until.IsZero():
		return sip.NotWrappingUp
	case s.agent.Extends <= 0:
		return sip.ExtendedEnough
	}
	s.agent.Until = s.agent.Until.Add(c.config.ExtendBy)
	s.agent.Extends--
	c.change(now, s)
	return sip.NoProblem
}

// done takes the PBX's word. What it did is taken over at once: its events may come later.
func (c *Centre) done(now time.Time, e Done) {
	cmd, known := c.commands[e.ID]
	if !known {
		return
	}
	delete(c.commands, e.ID)
	s, j := cmd.seat, cmd.job
	s.open--
	ok := c.carriedOut(cmd, e.Problem)
	if j == nil || j != s.job {
		if s.open == 0 && s.job == nil {
			c.observe(now, s)
			if s.signedIn() && e.Problem == Did {
				c.change(now, s) // confirmed
			}
		}
		c.discard(s)
		return
	}
	j.open--
	if ok {
		j.did++
	} else if e.Problem != NoSuchQueue {
		j.refused = true
	}
	if j.open == 0 {
		c.finish(now, s)
	}
}

// carriedOut applies a command to the model, and reports whether what it wanted is so now.
func (c *Centre) carriedOut(cmd command, problem Problem) bool {
	switch e := cmd.effect.(type) {
	case MemberAdd:
		if problem == NoSuchQueue {
			c.do(QueueMissing{e.Queue})
		}
		if problem != Did && problem != AlreadyThere {
			return false
		}
		m := c.join(c.byName[e.Queue], cmd.seat)
		if problem == Did {
			m.set(m.status, false, "")
		}
	case MemberRemove:
		if problem != Did && problem != NotThere && problem != NoSuchQueue {
			return false
		}
		if m := c.byName[e.Queue].members[e.Interface]; m != nil {
			c.drop(m)
		}
	case MemberPause:
		if problem == Did {
			cmd.seat.pause(c, e.Paused, e.Reason)
		} else if cmd.job == nil {
			cmd.seat.pause(c, !e.Paused, "") // it counted at once, and was not so
		}
		return problem == Did
	}
	return true
}

// finish ends a job: what the PBX did becomes the agent's state, and the phone gets its answer.
func (c *Centre) finish(now time.Time, s *seat) {
	j := s.job
	s.job, s.patience = nil, time.Time{}
	problem := sip.NoProblem
	switch j.asked.Request.Verb {
	case sip.SignIn:
		problem = c.signedIn(now, s, j)
	case sip.SignOut:
		if j.refused {
			problem = sip.PBXRefused
		} else {
			c.seatOut(now, s, "")
		}
	case sip.GoReady, sip.GoPaused:
		c.switched(now, s, j, &problem)
	}
	c.observe(now, s)
	c.reply(s, j.asked, problem)
	c.arm(s)
	c.next(now, s)
}

// switched ends GoReady and GoPaused.
func (c *Centre) switched(now time.Time, s *seat, j *job, problem *sip.AgentProblem) {
	reason := j.asked.Request.Reason
	if j.asked.Request.Verb == sip.GoReady {
		reason = s.agent.PausesNext
	}
	switch {
	case j.did == 0:
		*problem = sip.PBXRefused
	case !s.signedIn():
		*problem = sip.NotSignedIn // meanwhile moved to another phone
	case reason != "":
		c.enter(now, s, sip.Paused, reason)
	default:
		c.enter(now, s, sip.Ready, "")
	}
}

// signedIn ends a sign-in: one queue is enough.
func (c *Centre) signedIn(now time.Time, s *seat, j *job) sip.AgentProblem {
	a := j.asked
	there := c.agents[a.Verified.Number]
	taken := there != nil && there != s && !a.Request.TakeOver // by a second sign-in at the same moment
	if taken || j.did == 0 {
		if s.agent.Number != a.Verified.Number {
			c.empty(s)
			if s.signedIn() {
				c.seatOut(now, s, "") // who sat there before has left his queues already
			}
		}
		if taken {
			return sip.SignedInThere
		}
		return sip.PBXRefused
	}
	if there != nil && there != s {
		if there.job == nil || there.job.asked.Request.Verb != sip.SignIn {
			c.empty(there)
		} // else the next agent is on his way in there
		c.seatOut(now, there, s.device)
	}
	c.seatIn(now, s, a.Verified.Number, a.Verified.Name)
	return sip.NoProblem
}

// empty takes a seat out of all its queues.
func (c *Centre) empty(s *seat) {
	for _, m := range s.members {
		c.send(s, nil, MemberRemove{Queue: m.queue.Name, Interface: s.name})
	}
}

// next takes up what the phone asked meanwhile.
func (c *Centre) next(now time.Time, s *seat) {
	for s.job == nil && len(s.asked) > 0 {
		a := s.asked[0]
		s.asked = s.asked[1:]
		c.ask(now, a)
	}
}

// giveUp ends a job that the PBX has not answered. Whether it did it, its events will tell.
func (c *Centre) giveUp(now time.Time, s *seat) {
	for id, cmd := range c.commands {
		if cmd.seat == s {
			delete(c.commands, id)
		}
	}
	s.open = 0
	j := s.job
	s.job, s.patience = nil, time.Time{}
	if j != nil {
		s.undo = s.undo || j.asked.Request.Verb == sip.SignIn && !s.signedIn()
		c.reply(s, j.asked, sip.PBXAway)
	}
	c.resync()
	c.next(now, s)
}

// cutOff ends what waits for a PBX that is away.
func (c *Centre) cutOff(s *seat) {
	jobs := s.asked
	if s.job != nil {
		s.undo = s.undo || s.job.asked.Request.Verb == sip.SignIn && !s.signedIn()
		jobs = append([]Asked{s.job.asked}, jobs...)
	}
	s.job, s.asked, s.open, s.patience = nil, nil, 0, time.Time{}
	for _, a := range jobs {
		c.reply(s, a, sip.PBXAway)
	}
	c.arm(s)
}
