-- Suggestions: who is suggested and why, in which order, who never is; pages; dismissal; those who follow nobody.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
BEGIN;
DELETE FROM roost_data.account_popular;
-- 1 reads and follows 2, 3 and 4 (private); 5 is suspended and followed, too
INSERT INTO roost_data.account (id, username, is_private, status) SELECT 9000 + n, 'sug_' || n, n IN (4, 14), CASE WHEN n IN (5, 15) THEN 'suspended' ELSE 'active' END FROM generate_series(1, 60) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'sug_' || n, 9000 + n FROM generate_series(1, 60) n;
CREATE FUNCTION pg_temp.follow(follower integer, VARIADIC followees integer[]) RETURNS void LANGUAGE sql AS $$
	INSERT INTO roost_data.follow (follower_id, followee_id, id) SELECT 9000 + follower, 9000 + f, 90000000 + follower * 1000 + f FROM unnest(followees) f
$$;
CREATE FUNCTION pg_temp.suggested(reader integer, "limit" integer DEFAULT 20, before text DEFAULT NULL, after text DEFAULT NULL) RETURNS TABLE (username text, why text, cursor bigint) LANGUAGE sql AS $$
	SELECT (s.account).username, (SELECT string_agg(f.username, ' ') FROM unnest(s.followed_by) f) || ' of ' || s.followed_by_count, s.cursor FROM roost.account_suggested(9000 + reader, "limit", before, after) s ORDER BY s.cursor DESC
$$;
SELECT pg_temp.follow(1, 2, 3, 4, 5);
SELECT username, why FROM pg_temp.suggested(1);
SELECT pg_temp.follow(2, 1, 10, 11, 12, 14, 15), pg_temp.follow(3, 10, 11, 2, 13), pg_temp.follow(4, 10), pg_temp.follow(5, 10, 16);
-- 10 by three, 11 by two; not oneself (1), whom one follows (2), private (14), suspended (15), known only through a suspended one (16)
SELECT username, why FROM pg_temp.suggested(1);
-- who follows many counts less: 20 is followed by 6, who follows one, 21 by 7, who follows thirty
SELECT pg_temp.follow(40, 6, 7), pg_temp.follow(6, 20), pg_temp.follow(7, VARIADIC ARRAY(SELECT generate_series(21, 50) EXCEPT SELECT 40));
SELECT username FROM pg_temp.suggested(40, 1);
-- and so does who is followed by many: 22 has ten followers more than 21
SELECT pg_temp.follow(n, 22) FROM generate_series(51, 60) n;
SELECT username FROM pg_temp.suggested(40, 50) WHERE username IN ('sug_21', 'sug_22');
-- requested and followed ones are gone, dismissed ones for ever
SELECT (roost.account_follow(9001, '@sug_11')).following, (roost.account_suggestion_dismiss(9001, '@sug_12')) IS NULL AS dismissed, (roost.account_suggestion_dismiss(9001, '9012')) IS NULL AS again;
SELECT username, why FROM pg_temp.suggested(1);
UPDATE roost_data.account SET is_private = true WHERE id = 9013;
SELECT (roost.account_follow(9001, '@sug_13')).requested;
UPDATE roost_data.account SET is_private = false WHERE id = 9010;
SELECT username, why FROM pg_temp.suggested(1);
SELECT roost.account_suggestion_dismiss(9001, '@sug_nobody');
\echo :LAST_ERROR_SQLSTATE
-- pages: everything once
CREATE FUNCTION pg_temp.pages(reader integer, step integer) RETURNS TABLE (pages integer, shown integer, accounts bigint) LANGUAGE plpgsql AS $$
DECLARE
	v_before text;
	v_names text[] := '{}';
	v_page text[];
BEGIN
	pages := 0;
	LOOP
		SELECT array_agg(s.username), min(s.cursor)::text INTO v_page, v_before FROM pg_temp.suggested(reader, step, v_before) s;
		EXIT WHEN v_page IS NULL;
		pages := pages + 1;
		v_names := v_names || v_page;
	END LOOP;
	shown := cardinality(v_names);
	accounts := (SELECT count(DISTINCT n) FROM unnest(v_names) n);
	RETURN NEXT;
END
$$;
SELECT count(*) FROM pg_temp.suggested(40, 100);
SELECT * FROM pg_temp.pages(40, 4);
SELECT count(*) FROM pg_temp.suggested(40, 100, after => (SELECT max(cursor)::text FROM pg_temp.suggested(40, 100)));
-- who follows nobody gets who is popular and was active lately; the others get them last
SELECT count(*) FROM pg_temp.suggested(30);
UPDATE roost_data.account SET last_active_at = roost_internal.clock_now() - interval '100 days' WHERE id = 9011;
UPDATE roost_data.account SET last_active_at = roost_internal.clock_now() WHERE id = 9010;
SELECT roost_internal.suggestion_maintenance();
SELECT (SELECT count(*) FROM roost_data.account_popular WHERE account_id IN (9011, 9014, 9015)) AS never, count(*) > 10 AS some FROM roost_data.account_popular WHERE account_id BETWEEN 9000 AND 9060;
SELECT bool_and(why IS NULL) AS no_reason, bool_or(username = 'sug_30') AS oneself, count(*) FROM pg_temp.suggested(30, 5);
SELECT username, why FROM pg_temp.suggested(1, 1);
SELECT (SELECT accounts = shown FROM pg_temp.pages(40, 7)) AS each_once, (SELECT count(*) > 29 FROM pg_temp.suggested(40, 100)) AS more;
SELECT roost.account_suggestion_dismiss(9030, username) FROM (SELECT '@' || username FROM pg_temp.suggested(30, 1)) t (username);
SELECT count(*) FROM pg_temp.suggested(30, 200) s JOIN roost_data.account a USING (username) JOIN roost_data.suggestion_dismissal d ON d.dismissed_id = a.id AND d.account_id = 9030;
-- the newest 1,000 dismissals are kept
INSERT INTO roost_data.suggestion_dismissal (account_id, dismissed_id, id) SELECT 9002, 500000 + n, n FROM generate_series(1, 1001) n;
SELECT roost.account_suggestion_dismiss(9002, '@sug_20');
SELECT count(*), min(id), bool_or(dismissed_id = 9020) AS newest FROM roost_data.suggestion_dismissal WHERE account_id = 9002;
-- they go with the account, and are in its export
SELECT roost_internal.graph_export(9001)->'suggestions_dismissed'->0->>'username' AS exported;
SELECT roost_internal.graph_account_delete(9001), roost_internal.graph_account_delete(9020);
SELECT count(*) FROM roost_data.suggestion_dismissal WHERE account_id = 9001 OR dismissed_id = 9020;
-- over HTTP
SELECT pg_temp.follow(31, 2);
CREATE FUNCTION pg_temp.http(method text, path text, query text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN roost.handle(method, path, query, 'authorization: Bearer ' || roost_internal.token_make(9031, 1, 1), NULL, '192.0.2.78');
END
$$;
SELECT jsonb_array_length(b->'items') AS items, b->'items'->0->'account'->>'username' AS account, b->'items'->0->'followed_by' AS followed_by, b->'items'->0->'followed_by_count' AS count, b->>'next' IS NOT NULL AS more
FROM (SELECT split_part(pg_temp.http('GET', '/users/suggested', 'limit=2'), E'\n\n', 2)::jsonb AS b) t;
SELECT split_part(pg_temp.http('DELETE', '/users/suggested/@sug_10'), E'\n', 1) AS status;
SELECT pg_temp.http('GET', '/users/suggested', 'limit=200') LIKE '%"sug_10"%' AS still_there;
-- nobody behind a block, by either, nobody muted, and no limited account: among friends of friends and among popular ones
SAVEPOINT s;
DELETE FROM roost_data.account_popular;
INSERT INTO roost_data.account_popular (account_id, follower_count, place) SELECT 9040 + n, 100 - n, n FROM generate_series(1, 5) n;
DELETE FROM roost_data.follow WHERE follower_id BETWEEN 9001 AND 9060;
SELECT pg_temp.follow(1, 2), pg_temp.follow(2, 6, 7, 8, 9, 11);
SELECT username, why FROM pg_temp.suggested(1) ORDER BY username;
SELECT count(roost.account_block(9001, n)) FROM unnest('{9006,9041}'::text[]) n;
SELECT count(roost.account_block(n, '9001')) FROM unnest('{9007,9042}'::bigint[]) n;
SELECT count(roost.account_mute(9001, n)) FROM unnest('{9008,9043}'::text[]) n;
UPDATE roost_data.account SET limited_at = now() WHERE id IN (9009, 9044);
SELECT username, why FROM pg_temp.suggested(1) ORDER BY username;
ROLLBACK;
