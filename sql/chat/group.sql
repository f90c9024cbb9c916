-- Making conversations and changing them.

CREATE OR REPLACE FUNCTION roost_internal.expire_after_check(expire_after integer) RETURNS void
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF expire_after <> 0 AND expire_after NOT BETWEEN 5 AND 31536000 THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'expire_after', MESSAGE = 'expire_after is 0 or between 5 and 31536000 seconds';
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.expire_after_check(integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.expire_after_check(integer) IS 'Raises 22023 for a time after which messages cannot disappear.';

CREATE OR REPLACE FUNCTION roost_internal.group_words(words text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN CASE WHEN roost_internal.text_is_blank(words) THEN '' ELSE btrim(words) END;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.group_words(text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.group_words(text) IS 'A title or description as it is stored: without spaces around it, empty if a reader would see nothing of it.';

CREATE OR REPLACE FUNCTION roost_internal.group_count(account_id bigint) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (SELECT count(*) FROM roost_data.conversation_member m JOIN roost_data.conversation c ON c.id = m.conversation_id AND c.kind = 'group'
		WHERE m.account_id = group_count.account_id);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.group_count(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.group_count(bigint) IS 'In how many groups an account is.';

CREATE OR REPLACE FUNCTION roost_internal.group_join_refuse(account_id bigint, field text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_setting constant integer := current_setting('roost.conversation_max');
	-- The last quarter is its own, so that others cannot keep it out of groups by adding it to theirs.
	v_max constant integer := v_setting - CASE WHEN field = 'account_ids' THEN v_setting / 4 ELSE 0 END;
BEGIN
	IF roost_internal.group_count(account_id) >= v_max THEN
		RAISE EXCEPTION USING ERRCODE = '53400', COLUMN = field, MESSAGE = 'the account is in too many groups',
			DETAIL = format(CASE WHEN field = 'account_ids' THEN 'Others can add it to %s.' ELSE 'It can be in %s.' END, v_max);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.group_join_refuse(bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.group_join_refuse(bigint, text) IS 'Raises 53400, about a field, if an account is in as many groups as it may be; in three quarters of that, if others add it (the field is account_ids).';

CREATE OR REPLACE FUNCTION roost_internal.group_consent(actor_id bigint, account_ids roost.account_ref[], member_ids bigint[] DEFAULT '{}') RETURNS bigint[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id bigint;
	v_ids bigint[] := '{}';
	v_ref text;
BEGIN
	IF cardinality(account_ids) > 100 THEN
		RAISE EXCEPTION USING ERRCODE = '54000', COLUMN = 'account_ids', MESSAGE = 'too many accounts',
			DETAIL = format('There are %s of them, at most 100 are added at once.', cardinality(account_ids));
	END IF;
	BEGIN
		FOREACH v_ref IN ARRAY account_ids LOOP
			IF v_ref IS NULL THEN
				RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'account_ids', MESSAGE = 'an account is null';
			END IF;
			v_ids := v_ids || roost_internal.account_resolve(v_ref);
		END LOOP;
		v_ids := ARRAY(SELECT DISTINCT u FROM unnest(v_ids) u WHERE u <> actor_id ORDER BY u);
		FOR v_id IN SELECT u FROM unnest(v_ids || actor_id) u ORDER BY hashint8(u), u LOOP
			PERFORM roost_internal.account_hold(v_id);
		END LOOP;
		FOREACH v_id IN ARRAY v_ids LOOP
			CONTINUE WHEN v_id = ANY (member_ids);
			v_ref := v_id::text;
			PERFORM roost_internal.direct_refuse(actor_id, v_id, roost_internal.direct_find(actor_id, v_id));
		END LOOP;
	EXCEPTION WHEN insufficient_privilege OR no_data_found THEN
		RAISE EXCEPTION USING ERRCODE = SQLSTATE, COLUMN = 'account_ids', MESSAGE = SQLERRM, DETAIL = format('This is so of account %s.', v_ref);
	END;
	RETURN v_ids;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.group_consent(bigint, roost.account_ref[], bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.group_consent(bigint, roost.account_ref[], bigint[]) IS 'The ids of accounts that the actor may add to a group, each once and without its own, and holds them all; members (member_ids) are not asked again. It takes what a direct message takes: 42501 a block, or the message_policy of one is against it; P0002 one does not exist; 54000 more than 100.';

CREATE OR REPLACE FUNCTION roost.conversation_create(
	actor_id roost.id,
	kind roost.conversation_kind,
	account_ids roost.account_ref[] DEFAULT '{}',
	title roost.conversation_title DEFAULT NULL,
	description roost.conversation_description DEFAULT NULL,
	avatar_url roost.url DEFAULT NULL,
	encryption roost.conversation_encryption DEFAULT NULL,
	expire_after integer DEFAULT NULL
) RETURNS roost.conversation
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
	v_max constant integer := current_setting('roost.group_max_members');
	v_id bigint;
	v_account_id bigint;
	v_ids bigint[];
BEGIN
	PERFORM roost_internal.expire_after_check(expire_after);
	IF kind IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '23502', COLUMN = 'kind', MESSAGE = 'the kind is null';
	ELSIF kind = 'direct' THEN
		IF coalesce(cardinality(account_ids), 0) <> 1 OR account_ids[1] IS NULL THEN
			RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'account_ids', MESSAGE = 'a direct conversation is with one account';
		ELSIF coalesce(title, '') <> '' OR coalesce(description, '') <> '' OR coalesce(avatar_url, '') <> '' THEN
			RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'a direct conversation has no title, description and picture',
				COLUMN = CASE WHEN coalesce(title, '') <> '' THEN 'title' WHEN coalesce(description, '') <> '' THEN 'description' ELSE 'avatar_url' END;
		END IF;
		v_account_id := roost_internal.account_resolve(account_ids[1]);
		v_id := roost_internal.direct_find(actor_id, v_account_id);
		IF v_id IS NULL THEN
			v_id := roost_internal.conversation_direct(actor_id, v_account_id, encryption);
			-- Unless the other one was faster.
			UPDATE roost_data.conversation c SET expire_after = conversation_create.expire_after
			WHERE c.id = v_id AND c.created_by = actor_id AND c.last_message_id IS NULL AND conversation_create.expire_after > 0;
		ELSE
			PERFORM roost.response_status(200);
		END IF;
		RETURN roost_internal.conversation_one(actor_id, v_id);
	END IF;

	PERFORM roost_internal.own_hold(actor_id);
	v_ids := roost_internal.group_consent(actor_id, coalesce(account_ids, '{}'));
	IF cardinality(v_ids) >= v_max THEN
		RAISE EXCEPTION USING ERRCODE = '53400', COLUMN = 'account_ids', MESSAGE = 'the group is full', DETAIL = format('It can have %s members.', v_max);
	END IF;
	PERFORM roost_internal.group_join_refuse(actor_id, 'kind');
	FOREACH v_account_id IN ARRAY v_ids LOOP
		PERFORM roost_internal.group_join_refuse(v_account_id, 'account_ids');
	END LOOP;
	v_id := roost_internal.id_next();
	INSERT INTO roost_data.conversation (id, kind, encryption, title, description, avatar_url, created_by, created_at, expire_after, member_count)
	VALUES (v_id, 'group', coalesce(conversation_create.encryption, 'none'), coalesce(roost_internal.group_words(conversation_create.title), ''),
		coalesce(roost_internal.group_words(conversation_create.description), ''), coalesce(conversation_create.avatar_url, ''), actor_id, v_now,
		nullif(conversation_create.expire_after, 0), 1 + cardinality(v_ids));
	INSERT INTO roost_data.conversation_member (conversation_id, account_id, role, joined_at)
	SELECT v_id, u, CASE WHEN u = actor_id THEN 'owner' ELSE 'member' END::roost.member_role, v_now FROM unnest(v_ids || actor_id::bigint) u;
	PERFORM roost_internal.feed_tell('conversation_created', actor_id, v_id, v_id, roost_internal.message_system(v_id, actor_id, 'created'));
	RETURN roost_internal.conversation_one(actor_id, v_id);
END
$$;
REVOKE ALL ON FUNCTION roost.conversation_create(roost.id, roost.conversation_kind, roost.account_ref[], roost.conversation_title, roost.conversation_description, roost.url, roost.conversation_encryption, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost.conversation_create(roost.id, roost.conversation_kind, roost.account_ref[], roost.conversation_title, roost.conversation_description, roost.url, roost.conversation_encryption, integer) IS 'Begins a conversation. direct: with one account; if the two have one already it is answered as it stands (200). The other account sees it when something is written. group: the caller is its owner; account_ids (ids or @names, up to 100) become members. expire_after: seconds after which messages disappear. 22023 invalid combination, P0002 an account does not exist, 42501 an account takes no messages from the caller, 53400 the group, or the caller''s or an account''s number of groups, is full, 54000 more than 100 accounts, 55000 a direct one is to be encrypted, and one of the two has no keys.';
SELECT roost_internal.route('POST', '/conversations', 'roost.conversation_create', limit_class => 'write', status => 201, tags => '{chat}');

CREATE OR REPLACE FUNCTION roost_internal.group_hold(actor_id bigint, conversation_id bigint, least_role roost.member_role) RETURNS roost.member_role
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_kind constant roost.conversation_kind := (roost_internal.conversation_hold(actor_id, conversation_id)).kind;
	v_role constant roost.member_role := (SELECT m.role FROM roost_data.conversation_member m
		WHERE m.conversation_id = group_hold.conversation_id AND m.account_id = actor_id);
BEGIN
	IF v_kind <> 'group' THEN
		RAISE EXCEPTION USING ERRCODE = '55000', COLUMN = 'conversation_id', MESSAGE = 'the conversation is no group';
	ELSIF v_role < least_role THEN
		RAISE EXCEPTION USING ERRCODE = '42501', COLUMN = 'conversation_id', MESSAGE = 'not allowed',
			DETAIL = format('This takes the role %s.', least_role);
	END IF;
	RETURN v_role;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.group_hold(bigint, bigint, roost.member_role) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.group_hold(bigint, bigint, roost.member_role) IS 'Holds a group (roost_internal.conversation_hold) in which the actor has at least this role; returns its role. 55000 the conversation is direct, 42501 it has a lesser role.';

CREATE OR REPLACE FUNCTION roost.conversation_update(
	actor_id roost.id,
	conversation_id roost.id,
	title roost.conversation_title DEFAULT NULL,
	description roost.conversation_description DEFAULT NULL,
	avatar_url roost.url DEFAULT NULL,
	expire_after integer DEFAULT NULL,
	encryption roost.conversation_encryption DEFAULT NULL
) RETURNS roost.conversation
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_old record;
	v_detail jsonb;
	v_message_id bigint;
BEGIN
	PERFORM roost_internal.expire_after_check(expire_after);
	PERFORM roost_internal.conversation_send_refuse(actor_id, conversation_id);
	SELECT * INTO v_old FROM roost_internal.conversation_hold(actor_id, conversation_id);
	IF v_old.kind = 'group' THEN
		PERFORM roost_internal.group_hold(actor_id, conversation_id, 'admin');
	ELSIF title IS NOT NULL OR description IS NOT NULL OR avatar_url IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'a direct conversation has no title, description and picture',
			COLUMN = CASE WHEN title IS NOT NULL THEN 'title' WHEN description IS NOT NULL THEN 'description' ELSE 'avatar_url' END;
	END IF;
	IF encryption = 'none' AND v_old.encryption = 'e2ee' THEN
		RAISE EXCEPTION USING ERRCODE = '55000', COLUMN = 'encryption', MESSAGE = 'encryption is never turned off again';
	END IF;

	v_detail := nullif(jsonb_strip_nulls(jsonb_build_object(
		'title', nullif(roost_internal.group_words(title), v_old.title),
		'description', nullif(roost_internal.group_words(description), v_old.description),
		'avatar_url', nullif(avatar_url::text, v_old.avatar_url))), '{}');
	IF v_detail IS NOT NULL THEN
		UPDATE roost_data.conversation c SET title = coalesce(v_detail ->> 'title', c.title),
			description = coalesce(v_detail ->> 'description', c.description), avatar_url = coalesce(v_detail ->> 'avatar_url', c.avatar_url)
		WHERE c.id = conversation_update.conversation_id;
		v_message_id := roost_internal.message_system(conversation_id, actor_id, 'updated', NULL, v_detail);
	END IF;
	IF expire_after IS NOT NULL AND nullif(expire_after, 0) IS DISTINCT FROM v_old.expire_after THEN
		UPDATE roost_data.conversation c SET expire_after = nullif(conversation_update.expire_after, 0) WHERE c.id = conversation_update.conversation_id;
		v_message_id := roost_internal.message_system(conversation_id, actor_id, 'timer', NULL, jsonb_build_object('expire_after', nullif(expire_after, 0)));
	END IF;
	IF encryption = 'e2ee' AND v_old.encryption = 'none' THEN
		IF v_old.kind = 'direct' THEN
			PERFORM roost_internal.key_need(actor_id, (SELECT m.account_id FROM roost_data.conversation_member m
				WHERE m.conversation_id = conversation_update.conversation_id AND m.account_id <> actor_id), 'encryption');
		END IF;
		UPDATE roost_data.conversation c SET encryption = 'e2ee' WHERE c.id = conversation_update.conversation_id;
		v_message_id := roost_internal.message_system(conversation_id, actor_id, 'encrypted');
	END IF;
	IF v_message_id IS NOT NULL THEN
		PERFORM roost_internal.feed_tell('conversation_updated', actor_id, conversation_id, conversation_id, v_message_id);
	END IF;
	RETURN roost_internal.conversation_one(actor_id, conversation_id);
END
$$;
REVOKE ALL ON FUNCTION roost.conversation_update(roost.id, roost.id, roost.conversation_title, roost.conversation_description, roost.url, integer, roost.conversation_encryption) FROM PUBLIC;
COMMENT ON FUNCTION roost.conversation_update(roost.id, roost.id, roost.conversation_title, roost.conversation_description, roost.url, integer, roost.conversation_encryption) IS 'Changes a conversation; what is not given stays. Groups: admins. Direct ones: either of the two, expire_after and encryption only, as long as it may write. expire_after: seconds after which new messages disappear, 0 never; encryption: e2ee, for good. What has changed is written into the history. Returns the conversation. 22023 invalid expire_after, 42501 not allowed, 55000 a direct one has no title, it is encrypted already, or one of the two has no keys to encrypt with, P0002 no such conversation.';
SELECT roost_internal.route('PATCH', '/conversations/:conversation_id', 'roost.conversation_update', limit_class => 'write', tags => '{chat}');
