package loop

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"freizeichen/device/phone"
	"freizeichen/hal"
	"freizeichen/sip"
)

// Bounds of the transcript: what a technician needs after the fact, in less than 100 kB.
const (
	transcriptAge   = 10 * time.Minute
	transcriptLines = 1000
)

// A Recorder keeps the last minutes of what came in, was done and was shown, as lines of text:
//
//	09:00:00.000  network  incoming call=2 topic="Elterngeld" called="02841 2020"
//	              shows    line1=ringing* registered tone=ring lamps=message:fast,line1:fast
//	09:00:04.210  hook     up
//	              does     answer call=2
//
// It holds no caller's name or number and no dialled digit: what a person typed or who called is written as "…".
// Its zero value is ready, and its methods may be called from any goroutine.
type Recorder struct {
	mu    sync.Mutex
	lines []recorded
	shown string
}

type recorded struct {
	at   time.Time
	text string
}

// Step records an event and what it led to.
func (r *Recorder) Step(now time.Time, event phone.Event, effects []phone.Effect) {
	r.mu.Lock()
	defer r.mu.Unlock()
	stamp := now.Format("15:04:05.000")
	if text := describeEvent(event); text != "" {
		r.add(now, stamp+"  "+text)
		stamp = strings.Repeat(" ", len(stamp))
	}
	for _, e := range effects {
		if send, ok := e.(phone.Send); ok {
			r.add(now, stamp+"  does     "+describeCommand(send.Command))
		} else if reply, ok := e.(phone.Reply); ok && reply.Refused != phone.Done {
			r.add(now, stamp+"  refuses  "+reply.Refused.String())
		} else if text := describeTestEffect(e); text != "" {
			r.add(now, stamp+"  "+text)
		} else if text := describeDeskEffect(e); text != "" {
			r.add(now, stamp+"  "+text)
		}
	}
}

// Shows records what the view says, when it says something new; a running clock is nothing new.
func (r *Recorder) Shows(now time.Time, view phone.View) {
	text := describeView(view)
	r.mu.Lock()
	defer r.mu.Unlock()
	if text == r.shown {
		return
	}
	r.shown = text
	r.add(now, strings.Repeat(" ", len("15:04:05.000"))+"  shows    "+text)
}

func (r *Recorder) add(now time.Time, text string) {
	r.lines = append(r.lines, recorded{now, text})
	drop := max(0, len(r.lines)-transcriptLines)
	for drop < len(r.lines) && now.Sub(r.lines[drop].at) > transcriptAge {
		drop++
	}
	if drop > 0 {
		r.lines = append(r.lines[:0], r.lines[drop:]...)
	}
}

// String is the transcript.
func (r *Recorder) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	for _, line := range r.lines {
		b.WriteString(line.text)
		b.WriteByte('\n')
	}
	return b.String()
}

func describeEvent(event phone.Event) string {
	switch e := event.(type) {
	case hal.HookChange:
		if e.Up {
			return "hook     up"
		}
		return "hook     down"
	case hal.KeyChange:
		name := e.Key.String()
		if e.Key.Digit() != 0 {
			name = "digit"
		}
		switch {
		case !e.Down:
			return "key      " + name + " up"
		case e.Held > hal.RepeatAfter && e.Key.Digit() != 0:
			return "" // a digit that stays down does nothing more
		case e.Held > 0:
			return fmt.Sprintf("key      %s held=%s", name, e.Held)
		}
		return "key      " + name + " down"
	case hal.HeadsetChange:
		return "headset  " + e.Action.String()
	case hal.PartChange:
		return "part     " + e.Part.String() + " " + e.Fault.String()
	case phone.Request:
		if e.Argument != "" {
			return "asked    " + e.Verb.String() + " …"
		}
		return "asked    " + e.Verb.String()
	case sip.Event:
		return "network  " + describeNetwork(e)
	}
	return ""
}

// describeTestEffect is empty for an effect that is not the self-test's. Keys and hook are events already.
func describeTestEffect(effect phone.Effect) string {
	switch e := effect.(type) {
	case phone.StartTest:
		return "tests    " + e.Level
	case phone.StopTest:
		return "tests    no more"
	case phone.TestAnswer:
		return fmt.Sprintf("tests    answered yes=%t", e.Yes)
	}
	return ""
}

func describeNetwork(event sip.Event) string {
	switch e := event.(type) {
	case sip.Registered:
		return fmt.Sprintf("registered expires=%s", e.Expires)
	case sip.Unregistered:
		return fmt.Sprintf("unregistered cause=%s status=%d retry=%s", e.Cause, e.Status, e.Retry.Round(time.Millisecond))
	case sip.Incoming:
		return fmt.Sprintf("incoming call=%d topic=%q called=%q", e.Call, e.Topic, e.Called.Number)
	case sip.Progress:
		return fmt.Sprintf("progress call=%d status=%d early=%t", e.Call, e.Status, e.EarlyMedia)
	case sip.Answered:
		return fmt.Sprintf("answered call=%d", e.Call)
	case sip.HoldChanged:
		return fmt.Sprintf("hold call=%d held=%t failed=%t", e.Call, e.Held, e.Failed)
	case sip.RemoteHold:
		return fmt.Sprintf("remote-hold call=%d held=%t", e.Call, e.Held)
	case sip.Identified:
		return fmt.Sprintf("identified call=%d", e.Call)
	case sip.DigitReceived:
		return fmt.Sprintf("digit call=%d", e.Call)
	case sip.TransferFailed:
		return fmt.Sprintf("transfer-failed call=%d cause=%s status=%d", e.Call, e.Cause, e.Status)
	case sip.Ended:
		return fmt.Sprintf("ended call=%d cause=%s status=%d", e.Call, e.Cause, e.Status)
	}
	return describeDeskEvent(event)
}

func describeCommand(command sip.Command) string {
	switch c := command.(type) {
	case sip.Dial:
		return fmt.Sprintf("dial call=%d", c.Call)
	case sip.Answer:
		return fmt.Sprintf("answer call=%d", c.Call)
	case sip.Reject:
		return fmt.Sprintf("reject call=%d", c.Call)
	case sip.Hangup:
		return fmt.Sprintf("hangup call=%d", c.Call)
	case sip.Hold:
		return fmt.Sprintf("hold call=%d", c.Call)
	case sip.Resume:
		return fmt.Sprintf("resume call=%d", c.Call)
	case sip.SendDigit:
		return fmt.Sprintf("digit call=%d", c.Call)
	case sip.Transfer:
		return fmt.Sprintf("transfer call=%d", c.Call)
	case sip.WatchQueues:
		return fmt.Sprintf("watch queues=%q", c.Queues)
	case sip.Join:
		return fmt.Sprintf("join call=%d with=%d", c.Call, c.With)
	}
	return fmt.Sprintf("%T", command)
}

// describeView says what the view shows, without anybody's name or number and without running clocks.
func describeView(v phone.View) string {
	var b strings.Builder
	switch s := v.Screen.(type) {
	case phone.Idle:
		b.WriteString("idle")
	case phone.Desk:
		b.WriteString("desk")
	case phone.Test:
		fmt.Fprintf(&b, "test %d/%d", s.Number, s.Count)
		if s.Outcome != "" {
			b.WriteString(" outcome=" + s.Outcome)
		}
	case phone.Dialling:
		fmt.Fprintf(&b, "dialling digits=%d transfer=%t", len(s.Number), s.Transfer)
	case phone.Ended:
		fmt.Fprintf(&b, "ended cause=%s status=%d", s.Cause, s.Status)
	case phone.List:
		fmt.Fprintf(&b, "list kind=%d entries=%d selected=%d", s.Kind, len(s.Entries), s.Selected)
	case phone.Calls:
		for i, c := range s.Calls {
			if i > 0 {
				b.WriteByte(' ')
			}
			fmt.Fprintf(&b, "line%d=%s", c.Line, c.State)
			if i == s.Selected {
				b.WriteByte('*')
			}
		}
	}
	fmt.Fprintf(&b, " %s", v.Status.Registration)
	if v.Sound.Tone != phone.ToneNone {
		fmt.Fprintf(&b, " tone=%s", v.Sound.Tone)
	}
	if v.Sound.Live != 0 {
		fmt.Fprintf(&b, " live=%d", v.Sound.Live)
	}
	if v.Sound.Route != hal.Silent {
		fmt.Fprintf(&b, " route=%s", v.Sound.Route)
	}
	if v.Sound.Muted {
		b.WriteString(" muted")
	}
	separator := " faults="
	for part, fault := range v.Status.Faults {
		if fault != hal.Working {
			fmt.Fprintf(&b, "%s%s:%s", separator, hal.Part(part), fault)
			separator = ","
		}
	}
	separator = " lamps="
	for lamp, blink := range v.Lamps {
		if blink != hal.Dark {
			fmt.Fprintf(&b, "%s%s:%s", separator, hal.Lamp(lamp), blink)
			separator = ","
		}
	}
	b.WriteString(describeDesk(v.Desk))
	return b.String()
}
