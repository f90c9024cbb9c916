-- Notifications: what is told of what others did, what has been read.
\set VERBOSITY terse
\pset format unaligned
UPDATE roost_data.limit_policy SET enabled = false;
-- No day ends meanwhile.
SELECT roost_internal.clock_freeze(clock_timestamp(), everywhere => true);
INSERT INTO roost_data.account (id, username) SELECT 98350 + n, 'note_' || n FROM generate_series(1, 9) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 98351 AND 98359;
CREATE FUNCTION note_list(account_id bigint, types roost.mailbox_kind[] DEFAULT NULL, unread boolean DEFAULT false)
RETURNS TABLE (type roost.mailbox_kind, accounts text, more boolean, text text, read boolean) LANGUAGE plpgsql AS $$
BEGIN
	IF NOT roost.worker_sync('1 minute') THEN
		RAISE EXCEPTION 'the worker does not work';
	END IF;
	RETURN QUERY SELECT l.type, l.account_count || ': ' || (SELECT string_agg(a.username, ' ' ORDER BY n) FROM unnest(l.accounts) WITH ORDINALITY a (id, username, display_name, avatar_url, n)),
		l.more, (l.post).text, l.read
	FROM roost.notification_list(note_list.account_id, note_list.types, note_list.unread) l;
END
$$;

-- every type; own acts are none
SELECT id AS post FROM roost.post_create(98351, 'mine') \gset
SELECT * FROM note_list(98351);
SELECT count(roost.post_like(n, :post)) FROM generate_series(98351, 98354) n;
SELECT count(roost.post_retweet(n, :post)) FROM generate_series(98352, 98353) n;
SELECT id AS reply FROM roost.post_create(98352, 'an answer', reply_to_id => :post) \gset
SELECT id AS mention FROM roost.post_create(98353, 'hello @note_1') \gset
SELECT id AS quote FROM roost.post_create(98354, 'see', quote_of_id => :post) \gset
SELECT count(roost.account_follow(n, '98351')) FROM generate_series(98352, 98353) n;
SELECT type, accounts, text, read FROM note_list(98351);
SELECT type, read FROM note_list(98351, '{reply,mention}');
SELECT l.id IN ('reply-' || l.latest_id, 'mention-' || l.latest_id, 'quote-' || l.latest_id, 'follow-' || to_char(l.latest_at AT TIME ZONE 'UTC', 'YYYYMMDD'),
	l.type || to_char(l.latest_at AT TIME ZONE 'UTC', '-YYYYMMDD-') || :'post') AS id, (l.post).id IN (:post, :reply, :quote, :mention) AS post, l.cursor ~ '^\d+\.\d+$' AS cursor
FROM roost.notification_list(98351) l;

-- one act, as streams tell it
SELECT i ->> 'type', (i ->> 'id')::bigint = m.seq AS id, i #>> '{account,username}', i #>> '{post,text}', i ->> 'created_at' IS NOT NULL AS created_at,
	EXISTS (SELECT FROM roost.notification_list(98351) l WHERE l.id = i ->> 'group_id') AS group_id
FROM roost_data.mailbox m, LATERAL (SELECT roost_internal.notification_item(98351, m.seq)::jsonb AS i) i WHERE m.account_id = 98351 ORDER BY m.seq;
SELECT roost_internal.notification_item(98351, 0) IS NULL AS none, roost_internal.notification_item(98352, seq) IS NULL AS others FROM roost_data.mailbox WHERE account_id = 98351 LIMIT 1;

-- read and unread
SELECT (u).count, (u).more, (u).latest_id = (SELECT max(seq) FROM roost_data.mailbox WHERE account_id = 98351) AS latest, (u).read_id FROM roost.notification_unread_get(98351) u;
SELECT latest_id AS upto FROM roost.notification_list(98351, '{mention}') \gset
SELECT (u).count, (u).read_id = :upto AS read FROM roost.notification_read(98351, :upto) u;
SELECT type, read FROM note_list(98351);
SELECT type, read FROM note_list(98351, unread => true);
-- not back, and not beyond the end
SELECT (u).count, (u).read_id = :upto AS read FROM roost.notification_read(98351, 1) u;
SELECT (u).count, (u).read_id = (u).latest_id AS all FROM roost.notification_read(98351, 9000000000000000000) u;
SELECT count(*) FROM note_list(98351, unread => true);
SELECT count(roost.post_like(98355, :post));
SELECT type, accounts, read FROM note_list(98351, unread => true);
SELECT (u).count FROM roost.notification_unread_get(98351) u;
SELECT (u).count, (u).read_id = (u).latest_id AS all FROM roost.notification_read(98351) u;
-- who has none
SELECT (u).* FROM roost.notification_unread_get(98359) u;
SELECT (u).* FROM roost.notification_read(98359) u;
SELECT count(*) FROM roost_data.notification_marker WHERE account_id = 98359;

-- what was undone, hidden or done by somebody who is not active is not told
SELECT count(roost.post_unlike(n, :post)) FROM generate_series(98353, 98355) n;
SELECT count(roost.post_unretweet(98352, :post)), count(roost.post_delete(98353, :mention)), count(roost.account_unfollow(98352, '98351'));
UPDATE roost_data.account SET is_private = true WHERE id = 98354;
SELECT type, accounts, text FROM note_list(98351);
SELECT (roost.account_follow(98351, '98354')).requested;
SELECT (roost.follow_request_accept(98354, '98351')).followed_by;
SELECT type, accounts, text FROM note_list(98351, '{quote}');
UPDATE roost_data.account SET status = 'suspended' WHERE id = 98352;
SELECT type, accounts, text FROM note_list(98351);
UPDATE roost_data.account SET status = 'active' WHERE id = 98352;
SELECT type, accounts, text FROM note_list(98354);
SELECT count(roost.post_delete(98351, :post));
SELECT type, accounts, text FROM note_list(98351);

-- over HTTP
SELECT access_token AS token, (account).id AS me FROM roost.auth_register('note_me', 'note_me@example.org', 'correct horse battery staple') \gset
CREATE FUNCTION pg_temp.call(method text, path text, query text DEFAULT '', data text DEFAULT NULL, token text DEFAULT current_setting('note.token')) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_answer text;
	v_column text;
BEGIN
	v_answer := roost.handle(method, path, query, concat_ws(E'\n', 'content-type: application/json', 'authorization: Bearer ' || nullif(token, '')), data, '192.0.2.9');
	v_answer := left(v_answer, 3) || ' ' || substr(v_answer, strpos(v_answer, E'\n\n') + 2);
	RETURN regexp_replace(regexp_replace(regexp_replace(v_answer, '"\d{4}-\d\d-\d\dT[0-9:.]+Z"', '"TIME"', 'g'), '-\d{8}(-\d{15,})?"', '-DAY"', 'g'), '"\d{15,}"|"\d+"|"\d+\.\d+"|-\d{10,}', '"ID"', 'g');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS v_column = COLUMN_NAME;
	RETURN concat_ws(' ', SQLSTATE, nullif(v_column, ''), SQLERRM);
END
$$;
SELECT set_config('note.token', :'token', false) IS NOT NULL AS token;
SELECT id AS post FROM roost.post_create(:me, 'over HTTP') \gset
SELECT count(roost.post_like(98351, :post)), count(roost.account_follow(98352, '@note_me'));
SELECT roost.worker_sync('1 minute');
SELECT pg_temp.call('GET', '/notifications', 'limit=1&types=like');
SELECT pg_temp.call('GET', '/notifications', 'types=follow,like') LIKE '200 {"items":[{%"type":"follow"%"type":"like"%"next":null%' AS two;
SELECT pg_temp.call('GET', '/notifications', 'limit=1') LIKE '%"next":"ID"%' AS next;
SELECT pg_temp.call('GET', '/notifications/unread');
SELECT pg_temp.call('POST', '/notifications/read', data => '{}');
SELECT q, pg_temp.call('GET', '/notifications', q) FROM unnest(ARRAY['unread=true', 'types=nonsense', 'types=', 'unread=perhaps', 'limit=0', 'limit=1000', 'before=1', 'before=x.y', 'before=1.2.3',
	'before=9999999999999999999.1', 'after=-1.1', 'after=1.1', 'actor_id=1', 'before=%27%3B--']) q;
SELECT b, pg_temp.call('POST', '/notifications/read', data => b) FROM unnest(ARRAY['{"up_to": "0"}', '{"up_to": "x"}', '{"up_to": -1}', '{"up_to": null}', '{"actor_id": "1"}', '[]']) b;
SELECT p, pg_temp.call('GET', p, token => '') FROM unnest(ARRAY['/notifications', '/notifications/unread', '/notifications/preferences', '/notifications/muted']) p;

SELECT count(roost_internal.account_erase(n)) FROM generate_series(98351, 98359) n;
SELECT count(roost_internal.account_erase(:me));
SELECT roost.worker_sync('1 minute');
SELECT count(*) FROM roost_data.mailbox WHERE account_id BETWEEN 98351 AND 98359 OR actor_id BETWEEN 98351 AND 98359;
SELECT count(*) FROM roost_data.notification_marker WHERE account_id BETWEEN 98351 AND 98359 OR account_id = :me;
DROP FUNCTION note_list(bigint, roost.mailbox_kind[], boolean);
SELECT roost_internal.clock_freeze(NULL, everywhere => true);
UPDATE roost_data.limit_policy SET enabled = true;
