//go:build linux

package body

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"freizeichen/hal"
	"freizeichen/hal/board"
	"freizeichen/hal/pcm"
	"freizeichen/hal/pcm/asound"
)

const (
	// soundRetry is how long a way of sound that is away is left alone while a call wants it.
	soundRetry = time.Second
	// soundSpare is how long a card that is there and fails comes after all others. One that fails again waits
	// soundSpareMore times as long, up to soundSpareMax: each try takes the sound from the card that works for a second.
	soundSpare     = 3 * time.Second
	soundSpareMore = 4
	soundSpareMax  = 5 * time.Minute
	// soundProof is how long a card that failed must give frames before it counts as mended: a speaker that hangs is only
	// noticed after a second.
	soundProof = 2 * time.Second
	// roomToEar is by how much less is given to an ear of what is meant for a room, 20 dB: a ringer whose loudspeaker is gone.
	roomToEar = 10
)

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
	pulled func(usb string) // the headset in use was pulled out; where on USB it was, empty for another
	log    *slog.Logger
	mixer  func(asound.Kernel, pcm.Card, []board.Control) error

	clock hal.FrameClock // paces while no card does

	mu      sync.Mutex
	route   hal.Route // that is wanted
	duplex  *pcm.Duplex
	way     way               // of duplex
	used    hal.Route         // whose way it is: another than route while that one does not work
	proven  time.Time         // when duplex gave its first frame; zero: not yet
	retryAt time.Time         // when the way of route is looked for again while it is not in use
	spared  map[cardID]spared // cards that failed though they are there
	told    string            // last warning
	lent    int               // loans
	closed  bool
	usb     string // path of the USB headset, empty without
	faults  [hal.PartCount]hal.Fault
}

// A cardID is what tells cards apart.
type cardID struct {
	number int
	id     string
}

// A spared is how long a card comes after the others.
type spared struct {
	until time.Time
	wait  time.Duration // that ends then; the next is measured by it
}

func newSound(kernel asound.Kernel, table board.Table, report func(hal.PartChange), pulled func(usb string), log *slog.Logger) *Sound {
	return &Sound{kernel: kernel, table: table, report: report, pulled: pulled, log: log, mixer: setMixer, spared: map[cardID]spared{}}
}

// open takes the first way that works: the wanted one before all others, one that has just failed after them. Called with mu
// held.
func (s *Sound) open() {
	s.retryAt = time.Now().Add(soundRetry)
	choices, reason := s.choices() // reason is why it is not the wanted one
	if reason != nil {
		s.judge(s.route, reason)
	}
	for _, c := range choices {
		if s.duplex != nil && c.route == s.used && c.route != s.route {
			return // none before it works, and this one does
		}
		if c.route != s.route && reason == nil {
			reason = errors.New("body: its card has just failed")
		}
		err := s.take(c.way, c.sound)
		if err == nil {
			s.used = c.route
			s.tell(c.route, reason)
			return
		}
		if c.route == s.route {
			reason = err
			s.judge(c.route, err)
		}
	}
	s.drop()
	s.tell(hal.Silent, reason)
}

// A choice is a way whose card is there.
type choice struct {
	route hal.Route
	way   way
	sound board.Sound
	until time.Time // so long its card is spared; zero: it is not
}

// choices are the ways to try, in order: those that are spared last, and of them first whose turn is next, so that no card
// that hangs keeps another from being tried. missing is why the wanted one is not among them. Called with mu held.
func (s *Sound) choices() (choices []choice, missing error) {
	for _, route := range ways(s.route) {
		w, sound, err := s.find(route)
		if err != nil {
			if route == s.route {
				missing = err
			}
			continue
		}
		c := choice{route: route, way: w, sound: sound}
		if inUse := s.duplex != nil && route == s.used; !inUse && s.isSpared(w) {
			c.until = s.spared[w.id()].until
		}
		choices = append(choices, c)
	}
	maps.DeleteFunc(s.spared, func(id cardID, _ spared) bool { // pulled out: what comes back may work
		return !slices.ContainsFunc(choices, func(c choice) bool { return c.way.id() == id })
	})
	slices.SortStableFunc(choices, func(a, b choice) int { return a.until.Compare(b.until) })
	return choices, missing
}

// tell warns of sound that goes elsewhere than it should, once for each reason. Called with mu held.
func (s *Sound) tell(used hal.Route, reason error) {
	text := ""
	if used != s.route {
		text = fmt.Sprint(s.route, used, reason)
	}
	if text != s.told && text != "" {
		s.log.Warn("sound does not go where it should", "wanted", s.route.String(), "goes", used.String(), "err", reason)
	}
	s.told = text
}

// take opens a way, unless it is open already. Called with mu held.
func (s *Sound) take(w way, sound board.Sound) error {
	if s.duplex == nil || !s.way.same(w) {
		if s.duplex != nil && s.way.card.Number == w.card.Number {
			s.drop() // it has the card
		}
		duplex, err := s.openWay(w)
		if err != nil {
			if !errors.Is(err, pcm.ErrUnplugged) && !errors.Is(err, pcm.ErrNoCard) {
				s.spare(w, soundSpare)
			}
			return err
		}
		s.drop()
		s.duplex, s.way, s.proven = duplex, w, time.Time{}
	}
	if err := s.mixer(s.kernel, w.card, sound.Mixer); err != nil {
		s.log.Warn("the mixer of the sound card does not obey; sound may be too loud, too soft or silent", "card", w.card.ID, "err", err)
	}
	return nil
}

// spare puts a card that fails behind the others for a while. Called with mu held.
func (s *Sound) spare(w way, wait time.Duration) {
	s.spared[w.id()] = spared{until: time.Now().Add(wait), wait: wait}
}

func (s *Sound) isSpared(w way) bool { return time.Now().Before(s.spared[w.id()].until) }

// spareTime is how long the card in use is to be spared, now that it fails: anew after it has worked for a while, else longer
// than the last time. Called with mu held.
func (s *Sound) spareTime() time.Duration {
	last := s.spared[s.way.id()].wait
	if !s.proven.IsZero() && time.Since(s.proven) > max(last, soundProof) {
		return soundSpare
	}
	return max(soundSpare, min(soundSpareMore*last, soundSpareMax))
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

// Check looks whether the cards of the table are there, and reports what has changed. A card that is there and has failed is
// tried, while nobody needs it: what went by is not to be told for ever.
func (s *Sound) Check() {
	for _, route := range []hal.Route{hal.Handset, hal.Speaker, hal.Headset} {
		if s.look(route) && s.try(route) == nil {
			s.mu.Lock()
			s.judge(route, nil)
			if w, _, err := s.find(route); err == nil {
				delete(s.spared, w.id())
			}
			s.mu.Unlock()
		}
	}
}

// look judges a card by its being there, and reports whether it is to be tried.
func (s *Sound) look(route hal.Route) (doubtful bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, fitted := s.of(route); !fitted && route != hal.Headset {
		return false
	}
	_, _, err := s.find(route)
	if err == nil && s.faults[partOf(route)] == hal.Failing {
		return s.route == hal.Silent && s.lent == 0 && !s.closed
	}
	s.judge(route, err)
	return false
}

// try lets a card give one frame.
func (s *Sound) try(route hal.Route) (err error) {
	loan := s.Lend()
	defer loan.Release()
	duplex, err := loan.Open(route)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, duplex.Close()) }()
	var mic [hal.FrameSamples]int16
	return duplex.Read(mic[:])
}

// Has tells whether there is a card for a route now.
func (s *Sound) Has(route hal.Route) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _, err := s.find(route)
	return err == nil
}

// Plugged tells where on USB the headset's keys are; empty: it is gone. The next frame looks for its sound, though the card
// that was there before had failed.
func (s *Sound) Plugged(usb string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.usb, s.retryAt = usb, time.Time{}
	clear(s.spared)
}

// current is the duplex to use for a frame, nil for silence.
func (s *Sound) current() *pcm.Duplex {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.lent > 0 || s.route == hal.Silent {
		return nil
	}
	if (s.duplex == nil || s.used != s.route) && !time.Now().Before(s.retryAt) {
		s.open()
	}
	return s.duplex
}

// gave notes that a card works: only a frame proves that. What hangs can be opened all the same.
func (s *Sound) gave(duplex *pcm.Duplex) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.duplex != duplex {
		return
	}
	if s.proven.IsZero() {
		s.proven = time.Now()
	}
	if s.faults[partOf(s.used)] != hal.Failing || time.Since(s.proven) >= soundProof {
		s.judge(s.used, nil)
	}
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
	s.retryAt = time.Time{}
	unplugged := errors.Is(err, pcm.ErrUnplugged)
	if unplugged {
		w, _, away := s.find(s.used)
		back := away == nil && w.same(s.way) // another card that goes by its name is not it
		if back && !s.proven.IsZero() {
			return // it was pulled out and is back: only what was open on it is dead
		}
		unplugged = !back
	}
	if !unplugged { // it is there, and fails
		if s.isSpared(s.way) {
			s.retryAt = time.Now().Add(soundRetry) // as before: not again with every frame
		}
		s.spare(s.way, s.spareTime())
	}
	s.judge(s.used, err)
	if unplugged && s.used == hal.Headset {
		s.pulled(s.way.card.USBPath)
	}
}

// Read waits for the microphone's next frame. It fails only after Close.
func (s *Sound) Read(mic []int16) error {
	duplex := s.current()
	if duplex != nil {
		err := duplex.Read(mic)
		if err == nil {
			s.clock = hal.FrameClock{}
			s.gave(duplex)
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
	duplex, atEar := s.duplex, s.route == hal.Speaker && s.used != hal.Speaker
	if s.route == hal.Silent || s.lent > 0 {
		duplex = nil
	}
	s.mu.Unlock()
	if duplex == nil {
		return nil
	}
	if atEar {
		softer := make([]int16, len(speaker))
		for i, sample := range speaker {
			softer[i] = sample / roomToEar
		}
		speaker = softer
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
	if s.duplex == nil || s.lent > 0 {
		return // the next Read opens what it needs
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
type Loan struct {
	sound *Sound
	over  sync.Once
}

// Lend takes the cards from the phone until the last Loan is released.
func (s *Sound) Lend() *Loan {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lent++
	s.drop()
	return &Loan{sound: s}
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

// Release gives the cards back to the phone. Releasing again does nothing.
func (l *Loan) Release() {
	l.over.Do(func() {
		l.sound.mu.Lock()
		defer l.sound.mu.Unlock()
		l.sound.lent--
		l.sound.retryAt = time.Time{}
	})
}
