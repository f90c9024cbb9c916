-- Every GET route of conversations, friends and keys, and the events, as every kind of viewer: which messages, conversations and accounts its answers name is what docs/chat.md says, told once more in plain SQL.
\set VERBOSITY terse
\pset format unaligned
\pset footer off
SET client_min_messages = warning;
SET roost.limit_enabled = off;
SET roost.moderation_enabled = off;

-- Nothing here is rolled back: the log of events only has what was committed.
CREATE SCHEMA chats;
SELECT 7770000000004100::bigint AS base \gset
-- 1 owns the group; 2 member, and friend of 1; 3 has left; 4 came later; 5 has blocked 6; 7 stranger, has asked 1 to be friends; 8 will be suspended; 9 writes with 1, and will block it; 10 clears; 11 hides; 12 admin; 20 moderator; 0 has no token
CREATE TABLE chats.account AS SELECT n, :base + n AS id FROM unnest('{1,2,3,4,5,6,7,8,9,10,11,12,20}'::int[]) n;
INSERT INTO roost_data.account (id, username, role) SELECT id, 'chts_' || n, CASE n WHEN 20 THEN 'admin' ELSE 'user' END FROM chats.account;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'chts_' || n, id FROM chats.account;
CREATE TABLE chats.viewer AS SELECT n, id, roost_internal.token_make(id, id, id) AS token FROM chats.account UNION ALL SELECT 0, NULL, NULL;
SELECT roost.worker_sync('1 minute');
SELECT epoch || '-' || last_seq AS cursor FROM roost.feed_position() \gset

CREATE TABLE chats.conversation (name text PRIMARY KEY, id bigint, kind text, encryption text);
CREATE TABLE chats.message (phase text, conversation text, n int, id bigint, marker text, state text DEFAULT 'there');
-- group and sealed: the same members, in phases a and b; direct, apart: with 2 and with 9
INSERT INTO chats.conversation SELECT 'group', id, 'group', 'none' FROM roost.conversation_create(:base + 1, 'group', ARRAY(SELECT id::text FROM chats.account WHERE n IN (2, 3, 5, 6, 8, 10, 11, 12))::roost.account_ref[], 'chtsgroup');
INSERT INTO chats.conversation SELECT 'sealed', id, 'group', 'e2ee' FROM roost.conversation_create(:base + 1, 'group', ARRAY(SELECT id::text FROM chats.account WHERE n IN (2, 3, 5, 6, 8, 10, 11, 12))::roost.account_ref[], 'chtssealed', encryption => 'e2ee');
INSERT INTO chats.conversation SELECT 'direct', id, 'direct', 'none' FROM roost.conversation_create(:base + 1, 'direct', ARRAY[(:base + 2)::text]::roost.account_ref[]);
INSERT INTO chats.conversation SELECT 'apart', id, 'direct', 'none' FROM roost.conversation_create(:base + 1, 'direct', ARRAY[(:base + 9)::text]::roost.account_ref[]);
SELECT id AS "group" FROM chats.conversation WHERE name = 'group' \gset
SELECT id AS sealed FROM chats.conversation WHERE name = 'sealed' \gset
CREATE FUNCTION chats.write(phase text, room text, n int, note text DEFAULT '') RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	v_in chats.conversation;
	v_marker text := format('chts%s%s%s%sq', phase, left(room, 1), n, note);
	v_id bigint;
BEGIN
	SELECT * INTO v_in FROM chats.conversation WHERE name = room;
	IF v_in.encryption = 'e2ee' THEN
		v_id := roost_internal.id_next(v_in.id);
		INSERT INTO roost_data.message (id, conversation_id, sender_id, encrypted) VALUES (v_id, v_in.id, 7770000000004100 + n, true);
		UPDATE roost_data.conversation c SET last_message_id = v_id WHERE c.id = v_in.id;
	ELSE
		SELECT m.id INTO v_id FROM roost.message_create(7770000000004100 + n, conversation_id => v_in.id, text => v_marker || ' chtsword') m;
	END IF;
	INSERT INTO chats.message VALUES (phase, room, n, v_id, v_marker, 'there');
	RETURN v_id;
END
$$;
SELECT count(chats.write('a', c, n)) FROM unnest('{group,sealed}'::text[]) c, unnest('{1,2,3,5,6,8,10,11,12}'::int[]) n;
SELECT count(chats.write('a', 'direct', n)) FROM unnest('{1,2}'::int[]) n;
SELECT count(chats.write('a', 'apart', n)) FROM unnest('{1,9}'::int[]) n;
SELECT roost.conversation_clear(:base + 10, id) FROM chats.conversation WHERE kind = 'group';
SELECT roost.conversation_member_remove(:base + 3, id, 'me') FROM chats.conversation WHERE kind = 'group';
SELECT count(*) FROM chats.conversation c, roost.conversation_member_add(:base + 1, c.id::roost.id, ARRAY[(:base + 4)::text]::roost.account_ref[]) WHERE c.kind = 'group';
SELECT count(roost.conversation_member_update(:base + 1, id, (:base + 12)::text, 'admin')) FROM chats.conversation WHERE kind = 'group';
SELECT roost.account_block(:base + 5, (:base + 6)::text) IS NOT NULL AS blocked, roost.account_block(:base + 9, (:base + 1)::text) IS NOT NULL AS apart;
SELECT count(chats.write('b', c, n)) FROM unnest('{group,sealed}'::text[]) c, unnest('{1,2,4,5,6,8,10,11,12}'::int[]) n;
-- deleted for everyone, hidden by 11 for itself, expired
SELECT count(chats.write('b', c, 1, 'd')) AS deleted FROM unnest('{group,direct}'::text[]) c;
UPDATE chats.message SET state = 'deleted' WHERE marker LIKE '%dq';
SELECT roost.message_delete(:base + 1, id, "for" => 'everyone') FROM chats.message WHERE state = 'deleted';
SELECT roost.message_delete(:base + 11, id, "for" => 'me') FROM chats.message WHERE phase = 'b' AND n = 2 AND conversation = 'group';
SELECT chats.write('b', 'group', 1, 'e') IS NOT NULL AS expired;
UPDATE chats.message SET state = 'expired' WHERE marker LIKE '%eq';
UPDATE roost_data.message m SET expires_at = now() - interval '1 hour' FROM chats.message c WHERE m.id = c.id AND c.state = 'expired';
SELECT chats.write('b', c, 1, 'z') IS NOT NULL AS last FROM unnest('{group,sealed}'::text[]) c;
SELECT code FROM roost.invite_create(:base + 1, :group) \gset
SELECT id AS request FROM roost.friend_request_create(:base + 2, (:base + 1)::text) \gset
SELECT count(roost.friend_request_accept(:base + 1, :request));
SELECT count(roost.friend_request_create(:base + 7, (:base + 1)::text));
UPDATE roost_data.account SET status = 'suspended' WHERE id = :base + 8;
SELECT roost.worker_sync('1 minute');

-- The rule, for each viewer and message
CREATE TABLE chats.pair AS -- who is in which conversation
SELECT v.n AS v, c.name AS conversation, c.id, v.n <> 4 OR c.kind = 'direct' AS always, CASE c.name WHEN 'direct' THEN v.n IN (1, 2) WHEN 'apart' THEN v.n IN (1, 9) ELSE v.n IN (1, 2, 4, 5, 6, 10, 11, 12) END AS member
FROM chats.viewer v, chats.conversation c;
CREATE TABLE chats.truth AS
SELECT p.v, p.conversation, m.id, m.marker, m.n AS by, m.state, m.n = p.v AS own,
	p.member AND (m.phase = 'b' OR p.v NOT IN (4, 10) OR p.conversation IN ('direct', 'apart')) AND m.state <> 'expired'
		AND NOT (m.phase = 'b' AND m.n = 2 AND p.v = 11 AND p.conversation = 'group')
		AND NOT (p.conversation IN ('group', 'sealed') AND (p.v, m.n) IN ((5, 6), (6, 5))) AS sees
FROM chats.pair p JOIN chats.message m USING (conversation);
SELECT count(*) AS messages, count(*) FILTER (WHERE sees) AS seen FROM chats.truth;

CREATE TABLE chats.surface (name text PRIMARY KEY, route text, address text, query text DEFAULT '');
INSERT INTO chats.surface VALUES
	('conversations', '/conversations', '/conversations', 'limit=50'), ('archive', '/conversations', '/conversations', 'limit=50&archived=true'), ('conversation', '/conversations/:conversation_id', '/conversations/<conversation>', ''),
	('members', '/conversations/:conversation_id/members', '/conversations/<conversation>/members', 'limit=50'), ('invites', '/conversations/:conversation_id/invites', '/conversations/<conversation>/invites', ''),
	('messages', '/conversations/:conversation_id/messages', '/conversations/<conversation>/messages', 'limit=100'), ('newer', '/conversations/:conversation_id/messages', '/conversations/<conversation>/messages', 'limit=100&after=1'),
	('export of one', '/conversations/:conversation_id/export', '/conversations/<conversation>/export', 'limit=100'), ('search in one', '/conversations/:conversation_id/messages/search', '/conversations/<conversation>/messages/search', 'limit=100&q=chtsword'),
	('search', '/messages/search', '/messages/search', 'limit=100&q=chtsword'), ('search by dates', '/messages/search', '/messages/search', 'limit=100&q=since:2020-01-01'),
	('message', '/messages/:message_id', '/messages/<message>', ''), ('message there', '/messages/:message_id', '/messages/<message>', 'conversation_id=<its>'), ('receipts', '/messages/:message_id/receipts', '/messages/<message>/receipts', 'limit=100'), ('reactions', '/messages/:message_id/reactions', '/messages/<message>/reactions', 'limit=100'),
	('invite', '/invites/:code', '/invites/<code>', ''), ('friends', '/friends', '/friends', 'limit=50'), ('requests', '/friends/requests', '/friends/requests', 'limit=50'),
	('devices of one', '/encryption/conversations/:conversation_id/devices', '/encryption/conversations/<conversation>/devices', ''), ('devices of an account', '/encryption/accounts/:account_id/devices', '/encryption/accounts/<account>/devices', ''),
	('unread', '/conversations/unread', '/conversations/unread', ''), ('settings', '/messages/settings', '/messages/settings', ''), ('keys', '/encryption/keys', '/encryption/keys', ''), ('own devices', '/encryption/devices', '/encryption/devices', ''),
	('envelopes', '/encryption/envelopes', '/encryption/envelopes', ''), ('events', '/events', '/events', 'channels=messages&limit=1000'), ('events of one', '/events', '/events', 'channels=conversation:<conversation>&limit=1000'),
	('public events', '/events', '/events', 'channels=public&limit=1000'), ('export', '/users/me/export', '/users/me/export', ''), ('notifications', '/notifications', '/notifications', 'limit=50'), ('search of posts', '/search', '/search', 'q=chtsword');
\echo routes of which this test knows nothing
SELECT path FROM roost_internal.route WHERE method = 'GET' AND builtin AND path ~ '^/(conversations|encryption|friends|invites|messages)(/|$)' AND path NOT IN (SELECT route FROM chats.surface) ORDER BY 1;

CREATE FUNCTION chats.get(path text, query text, token text, OUT status text, OUT body text) LANGUAGE plpgsql AS $$
BEGIN
	body := roost.handle('GET', path, query, E'host: example.org\nx-forwarded-proto: https' || coalesce(E'\nauthorization: Bearer ' || token, ''), NULL, '192.0.2.77');
	status := split_part(body, E'\n', 1);
	body := substr(body, strpos(body, E'\n\n') + 2);
EXCEPTION WHEN no_data_found OR insufficient_privilege OR object_not_in_prerequisite_state OR SQLSTATE 'RO401' OR SQLSTATE 'ROTOK' THEN
	status := SQLSTATE;
	body := SQLERRM;
END
$$;
-- What an answer names. Events come in parts.
CREATE FUNCTION chats.ask(surface chats.surface, viewer chats.viewer, path text, query text, cursor text, OUT status text, OUT body text) LANGUAGE plpgsql AS $$
DECLARE
	v_answer record;
	v_after text := cursor;
BEGIN
	body := '';
	LOOP
		v_answer := chats.get(path, query || CASE WHEN surface.route = '/events' THEN '&after=' || v_after ELSE '' END, viewer.token);
		EXIT WHEN surface.route <> '/events' OR v_answer.status <> '200';
		body := body || jsonb_path_query_array(v_answer.body::jsonb, '$.events[*]')::text;
		EXIT WHEN v_answer.body::jsonb ->> 'cursor' = v_after;
		v_after := v_answer.body::jsonb ->> 'cursor';
	END LOOP;
	status := v_answer.status;
	body := body || CASE WHEN surface.route <> '/events' THEN v_answer.body ELSE '' END;
END
$$;
CREATE TABLE chats.answer AS
SELECT s.name AS surface, v.n AS v, o.conversation, o.message, o.account, r.status, r.body
FROM chats.surface s, chats.viewer v
CROSS JOIN LATERAL (SELECT NULL::text AS conversation, NULL::bigint AS message, NULL::bigint AS its, NULL::bigint AS account, NULL::bigint AS place WHERE concat(s.address, s.query) !~ '<(conversation|message|account)>'
	UNION ALL SELECT c.name, NULL, NULL, NULL, c.id FROM chats.conversation c WHERE concat(s.address, s.query) ~ '<conversation>'
	UNION ALL SELECT m.conversation, m.id, c.id, NULL, NULL FROM chats.message m JOIN chats.conversation c ON c.name = m.conversation WHERE concat(s.address, s.query) ~ '<message>'
	UNION ALL SELECT NULL, NULL, NULL, a.id, NULL FROM chats.account a WHERE concat(s.address, s.query) ~ '<account>') o
CROSS JOIN LATERAL (SELECT array_agg(replace(replace(replace(replace(replace(t, '<conversation>', coalesce(o.place::text, '')), '<message>', coalesce(o.message::text, '')), '<its>', coalesce(o.its::text, '')),
	'<account>', coalesce(o.account::text, '')), '<code>', :'code') ORDER BY i) AS t FROM unnest(ARRAY[s.address, s.query]) WITH ORDINALITY t (t, i)) f,
	chats.ask(s, v, f.t[1], f.t[2], :'cursor') r;
\echo answers that are none
SELECT surface, status, count(*) FROM chats.answer WHERE status NOT IN ('200', 'P0002', '42501', 'RO401', 'ROTOK') GROUP BY 1, 2 ORDER BY 1, 2;
\echo the suspended one, and who has no token, are answered by nothing but invitations
SELECT DISTINCT surface, v, status FROM chats.answer WHERE v IN (0, 8) AND status NOT IN ('RO401', 'ROTOK') AND body ~ 'chts' ORDER BY 1, 2;

CREATE TABLE chats.shown AS -- messages by their texts, and by their ids (sealed ones, and tombstones)
SELECT DISTINCT a.surface, a.v, t.id, 'text' AS what FROM chats.answer a, regexp_matches(a.body, '(chts[ab][a-z][0-9]+[a-z]?q)', 'g') m JOIN chats.message t ON t.marker = m[1] WHERE a.status = '200'
UNION SELECT DISTINCT a.surface, a.v, t.id, 'id' FROM chats.answer a, regexp_matches(a.body, '"(?:id|message_id)": ?"([0-9]+)"', 'g') m JOIN chats.message t ON t.id = m[1]::bigint WHERE a.status = '200';
\echo no text of an encrypted, an expired or a deleted message is anywhere
SELECT s.surface, s.v, t.marker FROM chats.shown s JOIN chats.message t USING (id) WHERE s.what = 'text' AND (t.conversation = 'sealed' OR t.state <> 'there') ORDER BY 1, 2;
CREATE TABLE chats.expected AS
SELECT s.surface, t.v, t.id, w.what FROM chats.truth t CROSS JOIN (VALUES ('text'), ('id')) w (what)
CROSS JOIN LATERAL (SELECT t.conversation <> 'sealed' AND t.state = 'there' AS plain) x CROSS JOIN LATERAL (VALUES
	('messages'), ('newer'), ('export of one'), ('search in one'), ('search'), ('search by dates'), ('message'), ('message there'), ('export')) s (surface)
WHERE t.sees AND (w.what = 'id' OR plain) AND (plain OR s.surface !~ '^search') AND (s.surface <> 'export' OR t.own AND t.state = 'there') -- an account takes along what it wrote
UNION ALL
-- lists show the last one
SELECT s.surface, t.v, t.id, w.what FROM (SELECT v, conversation, max(id) AS id FROM chats.truth WHERE sees GROUP BY 1, 2) t JOIN chats.message m USING (id) CROSS JOIN (VALUES ('text'), ('id')) w (what)
CROSS JOIN (VALUES ('conversations'), ('conversation')) s (surface) WHERE w.what = 'id' OR t.conversation <> 'sealed' AND m.state = 'there'
UNION ALL
-- what was written is told to who was there
SELECT s.surface, t.v, t.id, 'text' FROM chats.truth t CROSS JOIN (VALUES ('events'), ('events of one')) s (surface) WHERE t.sees AND t.conversation <> 'sealed' AND t.state = 'there';
DELETE FROM chats.shown WHERE surface = 'receipts' OR surface ~ 'events' AND what = 'id';
\echo messages: what should be shown, and the difference
SELECT coalesce(e.surface, s.surface) AS surface, what, count(e.found) AS expected, count(*) FILTER (WHERE e.found IS NULL) AS too_much, count(*) FILTER (WHERE s.found IS NULL) AS missing
FROM (SELECT *, true AS found FROM chats.expected) e FULL JOIN (SELECT *, true AS found FROM chats.shown) s USING (surface, v, id, what) GROUP BY 1, 2 ORDER BY 1, 2;
SELECT surface, v, what, m.marker, e.found IS NOT NULL AS expected, s.found IS NOT NULL AS shown
FROM (SELECT *, true AS found FROM chats.expected) e FULL JOIN (SELECT *, true AS found FROM chats.shown) s USING (surface, v, id, what) JOIN chats.message m USING (id)
WHERE e.found IS NULL OR s.found IS NULL ORDER BY 1, 2, 3, m.id LIMIT 40;

\echo conversations: who is answered anything at all
SELECT a.surface, count(*) FILTER (WHERE p.member) AS members, count(*) FILTER (WHERE a.status = '200' AND NOT p.member) AS too_much, count(*) FILTER (WHERE a.status <> '200' AND p.member) AS missing
FROM chats.answer a JOIN chats.pair p ON p.v = a.v AND p.conversation = a.conversation WHERE a.message IS NULL AND a.surface !~ 'events' GROUP BY 1 ORDER BY 1;
SELECT surface, v, string_agg(DISTINCT conversation || ' ' || status, ', ') FROM chats.answer WHERE surface ~ '^(events of one|invites|devices of one)$' GROUP BY 1, 2 ORDER BY 1, 2;
\echo the conversations that lists name
SELECT a.surface, a.v, string_agg(DISTINCT c.name, ',' ORDER BY c.name) AS named, string_agg(DISTINCT c.name, ',' ORDER BY c.name) IS NOT DISTINCT FROM (SELECT string_agg(p.conversation, ',' ORDER BY p.conversation) FROM chats.pair p WHERE p.v = a.v AND p.member) AS "right"
FROM chats.answer a LEFT JOIN chats.conversation c ON a.body ~ ('"id":"' || c.id || '"') WHERE a.surface = 'conversations' GROUP BY 1, 2 ORDER BY 1, 2;
\echo accounts: members, who has read, friends, requests, who is told of in events
SELECT a.surface, a.conversation, a.v, string_agg(DISTINCT n.n::text, ',' ORDER BY n.n::text) AS named
FROM chats.answer a JOIN chats.account n ON a.body ~ ('"(id|account_id)": ?"' || n.id || '"') AND a.status = '200'
WHERE a.surface IN ('members', 'friends', 'requests', 'invite', 'invites', 'unread', 'settings', 'keys', 'own devices', 'public events', 'devices of one') GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT count(*) FILTER (WHERE t.own AND t.sees AND t.conversation <> '' AND a.status = '200') AS answered, count(*) FILTER (WHERE NOT (t.own AND t.sees) AND a.status = '200') AS too_much,
	count(*) FILTER (WHERE t.own AND t.sees AND a.status <> '200') AS missing FROM chats.answer a JOIN chats.truth t ON t.v = a.v AND t.id = a.message WHERE a.surface = 'receipts';
SELECT DISTINCT a.v, t.conversation, n.n AS named FROM chats.answer a JOIN chats.truth t ON t.v = a.v AND t.id = a.message JOIN chats.account n ON a.body ~ ('"id":"' || n.id || '"')
WHERE a.surface = 'receipts' AND a.status = '200' AND (n.n IN (3, 7, 20) OR n.n = a.v OR (a.v, n.n) IN ((5, 6), (6, 5))) ORDER BY 1, 2, 3;
\echo reactions: told to who sees the message, and not across a block
SELECT count(*) FILTER (WHERE t.sees AND a.status = '200') > 0 AS answered, count(*) FILTER (WHERE NOT t.sees AND a.status = '200') AS too_much, count(*) FILTER (WHERE t.sees AND a.status <> '200') AS missing
FROM chats.answer a JOIN chats.truth t ON t.v = a.v AND t.id = a.message WHERE a.surface = 'reactions';
SELECT DISTINCT a.v, n.n AS named FROM chats.answer a JOIN chats.account n ON a.body ~ ('"id":"' || n.id || '"') WHERE a.surface = 'reactions' AND a.status = '200' AND (a.v, n.n) IN ((5, 6), (6, 5));
\echo unread: as many as one sees of others, and has not read
SELECT a.v, a.body::jsonb ->> 'messages' AS messages, count(t.id) FILTER (WHERE t.sees AND NOT t.own AND t.state = 'there' AND t.id > coalesce(m.read_id, 0)) AS expected
FROM chats.answer a LEFT JOIN chats.truth t ON t.v = a.v LEFT JOIN chats.conversation c ON c.name = t.conversation LEFT JOIN roost_data.conversation_member m ON m.conversation_id = c.id AND m.account_id = :base + a.v
WHERE a.surface = 'unread' AND a.status = '200' GROUP BY 1, 2 ORDER BY 1;
\echo analysts see neither texts nor who writes with whom
SELECT c.relname FROM pg_class c, query_to_xml(format('SELECT * FROM %s', c.oid::regclass), true, false, '') x
WHERE c.relnamespace = 'roost_bi'::regnamespace AND c.relkind = 'v' AND (x::text ~ 'chts[ab]' OR x::text ~ (SELECT string_agg(id::text, '|') FROM chats.conversation)) ORDER BY 1;

DELETE FROM roost_data.message WHERE conversation_id IN (SELECT id FROM chats.conversation);
DELETE FROM roost_data.message_hidden WHERE conversation_id IN (SELECT id FROM chats.conversation);
DELETE FROM roost_data.conversation_direct WHERE conversation_id IN (SELECT id FROM chats.conversation);
DELETE FROM roost_data.conversation WHERE id IN (SELECT id FROM chats.conversation);
DELETE FROM roost_data.account_block WHERE account_id IN (SELECT id FROM chats.account);
DELETE FROM roost_data.account_stat WHERE account_id IN (SELECT id FROM chats.account);
DELETE FROM roost_data.account_handle WHERE account_id IN (SELECT id FROM chats.account);
DELETE FROM roost_data.account WHERE id IN (SELECT id FROM chats.account);
DROP SCHEMA chats CASCADE;
