// Package loop feeds the phone: one queue, one goroutine, the only reader of the clock for decisions. It brings events
// in, carries effects out, shows the view after every step and keeps the last minutes as a transcript. It decides
// nothing about calls, keys or lamps.
//
//	Post, Ask --> queue --> phone.Step --+--> Network.Do   commands
//	                 ^                   +--> Body.Show    panel and lamps, whole
//	                 |                   +--> Voice.Set    tones, route, mute, live call
//	             Deadline                +--> Transcript
package loop

import (
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"sync"
	"time"

	"freizeichen/device/phone"
	"freizeichen/device/voice"
	"freizeichen/firmware"
	"freizeichen/hal"
	"freizeichen/sip"
)

// queueSize covers one second of the fastest typist and a burst of the network, many times over.
const queueSize = 256

// patience is how long Post waits for room in a full queue before it calls that a defect.
const patience = time.Second

// ErrQueueFull is what Run returns when nobody has emptied the queue for a second: a defect. The supervisor restarts us.
var ErrQueueFull = errors.New("loop: the event queue is full and nobody empties it")

var errStopped = errors.New("loop: the phone has stopped")

// Network carries out commands; it must not block. Implemented by sip/ua's shell.
type Network interface{ Do(sip.Command) }

// Body shows panel, lamps and the headset's lamps; it must not block. Implemented by hal/sim and hal/board.
type Body interface{ Show(hal.Display) }

// Voice takes the plan for all that is heard; it must not block. Implemented by device/voice.
type Voice interface{ Set(voice.Plan) }

// Switchboard takes what the agent's desk asks, and keeps what must not be lost; it must not block. Its answers are posted.
// Implemented by sip/switchboard's client.
type Switchboard interface {
	Ask(sip.AgentRequest)
	Keep(sip.Outcome)
	Leave(sip.OfficeMessage)
}

// Tester runs the self-test that a person has asked for; it must not block. Each of phone.StartTest, StopTest, TestAnswer
// and TestKey is handed to it; what it shows is posted as phone.TestShown.
type Tester interface{ Test(phone.Effect) }

// Painter turns a view into pixels and text. Implemented by device/screen.
type Painter interface {
	Draw(phone.View) *image.Paletted
	Text(phone.View) []string
	Soft(phone.View) [4]string // the soft keys in words
}

// Config is what a Loop joins.
type Config struct {
	Phone   *phone.Phone
	Network Network
	Body    Body
	Voice   Voice
	Painter Painter
	// Switchboard is nil for a phone without one: what is asked is answered with sip.SwitchboardAway.
	Switchboard Switchboard
	// Tester is nil for a body without a self-test: one that is asked for ends at once.
	Tester Tester
	Logger *slog.Logger
}

// Loop owns one phone while Run runs.
type Loop struct {
	config  Config
	queue   chan phone.Event
	pings   chan chan struct{}
	done    chan struct{} // closed when Run has returned
	full    chan struct{} // closed when the queue has overflowed
	fullSet sync.Once

	mu      sync.Mutex
	painter Painter
	view    phone.View // the last one shown
	live    sip.CallID // the call that is live or was live last
	display hal.Display
	asked   uint64
	replies map[uint64]chan phone.Refusal

	record Recorder

	// Of Run's goroutine alone: what is handed over once the outcome is shown.
	ready      []phone.Reply
	unanswered []phone.Event // answers that nobody else gives, for the phone as the next events
	waiting    []chan struct{}
}

// repaint asks for a new picture without an event for the phone; shown is closed when the picture is there.
type repaint struct{ shown chan struct{} }

// New is a loop that does nothing until Run.
func New(config Config) *Loop {
	return &Loop{
		config: config, painter: config.Painter,
		queue: make(chan phone.Event, queueSize), pings: make(chan chan struct{}), done: make(chan struct{}), full: make(chan struct{}),
		replies: map[uint64]chan phone.Refusal{},
	}
}

// Post gives the phone an event. It can be called from any goroutine, before, during and after Run, and returns at
// once but for a full queue, which it gives a second to empty.
func (l *Loop) Post(event phone.Event) {
	select {
	case l.queue <- event:
		return
	case <-l.done:
		return
	default:
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case l.queue <- event:
	case <-l.done:
	case <-timer.C:
		l.fullSet.Do(func() { close(l.full) })
	}
}

// Ask has a request done and says whether it was; what it changed is shown by then. The error is the context's, or says that the phone has stopped.
func (l *Loop) Ask(ctx context.Context, verb phone.Verb, argument string) (phone.Refusal, error) {
	answer := make(chan phone.Refusal, 1)
	l.mu.Lock()
	l.asked++
	id := l.asked
	l.replies[id] = answer
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.replies, id)
		l.mu.Unlock()
	}()
	l.Post(phone.Request{ID: id, Verb: verb, Argument: argument})
	select {
	case refused := <-answer:
		return refused, nil
	case <-l.done:
		return 0, errStopped
	case <-ctx.Done():
		return 0, fmt.Errorf("loop: waiting for the phone's answer: %w", ctx.Err())
	}
}

// SetPainter changes panel or language while the phone runs.
func (l *Loop) SetPainter(p Painter) {
	l.mu.Lock()
	l.painter = p
	l.mu.Unlock()
	l.Post(repaint{make(chan struct{})})
}

// Sync waits until everything posted before has been decided and shown.
func (l *Loop) Sync(ctx context.Context) error {
	r := repaint{make(chan struct{})}
	l.Post(r)
	select {
	case <-r.shown:
		return nil
	case <-l.done:
		return errStopped
	case <-ctx.Done():
		return fmt.Errorf("loop: waiting for the panel: %w", ctx.Err())
	}
}

// Ping waits until Run has come round: the phone would decide. It shows nothing, so that a supervisor can ask often.
func (l *Loop) Ping(ctx context.Context) error {
	answer := make(chan struct{})
	select {
	case l.pings <- answer:
		<-answer // Run is there
		return nil
	case <-l.done:
		return errStopped
	case <-ctx.Done():
		return fmt.Errorf("loop: waiting for a sign of life: %w", ctx.Err())
	}
}

// View is what the phone shows now.
func (l *Loop) View() phone.View {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.view
}

// LastLive is the call that is live or, when there is none, was live last; 0 before the first.
func (l *Loop) LastLive() sip.CallID {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.live
}

// Text is the panel's text now, line by line.
func (l *Loop) Text() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.display.Text
}

// Transcript is the last minutes as text, see Recorder.
func (l *Loop) Transcript() string { return l.record.String() }

// Run feeds the phone until the context ends. It returns nil then, or ErrQueueFull.
func (l *Loop) Run(ctx context.Context) error {
	defer close(l.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var event phone.Event
		select {
		case <-ctx.Done():
			return nil
		case <-l.full:
			l.config.Logger.Error("event queue is full", "transcript", l.record.String())
			return ErrQueueFull
		case answer := <-l.pings:
			close(answer)
			continue
		case event = <-l.queue:
		case <-timer.C:
			event = phone.Tick{}
		}
		l.step(clock(), event)
		for range len(l.queue) { // one picture for a burst
			l.step(clock(), <-l.queue)
		}
		now := clock()
		l.show(now)
		l.handOver()
		timer.Reset(l.config.Phone.Deadline().Sub(now))
	}
}

// clock is the time on the wall of the county, wherever the machine believes to be: what the panel says of offices, pauses and
// calls is meant by it.
func clock() time.Time { return time.Now().In(firmware.Place()) }

// step lets the phone decide and carries its effects out.
func (l *Loop) step(now time.Time, event phone.Event) {
	if r, ok := event.(repaint); ok {
		l.waiting = append(l.waiting, r.shown)
		return
	}
	effects := l.config.Phone.Step(now, event)
	l.record.Step(now, event, effects)
	l.record.Shows(now, l.config.Phone.View(now))
	for _, effect := range effects {
		switch e := effect.(type) {
		case phone.Send:
			l.config.Network.Do(e.Command)
		case phone.Reply:
			l.ready = append(l.ready, e)
		case phone.AskSwitchboard, phone.KeepOutcome, phone.LeaveMessage:
			l.toSwitchboard(e)
		case phone.StartTest, phone.StopTest, phone.TestAnswer, phone.TestKey:
			l.toTester(e)
		}
	}
	for len(l.unanswered) > 0 {
		reply := l.unanswered[0]
		l.unanswered = l.unanswered[1:]
		l.step(now, reply)
	}
}

// toSwitchboard hands over what the desk wants. Without a switchboard a request is answered at once, by the next step.
func (l *Loop) toSwitchboard(effect phone.Effect) {
	switchboard := l.config.Switchboard
	switch e := effect.(type) {
	case phone.AskSwitchboard:
		if switchboard == nil {
			l.unanswered = append(l.unanswered, sip.AgentReply{ID: e.Request.ID, Problem: sip.SwitchboardAway})
			return
		}
		switchboard.Ask(e.Request)
	case phone.KeepOutcome:
		if switchboard != nil {
			switchboard.Keep(e.Outcome)
		}
	case phone.LeaveMessage:
		if switchboard != nil {
			switchboard.Leave(e.Message)
		}
	}
}

func (l *Loop) toTester(effect phone.Effect) {
	if l.config.Tester != nil {
		l.config.Tester.Test(effect)
	} else if _, starts := effect.(phone.StartTest); starts {
		l.unanswered = append(l.unanswered, phone.TestShown{Over: true, Screen: phone.Test{Outcome: "not-done"}})
	}
}

// handOver tells those who asked, now that the outcome is shown.
func (l *Loop) handOver() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, reply := range l.ready {
		if answer := l.replies[reply.ID]; answer != nil {
			answer <- reply.Refused
		}
	}
	for _, shown := range l.waiting {
		close(shown)
	}
	l.ready, l.waiting = nil, nil
}

func (l *Loop) show(now time.Time) {
	view := l.config.Phone.View(now)
	l.mu.Lock()
	painter := l.painter
	l.mu.Unlock()
	display := hal.Display{Picture: painter.Draw(view), Lamps: view.Lamps, Text: painter.Text(view), Soft: painter.Soft(view), Headset: view.Headset}
	l.mu.Lock()
	l.view, l.display = view, display
	if view.Sound.Live != 0 {
		l.live = view.Sound.Live
	}
	l.mu.Unlock()
	l.config.Body.Show(display)
	l.config.Voice.Set(plan(view.Sound))
}

// plan says in voice's words what the phone wants to sound like.
func plan(s phone.Sound) voice.Plan {
	return voice.Plan{
		Tone: tones[s.Tone], Digit: s.Digit, Route: s.Route, Live: s.Live, Muted: s.Muted,
		Volume: s.Volume, Ringer: s.Ringer, Calls: s.Calls,
	}
}

var tones = [...]voice.Tone{
	phone.ToneNone: voice.Quiet, phone.ToneDial: voice.Dial, phone.ToneRingback: voice.Ringback,
	phone.ToneBusy: voice.Busy, phone.ToneCongestion: voice.Congestion, phone.ToneKnock: voice.Knock,
	phone.ToneRing: voice.Ring, phone.ToneHold: voice.HoldReminder,
}
