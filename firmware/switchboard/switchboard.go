// Package switchboard turns the configuration file of the switchboard, the program beside the PBX, into a checked Config.
//
//	bytes --firmware/document--> raw mirror --check--> Config, by value
//
// Nothing is guessed: an unknown key, a value that is not allowed, or a key given twice refuses the file.
// reference.yaml explains every key. It must not act on what it reads.
package switchboard

import (
	_ "embed"
	"fmt"
	"time"

	"freizeichen/firmware/config"
	"freizeichen/firmware/document"
)

// Config is everything that an administrator decides about one switchboard.
type Config struct {
	Asterisk  Asterisk
	Presence  Presence
	HTTPS     HTTPS
	Metrics   string        // address of plain HTTP for Prometheus; empty: none
	Database  config.Secret // path of a SQLite file, or a URL of PostgreSQL with its password
	Data      string        // folder for the day's figures and the compiled knowledge
	Location  *time.Location
	Queues    []Queue // one at least
	Reasons   []Reason
	WrapUp    WrapUp
	Knowledge string // path of the knowledge file; empty: none
	Retention Retention
}

// Asterisk is the login to the manager interface.
type Asterisk struct {
	Address string // "127.0.0.1:5038"
	User    string
	Secret  config.Secret
	TLS     bool
	CA      string // path of the authority's certificate; empty: the system's authorities
}

// By is who tells the phones how queues stand.
type By string

// The ways.
const (
	ByAsterisk By = "asterisk" // by PRESENCE_STATE: Asterisk fans out
	ByPublish  By = "publish"  // a presence server does (RFC 3903)
)

// Presence is how phones learn how queues stand.
type Presence struct {
	By       By
	Server   string // of ByPublish: "host" or "host:port"
	Network  string // "udp" or "tcp"
	Domain   string // of the resources; empty: the host of Server
	User     string
	Password config.Secret
}

// HTTPS is where phones and supervisors come.
type HTTPS struct {
	Listen      string // "host:port" or ":port"
	Certificate string // path, PEM, with the chain
	Key         string // path, PEM
	Names       []string
}

// A Queue is one queue of the PBX and what is promised of it.
type Queue struct {
	Name    string
	Title   string
	Within  time.Duration
	Target  int    // percent; 0: nothing is promised
	Formula string // offered, answered, handled
	WrapUp  time.Duration
}

// A Reason is why agents pause.
type Reason struct{ ID, German, English string }

// WrapUp is the pause after a call.
type WrapUp struct {
	Reason   string // that the PBX is told
	ExtendBy time.Duration
	Extends  int
}

// Retention is how long persons are remembered.
type Retention struct {
	AgentDays   int // after a call its outcome forgets the agent
	MessageDays int // after a message was done it is deleted
	OpenDays    int // after it should have been answered a message is deleted that nobody has done
}

// Default is what holds where the file says nothing. It has neither an Asterisk nor queues.
func Default() Config {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		berlin = time.UTC // a machine without time zones says so by its clock on the page
	}
	return Config{
		Asterisk: Asterisk{Address: "127.0.0.1:5038", User: "switchboard"}, Presence: Presence{By: ByAsterisk, Network: "udp"},
		HTTPS: HTTPS{Listen: ":8443"}, Metrics: "127.0.0.1:9115", Data: "/var/lib/switchboard",
		Database: config.NewSecret("/var/lib/switchboard/switchboard.db"), Location: berlin,
		Reasons: []Reason{{"break", "Pause", "Break"}, {"meeting", "Besprechung", "Meeting"}, {"training", "Schulung", "Training"},
			{"backoffice", "Sachbearbeitung", "Back office"}},
		WrapUp:    WrapUp{Reason: "Nachbearbeitung", ExtendBy: 30 * time.Second, Extends: 2},
		Retention: Retention{AgentDays: 30, MessageDays: 7, OpenDays: 30},
	}
}

// limits of the file: 200 queues with seven keys each.
func limits() document.Limits {
	return document.Limits{Size: 256 << 10, List: 200, Kind: "configuration of a switchboard", Part: "setting"}
}

//go:embed reference.yaml
var reference string

// Reference is a file that explains every key.
func Reference() string { return reference }

// Load reads a file. Errors name it, with line and column, and never hold a secret.
func Load(path string) (Config, error) {
	data, err := document.Load(path, limits())
	if err != nil {
		return Config{}, fmt.Errorf("switchboard: reading the configuration: %w", err)
	}
	return Parse(path, data)
}

// Parse checks a file's content; name stands in the messages. What is wrong comes as document.Errors, all of it.
func Parse(name string, data []byte) (Config, error) {
	var mirror raw
	found, bound := document.Read(name, data, limits(), &mirror)
	c := Default()
	if bound {
		problems{found}.check(&c, mirror)
	}
	if err := found.Err(); err != nil {
		return Config{}, err
	}
	return c, nil
}
