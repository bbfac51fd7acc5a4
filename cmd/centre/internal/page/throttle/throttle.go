// Package throttle slows down who guesses passwords: by where he comes from, and by the name he guesses at.
// It receives the time.
package throttle

import (
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Limits of logging in. Four slips are free; then each further try waits twice as long as the one before. A source that
// guesses is held longer than a name that is guessed at: nobody shall be locked out by strangers for long.
const (
	triesFree   = 4
	delaySource = 15 * time.Minute
	delayName   = time.Minute
	triesKept   = time.Hour // after the last of them
	triesMax    = 4096      // sources and names that are remembered at once
)

// A try is what is remembered of a source or of a name.
type try struct {
	failures int
	last     time.Time
	until    time.Time // nothing is checked before
}

// A Throttle remembers who failed. Its zero value remembers nobody. It is lost with the process; passwords are slow to
// check as well.
type Throttle struct {
	mu    sync.Mutex
	tries map[string]try
}

// Begin counts an attempt as failed and reports 0, or reports how long to wait. A success is told by Succeed: attempts
// at the same time count one after the other.
func (t *Throttle) Begin(now time.Time, source, name string) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	keys := map[string]time.Duration{"source " + source: delaySource, "name " + name: delayName}
	for key := range keys {
		wait = max(wait, t.tries[key].until.Sub(now))
	}
	if wait > 0 {
		return wait
	}
	t.forget(now)
	for key, longest := range keys {
		one := t.tries[key]
		if old(now, one) {
			one = try{}
		}
		one.failures++
		one.last = now
		if beyond := one.failures - triesFree; beyond >= 0 {
			one.until = now.Add(min(longest, time.Second<<min(beyond, 20)))
		}
		if t.tries == nil {
			t.tries = map[string]try{}
		}
		t.tries[key] = one
	}
	return 0
}

// Succeed forgets the failures of who got in.
func (t *Throttle) Succeed(source, name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.tries, "source "+source)
	delete(t.tries, "name "+name)
}

// forget makes room: first what is old, then what failed longest ago; mu is held.
func (t *Throttle) forget(now time.Time) {
	if len(t.tries) <= triesMax-2 {
		return
	}
	maps.DeleteFunc(t.tries, func(_ string, one try) bool { return old(now, one) })
	if len(t.tries) <= triesMax/2 {
		return
	}
	// Half at once: who tries from everywhere does not make each try dear.
	keys := slices.SortedFunc(maps.Keys(t.tries), func(a, b string) int { return t.tries[a].last.Compare(t.tries[b].last) })
	for _, key := range keys[:len(keys)/2] {
		delete(t.tries, key)
	}
}

func old(now time.Time, one try) bool { return now.Sub(one.last) > triesKept }

// Source is where a request of http.Request.RemoteAddr comes from: an address, of IPv6 the network that one subscriber gets (RFC 6177).
func Source(remote string) string {
	addr, err := netip.ParseAddrPort(remote)
	if err != nil {
		return remote
	}
	ip := addr.Addr().Unmap().WithZone("")
	if ip.Is6() {
		if network, err := ip.Prefix(64); err == nil {
			return network.String()
		}
	}
	return ip.String()
}
