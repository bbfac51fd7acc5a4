package page_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/cmd/centre/internal/page"
	"freizeichen/cmd/centre/pagetest"
	"freizeichen/firmware"
	"freizeichen/sip"
)

// scene plays in a bubble whose clock begins at 10:42 of a working day.
func scene(t *testing.T, play func(t *testing.T, centre *pagetest.Centre, v *visitor)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 27, 10, 42, 0, 0, time.UTC)))
		centre := pagetest.Example(time.Now())
		p := newPage(t, centre)
		play(t, centre, enter(t, p))
		p.Close()
	})
}

func TestThePageShowsHowTheQueuesStand(t *testing.T) {
	scene(t, func(t *testing.T, centre *pagetest.Centre, v *visitor) {
		html := v.get("/")
		queues := part(t, html, "queues")
		wants(t, queues,
			"Kreis Wesel Zulassung 3 1:12 ▲ über 30 s 0 frei 7 angemeldet, 2 Pause",
			"73 % in 30 s der angebotenen, heute Ziel 80 %: ✗ verfehlt", // 121 of 164
			"80 % in 30 s der angenommenen, heute",                      // 121 of 151
			"77 % in 30 s der erledigten, heute",                        // 127 of 164
			"164 angeboten, 151 angenommen, 13 aufgelegt",
			"Moers 115 1 0:08 ▲ über 30 s 2 frei", "83 % in 30 s der angebotenen, heute Ziel 75 %: ✓ erreicht")
		if got := strings.Count(html, `class="badge late"><`); got != 2 { // one wait, one message
			t.Errorf("%d badges of being late are seen", got)
		}
		wants(t, part(t, html, "overview"), "Es warten 5 am längsten 1:12 , Kreis Wesel Zulassung", "Frei 3 von 14 Angemeldeten",
			"Beim ersten Kontakt gelöst 68 % 278 von 407 Gesprächen mit Ergebnis, heute", "Offene Nachrichten 4 ▲ 1 überfällig")
		wants(t, part(t, html, "status"), "Kreis Wesel Zulassung: jemand wartet länger als 30 s.", "Kreis Wesel Zulassung: Ziel von 80 % heute verfehlt.",
			"115: Erstlösung heute unter 65 %.", "1 Nachricht ist überfällig.", "Telefonanlage verbunden seit 07:42.", "Stand 10:42 Uhr")
		wants(t, html, `data-waited="72" data-limit="30"`)

		v.header.Set("Accept-Language", "en-GB, de;q=0.5")
		wants(t, part(t, v.get("/"), "queues"), "73% in 30 s of offered, today target 80%: ✗ missed")
	})
}

func TestAFigureWithAGapSaysSinceWhenItHasNone(t *testing.T) {
	scene(t, func(t *testing.T, centre *pagetest.Centre, v *visitor) {
		for _, q := range pagetest.Queues(time.Now()) {
			q.Since = time.Now().Add(-time.Hour)
			centre.SetQueue(q)
			q.Queue, q.Title, q.Level = "leer", "Leer", sip.ServiceLevel{Within: 30 * time.Second}
			centre.SetQueue(q)
		}
		wants(t, part(t, v.get("/"), "queues"), "73 % in 30 s der angebotenen, ohne Lücke erst seit 09:42", "kein Anruf seit 09:42")
	})
}

func TestOldDataIsMarkedAndNotShownAsPresent(t *testing.T) {
	scene(t, func(t *testing.T, centre *pagetest.Centre, v *visitor) {
		time.Sleep(91 * time.Second) // the reports are valid for 90
		for _, target := range []string{"/", "/wallboard"} {
			got := text(v.get(target))
			wants(t, got, "keine Daten seit 10:42")
			refuses(t, got, "1:12", "2:43", "über 30 s")
		}
		for _, q := range pagetest.Queues(time.Now()) {
			centre.SetQueue(q)
		}
		refuses(t, v.get("/")+v.get("/wallboard"), "keine Daten")

		time.Sleep(30 * time.Second)
		centre.SetPBX(false, time.Now())
		time.Sleep(10 * time.Second)
		for _, target := range []string{"/", "/wallboard"} {
			got := text(v.get(target))
			wants(t, got, "Telefonanlage nicht erreichbar seit 10:44.", "keine Daten seit 10:43")
			refuses(t, got, "1:12", "1:52")
		}
		wants(t, part(t, v.get("/"), "team"), "frei – im Gespräch – Nacharbeit – Pause –")
		centre.SetPBX(false, time.Time{})
		wants(t, text(v.get("/")), "Telefonanlage nicht erreichbar, seit das Switchboard läuft.")
	})
}

func TestAReportThatCannotBeTrueIsNotShown(t *testing.T) {
	scene(t, func(t *testing.T, centre *pagetest.Centre, v *visitor) {
		centre.SetQueue(sip.QueueStatus{Queue: "liar", Title: "Lügner", At: time.Now(), Waiting: 77777, Free: 99})
		centre.SetQueue(sip.QueueStatus{Queue: "new", Title: "Neue"})
		queues := part(t, v.get("/"), "queues")
		wants(t, queues, "Lügner ◌ keine Daten –", "Neue ◌ keine Daten –")
		refuses(t, queues, "77777")
	})
}

func TestAQueueWithoutFiguresIsALamp(t *testing.T) {
	scene(t, func(t *testing.T, centre *pagetest.Centre, v *visitor) {
		centre.SetQueue(sip.QueueStatus{Queue: "lamp", Title: "Lampe", At: time.Now(), Coarse: true, Waiting: 1})
		wants(t, part(t, v.get("/"), "queues"), "Lampe Die Telefonanlage meldet hierzu keine Zahlen. ja –")
		v.get("/wallboard")
	})
}

func TestFiguresAreThoseOfTheTeam(t *testing.T) {
	scene(t, func(t *testing.T, centre *pagetest.Centre, v *visitor) {
		wants(t, part(t, v.get("/"), "team"), "frei 3", "im Gespräch 6", "Nacharbeit 2", "Pause 3", "Kurze Pause 2 Schulung 1", "Telefone ohne Anmeldung: 2.",
			"Nur Werte des Teams. Eigene Werte sieht jeder selbst, auf seinem Telefon.")
		// Of two people everybody knows who it is that pauses, and why.
		centre.SetDesks(page.Desk{State: sip.Ready}, page.Desk{State: sip.Paused, Reason: "training"})
		team := part(t, v.get("/"), "team")
		wants(t, team, "Pause 1", "Gründe erst ab 3 Angemeldeten.")
		refuses(t, team, "Schulung")
	})
}

func TestTopicsAndLinesOfTheDay(t *testing.T) {
	scene(t, func(t *testing.T, centre *pagetest.Centre, v *visitor) {
		html := v.get("/")
		topics := part(t, html, "topics")
		wants(t, topics, "TOP 3 Kfz-Zulassung 131 Führerschein 64 Elterngeld 41 Alle Themen (12)", "Hundesteuer 3", "14 Gespräche ohne Thema")
		lines := part(t, html, "lines")
		wants(t, lines, "Behördennummer 115 Stadt Moers Behördennummer 115, 115 35 21 12 1 1 61 % ✗ verfehlt Erstlösung 65 %, 75 % in 30 s angenommen Örtliche Nummern",
			"Kreis Wesel Zentrale, 02812070 119 78 34 3 4 67 % ✓ erreicht", "Jobcenter Kreis Wesel Servicenummer, 0281963300 88 47 36 2 3 55 % kein Versprechen")

		time.Sleep(3 * time.Second)
		centre.SetDay(sip.DayFigures{Team: sip.Tally{Calls: 1, Unsaid: 1}, Lines: []sip.NamedTally{{Name: "0999", Tally: sip.Tally{Calls: 1, Unsaid: 1}}}})
		html = v.get("/")
		wants(t, part(t, html, "topics"), "Heute noch kein Thema.")
		wants(t, part(t, html, "lines"), "0999 1 0 0 0 1 – kein Versprechen")
		wants(t, part(t, html, "overview"), "heute noch kein Ergebnis")
	})
}

func TestMessagesAreInOrderAndKeepTheCitizensNumber(t *testing.T) {
	scene(t, func(t *testing.T, centre *pagetest.Centre, v *visitor) {
		const id = "00000000000000000000000000000001"
		html := v.get("/")
		wants(t, part(t, html, "messages"), "Elterngeldstelle Wesel Elterngeld Kreis Wesel Do 26.11. 09:42 10:22 ▲ überfällig Erledigt")
		order := regexp.MustCompile(`id="message-0*(\d)"`).FindAllStringSubmatch(html, -1)
		if len(order) != 4 || order[0][1]+order[1][1]+order[2][1]+order[3][1] != "1324" {
			t.Errorf("the order is %v", order)
		}
		for _, target := range []string{"/", "/wallboard", "/links"} {
			refuses(t, v.get(target), pagetest.Callback, pagetest.CallbackName, "0280155")
		}
		wants(t, text(v.get("/messages/"+id)), "Rückruf an "+pagetest.Callback+" "+pagetest.CallbackName, "Telefon des Amts 5151")

		if w := v.post("/messages/done", url.Values{"id": {id}}); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/#messages" {
			t.Errorf("done: %d", w.Code)
		}
		if by := centre.DoneBy(id); by != pagetest.Name {
			t.Errorf("done by %q", by)
		}
		refuses(t, v.get("/"), "Elterngeldstelle") // at once
		for _, gone := range []string{id, "00000000000000000000000000000009", "x", "..%2f", strings.ToUpper("abcdefabcdefabcdefabcdefabcdefab")} {
			if w := v.do("GET", "/messages/"+gone, nil); w.Code != http.StatusNotFound {
				t.Errorf("message %s: %d", gone, w.Code)
			}
		}
		// Two supervisors may end the same message.
		if w := v.post("/messages/done", url.Values{"id": {id}}); w.Code != http.StatusSeeOther {
			t.Errorf("done again: %d", w.Code)
		}
		if w := v.post("/messages/done", url.Values{"id": {"x"}}); w.Code != http.StatusNotFound {
			t.Errorf("done without an identifier: %d", w.Code)
		}
	})
}

func TestABrokenKnowledgeFileIsShownBesideTheLastGoodOne(t *testing.T) {
	scene(t, func(t *testing.T, centre *pagetest.Centre, v *visitor) {
		wants(t, part(t, v.get("/"), "knowledge"), "✓ in Ordnung · Version 2026-11-27a · gelesen 08:12 · 4 Kommunen, 12 Themen, 4 Ämter · Beispieldaten")
		k, state := centre.Knowledge()
		centre.SetKnowledge(k, state.Read, `knowledge.yaml:212: unknown key "nmae"`, time.Now())
		wants(t, part(t, v.get("/"), "knowledge"), `✗ Die neue Datei ist fehlerhaft (10:42), es gilt die letzte gute Version: knowledge.yaml:212: unknown key "nmae" Version 2026-11-27a`)
		centre.SetKnowledge(firmware.Knowledge{}, time.Time{}, "knowledge.yaml: no such file", time.Now())
		html := v.get("/")
		wants(t, part(t, html, "knowledge"), "Die Datei ist fehlerhaft (10:42): knowledge.yaml: no such file Es gibt noch keine gültige Wissensdatei.")
		wants(t, part(t, html, "status"), "Die Wissensdatei hat einen Fehler.")
		wants(t, part(t, html, "topics"), "zulassung 131") // without names, its identifiers
	})
}

func TestFiguresThatCannotBeReadDoNotHideTheQueues(t *testing.T) {
	scene(t, func(t *testing.T, centre *pagetest.Centre, _ *visitor) {
		config := centre.Config(time.UTC, nil)
		config.Records = broken{}
		p, err := page.New(config)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		own := enter(t, p)
		html := own.get("/")
		wants(t, part(t, html, "queues"), "Kreis Wesel Zulassung 3 1:12")
		for _, section := range []string{"topics", "lines", "messages", "overview", "status"} {
			wants(t, part(t, html, section), "Die Zahlen des Tages sind zurzeit nicht lesbar.")
		}
		refuses(t, html, "disk")
		own.get("/wallboard")
	})
}

// broken are records that cannot be read.
type broken struct{ page.Records }

func (broken) Figures(context.Context, time.Time, time.Time) (sip.DayFigures, error) {
	return sip.DayFigures{}, errors.New("disk")
}

func TestWhatPeopleWriteIsTextAndNothingElse(t *testing.T) {
	scene(t, func(t *testing.T, centre *pagetest.Centre, v *visitor) {
		const evil = `"><script>alert(1)</script><img src=x onerror='alert(1)'>`
		queue := pagetest.Queues(time.Now())[0]
		queue.Queue, queue.Title = evil, evil
		centre.SetQueue(queue)
		centre.SetKnowledge(firmware.Knowledge{Version: evil, Tenants: []firmware.Tenant{{ID: "t", Name: evil, Lines: []firmware.Line{{Number: "1", Name: evil}}}},
			Topics: []firmware.Topic{{ID: "elterngeld", Name: evil}}, Offices: []firmware.Office{{ID: "kw-51", Name: evil, Number: "javascript:alert(1)"}}}, time.Now(), evil, time.Now())
		centre.SetDesks(make([]page.Desk, 3)...)
		centre.SetDesks(page.Desk{State: sip.Paused, Reason: evil}, page.Desk{State: sip.Ready}, page.Desk{State: sip.Ready})
		v.post("/links", url.Values{"label": {"<script>alert(1)</script>"}})
		for _, target := range []string{"/", "/wallboard", "/links", "/messages/00000000000000000000000000000001"} {
			html := v.get(target)
			refuses(t, html, "<script>alert", "<img", "ZgotmplZ", "<no value>", "%!")
		}
		w := v.login(evil, evil)
		refuses(t, w.Body.String(), "<script>alert", "<img")
	})
}

func TestEveryPageSpeaksEitherLanguage(t *testing.T) {
	scene(t, func(t *testing.T, centre *pagetest.Centre, v *visitor) {
		targets := []string{"/", "/wallboard", "/links", "/login", "/messages/00000000000000000000000000000001"}
		german := map[string]string{}
		for _, language := range []string{"de", "en"} {
			for _, target := range targets {
				html := v.get(target + "?lang=" + language)
				wants(t, html, `<html lang="`+language+`"`)
				refuses(t, html, "%!", "<no value>", "ZgotmplZ")
				if language == "de" {
					german[target] = text(html)
				} else if text(html) == german[target] {
					t.Errorf("%s is the same in both languages", target)
				}
			}
		}
		// What was chosen lasts, over a login too.
		wants(t, v.get("/"), `<html lang="en"`)
		stranger := newVisitor(t, v.page)
		stranger.do("GET", "/?lang=en", nil)
		wants(t, stranger.get("/login"), `<html lang="en"`)
		refuses(t, stranger.get("/login?lang=tlh"), "tlh")
	})
}
