package wire

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"freizeichen/sip"
)

var (
	noon      = time.Date(2026, 3, 10, 12, 0, 0, 123456000, time.UTC)
	ada       = sip.Agent{Device: "201", Number: "4711", Name: "Ada Müller", State: sip.WrapUp, Reason: "wrap-up", Since: noon, Until: noon.Add(30 * time.Second), Extends: 2, PausesNext: "break", Queues: []string{"kw-zulassung", "moers"}, Version: 17, Confirmed: true}
	gone      = sip.Agent{Device: "201", State: sip.SignedOut, Elsewhere: "202", Version: 18}
	forwarded = sip.Outcome{ID: strings.Repeat("0a", 16), Revision: 2, Agent: "4711", Queue: "kw-zulassung", Tenant: "kw", Line: "115", Topic: "zulassung", Office: "kw-36", Result: sip.Forwarded, At: noon, Talked: 93500 * time.Millisecond, WrapUp: 12 * time.Second}
	callBack  = sip.OfficeMessage{ID: strings.Repeat("0b", 16), Agent: "4711", Tenant: "kw", Line: "115", Topic: "zulassung", Office: "kw-36", Callback: "028412020", Name: "Frau Ünal", At: noon}
	day       = sip.DayFigures{Day: noon, Team: sip.Tally{Calls: 6, Solved: 1, Forwarded: 2, Messages: 2, Unsaid: 1}, Own: sip.Tally{Calls: 1, Solved: 1},
		Lines: []sip.NamedTally{{Name: "115", Tally: sip.Tally{Calls: 6, Solved: 6}}}, Topics: []sip.NamedTally{{Name: "", Tally: sip.Tally{Calls: 1, Unsaid: 1}}}}
)

// there encodes and decodes.
func there[T any](t *testing.T, want T, encode func(T) []byte, decode func([]byte) (T, error)) {
	t.Helper()
	data := encode(want)
	got, err := decode(data)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s\ngot  %+v, %v\nwant %+v", data, got, err, want)
	}
}

func TestWhatIsSaidIsUnderstood(t *testing.T) {
	there(t, ada, EncodeAgent, DecodeAgent)
	there(t, gone, EncodeAgent, DecodeAgent)
	there(t, forwarded, EncodeOutcome, DecodeOutcome)
	there(t, callBack, EncodeMessage, DecodeMessage)
	there(t, day, EncodeFigures, DecodeFigures)
	there(t, noon, EncodeReceipt, DecodeReceipt)
	there(t, time.Time{}, EncodeReceipt, DecodeReceipt)
	there(t, Problem{"Not Found", 404, "there is no such address"}, EncodeProblem, DecodeProblem)
	for v := range sip.AgentVerbCount {
		r := sip.AgentRequest{Verb: v, Reason: "break"}
		if v == sip.SignIn {
			r = sip.AgentRequest{Verb: v, Number: "4711", PIN: "2580", TakeOver: true}
		}
		there(t, r, EncodeRequest, DecodeRequest)
	}
	for p := range sip.AgentProblemCount {
		there(t, sip.AgentReply{Problem: p, Tries: 3, Retry: noon, Elsewhere: "202", Known: true, Agent: ada}, EncodeReply, DecodeReply)
	}
	for s := range sip.AgentStateCount {
		a := ada
		if a.State = s; s == sip.SignedOut {
			a = gone
		}
		there(t, a, EncodeAgent, DecodeAgent)
	}
	for r := range sip.ResultCount {
		o := forwarded
		o.Result = r
		there(t, o, EncodeOutcome, DecodeOutcome)
	}
}

func TestTheFormIsThatOfTheContract(t *testing.T) {
	const (
		wantRequest = `{"verb":"sign-in","number":"4711","pin":"2580"}`
		wantReply   = `{"problem":"too-many-tries","retry":"2026-03-10T12:00:00.123456Z"}`
		wantOutcome = `{"id":"0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a","revision":2,"agent":"4711","queue":"kw-zulassung","tenant":"kw","line":"115","topic":"zulassung","office":"kw-36","result":"forwarded","at":"2026-03-10T12:00:00.123456Z","talked":93.5,"wrapUp":12}`
	)
	berlin := time.FixedZone("CET", 3600)
	o := forwarded
	o.At = o.At.In(berlin)
	for _, test := range []struct{ got, want string }{
		{string(EncodeRequest(sip.AgentRequest{ID: 9, Verb: sip.SignIn, Number: "4711", PIN: "2580"})), wantRequest},
		{string(EncodeReply(sip.AgentReply{ID: 9, Problem: sip.TooManyTries, Retry: noon})), wantReply},
		{string(EncodeOutcome(o)), wantOutcome},
	} {
		if test.got != test.want {
			t.Errorf("got  %s\nwant %s", test.got, test.want)
		}
	}
}

func TestWhatIsNoOutcomeIsRefused(t *testing.T) {
	good := string(EncodeOutcome(forwarded))
	for _, test := range []struct{ old, new, want string }{
		{good, "", "not the expected JSON"},
		{good, "null", "id"},
		{good, good + "x", "follows"},
		{good, good + good, "follows"},
		{good, good + strings.Repeat(" ", BodyMax), "at most"},
		{"4711", "\xff", "UTF-8"},
		{"4711", `\u0000`, "control"},
		{`"4711"`, `4711`, "agent has the wrong type"},
		{"4711", strings.Repeat("4", numberMax+1), "agent has 65 bytes"},
		{"0a0a", "0A0A", "id"},
		{"0a0a", "", "id"},
		{`"revision":2`, `"revision":-1`, "revision"},
		{`"revision":2`, `"revision":2.5`, "revision"},
		{`"revision":2`, `"revision":99999999999`, "revision"},
		{`"revision":2`, `"revision":2,"caller":"02841"`, "key that is not known"},
		{"forwarded", "praised", "result"},
		{"2026-03-10", "0001-01-01", "at is not a time"},
		{"2026-03-10", "2026-13-10", "JSON"},
		{`"at":"2026-03-10T12:00:00.123456Z",`, "", "at is missing"},
		{"93.5", "-1", "talked"},
		{"93.5", "1e9", "talked"},
		{"93.5", "1e999", "talked"},
		{`"wrapUp":12`, `"wrapUp":"12"`, "wrapUp"},
	} {
		bad := strings.Replace(good, test.old, test.new, 1)
		if bad == good {
			t.Fatalf("%q does not change the outcome", test.old)
		}
		if _, err := DecodeOutcome([]byte(bad)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.200s\ngot %v, want %q", bad, err, test.want)
		}
	}
}

func TestOtherThingsThatAreRefused(t *testing.T) {
	for _, test := range []struct {
		name   string
		decode func([]byte) error
		data   string
	}{
		{"sign-in without a PIN", request_, `{"verb":"sign-in","number":"4711"}`},
		{"a PIN for a pause", request_, `{"verb":"pause","pin":"2580"}`},
		{"no verb", request_, `{}`},
		{"a verb that is none", request_, `{"verb":"invalid"}`},
		{"a list", request_, `[]`},
		{"an agent who is signed out with a number", agent_, `{"device":"201","number":"4711","state":"signed-out","version":1}`},
		{"an agent who is ready without a number", agent_, `{"device":"201","state":"ready","version":1}`},
		{"a state that is none", agent_, `{"device":"201","state":"invalid","version":1}`},
		{"too many queues", agent_, `{"device":"201","number":"1","state":"ready","queues":["q"` + strings.Repeat(`,"q"`, queuesMax) + `]}`},
		{"all is well, but nothing known", reply_, `{"problem":"none"}`},
		{"a problem that is none", reply_, `{"problem":"invalid"}`},
		{"a message to nobody", message_, strings.Replace(string(EncodeMessage(callBack)), "kw-36", "", 1)},
		{"a tally of parts that are not its whole", figures_, strings.Replace(string(EncodeFigures(day)), `"calls":6`, `"calls":5`, 1)},
		{"a tally below nothing", figures_, strings.Replace(string(EncodeFigures(day)), `"calls":6,"solved":1`, `"calls":-6,"solved":-11`, 1)},
		{"a status that is none", problem_, `{"title":"x","status":1000,"detail":"y"}`},
		{"a due time of another age", receipt_, `{"due":"9999-12-31T23:59:59Z"}`},
	} {
		if err := test.decode([]byte(test.data)); err == nil || !strings.HasPrefix(err.Error(), "wire: ") {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestAPhoneNeedNotBeNewerThanItsSwitchboard(t *testing.T) {
	data := bytes.Replace(EncodeReply(sip.AgentReply{Known: true, Agent: ada}), []byte(`{`), []byte(`{"mood":"good",`), 2)
	if _, err := DecodeReply(data); err != nil {
		t.Error(err)
	}
}

func TestNoErrorRepeatsWhatNobodyMayRead(t *testing.T) {
	const secret = "92580"
	for _, data := range []string{
		`{"verb":"sign-in","number":"4711","pin":` + secret + `}`,
		`{"verb":"sign-in","number":"4711","pin":"` + secret + `","x":1}`,
		`{"verb":"` + secret + `"}`,
		`{"` + secret + `":1}`,
		`{"verb":"sign-in","pin":"` + secret + `\u0000","number":"1"}`,
		secret, `"` + secret + `"`, `{"verb":"sign-in" ` + secret,
	} {
		if _, err := DecodeRequest([]byte(data)); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", data, err)
		}
	}
	if _, err := DecodeMessage(bytes.Replace(EncodeMessage(callBack), []byte(`Z"`), []byte(`Z0284120"`), 1)); err == nil || strings.Contains(err.Error(), "0284120") {
		t.Errorf("got %v", err)
	}
}

func TestFiguresAlwaysFit(t *testing.T) {
	big := day
	for range 1000 {
		big.Topics = append(big.Topics, sip.NamedTally{Name: strings.Repeat("x", nameMax), Tally: day.Team})
		big.Lines = append(big.Lines, sip.NamedTally{Name: strings.Repeat("1", numberMax), Tally: day.Team})
	}
	got, err := DecodeFigures(EncodeFigures(big))
	if err != nil || len(got.Topics) != topicsMax {
		t.Errorf("%d topics, %v", len(got.Topics), err)
	}
}

func request_(data []byte) error { _, err := DecodeRequest(data); return err }
func agent_(data []byte) error   { _, err := DecodeAgent(data); return err }
func reply_(data []byte) error   { _, err := DecodeReply(data); return err }
func message_(data []byte) error { _, err := DecodeMessage(data); return err }
func figures_(data []byte) error { _, err := DecodeFigures(data); return err }
func receipt_(data []byte) error { _, err := DecodeReceipt(data); return err }
func problem_(data []byte) error { _, err := DecodeProblem(data); return err }

// again: what is understood can be said, and is then understood as the same.
func again[T any](t *testing.T, data []byte, decode func([]byte) (T, error), encode func(T) []byte) {
	value, err := decode(data)
	if err != nil {
		return
	}
	said := encode(value)
	if len(said) > BodyMax { // letters that JSON writes longer
		return
	}
	if back, err := decode(said); err != nil || !reflect.DeepEqual(back, value) {
		t.Errorf("%q\nbecame %q\nbecame %+v, %v\nwant   %+v", data, said, back, err, value)
	}
}

func FuzzFromPhone(f *testing.F) {
	f.Add(EncodeRequest(sip.AgentRequest{Verb: sip.SignIn, Number: "4711", PIN: "2580"}))
	f.Add(EncodeOutcome(forwarded))
	f.Add(EncodeMessage(callBack))
	f.Fuzz(func(t *testing.T, data []byte) {
		again(t, data, DecodeRequest, EncodeRequest)
		again(t, data, DecodeOutcome, EncodeOutcome)
		again(t, data, DecodeMessage, EncodeMessage)
	})
}

func FuzzFromSwitchboard(f *testing.F) {
	f.Add(EncodeAgent(ada))
	f.Add(EncodeReply(sip.AgentReply{Problem: sip.WrongPIN, Tries: 4}))
	f.Add(EncodeFigures(day))
	f.Add(EncodeReceipt(noon))
	f.Add(EncodeProblem(Problem{"Not Found", 404, "x"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		again(t, data, DecodeAgent, EncodeAgent)
		again(t, data, DecodeReply, EncodeReply)
		again(t, data, DecodeFigures, EncodeFigures)
		again(t, data, DecodeReceipt, EncodeReceipt)
		again(t, data, DecodeProblem, EncodeProblem)
	})
}
