package identity

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
)

// call is an INVITE whose From and To are replaced; "" leaves them as they are.
func call(t *testing.T, from, to string, lines ...string) *sipgo.Request {
	t.Helper()
	if from == "" {
		from = `"Erika Müller" <sip:+4928415551234@pbx.example>`
	}
	if to == "" {
		to = "<sip:201@pbx.example>"
	}
	head := append([]string{"INVITE sip:201@192.0.2.9 SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1", "From: " + from + ";tag=x",
		"To: " + to, "Call-ID: 1", "CSeq: 1 INVITE"}, lines...)
	message, err := sipgo.ParseMessage([]byte(strings.Join(head, "\r\n") + "\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	return message.(*sipgo.Request)
}

func TestTheCallerIsWhomTheExchangeVouchesFor(t *testing.T) {
	for _, c := range []struct {
		from  string
		lines []string
		want  sip.Party
	}{
		{"", []string{"Privacy: id"}, sip.Party{Number: "anonymous"}},
		{"", []string{"Privacy: none", "P-Asserted-Identity: <sip:1@pbx>"}, sip.Party{Number: "1"}},
		{"", []string{"Privacy: critical; ID", "P-Asserted-Identity: <sip:1@pbx>"}, sip.Party{Number: "anonymous"}},
		{`"Anonymous" <sip:anonymous@anonymous.invalid>`, nil, sip.Party{Number: "anonymous"}},
		{`<sip:Anonymous@pbx>`, []string{`P-Asserted-Identity: <sip:anonymous@anonymous.invalid>`}, sip.Party{Number: "anonymous"}},
		{`"Ada" <sip:x7@anonymous.invalid>`, nil, sip.Party{Number: "anonymous"}},
		{`"Anonymous" <sip:pbx.example>`, nil, sip.Party{Name: "Anonymous"}},
		{`"Anonymous" <sip:anonymous@anonymous.invalid>`, []string{`P-Asserted-Identity: "Ada" <sip:202@pbx>`},
			sip.Party{Name: "Ada", Number: "202"}},
		{"", nil, sip.Party{Name: "Erika Müller", Number: "+4928415551234"}},
		{"", []string{`P-Asserted-Identity: "Ada" <sip:202@pbx>, <tel:+49-2841-202>`}, sip.Party{Name: "Ada", Number: "202"}},
		{"", []string{"P-Asserted-Identity: nonsense"}, sip.Party{Name: "Erika Müller", Number: "+4928415551234"}},
		{`"a\"b\\c` + "\xff" + `" <sip:%2a1@pbx>`, nil, sip.Party{Name: "a\"b\\c\ufffd", Number: "*1"}},
		{`"201" <sip:201@pbx>`, nil, sip.Party{Number: "201"}},
		{`"` + strings.Repeat("ü", 500) + `" <sip:1@pbx>`, nil, sip.Party{Name: strings.Repeat("ü", 128), Number: "1"}},
	} {
		if got := Caller(call(t, c.from, "", c.lines...)); got != c.want {
			t.Errorf("From %q %q: %+v, want %+v", c.from, c.lines, got, c.want)
		}
	}
}

func TestTheNumberThatTheCitizenDialled(t *testing.T) {
	for _, c := range []struct {
		to    string
		lines []string
		want  string
	}{
		{"", nil, ""},
		{"<sip:115@pbx.example>", nil, "115"},
		{"<sip:115@pbx.example>", []string{"P-Called-Party-ID: <sip:02841-2020@pbx>"}, "02841-2020"},
		{"", []string{"P-Called-Party-ID: <sip:201@pbx>"}, ""},
		{"", []string{`History-Info: <sip:02812070@pbx>;index=1, <sip:201@pbx?Reason=SIP%3Bcause%3D302>;index=1.1`}, "02812070"},
		{"", []string{`History-Info: <sip:201@pbx>;index=1`, `History-Info: <sip:115@pbx>;index=1.1`}, "115"},
		{"", []string{"Diversion: <sip:202@pbx>;reason=unconditional", "Diversion: <sip:02812070@pbx>;reason=unconditional",
			"History-Info: <sip:115@pbx>;index=1"}, "02812070"},
		{"", []string{"Diversion: <sip:anonymous@anonymous.invalid>"}, ""},
	} {
		if got := Called(call(t, "", c.to, c.lines...), Places(), "201", "contact"); got.Number != c.want {
			t.Errorf("%q %q: called %+v, want %s", c.to, c.lines, got, c.want)
		}
	}
}

func TestTheFirstPlaceThatHasANumberWins(t *testing.T) {
	invite := call(t, "", "<sip:2@pbx.example>", "Diversion: <sip:1@pbx>")
	for want, places := range map[string][]string{"2": {"to", "diversion"}, "1": {"no-such-place", "diversion", "to"}, "": {}} {
		if got := Called(invite, places).Number; got != want {
			t.Errorf("%q: called %q, want %q", places, got, want)
		}
	}
}

func TestATopicMayBeWrittenShortAndMustBeClean(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"S: Elterngeld", "Elterngeld"},
		{"Subject:   Zulassung\tund \x07Führerschein ", "Zulassung und Führerschein"},
		{"Subject: \xff", "\ufffd"},
	} {
		if got := Topic(call(t, "", "", c.line)); got != c.want {
			t.Errorf("%q: topic %q, want %q", c.line, got, c.want)
		}
	}
}

func TestAQueueSaysHowLongTheCallerHasWaited(t *testing.T) {
	for _, c := range []struct {
		lines  []string
		queue  string
		waited time.Duration
	}{
		{nil, "", 0},
		{[]string{"X-CC-Queue: kw-zulassung", "X-CC-Wait: 17"}, "kw-zulassung", 17 * time.Second},
		{[]string{"X-CC-Queue: kw", "X-CC-Wait: -1"}, "kw", 0},
		{[]string{"X-CC-Queue: kw", "X-CC-Wait: 99999999"}, "kw", 0},
		{[]string{"X-CC-Queue: kw", "X-CC-Wait: soon"}, "kw", 0},
		{[]string{"X-CC-Queue: k\x07w"}, "kw", 0},
	} {
		if queue, waited := Queue(call(t, "", "", c.lines...)); queue != c.queue || waited != c.waited {
			t.Errorf("%q: queue %q, waited %v", c.lines, queue, waited)
		}
	}
}

func FuzzIdentity(f *testing.F) {
	f.Add(`"Erika" <sip:1@pbx>`, `<sip:115@pbx>;reason=x`, "Zulassung", "id")
	f.Add(`tel:+49`, `"\`, "\x00\xff", "")
	f.Fuzz(func(t *testing.T, identity, diversion, subject, privacy string) {
		invite := sipgo.NewRequest(sipgo.INVITE, sipgo.Uri{User: "201"})
		for name, value := range map[string]string{"P-Asserted-Identity": identity, "From": identity, "Diversion": diversion,
			"History-Info": diversion, "Subject": subject, "Privacy": privacy} {
			invite.AppendHeader(sipgo.NewHeader(name, value))
		}
		from, called := Caller(invite), Called(invite, Places(), "201")
		for _, text := range []string{from.Name, from.Number, called.Name, called.Number, Topic(invite)} {
			if !utf8.ValidString(text) || utf8.RuneCountInString(text) > textMax || strings.ContainsAny(text, "\r\n\x00") {
				t.Errorf("%q is not fit for a panel", text)
			}
		}
	})
}
