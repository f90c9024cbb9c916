-- Likes, retweets, bookmarks and pins.  Doing or undoing one twice changes
-- nothing more; each returns the post as it then is.

CREATE OR REPLACE FUNCTION roost_internal.post_undone(actor_id bigint, post_id bigint, done boolean) RETURNS roost.post
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_post roost.post := roost_internal.post_one(actor_id, post_id);
BEGIN
	IF v_post.id IS NULL AND NOT done THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'post_id', MESSAGE = 'the post does not exist';
	END IF;
	RETURN v_post;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.post_undone(bigint, bigint, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_undone(bigint, bigint, boolean) IS 'The post from which something was taken back (done) or not. Null if something was, though the actor no longer sees the post; P0002 if nothing was.';

CREATE OR REPLACE FUNCTION roost_internal.post_original(post_id bigint) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN coalesce((SELECT p.retweet_of_id FROM roost_data.post p WHERE p.id = post_id), post_id);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.post_original(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_original(bigint) IS 'The post that a retweet shows; another one''s own id.';

CREATE OR REPLACE FUNCTION roost.post_like(actor_id roost.id, post_id roost.id) RETURNS roost.post
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id bigint;
BEGIN
	SELECT t.post_id INTO v_id FROM roost_internal.post_target(actor_id, post_id) t;
	INSERT INTO roost_data.post_like (account_id, post_id, id) VALUES (actor_id, v_id, roost_internal.id_next(actor_id))
	ON CONFLICT DO NOTHING;
	RETURN roost_internal.post_done(actor_id, v_id);
END
$$;
REVOKE ALL ON FUNCTION roost.post_like(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_like(roost.id, roost.id) IS 'Likes a post, or the original of a retweet. Again: changes nothing. Returns the post. P0002 no such post.';
SELECT roost_internal.route('POST', '/tweets/:post_id/like', 'roost.post_like', limit_class => 'like');

CREATE OR REPLACE FUNCTION roost.post_unlike(actor_id roost.id, post_id roost.id) RETURNS roost.post
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.post_original(post_id);
BEGIN
	DELETE FROM roost_data.post_like l WHERE l.account_id = actor_id AND l.post_id = v_id;
	RETURN roost_internal.post_undone(actor_id, v_id, FOUND);
END
$$;
REVOKE ALL ON FUNCTION roost.post_unlike(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_unlike(roost.id, roost.id) IS 'Takes a like back. Again: changes nothing. Returns the post, null if the actor no longer sees it. P0002 no such post.';
SELECT roost_internal.route('DELETE', '/tweets/:post_id/like', 'roost.post_unlike', limit_class => 'write');
SELECT roost_internal.route('POST', '/tweets/:post_id/unlike', 'roost.post_unlike', limit_class => 'write');

CREATE OR REPLACE FUNCTION roost.post_retweet(actor_id roost.id, post_id roost.id) RETURNS roost.post
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.id_next(actor_id);
	v_target record;
	v_visibility roost.visibility;
BEGIN
	SELECT * INTO v_target FROM roost_internal.post_target(actor_id, post_id);
	SELECT p.visibility INTO v_visibility FROM roost_data.post p WHERE p.id = v_target.post_id;
	IF v_visibility = 'direct' OR NOT v_target.shared AND v_target.author_id <> actor_id THEN
		RAISE EXCEPTION USING ERRCODE = '42501', COLUMN = 'post_id', MESSAGE = 'the post is not for everyone',
			HINT = 'Only its author may retweet a post for followers, and nobody a direct one.';
	END IF;
	INSERT INTO roost_data.post (id, author_id, thread_id, retweet_of_id, created_at, visibility, text)
	VALUES (v_id, actor_id, v_id, v_target.post_id, roost.id_time(v_id), v_visibility, '')
	ON CONFLICT (author_id, retweet_of_id) WHERE retweet_of_id IS NOT NULL DO NOTHING;
	RETURN roost_internal.post_done(actor_id, v_target.post_id);
END
$$;
REVOKE ALL ON FUNCTION roost.post_retweet(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_retweet(roost.id, roost.id) IS 'Shows a post, or the original of a retweet, to the actor''s followers as a post of its own with retweet_of. Again: changes nothing. Returns the original. 42501 the post is not for everyone, P0002 no such post.';
SELECT roost_internal.route('POST', '/tweets/:post_id/retweet', 'roost.post_retweet', limit_class => 'post');

CREATE OR REPLACE FUNCTION roost.post_unretweet(actor_id roost.id, post_id roost.id) RETURNS roost.post
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.post_original(post_id);
BEGIN
	DELETE FROM roost_data.post p WHERE p.author_id = actor_id AND p.retweet_of_id = v_id;
	RETURN roost_internal.post_undone(actor_id, v_id, FOUND);
END
$$;
REVOKE ALL ON FUNCTION roost.post_unretweet(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_unretweet(roost.id, roost.id) IS 'Takes a retweet back; post_id is the original or the retweet. Again: changes nothing. Returns the original, null if the actor no longer sees it. P0002 no such post.';
SELECT roost_internal.route('DELETE', '/tweets/:post_id/retweet', 'roost.post_unretweet', limit_class => 'write');
SELECT roost_internal.route('POST', '/tweets/:post_id/unretweet', 'roost.post_unretweet', limit_class => 'write');

CREATE OR REPLACE FUNCTION roost.post_bookmark(actor_id roost.id, post_id roost.id) RETURNS roost.post
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id bigint;
BEGIN
	SELECT t.post_id INTO v_id FROM roost_internal.post_target(actor_id, post_id) t;
	INSERT INTO roost_data.post_bookmark (account_id, post_id, id) VALUES (actor_id, v_id, roost_internal.id_next(actor_id))
	ON CONFLICT DO NOTHING;
	RETURN roost_internal.post_done(actor_id, v_id);
END
$$;
REVOKE ALL ON FUNCTION roost.post_bookmark(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_bookmark(roost.id, roost.id) IS 'Puts a post, or the original of a retweet, aside for the actor alone. Again: changes nothing. Returns the post. P0002 no such post.';
SELECT roost_internal.route('POST', '/tweets/:post_id/bookmark', 'roost.post_bookmark', limit_class => 'write');

CREATE OR REPLACE FUNCTION roost.post_unbookmark(actor_id roost.id, post_id roost.id) RETURNS roost.post
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.post_original(post_id);
BEGIN
	DELETE FROM roost_data.post_bookmark b WHERE b.account_id = actor_id AND b.post_id = v_id;
	RETURN roost_internal.post_undone(actor_id, v_id, FOUND);
END
$$;
REVOKE ALL ON FUNCTION roost.post_unbookmark(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_unbookmark(roost.id, roost.id) IS 'Takes a bookmark back. Again: changes nothing. Returns the post, null if the actor no longer sees it. P0002 no such post.';
SELECT roost_internal.route('DELETE', '/tweets/:post_id/bookmark', 'roost.post_unbookmark', limit_class => 'write');
SELECT roost_internal.route('POST', '/tweets/:post_id/unbookmark', 'roost.post_unbookmark', limit_class => 'write');

CREATE OR REPLACE FUNCTION roost.post_pin(actor_id roost.id, post_id roost.id) RETURNS roost.post
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_pinnable boolean;
	v_state roost.post_state;
BEGIN
	PERFORM roost_internal.post_own(actor_id, post_id);
	-- One pin of an account at a time, so that the number is known.
	PERFORM pg_catalog.pg_advisory_xact_lock(1919905653, pg_catalog.hashint8(actor_id));
	SELECT p.retweet_of_id IS NULL AND p.visibility <> 'direct', p.state INTO v_pinnable, v_state FROM roost_data.post p WHERE p.id = post_id;
	PERFORM roost_internal.post_state_check(v_state);
	IF NOT v_pinnable THEN
		RAISE EXCEPTION USING ERRCODE = '55000', COLUMN = 'post_id', MESSAGE = 'the post cannot be pinned',
			DETAIL = 'Retweets and direct posts cannot.';
	END IF;
	IF (SELECT pg_catalog.count(*) >= 5 FROM roost_data.post p
		WHERE p.author_id = actor_id AND p.pinned_at IS NOT NULL AND p.id <> post_id)
	THEN
		RAISE EXCEPTION USING ERRCODE = '53400', MESSAGE = 'too many pinned posts', DETAIL = 'An account can pin 5 posts.';
	END IF;
	UPDATE roost_data.post p SET pinned_at = roost_internal.clock_now() WHERE p.id = post_id AND p.pinned_at IS NULL;
	RETURN roost_internal.post_done(actor_id, post_id);
END
$$;
REVOKE ALL ON FUNCTION roost.post_pin(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_pin(roost.id, roost.id) IS 'Pins an own post to the actor''s profile, five at most. Again: changes nothing. Returns the post. 42501 another''s post, 53400 five are pinned, 55000 a retweet, a direct post, or one that is held or removed, P0002 no such post.';
SELECT roost_internal.route('POST', '/tweets/:post_id/pin', 'roost.post_pin', limit_class => 'write');

CREATE OR REPLACE FUNCTION roost.post_unpin(actor_id roost.id, post_id roost.id) RETURNS roost.post
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.post_own(actor_id, post_id);
	UPDATE roost_data.post p SET pinned_at = NULL WHERE p.id = post_id AND p.pinned_at IS NOT NULL;
	RETURN roost_internal.post_done(actor_id, post_id);
END
$$;
REVOKE ALL ON FUNCTION roost.post_unpin(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_unpin(roost.id, roost.id) IS 'Unpins an own post. Again: changes nothing. Returns the post. 42501 another''s post, P0002 no such post.';
SELECT roost_internal.route('DELETE', '/tweets/:post_id/pin', 'roost.post_unpin', limit_class => 'write');
SELECT roost_internal.route('POST', '/tweets/:post_id/unpin', 'roost.post_unpin', limit_class => 'write');
