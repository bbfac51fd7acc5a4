package hostile

import (
	"testing"
	"time"
)

// TestEnemiesOnLoopback lets them come one after the other, on real sockets. What takes half a minute to be over begins
// before them.
func TestEnemiesOnLoopback(t *testing.T) {
	t.Parallel()
	began := time.Now()
	stuck := gather(t)
	for _, test := range []struct {
		name string
		do   func(*testing.T)
	}{
		{"strangers do not disturb a call", strangersDoNotDisturbACall},
		{"nobody writes on the panel", nobodyWritesOnThePanel},
		{"a peer that lies does not break the phone", aPeerThatLiesDoesNotBreakThePhone},
		{"a caller who describes nonsense is no call", aCallerWhoDescribesNonsenseIsNoCall},
		{"nobody but the peer is heard", nobodyButThePeerIsHeard},
		{"nobody takes the place of a silent peer", nobodyTakesThePlaceOfASilentPeer},
		{"many connections do not shut the phone", manyConnectionsDoNotShutThePhone},
	} {
		t.Run(test.name, test.do)
	}
	t.Run("connections that stop in the middle end", func(t *testing.T) { stuck.wantEnd(t, began) })
}
