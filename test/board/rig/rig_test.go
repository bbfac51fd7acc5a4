package rig

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestAFileWithoutACleanPathIsRefused(t *testing.T) {
	for _, path := range []string{"", "/", "etc/x", "/etc/../x", "/etc/"} {
		if _, err := archive([]File{{Path: path}}); err == nil {
			t.Errorf("%q was packed", path)
		}
	}
}

func TestFoldersComeBeforeWhatIsInThem(t *testing.T) {
	packed, err := archive([]File{{Path: "/b/c/d", Data: []byte("hello"), Mode: 0o600, UID: 7}, {Path: "/b/c", Dir: true, UID: 9}, {Path: "/init"}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for len(packed) > 0 {
		var f [13]int
		for i := range f {
			if _, err := fmt.Sscanf(string(packed[6+8*i:14+8*i]), "%x", &f[i]); err != nil {
				t.Fatal(err)
			}
		}
		mode, uid, size, name := f[1], f[2], f[6], f[11]
		start := (110 + name + 3) &^ 3
		got = append(got, fmt.Sprintf("%s %o %d %s", packed[110:110+name-1], mode, uid, packed[start:start+size]))
		packed = packed[(start+size+3)&^3:]
	}
	want := []string{"b 40755 0 ", "b/c 40755 9 ", "b/c/d 100600 7 hello", "init 100644 0 ", "TRAILER!!! 0 0 "}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestTheConsoleIsCutIntoLines(t *testing.T) {
	var l log
	for _, part := range []string{"one\r\ntw", "o", "\nthree"} {
		if n, err := l.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	if lines := bytes.Split([]byte(l.String()), []byte("\n")); len(lines) != 2 || !bytes.HasSuffix(lines[0], []byte(" one")) || !bytes.HasSuffix(lines[1], []byte(" two")) {
		t.Errorf("%q", lines)
	}
}

func TestAMachineThatStandsStillIsLookedAtAndEnded(t *testing.T) {
	began := time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)
	at := func(second int) time.Time { return began.Add(time.Duration(second) * time.Second) }
	var p pulse
	var seen []string
	for second := range 80 {
		if second <= 3 || second == 20 { // alive, then late, then still
			p.beat(at(second))
		}
		look, end := p.check(at(second))
		if look || end {
			seen = append(seen, fmt.Sprint(second, look, end))
		}
		if end {
			break
		}
	}
	if got, want := strings.Join(seen, ", "), "13 true false, 30 true false, 65 true true"; got != want || p.still != stillMax || !p.dead {
		t.Errorf("got %q, want %q; %+v", got, want, p)
	}
}
