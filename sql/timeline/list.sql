-- The timeline of a list: what the accounts on it post.

CREATE OR REPLACE FUNCTION roost_internal.list_member_ids(list_id bigint) RETURNS bigint[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN ARRAY(SELECT m.member_id FROM roost_data.list_member m WHERE m.list_id = list_member_ids.list_id);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.list_member_ids(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.list_member_ids(bigint) IS 'The ids of the accounts on a list, in no particular order.';

CREATE OR REPLACE FUNCTION roost_internal.timeline_list_definition(
	reader_id bigint,
	member_ids bigint[],
	replies roost.timeline_replies DEFAULT 'following'
) RETURNS TABLE (id bigint, post_id bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	WITH known AS (
		SELECT pg_catalog.unnest(member_ids || roost_internal.followee_ids(reader_id) || reader_id) AS account_id
	)
	SELECT e.id, p.id
	FROM roost_data.post e
	JOIN roost_data.account ea ON ea.id = e.author_id
	JOIN roost_data.post p ON p.id = coalesce(e.retweet_of_id, e.id)
	JOIN roost_data.account pa ON pa.id = p.author_id
	WHERE e.author_id = ANY (member_ids)
		AND CASE replies
			WHEN 'all' THEN true
			WHEN 'following' THEN e.reply_to_account_id IS NULL OR e.reply_to_account_id IN (SELECT account_id FROM known)
			ELSE e.reply_to_account_id IS NULL END
		AND roost_internal.may_see(reader_id, e.author_id, e.visibility, e.state, e.mention_ids, ea.is_private, ea.limited_at IS NOT NULL, ea.status)
		AND roost_internal.may_see(reader_id, p.author_id, p.visibility, p.state, p.mention_ids, pa.is_private, pa.limited_at IS NOT NULL, pa.status)
		AND roost_internal.wants(reader_id, e.author_id, e.text, e.content_warning, e.hashtags)
		AND roost_internal.wants(reader_id, p.author_id, p.text, p.content_warning, p.hashtags)
$$;
REVOKE ALL ON FUNCTION roost_internal.timeline_list_definition(bigint, bigint[], roost.timeline_replies) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.timeline_list_definition(bigint, bigint[], roost.timeline_replies) IS 'The timeline of a list with these members, by definition, as roost_internal.timeline_definition().';

CREATE OR REPLACE FUNCTION roost_internal.timeline_list_ids(
	reader_id bigint,
	member_ids bigint[],
	"limit" integer,
	before_id bigint,
	after_id bigint,
	replies roost.timeline_replies
) RETURNS bigint[]
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'roost_timeline_list_ids';
REVOKE ALL ON FUNCTION roost_internal.timeline_list_ids(bigint, bigint[], integer, bigint, bigint, roost.timeline_replies) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.timeline_list_ids(bigint, bigint[], integer, bigint, bigint, roost.timeline_replies) IS 'One page of roost_internal.timeline_list_definition(): the ids of at most "limit" entries (20 if null) between the two ids (exclusive), newest first, each post once.';

CREATE OR REPLACE FUNCTION roost_internal.timeline_list_page(
	reader_id bigint,
	member_ids bigint[],
	"limit" integer,
	before_id bigint,
	after_id bigint,
	replies roost.timeline_replies
) RETURNS SETOF roost.post
LANGUAGE c STABLE ROWS 20
AS 'MODULE_PATHNAME', 'roost_timeline_list_posts';
REVOKE ALL ON FUNCTION roost_internal.timeline_list_page(bigint, bigint[], integer, bigint, bigint, roost.timeline_replies) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.timeline_list_page(bigint, bigint[], integer, bigint, bigint, roost.timeline_replies) IS 'The posts of roost_internal.timeline_list_ids(), for functions behind built-in routes; see roost_internal.post_page().';

CREATE OR REPLACE FUNCTION roost.timeline_list(
	actor_id roost.id,
	list_id roost.id,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL,
	replies roost.timeline_replies DEFAULT 'following'
) RETURNS SETOF roost.post
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_list_id constant bigint := roost_internal.list_own(actor_id, list_id);
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
BEGIN
	RETURN QUERY SELECT * FROM roost_internal.timeline_list_page(actor_id, roost_internal.list_member_ids(v_list_id),
		timeline_list."limit", v_before, v_after, replies);
END
$$;
REVOKE ALL ON FUNCTION roost.timeline_list(roost.id, roost.id, integer, roost.cursor, roost.cursor, roost.timeline_replies) FROM PUBLIC;
COMMENT ON FUNCTION roost.timeline_list(roost.id, roost.id, integer, roost.cursor, roost.cursor, roost.timeline_replies) IS 'The timeline of a list of the caller: posts and retweets of the accounts on it that the caller may see and has not muted, newest first, each post once a page. replies: following (replies to accounts that the caller follows, to those on the list and to itself), all or none. P0002 the caller has no such list.';
SELECT roost_internal.route('GET', '/lists/:list_id/tweets', 'roost.timeline_list', auth => 'user', tags => '{timeline}');
