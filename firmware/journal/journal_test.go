package journal

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// texts are the data of all records that wait, in order.
func texts(j *Journal) []string {
	var all []string
	for id, data, more := j.Next(0); more; id, data, more = j.Next(id) {
		all = append(all, string(data))
	}
	return all
}

func TestWhatWasAppendedWaitsInOrderUntilItIsConfirmed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outcomes")
	j, err := Open(path, 3)
	ok(t, err)
	if _, err := j.Append(nil); err == nil {
		t.Error("nothing was appended")
	}
	if _, err := j.Append(make([]byte, DataMax+1)); err == nil {
		t.Error("too much was appended")
	}
	var ids []uint64
	for _, text := range []string{"a", strings.Repeat("b", DataMax), "c"} {
		id, err := j.Append([]byte(text))
		ok(t, err)
		ids = append(ids, id)
	}
	var full interface{ Full() bool }
	if _, err := j.Append([]byte("d")); !errors.As(err, &full) || !full.Full() {
		t.Errorf("the fourth of three: %v", err)
	}
	if _, err := Open(path, 3); err == nil || !strings.Contains(err.Error(), "another program") {
		t.Errorf("opened twice: %v", err)
	}
	ok(t, j.Confirm(ids[1]))
	ok(t, j.Confirm(ids[1]))
	ok(t, j.Confirm(999))
	if j.Len() != 2 || !slices.Equal(texts(j), []string{"a", "c"}) {
		t.Errorf("waiting: %.20q", texts(j))
	}
	ok(t, j.Close())
	ok(t, j.Close())
	if _, err := j.Append([]byte("e")); !errors.Is(err, errClosed) {
		t.Errorf("after the end: %v", err)
	}
	j, err = Open(path, 3)
	ok(t, err)
	defer j.Close()
	if !slices.Equal(texts(j), []string{"a", "c"}) || j.Damage() != (Damage{}) {
		t.Errorf("opened again: %.20q, %+v", texts(j), j.Damage())
	}
	if id, err := j.Append([]byte("d")); err != nil || id <= ids[2] {
		t.Errorf("a number came twice: %d, %v", id, err)
	}
}

func TestTheFileStaysSmall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outcomes")
	j, err := Open(path, 10)
	ok(t, err)
	defer j.Close()
	_, err = j.Append([]byte("stays"))
	ok(t, err)
	for range 500 {
		id, err := j.Append(make([]byte, 1000))
		ok(t, err)
		ok(t, j.Confirm(id))
	}
	info, err := os.Stat(path)
	ok(t, err)
	if info.Size() > compactFrom+3000 || info.Mode().Perm() != 0o600 {
		t.Errorf("%d bytes, %v", info.Size(), info.Mode())
	}
	if !slices.Equal(texts(j), []string{"stays"}) {
		t.Errorf("got %q", texts(j))
	}
}

// A witness knows what a program was told, and so what must be found.
type witness struct {
	must []string // confirmed to be kept, and not let go
	may  []string // being appended, or being let go
}

// day is what a phone does: it appends and confirms, also out of order, until the file has been written anew.
func day(d *disk, w *witness) error {
	j, err := open(d, "j", 20, 200)
	if err != nil {
		return err
	}
	ids := map[string]uint64{}
	keep := func(text string) {
		w.may = append(w.may, text)
		if id, err := j.Append([]byte(text)); err == nil {
			ids[text] = id
			w.may = w.may[:len(w.may)-1]
			w.must = append(w.must, text)
		}
	}
	letGo := func(text string) {
		if i := slices.Index(w.must, text); i >= 0 {
			w.must = slices.Delete(w.must, i, i+1)
			w.may = append(w.may, text)
			if j.Confirm(ids[text]) == nil {
				w.may = w.may[:len(w.may)-1]
			}
		}
	}
	keep(`{"a":1}`)
	keep(`{"b":"ü"}`)
	letGo(`{"a":1}`)
	keep(`{"c":"` + strings.Repeat("x", 60) + `"}`)
	keep(`{"d":4}`)
	letGo(`{"c":"` + strings.Repeat("x", 60) + `"}`)
	keep(`{"e":5}`)
	letGo(`{"b":"ü"}`)
	keep(`{"f":6}`)
	return nil
}

// check opens what is found and compares it with what the witness saw.
func (w *witness) check(t *testing.T, d *disk, when string) *Journal {
	t.Helper()
	j, err := open(d, "j", 20, 200)
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	got := texts(j)
	rest := slices.DeleteFunc(slices.Clone(got), func(text string) bool { return slices.Contains(w.may, text) })
	must := slices.DeleteFunc(slices.Clone(w.must), func(text string) bool { return slices.Contains(w.may, text) })
	if !slices.Equal(rest, must) {
		t.Fatalf("%s: found %q, must be there %q, may be there %q", when, got, w.must, w.may)
	}
	if lost := j.Damage().LostBytes; lost > 0 {
		t.Fatalf("%s: %d bytes before the end were damaged", when, lost)
	}
	return j
}

// run runs the day until the power goes.
func run(d *disk, w *witness) (cut bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, power := r.(powerCut); !power {
				panic(r)
			}
			cut = true
		}
	}()
	_ = day(d, w) // opening may fail when the disk does
	return false
}

func TestNoCutLosesWhatWasConfirmed(t *testing.T) {
	whole := newDisk()
	if run(whole, &witness{}); whole.operations < 34 {
		t.Fatalf("a day has only %d operations: the file was not written anew", whole.operations)
	}
	states := 0
	for at := 1; at <= whole.operations; at++ {
		for reached := 0; reached <= whole.lengths[at]; reached++ {
			d, w := newDisk(), &witness{}
			d.powerAt, d.reached = at, reached
			if !run(d, w) {
				t.Fatalf("no cut at operation %d", at)
			}
			for i, found := range d.after("j") {
				states++
				j := w.check(t, found, fmt.Sprintf("cut in operation %d after %d bytes, state %d", at, reached, i))
				// Life goes on, and the next cut finds that too.
				_, err := j.Append([]byte("after"))
				ok(t, err)
				again := *w
				again.must = append(slices.Clone(w.must), "after")
				again.check(t, found.after("j")[0], "the second cut")
			}
		}
	}
	t.Logf("%d states of the disk", states)
}

func TestADiskThatFailsLosesNothingThatWasConfirmed(t *testing.T) {
	whole := newDisk()
	run(whole, &witness{})
	for at := 1; at <= whole.operations; at++ {
		for reached := 0; reached <= whole.lengths[at]; reached += 7 {
			d, w := newDisk(), &witness{}
			d.failAt, d.reached = at, reached
			run(d, w)
			for i, found := range d.after("j") {
				w.check(t, found, fmt.Sprintf("operation %d failed after %d bytes, state %d", at, reached, i))
			}
		}
	}
}

func TestEveryTornTailIsCutOff(t *testing.T) {
	data := []byte(magic)
	var ends []int
	for i := range 4 {
		data = encode(data, appended, record{uint64(i + 1), []byte(fmt.Sprintf(`{"n":%d}`, i))})
		ends = append(ends, len(data))
	}
	for length := range len(data) + 1 {
		d := newDisk()
		d.names["j"] = &inode{data: data[:length]}
		j, err := open(d, "j", 10, compactFrom)
		ok(t, err)
		want, torn := 0, max(0, length-len(magic))
		if length < len(magic) {
			torn = length
		}
		for i, end := range ends {
			if length >= end {
				want, torn = i+1, length-end
			}
		}
		if j.Len() != want || j.Damage() != (Damage{TornBytes: torn}) {
			t.Errorf("cut at byte %d: %d records, want %d; %+v, want %d torn", length, j.Len(), want, j.Damage(), torn)
		}
	}
}

func TestADamagedByteCostsOneRecordAtMost(t *testing.T) {
	data := []byte(magic)
	for i := range 5 {
		data = encode(data, appended, record{uint64(i + 1), []byte(fmt.Sprintf(`{"n":%d}`, i))})
	}
	for at := range data {
		for _, flip := range []byte{1, 0x80, 0xFF} {
			d := newDisk()
			bad := bytes.Clone(data)
			bad[at] ^= flip
			d.names["j"] = &inode{data: bad}
			j, err := open(d, "j", 10, compactFrom)
			ok(t, err)
			if j.Len() < 4 || at >= len(magic) && j.Damage() == (Damage{}) {
				t.Errorf("byte %d: %d records are left, %+v", at, j.Len(), j.Damage())
			}
		}
	}
}

func TestALongLifeOnFailingDisks(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		d, w := newDisk(), &witness{}
		ids := map[string]uint64{}
		var j *Journal
		for step := range 60 {
			if j == nil || random.IntN(20) == 0 {
				d.failAt = 0
				j = w.check(t, d, fmt.Sprintf("seed %d step %d", seed, step))
				w.must, w.may = texts(j), nil
				for id, data, more := j.Next(0); more; id, data, more = j.Next(id) {
					ids[string(data)] = id
				}
			}
			d.failAt, d.reached = d.operations+1+random.IntN(12), random.IntN(100)
			if text := fmt.Sprintf("s%d", step); random.IntN(2) == 0 || len(w.must) == 0 {
				if id, err := j.Append([]byte(text)); err == nil {
					ids[text] = id
					w.must = append(w.must, text)
				} else if !errors.As(err, new(*FullError)) {
					w.may = append(w.may, text)
				}
			} else {
				i := random.IntN(len(w.must))
				text := w.must[i]
				if err := j.Confirm(ids[text]); err == nil {
					w.must = slices.Delete(w.must, i, i+1)
				} else {
					w.may = append(w.may, text) // it waits, but a cut may let it go
				}
			}
			if slices.Sort(w.may); !slices.Equal(texts(j), w.must) {
				t.Fatalf("seed %d step %d: in memory %q, want %q", seed, step, texts(j), w.must)
			}
		}
	}
}

func FuzzReplay(f *testing.F) {
	data := encode(encode([]byte(magic), appended, record{1, []byte(`{"a":1}`)}), appended, record{2, []byte(`{"b":2}`)})
	f.Add(data)
	f.Add(encode(data, confirmed, record{id: 1}))
	f.Add(data[:len(data)-3])
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		d := newDisk()
		d.names["j"] = &inode{data: data}
		j, err := open(d, "j", 1000, compactFrom)
		if err != nil {
			t.Fatal(err)
		}
		before := texts(j)
		if j.Damage().TornBytes+j.Damage().LostBytes > len(data) {
			t.Errorf("%+v of %d bytes", j.Damage(), len(data))
		}
		if j, err = open(d, "j", 1000, compactFrom); err != nil || !slices.Equal(texts(j), before) || j.Damage() != (Damage{}) {
			t.Errorf("opened again: %q, want %q; %+v, %v", texts(j), before, j.Damage(), err)
		}
	})
}
