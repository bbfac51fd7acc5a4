package citizen

import (
	"strconv"
	"testing"

	"freizeichen/sip"
)

func TestTheLastHundredCallersAreRemembered(t *testing.T) {
	var c Callers
	c.Remember(Citizen{Voice: 1})
	if c.Find("") != nil {
		t.Error("a withheld number can be called")
	}
	for i := range callersMax + 1 {
		c.Remember(Citizen{Party: sip.Party{Number: strconv.Itoa(i)}, Voice: uint64(i)})
	}
	if c.Find("0") != nil {
		t.Error("the oldest is not forgotten")
	}
	c.Remember(Citizen{Party: sip.Party{Name: "Ada", Number: "1"}, Voice: 7})
	if got := c.Find("1"); got == nil || got.Party.Name != "Ada" || got.Voice != 7 {
		t.Errorf("who calls again is %+v", got)
	}
	if c.Find("2") == nil {
		t.Error("who calls again pushes somebody out")
	}
}
