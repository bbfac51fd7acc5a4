// Command phonectl drives and asks a running phone over its local socket, and checks configuration and knowledge files.
//
// Exit status: 0 done, 1 refused (the reason is on standard error), 2 usage, 3 not supported by this phone. That of selftest
// is selftest.Exit.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"freizeichen/device/console"
	"freizeichen/firmware/config"
)

const usage = `usage: phonectl [-socket PATH] COMMAND

  answer             take the ringing call
  hangup             end the call, or stop dialling
  hold, resume       put the call on hold, take it back
  dial NUMBER        call a number
  transfer NUMBER    pass the call on to a number, without asking there
  consult NUMBER     call a number on behalf of the call, which waits on hold
  join               pass the call on to the number that was consulted
  dtmf DIGITS        send digits into the call
  press KEY          press and release a key: 0-9 * # soft1-soft4 up down ok cancel line1 line2 hold transfer redial
                     mute headset speaker volume-up volume-down; lift and replace move the handset
  show               print the panel as text
  status             print registration, calls and statistics as "key: value"
  transcript         print what the phone did in the last minutes
  selftest LEVEL [TEST...]  test the phone: technician (90 s, the display guides), factory, or power-on (as at every
                     start); all of it, or the tests named and what they hang on: handset.level, keys, bus ...
  selftest report [FORM [FILE]]  the last report as text, json, junit, csv or pdf
  help               print this
  config check FILE  check a configuration file; no phone needs to run
  config reference   print a configuration file that explains every key
  knowledge check FILE        check a knowledge file
  knowledge compile FILE OUT  check it and write what phones read; OUT stays as it is unless all is well
  knowledge reference         print a knowledge file that explains every key; example and schema print those

exit status: 0 done, 1 refused with the reason, 2 usage, 3 not supported
of selftest: 0 passed, 1 failed, 2 usage, 3 could not run (the phone is in use, or none runs), 4 passed with warnings, 5 aborted or
unanswered, 77 nothing to test
`

// arguments is the one word that each command takes after its name; empty: none.
var arguments = map[string]string{
	"answer": "", "hangup": "", "hold": "", "resume": "", "dial": "number", "transfer": "number", "consult": "number", "join": "",
	"dtmf": "word of digits", "press": "key", "show": "", "status": "", "transcript": "",
}

func main() {
	os.Exit(int(run(os.Args[1:], os.Stdout, os.Stderr)))
}

func run(args []string, stdout, stderr io.Writer) console.Status {
	flags := flag.NewFlagSet("phonectl", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage) }
	socket := flags.String("socket", console.FindSocket(), "the phone's socket")
	if err := flags.Parse(args); err == flag.ErrHelp {
		return console.Done
	} else if err != nil {
		return console.Usage
	}
	words := flags.Args()
	switch {
	case len(words) == 0:
		fmt.Fprint(stderr, usage)
		return console.Usage
	case words[0] == "help":
		fmt.Fprint(stdout, usage)
		return console.Done
	case words[0] == "config" && len(words) == 3 && words[1] == "check":
		return checkConfig(words[2], stdout, stderr)
	case words[0] == "config" && len(words) == 2 && words[1] == "reference":
		fmt.Fprint(stdout, config.Reference())
		return console.Done
	case words[0] == "selftest":
		return selfTest(*socket, words[1:], stdout, stderr)
	case words[0] == "knowledge":
		return aboutKnowledge(words[1:], stdout, stderr)
	}
	if fault := misused(words[0], len(words)-1); fault != "" {
		fmt.Fprintf(stderr, "phonectl: %s; phonectl help lists the commands\n", fault)
		return console.Usage
	}
	return ask(*socket, console.Request{Verb: words[0], Argument: strings.Join(words[1:], "")}, stdout, stderr)
}

// misused says what is wrong with a command that is given so many words; empty: nothing.
func misused(command string, given int) string {
	want, known := arguments[command]
	switch {
	case command == "config":
		return `config takes "check FILE" or "reference"`
	case !known:
		return fmt.Sprintf("unknown command %q", command)
	case want == "" && given > 0:
		return command + " takes nothing"
	case want != "" && given != 1:
		return command + " takes one " + want
	}
	return ""
}

func ask(socket string, request console.Request, stdout, stderr io.Writer) console.Status {
	response, err := console.Ask(socket, request)
	if err != nil {
		fmt.Fprintln(stderr, "phonectl:", err)
		return console.Refused
	}
	if response.Status != console.Done {
		fmt.Fprintf(stderr, "phonectl: %s: %s\n", request.Verb, response.Text)
		return response.Status
	}
	if response.Text != "" {
		fmt.Fprintln(stdout, strings.TrimSuffix(response.Text, "\n"))
	}
	return console.Done
}

func checkConfig(file string, stdout, stderr io.Writer) console.Status {
	if _, err := config.Load(file); err != nil {
		fmt.Fprintln(stderr, "phonectl:", err)
		return console.Refused
	}
	fmt.Fprintf(stdout, "%s: no errors\n", file)
	return console.Done
}
