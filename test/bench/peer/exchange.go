//go:build linux

// Package peer is the other end of the phones that are measured: an exchange that registers and calls them, and the
// sound of the calls. It is no phone of ours with another name: it writes its messages by hand and keeps no
// transactions, for on loopback nothing is lost. It measures times on the wire and judges nothing.
//
//	Exchange --REGISTER, INVITE, BYE--> wire (kernel's time stamps) <--> phone
//	Stream   --RTP, 20 ms-------------> wire                        <--> phone
package peer

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// Exchange is a registrar with digest MD5, the only algorithm that baresip 1.0.0 can be offered, and a caller.
type Exchange struct {
	// Host is where phones see it, when that is not Loopback: behind a translation of addresses. It is set before any registers.
	Host netip.Addr

	wire *wire

	mu       sync.Mutex // guards what follows
	accounts map[string]*account
	calls    map[string]chan arrival // by Call-ID
	tokens   int
}

// account is a phone as the exchange knows it.
type account struct {
	registered chan time.Time // when a registration was confirmed
	contact    sip.Uri
	from       netip.AddrPort // where its REGISTER came from
}

// arrival is a message for a call, and when its sender sent it.
type arrival struct {
	message sip.Message
	at      time.Time
}

// arrivalsMax is more than a phone sends in a call; what is more is lost.
const arrivalsMax = 32

const nonce = "0f8fa4b6d3c1e5a7"

// OpenExchange listens at any port of loopback.
func OpenExchange() (*Exchange, error) {
	w, err := openWire(0)
	if err != nil {
		return nil, fmt.Errorf("opening the exchange: %w", err)
	}
	e := &Exchange{wire: w, accounts: map[string]*account{}, calls: map[string]chan arrival{}}
	go e.serve()
	return e, nil
}

// Close ends the exchange.
func (e *Exchange) Close() { e.wire.close() }

// Address is where the exchange listens.
func (e *Exchange) Address() netip.AddrPort { return e.wire.address() }

// seen is the address in its messages.
func (e *Exchange) seen() netip.AddrPort {
	if e.Host.IsValid() {
		return netip.AddrPortFrom(e.Host, e.Address().Port())
	}
	return e.Address()
}

// Password is the account's.
func (e *Exchange) Password(user string) string { return "bench-" + user }

func (e *Exchange) account(user string) *account {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.accounts[user] == nil {
		e.accounts[user] = &account{registered: make(chan time.Time, 1)}
	}
	return e.accounts[user]
}

// Registrations tells when the account was registered.
func (e *Exchange) Registrations(user string) <-chan time.Time { return e.account(user).registered }

// contact is how the account's phone is called, and where it is: it has one socket, so where its REGISTER came from.
func (e *Exchange) contact(user string) (sip.Uri, netip.AddrPort) {
	a := e.account(user)
	e.mu.Lock()
	defer e.mu.Unlock()
	return a.contact, a.from
}

// serve takes what arrives until close.
func (e *Exchange) serve() {
	parser := sip.NewParser()
	buf := make([]byte, 65535)
	for {
		n, from, at, err := e.wire.read(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // a phone that has gone: ICMP
		}
		message, err := parser.ParseSIP(buf[:n])
		if err != nil {
			continue // a keep-alive
		}
		switch m := message.(type) {
		case *sip.Request:
			e.request(m, from)
			e.deliver(arrival{m, at})
		case *sip.Response:
			e.deliver(arrival{m, at})
		}
	}
}

// deliver gives a message to its call, if there is one.
func (e *Exchange) deliver(a arrival) {
	id := a.message.CallID()
	if id == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	select {
	case e.calls[id.Value()] <- a:
	default:
	}
}

// request answers.
func (e *Exchange) request(r *sip.Request, from netip.AddrPort) {
	switch r.Method {
	case sip.ACK:
	case sip.REGISTER:
		e.register(r, from)
	default:
		e.send(reply(r, 200, "OK"), from)
	}
}

// register is RFC 3261 section 10.3, with one binding an account.
func (e *Exchange) register(r *sip.Request, from netip.AddrPort) {
	contact := r.Contact()
	if contact == nil || r.To() == nil {
		e.send(reply(r, 400, "Bad Request"), from)
		return
	}
	user := r.To().Address.User
	if !e.authorized(r, user) {
		challenge := fmt.Sprintf("WWW-Authenticate: Digest realm=\"bench\",nonce=%q,algorithm=MD5,qop=\"auth\"", nonce)
		e.send(reply(r, 401, "Unauthorized", challenge), from)
		return
	}
	expires, ok := contact.Params.Get("expires")
	if !ok {
		if h := r.GetHeader("Expires"); h != nil {
			expires = h.Value()
		}
	}
	if expires == "0" {
		e.send(reply(r, 200, "OK"), from)
		return
	}
	a := e.account(user)
	e.mu.Lock()
	a.contact, a.from = contact.Address, from
	e.mu.Unlock()
	e.send(reply(r, 200, "OK", fmt.Sprintf("Contact: <%s>;expires=%s", contact.Address.String(), expires)), from)
	select {
	case a.registered <- time.Now():
	default: // nobody has asked about the last one: a refresh
	}
}

// authorized checks the digest (RFC 2617).
func (e *Exchange) authorized(r *sip.Request, user string) bool {
	h := r.GetHeader("Authorization")
	if h == nil {
		return false
	}
	given, err := digest.ParseCredentials(h.Value())
	if err != nil || given.Username != user || given.Nonce != nonce {
		return false
	}
	wanted, err := digest.Digest(
		&digest.Challenge{Realm: "bench", Nonce: nonce, Algorithm: "MD5", QOP: []string{"auth"}},
		digest.Options{Method: "REGISTER", URI: given.URI, Username: user, Password: e.Password(user), Count: given.Nc, Cnonce: given.Cnonce})
	return err == nil && wanted.Response == given.Response
}

// reply is a response as text (RFC 3261 section 8.2.6).
func reply(r *sip.Request, status int, reason string, fields ...string) string {
	lines := []string{fmt.Sprintf("SIP/2.0 %d %s", status, reason)}
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		for _, h := range r.GetHeaders(name) {
			value := h.Value()
			if to := r.To(); name == "To" && to != nil && !to.Params.Has("tag") {
				value += ";tag=bench"
			}
			lines = append(lines, name+": "+value)
		}
	}
	return message(append(lines, fields...), "")
}

// message joins start line and header fields with a body.
func message(lines []string, body string) string {
	return strings.Join(append(lines, fmt.Sprintf("Content-Length: %d", len(body))), "\r\n") + "\r\n\r\n" + body
}

func (e *Exchange) send(message string, to netip.AddrPort) {
	_ = e.wire.send([]byte(message), to) // who waits for an answer says that none came
}

// token is a new name for a branch, a tag or a call.
func (e *Exchange) token() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tokens++
	return fmt.Sprintf("z9hG4bK-bench-%d", e.tokens)
}
