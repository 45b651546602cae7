package templates

import (
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/internal/regex"
)

// names are the ways in which people name migrations. The groups are called
// by the fields that they give.
var names = []*regex.Regexp{
	regex.MustCompile(`^create_(?:hypertable_)?(?P<table>\w+?)(?:_hypertable|_table)?$`),
	regex.MustCompile(`^(?:alter|change|update)_(?P<table>\w+?)(?:_table)?$`),
	regex.MustCompile(`^add_index(?:es)?_(?:on|to)_(?P<table>\w+)$`),
	regex.MustCompile(`^(?:add_index_)?index_(?P<table>[a-z0-9]+s)_on_(?P<column>\w+)$`),
	regex.MustCompile(`^add_triggers?_(?:on|to)_(?P<table>\w+)$`),
	regex.MustCompile(`^add_foreign_keys?_(?:on|to)_(?P<table>\w+)$`),
	regex.MustCompile(`^add_(?P<table>\w+?)_(?:foreign_keys?|triggers?|index(?:es)?)$`),
	regex.MustCompile(`^(?:add|remove|drop)_(?P<column>\w+?)_(?:index_)?(?:to|from|on)_(?P<table>\w+)$`),
}

// Guess reads fields ("table", "column") from the name of a migration, as
// "orders" from "create_orders". What it does not give is missing.
func Guess(name string) map[string]string {
	name = strings.ToLower(name)
	out := map[string]string{}
	for _, re := range names {
		m := re.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		for i, group := range re.SubexpNames() {
			if group != "" && identifier.MatchString(m[i]) && !kinds[m[i]] {
				out[group] = m[i]
			}
		}
		return out
	}
	return out
}

// Likely returns the templates of a list that the name of a migration speaks
// of, the likeliest first: add_index for "add_status_index_to_orders".
func Likely(in []*Template, name string) []*Template {
	name = "_" + strings.ToLower(name) + "_"
	var out []*Template
	add := func(t *Template) {
		if t != nil && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	for _, t := range in { // named after it
		if strings.Contains(name, "_"+t.Name+"_") {
			add(t)
		}
	}
	for _, s := range signs {
		if s.re.MatchString(name) {
			add(Find(in, s.template))
		}
	}
	return out
}

// signs are what in the names of migrations, between underscores, speaks of
// which template; the more special ones come first.
var signs = func() (out []struct {
	re       *regex.Regexp
	template string
}) {
	for _, s := range [][2]string{
		{`^_create_\w+_hypertable_$|^_create_hypertable`, "create_hypertable"},
		{`_(continuous_aggregate|caggs?|rollups?)_|^_create_\w+_(hourly|daily)_`, "continuous_aggregate"},
		{`_(compress|compression|columnstore)_`, "compression_policy"},
		{`_retention_`, "retention_policy"},
		{`_(backfill|fill|populate)_`, "backfill"},
		{`_soft_deletes?_|_add_deleted_at_`, "soft_delete"},
		{`_enums?_`, "enum_type"},
		{`_comments?_on_`, "comments"},
		{`_(foreign_keys?|fkeys?|fk|references?)_`, "add_foreign_key"},
		{`_(checks?|constraints?)_`, "check_constraint"},
		{`_updated_at_`, "updated_at_trigger"},
		{`_triggers?_`, "add_triggers"},
		{`_(unique|uniqueness)_`, "add_unique_index"},
		{`_gin_`, "add_gin_index"},
		{`_(search|full_?text)_index`, "add_search_index"},
		{`_index(es)?_|^_index_`, "add_index"},
		{`^_create_`, "create_table"},
		{`^_(alter|change|update)_`, "alter_table"},
		{`^_add_\w+_id_(to|on)_`, "add_foreign_key"},
		{`^_add_\w+_to_`, "add_column"},
	} {
		out = append(out, struct {
			re       *regex.Regexp
			template string
		}{regex.MustCompile(s[0]), s[1]})
	}
	return out
}()

// kinds are words in names that say what is made, not of which table.
var kinds = map[string]bool{
	"table": true, "hypertable": true, "plain_hypertable": true, "index": true, "unique": true, "composite": true, "partial": true,
	"gin": true, "search": true, "concurrent": true, "foreign_key": true, "trigger": true, "triggers": true, "enum": true, "column": true,
}

var identifier = regex.MustCompile(`^[a-z_][a-z0-9_]*$`)

// IsIdentifier reports whether a name can be written in every text without
// quotes: lower case letters, digits and underscores, at most 63 bytes, and no
// reserved word of SQL.
func IsIdentifier(name string) bool {
	return identifier.MatchString(name) && len(name) <= 63 && !Reserved(name)
}

// Reserved reports whether PostgreSQL takes the word for a table or column
// only in quotes.
func Reserved(name string) bool { return reserved[strings.ToLower(name)] }

var reserved = func() map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(`all analyse analyze and any array as asc asymmetric authorization binary both
		case cast check collate collation column concurrently constraint create cross current_catalog current_date
		current_role current_schema current_time current_timestamp current_user default deferrable desc distinct do
		else end except false fetch for foreign freeze from full grant group having ilike in initially inner
		intersect into is isnull join lateral leading left like limit localtime localtimestamp natural not notnull
		null offset on only or order outer overlaps placing primary references returning right select session_user
		similar some symmetric system_user table tablesample then to trailing true union unique user using variadic
		verbose when where window with`) {
		out[w] = true
	}
	return out
}()
