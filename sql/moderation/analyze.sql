-- Analyzers of text and links.

CREATE OR REPLACE FUNCTION roost.text_normalize(text text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_moderation_text_normalize';
COMMENT ON FUNCTION roost.text_normalize(text) IS 'What a reader sees of a text, so that it can be compared: NFKC with the case folded, styled letters plain, invisible characters and ornamental marks gone, letters of other scripts in a Latin word Latin (and the other way round), runs of blanks one space.';

CREATE OR REPLACE FUNCTION roost.text_skeleton(text text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_moderation_text_skeleton';
COMMENT ON FUNCTION roost.text_skeleton(text) IS 'What a text looks like: as roost.text_normalize(), but without any marks, and whole words and signs as the Latin letters that they may be taken for. Two texts with one skeleton look alike.';

CREATE OR REPLACE FUNCTION roost.gibberish_score(text text) RETURNS real
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_moderation_gibberish_score';
COMMENT ON FUNCTION roost.gibberish_score(text) IS 'The part of a text''s letters, 0 to 1, that lie in words of no language: keys struck at random, random strings. 0 for what is too short to tell; links, mentions, hashtags, numbers and abbreviations do not count.';

CREATE OR REPLACE FUNCTION roost.text_simhash(text text) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_moderation_text_simhash';
COMMENT ON FUNCTION roost.text_simhash(text) IS 'A fingerprint of 64 bits: texts with the same words have the same, and few different words change few bits (roost.simhash_distance). Case, spacing, punctuation, emoji, marks, look-alikes, mentions and paths of links make no difference. Texts of fewer than three different words are near only if they are equal. 0 for an empty text. It never changes between versions.';

CREATE OR REPLACE FUNCTION roost.simhash_distance(a bigint, b bigint) RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_moderation_simhash_distance';
COMMENT ON FUNCTION roost.simhash_distance(bigint, bigint) IS 'How many of the 64 bits of two fingerprints differ. Up to 12 they are copies of each other, with a word or two changed.';

CREATE OR REPLACE FUNCTION roost_internal.simhash_keys(simhash bigint) RETURNS smallint[]
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_moderation_simhash_keys';
REVOKE ALL ON FUNCTION roost_internal.simhash_keys(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.simhash_keys(bigint) IS 'Eight keys, 0 to 2047, by which an index finds fingerprints that are near: any two within 7 bits have one in common, of copies with one word changed 19 in 20.';

CREATE OR REPLACE FUNCTION roost.profanity_score(text text, language text DEFAULT NULL) RETURNS roost.profanity_result
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_moderation_profanity_score';
REVOKE ALL ON FUNCTION roost.profanity_score(text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost.profanity_score(text, text) IS 'Words of roost_data.moderation_word in a text, also disguised ones: look-alikes, digits and signs for letters, letters repeated, set apart or covered. With a language its list, that for all, and that of another language if the text is clearly in that; without one every list, where those of other languages than the text seems to be in weigh less. 0.5 and more is worth acting on.';

CREATE OR REPLACE FUNCTION roost.url_analyze(url text, shown text DEFAULT NULL) RETURNS roost.url_report
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_moderation_url_analyze';
REVOKE ALL ON FUNCTION roost.url_analyze(text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost.url_analyze(text, text) IS 'What a link is made of and what of it may deceive, read as browsers read it; shown is the text under which it stands. Nothing is fetched or resolved.';

CREATE OR REPLACE FUNCTION roost_internal.url_host(url text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_moderation_url_host';
REVOKE ALL ON FUNCTION roost_internal.url_host(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.url_host(text) IS 'The host of a link, as roost_data.moderation_url_host has it; null if there is none.';

CREATE OR REPLACE FUNCTION roost.moderation_word_import(language text, words text[], severity real DEFAULT 0.7, kind text DEFAULT 'profanity', whole_word boolean DEFAULT true) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	v_count integer;
BEGIN
	INSERT INTO roost_data.moderation_word AS w (language, word, severity, kind, whole_word)
	SELECT DISTINCT ON (t.word) lower(coalesce(moderation_word_import.language, '')), t.word, moderation_word_import.severity, moderation_word_import.kind, moderation_word_import.whole_word
	FROM (SELECT btrim(u.word, E' \t\r\n') AS word FROM unnest(moderation_word_import.words) u (word)) t
	WHERE t.word <> ''
	ON CONFLICT ON CONSTRAINT moderation_word_pkey DO NOTHING;
	GET DIAGNOSTICS v_count = ROW_COUNT;
	RETURN v_count;
END;
$$;
REVOKE ALL ON FUNCTION roost.moderation_word_import(text, text[], real, text, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost.moderation_word_import(text, text[], real, text, boolean) IS 'Adds words to the list of a language (null or empty: for all) and returns how many are new; those that it has stay as they are. string_to_array(pg_read_file(''/path/en''), E''\n'') reads a file of one word a line.';
