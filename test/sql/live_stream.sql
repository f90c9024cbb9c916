-- What rows of the log say to clients: every kind, where it goes, who may see
-- it, what is told of it when things have changed meanwhile.
SELECT roost.worker_sync('1 minute');
INSERT INTO roost_data.account (id, username, display_name, is_private) SELECT n, 'live_' || n, 'L ' || n, n = 9653 FROM generate_series(9651, 9656) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 9651 AND 9656;
SELECT roost.worker_sync('1 minute');
SELECT last_seq AS seen FROM roost.stream_position() \gset

-- Ids as names: those of posts in the order in which they were made.
CREATE TABLE live_name (id bigint PRIMARY KEY, name text);
INSERT INTO live_name SELECT n, chr(65 + n - 9651) FROM generate_series(9651, 9656) n;
CREATE FUNCTION live_names(list text) RETURNS text
LANGUAGE sql STABLE
AS $$
	SELECT string_agg(coalesce(coalesce(substring(w.word, '^.*:'), '') || n.name, w.word), ' ' ORDER BY w.i)
	FROM string_to_table($1, ' ') WITH ORDINALITY w (word, i)
	LEFT JOIN live_name n ON n.id::text = substring(w.word, '[^:]*$')
$$;
CREATE FUNCTION live_post(author_id bigint, text text, reply_to bigint DEFAULT NULL, quote_of bigint DEFAULT NULL, visibility roost.visibility DEFAULT 'public') RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
	v_id bigint := (SELECT id FROM roost.post_create(author_id, text, reply_to_id => reply_to, quote_of_id => quote_of, visibility => visibility));
BEGIN
	INSERT INTO live_name SELECT v_id, 'p' || count(*) - 5 FROM live_name;
	RETURN v_id;
END
$$;
CREATE FUNCTION live_new() RETURNS TABLE (n bigint, event text, everyone boolean, home text, topics text, account text, target text, notify text, follow text, touched text, hard boolean)
LANGUAGE plpgsql
AS $$
BEGIN
	IF NOT roost.worker_sync('1 minute') THEN
		RAISE EXCEPTION 'the worker does not work';
	END IF;
	RETURN QUERY SELECT r.seq - current_setting('live.begin')::bigint, r.event, r.everyone, live_names(r.home_id::text), live_names(r.topics), live_names(r.account_ids),
		live_names(r.target_ids), live_names(r.notify), live_names(r.follow), live_names(r.touched), r.hard
	FROM roost.stream_read(current_setting('live.seen')::bigint, 100) r ORDER BY r.seq;
	PERFORM set_config('live.seen', (SELECT last_seq::text FROM roost.stream_position()), false);
END
$$;
SELECT set_config('live.seen', :'seen', false), set_config('live.begin', :'seen', false) \gset ignore_

-- follows
SELECT (roost.account_follow(9652, '9651')).following, (roost.account_follow(9652, '9653')).requested;
SELECT * FROM live_new();
SELECT (roost.follow_request_accept(9653, '9652')).followed_by;
SELECT * FROM live_new();
-- posts
SELECT live_post(9651, 'to all #One #two @live_9654') AS all \gset
SELECT live_post(9651, 'to followers #one', visibility => 'followers') AS followers \gset
SELECT live_post(9651, 'not listed #one', visibility => 'unlisted') AS unlisted \gset
SELECT live_post(9651, 'to @live_9654', visibility => 'direct') AS direct \gset
SELECT live_post(9653, 'private #one @live_9655') AS private \gset
SELECT live_post(9652, 'an answer', reply_to => :all) AS reply \gset
SELECT live_post(9654, 'a quote', quote_of => :all) AS quote \gset
SELECT live_post(9651, 'a quote of what not all may see', quote_of => :followers) AS quote2 \gset
SELECT * FROM live_new();
-- what is done to them
SELECT (roost.post_retweet(9652, :all)).id = :all AS retweeted, (roost.post_like(9654, :all)).liked, (roost.post_like(9651, :all)).liked AS own, (roost.post_like(9652, :private)).liked AS private;
INSERT INTO live_name SELECT id, 'r1' FROM roost_data.post WHERE retweet_of_id = :all;
SELECT (roost.post_edit(9651, :all, 'to all #one')).id = :all AS edited, (roost.post_edit(9653, :private, 'private @live_9656')).id = :private AS edited;
SELECT (roost.post_unlike(9654, :all)).liked;
SELECT * FROM live_new();
-- profiles
SELECT (roost.account_update(9651, bio => 'new')).bio;
UPDATE roost_data.account SET last_active_at = now() WHERE id = 9651;
SELECT * FROM live_new();
-- deletions: of what everybody may see, and of a private account
SELECT count(roost.post_delete(9654, :quote)), count(roost.post_delete(9653, :private));
SELECT * FROM live_new();

-- The data are neutral: no flags of anybody, nothing inside that not all may see.
SELECT r.event, d.data::jsonb #>> '{post,text}' AS text, d.data::jsonb #>> '{post,visibility}' AS visibility, d.data::jsonb #> '{post,liked}' AS liked,
	d.data::jsonb #>> '{post,quote_of_id}' IS NOT NULL AS quotes, d.data::jsonb #>> '{post,quote_of,text}' AS quoted, d.data::jsonb #>> '{post,retweet_of,text}' AS original,
	(d.data::jsonb #>> '{post}')::jsonb = (SELECT j::jsonb -> 0 FROM roost_internal.post_hydrate_json(NULL, ARRAY[(d.data::jsonb #>> '{post,id}')::bigint]) j) AS as_seen_by_strangers
FROM roost.stream_read(:seen, 100) r JOIN roost.stream_data(ARRAY(SELECT seq FROM roost.stream_read(:seen, 100))) d ON d.seq = r.seq
WHERE r.event LIKE 'tweet:%' AND d.data::jsonb ? 'post' ORDER BY r.seq;
SELECT r.event, regexp_replace(d.data, '"[0-9]{10,}"', '"…"', 'g') AS data
FROM roost.stream_read(:seen, 100) r JOIN roost.stream_data(ARRAY(SELECT seq FROM roost.stream_read(:seen, 100))) d ON d.seq = r.seq
WHERE NOT d.data::jsonb ? 'post' AND r.event <> 'user:updated' ORDER BY r.seq;
SELECT d.data::jsonb #> '{account}' ?& '{id,username,bio,follower_count,relationship}' AS profile, d.data::jsonb #>> '{account,bio}' AS bio, d.data::jsonb #> '{account,relationship}' AS relationship
FROM roost.stream_read(:seen, 100) r, roost.stream_data(ARRAY[r.seq]) d WHERE r.event = 'user:updated';
-- counters are those of now
SELECT r.event, d.data::jsonb #> '{like_count}' AS count
FROM roost.stream_read(:seen, 100) r, roost.stream_data(ARRAY[r.seq]) d WHERE r.event ~ 'liked' ORDER BY r.seq;

-- Notifications: of entries that are there, to whom they belong.
SELECT n.seq - :seen AS n, live_names(n.account_id::text) AS account, n.data::jsonb #>> '{notification,type}' AS type
FROM roost.stream_read(:seen, 100) r, unnest(string_to_array(r.notify, ' ')::bigint[]) a, roost.stream_notify(ARRAY[r.seq], ARRAY[a]) n ORDER BY 1, 2;
SELECT count(*) FROM roost.stream_read(:seen, 100) r, roost.stream_notify(ARRAY[r.seq, r.seq], ARRAY[9655, 0]);

-- Who may see what: each row and each account; "everyone" is who is nobody.
CREATE FUNCTION live_seen(after bigint) RETURNS TABLE (n bigint, event text, everyone boolean, seen_by text)
LANGUAGE sql STABLE
AS $$
	SELECT r.seq - $1, r.event, r.everyone, (SELECT string_agg(coalesce(n.name, '-'), '' ORDER BY n.name NULLS FIRST)
		FROM roost.stream_see(array_fill(r.seq, ARRAY[7]), ARRAY[0, 9651, 9652, 9653, 9654, 9655, 9656]) s LEFT JOIN live_name n ON n.id = s.viewer_id)
	FROM roost.stream_read($1, 100) r WHERE r.event IS NOT NULL ORDER BY r.seq
$$;
SELECT * FROM live_seen(:seen) WHERE n < 24;
-- ... and when accounts are suspended, opened, closed and deleted
UPDATE roost_data.account SET is_private = NOT is_private WHERE id IN (9651, 9653);
SELECT * FROM live_seen(:seen) WHERE n < 24;
UPDATE roost_data.account SET is_private = NOT is_private WHERE id IN (9651, 9653);
UPDATE roost_data.account SET status = 'suspended' WHERE id = 9651;
SELECT * FROM live_seen(:seen) WHERE n < 24;
UPDATE roost_data.account SET status = 'active' WHERE id = 9651;
SELECT count(*) FROM live_new();
SELECT roost_internal.account_erase(9652);
SELECT event, everyone, home, topics, account, target, notify, follow, hard FROM live_new() ORDER BY event, topics, follow, hard;
SELECT * FROM live_seen(:seen) WHERE n < 24;

-- Revocation and what is lost
SELECT last_seq AS begin FROM roost.stream_position() \gset
INSERT INTO roost_data.revocation (id) VALUES (9658);
SELECT roost.worker_sync('1 minute');
SELECT event, revoked, lost, touched FROM roost.stream_read(:begin, 100) WHERE revoked IS NOT NULL;
SELECT last_seq AS begin FROM roost.stream_position() \gset
SELECT roost.cache_forget();
SELECT roost.worker_sync('1 minute');
-- (others may write meanwhile)
SELECT event, revoked, lost FROM roost.stream_read(:begin, 100) WHERE lost;
DELETE FROM roost_data.revocation WHERE id = 9658;

-- Whom one follows, and sessions
SELECT seq = last_seq AS newest, followee_ids FROM roost.stream_home(9656), roost.stream_position();
SELECT (roost.account_follow(9656, '9651')).following, (roost.account_follow(9656, '9655')).following;
SELECT array(SELECT unnest(string_to_array(followee_ids, ' ')) ORDER BY 1) AS followees FROM roost.stream_home(9656);
INSERT INTO roost_data.session (id, account_id, device_id, refresh_key, refresh_digest, expires_at, revoked_at)
SELECT 9660 + n, 9651, 1, '', '', now() + CASE WHEN n = 2 THEN interval '-1 hour' ELSE interval '1 hour' END, CASE WHEN n = 3 THEN now() END FROM generate_series(1, 3) n;
INSERT INTO roost_data.revocation (id) VALUES (9664);
SELECT session_id FROM roost.stream_check('{9661,9662,9663,9664,9665,9666,9667}', '{9651,9651,9651,9651,9652,9657,9651}') ORDER BY 1;
DELETE FROM roost_data.session WHERE id BETWEEN 9661 AND 9663;
DELETE FROM roost_data.revocation WHERE id BETWEEN 9661 AND 9664;

-- Opening a stream
SELECT account_id, session_id, abs(expires_at - extract(epoch FROM now())) < 100000 AS soon FROM roost.stream_open(roost_internal.token_make(9651, 9661, NULL), NULL);
SELECT * FROM roost.stream_open(NULL, NULL);
SELECT * FROM roost.stream_open('no token', '192.0.2.9');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM roost.stream_open(roost_internal.token_make(9652, 9661, NULL), '192.0.2.9');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO roost_data.revocation (id) VALUES (9661);
SELECT * FROM roost.stream_open(roost_internal.token_make(9651, 9661, NULL), '192.0.2.9');
DELETE FROM roost_data.revocation WHERE id = 9661;
UPDATE roost_data.account SET status = 'suspended' WHERE id = 9654;
DELETE FROM roost_data.revocation WHERE id = 9654;
SELECT * FROM roost.stream_open(roost_internal.token_make(9654, 9661, NULL), '192.0.2.9');
SELECT roost.limit_policy_set('stream', 'minute', 2, '1 minute', key => 'account');
SELECT count(*) FROM roost.stream_open(roost_internal.token_make(9655, 9661, NULL), '192.0.2.9');
SELECT count(*) FROM roost.stream_open(roost_internal.token_make(9655, 9661, NULL), '192.0.2.9');
\set VERBOSITY sqlstate
SELECT count(*) FROM roost.stream_open(roost_internal.token_make(9655, 9661, NULL), '192.0.2.9');
SELECT roost.limit_policy_set('stream', 'minute', 20, '1 minute', key => 'account');
SELECT roost.limit_reset('stream', 9655) > 0 AS reset;

-- Arguments that make no sense
SELECT roost.stream_read(NULL, 1);
SELECT roost.stream_read(0, NULL);
SELECT roost.stream_read(0, 0);
SELECT roost.stream_read(0, 10001);
SELECT roost.stream_read(9223372036854775807, 1);
SELECT count(*) FROM roost.stream_read(-9223372036854775808, 1);
SELECT roost.stream_see('{1,2}', '{1}');
SELECT roost.stream_see('{1,NULL}', '{1,2}');
SELECT roost.stream_see('{{1},{2}}', '{{1},{2}}');
SELECT roost.stream_see(NULL, NULL);
SELECT roost.stream_see('{0,-1,9223372036854775807,-9223372036854775808}', '{1,1,-1,1}');
SELECT roost.stream_data('{0,-1,9223372036854775807,-9223372036854775808}');
SELECT roost.stream_data(NULL);
SELECT roost.stream_data(array_fill(1::bigint, ARRAY[100001]));
SELECT roost.stream_notify('{1}', '{}');
SELECT roost.stream_notify('{0,9223372036854775807}', '{9651,9651}');
SELECT roost.stream_home(NULL) IS NULL;
SELECT followee_ids = '' AS nobody FROM roost.stream_home(1);
SELECT roost.stream_check(NULL, NULL);
SELECT roost.stream_check('{NULL,9667}', '{9651}');
\set VERBOSITY default

DROP FUNCTION live_new, live_seen, live_post, live_names;
DROP TABLE live_name;
UPDATE roost_data.account SET status = 'active' WHERE id = 9654;
DELETE FROM roost_data.follow WHERE follower_id BETWEEN 9651 AND 9656;
DELETE FROM roost_data.post WHERE author_id BETWEEN 9651 AND 9656;
