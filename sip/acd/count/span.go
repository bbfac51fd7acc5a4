package count

// A Span is a number that lies from Low to High.
type Span struct{ Low, High int }

func (s *Span) add(n int) { s.Low, s.High = s.Low+n, s.High+n }

// minus is the span of the difference, within 0 and most.
func (s Span) minus(other Span, most int) Span {
	return Span{max(0, s.Low-other.High), min(most, s.High-other.Low)}
}

// exact is the one number that the span leaves.
func (s Span) exact() (n int, only bool) { return s.Low, s.Low == s.High }

// share is the part of whole that a rounded number of tenths of a percent can stand for; negative: any part.
func share(perMille, whole int) Span {
	if perMille < 0 {
		return Span{0, whole}
	}
	low := ((2*perMille-1)*whole + 1999) / 2000
	high := (2*perMille + 1) * whole / 2000
	return Span{max(0, low), min(whole, high)}
}
