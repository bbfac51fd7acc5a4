package main

import (
	"fmt"
	"io"
	"time"

	"freizeichen/device/console"
	"freizeichen/firmware/knowledge"
)

// aboutKnowledge does what follows the word knowledge; no phone needs to run.
func aboutKnowledge(words []string, stdout, stderr io.Writer) console.Status {
	if len(words) == 1 {
		switch words[0] {
		case "reference":
			fmt.Fprint(stdout, knowledge.Reference())
			return console.Done
		case "example":
			fmt.Fprint(stdout, string(knowledge.Example()))
			return console.Done
		case "schema":
			fmt.Fprint(stdout, knowledge.Schema())
			return console.Done
		}
	}
	check := len(words) == 2 && words[0] == "check"
	compile := len(words) == 3 && words[0] == "compile"
	if !check && !compile {
		fmt.Fprintln(stderr, `phonectl: knowledge takes "check FILE", "compile FILE OUT", "reference", "example" or "schema"; phonectl help lists the commands`)
		return console.Usage
	}
	k, err := knowledge.Read(words[1], time.Now())
	if err == nil && compile {
		err = knowledge.Store(words[2], knowledge.Compile(k))
	}
	if err != nil {
		fmt.Fprintln(stderr, "phonectl:", err)
		return console.Refused
	}
	example := ""
	if k.Example {
		example = "; example data, not for citizens"
	}
	fmt.Fprintf(stdout, "%s: no errors: %d tenants, %d topics, %d cards, %d notices%s\n", words[1],
		len(k.Tenants), len(k.Topics), len(k.Cards), len(k.Notices), example)
	return console.Done
}
