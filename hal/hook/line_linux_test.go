package hook

import "freizeichen/hal/line"

var _ Line = (*line.Line)(nil)
