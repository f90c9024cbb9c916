-- Types of the search module.

CREATE DOMAIN roost.search_text AS text CHECK (char_length(VALUE) <= 500);
COMMENT ON DOMAIN roost.search_text IS 'What somebody looks for: at most 500 characters.';

CREATE TYPE roost.search_type AS ENUM ('all', 'posts', 'accounts', 'hashtags', 'tweets', 'users');
COMMENT ON TYPE roost.search_type IS 'What is looked for: all kinds, or one. tweets is posts, users is accounts.';

CREATE TYPE roost.search_order AS ENUM ('recent', 'top');
COMMENT ON TYPE roost.search_order IS 'Of posts that were found: recent: newest first. top: by how well they match, what others did to them, and age.';

CREATE TYPE roost.search_hashtag AS (
	hashtag text,
	posts bigint
);
COMMENT ON TYPE roost.search_hashtag IS 'A hashtag that was found, in lower case, and how many public posts have it.';

CREATE TYPE roost.search_result AS (
	posts roost.post[],
	accounts roost.account[],
	hashtags roost.search_hashtag[],
	next text,
	partial boolean
);
COMMENT ON TYPE roost.search_result IS 'What was found, by kind; what was not looked for is null. next, where one kind was looked for: as "before" it gives the next page, null at the end. partial: the search has stopped before it had looked at everything; next goes on from there.';

CREATE TYPE roost.search_settings AS (
	posts_indexed boolean,
	by_email boolean
);
COMMENT ON TYPE roost.search_settings IS 'How an account can be found: posts_indexed: others find its posts; by_email: who knows its verified address exactly finds the account.';

CREATE TYPE roost.message_search AS (
	items roost.message[],
	next text,
	partial boolean
);
COMMENT ON TYPE roost.message_search IS 'Messages that were found, newest first. next: as "before" it gives the next page, null at the end. partial: the page ends early, for not more was looked at; next goes on from there.';
