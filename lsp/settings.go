package lsp

import (
	"context"
	"encoding/json"
	"sync"

	"go.lsp.dev/protocol"
)

// clientSettings are the settings under "ddlsp". An absent value means its
// default.
type clientSettings struct {
	Lint     lintSettings  `json:"lint"`
	Inlay    inlaySettings `json:"inlayHints"`
	CodeLens lensSettings  `json:"codeLens"`
	// Database is the name of a database of the configuration file.
	Database string `json:"database"`
}

type lintSettings struct {
	Enabled *bool `json:"enabled"`
}

func (l lintSettings) enabled() bool { return l.Enabled == nil || *l.Enabled }

type inlaySettings struct {
	Locks *bool `json:"locks"`
}

func (i inlaySettings) locks() bool { return i.Locks == nil || *i.Locks }

type lensSettings struct {
	Enabled *bool `json:"enabled"`
}

func (l lensSettings) enabled() bool { return l.Enabled == nil || *l.Enabled }

// settingsBox holds the current settings. Safe for concurrent use.
type settingsBox struct {
	mu  sync.Mutex // guards now
	now clientSettings
}

func (b *settingsBox) get() clientSettings {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

// set takes settings as a client sends them: the section itself, or an object
// with the section in it. It reports whether it understood them; what it does
// not understand changes nothing.
func (b *settingsBox) set(raw []byte) bool {
	var outer struct {
		Section json.RawMessage `json:"ddlsp"`
	}
	if json.Unmarshal(raw, &outer) == nil && len(outer.Section) > 0 {
		raw = outer.Section
	}
	var next clientSettings
	if len(raw) == 0 || string(raw) == "null" || json.Unmarshal(raw, &next) != nil {
		return false
	}
	b.mu.Lock()
	b.now = next
	b.mu.Unlock()
	return true
}

// DidChangeConfiguration takes the settings that came with it, or asks for
// them where the client only says that they changed.
func (s *Server) DidChangeConfiguration(_ context.Context, p *protocol.DidChangeConfigurationParams) error {
	if s.caps.configuration {
		s.spawn("configuration", s.pullSettings)
		return nil
	}
	if s.settings.set(p.Settings) {
		s.settingsChanged()
	}
	return nil
}

// pullSettings asks the client for its settings.
func (s *Server) pullSettings(ctx context.Context) {
	section := "ddlsp"
	got, err := s.client.Configuration(ctx, &protocol.ConfigurationParams{Items: []protocol.ConfigurationItem{{Section: &section}}})
	if err != nil || len(got) == 0 {
		if ctx.Err() == nil && err != nil {
			s.log.Warn("workspace/configuration", "err", err)
		}
		return
	}
	if s.settings.set(got[0]) {
		s.settingsChanged()
	}
}

// settingsChanged brings everything that depends on the settings up to date.
func (s *Server) settingsChanged() {
	s.pub.refresh()
	s.spawn("refresh", s.refreshClient)
}

// refreshClient asks the client to ask again for what it shows.
func (s *Server) refreshClient(ctx context.Context) {
	type refresh struct {
		wanted bool
		ask    func(context.Context) error
	}
	for _, r := range []refresh{
		{s.caps.codeLensRefresh, s.client.CodeLensRefresh},
		{s.caps.inlayRefresh, s.client.InlayHintRefresh},
		{s.caps.diagRefresh && s.pull, s.client.DiagnosticRefresh},
	} {
		if r.wanted {
			if err := r.ask(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("refresh", "err", err)
			}
		}
	}
}
