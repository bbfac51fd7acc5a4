package tool

import (
	"net"
	"testing"
)

// FreePort is a port of 127.0.0.1 that nobody has now, neither for UDP nor for TCP. Before its taker binds it somebody
// else may: who starts a program on it tries again.
func FreePort(t testing.TB) int {
	t.Helper()
	for range 50 {
		udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		tcp, err := net.Listen("tcp4", udp.LocalAddr().String())
		port := udp.LocalAddr().(*net.UDPAddr).Port
		udp.Close()
		if err == nil {
			tcp.Close()
			return port
		}
	}
	t.Fatal("no port is free for both UDP and TCP")
	return 0
}
