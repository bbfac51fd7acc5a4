package config

import (
	"strings"
	"testing"
)

func TestAnAccountInOneLine(t *testing.T) {
	refused := []struct{ line, because string }{
		{"", `it does not begin with "sip:"`},
		{"201:secret@host", `it does not begin with "sip:"`},
		{"tel:+492841", `it does not begin with "sip:"`},
		{"sips:201@host", "sips is not supported"},
		{"sip:201", "the @ between user and host is missing"},
		{"sip:@host", "the user must be"},
		{"sip:2 01@host", "the user must be"},
		{"sip:201%0d%0aX@host", "the user must be"},
		{"sip:201:%zz@host", "in the password % is written as %25"},
		{"sip:201:a%0ab@host", "in the password % is written as %25"},
		{"sip:201@", "what follows the @ must be a host"},
		{"sip:201@ho st", "must be a host"},
		{"sip:201@2001:db8::1", "must be a host"},
		{"sip:201@[2001:db8::1", "must be a host"},
		{"sip:201@[192.0.2.1]", "must be a host"},
		{"sip:201@host:", "must have a port"},
		{"sip:201@host:0", "must have a port"},
		{"sip:201@host:65536", "must have a port"},
		{"sip:201@host;transport=tls", "transport is udp or tcp"},
		{"sip:201@host;lr", "the only parameter is transport"},
	}
	for _, test := range refused {
		_, err := ParseAccountURL(test.line)
		if err == nil {
			t.Errorf("%q is taken", test.line)
			continue
		}
		if text := err.Error(); !strings.Contains(text, test.because) || !strings.Contains(text, "the form is sip:USER:PASSWORD@HOST:PORT") {
			t.Errorf("%q: got %q, want %q and the form", test.line, text, test.because)
		}
	}
	taken := []struct {
		line string
		want Account
	}{
		{"sip:201:secret@pbx.example:5061;transport=tcp", Account{User: "201", Password: NewSecret("secret"), Domain: "pbx.example", Server: "pbx.example:5061", Transport: TCP}},
		{" SIP:201@192.0.2.1;TRANSPORT=UDP ", Account{User: "201", Domain: "192.0.2.1", Transport: UDP}},
		{"sip:+49-2841:a:b@c%40%3b@[2001:db8::1]:5060", Account{User: "+49-2841", Password: NewSecret("a:b@c@;"), Domain: "[2001:db8::1]", Server: "[2001:db8::1]:5060", Transport: UDP}},
		{"sip:ada@localhost;", Account{User: "ada", Domain: "localhost", Transport: UDP}},
	}
	for _, test := range taken {
		test.want.Expires = expiresDefault
		if got, err := ParseAccountURL(test.line); err != nil || got != test.want {
			t.Errorf("%q: got %+v, %v", test.line, got, err)
		}
	}
}

func FuzzParseAccountURL(f *testing.F) {
	f.Add("sip:201:secret@pbx.example:5061;transport=tcp")
	f.Add("sip:a%20b:%0d%0a@[::1]:5060")
	f.Fuzz(func(t *testing.T, line string) {
		account, err := ParseAccountURL(line)
		if err != nil {
			return
		}
		for _, text := range []string{account.User, account.Domain, account.Server, account.Password.Reveal()} {
			if strings.ContainsAny(text, "\r\n\x00") {
				t.Errorf("%q would reach the network", text)
			}
		}
	})
}
