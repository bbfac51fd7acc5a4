package presence

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"freizeichen/sip"
	"freizeichen/sip/ua/header"
)

// What a report may say at most. Times are the reporter's, so they are bounded by the calendar alone.
const (
	validMax  = 24 * time.Hour
	withinMax = 24 * time.Hour
	waitMax   = 24 * time.Hour // nobody waits longer than the day that the figures are of
	timeMin   = 631_152_000    // 1990-01-01: a clock that was never set tells 1970
	timeMax   = 4_102_444_800  // 2100-01-01
)

// Text is the report about a queue: one line of JSON, in whole seconds. It fails for a status that ReadText would
// refuse: one that is not Plausible, or Coarse, of which there is no report.
func Text(s sip.QueueStatus) (string, error) {
	if !s.Plausible() || s.Coarse {
		return "", refused("the status of %q cannot be reported: it is coarse or cannot be true", s.Queue)
	}
	l := s.Level
	var w object
	if !s.At.IsZero() {
		w.number("t", s.At.Unix())
	}
	if s.Valid > 0 {
		w.number("v", int64(max(s.Valid/time.Second, 1)))
	}
	if title := header.Text(s.Title, titleMax); title != "" {
		w.text("h", title)
	}
	w.number("w", int64(s.Waiting))
	if s.Waiting > 0 {
		w.number("o", s.Oldest.Unix())
	}
	w.number("a", int64(s.Free))
	w.number("l", int64(s.SignedIn))
	w.number("p", int64(s.Paused))
	w.list("n", l.Offered, l.Answered, l.AnsweredInTime, l.Abandoned, l.AbandonedInTime)
	if l.Within > 0 || l.Target > 0 {
		w.list("g", int(l.Within/time.Second), l.Target)
	}
	w.text("f", l.Formula.String())
	if !s.Since.IsZero() {
		w.number("s", s.Since.Unix())
	}
	text := w.String()
	if _, err := ReadText(s.Queue, text); err != nil {
		return "", err
	}
	return text, nil
}

// ReadText reads the report about a queue: JSON, plain or in base64. Unknown keys are ignored. Waiting callers and
// agents must be told; without "t" the status has no At, without "n" no counts, with "s" they have a gap before it.
func ReadText(queue, text string) (sip.QueueStatus, error) {
	fields, err := readObject(text)
	if err != nil {
		return sip.QueueStatus{}, err
	}
	s := sip.QueueStatus{Queue: queue, Title: header.Text(fields.text("h"), titleMax)}
	s.At = fields.time("t")
	s.Valid = fields.seconds("v", validMax)
	s.Waiting = fields.must("w")
	s.Oldest, s.Since = fields.time("o"), fields.time("s")
	s.Free, s.SignedIn, s.Paused = fields.must("a"), fields.must("l"), fields.must("p")
	if n := fields.list("n", 5); n != nil {
		s.Level = sip.ServiceLevel{Offered: n[0], Answered: n[1], AnsweredInTime: n[2], Abandoned: n[3], AbandonedInTime: n[4]}
	}
	if g := fields.list("g", 2); g != nil {
		if g[0] < 0 || g[0] > int(withinMax/time.Second) {
			fields.fail("g")
		} else {
			s.Level.Within, s.Level.Target = time.Duration(g[0])*time.Second, g[1]
		}
	}
	if name := fields.text("f"); name != "" {
		formula, known := sip.ParseFormula(name)
		if !known {
			fields.fail("f")
		}
		s.Level.Formula = formula
	}
	if !s.At.IsZero() && !s.Oldest.IsZero() && (s.Oldest.After(s.At) || s.At.Sub(s.Oldest) > waitMax) {
		fields.fail("o")
	}
	if fields.err != nil {
		return sip.QueueStatus{}, fields.err
	}
	if !s.Plausible() {
		return sip.QueueStatus{}, refused("the report about %q cannot be true", queue)
	}
	return s, nil
}

// Bell is the text that tells a phone that the state of its agent is another now.
func Bell(at time.Time, version uint64) string {
	var w object
	w.number("t", at.Unix())
	w.raw("c", strconv.FormatUint(version, 10))
	return w.String()
}

type bell struct {
	at      time.Time
	version uint64
}

func readBell(text string) (bell, error) {
	fields, err := readObject(text)
	if err != nil {
		return bell{}, err
	}
	b := bell{at: fields.time("t")}
	version, err := strconv.ParseUint(string(fields.values["c"]), 10, 64)
	if err != nil {
		fields.fail("c")
	}
	b.version = version
	return b, fields.err
}

// An object writes a JSON object, its keys in the order given.
type object struct{ bytes.Buffer }

func (o *object) raw(key, value string) {
	if o.Len() > 0 {
		o.Truncate(o.Len() - 1)
		o.WriteByte(',')
	} else {
		o.WriteByte('{')
	}
	o.WriteString(`"` + key + `":` + value + "}")
}

func (o *object) number(key string, n int64) { o.raw(key, strconv.FormatInt(n, 10)) }

func (o *object) text(key, text string) {
	quoted, _ := json.Marshal(text) // of a string never fails
	o.raw(key, string(quoted))
}

func (o *object) list(key string, numbers ...int) {
	list, _ := json.Marshal(numbers)
	o.raw(key, string(list))
}

// Fields are a JSON object's values; the first that cannot be used is the error.
type fields struct {
	values map[string]json.RawMessage
	err    error
}

// readObject reads one JSON object. encoding/json would take "W" for "w" and the last of two values: such a report
// tells two things, so it tells nothing.
func readObject(text string) (*fields, error) {
	if len(text) > textMax {
		return nil, refused("a report of %d bytes; at most %d are read", len(text), textMax)
	}
	if text = strings.TrimSpace(text); !strings.HasPrefix(text, "{") {
		plain, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, refused("a report that is neither JSON nor base64")
		}
		text = string(plain)
	}
	if !utf8.ValidString(text) {
		return nil, refused("a report that is not UTF-8")
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	if first, err := decoder.Token(); err != nil || first != json.Delim('{') {
		return nil, refused("a report that is no JSON object")
	}
	f := &fields{values: map[string]json.RawMessage{}}
	for decoder.More() {
		name, err := decoder.Token()
		key, ok := name.(string)
		if err != nil || !ok {
			return nil, refused("a report that is no JSON object")
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, refused("a report that is no JSON object")
		}
		if _, twice := f.values[key]; twice {
			return nil, refused("a report that says %.16q twice", key)
		}
		f.values[key] = value
	}
	if _, err := decoder.Token(); err != nil { // the closing brace
		return nil, refused("a report that is no JSON object")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, refused("a report with something behind its end")
	}
	return f, nil
}

func (f *fields) fail(key string) {
	if f.err == nil {
		f.err = refused("a report without a usable %q", key)
	}
}

// number is an integer; 0 without the key.
func (f *fields) number(key string) int64 {
	value, ok := f.values[key]
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil {
		f.fail(key)
	}
	return n
}

// must is an integer that has to be there. Plausible bounds it.
func (f *fields) must(key string) int {
	n := f.number(key)
	if _, ok := f.values[key]; !ok || n != int64(int32(n)) {
		f.fail(key)
	}
	return int(n)
}

func (f *fields) time(key string) time.Time {
	if _, ok := f.values[key]; !ok {
		return time.Time{}
	}
	n := f.number(key)
	if n < timeMin || n >= timeMax {
		f.fail(key)
	}
	return time.Unix(n, 0).UTC()
}

func (f *fields) seconds(key string, most time.Duration) time.Duration {
	n := f.number(key)
	if n < 0 || n > int64(most/time.Second) {
		f.fail(key)
		return 0
	}
	return time.Duration(n) * time.Second
}

// text is a string; "" without the key.
func (f *fields) text(key string) string {
	value, ok := f.values[key]
	if !ok {
		return ""
	}
	text := ""
	if len(value) == 0 || value[0] != '"' || json.Unmarshal(value, &text) != nil {
		f.fail(key)
	}
	return text
}

// list is a list of so many integers; nil without the key.
func (f *fields) list(key string, length int) []int {
	value, ok := f.values[key]
	if !ok {
		return nil
	}
	var numbers []*int32 // pointers, so that null is not 0
	if err := json.Unmarshal(value, &numbers); err != nil || len(numbers) != length {
		f.fail(key)
		return nil
	}
	list := make([]int, 0, length)
	for _, n := range numbers {
		if n == nil {
			f.fail(key)
			return nil
		}
		list = append(list, int(*n))
	}
	return list
}
