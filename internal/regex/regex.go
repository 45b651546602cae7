// Package regex makes regular expressions that are compiled when they are
// first used: a process that lives for one answer, or an editor that waits for
// the server to start, should not pay for those that it does not need.
package regex

import (
	"os"
	"regexp"
	"strings"
	"sync"
)

// A Regexp is a regular expression that compiles itself when it is first used.
// It is safe for concurrent use.
type Regexp struct {
	expr string
	once sync.Once
	re   *regexp.Regexp
}

// inTest: expressions are compiled at once, so that every test of a package
// finds one that is wrong.
var inTest = len(os.Args) > 0 && strings.HasSuffix(strings.TrimSuffix(os.Args[0], ".exe"), ".test")

// MustCompile returns the expression. A wrong one panics when it is first used.
func MustCompile(expr string) *Regexp {
	r := &Regexp{expr: expr}
	if inTest {
		r.get()
	}
	return r
}

func (r *Regexp) get() *regexp.Regexp {
	r.once.Do(func() { r.re = regexp.MustCompile(r.expr) })
	return r.re
}

// The methods do what those of regexp.Regexp with the same names do.

func (r *Regexp) MatchString(s string) bool                  { return r.get().MatchString(s) }
func (r *Regexp) FindString(s string) string                 { return r.get().FindString(s) }
func (r *Regexp) FindStringIndex(s string) []int             { return r.get().FindStringIndex(s) }
func (r *Regexp) FindStringSubmatch(s string) []string       { return r.get().FindStringSubmatch(s) }
func (r *Regexp) FindStringSubmatchIndex(s string) []int     { return r.get().FindStringSubmatchIndex(s) }
func (r *Regexp) FindAllStringIndex(s string, n int) [][]int { return r.get().FindAllStringIndex(s, n) }
func (r *Regexp) ReplaceAllString(s, repl string) string     { return r.get().ReplaceAllString(s, repl) }
func (r *Regexp) ReplaceAllLiteralString(s, to string) string {
	return r.get().ReplaceAllLiteralString(s, to)
}
func (r *Regexp) SubexpIndex(name string) int { return r.get().SubexpIndex(name) }
func (r *Regexp) String() string              { return r.expr }

func (r *Regexp) FindAllString(s string, n int) []string { return r.get().FindAllString(s, n) }

func (r *Regexp) ExpandString(dst []byte, template, src string, match []int) []byte {
	return r.get().ExpandString(dst, template, src, match)
}

func (r *Regexp) FindAllStringSubmatch(s string, n int) [][]string {
	return r.get().FindAllStringSubmatch(s, n)
}

func (r *Regexp) FindAllStringSubmatchIndex(s string, n int) [][]int {
	return r.get().FindAllStringSubmatchIndex(s, n)
}

func (r *Regexp) ReplaceAllStringFunc(s string, repl func(string) string) string {
	return r.get().ReplaceAllStringFunc(s, repl)
}

func (r *Regexp) FindSubmatch(b []byte) [][]byte { return r.get().FindSubmatch(b) }
func (r *Regexp) SubexpNames() []string          { return r.get().SubexpNames() }
