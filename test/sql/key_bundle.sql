-- Handing out keys: to whom, each one-time prekey once, then those of last resort; what the log says; the devices of a conversation.
\set VERBOSITY terse
\pset format unaligned
\pset footer off
SET client_min_messages = warning;
SET roost.limit_enabled = off;
SELECT setseed(0.5); -- what is done now and then is done where it is asked for
SELECT 8810000000000200::bigint AS base \gset
CREATE SCHEMA key_bundle;
-- 1 asks, 2 has two devices, 3 is blocked by 1, 4 has blocked 1, 5 takes messages from friends only, 6 is suspended, 7 has no keys
INSERT INTO roost_data.account (id, username, message_policy, status)
SELECT :base + n, 'key_bundle_' || n, CASE WHEN n = 5 THEN 'friends' ELSE 'everyone' END, CASE WHEN n = 6 THEN 'suspended' ELSE 'active' END FROM generate_series(1, 8) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'key_bundle_' || n, :base + n FROM generate_series(1, 8) n;
INSERT INTO roost_data.account_block (account_id, blocked_id, id) VALUES (:base + 1, :base + 3, 1), (:base + 4, :base + 1, 2);
INSERT INTO roost_data.device (id, account_id, client_id, name, platform) SELECT :base + a * 10 + d, :base + a, 'phone-' || d, 'Phone', 'ios' FROM unnest('{1,2,3,4,5,6,8}'::int[]) a, generate_series(1, 2) d WHERE d = 1 OR a = 2;
INSERT INTO roost_data.key_device (account_id, number, device_id, registration_id, identity_key, signed_prekey_id, signed_prekey, signed_prekey_signature, kyber_prekey_id, kyber_prekey, kyber_prekey_signature)
SELECT d.account_id, d.id % 10 , d.id, d.id % 1000, decode(repeat('05', 33), 'hex'), 11, decode(repeat('06', 33), 'hex'), decode(repeat('07', 64), 'hex'), 12, decode(repeat('08', 1569), 'hex'), decode(repeat('09', 64), 'hex')
FROM roost_data.device d WHERE d.id BETWEEN :base + 10 AND :base + 99;
CREATE FUNCTION key_bundle.fill(number int, n int, start int DEFAULT 1) RETURNS void LANGUAGE sql AS $$
	INSERT INTO roost_data.key_prekey (account_id, number, id, is_kyber, key, signature)
	SELECT 8810000000000202, number, i, k, CASE WHEN k THEN decode(repeat('08', 1569), 'hex') ELSE decode(repeat('05', 33), 'hex') END, CASE WHEN k THEN decode(repeat('05', 64), 'hex') END
	FROM (VALUES (false), (true)) kk (k), generate_series(start, start + n - 1) i
$$;
CREATE FUNCTION key_bundle.short(actor int, account int, device int DEFAULT NULL) RETURNS TABLE (device int, prekey int, kyber_prekey int, last_resort boolean) LANGUAGE sql AS $$
	SELECT b.device, (b.prekey).id, (b.kyber_prekey).id, (b.kyber_prekey).last_resort
	FROM roost.key_bundle_fetch(8810000000000200 + actor, (8810000000000200 + account)::text::roost.account_ref, device) s, unnest(s.devices) b
$$;
CREATE FUNCTION key_bundle.seen(actor int, account int, OUT devices text, OUT bundle text) LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		devices := (SELECT count(*) FROM roost.key_account_device_list(8810000000000200 + actor, (8810000000000200 + account)::text::roost.account_ref));
	EXCEPTION WHEN OTHERS THEN
		devices := SQLSTATE;
	END;
	bundle := (SELECT count(*) FROM key_bundle.short(actor, account));
EXCEPTION WHEN OTHERS THEN
	bundle := SQLSTATE;
END
$$;

\echo to whom: one may write to it, or shares an encrypted conversation
SELECT n AS account, s.* FROM generate_series(1, 9) n, key_bundle.seen(1, n) s ORDER BY n;
INSERT INTO roost_data.conversation (id, kind, encryption, member_count) VALUES (:base + 50, 'group', 'none', 8), (:base + 51, 'group', 'e2ee', 8);
INSERT INTO roost_data.conversation_member (conversation_id, account_id) SELECT :base + 50, :base + n FROM unnest('{1,3,4,5}'::int[]) n;
SELECT n AS account, s.* FROM unnest('{3,4,5}'::int[]) n, key_bundle.seen(1, n) s ORDER BY n;
INSERT INTO roost_data.conversation_member (conversation_id, account_id) SELECT :base + 51, :base + n FROM generate_series(1, 7) n;
SELECT n AS account, s.* FROM unnest('{3,4,5,6}'::int[]) n, key_bundle.seen(1, n) s ORDER BY n;

\echo a bundle
SELECT (b.devices[1]).*, ((b.devices[1]).prekey).id AS no_prekey FROM roost.key_bundle_fetch(:base + 1, '@key_bundle_5') b \gset bundle_
SELECT :bundle_device AS device, :bundle_registration_id AS registration_id, :'bundle_identity_key' = encode(decode(repeat('05', 33), 'hex'), 'base64') AS identity_key,
	(:'bundle_signed_prekey'::roost.key_signed_prekey).id AS signed_prekey, length((:'bundle_kyber_prekey'::roost.key_kyber_prekey).key) AS kyber_prekey;
SELECT length(split_part(roost.handle('POST', '/encryption/bundles', '', 'authorization: Bearer ' || roost_internal.token_make(:base + 1, :base + 11, :base + 11) || E'\ncontent-type: application/json', jsonb_build_object('account_id', (:base + 5)::text)::text, '192.0.2.1'), E'\n\n', 2)) AS bytes;
\echo each one-time prekey once, in order; then the last resort
SELECT key_bundle.fill(1, 3), key_bundle.fill(2, 1, 100);
SELECT n, s.* FROM generate_series(1, 4) n, key_bundle.short(1, 2 + 0 * n) s ORDER BY n, device;
SELECT count(*) AS left FROM roost_data.key_prekey WHERE account_id = :base + 2;
\echo of one device; one that is not there
SELECT key_bundle.fill(1, 1);
SELECT * FROM key_bundle.short(1, 2, 2);
SELECT * FROM key_bundle.short(1, 2, 1);
SELECT * FROM key_bundle.short(1, 2, 3);
\echo :LAST_ERROR_SQLSTATE
\echo ids that are gone are skipped, and those that come below are found
SELECT key_bundle.fill(1, 50, 1000);
SELECT roost_internal.key_prekey_skip(:base + 2, 1, 0, 0, 0);
SELECT prekey_from, kyber_prekey_from FROM roost_data.key_device WHERE account_id = :base + 2 AND number = 1;
SELECT prekey, kyber_prekey FROM generate_series(1, 2) n, key_bundle.short(1, 2 + 0 * n, 1);
SELECT prekey_count FROM roost.key_prekey_add(:base + 2, :base + 21, ARRAY[(7, 'BXt2yay9MxeRBf1xf+/D5qZugXekraw1APnK4nOFc2J5')]::roost.key_prekey_input[]);
SELECT prekey_from, kyber_prekey_from BETWEEN 1000 AND 1002 AS kyber_prekey_from, prekey_epoch FROM roost_data.key_device WHERE account_id = :base + 2 AND number = 1;
SELECT prekey, kyber_prekey FROM generate_series(1, 2) n, key_bundle.short(1, 2 + 0 * n, 1);
\echo who has counted before some were added skips nothing
DELETE FROM roost_data.key_prekey WHERE account_id = :base + 2;
UPDATE roost_data.key_device SET prekey_from = 7 WHERE account_id = :base + 2 AND number = 1;
SELECT roost_internal.key_prekey_skip(:base + 2, 1, 0, 7, 1000);
SELECT prekey_from FROM roost_data.key_device WHERE account_id = :base + 2 AND number = 1;
SELECT roost_internal.key_prekey_skip(:base + 2, 1, 1, 7, 1000);
SELECT prekey_from FROM roost_data.key_device WHERE account_id = :base + 2 AND number = 1;
SELECT * FROM key_bundle.short(1, 2, 1);

\echo few left: told once, until there are enough of both kinds
UPDATE roost_data.key_device SET low_told_at = NULL, prekey_from = 0, kyber_prekey_from = 0 WHERE account_id = :base + 2;
SET roost.key_low_water = 3;
SELECT key_bundle.fill(1, 5);
CREATE TABLE key_bundle.seen AS SELECT t.id FROM roost_data.feed_trace t WHERE t.kind = 'key_low';
CREATE FUNCTION key_bundle.told() RETURNS TABLE (account bigint, room bigint, device bigint, event text) LANGUAGE sql AS $$
	SELECT t.account_id - 8810000000000200, t.room_id - 8810000000000200, t.target_id, roost_internal.key_event(t.kind, t.id, t.account_id, t.conversation_id, t.message_id, t.target_id)
	FROM roost_data.feed_trace t WHERE t.kind = 'key_low' AND t.account_id = 8810000000000202 AND t.id NOT IN (SELECT id FROM key_bundle.seen)
$$;
BEGIN;
SELECT prekey FROM generate_series(1, 2) n, key_bundle.short(1, 2 + 0 * n, 1);
SELECT * FROM key_bundle.told();
SELECT prekey FROM generate_series(1, 2) n, key_bundle.short(1, 2 + 0 * n, 1);
SELECT * FROM key_bundle.told();
SELECT prekey_count, kyber_prekey_count FROM roost.key_prekey_add(:base + 2, :base + 21, (SELECT array_agg((n, 'BXt2yay9MxeRBf1xf+/D5qZugXekraw1APnK4nOFc2J5')::roost.key_prekey_input) FROM generate_series(10, 13) n));
SELECT low_told_at IS NOT NULL AS still_low FROM roost_data.key_device WHERE account_id = :base + 2 AND number = 1;
SELECT key_bundle.fill(1, 2, 20);
SELECT prekey_count, kyber_prekey_count FROM roost.key_prekey_add(:base + 2, :base + 21, '{}');
SELECT low_told_at IS NOT NULL AS still_low FROM roost_data.key_device WHERE account_id = :base + 2 AND number = 1;
SELECT * FROM key_bundle.told();
ROLLBACK;
RESET roost.key_low_water;
\echo what the log says of devices
SELECT roost_internal.key_event('key_changed', 1, :base + 2, :base + 51, NULL, NULL), roost_internal.key_event('key_changed', 1, :base + 2, NULL, NULL, :base + 2), roost_internal.key_event('key_low', 1, :base + 2, NULL, NULL, 9) AS gone;

\echo limits: of one account for another one; of an account, however many ask
SET roost.limit_enabled = on;
SELECT roost.limit_reset(NULL, target => (:base + 1) || '.' || (:base + 2)) >= 0, roost.limit_reset(NULL, target => (:base + 2)::text) >= 0;
CREATE FUNCTION key_bundle.try(actor int, n int) RETURNS TABLE (answer text, times bigint) LANGUAGE plpgsql AS $$
DECLARE
	v_answers text[] := '{}';
BEGIN
	FOR i IN 1 .. n LOOP
		BEGIN
			v_answers := v_answers || (SELECT CASE WHEN prekey IS NULL THEN 'last resort' ELSE 'one-time' END FROM key_bundle.short(actor, 2, 1));
		EXCEPTION WHEN OTHERS THEN
			v_answers := v_answers || (SQLSTATE || ' ' || SQLERRM);
		END;
	END LOOP;
	RETURN QUERY SELECT a, count(*) FROM unnest(v_answers) a GROUP BY 1 ORDER BY 1;
END
$$;
DELETE FROM roost_data.key_prekey WHERE account_id = :base + 2;
SELECT key_bundle.fill(1, 100);
UPDATE roost_data.key_device SET prekey_from = 0, kyber_prekey_from = 0 WHERE account_id = :base + 2;
SELECT * FROM key_bundle.try(1, 12);
SELECT * FROM key_bundle.try(8, 2);
SELECT allowed FROM roost.limit_hit('key_prekey', target => (:base + 2)::text, cost => 288);
SELECT * FROM key_bundle.try(7, 2);
SET roost.limit_enabled = off;

\echo several in one statement are several, although some note things between them
BEGIN;
UPDATE roost_data.key_device SET low_told_at = NULL WHERE account_id = :base + 2;
SELECT count(*), count(t.id), count(DISTINCT t.id) FROM (SELECT (((roost_internal.key_bundle_take(:base + 2, 1, true))[1]).prekey).id FROM generate_series(1, 100)) t;
ROLLBACK;

\echo the devices of a conversation: none of those with a block between, and a version that depends on all
SELECT account_id - :base AS account, number, registration_id FROM roost_internal.key_conversation_device_list(:base + 51, :base + 1);
SELECT account_id - :base AS account, number FROM roost_internal.key_conversation_device_list(:base + 51, :base + 3);
SELECT array_agg((d.account_id - :base, d.device)) AS devices, s.devices_version FROM roost.key_conversation_devices(:base + 1, :base + 51) s, unnest(s.devices) d GROUP BY s.devices_version;
SELECT devices_version AS version FROM roost.key_conversation_devices(:base + 1, :base + 51) \gset
SELECT (roost.key_conversation_devices(:base + n, :base + 51)).devices_version = :'version' AS same FROM unnest('{1,2,3,5}'::int[]) n;
BEGIN;
UPDATE roost_data.key_device SET registration_id = 1 WHERE account_id = :base + 5;
SELECT (roost.key_conversation_devices(:base + 1, :base + 51)).devices_version = :'version' AS same;
ROLLBACK;
SELECT count(*) FROM roost.key_conversation_devices(:base + 8, :base + 51);
\echo :LAST_ERROR_SQLSTATE
UPDATE roost_data.conversation SET encryption = 'none' WHERE id = :base + 51;
SELECT count(*) FROM roost.key_conversation_devices(:base + 1, :base + 51);
UPDATE roost_data.conversation SET encryption = 'e2ee' WHERE id = :base + 51;

DELETE FROM roost_data.conversation WHERE id BETWEEN :base + 50 AND :base + 51;
DELETE FROM roost_data.account WHERE id BETWEEN :base + 1 AND :base + 8;
DROP SCHEMA key_bundle CASCADE;
