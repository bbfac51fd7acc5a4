package digest

import (
	"strings"
	"testing"

	"github.com/icholy/digest"
)

func fixed() string { return "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ" }

func mustParse(t *testing.T, texts ...string) []Challenge {
	t.Helper()
	var challenges []Challenge
	for _, text := range texts {
		c, ok := Parse(text, false)
		if !ok {
			t.Fatalf("refused %q", text)
		}
		challenges = append(challenges, c)
	}
	return challenges
}

func TestWhatCannotBeAnsweredIsNoChallenge(t *testing.T) {
	for _, text := range []string{
		"",
		`Basic realm="x"`,
		`Digest realm="x"`,
		`Digest realm="x",nonce="n",qop="auth-int"`,
		"Digest realm=\"x\r\nEvil: 1\",nonce=\"n\"",
	} {
		if c, ok := Parse(text, false); ok {
			t.Errorf("%q was read as %+v", text, c)
		}
	}
	var none *Client = NewClient("u", "p", fixed)
	if got := none.Challenged(mustParse(t, `Digest realm="x",nonce="n",algorithm=SHA-1-sess`), nil); got != Unsupported {
		t.Errorf("an unknown algorithm alone gives %v", got)
	}
}

// The vectors of RFC 7616 section 3.9.1.
func TestTheVectorsOfRFC7616(t *testing.T) {
	for algorithm, want := range map[string]string{
		"MD5":     "8ca523f5e9506fed4657c9700eebdbec",
		"SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
	} {
		c := NewClient("Mufasa", "Circle of Life", fixed)
		challenges := mustParse(t, `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=`+algorithm+
			`, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`)
		if got := c.Challenged(challenges, nil); got != Retry {
			t.Fatalf("%s: %v", algorithm, got)
		}
		fields := c.Authorize("GET", "/dir/index.html")
		if len(fields) != 1 || !strings.Contains(fields[0].Value, `response="`+want+`"`) {
			t.Errorf("%s: %v", algorithm, fields)
		}
	}
}

func TestTheBestOfAllChallengesIsAnswered(t *testing.T) {
	c := NewClient("203", "lab-203", fixed)
	c.Challenged(mustParse(t,
		`Digest realm="pbxlab",nonce="1/4",opaque="7b",algorithm=MD5,qop="auth"`,
		`Digest realm="pbxlab",nonce="1/4",opaque="30",algorithm=SHA-512-256,qop="auth"`,
		`Digest realm="pbxlab",nonce="1/4",opaque="63",algorithm=SHA-256,qop="auth"`,
		`Digest realm="pbxlab",nonce="1/4",opaque="99",algorithm=SHA3-512,qop="auth"`), nil)
	fields := c.Authorize("REGISTER", "sip:pbx")
	if len(fields) != 1 {
		t.Fatalf("%d answers to one realm", len(fields))
	}
	got, err := digest.ParseCredentials(fields[0].Value)
	if err != nil || got.Algorithm != "SHA-512-256" || got.Opaque != "30" {
		t.Errorf("answered %+v, %v", got, err)
	}
}

func TestANonceIsUsedAgainAndCounted(t *testing.T) {
	c := NewClient("u", "p", fixed)
	challenges := mustParse(t, `Digest realm="r",nonce="n1",qop="auth"`)
	c.Challenged(challenges, nil)
	for i, want := range []string{"nc=00000001", "nc=00000002", "nc=00000003"} {
		if i == 2 {
			c.Challenged(challenges, nil) // the same nonce once more: the count goes on
		}
		if got := c.Authorize("REGISTER", "sip:pbx")[0].Value; !strings.Contains(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
	}
	c.Challenged(mustParse(t, `Digest realm="r",nonce="n2",qop="auth"`), nil)
	if got := c.Authorize("REGISTER", "sip:pbx")[0].Value; !strings.Contains(got, "nc=00000001") {
		t.Errorf("a new nonce starts at %s", got)
	}
}

func TestARefusedAnswerMeansAWrongPasswordUnlessStale(t *testing.T) {
	c := NewClient("u", "p", fixed)
	first := mustParse(t, `Digest realm="r",nonce="n1"`)
	again := mustParse(t, `Digest realm="r",nonce="n2"`)
	stale := mustParse(t, `Digest realm="r",nonce="n3",stale=TRUE`)
	if got := c.Challenged(first, nil); got != Retry {
		t.Errorf("first challenge: %v", got)
	}
	if got := c.Challenged(stale, Answers(first)); got != Retry {
		t.Errorf("stale: %v", got)
	}
	if got := c.Challenged(again, Answers(first)); got != Refused {
		t.Errorf("challenged again: %v", got)
	}
	if got := c.Challenged(again, nil); got != Retry {
		t.Errorf("a nonce of an earlier request was refused: %v", got)
	}
}

func TestProxyAndServerAreBothAnswered(t *testing.T) {
	c := NewClient("u", "p", fixed)
	c.Challenged(mustParse(t, `Digest realm="r",nonce="n1"`), nil)
	proxy, _ := Parse(`Digest realm="r",nonce="n2"`, true)
	c.Challenged([]Challenge{proxy}, nil)
	fields := c.Authorize("INVITE", "sip:1@pbx")
	if len(fields) != 2 || fields[0].Name != "Authorization" || fields[1].Name != "Proxy-Authorization" {
		t.Errorf("got %v", fields)
	}
}

func TestMadeUpRealmsAreBounded(t *testing.T) {
	c := NewClient("u", "p", fixed)
	for i := range 100 {
		c.Challenged([]Challenge{{Realm: strings.Repeat("r", i), Nonce: "n"}}, nil)
	}
	if got := len(c.Authorize("INVITE", "sip:1@pbx")); got != sessionsMax {
		t.Errorf("%d realms remembered", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`Digest realm="pbxlab",nonce="1795357605/4b5e",opaque="30d5",algorithm=SHA-512-256,qop="auth"`)
	f.Add(`Digest nonce=n,qop="auth-int , auth",stale=true`)
	f.Add(`Digest ="",,`)
	f.Fuzz(func(t *testing.T, text string) {
		challenge, ok := Parse(text, true)
		if !ok {
			return
		}
		c := NewClient("u", "p", fixed)
		if c.Challenged([]Challenge{challenge}, nil) != Retry {
			return
		}
		for _, field := range c.Authorize("INVITE", "sip:1@pbx") {
			if strings.ContainsAny(field.Value, "\r\n") {
				t.Errorf("%q is answered with a line end: %q", text, field.Value)
			}
		}
	})
}
