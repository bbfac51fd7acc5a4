package keypad

import (
	"fmt"
	"strings"
	"time"

	"freizeichen/hal/keypad/contact"
)

// afterglow is how many scans without a key follow before the keypad rests: a contact that bounces shall not wake us each time.
const afterglow = 5

// A matrix is keys that we scan ourselves, row by row.
type matrix interface {
	// begin takes the matrix from rest, drive pulls one row low and lets go of the others, all if row is negative; columns reads
	// which columns are low.
	begin() error
	drive(row int) error
	columns() (low uint16, err error)
	// rest pulls all rows low, so that any key makes an edge.
	rest() error
	// verify checks that the matrix is still as it was configured.
	verify(resting bool) error
}

// A scanner sleeps until a key makes an edge, scans while keys move, and rests again.
type scanner struct {
	*Keypad
	interrupt
	matrix   matrix
	name     string
	rows     uint8
	cols     uint16
	scanning bool
	asked    bool // an edge began it
	found    bool // a key was seen since
	empty    int  // scans without
	shorted  uint16
}

func (s *scanner) fail(doing string, err error) error {
	return fmt.Errorf("keypad: %s: %s: %w", s.name, doing, err)
}

// restart forgets everything; the first service scans.
func (s *scanner) restart() {
	s.scanning, s.shorted = false, 0
}

func (s *scanner) service(now time.Time, woken bool) (time.Time, error) {
	if !s.scanning {
		if err := s.disarm(); err != nil {
			return now, s.fail("begin a scan", err)
		}
		if err := s.matrix.begin(); err != nil {
			return now, s.fail("begin a scan", err)
		}
		s.scanning, s.asked, s.found, s.empty = true, woken, false, 0
		if !woken {
			s.edge = time.Time{}
		}
	}
	closed, err := s.sweep()
	if err != nil {
		return now, s.fail("scan", err)
	}
	if s.Keypad.scan(now, closed) {
		s.served(s.edge)
		s.edge = time.Time{} // what is told later has no edge
	}
	if s.empty++; closed != (contact.Set{}) {
		s.found, s.empty = true, 0
	}
	switch now := time.Now(); {
	case s.active(), s.empty > 0 && s.empty < afterglow && (s.asked || s.found) && !s.polling:
		return now.Add(scanEvery), nil
	case s.empty == 0: // only what is stuck, or no key of ours
		return now.Add(slowEvery), nil
	}
	return s.sleepAgain()
}

func (s *scanner) sleepAgain() (time.Time, error) {
	if err := s.matrix.rest(); err != nil {
		return time.Time{}, s.fail("rest", err)
	}
	if err := s.matrix.verify(true); err != nil {
		return time.Time{}, s.fail("rest", err)
	}
	if !s.polling {
		if err := s.arm(); err != nil {
			return time.Time{}, s.fail("rest", err)
		}
	}
	s.scanning = false
	now := time.Now()
	again, err := s.judge(now, s.asked, s.found)
	if err != nil {
		return now, s.fail("rest", err)
	}
	return sooner(again, now.Add(healthEvery)), nil
}

// sweep reads all rows. A column that is low though no row is driven is shorted, or one of its keys is to a row that is: nothing is
// known of it.
func (s *scanner) sweep() (closed contact.Set, err error) {
	if err := s.matrix.drive(-1); err != nil {
		return closed, err
	}
	if s.shorted, err = s.matrix.columns(); err != nil {
		return closed, err
	}
	if s.shorted &= s.cols; s.shorted != 0 {
		if err := s.matrix.verify(false); err != nil { // without its pull-ups a chip looks so
			return closed, err
		}
	}
	for row := range contact.RowsMax {
		if s.rows&(1<<row) == 0 {
			continue
		}
		if err := s.matrix.drive(row); err != nil {
			return closed, err
		}
		low, err := s.matrix.columns()
		if err != nil {
			return closed, err
		}
		closed[row] = low & s.cols &^ s.shorted
	}
	return closed, nil
}

func (s *scanner) trouble() string {
	if s.shorted == 0 {
		return s.interrupt.trouble()
	}
	var cols []string
	for col := range contact.ColsMax {
		if s.shorted&(1<<col) != 0 {
			cols = append(cols, fmt.Sprint(col))
		}
	}
	return "column " + strings.Join(cols, ", ") + " is low without a key: a short to ground"
}
