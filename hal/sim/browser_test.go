package sim

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/hal"
)

// page is a browser with a clock of its own that says a sine of 437.3 Hz, frame by frame: frames begin at
// every phase.
type page struct {
	said  int
	heard int
}

func (p *page) next() hal.Frame {
	frame := make(hal.Frame, hal.FrameSamples)
	for n := range frame {
		frame[n] = int16(10000 * math.Sin(2*math.Pi*437.3*float64(p.said)/hal.RateHz))
		p.said++
	}
	return frame
}

func (p *page) play(hal.Frame) { p.heard++ }

// largestStep is the largest change from a sample to the next.
func largestStep(sound []int16) int {
	largest := 0
	for n := 1; n < len(sound); n++ {
		step := int(sound[n]) - int(sound[n-1])
		largest = max(largest, max(step, -step))
	}
	return largest
}

// steepest is the largest step of the page's sine.
const steepest = 10000 * 2 * math.Pi * 437.3 / hal.RateHz

func TestAPageWhoseClockDriftsIsHeardWithoutClicks(t *testing.T) {
	for _, c := range []struct {
		name                string
		every               time.Duration // between two frames of the page
		dropped, duplicated uint64        // in ten minutes
	}{
		{"right", 20 * time.Millisecond, 0, 0},
		{"5 % fast", 19 * time.Millisecond, 1578, 0},
		{"0.5 % fast", 19900 * time.Microsecond, 150, 0},
		{"0.5 % slow", 20100 * time.Microsecond, 0, 50},
	} {
		synctest.Test(t, func(t *testing.T) {
			b, p := NewBrowser(), &page{}
			defer b.Attach(p.play)()
			const frames = 30000
			done := make(chan struct{})
			go func() {
				defer close(done)
				start := time.Now()
				for n := range int(frames * hal.FrameTime / c.every) {
					time.Sleep(time.Until(start.Add(time.Duration(n)*c.every + 7*time.Millisecond)))
					b.Push(p.next())
				}
			}()
			mic, before, worst, silent := make([]int16, hal.FrameSamples), int16(0), 0, 0
			for range frames {
				if err := b.Read(mic); err != nil {
					t.Fatal(err)
				}
				worst = max(worst, largestStep(append([]int16{before}, mic...)))
				before = mic[len(mic)-1]
				if largestStep(mic) == 0 {
					silent++
				}
			}
			<-done
			got := b.Counters()
			near := func(got, want uint64) bool { return got >= want*9/10 && got <= want*11/10+1 }
			if !near(got.Dropped, c.dropped) || !near(got.Duplicated, c.duplicated) || got.Skipped != 0 {
				t.Errorf("%s: %+v, want about %d dropped and %d duplicated", c.name, got, c.dropped, c.duplicated)
			}
			// A gap's bridge runs the sine backwards, a kink of twice its steepness at most.
			if float64(worst) > 2*steepest {
				t.Errorf("%s: a step of %d", c.name, worst)
			}
			if b.count > bufferHigh+1 {
				t.Errorf("%s: %d frames wait, a delay that nobody works off", c.name, b.count)
			}
			if most := int(c.duplicated)*5 + 5; silent > most {
				t.Errorf("%s: %d silent frames, want at most %d", c.name, silent, most)
			}
		})
	}
}

func TestABurstIsDelayedAndAPageThatSleptLosesWhatIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, p := NewBrowser(), &page{}
		defer b.Attach(p.play)()
		for range 5 {
			b.Push(p.next())
		}
		hear(t, b, 4)
		if got := b.Counters(); got != (BrowserCounters{}) {
			t.Errorf("a burst of five: %+v", got)
		}
		for range 100 {
			b.Push(p.next())
		}
		if got := b.Counters().Dropped; got != 100+1-bufferMax {
			t.Errorf("of a hundred at once %d are dropped", got)
		}
	})
}

func TestCallsGoOnWithoutAPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, p := NewBrowser(), &page{}
		b.Push(p.next())
		b.Push(p.next())
		b.Push(p.next())
		start := time.Now()
		for n, sample := range hear(t, b, 50) {
			if sample != 0 {
				t.Fatalf("sample %d is %d without a page", n, sample)
			}
		}
		if got := time.Since(start); got != time.Second {
			t.Errorf("fifty frames took %v", got)
		}
		if err := b.Write(make([]int16, hal.FrameSamples)); err != nil {
			t.Error(err)
		}
	})
}

func TestTheNewestPageOwnsTheSound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, first, second := NewBrowser(), &page{}, &page{}
		frame := make([]int16, hal.FrameSamples)
		detachFirst := b.Attach(first.play)
		b.Write(frame)
		for range bufferStart {
			b.Push(first.next())
		}
		b.Push(frame[:5]) // nonsense is refused
		detachSecond := b.Attach(second.play)
		b.Write(frame)
		detachFirst() // late, and no longer its own
		b.Write(frame)
		if first.heard != 1 || second.heard != 2 {
			t.Errorf("the pages heard %d and %d frames, want 1 and 2", first.heard, second.heard)
		}
		if got := largestStep(hear(t, b, 3)); got != 0 {
			t.Error("what the first page said is heard from the second")
		}
		for range bufferStart {
			b.Push(second.next())
		}
		if got := largestStep(hear(t, b, 1)); got == 0 {
			t.Error("the second page is not heard")
		}
		detachSecond()
		detachSecond()
		b.Write(frame)
		if got := largestStep(hear(t, b, 2)); got != 0 || second.heard != 2 {
			t.Error("after detach the second page is still there")
		}
	})
}

func TestTheBrowserAllocatesNothing(t *testing.T) {
	b := NewBrowser()
	defer b.Attach(func(hal.Frame) {})()
	frame := make([]int16, hal.FrameSamples)
	for range 12 {
		b.Push(frame)
	}
	if allocations := testing.AllocsPerRun(500, func() {
		b.Push(frame)
		b.fill(frame)
		b.Write(frame)
	}); allocations != 0 {
		t.Errorf("%v allocations a frame", allocations)
	}
}
