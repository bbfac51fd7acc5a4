//go:build linux

// Pace is a fixed piece of a phone's own work: it draws its screen again and again, and prints the processor's time for one in
// nanoseconds. Run on two processors it says how much slower one is.
//
//	device/phone --View--> device/screen --> time
package main

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"freizeichen/device/phone"
	"freizeichen/device/screen"
	"freizeichen/hal"
	"freizeichen/sip"
)

const pictures = 300

func main() {
	at := time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC)
	p := phone.New(phone.Config{Name: "301"})
	p.Step(at, sip.Registered{Expires: time.Hour})
	p.Step(at, sip.Incoming{Call: 2, From: sip.Party{Name: "Ada", Number: "0281207100"}, Topic: "Elterngeld"})
	view, panel := p.View(at), screen.New(hal.Mono128x64, screen.German)
	before := spent()
	for range pictures {
		panel.Draw(view)
	}
	if _, err := fmt.Println((spent() - before).Nanoseconds() / pictures); err != nil {
		os.Exit(1)
	}
}

// spent is the processor's time of this process so far.
func spent() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fmt.Fprintln(os.Stderr, "pace:", err)
		os.Exit(1)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
