-- What people type, and texts, as text search has them: words, stems, phrases, filters; hostile input.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
\pset footer off
BEGIN;
SET TimeZone = 'UTC';
SET client_min_messages = warning;
SET DateStyle = 'ISO';
INSERT INTO roost_data.account (id, username) VALUES (71001, 'Query_Ada'), (71002, 'query_bob');
INSERT INTO roost_data.account_handle (username, account_id) VALUES ('query_ada', 71001), ('query_bob', 71002);
-- every query must be a good tsquery, whatever was typed
CREATE FUNCTION pg_temp.q(q text, language text DEFAULT 'en', reader bigint DEFAULT 71001) RETURNS TABLE (exact text, loose text, rank text) LANGUAGE sql AS $$
	SELECT exact, loose, rank FROM roost_internal.search_query(q, reader, language, 'simple') WHERE (coalesce(exact, '')::tsquery, coalesce(loose, '')::tsquery, coalesce(rank, '')::tsquery) IS NOT NULL
$$;

-- words
SELECT exact, loose FROM pg_temp.q('friends');
SELECT exact, loose FROM pg_temp.q('Running the CAFÉ');
SELECT exact FROM pg_temp.q('läuft Häuser', 'de-AT');
SELECT exact FROM pg_temp.q('friends', 'xx');
SELECT exact FROM pg_temp.q('friends Freunde lang:de', 'en');
SELECT exact FROM roost_internal.search_query('running', NULL, NULL, 'english');
-- phrases, and words that are more than one
SELECT exact, loose, rank FROM pg_temp.q('"the running man" don''t foo-bar “curly quotes” "word"');
SELECT exact, loose FROM pg_temp.q('"never closed');
-- not, or, prefix
SELECT exact, loose FROM pg_temp.q('-bad -"very bad" -#tag good');
SELECT exact, loose FROM pg_temp.q('a b OR c OR "d e" f');
SELECT exact, loose FROM pg_temp.q('a OR -"d e" f');
SELECT exact FROM pg_temp.q('OR a OR OR b OR');
SELECT exact, loose FROM pg_temp.q('comp* foo-ba* * a *b');
-- filters
SELECT exact FROM pg_temp.q('#Café @Query_Ada $ABC # @ $ #a.b');
SELECT exact FROM pg_temp.q('from:Query_ADA from:@query_bob to:me -from:nobody FROM:me');
SELECT exact FROM pg_temp.q('from:me', reader => NULL);
SELECT exact FROM pg_temp.q('has:media HAS:Link has:image is:reply -is:quote lang:DE');
SELECT exact, since, until FROM roost_internal.search_query('since:2024-02-29 until:2026-01-01 since:2023-01-01', NULL, NULL, NULL);
SELECT exact FROM pg_temp.q('http://example.org/a?b=c foo:bar froms:x');
-- scripts without spaces, folding, what is not there
SELECT exact, loose FROM pg_temp.q('日本語 本 "日本 tea" ภาษา 한국어');
SELECT exact FROM pg_temp.q('ＦＵＬＬ naïve Straße Łódź Ærø ﬁne Ἀθήνα й');
SELECT exact FROM pg_temp.q(U&'zero\200Bwidth soft\00ADhyphen join\200Der مُحَمَّد');
SELECT exact IS NULL AS nothing FROM roost_internal.search_query('😀 ... !!! "" - -"" ()&|<->:*', NULL, 'en', NULL);
SELECT exact IS NULL AS nothing FROM roost_internal.search_query('', NULL, 'en', NULL);
SELECT exact IS NULL AS nothing FROM roost_internal.search_query(NULL, NULL, NULL, NULL);
SELECT exact, exact::tsquery FROM pg_temp.q('it''s \back'' '' & | ! <-> :*A (x');

-- filters that mean nothing
SELECT * FROM pg_temp.q('since:2026-02-30'); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM pg_temp.q('until:yesterday');
SELECT * FROM pg_temp.q('since:2026-1-1');
SELECT * FROM pg_temp.q('since:0000-00-00');
SELECT * FROM pg_temp.q('-since:2026-01-01');
SELECT * FROM pg_temp.q('a OR until:2026-01-01');
SELECT * FROM pg_temp.q('has:fun');
SELECT * FROM pg_temp.q('has:');
SELECT * FROM pg_temp.q('is:cat');
SELECT * FROM pg_temp.q('lang:english');
SELECT * FROM pg_temp.q('from:');
SELECT * FROM pg_temp.q('to:@');
SELECT * FROM pg_temp.q(repeat('a ', 65)); \echo :LAST_ERROR_SQLSTATE
SELECT numnode(exact::tsquery) FROM pg_temp.q('"' || repeat('a ', 100) || '"');
SELECT roost.search(repeat('x', 501)); \echo :LAST_ERROR_SQLSTATE
SELECT t, (r).posts IS NULL AS posts, (r).accounts IS NULL AS accounts, (r).hashtags IS NULL AS hashtags FROM unnest(enum_range(NULL::roost.search_type)) t, LATERAL roost.search('nothingnowhere', type => t) r;

-- texts
SELECT roost_internal.search_vector('Runs to the café: #Café_1 @Query_Ada $ABC', 'en', '{from:1,seen:public}');
SELECT roost_internal.search_vector('see https://Sub.Example.org:8080/secret/path?q=1#x and example.com/about', NULL, NULL);
SELECT roost_internal.search_vector('日本語 ไทย 한국', 'ja', NULL);
SELECT roost_internal.search_vector('😀 …', 'en', NULL), roost_internal.search_vector(NULL, NULL, NULL);
SELECT length(roost_internal.search_vector(repeat('字', 20000), NULL, NULL)), length(roost_internal.search_vector((SELECT string_agg('w' || n, ' ') FROM generate_series(1, 9000) n), 'en', NULL));
SELECT max(length(l)) FROM unnest(tsvector_to_array(roost_internal.search_vector(repeat('x', 5000) || ' ' || repeat('é', 5000), 'fr', NULL))) l;
SELECT roost_internal.search_text('text', 'warning', '[{"url": "u", "type": "image", "description": "two cats"}, {"url": "v", "type": "video"}]');
SELECT roost_internal.search_marks(1, 'followers', 2, 3, 4, 'pt-BR', '{5,6}', '[{"url": "u", "type": "image"}, {"url": "v", "type": "image"}]');
-- a text is found by what it says
SELECT q, roost_internal.search_vector('Running with friends, "naïve" at www.example.org in 東京都 #Fun', 'en', '{seen:public}') @@ exact::tsquery AS found
FROM unnest('{run,running,runs,"\"running with\"","\"run with\"","friend naive",example.org,example,org,東京,京都,東都,都,#fun,fun,-fun,frie*,"\"friends naive at\""}'::text[]) q, roost_internal.search_query(q, NULL, 'en', NULL);

-- any bytes: a query or a refusal, and loose never finds less than exact
CREATE FUNCTION pg_temp.fuzz(rounds integer) RETURNS TABLE (tried bigint, refused bigint, worse bigint) LANGUAGE plpgsql AS $$
DECLARE
	v_parts constant text[] := '{a,b,running,the,"\"",-,*," ",OR," OR ",#,@,$,:,from:,since:,2026-01-01,has:link,lang:de,日,本,한,é,"''","\\",&,|,!,(,),<->,😀,"a b",is:reply,me}';
	v_text constant tsvector := roost_internal.search_vector('the running b a 日本 https://example.org #a é', 'en', '{seen:public,lang:de}');
	v_q text;
	v record;
BEGIN
	tried := 0; refused := 0; worse := 0;
	PERFORM setseed(0.25);
	FOR i IN 1..rounds LOOP
		v_q := '';
		FOR k IN 1..1 + (random() * 12)::integer LOOP
			v_q := v_q || v_parts[1 + (random() * (cardinality(v_parts) - 1))::integer];
		END LOOP;
		tried := tried + 1;
		BEGIN
			SELECT * INTO v FROM roost_internal.search_query(v_q, 71001, 'en', 'de');
			IF v_text @@ coalesce(v.exact, '')::tsquery AND NOT v_text @@ v.loose::tsquery THEN
				worse := worse + 1;
				RAISE WARNING '%: % is not in %', v_q, v.exact, v.loose;
			END IF;
			PERFORM v.rank::tsquery;
		EXCEPTION WHEN invalid_parameter_value THEN
			refused := refused + 1;
		END;
	END LOOP;
	RETURN NEXT;
END
$$;
SELECT tried, refused > 0 AS refused, worse FROM pg_temp.fuzz(5000);

-- names
SELECT roost_internal.search_trigrams('Zoé K');
SELECT roost_internal.search_name_vector('zoe_1', 'Zoé K');
SELECT roost_internal.search_similarity('lovelace', 'Lovelace'), roost_internal.search_similarity('lovelace', 'lovelaec') > 0.3 AS close, roost_internal.search_similarity('lovelace', 'babbage') AS far, roost_internal.search_similarity('', '') AS empty;
-- positions
SELECT roost_internal.search_cursor('t', 3, 't.1.-2.3'), roost_internal.search_cursor('a', 2, NULL);
SELECT roost_internal.search_cursor('a', 2, 't.1.2');
SELECT roost_internal.search_cursor('a', 2, 'a.9999999999999999999.1');
ROLLBACK;
