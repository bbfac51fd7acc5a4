package serial

import (
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"sync"
	"time"
)

// Between two tries to open a line that has vanished.
const (
	delayMin = 500 * time.Millisecond
	delayMax = 10 * time.Second
)

// Lasting is a line that is opened again whenever it vanishes: the service line of a phone whose USB adapter a technician
// pulls out. Read waits until the line is there and says something; it fails only after Close, with io.EOF. Write fails
// while the line is away. One goroutine reads; writes and Close may come from others. log may be nil.
func Lasting(name string, baud int, log *slog.Logger) io.ReadWriteCloser {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &lasting{name: name, log: log, closed: make(chan struct{}), open: func() (io.ReadWriteCloser, error) { return Open(name, baud) }}
}

type lasting struct {
	name   string
	log    *slog.Logger
	open   func() (io.ReadWriteCloser, error)
	closed chan struct{}

	mu   sync.Mutex
	line io.ReadWriteCloser // nil while it is away
	over bool
}

// Read implements io.Reader.
func (l *lasting) Read(b []byte) (int, error) {
	for delay, failed := delayMin, ""; ; {
		line, err := l.current()
		if err == io.EOF {
			return 0, err
		}
		if err == nil {
			n, err := line.Read(b)
			if err == nil {
				return n, nil
			}
			if l.drop(line) {
				l.log.Warn("serial line is away", "line", l.name, "err", err)
			}
		} else if err.Error() != failed { // once for each reason
			failed = err.Error()
			l.log.Warn("serial line cannot be opened", "line", l.name, "err", err)
		}
		select {
		case <-l.closed:
			return 0, io.EOF
		case <-time.After(delay):
		}
		delay = min(2*delay, delayMax)
	}
}

// current is the open line; it opens it when there is none.
func (l *lasting) current() (io.ReadWriteCloser, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return nil, io.EOF
	}
	if l.line == nil {
		line, err := l.open()
		if err != nil {
			return nil, err
		}
		l.line = line
	}
	return l.line, nil
}

// drop closes a line that broke. It reports whether that was news: Close may have been first.
func (l *lasting) drop(line io.ReadWriteCloser) bool {
	l.mu.Lock()
	news := l.line == line && !l.over
	if news {
		l.line = nil
	}
	l.mu.Unlock()
	if news {
		_ = line.Close() // it is broken already
	}
	return news
}

// Write implements io.Writer.
func (l *lasting) Write(b []byte) (int, error) {
	l.mu.Lock()
	line := l.line
	l.mu.Unlock()
	if line == nil {
		return 0, fmt.Errorf("serial: write %s: the line is away: %w", l.name, fs.ErrNotExist)
	}
	return line.Write(b)
}

// Close implements io.Closer.
func (l *lasting) Close() error {
	l.mu.Lock()
	line, over := l.line, l.over
	l.line, l.over = nil, true
	l.mu.Unlock()
	if over {
		return nil
	}
	close(l.closed)
	if line != nil {
		return line.Close()
	}
	return nil
}
