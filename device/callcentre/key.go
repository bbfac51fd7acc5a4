package callcentre

import "freizeichen/sip"

// Soft is what the four soft keys mean when the desk has the screen, or when focus, the call that the keys mean, is a
// citizen's that the agent talks to; false when the desk leaves them to the phone.
func (d *Desk) Soft(focus sip.CallID) (keys [4]Action, ours bool) {
	switch {
	case !d.config.On:
		return keys, false
	case d.prompt != nil:
		return [4]Action{ActNext, ActErase, ActNone, ActCancel}, true
	case d.menu != nil && d.menu.kind == TakeOverMenu:
		return [4]Action{ActYes, ActNone, ActNone, ActNo}, true
	case d.menu != nil && d.menu.kind == NoticeMenu:
		return [4]Action{3: ActBack}, true
	case d.menu != nil:
		return [4]Action{ActChoose, ActNone, ActNone, ActBack}, true
	}
	if c := d.citizen(focus); c != nil && c.talking && d.library.Tenant(c.tenant) != nil {
		return [4]Action{ActAsk, ActPass, ActMessage, ActMore}, true
	}
	if focus == 0 && d.AfterCall() {
		return [4]Action{ActSolved, ActForwarded, ActLeftMessage, ActDone}, true
	}
	return keys, false
}

// IdleSoft are the two right soft keys of the idle screen.
func (d *Desk) IdleSoft() [2]Action {
	switch d.agent.State {
	case sip.SignedOut:
		return [2]Action{ActSignIn, ActMenu}
	case sip.Ready:
		return [2]Action{ActPause, ActMenu}
	}
	return [2]Action{ActReady, ActMenu}
}

// press does what a soft key means.
func (d *Desk) press(a Action) {
	switch a {
	case ActSignIn:
		d.openSignIn()
	case ActPause:
		d.openReasons()
	case ActReady:
		d.ask(sip.AgentRequest{Verb: sip.GoReady})
	case ActMenu:
		d.openMain()
	case ActNext, ActChoose, ActYes:
		d.choose()
	case ActErase:
		if p := d.prompt; p != nil && p.typed != "" {
			p.typed = p.typed[:len(p.typed)-1]
		}
	case ActCancel, ActBack, ActNo:
		d.LeaveScreen()
	case ActAsk, ActPass, ActMessage, ActMore:
		if c := d.talking(); c != nil {
			d.forCitizen(c, a)
		}
	default:
		if d.AfterCall() {
			d.ofAfter(a)
		}
	}
}

func (d *Desk) forCitizen(c *citizen, a Action) {
	switch a {
	case ActMessage:
		d.message(c)
	case ActMore:
		d.openCall(c)
	default:
		d.toOffice(c, a)
	}
}

func (d *Desk) ofAfter(a Action) {
	switch a {
	case ActSolved:
		d.setResult(sip.Solved)
	case ActForwarded:
		d.setResult(sip.Forwarded)
	case ActLeftMessage:
		d.leaveMessage()
	case ActDone:
		d.done()
	}
}

// digit is a key of the keypad while the desk has the screen: a digit of the prompt, the number of a choice, or of a topic
// after a call; there * extends the wrap-up and # ends it.
func (d *Desk) digit(digit byte) {
	switch {
	case d.prompt != nil && digit == '#':
		d.next()
	case d.prompt != nil:
		d.prompt.add(digit)
		d.prompt.until = d.now.Add(promptShown)
	case d.menu != nil:
		if digit >= '1' && digit <= '9' {
			d.take(int(digit - '1'))
		}
	case !d.AfterCall():
	case digit == '*':
		d.extend()
	case digit == '#':
		d.done()
	case digit == '0':
		d.openTopics(0)
	default:
		if topics := d.after.topics; int(digit-'1') < len(topics) {
			d.setTopic(topics[digit-'1'])
		}
	}
}

// move goes up and down: in a menu, in the card, in the topics after a call, between the queues.
func (d *Desk) move(by int) {
	switch {
	case d.prompt != nil:
	case d.menu != nil:
		d.menu.selected = max(0, min(d.menu.selected+by, len(d.menu.entries)-1))
		d.menu.until = d.now.Add(menuShown)
	case d.talking() != nil:
		c := d.talking()
		card := d.card(c)
		switch {
		case card == nil:
		case by < 0 && c.top == 0: // from the first line up is where the office stands, far down on a small panel
			c.top = card.officeLine()
		default:
			c.top = max(0, min(c.top+by, len(card.Lines)-1))
		}
	case d.AfterCall():
		d.after.top = max(0, min(d.after.top+by, len(d.after.topics)))
	default:
		d.shown = max(0, min(d.shown+by, len(d.queues)-1))
	}
}

func (d *Desk) choose() {
	switch {
	case d.prompt != nil:
		d.next()
	case d.menu != nil:
		d.take(d.menu.selected)
	case d.AfterCall():
		d.openMain() // a pause that follows, or the end of the day, without becoming ready before
	}
}

func (d *Desk) back() {
	switch {
	case d.Asking():
		d.LeaveScreen()
	case d.AfterCall():
		d.done()
	}
}
