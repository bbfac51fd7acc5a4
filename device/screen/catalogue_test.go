package screen

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"freizeichen/device/phone"
	"freizeichen/device/screen/font"
	"freizeichen/hal"
	"freizeichen/sip"
)

// constants counts the constants of a type that file declares, so that a new one without words is found.
func constants(t *testing.T, file, typeName string) int {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, declaration := range parsed.Decls {
		block, ok := declaration.(*ast.GenDecl)
		if !ok || block.Tok != token.CONST {
			continue
		}
		if first, ok := block.Specs[0].(*ast.ValueSpec).Type.(*ast.Ident); ok && first.Name == typeName {
			count += len(block.Specs)
		}
	}
	return count
}

func TestEveryWordOfTheNetworkAndThePhoneHasATextInEveryLanguage(t *testing.T) {
	const network, view, body = "../../sip/sip.go", "../phone/view.go", "../../hal/hal.go"
	for l := range languageCount {
		c := l.catalogue()
		for _, group := range []struct {
			name  string
			texts []string
			want  int
		}{
			{"sip.Cause", c.causes[:], constants(t, network, "Cause")},
			{"phone.CallState", c.states[:], constants(t, view, "CallState")},
			{"phone.Registration", column(c.registrations[:]), constants(t, view, "Registration")},
			{"phone.ListKind", column(c.lists[:]), constants(t, view, "ListKind")},
			{"phone.Soft", column(c.softs[1:]), constants(t, view, "Soft") - 3}, // without SoftNone, SoftDesk and SoftCount
			{"hal.Route", c.routes[:], constants(t, body, "Route")},
			{"word", c.words[:], int(wordCount)},
			{"weekday", c.weekdays[:], 7},
			{"month", c.months[:], 12},
		} {
			if len(group.texts) != group.want || group.want <= 0 {
				t.Errorf("%s: %d texts for %d values of %s", l, len(group.texts), group.want, group.name)
			}
			for i, text := range group.texts {
				if text == "" || text != font.Clean(text) {
					t.Errorf("%s: %s %d is %q", l, group.name, i, text)
				}
			}
		}
	}
}

// column is the first field of every struct, or "" when any of its fields is "".
func column[T any](rows []T) []string {
	var texts []string
	for _, row := range rows {
		value, text := reflect.ValueOf(row), ""
		for i := range value.NumField() {
			if value.Field(i).String() == "" {
				text = ""
				break
			}
			text = value.Field(0).String()
		}
		texts = append(texts, text)
	}
	return texts
}

func TestEveryKeyLampAndBlinkHasANameInEveryLanguage(t *testing.T) {
	var ids []string
	for k := range hal.KeyCount {
		ids = append(ids, "key-"+k.String())
	}
	for l := range hal.LampCount {
		ids = append(ids, "lamp-"+l.String())
	}
	for b := range hal.BlinkCount {
		ids = append(ids, "blink-"+b.String())
	}
	for l := range languageCount {
		for _, id := range ids {
			if text := Label(l, id); text == id || text == "" {
				t.Errorf("%s: %s has no name", l, id)
			}
		}
	}
	if got := Label(German, "nonsense"); got != "nonsense" {
		t.Errorf("an unknown label is %q, not its id", got)
	}
}

func TestAllLanguagesHaveTheSameLabelsAndPlaces(t *testing.T) {
	ids := slices.Sorted(maps.Keys(german.labels))
	if other := slices.Sorted(maps.Keys(english.labels)); !slices.Equal(ids, other) {
		t.Errorf("German labels are\n%v, English ones\n%v", ids, other)
	}
	places := regexp.MustCompile(`\{\w+\}|%[^ ]`)
	same := func(what, a, b string) {
		t.Helper()
		inA, inB := places.FindAllString(a, -1), places.FindAllString(b, -1)
		if slices.Sort(inA); !slices.Equal(inA, slices.Sorted(slices.Values(inB))) {
			t.Errorf("%s: %q and %q have different places", what, a, b)
		}
	}
	for _, id := range ids {
		same(id, german.labels[id], english.labels[id])
	}
	for i := range german.words {
		same("word", german.words[i], english.words[i])
	}
}

func TestLabelsFitTheirBoxes(t *testing.T) {
	for l := range languageCount {
		c := l.catalogue()
		fits := func(text string, face font.Face, width int) {
			t.Helper()
			if got := face.Width(text); got > width {
				t.Errorf("%s: %q is %d pixels wide, its place %d", l, text, got, width)
			}
		}
		for _, soft := range c.softs {
			fits(soft.Short, font.Face5x8, monoSoftWidth-2)
			fits(soft.Medium, font.Face6x12, colourSoftWidth-4)
		}
		for _, cause := range c.causes {
			first, second := font.Face6x12.Wrap(cause, monoWidth-2)
			fits(first, font.Face6x12, monoWidth-2)
			if strings.HasSuffix(second, "…") {
				t.Errorf("%s: %q does not fit on two lines", l, cause)
			}
		}
		for _, cause := range []sip.Cause{sip.Unreachable, sip.WrongPassword, sip.UnknownAccount, sip.ServerError, sip.AddressInUse, sip.LocalFault} {
			fits(c.causes[cause], font.Face6x12, monoWidth) // why it is not registered
		}
		for _, registration := range c.registrations {
			fits(registration.short, font.Face6x12, monoWidth-4)
			fits(registration.headline, font.Face8x16, colourWidth-colourMargin-44)
		}
		const stateWidth = monoWidth - 1 - iconSize - 4 - 3
		for state, text := range c.states {
			if phone.CallState(state) == phone.RingingIn {
				fits(text, font.Face6x12, monoWidth-1) // it has a line of its own
				continue
			}
			fits(text, font.Face6x12, stateWidth-font.Face6x12.Width("59:59"))
		}
		for _, text := range c.consulting {
			fits(text, font.Face5x8, monoWidth-6) // always beside the call it is for
		}
		fits(c.words[wordMuted], font.Face6x12, stateWidth-font.Face6x12.Width("1:02:03"))
		fits(c.states[phone.Talking]+dot+c.words[wordMuted], font.Face8x16, colourWidth-2*colourMargin-26-8-font.Face8x16.Width("1:02:03"))
		for _, list := range c.lists {
			fits(list.title+" "+wording{catalogue: c}.word(wordOf, 88, 88), font.Face5x8, monoWidth-4)
			fits(list.empty, font.Face6x12, monoWidth)
		}
	}
}

func TestALanguageIsFoundByItsTag(t *testing.T) {
	for _, c := range []struct {
		tag  string
		want Language
		ok   bool
	}{{"", German, false}, {"fr", German, false}, {"de", German, true}, {"de-DE", German, true}, {"EN-gb", English, true}} {
		if got, ok := ParseLanguage(c.tag); got != c.want || ok != c.ok {
			t.Errorf("%q is %v, %v", c.tag, got, ok)
		}
	}
}

func TestWhatTheCatalogueDoesNotKnowHasAText(t *testing.T) {
	if got := german.cause(250); got != german.cause(sip.CauseNone) {
		t.Errorf("an unknown cause is %q", got)
	}
	if got := german.soft(phone.SoftCount + 7); got != (softWords{}) {
		t.Errorf("an unknown soft key is %q", got)
	}
	if got := Language(99).String(); got != "de" {
		t.Errorf("an unknown language speaks %q", got)
	}
}
