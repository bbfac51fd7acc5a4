package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"time"

	"freizeichen/device/console"
	"freizeichen/firmware"
	"freizeichen/firmware/selftest"
	"freizeichen/firmware/selftest/report"
	"freizeichen/firmware/selftest/sheet"
)

// Times of a self-test that is waited for.
const (
	progressEvery = 500 * time.Millisecond
	testMax       = 20 * time.Minute // more than the longest run
)

// forms are what a report can be written as.
var forms = map[string]func(report.Record, []byte) ([]byte, error){
	"json":  func(_ report.Record, document []byte) ([]byte, error) { return document, nil },
	"junit": func(r report.Record, _ []byte) ([]byte, error) { return r.JUnit() },
	"csv":   func(r report.Record, _ []byte) ([]byte, error) { return []byte(report.CSVHeader() + r.CSVLine()), nil },
	"pdf": func(r report.Record, _ []byte) ([]byte, error) {
		return sheet.Page(r, sheet.Options{Language: r.Language(), Place: firmware.Place()})
	},
	"text": func(r report.Record, _ []byte) ([]byte, error) {
		return []byte(strings.Join(r.Sentences(r.Language()), "\n") + "\n"), nil
	},
}

// selfTest is the command of that name: it starts a test and waits for its end, or fetches the last report.
func selfTest(socket string, words []string, stdout, stderr io.Writer) console.Status {
	if len(words) == 0 {
		fmt.Fprintln(stderr, "phonectl: selftest takes a level (power-on, technician, factory) or report; phonectl help explains")
		return console.Usage
	}
	if words[0] == "report" {
		return reportForm(socket, words[1:], stdout, stderr)
	}
	level := selftest.ParseLevel(words[0])
	if level == selftest.LevelCount || level == selftest.Continuous || level == selftest.PowerOn && len(words) > 1 {
		fmt.Fprintf(stderr, "phonectl: there is no self-test %q; the levels are power-on, technician and factory\n", strings.Join(words, " "))
		return console.Usage
	}
	var names []selftest.ID
	for _, name := range words[1:] {
		names = append(names, selftest.ID(name))
	}
	if _, err := selftest.Select(selftest.Standard(), level, names...); err != nil {
		fmt.Fprintln(stderr, "phonectl:", err)
		return console.Usage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return runTest(ctx, socket, strings.Join(words, " "), stdout, stderr)
}

// runTest starts a test and tells how it goes, until it is over. The status is the report's exit code.
func runTest(ctx context.Context, socket, level string, stdout, stderr io.Writer) console.Status {
	_, before, _ := fetch(socket) // there may be none
	response, err := console.Ask(socket, console.Request{Verb: "selftest", Argument: level})
	if err != nil || response.Status != console.Done {
		return refused(response, err, stderr)
	}
	ctx, cancel := context.WithTimeout(ctx, testMax)
	defer cancel()
	over := ""
	for last := ""; ; {
		response, err = console.Ask(socket, console.Request{Verb: "selftest-progress"})
		if err != nil {
			return refused(response, err, stderr)
		}
		text, running := strings.CutPrefix(response.Text, "running ")
		if !running {
			over = strings.TrimPrefix(text, "over ")
			break
		}
		if text != last && text != "" {
			fmt.Fprintln(stdout, text)
			last = text
		}
		select {
		case <-ctx.Done():
			fmt.Fprintln(stderr, "phonectl: the self-test goes on at the phone; selftest report shows its outcome")
			return console.Status(selftest.ExitAborted)
		case <-time.After(progressEvery):
		}
	}
	record, document, err := fetch(socket)
	if err != nil {
		fmt.Fprintln(stderr, "phonectl:", err)
		return console.Status(selftest.ExitRefused)
	}
	if bytes.Equal(document, before) { // it did not even begin
		fmt.Fprintln(stderr, "phonectl: selftest:", over)
		return console.Status(selftest.ExitRefused)
	}
	for _, sentence := range record.Sentences(record.Language()) {
		fmt.Fprintln(stdout, sentence)
	}
	return console.Status(record.Metadata.ExitCode)
}

// refused is a test that could not run: the phone is in use, or there is none.
func refused(response console.Response, err error, stderr io.Writer) console.Status {
	if err != nil {
		fmt.Fprintln(stderr, "phonectl:", err)
		return console.Status(selftest.ExitRefused) // 1 would say that the phone is broken
	}
	fmt.Fprintln(stderr, "phonectl: selftest:", response.Text)
	if response.Status == console.NotSupported {
		return console.Status(selftest.ExitNothing)
	}
	return console.Status(selftest.ExitRefused)
}

// fetch is the last report of the phone.
func fetch(socket string) (report.Record, []byte, error) {
	response, err := console.Ask(socket, console.Request{Verb: "selftest-report"})
	if err != nil {
		return report.Record{}, nil, err
	}
	if response.Status != console.Done {
		return report.Record{}, nil, errors.New(response.Text)
	}
	document := []byte(response.Text)
	record, err := report.Decode(document)
	return record, document, err
}

// reportForm writes the last report in a form, to standard output or a file that must not be there yet.
func reportForm(socket string, words []string, stdout, stderr io.Writer) console.Status {
	form := "text"
	if len(words) > 0 {
		form = words[0]
	}
	write, known := forms[form]
	if !known || len(words) > 2 || form == "pdf" && len(words) != 2 {
		fmt.Fprintln(stderr, "phonectl: selftest report takes a form (text, json, junit, csv, pdf) and, needed for pdf, a file")
		return console.Usage
	}
	record, document, err := fetch(socket)
	if err != nil {
		fmt.Fprintln(stderr, "phonectl: selftest report:", err)
		return console.Refused
	}
	data, err := write(record, document)
	if err == nil && len(words) == 2 {
		err = create(words[1], data)
	} else if err == nil {
		_, err = stdout.Write(data)
	}
	if err != nil {
		fmt.Fprintln(stderr, "phonectl: selftest report:", err)
		return console.Refused
	}
	return console.Done
}

// create writes a new file, and leaves none behind that is not whole.
func create(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already; choose another name", path)
	}
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
