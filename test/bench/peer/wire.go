//go:build linux

package peer

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// A wire is a UDP socket on loopback whose datagrams carry the time at which the kernel took them. On loopback that is
// the moment in which the other end sent them: how long we took to wake up and read is not in it.
type wire struct {
	conn *net.UDPConn
	oob  []byte
}

// Loopback is the only network of the bench.
var Loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// openWire listens at a port of loopback; 0 is any.
func openWire(port uint16) (*wire, error) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(Loopback, port)))
	if err != nil {
		return nil, err
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		conn.Close()
		return nil, err
	}
	var errOption error
	err = raw.Control(func(fd uintptr) { errOption = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1) })
	if err == nil {
		err = errOption
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("asking for time stamps: %w", err)
	}
	return &wire{conn: conn, oob: make([]byte, 64)}, nil
}

// address is where the wire listens.
func (w *wire) address() netip.AddrPort {
	return netip.MustParseAddrPort(w.conn.LocalAddr().String())
}

// read waits for a datagram.
func (w *wire) read(buf []byte) (n int, from netip.AddrPort, at time.Time, err error) {
	n, length, _, from, err := w.conn.ReadMsgUDPAddrPort(buf, w.oob)
	if err != nil {
		return 0, from, at, err
	}
	return n, from, stamp(w.oob[:length]), nil
}

// stamp is the kernel's time, or the present if it gave none.
func stamp(oob []byte) time.Time {
	header, data, _, err := unix.ParseOneSocketControlMessage(oob)
	if err == nil && header.Level == unix.SOL_SOCKET && header.Type == unix.SCM_TIMESTAMPNS && len(data) == 16 {
		seconds, nanoseconds := binary.NativeEndian.Uint64(data), binary.NativeEndian.Uint64(data[8:])
		return time.Unix(int64(seconds), int64(nanoseconds))
	}
	return time.Now()
}

// send sends a datagram.
func (w *wire) send(datagram []byte, to netip.AddrPort) error {
	_, err := w.conn.WriteToUDPAddrPort(datagram, to)
	return err
}

// close ends the wire and who reads from it.
func (w *wire) close() { w.conn.Close() }
