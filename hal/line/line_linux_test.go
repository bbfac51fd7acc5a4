package line

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
)

func board() (*fakeKernel, *fakeChip) {
	k := newFakeKernel()
	chip := k.plug("/dev/gpiochip0", "gpiochip0", "pl061", "HOOK", "LED1", "", "KB_INT")
	k.plug("/dev/gpiochip1", "gpiochip1", "mcp", "ROW0", "LED1")
	return k, chip
}

func mustOpen(t *testing.T, k kernel, a Address, o Options, l *Line) *Line {
	t.Helper()
	l, err := open(k, a, o, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func input(pull gpio.Pull, edge gpio.Edge) *Line { return &Line{pull: pull, edge: edge} }

func output(level gpio.Level) *Line { return &Line{output: true, level: level} }

func TestWhatCannotBeOpenedSaysWhatThereIs(t *testing.T) {
	for _, c := range []struct {
		name  string
		a     Address
		line  *Line
		setUp func(*fakeKernel, *fakeChip)
		is    error
		says  []string
	}{
		{"no such line", Address{"pl061", "HOCK"}, input(0, 0), nil, unix.ENXIO, []string{"pl061 line HOCK", "HOOK, LED1, 2, KB_INT"}},
		{"no such offset", Address{"pl061", "4"}, input(0, 0), nil, unix.ENXIO, []string{"KB_INT"}},
		{"a negative offset", Address{"pl061", "-1"}, input(0, 0), nil, unix.ENXIO, nil},
		{"no name", Address{"pl061", ""}, input(0, 0), nil, unix.ENXIO, nil},
		{"an offset of no chip", Address{"", "1"}, input(0, 0), nil, unix.ENXIO, nil},
		{"no such chip", Address{"bcm", "HOOK"}, input(0, 0), nil, unix.ENODEV, []string{"pl061 (/dev/gpiochip0), mcp (/dev/gpiochip1)"}},
		{"no chips at all", Address{"", "HOOK"}, input(0, 0), func(k *fakeKernel, _ *fakeChip) { clear(k.chips) }, unix.ENODEV, []string{"no GPIO chips"}},
		{"two chips of a label", Address{"pl061", "HOOK"}, input(0, 0), func(k *fakeKernel, _ *fakeChip) {
			k.plug("/dev/gpiochip2", "gpiochip2", "pl061", "X")
		}, nil, []string{"2 chips", "/dev/gpiochip0", "/dev/gpiochip2", "by its device"}},
		{"a name that two chips have", Address{"", "LED1"}, input(0, 0), nil, nil, []string{"2 chips", "name the chip"}},
		{"somebody has it", Address{"pl061", "HOOK"}, input(0, 0), func(_ *fakeKernel, c *fakeChip) { c.lines[0].consumer = "gpio-keys" }, unix.EBUSY, []string{`used by "gpio-keys"`}},
		{"no interrupt", Address{"pl061", "HOOK"}, input(0, gpio.BothEdges), func(_ *fakeKernel, c *fakeChip) { c.lines[0].noInterrupt = true }, unix.ENXIO, []string{"cannot report edges"}},
		{"not allowed", Address{"pl061", "HOOK"}, input(0, 0), func(k *fakeKernel, _ *fakeChip) { k.refuse = unix.EACCES }, unix.EACCES, []string{"group"}},
		{"gone", Address{"pl061", "HOOK"}, input(0, 0), func(k *fakeKernel, c *fakeChip) { c.gone = true }, unix.ENODEV, nil},
	} {
		k, chip := board()
		if c.setUp != nil {
			c.setUp(k, chip)
		}
		l, err := open(k, c.a, Options{}, c.line)
		if err == nil {
			t.Errorf("%s: opened %v", c.name, l)
			continue
		}
		if c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v is not %v", c.name, err, c.is)
		}
		for _, say := range append(c.says, "line: open ") {
			if !strings.Contains(err.Error(), say) {
				t.Errorf("%s: %q does not say %q", c.name, err, say)
			}
		}
	}
}

func TestALineIsFoundByNameOffsetLabelAndDevice(t *testing.T) {
	for _, a := range []Address{{"", "KB_INT"}, {"pl061", "KB_INT"}, {"pl061", "3"}, {"gpiochip0", "KB_INT"}, {"/dev/gpiochip0", "3"}} {
		k, _ := board()
		l := mustOpen(t, k, a, Options{}, input(0, 0))
		if got := l.String(); got != "KB_INT(gpiochip0-3)" || l.Number() != 3 || l.Name() != "KB_INT" {
			t.Errorf("%v: %s", a, got)
		}
	}
	k, _ := board()
	// The second name that a Raspberry Pi 5 has for a chip is no second chip.
	k.chips["/dev/gpiochip4"] = k.chips["/dev/gpiochip0"]
	l := mustOpen(t, k, Address{"pl061", "2"}, Options{}, input(0, 0))
	if l.Name() != "gpiochip0-2" {
		t.Errorf("a line without a name is called %q", l.Name())
	}
}

func TestAChipThatAppearsLaterIsFound(t *testing.T) {
	k := newFakeKernel()
	if _, err := open(k, Address{"usb", "HOOK"}, Options{}, input(0, 0)); !errors.Is(err, unix.ENODEV) {
		t.Fatal(err)
	}
	k.plug("/dev/gpiochip0", "gpiochip0", "usb", "HOOK")
	mustOpen(t, k, Address{"usb", "HOOK"}, Options{}, input(0, 0))
}

func TestAnOutputNeverShowsALevelNobodyAskedFor(t *testing.T) {
	for _, activeLow := range []bool{false, true} {
		k, chip := board()
		l := mustOpen(t, k, Address{"pl061", "LED1"}, Options{ActiveLow: activeLow}, output(gpio.High))
		for _, level := range []gpio.Level{gpio.Low, gpio.High} {
			if err := l.Out(level); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(l.In(gpio.PullUp, gpio.NoEdge), l.Out(gpio.High)); err != nil {
			t.Fatal(err)
		}
		high := !activeLow
		if want := []bool{high, !high, high, high}; !slices.Equal(chip.lines[1].shown, want) {
			t.Errorf("active low %v: the wire has shown %v, want %v", activeLow, chip.lines[1].shown, want)
		}
	}
}

func TestReadingAnOutputLeavesItAnOutput(t *testing.T) {
	k, chip := board()
	l := mustOpen(t, k, Address{"pl061", "LED1"}, Options{}, output(gpio.High))
	if l.Read() != gpio.High || l.Function() != "Out/High" || l.Func() != gpio.OUT_HIGH || l.WaitForEdge(time.Hour) {
		t.Errorf("reads %v as %s", l.Read(), l.Function())
	}
	if err := errors.Join(l.Out(gpio.Low), l.Halt()); err != nil {
		t.Fatal(err)
	}
	if l.Read() != gpio.Low || !chip.lines[1].output || chip.lines[1].volts {
		t.Errorf("after Out(Low): reads %v, output %v", l.Read(), chip.lines[1].output)
	}
}

func TestOptionsReachTheKernel(t *testing.T) {
	k, chip := board()
	l := mustOpen(t, k, Address{"pl061", "HOOK"}, Options{ActiveLow: true, Debounce: 5 * time.Millisecond, Queue: 7, Consumer: strings.Repeat("x", 40)},
		input(gpio.PullUp, gpio.BothEdges))
	r := chip.lines[0].request
	if r.flags != flagInput|flagActiveLow|flagPullUp|flagRising|flagFalling || r.debounce != 5000 || r.size != 7 || chip.lines[0].consumer != strings.Repeat("x", 31) {
		t.Errorf("flags %#x, debounce %d µs, queue %d, consumer %q", r.flags, r.debounce, r.size, chip.lines[0].consumer)
	}
	if l.Read() != gpio.High { // 0 V
		t.Error("active low: 0 V reads Low")
	}
	for pull, flag := range map[gpio.Pull]uint64{gpio.Float: flagFloat, gpio.PullDown: flagPullDown, gpio.PullNoChange: flagPullDown} {
		if pull == gpio.PullNoChange {
			if err := l.In(gpio.PullDown, gpio.NoEdge); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.In(pull, gpio.NoEdge); err != nil {
			t.Fatal(err)
		}
		if r.flags != flagInput|flagActiveLow|flag {
			t.Errorf("%v: flags %#x", pull, r.flags)
		}
	}
	drain := mustOpen(t, k, Address{"pl061", "2"}, Options{OpenDrain: true, Pull: gpio.PullUp}, output(gpio.High))
	if r := chip.lines[2].request; r.flags != flagOutput|flagOpenDrain|flagPullUp || drain.Func() != gpio.OUT_OC {
		t.Errorf("open drain: flags %#x, %s", r.flags, drain.Func())
	}
}

func TestAnEdgeHasDirectionAndTheKernelsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, chip := board()
		l := mustOpen(t, k, Address{"pl061", "HOOK"}, Options{}, input(gpio.PullUp, gpio.BothEdges))
		start := time.Now()
		k.drive(chip.lines[0], true)
		time.Sleep(30 * time.Millisecond)
		k.drive(chip.lines[0], false)
		time.Sleep(time.Second) // taken late, the times stay
		for i, want := range []Edge{
			{At: time.Hour, Time: start, Rising: true, Seq: 1},
			{At: time.Hour + 30*time.Millisecond, Time: start.Add(30 * time.Millisecond), Seq: 2},
		} {
			got, err := l.NextEdge(0)
			if err != nil || !got.Time.Equal(want.Time) {
				t.Fatalf("edge %d: %+v, %v", i, got, err)
			}
			if got.Time = want.Time; got != want {
				t.Errorf("edge %d: %+v, want %+v", i, got, want)
			}
		}
		if _, err := l.NextEdge(0); err != ErrTimeout {
			t.Error(err)
		}
	})
}

func TestEdgesThatTheKernelDroppedAreCounted(t *testing.T) {
	k, chip := board()
	l := mustOpen(t, k, Address{"pl061", "HOOK"}, Options{Queue: 4}, input(0, gpio.BothEdges))
	for i := range 10 {
		k.drive(chip.lines[0], i%2 == 0)
	}
	edge, err := l.NextEdge(-1)
	if err != nil || edge.Lost != 6 || edge.Seq != 7 || l.Lost() != 6 {
		t.Fatalf("%+v, %v, %d lost", edge, err, l.Lost())
	}
	for range 3 {
		if edge, err := l.NextEdge(-1); err != nil || edge.Lost != 0 {
			t.Fatalf("%+v, %v", edge, err)
		}
	}
}

func TestWaitingForEverWaitsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, chip := board()
		l := mustOpen(t, k, Address{"pl061", "HOOK"}, Options{}, input(0, gpio.RisingEdge))
		go func() {
			time.Sleep(1000 * time.Hour)
			k.drive(chip.lines[0], true)
		}()
		start := time.Now()
		if !l.WaitForEdge(-1) || time.Since(start) != 1000*time.Hour {
			t.Errorf("returned after %v", time.Since(start))
		}
		if l.WaitForEdge(time.Minute) || time.Since(start) != 1000*time.Hour+time.Minute {
			t.Errorf("the timeout of a minute ended after %v", time.Since(start))
		}
	})
}

func TestInOutHaltAndCloseWakeAWaiter(t *testing.T) {
	for name, c := range map[string]struct {
		do  func(*Line) error
		err error
	}{
		"In":    {func(l *Line) error { return l.In(gpio.PullUp, gpio.BothEdges) }, ErrHalted},
		"Out":   {func(l *Line) error { return l.Out(gpio.High) }, ErrHalted},
		"Halt":  {(*Line).Halt, ErrHalted},
		"Close": {(*Line).Close, ErrClosed},
	} {
		synctest.Test(t, func(t *testing.T) {
			k, _ := board()
			l := mustOpen(t, k, Address{"pl061", "HOOK"}, Options{}, input(0, gpio.BothEdges))
			for _, timeout := range []time.Duration{-1, time.Hour} {
				ended := make(chan error)
				for range 2 { // also one that waits behind another
					go func() {
						_, err := l.NextEdge(timeout)
						ended <- err
					}()
				}
				synctest.Wait()
				if err := c.do(l); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				for range 2 {
					if err := <-ended; !errors.Is(err, c.err) {
						t.Errorf("%s: waiting ends with %v", name, err)
					}
				}
				if name == "Halt" {
					if _, err := l.NextEdge(-1); err != ErrHalted {
						t.Errorf("after Halt: %v", err)
					}
				}
				_ = l.In(0, gpio.BothEdges)
			}
		})
	}
}

func TestInForgetsOlderEdges(t *testing.T) {
	k, chip := board()
	l := mustOpen(t, k, Address{"pl061", "HOOK"}, Options{}, input(0, gpio.BothEdges))
	for i := range 40 {
		k.drive(chip.lines[0], i%2 == 0)
	}
	if !l.WaitForEdge(-1) {
		t.Fatal("no edge")
	}
	if err := l.In(gpio.PullUp, gpio.BothEdges); err != nil {
		t.Fatal(err)
	}
	if l.WaitForEdge(0) {
		t.Error("an edge from before In")
	}
	k.drive(chip.lines[0], true)
	if edge, err := l.NextEdge(0); err != nil || edge.Lost != 0 {
		t.Errorf("%+v, %v: what In forgot is not lost", edge, err)
	}
}

func TestAChipThatGoesEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, chip := board()
		l := mustOpen(t, k, Address{"pl061", "HOOK"}, Options{}, input(0, gpio.BothEdges))
		go func() {
			time.Sleep(time.Minute)
			k.unplug(chip)
		}()
		if _, err := l.NextEdge(-1); !errors.Is(err, unix.ENODEV) {
			t.Errorf("waiting ends with %v", err)
		}
		if _, err := l.Value(); !errors.Is(err, unix.ENODEV) {
			t.Errorf("reading ends with %v", err)
		}
		if err := l.In(0, gpio.BothEdges); !errors.Is(err, unix.ENODEV) {
			t.Errorf("In ends with %v", err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestEdgesThatCannotBeHadAreRefused(t *testing.T) {
	k, chip := board()
	chip.lines[0].noInterrupt = true
	l := mustOpen(t, k, Address{"pl061", "HOOK"}, Options{}, input(0, 0))
	if err := l.In(gpio.PullUp, gpio.BothEdges); !errors.Is(err, unix.ENXIO) {
		t.Fatal(err)
	}
	if _, err := l.NextEdge(-1); err != ErrHalted {
		t.Errorf("waits for edges that never come: %v", err)
	}
}

func TestAClosedLineRefusesAll(t *testing.T) {
	k, _ := board()
	l := mustOpen(t, k, Address{"pl061", "HOOK"}, Options{}, input(0, gpio.BothEdges))
	if err := errors.Join(l.Close(), l.Close(), l.Halt()); err != nil {
		t.Fatal(err)
	}
	_, value := l.Value()
	_, edge := l.NextEdge(-1)
	for i, err := range []error{value, edge, l.In(0, 0), l.Out(gpio.High)} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if bool(l.Read()) || l.WaitForEdge(-1) {
		t.Error("a closed line has a level or an edge")
	}
	mustOpen(t, k, Address{"pl061", "HOOK"}, Options{}, input(0, gpio.BothEdges)) // it has been given back
}

func TestFunctionsOfAPin(t *testing.T) {
	k, _ := board()
	l := mustOpen(t, k, Address{"pl061", "HOOK"}, Options{}, input(0, 0))
	if err := l.PWM(gpio.DutyHalf, physic.KiloHertz); err == nil {
		t.Error("PWM works")
	}
	if err := l.SetFunc("I2C1_SDA"); err == nil {
		t.Error("a line became a bus")
	}
	for _, f := range l.SupportedFuncs() {
		if err := l.SetFunc(f); err != nil || l.Func() != f || l.Function() != string(f) {
			t.Errorf("%s: %v, is %s", f, err, l.Func())
		}
	}
	if l.DefaultPull() != gpio.PullNoChange || l.Chip().Label != "pl061" {
		t.Error(l.DefaultPull(), l.Chip())
	}
}

func TestAPieceOfAnEventIsAnError(t *testing.T) {
	k, _ := board()
	l := mustOpen(t, k, Address{"pl061", "HOOK"}, Options{}, input(0, gpio.BothEdges))
	for _, n := range []int{1, 47, 49} {
		if err := l.parse(make([]byte, n)); err == nil {
			t.Errorf("%d bytes are an edge", n)
		}
	}
	if err := l.put(l.halts, nil, nil); !errors.Is(err, unix.ENODEV) {
		t.Errorf("the end of the file: %v", err)
	}
}

// A pipe behaves for reading as the file of a line does.
func TestTheRuntimesPollerWaitsCancelsAndCloses(t *testing.T) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil { // blocking, as the kernel gives lines
		t.Fatal(err)
	}
	defer unix.Close(fds[1])
	f, err := linux{}.adopt(fds[0])
	if err != nil {
		t.Fatal(err)
	}
	var buffer [eventSize]byte
	if _, err := f.readNow(buffer[:]); err != unix.EAGAIN {
		t.Errorf("nothing to read: %v", err)
	}
	if err := f.ioctl(setConfig, unsafe.Pointer(&buffer)); err != unix.ENOTTY {
		t.Errorf("a pipe is no line: %v", err)
	}
	read := make(chan error)
	wait := func() {
		_, err := f.Read(buffer[:])
		read <- err
	}
	go wait()
	if err := f.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if err := <-read; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a deadline: %v", err)
	}
	if err := f.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	go wait()
	if _, err := unix.Write(fds[1], make([]byte, eventSize)); err != nil {
		t.Fatal(err)
	}
	if err := <-read; err != nil {
		t.Errorf("an event: %v", err)
	}
	go wait()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-read; !errors.Is(err, os.ErrClosed) {
		t.Errorf("closing: %v", err)
	}
	if _, err := f.readNow(buffer[:]); err == nil {
		t.Error("reads after closing")
	}
}

func TestThisMachinesChipsCanBeAsked(t *testing.T) {
	found, err := Chips()
	if err != nil && !errors.Is(err, unix.EACCES) && !errors.Is(err, unix.EPERM) {
		t.Fatal(err)
	}
	for _, chip := range found {
		if _, err := chip.Infos(); err != nil {
			t.Error(err)
		}
	}
	if _, err := OpenInput(Address{"no chip has this label", "0"}, 0, 0, Options{}); err == nil {
		t.Error("opened what nobody has")
	}
	if _, err := OpenOutput(Address{"no chip has this label", "0"}, gpio.High, Options{}); err == nil {
		t.Error("opened what nobody has")
	}
	if _, err := (linux{}).monotonic(); err != nil {
		t.Error(err)
	}
	if _, err := (linux{}).open("/dev/null/no"); err == nil {
		t.Error("opened what is no file")
	}
}

func ExampleAddress() {
	fmt.Println(Address{Chip: "pinctrl-bcm2711", Line: "17"})
	fmt.Println(Address{Line: "HOOK"})
	// Output:
	// pinctrl-bcm2711 line 17
	// line HOOK
}
