package knowledge

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"freizeichen/firmware"
	"freizeichen/firmware/document"
)

// now is a Saturday before noon.
var now = time.Date(2026, 11, 28, 11, 0, 0, 0, firmware.Place())

// base is a small file without a fault; each test changes it.
const base = `version: v1
local:
  calendars:
    - {id: service, name: Service, hours: ['Mo-Fr 8:00-18:00']}
  offices:
    - {id: amt, name: Amt, number: 5036, calendar: service}
  topics:
    - {id: zulassung, name: Kfz-Zulassung, match: [Auto]}
    - {id: wohngeld, name: Wohngeld}
  tenants:
    - id: kreis
      name: Kreis
      topics: [zulassung]
      lines:
        - {number: 115, name: Nummer, greeting: Guten Tag, calendar: service}
    - id: moers
      name: Moers
      lines:
        - {number: 116, name: Nummer, greeting: Guten Tag, calendar: service}
  cards:
    - {topic: zulassung, updated: 2026-11-01, text: [Eins], office: amt}
day:
  notices:
    - {date: 2026-11-28, text: Neu}
`

func TestEverythingWrongIsRefusedWithItsPlace(t *testing.T) {
	tests := []struct {
		name, old, new string // what is changed in base
		want           []string
	}{
		{"nothing", "", "", nil},
		{"unknown key", "version: v1", "version: v1\nlocale: x", []string{`f:2:1: "locale" is not known; allowed: version, example, local, central, day`}},
		{"no version", "version: v1\n", "", []string{"f:1:1: version is missing"}},
		{"no value", "version: v1", "version:", []string{"f:1:1: version has no value"}},
		{"a long version", "version: v1", "version: " + strings.Repeat("v", 33), []string{"f:1:10: version is 33 characters long, at most 32 fit the panel"}},
		{"wrong example", "version: v1", "version: v1\nexample: yes", []string{`f:2:10: example is "yes"; allowed: true, false`}},
		{"missing keys", "{id: amt, name: Amt, number: 5036, calendar: service}", "{id: amt}", []string{
			"f:6:7: local.offices[0].name is missing", "f:6:7: local.offices[0].number is missing", "f:6:7: local.offices[0].calendar is missing"}},
		{"unknown calendar", "number: 5036, calendar: service", "number: 5036, calendar: servcie", []string{
			`f:6:52: local.offices[0].calendar is "servcie", but no calendar has this id; did you mean "service"?`}},
		{"unknown topic", "topics: [zulassung]", "topics: [anders]", []string{`f:13:16: local.tenants[0].topics[0] is "anders", but no topic has this id`}},
		{"topic named twice", "topics: [zulassung]", "topics: [zulassung, zulassung]", []string{
			`f:13:27: local.tenants[0].topics[1] is "zulassung", which stands in the list already`}},
		{"unknown topic of a card", "{topic: zulassung", "{topic: zulasung", []string{
			`f:21:15: local.cards[0].topic is "zulasung", but no topic has this id; did you mean "zulassung"?`}},
		{"unknown tenant of a card", "{topic: zulassung", "{tenant: wesel, topic: zulassung", []string{
			`f:21:16: local.cards[0].tenant is "wesel", but no tenant has this id`}},
		{"unknown office of a card", "office: amt", "office: amtt", []string{
			`f:21:69: local.cards[0].office is "amtt", but no office has this id; did you mean "amt"?`}},
		{"bad id", "{id: wohngeld", "{id: Wohngeld", []string{`f:9:12: local.topics[1].id is "Wohngeld"; allowed: 1 to 32 small letters a-z, digits and -`}},
		{"id twice", "{id: wohngeld", "{id: zulassung", []string{`f:9:12: local.topics[1].id is "zulassung", which is given already in line 8`}},
		{"number of two tenants", "number: 116", "number: 115", []string{`f:19:20: local.tenants[1].lines[0].number is "115", which is given already as a line in line 15`}},
		{"number with a space", "number: 116", "number: 02841 2020", []string{
			`f:19:20: local.tenants[1].lines[0].number is "02841 2020"; allowed: 2 to 20 digits without spaces, as 02812070`}},
		{"subject of two topics", "name: Wohngeld}", "name: Wohngeld, match: [AUTO]}", []string{
			`f:9:46: local.topics[1].match[0] is "AUTO", which is given already by a topic in line 8`}},
		{"no tenants", base[strings.Index(base, "  tenants:"):strings.Index(base, "  cards:")], "  tenants: []\n", []string{"f:10:12: local.tenants must not be empty"}},
		{"second card", "office: amt}", "office: amt}\n    - {topic: zulassung, updated: 2026-11-02, text: [Zwei]}", []string{
			`f:22:7: is a second local card of "zulassung" for all tenants, the first is in line 21`}},
		{"a card of another tenant and one of 115", "day:", "    - {topic: zulassung, tenant: moers, updated: 2026-11-01, text: [Zwei]}\ncentral:\n  cards: [{topic: zulassung, updated: 2026-11-01, text: [Drei]}]\nday:", nil},
		{"long line", "text: [Eins]", "text: [" + strings.Repeat("ü", 65) + "]", []string{"f:21:54: local.cards[0].text[0] is 65 characters long, at most 64 fit the panel"}},
		{"as long as fits", "text: [Eins]", "text: [" + strings.Repeat("ü", 64) + "]", nil},
		{"many lines", "text: [Eins]", "papers: [" + strings.Repeat("x, ", 12) + "], text: [" + strings.Repeat("y, ", 13) + "]", []string{
			"f:21:7: a card has 25 lines of text and papers, at most 24 are allowed: nobody reads more during a call"}},
		{"empty text", "text: [Eins]", "text: []", []string{"f:21:53: local.cards[0].text must not be empty"}},
		{"control character", "text: [Eins]", `text: ["a\nb"]`, []string{"f:21:54: local.cards[0].text[0] must be one line without control characters"}},
		{"spaces around", "text: [Eins]", `text: [" a"]`, []string{"f:21:54: local.cards[0].text[0] begins or ends with a space"}},
		{"an accent apart", "text: [Eins]", "text: [fu\u0308r]", []string{"f:21:54: local.cards[0].text[0] holds an accent apart from its letter (U+0308): write é or ü as one character"}},
		{"an invisible character", "text: [Eins]", "text: [a\u202eb]", []string{"f:21:54: local.cards[0].text[0] holds a character that no panel shows (U+202E)"}},
		{"long greeting", "{number: 116, name: Nummer, greeting: Guten Tag", "{number: 116, name: Nummer, greeting: " + strings.Repeat("Guten Tag ", 7) + "!", []string{
			"f:19:49: local.tenants[1].lines[0].greeting is 71 characters long, at most 64 fit the panel"}},
		{"no date", "updated: 2026-11-01", "updated: 1.11.2026", []string{`f:21:35: local.cards[0].updated is "1.11.2026"; allowed: a date as 2026-11-30`}},
		{"a date there is not", "updated: 2026-11-01", "updated: 2026-02-30", []string{`f:21:35: local.cards[0].updated is "2026-02-30"; allowed: a date as 2026-11-30`}},
		{"yet to come", "updated: 2026-11-01", "updated: 2026-11-29", []string{"f:21:35: local.cards[0].updated is 2026-11-29, which is yet to come"}},
		{"expired", "updated: 2026-11-01", "updated: 2026-11-01, expires: 2026-11-28", []string{
			"f:21:56: local.cards[0].expires is 2026-11-28: this is over; take the entry out or give it a new date"}},
		{"expires tomorrow", "updated: 2026-11-01", "updated: 2026-11-01, expires: 2026-11-29", nil},
		{"a notice of yesterday", "{date: 2026-11-28", "{date: 2026-11-27", []string{
			"f:24:14: day.notices[0].date is 2026-11-27: this is over; take the entry out or give it a new date"}},
		{"a notice of yesterday until today", "{date: 2026-11-28", "{date: 2026-11-27, until: 2026-11-28", nil},
		{"until an hour ago", "{date: 2026-11-28", "{date: 2026-11-28, until: 2026-11-28 10:00", []string{
			"f:24:33: day.notices[0].until is 2026-11-28 10:00: this is over; take the entry out or give it a new date"}},
		{"until before its date", "{date: 2026-11-28", "{date: 2026-11-30, until: 2026-11-29", []string{
			"f:24:33: day.notices[0].until is 2026-11-29, which is before its date 2026-11-30"}},
		{"no news", "{date: 2026-11-28", "{date: 2026-11-28, until: 2027-05-01", []string{
			"f:24:33: day.notices[0].until is 2027-05-01, which is more than 92 days after its date: write a card under local"}},
		{"another year", "{date: 2026-11-28", "{date: 2028-11-28", []string{"f:24:14: day.notices[0].date is 2028-11-28, which is more than a year ahead"}},
		{"today in real data", "{date: 2026-11-28", "{date: today", []string{
			`f:24:14: day.notices[0].date is "today"; allowed: a date as 2026-11-30, or with a time of day as 2026-11-30 14:00`}},
		{"for nobody", "{date: 2026-11-28", "{tenants: [], date: 2026-11-28", []string{"f:24:7: tenants of a notice is an empty list; leave the key out for all"}},
		{"long notice", "text: Neu", "text: " + strings.Repeat("x", 161), []string{"f:24:32: day.notices[0].text is 161 characters long, at most 160 fit the panel"}},
		{"two cards of the day", "    - {date: 2026-11-28, text: Neu}", "    - {date: 2026-11-28, text: Neu}\n  cards:\n    - {date: 2026-11-28, topic: zulassung, text: [x]}\n    - {date: 2026-11-28, topic: zulassung, text: [y]}", []string{
			`f:27:7: is a second card of the day of "zulassung" for the same tenant and time`}},
		{"cards of two days", "    - {date: 2026-11-28, text: Neu}", "    - {date: 2026-11-28, text: Neu}\n  cards:\n    - {date: 2026-11-28, topic: zulassung, text: [x]}\n    - {date: 2026-11-29, topic: zulassung, text: [y]}", nil},
		{"no days", "['Mo-Fr 8:00-18:00']", "['8:00-18:00']", []string{`f:4:44: local.calendars[0].hours[0] is "8:00-18:00"; allowed: days and spans, as Mo-Do 8:00-12:00 14:00-16:00, at most four spans`}},
		{"English days", "['Mo-Fr 8:00-18:00']", "['Mon 8:00-18:00']", []string{`f:4:44: local.calendars[0].hours[0] has the days "Mon"; allowed: Mo Di Mi Do Fr Sa So, as Mo-Fr or Mo,Mi`}},
		{"no span", "['Mo-Fr 8:00-18:00']", "['Mo-Fr 8-18']", []string{`f:4:44: local.calendars[0].hours[0] has the span "8-18"; allowed: two times of day, as 7:30-18:00`}},
		{"a span that ends before it begins", "['Mo-Fr 8:00-18:00']", "['Mo-Fr 18:00-8:00']", []string{`f:4:44: local.calendars[0].hours[0] has the span "18:00-8:00", which ends before it begins`}},
		{"overlapping spans", "['Mo-Fr 8:00-18:00']", "['Mo-Fr 8:00-12:00 11:00-18:00']", []string{
			`f:4:44: local.calendars[0].hours[0] has a span "11:00-18:00" that begins before the one in front of it ends`}},
		{"a colon without quotes", "    - {topic: zulassung, updated: 2026-11-01, text: [Eins], office: amt}", "    - topic: zulassung\n      updated: 2026-11-01\n      text:\n        - Ausweis: neu", []string{"f:24:11: local.cards[0].text[0] must be one value, but is a group of keys; put a text that holds a colon in quotes"}},
		{"overlapping lines", "['Mo-Fr 8:00-18:00']", "['Mo-Fr 8:00-18:00', 'Do 17:00-20:00']", []string{"f:4:64: local.calendars[0].hours[1] overlaps with a line above it on Do"}},
		{"a day twice", "['Mo-Fr 8:00-18:00']", "['Mo,Mo-Di 8:00-18:00']", []string{`f:4:44: local.calendars[0].hours[0] names a day twice in "Mo,Mo-Di"`}},
		{"other holidays", "['Mo-Fr 8:00-18:00']", "['Mo-Fr 8:00-18:00'], holidays: by", []string{`f:4:75: local.calendars[0].holidays is "by"; allowed: nrw`}},
		{"closed twice", "['Mo-Fr 8:00-18:00']", "['Mo-Fr 8:00-18:00'], closed: [2026-12-24, 2026-12-24]", []string{
			`f:4:86: local.calendars[0].closed[1] is "2026-12-24", which stands in the list already`}},
		{"half a promise", "{number: 115, ", "{number: 115, promise: {percent: 80}, ", []string{"f:15:34: a promise names within and percent, or neither: 80 percent within 30s"}},
		{"an impossible promise", "{number: 115, ", "{number: 115, promise: {percent: 101, within: 30, first-contact: 0, answer-within: 1m}, ", []string{
			`f:15:44: local.tenants[0].lines[0].promise.percent is "101"; allowed: a whole number from 1 to 100`,
			`f:15:57: local.tenants[0].lines[0].promise.within is "30" without a unit; allowed: 1s to 10m, written as 90s, 15m or 24h`,
			`f:15:76: local.tenants[0].lines[0].promise.first-contact is "0"; allowed: a whole number from 1 to 100`,
			`f:15:94: local.tenants[0].lines[0].promise.answer-within is "1m"; allowed: 1h to 240h, written as 90s, 15m or 24h`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if !strings.Contains(base, test.old) {
				t.Fatalf("base has no %q", test.old)
			}
			k, err := Parse("f", []byte(strings.Replace(base, test.old, test.new, 1)), now)
			if test.want == nil {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			if err == nil {
				t.Fatal("taken")
			}
			if got, want := err.Error(), strings.Join(test.want, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if !reflect.DeepEqual(k, firmware.Knowledge{}) {
				t.Error("half of the file was read")
			}
		})
	}
}

func TestMoreThanFiveHundredTopicsAreRefused(t *testing.T) {
	for n, want := range map[int]string{499: "", 500: "f:8:5: local.topics has 501 entries, at most 500 are allowed"} {
		var more strings.Builder
		for i := range n {
			fmt.Fprintf(&more, "    - {id: t%d, name: T%d}\n", i, i)
		}
		text := strings.Replace(base, "    - {id: zulassung, name: Kfz-Zulassung, match: [Auto]}\n    - {id: wohngeld, name: Wohngeld}\n",
			more.String()+"    - {id: zulassung, name: Z}\n", 1)
		_, err := Parse("f", []byte(text), now)
		if got := fmt.Sprint(err); want == "" && err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("%d: %.200s", n+1, got)
		}
	}
}

func TestAFullFileIsRead(t *testing.T) {
	var text strings.Builder
	text.WriteString(strings.SplitAfter(base, "topics:\n")[0])
	for i := range 500 {
		fmt.Fprintf(&text, "    - {id: t%d, name: T%d, match: [M%d, N%d]}\n", i, i, i, i)
	}
	text.WriteString("  tenants:\n    - {id: kreis, name: Kreis, lines: [{number: 115, name: N, greeting: G, calendar: service}]}\n  cards:\n")
	for i := range 500 {
		fmt.Fprintf(&text, "    - topic: t%d\n      updated: 2026-11-01\n      text: [%s]\n      papers: [%s]\n      fee: eins\n", i,
			strings.Repeat(strings.Repeat("x", 64)+", ", 6), strings.Repeat(strings.Repeat("y", 64)+", ", 6))
	}
	t.Logf("%d KiB", text.Len()>>10)
	k, err := Parse("f", []byte(text.String()), now)
	if err != nil || len(k.Cards) != 500 {
		t.Fatalf("%d cards, %v", len(k.Cards), err)
	}
	if data := Compile(k); len(data) > compiledMax {
		t.Errorf("compiled it has %d bytes", len(data))
	}
}

func TestHugeAndMissingFilesAreNamed(t *testing.T) {
	if _, err := Read("/dev/zero", now); err == nil || err.Error() != "/dev/zero: is larger than 1024 KiB: that is no knowledge file" {
		t.Errorf("got %v", err)
	}
	path := filepath.Join(t.TempDir(), "knowledge.yaml")
	if _, err := Read(path, now); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
	if _, err := Parse("f", nil, now); err == nil || err.Error() != "f: is empty: it holds no entry" {
		t.Errorf("got %v", err)
	}
}

func at(text string) time.Time {
	t, err := time.ParseInLocation(momentForm, text, firmware.Place())
	if err != nil {
		panic(err)
	}
	return t
}

func clock(hour, minute int) time.Duration {
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute
}

func TestEveryKeyOfTheReferenceReachesTheKnowledge(t *testing.T) {
	k, err := Parse("reference.yaml", []byte(uncommented()), now)
	if err != nil {
		t.Fatal(err)
	}
	long := []firmware.Span{{From: clock(7, 30), Until: clock(12, 0)}, {From: clock(12, 30), Until: clock(18, 0)}}
	want := firmware.Knowledge{
		Version: "2026-11-28", Compiled: now,
		Calendars: []firmware.Calendar{{ID: "service", Name: "Servicecenter", Holidays: true,
			Week:   [7][]firmware.Span{1: long, 2: long, 3: long, 4: long, 5: {{From: clock(7, 30), Until: clock(18, 0)}}},
			Closed: []time.Time{at("2026-12-24 00:00"), at("2026-12-31 00:00")}}},
		Offices: []firmware.Office{{ID: "strassenverkehr", Name: "Fachdienst Straßenverkehr", Number: "5036", Calendar: "service"}},
		Topics:  []firmware.Topic{{ID: "zulassung", Name: "Kfz-Zulassung", Match: []string{"Zulassung", "Kennzeichen"}}},
		Tenants: []firmware.Tenant{{ID: "kreis-wesel", Name: "Kreis Wesel", Topics: []string{"zulassung"}, Lines: []firmware.Line{{
			Number: "02812070", Name: "Kreishaus Wesel", Greeting: "Kreis Wesel, guten Tag, mein Name ist ...", Calendar: "service",
			Promise: firmware.Promise{Within: 30 * time.Second, Percent: 80, FirstContact: 65, AnswerWithin: 24 * time.Hour}}}}},
		Cards: []firmware.Card{
			{Topic: "zulassung", Tenant: "kreis-wesel", Source: firmware.Local, Updated: at("2026-11-02 00:00"), Expires: at("2027-01-01 00:00"),
				Text: []string{"Termin online oder hier buchen."}, Papers: []string{"Personalausweis", "eVB-Nummer"}, Fee: "ab 30,60 €",
				Hours: "Mo-Mi 7:30-15:30, Do bis 17:30, Fr bis 12:00", Office: "strassenverkehr"},
			{Topic: "zulassung", Source: firmware.Central, Updated: at("2026-11-01 00:00"), Text: []string{"Zuständig ist die Behörde am Wohnsitz."}},
			{Topic: "zulassung", Tenant: "kreis-wesel", Source: firmware.Day, Updated: at("2026-11-28 00:00"), Expires: at("2026-12-01 00:00"),
				Text: []string{"Heute keine Wunschkennzeichen."}, Papers: []string{"Personalausweis"}, Fee: "ab 30,60 €", Hours: "heute bis 12:00", Office: "strassenverkehr"},
		},
		Notices: []firmware.Notice{{Tenants: []string{"kreis-wesel"}, Topics: []string{"zulassung"}, Text: "Zulassung heute nur bis 12 Uhr.",
			From: at("2026-11-28 00:00"), Until: at("2026-11-28 14:00")}},
	}
	if !reflect.DeepEqual(k, want) {
		t.Errorf("got  %+v\nwant %+v", k, want)
	}
	if _, err := Parse("reference.yaml", []byte(Reference()), now); err != nil {
		t.Errorf("as it stands: %v", err)
	}
}

var commented = regexp.MustCompile(`(?m)^( *)#([a-z-]+: )`)

// uncommented is the reference with every key switched on.
func uncommented() string { return commented.ReplaceAllString(Reference(), "$1$2") }

func TestEveryKeyStandsInTheReference(t *testing.T) {
	var mirror raw
	document.Read("reference.yaml", []byte(uncommented()), limits(), &mirror)
	// The cards of 115 have the keys of the local ones.
	missing(t, reflect.ValueOf(mirror.Local), "local")
	missing(t, reflect.ValueOf(mirror.Day), "day")
	if len(mirror.Central.Cards) == 0 || !mirror.Version.Set || !mirror.Example.Set {
		t.Error("central, version or example does not stand in reference.yaml")
	}
}

func missing(t *testing.T, v reflect.Value, path string) {
	for i := range v.NumField() {
		key, isKey := v.Type().Field(i).Tag.Lookup("key")
		field := v.Field(i)
		if isKey && field.Kind() == reflect.Slice {
			if field.Len() == 0 {
				t.Errorf("%s.%s does not stand in reference.yaml", path, key)
				continue
			}
			field = field.Index(0)
		}
		switch {
		case !isKey:
		case field.Type() != reflect.TypeFor[scalar]():
			missing(t, field, path+"."+key)
		case !field.FieldByName("Set").Bool():
			t.Errorf("%s.%s does not stand in reference.yaml", path, key)
		}
	}
}

func TestTheExampleIsTakenOnEveryDayAndSaysWhatItIs(t *testing.T) {
	for _, day := range []time.Time{now, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2040, 12, 31, 23, 30, 0, 0, time.UTC)} {
		k, err := Parse("example.yaml", Example(), day)
		if err != nil {
			t.Fatal(err)
		}
		if !k.Example || len(k.Topics) < 20 || len(k.Tenants) != 4 {
			t.Errorf("example %v, %d topics, %d tenants", k.Example, len(k.Topics), len(k.Tenants))
		}
		for _, n := range k.Notices {
			if n.From.After(day) || !n.Until.After(day) || n.Until.Sub(n.From) > 25*time.Hour {
				t.Errorf("on %v a notice holds from %v until %v", day, n.From, n.Until)
			}
		}
		topics := map[string]bool{}
		for _, c := range k.Cards {
			topics[c.Topic] = true
		}
		for _, topic := range k.Topics {
			if !topics[topic.ID] {
				t.Errorf("%s has no card", topic.ID)
			}
		}
		for _, tenant := range k.Tenants {
			if len(tenant.Topics) == 0 || len(tenant.Lines) == 0 {
				t.Errorf("%s has %d topics and %d lines", tenant.ID, len(tenant.Topics), len(tenant.Lines))
			}
		}
	}
	if head, _, _ := strings.Cut(string(Example()), "version:"); !strings.Contains(head, "EXAMPLE DATA") || !strings.Contains(head, "zu prüfen") {
		t.Error("the head of the example does not say that it must be checked")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(base))
	f.Add([]byte(uncommented()))
	// Not the example: the fuzzer would spend its time on making it smaller.
	f.Add([]byte("{\"version\": \"1\", \"local\": {\n\t\"topics\": [{}], \"tenants\": [{\"lines\": [{}]}]}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := Parse("f", data, now)
		var list Errors
		switch {
		case err == nil:
			got, err := Load(Compile(k))
			if err != nil || !reflect.DeepEqual(got, k) {
				t.Errorf("what was parsed cannot be compiled and loaded: %v\n%+v\n%+v", err, got, k)
			}
		case !errors.As(err, &list) || len(list) == 0 || len(list) > document.ProblemsMax:
			t.Errorf("not a list of problems: %v", err)
		case strings.Count(err.Error(), "\n") != len(list)-1:
			t.Errorf("a problem has more than one line: %q", err.Error())
		case !reflect.DeepEqual(k, firmware.Knowledge{}):
			t.Error("half of the file was read")
		}
	})
}
