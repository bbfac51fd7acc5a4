package certificate

import (
	"crypto/x509"
	"testing"
	"time"
)

func TestTheAuthorityVouchesForTheNamesAndForNoOther(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	c, err := New(now, "switchboard.example", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := c.Pair()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(c.Authority) {
		t.Fatal("the authority is no certificate")
	}
	for name, good := range map[string]bool{"switchboard.example": true, "127.0.0.1": true, "other.example": false, "127.0.0.2": false} {
		_, err := leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: name, CurrentTime: now})
		if (err == nil) != good {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: pool, CurrentTime: now.Add(398 * 24 * time.Hour)}); err == nil {
		t.Error("it never ends")
	}
	other, err := New(now, "switchboard.example")
	if err != nil || string(other.Key) == string(c.Key) {
		t.Errorf("two sites share a key: %v", err)
	}
}
