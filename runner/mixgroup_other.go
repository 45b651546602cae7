//go:build !unix

package runner

import (
	"os"
	"syscall"
)

func ownGroup() *syscall.SysProcAttr { return nil }

func endGroup(p *os.Process) {
	_ = p.Kill() // it may have ended by itself
}
