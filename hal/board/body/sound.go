//go:build linux

package body

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"freizeichen/hal"
	"freizeichen/hal/board"
	"freizeichen/hal/pcm"
	"freizeichen/hal/pcm/asound"
)

// soundRetry is how long a card that could not be opened is left alone while a call wants it.
const soundRetry = time.Second

// Sound is the sound device of the whole body: one voice.Device that never fails. It opens the card of the way that is
// wanted, goes on in silence while there is none, and takes it up again when it is back.
//
//	Route(handset) --> table: card, channels, mixer --> pcm.Duplex --> Read paces, Write
//	                   card away: another way that works, else silence paced by a hal.FrameClock
//
// One goroutine calls Read, Write, Route and Rest; the rest may be called from any.
type Sound struct {
	kernel asound.Kernel
	table  board.Table
	report func(hal.PartChange)
	pulled func() // the headset in use was pulled out
	log    *slog.Logger
	mixer  func(asound.Kernel, pcm.Card, []board.Control) error

	clock  hal.FrameClock // paces while no card does
	route  hal.Route      // that is wanted
	silent [hal.FrameSamples]int16

	mu      sync.Mutex
	duplex  *pcm.Duplex
	way     way // of duplex
	retryAt time.Time
	lent    bool
	closed  bool
	usb     string // path of the USB headset, empty without
	faults  [hal.PartCount]hal.Fault
}

// way is a card as it is opened.
type way struct {
	card              pcm.Card
	device            int
	capture, playback int // channels, as pcm.End has them
}

func (w way) same(o way) bool {
	return w.card.Number == o.card.Number && w.card.ID == o.card.ID && w.device == o.device && w.capture == o.capture && w.playback == o.playback
}

func newSound(kernel asound.Kernel, table board.Table, report func(hal.PartChange), pulled func(), log *slog.Logger) *Sound {
	return &Sound{kernel: kernel, table: table, report: report, pulled: pulled, log: log, mixer: setMixer}
}

// channel is a word of the table as pcm.End counts.
func channel(word string) int {
	switch word {
	case "left":
		return 1
	case "right":
		return 2
	}
	return 0
}

// of is the way of sound that the table has for a route, and whether it has one.
func (s *Sound) of(route hal.Route) (board.Sound, bool) {
	switch route {
	case hal.Handset:
		return s.table.Handset, s.table.Handset.Place != ""
	case hal.Speaker:
		return s.table.Speaker, s.table.Speaker.Place != ""
	case hal.Headset:
		return s.table.Jack, s.table.Jack.Place != ""
	}
	return board.Sound{}, false
}

// partOf is the part of the body that a route needs.
func partOf(route hal.Route) hal.Part {
	switch route {
	case hal.Handset:
		return hal.PartHandset
	case hal.Headset:
		return hal.PartHeadset
	}
	return hal.PartSpeaker
}

// find looks for the card of a route. The error says which there are.
func (s *Sound) find(route hal.Route) (way, board.Sound, error) {
	sound, ok := s.of(route)
	if route == hal.Headset {
		if w, err := s.findHeadset(); err == nil || !ok {
			return w, board.Sound{}, err
		}
	}
	if !ok {
		return way{}, sound, fmt.Errorf("body: this board has no %s", route)
	}
	card, err := pcm.Find(s.kernel, sound.Card)
	if err != nil {
		return way{}, sound, fmt.Errorf("body: %s: %w", sound.Place, err)
	}
	return way{card: card, device: sound.Device, capture: channel(sound.Capture), playback: channel(sound.Playback)}, sound, nil
}

// findHeadset is the card on the same USB device as the headset's keys, or else a USB card that no other part has.
func (s *Sound) findHeadset() (way, error) {
	if !s.table.Headset.USB {
		return way{}, errors.New("body: this board takes no USB headset")
	}
	cards, err := pcm.Cards(s.kernel)
	if err != nil {
		return way{}, fmt.Errorf("body: %w", err)
	}
	var other *pcm.Card
	for i := range cards {
		c := &cards[i]
		if c.USBPath == "" || len(c.Playback) == 0 || len(c.Capture) == 0 {
			continue
		}
		if c.USBPath == s.usb {
			other = c
			break
		}
		if other == nil && !s.taken(*c) {
			other = c
		}
	}
	if other == nil {
		return way{}, fmt.Errorf("body: no USB headset: %w", pcm.ErrNoCard)
	}
	return way{card: *other, device: other.Playback[0]}, nil
}

// taken tells whether the table has the card for another part.
func (s *Sound) taken(c pcm.Card) bool {
	for _, route := range []hal.Route{hal.Handset, hal.Speaker, hal.Headset} {
		if sound, ok := s.of(route); ok {
			if have, err := pcm.Find(s.kernel, sound.Card); err == nil && have.Number == c.Number {
				return true
			}
		}
	}
	return false
}

// ways are the routes to try for one that is wanted: its own first; whoever calls 112 must be heard by whatever works. The
// loudspeaker is the better second choice: the handset may lie in its cradle.
func ways(wanted hal.Route) []hal.Route {
	all := []hal.Route{wanted}
	for _, r := range []hal.Route{hal.Speaker, hal.Handset, hal.Headset} {
		if r != wanted {
			all = append(all, r)
		}
	}
	return all
}

// open takes the first way that works. Called with mu held.
func (s *Sound) open() {
	for _, route := range ways(s.route) {
		w, sound, err := s.find(route)
		if err == nil {
			err = s.take(w, sound)
		}
		if route == s.route {
			s.judge(route, err)
		}
		if err == nil {
			return
		}
		if route == s.route {
			s.log.Warn("sound does not go where it should; another way is tried", "way", route.String(), "err", err)
		}
	}
	s.drop()
	s.retryAt = time.Now().Add(soundRetry)
}

// take opens a way, unless it is open already. Called with mu held.
func (s *Sound) take(w way, sound board.Sound) error {
	if s.duplex == nil || !s.way.same(w) {
		s.drop()
		duplex, err := s.openWay(w)
		if err != nil {
			return err
		}
		s.duplex, s.way = duplex, w
	}
	if err := s.mixer(s.kernel, w.card, sound.Mixer); err != nil {
		s.log.Warn("the mixer of the sound card does not obey; sound may be too loud, too soft or silent", "card", w.card.ID, "err", err)
	}
	return nil
}

func (s *Sound) openWay(w way) (*pcm.Duplex, error) {
	duplex, err := pcm.Open(s.kernel,
		pcm.End{Card: w.card.Number, Device: w.device, Channel: w.capture}, pcm.End{Card: w.card.Number, Device: w.device, Channel: w.playback})
	if err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	return duplex, nil
}

// drop closes what is open. Called with mu held.
func (s *Sound) drop() {
	if s.duplex == nil {
		return
	}
	if err := s.duplex.Close(); err != nil {
		s.log.Debug("closing a sound card", "err", err)
	}
	s.duplex = nil
}

// judge reports how a route's part is, when that changes. Called with mu held.
func (s *Sound) judge(route hal.Route, err error) {
	part := partOf(route)
	if part == hal.PartHeadset && !s.table.Headset.Must {
		return // it comes and goes
	}
	change := hal.PartChange{Part: part}
	switch {
	case err == nil:
	case errors.Is(err, pcm.ErrNoCard), errors.Is(err, pcm.ErrUnplugged):
		change.Fault, change.Detail = hal.Missing, err.Error()
	default:
		change.Fault, change.Detail = hal.Failing, err.Error()
	}
	if s.faults[part] != change.Fault {
		s.faults[part] = change.Fault
		s.report(change)
	}
}

// Check looks whether the cards of the table are there, and reports what has changed.
func (s *Sound) Check() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, route := range []hal.Route{hal.Handset, hal.Speaker, hal.Headset} {
		if _, fitted := s.of(route); fitted || route == hal.Headset {
			_, _, err := s.find(route)
			if err == nil && s.faults[partOf(route)] == hal.Failing {
				continue // it is there, and whether it works shows when it is used
			}
			s.judge(route, err)
		}
	}
}

// Has tells whether there is a card for a route now.
func (s *Sound) Has(route hal.Route) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _, err := s.find(route)
	return err == nil
}

// Plugged tells where on USB the headset's keys are; empty: it is gone. The next frame looks for its sound.
func (s *Sound) Plugged(usb string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.usb, s.retryAt = usb, time.Time{}
}

// current is the duplex to use for a frame, nil for silence.
func (s *Sound) current() *pcm.Duplex {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.lent || s.route == hal.Silent {
		return nil
	}
	if s.duplex == nil && !time.Now().Before(s.retryAt) {
		s.open()
	}
	return s.duplex
}

// lose gives a card up that failed: it is looked for again, and any other way is taken meanwhile.
func (s *Sound) lose(duplex *pcm.Duplex, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.duplex != duplex {
		return // it was changed, lent or closed meanwhile
	}
	s.log.Warn("a sound card is lost", "card", s.way.card.ID, "err", err)
	s.drop()
	s.judge(s.route, err)
	s.retryAt = time.Time{}
	if s.route == hal.Headset && errors.Is(err, pcm.ErrUnplugged) {
		s.pulled()
	}
}

// Read waits for the microphone's next frame. It fails only after Close.
func (s *Sound) Read(mic []int16) error {
	duplex := s.current()
	if duplex != nil {
		err := duplex.Read(mic)
		if err == nil {
			s.clock = hal.FrameClock{}
			return nil
		}
		s.lose(duplex, err)
	}
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return errors.New("body: the sound is closed")
	}
	time.Sleep(s.clock.Wait(time.Now()))
	clear(mic)
	return nil
}

// Write puts a frame into the speaker's queue.
func (s *Sound) Write(speaker []int16) error {
	s.mu.Lock()
	duplex := s.duplex
	if s.route == hal.Silent || s.lent {
		duplex = nil
	}
	s.mu.Unlock()
	if duplex == nil {
		return nil
	}
	if err := duplex.Write(speaker); err != nil {
		s.lose(duplex, err)
	}
	return nil
}

// Route sends sound elsewhere from the next frame on; what has not been heard yet is dropped.
func (s *Sound) Route(route hal.Route) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.route, s.retryAt = route, time.Time{}
	if s.duplex == nil || s.lent {
		return
	}
	if route == hal.Silent {
		if err := s.duplex.Stop(); err != nil {
			s.drop()
		}
		return
	}
	if err := s.duplex.Flush(); err != nil {
		s.drop()
	}
	s.open()
}

// Rest stops the clock: a phone that nobody uses wakes for nothing. The next Read starts it again.
func (s *Sound) Rest() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = hal.FrameClock{}
	if s.duplex != nil {
		if err := s.duplex.Stop(); err != nil {
			s.drop()
		}
	}
	return nil
}

// Close ends everything; a Read that waits returns within a frame.
func (s *Sound) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.drop()
	return nil
}

// A Loan is the sound while the self-test has it; the phone is silent meanwhile.
type Loan struct{ sound *Sound }

// Lend takes the cards from the phone. Release gives them back.
func (s *Sound) Lend() *Loan {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lent = true
	s.drop()
	return &Loan{s}
}

// Open opens one way, as the table has it. The caller closes it before Release.
func (l *Loan) Open(route hal.Route) (*pcm.Duplex, error) {
	l.sound.mu.Lock()
	defer l.sound.mu.Unlock()
	w, sound, err := l.sound.find(route)
	if err != nil {
		return nil, err
	}
	duplex, err := l.sound.openWay(w)
	if err != nil {
		return nil, err
	}
	if err := l.sound.mixer(l.sound.kernel, w.card, sound.Mixer); err != nil {
		return nil, errors.Join(err, duplex.Close())
	}
	return duplex, nil
}

// Release gives the cards back to the phone.
func (l *Loan) Release() {
	l.sound.mu.Lock()
	defer l.sound.mu.Unlock()
	l.sound.lent = false
}
