package handsfree

import (
	"strconv"
	"strings"
)

// lineMax is the longest command line that is taken. HFP asks for none; V.250 section 5.2 for 40 and more.
const lineMax = 256

// A lines cuts what arrives into command lines. The zero value is ready.
type lines struct {
	line []byte
	lost bool // the line is too long: it is thrown away up to its end
}

// feed takes bytes as they come, calls f for each whole line without its end, and lost for one that was too long.
// V.250 section 5.2.1: a line ends with a carriage return; many devices send a line feed, too, which is no line.
func (l *lines) feed(data []byte, f func(line string), lost func()) {
	for _, b := range data {
		switch {
		case b == '\r' || b == '\n':
			if l.lost {
				lost()
			} else if len(l.line) > 0 {
				f(string(l.line))
			}
			l.line, l.lost = l.line[:0], false
		case len(l.line) == lineMax:
			l.lost = true
		default:
			l.line = append(l.line, b)
		}
	}
}

// A form is what a command asks of its parameter.
type form uint8

const (
	execute form = iota // AT+CHUP
	set                 // AT+VGS=9
	read                // AT+CIND?
	test                // AT+CIND=?
)

// A command is one AT command.
type command struct {
	name string // upper case, such as +VGS, A or D; empty for AT alone
	form form
	args string
}

// parse reads one line (V.250 sections 5.2 to 5.4; HFP allows one command a line). ok is false when it is none.
func parse(line string) (c command, ok bool) {
	line = strings.TrimSpace(line)
	if len(line) < 2 || !strings.EqualFold(line[:2], "AT") {
		return command{}, false
	}
	body := line[2:]
	switch {
	case body == "":
		return command{}, true
	case body[0] == 'D' || body[0] == 'd':
		return command{"D", execute, body[1:]}, true
	case strings.HasSuffix(body, "=?"):
		c = command{body[:len(body)-2], test, ""}
	case strings.HasSuffix(body, "?"):
		c = command{body[:len(body)-1], read, ""}
	default:
		name, args, found := strings.Cut(body, "=")
		c = command{name: name, args: strings.TrimSpace(args)}
		if found {
			c.form = set
		}
	}
	c.name = strings.ToUpper(strings.TrimSpace(c.name))
	for _, r := range c.name {
		if (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '+' {
			return command{}, false
		}
	}
	return c, c.name != ""
}

// number reads a decimal number from 0 to most.
func number(s string, most int) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n > uint64(most) {
		return 0, false
	}
	return int(n), true
}
