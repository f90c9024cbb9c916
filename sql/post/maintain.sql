-- Triggers of the tables, export, deletion of accounts, maintenance.

CREATE OR REPLACE FUNCTION roost_internal.post_count() RETURNS trigger
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_post_count';
REVOKE ALL ON FUNCTION roost_internal.post_count() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_count() IS 'Statement trigger of roost_data.post: adds the statement''s rows (INSERT) or takes them away (DELETE) in the counters of their authors and of the posts they answer, quote or retweet, and lists new public posts that nothing holds back under their hashtags.';

CREATE OR REPLACE FUNCTION roost_internal.post_like_count() RETURNS trigger
LANGUAGE c VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'roost_post_like_count';
REVOKE ALL ON FUNCTION roost_internal.post_like_count() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_like_count() IS 'Statement trigger of roost_data.post_like: adds the statement''s rows (INSERT) or takes them away (DELETE) in the counters of the posts.';

CREATE OR REPLACE FUNCTION roost_internal.post_stat_add(post_id bigint, likes bigint, retweets bigint, replies bigint, quotes bigint) RETURNS void
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_post_stat_add';
REVOKE ALL ON FUNCTION roost_internal.post_stat_add(bigint, bigint, bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_stat_add(bigint, bigint, bigint, bigint, bigint) IS 'Adds to the counters of a post, within the transaction. Never waits for another one: it adds to a slot that nobody holds, or makes a new one.';

CREATE OR REPLACE FUNCTION roost_internal.post_identity_kept() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = '55000', COLUMN = 'author_id', MESSAGE = 'the id and the author of a post cannot change',
		HINT = 'Delete the post and write another one.';
END
$$;
REVOKE ALL ON FUNCTION roost_internal.post_identity_kept() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_identity_kept() IS 'Row trigger of roost_data.post: refuses (55000) to give a post another id or author. An id is given once and carries its author''s bucket, and timelines keep ids by author.';

CREATE OR REPLACE FUNCTION roost_internal.post_deleted() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_ids constant bigint[] := (SELECT pg_catalog.array_agg(g.id) FROM gone g);
BEGIN
	-- A statement without rows fires, too; here the retweets of retweets end.
	IF v_ids IS NULL THEN
		RETURN NULL;
	END IF;
	DELETE FROM roost_data.post p WHERE p.retweet_of_id = ANY (v_ids);
	DELETE FROM roost_data.post_like l WHERE l.post_id = ANY (v_ids);
	DELETE FROM roost_data.post_bookmark b WHERE b.post_id = ANY (v_ids);
	DELETE FROM roost_data.post_revision r WHERE r.post_id = ANY (v_ids);
	DELETE FROM roost_data.post_hashtag h USING gone g, LATERAL pg_catalog.unnest(g.hashtags) t
	WHERE h.hashtag = t AND h.post_id = g.id;
	-- Twice: the first one waits for who is folding slots, whose new slot only the second one sees.
	DELETE FROM roost_data.post_stat s WHERE s.post_id = ANY (v_ids);
	DELETE FROM roost_data.post_stat s WHERE s.post_id = ANY (v_ids);
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.post_deleted() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_deleted() IS 'Statement trigger of roost_data.post: removes what must not outlive the posts deleted.';

CREATE OR REPLACE FUNCTION roost_internal.post_hashtags_changed() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	DELETE FROM roost_data.post_hashtag h WHERE h.hashtag = ANY (OLD.hashtags) AND h.post_id = OLD.id;
	IF NEW.visibility = 'public' AND NEW.state = 'visible' THEN
		INSERT INTO roost_data.post_hashtag (hashtag, post_id)
		SELECT DISTINCT t, NEW.id FROM pg_catalog.unnest(NEW.hashtags) t;
	END IF;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.post_hashtags_changed() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_hashtags_changed() IS 'Row trigger of roost_data.post: lists a changed post under its present hashtags.';

CREATE OR REPLACE FUNCTION roost_internal.post_export(account_id bigint) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object(
		'posts', (SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
				'id', p.id::text, 'created_at', p.created_at, 'edited_at', p.edited_at, 'pinned_at', p.pinned_at,
				'visibility', p.visibility, 'text', nullif(p.text, ''), 'content_warning', p.content_warning, 'language', p.language,
				'state', CASE WHEN p.state > 'limited' THEN p.state END, 'labels', p.labels,
				'reply_to_id', p.reply_to_id::text, 'quote_of_id', p.quote_of_id::text, 'retweet_of_id', p.retweet_of_id::text,
				'mentions', p.mentions, 'hashtags', p.hashtags, 'urls', p.urls, 'media', p.media,
				'history', (SELECT jsonb_agg(jsonb_build_object('text', r.text, 'content_warning', r.content_warning,
						'language', r.language, 'media', r.media, 'created_at', r.created_at) ORDER BY r.revision)
					FROM roost_data.post_revision r WHERE r.post_id = p.id)
			)) ORDER BY p.id), '[]') FROM roost_data.post p WHERE p.author_id = $1),
		'likes', (SELECT coalesce(jsonb_agg(jsonb_build_object('post_id', l.post_id::text, 'created_at', l.created_at) ORDER BY l.id), '[]')
			FROM roost_data.post_like l WHERE l.account_id = $1),
		'bookmarks', (SELECT coalesce(jsonb_agg(jsonb_build_object('post_id', b.post_id::text, 'created_at', b.created_at) ORDER BY b.id), '[]')
			FROM roost_data.post_bookmark b WHERE b.account_id = $1))
$$;
REVOKE ALL ON FUNCTION roost_internal.post_export(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_export(bigint) IS 'Everything of an account in this module, oldest first: {"posts": […], "likes": […], "bookmarks": […]}; posts with their former versions.';

CREATE OR REPLACE FUNCTION roost_internal.post_account_delete(account_id bigint) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	-- In the order in which the deletion of a post goes on to what belongs to it.
	DELETE FROM roost_data.post p WHERE p.author_id = $1;
	DELETE FROM roost_data.post_like l WHERE l.account_id = $1;
	DELETE FROM roost_data.post_bookmark b WHERE b.account_id = $1;
$$;
REVOKE ALL ON FUNCTION roost_internal.post_account_delete(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_account_delete(bigint) IS 'Removes everything of an account in this module: its posts with all that belongs to them, its likes and its bookmarks. Hold the account alone first (roost_internal.account_hold_alone), so that nobody does anything to its posts any more.';

CREATE OR REPLACE FUNCTION roost_internal.post_maintenance() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_post_id bigint;
	v_sum record;
	v_count bigint := 0;
BEGIN
	FOR v_post_id IN
		SELECT s.post_id FROM roost_data.post_stat s GROUP BY s.post_id HAVING pg_catalog.count(*) > 1
	LOOP
		-- Only the slots that nobody holds; the others are folded another time.
		WITH idle AS (
			SELECT s.post_id, s.slot FROM roost_data.post_stat s WHERE s.post_id = v_post_id FOR UPDATE SKIP LOCKED
		), gone AS (
			DELETE FROM roost_data.post_stat s USING idle i WHERE s.post_id = i.post_id AND s.slot = i.slot
			RETURNING s.like_count, s.retweet_count, s.reply_count, s.quote_count
		)
		SELECT sum(g.like_count)::bigint AS likes, sum(g.retweet_count)::bigint AS retweets,
			sum(g.reply_count)::bigint AS replies, sum(g.quote_count)::bigint AS quotes, pg_catalog.count(*) AS slots
		INTO v_sum FROM gone g;
		IF v_sum.slots > 0 THEN
			PERFORM roost_internal.post_stat_add(v_post_id, v_sum.likes, v_sum.retweets, v_sum.replies, v_sum.quotes);
			v_count := v_count + v_sum.slots - 1;
		END IF;
	END LOOP;
	RETURN v_count;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.post_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_maintenance() IS 'Puts the slots of each post''s counters together that no transaction holds. Returns how many rows that saved.';
