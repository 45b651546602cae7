package lsp

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/ddlsp/ddlsp/runner"
)

type verifyArgs struct {
	URI     string `json:"uri"`
	Version string `json:"version"`
}

// verify answers what `ddlsp verify` prints: what a version, or all that is
// pending, does up, down and up again on a scratch database.
func (s *Server) verify(ctx context.Context, token protocol.ProgressToken, a verifyArgs) (any, error) {
	p, req, err := s.request(ctx, "verify", runArgs{URI: a.URI})
	if err != nil {
		return nil, err
	}
	if err := s.unsaved(p); err != nil {
		return nil, err
	}
	req.Version = a.Version
	ctx, hangUp := context.WithCancel(ctx)
	defer hangUp()
	defer context.AfterFunc(s.listening, hangUp)()
	work, rep, done := s.report(ctx, token, "verifying migrations")
	raw, err := s.inChild(work, req, func(e runner.Event) {
		if e.Kind == "migration" {
			rep.say(strings.TrimSpace(fmt.Sprintf("%d of %d: %s %s", e.Number, e.Of, e.Version, e.Name)), e.Number-1, e.Of)
		}
	})
	if err != nil {
		done("verifying failed")
		return nil, err
	}
	words, kind := verifyWords(raw)
	done(words)
	if s.bare || kind != protocol.MessageTypeInfo {
		s.say(kind, words)
	}
	return raw, nil
}

// verifyWords is a verification for people: what is not in order, one by one.
func verifyWords(raw json.RawMessage) (string, protocol.MessageType) {
	var r runner.VerifyReport
	if err := json.Unmarshal(raw, &r); err != nil {
		return err.Error(), protocol.MessageTypeError
	}
	var b strings.Builder
	ok, kind := 0, protocol.MessageTypeInfo
	for _, l := range r.Migrations {
		if l.Outcome == runner.VerifiedOK {
			ok++
			continue
		}
		if l.Outcome == runner.Failed {
			kind = protocol.MessageTypeWarning
		}
		fmt.Fprintf(&b, "\n%s: %s %s: %s", strings.ReplaceAll(l.Outcome, "_", " "), l.Version, l.Name, l.Summary())
		for i, d := range l.Differences {
			if i == 5 {
				fmt.Fprintf(&b, ", and %d more", len(l.Differences)-i)
				break
			}
			fmt.Fprintf(&b, ", %s %s", d.Kind, d.Object)
		}
	}
	return fmt.Sprintf("verified %d of %d", ok, len(r.Migrations)) + b.String(), kind
}
