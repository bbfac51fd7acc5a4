package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"freizeichen/firmware/knowledge"
	"freizeichen/firmware/switchboard"
)

// placeholder is what the reference has for secrets.
const placeholder = "change-me"

// check says what is wrong in the configuration, and in the files that it names, all of it. It opens no connection and
// changes nothing.
func (c *command) check() error {
	settings, err := switchboard.Load(c.file)
	if err != nil {
		return err
	}
	now := time.Now()
	_, doubt, err := readCertificate(settings.HTTPS.Certificate, settings.HTTPS.Key, now)
	errs := []error{err}
	if settings.Asterisk.Secret.Reveal() == placeholder {
		errs = append(errs, fmt.Errorf("asterisk.secret is %q still; manager.conf and this file need a secret of your own", placeholder))
	}
	if _, err := openAsterisk(settings, slog.New(slog.DiscardHandler)); err != nil {
		errs = append(errs, err)
	}
	if path := settings.Database.Reveal(); !strings.Contains(path, "://") {
		errs = append(errs, folder("database", filepath.Dir(path)))
	}
	errs = append(errs, folder("data", settings.Data))
	if settings.Knowledge != "" {
		if _, err := knowledge.Read(settings.Knowledge, now); err != nil {
			errs = append(errs, fmt.Errorf("knowledge: %w", err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, doubt := range append(c.exposed(settings), doubt) {
		if doubt != "" {
			fmt.Fprintln(c.stderr, "switchboard: warning:", doubt)
		}
	}
	fmt.Fprintf(c.stdout, "%s is in order\n", c.file)
	return nil
}

// folder must be there, or can be made.
func folder(key, path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if info, err = os.Stat(filepath.Dir(path)); err == nil && info.IsDir() {
			return nil
		}
	}
	if err == nil && !info.IsDir() {
		err = errors.New("it is no folder")
	}
	if err != nil {
		return fmt.Errorf("%s: the folder %s cannot be used: %w", key, path, err)
	}
	return nil
}

// exposed are files with secrets that everybody on this machine may read.
func (c *command) exposed(settings switchboard.Config) []string {
	var all []string
	for _, path := range []string{c.file, settings.HTTPS.Key} {
		if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o004 != 0 {
			all = append(all, path+" holds secrets, and everybody on this machine may read it: chmod o= "+path)
		}
	}
	return all
}
