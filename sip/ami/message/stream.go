package message

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// What we take. Fields that are looked at are a few dozen bytes long; an event has about 50 fields, the longest answer
// (ListCommands with every right) about 300.
const (
	lineRoom    = 8 << 10 // of a longer line only the beginning is kept
	messageRoom = 128 << 10
	fieldsRoom  = 1024
)

// Errors of a Stream.
var (
	ErrIncomplete = errors.New("the rest has not come yet")
	ErrTooLarge   = errors.New("a message without an end") // for good: the stream is lost
)

// A Stream cuts the bytes of one connection. The zero value is ready. Its memory is bounded if Next is called until
// ErrIncomplete after every Write.
type Stream struct {
	data   []byte
	off    int  // of data, that is cut
	seen   int  // of data, behind off: without a line end
	long   bool // a line has been cut short: the rest up to its end is dropped
	fields Message
	size   int // of fields, bytes
	err    error
}

// Write takes what has come.
func (s *Stream) Write(data []byte) {
	s.data = append(s.data[:copy(s.data, s.data[s.off:])], data...)
	s.off = 0 // and seen, counted from off, stays
}

// Banner cuts the first line, "Asterisk Call Manager/11.0.0", which is in front of all messages.
func (s *Stream) Banner() (string, error) {
	line, ok := s.line()
	if !ok {
		return "", ErrIncomplete
	}
	return harmless(line), nil
}

// Begun reports whether a message has come in part.
func (s *Stream) Begun() bool { return s.long || s.off < len(s.data) || s.fields != nil }

// Next cuts one message. Lines that are no field, the output of a command, are dropped. Values are valid UTF-8 without
// control characters.
func (s *Stream) Next() (Message, error) {
	for s.err == nil {
		line, ok := s.line()
		if !ok {
			return nil, ErrIncomplete
		}
		if len(line) == 0 {
			if s.fields == nil {
				continue // a line too much between two messages
			}
			m := s.fields
			s.fields, s.size = nil, 0
			return m, nil
		}
		if name, value, ok := bytes.Cut(line, []byte(":")); ok {
			s.fields = append(s.fields, Field{harmless(bytes.TrimSpace(name)), harmless(bytes.TrimSpace(value))})
		}
		if s.size += len(line) + len("\r\n"); s.size > messageRoom || len(s.fields) > fieldsRoom {
			s.err = fmt.Errorf("%w: more than %d bytes or %d fields", ErrTooLarge, messageRoom, fieldsRoom)
		}
	}
	return nil, s.err
}

// line cuts one line without its end, which is CR LF or LF alone.
func (s *Stream) line() ([]byte, bool) {
	rest := s.data[s.off:]
	end := bytes.IndexByte(rest[s.seen:], '\n')
	if end < 0 {
		s.seen = len(rest)
		if s.long {
			s.data, s.off, s.seen = s.data[:0], 0, 0
			return nil, false
		}
		if len(rest) <= lineRoom {
			return nil, false
		}
		// A copy: the data behind is dropped now and written over by the next Write.
		line := bytes.Clone(rest[:lineRoom])
		s.data, s.off, s.seen, s.long = s.data[:0], 0, 0, true
		return line, true
	}
	end += s.seen
	s.off, s.seen = s.off+end+1, 0
	if s.long {
		s.long = false
		return s.line()
	}
	return bytes.TrimSuffix(rest[:min(end, lineRoom)], []byte("\r")), true
}

// harmless is text that can be shown and logged: U+FFFD replaces what is no UTF-8 and every control character.
func harmless(text []byte) string {
	plain := true
	for _, c := range text {
		plain = plain && c >= ' ' && c < 0x7f
	}
	if plain {
		return string(text)
	}
	return strings.Map(func(r rune) rune {
		if isControl(r) {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(string(text), string(utf8.RuneError)))
}
