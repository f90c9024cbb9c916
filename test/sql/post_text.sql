-- The text of posts: what is found in it, its normal form, its rules.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;

-- what is found, with positions in code points
SELECT jsonb_pretty(roost.text_entities('Ünï @ada_l, @team/news (#Café) $ROOST https://example.org/a_(b)?c=d#e. x.co'));
SELECT roost.text_entities('') = roost.text_entities('nothing to be found here, not even 5 % of an e-mail@address');
SELECT roost.text_entities(NULL) IS NULL;
-- a name longer than any user's, a tag without a letter, a link in a tag, a tag in a link
SELECT roost.text_entities('@' || repeat('a', 31) || ' @' || repeat('a', 30)) -> 'mentions';
SELECT roost.text_entities('#123 #1a # a#b http://example.com/#tag #example.com') -> 'hashtags' @> '[{"hashtag": "1a"}]',
	jsonb_array_length(roost.text_entities('#123 #1a # a#b http://example.com/#tag #example.com') -> 'hashtags');
-- long texts
SELECT count(*) FROM jsonb_array_elements(roost.text_entities(repeat('@a #b $C d.com ', 4000)) -> 'urls');
SELECT jsonb_array_length(roost.text_entities(repeat('あ_あ.', 8000) || 'com') -> 'urls');
SELECT jsonb_array_length(roost.text_entities('http://example.com/' || repeat('(', 30000)) -> 'urls');
SELECT jsonb_array_length(roost.text_entities(repeat('a.', 30000) || 'com') -> 'urls');
SELECT jsonb_array_length(roost.text_entities(repeat('x-', 30000) || '.com') -> 'urls');

-- normal form, and length after it
SELECT roost_internal.post_text_normal(U&'e\0301', true) = U&'\00e9', roost_internal.post_text_normal('plain', true), roost_internal.post_text_normal(U&'\1100\1161', true) = U&'\ac00';
SELECT length(roost_internal.post_text_normal(repeat(U&'e\0301', 500), true));
SELECT roost_internal.post_text_normal(repeat(U&'e\0301', 501), true);
\echo :LAST_ERROR_SQLSTATE
SELECT length(roost_internal.post_text_normal(repeat('x', 501), false));
SET LOCAL roost.post_max_length = 10;
SELECT roost_internal.post_text_normal('12345678901', true);
\echo :LAST_ERROR_SQLSTATE
RESET roost.post_max_length;

-- blank is what nobody sees
SELECT t, roost_internal.text_is_blank(t) FROM (VALUES (''), (E' \n\t'), (U&'\200b\2060\feff'), (U&'\3000\00a0'), ('.'), (U&'\200b.')) v(t);

-- hashtags are the same in any case and width
SELECT roost_internal.hashtag_fold('Café'), roost_internal.hashtag_fold('ＲＯＯＳＴ'), roost_internal.hashtag_fold('ΣΊΣΥΦΟΣ'), roost_internal.hashtag_fold('漢字');

-- permalinks
SELECT roost_internal.post_path('ada', 7, t) FROM (VALUES ('Hello, World!'), ('Élan vital, it''s a Łódź & Straße'), ('漢字'), (''),
	('one two three four five six seven eight nine ten'), (repeat('x', 100)), ('short ' || repeat('x', 100)), ('../../etc?x=<b>')) v(t);

-- domains
SELECT E'tab\tand\nnewline'::roost.post_text IS NOT NULL;
SELECT E'bell\x07'::roost.post_text;
\echo :LAST_ERROR_SQLSTATE
SELECT E'carriage\rreturn'::roost.post_text;
\echo :LAST_ERROR_SQLSTATE
SELECT U&'\0085'::roost.post_text;
\echo :LAST_ERROR_SQLSTATE
SELECT length(repeat('x', 65536)::roost.post_text);
SELECT repeat('x', 65537)::roost.post_text;
\echo :LAST_ERROR_SQLSTATE
SELECT repeat('x', 301)::roost.post_warning;
\echo :LAST_ERROR_SQLSTATE
SELECT '#a'::roost.hashtag;
\echo :LAST_ERROR_SQLSTATE
SELECT ''::roost.hashtag;
\echo :LAST_ERROR_SQLSTATE
SELECT m, roost_internal.post_text_normal('', true) IS NOT NULL
FROM (VALUES ('[]'::roost.post_media), ('[{"url": "https://cdn.example/a.png", "type": "image", "description": "a hen", "width": 640, "height": 480, "preview_url": "http://cdn.example/b.png"}]')) v(m);
CREATE FUNCTION pg_temp.media(media jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM media::roost.post_media;
	RETURN 'good';
EXCEPTION WHEN check_violation THEN
	RETURN 'refused';
END
$$;
SELECT pg_temp.media(m), m FROM (VALUES
	('{}'::jsonb), ('"x"'), ('[1]'), ('[[]]'), ('[{}]'), ('null'),
	('[{"url": "https://a.example/x"}]'),
	('[{"type": "image"}]'),
	('[{"url": "javascript:alert(1)", "type": "image"}]'),
	('[{"url": "https://a.example/x y", "type": "image"}]'),
	('[{"url": 1, "type": "image"}]'),
	('[{"url": ["https://a.example/x"], "type": "image"}]'),
	('[{"url": "https://a.example/x", "type": "page"}]'),
	('[{"url": "https://a.example/x", "type": "image", "onload": "x"}]'),
	('[{"url": "https://a.example/x", "type": "image", "description": 5}]'),
	('[{"url": "https://a.example/x", "type": "image", "description": null}]'),
	('[{"url": "https://a.example/x", "type": "image", "preview_url": "data:x"}]'),
	('[{"url": "https://a.example/x", "type": "image", "width": "5"}]'),
	('[{"url": "https://a.example/x", "type": "image", "width": -5}]'),
	('[{"url": "https://a.example/x", "type": "image"}, {"url": "https://a.example/x", "type": "video"}]')) v(m);
SELECT pg_temp.media(jsonb_agg('{"url": "https://a.example/x", "type": "image"}'::jsonb)) FROM generate_series(1, 10);
SELECT pg_temp.media(jsonb_agg('{"url": "https://a.example/x", "type": "image"}'::jsonb)) FROM generate_series(1, 11);
ROLLBACK;
