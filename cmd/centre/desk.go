package centre

import (
	"context"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/acd"
)

// These methods may be called on any goroutine while Run runs; after it they tell what a centre without PBX tells.

// look runs f on the loop. False: the centre has ended.
func (c *Centre) look(f func(now time.Time)) bool {
	done := make(chan struct{})
	work := func(now time.Time) { f(now); close(done) }
	select {
	case c.work <- work:
	case <-c.ended:
		return false
	}
	select {
	case <-done:
		return true
	case <-c.ended:
		return false
	}
}

// State is the agent at a phone.
func (c *Centre) State(device string) sip.Agent {
	state := make(chan sip.Agent, 1)
	if !c.look(func(time.Time) { state <- c.model.Agent(device) }) {
		return sip.Agent{Device: device}
	}
	return <-state
}

// Snapshot is everything for people to look at.
func (c *Centre) Snapshot() acd.Snapshot {
	view := make(chan acd.Snapshot, 1)
	if !c.look(func(now time.Time) { view <- c.model.Snapshot(now) }) {
		return acd.Snapshot{}
	}
	return <-view
}

// Do does what the agent at a phone asks, and answers until ctx ends, with PBXAway at the latest.
func (c *Centre) Do(ctx context.Context, device string, request sip.AgentRequest) sip.AgentReply {
	asked := acd.Asked{Device: device, Request: request}
	if request.Verb == sip.SignIn {
		verified, err := c.config.Agents.CheckPIN(ctx, time.Now(), request.Number, request.PIN)
		if err != nil {
			c.config.Log.Error("a sign-in could not be checked", "phone", device, "error", err)
			return sip.AgentReply{ID: request.ID, Problem: sip.SwitchboardAway}
		}
		asked.Verified = verified
	}
	// The model gets neither PIN nor the phone's own identifier, which two phones may share.
	id := c.lastID.Add(1)
	asked.Request.PIN, asked.Request.Number, asked.Request.ID = "", "", id
	answer := make(chan sip.AgentReply, 1)
	away := sip.AgentReply{ID: request.ID, Problem: sip.PBXAway}
	if !c.look(func(now time.Time) { c.replies[id] = answer; c.step(now, asked) }) {
		return away
	}
	select {
	case reply := <-answer:
		reply.ID = request.ID
		return reply
	case <-ctx.Done():
	case <-c.ended:
	}
	c.look(func(time.Time) { delete(c.replies, id) })
	return away
}

// Watch returns a channel that receives after each change; changes that nobody has taken are one. The caller stops it.
func (c *Centre) Watch() (changed <-chan struct{}, stop func()) {
	watcher := make(chan struct{}, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watchers[watcher] = true
	return watcher, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.watchers, watcher)
	}
}

func (c *Centre) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for watcher := range c.watchers {
		ring(watcher)
	}
}
