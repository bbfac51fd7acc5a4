package station

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"freizeichen/firmware/selftest/acoustic"
	"freizeichen/hal"
	"freizeichen/sip"
	"freizeichen/sip/media"
	"freizeichen/sip/ua"
)

// What Echo does at most, and before it counts.
const (
	echoAnswerMax = 15 * time.Second // from the call to its answer
	echoSettle    = time.Second      // the ways of sound are found, the jitter buffer is filled
	echoFarewell  = time.Second      // for the end of the call to be confirmed
)

// What is said: no PBX takes it for silence.
const echoHz, echoDBFS = 250, -20

// echoCall is the number of its only call.
const echoCall sip.CallID = 1

// Echo calls a number that sends back what it hears, and counts for so long what goes and what comes. It has the account of a
// phone and is none: its ports are its own, it registers nowhere and rings at nobody. An error says why nothing was counted.
func Echo(ctx context.Context, config Config, number string, long time.Duration) (sip.Statistics, error) {
	local := netip.AddrPortFrom(config.Config.Network.Local.Addr(), 0)
	endpoint, err := openEndpoint(config, local)
	if err != nil {
		return sip.Statistics{}, fmt.Errorf("station: echo: %w", err)
	}
	sessions := newMedia(config, endpoint, nil)
	answered, ended := make(chan struct{}, 1), make(chan sip.Ended, 1)
	agent := ua.New(agentConfig(config, endpoint), endpoint.Transactions(), sessions, func(event sip.Event) {
		switch e := event.(type) {
		case sip.Answered:
			if e.Call == echoCall {
				answered <- struct{}{}
			}
		case sip.Ended:
			if e.Call == echoCall { // not a stranger's
				ended <- e
			}
		}
	})
	run, stop := context.WithCancel(context.WithoutCancel(ctx)) // the goodbye outlives ctx
	var parts sync.WaitGroup
	parts.Go(func() { _ = endpoint.Run(run, agent) }) // it ends when it is closed
	defer func() {
		gone := make(chan struct{})
		if endpoint.Do(func(now time.Time) { agent.Stop(now, func() { close(gone) }) }) {
			within(gone, echoFarewell)
		}
		stop()
		_ = endpoint.Close()
		parts.Wait()
		sessions.CloseAll()
	}()
	endpoint.Do(func(now time.Time) { agent.Do(now, sip.Dial{Call: echoCall, Number: number}) })
	late := time.NewTimer(echoAnswerMax)
	defer late.Stop()
	select {
	case <-answered:
		return echo(ctx, sessions, ended, long)
	case e := <-ended:
		return sip.Statistics{}, fmt.Errorf("station: echo: %s was not reached: %s (%d)", number, e.Cause, e.Status)
	case <-late.C:
		return sip.Statistics{}, fmt.Errorf("station: echo: %s did not answer within %s", number, echoAnswerMax)
	case <-ctx.Done():
		return sip.Statistics{}, context.Cause(ctx)
	}
}

// echo says frames and hears what comes back. Sent and Received are of the time after echoSettle; the rest is of the whole call.
func echo(ctx context.Context, sessions *media.Sessions, ended <-chan sip.Ended, long time.Duration) (sip.Statistics, error) {
	const settle = int(echoSettle / hal.FrameTime)
	var clock hal.FrameClock
	var before sip.Statistics
	said := acoustic.Tone(hal.RateHz, echoHz, echoDBFS, (echoSettle + long).Seconds())
	heard := make([]int16, hal.FrameSamples)
	for n := range settle + int(long/hal.FrameTime) {
		select {
		case e := <-ended:
			return sip.Statistics{}, fmt.Errorf("station: echo: the other side ended the call: %s", e.Cause)
		case <-ctx.Done():
			return sip.Statistics{}, context.Cause(ctx)
		case <-time.After(clock.Wait(time.Now())):
		}
		if n == settle {
			before, _ = sessions.Statistics(echoCall)
		}
		sessions.Send(echoCall, said[n*hal.FrameSamples:(n+1)*hal.FrameSamples])
		sessions.Receive(echoCall, heard)
	}
	all, known := sessions.Statistics(echoCall)
	if !known {
		return sip.Statistics{}, errors.New("station: echo: the call was not counted")
	}
	all.Sent -= before.Sent
	all.Received -= before.Received
	return all, nil
}
