package library

import (
	"slices"
	"testing"
	"time"

	"freizeichen/firmware"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, firmware.Place())

func example() *Library {
	return New(firmware.Knowledge{
		Tenants: []firmware.Tenant{
			{ID: "kreis", Topics: []string{"b", "a"}, Lines: []firmware.Line{{Number: "0281 2070"}}}, {ID: "moers", Lines: []firmware.Line{{Number: "115"}}},
		},
		Topics:  []firmware.Topic{{ID: "a", Name: "Alpha", Match: []string{"Anfang"}}, {ID: "b", Name: "Beta"}, {ID: "c", Name: "Gamma"}},
		Offices: []firmware.Office{{ID: "amt", Number: "5036", Calendar: "none"}},
		Cards: []firmware.Card{
			{Topic: "a", Source: firmware.Central, Text: []string{"for all"}},
			{Topic: "a", Tenant: "kreis", Source: firmware.Central, Text: []string{"central, of the tenant"}},
			{Topic: "a", Tenant: "kreis", Source: firmware.Local, Text: []string{"own"}},
			{Topic: "a", Tenant: "moers", Source: firmware.Day, Updated: noon.Add(-time.Hour), Expires: noon.Add(time.Hour), Text: []string{"today"}},
			{Topic: "a", Tenant: "kreis", Source: firmware.Day, Updated: noon.Add(time.Hour), Text: []string{"tomorrow"}},
			{Topic: "b", Tenant: "kreis", Expires: noon, Text: []string{"over"}},
		},
		Notices: []firmware.Notice{
			{Text: "to all", From: noon.Add(-time.Hour), Until: noon.Add(time.Hour)},
			{Text: "over", From: noon.Add(-time.Hour), Until: noon},
			{Text: "later", From: noon.Add(time.Minute), Until: noon.Add(time.Hour)},
			{Text: "moers", Tenants: []string{"moers"}, From: noon, Until: noon.Add(time.Hour)},
			{Text: "b", Topics: []string{"b"}, From: noon, Until: noon.Add(time.Hour)},
		},
	})
}

func TestTheTenantsOwnCardGoesBeforeTheCommonOne(t *testing.T) {
	for _, test := range []struct{ tenant, topic, day, lasting string }{
		{"", "a", "", ""}, // nobody's citizen gets nobody's card
		{"kreis", "", "", ""},
		{"kreis", "b", "", ""}, // over
		{"kreis", "a", "", "own"},
		{"moers", "a", "today", "for all"},
		{"xanten", "a", "", "for all"},
		{"xanten", "c", "", ""},
	} {
		day, lasting := example().CardsFor(test.tenant, test.topic, noon)
		text := func(c *firmware.Card) string {
			if c == nil {
				return ""
			}
			return c.Text[0]
		}
		if text(day) != test.day || text(lasting) != test.lasting {
			t.Errorf("tenant %q topic %q: day %q lasting %q", test.tenant, test.topic, text(day), text(lasting))
		}
	}
}

func TestNewsAreShownInTheirTimeToThoseWhomTheyConcern(t *testing.T) {
	for _, test := range []struct {
		tenant, topic string
		want          []string
	}{
		{"", "", []string{"to all", "moers", "b"}},
		{"kreis", "a", []string{"to all"}},
		{"kreis", "b", []string{"to all", "b"}},
		{"moers", "a", []string{"to all", "moers"}},
	} {
		if got := example().NoticesFor(test.tenant, test.topic, noon); !slices.Equal(got, test.want) {
			t.Errorf("tenant %q topic %q: %q", test.tenant, test.topic, got)
		}
	}
}

func TestNumbersAndTopicsAreFoundHoweverTheyAreWritten(t *testing.T) {
	l := example()
	for number, want := range map[string]string{
		"02812070": "kreis", "0281/2070": "kreis", "+492812070": "kreis", "+49 281 2070": "kreis", "00492812070": "kreis", "115": "moers",
		"": "", "2070": "", "+492815": "", "1150": "", "anonymous": "",
	} {
		got := ""
		if at := l.Called(number); at.Tenant != nil {
			got = at.Tenant.ID
		}
		if got != want {
			t.Errorf("%q is %q", number, got)
		}
	}
	for text, want := range map[string]string{"Alpha": "a", " alpha ": "a", "ANFANG": "a", "a": "a", "": "", "Delta": ""} {
		if got := l.Topic(text); got != want {
			t.Errorf("%q is %q", text, got)
		}
	}
	if got := l.Favourites("kreis", map[string]int{"c": 2, "a": 1}); !slices.Equal(got, []string{"c", "a", "b"}) {
		t.Errorf("favourites %q", got)
	}
	if o, open, _ := l.Open("amt", noon); o == nil || !open {
		t.Error("an office without hours counts as closed")
	}
	if o, _, _ := l.Open("", noon); o != nil {
		t.Error("no office is some office")
	}
}
