// Package message is the Asterisk Manager Interface as bytes: messages are lists of "Name: value" lines that end with
// an empty one. Names are written differently from release to release ("ServiceLevel", "Servicelevel"), and some come
// several times ("Variable", "ChanVariable").
//
//	bytes --Stream--> Message        Message --Append--> bytes
//
// It must not know what any field means.
package message

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// What Asterisk takes. A longer line is not only refused: its rest is read as the lines of another message.
const (
	// LineMax is the most bytes of a line without its end: measured with Asterisk 22, whose buffer has 1,024 with it.
	LineMax = 1022
	// FieldsMax is AST_MAX_MANHEADERS of Asterisk's manager.h: what is more is silently dropped there.
	FieldsMax = 128
)

// ErrUnfit is wrapped when a message cannot be written as it is.
var ErrUnfit = errors.New("cannot be sent to Asterisk")

// A Field is one line.
type Field struct{ Name, Value string }

// A Message is its lines in order. The first is "Action", "Response" or "Event". It can hold callers' data.
type Message []Field

// Kind is the first line: "Event" and "QueueCallerJoin". Only the first counts: an event can have a field "Response".
func (m Message) Kind() (kind, name string) {
	if len(m) == 0 {
		return "", ""
	}
	for _, kind := range []string{"Event", "Response", "Action"} {
		if strings.EqualFold(m[0].Name, kind) {
			return kind, m[0].Value
		}
	}
	return "", ""
}

// Get is the first value of a name in any case, empty without one.
func (m Message) Get(name string) string {
	for _, f := range m {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// All is every value of a name in any case, in order.
func (m Message) All(name string) []string {
	var values []string
	for _, f := range m {
		if strings.EqualFold(f.Name, name) {
			values = append(values, f.Value)
		}
	}
	return values
}

// String names the message without its values: they can be a caller's number or a secret.
func (m Message) String() string {
	kind, name := m.Kind()
	if kind == "" {
		name = "?"
	}
	return fmt.Sprintf("%s %s (%d fields)", kind, name, len(m))
}

// GoString is String: no way of printing shows the values.
func (m Message) GoString() string { return m.String() }

// Append writes the message to the end of data. A value that would become another line, or that Asterisk would not take
// as a whole, is ErrUnfit; the error holds no value.
func (m Message) Append(data []byte) ([]byte, error) {
	if len(m) == 0 || len(m) > FieldsMax {
		return data, fmt.Errorf("%d fields: %w", len(m), ErrUnfit)
	}
	out := data
	for _, f := range m {
		switch {
		case !isName(f.Name):
			return data, fmt.Errorf("the field name %q: %w", f.Name, ErrUnfit)
		case !utf8.ValidString(f.Value) || strings.ContainsFunc(f.Value, isControl):
			return data, fmt.Errorf("%s has a control character or is not UTF-8: %w", f.Name, ErrUnfit)
		case len(f.Name)+len(": ")+len(f.Value) > LineMax:
			return data, fmt.Errorf("%s has %d bytes, %d have room: %w", f.Name, len(f.Value), LineMax-len(f.Name)-len(": "), ErrUnfit)
		}
		out = append(out, f.Name...)
		out = append(out, ": "...)
		out = append(out, f.Value...)
		out = append(out, "\r\n"...)
	}
	return append(out, "\r\n"...), nil
}

func isName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '_'
	})
}

// isControl: C0 with CR, LF and NUL, DEL, C1, and the line ends of Unicode.
func isControl(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029'
}
