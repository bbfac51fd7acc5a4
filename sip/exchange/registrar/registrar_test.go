package registrar

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

var nineOClock = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time {
	return nineOClock.Add(time.Duration(seconds * float64(time.Second)))
}

// parse reads a request written as lines; From, To, Call-ID and Via are added.
func parse(t *testing.T, startLine string, lines ...string) *sip.Request {
	t.Helper()
	text := startLine + " SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\nFrom: <sip:201@pbx>;tag=1\r\nTo: <sip:201@pbx>\r\nCall-ID: reg@192.0.2.1\r\n"
	if !strings.Contains(strings.Join(lines, "\n"), "CSeq:") {
		text += "CSeq: 1 " + strings.Fields(startLine)[0] + "\r\n"
	}
	text += strings.Join(lines, "\r\n") + "\r\nContent-Length: 0\r\n\r\n"
	m, err := sip.ParseMessage([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	m.SetSource("192.0.2.1:5060")
	return m.(*sip.Request)
}

func newGate() *Gate {
	return NewGate("pbx", []byte("secret"), time.Minute)
}

// answer is what a phone makes of a challenge.
func answer(t *testing.T, challenge, user, password, method string, count int) string {
	t.Helper()
	c, err := digest.ParseChallenge(challenge)
	if err != nil {
		t.Fatal(err)
	}
	given, err := digest.Digest(c, digest.Options{Method: method, URI: "sip:pbx", Username: user, Password: password, Count: count})
	if err != nil {
		t.Fatal(err)
	}
	return given.String()
}

func TestDigestIsRefusedOrGranted(t *testing.T) {
	account := &Account{User: "201", Password: "lab"}
	for _, c := range []struct {
		name string
		make func(g *Gate, challenge string) string
		want Verdict
	}{
		{"nothing", func(*Gate, string) string { return "" }, NoCredentials},
		{"Basic", func(*Gate, string) string { return "Basic MjAxOmxhYg==" }, NoCredentials},
		{"rubbish", func(*Gate, string) string { return `Digest realm="pbx` }, NoCredentials},
		{"another realm", func(_ *Gate, c string) string {
			return strings.Replace(answer(t, c, "201", "lab", "REGISTER", 1), `realm="pbx"`, `realm="other"`, 1)
		}, NoCredentials},
		{"a nonce nobody gave out", func(_ *Gate, c string) string {
			return answer(t, `Digest realm="pbx",nonce="123-1-00",algorithm=MD5,qop="auth"`, "201", "lab", "REGISTER", 1)
		}, NoCredentials},
		{"the wrong password", func(_ *Gate, c string) string { return answer(t, c, "201", "Lab", "REGISTER", 1) }, WrongPassword},
		{"another user", func(_ *Gate, c string) string { return answer(t, c, "202", "lab", "REGISTER", 1) }, WrongPassword},
		{"another method", func(_ *Gate, c string) string { return answer(t, c, "201", "lab", "INVITE", 1) }, WrongPassword},
		{"no qop", func(_ *Gate, c string) string {
			return answer(t, strings.Replace(c, `,qop="auth"`, "", 1), "201", "lab", "REGISTER", 1)
		}, WrongPassword},
		{"the right answer", func(_ *Gate, c string) string { return answer(t, c, "201", "lab", "REGISTER", 1) }, Granted},
	} {
		g := newGate()
		for _, challenge := range g.Challenges(nineOClock, account, false) {
			request := parse(t, "REGISTER sip:pbx", "X-Test: 1")
			if text := c.make(g, challenge); text != "" {
				request.AppendHeader(sip.NewHeader("Authorization", text))
			}
			if got := g.Check(at(1), request, "authorization", account); got != c.want {
				t.Errorf("%s to %q: verdict %d, want %d", c.name, challenge, got, c.want)
			}
			g.counts = map[string]uint64{} // each algorithm starts anew
		}
	}
}

func TestAnAlgorithmTheAccountDoesNotOfferIsRefused(t *testing.T) {
	g := newGate()
	account := &Account{User: "201", Password: "lab", Algorithms: []string{"SHA-256"}}
	all := g.Challenges(nineOClock, account, false)
	if len(all) != 1 || !strings.Contains(all[0], "algorithm=SHA-256,") {
		t.Fatalf("challenges %q", all)
	}
	request := parse(t, "REGISTER sip:pbx", "Authorization: "+answer(t, strings.Replace(all[0], "SHA-256", "MD5", 1), "201", "lab", "REGISTER", 1))
	if got := g.Check(at(1), request, "authorization", account); got != WrongPassword {
		t.Errorf("MD5 instead: verdict %d", got)
	}
}

func TestANonceIsStaleWhenItIsOldOrItsCountWasSeen(t *testing.T) {
	g := newGate()
	account := &Account{User: "201", Password: "lab"}
	challenge := g.Challenges(nineOClock, account, false)[0]
	try := func(seconds float64, count int) Verdict {
		request := parse(t, "REGISTER sip:pbx", "Authorization: "+answer(t, challenge, "201", "lab", "REGISTER", count))
		return g.Check(at(seconds), request, "authorization", account)
	}
	for _, step := range []struct {
		seconds float64
		count   int
		want    Verdict
	}{{1, 1, Granted}, {2, 1, StaleNonce}, {3, 2, Granted}, {4, 5, Granted}, {5, 4, StaleNonce}, {60, 6, Granted}, {61, 7, StaleNonce}} {
		if got := try(step.seconds, step.count); got != step.want {
			t.Errorf("after %v s with nc=%d: verdict %d, want %d", step.seconds, step.count, got, step.want)
		}
	}
	if got := g.Challenges(at(61), account, true)[0]; !strings.HasSuffix(got, ",stale=true") || strings.Contains(got, challenge[20:60]) {
		t.Errorf("challenge %q", got)
	}
}

func TestRegisterKeepsBindings(t *testing.T) {
	for _, c := range []struct {
		name    string
		lines   []string
		refused int
		want    string
	}{
		{"star with time", []string{"Contact: *", "Expires: 60"}, 400, "<sip:old@192.0.2.9> 300"},
		{"star without Expires", []string{"Contact: *"}, 400, "<sip:old@192.0.2.9> 300"},
		{"star beside another", []string{"Contact: *", "Contact: <sip:a@192.0.2.1>", "Expires: 0"}, 400, "<sip:old@192.0.2.9> 300"},
		{"too brief", []string{"Contact: <sip:a@192.0.2.1>;expires=29"}, 423, "<sip:old@192.0.2.9> 300"},
		{"one of two too brief changes nothing", []string{"Contact: <sip:a@192.0.2.1>", "Contact: <sip:b@192.0.2.1>;expires=1"}, 423, "<sip:old@192.0.2.9> 300"},
		{"older CSeq", []string{"Contact: <sip:old@192.0.2.9>", "CSeq: 0 REGISTER"}, 500, "<sip:old@192.0.2.9> 300"},
		{"query", nil, 0, "<sip:old@192.0.2.9> 300"},
		{"a second", []string{"Contact: <sip:a@192.0.2.1>", "Expires: 120"}, 0, "<sip:old@192.0.2.9> 300 <sip:a@192.0.2.1> 120"},
		{"a third ends the first", []string{"Contact: <sip:a@192.0.2.1>, <sip:b@192.0.2.1>", "Expires: 120"}, 0, "<sip:a@192.0.2.1> 120 <sip:b@192.0.2.1> 120"},
		{"refresh", []string{"Contact: <sip:old@192.0.2.9>;expires=400", "CSeq: 2 REGISTER"}, 0, "<sip:old@192.0.2.9> 400"},
		{"without a time", []string{"Contact: <sip:old@192.0.2.9>", "CSeq: 2 REGISTER"}, 0, "<sip:old@192.0.2.9> 600"},
		{"malformed time", []string{"Contact: <sip:old@192.0.2.9>;expires=soon", "CSeq: 2 REGISTER"}, 0, "<sip:old@192.0.2.9> 600"},
		{"too long", []string{"Contact: <sip:old@192.0.2.9>;expires=99999999999", "CSeq: 2 REGISTER"}, 0, "<sip:old@192.0.2.9> 600"},
		{"away", []string{"Contact: <sip:old@192.0.2.9>;expires=0", "CSeq: 2 REGISTER"}, 0, ""},
		{"all away", []string{"Contact: *", "Expires: 0"}, 0, ""},
	} {
		r := New(30*time.Second, 10*time.Minute, time.Minute)
		account := &Account{User: "201", Contacts: 2}
		if err := r.Register(nineOClock, parse(t, "REGISTER sip:pbx", "Contact: <sip:old@192.0.2.9>;expires=300"), account); err != nil {
			t.Fatal(err)
		}
		err := r.Register(nineOClock, parse(t, "REGISTER sip:pbx", append(c.lines, "X-Test: 1")...), account)
		var refused Refusal
		if errors.As(err, &refused); int(refused) != c.refused {
			t.Errorf("%s: %v, want status %d", c.name, err, c.refused)
		}
		var got []string
		for _, h := range r.Contacts(nineOClock, "201") {
			contact := h.(*sip.ContactHeader)
			got = append(got, fmt.Sprintf("<%s> %s", contact.Address.String(), contact.Params.GetOr("expires", "none")))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: bindings %q, want %q", c.name, s, c.want)
		}
	}
}

func TestABindingEndsWithItsTime(t *testing.T) {
	r := New(30*time.Second, time.Hour, 30*time.Second)
	if err := r.Register(nineOClock, parse(t, "REGISTER sip:pbx", "Contact: <sip:a@192.0.2.1>;expires=60"), &Account{User: "201"}); err != nil {
		t.Fatal(err)
	}
	if got := r.Deadline(); !got.Equal(at(30)) {
		t.Errorf("deadline %v, want the first qualification", got)
	}
	if len(r.Reachable(at(59), "201")) != 1 || len(r.Reachable(at(60), "201")) != 0 {
		t.Error("reachable before, not after its time")
	}
	r.Expire(at(60))
	if len(r.bindings["201"]) != 0 || !r.Deadline().IsZero() {
		t.Error("the binding outlived its time")
	}
}
