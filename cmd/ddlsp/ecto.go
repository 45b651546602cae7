package main

import (
	"github.com/ddlsp/ddlsp/internal/workspace"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/runner"
)

// ectoConn is how the repo of an Ecto project reaches its database.
func ectoConn(a *app, p *workspace.Project) *runner.EctoConn {
	return nil
}

// ectoOptions are what the runner must know of the repo.
func ectoOptions(p *workspace.Project) *runner.Ecto {
	if p.Format != migration.Ecto {
		return nil
	}
	return &runner.Ecto{Lock: runner.TableLock, Unknown: []string{"the repo's configuration (it was not found)"}}
}
