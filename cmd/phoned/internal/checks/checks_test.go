//go:build linux

package checks

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"freizeichen/device/phone"
	"freizeichen/firmware/config"
	"freizeichen/firmware/selftest"
	"freizeichen/hal"
	"freizeichen/hal/board"
	"freizeichen/hal/board/body"
	"freizeichen/sip"
)

// newBench is a bench for a table, whose proc and sys are a folder with these files.
func newBench(t *testing.T, table board.Table, files map[string]string) *Bench {
	t.Helper()
	none := slog.New(slog.DiscardHandler)
	opened, err := body.Open(body.Config{Table: table, Log: none, Key: func(hal.KeyChange) {}, Hook: func(hal.HookChange) {},
		Headset: func(hal.HeadsetChange) {}, Part: func(hal.PartChange) {}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Close)
	b, err := New(Config{Body: opened, Data: t.TempDir(), Log: none, View: func() phone.View { return phone.View{} },
		Config: config.Config{Accounts: []config.Account{{Domain: "127.0.0.1"}}}})
	if err != nil {
		t.Fatal(err)
	}
	b.root = t.TempDir()
	for name, text := range files {
		b.put(t, name, text)
	}
	return b
}

func (b *Bench) put(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(b.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run does one test at a level.
func (b *Bench) run(t *testing.T, level selftest.Level, test func(context.Context, *selftest.Step) selftest.Result) selftest.Result {
	t.Helper()
	return test(t.Context(), &selftest.Step{Level: level, Limits: b.limits})
}

// value is what was measured under a name; NaN without.
func value(r selftest.Result, name string) float64 {
	for _, m := range r.Measurements {
		if m.Name == name {
			return m.Value
		}
	}
	return math.NaN()
}

func TestTheStorageIsJudgedByWearErrorsAndRoom(t *testing.T) {
	for _, c := range []struct {
		name    string
		files   map[string]string
		wear    float64 // NaN: not said
		errors  float64
		outcome selftest.Outcome
	}{
		{"a file system that counted errors", map[string]string{"sys/fs/ext4/mmcblk0p1/errors_count": "0", "sys/fs/ext4/mmcblk0p2/errors_count": "3"}, math.NaN(), 3, selftest.Fail},
		{"an eMMC at its end", map[string]string{"sys/block/mmcblk0/device/life_time": "0x01 0x0b"}, 110, math.NaN(), selftest.Fail},
		{"an eMMC that is getting old", map[string]string{"sys/block/mmcblk0/device/life_time": "0x08 0x02"}, 80, math.NaN(), selftest.Marginal},
		{"a new eMMC", map[string]string{"sys/block/mmcblk0/device/life_time": "0x01 0x01", "sys/fs/ext4/mmcblk0p2/errors_count": "0"}, 10, 0, selftest.Pass},
		{"an eMMC that says nothing", map[string]string{"sys/block/mmcblk0/device/life_time": "0x00 0x00"}, math.NaN(), math.NaN(), selftest.Pass},
		{"nonsense", map[string]string{"sys/block/mmcblk0/device/life_time": "0xzz 12", "sys/fs/ext4/x/errors_count": "many"}, math.NaN(), math.NaN(), selftest.Pass},
		{"a card without a life time", nil, math.NaN(), math.NaN(), selftest.Pass},
	} {
		b := newBench(t, board.Table{}, c.files)
		r := b.run(t, selftest.PowerOn, b.storage)
		same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
		outcome := r.Outcome
		if free := value(r, "free"); free < 20 && c.outcome != selftest.Fail { // of the disk that the tests run on
			outcome = c.outcome
		}
		if !same(value(r, "wear"), c.wear) || !same(value(r, "errors"), c.errors) || outcome != c.outcome || !math.IsNaN(value(r, "fsync_p99")) {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
}

func TestOnlyATestThatAPersonWantsWritesAndLeavesNothing(t *testing.T) {
	b := newBench(t, board.Table{}, nil)
	if r := b.run(t, selftest.Technician, b.storage); !(value(r, "fsync_p99") > 0) {
		t.Errorf("%+v", r)
	}
	if left, err := os.ReadDir(b.Data); err != nil || len(left) != 0 {
		t.Errorf("%v, left %v", err, left)
	}
	b.Data = filepath.Join(b.Data, "none")
	if r := b.run(t, selftest.Technician, b.storage); r.Outcome != selftest.Fail || !strings.Contains(r.Reason.Detail, "no such file") {
		t.Errorf("a folder that is not there: %+v", r)
	}
	if r := b.run(t, selftest.PowerOn, b.storage); r.Outcome != selftest.Fail {
		t.Errorf("room that nobody knows: %+v", r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.write(ctx); err == nil {
		t.Error("it writes after the end")
	}
}

func TestTheLinkIsJudgedByWhatTheKernelSays(t *testing.T) {
	const at = "sys/class/net/eth7/"
	link := func(more ...string) map[string]string {
		files := map[string]string{at + "carrier": "1", at + "speed": "100", at + "duplex": "full"}
		for i := 0; i < len(more); i += 2 {
			files[at+more[i]] = more[i+1]
		}
		return files
	}
	for _, c := range []struct {
		name    string
		files   map[string]string
		speed   float64
		outcome selftest.Outcome
		says    string
	}{
		{"no such interface", nil, math.NaN(), selftest.Fail, "there is no interface eth7"},
		{"down: its carrier cannot be read", map[string]string{at + "address": "02:00:00:00:00:01"}, 0, selftest.Fail, ""},
		{"no cable: the speed is -1", link("carrier", "0", "speed", "-1"), 0, selftest.Fail, ""},
		{"no cable: the speed is that of before", link("carrier", "0"), 0, selftest.Fail, ""},
		{"half duplex", link("duplex", "half"), 100, selftest.Fail, ""},
		{"a bad cable", link("speed", "10"), 10, selftest.Marginal, ""},
		{"well", link(), 100, selftest.Pass, ""},
	} {
		b := newBench(t, board.Table{Network: "eth7"}, c.files)
		r := b.run(t, selftest.Continuous, b.ethernet)
		if speed := value(r, "speed"); r.Outcome != c.outcome || speed != c.speed && !(math.IsNaN(speed) && math.IsNaN(c.speed)) || !strings.Contains(r.Reason.Detail, c.says) {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
	// Errors count from the beginning of the load to its end: what was before may have been another cable.
	route := "Iface\tDestination\tGateway\tFlags\neth7\t00000000\t0202000A\t0003\n"
	for errors, want := range map[string]selftest.Outcome{"40": selftest.Pass, "42": selftest.Fail} {
		b := newBench(t, board.Table{Network: "eth7"}, link("statistics/rx_crc_errors", "40"))
		b.put(t, "proc/net/route", route)
		b.ping = func(_ context.Context, gateway netip.Addr) (sent, lost int) {
			b.put(t, at+"statistics/rx_crc_errors", errors)
			return 1000, 0
		}
		if r := b.run(t, selftest.Continuous, b.ethernet); r.Outcome != selftest.Pass || !math.IsNaN(value(r, "lost")) || !math.IsNaN(value(r, "crc_errors")) {
			t.Errorf("a test that nobody asked for: %+v", r)
		}
		if r := b.run(t, selftest.Technician, b.ethernet); r.Outcome != want || value(r, "lost") != 0 || math.IsNaN(value(r, "crc_errors")) {
			t.Errorf("%s errors: %+v", errors, r)
		}
	}
}

func TestAWatchdogIsThereOrNotTested(t *testing.T) {
	b := newBench(t, board.Table{}, nil)
	if b.fitted()[selftest.PartWatchdog] {
		t.Error("it has a watchdog")
	}
	if r := b.run(t, selftest.PowerOn, b.watchdog); r.Outcome != selftest.Fail {
		t.Errorf("one that went: %+v", r)
	}
	if !newBench(t, board.Table{Watchdog: true}, nil).fitted()[selftest.PartWatchdog] {
		t.Error("a board that has one, and a kernel without its driver: nobody tests it")
	}
	for timeout, want := range map[string]selftest.Outcome{"15": selftest.Pass, "61": selftest.Marginal, "600": selftest.Fail, "soon": selftest.Fail} {
		b.put(t, "sys/class/watchdog/watchdog0/timeout", timeout)
		if r := b.run(t, selftest.PowerOn, b.watchdog); r.Outcome != want || !b.fitted()[selftest.PartWatchdog] {
			t.Errorf("%s: %+v", timeout, r)
		}
	}
}

func TestTheProcessorsTemperatureIsThatOfItsZone(t *testing.T) {
	table := board.Table{Temperature: board.Sensor{Chip: board.Chip{Place: "b:1"}, Zone: "cpu-thermal"}}
	b := newBench(t, table, map[string]string{"sys/class/thermal/thermal_zone0/type": "gpu-thermal", "sys/class/thermal/thermal_zone0/temp": "99000"})
	if r := b.run(t, selftest.PowerOn, b.temperature); r.Outcome != selftest.Fail || !strings.Contains(r.Reason.Detail, "no thermal zone cpu-thermal") {
		t.Errorf("another zone: %+v", r)
	}
	for milli, want := range map[string]selftest.Outcome{"45000": selftest.Pass, "75000": selftest.Marginal, "85000": selftest.Fail} {
		b.put(t, "sys/class/thermal/thermal_zone1/type", "cpu-thermal")
		b.put(t, "sys/class/thermal/thermal_zone1/temp", milli)
		if r := b.run(t, selftest.PowerOn, b.temperature); r.Outcome != want {
			t.Errorf("%s: %+v", milli, r)
		}
	}
	b.put(t, "sys/devices/platform/soc/soc:firmware/get_throttled", "50000")
	b.put(t, "sys/class/thermal/thermal_zone1/temp", "45000")
	if r := b.run(t, selftest.PowerOn, b.temperature); r.Outcome != selftest.Fail || value(r, "undervoltage") != 1 {
		t.Errorf("a weak supply: %+v", r)
	}
}

// A chip alone on its bus, and on no machine.
func TestChipsThatDoNotAnswerFailAndNeverPanic(t *testing.T) {
	chip := board.Chip{Place: "b:1", Bus: "nowhere", Address: 0x50}
	table := board.Table{Identity: board.Identity{Chip: chip}, Clock: board.Clock{Chip: board.Chip{Place: "b:2", Bus: "elsewhere", Address: 0x68}},
		Temperature: board.Sensor{Chip: board.Chip{Place: "b:3", Bus: "nowhere", Address: 0x48}}}
	table.Scan = []board.Bus{{Name: "nowhere", Chips: []board.Chip{chip}}, {Name: "elsewhere", Chips: []board.Chip{table.Clock.Chip}}}
	b := newBench(t, table, nil)
	plan, bench, err := b.Plan(selftest.PowerOn)
	if err != nil {
		t.Fatal(err)
	}
	report, err := selftest.Run(t.Context(), bench, plan)
	if err != nil || report.Verdict() != selftest.Failed || report.Broken() != selftest.PartBus {
		t.Fatalf("%v, %s, broken is %q", err, report.Verdict(), report.Broken())
	}
	for _, f := range report.Findings {
		if f.Reason.Key == selftest.CausePanic || f.Test.Parent == selftest.CheckBus && f.Outcome == selftest.Fail {
			t.Errorf("%s: %s %+v", f.Test.ID, f.Outcome, f.Reason)
		}
	}
	for _, test := range []selftest.Func{b.readIdentity, b.temperature, b.clock} {
		if r := b.run(t, selftest.Factory, test); r.Outcome != selftest.Fail || !strings.Contains(r.Reason.Detail, "no I2C bus") {
			t.Errorf("%+v", r)
		}
	}
}

func TestALimitThatNobodyMeasuresIsRefused(t *testing.T) {
	b := newBench(t, board.Table{}, nil)
	opened, err := body.Open(body.Config{Table: board.Table{Limits: []board.Limit{{Name: "fun.fun", High: 1}}}, Log: b.Log,
		Hook: func(hal.HookChange) {}, Part: func(hal.PartChange) {}})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if _, err := New(Config{Body: opened}); err == nil || !strings.Contains(err.Error(), `"fun.fun"`) {
		t.Errorf("%v", err)
	}
}

func TestAStepShowsAPictureALampOrWords(t *testing.T) {
	for _, c := range []struct {
		say       selftest.Phrase
		arguments []string
		picture   phone.Pattern
		lamp      hal.Lamp
	}{
		{sayPattern, nil, phone.PatternNone, hal.LampCount},
		{sayPattern, []string{"-1"}, phone.PatternNone, hal.LampCount},
		{sayPattern, []string{"99"}, phone.PatternNone, hal.LampCount},
		{sayLamp, []string{"99"}, phone.PatternNone, hal.LampCount},
		{sayLamp, []string{"x"}, phone.PatternNone, hal.LampCount},
		{selftest.SayQuiet, []string{"1"}, phone.PatternNone, hal.LampCount},
		{sayPattern, []string{"2"}, phone.PatternDark, hal.LampCount},
		{sayLamp, []string{"0"}, phone.PatternNone, hal.LampMessage},
	} {
		if picture, lamp := Shows(c.say, c.arguments); picture != c.picture || lamp != c.lamp {
			t.Errorf("%s %v: %v, %v", c.say, c.arguments, picture, lamp)
		}
	}
}

func TestAnExchangeThatIsAnAddressNeedsNoName(t *testing.T) {
	b := newBench(t, board.Table{}, nil)
	for _, c := range []struct{ domain, server, want string }{
		{"192.0.2.1", "", ""}, {"pbx.example", "192.0.2.1:5060", ""}, {"pbx.example", "[2001:db8::1]:5060", ""}, {"[2001:db8::1]", "", ""},
		{"pbx.example", "", "pbx.example"}, {"pbx.example", "sip.example:5061", "sip.example"},
	} {
		b.Config.Config.Accounts[0] = config.Account{Domain: c.domain, Server: c.server}
		if got := b.nameOfExchange(); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestAPersonsTestCallsTheEcho(t *testing.T) {
	b := newBench(t, board.Table{}, nil)
	calls := 0
	said, fault := sip.Statistics{Sent: 500, Received: 499, Jitter: 3 * time.Millisecond, RoundTrip: 20 * time.Millisecond}, error(nil)
	b.Echo = func(context.Context) (sip.Statistics, error) { calls++; return said, fault }
	registration := phone.Registered
	b.View = func() phone.View { return phone.View{Status: phone.Status{Registration: registration}} }
	b.run(t, selftest.Continuous, b.network)
	if calls != 0 {
		t.Error("the test that runs all the time has called")
	}
	r := b.run(t, selftest.Technician, b.network)
	if value(r, "loss") != 0.2 || value(r, "jitter") != 3 || !(value(r, "mos") > 4) || calls != 1 {
		t.Errorf("%d calls, %+v", calls, r)
	}
	said.RemoteLost = 20 // an exchange that fills gaps sends all back
	if r := b.run(t, selftest.Technician, b.network); r.Outcome != selftest.Fail || value(r, "loss") != 4 {
		t.Errorf("voice lost on its way there: %+v", r)
	}
	said, fault = sip.Statistics{}, errors.New("600 was not reached: busy")
	if r := b.run(t, selftest.Factory, b.network); r.Outcome != selftest.Fail || r.Reason.Detail != fault.Error() {
		t.Errorf("an echo that is not there: %+v", r)
	}
	calls, registration = 0, phone.Failed
	if r := b.run(t, selftest.Technician, b.network); calls != 0 || r.Outcome != selftest.Fail {
		t.Errorf("without an exchange: %d calls, %+v", calls, r)
	}
}
