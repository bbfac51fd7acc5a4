package board

import "freizeichen/firmware/document"

type (
	scalar   = document.Scalar
	position = document.Position
)

// raw is the file as it stands: every value a text with its place, nothing checked.
type raw struct {
	Model       scalar     `key:"model" must:"yes"`
	GPIO        scalar     `key:"gpio"`
	I2C         scalar     `key:"i2c"`
	Hook        rawHook    `key:"hook"`
	Keypad      rawKeypad  `key:"keypad"`
	Lamps       []rawLamp  `key:"lamps"`
	Panel       rawPanel   `key:"panel"`
	Sound       rawWays    `key:"sound"`
	Headset     rawHeadset `key:"headset"`
	Identity    rawMemory  `key:"identity"`
	Temperature rawSensor  `key:"temperature"`
	Clock       rawClock   `key:"clock"`
	Light       rawChip    `key:"light"`
	Service     rawLine    `key:"service"`
	Network     scalar     `key:"network"`
	Watchdog    scalar     `key:"watchdog"`
	Limits      []rawLimit `key:"limits"`
}

type rawPin struct {
	At     position
	Chip   scalar `key:"chip"`
	Line   scalar `key:"line"`
	Active scalar `key:"active"`
	Pull   scalar `key:"pull"`
}

type rawHook struct {
	At       position
	Chip     scalar `key:"chip"`
	Line     scalar `key:"line"`
	Active   scalar `key:"active"`
	Pull     scalar `key:"pull"`
	Debounce scalar `key:"debounce"`
}

type rawKeypad struct {
	At        position
	Kind      scalar   `key:"kind"`
	Bus       scalar   `key:"bus"`
	Address   scalar   `key:"address"`
	Interrupt rawPin   `key:"interrupt"`
	Rows      []rawPin `key:"rows"`
	Columns   []rawPin `key:"columns"`
	Diodes    scalar   `key:"diodes"`
	Keys      []scalar `key:"keys"`
}

type rawLamp struct {
	At      position
	Lamp    scalar `key:"lamp" must:"yes"`
	Chip    scalar `key:"chip"`
	Line    scalar `key:"line"`
	Active  scalar `key:"active"`
	Bus     scalar `key:"bus"`
	PCA9633 scalar `key:"pca9633"`
	Channel scalar `key:"channel"`
	LED     scalar `key:"led"`
}

type rawPanel struct {
	At          position
	Kind        scalar `key:"kind"`
	Bus         scalar `key:"bus"`
	Address     scalar `key:"address"`
	SPI         scalar `key:"spi"`
	Clock       scalar `key:"clock"`
	DataCommand rawPin `key:"data-command"`
	Reset       rawPin `key:"reset"`
	Backlight   rawPin `key:"backlight"`
	Device      scalar `key:"device"`
	Rotated     scalar `key:"rotated"`
	Double      scalar `key:"double"`
	Offset      scalar `key:"offset"`
	Shows       scalar `key:"shows"`
}

type rawWays struct {
	At      position
	Handset rawSound `key:"handset"`
	Speaker rawSound `key:"speaker"`
	Headset rawSound `key:"headset"`
}

type rawSound struct {
	At       position
	Card     scalar       `key:"card"`
	Device   scalar       `key:"device"`
	Playback scalar       `key:"playback"`
	Capture  scalar       `key:"capture"`
	Coupling scalar       `key:"coupling"`
	Mixer    []rawControl `key:"mixer"`
}

type rawControl struct {
	At      position
	Control scalar `key:"control" must:"yes"`
	Index   scalar `key:"index"`
	DB      scalar `key:"db"`
	Switch  scalar `key:"switch"`
	Choice  scalar `key:"choice"`
}

type rawHeadset struct {
	At       position
	USB      scalar  `key:"usb"`
	Serial   rawLine `key:"serial"`
	Must     scalar  `key:"must"`
	Coupling scalar  `key:"coupling"`
}

type rawChip struct {
	At      position
	Bus     scalar `key:"bus"`
	Address scalar `key:"address"`
}

type rawMemory struct {
	At      position
	Bus     scalar `key:"bus"`
	Address scalar `key:"address"`
	Kind    scalar `key:"kind"`
}

type rawSensor struct {
	At      position
	Bus     scalar `key:"bus"`
	Address scalar `key:"address"`
	Zone    scalar `key:"zone"`
}

type rawClock struct {
	At      position
	Bus     scalar `key:"bus"`
	Address scalar `key:"address"`
	Device  scalar `key:"device"`
}

type rawLine struct {
	At   position
	Port scalar `key:"port"`
	Baud scalar `key:"baud"`
}

type rawLimit struct {
	At   position
	Name scalar `key:"name" must:"yes"`
	Low  scalar `key:"low" must:"yes"`
	High scalar `key:"high" must:"yes"`
}
