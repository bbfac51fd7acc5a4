package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// bind copies the tree into the mirror. What does not fit is listed and left out, so that one look finds all of it.
func (p *problems) bind(node ast.Node, mirror *raw) {
	p.bindValue("", node, reflect.ValueOf(mirror).Elem())
}

func (p *problems) bindValue(path string, node ast.Node, into reflect.Value) {
	if into.Type() == reflect.TypeFor[scalar]() {
		p.bindScalar(path, node, into)
		return
	}
	switch into.Kind() {
	case reflect.Slice:
		p.bindList(path, node, into)
	case reflect.Struct:
		p.bindMapping(path, node, into)
	default:
		panic(fmt.Sprintf("config: the mirror holds a %s at %s", into.Type(), path))
	}
}

func (p *problems) bindMapping(path string, node ast.Node, into reflect.Value) {
	var entries []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		entries = n.Values
	case *ast.MappingValueNode:
		entries = []*ast.MappingValueNode{n}
	default:
		p.add(where(node), "%s must hold keys (%s), but is %s", called(path), strings.Join(keys(into.Type()), ", "), kind(node))
		return
	}
	if at := into.FieldByName("At"); at.IsValid() {
		at.Set(reflect.ValueOf(where(node)))
	}
	seen := map[string]position{}
	for _, entry := range entries {
		key, at := keyText(entry.Key), where(entry.Key)
		field, known := fieldOf(into, key)
		if !known {
			if section, line := p.section(at.line); line != 0 {
				p.add(at, sectionless, section, line)
			} else {
				p.add(at, "%s is not known%s; allowed: %s", shown(key), within(path), strings.Join(keys(into.Type()), ", "))
			}
			continue
		}
		if first, twice := seen[key]; twice {
			p.add(at, "%s is given twice, first in line %d", join(path, key), first.line)
			continue
		}
		seen[key] = at
		if entry.Value == nil || entry.Value.Type() == ast.NullType {
			if p.commented(at.line) {
				p.add(at, "%s has no value: # begins a comment; put a text that begins with # in quotes", join(path, key))
				continue
			}
			p.add(at, "%s has no value; leave the key out for its default", join(path, key))
			continue
		}
		p.bindValue(join(path, key), entry.Value, field)
	}
}

func (p *problems) bindList(path string, node ast.Node, into reflect.Value) {
	list, ok := node.(*ast.SequenceNode)
	if !ok {
		p.add(where(node), "%s must be a list, but is %s", path, kind(node))
		return
	}
	if len(list.Values) > listMax {
		p.add(where(node), "%s has %d entries, at most %d are allowed", path, len(list.Values), listMax)
		return
	}
	// Not nil even when it is empty: an empty list is not the default.
	into.Set(reflect.MakeSlice(into.Type(), len(list.Values), len(list.Values)))
	for i, value := range list.Values {
		p.bindValue(fmt.Sprintf("%s[%d]", path, i), value, into.Index(i))
	}
}

// listMax bounds every list: a hundred dial rules are more than any office has.
const listMax = 100

func (p *problems) bindScalar(path string, node ast.Node, into reflect.Value) {
	value := scalar{path: path, at: where(node), set: true}
	switch n := node.(type) {
	case *ast.StringNode:
		value.text = n.Value
	case *ast.LiteralNode:
		value.text = n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		// The text, not the number: 0281 is a number to dial, not an octal one.
		value.text = n.GetToken().Value
	default:
		p.add(value.at, "%s must be one value, but is %s", path, kind(node))
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

// fieldOf finds the mirror's field of a key.
func fieldOf(mirror reflect.Value, key string) (reflect.Value, bool) {
	for i := range mirror.NumField() {
		if name, ok := mirror.Type().Field(i).Tag.Lookup("key"); ok && name == key {
			return mirror.Field(i), true
		}
	}
	return reflect.Value{}, false
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
