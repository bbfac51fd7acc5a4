package centre

import (
	"context"
	"encoding/hex"
	"log/slog"
	"net/http"
	"time"

	"freizeichen/cmd/centre/internal/page"
	"freizeichen/cmd/centre/internal/shelf"
	"freizeichen/cmd/centre/internal/store"
	"freizeichen/firmware"
	"freizeichen/sip"
)

// messagesShown bounds the list of open messages: more than an office lets lie.
const messagesShown = 1000

// pages adds what people look at in a browser. Its streams end when the site does.
func (s *Site) pages(mux *http.ServeMux) error {
	texts := map[string]map[string]string{"de": {}, "en": {}}
	for _, r := range s.config.Settings.Reasons {
		texts["de"][r.ID], texts["en"][r.ID] = r.German, r.English
	}
	p, err := page.New(page.Config{
		Live: live{s.centre}, Records: records{s.book.store, s.log}, Accounts: s.book.store, Links: links{s.book.store}, Knowledge: editions{s.knowledge},
		Place: s.config.Settings.Location, Hosts: s.config.Settings.HTTPS.Names, Logger: s.log,
		Reason: func(language, reason string) string {
			if text := texts[language][reason]; text != "" {
				return text
			}
			return reason
		},
	})
	if err != nil {
		return err
	}
	s.closePages = p.Close
	mux.Handle("/", p)
	return nil
}

// live is the model for the page: aggregates alone. Who an agent is does not leave here.
type live struct{ *Centre }

func (l live) Queues() []sip.QueueStatus {
	var all []sip.QueueStatus
	for _, q := range l.Snapshot().Queues {
		if !q.Exists {
			q.Status.At = time.Time{}
		}
		all = append(all, q.Status)
	}
	return all
}

func (l live) Desks() []page.Desk {
	var all []page.Desk
	for _, seat := range l.Snapshot().Seats {
		d := page.Desk{State: seat.Agent.State, Reason: seat.Agent.Reason}
		d.Talking = seat.Talking != "" && d.State != sip.SignedOut
		all = append(all, d)
	}
	return all
}

func (l live) PBX() page.PBX {
	view := l.Snapshot()
	return page.PBX{Connected: view.Connected, Since: view.Since}
}

// records is the store for the page.
type records struct {
	store *store.Store
	log   *slog.Logger
}

func (r records) Figures(ctx context.Context, from, until time.Time) (sip.DayFigures, error) {
	return r.store.Figures(ctx, from, until)
}

func (r records) Messages(ctx context.Context) ([]page.Message, error) {
	open, err := r.store.Messages(ctx, false, messagesShown)
	var all []page.Message
	for _, m := range open {
		all = append(all, page.Message{ID: m.ID, Tenant: m.Tenant, Line: m.Line, Topic: m.Topic, Office: m.Office, At: m.At, Due: m.Due})
	}
	return all, err
}

func (r records) Callback(ctx context.Context, id string) (page.Callback, error) {
	number, name, found, err := r.store.Callback(ctx, id)
	if err == nil && !found {
		err = page.ErrNoMessage
	}
	return page.Callback{Number: number, Name: name}, err
}

// Done notes in the log who ended a message: nobody else does.
func (r records) Done(ctx context.Context, id, by string) error {
	if _, _, found, err := r.store.Callback(ctx, id); err != nil || !found {
		if err == nil {
			err = page.ErrNoMessage
		}
		return err
	}
	_, err := r.store.FinishMessage(ctx, time.Now(), id)
	if err == nil {
		r.log.Info("a message to an office is done", "message", id, "supervisor", by)
	}
	return err
}

// links are the wallboard's, in the words of the store.
type links struct{ store *store.Store }

func (l links) Links(ctx context.Context) ([]page.Link, error) {
	kept, err := l.store.Links(ctx)
	var all []page.Link
	for _, k := range kept {
		all = append(all, linkOf(k))
	}
	return all, err
}

func linkOf(k store.Link) page.Link {
	link := page.Link{Label: k.Label, Owner: k.Owner, Made: k.Made}
	_, _ = hex.Decode(link.Hash[:], []byte(k.Hash))
	return link
}

func (l links) PutLink(ctx context.Context, link page.Link) error {
	return l.store.PutLink(ctx, store.Link{Hash: hex.EncodeToString(link.Hash[:]), Label: link.Label, Owner: link.Owner, Made: link.Made})
}

func (l links) Link(ctx context.Context, hash [32]byte) (page.Link, bool, error) {
	kept, found, err := l.store.Link(ctx, hex.EncodeToString(hash[:]))
	return linkOf(kept), found, err
}

func (l links) RemoveLink(ctx context.Context, hash [32]byte) error {
	return l.store.RemoveLink(ctx, hex.EncodeToString(hash[:]))
}

// editions is the shelf for the page.
type editions struct{ shelf *shelf.Shelf }

func (k editions) Knowledge() (firmware.Knowledge, page.KnowledgeState) {
	known, state := k.shelf.Knowledge()
	return known, page.KnowledgeState(state)
}
