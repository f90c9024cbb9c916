-- Accounts: their names in the index, and how they want to be found.

CREATE OR REPLACE FUNCTION roost_internal.search_account_added() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO roost_data.search_account (account_id, tsv)
	SELECT c.id, roost_internal.search_name_vector(c.username, c.display_name) FROM changed c WHERE c.status = 'active'
	ON CONFLICT (account_id) DO UPDATE SET tsv = excluded.tsv;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_account_added() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_account_added() IS 'Trigger: puts the names of new accounts into the index.';

CREATE OR REPLACE FUNCTION roost_internal.search_account_changed() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF TG_OP = 'DELETE' OR NEW.status <> 'active' OR NEW.id <> OLD.id THEN
		DELETE FROM roost_data.search_account s WHERE s.account_id = OLD.id;
	END IF;
	IF TG_OP = 'UPDATE' AND NEW.status = 'active' THEN
		INSERT INTO roost_data.search_account (account_id, tsv)
		VALUES (NEW.id, roost_internal.search_name_vector(NEW.username, NEW.display_name))
		ON CONFLICT (account_id) DO UPDATE SET tsv = excluded.tsv;
	END IF;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_account_changed() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_account_changed() IS 'Trigger: follows the names of an account in the index; it has those of active ones only.';

CREATE OR REPLACE FUNCTION roost_internal.search_account_fill() RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	INSERT INTO roost_data.search_account (account_id, tsv)
	SELECT a.id, roost_internal.search_name_vector(a.username, a.display_name) FROM roost_data.account a WHERE a.status = 'active'
	ON CONFLICT (account_id) DO UPDATE SET tsv = excluded.tsv
$$;
REVOKE ALL ON FUNCTION roost_internal.search_account_fill() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_account_fill() IS 'Puts the names of all active accounts into the index.';

CREATE OR REPLACE FUNCTION roost.search_settings_get(actor_id roost.id) RETURNS roost.search_settings
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_settings roost.search_settings;
BEGIN
	SELECT s.posts_indexed, s.by_email INTO v_settings FROM roost_data.search_setting s WHERE s.account_id = actor_id;
	IF NOT FOUND THEN
		v_settings := ROW(true, false);
	END IF;
	RETURN v_settings;
END
$$;
REVOKE ALL ON FUNCTION roost.search_settings_get(roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.search_settings_get(roost.id) IS 'How the caller can be found.';
SELECT roost_internal.route('GET', '/me/search-settings', 'roost.search_settings_get', tags => '{search}');

CREATE OR REPLACE FUNCTION roost.search_settings_set(actor_id roost.id, posts_indexed boolean DEFAULT NULL, by_email boolean DEFAULT NULL) RETURNS roost.search_settings
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.account_hold(actor_id);
	PERFORM FROM roost_data.account a WHERE a.id = actor_id AND a.status = 'active';
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'the account is not active';
	END IF;
	INSERT INTO roost_data.search_setting AS s (account_id, posts_indexed, by_email)
	VALUES (actor_id, coalesce(search_settings_set.posts_indexed, true), coalesce(search_settings_set.by_email, false))
	ON CONFLICT ON CONSTRAINT search_setting_pkey DO UPDATE SET posts_indexed = coalesce(search_settings_set.posts_indexed, s.posts_indexed),
		by_email = coalesce(search_settings_set.by_email, s.by_email), updated_at = now();
	RETURN roost.search_settings_get(actor_id);
END
$$;
REVOKE ALL ON FUNCTION roost.search_settings_set(roost.id, boolean, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost.search_settings_set(roost.id, boolean, boolean) IS 'Says how the caller can be found; what is not given stays. posts_indexed: whether others find its posts. by_email: whether who knows its verified address exactly finds the account. 42501 if the account is not active.';
SELECT roost_internal.route('PUT', '/me/search-settings', 'roost.search_settings_set', limit_class => 'write', tags => '{search}');

CREATE OR REPLACE FUNCTION roost_internal.search_account_delete(account_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.account_hold_alone(search_account_delete.account_id);
	DELETE FROM roost_data.search_setting s WHERE s.account_id = search_account_delete.account_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_account_delete(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_account_delete(bigint) IS 'Removes how an account wants to be found; its names leave the index by a trigger.';

CREATE OR REPLACE FUNCTION roost_internal.search_export(account_id bigint) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT to_jsonb(roost.search_settings_get($1::roost.id))
$$;
REVOKE ALL ON FUNCTION roost_internal.search_export(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_export(bigint) IS 'How an account wants to be found.';

CREATE OR REPLACE FUNCTION roost_internal.search_account_by_email(reader_id bigint, email text) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_limit roost.limit_state;
BEGIN
	IF reader_id IS NULL THEN
		RETURN NULL;
	END IF;
	-- Taken before anything is looked up: the answer tells no more than it says.
	v_limit := roost.limit_hit('search_email', reader_id);
	IF NOT v_limit.allowed THEN
		RAISE EXCEPTION USING ERRCODE = 'RO429', MESSAGE = 'too many addresses were looked for', DETAIL = format('Try again in %s s.', v_limit.retry_after);
	END IF;
	RETURN (SELECT e.account_id FROM roost_data.account_email e JOIN roost_data.search_setting s ON s.account_id = e.account_id
		WHERE e.email = lower(search_account_by_email.email) AND e.verified_at IS NOT NULL AND s.by_email);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_account_by_email(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_account_by_email(bigint, text) IS 'The account with this verified address whose owner lets it be found by it; null if there is none, and for strangers. Takes one unit of the limit class search_email; RO429 if there is none left.';

CREATE OR REPLACE FUNCTION roost_internal.search_account_candidates(reader_id bigint, q text) RETURNS TABLE (account_id bigint, tier integer, similarity real)
LANGUAGE plpgsql VOLATILE ROWS 500
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	v_name constant text := lower(ltrim(btrim(q), '@'));
	v_prefix constant text COLLATE "C" := CASE WHEN v_name ~ '^[a-z0-9_]{1,30}$' THEN v_name END;
	v_words text;
	v_pairs text;
	v_trigrams text[];
BEGIN
	IF v_name ~ '^[^@\s]+@[^@\s]+$' THEN
		RETURN QUERY SELECT e.id, 4, 1::real FROM roost_internal.search_account_by_email(reader_id, v_name) e (id) WHERE e.id IS NOT NULL;
		RETURN;
	END IF;
	IF v_prefix IS NOT NULL THEN
		RETURN QUERY SELECT h.account_id, 4, 1::real FROM roost_data.account_handle h WHERE h.username = v_prefix;
		-- Of the names that begin like that: those one follows, those that are popular, and the first ones.
		RETURN QUERY SELECT h.account_id, 3, 1::real FROM (
				SELECT f.followee_id AS id FROM roost_data.follow f WHERE f.follower_id = reader_id ORDER BY f.id DESC LIMIT 2000
			) f JOIN roost_data.account_handle h ON h.account_id = f.id WHERE starts_with(h.username, v_prefix);
		RETURN QUERY SELECT h.account_id, 3, 1::real FROM roost_data.account_popular p JOIN roost_data.account_handle h ON h.account_id = p.account_id
			WHERE starts_with(h.username, v_prefix);
		RETURN QUERY SELECT h.account_id, 3, 1::real FROM roost_data.account_handle h
			WHERE h.username >= v_prefix AND h.username < v_prefix || '~' ORDER BY h.username LIMIT 200;
	END IF;
	-- The beginnings of its words; what is one letter, as it is.
	SELECT w.loose INTO v_words FROM roost_internal.search_query((SELECT string_agg(t.word || CASE WHEN char_length(t.word) > 1 THEN '*' ELSE '' END, ' ')
		FROM (SELECT u.word FROM string_to_table(translate(v_name, '"-#@$:*_', '        '), ' ') u (word) WHERE u.word <> '' LIMIT 8) t), NULL, NULL, NULL) w;
	IF v_words IS NOT NULL THEN
		RETURN QUERY SELECT s.account_id, 3, 1::real FROM roost_data.search_account s WHERE s.tsv @@ v_words::tsquery LIMIT 200;
	END IF;
	-- One wrong letter spoils three trigrams at most: two neighbours are left of any name of five letters.
	v_trigrams := (roost_internal.search_trigrams(v_name))[1:32];
	IF cardinality(v_trigrams) >= 4 THEN
		SELECT string_agg(format('%L & %L', t.trigram, t.next), ' | ') INTO v_pairs
		FROM (SELECT u.trigram, lead(u.trigram) OVER (ORDER BY u.n) AS next FROM unnest(v_trigrams) WITH ORDINALITY u (trigram, n)) t WHERE t.next IS NOT NULL;
		RETURN QUERY SELECT c.account_id, 2, c.similarity FROM (
				SELECT s.account_id, greatest(roost_internal.search_similarity(v_name, a.username),
					(SELECT max(roost_internal.search_similarity(v_name, w.word)) FROM unnest(a.display_name || string_to_array(a.display_name, ' ')) w (word))) AS similarity
				FROM (SELECT t.account_id FROM roost_data.search_account t WHERE t.tsv @@ v_pairs::tsquery LIMIT 500) s
				JOIN roost_data.account a ON a.id = s.account_id
			) c WHERE c.similarity >= 0.3;
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_account_candidates(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_account_candidates(bigint, text) IS 'Accounts that may be meant, perhaps more than once, whoever may see them: tier 4 the user name or an address itself, 3 what begins like that or has words that do, 2 what is similar (0.3 at least). At most some thousand.';

CREATE OR REPLACE FUNCTION roost_internal.search_account_page(reader_id bigint, q text, "limit" integer, before text, after text) RETURNS TABLE (id bigint, score bigint)
LANGUAGE plpgsql VOLATILE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	v_before constant bigint[] := roost_internal.search_cursor('a', 2, before);
	v_after constant bigint[] := roost_internal.search_cursor('a', 2, after);
BEGIN
	RETURN QUERY
	SELECT r.id, r.score FROM (
		SELECT c.account_id AS id,
			c.tier * 1000000000000000 + CASE WHEN f.id IS NOT NULL THEN 500000000000000 ELSE 0 END
				+ round(c.similarity * 100)::bigint * 1000000000000 + least(greatest(coalesce(s.followers, 0), 0), 999999999999)::bigint AS score
		FROM (SELECT t.account_id, max(t.tier) AS tier, max(t.similarity) AS similarity
			FROM roost_internal.search_account_candidates(reader_id, q) t GROUP BY t.account_id) c
		JOIN roost_data.account a ON a.id = c.account_id AND a.status = 'active'
		LEFT JOIN roost_data.follow f ON f.follower_id = reader_id AND f.followee_id = c.account_id
		CROSS JOIN LATERAL (SELECT sum(t.follower_count) AS followers FROM roost_data.account_stat t WHERE t.account_id = c.account_id) s
		WHERE (a.limited_at IS NULL OR f.id IS NOT NULL OR a.id = reader_id) AND NOT roost_internal.is_blocked(reader_id, c.account_id)
	) r
	WHERE (v_before IS NULL OR (r.score, r.id) < (v_before[1], v_before[2])) AND (v_after IS NULL OR (r.score, r.id) > (v_after[1], v_after[2]))
	ORDER BY r.score DESC, r.id DESC
	LIMIT search_account_page."limit";
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_account_page(bigint, text, integer, text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_account_page(bigint, text, integer, text, text) IS 'A page of the accounts that a reader finds, the best first: exact before prefix before similar; in each those one follows first, then the more similar, then those with more followers. Not those that have blocked the reader or that it has blocked, nor limited ones that it does not follow.';
