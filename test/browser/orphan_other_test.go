//go:build !linux

package browser

import "syscall"

// noOrphan: elsewhere a process outlives a test that is killed. One that ends takes its processes with it.
func noOrphan() *syscall.SysProcAttr { return nil }
