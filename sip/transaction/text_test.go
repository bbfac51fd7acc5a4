package transaction

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"

	"freizeichen/sip/transaction/message"
)

func TestTextBecomesSafe(t *testing.T) {
	long := strings.Repeat("ü", 300)
	for _, tt := range []struct {
		name     string
		make     func(string) string
		in, want string
	}{
		{"Text", Text, "a\r\nEvil: yes", "a  Evil: yes"},
		{"Text", Text, "a\x00\x7f\u0085\u2028b\xff", "a    b\uFFFD"},
		{"Text", Text, "  Elterngeld „neu“ ", "Elterngeld „neu“"},
		{"Text", Text, long, long[:2*256]},
		{"Text", Text, long[:2*255] + " x", long[:2*255]},
		{"DisplayName", DisplayName, `Ada "A" \ Lovelace`, `Ada \"A\" \\ Lovelace`},
		{"DisplayName", DisplayName, "x\\", `x\\`},
		{"UserPart", UserPart, "+49 (2041) 2841-00", "+49%20(2041)%202841-00"},
		{"UserPart", UserPart, "*8#", "*8%23"},
		{"UserPart", UserPart, "//a?", "%2F%2Fa%3F"},
		{"UserPart", UserPart, "1@evil.example;x=<\">", "1%40evil.example%3Bx=%3C%22%3E"},
		{"UserPart", UserPart, "1\r\n2", "1%20%202"},
		{"PlainName", PlainName, `Ada \"A\" \\ L\`, `Ada "A" \ L\`},
		{"PlainName", PlainName, "a\\\x00b", "a b"},
		{"PlainUser", PlainUser, "%2A8%23", "*8#"},
		{"PlainUser", PlainUser, "1%0d%0a2%zz%", "1  2%zz%"},
		{"Token", Token, "a b;c=\"d\"\r\né-1", "abcd-1"},
	} {
		if got := tt.make(tt.in); got != tt.want {
			t.Errorf("%s(%q) is %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
}

// FuzzText: whatever is typed, the message can be written, and read as what was meant.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "Ada", `"`, `\`, "a\r\nb", "<sip:x@y>", "%41", "\xff", "#*", strings.Repeat("x", 300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := newRequest(sip.INVITE, "sip:pbx@192.0.2.2", "call")
		r.From().DisplayName = DisplayName(s)
		r.To().Address.User = UserPart(s)
		r.AppendHeader(sip.NewHeader("Subject", Text(s)))
		r.PrependHeader(&sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: "UDP", Host: "x"})
		data, err := message.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		m, err := message.Parse(data)
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		if got := PlainName(m.From().DisplayName); got != Text(s) {
			t.Errorf("the name came as %q, want %q", got, Text(s))
		}
		if got := PlainUser(m.To().Address.User); got != Text(s) {
			t.Errorf("the user came as %q, want %q", got, Text(s))
		}
	})
}
