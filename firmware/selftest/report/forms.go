package report

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"time"

	"freizeichen/firmware/selftest"
)

// Title is what the test is called.
func (p Phase) Title(language selftest.Language) string {
	return selftest.Title(selftest.ID(p.Name)).In(language)
}

// Why is the reason of a test's outcome; empty when its measurements say it.
func (p Phase) Why(language selftest.Language) string {
	if p.Result.Reason == nil {
		return ""
	}
	return selftest.Reason{Key: p.Result.Reason.Key, Detail: p.Result.Reason.Detail}.In(language)
}

// Title is what a measurement of a test is called.
func (m Measurement) Title(p Phase, language selftest.Language) string {
	limit, ok := selftest.StandardLimits()[string(selftest.ID(p.Name).Kind())+"."+m.Name]
	if !ok {
		return selftest.Word(m.Name, language)
	}
	return limit.Title.In(language)
}

// Text is a value with its unit: "-9,2 dB" in German.
func (m Measurement) Text(language selftest.Language) string {
	switch v := m.Value.(type) {
	case string:
		return selftest.Word(v, language)
	case float64:
		return number(v, language) + m.suffix()
	}
	return "-"
}

func (m Measurement) suffix() string {
	if m.Units == nil {
		return ""
	}
	return " " + m.Units.Suffix
}

// Allowed is what a value had to be: "-3 … 3 dB", "≤ 40 ms", "= 10", or words. Empty when nothing is known.
func (m Measurement) Allowed(language selftest.Language) string {
	l := m.Limits
	switch {
	case l == nil:
		return selftest.Word(m.Want, language)
	case l.Low != nil && l.High != nil && *l.Low == *l.High:
		return "= " + number(*l.Low, language) + m.suffix()
	case l.Low != nil && l.High != nil:
		return number(*l.Low, language) + " … " + number(*l.High, language) + m.suffix()
	case l.Low != nil:
		return "≥ " + number(*l.Low, language) + m.suffix()
	case l.High != nil:
		return "≤ " + number(*l.High, language) + m.suffix()
	}
	return ""
}

// number has at most three digits after the point, and a comma in German.
func number(v float64, language selftest.Language) string {
	digits := 2
	if v > -1 && v < 1 {
		digits = 3
	}
	text := strconv.FormatFloat(v, 'f', digits, 64)
	text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	if text == "-0" || text == "" {
		text = "0"
	}
	if language == selftest.German {
		text = strings.Replace(text, ".", ",", 1)
	}
	return text
}

// failure says in one line what failed: the reason, and the values that were out of their limits.
func failure(p Phase, language selftest.Language) string {
	var said []string
	if why := p.Why(language); why != "" {
		said = append(said, why)
	}
	for _, m := range p.Ordered() {
		if m.Outcome == "FAIL" {
			said = append(said, fmt.Sprintf("%s %s (%s)", m.Title(p, language), m.Text(language), m.Allowed(language)))
		}
	}
	return strings.Join(said, "; ")
}

// The shape of JUnit's XML, as Jenkins and GitLab read it.
type (
	junitSuite struct {
		XMLName    xml.Name        `xml:"testsuite"`
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Timestamp  string          `xml:"timestamp,attr"`
		Hostname   string          `xml:"hostname,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class   string     `xml:"classname,attr"`
		Name    string     `xml:"name,attr"`
		Time    string     `xml:"time,attr"`
		Failure *junitText `xml:"failure"`
		Error   *junitText `xml:"error"`
		Skipped *junitText `xml:"skipped"`
		Out     string     `xml:"system-out,omitempty"`
	}
	junitText struct {
		Message string `xml:"message,attr"`
		Body    string `xml:",chardata"`
	}
)

// JUnit is the record as JUnit XML: the level is the suite, a test the case. What was not done or is not there is skipped,
// with its reason, never passed. A run that was not complete has one more case, which is an error: it cannot be green.
func (r Record) JUnit() ([]byte, error) {
	m := r.Metadata
	suite := junitSuite{Name: m.Level, Tests: len(r.Phases), Time: seconds(r.StartMillis, r.EndMillis), Hostname: r.Station,
		Timestamp: time.UnixMilli(r.StartMillis).UTC().Format("2006-01-02T15:04:05"),
		Properties: []junitProperty{{"serial", r.DUT}, {"model", m.Model}, {"revision", m.Revision}, {"mac", m.MAC},
			{"firmware", m.Firmware}, {"verdict", m.Verdict}, {"exit_code", strconv.Itoa(m.ExitCode)}, {"part", m.Part}}}
	for _, p := range r.Phases {
		c := junitCase{Class: "selftest." + p.Result.Part, Name: p.Name, Time: seconds(p.StartMillis, p.EndMillis), Out: values(p)}
		switch p.Outcome {
		case "FAIL":
			suite.Failures++
			c.Failure = &junitText{Message: failure(p, selftest.English), Body: c.Out}
		case "SKIP":
			suite.Skipped++
			c.Skipped = &junitText{Message: p.Result.Outcome + ": " + p.Why(selftest.English)}
		}
		suite.Cases = append(suite.Cases, c)
	}
	if r.Outcome != "PASS" && r.Outcome != "FAIL" {
		suite.Errors++
		suite.Tests++
		suite.Cases = append(suite.Cases, junitCase{Class: "selftest", Name: "complete", Time: "0.000",
			Error: &junitText{Message: "the run was not complete: " + r.Verdict().Title().English}})
	}
	body, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("report: JUnit of %s: %w", r.DUT, err)
	}
	return append([]byte(xml.Header), append(body, '\n')...), nil
}

func seconds(from, until int64) string {
	return strconv.FormatFloat(float64(until-from)/1000, 'f', 3, 64)
}

// values are all measurements of a test, one a line.
func values(p Phase) string {
	var b strings.Builder
	for _, m := range p.Ordered() {
		fmt.Fprintf(&b, "%s = %s (%s) %s\n", m.Name, m.Text(selftest.English), m.Allowed(selftest.English), m.Outcome)
	}
	return b.String()
}

// columns are those of CSV before the tests.
func columns() []string {
	return []string{"serial", "mac", "model", "revision", "firmware", "station", "level", "start", "seconds", "outcome", "verdict",
		"exit_code", "part", "lamp_code"}
}

// CSVHeader is the line of names for CSVLine, with a line feed.
func CSVHeader() string {
	names := columns()
	for _, t := range selftest.Standard() {
		names = append(names, string(t.ID))
	}
	return csvLine(names)
}

// CSVLine is the record as one line: who, what came of it, and the outcome of each standard test, empty where the level has
// it not. Spreadsheets do not take a cell for a formula.
func (r Record) CSVLine() string {
	m := r.Metadata
	cells := []string{r.DUT, m.MAC, m.Model, m.Revision, m.Firmware, r.Station, m.Level, time.UnixMilli(r.StartMillis).UTC().Format(time.RFC3339),
		seconds(r.StartMillis, r.EndMillis), r.Outcome, m.Verdict, strconv.Itoa(m.ExitCode), m.Part, strconv.Itoa(m.LampCode)}
	byName := map[string]string{}
	for _, p := range r.Phases {
		byName[p.Name] = p.Result.Outcome
	}
	for _, t := range selftest.Standard() {
		cells = append(cells, byName[string(t.ID)])
	}
	return csvLine(cells)
}

func csvLine(cells []string) string {
	for i, cell := range cells {
		if strings.ContainsAny(cell[:min(1, len(cell))], "=+-@") {
			cells[i] = "'" + cell
		}
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(cells) // a bytes.Buffer takes everything
	w.Flush()
	return b.String()
}
