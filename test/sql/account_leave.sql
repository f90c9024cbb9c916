-- Taking everything along, and leaving.
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

SELECT (account).id AS ada, access_token AS a1 FROM roost.auth_register('lea_ada', 'lea.ada@example.org', 'correct horse battery', 'Ada', '1990-01-01', device => '"phone"', client_address => '198.51.100.241', user_agent => 'lea-agent/8') \gset
SELECT roost_internal.email_verified(:ada, 'lea.ada@example.org');
-- Another module takes part by the names of its functions.
CREATE FUNCTION roost_internal.leatest_export(account_id bigint) RETURNS jsonb LANGUAGE sql AS $$ SELECT '{"things": 3}'::jsonb $$;
CREATE TABLE lea_gone (account_id bigint);
CREATE FUNCTION roost_internal.leatest_account_delete(account_id bigint) RETURNS void LANGUAGE sql AS $$ INSERT INTO public.lea_gone VALUES ($1) $$;

SELECT e->'leatest' AS other, e#>>'{account,profile,id}' = :'ada' AS id, e#>>'{account,profile,username}' AS username, e#>>'{account,email,address}' AS email,
	e#>>'{account,devices,0,name}' AS device, e#>>'{account,sessions,0,address}' AS address,
	e::text ~ 'argon2|refresh_key|digest|hash' AS secrets
FROM roost.account_export(:ada) e;
SELECT pg_temp.try('SELECT roost.account_export(1)');

-- What would be left behind: an answer that is kept, mails that wait.
SELECT split_part(roost.handle('POST', '/tweets', '', format(E'authorization: Bearer %s\ncontent-type: application/json\nidempotency-key: leave-1', :'a1'),
	'{"text": "lea_ada was here"}', '198.51.100.241'), E'\n', 1) AS status;
SELECT roost.auth_forgot_password('lea.ada@example.org');
SELECT kind FROM roost_data.job WHERE payload->>'to' = 'lea.ada@example.org' ORDER BY id;

SELECT pg_temp.try(format('SELECT roost.account_delete(%s, ''wrong wrong wrong'')', :ada));
SELECT roost.account_delete(:ada, 'correct horse battery');
SELECT account_id = :ada AS told FROM lea_gone;
SELECT username = 'deleted_' || id AS username, display_name, bio, birth_date, status, last_login_at FROM roost_data.account WHERE id = :ada;
SELECT (SELECT count(*) FROM roost_data.account_handle WHERE account_id = :ada) AS handles, (SELECT count(*) FROM roost_data.account_email WHERE account_id = :ada) AS emails,
	(SELECT count(*) FROM roost_data.account_credential WHERE account_id = :ada) AS credentials, (SELECT count(*) FROM roost_data.device WHERE account_id = :ada) AS devices,
	(SELECT count(*) FROM roost_data.email_token WHERE account_id = :ada) AS email_tokens,
	(SELECT count(*) FROM roost_data.session WHERE account_id = :ada AND (revoked_at IS NULL OR address IS NOT NULL OR user_agent IS NOT NULL)) AS sessions;
SELECT pg_temp.try(format('SELECT roost.token_verify(%L)', :'a1'));
SELECT pg_temp.try(format('SELECT roost.account_get(NULL, %L)', :'ada')), pg_temp.try('SELECT roost.account_get(NULL, ''@lea_ada'')');
SELECT pg_temp.try(format('SELECT roost.account_me(%s)', :ada)), pg_temp.try(format('SELECT roost.account_export(%s)', :ada)), pg_temp.try(format('SELECT roost.account_delete(%s, ''correct horse battery'')', :ada));
SELECT pg_temp.try($$SELECT roost.auth_login('lea_ada', 'correct horse battery')$$), pg_temp.try($$SELECT roost.auth_login('lea.ada@example.org', 'correct horse battery')$$);
SELECT payload->>'to' AS recipient, payload->>'subject' AS subject FROM roost_data.job WHERE kind = 'account_deleted' AND payload->>'to' = 'lea.ada@example.org';
SELECT count(*) FROM roost_bi.account WHERE id = :ada;
-- Nothing else of her in any table (6c65… is her name in the hex of a bytea): the name rests, the last mail waits.
CREATE FUNCTION pg_temp.traces(words text) RETURNS TABLE (relation text, n bigint) LANGUAGE plpgsql AS $$
BEGIN
	FOR relation IN SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace = 'roost_data'::regnamespace AND c.relkind = 'r' LOOP
		EXECUTE format('SELECT count(*) FROM %s t WHERE t::text ~ %L', relation, words) INTO n;
		IF n > 0 THEN
			RETURN NEXT;
		END IF;
	END LOOP;
END
$$;
SELECT * FROM pg_temp.traces('lea_ada|lea\.ada|198\.51\.100\.241|lea-agent/8|1990-01-01|6c65615f616461') ORDER BY 1;

-- The name rests a while, the address is free at once.
SELECT pg_temp.try($$SELECT roost.auth_register('lea_ada', 'lea.ada@example.org', 'correct horse battery')$$);
UPDATE roost_data.reserved_handle SET until = now() - interval '1 second' WHERE username = 'lea_ada' AND until > now() + interval '29 days';
SELECT pg_temp.try($$SELECT roost.auth_register('lea_ada', 'lea.ada@example.org', 'correct horse battery')$$);

DROP FUNCTION roost_internal.leatest_export(bigint), roost_internal.leatest_account_delete(bigint);
DROP TABLE lea_gone;
