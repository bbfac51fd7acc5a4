package ua

import (
	"fmt"
	"strings"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
	"freizeichen/sip/ua/header"
)

// textMax bounds the runes of every text from the network: a panel has room for less, and a list for many of them.
const textMax = 128

// numberMax bounds a dialled string: E.164 has 15 digits, feature codes and names have some more.
const numberMax = 64

type message interface{ GetHeaders(string) []sipgo.Header }

// party makes an address fit for the panel. An anonymous one is the zero Party (RFC 3323 section 4.1.1.3).
func party(address header.Address) sip.Party {
	user := address.User()
	if strings.EqualFold(user, "anonymous") || strings.EqualFold(address.Host(), "anonymous.invalid") {
		return sip.Party{}
	}
	p := sip.Party{Name: header.Text(address.Name, textMax), Number: header.Text(user, textMax)}
	if p.Name == p.Number {
		p.Name = "" // exchanges repeat the number where they have no name
	}
	return p
}

// asserted is the identity that the exchange vouches for (RFC 3325). It reports false without one, and for one that is
// to be kept from us: section 9.3, Privacy "id" asks that it is not shown to those outside the trusted network.
func asserted(m message) (sip.Party, bool) {
	if private(m) {
		return sip.Party{}, false
	}
	var found sip.Party
	for _, value := range header.Values(m, "p-asserted-identity") {
		for _, address := range header.Addresses(value) {
			// Section 9.1: there can be two, a SIP URI and a telephone number. They are the same party.
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

// caller is who calls: P-Asserted-Identity, else From.
func caller(invite *sipgo.Request) sip.Party {
	if p, ok := asserted(invite); ok {
		return p
	}
	if private(invite) {
		return sip.Party{}
	}
	for _, address := range header.Addresses(header.First(invite, "from", "f")) {
		return party(address)
	}
	return sip.Party{}
}

// topic is what the caller wants (RFC 3261 section 20.36).
func topic(invite *sipgo.Request) string {
	return header.Text(header.First(invite, "subject", "s"), textMax)
}

// called is the number that the citizen dialled, as far as the INVITE tells. Our own account is none: it is only where
// the exchange sent the call in the end.
func (a *Agent) called(invite *sipgo.Request) sip.Party {
	for _, place := range a.config.CalledFrom {
		var addresses []header.Address
		for _, value := range header.Values(invite, calledFields[place]...) {
			addresses = append(addresses, header.Addresses(value)...)
		}
		if place == "diversion" {
			// RFC 5806 section 5.1: each diversion is put on top, so the last one is what was dialled first.
			// History-Info is the other way round: RFC 7044, index 1 is the first.
			for i, j := 0, len(addresses)-1; i < j; i, j = i+1, j-1 {
				addresses[i], addresses[j] = addresses[j], addresses[i]
			}
		}
		for _, address := range addresses {
			p := party(address)
			if p.Number != "" && p.Number != a.config.Account.User && p.Number != a.registration.User() {
				return p
			}
		}
	}
	return sip.Party{}
}

// calledFields are the header fields behind the names of Config.CalledFrom.
var calledFields = map[string][]string{
	"diversion":         {"diversion"},
	"history-info":      {"history-info"},
	"p-called-party-id": {"p-called-party-id"},
	"to":                {"to", "t"},
}

// identify reports a party that has changed or become known (connected line).
func (c *call) identify(m message) {
	p, ok := asserted(m)
	if !ok || p == c.party {
		return
	}
	c.party = p
	if !c.gone {
		c.agent.events(sip.Identified{Call: c.id, Party: p})
	}
}

// userPart makes a dialled string the user part of a URI. It reports false for one that cannot be: nothing typed by a
// person reaches a message without having passed here.
func userPart(number string) (string, bool) {
	if number == "" || len(number) > numberMax {
		return "", false
	}
	var b strings.Builder
	for _, c := range []byte(number) {
		switch {
		// RFC 3261 section 25.1: user = unreserved / escaped / user-unreserved. Of the latter ";", "?" and "/" are
		// escaped too: many parsers see parameters there.
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', strings.IndexByte("-_.!~*'()&=+$,", c) >= 0:
			b.WriteByte(c)
		case c == '#', c == ';', c == '?', c == '/', c == '%':
			fmt.Fprintf(&b, "%%%02X", c)
		default: // spaces, control characters, "@", ":", quotes, brackets, all beyond ASCII
			return "", false
		}
	}
	return b.String(), true
}
