package imports

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
)

// wellKnown are methods whose meaning the standard library has written down.
var wellKnown = []string{
	"String", "GoString", "Error", "Unwrap", "Is", "As", "Format", "LogValue", "MarshalText", "UnmarshalText", "MarshalJSON",
	"UnmarshalJSON", "Read", "Write", "Close", "Len", "Less", "Swap", "ServeHTTP", "Enabled", "Handle", "WithAttrs", "WithGroup",
}

// Documented finds packages and exported names without a comment. Tests and generated files are not looked at.
func (t *Tree) Documented() []Finding {
	var found []Finding
	for dir, files := range t.packages() {
		said, code := false, false
		for _, file := range files {
			if file.Test {
				continue
			}
			code = true
			said = said || file.AST.Doc != nil
			if file.AST.Name.Name != "main" && !file.Generated {
				found = append(found, t.undocumented(file)...)
			}
		}
		if code && !said {
			found = append(found, Finding{Rule: "comment", Subject: dir, Where: dir, What: "the package has no comment", Why: "it says what the package does, what it must not do, and shows its picture"})
		}
	}
	return found
}

func (t *Tree) undocumented(file *File) []Finding {
	var found []Finding
	add := func(name *ast.Ident) {
		found = append(found, Finding{Rule: "comment", Subject: file.Dir + "." + name.Name, Where: t.at(name),
			What: name.Name + " has no comment", Why: "a public name says shapes, units, what zero means, errors and the source"})
	}
	for _, decl := range file.AST.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && d.Doc == nil && receiver(d) && !(d.Recv != nil && slices.Contains(wellKnown, d.Name.Name)) {
				add(d.Name)
			}
		case *ast.GenDecl:
			if d.Tok != token.IMPORT {
				for _, name := range silent(d) {
					add(name)
				}
			}
		}
	}
	return found
}

// receiver reports whether a function is none's method or that of an exported type.
func receiver(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	x := f.Recv.List[0].Type
	for {
		switch n := x.(type) {
		case *ast.StarExpr:
			x = n.X
		case *ast.IndexExpr:
			x = n.X
		case *ast.IndexListExpr:
			x = n.X
		case *ast.Ident:
			return n.IsExported()
		default:
			return false
		}
	}
}

// silent are the exported names of a declaration that no comment tells of: neither the group's, nor their own, nor one
// of a neighbour above that names them.
func silent(d *ast.GenDecl) []*ast.Ident {
	var names []*ast.Ident
	said := ""
	for _, spec := range d.Specs {
		var idents []*ast.Ident
		var own *ast.CommentGroup
		switch s := spec.(type) {
		case *ast.TypeSpec:
			idents, own = []*ast.Ident{s.Name}, either(s.Doc, s.Comment)
		case *ast.ValueSpec:
			idents, own = s.Names, either(s.Doc, s.Comment)
		}
		said += own.Text()
		for _, name := range idents {
			// A comment on a group of constants or variables speaks for all; types want one each.
			group := d.Doc != nil && (d.Tok != token.TYPE || !d.Lparen.IsValid())
			if name.IsExported() && own == nil && !group && !mentions(said+d.Doc.Text(), name.Name) {
				names = append(names, name)
			}
		}
	}
	return names
}

func either(doc, line *ast.CommentGroup) *ast.CommentGroup {
	if doc != nil {
		return doc
	}
	return line
}

func mentions(text, name string) bool {
	return strings.Contains(text, name) && regexp.MustCompile(`\b`+name+`\b`).MatchString(text)
}
