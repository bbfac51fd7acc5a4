package subscription

import (
	"errors"
	"slices"
	"strings"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip/dialog"
	"freizeichen/sip/presence"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/header"
)

const statusBadEvent = 489

// cut is what a NOTIFY's expires may be earlier than what was granted without being another duration: rounding, the way.
const cut = 5 * time.Second

// errEmpty: an exchange that has nothing to say of the resource (yet).
var errEmpty = errors.New("subscription: a NOTIFY without a body")

// notified takes a NOTIFY to our Call-ID and tag (RFC 6665 section 4.1.3).
func (s *subscription) notified(now time.Time, id transaction.ServerID, request *sipgo.Request, name dialog.ID) {
	respond := func(status int, headers ...sipgo.Header) {
		response := dialog.Response(request, status, s.identity.Tag)
		for _, h := range headers {
			response.AppendHeader(h)
		}
		s.watch.tx.Respond(now, id, response)
	}
	event, options := header.Field(header.First(request, "event", "o"))
	state, params := header.Field(header.First(request, "subscription-state"))
	switch {
	case !strings.EqualFold(event, s.event):
		respond(statusBadEvent, sipgo.NewHeader("Allow-Events", s.event))
		return
	case options["id"] != "", s.dialog != nil && s.dialog.ID() != name:
		// Another subscription, or the second notifier of a fork: RFC 3856 section 6.9 lets us have one.
		respond(sipgo.StatusCallTransactionDoesNotExists)
		return
	case state == "":
		respond(sipgo.StatusBadRequest)
		return
	case !s.readable(request):
		respond(sipgo.StatusUnsupportedMediaType, sipgo.NewHeader("Accept", s.contentType()), sipgo.NewHeader("Accept-Encoding", "identity"))
		return
	}
	if s.dialog == nil {
		// Section 4.1.2.4: it may come before the 2xx to SUBSCRIBE.
		made, err := dialog.NewSubscriber(request, s.identity.CSeq)
		if err != nil {
			respond(sipgo.StatusBadRequest)
			return
		}
		s.dialog, s.since = made, now
	} else if err := s.dialog.Receive(request); errors.Is(err, dialog.ErrOutOfOrder) {
		respond(sipgo.StatusInternalServerError) // RFC 3261 section 12.2.2: older than what is shown
		return
	} else if err != nil {
		respond(sipgo.StatusBadRequest)
		return
	}
	s.dialog.Refresh(request) // section 4.4.1: NOTIFY is a target refresh request
	respond(sipgo.StatusOK)
	s.silent, s.heard = time.Time{}, now
	if strings.EqualFold(state, "terminated") {
		s.terminated(now, params)
		return
	}
	if s.ending {
		s.silent = now.Add(s.watch.config.Silence)
		return
	}
	// Section 4.1.3: the duration that a NOTIFY tells counts. Each tells what is left, so only a cut is news.
	if left, ok := header.Seconds(params["expires"], expiresMax); ok && left > 0 && now.Add(left).Before(s.over.Add(-cut)) {
		s.lasts(now, left)
	}
	s.learn(now, request.Body(), strings.EqualFold(state, "pending"))
}

// readable reports whether a body, if there is one, is of our content type.
func (s *subscription) readable(request *sipgo.Request) bool {
	if len(request.Body()) == 0 {
		return true
	}
	kind, _ := header.Field(header.First(request, "content-type", "c"))
	encoding := header.First(request, "content-encoding", "e")
	return strings.EqualFold(kind, s.contentType()) && (encoding == "" || strings.EqualFold(encoding, "identity"))
}

// learn takes the body. One that cannot be used leaves nothing known: the figures before it are not true any more.
func (s *subscription) learn(now time.Time, body []byte, pending bool) {
	err := errEmpty
	if len(body) > 0 {
		err = s.apply(now, body)
	} else if pending { // section 4.1.3: the notifier does not yet know whether we may
		return
	}
	if err != nil {
		s.watch.config.Log.Debug("nothing learned of a resource", "resource", s.resource, "err", err)
		s.forget(0)
	}
}

// terminated takes the end of the subscription by the notifier, and its reason (RFC 6665 section 4.1.3).
func (s *subscription) terminated(now time.Time, params header.Params) {
	wait := s.atOnce(now)
	switch strings.ToLower(params["reason"]) {
	case "deactivated", "timeout": // "retry immediately with a new subscription", "MAY re-subscribe immediately"
	case "rejected", "noresource", "invariant":
		// The client SHOULD NOT, and after invariant MUST NOT, subscribe again. But a phone stands for years, and a queue
		// that a person creates or allows must appear without anybody's help: we ask again, slowly.
		wait = s.spread(refusedPause, 10)
	default: // probation, giveup, none, one of the future: at any time, or after retry-after
		wait = max(wait, retryAfter(params["retry-after"]))
	}
	s.lost(now, 0, wait)
}

// Hints are what a dialog subscription has been told.
type hints struct {
	seen    bool // version has a value
	version uint32
	dialogs []presence.Dialog
}

// hintsMax bounds the dialogs that partial documents can collect.
const hintsMax = 64

// hint makes an apply that takes dialog-info in its order and hands on all dialogs (RFC 4235 section 4.3).
func (s *subscription) hint(take func([]presence.Dialog)) func(time.Time, []byte) error {
	return func(now time.Time, body []byte) error {
		info, err := presence.ReadDialogInfo(body)
		h := &s.hints
		switch {
		case err != nil:
			return err
		case h.seen && info.Version <= h.version:
			return nil // older, or the same again: discarded
		case !info.Partial:
			h.dialogs = append([]presence.Dialog{}, info.Dialogs...)
		case !h.seen || info.Version != h.version+1:
			// Something is missing between: a refresh brings the full state.
			if s.pending == nil {
				s.next = now
			}
			return nil
		default:
			for _, d := range info.Dialogs {
				h.dialogs = slices.DeleteFunc(h.dialogs, func(old presence.Dialog) bool { return old.ID == d.ID })
				h.dialogs = append(h.dialogs, d)
			}
			h.dialogs = h.dialogs[max(0, len(h.dialogs)-hintsMax):]
		}
		h.seen, h.version = true, info.Version
		take(slices.Clone(h.dialogs))
		return nil
	}
}
