package offer

import (
	"errors"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"freizeichen/sip"

	"github.com/pion/sdp/v3"
)

var local = Local{Address: netip.MustParseAddrPort("192.0.2.10:10000"), SessionID: 7, Version: 3}

// body joins the lines of a description.
func body(lines ...string) []byte { return []byte(strings.Join(lines, "\r\n") + "\r\n") }

// session is a description of one session with the given media lines and attributes.
func session(lines ...string) []byte {
	return body(append([]string{"v=0", "o=- 1 1 IN IP4 192.0.2.20", "s=-", "c=IN IP4 192.0.2.20", "t=0 0"}, lines...)...)
}

// asterisk is what Asterisk 22 offers an agent's phone for a caller with A-law.
var asterisk = body("v=0", "o=- 1909436841 1909436841 IN IP4 192.0.2.20", "s=Asterisk", "c=IN IP4 192.0.2.20", "t=0 0",
	"m=audio 21026 RTP/AVP 8 107 9 101 102",
	"a=rtpmap:8 PCMA/8000", "a=rtpmap:107 opus/48000/2", "a=fmtp:107 useinbandfec=1", "a=rtpmap:9 G722/8000",
	"a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16", "a=rtpmap:102 telephone-event/48000", "a=fmtp:102 0-16",
	"a=ptime:20", "a=maxptime:140", "a=sendrecv")

func TestAnOfferThatCannotBePlayedIsRefused(t *testing.T) {
	tests := []struct {
		name  string
		offer []byte
	}{
		{"no stream", session()},
		{"only G.722", session("m=audio 4000 RTP/AVP 9", "a=rtpmap:9 G722/8000")},
		{"only telephone-event", session("m=audio 4000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000")},
		{"PCMA at 16 kHz", session("m=audio 4000 RTP/AVP 96", "a=rtpmap:96 PCMA/16000")},
		{"PCMA in stereo", session("m=audio 4000 RTP/AVP 96", "a=rtpmap:96 PCMA/8000/2")},
		{"static number with another meaning", session("m=audio 4000 RTP/AVP 8", "a=rtpmap:8 opus/48000/2")},
		{"sound switched off", session("m=audio 0 RTP/AVP 8")},
		{"only SRTP", session("m=audio 4000 RTP/SAVP 8", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc")},
		{"browser", session("m=audio 4000 UDP/TLS/RTP/SAVPF 8")},
		{"fax", session("m=image 4000 udptl t38", "a=T38FaxVersion:0")},
		{"address is a name", session("m=audio 4000 RTP/AVP 8", "c=IN IP4 pbx.example.com")},
		{"multicast", session("m=audio 4000 RTP/AVP 8", "c=IN IP4 224.2.1.1/127")},
		{"IPv6 only", session("m=audio 4000 RTP/AVP 8", "c=IN IP6 2001:db8::1")},
	}
	for _, test := range tests {
		if answer, m, err := Answer(local, test.offer); !errors.Is(err, ErrNoCommonCodec) {
			t.Errorf("%s: answered %q, %+v, %v; want ErrNoCommonCodec", test.name, answer, m, err)
		}
		if m, err := Accept(local, test.offer); test.name != "no stream" && !errors.Is(err, ErrNoCommonCodec) {
			t.Errorf("%s: accepted as answer: %+v, %v; want ErrNoCommonCodec", test.name, m, err)
		}
	}
}

func TestAMalformedDescriptionIsRefused(t *testing.T) {
	tests := []struct {
		name  string
		offer []byte
	}{
		{"nothing", nil},
		{"no SDP", []byte("hello")},
		{"only version", body("v=0")},
		{"version 1", body("v=1", "o=- 1 1 IN IP4 192.0.2.20", "s=-", "t=0 0", "m=audio 4000 RTP/AVP 8")},
		{"no origin", body("v=0", "s=-", "c=IN IP4 192.0.2.20", "t=0 0", "m=audio 4000 RTP/AVP 8")},
		{"no t=", body("v=0", "o=- 1 1 IN IP4 192.0.2.20", "s=-", "c=IN IP4 192.0.2.20", "m=audio 4000 RTP/AVP 8")},
		{"no c=", body("v=0", "o=- 1 1 IN IP4 192.0.2.20", "s=-", "t=0 0", "m=audio 4000 RTP/AVP 8")},
		{"port too large", session("m=audio 70000 RTP/AVP 8")},
		{"port no number", session("m=audio x RTP/AVP 8")},
		{"no format", session("m=audio 4000 RTP/AVP")},
		{"line without type", session("m=audio 4000 RTP/AVP 8", "sendrecv")},
		{"bare CR hides a line", session("m=audio 4000 RTP/AVP 8", "a=x\ra=y")},
		{"NUL", session("m=audio 4000 RTP/AVP 8", "a=\x00")},
		{"UTF-8 in the m= line", session("m=audio 4000 RTP/AVP 8", "m=vidéo 4002 RTP/AVP 31")},
		{"too many streams", session(slices.Repeat([]string{"m=audio 4000 RTP/AVP 8"}, mediaMax+1)...)},
		{"too long", session("m=audio 4000 RTP/AVP 8", "a="+strings.Repeat("x", bodyMax))},
	}
	for _, test := range tests {
		if answer, _, err := Answer(local, test.offer); err == nil || errors.Is(err, ErrNoCommonCodec) {
			t.Errorf("offer with %s: answered %q, %v; want an error that it is malformed", test.name, answer, err)
		}
		if _, err := Accept(local, test.offer); err == nil || errors.Is(err, ErrNoCommonCodec) {
			t.Errorf("answer with %s: %v; want an error that it is malformed", test.name, err)
		}
	}
}

func TestTheOfferOfAsteriskIsAnswered(t *testing.T) {
	answer, m, err := Answer(local, asterisk)
	if err != nil {
		t.Fatal(err)
	}
	want := sip.Media{
		Remote:     netip.MustParseAddrPort("192.0.2.20:21026"),
		RemoteRTCP: netip.MustParseAddrPort("192.0.2.20:21027"),
		Codec:      sip.PCMA, PayloadType: 8, EventType: 101, PacketTime: 20 * time.Millisecond,
	}
	if m != want {
		t.Errorf("agreed on\n%+v, want\n%+v", m, want)
	}
	wantAnswer := body("v=0", "o=- 7 3 IN IP4 192.0.2.10", "s=-", "c=IN IP4 192.0.2.10", "t=0 0",
		"m=audio 10000 RTP/AVP 8 101", "a=rtpmap:8 PCMA/8000",
		"a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15", "a=ptime:20", "a=sendrecv")
	if string(answer) != string(wantAnswer) {
		t.Errorf("answered\n%s\nwant\n%s", answer, wantAnswer)
	}
}

func TestOurOfferPrefersALaw(t *testing.T) {
	want := body("v=0", "o=- 7 3 IN IP4 192.0.2.10", "s=-", "c=IN IP4 192.0.2.10", "t=0 0",
		"m=audio 10000 RTP/AVP 8 0 101", "a=rtpmap:8 PCMA/8000", "a=rtpmap:0 PCMU/8000",
		"a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15", "a=ptime:20", "a=sendonly")
	hold := local
	hold.Direction = sip.SendOnly
	if got := Offer(hold); string(got) != string(want) {
		t.Errorf("offered\n%s\nwant\n%s", got, want)
	}
}

func TestTheOrderOfTheOffererIsKept(t *testing.T) {
	tests := []struct {
		name, line string
		attributes []string
		formats    string // of our m= line
		codec      sip.Codec
		payload    uint8
		event      uint8
	}{
		{"mu-law first", "m=audio 4000 RTP/AVP 0 8", nil, "0 8", sip.PCMU, 0, 0},
		{"static without rtpmap", "m=audio 4000 RTP/AVP 18 8", nil, "8", sip.PCMA, 8, 0},
		{"lower case", "m=audio 4000 RTP/AVP 8", []string{"a=rtpmap:8 pcma/8000/1"}, "8", sip.PCMA, 8, 0},
		{"dynamic number", "m=audio 4000 RTP/AVP 97 96", []string{"a=rtpmap:97 PCMA/8000",
			"a=rtpmap:96 telephone-event/8000"}, "97 96", sip.PCMA, 97, 96},
		{"second dynamic number", "m=audio 4000 RTP/AVP 0 97", []string{"a=rtpmap:97 PCMA/8000"}, "0", sip.PCMU, 0, 0},
		{"the wide-band events come first", "m=audio 4000 RTP/AVP 8 102 101", []string{
			"a=rtpmap:102 telephone-event/48000", "a=rtpmap:101 telephone-event/8000"}, "8 101", sip.PCMA, 8, 101},
		{"comfort noise is not taken", "m=audio 4000 RTP/AVP 8 13", nil, "8", sip.PCMA, 8, 0},
		{"nonsense among the formats", "m=audio 4000 RTP/AVP 300 x 8", nil, "8", sip.PCMA, 8, 0},
	}
	for _, test := range tests {
		answer, m, err := Answer(local, session(append([]string{test.line}, test.attributes...)...))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if m.Codec != test.codec || m.PayloadType != test.payload || m.EventType != test.event {
			t.Errorf("%s: agreed on %+v", test.name, m)
		}
		if want := "m=audio 10000 RTP/AVP " + test.formats + "\r\n"; !strings.Contains(string(answer), want) {
			t.Errorf("%s: answered\n%s\nwithout %q", test.name, answer, want)
		}
	}
}

func TestOtherStreamsAreRefusedInPlace(t *testing.T) {
	answer, m, err := Answer(local, session(
		"m=video 5000 RTP/AVP 31 32", "a=sendonly",
		"m=audio 4000 RTP/SAVP 8",
		"m=audio 4002 RTP/AVP 9 8", "b=X-YZ:1", "a=recvonly",
		"m=image 4400 udptl t38",
		"m=audio 4004 RTP/AVP 8",
		"m=audio 0 RTP/AVP 0"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"m=video 0 RTP/AVP 31", "m=audio 0 RTP/SAVP 8", "m=audio 10000 RTP/AVP 8", "m=image 0 udptl t38",
		"m=audio 0 RTP/AVP 8", "m=audio 0 RTP/AVP 0"}
	var got []string
	for line := range strings.SplitSeq(string(answer), "\r\n") {
		if strings.HasPrefix(line, "m=") {
			got = append(got, line)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("answered\n%q, want\n%q", got, want)
	}
	if m.Remote.Port() != 4002 || m.Direction != sip.SendOnly {
		t.Errorf("agreed on %+v, want port 4002, sendonly", m)
	}
}

func TestDirectionIsNeverMoreThanBothWant(t *testing.T) {
	tests := []struct {
		peer, wish, want sip.Direction
	}{
		{sip.Inactive, sip.SendRecv, sip.Inactive},
		{sip.SendRecv, sip.Inactive, sip.Inactive},
		{sip.SendOnly, sip.SendOnly, sip.Inactive}, // both hold
		{sip.RecvOnly, sip.RecvOnly, sip.Inactive},
		{sip.SendOnly, sip.SendRecv, sip.RecvOnly},
		{sip.RecvOnly, sip.SendRecv, sip.SendOnly},
		{sip.SendRecv, sip.SendOnly, sip.SendOnly},
		{sip.SendRecv, sip.RecvOnly, sip.RecvOnly},
		{sip.SendRecv, sip.SendRecv, sip.SendRecv},
	}
	for _, test := range tests {
		l := local
		l.Direction = test.wish
		remote := session("m=audio 4000 RTP/AVP 8", "a="+test.peer.String())
		answer, m, err := Answer(l, remote)
		if err != nil || m.Direction != test.want || !strings.Contains(string(answer), "a="+test.want.String()+"\r\n") {
			t.Errorf("offer %v, we want %v: agreed on %v, %v, answered\n%s", test.peer, test.wish, m.Direction, err, answer)
		}
		if m, err := Accept(l, remote); err != nil || m.Direction != test.want {
			t.Errorf("we offered %v, answer %v: agreed on %v, %v, want %v", test.wish, test.peer, m.Direction, err, test.want)
		}
	}
}

func TestAttributesOfTheStreamOverrideThoseOfTheSession(t *testing.T) {
	remote := body("v=0", "o=- 1 1 IN IP4 192.0.2.20", "s=-", "c=IN IP4 192.0.2.20", "t=10 20", "a=sendonly",
		"m=audio 4000 RTP/AVP 8", "c=IN IP4 192.0.2.21", "a=recvonly")
	answer, m, err := Answer(local, remote)
	if err != nil || m.Direction != sip.SendOnly || m.Remote.Addr().String() != "192.0.2.21" {
		t.Errorf("stream says recvonly at .21: agreed on %+v, %v", m, err)
	}
	if !strings.Contains(string(answer), "t=10 20\r\n") {
		t.Errorf("the time of the offer is not repeated:\n%s", answer)
	}
	remote = body("v=0", "o=- 1 1 IN IP4 192.0.2.20", "s=-", "c=IN IP4 192.0.2.20", "t=0 0", "a=sendonly",
		"m=audio 4000 RTP/AVP 8")
	if _, m, err := Answer(local, remote); err != nil || m.Direction != sip.RecvOnly {
		t.Errorf("session says sendonly: agreed on %+v, %v", m, err)
	}
}

func TestAnUnspecifiedAddressIsHoldOfRFC2543(t *testing.T) {
	tests := []struct {
		attribute string
		want      sip.Direction
	}{
		{"a=inactive", sip.Inactive},
		{"a=recvonly", sip.Inactive},
		{"a=sendonly", sip.RecvOnly},
		{"a=sendrecv", sip.RecvOnly},
	}
	for _, test := range tests {
		_, m, err := Answer(local, session("m=audio 4000 RTP/AVP 8", "c=IN IP4 0.0.0.0", test.attribute))
		if err != nil || m.Direction != test.want || !m.Remote.Addr().IsUnspecified() {
			t.Errorf("%s at 0.0.0.0: agreed on %+v, %v, want %v", test.attribute, m, err, test.want)
		}
	}
}

func TestRTCPGoesWhereThePeerWantsIt(t *testing.T) {
	tests := []struct{ attribute, want string }{
		{"a=rtcp:nonsense", "192.0.2.20:4001"},
		{"a=rtcp:0", "192.0.2.20:4001"},
		{"a=rtcp:53020 IN IP6 2001:db8::1", "192.0.2.20:4001"}, // we cannot reach it
		{"a=rtcp-mux", "192.0.2.20:4001"},                      // refused by silence
		{"a=sendrecv", "192.0.2.20:4001"},
		{"a=rtcp:53020", "192.0.2.20:53020"},
		{"a=rtcp:53020 IN IP4 192.0.2.99", "192.0.2.99:53020"},
	}
	for _, test := range tests {
		answer, m, err := Answer(local, session("m=audio 4000 RTP/AVP 8", test.attribute))
		if err != nil || m.RemoteRTCP.String() != test.want {
			t.Errorf("%s: RTCP to %v, %v, want %s", test.attribute, m.RemoteRTCP, err, test.want)
		}
		if strings.Contains(string(answer), "rtcp") {
			t.Errorf("%s: answered\n%s", test.attribute, answer)
		}
	}
	if _, m, err := Answer(local, session("m=audio 65535 RTP/AVP 8")); err != nil || m.RemoteRTCP.IsValid() {
		t.Errorf("no port above 65535: RTCP to %v, %v", m.RemoteRTCP, err)
	}
}

func TestThePacketTimeOfThePeerIsHonoured(t *testing.T) {
	tests := []struct {
		attributes []string
		wantMillis int
	}{
		{[]string{"a=ptime:nonsense"}, 20},
		{[]string{"a=ptime:0"}, 20},
		{[]string{"a=ptime:NaN"}, 20},
		{[]string{"a=ptime:-30"}, 20},
		{[]string{"a=ptime:1"}, 10},
		{[]string{"a=ptime:500"}, 60},
		{nil, 20},
		{[]string{"a=ptime:10"}, 10},
		{[]string{"a=ptime:30"}, 30},
		{[]string{"a=ptime:35.5"}, 30},
		{[]string{"a=ptime:40", "a=maxptime:30"}, 30},
		{[]string{"a=maxptime:10"}, 10},
	}
	for _, test := range tests {
		_, m, err := Answer(local, session(append([]string{"m=audio 4000 RTP/AVP 8"}, test.attributes...)...))
		if want := time.Duration(test.wantMillis) * time.Millisecond; err != nil || m.PacketTime != want {
			t.Errorf("%q: packets of %v, %v, want %v", test.attributes, m.PacketTime, err, want)
		}
	}
}

func TestLooseDescriptionsAreRead(t *testing.T) {
	loose := [][]byte{
		[]byte(strings.TrimSuffix(string(asterisk), "\r\n")), // the last line has no end
		[]byte(strings.ReplaceAll(string(asterisk), "\r\n", "\n")),
		session("m=audio 21026/2 RTP/AVP 8 101", "i=sound", "b=TIAS:64000", "k=prompt", "a=rtpmap:101 telephone-event/8000", ""),
	}
	for _, remote := range loose {
		if _, m, err := Answer(local, remote); err != nil || m.Remote.Port() != 21026 || m.EventType != 101 {
			t.Errorf("%q\nagreed on %+v, %v", remote, m, err)
		}
	}
}

func TestIPv6IsSpokenBothWays(t *testing.T) {
	l := Local{Address: netip.MustParseAddrPort("[2001:db8::10]:10000")}
	answer, m, err := Answer(l, session("m=audio 4000 RTP/AVP 8", "c=IN IP6 2001:db8::20"))
	if err != nil || m.Remote.String() != "[2001:db8::20]:4000" {
		t.Errorf("agreed on %+v, %v", m, err)
	}
	if !strings.Contains(string(answer), "c=IN IP6 2001:db8::10\r\n") {
		t.Errorf("answered\n%s", answer)
	}
}

func TestTwoPhonesAgree(t *testing.T) {
	caller := local
	callee := Local{Address: netip.MustParseAddrPort("192.0.2.30:12000"), Direction: sip.RecvOnly}
	answer, called, err := Answer(callee, Offer(caller))
	if err != nil {
		t.Fatal(err)
	}
	calling, err := Accept(caller, answer)
	if err != nil {
		t.Fatal(err)
	}
	if calling.Remote != callee.Address || called.Remote != caller.Address {
		t.Errorf("addresses: %v and %v", calling.Remote, called.Remote)
	}
	if calling.Direction != sip.SendOnly || called.Direction != sip.RecvOnly {
		t.Errorf("directions: %v and %v", calling.Direction, called.Direction)
	}
	if calling.Codec != sip.PCMA || called.Codec != sip.PCMA || calling.EventType != 101 || called.EventType != 101 {
		t.Errorf("formats: %+v and %+v", calling, called)
	}
}

// checkAnswer parses what we wrote with the library's parser, and holds it against the offer.
func checkAnswer(t *testing.T, remote, answer []byte) {
	t.Helper()
	var got sdp.SessionDescription
	text, media, err := admit(string(answer))
	if err != nil || got.UnmarshalString(text) != nil {
		t.Fatalf("our answer cannot be read:\n%q", answer)
	}
	_, offered, err := admit(string(remote))
	if err != nil || len(offered) != len(media) {
		t.Fatalf("%d streams offered, %d answered: %q", len(offered), len(media), answer)
	}
	accepted := 0
	for i := range media {
		if media[i].kind != offered[i].kind || media[i].protocol != offered[i].protocol {
			t.Fatalf("stream %d: offered %+v, answered %+v", i, offered[i], media[i])
		}
		if media[i].port != 0 {
			accepted++
		}
	}
	if accepted != 1 {
		t.Fatalf("%d streams accepted: %q", accepted, answer)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(asterisk)
	f.Add(session("m=video 5000 RTP/AVP 31", "m=audio 4002/2 RTP/AVP 97 8", "a=rtpmap:97 PCMU/8000", "a=rtcp:9 IN IP4 0.0.0.0"))
	f.Add(session("m=image 4400 udptl t38", "m=audio 4000 RTP/AVP 0", "c=IN IP4 0.0.0.0", "a=inactive", "a=ptime:1e9"))
	f.Fuzz(func(t *testing.T, remote []byte) {
		answer, m, err := Answer(local, remote)
		if err != nil {
			return
		}
		checkAnswer(t, remote, answer)
		if m.Codec == sip.CodecNone || m.PacketTime < 10*time.Millisecond || m.PacketTime > 60*time.Millisecond || !m.Remote.IsValid() {
			t.Fatalf("agreed on %+v", m)
		}
	})
}

func FuzzAccept(f *testing.F) {
	f.Add(asterisk)
	f.Add(session("m=audio 0 RTP/AVP 0"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		m, err := Accept(local, answer)
		if err == nil && (m.Codec == sip.CodecNone || !m.Remote.IsValid()) {
			t.Fatalf("agreed on %+v", m)
		}
	})
}

// TestManyFormatsCostLittle: 16 kB from a stranger must not stop the phone's signalling.
func TestManyFormatsCostLittle(t *testing.T) {
	lines := append([]string{"m=audio 4000 RTP/AVP" + strings.Repeat(" 9", 4000) + " 8"}, slices.Repeat([]string{"a=rtpmap:7 x/1"}, 400)...)
	offer := session(lines...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, m, err := Answer(local, offer)
	runtime.ReadMemStats(&after)
	if err != nil || m.Codec != sip.PCMA {
		t.Errorf("agreed on %+v, %v", m, err)
	}
	if cost := after.TotalAlloc - before.TotalAlloc; cost > 2<<20 {
		t.Errorf("%d bytes cost %d bytes of memory", len(offer), cost)
	}
}
