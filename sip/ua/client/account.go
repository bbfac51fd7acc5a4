package client

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math/big"
	"net"
	"strconv"
	"strings"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip/ua/header"
)

// Token is an unguessable text for tags, Call-IDs and client nonces: 80 bits, where RFC 3261 section 19.3 asks for 32.
func (c *Client) Token() string {
	b := make([]byte, 10)
	if c.config.Random == nil {
		_, _ = rand.Read(b) // never fails (Go 1.24)
	} else {
		for i := range b {
			b[i] = byte(c.config.Random.Uint32())
		}
	}
	return hex.EncodeToString(b)
}

// Intn is a number from 0 to n-1, from the same source.
func (c *Client) Intn(n int) int {
	if c.config.Random != nil {
		return c.config.Random.IntN(n)
	}
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		return 0 // never
	}
	return int(i.Int64())
}

// Transport is "UDP" or "TCP", as Via writes it.
func (c *Client) Transport() string {
	if strings.EqualFold(c.config.Account.Transport, "tcp") {
		return "TCP"
	}
	return "UDP"
}

// numberMax bounds a dialled string: E.164 has 15 digits, feature codes and names have some more.
const numberMax = 64

// UserPart makes a dialled string the user part of a URI. It reports false for one that cannot be: nothing typed by a
// person reaches a message without having passed here.
func UserPart(number string) (string, bool) {
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

// URI is a SIP URI of the account's domain; user is written as it stands, see UserPart.
func (c *Client) URI(user string) sipgo.Uri {
	uri := sipgo.Uri{Scheme: "sip", User: user, Host: c.config.Account.Domain}
	if host, port, err := net.SplitHostPort(uri.Host); err == nil {
		if n, err := strconv.Atoi(port); err == nil {
			uri.Host, uri.Port = bracketed(host), n
		}
	}
	return uri
}

func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// An Identity names a request outside of a dialog, or the INVITE that makes one.
type Identity struct {
	CallID, Tag string
	CSeq        uint32
}

// Outside builds a request outside of a dialog, from the account to an address of its domain
// (RFC 3261 section 8.1.1), to be sent to the account's server.
func (c *Client) Outside(method sipgo.RequestMethod, recipient, to sipgo.Uri, id Identity) *sipgo.Request {
	request := sipgo.NewRequest(method, recipient)
	from := &sipgo.FromHeader{DisplayName: header.Escape(c.config.Account.Name), Address: c.URI(c.config.Account.User)}
	from.Params.Add("tag", id.Tag)
	callID := sipgo.CallIDHeader(id.CallID)
	request.AppendHeader(from)
	request.AppendHeader(&sipgo.ToHeader{Address: to})
	request.AppendHeader(&callID)
	request.AppendHeader(&sipgo.CSeqHeader{SeqNo: id.CSeq, MethodName: method})
	if server := c.config.Account.Server; server != "" {
		// RFC 3261 section 8.1.2: local policy may name another place than the Request-URI does.
		request.SetDestination(server)
	}
	return request
}

// finish adds what all requests of the account carry. A phone speaks one transport to its exchange: it need not
// listen on the other, whatever the Contact of the peer says.
func (c *Client) finish(request *sipgo.Request) {
	request.SetTransport(c.Transport())
	if c.config.UserAgent != "" && request.GetHeader("User-Agent") == nil { // a subscription has its own, see there
		request.AppendHeader(sipgo.NewHeader("User-Agent", header.Text(c.config.UserAgent, 0)))
	}
}
