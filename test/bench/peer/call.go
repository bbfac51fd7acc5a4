//go:build linux

package peer

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Patience is how long a phone may take for anything: one that needs longer does not work.
const Patience = 10 * time.Second

// Call is one that the exchange makes to a phone.
type Call struct {
	exchange *Exchange
	user     string
	contact  sip.Uri // where requests go
	to       netip.AddrPort
	id, tag  string
	remote   string // value of To, with the phone's tag as soon as it is known
	sequence int
	arrivals chan arrival
	Sound    netip.AddrPort // where the phone wants its RTP
}

// Invite sends INVITE, with an offer of G.711 A-law at a port of ours, and waits for 180. ringing is the time between.
func (e *Exchange) Invite(ctx context.Context, user string, port uint16) (c *Call, ringing time.Duration, err error) {
	contact, to := e.contact(user)
	if !to.IsValid() {
		return nil, 0, fmt.Errorf("%s has not registered", user)
	}
	c = &Call{
		exchange: e, user: user, contact: contact, to: to, id: e.token(), tag: e.token(), sequence: 1,
		remote: fmt.Sprintf("<sip:%s@%s>", user, e.seen()), arrivals: make(chan arrival, arrivalsMax),
	}
	e.mu.Lock()
	e.calls[c.id] = c.arrivals
	e.mu.Unlock()
	invite := c.request(sip.INVITE, fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\n"+
		"m=audio %[2]d RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n", e.seen().Addr(), port))
	sent := time.Now()
	e.send(invite, to)
	_, at, err := c.response(ctx, sip.INVITE, 180)
	return c, at.Sub(sent), err
}

// A phone that a busy machine keeps from taking notice of its call refuses to lift; it is asked again so often.
const (
	presses = 20
	between = 50 * time.Millisecond
)

// Lift presses the phone's answer key, waits for 200 and acknowledges it. answered is the time between key and 200.
func (c *Call) Lift(ctx context.Context, press func() error) (answered time.Duration, err error) {
	pressed := time.Now()
	for n := 1; ; n++ {
		if err = press(); err == nil {
			break
		}
		if n == presses || ctx.Err() != nil {
			return 0, err
		}
		time.Sleep(between)
		pressed = time.Now()
	}
	response, at, err := c.response(ctx, sip.INVITE, 200)
	if err != nil {
		return 0, err
	}
	c.exchange.send(c.request(sip.ACK, ""), c.to)
	if c.Sound, err = soundOf(response.Body()); err != nil {
		return 0, err
	}
	return at.Sub(pressed), nil
}

// Hangup ends the call.
func (c *Call) Hangup(ctx context.Context) error {
	c.sequence++
	c.exchange.send(c.request(sip.BYE, ""), c.to)
	_, _, err := c.response(ctx, sip.BYE, 200)
	c.exchange.mu.Lock()
	delete(c.exchange.calls, c.id)
	c.exchange.mu.Unlock()
	return err
}

// response waits for a response to the call's last request of a method.
func (c *Call) response(ctx context.Context, method sip.RequestMethod, status int) (r *sip.Response, at time.Time, err error) {
	timeout := time.NewTimer(Patience)
	defer timeout.Stop()
	for {
		select {
		case a := <-c.arrivals:
			if request, ok := a.message.(*sip.Request); ok && request.Method == sip.BYE {
				return nil, at, errors.New("hung up")
			}
			r, ok := a.message.(*sip.Response)
			if !ok || r.CSeq() == nil || r.CSeq().MethodName != method || r.To() == nil || r.IsProvisional() && r.StatusCode != status {
				continue
			}
			if r.StatusCode != status {
				return nil, at, fmt.Errorf("answered %s with %d %s, not %d", method, r.StatusCode, r.Reason, status)
			}
			c.remote = r.To().Value()
			if contact := r.Contact(); contact != nil {
				c.contact = contact.Address
			}
			return r, a.at, nil
		case <-timeout.C:
			return nil, at, fmt.Errorf("did not answer %s with %d within %v", method, status, Patience)
		case <-ctx.Done():
			return nil, at, context.Cause(ctx)
		}
	}
}

// request is the text of a request of the call.
func (c *Call) request(method sip.RequestMethod, body string) string {
	e := c.exchange
	lines := []string{
		fmt.Sprintf("%s %s SIP/2.0", method, c.contact.String()),
		fmt.Sprintf("Via: SIP/2.0/UDP %s;branch=%s;rport", e.seen(), e.token()),
		"Max-Forwards: 70",
		fmt.Sprintf("From: \"Ada\" <sip:0281207100@%s>;tag=%s", e.seen(), c.tag),
		"To: " + c.remote,
		"Call-ID: " + c.id,
		fmt.Sprintf("CSeq: %d %s", c.sequence, method),
	}
	if method == sip.INVITE {
		lines = append(lines, fmt.Sprintf("Contact: <sip:bench@%s>", e.seen()), "Subject: Elterngeld",
			"Allow: INVITE, ACK, BYE, CANCEL, OPTIONS", "Content-Type: application/sdp")
	}
	return message(lines, body)
}

// soundOf reads the address of the first stream of an answer.
func soundOf(description []byte) (netip.AddrPort, error) {
	var host, port string
	for line := range strings.Lines(string(description)) {
		words := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "c=") && len(words) == 3:
			host = words[2]
		case strings.HasPrefix(line, "m=audio") && len(words) > 3 && port == "":
			port = words[1]
		}
	}
	address, errHost := netip.ParseAddr(host)
	number, errPort := strconv.ParseUint(port, 10, 16)
	if err := errors.Join(errHost, errPort); err != nil || number == 0 {
		return netip.AddrPort{}, fmt.Errorf("the answer has no address for sound: %q", description)
	}
	return netip.AddrPortFrom(address, uint16(number)), nil
}
