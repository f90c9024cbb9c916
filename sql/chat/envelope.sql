-- Encrypted conversations: envelopes for devices.
--
-- Whoever writes envelopes holds the row of the conversation, and so does who
-- links a device, sets it up anew or unlinks it, for all encrypted
-- conversations of its account: so the devices that a message was made for are
-- those that there are when it is stored.  After that row come, in the order of
-- their ids, envelopes, then what says that some were lost, and ciphertexts.

CREATE OR REPLACE FUNCTION roost_internal.envelope_device(account_id bigint, device_id bigint) RETURNS integer
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_number integer;
BEGIN
	SELECT d.number INTO v_number FROM roost_data.key_device d
	WHERE d.device_id = envelope_device.device_id AND d.account_id = envelope_device.account_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'this device has no keys', HINT = 'Publish them: PUT /encryption/keys.';
	END IF;
	RETURN v_number;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.envelope_device(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.envelope_device(bigint, bigint) IS 'The number of the device of a session among those of its account. 55000 it has published no keys, or was unlinked.';

CREATE OR REPLACE FUNCTION roost_internal.envelope_check(envelopes roost.envelope_input[]) RETURNS void
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_n bigint;
	v_field text;
BEGIN
	SELECT e.n - 1, CASE WHEN e.account_id IS NULL THEN 'account_id' WHEN e.device IS NULL THEN 'device'
		WHEN e.registration_id IS NULL THEN 'registration_id' WHEN e.type IS NULL THEN 'type' ELSE 'content' END
	INTO v_n, v_field
	FROM unnest(envelopes) WITH ORDINALITY e (account_id, device, registration_id, type, content, n)
	WHERE e.account_id IS NULL OR e.device IS NULL OR e.registration_id IS NULL OR e.type IS NULL OR e.content IS NULL
	ORDER BY e.n LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'ROMIS', COLUMN = format('envelopes[%s].%s', v_n, v_field), MESSAGE = format('"envelopes[%s].%s" is missing', v_n, v_field);
	END IF;
	SELECT max(e.n) - 1 INTO v_n
	FROM unnest(envelopes) WITH ORDINALITY e (account_id, device, registration_id, type, content, n)
	GROUP BY e.account_id, e.device HAVING count(*) > 1
	ORDER BY max(e.n) LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = format('envelopes[%s].device', v_n), MESSAGE = 'a device is given twice';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.envelope_check(roost.envelope_input[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.envelope_check(roost.envelope_input[]) IS 'Raises ROMIS unless every envelope is complete, 22023 unless each is for another device, with the name of the field: envelopes[3].content.';

CREATE OR REPLACE FUNCTION roost_internal.envelope_stale(sender_id bigint, number integer, conversation_id bigint, envelopes roost.envelope_input[],
	whole boolean, current boolean) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- What an answer may hold, about 70 bytes each.
	c_max constant integer := 2000;
	v_devices jsonb;
	v_current jsonb;
BEGIN
	WITH device AS (
		SELECT l.account_id, l.number, l.registration_id
		FROM roost_internal.key_conversation_device_list(conversation_id, sender_id) l
		WHERE (l.account_id, l.number) <> (sender_id, envelope_stale.number)
	), wrong AS (
		SELECT row_number() OVER (ORDER BY coalesce(d.account_id, e.account_id), coalesce(d.number, e.device)) AS n,
			CASE WHEN e.device IS NULL THEN 'missing' WHEN d.number IS NULL THEN 'extra' ELSE 'stale' END AS how,
			jsonb_strip_nulls(jsonb_build_object('account_id', coalesce(d.account_id, e.account_id)::text, 'device', coalesce(d.number, e.device),
				'registration_id', d.registration_id)) AS device
		FROM device d FULL JOIN unnest(envelopes) e ON e.account_id = d.account_id AND e.device = d.number
		WHERE e.device IS NULL AND whole OR d.number IS NULL OR e.registration_id <> d.registration_id
	)
	SELECT jsonb_build_object(
		'missing', coalesce(jsonb_agg(w.device ORDER BY w.n) FILTER (WHERE w.how = 'missing' AND w.n <= c_max), '[]'),
		'extra', coalesce(jsonb_agg(w.device ORDER BY w.n) FILTER (WHERE w.how = 'extra' AND w.n <= c_max), '[]'),
		'stale', coalesce(jsonb_agg(w.device ORDER BY w.n) FILTER (WHERE w.how = 'stale' AND w.n <= c_max), '[]'),
		'more', count(*) > c_max)
	INTO v_devices FROM wrong w;
	IF current THEN
		SELECT jsonb_agg(jsonb_build_object('account_id', l.account_id::text, 'device', l.number, 'registration_id', l.registration_id) ORDER BY l.account_id, l.number)
		INTO v_current FROM roost_internal.key_conversation_device_list(conversation_id, sender_id) l;
		v_devices := v_devices || jsonb_build_object('current', CASE WHEN jsonb_array_length(v_current) <= c_max THEN v_current END);
	END IF;
	PERFORM roost.problem_member('devices', v_devices || jsonb_build_object('devices_version', roost_internal.key_devices_version(conversation_id, sender_id)));
	RAISE EXCEPTION USING ERRCODE = 'ROSTL', COLUMN = CASE WHEN current THEN 'devices_version' ELSE 'envelopes' END,
		MESSAGE = 'the devices of the conversation are others', HINT = 'Encrypt for the devices that the member devices names, and send again.';
END
$$;
REVOKE ALL ON FUNCTION roost_internal.envelope_stale(bigint, integer, bigint, roost.envelope_input[], boolean, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.envelope_stale(bigint, integer, bigint, roost.envelope_input[], boolean, boolean) IS 'Raises ROSTL, and adds to the problem what is wrong with envelopes that a device (sender_id, number) made for a conversation: devices that are missing (whole: none may be), extra ones, stale ones (set up anew; with their registration_id), 2,000 in all (more: there would be others), the version of the list and, if that was wrong (current), the list itself with the device that sends, null if it is longer.';

CREATE OR REPLACE FUNCTION roost_internal.envelope_refuse("limit" roost.limit_state) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost.response_header('Retry-After', "limit".retry_after::text);
	RAISE EXCEPTION USING ERRCODE = 'RO429', MESSAGE = 'too much was sent in envelopes', DETAIL = format('Try again in %s s.', "limit".retry_after);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.envelope_refuse(roost.limit_state) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.envelope_refuse(roost.limit_state) IS 'Raises RO429, with Retry-After, for a limit of envelopes that is used up.';

CREATE OR REPLACE FUNCTION roost_internal.envelope_gap_add(account_id bigint, number integer, conversation_id bigint,
	envelopes bigint, messages bigint, since timestamptz, until timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- What is just being acknowledged goes with that; then this is another one.
	WITH former AS (
		DELETE FROM roost_data.envelope_gap g USING (
			SELECT o.id FROM roost_data.envelope_gap o
			WHERE o.account_id = envelope_gap_add.account_id AND o.number = envelope_gap_add.number
				AND o.conversation_id = envelope_gap_add.conversation_id FOR UPDATE SKIP LOCKED) old
		WHERE g.account_id = envelope_gap_add.account_id AND g.number = envelope_gap_add.number AND g.id = old.id
		RETURNING g.envelopes, g.messages, g.since, g.until
	)
	INSERT INTO roost_data.envelope_gap (account_id, number, id, conversation_id, envelopes, messages, since, until)
	SELECT envelope_gap_add.account_id, envelope_gap_add.number, roost_internal.id_next(envelope_gap_add.conversation_id), envelope_gap_add.conversation_id,
		least(envelope_gap_add.envelopes + coalesce(sum(f.envelopes), 0), 2147483647), least(envelope_gap_add.messages + coalesce(sum(f.messages), 0), 2147483647),
		least(envelope_gap_add.since, min(f.since)), greatest(envelope_gap_add.until, max(f.until))
	FROM former f;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.envelope_gap_add(bigint, integer, bigint, bigint, bigint, timestamptz, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.envelope_gap_add(bigint, integer, bigint, bigint, bigint, timestamptz, timestamptz) IS 'Notes that a device has lost envelopes of a conversation, of so many messages, sent since and until these times; adds what it has not acknowledged yet. Waits for nobody.';

CREATE OR REPLACE FUNCTION roost_internal.envelope_trim(account_id bigint, number integer) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- What one envelope holds at most: so many may wait whatever they hold.
	c_size constant integer := 65536;
	v_max constant bigint := current_setting('roost.envelope_max');
	v_max_size constant bigint := pg_size_bytes(current_setting('roost.envelope_max_size'));
	v_few constant bigint := least(v_max, v_max_size / c_size);
	v_ids bigint[];
	v_count bigint;
	v_size bigint;
	v_lost record;
BEGIN
	IF (SELECT count(*) <= v_few FROM (SELECT FROM roost_data.message_envelope e
		WHERE e.account_id = envelope_trim.account_id AND e.number = envelope_trim.number LIMIT v_few + 1) t)
	THEN
		RETURN 0;
	END IF;
	SELECT count(*), sum(coalesce(octet_length(e.content), octet_length(c.content), 0)) INTO v_count, v_size
	FROM roost_data.message_envelope e
	LEFT JOIN roost_data.message_ciphertext c ON e.content IS NULL AND c.message_id = e.message_id
	WHERE e.account_id = envelope_trim.account_id AND e.number = envelope_trim.number;
	IF v_count <= v_max AND v_size <= v_max_size THEN
		RETURN 0;
	END IF;
	-- The newest one of each sender comes first, then the second of each, and so
	-- on: what is beyond the limit is of those that have sent the most.  A tenth
	-- less than may wait is left, so that this need not be done each time.
	v_ids := ARRAY(SELECT t.id FROM (
		SELECT s.id, row_number() OVER (ORDER BY s.n, s.id DESC) AS n, sum(s.size) OVER (ORDER BY s.volume, s.id DESC) AS volume
		FROM (
			SELECT w.id, w.size, row_number() OVER (PARTITION BY w.sender_id ORDER BY w.id DESC) AS n, sum(w.size) OVER (PARTITION BY w.sender_id ORDER BY w.id DESC) AS volume
			FROM (
				SELECT e.id, e.sender_id, coalesce(octet_length(e.content), octet_length(c.content), 0) AS size
				FROM roost_data.message_envelope e
				LEFT JOIN roost_data.message_ciphertext c ON e.content IS NULL AND c.message_id = e.message_id
				WHERE e.account_id = envelope_trim.account_id AND e.number = envelope_trim.number
			) w
		) s
	) t
	WHERE v_count > v_max AND t.n > v_max - v_max / 10 OR v_size > v_max_size AND t.volume > v_max_size - v_max_size / 10);
	-- What is just being acknowledged goes with that.  Ciphertexts that nothing waits for any more are left to maintenance.
	v_count := 0;
	FOR v_lost IN
		WITH gone AS (
			DELETE FROM roost_data.message_envelope e USING (
				SELECT o.id FROM roost_data.message_envelope o
				WHERE o.account_id = envelope_trim.account_id AND o.number = envelope_trim.number AND o.id = ANY (v_ids) FOR UPDATE SKIP LOCKED) old
			WHERE e.account_id = envelope_trim.account_id AND e.number = envelope_trim.number AND e.id = old.id
			RETURNING e.conversation_id, e.message_id, e.created_at
		)
		SELECT g.conversation_id, count(*) AS envelopes, count(DISTINCT g.message_id) AS messages, min(g.created_at) AS since, max(g.created_at) AS until
		FROM gone g GROUP BY g.conversation_id
	LOOP
		PERFORM roost_internal.envelope_gap_add(account_id, number, v_lost.conversation_id, v_lost.envelopes, v_lost.messages, v_lost.since, v_lost.until);
		v_count := v_count + v_lost.envelopes;
	END LOOP;
	RETURN v_count;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.envelope_trim(bigint, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.envelope_trim(bigint, integer) IS 'Deletes what waits for a device beyond roost.envelope_max and roost.envelope_max_size: the oldest envelopes of the senders of which the most waits there, and notes that for the device (roost_internal.envelope_gap_add). Returns how many. Waits for nobody.';

CREATE OR REPLACE FUNCTION roost_internal.envelope_store(sender_id bigint, device_id bigint, conversation_id bigint, message_id bigint,
	envelopes roost.envelope_input[], content bytea DEFAULT NULL, devices_version text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_number constant smallint := roost_internal.envelope_device(sender_id, device_id);
	v_now constant timestamptz := roost_internal.clock_now();
	v_whole constant boolean := message_id IS NOT NULL AND content IS NULL;
	v_accounts bigint[];
	v_numbers smallint[];
	v_registrations integer[];
	-- How often to look whether too much waits for a device: each time that a twentieth of what may wait has come, on average.
	v_often constant float8 := 20.0 / current_setting('roost.envelope_max')::integer;
	v_often_byte constant float8 := 20.0 / pg_size_bytes(current_setting('roost.envelope_max_size'));
	v_limit roost.limit_state;
	v_id bigint;
BEGIN
	PERFORM roost_internal.envelope_check(envelopes);
	IF content IS NULL AND devices_version IS NOT NULL OR content IS NOT NULL AND devices_version IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'devices_version', MESSAGE = 'content and devices_version go together';
	END IF;
	IF devices_version <> roost_internal.key_devices_version(conversation_id, sender_id) THEN
		PERFORM roost_internal.envelope_stale(sender_id, v_number, conversation_id, envelopes, false, true);
	END IF;
	SELECT coalesce(array_agg(l.account_id), '{}'), array_agg(l.number), array_agg(l.registration_id) INTO v_accounts, v_numbers, v_registrations
	FROM roost_internal.key_conversation_device_list(conversation_id, sender_id) l
	WHERE (l.account_id, l.number) <> (sender_id, v_number);
	IF message_id IS NOT NULL AND sender_id = ALL (v_accounts)
		AND (SELECT c.kind = 'direct' FROM roost_data.conversation c WHERE c.id = envelope_store.conversation_id)
	THEN
		RAISE EXCEPTION USING ERRCODE = '55000', COLUMN = 'conversation_id', MESSAGE = 'the other account has no keys',
			DETAIL = 'Nobody could read this message.';
	END IF;
	IF cardinality(envelopes) > 0 OR v_whole THEN
		PERFORM FROM unnest(v_accounts, v_numbers, v_registrations) d (account_id, number, registration_id)
		FULL JOIN unnest(envelopes) e ON e.account_id = d.account_id AND e.device = d.number
		WHERE e.device IS NULL AND v_whole OR d.number IS NULL OR e.registration_id <> d.registration_id
		LIMIT 1;
		IF FOUND THEN
			PERFORM roost_internal.envelope_stale(sender_id, v_number, conversation_id, envelopes, v_whole, false);
		END IF;
	END IF;
	-- What waits is kept for weeks: nobody may fill the disk with it.
	v_limit := roost.limit_hit('envelope_size', sender_id, cost => least(1000000,
		(SELECT coalesce(sum(octet_length(e.content)), 0) + coalesce(octet_length(envelope_store.content), 0) + 1023 FROM unnest(envelopes) e) / 1024)::integer);
	IF NOT v_limit.allowed THEN
		PERFORM roost_internal.envelope_refuse(v_limit);
	END IF;
	-- Ids are taken while the conversation is held: those of its envelopes
	-- ascend in the order in which they can be seen.  All devices may have the
	-- same; what a device needs for a ciphertext comes before it.
	IF cardinality(envelopes) > 0 THEN
		v_id := roost_internal.id_next(conversation_id);
		INSERT INTO roost_data.message_envelope (account_id, number, id, conversation_id, message_id, sender_id, sender_number, kind, content, created_at)
		SELECT e.account_id, e.device, v_id, envelope_store.conversation_id, envelope_store.message_id, envelope_store.sender_id, v_number, e.type, e.content, v_now
		FROM unnest(envelopes) e;
		PERFORM roost_internal.envelope_trim(e.account_id, e.device) FROM unnest(envelopes) e
		WHERE random() < v_often + v_often_byte * octet_length(e.content);
	END IF;
	IF content IS NOT NULL AND cardinality(v_accounts) > 0 THEN
		v_id := roost_internal.id_next(conversation_id);
		INSERT INTO roost_data.message_ciphertext (message_id, content) VALUES (envelope_store.message_id, envelope_store.content);
		INSERT INTO roost_data.message_envelope (account_id, number, id, conversation_id, message_id, sender_id, sender_number, kind, created_at)
		SELECT d.account_id, d.number, v_id, envelope_store.conversation_id, envelope_store.message_id, envelope_store.sender_id, v_number, 7, v_now
		FROM unnest(v_accounts, v_numbers) d (account_id, number);
		PERFORM roost_internal.envelope_trim(d.account_id, d.number) FROM unnest(v_accounts, v_numbers) d (account_id, number)
		WHERE random() < v_often + v_often_byte * octet_length(content);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.envelope_store(bigint, bigint, bigint, bigint, roost.envelope_input[], bytea, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.envelope_store(bigint, bigint, bigint, bigint, roost.envelope_input[], bytea, text) IS 'Stores envelopes in a conversation that the caller holds, from the device of the sender''s session. Of a message there must be one for each device of each member but the one that sends (not of members with a block between them and the sender); or one ciphertext (content) for all, made for devices_version, and envelopes for those devices only that need more to open it. Without a message (message_id null) they may be for some devices. Errors: ROSTL the devices are others, 22023 and ROMIS with the field, 55000 the device, or the other one of a direct conversation, has no keys, RO429 the sender has sent too much (limit envelope_size).';

CREATE OR REPLACE FUNCTION roost.envelope_send(actor_id roost.id, device_id roost.id, conversation_id roost.id, envelopes roost.envelope_input[]) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_told constant bigint[] := ARRAY(SELECT DISTINCT e.account_id::bigint FROM unnest(envelopes) e ORDER BY 1);
	v_limit roost.limit_state;
BEGIN
	IF cardinality(envelopes) > 1000 THEN
		RAISE EXCEPTION USING ERRCODE = '54000', COLUMN = 'envelopes', MESSAGE = 'too many envelopes at once', DETAIL = 'Up to 1000.';
	END IF;
	IF NOT (roost_internal.message_hold(actor_id, conversation_id)).encrypted THEN
		RAISE EXCEPTION USING ERRCODE = '55000', COLUMN = 'conversation_id', MESSAGE = 'the conversation is not encrypted';
	END IF;
	PERFORM roost_internal.envelope_store(actor_id, device_id, conversation_id, NULL, envelopes);
	-- Each is told by a row of its own: a thousand in one request are not one request.
	v_limit := roost.limit_hit('envelope', actor_id, cost => cardinality(v_told) / 10);
	IF NOT v_limit.allowed THEN
		PERFORM roost_internal.envelope_refuse(v_limit);
	END IF;
	PERFORM roost_internal.feed_tell('envelope_created', actor_id, t, conversation_id) FROM unnest(v_told) t;
END
$$;
REVOKE ALL ON FUNCTION roost.envelope_send(roost.id, roost.id, roost.id, roost.envelope_input[]) FROM PUBLIC;
COMMENT ON FUNCTION roost.envelope_send(roost.id, roost.id, roost.id, roost.envelope_input[]) IS 'Sends envelopes that are no message to some devices of an encrypted conversation, up to 1,000 at once: keys of a group, requests to repeat. They wait as those of messages do; who gets some is told. ROSTL a device is not among those of the conversation, or was set up anew; 22023 a device is given twice; 42501 not allowed, as for messages; 55000 this device has no keys, or the conversation is not encrypted; P0002 the actor is no member, RO429 too much (a unit of the limit envelope more for every ten accounts).';
SELECT roost_internal.route('POST', '/encryption/envelopes', 'roost.envelope_send', limit_class => 'envelope', status => 204);

CREATE OR REPLACE FUNCTION roost.envelope_list(actor_id roost.id, device_id roost.id, "limit" integer DEFAULT 50, after roost.cursor DEFAULT NULL) RETURNS SETOF roost.envelope
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_number constant smallint := roost_internal.envelope_device(actor_id, device_id);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_now constant timestamptz := roost_internal.clock_now();
BEGIN
	PERFORM roost_internal.key_device_used(device_id);
	RETURN QUERY
	(SELECT e.id::roost.id, e.conversation_id::roost.id, e.message_id::roost.id, e.sender_id::roost.id, e.sender_number::integer, e.kind::integer,
		roost_internal.key_base64(coalesce(e.content, c.content)), e.created_at, NULL::roost.envelope_gap
	FROM roost_data.message_envelope e
	LEFT JOIN roost_data.message_ciphertext c ON e.content IS NULL AND c.message_id = e.message_id
	WHERE e.account_id = actor_id AND e.number = v_number AND e.id > v_after
		-- Nor when the message was deleted, and who was acknowledging this at that moment has failed.
		AND (e.message_id IS NULL OR EXISTS (SELECT FROM roost_data.message m
			WHERE m.conversation_id = e.conversation_id AND m.id = e.message_id AND (m.expires_at IS NULL OR m.expires_at > v_now)))
	ORDER BY e.id
	LIMIT "limit")
	UNION ALL
	(SELECT g.id::roost.id, g.conversation_id::roost.id, NULL::roost.id, NULL::roost.id, NULL, 0, NULL, roost.id_time(g.id), ROW(g.envelopes, g.messages, g.since, g.until)::roost.envelope_gap
	FROM roost_data.envelope_gap g
	WHERE g.account_id = actor_id AND g.number = v_number AND g.id > v_after
	ORDER BY g.id
	LIMIT "limit")
	ORDER BY 1
	LIMIT "limit";
END
$$;
REVOKE ALL ON FUNCTION roost.envelope_list(roost.id, roost.id, integer, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.envelope_list(roost.id, roost.id, integer, roost.cursor) IS 'What waits for the device of the session, oldest first; it waits until it is acknowledged, or its message disappears. What was lost before the device fetched it, because it waited longer than roost.envelope_retention or too much waited, is said by an item of type 0 for each conversation (lost), which is acknowledged as the others are. after only turns the page: begin without it each time, because conversations do not wait for each other, and something older may come later. 55000 the device has no keys.';
SELECT roost_internal.route('GET', '/encryption/envelopes', 'roost.envelope_list');

CREATE OR REPLACE FUNCTION roost_internal.envelope_delivered(account_id bigint, number integer, conversation_id bigint, message_id bigint) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- How far to look for what still waits: mostly nothing does.
	c_max constant integer := 1000;
	v_waits bigint;
	v_count bigint;
BEGIN
	SELECT min(q.message_id) FILTER (WHERE q.conversation_id = envelope_delivered.conversation_id), count(*) INTO v_waits, v_count
	FROM (SELECT e.conversation_id, e.message_id FROM roost_data.message_envelope e
		WHERE e.account_id = envelope_delivered.account_id AND e.number = envelope_delivered.number ORDER BY e.id LIMIT c_max) q;
	IF v_waits IS NULL THEN
		v_waits := CASE WHEN v_count < c_max THEN 9223372036854775807 ELSE message_id + 1 END;
	END IF;
	RETURN (SELECT max(m.id) FROM roost_data.message m WHERE m.conversation_id = envelope_delivered.conversation_id AND m.id < v_waits);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.envelope_delivered(bigint, integer, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.envelope_delivered(bigint, integer, bigint, bigint) IS 'Up to which message of a conversation a device has everything, when it has acknowledged message_id: to the one before the first that still waits for it, or to the newest.';

CREATE OR REPLACE FUNCTION roost_internal.ciphertext_sweep(message_ids bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- Those whose end is near are looked at one after the other: of two that
	-- go at once, each before it sees the other go, the second one is the last.
	c_near constant integer := 100;
	v_ids constant bigint[] := ARRAY(SELECT t.id FROM unnest(message_ids) t (id)
		WHERE (SELECT count(*) FROM (SELECT FROM roost_data.message_envelope e
			WHERE coalesce(e.message_id, e.id) = t.id AND e.content IS NULL LIMIT c_near + 1) l) <= c_near
		ORDER BY 1);
	v_id bigint;
BEGIN
	FOREACH v_id IN ARRAY v_ids LOOP
		PERFORM FROM roost_data.message_ciphertext c WHERE c.message_id = v_id FOR UPDATE;
		DELETE FROM roost_data.message_ciphertext c
		WHERE c.message_id = v_id AND NOT EXISTS (SELECT FROM roost_data.message_envelope e WHERE coalesce(e.message_id, e.id) = v_id AND e.content IS NULL);
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.ciphertext_sweep(bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.ciphertext_sweep(bigint[]) IS 'Deletes the ciphertexts of messages for which no envelope waits any more. Call it after the envelopes were deleted.';

CREATE OR REPLACE FUNCTION roost.envelope_ack(actor_id roost.id, device_id roost.id, ids roost.id[] DEFAULT NULL,
	conversation_id roost.id DEFAULT NULL, up_to roost.id DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_number constant smallint := roost_internal.envelope_device(actor_id, device_id);
	v_ids bigint[];
	v_shared bigint[];
	v_conversations bigint[];
	v_messages bigint[];
BEGIN
	IF (ids IS NULL) = (up_to IS NULL) OR (up_to IS NULL) <> (conversation_id IS NULL) THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = CASE WHEN up_to IS NULL THEN 'ids' ELSE 'up_to' END,
			MESSAGE = 'either ids, or up_to with conversation_id is needed';
	ELSIF cardinality(ids) > 1000 THEN
		RAISE EXCEPTION USING ERRCODE = '54000', COLUMN = 'ids', MESSAGE = 'too many ids at once', DETAIL = 'Up to 1000.';
	END IF;
	PERFORM roost_internal.account_hold(actor_id); -- which goes the other way round, from members to envelopes, when it is deleted
	-- Whoever deletes several does it in the order of their ids.
	IF ids IS NOT NULL THEN
		v_ids := ARRAY(SELECT e.id FROM roost_data.message_envelope e
			WHERE e.account_id = actor_id AND e.number = v_number AND e.id = ANY (ids::bigint[]) ORDER BY e.id FOR UPDATE);
	ELSE
		v_ids := ARRAY(SELECT e.id FROM roost_data.message_envelope e
			WHERE e.account_id = actor_id AND e.number = v_number AND e.id <= up_to AND e.conversation_id = envelope_ack.conversation_id ORDER BY e.id FOR UPDATE);
	END IF;
	-- Not those before up_to: unlike envelopes, such a one may come after the device has asked.
	DELETE FROM roost_data.envelope_gap g WHERE g.account_id = actor_id AND g.number = v_number
		AND (g.id = ANY (ids::bigint[]) OR g.id = up_to AND g.conversation_id = envelope_ack.conversation_id);
	WITH gone AS (
		DELETE FROM roost_data.message_envelope e WHERE e.account_id = actor_id AND e.number = v_number AND e.id = ANY (v_ids)
		RETURNING e.conversation_id, e.message_id, e.content IS NULL AS shared
	), last AS (
		SELECT g.conversation_id, max(g.message_id) AS message_id FROM gone g WHERE g.message_id IS NOT NULL GROUP BY g.conversation_id
	)
	SELECT (SELECT array_agg(g.message_id) FROM gone g WHERE g.shared), array_agg(l.conversation_id ORDER BY l.conversation_id), array_agg(l.message_id ORDER BY l.conversation_id)
	INTO v_shared, v_conversations, v_messages FROM last l;
	PERFORM roost_internal.ciphertext_sweep(v_shared) WHERE v_shared IS NOT NULL;
	FOR i IN 1 .. coalesce(cardinality(v_conversations), 0) LOOP
		PERFORM roost_internal.receipt_mark(actor_id, v_conversations[i],
			roost_internal.envelope_delivered(actor_id, v_number, v_conversations[i], v_messages[i]));
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION roost.envelope_ack(roost.id, roost.id, roost.id[], roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.envelope_ack(roost.id, roost.id, roost.id[], roost.id, roost.id) IS 'The device of the session has got envelopes and kept what they say: those with these ids (up to 1,000; ids of others are passed over), or those of a conversation up to one; also what says that some were lost, if its own id is given. They are deleted, and messages count as delivered up to the first whose envelope still waits for this device. 22023 not one of both, 54000 too many, 55000 the device has no keys.';
SELECT roost_internal.route('POST', '/encryption/envelopes/ack', 'roost.envelope_ack', limit_class => 'default', status => 204);

CREATE OR REPLACE FUNCTION roost_internal.envelope_drop(conversation_id bigint, message_ids bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM FROM roost_data.message_envelope e
	WHERE coalesce(e.message_id, e.id) = ANY (message_ids) AND e.conversation_id = envelope_drop.conversation_id
	ORDER BY e.id FOR UPDATE;
	DELETE FROM roost_data.message_envelope e
	WHERE coalesce(e.message_id, e.id) = ANY (message_ids) AND e.conversation_id = envelope_drop.conversation_id;
	DELETE FROM roost_data.message_ciphertext c WHERE c.message_id = ANY (message_ids);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.envelope_drop(bigint, bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.envelope_drop(bigint, bigint[]) IS 'Deletes what waits of messages that were deleted for everyone: envelopes, and ciphertexts.';

CREATE OR REPLACE FUNCTION roost_internal.envelope_sweep(message_ids bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	DELETE FROM roost_data.message_envelope e USING (
		SELECT o.account_id, o.number, o.id FROM roost_data.message_envelope o
		WHERE coalesce(o.message_id, o.id) = ANY (message_ids) FOR UPDATE SKIP LOCKED) old
	WHERE e.account_id = old.account_id AND e.number = old.number AND e.id = old.id;
	DELETE FROM roost_data.message_ciphertext c USING (
		SELECT o.message_id FROM roost_data.message_ciphertext o WHERE o.message_id = ANY (message_ids) FOR UPDATE SKIP LOCKED) old
	WHERE c.message_id = old.message_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.envelope_sweep(bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.envelope_sweep(bigint[]) IS 'Deletes what waits of messages of several conversations, for maintenance: it waits for nobody, because who acknowledges envelopes holds them in another order; these go with that.';

CREATE OR REPLACE FUNCTION roost_internal.envelope_unlink(account_id bigint, number integer) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_shared bigint[];
BEGIN
	PERFORM FROM roost_data.message_envelope e
	WHERE e.account_id = envelope_unlink.account_id AND e.number = envelope_unlink.number
	ORDER BY e.id FOR UPDATE;
	DELETE FROM roost_data.envelope_gap g WHERE g.account_id = envelope_unlink.account_id AND g.number = envelope_unlink.number;
	WITH gone AS (
		DELETE FROM roost_data.message_envelope e
		WHERE e.account_id = envelope_unlink.account_id AND e.number = envelope_unlink.number
		RETURNING e.message_id, e.content IS NULL AS shared
	)
	SELECT array_agg(g.message_id) INTO v_shared FROM gone g WHERE g.shared;
	PERFORM roost_internal.ciphertext_sweep(v_shared) WHERE v_shared IS NOT NULL;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.envelope_unlink(bigint, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.envelope_unlink(bigint, integer) IS 'Deletes what waits for a device, and what says that it has lost something.';

CREATE OR REPLACE FUNCTION roost_internal.envelope_device_change() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id constant bigint := CASE TG_OP WHEN 'INSERT' THEN NEW.account_id ELSE OLD.account_id END;
	v_id bigint;
BEGIN
	-- With the turn, as everybody who holds them: the account may just be deleted, and leave them in the same transaction.
	FOREACH v_id IN ARRAY ARRAY(
		SELECT c.id FROM roost_data.conversation_member m JOIN roost_data.conversation c ON c.id = m.conversation_id AND c.encryption = 'e2ee'
		WHERE m.account_id = v_account_id ORDER BY c.id)
	LOOP
		PERFORM roost_internal.conversation_turn(v_id);
		PERFORM FROM roost_data.conversation c WHERE c.id = v_id FOR NO KEY UPDATE;
	END LOOP;
	-- Also before a new one: encryption may have been turned on while the former
	-- one of this number went, of a conversation that it did not wait for.
	PERFORM roost_internal.envelope_unlink(v_account_id, CASE TG_OP WHEN 'INSERT' THEN NEW.number ELSE OLD.number END);
	RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.envelope_device_change() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.envelope_device_change() IS 'BEFORE trigger of roost_data.key_device: a device that is linked, set up anew or unlinked waits for messages that are being sent, and they for it; what waited for the former one goes, because nobody can open it any more.';

CREATE OR REPLACE FUNCTION roost_internal.envelope_event(kind roost.feed_kind, id bigint, account_id bigint, conversation_id bigint, message_id bigint, target_id bigint) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN jsonb_build_object('conversation_id', conversation_id::text, 'message_id', message_id::text);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.envelope_event(roost.feed_kind, bigint, bigint, bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.envelope_event(roost.feed_kind, bigint, bigint, bigint, bigint, bigint) IS 'What the log says of envelopes that are no message, as JSON: in which conversation; who gets it fetches.';

CREATE OR REPLACE FUNCTION roost_internal.envelope_maintenance() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	c_batch constant integer := 10000;
	c_batches constant integer := 20;
	v_until constant bigint := roost_internal.id_floor(roost_internal.clock_now() - current_setting('roost.envelope_retention')::interval);
	v_deleted bigint;
	v_count bigint := 0;
	v_lost record;
BEGIN
	FOR i IN 1 .. c_batches LOOP
		-- What is just being acknowledged is left to that.
		v_deleted := 0;
		FOR v_lost IN
			WITH gone AS (
				DELETE FROM roost_data.message_envelope e USING (
					SELECT o.account_id, o.number, o.id FROM roost_data.message_envelope o
					WHERE coalesce(o.message_id, o.id) < v_until
					ORDER BY coalesce(o.message_id, o.id) LIMIT c_batch FOR UPDATE SKIP LOCKED) old
				WHERE e.account_id = old.account_id AND e.number = old.number AND e.id = old.id
				RETURNING e.account_id, e.number, e.conversation_id, e.message_id, e.created_at
			)
			SELECT g.account_id, g.number, g.conversation_id, count(*) AS envelopes, count(DISTINCT g.message_id) AS messages,
				min(g.created_at) AS since, max(g.created_at) AS until
			FROM gone g GROUP BY g.account_id, g.number, g.conversation_id
		LOOP
			PERFORM roost_internal.envelope_gap_add(v_lost.account_id, v_lost.number, v_lost.conversation_id, v_lost.envelopes, v_lost.messages, v_lost.since, v_lost.until);
			v_deleted := v_deleted + v_lost.envelopes;
		END LOOP;
		v_count := v_count + v_deleted;
		EXIT WHEN v_deleted < c_batch;
	END LOOP;
	-- Those for devices that were unlinked just when a conversation came to be encrypted, or their account to be in it:
	-- who unlinked them did not wait for that.  From each device the index leads to the next.
	WITH RECURSIVE device AS (
		(SELECT e.account_id, e.number FROM roost_data.message_envelope e ORDER BY e.account_id, e.number LIMIT 1)
		UNION ALL
		SELECT n.account_id, n.number FROM device d CROSS JOIN LATERAL (
			SELECT e.account_id, e.number FROM roost_data.message_envelope e
			WHERE (e.account_id, e.number) > (d.account_id, d.number) ORDER BY e.account_id, e.number LIMIT 1) n
	)
	DELETE FROM roost_data.message_envelope e USING (
		SELECT o.account_id, o.number, o.id FROM device d JOIN roost_data.message_envelope o ON o.account_id = d.account_id AND o.number = d.number
		WHERE NOT EXISTS (SELECT FROM roost_data.key_device k WHERE k.account_id = d.account_id AND k.number = d.number)
		FOR UPDATE OF o SKIP LOCKED) old
	WHERE e.account_id = old.account_id AND e.number = old.number AND e.id = old.id;
	GET DIAGNOSTICS v_deleted = ROW_COUNT;
	v_count := v_count + v_deleted;
	DELETE FROM roost_data.envelope_gap g USING (
		SELECT o.account_id, o.number, o.id FROM roost_data.envelope_gap o
		WHERE NOT EXISTS (SELECT FROM roost_data.key_device k WHERE k.account_id = o.account_id AND k.number = o.number)
		FOR UPDATE SKIP LOCKED) old
	WHERE g.account_id = old.account_id AND g.number = old.number AND g.id = old.id;
	-- Those of which the last envelope went unseen, too.
	DELETE FROM roost_data.message_ciphertext c USING (
		SELECT o.message_id FROM roost_data.message_ciphertext o
		WHERE NOT EXISTS (SELECT FROM roost_data.message_envelope e WHERE coalesce(e.message_id, e.id) = o.message_id AND e.content IS NULL)
		LIMIT c_batch FOR UPDATE SKIP LOCKED) old
	WHERE c.message_id = old.message_id;
	RETURN v_count;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.envelope_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.envelope_maintenance() IS 'Deletes envelopes that have waited longer than roost.envelope_retention, at most 200,000 at once, and notes that for their devices (roost_internal.envelope_gap_add); and those for devices that are no more, and ciphertexts for which none waits. Returns how many envelopes.';
