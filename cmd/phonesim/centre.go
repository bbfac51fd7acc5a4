package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"freizeichen/cmd/centre"
	"freizeichen/cmd/centre/certificate"
	"freizeichen/cmd/centre/roster"
	"freizeichen/firmware"
	"freizeichen/firmware/config"
	"freizeichen/firmware/knowledge"
	"freizeichen/firmware/switchboard"
	"freizeichen/sip"
	"freizeichen/sip/acd"
	"freizeichen/sip/exchange"
)

// The agent of the demonstration. The switchboard is reachable on loopback only.
const (
	demoAgent = "4711"
	demoPIN   = "1234"
	demoName  = "Ada Beispiel"

	demoSupervisor = "demo"
)

// signInPatience is for the exchange to start.
const signInPatience = 15 * time.Second

// A switchroom is the exchange in this process with its switchboard. What it keeps is gone with it.
type switchroom struct {
	exchange *exchange.Exchange
	site     *centre.Site
	folder   string
	desk     config.Centre // of the phone
	password string        // of the supervisor "demo"
	ours     bool          // the phone asks this switchboard; else its configuration names another
}

// openSwitchroom opens the exchange, and a switchboard beside it that knows one agent and one phone.
func (s *simulator) openSwitchroom(ctx context.Context) (room *switchroom, err error) {
	settings := exchange.Default(exchange.Account{User: agentUser, Password: agentPassword})
	// Now and then somebody dials the extension itself: in the middle of a call that knocks.
	settings.Traffic = append(settings.Traffic, exchange.Traffic{Number: agentUser, Gap: 4 * time.Minute})
	names := map[string]string{}
	for i := range settings.Queues {
		names[settings.Queues[i].ID] = settings.Queues[i].Name
		settings.Queues[i].Agents = nil // who signs in serves
	}
	pbx := centre.NewBuiltin(names)
	settings.Observe, settings.ObserveMember = pbx.Observe, pbx.ObserveMember
	room = &switchroom{}
	if room.exchange, err = exchange.New(settings); err != nil {
		return nil, err
	}
	pbx.Attach(room.exchange)
	if room.folder, err = os.MkdirTemp("", "phonesim-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(room.folder)
		}
	}()
	chain, err := certificate.New(time.Now(), "127.0.0.1", "localhost")
	if err != nil {
		return nil, err
	}
	pair, err := chain.Pair()
	if err != nil {
		return nil, err
	}
	authority := filepath.Join(room.folder, "authority.crt")
	board := demoSettings(room.folder, settings.Queues)
	if err = errors.Join(os.WriteFile(authority, chain.Authority, 0o600), os.WriteFile(board.Knowledge, knowledge.Example(), 0o600)); err != nil {
		return nil, err
	}
	room.site, err = centre.OpenSite(ctx, centre.SiteConfig{Settings: board, PBX: pbx, News: pbx.News(), Certificate: pair, Log: s.log})
	if err != nil {
		return nil, err
	}
	secret, err := room.people(ctx, board)
	if err != nil {
		return nil, errors.Join(err, room.site.Close())
	}
	room.desk = config.Default().Centre
	room.desk.Switchboard = config.Switchboard{URL: "https://" + room.site.Address().String(), Secret: config.NewSecret(secret), CA: authority}
	for _, q := range board.Queues {
		room.desk.Queues = append(room.desk.Queues, q.Name)
	}
	return room, nil
}

// demoSettings is a switchboard of the exchange's queues that keeps its things in a folder.
func demoSettings(folder string, queues []exchange.Queue) switchboard.Config {
	board := switchboard.Default()
	board.Data, board.Database = folder, config.NewSecret(filepath.Join(folder, "switchboard.db"))
	board.HTTPS.Listen, board.Metrics, board.Location = "127.0.0.1:0", "", firmware.Place()
	board.Knowledge = filepath.Join(folder, "knowledge.yaml")
	for _, q := range queues {
		target := 80
		if q.Numbers[0] == "115" {
			target = 75 // the promise of 115
		}
		board.Queues = append(board.Queues, switchboard.Queue{
			Name: q.ID, Title: q.Name, Within: 30 * time.Second, Target: target, Formula: "offered", WrapUp: 30 * time.Second,
		})
	}
	return board
}

// people are the agent, the phone (whose secret is returned) and the supervisor.
func (r *switchroom) people(ctx context.Context, board switchboard.Config) (secret string, err error) {
	agent := roster.Agent{Number: demoAgent, Name: demoName, PIN: demoPIN}
	for _, q := range board.Queues {
		agent.Queues = append(agent.Queues, acd.Serving{Queue: q.Name})
	}
	book := r.site.Book()
	if err := book.PutAgents(ctx, []roster.Agent{agent}); err != nil {
		return "", err
	}
	r.password = rand.Text()[:16]
	if err := book.PutSupervisor(ctx, demoSupervisor, r.password); err != nil {
		return "", err
	}
	return book.AddPhone(ctx, agentUser, "")
}

// run serves exchange and switchboard. The agent of the demonstration sits down at once: the phone is to ring.
func (r *switchroom) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() {
		defer stop()
		ended <- r.site.Run(ctx)
	}()
	seated := make(chan struct{})
	go func() {
		defer close(seated)
		r.signIn(ctx)
	}()
	err := r.exchange.Run(ctx)
	stop()
	<-seated
	return errors.Join(err, <-ended)
}

func (r *switchroom) signIn(ctx context.Context) {
	if !r.ours {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, signInPatience)
	defer cancel()
	request := sip.AgentRequest{Verb: sip.SignIn, Number: demoAgent, PIN: demoPIN}
	for r.site.Centre().Do(ctx, agentUser, request).Problem == sip.PBXAway {
		select {
		case <-ctx.Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// remove removes what it kept.
func (r *switchroom) remove() { os.RemoveAll(r.folder) }

// greeting tells how to sign in, and where the supervisor looks.
func (r *switchroom) greeting() string {
	if !r.ours {
		return ""
	}
	return fmt.Sprintf("Agent %s with PIN %s sits at the phone.\nThe supervisor looks at https://%s/ as %s with the password %s (the certificate is made for this run alone: the browser asks).\n",
		demoAgent, demoPIN, r.site.Address(), demoSupervisor, r.password)
}
