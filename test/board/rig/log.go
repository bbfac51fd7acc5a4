package rig

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"time"
)

// logMax bounds the lines that are kept: a program that shouts must not eat the test's memory.
const logMax = 20000

// A log is what the console and the events said, in the order in which it came, with the seconds since the start.
type log struct {
	mu    sync.Mutex
	began time.Time
	lines []string
	part  bytes.Buffer // a line of the console that has not ended
}

// Write takes what the console says.
func (l *log) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.part.Write(data)
	for {
		line, err := l.part.ReadString('\n')
		if err != nil {
			l.part.WriteString(line) // the buffer was emptied by reading
			return len(data), nil
		}
		l.add("console", strings.TrimRight(line, "\r\n"))
	}
}

func (l *log) note(kind, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(kind, text)
}

func (l *log) add(kind, text string) {
	if len(l.lines) < logMax {
		l.lines = append(l.lines, fmt.Sprintf("%8.3f %-8s %s", time.Since(l.began).Seconds(), kind, text))
	}
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}
