// Command phonectl drives and asks a running phone over its local socket, and checks configuration files.
//
// Exit status: 0 done, 1 refused (the reason is on standard error), 2 usage, 3 not supported by this phone.
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
  transfer NUMBER    pass the call on to a number
  dtmf DIGITS        send digits into the call
  press KEY          press and release a key: 0-9 * # soft1-soft4 up down ok cancel line1 line2 hold transfer redial
                     mute headset speaker volume-up volume-down; lift and replace move the handset
  show               print the panel as text
  status             print registration, calls and statistics as "key: value"
  transcript         print what the phone did in the last minutes
  config check FILE  check a configuration file; no phone needs to run
  config reference   print a configuration file that explains every key

exit status: 0 done, 1 refused with the reason, 2 usage, 3 not supported
`

// arguments is how many words each command takes after its name.
var arguments = map[string]int{
	"answer": 0, "hangup": 0, "hold": 0, "resume": 0, "dial": 1, "transfer": 1, "dtmf": 1, "press": 1,
	"show": 0, "status": 0, "transcript": 0,
}

func main() {
	os.Exit(int(run(os.Args[1:], os.Stdout, os.Stderr)))
}

func run(args []string, stdout, stderr io.Writer) console.Status {
	flags := flag.NewFlagSet("phonectl", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage) }
	socket := flags.String("socket", console.DefaultSocket(), "the phone's socket")
	if err := flags.Parse(args); err == flag.ErrHelp {
		return console.Done
	} else if err != nil {
		return console.Usage
	}
	words := flags.Args()
	if len(words) == 3 && words[0] == "config" && words[1] == "check" {
		return checkConfig(words[2], stdout, stderr)
	}
	if len(words) == 2 && words[0] == "config" && words[1] == "reference" {
		fmt.Fprint(stdout, config.Reference())
		return console.Done
	}
	if len(words) == 0 {
		fmt.Fprint(stderr, usage)
		return console.Usage
	}
	want, known := arguments[words[0]]
	if !known || len(words)-1 != want {
		fmt.Fprintf(stderr, "phonectl: %q is not a command, or its argument is missing or too many\n\n%s", strings.Join(words, " "), usage)
		return console.Usage
	}
	request := console.Request{Verb: words[0]}
	if want == 1 {
		request.Argument = words[1]
	}
	return ask(*socket, request, stdout, stderr)
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
