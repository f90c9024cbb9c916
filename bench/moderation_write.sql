-- What policies add to writing a post: texts of 20 made-up words of 20,000, a few
-- of them frequent, by accounts that are not new; nothing is kept.
SET client_min_messages = warning;
SET jit = off;
BEGIN;
CREATE FUNCTION pg_temp.cpu() RETURNS bigint LANGUAGE sql VOLATILE AS $$
	SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint $$;
CREATE TEMP TABLE source AS
SELECT n, string_agg(translate(left(md5(word::text), 2 + word % 7), '0123456789', 'ghijklmnop'), ' ' ORDER BY w) AS text
FROM (SELECT n, w, (((hashint8(n * 20 + w) & 2147483647) / 2147483648.0) ^ 3 * 20000)::integer AS word FROM generate_series(1, 10000) n, generate_series(1, 20) w) s
GROUP BY n;
INSERT INTO roost_data.account (id, username, created_at) SELECT 900000 + n, 'bench_' || n, '2020-01-01' FROM generate_series(1, 1000) n;
INSERT INTO roost_data.account_stat (account_id, slot, post_count) SELECT 900000 + n, 0, 100 FROM generate_series(1, 1000) n;
CREATE FUNCTION pg_temp.insert_all(base bigint) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	v_start constant bigint := pg_temp.cpu();
BEGIN
	INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text) SELECT base + s.n, 900001 + s.n % 1000, base + s.n, now(), s.text FROM source s;
	RETURN round((pg_temp.cpu() - v_start) / 10000 / 1000.0, 1);
END $$;
CREATE FUNCTION pg_temp.create_all() RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	v_start constant bigint := pg_temp.cpu();
BEGIN
	PERFORM roost.post_create((900001 + s.n % 1000)::roost.id, s.text || '.') FROM source s;
	RETURN round((pg_temp.cpu() - v_start) / 10000 / 1000.0, 1);
END $$;
SET roost.moderation_enabled = off;
SELECT pg_temp.insert_all(1000000000) \g /dev/null
SELECT pg_temp.create_all() \g /dev/null
SELECT 'insert_off=' || pg_temp.insert_all(2000000000);
SELECT 'create_off=' || pg_temp.create_all();
RESET roost.moderation_enabled;
SELECT 'insert_on=' || pg_temp.insert_all(3000000000);
TRUNCATE roost_data.post_fingerprint;
SELECT 'create_on=' || pg_temp.create_all();
ROLLBACK;
