package centre

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"freizeichen/cmd/centre/internal/api"
	"freizeichen/cmd/centre/internal/figures"
	"freizeichen/cmd/centre/internal/shelf"
	"freizeichen/device/callcentre"
	"freizeichen/device/callcentre/hours"
	"freizeichen/firmware"
	"freizeichen/firmware/switchboard"
	"freizeichen/sip"
	"freizeichen/sip/acd"
)

// A SiteConfig is what a whole switchboard is made of. All fields but Log and Listen must be given.
type SiteConfig struct {
	Settings    switchboard.Config // checked
	PBX         PBX
	News        News
	Certificate tls.Certificate
	Log         *slog.Logger // nil: nothing is logged
	// Listen opens a socket; nil opens real ones. Tests put an in-memory network here.
	Listen func(network, address string) (net.Listener, error)
}

// A Site is a switchboard: a centre with its database, its HTTPS interface and its metrics.
type Site struct {
	config    SiteConfig
	log       *slog.Logger
	book      *Book
	centre    *Centre
	knowledge *shelf.Shelf
	servers   []server
	// closePages ends what listens to a page: the server would wait for it.
	closePages func()
}

type server struct {
	*http.Server
	listener net.Listener
	serve    func(net.Listener) error
}

// How often old entries are forgotten, and how long requests may take that are under way at the end.
const (
	forgetEvery = time.Hour
	farewell    = 2 * time.Second
)

// OpenSite opens database and sockets. Run serves them; without it, Close.
func OpenSite(ctx context.Context, config SiteConfig) (*Site, error) {
	s := &Site{config: config, log: config.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	settings := config.Settings
	if err := os.Mkdir(settings.Data, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("centre: data: the folder cannot be made: %w", err)
	}
	days, err := figures.Open(filepath.Join(settings.Data, "figures.json"))
	if err != nil {
		s.log.Error("the figures begin anew", "error", err)
	}
	if s.book, err = OpenBook(ctx, settings, false); err != nil {
		return nil, err
	}
	s.knowledge = shelf.New(settings.Knowledge, filepath.Join(settings.Data, "knowledge.json"), s.log)
	metrics := NewMetrics()
	if leaf := config.Certificate.Leaf; leaf != nil {
		metrics.CertificateEnds(leaf.NotAfter)
	}
	s.centre = New(Config{
		ACD: model(settings), PBX: config.PBX, News: newBells(config.News, s.book.store.PhoneHash, s.log), Agents: s.book, Memory: &memory{book: s.book, figures: days},
		Log: s.log, Observe: metrics.Observe,
	})
	if err := s.listen(metrics); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// model is what the model of queues and agents needs of the settings.
func model(settings switchboard.Config) acd.Config {
	c := acd.Config{
		Location: settings.Location, WrapUpReason: settings.WrapUp.Reason, ExtendBy: settings.WrapUp.ExtendBy, Extends: settings.WrapUp.Extends,
	}
	if c.Extends == 0 {
		c.Extends = -1 // 0 is the model's default
	}
	for _, q := range settings.Queues {
		formula, _ := sip.ParseFormula(q.Formula)
		c.Queues = append(c.Queues, acd.Queue{Name: q.Name, Title: q.Title, Within: q.Within, Target: q.Target, Formula: formula, WrapUp: q.WrapUp})
	}
	known := map[string]bool{}
	for _, r := range settings.Reasons {
		known[r.ID] = true
		c.Reasons = append(c.Reasons, acd.Reason{ID: r.ID, Text: r.German})
	}
	// What phones pause for by themselves, whatever the site's menu holds.
	for _, r := range []acd.Reason{{ID: callcentre.ReasonDeclined, Text: "Anruf abgelehnt"}, {ID: callcentre.ReasonQuiet, Text: "Nicht stören"}} {
		if !known[r.ID] {
			c.Reasons = append(c.Reasons, r)
		}
	}
	return c
}

// listen makes the servers: HTTPS for phones and people, plain HTTP for Prometheus.
func (s *Site) listen(metrics *Metrics) error {
	phones := api.New(api.Config{
		Desk: s.centre, Records: s.book.store, Day: s.book.store.Day, Knowledge: s.knowledge.Compiled, Due: s.due, Changed: s.centre.wake, Log: s.log,
	})
	mux := http.NewServeMux()
	mux.Handle("/v1/", metrics.Instrument("phones", phones))
	if err := s.pages(mux); err != nil {
		return err
	}
	https := api.Server(mux, s.config.Certificate)
	if err := s.add(https, s.config.Settings.HTTPS.Listen, func(l net.Listener) error { return https.ServeTLS(l, "", "") }); err != nil {
		return fmt.Errorf("centre: https.listen: %w", err)
	}
	if s.config.Settings.Metrics == "" {
		return nil
	}
	plain := http.NewServeMux()
	plain.Handle("GET /metrics", metrics.Handler(s.centre))
	operator := &http.Server{Handler: plain, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second, MaxHeaderBytes: 8 << 10}
	if err := s.add(operator, s.config.Settings.Metrics, operator.Serve); err != nil {
		return fmt.Errorf("centre: metrics: %w", err)
	}
	return nil
}

func (s *Site) add(h *http.Server, address string, serve func(net.Listener) error) error {
	listen := s.config.Listen
	if listen == nil {
		listen = net.Listen
	}
	listener, err := listen("tcp", address)
	if err != nil {
		return err
	}
	h.ErrorLog = slog.NewLogLogger(s.log.Handler(), slog.LevelDebug) // strangers' broken handshakes
	s.servers = append(s.servers, server{h, listener, serve})
	return nil
}

// Address is where HTTPS is answered.
func (s *Site) Address() net.Addr { return s.servers[0].listener.Addr() }

// Book is who is known.
func (s *Site) Book() *Book { return s.book }

// Centre is the switchboard itself.
func (s *Site) Centre() *Centre { return s.centre }

// due is when an office answers a message: the promise of the line, in its hours of service.
func (s *Site) due(m sip.OfficeMessage) time.Time {
	known, _ := s.knowledge.Knowledge()
	for _, tenant := range known.Tenants {
		for _, line := range tenant.Lines {
			if tenant.ID != m.Tenant || line.Number != m.Line || line.Promise.AnswerWithin <= 0 {
				continue
			}
			if calendar, ok := calendarOf(known, line.Calendar); ok {
				return hours.Due(calendar, m.At, line.Promise.AnswerWithin)
			}
		}
	}
	return time.Time{}
}

func calendarOf(k firmware.Knowledge, id string) (firmware.Calendar, bool) {
	for _, c := range k.Calendars {
		if c.ID == id {
			return c, true
		}
	}
	return firmware.Calendar{}, false
}

// Run serves until ctx ends (then the error is nil) or a part breaks, and closes everything.
func (s *Site) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var parts sync.WaitGroup
	errs := make(chan error, len(s.servers)+1)
	parts.Go(func() {
		defer stop()
		errs <- s.centre.Run(ctx)
	})
	parts.Go(func() { s.knowledge.Run(ctx) })
	parts.Go(func() { s.forget(ctx) })
	for _, h := range s.servers {
		parts.Go(func() {
			defer stop()
			if err := h.serve(h.listener); !errors.Is(err, http.ErrServerClosed) {
				errs <- fmt.Errorf("centre: serving %s: %w", h.listener.Addr(), err)
			}
		})
	}
	<-ctx.Done()
	s.closePages()
	goodbye, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	for _, h := range s.servers {
		if h.Shutdown(goodbye) != nil {
			h.Server.Close()
		}
	}
	parts.Wait()
	close(errs)
	var err error
	for e := range errs {
		err = errors.Join(err, e)
	}
	return errors.Join(err, s.book.Close())
}

// forget removes what is kept long enough, once an hour.
func (s *Site) forget(ctx context.Context) {
	ticker := time.NewTicker(forgetEvery)
	defer ticker.Stop()
	for {
		if err := s.book.store.Hold(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("the database is not this switchboard's alone; its figures and sign-ins may be wrong", "error", err)
		}
		if gone, err := s.book.store.Forget(ctx, time.Now()); err != nil && ctx.Err() == nil {
			s.log.Error("what is kept long enough could not be forgotten", "error", err)
		} else if gone.Lapsed > 0 {
			s.log.Warn("messages that no office has answered are deleted: retention.open-message-days is over", "messages", gone.Lapsed)
		} else if gone.Agents+gone.Messages > 0 {
			s.log.Info("kept long enough, forgotten", "agents of calls", gone.Agents, "messages", gone.Messages)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Close closes a site that Run was not called for.
func (s *Site) Close() error {
	var err error
	for _, h := range s.servers {
		err = errors.Join(err, h.listener.Close())
	}
	return errors.Join(err, s.book.Close())
}
