package knowledge

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"freizeichen/firmware"
)

// Format is the number of the compiled form. It grows when an older phone could misread it.
const Format = 1

// compiledMax bounds what Load reads: five times the compiled form of the largest file.
const compiledMax = 8 << 20

// ErrNewer tells a compiled file of a format that this program does not know yet.
var ErrNewer = errors.New("it was compiled for a newer program")

// envelope is the compiled file. The sum is over the bytes of Knowledge as they stand.
type envelope struct {
	Format    int             `json:"format"`
	SHA256    string          `json:"sha256"`
	Knowledge json.RawMessage `json:"knowledge"`
}

// Compile gives the one compiled form of checked knowledge: JSON of one line, with the number of its format and a SHA-256
// over its content.
//
//	{"format":1,"sha256":"<64 hex digits>","knowledge":{...}}
func Compile(k firmware.Knowledge) []byte {
	var content bytes.Buffer
	encoder := json.NewEncoder(&content)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(pack(k)); err != nil {
		panic(fmt.Sprintf("knowledge: texts, numbers and times of the years 0 to 9999 have a JSON: %v", err))
	}
	return seal(Format, bytes.TrimSuffix(content.Bytes(), []byte("\n")))
}

// seal puts content into its envelope.
func seal(format int, content []byte) []byte {
	return fmt.Appendf(nil, `{"format":%d,"sha256":"%x","knowledge":%s}`+"\n", format, sha256.Sum256(content), content)
}

// Load reads the compiled form. It refuses what was cut off or changed, a newer format (ErrNewer), and what names
// something that it does not hold. Dates are not looked at: what is over is not shown.
func Load(data []byte) (firmware.Knowledge, error) {
	k, err := load(data)
	if err != nil {
		return firmware.Knowledge{}, fmt.Errorf("knowledge: the compiled file is refused: %w", err)
	}
	return k, nil
}

func load(data []byte) (firmware.Knowledge, error) {
	if len(data) > compiledMax {
		return firmware.Knowledge{}, fmt.Errorf("it is larger than %d MiB", compiledMax>>20)
	}
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return firmware.Knowledge{}, fmt.Errorf("it is cut off or no JSON: %w", err)
	}
	switch sum := sha256.Sum256(e.Knowledge); {
	case e.Format > Format:
		return firmware.Knowledge{}, fmt.Errorf("format %d, this program knows up to %d: %w", e.Format, Format, ErrNewer)
	case e.Format < 1:
		return firmware.Knowledge{}, errors.New("it does not say its format")
	case e.SHA256 != hex.EncodeToString(sum[:]):
		return firmware.Knowledge{}, errors.New("it was changed: its checksum does not fit")
	}
	var w wire
	if err := json.Unmarshal(e.Knowledge, &w); err != nil {
		return firmware.Knowledge{}, fmt.Errorf("it has another form: %w", err)
	}
	k, err := w.unpack()
	if err != nil {
		return firmware.Knowledge{}, err
	}
	if err := whole(k); err != nil {
		return firmware.Knowledge{}, err
	}
	// There is one form only: this finds unknown and repeated keys, other spaces and other spellings of a time.
	if !encodable(k) || !bytes.Equal(Compile(k), data) {
		return firmware.Knowledge{}, errors.New("it is not what a compiler writes")
	}
	return k, nil
}

// encodable guards Compile against years that JSON has no form for.
func encodable(k firmware.Knowledge) bool {
	_, err := json.Marshal(pack(k))
	return err == nil
}

// whole finds what is named and does not exist: whoever shows knowledge need not look.
func whole(k firmware.Knowledge) error {
	calendars := index(k.Calendars, func(c firmware.Calendar) string { return c.ID })
	offices := index(k.Offices, func(o firmware.Office) string { return o.ID })
	topics := index(k.Topics, func(t firmware.Topic) string { return t.ID })
	tenants := index(k.Tenants, func(t firmware.Tenant) string { return t.ID })
	offices[""], tenants[""] = true, true
	need := func(known map[string]bool, ids ...string) error {
		for _, id := range ids {
			if !known[id] {
				return fmt.Errorf("it names %q, which it does not hold", id)
			}
		}
		return nil
	}
	var problems []error
	for _, o := range k.Offices {
		problems = append(problems, need(calendars, o.Calendar))
	}
	for _, t := range k.Tenants {
		problems = append(problems, need(topics, t.Topics...))
		for _, l := range t.Lines {
			problems = append(problems, need(calendars, l.Calendar))
		}
	}
	for _, c := range k.Cards {
		problems = append(problems, need(topics, c.Topic), need(tenants, c.Tenant), need(offices, c.Office))
	}
	for _, n := range k.Notices {
		problems = append(problems, need(tenants, n.Tenants...), need(topics, n.Topics...))
	}
	return errors.Join(problems...)
}

func index[T any](list []T, id func(T) string) map[string]bool {
	known := map[string]bool{}
	for _, one := range list {
		known[id(one)] = true
	}
	return known
}
