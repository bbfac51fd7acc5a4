package queue

import (
	"slices"
	"time"
)

// A State is what an agent's phone does.
type State uint8

// The states.
const (
	Unreachable State = iota // no phone is registered and answers
	Idle
	Ringing // for a caller of a queue
	Busy    // in a call
)

// A Member is one agent in one queue.
type Member struct {
	Queue, Agent string
	Serves       bool // false: he does not any more
	State        State
	Talking      bool // with a caller of this queue
	Paused       bool // in all his queues
	Reason       string
}

// Serve lets an agent serve a queue, or ends it: a talk that goes on is not ended. False means there is no such queue.
func (q *Queues) Serve(now time.Time, to, name string, serves bool) bool {
	i := slices.IndexFunc(q.list, func(one *queue) bool { return one.Name == to })
	if i < 0 {
		return false
	}
	one := q.list[i]
	has := slices.Contains(one.Agents, name)
	switch {
	case serves && !has:
		one.Agents = append(one.Agents, name)
		if q.agent(name) == nil {
			q.agents = append(q.agents, &agent{name: name})
		}
	case !serves && has:
		one.Agents = slices.DeleteFunc(one.Agents, func(a string) bool { return a == name })
	}
	q.serve(now)
	return true
}

// Pause keeps callers of all queues away from an agent, or ends that. What rings or talks goes on. False means that he
// serves no queue.
func (q *Queues) Pause(now time.Time, name string, paused bool, reason string) bool {
	serves := slices.ContainsFunc(q.list, func(one *queue) bool { return slices.Contains(one.Agents, name) })
	if !serves {
		return false
	}
	a := q.agent(name)
	a.paused, a.reason = paused, reason
	if !paused {
		a.reason = ""
	}
	q.serve(now)
	return true
}

// offered reports whether callers may be offered to the agent at all.
func (a *agent) offered() bool { return a.ready && a.busy == 0 && a.caller == 0 && !a.paused }

// Members are all members of all queues.
func (q *Queues) Members() []Member {
	var all []Member
	for _, one := range q.list {
		for _, name := range one.Agents {
			a := q.agent(name)
			m := Member{Queue: one.Name, Agent: name, Serves: true, State: q.state(a), Paused: a.paused, Reason: a.reason}
			m.Talking = slices.ContainsFunc(q.talking, func(c *caller) bool { return c.agent == name && c.queue == one })
			all = append(all, m)
		}
	}
	return all
}

func (q *Queues) state(a *agent) State {
	talks := slices.ContainsFunc(q.talking, func(c *caller) bool { return c.agent == a.name })
	switch {
	case talks, a.busy > 0:
		return Busy
	case a.caller != 0:
		return Ringing
	case !a.ready:
		return Unreachable
	}
	return Idle
}

// Changed are the members that are not what they were at the last Changed.
func (q *Queues) Changed() []Member {
	all := q.Members()
	var changed []Member
	for _, m := range all {
		if !slices.Contains(q.told, m) {
			changed = append(changed, m)
		}
	}
	for _, m := range q.told {
		if !slices.ContainsFunc(all, func(one Member) bool { return one.Queue == m.Queue && one.Agent == m.Agent }) {
			changed = append(changed, Member{Queue: m.Queue, Agent: m.Agent})
		}
	}
	q.told = all
	return changed
}
