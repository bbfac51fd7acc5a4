package page

import (
	"errors"
	"net/http"
	"regexp"

	"freizeichen/firmware"
)

// messageID is what sip.OfficeMessage.ID says.
var messageID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// A letter is what the page of one message shows.
type letter struct {
	messageRow
	Callback    Callback
	Responsible firmware.Office
}

func (p *Page) message(w http.ResponseWriter, r *http.Request, s session) {
	id := r.PathValue("id")
	if !messageID.MatchString(id) {
		p.problem(w, r, http.StatusNotFound, "problem-message")
		return
	}
	messages, err := p.config.Records.Messages(r.Context())
	if err != nil {
		p.away(w, r, "reading messages", err)
		return
	}
	for _, message := range messages {
		if message.ID != id {
			continue
		}
		callback, err := p.config.Records.Callback(r.Context(), id)
		if errors.Is(err, ErrNoMessage) {
			break
		}
		if err != nil {
			p.away(w, r, "reading a message", err)
			return
		}
		// Who looked at personal data can be told; what he saw is in no log.
		p.log.Info("page: a message was opened", "message", id, "supervisor", s.owner)
		names := p.names()
		p.render(w, r, http.StatusOK, "message", sheet{Who: s.owner, Token: s.form(),
			Content: letter{names.row(p.now(), message), callback, names.offices[message.Office]}})
		return
	}
	p.problem(w, r, http.StatusNotFound, "problem-message")
}

func (p *Page) messageDone(w http.ResponseWriter, r *http.Request, s session) {
	id := r.PostFormValue("id")
	if !messageID.MatchString(id) {
		p.problem(w, r, http.StatusNotFound, "problem-message")
		return
	}
	// Two supervisors may mark the same message: it is done.
	if err := p.config.Records.Done(r.Context(), id, s.owner); err != nil && !errors.Is(err, ErrNoMessage) {
		p.away(w, r, "ending a message", err)
		return
	}
	p.ledger.forget()
	http.Redirect(w, r, "/#messages", http.StatusSeeOther)
}
