//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"freizeichen/test/board/rig/wire"
)

// watchDevices gives what comes by and by to its group, at the kernel's word that it has come. That is a moment after the file is there, as
// with udev: a program that is as quick finds it closed, and must look again.
func watchDevices(permissions []wire.Permission) error {
	socket, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return fmt.Errorf("listening for devices: %w", err)
	}
	if err := unix.Bind(socket, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1}); err != nil { // 1: the kernel's own
		return fmt.Errorf("listening for devices: %w", err)
	}
	go func() {
		event := make([]byte, 8192)
		for {
			if _, _, err := unix.Recvfrom(socket, event, 0); err != nil && !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.ENOBUFS) {
				fmt.Println("guest: listening for devices:", err)
				return
			}
			permit(permissions)
		}
	}()
	return nil
}

// permit sets the permissions of everything that is there.
func permit(permissions []wire.Permission) {
	for _, p := range permissions {
		paths, _ := filepath.Glob(p.Path) // a bad pattern finds nothing
		for _, path := range paths {
			if err := errors.Join(os.Chown(path, 0, p.GID), os.Chmod(path, os.FileMode(p.Mode))); err != nil && !errors.Is(err, os.ErrNotExist) {
				fmt.Println("guest:", err)
			}
		}
	}
}
