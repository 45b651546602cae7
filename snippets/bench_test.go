package snippets_test

import (
	"testing"

	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/snippets"
)

// BenchmarkCompletions is one request in an empty Ecto migration.
func BenchmarkCompletions(b *testing.B) {
	c := snippets.Context{Path: "1_create_orders.exs", Format: migration.Ecto, Project: snippets.Project{Name: "create_orders", Module: "Shop.Repo.Migrations.CreateOrders"}}
	for b.Loop() {
		if len(snippets.Completions(c)) == 0 {
			b.Fatal("nothing is offered")
		}
	}
}
