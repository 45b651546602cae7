package ecto

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/source"
)

// A Repo is one Ecto repository of a project and what its configuration says.
type Repo struct {
	// Name is the module ("MyApp.Repo"), App the OTP application.
	Name, App string
	// Root is the directory of the application, Dir the repository's priv
	// directory, Dirs its migration directories. All are absolute.
	Root string
	Dir  string
	Dirs []string
	// Adapter is the adapter's module, "" when it is not known.
	Adapter string
	Config  RepoConfig
	Conn    Conn
	// Wrappers are the application's modules that stand for Ecto.Migration.
	Wrappers []string
	// Problems are what could not be read of its configuration, for people.
	Problems []string
}

// IsPostgres reports whether the repository is one of PostgreSQL, or not known
// to be another.
func (r *Repo) IsPostgres() bool { return r.Adapter == "" || r.Adapter == "Ecto.Adapters.Postgres" }

// RepoConfig is what the configuration sets that changes the SQL of migrations
// or how they run. The zero RepoConfig has Ecto's defaults.
type RepoConfig struct {
	// Lock is migration_lock: "" for the default (a lock on the version
	// table), "false", "nil", "pg_advisory_lock", "table_lock".
	Lock string
	// Source is migration_source, the version table; "" for schema_migrations.
	Source string
	// DefaultPrefix is migration_default_prefix.
	DefaultPrefix string
	// MapType is the database type of :map, "" for jsonb.
	MapType string
	// CastVersionColumn is migration_cast_version_column.
	CastVersionColumn bool
	// LockRetryMillis and LockMaxTries are those of the advisory lock; zero
	// for Ecto's defaults (5000, without end).
	LockRetryMillis, LockMaxTries int64
	// Set are the migration_* settings that are given, Unknown those settings
	// that are not understood or whose value is not known: what the
	// migrations then do is not known either.
	Set, Unknown []string
	// Session are the server settings that every connection gets, by name
	// (parameters: [lock_timeout: "5s"]), "*" where they cannot be told
	// (after_connect).
	Session []string

	timestamps, primaryKey, foreignKey []pair
	noPrimaryKey                       bool
	// looseOptions is set for an Ecto before 3.12.
	looseOptions bool
}

// TableLock reports whether Ecto is known to hold a lock on the version table.
func (c *RepoConfig) TableLock() bool {
	if contains(c.Unknown, "migration_lock") {
		return false
	}
	switch c.Lock {
	case "false", "nil", "pg_advisory_lock":
		return false
	}
	return true
}

// KeyType is the type of the keys that references point at where the
// configuration sets it, as Ecto names it ("binary_id"); else "".
func (c *RepoConfig) KeyType() string {
	for _, settings := range [][]pair{c.foreignKey, c.primaryKey} {
		if v, ok := option(settings, "type"); ok {
			name, _ := v.data.(atom)
			return string(name)
		}
	}
	return ""
}

// VersionTable is the name of the version table.
func (c *RepoConfig) VersionTable() string {
	if c.Source == "" {
		return "schema_migrations"
	}
	return c.Source
}

func (c *RepoConfig) mapType() string {
	if c.MapType == "" {
		return "jsonb"
	}
	return c.MapType
}

// Conn is how the configuration says to reach the database. A setting that is
// not given is empty. Password is a secret.
type Conn struct {
	// URL wins over the other settings. URLEnv is the environment variable that
	// it is read from, "" when it is a literal.
	URL, URLEnv string
	Username    string
	Password    string
	Hostname    string
	Port        string
	Database    string
	// Socket and SocketDir are of a Unix socket.
	Socket, SocketDir string
	// SSL is set when the connection is encrypted.
	SSL bool
	// Parameters are sent when a session begins, AfterConnect is the statement
	// that it begins with; "" for none.
	Parameters   map[string]string
	AfterConnect string
	// Unknown are connection settings whose value is not known, or "init/2"
	// when the repository computes them as it starts.
	Unknown []string
}

// Given reports whether the configuration says anything of the connection.
func (c Conn) Given() bool {
	return c.URL != "" || c.URLEnv != "" || c.Database != "" || c.Hostname != "" || c.Username != ""
}

// apply reads the settings of the repository.
func (c *RepoConfig) apply(settings []pair) {
	for _, p := range settings {
		key, _ := p.key.name()
		v := p.value
		if !v.known() {
			if harmless[key] {
				continue
			}
			c.Unknown = append(c.Unknown, key)
			continue
		}
		name, _ := v.name()
		switch key {
		case "migration_lock":
			c.Lock = name
			if v.is(atomTrue) {
				c.Lock = ""
			}
		case "migration_source":
			c.Source = name
		case "migration_default_prefix":
			if !v.isNil() {
				c.DefaultPrefix = name
			}
		case "migration_cast_version_column":
			c.CastVersionColumn = v.truthy()
		case "migration_advisory_lock_retry_interval_ms":
			c.LockRetryMillis, _ = v.int()
		case "migration_advisory_lock_max_tries":
			c.LockMaxTries, _ = v.int()
		case "migration_timestamps":
			c.timestamps, _ = v.keywords()
		case "migration_foreign_key":
			c.foreignKey, _ = v.keywords()
		case "migration_primary_key":
			c.primaryKey, _ = v.keywords()
			c.noPrimaryKey = v.is(atomFalse)
		case "migration_repo":
			c.Unknown = append(c.Unknown, key)
		default:
			if !harmless[key] && !connectionKeys[key] {
				c.Unknown = append(c.Unknown, key)
			}
			continue
		}
		c.Set = append(c.Set, key)
	}
}

// sessionSettings are the names of the server settings that a key of the
// configuration gives each connection.
func sessionSettings(key string, v value) []string {
	switch key {
	case "after_connect":
		if !v.isNil() {
			return []string{"*"}
		}
	case "parameters":
		pairs, ok := v.keywords()
		if !ok {
			return []string{"*"}
		}
		var out []string
		for _, p := range pairs {
			if name, ok := p.key.name(); ok {
				out = append(out, strings.ToLower(name))
			}
		}
		return out
	}
	return nil
}

// connectionKeys are the settings that say where the database is and how a
// session with it begins.
var connectionKeys = names(`username password hostname port database url socket socket_dir ssl
	parameters after_connect`)

// harmless are the settings that change nothing of what a migration does.
var harmless = names(`adapter otp_app priv name pool pool_size pool_count queue_target queue_interval timeout ownership_timeout
	log log_level stacktrace show_sensitive_data_on_connection_error telemetry_prefix telemetry_event start_apps_before_migration
	prepare types connect_timeout handshake_timeout idle_interval idle_limit backoff_type backoff_min backoff_max max_restarts
	max_seconds ssl_opts socket_options disconnect_on_error_codes loggers decoder_precision dump_path dump_before_migration
	collation encoding template ecto_repos generators primary_key foreign_key_type max_lifetime size cache_dump show_sensitive_data
	configure repo`)

// moved returns v as if it had been written at span: a value of the
// configuration has no place in the migration's file.
func moved(v value, span source.Span) value {
	switch d := v.data.(type) {
	case *text:
		return newText(d.Text, span)
	case *list:
		return newList(movedAll(d.items, span), span)
	case *tuple:
		return value{&tuple{movedAll(d.items, span)}, span}
	case *mapping:
		return value{&mapping{movedPairs(d.pairs, span)}, span}
	}
	return v.at(span)
}

func movedAll(vs []value, span source.Span) []value {
	out := make([]value, len(vs))
	for i, v := range vs {
		out[i] = moved(v, span)
	}
	return out
}

func movedPairs(ps []pair, span source.Span) []pair {
	out := make([]pair, len(ps))
	for i, p := range ps {
		out[i] = pair{moved(p.key, span), moved(p.value, span)}
	}
	return out
}
