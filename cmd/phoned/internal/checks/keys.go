//go:build linux

package checks

import (
	"context"
	"maps"
	"slices"
	"time"

	"freizeichen/device/screen"
	"freizeichen/firmware/selftest"
	"freizeichen/firmware/selftest/reading"
	"freizeichen/hal"
	"freizeichen/hal/board"
)

// startWindow is how soon after the start a key that is down was down before.
const startWindow = 3 * time.Second

// keyFor is how long a person has to find a key.
const keyFor = 8 * time.Second

// silentMax is how many keys one after another may be silent before the rest of their row is not asked for: a row whose wire is
// broken must not take minutes. When that happens in rowsMax rows and no key was ever seen, nobody is there.
const silentMax, rowsMax = 3, 2

// layDownFor is how long a person has to lay the handset down: with it in the hand, digits telephone.
const layDownFor = 20 * time.Second

// keys asks for each key in the table's order, and for those again that were not seen, or another in their place: a finger slips.
// Others that come meanwhile are ghosts.
func (b *Bench) keys(ctx context.Context, step *selftest.Step) selftest.Result {
	if f := b.Body.Fault(hal.PartKeypad); f.Fault == hal.Missing {
		return selftest.FailBecause(f.Detail)
	}
	if s := b.Body.Switch(); s != nil && s.Up() {
		step.Say(selftest.SayReplace)
		for began := time.Now(); s.Up() && time.Since(began) < layDownFor; {
			if pause(ctx, 50*time.Millisecond) != nil {
				return selftest.Result{}
			}
		}
		step.Say("")
	}
	ghosts := b.Body.Keys().Report().Ghosts
	language, _ := screen.ParseLanguage(b.language().String())
	r := askKeys(b.Body.Table().Keypad.Keys, func(key hal.Key) string {
		return step.Key(ctx, screen.Label(language, "key-"+key.String()), keyFor)
	})
	for range b.Body.Keys().Report().Ghosts - ghosts {
		r.Extra = append(r.Extra, "ghost")
	}
	return r.Judge(b.limits)
}

// askKeys asks for the keys of all rows. ask is the key that came, empty when none did.
func askKeys(rows [][]hal.Key, ask func(hal.Key) string) reading.Keys {
	var r reading.Keys
	again := map[int]hal.Key{} // by place in r
	broken, anybody := 0, false
	for _, row := range rows {
		silent := 0
		for _, key := range row {
			if key == hal.KeyNone || silent == silentMax {
				continue
			}
			seen := ask(key)
			silent++
			if seen != "" {
				silent, anybody = 0, true
			}
			if seen != key.String() {
				again[len(r.Asked)] = key
			}
			r.Asked, r.Seen = append(r.Asked, key.String()), append(r.Seen, seen)
		}
		if silent == silentMax {
			broken++
		}
		if broken == rowsMax && !anybody {
			return r
		}
	}
	for _, i := range slices.Sorted(maps.Keys(again)) {
		if r.Seen[i] != "" || broken == 0 { // a row that is silent stays so
			r.Seen[i] = ask(again[i])
		}
	}
	return r
}

// stuck looks for keys that have been down too long.
func (b *Bench) stuck(_ context.Context, step *selftest.Step) selftest.Result {
	if f := b.Body.Fault(hal.PartKeypad); f.Fault == hal.Missing {
		return selftest.FailBecause(f.Detail)
	}
	r := reading.Stuck{Held: map[string]time.Duration{}, PowerOn: step.Level == selftest.PowerOn}
	for key, k := range b.Body.Keys().Report().Keys {
		if k.Down.IsZero() {
			continue
		}
		r.Held[key.String()] = time.Since(k.Down)
		r.PowerOn = r.PowerOn || k.Down.Before(b.began.Add(startWindow)) // nobody holds a key while the power comes
	}
	return r.Judge(b.limits)
}

// bounce judges the contacts by the presses since the start, those of the keys test among them. A key's worst press is known and
// no other: the rest count as quiet, for one bad press in weeks is no worn contact.
func (b *Bench) bounce(context.Context, *selftest.Step) selftest.Result {
	if b.Body.Table().Keypad.Kind == board.KeypadTCA8418 { // it debounces by itself, and tells nobody
		return selftest.Result{Outcome: selftest.NotApplicable, Reason: selftest.Reason{Key: selftest.CauseNoTest}}
	}
	var r reading.Bounce
	for _, k := range b.Body.Keys().Report().Keys {
		for n := range k.Presses {
			press := reading.Press{}
			if n == 0 {
				press.Bounce = k.BounceMax
			}
			r = append(r, press)
		}
	}
	return r.Judge(b.limits)
}
