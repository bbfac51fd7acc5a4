package ami

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"freizeichen/sip/ami/message"
)

// Errors of actions. What was asked in vain has not happened, but for ErrAway, ErrTimeout and the context's: then it may
// have happened, and the next list of all queues tells.
var (
	ErrAway        = errors.New("there is no connection to the PBX")
	ErrTimeout     = errors.New("the PBX did not answer in time")
	ErrForbidden   = errors.New("the user of manager.conf may not do that")
	ErrNoQueue     = errors.New("no such queue")
	ErrIsMember    = errors.New("the interface is a member of the queue already")
	ErrNoMember    = errors.New("the interface is no member of the queue")
	ErrStatic      = errors.New("the member stands in queues.conf and cannot be removed")
	ErrNotSet      = errors.New("the state was not set: is func_presencestate loaded?")
	ErrTextTooLong = errors.New("the text is too long for one line of the manager interface")
	ErrUnfit       = message.ErrUnfit // a value that cannot be sent: a line end in it, too long, not UTF-8
)

// refusals are Asterisk's words (app_queue.c, manager.c); the same since Asterisk 1.6.
var refusals = []struct {
	words string
	err   error
}{
	{"Permission denied", ErrForbidden},
	{"No such queue", ErrNoQueue},
	{"Already there", ErrIsMember},
	{"Not there", ErrNoMember},
	{"Interface not found", ErrNoMember}, // of QueuePause: also for a queue that does not exist
	{"Member not dynamic", ErrStatic},
	{"Variable not set", ErrNotSet},
}

// current is the link that actions go to, nil if there is none.
func (c *Client) current() *link {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.link
}

// act does one action.
func (c *Client) act(ctx context.Context, action message.Message) error {
	_, err := c.on(ctx, action)
	return err
}

// on is act that tells the link too.
func (c *Client) on(ctx context.Context, action message.Message) (*link, error) {
	l := c.current()
	_, name := action.Kind()
	if l == nil {
		return nil, fmt.Errorf("ami: %s: %w", name, ErrAway)
	}
	m, err := l.do(ctx, action, &question{})
	if err == nil {
		err = refused(m)
	}
	if err != nil {
		return l, fmt.Errorf("ami: %s: %w", name, err)
	}
	return l, nil
}

// refused is the error that a response tells of, nil if none.
func refused(m message.Message) error {
	_, result := m.Kind()
	if result == "Success" {
		return nil
	}
	said := m.Get("Message")
	for _, r := range refusals {
		if strings.Contains(said, r.words) {
			return r.err
		}
	}
	return fmt.Errorf("the PBX says %s: %.200q", result, said)
}

// Ping asks whether Asterisk answers.
func (c *Client) Ping(ctx context.Context) error {
	return c.act(ctx, message.Message{{Name: "Action", Value: "Ping"}})
}

// QueueStatus asks for the list of all queues once more. Observe gets it between SyncBegin and SyncComplete, and
// QueueStatus returns at its end. After each login it is asked for without this.
func (c *Client) QueueStatus(ctx context.Context) error {
	l := c.current()
	if l == nil {
		return fmt.Errorf("ami: QueueStatus: %w", ErrAway)
	}
	return queueStatus(ctx, l, &question{list: true, opens: true})
}

// queueStatus ends the link if the list does not come to its end: there would be a SyncBegin without SyncComplete.
func queueStatus(ctx context.Context, l *link, q *question) error {
	m, err := l.do(ctx, message.Message{{Name: "Action", Value: "QueueStatus"}}, q)
	if errors.Is(err, ErrTimeout) {
		l.fail(&failure{TimedOut, fmt.Errorf("the list of all queues did not end within %s", syncMax)})
	}
	if kind, _ := m.Kind(); err == nil && kind == "Response" { // and not the list's end
		err = &failure{NotReady, fmt.Errorf("the list of all queues was refused: %w", refused(m))}
	}
	if _, ok := errors.AsType[*failure](err); err != nil && !ok {
		err = fmt.Errorf("ami: QueueStatus: %w", err)
	}
	return err
}

// An Addition is a member to be.
type Addition struct {
	Queue          string
	Interface      string // that is called: "PJSIP/201"
	MemberName     string // the agent's number; empty: the interface
	StateInterface string // empty: the interface
	Paused         bool   // from the beginning
	Reason         string // of Paused
	Penalty        int    // 0: is called first
}

// QueueAdd makes a member of a queue: ErrNoQueue, ErrIsMember. QueueMemberAdded tells of it.
func (c *Client) QueueAdd(ctx context.Context, a Addition) error {
	action := message.Message{{Name: "Action", Value: "QueueAdd"}, {Name: "Queue", Value: a.Queue}, {Name: "Interface", Value: a.Interface},
		{Name: "Penalty", Value: strconv.Itoa(max(a.Penalty, 0))}, {Name: "Paused", Value: strconv.FormatBool(a.Paused)}}
	action = optional(action, "MemberName", a.MemberName)
	action = optional(action, "StateInterface", a.StateInterface)
	if a.Paused {
		action = optional(action, "Reason", a.Reason)
	}
	return c.changed(c.on(ctx, action))
}

// QueueRemove removes a member from a queue: ErrNoQueue, ErrNoMember, ErrStatic. A call that he is in goes on.
func (c *Client) QueueRemove(ctx context.Context, queue, member string) error {
	return c.changed(c.on(ctx, message.Message{{Name: "Action", Value: "QueueRemove"}, {Name: "Queue", Value: queue}, {Name: "Interface", Value: member}}))
}

// QueuePause pauses a member, or ends his pause, in one queue or in all that he serves (queue empty). ErrNoMember: he
// serves none, or not this one, or there is no such queue. The reason may be empty.
func (c *Client) QueuePause(ctx context.Context, member, queue string, paused bool, reason string) error {
	action := message.Message{{Name: "Action", Value: "QueuePause"}, {Name: "Interface", Value: member}, {Name: "Paused", Value: strconv.FormatBool(paused)}}
	action = optional(action, "Queue", queue)
	return c.changed(c.on(ctx, optional(action, "Reason", reason)))
}

// changed waits for an event if the action has made one.
func (c *Client) changed(l *link, err error) error {
	if err == nil {
		l.expectLive(c.config.User)
	}
	return err
}

func optional(m message.Message, name, value string) message.Message {
	if value == "" {
		return m
	}
	return append(m, message.Field{Name: name, Value: value})
}

// A Presence is what subscribers of CustomPresence:<Resource> get to see.
type Presence struct {
	Resource string // letters, digits, "-", "_" and ".": "cc-zulassung"
	Subtype  string // the same: "queue"
	// Text has at most TextRoom(Subtype) bytes. Subscribers see it as base64.
	Text []byte
}

// TextRoom is how many bytes the text of a presence may have: 747 for a subtype of five letters, what fits one line of
// message.LineMax bytes as base64. Releases of Asterisk whose res_pjsip_pidf_digium_body_supplement.c has a buffer of
// 256 bytes cut off what is longer than 189 bytes.
func TextRoom(subtype string) int {
	return max(message.LineMax-len("Value: ")-len(presenceValue(subtype, nil)), 0) / 4 * 3
}

// presenceValue is what func_presencestate takes: state, subtype, text. The text is base64, because a comma would end
// it, and stays base64 for the subscribers: with the option "e" Asterisk would decode it, but cut a change off behind
// 255 bytes (presence_write; measured with 22.10), and write each quotation mark of it as six bytes.
func presenceValue(subtype string, text []byte) string {
	return "available," + subtype + "," + base64.StdEncoding.EncodeToString(text)
}

// SetPresence sets states, all at once and in order: many take hardly longer than one. The error joins those of each:
// ErrTextTooLong, ErrUnfit (nothing was sent), ErrNotSet, ErrForbidden, ErrAway.
func (c *Client) SetPresence(ctx context.Context, states ...Presence) error {
	l := c.current()
	failed := make([]error, len(states))
	asked := make([]*question, len(states))
	for i, p := range states {
		asked[i] = &question{}
		if failed[i] = p.check(); failed[i] == nil && l == nil {
			failed[i] = ErrAway
		}
		if failed[i] == nil {
			failed[i] = l.ask(ctx, message.Message{{Name: "Action", Value: "Setvar"}, {Name: "Variable", Value: "PRESENCE_STATE(CustomPresence:" + p.Resource + ")"},
				{Name: "Value", Value: presenceValue(p.Subtype, p.Text)}}, asked[i])
		}
	}
	for i, q := range asked {
		if failed[i] == nil {
			var m message.Message
			if m, failed[i] = l.wait(ctx, q); failed[i] == nil {
				failed[i] = refused(m)
			}
		}
		if failed[i] != nil {
			failed[i] = fmt.Errorf("ami: presence of %.40q: %w", states[i].Resource, failed[i])
		}
	}
	return errors.Join(failed...)
}

// check: what is written into PRESENCE_STATE(...) and between its commas must not look like either.
func (p Presence) check() error {
	for _, word := range []string{p.Resource, p.Subtype} {
		if word == "" || len(word) > wordMax || strings.ContainsFunc(word, func(r rune) bool {
			return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && !strings.ContainsRune("-_.", r)
		}) {
			return fmt.Errorf("%.40q is no name of a presence: %w", word, ErrUnfit)
		}
	}
	if room := TextRoom(p.Subtype); len(p.Text) > room {
		return fmt.Errorf("%w: %d bytes, %d have room", ErrTextTooLong, len(p.Text), room)
	}
	return nil
}

// wordMax is less than AST_MAX_EXTENSION (80) of Asterisk, beyond which it cuts names off.
const wordMax = 79
