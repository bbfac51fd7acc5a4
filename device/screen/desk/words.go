package desk

import (
	"fmt"

	"freizeichen/device/callcentre"
	"freizeichen/firmware"
	"freizeichen/sip"
)

// Words are all the desk's words of one language. They never change.
type Words struct {
	actions  [callcentre.ActionCount]Label
	choices  [callcentre.WordCount]string
	menus    [callcentre.MenuKindCount]string
	states   [sip.AgentStateCount]stateWords
	formulas [sip.FormulaCount]string
	lights   [callcentre.LightBad + 1]string
	notes    [callcentre.NoteCount]noteWords
	problems [sip.AgentProblemCount]string
	results  [sip.ResultCount]string
	sources  [firmware.Day + 1]string
	prompts  [callcentre.AskPIN + 1]string
	lines    [callcentre.SourceLine + 1]string // what is said before a line of a card; empty where the line says it itself
	phrases  [phraseCount]string
	weekdays [7]string // short, from Sunday
	date     string    // reference date of time.Format, day and month
}

// A Label is the forms of a soft key's text.
type Label struct {
	Full   string // read aloud
	Medium string // at most 73 pixels of Face6x12
	Short  string // at most 29 pixels of Face5x8
}

// stateWords name a state of the agent.
type stateWords struct {
	full  string
	short string // at most 39 pixels of Face5x8 with a question mark, for the status line
}

// noteWords are a note; with has a place for NoteArg, without is for a note that comes without it.
type noteWords struct{ with, without string }

// A phrase is a text with no better home. Those with a place carry fmt verbs.
type phrase uint8

const (
	phraseSince          phrase = iota // %s: a time of day
	phraseAgent                        // %s: the agent's number
	phraseAsked                        // the switchboard has not answered yet
	phraseUnconfirmed                  //
	phraseUnconfirmedIn                // the same for 116 pixels of Face5x8
	phraseStateUnknown                 // nothing has been heard of the switchboard
	phraseStateUnknownIn               // the same for 116 pixels of Face5x8
	phraseAway                         // %s: since when the switchboard cannot be reached
	phraseAwayIn                       // the same for 116 pixels of Face5x8
	phraseStranger                     // the switchboard does not know the phone
	phraseStrangerIn                   // the same for 116 pixels of Face5x8
	phraseNoQueue                      // no queue is watched
	phraseNoData                       //
	phraseNoDataSince                  // %s
	phraseNobodyWaits                  //
	phraseSomebodyWaits                // of a source without figures
	phraseSomebodyFree                 // of a source without figures
	phraseNobodyFree                   //
	phraseWaitingOne                   // %d
	phraseWaiting                      // %d
	phraseLongest                      // %s: m:ss
	phraseFree                         // %d
	phraseLevel                        // %d percent, %s: time
	phraseToday                        // the window of the service level
	phraseUrgent                       // many wait, or one waits long
	phraseUncounted                    // there was no call yet
	phraseUncountedSince               // %s: a time of day
	phraseTarget                       // %s: 80 %
	phrasePercent                      // %d
	phraseQueueOf                      // %d of %d
	phraseHeadWaiting                  // heads of the table of queues
	phraseHeadLongest                  //
	phraseHeadFree                     //
	phraseCloses                       // %s: line, %s: time
	phraseClosesIn                     // %[1]s: time, %[2]s: line; the time first, because the end is cut on a small panel
	phraseUnsentOne                    // %d
	phraseUnsent                       // %d
	phraseLost                         // an outcome could not be kept
	phraseGreeting                     // read aloud before the greeting
	phraseWaited                       // %s: how long the caller has waited
	phraseNoCard                       // no topic is known either
	phraseNoCardFor                    // %s: topic
	phraseExample                      //
	phraseCheckedToday                 //
	phraseCheckedOne                   // yesterday
	phraseChecked                      // %d days ago
	phraseOld                          // %s: since when the knowledge may be out of date
	phraseOpenUntil                    // %s
	phraseOpen                         //
	phraseClosedUntil                  // %s
	phraseClosed                       //
	phraseOfficeBusy                   //
	phraseTriesOne                     // %d
	phraseTries                        // %d
	phraseWrongPIN                     // %s: tries left
	phraseLocked                       // %s: a time of day
	phraseSignedInThere                // %s: a phone
	phraseTyped                        // %d digits that are not shown
	phraseLate                         // title of the late entry
	phraseTopic                        //
	phraseNoTopic                      // none chosen
	phraseResult                       //
	phraseLeft                         // %s: rest of the wrap-up
	phraseExtendOne                    // %d
	phraseExtend                       // %d
	phraseMenuByOK                     // what OK opens, after a call
	phraseNoCountdown                  // nothing ends by itself
	phraseNow                          // the present choice
	phraseTakeOver                     // %s: the phone where the agent is signed in
	phraseEmpty                        // a menu without choices
	phraseTeamTodayOne                 // 1 call of all agents
	phraseTeamToday                    // %d calls of all agents
	phraseSolvedToday                  // %d percent solved at the first contact
	phraseOwnToday                     // %d calls of the agent
	phrasePausesNext                   // %s: the present state
	phraseTomorrow                     // stands before a time of day
	phraseLineOf                       // %d of %d: where in the card
	phraseSeconds                      // %d
	phraseMinutes                      // %d
	phraseCount
)

// say is a phrase with its places filled.
func (w *Words) say(p phrase, values ...any) string {
	if len(values) == 0 {
		return w.phrases[p]
	}
	return fmt.Sprintf(w.phrases[p], values...)
}

// countMax is the largest number that a panel has room for; what is above it is no count of a desk.
const countMax = 999

// bounded is a count that has room on a panel.
func bounded(n int) int { return max(0, min(n, countMax)) }

// count says how many: one has a phrase of its own.
func (w *Words) count(one, many phrase, n int) string {
	if n = bounded(n); n == 1 {
		many = one
	}
	return w.say(many, n)
}

// Action is the label of a soft key; it is empty for what is none.
func (w *Words) Action(a callcentre.Action) Label {
	if a >= callcentre.ActionCount {
		return Label{}
	}
	return w.actions[a]
}

// Problem says what went wrong and what to do about it.
func (w *Words) Problem(p sip.AgentProblem) string {
	if p >= sip.AgentProblemCount {
		p = sip.PBXRefused
	}
	return w.problems[p]
}
