package imports

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

// A part is a folder with everything below it, and what of ours it may import. Within a part everybody may import
// everybody. "roots" stands for the three folders of words.
type part struct {
	name    string
	imports []string
	why     string
}

const (
	columns = "hal, sip and firmware never look at each other: they meet in device/loop and device/voice through root words only"
	words   = "roots are words: whoever speaks them must not get a machine with them"
	decides = "what decides must run anywhere, at any time, and be tested without a machine"
)

// picture is the picture of ARCHITECTURE.md. The longest name that fits a folder counts; a folder that nothing fits must
// be drawn first.
var picture = []part{
	{"hal", nil, words},
	{"sip", nil, words},
	{"firmware", nil, words},

	{"device/phone", []string{"device/callcentre", "hal", "sip", "firmware"}, decides},
	{"device/callcentre", []string{"device/callcentre/hours", "sip", "firmware"}, decides},
	{"device/callcentre/hours", []string{"firmware"}, "hours are arithmetic with a calendar"},
	{"device/screen", []string{"device/phone", "device/callcentre", "hal", "sip", "firmware"}, "a picture is a function of the View"},
	{"device/voice", []string{"hal", "sip"}, "voice knows frames and tones, not how calls come about"},
	{"device/loop", []string{"device/phone", "device/callcentre", "device/screen", "device/voice", "hal", "sip", "firmware"}, "the loop joins, by root words alone; machines are handed to it"},
	{"device/console", []string{"device/loop", "device/phone", "device/callcentre", "hal", "sip"}, "the console is one more hand on the phone"},

	{"hal/sim", []string{"hal"}, columns},
	{"hal/line", nil, "a GPIO line is bits of the kernel: what they mean is known above"},
	{"hal/hook", []string{"hal", "hal/line"}, columns},
	{"hal/keypad", []string{"hal", "hal/line"}, columns},
	{"hal/lamp", []string{"hal"}, columns},
	{"hal/panel", []string{"hal"}, columns},
	{"hal/eeprom", []string{"hal"}, columns},
	{"hal/sensor", []string{"hal"}, columns},
	{"hal/clock", []string{"hal"}, columns},
	{"hal/pcm", []string{"hal"}, columns},
	{"hal/headset", []string{"hal"}, columns},
	{"hal/serial", nil, "a serial line is bytes"},
	{"hal/board", []string{"hal", "hal/*", "firmware/document"}, "the board opens and closes all parts, and nobody else does; its table is a document like every other that people write"},
	{"hal/haltest", nil, "the models of parts must not share the drivers' own mistakes"},

	{"sip/codec", nil, "a codec is arithmetic"},
	{"sip/dialog", nil, "a dialog is RFC 3261 section 12 and nothing of ours"},
	{"sip/offer", []string{"sip"}, columns},
	{"sip/media", []string{"sip", "sip/codec"}, columns},
	{"sip/transaction", []string{"sip"}, "nobody below knows who is above"},
	{"sip/presence", []string{"sip", "sip/ua/header"}, "a body is read and written without knowing how it travels"},
	{"sip/presence/publisher", []string{"sip", "sip/presence", "sip/dialog", "sip/transaction", "sip/ua/client", "sip/ua/header"}, "it sends what it is given, and knows no queue"},
	{"sip/ua", []string{"sip", "sip/presence", "sip/dialog", "sip/offer", "sip/transaction", "sip/ua/header"}, columns},
	{"sip/ua/header", nil, "header fields are syntax, for everybody who reads a message"},
	{"sip/exchange", []string{"sip", "sip/presence", "sip/dialog", "sip/offer", "sip/transaction", "sip/media", "sip/codec", "sip/ua/header"}, columns},
	{"sip/ami", []string{"sip"}, "the manager interface knows Asterisk's words; what they mean for queues and agents is decided above"},
	{"sip/switchboard", []string{"sip"}, "the phone's side of the switchboard knows words and HTTP; sip/switchboard/wire is what both sides share"},
	{"sip/acd", []string{"sip"}, decides},
	{"sip/acd/asterisk", []string{"sip", "sip/acd", "sip/ami"}, "a translation: what Asterisk says becomes the model's words here and nowhere else"},
	{"sip/acd/builtin", []string{"sip", "sip/acd", "sip/exchange", "sip/exchange/queue"}, "a translation: what the built-in exchange says becomes the model's words here and nowhere else"},
	{"sip/siptest", []string{"sip", "sip/dialog", "sip/transaction"}, "the scripted peer must not share the phone's own mistakes"},

	{"firmware/document", nil, "a document knows keys and places, not what they mean"},
	{"firmware/config", []string{"firmware", "firmware/document"}, columns},
	{"firmware/switchboard", []string{"firmware", "firmware/document", "firmware/config"}, columns},
	{"firmware/knowledge", []string{"firmware", "firmware/document", "firmware/disk"}, columns},
	{"firmware/journal", nil, "a journal keeps bytes: whose, it need not know"},
	{"firmware/selftest", []string{"firmware", "firmware/disk"}, columns},
	{"firmware/disk", nil, "a disk keeps bytes: whose, it need not know"},

	{"cmd/station", []string{"device/*", "hal", "sip", "sip/*", "firmware", "firmware/*"}, "a station joins the parts of a phone; its body is handed to it"},
	{"cmd/centre", []string{"device/callcentre", "sip", "sip/*", "firmware", "firmware/*"}, "the centre joins queues, agents, store and pages; phones are elsewhere"},
	{"cmd/phonesim/internal/page", []string{"hal", "hal/sim", "device/screen"}, "the page is a body: it shows and presses, and knows no call"},
	{"cmd/*", []string{"cmd/station", "cmd/centre", "device/*", "hal", "hal/*", "sip", "sip/*", "firmware", "firmware/*"}, "programs wire; what they share is cmd/station and cmd/centre"},
	{"test/*", []string{"cmd/*", "device/*", "hal", "hal/*", "sip", "sip/*", "firmware", "firmware/*", "test/*"}, ""},
}

// fixtures are peers that tests talk to.
var fixtures = []string{"sip/siptest", "sip/ami/amitest", "hal/haltest", "hal/pcm/pcmtest"}

// partOf is the part that a folder belongs to.
func partOf(dir string) (part, bool) {
	best, found := part{}, false
	for _, p := range picture {
		if fits(p.name, dir) && (!found || specific(p.name) > specific(best.name)) {
			best, found = p, true
		}
	}
	return best, found
}

// fits tells whether a folder is a part or lies in it. A root is its own folder only: hal/new must be drawn first.
func fits(name, dir string) bool {
	if slices.Contains([]string{"hal", "sip", "firmware"}, name) {
		return dir == name
	}
	parent, star := strings.CutSuffix(name, "/*")
	if star {
		return strings.HasPrefix(dir, parent+"/")
	}
	return dir == name || strings.HasPrefix(dir, name+"/")
}

func specific(name string) int { return len(strings.TrimSuffix(name, "*")) }

// room is the part of a folder by name, with the star filled in: cmd/phonesim/internal/x is in cmd/phonesim.
func room(p part, dir string) string {
	parent, star := strings.CutSuffix(p.name, "/*")
	if !star {
		return p.name
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(dir, parent+"/"), "/")
	return parent + "/" + first
}

// Picture finds imports of ours that the picture does not show.
func (t *Tree) Picture() []Finding {
	var found []Finding
	add := func(subject, where, what, why string) {
		found = append(found, Finding{Rule: "import", Subject: subject, Where: where, What: what, Why: why})
	}
	for dir := range t.packages() {
		if _, ok := partOf(dir); !ok {
			add(dir, dir, "this folder is not in the picture", "draw it in ARCHITECTURE.md and in test/imports/picture.go: who may import it, whom may it import?")
		}
	}
	for _, file := range t.Files {
		own, ok := partOf(file.Dir)
		if !ok {
			continue
		}
		for _, spec := range file.AST.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			target, ours := strings.CutPrefix(imported, module+"/")
			if !ours || allowed(own, file, target) {
				continue
			}
			why := own.why
			if strings.HasPrefix(target, "test/") {
				why = "nothing imports test/*: it would reach the phone"
			} else if slices.Contains(fixtures, target) {
				why = target + " is a fixture of tests, no part of a program"
			}
			add(file.Dir, t.at(spec), file.Dir+" imports "+target, why)
		}
	}
	return found
}

// allowed decides about one import of ours.
func allowed(own part, file *File, target string) bool {
	to, ok := partOf(target)
	if !ok {
		return true // has its own finding
	}
	// The page is a room of its own for what it imports, and its program's for who imports it.
	program, _, _ := strings.Cut(strings.TrimPrefix(target, "cmd/"), "/")
	if slices.Contains(fixtures, target) && !file.Test && !strings.HasPrefix(file.Dir, "test/") {
		return false
	}
	if room(own, file.Dir) == room(to, target) || own.name == "cmd/*" && room(own, file.Dir) == "cmd/"+program {
		return true
	}
	if file.Test && forTests(file.Dir, target) {
		return true
	}
	return slices.ContainsFunc(own.imports, func(name string) bool { return fits(name, target) })
}

// forTests is what tests beside the code may import more: their own column and the two simulated ends.
func forTests(dir, target string) bool {
	column, _, _ := strings.Cut(dir, "/")
	switch {
	case target == "test/tool":
		// Go lets nobody but cmd/centre see the store: its test on a real PostgreSQL must lie beside it, and skip or
		// fail without one as every suite does.
		return dir == "cmd/centre/internal/store"
	case slices.Contains(fixtures, target), target == "hal/sim":
		return column == "device" || column == "cmd" || strings.HasPrefix(target, column+"/")
	case column == "cmd":
		return false
	}
	return target == column || strings.HasPrefix(target, column+"/")
}

// A foreign module, where it may be imported, and why not elsewhere.
type foreign struct {
	module string
	where  []string // parts of the tree
	why    string
}

const (
	wrapped   = "every dependency is wrapped by one package, so that it can be replaced there"
	databases = "databases stop at the store: everybody else asks its methods"
)

var foreigners = []foreign{
	{"github.com/emiago/sipgo", []string{"sip/transaction", "sip/dialog", "sip/ua", "sip/presence/publisher", "sip/exchange", "sip/siptest"}, "SIP messages stop at the user agent: above it there are sip's words"},
	{"github.com/icholy/digest", []string{"sip/ua", "sip/exchange", "sip/siptest"}, wrapped},
	{"github.com/pion", []string{"sip/media", "sip/offer"}, "packets and session descriptions stop here: above there are frames and sip.Media"},
	{"github.com/coder/websocket", []string{"cmd/phonesim"}, "only a page in a browser needs it"},
	{"github.com/goccy/go-yaml", []string{"firmware/document"}, "what people write is read in one place"},
	{"modernc.org/sqlite", []string{"cmd/centre/internal/store"}, databases},
	{"github.com/jackc/pgx/v5", []string{"cmd/centre/internal/store"}, databases},
	{"github.com/pressly/goose/v3", []string{"cmd/centre/internal/store"}, databases},
	{"golang.org/x/crypto", []string{"cmd/centre/internal/store"}, "PINs and passwords are hashed in one place"},
	{"github.com/prometheus", []string{"cmd/centre"}, "only a switchboard is asked by Prometheus"},
	{"periph.io/x/conn/v3", []string{"hal/line", "hal/hook", "hal/keypad", "hal/lamp", "hal/panel", "hal/eeprom", "hal/sensor", "hal/clock", "hal/board", "hal/haltest"}, "buses and pins stop at the parts of the body: above them there are hal's words"},
	{"periph.io/x/host/v3", []string{"hal/board"}, "only the board opens buses"},
	{"go.bug.st/serial", []string{"hal/serial"}, wrapped},
	{"golang.org/x/sys", []string{"hal", "hal/line", "hal/hook", "hal/keypad", "hal/lamp", "hal/panel", "hal/clock", "hal/sensor", "hal/pcm", "hal/headset", "hal/board", "cmd/phoned"}, "the kernel's own calls are made by the parts that need them"},
	{"github.com/coreos/go-systemd/v22", []string{"cmd/phoned"}, "only a program has a supervisor"},
	{"codeberg.org/go-pdf/fpdf", []string{"firmware/selftest"}, wrapped},
	{"github.com/boombuler/barcode", []string{"firmware/selftest"}, wrapped},
	{"github.com/chromedp", nil, "a browser is driven by tests alone"},
}

// Foreign finds imports of other people's modules in the wrong place, or of modules nobody has argued for.
func (t *Tree) Foreign() []Finding {
	var found []Finding
	add := func(dir, where, imported, why string) {
		found = append(found, Finding{Rule: "foreign", Subject: dir, Where: where, What: dir + " imports " + imported, Why: why})
	}
	for _, file := range t.Files {
		for _, spec := range file.AST.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			host, _, _ := strings.Cut(imported, "/")
			if !strings.Contains(host, ".") || strings.HasPrefix(file.Dir, "test/") {
				continue // the standard library, ours, or a test that may have what it needs
			}
			i := slices.IndexFunc(foreigners, func(f foreign) bool {
				return imported == f.module || strings.HasPrefix(imported, f.module+"/")
			})
			if i < 0 {
				add(file.Dir, t.at(spec), imported,
					"a new dependency: list it in ARCHITECTURE.md with its reason, and in test/imports/picture.go with its place")
				continue
			}
			f := foreigners[i]
			in := func(dir string) bool {
				return slices.ContainsFunc(f.where, func(name string) bool { return fits(name, dir) })
			}
			// A test may look at what its column sends: a SIP test at a packet.
			sibling := file.Test && slices.ContainsFunc(f.where, func(name string) bool { return path.Dir(name) == "sip" && strings.HasPrefix(file.Dir, "sip/") })
			if !in(file.Dir) && !sibling {
				add(file.Dir, t.at(spec), imported, f.why)
			}
		}
	}
	return found
}
