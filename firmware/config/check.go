package config

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"freizeichen/firmware/document"
)

// problems are what is wrong in the file so far.
type problems struct{ *document.Problems }

// check turns the mirror into a Config, over the defaults.
func (p problems) check(mirror raw) Config {
	c := Default()
	p.accounts(&c, mirror.Accounts)
	document.Choice(p.Problems, &c.Language, mirror.Language, German, English)
	document.Choice(p.Problems, &c.Panel, mirror.Panel, Mono128x64, Colour320x240)
	document.Value(p.Problems, &c.Lamps.Missed, mirror.Lamps.Missed, document.ParseBool)
	p.dial(&c.Dial, mirror.Dial)
	p.calls(&c.Calls, mirror.Calls)
	document.Value(p.Problems, &c.Network.Local, mirror.Network.Local, parseLocal)
	document.Value(p.Problems, &c.Network.KeepAlive, mirror.Network.KeepAlive, document.DurationOf(time.Second, time.Hour, true))
	document.Value(p.Problems, &c.Network.RTP, mirror.Network.RTP, ParsePortRange)
	document.Choice(p.Problems, &c.Sound.Tones, mirror.Sound.Tones, Germany, UnitedKingdom, UnitedStates)
	volume := mirror.Sound.Volume
	document.Value(p.Problems, &c.Sound.Volume.Handset, volume.Handset, document.NumberOf(1, volumeMax))
	document.Value(p.Problems, &c.Sound.Volume.Headset, volume.Headset, document.NumberOf(1, volumeMax))
	document.Value(p.Problems, &c.Sound.Volume.Speaker, volume.Speaker, document.NumberOf(1, volumeMax))
	document.Value(p.Problems, &c.Sound.Volume.Ringer, volume.Ringer, document.NumberOf(0, volumeMax))
	document.Value(p.Problems, &c.Service.Password, mirror.Service.Password, parseLinePassword)
	document.Value(p.Problems, &c.SelfTest.Echo, mirror.SelfTest.Echo, document.TextOf(document.CheckDigits))
	if slices.Contains(c.Dial.Emergency, c.SelfTest.Echo) {
		p.Add(mirror.SelfTest.Echo.At, "self-test.echo is %q, an emergency number: a test must not call it", c.SelfTest.Echo)
	}
	p.centre(&c.Centre, mirror.Centre)
	return c
}

// linePasswordLeast and linePasswordMost bound the password of the service line: three tries in half a minute guess no
// six characters, and a line of the terminal has room for the longest.
const linePasswordLeast, linePasswordMost = 6, 64

func parseLinePassword(text string) (Secret, error) {
	if text == "" {
		return Secret{}, nil
	}
	if n := len(text); n < linePasswordLeast || n > linePasswordMost {
		return Secret{}, fmt.Errorf("must have %d to %d characters, or be left out", linePasswordLeast, linePasswordMost)
	}
	for _, r := range text {
		if r <= ' ' || r > '~' {
			return Secret{}, errors.New("may have letters, digits and signs of ASCII only: not every terminal sends others")
		}
	}
	return NewSecret(text), nil
}

// volumeMax is the loudest level.
const volumeMax = 10

func (p problems) accounts(c *Config, mirror []rawAccount) {
	for i, m := range mirror {
		if i >= accountsMax {
			p.Add(m.At, "accounts[%d] is one too many: this version registers %d", i, accountsMax)
			return
		}
		a := Account{Transport: UDP, Expires: expiresDefault}
		path := fmt.Sprintf("accounts[%d]", i)
		p.Need(m.At, path, "user", m.User)
		p.Need(m.At, path, "domain", m.Domain)
		document.Value(p.Problems, &a.User, m.User, document.TextOf(checkUser))
		document.Value(p.Problems, &a.AuthUser, m.AuthUser, document.TextOf(checkText))
		document.Value(p.Problems, &a.Password, m.Password, parseSecret)
		document.Value(p.Problems, &a.Name, m.Name, document.TextOf(checkText))
		document.Value(p.Problems, &a.Domain, m.Domain, document.TextOf(checkHost))
		document.Value(p.Problems, &a.Server, m.Server, document.TextOf(checkServer))
		document.Choice(p.Problems, &a.Transport, m.Transport, UDP, TCP)
		// RFC 3261 section 10.3: a registrar may refuse less than an hour, and PBXs do below a minute.
		document.Value(p.Problems, &a.Expires, m.Expires, document.DurationOf(time.Minute, 24*time.Hour, false))
		c.Accounts = append(c.Accounts, a)
	}
}

func (p problems) dial(c *Dial, mirror rawDial) {
	document.Value(p.Problems, &c.AutoDial, mirror.AutoDial, document.DurationOf(time.Second, time.Minute, true))
	for _, s := range mirror.Emergency {
		var number string
		if document.Value(p.Problems, &number, s, document.TextOf(document.CheckNumber)) && !slices.Contains(c.Emergency, number) {
			c.Emergency = append(c.Emergency, number)
		}
	}
	for i, m := range mirror.Replace {
		path := fmt.Sprintf("dial.replace[%d]", i)
		p.Need(m.At, path, "prefix", m.Prefix)
		p.Need(m.At, path, "by", m.By)
		var r Replacement
		document.Value(p.Problems, &r.Prefix, m.Prefix, document.TextOf(document.CheckNumber))
		document.Value(p.Problems, &r.By, m.By, document.TextOf(document.CheckDigits))
		for j, earlier := range c.Replace {
			if r.Prefix != "" && earlier.Prefix != "" && strings.HasPrefix(r.Prefix, earlier.Prefix) {
				p.Add(m.Prefix.At, "%s is never used: dial.replace[%d] fits first; put the longer prefix first", path, j)
				break
			}
		}
		c.Replace = append(c.Replace, r)
	}
}

func (p problems) calls(c *Calls, mirror rawCalls) {
	document.Value(p.Problems, &c.Retention, mirror.Retention, document.DurationOf(time.Hour, 31*24*time.Hour, true))
	if mirror.CalledNumber == nil {
		return
	}
	c.CalledNumber = nil
	for _, s := range mirror.CalledNumber {
		var source Source
		if !document.Choice(p.Problems, &source, s, Diversion, HistoryInfo, PCalled, To) {
			continue
		}
		if slices.Contains(c.CalledNumber, source) {
			p.Add(s.At, "%s: %q stands in the list already", s.Path, source)
			continue
		}
		c.CalledNumber = append(c.CalledNumber, source)
	}
}

func parseSecret(text string) (Secret, error) { return NewSecret(text), checkText(text) }

// checkServer takes a host with or without a port, or nothing: the domain.
func checkServer(text string) error {
	if text == "" {
		return nil
	}
	_, _, err := splitServer(text)
	return err
}

func parseLocal(text string) (netip.AddrPort, error) {
	if text == "" {
		return netip.AddrPort{}, nil
	}
	local, err := netip.ParseAddrPort(text)
	if err != nil || local.Addr().Zone() != "" {
		return netip.AddrPort{}, fmt.Errorf("is %s; allowed: an address and a port, as 192.0.2.7:5060, port 0 for a free one", document.Excerpt(text))
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
		return PortRange{}, fmt.Errorf("is %s; allowed: FIRST-LAST from 1024 to 65535, at least %d ports, as 20000-20999", document.Excerpt(text), portsMin)
	}
	return PortRange{First: uint16(a), Last: uint16(b)}, nil
}
