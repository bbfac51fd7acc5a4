// Package queue is the pure core of a call centre: who waits, which agent is free, who is offered to whom, and the figures
// of the day. It receives the time and gives orders and events; it must not know phones, SIP or sound.
//
//	join -> waiting --order ring--> offered --answer--> talking --complete--> (agent wraps up)
//	           ^                       |
//	           +-- miss, rung out -----+        abandon from waiting and offered
package queue

import (
	"cmp"
	"slices"
	"time"

	"freizeichen/sip/exchange/deadline"
)

// A CallerID names one caller while the exchange runs; 0 is none.
type CallerID uint64

// A Strategy says which free agents a waiting caller is offered to.
type Strategy uint8

// The zero Strategy is RingAll.
const (
	RingAll     Strategy = iota // all free agents at once; the first to lift has the caller
	LongestIdle                 // the free agent who waits longest for work
)

// A Config is one queue: the municipality that is called, and the agents who answer for it.
type Config struct {
	ID          string   // that programs name it by, for example "kreis-wesel": fits the user part of a SIP address; empty: Name
	Name        string   // shown to the agent, for example "Kreis Wesel"
	Numbers     []string // the called numbers that lead here, digits only; the first is the main one
	Agents      []string // accounts that serve it from the beginning; one agent may serve several queues
	Strategy    Strategy
	RingTimeout time.Duration // after it an offer is withdrawn; zero means 20 s
	WrapUp      time.Duration // pause of an agent after each caller; zero means none
	Retry       time.Duration // rest of an agent who refused or let it ring; zero means 5 s
	Promise     time.Duration // "answered in time" is within it; zero means 30 s
}

// A Kind says what happened to a caller.
type Kind uint8

// The kinds. Left follows every Answered and every Abandoned, as QueueCallerLeave of the Asterisk Manager Interface does.
const (
	Joined    Kind = iota + 1 // the caller waits
	Offered                   // an agent's phones ring
	Missed                    // an agent refused or let it ring
	Answered                  // an agent talks to the caller
	Abandoned                 // the caller gave up waiting
	Left                      // the caller waits no more
	Completed                 // the talk is over, or went to an office
)

func (k Kind) String() string {
	return [...]string{"none", "joined", "offered", "missed", "answered", "abandoned", "left", "completed"}[k]
}

// An Event is something that happened in a queue: the feed of a model of the queues' state.
type Event struct {
	At      time.Time
	Kind    Kind
	Queue   string
	Caller  CallerID
	Agent   string        // of Offered, Missed, Answered and Completed
	Waited  time.Duration // since Joined, until now or the answer
	Talked  time.Duration // of Completed
	Waiting int           // callers in the queue after the event
}

// Statistics are one queue's figures of one day, counted by the day the caller joined.
// The service level of the 115 promise is InTime / Offered.
type Statistics struct {
	Queue       string
	Offered     int // callers that joined
	Answered    int
	InTime      int // answered within the queue's Promise
	Abandoned   int
	Waiting     int           // now
	LongestWait time.Duration // of those who wait now
}

// An Order is what the queues want done to an agent's phones.
type Order struct {
	Ring   bool // false: stop ringing
	Caller CallerID
	Agent  string
	Cause  StopCause // of stopping
}

// A StopCause says why ringing ends.
type StopCause uint8

// The causes.
const (
	GaveUp    StopCause = iota // the caller hung up
	Elsewhere                  // another agent was faster
	NoAnswer                   // it rang too long
)

// Queues are all queues and agents of an exchange. After each call the caller is to Drain them and to look at Deadline
// again. Not safe for several goroutines.
type Queues struct {
	list    []*queue
	agents  []*agent // in order of the configuration, so that equals are served in a stable order
	waiting []*caller
	talking []*caller
	orders  []Order
	events  []Event
	told    []Member // by Members
}

type queue struct {
	Config
	day   time.Time // midnight before the last caller
	today Statistics
}

type agent struct {
	name      string
	ready     bool     // a phone is registered and reachable
	busy      int      // calls that do not come from a queue
	caller    CallerID // that rings or talks here; 0: none
	paused    bool
	reason    string
	until     time.Time
	idleSince time.Time
}

type caller struct {
	id       CallerID
	queue    *queue
	joined   time.Time
	answered time.Time
	agent    string    // who answered
	offers   []offerTo // ringing now
}

type offerTo struct {
	agent *agent
	until time.Time
}

// New takes the configurations in the order in which statistics are shown.
func New(configs []Config) *Queues {
	q := &Queues{}
	for _, c := range configs {
		c.RingTimeout = cmp.Or(c.RingTimeout, 20*time.Second)
		c.Retry = cmp.Or(c.Retry, 5*time.Second)
		c.Promise = cmp.Or(c.Promise, 30*time.Second)
		c.ID = cmp.Or(c.ID, c.Name)
		c.Agents = slices.Clone(c.Agents) // Serve changes them
		q.list = append(q.list, &queue{Config: c})
		for _, name := range c.Agents {
			if q.agent(name) == nil {
				q.agents = append(q.agents, &agent{name: name})
			}
		}
	}
	return q
}

func (q *Queues) agent(name string) *agent {
	for _, a := range q.agents {
		if a.name == name {
			return a
		}
	}
	return nil
}

// Drain hands out the orders and the events so far, each in their order, and forgets them.
func (q *Queues) Drain() ([]Order, []Event) {
	orders, events := q.orders, q.events
	q.orders, q.events = nil, nil
	return orders, events
}

// Find names the queue a called number leads to, and says how many wait there; an empty name means there is none.
func (q *Queues) Find(number string) (name string, waiting int) {
	to := q.byNumber(number)
	if to == nil {
		return "", 0
	}
	for _, c := range q.waiting {
		if c.queue == to {
			waiting++
		}
	}
	return to.Name, waiting
}

// ID is what programs call the queue of a name; empty means there is none.
func (q *Queues) ID(name string) string {
	for _, one := range q.list {
		if one.Name == name {
			return one.ID
		}
	}
	return ""
}

func (q *Queues) byNumber(number string) *queue {
	for _, one := range q.list {
		if slices.Contains(one.Numbers, number) {
			return one
		}
	}
	return nil
}

// Join puts a caller at the end of the queue of the called number; false means there is no such queue.
func (q *Queues) Join(now time.Time, id CallerID, number string) bool {
	to := q.byNumber(number)
	if to == nil {
		return false
	}
	if day := midnight(now); !day.Equal(to.day) {
		to.day, to.today = day, Statistics{}
	}
	to.today.Offered++
	c := &caller{id: id, queue: to, joined: now}
	q.waiting = append(q.waiting, c)
	q.emit(now, Joined, c, "")
	q.serve(now)
	return true
}

// Abandon is a waiting caller's hanging up.
func (q *Queues) Abandon(now time.Time, id CallerID) {
	c := take(&q.waiting, id)
	if c == nil {
		return
	}
	q.withdraw(now, c, "", GaveUp)
	if c.ofToday() {
		c.queue.today.Abandoned++
	}
	q.emit(now, Abandoned, c, "")
	q.emit(now, Left, c, "")
	q.serve(now)
}

// Answer joins caller and agent; false means that the caller is gone or another agent was faster.
func (q *Queues) Answer(now time.Time, id CallerID, name string) bool {
	i := slices.IndexFunc(q.waiting, func(c *caller) bool { return c.id == id && c.rings(name) })
	if i < 0 {
		return false
	}
	c := take(&q.waiting, id)
	c.answered, c.agent = now, name
	q.withdraw(now, c, name, Elsewhere)
	q.talking = append(q.talking, c)
	if c.ofToday() {
		c.queue.today.Answered++
		if now.Sub(c.joined) <= c.queue.Promise {
			c.queue.today.InTime++
		}
	}
	q.emit(now, Answered, c, name)
	q.emit(now, Left, c, name)
	q.serve(now)
	return true
}

// Miss is an agent's refusing, or his phone's failing.
func (q *Queues) Miss(now time.Time, id CallerID, name string) {
	for _, c := range q.waiting {
		if c.id == id && c.rings(name) {
			c.offers = slices.DeleteFunc(c.offers, func(o offerTo) bool { return o.agent.name == name })
			q.rest(now, q.agent(name), c)
			q.emit(now, Missed, c, name)
		}
	}
	q.serve(now)
}

// Complete ends the talk of caller and agent, whoever ended it.
func (q *Queues) Complete(now time.Time, id CallerID) {
	c := take(&q.talking, id)
	if c == nil {
		return
	}
	a := q.agent(c.agent)
	a.caller, a.idleSince = 0, now
	a.until = now.Add(c.queue.WrapUp)
	q.emit(now, Completed, c, c.agent)
	q.serve(now)
}

// SetReady says whether one of the agent's phones can be reached.
func (q *Queues) SetReady(now time.Time, name string, ready bool) {
	a := q.agent(name)
	if a == nil || a.ready == ready {
		return
	}
	a.ready, a.idleSince = ready, now
	q.serve(now)
}

// Occupy counts the agent's own calls: +1 when one begins, -1 when it ends. A busy agent is offered nothing.
func (q *Queues) Occupy(now time.Time, name string, by int) {
	if a := q.agent(name); a != nil {
		a.busy += by
		q.serve(now)
	}
}

// Deadline is when tick has something to do; the zero time means never.
func (q *Queues) Deadline() time.Time {
	var first time.Time
	for _, c := range q.waiting {
		for _, o := range c.offers {
			first = deadline.Earliest(first, o.until)
		}
		if c.queue.Strategy == LongestIdle && len(c.offers) > 0 {
			continue
		}
		for _, a := range q.agents {
			if a.offered() && slices.Contains(c.queue.Agents, a.name) {
				first = deadline.Earliest(first, a.until)
			}
		}
	}
	return first
}

// Tick withdraws offers that rang too long and offers callers to agents whose rest is over.
func (q *Queues) Tick(now time.Time) {
	for _, c := range q.waiting {
		for _, o := range slices.Clone(c.offers) {
			if now.Before(o.until) {
				continue
			}
			c.offers = slices.DeleteFunc(c.offers, func(x offerTo) bool { return x.agent == o.agent })
			q.orders = append(q.orders, Order{Caller: c.id, Agent: o.agent.name, Cause: NoAnswer})
			q.rest(now, o.agent, c)
			q.emit(now, Missed, c, o.agent.name)
		}
	}
	q.serve(now)
}

// serve offers callers, the longest waiting first, to free agents.
func (q *Queues) serve(now time.Time) {
	for _, c := range q.waiting {
		free := q.free(now, c.queue)
		if c.queue.Strategy == LongestIdle {
			if len(c.offers) > 0 || len(free) == 0 {
				continue
			}
			free = free[:1]
		}
		for _, a := range free {
			a.caller = c.id
			c.offers = append(c.offers, offerTo{a, now.Add(c.queue.RingTimeout)})
			q.orders = append(q.orders, Order{Ring: true, Caller: c.id, Agent: a.name})
			q.emit(now, Offered, c, a.name)
		}
	}
}

// free are the queue's agents who may be offered a caller now, the longest idle first.
func (q *Queues) free(now time.Time, to *queue) []*agent {
	var free []*agent
	for _, a := range q.agents {
		if a.offered() && !now.Before(a.until) && slices.Contains(to.Agents, a.name) {
			free = append(free, a)
		}
	}
	slices.SortStableFunc(free, func(a, b *agent) int { return a.idleSince.Compare(b.idleSince) })
	return free
}

// rest frees an agent who did not take the caller: not at once again, and behind those who wait for work.
func (q *Queues) rest(now time.Time, a *agent, c *caller) {
	a.caller, a.idleSince, a.until = 0, now, now.Add(c.queue.Retry)
}

// withdraw stops the caller's ringing everywhere but at one agent, without blame for those who did not lift.
func (q *Queues) withdraw(now time.Time, c *caller, except string, cause StopCause) {
	for _, o := range c.offers {
		if o.agent.name != except {
			o.agent.caller = 0
			q.orders = append(q.orders, Order{Caller: c.id, Agent: o.agent.name, Cause: cause})
		}
	}
	c.offers = nil
}

func (q *Queues) emit(now time.Time, kind Kind, c *caller, name string) {
	e := Event{At: now, Kind: kind, Queue: c.queue.Name, Caller: c.id, Agent: name, Waited: now.Sub(c.joined)}
	if !c.answered.IsZero() {
		e.Waited = c.answered.Sub(c.joined)
	}
	if kind == Completed {
		e.Talked = now.Sub(c.answered)
	}
	_, e.Waiting = q.Find(c.queue.Numbers[0])
	q.events = append(q.events, e)
}

// Statistics of all queues for the day of now, in order of the configuration.
func (q *Queues) Statistics(now time.Time) []Statistics {
	all := make([]Statistics, 0, len(q.list))
	for _, one := range q.list {
		s := one.today
		if !midnight(now).Equal(one.day) {
			s = Statistics{}
		}
		s.Queue = one.Name
		for _, c := range q.waiting {
			if c.queue == one {
				s.Waiting++
				s.LongestWait = max(s.LongestWait, now.Sub(c.joined))
			}
		}
		all = append(all, s)
	}
	return all
}

// ofToday reports whether the caller counts for the day whose figures the queue keeps.
func (c *caller) ofToday() bool { return midnight(c.joined).Equal(c.queue.day) }

func (c *caller) rings(name string) bool {
	return slices.ContainsFunc(c.offers, func(o offerTo) bool { return o.agent.name == name })
}

// take removes a caller from a list; nil means he is not in it.
func take(list *[]*caller, id CallerID) *caller {
	i := slices.IndexFunc(*list, func(c *caller) bool { return c.id == id })
	if i < 0 {
		return nil
	}
	c := (*list)[i]
	*list = slices.Delete(*list, i, i+1)
	return c
}

func midnight(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}
