// Package identity reads from an INVITE who calls, whom the citizen dialled, and what for. It reads what the network
// says; all that it returns is fit for a panel: valid UTF-8, no control characters, bounded. Pure.
package identity

import (
	"slices"
	"strconv"
	"strings"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
	"freizeichen/sip/ua/header"
)

// textMax bounds the runes of every text from the network: a panel has room for less, and a list for many of them.
const textMax = 128

// A message is a request or a response.
type message interface{ GetHeaders(string) []sipgo.Header }

// anonymous is the Number of a caller who withholds who he is. Nobody can dial it.
const anonymous = "anonymous"

// withheld reports an address that stands for nobody (RFC 3323 section 4.1.1.3).
func withheld(address header.Address) bool {
	return strings.EqualFold(address.User(), anonymous) || strings.EqualFold(address.Host(), "anonymous.invalid")
}

// party makes an address fit for the panel.
func party(address header.Address) sip.Party {
	p := sip.Party{Name: header.Text(address.Name, textMax), Number: header.Text(address.User(), textMax)}
	if p.Name == p.Number {
		p.Name = "" // exchanges repeat the number where they have no name
	}
	return p
}

// Asserted is the identity that the exchange vouches for (RFC 3325). It reports false without one, and for one that is
// to be kept from us: section 9.3, Privacy "id" asks that it is not shown to those outside the trusted network.
func Asserted(m message) (sip.Party, bool) {
	if private(m) {
		return sip.Party{}, false
	}
	var found sip.Party
	for _, value := range header.Values(m, "p-asserted-identity") {
		for _, address := range header.Addresses(value) {
			// Section 9.1: there can be two, a SIP URI and a telephone number. They are the same party.
			if withheld(address) {
				continue
			}
			p := party(address)
			if found.Name == "" {
				found.Name = p.Name
			}
			if found.Number == "" {
				found.Number = p.Number
			}
		}
	}
	return found, found != sip.Party{}
}

func private(m message) bool {
	for _, value := range header.Values(m, "privacy") {
		for _, kind := range header.Split(value, ';') {
			switch strings.ToLower(kind) {
			case "id", "user", "header":
				return true
			}
		}
	}
	return false
}

// Caller is who calls: P-Asserted-Identity, else From. Who withholds it is the number "anonymous" without a name: the
// panel says so, and does not confuse him with somebody whom the exchange does not know, the zero Party.
func Caller(invite *sipgo.Request) sip.Party {
	if p, ok := Asserted(invite); ok {
		return p
	}
	if private(invite) {
		return sip.Party{Number: anonymous}
	}
	from := header.Addresses(header.First(invite, "from", "f"))
	switch {
	case len(from) == 0:
		return sip.Party{}
	case withheld(from[0]):
		return sip.Party{Number: anonymous}
	}
	return party(from[0])
}

// Topic is what the caller wants (RFC 3261 section 20.36).
func Topic(invite *sipgo.Request) string {
	return header.Text(header.First(invite, "subject", "s"), textMax)
}

// waitedMax is longer than any queue keeps a caller; what is above it is no waiting time.
const waitedMax = 24 * time.Hour

// Queue is the queue that offers the call, and how long the caller has waited there. No standard header field says so: these
// are X-CC-Queue and X-CC-Wait (whole seconds), which the PBX's dialplan adds.
func Queue(invite *sipgo.Request) (name string, waited time.Duration) {
	name = header.Text(header.First(invite, "x-cc-queue"), textMax)
	seconds, err := strconv.ParseUint(strings.TrimSpace(header.First(invite, "x-cc-wait")), 10, 32)
	if waited = time.Duration(seconds) * time.Second; err != nil || waited > waitedMax {
		waited = 0
	}
	return name, waited
}

// Places are where Called can look, in the order that suits most exchanges.
func Places() []string { return []string{"diversion", "history-info", "p-called-party-id", "to"} }

// Called is the number that the citizen dialled, as far as the INVITE tells: from the first of the places (see Places) that
// has one. Our own names, the account and the user of our Contact, are none: they are only where the exchange sent
// the call in the end.
func Called(invite *sipgo.Request, places []string, own ...string) sip.Party {
	for _, place := range places {
		var addresses []header.Address
		for _, value := range header.Values(invite, calledFields[place]...) {
			addresses = append(addresses, header.Addresses(value)...)
		}
		if place == "diversion" {
			// RFC 5806 section 5.1: each diversion is put on top, so the last one is what was dialled first.
			// History-Info is the other way round: RFC 7044, index 1 is the first.
			slices.Reverse(addresses)
		}
		for _, address := range addresses {
			if p := party(address); p.Number != "" && !withheld(address) && !slices.Contains(own, p.Number) {
				return p
			}
		}
	}
	return sip.Party{}
}

// calledFields are the header fields behind the names of Places.
var calledFields = map[string][]string{
	"diversion":         {"diversion"},
	"history-info":      {"history-info"},
	"p-called-party-id": {"p-called-party-id"},
	"to":                {"to", "t"},
}
