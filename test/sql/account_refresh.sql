-- Refresh tokens: rotation, tabs that refresh together, and stolen copies.

-- What a statement ends in: "ok", or SQLSTATE, field and message.
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_column text;
BEGIN
	EXECUTE statement;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS v_column = COLUMN_NAME;
	RETURN concat_ws(' ', SQLSTATE, nullif(v_column, ''), SQLERRM);
END
$$;

-- a day has 24 hours
SET timezone = 'UTC';
SELECT now() AS base \gset
SELECT roost_internal.clock_freeze(:'base');
SELECT refresh_token AS t0, session_id, (account).id AS ada FROM roost.auth_register('ref_ada', 'ref.ada@example.org', 'correct horse battery') \gset

-- Each token is exchanged for the next; the session lives on.
UPDATE roost_data.session SET last_used_at = last_used_at - interval '1 day', expires_at = expires_at - interval '1 day' WHERE id = :session_id;
SELECT refresh_token AS t1, r.session_id = :session_id AS same_session, (account).username, i.session_id = :session_id AS access
FROM roost.auth_refresh(:'t0', '192.0.2.7', 'curl/8') r, roost.token_verify(r.access_token) i \gset
\echo :same_session :username :access
SELECT :'t1' <> :'t0' AS rotated;
SELECT expires_at - :'base' AS expires, last_used_at - :'base' AS used, address, user_agent FROM roost_data.session WHERE id = :session_id;

-- The one just exchanged gives the same next one for ten seconds.
UPDATE roost_data.session SET refreshed_at = :'base'::timestamptz - interval '9.9 seconds' WHERE id = :session_id;
SELECT (roost.auth_refresh(:'t0')).refresh_token = :'t1' AS same;
SELECT (roost.auth_refresh(:'t0')).refresh_token = :'t1' AS same;

-- Later it ends the session, although the request fails.
UPDATE roost_data.session SET refreshed_at = :'base'::timestamptz - interval '10 seconds' WHERE id = :session_id;
SELECT pg_temp.try(format('SELECT roost.auth_refresh(%L)', :'t0'));
SELECT pg_temp.try(format('SELECT roost.auth_refresh(%L)', :'t1'));
SELECT roost.worker_sync('1 minute');
SELECT revoked_at IS NOT NULL AS revoked, roost_internal.session_revoked(id) AS access_refused FROM roost_data.session WHERE id = :session_id;
SELECT pg_temp.try(format('SELECT roost.auth_refresh(%L)', :'t1'));

-- So does an older one, even right away.
SELECT refresh_token AS t0, session_id FROM roost.auth_login('ref_ada', 'correct horse battery') \gset
SELECT (roost.auth_refresh(:'t0')).refresh_token AS t1 \gset
SELECT (roost.auth_refresh(:'t1')).refresh_token AS t2 \gset
SELECT pg_temp.try(format('SELECT roost.auth_refresh(%L)', :'t0'));
SELECT pg_temp.try(format('SELECT roost.auth_refresh(%L)', :'t2'));
SELECT roost.worker_sync('1 minute');
SELECT revoked_at IS NOT NULL AS revoked FROM roost_data.session WHERE id = :session_id;

-- Made-up tokens end nothing.
SELECT refresh_token AS t0, session_id FROM roost.auth_login('ref_ada', 'correct horse battery') \gset
SELECT pg_temp.try(format('SELECT roost.auth_refresh(%L)', t)) FROM unnest(ARRAY[
	:'session_id' || '.' || repeat('A', 43) || '.' || repeat('A', 22),
	left(:'t0', -1) || CASE right(:'t0', 1) WHEN 'A' THEN 'B' ELSE 'A' END,
	replace(:'t0', :'session_id', (:session_id + 1)::text),
	:'t0' || 'A', left(:'t0', -1), '.' || :'t0', repeat('9', 18) || '.' || repeat('A', 43) || '.' || repeat('A', 22),
	repeat('9', 30) || '.' || repeat('A', 43), repeat('A', 256)]) t;
SELECT pg_temp.try(format('SELECT roost.auth_refresh(%L)', t)) FROM unnest(ARRAY['', 'short', repeat('A', 257), 'with space in the token', '''; DROP TABLE x; --aaaa']) t;
SELECT (roost.auth_refresh(:'t0')).session_id = :session_id AS still_valid;

-- Expired, logged out, suspended.
SELECT refresh_token AS t0, session_id FROM roost.auth_login('ref_ada', 'correct horse battery') \gset
UPDATE roost_data.session SET expires_at = :'base' WHERE id = :session_id;
SELECT pg_temp.try(format('SELECT roost.auth_refresh(%L)', :'t0'));
SELECT refresh_token AS t0, session_id FROM roost.auth_login('ref_ada', 'correct horse battery') \gset
SELECT roost.auth_logout(:ada, :session_id);
SELECT pg_temp.try(format('SELECT roost.auth_refresh(%L)', :'t0'));
SELECT refresh_token AS t0 FROM roost.auth_login('ref_ada', 'correct horse battery') \gset
UPDATE roost_data.account SET status = 'suspended' WHERE id = :ada;
SELECT pg_temp.try(format('SELECT roost.auth_refresh(%L)', :'t0'));
SELECT roost_internal.clock_freeze(NULL);
