package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/internal/workspace"
	"github.com/ddlsp/ddlsp/migration"
)

// The commands. The ids are a contract with editor extensions and with users'
// key maps.
const (
	cmdMigrate        = "ddlsp.migrate"
	cmdRollback       = "ddlsp.rollback"
	cmdRedo           = "ddlsp.redo"
	cmdStatus         = "ddlsp.status"
	cmdVerify         = "ddlsp.verify"
	cmdShowSQL        = "ddlsp.showSql"
	cmdNewMigration   = "ddlsp.newMigration"
	cmdExplain        = "ddlsp.explain"
	cmdSelectDatabase = "ddlsp.selectDatabase"
	cmdSchema         = "ddlsp.schema"
	// cmdMigrations lists projects and their migrations without a database.
	cmdMigrations  = "ddlsp.migrations"
	cmdToolCommand = "ddlsp.toolCommand"
	// cmdAddFiles writes the other half of a completed migration.
	cmdAddFiles = "ddlsp.addFiles"
	// cmdApplyFix applies a fix that makes a file, for clients that cannot.
	cmdApplyFix = "ddlsp.applyFix"
)

// A commandFunc runs one command with its one argument, still encoded. What it
// returns is encoded as JSON.
type commandFunc func(s *Server, ctx context.Context, token protocol.ProgressToken, arg json.RawMessage) (any, error)

// commands is filled by init, since the commands refer to it.
var commands map[string]commandFunc

func init() {
	commands = map[string]commandFunc{
		cmdMigrate:        typed((*Server).migrate),
		cmdRollback:       typed((*Server).rollback),
		cmdRedo:           typed((*Server).redo),
		cmdStatus:         typed((*Server).status),
		cmdVerify:         typed((*Server).verify),
		cmdSelectDatabase: typed((*Server).selectDatabase),
		cmdSchema:         typed((*Server).schema),
		cmdNewMigration:   typed((*Server).newMigration),
		cmdExplain:        typed((*Server).explain),
		cmdAddFiles:       typed((*Server).addFiles),
		cmdShowSQL:        typed((*Server).showSQL),
		cmdApplyFix:       typed((*Server).applyFix),
		cmdMigrations:     typed((*Server).migrations),
		cmdToolCommand:    typed((*Server).toolCommand),
	}
}

func commandIDs() []string {
	ids := make([]string, 0, len(commands))
	for id := range commands {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// typed decodes the argument of a command. A member that the command does not
// know is an error: a misspelt "dryRun" must not run anything.
func typed[A any](run func(*Server, context.Context, protocol.ProgressToken, A) (any, error)) commandFunc {
	return func(s *Server, ctx context.Context, token protocol.ProgressToken, raw json.RawMessage) (any, error) {
		var arg A
		if len(raw) > 0 && string(raw) != "null" {
			dec := json.NewDecoder(strings.NewReader(string(raw)))
			dec.DisallowUnknownFields()
			if err := dec.Decode(&arg); err != nil {
				return nil, jsonrpc2.NewError(jsonrpc2.InvalidParams, fmt.Sprintf("the command's argument is not understood: %v", err))
			}
		}
		return run(s, ctx, token, arg)
	}
}

// ExecuteCommand runs one of the server's commands; the result is the JSON that
// the command line prints for the same operation.
func (s *Server) ExecuteCommand(ctx context.Context, p *protocol.ExecuteCommandParams) (protocol.LSPAny, error) {
	run := commands[p.Command]
	if run == nil {
		return nil, jsonrpc2.NewError(jsonrpc2.InvalidParams, fmt.Sprintf("there is no command %q", p.Command))
	}
	if len(p.Arguments) > 1 {
		return nil, jsonrpc2.NewError(jsonrpc2.InvalidParams, fmt.Sprintf("%s takes one object, not %d arguments", p.Command, len(p.Arguments)))
	}
	var arg json.RawMessage
	if len(p.Arguments) == 1 {
		arg = json.RawMessage(p.Arguments[0])
	}
	res, err := run(s, ctx, p.WorkDoneToken, arg)
	if err != nil {
		if s.caps.errorsUnseen && ctx.Err() == nil {
			s.say(protocol.MessageTypeError, err.Error())
		}
		return nil, err
	}
	raw, err := json.Marshal(res)
	return protocol.LSPAny(raw), err
}

// command makes a Command with one argument.
func command(title, id string, arg any) protocol.Command {
	raw, err := json.Marshal(arg)
	if err != nil { // can't happen: the argument types are plain structs
		panic(err)
	}
	return protocol.Command{Title: title, Command: id, Arguments: []protocol.LSPAny{raw}}
}

// parseURI reads a command's uri.
func parseURI(text string) (uri.URI, error) {
	u, err := uri.Parse(text)
	if err != nil {
		return "", jsonrpc2.NewError(jsonrpc2.InvalidParams, fmt.Sprintf("%q is no URI: %v", text, err))
	}
	return u, nil
}

// subject is the file that a command's uri names.
func (s *Server) subject(ctx context.Context, text string) (*file, error) {
	u, err := parseURI(text)
	if err != nil {
		return nil, err
	}
	f, err := s.file(ctx, u)
	switch {
	case err != nil:
		return nil, err
	case f == nil:
		return nil, fmt.Errorf("%s is neither open nor a file of the workspace", text)
	case f.m == nil:
		return nil, fmt.Errorf("%s is no migration that ddlsp can read", f.path)
	}
	return f, nil
}

// A scope is a project with the snapshot that it was found in.
type scope struct {
	*workspace.Project
	snap *workspace.Snapshot
}

// projectFor is the project that a command is for: that of its uri, else the
// only one there is.
func (s *Server) projectFor(ctx context.Context, text string) (scope, error) {
	all, err := s.projects(ctx)
	if text != "" {
		u, err := parseURI(text)
		if err != nil {
			return scope{}, err
		}
		path := s.path(u)
		if snap := worldOf(ctx).of(path); snap != nil {
			if p := snap.ProjectOf(ctx, path); p != nil {
				return scope{p, snap}, foreign(p)
			}
		}
		// The uri may be a file beside the migrations, or a directory.
		var best scope
		for _, p := range all {
			if inside(p.Root, path) && (best.Project == nil || len(p.Root) > len(best.Root)) {
				best = p
			}
		}
		if best.Project != nil {
			return best, foreign(best.Project)
		}
	}
	if err != nil {
		return scope{}, err
	}
	all = slices.DeleteFunc(all, func(p scope) bool { return p.Foreign != "" })
	switch len(all) {
	case 0:
		return scope{}, errors.New("there is no project of migrations in the workspace: open a folder that holds one")
	case 1:
		return all[0], nil
	}
	var names []string
	for _, p := range all {
		names = append(names, p.Root)
	}
	return scope{}, fmt.Errorf("the workspace has several projects (%s): run the command from a file of the one that you mean", strings.Join(names, ", "))
}

func foreign(p *workspace.Project) error {
	if p.Foreign != "" {
		return fmt.Errorf("%s is left alone: %s", p.Root, p.Foreign)
	}
	return nil
}

// projects are those of every root, each once.
func (s *Server) projects(ctx context.Context) ([]scope, error) {
	var out []scope
	var first error
	seen := map[string]bool{}
	for _, v := range worldOf(ctx) {
		list, err := v.snap.Projects(ctx)
		if err != nil && first == nil {
			first = err
		}
		for _, p := range list {
			key := p.Root + "\x00" + strings.Join(p.Dirs, "\x00")
			if !seen[key] {
				seen[key] = true
				out = append(out, scope{p, v.snap})
			}
		}
	}
	return out, first
}

// display is a path as results show it: relative to its root, with slashes.
func (s *Server) display(path string) string {
	if r := s.roots.find(path); r != nil {
		if rel, err := filepath.Rel(r.dir, path); err == nil {
			path = rel
		}
	}
	return filepath.ToSlash(path)
}

type showSQLArgs struct {
	URI       string `json:"uri"`
	Direction string `json:"direction"`
}

// showSQL answers what `ddlsp sql` prints.
func (s *Server) showSQL(ctx context.Context, _ protocol.ProgressToken, a showSQLArgs) (any, error) {
	d := migration.Direction(a.Direction)
	switch d {
	case "":
		d = migration.Up
	case migration.Up, migration.Down:
	default:
		return nil, jsonrpc2.NewError(jsonrpc2.InvalidParams, fmt.Sprintf("direction must be up or down, not %q", a.Direction))
	}
	f, err := s.subject(ctx, a.URI)
	if err != nil {
		return nil, err
	}
	lines := func(path string) *source.Lines {
		if l, err := f.snap.Lines(path); err == nil {
			return l
		}
		return source.NewLines("")
	}
	r := workspace.ReportSQL(f.m, d, f.before(d), lines, s.display)
	if s.bare {
		s.say(protocol.MessageTypeInfo, sqlWords(r))
	}
	return r, nil
}

// sqlWords is a report for people: a script.
func sqlWords(r *workspace.SQLReport) string {
	var b strings.Builder
	fmt.Fprintf(&b, "-- %s %s, %s, transaction: %s\n", r.Version, r.Name, r.Direction, r.Transaction)
	for _, st := range r.Statements {
		for _, l := range st.Locks {
			fmt.Fprintf(&b, "-- locks %s: %s\n", l.Relation, l.Mode)
		}
		if st.Opaque != nil {
			fmt.Fprintf(&b, "-- not readable: %s\n", *st.Opaque)
		}
		b.WriteString(strings.TrimRight(st.SQL, "; \t\r\n") + ";\n")
	}
	if len(r.Statements) == 0 {
		fmt.Fprintf(&b, "-- nothing is sent (%s)\n", r.Origin)
	}
	if r.Error != nil {
		fmt.Fprintf(&b, "-- then it fails: %s\n", r.Error.Message)
	}
	return b.String()
}

type applyFixArgs struct {
	URI  string `json:"uri"`
	Rule string `json:"rule"`
	// Start is the byte that the finding starts at, Fix the place of the fix
	// among the finding's.
	Start int `json:"start"`
	Fix   int `json:"fix"`
}

// applyFix computes a fix anew, writes the files that it makes, and has the
// client apply the rest.
func (s *Server) applyFix(ctx context.Context, _ protocol.ProgressToken, a applyFixArgs) (any, error) {
	f, err := s.subject(ctx, a.URI)
	if err != nil {
		return nil, err
	}
	for _, find := range s.findings(ctx, f.snap, f.path) {
		if find.Rule != a.Rule || find.Span.Start != a.Start || a.Fix < 0 || a.Fix >= len(find.Fixes) {
			continue
		}
		return nil, s.applyEdits(ctx, f.snap, find.Fixes[a.Fix].Title, find.Fixes[a.Fix].Edits)
	}
	return nil, protocol.ErrContentModified
}
