package roster

import (
	"fmt"
	"strings"
	"testing"

	"freizeichen/sip/acd"
)

func TestAListOfAgentsIsTakenWholeOrRefusedWithItsLine(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "line 1 must be",
		"number,name\n":                          "line 1 must be",
		"number,name,pin,queues\nx,A,,\n":        "line 2: the number must be",
		"number,name,pin,queues\n1,,,\n":         "line 2: the name must",
		"number,name,pin,queues\n1,A,12,\n":      "line 2: the PIN must",
		"number,name,pin,queues\n1,A,,q q\n":     "twice",
		"number,name,pin,queues\n1,A,,q:x\n":     "NAME or NAME:PENALTY",
		"number,name,pin,queues\n1,A,,\n1,B,,\n": "line 3: the number 1 stands in the list already",
		"number,name,pin,queues\n1,A\n":          "line 2: there must be 4 fields",
		"number,name,pin,queues\n1,\"A,,\n":      "line 2",

		"number,name,pin,queues\n" + strings.Repeat(" ", textMax): "more than",
		"number,name,pin,queues\n1,A,,\n2,C\xe4sar,,\n":           "line 3: not UTF-8",
		"number,name,pin,queues\n1,\"A\nB\",,\n":                  "line 2: the name must be one line",
		"number,name,pin,queues\n1,A\x1b[31m,,\n":                 "line 2: the name must be one line",
	} {
		if _, err := Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.100q: %v, want %s", text, err, want)
		}
	}
	for _, text := range []string{"number,name,pin,queues\n4711,Ada,1234,moers xanten:2\n", "\ufeffnumber;name;pin;queues\r\n4711;Ada;1234;moers xanten:2\r\n"} {
		all, err := Read(strings.NewReader(text))
		want := fmt.Sprint([]Agent{{"4711", "Ada", "1234", []acd.Serving{{Queue: "moers"}, {Queue: "xanten", Penalty: 2}}}})
		if err != nil || fmt.Sprint(all) != want {
			t.Errorf("%v, %v", all, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("number,name,pin,queues\n4711,Ada,1234,moers xanten:2\n")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := Read(strings.NewReader(text))
		for _, a := range all {
			if a.Number == "" || a.Name == "" || err != nil {
				t.Errorf("%+v, %v", a, err)
			}
		}
	})
}
