package document

import (
	"errors"
	"strings"
	"testing"
)

type pair struct {
	At    Position
	Name  Scalar   `key:"name" must:"yes"`
	Words []Scalar `key:"words" most:"3" must:"yes"`
	Other []Scalar `key:"other"`
}

func limits() Limits { return Limits{Size: 1000, List: 2, Kind: "pair", Part: "word"} }

func TestWhatTheTagsDemandIsDemanded(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"good", "name: a\nwords: [1, 2, 3]\nother: [1, 2]\n", ""},
		{"empty", "", "f: is empty: it holds no word"},
		{"too large", strings.Repeat("#\n", 501), "f: is larger than 0 KiB: that is no pair"},
		{"missing", "other: [1]\n", "f:1:1: name is missing\nf:1:1: words is missing"},
		{"no value", "name:\nwords: []\n", "f:1:1: name has no value\nf:2:8: words must not be empty"},
		{"too many by its own tag", "name: a\nwords: [1, 2, 3, 4]\n", "f:2:8: words has 4 entries, at most 3 are allowed"},
		{"too many by the limit of all", "name: a\nwords: [1]\nother: [1, 2, 3]\n", "f:3:8: other has 3 entries, at most 2 are allowed"},
		{"a colon", "name: a\nwords:\n  - a: b\n", "f:3:5: words[0] must be one value, but is a group of keys; put a text that holds a colon in quotes"},
	} {
		var mirror pair
		found, _ := Read("f", []byte(test.text), limits(), &mirror)
		got := ""
		if err := found.Err(); err != nil {
			got = err.Error()
			if list := (Errors)(nil); !errors.As(err, &list) {
				t.Errorf("%s: %T", test.name, err)
			}
		}
		if got != test.want {
			t.Errorf("%s: got\n%s\nwant\n%s", test.name, got, test.want)
		}
	}
}

func TestAValueKeepsItsTextAndItsPlace(t *testing.T) {
	var mirror pair
	found, bound := Read("f", []byte("# head\nname: 0281\nwords: [\"ä\"]\n"), limits(), &mirror)
	if !bound || found.Err() != nil {
		t.Fatal(found.Err())
	}
	if want := (Scalar{Text: "0281", Path: "name", At: Position{2, 7}, Set: true}); mirror.Name != want {
		t.Errorf("got %+v", mirror.Name)
	}
	if want := (Scalar{Text: "ä", Path: "words[0]", At: Position{3, 9}, Set: true}); len(mirror.Words) != 1 || mirror.Words[0] != want {
		t.Errorf("got %+v", mirror.Words)
	}
	if mirror.At != (Position{2, 1}) || mirror.Other != nil {
		t.Errorf("got %+v", mirror)
	}
}

func TestTheNearestWordIsGuessedWhereItIsNear(t *testing.T) {
	among := []string{"zulassung", "wohngeld", "wohngelt", "pass", "jagd"}
	for word, want := range map[string]string{
		"zulasung": "zulassung", "zluassung": "zulassung", "zulassungen": "zulassung", "wohngel": "wohngeld", "wohngelb": "wohngeld",
		"wohn": "", "anders": "", "": "", "ja": "", "pas": "pass", "jadg": "jagd",
	} {
		if got := Nearest(word, among); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
	if Nearest("x", nil) != "" {
		t.Error("a word out of nothing")
	}
}
