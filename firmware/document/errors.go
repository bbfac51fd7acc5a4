package document

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Errors is everything wrong in one file, in the file's order. It is never empty.
type Errors []Error

// Error gives one line for each.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// An Error is one thing wrong, and where. It never holds a password.
type Error struct {
	File         string
	Line, Column int    // from 1, the column in characters; 0 means the file as a whole
	Problem      string // "accounts[0].transport: "tls" is not allowed; allowed: udp, tcp"
}

func (e Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Problem)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Problem)
}

func (e Error) compare(other Error) int {
	return cmp.Or(cmp.Compare(e.Line, other.Line), cmp.Compare(e.Column, other.Column))
}

// A Position is a place in the file, from 1; the zero Position is the file as a whole.
type Position struct{ Line, Column int }

// Problems collects what is wrong in one file.
type Problems struct {
	file   string
	limits Limits
	lines  []string // of the file, for hints
	list   Errors
}

// ProblemsMax bounds the list: nobody reads more, and a file of nothing but unknown keys stays cheap.
const ProblemsMax = 50

// Add lists one thing wrong. What is beyond ProblemsMax is left out.
func (p *Problems) Add(at Position, format string, values ...any) {
	if len(p.list) < ProblemsMax {
		p.list = append(p.list, Error{File: p.file, Line: at.Line, Column: at.Column, Problem: fmt.Sprintf(format, values...)})
	}
}

// Err is what was found, as Errors in the file's order; nil when nothing was.
func (p *Problems) Err() error {
	if len(p.list) == 0 {
		return nil
	}
	slices.SortStableFunc(p.list, Error.compare)
	return p.list
}
