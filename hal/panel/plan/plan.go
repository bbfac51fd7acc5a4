// Package plan finds the parts of a display's memory that are to be sent when a picture changes, so that they cost little on
// the bus. It is arithmetic: it knows no picture, no controller and no bus.
//
//	old, next memory -> changed cells -> windows, near the fewest bytes
//	..##...##..        a window costs its opening, and every cell in it; a gap that is cheaper than an opening is sent, too
package plan

import (
	"bytes"
	"image"
	"math"
)

// A Grid is a controller's memory as it is addressed, and what it costs to change it.
//
//	cells, each of Unit bytes, row by row:   SSD1306  1 column x 8 pixels     SSD1322  4 columns x 1 pixel
//	                                         ST7789   1 pixel                 framebuffer  1 pixel of the picture
type Grid struct {
	Size image.Point // in cells
	Unit int         // bytes of a cell
	Rows int         // the most rows that one window may have
	Wire Wire
}

// A Wire is what it costs to send a window.
type Wire struct {
	Window int // bytes that open a window, with everything around them
	Turns  int // transfers that open a window
	Around int // bytes of a data transfer beside the data
	Room   int // bytes of data that one transfer takes
	Turn   int // bytes that could be sent in the time that a transfer costs by itself
}

// Send is how many bytes and transfers a window with n bytes of data costs.
func (w Wire) Send(n int) (count, transfers int) {
	messages := (n + w.Room - 1) / w.Room
	return w.Window + n + messages*w.Around, w.Turns + messages
}

// Length is how many bytes the memory has.
func (g *Grid) Length() int { return g.Size.X * g.Size.Y * g.Unit }

// Weight is what a window costs, in bytes.
func (g *Grid) Weight(window image.Rectangle) int {
	count, transfers := g.Wire.Send(window.Dx() * window.Dy() * g.Unit)
	return count + transfers*g.Wire.Turn
}

// Weights is the sum of their weights.
func (g *Grid) Weights(windows []image.Rectangle) int {
	sum := 0
	for _, w := range windows {
		sum += g.Weight(w)
	}
	return sum
}

// Whole is everything: one window, or as many as Rows demands.
func (g *Grid) Whole() []image.Rectangle {
	var windows []image.Rectangle
	for y := 0; y < g.Size.Y; y += g.Rows {
		windows = append(windows, image.Rect(0, y, g.Size.X, min(y+g.Rows, g.Size.Y)))
	}
	return windows
}

// Cut is what stands in a window, row by row, appended to data.
func (g *Grid) Cut(data, memory []byte, window image.Rectangle) []byte {
	for y := window.Min.Y; y < window.Max.Y; y++ {
		row := y * g.Size.X
		data = append(data, memory[(row+window.Min.X)*g.Unit:(row+window.Max.X)*g.Unit]...)
	}
	return data
}

// gatherMax is how many windows are compared each with each. More come only from pictures in which everything changes, and
// their work would grow with the third power.
const gatherMax = 48

// Windows are the rectangles of cells to send so that memory, which holds old, holds next: every changed cell lies in one of
// them. They cost at most what the whole costs. Finding the least is a covering problem; this is near it, and exact where a
// window is one row high.
//
//	runs of changed cells in a row -> joined downwards -> each with each -> the cheapest
//	   with and without the gaps                                            of all that was tried
//	   that cost less than a window
func (g *Grid) Windows(old, next []byte) []image.Rectangle {
	best := g.join(old, next, true)
	if len(best) == 0 {
		return nil
	}
	// Short gaps are better left open where the runs below them are apart, too.
	if len(best) <= gatherMax {
		if apart := g.join(old, next, false); len(apart) > 0 && g.Weights(apart) < g.Weights(best) {
			best = apart
		}
	}
	for _, one := range [][]image.Rectangle{{bounds(best)}, g.Whole()} {
		if one[0].Dy() <= g.Rows && g.Weights(one) <= g.Weights(best) {
			best = one
		}
	}
	return best
}

// join finds the runs of all rows and joins them to windows. Without gaps it gives up when they become too many: then most of
// the picture changes, and little can be saved.
func (g *Grid) join(old, next []byte, gaps bool) []image.Rectangle {
	var windows []image.Rectangle
	open := 0 // windows before this end too far above to be joined
	reach := g.Weight(image.Rect(0, 0, 1, 1))/g.Unit + 1
	for y := range g.Size.Y {
		for open < len(windows) && windows[open].Max.Y+reach < y {
			open++
		}
		for _, run := range g.runs(old, next, y, gaps) {
			windows = g.joinDown(windows, open, run, gaps)
		}
		if !gaps && len(windows) > 2*gatherMax {
			return nil
		}
	}
	if len(windows) <= gatherMax {
		return g.gather(windows)
	}
	return windows
}

// runs are the changed cells of one row, joined across gaps that cost less than a window if that is wanted.
func (g *Grid) runs(old, next []byte, y int, gaps bool) []image.Rectangle {
	stride := g.Size.X * g.Unit
	a, b := old[y*stride:(y+1)*stride], next[y*stride:(y+1)*stride]
	if bytes.Equal(a, b) {
		return nil
	}
	var runs []image.Rectangle
	for x := range g.Size.X {
		if bytes.Equal(a[x*g.Unit:(x+1)*g.Unit], b[x*g.Unit:(x+1)*g.Unit]) {
			continue
		}
		run := image.Rect(x, y, x+1, y+1)
		if last := len(runs) - 1; last >= 0 && (runs[last].Max.X == x || gaps && g.saved(runs[last], run) >= 0) {
			runs[last].Max.X = x + 1
			continue
		}
		runs = append(runs, run)
	}
	return runs
}

// saved is what it saves to send two windows as one; very negative when one window cannot hold them.
func (g *Grid) saved(a, b image.Rectangle) int {
	u := a.Union(b)
	if u.Dy() > g.Rows {
		return math.MinInt
	}
	return g.Weight(a) + g.Weight(b) - g.Weight(u)
}

// joinDown adds a run to the window that saves most, or as a window of its own. Without gaps only windows above count.
func (g *Grid) joinDown(windows []image.Rectangle, open int, run image.Rectangle, gaps bool) []image.Rectangle {
	best, most := -1, 0
	if gaps {
		most = -1 // what saves nothing is joined: fewer windows
	}
	for i := open; i < len(windows); i++ {
		if !gaps && windows[i].Max.Y > run.Min.Y {
			continue
		}
		if s := g.saved(windows[i], run); s > most {
			best, most = i, s
		}
	}
	if best < 0 {
		return append(windows, run)
	}
	windows[best] = windows[best].Union(run)
	return windows
}

// gather joins the two windows that save most, as long as something is saved. What the joined window covers is sent with it.
func (g *Grid) gather(windows []image.Rectangle) []image.Rectangle {
	for {
		var best image.Rectangle
		most := -1
		for i, a := range windows {
			for _, b := range windows[i+1:] {
				u := a.Union(b)
				if u.Dy() > g.Rows {
					continue
				}
				saved := -g.Weight(u)
				for _, c := range windows {
					if c.In(u) {
						saved += g.Weight(c)
					}
				}
				if saved > most {
					best, most = u, saved
				}
			}
		}
		if most < 0 {
			return windows
		}
		kept := []image.Rectangle{best}
		for _, w := range windows {
			if !w.In(best) {
				kept = append(kept, w)
			}
		}
		windows = kept
	}
}

func bounds(windows []image.Rectangle) image.Rectangle {
	all := windows[0]
	for _, w := range windows[1:] {
		all = all.Union(w)
	}
	return all
}
