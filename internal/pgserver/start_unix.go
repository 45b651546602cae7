//go:build unix

package pgserver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// supervisor runs the server ("$@") until the last process that holds the
// named pipe open for writing has gone. With a non-empty third argument the
// folder is removed then.
const supervisor = `fifo=$1 dir=$2 remove=$3 exited=$4; shift 4
exec 3<"$fifo"
"$@" 3<&- </dev/null >>"$dir/log" 2>&1 & pid=$!
( read -r _ <&3; kill -INT $pid ) & watch=$!
exec 3<&-
wait $pid; echo $? >"$exited"
kill $watch 2>/dev/null
[ -z "$remove" ] || rm -rf "$dir"
`

// A lease is an open end of the supervisor's pipe: the server lives as long as
// any process holds one.
type lease struct {
	pipe    *os.File
	removed string // the folder that goes with the server, to wait for
	exited  string // the file that says that the server has ended
}

func (l lease) release() error {
	if l.pipe == nil {
		return nil
	}
	err := l.pipe.Close()
	if l.removed == "" {
		return err
	}
	for range 500 {
		_, exited := os.Stat(l.exited)
		if _, gone := os.Stat(l.removed); exited == nil || gone != nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	os.RemoveAll(l.removed) // the supervisor is at it too
	return err
}

// A starter starts one server.
type starter struct {
	bin      Binaries
	opts     Options
	dir      string // as this process sees it
	cred     *syscall.Credential
	port     int
	password string
}

func start(ctx context.Context, bin Binaries, opts Options) (*Server, error) {
	st := &starter{bin: bin, opts: opts}
	if err := st.dropTo(); err != nil {
		return nil, err
	}
	if opts.Dir == "" {
		return st.temporary(ctx)
	}
	return st.shared(ctx)
}

// dropTo finds the user that the server runs as.
func (st *starter) dropTo() error {
	if st.bin.Root != "" {
		if os.Getuid() != 0 {
			return fmt.Errorf("PostgreSQL in %s can only be started by root", st.bin.Root)
		}
		st.cred = &syscall.Credential{Uid: uint32(st.bin.User), Gid: uint32(st.bin.User)}
		return nil
	}
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if uid != 0 {
			st.cred = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
			return nil
		}
	}
	return errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")
}

// inside is a path as the server sees it.
func (st *starter) inside(path string) string {
	if st.bin.Root == "" {
		return path
	}
	return "/" + strings.TrimPrefix(strings.TrimPrefix(path, filepath.Clean(st.bin.Root)), "/")
}

func (st *starter) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = st.inside(st.dir)
	// A clean environment: PG* variables of the user are about other servers.
	cmd.Env = []string{"PATH=/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL=C", "HOME=" + st.inside(st.dir), "TMPDIR=/tmp"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: st.cred, Chroot: st.bin.Root, Setsid: true}
	return cmd
}

// own gives a folder or file to the user that the server runs as.
func (st *starter) own(path string) error {
	if st.cred == nil {
		return nil
	}
	return os.Chown(path, int(st.cred.Uid), int(st.cred.Gid))
}

func (st *starter) temporary(ctx context.Context) (*Server, error) {
	// The system's temporary folder may have a long name, and the path of a
	// unix socket may not exceed 103 bytes.
	parent := filepath.Join(st.bin.Root, "/tmp")
	if _, err := os.Stat(parent); err != nil {
		parent = ""
	}
	dir, err := os.MkdirTemp(parent, "ddlsp-pg-")
	if err != nil {
		return nil, err
	}
	st.dir = dir
	s, err := st.bring(ctx, true)
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return s, nil
}

// shared joins the server that another process runs in the folder, or starts
// it there.
func (st *starter) shared(ctx context.Context) (*Server, error) {
	st.dir = st.opts.Dir
	if err := os.MkdirAll(st.dir, 0o700); err != nil {
		return nil, err
	}
	if err := st.own(st.dir); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(filepath.Dir(st.dir), filepath.Base(st.dir)+".lock"))
	if ok, err := lock.TryLockContext(ctx, 20*time.Millisecond); !ok {
		return nil, fmt.Errorf("the lock of the private server was not obtained: %w", err)
	}
	defer lock.Unlock()
	deadline := time.Now().Add(15 * time.Second)
	for {
		if s, ok := st.join(ctx); ok {
			return s, nil
		}
		// A server that is being stopped still has its pid file.
		if _, err := os.Stat(filepath.Join(st.dir, "data", "postmaster.pid")); err != nil || !st.alive() || time.Now().After(deadline) {
			return st.bring(ctx, false)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// alive reports whether the process named by the pid file exists.
func (st *starter) alive() bool {
	pid, _, ok := st.postmaster()
	return ok && syscall.Kill(pid, 0) != syscall.ESRCH
}

// postmaster reads the server's pid and port from its pid file.
func (st *starter) postmaster() (pid, port int, ok bool) {
	b, err := os.ReadFile(filepath.Join(st.dir, "data", "postmaster.pid"))
	lines := strings.Split(string(b), "\n")
	if err != nil || len(lines) < 4 {
		return 0, 0, false
	}
	pid, err1 := strconv.Atoi(strings.TrimSpace(lines[0]))
	port, err2 := strconv.Atoi(strings.TrimSpace(lines[3]))
	return pid, port, err1 == nil && err2 == nil
}

func (st *starter) join(ctx context.Context) (*Server, bool) {
	pipe, err := os.OpenFile(filepath.Join(st.dir, "pipe"), os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, false // nobody reads it: no server
	}
	password, err := os.ReadFile(filepath.Join(st.dir, "password"))
	_, port, ok := st.postmaster()
	if err != nil || !ok {
		pipe.Close()
		return nil, false
	}
	s := &Server{Started: true, run: st.dir, socket: st.dir, port: port, password: string(password), lease: lease{pipe: pipe}}
	if s.Version, err = s.ping(ctx); err != nil {
		pipe.Close()
		return nil, false
	}
	return s, true
}

// bring makes the data directory, if it is not there, and starts the server.
func (st *starter) bring(ctx context.Context, remove bool) (*Server, error) {
	if err := st.own(st.dir); err != nil {
		return nil, err
	}
	if err := st.initialise(ctx); err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		s, err := st.launch(ctx, remove)
		// Somebody may have taken the port that was free a moment ago.
		if err == nil || attempt == 3 || ctx.Err() != nil || !strings.Contains(err.Error(), "could not bind") {
			return s, err
		}
	}
}

func (st *starter) initialise(ctx context.Context) error {
	data, passfile := filepath.Join(st.dir, "data"), filepath.Join(st.dir, "password")
	if _, err := os.Stat(filepath.Join(data, "PG_VERSION")); err == nil {
		b, err := os.ReadFile(passfile)
		st.password = string(b)
		return err
	}
	st.password = random(16)
	if err := os.WriteFile(passfile, []byte(st.password), 0o600); err != nil {
		return err
	}
	if err := st.own(passfile); err != nil {
		return err
	}
	cmd := st.command(ctx, st.inside(filepath.Join(st.bin.Dir, "initdb")), "-D", st.inside(data), "-U", superuser, "-E", "UTF8",
		"--locale=C", "--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile="+st.inside(passfile), "--no-sync", "--no-instructions")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb failed: %w\n%s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

func (st *starter) settings() []string {
	set := map[string]string{
		"listen_addresses": "127.0.0.1", "port": strconv.Itoa(st.port),
		"unix_socket_directories": st.inside(st.dir), "unix_socket_permissions": "0700",
		"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "jit": "off",
		"max_connections": "100", "shared_buffers": "32MB", "autovacuum": "off",
		"timezone": "UTC", "log_timezone": "UTC",
	}
	for k, v := range st.opts.Settings {
		set[k] = v
	}
	var args []string
	for _, k := range slices.Sorted(maps.Keys(set)) {
		args = append(args, "-c", k+"="+set[k])
	}
	return args
}

// choosePort takes the port that the folder's server had before, so that its
// address stays, or a free one.
func (st *starter) choosePort() (int, error) {
	file := filepath.Join(st.dir, "port")
	if b, err := os.ReadFile(file); err == nil {
		if port, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil && isFree(port) {
			return port, nil
		}
	}
	port, err := freePort()
	if err == nil {
		err = os.WriteFile(file, []byte(strconv.Itoa(port)), 0o600)
	}
	return port, err
}

func (st *starter) launch(ctx context.Context, remove bool) (*Server, error) {
	var err error
	if st.port, err = st.choosePort(); err != nil {
		return nil, err
	}
	// A server that is just ending writes its own file.
	exited := filepath.Join(st.dir, fmt.Sprintf("exited.%s", random(4)))
	fifo := filepath.Join(st.dir, "pipe")
	os.Remove(fifo)
	old, _ := filepath.Glob(filepath.Join(st.dir, "exited.*"))
	for _, f := range old {
		os.Remove(f)
	}
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		return nil, err
	}
	if err := st.own(fifo); err != nil {
		return nil, err
	}
	// Opened for both, the pipe does not block; it is closed again once the
	// supervisor reads, so that an open pipe means a living supervisor.
	both, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer both.Close()
	rm := ""
	if remove {
		rm = "remove"
	}
	args := append([]string{"-c", supervisor, "ddlsp-postgres", st.inside(fifo), st.inside(st.dir), rm, st.inside(exited),
		st.inside(filepath.Join(st.bin.Dir, "postgres")), "-D", st.inside(filepath.Join(st.dir, "data"))}, st.settings()...)
	cmd := st.command(context.WithoutCancel(ctx), "/bin/sh", args...)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go cmd.Wait() // no zombie while this process lives
	pipe, err := os.OpenFile(fifo, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	s := &Server{Started: true, run: st.dir, socket: st.dir, port: st.port, password: st.password, lease: lease{pipe: pipe, exited: exited}}
	if remove {
		s.lease.removed = st.dir
	}
	if err := st.wait(ctx, s); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// wait returns when the server answers.
func (st *starter) wait(ctx context.Context, s *Server) error {
	deadline := time.Now().Add(30 * time.Second)
	for {
		v, err := s.ping(ctx)
		if err == nil {
			s.Version = v
			return nil
		}
		_, exited := os.Stat(s.lease.exited)
		_, gone := os.Stat(st.dir)
		if exited == nil || gone != nil || ctx.Err() != nil || time.Now().After(deadline) {
			log, _ := os.ReadFile(s.LogFile())
			return fmt.Errorf("PostgreSQL did not start: %w\n%s", err, tail(string(log), 15))
		}
		time.Sleep(15 * time.Millisecond)
	}
}

// tail returns the last n lines of a text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
