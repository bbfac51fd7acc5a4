package screen

import (
	"slices"

	"freizeichen/device/phone"
	"freizeichen/hal"
)

// lines is the View line by line, in the order the panel is read.
func (w wording) lines(rows, menuRows int) []string {
	lines := append(make([]string, 0, 12), w.statusLine())
	if part := w.part(); part != partNone {
		lines = w.deskLines(lines, part, menuRows)
	} else {
		lines = w.phoneLines(lines, rows)
	}
	if w.view.Desk.On {
		lines = append(lines, w.says().Note())
	}
	if w.view.Status.Volume != nil {
		v := w.volume()
		lines = append(lines, join(" ", v.name, v.value))
	}
	lines = append(lines, w.softLine())
	return slices.DeleteFunc(lines, func(line string) bool { return line == "" })
}

// phoneLines reads the screens of a phone without a desk.
func (w wording) phoneLines(lines []string, rows int) []string {
	switch s := w.view.Screen.(type) {
	case phone.Dialling:
		_, title := w.dialling(s)
		lines = append(lines, join(": ", title, clean(s.Number)))
	case phone.Calls:
		lines = w.callLines(lines, s)
	case phone.Ended:
		t := w.ended(s)
		lines = append(lines, join(", ", t.cause, t.status), join(", ", t.party.title, t.party.number))
		if t.duration != "" {
			lines = append(lines, t.duration)
		}
		if t.waits != "" {
			lines = append(lines, join(" ", t.waits, t.waiting.title))
		}
	case phone.List:
		lines = w.listLines(lines, s, rows)
	case phone.Test:
		lines = w.testLines(lines, s)
	default:
		lines = w.idleLines(lines)
	}
	return lines
}

func (w wording) statusLine() string {
	s := &w.view.Status
	_, registration := w.registration()
	line := join(", ", clean(s.Name), registration, w.agentStatus(), w.clock(), w.missed(), w.faults())
	if s.Muted {
		line += ", " + w.word(wordMuted)
	}
	if s.Route != hal.Silent {
		line += ", " + w.route()
	}
	return line
}

func (w wording) route() string { return w.routes[min(w.view.Status.Route, hal.Speaker)] }

func (w wording) idleLines(lines []string) []string {
	t := w.unregistered()
	if t.headline == "" {
		return append(lines, w.dateText())
	}
	lines = append(lines, t.headline)
	if t.cause != "" {
		lines = append(lines, t.cause+".")
	}
	if t.retry != "" {
		lines = append(lines, t.retry+".")
	}
	return lines
}

func (w wording) callLines(lines []string, calls phone.Calls) []string {
	for i := range calls.Calls {
		t := w.call(calls, i)
		line := join(", ", t.state, t.muted, t.time)
		if len(calls.Calls) > 1 {
			line = w.word(wordLine, t.line) + ": " + line
			if t.selected {
				line = w.word(wordSelected) + ", " + line
			}
		}
		lines = append(lines, line)
		if t.called != "" {
			lines = append(lines, join(", ", w.word(wordCallFor)+" "+t.called, t.calledNumber))
		}
		if t.topic != "" {
			lines = append(lines, w.word(wordTopic)+": "+t.topic)
		}
		lines = append(lines, join(", ", t.party.title, t.party.number))
	}
	return lines
}

// listLines reads what the panel shows of a list, and which entry is selected.
func (w wording) listLines(lines []string, list phone.List, rows int) []string {
	words, position := w.list(list)
	lines = append(lines, join(", ", words.title, position))
	if len(list.Entries) == 0 {
		return append(lines, words.empty)
	}
	from, to := window(len(list.Entries), selected(list.Selected, len(list.Entries)), rows)
	for i := from; i < to; i++ {
		t := w.entry(list, i)
		line := join(", ", t.party.title, t.party.number, t.when, t.detail)
		if t.selected {
			line = w.word(wordSelected) + ": " + line
		}
		lines = append(lines, line)
	}
	return lines
}

func (w wording) softLine() string {
	line := ""
	for _, soft := range w.view.Soft {
		line = join(dot, line, w.soft(soft).Full)
	}
	if line == "" {
		return ""
	}
	return w.word(wordKeys) + ": " + line
}
