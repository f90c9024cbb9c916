-- Reading the log and the mailbox.

CREATE OR REPLACE FUNCTION roost_internal.feed_end() RETURNS bigint
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'roost_feed_end';
REVOKE ALL ON FUNCTION roost_internal.feed_end() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_end() IS 'The first row of the log that is not to be read yet, because it has not reached the disk: what somebody has read must not be gone after a crash.';

CREATE OR REPLACE FUNCTION roost.feed_position(OUT epoch roost.id, OUT first_seq bigint, OUT last_seq bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	SELECT s.epoch, s.first_seq, least(greatest(s.seq, l.seq), (SELECT roost_internal.feed_end()) - 1) INTO epoch, first_seq, last_seq
	FROM roost_data.feed_state s LEFT JOIN (SELECT t.seq FROM roost_data.feed_log t ORDER BY t.seq DESC LIMIT 1) l ON true;
END
$$;
REVOKE ALL ON FUNCTION roost.feed_position() FROM PUBLIC;
COMMENT ON FUNCTION roost.feed_position() IS 'How far the log of events reaches: epoch (null before the worker has begun), the first row that is kept and the last one. A cursor (epoch, seq) can be resumed from if the epoch is the same and first_seq - 1 <= seq <= last_seq. The epoch changes when the log cannot vouch for having gone on without a break: in another cluster or database than before, and after the promotion of a standby.';

CREATE OR REPLACE FUNCTION roost_internal.feed_read(after bigint, "limit" integer) RETURNS TABLE (
	seq bigint, kind roost.feed_kind, id bigint, account_id bigint, post_id bigint, author_id bigint, target_id bigint,
	retweet_of_id bigint, reply_to_account_id bigint, created_at timestamptz, room_id bigint, conversation_id bigint, message_id bigint)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY SELECT l.seq, l.kind, l.id, l.account_id, l.post_id, l.author_id, l.target_id, l.retweet_of_id, l.reply_to_account_id, l.created_at,
		l.room_id, l.conversation_id, l.message_id
	FROM roost_data.feed_log l
	WHERE l.seq > after AND l.seq < (SELECT roost_internal.feed_end())
	ORDER BY l.seq LIMIT "limit";
END
$$;
REVOKE ALL ON FUNCTION roost_internal.feed_read(bigint, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_read(bigint, integer) IS 'The rows of the log after a seq, oldest first. Says nothing about who may see what. Whether the rows after that seq are all kept: roost.feed_position().';

CREATE OR REPLACE FUNCTION roost_internal.mailbox_read(account_id bigint, after bigint, "limit" integer) RETURNS TABLE (
	seq bigint, kind roost.mailbox_kind, actor_id bigint, post_id bigint, created_at timestamptz)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY SELECT m.seq, m.kind, m.actor_id, m.post_id, m.created_at
	FROM roost_data.mailbox m
	WHERE m.account_id = mailbox_read.account_id AND m.seq > after AND m.seq < (SELECT roost_internal.feed_end())
		AND CASE WHEN m.kind IN ('follow', 'follow_request', 'like', 'friend_request', 'friend_accepted')
			THEN EXISTS (SELECT FROM roost_data.account a WHERE a.id = m.actor_id AND a.status = 'active'
					AND (a.limited_at IS NULL OR EXISTS (SELECT FROM roost_data.follow f WHERE f.follower_id = mailbox_read.account_id AND f.followee_id = m.actor_id)))
				AND NOT roost_internal.is_blocked(mailbox_read.account_id, m.actor_id)
			ELSE EXISTS (SELECT FROM roost_data.post p JOIN roost_data.account a ON a.id = p.author_id
				WHERE p.id = m.post_id AND roost_internal.may_see(mailbox_read.account_id, p.author_id, p.visibility, p.state, p.mention_ids, a.is_private, a.limited_at IS NOT NULL, a.status)
					AND roost_internal.wants(mailbox_read.account_id, NULL, p.text, p.content_warning, p.hashtags)) END
		AND NOT EXISTS (SELECT FROM roost_data.account_mute t WHERE t.account_id = mailbox_read.account_id AND t.muted_id = m.actor_id
			AND t.notifications AND (t.expires_at IS NULL OR t.expires_at > roost_internal.clock_now()))
	ORDER BY m.seq LIMIT "limit";
END
$$;
REVOKE ALL ON FUNCTION roost_internal.mailbox_read(bigint, bigint, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.mailbox_read(bigint, bigint, integer) IS 'What others did to an account, after a seq, oldest first: only what the account may see, by others who are active, have no block with it, are not muted with their notifications and, if they are limited, are followed by it; not posts with its muted words.';

CREATE OR REPLACE FUNCTION roost_internal.feed_stat(OUT batches bigint, OUT rows bigint, OUT entries bigint, OUT notifies bigint, OUT completions bigint, OUT last_batch_at timestamptz, OUT unflushed_from bigint)
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_feed_stat';
REVOKE ALL ON FUNCTION roost_internal.feed_stat() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_stat() IS 'The row of roost.stat_feed.';

CREATE OR REPLACE VIEW roost.stat_feed AS SELECT * FROM roost_internal.feed_stat();
COMMENT ON VIEW roost.stat_feed IS 'The log of events since the server started, one row: batches (transactions of the worker), rows of the log and entries of mailboxes written, notifies (rings of the doorbell), completions (times that the log was completed from the tables, its start among them), last_batch_at, unflushed_from (first row that is not on the disk yet, null if there is none).';
GRANT EXECUTE ON FUNCTION roost_internal.feed_stat() TO pg_monitor;
GRANT SELECT ON roost.stat_feed TO pg_monitor;
