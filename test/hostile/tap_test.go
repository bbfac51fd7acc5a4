package hostile

import (
	"net"
	"slices"
	"sync"
)

// A tap is a UDP socket that remembers what passes.
type tap struct {
	net.PacketConn
	mu             sync.Mutex
	received, sent []string
}

func (t *tap) listen(network, address string) (net.PacketConn, error) {
	conn, err := net.ListenPacket(network, address)
	if err != nil {
		return nil, err
	}
	t.PacketConn = conn
	return t, nil
}

// tapMax bounds what is remembered in a flood.
const tapMax = 2000

// ReadFrom implements net.PacketConn.
func (t *tap) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := t.PacketConn.ReadFrom(b)
	if err == nil {
		t.mu.Lock()
		if len(t.received) < tapMax {
			t.received = append(t.received, string(b[:n]))
		}
		t.mu.Unlock()
	}
	return n, from, err
}

// WriteTo implements net.PacketConn.
func (t *tap) WriteTo(b []byte, to net.Addr) (int, error) {
	t.mu.Lock()
	if len(t.sent) < tapMax {
		t.sent = append(t.sent, string(b))
	}
	t.mu.Unlock()
	return t.PacketConn.WriteTo(b, to)
}

// messages are what the phone received and what it sent until now.
func (t *tap) messages() (received, sent []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.received), slices.Clone(t.sent)
}
