package workspace

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/joho/godotenv"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/migration"
)

// Migrations of another database look like those of PostgreSQL. Reading them
// as such would report what is not wrong, so they are left alone when their
// driver, their URL or the directory says so.

// otherDatabase says why a project is not PostgreSQL's, "" when nothing says
// so.
func (s *Snapshot) otherDatabase(p *plan) string {
	for _, dir := range p.dirs {
		if name := otherByName(rel(p.root, dir)); name != "" {
			return fmt.Sprintf("its directory is named for %s", name)
		}
	}
	switch p.format {
	case migration.Goose:
		driver, where := s.variable(p, "GOOSE_DRIVER")
		if other(driver) {
			return fmt.Sprintf("GOOSE_DRIVER is %s (%s)", driver, where)
		}
	case migration.Dbmate:
		if value, where := s.variable(p, "DATABASE_URL"); value != "" {
			if u, err := url.Parse(value); err == nil && other(u.Scheme) {
				return fmt.Sprintf("DATABASE_URL is one of %s (%s)", u.Scheme, where)
			}
		}
	case migration.Prisma:
		for _, dir := range p.dirs {
			text, err := s.text(filepath.Join(dir, "migration_lock.toml"))
			if err != nil {
				continue
			}
			if m := prismaProvider.FindStringSubmatch(text); m != nil && other(m[1]) {
				return fmt.Sprintf("migration_lock.toml says provider = %q", m[1])
			}
		}
	}
	return ""
}

var prismaProvider = regex.MustCompile(`(?m)^\s*provider\s*=\s*"([^"]+)"`)

// others are the drivers, schemes and directory names of other databases, and
// what people call them.
var others = map[string]string{
	"mysql": "MySQL", "mariadb": "MariaDB", "sqlite": "SQLite", "sqlite3": "SQLite", "clickhouse": "ClickHouse",
	"mssql": "SQL Server", "sqlserver": "SQL Server", "azuresql": "SQL Server", "tidb": "TiDB", "vertica": "Vertica",
	"ydb": "YDB", "turso": "Turso", "starrocks": "StarRocks", "bigquery": "BigQuery", "spanner": "Spanner",
	"cassandra": "Cassandra", "snowflake": "Snowflake", "duckdb": "DuckDB", "cockroachdb": "CockroachDB", "oracle": "Oracle",
}

func other(driver string) bool {
	_, ok := others[strings.ToLower(driver)]
	return ok
}

func otherByName(dir string) string {
	for _, part := range strings.Split(dir, "/") {
		if name, ok := others[strings.ToLower(part)]; ok {
			return name
		}
	}
	return ""
}

// variable looks a setting of a tool up: in the environment, then in the .env
// files beside the migrations and at the root.
func (s *Snapshot) variable(p *plan, name string) (value, where string) {
	if v, ok := s.opts.Env(name); ok && v != "" {
		return v, "the environment"
	}
	for _, dir := range append([]string{p.root}, p.dirs...) {
		text, err := s.text(filepath.Join(dir, ".env"))
		if err != nil {
			continue
		}
		if env, err := godotenv.Unmarshal(text); err == nil && env[name] != "" {
			return env[name], rel(p.root, filepath.Join(dir, ".env"))
		}
	}
	return "", ""
}
