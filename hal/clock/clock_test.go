package clock

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/hal/haltest"

	"periph.io/x/conn/v3/i2c/i2ctest"
)

// noon is 2026-03-04 12:34:56, a Wednesday.
func noon() [registers]byte {
	return [registers]byte{0x56, 0x34, 0x12, 4, 0x04, 0x03, 0x26, regControl: 0x1C, regStatus: 0x08}
}

func TestRegistersThatAreNoTimeAreErrors(t *testing.T) {
	for name, change := range map[string]func(*[registers]byte){
		"seconds not BCD":        func(r *[registers]byte) { r[0] = 0x5A },
		"60 seconds":             func(r *[registers]byte) { r[0] = 0x60 },
		"a bit above seconds":    func(r *[registers]byte) { r[0] |= 0x80 },
		"minutes not BCD":        func(r *[registers]byte) { r[1] = 0x0F },
		"75 minutes":             func(r *[registers]byte) { r[1] = 0x75 },
		"a bit above minutes":    func(r *[registers]byte) { r[1] |= 0x80 },
		"24 hours":               func(r *[registers]byte) { r[2] = 0x24 },
		"a bit above hours":      func(r *[registers]byte) { r[2] |= 0x80 },
		"13 hours of 12":         func(r *[registers]byte) { r[2] = 0x53 },
		"0 hours of 12":          func(r *[registers]byte) { r[2] = 0x40 },
		"weekday 0":              func(r *[registers]byte) { r[3] = 0 },
		"weekday 8":              func(r *[registers]byte) { r[3] = 8 },
		"day 0":                  func(r *[registers]byte) { r[4] = 0 },
		"day 32":                 func(r *[registers]byte) { r[4] = 0x32 },
		"a bit above the day":    func(r *[registers]byte) { r[4] |= 0x40 },
		"30 February":            func(r *[registers]byte) { r[4], r[5] = 0x30, 0x02 },
		"29 February 2026":       func(r *[registers]byte) { r[4], r[5] = 0x29, 0x02 },
		"month 0":                func(r *[registers]byte) { r[5] = 0 },
		"month 13":               func(r *[registers]byte) { r[5] = 0x13 },
		"a bit above the month":  func(r *[registers]byte) { r[5] |= 0x20 },
		"year not BCD":           func(r *[registers]byte) { r[6] = 0xA0 },
		"2000, as after a reset": func(r *[registers]byte) { r[6] = 0 },
		"2126":                   func(r *[registers]byte) { r[5] |= 0x80 },
		"ones":                   func(r *[registers]byte) { *r = [registers]byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF} },
		"zeros":                  func(r *[registers]byte) { *r = [registers]byte{} },
	} {
		r := noon()
		change(&r)
		if got, err := parse(r); err == nil || !got.IsZero() || errors.Is(err, ErrStopped) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	r := noon()
	r[regStatus] |= 0x80
	if got, err := parse(r); !errors.Is(err, ErrStopped) || !got.IsZero() {
		t.Errorf("the oscillator stood: %v, %v", got, err)
	}
}

func TestRegistersAreReadInBothModesOfTheHour(t *testing.T) {
	for _, test := range []struct {
		hours byte
		want  int
	}{{0x00, 0}, {0x12, 12}, {0x23, 23}, {0x52, 0}, {0x41, 1}, {0x51, 11}, {0x72, 12}, {0x61, 13}, {0x71, 23}} {
		r := noon()
		r[2] = test.hours
		want := time.Date(2026, 3, 4, test.want, 34, 56, 0, time.UTC)
		if got, err := parse(r); err != nil || !got.Equal(want) {
			t.Errorf("%#02x: %v, %v, want %v", test.hours, got, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	good := noon()
	f.Add(good[:])
	f.Fuzz(func(t *testing.T, data []byte) {
		var r [registers]byte
		copy(r[:], data)
		got, err := parse(r)
		if err != nil {
			if !got.IsZero() {
				t.Fatal("an error with a time")
			}
			return
		}
		if r[regStatus]&statusOSF != 0 || got.Year() < yearMin || got.Year() > yearMax {
			t.Fatalf("% x shows %v", r, got)
		}
		bcd := func(n int) byte { return byte(n/10<<4 | n%10) }
		if r[0] != bcd(got.Second()) || r[1] != bcd(got.Minute()) || r[4] != bcd(got.Day()) || r[5]&0x1F != bcd(int(got.Month())) || r[6] != bcd(got.Year()%100) {
			t.Fatalf("% x shows %v", r, got)
		}
		_, _ = parseCelsius([2]byte{r[0], r[1]})
	})
}

// The transfers of a Set, as on the wire.
func TestSettingClearsTheFlagAfterTheTime(t *testing.T) {
	after := noon()
	bus := &i2ctest.Playback{DontPanic: true, Ops: []i2ctest.IO{
		{Addr: 0x68, W: []byte{0, 0x56, 0x34, 0x12, 4, 0x04, 0x03, 0x26}},
		{Addr: 0x68, W: []byte{0x0E}, R: []byte{0x9C, 0x88}},
		{Addr: 0x68, W: []byte{0x0E, 0x1C, 0x0B}},
		{Addr: 0x68, W: []byte{0}, R: after[:]},
	}}
	if err := (DS3231{bus, 0x68}).Set(time.Date(2026, 3, 4, 13, 34, 56, 999e6, time.FixedZone("CET", 3600))); err != nil {
		t.Error(err)
	}
	if err := bus.Close(); err != nil {
		t.Error(err)
	}
}

func TestAClockGoesOnUntilItsBatteryIsEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model, bus := haltest.NewDS3231(time.Now), &haltest.Bus{}
		bus.Attach(0x68, model)
		clock := DS3231{bus, 0x68}
		if got, err := clock.Read(); !errors.Is(err, ErrStopped) {
			t.Errorf("a new clock shows %v, %v", got, err)
		}
		start := time.Date(2028, 2, 28, 23, 59, 50, 0, time.UTC)
		if err := clock.Set(start); err != nil {
			t.Fatal(err)
		}
		for _, wait := range []time.Duration{0, time.Second, 9 * time.Second, 24 * time.Hour, 307 * 24 * time.Hour} {
			time.Sleep(wait)
			start = start.Add(wait)
			if got, err := clock.Read(); err != nil || !got.Equal(start) {
				t.Errorf("after %v more it shows %v, %v, want %v", wait, got, err, start)
			}
		}
		if c, err := clock.Celsius(); err != nil || c != 25.25 {
			t.Errorf("%g C, %v", c, err)
		}
		model.LoseBattery()
		if got, err := clock.Read(); !errors.Is(err, ErrStopped) || !strings.Contains(err.Error(), "battery") {
			t.Errorf("an empty battery: %v, %v", got, err)
		}
		for year := range 200 {
			when := time.Date(1950+year, 1, 1, 0, 0, 0, 0, time.UTC)
			err := clock.Set(when)
			if ok := when.Year() >= yearMin && when.Year() <= yearMax; (err == nil) != ok {
				t.Errorf("set to %v: %v", when, err)
			}
		}
		model.Garbage([7]byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF})
		if got, err := clock.Read(); err == nil || errors.Is(err, ErrStopped) {
			t.Errorf("garbage: %v, %v", got, err)
		}
		if err := clock.Set(start); err == nil {
			t.Error("a clock that shows garbage was set")
		}
	})
}

func TestATimeIsRightOrAnErrorWhereverASetIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := time.Date(2026, 3, 4, 12, 34, 56, 0, time.UTC)
		for broken := range 4 {
			model, bus := haltest.NewDS3231(time.Now), &haltest.Bus{}
			bus.Attach(0x68, model)
			clock, calls := DS3231{bus, 0x68}, 0
			bus.Fail(func(_ uint16, w, _ []byte) error {
				if calls++; calls-1 != broken {
					return nil
				}
				model.Write(w[:(len(w)+1)/2])
				return errors.New("remote I/O error")
			})
			if err := clock.Set(want); err == nil || !strings.Contains(err.Error(), "DS3231 at 0x68") {
				t.Errorf("transfer %d broken: %v", broken, err)
			}
			bus.Fail(nil)
			if got, err := clock.Read(); err == nil && !got.Equal(want) {
				t.Errorf("transfer %d broken: the clock shows %v", broken, got)
			}
		}
		bus := &haltest.Bus{}
		if _, err := (DS3231{bus, 0x68}).Read(); !errors.Is(err, haltest.ErrNAK) {
			t.Error(err)
		}
		if _, err := (DS3231{bus, 0x68}).Celsius(); !errors.Is(err, haltest.ErrNAK) {
			t.Error(err)
		}
	})
}

func TestTemperaturesOfTheChip(t *testing.T) {
	for _, wrong := range [][2]byte{{0xFF, 0xFF}, {0x19, 0x41}, {0x80, 0}, {0x56, 0}} {
		if c, err := parseCelsius(wrong); err == nil {
			t.Errorf("% x is %g C", wrong, c)
		}
	}
	for r, want := range map[[2]byte]float64{{0x19, 0x40}: 25.25, {0xE6, 0xC0}: -25.25, {0, 0}: 0} {
		if c, err := parseCelsius(r); err != nil || c != want {
			t.Errorf("% x is %g C, %v, want %g", r, c, err, want)
		}
	}
}

func TestAClockThatStandsOrRunsIsFound(t *testing.T) {
	at := time.Now()
	shows := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name         string
		took, showed time.Duration
		ok           bool
	}{
		{"too soon", 9 * time.Second, 9 * time.Second, false},
		{"standing", 10 * time.Second, 0, false},
		{"backwards", 10 * time.Second, -10 * time.Second, false},
		{"a second fast", 10 * time.Second, 11 * time.Second, false},
		{"a second slow", 10 * time.Second, 9 * time.Second, false},
		{"set in between", 10 * time.Second, time.Hour, false},
		{"right", 10 * time.Second, 10 * time.Second, true},
		{"right, between two seconds", 10*time.Second + 900*time.Millisecond, 10 * time.Second, true},
		{"right, just after one", 10*time.Second + 100*time.Millisecond, 11 * time.Second, true},
	} {
		drift, err := Tick(Reading{shows, at}, Reading{shows.Add(test.showed), at.Add(test.took)})
		if (err == nil) != test.ok || test.ok && drift != test.showed-test.took {
			t.Errorf("%s: drift %v, %v", test.name, drift, err)
		}
	}
	synctest.Test(t, func(t *testing.T) { // from a model, whatever fraction of a second it began with
		for fraction := range 20 {
			model, bus := haltest.NewDS3231(time.Now), &haltest.Bus{}
			bus.Attach(0x68, model)
			clock := DS3231{bus, 0x68}
			if err := clock.Set(shows); err != nil {
				t.Fatal(err)
			}
			read := func() Reading {
				t.Helper()
				now, err := clock.Read()
				if err != nil {
					t.Fatal(err)
				}
				return Reading{now, time.Now()}
			}
			time.Sleep(time.Duration(fraction) * 50 * time.Millisecond)
			first := read()
			time.Sleep(TickTime + time.Duration(fraction)*77*time.Millisecond)
			if drift, err := Tick(first, read()); err != nil {
				t.Errorf("drift %v, %v", drift, err)
			}
			model.Stop()
			first = read()
			time.Sleep(TickTime)
			if drift, err := Tick(first, read()); err == nil || !strings.Contains(err.Error(), "stands") {
				t.Errorf("a clock that stands drifts %v, %v", drift, err)
			}
		}
	})
}
