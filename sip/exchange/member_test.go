package exchange

import (
	"slices"
	"testing"
)

func TestWhoSignsInIsOfferedCallersUntilHePauses(t *testing.T) {
	var told []Member
	inTown(t, func(c *Config) {
		for i := range c.Queues {
			c.Queues[i].Agents = nil
		}
		c.ObserveMember = func(m Member) { told = append(told, m) }
	}, func(t *testing.T, b *bench) {
		p := b.agent("201", "192.0.2.1:5060")
		queue := b.Statistics()[0].Queue
		if b.Serve("Mars", "201", true) || b.Pause("201", true, "break") {
			t.Error("a queue or a member that does not exist")
		}
		b.Call(ada)
		b.wantEvents("joined")
		if !b.Serve(queue, "201", true) {
			t.Fatal("not taken")
		}
		p.respond(p.ring(), 486, nil)
		if !b.Pause("201", true, "break") {
			t.Error("no pause")
		}
		b.wantEvents("joined", "offered 201", "missed 201")
		if m := b.Members(); len(m) != 1 || !m[0].Paused || m[0].Reason != "break" {
			t.Errorf("%+v", m)
		}
		b.Pause("201", false, "")
		p.lift(p.ring())
		b.Serve(queue, "201", false)
		b.want("he was told of", func() bool { return len(b.Members()) == 0 })
	})
	if !slices.ContainsFunc(told, func(m Member) bool { return m.Paused }) || !slices.ContainsFunc(told, func(m Member) bool { return m.Talking }) || told[len(told)-1].Serves {
		t.Errorf("told %+v", told)
	}
}
