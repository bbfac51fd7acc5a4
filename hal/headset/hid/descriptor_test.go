package hid

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// bytesOf reads hexadecimal with comments that begin with #.
func bytesOf(t testing.TB, text string) []byte {
	t.Helper()
	var digits strings.Builder
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func descriptor(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "testdata", name+".hex"))
	if err != nil {
		t.Fatal(err)
	}
	return bytesOf(t, string(text))
}

func TestWhatIsNoDescriptorIsRefused(t *testing.T) {
	for _, test := range []struct{ name, bytes, want string }{
		{"an item is cut off", "05 0b 09", "byte 2: cut off within an item"},
		{"a long item is cut off", "fe 04 00 01 02", "byte 0: cut off within a long item"},
		{"a long item has no length", "fe", "cut off within a long item"},
		{"a collection does not end", "05 0b 09 05 a1 01", "ends within a collection"},
		{"an end without a collection", "c0", "End Collection without"},
		{"report id 0", "85 00", "report id 0"},
		{"report id 256", "86 00 01", "report id 256"},
		{"pop without push", "b4", "Pop item without"},
		{"pushes without end", strings.Repeat("a4", stackMax+1), "too many Push"},
		{"a huge report", "05 0b 09 20 75 01 97 ff ff ff ff 81 02", "longer than"},
		{"a huge slot", "05 0b 09 20 77 ff ff ff ff 95 01 81 02", "longer than"},
		{"a product that overflows", "05 0b 09 20 77 00 00 01 00 97 00 00 01 00 81 02", "longer than"},
		{"many reports of one id add up", "05 0b 09 20 75 08 96 ff 3f 81 02 81 02", "longer than"},
		{"usages run backwards", "05 0b 19 2f 29 20 75 01 95 02 81 02", "usages from"},
		{"a maximum without a minimum", "05 0b 29 20", "without a Usage Minimum"},
		{"a range over two pages", "1b 01 00 0b 00 2b 02 00 0c 00", "usages from"},
		{"collections in collections without end", strings.Repeat("a100", depthMax+1), "too deep"},
		{"usages without end", "05 0b" + strings.Repeat("0920", usagesMax+1), "too many usages"},
		{"fields without end", "05 0b 1a 00 00 2a ff ff 75 01 96 ff ff 81 02", "too many fields"},
		{"too long", strings.Repeat("00", descriptorMax+1), "4097 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, err := Parse(bytesOf(t, test.bytes))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %+v, %v; want an error with %q", d, err, test.want)
			}
		})
	}
}

// A place is where a control shall be.
type place struct {
	usage                string // page:id
	report, offset, size int
	flags                Flags
}

func TestControlsOfRealDevicesAreWhereTheyAre(t *testing.T) {
	for _, test := range []struct {
		name            string
		inputs, outputs []place
	}{
		{"blackwire-3220",
			[]place{{"0x0b:0x2f", 8, 0, 1, Variable | Relative}, {"0x0b:0x20", 8, 1, 1, Variable | NoPreferred}, {"0x0b:0x21", 8, 2, 1, Variable | NoPreferred}},
			[]place{{"0x08:0x09", 9, 0, 1, Variable | NoPreferred}, {"0x08:0x17", 0x17, 0, 1, Variable | NoPreferred}, {"0x08:0x18", 0x18, 0, 1, Variable | NoPreferred}, {"0x08:0x20", 0x20, 0, 1, Variable | NoPreferred}}},
		{"jabra-layout",
			[]place{{"0x0b:0x20", 2, 0, 1, Variable | NoPreferred}, {"0x0b:0x97", 2, 1, 1, Variable | NoPreferred}, {"0x0b:0x2f", 2, 2, 1, Variable | Relative},
				{"0x0b:0x21", 2, 3, 1, Variable | Relative}, {"0x0b:0xb0", 2, 6, 4, NullState}, {"0x0b:0xbb", 2, 6, 4, NullState}, {"0x09:0x07", 2, 10, 1, Variable},
				{"0x0c:0xea", 1, 0, 1, Variable}, {"0x0c:0xe9", 1, 1, 1, Variable}},
			[]place{{"0x08:0x17", 2, 0, 1, Variable | NoPreferred}, {"0x08:0x09", 2, 1, 1, Variable | NoPreferred}, {"0x08:0x18", 2, 2, 1, Variable | NoPreferred},
				{"0x08:0x20", 2, 3, 1, Variable | NoPreferred}, {"0x08:0x21", 2, 4, 1, Variable | NoPreferred}, {"0x0b:0x9e", 2, 5, 1, Variable | NoPreferred}}},
		{"plantronics-layout",
			[]place{{"0x0b:0x20", 8, 0, 1, Variable | NoPreferred}, {"0x0b:0x2f", 8, 4, 1, Variable | Relative}, {"0x0b:0x21", 8, 5, 1, Variable | Relative},
				{"0x0b:0x24", 8, 6, 1, Variable | Relative}, {"0x09:0x07", 8, 7, 1, Variable}},
			[]place{{"0x08:0x09", 9, 0, 1, Variable | NoPreferred}, {"0x08:0x17", 0x17, 0, 1, Variable | NoPreferred}}},
		{"dell-sp325",
			[]place{{"0x0b:0x20", 5, 0, 1, Variable | NoPreferred}, {"0x0b:0x2f", 5, 1, 1, Variable | Relative}, {"0x0b:0x24", 5, 2, 1, Variable | Relative},
				{"0x09:0x07", 5, 7, 1, Variable}, {"0x0c:0xe9", 12, 0, 1, Variable}},
			[]place{{"0x08:0x17", 5, 0, 1, Variable | NoPreferred}, {"0x08:0x21", 5, 4, 1, Variable | NoPreferred}}},
		{"logitech-mx-brio",
			[]place{{"0x0b:0x2f", 8, 0, 1, Variable | Relative}, {"0x0b:0x20", 8, 1, 1, Variable | NoPreferred}},
			[]place{{"0x08:0x09", 8, 0, 1, Variable | NoPreferred}}},
		{"rig",
			[]place{{"0x0b:0x20", 1, 0, 1, Variable}, {"0x0b:0x2f", 1, 1, 1, Variable}},
			[]place{{"0x08:0x17", 2, 0, 1, Variable}, {"0x08:0x09", 2, 1, 1, Variable}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, err := Parse(descriptor(t, test.name))
			if err != nil {
				t.Fatal(err)
			}
			if !d.Numbered {
				t.Error("its reports have no ids")
			}
			check := func(places []place, find func(Usage) (Control, bool)) {
				for _, p := range places {
					u := usageOf(t, p.usage)
					c, ok := find(u)
					if got := (place{p.usage, int(c.Report), c.Offset, c.Size, c.Flags}); !ok || got != p {
						t.Errorf("%s: got %+v, %v; want %+v", p.usage, got, ok, p)
					}
				}
			}
			check(test.inputs, d.Input)
			check(test.outputs, d.Output)
			for _, none := range []string{"0x01:0x30", "0x0b:0x26", "0xff00:0x20"} {
				if c, ok := d.Input(usageOf(t, none)); ok {
					t.Errorf("%s is found: %+v", none, c)
				}
			}
		})
	}
}

func TestAConstantIsNoControl(t *testing.T) {
	for _, name := range []string{"anker-powerconf", "razer-seiren", "razer-kraken", "game-voice"} {
		d, err := Parse(descriptor(t, name))
		if err != nil {
			t.Fatal(name, err)
		}
		if c, ok := d.Input(Usage{0x0B, 0x20}); ok {
			t.Errorf("%s: a hook switch is found: %+v", name, c)
		}
	}
}

func TestLengthsCountTheIDAndPadding(t *testing.T) {
	d, err := Parse(descriptor(t, "jabra-layout"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		kind   Kind
		report byte
		want   int
	}{{Input, 2, 3}, {Output, 2, 3}, {Input, 1, 3}, {Output, 1, 0}, {Feature, 2, 0}} {
		if got := d.Length(test.kind, test.report); got != test.want {
			t.Errorf("report %d of kind %d: got %d bytes, want %d", test.report, test.kind, got, test.want)
		}
	}
	d, err = Parse(bytesOf(t, "05 0b 09 20 09 2f 15 00 25 01 75 01 95 02 81 02 95 07 81 03"))
	if err != nil || d.Numbered || d.Length(Input, 0) != 2 {
		t.Errorf("without ids: %+v, %v", d, err)
	}
}

func TestTheStateTableIsThatOfTheSpecification(t *testing.T) {
	const bit = "15 00 25 01 75 01 95 01 "
	for _, test := range []struct {
		name, bytes, usage string
		offset             int // -1: not there
	}{
		{"push and pop bring the page back", "05 0b" + bit + "a4 05 0c b4 09 20 81 02", "0x0b:0x20", 0},
		{"what was pushed stays in force", "05 0b" + bit + "a4 09 20 81 02", "0x0b:0x20", 0},
		{"an extended usage brings its own page", "05 0c" + bit + "0b 20 00 0b 00 81 02", "0x0b:0x20", 0},
		{"an extended usage does not stay", "05 0c" + bit + "0b 20 00 0b 00 81 02 09 20 81 02", "0x0c:0x20", 1},
		{"an extended range", "05 0c 75 01 95 10 1b 20 00 0b 00 2b 2f 00 0b 00 81 02", "0x0b:0x2f", 15},
		{"local items end with the main item", "05 0b" + bit + "09 20 a1 00 81 02 c0", "0x0b:0x20", -1},
		{"a range counts up", "05 0b 75 01 95 10 19 20 29 2f 81 02", "0x0b:0x2f", 15},
		{"a range longer than the slots", "05 0b 75 01 95 08 19 20 29 2f 81 02", "0x0b:0x2f", -1},
		{"slots longer than the usages", "05 0b 75 01 95 08 09 20 09 2f 81 02 09 21 95 01 81 02", "0x0b:0x21", 8},
		{"the first alternative is preferred", "05 0b" + bit + "a9 01 09 20 09 2f a9 00 81 02", "0x0b:0x20", 0},
		{"the others are left out", "05 0b" + bit + "a9 01 09 20 09 2f a9 00 81 02", "0x0b:0x2f", -1},
		{"alternatives take one place", "05 0b 75 01 95 02 a9 01 09 20 09 2f a9 00 09 21 81 02", "0x0b:0x21", 1},
		{"a long item is passed over", "05 0b fe 02 77 81 02" + bit + "09 20 81 02", "0x0b:0x20", 0},
		{"reserved items are passed over", "05 0b 0c 1d 05 f5 01" + bit + "09 20 81 02", "0x0b:0x20", 0},
		{"a slot wider than 32 bits only moves the others", "05 0b 09 2f 75 40 95 01 81 02 09 20 75 01 81 02", "0x0b:0x20", 64},
		{"outputs are counted on their own", "05 0b" + bit + "09 2f 91 02 09 20 81 02", "0x0b:0x20", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, err := Parse(bytesOf(t, test.bytes))
			if err != nil {
				t.Fatal(err)
			}
			c, ok := d.Input(usageOf(t, test.usage))
			if ok != (test.offset >= 0) || ok && c.Offset != test.offset {
				t.Errorf("got %+v, %v; want bit %d", c, ok, test.offset)
			}
		})
	}
}

func TestTheInnerApplicationCounts(t *testing.T) {
	// Some EPOS headsets have an application collection within another.
	d, err := Parse(bytesOf(t, "05 0c 09 01 a1 01 05 0b 09 05 a1 01 a1 00 09 20 75 01 95 01 81 02 c0 c0 05 0c 09 e9 81 02 c0"))
	if err != nil {
		t.Fatal(err)
	}
	hook, _ := d.Input(Usage{0x0B, 0x20})
	volume, _ := d.Input(Usage{0x0C, 0xE9})
	if hook.Application != (Usage{0x0B, 5}) || volume.Application != (Usage{0x0C, 1}) {
		t.Errorf("got %v and %v", hook.Application, volume.Application)
	}
}

func TestStatesAreReadFromBits(t *testing.T) {
	const array = "05 0b 15 01 25 03 75 08 95 02 09 20 09 2f 09 21 09 24 81 00" // the fourth usage cannot be said
	const null = "05 0b 15 00 25 01 75 02 95 01 09 20 81 42"
	const signedNull = "05 0b 15 ff 25 01 75 02 95 01 09 20 81 46"
	const signed = "05 0b 15 ff 25 01 75 02 95 01 09 20 81 06"
	for _, test := range []struct {
		name, bytes, report string
		usage               Usage
		on, known           bool
	}{
		{"nothing to read", null, "", Usage{0x0B, 0x20}, false, false},
		{"a slot beyond the end", array, "01", Usage{0x0B, 0x20}, false, false},
		{"a value that means nothing", null, "02", Usage{0x0B, 0x20}, false, false},
		{"a bit that is off", null, "00", Usage{0x0B, 0x20}, false, true},
		{"a bit that is on", null, "01", Usage{0x0B, 0x20}, true, true},
		{"minus one is on, too", signed, "03", Usage{0x0B, 0x20}, true, true},
		{"minus one lies within limits", signedNull, "03", Usage{0x0B, 0x20}, true, true},
		{"minus two does not", signedNull, "02", Usage{0x0B, 0x20}, false, false},
		{"the array says the second", array, "02 00", Usage{0x0B, 0x2F}, true, true},
		{"the array says it in another slot", array, "00 02", Usage{0x0B, 0x2F}, true, true},
		{"the array says another", array, "02 03", Usage{0x0B, 0x20}, false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, err := Parse(bytesOf(t, test.bytes))
			if err != nil {
				t.Fatal(err)
			}
			c, ok := d.Input(test.usage)
			if !ok {
				t.Fatal("the control is not found")
			}
			if on, known := c.On(bytesOf(t, test.report)); on != test.on || known != test.known {
				t.Errorf("got %v, %v; want %v, %v", on, known, test.on, test.known)
			}
		})
	}
	d, err := Parse(bytesOf(t, array))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := d.Input(Usage{0x0B, 0x24}); ok {
		t.Error("a usage is found that no value can name")
	}
}

func TestWhatIsPutIsRead(t *testing.T) {
	for _, bytes := range []string{
		"05 08 15 00 25 01 75 03 95 01 91 03 09 17 91 02",       // a variable across nothing
		"05 08 15 00 25 01 75 07 95 01 91 03 09 17 75 02 91 02", // across two bytes
		"05 08 15 01 25 05 75 04 95 02 09 09 09 17 91 00",       // an array from 1
		"05 08 15 00 25 01 75 04 95 02 09 09 09 17 91 00",       // an array from 0
	} {
		d, err := Parse(bytesOf(t, bytes))
		if err != nil {
			t.Fatal(err)
		}
		c, ok := d.Output(Usage{0x08, 0x17})
		if !ok {
			t.Fatalf("%s: not found", bytes)
		}
		report := make([]byte, d.Length(Output, 0))
		for _, on := range []bool{true, false, true} {
			c.Put(report, on)
			if got, known := c.On(report); got != on || !known {
				t.Errorf("%s: put %v, got %v, %v from % x", bytes, on, got, known, report)
			}
		}
		c.Put(nil, true) // too short: nothing happens
	}
}

func usageOf(t *testing.T, text string) Usage {
	t.Helper()
	page, id, _ := strings.Cut(text, ":")
	number := func(s string) uint16 {
		s = strings.TrimPrefix(s, "0x")
		b := bytesOf(t, strings.Repeat("0", 4-len(s))+s)
		return uint16(b[0])<<8 | uint16(b[1])
	}
	return Usage{number(page), number(id)}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("../testdata/*.hex")
	if err != nil || len(files) == 0 {
		f.Fatal("no descriptors", err)
	}
	for _, file := range files {
		f.Add(descriptor(f, strings.TrimSuffix(filepath.Base(file), ".hex")), []byte{2, 1, 0})
	}
	f.Fuzz(func(t *testing.T, b, report []byte) {
		d, err := Parse(b)
		if err != nil {
			return
		}
		fields := 0
		for kind, list := range d.Fields {
			fields += len(list)
			for _, field := range list {
				if n := d.Length(Kind(kind), field.Report); 8*n < field.Offset+field.Size*field.Count {
					t.Fatalf("%+v does not fit into %d bytes", field, n)
				}
				c := Control{field, field.Min}
				c.On(report)
				payload := make([]byte, d.Length(Kind(kind), field.Report))
				c.Put(payload, true)
				if on, known := c.On(payload); field.Flags&Variable != 0 && field.Flags&NullState == 0 && (!on || !known) {
					t.Fatalf("%+v is put and not read", field)
				}
			}
		}
		if fields > fieldsMax {
			t.Fatalf("%d fields", fields)
		}
	})
}
