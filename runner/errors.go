package runner

import (
	"errors"
	"fmt"
)

// An Error is a failure that says whether the database may have been changed.
type Error struct {
	// Refused is set when nothing was sent that could change the database:
	// configuration, environment, a foreign table, an unknown version.
	Refused bool
	Err     error
	// tool is the reason when what was refused only the team's own tool can
	// do.
	tool string
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Exit codes of the commands that use the package.
const (
	ExitFine   = 0
	ExitFailed = 1 // SQL failed, another runner holds the lock
	ExitUsage  = 2 // nothing was sent that could change the database
)

// ExitCode is the exit code that an error of this package calls for.
func ExitCode(err error) int {
	var e *Error
	switch {
	case err == nil:
		return ExitFine
	case errors.As(err, &e) && e.Refused:
		return ExitUsage
	}
	return ExitFailed
}

func refusef(format string, args ...any) error {
	return &Error{Refused: true, Err: fmt.Errorf(format, args...)}
}

func failf(format string, args ...any) error {
	return &Error{Err: fmt.Errorf(format, args...)}
}

// ErrLocked is wrapped by the error of a run that gave up waiting for the
// migration lock.
var ErrLocked = errors.New("another runner holds the migration lock")

// ErrNoDatabase is wrapped by the error of Resolve when no database is named
// anywhere.
var ErrNoDatabase = errors.New("no database is named")

// ErrChanged is wrapped by the error of a run whose plan no longer holds.
var ErrChanged = errors.New("the database or the files changed since the plan was made")
