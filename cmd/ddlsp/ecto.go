package main

import (
	"path/filepath"

	"github.com/ddlsp/ddlsp/internal/workspace"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/runner"
)

// ectoConn is how the repo of an Ecto project reaches its database.
func ectoConn(a *app, p *workspace.Project) *runner.EctoConn {
	if p.Repo == nil {
		return nil
	}
	c := p.Repo.Conn
	out := &runner.EctoConn{
		Repo: p.Repo.Name, Username: c.Username, Password: c.Password, Hostname: c.Hostname, Port: c.Port, Database: c.Database,
		URL: c.URL, URLEnv: c.URLEnv, SocketDir: c.SocketDir, SSL: c.SSL, Unknown: c.Unknown,
		Parameters: c.Parameters, AfterConnect: c.AfterConnect,
		Source: a.display(filepath.Join(p.Root, "config")) + " for " + p.Repo.Name,
	}
	if c.Socket != "" {
		out.SocketDir = filepath.Dir(c.Socket)
	}
	return out
}

// ectoOptions are what the runner must know of the repo.
func ectoOptions(p *workspace.Project) *runner.Ecto {
	if p.Format != migration.Ecto {
		return nil
	}
	if p.Repo == nil {
		return &runner.Ecto{Lock: runner.TableLock, Repo: "the repo", Unknown: []string{"what is not known: there is no mix.exs above the migrations"}}
	}
	c := p.Repo.Config
	out := &runner.Ecto{
		Repo: p.Repo.Name, Lock: runner.TableLock, Source: c.Source,
		MaxTries: int(c.LockMaxTries), RetryMillis: int(c.LockRetryMillis), Unknown: c.Unknown,
		Runner: string(p.Settings.Runner), Dir: p.Repo.Root, Dirs: p.Dirs,
	}
	if out.Runner == "" {
		out.Runner = runner.RunAuto
	}
	switch c.Lock {
	case "pg_advisory_lock":
		out.Lock = runner.AdvisoryLock
	case "false", "nil":
		out.Lock = runner.NoLock
	}
	if c.CastVersionColumn {
		out.Unknown = append(out.Unknown[:len(out.Unknown):len(out.Unknown)], "migration_cast_version_column")
	}
	return out
}
