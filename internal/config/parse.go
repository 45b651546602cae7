package config

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/ddlsp/ddlsp/internal/regex"
)

// An Error is one mistake in a configuration file. Line and Column are 1-based,
// Column counts bytes.
type Error struct {
	Path         string
	Line, Column int
	Message      string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.Path, e.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.Path, e.Line, e.Column, e.Message)
}

// Errors returns the mistakes in err as they stand in the file.
func Errors(err error) []*Error {
	var out []*Error
	var walk func(error)
	walk = func(err error) {
		if e, ok := err.(*Error); ok {
			out = append(out, e)
			return
		}
		switch u := err.(type) {
		case interface{ Unwrap() []error }:
			for _, e := range u.Unwrap() {
				walk(e)
			}
		case interface{ Unwrap() error }:
			walk(u.Unwrap())
		}
	}
	if err != nil {
		walk(err)
	}
	return out
}

// Parse reads a configuration from text; path is for messages and for what is
// relative to it.
func Parse(path, text string) (*Config, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	c := &Config{}
	dec := toml.NewDecoder(strings.NewReader(text)).DisallowUnknownFields()
	if err := dec.Decode(c); err != nil {
		return nil, explain(path, err)
	}
	c.Path = path
	c.at = locate([]byte(text))
	if errs := c.check(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return c, nil
}

// explain turns an error of the TOML library into ours.
func explain(path string, err error) error {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) {
		var errs []error
		for i := range strict.Errors {
			e := &strict.Errors[i]
			line, column := e.Position()
			errs = append(errs, &Error{path, line, column, unknownKey(e.Key())})
		}
		return errors.Join(errs...)
	}
	var bad *toml.DecodeError
	if errors.As(err, &bad) {
		line, column := bad.Position()
		return &Error{path, line, column, plain(strings.TrimPrefix(bad.Error(), "toml: "))}
	}
	return &Error{Path: path, Message: strings.TrimPrefix(err.Error(), "toml: ")}
}

var wrongType = regex.MustCompile(`^cannot decode TOML (.+) into .* of type (.+)$`)

// plain says without Go's types that a value is of the wrong kind.
func plain(message string) string {
	m := wrongType.FindStringSubmatch(message)
	if m == nil {
		return message
	}
	want := "a text in quotes"
	switch t := m[2]; {
	case strings.HasPrefix(t, "[]string"):
		want = "a list of texts, as in [\"a\", \"b\"]"
	case strings.HasPrefix(t, "[]"):
		want = "tables in double brackets"
	case strings.HasPrefix(t, "map") || strings.Contains(t, "config.Tables") || strings.Contains(t, "config.Database"):
		want = "a table"
	case strings.HasPrefix(t, "int"):
		want = "a whole number"
	case t == "bool":
		want = "true or false"
	}
	article := "a "
	if strings.ContainsAny(m[1][:1], "aeiou") {
		article = "an "
	}
	return "this is " + article + m[1] + ", but must be " + want
}

func unknownKey(key toml.Key) string {
	last := key[len(key)-1]
	msg := fmt.Sprintf("there is no key %q", last)
	if len(key) > 1 {
		msg += " in [" + strings.Join(key[:len(key)-1], ".") + "]"
	}
	if near := Nearest(last, keysAt(key[:len(key)-1])); near != "" {
		msg += fmt.Sprintf(", did you mean %q?", near)
	}
	return msg
}

// keysAt lists the keys that a table of the file may have, from the types.
func keysAt(table toml.Key) []string {
	t := reflect.TypeFor[Config]()
	for _, k := range table {
		for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		switch t.Kind() {
		case reflect.Map:
			t = t.Elem()
		case reflect.Struct:
			f, ok := field(t, k)
			if !ok {
				return nil
			}
			t = f.Type
		default:
			return nil
		}
	}
	for t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var keys []string
	for _, f := range reflect.VisibleFields(t) {
		if tag := f.Tag.Get("toml"); tag != "" && tag != "-" {
			keys = append(keys, tag)
		}
	}
	return keys
}

func field(t reflect.Type, key string) (reflect.StructField, bool) {
	for _, f := range reflect.VisibleFields(t) {
		if f.Tag.Get("toml") == key {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

// positions lead from a dotted key to the 1-based line and column of the value.
type positions map[string][2]int

// At is the place of a value in the file by its dotted key
// ("rules.drop-column", "databases.dev.url"), zero when it is not there.
func (c *Config) At(key string) (line, column int) {
	p := c.at[key]
	return p[0], p[1]
}

// locate finds where each value stands. Elements of an array of tables are
// numbered: "projects.0.format".
func locate(text []byte) positions {
	at := positions{}
	var p unstable.Parser
	p.Reset(text)
	table := ""
	count := map[string]int{}
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.Table:
			table = resolve(count, key(e)) + "."
		case unstable.ArrayTable:
			k := resolve(count, key(e))
			n := count[k]
			count[k]++
			table = k + "." + strconv.Itoa(n) + "."
		case unstable.KeyValue:
			at.add(&p, table, e)
		}
	}
	return at
}

// resolve names the current element of every array of tables that key passes.
func resolve(count map[string]int, parts []string) string {
	k := ""
	for i, part := range parts {
		if i > 0 {
			if n := count[k]; n > 0 {
				k += "." + strconv.Itoa(n-1)
			}
			k += "."
		}
		k += part
	}
	return k
}

func key(n *unstable.Node) []string {
	var parts []string
	for it := n.Key(); it.Next(); {
		parts = append(parts, string(it.Node().Data))
	}
	return parts
}

func (at positions) add(p *unstable.Parser, table string, e *unstable.Node) {
	k := table + strings.Join(key(e), ".")
	v := e.Value()
	if v.Kind == unstable.InlineTable {
		for it := v.Children(); it.Next(); {
			at.add(p, k+".", it.Node())
		}
		return
	}
	n := v
	if n.Raw.Length == 0 {
		// A value without a range of its own is found through its key.
		it := e.Key()
		it.Next()
		n = it.Node()
	}
	start := p.Shape(n.Raw).Start
	at[k] = [2]int{start.Line, start.Column}
}

// namedKinds are the keys of [naming].
var namedKinds = []string{"table", "column", "index", "constraint", "view", "function", "trigger", "type"}

// check finds what the types cannot say.
func (c *Config) check() []error {
	var errs []error
	fail := func(key, format string, args ...any) {
		line, column := c.At(key)
		errs = append(errs, &Error{c.Path, line, column, fmt.Sprintf(format, args...)})
	}
	one := func(s *Settings, all map[string]Database, prefix string) {
		if s.PostgresVersion != 0 && (s.PostgresVersion < 9 || s.PostgresVersion > 99) {
			fail(prefix+"postgres_version", "%d is no major version of PostgreSQL; write for example 16", s.PostgresVersion)
		}
		if s.Tables.LargeRows < 0 {
			fail(prefix+"tables.large_rows", "a number of rows cannot be negative")
		}
		if s.TimescaleVersion != "" && strings.Trim(s.TimescaleVersion, "0123456789.") != "" {
			fail(prefix+"timescaledb_version", "%q is no version of TimescaleDB; write for example \"2.20\"", s.TimescaleVersion)
		}
		for _, kind := range slices.Sorted(maps.Keys(s.Naming)) {
			if !slices.Contains(namedKinds, kind) {
				fail(prefix+"naming."+kind, "nothing is called %q here; use %s", kind, strings.Join(namedKinds, ", "))
			} else if _, err := regexp.Compile(s.Naming[kind]); err != nil {
				fail(prefix+"naming."+kind, "%v", err)
			}
		}
		if d := s.DefaultDatabase; d != "" {
			if _, ok := all[d]; !ok && d != "embedded" {
				names := (&Settings{Databases: all}).DatabaseNames()
				msg := fmt.Sprintf("there is no [databases.%s]", d)
				if near := Nearest(d, names); near != "" {
					msg += fmt.Sprintf(", did you mean %q?", near)
				}
				fail(prefix+"default_database", "%s", msg)
			}
		}
		for i, o := range s.Overrides {
			for _, glob := range o.Files {
				if !doublestar.ValidatePattern(glob) {
					fail(fmt.Sprintf("%soverrides.%d.files", prefix, i), "%q is no valid pattern", glob)
				}
			}
		}
		for _, name := range s.DatabaseNames() {
			d, k := s.Databases[name], prefix+"databases."+name+"."
			switch {
			case d.URL != "" && d.URLEnv != "":
				fail(k+"url", "give either url or url_env, not both")
			case d.URL != "" && hasPassword(d.URL):
				fail(k+"url", "a password must not stand in this file; name an environment variable with url_env, or leave the password to PGPASSWORD or ~/.pgpass")
			}
		}
	}
	one(&c.Settings, c.Databases, "")
	for i := range c.Projects {
		p := &c.Projects[i].Settings
		one(p, merge(c.Databases, p.Databases), fmt.Sprintf("projects.%d.", i))
	}
	sort.SliceStable(errs, func(i, j int) bool {
		a, b := errs[i].(*Error), errs[j].(*Error)
		return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
	})
	return errs
}

// hasPassword reports whether a URL or a keyword DSN holds a password. A text
// that cannot be read as a URL but has the form user:secret@ counts too.
func hasPassword(s string) bool {
	if !strings.Contains(s, "://") {
		return strings.Contains(strings.ToLower(strings.ReplaceAll(s, " ", "")), "password=")
	}
	u, err := url.Parse(s)
	if err != nil {
		rest := s[strings.Index(s, "://")+3:]
		user, _, at := strings.Cut(rest, "@")
		return at && strings.Contains(user, ":")
	}
	if p, ok := u.User.Password(); ok && p != "" {
		return true
	}
	return u.Query().Get("password") != ""
}
