package subscription

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/presence"
	"freizeichen/sip/ua/uatest"
)

func TestAQueueIsSubscribedToAndReported(t *testing.T) {
	d, subscribe := queues(t)
	r := subscribe.Request
	for name, want := range map[string]string{"Event": "presence", "Accept": "application/pidf+xml", "Expires": "600", "User-Agent": "Digium-compatible Freizeichen/1",
		"Contact": "<sip:phone@192.0.2.9:5060>"} {
		if got := headerOf(t, r, name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if r.Recipient.String() != "sip:cc-kw@pbx.example" || r.Destination() != "192.0.2.1:5060" {
		t.Errorf("to %s by %s", r.Recipient.String(), r.Destination())
	}
	d.Answer(subscribe, "200 OK", "tag=pbx", "Contact: <sip:pbx@192.0.2.1:5060>", "Expires: 600")
	d.notify(subscribe, note{body: report(3)}, 200)
	d.wantWaiting(3)
	d.notify(subscribe, note{cseq: 2, body: report(3)}, 200) // the same is no news
	d.wantQuiet()
	d.notify(subscribe, note{cseq: 3, body: report(0)}, 200)
	d.wantWaiting(0)
	d.wantQuiet()
}

func TestASubscriptionIsRefreshedAtThreeQuartersOfItsTime(t *testing.T) {
	d, subscribe := queues(t)
	d.Answer(subscribe, "200 OK", "tag=pbx", "Expires: 100")
	d.notify(subscribe, note{body: report(1), state: "active;expires=99"}, 200)
	d.wantWaiting(1)
	for i := range 5 {
		refresh, after := d.again(time.Hour)
		if after < 67*time.Second || after > 83*time.Second {
			t.Errorf("refresh %d after %v", i, after)
		}
		if id := refresh.Request.CallID().Value(); id != subscribe.Request.CallID().Value() || refresh.Request.CSeq().SeqNo != uint32(2+i) ||
			!strings.HasSuffix(refresh.Request.To().Value(), ";tag=pbx") || refresh.Request.Recipient.String() != "sip:pbx@192.0.2.1:5060" {
			t.Errorf("refresh:\n%s", refresh.Request)
		}
		d.Answer(refresh, "200 OK", "Expires: 100")
		d.notify(subscribe, note{cseq: 2 + i, body: report(2 + i)}, 200)
		d.wantWaiting(2 + i)
	}
}

func TestANotifyMayComeBeforeTheAnswer(t *testing.T) {
	d, subscribe := queues(t)
	d.notify(subscribe, note{body: report(2)}, 200)
	d.wantWaiting(2)
	d.Answer(subscribe, "200 OK", "tag=pbx", "Expires: 60")
	if _, after := d.again(time.Minute); after > 50*time.Second {
		t.Errorf("refresh after %v", after)
	}
}

func TestAChallengeIsAnswered(t *testing.T) {
	d, subscribe := queues(t)
	d.Answer(subscribe, "401 Unauthorized", "tag=pbx", `WWW-Authenticate: Digest realm="pbx",nonce="1",algorithm=SHA-256,qop="auth"`)
	second := d.WantRequest("SUBSCRIBE")
	if !strings.Contains(headerOf(t, second.Request, "Authorization"), `uri="sip:cc-kw@pbx.example"`) || second.Request.CSeq().SeqNo != 2 {
		t.Errorf("answered\n%s", second.Request)
	}
	d.notify(second, note{body: report(1)}, 200)
	d.wantWaiting(1)
	d.Answer(second, "200 OK", "tag=pbx", "Expires: 100")
	if refresh, _ := d.again(time.Hour); refresh.Request.CSeq().SeqNo != 3 {
		t.Errorf("refresh\n%s", refresh.Request)
	}
}

func TestAWrongPasswordIsTriedSlowly(t *testing.T) {
	d, subscribe := queues(t)
	challenge := `WWW-Authenticate: Digest realm="pbx",nonce="%d",algorithm=MD5,qop="auth"`
	d.Answer(subscribe, "401 Unauthorized", "tag=pbx", fmt.Sprintf(challenge, 1))
	d.Answer(d.WantRequest("SUBSCRIBE"), "401 Unauthorized", "tag=pbx", fmt.Sprintf(challenge, 2))
	d.want(sip.QueueUnknown{Queue: "kw", Status: 401})
	if _, after := d.again(time.Hour); after < 4*time.Minute {
		t.Errorf("again after %v", after)
	}
}

func TestAnIntervalTooBriefIsMadeLonger(t *testing.T) {
	d, subscribe := queues(t)
	d.Answer(subscribe, "423 Interval Too Brief", "tag=pbx", "Min-Expires: 1800")
	second := d.WantRequest("SUBSCRIBE")
	if got := headerOf(t, second.Request, "Expires"); got != "1800" {
		t.Errorf("asked for %s", got)
	}
	d.Answer(second, "423 Interval Too Brief", "tag=pbx", "Min-Expires: 1800") // it cannot be pleased
	d.want(sip.QueueUnknown{Queue: "kw", Status: 423})
	if _, after := d.again(time.Hour); after > 3*time.Second {
		t.Errorf("again after %v", after)
	}
}

func TestRefusalsAreToldAndTriedSlowly(t *testing.T) {
	for _, status := range []string{"489 Bad Event", "404 Not Found", "403 Forbidden", "405 Method Not Allowed", "302 Moved", "603 Decline", "501 Not Implemented"} {
		d, subscribe := queues(t)
		d.Answer(subscribe, status, "tag=pbx")
		var code int
		fmt.Sscan(status, &code)
		d.want(sip.QueueUnknown{Queue: "kw", Status: code})
		next, after := d.again(time.Hour)
		if after < 4*time.Minute || after > 6*time.Minute {
			t.Errorf("%s: again after %v", status, after)
		}
		d.Answer(next, status, "tag=pbx")
		d.wantQuiet() // it was told once
	}
}

func TestAnExchangeThatIsAwayIsAskedWithGrowingPauses(t *testing.T) {
	d, subscribe := queues(t)
	var pauses []time.Duration
	for range 9 {
		d.TimeOut(subscribe)
		var after time.Duration
		subscribe, after = d.again(time.Hour)
		pauses = append(pauses, after)
	}
	if !slices.IsSorted(pauses[:6]) || pauses[0] > 2*time.Second || pauses[8] < 45*time.Second || pauses[8] > 75*time.Second {
		t.Errorf("pauses %v", pauses)
	}
	d.want(sip.QueueUnknown{Queue: "kw"})
	d.wantQuiet()
	d.Answer(subscribe, "503 Service Unavailable", "tag=pbx", "Retry-After: 240 (busy)")
	d.want(sip.QueueUnknown{Queue: "kw", Status: 503})
	if _, after := d.again(time.Hour); after < 240*time.Second {
		t.Errorf("Retry-After: again after %v", after)
	}
}

func TestASubscriptionThatNobodyNotifiesOfHasFailed(t *testing.T) {
	d, subscribe := queues(t)
	d.Answer(subscribe, "200 OK", "tag=pbx", "Expires: 600")
	next, after := d.again(time.Hour)
	if after < 32*time.Second || after > 35*time.Second || next.Request.CallID().Value() == subscribe.Request.CallID().Value() {
		t.Errorf("after %v\n%s", after, next.Request)
	}
	d.want(sip.QueueUnknown{Queue: "kw"})
	d.notify(subscribe, note{body: report(1)}, 481) // too late
	d.wantQuiet()
}

func TestARestartedExchangeIsSubscribedToAnew(t *testing.T) {
	d, subscribe := queues(t)
	d.Answer(subscribe, "200 OK", "tag=pbx", "Expires: 600")
	d.notify(subscribe, note{body: report(1)}, 200)
	d.wantWaiting(1)
	d.Online(d.Now, false)
	d.Advance(10 * time.Minute)
	d.want(sip.QueueUnknown{Queue: "kw"}) // its time was over, and nobody could refresh it
	d.wantQuiet()
	d.Online(d.Now, true)
	next, after := d.again(time.Minute)
	if after > time.Second || next.Request.CallID().Value() == subscribe.Request.CallID().Value() {
		t.Errorf("after %v\n%s", after, next.Request)
	}
	d.Answer(next, "200 OK", "tag=pbx2", "Expires: 600")
	d.notify(next, note{tag: "pbx2", body: report(2)}, 200)
	d.wantWaiting(2)
	// A short loss: the exchange may still know us.
	d.Online(d.Now, false)
	d.Online(d.Now, true)
	refresh, _ := d.again(time.Minute)
	d.Answer(refresh, "481 Call/Transaction Does Not Exist")
	d.want(sip.QueueUnknown{Queue: "kw", Status: 481})
	third, after := d.again(time.Minute)
	if after > time.Second || strings.Contains(third.Request.To().Value(), "tag=") {
		t.Errorf("after %v\n%s", after, third.Request)
	}
	d.notify(third, note{tag: "pbx3", body: report(2)}, 200)
	d.wantWaiting(2)
}

func TestAReportThatIsNotRepeatedIsAskedFor(t *testing.T) {
	d := newDesk(t, Source{Kind: Presence, Prefix: "cc-", Device: "cc-phone-201", Expires: 24 * time.Hour})
	d.Online(d.Now, true)
	bell := d.WantRequest("SUBSCRIBE")
	d.Queues(d.Now, []string{"kw"})
	subscribe := d.WantRequest("SUBSCRIBE")
	for _, s := range []uatest.Sent{bell, subscribe} {
		d.Answer(s, "200 OK", "tag=pbx", "Expires: 86400")
	}
	d.notify(bell, note{state: "active", body: string(presence.Phone("sip:p@pbx", presence.Bell(uatest.Start, 1)))}, 200)
	d.notify(subscribe, note{state: "active", body: report(1)}, 200)
	d.want(sip.AgentChanged{Version: 1})
	d.wantWaiting(1)
	// The reporter has died: the exchange repeats what it has, and is asked more and more rarely.
	var pauses []time.Duration
	for cseq := range 6 {
		refresh, after := d.again(time.Hour)
		pauses = append(pauses, after)
		d.Answer(refresh, "200 OK", "Expires: 86400")
		d.notify(subscribe, note{cseq: 2 + cseq, state: "active", body: report(1)}, 200)
	}
	if !slices.IsSorted(pauses[:4]) || pauses[0] < 80*time.Second || pauses[0] > 100*time.Second || pauses[5] < 12*time.Minute {
		t.Errorf("pauses %v", pauses)
	}
	d.notify(subscribe, note{cseq: 20, state: "active", body: report(2)}, 200)
	d.wantWaiting(2)
	refresh, after := d.again(time.Hour)
	if after > 100*time.Second {
		t.Errorf("after %v", after)
	}
	// The exchange was restarted: it has forgotten the bell too.
	d.Answer(refresh, "481 Call/Transaction Does Not Exist")
	d.want(sip.QueueUnknown{Queue: "kw", Status: 481})
	first, _ := d.again(time.Minute)
	second, after := d.again(time.Minute)
	resources := []string{first.Request.CallID().Value(), second.Request.CallID().Value()}
	if !slices.Contains(resources, bell.Request.CallID().Value()) || slices.Contains(resources, subscribe.Request.CallID().Value()) || after > time.Second {
		t.Errorf("after %v\n%s\n%s", after, first.Request, second.Request)
	}
}

func TestTheReasonOfAnEndDecidesAboutTheNext(t *testing.T) {
	for _, c := range []struct {
		state       string
		least, most time.Duration
	}{
		{"terminated", 0, time.Second},
		{"terminated;reason=deactivated", 0, time.Second},
		{"terminated;reason=deactivated;retry-after=100", 0, time.Second}, // section 4.1.3: no semantics there
		{"terminated;reason=timeout", 0, time.Second},
		{"terminated;reason=probation;retry-after=100", 100 * time.Second, 101 * time.Second},
		{"terminated;reason=giveup;retry-after=99999999", 10 * time.Minute, 10*time.Minute + time.Second},
		{"terminated;reason=giveup", 0, time.Second},
		{"terminated;reason=rejected", 4 * time.Minute, 6 * time.Minute},
		{"terminated;reason=noresource", 4 * time.Minute, 6 * time.Minute},
		{"Terminated;Reason=invariant", 4 * time.Minute, 6 * time.Minute},
		{"terminated;reason=tomorrow", 0, time.Second},
	} {
		d, subscribe := queues(t)
		d.Answer(subscribe, "200 OK", "tag=pbx", "Expires: 600")
		d.notify(subscribe, note{body: report(1)}, 200)
		d.wantWaiting(1)
		d.notify(subscribe, note{cseq: 2, state: c.state}, 200)
		d.want(sip.QueueUnknown{Queue: "kw"})
		next, after := d.again(time.Hour)
		if after < c.least || after > c.most || next.Request.CallID().Value() == subscribe.Request.CallID().Value() {
			t.Errorf("%s: again after %v", c.state, after)
		}
	}
}

func TestAnExchangeThatEndsEverySubscriptionIsNotBesieged(t *testing.T) {
	d, subscribe := queues(t)
	began := d.Now
	for range 12 {
		d.Answer(subscribe, "200 OK", "tag=pbx", "Expires: 600")
		d.notify(subscribe, note{state: "terminated;reason=deactivated"}, 200)
		subscribe, _ = d.again(time.Hour)
	}
	if took := d.Now.Sub(began); took < 5*time.Minute {
		t.Errorf("12 subscriptions in %v", took)
	}
}

func TestNotifiesOutOfPlaceAreRefused(t *testing.T) {
	d, subscribe := queues(t)
	d.notify(subscribe, note{body: report(1), state: "none"}, 400)
	d.notify(subscribe, note{body: report(1), event: "dialog"}, 489)
	d.notify(subscribe, note{body: report(1), event: "presence;id=7"}, 481)
	d.notify(subscribe, note{body: report(1), kind: "text/plain"}, 415)
	d.notify(subscribe, note{body: report(1), more: "Content-Encoding: gzip\n"}, 415)
	d.wantQuiet()
	d.notify(subscribe, note{cseq: 5, body: report(1)}, 200)
	d.wantWaiting(1)
	d.notify(subscribe, note{cseq: 4, body: report(9)}, 500) // older than what is shown
	d.notify(subscribe, note{cseq: 1, tag: "fork", body: report(9)}, 481)
	d.wantQuiet()
	d.notify(subscribe, note{cseq: 6, body: report(2)}, 200)
	d.wantWaiting(2)
}

func TestABodyThatCannotBeTrueLeavesTheQueueUnknown(t *testing.T) {
	d, subscribe := queues(t)
	d.notify(subscribe, note{state: "pending"}, 200)
	d.wantQuiet()
	cseq := 1
	for _, body := range []string{strings.Replace(report(1), ":1,", ":-1,", 1), "<presence", string(presence.Silent("sip:q@pbx")), ""} {
		cseq += 2
		d.notify(subscribe, note{cseq: cseq, body: report(1)}, 200)
		d.wantWaiting(1)
		d.notify(subscribe, note{cseq: cseq + 1, body: body}, 200)
		d.want(sip.QueueUnknown{Queue: "kw"})
	}
	d.wantQuiet()
}

func TestANotifyCanCutTheTime(t *testing.T) {
	d, subscribe := queues(t)
	d.Answer(subscribe, "200 OK", "tag=pbx", "Expires: 600")
	d.notify(subscribe, note{state: "active;expires=40", body: report(1)}, 200)
	if _, after := d.again(time.Hour); after > 34*time.Second {
		t.Errorf("refresh after %v", after)
	}
}

func TestQueuesThatAreDroppedAreUnsubscribed(t *testing.T) {
	d, subscribe := queues(t)
	d.Answer(subscribe, "200 OK", "tag=pbx", "Expires: 600")
	d.notify(subscribe, note{body: report(1)}, 200)
	d.wantWaiting(1)
	d.Queues(d.Now, []string{"moers", "moers"})
	leave, join := d.WantRequest("SUBSCRIBE"), d.WantRequest("SUBSCRIBE")
	if headerOf(t, leave.Request, "Expires") != "0" || leave.Request.CallID().Value() != subscribe.Request.CallID().Value() || join.Request.Recipient.User != "cc-moers" {
		t.Errorf("left with\n%s\njoined with\n%s", leave.Request, join.Request)
	}
	d.Answer(leave, "200 OK", "Expires: 0")
	d.notify(subscribe, note{cseq: 2, state: "terminated;reason=timeout", body: report(2)}, 200)
	d.notify(subscribe, note{cseq: 3, body: report(2)}, 481)
	// One that nobody has notified of yet is ended by the refusal of its NOTIFY.
	d.Queues(d.Now, nil)
	d.notify(join, note{body: report(2)}, 481)
	d.wantQuiet()
	if !d.Ended() {
		t.Errorf("%d subscriptions are left", len(d.subscriptions))
	}
}

func TestStopUnsubscribes(t *testing.T) {
	d := newDesk(t, Source{Kind: Presence, Prefix: "cc-", Device: "cc-phone-201", Expires: 300 * time.Second})
	d.Queues(d.Now, []string{"kw"})
	d.wantQuiet() // not yet registered
	d.Online(d.Now, true)
	bell, subscribe := d.WantRequest("SUBSCRIBE"), d.WantRequest("SUBSCRIBE")
	if headerOf(t, bell.Request, "Expires") != "300" || bell.Request.Recipient.User != "cc-phone-201" {
		t.Errorf("bell\n%s", bell.Request)
	}
	d.notify(subscribe, note{body: report(1)}, 200)
	d.wantWaiting(1)
	d.Stop(d.Now)
	d.WantNothing() // while the SUBSCRIBE is under way
	d.Answer(subscribe, "200 OK", "tag=pbx", "Expires: 300")
	leave := d.WantRequest("SUBSCRIBE")
	d.Answer(leave, "200 OK", "Expires: 0")
	if headerOf(t, leave.Request, "Expires") != "0" || d.Ended() {
		t.Errorf("left with\n%s", leave.Request)
	}
	d.Advance(time.Minute) // the last NOTIFY is lost
	d.Queues(d.Now, []string{"kw"})
	if d.wantQuiet(); !d.Ended() {
		t.Error("a subscription is left")
	}
}

func TestTheBellRingsOncePerVersion(t *testing.T) {
	d := newDesk(t, Source{Kind: Dialog, Device: "cc-phone-201"})
	d.Online(d.Now, true)
	subscribe := d.WantRequest("SUBSCRIBE")
	for i, version := range []uint64{17, 17, 18, 3} {
		d.notify(subscribe, note{cseq: i + 1, body: string(presence.Phone("sip:p@pbx", presence.Bell(uatest.Start, version)))}, 200)
	}
	d.notify(subscribe, note{cseq: 9, body: report(1)}, 200)
	d.notify(subscribe, note{cseq: 10, state: "terminated"}, 200)
	for _, version := range []uint64{17, 18, 3} {
		d.want(sip.AgentChanged{Version: version})
	}
	if d.wantQuiet(); d.Watch.Deadline().IsZero() {
		t.Error("the bell has gone for good")
	}
}

func TestTooManyQueuesAreNotWatched(t *testing.T) {
	d := newDesk(t, Source{Kind: Presence, Prefix: "cc-", Device: "bell"})
	var names []string
	for i := range 40 {
		names = append(names, fmt.Sprint("q", i))
	}
	d.Queues(d.Now, append([]string{"no such@name"}, names...))
	d.Online(d.Now, true)
	if len(d.Sent) != 31 { // the bell and 30 queues
		t.Errorf("%d subscriptions", len(d.Sent))
	}
	if len(d.events) != 11 || d.events[0] != (sip.QueueUnknown{Queue: "no such@name"}) || d.events[10] != (sip.QueueUnknown{Queue: "q39"}) {
		t.Errorf("events %v", d.events)
	}
}

func TestNothingIsWatchedWithoutASource(t *testing.T) {
	d := newDesk(t, Source{Device: "bell"})
	d.Online(d.Now, true)
	d.Queues(d.Now, []string{"kw"})
	d.wantQuiet()
}
