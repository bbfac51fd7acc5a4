package firmware

import (
	"fmt"
	"sync"
	"time"
	_ "time/tzdata" // a board without the system's time zones knows Berlin too
)

// Place is the time zone of the county, in which days begin and offices open: Europe/Berlin. It is always the same
// pointer. The system's own table counts first: it is younger when the law has changed.
func Place() *time.Location { return place() }

var place = sync.OnceValue(func() *time.Location {
	location, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(fmt.Sprintf("firmware: the built-in time zones lack Europe/Berlin: %v", err))
	}
	return location
})
