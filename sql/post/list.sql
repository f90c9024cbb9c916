-- Reading posts and what belongs to them.

CREATE OR REPLACE FUNCTION roost_internal.post_seen(viewer_id bigint, post_id bigint) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id bigint := post_id;
	v_retweet_of_id bigint;
BEGIN
	LOOP
		SELECT p.retweet_of_id INTO v_retweet_of_id
		FROM roost_data.post p JOIN roost_data.account a ON a.id = p.author_id
		WHERE p.id = v_id
			AND roost_internal.may_see(viewer_id, p.author_id, p.visibility, p.state, p.mention_ids, a.is_private, a.limited_at IS NOT NULL, a.status);
		IF NOT FOUND THEN
			RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'post_id', MESSAGE = 'the post does not exist';
		END IF;
		EXIT WHEN v_retweet_of_id IS NULL;
		v_id := v_retweet_of_id;
	END LOOP;
	RETURN v_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.post_seen(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_seen(bigint, bigint) IS 'The id of a post, or of a retweet''s original, that the viewer (null: a stranger) may see; P0002 if there is none.';

CREATE OR REPLACE FUNCTION roost.post_reply_list(
	post_id roost.id,
	actor_id roost.id DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.post
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.post_seen(actor_id, post_id);
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
BEGIN
	RETURN QUERY SELECT * FROM roost_internal.post_page(actor_id, ARRAY(
		SELECT p.id FROM roost_data.post p JOIN roost_data.account a ON a.id = p.author_id
		WHERE p.reply_to_id = v_id AND p.id < v_before AND p.id > v_after
			AND roost_internal.may_see(actor_id, p.author_id, p.visibility, p.state, p.mention_ids, a.is_private, a.limited_at IS NOT NULL, a.status)
			AND roost_internal.wants(actor_id, p.author_id, p.text, p.content_warning, p.hashtags)
		ORDER BY p.id DESC LIMIT post_reply_list."limit"));
END
$$;
REVOKE ALL ON FUNCTION roost.post_reply_list(roost.id, roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_reply_list(roost.id, roost.id, integer, roost.cursor, roost.cursor) IS 'The answers given to a post itself, newest first, without those that the actor has muted; roost.post_context() has the whole thread. P0002 no such post.';
SELECT roost_internal.route('GET', '/tweets/:post_id/replies', 'roost.post_reply_list', auth => 'optional', cache => 'list');

CREATE OR REPLACE FUNCTION roost.post_quote_list(
	post_id roost.id,
	actor_id roost.id DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.post
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.post_seen(actor_id, post_id);
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
BEGIN
	RETURN QUERY SELECT * FROM roost_internal.post_page(actor_id, ARRAY(
		SELECT p.id FROM roost_data.post p JOIN roost_data.account a ON a.id = p.author_id
		WHERE p.quote_of_id = v_id AND p.id < v_before AND p.id > v_after
			AND roost_internal.may_see(actor_id, p.author_id, p.visibility, p.state, p.mention_ids, a.is_private, a.limited_at IS NOT NULL, a.status)
		ORDER BY p.id DESC LIMIT post_quote_list."limit"));
END
$$;
REVOKE ALL ON FUNCTION roost.post_quote_list(roost.id, roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_quote_list(roost.id, roost.id, integer, roost.cursor, roost.cursor) IS 'The posts that quote a post, newest first. P0002 no such post.';
SELECT roost_internal.route('GET', '/tweets/:post_id/quotes', 'roost.post_quote_list', auth => 'optional', cache => 'list');

CREATE OR REPLACE FUNCTION roost.post_like_list(
	post_id roost.id,
	actor_id roost.id DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.account
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.post_seen(actor_id, post_id);
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_ids bigint[];
	v_cursors bigint[];
BEGIN
	SELECT pg_catalog.array_agg(s.account_id ORDER BY s.id DESC), pg_catalog.array_agg(s.id ORDER BY s.id DESC) INTO v_ids, v_cursors
	FROM (
		SELECT l.account_id, l.id
		FROM roost_data.post_like l JOIN roost_data.account a ON a.id = l.account_id AND a.status = 'active'
		WHERE l.post_id = v_id AND l.id < v_before AND l.id > v_after
			AND NOT roost_internal.is_blocked(actor_id, l.account_id)
			AND (a.limited_at IS NULL OR roost_internal.is_near(actor_id, l.account_id))
		ORDER BY l.id DESC LIMIT post_like_list."limit"
	) s;
	RETURN QUERY SELECT * FROM roost_internal.account_hydrate(actor_id, v_ids, v_cursors);
END
$$;
REVOKE ALL ON FUNCTION roost.post_like_list(roost.id, roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_like_list(roost.id, roost.id, integer, roost.cursor, roost.cursor) IS 'Who likes a post, the newest like first, without accounts that the actor has blocked or that have blocked it, and limited ones that it does not follow. P0002 no such post.';
SELECT roost_internal.route('GET', '/tweets/:post_id/likes', 'roost.post_like_list', auth => 'optional', cache => 'list');

CREATE OR REPLACE FUNCTION roost.post_retweet_list(
	post_id roost.id,
	actor_id roost.id DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.account
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.post_seen(actor_id, post_id);
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_ids bigint[];
	v_cursors bigint[];
BEGIN
	SELECT pg_catalog.array_agg(s.author_id ORDER BY s.id DESC), pg_catalog.array_agg(s.id ORDER BY s.id DESC) INTO v_ids, v_cursors
	FROM (
		SELECT p.author_id, p.id
		FROM roost_data.post p JOIN roost_data.account a ON a.id = p.author_id
		WHERE p.retweet_of_id = v_id AND p.id < v_before AND p.id > v_after
			AND roost_internal.may_see(actor_id, p.author_id, p.visibility, p.state, p.mention_ids, a.is_private, a.limited_at IS NOT NULL, a.status)
		ORDER BY p.id DESC LIMIT post_retweet_list."limit"
	) s;
	RETURN QUERY SELECT * FROM roost_internal.account_hydrate(actor_id, v_ids, v_cursors);
END
$$;
REVOKE ALL ON FUNCTION roost.post_retweet_list(roost.id, roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_retweet_list(roost.id, roost.id, integer, roost.cursor, roost.cursor) IS 'Who has retweeted a post, the newest retweet first, as far as the actor may see them. P0002 no such post.';
SELECT roost_internal.route('GET', '/tweets/:post_id/retweets', 'roost.post_retweet_list', auth => 'optional', cache => 'list');

CREATE OR REPLACE FUNCTION roost.post_history(post_id roost.id, actor_id roost.id DEFAULT NULL) RETURNS SETOF roost.post_revision
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.post_seen(actor_id, post_id);
BEGIN
	RETURN QUERY
	SELECT h.* FROM (
		SELECT r.revision, r.text, r.content_warning, r.language::text, coalesce(r.media, '[]'), r.created_at
		FROM roost_data.post_revision r JOIN roost_data.post p ON p.id = r.post_id JOIN roost_data.account a ON a.id = p.author_id
		WHERE r.post_id = v_id
			AND roost_internal.may_see(actor_id, p.author_id, coalesce(r.visibility, p.visibility), p.state, p.mention_ids, a.is_private, a.limited_at IS NOT NULL, a.status)
		UNION ALL
		SELECT 1 + (SELECT pg_catalog.count(*) FROM roost_data.post_revision r WHERE r.post_id = v_id)::integer,
			p.text, p.content_warning, p.language::text, coalesce(p.media, '[]'), coalesce(p.edited_at, p.created_at)
		FROM roost_data.post p WHERE p.id = v_id
	) h ORDER BY h.revision;
END
$$;
REVOKE ALL ON FUNCTION roost.post_history(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_history(roost.id, roost.id) IS 'The versions of a post, the first one first and the present one last, without those that were for fewer people than the post is now and not for the actor. P0002 no such post.';
SELECT roost_internal.route('GET', '/tweets/:post_id/history', 'roost.post_history', auth => 'optional', cache => 'ids');

CREATE OR REPLACE FUNCTION roost.post_context(post_id roost.id, actor_id roost.id DEFAULT NULL) RETURNS roost.post_context
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.post_seen(actor_id, post_id);
	v_up constant integer := CASE WHEN actor_id IS NULL THEN 40 ELSE 4096 END;
	v_down constant integer := CASE WHEN actor_id IS NULL THEN 60 ELSE 4096 END;
	v_depth constant integer := CASE WHEN actor_id IS NULL THEN 20 ELSE 4096 END;
	v_ancestors bigint[];
	v_descendants bigint[] := '{}';
	v_level bigint[] := ARRAY[v_id];
	v_level_number integer := 0;
BEGIN
	WITH RECURSIVE up AS (
		SELECT p.reply_to_id AS id, 1 AS n FROM roost_data.post p WHERE p.id = v_id
		UNION ALL
		SELECT p.reply_to_id, u.n + 1 FROM up u JOIN roost_data.post p ON p.id = u.id WHERE u.n < v_up
	)
	SELECT pg_catalog.array_agg(u.id ORDER BY u.n DESC) INTO v_ancestors FROM up u WHERE u.id IS NOT NULL;

	-- Level by level; what the actor may not see, or has muted, hides what is under it.
	WHILE v_level_number < v_depth AND pg_catalog.cardinality(v_descendants) < v_down LOOP
		v_level := ARRAY(
			SELECT p.id FROM roost_data.post p JOIN roost_data.account a ON a.id = p.author_id
			WHERE p.reply_to_id = ANY (v_level)
				AND roost_internal.may_see(actor_id, p.author_id, p.visibility, p.state, p.mention_ids, a.is_private, a.limited_at IS NOT NULL, a.status)
				AND roost_internal.wants(actor_id, p.author_id, p.text, p.content_warning, p.hashtags)
			ORDER BY p.id LIMIT v_down - pg_catalog.cardinality(v_descendants));
		EXIT WHEN v_level = '{}';
		v_descendants := v_descendants || v_level;
		v_level_number := v_level_number + 1;
	END LOOP;

	RETURN ROW(
		ARRAY(SELECT h::roost.post FROM roost_internal.post_hydrate(actor_id, v_ancestors) h),
		ARRAY(SELECT h::roost.post FROM roost_internal.post_hydrate(actor_id,
			ARRAY(SELECT d FROM pg_catalog.unnest(v_descendants) d ORDER BY d)) h)
	)::roost.post_context;
END
$$;
REVOKE ALL ON FUNCTION roost.post_context(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_context(roost.id, roost.id) IS 'The thread around a post: the posts it answers, from the start of the thread on, and all answers under it, oldest first, as far as the actor may see them, and of the answers those that it has not muted. Strangers get the nearest 40 above and 60 below, 20 levels deep; others 4096 each. P0002 no such post.';
SELECT roost_internal.route('GET', '/tweets/:post_id/context', 'roost.post_context', auth => 'optional', lane => 'slow', cache => 'list');

CREATE OR REPLACE FUNCTION roost.bookmark_list(
	actor_id roost.id,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.post
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_ids bigint[];
	v_cursors bigint[];
BEGIN
	SELECT pg_catalog.array_agg(s.post_id ORDER BY s.id DESC), pg_catalog.array_agg(s.id ORDER BY s.id DESC) INTO v_ids, v_cursors
	FROM (
		SELECT b.post_id, b.id
		FROM roost_data.post_bookmark b
		JOIN roost_data.post p ON p.id = b.post_id
		JOIN roost_data.account a ON a.id = p.author_id
		WHERE b.account_id = actor_id AND b.id < v_before AND b.id > v_after
			AND roost_internal.may_see(actor_id, p.author_id, p.visibility, p.state, p.mention_ids, a.is_private, a.limited_at IS NOT NULL, a.status)
		ORDER BY b.id DESC LIMIT bookmark_list."limit"
	) s;
	RETURN QUERY SELECT * FROM roost_internal.post_page(actor_id, v_ids, v_cursors);
END
$$;
REVOKE ALL ON FUNCTION roost.bookmark_list(roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.bookmark_list(roost.id, integer, roost.cursor, roost.cursor) IS 'The actor''s bookmarks, the newest bookmark first.';
SELECT roost_internal.route('GET', '/bookmarks', 'roost.bookmark_list');

CREATE OR REPLACE FUNCTION roost.like_list(
	actor_id roost.id,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.post
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_ids bigint[];
	v_cursors bigint[];
BEGIN
	SELECT pg_catalog.array_agg(s.post_id ORDER BY s.id DESC), pg_catalog.array_agg(s.id ORDER BY s.id DESC) INTO v_ids, v_cursors
	FROM (
		SELECT l.post_id, l.id
		FROM roost_data.post_like l
		JOIN roost_data.post p ON p.id = l.post_id
		JOIN roost_data.account a ON a.id = p.author_id
		WHERE l.account_id = actor_id AND l.id < v_before AND l.id > v_after
			AND roost_internal.may_see(actor_id, p.author_id, p.visibility, p.state, p.mention_ids, a.is_private, a.limited_at IS NOT NULL, a.status)
		ORDER BY l.id DESC LIMIT like_list."limit"
	) s;
	RETURN QUERY SELECT * FROM roost_internal.post_page(actor_id, v_ids, v_cursors);
END
$$;
REVOKE ALL ON FUNCTION roost.like_list(roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.like_list(roost.id, integer, roost.cursor, roost.cursor) IS 'The posts that the actor likes, the newest like first. Nobody else gets this list.';
SELECT roost_internal.route('GET', '/likes', 'roost.like_list');

CREATE OR REPLACE FUNCTION roost.hashtag_post_list(
	hashtag roost.hashtag,
	actor_id roost.id DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.post
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_hashtag constant text := roost_internal.hashtag_fold(hashtag);
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
BEGIN
	RETURN QUERY SELECT * FROM roost_internal.post_page(actor_id, ARRAY(
		SELECT h.post_id
		FROM roost_data.post_hashtag h
		JOIN roost_data.post p ON p.id = h.post_id AND p.visibility = 'public' AND p.state = 'visible'
		JOIN roost_data.account a ON a.id = p.author_id AND a.status = 'active' AND NOT a.is_private AND a.limited_at IS NULL
		WHERE h.hashtag = v_hashtag AND h.post_id < v_before AND h.post_id > v_after
			AND (actor_id IS NULL OR roost_internal.may_see(actor_id, p.author_id, p.visibility, p.state, p.mention_ids, a.is_private, a.limited_at IS NOT NULL, a.status)
				AND roost_internal.wants(actor_id, p.author_id, p.text, p.content_warning, p.hashtags))
		ORDER BY h.post_id DESC LIMIT hashtag_post_list."limit"));
END
$$;
REVOKE ALL ON FUNCTION roost.hashtag_post_list(roost.hashtag, roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.hashtag_post_list(roost.hashtag, roost.id, integer, roost.cursor, roost.cursor) IS 'The public posts of public accounts with a hashtag, newest first, without what the actor has muted. Case and width of its letters do not matter.';
SELECT roost_internal.route('GET', '/hashtags/:hashtag/tweets', 'roost.hashtag_post_list', auth => 'optional', cache => 'list');

CREATE OR REPLACE FUNCTION roost.pin_list(account_id roost.account_ref, actor_id roost.id DEFAULT NULL) RETURNS SETOF roost.post
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id constant bigint := roost_internal.account_resolve(account_id);
BEGIN
	RETURN QUERY SELECT * FROM roost_internal.post_page(actor_id, ARRAY(
		SELECT p.id FROM roost_data.post p
		WHERE p.author_id = v_account_id AND p.pinned_at IS NOT NULL ORDER BY p.pinned_at DESC));
END
$$;
REVOKE ALL ON FUNCTION roost.pin_list(roost.account_ref, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.pin_list(roost.account_ref, roost.id) IS 'The posts that an account has pinned, the last pinned first, as far as the actor may see them. P0002 no such account.';
SELECT roost_internal.route('GET', '/users/:account_id/pinned', 'roost.pin_list', auth => 'optional', cache => 'ids');

CREATE OR REPLACE FUNCTION roost.url_resolve(url text, actor_id roost.id DEFAULT NULL) RETURNS roost.resolved
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_part constant text[] := pg_catalog.regexp_match(pg_catalog.left(url, 2048),
		'^(?:https?://[^/?#]+)?/@([A-Za-z0-9_]{1,30})(?:/(?:[^/?#]*-)?([0-9]{1,18}))?/?(?:[?#].*)?$');
	v_account roost.account;
	v_post roost.post;
BEGIN
	IF v_part IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'url', MESSAGE = 'the address is none of an account or a post',
			HINT = 'It looks like /@username or /@username/words-123.';
	END IF;
	IF v_part[2] IS NULL THEN
		v_account := roost.account_get(actor_id, ('@' || v_part[1])::roost.account_ref);
		RETURN ROW('account', v_account.id, v_account.url, v_account, NULL::roost.post)::roost.resolved;
	END IF;
	v_post := roost.post_get(v_part[2]::roost.id, actor_id);
	RETURN ROW('post', v_post.id, v_post.url, NULL::roost.account, v_post)::roost.resolved;
END
$$;
REVOKE ALL ON FUNCTION roost.url_resolve(text, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.url_resolve(text, roost.id) IS 'What the address of a page stands for: /@username, or a post''s permalink /@username/words-id, with or without https:// and host. Of a permalink only the id counts, so old ones keep working when a post is edited or its author renamed. 22023 another address, P0002 nothing the actor may see.';
SELECT roost_internal.route('GET', '/resolve', 'roost.url_resolve', auth => 'optional');
