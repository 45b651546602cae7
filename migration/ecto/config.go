package ecto

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"
)

// parseExpression evaluates one Elixir expression that stands for itself.
func parseExpression(text string) value {
	e := &evaluator{text: text}
	return e.eval(syntax.Parse(text).Root, &scope{})
}

// Bounds of reading a configuration.
const (
	maxConfigFile    = 1 << 20
	maxConfigImports = 50
)

// settings are what configuration files say: by application, then by key.
type settings map[string]map[string]value

// A configReader evaluates config/*.exs. It is the dsl of an evaluator that
// knows config/2,3 and import_config/1.
type configReader struct {
	env      func(string) (string, bool)
	mixEnv   string
	settings settings
	problems []string
	// dark are the texts of what could not be evaluated.
	dark    []string
	imports int
	// ev and path are of the file being read.
	ev   *evaluator
	path string
	// maybe is above zero in a branch of which nobody knows whether it is
	// taken: what it sets is set to something unknown.
	maybe int
}

// readConfig reads config/config.exs with what it imports, and
// config/runtime.exs, below dir.
func (c *configReader) readConfig(dir string) {
	for _, name := range []string{"config.exs", "runtime.exs"} {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			c.readFile(path)
		}
	}
}

func (c *configReader) readFile(path string) {
	if c.imports++; c.imports > maxConfigImports {
		c.problems = append(c.problems, "the configuration imports too many files")
		return
	}
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxConfigFile {
		err = fmt.Errorf("it is larger than %d bytes", maxConfigFile)
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		c.problems = append(c.problems, fmt.Sprintf("%s cannot be read: %v", path, err))
		return
	}
	tree := syntax.Parse(string(text))
	if len(tree.Broken) > 0 {
		c.problems = append(c.problems, path+" has a syntax error")
	}
	outer, outerPath := c.ev, c.path
	c.ev = &evaluator{text: string(text), env: c.env, dsl: c, config: true, mixEnv: c.mixEnv}
	if c.ev.env == nil {
		c.ev.env = func(string) (string, bool) { return "", false }
	}
	c.path = path
	s := &scope{}
	for _, n := range tree.Root.Kids {
		c.readNode(n, s)
	}
	c.ev, c.path = outer, outerPath
}

// readNode evaluates one expression of a file; one that fails is noted and
// does not stop the others.
func (c *configReader) readNode(n *syntax.Node, s *scope) {
	ev := c.ev
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *raised:
			c.ev = ev
			c.opaque(n, "raises "+r.message)
		case *tooMuch:
			c.ev = ev
			c.opaque(n, r.reason)
		default:
			panic(r)
		}
	}()
	ev.block([]*syntax.Node{n}, s)
}

func (c *configReader) call(s *callSite) (value, bool) {
	done := value{atomOK, s.node.Span}
	switch s.name {
	case "config":
		return done, c.set(s.args)
	case "import_config":
		if len(s.args) != 1 {
			return done, false
		}
		name, ok := s.args[0].string()
		if !ok {
			c.opaque(s.node, "imports a file whose name is not known")
			return done, true
		}
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(c.path), filepath.FromSlash(name))
		}
		if !strings.ContainsAny(name, "*?[{") {
			c.readFile(path)
			return done, true
		}
		found, err := filepath.Glob(path)
		if err != nil {
			c.opaque(s.node, "imports files by a pattern that is not understood")
		}
		for _, p := range found {
			c.readFile(p)
		}
		return done, true
	case "config_env":
		return value{atom(c.mixEnv), s.node.Span}, true
	case "config_target":
		return value{atom("host"), s.node.Span}, true
	}
	return value{}, false
}

// set notes config :app, [key,] value.
func (c *configReader) set(args []value) bool {
	if len(args) != 2 && len(args) != 3 {
		return false
	}
	app, ok := args[0].data.(atom)
	if !ok {
		return false
	}
	if len(args) == 3 {
		key, ok := args[1].data.(atom)
		if !ok {
			return false
		}
		c.put(string(app), string(key), args[2])
		return true
	}
	kw, ok := args[1].keywords()
	if !ok {
		return false
	}
	for _, p := range kw {
		c.put(string(app), string(p.key.data.(atom)), p.value)
	}
	return true
}

// put stores a setting; keyword lists are merged, as Elixir does.
func (c *configReader) put(app, key string, v value) {
	if c.settings[app] == nil {
		c.settings[app] = map[string]value{}
	}
	v = c.noteVariables(v)
	if c.maybe > 0 {
		v = hidden(v)
	}
	if old, ok := c.settings[app][key].keywords(); ok {
		if kw, ok := v.keywords(); ok && len(kw) > 0 {
			var items []value
			for _, p := range mergePairs(old, kw) {
				items = append(items, value{&tuple{[]value{p.key, p.value}}, p.key.span})
			}
			v = newList(items, v.span)
		}
	}
	c.settings[app][key] = v
}

// hidden is a setting of a branch that may not be taken: its keys are known,
// its values are not.
func hidden(v value) value {
	reason := unknown{reason: "depends on a condition that is not known"}
	kw, ok := v.keywords()
	if !ok {
		return value{reason, v.span}
	}
	var items []value
	for _, p := range kw {
		if !p.key.is(urlVariable) {
			p.value = value{reason, p.value.span}
		}
		items = append(items, value{&tuple{[]value{p.key, p.value}}, p.key.span})
	}
	return newList(items, v.span)
}

// branches evaluates what may be evaluated, by a condition that is not known.
func (c *configReader) branches(run func()) {
	c.maybe++
	defer func() { c.maybe-- }()
	run()
}

var environmentCall = regex.MustCompile(`\b(?:get_env|fetch_env!)\(\s*"([A-Za-z_][A-Za-z0-9_]*)"`)

// noteVariables puts the name of the environment variable beside the url that
// is read from one.
func (c *configReader) noteVariables(v value) value {
	kw, ok := v.keywords()
	if !ok {
		return v
	}
	for _, p := range kw {
		if !p.key.is("url") {
			continue
		}
		name := ""
		if t, ok := p.value.data.(*text); ok {
			name = t.variable
		} else if u, ok := p.value.data.(unknown); ok {
			name = u.variable
		} else if p.value.isNil() && p.value.span.End <= len(c.ev.text) {
			if m := environmentCall.FindStringSubmatch(p.value.span.Of(c.ev.text)); m != nil {
				name = m[1]
			}
		}
		if name != "" {
			items := append([]value(nil), listItems(v)...)
			items = append(items, value{&tuple{[]value{{atom(urlVariable), p.key.span}, newText(name, p.key.span)}}, p.key.span})
			return newList(items, v.span)
		}
	}
	return v
}

// urlVariable is the key under which the variable behind url is kept.
const urlVariable = "url environment variable"

func (c *configReader) opaque(n *syntax.Node, reason string) {
	c.ev.effects++
	c.problems = append(c.problems, fmt.Sprintf("%s line %d is not understood: it %s", c.path, c.ev.line(n.Span.Start), reason))
	c.dark = append(c.dark, c.ev.of(n))
}

func (c *configReader) query(n *syntax.Node, name string, _ []value) value {
	return c.ev.notKnown(n, true, "calls %s", name)
}

// ReadRepos finds the Ecto repositories of the Mix project at root, an
// umbrella included, and reads their configuration for a Mix environment
// ("dev" when empty). env looks up environment variables; nil means that none
// is set. It is an error when root cannot be read; what is wrong with a
// configuration is in the repositories' Problems.
func ReadRepos(root string, env func(string) (string, bool), mixEnv string) ([]*Repo, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	if _, err := os.ReadDir(root); err != nil {
		return nil, fmt.Errorf("the project at %s cannot be read: %w", root, err)
	}
	if mixEnv == "" {
		mixEnv = "dev"
	}
	p := &mixProject{root: root, config: &configReader{env: env, mixEnv: mixEnv, settings: settings{}}}
	p.findApps()
	p.lock = otherEcto(root)
	p.config.readConfig(filepath.Join(root, "config"))
	for _, a := range p.apps {
		if a.dir != root {
			p.config.readConfig(filepath.Join(a.dir, "config"))
		}
	}
	return p.repos(), nil
}

// A mixProject is a Mix project, its apps when it is an umbrella.
type mixProject struct {
	root   string
	apps   []mixApp
	config *configReader
	// lock is the version of ecto_sql in mix.lock where it is one whose
	// migrations do not all run as those of today.
	lock string
}

var lockedEcto = regex.MustCompile(`"ecto_sql":\s*\{:hex,\s*:ecto_sql,\s*"((\d+)\.(\d+)[^"]*)"`)

// otherEcto is the locked version of ecto_sql where it is older than 3.12,
// which lets unknown options pass, or newer than 3; "" otherwise.
func otherEcto(root string) string {
	text, err := os.ReadFile(filepath.Join(root, "mix.lock"))
	if err != nil {
		return ""
	}
	m := lockedEcto.FindStringSubmatch(string(text))
	if m == nil {
		return ""
	}
	major, err1 := strconv.Atoi(m[2])
	minor, err2 := strconv.Atoi(m[3])
	if err1 == nil && err2 == nil && major == 3 && minor >= 12 {
		return ""
	}
	return m[1]
}

type mixApp struct {
	name, dir string
}

var (
	mixAppName   = regex.MustCompile(`\bapp:\s*:([a-z_][A-Za-z0-9_]*)`)
	mixAppsPath  = regex.MustCompile(`\bapps_path:\s*"([^"]+)"`)
	repoUse      = regex.MustCompile(`(?s)defmodule\s+([A-Z][A-Za-z0-9_.]*)\s+do\b(.*?)\buse\s+Ecto\.Repo\b(.*?)(?:\n\s*\n|\bend\b|\bdef\b|@|\z)`)
	readOnlyRepo = regex.MustCompile(`\bread_only:\s*true\b`)
	adapterName  = regex.MustCompile(`\badapter:\s*([A-Z][A-Za-z0-9_.]*)`)
)

func (p *mixProject) findApps() {
	mix, err := os.ReadFile(filepath.Join(p.root, "mix.exs"))
	if err != nil {
		p.apps = []mixApp{{dir: p.root}}
		return
	}
	if m := mixAppsPath.FindSubmatch(mix); m != nil {
		dir := filepath.Join(p.root, filepath.FromSlash(string(m[1])))
		entries, _ := os.ReadDir(dir) // an umbrella without apps has no repos
		for _, entry := range entries {
			if !entry.IsDir() {
				continue
			}
			appDir := filepath.Join(dir, entry.Name())
			if text, err := os.ReadFile(filepath.Join(appDir, "mix.exs")); err == nil {
				p.apps = append(p.apps, mixApp{name: appName(text, entry.Name()), dir: appDir})
			}
		}
		return
	}
	p.apps = []mixApp{{name: appName(mix, ""), dir: p.root}}
}

func appName(mix []byte, otherwise string) string {
	if m := mixAppName.FindSubmatch(mix); m != nil {
		return string(m[1])
	}
	return otherwise
}

// repos makes the repositories of every app.
func (p *mixProject) repos() []*Repo {
	var out []*Repo
	byName := map[string]*Repo{}
	for _, a := range p.apps {
		for _, r := range p.appRepos(a) {
			if old := byName[r.Name]; old != nil && r.Name != "" {
				// Two apps of an umbrella name it: it belongs to the one that
				// has its migrations.
				if !exists(old.Dir) && exists(r.Dir) {
					*old = *r
				}
				continue
			}
			byName[r.Name] = r
			out = append(out, r)
		}
	}
	return out
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

func (p *mixProject) appRepos(a mixApp) []*Repo {
	sources := scanLib(filepath.Join(a.dir, "lib"))
	names, known := p.configured(a.name)
	if len(names) == 0 {
		for name := range sources.adapters {
			names = append(names, name)
		}
		sort.Strings(names)
	}
	var out []*Repo
	for _, name := range names {
		r := &Repo{Name: name, App: a.name, Root: a.dir, Adapter: sources.adapters[name], Wrappers: sources.wrappers}
		setting, given := p.config.settings[a.name][modulePrefix+name]
		kw, ok := setting.keywords()
		if given && !ok {
			r.Config.Unknown = append(r.Config.Unknown, "settings that are computed")
		}
		switch sources.inits[name] {
		case initMigrations:
			r.Config.Unknown = append(r.Config.Unknown, "init/2")
			fallthrough
		case initConnection:
			r.Conn.Unknown = append(r.Conn.Unknown, "init/2")
		}
		if v, ok := option(kw, "adapter"); ok {
			if m, ok := v.data.(atom); ok {
				r.Adapter = strings.TrimPrefix(string(m), modulePrefix)
			}
		}
		p.configure(r, kw)
		if _, own := sources.adapters[name]; !own && len(kw) == 0 && filepath.Base(filepath.Dir(a.dir)) == "apps" && !exists(r.Dirs[0]) {
			continue // an app of an umbrella that only uses another's repository
		}
		out = append(out, r)
	}
	if len(out) == 0 || !known {
		out = append(out, p.byDirectories(a, sources.wrappers, out)...)
	}
	return out
}

// configured are the repositories that ecto_repos names; known is false when
// it is computed, so that there may be others.
func (p *mixProject) configured(app string) (repos []string, known bool) {
	v, given := p.config.settings[app]["ecto_repos"]
	for _, it := range listItems(v) {
		if m, ok := it.data.(atom); ok {
			repos = append(repos, strings.TrimPrefix(string(m), modulePrefix))
		}
	}
	return repos, !given || v.known()
}

// byDirectories takes every priv/*/migrations that no repository has for one
// whose name is not known.
func (p *mixProject) byDirectories(a mixApp, wrappers []string, named []*Repo) []*Repo {
	claimed := map[string]bool{}
	for _, r := range named {
		claimed[r.Dir] = true
	}
	dirs, _ := filepath.Glob(filepath.Join(a.dir, "priv", "*", "migrations")) // the pattern is a good one
	var out []*Repo
	for _, d := range dirs {
		if claimed[filepath.Dir(d)] {
			continue
		}
		out = append(out, &Repo{App: a.name, Root: a.dir, Dir: filepath.Dir(d), Dirs: []string{d}, Wrappers: wrappers, Problems: p.config.problems})
	}
	return out
}

// configure fills in what the settings of a repository say.
func (p *mixProject) configure(r *Repo, kw []pair) {
	priv := "priv/" + underscore(r.Name[strings.LastIndexByte(r.Name, '.')+1:])
	if v, ok := option(kw, "priv"); ok {
		if s, ok := v.string(); ok {
			priv = s
		} else {
			r.Config.Unknown = append(r.Config.Unknown, "priv")
		}
	}
	r.Dir = filepath.Join(r.Root, filepath.FromSlash(priv))
	r.Dirs = []string{filepath.Join(r.Dir, "migrations")}
	for _, pr := range kw {
		key, _ := pr.key.name()
		if key == urlVariable {
			r.Conn.URLEnv, _ = pr.value.string()
			continue
		}
		r.Config.Session = append(r.Config.Session, sessionSettings(key, pr.value)...)
		if connectionKeys[key] && !r.Conn.apply(key, pr.value) {
			r.Config.Unknown = append(r.Config.Unknown, key)
		}
	}
	var rest []pair
	for _, pr := range kw {
		if key, _ := pr.key.name(); key != urlVariable && !connectionKeys[key] {
			rest = append(rest, pr)
		}
	}
	r.Config.apply(rest)
	if v, ok := p.config.settings["ecto_sql"]["postgres_map_type"]; ok {
		s, ok := v.name()
		if !ok {
			r.Config.Unknown = append(r.Config.Unknown, "postgres_map_type")
		}
		r.Config.MapType = s
	}
	if m, ok := p.config.settings["ecto_sql"]["migration_module"].data.(atom); ok {
		name := strings.TrimPrefix(string(m), modulePrefix)
		if name != "Ecto.Migration" && !contains(r.Wrappers, name) {
			r.Wrappers = append(r.Wrappers, name)
		}
	}
	if p.lock != "" {
		r.Config.Unknown = append(r.Config.Unknown, "ecto_sql "+p.lock+" (in mix.lock)")
		r.Config.looseOptions = strings.HasPrefix(p.lock, "3.")
	}
	r.Problems = append(r.Problems, p.config.problems...)
	short := r.Name[strings.LastIndexByte(r.Name, '.')+1:]
	for _, dark := range p.config.dark {
		if strings.Contains(dark, short) {
			r.Config.Unknown = append(r.Config.Unknown, oneLine(dark))
		}
	}
}

// apply reads one connection setting. ok is false when it changes what a
// session does in a way that is not understood.
func (c *Conn) apply(key string, v value) (ok bool) {
	switch key {
	case "parameters":
		c.Parameters, ok = sessionParameters(v)
		return ok
	case "after_connect":
		c.AfterConnect, ok = afterConnect(v)
		return ok
	}
	if v.isNil() {
		return true
	}
	if !v.known() {
		if key != "url" || c.URLEnv == "" {
			c.Unknown = append(c.Unknown, key)
		}
		return true
	}
	s, ok := (*evaluator)(nil).toString(v)
	if !ok && key != "ssl" {
		c.Unknown = append(c.Unknown, key)
		return true
	}
	switch key {
	case "url":
		c.URL = s
	case "username":
		c.Username = s
	case "password":
		c.Password = s
	case "hostname":
		c.Hostname = s
	case "port":
		c.Port = s
	case "database":
		c.Database = s
	case "socket":
		c.Socket = s
	case "socket_dir":
		c.SocketDir = s
	case "ssl":
		c.SSL = v.truthy()
	}
	return true
}

// sessionParameters reads parameters: [name: value], which Postgrex sends when
// it opens a session.
func sessionParameters(v value) (map[string]string, bool) {
	if v.isNil() {
		return nil, true
	}
	kw, ok := v.keywords()
	if !ok || !v.known() {
		return nil, false
	}
	out := map[string]string{}
	for _, p := range kw {
		s, ok := (*evaluator)(nil).toString(p.value)
		if !ok {
			return nil, false
		}
		name, _ := p.key.name()
		out[name] = s
	}
	return out, true
}

// setting is a statement that changes the session's settings and nothing else.
var setting = regex.MustCompile(`(?i)^\s*SET\s+(SESSION\s+)?[a-z_][a-z0-9_.]*\s*(=|TO\b)[^;]*;?\s*$`)

// afterConnect reads after_connect: {Postgrex, :query!, [sql, []]}, a statement
// that every new session begins with. Others need Elixir; of the statements
// only settings are taken, so that looking at a database never changes it.
func afterConnect(v value) (sql string, ok bool) {
	if v.isNil() {
		return "", true
	}
	t, ok := v.data.(*tuple)
	if !ok || len(t.items) != 3 || !t.items[0].is(modulePrefix+"Postgrex") {
		return "", false
	}
	if !t.items[1].is("query!") && !t.items[1].is("query") {
		return "", false
	}
	args, ok := t.items[2].list()
	if !ok || len(args) == 0 || len(args) > 3 {
		return "", false
	}
	if len(args) > 1 {
		if values, ok := args[1].list(); !ok || len(values) > 0 {
			return "", false
		}
	}
	if sql, ok = args[0].string(); !ok || !setting.MatchString(sql) {
		return "", false
	}
	return sql, true
}

// libSources are what the sources of an app say of repositories.
type libSources struct {
	// adapters are the repositories with their adapters, "" when not known.
	adapters map[string]string
	wrappers []string
	// inits say what the init/2 of repositories may set.
	inits map[string]initReach
}

// initReach is how far a repository's init/2, which computes its settings when
// it starts, goes.
type initReach int

const (
	// initNone: there is none, or it sets nothing that matters here.
	initNone initReach = iota
	// initConnection: it may set where the database is.
	initConnection
	// initMigrations: it may set how migrations run, too.
	initMigrations
)

var (
	initMigrating  = regex.MustCompile(`\b(migration_\w+|parameters|after_connect|priv)\b`)
	initUntouching = regex.MustCompile(`^def init\(\s*_\w*\s*,\s*(\w+)\s*\)\s*(?:do\s|,\s*do:)\s*\{:ok,\s*(\w+)\s*\}`)
)

// reachOfInit reads the init/2 of the repository whose source is text.
func reachOfInit(text string) initReach {
	at := strings.Index(text, "def init(")
	if at < 0 {
		return initNone
	}
	text = text[at:]
	if initMigrating.MatchString(text) {
		return initMigrations
	}
	if m := initUntouching.FindStringSubmatch(text); m != nil && m[1] == m[2] && strings.Count(text, "def init(") == 1 {
		return initNone
	}
	return initConnection
}

var wrapperModule = regex.MustCompile(`(?s)defmodule\s+([A-Z][A-Za-z0-9_.]*)\s+do\b`)

// scanLib looks for repositories and for modules that wrap Ecto.Migration. It
// reads only files whose name speaks of a repo or of migrations, so that a
// large application costs little more than its directory listing.
func scanLib(lib string) libSources {
	out := libSources{adapters: map[string]string{}, inits: map[string]initReach{}}
	files := 0
	_ = filepath.WalkDir(lib, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return nil // what cannot be read cannot say anything
		}
		name := d.Name()
		if d.IsDir() {
			return nil
		}
		if files++; files > 50_000 {
			return filepath.SkipAll
		}
		if !strings.HasSuffix(name, ".ex") || !strings.Contains(name, "repo") && !strings.Contains(name, "migration") {
			return nil
		}
		if info, err := d.Info(); err != nil || info.Size() > maxConfigFile {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		out.scan(string(text))
		return nil
	})
	return out
}

func (s *libSources) scan(text string) {
	if strings.Contains(text, "use Ecto.Repo") {
		for _, m := range repoUse.FindAllStringSubmatch(text, -1) {
			if readOnlyRepo.MatchString(m[3]) { // it runs no migrations
				continue
			}
			adapter := ""
			if a := adapterName.FindStringSubmatch(m[3]); a != nil {
				adapter = a[1]
			}
			s.adapters[m[1]] = adapter
			s.inits[m[1]] = reachOfInit(text)
		}
	}
	if strings.Contains(text, "__using__") && strings.Contains(text, "use Ecto.Migration") {
		at := strings.Index(text, "__using__")
		var name string
		for _, m := range wrapperModule.FindAllStringSubmatchIndex(text, -1) {
			if m[0] < at {
				name = text[m[2]:m[3]]
			}
		}
		if name != "" && !contains(s.wrappers, name) {
			s.wrappers = append(s.wrappers, name)
		}
	}
}
