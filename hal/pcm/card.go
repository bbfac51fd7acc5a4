//go:build linux

package pcm

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"freizeichen/hal/pcm/asound"

	"golang.org/x/sys/unix"
)

// A Card is a sound card as the kernel shows it.
type Card struct {
	Number     int
	ID         string // short and unique: "wm8960soundcard", "Headset"; the kernel adds a number when it is taken
	Driver     string // "USB-Audio"
	Name       string // "wm8960-soundcard", "Jabra Evolve2 30"
	LongName   string // with the bus address
	Mixer      string // name of the mixer's chip
	Components string // "USB0b0e:0e36"
	// USBPath is the folder in /sys of the USB device that the card belongs to, without symbolic links: a hidraw device
	// below it belongs to the same headset. Empty when the card is not on USB.
	USBPath string
	USBID   string // vendor and product, hexadecimal: "0b0e:0e36"; empty when the card is not on USB
	// Playback and Capture are the numbers of its PCM devices, ascending.
	Playback, Capture []int
}

func (c Card) String() string { return fmt.Sprintf("%d %q (%s)", c.Number, c.ID, c.Name) }

// Cards is all sound cards by number. A machine without any has none, and no error. A card that does not answer is left
// out, it may not be ours yet; its error is told when no other is there.
func Cards(kernel asound.Kernel) ([]Card, error) {
	names, err := kernel.List("/dev/snd")
	if errors.Is(err, unix.ENOENT) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("pcm: looking for sound cards: %w", err)
	}
	var cards []Card
	var silent error // why a card is left out
	for _, name := range names {
		var number int
		if _, err := fmt.Sscanf(name, "controlC%d", &number); err != nil {
			continue
		}
		card, err := describe(kernel, number)
		if errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENXIO) {
			continue // unplugged while we looked
		}
		if err != nil {
			silent = fmt.Errorf("pcm: asking sound card %d: %w", number, explain(err))
			continue
		}
		card.addDevices(names)
		cards = append(cards, card)
	}
	if len(cards) == 0 {
		return nil, silent
	}
	slices.SortFunc(cards, func(a, b Card) int { return cmp.Compare(a.Number, b.Number) })
	return cards, nil
}

// describe asks one card.
func describe(kernel asound.Kernel, number int) (Card, error) {
	file, err := kernel.Open(fmt.Sprintf("controlC%d", number))
	if err != nil {
		return Card{}, err
	}
	info := &asound.CardInfo{}
	err = file.Ioctl(asound.GetCard, info)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return Card{}, err
	}
	card := Card{
		Number: number, ID: asound.Text(info.ID[:]), Driver: asound.Text(info.Driver[:]), Name: asound.Text(info.Name[:]),
		LongName: asound.Text(info.LongName[:]), Mixer: asound.Text(info.MixerName[:]), Components: asound.Text(info.Components[:]),
	}
	// sound/usb/card.c: usbid is there for USB cards alone. Their device in /sys is the interface of the audio control;
	// the headset's other interfaces lie beside it.
	if card.USBID, err = kernel.Read(fmt.Sprintf("/proc/asound/card%d/usbid", number)); err == nil {
		if dir, err := kernel.Resolve(fmt.Sprintf("/sys/class/sound/card%d/device", number)); err == nil {
			card.USBPath = path.Dir(dir)
		}
	}
	return card, nil
}

func (c *Card) addDevices(names []string) {
	for _, name := range names {
		var card, device int
		var direction string
		if n, _ := fmt.Sscanf(name, "pcmC%dD%d%s", &card, &device, &direction); n != 3 || card != c.Number {
			continue
		}
		switch direction {
		case "p":
			c.Playback = append(c.Playback, device)
		case "c":
			c.Capture = append(c.Capture, device)
		}
	}
	slices.Sort(c.Playback)
	slices.Sort(c.Capture)
}

// Find is the card with that ID, or else that name, or else that USB ID; or else the only one whose name has want in it,
// large or small. A card with one of the IDs in taken belongs to somebody else: only its own ID finds it. If there is none
// the error is ErrNoCard and lists what there is.
func Find(kernel asound.Kernel, want string, taken ...string) (Card, error) {
	cards, err := Cards(kernel)
	if err != nil {
		return Card{}, err
	}
	if want == "" {
		return Card{}, fmt.Errorf("pcm: finding a sound card without a name: %w%s", ErrNoCard, listed(cards))
	}
	for _, has := range []func(Card) bool{
		func(c Card) bool { return c.ID == want },
		func(c Card) bool { return c.Name == want },
		func(c Card) bool { return strings.EqualFold(c.USBID, want) },
		func(c Card) bool {
			return strings.Contains(strings.ToLower(c.ID+"\x00"+c.LongName+"\x00"+c.Name), strings.ToLower(want))
		},
	} {
		var found []Card
		for _, card := range cards {
			if has(card) && (card.ID == want || !slices.Contains(taken, card.ID)) {
				found = append(found, card)
			}
		}
		if len(found) == 1 {
			return found[0], nil
		}
		if len(found) > 1 {
			return Card{}, fmt.Errorf("pcm: finding sound card %q: %d cards are called so; say the ID%s", want, len(found), listed(found))
		}
	}
	return Card{}, fmt.Errorf("pcm: finding sound card %q: %w%s", want, ErrNoCard, listed(cards))
}

func listed(cards []Card) string {
	if len(cards) == 0 {
		return ": there is no sound card at all; is its driver loaded?"
	}
	var text []string
	for _, card := range cards {
		text = append(text, card.String())
	}
	return ": there are " + strings.Join(text, ", ")
}

// explain adds to an error of the kernel what can be done.
func explain(err error) error {
	switch {
	case errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w: the program must be in the group audio", err)
	case errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENXIO):
		return fmt.Errorf("%w (%w)", ErrUnplugged, err)
	}
	return err
}
