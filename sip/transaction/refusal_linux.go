package transaction

import (
	"encoding/binary"
	"net"
	"syscall"
)

// queueRefusals asks the kernel to keep ICMP errors with the datagrams they belong to: ip(7), IP_RECVERR. Without
// it a socket that is not connected hears nothing of a closed port.
func queueRefusals(conn net.PacketConn) {
	control(conn, func(fd int) {
		// One of the two fails on a socket of the other family. Without either we wait for timers, as elsewhere.
		_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_IP, syscall.IP_RECVERR, 1)
		_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_IPV6, syscall.IPV6_RECVERR, 1)
	})
}

// nextRefusal takes one error from the kernel's queue: the beginning of our datagram and why it did not arrive.
func nextRefusal(conn net.PacketConn) (datagram []byte, reason error, ok bool) {
	data, meta := make([]byte, 2048), make([]byte, 512)
	control(conn, func(fd int) {
		n, metaLen, _, _, err := syscall.Recvmsg(fd, data, meta, syscall.MSG_ERRQUEUE|syscall.MSG_DONTWAIT)
		if err != nil {
			return
		}
		messages, err := syscall.ParseSocketControlMessage(meta[:metaLen])
		if err != nil || len(messages) == 0 || len(messages[0].Data) < 4 {
			return
		}
		// struct sock_extended_err begins with the errno: ip(7).
		reason = syscall.Errno(binary.NativeEndian.Uint32(messages[0].Data))
		datagram, ok = data[:n], true
	})
	return datagram, reason, ok
}

// control runs f on the socket; sockets without descriptor (a test's wire) have none of this.
func control(conn net.PacketConn, f func(fd int)) {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { f(int(fd)) }) // fails on a closed socket only
}
