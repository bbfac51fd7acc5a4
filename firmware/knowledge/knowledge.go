// Package knowledge reads what agents speak from: municipalities with their lines and greetings, topics, cards, offices,
// hours, and the notices of the day.
//
//	YAML that people edit --Parse--> firmware.Knowledge --Compile--> JSON with format and checksum --Store--> file
//	         all that is wrong, with line and column                        <--Load--            <--Open--
//
// A file is taken whole or not at all: what names something that does not exist, what is too long for a panel and what is
// over refuses it. reference.yaml explains every key, knowledge.schema.json tells editors of them, example.yaml is a
// county to try.
//
// It must not decide what an agent sees: device/callcentre does.
package knowledge

import (
	_ "embed"
	"fmt"
	"time"

	"freizeichen/firmware"
	"freizeichen/firmware/document"
)

//go:embed reference.yaml
var reference string

// Reference is a file that explains every key.
func Reference() string { return reference }

//go:embed example.yaml
var example string

// Example is a whole county with example data; every fee and every hour in it must be checked before use. Its notices are
// of the day on which it is parsed.
func Example() []byte { return []byte(example) }

//go:embed knowledge.schema.json
var schema string

// Schema is a JSON Schema (draft 2020-12) of the file, for editors. It knows keys and lengths; Parse knows more.
func Schema() string { return schema }

// limits bound a file: the example with all its comments has a twentieth of a mebibyte.
func limits() document.Limits {
	return document.Limits{Size: 1 << 20, List: 100, Kind: "knowledge file", Part: "entry"}
}

// Errors is everything wrong in one file.
type Errors = document.Errors

// Read reads a file and parses it.
func Read(path string, now time.Time) (firmware.Knowledge, error) {
	data, err := document.Load(path, limits())
	if err != nil {
		return firmware.Knowledge{}, fmt.Errorf("knowledge: %w", err)
	}
	return Parse(path, data, now)
}

// Parse checks a file's content; name stands in the messages, now decides what is over. What is wrong comes as Errors,
// all of it where that is possible.
//
// What is over is an error for the people who edit the file. A program that starts again tomorrow must not depend on it:
// it opens the compiled copy, in which entries may be over and are not shown.
func Parse(name string, data []byte, now time.Time) (firmware.Knowledge, error) {
	var mirror raw
	found, bound := document.Read(name, data, limits(), &mirror)
	c := check{Problems: found, now: now.In(firmware.Place()).Truncate(time.Second), seen: map[string]document.Position{}}
	if bound {
		c.file(mirror)
	}
	if err := found.Err(); err != nil {
		return firmware.Knowledge{}, err
	}
	return c.knowledge, nil
}
