package message

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// lws is the white space inside a line (RFC 3261 section 25.1).
const lws = " \t"

var errSyntax = errors.New("message: syntax")

// vias reads a Via field. A bad value is reported, but where its sender can be reached is kept for the answer.
func vias(value string) (headers []sip.Header, reason string) {
	values, err := split(value, ',')
	if err != nil {
		return nil, "Malformed Via"
	}
	for _, v := range values {
		h, err := via(v)
		if err != nil {
			reason = "Malformed Via"
		}
		if h != nil {
			headers = append(headers, h)
		}
	}
	return headers, reason
}

// via reads "SIP/2.0/UDP host:port;params" with white space anywhere (RFC 4475 section 3.1.1.1).
func via(value string) (*sip.ViaHeader, error) {
	head, rest, _ := strings.Cut(value, ";")
	parts := strings.SplitN(head, "/", 3)
	if len(parts) != 3 {
		return nil, errSyntax
	}
	words := strings.Fields(parts[2])
	h := &sip.ViaHeader{ProtocolName: strings.Trim(parts[0], lws), ProtocolVersion: strings.Trim(parts[1], lws)}
	if len(words) < 2 || !isToken(words[0]) || !isToken(h.ProtocolName) || !isToken(h.ProtocolVersion) {
		return nil, errSyntax
	}
	h.Transport = strings.ToUpper(words[0]) // RFC 3261 section 7.3.1: tokens are case-insensitive
	host, port, err := hostPort(strings.Join(words[1:], ""))
	if err != nil {
		return nil, err
	}
	h.Host, h.Port = host, port
	if len(head) == len(value) {
		return h, nil
	}
	h.Params, err = params(rest)
	return h, err
}

// hostPort reads sent-by: a name, an IPv4 address or an IPv6 reference, perhaps with a port. 0 is no port.
func hostPort(s string) (host string, port int, err error) {
	rest := ""
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", 0, errSyntax
		}
		if a, err := netip.ParseAddr(s[1:end]); err != nil || !a.Is6() {
			return "", 0, errSyntax
		}
		host, rest = s[1:end], s[end+1:]
	} else {
		end := strings.IndexByte(s, ':')
		if end < 0 {
			end = len(s)
		}
		host, rest = s[:end], s[end:]
		if !isHostname(host) {
			return "", 0, errSyntax
		}
	}
	if rest == "" {
		return host, 0, nil
	}
	n, err := strconv.ParseUint(rest[1:], 10, 16)
	if rest[0] != ':' || err != nil || !isDigits(rest[1:]) || n == 0 {
		return "", 0, errSyntax
	}
	return host, int(n), nil
}

// addresses reads the fields whose value is an address: From, Contact, Route ...
func addresses(name, value string) (headers []sip.Header, reason string) {
	values := []string{value}
	switch name {
	case "Contact", "Route", "Record-Route": // RFC 3261 section 7.3.1: lists
		var err error
		if values, err = split(value, ','); err != nil {
			return nil, "Malformed " + name
		}
	}
	for _, v := range values {
		if v == "*" && name == "Contact" {
			// RFC 3261 section 10.2.2: removes all bindings.
			headers = append(headers, &sip.ContactHeader{Address: sip.Uri{Wildcard: true, Host: "*"}})
			continue
		}
		a, err := parseAddress(v)
		if err != nil {
			return nil, "Malformed " + name
		}
		headers = append(headers, a.header(name))
	}
	return headers, ""
}

// An address is name-addr or addr-spec with the parameters of its header field (RFC 3261 section 25.1).
type address struct {
	display string // without quotes, its escapes as they were
	uri     sip.Uri
	params  sip.HeaderParams
}

func (a address) header(name string) sip.Header {
	switch name {
	case "From":
		return &sip.FromHeader{DisplayName: a.display, Address: a.uri, Params: a.params}
	case "To":
		return &sip.ToHeader{DisplayName: a.display, Address: a.uri, Params: a.params}
	case "Contact":
		return &sip.ContactHeader{DisplayName: a.display, Address: a.uri, Params: a.params}
	case "Route":
		return &sip.RouteHeader{Address: a.uri}
	case "Record-Route":
		return &sip.RecordRouteHeader{Address: a.uri}
	case "Refer-To":
		return &sip.ReferToHeader{Address: a.uri}
	}
	return &sip.ReferredByHeader{DisplayName: a.display, Address: a.uri, Params: a.params}
}

func parseAddress(s string) (a address, err error) {
	rest := strings.Trim(s, lws)
	if strings.HasPrefix(rest, `"`) {
		end := closingQuote(rest)
		if end < 0 {
			return a, errSyntax
		}
		a.display = rest[1:end]
		rest = strings.TrimLeft(rest[end+1:], lws)
		if !strings.HasPrefix(rest, "<") {
			return a, errSyntax
		}
	}
	spec, after := "", ""
	if open := strings.IndexByte(rest, '<'); open >= 0 {
		if open > 0 {
			a.display = strings.TrimRight(rest[:open], lws)
		}
		end := strings.IndexByte(rest, '>')
		// RFC 3261 section 25.1: a display name without quotes is tokens and white space (RFC 4475 section 3.1.2.15).
		if end < open || (open > 0 && !isTokens(a.display)) {
			return a, errSyntax
		}
		spec, after = rest[open+1:end], strings.TrimLeft(rest[end+1:], lws)
		if after != "" && after[0] != ';' {
			return a, errSyntax
		}
	} else {
		end := strings.IndexByte(rest, ';')
		if end < 0 {
			end = len(rest)
		}
		spec, after = strings.TrimRight(rest[:end], lws), rest[end:]
		// RFC 3261 section 20: a URI with comma, question mark or semicolon MUST be enclosed in "<" and ">".
		if strings.ContainsAny(spec, ",?") {
			return a, errSyntax
		}
	}
	if a.uri, err = parseURI(spec); err != nil || after == "" {
		return a, err
	}
	a.params, err = params(after[1:])
	return a, err
}

// paramsMax bounds the parameters of one value; a Via or a Contact has ten.
const paramsMax = 64

// params reads "name=value;name" behind the first semicolon. Names become small letters (RFC 3261 section 7.3.1:
// case-insensitive). A quoted value keeps its quotes, unless there is white space in it: then sipgo quotes it
// when it writes, and would quote it twice.
func params(s string) (sip.HeaderParams, error) {
	items, err := split(s, ';')
	if err != nil {
		return nil, err
	}
	p := make(sip.HeaderParams, 0, len(items))
	for _, item := range items {
		if len(p) == paramsMax {
			return p, errSyntax
		}
		name, value, _ := strings.Cut(item, "=")
		name, value = strings.Trim(name, lws), strings.Trim(value, lws)
		if !isToken(name) {
			return p, errSyntax
		}
		if strings.HasPrefix(value, `"`) {
			if closingQuote(value) != len(value)-1 {
				return p, errSyntax
			}
			if strings.ContainsAny(value, lws) {
				value = value[1 : len(value)-1]
			}
		} else if strings.ContainsAny(value, lws+`"<>`) {
			return p, errSyntax
		}
		p = append(p, sip.HeaderKV{K: strings.ToLower(name), V: value})
	}
	return p, nil
}

// parseURI reads a URI of any scheme. Parameter names become small letters.
func parseURI(s string) (sip.Uri, error) {
	var uri sip.Uri
	colon := strings.IndexByte(s, ':')
	if colon < 1 || strings.ContainsAny(s, lws+`<>"`) || !isScheme(s[:colon]) {
		return uri, errSyntax
	}
	scheme := strings.ToLower(s[:colon])
	if scheme != "sip" && scheme != "sips" {
		// sipgo's parser knows no ".", "+" or digits in a scheme; as a host the rest is written as it came.
		return sip.Uri{Scheme: scheme, Host: s[colon+1:]}, nil
	}
	if err := sip.ParseUri(s, &uri); err != nil {
		return uri, errSyntax
	}
	if uri.Wildcard || uri.Port < 0 || uri.Port > 65535 || !isHost(uri.Host) {
		return uri, errSyntax
	}
	for i, kv := range uri.UriParams {
		uri.UriParams[i].K = strings.ToLower(kv.K)
	}
	return uri, nil
}

// split cuts at sep outside of quoted strings and angle brackets, and trims what it finds.
func split(s string, sep byte) ([]string, error) {
	var parts []string
	start, bracket := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' && !bracket:
			end := closingQuote(s[i:])
			if end < 0 {
				return nil, errSyntax
			}
			i += end
		case c == '<':
			bracket = true
		case c == '>':
			bracket = false
		case c == sep && !bracket:
			parts = append(parts, strings.Trim(s[start:i], lws))
			start = i + 1
		}
	}
	return append(parts, strings.Trim(s[start:], lws)), nil
}

// closingQuote is the index of the quote that ends the quoted string at the beginning of s, or -1.
func closingQuote(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++ // RFC 3261 section 25.1: quoted-pair
		case '"':
			return i
		}
	}
	return -1
}
