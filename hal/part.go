package hal

// A Part is a part of the body that can be missing or fail, as a technician speaks of it.
type Part uint8

// The parts.
const (
	PartHook        Part = iota // the hook switch
	PartKeypad                  //
	PartLamps                   //
	PartPanel                   // the display
	PartHandset                 // sound of earpiece and microphone
	PartSpeaker                 // loudspeaker and its microphone
	PartHeadset                 // where the board says that there must be one
	PartIdentity                // the EEPROM with serial number and MAC address
	PartTemperature             // its sensor
	PartClock                   // the battery-backed real-time clock
	PartLight                   // the sensor of ambient light
	PartService                 // the serial service line
	PartStorage                 // the disk: worn, full or with errors
	PartEthernet                // the link of the network's socket
	PartCount
)

func (p Part) String() string {
	return [...]string{"hook", "keypad", "lamps", "panel", "handset", "speaker", "headset", "identity", "temperature", "clock",
		"light", "service", "storage", "ethernet", "invalid"}[min(p, PartCount)]
}

// A Fault is how a part is.
type Fault uint8

// The faults.
const (
	Working Fault = iota
	Missing       // does not answer, or is not there
	Failing       // is there and fails: errors in transfers, a checksum that does not fit, a key that is stuck
	FaultCount
)

func (f Fault) String() string {
	return [...]string{"working", "missing", "failing", "invalid"}[min(f, FaultCount)]
}

// PartChange: a part broke, went or works again. Detail is for the log and the self-test, in English; it names the device or
// the key and holds no secrets.
type PartChange struct {
	Part   Part
	Fault  Fault
	Detail string
}

// Faults is how all parts are.
type Faults [PartCount]Fault

// Any tells whether a part does not work.
func (f Faults) Any() bool { return f != Faults{} }
