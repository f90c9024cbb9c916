-- What a home timeline is.

CREATE OR REPLACE FUNCTION roost_internal.timeline_definition(
	reader_id bigint,
	replies roost.timeline_replies DEFAULT 'following',
	own boolean DEFAULT true
) RETURNS TABLE (id bigint, post_id bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH known AS (
		SELECT pg_catalog.unnest(roost_internal.followee_ids(reader_id)) AS account_id UNION ALL SELECT reader_id
	)
	SELECT e.id, p.id
	FROM roost_data.post e
	JOIN roost_data.account ea ON ea.id = e.author_id
	JOIN roost_data.post p ON p.id = coalesce(e.retweet_of_id, e.id)
	JOIN roost_data.account pa ON pa.id = p.author_id
	WHERE e.author_id IN (SELECT account_id FROM known)
		AND (own OR e.author_id <> reader_id)
		AND CASE replies
			WHEN 'all' THEN true
			WHEN 'following' THEN e.reply_to_account_id IS NULL OR e.reply_to_account_id IN (SELECT account_id FROM known)
			ELSE e.reply_to_account_id IS NULL END
		AND roost_internal.may_see(reader_id, e.author_id, e.visibility, e.state, e.mention_ids, ea.is_private, ea.limited_at IS NOT NULL, ea.status)
		AND roost_internal.may_see(reader_id, p.author_id, p.visibility, p.state, p.mention_ids, pa.is_private, pa.limited_at IS NOT NULL, pa.status)
		AND roost_internal.wants(reader_id, e.author_id, e.text, e.content_warning, e.hashtags)
		AND roost_internal.wants(reader_id, p.author_id, p.text, p.content_warning, p.hashtags)
$$;
REVOKE ALL ON FUNCTION roost_internal.timeline_definition(bigint, roost.timeline_replies, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.timeline_definition(bigint, roost.timeline_replies, boolean) IS 'The home timeline of a reader, by definition: every entry that the reader may see and wants to, and the post it shows (another one for a retweet). A page is its entries newest first, each post only where it appears first. Slow; what is fast must equal it.';
