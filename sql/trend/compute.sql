-- How trends are found: uses are collected, then scored against what is usual.

CREATE OR REPLACE FUNCTION roost_internal.trend_language(language text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT pg_catalog.lower(coalesce(nullif(pg_catalog.split_part(language, '-', 1), ''), 'und'))
$$;
REVOKE ALL ON FUNCTION roost_internal.trend_language(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.trend_language(text) IS 'A language without its region, in lower case; und if there is none.';

CREATE OR REPLACE FUNCTION roost_internal.trend_score(observed double precision, expected double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT (observed - expected) / pg_catalog.sqrt(1 + expected + 0.25 * expected * expected)
$$;
REVOKE ALL ON FUNCTION roost_internal.trend_score(double precision, double precision) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.trend_score(double precision, double precision) IS 'By how many standard deviations a number is above what is expected: chance alone varies by the root of the expected number, days and hours differ by half of it, and a rare thing is never sure.';

CREATE OR REPLACE FUNCTION roost_internal.trend_collect("limit" integer, until_id bigint, OUT behind boolean, OUT hashtags text[], OUT post_ids bigint[])
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
	v_state roost_data.trend_state;
	v_young constant bigint := roost_internal.id_floor(v_now - interval '2 days');
	v_floor constant bigint := roost_internal.id_floor(v_now - interval '8 days');
	v_post_id bigint;
	v_like_id bigint;
	v_posts bigint;
	v_likes bigint;
BEGIN
	-- What happened before the baseline begins does not matter.
	INSERT INTO roost_data.trend_state AS s (post_id, like_id, started_at)
	VALUES (v_floor, v_floor, coalesce((SELECT roost.id_time(min(p.id)) FROM roost_data.post p WHERE p.id > v_floor), v_now))
	ON CONFLICT (one) DO NOTHING;
	SELECT * INTO v_state FROM roost_data.trend_state s FOR UPDATE;
	v_state.post_id := greatest(v_state.post_id, v_floor);
	v_state.like_id := greatest(v_state.like_id, v_floor);

	SELECT max(b.id), count(*) INTO v_post_id, v_posts
	FROM (SELECT p.id FROM roost_data.post p WHERE p.id > v_state.post_id AND p.id < until_id ORDER BY p.id LIMIT trend_collect."limit") b;
	-- By a bitmap of blocks, so without an order: as long a time as there are posts, or all.
	v_like_id := CASE WHEN v_posts < "limit" THEN until_id - 1 ELSE v_post_id END;
	v_post_id := coalesce(CASE WHEN v_posts < "limit" THEN until_id - 1 END, v_post_id);
	behind := v_posts >= "limit";

	WITH used AS (
		INSERT INTO roost_data.trend_hashtag_use AS u (hashtag, account_id, hour, at, language)
		SELECT t.hashtag, p.author_id, date_trunc('hour', p.created_at, 'UTC'), max(p.created_at), min(roost_internal.trend_language(p.language))
		FROM roost_data.post p
		JOIN roost_data.account a ON a.id = p.author_id AND a.status = 'active' AND NOT a.is_private AND a.limited_at IS NULL
		CROSS JOIN LATERAL unnest(p.hashtags) AS t (hashtag)
		WHERE p.id > v_state.post_id AND p.id <= v_post_id AND p.visibility = 'public' AND p.state = 'visible' AND p.retweet_of_id IS NULL
		GROUP BY 1, 2, 3
		ON CONFLICT ON CONSTRAINT trend_hashtag_use_pkey DO UPDATE SET at = excluded.at WHERE excluded.at > u.at
		RETURNING u.hashtag, u.language, u.hour, u.xmax = 0 AS first
	), counted AS (
		INSERT INTO roost_data.trend_hashtag_hour AS h (hashtag, language, hour, accounts)
		SELECT u.hashtag, u.language, u.hour, count(*) FROM used u WHERE u.first GROUP BY 1, 2, 3
		ON CONFLICT ON CONSTRAINT trend_hashtag_hour_pkey DO UPDATE SET accounts = h.accounts + excluded.accounts
	)
	SELECT array_agg(DISTINCT u.hashtag) INTO hashtags FROM used u;

	WITH used AS (
		INSERT INTO roost_data.trend_post_use AS u (post_id, account_id, at)
		SELECT e.post_id, e.account_id, max(e.at)
		FROM (
			SELECT t.post_id, p.author_id AS account_id, p.created_at AS at
			FROM roost_data.post p CROSS JOIN LATERAL (VALUES (p.retweet_of_id), (p.quote_of_id), (p.reply_to_id)) AS t (post_id)
			WHERE p.id > v_state.post_id AND p.id <= v_post_id
			UNION ALL
			SELECT l.post_id, l.account_id, l.created_at
			FROM roost_data.post_like l
			WHERE l.id > v_state.like_id AND l.id <= v_like_id
		) e
		WHERE e.post_id >= v_young
		GROUP BY 1, 2
		ON CONFLICT ON CONSTRAINT trend_post_use_pkey DO UPDATE SET at = excluded.at WHERE excluded.at > u.at
		RETURNING u.post_id
	)
	SELECT array_agg(DISTINCT u.post_id) INTO post_ids FROM used u;

	UPDATE roost_data.trend_state s SET post_id = v_post_id, like_id = v_like_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.trend_collect(integer, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.trend_collect(integer, bigint) IS 'Notes the uses of hashtags and posts in the next "limit" posts and the likes of that time, below until_id. Returns whether there are more, and which hashtags and posts were used.';

CREATE OR REPLACE FUNCTION roost_internal.trend_hashtag_score("window" roost.trend_window, hashtags text[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
	v_hours constant integer := CASE "window" WHEN 'hour' THEN 1 ELSE 24 END;
	v_from constant timestamptz := v_now - make_interval(hours => v_hours);
	v_end constant timestamptz := date_trunc('hour', v_from, 'UTC');
	v_begin constant timestamptz := greatest(v_end - interval '7 days', (SELECT s.started_at FROM roost_data.trend_state s));
	v_usual constant double precision := greatest(extract(epoch FROM v_end - v_begin) / 3600, 1);
	v_fade constant double precision := -ln(2) / extract(epoch FROM current_setting('roost.trend_half_life')::interval);
	v_support constant integer := current_setting('roost.trend_support');
	v_threshold constant double precision := current_setting('roost.trend_threshold');
	v_hashtags constant text[] := CASE WHEN hashtags IS NOT NULL THEN
		hashtags || ARRAY(SELECT t.hashtag FROM roost_data.trend_hashtag t WHERE t."window" = trend_hashtag_score."window" AND t.language = '') END;
BEGIN
	-- What has been a trend fades, unless it is scored higher below.
	UPDATE roost_data.trend_hashtag t SET score = t.score * exp(v_fade * greatest(extract(epoch FROM v_now - t.computed_at), 0)), computed_at = v_now
	WHERE t."window" = trend_hashtag_score."window";
	INSERT INTO roost_data.trend_hashtag AS t ("window", language, hashtag, accounts, expected, score, place, since, computed_at)
	SELECT trend_hashtag_score."window", s.language, s.hashtag, s.accounts, s.expected, s.score, 0, v_now, v_now
	FROM (
		SELECT o.hashtag, o.language, o.accounts, e.expected, roost_internal.trend_score(o.accounts, e.expected) AS score
		FROM (
			SELECT u.hashtag, coalesce(u.language, '') AS language, count(DISTINCT u.account_id) AS accounts
			FROM roost_data.trend_hashtag_use u
			JOIN roost_data.account a ON a.id = u.account_id AND a.status = 'active' AND NOT a.is_private AND a.limited_at IS NULL
			WHERE u.at > v_from AND u.at <= v_now AND (v_hashtags IS NULL OR u.hashtag = ANY (v_hashtags))
			GROUP BY GROUPING SETS ((u.hashtag, u.language), (u.hashtag))
			HAVING count(DISTINCT u.account_id) >= v_support
		) o
		CROSS JOIN LATERAL (
			SELECT coalesce(sum(h.accounts), 0)::double precision * v_hours / v_usual AS expected
			FROM roost_data.trend_hashtag_hour h
			WHERE h.hashtag = o.hashtag AND (o.language = '' OR h.language = o.language) AND h.hour >= v_begin - interval '1 hour' AND h.hour < v_end
		) e
	) s
	WHERE s.score >= v_threshold
	ON CONFLICT ON CONSTRAINT trend_hashtag_pkey DO UPDATE SET accounts = excluded.accounts, expected = excluded.expected,
		score = greatest(t.score, excluded.score);
	DELETE FROM roost_data.trend_hashtag t
	USING (SELECT r.language, r.hashtag, row_number() OVER (PARTITION BY r.language ORDER BY r.score DESC, r.hashtag) AS place
		FROM roost_data.trend_hashtag r WHERE r."window" = trend_hashtag_score."window") r
	WHERE t."window" = trend_hashtag_score."window" AND t.language = r.language AND t.hashtag = r.hashtag AND (t.score < v_threshold OR r.place > 100);
	UPDATE roost_data.trend_hashtag t SET place = r.place
	FROM (SELECT r.language, r.hashtag, row_number() OVER (PARTITION BY r.language ORDER BY r.score DESC, r.hashtag) AS place
		FROM roost_data.trend_hashtag r WHERE r."window" = trend_hashtag_score."window") r
	WHERE t."window" = trend_hashtag_score."window" AND t.language = r.language AND t.hashtag = r.hashtag AND t.place <> r.place;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.trend_hashtag_score(roost.trend_window, text[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.trend_hashtag_score(roost.trend_window, text[]) IS 'Scores these hashtags (null: all of the window) and those that are trends.';

CREATE OR REPLACE FUNCTION roost_internal.trend_post_usual(author_id bigint, before_id bigint) RETURNS double precision
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN coalesce((
		SELECT avg(greatest(coalesce(c.uses, 0), 0))
		FROM (SELECT p.id FROM roost_data.post p
			WHERE p.author_id = trend_post_usual.author_id AND p.id < before_id AND p.visibility = 'public' AND p.retweet_of_id IS NULL
			ORDER BY p.id DESC LIMIT 20) e
		CROSS JOIN LATERAL (SELECT sum(s.like_count + s.retweet_count + s.reply_count + s.quote_count) AS uses FROM roost_data.post_stat s WHERE s.post_id = e.id) c), 0);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.trend_post_usual(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.trend_post_usual(bigint, bigint) IS 'How often the 20 public posts of an author before this one were liked, retweeted, quoted and answered, on average.';

CREATE OR REPLACE FUNCTION roost_internal.trend_post_score("window" roost.trend_window, post_ids bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
	v_from constant timestamptz := v_now - make_interval(hours => CASE "window" WHEN 'hour' THEN 1 ELSE 24 END);
	v_fade constant double precision := -ln(2) / extract(epoch FROM current_setting('roost.trend_half_life')::interval);
	v_support constant integer := current_setting('roost.trend_support');
	v_threshold constant double precision := current_setting('roost.trend_threshold');
	v_post_ids constant bigint[] := CASE WHEN post_ids IS NOT NULL THEN
		post_ids || ARRAY(SELECT t.post_id FROM roost_data.trend_post t WHERE t."window" = trend_post_score."window" AND t.language = '') END;
BEGIN
	UPDATE roost_data.trend_post t SET score = t.score * exp(v_fade * greatest(extract(epoch FROM v_now - t.computed_at), 0)), computed_at = v_now
	WHERE t."window" = trend_post_score."window";
	INSERT INTO roost_data.trend_post AS t ("window", language, post_id, accounts, expected, score, place, since, computed_at)
	SELECT trend_post_score."window", l.language, s.post_id, s.accounts, s.expected, s.score, 0, v_now, v_now
	FROM (
		SELECT o.post_id, o.accounts, o.language, e.expected, roost_internal.trend_score(o.accounts, e.expected) AS score
		FROM (
			SELECT u.post_id, p.author_id, p.language, count(*) AS accounts
			FROM roost_data.trend_post_use u
			JOIN roost_data.account b ON b.id = u.account_id AND b.status = 'active' AND b.limited_at IS NULL
			JOIN roost_data.post p ON p.id = u.post_id AND p.visibility = 'public' AND p.state = 'visible' AND p.author_id <> u.account_id
			JOIN roost_data.account a ON a.id = p.author_id AND a.status = 'active' AND NOT a.is_private AND a.limited_at IS NULL
			WHERE u.at > v_from AND u.at <= v_now AND (v_post_ids IS NULL OR u.post_id = ANY (v_post_ids))
			GROUP BY 1, 2, 3
			HAVING count(*) >= v_support
		) o
		CROSS JOIN LATERAL (SELECT roost_internal.trend_post_usual(o.author_id, o.post_id) AS expected OFFSET 0) e
	) s
	CROSS JOIN LATERAL (VALUES (''), (roost_internal.trend_language(s.language))) AS l (language)
	WHERE s.score >= v_threshold
	ON CONFLICT ON CONSTRAINT trend_post_pkey DO UPDATE SET accounts = excluded.accounts, expected = excluded.expected,
		score = greatest(t.score, excluded.score);
	DELETE FROM roost_data.trend_post t
	USING (SELECT r.language, r.post_id, row_number() OVER (PARTITION BY r.language ORDER BY r.score DESC, r.post_id DESC) AS place
		FROM roost_data.trend_post r WHERE r."window" = trend_post_score."window") r
	WHERE t."window" = trend_post_score."window" AND t.language = r.language AND t.post_id = r.post_id
		AND (t.score < v_threshold OR r.place > 100 OR NOT EXISTS (SELECT FROM roost_data.post p WHERE p.id = t.post_id));
	UPDATE roost_data.trend_post t SET place = r.place
	FROM (SELECT r.language, r.post_id, row_number() OVER (PARTITION BY r.language ORDER BY r.score DESC, r.post_id DESC) AS place
		FROM roost_data.trend_post r WHERE r."window" = trend_post_score."window") r
	WHERE t."window" = trend_post_score."window" AND t.language = r.language AND t.post_id = r.post_id AND t.place <> r.place;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.trend_post_score(roost.trend_window, bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.trend_post_score(roost.trend_window, bigint[]) IS 'Scores these posts (null: all of the window) and those that are trends.';

CREATE OR REPLACE FUNCTION roost_internal.trend_run("limit" integer DEFAULT 2000, until_id bigint DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
	-- Everything below has been committed, but for transactions older than this.
	v_until constant bigint := coalesce(until_id, greatest(roost_internal.pending_horizon(), roost_internal.id_floor(v_now - interval '5 minutes')));
	v_used record;
	v_complete boolean;
	v_window roost.trend_window;
BEGIN
	-- One run at a time; who comes meanwhile has nothing to do.
	IF NOT pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended('roost.trend_run', 0)) THEN
		RETURN false;
	END IF;
	SELECT * INTO v_used FROM roost_internal.trend_collect("limit", v_until);
	SELECT s.complete INTO v_complete FROM roost_data.trend_state s;
	IF v_used.behind THEN
		UPDATE roost_data.trend_state s SET complete = false WHERE s.complete;
		RETURN true;
	END IF;
	FOREACH v_window IN ARRAY pg_catalog.enum_range(NULL::roost.trend_window) LOOP
		PERFORM roost_internal.trend_hashtag_score(v_window, CASE WHEN v_complete THEN coalesce(v_used.hashtags, '{}') END);
		PERFORM roost_internal.trend_post_score(v_window, CASE WHEN v_complete THEN coalesce(v_used.post_ids, '{}') END);
	END LOOP;
	UPDATE roost_data.trend_state s SET complete = true, computed_at = v_now;
	RETURN false;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.trend_run(integer, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.trend_run(integer, bigint) IS 'Looks at the next "limit" posts, and scores what was used in them and what is a trend. Returns true without scoring if there are more posts: call it again. The background worker calls it every roost.trend_interval. until_id: look at nothing from there on. While another run is under way: false, nothing is done.';

CREATE OR REPLACE FUNCTION roost_internal.trend_maintenance() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
	v_count bigint;
	v_purged bigint := 0;
BEGIN
	DELETE FROM roost_data.trend_hashtag_use u WHERE u.at < v_now - interval '25 hours';
	GET DIAGNOSTICS v_count = ROW_COUNT;
	v_purged := v_purged + v_count;
	DELETE FROM roost_data.trend_post_use u WHERE u.at < v_now - interval '25 hours';
	GET DIAGNOSTICS v_count = ROW_COUNT;
	v_purged := v_purged + v_count;
	DELETE FROM roost_data.trend_hashtag_hour h WHERE h.hour < v_now - interval '9 days';
	GET DIAGNOSTICS v_count = ROW_COUNT;
	RETURN v_purged + v_count;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.trend_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.trend_maintenance() IS 'Removes what is older than the windows of trends and their baseline. Returns how many rows that were.';

CREATE OR REPLACE FUNCTION roost_internal.trend_account_delete(account_id bigint) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	DELETE FROM roost_data.trend_hashtag_use u WHERE u.account_id = $1;
	DELETE FROM roost_data.trend_post_use u WHERE u.account_id = $1;
$$;
REVOKE ALL ON FUNCTION roost_internal.trend_account_delete(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.trend_account_delete(bigint) IS 'Removes what is noted of an account for trends.';
