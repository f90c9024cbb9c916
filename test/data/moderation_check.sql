-- See test/data/moderation.
SET client_min_messages = warning;
CREATE SCHEMA raw;
CREATE SEQUENCE raw.test;
CREATE FUNCTION raw.ok(good boolean, what text) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s %s - %s', CASE WHEN good THEN 'ok' ELSE 'not ok' END, nextval('raw.test'), what)
$$;

-- posts, with the model that comes along
CREATE TABLE raw.post (id text PRIMARY KEY, created bigint, community text, score integer, ups integer, downs integer, comments integer, title text, text text);
\copy raw.post FROM PROGRAM 'xzcat "$ROOST_TEST_DATA/posts/posts.tsv.xz"'
CREATE TABLE raw.post_score AS
SELECT roost.spam_score(title || E'\n' || text) AS score, get_byte(sha256(convert_to(id, 'UTF8')), 0) % 2 = 1 AS is_new FROM raw.post;
SELECT raw.ok(avg((score >= 0.9)::integer) <= 0.001, format('the model that comes along gives 0.9 to %s of %s posts, 0.98 to %s', count(*) FILTER (WHERE score >= 0.9), count(*), count(*) FILTER (WHERE score >= 0.98)))
FROM raw.post_score;
SELECT raw.ok(avg((score >= 0.9)::integer) <= 0.001, format('and to %s and %s of those %s that it has not been learnt from', count(*) FILTER (WHERE score >= 0.9), count(*) FILTER (WHERE score >= 0.98), count(*)))
FROM raw.post_score WHERE is_new;
CREATE TABLE raw.genre (label text, text text);
\copy raw.genre FROM 'moderation_genres.tsv'
SELECT raw.ok(count(*) FILTER (WHERE label = 'spam' AND score >= 0.5) >= 0.75 * count(*) FILTER (WHERE label = 'spam') AND count(*) FILTER (WHERE label = 'ham' AND score >= 0.5) <= 1,
	format('of other kinds it finds %s of %s at 0.5, with %s of %s honest sentences', count(*) FILTER (WHERE label = 'spam' AND score >= 0.5), count(*) FILTER (WHERE label = 'spam'), count(*) FILTER (WHERE label = 'ham' AND score >= 0.5), count(*) FILTER (WHERE label = 'ham')))
FROM raw.genre, LATERAL roost.spam_score(text) score;
SELECT raw.ok(avg((roost.gibberish_score(title) > 0.5)::integer) < 0.002, count(*) FILTER (WHERE roost.gibberish_score(title) > 0.5) || ' of ' || count(*) || ' titles are called gibberish')
FROM raw.post;

-- messages: learn from 70 %, by a hash of the line, measure on the rest
CREATE TABLE raw.line (label text, text text);
\copy raw.line FROM PROGRAM 'sed "s/\\\\/\\\\\\\\/g" "$ROOST_TEST_DATA/moderation/sms-spam.tsv"'
INSERT INTO roost_data.spam_sample (text, is_spam, is_test, source)
SELECT text, label = 'spam', get_byte(sha256(convert_to(label || E'\t' || text, 'UTF8')), 0) >= 179, 'sms' FROM raw.line;
-- it is learnt from the same 70 %
SELECT raw.ok(precision >= 0.9 AND recall >= 0.85, format('the model that comes along finds of the other messages %s of %s, and %s that are none', found, found + missed, wrong))
FROM roost.spam_evaluate(false, '{0.5}');
SELECT raw.ok(samples BETWEEN 2600 AND 2850 AND held > 0 AND features > 1000, format('learnt from %s messages, %s spam: %s weights', samples, spam, features)) FROM roost.spam_train();
SELECT format('# threshold %s: precision %s recall %s (found %s, wrong %s, missed %s)', threshold, round(precision::numeric, 4), round(recall::numeric, 4), found, wrong, missed)
FROM roost.spam_evaluate();
SELECT raw.ok(max(recall) FILTER (WHERE precision >= 0.97) >= 0.90, 'recall at precision 0.97 on the other 30 %: ' || round(max(recall) FILTER (WHERE precision >= 0.97)::numeric, 4))
FROM roost.spam_evaluate(false, ARRAY(SELECT i / 100.0 FROM generate_series(5, 95) i)::real[]);
SELECT raw.ok(precision >= 0.97 AND recall >= 0.90, format('at the threshold 0.5: precision %s, recall %s', round(precision::numeric, 4), round(recall::numeric, 4)))
FROM roost.spam_evaluate(false, '{0.5}');
CREATE TABLE raw.weight AS SELECT * FROM roost_data.spam_weight;
SELECT FROM roost.spam_train();
SELECT raw.ok(count(*) = 0, 'the same samples give the same weights') FROM roost_data.spam_weight w FULL JOIN raw.weight r USING (feature) WHERE w.weight IS DISTINCT FROM r.weight;
SELECT raw.ok(max(abs(e.score - s.score)) < 0.00001, 'explanations add up to the score')
FROM (SELECT text FROM roost_data.spam_sample ORDER BY id LIMIT 200) t,
	LATERAL (SELECT 1 / (1 + exp(-sum(contribution::double precision))) AS score FROM roost.spam_explain(t.text)) e,
	LATERAL (SELECT roost.spam_score(t.text) AS score) s;

-- word lists, in disguise
CREATE TABLE raw.word (language text, word text);
\copy raw.word FROM PROGRAM 'cd "$ROOST_TEST_DATA/moderation/ldnoobw" && for f in *; do sed "s/^/$f\t/; s/\\r//" "$f"; done'
SELECT raw.ok(sum(n) > 1000, sum(n) || ' words of ' || count(*) || ' lists are taken in')
FROM (SELECT roost.moderation_word_import(language, array_agg(word)) AS n FROM raw.word GROUP BY language) x;
CREATE FUNCTION raw.letters(word text, separator text) RETURNS text LANGUAGE sql AS $$ SELECT array_to_string(regexp_split_to_array(word, ''), separator) $$;
CREATE FUNCTION raw.disguise(word text, kind text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE kind
		WHEN 'plain' THEN word
		WHEN 'capitals' THEN upper(word)
		WHEN 'zero width' THEN raw.letters(word, U&'\200B')
		WHEN 'zalgo' THEN regexp_replace(word, '(\w)', E'\\1' || U&'\0335\0321\0349', 'g')
		WHEN 'cyrillic' THEN translate(word, 'aeopcxyi', U&'\0430\0435\043E\0440\0441\0445\0443\0456')
		WHEN 'full width' THEN (SELECT string_agg(CASE WHEN c BETWEEN 'a' AND 'z' THEN chr(ascii(c) + 65248) ELSE c END, '' ORDER BY n) FROM regexp_split_to_table(word, '') WITH ORDINALITY t (c, n))
		WHEN 'mathematical' THEN (SELECT string_agg(CASE WHEN c BETWEEN 'a' AND 'z' THEN chr(ascii(c) + 120205) ELSE c END, '' ORDER BY n) FROM regexp_split_to_table(word, '') WITH ORDINALITY t (c, n))
		WHEN 'circled' THEN (SELECT string_agg(CASE WHEN c BETWEEN 'a' AND 'z' THEN chr(ascii(c) + 9327) ELSE c END, '' ORDER BY n) FROM regexp_split_to_table(word, '') WITH ORDINALITY t (c, n))
		WHEN 'digits' THEN translate(word, 'aeio', '4310')
		WHEN 'more digits' THEN translate(word, 'aeiost', '431057')
		WHEN 'signs' THEN translate(word, 'aeiost', '@3!0$+')
		WHEN 'repeated' THEN regexp_replace(word, '([aeiou])', '\1\1\1')
		WHEN 'spaced' THEN raw.letters(word, ' ')
		WHEN 'dotted' THEN raw.letters(word, '.')
	END
$$;
CREATE TABLE raw.found AS
SELECT w.language, w.word, k.kind, (roost.profanity_score('so, ' || raw.disguise(lower(w.word), k.kind) || ' it is', w.language)).score >= 0.5 AS found
FROM raw.word w, unnest('{plain,capitals,zero width,zalgo,cyrillic,full width,mathematical,circled,digits,more digits,signs,repeated,spaced,dotted}'::text[]) k (kind)
-- too short to be set apart or to be made of digits
WHERE NOT (k.kind IN ('spaced', 'dotted', 'digits', 'more digits', 'signs') AND (w.language = 'ja' OR length(w.word) < 4));
SELECT raw.ok(avg(found::integer) >= CASE WHEN kind = 'more digits' THEN 0.98 ELSE 0.99 END, format('%s: %s of %s words are found', kind, count(*) FILTER (WHERE found), count(*)))
FROM raw.found GROUP BY kind ORDER BY kind;
SELECT raw.ok(avg((p.score >= 0.5)::integer) < 0.06, format('%s of %s titles have a word that is told by the text alone', count(*) FILTER (WHERE p.score >= 0.5), count(*)))
FROM raw.post, LATERAL roost.profanity_score(title) p WHERE length(title) > 20;

-- copies among posts
CREATE TABLE raw.copy AS
SELECT row_number() OVER (ORDER BY id) AS n, title, roost.text_simhash(title) AS own,
	roost.text_simhash('@somebody ' || upper(replace(title, ' ', '   ')) || U&' \+01F525!!') AS dressed,
	roost.text_simhash((SELECT string_agg(CASE WHEN i = 1 + abs(hashtext(id)) % cardinality(words) THEN 'replaced' ELSE w END, ' ' ORDER BY i) FROM unnest(words) WITH ORDINALITY u (w, i))) AS edited
FROM (SELECT id, title, regexp_split_to_array(btrim(title), '\s+') AS words FROM raw.post) p WHERE cardinality(words) BETWEEN 8 AND 60;
SELECT raw.ok(avg((roost.simhash_distance(own, dressed) = 0)::integer) > 0.995, format('case, blanks, emoji and a mention change nothing in %s of %s', count(*) FILTER (WHERE own = dressed), count(*))) FROM raw.copy;
SELECT raw.ok(percentile_cont(0.5) WITHIN GROUP (ORDER BY roost.simhash_distance(own, edited)) <= 10 AND avg((roost.simhash_distance(own, edited) <= 12)::integer) > 0.85,
	format('one word changed: %s bits at the median, %s %% within 12', percentile_cont(0.5) WITHIN GROUP (ORDER BY roost.simhash_distance(own, edited)), round(avg((roost.simhash_distance(own, edited) <= 12)::integer) * 100, 1)))
FROM raw.copy;
SELECT raw.ok(avg((roost_internal.simhash_keys(own) && roost_internal.simhash_keys(edited))::integer) > 0.9, format('%s %% of them share a key', round(avg((roost_internal.simhash_keys(own) && roost_internal.simhash_keys(edited))::integer) * 100, 1)))
FROM raw.copy;
SELECT raw.ok(avg((roost.simhash_distance(a.own, b.own) <= 12)::integer) < 0.001, format('of %s pairs of other titles %s are within 12', count(*), count(*) FILTER (WHERE roost.simhash_distance(a.own, b.own) <= 12)))
FROM raw.copy a JOIN raw.copy b ON b.n = a.n + 7 WHERE a.title <> b.title;
SELECT '1..' || currval('raw.test');
