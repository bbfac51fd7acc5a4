package knowledge

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"freizeichen/firmware"
)

func example2026(t *testing.T) firmware.Knowledge {
	t.Helper()
	k, err := Parse("example.yaml", Example(), now)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// sealed is content with a checksum that fits.
func sealed(content string) []byte { return seal(Format, []byte(content)) }

func TestWhatIsCompiledIsLoadedAsItWas(t *testing.T) {
	k := example2026(t)
	data := Compile(k)
	if !bytes.HasPrefix(data, []byte(`{"format":1,"sha256":"`)) || !json.Valid(data) || bytes.Count(data, []byte("\n")) != 1 {
		t.Fatalf("%.100s", data)
	}
	got, err := Load(data)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, k) {
		t.Errorf("got  %+v\nwant %+v", got, k)
	}
	if !bytes.Equal(Compile(got), data) {
		t.Error("it is compiled in two ways")
	}
}

func TestEveryFieldIsCompiled(t *testing.T) {
	full := firmware.Knowledge{}
	n := 0
	fill(reflect.ValueOf(&full).Elem(), &n)
	for i := range full.Cards {
		full.Cards[i].Source = firmware.Day
	}
	k, err := pack(full).unpack()
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(k, full) {
		t.Errorf("got  %+v\nwant %+v", k, full)
	}
}

// fill gives every field a value of its own that is not zero.
func fill(v reflect.Value, n *int) {
	*n++
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(now.Add(time.Duration(*n) * time.Hour)))
	case v.Type() == reflect.TypeFor[time.Duration]():
		v.SetInt(int64(*n) * int64(time.Second))
	case v.Kind() == reflect.String:
		v.SetString(strings.Repeat("x", *n))
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.Kind() == reflect.Int:
		v.SetInt(int64(*n))
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case v.Kind() == reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	}
}

func TestWhatWasCutOffOrChangedIsRefused(t *testing.T) {
	k, err := Parse("f", []byte(base), now)
	if err != nil {
		t.Fatal(err)
	}
	data := Compile(k)
	for i := range data {
		if _, err := Load(data[:i]); err == nil {
			t.Errorf("the first %d of %d bytes are taken", i, len(data))
		}
		for _, bit := range []byte{1, 0x20} {
			changed := bytes.Clone(data)
			changed[i] ^= bit
			if _, err := Load(changed); err == nil {
				t.Errorf("byte %d may be %q", i, changed[i])
			}
		}
	}
	if _, err := Load(append(bytes.Clone(data), "x"...)); err == nil {
		t.Error("bytes behind the end are taken")
	}
}

func TestOtherFormsAreRefusedThoughTheirChecksumFits(t *testing.T) {
	k, err := Parse("f", []byte(base), now)
	if err != nil {
		t.Fatal(err)
	}
	var e envelope
	if err := json.Unmarshal(Compile(k), &e); err != nil {
		t.Fatal(err)
	}
	content := string(e.Knowledge)
	if _, err := Load(sealed(content)); err != nil {
		t.Fatalf("the test seals wrongly: %v", err)
	}
	for name, test := range map[string]struct{ old, new, because string }{
		"unknown key":       {`"version":"v1"`, `"version":"v1","colour":1`, "not what a compiler writes"},
		"a key twice":       {`"version":"v1"`, `"version":"v0","version":"v1"`, "not what a compiler writes"},
		"spaces":            {`"version":"v1"`, `"version": "v1"`, "not what a compiler writes"},
		"another type":      {`"version":"v1"`, `"version":1`, "another form"},
		"unknown calendar":  {`"calendar":"service"`, `"calendar":"none"`, `it names "none", which it does not hold`},
		"unknown topic":     {`"topic":"zulassung"`, `"topic":"none"`, `it names "none", which it does not hold`},
		"unknown office":    {`"office":"amt"`, `"office":"none"`, `it names "none", which it does not hold`},
		"unknown tenant":    {`"notices":[{`, `"notices":[{"tenants":["none"],`, `it names "none", which it does not hold`},
		"unknown source":    {`"source":"local"`, `"source":"elsewhere"`, `the source "elsewhere"`},
		"a year of no JSON": {`"from":"2026`, `"from":"99999`, "another form"},
	} {
		if !strings.Contains(content, test.old) {
			t.Errorf("%s: there is no %s in %s", name, test.old, content)
			continue
		}
		if _, err := Load(sealed(strings.Replace(content, test.old, test.new, 1))); err == nil || !strings.Contains(err.Error(), test.because) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestANewerFormatIsToldFromABrokenFile(t *testing.T) {
	if _, err := Load(seal(Format+1, []byte(`{"what":"nobody knows yet"}`))); !errors.Is(err, ErrNewer) {
		t.Errorf("got %v", err)
	}
	if _, err := Load([]byte(`{"format":9}`)); !errors.Is(err, ErrNewer) {
		t.Errorf("got %v", err)
	}
	for _, text := range []string{"", "{}", "null", `{"format":0,"sha256":"","knowledge":{}}`, `{"format":-1}`, "[]"} {
		if _, err := Load([]byte(text)); err == nil || errors.Is(err, ErrNewer) {
			t.Errorf("%q: got %v", text, err)
		}
	}
	if _, err := Load(make([]byte, compiledMax+1)); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("got %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	k, err := Parse("f", []byte(base), now)
	if err != nil {
		f.Fatal(err)
	}
	data := Compile(k)
	f.Add(data)
	f.Add(data[bytes.Index(data, []byte(`"knowledge":`))+len(`"knowledge":`) : len(data)-2]) // the content alone
	f.Add([]byte(`{"format":1,"sha256":"","knowledge":{}}`))
	f.Add([]byte(`{"format":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		// Nothing but a checksum that fits gets far: the content alone is tried with one too.
		for _, data := range [][]byte{data, seal(Format, data)} {
			if k, err := Load(data); err == nil && !bytes.Equal(Compile(k), data) {
				t.Errorf("loaded, but compiled otherwise: %q", data)
			}
		}
	})
}
