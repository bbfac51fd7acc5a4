package panel_test

import (
	"fmt"
	"image"
	"image/color"

	"freizeichen/hal/panel"
)

func ExamplePrice() {
	before := image.NewPaletted(image.Rect(0, 0, 128, 64), color.Palette{color.Black, color.White})
	after := image.NewPaletted(before.Rect, before.Palette)
	for y := range 12 {
		for x := range 6 {
			after.SetColorIndex(30+x, 24+y, 1) // one character
		}
	}
	display := panel.NewSSD1306(nil, panel.OLED{})
	one, all := panel.Price(display, before, after), panel.Price(display, nil, after)
	fmt.Println(one.Bytes, "bytes,", one.Time(400_000))
	fmt.Println(all.Bytes, "bytes,", all.Time(400_000))
	// Output:
	// 22 bytes, 505µs
	// 1034 bytes, 23.275ms
}
