package message

import (
	"bytes"

	"github.com/emiago/sipgo/sip"
)

const (
	// headMax bounds start line and header fields of a message on a stream: one datagram's worth.
	headMax = 64 << 10
	// bodyMax bounds a body on a stream. Ours are SDP and presence documents of a few kilobytes.
	bodyMax = 64 << 10
)

// A Stream cuts messages out of a byte stream (RFC 3261 section 18.3). The zero value is ready.
type Stream struct {
	buf     []byte
	scanned int // bytes of buf known to hold no end of head
	wanted  int // bytes of the message that begins buf, once its head has come; 0: not known yet
	skip    int // bytes of a refused body still to come
}

// Write appends bytes as they come. Next is to be called until it returns ErrIncomplete before more are written.
func (s *Stream) Write(data []byte) {
	n := min(s.skip, len(data))
	s.skip -= n
	s.buf = append(s.buf, data[n:]...)
}

// Begun reports whether a message has begun whose end has not come.
func (s *Stream) Begun() bool { return len(s.buf) > 0 || s.skip > 0 }

// Next is the next message, in the manner of Parse. ErrIncomplete: more bytes are needed; ErrPing: answer CRLF;
// ErrLost: close. After any other error the next message can be read, unless a Fault says Lost.
func (s *Stream) Next() (sip.Message, error) {
	if len(s.buf) < s.wanted {
		return nil, ErrIncomplete // the head has been read, and need not be again for each piece of the body
	}
	if err := s.keepAlive(); err != nil {
		return nil, err
	}
	end := bytes.Index(s.buf[s.scanned:], []byte("\r\n\r\n"))
	if end < 0 {
		if len(s.buf) > headMax {
			return nil, ErrLost
		}
		s.scanned = max(0, len(s.buf)-3)
		return nil, ErrIncomplete
	}
	end += s.scanned
	p := parser{}
	known := p.head(string(s.buf[:end]))
	length, framed := p.bodyLength(known, s.buf[:end])
	if framed && length <= bodyMax && len(s.buf) < end+4+length {
		s.scanned, s.wanted = end, end+4+length
		return nil, ErrIncomplete
	}
	body := s.buf[end+4:]
	switch {
	case !framed:
		// RFC 3261 section 18.3: the Content-Length header field MUST be used with stream-oriented transports.
		p.blame("Missing or Ambiguous Content-Length")
		p.fault.Lost = true
		s.drop(len(s.buf))
		body = nil
	case length > bodyMax:
		p.fault = &Fault{Status: 413, Reason: "Request Entity Too Large"}
		s.skip = max(0, length-len(body))
		s.drop(min(len(s.buf), end+4+length))
		body = nil
	default:
		body = bytes.Clone(body[:length])
		s.drop(end + 4 + length)
	}
	if !known {
		if !framed {
			return nil, ErrLost
		}
		return nil, ErrNotSIP
	}
	m, err := p.finish(body)
	if err == ErrNotSIP && !framed {
		return nil, ErrLost
	}
	return m, err
}

// bodyLength says how long the body is. Of what is no SIP message it looks for the field alone, so that a single
// bad message does not cost the connection.
func (p *parser) bodyLength(known bool, head []byte) (length int, framed bool) {
	if !known {
		q := parser{}
		if !q.head("SIP/2.0 200 \r\n" + string(head)) {
			return 0, false
		}
		p = &q
	}
	return int(p.length), p.hasLength && p.lengths == 1
}

// drop forgets the first n bytes; it moves the rest, so that the buffer does not grow with the stream.
func (s *Stream) drop(n int) {
	s.buf = append(s.buf[:0], s.buf[n:]...)
	s.scanned, s.wanted = 0, 0
}

// keepAlive consumes CRLF between messages.
func (s *Stream) keepAlive() error {
	for s.scanned == 0 && len(s.buf) > 0 && s.buf[0] == '\r' {
		switch {
		case bytes.HasPrefix(s.buf, []byte("\r\n\r\n")):
			s.drop(4)
			return ErrPing
		case len(s.buf) < 4 && bytes.HasPrefix([]byte("\r\n\r\n"), s.buf):
			return ErrIncomplete
		case bytes.HasPrefix(s.buf, []byte("\r\n")):
			s.drop(2) // RFC 3261 section 7.5: CRLF before the start line is ignored
		default:
			return nil
		}
	}
	return nil
}
