-- Typing: debounce, the end by itself, who may signal where, and who gets it; all times are those of a clock that stands still.
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO roost_data.account (id, username, is_private) SELECT n, 'typing_' || n, n = 8324 FROM generate_series(8321, 8326) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 8321 AND 8326;
SELECT (roost.account_follow(8322, '8321')).following;
INSERT INTO roost_data.follow (follower_id, followee_id, id) SELECT 8322, 8324, roost_internal.id_next(8322);
SELECT id AS post FROM roost.post_create(8321, 'for everybody') \gset
SELECT id AS hidden FROM roost.post_create(8321, 'for followers', visibility => 'followers') \gset
SELECT clock_timestamp() AS base \gset
CREATE TABLE typing_mark AS SELECT coalesce(max(n), 0) AS n FROM roost_internal.signal_list();
CREATE FUNCTION typing_at(base timestamptz, seconds double precision) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM roost_internal.clock_freeze(base + make_interval(secs => seconds), true);
	IF NOT roost.worker_sync('1 minute') THEN
		RAISE EXCEPTION 'the worker does not work';
	END IF;
END
$$;
-- what was signalled since the last time, post ids as names
CREATE FUNCTION typing_heard(base timestamptz) RETURNS TABLE (event text, account_id bigint, channel text, seconds double precision) LANGUAGE plpgsql AS $$
DECLARE
	v_mark bigint := (SELECT m.n FROM typing_mark m);
BEGIN
	IF NOT roost.worker_sync('1 minute') THEN
		RAISE EXCEPTION 'the worker does not work';
	END IF;
	UPDATE typing_mark m SET n = (SELECT coalesce(max(s.n), 0) FROM roost_internal.signal_list() s);
	RETURN QUERY SELECT s.event, s.account_id, 'post:' || p.text, extract(epoch FROM s.at - base)::double precision
		FROM roost_internal.signal_list(v_mark) s JOIN roost_data.post p ON s.channel = 'post:' || p.id ORDER BY s.n;
END
$$;

-- at most one start in 3 seconds
SELECT typing_at(:'base', 1);
SELECT roost.live_signal(8322, 'typing:start', 'post:' || :post);
SELECT roost.live_signal(8322, 'typing:start', 'post:' || :post);
SELECT * FROM typing_heard(:'base');
SELECT typing_at(:'base', 3.9);
SELECT roost.live_signal(8322, 'typing:start', 'post:' || :post);
SELECT * FROM typing_heard(:'base');
SELECT typing_at(:'base', 4);
SELECT roost.live_signal(8322, 'typing:start', 'post:' || :post);
SELECT * FROM typing_heard(:'base');
-- another channel and another account count for themselves
SELECT roost.live_signal(8322, 'typing:start', 'post:' || :hidden), roost.live_signal(8323, 'typing:start', 'post:' || :post);
SELECT * FROM typing_heard(:'base');
-- the end: 3.5 seconds after the last start, one that was swallowed counts
SELECT typing_at(:'base', 6);
SELECT roost.live_signal(8322, 'typing:start', 'post:' || :post);
SELECT typing_at(:'base', 7.4);
SELECT * FROM typing_heard(:'base');
SELECT typing_at(:'base', 7.5);
SELECT * FROM typing_heard(:'base');
SELECT typing_at(:'base', 9.4);
SELECT * FROM typing_heard(:'base');
SELECT typing_at(:'base', 9.5);
SELECT * FROM typing_heard(:'base');
SELECT typing_at(:'base', 12);
SELECT * FROM typing_heard(:'base');
-- when it is said; once; a start right after it is swallowed
SELECT roost.live_signal(8322, 'typing:start', 'post:' || :post);
SELECT roost.live_signal(8322, 'typing:stop', 'post:' || :post);
SELECT roost.live_signal(8322, 'typing:stop', 'post:' || :post);
SELECT roost.live_signal(8322, 'typing:start', 'post:' || :post);
SELECT * FROM typing_heard(:'base');
SELECT typing_at(:'base', 15);
SELECT roost.live_signal(8322, 'typing:start', 'post:' || :post);
SELECT * FROM typing_heard(:'base');
-- when the last connection goes, at once and in all channels
SELECT roost.live_beat(111, '{8322}', '{}', true), roost.live_beat(112, '{8322}', '{}', true);
SELECT roost.live_signal(8322, 'typing:start', 'post:' || :hidden);
SELECT roost.live_beat(112, '{}', '{8322}', false);
SELECT * FROM typing_heard(:'base');
SELECT roost.live_beat(111, '{}', '{8322}', false);
SELECT * FROM typing_heard(:'base') ORDER BY channel;
SELECT typing FROM roost.stat_presence;

-- who may signal where
SELECT roost.live_signal(8323, 'typing:start', 'post:' || :hidden);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.live_signal(8323, 'typing:stop', 'post:' || :hidden);
SELECT bool_or(roost_internal.may_signal(8322, c)) FROM unnest('{post:1,post:,post:01,post:9223372036854775808,post:99999999999999999999,conversation:1,user:8321,home,""}'::text[]) c;
SELECT roost.live_signal(8322, 'typing:stop', repeat('x', 100));
SELECT roost.live_signal(8322, 'typing:start', NULL);
SELECT roost.live_signal(8322, 'typing:stop', NULL);
SELECT roost.live_signal(8322, 'user:online', 'post:' || :post);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.live_signal(8322, NULL, 'post:' || :post);
UPDATE roost_data.account SET status = 'suspended' WHERE id = 8323;
SELECT roost.live_signal(8323, 'typing:start', 'post:' || :post);
UPDATE roost_data.account SET status = 'active' WHERE id = 8323;
-- what was begun can be ended when the post has gone
SELECT typing_at(:'base', 30);
SELECT id AS gone FROM roost.post_create(8321, 'not for long') \gset
SELECT roost.live_signal(8322, 'typing:start', 'post:' || :gone);
SELECT (roost.post_delete(8321, :gone)).id = :gone AS deleted;
SELECT roost.live_signal(8322, 'typing:stop', 'post:' || :gone);
SELECT roost.live_signal(8322, 'typing:stop', 'post:' || :gone);

-- who gets it: others who may see the post; of a private or limited account its followers; of one that hides nobody
CREATE FUNCTION typing_seen(account_id bigint, channel text) RETURNS bigint[] LANGUAGE sql AS $$
	SELECT array_agg(v.id ORDER BY v.id)
	FROM roost.live_see(array_fill(account_id, '{7}'), array_fill(channel, '{7}'), '{0,8321,8322,8323,8324,8325,8399}') s
	JOIN unnest('{0,8321,8322,8323,8324,8325,8399}'::bigint[]) WITH ORDINALITY v(id, n) ON v.n = s.n
$$;
SELECT typing_seen(8323, 'post:' || :post), typing_seen(8321, 'post:' || :hidden), typing_seen(8324, 'post:' || :post), typing_seen(8323, 'post:1'), typing_seen(8323, 'conversation:1');
BEGIN;
UPDATE roost_data.account SET limited_at = now() WHERE id = 8323;
INSERT INTO roost_data.follow (follower_id, followee_id, id) SELECT 8322, 8323, roost_internal.id_next(8322);
SELECT typing_seen(8323, 'post:' || :post) AS limited;
ROLLBACK;
SELECT roost.presence_settings_set(8323, 'nobody');
SELECT typing_seen(8323, 'post:' || :post);
SELECT roost.presence_settings_set(8323, 'followed');
SELECT s.n, s.data = format('{"account" : {"id" : "8323", "username" : "typing_8323", "display_name" : "", "avatar_url" : null}, "channel" : "post:%s"}', :post) AS data
FROM roost.live_see(ARRAY[8323, 8323, 8323], array_fill('post:' || :post, '{3}'), '{8323,8321,8322}') s ORDER BY 1;

-- as often as an account may
SELECT roost.limit_policy_set('signal', 'account', 60, '1 minute', 2, 'account');
SELECT roost.live_signal(8326, 'typing:start', 'post:' || :post), roost.live_signal(8326, 'typing:stop', 'post:' || :post);
SELECT roost.live_signal(8326, 'typing:start', 'post:' || :post);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.limit_policy_set('signal', 'account', 120, '1 minute', 60, 'account');

-- more than there is room for: the oldest end early
SELECT typing_at(:'base', 40);
SELECT evicted FROM roost.stat_presence \gset
SELECT count(roost_internal.typing_start(100000 + n, 'post:' || :post)) FROM generate_series(1, 4196) n;
SELECT typing, evicted - :evicted AS evicted FROM roost.stat_presence;
SELECT event, count(*), min(account_id), max(account_id) FROM typing_heard(:'base') GROUP BY 1 ORDER BY 1;
SELECT typing_at(:'base', 46);
SELECT typing FROM roost.stat_presence;
SELECT roost_internal.clock_freeze(NULL, true);
DROP FUNCTION typing_at, typing_heard, typing_seen;
DROP TABLE typing_mark;
DELETE FROM roost_data.post WHERE author_id BETWEEN 8321 AND 8326;
