package header

import (
	"net/url"
	"strings"
)

// An Address is a name-addr or addr-spec of RFC 3261 section 25.1.
type Address struct {
	Name   string // display name, without quotes
	URI    string // as written, without angle brackets
	Params Params // of the header field, not of the URI
}

// Addresses reads a comma-separated list of addresses; elements that are none are left out.
func Addresses(s string) []Address {
	var addresses []Address
	for _, piece := range Split(s, ',') {
		value, params := Field(piece)
		address := Address{URI: value, Params: params}
		if open := strings.LastIndexByte(value, '<'); open >= 0 {
			end := strings.IndexByte(value[open:], '>')
			if end < 0 {
				continue
			}
			address.Name = Unquote(strings.TrimSpace(value[:open]))
			address.URI = value[open+1 : open+end]
		}
		if strings.Contains(address.URI, ":") {
			addresses = append(addresses, address)
		}
	}
	return addresses
}

// User is the user part of a sip or sips URI, or the number of a tel URI (RFC 3966), without its parameters and with
// its escapes resolved; "" for other URIs.
func (a Address) User() string {
	scheme, rest, _ := strings.Cut(a.URI, ":")
	user := ""
	switch strings.ToLower(scheme) {
	case "sip", "sips":
		at := strings.LastIndexByte(rest, '@')
		if at < 0 {
			return ""
		}
		user, _, _ = strings.Cut(rest[:at], ":") // a password is nobody's business
	case "tel":
		user = strings.NewReplacer("-", "", ".", "", "(", "", ")", "").Replace(rest)
	}
	user, _, _ = strings.Cut(user, ";")
	if plain, err := url.PathUnescape(user); err == nil {
		return plain
	}
	return user
}

// Host is the host part of a sip or sips URI in lower case, without port; "" for other URIs.
func (a Address) Host() string {
	scheme, rest, _ := strings.Cut(a.URI, ":")
	if s := strings.ToLower(scheme); s != "sip" && s != "sips" {
		return ""
	}
	rest = rest[strings.LastIndexByte(rest, '@')+1:]
	if end := strings.IndexAny(rest, ";?"); end >= 0 {
		rest = rest[:end]
	}
	if end := strings.IndexByte(rest, ']'); strings.HasPrefix(rest, "[") && end > 0 {
		return strings.ToLower(rest[:end+1])
	}
	rest, _, _ = strings.Cut(rest, ":")
	return strings.ToLower(rest)
}
