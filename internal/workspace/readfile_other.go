//go:build !unix

package workspace

import (
	"io/fs"
	"os"
)

// readRegular reads a regular file of at most limit bytes. mode and size tell
// the caller why nothing was read.
func readRegular(path string, limit int64) (text string, mode fs.FileMode, size int64, err error) {
	st, err := os.Stat(path)
	if err != nil || !st.Mode().IsRegular() || st.Size() > limit {
		if err != nil {
			return "", 0, 0, err
		}
		return "", st.Mode().Type(), st.Size(), nil
	}
	b, err := os.ReadFile(path)
	return string(b), 0, int64(len(b)), err
}
