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
BEGIN
	IF "order" = 'top' THEN
		RETURN QUERY SELECT * FROM roost_internal.timeline_top(actor_id, timeline_home."limit", v_before, v_after, replies, own);
	ELSE
		RETURN QUERY SELECT * FROM roost_internal.timeline_home_page(actor_id, timeline_home."limit", v_before, v_after, replies, own);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.timeline_home(roost.id, integer, roost.cursor, roost.cursor, roost.timeline_order, roost.timeline_replies, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost.timeline_home(roost.id, integer, roost.cursor, roost.cursor, roost.timeline_order, roost.timeline_replies, boolean) IS 'The home timeline: posts and retweets of the accounts that the caller follows and, unless own is false, its own; each post once a page. order: recent (newest first) or top. replies: following (replies to accounts it follows and to itself), all or none. Cursors of one order mean nothing in the other.';
SELECT roost_internal.route('GET', '/tweets/home', 'roost.timeline_home', auth => 'user', tags => '{timeline}');
