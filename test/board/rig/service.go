package rig

import (
	"net"
	"strings"
	"sync"
	"time"
)

// saidMax bounds what is kept of what a service line said.
const saidMax = 1 << 20

// A ServiceLine is the host's end of the service line. What comes is taken at once: QEMU's usb-serial lets the machine's processor
// wait for who does not read, and a second of echoes is enough for that.
type ServiceLine struct {
	connection net.Conn
	ended      chan struct{}

	mu      sync.Mutex
	said    strings.Builder
	changed chan struct{} // closed and replaced whenever something has come
}

func newServiceLine(connection net.Conn) *ServiceLine {
	l := &ServiceLine{connection: connection, ended: make(chan struct{}), changed: make(chan struct{})}
	go l.read()
	return l
}

func (l *ServiceLine) read() {
	defer close(l.ended)
	buffer := make([]byte, 4096)
	for {
		n, err := l.connection.Read(buffer)
		if err != nil {
			return
		}
		l.mu.Lock()
		l.said.Write(buffer[:min(n, saidMax-l.said.Len())])
		close(l.changed)
		l.changed = make(chan struct{})
		l.mu.Unlock()
	}
}

// Say sends a text to the machine.
func (l *ServiceLine) Say(text string) error {
	_, err := l.connection.Write([]byte(text))
	return err
}

// Wait waits until the line has said some words since the beginning. It gives all that was said, and whether they are in it.
func (l *ServiceLine) Wait(words string, most time.Duration) (said string, ok bool) {
	late := time.NewTimer(most)
	defer late.Stop()
	for {
		l.mu.Lock()
		said, changed := l.said.String(), l.changed
		l.mu.Unlock()
		if strings.Contains(said, words) {
			return said, true
		}
		select {
		case <-changed:
		case <-l.ended:
			return said, false
		case <-late.C:
			return said, false
		}
	}
}

func (l *ServiceLine) close() {
	_ = l.connection.Close()
	<-l.ended
}
