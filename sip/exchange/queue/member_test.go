package queue

import (
	"slices"
	"testing"
)

func TestWhoServesNoQueueOrPausesIsOfferedNothing(t *testing.T) {
	d := newDesk(t, RingAll, "201")
	if d.Serve(at(0), "Mars", "201", true) || d.Pause(at(0), "202", true, "break") {
		t.Error("a queue or a member that does not exist")
	}
	d.Serve(at(0), "Moers", "201", false)
	d.Serve(at(0), "Moers", "202", true)
	d.Serve(at(0), "Moers", "202", true)
	d.SetReady(at(0), "202", true)
	d.Pause(at(0), "202", true, "break")
	d.Join(at(1), 1, "115")
	d.wantOrders()
	if !d.Deadline().IsZero() {
		t.Errorf("deadline %v with nobody to wait for", d.Deadline())
	}
	d.Pause(at(2), "202", false, "")
	d.wantOrders("ring 202 for 1")
	d.Pause(at(3), "202", true, "break")
	if !d.Answer(at(4), 1, "202") {
		t.Error("a pause takes away what rings")
	}
	d.Serve(at(5), "Moers", "202", false)
	d.Complete(at(6), 1)
	d.wantEvents("joined 1, offered 1 202, answered 1 202, left 1 202, completed 1 202")
}

func TestMembersTellWhatHasChanged(t *testing.T) {
	d := newDesk(t, RingAll, "201", "202")
	d.SetReady(at(0), "202", false)
	want := func(members ...Member) {
		t.Helper()
		if got := d.Changed(); !slices.Equal(got, members) {
			t.Errorf("got %+v, want %+v", got, members)
		}
	}
	one := Member{Queue: "Moers", Agent: "201", Serves: true, State: Idle}
	want(one, Member{Queue: "Moers", Agent: "202", Serves: true})
	want()
	d.Join(at(1), 1, "115")
	one.State = Ringing
	want(one)
	d.Answer(at(2), 1, "201")
	one.State, one.Talking = Busy, true
	want(one)
	d.Complete(at(3), 1)
	d.Pause(at(3), "201", true, "break")
	one.State, one.Talking, one.Paused, one.Reason = Idle, false, true, "break"
	want(one)
	d.Serve(at(4), "Moers", "201", false)
	want(Member{Queue: "Moers", Agent: "201"})
}
