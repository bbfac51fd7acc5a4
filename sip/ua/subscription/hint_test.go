package subscription

import (
	"testing"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/presence"
	"freizeichen/sip/ua/uatest"
)

// hinted is a desk that watches a queue by its two hints.
func hinted(t *testing.T) (d *desk, waiting, taken uatest.Sent) {
	d = newDesk(t, Source{Kind: Dialog, Prefix: "q-"})
	d.Online(d.Now, true)
	d.Queues(d.Now, []string{"kw"})
	return d, d.WantRequest("SUBSCRIBE"), d.WantRequest("SUBSCRIBE")
}

func info(version uint32, state string) string {
	return string(presence.DialogInfo{Version: version, Dialogs: []presence.Dialog{{ID: "q", State: state}}}.Body())
}

func lamp(waiting, signedIn, free int) sip.QueueReported {
	return sip.QueueReported{Status: sip.QueueStatus{Queue: "kw", Coarse: true, Waiting: waiting, SignedIn: signedIn, Free: free}}
}

func TestTheHintsOfAQueueAreALamp(t *testing.T) {
	d, waiting, taken := hinted(t)
	if waiting.Request.Recipient.User != "q-kw" || taken.Request.Recipient.User != "q-kw_avail" || headerOf(t, taken.Request, "User-Agent") != "Freizeichen/1" {
		t.Errorf("asked with\n%s\n%s", waiting.Request, taken.Request)
	}
	d.notify(waiting, note{body: info(0, "early")}, 200)
	d.want(lamp(1, 0, 0)) // nothing is known of agents
	d.notify(taken, note{body: info(0, "terminated")}, 200)
	d.want(lamp(1, 1, 1))
	d.notify(taken, note{cseq: 2, body: info(1, "confirmed")}, 200)
	d.want(lamp(1, 1, 0))
	d.notify(waiting, note{cseq: 2, body: info(1, "terminated")}, 200)
	d.want(lamp(0, 1, 0))
	d.notify(taken, note{cseq: 3, state: "terminated"}, 200)
	d.want(lamp(0, 0, 0))
	d.notify(waiting, note{cseq: 3, state: "terminated"}, 200)
	d.want(sip.QueueUnknown{Queue: "kw"})
	if len(d.events) > 0 {
		t.Errorf("events %v", d.events)
	}
}

func TestWithoutTheHintAboutAgentsTheLampTellsOfCallers(t *testing.T) {
	d, waiting, taken := hinted(t)
	d.Answer(taken, "404 Not Found", "tag=pbx")
	d.wantQuiet()
	d.notify(waiting, note{body: info(0, "terminated")}, 200)
	d.want(lamp(0, 0, 0))
	d.Online(d.Now, false) // a lamp has no time of its own
	d.want(sip.QueueUnknown{Queue: "kw"})
}

func TestDialogInfoIsTakenInItsOrder(t *testing.T) {
	d, waiting, _ := hinted(t)
	d.Answer(waiting, "200 OK", "tag=pbx", "Expires: 600")
	d.notify(waiting, note{body: info(4, "early")}, 200)
	d.want(lamp(1, 0, 0))
	d.notify(waiting, note{cseq: 2, body: info(3, "terminated")}, 200) // older
	d.notify(waiting, note{cseq: 3, body: info(4, "terminated")}, 200) // the same again
	d.wantQuiet()
	partial := func(version uint32, id, state string) string {
		return string(presence.DialogInfo{Version: version, Partial: true, Dialogs: []presence.Dialog{{ID: id, State: state}}}.Body())
	}
	d.notify(waiting, note{cseq: 4, body: partial(5, "other", "terminated")}, 200) // "q" stays as it was
	d.wantQuiet()
	d.notify(waiting, note{cseq: 5, body: partial(6, "q", "terminated")}, 200)
	d.want(lamp(0, 0, 0))
	d.notify(waiting, note{cseq: 6, body: partial(9, "q", "early")}, 200) // 7 and 8 are missing: ask for all
	refresh, after := d.again(time.Minute)
	if after > time.Second || refresh.Request.CallID().Value() != waiting.Request.CallID().Value() {
		t.Errorf("after %v\n%s", after, refresh.Request)
	}
	d.notify(waiting, note{cseq: 7, body: info(10, "early")}, 200)
	d.want(lamp(1, 0, 0))
}
