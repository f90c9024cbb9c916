-- Logging in.

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

SELECT (account).id AS ada FROM roost.auth_register('Log_Ada', 'log.ada@example.org', 'correct horse battery') \gset

-- By user name or e-mail address, in any case.
SELECT i, (roost.auth_login(i, 'correct horse battery')).account.username
FROM unnest(ARRAY['log_ada', 'LOG_ADA', '@log_ada', 'log.ada@example.org', 'LOG.Ada@Example.org']) i;

-- Whatever is wrong, the answer is the same.
SELECT i, pg_temp.try(format('SELECT roost.auth_login(%L, ''not the right one'')', i))
FROM unnest(ARRAY['log_ada', 'log_nobody', 'log.ada@example.org', 'log.nobody@example.org', ''' OR true --', '@', 'a@', '%']) i;

-- So is the work: as many hashes for an address without an account as for one with two.
SELECT i, count(*) AS hashes FROM unnest(ARRAY['log_ada', 'log_nobody', 'log.ada@example.org', 'log.nobody@example.org']) i, roost_internal.login_candidates(i)
GROUP BY i ORDER BY i;

-- A session a device: logging in again on it ends the earlier one.
SELECT (roost.auth_login('log_ada', 'correct horse battery', '{"id": "tv", "name": "the TV"}')).session_id AS first \gset
SELECT (roost.auth_login('log_ada', 'correct horse battery', '{"id": "tv"}')).session_id AS second \gset
SELECT s.id = :second AS second, s.revoked_at IS NOT NULL AS revoked, d.name FROM roost_data.session s JOIN roost_data.device d ON d.id = s.device_id
WHERE d.account_id = :ada AND d.client_id = 'tv' ORDER BY s.id;
SELECT roost_internal.session_revoked(:first) AS first, roost_internal.session_revoked(:second) AS second;

-- Another account's device of that name is another device.
SELECT (account).id AS bob FROM roost.auth_register('log_bob', 'log.bob@example.org', 'correct horse battery', device => '{"id": "tv"}') \gset
SELECT count(*) FROM roost_data.device WHERE client_id = 'tv' AND account_id IN (:ada, :bob);

-- The longest unused sessions make room.
SELECT count(roost_internal.session_create(:ada, NULL, NULL, NULL)) FROM generate_series(1, 60);
SELECT count(*) FROM roost_data.session WHERE account_id = :ada AND revoked_at IS NULL;
SELECT a.last_login_at = a.last_active_at AS active FROM roost_data.account a WHERE a.id = :ada;

-- bcrypt (as imported) is accepted once, then it is argon2id.
UPDATE roost_data.account_credential SET password_hash = crypt('correct horse battery', gen_salt('bf', 4))
WHERE account_id = :ada;
SELECT roost_internal.password_verify('correct horse battery', password_hash) AS same FROM roost_data.account_credential WHERE account_id = :ada;
SELECT (roost.auth_login('log_ada', 'correct horse battery')).account.username;
SELECT left(password_hash, 10) AS hash FROM roost_data.account_credential WHERE account_id = :ada;
SELECT (roost.auth_login('log_ada', 'correct horse battery')).account.username;

-- No password yet: nothing matches, not even the empty hash.
UPDATE roost_data.account_credential SET password_hash = NULL WHERE account_id = :ada;
SELECT pg_temp.try($$SELECT roost.auth_login('log_ada', 'correct horse battery')$$);
SELECT roost_internal.login_succeeded(roost_internal.login_key('log_ada'));

-- Two accounts that name one address: the password tells which.
SELECT (account).id AS carol FROM roost.auth_register('log_carol', 'log.shared@example.org', 'the password of carol') \gset
SELECT roost_internal.email_verified(:carol, 'log.shared@example.org');
SELECT (account).id AS dave FROM roost.auth_register('log_dave', 'log.shared@example.org', 'the password of dave') \gset
SELECT (roost.auth_login('log.shared@example.org', 'the password of carol')).account.username;
SELECT (roost.auth_login('log.shared@example.org', 'the password of dave')).account.username;

-- Suspended: only who knows the password is told.
UPDATE roost_data.account SET status = 'suspended' WHERE id = :bob;
SELECT pg_temp.try($$SELECT roost.auth_login('log_bob', 'correct horse battery')$$);
SELECT pg_temp.try($$SELECT roost.auth_login('log_bob', 'not the right one')$$);

-- Five failures lock what was typed, also where there is no account; a failed request counts.
SELECT pg_temp.try($$SELECT roost.auth_login('log.erin@example.org', 'not the right one')$$) FROM generate_series(1, 5);
SELECT left(pg_temp.try($$SELECT roost.auth_login('LOG.erin@example.org', 'not the right one')$$), 30);
SELECT pg_temp.try($$SELECT roost.auth_login('log_carol', 'not the right one')$$) FROM generate_series(1, 5);
SELECT left(pg_temp.try($$SELECT roost.auth_login('@Log_Carol', 'the password of carol')$$), 30);
-- Her address is another door; a new password opens the first one again.
SELECT (roost.auth_login('log.shared@example.org', 'the password of carol')).account.username;
SELECT roost.auth_forgot_password('log.shared@example.org');
SELECT substring(payload->>'text', 'token=(\S+)') AS token FROM roost_data.job WHERE kind = 'reset_password' AND payload->>'to' = 'log.shared@example.org' \gset
SELECT roost.auth_reset_password(:'token', 'another good password');
SELECT (roost.auth_login('log_carol', 'another good password')).account.username;

-- However a name is written, it is one target of the rate limit (10 in 5 minutes), from wherever it is tried.
CREATE FUNCTION pg_temp.attempt(identifier text, address text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM roost.handle('POST', '/auth/login', '', 'content-type: application/json', jsonb_build_object('identifier', identifier, 'password', 'a wrong one')::text, address);
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
SELECT roost_internal.clock_freeze(now());
SELECT pg_temp.attempt(repeat('@', n) || CASE WHEN n % 2 = 0 THEN 'Log_Target' ELSE 'log_TARGET' END, '203.0.113.' || n) AS answer
FROM generate_series(1, 12) n;
