package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// A terminal is a pseudo terminal with a command at its other end.
type terminal struct {
	t      *testing.T
	master *os.File
	cmd    *exec.Cmd
	mu     sync.Mutex // guards text
	text   strings.Builder
	ended  chan struct{}
}

// atTerminal runs this program at a terminal.
func (p *project) atTerminal(args ...string) *terminal {
	p.t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		p.t.Skip("SKIPPED, NOT TESTED: there are no pseudo terminals here: ", err)
	}
	control := func(request uintptr, value *int32) {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), request, uintptr(unsafe.Pointer(value))); errno != 0 {
			p.t.Fatal(errno)
		}
	}
	var unlock, number int32
	control(syscall.TIOCSPTLCK, &unlock)
	control(syscall.TIOCGPTN, &number)
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	defer slave.Close()
	term := &terminal{t: p.t, master: master, ended: make(chan struct{})}
	term.cmd = exec.Command(ourselves(p.t), args...)
	term.cmd.Dir = p.dir
	term.cmd.Stdin, term.cmd.Stdout, term.cmd.Stderr = slave, slave, slave
	if err := term.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		defer close(term.ended)
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			term.mu.Lock()
			term.text.Write(buf[:n])
			term.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	p.t.Cleanup(func() {
		term.cmd.Process.Kill()
		master.Close()
	})
	return term
}

func (term *terminal) seen() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.text.String()
}

// expect waits for a text and types an answer.
func (term *terminal) expect(text, answer string) {
	term.t.Helper()
	for end := time.Now().Add(20 * time.Second); !strings.Contains(term.seen(), text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			term.t.Fatalf("%q does not appear in %q", text, term.seen())
		}
	}
	if _, err := io.WriteString(term.master, answer); err != nil {
		term.t.Fatal(err)
	}
}

// exit waits for the end of the command.
func (term *terminal) exit(code int) string {
	term.t.Helper()
	term.cmd.Wait()
	select {
	case <-term.ended:
	case <-time.After(5 * time.Second):
	}
	if got := term.cmd.ProcessState.ExitCode(); got != code {
		term.t.Errorf("exit %d, want %d: %s", got, code, term.seen())
	}
	return term.seen()
}

// At a terminal the plan is shown and asked about, and nothing but yes is yes.
func TestQuestionAtTheTerminal(t *testing.T) {
	p := newProject(t, gooseFiles...)
	for _, answer := range []string{"n\n", "\n", "\x04", "maybe\n", "Yes\n"} {
		code := 2
		if answer == "Yes\n" {
			code = 0
		}
		term := p.atTerminal("--database-url", p.db.URL, "migrate", "--step", "1")
		term.expect("[y/N] ", answer)
		contains(t, term.exit(code), "Apply 1 migration (1 statement) on", p.db.Name)
	}
	p.wantTables("a", "goose_db_version")
	p.db.Exec("INSERT INTO a VALUES (1), (2)")
	term := p.atTerminal("--database-url", p.db.URL, "rollback")
	term.expect("[y/N] ", "n\n")
	contains(t, term.exit(2), "this destroys:", "table a (2 rows)", "not confirmed. Nothing was changed")

	t.Setenv("MY_URL", p.db.URL)
	p.write("ddlsp.toml", "[databases.prod]\nurl_env = \"MY_URL\"\nprotected = true\n")
	term = p.atTerminal("rollback")
	term.expect("Type the name of the database to go on: ", "yes\n")
	contains(t, term.exit(2), "that is not its name")
	term = p.atTerminal("rollback")
	term.expect("Type the name of the database to go on: ", p.db.Name+"\n")
	term.exit(0)
	p.wantTables("goose_db_version")
}

// Where no database is named, the private server is offered, and taken only
// after a yes.
func TestEmbeddedIsOffered(t *testing.T) {
	p := newProject(t, gooseFiles...)
	if os.Getuid() != 0 {
		t.Setenv("XDG_CACHE_HOME", t.TempDir())
	}
	term := p.atTerminal("status")
	term.expect("Start that private server", "n\n")
	contains(t, term.exit(2), "no database is named", "--database embedded")
	term = p.atTerminal("migrate")
	term.expect("Start that private server", "y\n")
	term.expect("Apply 3 migrations", "y\n")
	contains(t, term.exit(0), "3 migrations applied on")
	if o := p.raw("--database", "embedded", "status", "--check"); o.code != 0 {
		t.Errorf("status: %d %s%s", o.code, o.out, o.errout)
	}
	if o := p.raw("migrate", "--yes"); o.code != 2 {
		t.Errorf("without a terminal: exit %d", o.code)
	}
}
