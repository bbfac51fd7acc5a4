package reading

import (
	"math"
	"slices"
	"strings"
	"time"

	"freizeichen/firmware/selftest"
)

// Keys are which keys were seen, in the order they were asked for.
type Keys struct {
	Asked []string
	Seen  []string // beside Asked; empty: none in time
	Extra []string // came unasked: ghosts of a matrix
}

// Judge is the result of selftest.CheckKeys. A key that was not seen is dead when others were; when none was, nobody is
// there, and the test is NOT DONE.
func (r Keys) Judge(l selftest.Limits) selftest.Result {
	var missing []string
	extra := slices.Clone(r.Extra)
	for i, key := range r.Asked {
		seen := ""
		if i < len(r.Seen) {
			seen = r.Seen[i]
		}
		if seen != key {
			missing = append(missing, key)
		}
		if seen != key && seen != "" {
			extra = append(extra, seen)
		}
	}
	if len(missing) == len(r.Asked) && len(extra) == 0 {
		return unanswered(string(selftest.SayPressKey))
	}
	result := selftest.Judge(l.Measure(selftest.CheckKeys, "missing", float64(len(missing))), l.Measure(selftest.CheckKeys, "extra", float64(len(extra))))
	return naming(naming(result, "missing", missing), "extra", extra)
}

func unanswered(what string) selftest.Result {
	return selftest.Result{Reason: selftest.Reason{Key: selftest.CauseUnanswered, Detail: what}}
}

func unmeasured() selftest.Result {
	return selftest.Result{Reason: selftest.Reason{Key: selftest.CauseUnmeasured}}
}

// naming adds to the reason of a failure what is concerned.
func naming(r selftest.Result, what string, which []string) selftest.Result {
	if r.Outcome != selftest.Fail || len(which) == 0 {
		return r
	}
	text := what + ": " + strings.Join(which, " ")
	if r.Reason.Detail != "" {
		text = r.Reason.Detail + "; " + text
	}
	r.Reason = selftest.Reason{Key: selftest.CauseNamed, Detail: text}
	return r
}

// Stuck is how long keys have been down by now; none is a pass with 0 s.
type Stuck struct {
	Held    map[string]time.Duration
	PowerOn bool // since the phone started, which allows less
}

// Judge is the result of selftest.CheckStuck. The program masks the keys that it names.
func (r Stuck) Judge(l selftest.Limits) selftest.Result {
	name := "held"
	if r.PowerOn {
		name = "held_power_on"
	}
	longest := time.Duration(0)
	var stuck []string
	for key, duration := range r.Held {
		longest = max(longest, duration)
		if l.Measure(selftest.CheckStuck, name, duration.Seconds()).Outcome == selftest.Fail {
			stuck = append(stuck, key)
		}
	}
	slices.Sort(stuck)
	return naming(selftest.Judge(l.Measure(selftest.CheckStuck, name, longest.Seconds())), "stuck", stuck)
}

// A Press is one press of a key, as its contact saw it.
type Press struct {
	Bounce time.Duration // from the first edge to the last
	Gap    time.Duration // how long the contact had been quiet before; 0: not known
}

// Bounce is all presses of the keys test.
type Bounce []Press

// pressesLeast is how many presses make statistics: fewer have no 99th part.
const pressesLeast = 20

// Judge is the result of selftest.CheckBounce. Fewer than 20 presses are NOT DONE.
func (r Bounce) Judge(l selftest.Limits) selftest.Result {
	if len(r) < pressesLeast {
		return unmeasured()
	}
	bounces := make([]float64, len(r))
	gap := math.Inf(1)
	for i, p := range r {
		bounces[i] = milliseconds(p.Bounce)
		if p.Gap > 0 {
			gap = min(gap, milliseconds(p.Gap))
		}
	}
	measured := []selftest.Measurement{l.Measure(selftest.CheckBounce, "p99", Percentile(bounces, 99)),
		l.Measure(selftest.CheckBounce, "longest", slices.Max(bounces))}
	if !math.IsInf(gap, 1) {
		measured = append(measured, l.Measure(selftest.CheckBounce, "gap", gap))
	}
	return selftest.Judge(measured...)
}

// Percentile is the smallest value that percent of all values do not exceed (nearest rank); NaN of none.
func Percentile(values []float64, percent float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(percent / 100 * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Hook is ten times up and down.
type Hook struct {
	Cycles   int
	Bounce   time.Duration // the longest of them
	Glitches int           // disturbances that came to nothing: a contact that is loose
	GaveUp   bool          // nothing had moved for long when the time was over
}

// Judge is the result of selftest.CheckHook. No cycle at all, or not all of them and then rest, is NOT DONE: nobody did it.
func (r Hook) Judge(l selftest.Limits) selftest.Result {
	if r.Cycles == 0 || r.GaveUp {
		return unanswered(string(selftest.SayHookCycle))
	}
	return selftest.Judge(l.Measure(selftest.CheckHook, "cycles", float64(r.Cycles)), l.Measure(selftest.CheckHook, "bounce", milliseconds(r.Bounce)),
		l.Measure(selftest.CheckHook, "glitches", float64(r.Glitches)))
}

// Bus is a scan of I2C by reading, never writing.
type Bus struct {
	Expected, Found []string // "0:0x34 TCA8418"; compared up to the first space
	Reads, Nacks    int      // of 100 reads of each device's ID register, together
}

// Judge is the result of selftest.CheckBus.
func (r Bus) Judge(l selftest.Limits) selftest.Result {
	if r.Reads == 0 && len(r.Found) > 0 {
		return unmeasured()
	}
	without := func(these, others []string) (left []string) {
		for _, one := range these {
			if !slices.ContainsFunc(others, func(other string) bool { return address(other) == address(one) }) {
				left = append(left, one)
			}
		}
		return left
	}
	missing, unknown := without(r.Expected, r.Found), without(r.Found, r.Expected)
	if len(r.Expected) == 0 && len(r.Found) == 0 {
		return unmeasured()
	}
	result := selftest.Judge(l.Measure(selftest.CheckBus, "missing", float64(len(missing))),
		l.Measure(selftest.CheckBus, "unknown", float64(len(unknown))), l.Measure(selftest.CheckBus, "nacks", float64(r.Nacks)))
	return naming(naming(result, "missing", missing), "unknown", unknown)
}

func address(device string) string {
	address, _, _ := strings.Cut(device, " ")
	return strings.ToLower(address)
}

// A Look is one question about a lamp or a pattern.
type Look struct {
	Name         string // "message", "pattern 3"; once in a test
	Wanted, Seen selftest.Choice
}

// Looks are what a person saw of selftest.CheckLamps or selftest.CheckDisplay.
type Looks struct {
	Looks    []Look             // Seen empty: not answered
	Currents map[string]float64 // of lamps whose current is sensed: deviation in percent, by name
}

// Judge is the result. One unanswered look makes it NOT DONE, unless another is wrong.
func (r Looks) Judge(l selftest.Limits) selftest.Result {
	var measured []selftest.Measurement
	open := ""
	for _, look := range r.Looks {
		if look.Seen == "" {
			open = look.Name
			continue
		}
		measured = append(measured, selftest.Words(look.Name, string(look.Seen), string(look.Wanted)))
	}
	for name, deviation := range r.Currents {
		m := l.Measure(selftest.CheckLamps, "current", deviation)
		m.Name = "current " + name
		measured = append(measured, m)
	}
	slices.SortStableFunc(measured, func(a, b selftest.Measurement) int { return strings.Compare(a.Name, b.Name) })
	result := selftest.Judge(measured...)
	if open != "" && result.Outcome != selftest.Fail {
		result.Outcome, result.Reason = selftest.NotDone, unanswered(open).Reason
	}
	return result
}

// Identity is what the EEPROM says and what the label says.
type Identity struct {
	Serial, Model, Revision, MAC string
	ChecksumGood                 bool
	Prefixes                     []string // of MAC addresses that are ours: "02:00:5e"; nil: not looked at
	BoardModel                   string   // of the board's file; empty: not looked at
	InterfaceMAC                 string   // that the network interface really has; empty: not looked at
	LabelSerial, LabelMAC        string   // of its QR code; empty: not looked at
}

// Judge is the result of selftest.CheckIdentity.
func (r Identity) Judge(l selftest.Limits) selftest.Result {
	mac := strings.ToLower(r.MAC)
	measured := flag(l, selftest.CheckIdentity, "checksum", &r.ChecksumGood)
	for _, field := range [][2]string{{"serial", r.Serial}, {"model", r.Model}, {"revision", r.Revision}} {
		present := "present"
		if strings.TrimSpace(field[1]) == "" {
			present = "empty"
		}
		measured = append(measured, selftest.Words(field[0], present, "present"))
	}
	ours := slices.ContainsFunc(r.Prefixes, func(prefix string) bool { return strings.HasPrefix(mac, strings.ToLower(prefix)) })
	if !ours && len(r.Prefixes) > 0 {
		measured = append(measured, selftest.Words("mac_prefix", mac, strings.ToLower(strings.Join(r.Prefixes, " or "))))
	}
	same := func(name, is, want string) {
		if strings.EqualFold(is, want) {
			is = want
		}
		if want != "" {
			measured = append(measured, selftest.Words(name, is, want))
		}
	}
	same("board_model", r.Model, r.BoardModel)
	same("interface_mac", r.MAC, r.InterfaceMAC)
	same("label_serial", r.Serial, r.LabelSerial)
	same("label_mac", r.MAC, r.LabelMAC)
	return selftest.Judge(measured...)
}

// Clock is the same span of about 10 s by two clocks.
type Clock struct {
	Clock, Monotonic time.Duration
	BatteryLow       *bool // nil: the clock has no such flag
}

// Judge is the result of selftest.CheckClock. Spans under 5 s are NOT DONE: a clock that counts seconds says too little in
// them.
func (r Clock) Judge(l selftest.Limits) selftest.Result {
	if r.Monotonic < 5*time.Second {
		return unmeasured()
	}
	measured := []selftest.Measurement{l.Measure(selftest.CheckClock, "error", (r.Clock - r.Monotonic).Seconds())}
	return selftest.Judge(append(measured, flag(l, selftest.CheckClock, "battery_low", r.BatteryLow)...)...)
}

// Temperature is in degrees Celsius; nil where the phone does not know.
type Temperature struct {
	SoC, Board              *float64
	Throttled, UnderVoltage *bool // since the phone started
}

// Judge is the result of selftest.CheckTemperature.
func (r Temperature) Judge(l selftest.Limits) selftest.Result {
	const kind = selftest.CheckTemperature
	return selftest.Judge(slices.Concat(optional(l, kind, "soc", r.SoC), optional(l, kind, "board", r.Board),
		flag(l, kind, "throttled", r.Throttled), flag(l, kind, "undervoltage", r.UnderVoltage))...)
}
