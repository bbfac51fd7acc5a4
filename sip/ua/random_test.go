package ua

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/uatest"
)

// TestEveryCallEndsExactlyOnce lets a phone meet a user and a peer without manners: commands for calls in any state,
// responses in any order, requests inside and outside of dialogs, cancels, silence. A failure names its seed.
func TestEveryCallEndsExactlyOnce(t *testing.T) {
	runs := 300
	if testing.Short() {
		runs = 30
	}
	for seed := range runs {
		if !t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { newStorm(t, uint64(seed)).blow(400) }) {
			return
		}
	}
}

// A storm is a random user and a random peer around a phone.
type storm struct {
	*phone
	random  *rand.Rand
	begun   map[sip.CallID]bool // calls that owe an Ended
	over    map[sip.CallID]bool
	talking map[sip.CallID]bool
	next    sip.CallID
	invites []uatest.Sent // requests of ours that may still be answered
	servers []transaction.ServerID
	callers []*callerOf
}

func newStorm(t *testing.T, seed uint64) *storm {
	random := rand.New(rand.NewPCG(seed, 1))
	return &storm{
		phone: newPhone(t, func(c *Config) {
			c.Random = random
			if seed%2 == 0 {
				c.SessionExpires = 90 * time.Second
			}
		}),
		random: random, begun: map[sip.CallID]bool{}, over: map[sip.CallID]bool{}, talking: map[sip.CallID]bool{}, next: 1,
	}
}

func (s *storm) blow(steps int) {
	for range steps {
		switch s.random.IntN(6) {
		case 0, 1:
			s.command()
		case 2, 3:
			s.answerSomething()
		case 4:
			s.ask()
		case 5:
			s.Advance(time.Duration(s.random.IntN(5000)) * time.Millisecond)
		}
		s.look()
	}
	// At last all hang up and the peer falls silent.
	for call := range s.begun {
		s.do(sip.Hangup{Call: call})
	}
	s.Advance(10 * time.Minute)
	s.look()
	for call := range s.begun {
		if !s.over[call] {
			s.t.Errorf("call %d has never ended", call)
		}
	}
	s.Sent = nil
	s.wantOver()
}

func (s *storm) anyCall() sip.CallID {
	var calls []sip.CallID
	for call := sip.CallID(0); call < s.next+20; call++ {
		if s.begun[call] && !s.over[call] {
			calls = append(calls, call)
		}
	}
	if len(calls) == 0 || s.random.IntN(20) == 0 {
		return sip.CallID(s.random.IntN(50))
	}
	return calls[s.random.IntN(len(calls))]
}

func (s *storm) command() {
	call := s.anyCall()
	switch s.random.IntN(10) {
	case 0, 1:
		s.begun[s.next] = true
		s.do(sip.Dial{Call: s.next, Number: []string{"115", "bad number"}[s.random.IntN(8)/7]})
		s.next += 2
	case 2, 3:
		s.do(sip.Answer{Call: call})
	case 4:
		s.do([]sip.Command{sip.Hangup{Call: call}, sip.Reject{Call: call}}[s.random.IntN(2)])
	case 5:
		s.do(sip.Hold{Call: call})
	case 6:
		s.do(sip.Resume{Call: call})
	case 7:
		s.do(sip.Transfer{Call: call, Number: "5036"})
	case 8:
		s.do(sip.SendDigit{Call: call, Digit: '5'})
	case 9:
		s.do(sip.Join{Call: call, With: s.anyCall()})
	}
}

// answerSomething answers one of the requests that we have sent, at some time.
func (s *storm) answerSomething() {
	if len(s.invites) == 0 {
		return
	}
	request := s.invites[s.random.IntN(len(s.invites))]
	tag := fmt.Sprint("tag=", s.random.IntN(3))
	contact := "Contact: <sip:b@192.0.2.1>"
	switch s.random.IntN(8) {
	case 0:
		s.Answer(request, "180 Ringing", tag, contact)
	case 1:
		s.Answer(request, "183 Session Progress", withSDP(description(), tag, contact)...)
	case 2, 3, 4:
		s.Answer(request, "200 OK", withSDP(description(), tag, contact, "Allow: UPDATE")...)
	case 5:
		status := []int{302, 401, 403, 404, 408, 422, 481, 486, 487, 488, 491, 500, 603}[s.random.IntN(13)]
		s.Answer(request, fmt.Sprint(status, " X"), tag, "Min-SE: 120", `WWW-Authenticate: Digest realm="r",nonce="n"`)
	case 6:
		s.TimeOut(request)
	case 7:
		s.Answer(request, "200 OK", tag) // no Contact, no description
	}
}

// ask sends a request of the peer.
func (s *storm) ask() {
	if len(s.callers) == 0 || s.random.IntN(3) == 0 {
		c := &callerOf{phone: s.phone, callID: fmt.Sprint("in-", len(s.callers)), cseq: 1}
		s.callers = append(s.callers, c)
		sdp := []string{"", body(), body("a=sendonly"), "v=0\nnonsense"}[s.random.IntN(4)]
		s.servers = append(s.servers, s.Receive(c.request("INVITE", 1, sdp)))
		return
	}
	c := s.callers[s.random.IntN(len(s.callers))]
	sdp := []string{"", body(), body("a=inactive"), "v=0\nnonsense"}[s.random.IntN(4)]
	switch s.random.IntN(9) {
	case 0, 1, 2:
		c.ack(sdp)
	case 3:
		c.next("INVITE", sdp)
	case 4:
		c.next("UPDATE", sdp, "Session-Expires: 90", "Supported: timer")
	case 5:
		c.next("BYE", "")
	case 6:
		c.next("INFO", "", "Content-Type: application/dtmf", "", "5")
	case 7:
		s.Deliver(transaction.Cancelled{Transaction: s.servers[s.random.IntN(len(s.servers))]})
	case 8:
		c.next("NOTIFY", "", "Event: refer", "Subscription-State: terminated", "Content-Type: message/sipfrag", "",
			[]string{"SIP/2.0 200 OK", "SIP/2.0 486 Busy Here", "x"}[s.random.IntN(3)])
	}
}

// look takes what has been sent and said, and checks it.
func (s *storm) look() {
	for _, sent := range s.Sent {
		switch sent.Kind {
		case "request":
			s.invites = append(s.invites, sent)
		case "response":
			if tag := sent.Response.To().Params.GetOr("tag", ""); sent.Response.StatusCode == 180 {
				for _, c := range s.callers {
					if c.callID == sent.Response.CallID().Value() {
						c.tag = tag
					}
				}
			}
		}
	}
	s.Sent = nil
	if len(s.invites) > 12 {
		s.invites = s.invites[len(s.invites)-12:]
	}
	for _, event := range s.events {
		s.judge(event)
	}
	s.events = nil
}

func (s *storm) judge(event sip.Event) {
	call := sip.CallID(0)
	switch event := event.(type) {
	case sip.Incoming:
		call = event.Call
		if s.begun[call] || call%2 != 0 {
			s.t.Errorf("incoming call %d is not new, or has the number of one of ours", call)
		}
		s.begun[call] = true
	case sip.Ended:
		call = event.Call
		if s.over[call] {
			s.t.Errorf("call %d ended twice", call)
		}
		if !s.begun[call] {
			s.t.Errorf("call %d ended before it began", call)
		}
		s.over[call] = true
		return
	case sip.Answered:
		call = event.Call
		if s.talking[call] {
			s.t.Errorf("call %d was answered twice", call)
		}
		s.talking[call] = true
	case sip.HoldChanged:
		call = event.Call
	case sip.RemoteHold:
		call = event.Call
	case sip.TransferFailed:
		call = event.Call
	case sip.Progress:
		call = event.Call
	default:
		return
	}
	if s.over[call] || !s.begun[call] {
		s.t.Errorf("%T%+v for a call that is not there", event, event)
	}
	live := 0
	for call := range s.begun {
		if !s.over[call] {
			live++
		}
	}
	if live > 3 { // two, and one Dial that is about to be refused
		s.t.Errorf("%d calls at a time", live)
	}
}
