-- Lists: accounts that one reads apart from those that one follows.  Nobody
-- but the owner sees a list, or that there is one.

CREATE OR REPLACE FUNCTION roost_internal.list_bounds(OUT lists integer, OUT members integer)
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT 100, 1000
$$;
REVOKE ALL ON FUNCTION roost_internal.list_bounds() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.list_bounds() IS 'How many lists an account can have, and how many accounts can be on one.';

CREATE OR REPLACE FUNCTION roost_internal.list_own(actor_id bigint, list_id bigint, alone boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF alone THEN
		PERFORM FROM roost_data.list l WHERE l.id = list_id AND l.account_id = actor_id FOR UPDATE;
	ELSE
		PERFORM FROM roost_data.list l WHERE l.id = list_id AND l.account_id = actor_id;
	END IF;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'list_id', MESSAGE = 'the list does not exist';
	END IF;
	RETURN list_id;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.list_own(bigint, bigint, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.list_own(bigint, bigint, boolean) IS 'The id of a list of the actor. alone keeps others from changing the list until the end of the transaction. P0002 if the actor has no such list.';

CREATE OR REPLACE FUNCTION roost_internal.list_one(list_id bigint) RETURNS roost.list
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_list roost.list;
BEGIN
	SELECT l.id, l.title, (SELECT count(*) FROM roost_data.list_member m WHERE m.list_id = l.id), l.created_at INTO v_list
	FROM roost_data.list l WHERE l.id = list_one.list_id;
	RETURN v_list;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.list_one(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.list_one(bigint) IS 'A list as its owner sees it; null if there is none.';

CREATE OR REPLACE FUNCTION roost.list_create(actor_id roost.id, title roost.list_title) RETURNS roost.list
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_id bigint;
	v_max constant integer := (roost_internal.list_bounds()).lists;
BEGIN
	IF title IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '23502', COLUMN = 'title', MESSAGE = 'the title is null';
	END IF;
	PERFORM roost_internal.own_hold(actor_id);
	IF (SELECT count(*) FROM roost_data.list l WHERE l.account_id = actor_id) >= v_max THEN
		RAISE EXCEPTION USING ERRCODE = '54000', MESSAGE = 'too many lists', DETAIL = format('An account can have %s.', v_max);
	END IF;
	INSERT INTO roost_data.list AS l (id, account_id, title) VALUES (roost_internal.id_next(actor_id), actor_id, btrim(list_create.title))
	RETURNING l.id INTO v_id;
	RETURN roost_internal.list_one(v_id);
END
$$;
REVOKE ALL ON FUNCTION roost.list_create(roost.id, roost.list_title) FROM PUBLIC;
COMMENT ON FUNCTION roost.list_create(roost.id, roost.list_title) IS 'Makes a list of accounts with a title. Nobody else sees it. Returns it. 54000 the caller has 100 lists.';
SELECT roost_internal.route('POST', '/lists', 'roost.list_create', auth => 'user', limit_class => 'write', status => 201);

CREATE OR REPLACE FUNCTION roost.list_list(actor_id roost.id) RETURNS SETOF roost.list
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT l.id::roost.id, l.title, (SELECT count(*) FROM roost_data.list_member m WHERE m.list_id = l.id), l.created_at
	FROM roost_data.list l WHERE l.account_id = actor_id
	ORDER BY l.id DESC;
END
$$;
REVOKE ALL ON FUNCTION roost.list_list(roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.list_list(roost.id) IS 'The lists of the caller, the newest first.';
SELECT roost_internal.route('GET', '/lists', 'roost.list_list', auth => 'user');

CREATE OR REPLACE FUNCTION roost.list_get(actor_id roost.id, list_id roost.id) RETURNS roost.list
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_list roost.list := roost_internal.list_one(roost_internal.list_own(actor_id, list_id));
BEGIN
	-- list_own() sees what has been committed since the request began.
	IF v_list.id IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'P0002', COLUMN = 'list_id', MESSAGE = 'the list does not exist';
	END IF;
	RETURN v_list;
END
$$;
REVOKE ALL ON FUNCTION roost.list_get(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.list_get(roost.id, roost.id) IS 'A list of the caller. P0002 it has no such list.';
SELECT roost_internal.route('GET', '/lists/:list_id', 'roost.list_get', auth => 'user');

CREATE OR REPLACE FUNCTION roost.list_update(actor_id roost.id, list_id roost.id, title roost.list_title) RETURNS roost.list
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_list_id constant bigint := roost_internal.list_own(actor_id, list_id, true);
BEGIN
	IF title IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = '23502', COLUMN = 'title', MESSAGE = 'the title is null';
	END IF;
	UPDATE roost_data.list l SET title = btrim(list_update.title) WHERE l.id = v_list_id;
	RETURN roost_internal.list_one(v_list_id);
END
$$;
REVOKE ALL ON FUNCTION roost.list_update(roost.id, roost.id, roost.list_title) FROM PUBLIC;
COMMENT ON FUNCTION roost.list_update(roost.id, roost.id, roost.list_title) IS 'Gives a list of the caller another title. Returns it. P0002 it has no such list.';
SELECT roost_internal.route('PATCH', '/lists/:list_id', 'roost.list_update', auth => 'user', limit_class => 'write');

CREATE OR REPLACE FUNCTION roost.list_delete(actor_id roost.id, list_id roost.id) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_list_id constant bigint := roost_internal.list_own(actor_id, list_id, true);
BEGIN
	DELETE FROM roost_data.list l WHERE l.id = v_list_id;
END
$$;
REVOKE ALL ON FUNCTION roost.list_delete(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.list_delete(roost.id, roost.id) IS 'Deletes a list of the caller. P0002 it has no such list.';
SELECT roost_internal.route('DELETE', '/lists/:list_id', 'roost.list_delete', auth => 'user', limit_class => 'write', status => 204);

CREATE OR REPLACE FUNCTION roost.list_member_list(
	actor_id roost.id,
	list_id roost.id,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.account
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_list_id constant bigint := roost_internal.list_own(actor_id, list_id);
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_ids bigint[];
	v_cursors bigint[];
BEGIN
	SELECT array_agg(p.member_id ORDER BY p.id DESC), array_agg(p.id ORDER BY p.id DESC) INTO v_ids, v_cursors
	FROM (
		SELECT m.member_id, m.id
		FROM roost_data.list_member m JOIN roost_data.account a ON a.id = m.member_id AND a.status = 'active'
		WHERE m.list_id = v_list_id AND m.id < v_before AND m.id > v_after
		ORDER BY m.id DESC
		LIMIT list_member_list."limit"
	) p;
	RETURN QUERY SELECT * FROM roost_internal.account_hydrate(actor_id, v_ids, v_cursors);
END
$$;
REVOKE ALL ON FUNCTION roost.list_member_list(roost.id, roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.list_member_list(roost.id, roost.id, integer, roost.cursor, roost.cursor) IS 'The accounts on a list of the caller, the last one added first. P0002 it has no such list.';
SELECT roost_internal.route('GET', '/lists/:list_id/members', 'roost.list_member_list', auth => 'user');

CREATE OR REPLACE FUNCTION roost.list_member_add(actor_id roost.id, list_id roost.id, account_id roost.account_ref) RETURNS roost.list
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id constant bigint := roost_internal.account_resolve(account_id);
	v_max constant integer := (roost_internal.list_bounds()).members;
BEGIN
	PERFORM roost_internal.pair_exist(actor_id, v_account_id);
	-- Alone: so that the number is known.
	PERFORM roost_internal.list_own(actor_id, list_id, true);
	INSERT INTO roost_data.list_member (list_id, member_id, account_id, id)
	VALUES (list_member_add.list_id, v_account_id, actor_id, roost_internal.id_next(actor_id)) ON CONFLICT DO NOTHING;
	IF FOUND AND (SELECT count(*) FROM roost_data.list_member m WHERE m.list_id = list_member_add.list_id) > v_max THEN
		RAISE EXCEPTION USING ERRCODE = '54000', MESSAGE = 'too many accounts on the list', DETAIL = format('There can be %s.', v_max);
	END IF;
	RETURN roost_internal.list_one(list_id);
END
$$;
REVOKE ALL ON FUNCTION roost.list_member_add(roost.id, roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.list_member_add(roost.id, roost.id, roost.account_ref) IS 'Puts an account on a list of the caller, who need not follow it; it is not told. Again: changes nothing. Returns the list. 42501 one of the two has blocked the other, 54000 there are 1,000 accounts on it, P0002 no such list or account.';
SELECT roost_internal.route('POST', '/lists/:list_id/members', 'roost.list_member_add', auth => 'user', limit_class => 'write');

CREATE OR REPLACE FUNCTION roost.list_member_remove(actor_id roost.id, list_id roost.id, account_id roost.account_ref) RETURNS roost.list
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_list_id constant bigint := roost_internal.list_own(actor_id, list_id, true);
	v_account_id constant bigint := roost_internal.account_resolve(account_id);
BEGIN
	DELETE FROM roost_data.list_member m WHERE m.list_id = v_list_id AND m.member_id = v_account_id;
	RETURN roost_internal.list_one(v_list_id);
END
$$;
REVOKE ALL ON FUNCTION roost.list_member_remove(roost.id, roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.list_member_remove(roost.id, roost.id, roost.account_ref) IS 'Takes an account off a list of the caller. Again: changes nothing. Returns the list. P0002 no such list or account.';
SELECT roost_internal.route('DELETE', '/lists/:list_id/members/:account_id', 'roost.list_member_remove', auth => 'user', limit_class => 'write');

CREATE OR REPLACE FUNCTION roost.account_list_list(actor_id roost.id, account_id roost.account_ref) RETURNS SETOF roost.list
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id constant bigint := roost_internal.account_resolve(account_id);
BEGIN
	RETURN QUERY
	SELECT l.id::roost.id, l.title, (SELECT count(*) FROM roost_data.list_member m WHERE m.list_id = l.id), l.created_at
	FROM roost_data.list_member t JOIN roost_data.list l ON l.id = t.list_id
	WHERE t.account_id = actor_id AND t.member_id = v_account_id
	ORDER BY l.id DESC;
END
$$;
REVOKE ALL ON FUNCTION roost.account_list_list(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_list_list(roost.id, roost.account_ref) IS 'The lists of the caller that an account is on, the newest first. P0002 no such account.';
SELECT roost_internal.route('GET', '/users/:account_id/lists', 'roost.account_list_list', auth => 'user');
