package station

import (
	"crypto/rand"
	"encoding/hex"

	"freizeichen/device/callcentre"
	"freizeichen/device/phone"
	"freizeichen/device/screen"
	"freizeichen/device/voice"
	"freizeichen/firmware/config"
	"freizeichen/hal"
	"freizeichen/sip"
	"freizeichen/sip/switchboard/wire"
	"freizeichen/sip/ua/subscription"
)

// The columns do not know each other: here the words of the configuration become those of sip, hal and device.

func account(a config.Account) sip.Account {
	return sip.Account{
		User: a.User, AuthUser: a.AuthUser, Password: a.Password.Reveal(), Name: a.Name, Domain: a.Domain,
		Server: a.Server, Transport: string(a.Transport), Expires: a.Expires,
	}
}

// server is where requests go.
func server(a sip.Account) string {
	if a.Server != "" {
		return a.Server
	}
	return a.Domain
}

func calledFrom(c config.Config) []string {
	sources := []string{}
	for _, s := range c.Calls.CalledNumber {
		sources = append(sources, string(s))
	}
	return sources
}

func phoneConfig(c config.Config) phone.Config {
	p := phone.Config{
		Name: c.Accounts[0].User, Emergency: c.Dial.Emergency, AutoDial: c.Dial.AutoDial, Retention: c.Calls.Retention,
		Missed: c.Lamps.Missed, Ringer: c.Sound.Volume.Ringer,
	}
	for _, r := range c.Dial.Replace {
		p.Rules = append(p.Rules, phone.Rule{Prefix: r.Prefix, Replace: r.By})
	}
	p.Desk = deskConfig(c.Centre)
	p.Volume[hal.Handset] = c.Sound.Volume.Handset
	p.Volume[hal.Headset] = c.Sound.Volume.Headset
	p.Volume[hal.Speaker] = c.Sound.Volume.Speaker
	return p
}

func panel(c config.Config) hal.Panel {
	if c.Panel == config.Colour320x240 {
		return hal.Colour320x240
	}
	return hal.Mono128x64
}

func language(c config.Config) screen.Language {
	l, _ := screen.ParseLanguage(string(c.Language))
	return l
}

func country(c config.Config) voice.Country {
	country, _ := voice.ParseCountry(string(c.Sound.Tones))
	return country
}

// deskConfig is the agent's desk; off for a phone that knows neither switchboard nor queues.
func deskConfig(c config.Centre) callcentre.Config {
	boot := make([]byte, 12)
	_, _ = rand.Read(boot) // never fails
	d := callcentre.Config{
		On: c.On(), Queues: c.Queues, ManyWaiting: c.ManyWaiting, LongWait: c.LongWait, RejectPauses: c.Reject, Boot: hex.EncodeToString(boot),
		Codes: callcentre.Codes{SignIn: c.Codes.SignIn, SignOut: c.Codes.SignOut, Ready: c.Codes.Ready},
	}
	for _, r := range c.Reasons {
		d.Reasons = append(d.Reasons, callcentre.Reason{ID: r.ID, Text: r.Text, Code: r.Code})
	}
	return d
}

// queueSource is where the status of queues comes from.
func queueSource(c config.Config) subscription.Source {
	switch {
	case !c.Centre.On() || c.Centre.Status == config.None:
		return subscription.Source{}
	case c.Centre.Status == config.Dialog:
		return subscription.Source{Kind: subscription.Dialog, Prefix: "q-"}
	}
	s := subscription.Source{Kind: subscription.Presence, Prefix: "cc-"}
	if c.Centre.Switchboard.URL != "" {
		s.Device = wire.Bell(c.Accounts[0].User, wire.SecretHash(c.Centre.Switchboard.Secret.Reveal()))
	}
	return s
}
