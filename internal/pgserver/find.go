package pgserver

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"

	"github.com/ddlsp/ddlsp/internal/regex"
)

// Binaries are the programs of one PostgreSQL installation.
type Binaries struct {
	// Dir holds initdb and postgres.
	Dir string
	// Root is a folder that the programs see as "/"; Dir is inside it. Empty
	// for programs of this system. It needs root.
	Root string
	// User is the numeric user that a Root's server runs as.
	User int
}

// places are where PostgreSQL is installed outside PATH, as glob patterns.
var places = []string{
	"/usr/lib/postgresql/*/bin",                                // Debian, Ubuntu
	"/usr/pgsql-*/bin",                                         // the project's own RPMs
	"/opt/homebrew/opt/postgresql@*/bin",                       // Homebrew on Apple silicon
	"/usr/local/opt/postgresql@*/bin",                          // Homebrew on Intel
	"/Applications/Postgres.app/Contents/Versions/*/bin",       // Postgres.app
	"/usr/local/pgsql/bin",                                     // built from source
	"/Library/PostgreSQL/*/bin",                                // EDB's installer
	"/nix/var/nix/profiles/default/bin",                        // Nix
	"/usr/libexec/postgresql*", "/usr/libexec/postgresql*/bin", // Alpine
}

// Find looks for PostgreSQL: in PATH, then where packages put it, the newest
// first. The error wraps ErrNoServer and says what to install.
func Find() (Binaries, error) {
	if p, err := exec.LookPath("initdb"); err == nil {
		if p, err = filepath.EvalSymlinks(p); err == nil && complete(filepath.Dir(p)) {
			return Binaries{Dir: filepath.Dir(p)}, nil
		}
	}
	if dirs := installed(); len(dirs) > 0 {
		return Binaries{Dir: dirs[0]}, nil
	}
	return Binaries{}, fmt.Errorf("%w in PATH or the usual places: install PostgreSQL (Debian, Ubuntu: apt install postgresql; macOS: brew install postgresql)", ErrNoServer)
}

// installed returns the folders of complete installations, newest first.
func installed() []string {
	var dirs []string
	for _, p := range places {
		found, _ := filepath.Glob(p)
		for _, d := range found {
			if complete(d) {
				dirs = append(dirs, d)
			}
		}
	}
	sort.SliceStable(dirs, func(i, j int) bool { return major(dirs[i]) > major(dirs[j]) })
	return dirs
}

func complete(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.IsDir() || st.Mode()&0o111 == 0 {
			return false
		}
	}
	return true
}

var digits = regex.MustCompile(`\d+`)

// major guesses the major version from a folder's name.
func major(dir string) int {
	n, _ := strconv.Atoi(digits.FindString(dir))
	return n
}
