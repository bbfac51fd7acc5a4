// Package config turns the phone's configuration file into a checked Config. It is the only place that reads one.
//
//	bytes --firmware/document--> raw mirror --check--> Config, by value
//	         every step collects what is wrong, with line and column: Errors
//
// The file is YAML for people and JSON, which is a subset, from a server. Nothing is guessed: an unknown key, a value
// that is not allowed, or a key given twice refuses the file. reference.yaml explains every key.
//
// It must not act on what it reads, and knows nothing of SIP, of the body or of the phone: the programs in cmd translate
// a Config into the small structs those packages take.
package config

import (
	_ "embed"
	"fmt"
	"net/netip"
	"time"

	"freizeichen/firmware/document"
)

// Config is everything that an administrator decides about one phone.
type Config struct {
	Accounts []Account // registrations, at most accountsMax; none means the program's own default
	Language Language  // of the panel; default German
	Panel    Panel     // kind of display; default Mono128x64
	Lamps    Lamps
	Dial     Dial
	Calls    Calls
	Network  Network
	Sound    Sound
	Service  ServiceLine
	SelfTest SelfTest
	Centre   Centre
}

// ServiceLine is the serial line for technicians.
type ServiceLine struct {
	Password Secret // empty: nobody can log in
}

// SelfTest is what the self-test needs of the site.
type SelfTest struct {
	Echo string // number at the PBX that sends back what it hears; empty: there is none
}

// A Language is a language of the panel, by its tag of RFC 5646.
type Language string

// The languages.
const (
	German  Language = "de"
	English Language = "en"
)

// A Panel is a kind of display, by its size in pixels.
type Panel string

// The panels.
const (
	Mono128x64    Panel = "mono128x64"
	Colour320x240 Panel = "colour320x240"
)

// Lamps is what the lamps tell besides the calls.
type Lamps struct {
	Missed bool // the message lamp flashes while missed calls have not been looked at; default true
}

// Dial is what happens to a number before it is sent.
type Dial struct {
	AutoDial  time.Duration // off hook, a number is dialled this long after its last digit; 0 means never; default 5 s
	Emergency []string      // dialled at once and always, in this order: 110 and 112, then those of the file
	Replace   []Replacement // applied to a dialled number, the first that fits; never to an emergency number
}

// A Replacement changes the beginning of a dialled number: "+" by "00".
type Replacement struct {
	Prefix string // not empty; longer prefixes first, as in the file
	By     string // may be empty
}

// Calls is how calls are understood and remembered.
type Calls struct {
	CalledNumber []Source      // where the number that the caller dialled is looked for, the first that has one; empty means it is not shown
	Retention    time.Duration // how long call lists remember; 0 means not at all; default 24 h
}

// A Source is a header field of the INVITE that can hold the number the caller dialled.
type Source string

// The sources, in the default order.
const (
	Diversion   Source = "diversion"         // RFC 5806
	HistoryInfo Source = "history-info"      // RFC 7044
	PCalled     Source = "p-called-party-id" // RFC 7315 section 4.2
	To          Source = "to"                // RFC 3261 section 20.39
)

// Network is how the phone stands in the network.
type Network struct {
	Local     netip.AddrPort // where SIP is received; the zero AddrPort means the address towards the PBX and a free port; so does port 0
	KeepAlive time.Duration  // between packets that keep a NAT or firewall open (RFC 5626 section 3.5.1); 0 means none; default 25 s
	RTP       PortRange      // of sound; default 20000-20999
}

// A PortRange is first and last UDP port, both included.
type PortRange struct{ First, Last uint16 }

func (r PortRange) String() string { return fmt.Sprintf("%d-%d", r.First, r.Last) }

// Sound is what is heard.
type Sound struct {
	Tones  Country // whose dial, ringback and busy tone; default Germany
	Volume Volume
}

// A Country is whose tones are heard.
type Country string

// The countries.
const (
	Germany       Country = "de" // 425 Hz, cadences of ITU-T E.180 supplement 2
	UnitedKingdom Country = "uk"
	UnitedStates  Country = "us"
)

// Volume is the loudness at the start, a level of 3 dB each; 7 is 0 dB.
type Volume struct {
	Handset, Headset, Speaker int // 1 to 10; default 7
	Ringer                    int // 0 (silent) to 10; default 7
}

// Default is the configuration without a file: no account, everything else as reference.yaml says.
func Default() Config {
	return Config{
		Language: German,
		Panel:    Mono128x64,
		Lamps:    Lamps{Missed: true},
		Dial:     Dial{AutoDial: 5 * time.Second, Emergency: []string{"110", "112"}},
		Calls: Calls{
			CalledNumber: []Source{Diversion, HistoryInfo, PCalled, To},
			Retention:    24 * time.Hour,
		},
		Network: Network{KeepAlive: 25 * time.Second, RTP: PortRange{First: 20000, Last: 20999}},
		Sound:   Sound{Tones: Germany, Volume: Volume{Handset: 7, Headset: 7, Speaker: 7, Ringer: 7}},
		Centre:  defaultCentre(),
	}
}

//go:embed reference.yaml
var reference string

// Reference is a file that explains every key and shows its default.
func Reference() string { return reference }

// Errors is everything wrong in one file, and Error one thing of it.
type (
	Errors = document.Errors
	Error  = document.Error
)

// limits bound a file: the reference with all its comments has a twentieth of 64 KiB, and a hundred dial rules are more
// than any office has.
func limits() document.Limits {
	return document.Limits{Size: 64 << 10, List: 100, Kind: "configuration of a phone", Part: "setting"}
}

// Load reads and checks a file. What is wrong in it comes as Errors.
func Load(path string) (Config, error) {
	data, err := document.Load(path, limits())
	if err != nil {
		return Config{}, fmt.Errorf("config: %w", err)
	}
	return Parse(path, data)
}

// Parse checks a file's content; name stands in the messages. What is wrong comes as Errors, all of it where that is
// possible: a fault of YAML itself hides what follows it.
func Parse(name string, data []byte) (Config, error) {
	var mirror raw
	found, bound := document.Read(name, data, limits(), &mirror)
	var config Config
	if bound {
		config = problems{found}.check(mirror)
	}
	if err := found.Err(); err != nil {
		return Config{}, err
	}
	return config, nil
}
