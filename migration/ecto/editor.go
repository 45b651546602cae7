package ecto

import (
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"
)

// An editor writes changes of one migration in Ecto's syntax.
type editor struct {
	file *source.File
	tree *syntax.Tree
	mod  *module
}

func (e *editor) Concurrently(m *migration.Migration, s *migration.Statement) ([]source.Edit, error) {
	return nil, migration.ErrNotExpressible
}
func (e *editor) LeaveTransaction(m *migration.Migration, d migration.Direction) ([]source.Edit, error) {
	return nil, migration.ErrNotExpressible
}
func (e *editor) DisableTableLock(m *migration.Migration) ([]source.Edit, error) {
	return nil, migration.ErrNotExpressible
}
func (e *editor) InsertBefore(m *migration.Migration, s *migration.Statement, sql []string) ([]source.Edit, error) {
	return nil, migration.ErrNotExpressible
}
func (e *editor) InsertAfter(m *migration.Migration, s *migration.Statement, sql []string) ([]source.Edit, error) {
	return nil, migration.ErrNotExpressible
}
func (e *editor) SetDown(m *migration.Migration, sql []string) ([]source.Edit, error) {
	return nil, migration.ErrNotExpressible
}
func (e *editor) RaiseInDown(m *migration.Migration, reason string) ([]source.Edit, error) {
	return nil, migration.ErrNotExpressible
}
func (e *editor) Reverse(m *migration.Migration, c *migration.Command, known migration.Known) ([]source.Edit, error) {
	return nil, migration.ErrNotExpressible
}
func (e *editor) AddKeyColumn(m *migration.Migration, s *migration.Statement, key source.Span, column string) ([]source.Edit, error) {
	return nil, migration.ErrNotExpressible
}
