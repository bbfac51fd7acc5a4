package message

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// cut writes data in pieces of some size and takes all messages.
func cut(t testing.TB, data string, size int) ([]Message, error) {
	t.Helper()
	var s Stream
	var got []Message
	for piece := range slices.Chunk([]byte(data), size) {
		s.Write(piece)
		for {
			m, err := s.Next()
			if err == ErrIncomplete {
				break
			}
			if err != nil {
				return got, err
			}
			got = append(got, m)
		}
	}
	return got, nil
}

func TestMessagesAreTheSameHoweverTheyAreCut(t *testing.T) {
	data := "Response: Success\r\nActionID: 1\r\n\r\n" +
		"Event: QueueCallerJoin\r\nChanVariable: A=1\r\nchanvariable: B=2\r\nServicelevel:30\r\nEmpty:\r\nColon: a: b\r\n\r\n" +
		"\r\n\n" + // more ends than messages
		"Event: Odd\nQueue:  zulassung \n\n"
	want := []Message{
		{{"Response", "Success"}, {"ActionID", "1"}},
		{{"Event", "QueueCallerJoin"}, {"ChanVariable", "A=1"}, {"chanvariable", "B=2"}, {"Servicelevel", "30"}, {"Empty", ""}, {"Colon", "a: b"}},
		{{"Event", "Odd"}, {"Queue", "zulassung"}},
	}
	for size := 1; size <= len(data); size++ {
		got, err := cut(t, data, size)
		if err != nil || !slices.EqualFunc(got, want, slices.Equal[Message]) {
			t.Fatalf("in pieces of %d: %v\n got %#q\nwant %#q", size, err, plain(got), plain(want))
		}
	}
	m := want[1]
	if m.Get("SERVICELEVEL") != "30" || m.Get("none") != "" || !slices.Equal(m.All("ChanVariable"), []string{"A=1", "B=2"}) {
		t.Errorf("looked up %q, %q, %q", m.Get("SERVICELEVEL"), m.Get("none"), m.All("ChanVariable"))
	}
}

func plain(messages []Message) (all [][]Field) {
	for _, m := range messages {
		all = append(all, m)
	}
	return all
}

func TestHalfAMessageIsNone(t *testing.T) {
	var s Stream
	s.Write([]byte("Event: QueueCallerLeave\r\nQueue: zul"))
	if m, err := s.Next(); err != ErrIncomplete || !s.Begun() {
		t.Errorf("got %v, %v", m, err)
	}
}

func TestOnlyTheFirstLineSaysWhatAMessageIs(t *testing.T) {
	kind, name := Message{{"event", "OriginateResponse"}, {"Response", "Failure"}}.Kind()
	if kind != "Event" || name != "OriginateResponse" {
		t.Errorf("a %s %s", kind, name)
	}
	if kind, _ := (Message{{"Queue", "x"}, {"Event", "y"}}).Kind(); kind != "" {
		t.Errorf("a %s without a first line that says so", kind)
	}
	if kind, _ := (Message(nil)).Kind(); kind != "" {
		t.Errorf("nothing is a %s", kind)
	}
}

func TestLinesThatAreNoFieldAreDropped(t *testing.T) {
	got, err := cut(t, "Response: Follows\r\nno field here\r\nActionID: 1\r\n\r\n", 5)
	if err != nil || len(got) != 1 || len(got[0]) != 2 {
		t.Errorf("%v %#q", err, plain(got))
	}
}

func TestALongLineIsCutShortAndTheMessageGoesOn(t *testing.T) {
	for _, size := range []int{1, 1000, lineRoom, lineRoom + 1, 1 << 20} {
		data := "Event: X\r\nLong: " + strings.Repeat("x", 3*lineRoom) + "\r\nQueue: q\r\n\r\nEvent: Y\r\n\r\n"
		got, err := cut(t, data, size)
		if err != nil || len(got) != 2 || got[0].Get("Queue") != "q" || len(got[0].Get("Long")) != lineRoom-len("Long: ") || len(got[0]) != 3 {
			t.Errorf("in pieces of %d: %v %v", size, err, got)
		}
	}
}

func TestAMessageWithoutAnEndLosesTheStream(t *testing.T) {
	for _, line := range []string{"A: b\r\n", "Long: " + strings.Repeat("x", 4000) + "\r\n", "no field\r\n"} {
		got, err := cut(t, "Event: X\r\n"+strings.Repeat(line, messageRoom/len(line)+fieldsRoom), 1000)
		if !errors.Is(err, ErrTooLarge) || len(got) != 0 {
			t.Errorf("%.10q: %v, %v", line, got, err)
		}
	}
	var s Stream
	for range 1000 {
		s.Write([]byte(strings.Repeat("x", 4000)))
		_, _ = s.Next()
	}
	if cap(s.data) > 8*lineRoom {
		t.Errorf("an endless line takes %d bytes", cap(s.data))
	}
}

func TestWhatIsNoTextIsMadeHarmless(t *testing.T) {
	got, _ := cut(t, "Event: a\xff\x1b[2Jb\x00c\u0085d\u2028e\rf ü\r\n\r\n", 3)
	if _, name := got[0].Kind(); name != "a\ufffd\ufffd[2Jb\ufffdc\ufffdd\ufffde\ufffdf ü" {
		t.Errorf("got %q", name)
	}
}

func TestTheBannerIsALineOfItsOwn(t *testing.T) {
	var s Stream
	s.Write([]byte("Asterisk Call Manager/11"))
	if _, err := s.Banner(); err != ErrIncomplete {
		t.Errorf("half a banner: %v", err)
	}
	s.Write([]byte(".0.0\r\nEvent: X\r\n\r\n"))
	banner, err := s.Banner()
	m, _ := s.Next()
	if banner != "Asterisk Call Manager/11.0.0" || err != nil || m.Get("Event") != "X" {
		t.Errorf("got %q, %v, then %v", banner, err, m)
	}
}

func TestNoMessageIsWrittenThatAsteriskReadsDifferently(t *testing.T) {
	room := LineMax - len("Value: ")
	for name, m := range map[string]Message{
		"nothing":               {},
		"a line end":            {{"Action", "QueuePause"}, {"Reason", "x\nAction: Command"}},
		"a carriage return":     {{"Action", "QueuePause"}, {"Reason", "x\rAction: Command"}},
		"both":                  {{"Action", "QueuePause"}, {"Reason", "x\r\n\r\nAction: Command"}},
		"NUL":                   {{"Action", "QueuePause"}, {"Reason", "x\x00"}},
		"a line end of Unicode": {{"Action", "QueuePause"}, {"Reason", "x\u2028y"}},
		"no UTF-8":              {{"Action", "QueuePause"}, {"Reason", "x\xff"}},
		"a line too long":       {{"Action", "Setvar"}, {"Value", strings.Repeat("x", room+1)}},
		"a name with a colon":   {{"Action", "Setvar"}, {"Value: x\r\nY", "z"}},
		"no name":               {{"Action", "Setvar"}, {"", "z"}},
		"too many fields":       slices.Repeat(Message{{"Variable", "x"}}, FieldsMax+1),
	} {
		data, err := m.Append([]byte("before"))
		if !errors.Is(err, ErrUnfit) || string(data) != "before" {
			t.Errorf("%s: %q, %v", name, data, err)
		}
		if err != nil && strings.Contains(err.Error(), "Command") {
			t.Errorf("%s: the error tells the value: %v", name, err)
		}
	}
	data, err := Message{{"Action", "Setvar"}, {"Value", strings.Repeat("x", room)}, {"Reason", "Nachbearbeitung für Müller"}}.Append(nil)
	if err != nil || len(data) != len("Action: Setvar\r\n")+LineMax+2+len("Reason: Nachbearbeitung für Müller\r\n\r\n") {
		t.Errorf("the longest line: %d bytes, %v", len(data), err)
	}
}

func TestNoWayOfPrintingShowsTheValues(t *testing.T) {
	m := Message{{"Event", "QueueEntry"}, {"CallerIDNum", "028415551234"}}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if said := fmt.Sprintf(format, m); strings.Contains(said, "0284") || !strings.Contains(said, "QueueEntry (2 fields)") {
			t.Errorf("%s: %s", format, said)
		}
	}
}

func FuzzStream(f *testing.F) {
	f.Add([]byte("Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nActionID: 1\r\n\r\n"), 3)
	f.Add([]byte("Event: QueueMember\nName: 4711\r\n\n\r\nEvent: \xff\x00:\r\n\r\n"), 1)
	f.Add([]byte("::\r\n:\n\r\n \r\n"+strings.Repeat("x", lineRoom+9)+"\n\n"), 4096)
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		size = min(max(size, 1), len(data)+1)
		got, err := cut(t, string(data), size)
		whole, wholeErr := cut(t, string(data), len(data)+1)
		if (err == nil) != (wholeErr == nil) || !slices.EqualFunc(got, whole, slices.Equal[Message]) {
			t.Fatalf("in pieces of %d %v %#q, at once %v %#q", size, err, plain(got), wholeErr, plain(whole))
		}
		for _, m := range got {
			if len(m) == 0 || len(m) > fieldsRoom {
				t.Fatalf("a message of %d fields", len(m))
			}
			// What can be written again comes back the same.
			again, err := m.Append(nil)
			if err != nil {
				continue
			}
			back, err := cut(t, string(again), 7)
			if err != nil || len(back) != 1 || !slices.Equal(back[0], m) {
				t.Fatalf("%#q came back as %v %#q", []Field(m), err, plain(back))
			}
		}
	})
}
