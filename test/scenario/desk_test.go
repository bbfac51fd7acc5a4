package scenario

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"freizeichen/cmd/centre"
	"freizeichen/cmd/centre/certificate"
	"freizeichen/cmd/centre/roster"
	"freizeichen/firmware"
	"freizeichen/firmware/config"
	"freizeichen/firmware/knowledge"
	"freizeichen/firmware/switchboard"
	"freizeichen/sip/acd"
	"freizeichen/sip/exchange"
)

// A room is the switchboard beside the exchange: the real one, over a network in memory. Agents 4711 (PIN 1234) and 4712
// (PIN 5678) serve every queue; phone 205 exists without anybody at it.
type room struct {
	site   *centre.Site
	net    *cable
	centre config.Centre
	ended  chan error
	stop   context.CancelFunc
	dead   bool
}

// furnish makes the room for an exchange that is about to be opened. Who signs in serves.
func furnish(t *testing.T, c *exchange.Config, log *slog.Logger) (*room, *centre.Builtin) {
	names := map[string]string{}
	for i := range c.Queues {
		names[c.Queues[i].ID] = c.Queues[i].Name
		c.Queues[i].Agents = nil
	}
	pbx := centre.NewBuiltin(names)
	c.Observe, c.ObserveMember = pbx.Observe, pbx.ObserveMember
	chain, err := certificate.New(time.Now(), "switchboard.example")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := chain.Pair()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	r := &room{net: &cable{}, ended: make(chan error, 1)}
	settings := switchboard.Default()
	settings.Data, settings.Database = dir, config.NewSecret(filepath.Join(dir, "switchboard.db"))
	settings.HTTPS.Listen, settings.Metrics, settings.Location = "192.0.2.1:443", "", firmware.Place()
	settings.Knowledge = filepath.Join(dir, "knowledge.yaml")
	var serves []acd.Serving
	for _, q := range c.Queues {
		settings.Queues = append(settings.Queues, switchboard.Queue{Name: q.ID, Title: q.Name, Within: 30 * time.Second, Target: 80, Formula: "offered", WrapUp: 30 * time.Second})
		serves = append(serves, acd.Serving{Queue: q.ID})
		r.centre.Queues = append(r.centre.Queues, q.ID)
	}
	authority := filepath.Join(dir, "authority.pem")
	if err := errors.Join(os.WriteFile(settings.Knowledge, knowledge.Example(), 0o600), os.WriteFile(authority, chain.Authority, 0o600)); err != nil {
		t.Fatal(err)
	}
	r.site, err = centre.OpenSite(t.Context(), centre.SiteConfig{Settings: settings, PBX: pbx, News: pbx.News(), Certificate: pair, Listen: r.net.listen, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	book := r.site.Book()
	secret, err := book.AddPhone(t.Context(), "201", "")
	if err := errors.Join(err, book.PutAgents(t.Context(), []roster.Agent{
		{Number: "4711", Name: "Hopper", PIN: "1234", Queues: serves}, {Number: "4712", Name: "Lovelace", PIN: "5678", Queues: serves},
	})); err != nil {
		t.Fatal(err)
	}
	d := config.Default().Centre
	d.Queues = r.centre.Queues
	d.Switchboard = config.Switchboard{URL: "https://switchboard.example", Secret: config.NewSecret(secret), CA: authority}
	d.Data = filepath.Join(dir, "phone")
	if err := os.Mkdir(d.Data, 0o700); err != nil {
		t.Fatal(err)
	}
	r.centre = d
	return r, pbx
}

// run serves the switchboard until end.
func (r *room) run() {
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go func() { r.ended <- r.site.Run(ctx) }()
}

func (r *room) end(t *testing.T) {
	if r.stop(); r.dead {
		return
	}
	r.dead = true
	if err := <-r.ended; err != nil {
		t.Errorf("the switchboard ended with %v", err)
	}
}

// A cable is the way from the phone to the switchboard, in memory.
type cable struct {
	mu       sync.Mutex
	cut      bool
	incoming chan net.Conn
	open     []net.Conn
}

func (c *cable) listen(_, _ string) (net.Listener, error) {
	c.incoming = make(chan net.Conn, 16)
	return &plug{cable: c, closed: make(chan struct{})}, nil
}

func (c *cable) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		return nil, errors.New("no route to host")
	}
	here, there := net.Pipe()
	c.open = append(c.open, here, there)
	select {
	case c.incoming <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *cable) pull(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut = cut; cut {
		for _, conn := range c.open {
			conn.Close()
		}
		c.open = nil
	}
}

// A plug is the switchboard's end.
type plug struct {
	*cable
	once   sync.Once
	closed chan struct{}
}

func (p *plug) Accept() (net.Conn, error) {
	select {
	case conn := <-p.incoming:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *plug) Close() error { p.once.Do(func() { close(p.closed) }); return nil }

func (p *plug) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443} }

// beginning is when a conversation begins, by a line "config at 2026-11-30T09:00:00" of its file in the time of the place.
func beginning(t *testing.T, text string) {
	_, at, found := strings.Cut(text, "config   at ")
	if !found {
		return
	}
	at, _, _ = strings.Cut(at, "\n")
	when, err := time.ParseInLocation("2006-01-02T15:04:05", strings.TrimSpace(at), firmware.Place())
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(when))
}
