-- Members of conversations.

CREATE OR REPLACE FUNCTION roost_internal.member_row(viewer_id bigint, conversation_id bigint, account_ids bigint[]) RETURNS SETOF roost.conversation_member
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_blocks constant boolean := viewer_id IS NOT NULL AND roost_internal.has_blocks(viewer_id);
	v_receipts constant boolean := NOT EXISTS (SELECT FROM roost_data.chat_setting s WHERE s.account_id = viewer_id AND NOT s.read_receipts);
BEGIN
	RETURN QUERY
	SELECT CASE WHEN a.id IS NOT NULL THEN ROW(a.id, a.username, a.display_name, a.avatar_url)::roost.author END, m.role, m.joined_at,
		nullif(CASE WHEN v_receipts OR m.account_id = viewer_id THEN s.read_id END, 0)::roost.id,
		nullif(CASE WHEN s.read_id IS NOT NULL THEN greatest(m.delivered_id, s.read_id) END, 0)::roost.id,
		m.account_id
	FROM unnest(account_ids) WITH ORDINALITY i (id, n)
	JOIN roost_data.conversation_member m ON m.conversation_id = member_row.conversation_id AND m.account_id = i.id
	LEFT JOIN roost_data.account a ON a.id = m.account_id AND a.status <> 'deleted',
	LATERAL (
		SELECT CASE WHEN m.account_id = viewer_id THEN m.read_id
			WHEN viewer_id IS NOT NULL AND NOT (v_blocks AND roost_internal.is_blocked(viewer_id, m.account_id)) THEN m.receipt_id END AS read_id
	) s
	ORDER BY i.n;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.member_row(bigint, bigint, bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.member_row(bigint, bigint, bigint[]) IS 'Members of a conversation as the viewer sees them, in the order of account_ids; who is no member is left out. Their markers are null without a viewer (in events) and where there is a block, and read_id of others if the viewer has turned read receipts off.';

CREATE OR REPLACE FUNCTION roost_internal.member_resolve(actor_id bigint, account_id roost.member_ref) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := CASE WHEN account_id = 'me' THEN actor_id ELSE roost_internal.account_find(account_id::text) END;
BEGIN
	-- One that is suspended only for those who meet it in a conversation: to others it does not exist.
	IF v_id IS NULL OR NOT EXISTS (SELECT FROM roost_data.account a WHERE a.id = v_id AND a.status = 'active')
		AND NOT EXISTS (SELECT FROM roost_data.conversation_member m JOIN roost_data.conversation_member o ON o.conversation_id = m.conversation_id AND o.account_id = v_id
			WHERE m.account_id = actor_id)
	THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'account_id', MESSAGE = 'the account does not exist';
	END IF;
	RETURN v_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.member_resolve(bigint, roost.member_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.member_resolve(bigint, roost.member_ref) IS 'The account that an id, @name or "me" means among members, also one that is suspended, if the actor has a conversation with it. P0002 no such account.';

CREATE OR REPLACE FUNCTION roost.conversation_member_list(
	actor_id roost.id,
	conversation_id roost.id,
	"limit" integer DEFAULT 100,
	before roost.cursor DEFAULT NULL
) RETURNS SETOF roost.conversation_member
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_ids bigint[];
	v_cursors bigint[];
	v_member roost.conversation_member;
BEGIN
	PERFORM FROM roost_data.conversation_member m WHERE m.conversation_id = conversation_member_list.conversation_id AND m.account_id = actor_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'conversation_id', MESSAGE = 'the conversation does not exist';
	END IF;
	-- The role stands above the id, which has fewer than 60 bits.
	SELECT array_agg(p.account_id ORDER BY p.place DESC), array_agg(p.place ORDER BY p.place DESC) INTO v_ids, v_cursors
	FROM (
		SELECT t.* FROM (
			SELECT m.account_id, (CASE m.role WHEN 'owner' THEN 2 WHEN 'admin' THEN 1 ELSE 0 END::bigint << 60) | m.account_id AS place
			FROM roost_data.conversation_member m WHERE m.conversation_id = conversation_member_list.conversation_id
		) t
		WHERE t.place < v_before
		ORDER BY t.place DESC
		LIMIT conversation_member_list."limit"
	) p;
	FOR v_member IN SELECT * FROM roost_internal.member_row(actor_id, conversation_id, v_ids) LOOP
		v_member.cursor := v_cursors[array_position(v_ids, v_member.cursor)];
		RETURN NEXT v_member;
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION roost.conversation_member_list(roost.id, roost.id, integer, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.conversation_member_list(roost.id, roost.id, integer, roost.cursor) IS 'The members of a conversation of the caller: owners, admins, members; of each the youngest account first. Markers of those with whom there is a block are null. P0002 no such conversation.';
SELECT roost_internal.route('GET', '/conversations/:conversation_id/members', 'roost.conversation_member_list', tags => '{chat}');

CREATE OR REPLACE FUNCTION roost_internal.member_enter(conversation_id bigint, account_id bigint, actor_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_max constant integer := current_setting('roost.group_max_members');
	v_action constant roost.message_action := CASE WHEN account_id = actor_id THEN 'joined' ELSE 'added' END;
	v_since_id bigint;
BEGIN
	UPDATE roost_data.conversation c SET member_count = c.member_count + 1
	WHERE c.id = member_enter.conversation_id AND c.member_count < v_max
	RETURNING coalesce(c.last_message_id, 0) INTO v_since_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = '53400', COLUMN = CASE WHEN account_id = actor_id THEN 'conversation_id' ELSE 'account_ids' END,
			MESSAGE = 'the group is full', DETAIL = format('It can have %s members.', v_max);
	END IF;
	INSERT INTO roost_data.conversation_member (conversation_id, account_id, joined_at, since_id)
	VALUES (member_enter.conversation_id, member_enter.account_id, roost_internal.clock_now(), v_since_id);
	PERFORM roost_internal.feed_tell('member_added', actor_id, conversation_id, conversation_id,
		roost_internal.message_system(conversation_id, actor_id, v_action, nullif(account_id, actor_id)), account_id);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.member_enter(bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.member_enter(bigint, bigint, bigint) IS 'Makes an account a member of a group, which the caller holds: added by the actor, or joined if that is itself. It sees what is written from now on. 53400 the group is full.';

CREATE OR REPLACE FUNCTION roost.conversation_member_add(actor_id roost.id, conversation_id roost.id, account_ids roost.account_ref[] DEFAULT NULL, account_id roost.account_ref DEFAULT NULL)
RETURNS SETOF roost.conversation_member
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- Who leaves meanwhile is not added again: it was not asked.
	v_member_ids constant bigint[] := ARRAY(SELECT m.account_id FROM roost_data.conversation_member m WHERE m.conversation_id = conversation_member_add.conversation_id);
	v_refs roost.account_ref[] := account_ids;
	v_ids bigint[];
	v_id bigint;
BEGIN
	IF account_id IS NOT NULL THEN
		v_refs := array_append(v_refs::text[], account_id::text);
	END IF;
	-- What a stranger asks is not looked at.
	IF actor_id = ANY (v_member_ids) THEN
		IF v_refs IS NULL THEN
			RAISE EXCEPTION USING ERRCODE = 'ROMIS', COLUMN = 'account_ids', MESSAGE = '"account_ids" is missing';
		END IF;
		v_ids := roost_internal.group_consent(actor_id, v_refs, v_member_ids);
	ELSE
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'conversation_id', MESSAGE = 'the conversation does not exist';
	END IF;
	PERFORM roost_internal.group_hold(actor_id, conversation_id, 'admin');
	FOR v_id IN
		SELECT u FROM unnest(v_ids) u
		WHERE u <> ALL (v_member_ids) AND NOT EXISTS (SELECT FROM roost_data.conversation_member m WHERE m.conversation_id = conversation_member_add.conversation_id AND m.account_id = u)
		ORDER BY u
	LOOP
		PERFORM roost_internal.group_join_refuse(v_id, 'account_ids');
		PERFORM roost_internal.member_enter(conversation_id, v_id, actor_id);
		DELETE FROM roost_data.conversation_ban b WHERE b.conversation_id = conversation_member_add.conversation_id AND b.account_id = v_id;
	END LOOP;
	RETURN QUERY SELECT * FROM roost_internal.member_row(actor_id, conversation_id, v_ids);
END
$$;
REVOKE ALL ON FUNCTION roost.conversation_member_add(roost.id, roost.id, roost.account_ref[], roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.conversation_member_add(roost.id, roost.id, roost.account_ref[], roost.account_ref) IS 'Adds accounts (ids or @names, up to 100), or the one account_id, to a group of which the caller is an admin: all or, with an error, none. Who is a member already stays one. Returns them as members. 42501 no admin, or an account takes no messages from the caller, P0002 no such conversation or account, 53400 the group, or an account''s number of groups, is full, 54000 more than 100, 55000 the conversation is direct, ROMIS neither account_ids nor account_id.';
SELECT roost_internal.route('POST', '/conversations/:conversation_id/members', 'roost.conversation_member_add', limit_class => 'write', tags => '{chat}');

CREATE OR REPLACE FUNCTION roost.conversation_member_update(actor_id roost.id, conversation_id roost.id, account_id roost.member_ref, role roost.member_role)
RETURNS roost.conversation_member
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint;
	v_old roost.member_role;
	v_member roost.conversation_member;
BEGIN
	PERFORM roost_internal.group_hold(actor_id, conversation_id, 'owner');
	v_account_id := roost_internal.member_resolve(actor_id, account_id);
	SELECT m.role INTO v_old FROM roost_data.conversation_member m
	WHERE m.conversation_id = conversation_member_update.conversation_id AND m.account_id = v_account_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'account_id', MESSAGE = 'the account is no member';
	ELSIF role IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '23502', COLUMN = 'role', MESSAGE = 'the role is null';
	ELSIF v_old = 'owner' AND role <> 'owner' AND NOT EXISTS (SELECT FROM roost_data.conversation_member m JOIN roost_data.account a ON a.id = m.account_id AND a.status = 'active'
		WHERE m.conversation_id = conversation_member_update.conversation_id AND m.role = 'owner' AND m.account_id <> v_account_id)
	THEN
		RAISE EXCEPTION USING ERRCODE = '23514', COLUMN = 'role', MESSAGE = 'a group has an owner', HINT = 'Make somebody else an owner before.';
	END IF;
	IF v_old <> role THEN
		UPDATE roost_data.conversation_member m SET role = conversation_member_update.role
		WHERE m.conversation_id = conversation_member_update.conversation_id AND m.account_id = v_account_id;
		PERFORM roost_internal.feed_tell('member_changed', actor_id, conversation_id, conversation_id,
			roost_internal.message_system(conversation_id, actor_id, 'role', v_account_id, jsonb_build_object('role', role)), v_account_id);
	END IF;
	SELECT * INTO v_member FROM roost_internal.member_row(actor_id, conversation_id, ARRAY[v_account_id]);
	RETURN v_member;
END
$$;
REVOKE ALL ON FUNCTION roost.conversation_member_update(roost.id, roost.id, roost.member_ref, roost.member_role) FROM PUBLIC;
COMMENT ON FUNCTION roost.conversation_member_update(roost.id, roost.id, roost.member_ref, roost.member_role) IS 'Gives a member of a group of which the caller is an owner another role; account_id is an id, @name or "me". Returns the member. 23514 it is the last owner, 42501 the caller is no owner, P0002 no such conversation or member, 55000 the conversation is direct.';
SELECT roost_internal.route('PATCH', '/conversations/:conversation_id/members/:account_id', 'roost.conversation_member_update', limit_class => 'write', tags => '{chat}');

CREATE OR REPLACE FUNCTION roost_internal.member_drop(conversation_id bigint, account_id bigint, actor_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_action constant roost.message_action := CASE WHEN account_id = actor_id THEN 'left' ELSE 'removed' END;
	v_message_id bigint;
	v_heir_id bigint;
	v_conversation roost_data.conversation;
BEGIN
	DELETE FROM roost_data.conversation_member m WHERE m.conversation_id = member_drop.conversation_id AND m.account_id = member_drop.account_id;
	DELETE FROM roost_data.message_hidden h WHERE h.conversation_id = member_drop.conversation_id AND h.account_id = member_drop.account_id;
	UPDATE roost_data.conversation c SET member_count = c.member_count - 1 WHERE c.id = member_drop.conversation_id RETURNING c.* INTO v_conversation;
	IF v_conversation.kind = 'direct' THEN
		RETURN;
	END IF;
	IF v_conversation.member_count > 0 THEN
		v_message_id := roost_internal.message_system(conversation_id, actor_id, v_action, nullif(account_id, actor_id));
		PERFORM roost_internal.feed_tell('member_removed', actor_id, conversation_id, conversation_id, v_message_id, account_id);
	END IF;
	-- Who is gone is told nothing of the conversation any more; this is for itself, also when it comes back later.
	PERFORM roost_internal.feed_tell('member_removed', actor_id, account_id, conversation_id, v_message_id, account_id);
	-- An owner that is suspended is none for those who stay.
	IF v_conversation.member_count = 0 OR EXISTS (SELECT FROM roost_data.conversation_member m JOIN roost_data.account a ON a.id = m.account_id AND a.status = 'active'
		WHERE m.conversation_id = member_drop.conversation_id AND m.role = 'owner')
	THEN
		RETURN;
	END IF;
	SELECT m.account_id INTO v_heir_id
	FROM roost_data.conversation_member m JOIN roost_data.account a ON a.id = m.account_id
	WHERE m.conversation_id = member_drop.conversation_id
	ORDER BY a.status = 'active' DESC, m.role DESC, m.joined_at, m.account_id LIMIT 1;
	UPDATE roost_data.conversation_member m SET role = 'owner'
	WHERE m.conversation_id = member_drop.conversation_id AND m.account_id = v_heir_id AND m.role <> 'owner';
	IF NOT FOUND THEN
		RETURN;
	END IF;
	PERFORM roost_internal.feed_tell('member_changed', v_heir_id, conversation_id, conversation_id,
		roost_internal.message_system(conversation_id, v_heir_id, 'role', v_heir_id, '{"role": "owner"}'), v_heir_id);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.member_drop(bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.member_drop(bigint, bigint, bigint) IS 'Takes a member out of a conversation, which the caller holds: removed by the actor, or left if that is itself. A group without an owner whose account is active gets one: the longest-standing admin, else member, whose account is. One without members is deleted by the next maintenance.';

CREATE OR REPLACE FUNCTION roost.conversation_member_remove(actor_id roost.id, conversation_id roost.id, account_id roost.member_ref) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id bigint := CASE WHEN account_id = 'me' THEN actor_id ELSE roost_internal.account_find(account_id::text) END;
	v_role roost.member_role;
	v_other roost.member_role;
BEGIN
	-- Who is deleted is kept out by nothing any more; accounts come before conversations.
	PERFORM roost_internal.account_hold(v_account_id) WHERE v_account_id IS NOT NULL;
	v_role := roost_internal.group_hold(actor_id, conversation_id, 'member');
	v_account_id := roost_internal.member_resolve(actor_id, CASE WHEN account_id = 'me' THEN 'me' ELSE v_account_id::text END);
	SELECT m.role INTO v_other FROM roost_data.conversation_member m
	WHERE m.conversation_id = conversation_member_remove.conversation_id AND m.account_id = v_account_id;
	IF v_account_id <> actor_id THEN
		IF v_role < 'admin' THEN
			RAISE EXCEPTION USING ERRCODE = '42501', COLUMN = 'conversation_id', MESSAGE = 'not allowed', DETAIL = 'This takes the role admin.';
		ELSIF v_other >= 'admin' AND v_role < 'owner' THEN
			RAISE EXCEPTION USING ERRCODE = '42501', COLUMN = 'account_id', MESSAGE = 'not allowed', DETAIL = 'Only an owner removes admins and owners.';
		END IF;
		-- Also if it has just left: it is not to come back.
		INSERT INTO roost_data.conversation_ban (conversation_id, account_id, banned_by)
		VALUES (conversation_member_remove.conversation_id, v_account_id, actor_id) ON CONFLICT DO NOTHING;
	END IF;
	IF v_other IS NOT NULL THEN
		PERFORM roost_internal.member_drop(conversation_id, v_account_id, actor_id);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.conversation_member_remove(roost.id, roost.id, roost.member_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.conversation_member_remove(roost.id, roost.id, roost.member_ref) IS 'Removes a member from a group of which the caller is an admin (an admin or owner: of which it is an owner), or leaves it ("me"). Who was removed comes back only if an admin adds it; invitations do not let it in. The last owner that leaves makes the longest-standing admin, or else member, the owner. Again: changes nothing. 42501 not allowed, P0002 no such conversation or account, 55000 a direct conversation cannot be left (clear it, or block the other).';
SELECT roost_internal.route('DELETE', '/conversations/:conversation_id/members/:account_id', 'roost.conversation_member_remove', limit_class => 'write', status => 204, tags => '{chat}');
