// Package dialog is RFC 3261 section 12: the lasting relation of two user agents, and the requests inside it.
// Pure: it neither sends nor waits, and it decides nothing about calls.
//
//	INVITE sent      --101..299 with To tag-->  NewUAC  --Early--+
//	                                                             +--2xx--> Confirmed --Request, ACK--> messages
//	INVITE received  --our tag------------->  NewUAS  --Early--+
//
// One INVITE can make several dialogs on the caller's side, one for each To tag (section 12.1): keep each of them.
package dialog

import (
	"errors"
	"fmt"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// An ID names a dialog, as seen from this side (RFC 3261 section 12).
type ID struct {
	CallID, LocalTag, RemoteTag string
}

// A State is what a dialog has become.
type State uint8

// The states. A dialog that has ended is thrown away by its owner.
const (
	Early     State = iota // made by a provisional response
	Confirmed              // made or confirmed by a 2xx
)

// ErrOutOfOrder is a request with a CSeq lower than one seen before; the answer is 500 (RFC 3261 section 12.2.2).
var ErrOutOfOrder = errors.New("dialog: request out of order")

// A Dialog is the state that RFC 3261 section 12 asks a user agent to keep.
type Dialog struct {
	id             ID
	state          State
	caller         bool // we sent the INVITE
	local          sip.FromHeader
	remote         sip.ToHeader
	localSequence  uint32
	remoteSequence uint32
	remoteSeen     bool      // remoteSequence has a value
	target         sip.Uri   // remote target: the peer's Contact
	routes         []sip.Uri // route set, nearest hop first
}

// NewUAC makes the dialog of the side that sent invite, from a response 101 to 299 to it with a To tag
// (RFC 3261 section 12.1.2).
func NewUAC(invite *sip.Request, response *sip.Response) (*Dialog, error) {
	id := IDOfResponse(response)
	if id.CallID == "" || id.LocalTag == "" || id.RemoteTag == "" || invite.CSeq() == nil {
		return nil, fmt.Errorf("dialog: %d response to %s makes no dialog: tag, Call-ID or CSeq missing",
			response.StatusCode, invite.Method)
	}
	d := &Dialog{
		id:            id,
		caller:        true,
		local:         *sip.HeaderClone(invite.From()).(*sip.FromHeader),
		remote:        *sip.HeaderClone(response.To()).(*sip.ToHeader),
		localSequence: invite.CSeq().SeqNo,
		// A provisional response without Contact breaks section 12.1.1, but gateways send it: the
		// Request-URI is then the only place known, until the 2xx.
		target: *invite.Recipient.Clone(),
	}
	d.Refresh(response)
	d.routes = recordedRoutes(response, true)
	if response.IsSuccess() {
		d.state = Confirmed
	}
	return d, nil
}

// NewUAS makes the early dialog of the side that received invite and answers it with localTag
// (RFC 3261 section 12.1.1). It fails when the INVITE lacks what a dialog needs; the answer is 400.
func NewUAS(invite *sip.Request, localTag string) (*Dialog, error) {
	if invite.From() == nil || invite.To() == nil || invite.CallID() == nil || invite.CSeq() == nil {
		return nil, fmt.Errorf("dialog: %s makes no dialog: From, To, Call-ID or CSeq missing", invite.Method)
	}
	remote := invite.From().AsTo()
	local := invite.To().AsFrom()
	local.Params.Remove("tag")
	local.Params.Add("tag", localTag)
	d := &Dialog{
		// A missing From tag is a peer of RFC 2543: the remote tag is null (section 12.1.1).
		id:             ID{CallID: invite.CallID().Value(), LocalTag: localTag, RemoteTag: tagOf(remote.Params)},
		local:          local,
		remote:         remote,
		remoteSequence: invite.CSeq().SeqNo,
		remoteSeen:     true,
	}
	if !d.Refresh(invite) {
		return nil, fmt.Errorf("dialog: %s makes no dialog: no usable Contact", invite.Method)
	}
	d.routes = recordedRoutes(invite, false)
	return d, nil
}

// NewSubscriber makes the dialog of a subscriber from the first NOTIFY to its SUBSCRIBE, whose CSeq was sequence
// (RFC 6665 section 4.4.1: the NOTIFY makes the dialog, and may come before the 2xx to SUBSCRIBE). It fails when the
// NOTIFY lacks what a dialog needs; the answer is 400.
func NewSubscriber(notify *sip.Request, sequence uint32) (*Dialog, error) {
	d, err := NewUAS(notify, IDOfRequest(notify).LocalTag)
	if err != nil {
		return nil, err
	}
	d.caller, d.state, d.localSequence = true, Confirmed, sequence
	return d, nil
}

// ID is the dialog's name.
func (d *Dialog) ID() ID { return d.id }

// State tells an early dialog from a confirmed one.
func (d *Dialog) State() State { return d.state }

// Caller reports whether we sent the INVITE. The caller's CSeq and the callee's are independent.
func (d *Dialog) Caller() bool { return d.caller }

// Target is the remote target: where the Request-URI of the next request points.
func (d *Dialog) Target() sip.Uri { return *d.target.Clone() }

// Remote is the peer as To (or From) of the request that made the dialog names it, with its tag.
func (d *Dialog) Remote() sip.ToHeader { return *sip.HeaderClone(&d.remote).(*sip.ToHeader) }

// Local is our own side, with our tag.
func (d *Dialog) Local() sip.FromHeader { return *sip.HeaderClone(&d.local).(*sip.FromHeader) }

// Confirm turns an early dialog into a confirmed one: the caller's with the 2xx that came, the callee's with nil
// when it sends a 2xx. On a confirmed dialog it does nothing, so that a 2xx to a re-INVITE leaves the routes alone.
func (d *Dialog) Confirm(response *sip.Response) {
	if d.state == Confirmed {
		return
	}
	d.state = Confirmed
	if response != nil && d.caller {
		// RFC 3261 section 13.2.2.4: the route set MUST be recomputed based on the 2xx response.
		d.routes = recordedRoutes(response, true)
		d.Refresh(response)
	}
}

// Receive checks the order of a request that came inside the dialog and remembers its CSeq (RFC 3261 section 12.2.2).
// It does not change the remote target: that waits for our 2xx, see Refresh.
func (d *Dialog) Receive(request *sip.Request) error {
	sequence := request.CSeq()
	if sequence == nil {
		return fmt.Errorf("dialog: %s has no CSeq", request.Method)
	}
	// ACK and CANCEL carry the CSeq of their INVITE.
	if request.Method == sip.ACK || request.Method == sip.CANCEL {
		return nil
	}
	if d.remoteSeen && sequence.SeqNo < d.remoteSequence {
		return ErrOutOfOrder
	}
	d.remoteSequence, d.remoteSeen = sequence.SeqNo, true
	return nil
}

// A contacted message may carry a Contact: requests and responses.
type contacted interface{ Contact() *sip.ContactHeader }

// Refresh replaces the remote target by the Contact of an accepted target refresh request (INVITE, UPDATE) or of the
// 2xx to ours (RFC 3261 section 12.2.1.2, 12.2.2). It reports whether there was a Contact that can be used.
func (d *Dialog) Refresh(message contacted) bool {
	contact := message.Contact()
	if contact == nil || contact.Address.Wildcard || contact.Address.Host == "" || !isSIP(contact.Address) {
		return false
	}
	target := *contact.Address.Clone()
	// RFC 3261 section 19.1.1 table 1: neither header fields nor a method parameter in a Request-URI.
	target.Headers = nil
	target.UriParams.Remove("method")
	for i := range target.UriParams {
		// The parser leaves "?name=value" on a last parameter without value (sipgo v1.7.2, UnmarshalHeaderParams).
		target.UriParams[i].K, _, _ = strings.Cut(target.UriParams[i].K, "?")
	}
	d.target = target
	return true
}

// Request builds the next request inside the dialog, with the next CSeq (RFC 3261 section 12.2.1.1).
// Via, Max-Forwards and Content-Length are the transaction layer's.
func (d *Dialog) Request(method sip.RequestMethod) *sip.Request {
	d.localSequence++
	return d.request(method, d.localSequence)
}

// ACK builds the acknowledgement of a 2xx to an INVITE of ours. RFC 3261 section 13.2.2.4: the sequence number of the
// CSeq header field MUST be the same as the INVITE being acknowledged, whatever has been sent since.
func (d *Dialog) ACK(response *sip.Response) *sip.Request {
	sequence := d.localSequence
	if response.CSeq() != nil {
		sequence = response.CSeq().SeqNo
	}
	return d.request(sip.ACK, sequence)
}

func (d *Dialog) request(method sip.RequestMethod, sequence uint32) *sip.Request {
	recipient, routes := d.target, d.routes
	strict := len(routes) > 0 && !hasParam(routes[0].UriParams, "lr")
	if strict {
		// RFC 3261 section 12.2.1.1: the first URI of a strict route becomes the Request-URI, the remote target
		// goes last.
		recipient = routes[0]
		routes = append(append([]sip.Uri(nil), routes[1:]...), d.target)
	}
	request := sip.NewRequest(method, *recipient.Clone())
	for _, route := range routes {
		request.AppendHeader(&sip.RouteHeader{Address: *route.Clone()})
	}
	// RFC 3261 section 8.1.2: to the topmost Route, or to the Request-URI if the first hop is a strict router or there is
	// no route at all. Never to a configured server: several hosts may stand behind its name, and one knows the dialog.
	if strict || len(routes) == 0 {
		request.SetDestination(destination(recipient))
	} else {
		request.SetDestination(destination(routes[0]))
	}
	local, remote := d.Local(), d.Remote()
	callID := sip.CallIDHeader(d.id.CallID)
	request.AppendHeader(&local)
	request.AppendHeader(&remote)
	request.AppendHeader(&callID)
	request.AppendHeader(&sip.CSeqHeader{SeqNo: sequence, MethodName: method})
	return request
}

// IDOfRequest is the name of the dialog that a received request belongs to; without a To tag it belongs to none,
// and LocalTag is empty.
func IDOfRequest(request *sip.Request) ID {
	var id ID
	if h := request.CallID(); h != nil {
		id.CallID = h.Value()
	}
	if h := request.To(); h != nil {
		id.LocalTag = tagOf(h.Params)
	}
	if h := request.From(); h != nil {
		id.RemoteTag = tagOf(h.Params)
	}
	return id
}

// IDOfResponse is the name of the dialog that a received response belongs to; without a To tag RemoteTag is empty.
func IDOfResponse(response *sip.Response) ID {
	var id ID
	if h := response.CallID(); h != nil {
		id.CallID = h.Value()
	}
	if h := response.From(); h != nil {
		id.LocalTag = tagOf(h.Params)
	}
	if h := response.To(); h != nil {
		id.RemoteTag = tagOf(h.Params)
	}
	return id
}

// recordedRoutes is the route set of a message: the callee takes the Record-Route header fields in order, the caller
// in reverse order (RFC 3261 section 12.1.1, 12.1.2).
func recordedRoutes(message interface{ GetHeaders(string) []sip.Header }, reverse bool) []sip.Uri {
	var routes []sip.Uri
	for _, h := range message.GetHeaders("record-route") {
		if route, ok := h.(*sip.RecordRouteHeader); ok {
			routes = append(routes, *route.Address.Clone())
		}
	}
	if reverse {
		for i, j := 0, len(routes)-1; i < j; i, j = i+1, j-1 {
			routes[i], routes[j] = routes[j], routes[i]
		}
	}
	return routes
}

// tagOf finds the tag, whatever its case (RFC 3261 section 7.3.1: parameter names are case-insensitive).
func tagOf(params sip.HeaderParams) string {
	for _, p := range params {
		if strings.EqualFold(p.K, "tag") {
			return p.V
		}
	}
	return ""
}

func hasParam(params sip.HeaderParams, name string) bool {
	for _, p := range params {
		if strings.EqualFold(p.K, name) {
			return true
		}
	}
	return false
}

func isSIP(uri sip.Uri) bool { return uri.Scheme == "" || uri.Scheme == "sip" || uri.Scheme == "sips" }

// destination is where a message for uri goes: "host:port", or "host" for a name that SRV records may know.
func destination(uri sip.Uri) string {
	host := uri.UriParams.GetOr("maddr", uri.Host)
	if uri.Port > 0 {
		return fmt.Sprintf("%s:%d", host, uri.Port)
	}
	return strings.Trim(host, "[]") // as net.Dial and netip write an IPv6 address without a port
}
