package document

// Nearest is the word of a list that somebody who wrote word may have meant: at most two letters are wrong, missing, too
// many or exchanged, and at most a third of them. Empty: none is so near. Of equally near ones it is the first of the
// alphabet, so that a message is always the same.
func Nearest(word string, among []string) string {
	best, distance := "", min(2, len(word)/3)+1
	for _, candidate := range among {
		d := apart([]rune(word), []rune(candidate))
		if d < distance || d == distance && best != "" && candidate < best {
			best, distance = candidate, d
		}
	}
	return best
}

// apart counts the changes of one letter, or exchanges of two neighbours, that make b out of a.
func apart(a, b []rune) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := range a {
		for j := range b {
			change := 1
			if a[i] == b[j] {
				change = 0
			}
			d := min(rows[i][j]+change, rows[i][j+1]+1, rows[i+1][j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, rows[i-1][j-1]+1)
			}
			rows[i+1][j+1] = d
		}
	}
	return rows[len(a)][len(b)]
}
