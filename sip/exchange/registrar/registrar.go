// Package registrar is who may use the exchange, and where his phones are: digest and bindings (RFC 3261 sections 10.3 and
// 22, RFC 8760). It receives the time and decides; it must not send anything.
package registrar

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"freizeichen/sip/exchange/deadline"
)

// A Binding is one phone of an account: where it can be reached, and until when.
type Binding struct {
	Contact   sip.Uri
	Source    string // where the REGISTER came from: the way back through NAT and TCP connections
	Transport string
	callID    string
	cseq      uint32
	expires   time.Time
	Reachable bool      // answered the last OPTIONS; true after REGISTER
	qualify   time.Time // of the next OPTIONS
}

// A Registrar keeps the bindings of the accounts (RFC 3261 section 10.3).
type Registrar struct {
	bindings map[string][]*Binding // by user, oldest first
	shortest time.Duration         // shorter intervals are answered 423
	longest  time.Duration         // longer ones are cut
	qualify  time.Duration
}

// New makes a registrar without bindings. Registrations shorter than shortest are refused, longer ones than longest are
// cut; qualify is the interval in which Qualify names each binding.
func New(shortest, longest, qualify time.Duration) *Registrar {
	return &Registrar{bindings: map[string][]*Binding{}, shortest: shortest, longest: longest, qualify: qualify}
}

// Shortest is the Min-Expires of a 423.
func (r *Registrar) Shortest() time.Duration { return r.shortest }

// Forget drops all bindings.
func (r *Registrar) Forget() { clear(r.bindings) }

// Qualify names the bindings that are to be asked now whether they are there.
func (r *Registrar) Qualify(now time.Time) []*Binding {
	var all []*Binding
	for _, list := range r.bindings {
		for _, b := range list {
			if deadline.Reached(now, b.qualify) {
				b.qualify = now.Add(r.qualify)
				all = append(all, b)
			}
		}
	}
	return all
}

// A Refusal says which status a REGISTER is refused with.
type Refusal int

func (e Refusal) Error() string { return "registrar: REGISTER refused with " + strconv.Itoa(int(e)) }

// Register applies an authenticated REGISTER; a refusal is a Refusal.
func (r *Registrar) Register(now time.Time, request *sip.Request, account *Account) error {
	r.Expire(now)
	fallback := time.Hour // RFC 3261 section 10.2.1.1 leaves the default to the registrar
	if h := request.GetHeader("expires"); h != nil {
		fallback = seconds(h.Value(), fallback)
	}
	contacts := request.GetHeaders("contact")
	callID, cseq := request.CallID().Value(), request.CSeq().SeqNo
	// RFC 3261 section 10.3 step 7: either all of the bindings are changed or none.
	updated := slices.Clone(r.bindings[account.User])
	for _, h := range contacts {
		contact, ok := h.(*sip.ContactHeader)
		if !ok {
			return Refusal(sip.StatusBadRequest)
		}
		if contact.Address.Wildcard {
			// Step 6: "*" must be alone and must expire at once.
			if len(contacts) > 1 || fallback != 0 || request.GetHeader("expires") == nil {
				return Refusal(sip.StatusBadRequest)
			}
			updated = nil
			continue
		}
		expires := fallback
		if text, ok := contact.Params.Get("expires"); ok {
			expires = seconds(text, fallback)
		}
		if expires > 0 && expires < r.shortest {
			return Refusal(sip.StatusIntervalToBrief)
		}
		old := slices.IndexFunc(updated, func(b *Binding) bool { return sameURI(b.Contact, contact.Address) })
		if old >= 0 {
			// Step 7: an older request of the same Call-ID must not undo a newer one.
			if b := updated[old]; b.callID == callID && cseq <= b.cseq {
				return Refusal(sip.StatusInternalServerError)
			}
			updated = slices.Delete(slices.Clone(updated), old, old+1)
		}
		if expires > 0 {
			updated = append(updated, &Binding{
				Contact: *contact.Address.Clone(), Source: request.Source(), Transport: request.Transport(), callID: callID, cseq: cseq,
				expires: now.Add(min(expires, r.longest)), Reachable: true, qualify: now.Add(r.qualify),
			})
		}
	}
	if excess := len(updated) - max(1, account.Contacts); excess > 0 {
		updated = updated[excess:]
	}
	r.bindings[account.User] = updated
	return nil
}

// Expire forgets bindings whose time is over.
func (r *Registrar) Expire(now time.Time) {
	for user, list := range r.bindings {
		r.bindings[user] = slices.DeleteFunc(list, func(b *Binding) bool { return !now.Before(b.expires) })
	}
}

// Contacts are the values of the Contact header fields of the 200, with the time that is left.
func (r *Registrar) Contacts(now time.Time, user string) []sip.Header {
	var all []sip.Header
	for _, b := range r.bindings[user] {
		params := sip.NewParams()
		params.Add("expires", strconv.Itoa(int(b.expires.Sub(now)/time.Second)))
		all = append(all, &sip.ContactHeader{Address: *b.Contact.Clone(), Params: params})
	}
	return all
}

// Reachable are the bindings that can be called now.
func (r *Registrar) Reachable(now time.Time, user string) []*Binding {
	var all []*Binding
	for _, b := range r.bindings[user] {
		if b.Reachable && now.Before(b.expires) {
			all = append(all, b)
		}
	}
	return all
}

// Deadline is the first expiry or qualification; zero means never.
func (r *Registrar) Deadline() time.Time {
	var first time.Time
	for _, list := range r.bindings {
		for _, b := range list {
			first = deadline.Earliest(first, b.expires, b.qualify)
		}
	}
	return first
}

// seconds reads a delta-seconds; malformed values count as the fallback (RFC 3261 section 10.3: as 3600).
func seconds(text string, fallback time.Duration) time.Duration {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 32)
	if errors.Is(err, strconv.ErrRange) {
		return 1 << 32 * time.Second
	}
	if err != nil {
		return fallback
	}
	return time.Duration(n) * time.Second
}

// sameURI compares what matters of two Contacts (RFC 3261 section 19.1.4).
func sameURI(a, b sip.Uri) bool {
	return a.User == b.User && strings.EqualFold(a.Host, b.Host) && a.Port == b.Port &&
		strings.EqualFold(a.UriParams.GetOr("transport", ""), b.UriParams.GetOr("transport", ""))
}
