package phone

import (
	"time"

	"freizeichen/sip"
)

// listMax bounds each list; a day of an agent has about 80 calls.
const listMax = 100

// listing is an open list.
type listing struct {
	kind     ListKind
	selected int
}

func (p *Phone) entries(kind ListKind) *[]Entry {
	if kind == MissedCalls {
		return &p.missed
	}
	return &p.dialled
}

// remember puts a call at the top of a list.
func (p *Phone) remember(list *[]Entry, c *call) {
	if p.config.Retention <= 0 {
		return
	}
	entry := Entry{Party: c.party, Called: c.called, Topic: c.topic, At: c.at}
	*list = append([]Entry{entry}, *list...)
	if len(*list) > listMax {
		*list = (*list)[:listMax]
	}
	if p.list != nil && p.entries(p.list.kind) == list && p.list.selected > 0 {
		p.list.selected = min(p.list.selected+1, len(*list)-1) // the same entry stays selected
	}
}

// miss remembers a call that nobody took. A queue offers the same caller again and again: he stands in the list once.
func (p *Phone) miss(c *call) {
	p.reached(c)
	p.remember(&p.missed, c)
	p.unseen++
}

// reached takes the caller from the missed calls: he is spoken with now, or stands first.
func (p *Phone) reached(c *call) {
	if !dialable(separators.Replace(c.party.Number)) {
		return // many withhold their number
	}
	for i := len(p.missed) - 1; i >= 0; i-- {
		if e := &p.missed[i]; e.Party.Number != c.party.Number || e.Called.Number != c.called.Number {
			continue
		}
		p.missed = append(p.missed[:i:i], p.missed[i+1:]...)
		if i < p.unseen {
			p.unseen--
		}
		if l := p.list; l != nil && l.kind == MissedCalls && i < l.selected {
			l.selected--
		}
	}
}

// forget drops what is older than the retention.
func (p *Phone) forget(now time.Time) {
	for _, list := range []*[]Entry{&p.missed, &p.dialled} {
		for n := len(*list); n > 0 && now.Sub((*list)[n-1].At) >= p.config.Retention; n-- {
			*list = (*list)[:n-1]
		}
	}
	p.unseen = min(p.unseen, len(p.missed))
	if p.list != nil {
		p.list.selected = max(0, min(p.list.selected, len(*p.entries(p.list.kind))-1))
	}
}

func (p *Phone) openList(kind ListKind) {
	p.ended = nil
	p.desk.LeaveScreen()
	p.list = &listing{kind: kind}
	if kind == MissedCalls {
		p.unseen = 0
	}
}

// listed is the selected entry of the open list.
func (p *Phone) listed() (Entry, bool) {
	if p.list == nil {
		return Entry{}, false
	}
	entries := *p.entries(p.list.kind)
	if p.list.selected >= len(entries) {
		return Entry{}, false
	}
	return entries[p.list.selected], true
}

func (p *Phone) deleteListed() {
	if _, ok := p.listed(); !ok {
		return
	}
	entries := p.entries(p.list.kind)
	i := p.list.selected
	*entries = append((*entries)[:i:i], (*entries)[i+1:]...)
	p.list.selected = max(0, min(i, len(*entries)-1))
}

// redial is the party dialled last, the zero Party without one.
func (p *Phone) redial() sip.Party {
	if len(p.dialled) == 0 {
		return sip.Party{}
	}
	return p.dialled[0].Party
}
