package message

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// allocated is how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestALargeMessageCostsNoMoreThanItsSize: what a stranger sends in one datagram must not cost seconds or gigabytes.
func TestALargeMessageCostsNoMoreThanItsSize(t *testing.T) {
	numbered := ""
	for i := range 6000 {
		numbered += fmt.Sprintf("X:%d\r\n", i)
	}
	for _, c := range []struct{ name, lines, want string }{
		{"a field of 15,000 lines", "Subject: a" + strings.Repeat("\r\n b", 15000), ""},
		{"6,000 fields", strings.TrimSuffix(numbered, "\r\n"), "400 Too Many Header Fields"},
		{"4,000 Vias", "v: " + strings.Repeat("SIP/2.0/UDP a,", 3999) + "SIP/2.0/UDP a", "400 Too Many Header Fields"},
		{"7,000 routes", "Record-Route: " + strings.Repeat("<sip:a>,", 6999) + "<sip:a>", "400 Too Many Header Fields"},
		{"29,000 parameters", "Referred-By: <sip:a>" + strings.Repeat(";a", 29000), "400 Malformed Referred-By"},
		{"64 parameters", "Referred-By: <sip:a>" + strings.Repeat(";a", 64), ""},
		{"200 fields", strings.TrimSuffix(strings.Repeat("X: y\r\n", 200), "\r\n"), ""},
	} {
		text := request(c.lines)
		var err error
		cost := allocated(func() { _, err = Parse([]byte(text)) })
		got := ""
		if fault, ok := errors.AsType[*Fault](err); ok {
			got = fmt.Sprint(fault.Status, " ", fault.Reason)
		} else if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if limit := uint64(100*len(text) + 100<<10); cost > limit {
			t.Errorf("%s: %d bytes cost %d bytes of memory, want at most %d", c.name, len(text), cost, limit)
		}
	}
}

// TestABodyThatTricklesInCostsLittle: the head of a message is read once, in however many pieces its body comes.
func TestABodyThatTricklesInCostsLittle(t *testing.T) {
	var s Stream
	const body = 3000
	head := request(fmt.Sprintf("Content-Length: %d", body))
	s.Write([]byte(strings.Replace(head, "\r\n\r\n", "\r\n"+strings.Repeat("X: y\r\n", 200)+"\r\n", 1)))
	cost := allocated(func() {
		for i := range body {
			if _, err := s.Next(); err != ErrIncomplete {
				t.Fatalf("after %d of %d bytes: %v", i, body, err)
			}
			s.Write([]byte("x"))
		}
	})
	if m, err := s.Next(); err != nil || len(m.Body()) != body {
		t.Errorf("the whole message: %v", err)
	}
	if cost > 1<<20 {
		t.Errorf("%d bytes one after the other cost %d bytes of memory", body, cost)
	}
}
