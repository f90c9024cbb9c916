-- Profiles: seen by others, seen by oneself, changed.
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

SELECT (account).id AS ada FROM roost.auth_register('pro_ada', 'pro.ada@example.org', 'correct horse battery', 'Ada') \gset
SELECT (account).id AS bob FROM roost.auth_register('pro_bob', 'pro.bob@example.org', 'correct horse battery') \gset

-- What is not given stays; empty text empties; null takes the day of birth away.
SELECT display_name, bio, avatar_url, header_url, birth_date, language, is_private, message_policy
FROM roost.account_update(:ada, display_name => 'Ada L.', bio => E'two\nlines', avatar_url => 'https://example.org/a.png', header_url => 'http://example.org/h.png',
	birth_date => '1990-05-06', language => 'fr', is_private => true, message_policy => 'friends');
SELECT display_name, bio, avatar_url, header_url, birth_date, language, is_private, message_policy
FROM roost.account_update(:ada, avatar_url => '', bio => '');
SELECT birth_date, age, display_name FROM roost.account_update(:ada, birth_date => NULL);
SELECT roost_internal.clock_freeze('2020-05-05 23:59');
SELECT age FROM roost.account_update(:ada, birth_date => '1990-05-06');
SELECT roost_internal.clock_freeze('2020-05-06 00:00');
SELECT age FROM roost.account_me(:ada);
SELECT roost_internal.clock_freeze(NULL);

-- Refused.
SELECT pg_temp.try(format('SELECT roost.account_update(%s, %s)', :ada, a)) FROM unnest(ARRAY[
	'username => ''pro_bob''', 'username => ''PRO_Bob''', 'username => ''support''', 'username => ''x y''',
	'display_name => repeat(''x'', 51)', 'display_name => E''a\nb''', 'display_name => U&''a\202eb''', 'bio => repeat(''x'', 501)', 'bio => E''\u0001''',
	'avatar_url => ''javascript:alert(1)''', 'avatar_url => ''ftp://x.org/''', 'avatar_url => ''https://x.org/ a''', 'avatar_url => ''https://x.org/"onload=1''',
	'avatar_url => ''https://x.org/'' || repeat(''a'', 2048)', 'birth_date => (now() + ''3 days'')::date', 'language => ''english''', 'language => ''en_US''',
	'message_policy => ''nobody''']) a;
SELECT pg_temp.try('SELECT roost.account_update(1, bio => ''x'')');

-- Renamed: case only, then truly; the former name rests, but not for its owner.
SELECT username FROM roost.account_update(:ada, username => 'Pro_ADA');
SELECT username FROM roost.account_update(:ada, username => 'pro_ada2');
SELECT pg_temp.try('SELECT roost.account_get(NULL, ''@pro_ada'')'), pg_temp.try('SELECT roost.account_get(NULL, ''@PRO_ada2'')');
SELECT pg_temp.try(format('SELECT roost.account_update(%s, username => ''pro_ada'')', :bob));
SELECT username FROM roost.account_update(:ada, username => 'pro_ada');
SELECT username, account_id = :ada AS hers, reason FROM roost_data.reserved_handle WHERE username ~ '^pro_';
SELECT roost_internal.clock_freeze(now() + '31 days');
SELECT username FROM roost.account_update(:bob, username => 'pro_ada2');
SELECT roost_internal.clock_freeze(NULL);

-- By others: by id, by name, many at once, in the order asked for.
SELECT a.username, a.display_name, a.bio, a.url, a.relationship FROM roost.account_get(NULL, '@pro_ada') a;
SELECT a.username, (a.relationship).account_id = :ada AS about_her, (a.relationship).following FROM roost.account_get(:bob, :'ada') a;
SELECT a.username FROM roost.account_get_by_username(NULL, 'PRO_ADA') a;
SELECT a.username FROM roost.account_list(NULL, ARRAY[:bob, 1, :ada]::roost.id[]) a;
SELECT a.username FROM roost.account_list(NULL, username => 'Pro_Ada') a;
SELECT count(*) FROM roost.account_list(NULL, username => 'pro_nobody');
SELECT pg_temp.try(format('SELECT roost.account_get(NULL, %L)', r)) FROM unnest(ARRAY['1', '@pro_nobody', '9223372036854775807', '9223372036854775808', '0']) r;
SELECT pg_temp.try(format('SELECT roost.account_get(NULL, %L)', r)) FROM unnest(ARRAY['', '@', 'pro_ada', '-1', '1e3', '@a b', '@''--']) r;
SELECT pg_temp.try('SELECT roost.account_list(NULL, array_fill(1::roost.id, ARRAY[101]))'), pg_temp.try('SELECT roost.account_list(NULL)');
SELECT pg_temp.try('SELECT roost.account_me(1)');

-- Suspended accounts are not there.
UPDATE roost_data.account SET status = 'suspended' WHERE id = :bob;
SELECT pg_temp.try(format('SELECT roost.account_get(NULL, %L)', :'bob'));
SELECT count(*) FROM roost.account_list(NULL, ARRAY[:bob]::roost.id[]);

-- Signs of life are written at most once in five minutes.
SELECT roost_internal.clock_freeze('2021-01-01 00:00');
UPDATE roost_data.account SET last_active_at = NULL WHERE id = :ada;
SELECT roost_internal.account_touch(:ada);
SELECT roost_internal.clock_freeze('2021-01-01 00:04:59');
SELECT roost_internal.account_touch(:ada);
SELECT last_active_at FROM roost_data.account WHERE id = :ada;
SELECT roost_internal.clock_freeze('2021-01-01 00:05:01');
SELECT roost_internal.account_touch(:ada);
SELECT last_active_at FROM roost_data.account WHERE id = :ada;
SELECT roost_internal.clock_freeze(NULL);
