package config

import "freizeichen/firmware/document"

// raw is the file as it stands: every value a text with its place, nothing checked. The tag is the key.
type raw struct {
	Accounts []rawAccount `key:"accounts"`
	Language scalar       `key:"language"`
	Panel    scalar       `key:"panel"`
	Lamps    rawLamps     `key:"lamps"`
	Dial     rawDial      `key:"dial"`
	Calls    rawCalls     `key:"calls"`
	Network  rawNetwork   `key:"network"`
	Sound    rawSound     `key:"sound"`
	Service  rawService   `key:"service-line"`
	SelfTest rawSelfTest  `key:"self-test"`
	Centre   rawCentre    `key:"call-centre"`
}

type rawService struct {
	At       position
	Password scalar `key:"password"`
}

type rawSelfTest struct {
	At   position
	Echo scalar `key:"echo"`
}

type rawCentre struct {
	At          position
	Switchboard rawSwitchboard `key:"switchboard"`
	Queues      []scalar       `key:"queues"`
	Status      scalar         `key:"queue-status"`
	Reasons     []rawReason    `key:"pause-reasons"`
	Codes       rawCodes       `key:"feature-codes"`
	Alarm       rawAlarm       `key:"queue-lamp"`
	Reject      scalar         `key:"reject-pauses"`
	Knowledge   scalar         `key:"knowledge"`
	Data        scalar         `key:"data"`
}

type rawSwitchboard struct {
	At     position
	URL    scalar `key:"url"`
	Secret scalar `key:"secret"`
	CA     scalar `key:"ca"`
}

type rawReason struct {
	At   position
	ID   scalar `key:"id"`
	Text scalar `key:"text"`
	Code scalar `key:"code"`
}

type rawCodes struct {
	SignIn  scalar `key:"sign-in"`
	SignOut scalar `key:"sign-out"`
	Ready   scalar `key:"ready"`
}

type rawAlarm struct {
	Waiting scalar `key:"waiting"`
	Longest scalar `key:"longest"`
}

type rawAccount struct {
	At        position // of the whole account
	User      scalar   `key:"user"`
	AuthUser  scalar   `key:"auth-user"`
	Password  scalar   `key:"password"`
	Name      scalar   `key:"name"`
	Domain    scalar   `key:"domain"`
	Server    scalar   `key:"server"`
	Transport scalar   `key:"transport"`
	Expires   scalar   `key:"expires"`
}

type rawLamps struct {
	Missed scalar `key:"missed-calls"`
}

type rawDial struct {
	AutoDial  scalar           `key:"auto-dial"`
	Emergency []scalar         `key:"emergency"`
	Replace   []rawReplacement `key:"replace"`
}

type rawReplacement struct {
	At     position
	Prefix scalar `key:"prefix"`
	By     scalar `key:"by"`
}

type rawCalls struct {
	CalledNumber []scalar `key:"called-number"`
	Retention    scalar   `key:"retention"`
}

type rawNetwork struct {
	Local     scalar `key:"local"`
	KeepAlive scalar `key:"keep-alive"`
	RTP       scalar `key:"rtp-ports"`
}

type rawSound struct {
	Tones  scalar    `key:"tones"`
	Volume rawVolume `key:"volume"`
}

type rawVolume struct {
	Handset scalar `key:"handset"`
	Headset scalar `key:"headset"`
	Speaker scalar `key:"speaker"`
	Ringer  scalar `key:"ringer"`
}

// A scalar is one value: its text and where it stands.
type (
	scalar   = document.Scalar
	position = document.Position
)
