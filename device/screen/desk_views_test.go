package screen

import (
	"time"

	"freizeichen/device/callcentre"
	"freizeichen/device/callcentre/library"
	"freizeichen/device/phone"
	"freizeichen/firmware"
	"freizeichen/hal"
	"freizeichen/sip"
)

// deskView is the desk of agent 4711, who is ready and sees one queue.
func deskView(change ...func(*callcentre.View)) callcentre.View {
	v := callcentre.View{
		On:     true,
		Agent:  callcentre.AgentView{Number: "4711", Name: "Grace Hopper", State: sip.Ready, Known: true, Since: now.Add(-159 * time.Minute)},
		Queues: queueViews(1),
	}
	for _, c := range change {
		c(&v)
	}
	return v
}

func queueViews(n int) []callcentre.QueueView {
	level := func(percent, target int, formula sip.Formula, light callcentre.Light) callcentre.LevelView {
		return callcentre.LevelView{Known: true, Percent: percent, Formula: formula, Within: 30 * time.Second, Target: target, Light: light}
	}
	return []callcentre.QueueView{
		{Name: "Kreis Wesel Zulassung", Known: true, Waiting: 3, Oldest: 67 * time.Second, Free: 2, SignedIn: 5, Level: level(78, 80, sip.OfOffered, callcentre.LightNear), Busy: callcentre.Waiting},
		{Name: "Moers 115", Known: true, Free: 12, Level: level(91, 75, sip.OfOffered, callcentre.LightGood)},
		{Name: "Jobcenter Kreis Wesel", Known: true, Waiting: 14, Oldest: 754 * time.Second, Level: level(52, 80, sip.OfHandled, callcentre.LightBad), Busy: callcentre.Long},
		{Name: "Stadt Xanten", Stale: now.Add(-7 * time.Minute), Known: true, Waiting: 4, Busy: callcentre.Unknown},
		{Name: "Bürgertelefon", Known: true, Coarse: true, Waiting: 1, Busy: callcentre.Waiting},
		{Name: "Elterngeldstelle", Busy: callcentre.Unknown},
	}[:n]
}

func paused(reason, text string) func(*callcentre.View) {
	return func(v *callcentre.View) {
		v.Agent.State, v.Agent.Reason, v.Agent.ReasonText, v.Agent.Since = sip.Paused, reason, text, now.Add(-12*time.Minute)
	}
}

func signedOut(v *callcentre.View) {
	v.Agent = callcentre.AgentView{Known: true, Since: now.Add(-13 * time.Hour)}
}

func note(n callcentre.Note, arg string) func(*callcentre.View) {
	return func(v *callcentre.View) { v.Note, v.NoteArg = n, arg }
}

func citizen(change ...func(*callcentre.Caller)) func(*callcentre.View) {
	return func(v *callcentre.View) {
		v.Caller = &callcentre.Caller{Call: 2, Tenant: "Stadt Moers", Line: "Behördennummer 115", Topic: "Führerschein",
			Greeting: "Stadt Moers, guten Tag, mein Name ist Hopper. Was kann ich für Sie tun?", Waited: 71 * time.Second}
		for _, c := range change {
			c(v.Caller)
		}
	}
}

var office = callcentre.OfficeView{Name: "Straßenverkehrsamt Wesel", Number: "0281 207 4360", Open: true, Changes: time.Date(2026, time.November, 20, 12, 30, 0, 0, now.Location())}

func cardView(change ...func(*callcentre.CardView)) func(*callcentre.View) {
	return func(v *callcentre.View) {
		citizen()(v)
		v.Caller.Talking = true
		o := office
		v.Card = &callcentre.CardView{Topic: "Führerschein", Tenant: "Stadt Moers", Example: true, Updated: now.AddDate(0, 0, -12), Age: 12, Office: &o,
			Lines: []callcentre.CardLine{
				{Kind: callcentre.NoticeLine, Text: "Heute kein Fotoautomat im Bürgerbüro"},
				{Kind: callcentre.TextLine, Text: "Umtausch Pflicht für Jahrgänge 1965 bis 1970 bis 19.01.2027"},
				{Kind: callcentre.PaperLine, Text: "Personalausweis oder Reisepass"},
				{Kind: callcentre.PaperLine, Text: "Biometrisches Foto, nicht älter als ein Jahr"},
				{Kind: callcentre.PaperLine, Text: "Alter Führerschein"},
				{Kind: callcentre.FeeLine, Text: "25,30 €"},
				{Kind: callcentre.HoursLine, Text: "Mo-Fr 7:30-12:30, Do auch 14-17"},
				{Kind: callcentre.OfficeLine, Text: "Straßenverkehrsamt Wesel 0281 207 4360"},
				{Kind: callcentre.OpenLine},
				{Kind: callcentre.SourceLine},
			}}
		for _, c := range change {
			c(v.Card)
		}
	}
}

func choices(words ...callcentre.Word) []callcentre.Choice {
	var all []callcentre.Choice
	for _, w := range words {
		all = append(all, callcentre.Choice{Word: w})
	}
	return all
}

func named(names ...string) []callcentre.Choice {
	var all []callcentre.Choice
	for _, n := range names {
		all = append(all, callcentre.Choice{Text: n})
	}
	return all
}

func afterView(change ...func(*callcentre.After)) func(*callcentre.View) {
	return func(v *callcentre.View) {
		v.Agent.State, v.Agent.Since = sip.WrapUp, now.Add(-7*time.Second)
		v.After = &callcentre.After{Tenant: "Stadt Moers", Counting: true, Left: 23 * time.Second, Of: 30 * time.Second, Extends: 2, Topic: "Führerschein", Result: sip.Solved,
			Choices: named("Kfz-Zulassung", "Führerschein", "Schwerbehinderung", "Elterngeld", "Personalausweis", "Wohngeld", "Sperrmüll")}
		v.After.Choices[1].Mark = true
		v.After.Choices = append(v.After.Choices, callcentre.Choice{Word: callcentre.WordOther})
		for _, c := range change {
			c(v.After)
		}
	}
}

func deskSofts(actions ...callcentre.Action) (keys [4]phone.Soft) {
	for i, a := range actions {
		if a != callcentre.ActNone {
			keys[i] = phone.SoftDesk + phone.Soft(a)
		}
	}
	return keys
}

// longGreeting and longTenant are longer than most, and whole sentences of real ones.
const (
	longTenant   = "Gemeinschaftsverwaltung Niederrhein-Süd"
	longGreeting = "Behördennummer 115, Servicecenter Kreis Wesel für die Gemeinschaftsverwaltung Niederrhein-Süd, mein Name ist Hopper, " +
		"guten Tag, was kann ich für Sie tun?"
)

// deskScenes are the screens of the agent's desk, and the awkward ones.
func deskScenes() []scene {
	idleKeys := deskSofts(callcentre.ActPause, 0, 0, callcentre.ActMenu)
	pausedKeys := deskSofts(callcentre.ActReady, 0, 0, callcentre.ActMenu)
	outKeys := deskSofts(callcentre.ActSignIn, 0, 0, callcentre.ActMenu)
	answer := softs(phone.SoftAnswer, phone.SoftReject)
	cardKeys := deskSofts(callcentre.ActAsk, callcentre.ActPass, callcentre.ActMessage, callcentre.ActMore)
	promptKeys := deskSofts(callcentre.ActNext, callcentre.ActErase, 0, callcentre.ActCancel)
	menuKeys := deskSofts(callcentre.ActChoose, 0, 0, callcentre.ActBack)
	afterKeys := deskSofts(callcentre.ActSolved, callcentre.ActForwarded, callcentre.ActLeftMessage, callcentre.ActDone)
	lateKeys := deskSofts(callcentre.ActSolved, callcentre.ActForwarded, callcentre.ActLeftMessage, callcentre.ActDone)
	handset := status(on(hal.Headset))
	var all []scene
	add := func(name string, s phone.Status, screen phone.Screen, keys [4]phone.Soft, change ...func(*callcentre.View)) {
		all = append(all, scene{"desk-" + name, phone.View{Status: s, Screen: screen, Soft: keys, Desk: deskView(change...)}})
	}
	idle := func(name string, keys [4]phone.Soft, change ...func(*callcentre.View)) {
		add(name, status(), phone.Idle{}, keys, change...)
	}
	desk := func(name string, keys [4]phone.Soft, change ...func(*callcentre.View)) {
		add(name, status(), phone.Desk{}, keys, change...)
	}
	queues := func(n, at int) func(*callcentre.View) {
		return func(v *callcentre.View) { v.Queues, v.Queue = queueViews(n), at }
	}
	ring := func(change func(*phone.Call)) phone.Calls {
		return ringing(func(c *phone.Call) {
			c.Called, c.Topic = sip.Party{Number: "115"}, "Fuehrerschein"
			if change != nil {
				change(c)
			}
		})
	}
	closing := func(v *callcentre.View) {
		v.Closing = []library.Closing{{Tenant: "Kreis Wesel", Line: "Zentrale", At: now.Add(4*time.Minute + 53*time.Second)}}
	}
	away := func(v *callcentre.View) { v.Agent.Away, v.Agent.Problem = now.Add(-9*time.Minute), sip.SwitchboardAway }
	talk := inState(phone.Talking, 187*time.Second)

	idle("ready", idleKeys)
	counted := func(v *callcentre.View) {
		v.Today = &callcentre.Today{Team: sip.Tally{Calls: 412, Solved: 230, Forwarded: 120, Messages: 30}, Own: sip.Tally{Calls: 34}}
	}
	idle("counted", idleKeys, counted)
	idle("pauses-next", idleKeys, func(v *callcentre.View) { v.Agent.PausesNext = true })
	idle("counted-queues", idleKeys, counted, queues(5, 0))
	add("paused", status(missed(2)), phone.Idle{}, pausedKeys, paused("lunch", "Mittag"), queues(3, 0))
	add("queues", status(missed(12)), phone.Idle{}, idleKeys, queues(6, 2), func(v *callcentre.View) { v.Unsent = 3 })
	idle("queues-last", idleKeys, queues(6, 5))
	idle("stale", idleKeys, queues(4, 3))
	idle("stale-alone", idleKeys, func(v *callcentre.View) { v.Queues = queueViews(4)[3:] })
	idle("coarse", idleKeys, func(v *callcentre.View) { v.Queues = queueViews(5)[4:] })
	idle("uncounted", idleKeys, func(v *callcentre.View) { v.Queues[0].Level, v.Queues[0].Waiting = callcentre.LevelView{Target: 80}, 0 })
	idle("busy", idleKeys, func(v *callcentre.View) { v.Queues = queueViews(3)[2:] })
	idle("answered", idleKeys, queues(3, 2), func(v *callcentre.View) { v.Queues[2].Level.Formula = sip.OfAnswered })
	idle("closing", idleKeys, closing, queues(3, 0))
	idle("closing-alone", idleKeys, closing)
	add("away", status(missed(1)), phone.Idle{}, pausedKeys, paused("break", ""), away, func(v *callcentre.View) { v.Unsent, v.Lost = 2, true })
	idle("away-closing", idleKeys, away, closing, queues(5, 0))
	idle("stranger", idleKeys, away, func(v *callcentre.View) { v.Agent.Problem = sip.PhoneUnknown })
	idle("asked", idleKeys, func(v *callcentre.View) { v.Agent.Asked = true })
	idle("unconfirmed", pausedKeys, paused("training", ""), func(v *callcentre.View) { v.Agent.Unconfirmed = true })
	idle("unknown", outKeys, func(v *callcentre.View) { v.Agent, v.Queues = callcentre.AgentView{}, nil })
	idle("signed-out", outKeys, signedOut, func(v *callcentre.View) { v.Queues = nil })
	idle("quiet", outKeys, signedOut, func(v *callcentre.View) { v.Agent.Quiet = true })
	idle("signed-out-queues", outKeys, signedOut, queues(2, 0))
	add("unregistered", status(lost(phone.Lost, sip.Unreachable, 4*time.Second)), phone.Idle{}, idleKeys)
	idle("welcome", idleKeys, note(callcentre.NoteSignedIn, "Grace Hopper"))
	idle("declined", pausedKeys, paused("declined", ""), note(callcentre.NotePaused, ""))

	add("ringing", status(), ring(nil), answer, citizen())
	add("ringing-short", status(), ring(nil), answer, citizen(func(c *callcentre.Caller) { c.Greeting, c.Waited = "Stadt Moers, guten Tag", 0 }))
	add("ringing-long", status(missed(12), on(hal.Speaker)), ring(func(c *phone.Call) { c.Party = longest }), answer,
		citizen(func(c *callcentre.Caller) { c.Tenant, c.Greeting, c.Topic = longTenant, longGreeting, longTopic }))
	add("ringing-unknown", status(), ring(func(c *phone.Call) { c.Topic = "" }), answer, citizen(func(c *callcentre.Caller) { *c = callcentre.Caller{Call: 2} }))
	add("ringing-other", status(), ring(nil), answer, citizen(func(c *callcentre.Caller) { c.Call = 99 }))
	add("knocking", handset, two(phone.Talking, phone.RingingIn, 0), answer, citizen(func(c *callcentre.Caller) { c.Call = 4 }))

	add("card", handset, talk, cardKeys, cardView())
	add("card-scrolled", handset, talk, cardKeys, cardView(func(c *callcentre.CardView) { c.Top = 5 }))
	add("card-end", status(on(hal.Headset), muted, missed(3)), talk, cardKeys, cardView(func(c *callcentre.CardView) {
		c.Top, c.Source, c.Office.Open, c.Office.Busy, c.Example, c.Age = 8, firmware.Central, false, true, false, 1
		c.Office.Changes = time.Date(2026, time.November, 23, 7, 30, 0, 0, now.Location())
	}))
	add("card-missing", handset, talk, cardKeys, cardView(func(c *callcentre.CardView) {
		c.Missing, c.Lines, c.Topic = true, append(c.Lines[:1:1], c.Lines[7:9]...), "Hundesteuer"
	}), func(v *callcentre.View) { v.Unsent = 1 })
	add("card-bare", handset, dialled(phone.Talking, grace), cardKeys, func(v *callcentre.View) {
		v.Card = &callcentre.CardView{Missing: true, Topic: longTopic, Tenant: longTenant}
	})
	add("card-closed", handset, talk, cardKeys, cardView(), note(callcentre.NoteOfficeClosed, "23.11. 07:30"), func(v *callcentre.View) {
		v.Card.Office.Open, v.Card.Office.Changes = false, time.Date(2026, time.November, 23, 7, 30, 0, 0, now.Location())
	})
	add("message-sent", handset, talk, cardKeys, cardView(), note(callcentre.NoteMessageSent, office.Name))
	add("talking", handset, talk, cardKeys, citizen())

	desk("number", promptKeys, signedOut, func(v *callcentre.View) { v.Prompt = &callcentre.Prompt{Kind: callcentre.AskNumber, Typed: "47"} })
	desk("pin", promptKeys, signedOut, func(v *callcentre.View) {
		v.Prompt = &callcentre.Prompt{Kind: callcentre.AskPIN, Typed: "4711", Hidden: 4}
	})
	desk("pin-wrong", promptKeys, signedOut, note(callcentre.NoteProblem, sip.WrongPIN.String()), func(v *callcentre.View) {
		v.Prompt = &callcentre.Prompt{Kind: callcentre.AskPIN, Typed: "4711", Tries: 3}
	})
	desk("menu", menuKeys, func(v *callcentre.View) {
		v.Menu = &callcentre.Menu{Choices: choices(callcentre.WordLastCall, callcentre.WordPause, callcentre.WordNotices, callcentre.WordQuiet, callcentre.WordSignOut)}
	})
	desk("reasons", menuKeys, paused("meeting", ""), func(v *callcentre.View) {
		v.Menu = &callcentre.Menu{Kind: callcentre.ReasonMenu, Selected: 2,
			Choices: append(choices(callcentre.WordBreak, callcentre.WordTraining, callcentre.WordMeeting, callcentre.WordBackOffice), named("Mittag", "Beratung vor Ort im Rathaus Xanten", "Technik")...)}
		v.Menu.Choices[2].Mark = true
	})
	add("topics", handset, phone.Desk{}, menuKeys, citizen(), func(v *callcentre.View) {
		v.Menu = &callcentre.Menu{Kind: callcentre.TopicMenu, Selected: 10, Choices: named("Kfz-Zulassung", "Führerschein", "Schwerbehinderung", "Elterngeld",
			"Personalausweis", "Wohngeld", "Sperrmüll", "Hundesteuer", "Anmeldung", "Gewerbe", "Parkausweis", "Bauantrag")}
	})
	desk("take-over", deskSofts(callcentre.ActYes, 0, 0, callcentre.ActNo), signedOut, func(v *callcentre.View) {
		v.Menu = &callcentre.Menu{Kind: callcentre.TakeOverMenu, Arg: "205", Choices: choices(callcentre.WordYes, callcentre.WordNo)}
	})
	desk("notices", menuKeys, func(v *callcentre.View) {
		v.Menu = &callcentre.Menu{Kind: callcentre.NoticeMenu, Selected: 1, Choices: named("Heute kein Fotoautomat",
			"Das Bürgerbüro Xanten bleibt heute ab 12 Uhr wegen einer Personalversammlung geschlossen; Notfälle an die Zentrale.")}
	})
	desk("menu-empty", menuKeys, func(v *callcentre.View) { v.Menu = &callcentre.Menu{Kind: callcentre.OfficeMenu} })

	desk("after", afterKeys, afterView())
	desk("after-open", afterKeys, afterView(func(a *callcentre.After) {
		a.Topic, a.Result, a.Left, a.Extends, a.Choices[1].Mark = "", sip.NoResult, 4*time.Second, 0, false
	}))
	desk("after-late", lateKeys, afterView(func(a *callcentre.After) { a.Counting, a.Late, a.Result, a.Top = false, true, sip.Forwarded, 4 }),
		func(v *callcentre.View) { v.Agent.State = sip.Ready })
	desk("after-enough", afterKeys, afterView(), note(callcentre.NoteProblem, sip.ExtendedEnough.String()))
	return all
}
