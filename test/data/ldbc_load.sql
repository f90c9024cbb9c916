-- Loads the small social network through the import functions, for test/data/ldbc.
SET client_min_messages = warning;
CREATE SCHEMA raw;
CREATE TABLE raw.person (id bigint PRIMARY KEY, first_name text, last_name text, gender text, birthday date, created timestamptz, ip text, browser text, place integer);
CREATE TABLE raw.knows (a bigint, b bigint, created timestamptz);
CREATE TABLE raw.post (id bigint PRIMARY KEY, image text, created timestamptz, ip text, browser text, language text, content text, length integer, creator bigint, forum bigint, place integer);
CREATE TABLE raw.comment (id bigint PRIMARY KEY, created timestamptz, ip text, browser text, content text, length integer, creator bigint, place integer, reply_of_post bigint, reply_of_comment bigint);
CREATE TABLE raw.liked (person bigint, message bigint, created timestamptz);
CREATE TABLE raw.tagged (message bigint, tag integer);
CREATE TABLE raw.tag (id integer PRIMARY KEY, name text, url text, type integer);
CREATE TABLE raw.answer (line jsonb);
-- no character of the files quotes or escapes
\copy raw.person FROM PROGRAM 'cat "$ROOST_TEST_DATA/ldbc/dynamic/person_0_0.csv"' (FORMAT csv, HEADER, DELIMITER '|', QUOTE E'\x01')
\copy raw.knows FROM PROGRAM 'cat "$ROOST_TEST_DATA/ldbc/dynamic/person_knows_person_0_0.csv"' (FORMAT csv, HEADER, DELIMITER '|', QUOTE E'\x01')
\copy raw.post FROM PROGRAM 'cat "$ROOST_TEST_DATA/ldbc/dynamic/post_0_0.csv"' (FORMAT csv, HEADER, DELIMITER '|', QUOTE E'\x01')
\copy raw.comment FROM PROGRAM 'cat "$ROOST_TEST_DATA/ldbc/dynamic/comment_0_0.csv"' (FORMAT csv, HEADER, DELIMITER '|', QUOTE E'\x01')
\copy raw.liked FROM PROGRAM 'cat "$ROOST_TEST_DATA/ldbc/dynamic/person_likes_post_0_0.csv"' (FORMAT csv, HEADER, DELIMITER '|', QUOTE E'\x01')
\copy raw.liked FROM PROGRAM 'cat "$ROOST_TEST_DATA/ldbc/dynamic/person_likes_comment_0_0.csv"' (FORMAT csv, HEADER, DELIMITER '|', QUOTE E'\x01')
\copy raw.tagged FROM PROGRAM 'cat "$ROOST_TEST_DATA/ldbc/dynamic/post_hasTag_tag_0_0.csv"' (FORMAT csv, HEADER, DELIMITER '|', QUOTE E'\x01')
\copy raw.tagged FROM PROGRAM 'cat "$ROOST_TEST_DATA/ldbc/dynamic/comment_hasTag_tag_0_0.csv"' (FORMAT csv, HEADER, DELIMITER '|', QUOTE E'\x01')
\copy raw.tag FROM PROGRAM 'xzcat "$ROOST_TEST_DATA/ldbc/static/tag_0_0.csv.xz"' (FORMAT csv, HEADER, DELIMITER '|', QUOTE E'\x01')
\copy raw.answer FROM PROGRAM 'xzcat "$ROOST_TEST_DATA/ldbc/expected.jsonl.xz"' (FORMAT csv, DELIMITER E'\x02', QUOTE E'\x01')
CREATE INDEX ON raw.tagged (message);
ANALYZE;

-- The rest of what is known of a person (gender, address …) stays in raw.person.
INSERT INTO roost_data.import_account (external_id, username, display_name, birth_date, created_at)
SELECT id, 'p' || id, first_name || ' ' || last_name, birthday, created FROM raw.person;
CREATE TABLE raw.result AS SELECT 'persons' AS kind, * FROM roost.account_import();
INSERT INTO roost_data.import_follow (follower, followee, created_at)
SELECT a, b, created FROM raw.knows UNION ALL SELECT b, a, created FROM raw.knows;
INSERT INTO raw.result SELECT 'follows', * FROM roost.follow_import();

-- Posts and comments share one space of ids; what has no text is a picture, and its name stands for it.
CREATE TABLE raw.message AS
SELECT id, creator, created, coalesce(content, image) AS content, language, NULL::bigint AS reply_to FROM raw.post
UNION ALL
SELECT id, creator, created, content, NULL, coalesce(reply_of_post, reply_of_comment) FROM raw.comment;
ALTER TABLE raw.message ADD PRIMARY KEY (id);
INSERT INTO roost_data.import_post (external_id, author, created_at, text, language, reply_to, hashtags)
SELECT m.id, m.creator, m.created, m.content, m.language, m.reply_to,
	ARRAY(SELECT t.name FROM raw.tagged g JOIN raw.tag t ON t.id = g.tag WHERE g.message = m.id)
FROM raw.message m;
INSERT INTO raw.result SELECT 'messages', * FROM roost.post_import();
INSERT INTO roost_data.import_like (account, post, created_at) SELECT person, message, created FROM raw.liked;
INSERT INTO raw.result SELECT 'likes', * FROM roost.like_import();
