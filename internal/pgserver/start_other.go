//go:build !unix

package pgserver

import (
	"context"
	"errors"
)

type lease struct{}

func (lease) release() error { return nil }

func start(context.Context, Binaries, Options) (*Server, error) {
	return nil, errors.New("a private PostgreSQL cannot be started on this system: name a database instead")
}
