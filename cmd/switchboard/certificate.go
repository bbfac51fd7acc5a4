package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"freizeichen/cmd/centre/certificate"
)

// certificateWarning is how long before its end a certificate is complained about.
const certificateWarning = 30 * 24 * time.Hour

// readCertificate reads the switchboard's own certificate. doubt is what phones will not like about it; empty: nothing.
func readCertificate(certificate, key string, now time.Time) (pair tls.Certificate, doubt string, err error) {
	if pair, err = tls.LoadX509KeyPair(certificate, key); err != nil {
		return pair, "", fmt.Errorf("https: %w (\"switchboard certificate\" makes both files for a site without an authority)", err)
	}
	return pair, doubtOf(pair.Leaf, now), nil
}

func doubtOf(c *x509.Certificate, now time.Time) string {
	switch day := c.NotAfter.Format(time.DateOnly); {
	case now.After(c.NotAfter):
		return "the switchboard's certificate has ended on " + day + ": phones and browsers refuse it; make a new one"
	case now.Before(c.NotBefore):
		return "the switchboard's certificate begins on " + c.NotBefore.Format(time.DateTime) + ": is the clock of this machine right?"
	case c.NotAfter.Sub(now) < certificateWarning:
		return "the switchboard's certificate ends on " + day + ": phones and browsers refuse it then; make a new one"
	case len(c.DNSNames)+len(c.IPAddresses) == 0:
		return "the switchboard's certificate names no host (subjectAltName): phones and browsers refuse it"
	}
	return ""
}

// certificate makes files for a site without an authority of its own.
func (c *command) certificate(args []string) error {
	flags := flag.NewFlagSet("certificate", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	folder := flags.String("out", ".", "")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return err
	} else if err != nil || flags.NArg() == 0 {
		return fmt.Errorf("%w: certificate needs the names or IP addresses by which phones and browsers call the switchboard", errUsage)
	}
	now := time.Now()
	chain, err := certificate.New(now, flags.Args()...)
	if err != nil {
		return err
	}
	if err := os.Mkdir(*folder, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	files := []struct {
		name string
		data []byte
		mode os.FileMode
	}{{"authority.crt", chain.Authority, 0o644}, {"switchboard.crt", chain.Server, 0o644}, {"switchboard.key", chain.Key, 0o600}}
	// Never over a file that is there, and all or none: a key that is lost cannot be brought back.
	for _, file := range files {
		if path := filepath.Join(*folder, file.name); exists(path) {
			return fmt.Errorf("%s exists; move it away, or choose another folder with -out; nothing was changed", path)
		}
	}
	for _, file := range files {
		out, err := os.OpenFile(filepath.Join(*folder, file.name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, file.mode)
		if err != nil {
			return err
		}
		_, err = out.Write(file.data)
		if err = errors.Join(err, out.Close()); err != nil {
			return err
		}
	}
	fmt.Fprintf(c.stdout, "authority.crt goes to the phones (call-centre.switchboard.ca) and browsers, switchboard.crt and switchboard.key stay here.\n"+
		"All end on %s. Give the phones the next authority.crt before, in one file with this one: they trust both.\n", certificate.Ends(now).Format(time.DateOnly))
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
