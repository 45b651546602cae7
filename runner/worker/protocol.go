// Package worker runs migrations in a child process, so that neither a crash
// nor the end of an editor interrupts one half way. Parent and child speak
// JSON, one value per line: the parent writes a Request, then replies; the
// child writes Messages, of which the last is a result or an error. When the
// child's input ends, because the parent ended, the child cancels the
// statement that runs, finishes its bookkeeping and exits.
package worker

import (
	"encoding/json"

	"github.com/ddlsp/ddlsp/runner"
)

// A Request is what the child is to do. It holds no password: the child finds
// the database by name, file and environment, or asks.
type Request struct {
	// Op is "migrate", "rollback", "redo", "status" or "verify".
	Op string `json:"op"`
	// Dir is the working directory that paths in results are relative to.
	Dir string `json:"dir"`
	// Path is a migration file that selects the project, or empty.
	Path string `json:"path,omitempty"`
	// The project's options, as the global flags of the command line.
	Project    string   `json:"project,omitempty"`
	Repo       string   `json:"repo,omitempty"`
	Config     string   `json:"config,omitempty"`
	Migrations []string `json:"migrations,omitempty"`
	Format     string   `json:"format,omitempty"`
	// Database is the name of a configured database, "" for the default.
	Database string `json:"database,omitempty"`

	// Version is what to verify; "" takes what is pending.
	Version     string `json:"version,omitempty"`
	To          string `json:"to,omitempty"`
	ToExclusive string `json:"to_exclusive,omitempty"`
	Step        int    `json:"step,omitempty"`
	All         bool   `json:"all,omitempty"`
	Prefix      string `json:"prefix,omitempty"`
	DryRun      bool   `json:"dry_run,omitempty"`
	// Plan is the hash of the plan that the user agreed to. Without it nothing
	// is changed.
	Plan string `json:"plan,omitempty"`
	// Confirm is the database's name, typed by the user, for a protected one.
	Confirm string `json:"confirm,omitempty"`
}

// A Message is what the child says. Exactly one of its fields is set.
type Message struct {
	Event    *runner.Event    `json:"event,omitempty"`
	Password *PasswordRequest `json:"password,omitempty"`
	// Result is a runner.Report, for status a runner.StatusReport,
	// for verify a runner.VerifyReport.
	Result json.RawMessage `json:"result,omitempty"`
	Error  *Error          `json:"error,omitempty"`
}

// A PasswordRequest asks for the password of a database.
type PasswordRequest struct {
	User     string `json:"user"`
	Host     string `json:"host"`
	Port     string `json:"port"`
	Database string `json:"database"`
}

// An Error is why a request was not done, or not done to its end.
type Error struct {
	Message string `json:"message"`
	// Exit is the exit code of the command line for it: 2 when nothing was
	// sent that could change the database.
	Exit int `json:"exit"`
	// Result is the runner.Report of a run that failed; null otherwise.
	Result json.RawMessage `json:"result,omitempty"`
}

func (e *Error) Error() string { return e.Message }

// A reply is what the parent says after its request.
type reply struct {
	Cancel   bool    `json:"cancel,omitempty"`
	Password *string `json:"password,omitempty"`
	// Refused answers a password request that nobody could answer.
	Refused bool `json:"refused,omitempty"`
}
