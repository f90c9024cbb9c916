-- Publishing keys: who has which number, what is refused, what is replaced, who is told.
\set VERBOSITY terse
\pset format unaligned
\pset footer off
SET client_min_messages = warning;
SET roost.limit_enabled = off;
-- Public keys and signatures that libsignal has made.
\set identity 'BRrSk9pF1ZL0HORD7B4KOGpzobKQ2ccg0THHDUZAjWNp'
\set identity2 'Bfwc3TBySi06MmZQarNGLjo1eLGVKXMXANeCU6vYT/8f'
\set signed 'BSlJEI6jvSN4HkY7VKIr8O4TLpPeoBbz0uk4LfTYNFxF'
\set signed_sig 'FPL9J4wMRHsCvB/RdKNjo26AA4H1Oritw+YAdHFvRDhBDZ09TKEuw+Z9oOT4VyW8HLpU6XFhY7qhqE7HbypXBg=='
\set signed_sig2 'B0P/dpSQSiTMDBj8hvqvfqbdTwQr9Ht9kExBBKuEN3gewD+EG+xwzFA1qf7MApsR3kQoXER+5ocuEAwHRn63jg=='
\set kyber 'CIzshxhrl+FVoDUIwl9IMvlmyS/WWdbBH79CUmT8EisAPxzlsHtqyi4CXb17qhDZzsKnKy3DJ4ycxJ+ZXYUhDM1YTOcDRI1gji8UM54HoSP1ICqKADLDun0zTT/EK02rIZ2CswYkWoD7W/A5BwWZTCxAdpxofU1wG0cQnjQKYMbTIqVSe27DlSSIaQORETDBJxlUD92EpMSYPa3IRhJmP9y2j0hxkXekwcCxCOsXoXKkTUAXivGbYYHavFllprlFMjJgMY9qvk7ZCIlJvt73tGPQRwu2lRcIkWwwdfnxu7rYVq9DFByKnGz6M3E6oTFrvQ2gJswIQVl6a1SSg71bYPLYBOT4S750qf9CSDBFgVUVzTSIi0kDUwEhJ5OidksmdpT0jIoxYGDLirbwg0yTEYXEFPhSM+6aGY/oPXO2inRbi1xyt3yaMy1jmqQxhTOnBrv3tDDVMR5GWbRSwKB6LKz5lJr6pW9rOqe8WqUCyyv4JxQXeTdSsE+kbNLLUeC7xw6CGzf8B5sCLHICWrVqKVtGNcZ1x1okodgclgPRCpqMgDL8Jr+4BAYzF1n0etocVIERQOsHgAJofLlGj//JIt9rTC+JcwRJcONJYXxDyzrWo9F1AbwLr8PKe75CKyiXWiNzmnC2Gq/2tINiyyrJiFhpMynnvR2yDRgVjdJzEf2ROPvsuAMBb2lby4bzNwjALLpyfFb7u0iDo923A++EtK8iFUt5tcdzm10sXcFqIMbajUHmszEjDQ0rtsk5Xd51yOf1fsn5JN/DTH7bVvDnadpRMp8TkVE6oJOTGMb4XugzSzwKgylLX5IxUchUl2HEhLYSLAg3dmtKp/U3MViatbxXHDlhFLMQY06cFhzoV+J5iXxnyBHBOWgqgyPhUfuKv9V5apTpC5Y3wuaFKpsBHRVxVUCRly33u5waMVgigM/5aMyQkwaUo3JSQ+Wys0f0emfXwUKrFVgZTC+3VufQsB50GJtWjmlrxxJaAgTrKuFQP3tYtLA4IOazF0dkHkVFnGsaOU88ZCbigP81u0eFL4gxb2RBfy4qpQs4RkEBFrJEBiZaBToAYm2Bj4P4w4KRmp0mAWMseT/VAPNxoa67sj6LevgnPuXAwBOlYVZAWSMRnjUIVgbnaY47ROSwOG9kE9jKEsXmU94LA7z6hqlKpi4Dts5rHsqRaCn6sziGuLbiSKD1AOF8zHWpwZ4YWewoJ7hBP60jFl5GuDuIrANmXo1iOd2wCqtRRnbkNVVMlIl2puWCdMkiOPvWOhhlfH/GEswFiwicxCMsYALbpttri0PngPj5UtPxanApq58ojdlEIu6haROZFEO0AznVY/Bjahi2PXWHrffTAvURNzPifOgMoavCuVm5v5eGqHczHPNFIj2hPVWUYDCJy1UGkXzTYAuLpT7UJfQgQR1AQTnlU/tbatfYaOWMDt3qEbYZHoUkWa+nSFOXjqNnUNS1Rn9pthg0Vy/mSAm6xzJ4RXoQE1nyidpGLyHizvmmha8Si+xoUzsZNew8qQUHWAEFZbCsSOMCRJXkXlO4ktanvpxWDg8xyA6gqi8yvBS2V01Brb7pFv8RbPSzG5L2HSKXwG04FNzIYx33YALkxyO2NL4QHLvEqIoASD/BfqOyIjOAVY7Ida0pl03CyncMXNg2HGVCkiN2fY0CshBYpvMjpomJZtWDHyEytWaShdS7qpkJO6tCQ4niERSjeI/VK8Ghi1w3XNo6sfS7AlLIGfFcyw1xuSK3YNVySEDUmq5bP0uCzLTVlt9RZHVqlTkbflVYGTgbPMvKXAonOu4rFfXLSRVlOH+lQHbxbeKCdRe2x0VrqepXgFtsKPWIH6fbIY8wfWwsDhUHZqBpraLAiG68eMNisRZ4s3d4rM47qGowAkArNA0CywlXHXdLqL06D7sXeVC8f++zyWzGjNG3b7+Hm+Hkq5ynypn2rbE6zqOZNLX1rBJ6yTS4VJCCNMi2uYCzFt8gXMciv/9El/XxiesGZu75MNAyxztiOGCwXFGHDq00CnJ4iMyFGaj5mqPGFrKnwruzhSF07k+lciDenklc8RrNVcnQW0X6dwEcFLcyzEi8kY49'
\set kyber_sig '5Lf9/CWsKo8CZgNVjtcUTSS81rC2meKcYq1lVtl06Lhu7jfSk+/iPZFzN0mqZR35sdRs9VP6GQ7E8ZTiiMOOCw=='
\set kyber_sig2 'riuFo7Z+euBePQBzhqXyoEOhxxe+hKvb8l9xpjV1DMkCIxPKEv8EFCNJyXczNAYs677QzpiN1nPE+xJip8RjiA=='
\set prekey1 'BXt2yay9MxeRBf1xf+/D5qZugXekraw1APnK4nOFc2J5'
\set prekey2 'BYeaaVD3Y9eMtkOUYKTRwtuUEJVCJ5H48b6/yRcMmnw9'
SELECT 8810000000000100::bigint AS base \gset
INSERT INTO roost_data.account (id, username) SELECT :base + n, 'key_publish_' || n FROM generate_series(1, 3) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'key_publish_' || n, :base + n FROM generate_series(1, 3) n;
-- devices 11 to 29 of account 1, the odd ones with a name of their own; 31 of account 2
INSERT INTO roost_data.device (id, account_id, client_id, name, platform) SELECT :base + n, :base + 1, CASE WHEN n % 2 = 1 THEN 'phone-' || n END, 'Phone ' || n, 'ios' FROM generate_series(11, 29) n;
INSERT INTO roost_data.device (id, account_id, client_id, name, platform) VALUES (:base + 31, :base + 2, 'x', 'Phone', 'ios');
INSERT INTO roost_data.conversation (id, kind, encryption, member_count) VALUES (:base + 50, 'group', 'e2ee', 2), (:base + 51, 'group', 'none', 2), (:base + 52, 'group', 'e2ee', 2);
INSERT INTO roost_data.conversation_member (conversation_id, account_id) VALUES (:base + 50, :base + 1), (:base + 51, :base + 1), (:base + 50, :base + 2), (:base + 52, :base + 2);
CREATE SCHEMA key_publish;
CREATE FUNCTION key_publish.call(method text, path text, account_id bigint, device_id bigint, body jsonb DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_field text;
	v_hint text;
BEGIN
	RETURN regexp_replace(roost.handle(method, path, '', 'authorization: Bearer ' || roost_internal.token_make(account_id, device_id, device_id) || E'\ncontent-type: application/json', body::text, '192.0.2.1'), E'\n.*\n\n', E'\n');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS v_field = COLUMN_NAME;
	RETURN format('%s %s: %s', SQLSTATE, v_field, SQLERRM);
END
$$;
CREATE FUNCTION key_publish.field(answer text, VARIADIC path text[]) RETURNS text LANGUAGE sql AS $$ SELECT CASE WHEN answer LIKE '200%' THEN substr(answer, 4)::jsonb #>> path ELSE answer END $$;
SELECT jsonb_build_object('registration_id', 4711, 'identity_key', :'identity',
	'signed_prekey', jsonb_build_object('id', 1, 'key', :'signed', 'signature', :'signed_sig'),
	'kyber_prekey', jsonb_build_object('id', 2, 'key', :'kyber', 'signature', :'kyber_sig'),
	'prekeys', jsonb_build_array(jsonb_build_object('id', 10, 'key', :'prekey1'), jsonb_build_object('id', 16777215, 'key', :'prekey2')),
	'kyber_prekeys', jsonb_build_array(jsonb_build_object('id', 20, 'key', :'kyber', 'signature', :'kyber_sig'))) AS keys \gset
-- what the log gets to tell, that was not seen before
CREATE TABLE key_publish.seen (id bigint PRIMARY KEY);
CREATE FUNCTION key_publish.told(OUT kind text, OUT account bigint, OUT room bigint, OUT conversation bigint, OUT target bigint) RETURNS SETOF record LANGUAGE sql AS $$
	WITH new AS (INSERT INTO key_publish.seen SELECT t.id FROM roost_data.feed_trace t WHERE t.account_id BETWEEN 8810000000000101 AND 8810000000000103 AND t.kind IN ('key_changed', 'key_low') ON CONFLICT DO NOTHING RETURNING id)
	SELECT t.kind::text, t.account_id - 8810000000000100, t.room_id - 8810000000000100, t.conversation_id - 8810000000000100, CASE WHEN t.target_id < 128 THEN t.target_id ELSE t.target_id - 8810000000000100 END
	FROM new JOIN roost_data.feed_trace t USING (id) ORDER BY t.room_id
$$;

\echo a first device: number 1, contacts of encrypted conversations are told
BEGIN;
SELECT key_publish.call('PUT', '/encryption/keys', :base + 1, :base + 11, :'keys') ~ '"prekey_count":2,"kyber_prekey_count":1' AS published;
SELECT * FROM key_publish.told();
COMMIT;
SELECT d.number, d.registration_id, roost_internal.key_base64(d.identity_key) = :'identity' AS identity, d.signed_prekey_id, d.kyber_prekey_id, d.kyber_prekey = decode(:'kyber', 'base64') AS kyber
FROM roost_data.key_device d WHERE d.account_id = :base + 1;
SELECT p.is_kyber, p.id, octet_length(p.key), octet_length(p.signature) FROM roost_data.key_prekey p WHERE p.account_id = :base + 1 ORDER BY 1, 2;
SELECT key_publish.field(key_publish.call('GET', '/encryption/keys', :base + 1, :base + 11), 'signed_prekey_id') AS signed_prekey, key_publish.call('GET', '/encryption/keys', :base + 1, :base + 12) AS without;
\echo again the same: nobody is told, one-time prekeys are those that were given; without any they stay
BEGIN;
SELECT key_publish.field(key_publish.call('PUT', '/encryption/keys', :base + 1, :base + 11, :'keys'::jsonb - 'kyber_prekeys' || '{"prekeys": []}'), 'kyber_prekey_count') AS kyber_prekeys;
SELECT * FROM key_publish.told();
COMMIT;
SELECT p.is_kyber, p.id FROM roost_data.key_prekey p WHERE p.account_id = :base + 1 ORDER BY 1, 2;
\echo another registration id: set up anew with the same identity
BEGIN;
SELECT key_publish.field(key_publish.call('PUT', '/encryption/keys', :base + 1, :base + 11, :'keys'::jsonb || '{"registration_id": 16383}'), 'registration_id') AS registration_id;
SELECT * FROM key_publish.told();
COMMIT;
\echo another identity takes another registration id, by which those who have a session see it; also if the device was another one in between, or was unlinked, and for the next device of its number
SELECT jsonb_build_object('identity_key', :'identity2', 'signed_prekey', jsonb_build_object('id', 1, 'key', :'signed', 'signature', :'signed_sig2'),
	'kyber_prekey', jsonb_build_object('id', 2, 'key', :'kyber', 'signature', :'kyber_sig2')) AS anew \gset
SELECT key_publish.call('PUT', '/encryption/keys', :base + 1, :base + 11, :'anew'::jsonb || jsonb_build_object('registration_id', r)) FROM unnest('{16383,4711}'::int[]) r;
SELECT * FROM key_publish.told();
BEGIN;
SELECT key_publish.field(key_publish.call('PUT', '/encryption/keys', :base + 1, :base + 11, :'anew'::jsonb || '{"registration_id": 12}'), 'registration_id') AS registration_id;
SELECT key_publish.field(key_publish.call('PUT', '/encryption/keys', :base + 1, :base + 11, (:'keys'::jsonb - 'prekeys' - 'kyber_prekeys') || jsonb_build_object('registration_id', r)), 'registration_id') AS registration_id FROM unnest('{12,16383}'::int[]) r;
SELECT roost.key_device_unlink(:base + 1, 1);
SELECT key_publish.field(key_publish.call('PUT', '/encryption/keys', :base + 1, :base + 13, :'anew'::jsonb || jsonb_build_object('registration_id', r)), 'device') AS device FROM unnest('{16383,12}'::int[]) r;
SELECT registration_id, identity_key = decode(:'identity', 'base64') AS first FROM roost_data.key_registration WHERE account_id = :base + 1 AND number = 1 ORDER BY 1;
SELECT count(roost_internal.key_registration_note(:base + 1, 1, n, '')) FROM generate_series(101, 160) n;
SELECT count(*) FROM roost_data.key_registration WHERE account_id = :base + 1;
ROLLBACK;
\echo another identity: one-time prekeys go, envelopes go, contacts are told
INSERT INTO roost_data.message_envelope (account_id, number, id, conversation_id, sender_id, sender_number, kind) VALUES (:base + 1, 1, 1, :base + 50, :base + 2, 1, 2), (:base + 1, 2, 2, :base + 50, :base + 2, 1, 2);
BEGIN;
SELECT key_publish.field(key_publish.call('PUT', '/encryption/keys', :base + 1, :base + 11, jsonb_build_object('registration_id', 16382, 'identity_key', :'identity2',
	'signed_prekey', jsonb_build_object('id', 1, 'key', :'signed', 'signature', :'signed_sig2'), 'kyber_prekey', jsonb_build_object('id', 2, 'key', :'kyber', 'signature', :'kyber_sig2'))), 'prekey_count') AS prekeys;
SELECT * FROM key_publish.told();
SELECT number FROM roost_data.message_envelope WHERE account_id = :base + 1;
ROLLBACK;
\echo a second device of the same identity, a third one, the second is unlinked, another one gets its number
BEGIN;
SELECT key_publish.field(key_publish.call('PUT', '/encryption/keys', :base + 1, :base + n, :'keys'), 'device') AS device FROM unnest('{13,15}'::int[]) n;
SELECT * FROM key_publish.told();
COMMIT;
BEGIN;
SELECT key_publish.call('DELETE', '/encryption/devices/2', :base + 1, :base + 11) AS unlinked;
SELECT * FROM key_publish.told();
COMMIT;
SELECT count(*) AS prekeys, (SELECT count(*) FROM roost_data.message_envelope WHERE account_id = :base + 1 AND number = 2) AS envelopes FROM roost_data.key_prekey WHERE account_id = :base + 1 AND number = 2;
SELECT key_publish.call('DELETE', '/encryption/devices/2', :base + 1, :base + 11) AS again, key_publish.call('DELETE', '/encryption/devices/128', :base + 1, :base + 11) AS no_number, key_publish.call('DELETE', '/encryption/devices/1', :base + 2, :base + 31) AS anothers;
SELECT key_publish.field(key_publish.call('PUT', '/encryption/keys', :base + 1, :base + 17, :'keys'::jsonb || '{"registration_id": 5}'), 'device') AS device;
SELECT device, device_id - :base AS device_id, name, platform, registration_id, current FROM roost.key_device_list(:base + 1, :base + 11);
\echo devices without a name of their own go with their session, others with the device
SELECT key_publish.field(key_publish.call('PUT', '/encryption/keys', :base + 1, :base + 12, :'keys'), 'device') AS device;
INSERT INTO roost_data.session (id, account_id, device_id, refresh_key, refresh_digest, expires_at) SELECT :base + n, :base + 1, :base + n, 'x', decode(md5(n::text), 'hex'), now() + interval '1 day' FROM unnest('{11,12,13,17}'::int[]) n;
SELECT roost_internal.session_revoke(:base + 1) AS ended;
SELECT array_agg(number ORDER BY number) AS devices FROM roost_data.key_device WHERE account_id = :base + 1;
SELECT roost.device_delete(:base + 1, :base + 17);
SELECT array_agg(number ORDER BY number) AS devices FROM roost_data.key_device WHERE account_id = :base + 1;
\echo too many devices
SELECT key_publish.field(key_publish.call('PUT', '/encryption/keys', :base + 1, :base + n, :'keys'), 'device') AS device FROM generate_series(18, 27) n;

\echo what is refused, with its field; nothing is stored
CREATE TABLE key_publish.wrong (n int, what text, body jsonb);
INSERT INTO key_publish.wrong VALUES
	(1, 'no identity key', :'keys'::jsonb - 'identity_key'),
	(2, 'not base64', :'keys'::jsonb || '{"identity_key": "*"}'),
	(3, 'base64 with a letter too many', jsonb_set(:'keys', '{identity_key}', to_jsonb(:'identity' || 'A'))),
	(4, 'without padding', jsonb_set(:'keys', '{signed_prekey,signature}', to_jsonb(rtrim(:'signed_sig', '=')))),
	(5, 'another type', jsonb_set(:'keys', '{identity_key}', to_jsonb(encode('\x06' || substr(decode(:'identity', 'base64'), 2), 'base64')))),
	(6, 'too short', jsonb_set(:'keys', '{signed_prekey,key}', to_jsonb(encode(substr(decode(:'signed', 'base64'), 1, 32), 'base64')))),
	(7, 'a key of small order', jsonb_set(:'keys', '{prekeys,0,key}', to_jsonb(encode('\x05' || decode(repeat('00', 32), 'hex'), 'base64')))),
	(8, 'a key that is not reduced', jsonb_set(:'keys', '{prekeys,1,key}', to_jsonb(encode('\x05' || decode(repeat('ff', 32), 'hex'), 'base64')))),
	(9, 'signed by another identity', jsonb_set(:'keys', '{signed_prekey,signature}', to_jsonb(:'signed_sig2'::text))),
	(10, 'a signature of another key', jsonb_set(:'keys', '{kyber_prekey,signature}', to_jsonb(:'signed_sig'::text))),
	(11, 'a one-time key signed by another', jsonb_set(:'keys', '{kyber_prekeys,0,signature}', to_jsonb(:'kyber_sig2'::text))),
	(12, 'a bit of the key', jsonb_set(:'keys', '{kyber_prekey,key}', to_jsonb(translate(encode(set_bit(decode(:'kyber', 'base64'), 12551, 1 - get_bit(decode(:'kyber', 'base64'), 12551)), 'base64'), E'\n', '')))),
	(13, 'numbers above the prime', jsonb_set(:'keys', '{kyber_prekey,key}', to_jsonb(translate(encode('\x08' || decode(repeat('ff', 1568), 'hex'), 'base64'), E'\n', '')))),
	(14, 'a curve key as Kyber key', jsonb_set(:'keys', '{kyber_prekeys,0,key}', to_jsonb(:'signed'::text))),
	(15, 'no signature', :'keys'::jsonb #- '{signed_prekey,signature}'),
	(16, 'no id', :'keys'::jsonb #- '{kyber_prekey,id}'),
	(17, 'no id of a one-time key', :'keys'::jsonb #- '{prekeys,0,id}'),
	(18, 'an id too large', jsonb_set(:'keys', '{signed_prekey,id}', '16777216')),
	(19, 'an id twice', jsonb_set(:'keys', '{prekeys,1,id}', '10')),
	(20, 'too many', jsonb_set(:'keys', '{prekeys}', (SELECT jsonb_agg(jsonb_build_object('id', n, 'key', :'prekey1')) FROM generate_series(1, 101) n))),
	(21, 'a registration id too large', :'keys'::jsonb || '{"registration_id": 16384}'),
	(22, 'null', :'keys'::jsonb || '{"signed_prekey": null}'),
	(23, 'an unknown field', jsonb_set(:'keys', '{signed_prekey,secret}', '"x"')),
	(24, 'no object', :'keys'::jsonb || '{"prekeys": ["x"]}');
SELECT w.n, w.what, left(key_publish.call('PUT', '/encryption/keys', :base + 2, :base + 31, w.body), 150) AS answer FROM key_publish.wrong w WHERE w.n <> 4 ORDER BY w.n;
SELECT count(*) AS stored FROM roost_data.key_device WHERE account_id = :base + 2;
\echo base64 without padding, and base64url, are read
SELECT left(key_publish.call('PUT', '/encryption/keys', :base + 2, :base + 31, body), 3) AS status FROM key_publish.wrong WHERE n = 4;
SELECT key_publish.field(key_publish.call('PUT', '/encryption/keys', :base + 2, :base + 31, jsonb_set(:'keys', '{kyber_prekey,key}', to_jsonb(rtrim(translate(:'kyber', '+/', '-_'), '=')))), 'device') AS device;
\echo a device of another account, and none
SELECT key_publish.call('PUT', '/encryption/keys', :base + 2, :base + 11, :'keys') AS anothers, key_publish.call('PUT', '/encryption/keys', :base + 2, :base + 99, :'keys') AS no_device;

\echo more one-time prekeys: beside those that are there, an id again replaces, not too many in all
SELECT key_publish.field(key_publish.call('POST', '/encryption/prekeys', :base + 2, :base + 31, jsonb_build_object('prekeys', (SELECT jsonb_agg(jsonb_build_object('id', n, 'key', :'prekey1')) FROM generate_series(1, 100) n))), 'prekey_count') AS prekeys;
SELECT key_publish.field(key_publish.call('POST', '/encryption/prekeys', :base + 2, :base + 31, jsonb_build_object('prekeys', (SELECT jsonb_agg(jsonb_build_object('id', n, 'key', :'prekey1')) FROM generate_series(101, 199) n))), 'prekey_count') AS prekeys;
SELECT key_publish.call('POST', '/encryption/prekeys', :base + 2, :base + 31, jsonb_build_object('prekeys', jsonb_build_array(jsonb_build_object('id', 200, 'key', :'prekey1')))) AS too_many;
SELECT key_publish.call('POST', '/encryption/prekeys', :base + 2, :base + 31, jsonb_build_object('kyber_prekeys', jsonb_build_array(jsonb_build_object('id', 200, 'key', :'kyber', 'signature', :'kyber_sig2')))) AS wrong_signature;
SELECT key_publish.call('POST', '/encryption/prekeys', :base + 1, :base + 29, '{}') AS nothing_published;

\echo an account takes along what is known, and leaves nothing
SELECT jsonb_path_query_array(roost_internal.key_export(:base + 2), '$.devices[*].keyvalue().key') AS export;
SELECT r->'device' AS device, r->'registration_id' AS registration_id, count(*) AS former, bool_and(r ? 'published_at' AND length(r->>'identity_key') = 44) AS whole
FROM jsonb_array_elements(roost_internal.key_export(:base + 2)->'registrations') r GROUP BY 1, 2 ORDER BY 1, 2;
SELECT roost_internal.key_account_delete(:base + 2);
SELECT count(*) AS left FROM roost_data.key_device d FULL JOIN roost_data.key_prekey p ON p.account_id = d.account_id WHERE coalesce(d.account_id, p.account_id) = :base + 2;
SELECT count(*) AS registrations FROM roost_data.key_registration r WHERE r.account_id = :base + 2;
\echo who does not come for long loses its keys
BEGIN;
UPDATE roost_data.key_device SET used_at = now() - interval '89 days' WHERE account_id = :base + 1 AND number = 2;
UPDATE roost_data.key_device SET used_at = now() - interval '91 days' WHERE account_id = :base + 1 AND number >= 3;
SELECT array_agg(number ORDER BY number) AS before FROM roost_data.key_device WHERE account_id = :base + 1;
SELECT roost_internal.key_maintenance() AS unlinked;
COMMIT;
SELECT array_agg(number ORDER BY number) AS after FROM roost_data.key_device WHERE account_id = :base + 1;

DELETE FROM roost_data.conversation WHERE id BETWEEN :base + 50 AND :base + 52;
DELETE FROM roost_data.message_envelope WHERE account_id = :base + 1;
DELETE FROM roost_data.session WHERE account_id = :base + 1;
DELETE FROM roost_data.account WHERE id BETWEEN :base + 1 AND :base + 3;
DROP SCHEMA key_publish CASCADE;
