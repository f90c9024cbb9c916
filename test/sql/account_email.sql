-- E-mail addresses: proved, sent again, changed.
SET timezone = 'UTC';
SET datestyle = 'ISO';

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

-- Why a token is refused.
CREATE FUNCTION pg_temp.why(token text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_detail text;
BEGIN
	PERFORM roost.auth_verify_email(token);
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL;
	RETURN v_detail;
END
$$;

CREATE FUNCTION pg_temp.mailed(recipient text) RETURNS text LANGUAGE sql AS $$
	SELECT substring(payload->>'text', 'token=(\S+)') FROM roost_data.job WHERE payload->>'to' = $1 AND kind = 'verify_email' ORDER BY id DESC LIMIT 1
$$;
SELECT (account).id AS ada FROM roost.auth_register('eml_ada', 'eml.ada@example.org', 'correct horse battery', 'Ada <b>', language => 'pt-BR') \gset
SELECT payload - '{text,html,account_id}'::text[] AS mail, secret, payload->>'text' LIKE 'Hello Ada <b>,%' AS text, payload->>'html' LIKE '%Hello Ada &lt;b&gt;,%' AS html
FROM roost_data.job WHERE payload->>'to' = 'eml.ada@example.org';
SELECT pg_temp.mailed('eml.ada@example.org') AS first \gset
SELECT roost.auth_resend_verification(:ada);
SELECT pg_temp.mailed('eml.ada@example.org') AS second \gset
SELECT :'first' <> :'second' AS another;

-- Either works, once; then no more mails.
SELECT pg_temp.try(format('SELECT roost.auth_reset_password(%L, ''another good password'')', :'first'));
SELECT roost.auth_verify_email(:'first');
SELECT email, email_verified FROM roost.account_me(:ada);
SELECT pg_temp.try(format('SELECT roost.auth_verify_email(%L)', :'first')), pg_temp.try(format('SELECT roost.auth_verify_email(%L)', :'second'));
SELECT pg_temp.try(format('SELECT roost.auth_verify_email(%L)', repeat('A', 43)));
SELECT pg_temp.why(:'first') AS used, pg_temp.why(:'second') AS other, pg_temp.why(repeat('A', 43)) AS unknown;
SELECT roost.auth_resend_verification(:ada);
SELECT pg_temp.mailed('eml.ada@example.org') = :'second' AS none_sent;

-- Two who name one address: it belongs to who proves it first.
SELECT (account).id AS bob FROM roost.auth_register('eml_bob', 'eml.both@example.org', 'correct horse battery') \gset
SELECT pg_temp.mailed('eml.both@example.org') AS bob_token \gset
SELECT (account).id AS eve FROM roost.auth_register('eml_eve', 'eml.both@example.org', 'correct horse battery') \gset
SELECT pg_temp.mailed('eml.both@example.org') AS eve_token \gset
SELECT roost.auth_verify_email(:'bob_token');
SELECT pg_temp.try(format('SELECT roost.auth_verify_email(%L)', :'eve_token'));
SELECT (roost.account_me(:bob)).email_verified AS bob, (roost.account_me(:eve)).email_verified AS eve;
-- Asking again tells the mailbox, not the caller.
SELECT roost.auth_resend_verification(:eve);
SELECT kind, payload->>'text' LIKE '%@eml_eve%' AS names_eve, payload->>'text' ~ 'token=' AS has_token
FROM roost_data.job WHERE payload->>'to' = 'eml.both@example.org' ORDER BY id DESC LIMIT 1;

-- Changing takes the password, and proof of the new address; the former one is told.
SELECT pg_temp.try(format('SELECT roost.auth_change_email(%s, ''eml.new@example.org'', ''wrong wrong wrong'')', :ada));
SELECT roost.auth_change_email(:ada, 'EML.new@example.org', 'correct horse battery');
SELECT email, email_verified FROM roost.account_me(:ada);
SELECT roost.auth_verify_email(pg_temp.mailed('eml.new@example.org'));
SELECT email, email_verified FROM roost.account_me(:ada);
SELECT payload->>'to' AS recipient, payload->>'subject' AS subject FROM roost_data.job WHERE kind = 'email_changed';
-- To a taken one: the same answer, and nothing changes.
SELECT roost.auth_change_email(:ada, 'eml.both@example.org', 'correct horse battery');
SELECT email FROM roost.account_me(:ada);

-- Expired tokens go with maintenance.
SELECT roost.auth_change_email(:ada, 'eml.late@example.org', 'correct horse battery');
SELECT roost_internal.clock_freeze(now() + '49 hours');
SELECT pg_temp.try(format('SELECT roost.auth_verify_email(%L)', pg_temp.mailed('eml.late@example.org')));
SELECT pg_temp.why(pg_temp.mailed('eml.late@example.org')) AS expired;
SELECT roost_internal.clock_freeze(now() + '4 days');
SELECT roost_internal.account_maintenance() > 0 AS purged;
SELECT count(*) FROM roost_data.email_token WHERE account_id IN (:ada, :bob, :eve);
SELECT roost_internal.clock_freeze(NULL);

-- An address gets five such mails an hour, whoever asks; the answers stay the same.
SELECT count(roost.auth_register(('eml_flood' || n)::roost.username, 'eml.flood@example.org', 'correct horse battery')) FROM generate_series(1, 4) n;
SELECT count(roost.auth_forgot_password('eml.flood@example.org')) FROM generate_series(1, 4);
SELECT kind, count(*) FROM roost_data.job WHERE payload->>'to' = 'eml.flood@example.org' GROUP BY kind ORDER BY kind;
UPDATE roost_data.email_token SET created_at = created_at - interval '61 minutes' WHERE email = 'eml.flood@example.org';
SELECT roost.auth_forgot_password('eml.flood@example.org');
SELECT kind, count(*) FROM roost_data.job WHERE payload->>'to' = 'eml.flood@example.org' GROUP BY kind ORDER BY kind;
