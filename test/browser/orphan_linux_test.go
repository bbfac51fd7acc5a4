package browser

import "syscall"

// noOrphan makes a process end with the test, even when the test is killed.
func noOrphan() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
