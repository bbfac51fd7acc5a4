// Package dtmf reads the digits that phones send by INFO. Pure.
package dtmf

import (
	"bytes"
	"strings"
)

// Info reads the digit in the body of an INFO: "Signal=5" of application/dtmf-relay, or a bare digit of application/dtmf.
// False means that there is none.
func Info(contentType string, body []byte) (byte, bool) {
	kind, _, _ := strings.Cut(contentType, ";")
	text := string(body)
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case "application/dtmf":
	case "application/dtmf-relay":
		text = ""
		for line := range bytes.Lines(body) {
			if name, value, ok := strings.Cut(string(line), "="); ok && strings.EqualFold(strings.TrimSpace(name), "Signal") {
				text = value
			}
		}
	default:
		return 0, false
	}
	text = strings.ToUpper(strings.TrimSpace(text))
	if len(text) != 1 || !strings.Contains("0123456789*#ABCD", text) {
		return 0, false
	}
	return text[0], true
}
