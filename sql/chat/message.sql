-- Writing, changing and deleting messages.
--
-- Locks, in this order: the accounts (roost_internal.account_hold), the pair of
-- a direct conversation (roost_internal.block_refuse), the turn and the row of
-- the conversation.  Whoever holds that row is alone: it takes ids in the order in
-- which they can be seen, and finds every earlier message with its client_id.

CREATE OR REPLACE FUNCTION roost_internal.message_find(
	actor_id bigint,
	message_id bigint,
	INOUT conversation_id bigint DEFAULT NULL,
	field text DEFAULT 'message_id',
	OUT kind roost.conversation_kind,
	OUT role roost.member_role,
	OUT sender_id bigint
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	SELECT m.conversation_id, c.kind, m.role, x.sender_id
	INTO message_find.conversation_id, message_find.kind, message_find.role, message_find.sender_id
	FROM roost_data.conversation_member m
	JOIN roost_data.message x ON x.conversation_id = m.conversation_id AND x.id = message_find.message_id
	JOIN roost_data.conversation c ON c.id = m.conversation_id
	WHERE m.account_id = actor_id AND (m.conversation_id & 1023) = (message_find.message_id & 1023)
		AND (message_find.conversation_id IS NULL OR m.conversation_id = message_find.conversation_id)
		AND x.id > greatest(m.since_id, m.cleared_id)
		AND (x.expires_at IS NULL OR x.expires_at > roost_internal.clock_now())
		AND NOT EXISTS (SELECT FROM roost_data.message_hidden h
			WHERE h.conversation_id = m.conversation_id AND h.account_id = actor_id AND h.message_id = x.id)
		AND (c.kind = 'direct' OR x.action IS NOT NULL OR NOT roost_internal.is_blocked(actor_id, x.sender_id));
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = field, MESSAGE = 'the message does not exist';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.message_find(bigint, bigint, bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.message_find(bigint, bigint, bigint, text) IS 'The conversation that a message is in, what kind it is, the actor''s role there, and who wrote it. It is looked for in the actor''s conversations with the bucket of its id, or in the one that is given. P0002, with the name of the field that named it, if there is none that the actor can see: written since it joined, not deleted by it, not expired, and in a group not by somebody with a block between them.';

CREATE OR REPLACE FUNCTION roost_internal.message_counts(sender_id bigint, conversation_id bigint, message_ids bigint[],
	OUT recipients integer[], OUT delivered integer[], OUT read integer[])
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v_blocks constant boolean := roost_internal.has_blocks(sender_id);
BEGIN
	-- Each member is looked at once, however many messages there are: it says
	-- from which place on it counts, and to which it has got and read them.
	WITH place AS MATERIALIZED (
		SELECT width_bucket(m.since_id, message_ids) + 1 AS since, width_bucket(m.delivered_id, message_ids) + 1 AS delivered,
			width_bucket(m.receipt_id, message_ids) + 1 AS read
		FROM roost_data.conversation_member m
		WHERE m.conversation_id = message_counts.conversation_id AND m.account_id <> message_counts.sender_id
			AND NOT (v_blocks AND roost_internal.is_blocked(message_counts.sender_id, m.account_id))
	), step AS (
		SELECT p.since AS n, 1 AS recipients, (p.delivered > p.since)::integer AS delivered, (p.read > p.since)::integer AS read FROM place p
		UNION ALL SELECT p.delivered, 0, -1, 0 FROM place p WHERE p.delivered > p.since
		UNION ALL SELECT p.read, 0, 0, -1 FROM place p WHERE p.read > p.since
		UNION ALL SELECT g.n, 0, 0, 0 FROM generate_series(1, cardinality(message_ids)) g (n)
	)
	SELECT array_agg(t.recipients ORDER BY t.n), array_agg(t.delivered ORDER BY t.n), array_agg(t.read ORDER BY t.n)
	INTO message_counts.recipients, message_counts.delivered, message_counts.read
	FROM (SELECT s.n, sum(sum(s.recipients)) OVER w AS recipients, sum(sum(s.delivered)) OVER w AS delivered, sum(sum(s.read)) OVER w AS read
		FROM step s GROUP BY s.n WINDOW w AS (ORDER BY s.n)) t;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.message_counts(bigint, bigint, bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.message_counts(bigint, bigint, bigint[]) IS 'To how many members of a group messages of one sender went (those of today who were there when it was written, without the sender and those with a block between them), how many of them have got and read each: at the places of message_ids, which ascend.';

CREATE OR REPLACE FUNCTION roost_internal.message_row(viewer_id bigint, conversation_id bigint, message_ids bigint[], at timestamptz DEFAULT NULL) RETURNS SETOF roost.message
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v_viewer_id constant bigint := nullif(viewer_id, 0);
	v_now constant timestamptz := roost_internal.clock_now();
	v_direct boolean;
	v_after bigint;
	v_receipts boolean;
	v_other_since bigint;
	v_other_delivered bigint;
	v_other_read bigint;
	v_own bigint[];
	v_recipients integer[];
	v_delivered integer[];
	v_read integer[];
BEGIN
	SELECT c.kind = 'direct', greatest(m.since_id, m.cleared_id),
		NOT EXISTS (SELECT FROM roost_data.chat_setting s WHERE s.account_id = v_viewer_id AND NOT s.read_receipts)
	INTO v_direct, v_after, v_receipts
	FROM roost_data.conversation c
	LEFT JOIN roost_data.conversation_member m ON m.conversation_id = c.id AND m.account_id = v_viewer_id
	WHERE c.id = message_row.conversation_id;
	IF v_viewer_id IS NULL THEN
		NULL;
	ELSIF v_direct THEN
		SELECT o.since_id, o.delivered_id, o.receipt_id INTO v_other_since, v_other_delivered, v_other_read
		FROM roost_data.conversation_member o WHERE o.conversation_id = message_row.conversation_id AND o.account_id <> v_viewer_id;
	ELSE
		SELECT array_agg(x.id ORDER BY x.id) INTO v_own FROM roost_data.message x
		WHERE x.conversation_id = message_row.conversation_id AND x.id = ANY (message_ids) AND x.sender_id = v_viewer_id AND x.action IS NULL;
		IF v_own IS NOT NULL THEN
			SELECT t.recipients, t.delivered, t.read INTO v_recipients, v_delivered, v_read
			FROM roost_internal.message_counts(v_viewer_id, message_row.conversation_id, v_own) t;
		END IF;
	END IF;
	RETURN QUERY
	SELECT x.id::roost.id, x.conversation_id::roost.id,
		CASE WHEN a.id IS NOT NULL THEN ROW(a.id, a.username, a.display_name, a.avatar_url)::roost.author END,
		x.text, x.media, x.encrypted, x.action,
		CASE WHEN x.target_id IS NOT NULL THEN roost_internal.author(x.target_id) END,
		x.detail,
		-- Not everybody who is told of an answer in a group may see what it answers.
		CASE WHEN x.reply_to_id IS NOT NULL THEN (
			SELECT ROW(y.id, roost_internal.author(y.sender_id), CASE WHEN v_direct OR v_viewer_id IS NOT NULL THEN left(y.text, 200) END,
				y.encrypted, y.created_at, y.deleted_at)::roost.message_embed
			FROM roost_data.message y
			WHERE y.conversation_id = x.conversation_id AND y.id = x.reply_to_id AND (y.expires_at IS NULL OR y.expires_at > v_now)
				AND (v_viewer_id IS NULL OR y.id > v_after
					AND NOT EXISTS (SELECT FROM roost_data.message_hidden h
						WHERE h.conversation_id = y.conversation_id AND h.account_id = v_viewer_id AND h.message_id = y.id)
					AND (v_direct OR NOT roost_internal.is_blocked(v_viewer_id, y.sender_id)))) END,
		x.forwarded,
		ARRAY(SELECT ROW(r.reaction, count(*), coalesce(bool_or(r.account_id = v_viewer_id), false))::roost.message_reaction
			FROM roost_data.message_reaction r
			WHERE r.conversation_id = x.conversation_id AND r.message_id = x.id
				AND (v_direct OR v_viewer_id IS NULL OR NOT roost_internal.is_blocked(v_viewer_id, r.account_id))
			GROUP BY r.reaction ORDER BY min(r.created_at), r.reaction),
		CASE WHEN o.recipients IS NULL THEN NULL
			WHEN v_receipts AND o.read = o.recipients AND o.recipients > 0 THEN 'read'
			WHEN o.delivered = o.recipients AND o.recipients > 0 THEN 'delivered'
			ELSE 'sent' END::roost.message_state,
		o.delivered, CASE WHEN v_receipts THEN o.read END,
		CASE WHEN x.sender_id = v_viewer_id THEN x.client_id END,
		x.created_at, x.edited_at, x.deleted_at, x.expires_at, x.id
	FROM unnest(message_ids) WITH ORDINALITY i (id, n)
	JOIN roost_data.message x ON x.conversation_id = message_row.conversation_id AND x.id = i.id
	LEFT JOIN roost_data.account a ON a.id = x.sender_id AND a.status <> 'deleted'
	LEFT JOIN LATERAL (
		SELECT CASE WHEN v_direct THEN coalesce(v_other_since < x.id, false)::integer ELSE v_recipients[width_bucket(x.id, v_own)] END AS recipients,
			CASE WHEN v_direct THEN coalesce(v_other_delivered >= x.id, false)::integer ELSE v_delivered[width_bucket(x.id, v_own)] END AS delivered,
			CASE WHEN v_direct THEN coalesce(v_other_read >= x.id, false)::integer ELSE v_read[width_bucket(x.id, v_own)] END AS read
		) o ON x.sender_id = v_viewer_id AND x.action IS NULL
	WHERE x.expires_at IS NULL OR x.expires_at > coalesce(message_row.at, v_now)
	ORDER BY i.n;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.message_row(bigint, bigint, bigint[], timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.message_row(bigint, bigint, bigint[], timestamptz) IS 'Messages of a conversation as the viewer sees them, in the order of their ids; those that are gone are left out, or, with at, those that had disappeared by then: who has looked for ids a moment ago gets them all. That the viewer may see them is for the caller to know; what they answer is shown only if it may see that, too. Viewer 0 or null: as events tell them to everybody: without state, counters and client_id; the text of what is answered is shown in direct conversations only.';

CREATE OR REPLACE FUNCTION roost_internal.message_plain(viewer_id bigint, conversation_id bigint, message_id bigint, other_id bigint DEFAULT NULL, at timestamptz DEFAULT NULL) RETURNS roost.message
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v_message roost.message;
	v_other_since boolean;
BEGIN
	SELECT x.id, x.conversation_id, CASE WHEN a.id IS NOT NULL THEN ROW(a.id, a.username, a.display_name, a.avatar_url)::roost.author END,
		x.text, x.media, x.encrypted, x.forwarded, x.created_at, x.edited_at, x.deleted_at, x.expires_at, x.id, '{}',
		CASE WHEN x.sender_id = viewer_id THEN x.client_id END,
		CASE WHEN x.sender_id = viewer_id THEN coalesce(o.delivered_id >= x.id, false)::integer END,
		CASE WHEN x.sender_id = viewer_id AND NOT EXISTS (SELECT FROM roost_data.chat_setting s WHERE s.account_id = viewer_id AND NOT s.read_receipts)
			THEN coalesce(o.receipt_id >= x.id, false)::integer END,
		o.since_id < x.id
	INTO v_message.id, v_message.conversation_id, v_message.sender, v_message.text, v_message.media, v_message.encrypted, v_message.forwarded,
		v_message.created_at, v_message.edited_at, v_message.deleted_at, v_message.expires_at, v_message.cursor, v_message.reactions,
		v_message.client_id, v_message.delivered_count, v_message.read_count, v_other_since
	FROM roost_data.message x
	LEFT JOIN roost_data.account a ON a.id = x.sender_id AND a.status <> 'deleted'
	LEFT JOIN roost_data.conversation_member o ON o.conversation_id = message_plain.conversation_id AND o.account_id = other_id
	WHERE x.conversation_id = message_plain.conversation_id AND x.id = message_plain.message_id AND x.action IS NULL AND x.reply_to_id IS NULL
		AND (x.expires_at IS NULL OR x.expires_at > coalesce(message_plain.at, roost_internal.clock_now()))
		AND NOT EXISTS (SELECT FROM roost_data.message_reaction r WHERE r.conversation_id = message_plain.conversation_id AND r.message_id = message_plain.message_id);
	v_message.state := CASE WHEN v_message.delivered_count IS NULL THEN NULL
		WHEN v_other_since AND v_message.read_count = 1 THEN 'read'
		WHEN v_other_since AND v_message.delivered_count = 1 THEN 'delivered'
		ELSE 'sent' END;
	RETURN v_message;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.message_plain(bigint, bigint, bigint, bigint, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.message_plain(bigint, bigint, bigint, bigint, timestamptz) IS 'What roost_internal.message_row() says of most messages, at a fraction of the cost: of one that answers none, tells of nothing that was done, and has no reactions; of others it is null. To its sender it says what other_id, the other one of a direct conversation, has got of it (null: nobody yet, it is new); without a viewer it is neutral. at as there.';

CREATE OR REPLACE FUNCTION roost_internal.message_text_check(text text, INOUT media jsonb, OUT normal text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_max constant integer := current_setting('roost.message_max_length');
BEGIN
	normal := roost_internal.post_text_normal(text, false);
	media := nullif(media, '[]');
	IF char_length(normal) > v_max THEN
		RAISE EXCEPTION USING ERRCODE = '22001', COLUMN = 'text', MESSAGE = 'the text is too long',
			DETAIL = format('It has %s characters; %s are allowed.', char_length(normal), v_max);
	ELSIF normal IS NULL OR roost_internal.text_is_blank(normal) THEN
		normal := NULL;
		IF media IS NULL THEN
			RAISE EXCEPTION USING ERRCODE = '23514', COLUMN = 'text', MESSAGE = 'the message is empty', HINT = 'Give a text or media.';
		END IF;
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.message_text_check(text, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.message_text_check(text, jsonb) IS 'Text (in NFC) and media as they are stored: null where there is none. 22001 the text is too long, 23514 there is neither.';

CREATE OR REPLACE FUNCTION roost_internal.message_turn(actor_id bigint, other_id bigint, conversation_id bigint) RETURNS boolean
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_chat_message_turn';
REVOKE ALL ON FUNCTION roost_internal.message_turn(bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.message_turn(bigint, bigint, bigint) IS 'Holds the actor and, if there is one, the other account of a direct conversation (roost_internal.account_hold) and keeps blocks between them out (block_refuse); then takes the turn to write in the conversation (conversation_turn). False, without the turn, if one of them has blocked the other.';

CREATE OR REPLACE FUNCTION roost_internal.message_hold(actor_id bigint, conversation_id bigint, OUT encrypted boolean, OUT expire_after integer, OUT after bigint, OUT role roost.member_role)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_direct boolean;
	v_other_id bigint;
	v_there boolean;
	v_active boolean;
	v_open boolean;
BEGIN
	SELECT c.kind = 'direct', CASE WHEN c.kind = 'direct' THEN
		(SELECT o.account_id FROM roost_data.conversation_member o WHERE o.conversation_id = c.id AND o.account_id <> actor_id) END
	INTO v_direct, v_other_id
	FROM roost_data.conversation_member m JOIN roost_data.conversation c ON c.id = m.conversation_id
	WHERE m.conversation_id = message_hold.conversation_id AND m.account_id = actor_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'conversation_id', MESSAGE = 'the conversation does not exist';
	ELSIF NOT roost_internal.message_turn(actor_id, v_other_id, conversation_id) THEN
		RAISE EXCEPTION USING ERRCODE = '42501', COLUMN = 'account_id', MESSAGE = 'not allowed',
			DETAIL = 'One of the two accounts has blocked the other.';
	END IF;
	SELECT c.encryption = 'e2ee', c.expire_after INTO message_hold.encrypted, message_hold.expire_after
	FROM roost_data.conversation c WHERE c.id = message_hold.conversation_id FOR NO KEY UPDATE;
	-- Perhaps it had to wait, and is a member no more.  The last two are what is nearly always so; else the longer way.
	SELECT greatest(m.since_id, m.cleared_id), m.role, a.status = 'active', o.status = 'active', o.message_policy = 'everyone' AND a.limited_at IS NULL
	INTO message_hold.after, message_hold.role, v_there, v_active, v_open
	FROM roost_data.account a
	LEFT JOIN roost_data.conversation_member m ON m.conversation_id = message_hold.conversation_id AND m.account_id = a.id
	LEFT JOIN roost_data.account o ON o.id = v_other_id
	WHERE a.id = actor_id;
	IF v_there IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'the account is not active';
	ELSIF message_hold.role IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'conversation_id', MESSAGE = 'the conversation does not exist';
	ELSIF v_direct AND (v_active IS NOT TRUE OR v_open IS NOT TRUE AND NOT roost_internal.direct_open(actor_id, v_other_id, conversation_id)) THEN
		RAISE EXCEPTION USING ERRCODE = '42501', COLUMN = 'conversation_id', MESSAGE = 'not allowed',
			DETAIL = 'The other account takes no messages from this one.';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.message_hold(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.message_hold(bigint, bigint) IS 'Holds a conversation that the actor is to write in, until the end of the transaction: no other message, change or leave comes between, and no block of the two of a direct one. Says whether it is encrypted, after which time messages disappear (seconds), and the actor''s role; it sees messages with ids above after. P0002 the actor is no member, 42501 it is not active, or the other one of a direct conversation has nothing to do with it, or is suspended or gone.';

CREATE OR REPLACE FUNCTION roost_internal.message_add(
	actor_id bigint,
	conversation_id bigint,
	encrypted boolean,
	text text DEFAULT NULL,
	media jsonb DEFAULT NULL,
	reply_to_id bigint DEFAULT NULL,
	client_id text DEFAULT NULL,
	forwarded boolean DEFAULT false,
	OUT id bigint,
	OUT added boolean
)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET jit = off -- the planner takes client_id for less rare than it is
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v_hold record;
	v_created_at timestamptz;
	v_same boolean;
BEGIN
	v_hold := roost_internal.message_hold(actor_id, message_add.conversation_id);
	IF client_id IS NOT NULL THEN
		SELECT x.id, x.encrypted = message_add.encrypted AND (x.encrypted OR x.edited_at IS NOT NULL OR x.deleted_at IS NOT NULL
			OR (x.text, x.media, x.reply_to_id, x.forwarded) IS NOT DISTINCT FROM (message_add.text, message_add.media, message_add.reply_to_id, message_add.forwarded))
		INTO message_add.id, v_same
		FROM (SELECT m.* FROM roost_data.message m
			WHERE ((hashint8(m.conversation_id)::bigint << 32) | (hashtextextended(m.client_id, m.sender_id) & 4294967295))
				= ((hashint8(message_add.conversation_id)::bigint << 32) | (hashtextextended(message_add.client_id COLLATE "C", actor_id) & 4294967295))
				AND m.client_id = message_add.client_id
			OFFSET 0) x -- by that index
		WHERE x.sender_id = actor_id AND x.conversation_id = message_add.conversation_id
			AND (x.expires_at IS NULL OR x.expires_at > roost_internal.clock_now());
		IF FOUND THEN
			IF NOT v_same THEN
				RAISE EXCEPTION USING ERRCODE = '23505', COLUMN = 'client_id', MESSAGE = 'another message has this client_id';
			END IF;
			added := false;
			RETURN;
		END IF;
	END IF;
	IF v_hold.encrypted <> message_add.encrypted THEN
		RAISE EXCEPTION USING ERRCODE = '55000', COLUMN = CASE WHEN v_hold.encrypted THEN 'text' ELSE 'envelopes' END,
			MESSAGE = CASE WHEN v_hold.encrypted THEN 'the conversation is encrypted' ELSE 'the conversation is not encrypted' END;
	END IF;
	IF reply_to_id IS NOT NULL THEN
		PERFORM roost_internal.message_find(actor_id, reply_to_id, message_add.conversation_id, 'reply_to_id');
	END IF;
	id := roost_internal.id_next(message_add.conversation_id);
	v_created_at := roost.id_time(id);
	INSERT INTO roost_data.message (id, conversation_id, sender_id, reply_to_id, created_at, expires_at, encrypted, forwarded, text, media, client_id)
	VALUES (message_add.id, message_add.conversation_id, actor_id, message_add.reply_to_id, v_created_at,
		v_created_at + make_interval(secs => v_hold.expire_after), message_add.encrypted, message_add.forwarded,
		message_add.text, message_add.media, message_add.client_id);
	UPDATE roost_data.conversation c SET last_message_id = message_add.id WHERE c.id = message_add.conversation_id;
	added := true;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.message_add(bigint, bigint, boolean, text, jsonb, bigint, text, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.message_add(bigint, bigint, boolean, text, jsonb, bigint, text, boolean) IS 'Writes a message of the actor into a conversation, which is held from then on (roost_internal.message_hold, with its errors). text and media are as they are stored. added is false, and id that of the message that was made, if the actor has written one with this client_id there. 23505 that one has another content (of an encrypted message, or one that was changed since, that is not known), 55000 the conversation is encrypted, or is not, P0002 the message to answer is not in it, or not to be seen by the actor.';

CREATE OR REPLACE FUNCTION roost_internal.message_place(actor_id bigint, recipient_id roost.account_ref, INOUT conversation_id bigint, encrypted boolean DEFAULT false)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint;
BEGIN
	IF (recipient_id IS NULL) = (message_place.conversation_id IS NULL) THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'recipient_id', MESSAGE = 'one of recipient_id and conversation_id is needed';
	ELSIF recipient_id IS NOT NULL THEN
		v_account_id := roost_internal.account_resolve(recipient_id);
		SELECT d.conversation_id INTO message_place.conversation_id FROM roost_data.conversation_direct d
		WHERE d.low_id = least(actor_id, v_account_id) AND d.high_id = greatest(actor_id, v_account_id);
		IF NOT FOUND THEN
			message_place.conversation_id := roost_internal.conversation_direct(actor_id, v_account_id, CASE WHEN encrypted THEN 'e2ee' END::roost.conversation_encryption);
			PERFORM roost.response_status(201); -- the message is new, whoever has made the conversation
		END IF;
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.message_place(bigint, roost.account_ref, bigint, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.message_place(bigint, roost.account_ref, bigint, boolean) IS 'The conversation to write to: the one that is given, or the direct one with the recipient (an id or @name), which is made if there is none, encrypted or not. 22023 not one of both is given; for the rest see roost_internal.conversation_direct().';

CREATE OR REPLACE FUNCTION roost_internal.message_answer(actor_id bigint, conversation_id bigint, message_id bigint, added boolean DEFAULT NULL) RETURNS roost.message
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_message roost.message;
BEGIN
	-- It may disappear at this moment: what was done with it is answered nevertheless.
	IF added THEN
		v_message := roost_internal.message_plain(actor_id, conversation_id, message_id, NULL, '-infinity');
		IF v_message.id IS NOT NULL THEN
			RETURN v_message;
		END IF;
	ELSIF NOT added THEN
		PERFORM roost.response_status(200);
	END IF;
	SELECT * INTO v_message FROM roost_internal.message_row(actor_id, conversation_id, ARRAY[message_id], '-infinity');
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'message_id', MESSAGE = 'the message does not exist';
	END IF;
	RETURN v_message;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.message_answer(bigint, bigint, bigint, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.message_answer(bigint, bigint, bigint, boolean) IS 'A message as the actor sees it after what this transaction has done. added: whether it has just written it (null: it was changed); if not, the status of the answer is 200. P0002 it was deleted meanwhile.';

CREATE OR REPLACE FUNCTION roost.message_create(
	actor_id roost.id,
	recipient_id roost.account_ref DEFAULT NULL,
	conversation_id roost.id DEFAULT NULL,
	text roost.message_text DEFAULT NULL,
	media roost.post_media DEFAULT NULL,
	reply_to_id roost.id DEFAULT NULL,
	client_id roost.message_client_id DEFAULT NULL,
	envelopes roost.envelope_input[] DEFAULT NULL,
	content roost.envelope_content DEFAULT NULL,
	devices_version roost.devices_version DEFAULT NULL,
	device_id roost.id DEFAULT NULL
) RETURNS roost.message
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_encrypted constant boolean := envelopes IS NOT NULL OR content IS NOT NULL;
	v_content record;
	v_conversation_id bigint;
	v_message record;
BEGIN
	IF NOT v_encrypted THEN
		v_content := roost_internal.message_text_check(text, media);
	ELSIF text IS NOT NULL OR media IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = CASE WHEN text IS NOT NULL THEN 'text' ELSE 'media' END,
			MESSAGE = 'an encrypted message has no text and no media', HINT = 'What it says is in its envelopes.';
	ELSE
		SELECT NULL::text AS normal, NULL::jsonb AS media INTO v_content;
	END IF;
	v_conversation_id := roost_internal.message_place(actor_id, recipient_id, conversation_id, v_encrypted);
	v_message := roost_internal.message_add(actor_id, v_conversation_id, v_encrypted, v_content.normal, v_content.media, reply_to_id, client_id);
	IF v_encrypted AND v_message.added THEN
		PERFORM roost_internal.envelope_store(actor_id, device_id, v_conversation_id, v_message.id, envelopes, content, devices_version);
	END IF;
	RETURN roost_internal.message_answer(actor_id, v_conversation_id, v_message.id, v_message.added);
END
$$;
REVOKE ALL ON FUNCTION roost.message_create(roost.id, roost.account_ref, roost.id, roost.message_text, roost.post_media, roost.id, roost.message_client_id, roost.envelope_input[], roost.envelope_content, roost.devices_version, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.message_create(roost.id, roost.account_ref, roost.id, roost.message_text, roost.post_media, roost.id, roost.message_client_id, roost.envelope_input[], roost.envelope_content, roost.devices_version, roost.id) IS
'Writes a message to a conversation, or to an account (an id or @name): their direct conversation is made if there is none. Its text has at most roost.message_max_length characters (after normalization to NFC) and may be left out if there is media. reply_to_id: a message of the same conversation that the actor sees. With a client_id that the actor has used in this conversation: changes nothing, and returns the message that was made (200). In an encrypted conversation: no text and media, but envelopes for all devices of its members but the one that sends (device_id), or a content for all with the devices_version that it was made for and envelopes for the devices that need more to open it. 22001 text too long, 22023 neither or both of recipient_id and conversation_id, 23505 the client_id belongs to a message with another content, 23514 empty, 42501 not allowed (a block, the message_policy of the other, an account that is not active), 55000 the conversation is encrypted, or is not, or the device that sends, or the other one of a direct conversation, has no keys, P0002 no such conversation, account or message to answer, ROMIS and 22023 (with the field) an envelope is not complete, or one too many, ROSTL the devices are others.';
SELECT roost_internal.route('POST', '/messages', 'roost.message_create', limit_class => 'message', status => 201, tags => '{chat}');
SELECT roost_internal.route('POST', '/conversations/:conversation_id/messages', 'roost.message_create', limit_class => 'message', status => 201, tags => '{chat}');
