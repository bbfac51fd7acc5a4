package switchboard

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"freizeichen/sip"
	"freizeichen/sip/switchboard/wire"
)

// An authority signs itself, and the certificate of a server at 127.0.0.1.
func authority(t *testing.T, name string, from, until time.Time) (file string, server tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// first is the first event of a phone that asks, and what it has logged.
func first(t *testing.T, config Config) (sip.Event, string) {
	t.Helper()
	events := make(chan sip.Event, 100)
	var said bytes.Buffer
	config.Device, config.Secret, config.Outbox = "201", "the secret", &box{}
	config.Event = func(e sip.Event) { events <- e }
	config.Log = slog.New(slog.NewTextHandler(&said, nil))
	client, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		client.Run(ctx)
		close(done)
	}()
	e := <-events
	cancel()
	<-done
	return e, said.String()
}

func TestOnlyTheConfiguredAuthorityIsTrusted(t *testing.T) {
	now := time.Now()
	ours, certificate := authority(t, "Kreis Wesel CA", now.Add(-time.Hour), now.Add(time.Hour))
	other, _ := authority(t, "Somebody else", now.Add(-time.Hour), now.Add(time.Hour))
	oldFile, oldCertificate := authority(t, "Last year", now.Add(-2*time.Hour), now.Add(-time.Hour))
	serve := func(certificate tls.Certificate, most uint16) *httptest.Server {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(wire.EncodeAgent(ada)) }))
		server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS10, MaxVersion: most}
		server.Config.ErrorLog = log.New(&bytes.Buffer{}, "", 0)
		server.StartTLS()
		t.Cleanup(server.Close)
		return server
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	good, old, weak := serve(certificate, 0), serve(oldCertificate, 0), serve(certificate, tls.VersionTLS11)
	away, untrusted := sip.SwitchboardChanged{Problem: sip.SwitchboardAway}, sip.SwitchboardChanged{Problem: sip.SwitchboardUntrusted}
	for _, test := range []struct {
		name, url, ca string
		want          sip.Event
		log           []string
	}{
		{"another authority", good.URL, other, untrusted, []string{"not trusted", "Kreis Wesel CA", other, "Somebody else"}},
		{"the system's authorities", good.URL, "", untrusted, []string{"Kreis Wesel CA", "the system's authorities"}},
		{"a certificate that has expired", old.URL, oldFile, untrusted, []string{"expired"}},
		{"another name", strings.Replace(good.URL, "127.0.0.1", "localhost", 1), ours, untrusted, []string{"localhost"}},
		{"no TLS", strings.Replace(plain.URL, "http", "https", 1), ours, away, []string{"speaks no TLS"}},
		{"TLS 1.1", weak.URL, ours, away, []string{"protocol version"}},
		{"ours", good.URL, ours, sip.SwitchboardChanged{Up: true}, []string{"answers"}},
	} {
		t.Run(strings.ReplaceAll(test.name, " ", "_"), func(t *testing.T) {
			got, said := first(t, Config{URL: test.url, CAFile: test.ca})
			if got != test.want {
				t.Errorf("got %+v; log: %s", got, said)
			}
			for _, word := range test.log {
				if !strings.Contains(said, word) {
					t.Errorf("the log does not say %q: %s", word, said)
				}
			}
		})
	}
}

func TestACAFileWithoutCertificatesIsRefused(t *testing.T) {
	for name, data := range map[string]string{
		"empty": "", "a key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "broken": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	} {
		path := filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(Config{URL: "https://host", CAFile: path, Device: "201", Secret: "x"}); err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "%!") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzEntry(f *testing.F) {
	f.Add(entry{Outcomes, outcome(1).ID, wire.EncodeOutcome(outcome(1))}.encode())
	f.Add([]byte(`{"kind":"messages","id":"../agent","body":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if e, err := decodeEntry(data); err == nil && (!wire.ValidID(e.ID) || e.Kind != Outcomes && e.Kind != Messages) {
			t.Errorf("taken: %q", data)
		}
	})
}
