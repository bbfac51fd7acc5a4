package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"freizeichen/firmware/document"
)

func TestEverythingWrongIsRefusedWithPlaceAndWhatIsAllowed(t *testing.T) {
	const account = "accounts:\n  - user: 201\n    domain: pbx.example\n"
	tests := []struct {
		name, file string
		want       []string // every problem, in order
	}{
		{"empty", "", []string{"f.yaml: is empty: it holds no setting"}},
		{"only comments", "# nothing\n\n  # here\n", []string{"f.yaml: is empty: it holds no setting"}},
		{"only a document mark", "---\n", []string{"f.yaml: is empty: it holds no setting"}},
		{"an empty object", "{}", nil},
		{"byte order mark", "\xef\xbb\xbflanguage: de\n", []string{"f.yaml:1:1: begins with a byte order mark; save it as UTF-8 without one"}},
		{"UTF-16", "\xff\xfel\x00", []string{"f.yaml:1:1: is UTF-16; save it as UTF-8"}},
		{"Latin-1", "language: de\nname: M\xfcller\n", []string{"f.yaml:2:8: is not UTF-8 here: byte 0xfc"}},
		{"tab", "lamps:\n\tmissed-calls: true\n", []string{"f.yaml:2:1: a tab: YAML is indented with spaces"}},
		{"NUL", "language: d\x00e\n", []string{"f.yaml:1:12: a control character (0x00)"}},
		{"carriage return alone", "language: de\rpanel: x\n", []string{"f.yaml:1:13: a control character (0x0d)"}},
		{"deep brackets", strings.Repeat("[", 17), []string{"f.yaml:1:1: nests deeper than 16 brackets"}},
		{"deep lists", strings.Repeat("- ", 17), []string{"f.yaml:1:1: nests deeper than 16 lists"}},
		{"a line that takes the parser seconds", strings.Repeat("a: ", 20000), []string{"f.yaml:1:1000: is longer than 1000 bytes in one line"}},
		{"not YAML", "language: [de\n", []string{"f.yaml:1:11: is not YAML: sequence end token ']' not found"}},
		{"a key without its section", account + "\n#calls:\n  # How long.\n  retention: 24h\n", []string{
			`f.yaml:7:3: this line is indented, but no section stands above it; take the "#" off "calls:" in line 5 too, or remove the indentation`}},
		{"a key without its section behind a value", "language: de\n# calls:\n  #called-number: [to]\n  retention: 24h\n", []string{
			`f.yaml:4:3: this line is indented, but no section stands above it; take the "#" off "calls:" in line 2 too, or remove the indentation`}},
		{"a key without its section at the top", "#calls:\n  retention: 24h\n", []string{
			`f.yaml:2:3: this line is indented, but no section stands above it; take the "#" off "calls:" in line 1 too, or remove the indentation`}},
		{"a key without its inner section", "sound:\n  #volume:\n    handset: 7\n", []string{
			`f.yaml:3:5: this line is indented, but no section stands above it; take the "#" off "volume:" in line 2 too, or remove the indentation`}},
		{"a key of an account too far to the right", account + "      name: Ada\n", []string{
			"f.yaml:4:7: the indentation fits nothing above: keys that belong together begin in the same column, here 1 or 5"}},
		{"a key of an account too far to the left", account + "   name: Ada\n", []string{
			"f.yaml:4:4: the indentation fits nothing above: keys that belong together begin in the same column, here 1 or 5"}},
		{"a key of an account below the dash", account + "  name: Ada\n", []string{
			"f.yaml:4:3: the indentation fits nothing above: keys that belong together begin in the same column, here 1 or 5"}},
		{"a second key too far to the right", "accounts:\n  - user: 201 # Ada\n      domain: d\n", []string{
			"f.yaml:3:7: the indentation fits nothing above: keys that belong together begin in the same column, here 1 or 5"}},
		{"a first line too far to the right", "  language: de\npanel: mono128x64\n", []string{
			"f.yaml:2:1: the indentation fits nothing above: keys that belong together begin in the same column, here 3"}},
		{"a list is none of indentation", "dial:\n  emergency: [\n   1]\n panel: x\n", []string{
			"f.yaml:4:2: the indentation fits nothing above: keys that belong together begin in the same column, here 1 or 3 or 4"}},
		{"a password that is a comment", "accounts:\n  - user: 201\n    domain: d\n    password: #geheim1\n", []string{
			"f.yaml:4:5: accounts[0].password has no value: # begins a comment; put a text that begins with # in quotes"}},
		{"two documents", "language: de\n---\nlanguage: en\n", []string{"f.yaml:3:1: a second document begins; a file holds one"}},
		{"a list", "- language\n", []string{"f.yaml:1:1: the file must hold keys (accounts, language, panel, lamps, dial, calls, network, sound, service-line, self-test, call-centre), but is a list"}},
		{"a word", "language\n", []string{"f.yaml:1:1: the file must hold keys (accounts, language, panel, lamps, dial, calls, network, sound, service-line, self-test, call-centre), but is one value"}},
		{"unknown keys", "langauge: de\nsound:\n  tone: de\n", []string{
			`f.yaml:1:1: "langauge" is not known; allowed: accounts, language, panel, lamps, dial, calls, network, sound, service-line, self-test, call-centre`,
			`f.yaml:3:3: "tone" is not known in sound; allowed: tones, volume`}},
		{"given twice", "language: de\npanel: mono128x64\nlanguage: en\n", []string{"f.yaml:3:1: language is given twice, first in line 1"}},
		{"given twice in JSON", `{"language": "de", "language": "en"}`, []string{"f.yaml:1:20: language is given twice, first in line 1"}},
		{"no value", "language:\nlamps:\n", []string{
			"f.yaml:1:1: language has no value; leave the key out for its default",
			"f.yaml:2:1: lamps has no value; leave the key out for its default"}},
		{"group for value", "language:\n  de: true\n", []string{"f.yaml:2:3: language must be one value, but is a group of keys"}},
		{"value for list", "calls:\n  called-number: to\n", []string{"f.yaml:2:18: calls.called-number must be a list, but is one value"}},
		{"anchor", "language: &x de\npanel: *x\n", []string{
			"f.yaml:1:11: language must be one value, but is an anchor or alias (& or *), which is not taken here; put a text that begins so in quotes",
			"f.yaml:2:8: panel must be one value, but is an anchor or alias (& or *), which is not taken here; put a text that begins so in quotes"}},
		{"tag", "language: !!str de\n", []string{
			"f.yaml:1:11: language must be one value, but is a tag (!), which is not taken here; put a text that begins so in quotes"}},
		{"merge key", "lamps:\n  <<: {missed-calls: true}\n", []string{"f.yaml:2:3: this key is not known in lamps; allowed: missed-calls"}},
		{"a test that calls an emergency number", "dial: {emergency: [\"0112\"]}\nself-test: {echo: \"0112\"}\n", []string{
			`f.yaml:2:19: self-test.echo is "0112", an emergency number: a test must not call it`}},
		{"wrong words", "language: fr\npanel: big\nlamps: {missed-calls: yes}\nsound: {tones: fr}\n", []string{
			`f.yaml:1:11: language is "fr"; allowed: de, en`,
			`f.yaml:2:8: panel is "big"; allowed: mono128x64, colour320x240`,
			`f.yaml:3:23: lamps.missed-calls is "yes"; allowed: true, false`,
			`f.yaml:4:16: sound.tones is "fr"; allowed: de, uk, us`}},
		{"account without the necessary", "accounts:\n  - name: Ada\n", []string{
			"f.yaml:2:5: accounts[0].user is missing", "f.yaml:2:5: accounts[0].domain is missing"}},
		{"wrong account", "accounts:\n  - user: a b\n    domain: -x\n    server: pbx:0\n    transport: tls\n    expires: 30s\n    name: \"a\\r\\nb\"\n", []string{
			"f.yaml:2:11: accounts[0].user must be 1 to 64 letters, digits or - _ . + * ! ~",
			"f.yaml:3:13: accounts[0].domain must be a host: a name, an IPv4 address or an IPv6 address in brackets",
			"f.yaml:4:13: accounts[0].server must have a port from 1 to 65535",
			`f.yaml:5:16: accounts[0].transport is "tls"; allowed: udp, tcp`,
			`f.yaml:6:14: accounts[0].expires is "30s"; allowed: 1m to 24h, written as 90s, 15m or 24h`,
			"f.yaml:7:11: accounts[0].name must be one line without control characters"}},
		{"two accounts", account + "  - user: 202\n    domain: pbx.example\n", []string{
			"f.yaml:4:5: accounts[1] is one too many: this version registers 1"}},
		{"wrong dial rules", "dial:\n  auto-dial: 5\n  emergency: [one]\n  replace:\n    - {prefix: \"\", by: x}\n    - {prefix: 0}\n    - {prefix: 00, by: 1}\n", []string{
			`f.yaml:2:14: dial.auto-dial is "5" without a unit; allowed: 1s to 1m, or 0, written as 90s, 15m or 24h`,
			`f.yaml:3:15: dial.emergency[0] is "one"; allowed: at most 32 digits, * and #, with a + only in front`,
			"f.yaml:5:16: dial.replace[0].prefix must not be empty",
			`f.yaml:5:24: dial.replace[0].by is "x"; allowed: at most 32 digits, * and #, with a + only in front`,
			"f.yaml:6:7: dial.replace[1].by is missing",
			"f.yaml:7:16: dial.replace[2] is never used: dial.replace[1] fits first; put the longer prefix first"}},
		{"wrong calls", "calls:\n  called-number: [to, from, to]\n  retention: 1000h\n", []string{
			`f.yaml:2:23: calls.called-number[1] is "from"; allowed: diversion, history-info, p-called-party-id, to`,
			`f.yaml:2:29: calls.called-number[2]: "to" stands in the list already`,
			`f.yaml:3:14: calls.retention is "1000h"; allowed: 1h to 744h, or 0, written as 90s, 15m or 24h`}},
		{"wrong network", "network:\n  local: here\n  keep-alive: 1ms\n  rtp-ports: 20000\n", []string{
			`f.yaml:2:10: network.local is "here"; allowed: an address and a port, as 192.0.2.7:5060, port 0 for a free one`,
			`f.yaml:3:15: network.keep-alive is "1ms"; allowed: 1s to 1h, or 0, written as 90s, 15m or 24h`,
			`f.yaml:4:14: network.rtp-ports is "20000"; allowed: FIRST-LAST from 1024 to 65535, at least 5 ports, as 20000-20999`}},
		{"wrong volume", "sound: {volume: {handset: 0, headset: 11, speaker: x, ringer: -1}}\n", []string{
			`f.yaml:1:27: sound.volume.handset is "0"; allowed: a whole number from 1 to 10`,
			`f.yaml:1:39: sound.volume.headset is "11"; allowed: a whole number from 1 to 10`,
			`f.yaml:1:52: sound.volume.speaker is "x"; allowed: a whole number from 1 to 10`,
			`f.yaml:1:63: sound.volume.ringer is "-1"; allowed: a whole number from 0 to 10`}},
		{"a very long list", "dial: {emergency: [" + strings.Repeat("1,", 101) + "]}", []string{
			"f.yaml:1:19: dial.emergency has 101 entries, at most 100 are allowed"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse("f.yaml", []byte(test.file))
			if test.want == nil {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			if err == nil {
				t.Fatal("taken")
			}
			if got, want := err.Error(), strings.Join(test.want, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestAHugeFileIsRefusedUnread(t *testing.T) {
	_, err := Load("/dev/zero")
	if err == nil || err.Error() != "/dev/zero: is larger than 64 KiB: that is no configuration of a phone" {
		t.Errorf("got %v", err)
	}
}

func TestNoMoreIsListedThanAnybodyReads(t *testing.T) {
	_, err := Parse("f", []byte(strings.Repeat("x: 1\n", 1000)))
	var list Errors
	if !errors.As(err, &list) || len(list) != document.ProblemsMax {
		t.Errorf("got %d problems, want %d", len(list), document.ProblemsMax)
	}
}

func TestAMissingFileIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "phone.yaml")
	if _, err := Load(path); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

// full uses every key with a value that is not its default.
const full = `
accounts:
  - user: 0201
    auth-user: phone-201
    password: "p@ss: word"
    name: Jürgen
    domain: pbx.example
    server: 192.0.2.1:5070
    transport: tcp
    expires: 1h
language: en
panel: colour320x240
lamps:
  missed-calls: false
dial:
  auto-dial: 0
  emergency: [112, 0112, "*99"]
  replace:
    - {prefix: "+49", by: "00"}
    - {prefix: +, by: 000}
    - prefix: "9"
      by: ""
calls:
  called-number: [to]
  retention: 0
network:
  local: "127.0.0.1:5062"
  keep-alive: 0
  rtp-ports: 30000-30100
sound:
  tones: uk
  volume: {handset: 1, headset: 2, speaker: 3, ringer: 0}
service-line: {password: schraube}
self-test: {echo: "*43"}
call-centre:
  switchboard: {url: "https://centre.example:8443/", secret: s3cret, ca: /etc/freizeichen/ca.pem}
  queues: [kw-zulassung, moers]
  queue-status: dialog
  pause-reasons: [{id: break, code: "*471"}, {id: lunch, text: Mittag}]
  feature-codes: {sign-in: "*45", sign-out: "*46", ready: "*48"}
  queue-lamp: {waiting: 3, longest: 20s}
  reject-pauses: false
  knowledge: knowledge.json
  data: /var/lib/freizeichen
`

func TestEveryKeyReachesTheConfig(t *testing.T) {
	got, err := Parse("full", []byte(full))
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Accounts: []Account{{User: "0201", AuthUser: "phone-201", Password: NewSecret("p@ss: word"), Name: "Jürgen",
			Domain: "pbx.example", Server: "192.0.2.1:5070", Transport: TCP, Expires: time.Hour}},
		Language: English,
		Panel:    Colour320x240,
		Dial: Dial{Emergency: []string{"110", "112", "0112", "*99"},
			Replace: []Replacement{{"+49", "00"}, {"+", "000"}, {"9", ""}}},
		Calls:   Calls{CalledNumber: []Source{To}},
		Network: Network{Local: netip.MustParseAddrPort("127.0.0.1:5062"), RTP: PortRange{30000, 30100}},
		Sound:   Sound{Tones: UnitedKingdom, Volume: Volume{Handset: 1, Headset: 2, Speaker: 3}},
		Service: ServiceLine{Password: NewSecret("schraube")}, SelfTest: SelfTest{Echo: "*43"},
		Centre: Centre{
			Switchboard: Switchboard{URL: "https://centre.example:8443", Secret: NewSecret("s3cret"), CA: "/etc/freizeichen/ca.pem"},
			Queues:      []string{"kw-zulassung", "moers"}, Status: Dialog,
			Reasons: []Reason{{ID: "break", Code: "*471"}, {ID: "lunch", Text: "Mittag"}},
			Codes:   Codes{SignIn: "*45", SignOut: "*46", Ready: "*48"}, ManyWaiting: 3, LongWait: 20 * time.Second,
			Knowledge: "knowledge.json", Data: "/var/lib/freizeichen",
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	// A field that the test forgot would be at its default in both.
	differ(t, "Config", reflect.ValueOf(got), reflect.ValueOf(Default()))
}

// differ fails for every field that has the same value in both.
func differ(t *testing.T, path string, a, b reflect.Value) {
	if a.Type() == reflect.TypeFor[Secret]() {
		if a.Equal(b) {
			t.Errorf("%s: the full file does not change the default", path)
		}
		return
	}
	if a.Kind() == reflect.Struct && a.Type().PkgPath() == reflect.TypeFor[Config]().PkgPath() {
		for i := range a.NumField() {
			differ(t, path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))
		}
		return
	}
	if reflect.DeepEqual(a.Interface(), b.Interface()) {
		t.Errorf("%s: the full file does not change the default %v", path, a)
	}
}

func TestJSONWithTabsIsTaken(t *testing.T) {
	got, err := Parse("f.json", []byte("{\r\n\t\"language\": \"en\",\r\n\t\"accounts\": [\r\n\t\t{\"user\": \"201\", \"domain\": \"pbx.example\"}\r\n\t]\r\n}\r\n"))
	if err != nil || got.Language != English || got.Accounts[0].User != "201" {
		t.Errorf("got %+v, %v", got, err)
	}
}

var commented = regexp.MustCompile(`(?m)^( *)#([a-z-]+:)`)

// uncommented is the reference with every key switched on.
func uncommented() string { return commented.ReplaceAllString(Reference(), "$1$2") }

func TestTheReferenceIsTakenAndItsDefaultsAreTheDefaults(t *testing.T) {
	account, err := ParseAccountURL("sip:201:change-me@pbx.example")
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Accounts = []Account{account}
	for name, text := range map[string]string{"as it stands": Reference(), "uncommented": uncommented()} {
		got, err := Parse("reference.yaml", []byte(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(normal(got), normal(want)) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", name, got, want)
		}
	}
}

// normal makes empty and missing lists the same.
func normal(c Config) Config {
	if len(c.Dial.Replace) == 0 {
		c.Dial.Replace = nil
	}
	return c
}

func TestEveryKeyStandsInTheReference(t *testing.T) {
	// The inner keys of a list whose default is empty stand in its explanation.
	explained := map[string]string{"dial.replace.prefix": "{prefix: ", "dial.replace.by": ", by: ",
		"call-centre.pause-reasons.text": ", text: ", "call-centre.pause-reasons.code": ", code: "}
	var mirror raw
	document.Read("reference.yaml", []byte(uncommented()), limits(), &mirror)
	present := map[string]bool{}
	visit(reflect.ValueOf(mirror), "", func(path string, set bool) { present[path] = present[path] || set })
	if len(present) < 25 {
		t.Fatalf("the mirror has only %d keys: the test looks at the wrong thing", len(present))
	}
	for path, set := range present {
		if text, ok := explained[path]; !set && !(ok && strings.Contains(Reference(), text)) {
			t.Errorf("%s does not stand in reference.yaml", path)
		}
	}
}

// visit calls f for every value of the mirror; the path has no indexes.
func visit(v reflect.Value, path string, f func(path string, set bool)) {
	switch {
	case v.Type() == reflect.TypeFor[document.Scalar]():
		f(path, v.FieldByName("Set").Bool())
	case v.Kind() == reflect.Slice && v.Type().Elem() == reflect.TypeFor[document.Scalar]():
		f(path, !v.IsNil())
	case v.Kind() == reflect.Slice:
		visit(reflect.Zero(v.Type().Elem()), path, f)
		for i := range v.Len() {
			visit(v.Index(i), path, f)
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if key, ok := v.Type().Field(i).Tag.Lookup("key"); ok {
				visit(v.Field(i), strings.TrimPrefix(path+"."+key, "."), f)
			}
		}
	}
}

func TestASecretIsNeverPrinted(t *testing.T) {
	const canary = "kanarienvogel"
	config, err := Parse("f", []byte("accounts: [{user: 201, domain: pbx.example, password: "+canary+"}]"))
	if err != nil {
		t.Fatal(err)
	}
	if config.Accounts[0].Password.Reveal() != canary {
		t.Fatal("the password is lost")
	}
	encoded, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "config", config, "password", config.Accounts[0].Password)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "config", config, "password", config.Accounts[0].Password)
	outputs := []string{string(encoded), log.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
		outputs = append(outputs, fmt.Sprintf(verb, config), fmt.Sprintf(verb, &config.Accounts[0]), fmt.Sprintf(verb, config.Accounts[0].Password))
	}
	// A password in the wrong place, with the wrong indentation or without its colon.
	for _, wrong := range []string{
		"accounts: [{user: 201, domain: pbx.example, password: [" + canary + "]}]",
		"accounts: [{user: 201, domain: pbx.example, password: \"" + canary + "\\n\"}]",
		"accounts:\n  - user: 201\n    password:" + canary + "1: x\n",
		"accounts:\n  - user: 201\n    password:" + canary + "\n",
		"accounts:\n  - password " + canary + "\n",
		"accounts:\n  - user: 201\n  password: " + canary + "\n",
		"accounts: [" + canary + ", {password: " + canary + ", user: ]",
	} {
		_, err := Parse("f", []byte(wrong))
		if err == nil {
			t.Errorf("taken: %s", wrong)
			continue
		}
		outputs = append(outputs, err.Error())
	}
	for _, wrong := range []string{"sip:201:" + canary, "201:" + canary + "@host", "sip:201:" + canary + "@host:x",
		"sip:201:" + canary + "%@host", "sip:2 1:" + canary + "@host", "sip:201:" + canary + "@host;x=" + canary} {
		_, err := ParseAccountURL(wrong)
		if err == nil {
			t.Errorf("taken: %s", wrong)
			continue
		}
		outputs = append(outputs, err.Error())
	}
	hexed := fmt.Sprintf("%x", canary)
	for _, out := range outputs {
		if strings.Contains(out, canary) || strings.Contains(out, hexed) {
			t.Errorf("shows the password: %s", out)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte(Reference()))
	f.Add([]byte(uncommented()))
	f.Add([]byte("{\n\t\"language\": \"de\"}"))
	f.Add([]byte("accounts: [{user: 201, password: &a x, domain: *a}]\n---\n"))
	f.Add([]byte("? language\n: de\n<<: {}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		config, err := Parse("f", data)
		var list Errors
		switch {
		case err == nil:
			for _, a := range config.Accounts {
				for _, text := range []string{a.User, a.AuthUser, a.Password.Reveal(), a.Name, a.Domain, a.Server} {
					if strings.ContainsAny(text, "\r\n\x00") {
						t.Errorf("%q would reach the network", text)
					}
				}
			}
		case !errors.As(err, &list) || len(list) == 0 || len(list) > document.ProblemsMax:
			t.Errorf("not a list of problems: %v", err)
		case strings.Count(err.Error(), "\n") != len(list)-1:
			t.Errorf("a problem has more than one line: %q", err.Error())
		}
	})
}

func TestWhatIsWrongWithADeskIsSaidWithItsPlace(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"switchboard: {url: http://centre.example, secret: x}", "allowed: https://HOST"},
		{"switchboard: {url: https://centre.example/path, secret: x}", "allowed: https://HOST"},
		{"switchboard: {url: https://centre.example}", "call-centre.switchboard.secret is missing"},
		{"queues: [a, a]", "stands in the list already"},
		{"queue-status: rss", "presence"},
		{"pause-reasons: [{id: lunch}]", "needs a text"},
		{"pause-reasons: [{id: Lunch, text: x}]", "must be 1 to 32"},
		{"pause-reasons: [{id: break}, {id: break}]", "stands in the list already"},
		{"feature-codes: {ready: abc}", "ready"},
		{"queue-lamp: {longest: 5}", "longest"},
		{"switchbord: {}", "switchbord"},
	} {
		_, err := Parse("f", []byte("call-centre:\n  "+test.text+"\n"))
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "f:2:") {
			t.Errorf("%s: %v", test.text, err)
		}
	}
}

func TestThePasswordOfTheServiceLineCanBeTypedAndNotGuessed(t *testing.T) {
	for text, want := range map[string]string{
		"kurz": "6 to 64 characters", "schlüssel": "ASCII", "zwei worte": "ASCII", strings.Repeat("x", 65): "6 to 64",
		`""`: "", "schraube": "",
	} {
		c, err := Parse("f.yaml", []byte("service-line: {password: "+text+"}\n"))
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), text)) {
			t.Errorf("%s: %v, want %q and never the password", text, err, want)
		}
		if err == nil && c.Service.Password.Reveal() != strings.Trim(text, `"`) {
			t.Errorf("%s becomes another password", text)
		}
	}
}
