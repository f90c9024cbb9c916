-- What was counted, for those who run the platform and for each account.

CREATE OR REPLACE FUNCTION roost.platform_health(actor_id roost.id) RETURNS roost.platform_health
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_today constant date := (roost_internal.clock_now() AT TIME ZONE 'UTC')::date;
	v_health roost.health;
	v_day roost_data.platform_day;
	v_answer roost.platform_health;
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'health.read');
	v_health := roost.health();
	v_answer.at := roost_internal.clock_now();
	v_answer.version := v_health.version;
	v_answer.status := v_health.status;
	v_answer.worker := v_health.worker;
	v_answer.worker_lag := v_health.worker_lag;
	v_answer.queue_depth := v_health.queue_depth;
	v_answer.database_bytes := pg_database_size(current_database());
	SELECT * INTO v_day FROM roost_data.platform_day d ORDER BY d.day DESC LIMIT 1;
	v_answer.computed_at := v_day.computed_at;
	v_answer.accounts := v_day.accounts;
	IF v_day.day = v_today THEN
		v_answer.registrations_today := v_day.registrations;
		v_answer.active_today := v_day.active_accounts;
		v_answer.active_week := v_day.active_accounts_7d;
		v_answer.active_month := v_day.active_accounts_30d;
		v_answer.posts_today := v_day.posts;
		v_answer.engagements_today := v_day.likes + v_day.retweets + v_day.quotes + v_day.replies;
	END IF;
	SELECT count(*) FILTER (WHERE a.status = 'suspended'), count(*) FILTER (WHERE a.status = 'active')
	INTO v_answer.suspended_accounts, v_answer.limited_accounts
	FROM roost_data.account a WHERE a.status = 'suspended' OR a.limited_at IS NOT NULL;
	SELECT count(*), min(c.created_at), coalesce(sum(c.report_count), 0) INTO v_answer.open_cases, v_answer.oldest_case_at, v_answer.open_reports
	FROM roost_data.moderation_case c WHERE c.status IN ('open', 'assigned', 'appealed');
	SELECT count(*) INTO v_answer.open_appeals FROM roost_data.moderation_appeal p WHERE p.status = 'open';
	RETURN v_answer;
END
$$;
REVOKE ALL ON FUNCTION roost.platform_health(roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.platform_health(roost.id) IS 'How the platform is now. What was counted of today is null until it has been counted. 42501 without the permission health.read.';
SELECT roost_internal.route('GET', '/admin/health', 'roost.platform_health', lane => 'slow', tags => '{admin}');

CREATE OR REPLACE FUNCTION roost.platform_days(actor_id roost.id, since date DEFAULT NULL, until date DEFAULT NULL) RETURNS SETOF roost.platform_day
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_until constant date := coalesce(until, (roost_internal.clock_now() AT TIME ZONE 'UTC')::date);
	v_since constant date := coalesce(since, v_until - 27);
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'health.read');
	PERFORM roost_internal.bi_span_check(v_since, v_until);
	RETURN QUERY SELECT d.day, d.accounts, d.registrations, d.active_accounts, d.active_accounts_7d, d.active_accounts_30d,
		d.posting_accounts, d.posts, d.replies, d.retweets, d.quotes, d.likes, d.follows,
		(d.likes + d.retweets + d.quotes + d.replies)::double precision / nullif(d.posts, 0), d.reports, d.decisions,
		coalesce(m.messages, 0), coalesce(m.encrypted_messages, 0), coalesce(m.conversations, 0), d.computed_at
	FROM roost_data.platform_day d LEFT JOIN roost_data.message_day m ON m.day = d.day WHERE d.day BETWEEN v_since AND v_until
	ORDER BY d.day;
END
$$;
REVOKE ALL ON FUNCTION roost.platform_days(roost.id, date, date) FROM PUBLIC;
COMMENT ON FUNCTION roost.platform_days(roost.id, date, date) IS 'What was counted of each day (UTC) from since to until, the oldest first; without them the last 28 days. 22023 more than 400 days or in the wrong order, 42501 without the permission health.read.';
SELECT roost_internal.route('GET', '/admin/health/daily', 'roost.platform_days', tags => '{admin}');

CREATE OR REPLACE FUNCTION roost.platform_retention(actor_id roost.id, since date DEFAULT NULL, until date DEFAULT NULL) RETURNS SETOF roost.platform_retention
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_until constant date := coalesce(until, (roost_internal.clock_now() AT TIME ZONE 'UTC')::date);
	v_since constant date := coalesce(since, v_until - 27);
BEGIN
	PERFORM roost_internal.permission_check(actor_id, 'health.read');
	PERFORM roost_internal.bi_span_check(v_since, v_until);
	RETURN QUERY SELECT r.cohort, r.age, r.accounts, r.active, r.active::double precision / r.accounts
	FROM roost_data.platform_retention r WHERE r.cohort BETWEEN v_since AND v_until
	ORDER BY r.cohort, r.age;
END
$$;
REVOKE ALL ON FUNCTION roost.platform_retention(roost.id, date, date) FROM PUBLIC;
COMMENT ON FUNCTION roost.platform_retention(roost.id, date, date) IS 'How many of those that registered on each day (UTC) from since to until came back, by their age in days; without since and until the last 28 days. 22023 more than 400 days or in the wrong order, 42501 without the permission health.read.';
SELECT roost_internal.route('GET', '/admin/health/retention', 'roost.platform_retention', tags => '{admin}');

CREATE OR REPLACE FUNCTION roost_internal.bi_span_check(since date, until date) RETURNS void
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT isfinite(since) OR NOT isfinite(until) OR since > until OR until - since > 400 THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'since', MESSAGE = 'the span of days is not valid',
			DETAIL = 'since must not be after until, nor more than 400 days before it.';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.bi_span_check(date, date) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.bi_span_check(date, date) IS 'Raises 22023 unless the days are in order and at most 400 apart.';

CREATE OR REPLACE FUNCTION roost.analytics_daily(actor_id roost.id, since date DEFAULT NULL, until date DEFAULT NULL) RETURNS SETOF roost.analytics_day
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_until constant date := coalesce(until, (roost_internal.clock_now() AT TIME ZONE 'UTC')::date);
	v_since constant date := coalesce(since, v_until - 27);
BEGIN
	PERFORM roost_internal.bi_span_check(v_since, v_until);
	RETURN QUERY SELECT g::date, coalesce(d.posts, 0), coalesce(d.replies, 0), coalesce(d.retweets, 0), coalesce(d.likes_received, 0),
		coalesce(d.replies_received, 0), coalesce(d.retweets_received, 0), coalesce(d.quotes_received, 0), coalesce(d.followers_gained, 0)
	FROM generate_series(v_since::timestamp, v_until::timestamp, interval '1 day') g
	LEFT JOIN roost_data.author_day d ON d.account_id = actor_id AND d.day = g::date
	ORDER BY g;
END
$$;
REVOKE ALL ON FUNCTION roost.analytics_daily(roost.id, date, date) FROM PUBLIC;
COMMENT ON FUNCTION roost.analytics_daily(roost.id, date, date) IS 'What the caller wrote and what others did to it on each day (UTC) from since to until, the oldest first; without them the last 28 days. Counted in the background, every few minutes. 22023 more than 400 days or in the wrong order.';
SELECT roost_internal.route('GET', '/me/analytics', 'roost.analytics_daily', tags => '{analytics}');

CREATE OR REPLACE FUNCTION roost.analytics_posts(actor_id roost.id, since date DEFAULT NULL, count integer DEFAULT 20) RETURNS SETOF roost.post
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_since constant date := coalesce(since, (roost_internal.clock_now() AT TIME ZONE 'UTC')::date - 27);
BEGIN
	IF NOT isfinite(v_since) OR v_since NOT BETWEEN '1970-01-02' AND '6000-01-01' THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'since', MESSAGE = 'the day is not valid';
	ELSIF count IS NULL OR count NOT BETWEEN 1 AND 100 THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'count', MESSAGE = 'count is not between 1 and 100';
	END IF;
	RETURN QUERY SELECT * FROM roost_internal.post_page(actor_id, ARRAY(
		SELECT b.id
		FROM (
			SELECT p.id FROM roost_data.post p
			WHERE p.author_id = actor_id AND p.id >= roost_internal.id_floor(v_since::timestamp AT TIME ZONE 'UTC') AND p.retweet_of_id IS NULL
			ORDER BY p.id DESC LIMIT 1000
		) b
		LEFT JOIN LATERAL (
			SELECT sum(t.like_count + t.retweet_count + t.reply_count + t.quote_count) AS acts FROM roost_data.post_stat t WHERE t.post_id = b.id
		) s ON true
		ORDER BY coalesce(s.acts, 0) DESC, b.id DESC
		LIMIT analytics_posts.count));
END
$$;
REVOKE ALL ON FUNCTION roost.analytics_posts(roost.id, date, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost.analytics_posts(roost.id, date, integer) IS 'The caller''s own posts since a day (UTC; 28 days without), those with most likes, retweets, replies and quotes first; of the newest 1,000. at most count (1 to 100). 22023 not a day, or another count.';
SELECT roost_internal.route('GET', '/me/analytics/posts', 'roost.analytics_posts', tags => '{analytics}');
