package message

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Encode writes a message. It refuses one in which a field would break out of its place: CR, LF or NUL anywhere, a
// bare quote in a display name, a URI that ends before its end. sipgo itself writes all of these as they are.
func Encode(m sip.Message) ([]byte, error) {
	var start string
	var headers []sip.Header
	switch m := m.(type) {
	case *sip.Request:
		start, headers = m.StartLine(), m.Headers()
		if !isToken(string(m.Method)) || !isURI(&m.Recipient) {
			return nil, fmt.Errorf("message: encode %s: not a method and a URI", m.Method)
		}
	case *sip.Response:
		start, headers = m.StartLine(), m.Headers()
	}
	if hasControl(start) {
		return nil, fmt.Errorf("message: encode: control character in the start line")
	}
	for _, h := range headers {
		if !isToken(h.Name()) || hasControl(h.Value()) || !isWhole(h) {
			return nil, fmt.Errorf("message: encode header field %q: it would break out of its line", h.Name())
		}
	}
	var b bytes.Buffer
	m.StringWrite(&b)
	return b.Bytes(), nil
}

// isWhole reports whether the address of a header field ends where it should.
func isWhole(h sip.Header) bool {
	switch h := h.(type) {
	case *sip.FromHeader:
		return isQuotable(h.DisplayName) && isURI(&h.Address)
	case *sip.ToHeader:
		return isQuotable(h.DisplayName) && isURI(&h.Address)
	case *sip.ContactHeader:
		return isQuotable(h.DisplayName) && (h.Address.Wildcard || isURI(&h.Address))
	case *sip.ReferredByHeader:
		return isQuotable(h.DisplayName) && isURI(&h.Address)
	case *sip.ReferToHeader:
		return isURI(&h.Address)
	case *sip.RouteHeader:
		return isURI(&h.Address)
	case *sip.RecordRouteHeader:
		return isURI(&h.Address)
	}
	return true
}

// isQuotable reports whether sipgo may put quotes around a display name: it does so without looking.
func isQuotable(name string) bool {
	quoted := `"` + name + `"`
	return closingQuote(quoted) == len(quoted)-1
}

func isURI(uri *sip.Uri) bool {
	s := uri.String()
	return !strings.ContainsAny(s, lws+`<>"`) && !hasControl(s)
}
