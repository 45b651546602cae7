package runner

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// An address is what a connection string says once the parts that are meant
// for some tool, and not for the server, are taken out.
type address struct {
	host, port     string // as written; lists are separated by commas
	user, database string
	password       string
	hasPassword    bool
	// params are libpq's own keywords and server settings.
	params map[string]string
	// table is golang-migrate's x-migrations-table.
	table string
	// quotedTable is set by x-migrations-table-quoted: table is "schema"."name".
	quotedTable bool
	// multi is golang-migrate's x-multi-statement.
	multi bool
}

// errUnreadable says nothing of the text: any part of it may be a password.
var errUnreadable = errors.New("it cannot be read as a PostgreSQL address: use postgres://USER:PASSWORD@HOST:PORT/DATABASE, with / ? # @ : and % in the password percent-encoded, or host=... dbname=... keywords")

// schemes are the URL schemes that lead to PostgreSQL, in one tool or another.
var schemes = map[string]bool{
	"postgres": true, "postgresql": true, "ecto": true, "pgx": true, "pgx4": true, "pgx5": true,
	"pg": true, "psql": true, "postgis": true, "timescaledb": true, "postgres+unix": true,
}

// keywords are the parameters that libpq knows and that pgx acts on.
var keywords = map[string]bool{
	"sslmode": true, "sslcert": true, "sslkey": true, "sslrootcert": true, "sslpassword": true, "sslsni": true,
	"sslnegotiation": true, "sslcertmode": true, "connect_timeout": true, "target_session_attrs": true,
	"krbsrvname": true, "krbspn": true, "passfile": true, "service": true, "servicefile": true,
	"channel_binding": true, "require_auth": true, "min_protocol_version": true, "max_protocol_version": true,
}

// settings are the server settings that may stand in an address. Everything
// else in it is a tool's own business and is not sent.
var settings = map[string]bool{
	"application_name": true, "options": true, "search_path": true, "client_encoding": true, "timezone": true,
	"datestyle": true, "intervalstyle": true, "extra_float_digits": true, "role": true, "statement_timeout": true,
	"lock_timeout": true, "idle_in_transaction_session_timeout": true, "default_transaction_isolation": true,
}

// parseAddress reads a URL or keyword string. Its errors never quote the text.
func parseAddress(text string) (*address, error) {
	text = strings.TrimSpace(text)
	if i := strings.Index(text, "://"); i > 0 && !strings.ContainsAny(text[:i], " ='") {
		return parseURL(strings.ToLower(text[:i]), text)
	}
	// JDBC and opaque forms such as sqlite:file.db.
	if i := strings.IndexByte(text, ':'); i > 0 && !strings.ContainsAny(text[:i], " ='/\\") && !strings.Contains(text, "=") {
		return nil, notPostgres(text[:i], ":")
	}
	return parseKeywords(text)
}

// notPostgres says what kind of address it is instead. A word that is no known
// kind may be a part of a password and is not shown.
func notPostgres(kind, mark string) error {
	switch kind = strings.ToLower(kind); kind {
	case "jdbc", "sqlite", "sqlite3", "file", "mysql", "mysql2", "mariadb", "myxql", "clickhouse", "sqlserver", "mssql", "tds", "oracle", "mongodb", "redis",
		"bigquery", "spanner", "snowflake", "libsql", "duckdb", "vertica", "ydb", "cassandra", "neo4j", "http", "https":
		return fmt.Errorf("%s%s is not a PostgreSQL address", kind, mark)
	}
	return errors.New("it is not a PostgreSQL address, which begins with postgres:// or consists of settings such as host=HOST dbname=NAME")
}

func parseURL(scheme, text string) (*address, error) {
	if !schemes[scheme] {
		return nil, notPostgres(scheme, "://")
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, errUnreadable // url.Parse quotes what it read
	}
	a := &address{params: map[string]string{}}
	if u.User != nil {
		a.user = u.User.Username()
		a.password, a.hasPassword = u.User.Password()
	}
	var hosts, ports []string
	for _, hp := range strings.Split(u.Host, ",") {
		host, port := hp, ""
		if h, p, err := net.SplitHostPort(hp); err == nil {
			host, port = h, p
		}
		hosts = append(hosts, strings.Trim(host, "[]"))
		ports = append(ports, port)
	}
	a.host = strings.Join(hosts, ",")
	if strings.Trim(strings.Join(ports, ""), ",") != "" {
		a.port = strings.Join(ports, ",")
	}
	a.database = strings.TrimPrefix(u.Path, "/")
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errUnreadable
	}
	for k, v := range q {
		if len(v) > 0 {
			a.set(k, v[len(v)-1], scheme)
		}
	}
	return a, nil
}

// parseKeywords reads "host=localhost dbname='my db'".
func parseKeywords(text string) (*address, error) {
	a := &address{params: map[string]string{}}
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		key, tail, ok := strings.Cut(rest, "=")
		key = strings.TrimSpace(key)
		if !ok || key == "" || strings.ContainsAny(key, " \t\n'") {
			return nil, errUnreadable
		}
		tail = strings.TrimLeft(tail, " \t\n")
		var value strings.Builder
		quoted := strings.HasPrefix(tail, "'")
		i := 0
		if quoted {
			i = 1
		}
		closed := !quoted
		for ; i < len(tail); i++ {
			c := tail[i]
			if c == '\\' && i+1 < len(tail) {
				i++
				value.WriteByte(tail[i])
				continue
			}
			if quoted && c == '\'' {
				closed = true
				i++
				break
			}
			if !quoted && (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
				break
			}
			value.WriteByte(c)
		}
		if !closed {
			return nil, errUnreadable
		}
		a.set(key, value.String(), "")
		rest = tail[i:]
	}
	return a, nil
}

// set takes one parameter.
func (a *address) set(key, value, scheme string) {
	lower := strings.ToLower(key)
	switch lower {
	case "host", "hostaddr":
		a.host = value
	case "socket", "socket_dir": // dbmate's and Ecto's way to name a unix socket
		a.host = value
	case "port":
		a.port = value
	case "user", "username":
		a.user = value
	case "password":
		a.password, a.hasPassword = value, true
	case "dbname", "database":
		a.database = value
	case "ssl":
		if a.params["sslmode"] == "" {
			a.params["sslmode"] = map[bool]string{true: "require", false: "disable"}[value == "true" || value == "1"]
		}
	case "x-migrations-table":
		a.table = value
	case "x-migrations-table-quoted":
		a.quotedTable = value == "true" || value == "1" || value == "t"
	case "x-multi-statement":
		a.multi = value == "true" || value == "1" || value == "t"
	default:
		if keywords[lower] || settings[lower] || strings.Contains(key, ".") && !strings.HasPrefix(lower, "x-") {
			a.params[lower] = value
		}
	}
}

// keywordString is the address as libpq keywords, without the password.
func (a *address) keywordString() string {
	var b strings.Builder
	put := func(k, v string) {
		if v == "" {
			return
		}
		v = strings.ReplaceAll(strings.ReplaceAll(v, `\`, `\\`), `'`, `\'`)
		fmt.Fprintf(&b, "%s='%s' ", k, v)
	}
	put("host", a.host)
	put("port", a.port)
	put("user", a.user)
	put("dbname", a.database)
	for k, v := range a.params {
		put(k, v)
	}
	return b.String()
}
