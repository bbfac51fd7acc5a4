package header

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSplitLeavesQuotedAndBracketedSeparatorsAlone(t *testing.T) {
	for _, c := range []struct {
		in        string
		separator byte
		want      []string
	}{
		{"", ',', nil},
		{" , ,", ',', nil},
		{`"a\",b", <sip:a,b@c>, d`, ',', []string{`"a\",b"`, "<sip:a,b@c>", "d"}},
		{`1800;refresher=uac`, ';', []string{"1800", "refresher=uac"}},
		{`"never closed, x`, ',', []string{`"never closed, x`}},
		{`"ends in \`, ',', []string{`"ends in \`}},
	} {
		if got := Split(c.in, c.separator); !reflect.DeepEqual(got, c.want) {
			t.Errorf("Split(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestFieldReadsParametersWhateverTheirCase(t *testing.T) {
	value, params := Field(`SIP ; Cause=200 ;text="Call completed; \"elsewhere\""`)
	want := Params{"cause": "200", "text": `Call completed; "elsewhere"`}
	if value != "SIP" || !reflect.DeepEqual(params, want) {
		t.Errorf("got %q %v", value, params)
	}
	if value, params := Field(";a=b"); value != "" || params["a"] != "b" {
		t.Errorf("a field without value: %q %v", value, params)
	}
}

func TestAddressesReadsListsOfAllForms(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"nonsense", ""},
		{"<sip:a@b", ""},
		{`"Erika, \"M\" Müller" <sip:+4928415551234@pbx:5060;user=phone>;x=y`, `Erika, "M" Müller|+4928415551234|pbx`},
		{`sip:201@pbx;tag=1`, "|201|pbx"},
		{`Ada <sips:%61da:secret@[2001:db8::1]:5061>`, "Ada|ada|[2001:db8::1]"},
		{`<tel:+49-2841-(20)20;phone-context=x>`, "|+4928412020|"},
		{`<mailto:a@b>`, "||"},
		{`<sip:pbx>`, "||pbx"},
		{`"A" <sip:1@a>, "B" <sip:2@b?Subject=x>`, "A|1|a B|2|b"},
	} {
		var got []string
		for _, a := range Addresses(c.in) {
			got = append(got, a.Name+"|"+a.User()+"|"+a.Host())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q: %q, want %q", c.in, strings.Join(got, " "), c.want)
		}
	}
}

func TestTextIsCleanAndBounded(t *testing.T) {
	for _, c := range []struct {
		in    string
		runes int
		want  string
	}{
		{"a\r\nEvil: 1", 0, "a Evil: 1"},
		{"bad \xff byte", 0, "bad \ufffd byte"},
		{"  Zulassung \t und\x00 Führerschein ", 0, "Zulassung und Führerschein"},
		{"turned \u202eround", 0, "turned round"},
		{"Führerschein", 3, "Füh"},
	} {
		if got := Text(c.in, c.runes); got != c.want {
			t.Errorf("Text(%q, %d) = %q, want %q", c.in, c.runes, got, c.want)
		}
	}
}

func TestEscapeCannotBreakOutOfAQuotedString(t *testing.T) {
	got := Escape("a\"b\\c\r\nd")
	if got != `a\"b\\c d` || Unescape(got) != `a"b\c d` {
		t.Errorf("got %q", got)
	}
}

func FuzzAddresses(f *testing.F) {
	for _, seed := range []string{`"Erika \"M\"" <sip:a@b;x>;y="z", tel:1`, `<<>>,"`, `\`, `";;=`, "sip:%zz@\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, a := range Addresses(s) {
			_, _ = a.User(), a.Host()
			name := Text(a.Name, 128)
			if !utf8.ValidString(name) || utf8.RuneCountInString(name) > 128 || strings.ContainsAny(name, "\r\n\x00") {
				t.Errorf("%q: name %q is not fit for a panel", s, name)
			}
		}
		value, _ := Field(s)
		if len(value) > len(s) {
			t.Errorf("%q: value %q is longer than its source", s, value)
		}
		if e := Escape(s); strings.ContainsAny(e, "\r\n") {
			t.Errorf("%q: escaped %q has a line end", s, e)
		}
	})
}
