package speech

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var verbs = regexp.MustCompile(`%[a-z]`)

func TestEveryTextStandsInEveryLanguage(t *testing.T) {
	for key, texts := range words {
		for i, text := range texts {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s is empty in %s", key, Languages[i])
			}
		}
		if a, b := verbs.FindAllString(texts[0], -1), verbs.FindAllString(texts[1], -1); strings.Join(a, "") != strings.Join(b, "") {
			t.Errorf("%s has %v and %v to fill", key, a, b)
		}
	}
}

// Texts are named in templates and in the page's sources; some keys are put together.
func TestEveryTextIsSaidSomewhere(t *testing.T) {
	var all strings.Builder
	for _, pattern := range []string{"../assets/*.html", "../*.go", "*.go"} {
		names, _ := filepath.Glob(pattern)
		for _, name := range names {
			if name == "words.go" || strings.HasSuffix(name, "_test.go") {
				continue
			}
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(data)
		}
	}
	for key := range words {
		stem := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(key, "-one"), "-many"), "-never")
		if strings.HasPrefix(key, "formula-") {
			stem = "formula-"
		}
		if !strings.Contains(all.String(), `"`+stem+`"`) {
			t.Errorf("nobody says %s", key)
		}
	}
	for _, found := range regexp.MustCompile(`\{\{-?(?:if|else if)? ?t "([^"]+)"`).FindAllStringSubmatch(all.String(), -1) {
		if _, ok := words[found[1]]; !ok {
			t.Errorf("there is no text %s", found[1])
		}
	}
}

func TestThePreferredLanguage(t *testing.T) {
	for field, want := range map[string]string{
		"": "de", "*": "de", "fr": "de", "en": "en", "EN-us": "en", "de-AT, en": "de", "en;q=0.3, de;q=0.9": "de", "fr, en;q=0.4, de;q=0.2": "en",
		"en;q=x": "de", "en;q=0": "de", "en;q=7": "de", "en;q=NaN": "de", ";;,,q=": "de", strings.Repeat("fr,", 1000) + "en": "de",
	} {
		if got := Preferred(field); got != want {
			t.Errorf("%.40q prefers %s, want %s", field, got, want)
		}
	}
}

func FuzzPreferred(f *testing.F) {
	f.Add("en-GB,en;q=0.9,de;q=0.8")
	f.Fuzz(func(t *testing.T, field string) {
		if got := Preferred(field); got != "de" && got != "en" {
			t.Errorf("%q", got)
		}
	})
}

func TestTimesAreSaidByTheClockOfThePlace(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	german, english := Speech{"de", berlin}, Speech{"en", berlin}
	now := time.Date(2026, 11, 27, 22, 30, 0, 0, time.UTC) // Friday 23:30
	for _, test := range []struct{ got, want string }{
		{german.Moment(now, now.Add(29*time.Minute)), "23:59"},
		{german.Moment(now, now.Add(30*time.Minute)), "Sa 28.11. 00:00"},
		{english.Moment(now, now.Add(30*time.Minute)), "Sat 28 Nov 00:00"},
		{german.Moment(now, now.AddDate(1, 0, 0)), "Sa 27.11. 23:30"},
		{german.Percent(78), "78\u00a0%"}, {english.Percent(78), "78%"},
		{Waited(-time.Second), "0:00"}, {Waited(59*time.Second + 999*time.Millisecond), "0:59"}, {Waited(time.Hour + 2*time.Minute + 3*time.Second), "1:02:03"},
		{german.Count("overdue", 1), "1 überfällig"}, {english.Count("overdue", 2), "2 overdue"},
	} {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
	if _, err := german.Text("no such text"); err == nil {
		t.Error("a text that is not there is no error")
	}
}
