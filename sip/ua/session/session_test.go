package session

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"freizeichen/sip"
	"freizeichen/sip/ua/header"
)

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// request is one with these header fields: name, value, name, value.
func request(fields ...string) *sipgo.Request {
	r := sipgo.NewRequest(sipgo.INVITE, sipgo.Uri{User: "201", Host: "pbx.example"})
	for i := 0; i < len(fields); i += 2 {
		r.AppendHeader(sipgo.NewHeader(fields[i], fields[i+1]))
	}
	return r
}

func response(fields ...string) *sipgo.Response {
	r := sipgo.NewResponse(200, "OK")
	for i := 0; i < len(fields); i += 2 {
		r.AppendHeader(sipgo.NewHeader(fields[i], fields[i+1]))
	}
	return r
}

func TestOnlyAPeerWithTimersIsTold422(t *testing.T) {
	for _, c := range []struct {
		fields []string
		want   bool
	}{
		{[]string{"Session-Expires", "89", "Supported", "timer"}, true},
		{[]string{"x", "60;refresher=uac", "k", "100rel, TIMER"}, true},
		{[]string{"Session-Expires", "60"}, false},
		{[]string{"Session-Expires", "90", "Supported", "timer"}, false},
		{[]string{"Session-Expires", "nonsense", "Supported", "timer"}, false},
		{[]string{"Supported", "timer"}, false},
	} {
		if got := TooShort(request(c.fields...)); got != c.want {
			t.Errorf("%q: %v", c.fields, got)
		}
	}
}

func TestTheAnswererChoosesWhoRefreshes(t *testing.T) {
	for _, c := range []struct {
		fields       []string
		expires      string
		ours         bool
		refresh, end time.Duration
	}{
		{[]string{"Session-Expires", "1800", "Supported", "timer"}, "1800;refresher=uac", false, 0, 1768 * time.Second},
		{[]string{"Session-Expires", "1800;refresher=UAS", "Supported", "timer"}, "1800;refresher=uas", true, 900 * time.Second, 1800 * time.Second},
		{[]string{"Session-Expires", "90", "Supported", "timer"}, "90;refresher=uac", false, 0, 60 * time.Second},
		{[]string{"Session-Expires", "1800"}, "1800;refresher=uas", true, 900 * time.Second, 1800 * time.Second},
		{nil, "", true, 0, 0},
	} {
		var timer Timer
		ok := response()
		timer.Agree(start, request(c.fields...), ok)
		if got := header.First(ok, "session-expires"); got != c.expires {
			t.Errorf("%q: answered %s", c.fields, got)
		}
		if required := header.Has(ok, "timer", "require"); required != (c.expires != "" && !c.ours) {
			t.Errorf("%q: Require %v", c.fields, required)
		}
		wantTimes(t, timer, c.refresh, c.end)
	}
}

func wantTimes(t *testing.T, timer Timer, refresh, end time.Duration) {
	t.Helper()
	for _, c := range []struct {
		got  time.Time
		want time.Duration
	}{{timer.Refresh, refresh}, {timer.End, end}} {
		if c.want == 0 != c.got.IsZero() || c.want != 0 && c.got.Sub(start) != c.want {
			t.Errorf("%+v: want refresh after %v, end after %v", timer, refresh, end)
		}
	}
}

func TestTheCallerTakesWhatIsConfirmed(t *testing.T) {
	timer := Timer{Wanted: 30 * time.Minute}
	invite := request()
	timer.Ask(invite)
	if got := header.First(invite, "session-expires"); got != "1800" {
		t.Errorf("asked for %s", got)
	}
	timer.Confirm(start, response("Session-Expires", "600;refresher=uas"))
	wantTimes(t, timer, 0, 568*time.Second)
	update := request()
	timer.Ask(update)
	if got := header.First(update, "session-expires"); got != "600;refresher=uas" {
		t.Errorf("asked for %s", got)
	}
	timer.Confirm(start, response("Session-Expires", "1;refresher=uac"))
	wantTimes(t, timer, 45*time.Second, 90*time.Second)
	// A peer that agrees to none: we refresh by ourselves, and nothing expires.
	timer.Confirm(start, response())
	wantTimes(t, timer, 15*time.Minute, 0)
	timer = Timer{}
	timer.Confirm(start, response())
	wantTimes(t, timer, 0, 0)
}

func TestAMinimumIsRepeated(t *testing.T) {
	timer := Timer{Wanted: 90 * time.Second}
	if timer.Longer(nil) || timer.Longer(response()) || timer.Longer(response("Min-SE", "90")) {
		t.Error("asks again for the same")
	}
	if !timer.Longer(response("Min-SE", "120")) || timer.Longer(response("Min-SE", "120")) {
		t.Error("does not ask for more, or again for the same")
	}
	invite := request()
	timer.Ask(invite)
	if header.First(invite, "session-expires") != "120" || header.First(invite, "min-se") != "120" {
		t.Errorf("asked\n%s", invite)
	}
}

func TestTheVersionRisesOnlyWhenTheDescriptionChanges(t *testing.T) {
	d := Description{Local: netip.MustParseAddrPort("192.0.2.9:20000"), Session: 7}
	first, again := d.Offer(sip.SendRecv), d.Offer(sip.SendRecv)
	if !bytes.Equal(first, again) {
		t.Errorf("the same offer twice:\n%s\n%s", first, again)
	}
	for i, direction := range []sip.Direction{sip.SendOnly, sip.SendRecv, sip.Inactive} {
		want := []byte("o=- 7 " + string(rune('1'+i)) + " ")
		if body := d.Offer(direction); !bytes.Contains(body, want) {
			t.Errorf("want %s in\n%s", want, body)
		}
	}
	if _, _, err := d.Answer(sip.SendRecv, []byte("nonsense")); err == nil {
		t.Error("nonsense was answered")
	}
	body, agreed, err := d.Answer(sip.SendRecv, first)
	if err != nil || agreed.Direction != sip.SendRecv || !bytes.Contains(body, []byte("o=- 7 4 ")) {
		t.Errorf("%v, %+v\n%s", err, agreed, body)
	}
	if accepted, err := d.Accept(sip.SendOnly, first); err != nil || accepted.Direction != sip.SendOnly {
		t.Errorf("%v, %+v", err, accepted)
	}
}

func FuzzTimer(f *testing.F) {
	f.Add("1800;refresher=uac", "timer", "90")
	f.Add("99999999999999999999", "", "-1")
	f.Fuzz(func(t *testing.T, expires, supported, least string) {
		var timer Timer
		timer.Agree(start, request("Session-Expires", expires, "Supported", supported), response())
		timer.Longer(response("Min-SE", least))
		timer.Confirm(start, response("Session-Expires", expires))
		if timer.Interval != 0 && (timer.Interval < IntervalMin || timer.Interval > intervalMax || timer.End.Before(start.Add(time.Minute))) {
			t.Errorf("%q: %+v", expires, timer)
		}
	})
}
