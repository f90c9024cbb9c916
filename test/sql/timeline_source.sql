-- Whatever a home timeline is read from, every page equals the definition.
\set VERBOSITY terse
\pset format unaligned
SET client_min_messages = warning;

-- Nothing here is rolled back: a transaction that has written reads the tables.
CREATE SCHEMA source_test;
CREATE TABLE source_test.dice AS SELECT n, ('x' || substr(md5('source ' || n), 1, 8))::bit(32)::bigint AS d, ('x' || substr(md5('source ' || n), 9, 8))::bit(32)::bigint AS e FROM generate_series(1, 1800) n;
INSERT INTO roost_data.account (id, username, is_private, status)
SELECT 77000 + n, 'source_' || n, n % 7 = 3, CASE n % 13 WHEN 8 THEN 'suspended' ELSE 'active' END FROM generate_series(0, 29) n;
INSERT INTO roost_data.follow (follower_id, followee_id, id)
SELECT DISTINCT ON (1, 2) 77000 + d % 30, 77000 + (d >> 8) % 30, 700000 + n FROM source_test.dice WHERE n <= 250 AND d % 30 <> (d >> 8) % 30 AND d % 30 NOT IN (0, 1);
INSERT INTO roost_data.follow (follower_id, followee_id, id) SELECT 77001, 77000 + n, 710000 + n FROM generate_series(0, 29) n WHERE n <> 1;

-- Account 0 posts more than an outbox holds, all of them more than an inbox.
CREATE FUNCTION source_test.posts(first integer, last integer) RETURNS void LANGUAGE sql AS $$
	INSERT INTO roost_data.post (id, author_id, thread_id, reply_to_id, reply_to_account_id, retweet_of_id, created_at, visibility, text, mention_ids)
	SELECT 8000000 + n, 77000 + author, 8000000 + n, CASE WHEN kind = 1 THEN 8000000 + e % n END, CASE WHEN kind = 1 THEN 77000 + (e >> 4) % 30 END,
		CASE WHEN kind = 2 THEN 8000000 + 1 + e % n % 80 END, now(),
		CASE WHEN kind = 2 THEN 'public' ELSE (enum_range(NULL::roost.visibility))[1 + d % 4] END,
		CASE WHEN kind = 2 THEN '' ELSE 'post ' || n END, CASE WHEN d % 7 < 3 THEN ARRAY[77000 + (e >> 6) % 30] END
	FROM (SELECT *, CASE WHEN n % 4 = 0 THEN 0 ELSE (d >> 12) % 30 END AS author, CASE WHEN n < 82 THEN 0 ELSE (e >> 20) % 4 END AS kind
		FROM source_test.dice WHERE n BETWEEN first AND last) t
	ON CONFLICT DO NOTHING
$$;
SELECT source_test.posts(1, 1500);

-- The pages of a timeline, by definition and as they are read
CREATE FUNCTION source_test.define(reader bigint, size integer, replies roost.timeline_replies, own boolean) RETURNS SETOF bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE
	v_entry record;
	v_ids bigint[] := '{}';
	v_seen bigint[] := '{}';
BEGIN
	FOR v_entry IN SELECT * FROM roost_internal.timeline_definition(reader, replies, own) ORDER BY id DESC LOOP
		CONTINUE WHEN v_entry.post_id = ANY (v_seen);
		v_ids := v_ids || v_entry.id;
		v_seen := v_seen || v_entry.post_id;
		IF cardinality(v_ids) = size THEN
			RETURN NEXT v_ids;
			v_ids := '{}';
			v_seen := '{}';
		END IF;
	END LOOP;
	RETURN NEXT v_ids;
END
$$;
CREATE FUNCTION source_test.read(reader bigint, size integer, replies roost.timeline_replies, own boolean) RETURNS SETOF bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE
	v_before bigint := 9223372036854775807;
	v_ids bigint[];
BEGIN
	LOOP
		v_ids := roost_internal.timeline_home_ids(reader, size, v_before, 0, replies, own);
		RETURN NEXT v_ids;
		EXIT WHEN cardinality(v_ids) < size;
		v_before := v_ids[size];
	END LOOP;
END
$$;
CREATE FUNCTION source_test.newer(reader bigint, page bigint[], replies roost.timeline_replies, own boolean) RETURNS bigint[] LANGUAGE sql STABLE AS $$
	-- what is newer than the page's last entry, and no newer than its first
	SELECT roost_internal.timeline_home_ids(reader, 1000, page[1] + 1, page[cardinality(page)] - 1, replies, own)
$$;
CREATE TABLE source_test.mode AS
SELECT * FROM (VALUES (77001, 50, 'following'::roost.timeline_replies, true), (77001, 1000, 'all', false), (77000, 7, 'following', true), (77005, 7, 'none', true),
	(77005, 50, 'all', true), (77010, 20, 'following', false)) m (reader, size, replies, own);
-- The function is stable: all of it sees one snapshot.
CREATE FUNCTION source_test.wrong() RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
	v_wrong text := '';
	v_mode source_test.mode;
	v_defined text[];
	v_source text;
	v_strategy text;
BEGIN
	FOR v_mode IN SELECT * FROM source_test.mode LOOP
		v_defined := ARRAY(SELECT d::text FROM source_test.define(v_mode.reader, v_mode.size, v_mode.replies, v_mode.own) d);
		FOR v_strategy, v_source IN SELECT * FROM (VALUES ('hybrid', 'auto'), ('hybrid', 'table'), ('hybrid', 'pull'), ('hybrid', 'inbox'), ('push', 'auto'), ('pull', 'auto')) s LOOP
			PERFORM set_config('roost.timeline_strategy', v_strategy, false), set_config('roost.timeline_source', v_source, false);
			IF ARRAY(SELECT r::text FROM source_test.read(v_mode.reader, v_mode.size, v_mode.replies, v_mode.own) r) IS DISTINCT FROM v_defined
				OR (v_mode.size = 50 AND EXISTS (SELECT FROM unnest(v_defined) d WHERE d <> '{}' AND source_test.newer(v_mode.reader, d::bigint[], v_mode.replies, v_mode.own) IS DISTINCT FROM d::bigint[]))
			THEN
				v_wrong := v_wrong || format('%s %s %s, ', v_strategy, v_source, v_mode);
			END IF;
		END LOOP;
	END LOOP;
	PERFORM set_config('roost.timeline_strategy', 'hybrid', false), set_config('roost.timeline_source', 'auto', false);
	RETURN v_wrong;
END
$$;
CREATE FUNCTION source_test.hits() RETURNS bigint LANGUAGE sql AS $$ SELECT hits FROM roost.stat_timeline WHERE kind = 'inbox' $$;
-- How often one read takes from the inbox; a transaction of the worker may be in the way for a moment
CREATE FUNCTION source_test.hit() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	v_hits bigint;
BEGIN
	FOR i IN 1 .. 1000 LOOP
		v_hits := source_test.hits();
		PERFORM roost_internal.timeline_home_ids(77001, 20, 9223372036854775807, 0, 'all', true);
		EXIT WHEN source_test.hits() > v_hits;
		PERFORM roost.worker_sync('1 minute');
	END LOOP;
	RETURN source_test.hits() - v_hits;
END
$$;

SELECT source_test.wrong();
SELECT roost.worker_sync('1 minute');
SELECT source_test.wrong();
-- the inbox was really read
SELECT cardinality(roost_internal.timeline_home_ids(77001, 20, 9223372036854775807, 0, 'all', true));
SELECT source_test.hit() AS hits;
SELECT count(*) FROM source_test.mode, source_test.read(reader, size, replies, own);

-- New posts, deleted ones and such that not everybody sees any more, before and after the worker knows
SELECT roost_internal.debug_point_arm('fanout_apply');
SELECT source_test.posts(1501, 1600);
SELECT source_test.wrong();
SELECT roost_internal.debug_point_release('fanout_apply');
DELETE FROM roost_data.post WHERE id > 8000000 AND id % 5 = 1;
UPDATE roost_data.post SET visibility = 'direct' WHERE id > 8000000 AND id % 5 = 2 AND retweet_of_id IS NULL;
UPDATE roost_data.post SET visibility = 'public' WHERE id > 8000000 AND id % 5 = 3;
UPDATE roost_data.account SET status = CASE status WHEN 'active' THEN 'suspended' ELSE 'active' END WHERE id IN (77008, 77004);
UPDATE roost_data.account SET is_private = NOT is_private WHERE id IN (77003, 77006);
SELECT source_test.wrong();
SELECT roost.worker_sync('1 minute');
SELECT source_test.wrong();

-- Follows and unfollows
DELETE FROM roost_data.follow WHERE follower_id IN (77001, 77005) AND followee_id IN (77000, 77002, 77009, 77011);
INSERT INTO roost_data.follow (follower_id, followee_id, id) SELECT 77010, 77000 + n, 720000 + n FROM generate_series(0, 29, 2) n WHERE n <> 10 ON CONFLICT DO NOTHING;
SELECT source_test.wrong();
SELECT source_test.posts(1601, 1640);
SELECT source_test.wrong();
SELECT roost.worker_sync('1 minute');
SELECT source_test.wrong();
INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (77001, 77000, 730000);
SELECT source_test.wrong();

-- A transaction that has written sees its own posts; a savepoint takes them back
BEGIN;
SELECT source_test.posts(1641, 1650);
SELECT source_test.wrong();
SAVEPOINT a;
DELETE FROM roost_data.follow WHERE follower_id = 77001 AND followee_id = 77000;
SELECT source_test.posts(1651, 1660);
SELECT source_test.wrong();
ROLLBACK TO SAVEPOINT a;
SELECT source_test.wrong();
COMMIT;
SELECT source_test.wrong();
BEGIN;
SELECT source_test.posts(1661, 1670);
ROLLBACK;
SELECT source_test.wrong();
BEGIN;
CREATE TEMP TABLE nothing (id bigint);
INSERT INTO nothing VALUES (1);
SELECT source_test.wrong();
ROLLBACK;

-- An old snapshot
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT source_test.wrong();
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT source_test.wrong();
COMMIT;

-- Prepared transactions: nothing to be seen, then all of it
BEGIN;
SELECT source_test.posts(1671, 1680);
DELETE FROM roost_data.follow WHERE follower_id = 77005 AND followee_id = 77001;
INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (77005, 77000, 740000) ON CONFLICT DO NOTHING;
PREPARE TRANSACTION 'timeline_source';
SELECT source_test.wrong();
SELECT roost.worker_sync('1 minute');
SELECT source_test.wrong();
COMMIT PREPARED 'timeline_source';
SELECT source_test.wrong();
SELECT roost.worker_sync('1 minute');
SELECT source_test.wrong();
BEGIN;
SELECT source_test.posts(1681, 1690);
PREPARE TRANSACTION 'timeline_source';
SELECT roost.worker_sync('1 minute');
ROLLBACK PREPARED 'timeline_source';
SELECT source_test.wrong();

-- More than a reader copies of what is pending, and more than a transaction keeps
SELECT source_test.posts(1691, 1800);
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text) SELECT 8100000 + n, 77000 + n % 30, 8100000 + n, now(), '' FROM generate_series(1, 400) n;
SELECT source_test.wrong();
CREATE TABLE source_test.many (id bigint);
CREATE TRIGGER emit AFTER INSERT ON source_test.many FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('job_added', 'id');
BEGIN;
INSERT INTO source_test.many SELECT generate_series(1, 66000);
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text) VALUES (8300000, 77000, 8300000, now(), '');
COMMIT;
SELECT source_test.wrong();
SELECT roost.worker_sync('1 minute');
SELECT source_test.wrong();

-- Candidates: nothing that the reader may see is missing
SELECT count(*) AS missing FROM (
	SELECT d.id FROM unnest('{77000,77001,77005,77010,77020}'::bigint[]) reader, roost_internal.timeline_definition(reader, 'all', true) d EXCEPT
	SELECT i FROM unnest('{77000,77001,77005,77010,77020}'::bigint[]) reader, unnest(roost_internal.timeline_ids(reader, 100000)) i
) m;
SELECT cardinality(roost_internal.timeline_ids(77001, 50)), roost_internal.timeline_ids(77001, 0), roost_internal.timeline_ids(77001, -1), roost_internal.timeline_ids(1, 10), roost_internal.timeline_ids(NULL, 10);
SELECT ids = ARRAY(SELECT i FROM unnest(ids) i ORDER BY i DESC) AS sorted, (SELECT count(DISTINCT i) = cardinality(ids) FROM unnest(ids) i) AS each_once FROM roost_internal.timeline_ids(77001, 1000) ids;

DELETE FROM roost_data.post WHERE author_id BETWEEN 77000 AND 77030;
DELETE FROM roost_data.follow WHERE follower_id BETWEEN 77000 AND 77030;
DELETE FROM roost_data.account WHERE id BETWEEN 77000 AND 77030;
DROP SCHEMA source_test CASCADE;
