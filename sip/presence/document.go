package presence

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
)

const pidfSpace = "urn:ietf:params:xml:ns:pidf"

// A Basic is the status of RFC 3863 section 4.1.4.
type Basic uint8

// The statuses.
const (
	Untold Basic = iota // the document has none
	Open
	Closed
)

// A Document is what we read of a presence document (RFC 3863).
type Document struct {
	Entity  string // whom it tells of: "sip:cc-kw-zulassung@pbx.example"
	Basic   Basic  // of the last tuple that has one
	Type    string // of Asterisk's presence state: "available", "not_set"; empty without the element
	Subtype string // "queue", "agent"
	// Texts are the reports: that of Asterisk's element, else the notes that look like one. Asterisk's own note
	// ("Ready") is none.
	Texts []string
}

// ReadDocument reads a PIDF body, of Asterisk or of a presence server.
func ReadDocument(body []byte) (Document, error) {
	var d Document
	var digium bool
	var notes []string
	err := walk(body, func(path []xml.Name, start *xml.StartElement, content string) error {
		name := path[len(path)-1]
		switch {
		case len(path) == 1 && start != nil:
			if name.Local != "presence" || name.Space != pidfSpace {
				return refused("a document that is no PIDF but <%.32s>", name.Local)
			}
			d.Entity = attribute(start, "entity")
		case start != nil && name.Local == "digium_presence":
			if digium {
				return refused("a document with two states")
			}
			digium = true
			d.Type, d.Subtype = attribute(start, "type"), attribute(start, "subtype")
		case start != nil:
		case name.Local == "digium_presence":
			d.Texts = report(nil, content)
		case name.Space == pidfSpace && name.Local == "note":
			notes = report(notes, content)
		case name.Space == pidfSpace && name.Local == "basic":
			d.Basic = basic(content)
		}
		return nil
	})
	if err != nil {
		return Document{}, err
	}
	if !digium {
		d.Texts = notes
	}
	if len(d.Texts) > textsMax {
		return Document{}, refused("a document with %d reports", len(d.Texts))
	}
	return d, nil
}

// report appends a text that can be a report: JSON, or base64 of it ("ey" is base64 of `{"`).
func report(texts []string, content string) []string {
	if content = strings.TrimSpace(content); strings.HasPrefix(content, "{") || strings.HasPrefix(content, "ey") || strings.HasPrefix(content, "ew") {
		return append(texts, content)
	}
	return texts
}

func basic(content string) Basic {
	switch strings.TrimSpace(content) {
	case "open":
		return Open
	case "closed":
		return Closed
	}
	return Untold
}

// attribute is an attribute without a namespace.
func attribute(start *xml.StartElement, name string) string {
	for _, a := range start.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// walk reads XML. It calls visit at the start of each element, and at its end with start nil and the text that stands
// directly in it. There is no DTD, so there are no entities but XML's own five, and nothing is fetched.
func walk(body []byte, visit func(path []xml.Name, start *xml.StartElement, content string) error) error {
	if len(body) > bodyMax {
		return refused("a body of %d bytes; at most %d are read", len(body), bodyMax)
	}
	decoder := xml.NewDecoder(bytes.NewReader(body))
	var path []xml.Name
	var contents [][]byte
	ended := false
	for tokens := 0; ; tokens++ {
		token, err := decoder.Token()
		switch {
		case err == io.EOF && ended:
			return nil
		case err == io.EOF:
			return refused("a body that is no document")
		case err != nil:
			return refused("a body that is no XML: %w", err)
		case tokens > tokensMax:
			return refused("a document with more than %d parts", tokensMax)
		}
		switch token := token.(type) {
		case xml.Directive:
			return refused("a document with a DTD")
		case xml.StartElement:
			if ended || len(path) >= depthMax {
				return refused("a document with a second root, or too deep")
			}
			path, contents = append(path, token.Name), append(contents, nil)
			err = visit(path, &token, "")
		case xml.CharData:
			if len(path) > 0 {
				contents[len(path)-1] = append(contents[len(path)-1], token...)
			}
		case xml.EndElement:
			err = visit(path, nil, string(contents[len(path)-1]))
			path, contents = path[:len(path)-1], contents[:len(path)-1]
			ended = len(path) == 0
		}
		if err != nil {
			return err
		}
	}
}

// Queue is the body that Asterisk sends about a queue: its own element carries the report (see Text). entity is the
// resource's URI.
func Queue(entity, text string) []byte { return digium(entity, queueKind, text) }

// Phone is the body that Asterisk sends about a phone: its own element carries the bell (see Bell).
func Phone(entity, text string) []byte { return digium(entity, agentKind, text) }

// Silent is the body of a resource that nobody has reported about.
func Silent(entity string) []byte { return digium(entity, "", "") }

func digium(entity, subtype, text string) []byte {
	kind, state := "available", "open"
	if text == "" {
		kind, state = "not_set", "closed"
	}
	var w bytes.Buffer
	head(&w, entity)
	w.WriteString(`<note>Ready</note><tuple id="state"><status><basic>` + state + `</basic></status></tuple>` +
		`<tuple id="digium-presence"><status><digium_presence type="` + kind + `" subtype="` + subtype + `">`)
	escape(&w, text)
	w.WriteString("</digium_presence></status></tuple></presence>\n")
	return w.Bytes()
}

// Publication is a standard document (RFC 3863) for a presence server: a note carries the report or bell. id names the
// tuple: of two publications of one tuple a server shows the newer.
func Publication(entity, id, text string) []byte {
	var w bytes.Buffer
	head(&w, entity)
	w.WriteString(`<tuple id="`)
	escape(&w, id)
	w.WriteString(`"><status><basic>open</basic></status><note>`)
	escape(&w, text)
	w.WriteString("</note></tuple></presence>\n")
	return w.Bytes()
}

func head(w *bytes.Buffer, entity string) {
	w.WriteString(xml.Header + `<presence xmlns="` + pidfSpace + `" entity="`)
	escape(w, entity)
	w.WriteString(`">`)
}

func escape(w *bytes.Buffer, text string) { _ = xml.EscapeText(w, []byte(text)) } // a Buffer takes everything
