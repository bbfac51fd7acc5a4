package document

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// bind copies the tree into the mirror. What does not fit is listed and left out, so that one look finds all of it.
func (p *Problems) bind(node ast.Node, mirror any) {
	p.bindValue("", node, reflect.ValueOf(mirror).Elem(), "")
}

func (p *Problems) bindValue(path string, node ast.Node, into reflect.Value, tag reflect.StructTag) {
	if into.Type() == reflect.TypeFor[Scalar]() {
		p.bindScalar(path, node, into)
		return
	}
	switch into.Kind() {
	case reflect.Slice:
		p.bindList(path, node, into, tag)
	case reflect.Struct:
		p.bindMapping(path, node, into)
	default:
		panic(fmt.Sprintf("document: the mirror holds a %s at %s", into.Type(), path))
	}
}

func (p *Problems) bindMapping(path string, node ast.Node, into reflect.Value) {
	var entries []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		entries = n.Values
	case *ast.MappingValueNode:
		entries = []*ast.MappingValueNode{n}
	default:
		p.Add(where(node), "%s must hold keys (%s), but is %s", called(path), strings.Join(keys(into.Type()), ", "), kind(node))
		return
	}
	if at := into.FieldByName("At"); at.IsValid() {
		at.Set(reflect.ValueOf(where(node)))
	}
	seen := map[string]Position{}
	for _, entry := range entries {
		key, at := keyText(entry.Key), where(entry.Key)
		field, tag, known := fieldOf(into, key)
		if !known {
			if section, line := p.section(at.Line); line != 0 {
				p.Add(at, sectionless, section, line)
			} else {
				p.Add(at, "%s is not known%s; allowed: %s", shown(key), within(path), strings.Join(keys(into.Type()), ", "))
			}
			continue
		}
		if first, twice := seen[key]; twice {
			p.Add(at, "%s is given twice, first in line %d", join(path, key), first.Line)
			continue
		}
		seen[key] = at
		if entry.Value == nil || entry.Value.Type() == ast.NullType {
			if p.commented(at.Line) {
				p.Add(at, "%s has no value: # begins a comment; put a text that begins with # in quotes", join(path, key))
				continue
			}
			if tag.Get("must") == "yes" {
				p.Add(at, "%s has no value", join(path, key))
				continue
			}
			p.Add(at, "%s has no value; leave the key out for its default", join(path, key))
			continue
		}
		p.bindValue(join(path, key), entry.Value, field, tag)
	}
	p.missing(path, where(node), into.Type(), seen)
}

// missing lists the keys that the mirror demands and the group lacks.
func (p *Problems) missing(path string, at Position, mirror reflect.Type, seen map[string]Position) {
	for i := range mirror.NumField() {
		tag := mirror.Field(i).Tag
		key, isKey := tag.Lookup("key")
		if _, given := seen[key]; isKey && !given && tag.Get("must") == "yes" {
			p.Add(at, "%s is missing", join(path, key))
		}
	}
}

func (p *Problems) bindList(path string, node ast.Node, into reflect.Value, tag reflect.StructTag) {
	list, ok := node.(*ast.SequenceNode)
	if !ok {
		p.Add(where(node), "%s must be a list, but is %s", path, kind(node))
		return
	}
	if len(list.Values) == 0 && tag.Get("must") == "yes" {
		p.Add(where(node), "%s must not be empty", path)
	}
	if most := MostOf(tag, p.limits.List); len(list.Values) > most {
		p.Add(where(node), "%s has %d entries, at most %d are allowed", path, len(list.Values), most)
		return
	}
	// Not nil even when it is empty: an empty list is not the default.
	into.Set(reflect.MakeSlice(into.Type(), len(list.Values), len(list.Values)))
	for i, value := range list.Values {
		p.bindValue(fmt.Sprintf("%s[%d]", path, i), value, into.Index(i), "")
	}
}

func (p *Problems) bindScalar(path string, node ast.Node, into reflect.Value) {
	value := Scalar{Path: path, At: where(node), Set: true}
	switch n := node.(type) {
	case *ast.StringNode:
		value.Text = n.Value
	case *ast.LiteralNode:
		value.Text = n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		// The text, not the number: 0281 is a number to dial, not an octal one.
		value.Text = n.GetToken().Value
	default:
		hint := ""
		if _, group := node.(*ast.MappingNode); group && strings.HasSuffix(path, "]") {
			hint = "; put a text that holds a colon in quotes" // "- Papers: none" is the usual slip
		}
		p.Add(value.At, "%s must be one value, but is %s%s", path, kind(node), hint)
		return
	}
	into.Set(reflect.ValueOf(value))
}

// kind names a node for people. Its content is not shown: it may be a password in the wrong place.
func kind(node ast.Node) string {
	switch node.(type) {
	case nil, *ast.NullNode:
		return "empty"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a group of keys"
	case *ast.SequenceNode:
		return "a list"
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return "an anchor or alias (& or *), which is not taken here; put a text that begins so in quotes"
	case *ast.TagNode:
		return "a tag (!), which is not taken here; put a text that begins so in quotes"
	}
	return "one value"
}

func keyText(key ast.MapKeyNode) string {
	switch k := key.(type) {
	case *ast.StringNode:
		return k.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return k.GetToken().Value
	}
	return ""
}

// fieldOf finds the mirror's field of a key, with its tag.
func fieldOf(mirror reflect.Value, key string) (field reflect.Value, tag reflect.StructTag, known bool) {
	for i := range mirror.NumField() {
		tag := mirror.Type().Field(i).Tag
		if name, ok := tag.Lookup("key"); ok && name == key {
			return mirror.Field(i), tag, true
		}
	}
	return reflect.Value{}, "", false
}

// MostOf is how many entries a field with this tag takes, or what holds for all lists.
func MostOf(tag reflect.StructTag, list int) int {
	if most, err := strconv.Atoi(tag.Get("most")); err == nil {
		return most
	}
	return list
}

// keys are the keys of a group, in the reference's order.
func keys(mirror reflect.Type) []string {
	var names []string
	for i := range mirror.NumField() {
		if name, ok := mirror.Field(i).Tag.Lookup("key"); ok {
			names = append(names, name)
		}
	}
	return names
}

// shown is an unknown key for people, unless it may be a password without its key.
func shown(key string) string {
	word := strings.Trim(strings.ToLower(key), "abcdefghijklmnopqrstuvwxyz-_") == ""
	if key == "" || len(key) > 30 || !word {
		return "this key"
	}
	return fmt.Sprintf("%q", key)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func within(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}

func called(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}
