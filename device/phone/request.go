package phone

import (
	"time"

	"freizeichen/hal"
	"freizeichen/sip"
)

// A Verb is what a program can ask the phone to do.
type Verb uint8

// The verbs.
const (
	AskAnswer Verb = iota
	AskHangup
	AskHold
	AskResume
	AskDial     // Argument: the number
	AskTransfer // Argument: the number
	AskDTMF     // Argument: the digits
	AskConsult  // Argument: the number
	AskJoin
	AskTest // Argument: the level of the self-test, and the tests when not all
	VerbCount
)

func (v Verb) String() string {
	return [...]string{"answer", "hangup", "hold", "resume", "dial", "transfer", "dtmf", "consult", "join", "selftest", "invalid"}[min(v, VerbCount)]
}

// A Request is a person's wish that came through a program instead of a key: Step answers it with a Reply.
type Request struct {
	ID       uint64
	Verb     Verb
	Argument string
}

// A Refusal says why a Request was not done. Done is the zero value.
type Refusal uint8

// The refusals.
const (
	Done Refusal = iota
	NotRinging
	NoCall
	NotTalking
	NotHeld
	NoLine
	NoNumber
	NotRegistered
	BadDigits
	NotConsulting
	Consulting
	BeingJoined
	NoSuchTest
	Testing
	InUse
	AgentReady
	refusalCount
)

func (r Refusal) String() string {
	return [...]string{
		"done", "no call is ringing", "there is no call", "the call is not in conversation", "no call is on hold",
		"both lines are taken; end a call first", "there is no number to call", "not registered with the PBX; see phonectl status",
		"not a telephone number: digits, * and # only, with an optional + in front, at most 32",
		"nobody is being asked; consult first, and wait until it rings there",
		"somebody is being asked already; join, or hang up there first",
		"the two are just being joined; try again in a moment",
		"there is no such self-test; write technician or factory", "a self-test is running already",
		"the phone is in use; end the call and lay the handset down first",
		"an agent is ready for calls here; pause or sign out first",
	}[min(r, refusalCount-1)]
}

// request does what a program asks.
func (p *Phone) request(now time.Time, r Request) Refusal {
	if p.test != nil && r.Verb == AskDial && dialable(r.Argument) {
		p.stopTest()
	}
	switch r.Verb {
	case AskAnswer:
		return p.soft(now, SoftAnswer)
	case AskHangup:
		if c := p.live(); c != nil {
			p.hangUp(now, c)
			return Done
		}
		if p.dial != nil {
			p.release(now)
			return Done
		}
		return p.soft(now, SoftHangup)
	case AskHold:
		if p.live() == nil {
			return NotTalking
		}
		return p.holdKey()
	case AskResume:
		c := p.held()
		if c == nil || c.state != Talking {
			return NotHeld
		}
		p.resume(c, p.handsFree())
	case AskDial:
		if !dialable(r.Argument) {
			return BadDigits
		}
		return p.call(now, sip.Party{Number: r.Argument}, p.handsFree())
	case AskTransfer:
		return p.askTransfer(r.Argument)
	case AskDTMF:
		return p.askDigits(r.Argument)
	case AskConsult:
		return p.askConsult(r.Argument)
	case AskJoin:
		return p.join()
	case AskTest:
		return p.askTest(r.Argument)
	}
	return Done
}

func (p *Phone) askTransfer(number string) Refusal {
	if !dialable(number) {
		return BadDigits
	}
	c := p.live()
	if c == nil {
		c = p.held()
	}
	if c == nil || c.state != Talking {
		return NotTalking
	}
	if p.consultation() != nil {
		return Consulting // whom would it pass on?
	}
	p.dial = nil
	p.transfer(c, number)
	return Done
}

func (p *Phone) askDigits(digits string) Refusal {
	c := p.live()
	if c == nil || c.state != Talking {
		return NotTalking
	}
	if digits == "" || len(digits) > numberMax {
		return BadDigits
	}
	for i := range len(digits) {
		if keyOf(digits[i]) == hal.KeyNone {
			return BadDigits
		}
	}
	for i := range len(digits) {
		p.send(sip.SendDigit{Call: c.id, Digit: digits[i]})
	}
	return Done
}

// dialable reports whether the string can be typed on this phone, or is an international number.
func dialable(number string) bool {
	if number != "" && number[0] == '+' {
		number = number[1:]
	}
	if number == "" || len(number) > numberMax {
		return false
	}
	for i := range len(number) {
		if keyOf(number[i]) == hal.KeyNone {
			return false
		}
	}
	return true
}

// keyOf is the key that types the digit, KeyNone without one.
func keyOf(digit byte) hal.Key {
	if k := hal.ParseKey(string(rune(digit))); k.Digit() != 0 {
		return k
	}
	return hal.KeyNone
}
