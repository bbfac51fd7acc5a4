package switchboard

import (
	"context"
	"encoding/json"
	"errors"

	"freizeichen/sip"
	"freizeichen/sip/switchboard/wire"
)

// Kinds of entries: the part of the address that they are put to.
const (
	Outcomes = "outcomes"
	Messages = "messages"
)

// An entry is what the outbox holds.
type entry struct {
	Kind string          `json:"kind"`
	ID   string          `json:"id"`
	Body json.RawMessage `json:"body"`
}

// A keep is an entry on its way to the disk.
type keep struct {
	id    string
	entry entry
}

func (e entry) encode() []byte {
	data, err := json.Marshal(e)
	if err != nil {
		panic("switchboard: an entry is no JSON: " + err.Error())
	}
	return data
}

// decodeEntry reads an entry; what an older or newer program has written may not be one.
func decodeEntry(data []byte) (entry, error) {
	var e entry
	if err := json.Unmarshal(data, &e); err != nil {
		return entry{}, errors.New("it is no entry of an outbox")
	}
	if e.Kind != Outcomes && e.Kind != Messages || !wire.ValidID(e.ID) || len(e.Body) == 0 {
		return entry{}, errors.New("it is neither an outcome nor a message")
	}
	return e, nil
}

// runKeeper puts entries on the disk, which may take its time, until ctx ends and nothing is left.
func (c *Client) runKeeper(ctx context.Context) {
	if waiting := c.Waiting(); waiting > 0 {
		c.event(sip.OutboxChanged{Waiting: waiting})
	}
	for {
		select {
		case k := <-c.keeps:
			c.store(k)
		case <-ctx.Done():
			for {
				select {
				case k := <-c.keeps:
					c.store(k)
				default:
					return
				}
			}
		}
	}
}

func (c *Client) store(k keep) {
	problem := sip.Kept
	_, err := c.config.Outbox.Append(k.entry.encode())
	var full interface{ Full() bool }
	switch {
	case errors.As(err, &full) && full.Full():
		problem = sip.OutboxFull
	case err != nil:
		problem = sip.OutboxFault
	}
	if err != nil {
		c.config.Log.Error("an outcome could not be kept", "kind", k.entry.Kind, "id", k.id, "error", err)
	}
	c.event(sip.OutboxChanged{ID: k.id, Problem: problem, Waiting: c.Waiting()})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.delivered = false
	c.look()
}

// Waiting is how many outcomes and messages wait for delivery: revisions of one outcome are one.
func (c *Client) Waiting() int {
	type name struct{ kind, id string }
	names, others := map[name]bool{}, 0
	for id, data, more := c.config.Outbox.Next(0); more; id, data, more = c.config.Outbox.Next(id) {
		if e, err := decodeEntry(data); err == nil {
			names[name{e.Kind, e.ID}] = true
		} else {
			others++
		}
	}
	return len(names) + others
}
