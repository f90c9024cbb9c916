-- One line for every object of the extension and of its tables, without oids:
-- two installations that are the same print the same text.
\pset tuples_only on
\pset format unaligned
SET search_path = pg_catalog;
WITH object AS (
	SELECT d.classid, d.objid FROM pg_depend d
	WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
		AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'roost')
	UNION
	SELECT 'pg_class'::regclass, c.oid FROM pg_class c
	WHERE c.relnamespace::regnamespace::text IN ('roost_data', 'roost_bi')
	UNION
	SELECT 'pg_constraint'::regclass, k.oid FROM pg_constraint k WHERE k.connamespace::regnamespace::text = 'roost_data'
	UNION
	SELECT 'pg_trigger'::regclass, t.oid FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
	WHERE c.relnamespace::regnamespace::text = 'roost_data' AND NOT t.tgisinternal
	UNION
	SELECT 'pg_event_trigger'::regclass, e.oid FROM pg_event_trigger e WHERE e.evtfoid::regproc::text LIKE 'roost\_internal.%'
)
SELECT pg_describe_object(o.classid, o.objid, 0) AS object,
	CASE o.classid
		WHEN 'pg_proc'::regclass THEN
			(SELECT md5(concat_ws('|', pg_get_functiondef(p.oid), p.proacl::text)) FROM pg_proc p WHERE p.oid = o.objid AND p.prokind IN ('f', 'p'))
		WHEN 'pg_class'::regclass THEN
			(SELECT concat_ws(' ', c.relkind, c.relacl::text, c.reloptions::text,
				CASE WHEN c.relkind = 'i' THEN pg_get_indexdef(c.oid) WHEN c.relkind = 'v' THEN md5(pg_get_viewdef(c.oid)) END,
				(SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attcollation::regcollation,
						CASE WHEN a.attnotnull THEN 'not null' END, a.attidentity, a.attstorage, pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum)), ', '
						ORDER BY a.attname)
					FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
					WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
			FROM pg_class c WHERE c.oid = o.objid)
		WHEN 'pg_constraint'::regclass THEN pg_get_constraintdef(o.objid)
		WHEN 'pg_trigger'::regclass THEN (SELECT concat_ws(' ', pg_get_triggerdef(t.oid), nullif(t.tgenabled, 'O')) FROM pg_trigger t WHERE t.oid = o.objid)
		WHEN 'pg_event_trigger'::regclass THEN (SELECT concat_ws(' ', e.evtevent, e.evtenabled) FROM pg_event_trigger e WHERE e.oid = o.objid)
		WHEN 'pg_type'::regclass THEN
			(SELECT concat_ws(' ', t.typtype, format_type(t.typbasetype, t.typtypmod), t.typnotnull, t.typdefault,
				(SELECT string_agg(pg_get_constraintdef(k.oid), ' ' ORDER BY k.conname) FROM pg_constraint k WHERE k.contypid = t.oid),
				(SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),
				(SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
					FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped))
			FROM pg_type t WHERE t.oid = o.objid)
	END AS definition,
	obj_description(o.objid, o.classid::regclass::name) AS comment
FROM object o
-- (the worker makes a partition for the month when it seals the first entry)
WHERE pg_describe_object(o.classid, o.objid, 0) !~ 'audit_\d{4}_\d\d'
ORDER BY 1, 2;
SELECT 'route', r.method, r.path, to_jsonb(r) FROM roost_internal.route r ORDER BY 2, 3;
