-- The home timeline, read by pull: followees first, then their newest posts.
--
-- Only ids are read until a page is known, in index-only scans of post
-- (author_id, id DESC), one for each followee.  With more followees than the
-- page has places, a first round stops each scan at its first entry, the head.
-- Those whose head is not among the page's number of newest heads cannot have
-- an entry on the page, and nothing older than these heads can be on it either.
-- So the cost is one index probe a followee and two pages of entries, whatever
-- the accounts post.

CREATE OR REPLACE FUNCTION roost_internal.timeline_newest(
	author_ids bigint[],
	known_ids bigint[],
	"limit" integer,
	before_id bigint,
	after_id bigint,
	replies roost.timeline_replies
) RETURNS bigint[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_authors bigint[] := author_ids;
	v_floor bigint := after_id + 1;
BEGIN
	IF pg_catalog.cardinality(author_ids) > timeline_newest."limit" THEN
		SELECT pg_catalog.array_agg(h.author_id),
			CASE WHEN pg_catalog.count(*) < timeline_newest."limit" THEN v_floor ELSE pg_catalog.min(h.id) END
		INTO v_authors, v_floor
		FROM (
			SELECT a.author_id, e.id
			FROM pg_catalog.unnest(author_ids) a (author_id)
			CROSS JOIN LATERAL (
				SELECT p.id FROM roost_data.post p
				WHERE p.author_id = a.author_id AND p.id < before_id AND p.id > after_id
					AND (p.reply_to_account_id IS NULL OR replies = 'all'
						OR replies = 'following' AND p.reply_to_account_id IN (SELECT pg_catalog.unnest(known_ids)))
				ORDER BY p.id DESC
				LIMIT 1
			) e
			ORDER BY e.id DESC
			LIMIT timeline_newest."limit"
		) h;
	END IF;
	RETURN ARRAY(
		SELECT e.id
		FROM pg_catalog.unnest(v_authors) a (author_id)
		CROSS JOIN LATERAL (
			SELECT p.id FROM roost_data.post p
			WHERE p.author_id = a.author_id AND p.id < before_id AND p.id >= v_floor
				AND (p.reply_to_account_id IS NULL OR replies = 'all'
					OR replies = 'following' AND p.reply_to_account_id IN (SELECT pg_catalog.unnest(known_ids)))
			ORDER BY p.id DESC
			LIMIT timeline_newest."limit"
		) e
		ORDER BY e.id DESC
		LIMIT timeline_newest."limit");
END
$$;
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
	v_want integer := timeline_home_ids."limit" + 4;
	v_newest bigint[];
	v_ids bigint[];
	v_posts bigint[];
	v_page bigint[] := '{}';
	v_seen bigint[] := '{}';
BEGIN
	LOOP
		v_newest := roost_internal.timeline_newest(CASE WHEN own THEN v_known ELSE v_followees END, v_known,
			v_want, v_before, after_id, replies);
		SELECT pg_catalog.array_agg(s.id ORDER BY s.id DESC), pg_catalog.array_agg(s.post_id) INTO v_ids, v_posts
		FROM (
			SELECT pg_catalog.max(e.id) AS id, coalesce(e.retweet_of_id, e.id) AS post_id
			FROM roost_data.post e JOIN roost_data.account a ON a.id = e.author_id
			WHERE e.id = ANY (v_newest) AND coalesce(e.retweet_of_id, e.id) <> ALL (v_seen)
				AND roost_internal.may_see(reader_id, e.author_id, e.visibility, e.mention_ids, a.is_private, a.status)
				AND (e.retweet_of_id IS NULL OR EXISTS (
					SELECT FROM roost_data.post p JOIN roost_data.account pa ON pa.id = p.author_id
					WHERE p.id = e.retweet_of_id
						AND roost_internal.may_see(reader_id, p.author_id, p.visibility, p.mention_ids, pa.is_private, pa.status)))
			GROUP BY 2
		) s;
		v_page := v_page || v_ids;
		EXIT WHEN pg_catalog.cardinality(v_newest) < v_want
			OR pg_catalog.cardinality(v_page) >= timeline_home_ids."limit";
		v_before := v_newest[v_want];
		v_seen := v_seen || v_posts;
		v_want := v_want * 2;
	END LOOP;
	RETURN v_page[1:timeline_home_ids."limit"];
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
