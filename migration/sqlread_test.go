package migration

import (
	"fmt"
	"reflect"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/ddlsp/ddlsp/internal/source"
)

// describe writes an operation so that a wrong field or a span that points at
// the wrong text is seen: every non-zero field, spans as the text they hold.
func describe(sql string, v reflect.Value) string {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return "nil"
		}
		return describe(sql, v.Elem())
	case reflect.Struct:
		if s, ok := v.Interface().(source.Span); ok {
			return "`" + s.Of(sql) + "`"
		}
		var parts []string
		for i := 0; i < v.NumField(); i++ {
			if v.Field(i).IsZero() {
				continue
			}
			parts = append(parts, v.Type().Field(i).Name+"="+describe(sql, v.Field(i)))
		}
		return v.Type().Name() + "{" + strings.Join(parts, " ") + "}"
	case reflect.Slice:
		var parts []string
		for i := 0; i < v.Len(); i++ {
			parts = append(parts, describe(sql, v.Index(i)))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	default:
		return fmt.Sprint(v.Interface())
	}
}

func TestReadSQL(t *testing.T) {
	tests := []struct{ sql, want string }{
		{`CREATE TABLE IF NOT EXISTS s."T" (id bigserial PRIMARY KEY, b varchar(10)[] DEFAULT 'x' NOT NULL, c int REFERENCES u (x) ON DELETE CASCADE, CONSTRAINT k UNIQUE (id, b) INCLUDE (c))`,
			"CreateTable{Table=Name{Schema=s Name=T Span=`s.\"T\"`} IfNotExists=true Columns=[" +
				"Column{Ident=Ident{Name=id Span=`id`} Type=Type{Name=bigint Serial=bigserial Span=`bigserial`} NotNull=true Constraints=[Constraint{Kind=primary key Columns=[Ident{Name=id Span=`id`}] Span=`PRIMARY KEY`}] Def=`id bigserial PRIMARY KEY`}, " +
				"Column{Ident=Ident{Name=b Span=`b`} Type=Type{Name=varchar Args=[10] Array=true Span=`varchar(10)[]`} NotNull=true Default=Expr{SQL='x' Span=`'x'` Constant=true} Def=`b varchar(10)[] DEFAULT 'x' NOT NULL`}, " +
				"Column{Ident=Ident{Name=c Span=`c`} Type=Type{Name=integer Span=`int`} Constraints=[Constraint{Kind=foreign key Columns=[Ident{Name=c Span=`c`}] Ref=Name{Name=u Span=`u`} RefColumns=[Ident{Name=x Span=`x`}] OnDelete=cascade Span=`REFERENCES u (x) ON DELETE CASCADE`}] Def=`c int REFERENCES u (x) ON DELETE CASCADE`}] " +
				"Constraints=[Constraint{Kind=unique Name=k Columns=[Ident{Name=id Span=`id`}, Ident{Name=b Span=`b`}] Include=[Ident{Name=c Span=`c`}] Span=`CONSTRAINT k UNIQUE (id, b) INCLUDE (c)`}]}"},
		{`CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY s.t USING gin (a DESC NULLS LAST, lower(b) text_ops) INCLUDE (c) WITH (fillfactor = 70) WHERE a > 0`,
			"CreateIndex{Index=Name{Name=i Span=`i`} Table=Name{Schema=s Name=t Span=`s.t`} Unique=true Concurrently=true IfNotExists=true Only=true Method=gin " +
				"Keys=[IndexKey{Column=Ident{Name=a Span=`a`} Desc=true Nulls=last Span=`a DESC NULLS LAST`}, IndexKey{Expr=Expr{SQL=lower(b) text_ops Span=`lower(b) text_ops` Functions=[lower]} OpClass=text_ops Span=`lower(b) text_ops`}] " +
				"Include=[Ident{Name=c Span=`c`}] Where=Expr{SQL=a > 0 Span=`a > 0`} Options=[RelOption{Name=fillfactor Value=70 Span=`fillfactor = 70`}] Keyword=`INDEX` KeySpan=`a DESC NULLS LAST, lower(b) text_ops`}"},
		{`ALTER TABLE t ADD COLUMN a int DEFAULT now() NOT NULL, DROP COLUMN IF EXISTS b CASCADE, ALTER c TYPE text USING c::text`,
			"AddColumn{Table=Name{Name=t Span=`t`} Column=Column{Ident=Ident{Name=a Span=`a`} Type=Type{Name=integer Span=`int`} NotNull=true Default=Expr{SQL=now() Span=`now()` Functions=[now]} Def=`a int DEFAULT now() NOT NULL`}} " +
				"DropColumn{Table=Name{Name=t Span=`t`} Column=Ident{Name=b Span=`b`} IfExists=true Cascade=true} " +
				"AlterColumnType{Table=Name{Name=t Span=`t`} Column=Ident{Name=c Span=`c`} Type=Type{Name=text Span=`text`} Using=Expr{SQL=c::text Span=`c::text`}}"},
		{`ALTER TABLE t ALTER a SET NOT NULL, ALTER b DROP DEFAULT, ALTER d SET DEFAULT 5, VALIDATE CONSTRAINT k, SET (fillfactor = 50), ENABLE TRIGGER x`,
			"SetNotNull{Table=Name{Name=t Span=`t`} Column=Ident{Name=a Span=`a`}} SetDefault{Table=Name{Name=t Span=`t`} Column=Ident{Name=b Span=`b`}} " +
				"SetDefault{Table=Name{Name=t Span=`t`} Column=Ident{Name=d Span=`d`} Default=Expr{SQL=5 Span=`5` Constant=true}} ValidateConstraint{Table=Name{Name=t Span=`t`} Constraint=Ident{Name=k Span=`k`}} " +
				"SetTableOptions{Table=Name{Name=t Span=`t`} Options=[RelOption{Name=fillfactor Value=50 Span=`fillfactor = 50`}]} AlterTable{Table=Name{Name=t Span=`t`} What=enable trigger Target=x}"},
		{`ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a, b) REFERENCES s.u (x, y) ON DELETE SET NULL NOT VALID`,
			"AddConstraint{Table=Name{Name=t Span=`t`} Constraint=Constraint{Kind=foreign key Name=f Columns=[Ident{Name=a Span=`a`}, Ident{Name=b Span=`b`}] Ref=Name{Schema=s Name=u Span=`s.u`} RefColumns=[Ident{Name=x Span=`x`}, Ident{Name=y Span=`y`}] OnDelete=set null NotValid=true Span=`CONSTRAINT f FOREIGN KEY (a, b) REFERENCES s.u (x, y) ON DELETE SET NULL NOT VALID`}}"},
		{`DROP INDEX CONCURRENTLY IF EXISTS a, s.b CASCADE`,
			"DropIndex{Indexes=[Name{Name=a Span=`a`}, Name{Schema=s Name=b Span=`s.b`}] Concurrently=true IfExists=true Cascade=true Keyword=`INDEX`}"},
		{`DROP TABLE a, s.t CASCADE`, "Drop{Kind=table Names=[Name{Name=a Span=`a`}, Name{Schema=s Name=t Span=`s.t`}] Cascade=true}"},
		{`DROP TRIGGER IF EXISTS x ON s.t`, "Drop{Kind=trigger Names=[Name{Name=x Span=`x`}] IfExists=true Table=Name{Schema=s Name=t Span=`s.t`}}"},
		{`DROP FUNCTION f(int), g`, "Drop{Kind=function Names=[Name{Name=f Span=`f`}, Name{Name=g Span=`g`}]}"},
		{`DROP MATERIALIZED VIEW mv`, "Drop{Kind=materialized view Names=[Name{Name=mv Span=`mv`}]}"},
		{`ALTER TABLE a RENAME TO b`, "Rename{Kind=table Object=Name{Name=a Span=`a`} From=a To=b}"},
		{`ALTER TABLE a RENAME x TO y`, "Rename{Kind=column Object=Name{Name=a Span=`a`} From=x To=y}"},
		{`ALTER DOMAIN s.d ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID`, "AlterDomain{Domain=Name{Schema=s Name=d Span=`s.d`} What=add constraint Constraint=Constraint{Kind=check Name=c NotValid=true Expr=Expr{SQL=VALUE > 0 Span=`VALUE > 0`} Span=`CONSTRAINT c CHECK (VALUE > 0) NOT VALID`}}"},
		{`CREATE TRIGGER g BEFORE UPDATE OF a ON t FOR EACH ROW WHEN (new.b > 1 AND old.* IS DISTINCT FROM new.*) EXECUTE FUNCTION f()`,
			"CreateTrigger{Trigger=Ident{Name=g Span=`g`} Table=Name{Name=t Span=`t`} Function=Name{Name=f Span=`f`} Row=true Uses=[a, b]}"},
		{`ALTER DOMAIN d SET NOT NULL`, "AlterDomain{Domain=Name{Name=d Span=`d`} What=set not null}"},
		{`INSERT INTO t (a, b[1], c) VALUES (1, 2, 3) ON CONFLICT (a) DO UPDATE SET c = 1, d.x = 2`, "Write{Verb=insert Table=Name{Name=t Span=`t`} Columns=[Ident{Name=a Span=`a`}, Ident{Name=c Span=`c`}] Sets=[Ident{Name=c Span=`c`}]}"},
		{`UPDATE t SET a = 1, b = 2`, "Write{Verb=update Table=Name{Name=t Span=`t`} Columns=[Ident{Name=a Span=`a`}, Ident{Name=b Span=`b`}]}"},
		{`CREATE VIEW v AS SELECT o.a, u.*, b FROM orders o JOIN users u ON u.id = o.user_id`, "CreateView{View=Name{Name=v Span=`v`} From=[Name{Name=orders Span=`orders`}, Name{Name=users Span=`users`}] Uses=[" +
			"ColumnUse{Relation=Name{Name=orders Span=`orders`} Column=a}, ColumnUse{Relation=Name{Name=users Span=`users`}}, ColumnUse{Column=b}, ColumnUse{Relation=Name{Name=users Span=`users`} Column=id}, ColumnUse{Relation=Name{Name=orders Span=`orders`} Column=user_id}]}"},
		{`CREATE VIEW v AS WITH c AS (SELECT a FROM t) SELECT b FROM c`, "CreateView{View=Name{Name=v Span=`v`} From=[Name{Name=t Span=`t`}] Uses=[ColumnUse{Column=b}, ColumnUse{Column=a}]}"},
		{`CREATE INDEX i ON t (a COLLATE "C")`, "CreateIndex{Index=Name{Name=i Span=`i`} Table=Name{Name=t Span=`t`} Method=btree Keys=[IndexKey{Column=Ident{Name=a Span=`a`} Collation=C Span=`a COLLATE \"C\"`}] Keyword=`INDEX` KeySpan=`a COLLATE \"C\"`}"},
		{`ALTER TYPE mood ADD VALUE IF NOT EXISTS 'ok' AFTER 'sad'`, "AlterEnum{Type=Name{Name=mood Span=`mood`} Value=ok IfNotExists=true After=sad}"},
		{`CREATE MATERIALIZED VIEW h WITH (timescaledb.continuous) AS SELECT time_bucket('1 h', time) b, avg(v) FROM m GROUP BY b WITH NO DATA`,
			"CreateView{View=Name{Name=h Span=`h`} Materialized=true NoData=true Continuous=true Options=[RelOption{Namespace=timescaledb Name=continuous Span=`timescaledb.continuous`}] From=[Name{Name=m Span=`m`}] " +
				"Uses=[ColumnUse{Relation=Name{Name=m Span=`m`} Column=time}, ColumnUse{Relation=Name{Name=m Span=`m`} Column=v}, ColumnUse{Relation=Name{Name=m Span=`m`} Column=b}] GroupBy=true Shape=QueryShape{Buckets=1 Bucketed=true Aliases=[GroupAlias{Ident=Ident{Name=b Span=`b`} Column=1 Bucket=true}]}}"},
		{`SELECT public.create_hypertable('s."M"'::regclass, by_range('time', INTERVAL '1 day'), create_default_indexes := false)`,
			"CreateHypertable{Table=Name{Schema=s Name=M Span=`'s.\"M\"'::regclass`} TimeColumn=time Flag=`create_default_indexes := false` ChunkInterval=INTERVAL '1 day' Span=`public.create_hypertable('s.\"M\"'::regclass, by_range('time', INTERVAL '1 day'), create_default_indexes := false)` Call=Call{Function=Name{Schema=public Name=create_hypertable Span=`public.create_hypertable`} Args=[Arg{Value='s.\"M\"'::regclass Literal=s.\"M\" Span=`'s.\"M\"'::regclass`}, Arg{Value=by_range('time', INTERVAL '1 day') Call=Call{Function=Name{Name=by_range Span=`by_range`} Args=[Arg{Value='time' Literal=time Span=`'time'`}, Arg{Value=INTERVAL '1 day' Literal=1 day Span=`INTERVAL '1 day'`}] Span=`by_range('time', INTERVAL '1 day')`} Span=`by_range('time', INTERVAL '1 day')`}, Arg{Name=create_default_indexes Value=false Literal=false Span=`create_default_indexes := false`}] Span=`public.create_hypertable('s.\"M\"'::regclass, by_range('time', INTERVAL '1 day'), create_default_indexes := false)`}}"},
		{`SELECT create_hypertable('m', 'time', 'dev', 4, migrate_data => TRUE)`,
			"CreateHypertable{Table=Name{Name=m Span=`'m'`} TimeColumn=time Partition=[dev] DefaultIndexes=true MigrateData=true Span=`create_hypertable('m', 'time', 'dev', 4, migrate_data => TRUE)` Call=Call{Function=Name{Name=create_hypertable Span=`create_hypertable`} Args=[Arg{Value='m' Literal=m Span=`'m'`}, Arg{Value='time' Literal=time Span=`'time'`}, Arg{Value='dev' Literal=dev Span=`'dev'`}, Arg{Value=4 Literal=4 Span=`4`}, Arg{Name=migrate_data Value=TRUE Literal=true Span=`migrate_data => TRUE`}] Span=`create_hypertable('m', 'time', 'dev', 4, migrate_data => TRUE)`}}"},
		{`CREATE TABLE m (d int, ts timestamptz) WITH (tsdb.hypertable, tsdb.create_default_indexes = false)`,
			"CreateTable{Table=Name{Name=m Span=`m`} Columns=[Column{Ident=Ident{Name=d Span=`d`} Type=Type{Name=integer Span=`int`} Def=`d int`}, Column{Ident=Ident{Name=ts Span=`ts`} Type=Type{Name=timestamptz Span=`timestamptz`} Def=`ts timestamptz`}] " +
				"Options=[RelOption{Namespace=tsdb Name=hypertable Span=`tsdb.hypertable`}, RelOption{Namespace=tsdb Name=create_default_indexes Value=false Span=`tsdb.create_default_indexes = false`}] " +
				"Hypertable=CreateHypertable{Table=Name{Name=m Span=`m`} TimeColumn=ts Flag=`tsdb.create_default_indexes = false` Span=`tsdb.hypertable`}}"},
		{`CALL add_columnstore_policy('m', after => INTERVAL '7 days')`,
			"Policy{Kind=compression Relation=Name{Name=m Span=`'m'`} Call=Call{Function=Name{Name=add_columnstore_policy Span=`add_columnstore_policy`} Args=[Arg{Value='m' Literal=m Span=`'m'`}, Arg{Name=after Value=INTERVAL '7 days' Literal=7 days Span=`after => INTERVAL '7 days'`}] Span=`add_columnstore_policy('m', after => INTERVAL '7 days')`}}"},
		{"DO $$ BEGIN\n  CREATE INDEX i ON t (a);\n  EXECUTE 'DROP TABLE x';\nEND $$",
			"Do{Language=plpgsql Ops=[InnerOp{Op=CreateIndex", // prefix: inner spans are of the inner text
		},
		{`DO $$ BEGIN RAISE EXCEPTION 'irreversible'; END $$`, "Do{Language=plpgsql Raises=true}"},
		{`DO LANGUAGE plpgsql 'BEGIN END'`, "Do{Language=plpgsql}"},
		{`SET LOCAL lock_timeout = '5s'`, "Set{Name=lock_timeout Value=5s Local=true Values=[5s] Span=`'5s'`}"},
		{`SELECT set_config('search_path', '', false)`, "Set{Name=search_path Span=`''` Call=true}"},
		{`LOCK TABLE t IN SHARE MODE NOWAIT`, "LockTable{Tables=[Name{Name=t Span=`t`}] Mode=SHARE NoWait=true}"},
		{`WITH d AS (DELETE FROM a) SELECT 1`, "Write{Verb=delete Table=Name{Name=a Span=`a`}} Query{}"},
		{`COMMENT ON COLUMN s.t.c IS NULL`, "Comment{Kind=column Object=Name{Schema=s Name=t Span=`s.t`} Column=c Null=true}"},
		{`CREATE OR REPLACE FUNCTION f(a int, OUT b text) RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'select 1'`,
			"CreateFunction{Function=Name{Name=f Span=`f`} Replace=true Args=[Type{Name=integer Span=`int`}] Returns=text Language=sql Body=select 1 SecurityDefiner=true Sets=[search_path] Settings=[Set{Name=search_path Values=[] Span=`''`}] Clause=``}"},
		{`CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION s.f()`,
			"CreateTrigger{Trigger=Ident{Name=g Span=`g`} Table=Name{Name=t Span=`t`} Function=Name{Schema=s Name=f Span=`s.f`} Row=true}"},
		{`ALTER TABLE t ADD CONSTRAINT n NOT NULL col`,
			"AddConstraint{Table=Name{Name=t Span=`t`} Constraint=Constraint{Kind=not null Name=n Columns=[Ident{Name=col Span=`NOT NULL col`}] Span=`CONSTRAINT n NOT NULL col`}}"},
		{`ALTER TABLE t ALTER c DROP NOT NULL; CREATE INDEX ON t (c)`,
			"SetNotNull{Table=Name{Name=t Span=`t`} Column=Ident{Name=c Span=`c`} Drop=true} CreateIndex{Table=Name{Name=t Span=`t`} Method=btree Keys=[IndexKey{Column=Ident{Name=c Span=`c`} Span=`c`}] Keyword=`INDEX` KeySpan=`c`}"},
		{`VACUUM FULL t`, "Maintain{Verb=vacuum Objects=[Name{Name=t Span=`t`}] Full=true}"},
		{`GRANT SELECT ON t TO PUBLIC`, "Grant{Kind=table Objects=[Name{Name=t Span=`t`}] Privileges=[select] To=[public]}"},
		{`CREATE ROLE r`, "Other{Tag=create role Object=Name{Name=r Span=`r`}}"},
		{`ALTER ROLE r PASSWORD 'p'`, "Other{Tag=alter role Object=Name{Name=r Span=`r`} Options=[RelOption{Name=password Value=p Span=`PASSWORD 'p'`}]}"},
		{`CREATE USER MAPPING FOR u SERVER s OPTIONS (user 'a', password 'b')`, "Other{Tag=create user Object=Name{Name=s Span=`s`} Options=[RelOption{Name=user Value=a Span=`user 'a'`}, RelOption{Name=password Value=b Span=`password 'b'`}]}"},
		{`CREATE SUBSCRIPTION s CONNECTION 'host=h' PUBLICATION p`, "Other{Tag=create subscription Object=Name{Name=s Span=`s`} Options=[RelOption{Name=connection Value=host=h Span=`CONNECTION 'host=h'`}]}"},
		{`ALTER FUNCTION s.f(int) SET search_path = a, pg_temp`, "Other{Tag=alter function Object=Name{Schema=s Name=f Span=`s.f`} Settings=[Set{Name=search_path Value=a, pg_temp Values=[a, pg_temp] Span=`a, pg_temp`}]}"},
		{`ALTER DATABASE d SET search_path = 'a, b'`, "Other{Tag=alter database Object=Name{Name=d Span=`d`} Settings=[Set{Name=search_path Value=a, b Values=[a, b] Span=`'a, b'`}]}"},
		{`CREATE POLICY p ON s.t FOR UPDATE TO PUBLIC, a USING (true) WITH CHECK (x = 1)`, "Create{Kind=policy Object=Name{Name=p Span=`p`} Table=Name{Schema=s Name=t Span=`s.t`} " +
			"Options=[RelOption{Name=permissive}, RelOption{Name=for Value=update}, RelOption{Name=to Value=public}, RelOption{Name=to Value=a}, RelOption{Name=using Value=true Span=`true`}, RelOption{Name=with check Value=x = 1 Span=`x = 1`}]}"},
	}
	for _, tt := range tests {
		p := ReadSQL(tt.sql)
		if p.Err != nil || p.Opaque != "" {
			t.Errorf("%s\n  error %v, opaque %q", tt.sql, p.Err, p.Opaque)
			continue
		}
		if strings.HasSuffix(tt.want, "CreateIndex") {
			do := p.Ops[0].(*Do)
			if len(do.Ops) != 2 || do.Ops[0].Span.Of(tt.sql) != "CREATE INDEX i ON t (a)" || do.Ops[1].Span.Of(tt.sql) != "DROP TABLE x" {
				t.Errorf("%s\n got %+v", tt.sql, do)
			}
			continue
		}
		var got []string
		for _, op := range p.Ops {
			got = append(got, describe(tt.sql, reflect.ValueOf(op)))
		}
		if g := strings.Join(got, " "); g != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.sql, g, tt.want)
		}
	}
}

func TestReadSQLErrors(t *testing.T) {
	tests := []struct {
		sql    string
		err    string
		offset int
		opaque string
		count  int
	}{
		{"SELECT FROM WHERE", `syntax error at or near "WHERE"`, 12, "", 1},
		{"SELECT 'ä' FROM WHERE", `syntax error at or near "WHERE"`, 17, "", 1},
		{"CREATE TABLE t (", "syntax error at end of input", 16, "", 1},
		{"\xff\xfe SELECT WHERE x FROM", `syntax error at or near "??"`, 0, "", 1},
		{"SELECT " + strings.Repeat("1+", 30000) + "1", "", 0, "too complex to read", 1},
		{"SELECT " + strings.Repeat("(", 10000), "", 0, "too complex to read", 1},
		{"ALTER TABLE t ALTER c SET EXPRESSION AS (1)", "", 0, "uses ALTER COLUMN ... SET EXPRESSION of PostgreSQL 17, which is newer than the grammar ddlsp reads", 1},
		{"-- nothing", "", 0, "", 0},
		{"", "", 0, "", 0},
		{"SELECT 1; SELECT 2", "", 0, "", 2},
		{"\ufeffSELECT 1\x00", "", 0, "", 1},
		{"DO LANGUAGE plpgsql", "", 0, "", 1},
	}
	for _, tt := range tests {
		name := tt.sql
		if len(name) > 60 {
			name = name[:60] + "..."
		}
		p := ReadSQL(tt.sql)
		switch {
		case tt.err == "" && p.Err != nil:
			t.Errorf("%q: error %v at %d", name, p.Err, p.Err.Offset)
		case tt.err != "" && (p.Err == nil || p.Err.Message != tt.err || p.Err.Offset != tt.offset):
			t.Errorf("%q: got error %+v, want %q at %d", name, p.Err, tt.err, tt.offset)
		}
		if p.Opaque != tt.opaque || p.Count != tt.count {
			t.Errorf("%q: opaque %q count %d, want %q %d", name, p.Opaque, p.Count, tt.opaque, tt.count)
		}
	}
}

func TestStatementEdit(t *testing.T) {
	file := "-- c\nCREATE INDEX i ON t (a);\n"
	sql := "CREATE INDEX i ON t (a)"
	s := &Statement{SQL: sql, Path: "x.sql", Map: source.Identity(5, len(sql)), Span: source.Span{Start: 5, End: 5 + len(sql)}}
	idx := s.Ops()[0].(*CreateIndex)
	e, ok := s.Edit(source.Span{Start: idx.Keyword.End, End: idx.Keyword.End}, " CONCURRENTLY")
	if !ok {
		t.Fatal("not exact")
	}
	got, err := source.Apply(file, []source.Edit{e})
	if err != nil || got != "-- c\nCREATE INDEX CONCURRENTLY i ON t (a);\n" {
		t.Errorf("%q %v", got, err)
	}
}

// FuzzReadSQL: no text may end the process or make a span that lies outside
// it.
func FuzzReadSQL(f *testing.F) {
	for _, s := range []string{"CREATE TABLE t (a int default 1)", "DO $$ BEGIN END $$", "SELECT create_hypertable('t', by_range('x'))", "ALTER TABLE t ADD CONSTRAINT n NOT NULL c", "DROP INDEX a, b.c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		slow := time.AfterFunc(10*time.Second, func() { panic(fmt.Sprintf("hangs on %q", sql)) })
		defer slow.Stop()
		p := readSQL(sql)
		for _, op := range p.Ops {
			if do, ok := op.(*Do); ok { // inner spans are of inner texts
				for _, in := range do.Ops {
					_ = in.Span.Of(sql)
				}
				continue
			}
			describe(sql, reflect.ValueOf(op))
		}
	})
}

func BenchmarkReadSQL(b *testing.B) {
	var texts []string
	for i := range 200 {
		texts = append(texts, fmt.Sprintf("CREATE INDEX idx_%d ON table_%d (a, b)", i, i), fmt.Sprintf("ALTER TABLE t%d ADD COLUMN c int NOT NULL DEFAULT 0", i))
	}
	sort.Strings(texts)
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			for _, s := range texts {
				readSQL(s)
			}
		}
	})
	b.Run("cached", func(b *testing.B) {
		for b.Loop() {
			for _, s := range texts {
				ReadSQL(s)
			}
		}
	})
}

func TestStrings(t *testing.T) {
	for sql, want := range map[string][]string{
		`INSERT INTO t VALUES ('it''s', "b", -- 'no'
 3)`: {"it's"},
		"DO $x$BEGIN PERFORM 'inner'; END$x$": {"BEGIN PERFORM 'inner'; END", "inner"},
		"SELECT $$":                           nil, "SELECT 'open": nil, "$$$$": nil, "": nil,
	} {
		if got := Strings(sql); !reflect.DeepEqual(got, want) {
			t.Errorf("Strings(%q) = %q, want %q", sql, got, want)
		}
	}
}

// TestLongNames: names that PostgreSQL cuts are kept as they are written.
func TestLongNames(t *testing.T) {
	long := strings.Repeat("é", 40)
	sql := `CREATE INDEX "` + long + `" ON t (a) -- ` + long + `
		WHERE b = '` + long + `'`
	p := ReadSQL(sql)
	if len(p.Long) != 1 || p.Long[0].Name != long || p.Long[0].Span.Of(sql) != `"`+long+`"` {
		t.Fatalf("long names %+v", p.Long)
	}
	if got := p.Ops[0].(*CreateIndex).Index.Name; got != Truncate(long) || len(got) != 62 {
		t.Errorf("PostgreSQL keeps %q, Truncate %q", got, Truncate(long))
	}
	if Truncate("short") != "short" {
		t.Error("a short name is cut")
	}
}

// TestQueryShape: what the query of a continuous aggregate is made of.
func TestQueryShape(t *testing.T) {
	for query, want := range map[string]QueryShape{
		"SELECT time_bucket('1 h', t) b, avg(v) FROM m GROUP BY 1": {Buckets: 1, Bucketed: true},
		"SELECT time_bucket('1 h', t) b, avg(v) FROM m GROUP BY b": {Buckets: 1, Bucketed: true,
			Aliases: []GroupAlias{{Ident{"b", source.Span{Start: 115, End: 116}}, 1, true}}},
		"SELECT avg(v) FROM m GROUP BY public.time_bucket('1 h', t), d":                          {Buckets: 1, Bucketed: true},
		"SELECT avg(v) FROM m GROUP BY time_bucket('1 h', t), time_bucket('1 d', t)":             {Buckets: 2, Bucketed: true},
		"SELECT time_bucket('1 h', t) + interval '1 h', avg(v) FROM m GROUP BY 1":                {Bucketed: true},
		"SELECT time_bucket('1 h', t), avg(v) FROM m GROUP BY GROUPING SETS ((1))":               {Bucketed: true},
		"SELECT date_trunc('hour', t), avg(v) FROM m GROUP BY 1":                                 {},
		"WITH q AS (SELECT 1) SELECT DISTINCT d FROM q LIMIT 1":                                  {With: true, Distinct: true, Limit: true},
		"SELECT sum(avg(v)) OVER () FROM (SELECT * FROM m) q":                                    {Window: true, Subquery: true},
		"SELECT avg(v) FROM m WHERE d IN (SELECT d FROM e)":                                      {Subquery: true},
		"SELECT time_bucket('1 h', t) FROM m GROUP BY 1 UNION SELECT t FROM n":                   {SetOperation: true},
		"SELECT time_bucket('1 h', t), count(DISTINCT d) FILTER (WHERE d > 0) FROM m GROUP BY 1": {Buckets: 1, Bucketed: true},
	} {
		p := ReadSQL("CREATE MATERIALIZED VIEW x WITH (timescaledb.continuous) AS " + query)
		if len(p.Ops) != 1 || p.Ops[0].(*CreateView).Shape == nil || !reflect.DeepEqual(*p.Ops[0].(*CreateView).Shape, want) {
			t.Errorf("%s\n got %+v\nwant %+v", query, p.Ops[0].(*CreateView).Shape, want)
		}
	}
}
