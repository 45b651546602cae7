package main

import (
	"bytes"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/migration"
)

// changedSince lists the files that differ from the merge base of ref and
// HEAD, uncommitted and untracked ones included, by absolute path, and returns
// what the merge base has. It asks git.
func (a *app) changedSince(ref string) (map[string]bool, analysis.Past, error) {
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
		return nil, analysis.Past{}, err
	}
	root := strings.TrimSpace(top)
	if strings.HasPrefix(ref, "-") {
		return nil, analysis.Past{}, usagef("--since %s: not a revision", ref)
	}
	base, err := git("merge-base", ref, "HEAD")
	if err != nil {
		return nil, analysis.Past{}, err
	}
	diff, err := git("diff", "--name-only", "-z", "--diff-filter=d", strings.TrimSpace(base))
	if err != nil {
		return nil, analysis.Past{}, err
	}
	listed, err := git("ls-tree", "-r", "-z", "--name-only", "--full-tree", strings.TrimSpace(base))
	if err != nil {
		return nil, analysis.Past{}, err
	}
	untracked, err := git("ls-files", "--others", "--exclude-standard", "--full-name", "-z", root)
	if err != nil {
		return nil, analysis.Past{}, err
	}
	out := map[string]bool{}
	for _, name := range strings.Split(diff+untracked, "\x00") {
		if name != "" {
			out[filepath.Join(root, filepath.FromSlash(name))] = true
		}
	}
	published := map[string]bool{}
	for _, name := range strings.Split(listed, "\x00") {
		published[filepath.Join(root, filepath.FromSlash(name))] = true
	}
	past := analysis.Past{Where: ref, Has: func(m *migration.Migration) (there, edited bool) {
		for _, f := range m.Files {
			if !published[f.Path] {
				continue
			}
			there = true
			if name, err := filepath.Rel(root, f.Path); err == nil && out[f.Path] {
				old, err := git("show", strings.TrimSpace(base)+":"+filepath.ToSlash(name))
				edited = edited || err == nil && withoutComments(old) != withoutComments(f.Text)
			}
		}
		return there, edited
	}}
	return out, past, nil
}

// withoutComments is a text without its layout and the comments at the ends of
// its lines. Two texts that only differ in those are the same, and some that
// differ in more.
func withoutComments(text string) string {
	var words []string
	for line := range strings.Lines(text) {
		for _, mark := range []string{"--", "# "} {
			if i := strings.Index(line, mark); i >= 0 {
				line = line[:i]
			}
		}
		words = append(words, strings.Fields(line)...)
	}
	return besidePunctuation.ReplaceAllString(strings.Join(words, " "), "$1")
}

var besidePunctuation = regex.MustCompile(` ?([(),;]) ?`)
