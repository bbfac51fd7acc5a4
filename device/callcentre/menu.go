package callcentre

import (
	"time"

	"freizeichen/sip"
)

// typedMax bounds what can be typed: agents' numbers and PINs have less.
const typedMax = 12

// prompt is a number or PIN being typed.
type prompt struct {
	kind   PromptKind
	typed  string
	number string // of the agent, while the PIN is typed
	tries  int
	until  time.Time
}

// menu is a list to choose from.
type menu struct {
	kind     MenuKind
	entries  []entry
	selected int
	until    time.Time
	arg      string
	after    bool // the topic is for the call that is over
}

// entry is one choice and what it does.
type entry struct {
	Choice
	do func(*Desk)
}

// ofCall reports whether the menu makes no sense without the call.
func (m *menu) ofCall() bool {
	switch m.kind {
	case CallMenu, TenantMenu, OfficeMenu:
		return true
	}
	return m.kind == TopicMenu && !m.after
}

func (d *Desk) openMenu(m menu) {
	m.until = d.now.Add(menuShown)
	for i, e := range m.entries {
		if e.Mark {
			m.selected = i
		}
	}
	d.prompt, d.menu = nil, &m
}

// openMain is what can be done at the desk when there is no call.
func (d *Desk) openMain() {
	var m menu
	add := func(word Word, do func(*Desk)) { m.entries = append(m.entries, entry{Choice{Word: word}, do}) }
	if d.after != nil && !d.after.open {
		add(WordLastCall, func(d *Desk) {
			d.after.open, d.after.late, d.after.until = true, d.agent.State != sip.WrapUp, d.now.Add(afterShown)
			d.arrange()
		})
	}
	switch {
	case !d.signedIn():
		add(WordSignIn, (*Desk).openSignIn)
	case d.agent.State == sip.Ready:
		add(WordPause, (*Desk).openReasons)
	default:
		add(WordReady, func(d *Desk) { d.ask(sip.AgentRequest{Verb: sip.GoReady}) })
		add(WordPause, (*Desk).openReasons)
	}
	if len(d.library.NoticesFor("", "", d.now)) > 0 {
		add(WordNotices, (*Desk).openNotices)
	}
	if d.isQuiet() {
		add(WordUnquiet, func(d *Desk) { d.setQuiet(false) })
	} else {
		add(WordQuiet, func(d *Desk) { d.setQuiet(true) })
	}
	if d.signedIn() {
		add(WordSignOut, func(d *Desk) { d.ask(sip.AgentRequest{Verb: sip.SignOut}) })
	}
	d.openMenu(m)
}

func (d *Desk) openSignIn() {
	d.menu, d.prompt = nil, &prompt{kind: AskNumber, until: d.now.Add(promptShown)}
}

func (d *Desk) openReasons() {
	m := menu{kind: ReasonMenu}
	for _, r := range d.config.Reasons {
		m.entries = append(m.entries, entry{
			Choice{Word: ReasonWord(r), Text: r.Text, Mark: d.agent.State == sip.Paused && d.agent.Reason == r.ID},
			func(d *Desk) { d.pause(r.ID) },
		})
	}
	d.openMenu(m)
}

// ReasonWord is the catalogue's word of a reason, WordText for one with a text of the site.
func ReasonWord(r Reason) Word {
	if r.Text != "" {
		return WordText
	}
	switch r.ID {
	case "break":
		return WordBreak
	case "meeting":
		return WordMeeting
	case "training":
		return WordTraining
	case "backoffice":
		return WordBackOffice
	case ReasonDeclined:
		return WordDeclined
	case ReasonQuiet:
		return WordDoNotDisturb
	}
	return WordText
}

func (d *Desk) openNotices() {
	m := menu{kind: NoticeMenu}
	for _, text := range d.library.NoticesFor("", "", d.now) {
		m.entries = append(m.entries, entry{Choice{Text: text}, nil})
	}
	d.openMenu(m)
}

// openCall is what can be done beside the three keys of the office.
func (d *Desk) openCall(c *citizen) {
	call := c.call
	m := menu{kind: CallMenu}
	add := func(word Word, do func(*Desk)) { m.entries = append(m.entries, entry{Choice{Word: word}, do}) }
	add(WordTopic, func(d *Desk) { d.openTopics(call) })
	add(WordTenant, func(d *Desk) { d.openTenants(call) })
	add(WordOffice, func(d *Desk) { d.openOffices(call) })
	add(WordHold, func(d *Desk) { d.do(HoldCall{call}) })
	add(WordHangup, func(d *Desk) { d.do(HangUp{call}) })
	if d.agent.State == sip.Ready { // between two calls of a full queue there is no time to ask for it
		add(WordPause, (*Desk).openReasons)
	}
	if d.agent.PausesNext != "" {
		add(WordReady, func(d *Desk) { d.ask(sip.AgentRequest{Verb: sip.GoReady}) })
	}
	d.openMenu(m)
}

// openTopics changes the topic of a call; of the call that is over when call is 0.
func (d *Desk) openTopics(call sip.CallID) {
	m := menu{kind: TopicMenu, after: call == 0}
	tenant, present := "", ""
	if c := d.citizen(call); c != nil {
		tenant, present = c.tenant, c.topic
	} else if d.after != nil {
		tenant, present = d.after.outcome.Tenant, d.after.outcome.Topic
	}
	for _, id := range d.library.Favourites(tenant, d.today()) {
		m.entries = append(m.entries, entry{Choice{Text: d.library.TopicName(id), Mark: id == present}, func(d *Desk) {
			if c := d.citizen(call); c != nil {
				c.topic, c.top, c.office = id, 0, ""
			} else if d.after != nil && call == 0 {
				d.setTopic(id)
			}
		}})
	}
	d.openMenu(m)
}

func (d *Desk) openTenants(call sip.CallID) {
	c := d.citizen(call)
	if c == nil {
		return
	}
	m := menu{kind: TenantMenu}
	for i := range d.library.Tenants {
		t := &d.library.Tenants[i]
		m.entries = append(m.entries, entry{Choice{Text: t.Name, Mark: t.ID == c.tenant}, func(d *Desk) {
			if c := d.citizen(call); c != nil {
				c.tenant, c.top, c.office = t.ID, 0, ""
			}
		}})
	}
	d.openMenu(m)
}

func (d *Desk) openOffices(call sip.CallID) {
	c := d.citizen(call)
	if c == nil {
		return
	}
	present := d.officeOf(c)
	m := menu{kind: OfficeMenu}
	for _, o := range d.library.Offices {
		m.entries = append(m.entries, entry{Choice{Text: o.Name, Mark: o.ID == present}, func(d *Desk) {
			if c := d.citizen(call); c != nil {
				c.office, c.officeBusy = o.ID, false
				d.showOffice(c)
			}
		}})
	}
	d.openMenu(m)
}

// showOffice moves the card to the office that was chosen, and to whether it is open.
func (d *Desk) showOffice(c *citizen) {
	if card := d.card(c); card != nil {
		c.top = card.officeLine()
	}
}

// openTakeOver asks whether the agent shall be moved here from another phone.
func (d *Desk) openTakeOver(r sip.AgentRequest, elsewhere string) {
	r.TakeOver = true
	m := menu{kind: TakeOverMenu, arg: elsewhere}
	m.entries = []entry{
		{Choice{Word: WordYes}, func(d *Desk) { d.ask(r) }},
		{Choice{Word: WordNo}, func(*Desk) {}},
	}
	d.openMenu(m)
}

// take does what the choice of that index means.
func (d *Desk) take(index int) {
	m := d.menu
	if m == nil || index < 0 || index >= len(m.entries) {
		return
	}
	d.menu = nil
	if do := m.entries[index].do; do != nil {
		do(d)
	}
}

// add types a digit.
func (p *prompt) add(digit byte) {
	if digit >= '0' && digit <= '9' && len(p.typed) < typedMax {
		p.typed += string(digit)
	}
}

// next goes from the number to the PIN, and from the PIN to the switchboard.
func (d *Desk) next() {
	p := d.prompt
	switch {
	case p.typed == "":
	case p.kind == AskNumber:
		d.prompt = &prompt{kind: AskPIN, number: p.typed, until: d.now.Add(promptShown)}
	default:
		d.prompt = nil
		d.ask(sip.AgentRequest{Verb: sip.SignIn, Number: p.number, PIN: p.typed})
	}
}
