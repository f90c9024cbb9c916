-- Import of posts and likes, for those who move in.
--
-- Everything is done to the whole staging table at once: what cannot be is
-- marked with a reason, the rest gets its ids and its places in threads, and
-- then goes into the tables in one statement, so that counters are written once
-- a post and an account.

CREATE OR REPLACE FUNCTION roost_internal.import_text(text text) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
	SELECT pg_catalog.regexp_replace(pg_catalog.regexp_replace(text, '\r\n?', E'\n', 'g'), '[\u0001-\u0008\u000b-\u001f\u007f-\u009f]', '', 'g')
$$;
REVOKE ALL ON FUNCTION roost_internal.import_text(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.import_text(text) IS 'A text from elsewhere with line ends as newlines and without other control characters, which old data are full of.';

CREATE OR REPLACE FUNCTION roost_internal.import_post_refusal(
	text text,
	retweet_of text,
	quote_of text,
	visibility text,
	content_warning text,
	language text,
	hashtags text[],
	media jsonb
) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_type text;
	v_rule text;
BEGIN
	IF visibility NOT IN ('public', 'unlisted', 'followers', 'direct') THEN
		RETURN 'visibility is not public, unlisted, followers or direct';
	ELSIF retweet_of IS NOT NULL AND (quote_of IS NOT NULL OR text <> '' OR media IS NOT NULL) THEN
		RETURN 'a retweet has no text, media or quote of its own';
	ELSIF retweet_of IS NULL AND quote_of IS NULL AND media IS NULL AND roost_internal.text_is_blank(coalesce(text, '')) THEN
		RETURN 'the post is empty';
	END IF;
	-- The domains know the rules.
	PERFORM roost_internal.import_text(text)::roost.post_text, content_warning::roost.post_warning, language::roost.language, hashtags::roost.hashtag[], media::roost.post_media;
	RETURN NULL;
EXCEPTION WHEN check_violation THEN
	GET STACKED DIAGNOSTICS v_type = PG_DATATYPE_NAME;
	SELECT d.description INTO v_rule FROM pg_catalog.pg_description d
	WHERE d.classoid = 'pg_catalog.pg_type'::regclass AND d.objoid = pg_catalog.to_regtype('roost.' || v_type) AND d.objsubid = 0;
	RETURN pg_catalog.format('%s is not valid: %s', v_type, v_rule);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.import_post_refusal(text, text, text, text, text, text, text[], jsonb) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.import_post_refusal(text, text, text, text, text, text, text[], jsonb) IS 'Why a post cannot be imported whatever else there is, or null.';

CREATE OR REPLACE FUNCTION roost_internal.import_post_parents() RETURNS TABLE (external_id text, parent text, kind text, id bigint, staged boolean)
LANGUAGE sql STABLE
AS $$
	SELECT s.external_id, r.parent, r.kind, coalesce(p.id, m.id), p.external_id IS NOT NULL
	FROM roost_data.import_post s
	CROSS JOIN LATERAL (VALUES (s.reply_to, 'reply_to'), (s.quote_of, 'quote_of'), (s.retweet_of, 'retweet_of')) r (parent, kind)
	LEFT JOIN roost_data.import_post p ON p.external_id = r.parent AND p.error IS NULL
	LEFT JOIN (roost_data.import_map m JOIN roost_data.post o ON o.id = m.id) ON m.kind = 'post' AND m.external_id = r.parent
	WHERE s.error IS NULL AND r.parent IS NOT NULL
$$;
REVOKE ALL ON FUNCTION roost_internal.import_post_parents() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.import_post_parents() IS 'The posts to which good rows of the staging table refer: kind says how, id is null for one that neither stands there as a good row itself nor was imported before.';

CREATE OR REPLACE FUNCTION roost_internal.import_post_refuse_orphans() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_count bigint;
BEGIN
	LOOP
		UPDATE roost_data.import_post s SET error = p.kind || ' is not an imported post'
		FROM roost_internal.import_post_parents() p
		WHERE p.external_id = s.external_id AND p.id IS NULL AND NOT p.staged;
		GET DIAGNOSTICS v_count = ROW_COUNT;
		EXIT WHEN v_count = 0;
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.import_post_refuse_orphans() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.import_post_refuse_orphans() IS 'Marks the rows that refer to a post that is neither imported nor a good row, and those that refer to them, and so on.';

CREATE OR REPLACE FUNCTION roost_internal.import_post_refuse(present timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE roost_data.import_post s SET
		id = NULL,
		thread_id = NULL,
		author_id = a.id,
		error = CASE WHEN a.id IS NULL THEN 'author is not an imported account' ELSE coalesce(
			roost_internal.import_time_refusal(s.created_at, present),
			roost_internal.import_post_refusal(s.text, s.retweet_of, s.quote_of, s.visibility, s.content_warning, s.language, s.hashtags, s.media)) END
	FROM roost_data.import_post t
	LEFT JOIN (roost_data.import_map m JOIN roost_data.account a ON a.id = m.id AND a.status <> 'deleted')
		ON m.kind = 'account' AND m.external_id = t.author
	WHERE t.external_id = s.external_id;

	UPDATE roost_data.import_post s SET error = 'retweet_of is a retweet itself'
	WHERE s.error IS NULL AND s.retweet_of IS NOT NULL AND (
		EXISTS (SELECT FROM roost_data.import_post t WHERE t.external_id = s.retweet_of AND t.retweet_of IS NOT NULL)
		OR EXISTS (SELECT FROM roost_data.import_map m JOIN roost_data.post p ON p.id = m.id
			WHERE m.kind = 'post' AND m.external_id = s.retweet_of AND p.retweet_of_id IS NOT NULL));
	UPDATE roost_data.import_post s SET error = 'the author has retweeted that post already'
	FROM (
		SELECT t.external_id, pg_catalog.row_number() OVER (PARTITION BY t.author_id, t.retweet_of ORDER BY t.created_at, t.external_id) AS n
		FROM roost_data.import_post t WHERE t.error IS NULL AND t.retweet_of IS NOT NULL
	) n
	WHERE n.external_id = s.external_id AND (n.n > 1 OR EXISTS (
		SELECT FROM roost_data.import_map m JOIN roost_data.post p ON p.retweet_of_id = m.id
		WHERE m.kind = 'post' AND m.external_id = s.retweet_of AND p.author_id = s.author_id));
	PERFORM roost_internal.import_post_refuse_orphans();
END
$$;
REVOKE ALL ON FUNCTION roost_internal.import_post_refuse(timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.import_post_refuse(timestamptz) IS 'Finds the authors of the posts to import, and marks the rows that cannot be imported.';

CREATE OR REPLACE FUNCTION roost_internal.import_post_ids() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_step bigint := 1;
	v_count bigint;
BEGIN
	UPDATE roost_data.import_post s SET id = roost_internal.import_id(s.created_at, s.author_id, n.n - 1)
	FROM (
		SELECT t.external_id, pg_catalog.row_number() OVER (
			PARTITION BY t.author_id & 1023, pg_catalog.date_trunc('milliseconds', t.created_at) ORDER BY t.external_id) AS n
		FROM roost_data.import_post t WHERE t.error IS NULL
	) n
	WHERE n.external_id = s.external_id;
	-- Where an id is in use, it moves on, further every time.
	LOOP
		UPDATE roost_data.import_post s SET id = s.id + (v_step << 10)
		FROM (
			SELECT t.external_id, t.id, pg_catalog.row_number() OVER (PARTITION BY t.id ORDER BY t.external_id) AS n
			FROM roost_data.import_post t WHERE t.error IS NULL
		) n
		WHERE n.external_id = s.external_id AND (n.n > 1 OR EXISTS (SELECT FROM roost_data.post p WHERE p.id = n.id));
		GET DIAGNOSTICS v_count = ROW_COUNT;
		EXIT WHEN v_count = 0;
		v_step := v_step * 2;
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.import_post_ids() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.import_post_ids() IS 'Gives the posts to import ids that say when they were made.';

CREATE OR REPLACE FUNCTION roost_internal.import_post_threads() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	WITH RECURSIVE place AS (
		SELECT s.external_id, coalesce(p.thread_id, s.id) AS thread_id
		FROM roost_data.import_post s
		LEFT JOIN (roost_data.import_map m JOIN roost_data.post p ON p.id = m.id) ON m.kind = 'post' AND m.external_id = s.reply_to
		WHERE s.error IS NULL AND (s.reply_to IS NULL OR p.id IS NOT NULL)
		UNION ALL
		SELECT s.external_id, f.thread_id
		FROM place f JOIN roost_data.import_post s ON s.reply_to = f.external_id
		WHERE s.error IS NULL
	)
	UPDATE roost_data.import_post s SET thread_id = f.thread_id FROM place f WHERE f.external_id = s.external_id;
	UPDATE roost_data.import_post s SET error = 'reply_to leads back to the post' WHERE s.error IS NULL AND s.thread_id IS NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.import_post_threads() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.import_post_threads() IS 'Gives the posts to import the first post of their thread, and marks those whose thread has none.';

CREATE OR REPLACE FUNCTION roost.post_import() RETURNS roost.import_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET roost.moderation_enabled = off
AS $$
DECLARE
	v_present constant timestamptz := roost_internal.clock_now();
	v_result roost.import_result;
	v_good bigint;
BEGIN
	LOCK TABLE roost_data.import_post IN ACCESS EXCLUSIVE MODE;
	DELETE FROM roost_data.import_post s USING roost_data.import_map m
	WHERE m.kind = 'post' AND m.external_id = s.external_id;
	GET DIAGNOSTICS v_result.existing = ROW_COUNT;
	ANALYZE roost_data.import_post;
	PERFORM roost_internal.import_post_refuse(v_present);
	PERFORM roost_internal.import_post_ids();
	PERFORM roost_internal.import_post_threads();
	-- what answers, quotes or retweets a post out of a circle
	PERFORM roost_internal.import_post_refuse_orphans();
	SELECT pg_catalog.count(*) FILTER (WHERE s.error IS NULL), pg_catalog.count(*) FILTER (WHERE s.error IS NOT NULL)
	INTO v_good, v_result.refused FROM roost_data.import_post s;
	RAISE NOTICE '% posts to import, % refused', v_good, v_result.refused;

	WITH parent AS MATERIALIZED (
		SELECT p.external_id,
			pg_catalog.max(p.id) FILTER (WHERE p.kind = 'reply_to') AS reply_to_id,
			pg_catalog.max(p.id) FILTER (WHERE p.kind = 'quote_of') AS quote_of_id,
			pg_catalog.max(p.id) FILTER (WHERE p.kind = 'retweet_of') AS retweet_of_id
		FROM roost_internal.import_post_parents() p
		GROUP BY p.external_id
	), staged AS MATERIALIZED (
		SELECT s.id, s.author_id, s.visibility, s.retweet_of FROM roost_data.import_post s WHERE s.error IS NULL
	)
	INSERT INTO roost_data.post (id, author_id, thread_id, reply_to_id, reply_to_account_id, quote_of_id, retweet_of_id, created_at,
		visibility, language, text, content_warning, mention_ids, hashtags, mentions, urls, media)
	SELECT s.id, s.author_id, s.thread_id, r.reply_to_id, coalesce(rs.author_id, rp.author_id), r.quote_of_id, r.retweet_of_id,
		coalesce(s.created_at, v_present),
		coalesce(CASE WHEN r.retweet_of_id IS NULL THEN s.visibility::roost.visibility ELSE coalesce(os.visibility::roost.visibility, op.visibility) END, 'public'),
		s.language, coalesce(n.text, ''), nullif(s.content_warning, ''),
		e.mention_ids,
		nullif(ARRAY(SELECT h FROM pg_catalog.unnest(e.hashtags) WITH ORDINALITY u (h, i)
			UNION ALL
			(SELECT DISTINCT roost_internal.hashtag_fold(u) FROM pg_catalog.unnest(s.hashtags) u
				WHERE roost_internal.hashtag_fold(u) <> ALL (coalesce(e.hashtags, '{}')))), '{}'),
		e.mentions, e.urls, nullif(s.media, '[]')
	FROM roost_data.import_post s
	CROSS JOIN LATERAL (SELECT roost_internal.post_text_normal(roost_internal.import_text(s.text), false) AS text) n
	LEFT JOIN LATERAL roost_internal.post_entities(n.text) e ON true
	LEFT JOIN parent r ON r.external_id = s.external_id
	LEFT JOIN staged rs ON rs.id = r.reply_to_id
	LEFT JOIN roost_data.post rp ON rp.id = r.reply_to_id
	LEFT JOIN staged os ON os.id = r.retweet_of_id
	LEFT JOIN roost_data.post op ON op.id = r.retweet_of_id
	WHERE s.error IS NULL
	ORDER BY s.id;
	GET DIAGNOSTICS v_result.inserted = ROW_COUNT;
	INSERT INTO roost_data.import_map (kind, external_id, id)
	SELECT 'post', s.external_id, s.id FROM roost_data.import_post s WHERE s.error IS NULL;
	DELETE FROM roost_data.import_post s WHERE s.error IS NULL;
	RAISE NOTICE '% posts imported', v_result.inserted;
	PERFORM roost_internal.audit_add('import.post', 'import', NULL, to_jsonb(v_result));
	RETURN v_result;
END
$$;
REVOKE ALL ON FUNCTION roost.post_import() FROM PUBLIC;
COMMENT ON FUNCTION roost.post_import() IS 'Makes posts and retweets of the rows of roost_data.import_post, at the times they were made (null: now), with mentions, hashtags and links taken from their texts (up to 64 KiB; control characters are dropped), and remembers their external ids in roost_data.import_map. Posts may answer, quote and retweet each other and those imported before, in any order of rows. Rows done, and rows imported before, leave the table; refused ones stay, with the reason in error, and are tried again by the next call.';

CREATE OR REPLACE FUNCTION roost.like_import() RETURNS roost.import_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_present constant timestamptz := roost_internal.clock_now();
	v_result roost.import_result;
	v_staged bigint;
BEGIN
	LOCK TABLE roost_data.import_like IN ACCESS EXCLUSIVE MODE;
	ANALYZE roost_data.import_like;
	SELECT pg_catalog.count(*) INTO v_staged FROM roost_data.import_like;
	RAISE NOTICE '% likes to import', v_staged;

	UPDATE roost_data.import_like s SET error = CASE
		WHEN t.account_id IS NULL THEN 'account is not an imported account'
		WHEN t.post_id IS NULL THEN 'post is not an imported post'
		ELSE roost_internal.import_time_refusal(s.created_at, v_present) END
	FROM (
		SELECT i.ctid AS row, a.id AS account_id, p.id AS post_id
		FROM roost_data.import_like i
		LEFT JOIN (roost_data.import_map am JOIN roost_data.account a ON a.id = am.id AND a.status <> 'deleted')
			ON am.kind = 'account' AND am.external_id = i.account
		LEFT JOIN (roost_data.import_map pm JOIN roost_data.post p ON p.id = pm.id)
			ON pm.kind = 'post' AND pm.external_id = i.post
	) t
	WHERE s.ctid = t.row AND (s.error IS NOT NULL OR t.account_id IS NULL OR t.post_id IS NULL
		OR roost_internal.import_time_refusal(s.created_at, v_present) IS NOT NULL);

	INSERT INTO roost_data.post_like (account_id, post_id, id, created_at)
	SELECT s.account_id, s.post_id,
		roost_internal.import_id(s.created_at, s.account_id,
			pg_catalog.row_number() OVER (PARTITION BY pg_catalog.date_trunc('milliseconds', s.created_at)) - 1),
		coalesce(s.created_at, v_present)
	FROM (
		SELECT DISTINCT ON (am.id, coalesce(p.retweet_of_id, p.id)) am.id AS account_id, coalesce(p.retweet_of_id, p.id) AS post_id, t.created_at
		FROM roost_data.import_like t
		JOIN roost_data.import_map am ON am.kind = 'account' AND am.external_id = t.account
		JOIN roost_data.import_map pm ON pm.kind = 'post' AND pm.external_id = t.post
		JOIN roost_data.post p ON p.id = pm.id
		WHERE t.error IS NULL
		ORDER BY 1, 2, t.created_at
	) s
	ON CONFLICT DO NOTHING;
	GET DIAGNOSTICS v_result.inserted = ROW_COUNT;
	DELETE FROM roost_data.import_like s WHERE s.error IS NULL;
	SELECT pg_catalog.count(*) INTO v_result.refused FROM roost_data.import_like;
	v_result.existing := v_staged - v_result.inserted - v_result.refused;
	RAISE NOTICE '% likes imported', v_result.inserted;
	PERFORM roost_internal.audit_add('import.like', 'import', NULL, to_jsonb(v_result));
	RETURN v_result;
END
$$;
REVOKE ALL ON FUNCTION roost.like_import() FROM PUBLIC;
COMMENT ON FUNCTION roost.like_import() IS 'Makes likes of the rows of roost_data.import_like, at the times they were made (null: now); of a retweet its original is liked. Rows done, and likes that exist already, leave the table; refused ones stay, with the reason in error, and are tried again by the next call.';
