package screen

import (
	"fmt"
	"strings"
	"time"

	"freizeichen/device/phone"
	"freizeichen/device/screen/font"
	"freizeichen/sip"
)

// clean makes a text from the network fit to be shown and read aloud.
func clean(text string) string { return font.CleanHead(text) }

// A wording is a View in words. The layouts draw it and Text reads it aloud, so that both say the same.
type wording struct {
	*catalogue
	view *phone.View
}

func (w wording) word(id word, values ...any) string {
	if len(values) == 0 {
		return w.words[id]
	}
	return fmt.Sprintf(w.words[id], values...)
}

// join puts the parts that are not empty together.
func join(separator string, parts ...string) string {
	joined := ""
	for _, part := range parts {
		if joined != "" && part != "" {
			joined += separator
		}
		joined += part
	}
	return joined
}

// dot stands between facts on one line.
const dot = " · "

func (w wording) clock() string { return w.view.Now.Format("15:04") }

// largeClock reports whether the screen is the large clock: nothing happens, and all is well.
func (w wording) largeClock() bool {
	switch w.view.Screen.(type) {
	case phone.Dialling, phone.Calls, phone.Ended, phone.List, phone.Test:
		return false
	}
	return w.view.Status.Registration == phone.Registered && !w.view.Desk.On
}

// dateText is the date beside the large clock.
func (w wording) dateText() string {
	now := w.view.Now
	return fmt.Sprintf(w.catalogue.date, w.weekdays[now.Weekday()], now.Day(), w.months[now.Month()-1])
}

// duration is 3:07, or 1:02:03 from an hour on.
func duration(d time.Duration) string {
	s := int(max(0, d) / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// when says when a past call was: "10:42" today, "gestern 10:42", else "20.11. 10:42". brief leaves the time
// of day out, except today.
func (w wording) when(at time.Time) (full, brief string) {
	now := w.view.Now
	at = at.In(now.Location())
	clock := at.Format("15:04")
	switch {
	case sameDay(at, now):
		return clock, clock
	case sameDay(at, now.AddDate(0, 0, -1)):
		yesterday := w.word(wordYesterday)
		return yesterday + " " + clock, yesterday
	case at.Year() == now.Year():
		brief = at.Format(w.shortDate)
	default:
		brief = at.Format(w.longDate)
	}
	return brief + " " + clock, brief
}

func sameDay(a, b time.Time) bool { return a.Year() == b.Year() && a.YearDay() == b.YearDay() }

// A partyText is the other end of a call in words.
type partyText struct {
	title  string // the name, else the number, else "unknown": never empty
	number string // unless it is the title
	digits bool   // the title is a number
}

func (w wording) party(p sip.Party) partyText {
	name, number := clean(p.Name), clean(p.Number)
	// RFC 3323 section 4.1.1.3: a caller who withholds the number is "Anonymous" <sip:anonymous@anonymous.invalid>.
	if number == "" || strings.EqualFold(number, "anonymous") {
		if strings.EqualFold(number, "anonymous") && (name == "" || strings.EqualFold(name, "anonymous")) {
			name = w.word(wordAnonymous)
		}
		if name == "" {
			name = w.word(wordUnknown)
		}
		return partyText{title: name}
	}
	if name == "" || name == number {
		return partyText{title: number, digits: true}
	}
	return partyText{title: name, number: number}
}

// called is the name of the number that the citizen dialled, else that number, else "", and the number beside
// the name.
func (w wording) called(p sip.Party) (name, number string) {
	if p == (sip.Party{}) {
		return "", ""
	}
	party := w.party(p)
	return party.title, party.number
}

// A mood is what a call's state looks like: a colour on the colour panel, never without icon and words.
type mood uint8

const (
	moodCalling mood = iota // we have dialled, or it is being passed on
	moodRinging
	moodTalking
	moodWaiting // on hold, whichever side holds
)

// A callText is one call in words. called, calledNumber, topic and time may be empty.
type callText struct {
	icon                 icon
	mood                 mood
	state                string
	party                partyText
	called, calledNumber string
	topic                string
	time                 string
	line                 int
	ringing              bool
	selected             bool
	muted                string // "Mikrofon stumm" or ""
}

func (w wording) call(calls phone.Calls, i int) callText {
	c := &calls.Calls[i]
	state := min(c.State, phone.Transferring)
	t := callText{state: w.states[state], party: w.party(c.Party), topic: clean(c.Topic), line: c.Line,
		time: duration(c.Duration), selected: i == selected(calls.Selected, len(calls.Calls)), ringing: c.State == phone.RingingIn}
	if words := w.consulting[state]; c.Consulting != 0 && words != "" {
		t.state = words
	}
	t.called, t.calledNumber = w.called(c.Called)
	if citizen := w.citizen(c.ID); citizen.Tenant != "" {
		t.called, t.topic = citizen.Tenant, citizen.Topic // the agent may have changed both
	}
	switch state {
	case phone.CallingOut:
		t.icon, t.mood, t.time = iconOutgoing, moodCalling, ""
	case phone.RingingOut:
		t.icon, t.mood = iconOutgoing, moodCalling
	case phone.RingingIn:
		t.icon, t.mood = iconIncoming, moodRinging
		if len(calls.Calls) > 1 {
			t.state = w.word(wordKnocks)
		}
	case phone.Talking:
		t.icon, t.mood = iconHandset, moodTalking
		if w.view.Status.Muted {
			t.icon, t.muted = iconMuted, w.word(wordMuted)
		}
	case phone.Held, phone.HeldByRemote:
		t.icon, t.mood = iconHold, moodWaiting
	case phone.Transferring:
		t.icon, t.mood = iconTransfer, moodCalling
	}
	return t
}

// headline is what stands largest for a call among others: the called number's name while it rings, because
// the agent must greet with it, else the other end.
func (t callText) headline() (title string, digits bool) {
	if t.ringing && t.called != "" {
		return t.called, false
	}
	return t.party.title, t.party.digits
}

// detail is what stands small below the headline: what it does not say.
func (t callText) detail() string {
	switch {
	case t.ringing && t.called != "":
		return join(dot, t.topic, t.party.title)
	case t.called != "" || t.topic != "":
		return join(dot, t.topic, t.called) // the topic first: the end is cut on a small panel
	}
	return t.party.number
}

// selected is the index of the selected one of n, whatever the View says.
func selected(index, n int) int { return max(0, min(index, n-1)) }

// window is the part of n rows that is visible around the selected one.
func window(n, selected, rows int) (from, to int) {
	from = max(0, min(selected-rows/2, n-rows))
	return from, min(n, from+rows)
}

// An unregisteredText says why the phone cannot be called, and when it tries again. All is empty while it is
// registered.
type unregisteredText struct {
	headline, short string
	cause, retry    string // empty at the first try
}

func (w wording) unregistered() unregisteredText {
	s := &w.view.Status
	if s.Registration == phone.Registered || s.Registration > phone.Failed {
		return unregisteredText{}
	}
	words := w.registrations[s.Registration]
	t := unregisteredText{headline: words.headline, short: words.short}
	if s.Cause != sip.CauseNone {
		t.cause = w.cause(s.Cause)
	}
	switch seconds := int(s.Retry.Round(time.Second) / time.Second); {
	case s.Registration == phone.Registering:
	case seconds <= 0:
		t.retry = w.word(wordRetryNow)
	case seconds <= 120:
		t.retry = w.word(wordRetryIn, w.word(wordSeconds, seconds))
	default:
		t.retry = w.word(wordRetryIn, w.word(wordMinutes, (seconds+59)/60))
	}
	return t
}

// registrationIcon is the icon of the status line.
func (w wording) registration() (icon, string) {
	state := min(w.view.Status.Registration, phone.Failed)
	switch state {
	case phone.Registered:
		return iconRegistered, w.registrations[state].status
	case phone.Registering:
		return iconRegistering, w.registrations[state].status
	}
	return iconUnregistered, w.registrations[state].status
}

func (w wording) missed() string {
	switch n := w.view.Status.Missed; {
	case n <= 0:
		return ""
	case n == 1:
		return w.word(wordMissedOne)
	default:
		return w.word(wordMissedMany, n)
	}
}

// An endedText is a call that is over.
type endedText struct {
	cause    string
	status   string // "" unless it says more than the cause
	duration string // "" when there was no conversation
	party    partyText
	failed   bool      // it did not come about
	waits    string    // "" unless somebody is on hold meanwhile
	waiting  partyText // who it is, when it is one
}

func (w wording) ended(e phone.Ended) endedText {
	t := endedText{cause: w.cause(e.Cause), party: w.party(e.Party)}
	if e.Status != 0 && (e.Cause == sip.CauseNone || e.Cause == sip.ServerError || e.Cause > sip.BadNumber) {
		t.status = w.word(wordStatus, e.Status)
	}
	if e.Duration > 0 {
		t.duration = w.word(wordDuration, duration(e.Duration))
	}
	switch len(e.Waiting) {
	case 0:
	case 1:
		t.waits, t.waiting = w.word(wordWaits), w.party(e.Waiting[0])
	default:
		t.waits = w.word(wordWaiting, len(e.Waiting))
	}
	switch e.Cause {
	case sip.Normal, sip.Transferred, sip.Elsewhere, sip.CallerGaveUp:
	default:
		t.failed = true
	}
	return t
}

// A volumeText is the volume bar.
type volumeText struct {
	icon       icon
	name       string
	value      string // "7 von 10"; empty when the ringer is off, which is its name then
	level, max int
}

func (w wording) volume() volumeText {
	v := *w.view.Status.Volume
	t := volumeText{icon: iconSpeaker, name: w.word(wordVolume), max: max(1, min(v.Max, 20))}
	t.level = max(0, min(v.Level, t.max))
	t.value = w.word(wordOf, t.level, t.max)
	if v.Ringer {
		if t.icon, t.name = iconBell, w.word(wordRinger); t.level == 0 {
			t.name, t.value = w.word(wordRingerOff), ""
		}
	}
	return t
}

// An entryText is one past call.
type entryText struct {
	party       partyText
	when, brief string
	detail      string // called number and topic
	selected    bool
}

func (w wording) entry(list phone.List, i int) entryText {
	e := &list.Entries[i]
	called, _ := w.called(e.Called)
	t := entryText{party: w.party(e.Party), detail: join(dot, called, clean(e.Topic)), selected: i == selected(list.Selected, len(list.Entries))}
	t.when, t.brief = w.when(e.At)
	return t
}

// dialling is the title above the number that is being typed.
func (w wording) dialling(d phone.Dialling) (icon, string) {
	switch {
	case d.Transfer:
		return iconTransfer, w.word(wordTransferTo)
	case d.OffHook:
		return iconHandset, w.word(wordPleaseDial)
	}
	return iconOutgoing, w.word(wordEnterNumber)
}

func (w wording) list(l phone.List) (words listWords, position string) {
	words = w.lists[min(l.Kind, phone.DialledCalls)]
	if n := len(l.Entries); n > 0 {
		position = w.word(wordOf, selected(l.Selected, n)+1, n)
	}
	return words, position
}
