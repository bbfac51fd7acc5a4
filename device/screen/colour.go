package screen

import (
	"image/color"
	"strconv"

	"freizeichen/device/phone"
	"freizeichen/device/screen/font"
)

// The inks of the 320x240 panel, indices into colourPalette. Every pair of ink and paper that is used for text
// has a contrast of at least 4.5:1 (WCAG 2.1 section 1.4.3).
const (
	paper uint8 = iota
	ink
	grey      // text of less weight on paper
	rule      // thin lines, the track of bars
	night     // status line
	slate     // neutral band
	white     // text on night, slate, blue, green, red
	blue      // it rings
	green     // conversation, answer
	amber     // on hold; carries ink
	red       // did not come about, reject, hang up
	key       // soft keys; carries ink
	selection // the selected entry's paper; carries ink
)

// colourPalette never changes.
var colourPalette = color.Palette{
	paper:     color.RGBA{0xf6, 0xf7, 0xf9, 0xff},
	ink:       color.RGBA{0x17, 0x21, 0x2b, 0xff},
	grey:      color.RGBA{0x4d, 0x5a, 0x67, 0xff},
	rule:      color.RGBA{0xc9, 0xd1, 0xd9, 0xff},
	night:     color.RGBA{0x1a, 0x26, 0x32, 0xff},
	slate:     color.RGBA{0x3a, 0x4c, 0x5e, 0xff},
	white:     color.RGBA{0xff, 0xff, 0xff, 0xff},
	blue:      color.RGBA{0x15, 0x57, 0x96, 0xff},
	green:     color.RGBA{0x1c, 0x6b, 0x47, 0xff},
	amber:     color.RGBA{0xf0, 0xc2, 0x5a, 0xff},
	red:       color.RGBA{0xa3, 0x2e, 0x2e, 0xff},
	key:       color.RGBA{0xdd, 0xe3, 0xe9, 0xff},
	selection: color.RGBA{0xd3, 0xe4, 0xf5, 0xff},
}

// The layout of 320x240: a status line, 180 rows for the screen, four soft keys above their real keys.
const (
	colourWidth     = 320
	colourMargin    = 14
	colourBody      = 26  // first row of the screen
	colourBodyEnd   = 206 // row after its last one
	colourBand      = 36  // height of the band at the top of most screens
	colourSoft      = 210
	colourSoftPitch = 79
	colourSoftWidth = 77
	colourListRows  = 4
	colourMenuRows  = 6
)

// colour draws on the 320x240 panel.
type colour struct {
	canvas
	wording
}

func (c colour) draw() {
	if t, ok := c.view.Screen.(phone.Test); ok && t.Pattern != phone.PatternNone {
		c.pattern(t.Pattern, night, white)
		return
	}
	c.fill(0, 0, colourWidth, 240, paper)
	c.status()
	if part := c.part(); part != partNone {
		c.desk(part)
	} else {
		c.phone()
	}
	c.banner()
	if c.view.Status.Volume != nil {
		c.volume()
	}
	c.softs()
}

// phone draws the screens of a phone without a desk.
func (c colour) phone() {
	switch s := c.view.Screen.(type) {
	case phone.Dialling:
		c.dialling(s)
	case phone.Calls:
		c.calls(s)
	case phone.Ended:
		c.ended(s)
	case phone.List:
		c.list(s)
	case phone.Test:
		c.test(s)
	default:
		c.idle()
	}
}

func (c colour) status() {
	s := &c.view.Status
	c.fill(0, 0, colourWidth, colourBody, night)
	x := colourWidth - 8
	if !c.largeClock() {
		x = c.right(font.Face8x16, x, 6, c.clock(), c.clock(), white) - 12
	}
	if missed := c.missed(); missed != "" {
		x = c.right(font.Face8x16, x, 6, strconv.Itoa(min(s.Missed, 99)), missed, white) - 2*iconSize - 4
		c.icon(iconMissed, x, 5, 2, "", white)
		x -= 12
	}
	if s.Muted {
		x -= 2 * iconSize
		c.icon(iconMuted, x, 5, 2, c.word(wordMuted), white)
		x -= 12
	}
	if i := routeIcon(s.Route); i != "" {
		x -= 2 * iconSize
		c.icon(i, x, 5, 2, c.route(), white)
		x -= 12
	}
	if faults := c.faults(); faults != "" {
		x -= 2 * iconSize
		c.icon(iconNotice, x, 5, 2, faults, white)
		x -= 12
	}
	i, meaning := c.registration()
	c.icon(i, 8, 5, 2, meaning, white)
	if c.view.Desk.On {
		c.statusAgent(32, x)
		return
	}
	end := c.name(font.Face8x16, 32, x, 6, clean(s.Name), white) + 8
	if s.Registration != phone.Registered && font.Face6x12.Width(meaning) <= x-end {
		c.text(font.Face6x12, end, 9, meaning, meaning, white)
	}
}

// softs draws the soft keys. Answer is green, refuse and hang up are red, as on every telephone.
func (c colour) softs() {
	for i, soft := range c.view.Soft {
		label := c.soft(soft)
		if label.Medium == "" {
			continue
		}
		background, foreground := key, ink
		switch soft {
		case phone.SoftAnswer:
			background, foreground = green, white
		case phone.SoftReject, phone.SoftHangup:
			background, foreground = red, white
		}
		x := 3 + i*colourSoftPitch
		c.round(x, colourSoft, x+colourSoftWidth, 238, 3, background)
		face := largest(label.Medium, colourSoftWidth-4, font.Face8x16, font.Face6x12)
		top, bottom := face.Ink()
		c.centre(face, x+2, x+colourSoftWidth-2, (colourSoft+239-top-bottom)/2, label.Medium, label.Full, foreground)
	}
}

// idle shows the clock, or why the phone cannot be called.
func (c colour) idle() {
	if t := c.unregistered(); t.headline != "" {
		background := red
		if c.view.Status.Registration == phone.Registering {
			background = slate
		}
		c.fill(0, colourBody, colourWidth, colourBody+56, background)
		i, _ := c.registration()
		c.icon(i, colourMargin, colourBody+20, 2, "", white)
		face := largest(t.headline, colourWidth-colourMargin-44, font.Face12x24, font.Face8x16)
		c.middle(face, 44, colourWidth-colourMargin, colourBody+28, t.headline, false, white)
		face = largest(t.cause, colourWidth-2*colourMargin, font.Face12x24, font.Face8x16)
		c.middle(face, colourMargin, colourWidth-colourMargin, colourBody+92, t.cause, false, ink)
		c.name(font.Face8x16, colourMargin, colourWidth-colourMargin, colourBody+122, t.retry, grey)
		return
	}
	date, missed := c.dateText(), c.missed()
	y := colourBody + 36
	if missed != "" {
		y = colourBody + 10
		c.round(50, 168, colourWidth-50, 198, 4, selection)
		width := font.Face8x16.Width(missed)
		x := (colourWidth - width - 24) / 2
		c.icon(iconMissed, x, 175, 2, "", ink)
		c.text(font.Face8x16, x+24, 176, missed, missed, ink)
	}
	c.centre(font.Face32x64, 0, colourWidth, y, c.clock(), c.clock(), ink)
	c.centre(font.Face12x24, colourMargin, colourWidth-colourMargin, y+72, date, date, grey)
}

// band writes an icon and a title in the colour paint across the top of the screen, and text at its right end.
func (c colour) band(i icon, title, right string, paint, on uint8) {
	c.fill(0, colourBody, colourWidth, colourBody+colourBand, paint)
	c.icon(i, colourMargin, colourBody+10, 2, "", on)
	x := c.right(font.Face8x16, colourWidth-colourMargin, colourBody+11, right, right, on)
	c.name(font.Face8x16, colourMargin+26, x-8, colourBody+11, title, on)
}

// paint is the colour of a mood, and the ink that it carries.
func (m mood) paint() (background, on uint8) {
	switch m {
	case moodRinging:
		return blue, white
	case moodTalking:
		return green, white
	case moodWaiting:
		return amber, ink
	}
	return slate, white
}

func (c colour) dialling(d phone.Dialling) {
	i, title := c.wording.dialling(d)
	c.band(i, title, "", slate, white)
	const width = colourWidth - 2*colourMargin - 6
	number := clean(d.Number)
	face := largest(number, width, font.Face16x32, font.Face12x24, font.Face8x16)
	x := c.middle(face, colourMargin, colourMargin+width, 134, number, true, ink)
	c.fill(x+2, 122, x+4, 147, blue) // the cursor
	c.fill(colourMargin, 158, colourWidth-colourMargin, 159, rule)
}

func (c colour) calls(calls phone.Calls) {
	n := len(calls.Calls)
	if n == 1 {
		if t := c.call(calls, 0); t.ringing {
			c.incoming(t)
		} else {
			c.oneCall(t)
		}
		return
	}
	from, to := window(n, selected(calls.Selected, n), 2)
	for i := from; i < to; i++ {
		c.callOfTwo(c.call(calls, i), colourBody+3+(i-from)*89)
	}
}

// incoming shows first which number was called, then what the caller wants, then who it is.
func (c colour) incoming(t callText) {
	const x0, x1 = colourMargin, colourWidth - colourMargin
	headline, digits := t.headline()
	height := 66
	if t.calledNumber != "" {
		height = 82
	}
	c.fill(0, colourBody, colourWidth, colourBody+height, blue)
	c.icon(t.icon, x0, colourBody+7, 2, "", white)
	title := t.state
	if t.called != "" {
		title = c.word(wordCallFor)
	}
	x := c.right(font.Face8x16, x1, colourBody+8, t.time, t.time, white)
	c.name(font.Face8x16, x0+26, x-8, colourBody+8, title, white)
	face := largest(headline, x1-x0, font.Face16x32, font.Face12x24, font.Face8x16)
	c.middle(face, x0, x1, colourBody+44, headline, digits, white)
	c.number(font.Face8x16, x0, x1, colourBody+61, t.calledNumber, white)

	if t.topic != "" {
		c.text(font.Face6x12, x0, 112, c.word(wordTopic), c.word(wordTopic), grey)
		c.twoLines(font.Face12x24, x0, x1, 125, 24, t.topic, ink)
	}
	if t.called == "" {
		y := 134
		if t.topic != "" {
			y = 188
		}
		c.middle(font.Face12x24, x0, x1, y, t.party.number, true, ink)
		return
	}
	c.fill(x0, 178, x1, 179, rule)
	c.pair(font.Face8x16, font.Face8x16, x0, x1, 185, t.party, ink)
}

// twoLines writes text in one line, or in two that are pitch rows apart.
func (c colour) twoLines(face font.Face, x0, x1, y, pitch int, text string, ink uint8) {
	first, second := face.Wrap(text, x1-x0-1)
	c.strong(face, x0, y, first, text, ink)
	c.strong(face, x0, y+pitch, second, text, ink)
}

func (c colour) oneCall(t callText) {
	const x0, x1 = colourMargin, colourWidth - colourMargin
	background, on := t.mood.paint()
	c.band(t.icon, join(dot, t.state, t.muted), t.time, background, on)
	face := largest(t.party.title, x1-x0, font.Face16x32, font.Face12x24)
	c.middle(face, x0, x1, 86, t.party.title, t.party.digits, ink)
	c.number(font.Face8x16, x0, x1, 104, t.party.number, grey)

	y, label := 134, 0
	for _, id := range []word{wordCallFor, wordTopic} {
		label = max(label, font.Face6x12.Width(c.word(id)))
	}
	label += x0 + 12
	if t.called != "" || t.topic != "" {
		c.fill(x0, 126, x1, 127, rule)
	}
	if t.called != "" {
		c.text(font.Face6x12, x0, y+3, c.word(wordCallFor), c.word(wordCallFor), grey)
		c.name(font.Face8x16, label, x1, y, t.called, ink)
		y += 24
	}
	if t.topic != "" {
		c.text(font.Face6x12, x0, y+3, c.word(wordTopic), c.word(wordTopic), grey)
		c.twoLines(font.Face8x16, label, x1, y, 18, t.topic, ink)
	}
}

// callOfTwo shows a call as a card of 86 rows; the selected one has a frame and a band in its colour.
func (c colour) callOfTwo(t callText, y int) {
	const x0, x1, height = 4, colourWidth - 4, 86
	background, on := t.mood.paint()
	if t.selected {
		c.round(x0, y, x1, y+height, 4, background)
		c.round(x0+2, y+2, x1-2, y+height-2, 3, paper)
		c.fill(x0+2, y+4, x1-2, y+26, background)
		c.round(x0, y, x1, y+26, 4, background)
		c.fill(x0, y+4, x1, y+26, background)
	} else {
		background, on = key, ink
		c.round(x0, y, x1, y+height, 4, rule)
		c.round(x0+1, y+1, x1-1, y+height-1, 4, paper)
		c.round(x0+1, y+1, x1-1, y+26, 4, background)
		c.fill(x0+1, y+5, x1-1, y+26, background)
	}
	line := strconv.Itoa(t.line)
	x := c.text(font.Face8x16, x0+9, y+6, line, c.word(wordLine, t.line), on) + 7
	c.icon(t.icon, x, y+5, 2, "", on)
	end := c.right(font.Face8x16, x1-10, y+6, t.time, t.time, on)
	c.name(font.Face8x16, x+24, end-8, y+6, join(dot, t.state, t.muted), on)
	title, digits := t.headline()
	face := largest(title, x1-x0-20, font.Face12x24, font.Face8x16)
	c.middle(face, x0+10, x1-10, y+43, title, digits, ink)
	c.name(font.Face8x16, x0+10, x1-10, y+61, t.detail(), grey)
}

func (c colour) ended(e phone.Ended) {
	const x0, x1 = colourMargin, colourWidth - colourMargin
	t := c.wording.ended(e)
	background := slate
	if t.failed {
		background = red
	}
	cause := join(", ", t.cause, t.status)
	c.fill(0, colourBody, colourWidth, colourBody+56, background)
	c.icon(iconEnded, x0, colourBody+20, 2, "", white)
	if face := largest(cause, x1-44, font.Face12x24, font.Face8x16); face.Width(cause) <= x1-44 {
		c.middle(face, 44, x1, colourBody+28, cause, false, white)
	} else {
		c.twoLines(face, 44, x1, colourBody+11, 18, cause, white)
	}
	face := largest(t.party.title, x1-x0, font.Face16x32, font.Face12x24)
	c.middle(face, x0, x1, 112, t.party.title, t.party.digits, ink)
	c.number(font.Face8x16, x0, x1, 134, t.party.number, grey)
	c.name(font.Face8x16, x0, x1, 160, t.duration, ink)
	if t.waits != "" {
		c.fill(0, 181, colourWidth, colourBodyEnd, amber)
		c.icon(iconHold, x0, 186, 2, "", ink)
		x := c.text(font.Face8x16, x0+26, 186, t.waits, t.waits, ink)
		c.title(font.Face8x16, x+8, x1, 186, t.waiting, ink)
	}
}

func (c colour) list(l phone.List) {
	words, position := c.wording.list(l)
	i := iconMissed
	if l.Kind == phone.DialledCalls {
		i = iconOutgoing
	}
	c.band(i, words.title, position, slate, white)
	n := len(l.Entries)
	if n == 0 {
		c.centre(font.Face8x16, 0, colourWidth, 124, words.empty, words.empty, grey)
		return
	}
	at := selected(l.Selected, n)
	from, to := window(n, at, colourListRows)
	const rowHeight = (colourBodyEnd - colourBody - colourBand) / colourListRows
	for i := from; i < to; i++ {
		c.entry(c.wording.entry(l, i), colourBody+colourBand+(i-from)*rowHeight, rowHeight)
	}
	if n > colourListRows {
		c.fill(colourWidth-5, colourBody+colourBand+3, colourWidth-3, colourBodyEnd, rule)
		c.scrollBar(colourWidth-5, colourBody+colourBand+3, colourBodyEnd, at, n, ink)
	}
}

// entry shows a past call in two lines; the selected one in reverse.
func (c colour) entry(t entryText, y, height int) {
	const x0, x1 = colourMargin, colourWidth - colourMargin
	strong, weak := ink, grey
	if t.selected {
		c.round(4, y+1, colourWidth-8, y+height, 3, slate)
		strong, weak = white, white
	} else {
		c.fill(x0, y+height, x1, y+height+1, rule)
	}
	x := c.right(font.Face8x16, x1, y+3, t.when, t.when, strong)
	c.middle(font.Face8x16, x0, x-8, y+10, t.party.title, t.party.digits, strong)
	end := c.number(font.Face6x12, x0, x1, y+21, t.party.number, weak)
	if t.detail != "" {
		if t.party.number != "" {
			end = c.text(font.Face6x12, end, y+21, dot, "", weak)
		}
		c.name(font.Face6x12, end, x1, y+21, t.detail, weak)
	}
}

// volume draws the volume bar at the foot of the screen, below a number that is being typed.
func (c colour) volume() {
	const x0, y0, x1, y1 = 6, 161, colourWidth - 6, 207
	v := c.wording.volume()
	c.fill(0, y0-2, colourWidth, y1+1, paper) // no sliced letters beside and above it
	c.round(x0, y0, x1, y1, 5, slate)
	c.round(x0+2, y0+2, x1-2, y1-2, 4, paper)
	c.icon(v.icon, x0+14, y0+6, 2, "", ink)
	x := c.right(font.Face8x16, x1-14, y0+7, v.value, v.value, grey)
	c.name(font.Face8x16, x0+40, x-8, y0+7, v.name, ink)
	width := (x1 - x0 - 28) / v.max
	for i := range v.max {
		x, background := x0+14+i*width, rule
		if i < v.level {
			background = blue
		}
		c.round(x, y0+28, x+width-4, y0+39, 1, background)
	}
}
