package api

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"freizeichen/cmd/centre/certificate"
	"freizeichen/firmware/journal"
	"freizeichen/sip"
	"freizeichen/sip/switchboard"
)

// site makes an authority, and a certificate for 127.0.0.1.
func site(t *testing.T) (caFile string, server tls.Certificate) {
	t.Helper()
	chain, err := certificate.New(time.Now(), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, chain.Authority, 0o600); err != nil {
		t.Fatal(err)
	}
	if server, err = chain.Pair(); err != nil {
		t.Fatal(err)
	}
	return caFile, server
}

// A phone is the phone's part: the client on a journal.
type phone struct {
	*switchboard.Client
	t      *testing.T
	events chan sip.Event
	stop   func()
}

func startPhone(t *testing.T, config switchboard.Config, path string) *phone {
	t.Helper()
	box, err := journal.Open(path, 100)
	if err != nil {
		t.Fatal(err)
	}
	p := &phone{t: t, events: make(chan sip.Event, 1000)}
	config.Outbox, config.Event = box, func(e sip.Event) { p.events <- e }
	if p.Client, err = switchboard.New(config); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		p.Run(ctx)
		close(done)
	}()
	p.stop = func() {
		cancel()
		<-done
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	}
	return p
}

// await waits for an event of a type that is as wanted.
func await[E sip.Event](p *phone, wanted func(E) bool) E {
	p.t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		select {
		case e := <-p.events:
			if e, ok := e.(E); ok && wanted(e) {
				return e
			}
		case <-timeout:
			p.t.Fatalf("no such %T came", *new(E))
		}
	}
}

func TestAPhoneLosesNoOutcomeWhateverIsAway(t *testing.T) {
	b := newBench(t)
	api := b.config(b.store)
	var asked atomic.Int64
	api.Now = func() time.Time { return noon.Add(time.Duration(asked.Add(1)) * figuresAge) } // figures are counted each time
	b.handler = New(api)
	caFile, own := site(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	serve := func() (stop func()) {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		server := Server(b.handler, own)
		server.ErrorLog = log.New(&b.log, "", 0)
		done := make(chan struct{})
		go func() {
			server.ServeTLS(listener, "", "")
			close(done)
		}()
		return func() {
			server.Close()
			<-done
		}
	}
	config := switchboard.Config{URL: "https://" + address, CAFile: caFile, Device: "201", Secret: b.secret}
	path := filepath.Join(t.TempDir(), "outcomes")
	kept := func(p *phone, n int) {
		o := outcome
		o.ID = fmt.Sprintf("%032x", n)
		p.KeepOutcome(o)
		await(p, func(e sip.OutboxChanged) bool { return e.ID == o.ID && e.Problem == sip.Kept })
	}

	p := startPhone(t, config, path)
	await(p, func(e sip.SwitchboardChanged) bool { return !e.Up && e.Problem == sip.SwitchboardAway })
	for n := range 3 {
		kept(p, n)
	}
	p.stop() // the phone is switched off before the switchboard comes
	stop := serve()
	p = startPhone(t, config, path)
	if reply := await(p, func(e sip.AgentReply) bool { return true }); !reflect.DeepEqual(reply.Agent, b.desk.State("201")) {
		t.Errorf("got %+v", reply)
	}
	await(p, func(e sip.OutboxChanged) bool { return e.Waiting == 0 })
	b.desk.reply = sip.AgentReply{Problem: sip.WrongPIN, Tries: 2}
	p.Do(sip.AgentRequest{ID: 9, Verb: sip.SignIn, Number: "4711", PIN: "0000"})
	if reply := await(p, func(e sip.AgentReply) bool { return e.ID == 9 }); reply.Problem != sip.WrongPIN || reply.Tries != 2 {
		t.Errorf("got %+v", reply)
	}
	stop()
	last := outcome
	last.ID = fmt.Sprintf("%032x", 3)
	p.KeepOutcome(last)
	p.KeepMessage(message)
	await(p, func(e sip.SwitchboardChanged) bool { return !e.Up })
	stop = serve()
	if taken := await(p, func(e sip.MessageTaken) bool { return true }); !taken.Due.Equal(noon.Add(24 * time.Hour)) {
		t.Errorf("due %v", taken.Due)
	}
	figures := await(p, func(e sip.FiguresReported) bool { return true }).Figures
	if want := (sip.Tally{Calls: 4, Solved: 4}); figures.Team != want || figures.Own != want {
		t.Errorf("got %+v", figures)
	}
	p.stop()
	stop()
}
