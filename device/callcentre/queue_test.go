package callcentre

import (
	"testing"
	"time"

	"freizeichen/sip"
)

// reported is a status that was true at a time of the reporter's clock.
func reported(at time.Time, waiting int) sip.QueueStatus {
	s := sip.QueueStatus{Queue: "kw", Title: "Zulassung", At: at, Valid: 90 * time.Second, SignedIn: 3, Free: 1, Paused: 1}
	s.Level = sip.ServiceLevel{Offered: 10, Answered: 9, AnsweredInTime: 8, Abandoned: 1, Within: 30 * time.Second, Target: 80}
	if waiting > 0 {
		s.Waiting, s.Oldest = waiting, at.Add(-20*time.Second)
	}
	return s
}

func TestAQueuesFiguresAreShownWhileTheyAreTrueAndNotLonger(t *testing.T) {
	tb := newTable(t)
	queue := func() QueueView { return tb.desk.View(tb.now, 0).Queues[0] }
	if q := queue(); q.Known || q.Busy != Unknown {
		t.Errorf("before the first report: %+v", q)
	}
	tb.step(sip.QueueReported{Status: reported(tb.now, 2)})
	tb.wait(5 * time.Second)
	if q := queue(); q.Waiting != 2 || q.Oldest != 25*time.Second || q.Busy != Waiting || q.Level.Percent != 80 || q.Level.Light != LightGood || q.Name != "Zulassung" {
		t.Errorf("after 5 s: %+v", q)
	}
	tb.wait(6 * time.Second)
	if q := queue(); q.Busy != Long {
		t.Errorf("after the promised time: %+v", q)
	}
	fresh := tb.now.Add(-11 * time.Second)
	tb.wait(90 * time.Second)
	if q := queue(); !q.Stale.Equal(fresh) || q.Waiting != 0 || q.Oldest != 0 || q.Level.Known || q.Busy != Unknown {
		t.Errorf("nobody has repeated it: %+v", q)
	}
	tb.step(sip.QueueReported{Status: reported(tb.now, 0)})
	if q := queue(); !q.Stale.IsZero() || q.Busy != Calm || q.Free != 1 {
		t.Errorf("the reporter is back: %+v", q)
	}
	tb.step(sip.QueueUnknown{Queue: "kw"})
	if q := queue(); !q.Stale.Equal(tb.now) {
		t.Errorf("the subscription is gone: %+v", q)
	}
}

func TestWhatADeadReporterLeftBehindIsNotThePresent(t *testing.T) {
	tb := newTable(t)
	old := tb.now.Add(-10 * time.Minute)
	tb.step(sip.QueueReported{Status: reported(old, 2)})
	if q := tb.desk.View(tb.now, 0).Queues[0]; !q.Stale.Equal(old) || q.Waiting != 0 {
		t.Errorf("a body of ten minutes ago: %+v", q)
	}
	// If it is our clock that is wrong, the next report shows it.
	tb.wait(30 * time.Second)
	tb.step(sip.QueueReported{Status: reported(old.Add(30*time.Second), 2)})
	if q := tb.desk.View(tb.now, 0).Queues[0]; !q.Stale.IsZero() || q.Waiting != 2 || q.Oldest != 20*time.Second {
		t.Errorf("a reporter that goes on, by a clock ten minutes behind ours: %+v", q)
	}
	// The same again proves nothing.
	tb.wait(91 * time.Second)
	tb.step(sip.QueueReported{Status: reported(old.Add(30*time.Second), 2)})
	if q := tb.desk.View(tb.now, 0).Queues[0]; q.Stale.IsZero() {
		t.Errorf("the same report again: %+v", q)
	}
}

func TestReportsThatAreOvertakenOrCannotBeTrueAreNotShown(t *testing.T) {
	tb := newTable(t)
	tb.step(sip.QueueReported{Status: reported(tb.now, 1)})
	tb.wait(2 * time.Second)
	tb.step(sip.QueueReported{Status: reported(tb.now.Add(-3*time.Second), 7)})
	if q := tb.desk.View(tb.now, 0).Queues[0]; q.Waiting != 1 {
		t.Errorf("a report that was overtaken counts: %+v", q)
	}
	tb.step(sip.QueueReported{Status: reported(tb.now.Add(-time.Hour), 0)}) // the reporter's clock was put back
	tb.step(sip.QueueReported{Status: reported(tb.now.Add(-time.Hour+time.Second), 4)})
	if q := tb.desk.View(tb.now, 0).Queues[0]; q.Waiting != 4 || !q.Stale.IsZero() {
		t.Errorf("the reporter's clock was put back an hour: %+v", q)
	}
	lie := reported(tb.now.Add(time.Second), 1)
	lie.Level.AnsweredInTime = 99
	tb.step(sip.QueueReported{Status: lie})
	if q := tb.desk.View(tb.now, 0).Queues[0]; q.Stale.IsZero() || q.Level.Known {
		t.Errorf("more answered in time than at all: %+v", q)
	}
	tb.step(sip.QueueReported{Status: sip.QueueStatus{Queue: "nobody asked"}}) // is not shown, and does no harm
	if n := len(tb.desk.View(tb.now, 0).Queues); n != 1 {
		t.Errorf("%d queues", n)
	}
}

func TestTheLampTellsTheMostPressingQueue(t *testing.T) {
	for _, test := range []struct {
		queues []Busy
		want   Busy
	}{
		{nil, Calm},
		{[]Busy{Calm, Calm}, Calm},
		{[]Busy{Calm, Unknown}, Unknown},
		{[]Busy{Unknown, Waiting}, Waiting},
		{[]Busy{Waiting, Long, Many}, Long},
		{[]Busy{Many, Waiting}, Many},
	} {
		var v View
		for _, b := range test.queues {
			v.Queues = append(v.Queues, QueueView{Busy: b})
		}
		if got := v.Busy(); got != test.want {
			t.Errorf("%v: %v", test.queues, got)
		}
	}
}

func TestTheLightSaysHowThePromiseStands(t *testing.T) {
	level := func(inTime, target int) LevelView {
		return levelView(sip.ServiceLevel{Offered: 100, Answered: 100, AnsweredInTime: inTime, Within: 30 * time.Second, Target: target})
	}
	for _, test := range []struct {
		inTime, target int
		want           Light
	}{{50, 0, LightNone}, {80, 80, LightGood}, {79, 80, LightNear}, {75, 80, LightNear}, {74, 80, LightBad}} {
		if got := level(test.inTime, test.target).Light; got != test.want {
			t.Errorf("%d %% of %d %%: %v", test.inTime, test.target, got)
		}
	}
	if v := levelView(sip.ServiceLevel{Target: 80}); v.Known || v.Light != LightNone {
		t.Errorf("nothing counted: %+v", v)
	}
}
