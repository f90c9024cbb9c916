-- The analyzers in one backend, over posts of 140 characters: psql -f bench/moderation.sql
-- Medians of seven runs, in microseconds of processor time a post.  A list of 2,000 made-up words
-- is taken in, and taken back at the end.
\set QUIET 1
\pset format unaligned
\pset tuples_only on
SET max_parallel_workers_per_gather = 0;
SET jit = off;
BEGIN;
SELECT FROM roost.moderation_word_import('en', ARRAY(SELECT translate(md5(i::text), '0123456789', 'ghijklmnop') FROM generate_series(1, 2000) i));
CREATE TEMP TABLE body AS
SELECT i, left((SELECT string_agg(w, ' ' ORDER BY abs(hashtext(i || w || k))) FROM unnest('{the,of,and,we,saw,that,new,album,tonight,really,good,people,think,about,music,https://example.com/a1,#friday,@somebody,weather,tomorrow,coffee,because,never,😀,£20,great,"don''t",city,rain,morning}'::text[]) w, generate_series(1, 2) k), 140) AS text
FROM generate_series(1, 20000) i;
CREATE TEMP TABLE hostile AS SELECT what, text FROM (VALUES ('a letter', repeat('a', 65536)), ('marks', repeat(U&'\0301', 32768)), ('look-alikes', repeat('а', 32768)), ('ligatures', repeat('ﷺ', 21845)), ('letters apart', repeat('c ', 32768)), ('stars', repeat('f*', 32768))) v (what, text);

-- Nanoseconds that this backend has spent on a processor (Linux).
CREATE FUNCTION pg_temp.cpu() RETURNS bigint LANGUAGE sql VOLATILE AS $$
	SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint
$$;
CREATE FUNCTION pg_temp.measure(what text, query text, rows integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_start bigint;
	v_times double precision[];
	v_result double precision;
BEGIN
	FOR run IN 0 .. 7 LOOP
		v_start := pg_temp.cpu();
		EXECUTE query INTO v_result;
		IF run > 0 THEN
			v_times := v_times || (pg_temp.cpu() - v_start) / 1e3 / rows;
		END IF;
	END LOOP;
	RETURN format('%-16s %s us', what, round((SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY t) FROM unnest(v_times) t)::numeric, 2));
END
$$;
SELECT pg_temp.measure('(nothing)', 'SELECT sum(length(text)) FROM body', 20000);
SELECT pg_temp.measure('text_normalize', 'SELECT sum(length(roost.text_normalize(text))) FROM body', 20000);
SELECT pg_temp.measure('profanity_score', 'SELECT sum((roost.profanity_score(text)).score) FROM body', 20000);
SELECT pg_temp.measure('gibberish_score', 'SELECT sum(roost.gibberish_score(text)) FROM body', 20000);
SELECT pg_temp.measure('text_simhash', 'SELECT sum(roost.text_simhash(text)) FROM body', 20000);
SELECT pg_temp.measure('url_analyze', 'SELECT sum((roost.url_analyze(''https://example.com/'' || i)).score) FROM body', 20000);
SELECT pg_temp.measure('spam_score', 'SELECT sum(roost.spam_score(text)) FROM body', 20000);
SELECT pg_temp.measure('all', 'SELECT sum((roost.profanity_score(text)).score + roost.gibberish_score(text) + roost.spam_score(text) + length(roost.text_normalize(text))
	+ (roost.url_analyze(''https://example.com/'' || i)).score + roost.text_simhash(text) % 10) FROM body', 20000);
SELECT pg_temp.measure('64 KiB of ' || what, format('SELECT (roost.profanity_score(%L)).score + roost.gibberish_score(%1$L) + roost.spam_score(%1$L) + length(roost.text_normalize(%1$L)) + (roost.url_analyze(%1$L)).score + roost.text_simhash(%1$L) %% 10', text), 1)
FROM hostile;
ROLLBACK;
