package screen

import (
	"image"
	"strings"

	"freizeichen/device/callcentre"
	"freizeichen/device/phone"
	"freizeichen/device/screen/desk"
	"freizeichen/device/screen/font"
)

// monoLine is the pitch of lines in the small face: five of them fill the screen.
const monoLine = 8

// desk draws what the agent's desk has of the 128x64 panel.
func (m mono) desk(part part) {
	switch part {
	case partIdle:
		m.deskIdle()
	case partIncoming:
		m.citizenRings(m.view.Screen.(phone.Calls))
	case partCard:
		m.card(m.view.Screen.(phone.Calls))
	case partPrompt:
		m.prompt()
	case partMenu:
		m.menu()
	default:
		m.after()
	}
}

// statusAgent writes the account and what the agent does into the status line between x0 and x1. The state's icon always
// has room, and its word but for a call with everything at once; the account, what is unsent and the agent's number only where it is left.
func (m mono) statusAgent(x0, x1 int) {
	const face = font.Face5x8
	t := m.says().Agent()
	room := x1 - x0 - iconSize - 2 - face.Width(t.Short)
	if number, meaning := m.unsent(); number != "" && face.Width(number)+iconSize+4 <= room {
		x := m.right(face, x1, 0, number, meaning, lit) - iconSize - 1
		m.icon(iconUnsent, x, 0, 1, "", lit)
		room -= x1 - x + 3
	}
	if account := clean(m.view.Status.Name); face.Width(account)+5 <= room {
		end := m.text(face, x0, 0, account, account, lit) + 4
		x0, room = end, room-(end-x0)
	}
	m.icon(agentIcon(t.State), x0, 0, 1, t.Title, lit)
	x0 += iconSize + 2
	if number := clean(m.view.Desk.Agent.Number); number != "" && face.Width(number)+3 <= room {
		x0 = m.text(face, x0, 0, number, t.Number, lit) + 2
	}
	if face.Width(t.Short) <= x1-x0 {
		m.text(face, x0, 0, t.Short, t.Title, lit)
	}
}

// deskIdle shows the agent's state, one queue, and what must not be overlooked.
func (m mono) deskIdle() {
	const face = font.Face5x8
	d := m.says()
	t := d.Agent()
	m.fill(0, monoBody, monoWidth, monoBody+9, lit)
	x := monoWidth - 1
	if since := since(t, face, monoWidth-6); since != "" {
		x = m.right(face, x, monoBody+1, since, since, dark) - 4
	}
	m.name(face, 1, x, monoBody+1, t.Title, dark)

	alerts := m.alerts()
	bottom := monoBodyEnd
	for i := min(2, len(alerts)) - 1; i >= 0; i-- {
		bottom -= monoLine
		m.icon(iconNotice, 0, bottom, 1, "", lit)
		m.text(face, iconSize+2, bottom, face.Cut(alerts[i].brief, monoWidth-iconSize-2), alerts[i].full, lit)
	}
	n := len(d.View.Queues)
	if n == 0 {
		m.noQueues(bottom)
		return
	}
	at, x1 := selected(d.View.Queue, n), monoWidth
	if n > 1 {
		x1 -= 4
		m.scrollBar(monoWidth-2, monoBody+11, bottom, at, n, lit)
	}
	m.queue(d.Queue(at), x1, bottom-monoBody-10)
}

// noQueues shows the clock where queues would be.
func (m mono) noQueues(bottom int) {
	date := m.dateText()
	if none := m.noQueue(); none != "" || bottom < monoBodyEnd {
		m.centre(font.Face6x12, 0, monoWidth, monoBody+10, date, date, lit)
		m.centre(font.Face5x8, 0, monoWidth, monoBody+23, none, none, lit)
		return
	}
	m.centre(font.Face12x24, 0, monoWidth, monoBody+9, m.clock(), m.clock(), lit)
	m.centre(font.Face5x8, 0, monoWidth, monoBody+33, date, date, lit)
}

// queue shows one queue in height rows; its service level needs all of them.
func (m mono) queue(q desk.QueueText, x1, height int) {
	const face, y = font.Face5x8, monoBody + 10
	title := x1
	if q.Position != "" {
		title = m.right(face, x1, y, q.Position, q.Position, lit) - 4
	}
	m.name(face, 1, title, y, q.Title, lit)
	if other := join("", q.NoData, q.Coarse); other != "" {
		left := 1
		if q.NoData != "" {
			m.icon(iconNoData, 1, y+monoLine+3, 1, "", lit)
			left += iconSize + 3
		}
		large, rows := font.Face6x12, (height-monoLine)/12
		if large.Width(other) > (x1-left)*rows-12 || rows == 0 {
			large, rows = face, (height-monoLine)/monoLine
		}
		for i, line := range large.Lines(other, x1-left, rows) {
			m.text(large, left, y+monoLine+1+large.Height()*i, line, other, lit)
		}
		return
	}
	waiting := strings.TrimPrefix(q.Waiting, q.Count+" ")
	if height < 4*monoLine {
		figures := join(dot, q.Waiting, q.Oldest, q.Free)
		if large := font.Face6x12; height >= 3*monoLine && large.Width(figures) < x1 {
			m.text(large, 1, y+monoLine+1, figures, figures, lit)
			return
		}
		m.name(face, 1, x1, y+monoLine, figures, lit)
		return
	}
	large, rows, formula := largest(q.Count, 14, font.Face12x24, font.Face8x16), 3, join(", ", q.Level.Formula, q.Level.Window)
	x, below := large.Width(q.Count)+8, large.Width(q.Count)+8
	if face.Width(formula) > x1-below { // it takes the whole row
		large, rows, below = font.Face8x16, 2, 1
		x = large.Width(q.Count) + 8
	}
	paint, end := lit, y+(rows+1)*monoLine
	if q.Urgent != "" {
		m.round(0, y+monoLine+1, x-2, end, 2, lit)
		m.canvas.note(q.Urgent, image.Rect(0, y+monoLine+1, x-2, end), dark)
		paint = dark
	}
	m.middle(large, 2, 60, (y+monoLine+end)/2, q.Count, true, paint)
	m.name(face, x, x1, y+monoLine, join(dot, waiting, q.Oldest, q.Free), lit)
	left := x
	if i := lightIcon(q.Level.Light); i != "" {
		m.icon(i, x, y+2*monoLine, 1, q.Level.Target, lit)
		left += iconSize + 2
	}
	level, meaning := q.Level.Figure, join(dot, q.Level.Figure, q.Level.Target)
	if q.Level.Percent != "" && q.Level.Formula != "" {
		level = join(" / ", q.Level.Figure, q.Level.Percent)
	}
	m.text(face, left, y+2*monoLine, face.Cut(level, x1-left), meaning, lit)
	m.name(face, below, x1, y+3*monoLine, formula, lit)
}

// citizenRings shows the municipality largest, then what to say, what the caller wants and who it is.
func (m mono) citizenRings(calls phone.Calls) {
	const face = font.Face5x8
	t, c := m.call(calls, 0), m.citizen(calls.Calls[0].ID)
	waited := c.WaitedOnly
	if waited == "" {
		waited = t.time
	}
	x1 := monoWidth - 2 - face.Width(waited)
	large := largest(c.Tenant, x1-15, font.Face8x16, font.Face6x12, face)
	height, rows := 14, []string{c.Tenant}
	if large.Width(c.Tenant) > x1-15 { // two rows, and the wait gives way before the name is cut
		height, rows = 17, face.Lines(c.Tenant, x1-15, 2)
		if len(face.Lines(c.Tenant, x1-15, 3)) > 2 {
			waited, rows = "", face.Lines(c.Tenant, monoWidth-15, 2)
		}
	}
	y := monoBody + height
	m.round(0, monoBody, monoWidth, y, 1, lit)
	m.icon(t.icon, 2, (monoBody+y-iconSize)/2, 1, t.state, dark)
	m.right(face, monoWidth-2, (monoBody+y-iconSize)/2+1, waited, waited, dark)
	for i, row := range rows {
		top, bottom := large.Ink()
		m.text(large, 13, (monoBody+y)/2-(top+bottom)/2+monoLine*i-(len(rows)-1)*monoLine/2, row, c.Tenant, dark)
	}
	greeting := face.Lines(c.Greeting, monoWidth-2, 2)
	y++
	pitch := min(monoLine+1, (monoBodyEnd-y)/3)
	for _, row := range greeting {
		m.text(face, 1, y, row, c.Greeting, lit)
		y += pitch
	}
	if len(greeting) < 2 && t.topic != "" {
		m.name(face, 1, monoWidth, y, t.topic, lit)
		m.pair(face, face, 1, monoWidth-1, y+pitch, t.party, lit)
		return
	}
	x := 1
	if t.topic != "" { // the topic may have two thirds
		topic := face.Cut(t.topic, 84)
		x = m.text(face, x, y, topic, t.topic, lit)
		x = m.text(face, x, y, dot, "", lit)
	}
	m.title(face, x, monoWidth, y, t.party, lit)
}

// card shows the call in one row and the card below it.
func (m mono) card(calls phone.Calls) {
	const face = font.Face5x8
	t := m.call(calls, 0)
	m.icon(t.icon, 1, monoBody, 1, t.state, lit)
	x := m.right(face, monoWidth-1, monoBody, t.time, t.time, lit) - 4
	m.title(face, iconSize+4, x, monoBody, t.party, lit)
	m.fill(0, monoBody+8, monoWidth, monoBody+9, lit)
	const y0, x1, rows = monoBody + 10, monoWidth - 4, 4
	head := 0
	if title := m.cardTitle(face, x1-10, rows-1); title != "" {
		m.name(face, 0, x1, y0-1, title, lit)
		head = 1
	}
	for i, row := range m.cardRows(face, x1-10, rows-head) {
		y := y0 + (head+i)*monoLine
		paint := lit
		if row.Kind == callcentre.NoticeLine {
			m.fill(9, y-1, x1, y+7, lit)
			paint = dark
		}
		if mark := lineIcon(row.Kind); mark != "" && row.first {
			m.icon(mark, 0, y-1, 1, row.Label, lit)
		}
		m.text(face, 10, y-1, row.text, row.Text, paint)
	}
	m.scrollBar(monoWidth-2, y0, monoBodyEnd, m.says().CardTop(), len(m.view.Desk.Card.Lines), lit)
}

// prompt shows what is being typed, and above it what it is.
func (m mono) prompt() {
	const face = font.Face5x8
	t := m.says().Prompt()
	x := monoWidth - 1
	if t.Tries != "" {
		x = m.right(face, x, monoBody, t.Tries, t.Tries, lit) - 4
	}
	title := join(dot, t.Title, t.For)
	if face.Width(title) > x-1 {
		title = t.Title
	}
	m.name(face, 1, x, monoBody, title, lit)
	m.fill(0, monoBody+8, monoWidth, monoBody+9, lit)
	const width = monoWidth - 6
	large, middle := largest(t.Typed, width, font.Face12x24, font.Face8x16), monoBody+25
	if m.says().Note() != "" { // it needs the lower part
		large, middle = font.Face8x16, monoBody+16
	}
	end := m.typed(large, 1, 1+width, middle, t, lit)
	m.fill(end+1, middle-5, end+3, middle+5, lit) // the cursor
}

// menu shows what is to be chosen, or one long text at a time.
func (m mono) menu() {
	const face = font.Face5x8
	d := m.says()
	t := d.Menu()
	n, x := len(d.View.Menu.Choices), monoWidth
	if t.Reading && n > 0 { // the text takes the title's row as well
		text := d.Choice(t.Selected).Text
		for i, row := range face.Lines(text, monoWidth-5, 5) {
			m.text(face, 1, monoBody+1+i*monoLine, row, text, lit)
		}
		m.scrollBar(monoWidth-2, monoBody, monoBodyEnd, t.Selected, n, lit)
		return
	}
	if n > monoMenuRows {
		x = m.right(face, monoWidth-1, monoBody, t.Position, t.Position, lit) - 4
	}
	m.name(face, 1, x, monoBody, t.Title, lit)
	m.fill(0, monoBody+8, monoWidth, monoBody+9, lit)
	const y0, x1 = monoBody + 10, monoWidth - 4
	if n == 0 {
		m.centre(font.Face6x12, 0, monoWidth, monoBody+20, t.Empty, t.Empty, lit)
		return
	}
	m.scrollBar(monoWidth-2, y0, monoBodyEnd, t.Selected, n, lit)
	from, to := window(n, t.Selected, monoMenuRows)
	for i := from; i < to; i++ {
		m.choice(font.Face6x12, d.Choice(i), 0, x1, y0+(i-from)*11, 11)
	}
}

// choice shows one choice between x0 and x1, the selected one in reverse.
func (m mono) choice(face font.Face, t desk.ChoiceText, x0, x1, y, height int) {
	paint := lit
	if t.Selected {
		m.fill(x0, y, x1, y+height, lit)
		paint = dark
	}
	top, bottom := face.Ink()
	y += (height - top - bottom) / 2
	m.text(face, x0+2, y, t.Key, t.Key, paint)
	if t.Mark != "" {
		x1 -= iconSize + 2
		m.icon(iconRegistered, x1, y+(top+bottom)/2-4, 1, t.Mark, paint)
	}
	m.name(face, x0+6+face.Width("0"), x1-1, y, t.Text, paint)
}

// after shows topic, result and the rest of the wrap-up above the favourite topics.
func (m mono) after() {
	const face = font.Face5x8
	d := m.says()
	t := d.After()
	x, title := monoWidth, t.Topic
	if d.View.After.Topic == "" {
		title = t.TopicLine
	}
	if t.Left != "" {
		x -= font.Face8x16.Width(t.Left) + 2
		m.middle(font.Face8x16, x, monoWidth, monoBody+7, t.Left, true, lit)
		m.name(face, 1, x-4, monoBody, title, lit)
		m.fill(0, monoBody+16, monoWidth*d.AfterShare()/1000, monoBody+18, lit)
	} else {
		late := m.right(face, x-1, monoBody, t.Title, t.Title, lit)
		m.name(face, 1, late-4, monoBody, title, lit)
		m.fill(0, monoBody+17, monoWidth, monoBody+18, lit)
	}
	result := t.ResultLine
	if face.Width(result) > x-5 {
		result = t.Result
	}
	m.text(face, 1, monoBody+monoLine, face.Cut(result, x-5), t.ResultLine, lit)
	from, to := m.favourites(3)
	for i := from; i < to; i++ {
		m.choice(face, d.Favourite(i), 0, monoWidth-4, monoBody+18+(i-from)*monoLine, monoLine)
	}
	if n := len(d.View.After.Choices); n > 3 {
		m.scrollBar(monoWidth-2, monoBody+19, monoBodyEnd, from, n-2, lit)
	}
}

// banner lays the note over the lower part of the screen, in reverse.
func (m mono) banner() {
	note, _ := m.message()
	if note == "" {
		return
	}
	const face, width = font.Face5x8, monoWidth - 8
	rows := face.Lines(note, width, 3)
	y := monoBodyEnd - monoLine*len(rows) - 3
	m.fill(0, y-1, monoWidth, monoBodyEnd, dark)
	m.round(0, y, monoWidth, monoBodyEnd, 1, lit)
	for i, row := range rows {
		m.centre(face, 4, monoWidth-4, y+2+monoLine*i, row, note, dark)
	}
}
