package runner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/adrg/xdg"
	"github.com/jackc/pgx/v5"

	"github.com/ddlsp/ddlsp/internal/pgserver"
	"github.com/ddlsp/ddlsp/internal/regex"
)

// private is the private server, started when it does not run.
func (o *ResolveOptions) private(ctx context.Context) (*pgserver.Server, error) {
	dir := o.CacheDir
	if dir == "" {
		dir = filepath.Join(xdg.CacheHome, "ddlsp")
		if os.Getuid() == 0 {
			// The server runs as another user, who cannot enter root's home.
			dir = "/var/tmp/ddlsp-root"
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, refusef("the private server has no folder: %w", err)
	}
	server, err := pgserver.Start(ctx, pgserver.Options{
		Dir:      filepath.Join(dir, "postgres"),
		Download: pgserver.Download{Allowed: o.AllowDownload, Dir: filepath.Join(dir, "programs")},
	})
	if err != nil {
		return nil, refusef("the private server: %w", err)
	}
	return server, nil
}

// ResolveScratch finds a server where databases may be made and dropped: the
// one that name or the only [databases.*] with scratch = true leads to, else
// the private server.
func ResolveScratch(ctx context.Context, o ResolveOptions) (*Target, error) {
	if o.Env == nil {
		o.Env = os.LookupEnv
	}
	t, err := o.findScratch(ctx)
	if err == nil && o.Ecto != nil {
		t.sessions(o.Ecto)
	}
	return t, err
}

func (o *ResolveOptions) findScratch(ctx context.Context) (*Target, error) {
	var allowed []Database
	for _, d := range o.Databases {
		if d.Scratch && (o.Name == "" || o.Name == d.Name) {
			allowed = append(allowed, d)
		}
	}
	switch {
	case len(allowed) == 1:
		return o.fromConfig(allowed[0])
	case len(allowed) > 1:
		var names []string
		for _, d := range allowed {
			names = append(names, d.Name)
		}
		return nil, refusef("several databases have scratch = true: choose one with --database: %s", strings.Join(names, ", "))
	}
	server, err := o.private(ctx)
	if err != nil {
		return nil, err
	}
	t, err := newTarget(server.URL("postgres"), "the private server", ownWord, o.Format)
	if err != nil {
		server.Close()
		return nil, err
	}
	t.Name, t.Scratch, t.close = Embedded, true, server.Close
	return t, nil
}

var notName = regex.MustCompile(`[^a-z0-9]+`)

// embedded is the project's database on the private server, which is started
// when it does not run and stops when nobody uses it any more.
func (o *ResolveOptions) embedded(ctx context.Context) (*Target, error) {
	server, err := o.private(ctx)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(o.Root))
	name := strings.Trim(notName.ReplaceAllString(strings.ToLower(filepath.Base(o.Root)), "_"), "_")
	name = fmt.Sprintf("%.40s_%s", name, hex.EncodeToString(sum[:4]))
	if err := createIfMissing(ctx, server, name); err != nil {
		server.Close()
		return nil, refusef("the embedded database: %w", err)
	}
	t, err := newTarget(server.URL(name), "the embedded server", ownWord, o.Format)
	if err != nil {
		server.Close()
		return nil, err
	}
	t.Name, t.Scratch, t.close = Embedded, true, server.Close
	return t, nil
}

func createIfMissing(ctx context.Context, s *pgserver.Server, name string) error {
	conn, err := s.Connect(ctx, "postgres")
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var there bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&there); err != nil || there {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	return err
}
