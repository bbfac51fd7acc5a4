package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"freizeichen/firmware"
	"freizeichen/firmware/knowledge"
	"freizeichen/sip/exchange"
	"freizeichen/sip/exchange/citizen"
	"freizeichen/sip/exchange/plan"
)

// The exchange and the example know nothing of each other; here they must fit: who calls, finds a card and an office.
func TestTheExampleOfKnowledgeFitsTheBuiltInExchange(t *testing.T) {
	k, err := knowledge.Parse("example.yaml", knowledge.Example(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, subject := range citizen.Topics() {
		if !slices.ContainsFunc(k.Topics, func(topic firmware.Topic) bool {
			return slices.ContainsFunc(append(topic.Match, topic.Name), func(text string) bool { return strings.EqualFold(text, subject) })
		}) {
			t.Errorf("no topic matches %q", subject)
		}
	}
	config := exchange.Default()
	for _, queue := range config.Queues {
		for _, number := range queue.Numbers {
			if !slices.ContainsFunc(k.Tenants, func(tenant firmware.Tenant) bool {
				return tenant.Name == queue.Name && slices.ContainsFunc(tenant.Lines, func(l firmware.Line) bool { return l.Number == number })
			}) {
				t.Errorf("%s is no line of %s", number, queue.Name)
			}
		}
	}
	for _, office := range k.Offices {
		if d := plan.Municipal().Find(office.Number); d == nil || d.Name != office.Name {
			t.Errorf("%s of %s leads to %+v", office.Number, office.Name, d)
		}
	}
}
