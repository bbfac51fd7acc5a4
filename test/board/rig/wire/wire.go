// Package wire is what the test and the first process of its machine say to each other: JSON values one after another on a serial port
// that virtio has, so that neither a missing network nor the kernel's own messages get in between.
//
//	rig --Request--> guest        guest --Message{Reply or Event}--> rig        in the initramfs: Config
package wire

import "time"

// Port is the name of the serial port.
const Port = "freizeichen.board"

// Paths in the initramfs.
const (
	ConfigPath = "/etc/board.json"
	ModulesDir = "/lib/modules"
)

// Config is what the first process does after it has started, in this order.
type Config struct {
	Modules     []string      // files in ModulesDir to load
	Wait        []string      // paths, with stars, that must be there before anything is started: devices come by and by
	WaitMax     time.Duration //
	Permissions []Permission  // of device nodes, those that come later too
	Address     string        // of the network, "10.0.2.15/24"; empty for none
	Gateway     string        //
	Program     Program       // without Path none is started
	// Watchdog is after how long without a sign of life from the program the machine is reset, in whole seconds; 0 for never.
	Watchdog time.Duration
}

// A Permission gives files to a group, as udev's rules do on a real board.
type Permission struct {
	Path string // with stars
	GID  int
	Mode uint32
}

// A Program is the one under test, run as a service of systemd would be.
type Program struct {
	Path        string
	Args        []string
	Environment []string
	Dir         string
	UID         int
	GIDs        []int // the first is its own
	// WatchdogEvery is what it is told in WATCHDOG_USEC, see sd_watchdog_enabled(3); 0 for nothing.
	WatchdogEvery time.Duration
}

// What a Request wants.
const (
	Run    = "run"    // Program: run to its end, as another process beside the program under test. Reply: Output, Code
	Signal = "signal" // Number: to the program under test
	Start  = "start"  // the program under test again, after it has ended
	Read   = "read"   // Path, which may say PID for the number of the program under test. Reply: Output
	Write  = "write"  // Path, Data
	Glob   = "glob"   // Path. Reply: Output, a line each
	Off    = "off"    // ends the machine
)

// A Request is a wish of the test.
type Request struct {
	ID      uint64
	Do      string
	Program Program
	Number  int
	Path    string
	Data    []byte
}

// A Reply is the answer to the request of that ID.
type Reply struct {
	ID     uint64
	Output []byte
	Code   int    // a program's exit status, -1 when a signal ended it
	Error  string // why it could not be done
}

// Kinds of events.
const (
	Booted   = "booted"   // all is there, and the program about to be started. Text: seconds of uptime
	Failed   = "failed"   // what the first process could not do: nothing more follows
	Started  = "started"  // the program, Text: its process number
	Ready    = "ready"    // READY=1
	Status   = "status"   // STATUS=, Text
	Fed      = "fed"      // WATCHDOG=1
	Notified = "notified" // any other state that was told to the service manager, Text
	Output   = "output"   // a line of the program, Text
	Ended    = "ended"    // Text: "exit status 1", "signal: killed"
	Alive    = "alive"    // every AliveEvery. Text: seconds of uptime
)

// AliveEvery is how often the machine says that it lives.
const AliveEvery = time.Second

// An Event is what happens in the machine by itself.
type Event struct{ Kind, Text string }

// A Message comes from the machine: one of the two.
type Message struct {
	Reply *Reply `json:",omitempty"`
	Event *Event `json:",omitempty"`
}
