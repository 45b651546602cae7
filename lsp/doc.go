// Package lsp is the language server: it speaks the Language Server Protocol
// on one connection and turns requests into calls of the packages that know
// migrations. It orders, cancels, converts and publishes; it judges nothing.
//
// Order and concurrency. One goroutine reads the connection. Notifications are
// handled on it, one after the other and in the order of the wire, so that an
// edit can never overtake another. A request takes the snapshot of the
// workspace that was current when it was read, then leaves the reader and runs
// on its own: later edits do not change what it sees. Calls from the server to
// the client are made only outside the reader, which must be free to read
// their answers. Diagnostics are computed by one goroutine, newest snapshot
// first, and a published version never goes back.
package lsp
