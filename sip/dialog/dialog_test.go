package dialog

import (
	"errors"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

const invite = `INVITE sip:201@pbx.example SIP/2.0
Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKa
From: "Ada" <sip:202@pbx.example>;tag=ours
To: <sip:201@pbx.example>
Call-ID: c1
CSeq: 21411 INVITE
Contact: <sip:x@192.0.2.9:5060>
Record-Route: <sip:p1.example;lr>
Record-Route: <sip:p2.example;lr>

`

// parse reads a message written with plain line ends.
func parse(t *testing.T, text string) sip.Message {
	t.Helper()
	message, err := sip.ParseMessage([]byte(strings.ReplaceAll(text, "\n", "\r\n")))
	if err != nil {
		t.Fatalf("parse %q: %v", text, err)
	}
	return message
}

func parseRequest(t *testing.T, text string) *sip.Request {
	t.Helper()
	return parse(t, text).(*sip.Request)
}

// answer is a response to the INVITE above.
func answer(t *testing.T, status, tag, contact string, routes ...string) *sip.Response {
	t.Helper()
	text := "SIP/2.0 " + status + " X\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKa\n" +
		"From: \"Ada\" <sip:202@pbx.example>;tag=ours\nTo: <sip:201@pbx.example>" + tag +
		"\nCall-ID: c1\nCSeq: 21411 INVITE\n"
	if contact != "" {
		text += "Contact: " + contact + "\n"
	}
	for _, route := range routes {
		text += "Record-Route: " + route + "\n"
	}
	return parse(t, text+"\n").(*sip.Response)
}

func newUAC(t *testing.T, response *sip.Response) *Dialog {
	t.Helper()
	d, err := NewUAC(parseRequest(t, invite), response)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func wantRoutes(t *testing.T, request *sip.Request, recipient string, routes ...string) {
	t.Helper()
	if got := request.Recipient.String(); got != recipient {
		t.Errorf("Request-URI %s, want %s", got, recipient)
	}
	var got []string
	for _, h := range request.GetHeaders("route") {
		got = append(got, h.Value())
	}
	if strings.Join(got, " ") != strings.Join(routes, " ") {
		t.Errorf("Route %v, want %v", got, routes)
	}
}

func TestAResponseWithoutToTagMakesNoDialog(t *testing.T) {
	if _, err := NewUAC(parseRequest(t, invite), answer(t, "180", "", "<sip:y@192.0.2.1>")); err == nil {
		t.Error("a dialog without remote tag")
	}
}

func TestAnInviteWithoutUsableContactMakesNoDialog(t *testing.T) {
	for _, contact := range []string{"", "Contact: *\n", "Contact: <tel:115>\n"} {
		text := strings.Replace(invite, "Contact: <sip:x@192.0.2.9:5060>\n", contact, 1)
		if _, err := NewUAS(parseRequest(t, text), "t"); err == nil {
			t.Errorf("%q: a dialog without remote target", contact)
		}
	}
}

func TestTheCallersRouteSetIsReversedAndTheCalleesIsNot(t *testing.T) {
	caller := newUAC(t, answer(t, "200", ";tag=theirs", "<sip:y@192.0.2.1:5070>", "<sip:p1.example;lr>", "<sip:p2.example;lr>"))
	wantRoutes(t, caller.Request(sip.BYE), "sip:y@192.0.2.1:5070", "<sip:p2.example;lr>", "<sip:p1.example;lr>")

	callee, err := NewUAS(parseRequest(t, invite), "theirs")
	if err != nil {
		t.Fatal(err)
	}
	bye := callee.Request(sip.BYE)
	wantRoutes(t, bye, "sip:x@192.0.2.9:5060", "<sip:p1.example;lr>", "<sip:p2.example;lr>")
	if bye.Destination() != "p1.example" {
		t.Errorf("BYE goes to %s, want the topmost route", bye.Destination())
	}
}

func TestAStrictRouteBecomesTheRequestURI(t *testing.T) {
	d := newUAC(t, answer(t, "200", ";tag=theirs", "<sip:y@192.0.2.1>", "<sip:p1.example;lr>", "<sip:p2.example>"))
	bye := d.Request(sip.BYE)
	wantRoutes(t, bye, "sip:p2.example", "<sip:p1.example;lr>", "<sip:y@192.0.2.1>")
	if bye.Destination() != "p2.example" {
		t.Errorf("BYE goes to %s, want the strict router", bye.Destination())
	}
}

func TestOnlyTheFirst2xxFixesTheRouteSet(t *testing.T) {
	d := newUAC(t, answer(t, "180", ";tag=theirs", "<sip:y@192.0.2.1>", "<sip:p1.example;lr>"))
	if d.State() != Early {
		t.Error("a 180 confirmed the dialog")
	}
	d.Confirm(answer(t, "200", ";tag=theirs", "<sip:z@192.0.2.1>", "<sip:p2.example;lr>"))
	wantRoutes(t, d.Request(sip.BYE), "sip:z@192.0.2.1", "<sip:p2.example;lr>")
	// The 2xx to a re-INVITE: target refresh, but the route set stays.
	again := answer(t, "200", ";tag=theirs", "<sip:w@192.0.2.1>")
	d.Confirm(again)
	d.Refresh(again)
	wantRoutes(t, d.Request(sip.BYE), "sip:w@192.0.2.1", "<sip:p2.example;lr>")
}

func TestTheACKHasTheCSeqOfItsInvite(t *testing.T) {
	response := answer(t, "200", ";tag=theirs", "<sip:y@192.0.2.1>")
	d := newUAC(t, response)
	info := d.Request(sip.INFO)
	if info.Destination() != "192.0.2.1" {
		t.Errorf("INFO goes to %s, want the remote target", info.Destination())
	}
	if info.CSeq().SeqNo != 21412 {
		t.Errorf("INFO has CSeq %d, want 21412", info.CSeq().SeqNo)
	}
	ack := d.ACK(response)
	if ack.CSeq().SeqNo != 21411 || ack.CSeq().MethodName != sip.ACK {
		t.Errorf("ACK has CSeq %s, want 21411 ACK", ack.CSeq().Value())
	}
	if got := d.Request(sip.BYE).CSeq().Value(); got != "21413 BYE" {
		t.Errorf("BYE after ACK has CSeq %s", got)
	}
}

func TestTwoForksAreTwoDialogs(t *testing.T) {
	a := newUAC(t, answer(t, "200", ";tag=a", "<sip:a@192.0.2.1>"))
	b := newUAC(t, answer(t, "200", ";tag=b", "<sip:b@192.0.2.2>"))
	if a.ID() == b.ID() {
		t.Error("both forks have the same name")
	}
	if got := b.Request(sip.BYE).To().Value(); got != "<sip:201@pbx.example>;tag=b" {
		t.Errorf("BYE of fork b goes to %s", got)
	}
}

func TestAnOldCSeqIsOutOfOrder(t *testing.T) {
	d, err := NewUAS(parseRequest(t, invite), "theirs")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		cseq string
		want error
	}{{"21410 INFO", ErrOutOfOrder}, {"21411 ACK", nil}, {"21412 INFO", nil}, {"21411 BYE", ErrOutOfOrder}, {"30000 BYE", nil}} {
		text := strings.Replace(invite, "21411 INVITE", c.cseq, 1)
		method := strings.Fields(c.cseq)[1]
		request := parseRequest(t, strings.Replace(text, "INVITE sip", method+" sip", 1))
		if err := d.Receive(request); !errors.Is(err, c.want) {
			t.Errorf("CSeq %s: %v, want %v", c.cseq, err, c.want)
		}
	}
}

func TestTheCalleeAnswersAndAsksWithItsTag(t *testing.T) {
	request := parseRequest(t, invite)
	d, err := NewUAS(request, "theirs")
	if err != nil {
		t.Fatal(err)
	}
	ringing := Response(request, 180, "theirs")
	if got := IDOfResponse(ringing); got != (ID{"c1", "ours", "theirs"}) {
		t.Errorf("180 belongs to %v", got)
	}
	if len(ringing.GetHeaders("record-route")) != 2 || ringing.Reason != "Ringing" {
		t.Errorf("180 lacks Record-Route or phrase:\n%s", ringing)
	}
	if to := Response(request, 100, "theirs").To().Value(); strings.Contains(to, "tag") {
		t.Errorf("100 has To %s", to)
	}
	bye := d.Request(sip.BYE)
	if bye.From().Value() != "<sip:201@pbx.example>;tag=theirs" || bye.To().Value() != `"Ada" <sip:202@pbx.example>;tag=ours` {
		t.Errorf("BYE from %s to %s", bye.From().Value(), bye.To().Value())
	}
	if request.To().Value() != "<sip:201@pbx.example>" {
		t.Errorf("the received INVITE was changed: To %s", request.To().Value())
	}
}

func TestAContactWithHeadersIsCleanedForTheRequestURI(t *testing.T) {
	d := newUAC(t, answer(t, "200", ";tag=theirs", "<sip:y@192.0.2.1;method=INVITE;ob?Subject=x>"))
	wantRoutes(t, d.Request(sip.BYE), "sip:y@192.0.2.1;ob")
}

func TestAnUnknownStatusHasThePhraseOfItsClass(t *testing.T) {
	for status, want := range map[int]string{-5: "Unknown", 499: "Client Error", 999: "Global Failure", 486: "Busy Here"} {
		if got := ReasonPhrase(status); got != want {
			t.Errorf("%d is %q, want %q", status, got, want)
		}
	}
}

func TestANotifyMakesTheSubscribersDialog(t *testing.T) {
	notify := parseRequest(t, `NOTIFY sip:201@192.0.2.9 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1
Record-Route: <sip:p1;lr>
Record-Route: <sip:p2;lr>
From: <sip:cc-kw@pbx>;tag=pbx
To: <sip:201@pbx>;tag=ours
Call-ID: c
CSeq: 70 NOTIFY
Contact: <sip:n@192.0.2.1>

`)
	d, err := NewSubscriber(notify, 3)
	if err != nil {
		t.Fatal(err)
	}
	if d.ID() != (ID{"c", "ours", "pbx"}) || d.State() != Confirmed || !d.Caller() {
		t.Errorf("dialog %+v", d)
	}
	refresh := d.Request(sip.SUBSCRIBE)
	if refresh.CSeq().SeqNo != 4 || refresh.Recipient.String() != "sip:n@192.0.2.1" || refresh.Route().Address.Host != "p1" {
		t.Errorf("refreshed with\n%s", refresh)
	}
	notify.CSeq().SeqNo = 69
	if err := d.Receive(notify); !errors.Is(err, ErrOutOfOrder) {
		t.Errorf("an older NOTIFY: %v", err)
	}
	notify.RemoveHeader("Contact")
	if _, err := NewSubscriber(notify, 3); err == nil {
		t.Error("a NOTIFY without Contact makes a dialog")
	}
}
