package message

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// request is a good request with one field replaced or added.
func request(field string) string {
	fields := []string{"Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKb", "From: <sip:a@example.com>;tag=a", "To: <sip:b@example.com>",
		"Call-ID: c", "CSeq: 1 OPTIONS", "Content-Length: 0"}
	name, _, _ := strings.Cut(field, ":")
	for i, f := range fields {
		if strings.HasPrefix(f, name+":") {
			fields[i], field = field, ""
		}
	}
	if field != "" {
		fields = append(fields, field)
	}
	return "OPTIONS sip:b@example.com SIP/2.0\r\n" + strings.Join(fields, "\r\n") + "\r\n\r\n"
}

func TestFaultyFieldsAreNamed(t *testing.T) {
	for _, tt := range []struct{ field, reason string }{
		{"From: <sip:a@example.com", "Malformed From"},
		{"From: sip:a@example.com>;tag=a", "Malformed From"},
		{`From: "A <sip:a@example.com>;tag=a`, "Malformed From"},
		{`From: "A" sip:a@example.com;tag=a`, "Malformed From"},
		{"From: A, B <sip:a@example.com>;tag=a", "Malformed From"},
		{"From: <sip:a@example.com>tag=a", "Malformed From"},
		{"From: <sip:a@example.com>;;tag=a", "Malformed From"},
		{"From: <sip:a@example.com>;tag=a b", "Malformed From"},
		{`From: <sip:a@example.com>;tag="a`, "Malformed From"},
		{`From: <sip:a@example.com>;tag="a"b`, "Malformed From"},
		{"From: <sip:a b@example.com>;tag=a", "Malformed From"},
		{"From: <sip:a@example.com:99999>;tag=a", "Malformed From"},
		{"From: <sip:a@example.com:-1>;tag=a", "Malformed From"},
		{"From: <sip:a@>;tag=a", "Malformed From"},
		{"From: <sip:a@[::1>;tag=a", "Malformed From"},
		{"From: <>;tag=a", "Malformed From"},
		{"From: *", "Malformed From"},
		{"From:", "Malformed From"},
		{"Contact: sip:a@example.com?Route=x", "Malformed Contact"},
		{"Contact: <sip:a@example.com>,", "Malformed Contact"},
		{"Route: sip", "Malformed Route"},
		{"Via: SIP/2.0 192.0.2.2", "Malformed Via"},
		{"Via: SIP/2.0/UDP", "Malformed Via"},
		{"Via: SIP/2.0/UDP 192.0.2.2:0", "Malformed Via"},
		{"Via: SIP/2.0/UDP 192.0.2.2:70000", "Malformed Via"},
		{"Via: SIP/2.0/UDP [::1;branch=x", "Malformed Via"},
		{"Via: SIP/2.0/UDP [192.0.2.1];branch=x", "Malformed Via"},
		{"Via: SIP/2.0/UDP a;branch=x,", "Malformed Via"},
		{"Call-ID: a b", "Malformed Call-ID"},
		{"Call-ID:", "Malformed Call-ID"},
		{"CSeq: 1", "Malformed CSeq"},
		{"CSeq: OPTIONS 1", "Malformed CSeq"},
		{"CSeq: +1 OPTIONS", "Malformed CSeq"},
		{"CSeq: 2147483648 OPTIONS", "CSeq Number Too Large"},
		{"CSeq: 36893488147419103232 OPTIONS", "CSeq Number Too Large"},
		{"Max-Forwards: -1", "Malformed Max-Forwards"},
		{"Max-Forwards: 256", "Malformed Max-Forwards"},
		{"Content-Length: -1", "Malformed Content-Length"},
		{"Content-Length: 4294967296", "Malformed Content-Length"},
		{"Content-Length: 1", "Content-Length Beyond Message"},
		{"Content-Type:", "Malformed Content-Type"},
		{"no colon", "Malformed Header Field"},
		{"sp ace: x", "Malformed Header Field"},
		{": x", "Malformed Header Field"},
		{"X: a\rb", "Control Character in Header Field"},
	} {
		m, err := Parse([]byte(request(tt.field)))
		fault, ok := errors.AsType[*Fault](err)
		if !ok || fault.Status != 400 || fault.Reason != tt.reason || m == nil {
			t.Errorf("%q: %v, want 400 %s", tt.field, err, tt.reason)
		}
	}
}

func TestStartLinesThatAreNoSIPAreIgnored(t *testing.T) {
	for _, line := range []string{
		"", "GET / HTTP/1.1", "OPTIONS sip:b@example.com", "OPTIONS sip:b@example.com SIP/2", "SIP/2.0", "SIP/2.0 99 x",
		"SIP/2.0 700 x", "SIP/2.0 2000 x", "SIP/3.0 200 OK", "SIP/2.0 200 O\x00K", "a/b sip:b@example.com SIP/2.0",
	} {
		if m, err := Parse([]byte(line + "\r\nCall-ID: x\r\n\r\n")); err != ErrNotSIP {
			t.Errorf("%q became %v, %v", line, m, err)
		}
	}
}

func TestFieldsAreReadInEverySpelling(t *testing.T) {
	from := func(r *sip.Request) string {
		tag, _ := r.From().Params.Get("tag")
		return r.From().DisplayName + "|" + r.From().Address.String() + "|" + tag
	}
	contacts := func(r *sip.Request) string {
		var all []string
		for _, h := range r.GetHeaders("Contact") {
			all = append(all, h.Value())
		}
		return strings.Join(all, " | ")
	}
	via := func(r *sip.Request) string {
		return fmt.Sprint(r.Via().Value(), " ", len(r.GetHeaders("Via")))
	}
	for _, tt := range []struct {
		field string
		read  func(*sip.Request) string
		want  string
	}{
		{"From: <sip:a@example.com> ; tag = x", from, "|sip:a@example.com|x"},
		{"From: <sip:a@example.com>;TAG=x", from, "|sip:a@example.com|x"},
		{"From: sip:a@example.com ;tag=x", from, "|sip:a@example.com|x"},
		{"From: A. Bell <sip:a@example.com>;tag=x", from, "A. Bell|sip:a@example.com|x"},
		{"From: Jürgen <sip:a@example.com>;tag=x", from, "Jürgen|sip:a@example.com|x"},
		{`From: "A, \"B\" <;>" <sip:a@example.com>;tag=x`, from, `A, \"B\" <;>|sip:a@example.com|x`},
		{"From: <sip:a;p=1@example.com;LR;X=1>;tag=x", from, "|sip:a;p=1@example.com;lr;x=1|x"},
		{"From: <sip:[2001:db8::1]:5070>;tag=x", from, "|sip:[2001:db8::1]:5070|x"},
		{"From: <tel:+4920412841;phone-context=x>;tag=x", from, "|tel:+4920412841;phone-context=x|x"},
		{"From:\r\n <sip:a@example.com>\r\n\t;tag=x", from, "|sip:a@example.com|x"},
		{`Contact: "A, B" <sip:a@b.example>, sip:c@d.example`, contacts, `"A, B" <sip:a@b.example> | <sip:c@d.example>`},
		{"Contact: *", contacts, "*"},
		{`m: <sip:a@b.example>;q=0.5;x="a;b"`, contacts, `<sip:a@b.example>;q=0.5;x="a;b"`},
		{`m: <sip:a@b.example>;x="a b"`, contacts, `<sip:a@b.example>;x="a b"`},
		{"Via: SIP / 2.0 / udp  192.0.2.2 : 5070 ; RPORT ; Branch = x", via, "SIP/2.0/UDP 192.0.2.2:5070;rport;branch=x 1"},
		{"Via: SIP/2.0/TCP [2001:db8::1]:5070;branch=x", via, "SIP/2.0/TCP [2001:db8::1]:5070;branch=x 1"},
		{`Via: SIP/2.0/UDP a;x="1,2";branch=x, SIP/2.0/UDP b`, via, `SIP/2.0/UDP a;x="1,2";branch=x 2`},
		{"CSeq: 0009   OPTIONS", func(r *sip.Request) string { return r.CSeq().Value() }, "9 OPTIONS"},
		{"s: Elterngeld", func(r *sip.Request) string { return r.GetHeader("Subject").Value() }, "Elterngeld"},
		{"k: timer", func(r *sip.Request) string { return r.GetHeader("Supported").Value() }, "timer"},
		{"MAX-forwards: 0068", func(r *sip.Request) string { return r.MaxForwards().Value() }, "68"},
	} {
		m, err := Parse([]byte(request(tt.field)))
		if err != nil {
			t.Errorf("%q: %v", tt.field, err)
			continue
		}
		if got := tt.read(m.(*sip.Request)); got != tt.want {
			t.Errorf("%q was read as %q, want %q", tt.field, got, tt.want)
		}
	}
}

func TestAResponseIsOnlyLostForWhatIsVital(t *testing.T) {
	for _, tt := range []struct {
		field string
		err   error
	}{
		{"CSeq: x", ErrNotSIP}, {"Via: x", ErrNotSIP}, {"To: <sip:a", ErrNotSIP}, {"Content-Length: x", ErrNotSIP},
		{"Contact: <sip:a", nil}, {"Max-Forwards: x", nil}, {"Record-Route: x", nil},
	} {
		_, rest, _ := strings.Cut(request(tt.field), "\r\n")
		if m, err := Parse([]byte("SIP/2.0 200 OK\r\n" + rest)); err != tt.err {
			t.Errorf("%s: %v, %v, want %v", tt.field, m, err, tt.err)
		}
	}
}

func TestMethodsKeepTheirCase(t *testing.T) {
	m, err := Parse([]byte(strings.ReplaceAll(request(""), "OPTIONS", "options")))
	if err != nil || m.(*sip.Request).Method != "options" {
		t.Errorf("%v, %v", m, err)
	}
}

func TestADatagramEndsWithItsBody(t *testing.T) {
	for _, tt := range []struct{ field, rest, want string }{
		{"Content-Length: 3", "abcdef", "abc"},
		{"Content-Length: 0", "abc", ""},
		{"X: y", "", ""},
	} {
		m, err := Parse([]byte(request(tt.field) + tt.rest))
		if err != nil || string(m.Body()) != tt.want {
			t.Errorf("%s: %v, body %q, want %q", tt.field, err, m.Body(), tt.want)
		}
	}
	// RFC 3261 section 18.3: without Content-Length the body ends with the datagram.
	text := strings.Replace(request(""), "Content-Length: 0\r\n", "", 1)
	if m, err := Parse([]byte(text + "abc")); err != nil || string(m.Body()) != "abc" || len(m.GetHeaders("Content-Length")) != 1 {
		t.Errorf("%v, %q", err, m)
	}
}

// next reads all that a stream has.
func next(s *Stream) (got []string) {
	for {
		m, err := s.Next()
		fault, faulty := errors.AsType[*Fault](err)
		switch {
		case err == ErrIncomplete:
			return got
		case faulty && fault.Lost:
			return append(got, fmt.Sprint("lost ", fault.Status))
		case faulty:
			got = append(got, fmt.Sprint(fault.Status))
		case err == ErrLost:
			return append(got, "lost")
		case err == ErrPing:
			got = append(got, "ping")
		case err == ErrNotSIP:
			got = append(got, "ignored")
		default:
			got = append(got, "ok "+string(m.Body()))
		}
	}
}

func TestAStreamIsCutIntoMessages(t *testing.T) {
	good := strings.Replace(request("Content-Length: 2"), "\r\n\r\n", "\r\n\r\nhi", 1)
	bad := request("CSeq: x")
	garbage := "what is this\r\nContent-Length: 5\r\n\r\nabcde"
	huge := strings.Replace(good, "Content-Length: 2\r\n\r\nhi", "Content-Length: 300000\r\n\r\n"+strings.Repeat("x", 300000), 1)
	unframed := strings.Replace(good, "Content-Length: 2\r\n", "", 1)
	for _, tt := range []struct {
		name, text string
		want       string
	}{
		{"no message in sight", strings.Repeat("x", 100<<10), "lost"},
		{"no length", good + unframed + good, "ok hi, lost 400"},
		{"two lengths", good + strings.Replace(good, "Content-Length: 2\r\n", "Content-Length: 2\r\nl: 3\r\n", 1), "ok hi, lost 400"},
		{"negative length", strings.Replace(good, "Content-Length: 2", "Content-Length: -2", 1), "lost 400"},
		{"garbage without length", "what is this\r\n\r\n" + good, "lost"},
		{"a bad message between good ones", good + bad + good, "ok hi, 400, ok hi"},
		{"garbage with length between good ones", good + garbage + good, "ok hi, ignored, ok hi"},
		{"a huge body between good ones", good + huge + good, "ok hi, 413, ok hi"},
		{"a bad response", "SIP/2.0 200 OK\r\nCSeq: x\r\nl: 0\r\n\r\n" + good, "ignored, ok hi"},
		{"keep-alives", "\r\n\r\n" + good + "\r\n\r\n\r\n\r\n" + good + "\r\n" + good, "ping, ok hi, ping, ping, ok hi, ok hi"},
		{"one message", good, "ok hi"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{1, 7, 1000, len(tt.text)} {
				var s Stream
				var got []string
				for rest := tt.text; rest != "" && !strings.HasPrefix(strings.Join(append(got, ""), ", "), "lost"); {
					n := min(size, len(rest))
					s.Write([]byte(rest[:n]))
					rest = rest[n:]
					got = append(got, next(&s)...)
					if len(got) > 0 && strings.HasPrefix(got[len(got)-1], "lost") {
						break
					}
				}
				if strings.Join(got, ", ") != tt.want {
					t.Errorf("in pieces of %d bytes: %q, want %q", size, got, tt.want)
				}
			}
		})
	}
}

func TestWhatWasReadIsWrittenBackTheSame(t *testing.T) {
	for _, name := range []string{"wsinv", "esc01", "semiuri", "lwsdisp", "transports", "mpart01", "unksm2", "regescrt", "cparam01"} {
		data, err := os.ReadFile("../testdata/rfc4475/" + name + ".dat")
		if err != nil {
			t.Fatal(err)
		}
		first, err := Parse(data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		once, err := Encode(first)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		second, err := Parse(once)
		if err != nil {
			t.Fatalf("%s: written as what cannot be read: %v\n%s", name, err, once)
		}
		if twice, err := Encode(second); err != nil || string(twice) != string(once) {
			t.Errorf("%s: %v\n%s\nbecame\n%s", name, err, once, twice)
		}
	}
}

func seed(f *testing.F) {
	files, err := filepath.Glob("../testdata/rfc4475/*.dat")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("\r\n\r\n\r\n"))
}

// FuzzParse: nothing panics, and what was accepted can be written and read again with the same meaning.
func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err != nil {
			return
		}
		first, err := Encode(m)
		if err != nil {
			t.Fatalf("accepted, but cannot be answered: %v\n%q", err, data)
		}
		again, err := Parse(first)
		if err != nil {
			t.Fatalf("written as what cannot be read: %v\n%q\n%q", err, data, first)
		}
		if second, err := Encode(again); err != nil || string(first) != string(second) {
			t.Fatalf("%v\n%q\n%q", err, first, second)
		}
	})
}

// FuzzStream: nothing panics, every call makes progress, and the pieces in which bytes come do not matter.
func FuzzStream(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		var whole, pieces Stream
		whole.Write(data)
		want := next(&whole)
		if len(want) > len(data) {
			t.Fatalf("%d messages of %d bytes", len(want), len(data))
		}
		var got []string
		for i := range data {
			pieces.Write(data[i : i+1])
			got = append(got, next(&pieces)...)
			if len(got) > 0 && strings.HasPrefix(got[len(got)-1], "lost") {
				break
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("whole %q, in pieces %q", want, got)
		}
	})
}
