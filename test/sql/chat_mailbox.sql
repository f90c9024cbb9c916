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

DELETE FROM roost_data.key_device WHERE account_id BETWEEN :base AND :base + 9;
DELETE FROM roost_data.message WHERE conversation_id = :base + 900;
DELETE FROM roost_data.conversation WHERE id = :base + 900;
DELETE FROM roost_data.account WHERE id BETWEEN :base AND :base + 9;
DROP SCHEMA mailbox_test CASCADE;
