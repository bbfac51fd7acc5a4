package page

import "freizeichen/device/screen"

// label finds the words as the simulator does.
func label(tag string, id Label) string {
	language, _ := screen.ParseLanguage(tag)
	return screen.Label(language, string(id))
}
