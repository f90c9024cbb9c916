-- Registering.
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

-- The answer: tokens that work, and the account as its owner sees it.
SELECT * FROM roost.auth_register('Reg_Ada', 'Reg.Ada@Example.ORG', 'correct horse battery', 'Ada', '1815-12-10'::date + 36525, 'de-AT',
	'{"id": "d-1", "name": "phone", "platform": "ios"}', '192.0.2.1', 'Mozilla/5.0 (X11; Linux) Firefox/128.0') \gset
SELECT :'token_type' AS token_type, :expires_in AS expires_in, i.session_id = :session_id AS session, i.account_id = (:'account'::roost.me).id AS account
FROM roost.token_verify(:'access_token') i;
SELECT m.username, m.display_name, m.bio, m.avatar_url, m.url, m.language, m.is_private, m.is_verified, m.follower_count,
	m.email, m.email_verified, m.birth_date, m.message_policy, m.role, m.last_login_at IS NOT NULL AS logged_in
FROM (SELECT (:'account'::roost.me).*) m;

-- What is stored: no plain secrets.
SELECT left(c.password_hash, 10) AS hash, h.username AS handle, e.email, e.verified_at, d.client_id, d.name, d.platform,
	s.address, s.user_agent, s.refresh_digest = roost_internal.token_digest(:'refresh_token') AS digest
FROM roost_data.account_handle h
JOIN roost_data.account_credential c USING (account_id) JOIN roost_data.account_email e USING (account_id)
JOIN roost_data.session s USING (account_id) JOIN roost_data.device d ON d.id = s.device_id
WHERE h.username = 'reg_ada';
SELECT string_agg(a.attname, ' ' ORDER BY a.attnum) AS bi_columns FROM pg_attribute a
WHERE a.attrelid = 'roost_bi.account'::regclass AND a.attnum > 0;

-- A device may be a name; one that says nothing is called after its program.
SELECT (roost.auth_register('reg_dev', 'reg.dev@example.org', 'correct horse battery', device => '"my tablet"')).session_id \gset
SELECT d.name FROM roost_data.session s JOIN roost_data.device d ON d.id = s.device_id WHERE s.id = :session_id;
SELECT u, roost_internal.user_agent_name(u) FROM unnest(ARRAY[
	'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
	'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1',
	'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0',
	'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36',
	'curl/8.5.0', '<script>alert(1)</script>', '', NULL]) u;

-- Names are unique without regard to case, and some are reserved.
SELECT pg_temp.try($$SELECT roost.auth_register('REG_ADA', 'x@example.org', 'correct horse battery')$$);
SELECT pg_temp.try($$SELECT roost.auth_register('Admin', 'x@example.org', 'correct horse battery')$$);
SELECT pg_temp.try(format('SELECT roost.auth_register(%L, ''x@example.org'', ''correct horse battery'')', n))
FROM unnest(ARRAY['', 'a b', 'a-b', 'a.b', 'bücher', repeat('a', 31), E'a\n', '@ada', ''' OR 1=1 --']) n;
SELECT pg_temp.try(format('SELECT roost.auth_register(%L, ''reg.long@example.org'', ''correct horse battery'')', repeat('r', 30)));

-- Addresses.
SELECT a, pg_temp.try(format('SELECT %L::roost.email', a))
FROM unnest(ARRAY['a@b.co', 'a+b.c@sub.example.org', 'a@b', 'a', '@b.co', 'a@@b.co', 'a b@c.de', 'a@b.co.', 'a@-b.co', E'a@b.co\n', E'a@b.co\r\nBcc: x@y.z',
	'a@' || repeat('b', 64) || '.co', repeat('a', 65) || '@b.co', 'ü@b.co', '"a"@b.co', '<a@b.co>', '']) a;

-- Passwords: the reason is told, the password is not.
SELECT pg_temp.try(format('SELECT roost.auth_register(''reg_weak'', ''reg.weak@example.org'', %L)', p))
FROM unnest(ARRAY['short', 'password123', 'reg_weak_reg_weak', 'aaaaaaaaaaaa', '']) p;
SELECT pg_temp.try(format('SELECT roost.auth_register(''reg_weak'', ''reg.weak@example.org'', %L)', repeat('x', 1025)));

-- Days of birth.
SELECT pg_temp.try($$SELECT roost.auth_register('reg_birth', 'reg.birth@example.org', 'correct horse battery', birth_date => (now() + '3 days')::date)$$);
SELECT pg_temp.try($$SELECT roost.auth_register('reg_birth', 'reg.birth@example.org', 'correct horse battery', birth_date => '1899-12-31')$$);

-- Devices.
SELECT d, pg_temp.try(format('SELECT %L::roost.device_input', d))
FROM unnest(ARRAY['"x"', '{}', '{"id": "a:b-1.2_3"}', 'null', '1', '[]', '""', '{"id": ""}', '{"id": "a b"}', '{"id": 1}', '{"name": null}', '{"nme": "x"}', '{"name": {}}']) d;

-- Nothing of a refused one is left.
SELECT count(*) FROM roost_data.account WHERE username ~* '^reg_(weak|birth)';

-- An address that somebody has verified: the same answer, another mail.
SELECT roost_internal.email_verified((:'account'::roost.me).id, 'reg.ada@example.org');
SELECT r.token_type, r.expires_in, (r.account).email, (r.account).email_verified
FROM roost.auth_register('reg_eve', 'REG.ADA@example.org', 'correct horse battery') r;
SELECT r.token_type, r.expires_in, (r.account).email, (r.account).email_verified
FROM roost.auth_register('reg_new', 'reg.new@example.org', 'correct horse battery') r;
SELECT j.kind, j.payload->>'to' AS recipient, j.payload->>'text' ~ 'token=' AS has_token, j.payload->>'text' LIKE '%@reg_eve%' AS names_it
FROM roost_data.job j WHERE j.payload->>'to' LIKE 'reg.%' AND j.payload->>'text' ~ '@(reg_eve|reg_new)' ORDER BY j.id;
