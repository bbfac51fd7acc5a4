package ami

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/sip/ami/amitest"
)

// identity is a certificate for a name, signed by itself, and who trusts it.
func identity(t *testing.T, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, pool
}

func TestTLSTrustsOnlyTheRightPBX(t *testing.T) {
	for name, test := range map[string]struct {
		certificate string // empty: no TLS there
		trusted     bool
		want, says  string
	}{
		"the right one":  {"pbx", true, listed, ""},
		"another name":   {"other", true, "Lost:untrusted", "certificate is valid for other, not pbx"},
		"unknown signer": {"pbx", false, "Lost:untrusted", "certificate signed by unknown authority"},
		"no TLS":         {"", true, "Lost:untrusted", "tlsenable, tlsbindaddr and tlscertfile in manager.conf"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := amitest.New("switchboard", secret, "alle", "zulassung")
				server.Add("alle", amitest.Member{Interface: "PJSIP/201", Name: "4711"})
				server.Join("alle", "1.1")
				certificate, pool := identity(t, test.certificate)
				if test.certificate != "" {
					server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
				}
				if !test.trusted {
					pool = x509.NewCertPool()
				}
				b := &bench{t: t, server: server, began: time.Now()}
				client, err := New(Config{Address: "pbx:5039", User: "switchboard", Secret: secret, TLS: &tls.Config{RootCAs: pool}, Observe: b.observe, Dial: server.Dial})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- client.Run(ctx) }()
				events := b.want(test.want)
				if lost, ok := events[len(events)-1].(Lost); ok && !strings.Contains(lost.Err.Error(), test.says) {
					t.Errorf("it says %v", lost.Err)
				}
				if test.want == listed {
					server.Freeze()
					time.Sleep(pingAfter + pongMax)
					b.want("Lost:timed-out") // a read that has timed out does not end TLS: the Ping was sent
				}
				cancel()
				<-done
				server.Close()
			})
		})
	}
}
