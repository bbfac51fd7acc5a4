package reading_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"freizeichen/firmware/selftest"
	. "freizeichen/firmware/selftest/reading"
)

type judged interface {
	Judge(selftest.Limits) selftest.Result
}

const (
	fail     = selftest.Fail
	marginal = selftest.Marginal
	notDone  = selftest.NotDone
	pass     = selftest.Pass
	ms       = time.Millisecond
)

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

func presses(n int, bounce time.Duration, longest time.Duration) Bounce {
	all := make(Bounce, n)
	for i := range all {
		all[i] = Press{Bounce: bounce, Gap: time.Second}
	}
	if n > 0 {
		all[n/2].Bounce = longest
	}
	return all
}

func voice(received int, jitter, roundTrip time.Duration) Network {
	return Network{Exchange: true, Voice: &Voice{Sent: 500, Received: received, Jitter: jitter, RoundTrip: roundTrip}}
}

func TestReadingsAreJudged(t *testing.T) {
	identity := Identity{Serial: "FZ1", Model: "Zero", Revision: "B", MAC: "02:00:5E:00:00:01", ChecksumGood: true, Prefixes: []string{"02:00:5e"},
		InterfaceMAC: "02:00:5e:00:00:01", LabelSerial: "fz1", LabelMAC: "02:00:5e:00:00:01"}
	with := func(change func(*Identity)) Identity { i := identity; change(&i); return i }
	link := Ethernet{SpeedMbit: 100, FullDuplex: true, CRCErrors: new(0.0), Pings: 1000}
	linked := func(change func(*Ethernet)) Ethernet { e := link; change(&e); return e }
	disk := Storage{WearPercent: new(10.0), BadBlocks: new(0.0), Errors: new(0.0), FreePercent: 50, Syncs: []time.Duration{20 * ms, 30 * ms}}
	stored := func(change func(*Storage)) Storage { s := disk; change(&s); return s }
	slots := Update{At: noon, SlotsGood: 2, AuthorityUntil: noon.AddDate(2, 0, 0), FreeMB: 500, ForgedRefused: new(true)}
	updated := func(change func(*Update)) Update { u := slots; change(&u); return u }
	for _, c := range []struct {
		name string
		r    judged
		want selftest.Outcome
		says string // part of the reason
	}{
		{"keys: one is dead", Keys{Asked: []string{"1", "2", "3"}, Seen: []string{"1", "", "3"}}, fail, "missing: 2"},
		{"keys: a ghost", Keys{Asked: []string{"1", "2"}, Seen: []string{"1", "2"}, Extra: []string{"5"}}, fail, "not asked for: 5"},
		{"keys: two are swapped", Keys{Asked: []string{"1", "2"}, Seen: []string{"2", "1"}}, fail, "missing: 1 2"},
		{"keys: nobody pressed any", Keys{Asked: []string{"1", "2"}, Seen: []string{"", ""}}, notDone, "Press key"},
		{"keys: nothing asked", Keys{}, notDone, ""},
		{"keys: the list ends early", Keys{Asked: []string{"1", "2"}, Seen: []string{"1"}}, fail, "missing: 2"},
		{"keys: good", Keys{Asked: []string{"1", "2"}, Seen: []string{"1", "2"}}, pass, ""},

		{"stuck: in idle", Stuck{Held: map[string]time.Duration{"#": 121 * time.Second, "1": time.Second}}, fail, "stuck: #"},
		{"stuck: since power-on", Stuck{Held: map[string]time.Duration{"#": 31 * time.Second}, PowerOn: true}, fail, "stuck: #"},
		{"stuck: somebody holds it", Stuck{Held: map[string]time.Duration{"#": 31 * time.Second}}, pass, ""},
		{"stuck: none is down", Stuck{}, pass, ""},

		{"bounce: worn contacts", presses(100, 6*ms, 6*ms), fail, ""},
		{"bounce: one of 50 is long", presses(50, ms, 30*ms), fail, ""}, // 1 in 50 is within the 99th part
		{"bounce: one of 200 is long", presses(200, ms, 30*ms), marginal, ""},
		{"bounce: longer than debouncing waits", presses(200, ms, 51*ms), fail, ""},
		{"bounce: too few to say", presses(19, ms, ms), notDone, ""},
		{"bounce: none", Bounce(nil), notDone, ""},
		{"bounce: presses that come too soon", Bounce(append(presses(30, ms, ms), Press{ms, 5 * ms})), marginal, ""},
		{"bounce: good", presses(20, ms, ms), pass, ""},

		{"hook: somebody gave up after five", Hook{Cycles: 5, GaveUp: true}, notDone, ""},
		{"hook: one was missed", Hook{9, ms, 0, false}, fail, ""},
		{"hook: one too many", Hook{11, ms, 0, false}, fail, ""},
		{"hook: bounces", Hook{10, 60 * ms, 0, false}, fail, ""},
		{"hook: a loose contact", Hook{10, ms, 6, false}, fail, ""},
		{"hook: nobody did it", Hook{}, notDone, ""},
		{"hook: good", Hook{10, 12 * ms, 3, false}, marginal, ""},
		{"hook: rests well", Hook{10, 12 * ms, 1, false}, pass, ""},

		{"bus: a device is gone", Bus{Expected: []string{"0:0x34 TCA8418", "0:0x50"}, Found: []string{"0:0x50"}, Reads: 100}, fail, "missing: 0:0x34 TCA8418"},
		{"bus: nobody answers", Bus{Expected: []string{"0:0x34"}}, fail, "missing: 0:0x34"},
		{"bus: a stranger", Bus{Found: []string{"1:0x68"}, Reads: 100}, fail, "unknown: 1:0x68"},
		{"bus: one read of 100", Bus{Expected: []string{"0:0x34"}, Found: []string{"0:0x34"}, Reads: 100, Nacks: 1}, fail, ""},
		{"bus: nothing was read", Bus{Expected: []string{"0:0x34"}, Found: []string{"0:0x34"}}, notDone, ""},
		{"bus: nothing is there", Bus{}, notDone, ""},
		{"bus: good", Bus{Expected: []string{"0:0x3C SSD1306"}, Found: []string{"0:0x3c"}, Reads: 100}, pass, ""},

		{"lamps: the wrong colour", Looks{Looks: []Look{{"message", selftest.Red, selftest.Green}}}, fail, ""},
		{"lamps: no current", Looks{Currents: map[string]float64{"hold": -100}}, fail, ""},
		{"lamps: wrong, and one open", Looks{Looks: []Look{{"hold", selftest.Red, ""}, {"message", selftest.Red, selftest.Dark}}}, fail, ""},
		{"lamps: one open", Looks{Looks: []Look{{"hold", selftest.Red, ""}, {"message", selftest.Red, selftest.Red}}}, notDone, "hold"},
		{"lamps: none", Looks{}, notDone, ""},
		{"lamps: good", Looks{Looks: []Look{{"message", selftest.Red, selftest.Red}}, Currents: map[string]float64{"hold": 3, "mute": -5}}, pass, ""},

		{"identity: of another model", with(func(i *Identity) { i.BoardModel = "cm4" }), fail, ""},
		{"identity: of this model", with(func(i *Identity) { i.BoardModel = "zero" }), pass, ""},
		{"identity: checksum", with(func(i *Identity) { i.ChecksumGood = false }), fail, ""},
		{"identity: no serial number", with(func(i *Identity) { i.Serial, i.LabelSerial = " ", "" }), fail, ""},
		{"identity: not our MAC", with(func(i *Identity) { i.Prefixes = []string{"aa:bb:cc"} }), fail, ""},
		{"identity: another label", with(func(i *Identity) { i.LabelSerial = "FZ2" }), fail, ""},
		{"identity: another MAC on the label", with(func(i *Identity) { i.LabelMAC = "02:00:5e:00:00:02" }), fail, ""},
		{"identity: the interface has another", with(func(i *Identity) { i.InterfaceMAC = "02:00:5e:00:00:02" }), fail, ""},
		{"identity: empty", Identity{}, fail, ""},
		{"identity: good", identity, pass, ""},
		{"identity: nobody looked at the label", with(func(i *Identity) { i.LabelSerial, i.LabelMAC = "", "" }), pass, ""},

		{"clock: slow", Clock{8 * time.Second, 10 * time.Second, nil}, fail, ""},
		{"clock: stands", Clock{0, 10 * time.Second, nil}, fail, ""},
		{"clock: battery", Clock{10 * time.Second, 10 * time.Second, new(true)}, fail, ""},
		{"clock: not looked at for long", Clock{4 * time.Second, 4 * time.Second, new(false)}, notDone, ""},
		{"clock: good", Clock{10 * time.Second, 10200 * ms, new(false)}, pass, ""},

		{"temperature: hot", Temperature{SoC: new(85.0)}, fail, ""},
		{"temperature: warm", Temperature{SoC: new(50.0), Board: new(75.0)}, marginal, ""},
		{"temperature: weak supply", Temperature{SoC: new(50.0), UnderVoltage: new(true)}, fail, ""},
		{"temperature: throttled", Temperature{SoC: new(50.0), Throttled: new(true)}, fail, ""},
		{"temperature: the sensor says nonsense", Temperature{SoC: new(-127.0)}, fail, ""},
		{"temperature: nothing is known", Temperature{}, notDone, ""},
		{"temperature: good", Temperature{SoC: new(50.0), UnderVoltage: new(false)}, pass, ""},

		{"watchdog: none", Watchdog{}, fail, ""},
		{"watchdog: bit, and the cause is another", Watchdog{15 * time.Second, true, "power"}, fail, ""},
		{"watchdog: bit, and nothing is known", Watchdog{15 * time.Second, true, ""}, fail, ""},
		{"watchdog: good", Watchdog{15 * time.Second, true, "watchdog"}, pass, ""},

		{"storage: worn out", stored(func(s *Storage) { *s = disk; s.WearPercent = new(90.0) }), fail, ""},
		{"storage: wears out", stored(func(s *Storage) { s.WearPercent = new(75.0) }), marginal, ""},
		{"storage: errors", stored(func(s *Storage) { s.Errors = new(1.0) }), fail, ""},
		{"storage: slow", stored(func(s *Storage) { s.Syncs = []time.Duration{20 * ms, 600 * ms} }), fail, ""},
		{"storage: full", stored(func(s *Storage) { s.FreePercent = 2 }), fail, ""},
		{"storage: room not known", Storage{FreePercent: math.NaN()}, fail, ""},
		{"storage: good", disk, pass, ""},

		{"ethernet: no link", Ethernet{}, fail, ""},
		{"ethernet: 10 Mbit/s", linked(func(e *Ethernet) { e.SpeedMbit = 10 }), marginal, ""},
		{"ethernet: half duplex", linked(func(e *Ethernet) { e.FullDuplex = false }), fail, ""},
		{"ethernet: one CRC error", linked(func(e *Ethernet) { e.CRCErrors = new(1.0) }), fail, ""},
		{"ethernet: a counter that began anew", linked(func(e *Ethernet) { e.CRCErrors = new(-7.0) }), fail, ""},
		{"ethernet: a ping lost", linked(func(e *Ethernet) { e.PingsLost = 1 }), fail, ""},
		{"ethernet: too little power", linked(func(e *Ethernet) { e.PowerClass, e.PowerNeed = new(1.0), new(2.0) }), fail, ""},
		{"ethernet: good", linked(func(e *Ethernet) { e.PowerClass, e.PowerNeed = new(2.0), new(2.0) }), pass, ""},

		{"network: the exchange is silent", Network{}, fail, ""},
		{"network: no name service", Network{Exchange: true, DNS: new(false)}, fail, ""},
		{"network: the certificate ended", Network{At: noon, Exchange: true, CertificateUntil: noon.Add(-time.Hour)}, fail, ""},
		{"network: ends in 29 days", Network{At: noon, Exchange: true, CertificateUntil: noon.AddDate(0, 0, 29)}, fail, ""},
		{"network: ends in 40 days", Network{At: noon, Exchange: true, CertificateUntil: noon.AddDate(0, 0, 40)}, marginal, ""},
		{"network: 2 % loss", voice(490, ms, 20*ms), fail, ""},
		{"network: 2 % loss, filled by the exchange", Network{Exchange: true, Voice: &Voice{Sent: 500, Received: 500, Lost: 10}}, fail, ""},
		{"network: jitter", voice(500, 40*ms, 20*ms), fail, ""},
		{"network: a second away", voice(500, ms, time.Second), fail, ""},
		{"network: no voice was sent", Network{Exchange: true, Voice: &Voice{}}, fail, ""},
		{"network: good", voice(500, ms, 20*ms), pass, ""},

		{"update: no slot is good", updated(func(u *Update) { u.SlotsGood = 0 }), fail, ""},
		{"update: no way back", updated(func(u *Update) { u.SlotsGood = 1 }), marginal, ""},
		{"update: a forged bundle was taken", updated(func(u *Update) { u.ForgedRefused = new(false) }), fail, ""},
		{"update: the authority ended", updated(func(u *Update) { u.AuthorityUntil = noon.AddDate(0, 0, -1) }), fail, ""},
		{"update: nothing is known", Update{}, fail, ""},
		{"update: good", slots, pass, ""},

		{"response: bent", Response{-7, 7, 40}, fail, ""},
		{"response: only noise", Response{-2, 2, 3}, fail, ""},
		{"response: good", Response{-3, 3, 40}, pass, ""},
		{"distortion: acoustic", Distortion{THDNPercent: 3.1}, fail, ""},
		{"distortion: electrical", Distortion{THDNPercent: 1, Electrical: true}, fail, ""},
		{"distortion: not measured", Distortion{THDNPercent: math.NaN()}, fail, ""},
		{"distortion: good", Distortion{THDNPercent: 1}, pass, ""},
		{"noise: loud", Noise{39}, fail, ""},
		{"noise: good", Noise{50}, pass, ""},
		{"level: reversed", Level{0, -1, nil}, fail, ""},
		{"level: polarity not known", Level{0, 0, nil}, fail, ""},
		{"level: quiet", Level{-4, 1, nil}, fail, ""},
		{"level: channels joined", Level{0, 1, new(0.0)}, fail, ""},
		{"level: good", Level{0, 1, new(-50.0)}, pass, ""},
		{"delay: late", Delay{DelayMS: 41}, fail, ""},
		{"delay: before it was sent", Delay{DelayMS: -1}, fail, ""},
		{"delay: drifts", Delay{20, new(-150.0)}, fail, ""},
		{"delay: good", Delay{20, new(15.0)}, pass, ""},
		{"echo: too much", Echo{3}, fail, ""},
		{"echo: good", Echo{20}, pass, ""},
		{"mute: it is heard", Mute{LevelDBFS: -40}, fail, ""},
		{"mute: its lamp is dark", Mute{-90, selftest.No}, fail, ""},
		{"mute: good", Mute{-90, selftest.Yes}, pass, ""},
	} {
		got := c.r.Judge(selftest.StandardLimits())
		if got.Outcome != c.want || !strings.Contains(got.Reason.In(selftest.English), c.says) {
			t.Errorf("%s: %v because %q, want %v with %q", c.name, got.Outcome, got.Reason.In(selftest.English), c.want, c.says)
		}
		for _, m := range got.Measurements {
			if m.Limit == (selftest.Limit{}) && !m.Verbal() {
				t.Errorf("%s: %s has no limit", c.name, m.Name)
			}
		}
	}
}

func TestPercentilesAreByNearestRank(t *testing.T) {
	for _, c := range []struct {
		values  []float64
		percent float64
		want    float64
	}{{[]float64{5}, 99, 5}, {[]float64{3, 1, 2}, 50, 2}, {[]float64{1, 2, 3, 4}, 0, 1}, {[]float64{1, 2, 3, 4}, 100, 4}, {[]float64{1, 2, 3, 4}, 75, 3}} {
		if got := Percentile(c.values, c.percent); got != c.want {
			t.Errorf("%v of %v: %v, want %v", c.percent, c.values, got, c.want)
		}
	}
	if !math.IsNaN(Percentile(nil, 99)) {
		t.Error("nothing has a percentile")
	}
}

func TestTheEstimateOfSpeechQuality(t *testing.T) {
	for _, c := range []struct {
		loss         float64
		jitter, trip time.Duration
		low, high    float64
	}{
		{0, 0, 0, 4.38, 4.42},              // G.711 at its best: R 92.7
		{1, 5 * ms, 40 * ms, 4.2, 4.4},     //
		{5, 10 * ms, 100 * ms, 3.6, 4.0},   // R 75.7: "some users dissatisfied"
		{20, 30 * ms, 300 * ms, 1.8, 2.7},  //
		{0, 0, 800 * ms, 2.8, 3.0},         // satellite: Idd 36.8, R 56.4
		{100, 0, 0, 1, 1.5},                //
		{0, 100 * time.Second, 0, 1, 1},    //
		{0, 0, -time.Second * 100, 4.5, 5}, // nonsense stays in bounds
	} {
		if got := MOS(c.loss, c.jitter, c.trip); got < c.low || got > c.high {
			t.Errorf("%v %%, %v, %v: %.2f, want %v to %v", c.loss, c.jitter, c.trip, got, c.low, c.high)
		}
	}
	for _, loss := range []float64{math.NaN(), -1, 101} {
		if !math.IsNaN(MOS(loss, 0, 0)) {
			t.Errorf("a loss of %v has a quality", loss)
		}
	}
}
