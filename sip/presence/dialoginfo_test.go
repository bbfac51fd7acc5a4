package presence

import (
	"reflect"
	"strings"
	"testing"

	"freizeichen/sip"
)

// hint is a body as Asterisk 22 sends it for the hint of a queue.
func hint(state string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>
<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="1" state="full" entity="sip:q-kw-zulassung@127.0.0.1">
 <dialog id="q-kw-zulassung" direction="recipient">
  <remote><identity>sip:q-kw-zulassung@127.0.0.1</identity><target uri="sip:q-kw-zulassung@127.0.0.1"/></remote>
  <state>` + state + `</state>
 </dialog>
</dialog-info>
`
}

func TestTheHintOfAQueueIsRead(t *testing.T) {
	got, err := ReadDialogInfo([]byte(hint("early")))
	want := DialogInfo{Entity: "sip:q-kw-zulassung@127.0.0.1", Version: 1, Dialogs: []Dialog{{"q-kw-zulassung", "early"}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if again, err := ReadDialogInfo(got.Body()); err != nil || !reflect.DeepEqual(again, want) {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestDialogInfoIsRefused(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":         "",
		"PIDF":            string(Silent("sip:q@pbx")),
		"no version":      strings.Replace(hint("early"), ` version="1"`, "", 1),
		"a huge version":  strings.Replace(hint("early"), ` version="1"`, ` version="4294967296"`, 1),
		"no full state":   strings.Replace(hint("early"), `"full"`, `"half"`, 1),
		"an unknown one":  hint("sleeping"),
		"none":            strings.Replace(hint("early"), "<state>early</state>", "", 1),
		"nameless dialog": strings.Replace(hint("early"), `id="q-kw-zulassung"`, "", 1),
	} {
		if got, err := ReadDialogInfo([]byte(body)); err == nil {
			t.Errorf("%s: read as %+v", name, got)
		}
	}
}

func TestTheHintsOfAQueueMakeALamp(t *testing.T) {
	early, confirmed, over := []Dialog{{"q", "early"}}, []Dialog{{"q", "confirmed"}}, []Dialog{{"q", "terminated"}}
	for _, c := range []struct {
		lamp                    Lamp
		waiting, signedIn, free int
	}{
		{Lamp{}, 0, 0, 0},
		{Lamp{Waiting: early}, 1, 0, 0},
		{Lamp{Waiting: over, Taken: confirmed}, 0, 1, 0},
		{Lamp{Waiting: early, Taken: over}, 1, 1, 1},
		{Lamp{Waiting: []Dialog{}, Taken: []Dialog{}}, 0, 1, 1},
	} {
		want := sip.QueueStatus{Queue: "q", Coarse: true, Waiting: c.waiting, SignedIn: c.signedIn, Free: c.free}
		if got := c.lamp.Status("q"); got != want || !got.Plausible() {
			t.Errorf("%+v: %+v", c.lamp, got)
		}
	}
}
