-- The home timeline: pages of ids, then posts.

CREATE OR REPLACE FUNCTION roost_internal.timeline_home_ids(
	reader_id bigint,
	"limit" integer,
	before_id bigint,
	after_id bigint,
	replies roost.timeline_replies,
	own boolean
) RETURNS bigint[]
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'roost_timeline_home_ids';
REVOKE ALL ON FUNCTION roost_internal.timeline_home_ids(bigint, integer, bigint, bigint, roost.timeline_replies, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.timeline_home_ids(bigint, integer, bigint, bigint, roost.timeline_replies, boolean) IS 'One page of roost_internal.timeline_definition(): the ids of at most "limit" entries (20 if null) between the two ids (exclusive), newest first, each post once.';

CREATE OR REPLACE FUNCTION roost_internal.timeline_home_page(
	reader_id bigint,
	"limit" integer,
	before_id bigint,
	after_id bigint,
	replies roost.timeline_replies,
	own boolean
) RETURNS SETOF roost.post
LANGUAGE c STABLE ROWS 20
AS 'MODULE_PATHNAME', 'roost_timeline_home_posts';
REVOKE ALL ON FUNCTION roost_internal.timeline_home_page(bigint, integer, bigint, bigint, roost.timeline_replies, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.timeline_home_page(bigint, integer, bigint, bigint, roost.timeline_replies, boolean) IS 'The posts of roost_internal.timeline_home_ids(), for functions behind built-in routes; see roost_internal.post_page().';

CREATE OR REPLACE FUNCTION roost_internal.timeline_ids(reader_id bigint, "limit" integer) RETURNS bigint[]
LANGUAGE c STABLE STRICT
AS 'MODULE_PATHNAME', 'roost_timeline_ids';
REVOKE ALL ON FUNCTION roost_internal.timeline_ids(bigint, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.timeline_ids(bigint, integer) IS 'The newest "limit" candidates for a home timeline, newest first, without a look at the posts: the ids of everything that the reader and those it follows have posted. Posts that were deleted, or that nobody or not everybody sees, are among them.';

CREATE OR REPLACE FUNCTION roost_internal.timeline_top(
	reader_id bigint,
	"limit" integer,
	before_rank bigint,
	after_rank bigint,
	replies roost.timeline_replies,
	own boolean
) RETURNS TABLE (id bigint, rank bigint)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT r.id, r.rank
	FROM (
		SELECT e.id,
			-- the entry's id, its time moved by what the post has brought about
			e.id + ((43200000 * pg_catalog.log10(1 + s.engagement))::bigint << 16) AS rank
		FROM roost_data.post e
		CROSS JOIN LATERAL (
			SELECT greatest(coalesce(pg_catalog.sum(
				t.like_count + 2 * t.reply_count + 3 * t.retweet_count + 3 * t.quote_count), 0), 0)::double precision AS engagement
			FROM roost_data.post_stat t WHERE t.post_id = coalesce(e.retweet_of_id, e.id)
		) s
		WHERE e.id = ANY (roost_internal.timeline_home_ids(reader_id, 1000, 9223372036854775807, 0, replies, own))
	) r
	WHERE r.rank < before_rank AND r.rank > after_rank
	ORDER BY r.rank DESC, r.id DESC
	LIMIT timeline_top."limit";
END
$$;
REVOKE ALL ON FUNCTION roost_internal.timeline_top(bigint, integer, bigint, bigint, roost.timeline_replies, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.timeline_top(bigint, integer, bigint, bigint, roost.timeline_replies, boolean) IS 'The newest 1,000 entries of a home timeline, ranked: each stands where an entry without engagement would stand that is 12 hours younger per tenfold of 1 + likes + 2 replies + 3 retweets + 3 quotes. rank is a place between ids, and depends on nothing but the entry: pages do not shift as time goes by.';

CREATE OR REPLACE FUNCTION roost.timeline_home(
	actor_id roost.id,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL,
	"order" roost.timeline_order DEFAULT 'recent',
	replies roost.timeline_replies DEFAULT 'following',
	own boolean DEFAULT true
) RETURNS SETOF roost.post
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_ids bigint[];
	v_ranks bigint[];
BEGIN
	IF "order" = 'top' THEN
		SELECT pg_catalog.array_agg(t.id ORDER BY t.rank DESC, t.id DESC), pg_catalog.array_agg(t.rank ORDER BY t.rank DESC, t.id DESC)
		INTO v_ids, v_ranks
		FROM roost_internal.timeline_top(actor_id, timeline_home."limit", v_before, v_after, replies, own) t;
		RETURN QUERY SELECT * FROM roost_internal.post_page(actor_id, v_ids, v_ranks);
	ELSE
		RETURN QUERY SELECT * FROM roost_internal.timeline_home_page(actor_id, timeline_home."limit", v_before, v_after, replies, own);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.timeline_home(roost.id, integer, roost.cursor, roost.cursor, roost.timeline_order, roost.timeline_replies, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost.timeline_home(roost.id, integer, roost.cursor, roost.cursor, roost.timeline_order, roost.timeline_replies, boolean) IS 'The home timeline: posts and retweets of the accounts that the caller follows and, unless own is false, its own; each post once a page. order: recent (newest first) or top. replies: following (replies to accounts it follows and to itself), all or none. Cursors of one order mean nothing in the other.';
SELECT roost_internal.route('GET', '/tweets/home', 'roost.timeline_home', auth => 'user', tags => '{timeline}');
