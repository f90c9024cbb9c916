-- The audit trail: who did what, in a chain, for those who may read it.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET application_name = 'audit_trail';

-- Waits until all that is committed is in the chain.
CREATE PROCEDURE pg_temp.seal() LANGUAGE plpgsql AS $$
BEGIN
	COMMIT;
	WHILE EXISTS (SELECT FROM roost_data.audit_entry) LOOP
		PERFORM roost.worker_sync('1 minute');
		COMMIT;
	END LOOP;
END
$$;
CREATE FUNCTION pg_temp.ask(token text, method text, path text, body text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_answer text;
BEGIN
	v_answer := roost.handle(method, split_part(path, '?', 1), split_part(path, '?', 2),
		concat_ws(E'\n', 'authorization: Bearer ' || token, 'content-type: application/json', 'x-request-id: req-1'), body, '192.0.2.7');
	RETURN split_part(v_answer, E'\n', 1) || coalesce(' ' || nullif(substring(v_answer FROM E'\n\n(.*)$'), ''), '');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
-- Entries since a mark, with names instead of ids. Failed logins of tests before this one are told within a minute, so at any time.
CREATE FUNCTION pg_temp.entries(mark bigint) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' | ', a.action, coalesce('of ' || c.username, '-'), coalesce('by ' || d.username, '-'), a.role, a.source, coalesce(a.cause, '-'),
		CASE WHEN a.session_id IS NOT NULL THEN 'session' END, a.request_id, a.address)
	FROM roost_data.audit a
	LEFT JOIN roost_data.account c ON c.id = a.account_id LEFT JOIN roost_data.account d ON d.id = a.actor_id
	WHERE a.seq > mark AND a.action <> 'login.failed' ORDER BY a.seq
$$;

CALL pg_temp.seal();
SELECT seq AS mark FROM roost.audit_head() \gset
SELECT (account).id AS ada, access_token AS token FROM roost.auth_register('aud_ada', 'aud.ada@example.org', 'correct horse battery') \gset
SELECT (account).id AS bob, access_token AS bobs FROM roost.auth_register('aud_bob', 'aud.bob@example.org', 'correct horse battery') \gset
UPDATE roost_data.account SET role = 'admin' WHERE id = :ada;
SELECT pg_temp.ask(:'bobs', 'POST', '/auth/change-password', '{"current_password": "correct horse battery", "new_password": "staple battery horse"}');
SELECT pg_temp.ask(:'bobs', 'POST', '/auth/logout');
CALL pg_temp.seal();
SELECT * FROM pg_temp.entries(:mark);

-- What is taken back leaves nothing; what of it stays, stays.
SELECT seq AS mark FROM roost.audit_head() \gset
BEGIN;
SELECT roost_internal.audit_add('test.first', 'test', 1);
SAVEPOINT s;
SELECT roost_internal.audit_add('test.undone', 'test', 2);
ROLLBACK TO s;
SELECT roost_internal.audit_add('test.second', 'test', 3, jsonb_build_object('account_id', :bob), :ada);
COMMIT;
BEGIN;
SELECT roost_internal.audit_add('test.never', 'test', 4);
ROLLBACK;
CALL pg_temp.seal();
SELECT * FROM pg_temp.entries(:mark);
SELECT application, session_role = session_user AS session_role, transaction > 0 AS numbered, octet_length(hash) FROM roost_data.audit WHERE seq > :mark AND action = 'test.first';

-- A function's note of who acts is void in the next statement of the transaction.
SELECT seq AS mark FROM roost.audit_head() \gset
BEGIN;
SELECT roost_internal.permission_check(:ada, 'audit.read');
UPDATE roost_data.account SET is_verified = true WHERE id = :bob;
COMMIT;
CREATE ROLE regress_audit;
GRANT USAGE ON SCHEMA roost_data TO regress_audit;
GRANT SELECT, UPDATE ON roost_data.account TO regress_audit;
SET ROLE regress_audit;
UPDATE roost_data.account SET is_verified = false WHERE id = :bob;
RESET ROLE;
CALL pg_temp.seal();
SELECT * FROM pg_temp.entries(:mark) WHERE entries NOT LIKE 'ddl.%';

-- Only added to, whoever asks.
UPDATE roost_data.audit SET actor_id = 1;
DELETE FROM roost_data.audit;
TRUNCATE roost_data.audit;
DELETE FROM roost_data.audit_entry;
TRUNCATE roost_data.audit_entry;
UPDATE roost_data.audit_state SET seq = 0;
DELETE FROM roost_data.audit_anchor;
SET session_replication_role = replica;
DELETE FROM roost_data.audit;
UPDATE roost_data.audit_entry SET actor_id = 1;
RESET session_replication_role;
SELECT sealed FROM roost_internal.audit_seal(NULL, 10);
SELECT roost_internal.audit_add(NULL, 'test', 1);
SELECT roost_internal.audit_add('test.null', NULL, 1);

-- With the setting, addresses and request ids.
ALTER SYSTEM SET roost.audit_address = on;
SELECT pg_reload_conf();
-- A session reads its configuration anew only between statements.
\set ECHO none
\o /dev/null
SELECT $$SELECT pg_sleep(0.02) WHERE current_setting('roost.audit_address') <> 'on'$$ FROM generate_series(1, 3000) \gexec
\o
\set ECHO all
SELECT seq AS mark FROM roost.audit_head() \gset
SELECT access_token AS bobs FROM roost.auth_login('aud_bob', 'staple battery horse') \gset
SELECT pg_temp.ask(:'bobs', 'POST', '/auth/logout-all');
ALTER SYSTEM RESET roost.audit_address;
SELECT pg_reload_conf();
CALL pg_temp.seal();
SELECT * FROM pg_temp.entries(:mark);

-- Reading takes a permission, and is an entry itself; pages of the same are one.
SELECT access_token AS bobs FROM roost.auth_login('aud_bob', 'staple battery horse') \gset
SELECT pg_temp.ask(:'bobs', 'GET', '/admin/audit'), pg_temp.ask(:'bobs', 'POST', '/admin/audit/verify', '{}'), pg_temp.ask(:'bobs', 'GET', '/admin/audit/head'), pg_temp.ask('', 'GET', '/admin/audit');
CALL pg_temp.seal();
SELECT seq AS mark FROM roost.audit_head() \gset
SELECT action, account_username, actor_username, detail FROM roost.audit_list(:ada, account => :bob, action => 'account.update');
SELECT count(*) AS all, count(*) FILTER (WHERE cursor = seq) AS cursors, bool_and(seq < lag) AS newest_first
FROM (SELECT l.*, lag(l.seq) OVER () FROM roost.audit_list(:ada, actor => :bob, "limit" => 5) l) p;
SELECT count(*) FROM roost.audit_list(:ada, actor => :bob, "limit" => 5, before => :'mark');
SELECT array_agg(p.seq ORDER BY p.seq) = (SELECT array_agg(s.seq ORDER BY s.seq) FROM (SELECT a.seq FROM roost_data.audit a WHERE a.seq > 1 ORDER BY a.seq LIMIT 3) s) AS after
FROM roost.audit_list(:ada, "limit" => 3, after => '1') p;
SELECT count(*) FROM roost.audit_list(:ada, object_type => 'account', object_id => :'bob', since => now() - interval '1 hour', until => now() + interval '1 hour', action => 'account.create');
SELECT count(*) FROM roost.audit_list(:ada, object_type => 'account', object_id => :'bob', since => now() + interval '1 hour');
CALL pg_temp.seal();
SELECT count(*) FROM roost.audit_list(:ada, actor => :bob, "limit" => 2);
CALL pg_temp.seal();
SELECT action, object_type, detail - 'actor' - 'account' - 'object_id' - 'since' - 'until' AS detail FROM roost_data.audit WHERE seq > :mark AND actor_id = :ada ORDER BY seq;
SELECT left(pg_temp.ask(:'token', 'GET', '/admin/audit?limit=1&action=audit.read'), 17);
SELECT pg_temp.ask(:'token', 'POST', '/admin/audit/verify', '{}') LIKE '200 {"ok":true,"reason":null,%' AS verified;
SELECT pg_temp.ask(:'token', 'GET', '/admin/audit/head') ~ '^200 \{"seq":\d+,"hash":"[0-9a-f]{64}","at":"[^"]+"\}$' AS head;
SELECT pg_temp.ask(:'token', 'GET', '/admin/audit?actor=nobody'), pg_temp.ask(:'token', 'GET', '/admin/audit?before=x');
SELECT count(*) FROM roost.audit_list(:ada, object_id => ''' OR true --');

-- An account sees what concerns its own security, and nothing of limits.
UPDATE roost_data.account SET limited_at = now() WHERE id = :bob;
UPDATE roost_data.account SET role = 'moderator' WHERE id = :bob;
SELECT count(*) FROM (SELECT pg_temp.ask('', 'POST', '/auth/login', '{"identifier": "aud_bob", "password": "wrong wrong wrong"}') FROM generate_series(1, 3)) f;
CALL pg_temp.seal();
-- Failures are written by the worker's own turn, and sealed in the next.
DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM roost_data.audit a JOIN roost_data.account c ON c.id = a.account_id WHERE a.action = 'login.failed' AND c.username = 'aud_bob') LOOP PERFORM roost.worker_sync('1 minute'); COMMIT; END LOOP; END $$;
SELECT kind, by, session_id IS NOT NULL AS session, CASE WHEN kind = 'login_failed' THEN jsonb_build_object('count', (detail->>'count')::integer BETWEEN 1 AND 3) ELSE detail END AS detail
FROM roost.security_event_list(:bob) ORDER BY id;
SELECT kind FROM roost.security_event_list(:bob, 1);
SELECT kind FROM roost.security_event_list(:bob, 2, after => '0');
SELECT pg_temp.ask(:'bobs', 'GET', '/me/security-events?limit=1') ~ '^200 \{"items":\[\{"id":\d+,"at":"[^"]+","kind":"login_failed"' AS page;
SELECT jsonb_array_length(roost_internal.audit_export(:bob)->'security_events') > 5 AS exported;

-- A route of one's own, an import, a grant, a rotated key.
SELECT seq AS mark FROM roost.audit_head() \gset
CREATE FUNCTION public.audit_hello() RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'hello' $$;
SELECT roost.route_add('GET', '/audit-hello', 'public.audit_hello', auth => 'none');
SELECT roost.route_remove('GET', '/audit-hello'), roost.route_remove('GET', '/audit-hello');
SELECT inserted FROM roost.account_import();
BEGIN;
SELECT roost.grant_worker('regress_audit');
SELECT roost.key_rotate() IS NOT NULL AS rotated;
SELECT action, detail - 'function' FROM roost_data.audit_entry WHERE action !~ '^ddl' AND transaction = pg_current_xact_id()::text::bigint AND action NOT LIKE 'signing_key.%' ORDER BY id;
SELECT DISTINCT action, detail ? 'changed' AS changed, detail->'new' ? 'secret' OR detail->'old' ? 'secret' AS secret FROM roost_data.audit_entry WHERE transaction = pg_current_xact_id()::text::bigint AND action LIKE 'signing_key.%' ORDER BY 1;
ROLLBACK;
CALL pg_temp.seal();
SELECT action, object_type, detail FROM roost_data.audit WHERE seq > :mark AND action !~ '^ddl' AND action <> 'login.failed' ORDER BY seq;
DROP FUNCTION public.audit_hello();
DROP OWNED BY regress_audit;
DROP ROLE regress_audit;

-- Analysts see numbers, no persons.
SELECT day = (now() AT TIME ZONE 'UTC')::date OR day = (now() AT TIME ZONE 'UTC')::date - 1 AS today, action, source, entries > 0 AS entries FROM roost_bi.audit_daily WHERE action = 'test.first';
