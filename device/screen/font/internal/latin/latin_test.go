package latin

import "testing"

func TestLettersWithoutThatAccentAreRefused(t *testing.T) {
	for _, c := range []struct{ base, mark rune }{{'q', '\u0308'}, {'ä', '\u0308'}, {'a', '\u0301' + 0x200}, {'0', '\u0301'}} {
		if r, ok := Compose(c.base, c.mark); ok {
			t.Errorf("Compose(%q, %U) = %q, want none", c.base, c.mark, r)
		}
	}
	if _, _, ok := Decompose('ß'); ok {
		t.Error("ß has been taken apart")
	}
}

func TestEveryLetterComesApartAndTogether(t *testing.T) {
	letters := 0
	for r := rune(0xc0); r < 0x220; r++ {
		base, mark, ok := Decompose(r)
		if !ok {
			continue
		}
		letters++
		if back, ok := Compose(base, mark); !ok || back != r {
			t.Errorf("%q comes apart into %q and %U, which make %q", r, base, mark, back)
		}
	}
	// The Unicode Character Database lists 53 canonical decompositions in U+00C0-00FF, 108 in U+0100-017F
	// and the four letters with a comma below.
	if letters != 53+108+4 {
		t.Errorf("%d letters come apart, want %d", letters, 53+108+4)
	}
}
