-- What of a mailbox is told: what the account may see, of accounts that are
-- active, and wants to hear.  All of it is asked when it is read, so a change
-- counts at once and nothing is lost.

CREATE OR REPLACE FUNCTION roost_internal.notification_plain(account_id bigint) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN NOT EXISTS (SELECT FROM roost_data.notification_preference t WHERE t.account_id = notification_plain.account_id)
		AND NOT EXISTS (SELECT FROM roost_data.notification_mute t WHERE t.account_id = notification_plain.account_id)
		AND NOT EXISTS (SELECT FROM roost_data.notification_thread_mute t WHERE t.account_id = notification_plain.account_id);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.notification_plain(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.notification_plain(bigint) IS 'Whether an account wants to hear of everything, so that roost_internal.notification_wanted() need not be asked.';

-- Asked for every entry of a page, so without a setting of its own.
CREATE OR REPLACE FUNCTION roost_internal.notification_wanted(account_id bigint, kind roost.mailbox_kind, actor_id bigint, post_id bigint) RETURNS boolean
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	v_preference roost_data.notification_preference;
	v_policy roost.notification_policy;
BEGIN
	SELECT t.* INTO v_preference FROM roost_data.notification_preference t WHERE t.account_id = notification_wanted.account_id;
	v_policy := CASE kind WHEN 'follow' THEN v_preference.follow WHEN 'follow_request' THEN v_preference.follow_request
		WHEN 'like' THEN v_preference."like" WHEN 'retweet' THEN v_preference.retweet WHEN 'quote' THEN v_preference.quote
		WHEN 'reply' THEN v_preference.reply ELSE v_preference.mention END;
	IF v_policy = 'nobody' OR v_policy = 'followed' AND NOT EXISTS (SELECT FROM roost_data.follow f
			WHERE f.follower_id = notification_wanted.account_id AND f.followee_id = actor_id)
		OR EXISTS (SELECT FROM roost_data.notification_mute t WHERE t.account_id = notification_wanted.account_id AND t.muted_id = actor_id)
	THEN
		RETURN false;
	END IF;
	IF post_id IS NULL OR NOT EXISTS (SELECT FROM roost_data.notification_thread_mute t WHERE t.account_id = notification_wanted.account_id) THEN
		RETURN true;
	END IF;
	RETURN NOT EXISTS (
		SELECT FROM roost_data.post p LEFT JOIN roost_data.post o ON o.id = coalesce(p.retweet_of_id, p.quote_of_id)
		JOIN roost_data.notification_thread_mute t ON t.account_id = notification_wanted.account_id AND t.thread_id IN (p.thread_id, o.thread_id)
		WHERE p.id = notification_wanted.post_id);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.notification_wanted(bigint, roost.mailbox_kind, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.notification_wanted(bigint, roost.mailbox_kind, bigint, bigint) IS 'Whether an account wants to hear of an entry of its mailbox: by its preference for the type, whether it has muted the actor, and whether it has muted the thread of the post, or of the post that this retweets or quotes. The one place where that is decided.';

-- Without a setting, so that the planner puts it into the query that calls it.
CREATE OR REPLACE FUNCTION roost_internal.notification_entry(account_id bigint, after bigint, before bigint, plain boolean) RETURNS TABLE (
	seq bigint, kind roost.mailbox_kind, actor_id bigint, post_id bigint, group_id bigint, created_at timestamptz, day date)
LANGUAGE sql STABLE
AS $$
	SELECT m.seq, m.kind, m.actor_id, m.post_id, m.group_id, m.created_at, m.day
	FROM roost_data.mailbox m
	WHERE m.account_id = $1 AND m.seq > $2 AND m.seq < $3
		AND CASE WHEN m.kind IN ('follow', 'follow_request')
			THEN EXISTS (SELECT FROM roost_data.account a WHERE a.id = m.actor_id AND a.status = 'active')
		WHEN m.kind = 'like'
			THEN EXISTS (SELECT FROM roost_data.account a WHERE a.id = m.actor_id AND a.status = 'active')
				AND EXISTS (SELECT FROM roost_data.post p WHERE p.id = m.post_id)
		ELSE EXISTS (SELECT FROM roost_data.post p JOIN roost_data.account a ON a.id = p.author_id
				WHERE p.id = m.post_id AND roost_internal.may_see($1, p.author_id, p.visibility, p.mention_ids, a.is_private, a.status)) END
		AND ($4 OR roost_internal.notification_wanted($1, m.kind, m.actor_id, m.post_id))
$$;
REVOKE ALL ON FUNCTION roost_internal.notification_entry(bigint, bigint, bigint, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.notification_entry(bigint, bigint, bigint, boolean) IS 'The entries of a mailbox between two seqs (exclusive) that are told: what the account may see, of active accounts, and wants to hear; plain is roost_internal.notification_plain(), asked once by who reads many.';

CREATE OR REPLACE FUNCTION roost_internal.post_embed(post roost.post) RETURNS roost.post_embed
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
	IF post.id IS NULL THEN
		RETURN NULL;
	END IF;
	RETURN ROW(post.id, post.author, post.text, post.created_at, post.edited_at, post.visibility, post.reply_to_id, post.reply_to_account_id,
		post.thread_id, post.quote_of_id, post.like_count, post.retweet_count, post.reply_count, post.quote_count, post.liked, post.retweeted,
		post.bookmarked, post.pinned, post.mentions, post.hashtags, post.urls, post.media, post.language, post.content_warning, post.url);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.post_embed(roost.post) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_embed(roost.post) IS 'A post without what it retweets or quotes; null for null.';

CREATE OR REPLACE FUNCTION roost_internal.notification_id(kind roost.mailbox_kind, at timestamptz, about_id bigint, seq bigint) RETURNS text
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
	RETURN CASE WHEN kind = 'follow' THEN 'follow-' || to_char(at AT TIME ZONE 'UTC', 'YYYYMMDD')
		WHEN kind IN ('like', 'retweet') THEN kind || '-' || to_char(at AT TIME ZONE 'UTC', 'YYYYMMDD') || '-' || about_id
		ELSE kind || '-' || seq END;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.notification_id(roost.mailbox_kind, timestamptz, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.notification_id(roost.mailbox_kind, timestamptz, bigint, bigint) IS 'The id of the notification that an entry belongs to: likes and retweets of one post, and follows, of one day (UTC) have the same.';

CREATE OR REPLACE FUNCTION roost_internal.notification_item(account_id bigint, seq bigint) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_entry record;
	v_about_id bigint;
	v_post roost.post;
	v_author roost.author;
BEGIN
	SELECT e.* INTO v_entry FROM roost_internal.notification_entry(notification_item.account_id, notification_item.seq - 1, notification_item.seq + 1, false) e;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	IF v_entry.post_id IS NOT NULL THEN
		v_about_id := CASE WHEN v_entry.kind = 'retweet' THEN roost_internal.post_original(v_entry.post_id) ELSE v_entry.post_id END;
		SELECT p.* INTO v_post FROM roost_internal.post_hydrate(notification_item.account_id, ARRAY[v_about_id]) p;
		IF NOT FOUND THEN
			RETURN NULL;
		END IF;
	END IF;
	SELECT a.id, a.username, a.display_name, a.avatar_url INTO v_author FROM roost_data.account a WHERE a.id = v_entry.actor_id;
	RETURN roost_internal.to_json(ROW(v_entry.seq, roost_internal.notification_id(v_entry.kind, v_entry.created_at, v_about_id, v_entry.seq),
		v_entry.kind, v_author, roost_internal.post_embed(v_post), v_entry.created_at)::roost.notification_act);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.notification_item(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.notification_item(bigint, bigint) IS 'An entry of an account''s mailbox as JSON (roost.notification_act), as it is told when it happens; null if it is gone, or the account may not see it or does not want to hear of it.';
