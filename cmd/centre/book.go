package centre

import (
	"context"
	"sync"
	"time"

	"freizeichen/cmd/centre/internal/figures"
	"freizeichen/cmd/centre/internal/store"
	"freizeichen/cmd/centre/roster"
	"freizeichen/firmware/switchboard"
	"freizeichen/sip"
	"freizeichen/sip/acd"
	"freizeichen/sip/acd/count"
)

// A Book is who is known: agents, phones, supervisors. Programs keep it by command; a running site has it open.
type Book struct{ store *store.Store }

// OpenBook opens the database, beside: also while a switchboard has it open. Only one switchboard has.
func OpenBook(ctx context.Context, settings switchboard.Config, beside bool) (*Book, error) {
	s, err := store.Open(ctx, store.Config{
		URL: settings.Database.Reveal(), Place: settings.Location, AgentDays: settings.Retention.AgentDays, MessageDays: settings.Retention.MessageDays,
		OpenDays: settings.Retention.OpenDays,
		Beside:   beside,
	})
	if err != nil {
		return nil, err
	}
	return &Book{s}, nil
}

// Close closes the database.
func (b *Book) Close() error { return b.store.Close() }

// PutAgents makes or changes agents; those who are not in the list stay.
func (b *Book) PutAgents(ctx context.Context, agents []roster.Agent) error {
	for _, a := range agents {
		entry := store.Agent{Number: a.Number, Name: a.Name}
		for _, s := range a.Queues {
			entry.Queues = append(entry.Queues, store.Membership{Queue: s.Queue, Penalty: s.Penalty})
		}
		if err := b.store.PutAgent(ctx, entry); err != nil {
			return err
		}
		if a.PIN == "" {
			continue
		}
		if _, err := b.store.SetPIN(ctx, a.Number, a.PIN); err != nil {
			return err
		}
	}
	return nil
}

// Agents are all agents, without their PINs.
func (b *Book) Agents(ctx context.Context) ([]roster.Agent, error) {
	all, err := b.store.Agents(ctx)
	var agents []roster.Agent
	for _, a := range all {
		agents = append(agents, roster.Agent{Number: a.Number, Name: a.Name, Queues: serving(a)})
	}
	return agents, err
}

func serving(a store.Agent) []acd.Serving {
	var all []acd.Serving
	for _, m := range a.Queues {
		all = append(all, acd.Serving{Queue: m.Queue, Penalty: m.Penalty})
	}
	return all
}

// AddPhone makes a phone, or gives it a new secret, which is told this once.
func (b *Book) AddPhone(ctx context.Context, device, label string) (secret string, err error) {
	secret = store.NewSecret()
	return secret, b.store.PutPhone(ctx, store.Phone{Device: device, Label: label}, secret)
}

// Phones are the devices and labels of all phones.
func (b *Book) Phones(ctx context.Context) (devices, labels []string, err error) {
	all, err := b.store.Phones(ctx)
	for _, p := range all {
		devices, labels = append(devices, p.Device), append(labels, p.Label)
	}
	return devices, labels, err
}

// RemovePhone forgets a phone; false: there was none.
func (b *Book) RemovePhone(ctx context.Context, device string) (bool, error) {
	return b.store.RemovePhone(ctx, device)
}

// RemoveAgent forgets an agent; what he did counts on without him. False: there was none.
func (b *Book) RemoveAgent(ctx context.Context, number string) (bool, error) {
	return b.store.RemoveAgent(ctx, number)
}

// Seats are who is signed in where: agents by device.
func (b *Book) Seats(ctx context.Context) (map[string]string, error) {
	all, err := b.store.SignIns(ctx)
	seats := map[string]string{}
	for _, in := range all {
		seats[in.Device] = in.Agent
	}
	return seats, err
}

// PutSupervisor makes a supervisor or changes the password.
func (b *Book) PutSupervisor(ctx context.Context, name, password string) error {
	return b.store.PutSupervisor(ctx, name, password)
}

// RemoveSupervisor forgets a supervisor; false: there was none.
func (b *Book) RemoveSupervisor(ctx context.Context, name string) (bool, error) {
	return b.store.RemoveSupervisor(ctx, name)
}

// Supervisors are all names.
func (b *Book) Supervisors(ctx context.Context) ([]string, error) { return b.store.Supervisors(ctx) }

// CheckPIN implements Agents.
func (b *Book) CheckPIN(ctx context.Context, now time.Time, number, pin string) (acd.Verified, error) {
	check, err := b.store.CheckPIN(ctx, now, number, pin)
	v := acd.Verified{Problem: check.Problem, Tries: check.Tries, Retry: check.Retry}
	if check.Problem == sip.NoProblem {
		v.Number, v.Name, v.Queues = check.Agent.Number, check.Agent.Name, serving(check.Agent)
	}
	return v, err
}

// memory is the Memory of a site: sign-ins in the database, figures in their file.
type memory struct {
	book    *Book
	figures *figures.File

	mu   sync.Mutex
	seat map[string]string // agent by device, as the database has it
}

// Restore implements Memory. What an agent does now, the PBX says.
func (m *memory) Restore(ctx context.Context) (r acd.Restored, err error) {
	signIns, err := m.book.store.SignIns(ctx)
	if err != nil {
		return r, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seat = map[string]string{}
	for _, in := range signIns {
		agent, found, err := m.book.store.Agent(ctx, in.Agent)
		if err != nil {
			return r, err
		}
		m.seat[in.Device] = in.Agent
		if found {
			r.SignIns = append(r.SignIns, acd.SignIn{Device: in.Device, Number: in.Agent, Name: agent.Name, State: sip.Ready, Since: in.Since})
		}
	}
	r.Days = m.figures.Days()
	return r, nil
}

// PutSignIn implements Memory. Of an agent only where he sits is kept: not what he did when.
func (m *memory) PutSignIn(ctx context.Context, in acd.SignIn) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seat[in.Device] == in.Number {
		return nil
	}
	var err error
	if in.Number == "" {
		err = m.book.store.RemoveSignIn(ctx, in.Device)
	} else {
		err = m.book.store.PutSignIn(ctx, store.SignIn{Device: in.Device, Agent: in.Number, Since: in.Since})
	}
	if err == nil {
		m.seat[in.Device] = in.Number
	}
	return err
}

// PutDays implements Memory.
func (m *memory) PutDays(_ context.Context, days []count.Day) error { return m.figures.Put(days) }
