package imports

import (
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// exceptions of our own sources.
var exceptions = []Exception{
	{Rule: "size", Subject: "device/phone", Lines: 2750, Why: "one state machine: keys, calls, dialling and lists change the same state, and its view belongs to it"},
	{Rule: "size", Subject: "device/callcentre", Lines: 1960, Why: "one state machine: sign-in, calls, wrap-up and menus change the same state, and its view belongs to it"},
	{Rule: "size", Subject: "device/screen", Lines: 3450, Why: "layouts of two panels for phone and desk, icons, and the words of two languages: tables more than code; the desk's words are a package of their own already"},
	{Rule: "size", Subject: "cmd/centre", Lines: 1600, Why: "it joins PBX, model, store, pages and metrics of one switchboard: an adapter for each, and no decision"},
	{Rule: "size", Subject: "sip/media", Lines: 1550, Why: "one RTP session from socket to frame: buffer, digits and reports are of no use without each other"},
	{Rule: "size", Subject: "sip/exchange", Lines: 1800, Why: "what can be apart is: queue, registrar, citizen, studio, plan; the rest is one conversation between legs"},
	{Rule: "size", Subject: "sip/acd", Lines: 1700, Why: "queues, members and agents change each other in one step; counting, line, day and alarms are packages of their own already"},
	{Rule: "size", Subject: "sip/transaction", Lines: 2600, Why: "the four machines of RFC 3261 section 17, their routes and their sockets: none is of use without the others"},
	{Rule: "size", Subject: "sip/ua", Lines: 1950, Why: "the calls of one account; header fields, digest, client and registration are packages of their own already"},
	{Rule: "skip", Subject: "device/screen/font/internal/generate/main_test.go", Why: "it compares a generated file with Debian's fonts, which make tools installs"},
}

func TestOurSourcesObeyTheRules(t *testing.T) {
	tree, err := Read(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.Files) < 20 {
		t.Fatalf("only %d sources were read: the test looks at the wrong folder", len(tree.Files))
	}
	findings := tree.Check(exceptions)
	slices.SortFunc(findings, func(a, b Finding) int { return strings.Compare(a.String(), b.String()) })
	for _, f := range findings {
		t.Error(f)
	}
}

// source is a file whose package comment is no one's business.
func source(pkg, rest string) string { return "// Package comment.\npackage " + pkg + "\n" + rest }

func TestEveryRuleFindsWhatBreaksIt(t *testing.T) {
	lines := func(n int) string { return strings.Repeat("//\n", n) }
	tests := []struct {
		name  string
		files map[string]string
		want  []string // "rule subject" of every finding, sorted; none: the sources obey
	}{
		// Imports of ours.
		{"a column looks at another", map[string]string{"sip/ua/a.go": source("ua", `import _ "freizeichen/hal"`)}, []string{"import sip/ua"}},
		{"a part looks at its neighbour", map[string]string{"sip/media/a.go": source("media", `import _ "freizeichen/sip/offer"`)}, []string{"import sip/media"}},
		{"a root imports something", map[string]string{"hal/a.go": source("hal", `import _ "freizeichen/sip"`)}, []string{"import hal"}},
		{"the phone looks at the network", map[string]string{"device/phone/a.go": source("phone", `import _ "freizeichen/sip/ua"`)}, []string{"import device/phone"}},
		{"the phone speaks the roots", map[string]string{"device/phone/a.go": source("phone", `import (_ "freizeichen/sip"; _ "freizeichen/hal")`)}, nil},
		{"someone imports a test package", map[string]string{"cmd/phonesim/a.go": source("main", `import _ "freizeichen/test/tool"`)}, []string{"import cmd/phonesim"}},
		{"a test beside the code imports a test package", map[string]string{"sip/a_test.go": source("sip", `import _ "freizeichen/test/tool"`)}, []string{"import sip"}},
		{"the store's test looks for PostgreSQL", map[string]string{"cmd/centre/internal/store/a_test.go": source("store", `import _ "freizeichen/test/tool"`)}, nil},
		{"the store looks for PostgreSQL", map[string]string{"cmd/centre/internal/store/a.go": source("store", `import _ "freizeichen/test/tool"`)}, []string{"import cmd/centre/internal/store"}},
		{"the centre is a phone", map[string]string{"cmd/centre/a.go": source("centre", `import _ "freizeichen/cmd/station"`)}, []string{"import cmd/centre"}},
		{"programs share the centre", map[string]string{"cmd/switchboard/a.go": source("main", `import _ "freizeichen/cmd/centre"`), "cmd/phonesim/a.go": source("main", `import _ "freizeichen/cmd/centre"`)}, nil},
		{"the phone's client opens a database", map[string]string{"sip/switchboard/a.go": source("switchboard", `import _ "modernc.org/sqlite"`)}, []string{"foreign sip/switchboard"}},
		{"the phone's client looks at the journal", map[string]string{"sip/switchboard/a.go": source("switchboard", `import _ "freizeichen/firmware/journal"`)}, []string{"import sip/switchboard"}},
		{"a program imports siptest", map[string]string{"cmd/phonesim/a.go": source("main", `import _ "freizeichen/sip/siptest"`)}, []string{"import cmd/phonesim"}},
		{"a program imports another", map[string]string{"cmd/phonectl/a.go": source("main", `import _ "freizeichen/cmd/phonesim"`)}, []string{"import cmd/phonectl"}},
		{"a program imports its own rooms", map[string]string{"cmd/phonesim/a.go": source("main", `import (_ "freizeichen/cmd/phonesim/internal/page"; _ "freizeichen/sip/exchange")`)}, nil},
		{"programs share a room", map[string]string{"cmd/phonesim/a.go": source("main", `import _ "freizeichen/cmd/station"`)}, nil},
		{"a station has no body", map[string]string{"cmd/station/a.go": source("station", `import _ "freizeichen/hal/sim"`)}, []string{"import cmd/station"}},
		{"a station knows no program", map[string]string{"cmd/station/a.go": source("station", `import _ "freizeichen/cmd/phonesim"`)}, []string{"import cmd/station"}},
		{"nobody below imports a program's room", map[string]string{"device/loop/a.go": source("loop", `import _ "freizeichen/cmd/station"`)}, []string{"import device/loop"}},
		{"the page knows its program's other rooms", map[string]string{"cmd/phonesim/internal/page/a.go": source("page", `import _ "freizeichen/cmd/phonesim/internal/x"`)}, []string{"import cmd/phonesim/internal/page"}},
		{"the page knows calls", map[string]string{"cmd/phonesim/internal/page/a.go": source("page", `import _ "freizeichen/sip"`)}, []string{"import cmd/phonesim/internal/page"}},
		{"the page is a body", map[string]string{"cmd/phonesim/internal/page/a.go": source("page", `import (_ "freizeichen/hal/sim"; _ "freizeichen/device/screen")`)}, nil},
		{"firmware reads no SIP", map[string]string{"firmware/config/a.go": source("config", `import _ "freizeichen/sip"`)}, []string{"import firmware/config"}},
		{"within a part all is free", map[string]string{"sip/ua/a.go": source("ua", `import _ "freizeichen/sip/ua/client"`)}, nil},
		{"a test looks at its column", map[string]string{"sip/ua/a_test.go": source("ua", `import (_ "freizeichen/sip/siptest"; _ "freizeichen/sip/exchange")`)}, nil},
		{"a test looks at another column", map[string]string{"sip/ua/a_test.go": source("ua", `import _ "freizeichen/hal/sim"`)}, []string{"import sip/ua"}},
		{"a folder that nobody drew", map[string]string{"sip/new/a.go": source("new", ""), "extra/a.go": source("extra", ""), "hal/oled/a.go": source("oled", "")}, []string{"import extra", "import hal/oled", "import sip/new"}},

		// Imports of others.
		{"sipgo above the user agent", map[string]string{"device/phone/a.go": source("phone", `import _ "github.com/emiago/sipgo/sip"`)}, []string{"foreign device/phone"}},
		{"pion outside of media", map[string]string{"sip/ua/a.go": source("ua", `import _ "github.com/pion/rtp"`)}, []string{"foreign sip/ua"}},
		{"a test looks at a packet", map[string]string{"sip/ua/a_test.go": source("ua", `import _ "github.com/pion/rtp"`)}, nil},
		{"websocket outside of phonesim", map[string]string{"device/console/a.go": source("console", `import _ "github.com/coder/websocket"`)}, []string{"foreign device/console"}},
		{"a second reader of YAML", map[string]string{"cmd/phonesim/a.go": source("main", `import _ "github.com/goccy/go-yaml"`)}, []string{"foreign cmd/phonesim"}},
		{"a browser in the product", map[string]string{"cmd/phonesim/a_test.go": source("main", `import _ "github.com/chromedp/chromedp"`)}, []string{"foreign cmd/phonesim"}},
		{"a browser in a test", map[string]string{"test/browser/a_test.go": source("browser", `import _ "github.com/chromedp/chromedp"`)}, nil},
		{"a module nobody argued for", map[string]string{"hal/sim/a.go": source("sim", `import _ "example.com/new"`)}, []string{"foreign hal/sim"}},

		// Pure packages.
		{"a decision reads the clock", map[string]string{"device/phone/a.go": source("phone", "import \"time\"\nvar x = time.Now()")}, []string{"pure device/phone"}},
		{"a decision reads the clock by another name", map[string]string{"device/phone/a.go": source("phone", "import clock \"time\"\nfunc f() { clock.Sleep(1) }")}, []string{"pure device/phone"}},
		{"a decision computes with times", map[string]string{"device/phone/a.go": source("phone", "import \"time\"\nvar x = time.Unix(0, 0).Add(time.Second)")}, nil},
		{"a local name hides the clock", map[string]string{"device/phone/a.go": source("phone", "import \"time\"\nvar _ time.Time\nfunc f(time struct{ Now func() }) { time.Now() }")}, nil},
		{"a decision opens a file", map[string]string{"device/screen/a.go": source("screen", `import _ "os"`)}, []string{"pure device/screen"}},
		{"a decision opens a socket", map[string]string{"sip/offer/a.go": source("offer", `import _ "net"`)}, []string{"pure sip/offer"}},
		{"a decision knows addresses", map[string]string{"sip/offer/a.go": source("offer", `import _ "net/netip"`)}, nil},
		{"a decision logs", map[string]string{"sip/codec/a.go": source("codec", `import _ "log/slog"`)}, []string{"pure sip/codec"}},
		{"a decision starts a goroutine", map[string]string{"sip/codec/a.go": source("codec", "func f() { go f() }")}, []string{"pure sip/codec"}},
		{"its test may", map[string]string{"sip/codec/a_test.go": source("codec", "import _ \"os\"\nfunc f() { go f() }")}, nil},

		// Sizes.
		{"a file too long", map[string]string{"sip/ua/a.go": source("ua", lines(499))}, []string{"size sip/ua/a.go"}},
		{"a test as long as it likes", map[string]string{"sip/ua/a_test.go": source("ua", lines(5000))}, nil},
		{"a generated file as long as it likes", map[string]string{"sip/ua/a.go": "// Code generated by x. DO NOT EDIT.\n\n" + source("ua", lines(5000))}, nil},
		{"a function too long", map[string]string{"sip/ua/a.go": source("ua", "func f() {\n"+lines(69)+"}")}, []string{"size sip/ua.f"}},
		{"a function as long as a screen", map[string]string{"sip/ua/a.go": source("ua", "func f() {\n"+lines(68)+"}")}, nil},
		{"a package too long", map[string]string{"sip/ua/a.go": source("ua", lines(450)), "sip/ua/b.go": source("ua", lines(450)),
			"sip/ua/c.go": source("ua", lines(450)), "sip/ua/d.go": source("ua", lines(450))}, []string{"size sip/ua"}},

		// Names, inits, variables, comments, skips, paths.
		{"a package for everything", map[string]string{"sip/ua/util/a.go": source("util", "")}, []string{"name sip/ua/util/a.go"}},
		{"a file for everything", map[string]string{"sip/ua/helpers_test.go": source("ua", "")}, []string{"name sip/ua/helpers_test.go"}},
		{"an init", map[string]string{"sip/ua/a.go": source("ua", "func init() {}")}, []string{"init sip/ua/a.go"}},
		{"a method called init", map[string]string{"sip/ua/a.go": source("ua", "type x int\nfunc (x) init() {}")}, nil},
		{"a variable is assigned", map[string]string{"sip/ua/a.go": source("ua", "var x int"), "sip/ua/b.go": source("ua", "func f() { x = 1 }")}, []string{"variable sip/ua.x"}},
		{"a variable is counted up", map[string]string{"sip/ua/a.go": source("ua", "var x int\nfunc f() { x++ }")}, []string{"variable sip/ua.x"}},
		{"an element is assigned", map[string]string{"sip/ua/a.go": source("ua", "var x = map[int]struct{ y []int }{}\nfunc f() { x[0].y[1] = 1 }")}, []string{"variable sip/ua.x"}},
		{"a test assigns", map[string]string{"sip/ua/a.go": source("ua", "var x int"), "sip/ua/a_test.go": source("ua", "func f() { x = 1 }")}, []string{"variable sip/ua.x"}},
		{"a range assigns", map[string]string{"sip/ua/a.go": source("ua", "var x int\nfunc f() { for x = range 3 {} }")}, []string{"variable sip/ua.x"}},
		{"somebody else's variable", map[string]string{"sip/ua/a.go": source("ua", "import \"github.com/emiago/sipgo/sip\"\nfunc f() { sip.T1 = 1 }")}, []string{"variable sip/ua.github.com/emiago/sipgo/sip.T1"}},
		{"a lock for all", map[string]string{"sip/ua/a.go": source("ua", "import \"sync\"\nvar x sync.Mutex")}, []string{"variable sip/ua.x"}},
		{"a local variable of the same name", map[string]string{"sip/ua/a.go": source("ua", "var x int\nfunc f(y int) { x := 1; x = y; y++ }")}, nil},
		{"a table", map[string]string{"sip/ua/a.go": source("ua", "var x = []int{1}\nfunc f() int { return x[0] }")}, nil},
		{"no package comment", map[string]string{"sip/ua/a.go": "package ua\n"}, []string{"comment sip/ua"}},
		{"no program comment", map[string]string{"cmd/phonesim/main.go": "package main\nfunc F() {}\n"}, []string{"comment cmd/phonesim"}},
		{"exported names without a word", map[string]string{"sip/ua/a.go": source("ua", "func F() {}\ntype T struct{}\nfunc (T) M() {}\nfunc (T) String() string { return \"\" }\nvar V int\nconst (\n\tC = 1\n)\ntype (\n\t// A tells of A and B.\n\tA int\n\tB int\n\tD int\n)\ntype t int\nfunc (t) M() {}")},
			[]string{"comment sip/ua.C", "comment sip/ua.D", "comment sip/ua.F", "comment sip/ua.M", "comment sip/ua.T", "comment sip/ua.V"}},
		{"a test skips", map[string]string{"sip/ua/a_test.go": source("ua", "import \"testing\"\nfunc TestX(t *testing.T) { t.Skip() }")}, []string{"skip sip/ua/a_test.go"}},
		{"a test skips at home only", map[string]string{"sip/ua/a_test.go": source("ua", "import (\"os\"; \"testing\")\nfunc TestX(t *testing.T) { if os.Getenv(\"CI\") != \"\" { t.Fatal() }; t.Skip() }")}, nil},
		{"test/tool skips", map[string]string{"test/tool/a.go": source("tool", "import \"testing\"\nfunc F(t *testing.T) { t.Skip() }")}, []string{"comment test/tool.F"}},
		{"a home in a text", map[string]string{"README.md": "see /ho" + "me/ada/x"}, []string{"path README.md"}},
		{"a home in a source", map[string]string{"sip/ua/a.go": source("ua", "const x = \"/Us"+"ers/ada\"")}, []string{"path sip/ua/a.go"}},
		{"a home of Windows", map[string]string{"sip/ua/testdata/x.txt": `C:\Us` + `ers\ada`}, []string{"path sip/ua/testdata/x.txt"}},
		{"an address of a page", map[string]string{"README.md": "https://example.org/ho" + "me/ada and /ho" + "me alone"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			files := fstest.MapFS{}
			for name, text := range test.files {
				files[name] = &fstest.MapFile{Data: []byte(text)}
			}
			tree, err := Read(files)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range tree.Check(nil) {
				got = append(got, f.Rule+" "+f.Subject)
				if f.Where == "" || f.What == "" || f.Why == "" {
					t.Errorf("a finding does not say where, what and why: %+v", f)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, test.want) {
				t.Errorf("found %q, want %q", got, test.want)
			}
		})
	}
}

// ARCHITECTURE.md is what people read: it must name what is enforced here.
func TestTheArchitecturePageNamesEveryPart(t *testing.T) {
	page, err := os.ReadFile("../../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range picture {
		if name := path.Base(strings.TrimSuffix(p.name, "/*")); !mentions(string(page), name) {
			t.Errorf("ARCHITECTURE.md does not name %s", p.name)
		}
	}
}

func TestAnExceptionHelpsWithinItsLimitOnly(t *testing.T) {
	files := fstest.MapFS{"sip/ua/a.go": {Data: []byte(source("ua", strings.Repeat("//\n", 598)))}} // 600 lines
	tree, err := Read(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name      string
		exception Exception
		want      int
	}{
		{"limit passed", Exception{"size", "sip/ua/a.go", 599, "because"}, 2},
		{"no reason", Exception{"size", "sip/ua/a.go", 600, ""}, 2},
		{"another rule", Exception{"init", "sip/ua/a.go", 600, "because"}, 2},
		{"another file", Exception{"size", "sip/ua/b.go", 600, "because"}, 2},
		{"it helps", Exception{"size", "sip/ua/a.go", 600, "because"}, 0},
	} {
		if got := tree.Check([]Exception{test.exception}); len(got) != test.want {
			t.Errorf("%s: got %v", test.name, got)
		}
	}
}

func TestWhatTheGoCommandDoesNotSeeIsNoSource(t *testing.T) {
	tree, err := Read(fstest.MapFS{
		"sip/testdata/a.go": {Data: []byte("not Go")}, "_old/a.go": {Data: []byte("not Go")}, "build/a.go": {Data: []byte("not Go")}, ".x/a.go": {Data: []byte("not Go")},
	})
	if err != nil || len(tree.Files) != 0 {
		t.Errorf("got %v, %v", tree.Files, err)
	}
	if _, err := Read(fstest.MapFS{"sip/a.go": {Data: []byte("not Go")}}); err == nil {
		t.Error("a source that is no Go is taken")
	}
}
