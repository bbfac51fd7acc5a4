package transaction

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"time"

	"freizeichen/sip/transaction/message"
)

const (
	// connectionsMax is the default of Config.ConnectionsMax: an exchange in one process with its phones.
	connectionsMax = 1024
	// dialledMax is how many more there may be for us to dial, however many strangers there are.
	dialledMax = 64
	// acceptPause keeps a listener without descriptors from taking the processor.
	acceptPause = 100 * time.Millisecond
	// firstWait is how long a connection that was accepted may be silent before its first message.
	firstWait = 30 * time.Second
	// messageWait is how long a message may take from its first byte to its last: whoever stops in the middle, or sends a
	// byte now and then, wants to hold the connection and not to tell us anything.
	messageWait = 30 * time.Second
	// silenceMin is how long a connection must have been silent to give way to another. RFC 3261 section 18: it is to be
	// kept at least as long as a transaction can last.
	silenceMin = 40 * time.Second
	// streamQueue bounds what waits for one connection: a re-registration burst while it is being dialled.
	streamQueue = 64
	// dialWait and writeWait end before the transaction would (64*T1).
	dialWait  = 10 * time.Second
	writeWait = 10 * time.Second
	// lastWait is for what is still queued when the endpoint closes.
	lastWait = time.Second
	// prunePending is how many transactions a stream remembers before it forgets those that are over.
	prunePending = 64
)

var (
	errStreams = fmt.Errorf("%w: too many TCP connections", errUndelivered)
	errQueue   = fmt.Errorf("%w: too many messages wait for a TCP connection", errUndelivered)
)

// A stream is one TCP connection, dialled or accepted. Run's goroutine owns it; two others write and read, so that
// nobody waits for a slow peer and the order is kept.
type stream struct {
	remote   netip.AddrPort
	accepted bool                  // dialled by the peer
	used     time.Time             // when a message came or went last
	out      chan []byte           // closed by Run's goroutine when the stream is lost
	clients  map[ClientID]struct{} // sent here and perhaps still pending
}

func (e *Endpoint) newStream(remote netip.AddrPort) *stream {
	c := &stream{remote: remote, out: make(chan []byte, streamQueue), clients: map[ClientID]struct{}{}}
	e.streams[remote] = c
	return c
}

// dial opens a stream in the background; nil if there are too many.
func (e *Endpoint) dial(remote netip.AddrPort) *stream {
	if len(e.streams) >= e.config.ConnectionsMax+dialledMax {
		return nil
	}
	c := e.newStream(remote)
	e.spawn(func() {
		dialer := net.Dialer{Timeout: dialWait}
		conn, err := dialer.DialContext(e.ctx, "tcp", remote.String())
		if err != nil {
			e.Do(func(now time.Time) { e.lost(now, c, errors.Join(errUndelivered, err)) })
			return
		}
		e.spawn(func() { e.readStream(c, conn) })
		e.writeStream(c, conn)
	})
	return c
}

// accept takes connections until the listener is closed.
func (e *Endpoint) accept() {
	for {
		conn, err := e.listener.Accept()
		if e.ctx.Err() != nil {
			if err == nil {
				conn.Close()
			}
			return
		}
		if err != nil {
			// Out of descriptors, most likely. A pause instead of a busy loop.
			e.pause(acceptPause)
			continue
		}
		// Whatever comes first: the stream takes the connection, or the endpoint closes.
		abandon := context.AfterFunc(e.ctx, func() { conn.Close() })
		e.Do(func(now time.Time) {
			if abandon() {
				e.adopt(now, conn)
			}
		})
	}
}

// adopt makes a stream of an accepted connection.
func (e *Endpoint) adopt(now time.Time, conn net.Conn) {
	remote := addrPort(conn.RemoteAddr())
	if old, ok := e.streams[remote]; ok {
		e.lost(now, old, net.ErrClosed) // the peer has reused its port, so the old connection is dead
	}
	if len(e.streams) >= e.config.ConnectionsMax && !e.makePlace(now) {
		conn.Close()
		return
	}
	conn.SetReadDeadline(time.Now().Add(firstWait)) // fails only on a closed connection, as the read then does
	c := e.newStream(remote)
	c.accepted, c.used = true, now
	e.spawn(func() { e.readStream(c, conn) })
	e.spawn(func() { e.writeStream(c, conn) })
}

// makePlace closes the connection of somebody else that has been silent longest. It reports false if all are in use.
func (e *Endpoint) makePlace(now time.Time) bool {
	var idle *stream
	for _, c := range e.streams {
		if c.accepted && (idle == nil || c.used.Before(idle.used)) {
			idle = c
		}
	}
	if idle == nil || now.Sub(idle.used) < silenceMin {
		return false
	}
	e.lost(now, idle, net.ErrClosed)
	return true
}

// enqueue hands a message to a stream's writer.
func (e *Endpoint) enqueue(now time.Time, c *stream, s Send) {
	c.used = now
	select {
	case c.out <- s.Data:
	default:
		e.sendFailed(now, s.Transaction, errQueue)
		return
	}
	if s.Transaction == 0 {
		return
	}
	c.clients[s.Transaction] = struct{}{}
	if len(c.clients) > prunePending {
		for id := range c.clients {
			if !e.layer.Pending(id) {
				delete(c.clients, id)
			}
		}
	}
}

// lost forgets a stream and lets the transactions fail that wait for an answer on it, instead of after 32 s.
func (e *Endpoint) lost(now time.Time, c *stream, err error) {
	if e.streams[c.remote] != c {
		return
	}
	delete(e.streams, c.remote)
	close(c.out)
	for _, id := range slices.Sorted(maps.Keys(c.clients)) {
		if e.layer.Pending(id) {
			e.sendFailed(now, id, fmt.Errorf("transaction: TCP connection to %s: %w", c.remote, err))
		}
	}
}

// writeStream writes in order until the stream is lost or the endpoint closes, then closes the connection.
func (e *Endpoint) writeStream(c *stream, conn net.Conn) {
	defer conn.Close()
	for {
		select {
		case data, ok := <-c.out:
			if !ok || !e.write(c, conn, data, writeWait) {
				return
			}
		case <-e.ctx.Done():
			for {
				select {
				case data, ok := <-c.out:
					if !ok || !e.write(c, conn, data, lastWait) {
						return
					}
				default:
					return
				}
			}
		}
	}
}

func (e *Endpoint) write(c *stream, conn net.Conn, data []byte, wait time.Duration) bool {
	if e.config.Trace != nil {
		e.config.Trace(Sent, c.remote.String(), data)
	}
	conn.SetWriteDeadline(time.Now().Add(wait)) // fails only on a closed connection, as the write then does
	_, err := conn.Write(data)
	return err == nil
}

// readStream cuts messages out of the connection until it ends. It waits while the inbox is full: then TCP slows
// the peer down. The writer closes the connection, after the last answer.
func (e *Endpoint) readStream(c *stream, conn net.Conn) {
	err := e.readMessages(c, conn)
	e.Do(func(now time.Time) { e.lost(now, c, err) })
}

func (e *Endpoint) readMessages(c *stream, conn net.Conn) error {
	buf := make([]byte, 8<<10)
	var cutter message.Stream
	hurried := c.accepted // there is a deadline, see adopt
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return err
		}
		if e.config.Trace != nil {
			e.config.Trace(Received, c.remote.String(), buf[:n])
		}
		cutter.Write(buf[:n])
		whole, err := e.takeMessages(c, &cutter)
		if err != nil {
			return err
		}
		if whole && hurried {
			hurried = false
			conn.SetReadDeadline(time.Time{})
		}
		if cutter.Begun() && !hurried {
			hurried = true
			conn.SetReadDeadline(time.Now().Add(messageWait))
		}
	}
}

// takeMessages hands over what has come completely; whole reports whether that was anything but keep-alives.
func (e *Endpoint) takeMessages(c *stream, cutter *message.Stream) (whole bool, err error) {
	for {
		m, err := cutter.Next()
		switch err {
		case message.ErrIncomplete:
			return whole, nil
		case message.ErrLost:
			return whole, err
		case message.ErrPing:
			// RFC 5626 section 4.4.1: the double CRLF is answered with a single one.
			e.Do(func(now time.Time) { e.pong(now, c) })
			continue
		}
		whole = true
		if !e.receive("TCP", c.remote, nil, m, err) {
			return whole, ErrClosed
		}
		if fault, ok := errors.AsType[*message.Fault](err); ok && fault.Lost {
			return whole, fault
		}
	}
}

func (e *Endpoint) pong(now time.Time, c *stream) {
	if e.streams[c.remote] == c {
		e.enqueue(now, c, Send{Data: []byte("\r\n")})
	}
}
