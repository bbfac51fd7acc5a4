package pagetest

import (
	"fmt"
	"strconv"
	"time"

	"freizeichen/cmd/centre/internal/page"
	"freizeichen/firmware"
	"freizeichen/sip"
)

// Example is a busy morning at now: five queues, of which one has missed its target, one has somebody waiting for too
// long and one is 115; sixteen desks, twenty topics, four messages with one overdue.
func Example(now time.Time) *Centre {
	c := &Centre{}
	c.SetSupervisor(Name, Password)
	c.SetPBX(true, now.Add(-3*time.Hour))
	for _, q := range Queues(now) {
		c.SetQueue(q)
	}
	c.SetDesks(desks()...)
	c.SetKnowledge(knowledge(), now.Add(-150*time.Minute), "", time.Time{})
	c.SetDay(day())
	c.SetMessages(
		page.Message{ID: id(1), Tenant: "kreis-wesel", Line: "02812070", Topic: "elterngeld", Office: "kw-51", At: now.Add(-25 * time.Hour), Due: now.Add(-20 * time.Minute)},
		page.Message{ID: id(2), Tenant: "moers", Line: "115", Topic: "personalausweis", Office: "mo-33", At: now.Add(-40 * time.Minute), Due: now.Add(22 * time.Hour)},
		page.Message{ID: id(3), Tenant: "xanten", Line: "028017720", Topic: "gewerbe", Office: "xa-32", At: now.Add(-70 * time.Minute), Due: now.Add(50 * time.Minute)},
		page.Message{ID: id(4), Tenant: "jobcenter", Line: "0281963300", Topic: "buergergeld", Office: "jc-1", At: now.Add(-10 * time.Minute)},
	)
	return c
}

// id is the n-th identifier of a message.
func id(n int) string { return fmt.Sprintf("%032x", n) }

// Queues are the queues of the example.
func Queues(now time.Time) []sip.QueueStatus {
	queue := func(name, title string, waiting int, waited time.Duration, signedIn, free, paused int, level sip.ServiceLevel) sip.QueueStatus {
		s := sip.QueueStatus{Queue: name, Title: title, At: now, Valid: 90 * time.Second, Waiting: waiting, SignedIn: signedIn, Free: free, Paused: paused, Level: level}
		if waiting > 0 {
			s.Oldest = now.Add(-waited)
		}
		return s
	}
	level := func(offered, answered, inTime, abandonedInTime, target int) sip.ServiceLevel {
		return sip.ServiceLevel{Offered: offered, Answered: answered, AnsweredInTime: inTime, Abandoned: offered - answered, AbandonedInTime: abandonedInTime, Within: 30 * time.Second, Target: target}
	}
	return []sip.QueueStatus{
		queue("kw-zulassung", "Kreis Wesel Zulassung", 3, 72*time.Second, 7, 0, 2, level(164, 151, 121, 6, 80)),
		queue("kw-zentrale", "Kreis Wesel Zentrale", 0, 0, 8, 2, 2, level(121, 119, 109, 2, 80)),
		queue("moers-115", "Moers 115", 1, 8*time.Second, 5, 2, 1, level(37, 35, 31, 1, 75)),
		queue("xanten", "Xanten", 0, 0, 4, 2, 1, level(28, 28, 26, 0, 80)),
		queue("jobcenter", "Jobcenter", 1, 21*time.Second, 5, 1, 1, level(92, 88, 77, 3, 80)),
	}
}

func desks() (all []page.Desk) {
	add := func(n int, desk page.Desk) {
		for range n {
			all = append(all, desk)
		}
	}
	add(3, page.Desk{State: sip.Ready})
	add(6, page.Desk{State: sip.Ready, Talking: true})
	add(2, page.Desk{State: sip.WrapUp})
	add(2, page.Desk{State: sip.Paused, Reason: "break"})
	add(1, page.Desk{State: sip.Paused, Reason: "training"})
	add(2, page.Desk{State: sip.SignedOut})
	return all
}

// topics are those of the example, the most frequent first.
func topics() [][3]string {
	return [][3]string{
		{"zulassung", "Kfz-Zulassung", "131"}, {"fuehrerschein", "Führerschein", "64"}, {"elterngeld", "Elterngeld", "41"}, {"schwerbehinderung", "Schwerbehinderung", "38"},
		{"personalausweis", "Personalausweis", "33"}, {"buergergeld", "Bürgergeld", "29"}, {"wohngeld", "Wohngeld", "18"}, {"abfall", "Abfall und Sperrmüll", "12"},
		{"meldung", "Meldebescheinigung", "11"}, {"gewerbe", "Gewerbeanmeldung", "7"}, {"heirat", "Eheschließung", "4"}, {"hund", "Hundesteuer", "3"},
	}
}

func knowledge() firmware.Knowledge {
	line := func(number, name string, percent, first int) firmware.Line {
		return firmware.Line{Number: number, Name: name, Promise: firmware.Promise{Within: 30 * time.Second, Percent: percent, FirstContact: first, AnswerWithin: 24 * time.Hour}}
	}
	k := firmware.Knowledge{Version: "2026-11-27a", Example: true,
		Tenants: []firmware.Tenant{
			{ID: "kreis-wesel", Name: "Kreis Wesel", Lines: []firmware.Line{line("02812070", "Zentrale", 80, 60), line("02812075555", "Zulassung", 80, 0)}},
			{ID: "moers", Name: "Stadt Moers", Lines: []firmware.Line{line("115", "Behördennummer 115", 75, 65), line("028412010", "Zentrale", 80, 60)}},
			{ID: "xanten", Name: "Stadt Xanten", Lines: []firmware.Line{line("028017720", "Zentrale", 80, 60)}},
			{ID: "jobcenter", Name: "Jobcenter Kreis Wesel", Lines: []firmware.Line{line("0281963300", "Servicenummer", 0, 0)}},
		},
		Offices: []firmware.Office{
			{ID: "kw-51", Name: "Elterngeldstelle Wesel", Number: "5151"}, {ID: "mo-33", Name: "Bürgerservice Moers", Number: "5133"},
			{ID: "xa-32", Name: "Ordnungsamt Xanten", Number: "5132"}, {ID: "jc-1", Name: "Jobcenter Leistung", Number: "5101"},
		}}
	for _, topic := range topics() {
		k.Topics = append(k.Topics, firmware.Topic{ID: topic[0], Name: topic[1]})
	}
	return k
}

func day() (d sip.DayFigures) {
	line := func(number string, unsaid, solved, forwarded, messages int) {
		t := sip.Tally{Calls: unsaid + solved + forwarded + messages, Solved: solved, Forwarded: forwarded, Messages: messages, Unsaid: unsaid}
		d.Lines = append(d.Lines, sip.NamedTally{Name: number, Tally: t})
		d.Team = sip.Tally{Calls: d.Team.Calls + t.Calls, Solved: d.Team.Solved + solved, Forwarded: d.Team.Forwarded + forwarded,
			Messages: d.Team.Messages + messages, Unsaid: d.Team.Unsaid + unsaid}
	}
	line("02812070", 4, 78, 34, 3)
	line("02812075555", 6, 112, 31, 2)
	line("115", 1, 21, 12, 1)
	line("028017720", 0, 20, 7, 1)
	line("0281963300", 3, 47, 36, 2)
	d.Topics = []sip.NamedTally{{Name: "", Tally: sip.Tally{Calls: 14}}}
	for _, topic := range topics() {
		calls, _ := strconv.Atoi(topic[2]) // they are numbers
		d.Topics = append(d.Topics, sip.NamedTally{Name: topic[0], Tally: sip.Tally{Calls: calls}})
	}
	return d
}
