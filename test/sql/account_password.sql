-- Passwords: changed, forgotten, set anew.

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

SELECT (account).id AS ada, session_id AS s1 FROM roost.auth_register('pwd_ada', 'pwd.ada@example.org', 'correct horse battery') \gset
SELECT session_id AS s2 FROM roost.auth_login('pwd_ada', 'correct horse battery') \gset
SELECT roost_internal.email_verified(:ada, 'pwd.ada@example.org');
DELETE FROM roost_data.job WHERE payload->>'to' ~ '^pwd\.';

-- Changing takes the current one, and a good new one.
SELECT pg_temp.try(format('SELECT roost.auth_change_password(%s, %s, ''wrong wrong wrong'', ''another good password'')', :ada, :s1));
SELECT pg_temp.try(format('SELECT roost.auth_change_password(%s, %s, ''correct horse battery'', ''short'')', :ada, :s1));
SELECT pg_temp.try(format('SELECT roost.auth_change_password(%s, %s, ''correct horse battery'', ''pwd_ada pwd_ada'')', :ada, :s1));
SELECT pg_temp.try('SELECT roost.auth_change_password(1, 1, ''correct horse battery'', ''another good password'')');
SELECT count(*) FROM roost.session_list(:ada);
SELECT roost.auth_change_password(:ada, :s1, 'correct horse battery', 'another good password');
SELECT id = :s1 AS kept FROM roost.session_list(:ada);
SELECT pg_temp.try($$SELECT roost.auth_login('pwd_ada', 'correct horse battery')$$), pg_temp.try($$SELECT roost.auth_login('pwd_ada', 'another good password')$$);
SELECT kind, payload->>'to' AS recipient, payload->>'subject' AS subject, payload->>'text' LIKE '%password%battery%' AS shows_it FROM roost_data.job WHERE payload->>'to' ~ '^pwd\.';

-- Wrong guesses of it count like failed logins.
SELECT pg_temp.try(format('SELECT roost.auth_change_password(%s, %s, ''wrong wrong wrong'', ''another good password'')', :ada, :s1)) FROM generate_series(1, 5);
SELECT left(pg_temp.try(format('SELECT roost.auth_change_password(%s, %s, ''another good password'', ''correct horse battery'')', :ada, :s1)), 30);

-- Forgotten: the answer tells nothing, a mail comes or not.
DELETE FROM roost_data.job WHERE payload->>'to' ~ '^pwd\.';
SELECT pg_temp.try(format('SELECT roost.auth_forgot_password(%L)', a)) FROM unnest(ARRAY['PWD.ada@example.org', 'pwd.nobody@example.org']) a;
SELECT pg_temp.try(format('SELECT roost.auth_forgot_password(%L)', 'no address'));
SELECT kind, payload->>'to' AS recipient FROM roost_data.job WHERE payload->>'to' ~ '^pwd\.';
SELECT count(*) AS tokens, count(*) FILTER (WHERE account_id = :ada) AS of_ada FROM roost_data.email_token WHERE email ~ '^pwd\.' AND purpose = 'reset';

-- The token is for this only, works once, and with a good password.
SELECT substring(payload->>'text', 'token=(\S+)') AS token FROM roost_data.job WHERE kind = 'reset_password' AND payload->>'to' = 'pwd.ada@example.org' \gset
SELECT digest = roost_internal.token_digest(:'token') AS only_the_digest FROM roost_data.email_token WHERE account_id = :ada AND purpose = 'reset';
SELECT pg_temp.try(format('SELECT roost.auth_verify_email(%L)', :'token'));
SELECT pg_temp.try(format('SELECT roost.auth_reset_password(%L, ''short'')', :'token'));
SELECT pg_temp.try(format('SELECT roost.auth_reset_password(%L, ''a third good password'')', reverse(:'token')));
SELECT roost.auth_reset_password(:'token', 'a third good password');
SELECT pg_temp.try(format('SELECT roost.auth_reset_password(%L, ''a fourth good password'')', :'token'));
SELECT count(*) AS sessions FROM roost.session_list(:ada);
SELECT (roost.auth_login('pwd_ada', 'a third good password')).session_id AS s3 \gset
-- It also unlocked changing.
SELECT roost.auth_change_password(:ada, :s3, 'a third good password', 'another good password');

-- Too late.
SELECT roost.auth_forgot_password('pwd.ada@example.org');
SELECT substring(payload->>'text', 'token=(\S+)') AS token FROM roost_data.job WHERE kind = 'reset_password' AND payload->>'to' = 'pwd.ada@example.org' ORDER BY id DESC LIMIT 1 \gset
SELECT roost_internal.clock_freeze(now() + '61 minutes');
SELECT pg_temp.try(format('SELECT roost.auth_reset_password(%L, ''a fourth good password'')', :'token'));
SELECT roost_internal.clock_freeze(NULL);

-- A new password makes open tokens worthless: those to set another, and those to bring another address.
SELECT roost.auth_change_email(:ada, 'pwd.thief@example.org', 'another good password');
SELECT roost.auth_change_password(:ada, :s3, 'another good password', 'a fifth good password');
SELECT substring(payload->>'text', 'token=(\S+)') AS thief FROM roost_data.job WHERE payload->>'to' = 'pwd.thief@example.org' \gset
SELECT pg_temp.try(format('SELECT roost.auth_reset_password(%L, ''a fourth good password'')', :'token'));
SELECT pg_temp.try(format('SELECT roost.auth_verify_email(%L)', :'thief'));

-- Who resets the password has proved the address.
SELECT (account).id AS bob FROM roost.auth_register('pwd_bob', 'pwd.bob@example.org', 'correct horse battery') \gset
SELECT roost.auth_forgot_password('pwd.bob@example.org');
SELECT substring(payload->>'text', 'token=(\S+)') AS token FROM roost_data.job WHERE kind = 'reset_password' AND payload->>'to' = 'pwd.bob@example.org' \gset
SELECT roost.auth_reset_password(:'token', 'a third good password');
SELECT email_verified FROM roost.account_me(:bob);

-- A suspended account gets none.
UPDATE roost_data.account SET status = 'suspended' WHERE id = :bob;
DELETE FROM roost_data.job WHERE payload->>'to' ~ '^pwd\.';
SELECT roost.auth_forgot_password('pwd.bob@example.org');
SELECT count(*) FROM roost_data.job WHERE payload->>'to' ~ '^pwd\.';
