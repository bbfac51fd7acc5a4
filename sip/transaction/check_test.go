package transaction

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"

	"freizeichen/sip/transaction/message"
)

// What becomes of a message that is not answered with a status.
const (
	accepted = 0  // told to the user
	ignored  = -1 // a response that belongs to nothing or cannot be read
)

// rfc4475 is every message of the RFC. Where it leaves a choice, the comment says how we chose.
var rfc4475 = []struct {
	name    string
	section string
	want    int
}{
	// Refused by this layer.
	{"badinv01", "3.1.2.1", 400}, // empty parameters
	{"clerr", "3.1.2.2", 400},    // Content-Length beyond the datagram
	{"ncl", "3.1.2.3", 400},      // negative Content-Length
	{"scalar02", "3.1.2.4", 400}, // CSeq and others overflow
	{"quotbal", "3.1.2.6", 400},  // unbalanced quote in To
	{"ltgtruri", "3.1.2.7", 400}, // Request-URI in <>
	{"lwsruri", "3.1.2.8", 400},  // white space in the Request-URI
	{"lwsstart", "3.1.2.9", 400}, // two spaces in the request line; we choose not to be liberal
	{"trws", "3.1.2.10", 400},    // spaces at its end; likewise
	{"escruri", "3.1.2.11", 400}, // header fields in the Request-URI
	{"regbadct", "3.1.2.13", 400},
	{"badaspec", "3.1.2.14", 400}, // spaces within <>; we choose not to be liberal
	{"baddn", "3.1.2.15", 400},    // comma in a display name without quotes; likewise
	{"badvers", "3.1.2.16", 505},
	{"mismatch01", "3.1.2.17", 400},
	{"mismatch02", "3.1.2.18", 501}, // "choosing a 501 has better future-proof characteristics"
	{"insuf", "3.3.1", 400},         // no Call-ID, From, To
	{"unkscm", "3.3.2", 416},
	{"novelsc", "3.3.3", 416},
	{"bext01", "3.3.5", 420},
	{"multi01", "3.3.8", 400},
	{"mcl01", "3.3.9", 400},
	{"intmeth", "3.1.1.2", 501}, // valid, but nobody implements that method
	{"esc02", "3.1.1.5", 501},   // likewise: a percent sign is a character of a method, not an escape
	// Ignored.
	{"scalarlg", "3.1.2.5", ignored},
	{"bigcode", "3.1.2.19", ignored},
	{"bcast", "3.3.10", ignored}, // two Via values
	{"unreason", "3.1.1.12", ignored},
	{"noreason", "3.1.1.13", ignored},
	// Told to the user, who may have reasons of his own to refuse: 415, 401, 406, 404 ...
	{"wsinv", "3.1.1.1", accepted},
	{"esc01", "3.1.1.3", accepted},
	{"escnull", "3.1.1.4", accepted},
	{"lwsdisp", "3.1.1.6", accepted},
	{"longreq", "3.1.1.7", accepted},
	{"dblreq", "3.1.1.8", accepted}, // the REGISTER; the rest of the datagram is dropped
	{"semiuri", "3.1.1.9", accepted},
	{"transports", "3.1.1.10", accepted},
	{"mpart01", "3.1.1.11", accepted},
	{"baddate", "3.1.2.12", accepted}, // "an element shouldn't do that unless the Date were important to its processing"
	{"badbranch", "3.2.1", accepted},
	{"unksm2", "3.3.4", accepted},
	{"invut", "3.3.6", accepted},
	{"regaut01", "3.3.7", accepted},
	{"zeromf", "3.3.11", accepted}, // "an endpoint should process the request as if Max-Forwards were still positive"
	{"cparam01", "3.3.12", accepted},
	{"cparam02", "3.3.13", accepted},
	{"regescrt", "3.3.14", accepted},
	{"sdp01", "3.3.15", accepted},
	{"inv2543", "3.4.1", accepted},
}

func TestEveryMessageOfRFC4475GetsTheAnswerOfItsSection(t *testing.T) {
	for _, tt := range rfc4475 {
		t.Run(tt.name, func(t *testing.T) {
			d := newDiagram(t, "UDP", Settings{})
			data, err := os.ReadFile("testdata/rfc4475/" + tt.name + ".dat")
			if err != nil {
				t.Fatal(err)
			}
			if got := fate(d, data); got != tt.want {
				t.Errorf("RFC 4475 section %s: %d, want %d", tt.section, got, tt.want)
			}
		})
	}
}

func TestTheTableHasEveryMessageOfRFC4475(t *testing.T) {
	files, err := filepath.Glob("testdata/rfc4475/*.dat")
	if err != nil || len(files) != 49 || len(rfc4475) != 49 {
		t.Fatalf("%d files, %d rows, %v; want 49 of both", len(files), len(rfc4475), err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".dat")
		if !slices.ContainsFunc(rfc4475, func(row struct {
			name    string
			section string
			want    int
		}) bool {
			return row.name == name
		}) {
			t.Errorf("%s is not in the table", name)
		}
	}
}

// fate says what the layer does with a datagram from 192.0.2.2:5060.
func fate(d *diagram, data []byte) int {
	m, err := message.Parse(data)
	if m == nil {
		return ignored
	}
	m.SetTransport("UDP")
	m.SetSource("192.0.2.2:5060")
	if fault, ok := err.(*message.Fault); ok {
		d.layer.ReceiveFault(d.now, m.(*sip.Request), fault)
	} else {
		d.layer.Receive(d.now, m)
	}
	sends, events := d.layer.Drain()
	if len(sends)+len(events) > 1 {
		d.t.Fatalf("%d messages and %d events, want one", len(sends), len(events))
	}
	if len(sends) == 1 {
		s := sends[0]
		// The answer repeats the fields of the request; where those are malformed it cannot be parsed itself.
		if answer, err := message.Parse(s.Data); err == nil {
			d.last = answer.(*sip.Response)
		}
		status := 0
		if _, err := fmt.Sscanf(string(s.Data), "SIP/2.0 %d ", &status); err != nil {
			d.t.Fatalf("no answer: %s", s.Data)
		}
		return status
	}
	if len(events) == 1 {
		return accepted
	}
	return ignored
}

// options is a request that nothing is wrong with; lines replace or, with a new name, are added.
func options(method string, lines ...string) []byte {
	all := []string{
		method + " sip:201@192.0.2.1 SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKb1;rport", "Max-Forwards: 70",
		"From: <sip:pbx@192.0.2.2>;tag=p", "To: <sip:201@192.0.2.1>", "Call-ID: incoming", "CSeq: 7 " + method, "Content-Length: 0",
	}
	for _, line := range lines {
		name, _, _ := strings.Cut(line, ":")
		i := slices.IndexFunc(all, func(old string) bool { return strings.HasPrefix(old, name+":") })
		switch {
		case i >= 0 && strings.HasSuffix(line, ":"):
			all = slices.Delete(all, i, i+1)
		case i >= 0:
			all[i] = line
		default:
			all = append(all, line)
		}
	}
	return []byte(strings.Join(all, "\r\n") + "\r\n\r\n")
}

func TestRequestsAreRefusedBeforeTheUserSeesThem(t *testing.T) {
	set := Settings{Methods: []string{"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS"}, Extensions: []string{"100rel", "timer"}}
	for _, tt := range []struct {
		name string
		data []byte
		want int
	}{
		{"missing From", options("OPTIONS", "From:"), 400},
		{"missing To", options("OPTIONS", "To:"), 400},
		{"missing Call-ID", options("OPTIONS", "Call-ID:"), 400},
		{"missing CSeq", options("OPTIONS", "CSeq:"), 400},
		{"missing Via", options("OPTIONS", "Via:"), ignored},
		{"unreadable Via", options("OPTIONS", "Via: UDP"), ignored},
		{"From without tag", options("OPTIONS", "From: <sip:pbx@192.0.2.2>"), 400},
		{"From twice", append([]byte("OPTIONS sip:a@b SIP/2.0\r\nFrom: <sip:x@y>;tag=1\r\n"), options("OPTIONS")[len("OPTIONS sip:201@192.0.2.1 SIP/2.0\r\n"):]...), 400},
		{"CSeq of another method", options("OPTIONS", "CSeq: 7 INVITE"), 400},
		{"CSeq too large", options("OPTIONS", "CSeq: 2147483648 OPTIONS"), 400},
		{"CSeq not a number", options("OPTIONS", "CSeq: -7 OPTIONS"), 400},
		{"Max-Forwards 256", options("OPTIONS", "Max-Forwards: 256"), 400},
		{"Content-Length beyond the datagram", options("OPTIONS", "Content-Length: 1"), 400},
		{"NUL", options("OPTIONS", "Subject: a\x00b"), 400},
		{"a bare line feed", options("OPTIONS", "Subject: a\nVia: b"), 400},
		{"method not allowed", options("SUBSCRIBE"), 405},
		{"unknown method", options("DANCE"), 501},
		{"method in small letters", options("options"), 501},
		{"one of two extensions unknown", options("OPTIONS", "Require: 100rel, Gruu"), 420},
		{"ACK with an unknown extension and without From", options("ACK", "From:", "Require: gruu"), ignored},
		{"malformed ACK", options("ACK", "CSeq: 7 BYE"), ignored},
		{"long Request-URI", []byte(strings.Replace(string(options("OPTIONS")), "201@", strings.Repeat("2", 5000)+"@", 1)), 414},
		{"nothing wrong", options("OPTIONS"), accepted},
		{"known extensions", options("INVITE", "Require: 100rel,timer"), accepted},
		{"CANCEL with Require", options("CANCEL", "Require: gruu"), 481},
		{"no Max-Forwards, as in RFC 2543", options("OPTIONS", "Max-Forwards:"), accepted},
		{"white space before a parameter", options("OPTIONS", "From: <sip:pbx@192.0.2.2> ; tag = p"), accepted},
		{"parameter in capitals", options("OPTIONS", "From: <sip:pbx@192.0.2.2>;TAG=p"), accepted},
		{"CSeq with three spaces", options("OPTIONS", "CSeq: 7   OPTIONS"), accepted},
		{"sips", []byte(strings.Replace(string(options("OPTIONS")), "sip:201@192.0.2.1 ", "sips:201@192.0.2.1 ", 1)), accepted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDiagram(t, "UDP", set)
			if got := fate(d, tt.data); got != tt.want {
				t.Errorf("got %d, want %d for\n%s", got, tt.want, tt.data)
			}
		})
	}
}

func TestARefusalSaysWhatWouldBeUnderstood(t *testing.T) {
	set := Settings{Methods: []string{"INVITE", "ACK"}, Extensions: []string{"timer"}}
	for _, tt := range []struct {
		data        []byte
		field, want string
	}{
		{options("BYE"), "Allow", "INVITE, ACK"},
		{options("DANCE"), "Allow", "INVITE, ACK"},
		{options("INVITE", "Require: gruu, timer, path"), "Unsupported", "gruu, path"},
	} {
		d := newDiagram(t, "UDP", set)
		fate(d, tt.data)
		if d.last == nil || d.last.GetHeader(tt.field) == nil || d.last.GetHeader(tt.field).Value() != tt.want {
			t.Errorf("answer %v, want %s: %s", d.last, tt.field, tt.want)
		}
	}
}

func TestARefusalCarriesTheFieldsOfTheRequestAndATag(t *testing.T) {
	d := newDiagram(t, "UDP", Settings{})
	fate(d, options("OPTIONS", "CSeq: 7 BYE", "Call-ID: x@y"))
	if d.last.CSeq().Value() != "7 BYE" || d.last.CallID().Value() != "x@y" || tagOf(d.last, "From") != "p" || tagOf(d.last, "To") == "" {
		t.Errorf("wrong answer:\n%s", d.last)
	}
	if via := d.last.Via().Value(); via != "SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKb1;rport=5060;received=192.0.2.2" {
		t.Errorf("Via of the answer is %q", via)
	}
	if d.last.SipVersion != "SIP/2.0" || d.last.Reason != "CSeq Method Mismatch" {
		t.Errorf("start line %q", d.last.StartLine())
	}
}

func TestARefusedInviteIsATransactionThatAbsorbsItsACK(t *testing.T) {
	d := newDiagram(t, "UDP", Settings{})
	if got := fate(d, options("INVITE", "CSeq: 7 BYE")); got != 400 {
		t.Fatalf("got %d, want 400", got)
	}
	if got := fate(d, options("INVITE", "CSeq: 7 BYE")); got != 400 {
		t.Errorf("the retransmission got %d, want the 400 again", got)
	}
	if got := fate(d, options("ACK", "CSeq: 7 BYE")); got != ignored {
		t.Errorf("the ACK got %d, want silence", got)
	}
	d.play("6s end")
}

// TestTheSameRequestByTwoWaysIsALoop is RFC 3261 section 8.2.2.2.
func TestTheSameRequestByTwoWaysIsALoop(t *testing.T) {
	play(t, "UDP", `
		0s     < INVITE b1
		0s     ! INVITE
		0s     user 180
		0s     > 180 INVITE
		10ms   < INVITE b2
		10ms   > 482 INVITE
		20ms   < ACK b2
		30ms   < CANCEL b1        # two CANCELs are no loop, each ends its own INVITE
		30ms   > 200 CANCEL
		30ms   ! cancelled
		40ms   < CANCEL b2
		40ms   > 200 CANCEL
		50ms   user 487
		50ms   > 487 INVITE
		60ms   < ACK b1
		33s    end`)
}

func TestWhatIsTooMuchIsRefusedWithoutATransaction(t *testing.T) {
	d := newDiagram(t, "UDP", Settings{TransactionsMax: 2})
	for i := range 2 {
		if got := fate(d, options("OPTIONS", fmt.Sprintf("Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK%d", i), fmt.Sprintf("Call-ID: %d", i))); got != accepted {
			t.Fatalf("request %d: %d", i, got)
		}
	}
	if got := fate(d, options("OPTIONS")); got != 503 {
		t.Errorf("the third got %d, want 503", got)
	}
	if got := fate(d, options("ACK")); got != accepted {
		t.Errorf("an ACK got %d; it needs no transaction", got)
	}
	for range 3 {
		d.user("OPTIONS")
	}
	d.drain()
	d.play(`
		0s     > OPTIONS
		0s     > OPTIONS
		0s     ! failed`)
}

func TestAnswersGoWhereTheRFCsSay(t *testing.T) {
	for _, tt := range []struct{ via, want string }{
		{"192.0.2.2:5070;branch=z9hG4bKx", "192.0.2.2:5070"},                                  // RFC 3261 18.2.2: sent-by
		{"10.0.0.1:5070;branch=z9hG4bKx", "192.0.2.2:5070"},                                   // received instead of a wrong address
		{"pbx.example.com;branch=z9hG4bKx", "192.0.2.2:5060"},                                 // default port
		{"10.0.0.1:5070;branch=z9hG4bKx;rport", "192.0.2.2:5060"},                             // RFC 3581: where it came from
		{"192.0.2.2:5070;branch=z9hG4bKx;maddr=192.0.2.77", "192.0.2.2:5070"},                 // not followed, see responseDestination
		{"192.0.2.2:5070;branch=z9hG4bKx;received=192.0.2.66", "192.0.2.2:5070"},              // a lie
		{"192.0.2.2:5070;branch=z9hG4bKx;received=192.0.2.66;rport=666", "192.0.2.2:5060"},    // another
		{"[2001:db8::1]:5070;branch=z9hG4bKx", "192.0.2.2:5070"},                              // IPv6 behind a translator
		{"192.0.2.2 : 5070 ; Branch = z9hG4bKx ; RPORT", "192.0.2.2:5060"},                    // white space and capitals
		{`192.0.2.2;x="a, b;rport";branch=z9hG4bKx, SIP/2.0/UDP 192.0.2.3`, "192.0.2.2:5060"}, // quotes
		{"192.0.2.2:5070;branch=z9hG4bKx\r\nVia: SIP/2.0/UDP 192.0.2.3:99", "192.0.2.2:5070"}, // only the top one counts
	} {
		d := newDiagram(t, "UDP", Settings{})
		m, err := message.Parse(options("OPTIONS", "Via: SIP/2.0/UDP "+tt.via))
		if err != nil {
			t.Fatalf("%s: %v", tt.via, err)
		}
		m.SetTransport("UDP")
		m.SetSource("192.0.2.2:5060")
		d.layer.Receive(d.now, m)
		d.drain()
		d.layer.Respond(d.now, d.server, sip.NewResponseFromRequest(d.got, 200, "OK", nil))
		if sends, _ := d.layer.Drain(); len(sends) != 1 || sends[0].Destination != tt.want {
			t.Errorf("Via %s: answer to %v, want %s", tt.via, sends, tt.want)
		}
	}
}

func TestAResponseOnlyCountsIfItIsForUs(t *testing.T) {
	for _, tt := range []struct {
		name string
		lie  func(string) string
	}{
		{"another branch", func(s string) string { return strings.Replace(s, "z9hG4bK", "z9hG4bKx", 1) }},
		{"another method", func(s string) string { return strings.Replace(s, "1 INVITE", "1 OPTIONS", 1) }},
		{"two Via values", func(s string) string {
			return strings.Replace(s, "From:", "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKy\r\nFrom:", 1)
		}},
	} {
		d := newDiagram(t, "TCP", Settings{})
		d.play("0s user INVITE\n0s > INVITE")
		d.receive(tt.lie(sip.NewResponseFromRequest(d.sent["INVITE"], 200, "OK", nil).String()))
		if d.drain(); len(d.log) > 0 {
			t.Errorf("%s: the layer did %q", tt.name, d.log)
		}
	}
}

func TestWhatWouldBreakOutOfItsLineIsNeverSent(t *testing.T) {
	const evil = "x\r\nEvil: yes"
	for _, tt := range []struct {
		name   string
		poison func(*sip.Request)
	}{
		{"header value", func(r *sip.Request) { r.AppendHeader(sip.NewHeader("Subject", evil)) }},
		{"header name", func(r *sip.Request) { r.AppendHeader(sip.NewHeader(evil, "x")) }},
		{"NUL", func(r *sip.Request) { r.AppendHeader(sip.NewHeader("Subject", "a\x00b")) }},
		{"display name", func(r *sip.Request) { r.From().DisplayName = evil }},
		{"quote in a display name", func(r *sip.Request) { r.From().DisplayName = `x" <sip:evil@example.com>;tag=1, "` }},
		{"backslash at its end", func(r *sip.Request) { r.From().DisplayName = `x\` }},
		{"user", func(r *sip.Request) { r.Recipient.User = evil }},
		{"user with a space", func(r *sip.Request) { r.Recipient.User = "1 SIP/2.0" }},
		{"user with >", func(r *sip.Request) { r.To().Address.User = "1@example.com>;tag=x;<" }},
		{"parameter", func(r *sip.Request) { r.From().Params.Add("x", evil) }},
		{"URI parameter", func(r *sip.Request) { r.Recipient.UriParams.Add("x", evil) }},
		{"host", func(r *sip.Request) { r.Recipient.Host = evil }},
		{"Call-ID", func(r *sip.Request) { *r.CallID() = evil }},
		{"method", func(r *sip.Request) { r.Method = evil }},
		{"CSeq method", func(r *sip.Request) { r.CSeq().MethodName = evil }},
	} {
		d := newDiagram(t, "UDP", Settings{})
		r := newRequest(sip.OPTIONS, "sip:pbx@192.0.2.2", "call")
		tt.poison(r)
		d.layer.Request(d.now, r)
		d.layer.ACK(d.now, r)
		if d.drain(); len(d.log) != 1 || d.log[0] != "0s ! failed" {
			t.Errorf("%s: the layer did %q, want it to fail", tt.name, d.log)
		}
		d.log = nil
		d.play("0s end")
	}
}

func TestAResponseThatWouldBreakOutOfItsLineBecomes500(t *testing.T) {
	d := newDiagram(t, "TCP", Settings{})
	d.play("0s < OPTIONS\n0s ! OPTIONS")
	res := sip.NewResponseFromRequest(d.got, 200, "OK", nil)
	res.AppendHeader(sip.NewHeader("X-Topic", "a\r\nb"))
	d.layer.Respond(d.now, d.server, res)
	d.drain()
	d.play("0s > 500 OPTIONS\n0s end")
}

// TestTheMagicCookieAloneIsNoBranch is RFC 4475 section 3.2.1.
func TestTheMagicCookieAloneIsNoBranch(t *testing.T) {
	d := newDiagram(t, "UDP", Settings{})
	const via = "Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK"
	for _, id := range []string{"one", "two"} {
		if got := fate(d, options("OPTIONS", via, "Call-ID: "+id)); got != accepted {
			t.Errorf("%s: %d, want both told", id, got)
		}
	}
	if got := fate(d, options("OPTIONS", via, "Call-ID: two")); got != ignored {
		t.Errorf("the retransmission: %d, want it absorbed", got)
	}
}
