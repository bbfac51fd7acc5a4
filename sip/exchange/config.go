package exchange

import (
	"log/slog"
	"net"
	"net/netip"
	"time"

	"freizeichen/sip/exchange/citizen"
	"freizeichen/sip/exchange/plan"
	"freizeichen/sip/exchange/queue"
	"freizeichen/sip/exchange/registrar"
	"freizeichen/sip/media"
)

// The words of the exchange's parts, so that its users import one package. Each is described there.
type (
	Account    = registrar.Account // a phone's user
	Citizen    = citizen.Citizen   // somebody who calls
	Traffic    = citizen.Traffic   // how often one number is called
	Queue      = queue.Config      // a number's callers and agents
	QueueEvent = queue.Event       // what happened in a queue
	Member     = queue.Member      // an agent in a queue
	ID         = queue.CallerID    // of a citizen's call; 0 is none
)

// A Config is a whole exchange. The zero value of a field means what its comment says.
type Config struct {
	// Listen is the UDP and TCP address; the host part stands in Contact and SDP, so it must be one that phones reach.
	// The zero value is 127.0.0.1 with a port chosen by the system.
	Listen netip.AddrPort
	Domain string // realm of the digests and host part of all addresses of record; empty means "exchange"

	Accounts     []Account
	Queues       []Queue
	Destinations plan.Plan
	Traffic      []Traffic
	WaitingMax   int    // citizens stay away from a queue in which so many wait; zero means 2
	Seed         uint64 // of chance

	ProxyAuthentication bool          // INVITE is challenged with 407 instead of 401
	UnknownAccount      int           // status for an account that does not exist; zero means 404
	WrongPassword       int           // status for a wrong password; zero means 401, a new challenge, as Asterisk does
	RegisterMin         time.Duration // shorter registrations are answered 423; zero means 10 s
	NonceLife           time.Duration // zero means 5 minutes
	Qualify             time.Duration // interval of OPTIONS to each phone; zero means 30 s

	// ListenPacket and ListenRTP open sockets; nil opens real ones. Tests put an in-memory network here.
	ListenPacket func(network, address string) (net.PacketConn, error)
	ListenRTP    func(netip.AddrPort) (media.Conn, error)
	// RTP and RTCP ports are taken from PortMin to PortMax. Both zero means 12000 to 12999.
	PortMin, PortMax uint16

	Observe func(QueueEvent) // is told everything that happens in the queues, and must not block; nil: nobody
	// ObserveMember is told of every member of a queue that is not what it was, as Observe; nil: nobody.
	ObserveMember func(Member)
	Log           *slog.Logger // nil discards
}

// Default is the exchange of the simulator: three municipalities, offices to transfer to, and a calm rhythm of calls. The
// accounts are those of the agents, who answer for every queue.
func Default(accounts ...Account) Config {
	var agents []string
	for _, a := range accounts {
		agents = append(agents, a.User)
	}
	line := func(id, name string, numbers ...string) Queue {
		return Queue{ID: id, Name: name, Numbers: numbers, Agents: agents, Strategy: queue.LongestIdle, WrapUp: 3 * time.Second}
	}
	return Config{
		Domain:   "servicecenter.example",
		Accounts: accounts,
		Queues: []Queue{
			line("kreis-wesel", "Kreis Wesel", "02812070", "028412020"),
			line("moers", "Stadt Moers", "115"),
			line("xanten", "Stadt Xanten", "02214710115"), // an example number: of the block for media productions, see package citizen
		},
		Destinations: plan.Municipal(),
		Traffic: []Traffic{
			{Number: "02812070", Gap: 2 * time.Minute, First: 4 * time.Second},
			{Number: "115", Gap: 3 * time.Minute},
			{Number: "02214710115", Gap: 5 * time.Minute},
			{Number: "028412020", Gap: 6 * time.Minute},
		},
	}
}
