// Package board has one table per model of phone: which line, bus, chip, display and sound card is which part of the body.
// A table is data in a file that is checked, so that a new board needs no code; hal/board/body opens what it says.
//
//	boards/*.yaml, or -board FILE --firmware/document--> raw mirror --check--> Table, by value --> hal/board/body
//
// It opens nothing. Errors name the file, the line and what is allowed.
package board

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"freizeichen/firmware/document"
	"freizeichen/hal"
	"freizeichen/hal/eeprom"
)

// A Table says how one model is wired. A part whose Place is empty is not on the board.
type Table struct {
	Model       string
	Hook        Hook
	Keypad      Keypad
	Lamps       []Lamp
	Panel       Panel
	Handset     Sound
	Speaker     Sound
	Jack        Sound // of a headset by wire, beside or instead of USB
	Headset     Headset
	Identity    Identity
	Temperature Sensor
	Clock       Clock
	Light       Light
	Service     Line
	Network     string // the interface whose link the self-test looks at: "eth0"; empty: none
	Watchdog    bool   // the board has one: the kernel's device of it must be there
	Limits      []Limit
	Scan        []Bus // the I2C buses and what must answer on them, in the file's order
}

// A Place is where in the file something was said: "virt.yaml:12". It stands in messages about hardware that is not so.
type Place string

// A Pin is one line of a GPIO chip.
type Pin struct {
	Place Place
	Chip  string // the chip's label: "pinctrl-bcm2711"
	Line  string // its name, or its offset: "HOOK", "17"
	Low   bool   // active low
	Pull  string // "up", "down" or empty: as it is
}

// A Chip is a part on an I2C bus.
type Chip struct {
	Place   Place
	Bus     string // the adapter's name, or the beginning of it before a "*"
	Address uint16 // 7 bits
}

// A Hook is the hook switch: active is lifted.
type Hook struct {
	Pin
	Debounce time.Duration
}

// Kinds of keypads.
const (
	KeypadTCA8418  = "tca8418"
	KeypadMCP23017 = "mcp23017"
	KeypadMatrix   = "matrix"
)

// A Keypad is a matrix of keys.
type Keypad struct {
	Place     Place
	Kind      string
	Chip      Chip        // of the kinds that are chips
	Interrupt Pin         // of the kinds that are chips
	Rows      []Pin       // of KeypadMatrix: driven
	Columns   []Pin       // of KeypadMatrix: read
	Diodes    bool        // there is one at each key: no combination looks like another
	Keys      [][]hal.Key // by row and column; KeyNone where there is none
}

// A Lamp is bound to one of: a Pin, a channel of a PCA9633, or an LED of the kernel.
type Lamp struct {
	Place   Place
	Lamp    hal.Lamp
	Pin     Pin
	Chip    Chip
	Channel int    // 0 to 3
	LED     string // name below /sys/class/leds
}

// Kinds of panels.
const (
	PanelSSD1306     = "ssd1306"
	PanelSH1106      = "sh1106"
	PanelSSD1322     = "ssd1322"
	PanelST7789      = "st7789"
	PanelFramebuffer = "framebuffer"
)

// A Panel is the display.
type Panel struct {
	Place       Place
	Kind        string
	Shows       hal.Panel // what is drawn for it
	Chip        Chip      // on I2C
	SPI         string    // "0.0": bus and chip select
	ClockHz     int       // of SPI
	DataCommand Pin
	Reset       Pin    // optional
	Backlight   Pin    // optional
	Device      string // of a framebuffer: "/dev/fb0"
	Rotated     bool   // upside down
	Double      bool   // of SSD1322: each pixel is two columns
	Offset      int    // of SSD1322: first column of the glass in the controller's memory, in units of four columns; 0 to 56
}

// A Sound is one way of sound: a card, its channels, and how its mixer stands for it.
type Sound struct {
	Place    Place
	Card     string // id or name
	Device   int
	Playback string // "left", "right" or "both"
	Capture  string // "left", "right" or "both"
	// CouplingDB is what the self-test's tone loses from earpiece to microphone on a good phone of the model.
	CouplingDB float64
	Mixer      []Control
}

// A Control is one element of a mixer, and one of the three values.
type Control struct {
	Place  Place
	Name   string
	Index  int
	DB     string // "-6", "-1.5", "mute"
	Switch string // "on", "off"
	Choice string // the item of an enumeration
}

// A Headset is how headsets come: by USB, by a serial line to a base station, or not at all.
type Headset struct {
	Place  Place
	USB    bool
	Serial Line
	Must   bool // one must be there: without it the phone says so
	// CouplingDB is as in Sound: of the headset that is tested with, in its fixture.
	CouplingDB float64
}

// An Identity is the EEPROM that says who the phone is.
type Identity struct {
	Chip
	Kind eeprom.Kind
}

// A Sensor is a temperature sensor: a chip, or a zone of the kernel.
type Sensor struct {
	Chip
	Zone string // type of a thermal zone, "cpu-thermal", beside the chip or instead of it
}

// A Clock is a real-time clock: a chip, or a device of the kernel.
type Clock struct {
	Chip
	Device string // "/dev/rtc0"
}

// Light is the sensor of ambient light, and what it dims.
type Light struct{ Chip }

// A Line is a serial line.
type Line struct {
	Place Place
	Port  string
	Baud  int
}

// A Limit replaces one of the self-test's: what good phones of the model have been found to do.
type Limit struct {
	Name      string // "delay.delay"
	Low, High float64
}

// A Bus is an I2C bus and the addresses that must answer on it.
type Bus struct {
	Name  string
	Chips []Chip
}

//go:embed boards/*.yaml
var boards embed.FS

// limits of a file: a matrix of 8 rows and 10 columns and a dozen controls for each way of sound.
func limits() document.Limits {
	return document.Limits{Size: 64 << 10, List: 40, Kind: "table of a board", Part: "part"}
}

// Names are the boards that are known without a file.
func Names() []string {
	files, _ := fs.Glob(boards, "boards/*.yaml") // the pattern is fine
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(path.Base(f), ".yaml"))
	}
	return names
}

// Known is the table of a board that is known without a file, as its file says it; false when there is none of the name.
func Known(name string) (text string, found bool) {
	data, err := boards.ReadFile("boards/" + name + ".yaml")
	return string(data), err == nil
}

// Load reads the table of a known board by its name, or of a file by its path: whatever has a "/" or ends with ".yaml".
func Load(board string) (Table, error) {
	if !strings.Contains(board, "/") && !strings.HasSuffix(board, ".yaml") {
		text, found := Known(board)
		if !found {
			return Table{}, fmt.Errorf("board: %q is not known; known are %s; a file's name has a / or ends with .yaml",
				board, strings.Join(Names(), ", "))
		}
		return Parse(board+".yaml", []byte(text))
	}
	data, err := document.Load(board, limits())
	if err != nil {
		return Table{}, fmt.Errorf("board: reading the table: %w", err)
	}
	return Parse(board, data)
}

// Parse checks a table; name stands in the messages. What is wrong comes as document.Errors, all of it.
func Parse(name string, data []byte) (Table, error) {
	var mirror raw
	found, bound := document.Read(name, data, limits(), &mirror)
	t := Table{}
	if bound {
		(&checker{Problems: found, file: name}).table(&t, mirror)
	}
	if err := found.Err(); err != nil {
		return Table{}, err
	}
	t.Scan = t.buses()
	return t, nil
}

// buses gathers the chips by their bus.
func (t *Table) buses() []Bus {
	var buses []Bus
	add := func(c Chip) {
		if c.Place == "" {
			return
		}
		for i := range buses {
			if buses[i].Name == c.Bus {
				for _, have := range buses[i].Chips {
					if have.Address == c.Address {
						return
					}
				}
				buses[i].Chips = append(buses[i].Chips, c)
				return
			}
		}
		buses = append(buses, Bus{Name: c.Bus, Chips: []Chip{c}})
	}
	for _, c := range []Chip{t.Panel.Chip, t.Keypad.Chip, t.Identity.Chip, t.Temperature.Chip, t.Clock.Chip, t.Light.Chip} {
		add(c)
	}
	for _, l := range t.Lamps {
		add(l.Chip)
	}
	return buses
}
