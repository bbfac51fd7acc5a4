//go:build linux

package body

import (
	"fmt"
	"strings"
	"testing"

	"freizeichen/hal/board"
)

func TestThePanelsOffsetIsTheFirstColumnOfItsGlass(t *testing.T) {
	for _, offset := range []int{0, 28, 56} {
		c := (&Body{}).controller(board.Panel{Kind: board.PanelSSD1322, SPI: "99.9", ClockHz: 1e6, Offset: offset})
		if got := fmt.Sprintf("%+v", c); !strings.Contains(got, fmt.Sprintf(" Column:%d ", offset)) {
			t.Errorf("offset %d: %s", offset, got)
		}
	}
}
