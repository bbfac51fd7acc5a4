package desk

import (
	"strconv"
	"strings"

	"freizeichen/device/callcentre"
	"freizeichen/device/screen/font"
	"freizeichen/sip"
)

// An AfterText is the work after a call.
type AfterText struct {
	Title      string // "Nacharbeit" or "Nachtragen"
	Tenant     string
	Topic      string // the chosen one, or that none is chosen
	TopicLine  string // "Anliegen: Elterngeld"
	Result     string
	ResultLine string // "Ergebnis: gelöst"
	Left       string // "0:23", empty when nothing ends by itself
	Rest       string // "noch 0:23", or how it ends
	Extends    string // "2 Verlängerungen möglich", empty without any
	Menu       string // "OK: Menü"
}

// After says what is still to be done for the last call.
func (d Desk) After() AfterText {
	a := d.View.After
	t := AfterText{Title: d.states[sip.WrapUp].full, Tenant: font.CleanHead(a.Tenant), Topic: font.CleanHead(a.Topic), Rest: d.say(phraseNoCountdown), Menu: d.say(phraseMenuByOK)}
	if a.Late {
		t.Title = d.say(phraseLate)
	}
	if t.Topic == "" {
		t.Topic = d.say(phraseNoTopic)
	}
	result := a.Result
	if result >= sip.ResultCount {
		result = sip.NoResult
	}
	t.Result = d.results[result]
	t.TopicLine, t.ResultLine = d.say(phraseTopic)+": "+t.Topic, d.say(phraseResult)+": "+t.Result
	if a.Counting {
		t.Left = Clock(a.Left)
		t.Rest = d.say(phraseLeft, t.Left)
	}
	if a.Extends > 0 && a.Counting {
		t.Extends = d.count(phraseExtendOne, phraseExtend, a.Extends)
	}
	return t
}

// AfterShare is the part of the wrap-up that is left, in thousandths.
func (d Desk) AfterShare() int {
	left := max(0, d.View.After.Left)
	return int(1000 * left / max(left, d.View.After.Of, 1))
}

// A ChoiceText is one line of a menu.
type ChoiceText struct {
	Key      string // "3": the digit that chooses it; empty from the tenth on
	Text     string
	Mark     string // that it is the present one, else empty
	Selected bool
}

// choice says choice i of a list.
func (d Desk) choice(choices []callcentre.Choice, i int) ChoiceText {
	c := &choices[i]
	t := ChoiceText{Text: font.CleanHead(c.Text)}
	if c.Word != callcentre.WordText && c.Word < callcentre.WordCount {
		t.Text = d.choices[c.Word]
	}
	if i < 9 {
		t.Key = strconv.Itoa(i + 1)
	}
	if c.Mark {
		t.Mark = d.say(phraseNow)
	}
	return t
}

// Line is the choice as one line to read aloud.
func (t ChoiceText) Line() string { return Join(", ", Join(" ", t.Key, t.Text), t.Mark) }

// Favourite says favourite topic i of the work after a call; it must exist.
func (d Desk) Favourite(i int) ChoiceText {
	t := d.choice(d.View.After.Choices, i)
	if d.View.After.Choices[i].Word == callcentre.WordOther {
		t.Key = "0" // opens all topics, wherever it stands
	}
	return t
}

// A MenuText is the head of a menu.
type MenuText struct {
	Title    string
	Position string // "2 von 7"
	Empty    string // that there is nothing to choose, else empty
	Selected int    // index, whatever the View says
	Reading  bool   // its entries are long texts, to be read one after the other
}

// Menu says what is to be chosen.
func (d Desk) Menu() MenuText {
	m := d.View.Menu
	kind := m.Kind
	if kind >= callcentre.MenuKindCount {
		kind = callcentre.MainMenu
	}
	t := MenuText{Title: d.menus[kind], Reading: kind == callcentre.NoticeMenu}
	n := len(m.Choices)
	if t.Selected = max(0, min(m.Selected, n-1)); n == 0 {
		t.Empty = d.say(phraseEmpty)
	} else {
		t.Position = d.say(phraseQueueOf, t.Selected+1, n)
	}
	if phone := font.CleanHead(m.Arg); kind == callcentre.TakeOverMenu && phone != "" {
		t.Title = d.say(phraseTakeOver, phone)
	}
	return t
}

// Choice says choice i of the menu, which must exist.
func (d Desk) Choice(i int) ChoiceText {
	t := d.choice(d.View.Menu.Choices, i)
	t.Selected = i == d.Menu().Selected
	return t
}

// A PromptText is something being typed.
type PromptText struct {
	Title  string
	For    string // "Agent 4711", whose PIN is typed; else empty
	Typed  string // the agent's number; dots for digits that nobody may see
	Spoken string // what is read aloud of it
	Tries  string // "noch 3 Versuche", empty when not told
}

// hiddenMax is how many dots are drawn at most.
const hiddenMax = 16

// Prompt says what is being typed. Digits of a PIN are not even in the View.
func (d Desk) Prompt() PromptText {
	p := d.View.Prompt
	typed := font.CleanHead(p.Typed)
	t := PromptText{Title: d.prompts[min(p.Kind, callcentre.AskPIN)], Typed: typed, Spoken: typed}
	if p.Kind != callcentre.AskNumber {
		hidden := max(0, min(p.Hidden, hiddenMax))
		t.Typed, t.Spoken = strings.Repeat("•", hidden), d.say(phraseTyped, hidden)
		if typed != "" {
			t.For = d.say(phraseAgent, typed)
		}
	}
	if p.Tries > 0 {
		t.Tries = d.count(phraseTriesOne, phraseTries, p.Tries)
	}
	return t
}
