-- Writing, editing and deleting posts.
--
-- What is done to a post (an answer, a like …) shares an advisory lock of the
-- post, and its deletion takes the lock alone: what is written for a post that
-- goes away at the same moment either goes away with it or is refused.  The
-- lock is in memory, so a thousand people who like one post do not queue for
-- its row.  Both accounts are held as well (sql/account/leave.sql), because
-- with an account its posts and all it did to others' go.

CREATE OR REPLACE FUNCTION roost_internal.post_state_check(state roost.post_state, field text DEFAULT 'post_id') RETURNS void
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF state > 'limited' THEN
		RAISE EXCEPTION USING ERRCODE = '55000', COLUMN = field,
			MESSAGE = CASE state WHEN 'held' THEN 'the post is held for review' ELSE 'the post was removed by a moderator' END,
			HINT = 'It can only be deleted.';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.post_state_check(roost.post_state, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_state_check(roost.post_state, text) IS 'Raises 55000, with the name of the field that named it, if a post is held or removed, so that nothing can be done to it. For its author: to others there is none.';

CREATE OR REPLACE FUNCTION roost_internal.post_target(viewer_id bigint, INOUT post_id bigint, field text DEFAULT 'post_id', OUT author_id bigint, OUT thread_id bigint, OUT shared boolean)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_retweet_of_id bigint;
	v_state roost.post_state;
	v_author_there boolean;
	v_viewer_there boolean;
BEGIN
	LOOP
		PERFORM pg_catalog.pg_advisory_xact_lock_shared(1919905652, pg_catalog.hashint8(post_id));
		SELECT p.author_id, p.thread_id, p.retweet_of_id, p.visibility <= 'unlisted' AND NOT a.is_private, p.state
		INTO author_id, thread_id, v_retweet_of_id, shared, v_state
		FROM roost_data.post p JOIN roost_data.account a ON a.id = p.author_id
		WHERE p.id = post_target.post_id
			AND roost_internal.may_see(viewer_id, p.author_id, p.visibility, p.state, p.mention_ids, a.is_private, a.limited_at IS NOT NULL, a.status);
		IF NOT FOUND THEN
			RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = field, MESSAGE = 'the post does not exist';
		END IF;
		PERFORM roost_internal.post_state_check(v_state, field) WHERE v_state > 'limited';
		EXIT WHEN v_retweet_of_id IS NULL;
		post_id := v_retweet_of_id;
	END LOOP;
	PERFORM roost_internal.account_hold(viewer_id, author_id);
	SELECT pg_catalog.bool_or(a.id = post_target.author_id), pg_catalog.bool_or(a.id = viewer_id) INTO v_author_there, v_viewer_there
	FROM roost_data.account a WHERE a.id = ANY (ARRAY[viewer_id, author_id]) AND a.status = 'active';
	IF v_viewer_there IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'the account is not active';
	ELSIF v_author_there IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = field, MESSAGE = 'the post does not exist';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.post_target(bigint, bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_target(bigint, bigint, text) IS 'The post that something is to be done to, which stays until the end of the transaction: the original of a retweet, else the post itself. shared: everybody may see it. P0002 if there is none that the viewer may see, with the name of the field that named it; 55000 if the viewer is its author and it is held or removed; 42501 if the viewer''s account is not active.';

CREATE OR REPLACE FUNCTION roost.post_create(
	actor_id roost.id,
	text roost.post_text DEFAULT '',
	reply_to_id roost.id DEFAULT NULL,
	quote_of_id roost.id DEFAULT NULL,
	visibility roost.visibility DEFAULT 'public',
	content_warning roost.post_warning DEFAULT NULL,
	language roost.language DEFAULT NULL,
	media roost.post_media DEFAULT NULL
) RETURNS roost.post
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.id_next(actor_id);
	v_text constant text := roost_internal.post_text_normal(coalesce(text, ''), true);
	v_media constant jsonb := nullif(media::jsonb, '[]');
	v_target record;
	v_reply_to_id bigint;
	v_reply_to_account_id bigint;
	v_thread_id bigint := v_id;
	v_quote_of_id bigint;
	v_entities record;
	v_post roost.post;
BEGIN
	IF v_media IS NULL AND quote_of_id IS NULL AND roost_internal.text_is_blank(v_text) THEN
		RAISE EXCEPTION USING ERRCODE = '23514', COLUMN = 'text', MESSAGE = 'the post is empty',
			HINT = 'Give a text, media, or a post to quote.';
	END IF;
	IF reply_to_id IS NOT NULL THEN
		SELECT * INTO v_target FROM roost_internal.post_target(actor_id, reply_to_id, 'reply_to_id');
		v_reply_to_id := v_target.post_id;
		v_reply_to_account_id := v_target.author_id;
		v_thread_id := v_target.thread_id;
	END IF;
	IF quote_of_id IS NOT NULL THEN
		SELECT t.post_id INTO v_quote_of_id FROM roost_internal.post_target(actor_id, quote_of_id, 'quote_of_id') t;
	END IF;
	v_entities := roost_internal.post_entities(v_text);
	PERFORM roost_internal.account_hold(actor_id);
	INSERT INTO roost_data.post (id, author_id, thread_id, reply_to_id, reply_to_account_id, quote_of_id, created_at, visibility,
		language, text, content_warning, mention_ids, hashtags, mentions, urls, media)
	VALUES (v_id, actor_id, v_thread_id, v_reply_to_id, v_reply_to_account_id, v_quote_of_id, roost.id_time(v_id),
		coalesce(post_create.visibility, 'public'), language, v_text, nullif(content_warning, ''),
		v_entities.mention_ids, v_entities.hashtags, v_entities.mentions, v_entities.urls, v_media);
	v_post := roost_internal.post_one(actor_id, v_id);
	IF v_post.id IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'the account is not active';
	END IF;
	RETURN v_post;
END
$$;
REVOKE ALL ON FUNCTION roost.post_create(roost.id, roost.post_text, roost.id, roost.id, roost.visibility, roost.post_warning, roost.language, roost.post_media) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_create(roost.id, roost.post_text, roost.id, roost.id, roost.visibility, roost.post_warning, roost.language, roost.post_media) IS
'Posts a text of at most roost.post_max_length characters (after normalization to NFC); it may be empty if there is media or a post to quote. Mentions, hashtags and links are taken from the text. An answer to a retweet, or a quote of one, goes to its original. Returns the post. 22001 text too long, 23514 empty, 55000 the post to answer or quote is held or removed, P0002 it does not exist or the actor may not see it.';
SELECT roost_internal.route('POST', '/tweets', 'roost.post_create', limit_class => 'post', status => 201);

CREATE OR REPLACE FUNCTION roost_internal.post_own(actor_id bigint, post_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_author_id bigint;
BEGIN
	PERFORM pg_catalog.pg_advisory_xact_lock(1919905652, pg_catalog.hashint8(post_id));
	PERFORM roost_internal.account_hold(actor_id);
	SELECT p.author_id INTO v_author_id
	FROM roost_data.post p JOIN roost_data.account a ON a.id = p.author_id
	WHERE p.id = post_own.post_id
		AND roost_internal.may_see(actor_id, p.author_id, p.visibility, p.state, p.mention_ids, a.is_private, a.limited_at IS NOT NULL, a.status);
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'post_id', MESSAGE = 'the post does not exist';
	ELSIF v_author_id <> actor_id THEN
		RAISE EXCEPTION USING ERRCODE = '42501', COLUMN = 'post_id', MESSAGE = 'the post is another account''s';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.post_own(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_own(bigint, bigint) IS 'Makes sure that the post is the actor''s, and that nobody else does anything to it until the end of the transaction. P0002 if there is none that the actor may see, 42501 another''s.';

CREATE OR REPLACE FUNCTION roost.post_edit(
	actor_id roost.id,
	post_id roost.id,
	text roost.post_text DEFAULT NULL,
	visibility roost.visibility DEFAULT NULL,
	content_warning roost.post_warning DEFAULT NULL,
	language roost.language DEFAULT NULL,
	media roost.post_media DEFAULT NULL
) RETURNS roost.post
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_old record;
	v_text text;
	v_warning text;
	v_language text;
	v_media jsonb;
	v_entities record;
BEGIN
	PERFORM roost_internal.post_own(actor_id, post_id);
	SELECT * INTO v_old FROM roost_data.post p WHERE p.id = post_id FOR NO KEY UPDATE;
	PERFORM roost_internal.post_state_check(v_old.state);
	IF v_old.retweet_of_id IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = '55000', COLUMN = 'post_id', MESSAGE = 'a retweet cannot be edited';
	END IF;
	v_text := coalesce(roost_internal.post_text_normal(text, true), v_old.text);
	v_warning := nullif(coalesce(content_warning, v_old.content_warning), '');
	v_language := coalesce(language, v_old.language);
	v_media := nullif(coalesce(media::jsonb, v_old.media), '[]');
	IF v_media IS NULL AND v_old.quote_of_id IS NULL AND roost_internal.text_is_blank(v_text) THEN
		RAISE EXCEPTION USING ERRCODE = '23514', COLUMN = 'text', MESSAGE = 'the post is empty';
	END IF;
	PERFORM roost_internal.audit_actor(actor_id, 'roost.post_edit');
	IF (v_text, v_warning, v_language, v_media) IS DISTINCT FROM (v_old.text, v_old.content_warning, v_old.language, v_old.media) THEN
		INSERT INTO roost_data.post_revision (post_id, revision, text, content_warning, language, media, created_at, visibility)
		SELECT v_old.id, 1 + coalesce(max(r.revision), 0), v_old.text, v_old.content_warning, v_old.language, v_old.media,
			coalesce(v_old.edited_at, v_old.created_at), v_old.visibility
		FROM roost_data.post_revision r WHERE r.post_id = v_old.id;
		v_entities := roost_internal.post_entities(v_text);
		UPDATE roost_data.post p SET text = v_text, content_warning = v_warning, language = v_language, media = v_media,
			mention_ids = v_entities.mention_ids, hashtags = v_entities.hashtags, mentions = v_entities.mentions, urls = v_entities.urls,
			edited_at = greatest(roost_internal.clock_now(), v_old.edited_at, v_old.created_at) -- ids may run ahead of the clock
		WHERE p.id = v_old.id;
	END IF;
	IF visibility IS DISTINCT FROM v_old.visibility AND visibility IS NOT NULL THEN
		UPDATE roost_data.post p SET visibility = post_edit.visibility,
			pinned_at = CASE WHEN post_edit.visibility <> 'direct' THEN p.pinned_at END
		WHERE p.id = v_old.id;
	END IF;
	RETURN roost_internal.post_done(actor_id, post_id);
END
$$;
REVOKE ALL ON FUNCTION roost.post_edit(roost.id, roost.id, roost.post_text, roost.visibility, roost.post_warning, roost.language, roost.post_media) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_edit(roost.id, roost.id, roost.post_text, roost.visibility, roost.post_warning, roost.language, roost.post_media) IS
'Changes what is given of an own post; an empty content_warning or media takes it away. The version before is kept in the post''s history. Whom it answers or quotes stays. Returns the post. 22001 text too long, 23514 empty, 42501 another''s post, 55000 a retweet, or a post that is held or removed, P0002 no such post.';
SELECT roost_internal.route('PATCH', '/tweets/:post_id', 'roost.post_edit', limit_class => 'write');
SELECT roost_internal.route('PUT', '/tweets/:post_id', 'roost.post_edit', limit_class => 'write');

CREATE OR REPLACE FUNCTION roost.post_delete(actor_id roost.id, post_id roost.id) RETURNS roost.post
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_post roost.post;
BEGIN
	PERFORM roost_internal.post_own(actor_id, post_id);
	v_post := roost_internal.post_one(actor_id, post_id);
	PERFORM roost_internal.audit_actor(actor_id, 'roost.post_delete');
	DELETE FROM roost_data.post p WHERE p.id = post_id;
	RETURN v_post;
END
$$;
REVOKE ALL ON FUNCTION roost.post_delete(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_delete(roost.id, roost.id) IS 'Deletes an own post with its likes, bookmarks, history and retweets; answers to it stay. Returns the post as it was, so that it can be written anew, null if it was a retweet of what the actor no longer sees. 42501 another''s post, P0002 no such post.';
SELECT roost_internal.route('DELETE', '/tweets/:post_id', 'roost.post_delete', limit_class => 'delete');
