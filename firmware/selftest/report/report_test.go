package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"freizeichen/firmware/selftest"
)

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

var subject = Subject{Product: "Freizeichen", Model: "Zero", Serial: "FZ2611-000042", MAC: "02:00:5e:10:00:2a", Revision: "B2", Firmware: "0.9.0"}

// run is a report: a broken handset with its children, a worn storage, no headset, and a test of words.
func run() selftest.Report {
	l := selftest.StandardLimits()
	r := selftest.Report{Level: selftest.Technician, Start: noon, End: noon.Add(61500 * time.Millisecond)}
	add := func(id selftest.ID, part selftest.Part, result selftest.Result) {
		at := noon.Add(time.Duration(len(r.Findings)) * time.Second)
		r.Findings = append(r.Findings, selftest.Finding{Test: selftest.Test{ID: id, Part: part}, Result: result, Start: at, End: at.Add(1250 * time.Millisecond)})
	}
	add(selftest.CheckStorage, selftest.PartStorage, selftest.Judge(l.Measure(selftest.CheckStorage, "wear", 73.123456789), l.Measure(selftest.CheckStorage, "free", 61)))
	level := selftest.Judge(l.Measure(selftest.CheckLevel, "deviation", -9.25), l.Measure(selftest.CheckLevel, "polarity", math.NaN()))
	level.Attachments = []selftest.Attachment{{Name: "heard.raw", MIME: "audio/basic", Data: []byte{1, 2, 3}}, {Name: "heard.raw", Data: []byte{4}}, {Name: "huge", Data: make([]byte, 2<<20)}}
	add("handset.level", selftest.PartHandset, level)
	add("handset.noise", selftest.PartHandset, selftest.Result{Reason: selftest.Reason{Key: selftest.CauseParent, Detail: "handset.level"}})
	add("headset.level", selftest.PartHeadset, selftest.Result{Outcome: selftest.NotApplicable, Reason: selftest.Reason{Key: selftest.CauseNotFitted, Detail: "headset"}})
	add(selftest.CheckIdentity, selftest.PartIdentity, selftest.Judge(selftest.Words("label_serial", "FZ2611-000042", "FZ2611-000042"), selftest.Words("label_serial", "x", "x"), selftest.Words("", "x", "x")))
	return r
}

func documentOf(t testing.TB, r selftest.Report) []byte {
	t.Helper()
	document, err := New(r, subject).Encode()
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func TestTheDocumentHasTheShapeOfOpenHTF(t *testing.T) {
	var d map[string]any
	if err := json.Unmarshal(documentOf(t, run()), &d); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"dut_id": "FZ2611-000042", "station_id": "FZ2611-000042", "outcome": "FAIL", "start_time_millis": 1.7958672e12, "end_time_millis": 1.7958672615e12}
	for key, value := range want {
		if d[key] != value {
			t.Errorf("%s is %v, want %v", key, d[key], value)
		}
	}
	phases := d["phases"].([]any)
	storage, level, noise := phases[0].(map[string]any), phases[1].(map[string]any), phases[2].(map[string]any)
	if storage["outcome"] != "PASS" || level["outcome"] != "FAIL" || noise["outcome"] != "SKIP" {
		t.Errorf("outcomes %v, %v, %v", storage["outcome"], level["outcome"], noise["outcome"])
	}
	wear := storage["measurements"].(map[string]any)["wear"].(map[string]any)
	text, _ := json.Marshal(wear)
	if got := string(text); got != `{"limits":{"high":80,"warn_high":70},"marginal":true,"measured_value":73.1235,"name":"wear","order":0,"outcome":"PASS","units":{"code":"P1","name":"percent","suffix":"%"},"validators":["x \u003c= Marginal:70 \u003c= 80"]}` {
		t.Error(got)
	}
	polarity := level["measurements"].(map[string]any)["polarity"].(map[string]any)
	if _, there := polarity["measured_value"]; there || polarity["outcome"] != "FAIL" || polarity["validators"].([]any)[0] != "x == 1" {
		t.Errorf("a value that is no number: %v", polarity)
	}
	if result := noise["result"].(map[string]any); result["outcome"] != "NOT DONE" || result["phase_result"] != "SKIP" ||
		result["reason"].(map[string]any)["text"] != "because of: handset: level and polarity" {
		t.Errorf("%v", result)
	}
	if files := level["attachments"].(map[string]any); len(files) != 2 || files["heard.raw"].(map[string]any)["data"] != "AQID" {
		t.Errorf("attachments: %v", files)
	}
	if names := phases[4].(map[string]any)["measurements"].(map[string]any); len(names) != 3 || names["label_serial 2"] == nil || names["2"] == nil {
		t.Errorf("names that are there twice: %v", names)
	}
	if details := d["outcome_details"].([]any); len(details) != 1 || !strings.HasPrefix(details[0].(map[string]any)["description"].(string), "deviation from nominal -9.25 dB (-3 … 3 dB)") {
		t.Errorf("%v", d["outcome_details"])
	}
}

func TestNamesInTheDocumentAreInOrder(t *testing.T) {
	decoder := json.NewDecoder(bytes.NewReader(documentOf(t, run())))
	var walk func()
	walk = func() {
		token, err := decoder.Token()
		if err != nil {
			t.Fatal(err)
		}
		delim, ok := token.(json.Delim)
		if !ok {
			return
		}
		last := ""
		for decoder.More() {
			if delim == '{' {
				name, _ := decoder.Token()
				if name.(string) <= last && last != "" {
					t.Errorf("%q stands behind %q", name, last)
				}
				last = name.(string)
			}
			walk()
		}
		_, _ = decoder.Token()
	}
	walk()
}

func TestOutcomesAreThoseOfOpenHTF(t *testing.T) {
	if len(outcomes) != 7 || len(phaseOutcomes) != int(selftest.OutcomeCount) {
		t.Error("a verdict or an outcome has no word")
	}
	for _, v := range []selftest.Verdict{selftest.Aborted, selftest.Late, selftest.Unable, selftest.Untested} {
		if outcomes[v] == "PASS" {
			t.Errorf("%v passes", v)
		}
	}
}

func TestADocumentThatWasTouchedIsRefused(t *testing.T) {
	document := documentOf(t, run())
	if r, err := Decode(document); err != nil || r.Verdict() != selftest.Failed || r.Language() != selftest.German {
		t.Fatalf("%v", err)
	}
	replace := func(old, new string) []byte {
		if !bytes.Contains(document, []byte(old)) {
			t.Fatalf("no %q in the document", old)
		}
		return bytes.Replace(document, []byte(old), []byte(new), 1)
	}
	for name, touched := range map[string][]byte{
		"empty":                       nil,
		"null":                        []byte("null\n"),
		"an empty object":             []byte("{}\n"),
		"half":                        document[:len(document)/2],
		"without its line feed":       document[:len(document)-1],
		"a space":                     replace(`{"code_info"`, `{ "code_info"`),
		"something behind":            append(bytes.Clone(document), "{}\n"...),
		"an unknown name":             replace(`"dut_id"`, `"hidden":1,"dut_id"`),
		"a name twice":                replace(`"dut_id":"FZ2611-000042"`, `"dut_id":"FZ2611-000042","dut_id":"FZ2611-000042"`),
		"a name in other letters":     replace(`"dut_id"`, `"DUT_ID"`),
		"a longer number":             replace(`:61,`, `:61.0,`),
		"failed made passed at top":   replace(`"outcome":"FAIL","outcome_details"`, `"outcome":"PASS","outcome_details"`),
		"another exit code":           replace(`"exit_code":1`, `"exit_code":0`),
		"no such verdict":             replace(`"verdict":"FAILED"`, `"verdict":"GREAT"`),
		"passed all over the top":     bytes.Replace(bytes.Replace(replace(`"verdict":"FAILED"`, `"verdict":"PASSED"`), []byte(`"exit_code":1`), []byte(`"exit_code":0`), 1), []byte(`"outcome":"FAIL","outcome_details"`), []byte(`"outcome":"PASS","outcome_details"`), 1),
		"no such level":               replace(`"level":"technician"`, `"level":"boss"`),
		"no such language":            replace(`"language":"de"`, `"language":"xx"`),
		"a phase that is another":     replace(`"outcome":"NOT DONE"`, `"outcome":"PASS"`),
		"a phase's number":            replace(`"descriptor_id":2`, `"descriptor_id":7`),
		"a value that is a list":      replace(`"measured_value":61`, `"measured_value":[61]`),
		"a value that failed":         replace(`"outcome":"PASS","units":{"code":"P1"`, `"outcome":"FAIL","units":{"code":"P1"`),
		"a measurement's place":       replace(`"order":1`, `"order":5`),
		"a measurement's other name":  replace(`"name":"wear"`, `"name":"tear"`),
		"an end before the beginning": replace(`"end_time_millis":1795867261500`, `"end_time_millis":1`),
		"no list of phases":           replace(`"diagnoses":[]`, `"diagnoses":null`),
		"an attachment":               replace(`"data":"AQID"`, `"data":"AQI"`),
		"a value of no outcome":       replace(`"name":"polarity","order":1,"outcome":"FAIL"`, `"name":"polarity","order":1,"outcome":"GREAT"`),
		"a pass without a value":      replace(`"name":"polarity","order":1,"outcome":"FAIL"`, `"name":"polarity","order":1,"outcome":"PASS"`),
		"very long":                   bytes.Repeat([]byte(" "), documentMax+1),
	} {
		if _, err := Decode(touched); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}

func TestARefusalNamesTheUnknown(t *testing.T) {
	touched := bytes.Replace(documentOf(t, run()), []byte(`"dut_id"`), []byte(`"hidden":1,"dut_id"`), 1)
	if _, err := Decode(touched); err == nil || !strings.Contains(err.Error(), `"hidden"`) {
		t.Error(err)
	}
}

func TestEqualRunsAreEqualBytes(t *testing.T) {
	first := documentOf(t, run())
	for range 20 {
		if !bytes.Equal(first, documentOf(t, run())) {
			t.Fatal("they differ")
		}
	}
	if h := Hash(first); len(h) != 64 || h == Hash(append(first, ' ')) {
		t.Error("the hash")
	}
	if Hash(nil) != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" { // FIPS 180-4: SHA-256 of nothing
		t.Error("not SHA-256")
	}
}

func TestNothingOfCallersGetsIntoADocument(t *testing.T) {
	r := run()
	for _, text := range []string{"dialling sip:4711@pbx.example: 404", "sips:secret-name refused", "tel:+492841123456 busy", "REGISTER 4711@10.0.0.1 failed", "GET https://user:pass@server/x?token=abc: 401", "TEL:0284112345"} {
		r.Findings[0].Result = selftest.FailBecause(text)
		document := string(documentOf(t, r))
		for _, secret := range []string{"4711", "secret-name", "2841", "token", "pass@"} {
			if strings.Contains(document, secret) {
				t.Errorf("%q: %q is in the document", text, secret)
			}
		}
		if !strings.Contains(document, "[...]") {
			t.Errorf("%q: nothing shows that something is left out", text)
		}
	}
}

func TestTextsAreCleanAndShort(t *testing.T) {
	r := run()
	r.Findings[0].Result = selftest.FailBecause("a\x00b\nc\u2028d\xff" + strings.Repeat("ä", 400))
	got := New(r, subject).Phases[0].Result.Reason.Detail
	if utf8.RuneCountInString(got) != 300 || !strings.HasPrefix(got, "a b c d?ä") || !strings.HasSuffix(got, "ä…") {
		t.Errorf("%q", got)
	}
	if _, err := Decode(documentOf(t, r)); err != nil {
		t.Error(err)
	}
}

func TestJUnitNeverPassesWhatWasNotDone(t *testing.T) {
	data, err := New(run(), subject).JUnit()
	if err != nil {
		t.Fatal(err)
	}
	var suite junitSuite
	if err := xml.Unmarshal(data, &suite); err != nil {
		t.Fatal(err)
	}
	if suite.Name != "technician" || suite.Tests != 5 || suite.Failures != 1 || suite.Skipped != 2 || suite.Errors != 0 || suite.Time != "61.500" || suite.Timestamp != "2026-11-28T12:00:00" {
		t.Errorf("%+v", suite)
	}
	if c := suite.Cases[1]; c.Name != "handset.level" || c.Class != "selftest.handset" || c.Failure == nil || !strings.Contains(c.Failure.Body, "deviation = -9.25 dB (-3 … 3 dB) FAIL\npolarity = - (= 1) FAIL") || c.Time != "1.250" {
		t.Errorf("%+v", c)
	}
	if c := suite.Cases[2]; c.Skipped == nil || c.Skipped.Message != "NOT DONE: because of: handset: level and polarity" || c.Failure != nil {
		t.Errorf("%+v", c)
	}
	if c := suite.Cases[3]; c.Skipped == nil || c.Skipped.Message != "NA: not fitted: headset" {
		t.Errorf("%+v", c)
	}
	aborted := selftest.Report{Level: selftest.Technician, Start: noon, End: noon, Findings: []selftest.Finding{{Test: selftest.Test{ID: "a"},
		Result: selftest.Result{Reason: selftest.Reason{Key: selftest.CauseStopped, Detail: `a <call> & "more"`}}}}}
	data, err = New(aborted, subject).JUnit()
	suite = junitSuite{}
	if err := xml.Unmarshal(data, &suite); err != nil {
		t.Fatal(err)
	}
	if err != nil || suite.Errors != 1 || suite.Tests != 2 || suite.Cases[1].Error == nil || !strings.Contains(suite.Cases[0].Skipped.Message, `a <call> & "more"`) {
		t.Errorf("an aborted run is green: %+v, %v", suite, err)
	}
}

func TestTheLineForSpreadsheetsFitsItsHeader(t *testing.T) {
	strange := subject
	strange.Revision, strange.Firmware, strange.Model = "=1+1", `a "b", c`, "-x"
	rows, err := csv.NewReader(strings.NewReader(CSVHeader() + New(run(), strange).CSVLine())).ReadAll()
	if err != nil || len(rows) != 2 || len(rows[0]) != 14+36 {
		t.Fatalf("%v, %d columns", err, len(rows[0]))
	}
	cells := map[string]string{}
	for i, name := range rows[0] {
		cells[name] = rows[1][i]
	}
	for name, want := range map[string]string{"serial": "FZ2611-000042", "revision": "'=1+1", "model": "'-x", "firmware": `a "b", c`, "verdict": "FAILED", "exit_code": "1",
		"part": "handset", "lamp_code": "1", "storage": "MARGINAL", "handset.level": "FAIL", "handset.noise": "NOT DONE", "headset.level": "NA", "keys": "", "start": "2026-11-28T12:00:00Z"} {
		if cells[name] != want {
			t.Errorf("%s is %q, want %q", name, cells[name], want)
		}
	}
}

func TestTheSummaryFitsThePanelAndNamesThePart(t *testing.T) {
	for _, language := range []selftest.Language{selftest.German, selftest.English} {
		for _, line := range New(run(), subject).Lines(language) {
			if utf8.RuneCountInString(line) > 21 || strings.TrimSpace(line) == "" {
				t.Errorf("%q has %d characters", line, utf8.RuneCountInString(line))
			}
		}
	}
	want := `FEHLER
Teil: Hörer
Hörer und Hörerkabel
tauschen
! Speicher
× Hörer: Pegel und
Polung
  Abweichung vom
  Sollpegel -9,25 dB
  (-3 … 3 dB); Polung
  (1 richtig) - (= 1)
1 nicht geprüft
2 von 3 bestanden
Lampencode 1`
	if got := strings.Join(New(run(), subject).Lines(selftest.German), "\n"); got != want {
		t.Errorf("got\n%s", got)
	}
	want = `Ergebnis des Selbsttests: FEHLER.
Defekt: Hörer. Maßnahme: Hörer und Hörerkabel tauschen.
Speicher ist knapp an der Grenze: Abnutzung 73,12 % (≤ 80 %).
Hörer: Pegel und Polung ist fehlerhaft: Abweichung vom Sollpegel -9,25 dB (-3 … 3 dB); Polung (1 richtig) - (= 1).
Hörer: Rauschen wurde nicht geprüft: wegen: Hörer: Pegel und Polung.`
	if got := strings.Join(New(run(), subject).Sentences(selftest.German), "\n"); got != want {
		t.Errorf("got\n%s", got)
	}
	good := run()
	good.Findings = good.Findings[4:]
	if got := strings.Join(New(good, subject).Lines(selftest.German), "|"); got != "BESTANDEN|1 von 1 bestanden" {
		t.Error(got)
	}
	if got := wrapped("  " + strings.Repeat("x", 50)); len(got) != 3 || got[2] != "  "+strings.Repeat("x", 12) {
		t.Errorf("%q", got)
	}
	for _, line := range wrapped(strings.Repeat(" ", 50) + strings.Repeat("x", 50)) {
		if utf8.RuneCountInString(line) > lineLength {
			t.Errorf("%q", line)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(documentOf(f, run()))
	f.Add(documentOf(f, selftest.Report{Level: selftest.PowerOn, Start: noon, End: noon}))
	f.Add([]byte(`{"phases":[{"measurements":{"a":null}}]}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		r, err := Decode(document)
		if err != nil {
			return
		}
		again, err := r.Encode()
		if err != nil || !bytes.Equal(again, document) {
			t.Fatalf("not the same again: %v", err)
		}
		if _, err := r.JUnit(); err != nil {
			t.Fatal(err)
		}
		for _, line := range r.Lines(selftest.German) {
			if utf8.RuneCountInString(line) > lineLength {
				t.Fatalf("%q", line)
			}
		}
		_, _ = r.CSVLine(), r.Sentences(selftest.English)
	})
}
