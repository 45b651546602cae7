package rules

import (
	"slices"
	"testing"
)

func TestEctoType(t *testing.T) {
	for text, want := range map[string][]string{
		":string": {"varchar", "255"}, "{:string, size: 40}": {"varchar", "40"}, "{:string, size: 40, null: false}": {"varchar", "40"},
		"{:string, null: false}": {"varchar", "255"}, "{:decimal, precision: 10, scale: 2}": {"numeric", "10", "2"},
		"{:decimal, precision: 10}": {"numeric", "10", "0"}, ":decimal": {"numeric"}, "{:text}": {"text"},
		":my_enum": nil, "{:array, :string}": nil, "references(:users)": nil, "{:string, {:a, :b}}": nil,
	} {
		got, ok := ectoType(text)
		if ok != (want != nil) || ok && !slices.Equal(append([]string{got.Name}, got.Args...), want) {
			t.Errorf("%s: %+v, %v, want %v", text, got, ok, want)
		}
	}
}
