package runner

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgpassfile"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"github.com/ddlsp/ddlsp/migration"
)

// A Target is a database to run migrations on. Its exported fields may be
// shown to people: the password is not among them.
type Target struct {
	// Name is the name in the configuration, "" for a target found otherwise.
	Name string
	// User, Host (host:port, or the folder of a unix socket and the port) and
	// Database identify it.
	User, Host, Database string
	// Source says where it was found, for people.
	Source string
	// Protected asks for a typed confirmation. Scratch allows to create and
	// drop databases on its server.
	Protected, Scratch bool
	// LockTimeout limits each wait for a lock inside a whole transactional
	// migration; 0 means as the tool: none.
	LockTimeout time.Duration
	// Password is asked when the server wants a password and none is known;
	// nil when nobody can be asked.
	Password func(ctx context.Context, user, host, port, database string) (string, error)

	config *pgx.ConnConfig
	addr   *address
	format migration.Format
	// first is the statement that every session begins with; "" for none.
	first string
	close func() error
	// spare is a connection that nobody uses; keeps is set when one may be kept
	// from the plan to the run.
	spare *spare
	keeps bool
}

// String names the target for people: user@host:port/database.
func (t *Target) String() string { return t.User + "@" + t.Host + "/" + t.Database }

// Close gives back what the target holds, such as a private server.
func (t *Target) Close() error {
	if t == nil {
		return nil
	}
	if t.spare != nil {
		t.spare.close()
		t.spare = nil
	}
	if t.close == nil {
		return nil
	}
	return t.close()
}

// trust says whose word an address is.
type trust int

const (
	// ownWord: the user gave it, by flag or environment.
	ownWord trust = iota
	// fileWord: it stands in a file of the workspace. A host that comes from
	// there gets no password that the user has not bound to that host.
	fileWord
)

func newTarget(text, source string, who trust, format migration.Format) (*Target, error) {
	a, err := parseAddress(text)
	if err != nil {
		return nil, refusef("the database address from %s is not usable: %w", source, err)
	}
	return a.target(source, who, format)
}

func (a *address) target(source string, who trust, format migration.Format) (*Target, error) {
	switch format {
	case migration.Ecto: // Postgrex uses no TLS unless told to
		if a.params["sslmode"] == "" {
			a.params["sslmode"] = "disable"
		}
	}
	cfg, err := pgx.ParseConfig(a.keywordString())
	if err != nil {
		// The text of the error may hold parts of the address. What can be
		// wrong here is a parameter, a certificate file or a service.
		reason := "a parameter, certificate file or service in it is wrong"
		var perr *pgconn.ParseConfigError
		if errors.As(err, &perr) {
			if inner := errors.Unwrap(perr); inner != nil && a.password == "" && !strings.Contains(inner.Error(), "://") {
				reason = inner.Error()
			}
		}
		return nil, refusef("the database address from %s is not usable: %s", source, reason)
	}
	cfg.Password = a.secret(cfg, who)
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 10 * time.Second
	}
	return finish(cfg, a, source, format)
}

// secret is the password that may be sent to the address.
func (a *address) secret(cfg *pgx.ConnConfig, who trust) string {
	if a.hasPassword {
		return a.password
	}
	if pw := os.Getenv("PGPASSWORD"); pw != "" && (who == ownWord || a.host == "") {
		return pw
	}
	path := os.Getenv("PGPASSFILE")
	if path == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		path = filepath.Join(home, ".pgpass")
	}
	file, err := pgpassfile.ReadPassfile(path)
	if err != nil {
		return ""
	}
	host := cfg.Host
	if strings.HasPrefix(host, "/") {
		host = "localhost"
	}
	return file.FindPassword(host, strconv.Itoa(int(cfg.Port)), cfg.Database, cfg.User)
}

// fromEnvironment is the target that PG* variables and the service file name.
func fromEnvironment(source string, format migration.Format) (*Target, error) {
	cfg, err := pgx.ParseConfig("")
	if err != nil {
		return nil, refusef("the database named by %s is not usable: a PG* variable or the service file is wrong", source)
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 10 * time.Second
	}
	return finish(cfg, &address{params: map[string]string{}, database: cfg.Database}, source, format)
}

func finish(cfg *pgx.ConnConfig, a *address, source string, format migration.Format) (*Target, error) {
	if cfg.Database == "" {
		cfg.Database = cfg.User
	}
	// The session that each tool's own driver asks for.
	switch format {
	case migration.GolangMigrate, migration.Dbmate:
		defaultParam(cfg, "client_encoding", "UTF8")
		defaultParam(cfg, "datestyle", "ISO, MDY")
		defaultParam(cfg, "extra_float_digits", "2")
	case migration.Ecto:
		defaultParam(cfg, "client_encoding", "UTF8")
	}
	// A cancelled statement must leave the connection usable: the lock and the
	// version table are still to be put right.
	cfg.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: 5 * time.Second}
	}
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
	return &Target{
		User: cfg.User, Host: net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port))), Database: cfg.Database,
		Source: source, config: cfg, addr: a, format: format,
	}, nil
}

func defaultParam(cfg *pgx.ConnConfig, key, value string) {
	if _, ok := cfg.RuntimeParams[key]; !ok {
		cfg.RuntimeParams[key] = value
	}
}

// Connect opens a connection to the target. Its errors say what to do and
// never hold the password; all of them are refusals.
func (t *Target) Connect(ctx context.Context) (*pgx.Conn, error) {
	return t.connect(ctx, nil)
}

func (t *Target) connect(ctx context.Context, notice func(*pgconn.Notice)) (*pgx.Conn, error) {
	cfg := t.config.Copy()
	conn, err := t.dial(ctx, cfg, notice)
	if err != nil && cfg.Password == "" && t.Password != nil && wantsPassword(err) {
		pw, perr := t.Password(ctx, cfg.User, cfg.Host, strconv.Itoa(int(cfg.Port)), cfg.Database)
		if perr != nil {
			return nil, refusef("%s wants a password: %w", t, perr)
		}
		cfg.Password, t.config.Password = pw, pw
		conn, err = t.dial(ctx, cfg, notice)
	}
	if err != nil {
		return nil, t.explain(ctx, err)
	}
	return conn, nil
}

// dial connects and begins the session as the project wants it.
func (t *Target) dial(ctx context.Context, cfg *pgx.ConnConfig, notice func(*pgconn.Notice)) (*pgx.Conn, error) {
	if notice != nil {
		cfg.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { notice(n) }
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if t.first != "" {
		if err := conn.PgConn().ExecParams(ctx, t.first, nil, nil, nil, nil).Read().Err; err != nil {
			closeConn(conn)
			return nil, refusef("%s: the statement that after_connect begins every session with failed: %w", t, plainError(err))
		}
	}
	return conn, nil
}

func wantsPassword(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && (pe.Code == "28P01" || pe.Code == "28000")
}

// explain says why the target could not be reached.
func (t *Target) explain(ctx context.Context, err error) error {
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	found := fmt.Sprintf("%s (from %s)", t, t.Source)
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		switch pe.Code {
		case "28P01":
			if t.config.Password == "" {
				return refusef("%s wants a password and none is known: put it into the address or ~/.pgpass", found)
			}
			return refusef("%s refused the password of user %s", found, t.User)
		case "28000":
			return refusef("%s refused the connection: %s", found, pe.Message)
		case "3D000":
			return refusef("%s: the database does not exist; create it first", found)
		case "53300":
			return refusef("%s has no connection left: %s", found, pe.Message)
		case "57P03":
			return refusef("%s is not ready: %s", found, pe.Message)
		}
		return refusef("%s refused the connection: %s (SQLSTATE %s)", found, pe.Message, pe.Code)
	}
	if ctx.Err() != nil {
		return refusef("%s: connecting was cancelled", found)
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return refusef("%s cannot be reached: the host %s is not known", found, t.config.Host)
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return refusef("%s cannot be reached: %v. Is the server running there?", found, op.Err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return refusef("%s cannot be reached: no answer within %v", found, t.config.ConnectTimeout)
	}
	// The rest comes from TLS and authentication; none of it prints a password,
	// but nothing is lost by making sure.
	text := err.Error()
	if pw := t.config.Password; pw != "" {
		text = strings.ReplaceAll(text, pw, "***")
	}
	return refusef("%s cannot be reached: %s", found, text)
}
