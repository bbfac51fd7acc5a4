package screen

import "freizeichen/device/phone"

// deskLines reads what the desk shows of the screen.
func (w wording) deskLines(lines []string, part part, menuRows int) []string {
	switch part {
	case partIdle:
		return w.deskIdleLines(lines)
	case partIncoming:
		return w.citizenLines(lines)
	case partCard:
		return w.cardTextLines(lines)
	case partPrompt:
		t := w.says().Prompt()
		return append(lines, join(": ", join(", ", t.Title, t.For), t.Spoken), t.Tries)
	case partMenu:
		return w.menuLines(lines, menuRows)
	}
	return w.afterLines(lines)
}

// agentStatus is what the status line says of the agent; the idle screen says more of it itself.
func (w wording) agentStatus() string {
	if !w.view.Desk.On {
		return ""
	}
	t := w.says().Agent()
	if w.part() == partIdle {
		return join(", ", t.Number, w.says().Unsent())
	}
	return join(", ", t.Number, t.Title, t.Warning, w.says().Unsent())
}

func (w wording) deskIdleLines(lines []string) []string {
	d := w.says()
	t := d.Agent()
	lines = append(lines, join(" ", t.Title, t.Since))
	if t.Warning != "" {
		lines = append(lines, t.Warning)
	}
	for _, closing := range d.Closing() {
		lines = append(lines, closing.Full)
	}
	if len(d.View.Queues) == 0 {
		return append(lines, w.noQueue(), w.dateText())
	}
	for i := range d.View.Queues { // in the order in which the panel shows them
		i = (i + selected(d.View.Queue, len(d.View.Queues))) % len(d.View.Queues)
		lines = append(lines, d.Queue(i).Line())
	}
	return append(lines, d.Day())
}

func (w wording) citizenLines(lines []string) []string {
	calls := w.view.Screen.(phone.Calls)
	t, c := w.call(calls, 0), w.citizen(calls.Calls[0].ID)
	waited := c.Waited
	if waited == "" {
		waited = t.time
	}
	lines = append(lines, t.state, join(", ", w.word(wordCallFor)+" "+c.Tenant, c.Line), c.Spoken)
	if t.topic != "" {
		lines = append(lines, w.word(wordTopic)+": "+t.topic)
	}
	return append(lines, join(", ", t.party.title, t.party.number), waited)
}

func (w wording) cardTextLines(lines []string) []string {
	t := w.call(w.view.Screen.(phone.Calls), 0)
	card := w.says().Card()
	lines = append(lines, join(", ", t.state, t.muted, t.time), join(", ", t.party.title, t.party.number),
		join(", ", card.Topic, card.Tenant, card.Source, card.Age, card.Example, card.Position))
	for _, line := range w.cardLines() {
		lines = append(lines, line.Spoken)
	}
	return lines
}

func (w wording) menuLines(lines []string, rows int) []string {
	d := w.says()
	t := d.Menu()
	lines = append(lines, join(", ", t.Title, t.Position), t.Empty)
	from, to := window(len(d.View.Menu.Choices), t.Selected, rows)
	if t.Reading {
		from, to = t.Selected, min(t.Selected+1, to)
	}
	for i := from; i < to; i++ {
		c := d.Choice(i)
		line := c.Line()
		if c.Selected && !t.Reading {
			line = w.word(wordSelected) + ": " + line
		}
		lines = append(lines, line)
	}
	return lines
}

func (w wording) afterLines(lines []string) []string {
	d := w.says()
	t := d.After()
	lines = append(lines, join(", ", t.Title, t.Tenant), join(", ", t.Rest, t.Extends, t.Menu), t.TopicLine, t.ResultLine)
	for i := range d.View.After.Choices {
		lines = append(lines, d.Favourite(i).Line())
	}
	return lines
}
