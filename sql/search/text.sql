-- Texts and queries as PostgreSQL's text search has them.

CREATE OR REPLACE FUNCTION roost_internal.search_vector(text text, language text, marks text[]) RETURNS tsvector
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'roost_search_vector';
REVOKE ALL ON FUNCTION roost_internal.search_vector(text, text, text[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_vector(text, text, text[]) IS 'What is indexed of a text: its words (weight A) and their stems in the language (weight D), in NFKC, lower case and without accents; pairs of characters in scripts without spaces; #tags, @names and $tags; has:link if there is one; the marks as they are. Of links only the host. Null is an empty text.';

CREATE OR REPLACE FUNCTION roost_internal.search_name_vector(username text, display_name text) RETURNS tsvector
LANGUAGE c STABLE STRICT
AS 'MODULE_PATHNAME', 'roost_search_name_vector';
REVOKE ALL ON FUNCTION roost_internal.search_name_vector(text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_name_vector(text, text) IS 'What is indexed of an account: the words of its names, and their trigrams with ~ in front.';

CREATE OR REPLACE FUNCTION roost_internal.search_trigrams(name text) RETURNS text[]
LANGUAGE c STABLE STRICT
AS 'MODULE_PATHNAME', 'roost_search_trigram_array';
REVOKE ALL ON FUNCTION roost_internal.search_trigrams(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_trigrams(text) IS 'The trigrams of a name, with ~ in front, in their order: three neighbours in each word, with two blanks before it and one behind.';

CREATE OR REPLACE FUNCTION roost_internal.search_similarity(a text, b text) RETURNS real
LANGUAGE c STABLE STRICT
AS 'MODULE_PATHNAME', 'roost_search_similarity';
REVOKE ALL ON FUNCTION roost_internal.search_similarity(text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_similarity(text, text) IS 'How similar two names are: trigrams that both have by those that either has, 0 to 1.';

CREATE OR REPLACE FUNCTION roost_internal.search_query(
	q text, reader_id bigint, language text, language_too text,
	OUT exact text, OUT loose text, OUT rank text, OUT since timestamptz, OUT until timestamptz)
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'roost_search_query';
REVOKE ALL ON FUNCTION roost_internal.search_query(text, bigint, text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_query(text, bigint, text, text) IS 'What somebody has typed, as text for tsquery: exact is what is meant; loose matches at least as much and needs no positions; rank are the words to rank by; each null if it says nothing. Posts from since on, before until. Words are looked for as they are and by their stems in both languages, or in that of lang:. reader_id (null: a stranger) is who "me" is. 22023, column q, for a filter whose value means nothing.';

CREATE OR REPLACE FUNCTION roost_internal.search_text(text text, content_warning text, media jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF content_warning IS NULL AND media IS NULL THEN
		RETURN text;
	ELSIF jsonb_typeof(media) IS DISTINCT FROM 'array' THEN
		RETURN concat_ws(E'\n', text, content_warning);
	END IF;
	RETURN concat_ws(E'\n', text, content_warning,
		(SELECT string_agg(m.item->>'description', E'\n' ORDER BY m.n) FROM jsonb_array_elements(media) WITH ORDINALITY m (item, n)));
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_text(text, text, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_text(text, text, jsonb) IS 'What a post can be found by: its text, its content warning, and the descriptions of its media.';

CREATE OR REPLACE FUNCTION roost_internal.search_marks(
	author_id bigint, visibility roost.visibility, reply_to_id bigint, reply_to_account_id bigint, quote_of_id bigint,
	language text, mention_ids bigint[], media jsonb
) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_marks text[] := ARRAY['seen:' || visibility, 'from:' || author_id];
BEGIN
	IF language IS NOT NULL THEN
		v_marks := v_marks || ('lang:' || lower(split_part(language, '-', 1)));
	END IF;
	IF reply_to_id IS NOT NULL THEN
		v_marks := v_marks || ARRAY['is:reply', 'to:' || reply_to_account_id];
	END IF;
	IF quote_of_id IS NOT NULL THEN
		v_marks := v_marks || 'is:quote'::text;
	END IF;
	IF mention_ids IS NOT NULL THEN
		v_marks := v_marks || ARRAY(SELECT 'to:' || m.id FROM unnest(mention_ids) m (id));
	END IF;
	IF jsonb_typeof(media) = 'array' THEN
		v_marks := v_marks || 'has:media'::text || ARRAY(SELECT 'has:' || (m.item->>'type') FROM jsonb_array_elements(media) m (item));
	END IF;
	RETURN v_marks;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_marks(bigint, roost.visibility, bigint, bigint, bigint, text, bigint[], jsonb) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_marks(bigint, roost.visibility, bigint, bigint, bigint, text, bigint[], jsonb) IS 'What a post can be found by besides its text: seen: its visibility, from: its author, to: whom it answers or mentions, is:reply, is:quote, lang:, has: media and its kinds.';
