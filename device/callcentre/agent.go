package callcentre

import (
	"slices"

	"freizeichen/sip"
)

// signedIn reports whether an agent sits at the phone.
func (d *Desk) signedIn() bool { return d.agent.State != sip.SignedOut }

// ask sends a request to the switchboard. A request under way is forgotten: its reply is not the newest word any more.
func (d *Desk) ask(r sip.AgentRequest) {
	d.lastID++
	r.ID = d.lastID
	d.asked = &r
	d.do(Ask{r})
}

// reply is the switchboard's answer.
func (d *Desk) reply(r sip.AgentReply) {
	asked := d.asked
	if r.Known {
		d.apply(r.Agent)
	}
	if asked == nil || asked.ID != r.ID {
		return
	}
	d.asked = nil
	switch r.Problem {
	case sip.NoProblem:
		switch {
		case asked.Verb == sip.SignIn:
			d.say(NoteSignedIn, d.agent.Name)
		case asked.Verb == sip.GoPaused && d.agent.PausesNext != "":
			d.say(NotePausesNext, "")
		}
	case sip.SignedInThere:
		d.openTakeOver(*asked, r.Elsewhere)
	case sip.WrongPIN:
		d.say(NoteProblem, r.Problem.String())
		if asked.Verb == sip.SignIn {
			d.prompt = &prompt{kind: AskPIN, number: asked.Number, tries: r.Tries, until: d.now.Add(promptShown)}
		}
	case sip.TooManyTries:
		d.say(NoteProblem, r.Problem.String())
		if !r.Retry.IsZero() {
			d.note.arg += " " + r.Retry.In(d.now.Location()).Format("15:04")
		}
		if asked.Verb == sip.SignIn { // whoever tries again at once must not type his PIN as a number to dial
			d.prompt = &prompt{kind: AskPIN, number: asked.Number, until: d.now.Add(promptShown)}
		}
	case sip.SwitchboardAway, sip.SwitchboardUntrusted:
		d.fallBack(*asked)
	default:
		if asked.Verb != sip.AskState {
			d.say(NoteProblem, r.Problem.String())
		}
	}
}

// fallBack dials what the PBX understands by itself.
func (d *Desk) fallBack(r sip.AgentRequest) {
	number := ""
	switch r.Verb {
	case sip.AskState:
		return
	case sip.SignIn:
		number = d.config.Codes.SignIn
	case sip.SignOut:
		number = d.config.Codes.SignOut
	case sip.GoReady:
		number = d.config.Codes.Ready
	case sip.GoPaused:
		number = d.reason(r.Reason).Code
	}
	if number == "" || d.code != nil {
		d.say(NoteProblem, sip.SwitchboardAway.String())
		return
	}
	r.PIN = ""
	d.code = &r
	d.do(Code{number})
}

// codeDone takes what the feature code stands for as the present state, until the switchboard says better.
func (d *Desk) codeDone(ok bool) {
	r := d.code
	d.code = nil
	if r == nil {
		return
	}
	if !ok {
		d.say(NoteCodeFailed, "")
		return
	}
	a := d.agent
	a.Since, a.Reason, a.Until, a.Confirmed = d.now, "", d.now.Add(-1), false
	switch r.Verb {
	case sip.SignIn:
		a.State, a.Number, a.Name = sip.Ready, r.Number, ""
	case sip.SignOut:
		a.State, a.Number, a.Name, a.Queues = sip.SignedOut, "", "", nil
	case sip.GoReady:
		a.State = sip.Ready
	case sip.GoPaused:
		a.State, a.Reason = sip.Paused, r.Reason
	}
	d.apply(a)
	d.say(NoteCode, "")
}

// apply takes the agent as he is now.
func (d *Desk) apply(a sip.Agent) {
	before := d.agent
	d.agent, d.known = a, true
	d.quiet = d.quiet && a.State == sip.SignedOut // one truth: who is signed in pauses for it
	d.agent.Queues = slices.Clone(a.Queues)
	if before.State != sip.SignedOut && (a.State == sip.SignedOut || a.Number != before.Number) {
		// Hot desk: nothing of one agent is left for the next.
		d.after, d.counts, d.figures, d.shown = nil, counts{}, nil, 0
		d.LeaveScreen()
		d.do(Wipe{})
		if a.Elsewhere != "" {
			d.say(NoteTakenOver, a.Elsewhere)
		}
	}
	if before.State == sip.WrapUp && a.State != sip.WrapUp && d.after != nil && !d.after.late {
		d.after.close()
	}
	d.watch()
}

// watch subscribes to the queues that the agent serves.
func (d *Desk) watch() {
	want := d.config.Queues
	if d.signedIn() && len(d.agent.Queues) > 0 {
		want = d.agent.Queues
	}
	if slices.Equal(want, d.watched) {
		return
	}
	d.watched = slices.Clone(want)
	var queues []*queue
	for _, name := range d.watched {
		q := d.queue(name)
		if q == nil {
			q = &queue{name: name}
		}
		queues = append(queues, q)
	}
	d.queues, d.shown = queues, 0
	d.do(Watch{slices.Clone(d.watched)})
}

func (d *Desk) reason(id string) Reason {
	for _, r := range d.config.Reasons {
		if r.ID == id {
			return r
		}
	}
	return Reason{ID: id}
}

// pause asks for a pause.
func (d *Desk) pause(reason string) {
	if d.signedIn() {
		d.ask(sip.AgentRequest{Verb: sip.GoPaused, Reason: reason})
	}
}

// refused pauses an agent who has refused a call of the queue: it would ring here again at once.
func (d *Desk) refused(call sip.CallID) {
	c := d.citizen(call)
	if c == nil || !d.config.RejectPauses || d.agent.State != sip.Ready || !c.fromQueue() {
		return
	}
	d.pause(ReasonDeclined)
	d.say(NotePaused, "")
}

// setQuiet is do-not-disturb: while an agent is signed in there is one state only, a pause with a reason.
func (d *Desk) setQuiet(on bool) {
	switch {
	case !d.signedIn():
		d.quiet = on
	case on:
		d.pause(ReasonQuiet)
	default:
		d.ask(sip.AgentRequest{Verb: sip.GoReady})
	}
}

func (d *Desk) isQuiet() bool {
	return d.quiet || d.agent.State == sip.Paused && d.agent.Reason == ReasonQuiet
}
