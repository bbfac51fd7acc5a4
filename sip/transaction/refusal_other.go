//go:build !linux

package transaction

import "net"

// queueRefusals does nothing: only Linux keeps ICMP errors with their datagrams. Timers B and F do the rest.
func queueRefusals(net.PacketConn) {}

func nextRefusal(net.PacketConn) (datagram []byte, reason error, ok bool) { return nil, nil, false }
