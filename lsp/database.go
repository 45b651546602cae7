package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/ddlsp/ddlsp/runner"
	"github.com/ddlsp/ddlsp/runner/worker"
)

// methodPassword asks a client that keeps secrets for a password.
const methodPassword = "ddlsp/password"

func (r *runs) choose(root, database string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.chosen == nil {
		r.chosen = map[string]string{}
	}
	r.chosen[root] = database
}

func (r *runs) choice(root string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.chosen[root]
}

// databaseFor is the name of the database to use: the command's, the one the
// user chose, the client's setting; "" leaves it to the configuration.
func (s *Server) databaseFor(p scope, named string) string {
	if named != "" {
		return named
	}
	if chosen := s.runs.choice(p.Root); chosen != "" {
		return chosen
	}
	return s.settings.get().Database
}

// password asks the client. The answer is never kept nor logged.
func (s *Server) password(ctx context.Context, r worker.PasswordRequest) (string, error) {
	raw, err := protocolJSON(r)
	if err != nil {
		return "", err
	}
	var answer *string
	var got jsonrpc2.RawMessage
	if _, err := s.conn.Call(ctx, methodPassword, raw, &got); err != nil {
		return "", errors.New("the editor gave no password")
	}
	if json.Unmarshal(got, &answer) != nil || answer == nil {
		return "", errors.New("the editor gave no password")
	}
	return *answer, nil
}

func protocolJSON(v any) (jsonrpc2.RawMessage, error) {
	raw, err := json.Marshal(v)
	return jsonrpc2.RawMessage(raw), err
}

type statusArgs struct {
	URI      string `json:"uri"`
	Database string `json:"database"`
}

// status answers what `ddlsp status` prints. It only reads.
func (s *Server) status(ctx context.Context, _ protocol.ProgressToken, a statusArgs) (any, error) {
	p, req, err := s.request(ctx, "status", runArgs{URI: a.URI, Database: a.Database})
	if err != nil {
		return nil, err
	}
	ctx, hangUp := context.WithCancel(ctx)
	defer hangUp()
	defer context.AfterFunc(s.listening, hangUp)()
	raw, err := s.inChild(ctx, req, nil)
	if err == nil && req.Database == s.databaseFor(p, "") {
		s.learn(req.Dir, raw)
	}
	if err == nil && s.bare {
		s.say(protocol.MessageTypeInfo, statusWords(raw))
	}
	return raw, err
}

// statusWords is a status for people: what is not applied, one by one.
func statusWords(raw json.RawMessage) string {
	var r runner.StatusReport
	if err := json.Unmarshal(raw, &r); err != nil {
		return err.Error()
	}
	var b strings.Builder
	applied := 0
	for _, m := range r.Migrations {
		if m.State == "applied" {
			applied++
		}
	}
	fmt.Fprintf(&b, "%s on %s: %d of %d applied", r.Database, r.Host, applied, len(r.Migrations))
	for _, m := range r.Migrations {
		if m.State != "applied" {
			fmt.Fprintf(&b, "\n%s: %s %s", strings.ReplaceAll(m.State, "_", " "), m.Version, m.Name)
		}
	}
	return b.String()
}

type databaseInfo struct {
	Name      string `json:"name"`
	Protected bool   `json:"protected"`
}

type databaseList struct {
	Databases []databaseInfo `json:"databases"`
	Selected  *string        `json:"selected"`
}

// selectDatabase chooses the database that the project's commands use from
// now on; without a name it lists those there are. An empty choice, as
// configured, is null.
func (s *Server) selectDatabase(ctx context.Context, _ protocol.ProgressToken, a statusArgs) (any, error) {
	p, err := s.projectFor(ctx, a.URI)
	if err != nil {
		return nil, err
	}
	out := databaseList{Databases: []databaseInfo{}}
	var names []string
	for name := range p.Settings.Databases {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		out.Databases = append(out.Databases, databaseInfo{name, p.Settings.Databases[name].Protected})
	}
	if a.Database != "" {
		if !slices.Contains(names, a.Database) && a.Database != runner.Embedded {
			if len(names) == 0 {
				return nil, fmt.Errorf("%s configures no databases: the one that the project's own tool uses is taken", p.Root)
			}
			return nil, fmt.Errorf("there is no database %q; there is %s", a.Database, strings.Join(names, ", "))
		}
		s.runs.choose(p.Root, a.Database)
		s.states.forget(p.Files())
		s.spawn("refresh", s.refreshClient)
	}
	if now := s.databaseFor(p, ""); now != "" {
		out.Selected = &now
	} else if p.Settings.DefaultDatabase != "" {
		out.Selected = &p.Settings.DefaultDatabase
	}
	return out, nil
}
