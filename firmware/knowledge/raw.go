package knowledge

import "freizeichen/firmware/document"

type (
	scalar   = document.Scalar
	position = document.Position
)

// raw is the file as it stands: every value a text with its place, nothing checked. The tag key is the key; most bounds a
// list; must, as and says are for the schema: whether the key must be there, the form of its value, and what it is.
type raw struct {
	At      position
	Version scalar     `key:"version" must:"yes" as:"name" says:"What editors call this state, for example the date."`
	Example scalar     `key:"example" as:"bool" says:"true: example data, every card says so."`
	Local   rawLocal   `key:"local" must:"yes" says:"What the municipalities keep themselves."`
	Central rawCentral `key:"central" says:"The common base of 115."`
	Day     rawDay     `key:"day" says:"News of the day; it goes by itself."`
}

type rawLocal struct {
	At        position
	Calendars []rawCalendar `key:"calendars" most:"200" says:"When something is open."`
	Offices   []rawOffice   `key:"offices" most:"500" says:"Who answers what the service centre cannot."`
	Topics    []rawTopic    `key:"topics" most:"500" must:"yes" says:"What citizens want."`
	Tenants   []rawTenant   `key:"tenants" most:"50" must:"yes" says:"In whose name calls are answered."`
	Cards     []rawCard     `key:"cards" most:"2000" says:"What an agent needs for one topic."`
}

type rawCentral struct {
	Cards []rawCard `key:"cards" most:"2000" says:"Cards of the common base of 115."`
}

type rawDay struct {
	Notices []rawNotice  `key:"notices" most:"50" says:"Closures, outages, deadlines."`
	Cards   []rawDayCard `key:"cards" most:"50" says:"Cards that hold for the day and replace the others."`
}

type rawCalendar struct {
	At       position
	ID       scalar   `key:"id" must:"yes" as:"id" says:"How others name it."`
	Name     scalar   `key:"name" must:"yes" as:"name" says:"What agents read."`
	Hours    []scalar `key:"hours" most:"14" must:"yes" as:"hours" says:"Days and spans: Mo-Do 8:00-12:00 14:00-16:00"`
	Holidays scalar   `key:"holidays" as:"holidays" says:"nrw: closed on the public holidays of North Rhine-Westphalia."`
	Closed   []scalar `key:"closed" as:"day" says:"Days on which it is closed besides."`
}

type rawOffice struct {
	At       position
	ID       scalar `key:"id" must:"yes" as:"id" says:"How cards name it."`
	Name     scalar `key:"name" must:"yes" as:"name" says:"What agents read."`
	Number   scalar `key:"number" must:"yes" as:"dial" says:"What a phone of the service centre dials."`
	Calendar scalar `key:"calendar" must:"yes" as:"id" says:"When it can be reached."`
}

type rawTopic struct {
	At    position
	ID    scalar   `key:"id" must:"yes" as:"id" says:"How cards and tenants name it."`
	Name  scalar   `key:"name" must:"yes" as:"name" says:"What agents read."`
	Match []scalar `key:"match" most:"30" as:"line" says:"Texts that the PBX sends as Subject for it, besides its name."`
}

type rawTenant struct {
	At     position
	ID     scalar    `key:"id" must:"yes" as:"id" says:"How cards and notices name it."`
	Name   scalar    `key:"name" must:"yes" as:"name" says:"What agents read: Stadt Moers"`
	Lines  []rawLine `key:"lines" most:"20" must:"yes" says:"Its called numbers."`
	Topics []scalar  `key:"topics" most:"500" as:"id" says:"What its citizens call for, the most frequent first."`
}

type rawLine struct {
	At       position
	Number   scalar     `key:"number" must:"yes" as:"number" says:"Digits, as citizens dial it."`
	Name     scalar     `key:"name" must:"yes" as:"name" says:"What agents read: Behördennummer 115"`
	Greeting scalar     `key:"greeting" must:"yes" as:"line" says:"What the agent says first."`
	Calendar scalar     `key:"calendar" must:"yes" as:"id" says:"When it is served."`
	Promise  rawPromise `key:"promise" says:"What it promises its callers; without it nothing."`
}

type rawPromise struct {
	At           position
	Within       scalar `key:"within" as:"time" says:"Calls are answered within so much: 30s. With percent."`
	Percent      scalar `key:"percent" as:"percent" says:"Of the calls offered, so many are answered within it."`
	FirstContact scalar `key:"first-contact" as:"percent" says:"Percent solved at the first contact."`
	AnswerWithin scalar `key:"answer-within" as:"time" says:"What is passed on is answered within so much time of service: 24h."`
}

type rawCard struct {
	At      position
	Topic   scalar   `key:"topic" must:"yes" as:"id" says:"What it is about."`
	Tenant  scalar   `key:"tenant" as:"id" says:"Left out: for all that have no card of their own."`
	Updated scalar   `key:"updated" must:"yes" as:"day" says:"The day it was last looked at."`
	Expires scalar   `key:"expires" as:"day" says:"From this day on it is not shown."`
	Text    []scalar `key:"text" most:"24" must:"yes" as:"line" says:"Short lines to speak from."`
	Papers  []scalar `key:"papers" most:"24" as:"line" says:"What to bring; with text at most 24 lines."`
	Fee     scalar   `key:"fee" as:"line" says:"What it costs."`
	Hours   scalar   `key:"hours" as:"line" says:"Opening hours of the counter, in words."`
	Office  scalar   `key:"office" as:"id" says:"Who is responsible."`
}

type rawDayCard struct {
	At     position
	Date   scalar   `key:"date" must:"yes" as:"day" says:"The day for which it holds."`
	Until  scalar   `key:"until" as:"moment" says:"The last day, or the moment of its end."`
	Topic  scalar   `key:"topic" must:"yes" as:"id" says:"What it is about."`
	Tenant scalar   `key:"tenant" as:"id" says:"Left out: for all."`
	Text   []scalar `key:"text" most:"24" must:"yes" as:"line" says:"Short lines to speak from."`
	Papers []scalar `key:"papers" most:"24" as:"line" says:"What to bring; with text at most 24 lines."`
	Fee    scalar   `key:"fee" as:"line" says:"What it costs."`
	Hours  scalar   `key:"hours" as:"line" says:"Opening hours of the counter, in words."`
	Office scalar   `key:"office" as:"id" says:"Who is responsible."`
}

type rawNotice struct {
	At      position
	Date    scalar   `key:"date" must:"yes" as:"moment" says:"The day, or the moment, from which it holds."`
	Until   scalar   `key:"until" as:"moment" says:"The last day, or the moment of its end; left out: the end of its day."`
	Tenants []scalar `key:"tenants" most:"50" as:"id" says:"Whose; left out: of all."`
	Topics  []scalar `key:"topics" most:"500" as:"id" says:"About what; left out: everything."`
	Text    scalar   `key:"text" must:"yes" as:"notice" says:"The news."`
}
