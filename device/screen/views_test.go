package screen

import (
	"strings"
	"time"

	"freizeichen/device/phone"
	"freizeichen/hal"
	"freizeichen/sip"
)

// now is a Friday morning in the office.
var now = time.Date(2026, time.November, 20, 10, 42, 7, 0, time.FixedZone("CET", 3600))

// A scene is a View that a golden picture is kept of.
type scene struct {
	name string
	view phone.View
}

func softs(s ...phone.Soft) (keys [4]phone.Soft) {
	copy(keys[:], s)
	return keys
}

// status is the status line of a phone that is well.
func status(change ...func(*phone.Status)) phone.Status {
	s := phone.Status{Name: "201", Registration: phone.Registered}
	for _, c := range change {
		c(&s)
	}
	return s
}

func on(route hal.Route) func(*phone.Status) { return func(s *phone.Status) { s.Route = route } }
func missed(n int) func(*phone.Status)       { return func(s *phone.Status) { s.Missed = n } }
func broken(part hal.Part, fault hal.Fault) func(*phone.Status) {
	return func(s *phone.Status) { s.Faults[part] = fault }
}
func muted(s *phone.Status) { s.Muted = true }
func lost(r phone.Registration, cause sip.Cause, retry time.Duration) func(*phone.Status) {
	return func(s *phone.Status) { s.Registration, s.Cause, s.Retry = r, cause, retry }
}
func volume(level int, ringer bool) func(*phone.Status) {
	return func(s *phone.Status) {
		s.Volume = &phone.VolumeView{Level: level, Max: phone.VolumeMax, Ringer: ringer}
	}
}

var (
	ada     = sip.Party{Name: "Ada Lovelace", Number: "0281 207 2020"}
	grace   = sip.Party{Number: "+49 2841 88 1234"}
	wesel   = sip.Party{Name: "Kreis Wesel", Number: "0281 2070"}
	xanten  = sip.Party{Name: "Stadt Xanten", Number: "02801 7720"}
	longest = sip.Party{Name: "Bürgermeisterin Annegret Müller-Lüdenscheidt", Number: "+49 2841 202 1234567890"}
)

const longTopic = "Elterngeld beantragen: welche Unterlagen werden gebraucht, wie lange dauert die Bearbeitung, und was gilt für " +
	"Selbständige, deren zweites Kind im Ausland geboren wurde und die vorher im Landesdienst waren?"

func ringing(change func(*phone.Call)) phone.Calls {
	call := phone.Call{ID: 2, Line: 1, State: phone.RingingIn, Incoming: true, Party: ada, Called: wesel, Topic: "Elterngeld", Duration: 4 * time.Second}
	if change != nil {
		change(&call)
	}
	return phone.Calls{Calls: []phone.Call{call}}
}

func inState(state phone.CallState, d time.Duration) phone.Calls {
	return ringing(func(c *phone.Call) { c.State, c.Duration = state, d })
}

func dialled(state phone.CallState, party sip.Party) phone.Calls {
	return phone.Calls{Calls: []phone.Call{{ID: 1, Line: 1, State: state, Party: party, Duration: 5 * time.Second}}}
}

func two(first, second phone.CallState, at int) phone.Calls {
	return phone.Calls{Selected: at, Calls: []phone.Call{
		{ID: 2, Line: 1, State: first, Incoming: true, Party: ada, Called: wesel, Topic: "Elterngeld", Duration: 187 * time.Second},
		{ID: 4, Line: 2, State: second, Incoming: true, Party: grace, Called: xanten, Topic: "Sperrmüll anmelden", Duration: 3 * time.Second},
	}}
}

// consulting is somebody who is asked for Ada.
func consulting(citizen, office phone.CallState) phone.Calls {
	return phone.Calls{Selected: 1, Calls: []phone.Call{
		{ID: 2, Line: 1, State: citizen, Incoming: true, Party: ada, Called: wesel, Topic: "Elterngeld", Duration: 187 * time.Second},
		{ID: 1, Line: 2, State: office, Party: sip.Party{Name: "Fachdienst 36", Number: "5036"}, Duration: 8 * time.Second, Consulting: 2},
	}}
}

func entries(n int) []phone.Entry {
	all := []phone.Entry{
		{Party: ada, Called: wesel, Topic: "Elterngeld", At: now.Add(-20 * time.Minute)},
		{Party: grace, Called: xanten, At: now.Add(-2 * time.Hour)},
		{Party: longest, Called: wesel, Topic: longTopic, At: now.Add(-18 * time.Hour)},
		{Party: sip.Party{Number: "anonymous"}, Called: wesel, At: now.Add(-26 * time.Hour)},
		{Party: sip.Party{Name: "Konrad Zuse", Number: "202"}, At: now.Add(-9 * 24 * time.Hour)},
		{Party: sip.Party{Number: "110"}, At: now.Add(-400 * 24 * time.Hour)},
	}
	return all[:n]
}

// scenes are all screens of the phone, and the awkward ones.
func scenes() []scene {
	handset := status(on(hal.Handset))
	talk := softs(phone.SoftHangup, phone.SoftHold, phone.SoftTransfer)
	twoKeys := softs(phone.SoftHangup, phone.SoftSwap, phone.SoftTransfer)
	idle := softs(phone.SoftRedial, phone.SoftMissed)
	answer := softs(phone.SoftAnswer, phone.SoftReject)
	over := softs(phone.SoftBack, phone.SoftRedial)
	back := softs(phone.SoftResume, 0, 0, phone.SoftBack)
	list := softs(phone.SoftBack, phone.SoftDelete, phone.SoftNone, phone.SoftDial)
	typing := softs(phone.SoftDial, phone.SoftDelete, phone.SoftNone, phone.SoftCancel)
	views := []scene{
		{"idle", phone.View{Status: status(), Screen: phone.Idle{}, Soft: idle}},
		{"idle-missed", phone.View{Status: status(missed(3)), Screen: phone.Idle{}, Soft: idle}},
		{"idle-faults", phone.View{Status: status(broken(hal.PartKeypad, hal.Missing), broken(hal.PartClock, hal.Failing)), Screen: phone.Idle{}, Soft: idle}},
		{"talking-fault", phone.View{Status: status(on(hal.Handset), broken(hal.PartHeadset, hal.Missing)), Screen: inState(phone.Talking, 187*time.Second), Soft: talk}},
		{"test-question", phone.View{Status: status(), Screen: phone.Test{
			Title: "Lampen", Number: 7, Count: 22, Left: 24 * time.Second, Question: true, Lines: []string{"Leuchtet die Lampe Stumm?"},
		}, Soft: softs(phone.SoftYes, phone.SoftNo, 0, phone.SoftCancel)}},
		{"test-failed", phone.View{Status: status(), Screen: phone.Test{
			Title: "Fehler gefunden", Outcome: "fail", Lines: []string{"Mikrofon des Hörers: kein Signal (-91 dBFS, mindestens -50)", "Austauschen: Hörer"},
		}, Soft: softs(0, 0, 0, phone.SoftBack)}},
		{"test-passed", phone.View{Status: status(), Screen: phone.Test{Title: "Alles in Ordnung", Outcome: "pass", Lines: []string{"22 Prüfungen bestanden"}}, Soft: softs(0, 0, 0, phone.SoftBack)}},
		{"registering", phone.View{Status: status(lost(phone.Registering, 0, 0)), Screen: phone.Idle{}}},
		{"failed", phone.View{Status: status(lost(phone.Failed, sip.WrongPassword, 12*time.Second)), Screen: phone.Idle{}}},
		{"lost", phone.View{Status: status(lost(phone.Lost, sip.Unreachable, 4*time.Minute), missed(12)), Screen: phone.Idle{}}},
		{"volume", phone.View{Status: status(on(hal.Headset), volume(7, false)), Screen: inState(phone.Talking, 12*time.Second), Soft: talk}},
		{"ringer-off", phone.View{Status: status(volume(0, true)), Screen: phone.Idle{}, Soft: idle}},
		{"typing", phone.View{Status: status(), Screen: phone.Dialling{Number: "0281"}, Soft: typing}},
		{"typing-volume", phone.View{Status: status(on(hal.Handset), volume(4, false)), Screen: phone.Dialling{Number: "0281", OffHook: true}, Soft: typing}},
		{"dial-tone", phone.View{Status: handset, Screen: phone.Dialling{OffHook: true}, Soft: softs(phone.SoftRedial, 0, 0, phone.SoftCancel)}},
		{"typing-long", phone.View{Status: handset, Screen: phone.Dialling{OffHook: true, Number: "004928411234567890123456"}, Soft: typing}},
		{"transfer", phone.View{Status: handset, Screen: phone.Dialling{Transfer: true, Number: "202"}, Soft: softs(phone.SoftConsult, phone.SoftPass, phone.SoftDelete, phone.SoftCancel)}},
		{"calling", phone.View{Status: handset, Screen: dialled(phone.CallingOut, grace), Soft: softs(phone.SoftHangup)}},
		{"ringing-out", phone.View{Status: handset, Screen: dialled(phone.RingingOut, sip.Party{Name: "Konrad Zuse", Number: "202"}), Soft: softs(phone.SoftHangup)}},
		{"ringing", phone.View{Status: status(), Screen: ringing(nil), Soft: answer}},
		{"ringing-bare", phone.View{Status: status(), Screen: ringing(func(c *phone.Call) { c.Called, c.Topic = sip.Party{}, "" }), Soft: answer}},
		{"ringing-anonymous", phone.View{Status: status(), Screen: ringing(func(c *phone.Call) {
			c.Party, c.Called = sip.Party{Number: "anonymous"}, sip.Party{Number: "02841 2020"}
		}), Soft: answer}},
		{"ringing-long", phone.View{Status: status(missed(120)), Screen: ringing(func(c *phone.Call) {
			c.Party, c.Called.Name, c.Topic = longest, "Gemeinschaftsverwaltung Niederrhein-Süd", longTopic
		}), Soft: answer}},
		{"ringing-emoji", phone.View{Status: status(), Screen: ringing(func(c *phone.Call) { c.Party.Name, c.Topic = "Zoe\u0308 Łęcka 🙂", "Fu\u0308hrerschein" }), Soft: answer}},
		{"talking", phone.View{Status: handset, Screen: inState(phone.Talking, 187*time.Second), Soft: talk}},
		{"talking-muted", phone.View{Status: status(on(hal.Headset), muted, missed(1)), Screen: inState(phone.Talking, 3723*time.Second), Soft: talk}},
		{"talking-bare", phone.View{Status: status(on(hal.Speaker)), Screen: dialled(phone.Talking, grace), Soft: talk}},
		{"talking-long", phone.View{Status: status(on(hal.Speaker), lost(phone.Lost, sip.Unreachable, time.Second)), Screen: ringing(func(c *phone.Call) {
			c.State, c.Party, c.Topic = phone.Talking, longest, longTopic
		}), Soft: talk}},
		{"held", phone.View{Status: handset, Screen: inState(phone.Held, 200*time.Second), Soft: softs(phone.SoftHangup, phone.SoftResume)}},
		{"held-by-remote", phone.View{Status: handset, Screen: inState(phone.HeldByRemote, 200*time.Second), Soft: talk}},
		{"transferring", phone.View{Status: handset, Screen: inState(phone.Transferring, 200*time.Second), Soft: softs(phone.SoftHangup)}},
		{"knocking", phone.View{Status: handset, Screen: two(phone.Talking, phone.RingingIn, 0), Soft: softs(phone.SoftAnswer, phone.SoftReject, phone.SoftHold)}},
		{"two-calls", phone.View{Status: handset, Screen: two(phone.Held, phone.Talking, 1), Soft: twoKeys}},
		{"consulting-calling", phone.View{Status: handset, Screen: consulting(phone.Held, phone.CallingOut), Soft: softs(0, 0, 0, phone.SoftHangup)}},
		{"consulting-ringing", phone.View{Status: handset, Screen: consulting(phone.Held, phone.RingingOut), Soft: softs(phone.SoftJoin, 0, 0, phone.SoftHangup)}},
		{"consulting", phone.View{Status: handset, Screen: consulting(phone.Held, phone.Talking), Soft: softs(phone.SoftJoin, phone.SoftSwap, 0, phone.SoftHangup)}},
		{"consulting-joined", phone.View{Status: handset, Screen: consulting(phone.Transferring, phone.Transferring)}},
		{"ended", phone.View{Status: handset, Screen: phone.Ended{Party: ada, Cause: sip.Normal, Duration: 187 * time.Second}, Soft: over}},
		{"ended-busy", phone.View{Status: handset, Screen: phone.Ended{Party: grace, Cause: sip.Busy, Status: 486}, Soft: over}},
		{"ended-unavailable", phone.View{Status: handset, Screen: phone.Ended{Party: longest, Cause: sip.Unavailable, Status: 480}, Soft: over}},
		{"ended-fault", phone.View{Status: handset, Screen: phone.Ended{Party: ada, Cause: sip.ServerError, Status: 503}, Soft: over}},
		{"ended-waiting", phone.View{Status: handset, Screen: phone.Ended{Party: sip.Party{Number: "5060"}, Cause: sip.Busy, Status: 486, Waiting: []sip.Party{ada}},
			Soft: back}},
		{"ended-waiting-long", phone.View{Status: handset, Screen: phone.Ended{Party: longest, Cause: sip.Unavailable, Duration: 187 * time.Second,
			Waiting: []sip.Party{longest}}, Soft: back}},
		{"ended-waiting-two", phone.View{Status: handset, Screen: phone.Ended{Party: grace, Cause: sip.Normal, Duration: 187 * time.Second, Waiting: []sip.Party{ada, grace}},
			Soft: back}},
		{"missed", phone.View{Status: status(missed(6)), Screen: phone.List{Kind: phone.MissedCalls, Entries: entries(6)}, Soft: list}},
		{"missed-third", phone.View{Status: status(missed(6)), Screen: phone.List{Kind: phone.MissedCalls, Entries: entries(6), Selected: 2}, Soft: list}},
		{"missed-last", phone.View{Status: status(missed(6)), Screen: phone.List{Kind: phone.MissedCalls, Entries: entries(6), Selected: 5}, Soft: list}},
		{"dialled-empty", phone.View{Status: status(), Screen: phone.List{Kind: phone.DialledCalls}, Soft: softs(phone.SoftBack)}},
	}
	views = append(views, deskScenes()...)
	for i := range views {
		views[i].view.Now = now
	}
	return views
}

// hostile is text that somebody sends to break a phone.
var hostile = strings.Repeat("W\u0308\x00\r\n\u202e🙂", 500)
