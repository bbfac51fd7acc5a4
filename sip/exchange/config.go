package exchange

import (
	"log/slog"
	"net/netip"
	"time"

	"freizeichen/sip"
)

// A Config is a whole exchange. The zero value of a field means what its comment says.
type Config struct {
	// Listen is the UDP and TCP address; the host part stands in Contact and SDP, so it must be one that phones reach.
	// The zero value is 127.0.0.1 with a port chosen by the system.
	Listen netip.AddrPort
	Domain string // realm of the digests and host part of all addresses of record; empty means "exchange"

	Accounts     []Account
	Queues       []QueueConfig
	Destinations []Destination
	Traffic      []Traffic
	WaitingMax   int    // citizens stay away from a queue in which so many wait; zero means 2
	Seed         uint64 // of chance

	ProxyAuthentication bool          // INVITE is challenged with 407 instead of 401
	UnknownAccount      int           // status for an account that does not exist; zero means 404
	WrongPassword       int           // status for a wrong password; zero means 401, a new challenge, as Asterisk does
	RegisterMin         time.Duration // shorter registrations are answered 423; zero means 10 s
	NonceLife           time.Duration // zero means 5 minutes
	Qualify             time.Duration // interval of OPTIONS to each phone; zero means 30 s

	Observe func(QueueEvent) // is told everything that happens in the queues, and must not block; nil: nobody
	Log     *slog.Logger     // nil discards
}

// A Manner is how a destination behaves.
type Manner uint8

// The manners. The zero Manner is Answers.
const (
	Answers       Manner = iota // rings, then somebody talks
	Busy                        // 486
	Silent                      // rings and is never answered; 480 after 60 s
	Echo                        // repeats what it hears
	Announcement                // 183 with an announcement as early media, then 480
	EmergencyDemo               // an emergency number: answers, without digest, with a name that says that nobody is there
)

// A Destination is a number that phones can dial or transfer to.
type Destination struct {
	Number  string
	Name    string // shown to the phone as P-Asserted-Identity
	Manner  Manner
	Ringing time.Duration // of Answers: until somebody lifts; zero means 2 s
}

// Default is the exchange of the simulator: three municipalities, offices to transfer to, and a calm rhythm of calls. The
// accounts are those of the agents, who answer for every queue.
func Default(accounts ...Account) Config {
	var agents []string
	for _, a := range accounts {
		agents = append(agents, a.User)
	}
	queue := func(name string, numbers ...string) QueueConfig {
		return QueueConfig{Name: name, Numbers: numbers, Agents: agents, Strategy: LongestIdle, WrapUp: 3 * time.Second}
	}
	return Config{
		Domain:   "servicecenter.example",
		Accounts: accounts,
		Queues: []QueueConfig{
			queue("Kreis Wesel", "02812070", "028412020"),
			queue("Stadt Moers", "115"),
			queue("Stadt Xanten", "02214710115"), // an example number: of the block for media productions, see dramaNumbers
		},
		Destinations: []Destination{
			{Number: "5036", Name: "Fachdienst Straßenverkehr", Ringing: 3 * time.Second},
			{Number: "5051", Name: "Fachdienst Elterngeld", Ringing: 2 * time.Second},
			{Number: "5060", Name: "Wohngeldstelle", Manner: Busy},
			{Number: "5070", Name: "Archiv", Manner: Silent},
			{Number: "5080", Name: "Ansage", Manner: Announcement},
			{Number: "5090", Name: "Echo", Manner: Echo},
			{Number: "110", Name: "DEMO: kein Notruf 110", Manner: EmergencyDemo},
			{Number: "112", Name: "DEMO: kein Notruf 112", Manner: EmergencyDemo},
		},
		Traffic: []Traffic{
			{Number: "02812070", Gap: 2 * time.Minute, First: 4 * time.Second},
			{Number: "115", Gap: 3 * time.Minute},
			{Number: "02214710115", Gap: 5 * time.Minute},
			{Number: "028412020", Gap: 6 * time.Minute},
		},
	}
}

// A media carries the sound of calls over RTP; *media.Sessions of sip/media has these methods.
type media interface {
	Open(call sip.CallID) (netip.AddrPort, error) // where RTP of the call arrives
	Apply(call sip.CallID, agreed sip.Media)
	Close(call sip.CallID)
	sound
}
