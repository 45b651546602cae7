package lsp

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
)

// The states of a connection.
const (
	stateNew int32 = iota
	stateRunning
	stateShutdown
)

// supported are the calls that the server answers. Every other call is
// answered MethodNotFound before its parameters are looked at.
var supported = map[string]bool{
	protocol.MethodInitialize:                 true,
	protocol.MethodShutdown:                   true,
	protocol.MethodTextDocumentCompletion:     true,
	protocol.MethodCompletionItemResolve:      true,
	protocol.MethodTextDocumentHover:          true,
	protocol.MethodTextDocumentCodeAction:     true,
	protocol.MethodCodeActionResolve:          true,
	protocol.MethodTextDocumentCodeLens:       true,
	protocol.MethodTextDocumentInlayHint:      true,
	protocol.MethodTextDocumentDocumentSymbol: true,
	protocol.MethodTextDocumentFoldingRange:   true,
	protocol.MethodTextDocumentDefinition:     true,
	protocol.MethodTextDocumentReferences:     true,
	protocol.MethodWorkspaceSymbol:            true,
	protocol.MethodTextDocumentDiagnostic:     true,
	protocol.MethodWorkspaceExecuteCommand:    true,
}

var (
	errNotInitialized = jsonrpc2.NewError(jsonrpc2.ServerNotInitialized, "the server has not been initialized")
	errShutDown       = jsonrpc2.NewError(jsonrpc2.InvalidRequest, "the server has been shut down")
)

// handler is the entry of every message. See the package comment for the
// order it keeps.
func (s *Server) handler() jsonrpc2.Handler {
	next := protocol.ServerHandler(s, nil)
	return func(ctx context.Context, req *jsonrpc2.Request) (any, error) {
		if !req.IsCall() {
			s.notified(ctx, req, next)
			return nil, nil // an error here would close the connection
		}
		switch state := s.state.Load(); {
		case state == stateShutdown:
			return nil, errShutDown
		case state == stateNew && req.Method() != protocol.MethodInitialize:
			return nil, errNotInitialized
		case !supported[req.Method()]:
			if hook := s.opts.debug[req.Method()]; hook != nil {
				return hook(s)
			}
			return nil, fmt.Errorf("%q: %w", req.Method(), jsonrpc2.ErrMethodNotFound)
		case req.Method() == protocol.MethodInitialize || req.Method() == protocol.MethodShutdown:
			// These decide what the next message meets, so they stay in order.
			return s.answer(ctx, req, next)
		}
		// From here on later messages may overtake this one: what it needs of
		// the present is taken first. The id is registered first too, so that a
		// cancel that follows at once finds it.
		id := req.ID()
		call, cancel := context.WithCancel(withWorld(s.life, s.world()))
		s.calls.add(id, cancel)
		defer s.calls.done(id)
		jsonrpc2.Async(ctx)
		return s.answer(call, req, next)
	}
}

// answer runs one call and leads every way it can end to a JSON-RPC answer.
func (s *Server) answer(ctx context.Context, req *jsonrpc2.Request, next jsonrpc2.Handler) (res any, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("panic", "method", req.Method(), "panic", p, "stack", string(debug.Stack()))
			res, err = nil, fmt.Errorf("%s failed inside the server (%v); its log has the details: %w", req.Method(), p, jsonrpc2.ErrInternal)
		}
	}()
	res, err = next(ctx, req)
	switch {
	case err == nil:
		return res, nil
	case errors.Is(err, context.Canceled) || ctx.Err() != nil:
		return nil, protocol.ErrRequestCancelled
	case errors.Is(err, jsonrpc2.ErrParse):
		// The message was JSON; only its parameters are not what they should be.
		return nil, jsonrpc2.NewError(jsonrpc2.InvalidParams, err.Error())
	}
	var coded *jsonrpc2.Error
	if !errors.As(err, &coded) {
		err = jsonrpc2.NewError(codeRequestFailed, err.Error())
	}
	return nil, err
}

// codeRequestFailed is LSP's RequestFailed: the request was right but could
// not be done. Its message is for people.
const codeRequestFailed jsonrpc2.Code = -32803

// notified handles one notification on the reader.
func (s *Server) notified(ctx context.Context, req *jsonrpc2.Request, next jsonrpc2.Handler) {
	method := req.Method()
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("panic", "method", method, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	switch method {
	case protocol.MethodExit:
		s.exit()
		return
	case protocol.MethodCancelRequest:
		s.cancelRequest(req.Params())
		return
	case protocol.MethodInitialized: // some clients send it without parameters
		if s.state.Load() == stateRunning {
			s.initialized()
		}
		return
	}
	if s.state.Load() != stateRunning {
		return // the protocol has them dropped
	}
	if method == methodWorkspaceTrust {
		s.trust(req.Params())
		return
	}
	if _, err := next(ctx, req); err != nil && !errors.Is(err, jsonrpc2.ErrMethodNotFound) {
		s.log.Warn("notification", "method", method, "err", err)
	}
}

// Request receives what is no standard message; only notifications arrive
// here, and those that are unknown are ignored.
func (s *Server) Request(context.Context, string, any) (any, error) {
	return nil, jsonrpc2.ErrMethodNotFound
}

// inflight are the calls being answered, so that they can be cancelled.
type inflight struct {
	mu   sync.Mutex // guards byID
	byID map[jsonrpc2.ID]context.CancelFunc
}

func (f *inflight) add(id jsonrpc2.ID, cancel context.CancelFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byID == nil {
		f.byID = map[jsonrpc2.ID]context.CancelFunc{}
	}
	f.byID[id] = cancel
}

func (f *inflight) done(id jsonrpc2.ID) {
	f.mu.Lock()
	cancel := f.byID[id]
	delete(f.byID, id)
	f.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

func (f *inflight) cancel(id jsonrpc2.ID) {
	f.mu.Lock()
	cancel := f.byID[id]
	f.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

func (s *Server) cancelRequest(raw []byte) {
	var params protocol.CancelParams
	if err := protocol.Unmarshal(raw, &params); err != nil {
		s.log.Warn("notification", "method", protocol.MethodCancelRequest, "err", err)
		return
	}
	switch id := params.ID.(type) {
	case protocol.Integer:
		s.calls.cancel(jsonrpc2.NewNumberID(int64(id)))
	case protocol.String:
		s.calls.cancel(jsonrpc2.NewStringID(string(id)))
	}
}
