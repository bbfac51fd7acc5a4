package config

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"freizeichen/firmware/document"
)

// Centre is the desk of an agent in a call centre.
type Centre struct {
	Switchboard Switchboard
	Queues      []string // watched while nobody is signed in
	Status      StatusSource
	Reasons     []Reason // for a pause, in the order of the menu
	Codes       Codes
	ManyWaiting int           // the queue lamp blinks from so many on; 0: never by number
	LongWait    time.Duration // and when one waits so long; 0: longer than the queue promises
	Reject      bool          // an agent who refuses a call is paused; default true
	Knowledge   string        // path of a compiled knowledge file to begin with; may be empty
	Data        string        // folder for what survives a power cut; empty: nothing does
}

// On reports whether the phone has a desk.
func (c Centre) On() bool { return c.Switchboard.URL != "" || len(c.Queues) > 0 }

// Switchboard is how the phone reaches the program that knows queues and agents. The zero Switchboard: it has none.
type Switchboard struct {
	URL    string // https://host[:port], without a path
	Secret Secret // of this phone
	CA     string // path of the authority's certificate; empty: the system's authorities
}

// A StatusSource is how the PBX tells of its queues.
type StatusSource string

// The sources.
const (
	Presence StatusSource = "presence"
	Dialog   StatusSource = "dialog"
	None     StatusSource = "none"
)

// A Reason is why an agent pauses.
type Reason struct {
	ID   string
	Text string // empty for one of KnownReasons
	Code string // feature code; empty: none
}

// Codes are feature codes of the PBX; empty: none.
type Codes struct{ SignIn, SignOut, Ready string }

// KnownReasons have words in every language of the panel.
func KnownReasons() []string { return []string{"break", "meeting", "training", "backoffice"} }

// reasonsMax is what a menu of nine keys offers at once.
const reasonsMax = 9

// queuesMax bounds the subscriptions of one phone.
const queuesMax = 24

func defaultCentre() Centre {
	c := Centre{Status: Presence, Reject: true}
	for _, id := range KnownReasons() {
		c.Reasons = append(c.Reasons, Reason{ID: id})
	}
	return c
}

func (p problems) centre(c *Centre, m rawCentre) {
	s := m.Switchboard
	document.Value(p.Problems, &c.Switchboard.URL, s.URL, parseURL)
	document.Value(p.Problems, &c.Switchboard.Secret, s.Secret, parseSecret)
	document.Value(p.Problems, &c.Switchboard.CA, s.CA, document.TextOf(checkText))
	if c.Switchboard.URL != "" {
		p.Need(s.At, "call-centre.switchboard", "secret", s.Secret)
	}
	for _, q := range m.Queues {
		var name string
		if !document.Value(p.Problems, &name, q, document.TextOf(checkUser)) {
			continue
		}
		switch {
		case slices.Contains(c.Queues, name):
			p.Add(q.At, "%s: %q stands in the list already", q.Path, name)
		case len(c.Queues) == queuesMax:
			p.Add(q.At, "%s is one too many: a phone watches at most %d queues", q.Path, queuesMax)
		default:
			c.Queues = append(c.Queues, name)
		}
	}
	document.Choice(p.Problems, &c.Status, m.Status, Presence, Dialog, None)
	p.reasons(c, m.Reasons)
	document.Value(p.Problems, &c.Codes.SignIn, m.Codes.SignIn, document.TextOf(document.CheckDigits))
	document.Value(p.Problems, &c.Codes.SignOut, m.Codes.SignOut, document.TextOf(document.CheckDigits))
	document.Value(p.Problems, &c.Codes.Ready, m.Codes.Ready, document.TextOf(document.CheckDigits))
	document.Value(p.Problems, &c.ManyWaiting, m.Alarm.Waiting, document.NumberOf(0, 1000))
	document.Value(p.Problems, &c.LongWait, m.Alarm.Longest, document.DurationOf(time.Second, time.Hour, true))
	document.Value(p.Problems, &c.Reject, m.Reject, document.ParseBool)
	document.Value(p.Problems, &c.Knowledge, m.Knowledge, document.TextOf(checkText))
	document.Value(p.Problems, &c.Data, m.Data, document.TextOf(checkText))
}

func (p problems) reasons(c *Centre, mirror []rawReason) {
	if mirror == nil {
		return
	}
	c.Reasons = nil
	for i, m := range mirror {
		path := fmt.Sprintf("call-centre.pause-reasons[%d]", i)
		if i == reasonsMax {
			p.Add(m.At, "%s is one too many: a menu has %d keys", path, reasonsMax)
			return
		}
		p.Need(m.At, path, "id", m.ID)
		var r Reason
		document.Value(p.Problems, &r.ID, m.ID, document.TextOf(checkReason))
		document.Value(p.Problems, &r.Text, m.Text, document.TextOf(checkText))
		document.Value(p.Problems, &r.Code, m.Code, document.TextOf(document.CheckDigits))
		if r.ID != "" && r.Text == "" && !slices.Contains(KnownReasons(), r.ID) {
			p.Add(m.At, "%s needs a text: only %s have one of their own", path, strings.Join(KnownReasons(), ", "))
		}
		if slices.ContainsFunc(c.Reasons, func(earlier Reason) bool { return earlier.ID == r.ID && r.ID != "" }) {
			p.Add(m.ID.At, "%s: %q stands in the list already", m.ID.Path, r.ID)
		}
		c.Reasons = append(c.Reasons, r)
	}
}

// parseURL takes the address of a switchboard: always encrypted, because secrets and PINs go there.
func parseURL(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("is %s; allowed: https://HOST or https://HOST:PORT", document.Excerpt(text))
	}
	return "https://" + u.Host, nil
}

// checkReason takes what stands in the PBX's events and in the store.
func checkReason(text string) error {
	if text == "" || len(text) > 32 || strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return errors.New("must be 1 to 32 of a-z, 0-9 and -")
	}
	return nil
}
