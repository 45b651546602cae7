package workspace

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/ecto"
	"github.com/ddlsp/ddlsp/migration/sqlfile"
	"github.com/ddlsp/ddlsp/schema"
	"github.com/ddlsp/ddlsp/snippets"
)

// Completions are the templates that fit a place of a file, filled in with
// what is known of its project. offset is in bytes. A file that is no
// migration has none.
func (s *Snapshot) Completions(ctx context.Context, path string, offset int) []snippets.Item {
	path = clean(path)
	text, err := s.text(path)
	if err != nil {
		return nil
	}
	c := snippets.Context{Path: path, Text: text, Offset: offset, Format: migration.Plain}
	m, p := s.Migration(ctx, path)
	switch {
	case p != nil && p.Foreign != "":
		return nil
	case m != nil:
		c.Format = m.Format
		c.Project = s.suggestions(ctx, p, m.Name)
		if p.Format != migration.Ecto {
			c.Render = beside(m, path)
		}
	case strings.EqualFold(filepath.Ext(path), ".sql"):
		c.Name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	default:
		// A new file of a directory that nothing else makes a project.
		_, name, ok := ecto.Version(path)
		if !ok || filepath.Base(filepath.Dir(path)) != "migrations" || strings.TrimSpace(text) != "" && !ecto.IsMigration(text, nil) {
			return nil
		}
		c.Format, c.Name = migration.Ecto, name
	}
	return snippets.Completions(c)
}

// beside writes a whole migration into the files that m has or would have.
func beside(m *migration.Migration, path string) func(up, down string, noTransaction bool) ([]snippets.File, error) {
	return func(up, down string, noTransaction bool) ([]snippets.File, error) {
		texts, err := sqlfile.Render(m.Format, "1", up, down, sqlfile.RenderOptions{Name: "n", NoTransaction: noTransaction})
		if err != nil {
			return nil, err
		}
		names := sqlfile.FileNames(m.Format, "1", "n")
		files := []snippets.File{{Path: path, Text: texts[names[0]]}}
		if len(names) == 1 {
			return files, nil
		}
		// The other file of the pair is called as this one is.
		other := strings.TrimSuffix(path, ".up.sql") + ".down.sql"
		if filepath.Base(path) == "up.sql" {
			other = filepath.Join(filepath.Dir(path), "down.sql")
		}
		if text, ok := texts[names[1]]; ok && other != path && len(m.Files) < 2 {
			files = append(files, snippets.File{Path: other, Text: text})
		}
		return files, nil
	}
}

// suggestions are what templates are filled in with in a project, for a
// migration with the name.
func (s *Snapshot) suggestions(ctx context.Context, p *Project, name string) snippets.Project {
	history := p.History(ctx)
	catalog := p.Catalog(len(history))
	out := snippets.Project{Name: name, Has: hasSQL(history), Catalog: catalog, KeyType: keyType(catalog)}
	out.Templates, _ = p.Templates()
	out.Tables, out.Hypertable = newest(history, catalog)
	if p.Format == migration.Ecto {
		out.Module = p.namespace(history) + "." + snippets.Camelize(name)
		out.Use = migrationModule(history)
		if p.Repo != nil {
			out.AdvisoryLock = !p.Repo.Config.TableLock()
			switch key := p.Repo.Config.KeyType(); {
			case out.KeyType != "" || key == "":
			case key == "binary_id":
				out.KeyType = "uuid"
			case key == "id" || key == "bigserial":
				out.KeyType = "bigint"
			default:
				out.KeyType = key
			}
		}
	}
	return out
}

// newest are the tables that a history makes and that are left, the newest
// first, and the newest hypertable.
func newest(history []*migration.Migration, c *schema.Catalog) (tables []string, hypertable string) {
	const enough = 5
	seen := map[string]bool{}
	for i := len(history) - 1; i >= 0 && (len(tables) < enough || hypertable == ""); i-- {
		statements := history[i].Up.Statements()
		for j := len(statements) - 1; j >= 0; j-- {
			for _, op := range statements[j].Ops() {
				made, ok := op.(*migration.CreateTable)
				if !ok || made.Table.Schema != "" || made.Temp || seen[made.Table.Name] {
					continue
				}
				seen[made.Table.Name] = true
				r := c.Table(made.Table)
				switch {
				case r == nil || r.PartitionOf.Name != "":
				case r.Hypertable == nil && len(tables) < enough:
					tables = append(tables, r.Name)
				case r.Hypertable != nil && hypertable == "":
					hypertable = r.Name
				}
			}
		}
	}
	return tables, hypertable
}

// hasSQL looks for SQL in the up direction of a history.
func hasSQL(history []*migration.Migration) func(string) bool {
	return func(want string) bool {
		for _, m := range history {
			for _, st := range m.Up.Statements() {
				text := strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(st.SQL, `"`, "")), " "))
				if strings.Contains(text, "create") && strings.Contains(text, want) {
					return true
				}
			}
		}
		return false
	}
}

// keyType is the type of the keys of the project's tables: that of users where
// there are users, else the one that most tables have; "" without any.
func keyType(c *schema.Catalog) string {
	count := map[string]int{}
	best := ""
	for r := range c.Relations() {
		pk := r.PrimaryKey()
		if pk == nil || len(pk.Columns) != 1 {
			continue
		}
		col := r.Column(pk.Columns[0])
		if col == nil || col.Type.Name == "" || len(col.Type.Args) > 0 {
			continue
		}
		name := col.Type.Name
		if r.Name == "users" {
			return name
		}
		count[name]++
		if count[name] > count[best] || count[name] == count[best] && name < best {
			best = name
		}
	}
	return best
}

// useLine is the line of an Elixir module that makes it a migration.
var useLine = regex.MustCompile(`(?m)^\s*use\s+([A-Z][A-Za-z0-9_.]*Migration)\b`)

// migrationModule is the module that the newest migration uses; "" when it is
// Ecto's own.
func migrationModule(history []*migration.Migration) string {
	for i := len(history) - 1; i >= 0; i-- {
		for _, f := range history[i].Files {
			if m := useLine.FindStringSubmatch(f.Text); m != nil {
				if m[1] == "Ecto.Migration" {
					return ""
				}
				return m[1]
			}
		}
	}
	return ""
}

// namespace is what the modules of the project's migrations begin with.
func (p *Project) namespace(history []*migration.Migration) string {
	for i := len(history) - 1; i >= 0; i-- {
		if before, _, ok := strings.Cut(history[i].Module, ".Migrations."); ok {
			return before + ".Migrations"
		}
	}
	if p.Repo != nil && p.Repo.Name != "" {
		return p.Repo.Name + ".Migrations"
	}
	return "Repo.Migrations"
}
