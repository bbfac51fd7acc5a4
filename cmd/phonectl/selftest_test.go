package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"freizeichen/device/console"
	"freizeichen/firmware/selftest"
	"freizeichen/firmware/selftest/report"
)

// A scriptedPhone answers each verb with its answers in order, the last one for ever.
type scriptedPhone struct {
	mu      sync.Mutex
	answers map[string][]console.Response
	asked   []string
}

// listen is the phone's socket.
func (p *scriptedPhone) listen(t *testing.T) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "phone.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.serve(conn)
		}
	}()
	return socket
}

func (p *scriptedPhone) serve(conn net.Conn) {
	defer conn.Close()
	var request console.Request
	line, err := bufio.NewReader(conn).ReadBytes('\n')
	if err != nil || json.Unmarshal(line, &request) != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, strings.TrimSpace(request.Verb+" "+request.Argument))
	response := console.Response{Status: console.NotSupported, Text: "this phone does not know it"}
	if answers := p.answers[request.Verb]; len(answers) > 0 {
		response = answers[0]
		if len(answers) > 1 {
			p.answers[request.Verb] = answers[1:]
		}
	}
	_ = json.NewEncoder(conn).Encode(response) // phonectl sees what is missing
}

// document is a report of one test with an outcome, of one day.
func document(t *testing.T, outcome selftest.Outcome, day int) string {
	t.Helper()
	at := time.Date(2026, 5, day, 9, 0, 0, 0, time.UTC)
	result := selftest.FailBecause("it is broken")
	switch outcome {
	case selftest.Pass:
		result = selftest.Judge(selftest.Words("is", "good", "good"))
	case selftest.NotDone:
		result = selftest.Result{Reason: selftest.Reason{Key: selftest.CauseStopped, Detail: "by a call"}}
	}
	test := selftest.Test{ID: selftest.CheckHook, Part: selftest.PartHook, Timeout: time.Minute}
	r := selftest.Report{Level: selftest.Technician, Start: at, End: at.Add(time.Minute),
		Findings: []selftest.Finding{{Test: test, Result: result, Start: at, End: at.Add(time.Second)}}}
	text, err := report.New(r, report.Subject{Product: "Freizeichen", Model: "cm4", Serial: "FZ1", Firmware: "1", Language: selftest.English}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func done(text string) console.Response { return console.Response{Status: console.Done, Text: text} }

func TestASelfTestEndsWithTheExitCodeOfItsReport(t *testing.T) {
	yesterday := done(document(t, selftest.Pass, 1))
	for _, c := range []struct {
		name    string
		args    string
		answers map[string][]console.Response
		status  selftest.Exit
		says    string
	}{
		{"no level", "", nil, selftest.ExitUsage, "takes a level"},
		{"no such level", "thorough", nil, selftest.ExitUsage, `no self-test "thorough"`},
		{"one that nobody starts", "continuous", nil, selftest.ExitUsage, `no self-test "continuous"`},
		{"no such test", "technician fun", nil, selftest.ExitUsage, `"fun"`},
		{"the phone is in use", "technician", map[string][]console.Response{"selftest": {{Status: console.Refused, Text: "the phone is in use"}}},
			selftest.ExitRefused, "selftest: the phone is in use"},
		{"no hardware", "technician", map[string][]console.Response{"selftest": {{Status: console.NotSupported, Text: "no hardware"}}},
			selftest.ExitNothing, "no hardware"},
		{"it did not begin: the last report is of another", "technician", map[string][]console.Response{"selftest": {done("")},
			"selftest-progress": {done("over technician: a call is up")}, "selftest-report": {yesterday}}, selftest.ExitRefused, "technician: a call is up"},
		{"no report at all", "technician", map[string][]console.Response{"selftest": {done("")}, "selftest-progress": {done("over ")},
			"selftest-report": {{Status: console.Refused, Text: "no self-test has been done yet"}}}, selftest.ExitRefused, "no self-test has been done yet"},
		{"failed", "technician", map[string][]console.Response{"selftest": {done("")},
			"selftest-progress": {done("running 1/2 hook"), done("running 1/2 hook"), done("running 2/2 keys"), done("over")},
			"selftest-report":   {yesterday, done(document(t, selftest.Fail, 2))}}, selftest.ExitFailed, "1/2 hook\n2/2 keys\n"},
		{"passed, the first ever", "factory hook", map[string][]console.Response{"selftest": {done("")}, "selftest-progress": {done("over")},
			"selftest-report": {{Status: console.Refused, Text: "none"}, done(document(t, selftest.Pass, 2))}}, selftest.ExitPassed, "PASSED"},
		{"stopped by a call", "technician", map[string][]console.Response{"selftest": {done("")}, "selftest-progress": {done("over")},
			"selftest-report": {yesterday, done(document(t, selftest.NotDone, 2))}}, selftest.ExitAborted, ""},
		{"at the start", "power-on", map[string][]console.Response{"selftest": {done("")}, "selftest-progress": {done("over")},
			"selftest-report": {yesterday, done(document(t, selftest.Pass, 2))}}, selftest.ExitPassed, ""},
	} {
		p := &scriptedPhone{answers: c.answers}
		args := append([]string{"-socket", p.listen(t), "selftest"}, strings.Fields(c.args)...)
		var out bytes.Buffer
		if status := run(args, &out, &out); status != console.Status(c.status) || !strings.Contains(strings.ToLower(out.String()), strings.ToLower(c.says)) {
			t.Errorf("%s: status %d, %q; want %d, %q", c.name, status, out.String(), c.status, c.says)
		}
		if c.status == selftest.ExitUsage && len(p.asked) > 0 {
			t.Errorf("%s: the phone was asked %q", c.name, p.asked)
		}
	}
	var out bytes.Buffer
	if status := run([]string{"-socket", filepath.Join(t.TempDir(), "x"), "selftest", "technician"}, &out, &out); status != console.Status(selftest.ExitRefused) {
		t.Errorf("without a phone: status %d, %q: that is no broken phone", status, out.String())
	}
}

func TestAReportIsWrittenInEveryForm(t *testing.T) {
	p := &scriptedPhone{answers: map[string][]console.Response{"selftest-report": {done(document(t, selftest.Fail, 2))}}}
	socket, folder := p.listen(t), t.TempDir()
	report := func(words ...string) (console.Status, string) {
		var out bytes.Buffer
		status := run(append([]string{"-socket", socket, "selftest", "report"}, words...), &out, &out)
		return status, out.String()
	}
	for _, words := range [][]string{{"html"}, {"pdf"}, {"json", "a", "b"}} {
		if status, text := report(words...); status != console.Usage || !strings.Contains(text, "takes a form") {
			t.Errorf("%q: status %d, %q", words, status, text)
		}
	}
	for form, want := range map[string]string{"text": "hook", "json": `"model":"cm4"`, "junit": "<testsuite", "csv": "FZ1", "pdf": "%PDF-"} {
		file := filepath.Join(folder, "report."+form)
		status, text := report(form, file)
		data, err := os.ReadFile(file)
		if status != console.Done || text != "" || err != nil || !strings.Contains(strings.ReplaceAll(strings.ToLower(string(data)), ": ", ":"), strings.ToLower(want)) {
			t.Errorf("%s: status %d, %q, %v, %.200q", form, status, text, err, data)
		}
		if form == "pdf" {
			continue
		}
		if status, text := report(form); status != console.Done || text != string(data) {
			t.Errorf("%s: what is printed is not what is written: %d, %.200q", form, status, text)
		}
	}
	if status, text := report(); status != console.Done || !strings.Contains(strings.ToLower(text), "hook") {
		t.Errorf("without a form: %d, %q", status, text)
	}
}

func TestAFileThatIsThereIsLeftAlone(t *testing.T) {
	p := &scriptedPhone{answers: map[string][]console.Response{"selftest-report": {done(document(t, selftest.Pass, 2))}}}
	socket, file := p.listen(t), filepath.Join(t.TempDir(), "letter")
	if err := os.WriteFile(file, []byte("dear sir"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{file: "is there already; choose another name", filepath.Join(file, "x"): "not a directory"} {
		var out bytes.Buffer
		if status := run([]string{"-socket", socket, "selftest", "report", "pdf", name}, &out, &out); status != console.Refused || !strings.Contains(out.String(), says) {
			t.Errorf("%s: status %d, %q", name, status, out.String())
		}
	}
	if data, err := os.ReadFile(file); err != nil || string(data) != "dear sir" {
		t.Errorf("%q, %v", data, err)
	}
}

func TestAReportThatIsNoneIsRefused(t *testing.T) {
	for _, answer := range []console.Response{{Status: console.Refused, Text: "no self-test has been done yet"}, done("{}"), done("nonsense")} {
		p := &scriptedPhone{answers: map[string][]console.Response{"selftest-report": {answer}}}
		file := filepath.Join(t.TempDir(), "r")
		var out bytes.Buffer
		if status := run([]string{"-socket", p.listen(t), "selftest", "report", "json", file}, &out, &out); status != console.Refused || !strings.Contains(out.String(), "phonectl: selftest report: ") {
			t.Errorf("%+v: status %d, %q", answer, status, out.String())
		}
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%+v: a file was written", answer)
		}
	}
}
