package header

// FragmentStatus is the status of a message/sipfrag (RFC 3420) that begins with a status line; 0 if it does not.
func FragmentStatus(body []byte) int {
	line := string(body[:min(len(body), 11)])
	if len(line) < 11 || line[:8] != "SIP/2.0 " {
		return 0
	}
	status := 0
	for _, digit := range line[8:] {
		if digit < '0' || digit > '9' {
			return 0
		}
		status = 10*status + int(digit-'0')
	}
	return status
}
