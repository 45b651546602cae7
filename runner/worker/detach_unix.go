//go:build unix

package worker

import "syscall"

// detached keeps the child out of the parent's group, so that an interrupt
// from the terminal reaches the parent only, which then cancels in order.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
