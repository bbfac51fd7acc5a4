package selftest

import (
	"fmt"
	"slices"
	"time"
)

// The kinds of tests, 22.
const (
	CheckResponse    ID = "response"    // of a sound path
	CheckDistortion  ID = "distortion"  // of a sound path: THD+N
	CheckNoise       ID = "noise"       // of a sound path: SNR
	CheckLevel       ID = "level"       // of a sound path: level, polarity, channel; the parent of its others
	CheckDelay       ID = "delay"       // of a sound path: delay and drift
	CheckEcho        ID = "echo"        // of a sound path: coupling
	CheckMute        ID = "mute"        // of a sound path: microphone mute and its lamp
	CheckKeys        ID = "keys"        // each key in order, no ghost
	CheckStuck       ID = "stuck"       // a key that stays down
	CheckBounce      ID = "bounce"      // of the contacts, measured during keys
	CheckHook        ID = "hook"        //
	CheckBus         ID = "bus"         // scan of I2C
	CheckLamps       ID = "lamps"       //
	CheckDisplay     ID = "display"     //
	CheckIdentity    ID = "identity"    // EEPROM against label
	CheckClock       ID = "clock"       // RTC
	CheckTemperature ID = "temperature" //
	CheckWatchdog    ID = "watchdog"    //
	CheckStorage     ID = "storage"     //
	CheckEthernet    ID = "ethernet"    // and PoE
	CheckNetwork     ID = "network"     // what the network serves
	CheckUpdate      ID = "update"      // slots, and a bundle that must be refused
)

// Kinds are all 22, as the technician meets them.
func Kinds() []ID {
	return []ID{CheckBus, CheckIdentity, CheckTemperature, CheckWatchdog, CheckStorage, CheckUpdate, CheckStuck, CheckEthernet,
		CheckLevel, CheckResponse, CheckDistortion, CheckNoise, CheckMute, CheckDelay, CheckEcho,
		CheckKeys, CheckBounce, CheckHook, CheckLamps, CheckDisplay, CheckNetwork, CheckClock}
}

// A Part is a part of the phone, as a technician speaks of it; the words are those of hal.Part where both have one.
type Part string

// The parts.
const (
	PartHandset     Part = "handset"
	PartHeadset     Part = "headset"
	PartSpeaker     Part = "speaker"
	PartKeypad      Part = "keypad"
	PartHook        Part = "hook"
	PartPanel       Part = "panel"
	PartLamps       Part = "lamps"
	PartEthernet    Part = "ethernet"
	PartNetwork     Part = "network"
	PartBus         Part = "bus"
	PartIdentity    Part = "identity"
	PartClock       Part = "clock"
	PartTemperature Part = "temperature"
	PartWatchdog    Part = "watchdog"
	PartStorage     Part = "storage"
	PartUpdate      Part = "update"
)

type partWords struct {
	code   int
	title  Text
	advice Text
}

// parts also holds the numbers that a lamp blinks (section of Rhythm): what breaks most often has the shortest.
var parts = map[Part]partWords{
	PartHandset:     {1, Text{"Hörer", "handset"}, Text{"Hörer und Hörerkabel tauschen", "replace handset and cord"}},
	PartHeadset:     {2, Text{"Headset", "headset"}, Text{"Headset und Kabel tauschen", "replace headset and cord"}},
	PartSpeaker:     {3, Text{"Lautsprecher", "loudspeaker"}, Text{"Lautsprecher tauschen", "replace the loudspeaker"}},
	PartKeypad:      {4, Text{"Tastenfeld", "keypad"}, Text{"Tastenfeld tauschen", "replace the keypad"}},
	PartHook:        {5, Text{"Gabelkontakt", "hook switch"}, Text{"Gabelkontakt tauschen", "replace the hook switch"}},
	PartPanel:       {6, Text{"Anzeige", "display"}, Text{"Anzeige tauschen", "replace the display"}},
	PartLamps:       {7, Text{"Lampen", "lamps"}, Text{"Lampenplatine tauschen", "replace the lamp board"}},
	PartEthernet:    {8, Text{"Netzanschluss", "Ethernet"}, Text{"Netzkabel und Dose prüfen, dann Platine", "check cable and socket, then the board"}},
	PartNetwork:     {9, Text{"Netzdienste", "network services"}, Text{"Netz und Telefonanlage prüfen, kein Teil", "check network and exchange, no part"}},
	PartBus:         {10, Text{"I2C-Bus", "I2C bus"}, Text{"Steckverbinder prüfen, dann Platine tauschen", "check connectors, then replace the board"}},
	PartIdentity:    {11, Text{"Kennung (EEPROM)", "identity (EEPROM)"}, Text{"Platine ans Werk: Kennung fehlt oder falsch", "board to the factory: identity missing or wrong"}},
	PartClock:       {12, Text{"Uhr", "clock"}, Text{"Batterie der Uhr tauschen", "replace the clock's battery"}},
	PartTemperature: {13, Text{"Temperatur", "temperature"}, Text{"Lüftung und Netzteil prüfen", "check ventilation and power supply"}},
	PartWatchdog:    {14, Text{"Watchdog", "watchdog"}, Text{"Platine tauschen", "replace the board"}},
	PartStorage:     {15, Text{"Speicher", "storage"}, Text{"Speicherkarte oder eMMC-Modul tauschen", "replace the card or eMMC module"}},
	PartUpdate:      {16, Text{"Aktualisierung", "update"}, Text{"Firmware neu aufspielen, kein Teil", "write the firmware anew, no part"}},
}

// Title is what the part is called; a part of a program's own is called by its name.
func (p Part) Title() Text {
	if words, ok := parts[p]; ok {
		return words.title
	}
	return Text{string(p), string(p)}
}

// Advice is what to do when the part is broken.
func (p Part) Advice() Text {
	if words, ok := parts[p]; ok {
		return words.advice
	}
	return Text{string(p) + " tauschen", "replace " + string(p)}
}

var titles = map[ID]Text{
	CheckResponse: {"Frequenzgang", "frequency response"}, CheckDistortion: {"Klirren", "distortion"},
	CheckNoise: {"Rauschen", "noise"}, CheckLevel: {"Pegel und Polung", "level and polarity"},
	CheckDelay: {"Laufzeit", "delay"}, CheckEcho: {"Echo", "echo"}, CheckMute: {"Stummschaltung", "mute"},
	CheckKeys: {"Tasten", "keys"}, CheckStuck: {"Klemmende Taste", "stuck key"}, CheckBounce: {"Tastenprellen", "contact bounce"},
	CheckHook: {"Gabelkontakt", "hook switch"}, CheckBus: {"I2C-Bus", "I2C bus"}, CheckLamps: {"Lampen", "lamps"},
	CheckDisplay: {"Anzeige", "display"}, CheckIdentity: {"Kennung", "identity"}, CheckClock: {"Uhr", "clock"},
	CheckTemperature: {"Temperatur", "temperature"}, CheckWatchdog: {"Watchdog", "watchdog"}, CheckStorage: {"Speicher", "storage"},
	CheckEthernet: {"Netzanschluss", "Ethernet"}, CheckNetwork: {"Netzdienste", "network services"}, CheckUpdate: {"Aktualisierung", "update path"},
}

// Title is what a test is called: "Hörer: Klirren". A test of a program's own is called by its ID.
func Title(id ID) Text {
	title, ok := titles[id.Kind()]
	if !ok {
		return Text{string(id), string(id)}
	}
	if id == id.Kind() {
		return title
	}
	part := Part(id[:len(id)-len(id.Kind())-1]).Title()
	return Text{part.German + ": " + title.German, part.English + ": " + title.English}
}

// SoundPaths are the parts that have the tests of sound.
func SoundPaths() []Part { return []Part{PartHandset, PartSpeaker, PartHeadset} }

var (
	guided = []Level{Technician, Factory}
	always = []Level{PowerOn, Continuous, Technician, Factory}
)

// Standard is the tree of the 22 tests, those of sound once for each path. The parts named hang on the I2C bus of this
// board: when the bus fails, it explains them.
func Standard(onBus ...Part) []Test {
	const second = time.Second
	tests := []Test{
		{ID: CheckBus, Levels: []Level{PowerOn, Technician, Factory}, Part: PartBus, Takes: second / 2, Timeout: 10 * second},
		{ID: CheckIdentity, Levels: []Level{PowerOn, Technician, Factory}, Part: PartIdentity, Takes: second / 2, Timeout: 5 * second},
		{ID: CheckTemperature, Levels: always, Part: PartTemperature, Takes: second / 2, Timeout: 5 * second},
		{ID: CheckWatchdog, Levels: []Level{PowerOn, Technician, Factory}, Part: PartWatchdog, Takes: second / 2, Timeout: 5 * second},
		{ID: CheckStorage, Levels: always, Part: PartStorage, Takes: second, Timeout: 20 * second},
		{ID: CheckUpdate, Parent: CheckStorage, Levels: []Level{PowerOn, Technician, Factory}, Part: PartUpdate, Takes: second, Timeout: 20 * second},
		{ID: CheckStuck, Levels: always, Part: PartKeypad, Takes: second / 10, Timeout: 5 * second},
		{ID: CheckEthernet, Levels: always, Part: PartEthernet, Takes: second, Timeout: 30 * second},
	}
	for _, path := range SoundPaths() {
		tests = append(tests, sound(path)...)
	}
	tests = append(tests,
		Test{ID: CheckKeys, Levels: guided, Part: PartKeypad, Takes: 12 * second, Timeout: 3 * time.Minute},
		Test{ID: CheckBounce, Parent: CheckKeys, Levels: guided, Part: PartKeypad, Takes: second / 10, Timeout: 5 * second},
		Test{ID: CheckHook, Levels: guided, Part: PartHook, Takes: 7 * second, Timeout: time.Minute},
		Test{ID: CheckLamps, Levels: guided, Part: PartLamps, Takes: 3 * second, Timeout: 2 * time.Minute},
		Test{ID: CheckDisplay, Levels: guided, Part: PartPanel, Takes: 5 * second, Timeout: 2 * time.Minute},
		Test{ID: CheckNetwork, Parent: CheckEthernet, Levels: guided, Part: PartNetwork, Takes: 10 * second, Timeout: time.Minute},
		// Last: its 10 s of ticking began with the run.
		Test{ID: CheckClock, Levels: []Level{Continuous, Technician, Factory}, Part: PartClock, Takes: second, Timeout: 20 * second})
	for i := range tests {
		if tests[i].Parent == "" && tests[i].ID != CheckBus && slices.Contains(onBus, tests[i].Part) {
			tests[i].Parent = CheckBus
		}
	}
	return tests
}

// sound are the tests of one path. Its level is the parent: of silence, nothing else can be said.
func sound(path Part) []Test {
	test := func(kind ID, takes time.Duration, levels ...Level) Test {
		return Test{ID: kind.On(path), Parent: CheckLevel.On(path), Levels: levels, Part: path, Takes: takes, Timeout: 4*takes + 10*time.Second}
	}
	level := test(CheckLevel, 1500*time.Millisecond, guided...)
	level.Parent, level.Timeout = "", 90*time.Second // somebody may have to lift the handset first
	delay, echo := test(CheckDelay, 11*time.Second, Factory), test(CheckEcho, 3*time.Second, Factory)
	// The technician has 90 s: delay and echo where they go wrong most often.
	switch path {
	case PartHandset:
		delay.Levels = guided
	case PartSpeaker:
		echo.Levels = guided
	}
	mute := test(CheckMute, 1500*time.Millisecond, guided...)
	mute.Timeout = time.Minute // asks for its lamp
	return []Test{level, test(CheckResponse, 4*time.Second, guided...), test(CheckDistortion, time.Second, guided...),
		test(CheckNoise, 2*time.Second, guided...), mute, delay, echo}
}

// Select are the tests of a level, or of those the named ones, each with its ancestors: without them a failure would not be
// explained. The error names what is unknown; a program exits with ExitUsage.
func Select(tests []Test, level Level, names ...ID) ([]Test, error) {
	of := func(t Test) bool { return slices.Contains(t.Levels, level) }
	wanted := map[ID]bool{}
	for _, name := range names {
		i := slices.IndexFunc(tests, func(t Test) bool { return t.ID == name && of(t) })
		if i < 0 {
			return nil, fmt.Errorf("selftest: level %s has no test %q", level, name)
		}
		for range tests { // a chain of parents is not longer than the tests
			wanted[tests[i].ID] = true
			if i = slices.IndexFunc(tests, func(t Test) bool { return t.ID == tests[i].Parent }); i < 0 {
				break
			}
		}
	}
	var selected []Test
	for _, t := range tests {
		if of(t) && (len(names) == 0 || wanted[t.ID]) {
			selected = append(selected, t)
		}
	}
	return selected, nil
}
