package runner

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// A Plan is what a request would do on its target at the moment it was made.
type Plan struct {
	Target  *Target
	Request Request
	Steps   []Step
	// Hash stands for the target, the versions and the contents: a person who
	// saw the plan agreed to exactly this.
	Hash string
	// Notes are what people should know before they agree.
	Notes []string
	// Losses are what the plan destroys, with their sizes at this moment.
	Losses []Loss

	state  *state
	runner *Runner
}

// Statements is the number of statements that the plan would send.
func (p *Plan) Statements() int {
	n := 0
	for _, s := range p.Steps {
		n += len(s.Body().Statements())
	}
	return n
}

func (p *Plan) hash() string {
	h := sha256.New()
	put := func(s string) { fmt.Fprintf(h, "%d:%s;", len(s), s) }
	put(p.Target.User)
	if p.Target.Name == Embedded {
		put(Embedded) // its port may change with every start
	} else {
		put(p.Target.Host)
	}
	put(p.Target.Database)
	put(p.state.table.String())
	put(string(p.runner.opts.Format))
	put(string(p.Request.Direction))
	put(p.Request.Prefix)
	if p.runner.handOver != nil {
		put("mix")
	}
	for _, s := range p.Steps {
		put(s.Migration.Version)
		put(string(s.Direction))
		for _, f := range s.Migration.Files {
			put(filepath.Base(f.Path))
			put(f.Text)
		}
		for _, u := range s.Body().Units {
			put(u.SQL)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// destroying are the words without which nothing is destroyed.
var destroying = []string{"drop", "truncate", "delete"}

// Drops are what the plan destroys, for the question before it: "table
// orders", "column orders.note".
func (p *Plan) Drops() []string {
	var out []string
	add := func(s string) {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	var visit func(op migration.Op)
	visit = func(op migration.Op) {
		switch op := op.(type) {
		case *migration.DropColumn:
			add("column " + op.Table.String() + "." + op.Column.Name)
		case *migration.Drop:
			switch op.Kind {
			case "table", "schema", "materialized view", "sequence", "type", "extension":
				for _, n := range op.Names {
					add(op.Kind + " " + n.String())
				}
			}
		case *migration.Write:
			switch {
			case op.Verb == "truncate":
				for _, n := range op.Tables {
					add("all rows of " + n.String())
				}
			case op.Verb == "delete":
				add("rows of " + op.Table.String())
			}
		case *migration.Do:
			for _, in := range op.Ops {
				visit(in.Op)
			}
		}
	}
	for _, s := range p.Steps {
		if !says(s.Body(), destroying...) {
			continue
		}
		for _, st := range s.Body().Statements() {
			for _, op := range st.Ops() {
				visit(op)
			}
		}
	}
	return out
}

// catalogs returns the catalog before each step.
func (p *Plan) catalogs() []*schema.Catalog {
	base := p.runner.opts.Baseline
	if base == nil {
		base = schema.New()
	}
	// What is applied now is the schema that the first step finds.
	for _, m := range p.runner.history {
		if p.state.applied(m.Version) {
			base = base.ApplyMigration(m, migration.Up)
		}
	}
	out := make([]*schema.Catalog, len(p.Steps))
	for i, s := range p.Steps {
		out[i] = base
		base = base.ApplyMigration(s.Migration, s.Direction)
	}
	return out
}
