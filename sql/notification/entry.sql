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
		AND NOT EXISTS (SELECT FROM roost_data.notification_thread_mute t WHERE t.account_id = notification_plain.account_id)
		AND NOT EXISTS (SELECT FROM roost_data.account_mute t WHERE t.account_id = notification_plain.account_id AND t.notifications);
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
		WHEN 'reply' THEN v_preference.reply WHEN 'mention' THEN v_preference.mention
		WHEN 'friend_request' THEN v_preference.friend_request ELSE v_preference.friend_accepted END;
	IF v_policy = 'nobody' OR v_policy = 'followed' AND NOT EXISTS (SELECT FROM roost_data.follow f
			WHERE f.follower_id = notification_wanted.account_id AND f.followee_id = actor_id)
		OR EXISTS (SELECT FROM roost_data.notification_mute t WHERE t.account_id = notification_wanted.account_id AND t.muted_id = actor_id)
		OR EXISTS (SELECT FROM roost_data.account_mute t WHERE t.account_id = notification_wanted.account_id AND t.muted_id = actor_id
			AND t.notifications AND (t.expires_at IS NULL OR t.expires_at > roost_internal.clock_now()))
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
COMMENT ON FUNCTION roost_internal.notification_wanted(bigint, roost.mailbox_kind, bigint, bigint) IS 'Whether an account wants to hear of an entry of its mailbox: by its preference for the type, whether it has muted the actor (its notifications, or the account with its notifications), and whether it has muted the thread of the post, or of the post that this retweets or quotes. The one place where that is decided.';

-- Without a setting, so that the planner puts it into the query that calls it;
-- with single values, so that it looks up rows and hashes no table.
CREATE OR REPLACE FUNCTION roost_internal.notification_shown(account_id bigint, kind roost.mailbox_kind, actor_id bigint, post_id bigint, plain boolean)
RETURNS TABLE (shown boolean)
LANGUAGE sql STABLE
AS $$
	SELECT true WHERE CASE
		WHEN $2 = 'like' OR $4 IS NULL THEN (SELECT a.status = 'active' AND (a.limited_at IS NULL OR $2 = 'friend_accepted'
				OR EXISTS (SELECT FROM roost_data.follow f WHERE f.follower_id = $1 AND f.followee_id = $3)) FROM roost_data.account a WHERE a.id = $3)
			AND NOT roost_internal.is_blocked($1, $3)
			AND ($4 IS NULL OR (SELECT true FROM roost_data.post p WHERE p.id = $4))
		ELSE (SELECT roost_internal.may_see($1, p.author_id, p.visibility, p.state, p.mention_ids, a.is_private, a.limited_at IS NOT NULL, a.status)
				AND roost_internal.wants($1, NULL, p.text, p.content_warning, p.hashtags)
			FROM roost_data.post p JOIN roost_data.account a ON a.id = p.author_id WHERE p.id = $4) END
		AND ($5 OR roost_internal.notification_wanted($1, $2, $3, $4))
$$;
REVOKE ALL ON FUNCTION roost_internal.notification_shown(bigint, roost.mailbox_kind, bigint, bigint, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.notification_shown(bigint, roost.mailbox_kind, bigint, bigint, boolean) IS 'A row if an entry of a mailbox is told, else none: if it is about what the account may see (of accounts that are active, have no block with it and, if they are limited, are followed by it or have accepted its request to become friends), has none of its muted words, and is wanted; plain is roost_internal.notification_plain(), asked once by who reads many.';

CREATE OR REPLACE FUNCTION roost_internal.post_embed(post roost.post) RETURNS roost.post_embed
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
	IF post.id IS NULL THEN
		RETURN NULL;
	END IF;
	RETURN ROW(post.id, post.author, post.text, post.created_at, post.edited_at, post.visibility, post.reply_to_id, post.reply_to_account_id,
		post.thread_id, post.quote_of_id, post.like_count, post.retweet_count, post.reply_count, post.quote_count, post.liked, post.retweeted,
		post.bookmarked, post.pinned, post.mentions, post.hashtags, post.urls, post.media, post.language, post.content_warning, post.url,
		post.state, post.labels);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.post_embed(roost.post) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_embed(roost.post) IS 'A post without what it retweets or quotes; null for null.';

CREATE OR REPLACE FUNCTION roost_internal.notification_id(kind roost.mailbox_kind, day date, group_id bigint, seq bigint) RETURNS text
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
	RETURN CASE WHEN kind = 'follow' THEN 'follow-' || to_char(day, 'YYYYMMDD')
		WHEN group_id <> 0 THEN kind || '-' || to_char(day, 'YYYYMMDD') || '-' || group_id
		ELSE kind || '-' || seq END;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.notification_id(roost.mailbox_kind, date, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.notification_id(roost.mailbox_kind, date, bigint, bigint) IS 'The id of the notification that an entry belongs to: likes and retweets of one post, and follows, of one day (UTC) have the same.';

CREATE OR REPLACE FUNCTION roost_internal.notification_item(account_id bigint, seq bigint) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v_entry record;
	v_about_id bigint;
	v_post roost.post;
	v_author roost.author;
BEGIN
	SELECT m.* INTO v_entry
	FROM roost_data.mailbox m CROSS JOIN LATERAL roost_internal.notification_shown(m.account_id, m.kind, m.actor_id, m.post_id, false)
	WHERE m.account_id = notification_item.account_id AND m.seq = notification_item.seq;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	IF v_entry.post_id IS NOT NULL THEN
		v_about_id := coalesce(nullif(v_entry.group_id, 0), v_entry.post_id);
		SELECT p.* INTO v_post FROM roost_internal.post_hydrate(notification_item.account_id, ARRAY[v_about_id]) p;
		IF NOT FOUND THEN
			RETURN NULL;
		END IF;
	END IF;
	SELECT a.id, a.username, a.display_name, a.avatar_url INTO v_author FROM roost_data.account a WHERE a.id = v_entry.actor_id;
	RETURN roost_internal.to_json(ROW(v_entry.seq, roost_internal.notification_id(v_entry.kind, v_entry.day, v_entry.group_id, v_entry.seq),
		v_entry.kind, v_author, roost_internal.post_embed(v_post), v_entry.created_at)::roost.notification_act);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.notification_item(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.notification_item(bigint, bigint) IS 'An entry of an account''s mailbox as JSON (roost.notification_act), as it is told when it happens; null if it is gone, or the account may not see it or does not want to hear of it.';
