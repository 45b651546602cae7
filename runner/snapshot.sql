-- The structure of a database as (object, definition) rows: everything that a
-- migration may make, by name, never by OID. $1 is the version table, which is
-- left out with all that belongs to it.
WITH version_table AS (
  SELECT to_regclass($1)::oid AS oid
), spaces AS (
  SELECT oid, nspname FROM pg_namespace
  WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND nspname !~ '^_timescaledb_' AND nspname !~ '^timescaledb_'
), owned AS ( -- members of extensions
  SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), rel AS (
  SELECT c.*, format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN spaces n ON n.oid = c.relnamespace
  WHERE NOT EXISTS (SELECT FROM owned o WHERE o.classid = 'pg_class'::regclass AND o.objid = c.oid)
    AND c.oid IS DISTINCT FROM (SELECT oid FROM version_table)
    AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indexrelid = c.oid AND i.indrelid = (SELECT oid FROM version_table))
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i') AND d.refobjid = (SELECT oid FROM version_table))
)
SELECT 'schema ' || quote_ident(s.nspname), concat_ws(' ', 'owner', n.nspowner::regrole,
  (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(coalesce(n.nspacl, acldefault('n', n.nspowner))) a))
FROM spaces s JOIN pg_namespace n USING (oid)
WHERE NOT EXISTS (SELECT FROM owned o WHERE o.classid = 'pg_namespace'::regclass AND o.objid = s.oid)
UNION ALL
SELECT 'extension ' || quote_ident(extname), concat_ws(' ', extversion, 'in', extnamespace::regnamespace) FROM pg_extension
UNION ALL
SELECT CASE relkind WHEN 'r' THEN 'table ' WHEN 'p' THEN 'table ' WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' WHEN 'f' THEN 'foreign table '
    WHEN 'c' THEN 'type ' WHEN 'S' THEN 'sequence ' END || name,
  concat_ws(' ', CASE relpersistence WHEN 'u' THEN 'unlogged' WHEN 't' THEN 'temporary' END, 'owner', relowner::regrole,
    (SELECT 'using ' || amname FROM pg_am WHERE pg_am.oid = relam),
    CASE WHEN relrowsecurity THEN 'row security' END, CASE WHEN relforcerowsecurity THEN 'forced' END,
    CASE WHEN relkind IN ('r', 'p') AND relreplident <> 'd' THEN 'replica identity ' || relreplident::text END,
    (SELECT 'with (' || string_agg(o, ', ' ORDER BY o) || ')' FROM unnest(reloptions) o),
    (SELECT 'partition by ' || pg_get_partkeydef(rel.oid) WHERE relkind = 'p'), pg_get_expr(relpartbound, rel.oid),
    (SELECT 'inherits ' || string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = rel.oid),
    (SELECT 'in tablespace ' || spcname FROM pg_tablespace t WHERE t.oid = reltablespace),
    CASE WHEN relkind IN ('v', 'm') THEN 'as ' || pg_get_viewdef(rel.oid) END,
    (SELECT 'granted ' || string_agg(a::text, ',' ORDER BY a::text) FROM unnest(coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))) a WHERE relkind <> 'c'))
FROM rel WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'c', 'S')
UNION ALL
SELECT 'sequence ' || name || ' settings', concat_ws(' ', seqtypid::regtype, 'start', seqstart, 'by', seqincrement, 'from', seqmin, 'to', seqmax, 'cache', seqcache, CASE WHEN seqcycle THEN 'cycle' END,
  (SELECT 'owned by ' || d.refobjid::regclass::text || '.' || quote_ident(a.attname) FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
   WHERE d.classid = 'pg_class'::regclass AND d.objid = rel.oid AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0 LIMIT 1))
FROM rel JOIN pg_sequence ON seqrelid = rel.oid
UNION ALL
SELECT 'column ' || name || '.' || quote_ident(a.attname),
  concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END,
    (SELECT CASE WHEN a.attgenerated <> '' THEN 'generated ' ELSE 'default ' END || pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum),
    CASE WHEN a.attidentity <> '' THEN 'identity ' || a.attidentity::text END,
    (SELECT 'collate ' || c.oid::regcollation::text FROM pg_collation c JOIN pg_type t ON t.oid = a.atttypid WHERE c.oid = a.attcollation AND a.attcollation <> t.typcollation),
    (SELECT 'storage ' || a.attstorage::text FROM pg_type t WHERE t.oid = a.atttypid AND t.typstorage <> a.attstorage),
    CASE WHEN to_jsonb(a) ->> 'attcompression' <> '' THEN 'compression ' || (to_jsonb(a) ->> 'attcompression') END,
    CASE WHEN coalesce(a.attstattarget, -1) <> -1 THEN 'statistics ' || a.attstattarget::text END,
    CASE WHEN NOT a.attislocal THEN 'inherited' END,
    (SELECT 'with (' || string_agg(o, ', ' ORDER BY o) || ')' FROM unnest(a.attoptions) o),
    (SELECT 'granted ' || string_agg(x::text, ',' ORDER BY x::text) FROM unnest(a.attacl) x))
FROM rel JOIN pg_attribute a ON a.attrelid = rel.oid WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'index ' || name, concat_ws(' ', pg_get_indexdef(rel.oid), CASE WHEN NOT i.indisvalid THEN 'INVALID' END, CASE WHEN NOT i.indisready THEN 'not ready' END,
  CASE WHEN i.indisclustered THEN 'clustered' END, CASE WHEN i.indisreplident THEN 'replica identity' END,
  (SELECT 'in tablespace ' || spcname FROM pg_tablespace t WHERE t.oid = reltablespace))
FROM rel JOIN pg_index i ON i.indexrelid = rel.oid
UNION ALL
SELECT 'constraint ' || quote_ident(k.conname) || ' on ' || name, pg_get_constraintdef(k.oid)
FROM rel JOIN pg_constraint k ON k.conrelid = rel.oid
UNION ALL
SELECT 'trigger ' || quote_ident(t.tgname) || ' on ' || name, concat_ws(' ', pg_get_triggerdef(t.oid), CASE WHEN t.tgenabled <> 'O' THEN 'enabled ' || t.tgenabled::text END)
FROM rel JOIN pg_trigger t ON t.tgrelid = rel.oid WHERE NOT t.tgisinternal
UNION ALL
SELECT 'rule ' || quote_ident(r.rulename) || ' on ' || name, concat_ws(' ', pg_get_ruledef(r.oid), CASE WHEN r.ev_enabled <> 'O' THEN 'enabled ' || r.ev_enabled::text END)
FROM rel JOIN pg_rewrite r ON r.ev_class = rel.oid WHERE r.rulename <> '_RETURN'
UNION ALL
SELECT 'policy ' || quote_ident(p.polname) || ' on ' || name, concat_ws(' ', CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END, 'for', p.polcmd, 'to',
  (SELECT string_agg(CASE r WHEN 0 THEN 'public' ELSE r::regrole::text END, ', ' ORDER BY r) FROM unnest(p.polroles) r),
  'using ' || pg_get_expr(p.polqual, p.polrelid), 'check ' || pg_get_expr(p.polwithcheck, p.polrelid))
FROM rel JOIN pg_policy p ON p.polrelid = rel.oid
UNION ALL
SELECT CASE f.prokind WHEN 'p' THEN 'procedure ' WHEN 'a' THEN 'aggregate ' ELSE 'function ' END || f.oid::regprocedure::text,
  concat_ws(' ', 'owner', f.proowner::regrole, CASE WHEN f.prokind <> 'a' THEN pg_get_functiondef(f.oid)
    ELSE (SELECT concat_ws(' ', aggtransfn, aggfinalfn, aggcombinefn, aggtranstype::regtype, agginitval, aggsortop::regoperator) FROM pg_aggregate WHERE aggfnoid = f.oid) END,
  (SELECT 'granted ' || string_agg(a::text, ',' ORDER BY a::text) FROM unnest(coalesce(f.proacl, acldefault('f', f.proowner))) a))
FROM pg_proc f JOIN spaces s ON s.oid = f.pronamespace
WHERE NOT EXISTS (SELECT FROM owned o WHERE o.classid = 'pg_proc'::regclass AND o.objid = f.oid)
UNION ALL
SELECT CASE t.typtype WHEN 'd' THEN 'domain ' ELSE 'type ' END || t.oid::regtype::text,
  concat_ws(' ', 'owner', t.typowner::regrole,
    (SELECT 'enum (' || string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) || ')' FROM pg_enum e WHERE e.enumtypid = t.oid),
    CASE WHEN t.typtype = 'd' THEN concat_ws(' ', format_type(t.typbasetype, t.typtypmod), CASE WHEN t.typnotnull THEN 'not null' END, 'default ' || t.typdefault,
      (SELECT string_agg(quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid), ', ' ORDER BY k.conname) FROM pg_constraint k WHERE k.contypid = t.oid)) END,
    (SELECT 'range of ' || r.rngsubtype::regtype::text FROM pg_range r WHERE r.rngtypid = t.oid),
    (SELECT 'granted ' || string_agg(a::text, ',' ORDER BY a::text) FROM unnest(coalesce(t.typacl, acldefault('T', t.typowner))) a))
FROM pg_type t JOIN spaces s ON s.oid = t.typnamespace
WHERE t.typtype IN ('e', 'd', 'r') AND NOT EXISTS (SELECT FROM owned o WHERE o.classid = 'pg_type'::regclass AND o.objid = t.oid)
UNION ALL
SELECT 'statistics ' || format('%I.%I', s.nspname, e.stxname), pg_get_statisticsobjdef(e.oid) FROM pg_statistic_ext e JOIN spaces s ON s.oid = e.stxnamespace
UNION ALL
SELECT 'publication ' || quote_ident(pubname), concat_ws(' ', puballtables, pubinsert, pubupdate, pubdelete, pubtruncate,
  (SELECT string_agg(r.prrelid::regclass::text, ', ' ORDER BY r.prrelid::regclass::text) FROM pg_publication_rel r WHERE r.prpubid = p.oid)) FROM pg_publication p
UNION ALL
SELECT 'event trigger ' || quote_ident(evtname), concat_ws(' ', evtevent, evtfoid::regproc, evtenabled, evttags) FROM pg_event_trigger e
WHERE NOT EXISTS (SELECT FROM owned o WHERE o.classid = 'pg_event_trigger'::regclass AND o.objid = e.oid)
UNION ALL
SELECT 'cast ' || castsource::regtype::text || ' to ' || casttarget::regtype::text, concat_ws(' ', castfunc::regproc, castcontext, castmethod) FROM pg_cast c
WHERE c.oid >= 16384 AND NOT EXISTS (SELECT FROM owned o WHERE o.classid = 'pg_cast'::regclass AND o.objid = c.oid)
UNION ALL
SELECT 'operator ' || o.oid::regoperator::text, concat_ws(' ', oprcode, oprcom::regoperator, oprnegate::regoperator) FROM pg_operator o JOIN spaces s ON s.oid = o.oprnamespace
WHERE NOT EXISTS (SELECT FROM owned e WHERE e.classid = 'pg_operator'::regclass AND e.objid = o.oid)
UNION ALL
SELECT 'foreign server ' || quote_ident(srvname), concat_ws(' ', srvtype, srvversion, srvoptions) FROM pg_foreign_server
UNION ALL
SELECT 'default privileges of ' || coalesce(nullif(defaclrole, 0)::regrole::text, 'all') || coalesce(' in ' || s.nspname, '') || ' for ' || defaclobjtype::text, (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(defaclacl) a)
FROM pg_default_acl LEFT JOIN pg_namespace s ON s.oid = defaclnamespace
UNION ALL
SELECT 'comment on ' || i.type || ' ' || i.identity, d.description
FROM pg_description d CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i
WHERE d.objoid >= 16384 AND d.objoid IS DISTINCT FROM (SELECT oid FROM version_table) AND NOT EXISTS (SELECT FROM owned o WHERE o.classid = d.classoid AND o.objid = d.objoid)
  AND d.classoid <> 'pg_extension'::regclass
