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
SET search_path = pg_catalog, pg_temp
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

CREATE OR REPLACE FUNCTION roost_internal.import_account_ids() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_try bigint := 0;
BEGIN
	UPDATE roost_data.import_account s SET id = roost_internal.id_next()
	WHERE s.error IS NULL AND s.created_at IS NULL;
	-- The ids of one millisecond are few: many accounts of one time take the
	-- following milliseconds as well, and where two meet, one tries again.
	WHILE EXISTS (SELECT FROM roost_data.import_account s WHERE s.error IS NULL AND s.id IS NULL) LOOP
		UPDATE roost_data.import_account s
		SET id = roost_internal.id_at(s.created_at + n.n / 512 * interval '1 ms', NULL, pg_catalog.hashtextextended(s.external_id, v_try))
		FROM (
			SELECT t.external_id, pg_catalog.row_number() OVER (PARTITION BY pg_catalog.date_trunc('milliseconds', t.created_at)) AS n
			FROM roost_data.import_account t WHERE t.error IS NULL AND t.id IS NULL
		) n
		WHERE n.external_id = s.external_id;
		UPDATE roost_data.import_account s SET id = NULL
		FROM (
			SELECT t.external_id, pg_catalog.row_number() OVER (PARTITION BY t.id ORDER BY t.external_id) AS n
			FROM roost_data.import_account t WHERE t.error IS NULL
		) n
		WHERE n.external_id = s.external_id AND s.error IS NULL
			AND (n.n > 1 OR EXISTS (SELECT FROM roost_data.account a WHERE a.id = s.id));
		v_try := v_try + 1;
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.import_account_ids() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.import_account_ids() IS 'Gives the accounts to import ids that say when they were made.';

CREATE OR REPLACE FUNCTION roost.account_import() RETURNS roost.import_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_result roost.import_result;
BEGIN
	LOCK TABLE roost_data.import_account IN ACCESS EXCLUSIVE MODE;
	ANALYZE roost_data.import_account;
	DELETE FROM roost_data.import_account s USING roost_data.import_map m
	WHERE m.kind = 'account' AND m.external_id = s.external_id;
	GET DIAGNOSTICS v_result.existing = ROW_COUNT;

	UPDATE roost_data.import_account s SET id = NULL, error = roost_internal.import_account_refusal(
		s.username, s.email, s.password_hash, s.display_name, s.bio, s.avatar_url, s.header_url, s.birth_date, s.language, s.created_at);
	UPDATE roost_data.import_account s SET error = 'username is taken'
	FROM (
		SELECT t.external_id, pg_catalog.row_number() OVER (PARTITION BY pg_catalog.lower(t.username) ORDER BY t.created_at, t.external_id) AS n
		FROM roost_data.import_account t WHERE t.error IS NULL
	) n
	WHERE n.external_id = s.external_id
		AND (n.n > 1 OR EXISTS (SELECT FROM roost_data.account_handle h WHERE h.username = pg_catalog.lower(s.username) COLLATE "C"));
	UPDATE roost_data.import_account s SET error = 'email belongs to another account'
	FROM (
		SELECT t.external_id, pg_catalog.row_number() OVER (PARTITION BY pg_catalog.lower(t.email) ORDER BY t.created_at, t.external_id) AS n
		FROM roost_data.import_account t WHERE t.error IS NULL AND t.email_verified AND t.email IS NOT NULL
	) n
	WHERE n.external_id = s.external_id
		AND (n.n > 1 OR EXISTS (SELECT FROM roost_data.account_email e WHERE e.email = pg_catalog.lower(s.email) COLLATE "C" AND e.verified_at IS NOT NULL));
	PERFORM roost_internal.import_account_ids();

	INSERT INTO roost_data.account (id, username, display_name, bio, avatar_url, header_url, birth_date, language, is_private, created_at)
	SELECT s.id, s.username, coalesce(s.display_name, ''), coalesce(s.bio, ''), nullif(s.avatar_url, ''), nullif(s.header_url, ''), s.birth_date,
		coalesce(s.language, 'en'), s.is_private, coalesce(s.created_at, roost.id_time(s.id))
	FROM roost_data.import_account s WHERE s.error IS NULL;
	GET DIAGNOSTICS v_result.inserted = ROW_COUNT;
	INSERT INTO roost_data.account_handle (username, account_id)
	SELECT pg_catalog.lower(s.username), s.id FROM roost_data.import_account s WHERE s.error IS NULL;
	INSERT INTO roost_data.account_email (email, account_id, verified_at)
	SELECT pg_catalog.lower(s.email), s.id, CASE WHEN s.email_verified THEN roost_internal.clock_now() END
	FROM roost_data.import_account s WHERE s.error IS NULL AND s.email IS NOT NULL;
	INSERT INTO roost_data.account_credential (account_id, password_hash)
	SELECT s.id, s.password_hash FROM roost_data.import_account s WHERE s.error IS NULL AND s.password_hash IS NOT NULL;
	INSERT INTO roost_data.import_map (kind, external_id, id)
	SELECT 'account', s.external_id, s.id FROM roost_data.import_account s WHERE s.error IS NULL;

	DELETE FROM roost_data.import_account s WHERE s.error IS NULL;
	SELECT pg_catalog.count(*) INTO v_result.refused FROM roost_data.import_account;
	RETURN v_result;
END
$$;
REVOKE ALL ON FUNCTION roost.account_import() FROM PUBLIC;
COMMENT ON FUNCTION roost.account_import() IS 'Makes accounts of the rows of roost_data.import_account, with their creation times, addresses and password hashes (argon2 or bcrypt), and remembers their external ids in roost_data.import_map. Rows done, and rows imported before, leave the table; refused ones stay, with the reason in error, and are tried again by the next call. Reserved user names may be imported.';
