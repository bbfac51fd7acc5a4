package firmware

import (
	"testing"
	"time"
)

func TestThePlaceKnowsSummerAndWinter(t *testing.T) {
	for month, want := range map[time.Month]int{time.January: 3600, time.July: 7200} {
		if _, offset := time.Date(2026, month, 1, 12, 0, 0, 0, Place()).Zone(); offset != want {
			t.Errorf("%v: %d seconds east of Greenwich, want %d", month, offset, want)
		}
	}
	// 29 March 2026, 2:00 becomes 3:00 (directive 2000/84/EC).
	if got := time.Date(2026, time.March, 29, 1, 0, 0, 0, time.UTC).In(Place()).Hour(); got != 3 {
		t.Errorf("it is %d o'clock", got)
	}
	if one, other := Place(), Place(); one != other {
		t.Error("times of two calls would not be equal to reflect.DeepEqual")
	}
}
