package sensor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"periph.io/x/conn/v3/i2c"
)

// What a phone on a desk, or in a box in winter, can have. Both sensors measure from -55 C, which no phone ever sees.
const (
	celsiusMin = -40
	celsiusMax = 125
)

// An LM75 is a sensor of the board's temperature: an LM75B, with 11 bits of 0.125 C.
type LM75 struct {
	Bus  i2c.Bus
	Addr uint16 // 0x48 to 0x4F
	// TMP102 is for TI's sensor with 12 bits of 0.0625 C, in its normal mode.
	TMP102 bool
}

// Celsius is the temperature. The error is about the transfer, or says that it cannot be true.
func (l LM75) Celsius() (float64, error) {
	var r [2]byte
	read := func() error { return l.Bus.Tx(l.Addr, []byte{0x00}, r[:]) } // pointer to the Temp register, repeated start
	if err := read(); err != nil {
		return 0, fmt.Errorf("sensor: temperature at %#x: %w", l.Addr, notThere(err, read))
	}
	c, err := parseLM75(r, l.TMP102)
	if err != nil {
		return 0, fmt.Errorf("sensor: temperature at %#x: %w", l.Addr, err)
	}
	return c, nil
}

// parseLM75 reads the Temp register: two's complement from its upper end (LM75B table 9; SBOS397 table 8). The bits below are
// zero (section 7.4.3), so that a part that died after its acknowledge, and reads as ones, is found.
func parseLM75(r [2]byte, tmp102 bool) (float64, error) {
	raw := int16(uint16(r[0])<<8 | uint16(r[1]))
	unused := int16(0x1F)
	if tmp102 {
		unused = 0x0F
	}
	if raw&unused != 0 {
		return 0, fmt.Errorf("the register reads %#04x, whose lowest bits must be zero: wrong kind of sensor, or it is broken", uint16(raw))
	}
	return plausible(float64(raw) / 256)
}

func plausible(celsius float64) (float64, error) {
	if !(celsius >= celsiusMin && celsius <= celsiusMax) {
		return 0, fmt.Errorf("%g C is not in %d to %d C: the sensor is broken", celsius, celsiusMin, celsiusMax)
	}
	return celsius, nil
}

// A Zone is a thermal zone of the kernel (Documentation/driver-api/thermal/sysfs-api.rst of the Linux source).
type Zone struct {
	Type string // what it measures, such as "cpu-thermal"
	file string
}

// Zones finds the thermal zones in root + /sys/class/thermal, in order of their names. None is no error: boards without exist.
func Zones(root string) ([]Zone, error) {
	dirs, err := filepath.Glob(filepath.Join("/", root, "sys/class/thermal/thermal_zone*"))
	if err != nil {
		return nil, fmt.Errorf("sensor: thermal zones: %w", err)
	}
	var zones []Zone
	for _, dir := range dirs {
		kind, err := os.ReadFile(filepath.Join(dir, "type"))
		if errors.Is(err, fs.ErrNotExist) {
			continue // it went since the folder was read
		}
		if err != nil {
			return nil, fmt.Errorf("sensor: thermal zones: %w", err)
		}
		zones = append(zones, Zone{strings.TrimSpace(string(kind)), filepath.Join(dir, "temp")})
	}
	return zones, nil
}

// Celsius is the temperature. Zones that are switched off fail with EAGAIN or EINVAL.
func (z Zone) Celsius() (float64, error) {
	text, err := os.ReadFile(z.file)
	if err != nil {
		return 0, fmt.Errorf("sensor: thermal zone %s: %w", z.Type, err)
	}
	c, err := parseMilli(string(text))
	if err != nil {
		return 0, fmt.Errorf("sensor: thermal zone %s: %w", z.Type, err)
	}
	return c, nil
}

// parseMilli reads thousandths of a degree.
func parseMilli(text string) (float64, error) {
	milli, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%.20q is not a temperature", text)
	}
	return plausible(float64(milli) / 1000)
}

// Throttle is what a Raspberry Pi's firmware says of its supply and temperature: each is true if it is so now or was so since
// the kernel asked last, or since the start, depending on the kernel.
type Throttle struct {
	UnderVoltage bool // below 4.63 V: the supply or its cable is too weak
	Capped       bool // the processor's frequency is limited
	Throttled    bool // and lowered
	Hot          bool // the soft limit of the temperature is reached
	// VoltageOnly tells that the kernel says nothing of the other three.
	VoltageOnly bool
}

// ReadThrottle reads it from root + /sys. ErrNotExist: the board is no Raspberry Pi, or its kernel says nothing of it.
//
// Raspberry Pi's kernel has the firmware's bits in get_throttled; they say that file is deprecated (drivers/firmware/raspberrypi.c).
// Every kernel has the alarm of the hwmon driver rpi_volt, polled every 2 s (drivers/hwmon/raspberrypi-hwmon.c).
func ReadThrottle(root string) (Throttle, error) {
	sys := filepath.Join("/", root, "sys")
	text, err := os.ReadFile(filepath.Join(sys, "devices/platform/soc/soc:firmware/get_throttled"))
	if err == nil {
		return parseThrottle(string(text))
	}
	names, _ := filepath.Glob(filepath.Join(sys, "class/hwmon/hwmon*/name")) // the pattern is well formed
	for _, name := range names {
		if kind, err := os.ReadFile(name); err != nil || strings.TrimSpace(string(kind)) != "rpi_volt" {
			continue
		}
		alarm, err := os.ReadFile(filepath.Join(filepath.Dir(name), "in0_lcrit_alarm"))
		if err != nil {
			return Throttle{}, fmt.Errorf("sensor: throttle flag: %w", err)
		}
		switch strings.TrimSpace(string(alarm)) {
		case "0":
			return Throttle{VoltageOnly: true}, nil
		case "1":
			return Throttle{UnderVoltage: true, VoltageOnly: true}, nil
		}
		return Throttle{}, fmt.Errorf("sensor: throttle flag: in0_lcrit_alarm is %.20q, not 0 or 1", alarm)
	}
	return Throttle{}, fmt.Errorf("sensor: throttle flag: %w", fs.ErrNotExist)
}

// parseThrottle reads the firmware's bits in hexadecimal: 0 to 3 are so now, 16 to 19 were so (the documentation of
// vcgencmd get_throttled).
func parseThrottle(text string) (Throttle, error) {
	bits, err := strconv.ParseUint(strings.TrimPrefix(strings.TrimSpace(text), "0x"), 16, 32)
	if err != nil {
		return Throttle{}, fmt.Errorf("sensor: throttle flag: %.20q is not a hexadecimal number", text)
	}
	set := func(n int) bool { return (bits|bits>>16)>>n&1 != 0 }
	return Throttle{UnderVoltage: set(0), Capped: set(1), Throttled: set(2), Hot: set(3)}, nil
}
