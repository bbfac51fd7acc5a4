// Package builtin translates between the exchange in one process and the model of queues and agents. It decides nothing.
//
//	exchange.QueueEvent, Member --Event, Member--> acd.Event          acd.Effect --Do--> Serve, Pause --> acd.Done
//
// The exchange names a queue for people ("Kreis Wesel"); the model and the phones want a name that fits a SIP user.
package builtin

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"freizeichen/sip/acd"
	"freizeichen/sip/exchange"
	"freizeichen/sip/exchange/queue"
)

// Technology stands before the account in the name of a member, as with Asterisk.
const Technology = "PJSIP/"

// An Adapter knows the queues by both names.
type Adapter struct {
	ids   map[string]string // by the exchange's name
	names map[string]string // by identifier
}

// New takes the exchange's names of queues by the model's.
func New(names map[string]string) *Adapter {
	a := &Adapter{ids: map[string]string{}, names: names}
	for id, name := range names {
		a.ids[name] = id
	}
	return a
}

// Begin is the view of an exchange that has just been made: no caller, and the members come as changes.
func (a *Adapter) Begin(started time.Time) []acd.Event {
	events := []acd.Event{acd.SyncBegin{Started: started}}
	for id := range a.names {
		events = append(events, acd.QueueSeen{Queue: id, Level: -1, Level2: -1})
	}
	slices.SortFunc(events[1:], func(x, y acd.Event) int {
		return strings.Compare(x.(acd.QueueSeen).Queue, y.(acd.QueueSeen).Queue)
	})
	return append(events, acd.SyncComplete{})
}

// Event is what an event of the exchange means; false: nothing, or a queue that the model does not have.
func (a *Adapter) Event(e exchange.QueueEvent) (acd.Event, bool) {
	id, known := a.ids[e.Queue]
	if !known {
		return nil, false
	}
	caller := strconv.FormatUint(uint64(e.Caller), 10)
	switch e.Kind {
	case queue.Joined:
		return acd.CallerJoined{Queue: id, Caller: caller}, true
	case queue.Answered:
		return acd.AgentConnected{Queue: id, Caller: caller, Interface: Technology + e.Agent, Held: e.Waited}, true
	case queue.Abandoned:
		return acd.CallerAbandoned{Queue: id, Caller: caller, Waited: e.Waited}, true
	case queue.Left:
		return acd.CallerLeft{Queue: id, Caller: caller}, true
	case queue.Completed:
		return acd.AgentCompleted{Queue: id, Interface: Technology + e.Agent, Held: e.Waited, Talked: e.Talked}, true
	}
	return nil, false
}

// Member is what a changed member means, in order.
func (a *Adapter) Member(m exchange.Member) []acd.Event {
	id, known := a.ids[m.Queue]
	if !known {
		return nil
	}
	name := Technology + m.Agent
	if !m.Serves {
		return []acd.Event{acd.MemberRemoved{Queue: id, Interface: name}}
	}
	status := [...]acd.Status{acd.StatusUnavailable, acd.StatusFree, acd.StatusRinging, acd.StatusInUse}[m.State]
	return []acd.Event{acd.MemberAdded{Queue: id, Interface: name, Status: status, Paused: m.Paused, Reason: m.Reason, Talking: m.Talking}}
}

// A PBX does what is asked of the queues; *exchange.Exchange is one.
type PBX interface {
	Serve(queue, agent string, serves bool) bool
	Pause(agent string, paused bool, reason string) bool
}

// Do carries out a command of the model. False: the effect is no command.
func (a *Adapter) Do(pbx PBX, e acd.Effect) (done acd.Done, command bool) {
	switch e := e.(type) {
	case acd.MemberAdd:
		done = acd.Done{ID: e.ID, Problem: acd.NoSuchQueue}
		if pbx.Serve(a.names[e.Queue], strings.TrimPrefix(e.Interface, Technology), true) {
			done.Problem = acd.Did
		}
	case acd.MemberRemove:
		done = acd.Done{ID: e.ID, Problem: acd.NoSuchQueue}
		if pbx.Serve(a.names[e.Queue], strings.TrimPrefix(e.Interface, Technology), false) {
			done.Problem = acd.Did
		}
	case acd.MemberPause:
		done = acd.Done{ID: e.ID, Problem: acd.NotThere}
		if pbx.Pause(strings.TrimPrefix(e.Interface, Technology), e.Paused, e.Reason) {
			done.Problem = acd.Did
		}
	default:
		return acd.Done{}, false
	}
	return done, true
}
