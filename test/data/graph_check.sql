-- What test/data/graph checks after loading, as TAP.
SET client_min_messages = warning;
CREATE SEQUENCE raw.test;
CREATE FUNCTION raw.same(name text, got text, expected text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN NEXT CASE WHEN got IS NOT DISTINCT FROM expected THEN 'ok ' ELSE 'not ok ' END || nextval('raw.test') || ' - ' || name;
	IF got IS DISTINCT FROM expected THEN
		RETURN NEXT format(E'#   got      %s\n#   expected %s', left(got, 500), left(expected, 500));
	END IF;
END
$$;

SELECT raw.same('every ' || kind, concat_ws(' ', inserted, existing, refused), expected || ' 0 0')
FROM raw.result JOIN (VALUES
	('accounts', (SELECT count(*) FROM raw.account)), ('follows', 2 * (SELECT count(*) FROM raw.edge)), ('posts', (SELECT count(*) FROM raw.post))) v (kind, expected) USING (kind);
SELECT raw.same('37,700 accounts, 578,006 follows, 42,833 posts', concat_ws(' ', (SELECT count(*) FROM roost_data.account),
	(SELECT count(*) FROM roost_data.follow), (SELECT count(*) FROM roost_data.post)), '37700 578006 42833');

-- counters of every account
CREATE TABLE raw.degree AS SELECT id, count(*) AS n FROM raw.edge, LATERAL (VALUES (a), (b)) v (id) GROUP BY id;
CREATE TABLE raw.written AS SELECT author AS id, count(*) AS n FROM raw.post GROUP BY author;
SELECT raw.same('counters of every account', string_agg(a.username, ' '), NULL)
FROM roost_bi.account a
LEFT JOIN raw.degree d ON a.username = 'gh_' || d.id
LEFT JOIN raw.written w ON a.username = 'gh_' || w.id
WHERE (a.follower_count, a.following_count, a.post_count) IS DISTINCT FROM (d.n, d.n, coalesce(w.n, 0));

-- times and texts of every post
CREATE TABLE raw.here AS SELECT r.id, r.author, r.created, m.id AS post_id
	FROM raw.post r LEFT JOIN roost_data.import_map m ON m.kind = 'post' AND m.external_id = r.id;
CREATE INDEX ON raw.here (author);
SELECT raw.same('creation time of every post, in the id too', string_agg(h.id, ' '), NULL)
FROM raw.here h LEFT JOIN roost_data.post p ON p.id = h.post_id
WHERE (p.created_at = to_timestamp(h.created) AND roost.id_time(p.id) >= p.created_at AND roost.id_time(p.id) < p.created_at + interval '1 second') IS NOT TRUE;
SELECT raw.same('text of every post', string_agg(h.id, ' '), NULL)
FROM raw.here h JOIN raw.post r USING (id) LEFT JOIN roost_data.post p ON p.id = h.post_id
WHERE p.text IS DISTINCT FROM normalize(regexp_replace(r.title || CASE WHEN r.text <> '' THEN E'\n\n' || r.text ELSE '' END, '[\u0080-\u009f]', '', 'g'), NFC);

-- a second call finds everything there
INSERT INTO roost_data.import_post (external_id, author, created_at, text) SELECT id, author, to_timestamp(created), 'again' FROM raw.post LIMIT 1000;
SELECT raw.same('importing posts again', concat_ws(' ', inserted, existing, refused), '0 1000 0') FROM roost.post_import();
INSERT INTO roost_data.import_follow (follower, followee) SELECT a, b FROM raw.edge LIMIT 1000;
SELECT raw.same('importing follows again', concat_ws(' ', inserted, existing, refused), '0 1000 0') FROM roost.follow_import();

-- Readers: 180 drawn with a seed and the 20 who follow most.
CREATE TABLE raw.reader AS
(SELECT id, n FROM raw.degree ORDER BY n DESC, id LIMIT 20)
UNION
(SELECT id, n FROM (SELECT * FROM raw.degree ORDER BY n DESC, id OFFSET 20) d ORDER BY md5('seed 1 ' || id) LIMIT 180);
CREATE FUNCTION raw.expected(reader integer) RETURNS TABLE (n bigint, id text) LANGUAGE sql AS $$
	SELECT row_number() OVER (ORDER BY h.created DESC, h.post_id DESC), h.id
	FROM raw.here h
	WHERE h.author = reader OR h.author IN (SELECT b FROM raw.edge WHERE a = reader UNION SELECT a FROM raw.edge WHERE b = reader)
$$;
CREATE INDEX ON raw.edge (a);
CREATE INDEX ON raw.edge (b);
ANALYZE raw.edge, raw.here;
-- page by page, as a client reads: at most so many pages of 50
CREATE FUNCTION raw.read(reader integer, pages integer) RETURNS TABLE (n bigint, id text) LANGUAGE plpgsql AS $$
DECLARE
	v_reader bigint := (SELECT m.id FROM roost_data.import_map m WHERE m.kind = 'account' AND m.external_id = reader::text);
	v_before text;
	v_post roost.post;
	v_rows integer;
BEGIN
	n := 0;
	FOR i IN 1..pages LOOP
		v_rows := 0;
		FOR v_post IN SELECT * FROM roost.timeline_home(v_reader, 50, before => v_before) LOOP
			n := n + 1;
			v_rows := v_rows + 1;
			id := (SELECT h.id FROM raw.here h WHERE h.post_id = v_post.id AND (v_post.author).username = 'gh_' || h.author);
			v_before := v_post.cursor;
			RETURN NEXT;
		END LOOP;
		EXIT WHEN v_rows < 50;
	END LOOP;
END
$$;
CREATE INDEX ON raw.here (post_id);

SELECT raw.same('first pages of 200 readers', string_agg(reader || ':' || n, ' '), NULL)
FROM (
	SELECT r.id AS reader, d.n FROM raw.reader r
	CROSS JOIN LATERAL (
		SELECT n, e.id AS e, g.id AS g FROM (SELECT * FROM raw.expected(r.id) x WHERE x.n <= 50) e FULL JOIN raw.read(r.id, 1) g USING (n)) d
	WHERE d.e IS DISTINCT FROM d.g
) d;

CREATE TABLE raw.entire AS SELECT id FROM raw.reader ORDER BY n DESC, id LIMIT 5;
INSERT INTO raw.entire SELECT id FROM raw.reader r WHERE NOT EXISTS (SELECT FROM raw.entire e WHERE e.id = r.id) ORDER BY md5('entire ' || id) LIMIT 15;
SELECT raw.same('20 timelines from the first page to the last', string_agg(reader || ':' || n, ' '), NULL)
FROM (
	SELECT r.id AS reader, d.n FROM raw.entire r
	CROSS JOIN LATERAL (SELECT n, e.id AS e, g.id AS g FROM raw.expected(r.id) e FULL JOIN raw.read(r.id, 1000) g USING (n)) d
	WHERE d.e IS DISTINCT FROM d.g
) d;
SELECT raw.same('they were long enough to be a test', (max(n) > 2000 AND sum(n) > 5000)::text, 'true')
FROM (SELECT (SELECT count(*) FROM raw.expected(r.id)) AS n FROM raw.entire r) c;

SELECT '1..' || currval('raw.test');
