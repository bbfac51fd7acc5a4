//go:build linux

package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// unit is a file of systemd: the values of each key, in order.
func unit(t *testing.T, name string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("systemd", name))
	if err != nil {
		t.Fatal(err)
	}
	values := map[string][]string{}
	section := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		key, value, pair := strings.Cut(line, "=")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]"):
			section = strings.Trim(line, "[]")
		case !pair || section == "":
			t.Errorf("%s: %q is neither a section nor a value", name, line)
		default:
			values[section+"."+key] = append(values[section+"."+key], value)
		}
	}
	return values
}

func TestTheServiceRunsThePhoneAsItIs(t *testing.T) {
	u := unit(t, "phoned.service")
	for key, want := range map[string]string{
		"Service.Type": "notify", "Service.NotifyAccess": "main", "Service.Restart": "always", "Service.User": "phone", "Service.Group": "phone",
		"Service.StateDirectory": "phoned", "Service.RuntimeDirectory": "phoned", "Service.NoNewPrivileges": "yes", "Service.ProtectSystem": "strict",
		"Unit.StartLimitIntervalSec": "0", "Install.WantedBy": "multi-user.target",
	} {
		if got := strings.Join(u[key], " | "); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	groups := strings.Fields(strings.Join(u["Service.SupplementaryGroups"], " "))
	for _, group := range []string{"audio", "gpio", "i2c", "spi", "input", "dialout", "video"} {
		if !slices.Contains(groups, group) {
			t.Errorf("the phone is not in the group %s", group)
		}
	}
	limit, err := time.ParseDuration(strings.Join(u["Service.WatchdogSec"], "") + "s")
	if err != nil || limit < 5*time.Second || limit > time.Minute {
		t.Errorf("the watchdog waits %v, %v", limit, err)
	}
	stop, err := time.ParseDuration(strings.Join(u["Service.TimeoutStopSec"], "") + "s")
	if err != nil || stop < 5*time.Second { // farewell to the exchange, and panels and lamps that hang
		t.Errorf("it is killed after %v, %v", stop, err)
	}
	command := strings.Fields(strings.Join(u["Service.ExecStart"], ""))
	folder := files(t, map[string]string{"phone.yaml": account})
	for i, word := range command {
		command[i] = strings.NewReplacer("${BOARD}", "cm4", "/etc/phoned", folder).Replace(word)
	}
	o, err := parseOptions(command[1:], io.Discard)
	if err != nil || command[0] != "/usr/bin/phoned" {
		t.Fatalf("%q: %v", command, err)
	}
	if o.socket != "/run/"+u["Service.RuntimeDirectory"][0]+"/phone.sock" || o.data != "/var/lib/"+u["Service.StateDirectory"][0] {
		t.Errorf("socket %s and data %s are in folders that the service does not have", o.socket, o.data)
	}
}

func TestTheGroupsOfTheServiceExistAndOwnTheParts(t *testing.T) {
	people, err := os.ReadFile("systemd/phone.sysusers")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := os.ReadFile("systemd/60-phone.rules")
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range strings.Fields(strings.Join(unit(t, "phoned.service")["Service.SupplementaryGroups"], " ")) {
		if !strings.Contains(string(people), "\nm phone "+group+"\n") {
			t.Errorf("the user is not made a member of %s", group)
		}
	}
	for _, group := range []string{"gpio", "i2c", "spi", "input"} { // of the others every distribution takes care
		if !strings.Contains(string(rules), `GROUP="`+group+`"`) {
			t.Errorf("no device is given to the group %s", group)
		}
	}
	if !strings.Contains(string(people), "\nu phone ") {
		t.Error("there is no user phone")
	}
}
