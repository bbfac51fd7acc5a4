// Package pcm plays and records by the kernel's ALSA devices: it finds cards, sets them up, brings them back after an
// underrun, and joins a microphone and a speaker to the frames of the phone, 20 ms of mono at 8 kHz. Cgo and alsa-lib
// are not needed; there is no plug layer: rates and channels are changed here. It must not know routes, calls or boards.
//
//	              card A, capture                                     card B, playback (or the same card)
//	Read  <-- resample <-- one channel, or the sum <-- READI          the clock of A paces; the servo bends the
//	Write --> resample, bent --> all channels, or one --> WRITEI      way to B so that its queue stays filled
//	                 ^ servo <-- DELAY -----------------------+
//
// hal/pcm/asound is the kernel's interface, hal/pcm/resample the filter, hal/pcm/mixer the levels, hal/pcm/pcmtest cards
// in memory for tests.
//
// Of the kernel's documentation and sources (Linux 6.1 to 6.12) the files are named where they are obeyed.
package pcm

import "errors"

// What callers tell apart.
var (
	// ErrUnplugged: the card is gone. Close, and look for it again when the kernel reports a new one.
	ErrUnplugged = errors.New("the sound card is unplugged")
	// ErrNoCard: there is no card of that name.
	ErrNoCard = errors.New("no such sound card")
	// ErrClosed: Close was called.
	ErrClosed = errors.New("pcm: the sound device is closed")
)
