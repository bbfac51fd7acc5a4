package plan

import (
	"image"
	"math/rand/v2"
	"slices"
	"testing"
)

// small is a grid of few cells, with the costs given.
func small(width, height, rows, window int) *Grid {
	return &Grid{Size: image.Pt(width, height), Unit: 1, Rows: rows, Wire: Wire{Window: window, Turns: 1, Around: 2, Room: 1024}}
}

// change is memory before and after, with the cells of a mask changed.
func change(g *Grid, mask int) (old, next []byte) {
	old, next = make([]byte, g.Length()), make([]byte, g.Length())
	for i := range next {
		next[i] = byte(mask >> i & 1)
	}
	return old, next
}

func covers(windows []image.Rectangle, g *Grid, old, next []byte) bool {
	for i := range old {
		at := image.Pt(i/g.Unit%g.Size.X, i/g.Unit/g.Size.X)
		if old[i] != next[i] && !slices.ContainsFunc(windows, func(w image.Rectangle) bool { return at.In(w) }) {
			return false
		}
	}
	for _, w := range windows {
		if w.Empty() || w.Dy() > g.Rows || !w.In(image.Rectangle{Max: g.Size}) {
			return false
		}
	}
	return true
}

// least is the least weight of windows that cover a set of cells, for every set: found by trying all.
func least(g *Grid) []int {
	cells := g.Size.X * g.Size.Y
	type choice struct{ mask, weight int }
	choices := make([][]choice, cells) // by the cell they cover
	for y0 := range g.Size.Y {
		for y1 := y0 + 1; y1 <= min(g.Size.Y, y0+g.Rows); y1++ {
			for x0 := range g.Size.X {
				for x1 := x0 + 1; x1 <= g.Size.X; x1++ {
					c := choice{weight: g.Weight(image.Rect(x0, y0, x1, y1))}
					for y := y0; y < y1; y++ {
						for x := x0; x < x1; x++ {
							c.mask |= 1 << (y*g.Size.X + x)
						}
					}
					for i := range cells {
						if c.mask>>i&1 == 1 {
							choices[i] = append(choices[i], c)
						}
					}
				}
			}
		}
	}
	best := make([]int, 1<<cells)
	for set := 1; set < len(best); set++ {
		first := 0
		for set>>first&1 == 0 {
			first++
		}
		best[set] = 1 << 30
		for _, c := range choices[first] {
			best[set] = min(best[set], c.weight+best[set&^c.mask])
		}
	}
	return best
}

func TestTheWindowsCostNearTheLeastThatIsPossible(t *testing.T) {
	for _, c := range []struct {
		name         string
		grid         *Grid
		worst, total float64 // times the least
	}{
		{"a window dearer than most cells", small(4, 3, 3, 3), 1.35, 1.004},
		{"a window as dear as three cells", small(4, 3, 3, 1), 1.35, 1.01},
		{"a window as dear as two cells", small(4, 3, 3, 0), 1.35, 1.01},
		{"long rows", small(7, 2, 2, 1), 1.1, 1.001},
		{"one row a window, dear", small(7, 2, 1, 3), 1, 1},
		{"one row a window, cheap", small(7, 2, 1, 0), 1, 1},
		{"one row", small(14, 1, 1, 1), 1, 1},
	} {
		best := least(c.grid)
		worst, at, sum, leastSum := 1.0, 0, 0, 0
		for mask := 1; mask < len(best); mask++ {
			old, next := change(c.grid, mask)
			windows := c.grid.Windows(old, next)
			if !covers(windows, c.grid, old, next) {
				t.Fatalf("%s: %#x is not covered by %v", c.name, mask, windows)
			}
			weight := c.grid.Weights(windows)
			sum, leastSum = sum+weight, leastSum+best[mask]
			if ratio := float64(weight) / float64(best[mask]); ratio > worst {
				worst, at = ratio, mask
			}
		}
		ratio := float64(sum) / float64(leastSum)
		t.Logf("%s: %.4f times the least over all sets, at worst %.3f times (%#x)", c.name, ratio, worst, at)
		if worst > c.worst || ratio > c.total {
			t.Errorf("%s: %.4f times the least over all sets, at worst %.3f times (%#x); want %v and %v", c.name, ratio, worst, at, c.total, c.worst)
		}
	}
}

func TestNothingIsSentWhenNothingChanged(t *testing.T) {
	g := small(4, 3, 3, 6)
	if w := g.Windows(make([]byte, 12), make([]byte, 12)); w != nil {
		t.Errorf("%v", w)
	}
}

func TestManyWindowsCostNoMoreThanOne(t *testing.T) {
	// One of the few cases in which joining pairs ends above everything.
	g := small(4, 5, 5, 1)
	old, next := make([]byte, 20), []byte{0, 1, 1, 0, 0, 1, 0, 0, 1, 1, 1, 1, 0, 1, 1, 0, 0, 1, 1, 1}
	if w := g.Windows(old, next); g.Weights(w) > g.Weights(g.Whole()) || !covers(w, g, old, next) {
		t.Errorf("%v cost %d, everything %d", w, g.Weights(w), g.Weights(g.Whole()))
	}
}

// grids are those of real controllers, with their costs.
func grids() map[string]*Grid {
	return map[string]*Grid{
		"ssd1306":             {Size: image.Pt(128, 8), Unit: 1, Rows: 8, Wire: Wire{Window: 8, Turns: 1, Around: 2, Room: 1024}},
		"ssd1306 by 32 bytes": {Size: image.Pt(128, 8), Unit: 1, Rows: 8, Wire: Wire{Window: 8, Turns: 1, Around: 2, Room: 31}},
		"sh1106":              {Size: image.Pt(128, 8), Unit: 1, Rows: 1, Wire: Wire{Window: 5, Turns: 1, Around: 2, Room: 1024}},
		"ssd1322":             {Size: image.Pt(64, 64), Unit: 2, Rows: 64, Wire: Wire{Window: 7, Turns: 5, Room: 4096, Turn: 25}},
		"st7789":              {Size: image.Pt(320, 240), Unit: 2, Rows: 240, Wire: Wire{Window: 11, Turns: 5, Room: 4096, Turn: 100}},
		"framebuffer":         {Size: image.Pt(320, 240), Unit: 4, Rows: 240, Wire: Wire{Room: 1 << 20, Turn: 256}},
	}
}

func TestNoiseCostsNoMoreThanEverything(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for name, g := range grids() {
		for _, share := range []float64{0.0005, 0.01, 0.1, 0.5, 1} {
			old, next := make([]byte, g.Length()), make([]byte, g.Length())
			for i := range next {
				if random.Float64() < share {
					next[i] = 1
				}
			}
			windows := g.Windows(old, next)
			if !covers(windows, g, old, next) {
				t.Errorf("%s, %v changed: not covered", name, share)
			}
			if is, all := g.Weights(windows), g.Weights(g.Whole()); is > all {
				t.Errorf("%s, %v changed: %d bytes, everything is %d", name, share, is, all)
			}
		}
	}
}

func BenchmarkWindows(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	for grid, g := range grids() {
		for name, share := range map[string]float64{"text": 0, "few": 0.0005, "noise": 0.5} {
			old, next := make([]byte, g.Length()), make([]byte, g.Length())
			for i := range next {
				if random.Float64() < share || share == 0 && i%g.Size.X < 24 && i/g.Size.X < 12 {
					next[i] = 1
				}
			}
			b.Run(grid+"/"+name, func(b *testing.B) {
				for b.Loop() {
					g.Windows(old, next)
				}
			})
		}
	}
}
