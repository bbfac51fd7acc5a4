//go:build linux

package checks

import (
	"context"
	"crypto/tls"
	"math"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"freizeichen/device/phone"
	"freizeichen/firmware/selftest"
	"freizeichen/firmware/selftest/reading"
)

// watchdog reads what the kernel says of the watchdog; whether it bites, only the factory tries.
func (b *Bench) watchdog(context.Context, *selftest.Step) selftest.Result {
	timeout := b.number("sys/class/watchdog/watchdog0/timeout")
	if timeout == nil {
		return selftest.FailBecause("the watchdog does not say its timeout")
	}
	return reading.Watchdog{Timeout: time.Duration(*timeout * float64(time.Second))}.Judge(b.limits)
}

// guided tells whether a person has asked for the test: then it may write, and load the network.
func guided(step *selftest.Step) bool {
	return step.Level == selftest.Technician || step.Level == selftest.Factory
}

// What is written for the storage test.
const (
	syncBytes = 1 << 20
	syncTimes = 5
)

// storage looks at room and wear; when a person has asked for the test it also writes.
func (b *Bench) storage(ctx context.Context, step *selftest.Step) selftest.Result {
	r := reading.Storage{FreePercent: math.NaN(), WearPercent: b.wear(), Errors: b.sum("sys/fs/ext4/*/errors_count")}
	var fs unix.Statfs_t
	if err := unix.Statfs(b.Data, &fs); err == nil && fs.Blocks > 0 {
		r.FreePercent = 100 * float64(fs.Bavail) / float64(fs.Blocks)
	}
	if guided(step) {
		for range syncTimes {
			took, err := b.write(ctx)
			if err != nil {
				return failed(err)
			}
			r.Syncs = append(r.Syncs, took)
		}
	}
	return r.Judge(b.limits)
}

// write is how long a megabyte takes to be on the medium.
func (b *Bench) write(ctx context.Context) (time.Duration, error) {
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	file, err := os.CreateTemp(b.Data, "selftest-*")
	if err != nil {
		return 0, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	began := time.Now()
	if _, err := file.Write(make([]byte, syncBytes)); err != nil {
		return 0, err
	}
	if err := file.Sync(); err != nil {
		return 0, err
	}
	return time.Since(began), nil
}

// wear is the worse of an eMMC's two life times in percent: 0x01 is 0 to 10 % used (JEDEC JESD84-B51, EXT_CSD 268 and 269).
func (b *Bench) wear() *float64 {
	files, _ := filepath.Glob(filepath.Join(b.root, "sys/block/mmcblk*/device/life_time")) // the pattern is fine
	for _, file := range files {
		text, err := os.ReadFile(file)
		var worst float64
		for _, field := range strings.Fields(string(text)) {
			if n, ok := hexadecimal(field); ok {
				worst = max(worst, 10*n)
			}
		}
		if err == nil && worst > 0 {
			return &worst
		}
	}
	return nil
}

func hexadecimal(text string) (float64, bool) {
	var n float64
	digits, ok := strings.CutPrefix(text, "0x")
	for _, c := range digits {
		i := strings.IndexRune("0123456789abcdef", c)
		if i < 0 {
			return 0, false
		}
		n = 16*n + float64(i)
	}
	return n, ok && digits != ""
}

// sum adds the numbers of all files that fit; nil when there is none.
func (b *Bench) sum(pattern string) *float64 {
	files, _ := filepath.Glob(filepath.Join(b.root, pattern)) // the pattern is fine
	var total *float64
	for _, file := range files {
		if v := b.number(strings.TrimPrefix(file, b.root)); v != nil {
			if total == nil {
				total = new(float64)
			}
			*total += *v
		}
	}
	return total
}

// ethernet looks at the link, and loads it when a person has asked for the test: the errors of that load count.
func (b *Bench) ethernet(ctx context.Context, step *selftest.Step) selftest.Result {
	at := "sys/class/net/" + b.Body.Table().Network + "/"
	if !b.has(at) {
		return selftest.FailBecause("there is no interface " + b.Body.Table().Network)
	}
	r := reading.Ethernet{}
	carrier := b.number(at + "carrier") // of an interface that is down it cannot be read
	if carrier != nil && *carrier == 1 {
		if speed := b.number(at + "speed"); speed != nil && *speed > 0 {
			r.SpeedMbit = *speed
		}
		duplex, _ := b.text(at + "duplex")
		r.FullDuplex = duplex == "full"
		if gateway, known := b.gateway(b.Body.Table().Network); known && guided(step) {
			before := b.number(at + "statistics/rx_crc_errors")
			r.Pings, r.PingsLost = b.ping(ctx, gateway)
			if now := b.number(at + "statistics/rx_crc_errors"); before != nil && now != nil && r.Pings > 0 {
				since := *now - *before
				r.CRCErrors = &since
			}
		}
	}
	return r.Judge(b.limits)
}

// networkMax is how long a question to the network may take.
const networkMax = 3 * time.Second

// network asks what the network serves: the exchange by the phone's registration, and by a call when a person has asked for
// the test.
func (b *Bench) network(ctx context.Context, step *selftest.Step) selftest.Result {
	r := reading.Network{At: time.Now(), Exchange: b.View().Status.Registration == phone.Registered, Time: b.synchronised()}
	soon, cancel := context.WithTimeout(ctx, networkMax)
	defer cancel()
	if name := b.nameOfExchange(); name != "" {
		found, err := net.DefaultResolver.LookupHost(soon, name)
		good := err == nil && len(found) > 0
		r.DNS = &good
	}
	if until, known := b.certificate(soon); known {
		r.CertificateUntil = until
	}
	if b.Echo == nil || !guided(step) || !r.Exchange {
		return r.Judge(b.limits)
	}
	step.Say(selftest.SayEcho)
	s, err := b.Echo(ctx)
	r.Voice = &reading.Voice{Sent: int(s.Sent), Received: int(s.Received), Lost: int(s.Lost + s.RemoteLost), Jitter: s.Jitter, RoundTrip: s.RoundTrip}
	result := r.Judge(b.limits)
	if err != nil {
		result.Reason = selftest.FailBecause(err.Error()).Reason
	}
	return result
}

// nameOfExchange is empty when the exchange is known by its address.
func (b *Bench) nameOfExchange() string {
	a := b.Config.Config.Accounts[0]
	host := a.Domain
	if a.Server != "" {
		host = a.Server
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if net.ParseIP(strings.Trim(host, "[]")) != nil {
		return ""
	}
	return host
}

// synchronised is whether the kernel's clock follows a time server (adjtimex(2)); nil when it does not say.
func (b *Bench) synchronised() *bool {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	if err != nil {
		return nil
	}
	good := state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0
	return &good
}

// certificate is when that of the switchboard ends. Who signed it is the phone's own affair: here only its time is read.
func (b *Bench) certificate(ctx context.Context) (time.Time, bool) {
	address, err := url.Parse(b.Config.Config.Centre.Switchboard.URL)
	if err != nil || address.Scheme != "https" {
		return time.Time{}, false
	}
	host := address.Host
	if address.Port() == "" {
		host = net.JoinHostPort(address.Hostname(), "443")
	}
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, ServerName: address.Hostname()}}
	conn, err := dialer.DialContext(ctx, "tcp", host)
	if err != nil {
		return time.Time{}, false
	}
	defer conn.Close()
	chain := conn.(*tls.Conn).ConnectionState().PeerCertificates
	if len(chain) == 0 {
		return time.Time{}, false
	}
	return chain[0].NotAfter, true
}
