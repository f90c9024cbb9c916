-- The text of posts.

CREATE OR REPLACE FUNCTION roost.text_entities(text text) RETURNS jsonb
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_post_text_entities';
COMMENT ON FUNCTION roost.text_entities(text) IS 'What is found in a text: {"mentions": [{"username", "start", "end"}], "hashtags": [{"hashtag", …}], "cashtags": [{"cashtag", …}], "urls": [{"url", …}]}, each list in the order of the text. start and end (exclusive) count code points and take in the @, # or $. A mention that goes on as @user/words has the words as "list". Nothing is looked up; whether a user exists is not known here.';

CREATE OR REPLACE FUNCTION roost_internal.post_entities(text text, OUT mention_ids bigint[], OUT hashtags text[], OUT mentions jsonb, OUT urls jsonb)
LANGUAGE c STABLE STRICT
AS 'MODULE_PATHNAME', 'roost_post_entities';
REVOKE ALL ON FUNCTION roost_internal.post_entities(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_entities(text) IS 'What a post keeps of its text, for the columns of roost_data.post: ids of the active accounts mentioned, folded hashtags, mentions and links with their positions. NULL where there is none.';

CREATE OR REPLACE FUNCTION roost_internal.post_text_normal(text text, limited boolean) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_post_text_normal';
REVOKE ALL ON FUNCTION roost_internal.post_text_normal(text, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_text_normal(text, boolean) IS 'The text in NFC. If limited, 22001 when it then has more than roost.post_max_length characters.';

CREATE OR REPLACE FUNCTION roost_internal.text_is_blank(text text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_post_text_is_blank';
REVOKE ALL ON FUNCTION roost_internal.text_is_blank(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.text_is_blank(text) IS 'Whether a reader would see nothing of the text: it is empty, or all spaces and invisible characters.';

CREATE OR REPLACE FUNCTION roost_internal.hashtag_fold(hashtag text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_post_hashtag_fold';
REVOKE ALL ON FUNCTION roost_internal.hashtag_fold(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.hashtag_fold(text) IS 'A hashtag as it is stored: in NFKC and lower case.';

CREATE OR REPLACE FUNCTION roost_internal.post_path(username text, id bigint, text text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_post_path_sql';
REVOKE ALL ON FUNCTION roost_internal.post_path(text, bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_path(text, bigint, text) IS 'A post''s permalink: /@username/words-of-the-text-id. roost.url_resolve() reads only the id.';
