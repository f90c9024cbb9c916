-- Resuming while memberships change: each piece is told by the conversations that one is a member of when it is read, and the
-- list of them that is kept from one piece to the next is never an older one.
\pset format unaligned
\pset tuples_only on
INSERT INTO roost_data.account (id, username) SELECT n, 'live_member_' || n FROM generate_series(9461, 9463) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 9461 AND 9463;
SELECT roost.worker_sync('1 minute');
SELECT epoch AS epoch, last_seq AS begin FROM roost.stream_position() \gset
SELECT (roost.conversation_create(9461, 'group', '{9462,9463}', title => 'a')).id AS a \gset
SELECT (roost.conversation_create(9461, 'group', '{9462,9463}', title => 'b')).id AS b \gset
SELECT (roost.message_create(9461, conversation_id => CASE WHEN n % 2 = 0 THEN :a ELSE :b END, text => 'text ' || n)).text FROM generate_series(1, 4) n;
SELECT roost.worker_sync('1 minute');

CREATE FUNCTION live_member_missed(account_id bigint, epoch bigint, after bigint, channels text[]) RETURNS text
LANGUAGE sql STABLE
AS $$
	SELECT string_agg(r.data::jsonb #>> '{message,text}', ', ' ORDER BY r.seq, r.part)
	FROM roost.stream_resume(account_id, epoch, after, channels, 1000) r WHERE r.data::jsonb #>> '{message,text}' IS NOT NULL
$$;
-- a piece of one event, and what comes after it
SELECT max(r.seq) AS piece FROM roost.stream_resume(9462, :epoch, :begin, '{messages}', 1) r \gset
SELECT live_member_missed(9462, :epoch, :piece, '{messages}');
SELECT live_member_missed(9462, :epoch, :piece, ARRAY['conversation:' || :a]);
-- it leaves one of them; not before that is committed
BEGIN;
SELECT roost.conversation_member_remove(9462, :a, 'me');
ROLLBACK;
SELECT live_member_missed(9462, :epoch, :piece, '{messages}');
SELECT roost.conversation_member_remove(9462, :a, 'me');
SELECT live_member_missed(9462, :epoch, :piece, '{messages}');
SELECT live_member_missed(9462, :epoch, :piece, ARRAY['conversation:' || :a]), live_member_missed(9462, :epoch, :piece, ARRAY['conversation:' || :b]);
SELECT live_member_missed(9463, :epoch, :piece, '{messages}');
-- and comes back: what is written since
SELECT count(*) FROM roost.conversation_member_add(9461, :a, '{9462}');
SELECT (roost.message_create(9461, conversation_id => :a, text => 'again')).text;
SELECT roost.worker_sync('1 minute');
SELECT live_member_missed(9462, :epoch, :piece, '{messages}');
SELECT live_member_missed(9462, :epoch, :piece, ARRAY['conversation:' || :a]);
-- a list that was kept for its pages before is as good
SELECT cardinality(ids) FROM roost_internal.conversation_page(9462, 10, false, NULL, NULL, NULL);
SELECT live_member_missed(9462, :epoch, :piece, '{messages}');
UPDATE roost_data.conversation_member SET since_id = roost_internal.id_next() WHERE conversation_id = :b AND account_id = 9462;
SELECT live_member_missed(9462, :epoch, :piece, '{messages}');

SET client_min_messages = warning;
DROP FUNCTION live_member_missed(bigint, bigint, bigint, text[]);
DELETE FROM roost_data.message WHERE conversation_id IN (:a, :b);
DELETE FROM roost_data.conversation WHERE id IN (:a, :b);
DELETE FROM roost_data.account WHERE id BETWEEN 9461 AND 9463;
