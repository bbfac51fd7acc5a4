package switchboard

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

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
	if err := w.keepKnowledge(a.data); err != nil {
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

// keepKnowledge writes the file beside its place and moves it there whole.
func (c *Client) keepKnowledge(data []byte) error {
	path := c.config.KnowledgeFile
	if path == "" {
		return nil
	}
	file, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// restoreKnowledge hands out the last knowledge before the switchboard has been asked.
func (c *Client) restoreKnowledge() {
	if c.config.KnowledgeFile == "" {
		return
	}
	data, err := os.ReadFile(c.config.KnowledgeFile)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = c.use(data)
	}
	if err != nil {
		c.config.Log.Error("the knowledge that was kept cannot be used", "file", filepath.Base(c.config.KnowledgeFile), "error", err)
		return
	}
	c.restored = wire.Tag(data)
}
