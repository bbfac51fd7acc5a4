//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"freizeichen/test/bench/peer"
)

// Times of a phone's process.
const (
	farewell = 5 * time.Second        // to end by itself
	retry    = 500 * time.Microsecond // between two looks at a control socket that is not there yet
)

var errEnded = errors.New("ended")

// A program is a phone that can be started.
type program interface {
	name() string
	// command starts the phone on its seat. It may write files into the seat's folder.
	command(seat) (*exec.Cmd, error)
	// control reaches the answer key of a running phone.
	control(seat) (control, error)
}

// A control is a phone's answer key, and what it knows of its sound.
type control interface {
	lift() error
	// check says what is wrong with the sound of the call that has just been, in which the peer had the stream.
	check(*peer.Stream) error
	Close() error
}

// A seat is what a phone gets: an account at the exchange, a folder and ports of its own.
type seat struct {
	user, password string
	exchange       netip.AddrPort
	dir            string
	sip, command   netip.AddrPort
	rtp            uint16 // the first of rtpPorts
}

// rtpPorts are enough for a call after the other: no phone takes the ports of the last call at once.
const rtpPorts = 20

// A running phone.
type running struct {
	program program
	seat    seat
	process *exec.Cmd
	began   time.Time
	alive   context.Context // ends with the process, because of errEnded, or with the bench
	ended   chan struct{}   // closed when the process has gone
	log     string          // file with what the phone says
}

// launch starts a program. If there is no error, stop must be called.
func launch(ctx context.Context, p program, user string, e *peer.Exchange, dir string) (*running, error) {
	dir, err := os.MkdirTemp(dir, user+"-")
	if err != nil {
		return nil, fmt.Errorf("%s: making a folder: %w", p.name(), err)
	}
	first, err := freePorts()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.name(), err)
	}
	s := seat{
		user: user, password: e.Password(user), exchange: e.Address(), dir: dir, sip: netip.AddrPortFrom(peer.Loopback, first),
		command: netip.AddrPortFrom(peer.Loopback, first+portCommand), rtp: first + portRTP,
	}
	r := &running{program: p, seat: s, log: filepath.Join(dir, "log"), ended: make(chan struct{})}
	if r.process, err = p.command(s); err != nil {
		return nil, fmt.Errorf("%s: %w", p.name(), err)
	}
	log, err := os.Create(r.log)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.name(), err)
	}
	defer log.Close()
	r.process.Stdout, r.process.Stderr = log, log
	r.began = time.Now()
	if err := r.process.Start(); err != nil {
		return nil, fmt.Errorf("%s: starting it: %w", p.name(), err)
	}
	alive, end := context.WithCancelCause(ctx)
	r.alive = alive
	go func() {
		_ = r.process.Wait() // how it ended is of no interest: what it did not do is
		end(errEnded)
		close(r.ended)
	}()
	return r, nil
}

// registered waits until the exchange has confirmed the phone's registration.
func (r *running) registered(e *peer.Exchange) (at time.Time, err error) {
	select {
	case at = <-e.Registrations(r.seat.user):
		return at, nil
	case <-time.After(peer.Patience):
		return at, r.failed(fmt.Errorf("did not register within %v", peer.Patience))
	case <-r.alive.Done():
		return at, r.failed(context.Cause(r.alive))
	}
}

// answering opens the control socket, which may come later than the registration.
func (r *running) answering() (control, error) {
	give := time.Now().Add(peer.Patience)
	for {
		c, err := r.program.control(r.seat)
		if err == nil {
			return c, nil
		}
		if r.alive.Err() != nil || time.Now().After(give) {
			return nil, r.failed(fmt.Errorf("has no control socket: %w", err))
		}
		time.Sleep(retry)
	}
}

// stop ends the phone, by itself if it wants to, and removes its files.
func (r *running) stop() error {
	defer os.RemoveAll(r.seat.dir)
	_ = r.process.Process.Signal(syscall.SIGTERM) // fails if it has ended
	select {
	case <-r.ended:
		return nil
	case <-time.After(farewell):
	}
	_ = r.process.Process.Kill()
	<-r.ended
	return fmt.Errorf("%s did not end within %v of SIGTERM", r.program.name(), farewell)
}

// failed says what a phone did not do, with what it said last.
func (r *running) failed(err error) error {
	said, _ := os.ReadFile(r.log)
	if last := len(said) - 2000; last > 0 {
		said = said[last:]
	}
	return fmt.Errorf("%s: %w; it said:\n%s", r.program.name(), err, said)
}

// Ports of a seat, counted from its first: they lie below those that the kernel gives to anybody who asks for any.
const (
	portFirst, portLast = 26000, 32000
	portCommand         = 2 // not 1: baresip listens there for TLS, whether it shall or not
	portRTP             = 4 // even
	portsOfSeat         = portRTP + rtpPorts
)

// freePorts finds the first port of a seat that nobody has now. Where it begins depends on the process, for the sake of a
// second bench.
func freePorts() (first uint16, err error) {
	const seats = (portLast - portFirst) / portsOfSeat
	for n := range seats {
		first = portFirst + uint16((os.Getpid()+n)%seats)*portsOfSeat
		if free(first) {
			return first, nil
		}
	}
	return 0, fmt.Errorf("there are no %d free ports in a row from %d to %d", portsOfSeat, portFirst, portLast)
}

// free tells whether all ports of a seat can be had, by both networks.
func free(first uint16) bool {
	for port := first; port < first+portsOfSeat; port++ {
		address := netip.AddrPortFrom(peer.Loopback, port).String()
		packets, err := net.ListenPacket("udp4", address)
		if err != nil {
			return false
		}
		packets.Close()
		streams, err := net.Listen("tcp4", address)
		if err != nil {
			return false
		}
		streams.Close()
	}
	return true
}
