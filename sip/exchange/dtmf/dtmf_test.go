package dtmf

import "testing"

func TestInfoReadsOneDigit(t *testing.T) {
	for _, c := range []struct {
		contentType, body string
		want              byte // 0: none
	}{
		{"", "5", 0},
		{"text/plain", "5", 0},
		{"application/dtmf-relay", "", 0},
		{"application/dtmf-relay", "5", 0},
		{"application/dtmf-relay", "Signal=\r\n", 0},
		{"application/dtmf-relay", "Signal=55\r\n", 0},
		{"application/dtmf-relay", "Duration=160\r\n", 0},
		{"application/dtmf", "", 0},
		{"application/dtmf", "E", 0},
		{"application/dtmf", "ä", 0},
		{"application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", '5'},
		{"Application/DTMF-Relay; charset=utf-8", "signal = #\n", '#'},
		{"application/dtmf-relay", "Signal=*", '*'},
		{"application/dtmf", "d\r\n", 'D'},
	} {
		got, ok := Info(c.contentType, []byte(c.body))
		if got != c.want || ok != (c.want != 0) {
			t.Errorf("%q in %q: %q %v, want %q", c.body, c.contentType, got, ok, c.want)
		}
	}
}

func FuzzInfo(f *testing.F) {
	f.Add("application/dtmf-relay", []byte("Signal=5\r\nDuration=160\r\n"))
	f.Add("application/dtmf", []byte("#"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		digit, ok := Info(contentType, body)
		if ok != (digit != 0) || ok && digit > 'D' {
			t.Errorf("%q %v", digit, ok)
		}
	})
}
