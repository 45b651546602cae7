package main

import (
	"path/filepath"
	"strings"
)

// display is a path as output shows it: relative to the working directory
// where it lies below it, with forward slashes.
func (a *app) display(path string) string {
	rel, err := filepath.Rel(a.dir, path)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		rel = path
	}
	return filepath.ToSlash(rel)
}

// abs is the absolute path of an argument.
func (a *app) abs(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(a.dir, path)
}
