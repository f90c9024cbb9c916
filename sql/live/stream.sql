-- Streams: who opens one, and what the log says to clients.  Only the gateway
-- calls roost.stream_*; docs/live.md says how the parts meet.

CREATE OR REPLACE FUNCTION roost.stream_open(token text, client_address text, OUT account_id bigint, OUT session_id bigint, OUT expires_at float8)
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'roost_stream_open';
REVOKE ALL ON FUNCTION roost.stream_open(text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost.stream_open(text, text) IS 'Who opens a stream with an access token, and until when it is valid (seconds since 1970); nulls without a token. Takes one unit of the rate limits of class stream. Errors as of roost.handle: ROTOK not valid, revoked, expired or of an account that is not active; RO429 too many.';

CREATE OR REPLACE FUNCTION roost.stream_check(session_ids bigint[], account_ids bigint[]) RETURNS TABLE (session_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY SELECT u.session_id
	FROM unnest(session_ids, account_ids) u (session_id, account_id)
	LEFT JOIN roost_data.session s ON s.id = u.session_id
	LEFT JOIN roost_data.account a ON a.id = u.account_id
	WHERE u.session_id IS NOT NULL
		AND (a.status IS DISTINCT FROM 'active' OR s.revoked_at IS NOT NULL OR s.expires_at <= roost_internal.clock_now()
			OR roost_internal.session_revoked(u.session_id) OR roost_internal.session_revoked(u.account_id));
END
$$;
REVOKE ALL ON FUNCTION roost.stream_check(bigint[], bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost.stream_check(bigint[], bigint[]) IS 'Those of the sessions, each of the account at the same place, that are revoked or have expired, or whose account is not active.';

CREATE OR REPLACE FUNCTION roost.stream_position(OUT epoch bigint, OUT first_seq bigint, OUT last_seq bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	SELECT p.epoch, p.first_seq, p.last_seq INTO epoch, first_seq, last_seq FROM roost.feed_position() p;
END
$$;
REVOKE ALL ON FUNCTION roost.stream_position() FROM PUBLIC;
COMMENT ON FUNCTION roost.stream_position() IS 'How far the log reaches, as roost.feed_position().';

CREATE OR REPLACE FUNCTION roost.stream_home(account_id bigint, OUT seq bigint, OUT followee_ids text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- One snapshot: who sees a row of the log sees what it is about.
	SELECT p.last_seq INTO seq FROM roost.feed_position() p;
	followee_ids := array_to_string(roost_internal.followee_ids(stream_home.account_id), ' ');
END
$$;
REVOKE ALL ON FUNCTION roost.stream_home(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost.stream_home(bigint) IS 'Whom an account follows (ids with spaces between), and the row of the log that this is at least as new as.';

CREATE OR REPLACE FUNCTION roost.stream_filters(account_ids bigint[]) RETURNS TABLE (account_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY SELECT a.id FROM unnest(account_ids) a (id)
	WHERE EXISTS (SELECT FROM roost_data.muted_word w WHERE w.account_id = a.id AND (w.expires_at IS NULL OR w.expires_at > roost_internal.clock_now()));
END
$$;
REVOKE ALL ON FUNCTION roost.stream_filters(bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost.stream_filters(bigint[]) IS 'Those of the accounts that have muted words: roost.stream_see() is to be asked about them also where everybody may see an event.';

CREATE OR REPLACE FUNCTION roost.stream_read(after bigint, "limit" integer, rooms boolean DEFAULT false) RETURNS TABLE (
	seq bigint, event text, everyone boolean, strangers boolean, home_id bigint, topics text, account_ids text, target_ids text, notify text,
	follow text, filter text, revoked bigint, touched text, hard boolean, lost boolean, room boolean, told text, data text)
LANGUAGE c STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'roost_stream_read';
REVOKE ALL ON FUNCTION roost.stream_read(bigint, integer, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost.stream_read(bigint, integer, boolean) IS 'The rows of the log after a seq, oldest first and none left out, up to limit (1 to 10000), and where their events go; with rooms also whom those of messages, friends and keys are told, and, if these are few, their data. docs/live.md has the columns.';

CREATE OR REPLACE FUNCTION roost.stream_data(seqs bigint[]) RETURNS TABLE (seq bigint, data text, everyone boolean, strangers boolean, told text)
LANGUAGE c STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'roost_stream_data_list';
REVOKE ALL ON FUNCTION roost.stream_data(bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost.stream_data(bigint[]) IS 'What the events of some rows of the log look like, as JSON, and whether everybody who gets them may see that: all accounts without muted words, and those who have none; of a row with a room the accounts that are told. Rows without an event are left out. 54000 for more than 100000.';

CREATE OR REPLACE FUNCTION roost.stream_see(seqs bigint[], viewer_ids bigint[]) RETURNS TABLE (seq bigint, viewer_id bigint)
LANGUAGE c STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'roost_stream_see';
REVOKE ALL ON FUNCTION roost.stream_see(bigint[], bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost.stream_see(bigint[], bigint[]) IS 'Those of the pairs, a row of the log and the account (0: nobody) at the same place, where the account may see the event. 22023 for lists of different length, 54000 for longer ones than 100000.';

CREATE OR REPLACE FUNCTION roost.stream_notify(seqs bigint[], account_ids bigint[]) RETURNS TABLE (seq bigint, account_id bigint, data text)
LANGUAGE c STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'roost_stream_notify';
REVOKE ALL ON FUNCTION roost.stream_notify(bigint[], bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost.stream_notify(bigint[], bigint[]) IS 'The data of notification:new for those of the pairs, a row of the log and the account at the same place, that are an entry in its mailbox which it may see and wants. 22023 for lists of different length, 54000 for longer ones than 100000.';

CREATE OR REPLACE FUNCTION roost.stream_resume(account_id bigint, epoch bigint, after bigint, channels text[], "limit" integer)
RETURNS TABLE (seq bigint, part integer, event text, home boolean, topics text, data text)
LANGUAGE c STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'roost_stream_resume';
REVOKE ALL ON FUNCTION roost.stream_resume(bigint, bigint, bigint, text[], integer) FROM PUBLIC;
COMMENT ON FUNCTION roost.stream_resume(bigint, bigint, bigint, text[], integer) IS 'What the channels of an account (0: nobody) have shown after a cursor, oldest first, up to limit (1 to 1000) events at a time, one more where a row makes two: event is part 0 of its row of the log, its notification:new part 1; home says whether it is in the home timeline. The last row has no event: seq is the position that is covered, part 1 if there is more. If it is not possible to resume there is one row with the event reset, the position to begin with and the epoch as data.';
