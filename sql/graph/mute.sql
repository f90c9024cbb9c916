-- Mutes: of whom an account does not want to be shown anything unasked.

CREATE OR REPLACE FUNCTION roost_internal.duration_end(duration bigint) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF duration NOT BETWEEN 1 AND 315360000 THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'duration', MESSAGE = 'invalid duration',
			DETAIL = 'It is a number of seconds from 1 to 315360000 (ten years).';
	END IF;
	RETURN roost_internal.clock_now() + duration * interval '1 second';
END
$$;
REVOKE ALL ON FUNCTION roost_internal.duration_end(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.duration_end(bigint) IS 'When so many seconds will have passed; null for null. 22023 unless it is from 1 second to ten years.';

CREATE OR REPLACE FUNCTION roost.account_mute(
	actor_id roost.id, account_id roost.account_ref,
	duration bigint DEFAULT NULL, notifications boolean DEFAULT true
) RETURNS roost.relationship
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id constant bigint := roost_internal.account_resolve(account_id);
	v_end constant timestamptz := roost_internal.duration_end(duration);
	v_now constant timestamptz := roost_internal.clock_now();
BEGIN
	IF v_account_id = actor_id THEN
		RAISE EXCEPTION USING ERRCODE = '23514', COLUMN = 'account_id', MESSAGE = 'an account cannot mute itself';
	END IF;
	PERFORM roost_internal.pair_exist(actor_id, v_account_id);
	INSERT INTO roost_data.account_mute AS m (account_id, muted_id, id, notifications, expires_at)
	VALUES (actor_id, v_account_id, roost_internal.id_next(actor_id), coalesce(account_mute.notifications, true), v_end)
	ON CONFLICT ON CONSTRAINT account_mute_pkey DO UPDATE SET
		notifications = excluded.notifications, expires_at = excluded.expires_at,
		-- One that has expired is as if it were not there.
		id = CASE WHEN m.expires_at <= v_now THEN excluded.id ELSE m.id END,
		created_at = CASE WHEN m.expires_at <= v_now THEN excluded.created_at ELSE m.created_at END;
	RETURN roost_internal.relationship(actor_id, v_account_id);
END
$$;
REVOKE ALL ON FUNCTION roost.account_mute(roost.id, roost.account_ref, bigint, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_mute(roost.id, roost.account_ref, bigint, boolean) IS 'Mutes an account: its posts are not shown to the caller unasked any more, for so many seconds (duration, up to ten years) or until it is unmuted. Unless notifications is false, the caller is not notified of what it does either. The account is not told, and follows stay. Again: the new duration and notifications count. Returns the relationship. 22023 invalid duration, 23514 oneself, P0002 no such account.';
SELECT roost_internal.route('POST', '/users/:account_id/mute', 'roost.account_mute', auth => 'user', limit_class => 'write');

CREATE OR REPLACE FUNCTION roost.account_unmute(actor_id roost.id, account_id roost.account_ref) RETURNS roost.relationship
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id constant bigint := roost_internal.account_resolve(account_id);
BEGIN
	DELETE FROM roost_data.account_mute m WHERE m.account_id = actor_id AND m.muted_id = v_account_id;
	RETURN roost_internal.relationship(actor_id, v_account_id);
END
$$;
REVOKE ALL ON FUNCTION roost.account_unmute(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_unmute(roost.id, roost.account_ref) IS 'Shows posts of an account again, and notifies of what it does, also of what it did meanwhile. Again: changes nothing. Returns the relationship. P0002 no such account.';
SELECT roost_internal.route('POST', '/users/:account_id/unmute', 'roost.account_unmute', auth => 'user', limit_class => 'write');
SELECT roost_internal.route('DELETE', '/users/:account_id/mute', 'roost.account_unmute', auth => 'user', limit_class => 'write');

CREATE OR REPLACE FUNCTION roost.mute_list(
	actor_id roost.id,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.muted_account
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_now constant timestamptz := roost_internal.clock_now();
BEGIN
	RETURN QUERY
	WITH page AS MATERIALIZED (
		SELECT m.muted_id, m.id, m.notifications, m.expires_at, m.created_at
		FROM roost_data.account_mute m JOIN roost_data.account a ON a.id = m.muted_id AND a.status = 'active'
		WHERE m.account_id = actor_id AND m.id < v_before AND m.id > v_after AND (m.expires_at IS NULL OR m.expires_at > v_now)
		ORDER BY m.id DESC
		LIMIT mute_list."limit"
	)
	SELECT h::roost.account, p.notifications, p.expires_at, p.created_at, p.id
	FROM roost_internal.account_hydrate(actor_id, ARRAY(SELECT q.muted_id FROM page q ORDER BY q.id DESC), ARRAY(SELECT q.id FROM page q ORDER BY q.id DESC)) h
	JOIN page p ON p.id = h.cursor
	ORDER BY p.id DESC;
END
$$;
REVOKE ALL ON FUNCTION roost.mute_list(roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.mute_list(roost.id, integer, roost.cursor, roost.cursor) IS 'The accounts that the caller has muted, the last one first, and until when. Nobody else gets this list.';
SELECT roost_internal.route('GET', '/mutes', 'roost.mute_list', auth => 'user');

CREATE OR REPLACE FUNCTION roost_internal.graph_maintenance() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
	v_mutes bigint;
	v_words bigint;
BEGIN
	DELETE FROM roost_data.account_mute m WHERE m.expires_at <= v_now;
	GET DIAGNOSTICS v_mutes = ROW_COUNT;
	DELETE FROM roost_data.muted_word w WHERE w.expires_at <= v_now;
	GET DIAGNOSTICS v_words = ROW_COUNT;
	RETURN v_mutes + v_words;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.graph_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.graph_maintenance() IS 'Deletes mutes and muted words that have expired. Returns how many.';
