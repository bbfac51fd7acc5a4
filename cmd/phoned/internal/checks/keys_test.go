//go:build linux

package checks

import (
	"slices"
	"strings"
	"testing"

	"freizeichen/firmware/selftest"
	"freizeichen/hal"
)

func TestKeysAreAskedForUntilEnoughIsKnown(t *testing.T) {
	rows := [][]hal.Key{
		{hal.Key1, hal.Key2, hal.Key3, hal.KeyNone, hal.KeyOK, hal.KeyCancel}, {hal.Key4, hal.Key5, hal.Key6, hal.KeyHold},
		{hal.Key7, hal.Key8, hal.Key9, hal.KeyRedial}, {hal.KeyStar, hal.Key0, hal.KeyPound, hal.KeySpeaker},
	}
	answers := func(dead ...hal.Key) func(hal.Key) string {
		return func(key hal.Key) string {
			if slices.Contains(dead, key) {
				return ""
			}
			return key.String()
		}
	}
	slipped := false
	for _, c := range []struct {
		name    string
		ask     func(hal.Key) string
		asked   int // questions
		outcome selftest.Outcome
		says    string
	}{
		{"all there", answers(), 17, selftest.Pass, ""},
		{"one is dead", answers(hal.Key5), 18, selftest.Fail, "missing: 5"},
		{"the first row is dead", answers(rows[0]...), 15, selftest.Fail, "missing: 1 2 3"},
		{"a row in the middle is dead", answers(rows[2]...), 16, selftest.Fail, "missing: 7 8 9"},
		{"nobody is there", func(hal.Key) string { return "" }, 6, selftest.NotDone, ""},
		{"a finger slips once", func(key hal.Key) string {
			if key == hal.Key5 && !slipped {
				slipped = true
				return "6"
			}
			return key.String()
		}, 18, selftest.Pass, ""},
		{"two are swapped", func(key hal.Key) string {
			return map[hal.Key]hal.Key{hal.Key5: hal.Key6, hal.Key6: hal.Key5}[key].String()
		}, 0, selftest.Fail, "missing: "},
	} {
		asked := 0
		r := askKeys(rows, func(key hal.Key) string { asked++; return c.ask(key) }).Judge(selftest.StandardLimits())
		if r.Outcome != c.outcome || !strings.Contains(r.Reason.Detail, c.says) || c.asked != 0 && asked != c.asked {
			t.Errorf("%s: %d questions, %s, %q", c.name, asked, r.Outcome, r.Reason.Detail)
		}
	}
}
