package screen

import (
	"strings"

	"freizeichen/device/callcentre"
	"freizeichen/device/phone"
	"freizeichen/device/screen/desk"
	"freizeichen/hal"
	"freizeichen/sip"
)

// A Language is one in which the panel speaks.
type Language uint8

// The languages. The zero Language is German.
const (
	German Language = iota
	English
	languageCount
)

// String is the language's BCP 47 tag: "de", "en".
func (l Language) String() string { return l.catalogue().tag }

// ParseLanguage finds the language of a BCP 47 tag such as "de" or "en-GB"; false when there is none.
func ParseLanguage(tag string) (Language, bool) {
	primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
	for l := range languageCount {
		if l.String() == primary {
			return l, true
		}
	}
	return German, false
}

// Label is a text by its id: the names of keys, lamps and blink patterns ("key-hold", "lamp-line1",
// "blink-fast", by the String of the hal words), and what the simulator's page says besides. An unknown id is
// returned as it is.
func Label(language Language, id string) string {
	if text, ok := language.catalogue().labels[id]; ok {
		return text
	}
	return id
}

func (l Language) catalogue() *catalogue {
	if l == English {
		return &english
	}
	return &german
}

// A catalogue has all words of one language. Catalogues never change.
type catalogue struct {
	tag           string
	causes        [sip.BadNumber + 1]string
	states        [phone.Transferring + 1]string
	consulting    [phone.Transferring + 1]string // of somebody who is asked on behalf of another; empty: as every call
	registrations [phone.Failed + 1]registrationWords
	routes        [hal.Speaker + 1]string
	parts         [hal.PartCount]string
	softs         [phone.SoftDesk]softWords
	lists         [phone.DialledCalls + 1]listWords
	words         [wordCount]string
	weekdays      [7]string // from Sunday
	months        [12]string
	date          string // of the clock: weekday, day, month as %[1]s, %[2]d, %[3]s
	shortDate     string // reference date of time.Format, day and month
	longDate      string // the same with the year
	labels        map[string]string
	desk          *desk.Words
}

// softWords are the forms of a soft key's label.
type softWords desk.Label

// registrationWords say how the registration stands.
type registrationWords struct {
	headline string // for the empty screen
	short    string // the same for 124 pixels of Face6x12
	status   string // for the status line
}

// listWords name a list.
type listWords struct{ title, empty string }

// A word is a text with no better home. Those with a place carry fmt verbs.
type word uint8

const (
	wordCallFor     word = iota // stands before the called number's name
	wordTopic                   // stands before what the caller wants
	wordUnknown                 // neither name nor number
	wordAnonymous               // the caller withholds the number
	wordKnocks                  // state of a call that rings beside another one
	wordMuted                   //
	wordEnterNumber             // title while digits are typed before the handset is lifted
	wordPleaseDial              // title while digits are typed after it
	wordTransferTo              // title while the target of a transfer is typed
	wordDuration                // %s: 3:07
	wordStatus                  // %d: SIP status
	wordRetryIn                 // %s: a time
	wordRetryNow                //
	wordSeconds                 // %d
	wordMinutes                 // %d
	wordMissedOne               //
	wordMissedMany              // %d
	wordOf                      // %d of %d
	wordYesterday               //
	wordVolume                  //
	wordRinger                  //
	wordRingerOff               //
	wordKeys                    // before the soft keys, read aloud
	wordSelected                // before the selected call or entry, read aloud
	wordLine                    // %d
	wordWaits                   // stands before who is on hold while an end is shown
	wordWaiting                 // %d, more than one
	wordPartMissing             // %s: a part
	wordPartFails               // %s: a part
	wordPattern                 // %d: a picture without words
	wordCount                   //
)

func (c *catalogue) cause(cause sip.Cause) string {
	if int(cause) >= len(c.causes) {
		cause = sip.CauseNone
	}
	return c.causes[cause]
}

func (c *catalogue) soft(soft phone.Soft) softWords {
	if soft >= phone.SoftDesk {
		return softWords(c.desk.Action(callcentre.Action(soft - phone.SoftDesk)))
	}
	return c.softs[soft]
}
