// Package imports holds the rules that every source of this project obeys, and checks them by parsing the sources:
//
//	Picture   who may import whom, and which foreign modules stop where (ARCHITECTURE.md shows it)
//	Pure      no clock, network, files, log or goroutine in the deciding packages
//	Tidy      sizes, names, comments, variables that change, tests that skip
//
// It parses instead of asking `go list`: the answer of a command passes stale from the test cache, while a file that was
// read through os.DirFS is part of the cache's key. Every finding says why the rule is there.
package imports

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// module is what go.mod calls us.
const module = "freizeichen"

// A Finding is one place that breaks a rule.
type Finding struct {
	Rule    string // name of the rule: "import", "pure", "size"
	Subject string // what an exception would name: a folder, a file or a function
	Where   string // file:line or folder
	What    string // what stands there
	Why     string // why it must not
	Lines   int    // of rule "size"
}

// An Exception is a subject that may break one rule.
type Exception struct {
	Rule, Subject string
	Lines         int    // of rule "size": the subject's own limit
	Why           string // never empty
}

func (f Finding) String() string {
	return fmt.Sprintf("%s: %s: %s\n\t%s", f.Where, f.Rule, f.What, f.Why)
}

// A File is one Go source.
type File struct {
	Path      string // from the top, with slashes
	Dir       string // folder of Path
	Test      bool   // _test.go
	Generated bool   // has the generated-code comment of `go help generate`
	Lines     int
	AST       *ast.File
	Imports   map[string]string // name in the file -> import path; without the blank and the dot
}

// A Tree is all sources of a module.
type Tree struct {
	Fset  *token.FileSet
	Files []*File           // in the order of their paths
	Texts map[string]string // every text file by its path, Go or not
}

// Read parses the module at the top of files. Folders that begin with "." or "_", testdata, build and what git ignores
// by its name are no part of it, as for the go command; texts are looked at in testdata too.
func Read(files fs.FS) (*Tree, error) {
	tree := &Tree{Fset: token.NewFileSet(), Texts: map[string]string{}}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		switch {
		case entry.IsDir() && (name == ".git" || name == "build"):
			return fs.SkipDir
		case entry.IsDir() || name == ".git": // in a worktree of git, .git is a file
			return nil
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		if strings.ContainsRune(string(data), 0) {
			return nil // a picture, a font, a sound
		}
		tree.Texts[name] = string(data)
		if strings.HasSuffix(base, ".go") && !unseen(name) {
			return tree.add(name, string(data))
		}
		return nil
	})
	return tree, err
}

// unseen reports whether the go command does not look at a file.
func unseen(name string) bool {
	return slices.ContainsFunc(strings.Split(name, "/"), func(part string) bool {
		return part == "testdata" || part[0] == '.' || part[0] == '_'
	})
}

func (t *Tree) add(name, source string) error {
	// Objects are resolved: an assignment to a local name is told from one to a package variable.
	parsed, err := parser.ParseFile(t.Fset, name, source, parser.ParseComments)
	if err != nil {
		return fmt.Errorf("imports: %w", err)
	}
	file := &File{
		Path:      name,
		Dir:       path.Dir(name),
		Test:      strings.HasSuffix(name, "_test.go"),
		Generated: ast.IsGenerated(parsed),
		Lines:     strings.Count(source, "\n"),
		AST:       parsed,
		Imports:   map[string]string{},
	}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return fmt.Errorf("imports: %s: %w", name, err)
		}
		// The last part that is no version is what packages are called, nearly always.
		local := path.Base(imported)
		if len(local) > 1 && local[0] == 'v' && strings.Trim(local[1:], "0123456789") == "" {
			local = path.Base(path.Dir(imported))
		}
		if spec.Name != nil {
			local = spec.Name.Name
		}
		if local != "_" && local != "." {
			file.Imports[local] = imported
		}
	}
	t.Files = append(t.Files, file)
	return nil
}

// at is a place for a finding.
func (t *Tree) at(node ast.Node) string {
	p := t.Fset.Position(node.Pos())
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

// packages are the folders with Go sources, each with its files.
func (t *Tree) packages() map[string][]*File {
	all := map[string][]*File{}
	for _, file := range t.Files {
		all[file.Dir] = append(all[file.Dir], file)
	}
	return all
}

// Check is every finding of every rule but the exceptions, and every exception that is not needed.
func (t *Tree) Check(exceptions []Exception) []Finding {
	var found []Finding
	for _, rule := range []func() []Finding{
		t.Picture, t.Foreign, t.Pure, t.Sizes, t.Names, t.Inits, t.Variables, t.Documented, t.Skips, t.PrivatePaths,
	} {
		found = append(found, rule()...)
	}
	used := make([]bool, len(exceptions))
	found = slices.DeleteFunc(found, func(f Finding) bool {
		i := slices.IndexFunc(exceptions, func(x Exception) bool {
			return x.Rule == f.Rule && x.Subject == f.Subject && x.Lines >= f.Lines && x.Why != ""
		})
		if i >= 0 {
			used[i] = true
		}
		return i >= 0
	})
	for i, x := range exceptions {
		if !used[i] {
			found = append(found, Finding{Rule: x.Rule, Subject: x.Subject, Where: x.Subject, What: "an exception that does not help",
				Why: "it is not needed any more, or its limit is passed, or it says no reason; exceptions that stand about invite the next"})
		}
	}
	return found
}
