package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"freizeichen/device/console"
	"freizeichen/firmware/config"
)

func TestEveryOutcomeHasItsExitStatus(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "bad.yaml")
	for file, text := range map[string]string{good: config.Reference(), bad: "language: de\nlanguag: en\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	nobody := filepath.Join(dir, "nobody.sock")
	for args, want := range map[string]struct {
		status console.Status
		text   string
	}{
		"":                            {console.Usage, "usage: phonectl"},
		"fly":                         {console.Usage, `unknown command "fly"; phonectl help`},
		"dial":                        {console.Usage, "dial takes one number"},
		"dial 02841 2020":             {console.Usage, "dial takes one number"},
		"dtmf":                        {console.Usage, "dtmf takes one word of digits"},
		"press":                       {console.Usage, "press takes one key"},
		"answer now":                  {console.Usage, "answer takes nothing"},
		"help":                        {console.Done, "usage: phonectl"},
		"-bad":                        {console.Usage, "-bad"},
		"config check":                {console.Usage, `config takes "check FILE" or "reference"`},
		"-help":                       {console.Done, "exit status:"},
		"-socket " + nobody + " show": {console.Refused, "no phone listens on " + nobody},
		"config check " + good:        {console.Done, "no errors"},
		"config reference":            {console.Done, "retention"},
		"config check " + bad:         {console.Refused, "bad.yaml:2:1"},
		"config check " + bad + ".x":  {console.Refused, "no such file"},
	} {
		var out bytes.Buffer
		if status := run(strings.Fields(args), &out, &out); status != want.status || !strings.Contains(out.String(), want.text) {
			t.Errorf("phonectl %s: status %d, %q; want %d, %q", args, status, out.String(), want.status, want.text)
		}
	}
}
