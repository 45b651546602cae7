//go:build !unix

package worker

import "syscall"

func detached() *syscall.SysProcAttr { return nil }
