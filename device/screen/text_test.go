package screen

import (
	"image"
	"slices"
	"strings"
	"testing"
	"time"

	"freizeichen/device/phone"
	"freizeichen/hal"
	"freizeichen/sip"
)

func sceneNamed(t *testing.T, name string) phone.View {
	t.Helper()
	for _, s := range scenes() {
		if s.name == name {
			return s.view
		}
	}
	t.Fatalf("no scene %q", name)
	return phone.View{}
}

func TestEverythingOnThePictureIsInTheText(t *testing.T) {
	for panel, panelName := range panelNames {
		for language := range languageCount {
			for _, s := range scenes() {
				r, seen := New(panel, language), 0
				text := strings.Join(r.Text(s.view), "\n")
				r.draw(&s.view, func(meaning string, _ image.Rectangle, _ uint8) {
					seen++
					for part := range strings.SplitSeq(meaning, dot) {
						if !strings.Contains(text, part) {
							t.Errorf("%s %s %s: %q is drawn, but the text says\n%s", panelName, language, s.name, part, text)
						}
					}
				})
				if seen < 2 {
					t.Errorf("%s %s %s: %d things to read", panelName, language, s.name, seen)
				}
			}
		}
	}
}

func TestTheTextReadsLikeThePanel(t *testing.T) {
	for _, c := range []struct {
		scene    string
		language Language
		want     []string
	}{
		{"failed", German, []string{"201, keine Verbindung, 10:42", "Keine Verbindung zur Anlage", "Konto/Passwort falsch.", "Neuer Versuch in 12 s."}},
		{"lost", German, []string{"201, Verbindung verloren, 10:42, 12 verpasste Anrufe", "Verbindung zur Anlage verloren", "Anlage nicht erreichbar.",
			"Neuer Versuch in 4 min."}},
		{"idle", English, []string{"201, registered, 10:42", "Friday, 20 November", "Keys: Redial · Missed calls"}},
		{"ringing", German, []string{"201, verbunden, 10:42", "Eingehender Anruf, 0:04", "Anruf für Kreis Wesel, 0281 2070", "Anliegen: Elterngeld",
			"Ada Lovelace, 0281 207 2020", "Tasten: Annehmen · Ablehnen"}},
		{"ringing-anonymous", German, []string{"201, verbunden, 10:42", "Eingehender Anruf, 0:04", "Anruf für 02841 2020", "Anliegen: Elterngeld",
			"Nummer unterdrückt", "Tasten: Annehmen · Ablehnen"}},
		{"talking-muted", English, []string{"201, registered, 10:42, 1 missed call, Mic muted, headset", "Connected, Mic muted, 1:02:03",
			"Call for Kreis Wesel, 0281 2070", "Topic: Elterngeld", "Ada Lovelace, 0281 207 2020", "Keys: Hang up · Hold · Transfer"}},
		{"knocking", German, []string{"201, verbunden, 10:42, Hörer", "Ausgewählt, Leitung 1: Im Gespräch, 3:07", "Anruf für Kreis Wesel, 0281 2070",
			"Anliegen: Elterngeld", "Ada Lovelace, 0281 207 2020", "Leitung 2: Klopft an, 0:03", "Anruf für Stadt Xanten, 02801 7720",
			"Anliegen: Sperrmüll anmelden", "+49 2841 88 1234", "Tasten: Annehmen · Ablehnen · Halten"}},
		{"transfer", German, []string{"201, verbunden, 10:42, Hörer", "Verbinden mit: 202", "Tasten: Anrufen · Übergeben · Löschen · Abbrechen"}},
		{"ended-fault", German, []string{"201, verbunden, 10:42, Hörer", "Störung der Anlage, Meldung 503", "Ada Lovelace, 0281 207 2020",
			"Tasten: Zurück · Wahlwiederholung"}},
		{"ended", German, []string{"201, verbunden, 10:42, Hörer", "Gespräch beendet", "Ada Lovelace, 0281 207 2020", "Dauer 3:07",
			"Tasten: Zurück · Wahlwiederholung"}},
		{"ended-waiting", German, []string{"201, verbunden, 10:42, Hörer", "Besetzt", "5060", "Es wartet: Ada Lovelace", "Tasten: Zurückholen · Zurück"}},
		{"ended-waiting-two", English, []string{"201, registered, 10:42, handset", "Call ended", "+49 2841 88 1234", "Duration 3:07", "2 calls are waiting",
			"Keys: Resume · Back"}},
		{"missed-last", German, []string{"201, verbunden, 10:42, 6 verpasste Anrufe", "Verpasste Anrufe, 6 von 6", "Konrad Zuse, 202, 11.11. 10:42",
			"Ausgewählt: 110, 16.10.25 10:42", "Tasten: Zurück · Löschen · Wählen"}},
		{"ringer-off", German, []string{"201, verbunden, 10:42", "Freitag, 20. November", "Klingelton aus", "Tasten: Wahlwiederholung · Verpasste Anrufe"}},
	} {
		got := New(hal.Mono128x64, c.language).Text(sceneNamed(t, c.scene))
		if !slices.Equal(got, c.want) {
			t.Errorf("%s reads\n%s\nwant\n%s", c.scene, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

func TestTheSoftKeysAreNamedInFullWords(t *testing.T) {
	for _, c := range []struct {
		scene    string
		language Language
		want     [4]string
	}{
		{"registering", German, [4]string{}},
		{"typing", German, [4]string{"Wählen", "Löschen", "", "Abbrechen"}},
		{"idle", English, [4]string{"Redial", "Missed calls"}},
	} {
		if got := New(hal.Mono128x64, c.language).Soft(sceneNamed(t, c.scene)); got != c.want {
			t.Errorf("%s: %q, want %q", c.scene, got, c.want)
		}
	}
}

func TestAPastCallSaysWhen(t *testing.T) {
	w := wording{&german, &phone.View{Now: now}}
	for _, c := range []struct {
		at          time.Time
		full, brief string
	}{
		{now, "10:42", "10:42"},
		{now.Add(-10 * time.Hour), "00:42", "00:42"},
		{now.Add(-11 * time.Hour), "gestern 23:42", "gestern"},
		{now.Add(-11 * time.Hour).UTC(), "gestern 23:42", "gestern"}, // other zones are converted
		{now.Add(-35 * time.Hour), "18.11. 23:42", "18.11."},
		{now.AddDate(-1, 0, 0), "20.11.25 10:42", "20.11.25"},
		{now.Add(24 * time.Hour), "21.11. 10:42", "21.11."}, // the clock was put back
	} {
		if full, brief := w.when(c.at); full != c.full || brief != c.brief {
			t.Errorf("%v is %q, %q; want %q, %q", c.at, full, brief, c.full, c.brief)
		}
	}
	w.view.Now = time.Date(2027, 1, 1, 8, 0, 0, 0, now.Location())
	if full, _ := w.when(w.view.Now.Add(-10 * time.Hour)); full != "gestern 22:00" {
		t.Errorf("New Year's Eve is %q", full)
	}
}

func TestADurationIsMinutesAndSeconds(t *testing.T) {
	for d, want := range map[time.Duration]string{-time.Second: "0:00", 0: "0:00", 7*time.Second + 999*time.Millisecond: "0:07",
		time.Hour - time.Second: "59:59", 26*time.Hour + 3*time.Second: "26:00:03"} {
		if got := duration(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestThePartyIsNamedByWhatIsKnown(t *testing.T) {
	w := wording{&german, &phone.View{}}
	for _, c := range []struct {
		in   sip.Party
		want partyText
	}{
		{sip.Party{}, partyText{title: "Unbekannt"}},
		{sip.Party{Name: "Anonymous", Number: "anonymous"}, partyText{title: "Nummer unterdrückt"}},
		{sip.Party{Name: "Ada", Number: "anonymous"}, partyText{title: "Ada"}},
		{sip.Party{Name: "202", Number: "202"}, partyText{title: "202", digits: true}},
		{sip.Party{Number: "0281 2070"}, partyText{title: "0281 2070", digits: true}},
		{sip.Party{Name: "A\r\nda", Number: "202"}, partyText{title: "A da", number: "202"}},
	} {
		if got := w.party(c.in); got != c.want {
			t.Errorf("%+v is %+v, want %+v", c.in, got, c.want)
		}
	}
}

func TestWhatAPhoneNeverShowsDoesNotBreakThePanel(t *testing.T) {
	for _, view := range []phone.View{
		{},
		{Screen: phone.Calls{}},
		{Screen: phone.Calls{Selected: -3, Calls: make([]phone.Call, 5)}},
		{Screen: phone.Calls{Selected: 9, Calls: []phone.Call{{State: 200, Line: -1}, {State: phone.RingingIn}}}},
		{Screen: phone.List{Selected: 99, Kind: 77, Entries: make([]phone.Entry, 3)}},
		{Screen: phone.List{Selected: -1, Entries: make([]phone.Entry, 9)}},
		{Screen: phone.Ended{Cause: 99, Status: -5, Duration: -time.Hour}},
		{Status: phone.Status{Registration: 99, Cause: 99, Route: 99, Missed: -1, Retry: -time.Hour, Volume: &phone.VolumeView{Level: -4, Max: -1}}},
		{Status: phone.Status{Volume: &phone.VolumeView{Level: 900, Max: 1 << 30}}, Soft: [4]phone.Soft{200, 200, 200, 200}},
		{Status: phone.Status{Name: hostile}, Screen: phone.Dialling{Number: hostile}},
	} {
		for panel := range panelNames {
			r := New(panel, German)
			if picture := r.Draw(view); picture.Rect.Size() != panel.Size() {
				t.Errorf("%+v is %v", view, picture.Rect)
			}
			for _, line := range r.Text(view) {
				if strings.ContainsAny(line, "\r\n\x00\u202e") {
					t.Errorf("%+v reads %q", view, line)
				}
			}
		}
	}
}
