package sensor

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/hal"
	"freizeichen/hal/haltest"

	"periph.io/x/conn/v3/i2c/i2ctest"
)

func TestTemperaturesThatCannotBeAreErrors(t *testing.T) {
	for _, raw := range []uint16{0xFFFF, 0x1901, 0x191F, 0x8000, 0x7FE0, 0x7D20, 0xD7E0, 0xC900} {
		if c, err := parseLM75([2]byte{byte(raw >> 8), byte(raw)}, false); err == nil {
			t.Errorf("%#04x reads %g C", raw, c)
		}
	}
	if c, err := parseLM75([2]byte{0x19, 0x01}, true); err == nil {
		t.Errorf("a TMP102 in extended mode reads %g C", c)
	}
}

// LM75B table 10, as far as a phone gets; SBOS397 table 8.
func TestTemperaturesOfTheDataSheetsAreRead(t *testing.T) {
	for raw, want := range map[uint16]float64{0x7D00: 125, 0x5000: 80, 0x1920: 25.125, 0x0020: 0.125, 0: 0,
		0xFFE0: -0.125, 0xE6E0: -25.125, 0xD800: -40} {
		if c, err := parseLM75([2]byte{byte(raw >> 8), byte(raw)}, false); err != nil || c != want {
			t.Errorf("%#04x reads %g C, %v; want %g", raw, c, err, want)
		}
	}
	if c, err := parseLM75([2]byte{0x19, 0x10}, true); err != nil || c != 25.0625 {
		t.Errorf("a TMP102 reads %g C, %v", c, err)
	}
}

func TestAnLM75IsReadInOneTransfer(t *testing.T) {
	bus := &i2ctest.Playback{DontPanic: true, Ops: []i2ctest.IO{{Addr: 0x48, W: []byte{0}, R: []byte{0x19, 0x20}}}}
	if c, err := (LM75{Bus: bus, Addr: 0x48}).Celsius(); err != nil || c != 25.125 {
		t.Errorf("read %g C, %v", c, err)
	}
	if err := bus.Close(); err != nil {
		t.Error(err)
	}
	model, wire := haltest.NewLM75(), &haltest.Bus{}
	wire.Attach(0x49, model)
	model.Measure(0xE6E0)
	if c, err := (LM75{Bus: wire, Addr: 0x49}).Celsius(); err != nil || c != -25.125 {
		t.Errorf("the model reads %g C, %v", c, err)
	}
}

func write(t *testing.T, root, file, text string) {
	t.Helper()
	file = filepath.Join(root, "sys", file)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestThermalZonesAreFoundAndReadStrictly(t *testing.T) {
	root := t.TempDir()
	if zones, err := Zones(root); err != nil || zones != nil {
		t.Errorf("a board without zones has %v, %v", zones, err)
	}
	write(t, root, "class/thermal/thermal_zone0/type", "cpu-thermal\n")
	write(t, root, "class/thermal/thermal_zone0/temp", "48312\n")
	write(t, root, "class/thermal/thermal_zone1/type", "pmic\n")
	write(t, root, "class/thermal/cooling_device0/type", "fan\n")
	zones, err := Zones(root)
	if err != nil || len(zones) != 2 || zones[0].Type != "cpu-thermal" || zones[1].Type != "pmic" {
		t.Fatalf("zones %v, %v", zones, err)
	}
	if c, err := zones[0].Celsius(); err != nil || c != 48.312 {
		t.Errorf("%g C, %v", c, err)
	}
	if c, err := zones[1].Celsius(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a zone without temperature reads %g C, %v", c, err)
	}
	for _, wrong := range []string{"", "\n", "warm", "48.3", "-274000", "127000", "99999999999999999999", "NaN", "0x10"} {
		write(t, root, "class/thermal/thermal_zone0/temp", wrong)
		if c, err := zones[0].Celsius(); err == nil {
			t.Errorf("%q reads %g C", wrong, c)
		}
	}
}

func TestTheThrottleFlagIsReadFromEitherKernel(t *testing.T) {
	root := t.TempDir()
	if flag, err := ReadThrottle(root); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a board without it: %+v, %v", flag, err)
	}
	write(t, root, "class/hwmon/hwmon0/name", "cpu_thermal\n")
	write(t, root, "class/hwmon/hwmon0/in0_lcrit_alarm", "1\n") // another driver's
	write(t, root, "class/hwmon/hwmon1/name", "rpi_volt\n")
	for text, want := range map[string]Throttle{"0\n": {VoltageOnly: true}, "1\n": {UnderVoltage: true, VoltageOnly: true}} {
		write(t, root, "class/hwmon/hwmon1/in0_lcrit_alarm", text)
		if flag, err := ReadThrottle(root); err != nil || flag != want {
			t.Errorf("alarm %q: %+v, %v", text, flag, err)
		}
	}
	write(t, root, "class/hwmon/hwmon1/in0_lcrit_alarm", "yes\n")
	if flag, err := ReadThrottle(root); err == nil {
		t.Errorf("alarm yes: %+v", flag)
	}
	for text, want := range map[string]Throttle{"0\n": {}, "50005\n": {UnderVoltage: true, Throttled: true}, "80000\n": {Hot: true}, "2\n": {Capped: true}} {
		write(t, root, "devices/platform/soc/soc:firmware/get_throttled", text)
		if flag, err := ReadThrottle(root); err != nil || flag != want {
			t.Errorf("firmware %q: %+v, %v", text, flag, err)
		}
	}
	for _, text := range []string{"", "g", "-1", "123456789"} {
		if flag, err := parseThrottle(text); err == nil {
			t.Errorf("firmware %q: %+v", text, flag)
		}
	}
}

func FuzzTexts(f *testing.F) {
	f.Add("48312\n")
	f.Add("50005")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := parseMilli(text); err == nil && !(c >= celsiusMin && c <= celsiusMax) {
			t.Fatalf("%q reads %g C", text, c)
		}
		_, _ = parseThrottle(text)
	})
}

func FuzzLM75(f *testing.F) {
	f.Add(byte(0x19), byte(0x20), false)
	f.Fuzz(func(t *testing.T, msb, lsb byte, tmp102 bool) {
		if c, err := parseLM75([2]byte{msb, lsb}, tmp102); err == nil && !(c >= celsiusMin && c <= celsiusMax) {
			t.Fatalf("%#02x %#02x reads %g C", msb, lsb, c)
		}
	})
}

func TestLightIsMeasuredOnceAndReadAfterItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := &i2ctest.Playback{DontPanic: true, Ops: []i2ctest.IO{{Addr: 0x23, W: []byte{0x20}}, {Addr: 0x23, R: []byte{0x83, 0x90}}}}
		start := time.Now()
		lux, err := BH1750{Bus: bus, Addr: 0x23}.Lux() // page 10: 28067 lx
		if err != nil || math.Round(lux) != 28067 {
			t.Errorf("%g lx, %v", lux, err)
		}
		if took := time.Since(start); took < 180*time.Millisecond {
			t.Errorf("read after %v", took)
		}
		if err := bus.Close(); err != nil {
			t.Error(err)
		}
		model, wire := haltest.NewBH1750(), &haltest.Bus{}
		wire.Attach(0x5C, model)
		model.Shine(120)
		if lux, err := (BH1750{Bus: wire, Addr: 0x5C, Window: 0.5}).Lux(); err != nil || math.Abs(lux-200) > 1e-9 {
			t.Errorf("behind half a window: %g lx, %v", lux, err)
		}
		wire.Attach(0x5C, nil)
		if lux, err := (BH1750{Bus: wire, Addr: 0x5C}).Lux(); !errors.As(err, &missing{}) {
			t.Errorf("without a sensor: %g lx, %v", lux, err)
		}
	})
}

func TestCurvesThatCannotBeAreRefused(t *testing.T) {
	good := []Point{{1, 10}, {100, 200}}
	for name, c := range map[string]Curve{
		"no points": {nil, 1.3, 60}, "dark": {[]Point{{1, 0}}, 1.3, 60}, "back": {[]Point{{10, 10}, {5, 20}}, 1.3, 60},
		"twice": {[]Point{{10, 10}, {10, 20}}, 1.3, 60}, "falling": {[]Point{{1, 20}, {10, 10}}, 1.3, 60},
		"negative": {[]Point{{-1, 10}}, 1.3, 60}, "no number": {[]Point{{math.NaN(), 10}}, 1.3, 60}, "endless": {[]Point{{math.Inf(1), 10}}, 1.3, 60},
		"no hysteresis": {good, 0.9, 60}, "hysteresis NaN": {good, math.NaN(), 60}, "no slew": {good, 1.3, 0}, "slew NaN": {good, 1.3, math.NaN()},
	} {
		if _, err := NewDimmer(c); err == nil {
			t.Errorf("%s: taken", name)
		}
		if _, err := Follow(nil, c, nil, nil); err == nil {
			t.Errorf("%s: followed", name)
		}
	}
	if _, err := NewDimmer(DefaultCurve()); err != nil {
		t.Error(err)
	}
}

// run lets a dimmer move until it rests, or for a minute, and returns the levels it had.
func run(d *Dimmer, now time.Time) (levels []uint8, rested time.Time) {
	levels = append(levels, d.Level())
	for range 600 {
		next := d.Deadline()
		if next.IsZero() {
			break
		}
		now = next
		d.Tick(now)
		levels = append(levels, d.Level())
	}
	return levels, now
}

func TestBrightnessFollowsTheLightSlowlyAndNeverFlickers(t *testing.T) {
	now := time.Unix(0, 0)
	d, err := NewDimmer(DefaultCurve())
	if err != nil {
		t.Fatal(err)
	}
	if d.Level() != 0 || !d.Deadline().IsZero() {
		t.Error("a level before anything was measured")
	}
	d.Light(now, 500)
	if d.Level() != 220 || !d.Deadline().IsZero() {
		t.Errorf("the first light gives %d, and moves", d.Level())
	}
	d.Light(now, 500*1.25)
	d.Light(now, 500/1.25)
	d.Light(now, math.NaN())
	if d.Level() != 220 || !d.Deadline().IsZero() {
		t.Error("light within the hysteresis moves the brightness")
	}
	d.Light(now, 0)
	levels, rested := run(d, now)
	if !slices.IsSortedFunc(levels, func(a, b uint8) int { return int(b) - int(a) }) || levels[len(levels)-1] != 16 {
		t.Errorf("night falls in levels %v", levels)
	}
	for i := 1; i < len(levels); i++ {
		if levels[i-1]-levels[i] > 7 {
			t.Errorf("a step from %d to %d", levels[i-1], levels[i])
		}
	}
	if took := rested.Sub(now); took < 3*time.Second || took > 4*time.Second {
		t.Errorf("204 levels at 60 a second took %v", took)
	}
	d.Light(rested, 0.4)
	d.Light(rested, 0)
	d.Light(rested, 1.2)
	if !d.Deadline().IsZero() {
		t.Error("readings below the first point move the brightness")
	}
	d.Blind(rested)
	if levels, _ := run(d, rested); levels[len(levels)-1] != 255 {
		t.Errorf("without a sensor the level is %d", levels[len(levels)-1])
	}
}

func TestTheCurveRisesWithTheLightAndMeetsItsPoints(t *testing.T) {
	c := DefaultCurve()
	last := 0.0
	for lux := 0.0; lux < 5000; lux += 0.5 {
		l := c.level(lux)
		if l < last || l < 16 || l > 255 {
			t.Fatalf("%g lx: level %g after %g", lux, l, last)
		}
		last = l
	}
	for _, p := range c.Points {
		if got := c.level(p.Lux); math.Abs(got-float64(p.Level)) > 1e-9 {
			t.Errorf("%g lx: %g, want %d", p.Lux, got, p.Level)
		}
	}
}

func FuzzDimmer(f *testing.F) {
	f.Add([]byte{1, 200, 7, 0, 255})
	f.Fuzz(func(t *testing.T, steps []byte) {
		d, err := NewDimmer(DefaultCurve())
		if err != nil {
			t.Fatal(err)
		}
		now := time.Unix(0, 0)
		for _, s := range steps {
			now = now.Add(time.Duration(s%16) * 50 * time.Millisecond)
			switch before := d.Level(); {
			case s >= 240:
				d.Blind(now)
			case s >= 128:
				d.Light(now, math.Pow(float64(s-128), 2))
				if before == 0 && d.Level() == 0 {
					t.Fatal("dark after a measurement")
				}
			default:
				d.Tick(now)
			}
			if l := d.Level(); l != 0 && l < 16 {
				t.Fatalf("level %d is below the night's", l)
			}
			if next := d.Deadline(); !next.IsZero() && next.Sub(now) > stepEvery {
				t.Fatalf("a step in %v", next.Sub(now))
			}
		}
	})
}

// A collection is what a goroutine told.
type collection[T any] struct {
	mu  sync.Mutex
	all []T
}

func (c *collection[T]) add(one T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, one)
}

func (c *collection[T]) get() []T {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.all)
}

func TestASensorIsAskedEveryTwoSecondsAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		stop := Watch(hal.PartTemperature, time.Millisecond, func() error { calls++; return nil }, nil)
		time.Sleep(59 * time.Second)
		stop()
		stop()
		if calls != 30 {
			t.Errorf("asked %d times in a minute", calls)
		}
	})
}

func TestOnlyAFaultThatStaysIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model, bus := haltest.NewLM75(), &haltest.Bus{}
		bus.Attach(0x48, model)
		sensor := LM75{Bus: bus, Addr: 0x48}
		var changes collection[hal.PartChange]
		stop := Watch(hal.PartTemperature, 5*time.Second, func() error { _, err := sensor.Celsius(); return err }, changes.add)
		t.Cleanup(stop)
		seen := 0
		want := func(fault hal.Fault, names ...string) {
			t.Helper()
			news := changes.get()[seen:]
			seen += len(news)
			if len(news) != 1 || news[0].Part != hal.PartTemperature || news[0].Fault != fault {
				t.Fatalf("reported %v, want %s", news, fault)
			}
			for _, name := range names {
				if !strings.Contains(news[0].Detail, name) {
					t.Errorf("%q does not name %s", news[0].Detail, name)
				}
			}
		}
		time.Sleep(time.Minute + time.Second) // between two readings
		model.Measure(0xFFFF)
		time.Sleep(10 * time.Second)
		model.Measure(0x1900)
		time.Sleep(10 * time.Second)
		if news := changes.get(); len(news) != 0 {
			t.Errorf("two failures were reported: %v", news)
		}
		model.Measure(0xFFFF)
		time.Sleep(time.Minute)
		want(hal.Failing, "0x48", "0xffff")
		bus.Attach(0x48, nil)
		time.Sleep(time.Minute)
		want(hal.Missing, "check its supply")
		bus.Attach(0x48, model)
		model.Measure(0x1900)
		time.Sleep(time.Minute)
		want(hal.Working)
	})
}

func TestPanelAndLampsFollowTheLightOfTheRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model, bus := haltest.NewBH1750(), &haltest.Bus{}
		bus.Attach(0x23, model)
		model.Shine(600)
		var levels collection[uint8]
		var changes collection[hal.PartChange]
		level := func() uint8 { all := levels.get(); return all[len(all)-1] }
		stop, err := Follow(BH1750{Bus: bus, Addr: 0x23}.Lux, DefaultCurve(), levels.add, changes.add)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(stop)
		time.Sleep(10 * time.Minute)
		if all := levels.get(); !slices.Equal(all, []uint8{220}) {
			t.Errorf("in steady light the levels are %v", all)
		}
		if calls, _ := bus.Traffic(); calls > 2*10*60/2 {
			t.Errorf("%d transfers in 10 minutes", calls)
		}
		model.Shine(1)
		time.Sleep(time.Minute)
		if level() != 16 || len(levels.get()) < 30 {
			t.Errorf("the light went out, and the levels were %v", levels.get())
		}
		bus.Fail(func(uint16, []byte, []byte) error { return errors.New("bus stuck") })
		time.Sleep(3 * time.Second)
		if len(changes.get()) != 0 || level() != 16 {
			t.Errorf("one failed reading: %v, level %d", changes.get(), level())
		}
		time.Sleep(time.Minute)
		if len(changes.get()) != 1 || changes.get()[0].Part != hal.PartLight || changes.get()[0].Fault != hal.Missing || level() != 255 {
			t.Errorf("a bus that is stuck: %v, level %d", changes.get(), level())
		}
		bus.Fail(nil)
		time.Sleep(time.Minute)
		if len(changes.get()) != 2 || changes.get()[1].Fault != hal.Working || level() != 16 {
			t.Errorf("the sensor is back: %v, level %d", changes.get(), level())
		}
	})
}
