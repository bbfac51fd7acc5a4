// Package wire is what phone and switchboard say to each other as JSON, and its conversion to the words of sip.
// Times are RFC 3339 in UTC, durations are seconds, keys are lowerCamelCase, nothing is larger than BodyMax.
//
//	phone -> switchboard   DecodeRequest, DecodeOutcome, DecodeMessage: an unknown key, a wrong form, anything too long is refused
//	switchboard -> phone   DecodeAgent, DecodeReply, DecodeReceipt, DecodeFigures: unknown keys are passed over, so that
//	                       phones need not be newer than their switchboard; what is understood is checked all the same
//
// It has no input or output of its own and must not have.
package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"freizeichen/sip"
)

// BodyMax bounds a body in bytes, either way; knowledge alone may be larger.
const BodyMax = 64 << 10

// Bounds of fields in bytes. They are generous: what is longer is no name or number.
const (
	nameMax   = 128
	numberMax = 64
	queuesMax = 64
	topicsMax = 128
	pinMax    = 64
)

// secondsMax is longer than any call: a week.
const secondsMax = 7 * 24 * 3600

// A decoder reads one JSON object of at most BodyMax bytes.
func decode(data []byte, into any, strict bool) error {
	if len(data) > BodyMax {
		return fmt.Errorf("the body has %d bytes, at most %d are allowed", len(data), BodyMax)
	}
	if !utf8.Valid(data) {
		return errors.New("the body is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if strict {
		d.DisallowUnknownFields()
	}
	if err := d.Decode(into); err != nil {
		return unreadable(err, d.InputOffset())
	}
	if d.More() || len(bytes.TrimSpace(data[d.InputOffset():])) > 0 {
		return errors.New("something follows the JSON object")
	}
	return nil
}

// unreadable says what is wrong without repeating a value, as encoding/json does: it may be a PIN or a citizen's number.
func unreadable(err error, offset int64) error {
	var mistyped *json.UnmarshalTypeError
	switch {
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return errors.New("the body has a key that is not known")
	case errors.As(err, &mistyped):
		return fmt.Errorf("the body is not the expected JSON: %s has the wrong type", mistyped.Field)
	}
	return fmt.Errorf("the body is not the expected JSON, near byte %d", offset)
}

// encode never fails: the types of this package hold nothing that JSON cannot say.
func encode(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("wire: %T: %v", value, err))
	}
	return data
}

// A check collects the first thing that is wrong.
type check struct{ err error }

func (c *check) fail(format string, arguments ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, arguments...)
	}
}

// text: at most longest bytes, no control characters. Its content is never part of the error.
func (c *check) text(name, value string, longest int) {
	if len(value) > longest {
		c.fail("%s has %d bytes, at most %d are allowed", name, len(value), longest)
	}
	if strings.ContainsFunc(value, unicode.IsControl) {
		c.fail("%s has control characters", name)
	}
}

func (c *check) id(value string) {
	if !ValidID(value) {
		c.fail("id is not 32 hexadecimal digits in lower case")
	}
}

func (c *check) seconds(name string, value float64) time.Duration {
	if !(value >= 0 && value <= secondsMax) { // false of NaN as well
		c.fail("%s is not between 0 and %d seconds", name, secondsMax)
		return 0
	}
	return time.Duration(math.Round(value*1000)) * time.Millisecond
}

func (c *check) count(name string, values ...int) {
	for _, n := range values {
		if n < 0 || n > math.MaxInt32 {
			c.fail("%s is no count", name)
		}
	}
}

// when: a year that RFC 3339 can say, also after a zone was added.
func (c *check) when(name string, t time.Time) {
	if y := t.Year(); !t.IsZero() && (y < 1970 || y > 9998) {
		c.fail("%s is not a time between 1970 and 9998", name)
	}
}

// Tag is the entity tag of a compiled knowledge file. Both sides compute it, so that a phone that was started again needs
// not fetch what it has.
func Tag(knowledge []byte) string {
	sum := sha256.Sum256(knowledge)
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

// ValidID tells whether an outcome's or message's identifier has its form.
func ValidID(id string) bool {
	return len(id) == 32 && strings.Trim(id, "0123456789abcdef") == ""
}

func parse[T any](c *check, name, value string, parse func(string) (T, bool)) T {
	t, ok := parse(value)
	if !ok {
		c.fail("%s is none of the known words", name)
	}
	return t
}

// utc is a time as it is sent: to the microsecond, in UTC; the zero time stays zero and is left out.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

func seconds(d time.Duration) float64 {
	return float64(d.Round(time.Millisecond)) / float64(time.Second)
}

// wrap names what was decoded, once.
func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("wire: %s: %w", what, err)
}

type agent struct {
	Device    string    `json:"device"`
	Number    string    `json:"number,omitempty"`
	Name      string    `json:"name,omitempty"`
	State     string    `json:"state"`
	Reason    string    `json:"reason,omitempty"`
	Since     time.Time `json:"since,omitzero"`
	Until     time.Time `json:"until,omitzero"`
	Extends   int       `json:"extends,omitempty"`
	Next      string    `json:"pausesNext,omitempty"`
	Queues    []string  `json:"queues,omitempty"`
	Elsewhere string    `json:"elsewhere,omitempty"`
	Version   uint64    `json:"version"`
	Confirmed bool      `json:"confirmed"`
}

func agentOf(a sip.Agent) agent {
	return agent{
		Device: a.Device, Number: a.Number, Name: a.Name, State: a.State.String(), Reason: a.Reason, Since: utc(a.Since), Until: utc(a.Until),
		Extends: a.Extends, Next: a.PausesNext, Queues: a.Queues, Elsewhere: a.Elsewhere, Version: a.Version, Confirmed: a.Confirmed,
	}
}

func (a agent) words(c *check) sip.Agent {
	c.text("agent.device", a.Device, nameMax)
	c.text("agent.number", a.Number, numberMax)
	c.text("agent.name", a.Name, nameMax)
	c.text("agent.reason", a.Reason, nameMax)
	c.text("agent.pausesNext", a.Next, nameMax)
	c.text("agent.elsewhere", a.Elsewhere, nameMax)
	c.when("agent.since", a.Since)
	c.when("agent.until", a.Until)
	c.count("agent.extends", a.Extends)
	if len(a.Queues) > queuesMax {
		c.fail("agent.queues has more than %d names", queuesMax)
	}
	for _, queue := range a.Queues {
		c.text("agent.queues", queue, nameMax)
	}
	state := parse(c, "agent.state", a.State, sip.ParseAgentState)
	if (a.Number == "") != (state == sip.SignedOut) {
		c.fail("agent.state %s does not go with the agent's number", state)
	}
	return sip.Agent{
		Device: a.Device, Number: a.Number, Name: a.Name, State: state, Reason: a.Reason, Since: utc(a.Since), Until: utc(a.Until),
		Extends: a.Extends, PausesNext: a.Next, Queues: a.Queues, Elsewhere: a.Elsewhere, Version: a.Version, Confirmed: a.Confirmed,
	}
}

// EncodeAgent writes the answer of GET /v1/agent.
func EncodeAgent(a sip.Agent) []byte { return encode(agentOf(a)) }

// DecodeAgent reads what EncodeAgent wrote.
func DecodeAgent(data []byte) (sip.Agent, error) {
	var a agent
	if err := decode(data, &a, false); err != nil {
		return sip.Agent{}, wrap("agent", err)
	}
	var c check
	words := a.words(&c)
	if c.err != nil {
		return sip.Agent{}, wrap("agent", c.err)
	}
	return words, nil
}

type request struct {
	Verb     string `json:"verb"`
	Number   string `json:"number,omitempty"`
	PIN      string `json:"pin,omitempty"`
	TakeOver bool   `json:"takeOver,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

// EncodeRequest writes the body of POST /v1/agent. The request's ID stays on the phone.
func EncodeRequest(r sip.AgentRequest) []byte {
	return encode(request{Verb: r.Verb.String(), Number: r.Number, PIN: r.PIN, TakeOver: r.TakeOver, Reason: r.Reason})
}

// DecodeRequest reads what EncodeRequest wrote. No error repeats the number or the PIN.
func DecodeRequest(data []byte) (sip.AgentRequest, error) {
	var r request
	if err := decode(data, &r, true); err != nil {
		return sip.AgentRequest{}, wrap("request", err)
	}
	var c check
	verb := parse(&c, "verb", r.Verb, parseVerb)
	c.text("number", r.Number, numberMax)
	c.text("pin", r.PIN, pinMax)
	c.text("reason", r.Reason, nameMax)
	if signIn := verb == sip.SignIn; signIn && (r.Number == "" || r.PIN == "") {
		c.fail("sign-in wants number and pin")
	} else if !signIn && (r.Number != "" || r.PIN != "" || r.TakeOver) {
		c.fail("number, pin and takeOver belong to sign-in")
	}
	if c.err != nil {
		return sip.AgentRequest{}, wrap("request", c.err)
	}
	return sip.AgentRequest{Verb: verb, Number: r.Number, PIN: r.PIN, TakeOver: r.TakeOver, Reason: r.Reason}, nil
}

func parseVerb(name string) (sip.AgentVerb, bool) {
	for v := range sip.AgentVerbCount {
		if v.String() == name {
			return v, true
		}
	}
	return 0, false
}

type reply struct {
	Problem   string    `json:"problem"`
	Agent     *agent    `json:"agent,omitempty"` // absent: not known
	Tries     int       `json:"tries,omitempty"`
	Retry     time.Time `json:"retry,omitzero"`
	Elsewhere string    `json:"elsewhere,omitempty"`
}

// EncodeReply writes the answer of POST /v1/agent.
func EncodeReply(r sip.AgentReply) []byte {
	w := reply{Problem: r.Problem.String(), Tries: r.Tries, Retry: utc(r.Retry), Elsewhere: r.Elsewhere}
	if r.Known {
		a := agentOf(r.Agent)
		w.Agent = &a
	}
	return encode(w)
}

// DecodeReply reads what EncodeReply wrote; the ID is the caller's to set.
func DecodeReply(data []byte) (sip.AgentReply, error) {
	var r reply
	if err := decode(data, &r, false); err != nil {
		return sip.AgentReply{}, wrap("reply", err)
	}
	var c check
	words := sip.AgentReply{Problem: parse(&c, "problem", r.Problem, sip.ParseAgentProblem), Tries: r.Tries, Retry: utc(r.Retry), Elsewhere: r.Elsewhere}
	c.count("tries", r.Tries)
	c.when("retry", r.Retry)
	c.text("elsewhere", r.Elsewhere, nameMax)
	if r.Agent != nil {
		words.Known, words.Agent = true, r.Agent.words(&c)
	}
	if words.Problem == sip.NoProblem && !words.Known {
		c.fail("agent is missing though there is no problem")
	}
	if c.err != nil {
		return sip.AgentReply{}, wrap("reply", c.err)
	}
	return words, nil
}

// sameOrder keeps slices nil when they are empty, as the words have them.
func sameOrder[T, U any](from []T, convert func(T) U) []U {
	if len(from) == 0 {
		return nil
	}
	to := make([]U, 0, len(from))
	for t := range slices.Values(from) {
		to = append(to, convert(t))
	}
	return to
}
