package api

import (
	"net/http"
	"strings"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/switchboard/wire"
)

func (s *server) getAgent(c *call) error {
	return c.json(http.StatusOK, wire.EncodeAgent(s.agent(c)))
}

// agent is who is signed in at the phone that asks.
func (s *server) agent(c *call) sip.Agent {
	a := s.Desk.State(c.device)
	a.Device = c.device
	return a
}

func (s *server) postAgent(c *call) error {
	data, err := c.body()
	if err != nil {
		return err
	}
	request, err := wire.DecodeRequest(data)
	if err != nil {
		return malformed(err)
	}
	if request.Verb == sip.SignIn {
		// One phone cannot try many numbers: the store locks a number, this locks the phone.
		if after := s.limits.take(c.now, c.device, signInLimit); after > 0 {
			s.Log.Warn("a phone tries to sign in too often", "phone", c.device)
			return c.json(http.StatusOK, wire.EncodeReply(sip.AgentReply{Problem: sip.TooManyTries, Retry: c.now.Add(after), Known: true, Agent: s.agent(c)}))
		}
	}
	reply := s.Desk.Do(c.Context(), c.device, request)
	s.Log.Info("agent", "phone", c.device, "verb", request.Verb.String(), "problem", reply.Problem.String())
	return c.json(http.StatusOK, wire.EncodeReply(reply))
}

func (s *server) putOutcome(c *call) error {
	data, err := c.body()
	if err != nil {
		return err
	}
	o, err := wire.DecodeOutcome(data)
	if err != nil {
		return malformed(err)
	}
	if o.ID != c.PathValue("id") {
		return problem(http.StatusUnprocessableEntity, "the outcome has another id than the address")
	}
	o.At = s.believed(c, o.At)
	if o.Agent, err = s.credited(c, o.Agent); err != nil {
		return err
	}
	changed, err := s.Records.PutOutcome(c.Context(), o)
	if err != nil {
		return err
	}
	if changed {
		s.Changed()
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// believed is a phone's time, or now when the phone's clock must have been wrong: a call of the year 1970 would be in no
// statistic.
func (s *server) believed(c *call, at time.Time) time.Time {
	if at.After(c.now.Add(clockAhead)) || at.Before(c.now.Add(-clockBehind)) {
		s.Log.Warn("a phone's clock was wrong; the time of arrival counts", "phone", c.device, "said", at)
		return c.now
	}
	return at
}

// credited is the agent in whose name a phone speaks, when he has proved himself there with his PIN, now or lately: a
// phone's journal may come after he has left. In another's name no phone can speak; what it says counts for the team then.
func (s *server) credited(c *call, agent string) (string, error) {
	if agent == "" || agent == s.Desk.State(c.device).Number {
		return agent, nil
	}
	sat, err := s.Records.Sat(c.Context(), c.device, agent)
	if err != nil || sat {
		return agent, err
	}
	s.Log.Warn("a phone spoke in the name of an agent who has not signed in there; it counts for the team alone", "phone", c.device)
	return "", nil
}

func (s *server) putMessage(c *call) error {
	data, err := c.body()
	if err != nil {
		return err
	}
	m, err := wire.DecodeMessage(data)
	if err != nil {
		return malformed(err)
	}
	if m.ID != c.PathValue("id") {
		return problem(http.StatusUnprocessableEntity, "the message has another id than the address")
	}
	m.At = s.believed(c, m.At)
	if m.Agent, err = s.credited(c, m.Agent); err != nil {
		return err
	}
	created, due, err := s.Records.PutMessage(c.Context(), m, s.Due(m))
	if err != nil {
		return err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
		s.Changed()
	}
	return c.json(status, wire.EncodeReceipt(due))
}

func (s *server) getKnowledge(c *call) error {
	data, tag := s.Knowledge()
	if len(data) == 0 {
		return problem(http.StatusNotFound, "the switchboard has no knowledge file; name one in its configuration")
	}
	c.w.Header().Set("ETag", tag)
	c.w.Header().Set("Cache-Control", "no-cache") // kept, but asked for again each time
	if matches(c.Header.Values("If-None-Match"), tag) {
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return c.json(http.StatusOK, data)
}

// matches compares entity tags weakly (RFC 9110 section 13.1.2).
func matches(lines []string, tag string) bool {
	for _, line := range lines {
		for candidate := range strings.SplitSeq(line, ",") {
			candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
			if candidate == tag || candidate == "*" {
				return true
			}
		}
	}
	return false
}

func (s *server) getFigures(c *call) error {
	from, until := s.Day(c.now)
	figures, err := s.teamFigures(c, from, until)
	if err != nil {
		return err
	}
	if agent := s.agent(c); agent.Number != "" {
		if figures.Own, err = s.Records.OwnTally(c.Context(), from, until, agent.Number); err != nil {
			return err
		}
	}
	return c.json(http.StatusOK, wire.EncodeFigures(figures))
}

// teamFigures counts at most every figuresAge. Phones that ask meanwhile wait for the one count.
func (s *server) teamFigures(c *call, from, until time.Time) (sip.DayFigures, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	age := c.now.Sub(s.teamAt)
	if s.teamDay.Equal(from) && age >= 0 && age < figuresAge {
		return s.team, nil
	}
	team, err := s.Records.Figures(c.Context(), from, until)
	if err == nil {
		s.team, s.teamAt, s.teamDay = team, c.now, from
	}
	return team, err
}
