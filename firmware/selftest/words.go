package selftest

import (
	"strings"
)

// A Language is that of the person in front of the phone.
type Language uint8

// The languages.
const (
	German Language = iota
	English
)

func (l Language) String() string {
	if l == English {
		return "en"
	}
	return "de"
}

// A Text is the same in both languages.
type Text struct{ German, English string }

// In is the text in a language.
func (t Text) In(language Language) string {
	if language == English {
		return t.English
	}
	return t.German
}

// A Reason says why an outcome is as it is: one of the Cause constants, and what it is about.
type Reason struct {
	Key    string
	Detail string
}

// The reasons.
const (
	CauseParent     = "parent"     // Detail: the ID of the test that failed or was not done
	CauseNotFitted  = "not-fitted" // Detail: the part
	CauseLost       = "lost"       // Detail: the part
	CauseTimeout    = "timeout"    // Detail: how long it had
	CauseLate       = "late"       // the time of the whole run was over
	CauseStopped    = "stopped"    // Detail: by what
	CauseUnanswered = "unanswered" // Detail: the question's phrase, or the key that was waited for
	CausePanic      = "panic"      // Detail: its text
	CauseUnmeasured = "unmeasured" // the test ended without a value
	CauseNoTest     = "no-test"    // the program cannot do it
	CauseNamed      = "named"      // Detail: what is concerned, "missing: 3 5; extra: #"; the words before colons are of Word, and those behind where it has them
	CauseOther      = "other"      // Detail: technical words
)

var causes = map[string]Text{
	CauseParent:     {"wegen: %s", "because of: %s"},
	CauseNotFitted:  {"nicht eingebaut: %s", "not fitted: %s"},
	CauseLost:       {"antwortet nicht: %s", "does not answer: %s"},
	CauseTimeout:    {"keine Antwort in %s", "no answer in %s"},
	CauseLate:       {"Zeit des Tests abgelaufen", "time of the run was over"},
	CauseStopped:    {"abgebrochen: %s", "stopped: %s"},
	CauseUnanswered: {"nicht beantwortet: %s", "not answered: %s"},
	CausePanic:      {"Programmfehler: %s", "program error: %s"},
	CauseUnmeasured: {"nichts gemessen", "nothing was measured"},
	CauseNoTest:     {"von diesem Programm nicht prüfbar", "not testable by this program"},
	CauseNamed:      {"%s", "%s"},
	CauseOther:      {"%s", "%s"},
}

// In is the reason as a sentence without a full stop; empty when there is none.
func (r Reason) In(language Language) string {
	format, ok := causes[r.Key]
	if !ok {
		return r.Detail
	}
	detail := r.Detail
	switch r.Key {
	case CauseParent:
		detail = Title(ID(detail)).In(language)
	case CauseNotFitted, CauseLost:
		detail = Part(detail).Title().In(language)
	case CauseUnanswered:
		if text, ok := phrases[Phrase(detail)]; ok {
			detail = strings.ReplaceAll(text.In(language), "%s", "…")
		}
	case CauseNamed:
		return named(detail, language)
	}
	// Not Sprintf: a detail is data and may hold a percent sign.
	return strings.TrimSuffix(strings.Replace(format.In(language), "%s", detail, 1), ": ")
}

// words are those of measurements that are words, and of what they are about: hal's names of lamps among them.
var words = map[string]Text{
	"missing": {"fehlt", "missing"}, "extra": {"unverlangt", "not asked for"}, "unknown": {"unbekannt", "unknown"}, "stuck": {"klemmt", "stuck"},
	"serial": {"Seriennummer", "serial number"}, "model": {"Modell", "model"}, "revision": {"Stand", "revision"}, "board_model": {"Modell der Boarddatei", "model of the board's file"}, "mac_prefix": {"MAC-Anfang", "MAC prefix"},
	"interface_mac": {"MAC der Schnittstelle", "MAC of the interface"}, "label_serial": {"Nummer vom Schild", "serial on the label"},
	"label_mac": {"MAC vom Schild", "MAC on the label"}, "present": {"vorhanden", "present"}, "empty": {"leer", "empty"},
	"reset_cause": {"Grund des Neustarts", "reset cause"}, "forged_bundle": {"gefälschtes Paket", "forged bundle"},
	"refused": {"abgewiesen", "refused"}, "accepted": {"angenommen", "accepted"}, "backlight": {"Helligkeit", "backlight"},
	"pattern": {"Muster", "pattern"}, "current": {"Strom", "current"}, "lamp": {"Lampe", "lamp"}, "message": {"Meldelampe", "message"},
	"line1": {"Leitung 1", "line 1"}, "line2": {"Leitung 2", "line 2"}, "hold": {"Halten", "hold"}, "mute": {"Stumm", "mute"},
	"queue": {"Warteschlange", "queue"}, "agent": {"Status", "agent"},
	"green": {"grün", "green"}, "red": {"rot", "red"}, "amber": {"gelb", "amber"}, "blue": {"blau", "blue"}, "white": {"weiß", "white"},
	"dark": {"aus", "dark"}, "yes": {"ja", "yes"}, "no": {"nein", "no"}, "ghost": {"Geistertaste", "ghost"},
	"soft1": {"Displaytaste 1", "soft key 1"}, "soft2": {"Displaytaste 2", "soft key 2"}, "soft3": {"Displaytaste 3", "soft key 3"},
	"soft4": {"Displaytaste 4", "soft key 4"}, "up": {"hoch", "up"}, "down": {"runter", "down"}, "ok": {"OK", "OK"}, "cancel": {"Abbrechen", "cancel"},
	"transfer": {"Verbinden", "transfer"}, "redial": {"Wahlwiederholung", "redial"}, "volume-up": {"lauter", "volume up"}, "volume-down": {"leiser", "volume down"},
}

// Word is a word of a measurement in a language, with what stands behind it: "pattern 3". What is not known stays as it is.
func Word(text string, language Language) string {
	first, rest, more := strings.Cut(text, " ")
	word, ok := words[first]
	if !ok {
		if part, known := parts[Part(first)]; known {
			word = part.title
		} else {
			return text
		}
	}
	if more {
		return word.In(language) + " " + Word(rest, language)
	}
	return word.In(language)
}

func named(detail string, language Language) string {
	said := strings.Split(detail, "; ")
	for i, one := range said {
		if what, which, ok := strings.Cut(one, ": "); ok {
			names := strings.Fields(which)
			for n, name := range names {
				names[n] = Word(name, language)
			}
			said[i] = Word(what, language) + ": " + strings.Join(names, " ")
		}
	}
	return strings.Join(said, "; ")
}

// A Phrase is an instruction or a question to the person, by name. Phrase.In gives its words.
type Phrase string

// The phrases. What follows a colon are their arguments.
const (
	SayQuiet      Phrase = "quiet"       // the sound is tested
	SayLift       Phrase = "lift"        // the handset, and hold its earpiece and microphone together
	SayReplace    Phrase = "replace"     // the handset
	SayCouple     Phrase = "couple"      // earpiece and microphone: the part
	SayEcho       Phrase = "echo"        // voice goes to the exchange and back
	SayPressKey   Phrase = "press-key"   // the key
	SayHookCycle  Phrase = "hook-cycle"  // number, of how many
	AskLampColour Phrase = "lamp-colour" // the lamp
	AskMuteLamp   Phrase = "mute-lamp"   //
	AskPattern    Phrase = "pattern"     // number of the pattern
	AskBacklight  Phrase = "backlight"   //
)

var phrases = map[Phrase]Text{
	SayQuiet:      {"Bitte still sein: der Ton wird geprüft.", "Quiet please: the sound is tested."},
	SayLift:       {"Hörer abheben, Hörkapsel und Mikrofon zusammenhalten.", "Lift the handset, hold earpiece and microphone together."},
	SayReplace:    {"Hörer auflegen.", "Put the handset down."},
	SayCouple:     {"%s: Hörkapsel und Mikrofon zusammenhalten.", "%s: hold earpiece and microphone together."},
	SayEcho:       {"Sprache zur Telefonanlage und zurück wird gemessen.", "Voice to the exchange and back is measured."},
	SayPressKey:   {"Taste drücken: %s", "Press key: %s"},
	SayHookCycle:  {"Hörer abheben und auflegen: %s von %s.", "Lift the handset and put it back: %s of %s."},
	AskLampColour: {"Leuchtet die %s?", "Is the %s lit?"},
	AskMuteLamp:   {"Leuchtet die Stummlampe?", "Is the mute lamp lit?"},
	AskPattern:    {"Muster %s ohne Lücken und Striche?", "Is pattern %s free of gaps and lines?"},
	AskBacklight:  {"Wurde die Anzeige heller und dunkler?", "Did the display get brighter and darker?"},
}

// In is the phrase in words. A phrase that is not in the catalogue is said as it is called.
func (p Phrase) In(language Language, arguments ...string) string {
	text, ok := phrases[p]
	if !ok {
		return strings.Join(append([]string{string(p)}, arguments...), " ")
	}
	for words := text.In(language); ; {
		before, after, found := strings.Cut(words, "%s")
		if !found {
			return words
		}
		argument := "?"
		if len(arguments) > 0 {
			argument, arguments = arguments[0], arguments[1:]
		}
		// Not Sprintf: an argument is data and may hold a percent sign.
		words = before + strings.ReplaceAll(argument, "%s", "") + after
	}
}

// A Choice is one answer to a question.
type Choice string

// The choices.
const (
	Yes   Choice = "yes"
	No    Choice = "no"
	Green Choice = "green"
	Red   Choice = "red"
	Amber Choice = "amber"
	Blue  Choice = "blue"
	White Choice = "white"
	Dark  Choice = "dark"
)

var choices = map[Choice]Text{
	Yes: {"Ja", "Yes"}, No: {"Nein", "No"},
	Green: {"Grün", "Green"}, Red: {"Rot", "Red"}, Amber: {"Gelb", "Amber"}, Blue: {"Blau", "Blue"},
	White: {"Weiß", "White"}, Dark: {"Aus", "Dark"},
}

// In is the choice in words.
func (c Choice) In(language Language) string {
	if text, ok := choices[c]; ok {
		return text.In(language)
	}
	return string(c)
}
