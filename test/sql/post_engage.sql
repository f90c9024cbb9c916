-- Likes, retweets, bookmarks and pins: idempotent, undone, counted.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;

INSERT INTO roost_data.account (id, username) SELECT 2200 + n, 'fan_' || n FROM generate_series(1, 9) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'fan_' || n, 2200 + n FROM generate_series(1, 9) n;
SELECT id AS post FROM roost.post_create(2201, 'like me') \gset

-- likes
SELECT like_count, liked FROM roost.post_like(2202, :post);
SELECT like_count, liked FROM roost.post_like(2202, :post);
SELECT like_count, liked FROM roost.post_like(2201, :post);
SELECT like_count, liked FROM roost.post_get(:post);
SELECT like_count, liked FROM roost.post_get(:post, 2203);
SELECT username FROM roost.post_like_list(:post);
SELECT username FROM roost.post_like_list(:post, "limit" => 1);
SELECT cursor AS newest FROM roost.post_like_list(:post, "limit" => 1) \gset
SELECT username FROM roost.post_like_list(:post, before => :'newest');
SELECT username FROM roost.post_like_list(:post, after => :'newest');
SELECT id = :post FROM roost.like_list(2202);
SELECT like_count, liked FROM roost.post_unlike(2202, :post);
SELECT like_count, liked FROM roost.post_unlike(2202, :post);
SELECT count(*) FROM roost.like_list(2202);

-- retweets
SELECT retweet_count, retweeted FROM roost.post_retweet(2203, :post);
SELECT retweet_count, retweeted FROM roost.post_retweet(2203, :post);
SELECT retweet_count, retweeted FROM roost.post_retweet(2201, :post);
SELECT username, post_count FROM roost.post_retweet_list(:post);
SELECT id AS retweet FROM roost_data.post WHERE retweet_of_id = :post AND author_id = 2203 \gset
-- what is done to a retweet is done to its original
SELECT id = :post, like_count, liked FROM roost.post_like(2204, :retweet);
SELECT id = :post, retweet_count FROM roost.post_retweet(2204, :retweet);
SELECT id = :post, bookmarked FROM roost.post_bookmark(2204, :retweet);
SELECT id = :post, like_count FROM roost.post_unlike(2204, :retweet);
SELECT id = :post, retweet_count FROM roost.post_unretweet(2204, :retweet);
SELECT id = :post, bookmarked FROM roost.post_unbookmark(2204, :retweet);
SELECT username FROM roost.post_like_list(:retweet);
SELECT retweet_count, retweeted FROM roost.post_unretweet(2203, :post);
SELECT retweet_count, retweeted FROM roost.post_unretweet(2203, :post);
SELECT count(*) FROM roost_data.post WHERE id = :retweet;
-- deleting a retweet like any own post
SELECT retweet_count FROM roost.post_retweet(2203, :post);
SELECT id AS retweet FROM roost_data.post WHERE retweet_of_id = :post AND author_id = 2203 \gset
SELECT (retweet_of).id = :post FROM roost.post_delete(2203, :retweet);
SELECT retweet_count FROM roost.post_get(:post);

-- bookmarks are nobody else's business
SELECT bookmarked FROM roost.post_bookmark(2205, :post);
SELECT bookmarked FROM roost.post_bookmark(2205, :post);
SELECT bookmarked FROM roost.post_get(:post, 2201);
SELECT id = :post AS post, cursor <> id AS cursor FROM roost.bookmark_list(2205);
SELECT count(*) FROM roost.bookmark_list(2201);
SELECT bookmarked FROM roost.post_unbookmark(2205, :post);
SELECT bookmarked FROM roost.post_unbookmark(2205, :post);

-- pages run by when a post was put aside, not by when it was written
CREATE TEMP TABLE many AS SELECT n, (roost.post_create(2201, 'post ' || n)).id FROM generate_series(1, 5) n;
SELECT count(roost.post_bookmark(2206, id)) FROM (SELECT id FROM many ORDER BY n DESC) m;
SELECT text FROM roost.bookmark_list(2206, "limit" => 2);
SELECT min(cursor) AS last FROM roost.bookmark_list(2206, "limit" => 2) \gset
SELECT text FROM roost.bookmark_list(2206, "limit" => 2, before => :'last');
SELECT text FROM roost.bookmark_list(2206, after => :'last');

-- pins: five of one's own
SELECT count(*) FROM many m, roost.post_pin(2201, m.id) p WHERE p.pinned;
SELECT pinned FROM roost.post_pin(2201, (SELECT id FROM many WHERE n = 3));
SELECT text FROM roost.pin_list('@fan_1');
SELECT roost.post_pin(2201, :post);
\echo :LAST_ERROR_SQLSTATE
SELECT pinned FROM roost.post_unpin(2201, (SELECT id FROM many WHERE n = 3));
SELECT pinned FROM roost.post_unpin(2201, (SELECT id FROM many WHERE n = 3));
SELECT pinned FROM roost.post_pin(2201, :post);
SELECT text FROM roost.pin_list('2201');
SELECT roost.post_pin(2202, :post);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_unpin(2202, :post);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_pin(2207, (SELECT id FROM roost.post_create(2207, 'direct', visibility => 'direct')));
\echo :LAST_ERROR_SQLSTATE
SELECT retweeted FROM roost.post_retweet(2207, :post);
SELECT roost.post_pin(2207, (SELECT id FROM roost_data.post WHERE author_id = 2207 AND retweet_of_id = :post));
\echo :LAST_ERROR_SQLSTATE
SELECT roost.pin_list('@nobody_here');
\echo :LAST_ERROR_SQLSTATE

-- nothing to act on
SELECT roost.post_like(2201, 4711);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_unlike(2201, 4711);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_retweet(2201, 4711);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_unretweet(2201, 4711);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_bookmark(2201, 4711);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_unbookmark(2201, 4711);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_pin(2201, 4711);
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
