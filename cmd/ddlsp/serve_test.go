package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ddlsp/ddlsp/internal/lsptest"
)

// The test binary is the program itself when it is asked to be.
func init() {
	if os.Getenv("DDLSP_TEST_RUN_MAIN") == "1" {
		main() // and so are the processes that it starts
	}
}

// program is the program as a process of its own.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "DDLSP_TEST_RUN_MAIN=1")
	return cmd
}

type process struct {
	*exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr bytes.Buffer
}

func serve(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{Cmd: program(t, append([]string{"serve"}, args...)...)}
	p.Cmd.Stderr = &p.stderr
	in, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.in, p.out = in, bufio.NewReader(out)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Process.Kill() })
	return p
}

func (p *process) send(t *testing.T, raw string) {
	t.Helper()
	if _, err := io.WriteString(p.in, raw); err != nil {
		t.Fatalf("write: %v; stderr: %s", err, p.stderr.String())
	}
}

func (p *process) receive(t *testing.T) *lsptest.Message {
	t.Helper()
	type read struct {
		m   *lsptest.Message
		err error
	}
	c := make(chan read, 1)
	go func() {
		m, err := lsptest.ReadMessage(p.out)
		c <- read{m, err}
	}()
	select {
	case r := <-c:
		if r.err != nil {
			t.Fatalf("read: %v; stderr: %s", r.err, p.stderr.String())
		}
		return r.m
	case <-time.After(20 * time.Second):
		t.Fatal("no answer")
		return nil
	}
}

// end waits for the process and returns its exit code.
func (p *process) end(t *testing.T) int {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		io.Copy(io.Discard, p.out)
		done <- p.Wait()
	}()
	select {
	case err := <-done:
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return exit.ExitCode()
		}
		if err != nil {
			t.Fatal(err)
		}
		return 0
	case <-time.After(20 * time.Second):
		t.Fatal("the server did not end")
		return -1
	}
}

func frame(body string) string {
	return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
}

func call(id int, method, params string) string {
	return frame(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`, id, method, params))
}

const initialize = `{"processId":null,"rootUri":null,"capabilities":{}}`

// wantError reads an answer and checks its error code.
func (p *process) wantError(t *testing.T, id string, code int) {
	t.Helper()
	m := p.receive(t)
	if string(m.ID) != id || m.Error == nil || m.Error.Code != code {
		t.Errorf("answer %s %+v, want id %s with error %d", m.ID, m.Error, id, code)
	}
}

func TestServeLifecycle(t *testing.T) {
	p := serve(t, "--stdio")
	p.send(t, call(1, "textDocument/hover", `{}`))
	p.wantError(t, "1", -32002)
	p.send(t, frame(`{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{}}`)) // dropped
	p.send(t, call(2, "initialize", initialize))
	m := p.receive(t)
	var res struct {
		ServerInfo struct{ Name, Version string }
	}
	if m.Error != nil || json.Unmarshal(m.Result, &res) != nil || res.ServerInfo.Name != "ddlsp" || res.ServerInfo.Version == "" {
		t.Fatalf("initialize answered %s %v", m.Result, m.Error)
	}
	p.send(t, frame(`{"jsonrpc":"2.0","method":"initialized"}`)) // without parameters
	p.send(t, call(3, "initialize", initialize))
	p.wantError(t, "3", -32600)
	p.send(t, call(4, "no/such/method", `{}`))
	p.wantError(t, "4", -32601)
	p.send(t, frame(`{"jsonrpc":"2.0","id":"five","method":"$/nothing"}`)) // no parameters, a text as id
	p.wantError(t, `"five"`, -32601)
	p.send(t, call(6, "textDocument/hover", `{"textDocument":17}`))
	p.wantError(t, "6", -32602)
	p.send(t, frame(`{"jsonrpc":"2.0","method":"no/such/notification","params":[1]}`))
	p.send(t, frame(`{"jsonrpc":"2.0","method":"textDocument/didChange","params":{"textDocument":{"uri":"file:///not/open.sql","version":3},"contentChanges":[]}}`))
	p.send(t, frame(`{"jsonrpc":"2.0","id":99,"result":null}`)) // an answer to nothing
	p.send(t, call(7, "shutdown", `null`))
	if m := p.receive(t); string(m.ID) != "7" || m.Error != nil || string(m.Result) != "null" {
		t.Errorf("shutdown answered %+v", m)
	}
	p.send(t, call(8, "textDocument/hover", `{}`))
	p.wantError(t, "8", -32600)
	p.send(t, frame(`{"jsonrpc":"2.0","method":"exit"}`))
	if code := p.end(t); code != 0 {
		t.Errorf("exit code %d, want 0; stderr: %s", code, p.stderr.String())
	}
	if p.stderr.Len() > 0 {
		t.Errorf("stderr: %s", p.stderr.String())
	}
}

func TestServeEnds(t *testing.T) {
	huge := strings.Repeat("x", 4<<20)
	tests := []struct {
		name   string
		input  string
		code   int
		stderr string // a part of it; "" wants none
	}{
		{"exit without shutdown", call(1, "initialize", initialize) + frame(`{"jsonrpc":"2.0","method":"exit"}`), 1, ""},
		{"exit at once", frame(`{"jsonrpc":"2.0","method":"exit"}`), 1, ""},
		{"the editor dies", call(1, "initialize", initialize), 1, ""},
		{"the editor dies after shutdown", call(1, "initialize", initialize) + call(2, "shutdown", "null"), 0, ""},
		{"nothing at all", "", 1, ""},
		{"garbage", "this is no protocol\n\n\n", 1, "the connection to the editor broke"},
		{"a header without end", "Content-Length: 10", 1, "the connection to the editor broke"},
		{"a body without end", "Content-Length: 100\r\n\r\n{\"jsonrpc\"", 1, "the connection to the editor broke"},
		{"a length that is none", "Content-Length: ten\r\n\r\n{}", 1, "the connection to the editor broke"},
		{"a length beyond all bounds", "Content-Length: 99999999999\r\n\r\n", 1, "the connection to the editor broke"},
		{"a body that is no JSON", call(1, "initialize", initialize) + frame("{oops"), 1, "the connection to the editor broke"},
		{"a huge document", call(1, "initialize", initialize) +
			frame(`{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"file:///tmp/none/20240101000000_x.sql","languageId":"sql","version":1,"text":"-- `+huge+`"}}}`) +
			call(2, "shutdown", "null") + frame(`{"jsonrpc":"2.0","method":"exit"}`), 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := serve(t)
			go func() {
				io.WriteString(p.in, tt.input) // the server may be gone before all is written
				p.in.Close()
			}()
			if code := p.end(t); code != tt.code {
				t.Errorf("exit code %d, want %d; stderr: %s", code, tt.code, p.stderr.String())
			}
			if got := p.stderr.String(); (tt.stderr == "") != (got == "") || !strings.Contains(got, tt.stderr) {
				t.Errorf("stderr %q, want %q", got, tt.stderr)
			}
		})
	}
}

func TestServeLogsToAFileOnly(t *testing.T) {
	log := filepath.Join(t.TempDir(), "server.log")
	p := serve(t, "--log-file", log)
	p.send(t, call(1, "initialize", initialize))
	p.receive(t)
	p.send(t, frame(`{"jsonrpc":"2.0","method":"textDocument/didClose","params":{"textDocument":{"uri":"file:///not/open.sql"}}}`))
	p.send(t, call(2, "shutdown", "null"))
	p.receive(t)
	p.send(t, frame(`{"jsonrpc":"2.0","method":"exit"}`))
	if code := p.end(t); code != 0 || p.stderr.Len() > 0 {
		t.Errorf("exit code %d, stderr %q", code, p.stderr.String())
	}
	text, err := os.ReadFile(log)
	if err != nil || !strings.Contains(string(text), "not open") {
		t.Errorf("log %q, %v", text, err)
	}
	bad := serve(t, "--log-file", filepath.Join(t.TempDir(), "no", "such", "directory", "log"))
	if code := bad.end(t); code != exitUsage || !strings.Contains(bad.stderr.String(), "the log file cannot be written") {
		t.Errorf("exit code %d, stderr %q", code, bad.stderr.String())
	}
}
