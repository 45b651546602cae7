//go:build unix

package workspace

import (
	"io/fs"
	"syscall"
)

// readRegular reads a regular file of at most limit bytes with as few calls of
// the system as it takes: a project has thousands of files, and os.ReadFile
// would look at each with twice as many. mode and size tell the caller why
// nothing was read.
func readRegular(path string, limit int64) (text string, mode fs.FileMode, size int64, err error) {
	fail := func(err error) (string, fs.FileMode, int64, error) {
		return "", 0, 0, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	// Non-blocking: opening a pipe must not wait for somebody to write to it.
	fd, err := retry(func() (int, error) {
		return syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	})
	if err != nil {
		return fail(err)
	}
	defer syscall.Close(fd)
	var st syscall.Stat_t
	if _, err := retry(func() (int, error) { return 0, syscall.Fstat(fd, &st) }); err != nil {
		return fail(err)
	}
	switch st.Mode & syscall.S_IFMT {
	case syscall.S_IFREG:
	case syscall.S_IFDIR:
		return "", fs.ModeDir, 0, nil
	default:
		return "", fs.ModeIrregular, 0, nil
	}
	if st.Size > limit {
		return "", 0, st.Size, nil
	}
	// One byte more than there should be: what is read short is read whole.
	buf := make([]byte, 0, st.Size+1)
	for {
		n, err := retry(func() (int, error) { return syscall.Read(fd, buf[len(buf):cap(buf)]) })
		if err != nil {
			return fail(err)
		}
		whole := n == 0 || int64(len(buf)+n) == st.Size && n < cap(buf)-len(buf)
		buf = buf[:len(buf)+n]
		if whole {
			return string(buf), 0, int64(len(buf)), nil
		}
		if int64(len(buf)) > limit {
			return "", 0, int64(len(buf)), nil
		}
		if len(buf) == cap(buf) { // it grows while it is read, or says no size
			buf = append(buf, make([]byte, max(512, len(buf)))...)[:len(buf)]
		}
	}
}

// retry calls f again as long as a signal interrupts it.
func retry(f func() (int, error)) (int, error) {
	for {
		n, err := f()
		if err != syscall.EINTR {
			return n, err
		}
	}
}
