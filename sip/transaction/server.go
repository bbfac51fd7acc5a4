package transaction

import (
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"freizeichen/sip/transaction/message"
)

// A server is one server transaction.
type server interface {
	machine
	// again takes a request that matches: a retransmission, or the ACK.
	again(now time.Time, r *sip.Request)
	respond(now time.Time, r *sip.Response)
	base() *reception
}

// A serverKey finds the transaction of a request (RFC 3261 section 17.2.3). An ACK has its INVITE's key.
type serverKey struct {
	branch string // with the magic cookie; empty otherwise
	sentBy string
	method sip.RequestMethod
	legacy string // what RFC 2543 had instead of a branch
}

func keyOf(r *sip.Request, via *sip.ViaHeader) serverKey {
	method := r.Method
	if method == sip.ACK {
		method = sip.INVITE
	}
	branch, _ := via.Params.Get("branch")
	// RFC 4475 section 3.2.1: the cookie alone is no unique branch.
	if strings.HasPrefix(branch, magicCookie) && len(branch) > len(magicCookie) {
		return serverKey{branch: branch, sentBy: strings.ToLower(via.SentBy()), method: method}
	}
	// RFC 3261 section 17.2.3: Request-URI, From tag, Call-ID, CSeq number and top Via are compared. The To tag is
	// left to reception.matches: an ACK has the tag of the response.
	parts := []string{r.Recipient.String(), via.Value(), tagOf(r, "From")}
	if h := r.GetHeader("Call-ID"); h != nil {
		parts = append(parts, h.Value())
	}
	if h, ok := r.GetHeader("CSeq").(*sip.CSeqHeader); ok {
		parts = append(parts, strconv.FormatUint(uint64(h.SeqNo), 10))
	}
	return serverKey{method: method, legacy: strings.Join(parts, "\n")}
}

// A mergeKey finds requests that reached us by several ways (RFC 3261 section 8.2.2.2). The zero key is not compared.
type mergeKey struct{ fromTag, callID, cseq string }

func mergeKeyOf(r *sip.Request) mergeKey {
	callID, cseq := r.GetHeader("Call-ID"), r.GetHeader("CSeq")
	if tagOf(r, "To") != "" || r.Method == sip.CANCEL || callID == nil || cseq == nil {
		return mergeKey{}
	}
	return mergeKey{tagOf(r, "From"), callID.Value(), cseq.Value()}
}

// tagOf is the tag of From or To; empty if there is none or the field is malformed.
func tagOf(m interface{ GetHeader(string) sip.Header }, name string) string {
	tag := ""
	switch h := m.GetHeader(name).(type) {
	case *sip.FromHeader:
		tag, _ = h.Params.Get("tag")
	case *sip.ToHeader:
		tag, _ = h.Params.Get("tag")
	}
	return tag
}

// A reception is what both kinds of server transactions have in common.
type reception struct {
	slot
	layer      *Layer
	id         ServerID
	key        serverKey
	merge      mergeKey
	request    *sip.Request
	host       string    // where it came from
	bytes      int       // that it takes up
	reply      Send      // the last response, ready to be sent again
	toTag      string    // of the last response
	over       bool      // terminated
	retransmit time.Time // timer G; zero: off
	timeout    time.Time // timer H, I, J or L, as the state has it; zero: off
}

func (x *reception) base() *reception { return x }

func (l *Layer) newServer(now time.Time, key serverKey, r *sip.Request) server {
	l.last++
	x := reception{layer: l, id: ServerID(l.last), key: key, merge: mergeKeyOf(r), request: r, host: host(r), bytes: size(r)}
	l.room.enter(x.host, x.bytes)
	var s server
	if r.Method == sip.INVITE {
		s = &serverInvite{reception: x, trying: now.Add(tryingDelay)}
	} else {
		// RFC 4320 section 4.2: after 64*T1 nobody waits for an answer any more.
		x.timeout = now.Add(64 * l.timers.T1)
		s = &serverNonInvite{reception: x}
	}
	l.servers[key] = s
	l.byID[x.id] = s
	if x.merge != (mergeKey{}) {
		l.merges[x.merge]++
	}
	return s
}

// matches is the part of RFC 3261 section 17.2.3 that the key cannot say: without magic cookie the To tag of an
// ACK equals that of the response.
func (x *reception) matches(r *sip.Request) bool {
	return x.key.legacy == "" || r.Method != sip.ACK || tagOf(r, "To") == x.toTag
}

func (x *reception) reliable() bool { return x.request.Transport() != "UDP" }

// merged reports whether the same request is here in another transaction.
func (x *reception) merged() bool { return x.merge != (mergeKey{}) && x.layer.merges[x.merge] > 1 }

// transmit writes and sends a response. One that would break out of its lines becomes a 500, so that the
// transaction ends for the peer as well; the status that was sent is returned.
func (x *reception) transmit(r *sip.Response) int {
	r.SetBody(r.Body()) // makes Content-Length true
	data, err := message.Encode(r)
	if err != nil {
		r = x.layer.reply(x.request, 500, "Server Internal Error")
		if data, err = message.Encode(r); err != nil {
			return r.StatusCode // its own header fields cannot be written back; the peer's timers end it
		}
	}
	x.toTag = tagOf(r, "To")
	x.reply = Send{Data: data, Network: x.request.Transport(), Destination: responseDestination(topVia(x.request))}
	if x.reliable() {
		x.reply.Connection = x.request.Source()
	}
	x.layer.send(x.reply)
	return r.StatusCode
}

// repeat sends the last response again, if there is one.
func (x *reception) repeat() {
	if x.reply.Data != nil {
		x.layer.send(x.reply)
	}
}

// linger keeps the transaction for a while to absorb retransmissions; zero ends it now.
func (x *reception) linger(now time.Time, wait time.Duration) {
	x.retransmit = time.Time{}
	x.timeout = now.Add(wait)
	if wait == 0 {
		x.end()
	}
}

func (x *reception) end() {
	x.over = true
	x.layer.room.leave(x.host, x.bytes)
	delete(x.layer.servers, x.key)
	delete(x.layer.byID, x.id)
	if x.merge == (mergeKey{}) {
		return
	}
	if x.layer.merges[x.merge]--; x.layer.merges[x.merge] == 0 {
		delete(x.layer.merges, x.merge)
	}
}

func (x *reception) deadline() time.Time {
	if x.over {
		return time.Time{}
	}
	return earliest(x.retransmit, x.timeout)
}
