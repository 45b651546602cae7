// Package pgserver finds or starts a private PostgreSQL: the one that tests
// use, and the scratch database that ddlsp offers to those who have none.
//
// A private server belongs to the processes that use it. It runs under a small
// supervisor that stops it when the last of them is gone, however it ended, so
// that a crash or a kill leaves no server behind. It listens on a unix socket
// in a folder of its own, without a password, and on 127.0.0.1 with one that
// is made at random. It never runs as root: root drops to the user "postgres"
// (or "nobody"). Durability is switched off; what it holds is scratch.
package pgserver

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrNoServer is returned when there is neither a server nor the programs to
// start one.
var ErrNoServer = errors.New("no PostgreSQL server programs were found")

// Options say which server is wanted. The zero value means: the newest
// PostgreSQL installed here, with a fresh data directory that is removed
// afterwards.
type Options struct {
	// URL is a server that already runs; nothing is started.
	URL string
	// Binaries are the programs to use; the zero value finds them.
	Binaries Binaries
	// Dir keeps the data directory between runs and shares one server between
	// all processes that name the same folder. Empty: a temporary one.
	Dir string
	// Settings are further lines of postgresql.conf, by name.
	Settings map[string]string
	// Download allows to fetch PostgreSQL when it is not installed.
	Download Download
}

// A Server is a running PostgreSQL and the right to use it.
type Server struct {
	config *pgx.ConnConfig // nil for a private server
	// Version is the server's major version.
	Version int
	// Started is set when it is a private server of ours, where databases may
	// be made and dropped freely.
	Started bool

	run      string // the folder with socket, data and log; "" for a foreign one
	socket   string
	port     int
	password string
	lease    lease
}

// superuser is the role that owns a private server.
const superuser = "postgres"

// Start finds or starts a server. The caller must Close it.
func Start(ctx context.Context, opts Options) (*Server, error) {
	if opts.URL != "" {
		return attach(ctx, opts.URL)
	}
	bin := opts.Binaries
	if bin.Dir == "" {
		found, err := Find()
		if err != nil && opts.Download.Allowed {
			found, err = opts.Download.fetch()
		}
		if err != nil {
			return nil, err
		}
		bin = found
	}
	return start(ctx, bin, opts)
}

func attach(ctx context.Context, dsn string) (*Server, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, errors.New("the server's URL cannot be read") // pgx would print parts of it
	}
	s := &Server{config: cfg}
	if s.Version, err = s.ping(ctx); err != nil {
		return nil, fmt.Errorf("the server %s:%d cannot be used: %w", cfg.Host, cfg.Port, err)
	}
	return s, nil
}

// Close ends the use of the server. A private one stops when nobody else uses
// it.
func (s *Server) Close() error { return s.lease.release() }

// URL is the address of a database of this server. For a private server it
// leads through the unix socket and needs no password.
func (s *Server) URL(database string) string {
	if s.config != nil {
		u, err := url.Parse(s.config.ConnString())
		if err != nil || u.Scheme == "" {
			return fmt.Sprintf("%s dbname='%s'", s.config.ConnString(), database)
		}
		u.Path = "/" + database
		return u.String()
	}
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + database}
	u.RawQuery = url.Values{"host": {s.socket}, "port": {strconv.Itoa(s.port)}, "sslmode": {"disable"}}.Encode()
	return u.String()
}

// TCP is the address by host and port, with the password in it, for programs
// that cannot use a unix socket.
func (s *Server) TCP(database string) string {
	if s.config != nil {
		return s.URL(database)
	}
	u := url.URL{Scheme: "postgres", User: url.UserPassword(superuser, s.password), Host: "127.0.0.1:" + strconv.Itoa(s.port), Path: "/" + database}
	u.RawQuery = "sslmode=disable"
	return u.String()
}

// Host, Port, User and Password are the parts of TCP.
func (s *Server) Host() string {
	if s.config != nil {
		return s.config.Host
	}
	return "127.0.0.1"
}

// Port is the TCP port.
func (s *Server) Port() int {
	if s.config != nil {
		return int(s.config.Port)
	}
	return s.port
}

// User is the role to connect as.
func (s *Server) User() string {
	if s.config != nil {
		return s.config.User
	}
	return superuser
}

// Password is the role's password over TCP.
func (s *Server) Password() string {
	if s.config != nil {
		return s.config.Password
	}
	return s.password
}

// LogFile is the log of a private server, "" for another.
func (s *Server) LogFile() string {
	if s.run == "" {
		return ""
	}
	return filepath.Join(s.run, "log")
}

// Connect opens a connection to a database of the server.
func (s *Server) Connect(ctx context.Context, database string) (*pgx.Conn, error) {
	if s.config != nil {
		cfg := s.config.Copy()
		if database != "" {
			cfg.Database = database
		}
		return pgx.ConnectConfig(ctx, cfg)
	}
	return pgx.Connect(ctx, s.URL(database))
}

// maintenance is the database that others are created from.
func (s *Server) maintenance() string {
	if s.config != nil {
		return "" // the one of its URL
	}
	return "postgres"
}

// CreateDatabase makes an empty database with a name that starts with prefix,
// as a copy of template ("" for the server's default), and returns its name.
func (s *Server) CreateDatabase(ctx context.Context, prefix, template string) (string, error) {
	conn, err := s.Connect(ctx, s.maintenance())
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	name := prefix + "_" + random(6)
	sql := "CREATE DATABASE " + pgx.Identifier{name}.Sanitize()
	if template != "" {
		sql += " TEMPLATE " + pgx.Identifier{template}.Sanitize()
	}
	if _, err := conn.Exec(ctx, sql); err != nil {
		return "", err
	}
	return name, nil
}

// DropDatabase drops a database and throws out who still uses it.
func (s *Server) DropDatabase(ctx context.Context, name string) error {
	conn, err := s.Connect(ctx, s.maintenance())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	ident := pgx.Identifier{name}.Sanitize()
	if s.Version >= 13 {
		_, err = conn.Exec(ctx, "DROP DATABASE IF EXISTS "+ident+" WITH (FORCE)")
		return err
	}
	if _, err := conn.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "DROP DATABASE IF EXISTS "+ident)
	return err
}

func (s *Server) ping(ctx context.Context) (version int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := s.Connect(ctx, s.maintenance())
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	var n string
	if err := conn.QueryRow(ctx, "SHOW server_version_num").Scan(&n); err != nil {
		return 0, err
	}
	num, err := strconv.Atoi(n)
	return num / 10000, err
}

// random returns n random bytes in hexadecimal.
func random(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
