package transaction

import (
	"errors"
	"time"

	"github.com/emiago/sipgo/sip"
)

// A client is one client transaction.
type client interface {
	machine
	start(now time.Time)
	receive(now time.Time, r *sip.Response)
	failed(now time.Time, err error)
	pending() bool
}

// A clientKey finds the transaction of a response (RFC 3261 section 17.1.3).
type clientKey struct {
	branch string
	method sip.RequestMethod
}

// An exchange is what both kinds of client transactions have in common.
type exchange struct {
	slot
	layer      *Layer
	id         ClientID
	key        clientKey
	request    *sip.Request
	hop        Hop
	data       []byte        // the request as it was written
	silent     bool          // a CANCEL of ours: the user hears of its INVITE instead
	over       bool          // terminated
	retransmit time.Time     // timer A or E; zero: off
	interval   time.Duration // of the retransmission to come
	timeout    time.Time     // timer B, D, F, K or M, as the state has it; zero: off
}

// begin sends the request and starts timers A and B, or E and F.
func (x *exchange) begin(now time.Time) {
	x.timeout = now.Add(64 * x.layer.timers.T1)
	if !x.reliable() {
		x.interval = x.layer.timers.T1
		x.retransmit = now.Add(x.interval)
	}
	x.transmit(x.data)
}

func (x *exchange) reliable() bool { return x.hop.Network != "UDP" }

func (x *exchange) transmit(data []byte) {
	x.layer.send(Send{Data: data, Network: x.hop.Network, Destination: x.hop.Destination, Transaction: x.id})
}

func (x *exchange) emit(e Event) {
	if !x.silent {
		x.layer.emit(e)
	}
}

// linger keeps the transaction for a while to absorb retransmissions; zero ends it now.
func (x *exchange) linger(now time.Time, wait time.Duration) {
	x.retransmit = time.Time{}
	x.timeout = now.Add(wait)
	if wait == 0 {
		x.end()
	}
}

func (x *exchange) end() {
	x.over = true
	delete(x.layer.clients, x.id)
	delete(x.layer.byVia, x.key)
}

// errUndelivered: nothing of the request has left, so it may be sent again by another way.
var errUndelivered = errors.New("transaction: not delivered")

// fallBack sends a request again by UDP that was to go by TCP only for its size and did not leave.
// RFC 3261 section 18.1.1: if the attempt fails, the element SHOULD retry the request using UDP.
func (x *exchange) fallBack(now time.Time, err error) bool {
	if !x.hop.LargeOverTCP || x.hop.Network == "UDP" || !errors.Is(err, errUndelivered) {
		return false
	}
	hop := x.layer.set.Hop(x.request)
	if hop.Network != "UDP" {
		return false
	}
	hop.LargeOverTCP = false
	data, err := x.layer.prepare(x.request, &hop)
	if err != nil {
		return false
	}
	branch, _ := x.request.Via().Params.Get("branch")
	delete(x.layer.byVia, x.key)
	x.key.branch = branch
	x.layer.byVia[x.key] = x.id
	x.hop, x.data = hop, data
	x.begin(now)
	return true
}

func (x *exchange) deadline() time.Time {
	if x.over {
		return time.Time{}
	}
	return earliest(x.retransmit, x.timeout)
}
