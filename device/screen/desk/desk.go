// Package desk says the agent's desk in words, German or English: what device/screen draws and reads aloud of a
// callcentre.View.
//
//	callcentre.View, time of day --Desk--> texts: agent, queues, caller, card, work after the call, prompt, menu, note
//	german.go, english.go: all words
//
// It knows no pixels and decides nothing: every text is whole, and the panel cuts what it cannot show.
package desk

import (
	"strings"
	"time"

	"freizeichen/device/callcentre"
	"freizeichen/device/screen/font"
	"freizeichen/sip"
)

// German returns the German words.
func German() *Words { return &german }

// English returns the English words.
func English() *Words { return &english }

// A Desk is a View in words.
type Desk struct {
	*Words
	View *callcentre.View
	Now  time.Time // wall clock of the panel, in local time
}

// dot stands between facts on one line, as everywhere on the panel.
const dot = " · "

// Join puts the parts that are not empty together.
func Join(separator string, parts ...string) string {
	kept := make([]string, 0, len(parts))
	for _, part := range parts {
		if part != "" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, separator)
}

// An AgentText is who is signed in and what he does.
type AgentText struct {
	State   sip.AgentState
	Number  string // "Agent 4711", empty when nobody is signed in
	Title   string // "Pause: Mittag"
	Short   string // "Pause", with a question mark when Warning is not empty
	Word    string // the same without the reason, with a question mark when Warning is not empty
	Since   string // "seit 10:42", empty when it is not known
	At      string // "10:42"
	Warning string // why the state is not certain, else empty
	Brief   string // the same for 116 pixels of Face5x8
}

// Agent says what the agent does.
func (d Desk) Agent() AgentText {
	a := &d.View.Agent
	state := a.State
	if state >= sip.AgentStateCount {
		state = sip.SignedOut
	}
	t := AgentText{State: state, Title: d.states[state].full, Word: d.states[state].full, Short: d.states[state].short}
	if number := font.CleanHead(a.Number); number != "" {
		t.Number = d.say(phraseAgent, number)
	}
	if reason := d.reason(); state == sip.Paused && reason != "" {
		t.Title += ": " + reason
	}
	if a.PausesNext {
		t.Title = d.say(phrasePausesNext, t.Title)
	}
	if state == sip.SignedOut && a.Quiet {
		t.Title += ": " + d.choices[callcentre.WordDoNotDisturb]
	}
	if !a.Since.IsZero() {
		t.At = d.at(a.Since)
		t.Since = d.say(phraseSince, t.At)
	}
	switch since := d.at(a.Away); {
	case !a.Away.IsZero() && a.Problem == sip.PhoneUnknown:
		t.Warning, t.Brief = d.say(phraseStranger, since), d.say(phraseStrangerIn, since)
	case !a.Away.IsZero():
		t.Warning, t.Brief = d.say(phraseAway, since), d.say(phraseAwayIn, since)
	case !a.Known:
		t.Warning, t.Brief, t.Since, t.At = d.say(phraseStateUnknown), d.say(phraseStateUnknownIn), "", ""
	case a.Asked:
		t.Warning = d.say(phraseAsked)
	case a.Unconfirmed:
		t.Warning, t.Brief = d.say(phraseUnconfirmed), d.say(phraseUnconfirmedIn)
	}
	if t.Warning != "" {
		t.Word, t.Short = t.Word+"?", t.Short+"?"
	}
	if t.Brief == "" {
		t.Brief = t.Warning
	}
	return t
}

// reason is why the agent pauses, in the site's words or ours.
func (d Desk) reason() string {
	a := &d.View.Agent
	if a.ReasonText != "" {
		return font.CleanHead(a.ReasonText)
	}
	word := callcentre.ReasonWord(callcentre.Reason{ID: a.Reason})
	if word == callcentre.WordText {
		return font.CleanHead(a.Reason)
	}
	return d.choices[word]
}

// at says when something was or will be: "8:03" today, "morgen 8:03", "Mo 8:03" within six days, else "28.11. 8:03".
func (d Desk) at(t time.Time) string {
	t = t.In(d.Now.Location())
	clock := strings.TrimPrefix(t.Format("15:04"), "0")
	days := int(midnight(t).Sub(midnight(d.Now)).Round(24*time.Hour) / (24 * time.Hour))
	switch {
	case days == 0:
		return clock
	case days == 1:
		return d.say(phraseTomorrow) + " " + clock
	case days > 1 && days < 7:
		return d.weekdays[t.Weekday()] + " " + clock
	}
	return t.Format(d.date) + " " + clock
}

// midnight is the day of t, in a zone without summer time so that days can be counted.
func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// Unsent says how many outcomes wait for the switchboard, or that one could not be kept; empty when all is well.
func (d Desk) Unsent() string {
	text := ""
	if d.View.Unsent > 0 {
		text = d.count(phraseUnsentOne, phraseUnsent, d.View.Unsent)
	}
	if d.View.Lost {
		text = Join(", ", d.say(phraseLost), text)
	}
	return text
}

// NoteGood reports whether the note is good news, and asks nothing of the agent.
func (d Desk) NoteGood() bool {
	return d.View.Note == callcentre.NoteSignedIn || d.View.Note == callcentre.NoteMessageSent || d.View.Note == callcentre.NoteMessageTaken
}

// Note is the short message for the agent, empty without one.
func (d Desk) Note() string {
	note, arg := d.View.Note, font.CleanHead(d.View.NoteArg)
	if note == callcentre.NoteNone || note >= callcentre.NoteCount {
		return ""
	}
	if note == callcentre.NoteProblem {
		arg = d.problem(arg)
	}
	if c := d.View.Card; note == callcentre.NoteOfficeClosed && c != nil && c.Office != nil && !c.Office.Changes.IsZero() {
		arg = d.at(c.Office.Changes)
	}
	if arg == "" {
		return d.notes[note].without
	}
	return strings.ReplaceAll(d.notes[note].with, "%s", arg)
}

// problem says what went wrong by its name, which a time of day or a phone may follow; empty for an unknown one.
func (d Desk) problem(arg string) string {
	name, more, _ := strings.Cut(arg, " ")
	problem, ok := sip.ParseAgentProblem(name)
	switch {
	case !ok:
		return ""
	case problem == sip.WrongPIN && d.View.Prompt != nil && d.View.Prompt.Tries > 0:
		return d.say(phraseWrongPIN, d.count(phraseTriesOne, phraseTries, d.View.Prompt.Tries))
	case problem == sip.TooManyTries && more != "":
		return d.say(phraseLocked, strings.TrimPrefix(more, "0"))
	case problem == sip.SignedInThere && more != "":
		return d.say(phraseSignedInThere, more)
	}
	return d.Problem(problem)
}
