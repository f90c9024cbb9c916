-- Registration of routes.

CREATE OR REPLACE FUNCTION roost_internal.cursor_id(cursor roost.cursor) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_api_cursor_id';
COMMENT ON FUNCTION roost_internal.cursor_id(roost.cursor) IS 'The number a cursor stands for. 22023 if it is none that roost gave out.';

CREATE OR REPLACE FUNCTION roost_internal.in_extension_script() RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'roost_api_in_extension_script';
COMMENT ON FUNCTION roost_internal.in_extension_script() IS 'True while CREATE EXTENSION roost or ALTER EXTENSION roost UPDATE runs.';

CREATE OR REPLACE FUNCTION roost_internal.route_function(function text) RETURNS regprocedure
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_found oid[];
BEGIN
	IF function LIKE '%(%' THEN
		v_found := ARRAY[pg_catalog.to_regprocedure(function)::oid];
	ELSE
		SELECT pg_catalog.array_agg(p.oid) INTO v_found
		FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
		WHERE ARRAY[n.nspname, p.proname]::text[] = pg_catalog.parse_ident(function) AND p.prokind = 'f';
	END IF;
	IF v_found[1] IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '42883', MESSAGE = pg_catalog.format('function %s does not exist', function),
			HINT = 'Name it with its schema, for instance roost.version.';
	ELSIF pg_catalog.cardinality(v_found) > 1 THEN
		RAISE EXCEPTION USING ERRCODE = '42725', MESSAGE = pg_catalog.format('function %s is not unique', function),
			HINT = 'Add the argument types, for instance app.item_get(bigint).';
	END IF;
	RETURN v_found[1]::regprocedure;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.route_function(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.route_function(text) IS 'The function that a route names: schema-qualified, with argument types if the name alone is ambiguous. 42883 unknown, 42725 ambiguous.';

CREATE OR REPLACE FUNCTION roost_internal.route_check(function regprocedure, path text) RETURNS void
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_context constant text[] := '{actor_id,session_id,device_id,client_address,user_agent}';
	v_proc record;
	v_arguments text[];
	v_name text;
BEGIN
	SELECT p.proargmodes, p.proargnames, p.pronargs, p.prokind, p.provariadic INTO v_proc
	FROM pg_catalog.pg_proc p WHERE p.oid = function;
	IF v_proc.prokind <> 'f' OR v_proc.provariadic <> 0 THEN
		RAISE EXCEPTION USING ERRCODE = '42809', MESSAGE = pg_catalog.format('%s cannot answer a route', function),
			HINT = 'It must be a plain function without a VARIADIC argument.';
	END IF;
	SELECT coalesce(pg_catalog.array_agg(v_proc.proargnames[i] ORDER BY i), '{}') INTO v_arguments
	FROM pg_catalog.generate_series(1, coalesce(pg_catalog.cardinality(v_proc.proargmodes), v_proc.pronargs)) i
	WHERE coalesce(v_proc.proargmodes[i], 'i') IN ('i', 'b');
	FOREACH v_name IN ARRAY v_arguments LOOP
		IF v_name IS NULL OR v_name !~ '^[a-z][a-z0-9_]*$' THEN
			RAISE EXCEPTION USING ERRCODE = '42P13', MESSAGE = pg_catalog.format('an argument of %s has no usable name', function),
				DETAIL = pg_catalog.format('Its name is "%s".', v_name),
				HINT = 'Arguments are bound by name: lower case letters, digits and underscores.';
		END IF;
	END LOOP;
	IF path !~ '^(/(:[a-z][a-z0-9_]*|[A-Za-z0-9._~-]*[A-Za-z0-9_~-][A-Za-z0-9._~-]*))+$' OR pg_catalog.length(path) > 256 THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'path', MESSAGE = pg_catalog.format('invalid path "%s"', path),
			HINT = 'Segments are letters, digits, ".", "_", "~" and "-", or ":" and the name of an argument.';
	END IF;
	FOR v_name IN SELECT m[1] FROM pg_catalog.regexp_matches(path, ':([a-z0-9_]+)', 'g') m LOOP
		IF v_name <> ALL (v_arguments) OR v_name = ANY (v_context) THEN
			RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'path',
				MESSAGE = pg_catalog.format('path parameter ":%s" names no argument of %s that a caller may set', v_name, function);
		END IF;
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.route_check(regprocedure, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.route_check(regprocedure, text) IS 'Raises an error unless the function can answer the path: usable argument names, a well-formed path, and a settable argument for every path parameter.';

CREATE OR REPLACE FUNCTION roost_internal.route(
	method text,
	path text,
	function text,
	auth text DEFAULT 'user',
	limit_class text DEFAULT NULL,
	status integer DEFAULT 200,
	lane text DEFAULT NULL,
	cookies boolean DEFAULT false,
	sensitive boolean DEFAULT false,
	tags text[] DEFAULT NULL,
	cache text DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_function regprocedure := roost_internal.route_function(route.function);
	v_name text;
	v_stable boolean;
	v_unique boolean;
BEGIN
	PERFORM roost_internal.route_check(v_function, route.path);
	IF route.cache IS NOT NULL AND (route.cache NOT IN ('ids', 'list', 'time') OR pg_catalog.upper(route.method) <> 'GET'
		OR route.auth = 'user' OR route.status <> 200 OR route.cookies OR route.sensitive
		OR EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.oid = v_function
			AND p.proargnames && '{session_id,device_id,client_address,user_agent}'::text[])) THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'cache', MESSAGE = pg_catalog.format('invalid cache "%s"', route.cache),
			DETAIL = 'It is ids, list or time, for GET routes with the status 200 that need no token, show no secrets and do not depend on session, device, address or program of the client.';
	END IF;
	SELECT pg_catalog.format('%I.%I', n.nspname, p.proname), p.provolatile <> 'v',
		NOT EXISTS (SELECT FROM pg_catalog.pg_proc o
			WHERE o.pronamespace = p.pronamespace AND o.proname = p.proname AND o.prokind = 'f' AND o.oid <> p.oid)
	INTO v_name, v_stable, v_unique
	FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
	WHERE p.oid = v_function;
	INSERT INTO roost_internal.route AS r
		(method, path, shape, function, auth, limit_class, status, lane, cookies, sensitive, builtin, tags, cache)
	VALUES (
		pg_catalog.upper(route.method),
		route.path,
		pg_catalog.regexp_replace(route.path, ':[a-z0-9_]+', ':', 'g'),
		CASE WHEN v_unique THEN v_name ELSE v_function::text END,
		route.auth,
		coalesce(route.limit_class, 'default'),
		route.status,
		coalesce(route.lane, CASE WHEN v_stable THEN 'fast' ELSE 'write' END),
		route.cookies,
		route.sensitive,
		roost_internal.in_extension_script(),
		coalesce(route.tags, ARRAY[pg_catalog.split_part(route.path, '/', 2)]),
		route.cache)
	ON CONFLICT ON CONSTRAINT route_pkey DO UPDATE
	SET path = excluded.path, function = excluded.function, auth = excluded.auth, limit_class = excluded.limit_class,
		status = excluded.status, lane = excluded.lane, cookies = excluded.cookies, sensitive = excluded.sensitive, tags = excluded.tags,
		cache = excluded.cache;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.route(text, text, text, text, text, integer, text, boolean, boolean, text[], text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.route(text, text, text, text, text, integer, text, boolean, boolean, text[], text) IS 'Lets a function answer an HTTP method and path, or changes how it does; used by roost itself under each function. Callers use roost.route_add(), which has the same arguments.';

CREATE OR REPLACE FUNCTION roost.route_add(
	method text,
	path text,
	function text,
	auth text DEFAULT 'user',
	limit_class text DEFAULT NULL,
	status integer DEFAULT 200,
	lane text DEFAULT NULL,
	cookies boolean DEFAULT false,
	sensitive boolean DEFAULT false,
	tags text[] DEFAULT NULL,
	cache text DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT pg_catalog.has_function_privilege(session_user, roost_internal.route_function(route_add.function)::oid, 'EXECUTE') THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = pg_catalog.format('permission denied for function %s', route_add.function);
	END IF;
	PERFORM roost_internal.route(route_add.method, route_add.path, route_add.function, route_add.auth, route_add.limit_class,
		route_add.status, route_add.lane, route_add.cookies, route_add.sensitive, route_add.tags, route_add.cache);
	PERFORM roost_internal.audit_add('route.add', 'route', NULL, pg_catalog.jsonb_build_object('method', pg_catalog.upper(route_add.method),
		'path', route_add.path, 'function', route_add.function, 'auth', route_add.auth));
END
$$;
REVOKE ALL ON FUNCTION roost.route_add(text, text, text, text, text, integer, text, boolean, boolean, text[], text) FROM PUBLIC;
COMMENT ON FUNCTION roost.route_add(text, text, text, text, text, integer, text, boolean, boolean, text[], text) IS
'Lets your own function answer an HTTP method and path, or changes how it does. function: schema-qualified, with argument types if the name alone is ambiguous. path: segments, ":name" binds the argument of that name. auth: none (a token is ignored), optional, user. limit_class: rate limit policies to count against, "none" for no limit (default "default"). status: of a success. lane: fast, write or slow (default fast if the function is STABLE, else write). cookies: the result holds tokens that clients may take as cookies. sensitive: the result holds secrets. cache: how gateways may keep the answers to GET requests without a token or cookie (docs/cache.md): ids, until something changes whose id stands in the path or, under "id" or a name that ends in "_id", in the answer; list, the same, and a new post or an edit anywhere may add to it; time, for a minute; null, not at all. The route is part of a dump and wins over a built-in one of the same method and path. 42883 no such function, 42725 ambiguous name, 22023 bad path or cache, 42501 you may not execute the function.';

CREATE OR REPLACE FUNCTION roost.route_remove(method text, path text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	DELETE FROM roost_internal.route r
	WHERE r.method = pg_catalog.upper(route_remove.method) AND r.shape = pg_catalog.regexp_replace(route_remove.path, ':[a-z0-9_]+', ':', 'g') AND NOT r.builtin;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	PERFORM roost_internal.audit_add('route.remove', 'route', NULL, pg_catalog.jsonb_build_object('method', pg_catalog.upper(route_remove.method), 'path', route_remove.path));
	RETURN true;
END
$$;
REVOKE ALL ON FUNCTION roost.route_remove(text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost.route_remove(text, text) IS 'Takes away a route made by roost.route_add(). True if there was one. Built-in routes stay.';

CREATE OR REPLACE FUNCTION roost_internal.route_drop(method text, path text) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	DELETE FROM roost_internal.route r
	WHERE r.method = $1 AND r.shape = pg_catalog.regexp_replace($2, ':[a-z0-9_]+', ':', 'g') AND r.builtin
$$;
REVOKE ALL ON FUNCTION roost_internal.route_drop(text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.route_drop(text, text) IS 'Takes away a built-in route; for update scripts.';

CREATE OR REPLACE FUNCTION roost_internal.to_json(value anyelement) RETURNS text
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_json_to_json';
REVOKE ALL ON FUNCTION roost_internal.to_json(anyelement) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.to_json(anyelement) IS 'A value as it stands in an HTTP answer: composites as objects, roost.id as decimal strings, timestamps in RFC 3339 in UTC with milliseconds.';
