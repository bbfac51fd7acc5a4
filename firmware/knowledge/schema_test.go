package knowledge

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"reflect"
	"regexp"
	"testing"

	"freizeichen/firmware/document"
)

var rewrite = flag.Bool("rewrite", false, "write knowledge.schema.json anew")

// object is a JSON object whose keys come out in the order of the alphabet.
type object = map[string]any

// forms are the values that a key can have, by the tag `as`. An editor takes a number without quotes for a number.
var forms = map[string]object{
	"bool":     {"type": "boolean"},
	"id":       {"type": []string{"string", "integer"}, "pattern": "^[a-z0-9-]{1,32}$"},
	"name":     {"type": []string{"string", "number"}, "maxLength": nameMax},
	"line":     {"type": []string{"string", "number"}, "maxLength": lineMax},
	"notice":   {"type": []string{"string", "number"}, "maxLength": noticeMax},
	"hours":    {"type": "string", "pattern": "^(Mo|Di|Mi|Do|Fr|Sa|So)([,-](Mo|Di|Mi|Do|Fr|Sa|So))*( +[0-9]{1,2}:[0-9]{2}-[0-9]{1,2}:[0-9]{2}){1,4}$"},
	"holidays": {"enum": []string{"nrw"}},
	"day":      {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
	"moment":   {"type": "string", "pattern": "^([0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{1,2}:[0-9]{2})?|today)$"},
	"dial":     {"type": []string{"string", "integer"}, "pattern": "^[+]?[0-9*#]{1,32}$"},
	"number":   {"type": []string{"string", "integer"}, "pattern": "^[0-9]{2,20}$"},
	"time":     {"type": "string", "pattern": "^([0-9.]+(h|m|s))+$"},
	"percent":  {"type": "integer", "minimum": 1, "maximum": 100},
}

// describe is the schema of a type of the mirror.
func describe(t *testing.T, kind reflect.Type) object {
	properties, required := object{}, []string{}
	for i := range kind.NumField() {
		tag := kind.Field(i).Tag
		key, isKey := tag.Lookup("key")
		if !isKey {
			continue
		}
		if tag.Get("says") == "" {
			t.Errorf("%s.%s says nothing to an editor", kind, kind.Field(i).Name)
		}
		one := shape(t, kind.Field(i).Type, tag)
		one["description"] = tag.Get("says")
		properties[key] = one
		if tag.Get("must") == "yes" {
			required = append(required, key)
		}
	}
	return object{"type": "object", "additionalProperties": false, "properties": properties, "required": required}
}

func shape(t *testing.T, kind reflect.Type, tag reflect.StructTag) object {
	switch {
	case kind == reflect.TypeFor[document.Scalar]():
		form, known := forms[tag.Get("as")]
		if !known {
			t.Fatalf("no form is called %q", tag.Get("as"))
		}
		return maps.Clone(form)
	case kind.Kind() == reflect.Slice:
		list := object{"type": "array", "items": shape(t, kind.Elem(), tag), "maxItems": document.MostOf(tag, limits().List)}
		if tag.Get("must") == "yes" {
			list["minItems"] = 1
		}
		return list
	}
	return describe(t, kind)
}

func TestTheSchemaForEditorsAgreesWithTheReader(t *testing.T) {
	want := describe(t, reflect.TypeFor[raw]())
	want["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	want["title"] = "Knowledge of a service centre"
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(want); err != nil {
		t.Fatal(err)
	}
	if *rewrite {
		if err := os.WriteFile("knowledge.schema.json", text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if Schema() != text.String() {
		t.Error("knowledge.schema.json is not that of the mirror: make rewrite")
	}
}

// An editor must not complain about what Parse takes, and sees what it can see of the rest.
func TestTheFormsOfTheSchemaTakeWhatTheParsersTake(t *testing.T) {
	for _, test := range []struct {
		form       string
		parse      func(string) error
		taken, not []string
		unseen     string // a text that only the parser refuses
	}{
		{"hours", func(s string) error { _, err := parseHours(s); return err },
			[]string{"Mo-Fr 7:30-18:00", "Mo,Mi-Fr  08:00-12:00 14:00-24:00", "So 0:00-24:00"},
			[]string{"Mo", "7:30-18:00", "Mo-Fr 7.30-18.00", "mo 8:00-9:00", "Mo 1:00-2:00 3:00-4:00 5:00-6:00 7:00-8:00 9:00-10:00"}, "Fr-Mo 8:00-9:00"},
		{"day", func(s string) error { _, err := parseDay(s); return err }, []string{"2026-11-30"}, []string{"30.11.2026", "2026-11-30 8:00"}, "2026-11-31"},
		{"moment", func(s string) error { _, _, err := parseMoment(s); return err }, []string{"2026-11-30", "2026-11-30 9:00"}, []string{"9:00"}, "2026-11-30 25:00"},
		{"number", func(s string) error { _, err := parseNumber(s); return err }, []string{"115", "02812070"}, []string{"1", "0281 2070", "+49281"}, ""},
		{"dial", document.CheckNumber, []string{"+4928", "5036", "*1#"}, []string{"", "a", "1+1"}, ""},
		{"id", func(s string) error { _, err := parseID(s); return err }, []string{"kw-36", "115"}, []string{"", "Kw", "ä", "a b"}, ""},
	} {
		pattern := regexp.MustCompile(forms[test.form]["pattern"].(string))
		for _, text := range test.taken {
			if err := test.parse(text); err != nil || !pattern.MatchString(text) {
				t.Errorf("%s: %q is refused: %v", test.form, text, err)
			}
		}
		for _, text := range test.not {
			if err := test.parse(text); err == nil || pattern.MatchString(text) {
				t.Errorf("%s: %q is taken", test.form, text)
			}
		}
		if test.unseen != "" && test.parse(test.unseen) == nil {
			t.Errorf("%s: %q is taken", test.form, test.unseen)
		}
	}
}
