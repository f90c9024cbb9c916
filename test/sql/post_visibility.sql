-- Who sees which post: one rule for reading, lists, answers, likes and embeds.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;

-- 1 writes; 2 follows 1; 3 is mentioned; 4 is anybody; 5 is private, 6 follows 5
INSERT INTO roost_data.account (id, username, is_private) SELECT 2100 + n, 'viewer_' || n, n = 5 FROM generate_series(1, 6) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'viewer_' || n, 2100 + n FROM generate_series(1, 6) n;
INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (2102, 2101, 1), (2106, 2105, 2);
CREATE TEMP TABLE made AS
SELECT a.id AS author_id, v AS visibility, (roost.post_create(a.id, 'for @viewer_3 #visible', visibility => v)).id
FROM (VALUES (2101), (2105)) a(id), unnest(enum_range(NULL::roost.visibility)) v;
CREATE FUNCTION pg_temp.sees(viewer_id bigint, post_id bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	RETURN (roost.post_get(post_id, viewer_id)).id = post_id;
EXCEPTION WHEN no_data_found THEN
	RETURN false;
END
$$;

-- who reads what; null is a stranger
SELECT m.author_id - 2100 AS author, m.visibility, string_agg(coalesce((v - 2100)::text, 'stranger'), ' ' ORDER BY v NULLS FIRST) AS seen_by
FROM made m, unnest('{null,2101,2102,2103,2104,2105,2106}'::bigint[]) v
WHERE pg_temp.sees(v, m.id) GROUP BY 1, 2 ORDER BY 1, 2;

-- hydration and the rule agree
SELECT count(*) FROM made m JOIN roost_data.account a ON a.id = m.author_id JOIN roost_data.post p ON p.id = m.id,
	unnest('{null,2101,2102,2103,2104,2105,2106}'::bigint[]) v
WHERE pg_temp.sees(v, m.id) <> roost_internal.may_see(v, p.author_id, p.visibility, p.state, p.mention_ids, a.is_private, a.limited_at IS NOT NULL, a.status);

-- what one does not see, one can do nothing to, and it is not told apart from what does not exist
SELECT id AS followers FROM made WHERE author_id = 2101 AND visibility = 'followers' \gset
SELECT id AS direct FROM made WHERE author_id = 2101 AND visibility = 'direct' \gset
SELECT id AS private FROM made WHERE author_id = 2105 AND visibility = 'public' \gset
SELECT roost.post_like(2104, :followers);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_retweet(2104, :followers);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_bookmark(2104, :followers);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_create(2104, 'x', reply_to_id => :followers);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_create(2104, 'x', quote_of_id => :followers);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_delete(2104, :followers);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_edit(2104, :followers, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_reply_list(:followers, 2104);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_like_list(:private);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_retweet_list(:private);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_quote_list(:private);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_context(:direct, 2102);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_history(:direct, 2102);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.url_resolve('/@viewer_1/x-' || :direct, 2102);
\echo :LAST_ERROR_SQLSTATE

-- those who see it may like, answer and put it aside, but not show it to others
SELECT liked FROM roost.post_like(2102, :followers);
SELECT bookmarked FROM roost.post_bookmark(2103, :direct);
SELECT id AS answer FROM roost.post_create(2103, '@viewer_1 an answer', reply_to_id => :direct, visibility => 'direct') \gset
SELECT roost.post_retweet(2102, :followers);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_retweet(2106, :private);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_retweet(2103, :direct);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_retweet(2101, :direct);
\echo :LAST_ERROR_SQLSTATE
SELECT retweeted FROM roost.post_retweet(2101, :followers);
SELECT id AS retweet, visibility FROM roost_data.post WHERE retweet_of_id = :followers \gset
\echo :visibility
SELECT pg_temp.sees(2102, :retweet), pg_temp.sees(2104, :retweet), pg_temp.sees(NULL, :retweet);

-- lists leave out what the reader does not see
SELECT count(*) FROM roost.post_reply_list(:direct, 2101);
SELECT count(*) FROM roost.post_reply_list(:direct, 2103);
SELECT (SELECT count(*) FROM roost.hashtag_post_list('VISIBLE', 2104)), (SELECT count(*) FROM roost.hashtag_post_list('visible', 2106)), (SELECT count(*) FROM roost.hashtag_post_list('visible'));

-- a quote stays when the post it quotes is hidden, without it; a retweet does not
SELECT id AS quote FROM roost.post_create(2102, 'for all to see', quote_of_id => :followers) \gset
SELECT (quote_of).id IS NOT NULL AS embedded, quote_of_id IS NOT NULL AS named FROM roost.post_get(:quote, 2102);
SELECT (quote_of).id IS NOT NULL AS embedded, quote_of_id IS NOT NULL AS named FROM roost.post_get(:quote, 2104);
SELECT id AS open FROM made WHERE author_id = 2101 AND visibility = 'public' \gset
SELECT retweeted FROM roost.post_retweet(2104, :open);
SELECT id AS retweet FROM roost_data.post WHERE retweet_of_id = :open \gset
SELECT pg_temp.sees(NULL, :retweet);
SELECT visibility FROM roost.post_edit(2101, :open, visibility => 'followers');
SELECT pg_temp.sees(NULL, :retweet), pg_temp.sees(2102, :retweet), pg_temp.sees(2104, :retweet);
-- what was done is taken back even if the post is out of sight
SELECT liked FROM roost.post_like(2102, :open);
DELETE FROM roost_data.follow WHERE follower_id = 2102 AND followee_id = 2101;
SELECT roost.post_unlike(2102, :open) IS NULL;
SELECT count(*) FROM roost_data.post_like WHERE account_id = 2102 AND post_id = :open;
SELECT roost.post_unlike(2102, :open);
\echo :LAST_ERROR_SQLSTATE

-- nobody sees the posts of suspended accounts, nor that they retweet
UPDATE roost_data.account SET status = 'suspended' WHERE id = 2101;
SELECT bool_or(pg_temp.sees(v, m.id)) FROM made m, unnest('{null,2101,2102,2103}'::bigint[]) v WHERE m.author_id = 2101;

-- views for BI hold what everybody sees
SELECT count(*) FROM roost_bi.post p JOIN made m USING (id);
SELECT count(*) FROM roost_bi.engagement e JOIN made m ON m.id = e.post_id;
UPDATE roost_data.account SET status = 'active' WHERE id = 2101;
SELECT p.visibility FROM roost_bi.post p JOIN made m USING (id);
ROLLBACK;
