package api

import (
	"sync"
	"time"
)

// A limit is a token bucket: burst at once, one more each pause.
type limit struct {
	name  string
	burst int
	pause time.Duration
}

// The limits of one phone. A phone that is well asks a dozen times after it has started, then twice in five minutes;
// one that was away delivers its journal, and waits when it is told to.
var (
	requestLimit = limit{"request", 60, 200 * time.Millisecond}
	signInLimit  = limit{"sign-in", 10, 6 * time.Second}
	// Who proves nothing is written into the log with these pauses, all strangers together: they shall not fill the disk.
	strangerLimit = limit{"stranger", 50, 10 * time.Second}
)

// limits are the buckets of all phones. Only phones that have proved themselves get one.
type limits struct {
	mu      sync.Mutex
	buckets map[key]time.Time // when the bucket will be full again
}

type key struct{ limit, device string }

// bucketsMax is when full buckets are thrown away: more than two of 5,000 phones.
const bucketsMax = 12_000

// take takes a token, or says how long to wait for one (the virtual scheduling algorithm of ITU-T I.371 annex A).
func (l *limits) take(now time.Time, device string, of limit) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buckets == nil {
		l.buckets = map[key]time.Time{}
	}
	if len(l.buckets) >= bucketsMax {
		for k, full := range l.buckets {
			if !full.After(now) {
				delete(l.buckets, k)
			}
		}
	}
	k := key{of.name, device}
	full := l.buckets[k]
	whole := time.Duration(of.burst) * of.pause
	if full.Before(now) || full.Sub(now) > whole { // the clock was set back: nobody waits for that
		full = now
	}
	if wait := full.Add(of.pause).Sub(now) - whole; wait > 0 {
		return wait
	}
	l.buckets[k] = full.Add(of.pause)
	return 0
}
