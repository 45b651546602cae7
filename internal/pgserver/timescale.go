package pgserver

import (
	"os/exec"
	"path/filepath"
	"strings"
)

// timescaleUser is the numeric user that .ci/timescale-root gives its folder
// to.
const timescaleUser = 54321

// FindTimescale finds PostgreSQL programs with the timescaledb extension: in a
// private root (root may be empty), or among what is installed.
func FindTimescale(root string) (Binaries, bool) {
	if root != "" {
		found, _ := filepath.Glob(filepath.Join(root, "usr/lib/postgresql/*/bin"))
		for _, dir := range found {
			if complete(dir) {
				return Binaries{Dir: dir, Root: root, User: timescaleUser}, true
			}
		}
	}
	dirs := installed()
	if b, err := Find(); err == nil {
		dirs = append([]string{b.Dir}, dirs...)
	}
	for _, dir := range dirs {
		for _, config := range []string{filepath.Join(dir, "pg_config"), "pg_config"} {
			out, err := exec.Command(config, "--bindir", "--sharedir").Output()
			lines := strings.Fields(string(out))
			if err != nil || len(lines) != 2 || lines[0] != dir {
				continue
			}
			if control, _ := filepath.Glob(filepath.Join(lines[1], "extension/timescaledb.control")); len(control) > 0 {
				return Binaries{Dir: dir}, true
			}
		}
		// Debian's servers come without pg_config.
		share := filepath.Join("/usr/share/postgresql", filepath.Base(filepath.Dir(dir)), "extension/timescaledb.control")
		if control, _ := filepath.Glob(share); len(control) > 0 {
			return Binaries{Dir: dir}, true
		}
	}
	return Binaries{}, false
}
