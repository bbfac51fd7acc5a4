// Package amitest is an Asterisk Manager Interface for tests, over an in-memory wire that runs in fake time. It behaves
// like Asterisk 22, with queues and members in memory, until it is told to misbehave.
//
//	server := amitest.New("switchboard", "secret", "zulassung")
//	client, err := ami.New(ami.Config{Dial: server.Dial, ...})
//	server.Event("QueueCallerJoin", "Queue", "zulassung", ...)      to whoever is logged in
//	server.Next(amitest.Silent)                                    what the next connection meets
//	server.Cut("Event: QueueCallerLe")                             the last bytes of this connection
//
// It reads and writes with its own code: it must not share the client's mistakes.
package amitest

import (
	"bufio"
	"context"
	"crypto/md5"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A Fault is how a connection misbehaves.
type Fault uint8

// The faults.
const (
	None         Fault = iota
	Refuse             // nobody listens
	Unreachable        // no way to the host
	Late               // the banner comes after 4 s
	Mute               // no banner at all
	HTTP               // another protocol answers
	NoChallenge        // Challenge is refused: the secret comes in clear
	NoRights           // the user has no class "agent"
	NoSetvar           // nor "call", which Setvar needs
	NoQueues           // app_queue is not loaded
	Silent             // takes everything and says nothing after the login
	SilentInList       // says nothing any more in the middle of the list of queues
	CutInList          // ends in the middle of a message of the list
	Flood              // a message without an end after the login
	Bytewise           // every byte is a packet
	LineFeeds          // LF instead of CR LF, and empty lines where none belong
	Blind              // no event reaches the user: "read" lacks "agent"
)

// A Member is one of a queue.
type Member struct {
	Interface, Name, Reason string
	Paused, Static          bool
}

// A Server is one Asterisk. All methods may be called from any goroutine.
type Server struct {
	TLS *tls.Config // of new connections; nil: without

	user, secret string

	mu       sync.Mutex
	faults   []Fault
	sessions []*session
	dials    int
	delay    time.Duration
	actions  []string
	queues   []string
	members  map[string][]Member
	callers  map[string][]string // Uniqueid
	state    map[string]string   // Setvar
	running  sync.WaitGroup
}

// New has queues without members.
func New(user, secret string, queues ...string) *Server {
	return &Server{user: user, secret: secret, queues: queues, members: map[string][]Member{}, callers: map[string][]string{}, state: map[string]string{}}
}

// Next says how the next connections misbehave, one fault each; those after behave.
func (s *Server) Next(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Dial is for ami.Config.
func (s *Server) Dial(context.Context, string, string) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dials++
	fault := None
	if len(s.faults) > 0 {
		fault, s.faults = s.faults[0], s.faults[1:]
	}
	switch fault {
	case Refuse:
		return nil, syscall.ECONNREFUSED
	case Unreachable:
		return nil, syscall.EHOSTUNREACH
	}
	ours, theirs := net.Pipe()
	if s.TLS != nil {
		ours = tls.Server(ours, s.TLS)
	}
	c := &session{server: s, conn: ours, fault: fault, out: make(chan packet, 8192), ended: make(chan struct{})}
	s.sessions = append(s.sessions, c)
	s.running.Go(c.write)
	s.running.Go(c.read)
	return theirs, nil
}

// Close ends all connections and waits for their goroutines.
func (s *Server) Close() {
	s.Cut("")
	s.running.Wait()
}

// Cut sends the last bytes and ends all connections.
func (s *Server) Cut(last string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.sessions {
		if last != "" {
			c.send(last)
		}
		c.send(cut)
	}
}

// Freeze keeps all connections open and silent: nothing is answered any more.
func (s *Server) Freeze() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.sessions {
		c.mute = true
	}
}

// Delay makes everything that is sent from now on take a time on its way.
func (s *Server) Delay(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay = d
}

// Event sends an event to everybody who is logged in: names and values by turns.
func (s *Server) Event(name string, fields ...string) { s.Raw(event(name, fields...)) }

// Raw sends bytes to everybody who is logged in.
func (s *Server) Raw(data string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tell(data)
}

func (s *Server) tell(data string) {
	for _, c := range s.sessions {
		if c.loggedIn && c.fault != Blind && !c.mute {
			c.send(data)
		}
	}
}

// Join puts a caller into a queue, Leave takes him out.
func (s *Server) Join(queue, uniqueid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.callers[queue] = append(s.callers[queue], uniqueid)
	n := fmt.Sprint(len(s.callers[queue]))
	s.tell(event("QueueCallerJoin", "Channel", "PJSIP/carrier-00000001", "CallerIDNum", "028415551234", "CallerIDName", "Erika Müller",
		"Uniqueid", uniqueid, "Queue", queue, "Position", n, "Count", n))
}

// Leave takes a caller out of a queue.
func (s *Server) Leave(queue, uniqueid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.Index(s.callers[queue], uniqueid)
	if at < 0 {
		return
	}
	s.callers[queue] = slices.Delete(s.callers[queue], at, at+1)
	s.tell(event("QueueCallerLeave", "CallerIDNum", "028415551234", "Uniqueid", uniqueid, "Queue", queue,
		"Position", fmt.Sprint(at+1), "Count", fmt.Sprint(len(s.callers[queue]))))
}

// Add makes a member as queues.conf or somebody else does.
func (s *Server) Add(queue string, m Member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.members[queue] = append(s.members[queue], m)
	s.tell(event("QueueMemberAdded", memberFields(queue, m, "MemberName", "Interface")...))
}

// Members are a queue's.
func (s *Server) Members(queue string) []Member {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.members[queue])
}

// State is what Setvar has set a variable to.
func (s *Server) State(variable string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state[variable]
}

// Dials counts the attempts to connect.
func (s *Server) Dials() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dials
}

// Actions are the names of all that were asked, in order.
func (s *Server) Actions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.actions)
}

// A session is one connection.
type session struct {
	server   *Server
	conn     net.Conn
	fault    Fault
	out      chan packet
	ended    chan struct{} // closed by read
	loggedIn bool          // under the server's mu, as challenge
	mute     bool          // the same
}

// cut in the queue ends the connection.
const cut = "\x00cut"

// challenge is always the same: only the answer is looked at.
const challenge = "853043048"

// A packet is on its way until at.
type packet struct {
	at   time.Time
	data string
}

// send queues data; the server's mu is held.
func (c *session) send(data string) { c.out <- packet{time.Now().Add(c.server.delay), data} }

// greet is send without the mu.
func (c *session) greet(data string) { c.out <- packet{time.Now(), data} }

func (c *session) write() {
	defer c.conn.Close()
	for {
		select {
		case p := <-c.out:
			time.Sleep(time.Until(p.at))
			if p.data == cut || !c.transmit(p.data) {
				return
			}
		case <-c.ended:
			return
		}
	}
}

func (c *session) transmit(data string) bool {
	if c.fault == LineFeeds {
		data = strings.ReplaceAll(data, "\r\n", "\n")
		if strings.HasSuffix(data, "\n\n") {
			data += "\n\r\n"
		}
	}
	parts := []string{data}
	if c.fault == Bytewise {
		parts = strings.Split(data, "")
	}
	for _, part := range parts {
		if _, err := c.conn.Write([]byte(part)); err != nil {
			return false
		}
	}
	return true
}

func (c *session) read() {
	defer c.end()
	switch c.fault {
	case Late:
		time.Sleep(4 * time.Second)
		c.greet("Asterisk Call Manager/11.0.0\r\n")
	case HTTP:
		c.greet("HTTP/1.1 400 Bad Request\r\n\r\n")
	case Mute:
	default:
		c.greet("Asterisk Call Manager/11.0.0\r\n")
	}
	lines := bufio.NewScanner(c.conn)
	action := map[string]string{}
	for lines.Scan() {
		if line := lines.Text(); line != "" {
			name, value, _ := strings.Cut(line, ": ")
			action[name] = value
			continue
		}
		c.server.mu.Lock()
		c.handle(action)
		c.server.mu.Unlock()
		action = map[string]string{}
	}
}

// end forgets the session.
func (c *session) end() {
	close(c.ended)
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.server.sessions = slices.DeleteFunc(c.server.sessions, func(other *session) bool { return other == c })
}

// response is one with the action's ActionID.
func (c *session) response(action map[string]string, result string, fields ...string) {
	if !c.mute {
		c.send(text(append([]string{"Response", result, "ActionID", action["ActionID"]}, fields...)...))
	}
}

func event(name string, fields ...string) string {
	return text(append([]string{"Event", name, "Privilege", "agent,all", "Timestamp", "1795828159.070540"}, fields...)...)
}

func text(fields ...string) string {
	var b strings.Builder
	for pair := range slices.Chunk(fields, 2) {
		fmt.Fprintf(&b, "%s: %s\r\n", pair[0], pair[1])
	}
	return b.String() + "\r\n"
}

// key is the answer to the challenge.
func key(secret string) string {
	sum := md5.Sum([]byte(challenge + secret))
	return hex.EncodeToString(sum[:])
}
