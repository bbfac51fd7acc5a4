package document

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// depthMax bounds how deep brackets nest: no schema of ours needs more than six, and the YAML parser recurses.
const depthMax = 16

// lineMax bounds a line that is not JSON: the YAML parser needs the square of the colons in it.
const lineMax = 1000

// clean refuses what YAML would accept silently or report in words that help nobody.
func (p *Problems) clean(data []byte) bool {
	switch {
	case len(data) > p.limits.Size:
		p.Add(Position{}, "is larger than %d KiB: that is no %s", p.limits.Size>>10, p.limits.Kind)
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		p.Add(Position{1, 1}, "begins with a byte order mark; save it as UTF-8 without one")
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		p.Add(Position{1, 1}, "is UTF-16; save it as UTF-8")
	default:
		p.bytes(data, !isJSON(data))
	}
	return len(p.list) == 0
}

// isJSON tells an object of JSON, where tabs may indent and brackets do what spaces do in YAML.
func isJSON(data []byte) bool { return bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) }

// bytes checks characters, tabs and nesting line by line.
func (p *Problems) bytes(data []byte, indented bool) {
	line, depth, empty := 0, 0, true
	machine := json.Valid(data)
	for text := range bytes.Lines(data) {
		line++
		if len(text) > lineMax && !machine {
			p.Add(Position{line, lineMax}, "is longer than %d bytes in one line", lineMax)
			return
		}
		p.line(line, text, indented)
		content := bytes.TrimSpace(text)
		empty = empty && (len(content) == 0 || content[0] == '#')
		// Brackets in texts and comments count too: no sensible file has so many.
		for _, b := range content {
			switch b {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(0, depth-1)
			}
			if depth > depthMax {
				p.Add(Position{line, 1}, "nests deeper than %d brackets", depthMax)
				return
			}
		}
		if bytes.HasPrefix(content, bytes.Repeat([]byte("- "), depthMax)) {
			p.Add(Position{line, 1}, "nests deeper than %d lists", depthMax)
			return
		}
	}
	if empty && len(p.list) == 0 {
		p.Add(Position{}, "is empty: it holds no %s", p.limits.Part)
	}
}

// line checks the characters of one line.
func (p *Problems) line(line int, text []byte, indented bool) {
	leading := indented
	for column := 1; len(text) > 0; column++ {
		r, size := utf8.DecodeRune(text)
		at := Position{line, column}
		switch {
		case r == utf8.RuneError && size == 1:
			p.Add(at, "is not UTF-8 here: byte 0x%02x", text[0])
			return
		case r == '\t' && leading:
			p.Add(at, "a tab: YAML is indented with spaces")
			return
		case r == '\t', r == '\n', r == '\r' && bytes.Equal(text, []byte("\r\n")):
		case r < ' ', r == 0x7f:
			p.Add(at, "a control character (0x%02x)", r)
			return
		}
		leading = leading && r == ' '
		text = text[size:]
	}
}

// tree parses YAML and gives the only document's content.
func (p *Problems) tree(data []byte) ast.Node {
	if isJSON(data) {
		data = bytes.ReplaceAll(data, []byte("\t"), []byte(" ")) // RFC 8259 section 2: a tab is white space; never part of a string
	}
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		at, problem := Position{}, err.Error()
		if fault, ok := err.(yaml.Error); ok {
			problem = fault.GetMessage()
			if token := fault.GetToken(); token != nil && token.Position != nil {
				at = Position{token.Position.Line, token.Position.Column}
			}
		}
		if strings.Contains(problem, "not allowed in this context") && !isJSON(data) {
			if line, hint := p.misplaced(at.Line); hint != "" {
				p.Add(line, "%s", hint)
				return nil
			}
		}
		p.Add(at, "is not YAML: %s", problem)
		return nil
	}
	var body ast.Node
	for _, document := range file.Docs {
		if document.Body == nil || document.Body.Type() == ast.CommentType {
			continue
		}
		if body != nil {
			p.Add(where(document.Body), "a second document begins; a file holds one")
			return nil
		}
		body = document.Body
	}
	if body == nil {
		p.Add(Position{}, "is empty: it holds no %s", p.limits.Part)
	}
	return body
}

// where is the place of a node.
func where(node ast.Node) Position {
	if mapping, ok := node.(*ast.MappingNode); ok && !mapping.IsFlowStyle && len(mapping.Values) > 0 {
		return where(mapping.Values[0].Key)
	}
	if token := node.GetToken(); token != nil && token.Position != nil {
		return Position{token.Position.Line, token.Position.Column}
	}
	return Position{}
}
