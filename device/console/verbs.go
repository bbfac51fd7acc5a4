package console

import (
	"context"
	"fmt"
	"strings"
	"time"

	"freizeichen/device/phone"
	"freizeichen/hal"
	"freizeichen/sip"
)

// verbs is all that a phone can be asked.
var verbs = map[string]func(*Server, context.Context, string) Response{
	"answer":     ask(phone.AskAnswer),
	"hangup":     ask(phone.AskHangup),
	"hold":       ask(phone.AskHold),
	"resume":     ask(phone.AskResume),
	"dial":       ask(phone.AskDial),
	"transfer":   ask(phone.AskTransfer),
	"consult":    ask(phone.AskConsult),
	"join":       ask(phone.AskJoin),
	"dtmf":       ask(phone.AskDTMF),
	"press":      (*Server).press,
	"show":       (*Server).show,
	"status":     (*Server).status,
	"transcript": (*Server).transcript,

	"selftest":          (*Server).selfTest,
	"selftest-progress": (*Server).testProgress,
	"selftest-report":   (*Server).testReport,
}

func ask(verb phone.Verb) func(*Server, context.Context, string) Response {
	return func(s *Server, ctx context.Context, argument string) Response {
		refused, err := s.config.Loop.Ask(ctx, verb, argument)
		switch {
		case err != nil:
			return Response{Refused, err.Error()}
		case refused != phone.Done:
			return Response{Refused, refused.String()}
		}
		return Response{Status: Done}
	}
}

// press presses and releases a key, or moves the handset ("lift", "replace").
func (s *Server) press(ctx context.Context, name string) Response {
	key := hal.ParseKey(name)
	switch {
	case name == "lift" || name == "replace":
		s.config.Keys.Hook(name == "lift")
	case key != hal.KeyNone:
		s.config.Keys.Press(key)
		s.config.Keys.Release(key)
	default:
		return Response{Usage, fmt.Sprintf("there is no key %q; the keys are %s", name, keyNames())}
	}
	return s.synced(ctx, Response{Status: Done})
}

func keyNames() string {
	var names []string
	for k := hal.Key0; k < hal.KeyCount; k++ {
		names = append(names, k.String())
	}
	return strings.Join(names, " ") + " lift replace"
}

func (s *Server) synced(ctx context.Context, done Response) Response {
	if err := s.config.Loop.Sync(ctx); err != nil {
		return Response{Refused, err.Error()}
	}
	return done
}

func (s *Server) show(context.Context, string) Response {
	return Response{Done, strings.Join(s.config.Loop.Text(), "\n")}
}

func (s *Server) transcript(context.Context, string) Response {
	return Response{Done, s.config.Loop.Transcript()}
}

// status is "key: value" lines for scripts. Parties are not in it: show has them.
func (s *Server) status(context.Context, string) Response {
	view := s.config.Loop.View()
	var b strings.Builder
	line := func(key, format string, values ...any) {
		fmt.Fprintf(&b, key+": "+format+"\n", values...)
	}
	line("version", "%s", s.config.Version)
	line("account", "%s", view.Status.Name)
	line("registration", "%s", view.Status.Registration)
	if view.Status.Registration != phone.Registered && view.Status.Cause != sip.CauseNone {
		line("cause", "%s", view.Status.Cause)
		line("retry", "%s", view.Status.Retry)
	}
	line("missed", "%d", view.Status.Missed)
	for part, fault := range view.Status.Faults {
		if fault != hal.Working {
			line("fault."+hal.Part(part).String(), "%s", fault)
		}
	}
	line("route", "%s", view.Sound.Route)
	line("muted", "%t", view.Sound.Muted)
	for _, c := range view.Calls {
		line(fmt.Sprintf("line%d", c.Line), "%s %s", c.State, c.Duration.Truncate(time.Second))
	}
	s.statistics(line)
	deskStatus(view.Desk, line)
	return Response{Done, strings.TrimSuffix(b.String(), "\n")}
}

// statistics tells of the live call, or of the one that was live last.
func (s *Server) statistics(line func(key, format string, values ...any)) {
	statistics, ok := s.config.Statistics(s.config.Loop.LastLive())
	if !ok {
		return
	}
	line("sent", "%d", statistics.Sent)
	line("received", "%d", statistics.Received)
	line("lost", "%d", statistics.Lost)
	line("late", "%d", statistics.Late)
	line("stranger", "%d", statistics.Stranger)
	line("jitter", "%s", statistics.Jitter)
	line("round-trip", "%s", statistics.RoundTrip)
	line("remote-lost", "%d", statistics.RemoteLost)
	line("buffer", "%s", statistics.BufferDelay)
	line("concealed", "%d", statistics.ConcealedFrames)
}

// noSelfTest is the answer of a phone without hardware.
var noSelfTest = Response{NotSupported, "this phone has no hardware to test"}

// powerOnTest is the level that needs nobody.
const powerOnTest = "power-on"

// selfTest begins a test; that of every start is over with the answer.
func (s *Server) selfTest(ctx context.Context, level string) Response {
	switch {
	case s.config.SelfTest == nil:
		return noSelfTest
	case level == powerOnTest:
		if err := s.config.SelfTest.PowerOn(ctx); err != nil {
			return Response{Refused, err.Error()}
		}
		return Response{Status: Done}
	}
	return ask(phone.AskTest)(s, ctx, level)
}

// testProgress begins with "running" while a test runs, with "over" when there is none.
func (s *Server) testProgress(context.Context, string) Response {
	if s.config.SelfTest == nil {
		return noSelfTest
	}
	line, over := s.config.SelfTest.Progress()
	if over {
		return Response{Done, "over " + line}
	}
	return Response{Done, "running " + line}
}

func (s *Server) testReport(context.Context, string) Response {
	if s.config.SelfTest == nil {
		return noSelfTest
	}
	report := s.config.SelfTest.Report()
	if report == nil {
		return Response{Refused, "no self-test has been done yet"}
	}
	return Response{Done, string(report)}
}
