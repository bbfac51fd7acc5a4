package page

import (
	"slices"

	"freizeichen/hal"
)

// A Label is the id of a text on the page. index.html and the scripts name the same ids.
type Label string

// The labels that Go needs by name.
const (
	LabelTitle      Label = "title"       // of the browser's tab
	LabelConnecting Label = "connecting"  // the page has no connection to the simulator yet
	LabelNeedScript Label = "need-script" // JavaScript is switched off
)

// labels are the texts that the page needs besides the keys' names.
var labels = []Label{
	LabelTitle, LabelConnecting, LabelNeedScript,

	"brand",      // printed on the phone
	"phone",      // name of the region that is the phone
	"screen",     // name of the panel
	"keypad",     // names of the groups of keys
	"soft-keys",  //
	"line-keys",  //
	"navigation", //
	"functions",  //
	"volume",     //

	// Printed on keys whose name may be too long for them.
	"cap-hold", "cap-transfer", "cap-redial", "cap-mute", "cap-headset", "cap-speaker",
	"cap-agent", "cap-queue", // beside the agent's lamps

	"handset-lift", "handset-replace", // what a click on the handset does

	// How a lamp shines, by the name of hal.Blink.
	"lamp-message", "lamp-agent", "lamp-queue", "blink-dark", "blink-steady", "blink-slow", "blink-fast", "blink-flash",

	"simulator", "simulator-note", // the panel beside the phone, and that it is no part of it
	"connected", "disconnected",
	"sound", "sound-gesture", "sound-here", "sound-elsewhere", "sound-free", "sound-none", "sound-unsupported",
	"sound-take",  // button: bring the sound here
	"sound-delay", // "{buffer} ms buffer, {gaps} gaps"
	"microphone", "microphone-asking", "microphone-granted", "microphone-denied", "microphone-absent",
	"microphone-off",
	"panel", "panel-mono", "panel-colour",
	"language",
	"theme", "theme-auto", "theme-light", "theme-dark",
	"shortcuts", "shortcuts-on", // the table of shortcuts, and the switch for them
	"shortcut-digits", "shortcut-handset",
	"focus-note", // Tab, Enter and Space work on every key
}

// KeyLabel is the name of a key. Digits need none.
func KeyLabel(key hal.Key) Label { return Label("key-" + key.String()) }

// Labels are the ids of all texts that the page needs, in every language.
func Labels() []Label {
	all := slices.Clone(labels)
	for key := hal.KeyStar; key < hal.KeyCount; key++ {
		all = append(all, KeyLabel(key))
	}
	return all
}
