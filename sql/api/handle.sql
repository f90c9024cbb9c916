-- Requests.

CREATE OR REPLACE FUNCTION roost_internal.route_changed() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'roost_api_route_changed';
COMMENT ON FUNCTION roost_internal.route_changed() IS 'Trigger on roost_internal.route: every backend reads the routes again.';

CREATE OR REPLACE TRIGGER route_changed
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON roost_internal.route
	FOR EACH STATEMENT EXECUTE FUNCTION roost_internal.route_changed();

CREATE OR REPLACE FUNCTION roost.handle(method text, path text, query text, headers text, body text, client_address text) RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'roost_api_handle';
REVOKE ALL ON FUNCTION roost.handle(text, text, text, text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost.handle(text, text, text, text, text, text) IS
'Answers one HTTP request: finds the route, checks the access token and the rate limit, binds path, query and body to the arguments of the route''s function, calls it and writes its result as JSON. path: with or without the base path, still percent-encoded; query: the raw query string without "?"; headers: lines "name: value" with lower-case names; body: the raw body or NULL; client_address: who sent it. Returns the status, header lines "Name: value", an empty line and the body. Errors are PostgreSQL errors whose context holds lines "roost-header: Name: value" and "roost-member: name: JSON"; roost.error_codes() gives their HTTP status.';

CREATE OR REPLACE FUNCTION roost.request_header(name text) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'roost_api_request_header';
COMMENT ON FUNCTION roost.request_header(text) IS 'A header of the HTTP request that is being answered; NULL if it was not sent or outside a request. Of all headers a client may send, only those in roost.gateway_config() arrive; Authorization and Cookie are never told.';

CREATE OR REPLACE FUNCTION roost.response_header(name text, value text) RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'roost_api_response_header';
COMMENT ON FUNCTION roost.response_header(text, text) IS 'Adds a header to the answer to the HTTP request, also if it becomes an error; does nothing outside a request. 22023 if name or value cannot stand in a header.';

CREATE OR REPLACE FUNCTION roost.response_status(status integer) RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'roost_api_response_status';
COMMENT ON FUNCTION roost.response_status(integer) IS 'Sets the HTTP status of the answer, 200 to 399 but not 304; failures are errors. Does nothing outside a request. 22023 for any other status.';

CREATE OR REPLACE FUNCTION roost.problem_member(name text, value jsonb) RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'roost_api_problem_member';
COMMENT ON FUNCTION roost.problem_member(text, jsonb) IS 'Adds a member to the problem (application/problem+json) that the answer to the HTTP request becomes if the function raises an error with a status below 500: what programs need to do better. Each name once. Does nothing outside a request, and if the request succeeds. 22023 for a name that is not made of 1 to 32 of a-z and _, or that every problem has; 54000 if all members together have more than 512 kB.';

CREATE OR REPLACE FUNCTION roost.gateway_config() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	WITH route AS (
		SELECT DISTINCT ON (r.method, r.shape) r.method, r.path, r.lane, r.sensitive, r.cache, r.method = 'GET' AND p.provolatile <> 'v' AS standby,
			CASE WHEN r.cache IS NOT NULL THEN r.function || ' ' || p.oid || ' ' || p.xmin END AS revision
		FROM roost_internal.route r
		LEFT JOIN pg_catalog.pg_proc p ON p.oid = CASE WHEN r.function LIKE '%(%'
			THEN pg_catalog.to_regprocedure(r.function)::oid ELSE pg_catalog.to_regproc(r.function)::oid END
		ORDER BY r.method, r.shape, r.builtin
	), config AS (
		SELECT pg_catalog.jsonb_build_object(
			'base_path', pg_catalog.current_setting('roost.api_base_path'),
			'headers', '["accept-language", "authorization", "content-type", "cookie", "host", "idempotency-key", "if-none-match", "user-agent", "x-csrf-token", "x-forwarded-proto", "x-request-id", "x-roost-cookies"]'::jsonb,
			'routes', (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
				'method', route.method, 'path', route.path, 'lane', route.lane, 'sensitive', route.sensitive, 'standby', coalesce(route.standby, false), 'cache', route.cache)
				ORDER BY route.path, route.method) FROM route),
			'revision', (SELECT pg_catalog.md5(pg_catalog.string_agg(route.revision, ',' ORDER BY route.path)) FROM route)) AS config
	)
	SELECT pg_catalog.jsonb_build_object('version', pg_catalog.md5(config::text)) || config FROM config
$$;
REVOKE ALL ON FUNCTION roost.gateway_config() FROM PUBLIC;
COMMENT ON FUNCTION roost.gateway_config() IS
'What a gateway must know: {"version", "base_path", "headers": names of the request headers to forward, "routes": [{"method", "path", "lane", "sensitive": the answer holds secrets (it is not compressed), "standby": may run on a hot standby, "cache": null, "ids", "list" or "time", as in roost.route_add()}], "revision": changes with the functions whose answers may be kept}. version changes with any of it.';

CREATE OR REPLACE FUNCTION roost.gateway_position() RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'roost_api_gateway_position';
REVOKE ALL ON FUNCTION roost.gateway_position() FROM PUBLIC;
COMMENT ON FUNCTION roost.gateway_position() IS
'How far this server is, for a gateway with read-url: "system timeline lsn commit role". system: the identifier of the cluster, the same on its standbys; timeline; lsn: what a standby has replayed, what the primary has on disk; commit: where the last transaction of this session that wrote anything has ended, 0/0 if none has; role: primary or standby.';
