-- Which followed accounts are pushed to an inbox, and which are merged in at each read.
\set VERBOSITY terse
\pset format unaligned
SET client_min_messages = warning;
INSERT INTO roost_data.account (id, username) SELECT 78000 + n, 'edge_' || n FROM generate_series(1, 90) n;
-- 78001 follows two accounts that post often, one that does not, and one that never does; 78002 more than can be merged in
INSERT INTO roost_data.follow (follower_id, followee_id, id) SELECT 78001, 78000 + n, 780000 + n FROM generate_series(3, 6) n;
INSERT INTO roost_data.follow (follower_id, followee_id, id) SELECT 78002, 78000 + n, 781000 + n FROM generate_series(3, 85) n;
CREATE FUNCTION pg_temp.post(author integer, n integer, step interval) RETURNS void LANGUAGE sql AS $$
	INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text)
	SELECT i, 78000 + author, i, now() - step * s, '' FROM (SELECT s, roost_internal.id_at(now() - step * s, 78000 + author, author * 100 + s) AS i FROM generate_series(1, n) s) p ON CONFLICT DO NOTHING
$$;
SELECT pg_temp.post(3, 16, '1 second'), pg_temp.post(4, 16, '1 second'), pg_temp.post(5, 2, '1000 days');
SELECT count(pg_temp.post(n, 16, '1 second')) FROM generate_series(7, 85) n;
SELECT roost.worker_sync('1 minute');

CREATE FUNCTION pg_temp.pulled(reader bigint) RETURNS bigint[] LANGUAGE sql AS $$ SELECT array_agg(p - 78000 ORDER BY p) FROM unnest((roost_internal.timeline_inbox(reader)).pulled_ids) p $$;
CREATE FUNCTION pg_temp.differs(reader bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT roost_internal.timeline_home_ids(reader, 2000, 9223372036854775807, 0, 'all', true) IS DISTINCT FROM
		ARRAY(SELECT id FROM roost_internal.timeline_definition(reader, 'all', true) ORDER BY id DESC)
$$;
-- a follow makes the inbox void, so that the next read builds it anew; how often it was read stays known
CREATE FUNCTION pg_temp.again(reader bigint) RETURNS boolean LANGUAGE sql AS $$
	INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (reader, 78090, 782000);
	DELETE FROM roost_data.follow WHERE follower_id = reader AND followee_id = 78090;
	SELECT true
$$;

-- A snapshot that was taken while others were at their commits may build nothing; the next one does.
CREATE FUNCTION pg_temp.settle(reader bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 1000 LOOP
		IF pg_temp.differs(reader) THEN
			RETURN false;
		END IF;
		IF (roost_internal.timeline_inbox(reader)).ids IS NOT NULL THEN
			RETURN true;
		END IF;
		PERFORM roost.worker_sync('1 minute');
	END LOOP;
	RETURN NULL;
END
$$;

-- Reading is dear: all are pushed.
SET roost.timeline_pull_cost = 1000;
SELECT pg_temp.settle(r) AND NOT pg_temp.differs(r) AS equal FROM unnest('{78001,78002}'::bigint[]) r;
SELECT pg_temp.again(78001) AND pg_temp.again(78002) AND roost.worker_sync('1 minute') AS again;
SELECT pg_temp.settle(r) AS equal FROM unnest('{78001,78002}'::bigint[]) r;
SELECT pg_temp.pulled(78001), pg_temp.pulled(78002), pg_temp.settle(78002) IS NOT NULL AS kept;

-- Reading costs next to nothing: who posts now and then is pulled, who hardly does is pushed, and a reader with too many
-- of the first kind has no inbox.
SET roost.timeline_pull_cost = 0.000001;
SELECT pg_temp.again(78001) AND pg_temp.again(78002) AND roost.worker_sync('1 minute') AS again;
SELECT pg_temp.settle(78001) AS equal, pg_temp.differs(78002) FROM generate_series(1, 3);
SELECT pg_temp.pulled(78001), pg_temp.settle(78001) IS NOT NULL AS kept, (roost_internal.timeline_inbox(78002)).ids IS NOT NULL AS kept_2;
SELECT pg_temp.post(3, 17, '1 second'), pg_temp.post(5, 3, '1000 days'), pg_temp.post(85, 17, '1 second');
SELECT pg_temp.differs(r) FROM unnest('{78001,78002}'::bigint[]) r;
SELECT roost.worker_sync('1 minute');
SELECT pg_temp.differs(r) FROM unnest('{78001,78002}'::bigint[]) r;
-- If it must have one, as many as fit are pulled.
SET roost.timeline_source = 'inbox';
SELECT pg_temp.settle(78002) AS equal, cardinality(pg_temp.pulled(78002));
SELECT pg_temp.settle(78002) AS equal, cardinality(pg_temp.pulled(78002));
-- With the strategy push nobody is.
SET roost.timeline_strategy = 'push';
SELECT pg_temp.again(78002) AND roost.worker_sync('1 minute') AS again;
SELECT pg_temp.settle(78002) AS equal, pg_temp.pulled(78002), pg_temp.settle(78002) IS NOT NULL AS kept;

DELETE FROM roost_data.post WHERE author_id BETWEEN 78001 AND 78090;
DELETE FROM roost_data.follow WHERE follower_id BETWEEN 78001 AND 78090;
DELETE FROM roost_data.account WHERE id BETWEEN 78001 AND 78090;
