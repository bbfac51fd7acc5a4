package presence

import (
	"encoding/base64"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"freizeichen/sip"
)

var nineOClock = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func status() sip.QueueStatus {
	return sip.QueueStatus{
		Queue: "kw-zulassung", Title: `Kreis Wesel "Zulassung" & Führerschein`, At: nineOClock, Valid: 90 * time.Second,
		Waiting: 3, Oldest: nineOClock.Add(-17 * time.Second), SignedIn: 5, Free: 1, Paused: 2,
		Level: sip.ServiceLevel{Offered: 100, Answered: 90, AnsweredInTime: 80, Abandoned: 10, AbandonedInTime: 4,
			Within: 30 * time.Second, Target: 80, Formula: sip.OfHandled},
	}
}

func text(t testing.TB, s sip.QueueStatus) string {
	t.Helper()
	text, err := Text(s)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// asterisk is a body as Asterisk 22 sends it.
func asterisk(text string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>
<presence entity="sip:cc-kw-zulassung@127.0.0.1:5060" xmlns="urn:ietf:params:xml:ns:pidf" xmlns:pp="urn:ietf:params:xml:ns:pidf:person" xmlns:es="urn:ietf:params:xml:ns:pidf:rpid:status:rpid-status" xmlns:ep="urn:ietf:params:xml:ns:pidf:rpid:rpid-person">
 <note>Ready</note>
 <tuple id="cc-kw-zulassung">
  <status>
   <basic>open</basic>
  </status>
  <contact priority="1">sip:201@127.0.0.1:5060</contact>
 </tuple>
 <tuple id="digium-presence">
  <status>
   <digium_presence type="available" subtype="queue">` + strings.ReplaceAll(text, `"`, "&quot;") + `</digium_presence>
  </status>
 </tuple>
 <pp:person>
  <status />
 </pp:person>
</presence>
`
}

func TestAStatusComesBackAsItWas(t *testing.T) {
	calm := sip.QueueStatus{Queue: "moers", At: nineOClock, Valid: 90 * time.Second, SignedIn: 1, Since: nineOClock.Add(-time.Hour)}
	bare := sip.QueueStatus{Queue: "xanten"}
	for _, want := range []sip.QueueStatus{status(), calm, bare} {
		plain := text(t, want)
		for name, body := range map[string][]byte{
			"own":         Queue("sip:q@pbx", plain),
			"published":   Publication("sip:q@pbx", "q", plain),
			"base64":      Publication("sip:q@pbx", "q", base64.StdEncoding.EncodeToString([]byte(plain))),
			"of Asterisk": []byte(asterisk(base64.StdEncoding.EncodeToString([]byte(plain)))),
		} {
			got, err := ReadQueue(want.Queue, body)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s of %s: %+v, %v\nwant %+v\n%s", name, want.Queue, got, err, want, body)
			}
		}
	}
}

func TestTheReportOfTheContractIsRead(t *testing.T) {
	body := asterisk(`{"t":1795359500,"v":90,"h":"Kreis Wesel Zulassung","w":1,"o":1795359493,"a":1,"l":1,"p":0,"n":[5,4,3,1,0],"g":[30,80],"f":"offered","new":{"x":[1]}}`)
	got, err := ReadQueue("kw-zulassung", []byte(body))
	want := sip.QueueStatus{Queue: "kw-zulassung", Title: "Kreis Wesel Zulassung", At: time.Unix(1795359500, 0).UTC(), Valid: 90 * time.Second,
		Waiting: 1, Oldest: time.Unix(1795359493, 0).UTC(), SignedIn: 1, Free: 1,
		Level: sip.ServiceLevel{Offered: 5, Answered: 4, AnsweredInTime: 3, Abandoned: 1, Within: 30 * time.Second, Target: 80}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v\nwant %+v", got, err, want)
	}
}

func TestTextsAreRefusedOrRead(t *testing.T) {
	for _, c := range []struct{ name, text string }{
		{"nothing", ""},
		{"no JSON", "ready"},
		{"a list", "[1]"},
		{"a broken object", `{"w":1`},
		{"something behind", `{"w":0,"a":0,"l":0,"p":0}}`},
		{"a key twice", `{"w":0,"a":0,"l":0,"p":0,"w":1}`},
		{"a key in capitals", `{"W":0,"a":0,"l":0,"p":0}`},
		{"no waiting callers", `{"a":0,"l":0,"p":0}`},
		{"null", `{"w":null,"a":0,"l":0,"p":0}`},
		{"a fraction", `{"w":0.5,"a":0,"l":0,"p":0}`},
		{"an exponent", `{"w":0e3,"a":0,"l":0,"p":0}`},
		{"a number as text", `{"w":"0","a":0,"l":0,"p":0}`},
		{"a negative number", `{"w":0,"a":-1,"l":0,"p":0}`},
		{"a huge number", `{"w":0,"a":0,"l":99999999999999999999,"p":0}`},
		{"more than any queue has", `{"w":0,"a":0,"l":20000000,"p":0}`},
		{"more free than signed in", `{"w":0,"a":2,"l":1,"p":0}`},
		{"waiting since never", `{"w":1,"a":0,"l":0,"p":0}`},
		{"waiting since tomorrow", `{"t":1795359500,"w":1,"o":1795359501,"a":0,"l":0,"p":0}`},
		{"waiting for two days", `{"t":1795359500,"w":1,"o":1795186700,"a":0,"l":0,"p":0}`},
		{"nobody since nine", `{"t":1795359500,"w":0,"o":1795359493,"a":0,"l":0,"p":0}`},
		{"a time of 1970", `{"t":1,"w":0,"a":0,"l":0,"p":0}`},
		{"a time far away", `{"t":179535950000,"w":0,"a":0,"l":0,"p":0}`},
		{"valid for ever", `{"v":8640000000,"w":0,"a":0,"l":0,"p":0}`},
		{"four counts", `{"w":0,"a":0,"l":0,"p":0,"n":[1,1,1,0]}`},
		{"a null count", `{"w":0,"a":0,"l":0,"p":0,"n":[1,1,null,0,0]}`},
		{"more answered than offered", `{"w":0,"a":0,"l":0,"p":0,"n":[1,2,0,0,0]}`},
		{"a promise of 101 %", `{"w":0,"a":0,"l":0,"p":0,"g":[30,101]}`},
		{"a promise before the call", `{"w":0,"a":0,"l":0,"p":0,"g":[-30,80]}`},
		{"an unknown formula", `{"w":0,"a":0,"l":0,"p":0,"f":"best"}`},
		{"a title that is a number", `{"h":1,"w":0,"a":0,"l":0,"p":0}`},
		{"not UTF-8", "{\"h\":\"\xff\",\"w\":0,\"a\":0,\"l\":0,\"p\":0}"},
		{"too long", `{"w":0,"a":0,"l":0,"p":0,"x":"` + strings.Repeat("x", 5000) + `"}`},
		{"very deep", `{"w":0,"a":0,"l":0,"p":0,"x":` + strings.Repeat("[", 4000) + `}`},
	} {
		if got, err := ReadText("q", c.text); err == nil {
			t.Errorf("%s: read as %+v", c.name, got)
		}
	}
	got, err := ReadText("q", `{"h":"  A\r\nB\u202e`+strings.Repeat("c", 100)+`","w":0,"a":0,"l":0,"p":0}`)
	if err != nil || got.Title != "A B"+strings.Repeat("c", 61) {
		t.Errorf("the title is %q, %v", got.Title, err)
	}
}

func TestAStatusThatCannotBeTrueIsNotWritten(t *testing.T) {
	for name, change := range map[string]func(*sip.QueueStatus){
		"free without being there": func(s *sip.QueueStatus) { s.Free = 9 },
		"coarse":                   func(s *sip.QueueStatus) { *s = sip.QueueStatus{Coarse: true} },
		"from the future":          func(s *sip.QueueStatus) { s.Oldest = s.At.Add(time.Minute) },
		"of another century":       func(s *sip.QueueStatus) { s.At = s.At.AddDate(200, 0, 0) },
	} {
		s := status()
		change(&s)
		if got, err := Text(s); err == nil {
			t.Errorf("%s: written as %s", name, got)
		}
	}
}

func TestDocumentsAreRefusedOrSilent(t *testing.T) {
	good := `{"w":0,"a":0,"l":0,"p":0}`
	head := `<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:q@pbx">`
	for _, c := range []struct {
		name, body string
		silent     bool
	}{
		{"nothing", "", false},
		{"no XML", "hello", false},
		{"another document", "<html><body/></html>", false},
		{"another namespace", `<presence xmlns="urn:x"><note>` + good + `</note></presence>`, false},
		{"half a document", head + "<note>" + good, false},
		{"two roots", head + "</presence>" + head + "<note>" + good + "</note></presence>", false},
		{"a DTD", `<!DOCTYPE presence [<!ENTITY w "{}">]>` + head + "<note>" + good + "</note></presence>", false},
		{"an entity", head + "<note>&w;" + good + "</note></presence>", false},
		{"another encoding", `<?xml version="1.0" encoding="UTF-7"?>` + head + "<note>" + good + "</note></presence>", false},
		{"two states", strings.Replace(asterisk(good), "</status>\n </tuple>\n <pp", `<digium_presence>{}</digium_presence></status></tuple><pp`, 1), false},
		{"too deep", head + strings.Repeat("<a>", 20) + good + strings.Repeat("</a>", 20) + "</presence>", false},
		{"too many parts", head + strings.Repeat("<a/>", 1000) + "<note>" + good + "</note></presence>", false},
		{"too large", head + "<note>" + good + strings.Repeat(" ", 40000) + "</note></presence>", false},
		{"too many reports", head + strings.Repeat("<note>"+good+"</note>", 9) + "</presence>", false},
		{"only open", head + `<tuple id="1"><status><basic>open</basic></status></tuple></presence>`, true},
		{"only a word", head + "<note>Ready</note></presence>", true},
		{"a foreign note", head + `<note xmlns="urn:x">` + good + "</note></presence>", true},
		{"Asterisk without a text", asterisk(""), true},
		{"our own without a text", string(Silent("sip:q@pbx")), true},
	} {
		got, err := ReadQueue("q", []byte(c.body))
		if err == nil || errors.Is(err, ErrSilent) != c.silent {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

func TestBasicStatusAndTheStateOfAsteriskAreRead(t *testing.T) {
	d, err := ReadDocument([]byte(asterisk("")))
	if err != nil || d.Basic != Open || d.Type != "available" || d.Subtype != "queue" || d.Entity != "sip:cc-kw-zulassung@127.0.0.1:5060" {
		t.Errorf("%+v, %v", d, err)
	}
	if d, err = ReadDocument(Silent("sip:a&b@pbx")); err != nil || d.Basic != Closed || d.Type != "not_set" || d.Entity != "sip:a&b@pbx" {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestOfTwoPublicationsTheNewerCounts(t *testing.T) {
	older, newer := status(), status()
	newer.At, newer.Waiting, newer.Oldest = newer.At.Add(time.Minute), 0, time.Time{}
	for _, order := range [][]string{{text(t, older), text(t, newer)}, {text(t, newer), text(t, older)}, {text(t, newer), "{broken"}} {
		body := `<presence xmlns="urn:ietf:params:xml:ns:pidf">`
		for _, text := range order {
			body += "<tuple id='a'><note>" + strings.ReplaceAll(text, "&", "&amp;") + "</note></tuple>"
		}
		if got, err := ReadQueue("kw-zulassung", []byte(body+"</presence>")); err != nil || got.Waiting != 0 {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func TestABellComesBack(t *testing.T) {
	text := Bell(nineOClock, 1<<63)
	for _, body := range [][]byte{Phone("sip:p@pbx", text), Publication("sip:p@pbx", "p", text)} {
		if got, err := ReadBell(body); err != nil || got.Version != 1<<63 {
			t.Errorf("%+v, %v", got, err)
		}
	}
	for _, text := range []string{`{}`, `{"c":-1}`, `{"c":"1"}`, `{"c":1.0}`, `{"c":99999999999999999999}`, `{"t":1,"c":1}`, `{"c":1,"c":2}`} {
		if got, err := ReadBell(Phone("sip:p@pbx", text)); err == nil {
			t.Errorf("%s rings %d", text, got.Version)
		}
	}
}

// mutate changes a body in one to four places, as a network or an enemy would.
func mutate(dice *rand.Rand, body []byte) []byte {
	body = append([]byte(nil), body...)
	for range 1 + dice.IntN(4) {
		if len(body) == 0 {
			return body
		}
		i := dice.IntN(len(body))
		switch dice.IntN(6) {
		case 0:
			body[i] = byte(dice.Uint32())
		case 1:
			body[i] ^= 1 << dice.IntN(8)
		case 2:
			body = append(body[:i:i], body[min(len(body), i+1+dice.IntN(40)):]...)
		case 3:
			piece := body[i:min(len(body), i+dice.IntN(40))]
			body = append(body[:i:i], append(append([]byte(nil), piece...), body[i:]...)...)
		case 4: // another figure: the enemy of a display
			body = append(body[:i:i], append([]byte("0123456789-"[dice.IntN(11):][:1]), body[i:]...)...)
		case 5:
			body = body[:i]
		}
	}
	return body
}

func TestTenThousandMutatedBodiesShowNoWrongFigure(t *testing.T) {
	dice := rand.New(rand.NewPCG(3, 1415))
	plain := text(t, status())
	bodies := [][]byte{
		Queue("sip:q@pbx", plain), Publication("sip:q@pbx", "q", plain), []byte(asterisk(plain)),
		Publication("sip:q@pbx", "q", base64.StdEncoding.EncodeToString([]byte(plain))),
		DialogInfo{Version: 7, Entity: "sip:q@pbx", Dialogs: []Dialog{{"q", "early"}}}.Body(), Phone("sip:p@pbx", Bell(nineOClock, 17)),
	}
	read, refused := 0, 0
	for range 10_000 {
		body := mutate(dice, bodies[dice.IntN(len(bodies))])
		if check(t, body) {
			read++
		} else {
			refused++
		}
	}
	if read < 100 || refused < 1000 { // else the mutations prove nothing
		t.Errorf("%d bodies were read, %d refused", read, refused)
	}
}

// check reads a body as everything it could be. It reports whether it was a report about a queue.
func check(t testing.TB, body []byte) bool {
	got, err := ReadQueue("q", body)
	if err == nil {
		if !got.Plausible() || got.Queue != "q" || got.Coarse || len([]rune(got.Title)) > titleMax || strings.ContainsAny(got.Title, "\r\n\x00") {
			t.Fatalf("read as %+v:\n%q", got, body)
		}
		if _, err := Text(got); err != nil {
			t.Fatalf("%+v was read but cannot be written: %v\n%q", got, err, body)
		}
	}
	if info, err := ReadDialogInfo(body); err == nil {
		if s := (Lamp{Waiting: info.Dialogs, Taken: info.Dialogs}).Status("q"); !s.Plausible() {
			t.Fatalf("read as %+v:\n%q", s, body)
		}
	}
	_, _ = ReadBell(body)
	return err == nil
}

func FuzzReadQueue(f *testing.F) {
	plain := text(f, status())
	f.Add(Queue("sip:q@pbx", plain))
	f.Add(Publication("sip:q@pbx", "q", plain))
	f.Add([]byte(asterisk(plain)))
	f.Add(Phone("sip:p@pbx", Bell(nineOClock, 17)))
	f.Fuzz(func(t *testing.T, body []byte) { check(t, body) })
}

func FuzzReadText(f *testing.F) {
	f.Add(text(f, status()))
	f.Add(`{"w":0,"a":0,"l":0,"p":0,"h":"\ud800"}`)
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := ReadText("q", text); err == nil && !got.Plausible() {
			t.Fatalf("%q was read as %+v", text, got)
		}
	})
}

func FuzzReadDialogInfo(f *testing.F) {
	f.Add(DialogInfo{Version: 1, Dialogs: []Dialog{{"a", "early"}}}.Body())
	f.Fuzz(func(t *testing.T, body []byte) {
		info, err := ReadDialogInfo(body)
		if err != nil {
			return
		}
		if again, err := ReadDialogInfo(info.Body()); err != nil || len(again.Dialogs) != len(info.Dialogs) {
			t.Fatalf("%+v comes back as %+v, %v", info, again, err)
		}
	})
}
