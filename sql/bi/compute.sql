-- Counting in the background: per account from the log of events, per day
-- from the tables.  pg_cron runs it every few minutes, or the maintenance.

CREATE OR REPLACE FUNCTION roost_internal.account_active() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_day constant date := (NEW.last_active_at AT TIME ZONE 'UTC')::date;
BEGIN
	PERFORM roost_internal.account_activity_add(ARRAY[NEW.id], v_day);
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_active() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_active() IS 'AFTER ROW trigger of accounts: notes the day of last_active_at.';

CREATE OR REPLACE FUNCTION roost_internal.account_activity_add(account_ids bigint[], day date) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO roost_data.account_activity AS t (month, account_id, days)
	SELECT date_trunc('month', account_activity_add.day::timestamp)::date, i.id, 1 << (extract(day FROM account_activity_add.day)::integer - 1)
	FROM unnest(account_ids) i (id) ORDER BY i.id
	ON CONFLICT ON CONSTRAINT account_activity_pkey DO UPDATE SET days = t.days | excluded.days
	WHERE t.days & excluded.days = 0;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.account_activity_add(bigint[], date) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.account_activity_add(bigint[], date) IS 'Notes that accounts were active on a day (UTC); each id once.';

CREATE OR REPLACE FUNCTION roost_internal.activity_window(until_day date, days integer) RETURNS TABLE (month date, days integer)
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
	-- Days are numbers here: no time zone of the session has a say.
	SELECT date_trunc('month', ($1 - g)::timestamp)::date, bit_or(1 << (extract(day FROM $1 - g)::integer - 1))
	FROM generate_series(0, $2 - 1) g GROUP BY 1
$$;
REVOKE ALL ON FUNCTION roost_internal.activity_window(date, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.activity_window(date, integer) IS 'So many days up to a day, as months and bits of roost_data.account_activity.';

CREATE OR REPLACE FUNCTION roost_internal.active_accounts(until_day date, days integer) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_count bigint;
BEGIN
	WITH wanted AS (
		SELECT w.* FROM roost_internal.activity_window(until_day, active_accounts.days) w
	)
	SELECT count(DISTINCT t.account_id) INTO v_count
	FROM roost_data.account_activity t JOIN wanted w ON w.month = t.month AND w.days & t.days <> 0;
	RETURN v_count;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.active_accounts(date, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.active_accounts(date, integer) IS 'How many accounts were active on any of so many days up to a day (UTC).';

CREATE OR REPLACE FUNCTION roost_internal.active_accounts_today(today date, OUT daily bigint, OUT weekly bigint, OUT monthly bigint)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_month constant date := date_trunc('month', today::timestamp)::date;
	v_bit constant integer := 1 << (extract(day FROM today)::integer - 1);
	v_7d constant integer := coalesce((SELECT w.days FROM roost_internal.activity_window(today - 1, 6) w WHERE w.month = v_month), 0);
	v_30d constant integer := coalesce((SELECT w.days FROM roost_internal.activity_window(today - 1, 29) w WHERE w.month = v_month), 0);
	v_state roost_data.bi_state;
BEGIN
	INSERT INTO roost_data.bi_state DEFAULT VALUES ON CONFLICT DO NOTHING;
	SELECT s.* INTO v_state FROM roost_data.bi_state s;
	IF v_state.before_day IS DISTINCT FROM today THEN
		v_state.active_before_7d := roost_internal.active_accounts(today - 1, 6);
		v_state.active_before_30d := roost_internal.active_accounts(today - 1, 29);
		-- kept once nothing is added to the day before
		IF EXISTS (SELECT FROM roost_data.platform_day d WHERE d.day = today - 1 AND d.final) THEN
			UPDATE roost_data.bi_state SET before_day = today, active_before_7d = v_state.active_before_7d, active_before_30d = v_state.active_before_30d;
		END IF;
	END IF;
	SELECT count(*),
		v_state.active_before_7d + count(*) FILTER (WHERE t.days & v_7d = 0 AND NOT EXISTS (
			SELECT FROM roost_internal.activity_window(today - 1, 6) w JOIN roost_data.account_activity b ON b.month = w.month AND b.account_id = t.account_id AND b.days & w.days <> 0
			WHERE w.month < v_month)),
		v_state.active_before_30d + count(*) FILTER (WHERE t.days & v_30d = 0 AND NOT EXISTS (
			SELECT FROM roost_internal.activity_window(today - 1, 29) w JOIN roost_data.account_activity b ON b.month = w.month AND b.account_id = t.account_id AND b.days & w.days <> 0
			WHERE w.month < v_month))
	INTO daily, weekly, monthly
	FROM roost_data.account_activity t WHERE t.month = v_month AND t.days & v_bit <> 0;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.active_accounts_today(date) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.active_accounts_today(date) IS 'How many accounts were active on a day that is not over, and in the 7 and the 30 days up to it: those before, which are counted once a day, and those that come to them.';

CREATE OR REPLACE FUNCTION roost_internal.bi_follow("limit" integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_from bigint;
	v_to bigint;
	v_position record;
	v_oldest constant date := (roost_internal.clock_now() AT TIME ZONE 'UTC')::date - 396;
	v_active record;
BEGIN
	INSERT INTO roost_data.bi_state DEFAULT VALUES ON CONFLICT DO NOTHING;
	SELECT s.seq INTO v_from FROM roost_data.bi_state s FOR UPDATE;
	SELECT p.first_seq, p.last_seq INTO v_position FROM roost.feed_position() p;
	v_from := greatest(v_from, v_position.first_seq - 1);
	v_to := least(v_from + "limit", v_position.last_seq);
	IF v_to IS NULL OR v_to <= v_from THEN
		RETURN 0;
	END IF;
	INSERT INTO roost_data.author_day AS t (account_id, day, posts, replies, retweets,
		likes_received, replies_received, retweets_received, quotes_received, followers_gained)
	SELECT x.account_id, x.day, sum(x.posts), sum(x.replies), sum(x.retweets), sum(x.likes_received), sum(x.replies_received),
		sum(x.retweets_received), sum(x.quotes_received), sum(x.followers_gained)
	FROM (
		WITH logged AS MATERIALIZED (
			SELECT l.kind, l.account_id, l.target_id, l.retweet_of_id, l.reply_to_account_id, (roost.id_time(l.id) AT TIME ZONE 'UTC')::date AS day
			FROM roost_data.feed_log l
			WHERE l.seq > v_from AND l.seq <= v_to AND l.kind IN ('post_created', 'like_created', 'follow_created')
		)
		SELECT l.account_id, l.day,
			(l.retweet_of_id IS NULL)::integer AS posts,
			(l.retweet_of_id IS NULL AND l.reply_to_account_id IS NOT NULL)::integer AS replies,
			(l.retweet_of_id IS NOT NULL)::integer AS retweets,
			0 AS likes_received, 0 AS replies_received, 0 AS retweets_received, 0 AS quotes_received, 0 AS followers_gained
		FROM logged l WHERE l.kind = 'post_created'
		UNION ALL
		SELECT l.target_id, l.day, 0, 0, 0,
			(l.kind = 'like_created')::integer, 0,
			(l.kind = 'post_created' AND l.retweet_of_id IS NOT NULL)::integer,
			(l.kind = 'post_created' AND l.retweet_of_id IS NULL)::integer,
			(l.kind = 'follow_created')::integer
		FROM logged l WHERE l.target_id <> l.account_id
		UNION ALL
		SELECT l.reply_to_account_id, l.day, 0, 0, 0, 0, 1, 0, 0, 0
		FROM logged l WHERE l.kind = 'post_created' AND l.reply_to_account_id <> l.account_id
	) x
	WHERE x.day > v_oldest AND EXISTS (SELECT FROM roost_data.account a WHERE a.id = x.account_id AND a.status <> 'deleted')
	GROUP BY x.account_id, x.day
	ORDER BY x.account_id, x.day
	ON CONFLICT ON CONSTRAINT author_day_pkey DO UPDATE SET
		posts = t.posts + excluded.posts, replies = t.replies + excluded.replies, retweets = t.retweets + excluded.retweets,
		likes_received = t.likes_received + excluded.likes_received, replies_received = t.replies_received + excluded.replies_received,
		retweets_received = t.retweets_received + excluded.retweets_received, quotes_received = t.quotes_received + excluded.quotes_received,
		followers_gained = t.followers_gained + excluded.followers_gained;
	-- What tells of joining and the like nobody wrote; what has expired meanwhile somebody did.
	INSERT INTO roost_data.message_day AS t (day, messages, encrypted_messages, conversations)
	SELECT (roost.id_time(l.id) AT TIME ZONE 'UTC')::date, count(*) FILTER (WHERE l.kind = 'message_created'),
		count(*) FILTER (WHERE l.kind = 'message_created' AND coalesce(m.encrypted, c.encryption = 'e2ee')), count(*) FILTER (WHERE l.kind = 'conversation_created')
	FROM roost_data.feed_log l
	LEFT JOIN roost_data.message m ON l.kind = 'message_created' AND m.conversation_id = l.conversation_id AND m.id = l.message_id
	LEFT JOIN roost_data.conversation c ON c.id = l.conversation_id
	WHERE l.seq > v_from AND l.seq <= v_to AND l.kind IN ('message_created', 'conversation_created') AND m.action IS NULL
	GROUP BY 1 ORDER BY 1
	ON CONFLICT ON CONSTRAINT message_day_pkey DO UPDATE SET messages = t.messages + excluded.messages,
		encrypted_messages = t.encrypted_messages + excluded.encrypted_messages, conversations = t.conversations + excluded.conversations;
	-- Who does something is active, also where no session says so.
	FOR v_active IN
		SELECT x.day, array_agg(DISTINCT x.account_id) AS account_ids
		FROM (SELECT l.account_id, (roost.id_time(l.id) AT TIME ZONE 'UTC')::date AS day
			FROM roost_data.feed_log l
			WHERE l.seq > v_from AND l.seq <= v_to AND l.kind IN ('post_created', 'like_created', 'follow_created', 'message_created')) x
		JOIN roost_data.account a ON a.id = x.account_id AND a.status <> 'deleted'
		WHERE x.day > v_oldest
		GROUP BY x.day ORDER BY x.day
	LOOP
		PERFORM roost_internal.account_activity_add(v_active.account_ids, v_active.day);
	END LOOP;
	-- Who left while it was counted above is in the log after what was counted.
	PERFORM roost_internal.bi_account_delete(l.account_id) FROM roost_data.feed_log l WHERE l.seq > v_from AND l.seq <= v_to AND l.kind = 'account_deleted';
	UPDATE roost_data.bi_state SET seq = v_to;
	RETURN v_to - v_from;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.bi_follow(integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.bi_follow(integer) IS 'Counts the next rows of the log of events, at most "limit"; returns how many there were. What the log does not keep any more is left out.';

CREATE OR REPLACE FUNCTION roost_internal.bi_day(day date) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
	v_begin constant timestamptz := bi_day.day::timestamp AT TIME ZONE 'UTC';
	v_end constant timestamptz := (bi_day.day + 1)::timestamp AT TIME ZONE 'UTC';
	v_from constant bigint := roost_internal.id_floor(v_begin);
	v_to constant bigint := roost_internal.id_floor(v_end);
	v_post record;
	v_base roost_data.platform_day;
	v_accounts bigint;
	v_active record;
BEGIN
	IF v_now < v_end THEN
		SELECT d.* INTO v_base FROM roost_data.platform_day d WHERE d.final AND d.day < bi_day.day ORDER BY d.day DESC LIMIT 1;
		SELECT t.* INTO v_active FROM roost_internal.active_accounts_today(bi_day.day) t;
	ELSE
		SELECT roost_internal.active_accounts(bi_day.day, 1) AS daily, roost_internal.active_accounts(bi_day.day, 7) AS weekly,
			roost_internal.active_accounts(bi_day.day, 30) AS monthly INTO v_active;
	END IF;
	IF v_base.day IS NULL THEN
		v_accounts := (SELECT count(*) FROM roost_data.account a WHERE a.status <> 'deleted' AND a.id < v_to);
	ELSE
		-- Since the last day that was counted in full: who came and is still there, without those who left and were there before.
		v_accounts := v_base.accounts
			+ (SELECT count(*) FROM roost_data.account a
				WHERE a.id >= roost_internal.id_floor((v_base.day + 1)::timestamp AT TIME ZONE 'UTC') AND a.id < v_to AND a.status <> 'deleted')
			- (SELECT count(*) FROM roost_data.account a WHERE a.status = 'deleted' AND a.updated_at > v_base.computed_at
				AND a.id < roost_internal.id_floor((v_base.day + 1)::timestamp AT TIME ZONE 'UTC'));
	END IF;
	SELECT count(*) FILTER (WHERE p.retweet_of_id IS NULL) AS posts,
		count(DISTINCT p.author_id) AS authors,
		count(*) FILTER (WHERE p.retweet_of_id IS NULL AND p.reply_to_id IS NOT NULL) AS replies,
		count(p.retweet_of_id) AS retweets,
		count(p.quote_of_id) AS quotes
	INTO v_post FROM roost_data.post p WHERE p.id >= v_from AND p.id < v_to;
	INSERT INTO roost_data.platform_day AS d (day, accounts, registrations, active_accounts, active_accounts_7d, active_accounts_30d,
		posting_accounts, posts, replies, retweets, quotes, likes, follows, reports, decisions, final, computed_at)
	VALUES (bi_day.day,
		v_accounts,
		(SELECT count(*) FROM roost_data.account a WHERE a.id >= v_from AND a.id < v_to),
		v_active.daily, v_active.weekly, v_active.monthly,
		v_post.authors, v_post.posts, v_post.replies, v_post.retweets, v_post.quotes,
		(SELECT count(*) FROM roost_data.post_like l WHERE l.id >= v_from AND l.id < v_to),
		(SELECT count(*) FROM roost_data.follow f WHERE f.id >= v_from AND f.id < v_to),
		(SELECT count(*) FROM roost_data.report r WHERE r.id >= v_from AND r.id < v_to),
		(SELECT count(*) FROM roost_data.moderation_decision m WHERE m.id >= v_from AND m.id < v_to),
		v_now >= v_end + interval '15 minutes', v_now)
	ON CONFLICT ON CONSTRAINT platform_day_pkey DO UPDATE SET
		accounts = excluded.accounts, registrations = excluded.registrations, active_accounts = excluded.active_accounts,
		active_accounts_7d = excluded.active_accounts_7d, active_accounts_30d = excluded.active_accounts_30d,
		posting_accounts = excluded.posting_accounts, posts = excluded.posts, replies = excluded.replies, retweets = excluded.retweets,
		quotes = excluded.quotes, likes = excluded.likes, follows = excluded.follows, reports = excluded.reports, decisions = excluded.decisions,
		final = excluded.final, computed_at = excluded.computed_at;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.bi_day(date) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.bi_day(date) IS 'Counts a day (UTC) anew from what the tables hold now. It is final a quarter of an hour after its end. All accounts are looked at only for days that are over; the present day adds to the day before.';

CREATE OR REPLACE FUNCTION roost_internal.bi_retention(day date) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO roost_data.platform_retention (cohort, age, accounts, active)
	SELECT c.cohort, c.age, n.accounts, n.active
	FROM (SELECT bi_retention.day - g.age AS cohort, g.age FROM unnest(ARRAY(SELECT generate_series(1, 30)) || ARRAY[60, 90, 180, 365]) g (age)) c
	CROSS JOIN LATERAL (
		SELECT count(*) AS accounts,
			count(*) FILTER (WHERE t.days & (1 << (extract(day FROM bi_retention.day)::integer - 1)) <> 0) AS active
		FROM roost_data.account a
		LEFT JOIN roost_data.account_activity t ON t.month = date_trunc('month', bi_retention.day::timestamp)::date AND t.account_id = a.id
		WHERE a.id >= roost_internal.id_floor(c.cohort::timestamp AT TIME ZONE 'UTC')
			AND a.id < roost_internal.id_floor((c.cohort + 1)::timestamp AT TIME ZONE 'UTC')
	) n
	WHERE n.accounts > 0
	ON CONFLICT ON CONSTRAINT platform_retention_pkey DO UPDATE SET accounts = excluded.accounts, active = excluded.active;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.bi_retention(date) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.bi_retention(date) IS 'Counts how many of those that registered 1 to 30, 60, 90, 180 and 365 days before a day (UTC) were active on it.';

CREATE OR REPLACE FUNCTION roost_internal.bi_maintenance() RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
	v_today constant date := (v_now AT TIME ZONE 'UTC')::date;
	v_day date;
	v_purged bigint;
	v_gone bigint;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended('roost.bi', 0));
	FOR i IN 1 .. 20 LOOP
		EXIT WHEN roost_internal.bi_follow(50000) < 50000;
	END LOOP;
	-- Days that were not counted to their end, a month back at most, then today.
	FOR v_day IN
		SELECT v_today - g FROM generate_series(least(31, v_today - coalesce((SELECT min((roost.id_time(a.id) AT TIME ZONE 'UTC')::date)
			FROM (SELECT t.id FROM roost_data.account t ORDER BY t.id LIMIT 1) a), v_today)), 1, -1) g
		WHERE NOT EXISTS (SELECT FROM roost_data.platform_day d WHERE d.day = v_today - g AND d.final)
		ORDER BY 1
	LOOP
		PERFORM roost_internal.bi_day(v_day), roost_internal.bi_retention(v_day);
	END LOOP;
	PERFORM roost_internal.bi_day(v_today);
	UPDATE roost_data.bi_state SET computed_at = v_now;

	DELETE FROM roost_data.account_activity t WHERE t.month < date_trunc('month', (v_today - 396)::timestamp)::date;
	GET DIAGNOSTICS v_purged = ROW_COUNT;
	DELETE FROM roost_data.author_day t WHERE t.day < v_today - 396;
	GET DIAGNOSTICS v_gone = ROW_COUNT;
	RETURN v_purged + v_gone;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.bi_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.bi_maintenance() IS 'Counts what has happened since the last time, and removes what is older than 13 months. Returns how many rows it removed.';

CREATE OR REPLACE FUNCTION roost_internal.bi_account_delete(account_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	DELETE FROM roost_data.author_day t WHERE t.account_id = bi_account_delete.account_id;
	-- By the primary key: the months that there can be.
	DELETE FROM roost_data.account_activity t WHERE t.account_id = bi_account_delete.account_id
		AND t.month = ANY (ARRAY(SELECT (date_trunc('month', roost_internal.clock_now(), 'UTC') AT TIME ZONE 'UTC' - make_interval(months => g))::date FROM generate_series(-1, 14) g));
END
$$;
REVOKE ALL ON FUNCTION roost_internal.bi_account_delete(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.bi_account_delete(bigint) IS 'Removes what was counted of an account; sums over all accounts stay.';

CREATE OR REPLACE FUNCTION roost_internal.bi_export(account_id bigint) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object(
		'days', coalesce((SELECT jsonb_agg(to_jsonb(t) - 'account_id' ORDER BY t.day) FROM roost_data.author_day t WHERE t.account_id = $1), '[]'),
		'active', coalesce((SELECT jsonb_agg(t.month + g.n ORDER BY t.month, g.n)
			FROM roost_data.account_activity t, generate_series(0, 30) g (n)
			WHERE t.account_id = $1 AND t.days & (1 << g.n) <> 0), '[]'))
$$;
REVOKE ALL ON FUNCTION roost_internal.bi_export(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.bi_export(bigint) IS 'What was counted of an account by day, and on which days it was active.';
