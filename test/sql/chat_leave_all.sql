-- What stays anywhere of somebody who wrote a lot, was in many groups, had friends, and keys with messages waiting.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET roost.limit_enabled = off;
SET roost.moderation_enabled = off;
SELECT 7770000000900000 AS base \gset
CREATE SCHEMA leave_all;
INSERT INTO roost_data.account (id, username) SELECT :base + n, 'leaver_' || n FROM generate_series(1, 40) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'leaver_' || n, :base + n FROM generate_series(1, 40) n;
CREATE FUNCTION leave_all.chats(actor bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	c bigint;
	d bigint := roost_internal.id_next(actor);
	k constant bytea := decode(repeat('05', 33), 'hex');
	s constant bytea := decode(repeat('06', 64), 'hex');
	y constant bytea := decode(repeat('08', 1569), 'hex');
	other text;
BEGIN
	FOR i IN 1 .. 30 LOOP
		other := (actor + i)::text;
		c := (roost.conversation_create(actor, 'group', ARRAY[other, (actor + 31)::text], 'Group ' || i)).id;
		PERFORM roost.message_create(actor, conversation_id => c, text => 'message ' || m) FROM generate_series(1, 10) m;
		PERFORM roost.message_react(actor, (roost.message_create(other::bigint, conversation_id => c, text => 'answer')).id, '+');
		PERFORM roost.message_delete(actor, (roost.message_create(other::bigint, conversation_id => c, text => 'hidden')).id);
		PERFORM roost.invite_create(actor, c);
		IF i % 3 = 0 THEN
			PERFORM roost.conversation_member_update(actor, c, other, 'owner'), roost.conversation_member_remove(other::bigint, c, actor::text);
		END IF;
		PERFORM roost.message_read(other::bigint, (roost.message_create(actor, recipient_id => other, text => 'direct')).id);
		IF i <= 20 THEN
			PERFORM roost.friend_request_accept(other::bigint, (roost.friend_request_create(actor, other)).id);
		ELSIF i <= 25 THEN
			PERFORM roost.friend_request_create(actor, other);
		ELSE
			PERFORM roost.friend_request_create(other::bigint, actor::text);
		END IF;
	END LOOP;
	PERFORM roost.chat_settings_set(actor, false);
	FOR i IN 0 .. 1 LOOP
		INSERT INTO roost_data.device (id, account_id) VALUES (d + i, actor + i);
		INSERT INTO roost_data.key_device (account_id, number, device_id, registration_id, identity_key, signed_prekey_id, signed_prekey, signed_prekey_signature, kyber_prekey_id, kyber_prekey, kyber_prekey_signature)
		VALUES (actor + i, 1, d + i, 7, k, 1, k, s, 1, y, s);
		INSERT INTO roost_data.key_prekey (account_id, number, id, is_kyber, key) SELECT actor + i, 1, n, false, k FROM generate_series(1, 20) n;
	END LOOP;
	c := (roost.conversation_create(actor, 'group', ARRAY[(actor + 1)::text], 'Secret', encryption => 'e2ee')).id;
	PERFORM roost.message_create(actor, conversation_id => c, device_id => d, envelopes => ARRAY[(actor + 1, 1, 7, 2, 'ABC')::roost.envelope_input]);
	PERFORM roost.message_create(actor + 1, conversation_id => c, device_id => d + 1, envelopes => ARRAY[(actor, 1, 7, 2, 'ABC')::roost.envelope_input]);
	PERFORM roost.message_create(actor + 1, conversation_id => c, device_id => d + 1, content => 'DEF', devices_version => (SELECT v.devices_version FROM roost.key_conversation_devices(actor + 1, c) v));
END $$;
-- Every column of every table that may name an account, but for the log and the audit
-- trail, which are records, and what the worker counts beside (account_activity).
CREATE FUNCTION leave_all.places(account_id bigint) RETURNS TABLE (place text) LANGUAGE plpgsql AS $$
DECLARE
	v_column record;
	v_found boolean;
BEGIN
	FOR v_column IN
		SELECT c.table_name AS t, c.column_name AS c, c.data_type = 'ARRAY' AS is_array
		FROM information_schema.columns c JOIN information_schema.tables USING (table_schema, table_name)
		WHERE table_schema = 'roost_data' AND table_type = 'BASE TABLE' AND c.udt_name IN ('int8', '_int8') AND c.table_name !~ '^(feed_log|feed_trace|audit|account_activity)'
		ORDER BY 1, 2
	LOOP
		EXECUTE format('SELECT EXISTS (SELECT FROM roost_data.%I WHERE %s)', v_column.t,
			format(CASE WHEN v_column.is_array THEN '$1 = ANY (%I)' ELSE '%I = $1' END, v_column.c)) INTO v_found USING account_id;
		IF v_found THEN
			place := v_column.t || '.' || v_column.c;
			RETURN NEXT;
		END IF;
	END LOOP;
END $$;
SELECT leave_all.chats(:base + 1);
SELECT count(*) > 20 FROM leave_all.places(:base + 1);

\echo everything is in the export
SELECT jsonb_array_length(e -> 'chat' -> 'conversations'), jsonb_array_length(e -> 'chat' -> 'messages'), jsonb_array_length(e -> 'chat' -> 'reactions'),
	jsonb_array_length(e -> 'friend' -> 'friends'), jsonb_array_length(e -> 'friend' -> 'requests_sent'), jsonb_array_length(e -> 'friend' -> 'requests_received'), jsonb_array_length(e -> 'key' -> 'devices')
FROM roost.account_export(:base + 1) e;

\echo suspended: it writes no more, the others keep what it wrote
UPDATE roost_data.account SET status = 'suspended' WHERE id = :base + 1;
SELECT count(*), count((m.sender).id) FROM roost_data.conversation_direct d, LATERAL roost.message_list(:base + 2, d.conversation_id, 100) m WHERE d.low_id = :base + 1 AND d.high_id = :base + 2;
UPDATE roost_data.account SET status = 'active' WHERE id = :base + 1;

\echo deleted: what names it still
SELECT roost_internal.account_erase(:base + 1);
-- mailboxes are the worker's
SELECT roost.worker_sync('1 minute');
SELECT * FROM leave_all.places(:base + 1);
-- what it wrote to a device of somebody still arrives
SELECT sender_id = :base + 1 FROM roost_data.message_envelope WHERE account_id = :base + 2;
SELECT count(*) FROM roost_data.message_ciphertext x WHERE NOT EXISTS (SELECT FROM roost_data.message_envelope e WHERE e.message_id = x.message_id);
\echo the histories of the others, without a name; and no group without an owner
SELECT count(*), count((m.sender).id), count(m.text) FROM roost_data.conversation_direct d, LATERAL roost.message_list(:base + 2, d.conversation_id, 100) m WHERE d.low_id = :base + 1 AND d.high_id = :base + 2;
SELECT count(*), count((m.sender).id) FROM roost_data.conversation_member c, LATERAL roost.message_list(:base + 3, c.conversation_id, 100) m WHERE c.account_id = :base + 3 AND m.text LIKE 'message %';
SELECT count(*) FROM roost_data.conversation c WHERE c.kind = 'group' AND c.created_by = :base + 1 AND c.member_count > 0
	AND NOT EXISTS (SELECT FROM roost_data.conversation_member m WHERE m.conversation_id = c.id AND m.role = 'owner');
SELECT count(*) FROM roost_data.conversation c WHERE c.member_count <> (SELECT count(*) FROM roost_data.conversation_member m WHERE m.conversation_id = c.id) AND c.created_by = :base + 1;

\echo when all are gone, and maintenance has run, nothing is left
SELECT count(roost_internal.account_erase(:base + n)) FROM generate_series(2, 40) n;
SELECT roost.worker_sync('1 minute');
SELECT count(*) FROM roost.maintenance_run('conversation') WHERE error IS NULL;
SELECT DISTINCT place FROM generate_series(1, 40) n, leave_all.places(:base + n) ORDER BY 1;

DROP SCHEMA leave_all CASCADE;
DELETE FROM roost_data.account WHERE id BETWEEN :base + 1 AND :base + 40;
