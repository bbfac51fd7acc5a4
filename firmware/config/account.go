package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// An Account is one registration with the PBX.
type Account struct {
	User      string        // user part of the address of record: "201"
	AuthUser  string        // user name for digest; default User
	Password  Secret        // may be empty
	Name      string        // display name that others see; default none
	Domain    string        // host part of the address of record
	Server    string        // where requests go, "host" or "host:port"; default Domain
	Transport Transport     // default UDP
	Expires   time.Duration // what REGISTER asks for; default 300 s
}

// accountsMax is how many accounts this version registers.
const accountsMax = 1

// expiresDefault is what REGISTER asks for: a PBX that lost its memory knows the phone again after this time.
const expiresDefault = 300 * time.Second

// A Transport carries SIP.
type Transport string

// The transports.
const (
	UDP Transport = "udp"
	TCP Transport = "tcp"
)

// A Secret is a text that no print, log or encoder shows.
type Secret struct{ text string }

// NewSecret hides a text.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal is the text itself, for the one place that computes with it.
func (s Secret) Reveal() string { return s.text }

const redacted = "[redacted]"

// Format, String, LogValue and MarshalText show that there is a secret, never which.
func (s Secret) Format(state fmt.State, _ rune) { fmt.Fprint(state, redacted) }
func (s Secret) String() string                 { return redacted }
func (s Secret) LogValue() slog.Value           { return slog.StringValue(redacted) }
func (s Secret) MarshalText() ([]byte, error)   { return []byte(redacted), nil }

// accountForm is what ParseAccountURL takes, for people.
const accountForm = "sip:USER:PASSWORD@HOST:PORT;transport=udp|tcp (for example sip:201:secret@pbx.example:5060)"

// ParseAccountURL reads an account from one line: "sip:201:secret@host:port;transport=tcp". Password, port and
// transport may be left out. Characters that have a meaning in the line (: @ ; %) are written as %XX (RFC 3261 section
// 19.1.2). An error says the right form and never holds the line, which has a password in it.
func ParseAccountURL(line string) (Account, error) {
	account, err := parseAccountURL(line)
	if err != nil {
		return Account{}, fmt.Errorf("config: account: %w; the form is %s", err, accountForm)
	}
	return account, nil
}

func parseAccountURL(line string) (Account, error) {
	scheme, rest, found := strings.Cut(strings.TrimSpace(line), ":")
	switch {
	case found && strings.EqualFold(scheme, "sips"):
		return Account{}, errors.New("sips is not supported")
	case !found || !strings.EqualFold(scheme, "sip"):
		return Account{}, errors.New(`it does not begin with "sip:"`)
	}
	rest, parameters, _ := strings.Cut(rest, ";")
	// The last @ parts user from host: a password typed with a plain @ is more likely than a host with one.
	i := strings.LastIndexByte(rest, '@')
	if i < 0 {
		return Account{}, errors.New("the @ between user and host is missing")
	}
	user, password, _ := strings.Cut(rest[:i], ":")
	account := Account{Transport: UDP, Expires: expiresDefault}
	var err error
	if account.User, err = url.PathUnescape(user); err != nil || checkUser(account.User) != nil {
		return Account{}, errors.New("the user " + userForm)
	}
	if password, err = url.PathUnescape(password); err != nil || checkText(password) != nil {
		return Account{}, errors.New("in the password % is written as %25, and control characters are not taken")
	}
	account.Password = NewSecret(password)
	host, port, err := splitServer(rest[i+1:])
	if err != nil {
		return Account{}, fmt.Errorf("what follows the @ %w", err)
	}
	account.Domain = host
	if port != 0 {
		account.Server = rest[i+1:]
	}
	return account, account.parameters(parameters)
}

// parameters reads ";transport=tcp" without its first semicolon.
func (a *Account) parameters(text string) error {
	if text == "" {
		return nil
	}
	for parameter := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(parameter, "=")
		transport := Transport(strings.ToLower(value))
		if !strings.EqualFold(name, "transport") {
			return errors.New("the only parameter is transport")
		}
		if transport != UDP && transport != TCP {
			return errors.New("transport is udp or tcp")
		}
		a.Transport = transport
	}
	return nil
}

const userForm = "must be 1 to 64 letters, digits or - _ . + * ! ~"

// checkUser takes what may stand in front of an @ without escaping (RFC 3261 section 25.1: unreserved and "+"). The
// rest of user-unreserved confuses more PBXs than it serves.
func checkUser(user string) error {
	if user == "" || len(user) > 64 {
		return errors.New(userForm)
	}
	for _, r := range user {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		if !letter && !strings.ContainsRune("-_.+*!~", r) {
			return errors.New(userForm)
		}
	}
	return nil
}

// checkText takes a text of one line: a line end in it could become a header field of its own.
func checkText(text string) error {
	if len(text) > 128 {
		return errors.New("must be at most 128 bytes long")
	}
	for _, r := range text {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' {
			return errors.New("must be one line without control characters")
		}
	}
	return nil
}

// splitServer parts "host", "host:port", "[2001:db8::1]:port"; port 0 means none is given.
func splitServer(server string) (host string, port uint16, err error) {
	host, digits := server, ""
	if i := strings.LastIndexByte(server, ':'); i >= 0 && i > strings.LastIndexByte(server, ']') {
		host, digits = server[:i], server[i+1:]
		n, err := strconv.ParseUint(digits, 10, 16)
		if err != nil || n == 0 {
			return "", 0, errors.New("must have a port from 1 to 65535")
		}
		port = uint16(n)
	}
	return host, port, checkHost(host)
}

var errHost = errors.New("must be a host: a name, an IPv4 address or an IPv6 address in brackets")

// checkHost takes a host of RFC 3261 section 25.1: a name, an IPv4 address, or an IPv6 address in brackets.
func checkHost(host string) error {
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, closed := strings.CutSuffix(inner, "]")
		address, err := netip.ParseAddr(inner)
		if !closed || err != nil || !address.Is6() || address.Zone() != "" {
			return errHost
		}
		return nil
	}
	if host == "" || len(host) > 253 {
		return errHost
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(host, "."), ".") {
		if !isLabel(label) {
			return errHost
		}
	}
	return nil
}

// isLabel takes letters, digits, hyphens within, and the underscore that test networks use.
func isLabel(label string) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	return strings.Trim(strings.ToLower(label), "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}
