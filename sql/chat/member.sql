-- Members of conversations.

CREATE OR REPLACE FUNCTION roost_internal.member_row(viewer_id bigint, conversation_id bigint, account_ids bigint[]) RETURNS SETOF roost.conversation_member
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_blocks constant boolean := viewer_id IS NOT NULL AND roost_internal.has_blocks(viewer_id);
BEGIN
	RETURN QUERY
	SELECT roost_internal.author(m.account_id), m.role, m.joined_at,
		(CASE WHEN s.shown THEN nullif(m.read_id, 0) END)::roost.id,
		(CASE WHEN s.shown THEN nullif(greatest(m.delivered_id, m.read_id), 0) END)::roost.id,
		m.account_id
	FROM unnest(account_ids) WITH ORDINALITY i (id, n)
	JOIN roost_data.conversation_member m ON m.conversation_id = member_row.conversation_id AND m.account_id = i.id,
	LATERAL (SELECT viewer_id IS NOT NULL AND NOT (v_blocks AND roost_internal.is_blocked(viewer_id, m.account_id)) AS shown) s
	ORDER BY i.n;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.member_row(bigint, bigint, bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.member_row(bigint, bigint, bigint[]) IS 'Members of a conversation as the viewer sees them, in the order of account_ids; who is no member is left out. Their markers are null without a viewer (in events) and where there is a block.';
