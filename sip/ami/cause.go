package ami

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

// A Cause is why there is no connection.
type Cause uint8

// The causes, from the first thing that can go wrong to the last.
const (
	Unreachable   Cause = iota // no way to the host, no such host, or no answer from it
	Refused                    // the host is there, Asterisk or its manager interface is not
	Untrusted                  // TLS came to nothing: certificate, name, or no TLS there
	NotAMI                     // something else answers there
	LoginRefused               // wrong user, wrong secret, or not from this address
	RightsMissing              // the user may not do what a switchboard must
	NotReady                   // app_queue is not loaded, or not yet
	Closed                     // Asterisk closed the connection, as it does when it stops
	TimedOut                   // Asterisk is silent
	Garbled                    // what comes has no end
	CauseCount
)

func (c Cause) String() string {
	return [...]string{"unreachable", "refused", "untrusted", "not-ami", "login-refused", "rights-missing", "not-ready", "closed", "timed-out",
		"garbled", "invalid"}[min(c, CauseCount)]
}

// A failure is an error that ends a connection.
type failure struct {
	cause Cause
	err   error
}

func (f *failure) Error() string { return "ami: " + f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func causeOf(err error) Cause {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.cause
	}
	return Closed
}

func dialFailed(address string, err error) *failure {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return &failure{Refused, fmt.Errorf("%s: %w (is Asterisk running, with enabled, bindaddr and port of [general] in manager.conf?)", address, err)}
	}
	return &failure{Unreachable, fmt.Errorf("%s: %w", address, err)}
}

// readFailed tells why nothing can be read any more.
func readFailed(err error) *failure {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &failure{TimedOut, fmt.Errorf("nothing came for %s, not even the answer to a Ping", pingAfter+pongMax)}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrClosedPipe), errors.Is(err, net.ErrClosed), errors.Is(err, syscall.ECONNRESET):
		return &failure{Closed, fmt.Errorf("the PBX closed the connection: %w", err)}
	}
	return &failure{Closed, err}
}
