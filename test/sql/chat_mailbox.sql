-- What waits for a device is bounded, and nobody takes the room of others: the senders of which the most waits lose their oldest envelopes.
\set VERBOSITY terse
\pset format unaligned
\pset footer off
SET client_min_messages = warning;
SET roost.limit_enabled = off;
SELECT 7770000000500000 AS base \gset
CREATE SCHEMA mailbox_test;
-- Accounts 1 to 6 with a device each (account n has device n0), in an encrypted group; what waits is sent to 1.
INSERT INTO roost_data.account (id, username) SELECT :base + n, 'mailbox_' || n FROM generate_series(1, 6) n;
INSERT INTO roost_data.device (id, account_id) SELECT :base + n * 10, :base + n FROM generate_series(1, 6) n;
INSERT INTO roost_data.key_device (account_id, number, device_id, registration_id, identity_key, signed_prekey_id, signed_prekey, signed_prekey_signature, kyber_prekey_id, kyber_prekey, kyber_prekey_signature)
SELECT :base + n, 1, :base + n * 10, n, decode(repeat('05', 33), 'hex'), 1, decode(repeat('05', 33), 'hex'), decode(repeat('05', 64), 'hex'), 1, decode(repeat('08', 1569), 'hex'), decode(repeat('05', 64), 'hex') FROM generate_series(1, 6) n;
INSERT INTO roost_data.conversation (id, kind, encryption, member_count) VALUES (:base + 900, 'group', 'e2ee', 6);
INSERT INTO roost_data.conversation_member (conversation_id, account_id) SELECT :base + 900, :base + n FROM generate_series(1, 6) n;
CREATE FUNCTION mailbox_test.send(sender int, size int, times int DEFAULT 1) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(roost.envelope_send(7770000000500000 + sender, 7770000000500000 + sender * 10, 7770000000500900,
		ARRAY[(7770000000500001, 1, 1, 2, convert_to(repeat('x', size), 'UTF8'))::roost.envelope_input])) FROM generate_series(1, times) $$;
CREATE FUNCTION mailbox_test.share(sender int, size int, times int DEFAULT 1) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(roost.message_create(7770000000500000 + sender, conversation_id => 7770000000500900, device_id => 7770000000500000 + sender * 10,
		content => convert_to(repeat('x', size), 'UTF8'), devices_version => roost_internal.key_devices_version(7770000000500900, 7770000000500000 + sender))) FROM generate_series(1, times) $$;
CREATE VIEW mailbox_test.waits AS SELECT e.sender_id - 7770000000500000 AS sender, count(*), sum(octet_length(e.content)) / 1024 AS kb FROM roost_data.message_envelope e WHERE e.account_id = 7770000000500001 GROUP BY 1 ORDER BY 1;
CREATE FUNCTION mailbox_test.forget() RETURNS void LANGUAGE sql AS $$ DELETE FROM roost_data.message_envelope WHERE conversation_id = 7770000000500900 $$;

\echo below the limits nothing goes
SET roost.envelope_max = 20; -- so few are looked at each time
SELECT mailbox_test.send(2, 10, 12), mailbox_test.send(3, 10, 8);
SELECT * FROM mailbox_test.waits;
\echo one that floods loses its own, and what others have sent stays
SELECT mailbox_test.send(3, 10, 60), mailbox_test.send(4, 10, 3);
SELECT sum(count) <= 20 AS bounded, min(count) FILTER (WHERE sender = 4) AS late, max(count) - min(count) FILTER (WHERE sender <> 4) <= 2 AS fair FROM mailbox_test.waits;
SELECT bool_and(n <= w.count) AS newest FROM (SELECT sender_id - :base AS sender, row_number() OVER (PARTITION BY sender_id ORDER BY id DESC) AS n FROM roost_data.message_envelope WHERE account_id = :base + 1) e JOIN mailbox_test.waits w USING (sender);
\echo from many senders each keeps the same
SELECT mailbox_test.forget();
SELECT mailbox_test.send(n, 10, 3) FROM generate_series(2, 6) n;
SELECT mailbox_test.send(2, 10, 10);
SELECT max(count) FILTER (WHERE sender = 2) <= 8 AS flooded, array_agg(count ORDER BY sender) FILTER (WHERE sender > 2) AS others FROM mailbox_test.waits;
\echo other devices keep what waits for them
SELECT mailbox_test.forget();
INSERT INTO roost_data.message_envelope (account_id, number, id, conversation_id, sender_id, sender_number, kind, content)
SELECT :base + 2, 1, roost_internal.id_next(), :base + 900, :base + 3, 1, 2, 'x' FROM generate_series(1, 30) n;
SELECT mailbox_test.send(3, 10, 25);
SELECT account_id - :base AS account, count(*) <= 20 AS bounded FROM roost_data.message_envelope WHERE conversation_id = :base + 900 GROUP BY 1 ORDER BY 1;
SELECT roost_internal.envelope_trim(:base + 2, 1), roost_internal.envelope_trim(:base + 2, 1), roost_internal.envelope_trim(:base + 5, 1), roost_internal.envelope_trim(0, 1);
\echo by size, those with much; a ciphertext for all counts for each
SELECT mailbox_test.forget();
SET roost.envelope_max = 10000;
SET roost.envelope_max_size = '1MB';
SELECT mailbox_test.send(2, 1024, 50), mailbox_test.send(3, 60000, 10), mailbox_test.share(4, 20000, 10);
SELECT sender, count FROM mailbox_test.waits;
SELECT mailbox_test.send(3, 60000, 20);
SELECT roost_internal.envelope_trim(:base + 1, 1) >= 0 AS trimmed;
SELECT sender, count FROM mailbox_test.waits WHERE sender <> 3;
SELECT sum(kb) + 196 <= 1024 AS bounded FROM mailbox_test.waits;
SELECT count(*) > 5 AS kept FROM roost_data.message_envelope WHERE account_id = :base + 1 AND sender_id = :base + 3;
\echo of ciphertexts those that nothing waits for go with maintenance
SELECT mailbox_test.share(4, 60000, 30);
SELECT roost_internal.envelope_trim(:base + n, 1) >= 0 FROM generate_series(1, 6) n;
SELECT error FROM roost.maintenance_run('envelope');
SELECT count(*) FROM roost_data.message_ciphertext c JOIN roost_data.message m ON m.id = c.message_id AND m.conversation_id = :base + 900
WHERE NOT EXISTS (SELECT FROM roost_data.message_envelope e WHERE e.message_id = c.message_id);

\echo what a device has lost is told to it, for each conversation, until it has acknowledged that
SELECT mailbox_test.forget();
DELETE FROM roost_data.envelope_gap WHERE conversation_id IN (:base + 900, :base + 901);
RESET roost.envelope_max_size;
SET roost.envelope_max = 20;
INSERT INTO roost_data.conversation (id, kind, encryption, member_count) VALUES (:base + 901, 'group', 'e2ee', 2);
CREATE FUNCTION mailbox_test.wait(device int, conversation int, first int, last int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO roost_data.message (id, conversation_id, sender_id, encrypted) SELECT 7770000000510000 + n, 7770000000500000 + conversation, 7770000000500003, true FROM generate_series(first, last) n ON CONFLICT DO NOTHING;
	INSERT INTO roost_data.message_envelope (account_id, number, id, conversation_id, message_id, sender_id, sender_number, kind, content, created_at)
	SELECT 7770000000500000 + device, 1, 7770000000510000 + n, 7770000000500000 + conversation, CASE WHEN n % 2 = 0 THEN 7770000000510000 + n END, 7770000000500003, 1, 2, 'x', '2026-01-01'::timestamptz + n * interval '1 second'
	FROM generate_series(first, last) n $$;
CREATE FUNCTION mailbox_test.told(device int) RETURNS TABLE (conversation int, what text, only_that boolean) LANGUAGE sql AS $$
	SELECT l.conversation_id - 7770000000500000, concat_ws(' ', (l.lost).envelopes, (l.lost).messages, to_char((l.lost).since AT TIME ZONE 'UTC', 'MI:SS'), to_char((l.lost).until AT TIME ZONE 'UTC', 'MI:SS')),
		(l.message_id, l.sender_id, l.sender_device, l.content) IS NULL AND l.created_at > (l.lost).until AND l.type = 0
	FROM roost.envelope_list(7770000000500000 + device, 7770000000500000 + device * 10, 1000) l WHERE l.lost IS NOT NULL $$;
SELECT mailbox_test.wait(1, 900, 1, 10), mailbox_test.wait(1, 901, 11, 30), mailbox_test.wait(2, 900, 1, 18);
SELECT roost_internal.envelope_trim(:base + 1, 1), roost_internal.envelope_trim(:base + 2, 1);
SELECT * FROM mailbox_test.told(1);
SELECT count(*), count(*) FILTER (WHERE type = 0) AS gaps, bool_and(lost IS NULL) FILTER (WHERE type <> 0) AS others, bool_and((lost IS NULL) = (type <> 0)) AS both FROM roost.envelope_list(:base + 1, :base + 10, 1000);
SELECT * FROM mailbox_test.told(2);
\echo more is added, under another id; pages have each once
SELECT id AS former FROM roost.envelope_list(:base + 1, :base + 10, 1000) WHERE type = 0 AND conversation_id = :base + 901 \gset
SELECT mailbox_test.wait(1, 901, 31, 50);
SELECT roost_internal.envelope_trim(:base + 1, 1);
SELECT * FROM mailbox_test.told(1);
SELECT count(*) AS pages FROM (WITH RECURSIVE page AS (
	SELECT (SELECT max(l.id) FROM roost.envelope_list(:base + 1, :base + 10, 3) l) AS last, 1 AS n
	UNION ALL SELECT (SELECT max(l.id) FROM roost.envelope_list(:base + 1, :base + 10, 3, p.last::text) l), p.n + 1 FROM page p WHERE p.last IS NOT NULL)
	SELECT FROM page WHERE last IS NOT NULL) t;
SELECT roost.envelope_ack(:base + 1, :base + 10, ARRAY[:former]::roost.id[]);
SELECT count(*) FROM mailbox_test.told(1);
SELECT roost.envelope_ack(:base + 2, :base + 20, (SELECT array_agg(id) FROM roost.envelope_list(:base + 1, :base + 10, 1000) WHERE type = 0));
SELECT count(*) FROM mailbox_test.told(1);
SELECT roost.envelope_ack(:base + 1, :base + 10, (SELECT array_agg(id) FROM roost.envelope_list(:base + 1, :base + 10, 1000) WHERE type = 0 AND conversation_id = :base + 900));
SELECT conversation, only_that FROM mailbox_test.told(1);
SELECT roost.envelope_ack(:base + 1, :base + 10, conversation_id => :base + 901, up_to => (SELECT max(id) FROM roost.envelope_list(:base + 1, :base + 10, 1000)));
SELECT count(*) FROM mailbox_test.told(1);
\echo what has waited too long counts, too; it stays longer than what was lost
SELECT error FROM roost.maintenance_run('envelope');
SELECT mailbox_test.forget();
INSERT INTO roost_data.message_envelope (account_id, number, id, conversation_id, sender_id, sender_number, kind, content, created_at)
SELECT :base + 1, 1, roost_internal.id_at(now() - interval '40 days' + n * interval '1 second', :base, n), :base + 900, :base + 3, 1, 2, 'x', now() - interval '40 days' + n * interval '1 second' FROM generate_series(1, 7) n;
INSERT INTO roost_data.message_envelope (account_id, number, id, conversation_id, sender_id, sender_number, kind, content) VALUES (:base + 1, 1, roost_internal.id_next(), :base + 900, :base + 3, 1, 2, 'x');
SELECT error FROM roost.maintenance_run('envelope');
SELECT error FROM roost.maintenance_run('envelope');
SELECT type, (lost).envelopes, (lost).messages, (lost).since < now() - interval '39 days' AS old FROM roost.envelope_list(:base + 1, :base + 10) ORDER BY type;
\echo as JSON
SELECT regexp_replace(regexp_replace(split_part(roost.handle('GET', '/encryption/envelopes', 'limit=5', 'authorization: Bearer ' || roost_internal.token_make(:base + 1, 1, :base + 10), NULL, '192.0.2.7'), E'\n\n', 2), '\d{4}-[^"]*Z', '…', 'g'), '"\d{16,}"', '"…"', 'g') AS answer;
\echo a device that is set up anew has lost nothing
UPDATE roost_data.key_device SET registration_id = 99 WHERE account_id = :base + 1;
SELECT count(*) FROM roost.envelope_list(:base + 1, :base + 10);
SELECT count(*) FROM roost_data.envelope_gap WHERE account_id = :base + 1;
DELETE FROM roost_data.message WHERE conversation_id = :base + 901;
DELETE FROM roost_data.conversation WHERE id = :base + 901;

DELETE FROM roost_data.key_device WHERE account_id BETWEEN :base AND :base + 9;
DELETE FROM roost_data.message WHERE conversation_id = :base + 900;
DELETE FROM roost_data.conversation WHERE id = :base + 900;
DELETE FROM roost_data.account WHERE id BETWEEN :base AND :base + 9;
DROP SCHEMA mailbox_test CASCADE;
