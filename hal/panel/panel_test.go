package panel

import (
	"context"
	"errors"
	"image"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"freizeichen/hal"
	"freizeichen/hal/haltest"
)

var errWire = errors.New("the wire")

// reports notes what a panel reports.
type reports struct {
	mu    sync.Mutex
	notes []hal.PartChange
}

func (r *reports) report(c hal.PartChange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, c)
}

func (r *reports) take(t *testing.T) []hal.Fault {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var faults []hal.Fault
	for _, n := range r.notes {
		if n.Part != hal.PartPanel || n.Detail == "" {
			t.Errorf("report %+v", n)
		}
		faults = append(faults, n.Fault)
	}
	r.notes = nil
	return faults
}

func wantFaults(t *testing.T, when string, r *reports, want ...hal.Fault) {
	t.Helper()
	if got := r.take(t); !slices.Equal(got, want) {
		t.Errorf("%s: reported %v, want %v", when, got, want)
	}
}

// each runs a test with a panel of each kind, in a bubble that no goroutine may survive. Cut: it breaks commands in two.
func each(t *testing.T, cut bool, f func(t *testing.T, s subject, p *Panel, r *reports)) {
	for i := range subjects() {
		synctest.Test(t, func(t *testing.T) {
			s, r := subjects()[i], &reports{}
			p := Open(s.controller, r.report)
			f(t, s, p, r)
			s.fault(nil)
			if err := p.Close(); err != nil {
				t.Errorf("%s: close: %v", s.name, err)
			}
			p.Show(s.picture()) // does nothing, and does not block
			// The bytes that clear a command that was cut are parameters out of range for the model.
			if w := s.wrong(); len(w) > 0 && !cut {
				t.Errorf("%s: the model complains: %q", s.name, w)
			}
		})
	}
}

func wantShown(t *testing.T, when string, s subject, p *image.Paletted) {
	t.Helper()
	if at := s.differs(p); at != nil {
		t.Errorf("%s: %s: pixel %v differs", s.name, when, at)
	}
}

func TestAPanelIsBlackThenShowsThenIsDarkAfterClose(t *testing.T) {
	each(t, false, func(t *testing.T, s subject, p *Panel, r *reports) {
		desk, one, _, _ := s.screens()
		time.Sleep(time.Second)
		wantShown(t, "before the first picture", s, s.picture())
		p.Show(nil)
		p.Show(desk)
		synctest.Wait()
		wantShown(t, "first picture", s, desk)
		p.Blank(true)
		p.Show(one)
		synctest.Wait()
		wantShown(t, "blanked", s, s.picture())
		p.Blank(false)
		synctest.Wait()
		wantShown(t, "lit again", s, one)
		transfers, _ := s.traffic()
		time.Sleep(checkEvery - 2*time.Second)
		if n, _ := s.traffic(); n != transfers {
			t.Errorf("%s: %d transfers while nothing happens", s.name, n-transfers)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		wantShown(t, "closed", s, s.picture())
		wantFaults(t, "all", r)
	})
}

func TestAPanelThatIsMissingIsReportedOnceAndShowsThePresentPictureWhenItAppears(t *testing.T) {
	each(t, false, func(t *testing.T, s subject, p *Panel, r *reports) {
		time.Sleep(time.Second)
		desk, one, _, _ := s.screens()
		var attempts atomic.Int32
		s.fault(func(int) (bool, error) { attempts.Add(1); return false, errWire })
		for range 1000 { // pictures do not make it try more often
			p.Show(clone(desk))
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		p.Show(one)
		time.Sleep(time.Minute)
		got := r.take(t)
		if len(got) == 0 || got[len(got)-1] != hal.Missing {
			t.Errorf("%s: reported %v", s.name, got)
		}
		if n := attempts.Load(); n < 100 || n > 125 {
			t.Errorf("%s: %d attempts in two minutes", s.name, n)
		}
		if text, err := p.Check(t.Context()); !errors.Is(err, errWire) {
			t.Errorf("%s: check says %q, %v", s.name, text, err)
		}
		s.power()
		s.fault(nil)
		time.Sleep(2 * time.Second)
		wantFaults(t, "back", r, hal.Working)
		wantShown(t, "back", s, one)
	})
}

func TestATransferThatFailsAtAnyPlaceIsMadeGood(t *testing.T) {
	for _, part := range []bool{false, true} {
		for _, at := range []int{1, 2, 5, 6} {
			each(t, part, func(t *testing.T, s subject, p *Panel, r *reports) {
				desk, _, _, other := s.screens()
				p.Show(desk)
				time.Sleep(2 * time.Second)
				var failed atomic.Bool
				s.fault(func(n int) (bool, error) {
					if n == at {
						failed.Store(true)
						return part, errWire
					}
					return false, nil
				})
				p.Show(other)
				time.Sleep(time.Second / 2) // the first attempt is not made to wait
				wantShown(t, "after a failure", s, other)
				if !failed.Load() {
					t.Errorf("%s: nothing failed at %d", s.name, at)
				}
				wantFaults(t, s.name, r, hal.Failing, hal.Working)
			})
		}
	}
}

func TestAStuckBusIsTriedOnceASecond(t *testing.T) {
	each(t, false, func(t *testing.T, s subject, p *Panel, r *reports) {
		desk, one, _, _ := s.screens()
		p.Show(desk)
		time.Sleep(time.Minute)
		s.fault(func(n int) (bool, error) {
			if n <= 10 {
				return false, errWire
			}
			return false, nil
		})
		p.Show(one)
		time.Sleep(8 * time.Second)
		wantFaults(t, s.name+" stuck", r, hal.Failing, hal.Missing)
		time.Sleep(5 * time.Second)
		wantFaults(t, s.name+" free", r, hal.Working)
		wantShown(t, "free", s, one)
	})
}

func TestAPanelThatLostPowerIsFoundByTheCheckAndShowsThePresentPicture(t *testing.T) {
	each(t, false, func(t *testing.T, s subject, p *Panel, r *reports) {
		desk, _, _, _ := s.screens()
		p.Show(desk)
		time.Sleep(2 * time.Second)
		s.power()
		text, err := p.Check(t.Context())
		time.Sleep(time.Second)
		if errors.Is(err, ErrUnreadable) {
			if err := p.Refresh(t.Context()); err != nil {
				t.Errorf("%s: refresh: %v", s.name, err)
			}
			wantFaults(t, s.name, r)
		} else if !errors.Is(err, errLost) {
			t.Errorf("%s: check says %q, %v", s.name, text, err)
		} else {
			wantFaults(t, s.name, r, hal.Failing, hal.Working)
			if text, err = p.Check(t.Context()); err != nil || text == "" {
				t.Errorf("%s: check says %q, %v", s.name, text, err)
			}
		}
		wantShown(t, "after the loss", s, desk)
	})
}

func TestAPanelThatLosesPowerInSilenceIsFoundByItself(t *testing.T) {
	each(t, false, func(t *testing.T, s subject, p *Panel, r *reports) {
		desk, _, _, _ := s.screens()
		p.Show(desk)
		time.Sleep(2 * time.Second)
		told := []hal.Fault{hal.Failing, hal.Working}
		if _, err := p.Check(t.Context()); errors.Is(err, ErrUnreadable) {
			told = nil // nobody knows
		}
		s.power()
		time.Sleep(time.Hour)
		wantShown(t, "an hour after the loss", s, desk)
		wantFaults(t, s.name, r, told...)
	})
}

// A module whose status is never right, as if its data line could not be read: it is started again ever more rarely.
func TestAStatusThatIsNeverRightDoesNotFlickerTwiceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, bus := &reports{}, &haltest.Bus{}
		bus.Attach(0x3C, liar{haltest.NewSSD1306()})
		p := Open(NewSSD1306(bus, OLED{}), r.report)
		time.Sleep(time.Hour)
		if n := len(r.take(t)); n < 2*10 || n > 2*20 {
			t.Errorf("%d reports in an hour", n)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A liar says that it is off.
type liar struct{ *haltest.SSD1306 }

func (liar) Read(status []byte) { status[0] = 0x43 }

func TestACheckCostsAPanelThatRestsLittle(t *testing.T) {
	each(t, false, func(t *testing.T, s subject, p *Panel, r *reports) {
		time.Sleep(2 * time.Second)
		_, err := p.Check(t.Context())
		before, beforeBytes := s.traffic()
		time.Sleep(time.Hour)
		transfers, bytes := s.traffic()
		transfers, bytes = transfers-before, bytes-beforeBytes
		if whole := Price(s.controller, nil, s.picture()); errors.Is(err, ErrUnreadable) && bytes > 12*(whole.Bytes+100) {
			t.Errorf("%s: %d bytes in an hour, the picture has %d", s.name, bytes, whole.Bytes)
		}
		if !errors.Is(err, ErrUnreadable) && transfers > 2*120 {
			t.Errorf("%s: %d transfers in an hour", s.name, transfers)
		}
		wantFaults(t, s.name, r)
	})
}

func TestRefreshReturnsWhatWentWrong(t *testing.T) {
	each(t, false, func(t *testing.T, s subject, p *Panel, r *reports) {
		time.Sleep(time.Second)
		s.fault(func(int) (bool, error) { return false, errWire })
		if err := p.Refresh(t.Context()); !errors.Is(err, errWire) || !strings.Contains(err.Error(), "panel: s") {
			t.Errorf("%s: %v", s.name, err)
		}
		wantFaults(t, s.name, r, hal.Missing)
		s.fault(nil)
		if err := p.Refresh(t.Context()); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
		wantFaults(t, s.name, r, hal.Working)
	})
}

// A slow bus takes a second for each transfer.
func TestOnASlowBusAThousandPicturesBlockNobodyAndTheLastCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := subjects()[0], &reports{}
		p := Open(s.controller, r.report)
		time.Sleep(time.Second)
		s.fault(func(int) (bool, error) { time.Sleep(time.Second); return false, nil })
		transfers, _ := s.traffic()
		begin := time.Now()
		var picture *image.Paletted
		for i := range 1000 {
			picture = s.picture()
			fill(picture, image.Rect(i%128, 0, i%128+1, 64), 1)
			p.Show(picture)
			p.Dim(float64(i) / 999)
			synctest.Wait() // let the panel begin
		}
		if d := time.Since(begin); d != 0 {
			t.Errorf("Show took %v", d)
		}
		time.Sleep(checkEvery / 2) // before a check holds the model
		wantShown(t, "the last", s, picture)
		if n, _ := s.traffic(); n-transfers > 10 {
			t.Errorf("%d transfers for 1000 pictures", n-transfers)
		}
		for _, busy := range []bool{false, true} {
			p.Blank(busy)
			if synctest.Wait(); !busy {
				time.Sleep(time.Minute)
			}
			begin := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
			defer cancel()
			if _, err := p.Check(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second/2 {
				t.Errorf("a check that takes too long, bus busy before: %t: %v after %v", busy, err, time.Since(begin))
			}
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if err := p.Refresh(t.Context()); err == nil {
			t.Error("a closed panel was refreshed")
		}
		wantFaults(t, "all", r)
	})
}

func TestDimSetsTheContrastAndCutsWhatIsOutside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus, model := &haltest.Bus{}, haltest.NewSSD1306()
		bus.Attach(0x3C, model)
		p := Open(NewSSD1306(bus, OLED{}), func(hal.PartChange) {})
		nan := 0.0
		for _, c := range []struct {
			fraction float64
			want     byte
		}{{nan / nan, 255}, {-1, 0}, {2, 255}, {0, 0}, {0.5, 128}} {
			p.Dim(c.fraction)
			synctest.Wait()
			if got := model.Contrast(); got != c.want {
				t.Errorf("%v: contrast %d, want %d", c.fraction, got, c.want)
			}
		}
		model.PowerCycle()
		if err := p.Refresh(t.Context()); err != nil || model.Contrast() != 128 || !model.On() {
			t.Errorf("%v, contrast %d, on %t after a loss of power", err, model.Contrast(), model.On())
		}
		if err := p.Close(); err != nil || model.On() {
			t.Errorf("%v, on %t after Close", err, model.On())
		}
	})
}

func TestALineThatFailsIsNamed(t *testing.T) {
	m := newGreyModel()
	c := NewSSD1322(Grey{SPI: m.spi()})
	m.reset.err = errWire
	if err := c.start(); !errors.Is(err, errWire) || !strings.Contains(err.Error(), "reset line") {
		t.Error(err)
	}
	m.reset.err, m.dc.err = nil, errWire
	if err := c.start(); !errors.Is(err, errWire) || !strings.Contains(err.Error(), "data/command line") {
		t.Error(err)
	}
}

func TestPicturesFromManyGoroutinesDoNoHarm(t *testing.T) {
	s := subjects()[0]
	p := Open(s.controller, func(hal.PartChange) {})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 50 {
				picture := s.picture()
				fill(picture, image.Rect(i, i, 100, 50), 1)
				p.Show(picture)
				p.Dim(float64(i) / 8)
				p.Blank(i%2 == 0)
				_, _ = p.Check(t.Context())
			}
		})
	}
	all.Wait()
	last := s.picture()
	fill(last, image.Rect(1, 2, 3, 4), 1)
	p.Show(last)
	p.Blank(false)
	if err := p.Refresh(t.Context()); err != nil {
		t.Error(err)
	}
	wantShown(t, "the last", s, last)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
