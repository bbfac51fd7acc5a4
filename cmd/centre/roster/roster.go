// Package roster reads the list of agents that an office keeps in a spreadsheet. It stores nothing.
package roster

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"freizeichen/sip/acd"
)

// An Agent is one line of the list of agents.
type Agent struct {
	Number, Name string
	PIN          string // of an import: empty leaves it as it is
	Queues       []acd.Serving
}

// agentsMax bounds an import, and textMax its bytes.
const (
	agentsMax = 20_000
	textMax   = agentsMax * 200
)

// Read reads a list of agents: CSV with comma or semicolon and the header number, name, pin, queues. Queues are
// parted by spaces, each with or without a penalty: "moers kw-zulassung:1". Errors name the line and never a PIN.
func Read(r io.Reader) ([]Agent, error) {
	text, err := io.ReadAll(io.LimitReader(r, textMax+1))
	if err != nil {
		return nil, fmt.Errorf("agents: %w", err)
	}
	if len(text) > textMax {
		return nil, fmt.Errorf("agents: more than %d bytes", textMax)
	}
	for i, line := range bytes.Split(text, []byte("\n")) {
		if !utf8.Valid(line) {
			return nil, fmt.Errorf("agents: line %d: not UTF-8; spreadsheets call the format that is wanted \"CSV UTF-8\"", i+1)
		}
	}
	reader := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(text), "\ufeff"))) // spreadsheets write a mark in front
	if head, _, _ := strings.Cut(string(text), "\n"); strings.Contains(head, ";") {
		reader.Comma = ';'
	}
	reader.FieldsPerRecord = 4
	reader.TrimLeadingSpace = true
	header, err := reader.Read()
	if err != nil || !slices.Equal(header, []string{"number", "name", "pin", "queues"}) {
		return nil, errors.New("agents: line 1 must be: number,name,pin,queues (with commas or semicolons)")
	}
	var all []Agent
	for {
		fields, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			var at *csv.ParseError
			if errors.As(err, &at) && errors.Is(err, csv.ErrFieldCount) {
				err = fmt.Errorf("line %d: there must be 4 fields, as in line 1", at.StartLine)
			} else if at != nil {
				err = fmt.Errorf("line %d: %w", at.StartLine, at.Err) // the whole error would quote nothing, but may one day
			}
			return nil, fmt.Errorf("agents: %w", err)
		}
		line, _ := reader.FieldPos(0)
		a, err := read(fields)
		switch {
		case err != nil:
			return nil, fmt.Errorf("agents: line %d: %w", line, err)
		case slices.ContainsFunc(all, func(b Agent) bool { return b.Number == a.Number }):
			return nil, fmt.Errorf("agents: line %d: the number %s stands in the list already", line, a.Number)
		case len(all) == agentsMax:
			return nil, fmt.Errorf("agents: line %d: more than %d agents", line, agentsMax)
		}
		all = append(all, a)
	}
}

func read(fields []string) (Agent, error) {
	a := Agent{Number: strings.TrimSpace(fields[0]), Name: strings.TrimSpace(fields[1]), PIN: strings.TrimSpace(fields[2])}
	switch {
	case a.Number == "" || len(a.Number) > 16 || strings.Trim(a.Number, "0123456789") != "":
		return a, errors.New("the number must be 1 to 16 digits")
	case a.Name == "" || len(a.Name) > 100:
		return a, errors.New("the name must have 1 to 100 bytes")
	case strings.ContainsFunc(a.Name, unicode.IsControl):
		return a, errors.New("the name must be one line, without control characters")
	case a.PIN != "" && (len(a.PIN) < 4 || len(a.PIN) > 32 || strings.Trim(a.PIN, "0123456789") != ""):
		return a, errors.New("the PIN must be 4 to 32 digits: it is typed on a keypad")
	}
	for text := range strings.FieldsSeq(fields[3]) {
		name, penalty, given := strings.Cut(text, ":")
		n, err := strconv.ParseUint(penalty, 10, 8)
		if given && err != nil || name == "" || len(name) > 64 {
			return a, fmt.Errorf("the queue %.40q must be NAME or NAME:PENALTY", text)
		}
		if slices.ContainsFunc(a.Queues, func(s acd.Serving) bool { return s.Queue == name }) {
			return a, fmt.Errorf("the queue %.40q stands there twice", name)
		}
		a.Queues = append(a.Queues, acd.Serving{Queue: name, Penalty: int(n)})
	}
	return a, nil
}
