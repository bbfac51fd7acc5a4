// Package certificate makes the certificates of a switchboard for a site without an authority of its own, or for one
// process. It writes no file.
package certificate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// life is how long certificates for a site without an authority hold: shorter than the limit that browsers set.
const life = 397 * 24 * time.Hour

// Ends is when what New makes now is not valid any more.
func Ends(now time.Time) time.Time { return now.Add(life) }

// A Chain is an authority for one site and what it has signed, PEM. Its key is thrown away: it signs once.
type Chain struct {
	Authority []byte // for phones and browsers
	Server    []byte // the switchboard's
	Key       []byte // the switchboard's, secret
}

// New signs a certificate for host names and IP addresses, one at least.
func New(now time.Time, names ...string) (Chain, error) {
	fail := func(err error) (Chain, error) {
		return Chain{}, fmt.Errorf("certificate: making it: %w", err)
	}
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fail(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fail(err)
	}
	authority := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "switchboard authority " + now.Format(time.DateOnly)},
		NotBefore: now.Add(-time.Hour), NotAfter: Ends(now),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	server := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: names[0]}, NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			server.IPAddresses = append(server.IPAddresses, ip)
		} else {
			server.DNSNames = append(server.DNSNames, name)
		}
	}
	authorityDER, err := x509.CreateCertificate(rand.Reader, authority, authority, authorityKey.Public(), authorityKey)
	if err != nil {
		return fail(err)
	}
	serverDER, err := x509.CreateCertificate(rand.Reader, server, authority, key.Public(), authorityKey)
	if err != nil {
		return fail(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fail(err)
	}
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	return Chain{block("CERTIFICATE", authorityDER), block("CERTIFICATE", serverDER), block("PRIVATE KEY", keyDER)}, nil
}

// serial is 128 bits of chance (RFC 5280 section 4.1.2.2: unique for its authority, positive).
func serial() *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		panic("certificate: no chance: " + err.Error()) // crypto/rand never fails
	}
	return n.Add(n, big.NewInt(1))
}

// Pair is the switchboard's own certificate for TLS.
func (c Chain) Pair() (tls.Certificate, error) { return tls.X509KeyPair(c.Server, c.Key) }
