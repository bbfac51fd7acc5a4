package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"freizeichen/firmware/selftest"
)

// documentMax bounds what Decode looks at: attachments of 1 MB in base64, and the rest.
const documentMax = 2 << 20

// Encode is the document: canonical JSON in the manner of RFC 8785 (names in order, no spaces) and a line feed. Equal records
// are equal bytes.
func (r Record) Encode() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r); err != nil {
		return nil, fmt.Errorf("report: encoding that of %s: %w", r.DUT, err)
	}
	return b.Bytes(), nil
}

// Hash is the SHA-256 of the document in hexadecimal, 64 digits.
func Hash(document []byte) string {
	sum := sha256.Sum256(document)
	return hex.EncodeToString(sum[:])
}

// Decode reads a document that Encode wrote. Unknown names, values that are none of the words, another order or spacing, and
// anything behind it are refused: a document that was touched is not the one that was hashed.
func Decode(document []byte) (Record, error) {
	if len(document) > documentMax {
		return Record{}, fmt.Errorf("report: a document of %d bytes, at most %d are read", len(document), documentMax)
	}
	var r Record
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		return Record{}, fmt.Errorf("report: reading a document: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Record{}, errors.New("report: something stands behind the document")
	}
	if err := r.check(); err != nil {
		return Record{}, fmt.Errorf("report: document of %q: %w", r.DUT, err)
	}
	again, err := r.Encode()
	if err != nil {
		return Record{}, err
	}
	if !bytes.Equal(again, document) {
		return Record{}, errors.New("report: the document is not in canonical form; was it edited?")
	}
	return r, nil
}

// check refuses what no run can have said.
func (r Record) check() error {
	verdict, known := selftest.ParseVerdict(r.Metadata.Verdict)
	switch {
	case r.Diagnoses == nil, r.LogRecords == nil, r.OutcomeDetails == nil, r.Phases == nil:
		return errors.New("a list is missing")
	case !known || r.Outcome != outcomes[verdict] || r.Metadata.ExitCode != int(verdict.Exit()):
		return fmt.Errorf("verdict %q, outcome %q and exit code %d do not fit", r.Metadata.Verdict, r.Outcome, r.Metadata.ExitCode)
	case selftest.ParseLevel(r.Metadata.Level) == selftest.LevelCount:
		return fmt.Errorf("no level is called %q", r.Metadata.Level)
	case r.Metadata.Language != "de" && r.Metadata.Language != "en":
		return fmt.Errorf("no language is called %q", r.Metadata.Language)
	case r.StartMillis > r.EndMillis:
		return errors.New("it ends before it starts")
	}
	failed := false
	for i, p := range r.Phases {
		if err := p.check(i + 1); err != nil {
			return fmt.Errorf("test %q: %w", p.Name, err)
		}
		failed = failed || p.Outcome == "FAIL"
	}
	if failed != (verdict == selftest.Failed) {
		return errors.New("the verdict and the tests do not fit")
	}
	return nil
}

func (p Phase) check(number int) error {
	outcome := selftest.ParseOutcome(p.Result.Outcome)
	switch {
	case outcome == selftest.OutcomeCount, p.Outcome != phaseOutcomes[outcome], p.Result.PhaseResult != phaseResults[p.Outcome]:
		return fmt.Errorf("outcomes %q, %q and %q do not fit", p.Result.Outcome, p.Outcome, p.Result.PhaseResult)
	case p.Name == "", p.DescriptorID != number, p.StartMillis > p.EndMillis:
		return errors.New("no name, not its number, or it ends before it starts")
	case p.Attachments == nil, p.Measurements == nil:
		return errors.New("attachments or measurements are missing")
	}
	passes := outcome == selftest.Pass || outcome == selftest.Marginal
	if passes && len(p.Measurements) == 0 {
		return errors.New("it passed and measured nothing")
	}
	orders := make([]bool, len(p.Measurements))
	for name, m := range p.Measurements {
		if m.Name != name || m.Order < 0 || m.Order >= len(orders) || orders[m.Order] {
			return fmt.Errorf("measurement %q is not in its place", name)
		}
		orders[m.Order] = true
		_, number := m.Value.(float64)
		_, words := m.Value.(string)
		switch {
		case m.Value != nil && !number && !words:
			return fmt.Errorf("measurement %q is neither a number nor words", name)
		case m.Outcome != "PASS" && m.Outcome != "FAIL", m.Outcome == "PASS" && m.Value == nil:
			return fmt.Errorf("measurement %q has the outcome %q", name, m.Outcome)
		case passes && m.Outcome != "PASS":
			return fmt.Errorf("it passed, and measurement %q did not", name)
		}
	}
	for name, a := range p.Attachments {
		if _, err := base64.StdEncoding.DecodeString(a.Data); err != nil {
			return fmt.Errorf("attachment %q: %w", name, err)
		}
	}
	return nil
}

// Verdict is that of the run.
func (r Record) Verdict() selftest.Verdict {
	verdict, _ := selftest.ParseVerdict(r.Metadata.Verdict)
	return verdict
}

// Language is that of the person in front of the phone.
func (r Record) Language() selftest.Language {
	if r.Metadata.Language == selftest.English.String() {
		return selftest.English
	}
	return selftest.German
}

// Finer is our outcome of a test.
func (p Phase) Finer() selftest.Outcome { return selftest.ParseOutcome(p.Result.Outcome) }

// Ordered are the measurements as they were taken.
func (p Phase) Ordered() []Measurement {
	var list []Measurement
	for _, m := range p.Measurements {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b Measurement) int { return a.Order - b.Order })
	return list
}
