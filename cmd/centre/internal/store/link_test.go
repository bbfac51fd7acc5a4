package store

import (
	"errors"
	"reflect"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"freizeichen/sip"
)

func wallboards(b bed) {
	s := b.open(Config{})
	ok(b, s.PutSupervisor(ctx, "leitung", "drei Tassen Tee"))
	link := Link{Hash: strings.Repeat("ab", 32), Label: "Flur", Owner: "leitung", Made: noon}
	ok(b, s.PutLink(ctx, link))
	if all := must[[]Link](b)(s.Links(ctx)); !reflect.DeepEqual(all, []Link{link}) {
		b.Errorf("got %+v", all)
	}
	if got, found, err := s.Link(ctx, link.Hash); got != link || !found || err != nil {
		b.Errorf("got %+v, %t, %v", got, found, err)
	}
	ok(b, s.RemoveLink(ctx, link.Hash))
	ok(b, s.RemoveLink(ctx, link.Hash))
	if _, found, err := s.Link(ctx, link.Hash); found || err != nil {
		b.Errorf("a revoked link opens: %t, %v", found, err)
	}
	ok(b, s.PutLink(ctx, link))
	must[bool](b)(s.RemoveSupervisor(ctx, "leitung"))
	if _, found, err := s.Link(ctx, link.Hash); !found || err != nil {
		b.Errorf("a screen goes dark with the supervisor who hung it: %t, %v", found, err)
	}
}

func callbacks(b bed) {
	s := b.open(Config{})
	m := sip.OfficeMessage{ID: strings.Repeat("1", 32), Callback: "03023125001", Name: "Ada", At: noon}
	if _, _, err := s.PutMessage(ctx, m, noon); err != nil {
		b.Fatal(err)
	}
	if number, name, found, err := s.Callback(ctx, m.ID); number != m.Callback || name != m.Name || !found || err != nil {
		b.Errorf("got %q %q %t %v", number, name, found, err)
	}
	must[bool](b)(s.FinishMessage(ctx, noon, m.ID))
	for _, id := range []string{m.ID, "none"} {
		if number, _, found, err := s.Callback(ctx, id); number != "" || found || err != nil {
			b.Errorf("%s: a number is told for a message that is done: %q %t %v", id, number, found, err)
		}
	}
}

func besides(b bed) {
	s := b.open(Config{})
	if _, err := Open(ctx, Config{URL: b.url, cost: bcrypt.MinCost}); !errors.Is(err, errLocked) {
		b.Errorf("a second switchboard: %v", err)
	}
	command := must[*Store](b)(Open(ctx, Config{URL: b.url, Beside: true, cost: bcrypt.MinCost}))
	ok(b, command.PutPhone(ctx, Phone{Device: "201"}, strings.Repeat("s", 32)))
	ok(b, command.Close())
	if known := must[bool](b)(s.CheckPhone(ctx, "201", strings.Repeat("s", 32))); !known {
		b.Error("a phone that was added while the switchboard runs is not known")
	}
}
