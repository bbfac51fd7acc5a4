// Package report is the document of one self-test and its forms. The document is JSON in the shape of OpenHTF's TestRecord, so
// that tools of factories read it; what OpenHTF has no word for stands beside it.
//
//	selftest.Report + Unit --New--> Record --Encode--> JSON (canonical) --Hash--> SHA-256
//	                                  |  ^--Decode (strict)--'
//	                                  +--> JUnit XML, CSV line, lines for the display, sentences
//	Store keeps the last ten documents in a folder, whatever happens to the power.
//
// Facts of OpenHTF: openhtf/core/test_record.py, measurements.py, util/validators.py (main branch of 2024 and later). Outcomes of
// a phase are PASS, FAIL, SKIP, ERROR; of a measurement PASS, FAIL, UNSET. The document holds no secrets and no callers' data:
// addresses in free texts are cut out.
package report

import (
	"encoding/base64"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"freizeichen/firmware/selftest"
)

// A Record is one run. Fields are in the order of their names in JSON, as canonical JSON wants them; times are in
// milliseconds since 1970, UTC.
type Record struct {
	CodeInfo       CodeInfo   `json:"code_info"`
	Diagnoses      []struct{} `json:"diagnoses"` // always empty; tools expect it
	DUT            string     `json:"dut_id"`    // the serial number
	EndMillis      int64      `json:"end_time_millis"`
	LogRecords     []struct{} `json:"log_records"` // always empty
	Metadata       Metadata   `json:"metadata"`
	Outcome        string     `json:"outcome"` // PASS, FAIL, ERROR, TIMEOUT, ABORTED
	OutcomeDetails []Detail   `json:"outcome_details"`
	Phases         []Phase    `json:"phases"`
	StartMillis    int64      `json:"start_time_millis"`
	Station        string     `json:"station_id"` // who tested: the phone itself, or a fixture
}

// CodeInfo says which program tested.
type CodeInfo struct {
	Docstring  *string `json:"docstring"`
	Name       string  `json:"name"`
	Sourcecode string  `json:"sourcecode"`
}

// Metadata is who was tested, how, and our finer outcome.
type Metadata struct {
	Config      struct{} `json:"config"`
	ExitCode    int      `json:"exit_code"`
	Firmware    string   `json:"firmware"`
	LampCode    int      `json:"lamp_code"`
	Language    string   `json:"language"` // de or en: of the person in front of the phone
	Level       string   `json:"level"`
	MAC         string   `json:"mac"`
	Model       string   `json:"model"`
	Part        string   `json:"part"` // the first broken one; empty when none is
	Product     string   `json:"product"`
	Revision    string   `json:"revision"`
	TestName    string   `json:"test_name"`
	TestVersion string   `json:"test_version"`
	Verdict     string   `json:"verdict"` // selftest.Verdict
}

// A Detail is one failed test, for tools that only look at the top.
type Detail struct {
	Code        string `json:"code"`
	Description string `json:"description"`
}

// A Phase is one test.
type Phase struct {
	Attachments  map[string]Attachment  `json:"attachments"`
	CodeInfo     CodeInfo               `json:"codeinfo"`
	DescriptorID int                    `json:"descriptor_id"` // its number in the run, from 1
	EndMillis    int64                  `json:"end_time_millis"`
	Measurements map[string]Measurement `json:"measurements"`
	Name         string                 `json:"name"` // selftest.ID
	Outcome      string                 `json:"outcome"`
	Result       PhaseResult            `json:"result"`
	StartMillis  int64                  `json:"start_time_millis"`
}

// A PhaseResult is OpenHTF's phase_result (CONTINUE, FAIL_AND_CONTINUE, SKIP), and our finer words.
type PhaseResult struct {
	Outcome     string  `json:"outcome"` // selftest.Outcome
	Part        string  `json:"part"`
	PhaseResult string  `json:"phase_result"`
	Reason      *Reason `json:"reason,omitempty"`
}

// A Reason is selftest.Reason, and what it says in English.
type Reason struct {
	Detail string `json:"detail"`
	Key    string `json:"key"`
	Text   string `json:"text"`
}

// A Measurement is one value. Limits are ours beside OpenHTF's validators, which are for reading.
type Measurement struct {
	Limits     *Limits  `json:"limits,omitempty"`
	Marginal   bool     `json:"marginal"`
	Value      any      `json:"measured_value,omitempty"` // a number or a string; absent when it was no number
	Name       string   `json:"name"`
	Order      int      `json:"order"` // within its test, from 0: JSON objects have none
	Outcome    string   `json:"outcome"`
	Units      *Unit    `json:"units,omitempty"`
	Validators []string `json:"validators,omitempty"`
	Want       string   `json:"want,omitempty"` // of a string
}

// Limits are inclusive; absent where there is none.
type Limits struct {
	High     *float64 `json:"high,omitempty"`
	Low      *float64 `json:"low,omitempty"`
	WarnHigh *float64 `json:"warn_high,omitempty"`
	WarnLow  *float64 `json:"warn_low,omitempty"`
}

// A Unit is a unit as OpenHTF names it. Code is that of UNECE Recommendation 20, null where none fits.
type Unit struct {
	Code   *string `json:"code"`
	Name   string  `json:"name"`
	Suffix string  `json:"suffix"`
}

// An Attachment is a file, in base64.
type Attachment struct {
	Data string `json:"data"`
	MIME string `json:"mimetype"`
}

// A Subject is the phone, and who tests it.
type Subject struct {
	Product, Model, Serial, MAC, Revision, Firmware string
	Station                                         string // empty: the phone itself
	Language                                        selftest.Language
}

// Bounds of a document: a report of all tests has 30 KB, with attachments it must still fit a phone's flash ten times.
const (
	textMax        = 300
	attachmentsMax = 1 << 20
)

// New is the record of a run. Texts are cleaned and cut to 300 characters; attachments beyond 1 MB together are left out.
func New(r selftest.Report, subject Subject) Record {
	verdict := r.Verdict()
	station := subject.Station
	if station == "" {
		station = subject.Serial
	}
	record := Record{
		CodeInfo: CodeInfo{Name: "selftest"}, Diagnoses: []struct{}{}, LogRecords: []struct{}{}, OutcomeDetails: []Detail{}, Phases: []Phase{},
		DUT: clean(subject.Serial), Station: clean(station), StartMillis: r.Start.UnixMilli(), EndMillis: max(r.Start.UnixMilli(), r.End.UnixMilli()),
		Outcome: outcomes[verdict],
		Metadata: Metadata{ExitCode: int(verdict.Exit()), Firmware: clean(subject.Firmware), LampCode: r.Code(), Language: subject.Language.String(),
			Level: r.Level.String(), MAC: clean(subject.MAC), Model: clean(subject.Model), Part: clean(string(r.Broken())), Product: clean(subject.Product),
			Revision: clean(subject.Revision), TestName: "selftest", TestVersion: "1", Verdict: verdict.String()},
	}
	room := attachmentsMax
	for i, f := range r.Findings {
		phase := newPhase(i+1, f, &room)
		record.Phases = append(record.Phases, phase)
		if f.Outcome == selftest.Fail {
			record.OutcomeDetails = append(record.OutcomeDetails, Detail{phase.Name, clean(failure(phase, selftest.English))})
		}
	}
	return record
}

var outcomes = map[selftest.Verdict]string{selftest.Passed: "PASS", selftest.Warned: "PASS", selftest.Failed: "FAIL",
	selftest.Aborted: "ABORTED", selftest.Late: "TIMEOUT", selftest.Unable: "ERROR", selftest.Untested: "ERROR"}

// phaseOutcomes and phaseResults are OpenHTF's words for ours.
var (
	phaseOutcomes = map[selftest.Outcome]string{selftest.Pass: "PASS", selftest.Marginal: "PASS", selftest.Fail: "FAIL",
		selftest.NotDone: "SKIP", selftest.NotApplicable: "SKIP"}
	phaseResults = map[string]string{"PASS": "CONTINUE", "FAIL": "FAIL_AND_CONTINUE", "SKIP": "SKIP"}
)

func newPhase(number int, f selftest.Finding, room *int) Phase {
	outcome := phaseOutcomes[f.Outcome]
	p := Phase{
		Attachments: map[string]Attachment{}, Measurements: map[string]Measurement{},
		CodeInfo: CodeInfo{Name: clean(string(f.Test.ID))}, DescriptorID: number, Name: clean(string(f.Test.ID)),
		StartMillis: f.Start.UnixMilli(), EndMillis: max(f.Start.UnixMilli(), f.End.UnixMilli()), Outcome: outcome,
		Result: PhaseResult{Outcome: f.Outcome.String(), Part: clean(string(f.Test.Part)), PhaseResult: phaseResults[outcome]},
	}
	if f.Reason.Key != "" {
		reason := selftest.Reason{Key: f.Reason.Key, Detail: clean(f.Reason.Detail)}
		p.Result.Reason = &Reason{Detail: reason.Detail, Key: reason.Key, Text: clean(reason.In(selftest.English))}
	}
	for i, m := range f.Measurements {
		name := unique(p.Measurements, clean(m.Name))
		p.Measurements[name] = newMeasurement(name, i, m)
	}
	for _, a := range f.Attachments {
		if len(a.Data) > *room {
			continue
		}
		*room -= len(a.Data)
		p.Attachments[unique(p.Attachments, clean(a.Name))] = Attachment{Data: base64.StdEncoding.EncodeToString(a.Data), MIME: clean(a.MIME)}
	}
	return p
}

// unique is a name that names does not have yet, and not empty.
func unique[V any](names map[string]V, name string) string {
	for i := 2; ; i++ {
		if _, there := names[name]; !there && name != "" {
			return name
		}
		name = strings.TrimSpace(name + " " + strconv.Itoa(i))
	}
}

func newMeasurement(name string, order int, m selftest.Measurement) Measurement {
	out := Measurement{Name: name, Order: order, Outcome: "PASS", Marginal: m.Outcome == selftest.Marginal}
	if m.Outcome != selftest.Pass && m.Outcome != selftest.Marginal {
		out.Outcome = "FAIL"
	}
	if m.Verbal() {
		out.Value, out.Want = clean(m.Text), clean(m.Want)
		if out.Want != "" {
			out.Validators = []string{fmt.Sprintf("'x' matches /^%s$/", regexp.QuoteMeta(out.Want))}
		}
		return out
	}
	if !math.IsNaN(m.Value) && !math.IsInf(m.Value, 0) {
		out.Value = rounded(m.Value)
	}
	out.Units = unit(m.Unit)
	out.Limits = newLimits(m.Limit)
	if out.Limits != nil {
		out.Validators = []string{out.Limits.validator()}
	}
	return out
}

// rounded keeps 6 significant digits: the rest is noise, and makes documents long.
func rounded(v float64) float64 {
	short, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64)
	if err != nil || short == 0 {
		return 0 // also for the negative zero, which JSON writes as -0
	}
	return short
}

func newLimits(l selftest.Limit) *Limits {
	bound := func(v float64) *float64 {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		return &v
	}
	out := Limits{Low: bound(l.Low), High: bound(l.High)}
	if l.WarnLow > l.Low {
		out.WarnLow = bound(l.WarnLow)
	}
	if l.WarnHigh < l.High {
		out.WarnHigh = bound(l.WarnHigh)
	}
	if out.Low == nil && out.High == nil {
		return nil
	}
	return &out
}

// validator is the text that OpenHTF's InRange has for the limits.
func (l Limits) validator() string {
	if l.Low != nil && l.High != nil && *l.Low == *l.High {
		return "x == " + short(*l.Low)
	}
	text := "x"
	if l.WarnLow != nil {
		text = "Marginal:" + short(*l.WarnLow) + " <= " + text
	}
	if l.Low != nil {
		text = short(*l.Low) + " <= " + text
	}
	if l.WarnHigh != nil {
		text += " <= Marginal:" + short(*l.WarnHigh)
	}
	if l.High != nil {
		text += " <= " + short(*l.High)
	}
	return text
}

func short(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

// units are the codes of UNECE Recommendation 20 that OpenHTF uses.
var units = map[string][2]string{"dB": {"2N", "decibel"}, "ms": {"C26", "millisecond"}, "s": {"SEC", "second"}, "%": {"P1", "percent"},
	"°C": {"CEL", "degree Celsius"}, "d": {"DAY", "day"}, "ppm": {"59", "part per million"}, "Mbit/s": {"E20", "megabit per second"}, "MB": {"4L", "megabyte"}}

func unit(suffix string) *Unit {
	if suffix == "" {
		return nil
	}
	if known, ok := units[suffix]; ok {
		return &Unit{Code: &known[0], Name: known[1], Suffix: suffix}
	}
	return &Unit{Name: suffix, Suffix: suffix}
}

// address matches what could name a caller or an account in a technical text: sip:4711@example.org, tel:+49..., 4711@host.
var address = regexp.MustCompile(`(?i)\b(?:sips?|tel|https?)://?\S+|\b(?:sips?|tel):\S+|\S+@\S+`)

// clean is a text without control characters, broken UTF-8, addresses and surplus length.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return '?'
		// U+2028 and U+2029 are escaped by encoding/json, and not by canonical JSON.
		case unicode.IsControl(r), r == 0x2028, r == 0x2029:
			return ' '
		}
		return r
	}, text)
	return cut(strings.TrimSpace(address.ReplaceAllString(text, "[...]")), textMax)
}

// cut shortens a text to length characters, the last an ellipsis.
func cut(text string, length int) string {
	if utf8.RuneCountInString(text) <= length {
		return text
	}
	return string([]rune(text)[:length-1]) + "…"
}
