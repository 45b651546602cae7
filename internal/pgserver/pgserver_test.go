package pgserver_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ddlsp/ddlsp/internal/pgserver"
	"github.com/ddlsp/ddlsp/internal/pgserver/pgtest"
)

func TestPrivateServerStartsAndGoes(t *testing.T) {
	ctx := context.Background()
	begin := time.Now()
	s, err := pgserver.Start(ctx, pgserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("PostgreSQL %d after %v", s.Version, time.Since(begin))
	dir := filepath.Dir(s.LogFile())
	for _, url := range []string{s.URL("postgres"), s.TCP("postgres")} {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		var addr *string
		if err := conn.QueryRow(ctx, "SELECT host(inet_server_addr())").Scan(&addr); err != nil {
			t.Fatal(err)
		}
		if tcp := url == s.TCP("postgres"); (addr != nil) != tcp {
			t.Errorf("connected over %v", addr)
		}
		conn.Close(ctx)
	}
	cfg, _ := pgx.ParseConfig(s.TCP("postgres"))
	cfg.Password = "wrong"
	if conn, err := pgx.ConnectConfig(ctx, cfg); err == nil {
		conn.Close(ctx)
		t.Error("a wrong password was accepted over TCP")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", dir, err)
	}
}

func TestSharedServerStopsWithItsLastUser(t *testing.T) {
	ctx := context.Background()
	parent, err := os.MkdirTemp("/tmp", "ddlsp-shared-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(parent)
	os.Chmod(parent, 0o755) // the server's user must get in
	dir := filepath.Join(parent, "pg")
	first, err := pgserver.Start(ctx, pgserver.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	second, err := pgserver.Start(ctx, pgserver.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if first.Port() != second.Port() {
		t.Fatalf("two servers in one folder: %d and %d", first.Port(), second.Port())
	}
	name, err := first.CreateDatabase(ctx, "kept", "")
	if err != nil {
		t.Fatal(err)
	}
	first.Close()
	if conn, err := second.Connect(ctx, name); err != nil {
		t.Fatalf("the server went with its first user: %v", err)
	} else {
		conn.Close(ctx)
	}
	second.Close()
	third, err := pgserver.Start(ctx, pgserver.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if conn, err := third.Connect(ctx, name); err != nil {
		t.Errorf("the database was not kept: %v", err)
	} else {
		conn.Close(ctx)
	}
	third.Close()
	pidfile := filepath.Join(dir, "data", "postmaster.pid")
	for i := 0; ; i++ {
		if _, err := os.Stat(pidfile); os.IsNotExist(err) {
			break
		}
		if i == 500 {
			t.Fatal("the server outlives its last user")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// A process that is killed cannot stop its server; the supervisor does.
func TestServerGoesWithAKilledProcess(t *testing.T) {
	if os.Getenv("DDLSP_HELPER") == "1" {
		s, err := pgserver.Start(context.Background(), pgserver.Options{})
		if err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("\nserver " + filepath.Dir(s.LogFile()) + "\n")
		time.Sleep(time.Minute)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestServerGoesWithAKilledProcess$")
	cmd.Env = append(os.Environ(), "DDLSP_HELPER=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var text string
	buf := make([]byte, 4096)
	for !strings.Contains(text, "server /") || !strings.HasSuffix(text, "\n") {
		n, err := out.Read(buf)
		text += string(buf[:n])
		if err != nil {
			t.Fatalf("the helper ended: %s", text)
		}
	}
	dir := strings.TrimSpace(text[strings.Index(text, "server /")+len("server "):])
	cmd.Process.Kill()
	cmd.Wait()
	for i := 0; ; i++ {
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			return
		}
		if i == 500 {
			t.Fatalf("%s is still there", dir)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestFreshDatabases(t *testing.T) {
	a, b := pgtest.DB(t), pgtest.DB(t)
	a.Exec("CREATE TABLE t (x int)", "INSERT INTO t VALUES (1), (NULL)")
	if rows := a.Rows("SELECT x FROM t ORDER BY x"); len(rows) != 2 || rows[0][0] != "1" || rows[1][0] != "NULL" {
		t.Errorf("rows: %v", rows)
	}
	if rows := b.Rows("SELECT 1 FROM pg_class WHERE relname = 't'"); len(rows) != 0 {
		t.Error("two databases share a table")
	}
}

func TestTimescale(t *testing.T) {
	db := pgtest.Timescale(t)
	db.Exec("CREATE TABLE m (at timestamptz NOT NULL, v int)", "SELECT create_hypertable('m', 'at')")
	if rows := db.Rows("SELECT hypertable_name FROM timescaledb_information.hypertables"); len(rows) != 1 {
		t.Errorf("hypertables: %v", rows)
	}
}
