-- What leaves no row with a new id behind is traced in the transaction itself,
-- so that the log can be completed from the tables after a crash.

CREATE OR REPLACE FUNCTION roost_internal.feed_trace_post() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO roost_data.feed_trace (id, kind, row_id, account_id, post_id, retweet_of_id, reply_to_account_id)
	SELECT roost_internal.id_next(c.author_id), TG_ARGV[0]::roost.feed_kind, c.id, c.author_id, c.id, c.retweet_of_id, c.reply_to_account_id
	FROM changed c;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.feed_trace_post() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_trace_post() IS 'Statement trigger of roost_data.post, DELETE: traces the posts under the kind that is its argument.';

CREATE OR REPLACE FUNCTION roost_internal.feed_trace_post_update() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- target_id: only the author is told of that.
	INSERT INTO roost_data.feed_trace (id, kind, row_id, account_id, post_id, target_id, retweet_of_id, reply_to_account_id)
	SELECT roost_internal.id_next(c.author_id), 'post_updated', c.id, c.author_id, c.id,
		CASE WHEN b.state IN ('held', 'removed') OR c.state IN ('held', 'removed') THEN c.author_id END, c.retweet_of_id, c.reply_to_account_id
	FROM changed c LEFT JOIN before b ON b.id = c.id;
	IF EXISTS (SELECT FROM changed c JOIN before b ON b.id = c.id WHERE b.state <> c.state) THEN
		INSERT INTO roost_data.feed_trace (id, kind, row_id, account_id, post_id, retweet_of_id, reply_to_account_id)
		SELECT t.id, t.kind, t.id, t.author_id, t.post_id, t.retweet_of_id, t.reply_to_account_id
		FROM (
			SELECT roost_internal.id_next(c.author_id) AS id, c.author_id, c.id AS post_id, c.retweet_of_id, c.reply_to_account_id,
				(CASE WHEN b.state IN ('held', 'removed') THEN 'post_released' ELSE 'post_hidden' END)::roost.feed_kind AS kind
			FROM changed c JOIN before b ON b.id = c.id
			WHERE (b.state IN ('held', 'removed')) <> (c.state IN ('held', 'removed')) OR b.state = 'visible' AND c.state = 'limited'
			ORDER BY c.id
			OFFSET 0
		) t;
	END IF;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.feed_trace_post_update() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_trace_post_update() IS 'Statement trigger of roost_data.post, UPDATE: traces the posts as post_updated, and as post_hidden or post_released where the state says so; events of these two come from their traces.';

CREATE OR REPLACE FUNCTION roost_internal.feed_trace_like() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO roost_data.feed_trace (id, kind, row_id, account_id, post_id)
	SELECT roost_internal.id_next(c.account_id), 'like_deleted', c.id, c.account_id, c.post_id FROM changed c;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.feed_trace_like() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_trace_like() IS 'Statement trigger of roost_data.post_like, DELETE: traces the likes.';

CREATE OR REPLACE FUNCTION roost_internal.feed_trace_follow() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO roost_data.feed_trace (id, kind, row_id, account_id, target_id)
	SELECT roost_internal.id_next(c.follower_id), TG_ARGV[0]::roost.feed_kind, c.id, c.follower_id, c.followee_id FROM changed c;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.feed_trace_follow() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_trace_follow() IS 'Statement trigger of roost_data.follow and roost_data.follow_request, DELETE: traces the rows under the kind that is its argument.';

CREATE OR REPLACE FUNCTION roost_internal.feed_trace_filter() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF TG_TABLE_NAME = 'account_block' THEN
		INSERT INTO roost_data.feed_trace (id, kind, row_id, account_id, target_id)
		SELECT t.id, 'filter_changed', t.id, t.account_id, t.blocked_id
		FROM (SELECT roost_internal.id_next(c.account_id) AS id, c.account_id, c.blocked_id FROM changed c OFFSET 0) t;
	ELSIF TG_TABLE_NAME = 'account_mute' THEN
		INSERT INTO roost_data.feed_trace (id, kind, row_id, account_id, target_id)
		SELECT t.id, 'filter_changed', t.id, t.account_id, t.muted_id
		FROM (SELECT roost_internal.id_next(c.account_id) AS id, c.account_id, c.muted_id FROM changed c OFFSET 0) t;
	ELSE
		INSERT INTO roost_data.feed_trace (id, kind, row_id, account_id)
		SELECT t.id, 'filter_changed', t.id, t.account_id
		FROM (SELECT roost_internal.id_next(c.account_id) AS id, c.account_id FROM (SELECT DISTINCT d.account_id FROM changed d) c OFFSET 0) t;
	END IF;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.feed_trace_filter() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_trace_filter() IS 'Statement trigger of roost_data.account_block, account_mute and muted_word: traces as filter_changed whose filters have changed, and about whom; the events come from these traces.';

CREATE OR REPLACE FUNCTION roost_internal.feed_trace_all() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO roost_data.feed_trace (id, kind, row_id) VALUES (roost_internal.id_next(), 'events_lost', 0);
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.feed_trace_all() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_trace_all() IS 'Trigger: says that there are new rows with old ids (when rows leave the staging tables of imports), or rows gone without a trace (TRUNCATE, another id), so that after a loss of events everything is compared.';

CREATE OR REPLACE FUNCTION roost_internal.feed_trace_old() RETURNS trigger
LANGUAGE c VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'roost_feed_trace_old';
REVOKE ALL ON FUNCTION roost_internal.feed_trace_old() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_trace_old() IS 'AFTER INSERT ROW trigger: feed_trace_old(''column'') says that there are new rows with old ids, once a subtransaction, when the id in the column was made before the transaction began. After a crash, and on standbys, not only new ids are looked for then.';

CREATE OR REPLACE FUNCTION roost_internal.feed_tell(kind roost.feed_kind, account_id bigint, room_id bigint,
	conversation_id bigint DEFAULT NULL, message_id bigint DEFAULT NULL, target_id bigint DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.id_next(room_id);
BEGIN
	INSERT INTO roost_data.feed_trace (id, kind, row_id, account_id, target_id, room_id, conversation_id, message_id)
	VALUES (v_id, feed_tell.kind, v_id, feed_tell.account_id, feed_tell.target_id, feed_tell.room_id, feed_tell.conversation_id, feed_tell.message_id);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.feed_tell(roost.feed_kind, bigint, bigint, bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_tell(roost.feed_kind, bigint, bigint, bigint, bigint, bigint) IS 'Has a room told, when the transaction commits, what account_id has done: the members of the conversation room_id, or the account room_id (and account_id itself). The log gets one row, exactly once, also after a crash; docs/chat.md has the kinds.';
