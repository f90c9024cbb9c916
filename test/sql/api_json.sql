-- Values as JSON.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA api_json;
CREATE TYPE api_json.color AS ENUM ('red', 'light "blue"');
CREATE DOMAIN api_json.post_id AS roost.id;
CREATE TYPE api_json.inner_row AS (id roost.id, ids roost.id[], at timestamptz);
CREATE TYPE api_json.outer_row AS ("q""t" text, inside api_json.inner_row, list api_json.inner_row[], cursor text, nothing text);

-- scalars
SELECT roost_internal.to_json(v) FROM (VALUES (1::smallint), (-32768)) t(v);
SELECT roost_internal.to_json(9223372036854775807), roost_internal.to_json((-9223372036854775808)::bigint), roost_internal.to_json(4294967295::oid);
SELECT roost_internal.to_json(9223372036854775807::roost.id), roost_internal.to_json(7::bigint::api_json.post_id);
SELECT roost_internal.to_json(true), roost_internal.to_json(NULL::boolean), roost_internal.to_json('a'::text), roost_internal.to_json('b'::varchar), roost_internal.to_json('c'::name);
SELECT roost_internal.to_json('light "blue"'::api_json.color), roost_internal.to_json('192.168.0.1/24'::inet), roost_internal.to_json('00000000-0000-0000-0000-000000000001'::uuid);
SELECT roost_internal.to_json('\x00ff10fb'::bytea), roost_internal.to_json(''::bytea);

-- numbers that JSON does not have are null
SELECT roost_internal.to_json(v) FROM unnest('{0.1,1e20,-0,1e-300,nan,inf,-inf}'::float8[]) v;
SELECT roost_internal.to_json(v) FROM unnest('{0.1,3.4e38,nan}'::float4[]) v;
SELECT roost_internal.to_json(v) FROM unnest('{1.50,-0.001,1e30,NaN,Infinity,-Infinity}'::numeric[]) v;

-- text: everything is escaped that must be
SELECT roost_internal.to_json(E'"\\/\b\f\n\r\t\x01\x1f\x7fé☃😀</script>'::text);
-- and reads back as what it was
SELECT count(*) FROM generate_series(1, 2000) c, LATERAL (SELECT repeat(chr(c), c % 70) || chr(c) AS v) t
WHERE roost_internal.to_json(v)::jsonb #>> '{}' IS DISTINCT FROM v;

-- times in UTC with milliseconds, cut off and not rounded up
SET timezone = 'America/St_Johns';
SELECT roost_internal.to_json(v::timestamptz) FROM unnest('{2026-01-02 03:04:05.678999+02,1969-12-31 23:59:59.9999Z,2000-02-29 00:00:00Z,infinity,12345-06-07 00:00:00Z,0044-03-15 00:00:00Z BC}'::text[]) v;
SELECT roost_internal.to_json('2026-01-02 03:04:05'::timestamp), roost_internal.to_json('2026-01-02'::date), roost_internal.to_json('-infinity'::date);
RESET timezone;

-- json as it is
SELECT roost_internal.to_json('{"b":1, "a":[1.50,null]}'::jsonb), roost_internal.to_json('{"b":1,  "a":2}'::json);

-- arrays
SELECT roost_internal.to_json('{}'::int[]), roost_internal.to_json('{{1,2},{3,NULL}}'::int[]), roost_internal.to_json('{1,2}'::roost.id[]), roost_internal.to_json('[0:1]={a,b}'::text[]);

-- composites: nested, null, without the cursor; anonymous records
SELECT roost_internal.to_json(ROW('x', ROW(1, '{2,3}', '2026-01-01Z'), ARRAY[ROW(4, '{}', NULL)::api_json.inner_row, NULL], 'c1', NULL)::api_json.outer_row);
SELECT roost_internal.to_json(NULL::api_json.outer_row), roost_internal.to_json(ROW(NULL, NULL, NULL, NULL, NULL)::api_json.outer_row);
SELECT roost_internal.to_json(ROW(1, 'x'::text, ROW(2::bigint::roost.id)));
SELECT roost_internal.to_json(t) FROM (SELECT 1 AS a, ARRAY['x'] AS b) t;

-- a changed type is noticed, also inside another one
SELECT roost_internal.to_json(ROW(NULL, ROW(1, NULL, NULL), NULL, NULL, NULL)::api_json.outer_row);
ALTER TYPE api_json.inner_row ADD ATTRIBUTE extra text;
SELECT roost_internal.to_json(ROW(NULL, ROW(1, NULL, NULL, 'new'), NULL, NULL, NULL)::api_json.outer_row);
ALTER TYPE api_json.inner_row DROP ATTRIBUTE ids;
SELECT roost_internal.to_json(ROW(NULL, ROW(1, NULL, 'new'), NULL, NULL, NULL)::api_json.outer_row);
ALTER TYPE api_json.color RENAME VALUE 'red' TO 'crimson';
SELECT roost_internal.to_json('crimson'::api_json.color);

-- more columns than fit on the stack
SELECT format('CREATE TYPE api_json.wide AS (%s)', string_agg(format('c%s int', i), ', ' ORDER BY i)) FROM generate_series(1, 100) i \gexec
SELECT length(roost_internal.to_json(jsonb_populate_record(NULL::api_json.wide, jsonb_object_agg('c' || i, i)))) FROM generate_series(1, 100) i;

-- a large value
SELECT length(roost_internal.to_json(repeat('"', 1000000)));

DROP SCHEMA api_json CASCADE;
