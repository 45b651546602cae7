package ecto

import (
	"strings"

	"github.com/ddlsp/ddlsp/migration"
)

// A Module says how a new migration is written.
type Module struct {
	// Name is the full name of the module, Use the module that it uses; empty
	// is Ecto.Migration.
	Name, Use string
	// Attributes are set to true, as "disable_ddl_transaction".
	Attributes []string
	// Parentheses stand around the arguments of commands.
	Parentheses bool
}

// Write is the text of a new migration that executes SQL statements (without
// semicolons), formatted as mix format would. A direction without statements
// does nothing.
func Write(m Module, up, down []string) string {
	use := m.Use
	if use == "" {
		use = "Ecto.Migration"
	}
	var b strings.Builder
	b.WriteString("defmodule " + m.Name + " do\n  use " + use + "\n")
	for i, a := range m.Attributes {
		if i == 0 {
			b.WriteString("\n")
		}
		b.WriteString("  @" + a + " true\n")
	}
	direction := func(name string, sql []string) {
		if len(sql) == 0 {
			b.WriteString("\n  def " + name + ", do: :ok\n")
			return
		}
		b.WriteString("\n  def " + name + " do\n")
		for _, s := range sql {
			b.WriteString(executeText(s, "", "    ", m.Parentheses) + "\n")
		}
		b.WriteString("  end\n")
	}
	direction("up", up)
	direction("down", down)
	b.WriteString("end\n")
	return b.String()
}

// Parenthesised reports whether the commands of an Ecto migration stand in
// parentheses.
func Parenthesised(m *migration.Migration) bool {
	e, ok := m.Editor.(*editor)
	return ok && e.parentheses()
}
