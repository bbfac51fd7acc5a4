package switchboard

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

const least = "asterisk:\n  secret: s3cret\nhttps:\n  certificate: c\n  key: k\nqueues:\n  - name: q\n"

func TestWhatIsWrongIsSaidWithItsPlace(t *testing.T) {
	for file, want := range map[string]string{
		"":                                      "is empty",
		"queue: x\n" + least:                    `f:1:1: "queue" is not known`,
		"asterisk: {}\nhttps: {}\nqueues: []\n": "f: queues is missing: a switchboard serves one queue at least\nf:1:11: asterisk.secret is missing\nf:2:8: https.certificate is missing\nf:2:8: https.key is missing",
		least + "  - name: q\n":                 `f:8:11: queues[1].name: "q" stands in the list already`,
		least + "  - name: a b\n":               "queues[1].name must be 1 to 64 letters, digits",
		least + "    within: 30\n":              "queues[0].within is \"30\" without a unit",
		least + "    target: 101\n":             "queues[0].target is \"101\"; allowed: a whole number from 0 to 100",
		least + "    formula: best\n":           "allowed: offered, answered, handled",
		least + "presence:\n  by: publish\n":    "presence.server is missing",
		least + "presence:\n  network: ip\n":    "allowed: udp, tcp",
		least + "metrics: here\n":               "metrics is \"here\"; allowed: HOST:PORT",
		least + "time-zone: Wesel\n":            "allowed: a name as Europe/Berlin",
		least + "database: \"\"\n":              "database must not be empty",
		least + "pause-reasons:\n  - id: a\n":   "pause-reasons[0].german is missing",
		least + "pause-reasons:\n  - {id: a, german: Nachbearbeitung}\n":           "is the reason of the wrap-up",
		least + "pause-reasons:\n  - {id: a, german: A}\n  - {id: b, german: A}\n": "pause-reasons[1] is in the list already",
		strings.Replace(least, "s3cret", `"s3\nret"`, 1):                           "asterisk.secret must be one line",
	} {
		_, err := Parse("f", []byte(file))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\n got %v\nwant %s", file, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "s3") {
			t.Errorf("a secret is told: %v", err)
		}
	}
}

func TestTheLeastFileHasTheDefaults(t *testing.T) {
	c, err := Parse("f", []byte(least))
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Asterisk.Secret, want.HTTPS.Certificate, want.HTTPS.Key = c.Asterisk.Secret, "c", "k"
	want.Queues = []Queue{{Name: "q", Within: 30 * time.Second, Formula: "offered", WrapUp: 30 * time.Second}}
	if !reflect.DeepEqual(c, want) || c.Asterisk.Secret.Reveal() != "s3cret" {
		t.Errorf("got %+v\nwant %+v", c, want)
	}
	if shown := fmt.Sprintf("%+v", c); strings.Contains(shown, "s3cret") {
		t.Error("a secret is printed")
	}
}

// With every "#" before a key taken off, the reference says the defaults.
func TestTheReferenceExplainsEveryKeyAndItsDefault(t *testing.T) {
	whole := regexp.MustCompile(`(?m)^( *)#([a-z-]+:|- \{)`).ReplaceAllString(Reference(), "$1$2")
	with, err := Parse("reference.yaml", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	without, err := Parse("reference.yaml", []byte(Reference()))
	if err != nil {
		t.Fatal(err)
	}
	// What has no default shows an example.
	with.Presence.Server, with.Presence.User, with.Presence.Password = "", "", without.Presence.Password
	if !reflect.DeepEqual(with, without) {
		t.Errorf("the comments say\n%+v, the defaults are\n%+v", with, without)
	}
	var keys func(reflect.Type)
	keys = func(of reflect.Type) {
		for i := range of.NumField() {
			if key := of.Field(i).Tag.Get("key"); key != "" && !strings.Contains(whole, key+":") {
				t.Errorf("%s is not explained", key)
			}
			inner := of.Field(i).Type
			if inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct && inner != reflect.TypeFor[scalar]() {
				keys(inner)
			}
		}
	}
	keys(reflect.TypeFor[raw]())
}

func TestAFileIsLoaded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "switchboard.yaml")
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(path, []byte(least), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(least))
	f.Add([]byte(Reference()))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := Parse("f", data); err == nil && (len(c.Queues) == 0 || c.Location == nil) {
			t.Errorf("taken: %+v", c)
		}
	})
}
