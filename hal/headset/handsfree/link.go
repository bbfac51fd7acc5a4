package handsfree

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"freizeichen/hal"
)

const (
	delayMin = time.Second // between two tries to open the line
	delayMax = 30 * time.Second
	// writeTime is how long the line may take for what is sent: at 9,600 baud some 5,000 bytes go in that time.
	writeTime = 5 * time.Second
	// outMax is how much may wait for the line; an answer is at most 150 bytes, and nobody asks that much in writeTime.
	outMax = 16384
)

// Config is what a Link needs.
type Config struct {
	// Open opens the line. Closing what it returns must end reads and writes that are under way.
	Open func() (io.ReadWriteCloser, error)
	// Change is called by Run's goroutine and must not block. HeadsetPlugged means that the line is open, HeadsetUnplugged
	// that it is not any more.
	Change func(hal.HeadsetChange)
	Log    *slog.Logger // nil is silent
}

// A Link keeps a line open and speaks with the headset on it.
type Link struct {
	config Config
	wake   chan struct{} // Show has something new

	mu    sync.Mutex
	shown hal.HeadsetLamps
}

// NewLink prepares a Link; Run does the work.
func NewLink(config Config) *Link {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	return &Link{config: config, wake: make(chan struct{}, 1)}
}

// Show is what the headset shall know from now on. It never blocks; only the latest counts.
func (l *Link) Show(lamps hal.HeadsetLamps) {
	l.mu.Lock()
	l.shown = lamps
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *Link) lamps() hal.HeadsetLamps {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shown
}

// Run opens the line, speaks, and opens it again when it breaks, until ctx ends.
func (l *Link) Run(ctx context.Context) {
	delay := delayMin
	for failed := ""; ctx.Err() == nil; {
		opened := time.Now()
		line, err := l.config.Open()
		if err == nil {
			l.config.Log.Info("headset line is open")
			l.config.Change(hal.HeadsetChange{Action: hal.HeadsetPlugged})
			err = l.talk(ctx, line)
			l.config.Change(hal.HeadsetChange{Action: hal.HeadsetUnplugged})
			failed = ""
		}
		if ctx.Err() != nil {
			return
		}
		if time.Since(opened) > delayMax { // it has worked for a while
			delay = delayMin
		}
		if err.Error() != failed { // once, not every 30 s for a base that nobody has bought
			l.config.Log.Warn("headset line is closed", "err", err)
			failed = err.Error()
		}
		select {
		case <-ctx.Done():
		case <-time.After(delay):
		}
		delay = min(2*delay, delayMax)
	}
}

// talk speaks over an open line until it breaks, and closes it.
func (l *Link) talk(ctx context.Context, line io.ReadWriteCloser) error {
	var workers sync.WaitGroup
	input, broken, done := make(chan []byte), make(chan error, 2), make(chan struct{})
	output, wrote := make(chan []byte, 1), make(chan struct{}, 1)
	defer workers.Wait()
	defer line.Close()
	defer close(output)
	defer close(done)
	workers.Go(func() { broken <- reader(line, input, done) })
	workers.Go(func() { broken <- writer(line, output, wrote) })

	var (
		g       Gateway
		waiting []byte
		since   time.Time // when the writer got what it is at; zero when it is idle
	)
	timer := time.NewTimer(0)
	defer timer.Stop()
	g.Show(time.Now(), l.lamps())
	for {
		waiting = append(waiting, g.Output()...)
		if since.IsZero() && len(waiting) > 0 {
			output <- waiting
			waiting, since = nil, time.Now()
		}
		timer.Reset(until(g.Deadline(), since))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-broken:
			return err
		case data := <-input:
			for _, c := range g.Input(time.Now(), data) {
				l.config.Change(c)
			}
		case <-wrote:
			since = time.Time{}
		case <-l.wake:
			g.Show(time.Now(), l.lamps())
		case <-timer.C:
			g.Tick(time.Now())
		}
		if len(waiting) > outMax || !since.IsZero() && time.Since(since) >= writeTime {
			return errors.New("handsfree: send: the line takes nothing any more")
		}
	}
}

// until is how long to sleep.
func until(deadline, since time.Time) time.Duration {
	sleep := time.Hour
	if !deadline.IsZero() {
		sleep = min(sleep, time.Until(deadline))
	}
	if !since.IsZero() {
		sleep = min(sleep, time.Until(since.Add(writeTime)))
	}
	return max(0, sleep)
}

func reader(line io.Reader, input chan<- []byte, done <-chan struct{}) error {
	for {
		buffer := make([]byte, lineMax)
		n, err := line.Read(buffer)
		if n > 0 {
			select {
			case input <- buffer[:n]:
			case <-done:
				return nil
			}
		}
		if err != nil {
			return fmt.Errorf("handsfree: listen: %w", err)
		}
	}
}

func writer(line io.Writer, output <-chan []byte, wrote chan<- struct{}) error {
	for data := range output {
		if _, err := line.Write(data); err != nil {
			return fmt.Errorf("handsfree: send: %w", err)
		}
		wrote <- struct{}{}
	}
	return nil
}
