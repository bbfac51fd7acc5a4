package hal

// A HeadsetChange is what a headset reports: that it came or went, or what its own keys ask for.
type HeadsetChange struct{ Action HeadsetAction }

// A HeadsetAction is one of the things a headset can report.
type HeadsetAction uint8

// The actions. The keys are those of the telephony page of the HID Usage Tables, or of the hands-free AT commands.
const (
	HeadsetPlugged    HeadsetAction = iota // it is there, with sound or keys
	HeadsetUnplugged                       // it is gone
	HeadsetOffHook                         // its hook key, or its boom arm: take the call, or begin one
	HeadsetOnHook                          // end it
	HeadsetMute                            // its microphone shall be off
	HeadsetUnmute                          // and on again
	HeadsetFlash                           // hold, or swap
	HeadsetRedial                          //
	HeadsetReject                          // the call that rings
	HeadsetVolumeUp                        //
	HeadsetVolumeDown                      //
	HeadsetActionCount
)

func (a HeadsetAction) String() string {
	return [...]string{"plugged", "unplugged", "off-hook", "on-hook", "mute", "unmute", "flash", "redial", "reject",
		"volume-up", "volume-down", "invalid"}[min(a, HeadsetActionCount)]
}

// HeadsetLamps is what is written back to a headset, whole, every time: its lamps, and with them its idea of the call.
type HeadsetLamps struct {
	Ring       bool // a call rings
	OffHook    bool // the headset is in use for a call or a dial tone
	Mute       bool // the microphone of the running call is off
	Hold       bool // a call waits on hold
	Microphone bool // the microphone is heard by somebody
}
