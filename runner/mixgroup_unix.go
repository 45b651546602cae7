//go:build unix

package runner

import (
	"os"
	"syscall"
	"time"
)

// ownGroup keeps mix and all that it starts in a group of their own, so that
// an interrupt from the terminal does not reach them before ddlsp decides.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// endGroup asks a process's group to end, and makes it after a while.
func endGroup(p *os.Process) {
	_ = syscall.Kill(-p.Pid, syscall.SIGTERM) // it may have ended by itself
	for range 30 {
		time.Sleep(100 * time.Millisecond)
		if syscall.Kill(-p.Pid, 0) != nil {
			return
		}
	}
	_ = syscall.Kill(-p.Pid, syscall.SIGKILL)
}
