-- Types of the post module: the wire format of a post, and its validation.

CREATE DOMAIN roost.post_text AS text CHECK (octet_length(VALUE) <= 65536 AND VALUE !~ '[\u0001-\u0008\u000b-\u001f\u007f-\u009f]');
COMMENT ON DOMAIN roost.post_text IS 'The text of a post: up to 64 KiB of UTF-8, without control characters other than newline and tab. How many characters roost.post_create() takes is the setting roost.post_max_length.';

CREATE DOMAIN roost.post_warning AS text CHECK (char_length(VALUE) <= 300 AND VALUE !~ '[\u0001-\u001f\u007f-\u009f]');
COMMENT ON DOMAIN roost.post_warning IS 'A content warning: one line of up to 300 characters, shown instead of the text until the reader asks for it.';

CREATE DOMAIN roost.post_media AS jsonb CHECK (
	VALUE IS NULL OR CASE WHEN jsonb_typeof(VALUE) = 'array' THEN
		jsonb_array_length(VALUE) <= 10
		AND octet_length(VALUE::text) <= 65536
		AND NOT jsonb_path_exists(VALUE, 'strict $[*] ? (!(@.type() == "object"))')
		AND NOT jsonb_path_exists(VALUE, 'lax $[*] ? (!(@.url.type() == "string" && @.url like_regex "^https?://[^[:space:]\"<>]+$"))')
		AND NOT jsonb_path_exists(VALUE, 'lax $[*] ? (!(@."type".type() == "string" && (@."type" == "image" || @."type" == "video" || @."type" == "audio")))')
		AND NOT jsonb_path_exists(VALUE, 'lax $[*] ? (exists(@.preview_url) && !(@.preview_url.type() == "string" && @.preview_url like_regex "^https?://[^[:space:]\"<>]+$"))')
		AND NOT jsonb_path_exists(VALUE, 'lax $[*] ? (exists(@.description) && !(@.description.type() == "string"))')
		AND NOT jsonb_path_exists(VALUE, 'lax $[*] ? (exists(@.width) && !(@.width.type() == "number" && @.width > 0 && @.width <= 65535))')
		AND NOT jsonb_path_exists(VALUE, 'lax $[*] ? (exists(@.height) && !(@.height.type() == "number" && @.height > 0 && @.height <= 65535))')
		AND NOT jsonb_path_exists(VALUE, 'lax $[*].keyvalue() ? (!(@.key == "url" || @.key == "type" || @.key == "preview_url" || @.key == "description" || @.key == "width" || @.key == "height"))')
	ELSE false END);
COMMENT ON DOMAIN roost.post_media IS 'What is attached to a post: a list of up to 10 objects {"url" (http or https), "type" (image, video or audio), and optionally "preview_url", "description" (for those who do not see it), "width" and "height" (pixels)}.';

CREATE DOMAIN roost.hashtag AS text CHECK (char_length(VALUE) BETWEEN 1 AND 280 AND VALUE !~ '[[:space:][:cntrl:]#]');
COMMENT ON DOMAIN roost.hashtag IS 'A hashtag without its #, in any case.';

CREATE TYPE roost.visibility AS ENUM ('public', 'unlisted', 'followers', 'direct');
COMMENT ON TYPE roost.visibility IS 'Who sees a post: public (everyone, and it is listed), unlisted (everyone who has the link, not in public lists), followers (the author''s followers and those mentioned), direct (those mentioned). Posts of a private account are seen by its followers at most.';

CREATE TYPE roost.post_state AS ENUM ('visible', 'limited', 'held', 'removed');
COMMENT ON TYPE roost.post_state IS 'What moderators or filters have decided about a post: visible; limited (in no public list); held (only its author sees it until a moderator releases it); removed (only its author sees it).';

CREATE TYPE roost.post_embed AS (
	id roost.id,
	author roost.author,
	text text,
	created_at timestamptz,
	edited_at timestamptz,
	visibility roost.visibility,
	reply_to_id roost.id,
	reply_to_account_id roost.id,
	thread_id roost.id,
	quote_of_id roost.id,
	like_count bigint,
	retweet_count bigint,
	reply_count bigint,
	quote_count bigint,
	liked boolean,
	retweeted boolean,
	bookmarked boolean,
	pinned boolean,
	mentions jsonb,
	hashtags text[],
	urls jsonb,
	media jsonb,
	language text,
	content_warning text,
	url text,
	state roost.post_state,
	labels text[]
);
COMMENT ON TYPE roost.post_embed IS 'A post inside another one. thread_id is the first post of the thread; liked, retweeted and bookmarked speak of the reader and are false for anonymous ones; pinned says that its author has pinned it; mentions is a list of {id, username, start, end} and urls of {url, start, end}, positions in code points of text, end exclusive; hashtags are in lower case without #; media is the list given by the author; url is the permalink; state is visible, held or removed (the last two for its author alone), and labels are words that moderators or filters have put on it.';

CREATE TYPE roost.post AS (
	id roost.id,
	author roost.author,
	text text,
	created_at timestamptz,
	edited_at timestamptz,
	visibility roost.visibility,
	reply_to_id roost.id,
	reply_to_account_id roost.id,
	thread_id roost.id,
	quote_of_id roost.id,
	like_count bigint,
	retweet_count bigint,
	reply_count bigint,
	quote_count bigint,
	liked boolean,
	retweeted boolean,
	bookmarked boolean,
	pinned boolean,
	mentions jsonb,
	hashtags text[],
	urls jsonb,
	media jsonb,
	language text,
	content_warning text,
	url text,
	retweet_of roost.post_embed,
	quote_of roost.post_embed,
	cursor bigint,
	state roost.post_state,
	labels text[]
);
COMMENT ON TYPE roost.post IS 'A post as its reader sees it: the fields of roost.post_embed, then the post it retweets (its own text is then empty) and the post it quotes (null where the reader may not see that one). cursor is its position in a list and never written to JSON.';

CREATE TYPE roost.post_revision AS (
	revision integer,
	text text,
	content_warning text,
	language text,
	media jsonb,
	created_at timestamptz
);
COMMENT ON TYPE roost.post_revision IS 'One version of a post''s content: revision counts from 1, the newest is the present one; created_at is when it was written.';

CREATE TYPE roost.post_context AS (
	ancestors roost.post[],
	descendants roost.post[]
);
COMMENT ON TYPE roost.post_context IS 'The thread around a post, each part oldest first: ancestors from the start of the thread down to the post it answers, descendants all answers under it.';

CREATE TYPE roost.resolved AS (
	type text,
	id roost.id,
	url text,
	account roost.account,
	post roost.post
);
COMMENT ON TYPE roost.resolved IS 'What an address stands for: type is account or post, id its id, url the present form of the address; account or post is the thing itself.';
