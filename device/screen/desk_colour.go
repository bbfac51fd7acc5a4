package screen

import (
	"freizeichen/device/callcentre"
	"freizeichen/device/phone"
	"freizeichen/device/screen/desk"
	"freizeichen/device/screen/font"
	"freizeichen/sip"
)

const (
	colourX0   = colourMargin
	colourX1   = colourWidth - colourMargin
	colourLine = 18 // pitch of lines of text
)

// desk draws what the agent's desk has of the 320x240 panel.
func (c colour) desk(part part) {
	switch part {
	case partIdle:
		c.deskIdle()
	case partIncoming:
		c.citizenRings(c.view.Screen.(phone.Calls))
	case partCard:
		c.card(c.view.Screen.(phone.Calls))
	case partPrompt:
		c.prompt()
	case partMenu:
		c.menu()
	default:
		c.after()
	}
}

// statusAgent writes the account and what the agent does into the status line between x0 and x1. The state always has
// room; the rest only where it is left.
func (c colour) statusAgent(x0, x1 int) {
	const face = font.Face8x16
	t := c.says().Agent()
	room := x1 - x0 - 2*iconSize - 4 - face.Width(t.Word)
	if number, meaning := c.unsent(); number != "" && face.Width(number)+2*iconSize+12 <= room {
		x := c.right(face, x1, 6, number, meaning, white) - 2*iconSize - 4
		c.icon(iconUnsent, x, 5, 2, "", white)
		room -= x1 - x + 8
	}
	if account := clean(c.view.Status.Name); face.Width(account)+12 <= room {
		end := c.text(face, x0, 6, account, account, white) + 11
		x0, room = end, room-(end-x0)
	}
	c.icon(agentIcon(t.State), x0, 5, 2, "", white)
	x0 += 2*iconSize + 4
	if number := clean(c.view.Desk.Agent.Number); number != "" && face.Width(number)+8 <= room {
		x0 = c.text(face, x0, 6, number, t.Number, white) + 7
	}
	c.text(face, x0, 6, t.Word, t.Title, white)
}

// agentPaint is the colour of what the agent does, and the ink that it carries.
func agentPaint(state sip.AgentState) (background, on uint8) {
	switch state {
	case sip.Ready:
		return green, white
	case sip.Paused:
		return amber, ink
	case sip.WrapUp:
		return blue, white
	}
	return slate, white
}

// deskIdle shows the agent's state, what must not be overlooked, and the queues.
func (c colour) deskIdle() {
	d := c.says()
	t := d.Agent()
	background, on := agentPaint(t.State)
	c.band(agentIcon(t.State), t.Title, since(t, font.Face8x16, colourX1-colourX0-26-8), background, on)
	y0, y1 := colourBody+colourBand, colourBodyEnd
	alerts := c.alerts()
	for _, alert := range alerts[:min(len(alerts), 3)] {
		c.fill(0, y0+1, colourWidth, y0+21, key)
		c.icon(iconNotice, colourX0, y0+3, 2, "", ink)
		face := largest(alert.full, colourX1-colourX0-26, font.Face8x16, font.Face6x12)
		top, bottom := face.Ink()
		c.name(face, colourX0+26, colourX1, y0+11-(top+bottom)/2, alert.full, ink)
		y0 += 21
	}
	if day := d.Day(); day != "" && y0 < colourBody+colourBand+42 {
		y1 -= 15
		c.name(font.Face6x12, colourX0, colourX1, y1+2, day, grey)
	}
	switch n := len(d.View.Queues); n {
	case 0:
		date, none := c.dateText(), c.noQueue()
		if none == "" {
			c.centre(font.Face32x64, 0, colourWidth, y0+6, c.clock(), c.clock(), ink)
		}
		c.centre(font.Face8x16, colourX0, colourX1, y0+40, none, none, ink)
		c.centre(font.Face12x24, colourX0, colourX1, y0+78, date, date, grey)
	case 1:
		c.oneQueue(d.Queue(0), y0)
	default:
		c.queues(y0, y1)
	}
}

// oneQueue shows the only queue with large figures.
func (c colour) oneQueue(q desk.QueueText, y int) {
	d := c.says()
	x1 := c.urgent(q, colourX1, y+5)
	c.name(font.Face8x16, colourX0, x1-8, y+6, q.Title, ink)
	if other := join("", q.NoData, q.Coarse); other != "" {
		if q.NoData != "" {
			c.icon(iconNoData, colourX0, y+44, 2, "", ink)
		}
		c.twoLines(font.Face12x24, colourX0+26, colourX1, y+40, 26, other, ink)
		return
	}
	waiting, longest, free := d.QueueHeads()
	oldest := q.Oldest
	if oldest == "" {
		oldest = "–"
	}
	const pitch = (colourX1 - colourX0) / 3
	for i, box := range []struct{ figure, head, meaning string }{{q.Count, waiting, q.Waiting}, {oldest, longest, q.Longest}, {q.FreeOnly, free, q.Free}} {
		x := colourX0 + i*pitch
		face := largest(box.figure, pitch-10, font.Face16x32, font.Face12x24)
		if box.meaning == "" { // nobody waits: there is no longest wait
			c.strong(face, x, y+28, box.figure, "", grey)
			continue
		}
		c.middle(face, x, x+pitch, y+44, box.figure, false, ink)
		c.text(font.Face6x12, x, y+62, box.head, box.meaning, grey)
	}
	c.fill(colourX0, y+78, colourX1, y+79, rule)
	if y > colourBody+colourBand+22 {
		c.level(q.Level, font.Face6x12, colourX0, y+82, false)
		return
	}
	c.level(q.Level, font.Face8x16, colourX0, y+84, true)
}

// level shows the service level with its formula, on two rows where there is room for the target's.
func (c colour) level(l desk.LevelText, face font.Face, x, y int, large bool) {
	scale := 1
	if large {
		scale = 2
	}
	left := x
	if i := lightIcon(l.Light); i != "" {
		c.icon(i, x, y+face.Height()/2-iconSize*scale/2, scale, "", ink)
		left += iconSize*scale + 4*scale
	}
	if !large {
		c.name(face, left, colourX1+3, y, join(dot, join(" ", l.Figure, l.Formula), l.Target), grey)
		return
	}
	c.name(face, left, colourX1, y, l.Full(), ink)
	c.name(face, left, colourX1, y+19, l.Target, grey)
}

// urgent marks a queue that presses, and returns where the mark begins.
func (c colour) urgent(q desk.QueueText, x1, y int) int {
	if q.Urgent == "" {
		return x1
	}
	width := font.Face8x16.Width(q.Urgent)
	c.round(x1-width-28, y-1, x1, y+18, 3, red)
	c.icon(iconNotice, x1-width-24, y, 2, "", white)
	c.text(font.Face8x16, x1-width-4, y+1, q.Urgent, q.Urgent, white)
	return x1 - width - 28
}

// queues shows a table of queues, beginning with the one that the View says.
func (c colour) queues(y0, y1 int) {
	const head, row, freeX, longX, waitX = 15, 30, colourX1 - 8, colourX1 - 48, colourX1 - 108
	d := c.says()
	n := len(d.View.Queues)
	waiting, longest, free := d.QueueHeads()
	for _, h := range []struct {
		x    int
		text string
	}{{freeX, free}, {longX, longest}, {waitX, waiting}} {
		c.right(font.Face6x12, h.x, y0+2, h.text, "", grey)
	}
	today := d.Today()
	c.text(font.Face6x12, colourX0, y0+2, today, "", grey)
	rows := (y1 - y0 - head) / row
	from := max(0, min(selected(d.View.Queue, n), n-rows))
	for i := from; i < min(n, from+rows); i++ {
		q, y := d.Queue(i), y0+head+(i-from)*row
		c.fill(colourX0, y, colourX1-6, y+1, rule)
		if q.NoData != "" || q.Coarse != "" {
			c.name(font.Face8x16, colourX0, colourX1-8, y+2, q.Title, ink)
			left := colourX0
			if q.NoData != "" {
				c.icon(iconNoData, colourX0, y+19, 1, "", ink)
				left += 12
			}
			c.name(font.Face6x12, left, colourX1-8, y+17, join("", q.NoData, q.Coarse), grey)
			continue
		}
		c.right(font.Face8x16, freeX, y+2, q.FreeOnly, q.Free, ink)
		c.right(font.Face8x16, longX, y+2, q.Oldest, q.Longest, ink)
		x := c.right(font.Face8x16, waitX, y+2, q.Count, q.Waiting, ink)
		if q.Urgent != "" {
			c.icon(iconNotice, waitX+3, y+1, 2, q.Urgent, red)
		}
		c.name(font.Face8x16, colourX0, x-8, y+2, q.Title, ink)
		c.level(q.Level, font.Face6x12, colourX0, y+17, false)
	}
	if n > rows {
		c.fill(colourWidth-6, y0+head, colourWidth-3, y1, rule)
		c.scrollBar(colourWidth-6, y0+head, y1, from, n-rows+1, ink)
	}
}

// citizenRings shows the municipality largest, then what to say, what the caller wants and who it is.
func (c colour) citizenRings(calls phone.Calls) {
	t, citizen := c.call(calls, 0), c.citizen(calls.Calls[0].ID)
	c.fill(0, colourBody, colourWidth, colourBody+62, blue)
	c.icon(t.icon, colourX0, colourBody+5, 2, t.state, white)
	waited := citizen.Waited
	if waited == "" {
		waited = t.time
	}
	x := c.right(font.Face8x16, colourX1, colourBody+6, waited, waited, white)
	title := citizen.Line // through 115 an agent may say less than through the municipality's own number
	if title == "" {
		title = c.word(wordCallFor)
	}
	c.name(font.Face8x16, colourX0+26, x-8, colourBody+6, title, white)
	face := largest(citizen.Tenant, colourX1-colourX0-1, font.Face16x32, font.Face12x24, font.Face8x16)
	rows := face.Lines(citizen.Tenant, colourX1-colourX0-1, 2)
	for i, row := range rows {
		top, bottom := face.Ink()
		c.strong(face, colourX0, colourBody+42-(top+bottom)/2+(2*i-len(rows)+1)*8, row, citizen.Tenant, white)
	}
	y := colourBody + 68
	lines := font.Face8x16.Lines(citizen.Greeting, colourX1-colourX0-10, 3)
	if len(lines) > 0 {
		c.fill(colourX0, y, colourX0+3, y+colourLine*len(lines)-2, blue)
	}
	for _, line := range lines {
		c.text(font.Face8x16, colourX0+10, y, line, citizen.Greeting, ink)
		y += colourLine
	}
	c.fill(colourX0, 180, colourX1, 181, rule)
	c.pair(font.Face8x16, font.Face8x16, colourX0, colourX1, 186, t.party, ink)
	if t.topic == "" {
		return
	}
	face, middle := font.Face12x24, (y+181)/2
	if face.Width(t.topic) > colourX1-colourX0-1 {
		face = font.Face8x16
	}
	rows = face.Lines(t.topic, colourX1-colourX0-1, min(2, (180-y)/colourLine))
	for i, row := range rows {
		top, bottom := face.Ink()
		c.strong(face, colourX0, middle-(top+bottom)/2+(2*i-len(rows)+1)*9, row, t.topic, ink)
	}
}

// card shows the call in a band and the card below it.
func (c colour) card(calls phone.Calls) {
	t, head := c.call(calls, 0), c.says().Card()
	background, on := t.mood.paint()
	c.fill(0, colourBody, colourWidth, colourBody+43, background)
	c.icon(t.icon, colourX0, colourBody+4, 2, join(", ", t.state, t.muted), on)
	x := c.right(font.Face8x16, colourX1, colourBody+5, t.time, t.time, on)
	c.title(font.Face8x16, colourX0+26, x-8, colourBody+5, t.party, on)
	x = colourX1
	for _, badge := range []string{head.Example, head.Source} {
		if badge == "" {
			continue
		}
		width := font.Face6x12.Width(badge)
		c.round(x-width-8, colourBody+25, x, colourBody+39, 2, on)
		c.text(font.Face6x12, x-width-4, colourBody+26, badge, badge, background)
		x -= width + 14
	}
	c.name(font.Face6x12, colourX0, x, colourBody+26, join(dot, head.Topic, head.Tenant), on)

	const y0, text, rows = colourBody + 47, colourX0 + 22, 7
	for i, row := range c.cardRows(font.Face8x16, colourX1-text, rows) {
		y := y0 + i*colourLine + 2
		if row.Kind == callcentre.NoticeLine {
			c.fill(0, y-1, colourWidth-10, y+colourLine-1, amber)
		}
		if mark := lineIcon(row.Kind); mark != "" && row.first {
			c.icon(mark, colourX0-4, y, 2, row.Label, ink)
		}
		c.text(font.Face8x16, text, y, row.text, row.Text, ink)
	}
	if n := len(c.view.Desk.Card.Lines); n > 1 {
		c.fill(colourWidth-6, y0, colourWidth-3, colourBodyEnd, rule)
		c.scrollBar(colourWidth-6, y0, colourBodyEnd, c.says().CardTop(), n, ink)
	}
}

// prompt shows what is being typed, and above it what it is.
func (c colour) prompt() {
	t := c.says().Prompt()
	c.band(iconSignedOut, join(dot, t.Title, t.For), t.Tries, slate, white)
	const width = colourX1 - colourX0 - 6
	face := largest(t.Typed, width, font.Face16x32, font.Face12x24, font.Face8x16)
	x := c.typed(face, colourX0, colourX0+width, 108, t, ink)
	c.fill(x+2, 96, x+4, 121, blue) // the cursor
	c.fill(colourX0, 132, colourX1, 133, rule)
}

// menu shows what is to be chosen, or one long text at a time.
func (c colour) menu() {
	d := c.says()
	t := d.Menu()
	c.band(iconMenu, t.Title, t.Position, slate, white)
	n := len(d.View.Menu.Choices)
	const y0, x1 = colourBody + colourBand, colourWidth - 10
	switch {
	case n == 0:
		c.centre(font.Face8x16, 0, colourWidth, 124, t.Empty, t.Empty, grey)
		return
	case t.Reading:
		text := d.Choice(t.Selected).Text
		for i, row := range font.Face8x16.Lines(text, colourX1-colourX0-4, 7) {
			c.text(font.Face8x16, colourX0, y0+8+i*colourLine, row, text, ink)
		}
	default:
		from, to := window(n, t.Selected, colourMenuRows)
		for i := from; i < to; i++ {
			c.choice(font.Face8x16, d.Choice(i), 4, x1, y0+(i-from)*24, 24)
		}
	}
	if n > colourMenuRows || t.Reading && n > 1 {
		c.fill(colourWidth-6, y0+3, colourWidth-3, colourBodyEnd, rule)
		c.scrollBar(colourWidth-6, y0+3, colourBodyEnd, t.Selected, n, ink)
	}
}

// choice shows one choice between x0 and x1 behind its digit, the selected one in reverse.
func (c colour) choice(face font.Face, t desk.ChoiceText, x0, x1, y, height int) {
	paper, paint, digit, digitInk := paper, ink, key, ink
	if t.Selected {
		paper, paint, digit, digitInk = slate, white, white, ink
		c.round(x0, y+1, x1, y+height, 3, paper)
	}
	top, bottom := face.Ink()
	text := y + (height-top-bottom+1)/2
	if t.Key != "" {
		c.round(x0+4, y+3, x0+20, y+height-2, 2, digit)
		c.centre(face, x0+4, x0+20, text, t.Key, t.Key, digitInk)
	}
	if t.Mark != "" {
		x1 -= 2*iconSize + 6
		c.icon(iconRegistered, x1, y+height/2-iconSize+1, 2, t.Mark, paint)
	}
	c.name(face, x0+26, x1-4, text, t.Text, paint)
}

// after shows the rest of the wrap-up, topic and result, and the favourite topics.
func (c colour) after() {
	d := c.says()
	t := d.After()
	c.fill(0, colourBody, colourWidth, colourBody+46, blue)
	c.icon(iconWrapUp, colourX0, colourBody+5, 2, "", white)
	x := colourX1
	if t.Left != "" {
		x -= font.Face16x32.Width(t.Left) + 1
		c.middle(font.Face16x32, x, colourX1+2, colourBody+22, t.Left, true, white)
		c.fill(0, colourBody+46, colourWidth, colourBody+52, rule)
		c.fill(0, colourBody+46, colourWidth*d.AfterShare()/1000, colourBody+52, ink)
	}
	c.name(font.Face8x16, colourX0+26, x-8, colourBody+6, join(dot, t.Title, t.Tenant), white)
	under := t.Extends
	if t.Left == "" {
		under = t.Rest
	}
	c.name(font.Face6x12, colourX0+26, x-8, colourBody+27, under, white)
	c.name(font.Face8x16, colourX0, colourX1, colourBody+56, t.TopicLine, ink)
	menu := c.right(font.Face6x12, colourX1, colourBody+76, t.Menu, t.Menu, grey)
	c.name(font.Face8x16, colourX0, menu-8, colourBody+74, t.ResultLine, ink)
	const rows, y0, middle, height = 4, colourBody + 96, colourWidth / 2, 21
	from, to := c.favourites(2 * rows)
	for i := from; i < to; i++ {
		x, y := 8, y0+(i-from)%rows*height
		if i-from >= rows {
			x = middle + 2
		}
		c.choice(font.Face6x12, d.Favourite(i), x, x+middle-12, y, height)
	}
}

// banner lays the note over the lower part of the screen.
func (c colour) banner() {
	note, good := c.message()
	if note == "" {
		return
	}
	const face, x0 = font.Face8x16, colourX0 + 24
	rows := face.Lines(note, colourX1-x0, 3)
	y := colourBodyEnd - colourLine*len(rows) - 12
	c.fill(0, y-2, colourWidth, colourBodyEnd+2, paper)
	c.round(4, y, colourWidth-4, colourBodyEnd, 4, ink)
	background, mark := amber, iconNotice
	if good {
		background, mark = selection, iconRegistered
	}
	c.round(6, y+2, colourWidth-6, colourBodyEnd-2, 3, background)
	c.icon(mark, colourX0, (y+colourBodyEnd)/2-iconSize, 2, "", ink)
	for i, row := range rows {
		c.text(face, x0, y+6+colourLine*i, row, note, ink)
	}
}
