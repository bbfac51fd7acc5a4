package asterisk

import (
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestAWrongPasswordOfTheManagerIsNamedWithItsSection(t *testing.T) {
	t.Parallel()
	pbx := Start(t, shorter)
	s := startService(t, pbx, change{"secret: " + Password, "secret: verkehrt"})
	s.waitSaid("cause=login-refused", "section [switchboard] in manager.conf")
	if strings.Contains(s.said(), "verkehrt") {
		t.Error("the password stands in the log")
	}
	d := s.seat("201")
	d.waitShow("keine Daten")
	d.signIn("4711", "1174")
	d.waitShow("Anlage nicht erreichbar, nichts geändert", "Abgemeldet")
	if n := s.value("queue_waiting " + queues[0]); n != -1 {
		t.Errorf("a queue that nobody knows has %d callers", n)
	}
}

// member is the line of a phone in "queue show", empty when it does not serve the queue.
func (p *PBX) member(queue, user string) string {
	for line := range strings.Lines(p.CLI("queue show " + queue)) {
		if strings.Contains(line, "PJSIP/"+user) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

func TestAsteriskComesBackWithItsMembersAndWithoutGhosts(t *testing.T) {
	t.Parallel()
	pbx := Start(t, shorter, Edit{"queues.conf", "persistentmembers = no", "persistentmembers = yes"})
	s := startService(t, pbx)
	d := s.seat("201")
	d.signIn("4711", "1174")
	d.waitShow("Bereit seit")
	d.soft("Pause")
	d.press("1")
	d.waitShow("Pause: Kurzpause")
	for range 2 {
		pbx.Originate("02812071")
	}
	d.waitShow("kw-zulassung: 2 warten")

	pbx.wait(registerMax, "all members are on the disk, paused", func() bool {
		data, _ := os.ReadFile(pbx.path("var/astdb.sqlite3")) // not there yet: as if empty
		return strings.Count(string(data), "PJSIP/201;0;1;") >= len(queues)
	})
	pbx.Stop()
	s.waitValue("pbx_up", 0)
	if err := pbx.start(); err != nil { // with what it remembers: members and registrations
		t.Fatal(err)
	}
	s.waitValue("pbx_up", 1)
	s.waitValue("queue_waiting kw-zulassung", 0)
	s.waitValue("queue_agents_signed_in kw-zulassung", 1)
	s.waitValue("queue_agents_paused kw-zulassung", 1)
	pbx.WaitRegistered("201")
	pbx.wait(registerMax, "the panel shows no ghost", func() bool {
		shown := d.look("show")
		return strings.Contains(shown, "kw-zulassung: 0 warten") && strings.Contains(shown, "Pause: Kurzpause")
	})
	if m := pbx.member("kw-zulassung", "201"); !strings.Contains(m, "paused:Pause") {
		t.Errorf("Asterisk says %q", m)
	}
	d.soft("Bereit")
	d.waitShow("Bereit seit")
	d.serve(pbx)
	d.soft("Fertig")
	s.waitValue("queue_answered_total kw-zulassung", 1)
	s.waitValue("queue_abandoned_total kw-zulassung", 0) // whom the restart cut off is told by nobody: no figure is invented
}

// serve lets a citizen call, answers him and ends the talk.
func (d *seat) serve(pbx *PBX) {
	d.t.Helper()
	d.take(pbx)
	d.ctl("hangup")
	d.wait("the work after the call", func() bool { return d.offers("Fertig") })
}

// take lets a citizen call and answers him.
func (d *seat) take(pbx *PBX) {
	d.t.Helper()
	pbx.Originate("02812071")
	d.waitStatus("line1", "ringing")
	d.ctl("answer")
	d.waitStatus("line1", "talking")
	d.over = time.Time{}
}

// A cutter is the way to the manager interface. It can cut the connection in the middle of what Asterisk says.
type cutter struct {
	net.Listener
	mu    sync.Mutex
	armed bool
	left  int // bytes of Asterisk until the cut, while armed
	cuts  int
}

func newCutter(t *testing.T, pbx *PBX) *cutter {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{Listener: listener}
	var pipes sync.WaitGroup
	pipes.Go(func() {
		for {
			here, err := c.Accept()
			if err != nil {
				return
			}
			there, err := net.Dial("tcp", pbx.Manager())
			if err != nil {
				here.Close()
				continue
			}
			for _, way := range []struct {
				to   net.Conn
				from io.Reader
			}{{there, here}, {here, knife{there, c}}} {
				pipes.Go(func() {
					_, _ = io.Copy(way.to, way.from) // the cut is its end
					here.Close()
					there.Close()
				})
			}
		}
	})
	t.Cleanup(func() {
		listener.Close()
		pipes.Wait()
	})
	return c
}

// arm lets so many bytes pass, and no more on this connection.
func (c *cutter) arm(left int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.armed, c.left = true, left
}

func (c *cutter) done() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cuts
}

// A knife reads what Asterisk says, until it is cut.
type knife struct {
	net.Conn
	cutter *cutter
}

func (k knife) Read(p []byte) (int, error) {
	n, err := k.Conn.Read(p)
	c := k.cutter
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.armed || n < c.left {
		c.left -= n
		return n, err
	}
	c.armed = false
	c.cuts++
	return c.left, io.EOF
}

func TestAConnectionThatIsCutInTheMiddleOfAnEventCostsNoFigure(t *testing.T) {
	t.Parallel()
	pbx := Start(t, shorter)
	cutter := newCutter(t, pbx)
	s := startService(t, pbx, change{pbx.Manager(), cutter.Addr().String()})
	d := s.seat("201")
	d.signIn("4711", "1174")
	d.waitShow("Bereit seit")
	// An event of a call has 300 to 700 bytes.
	for i, left := range []int{1, 333, 1111, 2777} {
		cutter.arm(left)
		d.serve(pbx)
		pbx.wait(registerMax, "the connection is cut", func() bool { return cutter.done() == i+1 })
		s.waitValue("pbx_up", 1)
		s.waitValue("queue_answered_total kw-zulassung", i+1)
		d.soft("Fertig")
		d.waitShow("Bereit seit")
		pbx.wait(registerMax, "the member is ready again", func() bool { return !strings.Contains(pbx.member("kw-zulassung", "201"), "aused") })
	}
	for queue, logged := range pbx.logged() {
		if queue == "kw-zulassung" {
			s.wantSame(queue, logged)
		}
	}
	d.waitShow("kw-zulassung: 0 warten")
	s.waitFigures(auditor, "each outcome is counted once", func(team, _ tally) bool { return team == tally{Calls: 4, Unsaid: 4} })
}

func TestWhoSignsInWhere(t *testing.T) {
	t.Parallel()
	pbx := Start(t, shorter)
	s := startService(t, pbx, change{"queues:\n", "queues:\n  - {name: xanten, within: 3s}\n"})
	s.waitSaid("the PBX does not have this queue", "queue=xanten")
	if s.value("queue_waiting xanten") != -1 {
		t.Error("a queue that does not exist has figures")
	}
	first, second := s.seat("201"), s.seat("202")

	// A queue that Asterisk does not have costs the agent that queue alone.
	first.signIn("4714", "4174")
	first.waitShow("Bereit seit")
	if m := pbx.member("kw-zulassung", "201"); m == "" || strings.Contains(m, "paused") {
		t.Errorf("Asterisk says %q", m)
	}
	// One agent, two phones: the second asks, and the first says where he has gone.
	second.signIn("4714", "4174")
	second.waitShow("An 201 angemeldet. Holen?")
	second.soft("Nein")
	second.waitShow("Abgemeldet")
	first.waitShow("Bereit seit")
	second.signIn("4714", "4174")
	second.waitShow("An 201 angemeldet. Holen?")
	second.soft("Ja")
	second.waitShow("Bereit seit")
	first.waitShow("Abgemeldet: jetzt an Apparat 202 angemeldet")
	if was, is := pbx.member("kw-zulassung", "201"), pbx.member("kw-zulassung", "202"); was != "" || is == "" {
		t.Errorf("Asterisk has %q and %q", was, is)
	}
	// Five wrong PINs lock the number, for the right one too.
	first.signIn("4711", "0000")
	for _, left := range []string{"noch 4 Versuche", "noch 3 Versuche", "noch 2 Versuche", "noch 1 Versuch"} {
		first.waitShow(left)
		first.typed("0000#")
	}
	first.waitShow("gesperrt bis")
	second.soft("Menü")
	second.waitShow("Menü, 1 von")
	second.press(lastChoice.FindStringSubmatch(second.look("show"))[1])
	second.waitShow("Abgemeldet")
	second.signIn("4711", "1174")
	second.waitShow("gesperrt bis")
	if regexp.MustCompile(`\b(4711|4714|0000|1174|4174)\b`).MatchString(s.said()) {
		t.Error("number or PIN stands in the log")
	}
}

// lastChoice of the menu is to sign out.
var lastChoice = regexp.MustCompile(`Menü, 1 von (\d)`)

func TestAnOutcomeIsCountedOnceWhoeverIsKilled(t *testing.T) {
	t.Parallel()
	pbx := Start(t, shorter)
	s := startService(t, pbx)
	d := s.seat("201")
	d.signIn("4711", "1174")
	d.waitShow("Bereit seit")
	wantTeam := func(want tally) {
		t.Helper()
		s.waitFigures(auditor, fmt.Sprintf("the team has %+v", want), func(team, _ tally) bool { return team == want })
		t.Logf("counted %+v", want)
	}
	// The switchboard dies in the middle of a wrap-up, while the agent presses.
	d.serve(pbx)
	d.waitShow("Nacharbeit", "noch 0:")
	d.soft("Gelöst")
	s.kill()
	d.soft("Weitergegeben")
	d.soft("Gelöst")
	d.soft("Weitergegeben")
	d.waitShow("noch nicht übertragen")
	s.run()
	s.waitValue("pbx_up", 1)
	wantTeam(tally{Calls: 1, Forwarded: 1})
	d.waitConfirmed("Nacharbeit")
	d.soft("Fertig")
	d.waitConfirmed("Bereit seit")

	// The phone dies with an outcome that the switchboard does not have.
	d.take(pbx)
	s.kill()
	d.ctl("hangup")
	d.soft("Gelöst")
	d.waitShow("Ergebnis: gelöst")
	d.soft("Fertig")
	d.waitShow("noch nicht übertragen")
	d.kill()
	d.start()
	d.waitShow("noch nicht übertragen")
	s.run()
	s.waitValue("pbx_up", 1)
	wantTeam(tally{Calls: 2, Forwarded: 1, Solved: 1})
	d.waitShow("Bereit seit")
	d.wait("nothing waits any more", func() bool { return !strings.Contains(d.look("show"), "noch nicht übertragen") })

	// And once more after all: nothing is delivered twice.
	d.kill()
	d.start()
	d.serve(pbx)
	wantTeam(tally{Calls: 3, Forwarded: 1, Solved: 1, Unsaid: 1})
	s.waitValue("queue_answered_total kw-zulassung", 3)
}

func TestWithoutTheSwitchboardAFeatureCodePauses(t *testing.T) {
	t.Parallel()
	pbx := Start(t, shorter)
	pbx.CLI("database put freizeichen 201 " + strings.Join(queues, ","))
	s := startService(t, pbx)
	d := s.seat("201")
	d.signIn("4711", "1174")
	d.waitShow("Bereit seit")
	s.stop()
	d.soft("Pause")
	d.press("1")
	d.waitShow("Mit Wählcode angefragt")
	for _, queue := range queues {
		if m := pbx.member(queue, "201"); !strings.Contains(m, "paused:Pause") {
			t.Errorf("%s: Asterisk says %q", queue, m)
		}
	}
	d.waitShow("Pause: Kurzpause", "Schaltzentrale nicht erreichbar seit")
	s.run()
	d.waitConfirmed("Pause: Kurzpause")
	// And back, again without it.
	s.stop()
	d.soft("Bereit")
	pbx.wait(registerMax, "Asterisk has the member ready", func() bool { return !strings.Contains(pbx.member(queues[0], "201"), "paused") })
	s.run()
	d.waitConfirmed("Bereit seit")
}

// waitConfirmed waits until the panel shows a state that the switchboard and Asterisk agree about.
func (d *seat) waitConfirmed(state string) {
	d.t.Helper()
	d.service.pbx.wait(registerMax, state+" is confirmed", func() bool {
		shown := d.look("show")
		return strings.Contains(shown, state) && !strings.Contains(shown, "nicht bestätigt") && !strings.Contains(shown, "nicht erreichbar") &&
			!strings.Contains(shown, "noch niemand")
	})
}
