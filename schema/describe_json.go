package schema

import (
	"slices"

	"github.com/ddlsp/ddlsp/migration"
)

// A Report is a Description in the JSON form of the command line.
type Report struct {
	// Version is the newest migration in it, "" for none.
	Version string         `json:"version"`
	Tables  []ReportTable  `json:"tables"`
	Objects []ReportObject `json:"objects"`
	// Missing is what is not shown; Complete is true when it is empty.
	Missing  []ReportMissing `json:"missing"`
	Complete bool            `json:"complete"`
}

// A ReportTable is a table, a view, a materialized view or a continuous
// aggregate.
type ReportTable struct {
	Schema string `json:"schema"`
	Name   string `json:"name"`
	Kind   Kind   `json:"kind"`
	// Complete is false when there may be more to it than is shown.
	Complete    bool               `json:"complete"`
	CreatedIn   *string            `json:"created_in"`
	Columns     []ReportColumn     `json:"columns"`
	Constraints []ReportConstraint `json:"constraints"`
	Indexes     []ReportIndex      `json:"indexes"`
	PartitionBy string             `json:"partition_by,omitempty"`
	PartitionOf string             `json:"partition_of,omitempty"`
	Hypertable  *ReportHypertable  `json:"hypertable,omitempty"`
	Options     map[string]string  `json:"options,omitempty"`
	RowSecurity bool               `json:"row_security,omitempty"`
	From        []string           `json:"from,omitempty"`
}

// A ReportColumn is a column.
type ReportColumn struct {
	Name      string  `json:"name"`
	Type      string  `json:"type"`
	Nullable  bool    `json:"nullable"`
	Default   *string `json:"default"`
	Identity  string  `json:"identity,omitempty"`
	Generated string  `json:"generated,omitempty"`
	Collation string  `json:"collation,omitempty"`
	CreatedIn *string `json:"created_in"`
}

// A ReportConstraint is a constraint. Name is null where PostgreSQL chose one
// that cannot be told.
type ReportConstraint struct {
	Name       *string                  `json:"name"`
	Kind       migration.ConstraintKind `json:"kind"`
	Columns    []string                 `json:"columns"`
	References *ReportReference         `json:"references,omitempty"`
	Expression string                   `json:"expression,omitempty"`
	Valid      bool                     `json:"valid"`
}

// A ReportReference is what a foreign key points at.
type ReportReference struct {
	Table    string   `json:"table"`
	Columns  []string `json:"columns"`
	OnDelete string   `json:"on_delete,omitempty"`
	OnUpdate string   `json:"on_update,omitempty"`
}

// A ReportIndex is an index that belongs to no constraint.
type ReportIndex struct {
	Name      *string  `json:"name"`
	Unique    bool     `json:"unique"`
	Method    string   `json:"method"`
	Keys      []string `json:"keys"`
	Include   []string `json:"include,omitempty"`
	Where     string   `json:"where,omitempty"`
	CreatedIn *string  `json:"created_in"`
}

// A ReportHypertable is what TimescaleDB knows of a table.
type ReportHypertable struct {
	TimeColumn  string   `json:"time_column"`
	Dimensions  []string `json:"dimensions,omitempty"`
	Columnstore bool     `json:"columnstore"`
	Policies    []string `json:"policies,omitempty"`
}

// A ReportObject is anything else: a type, a function, a trigger, ...
type ReportObject struct {
	Kind      string   `json:"kind"`
	Schema    string   `json:"schema,omitempty"`
	Name      string   `json:"name"`
	Table     string   `json:"table,omitempty"`
	Type      string   `json:"type,omitempty"`
	Values    []string `json:"values,omitempty"`
	Function  string   `json:"function,omitempty"`
	CreatedIn *string  `json:"created_in"`
}

// A ReportMissing is something that is not shown.
type ReportMissing struct {
	What    string  `json:"what"`
	Reason  string  `json:"reason"`
	Path    *string `json:"path"`
	Version *string `json:"version"`
}

func (o *Origin) version() *string {
	if o == nil || o.Migration == nil {
		return nil
	}
	return &o.Migration.Version
}

// Report is the description as data. display turns a path into what is shown.
func (d *Description) Report(display func(string) string) *Report {
	out := &Report{Tables: []ReportTable{}, Objects: []ReportObject{}, Missing: []ReportMissing{}, Complete: len(d.Missing) == 0 && d.Catalog.Taints() == 0}
	if n := len(d.history); n > 0 {
		out.Version = d.history[n-1].Version
	}
	for r := range d.Catalog.Relations() {
		if !r.Temp {
			out.Tables = append(out.Tables, r.report(d.Catalog))
		}
	}
	for o := range d.Catalog.Objects() {
		line := ReportObject{Kind: o.Kind, Schema: o.Schema, Name: o.Name, Type: o.Type, Values: o.Values, CreatedIn: o.Created.version()}
		if !o.Table.zero() {
			line.Table = o.Table.String()
		}
		if !o.Function.zero() {
			line.Function = o.Function.String()
		}
		out.Objects = append(out.Objects, line)
	}
	for _, m := range d.Missing {
		line := ReportMissing{What: m.What, Reason: m.Reason}
		if m.Path != "" {
			path, version := display(m.Path), m.Version
			line.Path, line.Version = &path, &version
		}
		out.Missing = append(out.Missing, line)
	}
	return out
}

func (r *Relation) report(c *Catalog) ReportTable {
	t := ReportTable{
		Schema: r.Schema, Name: r.Name, Kind: r.Kind, Complete: c.Complete(r), CreatedIn: r.Created.version(), PartitionBy: r.PartitionBy, Options: r.Options,
		RowSecurity: r.RowSecurity, Columns: []ReportColumn{}, Constraints: []ReportConstraint{}, Indexes: []ReportIndex{},
	}
	if !r.PartitionOf.zero() {
		t.PartitionOf = r.PartitionOf.String()
	}
	if h := r.Hypertable; h != nil {
		t.Hypertable = &ReportHypertable{TimeColumn: h.TimeColumn, Dimensions: h.Dimensions, Columnstore: h.Columnstore, Policies: r.Policies}
	}
	for _, f := range r.From {
		t.From = append(t.From, f.String())
	}
	for _, col := range r.Columns {
		line := ReportColumn{Name: col.Name, Type: TypeSQL(col.Type), Nullable: !col.NotNull, Identity: col.Identity, Generated: col.Generated, Collation: col.Collation, CreatedIn: col.Created.version()}
		if col.Default != "" {
			line.Default = &col.Default
		}
		t.Columns = append(t.Columns, line)
	}
	for _, con := range r.Constraints {
		line := ReportConstraint{Kind: con.Kind, Columns: append([]string{}, con.Columns...), Expression: con.Expr, Valid: !con.NotValid}
		if !con.Guessed {
			line.Name = &con.Name
		}
		if con.Kind == migration.ForeignKey {
			line.References = &ReportReference{Table: con.Ref.String(), Columns: append([]string{}, con.target(c)...), OnDelete: con.OnDelete, OnUpdate: con.OnUpdate}
		}
		t.Constraints = append(t.Constraints, line)
	}
	for _, i := range r.Indexes {
		if i.Constraint != "" {
			continue
		}
		line := ReportIndex{Unique: i.Unique, Method: i.Method, Include: i.Include, Where: i.Where, CreatedIn: i.Created.version(), Keys: []string{}}
		if !i.Guessed {
			line.Name = &i.Name
		}
		for _, k := range i.Keys {
			key := k.Column
			if key == "" {
				key = "(" + k.Expr + ")"
			}
			if k.Desc {
				key += " desc"
			}
			line.Keys = append(line.Keys, key)
		}
		t.Indexes = append(t.Indexes, line)
	}
	return t
}

// target are the columns that a foreign key points at: those of the primary
// key where it names none.
func (c *Constraint) target(in *Catalog) []string {
	if len(c.RefColumns) > 0 {
		return c.RefColumns
	}
	if r := in.Lookup(c.Ref); r != nil && r.PrimaryKey() != nil {
		return slices.Clone(r.PrimaryKey().Columns)
	}
	return nil
}
