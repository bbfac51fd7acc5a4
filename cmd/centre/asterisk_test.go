package centre

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/acd"
	"freizeichen/sip/ami"
	"freizeichen/sip/ami/amitest"
	"freizeichen/sip/presence"
)

// reported is what Asterisk was told of the queue moers.
func reported(t *testing.T, server *amitest.Server) sip.QueueStatus {
	t.Helper()
	fields := strings.Split(server.State("PRESENCE_STATE(CustomPresence:cc-moers)"), ",")
	if len(fields) != 3 {
		return sip.QueueStatus{}
	}
	text, err := base64.StdEncoding.DecodeString(fields[2])
	if err != nil {
		t.Fatal(err)
	}
	status, err := presence.ReadText("moers", string(text))
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func TestBesideAnAsteriskAgentsAreMembersAndPhonesHearByPresence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, l := amitest.New("switchboard", "s3cret", "moers"), newLab()
		asterisk, err := NewAsterisk(ami.Config{Address: "pbx:5038", User: "switchboard", Secret: "s3cret", Presence: true, Dial: server.Dial})
		if err != nil {
			t.Fatal(err)
		}
		c := New(Config{ACD: acd.Config{Queues: []acd.Queue{{Name: "moers"}, {Name: "mars"}}}, PBX: asterisk, News: asterisk.News(), Agents: l, Memory: l})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- c.Run(ctx) }()
		time.Sleep(time.Second)
		if r := c.Do(t.Context(), "201", signIn); r.Problem != sip.NoProblem {
			t.Errorf("%+v", r)
		}
		if m := server.Members("moers"); len(m) != 1 || m[0].Interface != "PJSIP/201" || m[0].Name != "4711" {
			t.Errorf("%+v", m)
		}
		server.Join("moers", "1.1")
		time.Sleep(2 * time.Second)
		if s := reported(t, server); s.SignedIn != 1 || s.Waiting != 1 {
			t.Errorf("%+v", s)
		}
		if bell := server.State("PRESENCE_STATE(CustomPresence:cc-phone-201)"); !strings.HasPrefix(bell, "available,agent,") {
			t.Errorf("the bell: %q", bell)
		}
		// What was told grows old while nobody is there, and is told anew afterwards.
		before := reported(t, server).At
		server.Next(amitest.Refuse, amitest.Refuse)
		server.Cut("Event: QueueCallerLe")
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if s := c.State("201"); s.Confirmed || s.State != sip.Ready {
			t.Errorf("cut off: %+v", s)
		}
		server.Leave("moers", "1.1")
		time.Sleep(time.Minute)
		if s := reported(t, server); s.Waiting != 0 || s.SignedIn != 1 || !s.At.After(before) {
			t.Errorf("afterwards: %+v", s)
		}
		if err := asterisk.Resync(t.Context()); err != nil {
			t.Error(err)
		}
		server.Freeze()
		if done := asterisk.Do(t.Context(), acd.MemberRemove{ID: 9, Queue: "moers", Interface: "PJSIP/201"}); done != (acd.Done{ID: 9, Problem: acd.Unreachable}) {
			t.Errorf("%+v", done)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		server.Close()
	})
}
