-- Who gets which event: blocks of either direction, mutes, muted words, limits,
-- states; by asking of rows, and by what somebody has missed.
SELECT roost.worker_sync('1 minute');
INSERT INTO roost_data.account (id, username) SELECT n, 'filter_' || n FROM generate_series(9671, 9678) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 9671 AND 9678;
-- a writes; b follows; c has blocked a, d was blocked by a, e has muted a, f a word; g retweets and quotes; h follows nobody
INSERT INTO roost_data.follow (follower_id, followee_id, id)
SELECT f, t, roost_internal.id_next(f) FROM (VALUES (9672, 9671), (9675, 9671), (9676, 9671), (9672, 9677), (9673, 9677), (9674, 9677), (9675, 9677), (9676, 9677)) v (f, t);
SELECT (roost.account_block(9673, '9671')).blocking, (roost.account_block(9671, '9674')).blocking, (roost.account_mute(9675, '9671')).muting, (roost.muted_word_create(9676, 'cats')).phrase;
SELECT roost.worker_sync('1 minute');
SELECT last_seq AS begin, epoch FROM roost.stream_position() \gset

CREATE FUNCTION filter_names(ids bigint[]) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$ SELECT string_agg(CASE i WHEN 0 THEN '-' ELSE chr((i - 9671 + 97)::integer) END, '' ORDER BY i) FROM unnest($1) i $$;
CREATE FUNCTION filter_data(seq bigint) RETURNS jsonb
LANGUAGE sql STABLE
AS $$ SELECT d.data::jsonb FROM roost.stream_data(ARRAY[$1]) d $$;
-- who may see each event when asked, and who gets it that was away, in a channel of everything
CREATE FUNCTION filter_seen(begin bigint, epoch bigint) RETURNS TABLE (n bigint, event text, text text, everyone boolean, strangers boolean, same boolean, asked text, missed text)
LANGUAGE plpgsql
AS $$
DECLARE
	v_viewer_ids constant bigint[] := ARRAY[0, 9671, 9672, 9673, 9674, 9675, 9676, 9677, 9678];
BEGIN
	IF NOT roost.worker_sync('1 minute') THEN
		RAISE EXCEPTION 'the worker does not work';
	END IF;
	RETURN QUERY
	SELECT r.seq - begin, r.event, coalesce(filter_data(r.seq) #>> '{post,text}', ''), r.everyone, r.strangers,
		(r.everyone, r.strangers) IS NOT DISTINCT FROM (SELECT (d.everyone, d.strangers) FROM roost.stream_data(ARRAY[r.seq]) d),
		filter_names(ARRAY(SELECT s.viewer_id FROM roost.stream_see(array_fill(r.seq, ARRAY[9]), v_viewer_ids) s)),
		filter_names(ARRAY(SELECT v.id FROM unnest(v_viewer_ids) v (id) WHERE EXISTS (
			SELECT FROM roost.stream_resume(nullif(v.id, 0), epoch, r.seq - 1, string_to_array(r.topics, ' ') || '{home,notifications}'::text[], 100) e WHERE e.seq = r.seq AND e.part = 0 AND e.event = r.event)))
	FROM roost.stream_read(begin, 100) r WHERE r.event IS NOT NULL ORDER BY r.seq;
END
$$;

SELECT id AS post FROM roost.post_create(9671, 'of dogs @filter_9672 #filter') \gset
SELECT id AS cats FROM roost.post_create(9671, 'of cats #filter') \gset
SELECT id AS quote FROM roost.post_create(9677, 'a quote', quote_of_id => :post) \gset
SELECT (roost.post_retweet(9677, :post)).retweeted, (roost.post_retweet(9677, :cats)).retweeted;
SELECT (roost.post_like(9671, :quote)).liked, (roost.post_like(9677, :cats)).liked;
SELECT (roost.post_edit(9671, :post, 'of cats and dogs #filter')).id = :post AS edited;
SELECT (roost.account_update(9671, bio => 'new')).bio;
SELECT (roost.account_follow(9678, '9671')).following;
SELECT id AS own FROM roost.post_create(9676, 'my own cats') \gset
SELECT * FROM filter_seen(:begin, :epoch);
-- of a quote nobody gets what one could be kept from; of who stands in no block, everybody does
SELECT d.data::jsonb #> '{post,quote_of}' AS quoted FROM roost.stream_read(:begin, 100) r, roost.stream_data(ARRAY[r.seq]) d WHERE d.data::jsonb #>> '{post,id}' = :'quote';
SELECT count(roost.post_create(9678, 'a quote', quote_of_id => :quote));
SELECT roost.worker_sync('1 minute');
SELECT d.data::jsonb #>> '{post,quote_of,text}' AS quoted FROM roost.stream_position() p, roost.stream_data(ARRAY[p.last_seq]) d;
-- who has muted words
SELECT filter_names(ARRAY(SELECT f.account_id FROM roost.stream_filters('{9671,9676,9679,9675}') f));
UPDATE roost_data.muted_word SET expires_at = now() - interval '1 second' WHERE account_id = 9676;
SELECT filter_names(ARRAY(SELECT f.account_id FROM roost.stream_filters('{9671,9676,9679,9675}') f));
UPDATE roost_data.account_mute SET expires_at = now() - interval '1 second' WHERE account_id = 9675;
-- what has ended counts no more, for the past either
SELECT n, event, text, asked, missed FROM filter_seen(:begin, :epoch) WHERE n <= 4 OR event LIKE 'tweet:%liked';
-- the end of a block
SELECT roost.account_unblock(9673, '9671'), roost.account_unblock(9671, '9674'), roost.account_unmute(9675, '9671') \gset ignore_
DELETE FROM roost_data.muted_word WHERE account_id = 9676;
SELECT roost.worker_sync('1 minute');
SELECT n, event, text, everyone, asked FROM filter_seen(:begin, :epoch) WHERE n <= 5;
-- other devices are told of what was done, the other one is not
SELECT r.event, r.filter, r.account_ids, r.topics, filter_data(r.seq) AS data FROM roost.stream_read(:begin, 100) r WHERE r.filter IS NOT NULL;

-- limited: for those who follow, and in no list
SELECT last_seq AS begin FROM roost.stream_position() \gset
UPDATE roost_data.account SET limited_at = now() WHERE id = 9671;
SELECT id AS limited FROM roost.post_create(9671, 'limited #filter @filter_9673') \gset
SELECT (roost.post_like(9671, :quote)).liked, (roost.post_unlike(9671, :quote)).liked;
SELECT roost.worker_sync('1 minute');
SELECT event, replace(replace(topics, :'quote', 'QUOTE'), '9671', 'A') AS topics, notify FROM roost.stream_read(:begin, 100);
SELECT n, event, text, everyone, strangers, same, asked, missed FROM filter_seen(:begin, :epoch);
UPDATE roost_data.account SET limited_at = NULL WHERE id = 9671;

-- states
SELECT roost.worker_sync('1 minute');
SELECT last_seq AS begin FROM roost.stream_position() \gset
UPDATE roost_data.post SET state = 'held' WHERE id = :post;
SELECT * FROM filter_seen(:begin, :epoch);
UPDATE roost_data.post SET state = 'removed' WHERE id = :post;
SELECT * FROM filter_seen(:begin, :epoch);
UPDATE roost_data.post SET state = 'limited' WHERE id = :post;
SELECT * FROM filter_seen(:begin, :epoch);
SELECT roost.worker_sync('1 minute');
SELECT event, replace(replace(topics, :'post', 'POST'), '9671', 'A') AS topics, account_ids, home_id FROM roost.stream_read(:begin, 100);
UPDATE roost_data.post SET state = 'visible' WHERE id = :post;
SELECT id AS followers FROM roost.post_create(9671, 'for followers', visibility => 'followers') \gset
UPDATE roost_data.post SET state = 'held' WHERE id = :followers;
SELECT n, event, text, everyone, strangers, same, asked, missed FROM filter_seen(:begin, :epoch) WHERE n > 6;

-- many accounts with muted words, more than a backend keeps
INSERT INTO roost_data.account (id, username) SELECT n, 'words_' || n FROM generate_series(96780, 96820) n;
INSERT INTO roost_data.muted_word (account_id, id, phrase, folded) SELECT n, roost_internal.id_next(n), 'word ' || n, 'word ' || n FROM generate_series(96781, 96820) n;
SELECT id AS word FROM roost.post_create(96780, 'word 96800') \gset
SELECT roost.worker_sync('1 minute');
SELECT p.last_seq AS word_seq FROM roost.stream_position() p \gset
SELECT count(*), array_agg(s.viewer_id) @> '{96800}' AS seen FROM roost.stream_see(array_fill(:word_seq::bigint, '{40}'), ARRAY(SELECT n FROM generate_series(96781, 96820) n)) s;
SELECT count(*), array_agg(s.viewer_id) @> '{96800}' AS seen FROM roost.stream_see(array_fill(:word_seq::bigint, '{40}'), ARRAY(SELECT n FROM generate_series(96781, 96820) n)) s;
SELECT count(*), array_agg(s.viewer_id) @> '{96800}' AS seen FROM roost.stream_see(array_fill(:word_seq::bigint, '{40}'), ARRAY(SELECT n FROM generate_series(96820, 96781, -1) n)) s;
DELETE FROM roost_data.post WHERE author_id = 96780;
DELETE FROM roost_data.muted_word WHERE account_id BETWEEN 96781 AND 96820;
DELETE FROM roost_data.account WHERE id BETWEEN 96780 AND 96820;

DROP FUNCTION filter_seen(bigint, bigint), filter_data(bigint), filter_names(bigint[]);
DELETE FROM roost_data.follow WHERE follower_id BETWEEN 9671 AND 9678;
DELETE FROM roost_data.post WHERE author_id BETWEEN 9671 AND 9678;
DELETE FROM roost_data.account_handle WHERE account_id BETWEEN 9671 AND 9678;
DELETE FROM roost_data.account WHERE id BETWEEN 9671 AND 9678;
