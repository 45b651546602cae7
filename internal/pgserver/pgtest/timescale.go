package pgtest

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"

	"github.com/ddlsp/ddlsp/internal/pgserver"
)

// errNoTimescale is why Timescale skips a test.
var errNoTimescale = errors.New("no TimescaleDB: set DDLSP_TIMESCALE_URL to a server that has it, or DDLSP_TIMESCALE_ROOT to a folder made by .ci/timescale-root (as root)")

var timescale = sync.OnceValues(func() (*pgserver.Server, error) {
	settings := map[string]string{
		"shared_preload_libraries": "timescaledb", "timescaledb.telemetry_level": "off",
		"timescaledb.max_background_workers": "0",
	}
	if url := os.Getenv("DDLSP_TIMESCALE_URL"); url != "" {
		return pgserver.Start(context.Background(), pgserver.Options{URL: url})
	}
	bin, ok := pgserver.FindTimescale(os.Getenv("DDLSP_TIMESCALE_ROOT"))
	if !ok {
		return nil, errNoTimescale
	}
	return pgserver.Start(context.Background(), pgserver.Options{Binaries: bin, Settings: settings})
})

// Timescale makes a fresh database with the timescaledb extension. Where there
// is no TimescaleDB the test is skipped, with the reason.
func Timescale(t testing.TB) *Database {
	t.Helper()
	s, err := timescale()
	if errors.Is(err, errNoTimescale) {
		t.Skip("SKIPPED, NOT TESTED: " + err.Error())
	}
	if err != nil {
		t.Fatalf("TimescaleDB is here but does not start: %v", err)
	}
	d := On(t, s)
	d.Exec("CREATE EXTENSION IF NOT EXISTS timescaledb")
	return d
}
