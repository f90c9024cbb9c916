-- Outboxes and inboxes in shared memory: building, pushing, merging, dropping,
-- making room, and what roost.stat_timeline says of it.
\pset format unaligned
\pset footer off
CREATE FUNCTION pg_temp.box_begin(kind text, owner_id bigint, version integer) RETURNS bigint
	AS '$libdir/roost', 'roost_timeline_debug_begin' LANGUAGE c STRICT;
CREATE FUNCTION pg_temp.box_publish(kind text, owner_id bigint, build bigint, ids bigint[], floor bigint DEFAULT 0, pulled bigint[] DEFAULT '{}') RETURNS boolean
	AS '$libdir/roost', 'roost_timeline_debug_publish' LANGUAGE c;
CREATE FUNCTION pg_temp.inbox(reader_id bigint, version integer, before_id bigint, after_id bigint, max integer, OUT floor bigint, OUT ids bigint[], OUT pulled bigint[])
	AS '$libdir/roost', 'roost_timeline_debug_inbox' LANGUAGE c STRICT;
CREATE FUNCTION pg_temp.box_merge(author_ids bigint[], before_id bigint, after_id bigint, want integer, OUT ids bigint[], OUT missing bigint[], OUT exhausted bigint[])
	AS '$libdir/roost', 'roost_timeline_debug_merge' LANGUAGE c STRICT;
CREATE FUNCTION pg_temp.box_push(reader_ids bigint[], author_id bigint, id bigint) RETURNS integer
	AS '$libdir/roost', 'roost_timeline_debug_push' LANGUAGE c STRICT;
CREATE FUNCTION pg_temp.box_append(author_id bigint, id bigint) RETURNS void
	AS '$libdir/roost', 'roost_timeline_debug_append' LANGUAGE c STRICT;
CREATE FUNCTION pg_temp.box_drop(kind text, owner_ids bigint[]) RETURNS void
	AS '$libdir/roost', 'roost_timeline_debug_drop' LANGUAGE c STRICT;
CREATE FUNCTION pg_temp.box_drop_all(inboxes_only boolean) RETURNS void
	AS '$libdir/roost', 'roost_timeline_debug_drop_all' LANGUAGE c STRICT;
CREATE FUNCTION pg_temp.pull(author_id bigint, pulled boolean) RETURNS boolean
	AS '$libdir/roost', 'roost_timeline_debug_pull' LANGUAGE c STRICT;
CREATE FUNCTION pg_temp.is_pulled(author_id bigint) RETURNS boolean
	AS '$libdir/roost', 'roost_timeline_debug_is_pulled' LANGUAGE c STRICT;
-- These accounts exist nowhere else.
\set reader 8800000000000000001
\set other 8800000000000000002
\set author 8800000000000000101
\set pulled 8800000000000000102
\set max 9223372036854775807
SELECT roost_internal.clock_freeze('2030-01-01 00:00:00+00');
SELECT roost.worker_sync('1 minute');
SELECT pg_temp.box_drop_all(false);
CREATE TEMP TABLE stat AS SELECT * FROM roost.stat_timeline;

-- A box takes what is pushed while it is built, and shows it when it is published.
SELECT pg_temp.inbox(:reader, 1, :max, 0, 50) IS NULL AS missing;
SELECT pg_temp.box_begin('inbox', :reader, 1) AS build \gset
SELECT pg_temp.box_begin('inbox', :reader, 1) IS NULL AS somebody_builds;
SELECT pg_temp.box_push(ARRAY[:reader, :other], :author, 700);
SELECT pg_temp.inbox(:reader, 1, :max, 0, 50) IS NULL AS missing;
SELECT pg_temp.box_publish('inbox', :reader, :build, '{900,800,600}', 500, ARRAY[:pulled]);
SELECT * FROM pg_temp.inbox(:reader, 1, :max, 0, 50);
SELECT * FROM pg_temp.inbox(:reader, 1, 900, 600, 50);
SELECT * FROM pg_temp.inbox(:reader, 1, :max, 0, 2);
SELECT pg_temp.inbox(:reader, 2, :max, 0, 50) IS NULL AS of_another_version;

-- Posts come late, twice, below the floor, and from those whom the reader pulls.
SELECT pg_temp.box_push(ARRAY[:reader], :author, id) AS taken FROM unnest('{1000,750,750,500,400}'::bigint[]) id;
SELECT pg_temp.box_push(ARRAY[:reader], :pulled, 1100);
SELECT * FROM pg_temp.inbox(:reader, 1, :max, 0, 50);

-- Outboxes: those that are missing, and those that end above what is wanted.
SELECT pg_temp.box_publish('outbox', :author, pg_temp.box_begin('outbox', :author, 0), '{500,300,100}', 0);
SELECT pg_temp.box_publish('outbox', :pulled, pg_temp.box_begin('outbox', :pulled, 0), '{600,400}', 350);
SELECT pg_temp.box_append(:author, 700), pg_temp.box_append(:reader, 700);
SELECT * FROM pg_temp.box_merge(ARRAY[:author, :pulled], :max, 0, 3);
SELECT * FROM pg_temp.box_merge(ARRAY[:author, :pulled, :reader] , :max, 0, 50);
SELECT * FROM pg_temp.box_merge(ARRAY[:author, :pulled], 600, 300, 50);
SELECT * FROM pg_temp.box_merge(ARRAY[:author, :author], :max, 0, 1);

-- Dropped while it is built: not published, and nothing is left.
SELECT pg_temp.box_begin('inbox', :other, 1) AS build \gset
SELECT pg_temp.box_drop('inbox', ARRAY[:other, :author]);
SELECT pg_temp.box_publish('inbox', :other, :build, '{1}');
SELECT pg_temp.box_begin('inbox', :other, 1) AS build \gset
SELECT pg_temp.box_publish('inbox', :other, :build, NULL) IS NULL AS given_up;
SELECT pg_temp.box_drop_all(true);
SELECT pg_temp.inbox(:reader, 1, :max, 0, 50) IS NULL AS void, (pg_temp.box_merge(ARRAY[:author], :max, 0, 50)).ids;
SELECT pg_temp.box_drop_all(false);
SELECT * FROM pg_temp.box_merge(ARRAY[:author], :max, 0, 50);
SELECT n.kind, n.hits - o.hits AS hits, n.misses - o.misses AS misses, n.builds - o.builds AS builds, n.builds_failed - o.builds_failed AS builds_failed,
	n.drops - o.drops AS drops, n.deliveries - o.deliveries AS deliveries, n.undelivered - o.undelivered AS undelivered, n.voids - o.voids AS voids
FROM roost.stat_timeline n JOIN stat o USING (kind) ORDER BY kind;

-- A builder that has gone leaves a box behind; after a second others take it over.
SELECT pg_temp.box_begin('inbox', :reader, 1) AS build \gset
SELECT roost_internal.clock_freeze('2030-01-01 00:00:00.999+00');
SELECT pg_temp.box_begin('inbox', :reader, 1) IS NULL AS somebody_builds;
SELECT roost_internal.clock_freeze('2030-01-01 00:00:01+00');
SELECT pg_temp.box_begin('inbox', :reader, 1) AS later \gset
SELECT pg_temp.box_publish('inbox', :reader, :build, '{1}'), pg_temp.box_publish('inbox', :reader, :later, '{2}');
SELECT * FROM pg_temp.inbox(:reader, 1, :max, 0, 50);

-- When all slots are taken somebody must go: not one who reads, and never a box that is being built.
SELECT slots AS slots FROM roost.stat_timeline WHERE kind = 'inbox' \gset
SELECT pg_temp.box_begin('inbox', :other, 1) AS build \gset
SELECT count(*) = :slots + 100 AS published FROM generate_series(1, :slots + 100) n,
	LATERAL (SELECT pg_temp.box_publish('inbox', 8800000000001000000 + n, pg_temp.box_begin('inbox', 8800000000001000000 + n, 1), '{7}') AS done, pg_temp.inbox(:reader, 1, :max, 0, 1)) p
WHERE p.done;
SELECT used = slots AS full, used_bytes < bytes AS bytes, evictions > 0 AS evictions FROM roost.stat_timeline WHERE kind = 'inbox';
SELECT * FROM pg_temp.inbox(:reader, 1, :max, 0, 50);
SELECT pg_temp.box_publish('inbox', :other, :build, '{5}');
SELECT count(*) BETWEEN :slots - 100 AND :slots AS kept FROM generate_series(1, :slots + 100) n
WHERE (pg_temp.inbox(8800000000001000000 + n, 1, :max, 0, 1)).ids = '{7}';
SELECT pg_temp.box_drop_all(false);
SELECT roost_internal.clock_freeze(NULL);

-- Authors who are not pushed
SELECT pulled_authors AS pulled_before FROM roost.stat_timeline WHERE kind = 'inbox' \gset
SELECT pg_temp.is_pulled(:pulled), pg_temp.pull(:pulled, true), pg_temp.is_pulled(:pulled), pg_temp.is_pulled(:author);
SELECT pg_temp.pull(:pulled, true), pulled_authors - :pulled_before AS pulled, pulled_authors_max FROM roost.stat_timeline WHERE kind = 'inbox';
SELECT pg_temp.pull(:pulled, false), pg_temp.is_pulled(:pulled);
SELECT pulled_authors IS NULL AS outboxes_none FROM roost.stat_timeline WHERE kind = 'outbox';

-- Who watches over the server sees it, nobody else.
CREATE ROLE regress_timeline_cache;
SET ROLE regress_timeline_cache;
\set VERBOSITY terse
SELECT * FROM roost.stat_timeline;
RESET ROLE;
GRANT pg_monitor TO regress_timeline_cache;
SET ROLE regress_timeline_cache;
SELECT count(*) FROM roost.stat_timeline;
RESET ROLE;
DROP ROLE regress_timeline_cache;
