//go:build linux

package body

import (
	"errors"
	"fmt"
	"strings"

	"freizeichen/hal/board"
	"freizeichen/hal/pcm"
	"freizeichen/hal/pcm/asound"
	"freizeichen/hal/pcm/mixer"
)

// setMixer makes a card's mixer stand as the table says. Of a headset nobody knows the elements: its switches are turned on.
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
		for _, name := range m.Names() {
			if strings.HasSuffix(name, "Playback Switch") || strings.HasSuffix(name, "Capture Switch") {
				settings = append(settings, mixer.Setting{Name: name, Value: "on"})
			}
		}
	}
	err = errors.Join(m.Apply(settings), m.Close())
	if err != nil && len(places) > 0 {
		return fmt.Errorf("body: %s to %s: %w", places[0], places[len(places)-1], err)
	}
	return err
}
