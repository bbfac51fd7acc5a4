package headset

import (
	"time"

	"freizeichen/hal"
	"freizeichen/hal/headset/hid"
)

// A shared is a state that headset and phone both change: hook or mute.
//
// A level (absolute in the descriptor) is told as it is: 1 off hook, 0 on hook. What equals the wanted state is the
// headset's answer. What contradicts it is a key, once echoes of earlier changes can no longer be on their way.
//
// A one-shot (relative) says only that its key was pressed, 1 and then 0 (HUT 1.5 section 3.4.1.2): the opposite of what
// the phone shows is asked for.
type shared struct {
	control  hid.Control
	lamp     hid.Control
	present  bool
	hasLamp  bool
	oneShot  bool
	on, off  hal.HeadsetAction
	headset  bool      // what the headset said last
	wanted   bool      // what the phone said last
	quiet    time.Time // until then the headset's word may be an echo
	decide   time.Time // when its contradiction is decided; zero without one
	told     bool      // the contradiction was told as a key
	changing bool      // a change of wanted is in no report yet
}

func newShared(d *hid.Descriptor, usage, lampUsage hid.Usage, on, off hal.HeadsetAction) shared {
	s := shared{on: on, off: off}
	s.control, s.present = d.Input(usage)
	s.lamp, s.hasLamp = d.Output(lampUsage)
	s.oneShot = !isLevel(s.control)
	return s
}

// isLevel obeys the descriptor. An array tells of keys that are down, never of a state.
func isLevel(c hid.Control) bool { return c.Flags&hid.Variable != 0 && c.Flags&hid.Relative == 0 }

func (s *shared) input(now time.Time, value bool) []hal.HeadsetChange {
	if value == s.headset {
		return nil
	}
	s.headset = value
	switch {
	case s.oneShot:
		if !value || now.Before(s.quiet) {
			return nil
		}
		return s.tell(now, !s.wanted)
	case value == s.wanted:
		s.decide, s.told = time.Time{}, false
		return nil
	case now.Before(s.quiet):
		s.decide, s.told = s.quiet, false
		return nil
	}
	return s.tell(now, value)
}

// tell is a key. Another within echoTime waits: a contact that bounces must not call and hang up.
func (s *shared) tell(now time.Time, value bool) []hal.HeadsetChange {
	s.quiet = now.Add(echoTime)
	if !s.oneShot {
		s.decide, s.told = now.Add(patience), true
	}
	if value {
		return []hal.HeadsetChange{{Action: s.on}}
	}
	return []hal.HeadsetChange{{Action: s.off}}
}

func (s *shared) show(now time.Time, value bool) {
	if value == s.wanted {
		return
	}
	s.wanted, s.changing = value, true
	s.quiet = now.Add(echoTime)
	// Either the headset has it already, or its answer to this is still to come: what it says now is no contradiction.
	s.decide, s.told = time.Time{}, false
}

// sent starts the time of echoes anew: a report may have taken long to be taken. Its answer may come after wanted has changed
// once more.
func (s *shared) sent(now time.Time) {
	s.quiet = now.Add(echoTime)
	if !s.decide.IsZero() && !s.told {
		s.decide = s.quiet
	}
}

// tick decides a contradiction whose time has come. again asks to tell the headset once more what is wanted: it asked for
// something and the phone did not follow.
func (s *shared) tick(now time.Time) (again bool, changes []hal.HeadsetChange) {
	if s.decide.IsZero() || now.Before(s.decide) {
		return false, nil
	}
	if !s.told {
		return false, s.tell(now, s.headset)
	}
	s.decide, s.told = time.Time{}, false
	s.quiet = now.Add(echoTime)
	return s.hasLamp, nil
}
