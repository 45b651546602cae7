package runner

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/joho/godotenv"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/migration"
)

// ResolveOptions are all the places where a target may be named.
type ResolveOptions struct {
	// URL is --database-url, Name is --database.
	URL, Name string
	// Databases are the [databases.*] of the configuration at ConfigPath, and
	// Default its default_database.
	Databases  []Database
	Default    string
	ConfigPath string
	// Format and Root are the project's; Root is its directory.
	Format migration.Format
	Root   string
	// Ecto is what the repo's configuration says; nil for other formats.
	Ecto *EctoConn
	// Env looks up an environment variable; nil means the process's own.
	Env func(string) (string, bool)
	// CacheDir is where the embedded server keeps its data.
	CacheDir string
	// AllowDownload is the user's consent to fetch PostgreSQL for the embedded
	// server.
	AllowDownload bool
}

// A Database is one [databases.*] of the configuration.
type Database struct {
	Name string
	// URLEnv names the variable that holds the address; URL is one without a
	// password.
	URLEnv, URL        string
	Protected, Scratch bool
	LockTimeout        time.Duration
}

// EctoConn is the connection of an Ecto repo as its configuration files say.
type EctoConn struct {
	Repo     string
	Username string
	Password string
	Hostname string
	Port     string
	Database string
	// URL is the url setting; URLEnv the variable that it is read from.
	URL, URLEnv string
	SocketDir   string
	SSL         bool
	// Parameters are sent when a session begins, AfterConnect is the statement
	// it begins with. They hold for every target of the repo.
	Parameters   map[string]string
	AfterConnect string
	// Source are the files that say so.
	Source string
	// Unknown are the settings that could not be read without running them.
	Unknown []string
}

// Embedded is the name of the private server's database.
const Embedded = "embedded"

// Resolve finds the database in the order of the documentation. When there is
// none the error lists what was looked at.
func Resolve(ctx context.Context, o ResolveOptions) (*Target, error) {
	if o.Env == nil {
		o.Env = os.LookupEnv
	}
	t, err := o.find(ctx)
	if err == nil && o.Ecto != nil {
		t.sessions(o.Ecto)
	}
	return t, err
}

// sessions makes the sessions of a target begin as the repo's do.
func (t *Target) sessions(c *EctoConn) {
	for name, v := range c.Parameters {
		if _, own := t.addr.params[name]; !own { // the user's own word in the address
			t.config.RuntimeParams[name] = v
		}
	}
	t.first = c.AfterConnect
}

func (o *ResolveOptions) find(ctx context.Context) (*Target, error) {
	if o.URL != "" {
		return newTarget(o.URL, "--database-url", ownWord, o.Format)
	}
	if t, err := o.configured(ctx); t != nil || err != nil {
		return t, err
	}
	looked := []string{"--database-url and --database (not given)"}
	if o.ConfigPath != "" {
		looked = append(looked, fmt.Sprintf("[databases.*] in %s (none)", o.ConfigPath))
	} else {
		looked = append(looked, "ddlsp.toml (none)")
	}
	if v, ok := o.env("DDLSP_DATABASE_URL"); ok {
		return newTarget(v, "DDLSP_DATABASE_URL", ownWord, o.Format)
	}
	looked = append(looked, "DDLSP_DATABASE_URL (not set)")
	t, what, err := o.ofTool()
	if t != nil || err != nil {
		return t, err
	}
	looked = append(looked, what...)
	for _, v := range []string{"PGDATABASE", "PGSERVICE"} {
		if _, ok := o.env(v); ok {
			return fromEnvironment(v+" and the other PG* variables", o.Format)
		}
	}
	looked = append(looked, "PGDATABASE and PGSERVICE (not set)")
	return nil, refusef("%w. Looked at:\n  %s\nName one with --database-url, or in ddlsp.toml:\n  [databases.dev]\n  url_env = \"DATABASE_URL\"\nor take the private server of ddlsp: --database embedded", ErrNoDatabase, strings.Join(looked, "\n  "))
}

// env is a variable that is set to something.
func (o *ResolveOptions) env(name string) (string, bool) {
	v, ok := o.Env(name)
	return v, ok && v != ""
}

// configured is the target that the configuration or --database names.
func (o *ResolveOptions) configured(ctx context.Context) (*Target, error) {
	name, by := o.Name, "--database"
	if name == "" {
		name, by = o.Default, "default_database in "+o.ConfigPath
	}
	if name == "" && len(o.Databases) == 1 {
		name = o.Databases[0].Name
	}
	if name == "" && len(o.Databases) > 1 {
		return nil, refusef("%s has several databases and no default_database: choose one with --database: %s", o.ConfigPath, strings.Join(o.names(), ", "))
	}
	if name == "" {
		return nil, nil
	}
	for _, d := range o.Databases {
		if d.Name == name {
			return o.fromConfig(d)
		}
	}
	if name == Embedded {
		return o.embedded(ctx)
	}
	if len(o.Databases) == 0 {
		return nil, refusef("%s says %q, but no [databases.%s] is configured", by, name, name)
	}
	return nil, refusef("%s says %q, but the configuration has only: %s", by, name, strings.Join(o.names(), ", "))
}

func (o *ResolveOptions) names() []string {
	var names []string
	for _, d := range o.Databases {
		names = append(names, d.Name)
	}
	sort.Strings(names)
	return names
}

func (o *ResolveOptions) fromConfig(d Database) (*Target, error) {
	where := fmt.Sprintf("[databases.%s] in %s", d.Name, o.ConfigPath)
	var t *Target
	var err error
	switch {
	case d.URLEnv != "":
		v, ok := o.env(d.URLEnv)
		if !ok {
			return nil, refusef("%s reads %s, which is not set", where, d.URLEnv)
		}
		t, err = newTarget(v, d.URLEnv+" (by "+where+")", ownWord, o.Format)
	case d.URL != "":
		t, err = newTarget(d.URL, where, fileWord, o.Format)
		if err == nil && t.addr.hasPassword {
			return nil, refusef("%s holds a password: name a variable with url_env, or put the password into ~/.pgpass", where)
		}
	default:
		return nil, refusef("%s has neither url_env nor url", where)
	}
	if err != nil {
		return nil, err
	}
	t.Name, t.Protected, t.Scratch, t.LockTimeout = d.Name, d.Protected, d.Scratch, d.LockTimeout
	return t, nil
}

// ofTool is the target that the project's own tool would use; looked says
// where it might have been named.
func (o *ResolveOptions) ofTool() (t *Target, looked []string, err error) {
	switch o.Format {
	case migration.Ecto:
		return o.ofEcto()
	case migration.Goose:
		return o.ofEnv("GOOSE_DBSTRING")
	case migration.Dbmate:
		return o.ofEnv("DATABASE_URL")
	case migration.Sqlx, migration.Diesel, migration.Prisma, migration.NodePgMigrate, migration.Drizzle:
		return o.ofEnv("DATABASE_URL")
	case migration.Tern:
		return o.ofTern()
	}
	return nil, nil, nil
}

// ofEnv reads a variable as goose and dbmate do: from the environment, else
// from the project's .env.
func (o *ResolveOptions) ofEnv(name string) (*Target, []string, error) {
	if v, ok := o.env(name); ok {
		t, err := newTarget(v, name, ownWord, o.Format)
		return t, nil, err
	}
	path := filepath.Join(o.Root, ".env")
	file, err := os.Open(path)
	if err != nil {
		return nil, []string{name + " (not set)", path + " (not there)"}, nil
	}
	defer file.Close()
	vars, err := godotenv.Parse(file)
	if err != nil {
		// godotenv quotes the line, which may hold a secret.
		return nil, nil, refusef("%s cannot be read: it is not in the form KEY=value", path)
	}
	if driver := vars["GOOSE_DRIVER"]; o.Format == migration.Goose && driver != "" && !postgresDriver(driver) {
		return nil, nil, refusef("%s says GOOSE_DRIVER=%s: ddlsp runs PostgreSQL only", path, driver)
	}
	if v := vars[name]; v != "" {
		t, err := newTarget(v, name+" in "+path, fileWord, o.Format)
		return t, nil, err
	}
	return nil, []string{name + " (not set)", fmt.Sprintf("%s (has no %s)", path, name)}, nil
}

func postgresDriver(name string) bool {
	switch strings.ToLower(name) {
	case "postgres", "postgresql", "pgx", "pq", "timescaledb":
		return true
	}
	return false
}

func (o *ResolveOptions) ofEcto() (*Target, []string, error) {
	c := o.Ecto
	if c == nil {
		return nil, []string{"the repo's configuration (not found)"}, nil
	}
	source := c.Source
	if source == "" {
		source = "the configuration of " + c.Repo
	}
	text, who := c.URL, fileWord
	if c.URLEnv != "" {
		if v, ok := o.env(c.URLEnv); ok {
			text, who, source = v, ownWord, c.URLEnv+" (read by "+source+")"
		} else if c.Database == "" && c.URL == "" {
			return nil, []string{fmt.Sprintf("%s, which %s reads (not set)", c.URLEnv, source)}, nil
		}
	}
	a := &address{params: map[string]string{}}
	if text != "" {
		parsed, err := parseAddress(text)
		if err != nil {
			return nil, nil, refusef("the url from %s is not usable: %w", source, err)
		}
		a = parsed
	}
	for _, u := range c.Unknown {
		switch u {
		case "init/2":
			return nil, nil, refusef("%s: %s computes its settings in init/2, which cannot be read without running it; name the database with --database-url", source, c.Repo)
		case "url", "database", "hostname", "port", "username", "socket", "socket_dir", "password", "ssl":
			return nil, nil, refusef("%s: the %s of %s is computed and cannot be read without running it; name the database with --database-url", source, u, c.Repo)
		}
	}
	// Ecto merges the url's parts over the single settings.
	fill := func(to *string, v string) {
		if *to == "" {
			*to = v
		}
	}
	if text == "" {
		fill(&a.host, c.SocketDir)
	}
	fill(&a.host, c.Hostname)
	fill(&a.port, c.Port)
	fill(&a.user, c.Username)
	fill(&a.database, c.Database)
	if !a.hasPassword && c.Password != "" {
		a.password, a.hasPassword = c.Password, true
	}
	if c.SSL && a.params["sslmode"] == "" {
		a.params["sslmode"] = "require"
	}
	if a.database == "" {
		return nil, []string{fmt.Sprintf("%s (names no database for %s)", source, c.Repo)}, nil
	}
	if a.host == "" {
		a.host = "localhost" // Postgrex's default, not libpq's socket
		if h, ok := o.env("PGHOST"); ok {
			a.host = h
		}
	}
	t, err := a.target(source, who, o.Format)
	return t, nil, err
}

var ternEnv = regex.MustCompile(`\{\{\s*env\s+"([^"]+)"\s*\}\}`)

// ofTern reads the [database] section of tern.conf.
func (o *ResolveOptions) ofTern() (*Target, []string, error) {
	path := ternConf(o.Root, o.Env)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, []string{path + " (not there)"}, nil
	}
	expanded := ternEnv.ReplaceAllStringFunc(string(text), func(m string) string {
		v, _ := o.Env(ternEnv.FindStringSubmatch(m)[1])
		return v
	})
	if strings.Contains(expanded, "{{") {
		return nil, nil, refusef("%s uses a template that ddlsp does not run: name the database with --database-url", path)
	}
	a := &address{params: map[string]string{}}
	section := ""
	for _, line := range strings.Split(expanded, "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = strings.Trim(line, "[] ")
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || section != "database" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue
		}
		key, value = strings.TrimSpace(key), strings.Trim(strings.TrimSpace(value), `"`)
		if value == "" {
			continue
		}
		if key == "conn_string" {
			parsed, err := parseAddress(value)
			if err != nil {
				return nil, nil, refusef("conn_string in %s is not usable: %w", path, err)
			}
			parsed.table = a.table
			a = parsed
			continue
		}
		if key == "version_table" {
			a.table = value
			continue
		}
		a.set(key, value, "")
	}
	if a.database == "" && a.host == "" {
		return nil, []string{path + " (names no database)"}, nil
	}
	t, err := a.target(path, fileWord, o.Format)
	return t, nil, err
}

// ternConf is the path of tern's configuration.
func ternConf(root string, env func(string) (string, bool)) string {
	if v, ok := env("TERN_CONFIG"); ok && v != "" {
		return v
	}
	return filepath.Join(root, "tern.conf")
}

var ternTable = regex.MustCompile(`(?m)^[ \t]*version_table[ \t]*=[ \t]*"?([^"\s{}]+)"?[ \t\r]*$`)

// TernVersionTable is the version_table of the tern.conf of a project, "" when
// it does not say.
func TernVersionTable(root string) string {
	text, err := os.ReadFile(ternConf(root, os.LookupEnv))
	if err != nil {
		return ""
	}
	if m := ternTable.FindSubmatch(text); m != nil {
		return string(m[1])
	}
	return ""
}
