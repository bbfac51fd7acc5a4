package lamp

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/hal"

	"golang.org/x/sys/unix"
)

func TestAnLEDWhoseTimerIsNeverGrantedShinesAtOnce(t *testing.T) {
	root := sysfs(t, "a")
	if err := os.Chmod(filepath.Join(root, "sys/class/leds/a/delay_on"), 0o444); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		// Root may write everything: this thread gives its capabilities away, and ends with the test.
		runtime.LockOSThread()
		var none [2]unix.CapUserData
		if err := unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &none[0]); err != nil {
			t.Fatal(err)
		}
		l := newLED(hal.LampHold, root, "a")
		s := newScene(scene{level: 255}, shown(map[hal.Lamp]hal.Blink{hal.LampHold: hal.BlinkSlow}), []Binding{{Lamp: hal.LampHold, LED: "a"}}, time.Now())
		if err := l.show(&s, time.Now()); err != nil {
			t.Fatal(err)
		}
		if got := ledFile(t, root, "a", "brightness"); got != "100" || l.have.on != 0 {
			t.Errorf("brightness %s, and the kernel is thought to blink %v", got, l.have.on)
		}
	})
}
