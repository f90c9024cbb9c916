-- What has to happen from time to time.

CREATE OR REPLACE FUNCTION roost_internal.chat_maintenance() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	c_batch constant integer := 1000;
	c_batches constant integer := 100;
	-- A minute later, so that nobody is just reacting to it.
	v_until constant timestamptz := roost_internal.clock_now() - interval '1 minute';
	v_gone record;
	v_count bigint := 0;
BEGIN
	FOR i IN 1 .. c_batches LOOP
		WITH old AS MATERIALIZED (
			SELECT x.conversation_id, x.id FROM roost_data.message x WHERE x.expires_at <= v_until ORDER BY x.expires_at LIMIT c_batch FOR UPDATE SKIP LOCKED
		), gone AS (
			DELETE FROM roost_data.message x USING old o WHERE x.conversation_id = o.conversation_id AND x.id = o.id
			RETURNING x.conversation_id, x.id, x.encrypted
		)
		SELECT array_agg(g.conversation_id) AS conversations, array_agg(g.id) AS messages, array_agg(g.id) FILTER (WHERE g.encrypted) AS encrypted, count(*) AS count INTO v_gone FROM gone g;
		-- What somebody is just deleting, with an account or a history, goes with that: nobody waits for each other in a circle.
		DELETE FROM roost_data.message_reaction r USING (
			SELECT o.conversation_id, o.message_id, o.account_id, o.reaction FROM roost_data.message_reaction o
			WHERE (o.conversation_id, o.message_id) IN (SELECT * FROM unnest(v_gone.conversations, v_gone.messages)) FOR UPDATE SKIP LOCKED) old
		WHERE r.conversation_id = old.conversation_id AND r.message_id = old.message_id AND r.account_id = old.account_id AND r.reaction = old.reaction;
		DELETE FROM roost_data.message_hidden h USING (
			SELECT o.conversation_id, o.message_id, o.account_id FROM roost_data.message_hidden o
			WHERE (o.conversation_id, o.message_id) IN (SELECT * FROM unnest(v_gone.conversations, v_gone.messages)) FOR UPDATE SKIP LOCKED) old
		WHERE h.conversation_id = old.conversation_id AND h.message_id = old.message_id AND h.account_id = old.account_id;
		PERFORM roost_internal.envelope_sweep(v_gone.encrypted) WHERE v_gone.encrypted IS NOT NULL;
		v_count := v_count + v_gone.count;
		EXIT WHEN v_gone.count < c_batch;
	END LOOP;
	RETURN v_count;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.chat_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.chat_maintenance() IS 'Deletes messages that have disappeared (nobody sees them from expires_at on) for more than a minute, with their reactions and envelopes, at most 100,000 at once. Returns how many.';
