package main

import (
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ddlsp/ddlsp/lsp"
)

func newServe(a *app) *cobra.Command {
	var logFile string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the language server on stdin and stdout",
		Long:  "serve is what an editor starts. It speaks the Language Server Protocol on stdin and\nstdout, and ends with the editor.",
		Args:  cobra.NoArgs,
	}
	cmd.Flags().Bool("stdio", true, "accepted and ignored: the server speaks on stdin and stdout anyway")
	cmd.Flags().StringVar(&logFile, "log-file", "", "append the server's log to a file (default: no log)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		opts := lsp.Options{Version: buildVersion()}
		if logFile != "" {
			f, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
			if err != nil {
				return usagef("the log file cannot be written: %w", err)
			}
			defer f.Close()
			opts.Log = slog.New(slog.NewTextHandler(f, &slog.HandlerOptions{Level: slog.LevelDebug}))
		}
		// The server's memory is mostly garbage of the last edits; collecting it
		// twice as often costs little beside what an edit costs.
		if os.Getenv("GOGC") == "" {
			debug.SetGCPercent(50)
		}
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		code, err := lsp.Serve(ctx, stdio{a.in, a.out}, opts)
		if code == exitFine && err == nil {
			return nil
		}
		return &exitError{code, err}
	}
	return cmd
}

// stdio makes one stream of the program's two.
type stdio struct {
	in  io.Reader
	out io.Writer
}

func (s stdio) Read(p []byte) (int, error)  { return s.in.Read(p) }
func (s stdio) Write(p []byte) (int, error) { return s.out.Write(p) }

func (s stdio) Close() error {
	if c, ok := s.in.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// buildVersion is the module's version as Go recorded it in the binary.
func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
