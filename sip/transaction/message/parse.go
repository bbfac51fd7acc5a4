package message

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// fieldsMax bounds the header field values of a message, each element of a list counted: a call through ten proxies has
// less than a hundred. What is kept of a message is then little more than its size.
const fieldsMax = 256

// cseqMax is the largest sequence number (RFC 3261 section 8.1.1.5: less than 2**31).
const cseqMax = 1<<31 - 1

// Parse reads one datagram. The message is complete if the error is nil. With a *Fault it is a *sip.Request that
// can be answered; with any other error there is nothing to answer.
func Parse(datagram []byte) (sip.Message, error) {
	for bytes.HasPrefix(datagram, []byte("\r\n")) {
		datagram = datagram[2:] // RFC 3261 section 7.5: CRLF before the start line is ignored
	}
	head, rest, whole := bytes.Cut(datagram, []byte("\r\n\r\n"))
	p := parser{}
	if !p.head(string(bytes.TrimSuffix(head, []byte("\r\n")))) {
		return nil, ErrNotSIP
	}
	if !whole {
		// RFC 3261 section 7: the empty line MUST be present even if the message body is not.
		p.blame("Missing Empty Line")
	}
	body := rest
	if p.hasLength {
		if p.length > uint64(len(rest)) {
			// RFC 3261 section 18.3: if the transport packet ends before the end of the message body, this is an error.
			p.blame("Content-Length Beyond Message")
		} else {
			// Same section: additional bytes beyond the end of the body MUST be discarded.
			body = rest[:p.length]
		}
	}
	return p.finish(body)
}

// A parser gathers one message and remembers its first fault.
type parser struct {
	request   *sip.Request  // one of the two
	response  *sip.Response // is set
	fault     *Fault
	fields    int // values of header fields so far
	hasLength bool
	length    uint64 // value of the first Content-Length
	lengths   int    // how many Content-Length fields there are
}

func (p *parser) message() sip.Message {
	if p.response != nil {
		return p.response
	}
	return p.request
}

func (p *parser) blame(reason string) {
	if p.fault == nil {
		p.fault = bad(reason)
	}
}

// finish gives the message its body and says what it is worth.
func (p *parser) finish(body []byte) (sip.Message, error) {
	m := p.message()
	m.SetBody(bytes.Clone(body))
	switch {
	case p.fault == nil:
		return m, nil
	case p.response != nil:
		return nil, ErrNotSIP // RFC 3261 section 18.3: a bad response MUST be discarded
	}
	return p.request, p.fault
}

// head reads start line and header fields, without the empty line. It is false if this is no SIP at all.
func (p *parser) head(text string) bool {
	lines := strings.Split(text, "\r\n")
	if !p.startLine(lines[0]) {
		return false
	}
	for i := 1; i < len(lines); {
		end := i + 1
		// RFC 3261 section 7.3.1: a line that starts with SP or HT continues the field before it.
		for end < len(lines) && lines[end] != "" && isLWS(lines[end][0]) {
			end++
		}
		p.field(unfold(lines[i:end]))
		i = end
	}
	return true
}

// unfold makes one line of a header field's lines, with single spaces between them.
func unfold(lines []string) string {
	if len(lines) == 1 {
		return lines[0]
	}
	var b strings.Builder
	b.WriteString(strings.TrimRight(lines[0], lws))
	for _, line := range lines[1:] {
		if line = strings.Trim(line, lws); line != "" {
			b.WriteString(" " + line)
		}
	}
	return b.String()
}

func (p *parser) startLine(line string) bool {
	if len(line) > 4 && strings.EqualFold(line[:4], "SIP/") {
		return p.statusLine(line)
	}
	parts := strings.Split(line, " ")
	words := strings.Fields(line)
	if len(words) < 3 || !isToken(words[0]) || !isVersion(words[len(words)-1]) {
		return false
	}
	// RFC 3261 section 7.1: no line folding, no LWS but single SP between the three elements.
	if len(parts) != 3 || hasControl(line) {
		p.request = sip.NewRequest(sip.RequestMethod(words[0]), sip.Uri{Scheme: "sip"})
		p.request.SipVersion = strings.ToUpper(words[len(words)-1])
		p.blame("Malformed Request-Line")
		return true
	}
	uri, err := parseURI(parts[1])
	if err != nil {
		uri = sip.Uri{Scheme: "sip"}
		p.blame("Malformed Request-URI")
	}
	// RFC 3261 section 7.1: the method is case-sensitive (sipgo's own parser would turn it to capitals).
	p.request = sip.NewRequest(sip.RequestMethod(parts[0]), uri)
	p.request.SipVersion = strings.ToUpper(parts[2])
	return true
}

// statusLine reads "SIP/2.0 200 OK"; the phrase may be empty (RFC 4475 section 3.1.1.13).
func (p *parser) statusLine(line string) bool {
	version, rest, _ := strings.Cut(line, " ")
	code, reason, _ := strings.Cut(rest, " ")
	status, err := strconv.Atoi(code)
	// RFC 3261 section 7.2: a three-digit integer result code.
	if err != nil || len(code) != 3 || status < 100 || status > 699 || !strings.EqualFold(version, "SIP/2.0") || hasControl(reason) {
		return false
	}
	p.response = sip.NewResponse(status, reason)
	return true
}

// vital are the fields without which a response is worth nothing.
var vital = []string{"Via", "From", "To", "Call-ID", "CSeq", "Content-Length"}

// field reads one unfolded header field.
func (p *parser) field(line string) {
	name, value, ok := strings.Cut(line, ":")
	name = strings.TrimRight(name, lws)
	value = strings.Trim(value, lws)
	if !ok || !isToken(name) {
		p.blame("Malformed Header Field")
		return
	}
	if hasControl(value) {
		// RFC 3261 section 25.1 lets a quoted pair hold control characters, even NUL (RFC 4475 section 3.1.1.2). No
		// honest sender does, and what shows or logs it may break: refused on purpose, and not echoed.
		p.blame("Control Character in Header Field")
		value = strings.Trim(withoutControl(value), lws)
	}
	name = fullName(name)
	m := p.message()
	headers, reason := typed(name, value)
	if reason != "" {
		// A response cannot be refused: only what is vital to it may cost the call.
		if p.response == nil || slices.Contains(vital, name) {
			p.blame(reason)
		}
		if len(headers) == 0 {
			headers = []sip.Header{sip.NewHeader(name, value)} // for the answer
		}
	}
	for _, h := range headers {
		if length, ok := h.(*sip.ContentLengthHeader); ok {
			if p.lengths++; !p.hasLength {
				p.hasLength, p.length = true, uint64(*length)
			}
		}
		if p.fields++; p.fields <= fieldsMax {
			m.AppendHeader(h)
		}
	}
	if p.fields > fieldsMax {
		p.blame("Too Many Header Fields")
	}
}

// typed makes sipgo's header types of a field; all values of a comma-separated list. A reason says what is wrong
// with it; what could be read all the same comes with it.
func typed(name, value string) (headers []sip.Header, reason string) {
	switch name {
	case "Via":
		return vias(value)
	case "From", "To", "Contact", "Route", "Record-Route", "Refer-To", "Referred-By":
		return addresses(name, value)
	case "Call-ID":
		// RFC 3261 section 25.1: callid = word [ "@" word ], no white space.
		if value == "" || strings.ContainsAny(value, lws) {
			return nil, "Malformed Call-ID"
		}
		h := sip.CallIDHeader(value)
		return []sip.Header{&h}, ""
	case "CSeq":
		return cseq(value)
	case "Max-Forwards":
		// RFC 3261 section 20.22: an integer in the range 0-255.
		n, err := strconv.ParseUint(value, 10, 8)
		if err != nil || !isDigits(value) {
			return nil, "Malformed Max-Forwards"
		}
		h := sip.MaxForwardsHeader(n)
		return []sip.Header{&h}, ""
	case "Content-Length":
		n, err := strconv.ParseUint(value, 10, 31)
		if err != nil || !isDigits(value) {
			return nil, "Malformed Content-Length"
		}
		h := sip.ContentLengthHeader(n)
		return []sip.Header{&h}, ""
	case "Content-Type":
		if value == "" {
			return nil, "Malformed Content-Type"
		}
		h := sip.ContentTypeHeader(value)
		return []sip.Header{&h}, ""
	}
	return []sip.Header{sip.NewHeader(name, value)}, ""
}

func cseq(value string) ([]sip.Header, string) {
	words := strings.Fields(value)
	if len(words) != 2 || !isDigits(words[0]) || !isToken(words[1]) {
		return nil, "Malformed CSeq"
	}
	n, err := strconv.ParseUint(words[0], 10, 64)
	if err != nil || n > cseqMax {
		return nil, "CSeq Number Too Large"
	}
	return []sip.Header{&sip.CSeqHeader{SeqNo: uint32(n), MethodName: sip.RequestMethod(words[1])}}, ""
}

// fullName gives the long form of a compact name (RFC 3261 section 7.3.3 and the IANA registry), and the usual
// spelling of the names that sipgo looks up letter by letter.
func fullName(name string) string {
	lower := strings.ToLower(name)
	if full, ok := fullNames[lower]; ok {
		return full
	}
	return name
}

var fullNames = map[string]string{
	"a": "Accept-Contact", "b": "Referred-By", "c": "Content-Type", "d": "Request-Disposition", "e": "Content-Encoding",
	"f": "From", "i": "Call-ID", "j": "Reject-Contact", "k": "Supported", "l": "Content-Length", "m": "Contact",
	"n": "Identity-Info", "o": "Event", "r": "Refer-To", "s": "Subject", "t": "To", "u": "Allow-Events", "v": "Via",
	"x": "Session-Expires", "y": "Identity",
	"via": "Via", "from": "From", "to": "To", "contact": "Contact", "call-id": "Call-ID", "cseq": "CSeq",
	"max-forwards": "Max-Forwards", "content-length": "Content-Length", "content-type": "Content-Type", "route": "Route",
	"record-route": "Record-Route", "refer-to": "Refer-To", "referred-by": "Referred-By",
}
