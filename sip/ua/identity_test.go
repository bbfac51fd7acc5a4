package ua

import (
	"strings"
	"testing"
	"unicode/utf8"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
)

// incomingWith lets a call come in whose From and To are replaced.
func incomingWith(t *testing.T, from, to string, lines ...string) sip.Incoming {
	t.Helper()
	p := newPhone(t)
	text := (&callerOf{phone: p, callID: "x", cseq: 1}).request("INVITE", 1, body(), lines...)
	if from != "" {
		text = strings.Replace(text, `"Erika Müller" <sip:+4928415551234@pbx.example>`, from, 1)
	}
	if to != "" {
		text = strings.Replace(text, "To: <sip:201@pbx.example>", "To: "+to, 1)
	}
	p.Receive(text)
	if len(p.events) != 1 {
		t.Fatalf("events %v", p.events)
	}
	return p.events[0].(sip.Incoming)
}

func TestTheCallerIsWhomTheExchangeVouchesFor(t *testing.T) {
	for _, c := range []struct {
		from  string
		lines []string
		want  sip.Party
	}{
		{"", []string{"Privacy: id"}, sip.Party{}},
		{"", []string{"Privacy: none", "P-Asserted-Identity: <sip:1@pbx>"}, sip.Party{Number: "1"}},
		{"", []string{"Privacy: critical; ID", "P-Asserted-Identity: <sip:1@pbx>"}, sip.Party{}},
		{`"Anonymous" <sip:anonymous@anonymous.invalid>`, nil, sip.Party{}},
		{`"Anonymous" <sip:anonymous@anonymous.invalid>`, []string{`P-Asserted-Identity: "Ada" <sip:202@pbx>`},
			sip.Party{Name: "Ada", Number: "202"}},
		{"", nil, sip.Party{Name: "Erika Müller", Number: "+4928415551234"}},
		{"", []string{`P-Asserted-Identity: "Ada" <sip:202@pbx>, <tel:+49-2841-202>`}, sip.Party{Name: "Ada", Number: "202"}},
		{"", []string{"P-Asserted-Identity: nonsense"}, sip.Party{Name: "Erika Müller", Number: "+4928415551234"}},
		{`"a\"b\\c` + "\xff" + `" <sip:%2a1@pbx>`, nil, sip.Party{Name: "a\"b\\c\ufffd", Number: "*1"}},
		{`"201" <sip:201@pbx>`, nil, sip.Party{Number: "201"}},
		{`"` + strings.Repeat("ü", 500) + `" <sip:1@pbx>`, nil, sip.Party{Name: strings.Repeat("ü", 128), Number: "1"}},
	} {
		if got := incomingWith(t, c.from, "", c.lines...); got.From != c.want {
			t.Errorf("From %q %q: %+v, want %+v", c.from, c.lines, got.From, c.want)
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
		if got := incomingWith(t, "", c.to, c.lines...); got.Called.Number != c.want {
			t.Errorf("%q %q: called %+v, want %s", c.to, c.lines, got.Called, c.want)
		}
	}
}

func TestTheOrderOfPlacesIsConfigured(t *testing.T) {
	p := newPhone(t, func(c *Config) { c.CalledFrom = []string{"to", "diversion", "no-such-place"} })
	text := (&callerOf{phone: p, callID: "x", cseq: 1}).request("INVITE", 1, body(), "Diversion: <sip:1@pbx>")
	p.Receive(strings.Replace(text, "To: <sip:201@pbx.example>", "To: <sip:2@pbx.example>", 1))
	if got := p.events[0].(sip.Incoming).Called.Number; got != "2" {
		t.Errorf("called %s", got)
	}
}

func TestATopicMayBeWrittenShortAndMustBeClean(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"S: Elterngeld", "Elterngeld"},
		{"Subject:   Zulassung\tund \x07Führerschein ", "Zulassung und Führerschein"},
		{"Subject: \xff", "\ufffd"},
	} {
		if got := incomingWith(t, "", "", c.line).Topic; got != c.want {
			t.Errorf("%q: topic %q, want %q", c.line, got, c.want)
		}
	}
}

func FuzzIncoming(f *testing.F) {
	f.Add(`"Erika" <sip:1@pbx>`, `<sip:115@pbx>;reason=x`, "Zulassung", "id", "SIP;cause=200")
	f.Add(`tel:+49`, `"\`, "\x00\xff", "", `Q.850;cause="26"`)
	agent := New(Config{Account: sip.Account{User: "201"}}, nil, nil, nil)
	f.Fuzz(func(t *testing.T, identity, diversion, subject, privacy, reason string) {
		invite := sipgo.NewRequest(sipgo.INVITE, sipgo.Uri{User: "201"})
		for name, value := range map[string]string{"P-Asserted-Identity": identity, "From": identity, "Diversion": diversion,
			"History-Info": diversion, "Subject": subject, "Privacy": privacy, "Reason": reason, "Session-Expires": reason} {
			invite.AppendHeader(sipgo.NewHeader(name, value))
		}
		from, called := caller(invite), agent.called(invite)
		for _, text := range []string{from.Name, from.Number, called.Name, called.Number, topic(invite)} {
			if !utf8.ValidString(text) || utf8.RuneCountInString(text) > textMax || strings.ContainsAny(text, "\r\n\x00") {
				t.Errorf("%q is not fit for a panel", text)
			}
		}
		causeOfBye(invite)
		causeOfCancel(invite)
		if interval, _ := sessionExpires(invite); interval < 0 || interval > intervalMax {
			t.Errorf("session interval %v", interval)
		}
		if user, ok := userPart(subject); ok && strings.ContainsAny(user, "\r\n <>\"@;?") {
			t.Errorf("%q became %q", subject, user)
		}
		infoDigit("application/dtmf-relay", subject)
		fragmentStatus([]byte(subject))
	})
}
