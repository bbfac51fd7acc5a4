package switchboard

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/switchboard/wire"
)

// Pauses. Each is made longer by chance, so that thousands of phones that were started together do not stay together.
const (
	pollPause      = 5 * time.Minute
	figuresPause   = 10 * time.Second // after something was delivered: the figures are others now
	refusedPause   = time.Hour        // until entries are offered again that the switchboard did not want
	retryPauseMin  = time.Second
	retryPauseMax  = 30 * time.Second
	jitterFraction = 4 // of a pause, at most so much is added
)

// A courier is the one goroutine that asks the switchboard.
type courier struct {
	*Client
	asked   bool // there has been a first answer, or none
	up      bool
	problem sip.AgentProblem
	pause   time.Duration // of the present row of failures
	tag     string        // of the knowledge we have

	// When it is time for each. While the switchboard is down, only retryAt counts.
	retryAt, agentAt, outboxAt, knowledgeAt, figuresAt, refusedAt time.Time
	after                                                         uint64 // entries up to it have been delivered or refused
}

func jittered(d time.Duration) time.Duration {
	return d + rand.N(d/jitterFraction+1)
}

func (w *courier) run(ctx context.Context) {
	w.tag = w.restored
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		if request, waits := w.nextRequest(); waits {
			w.request(ctx, request)
			continue
		}
		job, wait := w.due(time.Now())
		if job != nil {
			w.inBackground(ctx, job)
			continue
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
		case <-w.wake:
		case <-timer.C:
		}
	}
	w.refuseAll(sip.SwitchboardAway)
}

func (w *courier) nextRequest() (sip.AgentRequest, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.requests) == 0 {
		return sip.AgentRequest{}, false
	}
	request := w.requests[0]
	w.requests = slices.Delete(w.requests, 0, 1)
	return request, true
}

// refuseAll answers all requests that wait: one has just found that nobody answers.
func (w *courier) refuseAll(problem sip.AgentProblem) {
	for {
		request, waits := w.nextRequest()
		if !waits {
			return
		}
		w.event(sip.AgentReply{ID: request.ID, Problem: problem})
	}
}

// request does what the agent wants, also while the switchboard was away a moment ago. It is not sent twice: a sign-in
// that was not answered may have been done, and the next look at the agent shows it.
func (w *courier) request(ctx context.Context, request sip.AgentRequest) {
	a, err := w.exchange(ctx, http.MethodPost, "/v1/agent", wire.EncodeRequest(request), "")
	var reply sip.AgentReply
	if err == nil {
		if reply, err = wire.DecodeReply(a.data); err != nil {
			err = senseless(err)
		}
	}
	if err != nil {
		w.mu.Lock()
		w.changed = true // perhaps it was done
		w.mu.Unlock()
		w.failed(err)
		problem := w.problem
		if problem == sip.NoProblem {
			problem = sip.SwitchboardAway // it is up, and said no to this
		}
		w.event(sip.AgentReply{ID: request.ID, Problem: problem})
		w.refuseAll(problem)
		return
	}
	w.worked()
	reply.ID = request.ID
	if reply.Known {
		w.knows(reply.Agent)
	}
	w.event(reply)
}

func (w *courier) knows(a sip.Agent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.version, w.changed = a.Version, false
	w.agentAt = time.Now().Add(jittered(pollPause))
}

// due is what is to be done now, or how long there is nothing.
func (w *courier) due(now time.Time) (job func(context.Context) error, wait time.Duration) {
	if w.asked && !w.up {
		if now.Before(w.retryAt) {
			return nil, w.retryAt.Sub(now)
		}
		return w.fetchAgent, 0
	}
	if now.Before(w.retryAt) { // it is up, and wants us to wait
		return nil, w.retryAt.Sub(now)
	}
	w.mu.Lock()
	if w.changed {
		w.agentAt = now
	}
	if !w.delivered {
		w.outboxAt = now
	}
	w.mu.Unlock()
	if !now.Before(w.refusedAt) && w.after > 0 {
		w.after, w.outboxAt = 0, now
	}
	jobs := []struct {
		at time.Time
		do func(context.Context) error
	}{{w.agentAt, w.fetchAgent}, {w.outboxAt, w.deliver}, {w.knowledgeAt, w.knowledgeJob}, {w.figuresAt, w.fetchFigures}}
	wait = pollPause
	if w.after > 0 {
		wait = min(wait, w.refusedAt.Sub(now))
	}
	for _, j := range jobs {
		if !now.Before(j.at) {
			return j.do, 0
		}
		wait = min(wait, j.at.Sub(now))
	}
	return nil, wait
}

// inBackground does a job that a request of the agent breaks off.
func (w *courier) inBackground(ctx context.Context, job func(context.Context) error) {
	ctx, breakOff := context.WithCancelCause(ctx)
	defer breakOff(nil)
	w.mu.Lock()
	if len(w.requests) > 0 {
		w.mu.Unlock()
		return
	}
	w.breakOff = breakOff
	w.mu.Unlock()
	err := job(ctx)
	w.mu.Lock()
	w.breakOff = nil
	w.mu.Unlock()
	switch {
	case err == nil:
		w.worked()
	case ctx.Err() == nil:
		w.failed(err)
	}
}

// worked notes that the switchboard has answered.
func (w *courier) worked() {
	w.pause, w.retryAt = 0, time.Time{}
	if w.up {
		return
	}
	w.asked, w.up, w.problem = true, true, sip.NoProblem
	// What may have changed while it was away.
	w.knowledgeAt, w.figuresAt, w.outboxAt, w.after = time.Time{}, time.Time{}, time.Time{}, 0
	w.config.Log.Info("the switchboard answers")
	w.event(sip.SwitchboardChanged{Up: true})
}

// failed notes that an exchange has brought nothing.
func (w *courier) failed(err error) {
	var f *failure
	if !errors.As(err, &f) {
		f = senseless(err)
	}
	now := time.Now()
	if f.problem == sip.NoProblem {
		w.config.Log.Warn("the switchboard has declined", "reason", f.cause)
		w.worked()
		w.retryAt = now.Add(jittered(max(f.wait, retryPauseMin)))
		return
	}
	w.pause = min(max(2*w.pause, retryPauseMin), retryPauseMax)
	w.retryAt = now.Add(jittered(max(w.pause, f.wait)))
	if w.asked && !w.up && w.problem == f.problem {
		return
	}
	w.asked, w.up, w.problem = true, false, f.problem
	w.config.Log.Error("the switchboard cannot be asked", "problem", f.problem.String(), "reason", f.cause)
	w.event(sip.SwitchboardChanged{Problem: f.problem})
}

// fetchAgent tells the phone who is signed in there.
func (w *courier) fetchAgent(ctx context.Context) error {
	a, err := w.exchange(ctx, http.MethodGet, "/v1/agent", nil, "")
	if err != nil {
		return err
	}
	agent, err := wire.DecodeAgent(a.data)
	if err != nil {
		return senseless(err)
	}
	w.worked() // before the reply: who is up is heard first
	w.knows(agent)
	w.event(sip.AgentReply{Known: true, Agent: agent})
	return nil
}

func (w *courier) knowledgeJob(ctx context.Context) error {
	err := w.fetchKnowledge(ctx)
	var f *failure
	if errors.As(err, &f) && f.status == http.StatusNotFound {
		w.config.Log.Warn("the switchboard has no knowledge", "reason", f.cause)
		err = nil
	}
	if err == nil {
		w.knowledgeAt = time.Now().Add(jittered(pollPause))
	}
	return err
}

func (w *courier) fetchFigures(ctx context.Context) error {
	a, err := w.exchange(ctx, http.MethodGet, "/v1/figures", nil, "")
	if err != nil {
		return err
	}
	figures, err := wire.DecodeFigures(a.data)
	if err != nil {
		return senseless(err)
	}
	w.figuresAt = time.Now().Add(jittered(pollPause))
	w.event(sip.FiguresReported{Figures: figures})
	return nil
}

// deliver puts the next entry of the outbox.
func (w *courier) deliver(ctx context.Context) error {
	w.mu.Lock()
	w.delivered = true // unless something is kept from now on
	w.mu.Unlock()
	id, data, more := w.config.Outbox.Next(w.after)
	if !more {
		w.outboxAt = time.Now().Add(refusedPause)
		return nil
	}
	w.outboxAt = time.Time{}
	e, err := decodeEntry(data)
	if err != nil {
		w.passOver(id, e, err)
		return nil
	}
	a, err := w.exchange(ctx, http.MethodPut, "/v1/"+e.Kind+"/"+e.ID, e.Body, "")
	var f *failure
	if errors.As(err, &f) && f.problem == sip.NoProblem && f.status != http.StatusTooManyRequests {
		w.passOver(id, e, err)
		return nil
	}
	if err != nil {
		return err
	}
	if err := w.config.Outbox.Confirm(id); err != nil {
		// It will be delivered again, which changes nothing, but not at once.
		w.passOver(id, e, err)
		return nil
	}
	w.after = id
	w.figuresAt = earlier(w.figuresAt, time.Now().Add(jittered(figuresPause)))
	if e.Kind == Messages {
		due, _ := wire.DecodeReceipt(a.data) // without one, nothing is promised
		w.event(sip.MessageTaken{ID: e.ID, Due: due})
	}
	w.event(sip.OutboxChanged{Waiting: w.Waiting()})
	return nil
}

// passOver leaves an entry in the outbox, so that it is not lost, and goes on with the next.
func (w *courier) passOver(id uint64, e entry, err error) {
	w.config.Log.Error("an entry of the outbox could not be delivered and is kept", "kind", e.Kind, "id", e.ID, "reason", err)
	w.after = id
	w.refusedAt = time.Now().Add(jittered(refusedPause))
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
