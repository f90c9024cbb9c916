-- Posts as their readers see them.

CREATE OR REPLACE FUNCTION roost_internal.post_embeds(viewer_id bigint, ids bigint[]) RETURNS SETOF roost.post_embed
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT p.id::roost.id,
		ROW(a.id, a.username, a.display_name, a.avatar_url)::roost.author,
		p.text, p.created_at, p.edited_at, p.visibility,
		p.reply_to_id::roost.id, p.reply_to_account_id::roost.id, p.thread_id::roost.id, p.quote_of_id::roost.id,
		s.like_count, s.retweet_count, s.reply_count, s.quote_count,
		EXISTS (SELECT FROM roost_data.post_like l WHERE l.account_id = viewer_id AND l.post_id = p.id),
		EXISTS (SELECT FROM roost_data.post r WHERE r.author_id = viewer_id AND r.retweet_of_id = p.id),
		EXISTS (SELECT FROM roost_data.post_bookmark b WHERE b.account_id = viewer_id AND b.post_id = p.id),
		p.pinned_at IS NOT NULL,
		coalesce(p.mentions, '[]'), coalesce(p.hashtags, '{}'), coalesce(p.urls, '[]'), coalesce(p.media, '[]'),
		p.language, p.content_warning,
		roost_internal.post_path(a.username, p.id, CASE WHEN p.content_warning IS NULL THEN p.text ELSE '' END)
	FROM roost_data.post p
	JOIN roost_data.account a ON a.id = p.author_id
	CROSS JOIN LATERAL (
		SELECT coalesce(sum(t.like_count), 0)::bigint AS like_count, coalesce(sum(t.retweet_count), 0)::bigint AS retweet_count,
			coalesce(sum(t.reply_count), 0)::bigint AS reply_count, coalesce(sum(t.quote_count), 0)::bigint AS quote_count
		FROM roost_data.post_stat t WHERE t.post_id = p.id
	) s
	WHERE p.id = ANY (ids)
		AND roost_internal.may_see(viewer_id, p.author_id, p.visibility, p.mention_ids, a.is_private, a.status);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.post_embeds(bigint, bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_embeds(bigint, bigint[]) IS 'The posts that the viewer (null: a stranger) may see, in no order.';

CREATE OR REPLACE FUNCTION roost_internal.post_hydrate(viewer_id bigint, ids bigint[], cursors bigint[] DEFAULT NULL) RETURNS SETOF roost.post
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	WITH asked AS MATERIALIZED (
		SELECT i.id, i.n, coalesce(cursors[i.n], i.id) AS at, p.retweet_of_id, p.quote_of_id
		FROM pg_catalog.unnest(ids) WITH ORDINALITY i(id, n) JOIN roost_data.post p ON p.id = i.id
	), needed AS (
		SELECT pg_catalog.array_agg(DISTINCT v.id) AS ids
		FROM asked a, LATERAL (VALUES (a.id), (a.retweet_of_id), (a.quote_of_id)) v(id)
	), seen AS MATERIALIZED (
		SELECT e.id, e FROM needed, roost_internal.post_embeds(viewer_id, needed.ids) e
	)
	SELECT (s.e).*, r.e, q.e, a.at
	FROM asked a JOIN seen s USING (id) LEFT JOIN seen r ON r.id = a.retweet_of_id LEFT JOIN seen q ON q.id = a.quote_of_id
	WHERE a.retweet_of_id IS NULL OR r.id IS NOT NULL
	ORDER BY a.n;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.post_hydrate(bigint, bigint[], bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_hydrate(bigint, bigint[], bigint[]) IS 'The posts with these ids, in this order, as the viewer (null: a stranger) sees them; those that it may not see or that are gone are left out, and so is a retweet whose original is. cursor is the id, or what cursors has at its place.';
