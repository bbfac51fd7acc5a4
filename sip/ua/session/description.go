// Package session is what a call agrees with its peer: our side of offer and answer with its version (RFC 3264
// section 8), and the session timer (RFC 4028). Pure: it neither sends nor waits, and it plays no sound.
//
//	Description: Offer, Answer, Accept  <-> SDP        Timer: Ask, Agree, Confirm  <-> Session-Expires
package session

import (
	"bytes"
	"net/netip"

	"freizeichen/sip"
	"freizeichen/sip/offer"
)

// A Description is our side of one call's sound.
type Description struct {
	Local   netip.AddrPort // where RTP is received
	Session uint64         // of the o= line, the same for the whole call
	version uint64
	sent    []byte // the last one made
}

func (d *Description) local(direction sip.Direction) offer.Local {
	return offer.Local{Address: d.Local, Direction: direction, SessionID: d.Session, Version: d.version}
}

// Offer is our description as an offer. RFC 3264 section 8: the version goes up by one when the description changes.
func (d *Description) Offer(direction sip.Direction) []byte {
	body := offer.Offer(d.local(direction))
	if d.sent != nil && !bytes.Equal(body, d.sent) {
		d.version++
		body = offer.Offer(d.local(direction))
	}
	d.sent = body
	return body
}

// Answer is our description as an answer to the peer's offer, and what is agreed by it. Errors are those of
// offer.Answer.
func (d *Description) Answer(direction sip.Direction, remote []byte) ([]byte, sip.Media, error) {
	body, agreed, err := offer.Answer(d.local(direction), remote)
	if err == nil && d.sent != nil && !bytes.Equal(body, d.sent) {
		d.version++
		body, agreed, err = offer.Answer(d.local(direction), remote)
	}
	if err != nil {
		return nil, sip.Media{}, err
	}
	d.sent = body
	return body, agreed, nil
}

// Accept reads the peer's answer to our last offer, which had this direction.
func (d *Description) Accept(direction sip.Direction, answer []byte) (sip.Media, error) {
	return offer.Accept(d.local(direction), answer)
}
