-- Binding path, query and body to arguments; every way to get it wrong.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA api_bind;
CREATE TYPE api_bind.color AS ENUM ('red', 'green', 'blue');
ALTER TYPE api_bind.color ADD VALUE 'orange' AFTER 'red';
CREATE DOMAIN api_bind.name AS text CHECK (char_length(VALUE) BETWEEN 1 AND 10);
COMMENT ON DOMAIN api_bind.name IS 'A name of 1 to 10 characters.';
CREATE DOMAIN api_bind.nickname AS api_bind.name CHECK (VALUE <> 'x');
CREATE DOMAIN api_bind.required AS text NOT NULL;
CREATE TYPE api_bind.point AS (x int, label api_bind.name, tags text[]);

-- says what arrived
CREATE FUNCTION api_bind.take(
	id roost.id DEFAULT NULL, name api_bind.name DEFAULT NULL, nick api_bind.nickname DEFAULT NULL, required api_bind.required DEFAULT 'r',
	small smallint DEFAULT NULL, "integer" int DEFAULT 7, big bigint DEFAULT NULL, number numeric DEFAULT NULL, "float" float8 DEFAULT NULL,
	flag boolean DEFAULT NULL, color api_bind.color DEFAULT NULL, at timestamptz DEFAULT NULL, day date DEFAULT NULL, uuid uuid DEFAULT NULL,
	bytes bytea DEFAULT NULL, doc jsonb DEFAULT NULL, raw json DEFAULT NULL, ids bigint[] DEFAULT NULL, colors api_bind.color[] DEFAULT NULL,
	point api_bind.point DEFAULT NULL, points api_bind.point[] DEFAULT NULL, short varchar(3) DEFAULT NULL, moment timestamptz DEFAULT to_timestamp(0),
	actor_id roost.id DEFAULT NULL, session_id roost.id DEFAULT NULL, device_id roost.id DEFAULT NULL, client_address inet DEFAULT NULL, user_agent text DEFAULT NULL
) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('id', id, 'name', name, 'nick', nick, 'required', nullif(required, 'r'), 'small', small, 'integer', nullif("integer", 7), 'big', big,
		'number', number, 'float', "float", 'flag', flag, 'color', color, 'at', at AT TIME ZONE 'UTC', 'day', day, 'uuid', uuid))
	|| jsonb_strip_nulls(jsonb_build_object('bytes', bytes::text, 'doc', doc, 'raw', raw, 'ids', ids, 'colors', colors, 'point', point, 'points', points, 'short', short,
		'moment', nullif(moment, to_timestamp(0)), 'actor', actor_id, 'session', session_id, 'device', device_id, 'address', client_address, 'agent', user_agent))
$$;
CREATE FUNCTION api_bind.need(a int, b text) RETURNS text LANGUAGE sql STABLE AS $$ SELECT a || b $$;
SELECT roost.route_add('GET', '/api-bind/take', 'api_bind.take', auth => 'none', limit_class => 'none');
SELECT roost.route_add('GET', '/api-bind/take/:id', 'api_bind.take', auth => 'none', limit_class => 'none');
SELECT roost.route_add('POST', '/api-bind/take', 'api_bind.take', auth => 'none', limit_class => 'none');
SELECT roost.route_add('POST', '/api-bind/need/:a', 'api_bind.need', auth => 'none', limit_class => 'none');

-- the body of an answer, or SQLSTATE, field, message, detail and headers of an error
CREATE FUNCTION api_bind.call(method text, path text, query text, headers text, body text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE v_field text; v_detail text; v_hint text; v_context text;
BEGIN
	RETURN split_part(roost.handle(method, path, query, headers, body, '192.0.2.7'), E'\n\n', 2);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS v_field = COLUMN_NAME, v_detail = PG_EXCEPTION_DETAIL, v_hint = PG_EXCEPTION_HINT, v_context = PG_EXCEPTION_CONTEXT;
	RETURN concat_ws(' | ', SQLSTATE, nullif('field ' || v_field, 'field '), SQLERRM, nullif(v_detail, ''), nullif(v_hint, ''));
END $$;
CREATE FUNCTION api_bind.get(query text) RETURNS text LANGUAGE sql AS $$ SELECT api_bind.call('GET', '/api-bind/take', query, '', NULL) $$;
CREATE FUNCTION api_bind.post(body text) RETURNS text LANGUAGE sql AS $$ SELECT api_bind.call('POST', '/api-bind/take', '', 'content-type: application/json', body) $$;

-- from the query string
SELECT api_bind.get('');
SELECT api_bind.get('id=12&name=J%C3%BCrgen+M&nick=y&small=-3&integer=%2D4&big=9223372036854775807&number=1.50&float=-2e3&flag=true&color=orange');
SELECT api_bind.get('at=2026-01-02T03:04:05%2B02:00&day=2026-02-03&uuid=00000000-0000-0000-0000-000000000001&bytes=AP8Q&doc={"a":[1]}&raw=[1,%202]');
SELECT api_bind.get('ids=1,2&ids=3&colors=red,blue&short=ab&moment=1970-01-02');
SELECT api_bind.get('&&flag=1&');
SELECT api_bind.get('ids=');
SELECT api_bind.call('GET', '/api-bind/take/77', '', E'user-agent: probe/1.0\nauthorization: Bearer nonsense', NULL);

-- from the body
SELECT api_bind.post('{"id":"12","name":"\u00fc\ud83d\ude00","nick":"y","required":"z","small":-3,"integer":-4,"big":"9223372036854775807","number":1.50,"float":-2e3,"flag":false,"color":"blue"}');
SELECT api_bind.post('{"id":12,"at":"2026-01-02T03:04:05+02:00","day":"2026-02-03","uuid":"00000000-0000-0000-0000-000000000001","bytes":"AP8Q","doc":{"a":[1,null]},"raw":[1, 2]}');
SELECT api_bind.post('{"ids":[1,"2",9007199254740993],"colors":["red"],"point":{"x":1,"label":"p","tags":["a","b"]},"points":[{"x":1},{"label":"q"}],"doc":"text"}');
SELECT api_bind.post(format('{"bytes":"%s"}', b)) FROM unnest('{"+/8=","-_8","+/8","-_8=","//8A","AA==",""}'::text[]) b;
SELECT api_bind.post(format('{"bytes":"%s"}', b)) FROM unnest('{"+_8=","A===","====","AA=","AB==","+/ 8"}'::text[]) b;
SELECT api_bind.post(format('{"points":[{"x":1},{"x":2,%s},{"x":3}]}', p)) FROM unnest(ARRAY['"label":""', '"label":7', '"x":"y"', '"y":1', '"tags":[1]']) p;
SELECT api_bind.post('{"doc":7,"raw":"\"q\"","ids":[],"points":[null],"name":null}');
SELECT api_bind.post('  {}  '), api_bind.post(''), api_bind.post(NULL);
SELECT api_bind.call('POST', '/api-bind/take', 'integer=1', 'content-type: application/json', '{"name":"both"}');
SELECT api_bind.call('POST', '/api-bind/need/5', '', 'content-type: application/vnd.x+json', '{"b":"x"}');

-- what only the server may say
SELECT api_bind.get('actor_id=1');
SELECT api_bind.post('{"session_id":1}');
SELECT api_bind.post('{"client_address":"1.1.1.1"}');
-- unknown, twice, missing
SELECT api_bind.get('nam=1');
SELECT api_bind.post('{"nam":1}');
SELECT api_bind.post('{"' || repeat('ü', 500) || '":1}');
SELECT api_bind.post('{"Name":"case matters"}');
SELECT api_bind.get('name=a&name=b');
SELECT api_bind.post('{"name":"a","name":"b"}');
SELECT api_bind.call('GET', '/api-bind/take/77', 'id=78', '', NULL);
SELECT api_bind.call('POST', '/api-bind/take', 'name=a', 'content-type: application/json', '{"name":"b"}');
SELECT api_bind.call('POST', '/api-bind/need/5', '', '', NULL);
SELECT api_bind.post('{"point":{"z":1}}');
-- wrong types
SELECT api_bind.post(b) FROM unnest(ARRAY['{"name":1}', '{"name":true}', '{"name":{}}', '{"name":[]}', '{"integer":"1"}', '{"integer":1.5}', '{"integer":1e3}', '{"integer":true}', '{"big":"x"}', '{"big":""}',
	'{"big":"-"}', '{"number":"1"}', '{"flag":"true"}', '{"flag":0}', '{"flag":null}', '{"color":1}', '{"at":5}', '{"doc":}', '{"ids":1}', '{"ids":{}}', '{"ids":[true]}', '{"point":[]}', '{"point":"x"}', '{"points":[1]}']) b;
SELECT api_bind.get(q) FROM unnest(ARRAY['integer=', 'integer=x', 'integer=1%20', 'integer=0x10', 'flag=yes', 'ids=1,x', 'ids=1,,2', 'doc={', 'point=(1,2,3)', 'uuid=1', 'at=yesterdayish', 'day=2026-02-30', 'bytes=***', 'number=x', 'float=1e999']) q;
-- out of range
SELECT api_bind.post(b) FROM unnest(ARRAY['{"small":32768}', '{"integer":2147483648}', '{"big":9223372036854775808}', '{"big":-9223372036854775809}', '{"big":1' || repeat('0', 1000) || '}', '{"id":-1}', '{"number":1e999999999}', '{"float":1e400}', '{"doc":1e999999999}', '{"ids":[9223372036854775808]}']) b;
SELECT api_bind.post('{"big":-9223372036854775808}');
-- domains and enums explain themselves
SELECT api_bind.post('{"name":""}');
SELECT api_bind.post('{"name":"12345678901"}');
SELECT api_bind.post('{"nick":"x"}');
SELECT api_bind.post('{"required":null}');
SELECT api_bind.post('{"color":"pink"}');
SELECT api_bind.post('{"colors":["red","pink"]}');
SELECT api_bind.post('{"point":{"label":""}}');
SELECT api_bind.post('{"points":[{"label":"ok"},{"label":""}]}');
SELECT api_bind.post('{"short":"abcd"}');
-- characters
SELECT api_bind.post('{"name":"a\u0000b"}');
SELECT api_bind.post('{"name":"\ud800"}');
SELECT api_bind.post('{"doc":{"deep":["\u0000"]}}');
SELECT api_bind.get('name=%00');
SELECT api_bind.get('name=%ff');
SELECT api_bind.get('name=%4');
SELECT api_bind.get('%ff=1');
-- not JSON, or not an object
SELECT api_bind.post(b) FROM unnest(ARRAY['x', '{', '{"name":"secret', E'{\n"name": secret\n}', '{"a":1}}', '[]', '"text"', '1', 'null', '{name:1}', '{"name":"a",}', E'{"name":"a\tb"}', '{"name":''a''}', '{"integer":01}', '{"integer":NaN}', '{"name":"\x"}']) b;
SELECT api_bind.post('{"doc":' || repeat('[', 63) || repeat(']', 63) || '}') IS NOT NULL;
SELECT api_bind.post('{"doc":' || repeat('[', 64) || repeat(']', 64) || '}');
SELECT api_bind.post('{"doc":' || repeat('{"a":', 1000) || '1' || repeat('}', 1000) || '}');
SELECT api_bind.post(repeat('[', 100000));
-- not said to be JSON
SELECT api_bind.call('POST', '/api-bind/take', '', h, '{}') FROM unnest(ARRAY['', 'content-type: text/plain', 'content-type: application/jsonp', 'content-type: application/json-seq', 'content-type:', 'content-type: APPLICATION/JSON ; charset=utf-8', 'content-type: application/problem+json']) h;
-- SQL is text
SELECT api_bind.post('{"name":"'';drop--"}'), api_bind.get('id=1;select'), api_bind.get('color=red''--');
-- a body on GET is not read
SELECT api_bind.call('GET', '/api-bind/take', '', '', 'whatever');

SELECT bool_and(roost.route_remove(method, path)) FROM roost_internal.route WHERE path LIKE '/api-bind/%';
DROP SCHEMA api_bind CASCADE;
