package client

import (
	"strings"
	"testing"

	"freizeichen/sip"
)

func TestTheDomainMayHaveAPort(t *testing.T) {
	for domain, want := range map[string]string{
		"pbx.example": "sip:201@pbx.example", "pbx.example:5070": "sip:201@pbx.example:5070", "192.0.2.1": "sip:201@192.0.2.1",
		"[2001:db8::1]:5070": "sip:201@[2001:db8::1]:5070", "[2001:db8::1]": "sip:201@[2001:db8::1]",
	} {
		uri := New(Config{Account: sip.Account{Domain: domain}}, nil).URI("201")
		if got := uri.String(); got != want {
			t.Errorf("%s: %s, want %s", domain, got, want)
		}
	}
}

func TestTokensDiffer(t *testing.T) {
	c := New(Config{}, nil)
	if a, b := c.Token(), c.Token(); a == b || len(a) != 20 {
		t.Errorf("tokens %s and %s", a, b)
	}
	for range 100 {
		if n := c.Intn(3); n < 0 || n > 2 {
			t.Errorf("Intn(3) is %d", n)
		}
	}
}

func FuzzUserPart(f *testing.F) {
	for _, seed := range []string{"115", "*471#", "+49 2841", "a@b\r\nEvil: 1", "%zz", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, number string) {
		user, ok := UserPart(number)
		if !ok {
			return
		}
		uri := New(Config{Account: sip.Account{Domain: "pbx.example"}}, nil).URI(user)
		if got := uri.String(); strings.ContainsAny(user, "\r\n <>\"@:;?") || got != "sip:"+user+"@pbx.example" {
			t.Errorf("%q became %q", number, got)
		}
	})
}
