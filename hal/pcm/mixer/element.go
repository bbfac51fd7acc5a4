package mixer

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"freizeichen/hal/pcm/asound"
)

// A Kind is what can be set at an element.
type Kind uint8

// The kinds.
const (
	Other  Kind = iota // bytes and the like: cannot be set here
	Switch             // on or off
	Volume             // a number
	Choice             // one of Items
)

func (k Kind) String() string {
	return [...]string{"other", "switch", "volume", "choice", "invalid"}[min(k, Choice+1)]
}

// An Element is one control of a card. Get it from Mixer.Find; of one from Mixer.Elements only the name is known.
type Element struct {
	mixer *Mixer
	id    asound.ElemID
	name  string

	info  *asound.Info
	items []string
	scale *Scale // nil: its values are not known in dB
	value asound.Value
}

// Name is what Mixer.Find takes.
func (e *Element) Name() (name string, index int) { return e.name, int(e.id.Index) }

// String is the name, with the index behind if it has one.
func (e *Element) String() string {
	if e.id.Index == 0 {
		return e.name
	}
	return fmt.Sprintf("%s,%d", e.name, e.id.Index)
}

// Kind is what can be set.
func (e *Element) Kind() Kind {
	switch e.info.Type {
	case asound.TypeBoolean:
		return Switch
	case asound.TypeInteger:
		return Volume
	case asound.TypeEnumerated:
		return Choice
	}
	return Other
}

// Range is the least and the greatest value of a volume or a switch.
func (e *Element) Range() (low, high int) {
	if e.Kind() == Choice {
		return 0, len(e.items) - 1
	}
	return e.info.Range[0], e.info.Range[1]
}

// Items is what a choice can be.
func (e *Element) Items() []string { return slices.Clone(e.items) }

// describe asks the card about the element.
func (e *Element) describe() error {
	info := &asound.Info{ID: e.id}
	if err := e.mixer.file.Ioctl(asound.ElemInfo, info); err != nil {
		return err
	}
	e.info, e.items, e.scale = info, nil, nil
	switch e.Kind() {
	case Choice:
		return e.readItems()
	case Volume:
		e.readScale()
	}
	return nil
}

func (e *Element) readItems() error {
	count := e.info.Enumerated().Items
	if count > elementsMax {
		return fmt.Errorf("it says that it has %d items", count)
	}
	for i := range count {
		item := &asound.Info{ID: e.id}
		item.Enumerated().Item = i
		if err := e.mixer.file.Ioctl(asound.ElemInfo, item); err != nil {
			return err
		}
		e.items = append(e.items, asound.Text(item.Enumerated().Name[:]))
	}
	return nil
}

// readScale leaves the scale unknown when the card has none, or none that we understand: it can be set by value then.
func (e *Element) readScale() {
	if e.info.Access&asound.AccessTLVRead == 0 {
		return
	}
	tlv := &asound.TLV{NumID: e.id.NumID}
	tlv.Length = uint32(4 * len(tlv.Words))
	if e.mixer.file.Ioctl(asound.TLVRead, tlv) != nil {
		return
	}
	low, high := e.Range()
	if scale, err := ParseScale(tlv.Words[:], low, high); err == nil {
		e.scale = &scale
	}
}

// Values is what the element is set to, a value per channel.
func (e *Element) Values() ([]int, error) {
	e.value = asound.Value{ID: e.id}
	if err := e.mixer.file.Ioctl(asound.ElemRead, &e.value); err != nil {
		return nil, e.failed("reading", err)
	}
	values := make([]int, e.channels())
	for i := range values {
		if e.Kind() == Choice {
			values[i] = int(e.value.Items()[i])
		} else {
			values[i] = e.value.Integers[i]
		}
	}
	return values, nil
}

func (e *Element) channels() int { return int(min(e.info.Count, uint32(len(e.value.Integers)))) }

func (e *Element) failed(doing string, err error) error {
	return fmt.Errorf("mixer: %s %q of card %d: %w", doing, e.String(), e.mixer.card, err)
}

// setValue sets all channels to a value of Range, of a choice to the number of an item.
func (e *Element) setValue(value int) error {
	doing := fmt.Sprintf("setting to %d", value)
	low, high := e.Range()
	switch {
	case e.Kind() == Other:
		return e.failed(doing, fmt.Errorf("its type %d is not known", e.info.Type))
	case e.info.Access&asound.AccessWrite == 0:
		return e.failed(doing, errors.New("it can only be read"))
	case value < low || value > high:
		return e.failed(doing, fmt.Errorf("it goes from %d to %d", low, high))
	}
	e.value = asound.Value{ID: e.id}
	for i := range e.channels() {
		if e.Kind() == Choice {
			e.value.Items()[i] = uint32(value)
		} else {
			e.value.Integers[i] = value
		}
	}
	if err := e.mixer.file.Ioctl(asound.ElemSet, &e.value); err != nil {
		return e.failed(doing, err)
	}
	return nil
}

// SetDB sets a volume to what is nearest to a gain in dB, and tells what it is now; -Inf is silence where there is any.
func (e *Element) SetDB(db float64) (set float64, err error) {
	switch {
	case e.Kind() != Volume:
		return 0, e.failed("setting decibels of", fmt.Errorf("it is a %s", e.Kind()))
	case e.scale == nil:
		return 0, e.failed("setting decibels of", errors.New("the card does not say what its values are; give per cent or a value"))
	case math.IsNaN(db):
		return 0, e.failed("setting decibels of", errors.New("not a number"))
	}
	low, high := e.Range()
	value := e.stepped(max(low, min(high, e.scale.Value(db))))
	return e.scale.DB(value), e.setValue(value)
}

// setPercent sets a volume to a part of its range, 0 to 100. Without decibels nobody knows how loud that is.
func (e *Element) setPercent(percent float64) error {
	if e.Kind() != Volume || !(percent >= 0 && percent <= 100) {
		return e.failed(fmt.Sprintf("setting to %g %%", percent), fmt.Errorf("it is a %s; per cent are 0 to 100, of a volume", e.Kind()))
	}
	low, high := e.Range()
	return e.setValue(e.stepped(int(math.Round(float64(low) + percent/100*(float64(high)-float64(low))))))
}

// stepped is the value rounded to the element's step; 0 and 1 are none.
func (e *Element) stepped(value int) int {
	step := e.info.Range[2]
	if step <= 1 {
		return value
	}
	low, high := e.Range()
	steps := math.Round((float64(value) - float64(low)) / float64(step))
	if value = low + int(steps)*step; value > high {
		value -= step
	}
	return value
}

// setSwitch turns a switch on or off.
func (e *Element) setSwitch(on bool) error {
	if e.Kind() != Switch {
		return e.failed("switching", fmt.Errorf("it is a %s", e.Kind()))
	}
	if on {
		return e.setValue(e.info.Range[1])
	}
	return e.setValue(e.info.Range[0])
}

// setItem sets a choice to one of its items by name.
func (e *Element) setItem(item string) error {
	if e.Kind() != Choice {
		return e.failed(fmt.Sprintf("choosing %q for", item), fmt.Errorf("it is a %s", e.Kind()))
	}
	i := slices.Index(e.items, item)
	if i < 0 {
		return e.failed(fmt.Sprintf("choosing %q for", item), fmt.Errorf("it can be %q", e.items))
	}
	return e.setValue(i)
}

// Set sets the element as a board's data says it: "-6 dB", "mute" (the least value of a volume), "80 %", a value like "23",
// "on", "off", or the name of an item.
func (e *Element) Set(value string) error {
	value = strings.TrimSpace(value)
	if e.Kind() == Choice && slices.Contains(e.items, value) {
		return e.setItem(value)
	}
	if number, isDB := strings.CutSuffix(strings.ToLower(value), "db"); isDB {
		if db, err := strconv.ParseFloat(strings.TrimSpace(number), 64); err == nil && !math.IsNaN(db) && !math.IsInf(db, 0) {
			_, err := e.SetDB(db)
			return err
		}
	}
	if number, isPercent := strings.CutSuffix(value, "%"); isPercent {
		if percent, err := strconv.ParseFloat(strings.TrimSpace(number), 64); err == nil {
			return e.setPercent(percent)
		}
	}
	switch {
	case e.Kind() == Switch && value == "on":
		return e.setSwitch(true)
	case e.Kind() == Switch && value == "off":
		return e.setSwitch(false)
	case e.Kind() == Volume && value == "mute":
		return e.setValue(e.info.Range[0])
	}
	if number, err := strconv.Atoi(value); err == nil {
		return e.setValue(number)
	}
	if e.Kind() == Choice {
		return e.setItem(value)
	}
	return e.failed(fmt.Sprintf("setting to %q", value), fmt.Errorf("it is a %s: a volume is like \"-6 dB\", \"80 %%\", \"mute\" or \"23\", a switch \"on\" or \"off\"", e.Kind()))
}
