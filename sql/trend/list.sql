-- What is a trend now.

CREATE OR REPLACE FUNCTION roost.trend_hashtag_list(
	"window" roost.trend_window DEFAULT 'day',
	language roost.language DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.trend_hashtag
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_language constant text := CASE WHEN language IS NULL THEN '' ELSE roost_internal.trend_language(language) END;
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 0);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 9223372036854775807);
BEGIN
	RETURN QUERY
	SELECT t.hashtag, t.accounts, t.expected, t.score, t.since, t.place::bigint
	FROM roost_data.trend_hashtag t
	WHERE t."window" = trend_hashtag_list."window" AND t.language = v_language AND t.place > v_before AND t.place < v_after
		AND NOT EXISTS (SELECT FROM roost_data.trend_hidden h WHERE h.hashtag = t.hashtag)
	ORDER BY t.place
	LIMIT trend_hashtag_list."limit";
END
$$;
REVOKE ALL ON FUNCTION roost.trend_hashtag_list(roost.trend_window, roost.language, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.trend_hashtag_list(roost.trend_window, roost.language, integer, roost.cursor, roost.cursor) IS 'The hashtags that more accounts use than usual, the greatest burst first, at most 100: in the last hour or day, in posts of one language or of all. Computed every roost.trend_interval; a page may repeat or miss one if that happens between two pages.';
SELECT roost_internal.route('GET', '/trends', 'roost.trend_hashtag_list', auth => 'none', tags => '{trend}', cache => 'time');
SELECT roost_internal.route('GET', '/trends/hashtags', 'roost.trend_hashtag_list', auth => 'none', tags => '{trend}', cache => 'time');

CREATE OR REPLACE FUNCTION roost.trend_post_list(
	actor_id roost.id DEFAULT NULL,
	"window" roost.trend_window DEFAULT 'day',
	language roost.language DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.post
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_language constant text := CASE WHEN language IS NULL THEN '' ELSE roost_internal.trend_language(language) END;
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 0);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 9223372036854775807);
	v_ids bigint[];
	v_places bigint[];
BEGIN
	SELECT pg_catalog.array_agg(s.post_id ORDER BY s.place), pg_catalog.array_agg(s.place::bigint ORDER BY s.place) INTO v_ids, v_places
	FROM (
		SELECT t.post_id, t.place
		FROM roost_data.trend_post t
		JOIN roost_data.post p ON p.id = t.post_id AND p.visibility = 'public' AND p.state = 'visible'
		JOIN roost_data.account a ON a.id = p.author_id AND a.status = 'active' AND NOT a.is_private AND a.limited_at IS NULL
		WHERE t."window" = trend_post_list."window" AND t.language = v_language AND t.place > v_before AND t.place < v_after
			AND NOT EXISTS (SELECT FROM roost_data.trend_hidden h WHERE h.hashtag = ANY (p.hashtags))
			AND (actor_id IS NULL OR roost_internal.may_see(actor_id, p.author_id, p.visibility, p.state, p.mention_ids, a.is_private, a.limited_at IS NOT NULL, a.status)
				AND roost_internal.wants(actor_id, p.author_id, p.text, p.content_warning, p.hashtags))
		ORDER BY t.place
		LIMIT trend_post_list."limit"
	) s;
	RETURN QUERY SELECT * FROM roost_internal.post_page(actor_id, v_ids, v_places);
END
$$;
REVOKE ALL ON FUNCTION roost.trend_post_list(roost.id, roost.trend_window, roost.language, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.trend_post_list(roost.id, roost.trend_window, roost.language, integer, roost.cursor, roost.cursor) IS 'The public posts that more accounts like, retweet, quote and answer than other posts of their authors, the greatest burst first, at most 100: in the last hour or day, of one language or of all. Not those with a hidden hashtag, nor what the caller has muted.';
SELECT roost_internal.route('GET', '/trends/posts', 'roost.trend_post_list', auth => 'optional', tags => '{trend}', cache => 'time');

CREATE OR REPLACE FUNCTION roost.trend_hide(hashtag roost.hashtag, hidden boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF hidden THEN
		INSERT INTO roost_data.trend_hidden (hashtag) VALUES (roost_internal.hashtag_fold(trend_hide.hashtag)) ON CONFLICT DO NOTHING;
	ELSE
		DELETE FROM roost_data.trend_hidden h WHERE h.hashtag = roost_internal.hashtag_fold(trend_hide.hashtag);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.trend_hide(roost.hashtag, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost.trend_hide(roost.hashtag, boolean) IS 'For moderators: takes a hashtag, and posts with it, out of the trends at once and for ever, or lets them in again (hidden => false). The posts themselves stay.';
