-- Import of accounts, for those who move in.

CREATE OR REPLACE FUNCTION roost_internal.import_account_refusal(
	username text,
	email text,
	password_hash text,
	display_name text,
	bio text,
	avatar_url text,
	header_url text,
	birth_date date,
	language text,
	created_at timestamptz
) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	v_type text;
	v_rule text;
BEGIN
	IF username IS NULL THEN
		RETURN 'username is missing';
	ELSIF password_hash !~ '^\$(argon2id?|2[aby])\$.{20,}$' THEN
		RETURN 'password_hash is of an unknown kind';
	ELSIF created_at < '1970-01-01' OR created_at > roost_internal.clock_now() THEN
		RETURN 'created_at is before 1970 or in the future';
	END IF;
	-- The domains know the rules.
	PERFORM username::roost.username, email::roost.email, display_name::roost.display_name, bio::roost.bio,
		avatar_url::roost.url, header_url::roost.url, birth_date::roost.birth_date, language::roost.language;
	RETURN NULL;
EXCEPTION WHEN check_violation THEN
	GET STACKED DIAGNOSTICS v_type = PG_DATATYPE_NAME;
	SELECT d.description INTO v_rule FROM pg_catalog.pg_description d
	WHERE d.classoid = 'pg_catalog.pg_type'::regclass AND d.objoid = pg_catalog.to_regtype('roost.' || v_type) AND d.objsubid = 0;
	RETURN pg_catalog.format('%s is not valid: %s', v_type, v_rule);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.import_account_refusal(text, text, text, text, text, text, text, date, text, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.import_account_refusal(text, text, text, text, text, text, text, date, text, timestamptz) IS 'Why an account cannot be imported, or null.';

CREATE OR REPLACE FUNCTION roost_internal.import_account_insert(try bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_count bigint;
BEGIN
	-- The ids of one millisecond are few: many accounts of one time take the
	-- following milliseconds as well, and where two meet, one tries again.
	WITH candidate AS (
		SELECT s.external_id, CASE WHEN s.created_at IS NULL THEN roost_internal.id_next()
			ELSE roost_internal.id_at(
				s.created_at + row_number() OVER (PARTITION BY date_trunc('milliseconds', s.created_at)) / 512 * interval '1 ms',
				NULL, hashtextextended(s.external_id, try)) END AS id
		FROM roost_data.import_account s
		WHERE s.error IS NULL
			AND NOT EXISTS (SELECT FROM roost_data.import_map m WHERE m.kind = 'account' AND m.external_id = s.external_id)
	), mapped AS (
		INSERT INTO roost_data.import_map (kind, external_id, id)
		SELECT DISTINCT ON (c.id) 'account', c.external_id, c.id FROM candidate c
		WHERE NOT EXISTS (SELECT FROM roost_data.account a WHERE a.id = c.id)
		ORDER BY c.id, c.external_id
		RETURNING external_id, id
	)
	INSERT INTO roost_data.account (id, username, display_name, bio, avatar_url, header_url, birth_date, language, is_private, created_at)
	SELECT m.id, s.username, coalesce(s.display_name, ''), coalesce(s.bio, ''), nullif(s.avatar_url, ''), nullif(s.header_url, ''), s.birth_date,
		coalesce(s.language, 'en'), s.is_private, coalesce(s.created_at, roost.id_time(m.id))
	FROM roost_data.import_account s JOIN mapped m ON m.external_id = s.external_id;
	GET DIAGNOSTICS v_count = ROW_COUNT;
	RETURN v_count;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.import_account_insert(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.import_account_insert(bigint) IS 'Makes accounts of the staged rows without an error, with ids that say when they were made; returns how many. A few may have to wait for the next try, which picks other ids.';

CREATE OR REPLACE FUNCTION roost.account_import() RETURNS roost.import_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET roost.moderation_enabled = off
AS $$
DECLARE
	v_result roost.import_result;
	v_wanted bigint;
	v_try bigint := 0;
BEGIN
	LOCK TABLE roost_data.import_account IN ACCESS EXCLUSIVE MODE;
	ANALYZE roost_data.import_account;
	DELETE FROM roost_data.import_account s USING roost_data.import_map m
	WHERE m.kind = 'account' AND m.external_id = s.external_id;
	GET DIAGNOSTICS v_result.existing = ROW_COUNT;

	UPDATE roost_data.import_account s SET error = NULL WHERE s.error IS NOT NULL;
	UPDATE roost_data.import_account s SET error = r.error
	FROM (
		SELECT t.external_id, roost_internal.import_account_refusal(t.username, t.email, t.password_hash, t.display_name, t.bio,
			t.avatar_url, t.header_url, t.birth_date, t.language, t.created_at) AS error
		FROM roost_data.import_account t
	) r
	WHERE r.external_id = s.external_id AND r.error IS NOT NULL;
	UPDATE roost_data.import_account s SET error = 'username is taken'
	FROM (
		SELECT t.external_id, row_number() OVER (PARTITION BY lower(t.username) ORDER BY t.created_at, t.external_id) AS n
		FROM roost_data.import_account t WHERE t.error IS NULL
	) n
	WHERE n.external_id = s.external_id
		AND (n.n > 1 OR EXISTS (SELECT FROM roost_data.account_handle h WHERE h.username = lower(s.username) COLLATE "C"));
	UPDATE roost_data.import_account s SET error = 'email belongs to another account'
	FROM (
		SELECT t.external_id, row_number() OVER (PARTITION BY lower(t.email) ORDER BY t.created_at, t.external_id) AS n
		FROM roost_data.import_account t WHERE t.error IS NULL AND t.email_verified AND t.email IS NOT NULL
	) n
	WHERE n.external_id = s.external_id
		AND (n.n > 1 OR EXISTS (SELECT FROM roost_data.account_email e WHERE e.email = lower(s.email) COLLATE "C" AND e.verified_at IS NOT NULL));
	SELECT count(*) FILTER (WHERE s.error IS NULL), count(*) FILTER (WHERE s.error IS NOT NULL)
	INTO v_wanted, v_result.refused
	FROM roost_data.import_account s;

	v_result.inserted := 0;
	WHILE v_result.inserted < v_wanted LOOP
		v_result.inserted := v_result.inserted + roost_internal.import_account_insert(v_try);
		v_try := v_try + 1;
	END LOOP;
	INSERT INTO roost_data.account_handle (username, account_id)
	SELECT lower(s.username), m.id
	FROM roost_data.import_account s JOIN roost_data.import_map m ON m.kind = 'account' AND m.external_id = s.external_id;
	INSERT INTO roost_data.account_email (email, account_id, verified_at)
	SELECT lower(s.email), m.id, CASE WHEN s.email_verified THEN now() END
	FROM roost_data.import_account s JOIN roost_data.import_map m ON m.kind = 'account' AND m.external_id = s.external_id
	WHERE s.email IS NOT NULL;
	INSERT INTO roost_data.account_credential (account_id, password_hash)
	SELECT m.id, s.password_hash
	FROM roost_data.import_account s JOIN roost_data.import_map m ON m.kind = 'account' AND m.external_id = s.external_id
	WHERE s.password_hash IS NOT NULL;

	DELETE FROM roost_data.import_account s WHERE s.error IS NULL;
	PERFORM roost_internal.audit_add('import.account', 'import', NULL, to_jsonb(v_result));
	RETURN v_result;
END
$$;
REVOKE ALL ON FUNCTION roost.account_import() FROM PUBLIC;
COMMENT ON FUNCTION roost.account_import() IS 'Makes accounts of the rows of roost_data.import_account, with their creation times, addresses and password hashes (argon2 or bcrypt), and remembers their external ids in roost_data.import_map. Rows done, and rows imported before, leave the table; refused ones stay, with the reason in error, and are tried again by the next call. Reserved user names may be imported.';
