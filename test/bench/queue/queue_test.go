//go:build linux

package main

import (
	"context"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"freizeichen/firmware/switchboard"
	"freizeichen/sip/presence/publisher"
)

func TestAQuantileIsAValueThatWasMeasured(t *testing.T) {
	of := func(values ...time.Duration) []time.Duration { return values }
	for _, test := range []struct {
		values []time.Duration
		q      float64
		want   time.Duration
	}{
		{nil, 0.5, 0}, {of(7), 0.5, 7}, {of(7), 1, 7},
		{of(3, 1, 2), 0, 1}, {of(3, 1, 2), 0.5, 2}, {of(3, 1, 2), 1, 3},
		{of(4, 3, 2, 1), 0.5, 2}, // nearest rank: not 2.5
	} {
		if got := quantile(test.values, test.q); got != test.want {
			t.Errorf("quantile %v of %v is %v, not %v", test.q, test.values, got, test.want)
		}
	}
}

func TestAChangeIsCountedFromItsBeginningToTheLastPhone(t *testing.T) {
	began := time.Now()
	at := func(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }
	ms := func(n int) []time.Duration { return []time.Duration{time.Duration(n) * time.Millisecond} }
	for _, test := range []struct {
		name              string
		crowd, own        word
		first, last, real []time.Duration
		missed            int
	}{
		{"the crowd's last is the last", word{At: at(2), Last: at(30), Reached: 9}, word{At: at(7)}, ms(2), ms(30), ms(7), 0},
		{"the real phone is the last", word{At: at(2), Last: at(30), Reached: 9}, word{At: at(31)}, ms(2), ms(31), ms(31), 0},
		{"the real phone is the first", word{At: at(2), Last: at(30), Reached: 9}, word{At: at(1)}, ms(1), ms(30), ms(1), 0},
		{"some of the crowd heard nothing", word{At: at(2), Last: at(30), Reached: 6}, word{At: at(7)}, ms(2), ms(30), ms(7), 3},
		{"the real phone heard nothing", word{At: at(2), Last: at(30), Reached: 9}, word{}, ms(2), ms(30), nil, 1},
		{"only the real phone heard", word{}, word{At: at(7)}, ms(7), ms(7), ms(7), 9},
		{"somebody heard before the stamp", word{At: at(-3), Last: at(30), Reached: 9}, word{At: at(7)}, ms(0), ms(33), ms(10), 0},
	} {
		var o outcome
		o.add(began, 9, test.crowd, test.own)
		if !slices.Equal(o.first, test.first) || !slices.Equal(o.last, test.last) || !slices.Equal(o.real, test.real) || o.missed != test.missed {
			t.Errorf("%s: first %v, last %v, real %v, missed %d", test.name, o.first, o.last, o.real, o.missed)
		}
	}
}

func TestGoalsAreJudgedByWhatWasMeasured(t *testing.T) {
	measured := func(way string, phones int, last, cpu time.Duration, missed int) result {
		return result{setting{way: way, phones: phones}, outcome{last: []time.Duration{last}, server: cost{cpu: cpu}, missed: missed}}
	}
	all := []result{
		measured(asteriskPresence, few, 60*time.Millisecond, 1, 0), measured(presenceServer, few, 40*time.Millisecond, 1, 0),
		measured(asteriskPresence, many, 2*time.Second, 1000, 0), measured(presenceServer, many, 900*time.Millisecond, 500, 0),
	}
	held := memory{agents: 5000, mostKB: residentMaxKB}
	met := func(results []result, m memory) (text string) {
		for _, g := range goals(results, m) {
			text += map[bool]string{true: "+", false: "-"}[g.met]
		}
		return text
	}
	if got := met(all, held); got != "-+++-" {
		t.Errorf("goals %q", got)
	}
	all[3].missed, all[3].server.cpu = 1, 1000
	held.mostKB--
	if got := met(all, held); got != "-+--+" {
		t.Errorf("with a phone not reached, no less CPU and little memory: goals %q", got)
	}
	if got := met(all[:1], memory{}); got != "-" {
		t.Errorf("goals of what was not measured: %q", got)
	}
	if got := (goal{"x", false}).String(); got != "goal x: missed" {
		t.Error(got)
	}
}

func TestTheTableHasAColumnForEachCase(t *testing.T) {
	r := result{setting{way: hints, phones: 50}, outcome{first: []time.Duration{1}, last: []time.Duration{12 * time.Millisecond}, server: cost{cpu: 5 * time.Millisecond, memoryKB: 1024}}}
	var out strings.Builder
	if err := printTable(&out, []result{r, r}, memory{}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		words := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "change to last"):
			if !slices.Equal(words[len(words)-3:], []string{"ms", "12.0", "12.0"}) {
				t.Errorf("%q", line)
			}
		case strings.HasPrefix(line, "CPU a change: server"):
			if !slices.Equal(words[len(words)-2:], []string{"5.0", "5.0"}) {
				t.Errorf("%q", line)
			}
		case strings.HasPrefix(line, "  switchboard"):
			if !slices.Equal(words[len(words)-2:], []string{"-", "-"}) {
				t.Errorf("there was no switchboard: %q", line)
			}
		}
	}
	if got := number(math.NaN(), 1) + number(ratio(1, 0), 2); got != "--" {
		t.Error(got)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, args := range [][]string{{"-changes", "0"}, {"-phones", "1"}, {"-phones", "50,x"}, {"-ways", "smoke"}, {"-agents", "-1"}, {"file"}} {
		if _, err := parseOptions(args); err == nil {
			t.Errorf("%v was taken", args)
		}
	}
	o, err := parseOptions([]string{"-phones", "10,20", "-ways", "kamailio"})
	if err != nil || !slices.Equal(o.sizes, []int{10, 20}) || !slices.Equal(o.ways, []string{presenceServer}) || o.changes < 5 {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestEventsHaveAsterisksTime(t *testing.T) {
	const text = "Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nMessage: Authentication accepted\r\n\r\n" +
		"Event: QueueCallerJoin\r\nTimestamp: 1795828164.280292\r\nQueue: zulassung\r\n\r\n" +
		"Event: QueueCallerJoin\r\nTimestamp: 1795828164.280292\r\nQueue: moers\r\n\r\n" +
		"Event: QueueCallerJoin\r\nQueue: zulassung\r\n\r\n" +
		"Event: QueueCallerLeave\r\nTimestamp: 1795828165.000001\r\nQueue: zulassung\r\n\r\nEvent: half"
	var got []stamped
	readEvents(strings.NewReader(text), func(e stamped) { got = append(got, e) })
	want := []stamped{{"QueueCallerJoin", time.Unix(1795828164, 280292000)}, {"QueueCallerLeave", time.Unix(1795828165, 1000)}}
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

func TestTheSwitchboardTakesItsConfiguration(t *testing.T) {
	for _, c := range []site{
		{manager: "127.0.0.1:5038", secret: "geheim", queues: []string{"zulassung", "moers"}},
		{manager: "127.0.0.1:5038", secret: "geheim", queues: []string{"moers"}, publish: publisher.Config{Server: "127.0.0.1:5060", Domain: "presence.example", Password: "geheim"}},
	} {
		dir := t.TempDir()
		file := dir + "/switchboard.yaml"
		if err := os.WriteFile(file, []byte(c.configuration(dir)), 0o600); err != nil {
			t.Fatal(err)
		}
		settings, err := switchboard.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := settings.Presence.By == switchboard.ByAsterisk; got != (c.publish.Server == "") || len(settings.Queues) != len(c.queues) || settings.Metrics != "" {
			t.Errorf("%+v", settings)
		}
	}
}

func TestAChildThatKnowsNoRoleEnds(t *testing.T) {
	for _, args := range [][]string{nil, {"{"}, {"{}"}} {
		if err := play(context.Background(), "nobody", args, strings.NewReader(""), io.Discard); err == nil {
			t.Errorf("%q is a role", args)
		}
	}
}
