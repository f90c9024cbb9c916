-- Sessions and devices: listed, ended, logged out.

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
SELECT (account).id AS ada, session_id AS s1, access_token AS a1 FROM roost.auth_register('ses_ada', 'ses.ada@example.org', 'correct horse battery', device => '{"id": "one", "name": "phone", "platform": "ios"}') \gset
SELECT session_id AS s2, access_token AS a2 FROM roost.auth_login('ses_ada', 'correct horse battery', '{"id": "two", "name": "laptop"}', '2001:db8::1', 'Firefox/128.0 (Linux)') \gset
SELECT session_id AS s3, access_token AS a3 FROM roost.auth_login('ses_ada', 'correct horse battery', '{"id": "three", "name": "TV"}') \gset
SELECT (account).id AS eve, session_id AS e1 FROM roost.auth_register('ses_eve', 'ses.eve@example.org', 'correct horse battery') \gset

SELECT device_name, platform, user_agent, address, expires_at - last_used_at AS lives, current FROM roost.session_list(:ada, :s2);
SELECT name, platform, current FROM roost.device_list(:ada, (roost.token_verify(:'a3')).device_id);

-- Others' are not found, and stay.
SELECT pg_temp.try(format('SELECT roost.session_delete(%s, %s)', :eve, :s1));
SELECT pg_temp.try(format('SELECT roost.device_delete(%s, %s)', :eve, d.id)) FROM roost.device_list(:ada) d;
SELECT pg_temp.try(format('SELECT roost.session_delete(%s, %s)', :ada, 1));
SELECT count(*) FROM roost.session_list(:ada);

-- One ended: its tokens end with it, the others live.
SELECT roost.session_delete(:ada, :s1);
SELECT pg_temp.try(format('SELECT roost.token_verify(%L)', :'a1')), pg_temp.try(format('SELECT roost.token_verify(%L)', :'a2'));
SELECT pg_temp.try(format('SELECT roost.session_delete(%s, %s)', :ada, :s1));
SELECT device_name FROM roost.session_list(:ada);

-- A device removed: its session ends, too.
SELECT roost.device_delete(:ada, d.id) FROM roost.device_list(:ada) d WHERE d.name = 'laptop';
SELECT pg_temp.try(format('SELECT roost.token_verify(%L)', :'a2'));
SELECT name FROM roost.device_list(:ada);

-- Undone with its transaction.
BEGIN;
SELECT roost.auth_logout(:ada, :s3);
ROLLBACK;
SELECT pg_temp.try(format('SELECT roost.token_verify(%L)', :'a3'));
SELECT roost.auth_logout(:ada, :s3);
SELECT pg_temp.try(format('SELECT roost.token_verify(%L)', :'a3'));
SELECT count(*) FROM roost.session_list(:ada);

-- All at once.
SELECT count(roost.auth_login('ses_ada', 'correct horse battery')) FROM generate_series(1, 3);
SELECT roost.auth_logout_all(:ada);
SELECT count(*) FROM roost.session_list(:ada);
SELECT count(*) FROM roost.session_list(:eve);

-- Maintenance removes what ended long ago, and the devices that had no name of their own.
SELECT roost_internal.clock_freeze(now() + '3 days');
SELECT roost_internal.account_maintenance() > 0 AS purged;
SELECT count(*) FROM roost_data.session WHERE account_id = :ada;
SELECT client_id, name FROM roost_data.device WHERE account_id = :ada ORDER BY client_id;
SELECT count(*) FROM roost_data.session WHERE id = :e1;
SELECT roost_internal.clock_freeze(now() + '9 days');
SELECT roost_internal.account_maintenance() > 0 AS purged;
SELECT count(*) FROM roost_data.session WHERE id = :e1;
SELECT roost_internal.clock_freeze(NULL);

-- Nobody but trusted roles may call any of it with an actor of their choice.
SELECT p.oid::regprocedure FROM pg_proc p
WHERE p.pronamespace = 'roost'::regnamespace AND p.proname ~ '^(auth|account|session|device|job)_' AND has_function_privilege('public', p.oid, 'EXECUTE');
