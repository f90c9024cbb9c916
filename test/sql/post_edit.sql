-- Editing posts, and their history.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;

INSERT INTO roost_data.account (id, username) SELECT 2300 + n, 'editor_' || n FROM generate_series(1, 3) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'editor_' || n, 2300 + n FROM generate_series(1, 3) n;
SELECT id AS post FROM roost.post_create(2301, 'first #one @editor_2', content_warning => 'w', language => 'en') \gset

-- what is not given stays
SELECT text, content_warning, language, hashtags, mentions, edited_at >= created_at FROM roost.post_edit(2301, :post, 'second #two @editor_3 example.org');
SELECT text, content_warning, language FROM roost.post_edit(2301, :post, content_warning => '');
SELECT text, content_warning, language FROM roost.post_edit(2301, :post, language => 'de');
SELECT jsonb_array_length(media) FROM roost.post_edit(2301, :post, media => '[{"url": "https://cdn.example/a.png", "type": "image"}]');
SELECT media FROM roost.post_edit(2301, :post, media => '[]');
SELECT revision, text, content_warning, language, media FROM roost.post_history(:post);
SELECT count(*) = 6 AND bool_and(created_at >= before) AS ascending
FROM (SELECT created_at, lag(created_at, 1, created_at) OVER (ORDER BY revision) AS before FROM roost.post_history(:post)) h;

-- ids may run ahead of the clock; an edit is never older than its post
SELECT roost_internal.clock_freeze('2001-01-01 00:00:00+00');
SELECT edited_at >= created_at FROM roost.post_edit(2301, :post, 'third #two @editor_3 example.org');
SELECT roost_internal.clock_freeze(NULL);
SELECT edited_at >= created_at FROM roost.post_edit(2301, :post, 'second #two @editor_3 example.org');

-- a change that changes nothing leaves no trace
SELECT edited_at AS edited FROM roost.post_get(:post) \gset
SELECT edited_at = :'edited' FROM roost.post_edit(2301, :post, 'second #two @editor_3 example.org');
SELECT edited_at = :'edited' FROM roost.post_edit(2301, :post);
SELECT count(*) FROM roost.post_history(:post);

-- tag pages follow text and visibility
SELECT (SELECT count(*) FROM roost.hashtag_post_list('one')), (SELECT count(*) FROM roost.hashtag_post_list('two'));
SELECT visibility FROM roost.post_edit(2301, :post, visibility => 'unlisted');
SELECT count(*) FROM roost.hashtag_post_list('two');
SELECT visibility FROM roost.post_edit(2301, :post, visibility => 'public');
SELECT count(*) FROM roost.hashtag_post_list('two');
SELECT count(*) FROM roost.post_history(:post);

-- a direct post is on no profile
SELECT pinned FROM roost.post_pin(2301, :post);
SELECT pinned, visibility FROM roost.post_edit(2301, :post, visibility => 'direct');

-- refusals
SELECT roost.post_edit(2301, :post, '');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_edit(2301, :post, repeat('x', 501));
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_edit(2303, :post, 'mine');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_edit(2302, :post, 'mine');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_edit(2301, 4711, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT visibility FROM roost.post_edit(2301, :post, visibility => 'public');
SELECT retweeted FROM roost.post_retweet(2302, :post);
SELECT roost.post_edit(2302, (SELECT id FROM roost_data.post WHERE retweet_of_id = :post), 'x');
\echo :LAST_ERROR_SQLSTATE
-- what was for fewer stays theirs when the post is for more
SELECT id AS few FROM roost.post_create(2301, 'for followers', visibility => 'followers') \gset
SELECT text, visibility FROM roost.post_edit(2301, :few, 'for all', 'public');
SELECT text FROM roost.post_edit(2301, :few, 'again for all');
SELECT 'author' AS viewer, revision, text FROM roost.post_history(:few, 2301)
UNION ALL SELECT 'other', revision, text FROM roost.post_history(:few, 2302) UNION ALL SELECT 'stranger', revision, text FROM roost.post_history(:few) ORDER BY 1, 2;
-- with a quote or media the text may go
SELECT id AS quote FROM roost.post_create(2302, 'x', quote_of_id => :post) \gset
SELECT text, (quote_of).id = :post FROM roost.post_edit(2302, :quote, '');
ROLLBACK;
