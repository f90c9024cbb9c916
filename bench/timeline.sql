-- Reading home timelines by pull, against the fastest query one would write by hand.
--
--   createdb bench; psql -d bench -c 'CREATE EXTENSION roost CASCADE' -c 'SELECT roost.install()' -f bench/timeline.sql
--
-- 100,000 accounts, 4.6 million follows (popularity falls off like in real
-- networks; 20 to 70 followees each, and 100 readers each who follow 50, 200 and
-- 1,000), 1 million posts in the past 116 days. Pages of 50. In each of five
-- rounds every way reads 100 pages for each kind of reader; the table shows the
-- medians of the rounds, in milliseconds a page.
--
-- "by hand" selects ids from an index-only scan per followee, and then texts: no
-- visibility, no replies, no retweets, no repeated posts. "ids" is
-- roost_internal.timeline_home_ids(), all rules, and the same texts; "page" is
-- roost.timeline_home(), whole posts.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET jit = off;
SET random_page_cost = 1.1;
SELECT NOT EXISTS (SELECT FROM roost_data.account) AS empty \gset
\if :empty
\else
	\echo 'This database has accounts already: use a new one.'
	\quit
\endif
\echo loading …
SET session_replication_role = replica; -- no counters, no events
SELECT setseed(0.42);
INSERT INTO roost_data.account (id, username) SELECT n, 'bench_' || n FROM generate_series(1, 100000) n;
INSERT INTO roost_data.follow (follower_id, followee_id, id)
SELECT n, f, row_number() OVER ()
FROM (
	SELECT DISTINCT n, 1 + floor(power(random(), 3) * 100000)::bigint AS f
	FROM generate_series(1, 100000) n, generate_series(1, CASE WHEN n > 300 THEN 20 + n % 51 ELSE 0 END) g
	UNION
	SELECT n, 1 + (n * 7919 + (g * 99991 / (CASE WHEN n <= 100 THEN 50 WHEN n <= 200 THEN 200 ELSE 1000 END))) % 100000
	FROM generate_series(1, 300) n, generate_series(1, CASE WHEN n <= 100 THEN 50 WHEN n <= 200 THEN 200 ELSE 1000 END) g
) t
WHERE n <> f;
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text)
SELECT roost_internal.id_floor(at) + (author & 1023), author, roost_internal.id_floor(at) + (author & 1023), at, repeat('lorem ipsum ', 3 + n % 12)
FROM (
	SELECT n, now() - (1000000 - n) * interval '10 s' AS at, 1 + floor(power(random(), 2) * 100000)::bigint AS author
	FROM generate_series(1, 1000000) n
) t;
SET session_replication_role = origin;
VACUUM ANALYZE roost_data.account, roost_data.follow, roost_data.post;

\echo measuring …
CREATE FUNCTION pg_temp.by_hand(reader bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT sum(length(p.text)) FROM (
		SELECT e.id FROM roost_data.follow f
		CROSS JOIN LATERAL (SELECT t.id FROM roost_data.post t WHERE t.author_id = f.followee_id ORDER BY t.id DESC LIMIT 50) e
		WHERE f.follower_id = reader ORDER BY e.id DESC LIMIT 50) i JOIN roost_data.post p USING (id));
END
$$;
CREATE FUNCTION pg_temp.ids(reader bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT sum(length(p.text)) FROM roost_data.post p
		WHERE p.id = ANY (roost_internal.timeline_home_ids(reader, 50, 9223372036854775807, 0, 'following', true)));
END
$$;
CREATE FUNCTION pg_temp.page(reader bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT sum(length(p.text)) FROM roost.timeline_home(reader, 50) p);
END
$$;
CREATE TEMP TABLE measured (way text, followees integer, ms double precision);
DO $$
DECLARE
	v_way text;
	v_group integer;
	v_start timestamptz;
	v_sum bigint;
BEGIN
	FOR v_round IN 0..5 LOOP
		FOR v_group IN 0..2 LOOP
			FOREACH v_way IN ARRAY '{by_hand,ids,page}'::text[] LOOP
				v_start := clock_timestamp();
				FOR v_reader IN v_group * 100 + 1..v_group * 100 + 100 LOOP
					CASE v_way
						WHEN 'by_hand' THEN v_sum := pg_temp.by_hand(v_reader);
						WHEN 'ids' THEN v_sum := pg_temp.ids(v_reader);
						ELSE v_sum := pg_temp.page(v_reader);
					END CASE;
				END LOOP;
				IF v_round > 0 THEN -- the first one warms up
					INSERT INTO measured VALUES (v_way, ('{50,200,1000}'::integer[])[v_group + 1], extract(epoch FROM clock_timestamp() - v_start) * 10);
				END IF;
			END LOOP;
		END LOOP;
	END LOOP;
END
$$;
SELECT followees,
	round((percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE way = 'by_hand'))::numeric, 2) AS by_hand,
	round((percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE way = 'ids'))::numeric, 2) AS ids,
	round((percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE way = 'page'))::numeric, 2) AS page
FROM measured GROUP BY followees ORDER BY followees;
