package runner

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// A ServerInfo says what a target's server is.
type ServerInfo struct {
	// Version is PostgreSQL's, "17.2".
	Version string
	// Timescale is the version of the timescaledb extension in the database,
	// "" without it; License is "apache" or "timescale".
	Timescale, License string
	// Replica is set when the server only reads.
	Replica bool
}

// Inspect asks the target's server what it is. It only reads.
func (t *Target) Inspect(ctx context.Context) (*ServerInfo, error) {
	conn, err := t.Connect(ctx)
	if err != nil {
		return nil, err
	}
	defer closeConn(conn)
	var info ServerInfo
	err = readOnly(ctx, conn, func() error {
		const query = `SELECT split_part(current_setting('server_version'), ' ', 1),
			coalesce((SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'), ''),
			coalesce(current_setting('timescaledb.license', true), ''),
			pg_is_in_recovery()`
		return conn.QueryRow(ctx, query, pgx.QueryExecModeSimpleProtocol).Scan(&info.Version, &info.Timescale, &info.License, &info.Replica)
	})
	if err != nil {
		return nil, err
	}
	return &info, nil
}
