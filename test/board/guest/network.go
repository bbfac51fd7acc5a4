//go:build linux

package main

import (
	"fmt"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"

	"freizeichen/test/board/rig/wire"
)

// network brings up the loopback and the first Ethernet.
func network(config wire.Config) error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("network: %w", err)
	}
	defer unix.Close(socket)
	if err := up(socket, "lo"); err != nil || config.Address == "" {
		return err
	}
	address, err := netip.ParsePrefix(config.Address)
	if err != nil {
		return fmt.Errorf("network: %w", err)
	}
	mask := ^uint32(0) << (32 - address.Bits())
	for _, set := range []struct {
		request uint
		value   [4]byte
	}{
		{unix.SIOCSIFADDR, address.Addr().As4()}, // before there is one it has no mask
		{unix.SIOCSIFNETMASK, [4]byte{byte(mask >> 24), byte(mask >> 16), byte(mask >> 8), byte(mask)}},
	} {
		ifreq, err := unix.NewIfreq("eth0")
		if err == nil {
			err = ifreq.SetInet4Addr(set.value[:])
		}
		if err == nil {
			err = unix.IoctlIfreq(socket, set.request, ifreq)
		}
		if err != nil {
			return fmt.Errorf("network: address of eth0: %w", err)
		}
	}
	if err := up(socket, "eth0"); err != nil {
		return err
	}
	return route(socket, config.Gateway)
}

func up(socket int, name string) error {
	ifreq, err := unix.NewIfreq(name)
	if err == nil {
		ifreq.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
		err = unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, ifreq)
	}
	if err != nil {
		return fmt.Errorf("network: %s: %w", name, err)
	}
	return nil
}

// routeEntry is struct rtentry of linux/route.h on 64-bit machines.
type routeEntry struct {
	_                             uint64
	destination, gateway, netmask unix.RawSockaddrInet4
	flags                         uint16
	_                             [30]byte
	device                        uintptr
	_                             [24]byte
}

// route makes a gateway the way to everywhere.
func route(socket int, gateway string) error {
	to, err := netip.ParseAddr(gateway)
	if err != nil {
		return fmt.Errorf("network: gateway: %w", err)
	}
	entry := routeEntry{flags: unix.RTF_UP | unix.RTF_GATEWAY}
	entry.destination.Family, entry.gateway.Family, entry.netmask.Family = unix.AF_INET, unix.AF_INET, unix.AF_INET
	entry.gateway.Addr = to.As4()
	if _, _, code := unix.Syscall(unix.SYS_IOCTL, uintptr(socket), unix.SIOCADDRT, uintptr(unsafe.Pointer(&entry))); code != 0 {
		return fmt.Errorf("network: gateway %s: %w", gateway, code)
	}
	return nil
}
