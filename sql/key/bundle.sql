-- Handing out keys: each one-time prekey exactly once.

CREATE OR REPLACE FUNCTION roost_internal.key_may_fetch(actor_id bigint, account_id bigint) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- First what is nearly always so, and costs the least.
	IF actor_id = account_id OR roost_internal.may_message(actor_id, account_id) THEN
		RETURN true;
	ELSIF roost_internal.is_blocked(actor_id, account_id) THEN
		RETURN false;
	END IF;
	RETURN EXISTS (
			SELECT FROM roost_data.conversation_direct d
			JOIN roost_data.conversation c ON c.id = d.conversation_id AND c.encryption = 'e2ee'
			WHERE d.low_id = least(actor_id, key_may_fetch.account_id) AND d.high_id = greatest(actor_id, key_may_fetch.account_id))
		OR EXISTS (
			SELECT FROM roost_data.conversation_member m
			JOIN roost_data.conversation c ON c.id = m.conversation_id AND c.encryption = 'e2ee'
			JOIN roost_data.conversation_member o ON o.conversation_id = m.conversation_id AND o.account_id = key_may_fetch.account_id
			WHERE m.account_id = actor_id);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.key_may_fetch(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_may_fetch(bigint, bigint) IS 'Whether an account may know the keys of another one: they share an encrypted conversation, or it may write to it, and neither has blocked the other. Of one''s own always.';

CREATE OR REPLACE FUNCTION roost_internal.key_target(actor_id bigint, account_id roost.account_ref) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id constant bigint := roost_internal.account_find(account_id);
BEGIN
	-- Also of a suspended account, for those it shares a conversation with: what they write there waits for it.
	IF v_account_id IS NULL OR NOT roost_internal.key_may_fetch(actor_id, v_account_id) THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'account_id', MESSAGE = 'the account does not exist';
	END IF;
	RETURN v_account_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.key_target(bigint, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_target(bigint, roost.account_ref) IS 'The id of an account whose keys the actor may know. P0002 if there is none, or it may not: both look the same.';

CREATE OR REPLACE FUNCTION roost.key_account_device_list(actor_id roost.id, account_id roost.account_ref) RETURNS SETOF roost.key_device
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	v_account_id constant bigint := roost_internal.key_target(actor_id, key_account_device_list.account_id);
BEGIN
	RETURN QUERY
	SELECT d.account_id::roost.id, d.number::integer, d.registration_id, roost_internal.key_base64(d.identity_key)
	FROM roost_data.key_device d WHERE d.account_id = v_account_id ORDER BY d.number;
END
$$;
REVOKE ALL ON FUNCTION roost.key_account_device_list(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.key_account_device_list(roost.id, roost.account_ref) IS 'The devices with keys of an account that the actor may write to or shares an encrypted conversation with, by number; none if it has no such device. P0002 no such account, or not for this actor.';
SELECT roost_internal.route('GET', '/encryption/accounts/:account_id/devices', 'roost.key_account_device_list');

CREATE OR REPLACE FUNCTION roost_internal.key_bundle_take(account_id bigint, number integer, one_time boolean) RETURNS roost.key_bundle[]
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_key_bundle_take';
REVOKE ALL ON FUNCTION roost_internal.key_bundle_take(bigint, integer, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_bundle_take(bigint, integer, boolean) IS 'The bundles of the devices of an account, by number, or of the one with this number, each with one of its one-time prekeys of each kind, which are gone then (not one_time: without any). Tells a device when few are left. P0002 there is no such device.';

CREATE OR REPLACE FUNCTION roost_internal.key_low_tell(account_id bigint, number integer) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- Who comes at the same moment need not tell it again, nor wait.
	PERFORM FROM roost_data.key_device d
	WHERE d.account_id = key_low_tell.account_id AND d.number = key_low_tell.number AND d.low_told_at IS NULL
	FOR NO KEY UPDATE SKIP LOCKED;
	IF FOUND THEN
		UPDATE roost_data.key_device d SET low_told_at = roost_internal.clock_now()
		WHERE d.account_id = key_low_tell.account_id AND d.number = key_low_tell.number;
		PERFORM roost_internal.feed_tell('key_low', account_id, account_id, NULL, NULL, number);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.key_low_tell(bigint, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_low_tell(bigint, integer) IS 'Has an account told, once until it has more, that few one-time prekeys of a device are left (in the log: target_id is the number of the device).';

CREATE OR REPLACE FUNCTION roost_internal.key_prekey_skip(account_id bigint, number integer, epoch integer, prekey_from integer, kyber_prekey_from integer) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- Keys that others are taking are still seen here: they stay if those fail.
	v_from constant integer := (SELECT coalesce(min(q.id), 16777216) FROM roost_data.key_prekey q
		WHERE q.account_id = key_prekey_skip.account_id AND q.number = key_prekey_skip.number AND q.is_kyber = false AND q.id >= key_prekey_skip.prekey_from);
	v_kyber_from constant integer := (SELECT coalesce(min(q.id), 16777216) FROM roost_data.key_prekey q
		WHERE q.account_id = key_prekey_skip.account_id AND q.number = key_prekey_skip.number AND q.is_kyber = true AND q.id >= key_prekey_skip.kyber_prekey_from);
BEGIN
	-- Not if some were added since the epoch was read: they may have smaller ids.
	PERFORM FROM roost_data.key_device d
	WHERE d.account_id = key_prekey_skip.account_id AND d.number = key_prekey_skip.number AND d.prekey_epoch = epoch
		AND (d.prekey_from < v_from OR d.kyber_prekey_from < v_kyber_from)
	FOR NO KEY UPDATE SKIP LOCKED;
	IF FOUND THEN
		UPDATE roost_data.key_device d SET prekey_from = greatest(d.prekey_from, v_from), kyber_prekey_from = greatest(d.kyber_prekey_from, v_kyber_from)
		WHERE d.account_id = key_prekey_skip.account_id AND d.number = key_prekey_skip.number;
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.key_prekey_skip(bigint, integer, integer, integer, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_prekey_skip(bigint, integer, integer, integer, integer) IS 'Notes for a device from which id on it has one-time prekeys, so that who takes one does not walk over all that are gone (while an old snapshot is held, vacuum leaves them). Does nothing if somebody else holds its row, or has added some since epoch.';

CREATE OR REPLACE FUNCTION roost.key_bundle_fetch(actor_id roost.id, account_id roost.account_ref, device roost.key_device_number DEFAULT NULL) RETURNS roost.key_bundle_set
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id constant bigint := roost_internal.key_target(actor_id, account_id);
	v_limit roost.limit_state;
BEGIN
	v_limit := roost.limit_hit('key_fetch', target => actor_id || '.' || v_account_id);
	IF NOT v_limit.allowed THEN
		PERFORM roost.response_header('Retry-After', v_limit.retry_after::text);
		RAISE EXCEPTION USING ERRCODE = 'RO429', MESSAGE = 'the keys of this account were fetched too often', DETAIL = format('Try again in %s s.', v_limit.retry_after);
	END IF;
	-- However many fetch, an account need not publish more than the limit of its own; then its keys of last resort do.
	RETURN (v_account_id::roost.id,
		roost_internal.key_bundle_take(v_account_id, device, (roost.limit_hit('key_prekey', target => v_account_id::text)).allowed))::roost.key_bundle_set;
END
$$;
REVOKE ALL ON FUNCTION roost.key_bundle_fetch(roost.id, roost.account_ref, roost.key_device_number) FROM PUBLIC;
COMMENT ON FUNCTION roost.key_bundle_fetch(roost.id, roost.account_ref, roost.key_device_number) IS 'What it takes to begin sessions with all devices of an account, or with one. Each one-time prekey is handed out once; when none is left the bundle has no prekey, and the Kyber prekey of last resort. None if the account has no device with keys. P0002 no such account or device, or the actor may neither write to it nor shares an encrypted conversation with it; RO429 the actor has fetched its keys too often. Beyond the limit key_prekey of the account fetched, bundles are those of last resort.';
SELECT roost_internal.route('POST', '/encryption/bundles', 'roost.key_bundle_fetch', limit_class => 'key_fetch');

CREATE OR REPLACE FUNCTION roost_internal.key_conversation_device_list(conversation_id bigint, actor_id bigint) RETURNS TABLE (account_id bigint, number smallint, registration_id integer)
LANGUAGE plpgsql STABLE ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT d.account_id, d.number, d.registration_id
	FROM roost_data.conversation_member m JOIN roost_data.key_device d ON d.account_id = m.account_id
	WHERE m.conversation_id = key_conversation_device_list.conversation_id
		AND NOT EXISTS (SELECT FROM roost_data.account_block b WHERE b.account_id = key_conversation_device_list.actor_id AND b.blocked_id = m.account_id)
		AND NOT EXISTS (SELECT FROM roost_data.account_block b WHERE b.account_id = m.account_id AND b.blocked_id = key_conversation_device_list.actor_id)
	ORDER BY d.account_id, d.number;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.key_conversation_device_list(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_conversation_device_list(bigint, bigint) IS 'The devices with keys of all members of a conversation between which and the actor there is no block, the actor''s own included; by account and number.';

CREATE OR REPLACE FUNCTION roost_internal.key_devices_version(conversation_id bigint, actor_id bigint) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (SELECT left(encode(sha256(coalesce(string_agg(int8send(l.account_id) || int4send(l.number << 16 | l.registration_id), ''::bytea ORDER BY l.account_id, l.number), '')), 'hex'), 32)
		FROM roost_internal.key_conversation_device_list(conversation_id, actor_id) l);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.key_devices_version(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_devices_version(bigint, bigint) IS 'A name for exactly the devices that key_conversation_device_list() returns: a hash of their accounts, numbers and registration ids.';

CREATE OR REPLACE FUNCTION roost.key_conversation_devices(actor_id roost.id, conversation_id roost.id) RETURNS roost.key_device_set
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_encrypted boolean;
BEGIN
	SELECT c.encryption = 'e2ee' INTO v_encrypted FROM roost_data.conversation_member m JOIN roost_data.conversation c ON c.id = m.conversation_id
	WHERE m.conversation_id = key_conversation_devices.conversation_id AND m.account_id = actor_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'conversation_id', MESSAGE = 'the conversation does not exist';
	ELSIF NOT v_encrypted THEN
		-- Who shares such a one may not know the keys of all its members.
		RAISE EXCEPTION USING ERRCODE = '55000', COLUMN = 'conversation_id', MESSAGE = 'the conversation is not encrypted';
	END IF;
	RETURN (ARRAY(
			SELECT (l.account_id, l.number, l.registration_id, roost_internal.key_base64(d.identity_key))::roost.key_device
			FROM roost_internal.key_conversation_device_list(conversation_id, actor_id) l
			JOIN roost_data.key_device d ON d.account_id = l.account_id AND d.number = l.number
			ORDER BY l.account_id, l.number),
		roost_internal.key_devices_version(conversation_id, actor_id))::roost.key_device_set;
END
$$;
REVOKE ALL ON FUNCTION roost.key_conversation_devices(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.key_conversation_devices(roost.id, roost.id) IS 'The devices with keys of all members of a conversation between which and the actor there is no block, its own too, and the version of this list. A message needs envelopes for all of them but the one that sends it. 55000 the conversation is not encrypted, P0002 no such conversation, or the actor is no member.';
SELECT roost_internal.route('GET', '/encryption/conversations/:conversation_id/devices', 'roost.key_conversation_devices');

CREATE OR REPLACE FUNCTION roost_internal.key_event(kind roost.feed_kind, id bigint, account_id bigint, conversation_id bigint, message_id bigint, target_id bigint) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_kyber_count integer;
	v_count integer;
BEGIN
	IF kind = 'key_changed' THEN
		RETURN jsonb_build_object('account_id', account_id::text, 'conversation_id', conversation_id::text, 'identity_changed', target_id IS NOT NULL);
	ELSIF kind = 'key_low' THEN
		PERFORM FROM roost_data.key_device d WHERE d.account_id = key_event.account_id AND d.number = target_id AND d.low_told_at IS NOT NULL;
		IF FOUND THEN
			v_count := roost_internal.key_prekey_count(account_id, target_id::integer, false);
			v_kyber_count := roost_internal.key_prekey_count(account_id, target_id::integer, true);
			RETURN jsonb_build_object('device', target_id, 'count', v_count, 'kyber_count', v_kyber_count);
		END IF;
	END IF;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.key_event(roost.feed_kind, bigint, bigint, bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_event(roost.feed_kind, bigint, bigint, bigint, bigint, bigint) IS 'What the log says of keys, as JSON: of key_changed the account, the conversation (null for the account itself) and whether there is a new identity key (target_id is not null); of key_low the device (target_id) and how many one-time prekeys it has left now. Null if it has enough again.';
