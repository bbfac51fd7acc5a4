package page

import (
	"context"
	"errors"
	"time"

	"freizeichen/firmware"
	"freizeichen/sip"
)

// Live is how queues and team stand now. All methods return at once; what they return belongs to the caller.
type Live interface {
	// Queues are all queues, in the order in which they are shown. One of which nothing is known has a zero At.
	Queues() []sip.QueueStatus
	// Desks are all phones of the service centre, also those where nobody is signed in, in any order.
	Desks() []Desk
	// PBX is the connection to the PBX.
	PBX() PBX
	// Watch returns a channel that receives after each change; changes that nobody has taken are one. The caller stops
	// it when done.
	Watch() (changed <-chan struct{}, stop func())
}

// A Desk is what one agent does, without telling which: the page counts, and cannot show more than it gets.
type Desk struct {
	State   sip.AgentState
	Reason  string // of Paused, as sip.Agent.Reason
	Talking bool   // he is in a call; only with Ready, Paused or WrapUp
}

// A PBX is the connection to the PBX.
type PBX struct {
	Connected bool
	Since     time.Time // of being so; zero: never connected since the switchboard started
}

// Records are what agents said of their calls, and the messages to offices.
type Records interface {
	// Figures counts the outcomes of calls that were answered from from until before until. Own is not looked at.
	Figures(ctx context.Context, from, until time.Time) (sip.DayFigures, error)
	// Messages are the messages that wait for an office, in any order.
	Messages(ctx context.Context) ([]Message, error)
	// Callback is whom to call about an open message: ErrNoMessage when there is none of this ID, or it is done.
	Callback(ctx context.Context, id string) (Callback, error)
	// Done ends a message; by is the supervisor. From then on Callback does not tell. Done twice: ErrNoMessage.
	Done(ctx context.Context, id, by string) error
}

// ErrNoMessage says that there is no open message of this ID.
var ErrNoMessage = errors.New("no such open message")

// A Message asks an office to answer a citizen. Whom to call is told apart, by Callback: a list cannot show it.
type Message struct {
	ID     string // 32 hexadecimal digits
	Tenant string
	Line   string
	Topic  string
	Office string
	At     time.Time
	Due    time.Time // the answer is promised until then, service hours counted; zero without a promise
}

// A Callback is whom an office shall call.
type Callback struct{ Number, Name string }

// Accounts are the people who may use the page, and their sessions: of a token only a hash is kept.
type Accounts interface {
	// Supervisors are the names of all of them. None: nobody can log in, there is no default password.
	Supervisors(ctx context.Context) ([]string, error)
	// LogIn begins a session of the given length. An empty token means that name or password is wrong, or, with retry
	// set, that the name is locked until then; which names exist cannot be told from answer or time.
	LogIn(ctx context.Context, now time.Time, name, password string, length time.Duration) (token string, retry time.Time, err error)
	// Session is the supervisor whom a token belongs to; empty when it has expired, was ended, or he is none any more.
	Session(ctx context.Context, now time.Time, token string) (name string, err error)
	// LogOut ends a session.
	LogOut(ctx context.Context, token string) error
}

// Links are the links that open the wallboard. Of what stands in the link only a hash is kept.
type Links interface {
	Links(ctx context.Context) ([]Link, error) // all, in any order
	PutLink(ctx context.Context, link Link) error
	// Link finds a link; false when it was revoked or never was.
	Link(ctx context.Context, hash [32]byte) (link Link, ok bool, err error)
	// RemoveLink revokes a link; it is no error when there is none.
	RemoveLink(ctx context.Context, hash [32]byte) error
}

// A Link opens the wallboard, to look at, until it is revoked.
type Link struct {
	Hash  [32]byte // SHA-256 of what stands in it
	Label string   // where the screen hangs
	Owner string   // the supervisor who made it
	Made  time.Time
}

// Knowledge is what agents speak from.
type Knowledge interface {
	// Knowledge is the last good version with its state. It is not changed by the caller.
	Knowledge() (firmware.Knowledge, KnowledgeState)
}

// KnowledgeState tells whether the knowledge is that of the file.
type KnowledgeState struct {
	Read  time.Time // the last good version was read; zero: there never was one
	Fault string    // what is wrong with the file as it is now, with its line; empty: nothing
	At    time.Time // of Fault
}
