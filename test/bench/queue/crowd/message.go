//go:build linux

package crowd

import (
	"bytes"
	"strconv"
)

// A message is what a subscriber needs of a SIP message. The slices lie in the datagram.
type message struct {
	status       int    // of a response; 0: it is a request
	method       []byte // of a request, or what a response answers
	sequence     uint32 // CSeq
	from, to, id []byte // values of From, To and Call-ID
	challenge    []byte // the first WWW-Authenticate
	routes       []byte // all Via lines, as they came
	expired      bool   // Subscription-State: terminated
	body         []byte
}

var (
	lineEnd = []byte("\r\n")
	version = []byte("SIP/2.0")
)

// read reads a datagram. It reports false for one that is no message, or lacks what an answer needs. It is lean: it wants
// each field on one line.
func read(datagram []byte) (m message, ok bool) {
	head, body, found := bytes.Cut(datagram, []byte("\r\n\r\n"))
	if !found {
		return m, false
	}
	m.body = body
	start, rest, _ := bytes.Cut(head, lineEnd)
	if !m.start(start) {
		return m, false
	}
	for len(rest) > 0 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, lineEnd)
		if !m.field(line) {
			return m, false
		}
	}
	return m, len(m.routes) > 0 && len(m.from) > 0 && len(m.to) > 0 && len(m.id) > 0 && len(m.method) > 0
}

// start reads the first line: "NOTIFY sip:... SIP/2.0" or "SIP/2.0 200 OK".
func (m *message) start(line []byte) bool {
	if rest, response := bytes.CutPrefix(line, append(version, ' ')); response {
		code, _, _ := bytes.Cut(rest, []byte{' '})
		status, err := strconv.Atoi(string(code))
		m.status = status
		return err == nil && status >= 100 && status <= 699
	}
	method, rest, _ := bytes.Cut(line, []byte{' '})
	m.method = method
	return len(method) > 0 && bytes.HasSuffix(rest, version)
}

// field reads one header field. RFC 3261 section 7.3.3 has the short names.
func (m *message) field(line []byte) bool {
	name, value, found := bytes.Cut(line, []byte{':'})
	if !found {
		return false
	}
	name, value = bytes.TrimSpace(name), bytes.TrimSpace(value)
	is := func(long, short string) bool {
		return bytes.EqualFold(name, []byte(long)) || short != "" && bytes.EqualFold(name, []byte(short))
	}
	switch {
	case is("Via", "v"):
		m.routes = append(append(m.routes[:len(m.routes):len(m.routes)], line...), lineEnd...)
	case is("From", "f"):
		m.from = value
	case is("To", "t"):
		m.to = value
	case is("Call-ID", "i"):
		m.id = value
	case is("CSeq", ""):
		number, method, _ := bytes.Cut(value, []byte{' '})
		sequence, err := strconv.ParseUint(string(number), 10, 31)
		method = bytes.TrimSpace(method)
		if err != nil || m.status == 0 && !bytes.Equal(method, m.method) {
			return false
		}
		m.sequence, m.method = uint32(sequence), method
	case is("WWW-Authenticate", "") && m.challenge == nil:
		m.challenge = value
	case is("Subscription-State", ""):
		m.expired = bytes.HasPrefix(value, []byte("terminated"))
	}
	return true
}

// answer appends the response to a request (RFC 3261 section 8.2.6.2).
func (m *message) answer(to []byte, status string) []byte {
	to = append(append(append(to, version...), ' '), status...)
	to = append(append(to, lineEnd...), m.routes...)
	for _, field := range []struct {
		name  string
		value []byte
	}{{"From: ", m.from}, {"To: ", m.to}, {"Call-ID: ", m.id}} {
		to = append(append(append(to, field.name...), field.value...), lineEnd...)
	}
	to = strconv.AppendUint(append(to, "CSeq: "...), uint64(m.sequence), 10)
	to = append(append(to, ' '), m.method...)
	return append(to, "\r\nContent-Length: 0\r\n\r\n"...)
}
