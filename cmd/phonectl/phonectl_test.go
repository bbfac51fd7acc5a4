package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"freizeichen/device/console"
	"freizeichen/firmware/config"
	"freizeichen/firmware/knowledge"
)

func TestEveryOutcomeHasItsExitStatus(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "bad.yaml")
	for file, text := range map[string]string{good: config.Reference(), bad: "language: de\nlanguag: en\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	known, wrong, out := filepath.Join(dir, "known.yaml"), filepath.Join(dir, "wrong.yaml"), filepath.Join(dir, "out.json")
	for file, text := range map[string]string{known: string(knowledge.Example()), wrong: strings.Replace(string(knowledge.Example()), "topic: wohngeld", "topic: wohngelt", 1)} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	nobody := filepath.Join(dir, "nobody.sock")
	for args, want := range map[string]struct {
		status console.Status
		text   string
	}{
		"":                                       {console.Usage, "usage: phonectl"},
		"fly":                                    {console.Usage, `unknown command "fly"; phonectl help`},
		"dial":                                   {console.Usage, "dial takes one number"},
		"dial 02841 2020":                        {console.Usage, "dial takes one number"},
		"dtmf":                                   {console.Usage, "dtmf takes one word of digits"},
		"press":                                  {console.Usage, "press takes one key"},
		"answer now":                             {console.Usage, "answer takes nothing"},
		"help":                                   {console.Done, "usage: phonectl"},
		"-bad":                                   {console.Usage, "-bad"},
		"config check":                           {console.Usage, `config takes "check FILE" or "reference"`},
		"-help":                                  {console.Done, "exit status:"},
		"-socket " + nobody + " show":            {console.Refused, "no phone listens on " + nobody},
		"config check " + good:                   {console.Done, "no errors"},
		"config reference":                       {console.Done, "retention"},
		"config check " + bad:                    {console.Refused, "bad.yaml:2:1"},
		"config check " + bad + ".x":             {console.Refused, "no such file"},
		"knowledge":                              {console.Usage, `knowledge takes "check FILE", "compile FILE OUT", "reference", "example" or "schema"`},
		"knowledge check":                        {console.Usage, "knowledge takes"},
		"knowledge check " + known:               {console.Done, "example data, not for citizens"},
		"knowledge check " + wrong:               {console.Refused, `did you mean "wohngeld"?`},
		"knowledge check " + bad + ".x":          {console.Refused, "no such file"},
		"knowledge compile " + known:             {console.Usage, "knowledge takes"},
		"knowledge compile " + wrong + " " + out: {console.Refused, "wrong.yaml:"},
		"knowledge compile " + known + " " + filepath.Join(dir, "none", "out"): {console.Refused, "no such file"},
		"knowledge reference": {console.Done, "answer-within"},
		"knowledge example":   {console.Done, "example: true"},
		"knowledge schema":    {console.Done, "additionalProperties"},
	} {
		var out bytes.Buffer
		if status := run(strings.Fields(args), &out, &out); status != want.status || !strings.Contains(out.String(), want.text) {
			t.Errorf("phonectl %s: status %d, %q; want %d, %q", args, status, out.String(), want.status, want.text)
		}
	}
}

func TestKnowledgeIsCompiledOnlyWhenAllIsWell(t *testing.T) {
	dir := t.TempDir()
	file, out := filepath.Join(dir, "knowledge.yaml"), filepath.Join(dir, "knowledge.json")
	compile := func(text string) console.Status {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return run([]string{"knowledge", "compile", file, out}, io.Discard, io.Discard)
	}
	if status := compile(string(knowledge.Example())); status != console.Done {
		t.Fatalf("status %d", status)
	}
	good, k, err := knowledge.Open(out)
	if err != nil || len(k.Topics) == 0 {
		t.Fatalf("%d topics, %v", len(k.Topics), err)
	}
	if status := compile(string(knowledge.Example()) + "colour: red\n"); status != console.Refused {
		t.Errorf("status %d", status)
	}
	if data, _, err := knowledge.Open(out); err != nil || !bytes.Equal(data, good) {
		t.Errorf("a refused file changed what was compiled: %v", err)
	}
}
