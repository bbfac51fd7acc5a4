// Package latin knows how Latin letters and accents belong together: which base letter and combining
// mark make which letter of Latin-1 and Latin Extended-A (the canonical compositions of the Unicode
// Character Database). It draws nothing.
//
//	u + U+0308  ->  ü        ü  ->  u, U+0308
package latin

// A mark and the letters it makes: base letter and composed letter alternate in pairs.
type mark struct {
	mark  rune
	pairs string
}

// marks are the canonical decompositions of U+00C0 to U+017F, and of the Romanian letters of Latin
// Extended-B. Letters with a stroke (ł, đ, ø) have none.
var marks = [...]mark{
	{'\u0300', "AÀEÈIÌOÒUÙaàeèiìoòuù"},
	{'\u0301', "AÁCĆEÉIÍLĹNŃOÓRŔSŚUÚYÝZŹaácćeéiílĺnńoórŕsśuúyýzź"},
	{'\u0302', "AÂCĈEÊGĜHĤIÎJĴOÔSŜUÛWŴYŶaâcĉeêgĝhĥiîjĵoôsŝuûwŵyŷ"},
	{'\u0303', "AÃIĨNÑOÕUŨaãiĩnñoõuũ"},
	{'\u0304', "AĀEĒIĪOŌUŪaāeēiīoōuū"},
	{'\u0306', "AĂEĔGĞIĬOŎUŬaăeĕgğiĭoŏuŭ"},
	{'\u0307', "CĊEĖGĠIİZŻcċeėgġzż"},
	{'\u0308', "AÄEËIÏOÖUÜYŸaäeëiïoöuüyÿ"},
	{'\u030a', "AÅUŮaåuů"},
	{'\u030b', "OŐUŰoőuű"},
	{'\u030c', "CČDĎEĚLĽNŇRŘSŠTŤZŽcčdďeělľnňrřsštťzž"},
	{'\u0326', "SȘTȚsștț"},
	{'\u0327', "CÇGĢKĶLĻNŅRŖSŞTŢcçgģkķlļnņrŗsştţ"},
	{'\u0328', "AĄEĘIĮUŲaąeęiįuų"},
}

// Compose returns the letter that base and combining mark make, or false when there is none.
func Compose(base, combining rune) (rune, bool) {
	for _, m := range marks {
		if m.mark == combining {
			return m.letter(base)
		}
	}
	return 0, false
}

func (m mark) letter(base rune) (rune, bool) {
	isBase, found := true, false
	for _, r := range m.pairs {
		if found {
			return r, true
		}
		found = isBase && r == base
		isBase = !isBase
	}
	return 0, false
}

// Decompose is the inverse of Compose.
func Decompose(letter rune) (base, combining rune, ok bool) {
	for _, m := range marks {
		isBase := true
		for _, r := range m.pairs {
			if isBase {
				base = r
			} else if r == letter {
				return base, m.mark, true
			}
			isBase = !isBase
		}
	}
	return 0, 0, false
}
