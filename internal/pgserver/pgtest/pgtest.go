// Package pgtest gives a test a fresh database on a real PostgreSQL. The
// server is that of DDLSP_TEST_DATABASE_URL, or one that the first test of a
// test binary starts and that stops with the binary. A test without any server
// fails and says what to install; it is never skipped.
package pgtest

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ddlsp/ddlsp/internal/pgserver"
)

// A Database is an empty database of one test, dropped when the test ends.
type Database struct {
	Name string
	// URL leads to it without a password where the server is a private one,
	// TCP by host and port with the password.
	URL, TCP string
	Server   *pgserver.Server
	t        testing.TB
}

var plain = sync.OnceValues(func() (*pgserver.Server, error) {
	return pgserver.Start(context.Background(), pgserver.Options{URL: os.Getenv("DDLSP_TEST_DATABASE_URL")})
})

// Server returns the server that the tests of this binary share.
func Server(t testing.TB) *pgserver.Server {
	t.Helper()
	s, err := plain()
	if err != nil {
		t.Fatalf("this test needs a PostgreSQL server: set DDLSP_TEST_DATABASE_URL, or install one: %v", err)
	}
	return s
}

// DB makes a fresh database.
func DB(t testing.TB) *Database {
	t.Helper()
	return On(t, Server(t))
}

// On makes a fresh database on a given server.
func On(t testing.TB, s *pgserver.Server) *Database {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	name, err := s.CreateDatabase(ctx, "test", "")
	if err != nil {
		t.Fatalf("create a database for the test: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.DropDatabase(ctx, name); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return &Database{Name: name, URL: s.URL(name), TCP: s.TCP(name), Server: s, t: t}
}

// Conn opens a connection that is closed when the test ends.
func (d *Database) Conn() *pgx.Conn {
	d.t.Helper()
	conn, err := d.Server.Connect(context.Background(), d.Name)
	if err != nil {
		d.t.Fatalf("connect to the test's database: %v", err)
	}
	d.t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// Exec runs SQL texts, each by the simple protocol, and fails the test when
// one fails.
func (d *Database) Exec(sql ...string) {
	d.t.Helper()
	conn, err := d.Server.Connect(context.Background(), d.Name)
	if err != nil {
		d.t.Fatalf("connect to the test's database: %v", err)
	}
	defer conn.Close(context.Background())
	for _, q := range sql {
		if _, err := conn.PgConn().Exec(context.Background(), q).ReadAll(); err != nil {
			d.t.Fatalf("%s\n%v", q, err)
		}
	}
}

// Rows runs a query and returns its rows as text, NULL as "NULL".
func (d *Database) Rows(sql string) [][]string {
	d.t.Helper()
	conn, err := d.Server.Connect(context.Background(), d.Name)
	if err != nil {
		d.t.Fatalf("connect to the test's database: %v", err)
	}
	defer conn.Close(context.Background())
	results, err := conn.PgConn().Exec(context.Background(), sql).ReadAll()
	if err != nil {
		d.t.Fatalf("%s\n%v", sql, err)
	}
	var out [][]string
	for _, r := range results {
		for _, row := range r.Rows {
			line := make([]string, len(row))
			for i, v := range row {
				line[i] = string(v)
				if v == nil {
					line[i] = "NULL"
				}
			}
			out = append(out, line)
		}
	}
	return out
}
