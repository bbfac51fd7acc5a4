package ami

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"freizeichen/sip/ami/message"
)

// A link is one connection. One goroutine reads, one writes, and any may wait for a response.
type link struct {
	conn   net.Conn
	banner chan string   // the first line
	events chan Event    // for the observer; closed by read when the link has ended
	out    chan []byte   // for write; an action has a place in slots first, so it never blocks for long
	slots  chan struct{} // one for each action in flight
	done   chan struct{} // closed by fail
	once   sync.Once
	err    error // of fail; to be read when done is closed

	last atomic.Uint64 // ActionID

	mu      sync.Mutex
	waiting map[string]*question
	live    bool // an event has come that nobody asked for: we may read them
}

// A question is an action in flight.
type question struct {
	id     string // ActionID
	asked  time.Time
	answer chan message.Message // has room for the one response
	list   bool                 // the answer is whole when its list is
	opens  bool                 // success is SyncBegin
}

func newLink(conn net.Conn) *link {
	return &link{
		conn: conn, banner: make(chan string, 1), events: make(chan Event, eventsMax), out: make(chan []byte, inFlightMax+1),
		slots: make(chan struct{}, inFlightMax), done: make(chan struct{}), waiting: map[string]*question{},
	}
}

// fail ends the link. The first reason counts.
func (l *link) fail(err error) {
	l.once.Do(func() {
		l.err = err
		close(l.done)
		l.conn.Close()
	})
}

// do sends an action and waits for its response, or for the end of the list that follows.
func (l *link) do(ctx context.Context, action message.Message, q *question) (message.Message, error) {
	if err := l.ask(ctx, action, q); err != nil {
		return nil, err
	}
	return l.wait(ctx, q)
}

// ask sends an action as soon as there is a place for it. wait must follow if it succeeds.
func (l *link) ask(ctx context.Context, action message.Message, q *question) error {
	q.id, q.answer = strconv.FormatUint(l.last.Add(1), 10), make(chan message.Message, 1)
	data, err := append(message.Message{action[0], {Name: "ActionID", Value: q.id}}, action[1:]...).Append(nil)
	if err = errors.Join(err, ctx.Err()); err != nil {
		return err
	}
	late := time.NewTimer(actionMax)
	defer late.Stop()
	select {
	case l.slots <- struct{}{}:
	case <-l.done:
		return ErrAway
	case <-ctx.Done():
		return ctx.Err()
	case <-late.C:
		return ErrTimeout
	}
	q.asked = time.Now()
	l.mu.Lock()
	l.waiting[q.id] = q
	l.mu.Unlock()
	select {
	case l.out <- data:
		return nil
	case <-l.done:
		return ErrAway
	case <-ctx.Done():
		l.forget(q)
		return ctx.Err()
	}
}

func (l *link) wait(ctx context.Context, q *question) (message.Message, error) {
	most := actionMax
	if q.list {
		most = syncMax
	} else {
		// A list that nobody waits for any more still comes, and ends with SyncComplete.
		defer l.forget(q)
	}
	late := time.NewTimer(time.Until(q.asked.Add(most)))
	defer late.Stop()
	select {
	case m := <-q.answer:
		return m, nil
	case <-l.done:
		select {
		case m := <-q.answer: // the last words, as at a login that is refused
			return m, nil
		default:
			return nil, ErrAway
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-late.C:
		return nil, ErrTimeout
	}
}

// forget gives a question's place to the next.
func (l *link) forget(q *question) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle(q)
}

// settle is forget with mu held.
func (l *link) settle(q *question) {
	if l.waiting[q.id] == q {
		delete(l.waiting, q.id)
		<-l.slots
	}
}

// expectLive ends the link if no live event has come some time after an action that makes one: nothing else shows that
// the user may not read them, and the queues would look calm for ever.
func (l *link) expectLive(user string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.live {
		return
	}
	time.AfterFunc(actionMax, func() {
		l.mu.Lock()
		live := l.live
		l.mu.Unlock()
		if !live {
			l.fail(&failure{RightsMissing, fmt.Errorf("a member was changed and no event came: section [%s] of manager.conf needs \"read = agent\"", user)})
		}
	})
}

// write writes in order until the link ends, as much at a time as there is: a burst of actions is a few packets.
func (l *link) write() {
	for {
		select {
		case data := <-l.out:
			for more := true; more; {
				select {
				case next := <-l.out:
					data = append(data, next...)
				default:
					more = false
				}
			}
			l.conn.SetWriteDeadline(time.Now().Add(writeMax)) // fails only on a closed connection, as the write then does
			if _, err := l.conn.Write(data); err != nil {
				if errors.Is(err, os.ErrDeadlineExceeded) {
					l.fail(&failure{TimedOut, fmt.Errorf("the PBX took nothing for %s", writeMax)})
				}
				l.fail(readFailed(err))
				return
			}
		case <-l.done:
			return
		}
	}
}

// read reads until the link ends, and closes events.
func (l *link) read() {
	defer close(l.events)
	var stream message.Stream
	buf := make([]byte, 32<<10)
	greeted, asked := false, false
	for {
		wait := pingAfter
		if asked {
			wait = pongMax
		}
		l.conn.SetReadDeadline(time.Now().Add(wait)) // as above
		n, err := l.conn.Read(buf)
		if n > 0 {
			asked = false
			stream.Write(buf[:n])
			if !l.take(&stream, &greeted) {
				return
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded) && !asked && greeted:
			asked = true
			l.ping()
		default:
			l.fail(readFailed(err))
			return
		}
	}
}

// ping makes Asterisk say something. Nobody waits for the response: any byte will do. If there is no place in the
// queue, actions wait for their answers already.
func (l *link) ping() {
	data, err := message.Message{{Name: "Action", Value: "Ping"}}.Append(nil)
	if err != nil {
		panic(err)
	}
	select {
	case l.out <- data:
	default:
	}
}

// take hands over what has come completely. It reports false when the link has ended.
func (l *link) take(stream *message.Stream, greeted *bool) bool {
	if !*greeted {
		banner, err := stream.Banner()
		if err != nil {
			return true
		}
		*greeted = true
		l.banner <- banner
	}
	for {
		m, err := stream.Next()
		if err == message.ErrIncomplete {
			return true
		}
		if err != nil {
			l.fail(&failure{Garbled, err})
			return false
		}
		if e, ok := l.sort(m); ok {
			select {
			case l.events <- e:
			case <-l.done:
				return false
			}
		}
	}
}

// sort answers the question that a message belongs to, and gives the event to tell, if there is one.
func (l *link) sort(m message.Message) (Event, bool) {
	kind, name := m.Kind()
	l.mu.Lock()
	defer l.mu.Unlock()
	q := l.waiting[m.Get("ActionID")]
	switch {
	case kind == "Response" && q != nil:
		success := name == "Success"
		if !q.list || !success {
			q.answer <- m
			l.settle(q)
		}
		if q.opens && success {
			q.opens = false
			return SyncBegin{}, true
		}
	case kind == "Event" && name == "QueueStatusComplete":
		if q != nil && q.list {
			q.answer <- m
			l.settle(q)
			return SyncComplete{}, true
		}
	case kind == "Event":
		l.live = l.live || m.Get("Privilege") != "" // of a list: none
		return decode(m)
	}
	return nil, false
}
