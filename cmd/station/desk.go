package station

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"

	"freizeichen/device/callcentre"
	"freizeichen/device/phone"
	"freizeichen/firmware/config"
	"freizeichen/firmware/journal"
	"freizeichen/firmware/knowledge"
	"freizeichen/sip"
	"freizeichen/sip/switchboard"
)

// outboxMax bounds what waits for the switchboard: ten days of one agent.
const outboxMax = 1000

// A desk is what the agent's desk needs beside the phone: the way to the switchboard, and what survives a power cut.
type desk struct {
	client *switchboard.Client // nil: the phone has no switchboard
	outbox outbox
	post   func(phone.Event)
}

// An outbox is a switchboard.Outbox that is closed in the end.
type outbox interface {
	switchboard.Outbox
	Close() error
}

// openDesk reads the knowledge to begin with and opens what keeps outcomes. Nothing is asked before the station runs.
func openDesk(c Config, post func(phone.Event)) (*desk, error) {
	d := &desk{post: post}
	centre := c.Config.Centre
	if centre.Knowledge != "" {
		_, k, err := knowledge.Open(centre.Knowledge)
		if err != nil {
			return nil, fmt.Errorf("call-centre.knowledge: %w", err)
		}
		post(callcentre.KnowledgeChanged{Knowledge: k})
	}
	if centre.Switchboard.URL == "" {
		return d, nil
	}
	var err error
	if d.outbox, err = openOutbox(centre, c.Logger); err != nil {
		return nil, err
	}
	settings := switchboard.Config{
		URL: centre.Switchboard.URL, CAFile: centre.Switchboard.CA, Device: c.Config.Accounts[0].User, Secret: centre.Switchboard.Secret.Reveal(),
		Outbox: d.outbox, Event: func(e sip.Event) { post(e) }, Knowledge: d.learn, Log: c.Logger, Dial: c.DialSwitchboard,
	}
	if centre.Data != "" {
		settings.Kept = kept(filepath.Join(centre.Data, "knowledge.json"))
	}
	if d.client, err = switchboard.New(settings); err != nil {
		return nil, errors.Join(fmt.Errorf("call-centre.switchboard: %w", err), d.outbox.Close())
	}
	return d, nil
}

func openOutbox(centre config.Centre, log *slog.Logger) (outbox, error) {
	if centre.Data == "" {
		return &memory{}, nil
	}
	j, err := journal.Open(filepath.Join(centre.Data, "outbox"), outboxMax)
	if err != nil {
		return nil, fmt.Errorf("call-centre.data: %w", err)
	}
	if damage := j.Damage(); damage != (journal.Damage{}) {
		log.Warn("the outbox was damaged; what could be read is kept", "damage", fmt.Sprintf("%+v", damage))
	}
	return j, nil
}

func (d *desk) close() error {
	if d.outbox == nil {
		return nil
	}
	return d.outbox.Close()
}

// learn takes the knowledge that the switchboard has sent.
func (d *desk) learn(data []byte) error {
	k, err := knowledge.Load(data)
	if err == nil {
		d.post(callcentre.KnowledgeChanged{Knowledge: k})
	}
	return err
}

// kept is the file of the last knowledge that the switchboard has sent.
type kept string

// Store implements switchboard.KnowledgeStore.
func (k kept) Store(data []byte) error { return knowledge.Store(string(k), data) }

// Open implements switchboard.KnowledgeStore.
func (k kept) Open() ([]byte, error) {
	data, _, err := knowledge.Open(string(k))
	return data, err
}

// Ask, Keep and Leave are loop.Switchboard. What the client cannot take is answered here.
func (d *desk) Ask(r sip.AgentRequest) {
	if d.client == nil || !d.client.Do(r) {
		d.post(sip.AgentReply{ID: r.ID, Problem: sip.SwitchboardAway})
	}
}

// Keep keeps an outcome. A phone without a switchboard has nobody to tell.
func (d *desk) Keep(o sip.Outcome) {
	if d.client != nil && !d.client.KeepOutcome(o) {
		d.post(sip.OutboxChanged{ID: o.ID, Problem: sip.OutboxFault, Waiting: d.client.Waiting()})
	}
}

// Leave keeps a message to an office; without a switchboard nobody would bring it there.
func (d *desk) Leave(m sip.OfficeMessage) {
	switch {
	case d.client == nil:
		d.post(sip.OutboxChanged{ID: m.ID, Problem: sip.OutboxFault})
	case !d.client.KeepMessage(m):
		d.post(sip.OutboxChanged{ID: m.ID, Problem: sip.OutboxFault, Waiting: d.client.Waiting()})
	}
}

// memory is an outbox for a phone without a disk: what waits is gone with the power.
type memory struct {
	mu      sync.Mutex
	last    uint64
	waiting []waiting
}

type waiting struct {
	id   uint64
	data []byte
}

func (m *memory) Append(data []byte) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.waiting) >= outboxMax {
		return 0, &journal.FullError{Records: outboxMax}
	}
	m.last++
	m.waiting = append(m.waiting, waiting{m.last, slices.Clone(data)})
	return m.last, nil
}

func (m *memory) Next(after uint64) (uint64, []byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.waiting {
		if w.id > after {
			return w.id, w.data, true
		}
	}
	return 0, nil, false
}

func (m *memory) Confirm(id uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting = slices.DeleteFunc(m.waiting, func(w waiting) bool { return w.id == id })
	return nil
}

func (m *memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.waiting)
}

func (m *memory) Close() error { return nil }
