package header

import (
	"strings"
	"testing"
)

func TestReplacesIsReadFromAHeaderField(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Replaces
		ok   bool
	}{
		{"", Replaces{}, false},
		{"a@b", Replaces{CallID: "a@b"}, false},
		{"a@b;to-tag=1", Replaces{CallID: "a@b", ToTag: "1"}, false},
		{"a@b;from-tag=1", Replaces{CallID: "a@b", FromTag: "1"}, false},
		{";to-tag=1;from-tag=2", Replaces{ToTag: "1", FromTag: "2"}, false},
		{"a, b;to-tag=1;from-tag=2", Replaces{CallID: "a, b", ToTag: "1", FromTag: "2"}, false},
		// RFC 3891 section 6.1 has these.
		{"98732@sip.example.com\n   ;from-tag=r33th4x0r\n   ;to-tag=ff87ff", Replaces{"98732@sip.example.com", "ff87ff", "r33th4x0r"}, true},
		{"12adf2f34456gs5;to-tag=12345;from-tag=54321;early-only", Replaces{"12adf2f34456gs5", "12345", "54321"}, true},
		{`a"<b;To-Tag=1;FROM-TAG=2`, Replaces{`a"<b`, "1", "2"}, true},
	} {
		if got, ok := ParseReplaces(c.in); got != c.want || ok != c.ok {
			t.Errorf("%q: %+v %t, want %+v %t", c.in, got, ok, c.want, c.ok)
		}
	}
}

func TestReplacesIsReadFromTheHeaderPartOfAURI(t *testing.T) {
	// RFC 3891 section 4's example, as RFC 5589 section 7.3 puts it into Refer-To.
	r := Replaces{"425928@bobster.example.org", "7743", "6472"}
	const uri = "sip:bob@x.example.org?Replaces=425928%40bobster.example.org%3Bto-tag%3D7743%3Bfrom-tag%3D6472"
	if got := r.Within("sip:bob@x.example.org"); got != uri {
		t.Errorf("written %s", got)
	}
	for _, c := range []struct {
		in      string
		has, ok bool
	}{
		{"sip:bob@x.example.org", false, false},
		{"sip:bob@x.example.org?Subject=Replaces", false, false},
		{"sip:bob@x?Replaces=%zz", true, false},
		{"sip:bob@x?Replaces=a", true, false},
		{uri + "&replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2", true, false},
		{uri, true, true},
		{strings.Replace(uri, "?", "?Require=replaces&", 1), true, true},
		{uri + "&Require=replaces", true, true},
		{strings.Replace(uri, "Replaces", "rEPLACES", 1), true, true},
	} {
		got, ok := ReplacesOf(c.in)
		if ok != c.ok || ok && got != r || HasReplaces(c.in) != c.has {
			t.Errorf("%s: %+v %t %t", c.in, got, ok, HasReplaces(c.in))
		}
	}
}

func FuzzReplaces(f *testing.F) {
	f.Add("sip:a@b?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2")
	f.Add("x?replaces=%22%3Bto-tag=%22;%22")
	f.Fuzz(func(t *testing.T, uri string) {
		r, ok := ReplacesOf(uri)
		if ok != (r != Replaces{}) {
			t.Fatalf("%+v %t", r, ok)
		}
		if !ok || strings.ContainsAny(r.ToTag+r.FromTag, "\";=\\<> \t\r\n") {
			return
		}
		if again, ok := ReplacesOf(r.Within("sip:a@b")); !ok || again != r {
			t.Fatalf("%+v became %+v", r, again)
		}
	})
}
