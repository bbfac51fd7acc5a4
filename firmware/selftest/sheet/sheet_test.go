package sheet

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"freizeichen/firmware/selftest"
	"freizeichen/firmware/selftest/reading"
	"freizeichen/firmware/selftest/report"
)

// results are those of a phone whose handset cord is broken and whose storage is worn.
func results(limits selftest.Limits, at time.Time) map[selftest.ID]selftest.Result {
	bounces := make(reading.Bounce, 40)
	for i := range bounces {
		bounces[i] = reading.Press{Bounce: time.Duration(i) * 90 * time.Microsecond, Gap: 300 * time.Millisecond}
	}
	return map[selftest.ID]selftest.Result{
		selftest.CheckBus:                            reading.Bus{Expected: []string{"0:0x34 TCA8418"}, Found: []string{"0:0x34"}, Reads: 100}.Judge(limits),
		selftest.CheckIdentity:                       reading.Identity{Serial: "FZ2611-000042", Model: "Zero", Revision: "B2", MAC: "02:00:5e:10:00:2a", ChecksumGood: true, LabelSerial: "FZ2611-000042"}.Judge(limits),
		selftest.CheckTemperature:                    reading.Temperature{SoC: new(54.3), Throttled: new(false), UnderVoltage: new(false)}.Judge(limits),
		selftest.CheckWatchdog:                       reading.Watchdog{Timeout: 15 * time.Second}.Judge(limits),
		selftest.CheckStorage:                        reading.Storage{WearPercent: new(70.0), Errors: new(0.0), FreePercent: 61, Syncs: []time.Duration{40 * time.Millisecond, 120 * time.Millisecond}}.Judge(limits),
		selftest.CheckUpdate:                         reading.Update{At: at, SlotsGood: 2, AuthorityUntil: at.AddDate(3, 0, 0), FreeMB: 900, ForgedRefused: new(true)}.Judge(limits),
		selftest.CheckStuck:                          reading.Stuck{}.Judge(limits),
		selftest.CheckEthernet:                       reading.Ethernet{SpeedMbit: 1000, FullDuplex: true, CRCErrors: new(0.0), Pings: 1000, PowerClass: new(2.0), PowerNeed: new(1.0)}.Judge(limits),
		selftest.CheckLevel.On(selftest.PartHandset): reading.Level{DeviationDB: -71.4, Polarity: 0}.Judge(limits),
		selftest.CheckLevel:                          reading.Level{DeviationDB: 0.6, Polarity: 1, LeakDB: new(-47.1)}.Judge(limits),
		selftest.CheckResponse:                       reading.Response{LowestDB: -3.1, HighestDB: 3.1, ClarityDB: 41}.Judge(limits),
		selftest.CheckDistortion:                     reading.Distortion{THDNPercent: 1.14}.Judge(limits),
		selftest.CheckNoise:                          reading.Noise{SNRDB: 51.2}.Judge(limits),
		selftest.CheckMute:                           reading.Mute{LevelDBFS: -93, Lamp: selftest.Yes}.Judge(limits),
		selftest.CheckDelay:                          reading.Delay{DelayMS: 22.5, DriftPPM: new(-12.4)}.Judge(limits),
		selftest.CheckEcho:                           reading.Echo{ERLDB: 17.8}.Judge(limits),
		selftest.CheckKeys:                           reading.Keys{Asked: []string{"1", "2", "3"}, Seen: []string{"1", "2", ""}}.Judge(limits),
		selftest.CheckBounce:                         bounces.Judge(limits),
		selftest.CheckHook:                           reading.Hook{Cycles: 10, Bounce: 11 * time.Millisecond}.Judge(limits),
		selftest.CheckLamps:                          reading.Looks{Looks: []reading.Look{{Name: "message", Wanted: selftest.Red, Seen: selftest.Red}, {Name: "line1", Wanted: selftest.Green, Seen: selftest.Green}}}.Judge(limits),
		selftest.CheckDisplay:                        reading.Looks{Looks: []reading.Look{{Name: "pattern 1", Wanted: selftest.Yes, Seen: selftest.Yes}}}.Judge(limits),
		selftest.CheckNetwork:                        reading.Network{At: at, DHCP: new(true), DNS: new(true), Time: new(true), Exchange: true, CertificateUntil: at.AddDate(0, 2, 0), Voice: &reading.Voice{Sent: 500, Received: 499, Jitter: 4 * time.Millisecond, RoundTrip: 18 * time.Millisecond}}.Judge(limits),
		selftest.CheckClock:                          reading.Clock{Clock: 84 * time.Second, Monotonic: 84 * time.Second, BatteryLow: new(false)}.Judge(limits),
	}
}

// record is that of a whole run; broken is a phone with the faults of results.
func record(t testing.TB, level selftest.Level, broken bool) report.Record {
	t.Helper()
	limits, now := selftest.StandardLimits(), time.Date(2026, 11, 28, 4, 16, 31, 0, time.UTC)
	tests, err := selftest.Select(selftest.Standard(selftest.PartIdentity, selftest.PartKeypad), level)
	if err != nil {
		t.Fatal(err)
	}
	hardware := map[selftest.Part]selftest.Presence{}
	for _, test := range tests {
		hardware[test.Part] = selftest.Fitted
	}
	if broken {
		hardware[selftest.PartHeadset] = selftest.NotFitted
	}
	session, err := selftest.Begin(selftest.Plan{Level: level, Tests: tests, Hardware: hardware}, now)
	if err != nil {
		t.Fatal(err)
	}
	all := results(limits, now)
	for {
		test, ok := session.Next(now)
		if !ok {
			break
		}
		result, special := all[test.ID]
		if !special || !broken {
			result = all[test.ID.Kind()]
		}
		if !broken && (test.ID == selftest.CheckKeys || test.ID == selftest.CheckStorage) {
			result = selftest.Judge(selftest.Words("all", "yes", "yes"))
		}
		now = now.Add(min(test.Takes, level.Budget()/20))
		session.Finish(now, result)
	}
	return report.New(session.Report(), report.Subject{Product: "Freizeichen", Model: "Zero", Serial: "FZ2611-000042", MAC: "02:00:5e:10:00:2a",
		Revision: "B2", Firmware: "0.9.0+g1a2b3c4"})
}

var streams = regexp.MustCompile(`(?s)stream\r?\n(.*?)\r?\nendstream`)

// content is the decompressed text of all streams.
func content(t testing.TB, pdf []byte) string {
	t.Helper()
	var all strings.Builder
	for _, m := range streams.FindAllSubmatch(pdf, -1) {
		r, err := zlib.NewReader(bytes.NewReader(m[1]))
		if err != nil {
			continue // not compressed
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

func pages(pdf []byte) int { return len(regexp.MustCompile(`/Type /Page\b`).FindAll(pdf, -1)) }

func TestEveryRecordIsOnePage(t *testing.T) {
	full := record(t, selftest.Factory, true)
	long := full
	for i := range 300 {
		phase := full.Phases[i%len(full.Phases)]
		phase.DescriptorID = len(long.Phases) + 1
		long.Phases = append(long.Phases[:len(long.Phases):len(long.Phases)], phase)
	}
	empty := full
	empty.Phases = nil
	for name, r := range map[string]report.Record{"all tests": full, "300 more": long, "none": empty, "power-on": record(t, selftest.PowerOn, false)} {
		pdf, err := Page(r, Options{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if pages(pdf) != 1 || !bytes.HasPrefix(pdf, []byte("%PDF-")) || !bytes.HasSuffix(bytes.TrimSpace(pdf), []byte("%%EOF")) {
			t.Errorf("%s: %d pages", name, pages(pdf))
		}
		if left := strings.Contains(content(t, pdf), "weitere, siehe Bericht"); left != (name == "300 more") {
			t.Errorf("%s: tests are left out: %t", name, left)
		}
	}
}

func TestThePageSaysWhatATechnicianNeeds(t *testing.T) {
	r := record(t, selftest.Technician, true)
	for language, words := range map[selftest.Language][]string{
		selftest.German: {"FZ2611-000042", "02:00:5e:10:00:2a", "B2", "0.9.0", "28.11.2026 05:16:31 MEZ", "Techniker", "FEHLER", "Defektes Teil: H\xf6rer",
			"H\xf6rerkabel tauschen", "H\xf6rer: Pegel und Polung", "-71,4 dB", "knapp", "nicht gepr\xfcft", "wegen: H\xf6rer: Pegel", "entf\xe4llt", "nicht eingebaut", "max. 80 %"},
		selftest.English: {"2026-11-28 05:16:31 MEZ", "technician", "FAILED", "Broken part: handset", "replace handset and cord", "-71.4 dB", "marginal", "not done", "not fitted"},
	} {
		pdf, err := Page(r, Options{Language: language, Place: time.FixedZone("MEZ", 3600)})
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer(`\(`, "(", `\)`, ")", `\\`, `\`).Replace(content(t, pdf))
		for _, word := range append(words, hash(t, r)) {
			if !strings.Contains(text, word) {
				t.Errorf("%s: the page does not say %q", language, word)
			}
		}
	}
}

func hash(t testing.TB, r report.Record) string {
	t.Helper()
	document, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return report.Hash(document)
}

func TestTheSameRecordGivesTheSameBytes(t *testing.T) {
	r := record(t, selftest.Technician, true)
	first, err := Page(r, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		again, err := Page(r, Options{})
		if err != nil || !bytes.Equal(first, again) {
			t.Fatalf("another page of the same record: %v", err)
		}
	}
	if n := bytes.Count(first, []byte("Date (D:"+time.UnixMilli(r.EndMillis).UTC().Format("20060102150405"))); n != 2 { // made and changed: another day's page is the same
		t.Errorf("%d of the page's dates are the record's", n)
	}
	r.Metadata.Revision = "B3"
	if other, _ := Page(r, Options{}); bytes.Equal(first, other) {
		t.Error("another record has the same page")
	}
}

func TestLongAndStrangeTextsAreCut(t *testing.T) {
	r := record(t, selftest.Technician, true)
	r.Metadata.Product = strings.Repeat("W", 300)
	r.Metadata.Model = "日本語 ≤ \x00\x80 (\\) €"
	r.Phases[0].Name = strings.Repeat("long ", 60)
	pdf, err := Page(r, Options{})
	if err != nil {
		t.Fatal(err)
	}
	text := content(t, pdf)
	if strings.Contains(text, strings.Repeat("W", 60)) || !strings.Contains(text, "WW\x85") {
		t.Error("a long product runs over the QR code")
	}
	if !strings.Contains(text, "??? max. ") {
		t.Error("characters that the font has not are not replaced")
	}
	r.DUT = strings.Repeat("x", 3000) // no QR code takes it
	if _, err := Page(r, Options{}); err == nil {
		t.Error("a serial number of 3,000 characters has a QR code")
	}
}

func TestFailuresAreTheLastToBeLeftOut(t *testing.T) {
	phase := func(name string, o selftest.Outcome) report.Phase {
		return report.Phase{Name: name, Result: report.PhaseResult{Outcome: o.String()}}
	}
	all := []report.Phase{phase("a", selftest.NotApplicable), phase("b", selftest.Fail), phase("c", selftest.Pass), phase("d", selftest.Marginal), phase("e", selftest.Pass)}
	for most, want := range map[int]string{5: "abcde 0", 4: "bcd 2", 3: "bd 3", 2: "b 4"} {
		shown, left := chosen(all, most)
		got := ""
		for _, p := range shown {
			got += p.Name
		}
		if got = fmt.Sprintf("%s %d", got, left); got != want {
			t.Errorf("room for %d: %s, want %s", most, got, want)
		}
	}
}

func TestTheCodeSaysSerialVerdictAndHash(t *testing.T) {
	r := record(t, selftest.Technician, true)
	want := "SELFTEST/1 S:FZ2611-000042 V:FAILED H:" + strings.ToUpper(hash(t, r))
	if got := CodeText(r, hash(t, r)); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
