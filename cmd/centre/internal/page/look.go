package page

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"freizeichen/firmware"
	"freizeichen/sip"
)

// A look is all that page and wallboard show, as it is at Now.
type look struct {
	Now       time.Time
	PBX       PBX
	Queues    []queueRow
	Waiting   int // in all queues of which something is known
	Oldest    *queueRow
	Team      team
	Away      bool // the records cannot be read: what is below, but Knowledge, is empty
	Results   tally
	Lines     []lineGroup
	Topics    []topicRow // the most frequent first
	Untold    int        // outcomes without a topic
	Messages  []messageRow
	Overdue   int
	Knowledge knowledge
	Important []string // sentences about what needs somebody; empty: nothing does
}

// top is how many topics are shown before one asks for all.
const top = 3

// Top are the most frequent topics.
func (l look) Top() []topicRow { return l.Topics[:min(top, len(l.Topics))] }

// knowledge is the state of the file that agents speak from.
type knowledge struct {
	KnowledgeState
	Version                  string
	Example                  bool
	Tenants, Topics, Offices int
}

func (p *Page) now() time.Time { return time.Now().In(p.config.Place) }

// look takes everything in.
func (p *Page) look(ctx context.Context, language string) look {
	now := p.now()
	l := look{Now: now, PBX: p.config.Live.PBX(), Team: count(p.config.Live.Desks(), func(reason string) string { return p.config.Reason(language, reason) })}
	for _, status := range p.config.Live.Queues() {
		row := queueOf(now, status, l.PBX)
		if !row.Stale {
			l.Waiting += row.Waiting
		}
		l.Queues = append(l.Queues, row)
	}
	for i := range l.Queues {
		if row := &l.Queues[i]; row.Counts && (l.Oldest == nil || row.Waited > l.Oldest.Waited) {
			l.Oldest = row
		}
	}
	names := p.names()
	l.Knowledge = names.state
	day, messages, err := p.counted(ctx, now)
	if err != nil {
		l.Away = true
		p.log.Error("page: reading the day", "error", err)
	}
	l.Lines, l.Results = names.lines(day.Lines), tally{day.Team}
	l.Topics, l.Untold = names.topics(day.Topics)
	for _, message := range messages {
		row := names.row(now, message)
		if row.Overdue {
			l.Overdue++
		}
		l.Messages = append(l.Messages, row)
	}
	// What is due first stands first, so what is overdue; what has no promise comes last.
	slices.SortStableFunc(l.Messages, func(a, b messageRow) int {
		if a.Due.IsZero() != b.Due.IsZero() {
			return cmp.Compare(b.Due.Unix(), a.Due.Unix())
		}
		return cmp.Or(a.Due.Compare(b.Due), a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
	})
	l.Important = important(p.speak(language), l)
	return l
}

// important are the sentences about what needs somebody. They do not change with each second: a screen reader speaks
// those that are new.
func important(words tongue, l look) []string {
	var all []string
	if !l.PBX.Connected {
		all = append(all, words.pbx(l.PBX))
	}
	if l.Away {
		all = append(all, words.Say("records-away"))
	}
	for _, q := range l.Queues {
		switch {
		case q.Stale && l.PBX.Connected:
			all = append(all, fmt.Sprintf("%s: %s", q.Title, words.old(q)))
		case q.Stale: // the PBX has been named
		case q.Late:
			all = append(all, words.Say("important-late", q.Title, words.Seconds(q.Within)))
		case q.Waiting > 0 && q.Free == 0 && q.SignedIn == 0 && !q.Coarse:
			all = append(all, words.Say("important-nobody", q.Title))
		}
	}
	for _, q := range l.Queues {
		if q.Promised != nil && q.Promised.Known && !q.Promised.Reached {
			all = append(all, words.Say("important-missed", q.Title, words.Percent(q.Target)))
		}
	}
	for _, g := range l.Lines {
		for _, line := range g.Lines {
			if g.Is115 && line.Percent() >= 0 && !line.Reached() {
				all = append(all, words.Say("important-first", central, words.Percent(line.Promise.FirstContact)))
			}
		}
	}
	if l.Overdue > 0 {
		all = append(all, words.Count("important-overdue", l.Overdue))
	}
	if l.Knowledge.Fault != "" || l.Knowledge.Read.IsZero() {
		all = append(all, words.Say("important-knowledge"))
	}
	return all
}

// recordsKept is how long figures of the day are used again: they cost the store more than they change.
const recordsKept = 2 * time.Second

// ledger holds the figures of the day for a moment.
type ledger struct {
	mu       sync.Mutex
	at       time.Time // zero: nothing is held
	day      sip.DayFigures
	messages []Message
}

// counted are the figures of the day and the open messages.
func (p *Page) counted(ctx context.Context, now time.Time) (sip.DayFigures, []Message, error) {
	l := &p.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	from := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	if age := now.Sub(l.at); age >= 0 && age < recordsKept && !l.at.Before(from) {
		return l.day, l.messages, nil
	}
	day, err := p.config.Records.Figures(ctx, from, from.AddDate(0, 0, 1))
	if err != nil {
		return sip.DayFigures{}, nil, err
	}
	messages, err := p.config.Records.Messages(ctx)
	if err != nil {
		return sip.DayFigures{}, nil, err
	}
	l.at, l.day, l.messages = now, day, messages
	return day, messages, nil
}

// forget lets the next look read anew.
func (l *ledger) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at = time.Time{}
}

// names are the names of the knowledge file, by identifier.
type names struct {
	tenants map[string]firmware.Tenant
	topic   map[string]string
	offices map[string]firmware.Office
	state   knowledge
	order   []firmware.Tenant
}

func (p *Page) names() names {
	k, state := p.config.Knowledge.Knowledge()
	n := names{tenants: map[string]firmware.Tenant{}, topic: map[string]string{}, offices: map[string]firmware.Office{}, order: k.Tenants,
		state: knowledge{state, k.Version, k.Example, len(k.Tenants), len(k.Topics), len(k.Offices)}}
	for _, tenant := range k.Tenants {
		n.tenants[tenant.ID] = tenant
	}
	for _, topic := range k.Topics {
		n.topic[topic.ID] = topic.Name
	}
	for _, office := range k.Offices {
		n.offices[office.ID] = office
	}
	return n
}

// A messageRow is an open message with names for people.
type messageRow struct {
	Message
	TenantName, TopicName, OfficeName string
	Overdue                           bool
}

func (n names) row(now time.Time, m Message) messageRow {
	return messageRow{m, cmp.Or(n.tenants[m.Tenant].Name, m.Tenant), cmp.Or(n.topic[m.Topic], m.Topic), cmp.Or(n.offices[m.Office].Name, m.Office),
		!m.Due.IsZero() && now.After(m.Due)}
}

// A topicRow counts a topic.
type topicRow struct {
	Name    string
	Calls   int
	Percent int // of the most frequent one, for a bar
}

func (n names) topics(days []sip.NamedTally) (rows []topicRow, untold int) {
	most := 0
	for _, day := range days {
		if day.Name == "" {
			untold += day.Calls
			continue
		}
		most = max(most, day.Calls)
		rows = append(rows, topicRow{Name: cmp.Or(n.topic[day.Name], day.Name), Calls: day.Calls})
	}
	for i := range rows {
		rows[i].Percent = rows[i].Calls * 100 / max(most, 1)
	}
	slices.SortFunc(rows, func(a, b topicRow) int { return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Name, b.Name)) })
	return rows, untold
}

// A tally is what came of calls.
type tally struct{ sip.Tally }

// Told counts the calls of which the agent said what came of it.
func (t tally) Told() int { return t.Solved + t.Forwarded + t.Messages }

// Percent is the first-contact resolution, -1 while there is none.
func (t tally) Percent() int {
	if percent, ok := t.FirstContact(); ok {
		return percent
	}
	return -1
}

// A lineGroup is 115, or the local numbers: they are promised different things, and 115 would drown.
type lineGroup struct {
	Is115 bool
	Lines []lineRow
}

// A lineRow is one called number.
type lineRow struct {
	Tenant, Name, Number string
	tally
	Promise firmware.Promise
}

// Reached tells whether the promise of the first contact is kept.
func (r lineRow) Reached() bool { return r.Percent() >= r.Promise.FirstContact }

// central is the number of the authorities.
const central = "115"

// lines are those of the knowledge file, called or not, then those that were called and do not stand in it. A number
// that several tenants share is one line.
func (n names) lines(days []sip.NamedTally) []lineGroup {
	var rows []lineRow
	place := map[string]int{} // in rows, by number
	for _, tenant := range n.order {
		for _, line := range tenant.Lines {
			if i, ok := place[line.Number]; ok {
				rows[i].Tenant += " · " + tenant.Name
				continue
			}
			place[line.Number] = len(rows)
			rows = append(rows, lineRow{Tenant: tenant.Name, Name: line.Name, Number: line.Number, Promise: line.Promise})
		}
	}
	for _, day := range days {
		i, ok := place[day.Name]
		if !ok {
			i = len(rows)
			place[day.Name] = i
			rows = append(rows, lineRow{Number: day.Name})
		}
		rows[i].tally = tally{day.Tally}
	}
	groups := []lineGroup{{Is115: true}, {}}
	for _, row := range rows {
		g := &groups[1]
		if row.Number == central {
			g = &groups[0]
		}
		g.Lines = append(g.Lines, row)
	}
	return slices.DeleteFunc(groups, func(g lineGroup) bool { return len(g.Lines) == 0 })
}
