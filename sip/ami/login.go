package ami

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"freizeichen/sip/ami/message"
)

// greeting is in front of every AMI since Asterisk 1.0; behind it stands the version.
const greeting = "Asterisk Call Manager/"

// begin logs in on a new link, looks whether the user may do what is needed, and asks for all queues.
func (c *Client) begin(ctx context.Context, l *link) error {
	late := time.NewTimer(bannerMax)
	defer late.Stop()
	var banner string
	select {
	case banner = <-l.banner:
	case <-l.done:
		return ErrAway
	case <-late.C:
		return &failure{TimedOut, fmt.Errorf("%s: connected, but no greeting within %s: is that the port of manager.conf?", c.config.Address, bannerMax)}
	}
	if !strings.HasPrefix(banner, greeting) {
		return &failure{NotAMI, fmt.Errorf("%s is no Asterisk Manager Interface: its first line is %.40q", c.config.Address, banner)}
	}
	if err := c.login(ctx, l); err != nil {
		return err
	}
	if err := c.rights(ctx, l); err != nil {
		return err
	}
	c.config.Log.Info("logged in at Asterisk", "address", c.config.Address, "version", strings.TrimPrefix(banner, greeting))
	c.use(l)
	return queueStatus(ctx, l, &question{list: true})
}

func (c *Client) login(ctx context.Context, l *link) error {
	fields := message.Message{{Name: "Action", Value: "Login"}, {Name: "Username", Value: c.config.User}}
	m, err := l.do(ctx, message.Message{{Name: "Action", Value: "Challenge"}, {Name: "AuthType", Value: "MD5"}}, &question{})
	if err != nil {
		return silent("Challenge", err)
	}
	if challenge := m.Get("Challenge"); challenge != "" {
		key := md5.Sum([]byte(challenge + c.config.Secret))
		fields = append(fields, message.Field{Name: "AuthType", Value: "MD5"}, message.Field{Name: "Key", Value: hex.EncodeToString(key[:])})
	} else {
		fields = append(fields, message.Field{Name: "Secret", Value: c.config.Secret})
	}
	// All classes of one answered call are 85 kB, the class agent is 5 kB of them.
	fields = append(fields, message.Field{Name: "Events", Value: "agent"})
	m, err = l.do(ctx, fields, &question{opens: true})
	if err != nil {
		return silent("Login", err)
	}
	if _, result := m.Kind(); result != "Success" {
		return &failure{LoginRefused, fmt.Errorf("the PBX refused the login as %q (%s): see secret, permit and deny of section [%s] in manager.conf",
			c.config.User, m.Get("Message"), c.config.User)}
	}
	return nil
}

// rights looks at the list of actions that the user may use: better now than when the first agent signs in.
func (c *Client) rights(ctx context.Context, l *link) error {
	m, err := l.do(ctx, message.Message{{Name: "Action", Value: "ListCommands"}}, &question{})
	if err != nil {
		return silent("ListCommands", err)
	}
	if _, result := m.Kind(); result != "Success" {
		return nil // we shall see
	}
	if m.Get("QueueStatus") == "" {
		return &failure{NotReady, errors.New("the PBX knows no action QueueStatus: app_queue is not loaded, or not yet")}
	}
	needed, write := []string{"QueueAdd", "QueueRemove", "QueuePause"}, "agent"
	if c.config.Presence {
		needed, write = append(needed, "Setvar"), "agent,call"
	}
	for _, action := range needed {
		if m.Get(action) == "" {
			return &failure{RightsMissing, fmt.Errorf("%q may not use the action %s: section [%s] of manager.conf needs \"write = %s\"",
				c.config.User, action, c.config.User, write)}
		}
	}
	return nil
}

// silent is the failure of an action without which the link is of no use.
func silent(action string, err error) error {
	if errors.Is(err, ErrTimeout) {
		return &failure{TimedOut, fmt.Errorf("no answer to the action %s within %s", action, actionMax)}
	}
	return err
}
