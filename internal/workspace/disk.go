package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/ddlsp/ddlsp/internal/source"
)

// maxFile is the size in bytes from which a file is not read: no migration is
// as large, and data dumps would take the memory of the editor.
const maxFile = 32 << 20

// A disk is the files as they were when first read. Forgetting one makes
// another disk, so that a snapshot never sees two states of a file.
type disk struct {
	mu    sync.Mutex
	files map[string]*diskFile
}

type diskFile struct {
	once  sync.Once
	path  string
	text  string
	err   error
	lines func() *source.Lines
}

func newDisk() *disk { return &disk{files: map[string]*diskFile{}} }

func (d *disk) without(paths ...string) *disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := &disk{files: make(map[string]*diskFile, len(d.files))}
	for k, v := range d.files {
		n.files[k] = v
	}
	for _, p := range paths {
		delete(n.files, p)
	}
	return n
}

func (d *disk) read(path string) *diskFile {
	d.mu.Lock()
	f := d.files[path]
	if f == nil {
		f = &diskFile{path: path}
		d.files[path] = f
	}
	d.mu.Unlock()
	f.once.Do(f.load)
	return f
}

func (f *diskFile) load() {
	f.text, f.err = readFile(f.path)
	f.lines = sync.OnceValue(func() *source.Lines { return source.NewLines(f.text) })
}

func (d *disk) exists(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}

// readFile reads a file and explains to people why it cannot.
func readFile(path string) (string, error) {
	text, mode, size, err := readRegular(path, maxFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%s: there is no such file: %w", path, fs.ErrNotExist)
	case err != nil:
		return "", fmt.Errorf("%s cannot be read: %w", path, reason(err))
	case mode.IsDir():
		return "", fmt.Errorf("%s is a directory, not a file", path)
	case !mode.IsRegular():
		return "", fmt.Errorf("%s is no regular file", path)
	case size > maxFile:
		return "", fmt.Errorf("%s is larger than %d MB and is not read as a migration", path, maxFile>>20)
	}
	return text, nil
}

// reason is an error without the path that os puts before it.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// rel is path relative to dir with slashes, or path itself where it is not
// below.
func rel(dir, path string) string {
	if r, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(r) {
		return filepath.ToSlash(r)
	}
	return filepath.ToSlash(path)
}
