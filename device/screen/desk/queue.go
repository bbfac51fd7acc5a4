package desk

import (
	"fmt"
	"time"

	"freizeichen/device/callcentre"
	"freizeichen/device/screen/font"
	"freizeichen/sip"
)

// A QueueText is one queue in words. When NoData or Coarse is not empty, there are no figures: they would not be true.
type QueueText struct {
	Title    string
	Position string // "1 von 3", empty with one queue alone
	NoData   string // "keine Daten seit 10:42"
	Coarse   string // "es wartet jemand, kein Platz frei"
	Count    string // "3"
	Waiting  string // "3 warten"
	Oldest   string // "1:07", empty when nobody waits
	Longest  string // "längste 1:07", empty when nobody waits
	FreeOnly string // "2"
	Free     string // "2 frei"
	Level    LevelText
	Urgent   string // "drängt" when many wait or one waits long, else empty
}

// A LevelText is the service level with all that makes it honest. Figure and Formula belong together.
type LevelText struct {
	Light   callcentre.Light
	Figure  string // "78 % in 30 s", or that there was no call yet
	Formula string // "der angebotenen", empty without a figure
	Window  string // "heute", or "seit 10:42" when the counts have a gap before it; empty without a figure
	Percent string // "80 %" that are promised, empty when nothing is
	Target  string // "Ziel 80 % fast erreicht", without a figure "Ziel 80 %"; empty when nothing is promised
}

// QueueHeads are the heads of a table of queues: waiting, longest wait, free agents.
func (d Desk) QueueHeads() (waiting, longest, free string) {
	return d.say(phraseHeadWaiting), d.say(phraseHeadLongest), d.say(phraseHeadFree)
}

// Today names the window of all service levels.
func (d Desk) Today() string { return d.say(phraseToday) }

// NoQueue says that no queue is watched.
func (d Desk) NoQueue() string { return d.say(phraseNoQueue) }

// Queue says how queue i stands; it must exist.
func (d Desk) Queue(i int) QueueText {
	q := &d.View.Queues[i]
	t := QueueText{Title: font.CleanHead(q.Name)}
	if n := len(d.View.Queues); n > 1 {
		t.Position = d.say(phraseQueueOf, i+1, n)
	}
	switch {
	case !q.Stale.IsZero():
		t.NoData = d.say(phraseNoDataSince, d.at(q.Stale))
		return t
	case !q.Known:
		t.NoData = d.say(phraseNoData)
		return t
	case q.Coarse:
		waits, free := phraseNobodyWaits, phraseNobodyFree
		if q.Waiting > 0 {
			waits = phraseSomebodyWaits
		}
		if q.Free > 0 {
			free = phraseSomebodyFree
		}
		t.Coarse = Join(", ", d.say(waits), d.say(free))
		return t
	}
	waiting, free := bounded(q.Waiting), bounded(q.Free)
	t.Count, t.FreeOnly = fmt.Sprint(waiting), fmt.Sprint(free)
	t.Waiting, t.Free = d.count(phraseWaitingOne, phraseWaiting, waiting), d.say(phraseFree, free)
	if waiting > 0 {
		t.Oldest = Clock(q.Oldest)
		t.Longest = d.say(phraseLongest, t.Oldest)
	}
	if q.Busy == callcentre.Many || q.Busy == callcentre.Long {
		t.Urgent = d.say(phraseUrgent)
	}
	t.Level = d.level(&q.Level)
	return t
}

func (d Desk) level(l *callcentre.LevelView) LevelText {
	t := LevelText{}
	if l.Target > 0 {
		t.Percent = d.say(phrasePercent, min(l.Target, 100))
		t.Target = d.say(phraseTarget, t.Percent)
	}
	if !l.Known || l.Formula >= sip.FormulaCount { // a figure without its formula is not shown
		t.Figure = d.say(phraseUncounted)
		if !l.Since.IsZero() {
			t.Figure = d.say(phraseUncountedSince, d.at(l.Since))
		}
		return t
	}
	t.Figure = d.say(phraseLevel, d.say(phrasePercent, max(0, min(l.Percent, 100))), d.span(l.Within))
	t.Formula, t.Window = d.formulas[l.Formula], d.say(phraseToday)
	if !l.Since.IsZero() {
		t.Window = d.say(phraseSince, d.at(l.Since)) // what was before is not all in it
	}
	if l.Target > 0 && l.Light > callcentre.LightNone && l.Light <= callcentre.LightBad {
		t.Light, t.Target = l.Light, t.Target+" "+d.lights[l.Light]
	}
	return t
}

// Full is figure, formula and window: they belong together.
func (t LevelText) Full() string { return Join(", ", Join(" ", t.Figure, t.Formula), t.Window) }

// Line is the queue as one line to read aloud.
func (t QueueText) Line() string {
	figures := Join(", ", t.Waiting, t.Longest, t.Free, t.Urgent)
	return Join(". ", Join(": ", t.Title, Join("", t.NoData, t.Coarse, figures)), Join(", ", t.Level.Full(), t.Level.Target), t.Position)
}

// A ClosingText says that a line closes soon; in Brief the time goes first.
type ClosingText struct{ Full, Brief string }

// Closing says which lines close soon, soonest first.
func (d Desk) Closing() []ClosingText {
	var all []ClosingText
	for _, c := range d.View.Closing {
		name := font.CleanHead(c.Tenant)
		if name == "" {
			name = font.CleanHead(c.Line)
		}
		at := d.at(c.At)
		all = append(all, ClosingText{d.say(phraseCloses, name, at), d.say(phraseClosesIn, at, name)})
	}
	return all
}

// clockMax is longer than any call or wait.
const clockMax = 100*time.Hour - time.Second

// Clock is 3:07, or 1:02:03 from an hour on.
func Clock(t time.Duration) string {
	s := int(max(0, min(t, clockMax)) / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// span is "30 s", or "2 min" for whole minutes.
func (d Desk) span(t time.Duration) string {
	if t >= 2*time.Minute && t%time.Minute == 0 {
		return d.say(phraseMinutes, bounded(int(t/time.Minute)))
	}
	return d.say(phraseSeconds, bounded(int(max(0, t)/time.Second)))
}

// Day says what came of today's calls, the agent's own too; empty while it is not known, or there were none.
func (d Desk) Day() string {
	t := d.View.Today
	if t == nil || t.Team.Calls <= 0 {
		return ""
	}
	solved, own := "", ""
	if percent, ok := t.Team.FirstContact(); ok {
		solved = d.say(phraseSolvedToday, percent)
	}
	if d.View.Agent.State != sip.SignedOut {
		own = d.say(phraseOwnToday, t.Own.Calls)
	}
	return Join(dot, d.count(phraseTeamTodayOne, phraseTeamToday, t.Team.Calls), own, solved)
}
