package switchboard

import (
	"context"
	"errors"
	"io/fs"
	"net/http"

	"freizeichen/sip/switchboard/wire"
)

const knowledgePath = "/v1/knowledge"

// fetchKnowledge gets the knowledge if it is new.
func (w *courier) fetchKnowledge(ctx context.Context) error {
	a, err := w.exchange(ctx, http.MethodGet, knowledgePath, nil, w.tag)
	if err != nil || a.status == http.StatusNotModified {
		return err
	}
	if err := w.use(a.data); err != nil {
		// It stays as it is until there is another one; to fetch it again every few minutes is no harm.
		w.config.Log.Error("the switchboard's knowledge cannot be used; the last stays", "error", err)
		return nil
	}
	w.tag = a.tag
	if w.config.Kept == nil {
		return nil
	}
	if err := w.config.Kept.Store(a.data); err != nil {
		w.config.Log.Error("the knowledge could not be kept; after a start without the switchboard it will be missing", "error", err)
	}
	return nil
}

func (c *Client) use(data []byte) error {
	c.events.Lock()
	defer c.events.Unlock()
	if c.config.Knowledge == nil {
		return nil
	}
	return c.config.Knowledge(data)
}

// restoreKnowledge hands out the last knowledge before the switchboard has been asked.
func (c *Client) restoreKnowledge() {
	if c.config.Kept == nil {
		return
	}
	data, err := c.config.Kept.Open()
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = c.use(data)
	}
	if err != nil {
		c.config.Log.Error("the knowledge that was kept cannot be used", "error", err)
		return
	}
	c.restored = wire.Tag(data)
}
