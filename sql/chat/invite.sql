-- Invitations to groups.  They change only while the conversation is held, so
-- each use is counted.

CREATE OR REPLACE FUNCTION roost_internal.invite_good(expires_at timestamptz, max_uses integer, uses integer, revoked_at timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN revoked_at IS NULL AND coalesce(expires_at > roost_internal.clock_now(), true) AND coalesce(uses < max_uses, true);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.invite_good(timestamptz, integer, integer, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.invite_good(timestamptz, integer, integer, timestamptz) IS 'Whether an invitation lets somebody in: neither expired nor used up nor revoked.';

CREATE OR REPLACE FUNCTION roost_internal.invite_refuse(expires_at timestamptz, max_uses integer, uses integer, revoked_at timestamptz) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT roost_internal.invite_good(expires_at, max_uses, uses, revoked_at) THEN
		RAISE EXCEPTION USING ERRCODE = 'RO410', COLUMN = 'code', MESSAGE = 'the invitation is not good any more',
			DETAIL = CASE WHEN revoked_at IS NOT NULL THEN 'It was revoked.' WHEN uses >= max_uses THEN 'It is used up.' ELSE 'It has expired.' END;
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.invite_refuse(timestamptz, integer, integer, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.invite_refuse(timestamptz, integer, integer, timestamptz) IS 'Raises RO410 unless the invitation is good.';

CREATE OR REPLACE FUNCTION roost_internal.invite_row(conversation_id bigint, invite_ids bigint[], member boolean) RETURNS SETOF roost.conversation_invite
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT i.code, c.id::roost.id, c.title, c.description, nullif(c.avatar_url, ''), c.member_count,
		CASE WHEN member THEN roost_internal.author(i.created_by) END, i.created_at, i.expires_at,
		CASE WHEN member THEN i.max_uses END, CASE WHEN member THEN i.uses END, i.revoked_at, i.id
	FROM roost_data.conversation_invite i JOIN roost_data.conversation c ON c.id = i.conversation_id
	WHERE i.conversation_id = invite_row.conversation_id AND i.id = ANY (invite_ids)
	ORDER BY i.id DESC;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.invite_row(bigint, bigint[], boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.invite_row(bigint, bigint[], boolean) IS 'Invitations of a group as members, or others, see them, newest first.';

CREATE OR REPLACE FUNCTION roost.invite_create(actor_id roost.id, conversation_id roost.id, expires_in integer DEFAULT NULL, max_uses integer DEFAULT NULL)
RETURNS roost.conversation_invite
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
	v_max constant integer := current_setting('roost.invite_max');
	v_id bigint;
	v_row roost.conversation_invite;
BEGIN
	IF expires_in NOT BETWEEN 60 AND 31536000 THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'expires_in', MESSAGE = 'expires_in is between 60 and 31536000 seconds';
	ELSIF max_uses NOT BETWEEN 1 AND 100000 THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'max_uses', MESSAGE = 'max_uses is between 1 and 100000';
	END IF;
	PERFORM roost_internal.group_hold(actor_id, conversation_id, 'admin');
	IF (SELECT count(*) FROM roost_data.conversation_invite i WHERE i.conversation_id = invite_create.conversation_id
		AND roost_internal.invite_good(i.expires_at, i.max_uses, i.uses, i.revoked_at)) >= v_max
	THEN
		RAISE EXCEPTION USING ERRCODE = '53400', COLUMN = 'conversation_id', MESSAGE = 'the group has too many invitations',
			DETAIL = format('It can have %s that are good.', v_max);
	END IF;
	v_id := roost_internal.id_next(conversation_id);
	INSERT INTO roost_data.conversation_invite (conversation_id, id, code, created_by, created_at, expires_at, max_uses)
	VALUES (invite_create.conversation_id, v_id, roost_internal.random_token(16), actor_id, v_now, v_now + make_interval(secs => expires_in), invite_create.max_uses);
	SELECT * INTO v_row FROM roost_internal.invite_row(conversation_id, ARRAY[v_id], true);
	RETURN v_row;
END
$$;
REVOKE ALL ON FUNCTION roost.invite_create(roost.id, roost.id, integer, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost.invite_create(roost.id, roost.id, integer, integer) IS 'Makes an invitation to a group of which the caller is an admin: whoever has its code may join, for expires_in seconds (60 to 31536000; null: for ever), max_uses times (1 to 100000; null: as often as the group has room). 22023 out of these bounds, 42501 no admin, 53400 the group has as many as it may have, 55000 the conversation is direct, P0002 no such conversation.';
SELECT roost_internal.route('POST', '/conversations/:conversation_id/invites', 'roost.invite_create', limit_class => 'write', status => 201, sensitive => true, tags => '{chat}');

CREATE OR REPLACE FUNCTION roost.invite_list(
	actor_id roost.id,
	conversation_id roost.id,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL
) RETURNS SETOF roost.conversation_invite
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_role roost.member_role;
BEGIN
	SELECT m.role INTO v_role FROM roost_data.conversation_member m
	WHERE m.conversation_id = invite_list.conversation_id AND m.account_id = actor_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'conversation_id', MESSAGE = 'the conversation does not exist';
	ELSIF v_role < 'admin' THEN
		RAISE EXCEPTION USING ERRCODE = '42501', COLUMN = 'conversation_id', MESSAGE = 'not allowed', DETAIL = 'This takes the role admin.';
	END IF;
	RETURN QUERY SELECT * FROM roost_internal.invite_row(conversation_id, ARRAY(
		SELECT i.id FROM roost_data.conversation_invite i
		WHERE i.conversation_id = invite_list.conversation_id AND i.id < v_before
		ORDER BY i.id DESC LIMIT invite_list."limit"), true);
END
$$;
REVOKE ALL ON FUNCTION roost.invite_list(roost.id, roost.id, integer, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.invite_list(roost.id, roost.id, integer, roost.cursor) IS 'The invitations to a group of which the caller is an admin, newest first; those that are not good any more for 30 days. 42501 no admin, P0002 no such conversation.';
SELECT roost_internal.route('GET', '/conversations/:conversation_id/invites', 'roost.invite_list', sensitive => true, tags => '{chat}');

CREATE OR REPLACE FUNCTION roost.invite_revoke(actor_id roost.id, conversation_id roost.id, code roost.invite_code) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.group_hold(actor_id, conversation_id, 'admin');
	UPDATE roost_data.conversation_invite i SET revoked_at = coalesce(i.revoked_at, roost_internal.clock_now())
	WHERE i.code = invite_revoke.code AND i.conversation_id = invite_revoke.conversation_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'code', MESSAGE = 'the invitation does not exist';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.invite_revoke(roost.id, roost.id, roost.invite_code) FROM PUBLIC;
COMMENT ON FUNCTION roost.invite_revoke(roost.id, roost.id, roost.invite_code) IS 'Takes an invitation back: from now on nobody joins by it. Again: changes nothing. 42501 the caller is no admin, P0002 no such conversation or invitation.';
SELECT roost_internal.route('DELETE', '/conversations/:conversation_id/invites/:code', 'roost.invite_revoke', limit_class => 'write', status => 204, tags => '{chat}');

CREATE OR REPLACE FUNCTION roost.invite_delete(actor_id roost.id, code roost.invite_code) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := (SELECT i.conversation_id FROM roost_data.conversation_invite i
		JOIN roost_data.conversation_member m ON m.conversation_id = i.conversation_id AND m.account_id = actor_id WHERE i.code = invite_delete.code);
BEGIN
	IF v_id IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'code', MESSAGE = 'the invitation does not exist';
	END IF;
	PERFORM roost.invite_revoke(actor_id, v_id, code);
END
$$;
REVOKE ALL ON FUNCTION roost.invite_delete(roost.id, roost.invite_code) FROM PUBLIC;
COMMENT ON FUNCTION roost.invite_delete(roost.id, roost.invite_code) IS 'Takes an invitation back as invite_revoke does, by its code alone. 42501 the caller is no admin, P0002 no such invitation to a group of the caller.';
SELECT roost_internal.route('DELETE', '/invites/:code', 'roost.invite_delete', limit_class => 'write', status => 204, tags => '{chat}');

CREATE OR REPLACE FUNCTION roost.invite_get(actor_id roost.id, code roost.invite_code) RETURNS roost.conversation_invite
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_invite roost_data.conversation_invite;
	v_row roost.conversation_invite;
BEGIN
	SELECT i.* INTO v_invite FROM roost_data.conversation_invite i JOIN roost_data.conversation c ON c.id = i.conversation_id AND c.member_count > 0
	WHERE i.code = invite_get.code;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'code', MESSAGE = 'the invitation does not exist';
	END IF;
	PERFORM roost_internal.invite_refuse(v_invite.expires_at, v_invite.max_uses, v_invite.uses, v_invite.revoked_at);
	SELECT * INTO v_row FROM roost_internal.invite_row(v_invite.conversation_id, ARRAY[v_invite.id],
		EXISTS (SELECT FROM roost_data.conversation_member m WHERE m.conversation_id = v_invite.conversation_id AND m.account_id = actor_id));
	RETURN v_row;
END
$$;
REVOKE ALL ON FUNCTION roost.invite_get(roost.id, roost.invite_code) FROM PUBLIC;
COMMENT ON FUNCTION roost.invite_get(roost.id, roost.invite_code) IS 'What an invitation is to: title, description, picture and number of members of the group. P0002 no such code, RO410 it has expired, is used up or was revoked.';
SELECT roost_internal.route('GET', '/invites/:code', 'roost.invite_get', tags => '{chat}');

CREATE OR REPLACE FUNCTION roost.invite_join(actor_id roost.id, code roost.invite_code) RETURNS roost.conversation
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id constant bigint := (SELECT i.conversation_id FROM roost_data.conversation_invite i WHERE i.code = invite_join.code);
	v_invite roost_data.conversation_invite;
BEGIN
	PERFORM roost_internal.own_hold(actor_id);
	PERFORM roost_internal.conversation_turn(v_id);
	PERFORM FROM roost_data.conversation c WHERE c.id = v_id FOR NO KEY UPDATE;
	SELECT i.* INTO v_invite FROM roost_data.conversation_invite i JOIN roost_data.conversation c ON c.id = i.conversation_id AND c.member_count > 0
	WHERE i.code = invite_join.code;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'code', MESSAGE = 'the invitation does not exist';
	END IF;
	PERFORM FROM roost_data.conversation_member m WHERE m.conversation_id = v_id AND m.account_id = actor_id;
	IF NOT FOUND THEN
		PERFORM roost_internal.invite_refuse(v_invite.expires_at, v_invite.max_uses, v_invite.uses, v_invite.revoked_at);
		PERFORM FROM roost_data.conversation_ban b WHERE b.conversation_id = v_id AND b.account_id = actor_id;
		IF FOUND THEN
			RAISE EXCEPTION USING ERRCODE = '42501', COLUMN = 'code', MESSAGE = 'not allowed',
				DETAIL = 'The account was removed from the group; an admin can add it again.';
		END IF;
		PERFORM roost_internal.group_join_refuse(actor_id, 'code');
		PERFORM roost_internal.member_enter(v_id, actor_id, actor_id);
		UPDATE roost_data.conversation_invite i SET uses = i.uses + 1 WHERE i.conversation_id = v_id AND i.id = v_invite.id;
	END IF;
	RETURN roost_internal.conversation_one(actor_id, v_id);
END
$$;
REVOKE ALL ON FUNCTION roost.invite_join(roost.id, roost.invite_code) FROM PUBLIC;
COMMENT ON FUNCTION roost.invite_join(roost.id, roost.invite_code) IS 'Joins the group that an invitation is to, and returns it. Who is a member already gets the same answer, and no use is counted. 42501 the caller was removed from it, 53400 the group, or the caller''s number of groups, is full, P0002 no such code, RO410 it has expired, is used up or was revoked.';
SELECT roost_internal.route('POST', '/invites/:code/join', 'roost.invite_join', limit_class => 'write', tags => '{chat}');
SELECT roost_internal.route('POST', '/invites/:code', 'roost.invite_join', limit_class => 'write', tags => '{chat}');
