-- Muted words and accounts: what is wanted, in any script.
\set VERBOSITY terse
\pset format unaligned
BEGIN;

INSERT INTO roost_data.account (id, username) SELECT 2800 + n, 'wants_' || n FROM generate_series(1, 5) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'wants_' || n, 2800 + n FROM generate_series(1, 5) n;

-- whether 1 wants a post of 2 after it has muted a phrase
CREATE FUNCTION pg_temp.wanted(phrase text, whole boolean, body text, warning text DEFAULT NULL) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM roost_data.muted_word;
	PERFORM roost.muted_word_create(2801, phrase, whole);
	RETURN roost_internal.wants(2801, 2802, body, warning, (roost_internal.post_entities(body)).hashtags);
END
$$;
\pset null NULL
SELECT phrase, CASE WHEN whole THEN 'whole' ELSE 'part' END AS how, body, pg_temp.wanted(phrase, whole, body) AS wanted
FROM (VALUES
	-- case, edges, neighbours
	('spoiler', true, 'Big SPOILER ahead'), ('spoiler', true, 'spoiler'), ('Spoiler', true, 'no spoilers'), ('spoiler', false, 'no spoilers'),
	('spoiler', true, 'anti-spoiler!'), ('spoiler', true, 'spoiler_alert'), ('spoiler', true, 'spoiler2'), ('spoiler', true, '(spoiler)'), ('spoiler', true, '#spoiler'),
	('cat', true, 'concatenate'), ('cat', false, 'concatenate'), ('cat', true, 'concat cat'), ('cat', true, 'cat''s'), ('42', true, '1427'), ('42', true, '42%'),
	-- phrases: one kind of space, none at the ends
	('season finale', true, 'the season' || E'\n' || '  finale!'), ('season finale', true, 'season-finale'), ('season finale', true, 'season' || chr(160) || 'finale'), ('  season   finale ', true, 'season finale'),
	-- hashtags
	('#tag', true, 'a #TAG'), ('#tag', true, 'a tag'), ('#tag', true, '#tags'), ('#tag', false, '#tags'), ('#naïve', true, '#NAÏVE'), ('tag', true, 'a #tag'),
	-- other scripts
	('яблоко', true, 'Вот ЯБЛОКО.'), ('яблоко', true, 'Вот яблоком.'), ('яблоко', false, 'Вот яблокотворение'), ('ΣΊΣΥΦΟΣ', true, 'ο σίσυφοσ'), ('straße', true, 'STRASSE'),
	('猫', true, '我的猫很可爱'), ('猫', false, '我的猫很可爱'), ('ネタバレ', true, 'これはネタバレです'), ('บอล', true, 'ดูบอลสด'), ('나무', true, '나무가'), ('나무', false, '나무가'), ('나무', true, '큰 나무 하나'),
	('كرة', true, 'مباراة كرة القدم'), ('كرة', true, 'الكرة'), ('क्रिकेट', true, 'आज क्रिकेट है'),
	-- emoji, and letters beside them
	('🎉', true, 'yes🎉yes'), ('🎉', true, '🎉🎉'), ('❤', true, 'love ❤️'), ('👩', true, '👩🏽'), ('win🎉', true, 'win🎉win'), ('win🎉', true, 'twin🎉'),
	-- folding: full width, ligatures, accents written in two ways, invisible signs
	('crypto', true, 'CRYPTO'), ('crypto', true, 'ｃｒｙｐｔｏ'), ('ｃｒｙｐｔｏ', true, 'crypto'), ('office', true, 'oﬃce'), ('café', true, 'cafe' || chr(769)), ('cafe', true, 'café'),
	('crypto', true, 'cry' || chr(8203) || 'pto'), ('crypto', true, 'cr' || chr(173) || 'ypto'), ('①', true, 'number 1'),
	-- one inside the other, and failing late
	('aab', true, 'aaab'), ('aab', false, 'aaab'), ('abab', false, 'ababab'), ('a', true, 'aa a'), ('.', false, 'no'), ('.', false, 'yes.'), ('50%_', false, '50% of'), ('\w+', false, 'word')
	) t (phrase, whole, body);

-- the warning counts, and so do hashtags that are not in the text
SELECT pg_temp.wanted('spider', true, 'look', 'A Spider'), pg_temp.wanted('spider', true, 'look', NULL);
SELECT roost_internal.wants(2801, 2802, 'look', NULL, '{big,spider}'), roost_internal.wants(2801, 2802, 'look', NULL, '{spiders}'), roost_internal.wants(2801, 2802, NULL, NULL, NULL), roost_internal.wants(2801, 2802, '', '', '{}');
-- one's own posts are wanted, and strangers have muted nothing
SELECT roost_internal.wants(2801, 2801, 'spider', NULL, NULL), roost_internal.wants(NULL, 2802, 'spider', NULL, NULL), roost_internal.wants(2803, 2802, 'spider', NULL, NULL), roost_internal.wants(2801, NULL, 'spider', NULL, NULL);

-- many at once, and each by itself, are the same
CREATE FUNCTION pg_temp.naive(body text, phrase text, whole boolean) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. char_length(body) - char_length(phrase) + 1 LOOP
		CONTINUE WHEN substr(body, i, char_length(phrase)) <> phrase;
		IF NOT whole OR (NOT (i > 1 AND substr(body, i - 1, 2) ~ '^[[:alnum:]]{2}$')
			AND NOT substr(body, i + char_length(phrase) - 1, 2) ~ '^[[:alnum:]]{2}$') THEN
			RETURN true;
		END IF;
	END LOOP;
	RETURN false;
END
$$;
DELETE FROM roost_data.muted_word;
CREATE TEMP TABLE dice AS SELECT n, md5('wants ' || n) AS d FROM generate_series(1, 4000) n;
CREATE FUNCTION pg_temp.word(d text, length integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT translate(left(d, length), '0123456789abcdef', 'aaaaabbbbcccжж-.é') $$;
DO $$
DECLARE
	v_round integer;
	v_wrong bigint;
	v_found bigint := 0;
	v_tried bigint := 0;
BEGIN
	FOR v_round IN 0 .. 39 LOOP
		DELETE FROM roost_data.muted_word;
		INSERT INTO roost_data.muted_word (account_id, id, phrase, folded, whole_word)
		SELECT 2801, n, w, w, n % 3 > 0 FROM (SELECT n, pg_temp.word(d, 2 + n % 7) AS w FROM dice WHERE n BETWEEN v_round * 12 + 1 AND v_round * 12 + v_round % 12 + 1) t ON CONFLICT DO NOTHING;
		SELECT count(*) FILTER (WHERE roost_internal.wants(2801, 2802, b, NULL, NULL) = hit), count(*) FILTER (WHERE hit), count(*) INTO v_wrong, v_found, v_tried
		FROM (SELECT b, EXISTS (SELECT FROM roost_data.muted_word w WHERE pg_temp.naive(b, w.folded COLLATE "default", w.whole_word)) AS hit
			FROM (SELECT pg_temp.word(d, 32) AS b FROM dice WHERE n BETWEEN 500 + v_round * 40 AND 539 + v_round * 40) t) u;
		IF v_wrong > 0 THEN
			RAISE NOTICE 'round %: % of % wrong', v_round, v_wrong, v_tried;
		END IF;
	END LOOP;
	RAISE NOTICE 'the last round found some: %, and not all: %', v_found > 0, v_found < v_tried;
END
$$;

-- the worst of texts for the worst of words
DELETE FROM roost_data.muted_word;
INSERT INTO roost_data.muted_word (account_id, id, phrase, folded, whole_word) SELECT 2801, n, repeat('a', n % 97) || 'b' || n, repeat('a', n % 97) || 'b' || n, n % 2 = 0 FROM generate_series(1, 200) n;
SELECT roost_internal.wants(2801, 2802, repeat('a', 65536), NULL, NULL), roost_internal.wants(2801, 2802, repeat('a ', 32768), NULL, NULL), roost_internal.wants(2801, 2802, repeat('a', 60000) || 'b199', NULL, NULL);
SELECT roost_internal.wants(2801, 2802, repeat('ａ', 20000), NULL, NULL), roost_internal.wants(2801, 2802, repeat('ａ', 20000) || 'b1', NULL, NULL);

-- until they expire
DELETE FROM roost_data.muted_word;
SELECT roost_internal.clock_freeze('2026-05-01 12:00:00Z');
INSERT INTO roost_data.muted_word (account_id, id, phrase, folded, expires_at) VALUES (2801, 1, 'soon', 'soon', '2026-05-01 12:01:00Z'), (2801, 2, '#soon', '#soon', '2026-05-01 12:02:00Z');
INSERT INTO roost_data.account_mute (account_id, muted_id, id, expires_at) VALUES (2801, 2803, 1, '2026-05-01 12:01:00Z'), (2801, 2804, 2, NULL), (2801, 2805, 3, 'infinity');
CREATE FUNCTION pg_temp.now_wanted(OUT word boolean, OUT tag boolean, OUT muted_3 boolean, OUT muted_4 boolean, OUT muted_5 boolean) LANGUAGE sql VOLATILE AS $$
	SELECT roost_internal.wants(2801, 2802, 'soon', NULL, NULL), roost_internal.wants(2801, 2802, '', NULL, '{soon}'),
		roost_internal.wants(2801, 2803, 'x', NULL, NULL), roost_internal.wants(2801, 2804, 'x', NULL, NULL), roost_internal.wants(2801, 2805, 'x', NULL, NULL)
$$;
SELECT * FROM pg_temp.now_wanted();
SELECT roost_internal.clock_freeze('2026-05-01 12:01:00Z');
SELECT * FROM pg_temp.now_wanted();
SELECT roost_internal.clock_freeze('2026-05-01 12:02:00Z');
SELECT * FROM pg_temp.now_wanted();
SELECT roost_internal.clock_freeze(NULL);
ROLLBACK;
