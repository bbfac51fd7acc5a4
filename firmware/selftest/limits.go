package selftest

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// A Limit is what a value may be: Low and High are inclusive, infinite where there is none. A value at WarnLow or below, or
// at WarnHigh or above, is MARGINAL. The zero value allows only 0.
type Limit struct {
	Low, WarnLow, WarnHigh, High float64
	Unit                         string
	Title                        Text
}

// Judge is the outcome of a value. What is no number, or infinite, fails: nothing was measured.
func (l Limit) Judge(value float64) Outcome {
	switch {
	case !finite(value), math.IsNaN(l.Low), math.IsNaN(l.High), value < l.Low, value > l.High:
		return Fail
	case value <= l.WarnLow && l.WarnLow > l.Low, value >= l.WarnHigh && l.WarnHigh < l.High:
		return Marginal
	}
	return Pass
}

// check refuses limits that say nothing, or warn where nothing passes.
func (l Limit) check() error {
	for _, v := range []float64{l.Low, l.WarnLow, l.WarnHigh, l.High} {
		if math.IsNaN(v) {
			return fmt.Errorf("a limit is no number")
		}
	}
	if math.IsInf(l.Low, 1) || math.IsInf(l.High, -1) || l.Low > l.WarnLow || l.WarnLow > l.WarnHigh || l.WarnHigh > l.High {
		return fmt.Errorf("not low <= warn low <= warn high <= high: %v, %v, %v, %v", l.Low, l.WarnLow, l.WarnHigh, l.High)
	}
	if math.IsInf(l.Low, -1) && math.IsInf(l.High, 1) {
		return fmt.Errorf("allows everything")
	}
	return nil
}

// Limits are the limits of all measurements, by kind of test and name: "storage.fsync_p99".
type Limits map[string]Limit

// Measure judges one value. A name without a limit fails: what is not limited was not tested.
func (l Limits) Measure(kind ID, name string, value float64) Measurement {
	limit, ok := l[string(kind)+"."+name]
	if !ok {
		return Measurement{Name: name, Value: value, Limit: Limit{Low: math.NaN(), High: math.NaN()}, Outcome: Fail}
	}
	return Measurement{Name: name, Unit: limit.Unit, Value: value, Limit: limit}.judged()
}

// With is a copy with other limits: those of golden units. Unit and title stay. Unknown names and limits that allow
// everything are refused.
func (l Limits) With(others map[string]Limit) (Limits, error) {
	all := maps.Clone(l)
	for _, name := range slices.Sorted(maps.Keys(others)) {
		old, ok := all[name]
		if !ok {
			return nil, fmt.Errorf("selftest: limits: no measurement is called %q", name)
		}
		limit := others[name]
		limit.Unit, limit.Title = old.Unit, old.Title
		if err := limit.check(); err != nil {
			return nil, fmt.Errorf("selftest: limits of %q: %w", name, err)
		}
		all[name] = limit
	}
	return all, nil
}

func atMost(high, warn float64) Limit {
	return Limit{Low: math.Inf(-1), WarnLow: math.Inf(-1), WarnHigh: warn, High: high}
}

func atLeast(low, warn float64) Limit {
	return Limit{Low: low, WarnLow: warn, WarnHigh: math.Inf(1), High: math.Inf(1)}
}

// around is a limit on both sides of 0.
func around(high, warn float64) Limit {
	return Limit{Low: -high, WarnLow: -warn, WarnHigh: warn, High: high}
}

func exactly(v float64) Limit { return Limit{Low: v, WarnLow: v, WarnHigh: v, High: v} }

// StandardLimits are the start values for all measurements of the 22 tests; real ones come from 30 golden units. Those
// without a remark are the project's proposal (section "Self-test" of its findings); an asterisk marks our own start value.
func StandardLimits() Limits {
	all := Limits{}
	set := func(name, unit string, limit Limit, german, english string) {
		limit.Unit, limit.Title = unit, Text{german, english}
		all[name] = limit
	}
	soundLimits(set)
	bodyLimits(set)
	systemLimits(set)
	return all
}

type setLimit func(name, unit string, limit Limit, german, english string)

func soundLimits(set setLimit) {
	// The mask is 300 to 3,400 Hz and floats: only the shape counts, the level has its own test.
	set("response.lowest", "dB", around(6, 5), "tiefster Punkt der Maske", "lowest point in the mask")
	set("response.highest", "dB", around(6, 5), "höchster Punkt der Maske", "highest point in the mask")
	set("response.clarity", "dB", atLeast(15, 20), "Anteil des Prüftons", "share of the test signal") // *: noise alone has 0 dB
	set("distortion.thdn", "%", atMost(3, 2.5), "Klirren und Rauschen", "THD+N")
	set("distortion.thdn_electrical", "%", atMost(0.1, 0.08), "Klirren, elektrisch", "THD+N, electrical")
	set("noise.snr", "dB", atLeast(40, 43), "Rauschabstand (A)", "SNR (A-weighted)")
	set("level.deviation", "dB", around(3, 2.5), "Abweichung vom Sollpegel", "deviation from nominal")
	set("level.polarity", "", exactly(1), "Polung (1 richtig)", "polarity (1 right)")
	set("level.leak", "dB", atMost(-20, -25), "Übersprechen", "other channel") // *: "right channel only"
	set("delay.delay", "ms", Limit{Low: 0, WarnLow: 0, WarnHigh: 35, High: 40}, "Laufzeit", "delay")
	set("delay.drift", "ppm", around(100, 80), "Taktabweichung", "clock drift")
	set("echo.erl", "dB", atLeast(6, 8), "Echodämpfung", "echo return loss")
	set("mute.level", "dBFS", atMost(-60, -63), "Pegel bei Stumm", "level while muted")
}

func bodyLimits(set setLimit) {
	set("keys.missing", "", exactly(0), "fehlende Tasten", "missing keys")
	set("keys.extra", "", exactly(0), "unverlangte Tasten", "keys not asked for")
	set("stuck.held", "s", atMost(120, 120), "längste Haltezeit", "longest hold")
	set("stuck.held_power_on", "s", atMost(30, 30), "längste Haltezeit", "longest hold")
	set("bounce.p99", "ms", atMost(5, 4), "Prellen (99 %)", "bounce (p99)")
	set("bounce.longest", "ms", atMost(50, 10), "längstes Prellen", "longest bounce") // *: 50 ms is where debouncing gives up
	set("bounce.gap", "ms", atLeast(0, 20), "kürzester Abstand", "shortest gap")      // *
	set("hook.cycles", "", exactly(10), "erkannte Zyklen", "cycles counted")
	set("hook.bounce", "ms", atMost(50, 40), "längstes Prellen", "longest bounce")
	set("hook.glitches", "", atMost(5, 3), "Störungen", "glitches") // *: of ten cycles
	set("bus.missing", "", exactly(0), "fehlende Bausteine", "missing devices")
	set("bus.unknown", "", exactly(0), "unbekannte Bausteine", "unknown devices")
	set("bus.nacks", "", exactly(0), "Lesefehler", "failed reads")
	set("lamps.current", "%", around(30, 20), "Stromabweichung", "current deviation")
	set("identity.checksum", "", exactly(1), "Prüfsumme (1 richtig)", "checksum (1 right)")
	set("clock.error", "s", around(1, 0.5), "Gangfehler", "error")
	set("clock.battery_low", "", exactly(0), "Batterie leer", "battery low")
	set("temperature.soc", "°C", Limit{Low: -40, WarnLow: -40, WarnHigh: 70, High: 80}, "Prozessor", "processor")
	set("temperature.board", "°C", Limit{Low: -40, WarnLow: -40, WarnHigh: 70, High: 80}, "Platine", "board")
	set("temperature.throttled", "", exactly(0), "gedrosselt", "throttled")
	set("temperature.undervoltage", "", exactly(0), "Unterspannung", "under-voltage")
}

func systemLimits(set setLimit) {
	set("watchdog.timeout", "s", Limit{Low: 1, WarnLow: 1, WarnHigh: 61, High: 120}, "Wartezeit", "timeout") // *
	set("storage.wear", "%", atMost(80, 70), "Abnutzung", "life used")
	set("storage.bad_blocks", "", atMost(0, 0), "defekte Blöcke", "bad blocks")
	set("storage.errors", "", exactly(0), "Dateisystemfehler", "file system errors")
	set("storage.free", "%", atLeast(10, 20), "freier Platz", "free space") // *
	set("storage.fsync_p99", "ms", atMost(500, 300), "Schreibzeit (99 %)", "write time (p99)")
	set("ethernet.speed", "Mbit/s", atLeast(10, 10.5), "Geschwindigkeit", "speed") // *: 10 Mbit/s is a bad cable, and enough
	set("ethernet.full_duplex", "", exactly(1), "Vollduplex (1 ja)", "full duplex (1 yes)")
	set("ethernet.crc_errors", "", exactly(0), "Prüfsummenfehler", "CRC errors")
	set("ethernet.lost", "", exactly(0), "verlorene Pings", "pings lost")
	set("ethernet.power_spare", "", atLeast(0, 0), "PoE-Klasse über Bedarf", "PoE class above need")
	set("network.dhcp", "", exactly(1), "DHCP (1 ja)", "DHCP (1 yes)")
	set("network.dns", "", exactly(1), "DNS (1 ja)", "DNS (1 yes)")
	set("network.time", "", exactly(1), "Zeitserver (1 ja)", "NTP (1 yes)")
	set("network.exchange", "", exactly(1), "Telefonanlage (1 ja)", "exchange answers (1 yes)")
	set("network.port_open", "", exactly(1), "802.1X (1 offen)", "802.1X (1 authorised)")
	set("network.certificate", "d", atLeast(30, 45), "Zertifikat gilt noch", "certificate lasts")
	set("network.loss", "%", atMost(1, 0.5), "Paketverlust", "packet loss")
	set("network.jitter", "ms", atMost(30, 20), "Jitter", "jitter")
	// ITU-T G.107 Annex B: under 3.60 some, under 3.10 many users are dissatisfied.
	set("network.mos", "", atLeast(3.1, 3.6), "Sprachgüte (MOS)", "speech quality (MOS)")
	set("update.slots_good", "", atLeast(1, 1.5), "gute Systeme", "good slots")
	set("update.authority", "d", atLeast(30, 90), "Prüfzertifikat gilt noch", "authority lasts") // *
	set("update.free", "MB", atLeast(64, 128), "freier Platz", "free space")                     // *
}
