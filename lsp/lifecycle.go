package lsp

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/ddlsp/ddlsp/internal/workspace"
)

// methodWorkspaceTrust tells the server that the user began, or ceased, to
// trust the workspace.
const methodWorkspaceTrust = "ddlsp/workspaceTrust"

// initOptions are the initializationOptions.
type initOptions struct {
	WorkspaceTrusted *bool           `json:"workspaceTrusted"`
	Diagnostics      string          `json:"diagnostics"` // "push" (default) or "pull"
	Settings         json.RawMessage `json:"settings"`
	// Password is set by clients that answer ddlsp/password.
	Password bool `json:"password"`
}

func (s *Server) Initialize(_ context.Context, p *protocol.InitializeParams) (*protocol.InitializeResult, error) {
	if s.state.Load() != stateNew {
		return nil, jsonrpc2.NewError(jsonrpc2.InvalidRequest, "the server has been initialized already")
	}
	s.caps = readCaps(p.Capabilities)
	s.caps.errorsUnseen = p.ClientInfo.Name == "helix"
	s.caps.editsLate = s.caps.errorsUnseen || p.ClientInfo.Name == "Eglot"
	encoding, kind := negotiate(p.Capabilities.General)
	s.encoding = encoding

	var opts initOptions
	if len(p.InitializationOptions) > 0 {
		if err := json.Unmarshal(p.InitializationOptions, &opts); err != nil {
			s.log.Warn("initializationOptions are not understood", "err", err)
		}
	}
	s.bare = len(bytes.Trim(p.InitializationOptions, "{} \t\r\n")) == 0 || string(p.InitializationOptions) == "null"
	s.trusted.Store(opts.WorkspaceTrusted == nil || *opts.WorkspaceTrusted)
	s.pull = opts.Diagnostics == "pull"
	s.caps.password = opts.Password
	s.settings.set(opts.Settings)

	folders, _ := p.WorkspaceFolders.Get()
	for _, f := range folders {
		s.addFolder(f.URI)
	}
	if len(folders) == 0 {
		s.addOldRoot(p)
	}
	s.state.Store(stateRunning)

	caps := protocol.ServerCapabilities{
		PositionEncoding: kind,
		TextDocumentSync: &protocol.TextDocumentSyncOptions{
			OpenClose: ptr(true),
			Change:    ptr(protocol.TextDocumentSyncKindIncremental),
			Save:      protocol.Boolean(true),
		},
		CompletionProvider: &protocol.CompletionOptions{
			ResolveProvider: ptr(true), TriggerCharacters: []string{":", "."},
		},
		HoverProvider: protocol.Boolean(true),
		CodeActionProvider: &protocol.CodeActionOptions{
			CodeActionKinds: []protocol.CodeActionKind{protocol.CodeActionKindQuickFix, kindFixAll, kindRun},
			ResolveProvider: ptr(true),
		},
		CodeLensProvider:       &protocol.CodeLensOptions{},
		InlayHintProvider:      protocol.Boolean(true),
		DocumentSymbolProvider: protocol.Boolean(true),
		FoldingRangeProvider:   protocol.Boolean(true),
		DefinitionProvider:     protocol.Boolean(true),
		ReferencesProvider:     protocol.Boolean(true),
		ExecuteCommandProvider: protocol.ExecuteCommandOptions{
			WorkDoneProgressOptions: protocol.WorkDoneProgressOptions{WorkDoneProgress: ptr(true)},
			Commands:                commandIDs(),
		},
		WorkspaceSymbolProvider: protocol.Boolean(true),
		Workspace: &protocol.WorkspaceOptions{
			WorkspaceFolders: &protocol.WorkspaceFoldersServerCapabilities{
				Supported:           ptr(true),
				ChangeNotifications: protocol.Boolean(true),
			},
		},
	}
	if s.pull {
		caps.DiagnosticProvider = &protocol.DiagnosticOptions{Identifier: ptr(sourceLint), InterFileDependencies: true}
	}
	res := &protocol.InitializeResult{Capabilities: caps, ServerInfo: protocol.ServerInfo{Name: "ddlsp"}}
	if s.opts.Version != "" {
		res.ServerInfo.Version = protocol.NewOptional(s.opts.Version)
	}
	return res, nil
}

// initialized is when the server may begin to ask the client for things.
func (s *Server) initialized() {
	s.spawn("warm up", s.warmUp)
	s.spawn("initialized", func(ctx context.Context) {
		s.register(ctx)
		if s.caps.configuration {
			s.pullSettings(ctx)
		}
	})
	if !s.caps.watchFiles {
		s.spawn("poll", s.poll)
	}
}

// warmUp does what the first document would wait for otherwise: looks for the
// projects, and has the parser and the rules loaded by reading a statement.
func (s *Server) warmUp(ctx context.Context) {
	path := filepath.Join(untitledDir, "warm-up.sql")
	session := workspace.NewSession(workspace.Options{Dir: untitledDir})
	session.Open(path, 1, `CREATE TABLE warm_up (id bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), n int REFERENCES other (id));
CREATE INDEX warm_up ON other (lower(a)) WHERE b;
ALTER TABLE other ADD COLUMN c text NOT NULL DEFAULT 'x', ADD CONSTRAINT d CHECK (n > 0);
SELECT create_hypertable('warm_up', 'at');
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT 1$$;
UPDATE other SET c = 'y';
`)
	session.Snapshot().Findings(ctx, path)
	for _, r := range s.roots.all() {
		if _, err := r.session.Snapshot().Projects(ctx); err != nil {
			s.log.Debug("projects", "dir", r.dir, "err", err)
		}
	}
}

func (s *Server) register(ctx context.Context) {
	var regs []protocol.Registration
	if s.caps.watchFiles {
		var watchers []protocol.FileSystemWatcher
		for _, glob := range watched {
			watchers = append(watchers, protocol.FileSystemWatcher{GlobPattern: protocol.Pattern(glob)})
		}
		raw, err := protocol.Marshal(&protocol.DidChangeWatchedFilesRegistrationOptions{Watchers: watchers})
		if err == nil {
			regs = append(regs, protocol.Registration{ID: "ddlsp-files", Method: protocol.MethodWorkspaceDidChangeWatchedFiles, RegisterOptions: raw})
		}
	}
	if s.caps.configurationReg {
		regs = append(regs, protocol.Registration{ID: "ddlsp-configuration", Method: protocol.MethodWorkspaceDidChangeConfiguration, RegisterOptions: []byte(`{"section":"ddlsp"}`)})
	}
	if len(regs) == 0 {
		return
	}
	if err := s.client.RegisterCapability(ctx, &protocol.RegistrationParams{Registrations: regs}); err != nil && ctx.Err() == nil {
		s.log.Warn("client/registerCapability", "err", err)
		if s.caps.watchFiles { // it said it could; then the server looks for itself
			s.poll(ctx)
		}
	}
}

func (s *Server) Shutdown(context.Context) error {
	s.state.Store(stateShutdown)
	return nil
}

func (s *Server) trust(raw []byte) {
	var p struct {
		Trusted bool `json:"trusted"`
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		s.log.Warn("notification", "method", methodWorkspaceTrust, "err", err)
		return
	}
	s.trusted.Store(p.Trusted)
	s.spawn("refresh", s.refreshClient)
}

// addOldRoot takes the one folder of a client that knows no workspace folders.
func (s *Server) addOldRoot(p *protocol.InitializeParams) {
	//lint:ignore SA1019 such a client sends nothing else
	root, path := p.RootURI, p.RootPath
	if root != nil {
		s.addFolder(*root)
	} else if dir, ok := path.Get(); ok && filepath.IsAbs(dir) {
		s.roots.add(filepath.Clean(dir), false)
	}
}

// addFolder makes a root of a folder of the file system; the server can read
// no other.
func (s *Server) addFolder(u uri.URI) {
	if u.Scheme() != "file" {
		return
	}
	s.roots.add(filepath.Clean(u.FsPath()), false)
}

func (s *Server) DidChangeWorkspaceFolders(_ context.Context, p *protocol.DidChangeWorkspaceFoldersParams) error {
	for _, f := range p.Event.Removed {
		if f.URI.Scheme() == "file" {
			s.roots.remove(filepath.Clean(f.URI.FsPath()))
		}
	}
	for _, f := range p.Event.Added {
		s.addFolder(f.URI)
	}
	// Open documents follow their folders.
	for _, doc := range s.docs.all() {
		r := s.roots.of(doc.path)
		if r == doc.root {
			continue
		}
		if buf, ok := doc.root.session.Snapshot().Buffer(doc.path); ok {
			r.session.Open(doc.path, buf.Version, buf.Lines.Text())
		}
		doc.root.session.Close(doc.path)
		doc.root = r
	}
	s.pub.refresh()
	return nil
}

func (s *Server) SetTrace(context.Context, *protocol.SetTraceParams) error { return nil }
