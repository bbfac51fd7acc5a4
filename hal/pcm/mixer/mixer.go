// Package mixer sets the levels of a sound card: volumes in dB or per cent, switches, choices, each by the kernel's name
// of it. Which levels a board wants is data of the board; nothing is remembered here.
//
//	"Headphone Playback Volume", "-6 dB" --> Set --> Element --ELEM_WRITE--> the card
//	                                                  ^ TLV: what its values mean in dB
//
// All channels of an element are set alike. Names are those of `amixer controls`; the rules behind them stand in
// Documentation/sound/designs/control-names.rst of Linux, the numbers in include/uapi/sound/{asound,tlv}.h.
package mixer

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"freizeichen/hal/pcm/asound"
)

// elementsMax is the most elements of a card that are listed; the largest codecs have about a thousand.
const elementsMax = 4096

// A Mixer is the levels of one card. One goroutine uses it at a time.
type Mixer struct {
	file     asound.File
	card     int
	elements []*Element
}

// Open reads what the card can set. The error is or wraps a syscall.Errno: ENOENT there is no such card, ENODEV it was
// unplugged.
func Open(kernel asound.Kernel, card int) (*Mixer, error) {
	file, err := kernel.Open(fmt.Sprintf("controlC%d", card))
	if err != nil {
		return nil, fmt.Errorf("mixer: opening card %d: %w", card, err)
	}
	m := &Mixer{file: file, card: card}
	if err := m.list(); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("mixer: listing the controls of card %d: %w", card, err)
	}
	return m, nil
}

// list asks for the number of elements, and then for as many. One that comes in between waits for the next Open.
func (m *Mixer) list() error {
	count := &asound.IDList{}
	if err := m.file.Ioctl(asound.ElemList, count); err != nil {
		return err
	}
	if count.Count > elementsMax {
		return fmt.Errorf("it says that it has %d", count.Count)
	}
	if count.Count == 0 {
		return nil
	}
	ids := make([]asound.ElemID, count.Count)
	list := &asound.IDList{Space: count.Count, IDs: &ids[0]}
	if err := m.file.Ioctl(asound.ElemList, list); err != nil {
		return err
	}
	for _, id := range ids[:min(list.Used, list.Space)] {
		if id.Interface == asound.InterfaceMixer || id.Interface == 0 { // of the card itself: rare, but a jack's may be
			m.elements = append(m.elements, &Element{mixer: m, id: id, name: asound.Text(id.Name[:])})
		}
	}
	return nil
}

// Close gives the card back; its elements cannot be used any longer.
func (m *Mixer) Close() error {
	if err := m.file.Close(); err != nil {
		return fmt.Errorf("mixer: closing card %d: %w", m.card, err)
	}
	return nil
}

// Elements is all elements, in the card's order.
func (m *Mixer) Elements() []*Element { return slices.Clone(m.elements) }

// Names is the names of all elements, in the card's order; one with an index has it behind: "Mic Capture Volume,1".
func (m *Mixer) Names() []string {
	names := make([]string, len(m.elements))
	for i, e := range m.elements {
		names[i] = e.String()
	}
	return names
}

// Find is the element with that name and index, mostly 0. If there is none the error names those that are alike.
func (m *Mixer) Find(name string, index int) (*Element, error) {
	for _, e := range m.elements {
		if e.name == name && int(e.id.Index) == index {
			if err := e.describe(); err != nil {
				return nil, fmt.Errorf("mixer: asking %s of card %d: %w", e, m.card, err)
			}
			return e, nil
		}
	}
	wanted := name
	if index != 0 {
		wanted = fmt.Sprintf("%s,%d", name, index)
	}
	return nil, fmt.Errorf("mixer: card %d has no control %q: %s", m.card, wanted, m.alike(name))
}

// alike lists the names that share most words with a name.
func (m *Mixer) alike(name string) string {
	const listed = 8 // fit a line of a log
	if len(m.elements) == 0 {
		return "it has none at all"
	}
	words := strings.Fields(strings.ToLower(name))
	shared := func(e *Element) (n int) {
		for _, word := range strings.Fields(strings.ToLower(e.name)) {
			if slices.Contains(words, word) {
				n++
			}
		}
		return n
	}
	order := slices.Clone(m.elements)
	slices.SortStableFunc(order, func(a, b *Element) int { return cmp.Compare(shared(b), shared(a)) })
	var names []string
	for _, e := range order[:min(listed, len(order))] {
		names = append(names, fmt.Sprintf("%q", e.String()))
	}
	if more := len(order) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return "it has " + strings.Join(names, ", ")
}

// A Setting is a level as a board wants it: an element by name and index, and its value as Element.Set reads it.
type Setting struct {
	Name  string
	Index int
	Value string
}

// Apply sets all settings that can be set; the error joins those of the others.
func (m *Mixer) Apply(settings []Setting) error {
	var failed []error
	for _, s := range settings {
		e, err := m.Find(s.Name, s.Index)
		if err == nil {
			err = e.Set(s.Value)
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}
