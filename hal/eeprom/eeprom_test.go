package eeprom

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/hal/haltest"

	"periph.io/x/conn/v3/i2c/i2ctest"
)

func ada() Identity {
	return Identity{Serial: "FZ-000042", Model: "desk 1", Revision: "C", MAC: [6]byte{0x02, 0x46, 0x5A, 0, 0, 0x2A},
		Produced: time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)}
}

func bob() Identity {
	return Identity{Serial: "FZ-000043-with-a-long-number", Model: "desk 2", Revision: "", MAC: [6]byte{0x02, 0x46, 0x5A, 0, 0, 0x2B},
		Produced: time.Date(2027, 12, 31, 0, 0, 0, 0, time.UTC)}
}

func marshal(t *testing.T, i Identity) []byte {
	t.Helper()
	record, err := i.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// sealed is a record with any body and a fitting checksum.
func sealed(version byte, body []byte) []byte {
	record := append([]byte(magic), version, byte(len(body)))
	record = append(record, body...)
	return binary.BigEndian.AppendUint32(record, crc32.ChecksumIEEE(record))
}

func TestRecordsThatAreNoIdentityAreRefused(t *testing.T) {
	good := marshal(t, ada())
	mac, day := "\x02\x00\x00\x00\x00\x01", "\x00\x01"
	changed := func(n int) []byte { b := bytes.Clone(good); b[n] ^= 0x10; return b }
	tests := []struct {
		name, want string
		data       []byte
	}{
		{"nothing", "no identity", nil},
		{"an erased chip", "no identity", bytes.Repeat([]byte{0xFF}, 256)},
		{"zeros", "no identity", make([]byte, 256)},
		{"another magic", "no identity", changed(0)},
		{"cut after the magic", "no identity", good[:4]},
		{"cut", "ends after", good[:len(good)-1]},
		{"a bit in the serial", "checksum", changed(18)},
		{"a bit in the checksum", "checksum", changed(len(good) - 1)},
		{"another length", "checksum", changed(5)},
		{"a newer version", "version 2", sealed(2, good[6:len(good)-4])},
		{"too short", "too short", sealed(1, []byte(mac+day))},
		{"a text beyond the end", "longer than the record", sealed(1, []byte(mac+day+"\x09a\x01b\x00"))},
		{"more than the texts", "mean nothing", sealed(1, []byte(mac+day+"\x01a\x01b\x00z"))},
		{"no serial", "serial has 0", sealed(1, []byte(mac+day+"\x00\x01b\x00"))},
		{"a serial with a space", "character ' '", sealed(1, []byte(mac+day+"\x03a b\x01b\x00"))},
		{"a model with a line feed", `character '\n'`, sealed(1, []byte(mac+day+"\x01a\x01\n\x00"))},
		{"a model that is not ASCII", "model has the character", sealed(1, []byte(mac+day+"\x01a\x02\xc3\xa4\x00"))},
		{"no model", "model has 0", sealed(1, []byte(mac+day+"\x01a\x00\x00"))},
		{"a revision too long", "revision has 17", sealed(1, []byte(mac+day+"\x01a\x01b\x11"+strings.Repeat("r", 17)))},
		{"a group's MAC", "of a group", sealed(1, []byte("\x01\x00\x5e\x00\x00\x01"+day+"\x01a\x01b\x00"))},
		{"broadcast", "of a group", sealed(1, []byte("\xff\xff\xff\xff\xff\xff"+day+"\x01a\x01b\x00"))},
		{"no MAC", "all zeros", sealed(1, []byte("\x00\x00\x00\x00\x00\x00"+day+"\x01a\x01b\x00"))},
	}
	for _, test := range tests {
		if i, err := Parse(test.data); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, error %v, want %q", test.name, i, err, test.want)
		}
	}
}

func TestWhatNoRecordCanHoldIsNotMarshalled(t *testing.T) {
	for name, change := range map[string]func(*Identity){
		"1999":        func(i *Identity) { i.Produced = time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC) },
		"no day":      func(i *Identity) { i.Produced = time.Time{} },
		"2200":        func(i *Identity) { i.Produced = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC) },
		"long serial": func(i *Identity) { i.Serial = strings.Repeat("1", 33) },
		"group":       func(i *Identity) { i.MAC[0] = 0x03 },
	} {
		i := ada()
		change(&i)
		if _, err := i.Marshal(); err == nil {
			t.Errorf("%s: marshalled", name)
		}
	}
}

// The bytes of a phone in the field: they must be understood by every later firmware.
func TestARecordIsTheseBytes(t *testing.T) {
	const golden = "465a6964011b02465a00002a255709465a2d303030303432066465736b203101438a85bd6f"
	if got := hex.EncodeToString(marshal(t, ada())); got != golden {
		t.Errorf("record\n%s, want\n%s", got, golden)
	}
	i, err := Parse(append(marshal(t, ada()), 0xFF, 0xFF))
	if err != nil || i != ada() {
		t.Errorf("parsed %v, %v", i, err)
	}
	if got, want := i.String(), "desk 1 rev. C, serial FZ-000042, MAC 02:46:5a:00:00:2a, produced 2026-03-04"; got != want {
		t.Errorf("it calls itself %q, want %q", got, want)
	}
	longest := Identity{Serial: strings.Repeat("s", serialMax), Model: strings.Repeat("m", modelMax), Revision: strings.Repeat("r", revisionMax),
		MAC: [6]byte{2, 1, 1, 1, 1, 1}, Produced: time.Date(2179, 6, 1, 0, 0, 0, 0, time.UTC)}
	if n := len(marshal(t, longest)); n != MaxBytes || n > 256 {
		t.Errorf("the longest record has %d bytes", n)
	}
}

func FuzzParse(f *testing.F) {
	record, _ := ada().Marshal()
	f.Add(record)
	f.Add(sealed(1, []byte("\x02\x00\x00\x00\x00\x01\x00\x01\x09a\x01b\x00")))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, data := range [][]byte{data, sealed(1, data[:min(len(data), 255)])} {
			i, err := Parse(data)
			if err != nil {
				continue
			}
			again, err := i.Marshal()
			if err != nil || !bytes.HasPrefix(data, again) {
				t.Fatalf("%v does not marshal to what it was parsed from: %v", i, err)
			}
		}
	})
}

// The transfers of one read and one write, as on the wire of a 24C32.
func TestAWideChipGetsTwoAddressBytes(t *testing.T) {
	record := marshal(t, ada())
	bus := &i2ctest.Playback{DontPanic: true, Ops: []i2ctest.IO{
		{Addr: 0x57, W: []byte{0, 0}, R: record[:6]},
		{Addr: 0x57, W: []byte{0, 0}, R: record},
	}}
	i, err := Chip{bus, 0x57, AT24C32}.Read()
	if err != nil || i != ada() {
		t.Errorf("read %v, %v", i, err)
	}
	if err := bus.Close(); err != nil {
		t.Error(err)
	}
}

func newModel(kind Kind) (*haltest.EEPROM24, *haltest.Bus, Chip) {
	model := haltest.NewEEPROM24(256, 8, false, 3)
	if kind == AT24C32 {
		model = haltest.NewEEPROM24(4096, 32, true, 3)
	}
	bus := &haltest.Bus{}
	bus.Attach(0x50, model)
	return model, bus, Chip{bus, 0x50, kind}
}

func TestAnIdentityIsWrittenReadAndNotWrittenTwice(t *testing.T) {
	for kind := range kinds {
		synctest.Test(t, func(t *testing.T) {
			_, bus, chip := newModel(kind)
			if i, err := chip.Read(); !errors.Is(err, ErrBlank) {
				t.Errorf("%s: a new chip reads %v, %v", kind, i, err)
			}
			for _, want := range []Identity{ada(), bob(), ada()} {
				if err := chip.Write(want); err != nil {
					t.Fatal(err)
				}
				if i, err := chip.Read(); err != nil || i != want {
					t.Errorf("%s: read %v, %v, want %v", kind, i, err, want)
				}
			}
			before, _ := bus.Traffic()
			if err := chip.Write(ada()); err != nil {
				t.Error(err)
			}
			if after, _ := bus.Traffic(); after != before+1 {
				t.Errorf("%s: writing what is there took %d transfers, want the one that reads it", kind, after-before)
			}
		})
	}
}

// Every byte of a write may be the last one.
func TestAPowerCutAtAnyByteNeverLeavesAWrongIdentity(t *testing.T) {
	type start struct {
		name string
		old  *Identity
	}
	first, second := ada(), bob()
	for kind := range kinds {
		for _, s := range []start{{"blank", nil}, {"shorter", &first}, {"longer", &second}} {
			synctest.Test(t, func(t *testing.T) {
				wanted := Identity{Serial: "FZ-000042", Model: "desk 1", Revision: "D", MAC: ada().MAC, Produced: ada().Produced}
				kept, none, done := 0, 0, 0
				for cut := 0; done == 0; cut++ {
					if cut > 200 {
						t.Fatal("the write never ends")
					}
					model, _, chip := newModel(kind)
					if s.old != nil {
						model.Load(marshal(t, *s.old))
					}
					model.CutAfter(cut)
					writeErr := chip.Write(wanted)
					model.Power()
					i, err := chip.Read()
					switch {
					case err != nil:
						none++
						if writeErr == nil {
							t.Fatalf("%s, %s, cut after %d bytes: Write saw nothing, Read: %v", kind, s.name, cut, err)
						}
					case i == wanted:
						done++
					case s.old != nil && i == *s.old && writeErr != nil:
						kept++
					default:
						t.Fatalf("%s, %s, cut after %d bytes: the phone is %v", kind, s.name, cut, i)
					}
					if err := chip.Write(wanted); err != nil {
						t.Fatalf("%s, %s, cut after %d bytes: writing again: %v", kind, s.name, cut, err)
					}
					if i, err := chip.Read(); err != nil || i != wanted {
						t.Fatalf("%s, %s, cut after %d bytes: written again it is %v, %v", kind, s.name, cut, i, err)
					}
				}
				if (s.old != nil) != (kept > 0) || none < 20 {
					t.Errorf("%s, %s: kept %d, none %d: the cuts did not cut", kind, s.name, kept, none)
				}
			})
		}
	}
}

func TestADisturbedReadIsRepeated(t *testing.T) {
	model, bus, chip := newModel(AT24C02)
	model.Load(marshal(t, ada()))
	calls := 0
	bus.Fail(func(uint16, []byte, []byte) error {
		if calls++; calls%3 != 0 {
			return errors.New("arbitration lost")
		}
		return nil
	})
	if i, err := chip.Read(); err != nil || i != ada() {
		t.Errorf("read %v, %v", i, err)
	}
	bus.Fail(func(uint16, []byte, []byte) error { return errors.New("timeout") })
	if _, err := chip.Read(); err == nil || errors.Is(err, ErrBlank) || !strings.Contains(err.Error(), "AT24C02 at 0x50") {
		t.Errorf("a bus that is stuck reads %v", err)
	}
	bus.Fail(nil)
	bus.Attach(0x50, nil)
	if _, err := chip.Read(); !errors.Is(err, haltest.ErrNAK) {
		t.Errorf("a chip that is not there reads %v", err)
	}
}

func TestAFaultAtAnyTransferOfAWriteIsAnErrorOrHarmless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for broken := 0; ; broken++ {
			model, bus, chip := newModel(AT24C02)
			model.Load(marshal(t, bob()))
			calls := 0
			bus.Fail(func(_ uint16, w, _ []byte) error {
				calls++
				if calls-1 != broken {
					return nil
				}
				model.Write(w[:len(w)/2]) // half of it got through
				return errors.New("remote I/O error")
			})
			err := chip.Write(ada())
			bus.Fail(nil)
			if calls <= broken {
				if broken < 20 {
					t.Errorf("only %d transfers", broken)
				}
				return
			}
			i, readErr := chip.Read()
			if err == nil && i != ada() || err != nil && readErr == nil && i != bob() {
				t.Fatalf("transfer %d broken: Write says %v, the phone is %v", broken, err, i)
			}
		}
	})
}

// protected ignores what is written, as a chip whose pin WP is high.
type protected struct{ *haltest.EEPROM24 }

func (p protected) Write(message []byte) bool { return p.EEPROM24.Write(message[:1]) }

func TestAWriteProtectedChipIsNamedSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model, bus, chip := newModel(AT24C02)
		model.Load(marshal(t, bob()))
		bus.Attach(0x50, protected{model})
		if err := chip.Write(ada()); err == nil || !strings.Contains(err.Error(), "write-protected") {
			t.Error(err)
		}
		if i, err := chip.Read(); err != nil || i != bob() {
			t.Errorf("read %v, %v", i, err)
		}
	})
}

func TestAChipThatStaysBusyIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := &haltest.Bus{}
		bus.Attach(0x50, haltest.NewEEPROM24(256, 8, false, 1000000))
		start := time.Now()
		if err := (Chip{bus, 0x50, AT24C02}).Write(ada()); err == nil || !strings.Contains(err.Error(), "no answer for 50ms") {
			t.Error(err)
		}
		if took := time.Since(start); took != polls*pollEvery {
			t.Errorf("gave up after %v", took)
		}
	})
}

func TestKindsAreKnownByName(t *testing.T) {
	if k, err := ParseKind("24C512"); err == nil {
		t.Errorf("24C512 is %s", k)
	}
	for k := range kinds {
		if got, err := ParseKind(k.String()); err != nil || got != k {
			t.Errorf("%s: %s, %v", k, got, err)
		}
	}
}
