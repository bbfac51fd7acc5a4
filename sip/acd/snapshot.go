package acd

import (
	"time"

	"freizeichen/sip"
)

// A Snapshot is everything for people to look at: the supervisor's page.
type Snapshot struct {
	At        time.Time
	Connected bool      // with the PBX, and its view is complete
	Since     time.Time // of being connected, or not; zero: never was
	Queues    []QueueView
	Seats     []SeatView // of phones with an agent or a membership, in order of the PBX's names
}

// A QueueView is one queue.
type QueueView struct {
	Status sip.QueueStatus
	Exists bool // on the PBX
}

// A SeatView is one phone.
type SeatView struct {
	Agent     sip.Agent // without Number: a member whom the switchboard did not sign in
	Interface string
	Queues    []string
	Reachable bool   // the PBX can call the phone
	Ringing   bool   //
	Talking   string // the queue whose caller he talks to; empty: to none
	Pausing   bool   // a pause begins when the call is over
}

// Snapshot copies the state. It looks at every agent: not for each event.
func (c *Centre) Snapshot(now time.Time) Snapshot {
	now = now.Round(0)
	view := Snapshot{At: now, Connected: c.connected, Since: c.since()}
	for _, q := range c.queues {
		view.Queues = append(view.Queues, QueueView{c.status(now, q), q.onPBX})
	}
	for _, s := range c.sorted() {
		if !s.signedIn() && len(s.members) == 0 {
			continue
		}
		v := SeatView{Agent: c.told(s), Interface: s.name, Reachable: len(s.members) == 0, Pausing: s.agent.PausesNext != ""}
		for _, m := range s.members {
			v.Queues = append(v.Queues, m.queue.Name)
			v.Reachable = v.Reachable || m.status != StatusUnavailable && m.status != StatusInvalid
			v.Ringing = v.Ringing || m.status == StatusRinging || m.status == StatusRingInUse
		}
		if s.talking != nil {
			v.Talking = s.talking.Name
		}
		view.Seats = append(view.Seats, v)
	}
	return view
}

// since is when the connection with the PBX came about, or ended.
func (c *Centre) since() time.Time {
	if c.connected {
		return c.synced
	}
	return c.lost
}

// Agent is what a phone is told of its agent.
func (c *Centre) Agent(device string) sip.Agent {
	if s := c.seats[c.config.Technology+device]; s != nil {
		return c.told(s)
	}
	return sip.Agent{Device: device, Confirmed: c.connected}
}

// Status is how one queue stands; false means that the configuration has no such queue.
func (c *Centre) Status(now time.Time, name string) (sip.QueueStatus, bool) {
	q := c.byName[name]
	if q == nil {
		return sip.QueueStatus{}, false
	}
	return c.status(now.Round(0), q), true
}
