//go:build linux

package checks

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// What a guided test sends to the gateway.
const (
	pings       = 1000
	pingBytes   = 1400             // a bad cable breaks long frames first
	pingMax     = time.Second      // later than this an answer is lost
	pingLostMax = 5                // more need not be known
	pingSilent  = 3                // lost before the first answer: that host answers nobody
	pingsMax    = 15 * time.Second // for all
)

// gateway is the next hop from an interface to everywhere (proc(5), /proc/net/route); false without one in IPv4.
func (b *Bench) gateway(network string) (netip.Addr, bool) {
	const bytes, up = 4, unix.RTF_UP | unix.RTF_GATEWAY
	table, _ := b.text("proc/net/route") // none, no gateway
	for line := range strings.Lines(table) {
		field := strings.Fields(line) // Iface Destination Gateway Flags ...
		if len(field) < 4 || field[0] != network || field[1] != "00000000" {
			continue
		}
		hop, err := hex.DecodeString(field[2])
		flags, known := hexadecimal("0x" + strings.ToLower(field[3]))
		if err == nil && len(hop) == bytes && known && int(flags)&up == up {
			slices.Reverse(hop) // our machines are little endian
			return netip.AddrFrom4([bytes]byte(hop)), true
		}
	}
	return netip.Addr{}, false
}

// Types of messages, RFC 792.
const (
	echoReply   = 0
	echoRequest = 8
	echoHeader  = 8 // bytes
)

// ping sends echo requests one after another, and counts those that were sent and not answered. None sent: nothing can be
// said, because the kernel lets nobody ping (net.ipv4.ping_group_range; systemd opens it) or the host answers nobody.
func ping(ctx context.Context, host netip.Addr) (sent, lost int) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_ICMP)
	if err != nil {
		return 0, 0
	}
	socket := os.NewFile(uintptr(fd), "ping")
	defer socket.Close()
	if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: host.As4()}); err != nil {
		return 0, 0
	}
	return count(ctx, func(sequence uint16, bytes int) bool { return echoes(socket, sequence, bytes) })
}

// count pings until enough is known. A host that answers a short ping and no long one has a bad cable before it.
func count(ctx context.Context, echoes func(sequence uint16, bytes int) bool) (sent, lost int) {
	for end := time.Now().Add(pingsMax); sent < pings && lost < pingLostMax && time.Now().Before(end) && ctx.Err() == nil; sent++ {
		if sent == pingSilent && lost == sent && !echoes(pings, 0) {
			return 0, 0
		}
		if !echoes(uint16(sent), pingBytes) {
			lost++
		}
	}
	return sent, lost
}

// echoes sends one request with so many bytes and waits for its reply. The kernel fills in checksum and identifier.
func echoes(socket *os.File, sequence uint16, bytes int) bool {
	packet := make([]byte, echoHeader+bytes)
	packet[0] = echoRequest
	binary.BigEndian.PutUint16(packet[6:], sequence)
	if _, err := socket.Write(packet); err != nil {
		return false
	}
	if err := socket.SetReadDeadline(time.Now().Add(pingMax)); err != nil {
		return false
	}
	for {
		n, err := socket.Read(packet)
		if err != nil {
			return false
		}
		if n >= echoHeader && packet[0] == echoReply && binary.BigEndian.Uint16(packet[6:]) == sequence {
			return true
		}
	}
}
