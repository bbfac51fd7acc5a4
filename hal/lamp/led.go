package lamp

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"freizeichen/hal"
)

// A led is a lamp that a driver of the kernel lights (Documentation/ABI/testing/sysfs-class-led and sysfs-class-led-trigger-timer of
// the Linux source).
type led struct {
	lamp  hal.Lamp
	label string
	dir   string
	known bool // have is what the LED is
	have  ledState
	max   int  // brightness
	timer bool // the kernel can blink it
}

// A ledState is what is written to the files of an LED. Without on the kernel does not blink.
type ledState struct {
	brightness int
	on, off    time.Duration
}

func newLED(lamp hal.Lamp, root, label string) *led {
	return &led{lamp: lamp, label: label, dir: filepath.Join("/", root, "sys/class/leds", label)}
}

func (l *led) name() string { return fmt.Sprintf("LED %s (%s)", l.label, l.lamp) }

// blinks tells whether the kernel blinks it: its timer keeps no step with anybody else's.
func (l *led) blinks(s *scene) bool {
	return l.timer && s.users[s.lamps[l.lamp]] == 1
}

func (l *led) want(s *scene, now time.Time) ledState {
	full := max(1, l.max*int(s.level)/255)
	if l.blinks(s) {
		on, off := s.lamps[l.lamp].Pattern()
		return ledState{full, on, off}
	}
	if s.lit(l.lamp, now) {
		return ledState{brightness: full}
	}
	return ledState{}
}

func (l *led) show(s *scene, now time.Time) error {
	if !l.known {
		if err := l.open(); err != nil {
			return l.broken(err)
		}
	}
	// Again when the timer turned out not to be ours: then something else is wanted.
	for want := l.want(s, now); !l.known || want != l.have; want = l.want(s, now) {
		if err := l.write(want); err != nil {
			return l.broken(err)
		}
		l.known, l.have = true, want
	}
	return nil
}

// open learns what the LED can, and takes it away from whatever drives it now.
func (l *led) open() error {
	text, err := l.get("max_brightness")
	if err != nil {
		return err
	}
	if l.max, err = strconv.Atoi(text); err != nil || l.max < 1 {
		return fmt.Errorf("max_brightness is %q, not a number above 0", text)
	}
	text, err = l.get("trigger")
	if errors.Is(err, fs.ErrNotExist) { // a kernel without triggers
		l.timer = false
		return nil
	}
	if err != nil {
		return err
	}
	l.timer = slices.Contains(strings.Fields(strings.NewReplacer("[", "", "]", "").Replace(text)), "timer")
	l.have = ledState{}
	return l.put("trigger", "none")
}

// write leaves the kernel's blinking first and enters it last: the timer blinks with the brightness that it finds.
func (l *led) write(want ledState) error {
	if l.have.on > 0 && want.on == 0 {
		if err := l.put("trigger", "none"); err != nil {
			return err
		}
	}
	// Brightness 0 would end the timer too; here it is above 0 whenever the kernel blinks.
	if err := l.put("brightness", strconv.Itoa(want.brightness)); err != nil {
		return err
	}
	if want.on == 0 || l.known && want.on == l.have.on && want.off == l.have.off {
		return nil
	}
	if l.have.on == 0 {
		if err := l.put("trigger", "timer"); err != nil {
			return err
		}
	}
	err := l.putSoon("delay_on", strconv.FormatInt(want.on.Milliseconds(), 10))
	if err == nil {
		err = l.putSoon("delay_off", strconv.FormatInt(want.off.Milliseconds(), 10))
	}
	if errors.Is(err, fs.ErrPermission) {
		l.timer = false // nobody gives us its files: we blink it ourselves
		return l.put("trigger", "none")
	}
	return err
}

// The files of the timer appear with it, and udev gives them to the phone a moment later.
const (
	grantEvery = 20 * time.Millisecond
	grantMax   = 2 * time.Second
)

// putSoon is put for a file that may not be ours yet.
func (l *led) putSoon(file, value string) error {
	err := l.put(file, value)
	for waited := time.Duration(0); errors.Is(err, fs.ErrPermission) && waited < grantMax; waited += grantEvery {
		time.Sleep(grantEvery)
		err = l.put(file, value)
	}
	return err
}

func (l *led) next(s *scene, now time.Time) time.Time {
	if l.blinks(s) {
		return time.Time{}
	}
	return s.next(l.lamp, now)
}

// check finds an LED that went, or went and came back dark. One that the kernel blinks is judged by who drives it: its
// brightness changes all the time.
func (l *led) check(s *scene, now time.Time) error {
	text, err := l.get("brightness")
	if err != nil {
		return l.broken(err)
	}
	if l.have.on > 0 {
		if text, err = l.get("trigger"); err != nil {
			return l.broken(err)
		}
		if text == "timer" || strings.Contains(text, "[timer]") {
			return nil
		}
	} else if text == strconv.Itoa(l.have.brightness) {
		return nil
	}
	l.known = false
	return l.show(s, now)
}

func (l *led) get(file string) (string, error) {
	content, err := os.ReadFile(filepath.Join(l.dir, file))
	return strings.TrimSpace(string(content)), err
}

// put writes a file that must exist; nothing is ever created.
func (l *led) put(file, value string) error {
	f, err := os.OpenFile(filepath.Join(l.dir, file), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// broken forgets the LED. One without a folder is missing, and those that exist are named: the board's file has a wrong name
// more often than a driver is not loaded.
func (l *led) broken(err error) error {
	l.known, l.have = false, ledState{}
	if _, gone := os.Stat(l.dir); !errors.Is(gone, fs.ErrNotExist) {
		return err
	}
	var there []string
	entries, _ := os.ReadDir(filepath.Dir(l.dir))
	for _, e := range entries {
		there = append(there, e.Name())
	}
	if there == nil {
		there = []string{"none"}
	}
	return missing{fmt.Errorf("not in %s, where there are: %s", filepath.Dir(l.dir), strings.Join(there, ", "))}
}
