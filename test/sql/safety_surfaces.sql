-- Every GET route, as every kind of viewer: which posts and accounts its answers name is what docs/safety.md says, told once more in plain SQL.
\set VERBOSITY terse
\pset format unaligned
\pset footer off
SET client_min_messages = warning;
SET roost.limit_enabled = off;

-- Nothing here is rolled back: a transaction that has written reads the tables.
CREATE SCHEMA surfaces;
SELECT pg_advisory_lock(hashtextextended('roost.trend_run', 0)); -- no trends are computed meanwhile
SELECT 7770000000003100::bigint AS base \gset
-- Authors: 1 open, 2 private, 3 limited, 4 both, 5 suspended, 6 deleted; 10 retweets their posts and follows them, 11 is answered, liked and followed, 12 quotes, without being listed.
-- Viewers: 21 follows, 22 is mentioned, 23 both, 24 neither, 25 was blocked, 26 has blocked, 27 follows and has muted, 28 follows and has muted a word, 29 moderates; authors; 11; a stranger.
CREATE TABLE surfaces.account AS SELECT n, :base + n AS id FROM unnest('{1,2,3,4,5,6,10,11,12,21,22,23,24,25,26,27,28,29}'::int[]) n;
INSERT INTO roost_data.account (id, username, is_private, limited_at, role)
SELECT id, 'srfc_' || n, n IN (2, 4), CASE WHEN n IN (3, 4) THEN now() END, CASE n WHEN 29 THEN 'moderator' ELSE 'user' END FROM surfaces.account;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'srfc_' || n, id FROM surfaces.account;
CREATE TABLE surfaces.author AS SELECT n, id, n IN (2, 4) AS private, n IN (3, 4) AS limited, n < 5 AS active FROM surfaces.account WHERE n < 10;
CREATE TABLE surfaces.viewer AS SELECT n, id, roost_internal.token_make(id, id, id) AS token FROM surfaces.account WHERE n NOT IN (4, 5, 6, 10, 12) UNION ALL SELECT 0, NULL, NULL;
CREATE VIEW surfaces.pair AS
SELECT v.n AS v, a.n AS a, v.n IN (21, 23, 27, 28) AS follows, v.n IN (22, 23, 25, 26, 27, 28) AS mentioned, v.n IN (25, 26) AS blocked, v.n = 27 AS mutes, v.n = 28 AS word, v.n = a.n AS own
FROM surfaces.viewer v, surfaces.author a;
INSERT INTO roost_data.follow (follower_id, followee_id, id) SELECT :base + v, :base + a, roost_internal.id_next() FROM surfaces.pair WHERE follows
UNION ALL SELECT :base + 10, id, roost_internal.id_next() FROM surfaces.author UNION ALL SELECT id, :base + 11, roost_internal.id_next() FROM surfaces.author
UNION ALL SELECT id, :base + 10, roost_internal.id_next() FROM surfaces.viewer WHERE id IS NOT NULL UNION ALL SELECT id, :base + 10, roost_internal.id_next() FROM surfaces.author WHERE n > 3;
INSERT INTO roost_data.account_block (account_id, blocked_id, id) SELECT id, :base + 25, id FROM surfaces.author UNION ALL SELECT :base + 26, id, id FROM surfaces.author;
INSERT INTO roost_data.account_mute (account_id, muted_id, id) SELECT :base + 27, id, id FROM surfaces.author;
SELECT whole_word FROM roost.muted_word_create(:base + 28, 'unspeakable');
SELECT count(roost.presence_settings_set(id, 'everyone')) FROM surfaces.account;
INSERT INTO roost_data.list (id, account_id, title) SELECT id + 500, id, 'authors' FROM surfaces.viewer WHERE id IS NOT NULL;
INSERT INTO roost_data.list_member (list_id, member_id, account_id, id) SELECT v.id + 500, a.id, v.id, a.n FROM surfaces.pair p JOIN surfaces.viewer v ON v.n = p.v JOIN surfaces.author a ON a.n = p.a WHERE NOT p.blocked AND NOT p.own AND v.id IS NOT NULL;
-- friends are all that are not kept apart, and all authors ask
INSERT INTO roost_data.friendship (account_id, friend_id, id) SELECT DISTINCT LEAST(x.v, x.a) + :base, GREATEST(x.v, x.a) + :base, LEAST(x.v, x.a) * 100 + GREATEST(x.v, x.a) FROM surfaces.pair x WHERE NOT x.blocked AND NOT x.own AND x.v > 0
UNION SELECT DISTINCT GREATEST(x.v, x.a) + :base, LEAST(x.v, x.a) + :base, GREATEST(x.v, x.a) * 100 + LEAST(x.v, x.a) FROM surfaces.pair x WHERE NOT x.blocked AND NOT x.own AND x.v > 0;
INSERT INTO roost_data.friend_request (requester_id, recipient_id, id) SELECT :base + a, :base + v, roost_internal.id_next() FROM surfaces.pair WHERE NOT blocked AND NOT own AND v > 0;
SELECT roost.worker_sync('1 minute');
SELECT epoch || '-' || last_seq AS cursor FROM roost.feed_position() \gset

-- Every visibility and state of the open author, of the others the states that public posts have; each with an answer like it, a quote of it and a retweet of it.
SELECT roost_internal.id_next() AS root \gset
CREATE TABLE surfaces.kind AS SELECT row_number() OVER () AS n, a.n AS a, a.id AS author_id, visibility, state
FROM surfaces.author a, unnest(enum_range(NULL::roost.visibility)) visibility, unnest(enum_range(NULL::roost.post_state)) state WHERE a.n = 1 OR visibility = 'public' OR state = 'visible';
CREATE TABLE surfaces.post AS
SELECT k.*, part, :root + n + part * 1000 AS id, format('srfp%sx%sq', n, part) AS marker, n % 5 = 0 AS spoken FROM surfaces.kind k, generate_series(0, 1) part;
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text) VALUES (:root, :base + 11, :root, roost.id_time(:root), 'root');
INSERT INTO roost_data.post (id, author_id, thread_id, reply_to_id, reply_to_account_id, quote_of_id, created_at, visibility, state, text, mention_ids, hashtags)
SELECT id, author_id, CASE part WHEN 0 THEN id ELSE :root END, CASE part WHEN 1 THEN :root END, CASE part WHEN 1 THEN :base + 11 END, CASE part WHEN 0 THEN :root END,
	roost.id_time(id), CASE n % 3 WHEN 0 THEN 'public'::roost.visibility ELSE visibility END, CASE n % 2 WHEN 0 THEN 'visible'::roost.post_state ELSE state END,
	marker || ' srfcword #srfc' || CASE WHEN spoken THEN ' unspeakable' ELSE '' END, (SELECT array_agg(DISTINCT :base + v) FROM surfaces.pair WHERE mentioned), ARRAY['srfc', 'srft' || marker]
FROM surfaces.post ORDER BY id;
-- some become what they are
UPDATE roost_data.post p SET state = k.state, visibility = k.visibility FROM surfaces.post k WHERE p.id = k.id AND (k.n % 3 = 0 OR k.n % 2 = 0);
INSERT INTO roost_data.post (id, author_id, thread_id, quote_of_id, retweet_of_id, created_at, visibility, text)
SELECT id + 2000, :base + 12, id + 2000, id, NULL::bigint, roost.id_time(id), 'unlisted'::roost.visibility, 'quote' FROM surfaces.post WHERE part = 0
UNION ALL SELECT id + 3000, :base + 10, id + 3000, NULL, id, roost.id_time(id), 'public', '' FROM surfaces.post WHERE part = 0;
INSERT INTO roost_data.post_like (account_id, post_id, id) SELECT v.id, p.id, p.id FROM surfaces.viewer v, surfaces.post p WHERE v.id IS NOT NULL AND part = 0 ORDER BY v.n DESC; -- a notification names the last eight
INSERT INTO roost_data.post_bookmark (account_id, post_id, id) SELECT v.id, p.id, p.id FROM surfaces.viewer v, surfaces.post p WHERE v.id IS NOT NULL AND part = 0;
INSERT INTO roost_data.post_like (account_id, post_id, id) SELECT id, :root, :root + n FROM surfaces.author;
INSERT INTO roost_data.post (id, author_id, thread_id, retweet_of_id, created_at, text) SELECT :root + 4000 + n, id, :root + 4000 + n, :root, roost.id_time(:root), '' FROM surfaces.author;
UPDATE roost_data.post SET pinned_at = created_at WHERE id IN (SELECT id FROM surfaces.post WHERE part = 0);
UPDATE roost_data.account a SET status = CASE n WHEN 5 THEN 'suspended' ELSE 'deleted' END FROM surfaces.account s WHERE s.id = a.id AND n IN (5, 6);
INSERT INTO roost_data.trend_post ("window", language, post_id, accounts, expected, score, place, since, computed_at) SELECT 'day', '', id, 1, 1, 1, 1000 + n, now(), now() FROM surfaces.post WHERE part = 0;
SELECT roost.worker_sync('1 minute'), roost.search_sync('60 seconds');

-- The rule (docs/safety.md), for each viewer and post
CREATE TABLE surfaces.truth AS
SELECT v.n AS v, p.*, s.sees, s.follows, s.mentioned, s.blocked, s.own, a.private, a.limited, a.active,
	p.visibility = 'public' AND p.state = 'visible' AND a.active AND NOT a.private AND NOT a.limited AS listed,
	s.own OR NOT (s.mutes OR s.word AND p.spoken) AS wants
FROM surfaces.post p JOIN surfaces.author a ON a.n = p.a CROSS JOIN surfaces.viewer v JOIN LATERAL (
	SELECT x.*, CASE
		WHEN NOT a.active THEN false
		WHEN x.own THEN true
		WHEN p.state IN ('held', 'removed') THEN false
		WHEN x.blocked THEN false
		WHEN p.visibility = 'direct' THEN x.mentioned AND (x.follows OR NOT a.limited)
		WHEN p.visibility = 'followers' OR a.private OR a.limited THEN x.follows OR x.mentioned AND NOT a.limited
		ELSE true END AS sees
	FROM surfaces.pair x WHERE x.v = v.n AND x.a = p.a) s ON true;
SELECT count(*) AS posts, count(*) FILTER (WHERE sees) AS seen, count(*) FILTER (WHERE listed) AS listed, count(*) FILTER (WHERE NOT wants) AS unwanted FROM surfaces.truth;
CREATE TABLE surfaces.known AS
SELECT v.n AS v, a.*, p.follows, p.blocked, p.mutes, p.own FROM surfaces.viewer v, surfaces.author a, surfaces.pair p WHERE p.v = v.n AND p.a = a.n;

-- What is asked for: a surface, its route, its path and query (of each post, account or once), and whether one must be logged in.
CREATE TABLE surfaces.surface (name text PRIMARY KEY, route text, address text, query text DEFAULT '');
INSERT INTO surfaces.surface VALUES
	('home', '/tweets/home', '/tweets/home', 'limit=200&replies=all'), ('home top', '/tweets/home', '/tweets/home', 'limit=200&replies=all&order=top'), ('tweets', '/tweets', '/tweets', 'limit=200&replies=all'),
	('public', '/tweets/public', '/tweets/public', 'limit=200'), ('tag', '/hashtags/:hashtag/tweets', '/hashtags/srfc/tweets', 'limit=200'), ('list', '/lists/:list_id/tweets', '/lists/<list>/tweets', 'limit=200&replies=all'),
	('account', '/users/:account_id/tweets', '/users/<account>/tweets', 'limit=200&replies=true'), ('retweeter', '/users/:account_id/tweets', '/users/<base10>/tweets', 'limit=200'), ('quoter', '/users/:account_id/tweets', '/users/<base12>/tweets', 'limit=200'),
	('pinned', '/users/:account_id/pinned', '/users/<account>/pinned', ''), ('post', '/tweets/:post_id', '/tweets/<post>', ''), ('history', '/tweets/:post_id/history', '/tweets/<post>/history', ''),
	('embedded', '/tweets/:post_id', '/tweets/<quote>', ''), ('retweeted', '/tweets/:post_id', '/tweets/<retweet>', ''), ('context', '/tweets/:post_id/context', '/tweets/<post>/context', ''),
	('thread', '/tweets/:post_id/context', '/tweets/<root>/context', ''), ('replies', '/tweets/:post_id/replies', '/tweets/<root>/replies', 'limit=200'), ('quotes', '/tweets/:post_id/quotes', '/tweets/<root>/quotes', 'limit=200'),
	('quotes of', '/tweets/:post_id/quotes', '/tweets/<post>/quotes', ''), ('likers', '/tweets/:post_id/likes', '/tweets/<root>/likes', 'limit=200'), ('likers of', '/tweets/:post_id/likes', '/tweets/<post>/likes', ''),
	('retweeters', '/tweets/:post_id/retweets', '/tweets/<root>/retweets', 'limit=200'), ('explain', '/tweets/:post_id/explain', '/tweets/<post>/explain', ''), ('likes', '/likes', '/likes', 'limit=200'), ('bookmarks', '/bookmarks', '/bookmarks', 'limit=200'),
	('search', '/search', '/search', 'q=srfcword&limit=200'), ('search posts', '/search', '/search', 'q=srfcword&type=posts&limit=200'), ('search top', '/search', '/search', 'q=srfcword&type=posts&order=top&limit=200'),
	('search tag', '/search', '/search', 'q=%23srfc&type=posts&limit=200'), ('search author', '/search', '/search', 'q=from:srfc_<n>&type=posts&limit=200'), ('search mentions', '/search', '/search', 'q=to:srfc_11&type=posts&limit=200'),
	('search hashtags', '/search', '/search', 'q=srftsrfp&type=hashtags&limit=200'), ('search accounts', '/search', '/search', 'q=srfc_&type=accounts&limit=200'),
	('search an account', '/search', '/search', 'q=srfc_<n>&type=accounts&limit=200'),
	('trends', '/trends/posts', '/trends/posts', 'limit=200'), ('trends of tags', '/trends', '/trends', 'limit=200'), ('trends of hashtags', '/trends/hashtags', '/trends/hashtags', 'limit=200'),
	('notifications', '/notifications', '/notifications', 'limit=200'), ('unread', '/notifications/unread', '/notifications/unread', ''), ('resolve a post', '/resolve', '/resolve', 'url=/@srfc_<n>/<post>'), ('resolve', '/resolve', '/resolve', 'url=/@srfc_<n>'),
	('profile', '/users/:account_id', '/users/<account>', ''), ('profile by name', '/users/by-username/:username', '/users/by-username/srfc_<n>', ''), ('profiles', '/users', '/users', 'ids=<accounts>'),
	('followers', '/users/:account_id/followers', '/users/<base11>/followers', 'limit=200'), ('following', '/users/:account_id/following', '/users/<base10>/following', 'limit=200'), ('followers of', '/users/:account_id/followers', '/users/<account>/followers', 'limit=200'),
	('friends', '/friends', '/friends', 'limit=200'), ('friend requests', '/friends/requests', '/friends/requests', 'limit=200&direction=incoming'), ('friend requests made', '/friends/requests', '/friends/requests', 'limit=200&direction=outgoing'),
	('suggested', '/users/suggested', '/users/suggested', 'limit=200'), ('relationship', '/users/:account_id/relationship', '/users/<account>/relationship', ''), ('relationships', '/relationships', '/relationships', 'ids=<accounts>'),
	('presence', '/presence', '/presence', 'account_ids=<accounts>'), ('blocks', '/blocks', '/blocks', 'limit=200'), ('mutes', '/mutes', '/mutes', 'limit=200'), ('members', '/lists/:list_id/members', '/lists/<list>/members', 'limit=200'),
	('lists of', '/users/:account_id/lists', '/users/<account>/lists', ''), ('export', '/users/me/export', '/users/me/export', ''), ('analytics', '/me/analytics/posts', '/me/analytics/posts', 'count=100'),
	('events', '/events', '/events', 'channels=public&limit=1000'), ('events of home', '/events', '/events', 'channels=home&limit=1000'), ('events of notifications', '/events', '/events', 'channels=notifications&limit=1000'),
	('events of a tag', '/events', '/events', 'channels=hashtag:srfc&limit=1000'), ('events of accounts', '/events', '/events', 'channels=user:<account>&limit=1000'), ('events of a thread', '/events', '/events', 'channels=post:<root>&limit=1000');
-- Routes that show nothing of anybody else: their answers must name nobody and no post (but the viewer and its own posts).
INSERT INTO surfaces.surface SELECT route, route, replace(route, ':list_id', '<list>')
FROM unnest('{/.well-known/jwks.json,/auth/devices,/auth/me,/auth/sessions,/devices,/errors,/follow-requests,/health,/lists,/lists/:list_id,/me/analytics,/me/search-settings,/me/security-events,
	/moderation/appeals,/moderation/decisions,/muted-words,/notifications/muted,/notifications/preferences,/openapi.json,/presence/settings,/reports,/reports/categories,/sessions,/users/me}'::text[]) route;
\echo routes of which this test knows nothing (those of moderators are in safety_privilege; of conversations, friends and keys in chat_surfaces; a decision about a post is in moderation_decision)
SELECT path FROM roost_internal.route WHERE method = 'GET' AND builtin AND path NOT LIKE '/admin/%' AND path !~ '^/(conversations|encryption|friends|invites|messages)(/|$)' AND path <> '/moderation/decisions/:decision_id' AND path NOT IN (SELECT route FROM surfaces.surface) ORDER BY 1;
SELECT name, route FROM surfaces.surface WHERE route NOT IN (SELECT path FROM roost_internal.route WHERE method = 'GET' AND builtin) ORDER BY 1;

CREATE FUNCTION surfaces.get(path text, query text, token text, OUT status text, OUT body text) LANGUAGE plpgsql AS $$
BEGIN
	body := roost.handle('GET', path, query, E'host: example.org\nx-forwarded-proto: https' || coalesce(E'\nauthorization: Bearer ' || token, ''), NULL, '192.0.2.77');
	status := split_part(body, E'\n', 1);
	body := substr(body, strpos(body, E'\n\n') + 2);
EXCEPTION WHEN no_data_found OR insufficient_privilege OR SQLSTATE 'RO401' OR SQLSTATE '42501' THEN
	status := SQLSTATE;
	body := SQLERRM;
END
$$;
-- Which of the posts and accounts an answer names. Events come in parts.
CREATE FUNCTION surfaces.ask(surface surfaces.surface, viewer surfaces.viewer, path text, query text, cursor text) RETURNS TABLE (status text, markers text[], accounts text[]) LANGUAGE plpgsql AS $$
DECLARE
	v_answer record;
	v_after text := cursor;
	v_body text := '';
BEGIN
	LOOP
		v_answer := surfaces.get(path, query || CASE WHEN surface.route = '/events' THEN '&after=' || v_after ELSE '' END, viewer.token);
		EXIT WHEN surface.route <> '/events' OR v_answer.status <> '200';
		v_body := v_body || jsonb_path_query_array(v_answer.body::jsonb, '$.events[*].data')::text;
		EXIT WHEN v_answer.body::jsonb ->> 'cursor' = v_after;
		v_after := v_answer.body::jsonb ->> 'cursor';
	END LOOP;
	status := v_answer.status;
	v_body := v_body || CASE WHEN surface.route <> '/events' THEN v_answer.body ELSE '' END;
	markers := ARRAY(SELECT DISTINCT m[1] FROM regexp_matches(v_body, '(srfp[0-9]+x[01]q)', 'g') m);
	accounts := ARRAY(SELECT DISTINCT m[1] FROM regexp_matches(v_body, '"(?:id|account_id)":"(77700000000031[0-9]{2})"', 'g') m);
	RETURN NEXT;
END
$$;
CREATE TABLE surfaces.answer AS
SELECT s.name AS surface, v.n AS v, r.status, r.markers, r.accounts
FROM surfaces.surface s, surfaces.viewer v
CROSS JOIN LATERAL (SELECT NULL::text AS post, NULL::text AS account, NULL::text AS n, NULL::text AS quote, NULL::text AS retweet WHERE concat(s.address, s.query) !~ '<(post|account|n|quote|retweet)>'
	UNION ALL SELECT p.id::text, p.author_id::text, p.a::text, (p.id + 2000)::text, (p.id + 3000)::text FROM surfaces.post p WHERE concat(s.address, s.query) ~ '<(post|quote|retweet)>' AND (p.part = 0 OR concat(s.address, s.query) !~ '<(quote|retweet)>')
	UNION ALL SELECT NULL, a.id::text, a.n::text, NULL, NULL FROM surfaces.author a WHERE concat(s.address, s.query) ~ '<(account|n)>' AND concat(s.address, s.query) !~ '<(post|quote|retweet)>') o
CROSS JOIN LATERAL (SELECT array_agg(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(t,
	'<post>', coalesce(post, '')), '<account>', coalesce(account, '')), '<n>', coalesce(o.n, '')), '<quote>', coalesce(quote, '')), '<retweet>', coalesce(retweet, '')), '<list>', coalesce(v.id + 500, 1)::text),
	'<base10>', (:base + 10)::text), '<base11>', (:base + 11)::text), '<base12>', (:base + 12)::text), '<root>', :'root') ORDER BY i) AS t FROM unnest(ARRAY[s.address, replace(s.query, '<accounts>', (SELECT string_agg(id::text, ',' ORDER BY n) FROM surfaces.author))]) WITH ORDINALITY t (t, i)) f,
	surfaces.ask(s, v, f.t[1], f.t[2], :'cursor') r;
\echo answers that are no answers
SELECT surface, status, count(*) FROM surfaces.answer WHERE status NOT IN ('200', 'P0002', '42501', 'RO401') GROUP BY 1, 2 ORDER BY 1, 2;

-- What analysts read, and what the gateway asks for sockets
CREATE TABLE surfaces.view AS
SELECT c.relname AS name, m[1] AS field, m[2]::bigint AS id FROM pg_class c, query_to_xml(format('SELECT * FROM %s', c.oid::regclass), true, false, '') x, regexp_matches(x::text, '<([a-z_]*id)>(\d+)<', 'g') m
WHERE c.relnamespace = 'roost_bi'::regnamespace AND c.relkind = 'v';
INSERT INTO surfaces.answer
SELECT 'bi ' || name || CASE WHEN x.id >= p.id + 3000 THEN ' retweeted' ELSE '' END, 0, '200', array_agg(p.marker), '{}' FROM surfaces.view x JOIN surfaces.post p ON x.id = p.id OR x.id = p.id + 3000 AND p.part = 0 WHERE x.field IN ('id', 'post_id') GROUP BY 1
UNION ALL SELECT 'bi ' || name || CASE WHEN field = 'id' THEN '' ELSE ' ' || field END, 0, '200', '{}', array_agg(x.id::text) FROM surfaces.view x JOIN surfaces.author a ON a.id = x.id WHERE x.field ~ '^(id|(account|author|follower|followee)_id)$' GROUP BY 1;
INSERT INTO surfaces.answer
WITH row AS (SELECT r.seq FROM roost.stream_read(split_part(:'cursor', '-', 2)::bigint, 10000) r WHERE r.event IS NOT NULL),
	data AS (SELECT d.seq, m[1] AS marker FROM roost.stream_data(ARRAY(SELECT seq FROM row)) d, regexp_matches(d.data, '(srfp[0-9]+x[01]q)', 'g') m),
	pair AS (SELECT array_agg(d.seq ORDER BY d.seq, v.n) AS seqs, array_agg(coalesce(v.id, 0) ORDER BY d.seq, v.n) AS ids FROM (SELECT DISTINCT seq FROM data) d, surfaces.viewer v)
SELECT 'stream', v.n, '200', array_agg(DISTINCT d.marker), '{}' FROM pair, roost.stream_see(pair.seqs, pair.ids) s JOIN data d USING (seq) JOIN surfaces.viewer v ON coalesce(v.id, 0) = s.viewer_id GROUP BY v.n;

\echo posts: what should be shown, and the difference
CREATE TABLE surfaces.expected AS
SELECT s.surface, t.v, t.marker, t.a FROM surfaces.truth t CROSS JOIN LATERAL (
	SELECT t.v <> 0 AS known, t.part = 0 AS post, t.part = 1 AS reply, t.listed AND t.sees AND t.wants AS list,
		-- of accounts that one follows search finds what is for followers, too, and one's own posts
		t.sees AND t.wants AND (t.state IN ('visible', 'limited') OR t.n % 2 = 0 OR t.n % 3 = 0 OR t.part = 0) AS told, -- of held and removed posts their author is told that they were changed
		t.sees AND t.wants AND (t.listed OR t.own OR t.follows AND t.visibility IN ('public', 'followers') AND t.state = 'visible') AS found) x CROSS JOIN LATERAL (VALUES
	('home', known AND sees AND wants AND (post OR follows OR own)), ('home top', known AND sees AND wants AND (post OR follows OR own)),
	('tweets', CASE WHEN known THEN sees AND wants AND (post OR follows OR own) ELSE list AND post END),
	('public', list AND post), ('tag', list), ('list', known AND sees AND wants AND NOT own),
	('account', sees AND (follows OR own OR NOT private)), ('retweeter', post AND sees), ('quoter', post AND sees), ('pinned', post AND sees),
	('post', sees), ('history', sees), ('embedded', post AND sees), ('retweeted', post AND sees), ('thread', reply AND sees AND wants), ('replies', reply AND sees AND wants),
	('quotes', post AND sees), ('quotes of', post AND sees), ('likes', known AND post AND sees), ('bookmarks', known AND post AND sees),
	('search', found), ('search posts', found), ('search top', found), ('search tag', found), ('search author', found), ('search mentions', found AND reply), ('search hashtags', found AND visibility = 'public' AND state = 'visible'),
	('trends', list AND post), ('notifications', known AND sees AND wants AND (mentioned OR v = 11 OR own AND post)), ('resolve a post', sees), ('export', own), ('analytics', own),
	('events', list AND post), ('events of home', known AND told AND (post OR follows OR own)), ('events of notifications', known AND sees AND wants AND (mentioned OR v = 11 OR own AND post)),
	('events of a tag', list), ('events of accounts', told AND state IN ('visible', 'limited')), ('events of a thread', told AND reply AND state IN ('visible', 'limited')), ('stream', told),
	('bi post', v = 0 AND sees), ('bi post retweeted', v = 0 AND sees AND post), ('bi engagement', v = 0 AND sees AND post), ('bi trend', v = 0 AND list AND post)) s (surface, shown) WHERE s.shown;
CREATE TABLE surfaces.shown AS SELECT DISTINCT surface, v, m AS marker FROM surfaces.answer, unnest(markers) m;
CREATE VIEW surfaces.difference AS
SELECT surface, v, marker, e.a IS NOT NULL AS expected, s.found IS NOT NULL AS shown FROM surfaces.expected e FULL JOIN (SELECT *, true AS found FROM surfaces.shown) s USING (surface, v, marker);
SELECT s.surface, count(d.marker) FILTER (WHERE d.expected) AS expected, count(d.marker) FILTER (WHERE d.shown AND NOT d.expected) AS too_much, count(d.marker) FILTER (WHERE d.expected AND NOT d.shown) AS missing
FROM (SELECT DISTINCT surface FROM surfaces.answer) s LEFT JOIN surfaces.difference d USING (surface) GROUP BY 1 HAVING count(d.marker) > 0 ORDER BY s.surface COLLATE "C";
SELECT surface, d.v AS viewer, d.marker, t.a AS author, t.visibility, t.state, d.expected, d.shown FROM surfaces.difference d LEFT JOIN surfaces.truth t ON t.v = d.v AND t.marker = d.marker
WHERE d.expected <> d.shown ORDER BY surface COLLATE "C", d.v, t.id LIMIT 40;

\echo accounts: what should be named, and the difference
CREATE TABLE surfaces.named AS SELECT DISTINCT s.surface, s.v, a.n AS a FROM surfaces.answer s CROSS JOIN unnest(s.accounts) i JOIN surfaces.author a ON a.id::text = i JOIN surfaces.pair p ON p.a = a.n AND p.v = s.v
-- suggestions say which of those that one follows follow them
WHERE NOT (s.surface = 'suggested' AND p.follows)
-- it is computed now and then
	AND NOT (s.surface LIKE 'bi author_daily%' AND NOT a.private AND NOT a.limited AND a.active);
CREATE TABLE surfaces.expected_name AS
-- authors stand with their posts; unless it is a list of accounts
SELECT DISTINCT e.surface, e.v, e.a FROM surfaces.expected e WHERE e.surface !~ '^(history|analytics|export|bi|events|stream|search$|search hashtags)'
UNION
SELECT s.surface, k.v, k.n FROM surfaces.known k CROSS JOIN LATERAL (SELECT k.active AND NOT k.blocked AS open, k.follows OR k.own AS near, k.v <> 0 AS known) x CROSS JOIN LATERAL (VALUES
	('profile', k.active), ('profile by name', k.active), ('profiles', k.active), ('resolve', k.active), ('relationship', known AND active), ('relationships', known AND active), ('presence', true),
	('followers', open AND (near OR NOT limited OR k.v = 11)), ('following', open AND (near OR NOT limited)), ('likers', open AND (near OR NOT limited)), ('likers of', open AND k.n < 4 AND (near OR NOT limited)), -- one's own followers one sees
	('retweeters', open AND (near OR NOT k.private AND NOT k.limited)),
	('blocks', k.v = 26 AND active), ('mutes', k.v = 27 AND active), ('members', known AND open AND NOT own), ('friends', known AND open AND NOT own), ('friend requests', known AND open AND NOT own AND (near OR NOT limited)), ('friend requests made', known AND open AND NOT own AND k.v < 10 AND k.n < 4),
	('suggested', known AND open AND NOT near AND NOT private AND NOT limited AND NOT mutes),
	('search', open AND (near OR NOT limited)), ('search accounts', open AND (near OR NOT limited)), ('search an account', open AND (near OR NOT limited)),
	('notifications', k.v = 11 AND open AND NOT limited), ('notifications', open AND k.v = 1 AND k.n = 2 OR open AND k.v = 2 AND k.n = 1 OR open AND k.v = 3 AND k.n < 3), -- who likes one's posts
	('bi account', k.v = 0 AND k.n <> 6), ('bi post author_id', k.v = 0 AND active AND NOT private AND NOT limited), ('bi engagement account_id', k.v = 0 AND active),
	('bi follow follower_id', k.v = 0 AND active AND NOT private), ('bi follow followee_id', k.v = 0 AND active AND NOT private), ('/auth/me', own), ('/users/me', own), ('analytics', own)) s (surface, shown) WHERE s.shown;
SELECT surface, count(e.found) AS expected, count(*) FILTER (WHERE e.found IS NULL) AS too_much, count(*) FILTER (WHERE n.found IS NULL) AS missing
FROM (SELECT *, true AS found FROM surfaces.expected_name) e FULL JOIN (SELECT *, true AS found FROM surfaces.named) n USING (surface, v, a) GROUP BY 1 ORDER BY surface COLLATE "C";
SELECT surface, v AS viewer, string_agg(a::text, ',' ORDER BY a) FILTER (WHERE n.found IS NULL) AS missing, string_agg(a::text, ',' ORDER BY a) FILTER (WHERE e.found IS NULL) AS too_much
FROM (SELECT *, true AS found FROM surfaces.expected_name) e FULL JOIN (SELECT *, true AS found FROM surfaces.named) n USING (surface, v, a) WHERE e.found IS NULL OR n.found IS NULL GROUP BY 1, 2 ORDER BY surface COLLATE "C", 2 LIMIT 100;

\echo unread: as many as are told; 11 is besides told of the follows and likes of 1 and 2, and of the retweet of 1
SELECT v.n AS viewer, (roost.notification_unread_get(v.id)).count, coalesce(e.count, 0) + CASE v.n WHEN 11 THEN 5 ELSE 0 END AS expected
FROM surfaces.viewer v LEFT JOIN (SELECT v, count(*) FROM surfaces.expected WHERE surface = 'notifications' GROUP BY v) e ON e.v = v.n WHERE v.n > 10 ORDER BY 1;

DELETE FROM roost_data.trend_post WHERE post_id IN (SELECT id FROM surfaces.post);
DELETE FROM roost_data.post WHERE author_id IN (SELECT id FROM surfaces.account);
DELETE FROM roost_data.list WHERE account_id IN (SELECT id FROM surfaces.account);
DELETE FROM roost_data.friendship WHERE account_id IN (SELECT id FROM surfaces.account);
DELETE FROM roost_data.friend_request WHERE requester_id IN (SELECT id FROM surfaces.account);
DELETE FROM roost_data.follow WHERE follower_id IN (SELECT id FROM surfaces.account);
DELETE FROM roost_data.account_block WHERE account_id IN (SELECT id FROM surfaces.account);
DELETE FROM roost_data.account_mute WHERE account_id IN (SELECT id FROM surfaces.account);
DELETE FROM roost_data.muted_word WHERE account_id IN (SELECT id FROM surfaces.account);
DELETE FROM roost_data.presence_setting WHERE account_id IN (SELECT id FROM surfaces.account);
DELETE FROM roost_data.account_stat WHERE account_id IN (SELECT id FROM surfaces.account);
DELETE FROM roost_data.account_handle WHERE account_id IN (SELECT id FROM surfaces.account);
DELETE FROM roost_data.account WHERE id IN (SELECT id FROM surfaces.account);
DROP SCHEMA surfaces CASCADE;
SELECT pg_advisory_unlock(hashtextextended('roost.trend_run', 0));
