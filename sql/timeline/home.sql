-- The home timeline, read by pull: followees first, then their newest posts.
--
-- Only ids are read until a page is known, from the index of post (author_id,
-- id DESC) alone.  See extension/timeline/newest.c.

CREATE OR REPLACE FUNCTION roost_internal.timeline_newest(
	author_ids bigint[],
	known_ids bigint[],
	"limit" integer,
	before_id bigint,
	after_id bigint,
	replies roost.timeline_replies
) RETURNS bigint[]
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'roost_timeline_newest';
REVOKE ALL ON FUNCTION roost_internal.timeline_newest(bigint[], bigint[], integer, bigint, bigint, roost.timeline_replies) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.timeline_newest(bigint[], bigint[], integer, bigint, bigint, roost.timeline_replies) IS 'The ids of the newest "limit" posts of the authors between the two ids (exclusive), newest first; of replies all, none, or only those to a known account.';

CREATE OR REPLACE FUNCTION roost_internal.timeline_home_ids(
	reader_id bigint,
	"limit" integer,
	before_id bigint,
	after_id bigint,
	replies roost.timeline_replies,
	own boolean
) RETURNS bigint[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_followees constant bigint[] := roost_internal.followee_ids(reader_id);
	v_known constant bigint[] := v_followees || reader_id;
	v_before bigint := before_id;
	v_limit constant integer := coalesce("limit", 20);
	v_want integer := v_limit + 4;
	v_newest bigint[];
	v_ids bigint[];
	v_posts bigint[];
	v_page bigint[] := '{}';
	v_seen bigint[] := '{}';
BEGIN
	LOOP
		v_newest := roost_internal.timeline_newest(CASE WHEN own THEN v_known ELSE v_followees END, v_known,
			v_want, v_before, after_id, replies);
		SELECT p.visible_ids, p.post_ids INTO v_ids, v_posts
		FROM roost_internal.post_visible(reader_id, v_newest, v_seen) p;
		v_page := v_page || v_ids;
		EXIT WHEN pg_catalog.cardinality(v_newest) < v_want
			OR pg_catalog.cardinality(v_page) >= v_limit;
		v_before := v_newest[v_want];
		v_seen := v_seen || v_posts;
		v_want := v_want * 2;
	END LOOP;
	RETURN v_page[1:v_limit];
END
$$;
REVOKE ALL ON FUNCTION roost_internal.timeline_home_ids(bigint, integer, bigint, bigint, roost.timeline_replies, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.timeline_home_ids(bigint, integer, bigint, bigint, roost.timeline_replies, boolean) IS 'One page of roost_internal.timeline_definition(): the ids of at most "limit" entries between the two ids (exclusive), newest first, each post once.';

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
		RETURN QUERY SELECT * FROM roost_internal.post_hydrate(actor_id, v_ids, v_ranks);
	ELSE
		RETURN QUERY SELECT * FROM roost_internal.post_hydrate(actor_id,
			roost_internal.timeline_home_ids(actor_id, timeline_home."limit", v_before, v_after, replies, own));
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.timeline_home(roost.id, integer, roost.cursor, roost.cursor, roost.timeline_order, roost.timeline_replies, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost.timeline_home(roost.id, integer, roost.cursor, roost.cursor, roost.timeline_order, roost.timeline_replies, boolean) IS 'The home timeline: posts and retweets of the accounts that the caller follows and, unless own is false, its own; each post once a page. order: recent (newest first) or top. replies: following (replies to accounts it follows and to itself), all or none. Cursors of one order mean nothing in the other.';
SELECT roost_internal.route('GET', '/tweets/home', 'roost.timeline_home', auth => 'user', tags => '{timeline}');
