package console

import (
	"time"

	"freizeichen/device/callcentre"
	"freizeichen/sip"
)

// deskStatus tells how the agent's desk stands; nothing without one.
func deskStatus(v callcentre.View, line func(key, format string, values ...any)) {
	if !v.On {
		return
	}
	state := v.Agent.State.String()
	if v.Agent.State == sip.Paused && v.Agent.Reason != "" {
		state += " " + v.Agent.Reason
	}
	if v.Agent.Unconfirmed {
		state += " unconfirmed"
	}
	line("agent", "%s", state)
	switch {
	case !v.Agent.Away.IsZero():
		line("switchboard", "%s since %s", v.Agent.Problem, v.Agent.Away.Format(time.RFC3339))
	case v.Agent.Known:
		line("switchboard", "up")
	default:
		line("switchboard", "not heard of yet")
	}
	line("unsent", "%d", v.Unsent)
	if v.Lost {
		line("lost", "an outcome could not be kept")
	}
	if v.Edition != nil {
		line("knowledge", "%s compiled %s", v.Edition.Version, v.Edition.At.Format(time.RFC3339))
	}
	for _, q := range v.Queues {
		switch {
		case !q.Known:
			line("queue", "%q unknown", q.Name)
		case !q.Stale.IsZero():
			line("queue", "%q no data since %s", q.Name, q.Stale.Format(time.RFC3339))
		default:
			line("queue", "%q waiting %d longest %s free %d signed-in %d paused %d", q.Name, q.Waiting, q.Oldest.Truncate(time.Second), q.Free, q.SignedIn, q.Paused)
		}
	}
}
