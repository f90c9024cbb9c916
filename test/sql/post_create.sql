-- Posting, answering, quoting, and reading one post.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;

INSERT INTO roost_data.account (id, username, display_name) SELECT 2000 + n, 'Author_' || n, 'Author ' || n FROM generate_series(1, 5) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'author_' || n, 2000 + n FROM generate_series(1, 5) n;

-- everything a post has
SELECT id AS post FROM roost.post_create(2001, 'Hi @author_2, @AUTHOR_2 and @nobody: #Cafe #cafe https://example.org/x',
	visibility => 'unlisted', content_warning => 'coffee', language => 'en-GB',
	media => '[{"url": "https://cdn.example/a.png", "type": "image", "description": "a hen"}]') \gset
\pset format aligned
\x on
SELECT p.id = :post AS id, p.author, p.text, p.created_at = roost.id_time(:post) AS created_at, p.edited_at, p.visibility,
	p.reply_to_id, p.reply_to_account_id, p.thread_id = :post AS thread_id, p.quote_of_id,
	p.like_count, p.retweet_count, p.reply_count, p.quote_count, p.liked, p.retweeted, p.bookmarked, p.pinned,
	p.mentions, p.hashtags, p.urls, p.media, p.language, p.content_warning,
	replace(p.url, :'post', 'ID') AS url, p.retweet_of IS NULL AS no_retweet, p.quote_of IS NULL AS no_quote, p.cursor = :post AS cursor
FROM roost.post_get(:post) p;
\x off
\pset format unaligned
SELECT roost.id_bucket(:post) = roost.id_bucket(2001);

-- what is not given
SELECT visibility, language, content_warning, mentions, hashtags, urls, media, replace(url, id::text, 'ID') AS url FROM roost.post_create(2001, 'plain');
SELECT visibility, content_warning, media FROM roost.post_create(2001, 'plain', visibility => NULL, content_warning => '', media => '[]');
-- the text is stored in NFC
SELECT text = U&'\00e9' FROM roost.post_create(2001, U&'e\0301');

-- answers make a thread, also under an answer, and count
SELECT id AS reply FROM roost.post_create(2002, 'an answer', reply_to_id => :post) \gset
SELECT id AS reply2 FROM roost.post_create(2003, 'an answer to the answer', reply_to_id => :reply) \gset
SELECT reply_to_id = :reply, reply_to_account_id, thread_id = :post FROM roost.post_get(:reply2);
SELECT (roost.post_get(:post)).reply_count, (roost.post_get(:reply)).reply_count, (roost.post_get(:reply2)).reply_count;

-- quotes hold the post they quote, and count; a quote needs no text
SELECT id AS quote FROM roost.post_create(2003, quote_of_id => :post) \gset
SELECT quote_of_id = :post, (quote_of).text, ((quote_of).author).username, (quote_of).quote_count FROM roost.post_get(:quote);
SELECT quote_of_id = :quote, ((quote_of).author).username, (quote_of).quote_of_id = :post FROM roost.post_create(2004, 'quoting the quote', quote_of_id => :quote);

-- what is done to a retweet goes to its original
SELECT (roost.post_retweet(2005, :post)).retweet_count;
SELECT id AS retweet FROM roost_data.post WHERE author_id = 2005 \gset
SELECT reply_to_id = :post, thread_id = :post FROM roost.post_create(2004, 'to a retweet', reply_to_id => :retweet);
SELECT quote_of_id = :post FROM roost.post_create(2004, 'of a retweet', quote_of_id => :retweet);
SELECT text, retweet_count, (retweet_of).id = :post, (retweet_of).retweet_count, quote_of IS NULL, (author).username FROM roost.post_get(:retweet);

-- refusals
SELECT roost.post_create(2001);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_create(2001, E' \n ');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_create(2001, repeat('x', 501));
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_create(2001, 'x', reply_to_id => 4711);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_create(2001, 'x', quote_of_id => 4711);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_create(2001, 'x', visibility => 'nobody');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_create(4711, 'x');
\echo :LAST_ERROR_SQLSTATE
UPDATE roost_data.account SET status = 'suspended' WHERE id = 2005;
SELECT roost.post_create(2005, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_get(4711);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.post_get(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM roost_data.post WHERE author_id BETWEEN 2001 AND 2005;

-- a setting decides how long a text may be
SET LOCAL roost.post_max_length = 600;
SELECT length(text) FROM roost.post_create(2001, repeat('x', 600));
SET roost.post_max_length = 0;
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
