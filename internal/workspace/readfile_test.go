package workspace

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	big := strings.Repeat("SELECT 1;\n", 50_000)
	for name, text := range map[string]string{"empty.sql": "", "one.sql": "S", "big.sql": big} {
		if got, err := readFile(write(name, text)); err != nil || got != text {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	huge := filepath.Join(dir, "huge.sql")
	if err := os.Truncate(write("huge.sql", "x"), maxFile+1); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		huge:                         "is larger than 32 MB",
		dir:                          "is a directory",
		filepath.Join(dir, "no.sql"): "there is no such file",
		"/dev/null":                  "is no regular file",
	} {
		if _, err := readFile(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	// What says that it is empty and is not.
	if _, err := os.Stat("/proc/self/status"); err == nil {
		if text, err := readFile("/proc/self/status"); err != nil || !strings.Contains(text, "VmRSS") {
			t.Errorf("/proc/self/status: %q, %v", text, err)
		}
	}
}
