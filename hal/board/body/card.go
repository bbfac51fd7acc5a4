//go:build linux

package body

import (
	"errors"
	"fmt"
	"strings"

	"freizeichen/hal"
	"freizeichen/hal/board"
	"freizeichen/hal/pcm"
	"freizeichen/hal/pcm/asound"
	"freizeichen/hal/pcm/mixer"
)

// way is a card as it is opened.
type way struct {
	card              pcm.Card
	device            int
	capture, playback int // channels, as pcm.End has them
}

func (w way) same(o way) bool {
	return w.id() == o.id() && w.device == o.device && w.capture == o.capture && w.playback == o.playback
}

func (w way) id() cardID { return cardID{w.card.Number, w.card.ID} }

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
	card, err := s.card(sound)
	if err != nil {
		return way{}, sound, fmt.Errorf("body: %s: %w", sound.Place, err)
	}
	return way{card: card, device: sound.Device, capture: channel(sound.Capture), playback: channel(sound.Playback)}, sound, nil
}

// card is the card of a part: never one that the table names by its ID for another. While "Device" is pulled out, "Device_1"
// must not be taken for it.
func (s *Sound) card(sound board.Sound) (pcm.Card, error) {
	var others []string
	for _, route := range []hal.Route{hal.Handset, hal.Speaker, hal.Headset} {
		if other, ok := s.of(route); ok && other.Card != sound.Card {
			others = append(others, other.Card)
		}
	}
	return pcm.Find(s.kernel, sound.Card, others...)
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
			if have, err := s.card(sound); err == nil && have.Number == c.Number {
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

// setMixer makes a card's mixer stand as the table says. Of a headset nobody knows the elements: its switches are turned on,
// but not the one that lets the user hear himself.
func setMixer(kernel asound.Kernel, card pcm.Card, controls []board.Control) error {
	m, err := mixer.Open(kernel, card.Number)
	if err != nil {
		return fmt.Errorf("body: %w", err)
	}
	var settings []mixer.Setting
	var places []string
	for _, c := range controls {
		s := mixer.Setting{Name: c.Name, Index: c.Index, Value: c.Switch + c.Choice}
		switch {
		case c.DB == "mute":
			s.Value = c.DB
		case c.DB != "":
			s.Value = c.DB + " dB"
		}
		settings = append(settings, s)
		places = append(places, string(c.Place))
	}
	if len(controls) == 0 && card.USBPath != "" {
		for _, e := range m.Elements() {
			name, index := e.Name()
			playback := strings.HasSuffix(name, "Playback Switch") && !strings.Contains(name, "Mic Playback")
			if playback || strings.HasSuffix(name, "Capture Switch") {
				settings = append(settings, mixer.Setting{Name: name, Index: index, Value: "on"})
			}
		}
	}
	err = errors.Join(m.Apply(settings), m.Close())
	if err != nil && len(places) > 0 {
		return fmt.Errorf("body: %s to %s: %w", places[0], places[len(places)-1], err)
	}
	return err
}
