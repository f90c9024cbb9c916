-- What goes with an account, and what it may take along.

CREATE OR REPLACE FUNCTION roost_internal.key_export(account_id bigint) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object('devices', coalesce((
		SELECT jsonb_agg(jsonb_build_object('device', d.number, 'device_id', d.device_id::text, 'registration_id', d.registration_id,
			'identity_key', roost_internal.key_base64(d.identity_key), 'linked_at', d.linked_at, 'used_at', d.used_at,
			'signed_prekey_id', d.signed_prekey_id, 'signed_prekey_at', d.signed_prekey_at, 'kyber_prekey_id', d.kyber_prekey_id, 'kyber_prekey_at', d.kyber_prekey_at,
			'prekey_count', roost_internal.key_prekey_count(d.account_id, d.number, false),
			'kyber_prekey_count', roost_internal.key_prekey_count(d.account_id, d.number, true)) ORDER BY d.number)
		FROM roost_data.key_device d WHERE d.account_id = $1), '[]'),
		'registrations', coalesce((
		SELECT jsonb_agg(jsonb_build_object('device', r.number, 'registration_id', r.registration_id,
			'identity_key', roost_internal.key_base64(r.identity_key), 'published_at', r.published_at) ORDER BY r.number, r.published_at, r.registration_id)
		FROM roost_data.key_registration r WHERE r.account_id = $1), '[]'))
$$;
REVOKE ALL ON FUNCTION roost_internal.key_export(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_export(bigint) IS 'The devices with keys of an account, and with which identity keys they were published before; the server has public keys only.';

CREATE OR REPLACE FUNCTION roost_internal.key_account_delete(account_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	DELETE FROM roost_data.key_device d WHERE d.account_id = key_account_delete.account_id;
	DELETE FROM roost_data.key_registration r WHERE r.account_id = key_account_delete.account_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.key_account_delete(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_account_delete(bigint) IS 'Removes the devices with keys of an account, their prekeys, what waits for them, and with which identity keys they were published.';

CREATE OR REPLACE FUNCTION roost_internal.key_conversation_hold(account_id bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id bigint;
BEGIN
	FOR v_id IN
		SELECT c.id FROM roost_data.conversation_member m JOIN roost_data.conversation c ON c.id = m.conversation_id AND c.encryption = 'e2ee'
		WHERE m.account_id = key_conversation_hold.account_id ORDER BY c.id
	LOOP
		-- The turn (roost_internal.conversation_turn), then the row.
		IF NOT pg_try_advisory_xact_lock(1919905657, hashint8(v_id)) THEN
			RETURN false;
		END IF;
		PERFORM FROM roost_data.conversation c WHERE c.id = v_id FOR NO KEY UPDATE SKIP LOCKED;
		IF NOT FOUND THEN
			RETURN false;
		END IF;
	END LOOP;
	RETURN true;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.key_conversation_hold(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_conversation_hold(bigint) IS 'Holds the encrypted conversations of an account, as who changes its devices does, but waits for nobody: false if somebody else holds one of them.';

CREATE OR REPLACE FUNCTION roost_internal.key_maintenance() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	c_most constant integer := 1000;
	v_until constant timestamptz := roost_internal.clock_now() - current_setting('roost.key_device_retention')::interval;
	v_device record;
	v_count bigint := 0;
BEGIN
	PERFORM roost_internal.audit_actor(NULL, 'roost.key_device_retention');
	FOR v_device IN SELECT d.account_id, d.number FROM roost_data.key_device d WHERE d.used_at < v_until ORDER BY d.used_at LIMIT c_most LOOP
		-- Who holds its account and waits for a conversation that is held here is not waited for.
		PERFORM FROM roost_data.account a WHERE a.id = v_device.account_id FOR NO KEY UPDATE SKIP LOCKED;
		CONTINUE WHEN NOT FOUND;
		-- Nor who holds one of its conversations, who may be waiting for another that is held here.
		CONTINUE WHEN NOT roost_internal.key_conversation_hold(v_device.account_id);
		DELETE FROM roost_data.key_device d WHERE d.account_id = v_device.account_id AND d.number = v_device.number AND d.used_at < v_until;
		IF FOUND THEN
			v_count := v_count + 1;
		END IF;
	END LOOP;
	RETURN v_count;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.key_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.key_maintenance() IS 'Unlinks devices that have published and fetched nothing for roost.key_device_retention, at most 1,000 at once, but for those of accounts that are just being changed, or have an encrypted conversation that is. Returns how many.';
