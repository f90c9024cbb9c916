-- Conversations: the direct one of two accounts, the list and its pages, settings, clearing, what is unread.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
\pset format unaligned
\pset tuples_only on
BEGIN;

INSERT INTO roost_data.account (id, username) SELECT 18100 + n, 'talk_' || n FROM generate_series(1, 40) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'talk_' || n, 18100 + n FROM generate_series(1, 40) n;
UPDATE roost_data.account SET message_policy = 'friends' WHERE id = 18105;

CREATE FUNCTION pg_temp.say(who bigint, whom bigint, what text DEFAULT 'hello') RETURNS bigint LANGUAGE sql AS
	$$ SELECT (roost.message_create(who, whom::text, NULL, what)).id $$;
CREATE FUNCTION pg_temp.link(account_id bigint) RETURNS void LANGUAGE sql AS $$
	INSERT INTO roost_data.device (id, account_id) VALUES (link.account_id * 10 + 1, link.account_id);
	INSERT INTO roost_data.key_device (account_id, number, device_id, registration_id, identity_key, signed_prekey_id, signed_prekey, signed_prekey_signature, kyber_prekey_id, kyber_prekey, kyber_prekey_signature)
	VALUES (link.account_id, 1, link.account_id * 10 + 1, 1, decode(repeat('05', 33), 'hex'), 1, decode(repeat('05', 33), 'hex'), decode(repeat('05', 64), 'hex'), 1, decode(repeat('08', 1569), 'hex'), decode(repeat('05', 64), 'hex')) $$;
CREATE FUNCTION pg_temp.names(c roost.conversation) RETURNS text LANGUAGE sql AS
	$$ SELECT coalesce(nullif(c.title, ''), (SELECT string_agg(m.username, ',' ORDER BY m.username) FROM unnest(c.members) m)) $$;

-- one conversation a pair, whoever begins; there is none with oneself, with nobody, with more, and it has no title
SELECT id AS direct, kind, encryption, title, description, avatar_url, member_count, role, can_send, unread_count, last_message, muted, archived, pinned
FROM roost.conversation_create(18101, 'direct', '{@Talk_2}') \gset
\echo :kind :encryption :member_count :role :can_send :unread_count :muted :archived :pinned
SELECT id = :direct, pg_temp.names(c) FROM roost.conversation_create(18102, 'direct', '{18101}') c;
SELECT roost_internal.conversation_direct(18102, 18101) = :direct;
SELECT roost.conversation_create(18101, 'direct', '{18101}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_create(18101, 'direct', '{18199}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_create(18101, 'direct', '{18102,18103}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_create(18101, 'direct', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_create(18101, 'direct', '{18103}', title => 'us');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_create(18101, 'direct', '{18103}', expire_after => 4);
\echo :LAST_ERROR_SQLSTATE
-- an encrypted one is of two that have keys; with a policy against it nobody learns whether there are any
SELECT roost.conversation_create(18101, 'direct', '{18104}', encryption => 'e2ee', expire_after => 60);
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.link(18104);
SELECT roost.conversation_create(18101, 'direct', '{18104}', encryption => 'e2ee', expire_after => 60);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_create(18101, 'direct', '{18105}', encryption => 'e2ee');
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.link(18101);
SELECT roost.message_create(18101, recipient_id => '18103', device_id => 181011::bigint, envelopes => '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost_internal.direct_find(18101, 18103) IS NULL AND roost_internal.direct_find(18101, 18104) IS NULL AS none;
SELECT encryption, expire_after FROM roost.conversation_create(18101, 'direct', '{18104}', encryption => 'e2ee', expire_after => 60);
-- nor does anybody write what nobody can read
SELECT (roost.message_create(18101, recipient_id => '18104', device_id => 181011::bigint, envelopes => '{"(18104,1,1,2,x)"}')).encrypted;
DELETE FROM roost_data.key_device WHERE account_id = 18104;
SELECT roost.message_create(18101, recipient_id => '18104', device_id => 181011::bigint, envelopes => '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.message_create(18101, recipient_id => '18104', device_id => 181011::bigint, content => 'x', devices_version => roost_internal.key_devices_version(roost_internal.direct_find(18101, 18104), 18101));
\echo :LAST_ERROR_SQLSTATE

-- the other one sees it when something is written
SELECT pg_temp.names(c) FROM roost.conversation_list(18102) c;
SELECT roost_internal.conversation_told('conversation_created', 18101, :direct, NULL, NULL);
SELECT pg_temp.say(18101, 18102) > 0;
SELECT pg_temp.names(c), unread_count, (last_message).text FROM roost.conversation_list(18102) c;
SELECT roost_internal.conversation_told('conversation_created', 18101, :direct, NULL, NULL);

-- consent: a policy keeps beginning out, not answers; a block everything but reading
SELECT roost.conversation_create(18101, 'direct', '{18105}');
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.say(18105, 18101, 'may I?') > 0;
SELECT can_send FROM roost.conversation_create(18101, 'direct', '{18105}');
SELECT pg_temp.say(18101, 18105, 'you may') > 0;
SELECT count(roost.account_block(18105, '18101'));
SELECT can_send, (last_message).text FROM roost.conversation_create(18101, 'direct', '{18105}');
SELECT can_send, (last_message).text FROM roost.conversation_create(18105, 'direct', '{18101}');
SELECT roost_internal.conversation_direct(18101, 18105);
\echo :LAST_ERROR_SQLSTATE
SELECT roost_internal.conversation_send_refuse(18105, roost_internal.direct_find(18105, 18101));
\echo :LAST_ERROR_SQLSTATE
SELECT count(roost.account_unblock(18105, '18101'));
UPDATE roost_data.account SET status = 'suspended' WHERE id = 18105;
SELECT can_send, pg_temp.names(c) FROM roost_internal.conversation_one(18101, roost_internal.direct_find(18105, 18101)) c;
SELECT roost_internal.conversation_send_refuse(18101, roost_internal.direct_find(18105, 18101));
\echo :LAST_ERROR_SQLSTATE

-- nobody else sees it
SELECT roost.conversation_get(18103, :direct);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_settings(18103, :direct, muted => true);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_clear(18103, :direct);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_update(18103, :direct, expire_after => 60);
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_get(18101, 1);
\echo :LAST_ERROR_SQLSTATE

-- the list: pinned first, then by the newest message
SELECT count(pg_temp.say(18100 + n, 18120)) FROM (SELECT n FROM generate_series(21, 30) n ORDER BY n OFFSET 0) g;
SELECT string_agg(pg_temp.names(c), ' ') FROM roost.conversation_list(18120) c;
SELECT pinned FROM roost.conversation_settings(18120, roost_internal.direct_find(18120, 18123), pinned => true);
SELECT pinned FROM roost.conversation_settings(18120, roost_internal.direct_find(18120, 18125), pinned => true);
SELECT string_agg(pg_temp.names(c), ' ') FROM roost.conversation_list(18120) c;

-- a walk has each one once, whatever is written meanwhile: into those that were shown and those that come, and by somebody new
CREATE FUNCTION pg_temp.page(who bigint, size integer, cursor text, OUT seen text, OUT next text) LANGUAGE sql AS
	$$ SELECT string_agg(pg_temp.names(c), ' '), (array_agg(c.cursor))[count(*)] FROM roost.conversation_list(who, size, cursor) c $$;
SELECT * FROM pg_temp.page(18120, 4, NULL) \gset
\echo :seen
SELECT count(pg_temp.say(18100 + n, 18120)) FROM unnest('{22,30,28}'::integer[]) n;
SELECT count(pg_temp.say(18120, 18100 + n)) FROM unnest('{24,31}'::integer[]) n;
SELECT * FROM pg_temp.page(18120, 4, :'next') \gset
\echo :seen
SELECT count(pg_temp.say(18100 + n, 18120)) FROM unnest('{21,29}'::integer[]) n;
SELECT * FROM pg_temp.page(18120, 4, :'next') \gset
\echo :seen
SELECT coalesce(seen, 'end') FROM pg_temp.page(18120, 4, :'next');
SELECT seen FROM pg_temp.page(18120, 20, NULL);
SELECT roost.conversation_list(18120, 4, '17');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_list(18120, 4, '2.17.17');
\echo :LAST_ERROR_SQLSTATE

-- the archive: until the next message, or as long as it is muted
SELECT roost_internal.direct_find(18120, 18126) AS six, roost_internal.direct_find(18120, 18127) AS seven, roost_internal.direct_find(18120, 18124) AS four \gset
SELECT archived FROM roost.conversation_settings(18120, :six, archived => true);
SELECT archived, muted, muted_until FROM roost.conversation_settings(18120, :seven, archived => true, muted => true);
SELECT string_agg(pg_temp.names(c), ' ') FROM roost.conversation_list(18120, archived => true) c;
SELECT string_agg(pg_temp.names(c), ' ') FROM roost.conversation_list(18120, 4) c;
SELECT count(pg_temp.say(18100 + n, 18120)) FROM unnest('{26,27}'::integer[]) n;
SELECT string_agg(pg_temp.names(c), ' ') FROM roost.conversation_list(18120, archived => true) c;
SELECT archived FROM roost.conversation_settings(18120, :six, muted => true);
SELECT archived FROM roost.conversation_settings(18120, :seven, muted => false);
SELECT archived FROM roost.conversation_settings(18120, :seven, archived => true);
SELECT archived FROM roost.conversation_settings(18120, :seven, archived => false);

-- muted for some time
SELECT roost_internal.clock_freeze('2020-01-01 12:00:00Z');
SELECT muted, muted_until FROM roost.conversation_settings(18120, :four, muted_until => '2020-01-01 13:00:00Z');
SELECT roost.conversation_settings(18120, :four, muted_until => '2020-01-01 11:00:00Z');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_settings(18120, :four, muted_until => 'infinity');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_settings(18120, :four, muted => false, muted_until => '2020-01-01 14:00:00Z');
\echo :LAST_ERROR_SQLSTATE
SELECT roost_internal.clock_freeze('2020-01-01 13:00:00Z');
SELECT muted, muted_until FROM roost.conversation_get(18120, :four);
SELECT roost_internal.clock_freeze(NULL);

-- what is told of it, to oneself and only if something has changed
SELECT count(*) AS before FROM roost_data.feed_trace WHERE kind = 'conversation_settings' AND room_id = 18120 \gset
SELECT count(roost.conversation_settings(18120, :seven, muted => false, pinned => false));
SELECT count(*) - :before FROM roost_data.feed_trace WHERE kind = 'conversation_settings' AND room_id = 18120;
SELECT roost_internal.conversation_told('conversation_settings', 18120, :seven, NULL, NULL),
	roost_internal.conversation_event('conversation_settings', 1, 18120, :seven, NULL, NULL)::jsonb - 'conversation_id';
SELECT roost_internal.conversation_event('conversation_settings', 1, 18121, :seven, NULL, NULL) IS NULL;

-- unread: by others, after what was read, and not what was taken back
SELECT unread_count FROM roost.conversation_get(18120, :six);
SELECT * FROM roost.conversation_unread(18120);
SELECT count(roost.conversation_settings(18120, :six, muted => false));
UPDATE roost_data.conversation_member m SET read_id = c.last_message_id FROM roost_data.conversation c
WHERE c.id = m.conversation_id AND m.account_id = 18120 AND c.id <> :six;
SELECT * FROM roost.conversation_unread(18120);
INSERT INTO roost_data.message_hidden SELECT conversation_id, 18120, min(id) FROM roost_data.message WHERE conversation_id = :six GROUP BY 1;
SELECT * FROM roost.conversation_unread(18120);
SELECT count(pg_temp.say(18126, 18120)) FROM generate_series(1, 1005);
SELECT * FROM roost.conversation_unread(18120);
SELECT unread_count FROM roost.conversation_get(18120, :six);

-- clearing: gone for oneself, kept by the other, back with the next message
SELECT roost.conversation_clear(18120, :six);
SELECT unread_count, last_message IS NULL, archived, pinned FROM roost.conversation_get(18120, :six);
SELECT (last_message).text FROM roost.conversation_get(18126, :six);
SELECT count(*) FROM roost_data.message_hidden WHERE conversation_id = :six;
SELECT roost_internal.conversation_event('conversation_cleared', 1, 18120, :six, NULL, NULL)::jsonb ->> 'message_id' = last_message_id::text
FROM roost_data.conversation WHERE id = :six;
SELECT pg_temp.say(18126, 18120, 'again') > 0;
SELECT unread_count, (last_message).text, archived FROM roost.conversation_get(18120, :six);

-- the timer and encryption of a direct conversation: either of the two, told in the history, encryption for good
SELECT expire_after, encryption FROM roost.conversation_update(18120, :six, expire_after => 3600);
SELECT roost.conversation_update(18126, :six, expire_after => 0, encryption => 'e2ee');
\echo :LAST_ERROR_SQLSTATE
SELECT expire_after, encryption FROM roost.conversation_get(18126, :six);
SELECT pg_temp.link(18120), pg_temp.link(18126);
SELECT expire_after, encryption FROM roost.conversation_update(18126, :six, expire_after => 0, encryption => 'e2ee');
SELECT count(roost.conversation_update(18126, :six, expire_after => 0, encryption => 'e2ee'));
SELECT sender_id, action, detail, encrypted FROM roost_data.message WHERE conversation_id = :six AND action IS NOT NULL ORDER BY id;
SELECT roost.conversation_update(18120, :six, encryption => 'none');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_update(18120, :six, title => 'we');
\echo :LAST_ERROR_SQLSTATE
SELECT roost.conversation_update(18120, :six, expire_after => 31536001);
\echo :LAST_ERROR_SQLSTATE
SELECT count(roost.account_block(18126, '18120'));
SELECT roost.conversation_update(18120, :six, expire_after => 60);
\echo :LAST_ERROR_SQLSTATE

-- events are neutral, and null when there is nothing to tell
SELECT j - 'id' - 'created_at' FROM (SELECT roost_internal.conversation_event('conversation_updated', 1, 18120, :six, NULL, NULL)::jsonb -> 'conversation') t (j);
SELECT roost_internal.conversation_event('conversation_updated', 1, 18120, 1, NULL, NULL) IS NULL;

ROLLBACK;
