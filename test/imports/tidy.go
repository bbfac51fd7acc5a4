package imports

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Limits of size. Tests and generated files are not counted.
const (
	fileMax     = 500
	functionMax = 70
	packageMax  = 1500
)

// Sizes finds files, functions and packages that are too long.
func (t *Tree) Sizes() []Finding {
	var found []Finding
	add := func(subject, where string, lines, most int, why string) {
		if lines > most {
			what := fmt.Sprintf("%s has %d lines, at most %d are allowed", subject, lines, most)
			found = append(found, Finding{Rule: "size", Subject: subject, Where: where, What: what, Why: why, Lines: lines})
		}
	}
	total := map[string]int{}
	for _, file := range t.Files {
		if file.Test || file.Generated {
			continue
		}
		total[file.Dir] += file.Lines
		add(file.Path, file.Path, file.Lines, fileMax, "a file is one noun of its package: find the second noun")
		for _, decl := range file.AST.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				lines := t.Fset.Position(f.End()).Line - t.Fset.Position(f.Pos()).Line + 1
				add(file.Dir+"."+f.Name.Name, t.at(f), lines, functionMax, "a function is read on one screen")
			}
		}
	}
	for dir, lines := range total {
		add(dir, dir, lines, packageMax, "a package of this size has two duties: part them")
	}
	return found
}

// namesOfNothing say nothing about what is inside.
var namesOfNothing = []string{"util", "utils", "common", "helper", "helpers", "manager", "managers", "base", "types", "misc", "shared"}

// Names finds packages and files with names that fit everything.
func (t *Tree) Names() []Finding {
	var found []Finding
	for _, file := range t.Files {
		base := strings.TrimSuffix(strings.TrimSuffix(path.Base(file.Path), ".go"), "_test")
		for _, name := range []string{strings.TrimSuffix(file.AST.Name.Name, "_test"), base} {
			if slices.Contains(namesOfNothing, name) {
				found = append(found, Finding{Rule: "name", Subject: file.Path, Where: file.Path,
					What: fmt.Sprintf("%q is no noun of the trade", name), Why: "such a place attracts what belongs elsewhere; name what is inside"})
			}
		}
	}
	return found
}

// Inits finds init functions.
func (t *Tree) Inits() []Finding {
	var found []Finding
	for _, file := range t.Files {
		for _, decl := range file.AST.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				found = append(found, Finding{Rule: "init", Subject: file.Path, Where: t.at(f),
					What: "an init function", Why: "an import must do nothing: who needs something makes it"})
			}
		}
	}
	return found
}

// Skips finds tests that can pass in CI without testing: outside of test/tool, whoever skips must have asked for CI.
func (t *Tree) Skips() []Finding {
	var found []Finding
	for _, file := range t.Files {
		if fits("test/tool", file.Dir) {
			continue
		}
		for _, decl := range file.AST.Decls {
			skip, asks := skips(file, decl)
			if skip != nil && !asks {
				found = append(found, Finding{Rule: "skip", Subject: file.Path, Where: t.at(skip), What: "a test skips by itself",
					Why: `only test/tool skips, when a tool is missing at home; elsewhere os.Getenv("CI") makes it a failure: a suite that silently tests nothing is worse than none`})
			}
		}
	}
	return found
}

// skips finds the skip of a declaration, and whether it looks at CI.
func skips(file *File, decl ast.Decl) (skip ast.Node, asks bool) {
	ast.Inspect(decl, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok {
			return true
		}
		s, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, s.Sel.Name) && ofTest(s.X) {
			skip = call
		}
		if imported, _ := packageOf(file, s.X); imported == "os" && s.Sel.Name == "Getenv" {
			text, ok := call.Args[0].(*ast.BasicLit)
			asks = asks || ok && text.Value == `"CI"`
		}
		return true
	})
	return skip, asks
}

// ofTest tells t.Skip from the Skip of something else: by the names that tests, benchmarks and fuzz targets give theirs.
func ofTest(x ast.Expr) bool {
	ident, ok := x.(*ast.Ident)
	return ok && slices.Contains([]string{"t", "b", "f", "tb"}, ident.Name)
}

// privatePath matches a folder of somebody's machine. The words are parted so that this file does not match itself.
var privatePath = regexp.MustCompile(`(^|[\s"'=(:` + "`" + `])(/(ho` + `me|Us` + `ers|ro` + `ot|wo` + `rk|workspace|builds)/[A-Za-z0-9._-]+|[A-Z]:\\Us` + `ers\\)`)

// PrivatePaths finds folders of a private machine in any text.
func (t *Tree) PrivatePaths() []Finding {
	var found []Finding
	for name, text := range t.Texts {
		for i, line := range strings.Split(text, "\n") {
			if m := privatePath.FindString(line); m != "" {
				found = append(found, Finding{Rule: "path", Subject: name, Where: fmt.Sprintf("%s:%d", name, i+1),
					What: fmt.Sprintf("%q lies on somebody's machine", strings.TrimSpace(m)), Why: "the tree builds and runs anywhere"})
			}
		}
	}
	return found
}

// Variables finds package variables that change: assignments, and types made to change.
func (t *Tree) Variables() []Finding {
	var found []Finding
	for dir, files := range t.packages() {
		vars := packageVariables(files)
		for _, file := range files {
			add := func(node ast.Node, name string) {
				found = append(found, Finding{Rule: "variable", Subject: dir + "." + name, Where: t.at(node),
					What: dir + ": the package variable " + name + " changes", Why: "two phones in one process, or two tests, must not meet in a variable; put it into a struct"})
			}
			for name, spec := range vars {
				if spec.file == file && changes(file, spec.spec) {
					add(spec.spec, name)
				}
			}
			ast.Inspect(file.AST, func(node ast.Node) bool {
				for _, target := range targets(node) {
					if name, ok := packageVariable(file, vars, target); ok {
						add(node, name)
					}
				}
				return true
			})
		}
	}
	return found
}

type variable struct {
	file *File
	spec *ast.ValueSpec
}

func packageVariables(files []*File) map[string]variable {
	vars := map[string]variable{}
	for _, file := range files {
		for _, decl := range file.AST.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok || group.Tok != token.VAR {
				continue
			}
			for _, spec := range group.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					if name.Name != "_" {
						vars[name.Name] = variable{file, spec.(*ast.ValueSpec)}
					}
				}
			}
		}
	}
	return vars
}

// changes tells types whose only use is to change: locks, counters, pools.
func changes(file *File, spec *ast.ValueSpec) bool {
	s, ok := spec.Type.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	imported, _ := packageOf(file, s.X)
	return imported == "sync" || imported == "sync/atomic"
}

// targets are the expressions that a statement assigns to.
func targets(node ast.Node) []ast.Expr {
	switch n := node.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			return []ast.Expr{n.Key, n.Value}
		}
	}
	return nil
}

// packageVariable names the package variable that an assignment reaches, ours or one of another package.
func packageVariable(file *File, vars map[string]variable, target ast.Expr) (string, bool) {
	for {
		switch x := target.(type) {
		case *ast.ParenExpr:
			target = x.X
		case *ast.IndexExpr:
			target = x.X
		case *ast.StarExpr:
			target = x.X
		case *ast.SelectorExpr:
			if imported, ok := packageOf(file, x.X); ok {
				return imported + "." + x.Sel.Name, true
			}
			target = x.X
		case *ast.Ident:
			v, ok := vars[x.Name]
			return x.Name, ok && (x.Obj == nil || x.Obj.Decl == v.spec)
		default:
			return "", false
		}
	}
}
