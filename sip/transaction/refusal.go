package transaction

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/emiago/sipgo/sip"
)

// refusalsMax bounds the errors handled at a time; each belongs to a datagram of ours.
const refusalsMax = 64

// refused handles the ICMP errors that came for our requests.
// RFC 3261 section 18.4: host, network, port or protocol unreachable are transport errors for the user.
func (e *Endpoint) refused(now time.Time) {
	for range refusalsMax {
		datagram, reason, ok := nextRefusal(e.udp)
		if !ok {
			return
		}
		if key, ok := keyOfDatagram(datagram); ok && isRefusal(reason) {
			e.sendFailed(now, e.layer.byVia[key], fmt.Errorf("transaction: sent, but: %w", reason))
		}
	}
}

// isRefusal tells what ends a transaction from what fragmentation or a retransmission heals (EMSGSIZE, ENOBUFS).
func isRefusal(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH)
}

// keyOfDatagram finds the client transaction of a datagram that we wrote and got back, perhaps cut short.
func keyOfDatagram(datagram []byte) (clientKey, bool) {
	line, rest, ok := bytes.Cut(datagram, []byte("\r\n"))
	via, _, whole := bytes.Cut(rest, []byte("\r\n"))
	method, _, _ := strings.Cut(string(line), " ")
	_, branch, found := strings.Cut(string(via), ";branch=")
	branch, _, _ = strings.Cut(branch, ";")
	return clientKey{branch, sip.RequestMethod(method)}, ok && whole && found
}
