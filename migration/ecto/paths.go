package ecto

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"
)

// ownFile is the path of the migration's file as __ENV__.file has it when mix
// runs it; "" when it is not known.
func (e *evaluator) ownFile() string {
	if e.path == "" || !filepath.IsAbs(e.path) {
		return ""
	}
	return filepath.ToSlash(e.path)
}

// pathModule calls the functions of Path that lead to a file beside the
// migration.
func pathModule(name string, args []value, span source.Span) (value, bool) {
	var parts []string
	for _, a := range args {
		if items, ok := a.list(); ok && name == "join" && len(args) == 1 {
			for _, it := range items {
				s, ok := it.string()
				if !ok {
					return value{}, false
				}
				parts = append(parts, s)
			}
			continue
		}
		s, ok := a.string()
		if !ok {
			return value{}, false
		}
		parts = append(parts, s)
	}
	for _, p := range parts {
		if p == "" || strings.HasPrefix(p, "~") || strings.ContainsRune(p, '\\') || strings.Contains(p, "//") {
			return value{}, false
		}
	}
	switch {
	case name == "join" && len(parts) > 0:
		return newText(joinPath(parts), span), true
	case name == "expand" && len(parts) == 2 && (path.IsAbs(parts[0]) || path.IsAbs(parts[1])):
		if path.IsAbs(parts[0]) {
			return newText(path.Clean(parts[0]), span), true
		}
		return newText(path.Clean(parts[1]+"/"+parts[0]), span), true
	case name == "basename" && len(parts) == 1:
		return newText(path.Base(parts[0]), span), true
	case name == "basename" && len(parts) == 2:
		return newText(strings.TrimSuffix(path.Base(parts[0]), parts[1]), span), true
	case name == "rootname" && len(parts) == 1:
		return newText(strings.TrimSuffix(parts[0], path.Ext(parts[0])), span), true
	case name == "dirname" && len(parts) == 1 && !strings.HasSuffix(parts[0], "/"):
		dir := "."
		if i := strings.LastIndexByte(parts[0], '/'); i >= 0 {
			dir = parts[0][:max(i, 1)]
		}
		return newText(dir, span), true
	}
	return value{}, false
}

// joinPath joins as Path.join does, which resolves no dots.
func joinPath(parts []string) string {
	out := parts[0]
	for _, p := range parts[1:] {
		out = strings.TrimSuffix(out, "/") + "/" + strings.TrimPrefix(p, "/")
	}
	if len(out) > 1 {
		out = strings.TrimSuffix(out, "/")
	}
	return out
}

// fileModule reads the file that File.read! and File.read name.
func (e *evaluator) fileModule(n *syntax.Node, name string, args []value) (value, bool) {
	if name != "read!" && name != "read" || len(args) != 1 || e.readFile == nil || e.config {
		return value{}, false
	}
	file, ok := args[0].string()
	if !ok {
		return value{}, false
	}
	body, err := e.readFile(file)
	missing := errors.Is(err, fs.ErrNotExist)
	switch {
	case err != nil && !missing, len(body) > maxBytes:
		return e.notKnown(n, false, "reads %s, which cannot be read here,", oneLine(inspectString(file))), true
	case missing && name == "read!":
		throw("File.Error", "could not read file "+inspectString(file)+": no such file or directory", n.Span)
	case missing:
		return value{&tuple{[]value{{atom("error"), n.Span}, {atom("enoent"), n.Span}}}, n.Span}, true
	case name == "read":
		return value{&tuple{[]value{{atomOK, n.Span}, newText(body, n.Span)}}, n.Span}, true
	}
	return newText(body, n.Span), true
}
