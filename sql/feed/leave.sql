-- Taking the mailbox along, and leaving (see sql/account/leave.sql).

CREATE OR REPLACE FUNCTION roost_internal.feed_export(account_id bigint) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('kind', m.kind, 'account_id', m.actor_id::text, 'post_id', m.post_id::text,
		'created_at', m.created_at)) ORDER BY m.seq), '[]')
	FROM roost_internal.mailbox_read($1, coalesce((SELECT b.seq FROM roost_data.mailbox b WHERE b.account_id = $1 ORDER BY b.seq DESC OFFSET 500000 LIMIT 1), 0), NULL) m
$$;
REVOKE ALL ON FUNCTION roost_internal.feed_export(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_export(bigint) IS 'What others did to an account, as far as it is kept and the account may see it, oldest first: the newest 500,000 entries.';

CREATE OR REPLACE FUNCTION roost_internal.feed_account_delete(account_id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO roost_data.feed_trace (id, kind, row_id, account_id)
	VALUES (roost_internal.id_next(feed_account_delete.account_id), 'account_deleted', feed_account_delete.account_id, feed_account_delete.account_id);
	-- The worker empties the mailbox, as its only writer; where none works it is done here.
	IF current_database() <> current_setting('roost.database') THEN
		DELETE FROM roost_data.mailbox m WHERE m.account_id = feed_account_delete.account_id;
		DELETE FROM roost_data.mailbox m WHERE m.actor_id = feed_account_delete.account_id;
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.feed_account_delete(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_account_delete(bigint) IS 'Lets the worker remove the mailbox of an account, and what it did from those of others, as soon as the transaction has committed.';

CREATE OR REPLACE FUNCTION roost_internal.feed_maintenance() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_rows bigint;
BEGIN
	-- The worker removes them at once; this is for databases without one.
	DELETE FROM roost_data.feed_trace t
	WHERE t.id < roost_internal.id_floor(roost_internal.clock_now() - current_setting('roost.event_retention')::interval);
	GET DIAGNOSTICS v_rows = ROW_COUNT;
	RETURN v_rows;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.feed_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.feed_maintenance() IS 'Removes traces that are older than roost.event_retention. Returns how many.';
