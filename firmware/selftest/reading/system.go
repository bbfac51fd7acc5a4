package reading

import (
	"math"
	"slices"
	"time"

	"freizeichen/firmware/selftest"
)

// Watchdog is what the kernel says of it.
type Watchdog struct {
	Timeout    time.Duration
	Bitten     bool   // the factory let it bite: then the cause must be "watchdog"
	ResetCause string //
}

// Judge is the result of selftest.CheckWatchdog.
func (r Watchdog) Judge(l selftest.Limits) selftest.Result {
	measured := []selftest.Measurement{l.Measure(selftest.CheckWatchdog, "timeout", r.Timeout.Seconds())}
	if r.Bitten {
		measured = append(measured, selftest.Words("reset_cause", r.ResetCause, "watchdog"))
	}
	return selftest.Judge(measured...)
}

// Storage is nil or empty where the medium does not say: an SD card has no life time.
type Storage struct {
	WearPercent, BadBlocks *float64 // the worse of eMMC life A and B
	Errors                 *float64 // that the file system counted
	FreePercent            float64  // NaN: not known, which fails
	Syncs                  []time.Duration
}

// Judge is the result of selftest.CheckStorage: wear, errors, room and the time of writing 1 MB with fsync.
func (r Storage) Judge(l selftest.Limits) selftest.Result {
	const kind = selftest.CheckStorage
	measured := slices.Concat(optional(l, kind, "wear", r.WearPercent), optional(l, kind, "bad_blocks", r.BadBlocks),
		optional(l, kind, "errors", r.Errors), []selftest.Measurement{l.Measure(kind, "free", r.FreePercent)})
	if len(r.Syncs) > 0 {
		times := make([]float64, len(r.Syncs))
		for i, sync := range r.Syncs {
			times[i] = milliseconds(sync)
		}
		measured = append(measured, l.Measure(kind, "fsync_p99", Percentile(times, 99)))
	}
	return selftest.Judge(measured...)
}

// Ethernet is of the link. Counters are differences over the test; negative ones, of a counter that began anew, fail.
type Ethernet struct {
	SpeedMbit  float64 // 0: no link
	FullDuplex bool
	CRCErrors  *float64
	Pings      int // sent to the gateway; 0: none
	PingsLost  int
	// Power over Ethernet: the class that the switch grants and the one that the phone needs; nil: another supply.
	PowerClass, PowerNeed *float64
}

// Judge is the result of selftest.CheckEthernet. Without a link it fails, whatever else was read.
func (r Ethernet) Judge(l selftest.Limits) selftest.Result {
	const kind = selftest.CheckEthernet
	measured := slices.Concat([]selftest.Measurement{l.Measure(kind, "speed", r.SpeedMbit)},
		flag(l, kind, "full_duplex", &r.FullDuplex), optional(l, kind, "crc_errors", r.CRCErrors))
	if r.Pings > 0 {
		measured = append(measured, l.Measure(kind, "lost", float64(r.PingsLost)))
	}
	if r.PowerClass != nil && r.PowerNeed != nil {
		measured = append(measured, l.Measure(kind, "power_spare", *r.PowerClass-*r.PowerNeed))
	}
	return selftest.Judge(measured...)
}

// Network is what the network serves; nil where this site has no such thing.
type Network struct {
	At              time.Time // of the test
	DHCP, DNS, Time *bool
	Exchange        bool  // answered OPTIONS, with whatever code
	PortOpen        *bool // 802.1X
	// CertificateUntil is when the exchange's certificate, or our own if sooner, ends; zero: no TLS.
	CertificateUntil time.Time
	Voice            *Voice // nil: nobody sends voice back at this site
}

// Voice is 10 s of voice that were sent back.
type Voice struct {
	Sent, Received int // packets
	Lost           int // that either end has missed: an exchange that fills gaps sends them back filled
	Jitter         time.Duration
	RoundTrip      time.Duration
}

// Judge is the result of selftest.CheckNetwork.
func (r Network) Judge(l selftest.Limits) selftest.Result {
	const kind = selftest.CheckNetwork
	measured := slices.Concat(flag(l, kind, "dhcp", r.DHCP), flag(l, kind, "dns", r.DNS), flag(l, kind, "time", r.Time),
		flag(l, kind, "exchange", &r.Exchange), flag(l, kind, "port_open", r.PortOpen))
	if !r.CertificateUntil.IsZero() {
		measured = append(measured, l.Measure(kind, "certificate", days(r.At, r.CertificateUntil)))
	}
	if v := r.Voice; v != nil {
		loss := math.NaN() // nothing was sent: no value, and no pass
		if v.Sent > 0 {
			loss = 100 * float64(min(max(0, v.Sent-v.Received, v.Lost), v.Sent)) / float64(v.Sent)
		}
		measured = append(measured, l.Measure(kind, "loss", loss), l.Measure(kind, "jitter", milliseconds(v.Jitter)),
			l.Measure(kind, "mos", MOS(loss, v.Jitter, v.RoundTrip)))
	}
	return selftest.Judge(measured...)
}

// days are whole ones; of what has ended they are negative.
func days(from, until time.Time) float64 { return math.Floor(until.Sub(from).Hours() / 24) }

// MOS estimates how speech in G.711 with concealment is judged, 1 to 4.5, from loss in percent: the E-model of ITU-T G.107
// (06/2015) with all else at its defaults. NaN of a loss that is none.
func MOS(lossPercent float64, jitter, roundTrip time.Duration) float64 {
	if math.IsNaN(lossPercent) || lossPercent < 0 || lossPercent > 100 {
		return math.NaN()
	}
	// One way: half the round trip, a frame to fill, and a jitter buffer of twice the jitter.
	delay := milliseconds(roundTrip)/2 + 20 + 2*milliseconds(jitter)
	r := 93.2 // G.107: all parameters at their defaults
	// Idd by the two straight lines of Cole and Rosenbluth, "Voice over IP performance monitoring", ACM CCR 31-2 (2001).
	r -= 0.024*delay + 0.11*max(0, delay-177.3)
	// G.107 on Ie-eff, with G.113 Appendix I: G.711 with packet loss concealment has Ie 0 and Bpl 25.1, random loss.
	r -= 95 * lossPercent / (lossPercent + 25.1)
	switch { // G.107 Annex B
	case r <= 0:
		return 1
	case r >= 100:
		return 4.5
	}
	return max(1, 1+0.035*r+r*(r-60)*(100-r)*7e-6)
}

// Update is of the way new firmware comes in.
type Update struct {
	At             time.Time // of the test
	SlotsGood      int
	AuthorityUntil time.Time // of the certificate that signs bundles
	FreeMB         float64
	// ForgedRefused is whether a bundle that must be refused was; nil: not tried.
	ForgedRefused *bool
}

// Judge is the result of selftest.CheckUpdate.
func (r Update) Judge(l selftest.Limits) selftest.Result {
	const kind = selftest.CheckUpdate
	measured := []selftest.Measurement{l.Measure(kind, "slots_good", float64(r.SlotsGood)),
		l.Measure(kind, "authority", days(r.At, r.AuthorityUntil)), l.Measure(kind, "free", r.FreeMB)}
	if r.ForgedRefused != nil {
		said := "accepted"
		if *r.ForgedRefused {
			said = "refused"
		}
		measured = append(measured, selftest.Words("forged_bundle", said, "refused"))
	}
	return selftest.Judge(measured...)
}
