package exchange

import "time"

// tellMembers tells of the members that have changed.
func (e *Exchange) tellMembers() {
	if e.config.ObserveMember == nil {
		return
	}
	for _, m := range e.queues.Changed() {
		e.config.ObserveMember(m)
	}
}

// Serve lets an agent serve a queue, or ends it; false means there is no such queue. As the methods of hook.go it may be
// called on any goroutine but that of Observe, and waits until it has taken effect.
func (e *Exchange) Serve(queue, agent string, serves bool) (ok bool) {
	e.do(func(now time.Time) { ok = e.queues.Serve(now, queue, agent, serves) })
	return ok
}

// Pause keeps the callers of all queues away from an agent, or ends that; false means that he serves none.
func (e *Exchange) Pause(agent string, paused bool, reason string) (ok bool) {
	e.do(func(now time.Time) { ok = e.queues.Pause(now, agent, paused, reason) })
	return ok
}

// Members are all agents in all queues.
func (e *Exchange) Members() (all []Member) {
	e.do(func(time.Time) { all = e.queues.Members() })
	return all
}
