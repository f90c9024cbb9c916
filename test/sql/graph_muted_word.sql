-- Muted words: folding, uniqueness, bounds, expiry; nobody else's.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;

INSERT INTO roost_data.account (id, username) SELECT 1900 + n, 'word_' || n FROM generate_series(1, 3) n;
SELECT roost_internal.clock_freeze('2026-03-01 12:00:00Z');

-- what is looked for is folded; what was typed is shown
SELECT phrase, whole_word, expires_at FROM roost.muted_word_create(1901, E'  Spoiler \t Alert ');
SELECT phrase, whole_word, expires_at FROM roost.muted_word_create(1901, '#Ｆｕｌｌ', false, 86400);
SELECT phrase FROM roost.muted_word_create(1901, 'ÉCOLE');
SELECT phrase, folded, whole_word FROM roost_data.muted_word WHERE account_id = 1901 ORDER BY id;
SELECT phrase FROM roost.muted_word_list(1901);
SELECT phrase FROM roost.muted_word_list(1902);

-- the same, written otherwise, is muted already
SELECT roost.muted_word_create(1901, 'spoiler alert');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.muted_word_create(1901, 'école');
\echo :LAST_ERROR_SQLSTATE
SELECT phrase FROM roost.muted_word_create(1902, 'école');

-- changes; duration 0 is without an end
SELECT w.id AS full_id FROM roost.muted_word_list(1901) w WHERE w.phrase LIKE '#%' \gset
SELECT w.id AS other_id FROM roost.muted_word_list(1902) w \gset
\set quoted_id '\'' :full_id '\''
SELECT phrase, whole_word, expires_at FROM roost.muted_word_update(1901, :quoted_id, whole_word => true);
SELECT phrase, whole_word, expires_at FROM roost.muted_word_update(1901, :quoted_id, duration => 60);
SELECT phrase, whole_word, expires_at FROM roost.muted_word_update(1901, :quoted_id, duration => 0, phrase => '#Empty');
SELECT roost.muted_word_update(1901, :quoted_id, phrase => 'ÉCOLE ');
\echo :LAST_ERROR_SQLSTATE
SELECT phrase FROM roost.muted_word_update(1901, :quoted_id, phrase => '#EMPTY');
SELECT roost.muted_word_update(1902, :quoted_id, phrase => 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.muted_word_delete(1902, :quoted_id);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.muted_word_delete(1901, :quoted_id);
SELECT roost.muted_word_delete(1901, :quoted_id);
\echo :LAST_ERROR_SQLSTATE

-- expired ones are gone, and make room
SELECT roost.muted_word_update(1902, :'other_id', duration => 10) IS NULL;
SELECT roost_internal.clock_freeze('2026-03-01 12:00:10Z');
SELECT phrase FROM roost.muted_word_list(1902);
SELECT roost.muted_word_delete(1902, :'other_id');
\echo :LAST_ERROR_SQLSTATE
SELECT phrase FROM roost.muted_word_create(1902, 'école');

-- refusals
SELECT roost.muted_word_create(1901, p) FROM (VALUES ('   ')) t (p);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.muted_word_create(1901, '#');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.muted_word_create(1901, E'a\u0007b');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.muted_word_create(1901, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.muted_word_create(1901, repeat('x', 101));
\echo :LAST_ERROR_SQLSTATE
SELECT roost.muted_word_create(1901, repeat('ﷺ', 60));
\echo :LAST_ERROR_SQLSTATE
SELECT roost.muted_word_create(1901, 'x', duration => 0);
\echo :LAST_ERROR_SQLSTATE
SELECT count(roost.muted_word_create(1903, 'w' || n)) FROM generate_series(1, 200) n;
SELECT roost.muted_word_create(1903, 'one more');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM roost.muted_word_list(1903);

-- one takes them along
SELECT jsonb_array_length(roost_internal.graph_export(1901)->'muted_words'), roost_internal.graph_export(1901)->'muted_words'->0->>'phrase';

ROLLBACK;
SELECT roost_internal.clock_freeze(NULL);
