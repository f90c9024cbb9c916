-- An object without a comment is unknown to \d+, to OpenAPI and to its next reader.
SELECT pg_describe_object(o.classid, o.objid, 0) || ' has no comment'
FROM (
	SELECT d.classid, d.objid FROM pg_depend d
	WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
		AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'roost')
		AND d.classid IN ('pg_proc'::regclass, 'pg_type'::regclass, 'pg_namespace'::regclass, 'pg_class'::regclass)
		-- a table's or composite's row type, and arrays, are not objects of their own
		AND NOT (d.classid = 'pg_type'::regclass AND EXISTS (SELECT FROM pg_type t WHERE t.oid = d.objid
			AND (t.typelem <> 0 OR EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind <> 'c'))))
		AND NOT (d.classid = 'pg_class'::regclass AND EXISTS (SELECT FROM pg_class c WHERE c.oid = d.objid AND c.relkind NOT IN ('r', 'p', 'v', 'S')))
	UNION
	SELECT 'pg_class'::regclass, c.oid FROM pg_class c
	WHERE c.relnamespace::regnamespace::text IN ('roost_data', 'roost_bi') AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
		AND NOT c.relispartition
		-- the sequence of an identity column
		AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0)
) o
WHERE coalesce(obj_description(o.objid, o.classid::regclass::name), '') = ''
ORDER BY 1;
