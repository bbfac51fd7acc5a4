// Package station joins the parts of one phone: configuration, user agent, media, voice, the loop and the console. It
// decides nothing: every program that is a phone (phonesim, and the one on a board) calls it with its own body.
//
//	firmware/config --> station --> sip/transaction + sip/ua --events--> device/loop --> Body, device/voice
//	                            --> sip/media <--frames--> device/voice <--frames--> sound device
package station

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"freizeichen/device/console"
	"freizeichen/device/loop"
	"freizeichen/device/phone"
	"freizeichen/device/screen"
	"freizeichen/device/voice"
	"freizeichen/firmware/config"
	"freizeichen/hal"
	"freizeichen/sip"
	"freizeichen/sip/media"
	"freizeichen/sip/transaction"
	"freizeichen/sip/ua"
)

// farewell is how long a phone that is switched off may take to end its calls and to unregister.
const farewell = 2500 * time.Millisecond

// transactionsMax bounds what strangers can make a phone remember, to 8 MB: its exchange has 16 requests a second for it
// even while one of them floods it.
const transactionsMax = 2048

// connectionsMax bounds the TCP connections of others: a phone has one exchange, perhaps of several hosts.
const connectionsMax = 32

// sessionExpires is RFC 4028's recommended session interval: a call that a restarted PBX has forgotten ends within it.
const sessionExpires = 30 * time.Minute

// Body is what the station shows, and whose keys phonectl presses.
type Body interface {
	loop.Body
	console.Keys
}

// Config is what a station is made of.
type Config struct {
	Config config.Config // with one account at least
	Body   Body
	Sound  voice.Device // nil: silence
	// VoiceThread is called by the goroutine that moves sound before it begins; nil: nothing is special about it.
	VoiceThread func()
	Tester      loop.Tester      // nil: the body has no self-test
	SelfTest    console.SelfTest // what programs ask of it; nil with Tester
	Socket      string           // of the console; empty: the phone has none
	Version     string
	Logger      *slog.Logger

	// ListenPacket and ListenRTP open sockets; nil opens real ones. Tests put an in-memory network here.
	ListenPacket func(network, address string) (net.PacketConn, error)
	ListenRTP    func(netip.AddrPort) (media.Conn, error)
	// DialSwitchboard connects to the switchboard; nil uses the network.
	DialSwitchboard func(ctx context.Context, network, address string) (net.Conn, error)
}

// Station is one phone.
type Station struct {
	config   Config
	endpoint *transaction.Endpoint
	media    *media.Sessions
	agent    *ua.Agent
	voice    *voice.Voice
	loop     *loop.Loop
	console  *console.Server
	desk     *desk

	mu       sync.Mutex
	panel    hal.Panel
	language screen.Language
}

// New opens the sockets of a phone. Run makes it live; without Run, nothing but the sockets exists.
func New(config Config) (*Station, error) {
	s := &Station{config: config, panel: panel(config.Config), language: language(config.Config)}
	endpoint, err := openEndpoint(config, config.Config.Network.Local)
	if err != nil {
		return nil, err
	}
	s.endpoint = endpoint
	s.media = newMedia(config, endpoint, func(call sip.CallID, digit byte) { s.loop.Post(sip.DigitReceived{Call: call, Digit: digit}) })
	agent := agentConfig(config, endpoint)
	agent.KeepAlive, agent.Queues = config.Config.Network.KeepAlive, queueSource(config.Config)
	s.agent = ua.New(agent, endpoint.Transactions(), s.media, s.reported)
	s.voice = voice.New(config.Sound, s.media, voice.Config{Country: country(config.Config)}, s.soundGone, config.Logger)
	// The desk posts what it reads before there is a loop to take it.
	var early []phone.Event
	s.desk, err = openDesk(config, func(event phone.Event) {
		if s.loop == nil {
			early = append(early, event)
			return
		}
		s.loop.Post(event)
	})
	if err != nil {
		return nil, errors.Join(err, endpoint.Close())
	}
	s.loop = loop.New(loop.Config{
		Phone: phone.New(phoneConfig(config.Config)), Network: s, Body: config.Body, Voice: s.voice,
		Painter: screen.New(s.panel, s.language), Switchboard: s.desk, Tester: config.Tester, Logger: config.Logger,
	})
	for _, event := range early {
		s.loop.Post(event)
	}
	if config.Socket == "" {
		return s, nil
	}
	s.console, err = console.Listen(config.Socket, console.Config{
		Loop: s.loop, Keys: config.Body, Statistics: s.media.Statistics, SelfTest: config.SelfTest, Version: config.Version, Logger: config.Logger,
	})
	if err != nil {
		return nil, errors.Join(err, endpoint.Close(), s.desk.close())
	}
	return s, nil
}

// openEndpoint opens the SIP socket of a phone's account.
func openEndpoint(config Config, local netip.AddrPort) (*transaction.Endpoint, error) {
	account := account(config.Config.Accounts[0])
	return transaction.Open(transaction.Config{
		Network: account.Transport, Local: local, TCP: config.ListenPacket == nil,
		Server: server(account), Methods: ua.Methods(), Extensions: ua.Extensions(), ListenPacket: config.ListenPacket,
		TransactionsMax: transactionsMax, ConnectionsMax: connectionsMax, Log: config.Logger,
	})
}

// newMedia makes the sessions of calls that the endpoint signals.
func newMedia(config Config, endpoint *transaction.Endpoint, digit func(sip.CallID, byte)) *media.Sessions {
	return media.New(media.Config{
		Address: func() netip.Addr { return endpoint.LocalAddr("").Addr() },
		PortMin: config.Config.Network.RTP.First, PortMax: config.Config.Network.RTP.Last,
		Digit: digit, Listen: config.ListenRTP, Logger: config.Logger,
	})
}

// agentConfig is what every user agent of the account has.
func agentConfig(config Config, endpoint *transaction.Endpoint) ua.Config {
	return ua.Config{
		Account: account(config.Config.Accounts[0]), Local: func() netip.AddrPort { return endpoint.LocalAddr("") },
		UserAgent: "Freizeichen/" + config.Version, CalledFrom: calledFrom(config.Config), SessionExpires: sessionExpires, Log: config.Logger,
	}
}

// Post gives the phone an event of its body.
func (s *Station) Post(event phone.Event) { s.loop.Post(event) }

// Console is what answers programs; nil for a phone without a socket.
func (s *Station) Console() *console.Server { return s.console }

// Transcript is what the phone did in the last minutes.
func (s *Station) Transcript() string { return s.loop.Transcript() }

// View is what the phone shows and sounds like now.
func (s *Station) View() phone.View { return s.loop.View() }

// Alive reports what stands still, when it has not moved before ctx ended: the loop that decides, the clock of the sound, or
// the network's own; nil when all have. A supervisor that hears of one restarts the phone.
func (s *Station) Alive(ctx context.Context) error {
	if err := s.loop.Ping(ctx); err != nil {
		return fmt.Errorf("station: the loop stands still: %w", err)
	}
	if !s.voice.Ping(ctx) {
		return errors.New("station: the sound stands still")
	}
	moved := make(chan struct{})
	go s.endpoint.Do(func(time.Time) { close(moved) }) // it waits while the network does not move
	select {
	case <-moved:
		return nil
	case <-ctx.Done():
		return errors.New("station: the network stands still")
	}
}

// Do hands a command to the user agent: loop.Network.
func (s *Station) Do(command sip.Command) {
	s.endpoint.Do(func(now time.Time) { s.agent.Do(now, command) })
}

// reported takes what the user agent reports. Between calls is the time to open the ports of the next.
func (s *Station) reported(event sip.Event) {
	s.loop.Post(event)
	switch event.(type) {
	case sip.Registered, sip.Ended:
		s.media.Prepare()
	}
}

// soundGone tells the log; the calls go on in silence, and the PBX does not hang up.
func (s *Station) soundGone(gone voice.DeviceGone) {
	s.config.Logger.Error("the sound device is gone; calls go on without sound", "err", gone.Err)
}

// SetPanel changes the kind of panel that is drawn.
func (s *Station) SetPanel(p hal.Panel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.panel = p
	s.loop.SetPainter(screen.New(s.panel, s.language))
}

// SetLanguage changes the language of the panel.
func (s *Station) SetLanguage(tag string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.language, _ = screen.ParseLanguage(tag)
	s.loop.SetPainter(screen.New(s.panel, s.language))
}

// Run is the phone's life: it registers, and goes on until the context ends. Then it ends the calls, unregisters and
// closes everything. The error says what broke; nil means that the context has ended.
func (s *Station) Run(ctx context.Context) error {
	// What the phone needs to say goodbye outlives ctx.
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	broken := make(chan error, 2)
	var parts sync.WaitGroup
	parts.Go(func() { broken <- s.loop.Run(inner) })
	parts.Go(func() { broken <- s.endpoint.Run(inner, s.agent) })
	parts.Go(func() {
		if s.config.VoiceThread != nil {
			s.config.VoiceThread()
		}
		s.voice.Run(inner)
	})
	if s.console != nil {
		parts.Go(s.console.Run)
	}
	if s.desk.client != nil {
		parts.Go(func() { s.desk.client.Run(inner) })
	}
	s.endpoint.Do(s.agent.Start)

	var err error
	select {
	case <-ctx.Done():
		s.sayGoodbye()
	case err = <-broken:
	}
	if s.console != nil {
		err = errors.Join(err, s.console.Close())
	}
	stop()
	err = errors.Join(err, s.endpoint.Close())
	parts.Wait()
	err = errors.Join(err, s.desk.close())
	s.media.CloseAll()
	return err
}

// sayGoodbye ends calls and registration, and waits for the network's word for a bounded time.
func (s *Station) sayGoodbye() {
	gone := make(chan struct{})
	s.endpoint.Do(func(now time.Time) { s.agent.Stop(now, func() { close(gone) }) })
	if !within(gone, farewell) {
		s.config.Logger.Warn("the PBX did not confirm the end of the registration", "waited", farewell)
	}
}

// within waits for the end of something, and reports whether it came in time.
func within(done <-chan struct{}, most time.Duration) bool {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
