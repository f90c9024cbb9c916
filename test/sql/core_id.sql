-- Ids increase, in whichever way they are made.
SELECT count(*), bool_and(id > before) AS increase
FROM (SELECT id, lag(id, 1, 0::bigint) OVER (ORDER BY n) AS before
	FROM (SELECT n, roost_internal.id_next(n) AS id FROM generate_series(1, 2000) n) made) pairs;

-- They also do when the clock steps back, and then still carry a sequence of 64 a millisecond.
SELECT roost_internal.id_next(7) AS last \gset
-- (the worker, which may take one at any time, waits here)
BEGIN;
LOCK TABLE roost_data.feed_state IN ACCESS EXCLUSIVE MODE;
SELECT roost_internal.clock_freeze('2020-01-01');
SELECT roost_internal.id_next(7) > :last AS increase;
SELECT count(DISTINCT id) AS ids, max(id >> 16) - min(id >> 16) IN (15, 16) AS milliseconds
FROM (SELECT roost_internal.id_next(7) AS id FROM generate_series(1, 1000)) made;
COMMIT;
SELECT roost_internal.clock_freeze(NULL);

-- No id is above what is reserved for it.
SELECT (roost_internal.id_next() >> 16) < last_value AS reserved FROM roost_data.id_high;

-- The bucket is the owner's; an account has a random one.
SELECT roost.id_bucket(roost_internal.id_next(1029)) AS owned, roost.id_bucket(1029) AS owner;
SELECT count(DISTINCT roost.id_bucket(roost_internal.id_next())) > 100 AS spread FROM generate_series(1, 1000);

-- An imported thing's id carries its time, and is the same each time.
SELECT id, roost.id_time(id), roost.id_bucket(id), id = roost_internal.id_at('2024-02-29 12:00:00.123456+00', 1029, 1) AS same
FROM roost_internal.id_at('2024-02-29 12:00:00.123456+00', 1029, 1) id;
SELECT count(DISTINCT roost_internal.id_at('2024-02-29', 5, salt)) AS sequences FROM generate_series(1, 2000) salt;
SELECT count(DISTINCT roost.id_bucket(roost_internal.id_at('2024-02-29', NULL, salt))) > 800 AS buckets FROM generate_series(1, 5000) salt;
SELECT roost_internal.id_at('1970-01-01 00:00:00+00', 0, NULL) >> 16 AS first;
SELECT roost_internal.id_floor('2024-02-29 00:00:00+00') <= roost_internal.id_at('2024-02-29 00:00:00+00', 5, 1) AS floor_below,
	roost_internal.id_floor('2024-02-29 00:00:00.001+00') > roost_internal.id_at('2024-02-29 00:00:00+00', 1023, 1) AS next_above;
SELECT roost.id_time(9223372036854775807);

\set VERBOSITY terse
SELECT roost_internal.id_at('1969-12-31 23:59:59.999+00', 1, 1);
SELECT roost_internal.id_at('6430-01-01', 1, 1);
SELECT roost_internal.id_at('infinity', 1, 1);
SELECT roost_internal.id_floor('-infinity');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.id_time(-1);
\echo :LAST_ERROR_SQLSTATE

-- A transaction that only reads makes none.
BEGIN READ ONLY;
SELECT roost_internal.id_next();
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;

-- Whoever may call a function that makes ids needs no rights of their own.
CREATE ROLE core_id_caller;
CREATE FUNCTION core_id_make() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'SELECT roost_internal.id_next()';
\c -
SET ROLE core_id_caller;
SELECT core_id_make() > :last AS made, current_user;
SELECT roost_internal.id_next();
SELECT last_value FROM roost_data.id_high;
RESET ROLE;
DROP FUNCTION core_id_make();
DROP ROLE core_id_caller;
