package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"time"

	"freizeichen/cmd/centre"
	"freizeichen/firmware/switchboard"
	"freizeichen/sip/ami"
	"freizeichen/sip/presence/publisher"
)

// serve is the switchboard's life.
func (c *command) serve(ctx context.Context) error {
	settings, err := switchboard.Load(c.file)
	if err != nil {
		return err
	}
	log := c.logger()
	pair, doubt, err := readCertificate(settings.HTTPS.Certificate, settings.HTTPS.Key, time.Now())
	if err != nil {
		return err
	}
	for _, doubt := range append(c.exposed(settings), doubt) {
		if doubt != "" {
			log.Warn(doubt)
		}
	}
	asterisk, err := openAsterisk(settings, log)
	if err != nil {
		return err
	}
	news, err := openNews(settings, asterisk, log)
	if err != nil {
		return err
	}
	site, err := centre.OpenSite(ctx, centre.SiteConfig{Settings: settings, PBX: asterisk, News: news, Certificate: pair, Log: log})
	if err != nil {
		return err
	}
	if names, err := site.Book().Supervisors(ctx); err == nil && len(names) == 0 {
		log.Warn("nobody can log in to the supervisor's page: switchboard supervisors add NAME")
	}
	log.Info("switchboard", "version", version, "https", site.Address().String(), "asterisk", settings.Asterisk.Address, "queues", len(settings.Queues))
	return site.Run(ctx)
}

func openAsterisk(settings switchboard.Config, log *slog.Logger) (*centre.Asterisk, error) {
	a := settings.Asterisk
	config := ami.Config{
		Address: a.Address, User: a.User, Secret: a.Secret.Reveal(), Presence: settings.Presence.By == switchboard.ByAsterisk, Log: log,
	}
	if a.TLS {
		config.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		if a.CA != "" {
			text, err := os.ReadFile(a.CA)
			if err != nil {
				return nil, fmt.Errorf("asterisk.ca: %w", err)
			}
			config.TLS.RootCAs = x509.NewCertPool()
			if !config.TLS.RootCAs.AppendCertsFromPEM(text) {
				return nil, fmt.Errorf("asterisk.ca: %s holds no certificate", a.CA)
			}
		}
	}
	return centre.NewAsterisk(config)
}

func openNews(settings switchboard.Config, asterisk *centre.Asterisk, log *slog.Logger) (centre.News, error) {
	p := settings.Presence
	if p.By == switchboard.ByAsterisk {
		return asterisk.News(), nil
	}
	open, err := publisher.Open(publisher.Config{
		Server: p.Server, Network: p.Network, Domain: p.Domain, User: p.User, Password: p.Password.Reveal(), UserAgent: "switchboard/" + version, Log: log,
	})
	if err != nil {
		return nil, fmt.Errorf("presence: %w", err)
	}
	return centre.Published{Publisher: open}, nil
}
