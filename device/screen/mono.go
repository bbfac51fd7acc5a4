package screen

import (
	"image/color"
	"strconv"

	"freizeichen/device/phone"
	"freizeichen/device/screen/font"
)

// The palette of a 128x64 panel and its two inks (hal.Display). It never changes.
var monoPalette = color.Palette{color.Gray{0}, color.Gray{255}}

const (
	dark uint8 = iota
	lit
)

// The layout of 128x64: a status line, 42 rows for the screen, four soft keys above their real keys.
//
//	 0 ......... 201 ........ x2  10:42
//	 8 ________________________________
//	10 the screen
//	53 [ soft ] [ soft ] [ soft ] [ soft ]
const (
	monoWidth     = 128
	monoBody      = 10 // first row of the screen
	monoBodyEnd   = 52 // row after its last one
	monoSoft      = 53
	monoSoftPitch = 32
	monoSoftWidth = 31
	monoListRows  = 2
	monoMenuRows  = 3
)

// mono draws on the 128x64 panel.
type mono struct {
	canvas
	wording
}

func (m mono) draw() {
	if t, ok := m.view.Screen.(phone.Test); ok && t.Pattern != phone.PatternNone {
		m.pattern(t.Pattern, dark, lit)
		return
	}
	m.status()
	if part := m.part(); part != partNone {
		m.desk(part)
	} else {
		m.phone()
	}
	m.banner()
	if m.view.Status.Volume != nil {
		m.volume()
	}
	m.softs()
}

// phone draws the screens of a phone without a desk.
func (m mono) phone() {
	switch s := m.view.Screen.(type) {
	case phone.Dialling:
		m.dialling(s)
	case phone.Calls:
		m.calls(s)
	case phone.Ended:
		m.ended(s)
	case phone.List:
		m.list(s)
	case phone.Test:
		m.test(s)
	default:
		m.idle()
	}
}

func (m mono) status() {
	s := &m.view.Status
	x := monoWidth - 1
	if !m.largeClock() {
		x = m.right(font.Face5x8, x, 0, m.clock(), m.clock(), lit) - 4
	}
	if missed := m.missed(); missed != "" {
		count := min(s.Missed, 99)
		x = m.right(font.Face5x8, x, 0, strconv.Itoa(count), missed, lit) - iconSize - 1
		m.icon(iconMissed, x, 0, 1, "", lit)
		x -= 4
	}
	if s.Muted {
		x -= iconSize
		m.icon(iconMuted, x, 0, 1, m.word(wordMuted), lit)
		x -= 4
	}
	if i := routeIcon(s.Route); i != "" {
		x -= iconSize
		m.icon(i, x, 0, 1, m.route(), lit)
		x -= 4
	}
	if faults := m.faults(); faults != "" {
		x -= iconSize
		m.icon(iconNotice, x, 0, 1, faults, lit)
		x -= 4
	}
	i, meaning := m.registration()
	m.icon(i, 0, 0, 1, meaning, lit)
	if m.view.Desk.On {
		m.statusAgent(iconSize+3, x)
	} else {
		m.name(font.Face5x8, iconSize+3, x, 0, clean(s.Name), lit)
	}
	m.fill(0, 8, monoWidth, 9, lit)
}

func (m mono) softs() {
	for i, soft := range m.view.Soft {
		label := m.soft(soft)
		if label.Short == "" {
			continue
		}
		x := i * monoSoftPitch
		m.round(x, monoSoft, x+monoSoftWidth, monoSoft+11, 1, lit)
		m.centre(font.Face5x8, x+1, x+monoSoftWidth-1, monoSoft+2, label.Short, label.Full, dark)
	}
}

// idle shows the clock, or why the phone cannot be called.
func (m mono) idle() {
	if t := m.unregistered(); t.headline != "" {
		m.bar(t.short, t.headline)
		m.centre(font.Face6x12, 0, monoWidth, monoBody+15, t.cause, t.cause, lit)
		m.centre(font.Face6x12, 0, monoWidth, monoBody+28, t.retry, t.retry, lit)
		return
	}
	date, missed := m.dateText(), m.missed()
	if missed == "" {
		m.centre(font.Face16x32, 0, monoWidth, monoBody-3, m.clock(), m.clock(), lit)
		m.centre(font.Face6x12, 0, monoWidth, monoBody+29, date, date, lit)
		return
	}
	m.centre(font.Face12x24, 0, monoWidth, monoBody-3, m.clock(), m.clock(), lit)
	m.centre(font.Face5x8, 0, monoWidth, monoBody+19, date, date, lit)
	m.round(8, monoBody+29, monoWidth-8, monoBody+41, 1, lit)
	m.centre(font.Face6x12, 10, monoWidth-10, monoBody+30, missed, missed, dark)
}

// bar writes a headline in reverse.
func (m mono) bar(text, meaning string) {
	m.round(0, monoBody, monoWidth, monoBody+13, 1, lit)
	m.centre(font.Face6x12, 2, monoWidth-2, monoBody+2, text, meaning, dark)
}

func (m mono) dialling(d phone.Dialling) {
	i, title := m.wording.dialling(d)
	m.icon(i, 1, monoBody+2, 1, "", lit)
	m.name(font.Face6x12, iconSize+5, monoWidth, monoBody+1, title, lit)
	number := clean(d.Number)
	const width = monoWidth - 6
	face := largest(number, width, font.Face12x24, font.Face8x16)
	x := m.middle(face, 1, 1+width, monoBody+28, number, true, lit)
	m.fill(x+1, monoBody+20, x+3, monoBody+36, lit) // the cursor
}

func (m mono) calls(calls phone.Calls) {
	n := len(calls.Calls)
	if n == 1 {
		if t := m.call(calls, 0); t.ringing {
			m.incoming(t)
		} else {
			m.oneCall(t)
		}
		return
	}
	from, to := window(n, selected(calls.Selected, n), 2)
	for i := from; i < to; i++ {
		m.callOfTwo(m.call(calls, i), monoBody+(i-from)*21)
	}
}

// incoming shows first which number was called, then what the caller wants, then who it is.
func (m mono) incoming(t callText) {
	headline, digits := t.headline()
	m.round(0, monoBody, monoWidth, monoBody+16, 1, lit)
	m.icon(t.icon, 2, monoBody+4, 1, t.state, dark)
	const x0 = 13
	x1 := m.right(font.Face5x8, monoWidth-3, monoBody+4, t.time, t.time, dark) - 3
	face := largest(headline, x1-x0, font.Face8x16, font.Face6x12)
	m.middle(face, x0, x1, monoBody+8, headline, digits, dark)

	topic := t.topic
	if topic == "" {
		topic = t.state
	}
	m.name(font.Face6x12, 1, monoWidth, monoBody+18, topic, lit)
	if t.called == "" { // the party is the headline
		m.number(font.Face6x12, 1, monoWidth, monoBody+30, t.party.number, lit)
		return
	}
	m.pair(font.Face6x12, font.Face5x8, 1, monoWidth-1, monoBody+30, t.party, lit)
}

func (m mono) oneCall(t callText) {
	m.icon(t.icon, 1, monoBody+2, 1, "", lit)
	x := m.right(font.Face6x12, monoWidth-1, monoBody+1, t.time, t.time, lit)
	state := t.state
	if t.muted != "" {
		state = t.muted
	}
	m.name(font.Face6x12, iconSize+4, x-3, monoBody+1, state, lit)
	face := largest(t.party.title, monoWidth-2, font.Face8x16, font.Face6x12)
	m.middle(face, 1, monoWidth-1, monoBody+21, t.party.title, t.party.digits, lit)
	m.name(font.Face6x12, 1, monoWidth, monoBody+31, t.detail(), lit)
}

// callOfTwo shows a call in 20 rows; the selected one in reverse.
func (m mono) callOfTwo(t callText, y int) {
	ink := lit
	if t.selected {
		m.round(0, y, monoWidth, y+21, 1, lit)
		ink = dark
	}
	m.icon(t.icon, 3, y+3, 1, "", ink)
	x := m.right(font.Face6x12, monoWidth-3, y+1, t.time, t.time, ink)
	title, digits := t.headline()
	m.middle(font.Face6x12, iconSize+7, x-4, y+6, title, digits, ink)
	state := t.state
	if t.muted != "" {
		state = t.muted
	}
	x = m.text(font.Face5x8, 3, y+12, state, state, ink)
	if detail := t.detail(); detail != "" {
		x = m.text(font.Face5x8, x, y+12, dot, "", ink)
		m.name(font.Face5x8, x, monoWidth-3, y+12, detail, ink)
	}
}

func (m mono) ended(e phone.Ended) {
	t := m.wording.ended(e)
	cause := join(", ", t.cause, t.status)
	if font.Face8x16.Width(cause) <= monoWidth-2 {
		m.name(font.Face8x16, 1, monoWidth, monoBody+4, cause, lit)
	} else {
		first, second := font.Face6x12.Wrap(cause, monoWidth-2)
		m.text(font.Face6x12, 1, monoBody, first, cause, lit)
		m.text(font.Face6x12, 1, monoBody+12, second, cause, lit)
	}
	m.pair(font.Face6x12, font.Face5x8, 1, monoWidth-1, monoBody+23, t.party, lit)
	if t.waits == "" {
		m.name(font.Face5x8, 1, monoWidth-1, monoBody+34, t.duration, lit)
		return
	}
	m.icon(iconHold, 1, monoBody+34, 1, "", lit)
	x := m.text(font.Face5x8, iconSize+4, monoBody+34, t.waits, t.waits, lit) + 4
	m.title(font.Face5x8, x, monoWidth, monoBody+34, t.waiting, lit)
}

func (m mono) list(l phone.List) {
	words, position := m.wording.list(l)
	x := m.right(font.Face5x8, monoWidth-1, monoBody, position, position, lit)
	m.name(font.Face5x8, 1, x-4, monoBody, words.title, lit)
	n := len(l.Entries)
	if n == 0 {
		m.centre(font.Face6x12, 0, monoWidth, monoBody+20, words.empty, words.empty, lit)
		return
	}
	at := selected(l.Selected, n)
	from, to := window(n, at, monoListRows)
	y := monoBody + 9
	for i := from; i < to; i++ {
		y = m.entry(m.wording.entry(l, i), y)
	}
	m.scrollBar(monoWidth-2, monoBody+9, monoBodyEnd, at, n, lit)
}

// entry shows a past call, the selected one in two rows, and returns the row after it.
func (m mono) entry(t entryText, y int) int {
	const x1 = monoWidth - 4
	ink := lit
	if t.selected {
		m.round(0, y, x1, y+21, 1, lit)
		ink = dark
		detail := join(dot, t.when, t.detail)
		m.name(font.Face5x8, 3, x1-2, y+12, detail, ink)
		m.pair(font.Face6x12, font.Face5x8, 3, x1-2, y+1, t.party, ink)
		return y + 21
	}
	x := m.right(font.Face5x8, x1-2, y+2, t.brief, t.when, ink)
	m.middle(font.Face6x12, 3, x-4, y+6, t.party.title, t.party.digits, ink)
	return y + 12
}

// volume draws the volume bar over the screen.
func (m mono) volume() {
	const x0, y0, x1, y1 = 3, 14, monoWidth - 3, 48
	v := m.wording.volume()
	m.fill(0, monoBody, monoWidth, monoBodyEnd, dark)
	m.round(x0, y0, x1, y1, 2, lit)
	m.round(x0+1, y0+1, x1-1, y1-1, 2, dark)
	m.icon(v.icon, x0+5, y0+5, 1, "", lit)
	x := m.right(font.Face5x8, x1-5, y0+5, v.value, v.value, lit)
	m.name(font.Face6x12, x0+16, x-3, y0+3, v.name, lit)
	width := (x1 - x0 - 10) / v.max
	for i := range v.max {
		x, y := x0+5+i*width, y0+20
		if i < v.level {
			m.fill(x, y, x+width-2, y+9, lit)
		} else {
			m.fill(x, y+8, x+width-2, y+9, lit)
		}
	}
}
