package clock

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestTheKernelsTimesAreCheckedToo(t *testing.T) {
	want := time.Date(2026, 12, 31, 23, 59, 58, 0, time.UTC)
	r := formatRTC(want)
	if r.Mon != 11 || r.Year != 126 || r.Wday != 4 || r.Yday != 364 {
		t.Errorf("rtc_time %+v", r)
	}
	if got, err := parseRTC(r); err != nil || !got.Equal(want) {
		t.Errorf("%v, %v", got, err)
	}
	for _, r := range []unix.RTCTime{{}, {Year: 126, Mon: 12, Mday: 1}, {Year: 126, Mon: -1, Mday: 1}, {Year: 126, Mday: 0}, {Year: 126, Mday: 1, Sec: 60},
		{Year: 1 << 30, Mday: 1}, {Year: 70, Mday: 1}, {Year: 126, Mday: 1, Hour: -1 << 31}} {
		if got, err := parseRTC(r); err == nil {
			t.Errorf("%+v is %v", r, got)
		}
	}
}

func TestAClockOfTheKernelThatIsNoneIsAnError(t *testing.T) {
	dir := t.TempDir()
	if got, err := (Kernel{filepath.Join(dir, "rtc7")}).Read(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, %v", got, err)
	}
	file := filepath.Join(dir, "rtc0")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	clock := Kernel{file}
	if got, err := clock.Read(); !errors.Is(err, unix.ENOTTY) {
		t.Errorf("a file shows %v, %v", got, err)
	}
	if err := clock.Set(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)); !errors.Is(err, unix.ENOTTY) || !strings.Contains(err.Error(), "rtc0") {
		t.Errorf("a file was set: %v", err)
	}
	if err := clock.Set(time.Time{}); err == nil || errors.Is(err, unix.ENOTTY) {
		t.Errorf("set to year 1: %v", err)
	}
}
