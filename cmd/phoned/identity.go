//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"freizeichen/hal/board"
	"freizeichen/hal/board/bus"
	"freizeichen/hal/eeprom"
)

// identityOptions are those of a run that only writes an identity.
func identityOptions(name, text string) (options, error) {
	if name == "" {
		return options{}, errors.New("-write-identity needs the -board")
	}
	table, err := board.Load(name)
	if err != nil {
		return options{}, fmt.Errorf("-board: %w", err)
	}
	id, err := parseIdentity(text, table.Model, time.Now())
	if err != nil {
		return options{}, fmt.Errorf("-write-identity: %w", err)
	}
	return options{board: table, identity: &id}, nil
}

// parseIdentity reads what a factory writes into a phone: "SERIAL,REVISION,MAC". The model is the board's.
func parseIdentity(text, model string, today time.Time) (eeprom.Identity, error) {
	fields := strings.Split(text, ",")
	if len(fields) != 3 {
		return eeprom.Identity{}, fmt.Errorf("%q is not SERIAL,REVISION,MAC, for example FZ-0001,A1,02:00:5e:10:00:01", text)
	}
	mac, err := net.ParseMAC(fields[2])
	if err != nil || len(mac) != 6 {
		return eeprom.Identity{}, fmt.Errorf("%q is not a MAC address such as 02:00:5e:10:00:01", fields[2])
	}
	id := eeprom.Identity{Serial: fields[0], Revision: fields[1], Model: model, MAC: [6]byte(mac), Produced: today}
	if _, err := id.Marshal(); err != nil {
		return eeprom.Identity{}, err
	}
	return id, nil
}

// writeIdentity writes it into the EEPROM of a board and says what stands there now.
func writeIdentity(table board.Table, id eeprom.Identity, stdout io.Writer) error {
	if table.Identity.Place == "" {
		return fmt.Errorf("the board %s has no EEPROM (identity:)", table.Model)
	}
	wire := bus.New(table.Identity.Bus)
	defer wire.Close()
	chip := eeprom.Chip{Bus: wire, Addr: table.Identity.Address, Kind: table.Identity.Kind}
	if err := chip.Write(id); err != nil {
		return err
	}
	now, err := chip.Read()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, now)
	return err
}
