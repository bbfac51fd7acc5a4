package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"

	"freizeichen/cmd/phonesim/internal/page"
	"freizeichen/cmd/station"
	"freizeichen/device/screen"
	"freizeichen/device/voice"
	"freizeichen/firmware/config"
	"freizeichen/hal"
	"freizeichen/hal/sim"
)

// The account of the phone at the built-in exchange. It is reachable on loopback only.
const (
	agentUser     = "201"
	agentPassword = "lab-201"
)

// simulator joins a phone with its page and its exchange, as far as the options want them.
type simulator struct {
	options options
	stdout  io.Writer
	log     *slog.Logger
}

// run lives until the context ends, or until a part cannot start or breaks.
func (s *simulator) run(ctx context.Context) error {
	var room *switchroom
	if s.options.builtIn {
		var err error
		if room, err = s.openSwitchroom(ctx); err != nil {
			return err
		}
		defer room.remove()
		s.options.config.Accounts = []config.Account{builtInAccount(room.exchange.Address())}
		if room.ours = !s.options.config.Centre.On(); room.ours {
			s.options.config.Centre = room.desk
		}
	}
	var phone *station.Station
	body := sim.NewBody(func(k hal.KeyChange) { phone.Post(k) }, func(h hal.HookChange) { phone.Post(h) })
	sound, browser, err := s.openSound()
	if err != nil {
		return err
	}
	phone, err = station.New(station.Config{
		Config: s.options.config, Body: body, Sound: sound, Socket: s.options.socket, Version: version, Logger: s.log,
	})
	if err != nil {
		return fmt.Errorf("%w%s", err, hint(err, s.options.socket))
	}
	var parts []func(context.Context) error
	if room != nil {
		parts = append(parts, room.run)
	}
	if !s.options.headless {
		serve, err := s.openPage(phone, body, browser)
		if err != nil {
			return err
		}
		parts = append(parts, serve)
	}
	if room != nil {
		fmt.Fprint(s.stdout, room.greeting())
	}
	return s.live(ctx, phone, parts)
}

// hint says which flag helps when a phone's socket cannot be opened, in brackets behind the error; empty when none does,
// or when the error says so itself.
func hint(err error, socket string) string {
	var path *fs.PathError
	var network *net.OpError
	// Other files have nothing to do with it: an authority, a journal.
	local := errors.As(err, &path) && strings.HasPrefix(socket, path.Path) || errors.As(err, &network) && network.Net == "unix"
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return " (another program may use the address; -sip and -socket choose others)"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return " (this machine does not have the address; -sip chooses another)"
	case local && errors.Is(err, syscall.EINVAL):
		return " (a socket's path is at most about 100 bytes long; -socket chooses a shorter one)"
	case local:
		return " (-socket chooses another path)"
	case errors.Is(err, fs.ErrPermission):
		return " (ports below 1024 may be reserved; -sip chooses another)"
	}
	return ""
}

// live runs the phone and the parts around it. The parts outlive the phone, which says goodbye to the exchange.
func (s *simulator) live(ctx context.Context, phone *station.Station, parts []func(context.Context) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	around, stopAround := context.WithCancel(context.WithoutCancel(ctx))
	defer stopAround()
	var wait sync.WaitGroup
	errs := make([]error, len(parts)+1)
	for i, part := range parts {
		wait.Go(func() {
			errs[i] = part(around)
			stop()
		})
	}
	errs[len(parts)] = phone.Run(ctx)
	stopAround()
	wait.Wait()
	return errors.Join(errs...)
}

// openSound opens the device that was chosen. The browser is nil when the sound is elsewhere.
func (s *simulator) openSound() (voice.Device, *sim.Browser, error) {
	if s.options.browser {
		browser := sim.NewBrowser()
		return browser, browser, nil
	}
	device, err := s.options.sound.Open()
	if err != nil {
		return nil, nil, fmt.Errorf("-sound: %w", err)
	}
	return device, nil, nil
}

// openPage listens, prints the one line with the page's address and returns what serves it.
func (s *simulator) openPage(phone *station.Station, body *sim.Body, browser *sim.Browser) (func(context.Context) error, error) {
	first := string(s.options.config.Language)
	languages := []string{first}
	for _, l := range []config.Language{config.German, config.English} {
		if string(l) != first {
			languages = append(languages, string(l))
		}
	}
	c := page.Config{
		Body: body, Languages: languages, SetLanguage: phone.SetLanguage, SetPanel: phone.SetPanel, Logger: s.log,
		Label: func(tag string, id page.Label) string {
			language, _ := screen.ParseLanguage(tag)
			return screen.Label(language, string(id))
		},
	}
	if browser != nil {
		c.Sound = browser
	}
	p, err := page.New(c)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", s.options.listen.String())
	if err != nil {
		return nil, fmt.Errorf("-listen: %w (0 as the port takes any free one)", err)
	}
	fmt.Fprintf(s.stdout, "Freizeichen: open http://%s/ in a browser; Ctrl-C ends the phone\n", listener.Addr())
	return func(ctx context.Context) error { return p.Serve(ctx, listener) }, nil
}

// builtInAccount is the phone's account at the exchange in this process.
func builtInAccount(exchange netip.AddrPort) config.Account {
	account := config.Account{
		User: agentUser, Password: config.NewSecret(agentPassword), Domain: exchange.Addr().String(), Server: exchange.String(),
		Transport: config.UDP,
	}
	return account
}
