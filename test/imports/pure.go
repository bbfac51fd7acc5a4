package imports

import (
	"go/ast"
	"slices"
	"strconv"
)

// pure are the packages that decide: values in, values out.
var pure = []string{
	"hal", "sip", "firmware",
	"device/callcentre",
	"device/phone",
	"device/screen",
	"sip/acd",
	"sip/ami/message",
	"sip/codec",
	"sip/dialog",
	"sip/offer",
	"sip/presence",
}

// shells are packages in the folder of a pure one that carry out what it decides.
var shells = []string{"sip/presence/publisher"}

// impureImports are the doors to the machine. net/netip and net/url hold values and are none.
var impureImports = []string{
	"net", "net/http", "net/smtp", "os", "os/exec", "os/signal", "os/user", "log", "log/slog", "syscall", "io/ioutil",
	"math/rand", "math/rand/v2", "crypto/rand", "testing/synctest", "runtime", "unsafe",
}

// clockCalls read or wait for the clock; the other functions of time compute.
var clockCalls = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}

// Pure finds clocks, input, output and goroutines in packages that decide. Their tests may have them.
func (t *Tree) Pure() []Finding {
	var found []Finding
	for _, file := range t.Files {
		own := slices.ContainsFunc(pure, func(name string) bool { return fits(name, file.Dir) })
		if !own || slices.Contains(shells, file.Dir) || file.Test || file.AST.Name.Name == "main" {
			continue
		}
		add := func(node ast.Node, what, why string) {
			found = append(found, Finding{Rule: "pure", Subject: file.Dir, Where: t.at(node), What: file.Dir + " " + what, Why: why})
		}
		for _, spec := range file.AST.Imports {
			if imported, _ := strconv.Unquote(spec.Path.Value); slices.Contains(impureImports, imported) {
				add(spec, "imports "+imported, "a package that decides gets values and gives values; its shell does the rest")
			}
		}
		ast.Inspect(file.AST, func(node ast.Node) bool {
			switch n := node.(type) {
			case *ast.GoStmt:
				add(n, "starts a goroutine", "one goroutine owns the state: the caller's")
			case *ast.SelectorExpr:
				if imported, ok := packageOf(file, n.X); ok && imported == "time" && slices.Contains(clockCalls, n.Sel.Name) {
					add(n, "calls time."+n.Sel.Name, "time is received: `now time.Time` in, Deadline() out; else a day cannot pass in a test's second")
				}
			}
			return true
		})
	}
	return found
}

// packageOf is the import path that an expression names: "time" of time.Now, unless a local name hides it.
func packageOf(file *File, x ast.Expr) (string, bool) {
	ident, ok := x.(*ast.Ident)
	if !ok || ident.Obj != nil {
		return "", false
	}
	imported, ok := file.Imports[ident.Name]
	return imported, ok
}
