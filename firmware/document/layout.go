package document

import (
	"fmt"
	"slices"
	"strings"
)

// The YAML parser tells of wrong indentation in words of its own machinery. This file finds the slips of the hand that
// people make in a copy of the reference, and says what to do. It only explains: what is wrong, the parser decides.

// sectionless is the slip of taking the "#" off a key, but not off its section. It takes the section and its line.
const sectionless = `this line is indented, but no section stands above it; take the "#" off "%s:" in line %d too, or remove the indentation`

// A group is keys, or items of a list, that begin in one column.
type group struct {
	column int // from 0
	list   bool
}

// misplaced explains an indentation that the parser refused in the line or behind it; no hint: it is another fault.
func (p *Problems) misplaced(from int) (at Position, hint string) {
	var open []group // from the outermost to that of the line above
	opens := true    // the line above begins a group
	for i, text := range p.lines {
		content, column := strip(text)
		if content == "" {
			continue
		}
		above := slices.Clone(open)
		for len(open) > 0 && column < open[len(open)-1].column {
			open, opens = open[:len(open)-1], false
		}
		item := strings.HasPrefix(content, "- ")
		fits := len(open) > 0 && column == open[len(open)-1].column && (item || !open[len(open)-1].list)
		deeper := len(open) == 0 || column > open[len(open)-1].column
		if !fits && !(deeper && opens) && i+1 >= from {
			return Position{i + 1, column + 1}, p.slip(i+1, above)
		}
		if deeper {
			open = append(open, group{column, item})
		}
		if item {
			rest := strings.TrimLeft(content[1:], " ")
			open = append(open, group{column: column + len(content) - len(rest)})
		}
		opens = strings.HasSuffix(content, ":")
	}
	return Position{}, ""
}

// slip says what to do with a line that begins in no column of the groups above.
func (p *Problems) slip(line int, above []group) string {
	if section, at := p.section(line); at != 0 {
		return fmt.Sprintf(sectionless, section, at)
	}
	var columns []string
	for _, g := range above {
		if !g.list {
			columns = append(columns, fmt.Sprint(g.column+1))
		}
	}
	return "the indentation fits nothing above: keys that belong together begin in the same column, here " + strings.Join(columns, " or ")
}

// section finds a section that only comments part from an indented line, and that is a comment itself; 0 without one.
func (p *Problems) section(line int) (name string, at int) {
	_, column := strip(p.lines[line-1])
	for at = line - 1; at > 0; at-- {
		text := p.lines[at-1]
		if content, _ := strip(text); content != "" {
			break
		}
		comment := strings.TrimLeft(text, " ")
		name, found := strings.CutSuffix(strings.TrimSpace(strings.TrimLeft(comment, "# ")), ":")
		if found && name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz-") == "" && len(text)-len(comment) < column {
			return name, at
		}
	}
	return "", 0
}

// commented reports whether all that follows the key of a line is a comment.
func (p *Problems) commented(line int) bool {
	_, value, found := strings.Cut(p.lines[line-1], ":")
	return found && strings.HasPrefix(strings.TrimLeft(value, " "), "#")
}

// strip takes indentation and comment off a line; the column is from 0.
func strip(text string) (content string, column int) {
	content = strings.TrimLeft(text, " ")
	column = len(text) - len(content)
	if strings.HasPrefix(content, "#") {
		return "", column
	}
	content, _, _ = strings.Cut(content, " #")
	return strings.TrimRight(content, " \r"), column
}
