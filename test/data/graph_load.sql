-- Loads the graph and the posts of real data through the import functions, for test/data/graph.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE SCHEMA raw;
CREATE TABLE raw.edge (a integer, b integer);
CREATE TABLE raw.post (id text PRIMARY KEY, created bigint, community text, score integer, ups integer, downs integer, comments integer, title text, text text);
\copy raw.edge FROM PROGRAM 'xzcat "$ROOST_TEST_DATA/graph/github.edges.csv.xz"' (FORMAT csv, HEADER)
\copy raw.post FROM PROGRAM 'xzcat "$ROOST_TEST_DATA/posts/posts.tsv.xz"'

CREATE TABLE raw.account AS SELECT DISTINCT id FROM raw.edge, LATERAL (VALUES (a), (b)) v (id);
-- the author is drawn by a hash of the post's id
ALTER TABLE raw.post ADD author integer;
UPDATE raw.post p SET author = a.id
FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM raw.account) a
WHERE a.n = ('x' || left(md5(p.id), 8))::bit(32)::bigint % (SELECT count(*) FROM raw.account);
ANALYZE raw.edge, raw.post, raw.account;

SELECT clock_timestamp() AS started \gset
INSERT INTO roost_data.import_account (external_id, username, created_at)
SELECT id, 'gh_' || id, timestamptz '2005-01-01Z' + id * interval '1 minute' FROM raw.account;
CREATE TABLE raw.result AS SELECT 'accounts' AS kind, * FROM roost.account_import();
SELECT clock_timestamp() AS accounts \gset
INSERT INTO roost_data.import_follow (follower, followee, created_at)
SELECT a, b, timestamptz '2005-06-01Z' + row_number() OVER () * interval '1 second' FROM raw.edge
UNION ALL
SELECT b, a, timestamptz '2005-07-01Z' + row_number() OVER () * interval '1 second' FROM raw.edge;
INSERT INTO raw.result SELECT 'follows', * FROM roost.follow_import();
SELECT clock_timestamp() AS follows \gset
INSERT INTO roost_data.import_post (external_id, author, created_at, text, hashtags)
SELECT id, author, to_timestamp(created), title || coalesce(E'\n\n' || nullif(text, ''), ''), ARRAY[community] FROM raw.post;
INSERT INTO raw.result SELECT 'posts', * FROM roost.post_import();
SELECT format('# loaded in %s s: accounts %s, follows %s, posts %s', round(extract(epoch FROM clock_timestamp() - :'started')::numeric, 1),
	round(extract(epoch FROM :'accounts'::timestamptz - :'started')::numeric, 1),
	round(extract(epoch FROM :'follows'::timestamptz - :'accounts')::numeric, 1),
	round(extract(epoch FROM clock_timestamp() - :'follows')::numeric, 1));
