-- Envelopes: for exactly the devices that there are, until they are acknowledged.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET roost.limit_enabled = off;
SET search_path = public;
CREATE SCHEMA envelope_test;

-- Accounts 1 to 5 with devices a and b (account n has n's device numbers 1 and 2), 6 without keys; conversation 1: group of 1 to 6, encrypted; 2: group of 1 and 2, plain.
SELECT 7770000000400000 AS base \gset
INSERT INTO roost_data.account (id, username) SELECT :base + n, 'envt_' || n FROM generate_series(1, 7) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'envt_' || n, :base + n FROM generate_series(1, 7) n;
INSERT INTO roost_data.device (id, account_id) SELECT :base + n * 10 + d, :base + n FROM generate_series(1, 7) n, generate_series(1, 3) d;
CREATE FUNCTION envelope_test.link(device_id bigint, registration_id int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO roost_data.key_device (account_id, number, device_id, registration_id, identity_key, signed_prekey_id, signed_prekey, signed_prekey_signature, kyber_prekey_id, kyber_prekey, kyber_prekey_signature)
	SELECT d.account_id, device_id % 10, device_id, link.registration_id, decode(repeat('05', 33), 'hex'), 1, decode(repeat('05', 33), 'hex'), decode(repeat('05', 64), 'hex'),
		1, decode(repeat('08', 1569), 'hex'), decode(repeat('05', 64), 'hex')
	FROM roost_data.device d WHERE d.id = device_id $$;
INSERT INTO roost_data.conversation (id, kind, encryption, member_count) VALUES (:base + 901, 'group', 'e2ee', 6), (:base + 902, 'group', 'none', 2);
INSERT INTO roost_data.conversation_member (conversation_id, account_id) SELECT :base + 901, :base + n FROM generate_series(1, 6) n UNION ALL SELECT :base + 902, :base + n FROM generate_series(1, 2) n;
SELECT count(envelope_test.link(:base + n * 10 + d, n * 100 + d)) FROM generate_series(1, 5) n, generate_series(1, 2) d;

-- what an actor's device calls; ids become short
CREATE FUNCTION envelope_test.call(device int, method text, path text, body jsonb DEFAULT NULL, query text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
DECLARE v_field text; v_detail text; v_context text; v_answer text; v_base constant bigint := 7770000000400000;
BEGIN
	BEGIN
		v_answer := roost.handle(method, path, query, E'content-type: application/json\nauthorization: Bearer ' || roost_internal.token_make(v_base + device / 10, v_base + device, v_base + device),
			body::text, '192.0.2.7');
		v_answer := split_part(v_answer, E'\n', 1) || ' ' || split_part(v_answer, E'\n\n', 2);
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS v_field = COLUMN_NAME, v_detail = PG_EXCEPTION_DETAIL, v_context = PG_EXCEPTION_CONTEXT;
		v_answer := concat_ws(' | ', SQLSTATE, nullif(v_field, ''), SQLERRM, nullif(v_detail, ''), substring(v_context FROM 'roost-member: ([^\n]*)'));
	END;
	v_answer := regexp_replace(v_answer, '"devices_version": "[0-9a-f]{32}"', '"devices_version": "…"');
	RETURN regexp_replace(v_answer, '77700000004000(\d\d)', '#\1', 'g');
END $$;
-- envelopes of a device for others, numbers as device ids: account and number
CREATE FUNCTION envelope_test.made(devices int[], content text DEFAULT 'QUJD', type int DEFAULT 2) RETURNS jsonb LANGUAGE sql AS $$
	SELECT coalesce(jsonb_agg(jsonb_build_object('account_id', (7770000000400000 + d / 10)::text, 'device', d % 10, 'registration_id', d / 10 * 100 + d % 10, 'type', type, 'content', content) ORDER BY n), '[]')
	FROM unnest(devices) WITH ORDINALITY u (d, n) $$;
CREATE FUNCTION envelope_test.send(device int, envelopes jsonb, more jsonb DEFAULT '{}', conversation int DEFAULT 901) RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(regexp_replace(envelope_test.call(device, 'POST', '/messages', jsonb_build_object('conversation_id', (7770000000400000 + conversation)::text) || coalesce(jsonb_build_object('envelopes', envelopes), '{}') || more),
		'^(201|200) .*"text":([^,]*),"media":([^,]*),"encrypted":([^,]*),.*"state":([^,]*),.*$', '\1 text \2 media \3 encrypted \4 state \5'), '\d{15,}', '*', 'g') $$;
-- what waits for a device
CREATE FUNCTION envelope_test.waits(device int, query text DEFAULT '') RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', 'from', right(i->>'sender_id', 2), i->>'sender_device', 'type', i->>'type', i->>'content', CASE WHEN i->>'message_id' IS NULL THEN 'no message' END)
	FROM jsonb_array_elements((regexp_replace(envelope_test.call(device, 'GET', '/encryption/envelopes', NULL, query), '^200 ', ''))::jsonb->'items') i $$;
CREATE VIEW envelope_test.waiting AS SELECT e.account_id - 7770000000400000 AS account, e.number, e.id, e.message_id, convert_from(e.content, 'UTF8') AS content
FROM roost_data.message_envelope e WHERE e.conversation_id = 7770000000400901;
CREATE FUNCTION envelope_test.forget() RETURNS void LANGUAGE sql AS $$
	DELETE FROM roost_data.message_envelope WHERE conversation_id = 7770000000400901;
	DELETE FROM roost_data.message_ciphertext WHERE message_id NOT IN (SELECT coalesce(message_id, id) FROM roost_data.message_envelope);
	DELETE FROM roost_data.message WHERE conversation_id = 7770000000400901 $$;

\echo one for each device of each member but the one that sends
SELECT envelope_test.send(11, envelope_test.made('{12,21,22,31,32,41,42,51,52}'));
SELECT account, number, content FROM envelope_test.waiting ORDER BY 1, 2;
SELECT DISTINCT text IS NULL, media IS NULL, encrypted FROM roost_data.message WHERE conversation_id = :base + 901;
SELECT * FROM envelope_test.waits(21);
\echo missing, extra, stale: nothing is stored
SELECT envelope_test.send(11, envelope_test.made('{12,21,31,32,41,42,51}'));
SELECT envelope_test.send(11, envelope_test.made('{12,21,22,31,32,41,42,51,52,11,61,72,23}'));
SELECT envelope_test.send(11, jsonb_set(envelope_test.made('{12,21,22,31,32,41,42,51,52}'), '{3,registration_id}', '999'));
SELECT envelope_test.send(11, jsonb_set(envelope_test.made('{21,31,32,41,42,51,52,53}'), '{3,registration_id}', '999'));
SELECT envelope_test.send(11, '[]');
SELECT count(DISTINCT message_id) FROM envelope_test.waiting;
SELECT count(*) FROM roost_data.message WHERE conversation_id = :base + 901;
\echo envelopes that make no sense
SELECT envelope_test.send(11, e.made) FROM (SELECT envelope_test.made('{12,21,22,31,32,41,42,51,52}') AS good) g, LATERAL (VALUES
	(g.good || g.good->2), (jsonb_set(g.good, '{3}', '{"device": 1}')), (g.good #- '{4,content}'), (jsonb_set(g.good, '{5,content}', 'null')),
	(jsonb_set(g.good, '{5,content}', '"!"')), (jsonb_set(g.good, '{5,content}', '""')), (jsonb_set(g.good, '{5,content}', '7')),
	(jsonb_set(g.good, '{6,content}', to_jsonb(repeat('A', 87380) || 'AAA='))),
	(jsonb_set(g.good, '{0,device}', '0')), (jsonb_set(g.good, '{0,device}', '128')), (jsonb_set(g.good, '{0,type}', '1')), (jsonb_set(g.good, '{0,account_id}', '"x"')),
	(jsonb_set(g.good, '{0,more}', '1')), ('{}'), ('[1]'), ('[null]'), ('"x"')) e (made);
SELECT envelope_test.send(11, jsonb_set(envelope_test.made('{12,21,22,31,32,41,42,51,52}'), '{0,content}', to_jsonb(repeat('A', 87380) || 'A')));
SELECT envelope_test.send(11, envelope_test.made('{12,21,22,31,32,41,42,51,52}', repeat('A', 87380) || 'Aw=='));
SELECT max(octet_length(content)) FROM roost_data.message_envelope WHERE conversation_id = :base + 901;
\echo text and envelopes do not go together, nor with the other kind of conversation; who is no member, who has no keys
SELECT envelope_test.send(11, envelope_test.made('{}'), '{"text": "plain"}');
SELECT envelope_test.send(11, NULL, '{"text": "plain"}');
SELECT envelope_test.send(11, envelope_test.made('{12,21,22}'), '{}', 902);
SELECT envelope_test.send(71, envelope_test.made('{12}'));
SELECT envelope_test.send(61, envelope_test.made('{12}'));
SELECT envelope_test.send(13, envelope_test.made('{12}'));
SELECT envelope_test.send(11, NULL, '{"content": "QUJD"}');
SELECT envelope_test.send(11, envelope_test.made('{12,21,22,31,32,41,42,51,52}'), '{"devices_version": "00000000000000000000000000000000"}');
\echo again with the same client_id: the same message, and no more envelopes
SELECT envelope_test.forget();
SELECT envelope_test.send(11, envelope_test.made('{12,21,22,31,32,41,42,51,52}'), '{"client_id": "once"}') FROM generate_series(1, 2);
SELECT envelope_test.send(11, envelope_test.made('{12}'), '{"client_id": "once"}');
SELECT count(*) FROM envelope_test.waiting;

\echo one ciphertext for all
SELECT envelope_test.forget();
SELECT roost_internal.key_devices_version(:base + 901, :base + 1) AS version \gset
SELECT envelope_test.send(11, NULL, jsonb_build_object('content', 'T05F', 'devices_version', :'version'));
SELECT envelope_test.send(11, envelope_test.made('{21,32}', 'S0VZ', 3), jsonb_build_object('content', 'VFdP', 'devices_version', :'version'));
SELECT account, number, count(*) FROM envelope_test.waiting GROUP BY 1, 2 ORDER BY 1, 2;
SELECT * FROM envelope_test.waits(21);
SELECT * FROM envelope_test.waits(22);
SELECT count(*) FROM roost_data.message_ciphertext c JOIN roost_data.message m ON m.id = c.message_id WHERE m.conversation_id = :base + 901;
\echo of another version: the whole list; a device that is not there, or was set up anew
SELECT envelope_test.send(11, NULL, '{"content": "QUJD", "devices_version": "00000000000000000000000000000000"}');
SELECT envelope_test.send(11, envelope_test.made('{23}'), jsonb_build_object('content', 'VFdP', 'devices_version', :'version'));
SELECT envelope_test.send(11, jsonb_set(envelope_test.made('{22}'), '{0,registration_id}', '5'), jsonb_build_object('content', 'VFdP', 'devices_version', :'version'));
SELECT envelope_test.send(11, NULL, jsonb_build_object('content', 'VFdP', 'devices_version', 'x'));
\echo pages, oldest first
SELECT * FROM envelope_test.waits(21, 'limit=2');
SELECT * FROM envelope_test.waits(21, 'limit=2&after=' || (SELECT id FROM envelope_test.waiting WHERE (account, number) = (2, 1) ORDER BY id OFFSET 1 LIMIT 1));
SELECT envelope_test.call(61, 'GET', '/encryption/envelopes');

\echo acknowledged: only those of the device that says so; the ciphertext goes with the last
SELECT envelope_test.call(21, 'POST', '/encryption/envelopes/ack', jsonb_build_object('ids', (SELECT jsonb_agg(id::text) FROM (SELECT DISTINCT id FROM envelope_test.waiting) w)));
SELECT account, number, count(*) FROM envelope_test.waiting GROUP BY 1, 2 ORDER BY 1, 2;
SELECT envelope_test.call(d, 'POST', '/encryption/envelopes/ack', jsonb_build_object('conversation_id', (:base + 901)::text, 'up_to', (SELECT max(id)::text FROM envelope_test.waiting))) FROM unnest('{12,22,31,32,41,42,51}'::int[]) d;
SELECT count(*) FROM roost_data.message_ciphertext c JOIN roost_data.message m ON m.id = c.message_id WHERE m.conversation_id = :base + 901;
SELECT envelope_test.call(52, 'POST', '/encryption/envelopes/ack', jsonb_build_object('ids', (SELECT jsonb_agg(id::text) FROM (SELECT min(id) AS id FROM envelope_test.waiting WHERE (account, number) = (5, 2)) w)));
SELECT count(*) FROM roost_data.message_ciphertext c JOIN roost_data.message m ON m.id = c.message_id WHERE m.conversation_id = :base + 901;
SELECT envelope_test.call(52, 'POST', '/encryption/envelopes/ack', jsonb_build_object('conversation_id', (:base + 902)::text, 'up_to', (SELECT max(id)::text FROM envelope_test.waiting)));
SELECT count(*) FROM envelope_test.waiting;
SELECT envelope_test.call(52, 'POST', '/encryption/envelopes/ack', jsonb_build_object('conversation_id', (:base + 901)::text, 'up_to', (SELECT max(id)::text FROM envelope_test.waiting)));
SELECT count(*) FROM envelope_test.waiting;
SELECT count(*) FROM roost_data.message_ciphertext c JOIN roost_data.message m ON m.id = c.message_id WHERE m.conversation_id = :base + 901;
SELECT envelope_test.call(52, 'POST', '/encryption/envelopes/ack', b) FROM unnest('{"{}","{\"ids\": [], \"up_to\": 1}","{\"up_to\": 1}","{\"ids\": [1], \"conversation_id\": 1}","{\"ids\": []}"}'::jsonb[]) b;
SELECT envelope_test.call(52, 'POST', '/encryption/envelopes/ack', jsonb_build_object('ids', (SELECT jsonb_agg(i) FROM generate_series(1, 1001) i)));
SELECT envelope_test.call(61, 'POST', '/encryption/envelopes/ack', '{"ids": []}');

\echo no message: to some devices
SELECT envelope_test.call(11, 'POST', '/encryption/envelopes', jsonb_build_object('conversation_id', (:base + 901)::text, 'envelopes', envelope_test.made('{21,12,32}', 'S0VZ', 3)));
SELECT account, number, content, message_id IS NULL FROM envelope_test.waiting ORDER BY 1, 2;
SELECT kind, room_id - :base AS room, account_id - :base AS by, conversation_id - :base AS conversation, message_id FROM roost_data.feed_trace WHERE kind = 'envelope_created' AND conversation_id = :base + 901 ORDER BY room_id;
SELECT * FROM envelope_test.waits(12);
SELECT envelope_test.call(11, 'POST', '/encryption/envelopes', jsonb_build_object('conversation_id', (:base + 901)::text, 'envelopes', envelope_test.made('{21,11,61,23}')));
SELECT envelope_test.call(11, 'POST', '/encryption/envelopes', jsonb_build_object('conversation_id', (:base + 902)::text, 'envelopes', envelope_test.made('{21}')));
SELECT envelope_test.call(71, 'POST', '/encryption/envelopes', jsonb_build_object('conversation_id', (:base + 901)::text, 'envelopes', envelope_test.made('{21}')));
SELECT envelope_test.call(11, 'POST', '/encryption/envelopes', jsonb_build_object('conversation_id', (:base + 901)::text, 'envelopes', envelope_test.made(array_fill(21, ARRAY[1001]))));
SELECT count(*) FROM envelope_test.waiting;

\echo a block: neither gets what the other sends
INSERT INTO roost_data.account_block (account_id, blocked_id, id) VALUES (:base + 2, :base + 1, :base + 1);
SELECT envelope_test.forget();
SELECT envelope_test.send(11, envelope_test.made('{12,21,22,31,32,41,42,51,52}'));
SELECT envelope_test.send(11, envelope_test.made('{12,31,32,41,42,51,52}'));
SELECT envelope_test.send(21, envelope_test.made('{22,31,32,41,42,51,52}'));
SELECT envelope_test.send(31, envelope_test.made('{11,12,21,22,32,41,42,51,52}'));
SELECT account, count(*) FROM envelope_test.waiting GROUP BY 1 ORDER BY 1;
SELECT ARRAY(SELECT t - :base FROM unnest(roost_internal.room_told('key_changed', :base + n, c, c, NULL, NULL)) t ORDER BY 1)
FROM (VALUES (1), (2), (3)) a (n), (VALUES (:base + 901)) g (c);
UPDATE roost_data.conversation SET kind = 'direct' WHERE id = :base + 901;
SELECT :base + 1 = ANY (roost_internal.room_told('key_changed', :base + 2, :base + 901, :base + 901, NULL, NULL)) AS told;
UPDATE roost_data.conversation SET kind = 'group' WHERE id = :base + 901;
DELETE FROM roost_data.account_block WHERE account_id = :base + 2;

\echo set up anew: what waited for the former one goes; unlinked
SELECT envelope_test.forget();
SELECT roost_internal.key_devices_version(:base + 901, :base + 1) AS version \gset
SELECT envelope_test.send(11, NULL, jsonb_build_object('content', 'T05F', 'devices_version', :'version'));
UPDATE roost_data.key_device SET registration_id = 222 WHERE device_id = :base + 22;
SELECT account, number FROM envelope_test.waiting WHERE account = 2;
DELETE FROM roost_data.key_device WHERE device_id = :base + 21;
SELECT account, number FROM envelope_test.waiting WHERE account = 2;
SELECT envelope_test.send(11, envelope_test.made('{12,21,22,31,32,41,42,51,52}'));
SELECT envelope_test.call(21, 'GET', '/encryption/envelopes');
DELETE FROM roost_data.key_device WHERE account_id IN (:base + 3, :base + 4, :base + 5) OR device_id = :base + 12;
SELECT count(*) FROM envelope_test.waiting;
SELECT count(*) FROM roost_data.message_ciphertext c JOIN roost_data.message m ON m.id = c.message_id WHERE m.conversation_id = :base + 901;

\echo deleted for everyone, and too old
SELECT envelope_test.forget();
SELECT envelope_test.link(:base + 21, 201), envelope_test.link(:base + 12, 102);
UPDATE roost_data.key_device SET registration_id = 202 WHERE device_id = :base + 22;
SELECT envelope_test.send(11, envelope_test.made('{12,21,22}'));
SELECT roost_internal.key_devices_version(:base + 901, :base + 1) AS version \gset
SELECT envelope_test.send(11, envelope_test.made('{12}'), jsonb_build_object('content', 'VFdP', 'devices_version', :'version'));
SELECT envelope_test.send(11, envelope_test.made('{12,21,22}'));
SELECT roost_internal.envelope_drop(:base + 901, ARRAY(SELECT id FROM roost_data.message WHERE conversation_id = :base + 901 ORDER BY id LIMIT 2));
SELECT account, number FROM envelope_test.waiting ORDER BY 1, 2;
SELECT count(*) FROM roost_data.message_ciphertext c JOIN roost_data.message m ON m.id = c.message_id WHERE m.conversation_id = :base + 901;
SELECT roost_internal.envelope_drop(:base + 902, ARRAY(SELECT id FROM roost_data.message WHERE conversation_id = :base + 901));
SELECT count(*) FROM envelope_test.waiting;
SELECT roost_internal.id_floor(now() - interval '31 days') AS old \gset
INSERT INTO roost_data.message_envelope (account_id, number, id, conversation_id, message_id, sender_id, sender_number, kind, content)
SELECT :base + 2, 1, :old + i, :base + 901, CASE i % 2 WHEN 0 THEN :old END, :base + 1, 1, 7, CASE i % 2 WHEN 1 THEN 'x'::bytea END FROM generate_series(1, 10) i;
INSERT INTO roost_data.message_ciphertext VALUES (:old, 'x'), (:old + 1, 'x');
SELECT purged >= 10, error FROM roost.maintenance_run('envelope');
SELECT count(*), min(id) > :old FROM envelope_test.waiting;
SELECT count(*) FROM roost_data.message_ciphertext WHERE message_id IN (:old, :old + 1);

\echo no more than 64 MiB an hour, of everything; what fails for another reason does not count
SELECT envelope_test.forget();
SET roost.limit_enabled = on;
SELECT roost_internal.key_devices_version(:base + 901, :base + 1) AS version \gset
SELECT "limit", period, burst, key FROM roost.limit_policy_list() WHERE class = 'envelope_size';
SELECT roost.limit_policy_set('envelope_size', 'account', 129, '1 day', key => 'account');
SELECT count(envelope_test.send(11, envelope_test.made('{12}', repeat('QUJD', 20000)))) FROM generate_series(1, 3);
SELECT envelope_test.send(11, NULL, jsonb_build_object('content', repeat('QUJD', 21845), 'devices_version', :'version'));
SELECT envelope_test.call(11, 'POST', '/encryption/envelopes', jsonb_build_object('conversation_id', (:base + 901)::text, 'envelopes', envelope_test.made('{21}', repeat('QUJD', 21845))));
SELECT regexp_replace(envelope_test.send(11, envelope_test.made('{12,21,22}', repeat('QUJD', 1000))), '\d+ s', 'n s');
SELECT envelope_test.send(21, envelope_test.made('{11,12,22}', repeat('QUJD', 1000)));
SELECT count(*) FROM envelope_test.waiting;

\echo of what is no message, one unit more for every ten accounts that are told
INSERT INTO roost_data.account (id, username) SELECT :base + 100 + n, 'envt_many_' || n FROM generate_series(1, 40) n;
INSERT INTO roost_data.device (id, account_id) SELECT a.id * 10 + 1, a.id FROM roost_data.account a WHERE a.id BETWEEN :base + 101 AND :base + 140;
INSERT INTO roost_data.conversation_member (conversation_id, account_id) SELECT :base + 901, :base + 100 + n FROM generate_series(1, 40) n;
SELECT count(envelope_test.link((:base + 100 + n) * 10 + 1, 1)) FROM generate_series(1, 40) n;
SELECT roost.limit_policy_set('envelope', 'account', 7, '1 day', key => 'account');
SELECT count(roost.limit_reset(NULL, :base + n)) FROM generate_series(1, 2) n;
CREATE FUNCTION envelope_test.many(count int) RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(envelope_test.call(11, 'POST', '/encryption/envelopes', jsonb_build_object('conversation_id', '7770000000400901', 'envelopes',
		(SELECT jsonb_agg(jsonb_build_object('account_id', (7770000000400100 + n)::text, 'device', 1, 'registration_id', 1, 'type', 2, 'content', 'QUJD')) FROM generate_series(1, count) n))), '\d+ s', 'n s') $$;
SELECT envelope_test.many(40), envelope_test.many(40), envelope_test.many(9), envelope_test.many(1);
SELECT count(*) FROM envelope_test.waiting WHERE account > 100;
SELECT roost.limit_policy_set('envelope', 'account', 120, '1 minute', key => 'account');
DELETE FROM roost_data.conversation_member WHERE account_id BETWEEN :base + 101 AND :base + 140;
DELETE FROM roost_data.account WHERE id BETWEEN :base + 101 AND :base + 140;
SELECT count(roost.limit_reset(NULL, :base + n)) FROM generate_series(1, 2) n;
SELECT roost.limit_policy_set('envelope_size', 'account', 65536, '1 hour', key => 'account');
SET roost.limit_enabled = off;

\echo disappeared: given to nobody, also before maintenance
SELECT envelope_test.forget();
UPDATE roost_data.conversation SET expire_after = 5 WHERE id = :base + 901;
SELECT envelope_test.send(11, envelope_test.made('{12,21,22}'));
SELECT envelope_test.waits(21);
UPDATE roost_data.message SET expires_at = now() WHERE conversation_id = :base + 901;
SELECT envelope_test.waits(21);

\echo a new device finds nothing that was left for a former one of its number
SELECT envelope_test.forget();
DELETE FROM roost_data.key_device WHERE device_id = :base + 21;
INSERT INTO roost_data.message_envelope (account_id, number, id, conversation_id, message_id, sender_id, sender_number, kind, content)
VALUES (:base + 2, 1, 1, :base + 901, NULL, :base + 1, 1, 2, 'x');
SELECT envelope_test.link(:base + 21, 201);
SELECT envelope_test.waits(21);

DELETE FROM roost_data.key_device WHERE account_id BETWEEN :base AND :base + 9;
SELECT count(*) FROM envelope_test.waiting;
DELETE FROM roost_data.message WHERE conversation_id IN (:base + 901, :base + 902);
DELETE FROM roost_data.conversation WHERE id IN (:base + 901, :base + 902);
DELETE FROM roost_data.account WHERE id BETWEEN :base AND :base + 9;
DROP SCHEMA envelope_test CASCADE;
