package switchboard

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"freizeichen/firmware/config"
	"freizeichen/firmware/document"
)

// raw is the file as it stands: every value a text with its place, nothing checked.
type raw struct {
	Asterisk rawAsterisk `key:"asterisk"`
	Presence rawPresence `key:"presence"`
	HTTPS    rawHTTPS    `key:"https"`
	Metrics  scalar      `key:"metrics"`
	Database scalar      `key:"database"`
	Data     scalar      `key:"data"`
	Zone     scalar      `key:"time-zone"`
	Queues   []rawQueue  `key:"queues"`
	Reasons  []rawReason `key:"pause-reasons"`
	WrapUp   struct {
		At       position
		Reason   scalar `key:"reason"`
		ExtendBy scalar `key:"extend-by"`
		Extends  scalar `key:"extends"`
	} `key:"wrap-up"`
	Knowledge scalar `key:"knowledge"`
	Retention struct {
		At          position
		AgentDays   scalar `key:"agent-days"`
		MessageDays scalar `key:"message-days"`
		OpenDays    scalar `key:"open-message-days"`
	} `key:"retention"`
}

type rawAsterisk struct {
	At      position
	Address scalar `key:"address"`
	User    scalar `key:"user"`
	Secret  scalar `key:"secret"`
	TLS     scalar `key:"tls"`
	CA      scalar `key:"ca"`
}

type rawPresence struct {
	At       position
	By       scalar `key:"by"`
	Server   scalar `key:"server"`
	Network  scalar `key:"network"`
	Domain   scalar `key:"domain"`
	User     scalar `key:"user"`
	Password scalar `key:"password"`
}

type rawHTTPS struct {
	At          position
	Listen      scalar   `key:"listen"`
	Certificate scalar   `key:"certificate"`
	Key         scalar   `key:"key"`
	Names       []scalar `key:"names"`
}

type rawQueue struct {
	At      position
	Name    scalar `key:"name"`
	Title   scalar `key:"title"`
	Within  scalar `key:"within"`
	Target  scalar `key:"target"`
	Formula scalar `key:"formula"`
	WrapUp  scalar `key:"wrap-up"`
}

type rawReason struct {
	At      position
	ID      scalar `key:"id"`
	German  scalar `key:"german"`
	English scalar `key:"english"`
}

type (
	scalar   = document.Scalar
	position = document.Position
)

// problems are what is wrong in the file so far.
type problems struct{ *document.Problems }

func (p problems) check(c *Config, m raw) {
	text := document.TextOf(line)
	p.Need(m.Asterisk.At, "asterisk", "secret", m.Asterisk.Secret)
	document.Value(p.Problems, &c.Asterisk.Address, m.Asterisk.Address, address(false))
	document.Value(p.Problems, &c.Asterisk.User, m.Asterisk.User, document.TextOf(word))
	document.Value(p.Problems, &c.Asterisk.Secret, m.Asterisk.Secret, secret)
	document.Value(p.Problems, &c.Asterisk.TLS, m.Asterisk.TLS, document.ParseBool)
	document.Value(p.Problems, &c.Asterisk.CA, m.Asterisk.CA, text)
	p.presence(&c.Presence, m.Presence)
	p.Need(m.HTTPS.At, "https", "certificate", m.HTTPS.Certificate)
	p.Need(m.HTTPS.At, "https", "key", m.HTTPS.Key)
	document.Value(p.Problems, &c.HTTPS.Listen, m.HTTPS.Listen, address(true))
	document.Value(p.Problems, &c.HTTPS.Certificate, m.HTTPS.Certificate, text)
	document.Value(p.Problems, &c.HTTPS.Key, m.HTTPS.Key, text)
	for _, s := range m.HTTPS.Names {
		var name string
		if document.Value(p.Problems, &name, s, document.TextOf(word)) {
			c.HTTPS.Names = append(c.HTTPS.Names, name)
		}
	}
	document.Value(p.Problems, &c.Metrics, m.Metrics, func(text string) (string, error) {
		if text == "" {
			return "", nil
		}
		return address(true)(text)
	})
	document.Value(p.Problems, &c.Database, m.Database, secret)
	document.Value(p.Problems, &c.Data, m.Data, text)
	document.Value(p.Problems, &c.Location, m.Zone, zone)
	document.Value(p.Problems, &c.Knowledge, m.Knowledge, text)
	document.Value(p.Problems, &c.WrapUp.Reason, m.WrapUp.Reason, text)
	document.Value(p.Problems, &c.WrapUp.ExtendBy, m.WrapUp.ExtendBy, document.DurationOf(5*time.Second, 10*time.Minute, false))
	document.Value(p.Problems, &c.WrapUp.Extends, m.WrapUp.Extends, document.NumberOf(0, 10))
	document.Value(p.Problems, &c.Retention.AgentDays, m.Retention.AgentDays, document.NumberOf(1, 366))
	document.Value(p.Problems, &c.Retention.MessageDays, m.Retention.MessageDays, document.NumberOf(1, 366))
	document.Value(p.Problems, &c.Retention.OpenDays, m.Retention.OpenDays, document.NumberOf(1, 366))
	p.queues(c, m.Queues)
	p.reasons(c, m.Reasons)
}

func (p problems) presence(c *Presence, m rawPresence) {
	document.Choice(p.Problems, &c.By, m.By, ByAsterisk, ByPublish)
	document.Value(p.Problems, &c.Server, m.Server, document.TextOf(word))
	document.Value(p.Problems, &c.Network, m.Network, func(text string) (string, error) {
		if text != "udp" && text != "tcp" {
			return "", fmt.Errorf("is %s; allowed: udp, tcp", document.Excerpt(text))
		}
		return text, nil
	})
	document.Value(p.Problems, &c.Domain, m.Domain, document.TextOf(line))
	document.Value(p.Problems, &c.User, m.User, document.TextOf(word))
	document.Value(p.Problems, &c.Password, m.Password, secret)
	if c.By == ByPublish {
		p.Need(m.At, "presence", "server", m.Server)
	}
}

func (p problems) queues(c *Config, mirror []rawQueue) {
	if len(mirror) == 0 {
		p.Add(position{}, "queues is missing: a switchboard serves one queue at least")
	}
	for i, m := range mirror {
		path := fmt.Sprintf("queues[%d]", i)
		p.Need(m.At, path, "name", m.Name)
		q := Queue{Within: 30 * time.Second, Formula: "offered", WrapUp: 30 * time.Second}
		document.Value(p.Problems, &q.Name, m.Name, document.TextOf(queueName))
		document.Value(p.Problems, &q.Title, m.Title, document.TextOf(line))
		document.Value(p.Problems, &q.Within, m.Within, document.DurationOf(time.Second, time.Hour, false))
		document.Value(p.Problems, &q.Target, m.Target, document.NumberOf(0, 100))
		document.Choice(p.Problems, &q.Formula, m.Formula, "offered", "answered", "handled")
		document.Value(p.Problems, &q.WrapUp, m.WrapUp, document.DurationOf(5*time.Second, time.Hour, true))
		if slices.ContainsFunc(c.Queues, func(earlier Queue) bool { return q.Name != "" && earlier.Name == q.Name }) {
			p.Add(m.Name.At, "%s: %q stands in the list already", m.Name.Path, q.Name)
		}
		c.Queues = append(c.Queues, q)
	}
}

func (p problems) reasons(c *Config, mirror []rawReason) {
	if mirror == nil {
		return
	}
	c.Reasons = nil
	for i, m := range mirror {
		path := fmt.Sprintf("pause-reasons[%d]", i)
		p.Need(m.At, path, "id", m.ID)
		p.Need(m.At, path, "german", m.German)
		var r Reason
		document.Value(p.Problems, &r.ID, m.ID, document.TextOf(queueName))
		document.Value(p.Problems, &r.German, m.German, document.TextOf(line))
		r.English = r.German
		document.Value(p.Problems, &r.English, m.English, document.TextOf(line))
		for _, earlier := range c.Reasons {
			if r.ID != "" && earlier.ID == r.ID || r.German != "" && earlier.German == r.German {
				p.Add(m.At, "%s is in the list already: neither identifier nor text may be twice", path)
				break
			}
		}
		if r.German != "" && r.German == c.WrapUp.Reason {
			p.Add(m.German.At, "%s is the reason of the wrap-up", m.German.Path)
		}
		c.Reasons = append(c.Reasons, r)
	}
}

func secret(text string) (config.Secret, error) {
	err := line(text)
	if text == "" {
		err = errors.New("must not be empty")
	}
	return config.NewSecret(text), err
}

// line takes a text of one line: it goes into lines of the manager interface and into logs.
func line(text string) error {
	if len(text) > 500 || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' }) {
		return errors.New("must be one line of at most 500 bytes without control characters")
	}
	return nil
}

// word takes a name or address without spaces.
func word(text string) error {
	if text == "" || len(text) > 253 || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return errors.New("must be one word")
	}
	return nil
}

// queueName takes what fits the user part of a SIP address behind "cc-", a line of the manager interface and a column of
// the database.
func queueName(text string) error {
	if text == "" || len(text) > 64 || strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" {
		return errors.New("must be 1 to 64 letters, digits, dots, - or _")
	}
	return nil
}

// address takes host:port; every allows an empty host, all addresses of the machine.
func address(every bool) func(string) (string, error) {
	return func(text string) (string, error) {
		host, port, err := net.SplitHostPort(text)
		n, number := strconv.ParseUint(port, 10, 16)
		if err != nil || number != nil || n == 0 && !every || host == "" && !every || host != "" && word(host) != nil {
			return "", fmt.Errorf("is %s; allowed: HOST:PORT", document.Excerpt(text))
		}
		return text, nil
	}
}

func zone(text string) (*time.Location, error) {
	location, err := time.LoadLocation(text)
	if err != nil || text == "" || text == "Local" {
		return nil, fmt.Errorf("is %s; allowed: a name as Europe/Berlin", document.Excerpt(text))
	}
	return location, nil
}
