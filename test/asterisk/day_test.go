package asterisk

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"freizeichen/sip"
	"freizeichen/test/tool"
)

// shorter is a promise that can be missed in a short day.
var shorter = Edit{"freizeichen-queues.conf", "servicelevel = 30", "servicelevel = 3"}

// scenario is one kind of SIPp's callers. [field0] is the called number. A caller who stays waits for the agent's BYE; one
// who leaves hangs up some time after he joined the queue, whoever answers him or not.
func scenario(leavesAfter time.Duration) string {
	name, ending := "Bleibt", `<recv request="BYE"/>`+bye200
	if leavesAfter > 0 {
		name, ending = "Geht", fmt.Sprintf(`<recv request="BYE" timeout="%d" ontimeout="1"/>`, leavesAfter.Milliseconds())+
			strings.Replace(bye200, "<send>", `<send next="2">`, 1)+hangUp
	}
	return strings.ReplaceAll(invite+ending+"</scenario>", "@NAME@", name)
}

const (
	invite = `<?xml version="1.0" encoding="ISO-8859-1"?>
<scenario name="caller">
<send retrans="500"><![CDATA[

INVITE sip:[field0]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: @NAME@ <sip:0284155[pid]@[local_ip]:[local_port]>;tag=[pid]T[call_number]
To: <sip:[field0]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:caller@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=caller 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8
a=rtpmap:8 PCMA/8000

]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="183" optional="true"/>
<recv response="200" rrs="true"/>
<send><![CDATA[

ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: @NAME@ <sip:0284155[pid]@[local_ip]:[local_port]>;tag=[pid]T[call_number]
To: <sip:[field0]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
`
	bye200 = `
<send><![CDATA[

SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
`
	hangUp = `
<label id="1"/>
<send retrans="500"><![CDATA[

BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: @NAME@ <sip:0284155[pid]@[local_ip]:[local_port]>;tag=[pid]T[call_number]
To: <sip:[field0]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="481" optional="true"/>
<recv response="200"/>
<label id="2"/>
`
)

// A crowd is a running SIPp.
type crowd struct {
	t      *testing.T
	output string // file
	ended  chan error
}

// come lets people call the three numbers in turn, perSecond of them. leavesAfter 0: they stay.
func come(t *testing.T, pbx *PBX, people int, perSecond float64, leavesAfter time.Duration) *crowd {
	t.Helper()
	sipp := tool.SIPp(t)
	dir := t.TempDir()
	c := &crowd{t: t, output: filepath.Join(dir, "output"), ended: make(chan error, 1)}
	for name, text := range map[string]string{"caller.xml": scenario(leavesAfter), "numbers.csv": "SEQUENTIAL\n02812071;\n02812072;\n02812073;\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	output, err := os.Create(c.output)
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	process := exec.Command(sipp, "-sf", "caller.xml", "-inf", "numbers.csv", "-m", strconv.Itoa(people), "-r", strconv.Itoa(int(perSecond*100)), "-rp", "100000",
		"-i", "127.0.0.1", "-p", strconv.Itoa(tool.FreePort(t)), "-mp", strconv.Itoa(40000+2*(tool.FreePort(t)%5000)), "-nostdin", "-timeout", "150", pbx.Address())
	process.Dir, process.Stdout, process.Stderr = dir, output, output
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { c.ended <- process.Wait() }()
	t.Cleanup(func() {
		_ = process.Process.Kill() // after leave: it has ended
	})
	return c
}

// leave waits until all of them have gone.
func (c *crowd) leave() {
	c.t.Helper()
	if err := <-c.ended; err != nil {
		data, _ := os.ReadFile(c.output) // the error is told in any case
		c.t.Errorf("SIPp: %v\n%s", err, tail(string(data), 40))
	}
}

// A counted is what one queue has counted.
type counted struct{ offered, answered, inTime, abandoned, abandonedInTime int }

// logged is what Asterisk's queue_log says: time|call|queue|member|event|data...
func (p *PBX) logged() map[string]counted {
	p.t.Helper()
	data, err := os.ReadFile(p.path("log/queue_log"))
	if err != nil {
		p.t.Fatal(err)
	}
	all, ended := map[string]counted{}, map[string]int{}
	for line := range strings.Lines(string(data)) {
		f := append(strings.Split(strings.TrimSpace(line), "|"), "", "", "")
		if len(f) < 8 {
			continue
		}
		c, within := all[f[2]], func(seconds string) int {
			if n, err := strconv.Atoi(seconds); err == nil && n <= 3 {
				return 1
			}
			return 0
		}
		switch f[4] {
		case "ENTERQUEUE":
			c.offered++
		case "CONNECT":
			c.answered, c.inTime = c.answered+1, c.inTime+within(f[5])
		case "ABANDON": // position, original position, seconds
			c.abandoned, c.abandonedInTime = c.abandoned+1, c.abandonedInTime+within(f[7])
		case "COMPLETEAGENT", "COMPLETECALLER":
			ended[f[2]]++
		case "EXITEMPTY", "EXITWITHTIMEOUT", "EXITWITHKEY":
			p.t.Errorf("a caller was sent away: %s", line)
		}
		all[f[2]] = c
	}
	for _, queue := range queues {
		if ended[queue] != all[queue].answered {
			p.t.Errorf("%s: queue_log has %d CONNECT and %d COMPLETE", queue, all[queue].answered, ended[queue])
		}
	}
	return all
}

// measuredQueue is what the switchboard has counted.
func (s *service) measuredQueue(queue string) counted {
	s.t.Helper()
	m, err := s.measured()
	if err != nil {
		s.t.Fatal(err)
	}
	of := func(what string) int { return m["switchboard_queue_"+what+"_total "+queue] }
	return counted{of("offered"), of("answered"), of("answered_in_time"), of("abandoned"), of("abandoned_in_time")}
}

// wantSame compares what a queue has counted in queue_log, in "queue show" and in the switchboard.
func (s *service) wantSame(queue string, logged counted) {
	s.t.Helper()
	text := s.pbx.CLI("queue show " + queue)
	f := shown.FindStringSubmatch(text)
	if f == nil {
		s.t.Fatalf("queue show says %s", text)
	}
	share := func(part, whole int) string {
		if whole == 0 {
			return "0.0"
		}
		return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 1, 64)
	}
	got := s.measuredQueue(queue)
	s.t.Logf("%-12s switchboard %+v, queue_log %+v, queue show C:%s A:%s SL:%s%% SL2:%s%%", queue, got, logged, f[1], f[2], f[3], f[4])
	if got != logged {
		s.t.Errorf("%s: the switchboard counts %+v, queue_log has %+v", queue, got, logged)
	}
	want := [4]string{strconv.Itoa(got.answered), strconv.Itoa(got.abandoned), share(got.inTime, got.answered), share(got.inTime+got.abandonedInTime, got.offered)}
	if have := [4]string(f[1:5]); have != want {
		s.t.Errorf("%s: queue show says %v, the switchboard's figures say %v", queue, have, want)
	}
}

// An hour is what one agent does in a day in small: he answers, talks, hangs up, tells what came of it, and is ready again.
type hour struct {
	*seat
	number string
	late   int // every so many calls he answers after the promised time
	calls  int
	since  time.Time // of what he waits for
	state  string
	said   tally // outcomes that he has pressed
}

// work looks at the phone once, and does what is to be done. It reports whether the agent has nothing to do.
func (h *hour) work() bool {
	h.t.Helper()
	line := h.line()
	if line != h.state {
		h.state, h.since, h.over = line, time.Now(), time.Time{}
	}
	switch line {
	case "ringing":
		if late := h.late > 0 && h.calls%h.late == h.late-1; !late || time.Since(h.since) > 4*time.Second {
			h.ask("answer", "") // the caller may have gone in this moment
		}
	case "talking":
		// Who goes by himself ends the call himself.
		if time.Since(h.since) > time.Second && !strings.Contains(h.look("show"), "Geht") {
			h.ask("hangup", "")
		}
	case "":
		if h.offers("Fertig") {
			h.finish()
			return false
		}
		return h.over.IsZero()
	}
	return false
}

// line is the state of the phone's first call, empty without one.
func (h *hour) line() string {
	for line := range strings.Lines(h.look("status")) {
		if value, found := strings.CutPrefix(line, "line1: "); found {
			return strings.Fields(value)[0]
		}
	}
	return ""
}

// finish tells topic and outcome by key, and ends the wrap-up.
func (h *hour) finish() {
	h.t.Helper()
	h.calls++
	// A message needs an office; not every topic of the example has one in every municipality.
	message := h.calls%6 == 1 && !strings.Contains(h.look("show"), "Anliegen: offen")
	if !message {
		h.press(strconv.Itoa(1 + h.calls%3))
	}
	switch {
	case message:
		h.soft("Nachricht hinterlassen")
		h.waitShow("Ergebnis: Nachricht hinterlassen")
		h.said.Messages++
	case h.calls%5 == 0:
		h.said.Forwarded++
		h.soft("Gelöst")
		h.soft("Weitergegeben") // the last word counts
	case h.calls%7 == 0:
		h.said.Unsaid++
	default:
		h.said.Solved++
		h.soft("Gelöst")
	}
	h.said.Calls++
	h.soft("Fertig")
}

var percentage = regexp.MustCompile(`(\d+) % in 3 s der angebotenen, (?:heute|seit [0-9:]+)`)

// wantShown turns the pages of the phone's queues and compares each with what the switchboard has counted.
func (h *hour) wantShown(queue string) {
	h.t.Helper()
	level := h.service.measuredQueue(queue)
	percent, _ := sip.ServiceLevel{Offered: level.offered, Answered: level.answered, AnsweredInTime: level.inTime}.Percent(sip.OfOffered)
	text := h.waitShow(queue+": 0 warten", fmt.Sprintf("%d %% in 3 s der angebotenen, ", percent))
	h.t.Logf("phone %s shows %s: %s", h.user, queue, percentage.FindString(text))
}

// A day in small: sixty calls through three queues to four phones. Whoever counts has counted the same.
func TestADayInSmallIsCountedByAllAlike(t *testing.T) {
	pbx := Start(t, shorter)
	s := startService(t, pbx)
	var agents []*hour
	for i, user := range []string{"201", "202", "203", "205"} {
		h := &hour{seat: s.seat(user), number: fmt.Sprint(4711 + i), late: []int{0, 5, 6, 7}[i]}
		agents = append(agents, h)
		h.signIn(h.number, fmt.Sprintf("%d174", i+1))
		h.waitShow("Bereit")
		h.soft("Pause")
		h.press("1")
		h.waitShow("Pause: Kurzpause")
	}
	opened := time.Now()
	// While all pause, some give up, soon or late, and some stay and are answered late.
	for _, group := range []*crowd{come(t, pbx, 12, 6, time.Second), come(t, pbx, 6, 6, 4500*time.Millisecond)} {
		group.leave()
	}
	stay := come(t, pbx, 3, 3, 0)
	for _, queue := range queues {
		s.waitValue("queue_waiting "+queue, 1)
	}
	time.Sleep(4 * time.Second) // longer than is promised: nothing else can make an answer late
	for _, h := range agents {
		h.soft("Bereit")
	}
	crowds := []*crowd{stay, come(t, pbx, 33, 2, 0), come(t, pbx, 6, 0.4, 4*time.Second)}
	for began, paused := time.Now(), false; ; time.Sleep(pollEvery) {
		idle := true
		for _, h := range agents {
			idle = h.work() && idle
		}
		if first := agents[0]; !paused && first.calls == 5 && first.offers("Pause") {
			first.soft("Pause")
			first.press("2")
			first.waitShow("Pause: Besprechung")
			first.soft("Bereit")
			paused = true
		}
		over := 0
		for _, queue := range queues {
			over += s.measuredQueue(queue).offered
		}
		if idle && over == 60 {
			break
		}
		if time.Since(began) > 2*time.Minute {
			t.Fatalf("%d of 60 calls are over", over)
		}
	}
	for _, c := range crowds {
		c.leave()
	}
	t.Logf("the day lasted %s", time.Since(opened).Round(time.Second))
	compare(t, s, agents)
}

// compare holds everybody's figures against each other at the end of the day.
func compare(t *testing.T, s *service, agents []*hour) {
	t.Helper()
	var sum counted
	logged := s.pbx.logged()
	for _, queue := range queues {
		s.wantSame(queue, logged[queue])
		l := logged[queue]
		sum = counted{sum.offered + l.offered, sum.answered + l.answered, sum.inTime + l.inTime, sum.abandoned + l.abandoned, sum.abandonedInTime + l.abandonedInTime}
	}
	// All kinds of calls were there: who was late because nobody was ready, and who gave up soon and late.
	if sum.offered != 60 || sum.answered+sum.abandoned != 60 || sum.answered-sum.inTime < 3 || sum.abandonedInTime < 12 || sum.abandoned-sum.abandonedInTime < 6 {
		t.Errorf("the day was another: %+v", sum)
	}
	var said tally
	for _, h := range agents {
		said = tally{said.Calls + h.said.Calls, said.Solved + h.said.Solved, said.Forwarded + h.said.Forwarded, said.Messages + h.said.Messages, said.Unsaid + h.said.Unsaid}
		s.waitFigures(h.user, fmt.Sprintf("%s is told %+v", h.number, h.said), func(_, own tally) bool { return own == h.said })
	}
	s.waitFigures(auditor, fmt.Sprintf("the team has %+v", said), func(team, _ tally) bool { return team == said })
	t.Logf("outcomes pressed and counted %+v, calls %+v", said, sum)
	if said.Calls != sum.answered {
		t.Errorf("%d outcomes of %d answered calls", said.Calls, sum.answered)
	}
	for i, queue := range queues {
		for _, h := range agents {
			if i > 0 {
				h.press("down")
			}
			h.wantShown(queue)
		}
	}
}
