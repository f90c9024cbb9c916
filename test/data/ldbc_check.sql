-- What test/data/ldbc checks after loading, as TAP.
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SEQUENCE raw.test;
CREATE FUNCTION raw.same(name text, got text, expected text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN NEXT CASE WHEN got IS NOT DISTINCT FROM expected THEN 'ok ' ELSE 'not ok ' END || nextval('raw.test') || ' - ' || name;
	IF got IS DISTINCT FROM expected THEN
		RETURN NEXT format(E'#   got      %s\n#   expected %s', left(got, 500), left(expected, 500));
	END IF;
END
$$;

SELECT raw.same('all ' || kind, concat_ws(' ', inserted, existing, refused), expected || ' 0 0')
FROM raw.result JOIN (VALUES ('persons', 222), ('follows', 2 * 825), ('messages', 8142), ('likes', 1383)) v (kind, expected) USING (kind);

-- what things were called where they came from
CREATE TABLE raw.account_name AS SELECT id, external_id::bigint AS name FROM roost_data.import_map WHERE kind = 'account';
CREATE TABLE raw.post_name AS SELECT id, external_id::bigint AS name FROM roost_data.import_map WHERE kind = 'post';
ALTER TABLE raw.account_name ADD PRIMARY KEY (id);
ALTER TABLE raw.post_name ADD PRIMARY KEY (id);
ALTER TABLE raw.post_name ADD UNIQUE (name);

SELECT raw.same('likes, replies and hashtags of every message', string_agg(m.id::text, ' '), NULL)
FROM raw.message m
JOIN raw.post_name n ON n.name = m.id
CROSS JOIN LATERAL roost.post_get(n.id) p
WHERE (p.like_count, p.reply_count, p.reply_to_id) IS DISTINCT FROM (
		(SELECT count(*) FROM raw.liked l WHERE l.message = m.id),
		(SELECT count(*) FROM raw.message r WHERE r.reply_to = m.id),
		(SELECT t.id::roost.id FROM raw.post_name t WHERE t.name = m.reply_to))
	OR NOT p.hashtags @> ARRAY(SELECT lower(t.name) FROM raw.tagged g JOIN raw.tag t ON t.id = g.tag WHERE g.message = m.id);

-- The answers, in the words of those who asked.
CREATE FUNCTION raw.person(account_id bigint) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_array(p.id, p.first_name, p.last_name) FROM raw.account_name n JOIN raw.person p ON p.id = n.name WHERE n.id = account_id
$$;
-- a profile: birthday and time from roost, the rest was never roost's
CREATE FUNCTION raw.short_1(account_id bigint) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_agg(jsonb_build_array(p.first_name, p.last_name, m.birth_date, p.ip, p.browser, p.place, p.gender, a.created_at))
	FROM roost.account_get(NULL, account_id::text) a, roost.account_me(account_id) m, raw.account_name n JOIN raw.person p ON p.id = n.name
	WHERE n.id = a.id AND m.display_name = p.first_name || ' ' || p.last_name AND a.username = 'p' || p.id
$$;
-- the newest 10 messages with the post that started the thread
CREATE FUNCTION raw.short_2(account_id bigint) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_agg(jsonb_build_array(n.name, t.text, t.created_at, rn.name) || raw.person((r.author).id) ORDER BY t.place)
	FROM (SELECT *, row_number() OVER () AS place FROM roost.timeline_account(account_id::text, NULL, 10, replies => true)) t
	CROSS JOIN LATERAL roost.post_get(t.thread_id) r
	JOIN raw.post_name n ON n.id = t.id
	JOIN raw.post_name rn ON rn.id = r.id
$$;
-- friends, newest first; those of one millisecond by their number
CREATE FUNCTION raw.short_3(account_id bigint) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_agg(raw.person(f.id) || to_jsonb(roost.id_time(f.cursor)) ORDER BY f.newer, (raw.person(f.id)->0)::bigint)
	FROM (
		SELECT *, count(*) FILTER (WHERE changed) OVER (ORDER BY place) AS newer
		FROM (
			SELECT *, roost.id_time(cursor) IS DISTINCT FROM lag(roost.id_time(cursor)) OVER (ORDER BY place) AS changed
			FROM (SELECT *, row_number() OVER () AS place FROM roost.following_list(account_id::text, NULL, 1000)) l
		) c
	) f
$$;
-- the newest 20 messages of friends, not after a time
CREATE FUNCTION raw.complex_2(account_id bigint, until timestamptz) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_agg(raw.person((t.author).id) || jsonb_build_array(n.name, t.text, t.created_at) ORDER BY t.place)
	FROM (
		SELECT *, row_number() OVER () AS place
		FROM roost.timeline_home(account_id, 20, before => roost_internal.id_floor(until + interval '1 ms')::text, replies => 'all', own => false)
	) t
	JOIN raw.post_name n ON n.id = t.id
$$;

CREATE TABLE raw.question AS
SELECT line->>'q' AS query, line->'p' AS parameters, line->'rows' AS rows, n.id AS account_id,
	substring(line->'p'->>'maxDate' FROM '[0-9]+-[0-9]+-[0-9]+')::timestamptz AS max_date
FROM raw.answer LEFT JOIN raw.account_name n ON n.name = (line->'p'->>'personId')::bigint
WHERE line ? 'q';
SELECT raw.same('1,554 questions', count(*)::text, '1554') FROM raw.question;
CREATE TABLE raw.reply AS
SELECT *, coalesce(CASE query
	WHEN 'interactive-short-1' THEN raw.short_1(account_id)
	WHEN 'interactive-short-2' THEN raw.short_2(account_id)
	WHEN 'interactive-short-3' THEN raw.short_3(account_id)
	WHEN 'interactive-complex-2' THEN raw.complex_2(account_id, max_date) END, '[]') AS got
FROM raw.question;
SELECT raw.same(query || ': ' || count(*) || ' answers', count(*) FILTER (WHERE got = rows)::text, count(*)::text)
FROM raw.reply GROUP BY query ORDER BY query;
SELECT format(E'# %s %s\n#   got      %s\n#   expected %s', query, parameters, left(got::text, 3000), left(rows::text, 3000))
FROM raw.reply WHERE got IS DISTINCT FROM rows ORDER BY query, parameters LIMIT 3;

SELECT '1..' || currval('raw.test');
