package ua

import (
	"strings"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua/client"
	"freizeichen/sip/ua/header"
)

// digits are those of RFC 4733 section 3.2 that a person can press.
const digits = "0123456789*#ABCD"

// sendDigit sends one DTMF digit: in the sound if the peer takes telephone-event, else by INFO as exchanges know it.
func (c *call) sendDigit(now time.Time, digit byte) {
	switch {
	case strings.IndexByte(digits, digit) < 0:
	case c.sound.applied && c.sound.agreed.EventType != 0:
		c.agent.media.SendDigit(c.id, digit)
	case c.state == up:
		c.agent.client.Send(now, func() *sipgo.Request {
			request := c.dialog.Request(sipgo.INFO)
			contentType := sipgo.ContentTypeHeader("application/dtmf-relay")
			request.AppendHeader(&contentType)
			request.SetBody([]byte("Signal=" + string(rune(digit)) + "\r\nDuration=160\r\n"))
			return request
		}, func(time.Time, client.Reply) {}) // a digit that is refused cannot be helped
	}
}

// informed takes INFO: a digit, or nothing that we know (RFC 6086).
func (c *call) informed(now time.Time, id transaction.ServerID, request *sipgo.Request) {
	a := c.agent
	if header.First(request, "info-package") != "" {
		// RFC 6086 section 4.2.2: an INFO for a package that was not agreed gets 469, with the packages that we take.
		a.respond(now, id, request, statusBadInfoPackage, sipgo.NewHeader("Recv-Info", ""))
		return
	}
	if len(request.Body()) == 0 {
		a.respond(now, id, request, sipgo.StatusOK) // a sign of life, as before RFC 6086
		return
	}
	kind, _ := header.Field(header.First(request, "content-type", "c"))
	switch kind = strings.ToLower(kind); kind {
	case "application/dtmf-relay", "application/dtmf":
	default:
		a.respond(now, id, request, sipgo.StatusUnsupportedMediaType,
			sipgo.NewHeader("Accept", "application/dtmf-relay, application/dtmf"))
		return
	}
	a.respond(now, id, request, sipgo.StatusOK)
	if digit := infoDigit(kind, string(request.Body())); digit != 0 {
		a.events(sip.DigitReceived{Call: c.id, Digit: digit})
	}
}

// infoDigit reads "Signal=5" with other lines around it (application/dtmf-relay), or "5" (application/dtmf).
// 10 and 11 are * and #, as some gateways write them. 0 if there is no digit.
func infoDigit(kind, body string) byte {
	signal := strings.TrimSpace(body)
	if kind == "application/dtmf-relay" {
		signal = ""
		for line := range strings.Lines(body) {
			name, value, _ := strings.Cut(line, "=")
			if strings.EqualFold(strings.TrimSpace(name), "signal") {
				signal = strings.TrimSpace(value)
			}
		}
	}
	switch signal = strings.ToUpper(signal); signal {
	case "10":
		return '*'
	case "11":
		return '#'
	}
	if len(signal) == 1 && strings.Contains(digits, signal) {
		return signal[0]
	}
	return 0
}
