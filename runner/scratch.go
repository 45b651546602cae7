package runner

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// on is the target with another database of the same server.
func (t *Target) on(database string) *Target {
	c := *t
	c.config = t.config.Copy()
	c.config.Database, c.Database, c.close = database, database, nil
	c.spare, c.keeps = nil, false
	return &c
}

// scratch makes and drops databases on a server where that is allowed.
type scratch struct {
	server *Target
	made   []string
}

// create makes a database, empty or a copy.
func (s *scratch) create(ctx context.Context, template string) (*Target, error) {
	b := make([]byte, 6)
	rand.Read(b) // never fails
	name := "ddlsp_verify_" + hex.EncodeToString(b)
	sql := "CREATE DATABASE " + pgx.Identifier{name}.Sanitize()
	if template != "" {
		sql += " TEMPLATE " + pgx.Identifier{template}.Sanitize()
	}
	conn, err := s.server.connect(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer closeConn(conn)
	s.made = append(s.made, name)
	for tries := 0; ; tries++ {
		err := exec(ctx, conn, sql)
		// A session of the template that has just ended may still be leaving.
		if pe := pgError(err); pe != nil && pe.Code == "55006" && tries < 20 && ctx.Err() == nil {
			if tries == 2 {
				s.server.on(template).stopWorkers(ctx)
			}
			time.Sleep(100 * time.Millisecond)
			continue
		}
		if err != nil {
			return nil, refusef("a scratch database could not be made on %s: %w", s.server, plainError(err))
		}
		return s.server.on(name), nil
	}
}

// stopWorkers ends TimescaleDB's background workers, whose sessions keep a
// database from being copied.
func (t *Target) stopWorkers(ctx context.Context) {
	conn, err := t.connect(ctx, nil)
	if err != nil {
		return
	}
	defer closeConn(conn)
	if exec(ctx, conn, "SELECT _timescaledb_functions.stop_background_workers()") != nil {
		exec(ctx, conn, "SELECT _timescaledb_internal.stop_background_workers()")
	}
}

// drop drops a database that create made.
func (s *scratch) drop(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	conn, err := s.server.connect(ctx, nil)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	var version int
	if err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		return err
	}
	sql := "DROP DATABASE IF EXISTS " + pgx.Identifier{name}.Sanitize()
	if version >= 130000 {
		sql += " WITH (FORCE)"
	}
	return exec(ctx, conn, sql)
}

// close drops all that create made.
func (s *scratch) close(ctx context.Context) error {
	var first error
	for _, name := range s.made {
		if err := s.drop(ctx, name); err != nil && first == nil {
			first = fmt.Errorf("the scratch database %s could not be dropped: %w", name, plainError(err))
		}
	}
	return first
}
