package config

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// check turns the mirror into a Config, over the defaults.
func (p *problems) check(mirror raw) Config {
	c := Default()
	p.accounts(&c, mirror.Accounts)
	choice(p, &c.Language, mirror.Language, German, English)
	choice(p, &c.Panel, mirror.Panel, Mono128x64, Colour320x240)
	value(p, &c.Lamps.Missed, mirror.Lamps.Missed, parseBool)
	p.dial(&c.Dial, mirror.Dial)
	p.calls(&c.Calls, mirror.Calls)
	value(p, &c.Network.Local, mirror.Network.Local, parseLocal)
	value(p, &c.Network.KeepAlive, mirror.Network.KeepAlive, durationOf(time.Second, time.Hour, true))
	value(p, &c.Network.RTP, mirror.Network.RTP, ParsePortRange)
	choice(p, &c.Sound.Tones, mirror.Sound.Tones, Germany, UnitedKingdom, UnitedStates)
	volume := mirror.Sound.Volume
	value(p, &c.Sound.Volume.Handset, volume.Handset, numberOf(1, volumeMax))
	value(p, &c.Sound.Volume.Headset, volume.Headset, numberOf(1, volumeMax))
	value(p, &c.Sound.Volume.Speaker, volume.Speaker, numberOf(1, volumeMax))
	value(p, &c.Sound.Volume.Ringer, volume.Ringer, numberOf(0, volumeMax))
	return c
}

// volumeMax is the loudest level.
const volumeMax = 10

func (p *problems) accounts(c *Config, mirror []rawAccount) {
	for i, m := range mirror {
		if i >= accountsMax {
			p.add(m.At, "accounts[%d] is one too many: this version registers %d", i, accountsMax)
			return
		}
		a := Account{Transport: UDP, Expires: expiresDefault}
		path := fmt.Sprintf("accounts[%d]", i)
		p.need(m.At, path, "user", m.User)
		p.need(m.At, path, "domain", m.Domain)
		value(p, &a.User, m.User, textOf(checkUser))
		value(p, &a.AuthUser, m.AuthUser, textOf(checkText))
		value(p, &a.Password, m.Password, parseSecret)
		value(p, &a.Name, m.Name, textOf(checkText))
		value(p, &a.Domain, m.Domain, textOf(checkHost))
		value(p, &a.Server, m.Server, textOf(checkServer))
		choice(p, &a.Transport, m.Transport, UDP, TCP)
		// RFC 3261 section 10.3: a registrar may refuse less than an hour, and PBXs do below a minute.
		value(p, &a.Expires, m.Expires, durationOf(time.Minute, 24*time.Hour, false))
		c.Accounts = append(c.Accounts, a)
	}
}

// need lists a key that has no default and is not there.
func (p *problems) need(at position, path, key string, s scalar) {
	if !s.set {
		p.add(at, "%s.%s is missing", path, key)
	}
}

func (p *problems) dial(c *Dial, mirror rawDial) {
	value(p, &c.AutoDial, mirror.AutoDial, durationOf(time.Second, time.Minute, true))
	for _, s := range mirror.Emergency {
		var number string
		if value(p, &number, s, textOf(checkNumber)) && !slices.Contains(c.Emergency, number) {
			c.Emergency = append(c.Emergency, number)
		}
	}
	for i, m := range mirror.Replace {
		path := fmt.Sprintf("dial.replace[%d]", i)
		p.need(m.At, path, "prefix", m.Prefix)
		p.need(m.At, path, "by", m.By)
		var r Replacement
		value(p, &r.Prefix, m.Prefix, textOf(checkNumber))
		value(p, &r.By, m.By, textOf(checkReplacing))
		for j, earlier := range c.Replace {
			if r.Prefix != "" && earlier.Prefix != "" && strings.HasPrefix(r.Prefix, earlier.Prefix) {
				p.add(m.Prefix.at, "%s is never used: dial.replace[%d] fits first; put the longer prefix first", path, j)
				break
			}
		}
		c.Replace = append(c.Replace, r)
	}
}

func (p *problems) calls(c *Calls, mirror rawCalls) {
	value(p, &c.Retention, mirror.Retention, durationOf(time.Hour, 31*24*time.Hour, true))
	if mirror.CalledNumber == nil {
		return
	}
	c.CalledNumber = nil
	for _, s := range mirror.CalledNumber {
		var source Source
		if !choice(p, &source, s, Diversion, HistoryInfo, PCalled, To) {
			continue
		}
		if slices.Contains(c.CalledNumber, source) {
			p.add(s.at, "%s: %q stands in the list already", s.path, source)
			continue
		}
		c.CalledNumber = append(c.CalledNumber, source)
	}
}

// value parses one value over its default, and reports whether there was a good one.
func value[T any](p *problems, into *T, s scalar, parse func(string) (T, error)) bool {
	if !s.set {
		return false
	}
	v, err := parse(s.text)
	if err != nil {
		p.add(s.at, "%s %v", s.path, err)
		return false
	}
	*into = v
	return true
}

// choice takes one of a few words.
func choice[T ~string](p *problems, into *T, s scalar, allowed ...T) bool {
	return value(p, into, s, func(text string) (T, error) {
		if slices.Contains(allowed, T(text)) {
			return T(text), nil
		}
		words := make([]string, len(allowed))
		for i, a := range allowed {
			words[i] = string(a)
		}
		return "", fmt.Errorf("is %s; allowed: %s", excerpt(text), strings.Join(words, ", "))
	})
}

// excerpt quotes a value for a message, not more than anybody reads.
func excerpt(text string) string {
	if r := []rune(text); len(r) > 40 {
		text = string(r[:40]) + "…"
	}
	return strconv.Quote(text)
}

func parseBool(text string) (bool, error) {
	if text != "true" && text != "false" {
		return false, fmt.Errorf("is %s; allowed: true, false", excerpt(text))
	}
	return text == "true", nil
}

func parseSecret(text string) (Secret, error) { return NewSecret(text), checkText(text) }

// textOf takes a text that passes the check.
func textOf(check func(string) error) func(string) (string, error) {
	return func(text string) (string, error) { return text, check(text) }
}

// numberOf takes a whole number in a range.
func numberOf(least, most int) func(string) (int, error) {
	return func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return 0, fmt.Errorf("is %s; allowed: a whole number from %d to %d", excerpt(text), least, most)
		}
		return n, nil
	}
}

// durationOf takes a time with its unit, in a range; off allows 0 beside it.
func durationOf(least, most time.Duration, off bool) func(string) (time.Duration, error) {
	return func(text string) (time.Duration, error) {
		d, err := time.ParseDuration(text)
		if err == nil && (d >= least && d <= most || d == 0 && off) {
			return d, nil
		}
		allowed := fmt.Sprintf("%s to %s", words(least), words(most))
		if off {
			allowed += ", or 0"
		}
		unit := ""
		if _, numeric := strconv.Atoi(text); err != nil && numeric == nil {
			unit = " without a unit"
		}
		return 0, fmt.Errorf("is %s%s; allowed: %s, written as 90s, 15m or 24h", excerpt(text), unit, allowed)
	}
}

// words is a duration without its zero parts: 24h0m0s is 24h.
func words(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// checkServer takes a host with or without a port, or nothing: the domain.
func checkServer(text string) error {
	if text == "" {
		return nil
	}
	_, _, err := splitServer(text)
	return err
}

// checkNumber takes what a keypad can dial, and a leading plus.
func checkNumber(text string) error {
	if text == "" {
		return errors.New("must not be empty")
	}
	return checkReplacing(text)
}

func checkReplacing(text string) error {
	if len(text) > 32 || strings.Trim(strings.TrimPrefix(text, "+"), "0123456789*#") != "" {
		return fmt.Errorf("is %s; allowed: at most 32 digits, * and #, with a + only in front", excerpt(text))
	}
	return nil
}

func parseLocal(text string) (netip.AddrPort, error) {
	if text == "" {
		return netip.AddrPort{}, nil
	}
	local, err := netip.ParseAddrPort(text)
	if err != nil || local.Addr().Zone() != "" {
		return netip.AddrPort{}, fmt.Errorf("is %s; allowed: an address and a port, as 192.0.2.7:5060, port 0 for a free one", excerpt(text))
	}
	return local, nil
}

// portsMin is one even and one odd port (RTP and RTCP, RFC 3550 section 11) for each of two lines, and one spare for a
// first port that is odd.
const portsMin = 5

// ParsePortRange reads "20000-20999".
func ParsePortRange(text string) (PortRange, error) {
	first, last, _ := strings.Cut(text, "-")
	a, errFirst := strconv.ParseUint(strings.TrimSpace(first), 10, 16)
	b, errLast := strconv.ParseUint(strings.TrimSpace(last), 10, 16)
	if errFirst != nil || errLast != nil || a < 1024 || b < a+portsMin-1 {
		return PortRange{}, fmt.Errorf("is %s; allowed: FIRST-LAST from 1024 to 65535, at least %d ports, as 20000-20999", excerpt(text), portsMin)
	}
	return PortRange{First: uint16(a), Last: uint16(b)}, nil
}
