-- The worker takes posts to the inboxes of their readers: what stands in these
-- is looked at without anything that could make up for it.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT count(*) FROM (SELECT roost.timeline_sync('1 minute')) s;

-- 1 posts; 2, 3 and 4 follow it; 5 and 6 do not
INSERT INTO roost_data.account (id, username) SELECT 7100 + n, 'fanout_' || n FROM generate_series(1, 6) n;
INSERT INTO roost_data.follow (follower_id, followee_id, id) SELECT 7100 + n, 7101, 7100 + n FROM generate_series(2, 4) n;
CREATE FUNCTION pg_temp.post(n integer, author integer) RETURNS void LANGUAGE sql AS $$
	INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text) VALUES (7100000 + n, 7100 + author, 7100000 + n, now(), 'post ' || n)
$$;
-- builds the inboxes of these readers, without weighing what is cheaper; a transaction of the worker may be in the way for a moment
CREATE FUNCTION pg_temp.build(VARIADIC readers integer[]) RETURNS void LANGUAGE plpgsql SET roost.timeline_source = inbox SET roost.timeline_strategy = push AS $$
BEGIN
	FOR i IN 1 .. 1000 LOOP
		PERFORM roost_internal.timeline_home_ids(7100 + n, 20, 9223372036854775807, 0, 'all', true) FROM unnest(readers) n;
		EXIT WHEN NOT EXISTS (SELECT FROM unnest(readers) n, roost_internal.timeline_inbox(7100 + n) b WHERE b.ids IS NULL);
		PERFORM roost.worker_sync('1 minute');
	END LOOP;
END
$$;
-- what they hold of posts that there are
CREATE FUNCTION pg_temp.inboxes() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT format('%s: %s%s', n, CASE WHEN i.ids IS NULL THEN 'none' ELSE ARRAY(SELECT p.id - 7100000 FROM roost_data.post p WHERE p.id = ANY (i.ids) ORDER BY p.id DESC)::text END,
		' pulls ' || (SELECT string_agg((a - 7100)::text, ',') FROM unnest(i.pulled_ids) a))
	FROM generate_series(1, 6) n, roost_internal.timeline_inbox(7100 + n) i ORDER BY n
$$;
CREATE FUNCTION pg_temp.sync() RETURNS SETOF boolean LANGUAGE sql AS $$ SELECT s FROM roost.timeline_sync('1 minute') s WHERE s IS NOT TRUE $$;
-- whether all readers' timelines are what they are by definition; builds inboxes
CREATE FUNCTION pg_temp.exact(source text DEFAULT 'inbox') RETURNS boolean LANGUAGE sql SET roost.timeline_strategy = push AS $$
	SELECT set_config('roost.timeline_source', source, false);
	SELECT bool_and(roost_internal.timeline_home_ids(7100 + n, 100, 9223372036854775807, 0, 'all', true)
		= ARRAY(SELECT d.id FROM roost_internal.timeline_definition(7100 + n, 'all', true) d ORDER BY d.id DESC)) FROM generate_series(1, 6) n
$$;

\echo without inboxes nothing is delivered
SELECT deliveries FROM roost.stat_worker \gset
SELECT pg_temp.post(1, 1);
SELECT pg_temp.sync();
SELECT deliveries - :deliveries FROM roost.stat_worker;

\echo a post reaches the inboxes of the followers and of its author
SELECT pg_temp.build(1, 2, 3, 5);
SELECT pg_temp.inboxes();
SELECT pg_temp.post(2, 1);
SELECT pg_temp.sync();
SELECT pg_temp.inboxes();
SELECT deliveries - :deliveries AS deliveries FROM roost.stat_worker;

\echo from here on the list of followers is kept true in memory, without reading it again
SELECT follower_list_misses FROM roost.stat_worker \gset
\echo who follows loses the inbox, and gets what comes then
INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (7105, 7101, 7105);
SELECT pg_temp.sync();
SELECT pg_temp.inboxes();
SELECT pg_temp.build(5);
SELECT pg_temp.post(3, 1);
SELECT pg_temp.sync();
SELECT pg_temp.inboxes();

\echo who unfollows gets nothing any more
DELETE FROM roost_data.follow WHERE follower_id = 7102 AND followee_id = 7101;
SELECT pg_temp.sync();
SELECT pg_temp.build(2);
SELECT pg_temp.post(4, 1);
SELECT pg_temp.sync();
SELECT pg_temp.inboxes();

\echo forth and back in one transaction, a follow that was rolled back
BEGIN;
DELETE FROM roost_data.follow WHERE follower_id = 7103 AND followee_id = 7101;
INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (7103, 7101, 7113);
SAVEPOINT a;
INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (7106, 7101, 7106);
ROLLBACK TO a;
COMMIT;
SELECT pg_temp.sync();
SELECT pg_temp.build(3, 6);
SELECT pg_temp.post(5, 1);
SELECT pg_temp.sync();
SELECT pg_temp.inboxes();
SELECT follower_list_misses - :follower_list_misses AS misses FROM roost.stat_worker;
SELECT pg_temp.exact();

\echo a post that is deleted stays, its readers look at the tables
DELETE FROM roost_data.post WHERE id = 7100005;
SELECT pg_temp.sync();
SELECT 7100005 = ANY (ids) FROM roost_internal.timeline_inbox(7101);
SELECT pg_temp.exact();

\echo an outbox has the posts of its author
SELECT pg_temp.exact('pull');
SELECT pg_temp.post(6, 1);
SELECT pg_temp.sync();
SELECT 7100006 = ANY (roost_internal.timeline_outbox(7101));
SELECT pg_temp.exact('pull');

-- Settings are those of the server; the worker says when it follows them.
CREATE FUNCTION pg_temp.follows_settings(strategy text, push_limit integer) RETURNS SETOF boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_reload_conf();
	WHILE EXISTS (SELECT FROM roost.stat_worker w WHERE (w.strategy, w.push_limit) IS DISTINCT FROM (follows_settings.strategy, follows_settings.push_limit)) LOOP
		PERFORM roost.worker_sync('1 minute');
	END LOOP;
END
$$;

\echo an account that has more followers than the limit is pulled
ALTER SYSTEM SET roost.timeline_push_limit = 2;
SELECT pg_temp.follows_settings('hybrid', 2);
SELECT pg_temp.build(1, 2, 3, 4);
SELECT pg_temp.inboxes();
SELECT deliveries, pulled_posts FROM roost.stat_worker \gset
SELECT pg_temp.post(7, 1);
SELECT pg_temp.sync();
SELECT pg_temp.inboxes();
SELECT deliveries - :deliveries AS deliveries, pulled_posts - :pulled_posts AS pulled_posts FROM roost.stat_worker;
SELECT pg_temp.exact();

\echo at half of the limit it still is, below it is pushed
DELETE FROM roost_data.follow WHERE followee_id = 7101 AND follower_id IN (7104, 7105);
SELECT pg_temp.sync();
SELECT pg_temp.inboxes();
DELETE FROM roost_data.follow WHERE followee_id = 7101 AND follower_id = 7103;
SELECT pg_temp.sync();
SELECT pg_temp.build(1, 2, 3);
SELECT pg_temp.post(8, 1);
SELECT pg_temp.sync();
SELECT pg_temp.inboxes();

\echo beyond the limit it is pulled again, from the next post on
INSERT INTO roost_data.follow (follower_id, followee_id, id) SELECT 7100 + n, 7101, 7120 + n FROM generate_series(2, 4) n;
SELECT pg_temp.sync();
SELECT pg_temp.build(2, 3, 4);
SELECT pg_temp.inboxes();
SELECT pg_temp.post(9, 1);
SELECT pg_temp.sync();
SELECT pg_temp.inboxes();
SELECT pg_temp.exact();
SELECT pg_temp.build(2, 3, 4);
SELECT pg_temp.inboxes();
SELECT pg_temp.post(10, 1);
SELECT pg_temp.sync();
SELECT pg_temp.inboxes();
SELECT pg_temp.exact();

\echo with the strategy push nobody is pulled
ALTER SYSTEM SET roost.timeline_strategy = push;
SELECT pg_temp.follows_settings('push', 2);
SELECT pg_temp.build(2, 3);
SELECT pg_temp.post(11, 1);
SELECT pg_temp.sync();
SELECT pg_temp.inboxes();

\echo with the strategy pull inboxes that somebody has built are dropped
ALTER SYSTEM SET roost.timeline_strategy = pull;
SELECT pg_temp.follows_settings('pull', 2);
SELECT pg_temp.build(2, 3);
SELECT pg_temp.inboxes();
SELECT pg_temp.post(12, 1);
SELECT pg_temp.sync();
SELECT pg_temp.inboxes();
SELECT pg_temp.exact();

ALTER SYSTEM RESET roost.timeline_strategy;
ALTER SYSTEM RESET roost.timeline_push_limit;
SELECT pg_temp.follows_settings('hybrid', 10000);

\echo a loss makes everything void, then all goes on
SELECT pg_temp.build(2, 3);
SELECT roost.cache_forget();
SELECT pg_temp.inboxes();
SELECT pg_temp.sync();
SELECT pg_temp.build(2, 3);
SELECT pg_temp.post(13, 1);
SELECT pg_temp.sync();
SELECT pg_temp.inboxes();

-- Lists of followers that come and go leave no memory behind: 300 lists of up
-- to 400 followers, in memory for 128 pages.
ALTER SYSTEM SET roost.timeline_follower_memory = '64kB';
SELECT pg_reload_conf();
CREATE TABLE fanout_event (id bigint, author_id bigint);
CREATE TRIGGER emit AFTER INSERT ON fanout_event FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('post_created', 'id', 'author_id');
INSERT INTO roost_data.follow (follower_id, followee_id, id)
SELECT 7200000 + f, 7201 + a, 7200000 + a * 1000 + f FROM generate_series(0, 299) a, generate_series(1, a * 4 / 3) f;
CREATE PROCEDURE pg_temp.rounds(n integer) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..n LOOP
		INSERT INTO fanout_event SELECT 7300000 + i, 7201 + (a * 7 + i) % 300 FROM generate_series(1, 300) a;
		DELETE FROM roost_data.follow WHERE followee_id = 7400 AND follower_id = 7200000 + i;
		INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (7200000 + i, 7400, 7500000 + i);
		COMMIT;
		PERFORM roost.timeline_sync('1 minute');
	END LOOP;
END
$$;
CALL pg_temp.rounds(10);
SELECT follower_list_bytes, follower_list_misses FROM roost.stat_worker \gset
-- (another step of the worker may do something for the first time meanwhile, and keep memory for it)
DO $$
DECLARE
	v_before bigint;
BEGIN
	FOR i IN 1..5 LOOP
		SELECT memory_bytes INTO v_before FROM roost.stat_worker;
		CALL pg_temp.rounds(50);
		PERFORM set_config('test.grown', memory_bytes - v_before || '', false) FROM roost.stat_worker;
		EXIT WHEN current_setting('test.grown')::bigint < 65536;
	END LOOP;
END
$$;
SELECT current_setting('test.grown')::bigint < 65536 AS flat, follower_list_bytes - :follower_list_bytes AS lists_grown, follower_list_bytes < 100000 AS bounded,
	follower_lists BETWEEN 1 AND 128 AS some, follower_list_misses - :follower_list_misses > 1000 AS come_and_go
FROM roost.stat_worker;
ALTER SYSTEM RESET roost.timeline_follower_memory;
SELECT pg_reload_conf();

DROP TABLE fanout_event;
DELETE FROM roost_data.post WHERE author_id = 7101;
DELETE FROM roost_data.follow WHERE followee_id BETWEEN 7101 AND 7500;
DELETE FROM roost_data.account WHERE id BETWEEN 7101 AND 7106;
DELETE FROM roost_data.account_stat WHERE account_id BETWEEN 7101 AND 7500 OR account_id BETWEEN 7200000 AND 7200400;
SELECT pg_temp.sync();
