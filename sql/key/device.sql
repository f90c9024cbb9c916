-- Devices and their keys.

CREATE OR REPLACE FUNCTION roost_internal.key_bytes(value text) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_key_bytes';
REVOKE ALL ON FUNCTION roost_internal.key_bytes(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_bytes(text) IS 'The bytes that a text in base64 or base64url, with or without padding, stands for; null if it is neither.';

CREATE OR REPLACE FUNCTION roost_internal.key_base64(value bytea) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_key_base64';
REVOKE ALL ON FUNCTION roost_internal.key_base64(bytea) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_base64(bytea) IS 'Bytes in base64 with padding, in one line.';

CREATE OR REPLACE FUNCTION roost_internal.key_valid(key bytea, is_kyber boolean) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_key_valid';
REVOKE ALL ON FUNCTION roost_internal.key_valid(bytea, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_valid(bytea, boolean) IS 'Whether bytes are a public key: 0x05 and a point of Curve25519 that is reduced and not of small order, or 0x08 and a key of Kyber-1024 whose numbers are all below its prime.';

CREATE OR REPLACE FUNCTION roost.key_signature_valid(identity_key bytea, message bytea, signature bytea) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_key_signature_valid';
REVOKE ALL ON FUNCTION roost.key_signature_valid(bytea, bytea, bytea) FROM PUBLIC;
COMMENT ON FUNCTION roost.key_signature_valid(bytea, bytea, bytea) IS 'Whether the owner of an identity key (33 bytes, the first one 0x05) has signed a message: XEdDSA, 64 bytes. Of a prekey the message is the whole key with its first byte. False also for what is no key or no signature.';

CREATE OR REPLACE FUNCTION roost_internal.key_read(key text, is_kyber boolean, field text) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_key constant bytea := roost_internal.key_bytes(key);
BEGIN
	IF coalesce(roost_internal.key_valid(v_key, is_kyber), false) THEN
		RETURN v_key;
	END IF;
	RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = field,
		MESSAGE = CASE WHEN key IS NULL THEN 'a key is missing' WHEN v_key IS NULL THEN 'a key is not base64' ELSE 'a key is not valid' END,
		HINT = CASE WHEN is_kyber THEN 'It is 1569 bytes: 0x08 and a public key of Kyber-1024.' ELSE 'It is 33 bytes: 0x05 and a public key for X25519.' END;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.key_read(text, boolean, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_read(text, boolean, text) IS 'The bytes of a public key in base64. 22023 with the field if it is none.';

CREATE OR REPLACE FUNCTION roost_internal.key_signature_read(identity_key bytea, key bytea, signature text, field text) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_signature constant bytea := roost_internal.key_bytes(signature);
BEGIN
	IF coalesce(roost.key_signature_valid(identity_key, key, v_signature), false) THEN
		RETURN v_signature;
	END IF;
	RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = field,
		MESSAGE = CASE WHEN signature IS NULL THEN 'a signature is missing' WHEN v_signature IS NULL THEN 'a signature is not base64' ELSE 'a signature is not valid' END,
		HINT = 'It is 64 bytes: the whole key with its first byte, signed by the identity key (XEdDSA).';
END
$$;
REVOKE ALL ON FUNCTION roost_internal.key_signature_read(bytea, bytea, text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_signature_read(bytea, bytea, text, text) IS 'The bytes of the signature of a key in base64. 22023 with the field if the owner of the identity key did not make it.';

CREATE OR REPLACE FUNCTION roost_internal.key_prekey_store(account_id bigint, number integer, identity_key bytea,
	prekeys roost.key_prekey_input[], kyber_prekeys roost.key_signed_prekey_input[], replace boolean) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_max constant integer := current_setting('roost.key_prekey_max')::integer;
	v_low constant integer := current_setting('roost.key_low_water')::integer;
	v_kyber boolean;
	v_field text;
	v_ids integer[];
	v_count integer;
	v_enough boolean := true;
	v_from integer[] := '{}';
BEGIN
	FOREACH v_kyber IN ARRAY '{f,t}'::boolean[] LOOP
		v_field := CASE WHEN v_kyber THEN 'kyber_prekeys' ELSE 'prekeys' END;
		IF v_kyber THEN
			v_ids := CASE WHEN kyber_prekeys IS NOT NULL THEN ARRAY(SELECT k.id FROM unnest(kyber_prekeys) k) END;
		ELSE
			v_ids := CASE WHEN prekeys IS NOT NULL THEN ARRAY(SELECT k.id FROM unnest(prekeys) k) END;
		END IF;
		IF cardinality(v_ids) > 100 THEN
			RAISE EXCEPTION USING ERRCODE = '54000', COLUMN = v_field, MESSAGE = 'too many keys at once', HINT = 'Up to 100 of a kind.';
		ELSIF array_position(v_ids, NULL) IS NOT NULL THEN
			RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = format('%s[%s].id', v_field, array_position(v_ids, NULL) - 1), MESSAGE = 'the id of a key is missing';
		ELSIF cardinality(v_ids) <> (SELECT count(DISTINCT i) FROM unnest(v_ids) i) THEN
			RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = v_field, MESSAGE = 'two keys have the same id';
		END IF;
		IF v_ids IS NOT NULL AND replace THEN
			DELETE FROM roost_data.key_prekey p
			WHERE p.account_id = key_prekey_store.account_id AND p.number = key_prekey_store.number AND p.is_kyber = v_kyber;
		END IF;
		-- In the order of ids: two who store the same ones do not wait for each other in a circle.
		IF v_kyber THEN
			INSERT INTO roost_data.key_prekey AS p (account_id, number, is_kyber, id, key, signature)
			SELECT key_prekey_store.account_id, key_prekey_store.number, true, k.id, k.bytes,
				roost_internal.key_signature_read(key_prekey_store.identity_key, k.bytes, k.signature, k.field || '.signature')
			FROM (SELECT u.id, u.signature, f.field, roost_internal.key_read(u.key, true, f.field || '.key') AS bytes
				FROM unnest(kyber_prekeys) WITH ORDINALITY u, LATERAL (SELECT format('%s[%s]', v_field, u.ordinality - 1) AS field) f OFFSET 0) k
			ORDER BY k.id
			ON CONFLICT ON CONSTRAINT key_prekey_pkey DO UPDATE SET key = excluded.key, signature = excluded.signature;
		ELSE
			INSERT INTO roost_data.key_prekey AS p (account_id, number, is_kyber, id, key)
			SELECT key_prekey_store.account_id, key_prekey_store.number, false, k.id, roost_internal.key_read(k.key, false, format('%s[%s].key', v_field, k.ordinality - 1))
			FROM unnest(prekeys) WITH ORDINALITY k
			ORDER BY k.id
			ON CONFLICT ON CONSTRAINT key_prekey_pkey DO UPDATE SET key = excluded.key;
		END IF;
		v_count := roost_internal.key_prekey_count(account_id, number, v_kyber);
		IF v_count > v_max THEN
			RAISE EXCEPTION USING ERRCODE = '54000', COLUMN = v_field, MESSAGE = 'the device has too many one-time prekeys',
				DETAIL = format('With these there would be %s of this kind, %s are kept.', v_count, v_max);
		END IF;
		v_enough := v_enough AND v_count >= v_low;
		v_from := v_from || least((SELECT min(i) FROM unnest(v_ids) i), 16777216);
	END LOOP;
	UPDATE roost_data.key_device d SET prekey_epoch = (d.prekey_epoch + 1) & 2147483647, low_told_at = CASE WHEN NOT v_enough THEN d.low_told_at END,
		prekey_from = least(d.prekey_from, v_from[1]), kyber_prekey_from = least(d.kyber_prekey_from, v_from[2])
	WHERE d.account_id = key_prekey_store.account_id AND d.number = key_prekey_store.number;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.key_prekey_store(bigint, integer, bytea, roost.key_prekey_input[], roost.key_signed_prekey_input[], boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_prekey_store(bigint, integer, bytea, roost.key_prekey_input[], roost.key_signed_prekey_input[], boolean) IS 'Keeps one-time prekeys of a device, beside those that are there or (replace) instead of those of the same kind; null leaves a kind as it is. The caller holds the row of the device. 22023 not a key, a wrong signature, an id twice or missing; 54000 more than 100 of a kind, or more than roost.key_prekey_max afterwards; with the field.';

CREATE OR REPLACE FUNCTION roost_internal.key_prekey_count(account_id bigint, number integer, is_kyber boolean) RETURNS integer
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (SELECT count(*) FROM roost_data.key_prekey p
		WHERE p.account_id = key_prekey_count.account_id AND p.number = key_prekey_count.number AND p.is_kyber = key_prekey_count.is_kyber);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.key_prekey_count(bigint, integer, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_prekey_count(bigint, integer, boolean) IS 'How many one-time prekeys of a kind a device has left.';

CREATE OR REPLACE FUNCTION roost_internal.key_status_of(device_id bigint) RETURNS roost.key_status
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_status roost.key_status;
BEGIN
	SELECT d.number, d.registration_id, roost_internal.key_base64(d.identity_key), d.linked_at,
		d.signed_prekey_id, d.signed_prekey_at, d.kyber_prekey_id, d.kyber_prekey_at,
		roost_internal.key_prekey_count(d.account_id, d.number, false), roost_internal.key_prekey_count(d.account_id, d.number, true)
	INTO v_status
	FROM roost_data.key_device d WHERE d.device_id = key_status_of.device_id;
	RETURN v_status;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.key_status_of(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_status_of(bigint) IS 'What the server has of the keys of a device; null if it has none.';

CREATE OR REPLACE FUNCTION roost_internal.key_need(actor_id bigint, account_id bigint, field text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM roost_data.key_device d WHERE d.account_id = key_need.account_id) THEN
		RAISE EXCEPTION USING ERRCODE = '55000', COLUMN = field, MESSAGE = 'the other account has no keys',
			DETAIL = 'It could not read what is encrypted.';
	ELSIF NOT EXISTS (SELECT FROM roost_data.key_device d WHERE d.account_id = actor_id) THEN
		RAISE EXCEPTION USING ERRCODE = '55000', COLUMN = field, MESSAGE = 'the account has no keys', HINT = 'Publish them: PUT /encryption/keys.';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.key_need(bigint, bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_need(bigint, bigint, text) IS 'Raises 55000, about a field, unless both accounts have devices with keys: without them a conversation of the two would be one that one of them can neither read nor write in, for good.';

CREATE OR REPLACE FUNCTION roost_internal.key_device_changed(account_id bigint, identity_changed boolean) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_target_id constant bigint := CASE WHEN identity_changed THEN account_id END;
BEGIN
	PERFORM roost_internal.feed_tell('key_changed', key_device_changed.account_id, m.conversation_id, m.conversation_id, NULL, v_target_id)
	FROM roost_data.conversation_member m JOIN roost_data.conversation c ON c.id = m.conversation_id
	WHERE m.account_id = key_device_changed.account_id AND c.encryption = 'e2ee';
	PERFORM roost_internal.feed_tell('key_changed', account_id, account_id, NULL, NULL, v_target_id);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.key_device_changed(bigint, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_device_changed(bigint, boolean) IS 'Has an account and its encrypted conversations told that its devices are others; identity_changed (in the log: target_id is the account): one has an identity key that none had before.';

CREATE OR REPLACE FUNCTION roost_internal.key_device_used(device_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
BEGIN
	UPDATE roost_data.key_device d SET used_at = v_now
	WHERE d.device_id = key_device_used.device_id AND d.used_at < v_now - interval '1 day';
END
$$;
REVOKE ALL ON FUNCTION roost_internal.key_device_used(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_device_used(bigint) IS 'Notes, once a day, that a device with keys is in use: whoever publishes or fetches for it calls this, so that roost_internal.key_maintenance() does not unlink it.';

CREATE OR REPLACE FUNCTION roost_internal.key_registration_note(account_id bigint, number integer, registration_id integer, identity_key bytea) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	c_kept constant integer := 50;
BEGIN
	INSERT INTO roost_data.key_registration AS r (account_id, number, registration_id, identity_key, published_at)
	VALUES (key_registration_note.account_id, key_registration_note.number, key_registration_note.registration_id, key_registration_note.identity_key, roost_internal.clock_now())
	ON CONFLICT ON CONSTRAINT key_registration_pkey DO UPDATE SET published_at = excluded.published_at WHERE r.identity_key = excluded.identity_key;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = '23505', COLUMN = 'registration_id', MESSAGE = 'the registration id was used with another identity key',
			HINT = 'Choose another one at random: by it others see that the device was set up anew.';
	END IF;
	DELETE FROM roost_data.key_registration r
	WHERE r.account_id = key_registration_note.account_id AND r.number = key_registration_note.number AND r.registration_id IN (
		SELECT o.registration_id FROM roost_data.key_registration o
		WHERE o.account_id = key_registration_note.account_id AND o.number = key_registration_note.number
		ORDER BY o.published_at DESC OFFSET c_kept);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.key_registration_note(bigint, integer, integer, bytea) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_registration_note(bigint, integer, integer, bytea) IS 'Notes that a device of this number is published with a registration id and an identity key. 23505 if one of this number had the id with another key: whoever encrypts for that one would not notice. The caller holds the account.';

CREATE OR REPLACE FUNCTION roost.key_publish(actor_id roost.id, device_id roost.id, registration_id roost.key_registration_id, identity_key roost.key_base64,
	signed_prekey roost.key_signed_prekey_input, kyber_prekey roost.key_signed_prekey_input,
	prekeys roost.key_prekey_input[] DEFAULT NULL, kyber_prekeys roost.key_signed_prekey_input[] DEFAULT NULL) RETURNS roost.key_status
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
	v_identity_key constant bytea := roost_internal.key_read(identity_key, false, 'identity_key');
	v_signed_prekey constant bytea := roost_internal.key_read(signed_prekey.key, false, 'signed_prekey.key');
	v_signed_prekey_signature constant bytea := roost_internal.key_signature_read(v_identity_key, v_signed_prekey, signed_prekey.signature, 'signed_prekey.signature');
	v_kyber_prekey constant bytea := roost_internal.key_read(kyber_prekey.key, true, 'kyber_prekey.key');
	v_kyber_prekey_signature constant bytea := roost_internal.key_signature_read(v_identity_key, v_kyber_prekey, kyber_prekey.signature, 'kyber_prekey.signature');
	v_max constant integer := current_setting('roost.key_device_max')::integer;
	v_former roost_data.key_device;
	v_number integer;
	v_known boolean;
BEGIN
	IF signed_prekey.id IS NULL OR kyber_prekey.id IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = CASE WHEN signed_prekey.id IS NULL THEN 'signed_prekey.id' ELSE 'kyber_prekey.id' END,
			MESSAGE = 'the id of a key is missing';
	END IF;
	PERFORM roost_internal.audit_actor(actor_id, 'roost.key_publish');
	-- One at a time for an account: numbers are given out, and compared.
	PERFORM FROM roost_data.account a WHERE a.id = actor_id AND a.status = 'active' FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'the account is not active';
	END IF;
	PERFORM FROM roost_data.device d WHERE d.id = key_publish.device_id AND d.account_id = actor_id FOR KEY SHARE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'the session has no device', HINT = 'Log in again.';
	END IF;
	-- A logout that was faster has taken the keys of such a device away; it never comes back.
	IF EXISTS (SELECT FROM roost_data.session s JOIN roost_data.device d ON d.id = s.device_id
		WHERE s.device_id = key_publish.device_id AND s.revoked_at IS NOT NULL AND d.client_id IS NULL)
	THEN
		RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'the session has ended', HINT = 'Log in again.';
	END IF;
	SELECT d.* INTO v_former FROM roost_data.key_device d WHERE d.device_id = key_publish.device_id FOR NO KEY UPDATE;
	v_known := EXISTS (SELECT FROM roost_data.key_device d WHERE d.account_id = actor_id AND d.identity_key = v_identity_key);
	v_number := v_former.number;
	IF v_number IS NULL THEN
		SELECT min(n) INTO v_number FROM generate_series(1, v_max) n
		WHERE NOT EXISTS (SELECT FROM roost_data.key_device d WHERE d.account_id = actor_id AND d.number = n);
		IF v_number IS NULL THEN
			RAISE EXCEPTION USING ERRCODE = '53400', MESSAGE = 'the account has too many devices with keys', DETAIL = format('It may have %s.', v_max),
				HINT = 'Remove one of them: GET /encryption/devices, DELETE /encryption/devices/:number.';
		END IF;
	END IF;
	PERFORM roost_internal.key_registration_note(actor_id, v_number, registration_id, v_identity_key);
	IF v_former.number IS NULL THEN
		INSERT INTO roost_data.key_device (account_id, number, device_id, registration_id, identity_key, signed_prekey_id, signed_prekey, signed_prekey_signature,
			kyber_prekey_id, kyber_prekey, kyber_prekey_signature, linked_at, signed_prekey_at, kyber_prekey_at, used_at)
		VALUES (actor_id, v_number, device_id, registration_id, v_identity_key, signed_prekey.id, v_signed_prekey, v_signed_prekey_signature,
			kyber_prekey.id, v_kyber_prekey, v_kyber_prekey_signature, v_now, v_now, v_now, v_now);
	ELSE
		UPDATE roost_data.key_device d SET registration_id = key_publish.registration_id, identity_key = v_identity_key,
			signed_prekey_id = signed_prekey.id, signed_prekey = v_signed_prekey, signed_prekey_signature = v_signed_prekey_signature,
			signed_prekey_at = CASE WHEN d.signed_prekey = v_signed_prekey THEN d.signed_prekey_at ELSE v_now END,
			kyber_prekey_id = kyber_prekey.id, kyber_prekey = v_kyber_prekey, kyber_prekey_signature = v_kyber_prekey_signature,
			kyber_prekey_at = CASE WHEN d.kyber_prekey = v_kyber_prekey THEN d.kyber_prekey_at ELSE v_now END,
			used_at = v_now
		WHERE d.account_id = actor_id AND d.number = v_number;
	END IF;
	IF v_former.number IS NULL OR v_former.identity_key <> v_identity_key OR v_former.registration_id <> key_publish.registration_id THEN
		PERFORM roost_internal.key_device_changed(actor_id, NOT v_known);
	END IF;
	IF v_former.identity_key <> v_identity_key THEN
		DELETE FROM roost_data.key_prekey p WHERE p.account_id = actor_id AND p.number = v_number;
	END IF;
	PERFORM roost_internal.key_prekey_store(actor_id, v_number, v_identity_key, prekeys, kyber_prekeys, true);
	RETURN roost_internal.key_status_of(device_id);
END
$$;
REVOKE ALL ON FUNCTION roost.key_publish(roost.id, roost.id, roost.key_registration_id, roost.key_base64, roost.key_signed_prekey_input, roost.key_signed_prekey_input, roost.key_prekey_input[], roost.key_signed_prekey_input[]) FROM PUBLIC;
COMMENT ON FUNCTION roost.key_publish(roost.id, roost.id, roost.key_registration_id, roost.key_base64, roost.key_signed_prekey_input, roost.key_signed_prekey_input, roost.key_prekey_input[], roost.key_signed_prekey_input[]) IS 'Publishes the keys of the device of the session: its identity key, a signed prekey, a Kyber prekey of last resort, and up to 100 one-time prekeys of each kind; in base64. What is given replaces what was there. Another identity key takes all one-time prekeys away, another identity key or registration id what waits for the device. Its contacts are told of a device that is new or was set up anew. 22023 not a key, or a signature that the identity key did not make; 23505 a device of this number had the registration id with another identity key: choose another; 53400 more than roost.key_device_max devices; 54000 too many one-time prekeys; 42501 the account is not active; 55000 the session has no device, or has ended. Nothing is stored on error.';
SELECT roost_internal.route('PUT', '/encryption/keys', 'roost.key_publish', limit_class => 'key');

CREATE OR REPLACE FUNCTION roost.key_prekey_add(actor_id roost.id, device_id roost.id, prekeys roost.key_prekey_input[] DEFAULT NULL, kyber_prekeys roost.key_signed_prekey_input[] DEFAULT NULL) RETURNS roost.key_status
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_device roost_data.key_device;
BEGIN
	SELECT d.* INTO v_device FROM roost_data.key_device d WHERE d.device_id = key_prekey_add.device_id AND d.account_id = actor_id FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', MESSAGE = 'the device has no keys', HINT = 'Publish them first: PUT /encryption/keys.';
	END IF;
	PERFORM roost_internal.key_prekey_store(actor_id, v_device.number, v_device.identity_key, prekeys, kyber_prekeys, false);
	PERFORM roost_internal.key_device_used(device_id);
	RETURN roost_internal.key_status_of(device_id);
END
$$;
REVOKE ALL ON FUNCTION roost.key_prekey_add(roost.id, roost.id, roost.key_prekey_input[], roost.key_signed_prekey_input[]) FROM PUBLIC;
COMMENT ON FUNCTION roost.key_prekey_add(roost.id, roost.id, roost.key_prekey_input[], roost.key_signed_prekey_input[]) IS 'Adds one-time prekeys to those of the device of the session, up to 100 of each kind at once and roost.key_prekey_max in all. An id that waits to be handed out gets the new key. 22023 not a key, a wrong signature or an id twice; 54000 too many; P0002 the device has published no keys. Nothing is stored on error.';
SELECT roost_internal.route('POST', '/encryption/prekeys', 'roost.key_prekey_add', limit_class => 'key');

CREATE OR REPLACE FUNCTION roost.key_status(actor_id roost.id, device_id roost.id) RETURNS roost.key_status
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_status roost.key_status;
BEGIN
	PERFORM FROM roost_data.key_device d WHERE d.device_id = key_status.device_id AND d.account_id = actor_id;
	IF FOUND THEN
		PERFORM roost_internal.key_device_used(device_id);
		v_status := roost_internal.key_status_of(device_id);
	END IF;
	-- Perhaps it was unlinked meanwhile.
	IF v_status.device IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', MESSAGE = 'the device has no keys', HINT = 'Publish them: PUT /encryption/keys.';
	END IF;
	RETURN v_status;
END
$$;
REVOKE ALL ON FUNCTION roost.key_status(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.key_status(roost.id, roost.id) IS 'What the server has of the keys of the device of the session, and how many one-time prekeys are left. P0002 the device has published none, or was unlinked.';
SELECT roost_internal.route('GET', '/encryption/keys', 'roost.key_status', limit_class => 'default');

CREATE OR REPLACE FUNCTION roost.key_device_list(actor_id roost.id, device_id roost.id DEFAULT NULL) RETURNS SETOF roost.key_own_device
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT d.number::integer, d.device_id::roost.id, e.name, e.platform, d.registration_id, roost_internal.key_base64(d.identity_key), d.linked_at, d.used_at,
		d.device_id IS NOT DISTINCT FROM key_device_list.device_id
	FROM roost_data.key_device d JOIN roost_data.device e ON e.id = d.device_id
	WHERE d.account_id = actor_id ORDER BY d.number;
END
$$;
REVOKE ALL ON FUNCTION roost.key_device_list(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.key_device_list(roost.id, roost.id) IS 'The actor''s devices with keys, by number; device_id is marked as current.';
SELECT roost_internal.route('GET', '/encryption/devices', 'roost.key_device_list');

CREATE OR REPLACE FUNCTION roost.key_device_unlink(actor_id roost.id, number roost.key_device_number) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.audit_actor(actor_id, 'roost.key_device_unlink');
	PERFORM FROM roost_data.account a WHERE a.id = actor_id FOR NO KEY UPDATE;
	DELETE FROM roost_data.key_device d WHERE d.account_id = actor_id AND d.number = key_device_unlink.number;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'number', MESSAGE = 'the device does not exist';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.key_device_unlink(roost.id, roost.key_device_number) FROM PUBLIC;
COMMENT ON FUNCTION roost.key_device_unlink(roost.id, roost.key_device_number) IS 'Takes away the keys of one of the actor''s devices and what waits for it, and has its contacts told. Its session goes on; it may publish keys again. P0002 no such device.';
SELECT roost_internal.route('DELETE', '/encryption/devices/:number', 'roost.key_device_unlink', limit_class => 'key', status => 204);

CREATE OR REPLACE FUNCTION roost_internal.key_device_unlinked() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.key_device_changed(OLD.account_id, false);
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.key_device_unlinked() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_device_unlinked() IS 'Row trigger of roost_data.key_device: has the contacts of a device told whose keys are gone. What waits for it goes with another one, roost_internal.envelope_device_change().';

CREATE OR REPLACE FUNCTION roost_internal.key_device_session() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	DELETE FROM roost_data.key_device d USING roost_data.device e
	WHERE d.device_id = NEW.device_id AND e.id = d.device_id AND e.client_id IS NULL;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.key_device_session() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_device_session() IS 'Row trigger of roost_data.session: a device that has no name of its own (client_id) never comes back when its session has ended, so its keys go with it. Other devices keep theirs until they are removed.';
