// Package digest answers the challenges of a SIP server: RFC 3261 section 22 with RFC 7616 and RFC 8760. It reads every
// challenge, takes the best algorithm it knows, counts nonces and notices a wrong password. The hashing is icholy/digest's.
// Pure except for the client nonces, which come from the source it is given.
//
//	401, 407 --Challenged--> Retry:  send again with Authorize's header fields
//	                         Refused, Unsupported: give up
package digest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/icholy/digest"

	"freizeichen/sip/ua/header"
)

// An Outcome says what a challenge means for the request that met it.
type Outcome uint8

// The outcomes.
const (
	Retry       Outcome = iota // there are new credentials: send the request again
	Refused                    // the server has seen our answer to its own fresh challenge: the password is wrong
	Unsupported                // no challenge that we can answer
)

// A Challenge is one WWW-Authenticate or Proxy-Authenticate header field.
type Challenge struct {
	Proxy     bool // Proxy-Authenticate: to be answered by Proxy-Authorization
	Realm     string
	Nonce     string
	Opaque    string
	Algorithm string // as written; empty means MD5
	Stale     bool   // the nonce was too old, not the password wrong
	QOP       bool   // the server asks for qop=auth; false means the form of RFC 2069
	Userhash  bool
}

// strength orders the algorithms by RFC 8760 section 2.2; 0 is one we cannot compute. There is no "-sess" among them:
// no server asks for it.
func (c Challenge) strength() int {
	switch strings.ToUpper(c.Algorithm) {
	case "SHA-512-256":
		return 3
	case "SHA-256":
		return 2
	case "MD5", "":
		return 1
	}
	return 0
}

// Parse reads the text of one WWW-Authenticate (proxy: Proxy-Authenticate) header field. It reports false for other
// schemes, and for a challenge without realm and nonce or with none but unknown qop options.
func Parse(text string, proxy bool) (Challenge, bool) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	if !strings.EqualFold(scheme, "Digest") {
		return Challenge{}, false
	}
	c := Challenge{Proxy: proxy}
	known := true // qop
	for _, piece := range header.Split(rest, ',') {
		name, value, _ := strings.Cut(piece, "=")
		value = header.Unquote(strings.TrimSpace(value))
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "realm":
			c.Realm = value
		case "nonce":
			c.Nonce = value
		case "opaque":
			c.Opaque = value
		case "algorithm":
			c.Algorithm = value
		case "stale":
			c.Stale = strings.EqualFold(value, "true")
		case "userhash":
			c.Userhash = strings.EqualFold(value, "true")
		case "qop":
			known = false
			for _, option := range header.Split(value, ',') {
				known = known || strings.EqualFold(option, "auth")
			}
			c.QOP = known
		}
	}
	// The values go back in quotes; a server that puts a control character there gets no answer.
	if !known || c.Nonce == "" || strings.ContainsFunc(c.Realm+c.Nonce+c.Opaque+c.Algorithm, isControl) {
		return Challenge{}, false
	}
	return c, true
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// A Client holds the credentials of one account and the nonces of its servers.
type Client struct {
	user, password string
	nonce          func() string
	sessions       []session
}

// A session is the answer to one challenge, used again until the server wants another.
type session struct {
	Challenge
	count int // of requests sent with the nonce ("nc")
}

// NewClient makes a client. nonce returns a fresh client nonce of letters and digits each time.
func NewClient(user, password string, nonce func() string) *Client {
	return &Client{user: user, password: password, nonce: nonce}
}

// Forget drops all nonces, so that the next request goes out bare.
func (c *Client) Forget() { c.sessions = nil }

// Challenged takes the challenges of a 401 or 407. answered names the realms that this very request was challenged by
// before and has answered (see Answers); answers with a nonce from an earlier request do not count.
func (c *Client) Challenged(challenges []Challenge, answered []string) Outcome {
	outcome := Unsupported
	for _, group := range byRealm(challenges) {
		best := group[0]
		for _, candidate := range group[1:] {
			// RFC 8760 section 2.4: a client SHOULD use the topmost header field that it supports; we weigh
			// security higher, since Asterisk sends its own order.
			if candidate.strength() > best.strength() {
				best = candidate
			}
		}
		if best.strength() == 0 {
			continue
		}
		// RFC 7616 section 3.3: stale means that the nonce, not the password, was refused. Without it a server that
		// challenges again what we have just answered does not like our password, whatever its new nonce.
		if !best.Stale && slices.Contains(answered, realmKey(best)) {
			return Refused
		}
		c.keep(best)
		outcome = Retry
	}
	return outcome
}

// Answers names the realms of challenges, for Challenged when the same request is challenged again.
func Answers(challenges []Challenge) []string {
	var realms []string
	for _, challenge := range challenges {
		realms = append(realms, realmKey(challenge))
	}
	return realms
}

func realmKey(c Challenge) string { return fmt.Sprintf("%t %s", c.Proxy, c.Realm) }

// byRealm groups challenges in the order of their first appearance: each realm wants one answer.
func byRealm(challenges []Challenge) [][]Challenge {
	var groups [][]Challenge
next:
	for _, challenge := range challenges {
		for i, group := range groups {
			if realmKey(group[0]) == realmKey(challenge) {
				groups[i] = append(group, challenge)
				continue next
			}
		}
		groups = append(groups, []Challenge{challenge})
	}
	return groups
}

// sessionsMax bounds the realms remembered: one for the registrar, one for each proxy on the way, and some to spare
// against a server that makes up a realm for each challenge.
const sessionsMax = 4

func (c *Client) keep(challenge Challenge) {
	fresh := session{Challenge: challenge}
	c.sessions = slices.DeleteFunc(c.sessions, func(old session) bool {
		if realmKey(old.Challenge) != realmKey(challenge) {
			return false
		}
		if old.Nonce == challenge.Nonce {
			fresh.count = old.count // the count belongs to the nonce
		}
		return true
	})
	c.sessions = append(c.sessions, fresh)
	if len(c.sessions) > sessionsMax {
		c.sessions = c.sessions[1:]
	}
}

// A Field is a header field to add to a request.
type Field struct{ Name, Value string }

// Authorize computes the header fields for one sending of a request: Authorization and Proxy-Authorization for each
// realm known. Each call counts up "nc" (RFC 7616 section 3.4).
func (c *Client) Authorize(method, uri string) []Field {
	var fields []Field
	for i := range c.sessions {
		s := &c.sessions[i]
		s.count++
		challenge := digest.Challenge{
			Realm: s.Realm, Nonce: s.Nonce, Opaque: s.Opaque, Algorithm: s.Algorithm, Userhash: s.Userhash,
		}
		if s.QOP {
			challenge.QOP = []string{"auth"}
		}
		credentials, err := digest.Digest(&challenge, digest.Options{
			Method: method, URI: uri, Count: s.count, Username: c.user, Password: c.password, Cnonce: c.nonce(),
		})
		if err != nil {
			continue // cannot be: Challenged keeps only what can be computed
		}
		name := "Authorization"
		if s.Proxy {
			name = "Proxy-Authorization"
		}
		fields = append(fields, Field{Name: name, Value: credentials.String()})
	}
	return fields
}
