-- What an account wants to hear of: at once, of all that has happened, and alike
-- for lists, counts and streams.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
-- No day ends meanwhile.
SELECT roost_internal.clock_freeze(clock_timestamp(), everywhere => true);
INSERT INTO roost_data.account (id, username) SELECT 98370 + n, 'pref_' || n FROM generate_series(1, 5) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT username, id FROM roost_data.account WHERE id BETWEEN 98371 AND 98375;
UPDATE roost_data.account SET is_private = true WHERE id = 98371;
SELECT (roost.account_follow(98371, '98372')).following;
-- 98371 follows 98372 and not 98373; both do everything
SELECT (roost.account_follow(n, '98371')).requested FROM generate_series(98372, 98373) n;
SELECT (roost.follow_request_accept(98371, n::text)).followed_by FROM generate_series(98372, 98373) n;
UPDATE roost_data.account SET is_private = false WHERE id = 98371;
INSERT INTO roost_data.follow_request (follower_id, followee_id, id) SELECT n, 98371, roost_internal.id_next(n) FROM generate_series(98374, 98375) n;
SELECT (roost.account_follow(98371, '98374')).following;
SELECT id AS post FROM roost.post_create(98371, 'mine') \gset
SELECT count(roost.post_like(n, :post)), count(roost.post_retweet(n, :post)), count(roost.post_create(n, 'answer', reply_to_id => :post)),
	count(roost.post_create(n, 'quote', quote_of_id => :post)), count(roost.post_create(n, 'hello @pref_1')) FROM generate_series(98372, 98373) n;
SELECT roost.worker_sync('1 minute');
-- The types that are told of each account: by the list, the count and the stream.
CREATE FUNCTION pg_temp.told() RETURNS TABLE (account text, listed text, agree boolean) LANGUAGE sql AS $$
	WITH listed AS (
		SELECT a.username, l.type FROM roost.notification_list(98371) l, unnest(l.accounts) a
	), streamed AS (
		SELECT i #>> '{account,username}' AS username, (i ->> 'type')::roost.mailbox_kind AS type
		FROM roost_data.mailbox m, LATERAL (SELECT roost_internal.notification_item(98371, m.seq)::jsonb AS i) i WHERE m.account_id = 98371 AND i IS NOT NULL
	)
	SELECT l.username::text, string_agg(l.type::text, ' ' ORDER BY l.type), NOT EXISTS (SELECT * FROM listed EXCEPT ALL SELECT * FROM streamed)
		AND NOT EXISTS (SELECT * FROM streamed EXCEPT ALL SELECT * FROM listed)
		AND (SELECT count(*) FROM listed) = (SELECT (u).count FROM roost.notification_unread_get(98371) u)
	FROM listed l GROUP BY l.username ORDER BY l.username
$$;
BEGIN;
SELECT * FROM roost.notification_preferences_get(98371);
SELECT * FROM pg_temp.told();

-- every type and policy
CREATE FUNCTION pg_temp.set_one(type text, policy text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SELECT roost.notification_preferences_set(98371, %I => %L)', type, policy);
END
$$;
CREATE FUNCTION pg_temp.matrix() RETURNS TABLE (type text, policy roost.notification_policy, told text, agree boolean) LANGUAGE plpgsql AS $$
BEGIN
	FOR type IN SELECT k::text FROM unnest(enum_range(NULL::roost.mailbox_kind)) k LOOP
		FOREACH policy IN ARRAY ARRAY['nobody', 'followed', 'everyone']::roost.notification_policy[] LOOP
			PERFORM pg_temp.set_one(type, policy::text);
			SELECT string_agg(t.account, ' ') FILTER (WHERE type = ANY (string_to_array(t.listed, ' '))), bool_and(t.agree) INTO told, agree FROM pg_temp.told() t;
			RETURN NEXT;
		END LOOP;
	END LOOP;
END
$$;
SELECT * FROM pg_temp.matrix();
SELECT count(*) AS kept FROM roost_data.notification_preference WHERE account_id = 98371;
SELECT * FROM roost.notification_preferences_set(98371, reply => 'followed', mention => 'nobody');
SELECT * FROM roost.notification_preferences_set(98371, mention => 'everyone');
SELECT * FROM pg_temp.told();
SELECT count(*) FROM roost.notification_preferences_set(98371, reply => 'everyone');

-- an account
SELECT roost.notification_mute(98371, '@pref_2'), roost.notification_mute(98371, '98372');
SELECT * FROM pg_temp.told();
SELECT username FROM roost.notification_mute_list(98371);
SELECT (roost_internal.notification_export(98371) #>> '{muted,0,username}');
SELECT roost.notification_unmute(98371, '98372'), roost.notification_unmute(98371, '98372');
SELECT * FROM pg_temp.told();
SELECT roost.notification_mute(98371, '98371');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.notification_mute(98371, '@nobody_here');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.notification_mute(98371, '8');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO roost_data.notification_mute (account_id, muted_id, id) SELECT 98375, n, n FROM generate_series(1, 10000) n;
SELECT roost.notification_mute(98375, '98371');
\echo :LAST_ERROR_SQLSTATE
UPDATE roost_data.notification_mute SET muted_id = 98371 WHERE account_id = 98375 AND muted_id = 1;
SELECT roost.notification_mute(98375, '98371');

-- a thread: answers, likes, retweets and quotes of it; mentions elsewhere stay
SELECT id AS reply FROM roost_data.post WHERE reply_to_id = :post ORDER BY id LIMIT 1 \gset
SELECT roost.notification_thread_mute(98371, :reply), roost.notification_thread_mute(98371, :post);
SELECT * FROM pg_temp.told();
SELECT jsonb_array_length(roost_internal.notification_export(98371) -> 'muted_threads') AS threads;
SELECT roost.notification_thread_unmute(98371, :post), roost.notification_thread_unmute(98371, :post), roost.notification_thread_unmute(98371, 1);
SELECT * FROM pg_temp.told();
SELECT roost.notification_thread_mute(98371, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT id AS secret FROM roost.post_create(98373, 'for followers', visibility => 'followers') \gset
SELECT roost.notification_thread_mute(98374, :secret);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO roost_data.notification_thread_mute (account_id, thread_id, id) SELECT 98371, n, n FROM generate_series(1, 1200) n;
SELECT roost.notification_thread_mute(98371, :post);
SELECT count(*), max(thread_id) = :post AS newest FROM roost_data.notification_thread_mute WHERE account_id = 98371;

-- taken along, and left behind
SELECT jsonb_object_keys(roost_internal.notification_export(98371));
SELECT roost.notification_mute(98372, '98371');
SELECT count(*) FROM roost.notification_preferences_set(98371, "like" => 'nobody');
SELECT count(*) FROM roost.notification_read(98371);
SELECT roost_internal.account_erase(98371);
SELECT (SELECT count(*) FROM roost_data.notification_preference t WHERE t.account_id = 98371) + (SELECT count(*) FROM roost_data.notification_marker t WHERE t.account_id = 98371)
	+ (SELECT count(*) FROM roost_data.notification_mute t WHERE 98371 IN (t.account_id, t.muted_id)) + (SELECT count(*) FROM roost_data.notification_thread_mute t WHERE t.account_id = 98371) AS left_behind;
ROLLBACK;

-- over HTTP
BEGIN;
UPDATE roost_data.limit_policy SET enabled = false;
SELECT access_token AS token FROM roost.auth_register('pref_me', 'pref_me@example.org', 'correct horse battery staple') \gset
CREATE FUNCTION pg_temp.call(method text, path text, token text, data text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_column text;
BEGIN
	RETURN regexp_replace(roost.handle(method, path, '', concat_ws(E'\n', 'content-type: application/json', 'authorization: Bearer ' || token), data, NULL), E'\n(.*\n)?\n', ' ');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS v_column = COLUMN_NAME;
	RETURN concat_ws(' ', SQLSTATE, nullif(v_column, ''), SQLERRM);
END
$$;
SELECT pg_temp.call('GET', '/notifications/preferences', :'token');
SELECT b, pg_temp.call('PUT', '/notifications/preferences', :'token', b) FROM unnest(ARRAY['{"like": "followed", "reply": "nobody"}', '{"like": "friends"}', '{"like": 1}', '{"likes": "nobody"}', '{"follow": null}', '{}', '"x"']) b;
SELECT pg_temp.call(m, '/notifications/muted/' || a, :'token') FROM unnest(ARRAY['PUT', 'DELETE']) m, unnest(ARRAY['98372', '@pref_3', 'x', '@', '0']) a;
SELECT pg_temp.call(m, '/tweets/' || p || '/mute', :'token') FROM unnest(ARRAY['POST', 'DELETE']) m, unnest(ARRAY[:'post', '1', 'x']) p;
SELECT pg_temp.call('GET', '/notifications/muted', :'token') LIKE '200 {"items":[],%' AS none;
SELECT pg_temp.call('GET', '/users/me/export', :'token') LIKE '%"notification": {%' AS exported;
ROLLBACK;

SELECT count(roost_internal.account_erase(n)) FROM generate_series(98371, 98375) n;
SELECT roost.worker_sync('1 minute');
SELECT roost_internal.clock_freeze(NULL, everywhere => true);
