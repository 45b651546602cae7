package main

import (
	"bytes"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
)

// changedSince lists the files that differ from the merge base of ref and
// HEAD, uncommitted and untracked ones included, by absolute path. It asks
// git.
func (a *app) changedSince(ref string) (map[string]bool, error) {
	git := func(args ...string) (string, error) {
		cmd := exec.Command("git", append([]string{"-C", a.dir}, args...)...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if errors.Is(err, exec.ErrNotFound) {
			return "", usagef("--since needs git, which is not on the PATH")
		}
		if err != nil {
			return "", usagef("--since %s: git %s: %s", ref, args[0], strings.TrimSpace(stderr.String()))
		}
		return string(out), nil
	}
	top, err := git("rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	root := strings.TrimSpace(top)
	if strings.HasPrefix(ref, "-") {
		return nil, usagef("--since %s: not a revision", ref)
	}
	base, err := git("merge-base", ref, "HEAD")
	if err != nil {
		return nil, err
	}
	diff, err := git("diff", "--name-only", "-z", "--diff-filter=d", strings.TrimSpace(base))
	if err != nil {
		return nil, err
	}
	untracked, err := git("ls-files", "--others", "--exclude-standard", "--full-name", "-z", root)
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, name := range strings.Split(diff+untracked, "\x00") {
		if name != "" {
			out[filepath.Join(root, filepath.FromSlash(name))] = true
		}
	}
	return out, nil
}
