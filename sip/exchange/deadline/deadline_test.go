package deadline

import (
	"testing"
	"time"
)

func TestTheZeroTimeIsNever(t *testing.T) {
	never, one, two := time.Time{}, time.Unix(1, 0), time.Unix(2, 0)
	for _, c := range []struct{ a, b, want time.Time }{{never, never, never}, {never, two, two}, {two, never, two}, {two, one, one}, {one, two, one}} {
		if got := Earliest(c.a, c.b); !got.Equal(c.want) {
			t.Errorf("earliest of %v and %v: %v", c.a, c.b, got)
		}
	}
	if Reached(two, never) || Reached(one, two) || !Reached(two, two) {
		t.Error("reached")
	}
	if !After(one, 0).IsZero() || !After(one, -1).IsZero() || !After(one, time.Second).Equal(two) {
		t.Error("after")
	}
}
