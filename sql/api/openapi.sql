-- The description of the HTTP interface, made of routes, signatures, types and
-- comments.

CREATE OR REPLACE FUNCTION roost_internal.schema_name(type oid) RETURNS text
LANGUAGE sql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT regexp_replace(CASE n.nspname WHEN 'roost' THEN '' ELSE n.nspname || '.' END || t.typname, '[^A-Za-z0-9._-]', '-', 'g')
	FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = $1
$$;
REVOKE ALL ON FUNCTION roost_internal.schema_name(oid) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.schema_name(oid) IS 'The name of a type among the components of roost.openapi().';

CREATE OR REPLACE FUNCTION roost_internal.schema_ref(type oid) RETURNS jsonb
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_type pg_type;
BEGIN
	SELECT t.* INTO v_type FROM pg_type t WHERE t.oid = type;
	IF v_type.typtype IN ('d', 'e', 'c') THEN
		RETURN jsonb_build_object('$ref', '#/components/schemas/' || roost_internal.schema_name(type));
	ELSIF v_type.typelem <> 0 AND v_type.typlen = -1 THEN
		RETURN jsonb_build_object('type', 'array', 'items', roost_internal.schema_ref(v_type.typelem));
	END IF;
	RETURN CASE v_type.typname
		WHEN 'bool' THEN '{"type": "boolean"}'
		WHEN 'int2' THEN '{"type": "integer", "format": "int32"}'
		WHEN 'int4' THEN '{"type": "integer", "format": "int32"}'
		WHEN 'int8' THEN '{"type": "integer", "format": "int64"}'
		WHEN 'float4' THEN '{"type": "number"}'
		WHEN 'float8' THEN '{"type": "number"}'
		WHEN 'numeric' THEN '{"type": "number"}'
		WHEN 'json' THEN '{}'
		WHEN 'jsonb' THEN '{}'
		WHEN 'timestamptz' THEN '{"type": "string", "format": "date-time"}'
		WHEN 'date' THEN '{"type": "string", "format": "date"}'
		WHEN 'uuid' THEN '{"type": "string", "format": "uuid"}'
		WHEN 'bytea' THEN '{"type": "string", "contentEncoding": "base64url"}'
		WHEN 'record' THEN '{"type": "object"}'
		ELSE '{"type": "string"}'
	END::jsonb;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.schema_ref(oid) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.schema_ref(oid) IS 'A JSON Schema for values of a type; of domains, enums and composites a reference to the component.';

CREATE OR REPLACE FUNCTION roost_internal.schema_nullable(schema jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		WHEN $1 ? '$ref' THEN jsonb_build_object('anyOf', jsonb_build_array($1, '{"type": "null"}'::jsonb))
		WHEN $1 ? 'type' THEN $1 || jsonb_build_object('type', jsonb_build_array($1->'type', 'null'))
		ELSE $1
	END
$$;
REVOKE ALL ON FUNCTION roost_internal.schema_nullable(jsonb) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.schema_nullable(jsonb) IS 'A JSON Schema that also allows null.';

CREATE OR REPLACE FUNCTION roost_internal.schema_domain(type oid) RETURNS jsonb
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_schema jsonb;
	v_check text;
	v_match text[];
BEGIN
	IF type = 'roost.id'::regtype THEN
		RETURN '{"type": "string", "pattern": "^[0-9]{1,19}$", "examples": ["117653765206245835"]}';
	END IF;
	SELECT roost_internal.schema_ref(t.typbasetype) INTO v_schema FROM pg_type t WHERE t.oid = type;
	FOR v_check IN SELECT pg_get_constraintdef(c.oid) FROM pg_constraint c WHERE c.contypid = type AND c.contype = 'c' LOOP
		-- only what holds in every case may be said
		CONTINUE WHEN v_check ~ '\m(OR|CASE|NOT)\M';
		v_match := regexp_match(v_check, '(?:char|character|octet)?_?length\(\(?VALUE\)?(?:::text)?\) <= (\d+)');
		IF v_match IS NOT NULL THEN
			v_schema := v_schema || jsonb_build_object('maxLength', v_match[1]::integer);
		END IF;
		v_match := regexp_match(v_check, '(?:char|character)?_?length\(\(?VALUE\)?(?:::text)?\) >= (\d+)');
		IF v_match IS NOT NULL AND v_check !~ 'octet_length' THEN
			v_schema := v_schema || jsonb_build_object('minLength', v_match[1]::integer);
		END IF;
		v_match := regexp_match(v_check, '\(VALUE >= (-?\d+)\)');
		IF v_match IS NOT NULL THEN
			v_schema := v_schema || jsonb_build_object('minimum', v_match[1]::numeric);
		END IF;
		v_match := regexp_match(v_check, '\(VALUE <= (-?\d+)\)');
		IF v_match IS NOT NULL THEN
			v_schema := v_schema || jsonb_build_object('maximum', v_match[1]::numeric);
		END IF;
		v_match := regexp_match(v_check, 'VALUE(?: COLLATE "C")?\)? ~ ''((?:[^'']|'''')+)''');
		IF v_match IS NOT NULL AND v_match[1] !~ '\\[mMyYAZ]|\[:|\(\?' THEN
			v_schema := v_schema || jsonb_build_object('pattern', replace(v_match[1], '''''', ''''));
		END IF;
	END LOOP;
	RETURN v_schema;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.schema_domain(oid) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.schema_domain(oid) IS 'A JSON Schema for a domain: its base type with the lengths, bounds and pattern that its CHECK constraints plainly state.';

CREATE OR REPLACE FUNCTION roost_internal.schema_component(type oid) RETURNS jsonb
LANGUAGE sql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE t.typtype
		WHEN 'd' THEN roost_internal.schema_domain(t.oid)
		WHEN 'e' THEN jsonb_build_object('type', 'string', 'enum',
			(SELECT jsonb_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid))
		ELSE (SELECT jsonb_build_object('type', 'object', 'required', jsonb_agg(a.attname ORDER BY a.attnum),
				'properties', jsonb_object_agg(a.attname, CASE a.attname
					WHEN 'id' THEN roost_internal.schema_ref(a.atttypid)
					ELSE roost_internal.schema_nullable(roost_internal.schema_ref(a.atttypid)) END))
			FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'cursor')
	END || jsonb_strip_nulls(jsonb_build_object('description', obj_description(t.oid, 'pg_type')))
	FROM pg_type t WHERE t.oid = $1
$$;
REVOKE ALL ON FUNCTION roost_internal.schema_component(oid) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.schema_component(oid) IS 'The JSON Schema of a domain, enum or composite, with its comment as the description.';

CREATE OR REPLACE FUNCTION roost_internal.openapi_route() RETURNS TABLE (
	method text, path text, shape text, function oid, auth text, status integer, tags text[], operation_id text, params text[], names text[])
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH route AS (
		SELECT DISTINCT ON (r.method, r.shape) r.*,
			CASE WHEN r.function LIKE '%(%' THEN to_regprocedure(r.function)::oid ELSE to_regproc(r.function)::oid END AS proc,
			ARRAY(SELECT m[1] FROM regexp_matches(r.path, ':([a-z0-9_]+)', 'g') m) AS params
		FROM roost_internal.route r
		ORDER BY r.method, r.shape, r.builtin
	), path AS (
		-- one spelling for all methods of a path
		SELECT DISTINCT ON (r.shape) r.shape, r.path, r.params AS names FROM route r ORDER BY r.shape, r.method
	)
	SELECT r.method, regexp_replace(p.path, ':([a-z0-9_]+)', '{\1}', 'g'), r.shape, r.proc, r.auth, r.status, r.tags,
		CASE count(*) OVER (PARTITION BY f.proname) WHEN 1 THEN f.proname
			ELSE f.proname || '_' || row_number() OVER (PARTITION BY f.proname ORDER BY r.path, r.method) END,
		r.params, p.names
	FROM route r JOIN path p USING (shape) JOIN pg_proc f ON f.oid = r.proc
$$;
REVOKE ALL ON FUNCTION roost_internal.openapi_route() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.openapi_route() IS 'The routes as roost.openapi() shows them: params are the arguments of the path, names what the path calls them.';

CREATE OR REPLACE FUNCTION roost_internal.openapi_argument(function oid) RETURNS TABLE (
	name text, type oid, required boolean, schema jsonb, number bigint)
LANGUAGE sql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT a.name, a.type, a.number <= p.pronargs - p.pronargdefaults,
		roost_internal.schema_ref(a.type)
			|| CASE WHEN a.name = 'limit' AND p.proretset
				THEN jsonb_build_object('minimum', 1, 'maximum', current_setting('roost.api_page_limit_max')::integer) ELSE '{}' END
			|| CASE WHEN a.standard ~ '^(-?\d{1,9}|true|false)$' THEN jsonb_build_object('default', a.standard::jsonb)
				WHEN a.standard ~ '^''[^'']+''::' THEN jsonb_build_object('default', split_part(a.standard, '''', 2))
				ELSE '{}' END,
		a.number
	FROM pg_proc p,
		LATERAL (
			SELECT u.name, t.type, row_number() OVER (ORDER BY t.ordinality) AS number,
				pg_get_function_arg_default(p.oid, t.ordinality::integer) AS standard
			FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY t(type, ordinality)
			JOIN unnest(p.proargnames) WITH ORDINALITY u(name, ordinality) USING (ordinality)
			WHERE coalesce(p.proargmodes[t.ordinality], 'i') IN ('i', 'b')) a
	WHERE p.oid = $1 AND a.name NOT IN ('actor_id', 'session_id', 'device_id', 'client_address', 'user_agent')
$$;
REVOKE ALL ON FUNCTION roost_internal.openapi_argument(oid) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.openapi_argument(oid) IS 'The arguments of a function that callers may set over HTTP.';

CREATE OR REPLACE FUNCTION roost_internal.openapi_result(function oid) RETURNS jsonb
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_proc pg_proc;
	v_row jsonb;
BEGIN
	SELECT p.* INTO v_proc FROM pg_proc p WHERE p.oid = function;
	IF v_proc.prorettype = 'void'::regtype THEN
		RETURN NULL;
	END IF;
	SELECT CASE WHEN v_proc.prorettype = 'record'::regtype AND count(*) > 0
		THEN jsonb_build_object('type', 'object', 'required', jsonb_agg(n.name ORDER BY t.ordinality), 'properties',
			jsonb_object_agg(n.name, CASE n.name WHEN 'id' THEN roost_internal.schema_ref(t.type)
				ELSE roost_internal.schema_nullable(roost_internal.schema_ref(t.type)) END))
		ELSE roost_internal.schema_ref(v_proc.prorettype) END
	INTO v_row
	FROM unnest(v_proc.proallargtypes) WITH ORDINALITY t(type, ordinality)
	JOIN unnest(v_proc.proargnames) WITH ORDINALITY n(name, ordinality) USING (ordinality)
	WHERE v_proc.proargmodes[t.ordinality] IN ('o', 'b', 't') AND n.name <> 'cursor';
	IF NOT v_proc.proretset THEN
		-- only the comment knows
		RETURN CASE WHEN obj_description(function, 'pg_proc') ~* '\mnull if\M' THEN roost_internal.schema_nullable(v_row) ELSE v_row END;
	ELSIF EXISTS (SELECT FROM roost_internal.openapi_argument(function) a WHERE a.name = 'limit') THEN
		RETURN jsonb_build_object('type', 'object', 'required', '["items", "next"]'::jsonb, 'properties', jsonb_build_object(
			'items', jsonb_build_object('type', 'array', 'items', v_row),
			'next', '{"type": ["string", "null"], "description": "Value of \"before\" for the next page; null at the end."}'::jsonb));
	END IF;
	RETURN jsonb_build_object('type', 'object', 'required', '["items"]'::jsonb, 'properties', jsonb_build_object(
		'items', jsonb_build_object('type', 'array', 'items', v_row)));
END
$$;
REVOKE ALL ON FUNCTION roost_internal.openapi_result(oid) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.openapi_result(oid) IS 'The JSON Schema of what a function answers over HTTP; NULL if nothing.';

CREATE OR REPLACE FUNCTION roost_internal.openapi_parameters(method text, function oid, params text[], names text[]) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(jsonb_agg(p.parameter ORDER BY p.place, p.number), '[]') FROM (
		SELECT 1 AS place, array_position($3, a.name)::bigint AS number, jsonb_build_object('name', $4[array_position($3, a.name)], 'in', 'path',
			'required', true, 'schema', a.schema) AS parameter
		FROM roost_internal.openapi_argument($2) a WHERE a.name = ANY ($3)
		UNION ALL
		SELECT 2, a.number, jsonb_build_object('name', a.name, 'in', 'query', 'required', a.required, 'schema', a.schema)
			|| CASE WHEN a.schema->>'type' = 'array' THEN '{"style": "form", "explode": false}'::jsonb ELSE '{}' END
		FROM roost_internal.openapi_argument($2) a WHERE a.name <> ALL ($3) AND $1 = 'GET'
		UNION ALL
		SELECT 3, 1, '{"$ref": "#/components/parameters/IdempotencyKey"}'::jsonb WHERE $1 <> 'GET'
		UNION ALL
		SELECT 3, 2, '{"$ref": "#/components/parameters/IfNoneMatch"}'::jsonb WHERE $1 = 'GET') p
$$;
REVOKE ALL ON FUNCTION roost_internal.openapi_parameters(text, oid, text[], text[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.openapi_parameters(text, oid, text[], text[]) IS 'The parameters of an operation: those of the path, of the query string (GET) and of the headers.';

CREATE OR REPLACE FUNCTION roost_internal.openapi_body(function oid, params text[]) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object('required', bool_or(a.required), 'content', jsonb_build_object('application/json', jsonb_build_object('schema',
		jsonb_build_object('type', 'object', 'additionalProperties', false,
			'properties', jsonb_object_agg(a.name, CASE WHEN a.required THEN a.schema ELSE roost_internal.schema_nullable(a.schema) END))
		|| jsonb_strip_nulls(jsonb_build_object('required', jsonb_agg(a.name ORDER BY a.number) FILTER (WHERE a.required))))))
	FROM roost_internal.openapi_argument($1) a
	WHERE a.name <> ALL ($2)
	HAVING count(*) > 0
$$;
REVOKE ALL ON FUNCTION roost_internal.openapi_body(oid, text[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.openapi_body(oid, text[]) IS 'The request body of an operation; NULL if it takes none.';

CREATE OR REPLACE FUNCTION roost_internal.openapi_operation(method text, function oid, auth text, status integer, tags text[], operation_id text, params text[], names text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_comment text := coalesce(obj_description(function, 'pg_proc'), operation_id);
	v_result jsonb := roost_internal.openapi_result(function);
	v_success jsonb;
	v_headers jsonb := '{"RateLimit-Limit": {"$ref": "#/components/headers/RateLimit-Limit"}, "RateLimit-Remaining": {"$ref": "#/components/headers/RateLimit-Remaining"}, "RateLimit-Reset": {"$ref": "#/components/headers/RateLimit-Reset"}}';
	v_body jsonb := CASE WHEN method <> 'GET' THEN roost_internal.openapi_body(function, params) END;
BEGIN
	IF method = 'GET' THEN
		v_headers := v_headers || '{"ETag": {"$ref": "#/components/headers/ETag"}}';
	END IF;
	IF v_result->'properties' ? 'next' THEN
		v_headers := v_headers || '{"Link": {"$ref": "#/components/headers/Link"}}';
	END IF;
	v_success := jsonb_build_object('description', CASE WHEN v_result IS NULL THEN 'Done.' ELSE 'The result.' END, 'headers', v_headers);
	IF v_result IS NOT NULL THEN
		v_success := v_success || jsonb_build_object('content', jsonb_build_object('application/json', jsonb_build_object('schema', v_result)));
	END IF;
	RETURN jsonb_strip_nulls(jsonb_build_object(
		'operationId', operation_id,
		'summary', rtrim((regexp_match(v_comment, '^(?:[^.:;(]|\.(?! |$))+'))[1], ' ,'),
		'description', v_comment,
		'tags', to_jsonb(tags),
		'security', CASE auth WHEN 'none' THEN '[]'::jsonb
			WHEN 'optional' THEN '[{}, {"bearer": []}, {"cookie": []}]'::jsonb
			ELSE '[{"bearer": []}, {"cookie": []}]'::jsonb END,
		'parameters', roost_internal.openapi_parameters(method, function, params, names),
		'responses', jsonb_build_object(CASE WHEN v_result IS NULL AND status = 200 THEN '204' ELSE status::text END, v_success)
			-- Says the comment of a function that makes something that it may have been there.
			|| CASE WHEN status = 201 AND v_comment LIKE '%(200)%' THEN jsonb_build_object('200', v_success) ELSE '{}' END
			|| CASE WHEN method = 'GET' THEN '{"304": {"description": "Not changed since the answer with the given ETag."}}'::jsonb ELSE '{}' END
			|| '{"4XX": {"$ref": "#/components/responses/Problem"}, "5XX": {"$ref": "#/components/responses/Problem"}}',
		'requestBody', v_body));
END
$$;
REVOKE ALL ON FUNCTION roost_internal.openapi_operation(text, oid, text, integer, text[], text, text[], text[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.openapi_operation(text, oid, text, integer, text[], text, text[], text[]) IS 'One operation of roost.openapi().';

CREATE OR REPLACE FUNCTION roost_internal.openapi_schemas() RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH RECURSIVE used(type) AS (
		-- what is in events (sql/api/openapi_stream.sql)
		SELECT t.oid FROM pg_type t WHERE t.typnamespace = 'roost'::regnamespace AND t.typname IN ('post', 'account', 'notification_act')
		UNION
		SELECT u.type
		FROM roost_internal.openapi_route() r JOIN pg_proc p ON p.oid = r.function,
			LATERAL (
				SELECT a.type FROM roost_internal.openapi_argument(p.oid) a
				UNION ALL SELECT p.prorettype
				UNION ALL SELECT t.type FROM unnest(p.proallargtypes, p.proargmodes) t(type, mode) WHERE t.mode IN ('o', 'b', 't')) u(type)
		UNION
		SELECT n.type
		FROM used u JOIN pg_type t ON t.oid = u.type,
			LATERAL (
				SELECT t.typelem WHERE t.typelem <> 0 AND t.typlen = -1
				UNION ALL SELECT t.typbasetype WHERE t.typtype = 'd'
				UNION ALL SELECT a.atttypid FROM pg_attribute a
					WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'cursor') n(type)
	)
	SELECT coalesce(jsonb_object_agg(roost_internal.schema_name(t.oid), roost_internal.schema_component(t.oid)), '{}')
	FROM used u JOIN pg_type t ON t.oid = u.type WHERE t.typtype IN ('d', 'e', 'c')
$$;
REVOKE ALL ON FUNCTION roost_internal.openapi_schemas() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.openapi_schemas() IS 'The schemas of all types that routes use.';

CREATE OR REPLACE FUNCTION roost_internal.openapi_components() RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object(
		'securitySchemes', '{
			"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "The access_token of a login."},
			"cookie": {"type": "apiKey", "in": "cookie", "name": "roost_access", "description": "Set by a login with the header X-Roost-Cookies: 1. Requests that change something then need the header X-CSRF-Token with the value of the cookie roost_csrf."}}'::jsonb,
		'parameters', '{
			"IdempotencyKey": {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "minLength": 1, "maxLength": 255}, "description": "A random UUID. The same request with the same key gets the first answer again, for 24 hours."},
			"IfNoneMatch": {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}, "description": "The ETag of an earlier answer; 304 if it still holds."}}'::jsonb,
		'headers', '{
			"RateLimit-Limit": {"description": "Requests per period of the limit nearest to its end.", "schema": {"type": "integer"}},
			"RateLimit-Remaining": {"description": "Requests left of it.", "schema": {"type": "integer"}},
			"RateLimit-Reset": {"description": "Seconds until all of them are back.", "schema": {"type": "integer"}},
			"ETag": {"description": "Changes with the body.", "schema": {"type": "string"}},
			"Link": {"description": "Addresses of the next (older) and the previous (newer) page.", "schema": {"type": "string"}}}'::jsonb,
		'responses', '{
			"Problem": {"description": "An error, see /errors.", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/problem"}}}}}'::jsonb,
		'schemas', roost_internal.openapi_schemas() || roost_internal.openapi_stream_schemas() || '{
			"problem": {"type": "object", "description": "An error (RFC 9457). Some have members of their own.", "required": ["title", "status", "code"], "properties": {
				"type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
				"code": {"type": "string", "description": "For programs; see /errors."},
				"detail": {"type": "string"}, "field": {"type": "string", "description": "The field that is wrong."}, "hint": {"type": "string"}}}}'::jsonb)
$$;
REVOKE ALL ON FUNCTION roost_internal.openapi_components() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.openapi_components() IS 'The components of roost.openapi().';

CREATE OR REPLACE FUNCTION roost.openapi() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object(
		'openapi', '3.1.0',
		'info', jsonb_build_object('title', 'roost', 'version', roost.version(), 'license', '{"name": "PostgreSQL License", "identifier": "PostgreSQL"}'::jsonb,
			'description', 'Every operation is a SQL function; this description is made of their signatures and comments.'),
		'servers', jsonb_build_array(jsonb_build_object('url', coalesce(nullif(current_setting('roost.api_base_path'), ''), '/'))),
		'tags', (SELECT coalesce(jsonb_agg(jsonb_build_object('name', t.tag, 'description', 'Operations under /' || t.tag || '.') ORDER BY t.tag), '[]')
			FROM (SELECT DISTINCT unnest(r.tags) AS tag FROM roost_internal.openapi_route() r) t),
		'paths', (SELECT coalesce(jsonb_object_agg(p.path, p.operations), '{}') FROM (
			SELECT r.path, jsonb_object_agg(lower(r.method),
				roost_internal.openapi_operation(r.method, r.function, r.auth, r.status, r.tags, r.operation_id, r.params, r.names)) AS operations
			FROM roost_internal.openapi_route() r GROUP BY r.path) p) || roost_internal.openapi_stream_paths(),
		'components', roost_internal.openapi_components())
$$;
REVOKE ALL ON FUNCTION roost.openapi() FROM PUBLIC;
COMMENT ON FUNCTION roost.openapi() IS 'The description of the HTTP interface in OpenAPI 3.1, made of routes, signatures, types and comments; your own routes are in it, too.';
SELECT roost_internal.route('GET', '/openapi.json', 'roost.openapi', auth => 'none', lane => 'slow', cache => 'time');

SELECT roost_internal.route('GET', '/errors', 'roost.error_codes', auth => 'none', cache => 'time');
