-- Conversations: holding one, the direct one of two accounts, how one looks,
-- and what the log says of them.
--
-- Locks, in this order: accounts (account_hold, own_hold), pairs
-- (block_refuse), conversations (conversation_turn, then the row:
-- conversation_hold), members.

CREATE OR REPLACE FUNCTION roost_internal.conversation_turn(conversation_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- The lock of a row ends when its transaction can be seen, a moment before its events are handed over; this one ends after that.
	PERFORM pg_advisory_xact_lock(1919905657, hashint8(conversation_id));
END
$$;
REVOKE ALL ON FUNCTION roost_internal.conversation_turn(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.conversation_turn(bigint) IS 'Waits for the others that write into a conversation, and keeps them waiting until this transaction has handed over its events: so the log has the messages of a conversation in the order of their ids. Whoever adds messages calls it right before holding the row of the conversation.';

CREATE OR REPLACE FUNCTION roost_internal.conversation_hold(actor_id bigint, conversation_id bigint,
	OUT id bigint, OUT kind roost.conversation_kind, OUT encryption roost.conversation_encryption, OUT title text, OUT description text,
	OUT avatar_url text, OUT created_by bigint, OUT created_at timestamptz, OUT expire_after integer, OUT member_count integer, OUT last_message_id bigint)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- Asked before, so that no stranger holds up a conversation; and after, for who has left meanwhile.
	PERFORM FROM roost_data.conversation_member m WHERE m.conversation_id = conversation_hold.conversation_id AND m.account_id = actor_id;
	IF FOUND THEN
		PERFORM roost_internal.conversation_turn(conversation_id);
		SELECT c.id, c.kind, c.encryption, c.title, c.description, c.avatar_url, c.created_by, c.created_at, c.expire_after, c.member_count, c.last_message_id
		INTO id, kind, encryption, title, description, avatar_url, created_by, created_at, expire_after, member_count, last_message_id
		FROM roost_data.conversation c WHERE c.id = conversation_hold.conversation_id FOR NO KEY UPDATE;
		PERFORM FROM roost_data.conversation_member m WHERE m.conversation_id = conversation_hold.conversation_id AND m.account_id = actor_id;
	END IF;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'conversation_id', MESSAGE = 'the conversation does not exist';
	ELSIF NOT EXISTS (SELECT FROM roost_data.account a WHERE a.id = actor_id AND a.status = 'active') THEN
		RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'the account is not active';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.conversation_hold(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.conversation_hold(bigint, bigint) IS 'Holds a conversation until the end of the transaction, and returns its row: nobody else writes to it, joins or leaves. Every change of a conversation, its members and messages begins with it; accounts are held before. P0002 unless the actor is a member, 42501 unless it is active.';

CREATE OR REPLACE FUNCTION roost_internal.message_system(conversation_id bigint, actor_id bigint, action roost.message_action,
	target_id bigint DEFAULT NULL, detail jsonb DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := roost_internal.id_next(conversation_id);
BEGIN
	INSERT INTO roost_data.message (id, conversation_id, sender_id, action, target_id, detail, created_at)
	VALUES (v_id, message_system.conversation_id, actor_id, message_system.action, message_system.target_id, message_system.detail, roost_internal.clock_now());
	UPDATE roost_data.conversation c SET last_message_id = v_id WHERE c.id = message_system.conversation_id;
	RETURN v_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.message_system(bigint, bigint, roost.message_action, bigint, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.message_system(bigint, bigint, roost.message_action, bigint, jsonb) IS 'Writes into a conversation, which the caller holds, what was done: the actor did this to target_id; detail says more. Such messages are never encrypted. Returns the id of the message.';

CREATE OR REPLACE FUNCTION roost_internal.direct_open(actor_id bigint, account_id bigint, conversation_id bigint) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- First what is nearly always so.
	RETURN roost_internal.may_message(actor_id, account_id)
		OR EXISTS (SELECT FROM roost_data.message m
			WHERE m.conversation_id = direct_open.conversation_id AND m.sender_id = direct_open.account_id AND m.action IS NULL);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.direct_open(bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.direct_open(bigint, bigint, bigint) IS 'Whether an account takes messages from the actor: by its message_policy, or because it has written to the actor in their conversation (null: there is none).';

CREATE OR REPLACE FUNCTION roost_internal.direct_refuse(actor_id bigint, account_id bigint, conversation_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM FROM roost_data.account a WHERE a.id = direct_refuse.account_id AND a.status = 'active';
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'account_id', MESSAGE = 'the account does not exist';
	END IF;
	PERFORM roost_internal.block_refuse(ARRAY[actor_id], ARRAY[account_id]);
	IF NOT roost_internal.direct_open(actor_id, account_id, conversation_id) THEN
		RAISE EXCEPTION USING ERRCODE = '42501', COLUMN = 'account_id', MESSAGE = 'not allowed',
			DETAIL = 'The account takes messages only from those that its message_policy allows.';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.direct_refuse(bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.direct_refuse(bigint, bigint, bigint) IS 'Raises P0002 if the account is not active, 42501 if one of the two has blocked the other (and keeps blocks between them out until the end of the transaction) or it takes no messages from the actor.';

CREATE OR REPLACE FUNCTION roost_internal.conversation_send_refuse(actor_id bigint, conversation_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_other_id bigint;
BEGIN
	PERFORM FROM roost_data.conversation_member m JOIN roost_data.conversation c ON c.id = m.conversation_id AND c.kind = 'direct'
	WHERE m.conversation_id = conversation_send_refuse.conversation_id AND m.account_id = actor_id;
	IF FOUND THEN
		SELECT m.account_id INTO v_other_id FROM roost_data.conversation_member m
		WHERE m.conversation_id = conversation_send_refuse.conversation_id AND m.account_id <> actor_id;
		PERFORM roost_internal.direct_refuse(actor_id, v_other_id, conversation_id);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.conversation_send_refuse(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.conversation_send_refuse(bigint, bigint) IS 'Raises an error unless the actor may write to the conversation, if it is a member. To be called before the conversation is held. In a direct one P0002 the other is gone or suspended, 42501 a block or its message_policy is against it. Who is in a group may write.';

CREATE OR REPLACE FUNCTION roost_internal.direct_find(actor_id bigint, account_id bigint) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (SELECT d.conversation_id FROM roost_data.conversation_direct d
		WHERE d.low_id = least(actor_id, account_id) AND d.high_id = greatest(actor_id, account_id));
END
$$;
REVOKE ALL ON FUNCTION roost_internal.direct_find(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.direct_find(bigint, bigint) IS 'The direct conversation of two accounts; null if there is none.';

CREATE OR REPLACE FUNCTION roost_internal.conversation_direct(actor_id bigint, account_id bigint,
	encryption roost.conversation_encryption DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id bigint := roost_internal.direct_find(actor_id, account_id);
	v_now constant timestamptz := roost_internal.clock_now();
BEGIN
	IF account_id = actor_id THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'account_id', MESSAGE = 'an account has no conversation with itself';
	END IF;
	IF v_id IS NULL THEN
		PERFORM roost_internal.pair_exist(actor_id, account_id);
	END IF;
	PERFORM roost_internal.direct_refuse(actor_id, account_id, v_id);
	IF v_id IS NOT NULL THEN
		RETURN v_id;
	END IF;
	IF encryption = 'e2ee' THEN
		PERFORM roost_internal.key_need(actor_id, account_id, 'account_id');
	END IF;
	v_id := roost_internal.id_next();
	INSERT INTO roost_data.conversation_direct (low_id, high_id, conversation_id)
	VALUES (least(actor_id, account_id), greatest(actor_id, account_id), v_id) ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN
		-- The other one, or another device, has just begun it.
		PERFORM roost.response_status(200);
		RETURN roost_internal.direct_find(actor_id, account_id);
	END IF;
	INSERT INTO roost_data.conversation (id, kind, encryption, created_by, created_at, member_count)
	VALUES (v_id, 'direct', coalesce(conversation_direct.encryption, 'none'), actor_id, v_now, 2);
	INSERT INTO roost_data.conversation_member (conversation_id, account_id, joined_at)
	VALUES (v_id, actor_id, v_now), (v_id, conversation_direct.account_id, v_now);
	PERFORM roost_internal.feed_tell('conversation_created', actor_id, v_id, v_id);
	RETURN v_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.conversation_direct(bigint, bigint, roost.conversation_encryption) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.conversation_direct(bigint, bigint, roost.conversation_encryption) IS 'The direct conversation of two accounts, for the actor to write to: made if there is none, with this encryption (none). One a pair, whoever asks at once; if somebody else was faster the status of the answer is 200. 22023 oneself, P0002 no such account, 42501 a block or the message_policy of the account is against it; who has been written to may answer; 55000 it is to be encrypted, and one of the two has no keys.';

CREATE OR REPLACE FUNCTION roost_internal.has_blocks(account_id bigint) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN EXISTS (SELECT FROM roost_data.account_block b WHERE b.account_id = has_blocks.account_id)
		OR EXISTS (SELECT FROM roost_data.account_block b WHERE b.blocked_id = has_blocks.account_id);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.has_blocks(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.has_blocks(bigint) IS 'Whether an account has blocked somebody, or somebody it.';

CREATE OR REPLACE FUNCTION roost_internal.unread_count(viewer_id bigint, conversation_id bigint, after_id bigint, blocks boolean, at_most integer DEFAULT 1000) RETURNS integer
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
BEGIN
	RETURN (SELECT count(*) FROM (
		SELECT FROM roost_data.message m
		WHERE m.conversation_id = unread_count.conversation_id AND m.id > after_id
			AND m.sender_id <> viewer_id AND m.action IS NULL AND m.deleted_at IS NULL
			AND (m.expires_at IS NULL OR m.expires_at > v_now)
			AND NOT (blocks AND roost_internal.is_blocked(viewer_id, m.sender_id))
			AND NOT EXISTS (SELECT FROM roost_data.message_hidden h
				WHERE h.conversation_id = unread_count.conversation_id AND h.account_id = viewer_id AND h.message_id = m.id)
		ORDER BY m.id DESC
		LIMIT at_most) t);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.unread_count(bigint, bigint, bigint, boolean, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.unread_count(bigint, bigint, bigint, boolean, integer) IS 'How many messages after after_id others have written for the viewer to see, counted up to at_most. What tells of joining and the like does not count. blocks: there are authors that it has a block with (in a group).';

CREATE OR REPLACE FUNCTION roost_internal.message_last(viewer_id bigint, conversation_id bigint, after_id bigint, blocks boolean) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
BEGIN
	RETURN (SELECT m.id FROM roost_data.message m
		WHERE m.conversation_id = message_last.conversation_id AND m.id > after_id
			AND (m.expires_at IS NULL OR m.expires_at > v_now)
			AND NOT (blocks AND m.action IS NULL AND roost_internal.is_blocked(viewer_id, m.sender_id))
			AND NOT EXISTS (SELECT FROM roost_data.message_hidden h
				WHERE h.conversation_id = message_last.conversation_id AND h.account_id = viewer_id AND h.message_id = m.id)
		ORDER BY m.id DESC
		LIMIT 1);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.message_last(bigint, bigint, bigint, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.message_last(bigint, bigint, bigint, boolean) IS 'The newest message after after_id that the viewer sees; null if there is none. blocks as in roost_internal.unread_count().';

CREATE OR REPLACE FUNCTION roost_internal.conversation_row(viewer_id bigint, conversation_ids bigint[]) RETURNS SETOF roost.conversation
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_neutral constant boolean := coalesce(viewer_id, 0) = 0;
	v_blocks constant boolean := NOT v_neutral AND roost_internal.has_blocks(viewer_id);
	v_id bigint;
	v_other_id bigint;
	v_last_id bigint;
	v_own roost_data.conversation_member;
	v_from roost_data.conversation;
	v_last roost.message;
	v_row roost.conversation;
BEGIN
	FOREACH v_id IN ARRAY coalesce(conversation_ids, '{}') LOOP
		SELECT c.* INTO v_from FROM roost_data.conversation c WHERE c.id = v_id AND c.member_count > 0;
		CONTINUE WHEN NOT FOUND;
		v_row := NULL;
		v_row.id := v_id;
		v_row.kind := v_from.kind;
		v_row.encryption := v_from.encryption;
		v_row.title := v_from.title;
		v_row.description := v_from.description;
		v_row.avatar_url := nullif(v_from.avatar_url, '');
		v_row.created_at := v_from.created_at;
		v_row.member_count := v_from.member_count;
		v_row.expire_after := v_from.expire_after;
		v_row.members := ARRAY(
			SELECT ROW(a.id, a.username, a.display_name, a.avatar_url)::roost.author
			FROM (SELECT m.account_id FROM roost_data.conversation_member m
				WHERE m.conversation_id = v_id AND (v_neutral OR m.account_id <> viewer_id)
				ORDER BY m.account_id LIMIT 8) t
			JOIN roost_data.account a ON a.id = t.account_id
			ORDER BY a.id);
		IF NOT v_neutral THEN
			SELECT m.* INTO v_own FROM roost_data.conversation_member m WHERE m.conversation_id = v_id AND m.account_id = viewer_id;
			CONTINUE WHEN NOT FOUND;
			v_row.role := v_own.role;
			v_row.can_send := true;
			IF v_from.kind = 'direct' THEN
				v_other_id := (v_row.members[1]).id;
				-- First what is nearly always so.
				v_row.can_send := v_other_id IS NOT NULL AND roost_internal.may_message(viewer_id, v_other_id);
				IF NOT v_row.can_send AND v_other_id IS NOT NULL AND NOT roost_internal.is_blocked(viewer_id, v_other_id) THEN
					v_row.can_send := EXISTS (SELECT FROM roost_data.account a WHERE a.id = v_other_id AND a.status = 'active')
						AND roost_internal.direct_open(viewer_id, v_other_id, v_id);
				END IF;
			END IF;
			v_row.read_id := nullif(v_own.read_id, 0);
			v_row.unread_count := 0;
			IF v_from.last_message_id > greatest(v_own.read_id, v_own.since_id, v_own.cleared_id) THEN
				v_row.unread_count := roost_internal.unread_count(viewer_id, v_id, greatest(v_own.read_id, v_own.since_id, v_own.cleared_id),
					v_blocks AND v_from.kind = 'group');
			END IF;
			v_last_id := roost_internal.message_last(viewer_id, v_id, greatest(v_own.since_id, v_own.cleared_id), v_blocks AND v_from.kind = 'group');
			IF v_last_id IS NOT NULL THEN
				v_last := roost_internal.message_plain(viewer_id, v_id, v_last_id, CASE WHEN v_from.kind = 'direct' THEN v_other_id END, '-infinity');
				-- What a group has got of one's own message is another question.
				IF v_last.id IS NULL OR (v_last.state IS NOT NULL AND v_from.kind = 'group') THEN
					SELECT * INTO v_last FROM roost_internal.message_row(viewer_id, v_id, ARRAY[v_last_id], '-infinity');
				END IF;
				IF v_last.id IS NOT NULL THEN
					v_row.last_message := v_last;
				END IF;
			END IF;
			v_row.muted := roost_internal.member_muted(v_own.muted, v_own.muted_until);
			v_row.muted_until := CASE WHEN v_row.muted THEN v_own.muted_until END;
			v_row.archived := roost_internal.member_archived(v_own.archived_id, v_row.muted, v_from.last_message_id);
			v_row.pinned := v_own.pinned_at IS NOT NULL;
		END IF;
		RETURN NEXT v_row;
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.conversation_row(bigint, bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.conversation_row(bigint, bigint[]) IS 'Conversations as the viewer sees them, in the order of conversation_ids; those it is no member of are left out. Without a viewer (null, 0) neutral, for events: what depends on the reader is null, and members are any eight.';

CREATE OR REPLACE FUNCTION roost_internal.member_muted(muted boolean, muted_until timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN muted AND coalesce(muted_until > roost_internal.clock_now(), true);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.member_muted(boolean, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.member_muted(boolean, timestamptz) IS 'Whether a member has muted a conversation, and the time of that is not over.';

CREATE OR REPLACE FUNCTION roost_internal.member_archived(archived_id bigint, muted boolean, last_message_id bigint) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN archived_id IS NOT NULL AND (muted OR archived_id >= coalesce(last_message_id, 0));
END
$$;
REVOKE ALL ON FUNCTION roost_internal.member_archived(bigint, boolean, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.member_archived(bigint, boolean, bigint) IS 'Whether a conversation with this last message is in the archive of a member: it was put there, and nothing was written since, or it is muted.';

CREATE OR REPLACE FUNCTION roost_internal.conversation_told(kind roost.feed_kind, account_id bigint, conversation_id bigint,
	message_id bigint, target_id bigint, viewer_id bigint DEFAULT NULL) RETURNS bigint[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	v_conversation roost_data.conversation;
	v_told bigint[];
BEGIN
	IF kind IN ('conversation_settings', 'conversation_cleared') THEN
		RETURN ARRAY[account_id];
	END IF;
	SELECT c.* INTO v_conversation FROM roost_data.conversation c WHERE c.id = conversation_told.conversation_id;
	IF kind = 'conversation_created' AND v_conversation.kind = 'direct' AND v_conversation.last_message_id IS NULL THEN
		RETURN ARRAY[account_id];
	END IF;
	-- New members are not told of what was before, nor is who has cleared it, but for who came and went and what the title is.
	IF viewer_id IS NULL THEN
		v_told := ARRAY(SELECT m.account_id FROM roost_data.conversation_member m
			WHERE m.conversation_id = conversation_told.conversation_id AND (message_id IS NULL OR m.since_id < message_id AND (m.cleared_id < message_id OR kind > 'message_read')));
	ELSE
		v_told := ARRAY(SELECT m.account_id FROM roost_data.conversation_member m
			WHERE m.conversation_id = conversation_told.conversation_id AND m.account_id = viewer_id AND (message_id IS NULL OR m.since_id < message_id AND (m.cleared_id < message_id OR kind > 'message_read')));
	END IF;
	IF EXISTS (SELECT FROM roost_data.message_hidden h WHERE h.conversation_id = conversation_told.conversation_id AND h.message_id = conversation_told.message_id) THEN
		v_told := ARRAY(
			SELECT t FROM unnest(v_told) t
			EXCEPT SELECT h.account_id FROM roost_data.message_hidden h
			WHERE h.conversation_id = conversation_told.conversation_id AND h.message_id = conversation_told.message_id);
	END IF;
	IF (v_conversation.kind = 'group' AND kind BETWEEN 'message_created' AND 'message_read' OR kind = 'key_changed') AND roost_internal.has_blocks(account_id)
		-- Who joins and leaves is no secret in a group.
		AND NOT EXISTS (SELECT FROM roost_data.message m
			WHERE m.conversation_id = conversation_told.conversation_id AND m.id = message_id AND m.action IS NOT NULL AND kind = 'message_created')
	THEN
		v_told := ARRAY(
			SELECT t FROM unnest(v_told) t
			EXCEPT SELECT b.blocked_id FROM roost_data.account_block b WHERE b.account_id = conversation_told.account_id AND b.blocked_id = ANY (v_told)
			EXCEPT SELECT b.account_id FROM roost_data.account_block b WHERE b.blocked_id = conversation_told.account_id AND b.account_id = ANY (v_told));
	END IF;
	RETURN v_told;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.conversation_told(roost.feed_kind, bigint, bigint, bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.conversation_told(roost.feed_kind, bigint, bigint, bigint, bigint, bigint) IS 'Who is told what account_id has done in a conversation: those that are members now and were before message_id, and have not deleted it for themselves; of messages in groups, and of keys, not those with a block between them and account_id; of a direct conversation without messages its maker alone. With a viewer_id only that, if it is one of them.';

CREATE OR REPLACE FUNCTION roost_internal.conversation_event(kind roost.feed_kind, id bigint, account_id bigint, conversation_id bigint,
	message_id bigint, target_id bigint) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_conversation_id constant text := roost_internal.to_json(conversation_id::roost.id);
	v_conversation roost.conversation;
	v_own roost_data.conversation_member;
	v_last_id bigint;
	v_member roost.conversation_member;
BEGIN
	CASE
	WHEN kind IN ('conversation_created', 'conversation_updated') THEN
		SELECT * INTO v_conversation FROM roost_internal.conversation_row(NULL, ARRAY[conversation_id]);
		RETURN CASE WHEN FOUND THEN format('{"conversation":%s}', roost_internal.to_json(v_conversation)) END;
	WHEN kind IN ('conversation_settings', 'conversation_cleared') THEN
		SELECT m.* INTO v_own FROM roost_data.conversation_member m
		WHERE m.conversation_id = conversation_event.conversation_id AND m.account_id = conversation_event.account_id;
		IF NOT FOUND THEN
			RETURN NULL;
		ELSIF kind = 'conversation_cleared' THEN
			RETURN format('{"conversation_id":%s,"message_id":%s}', v_conversation_id, roost_internal.to_json(v_own.cleared_id::roost.id));
		END IF;
		SELECT c.last_message_id INTO v_last_id FROM roost_data.conversation c WHERE c.id = conversation_event.conversation_id;
		RETURN format('{"conversation_id":%s,"muted":%s,"muted_until":%s,"archived":%s,"pinned":%s}', v_conversation_id,
			roost_internal.to_json(roost_internal.member_muted(v_own.muted, v_own.muted_until)),
			coalesce(roost_internal.to_json(v_own.muted_until), 'null'),
			roost_internal.to_json(roost_internal.member_archived(v_own.archived_id, roost_internal.member_muted(v_own.muted, v_own.muted_until), v_last_id)),
			roost_internal.to_json(v_own.pinned_at IS NOT NULL));
	WHEN kind IN ('member_added', 'member_changed') THEN
		SELECT * INTO v_member FROM roost_internal.member_row(NULL, conversation_id, ARRAY[target_id]);
		RETURN CASE WHEN FOUND THEN format('{"conversation_id":%s,"account":%s,"member":%s}', v_conversation_id,
			coalesce(roost_internal.to_json(roost_internal.author(account_id)), 'null'), roost_internal.to_json(v_member)) END;
	WHEN kind = 'member_removed' THEN
		RETURN format('{"conversation_id":%s,"account":%s,"target":%s}', v_conversation_id,
			coalesce(roost_internal.to_json(roost_internal.author(account_id)), 'null'),
			coalesce(roost_internal.to_json(roost_internal.author(target_id)), 'null'));
	ELSE
		RETURN NULL;
	END CASE;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.conversation_event(roost.feed_kind, bigint, bigint, bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.conversation_event(roost.feed_kind, bigint, bigint, bigint, bigint, bigint) IS 'What events of the kinds conversation_* and member_* say, as JSON and as it stands now; null if there is nothing to tell any more. docs/chat.md has the fields.';
