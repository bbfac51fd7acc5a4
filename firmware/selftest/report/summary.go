package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"freizeichen/firmware/selftest"
)

// lineLength is how many characters of 6 pixels fit a panel of 128.
const lineLength = 21

// Lines are the record for a panel of 128x64: at most 21 characters each, the most important first; a panel shows eight, the
// others by scrolling. The first names the verdict, the next the part to replace.
func (r Record) Lines(language selftest.Language) []string {
	var lines []string
	add := func(text string) { lines = append(lines, wrapped(text)...) }
	add(r.Verdict().Title().In(language))
	if part := selftest.Part(r.Metadata.Part); part != "" {
		add(word(language, "Teil: ", "Part: ") + part.Title().In(language))
		add(part.Advice().In(language))
	}
	counts := map[selftest.Outcome]int{}
	for _, p := range r.Phases {
		counts[p.Finer()]++
		switch p.Finer() {
		case selftest.Fail:
			add("× " + p.Title(language))
			add("  " + failure(p, language))
		case selftest.Marginal:
			add("! " + p.Title(language))
		}
	}
	if n := counts[selftest.NotDone]; n > 0 {
		add(fmt.Sprintf("%d %s", n, word(language, "nicht geprüft", "not done")))
	}
	done := counts[selftest.Pass] + counts[selftest.Marginal] + counts[selftest.Fail]
	add(fmt.Sprintf("%d %s %d %s", counts[selftest.Pass]+counts[selftest.Marginal], word(language, "von", "of"), done, word(language, "bestanden", "passed")))
	if r.Metadata.LampCode != selftest.CodePassed {
		add(fmt.Sprintf("%s %d", word(language, "Lampencode", "Lamp code"), r.Metadata.LampCode))
	}
	return lines
}

// Sentences are the record in whole sentences, for a person who reads them on a larger panel, or hears them read.
func (r Record) Sentences(language selftest.Language) []string {
	title := r.Verdict().Title().In(language)
	said := []string{word(language, "Ergebnis des Selbsttests: ", "Result of the self-test: ") + title + "."}
	if part := selftest.Part(r.Metadata.Part); part != "" {
		said = append(said, fmt.Sprintf(word(language, "Defekt: %s. Maßnahme: %s.", "Broken: %s. What to do: %s."), part.Title().In(language), part.Advice().In(language)))
	}
	for _, p := range r.Phases {
		var format string
		text := failure(p, language)
		switch p.Finer() {
		case selftest.Fail:
			format = word(language, "%s ist fehlerhaft: %s.", "%s failed: %s.")
		case selftest.Marginal:
			format, text = word(language, "%s ist knapp an der Grenze: %s.", "%s is close to its limit: %s."), close(p, language)
		case selftest.NotDone:
			format, text = word(language, "%s wurde nicht geprüft: %s.", "%s was not done: %s."), p.Why(language)
		default:
			continue
		}
		said = append(said, fmt.Sprintf(format, p.Title(language), text))
	}
	return said
}

// close says which values are near their limits.
func close(p Phase, language selftest.Language) string {
	var said []string
	for _, m := range p.Ordered() {
		if m.Marginal {
			said = append(said, fmt.Sprintf("%s %s (%s)", m.Title(p, language), m.Text(language), m.Allowed(language)))
		}
	}
	return strings.Join(said, "; ")
}

func word(language selftest.Language, german, english string) string {
	return selftest.Text{German: german, English: english}.In(language)
}

// wrapped breaks a text between words into lines of lineLength; a longer word is cut through.
func wrapped(text string) []string {
	var lines []string
	indent := text[:min(len(text)-len(strings.TrimLeft(text, " ")), lineLength/2)]
	line := indent
	for _, w := range strings.Fields(text) {
		for w != "" {
			space := " "
			if strings.TrimSpace(line) == "" {
				space = ""
			}
			if utf8.RuneCountInString(line+space+w) <= lineLength {
				line += space + w
				break
			}
			if strings.TrimSpace(line) != "" {
				lines, line = append(lines, line), indent
				continue
			}
			room := lineLength - utf8.RuneCountInString(line)
			lines, w = append(lines, line+string([]rune(w)[:room])), string([]rune(w)[room:])
			line = indent
		}
	}
	if strings.TrimSpace(line) != "" {
		lines = append(lines, line)
	}
	return lines
}
