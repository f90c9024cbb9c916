-- Posts that are found: candidates from the index, then what the tables show.

CREATE OR REPLACE FUNCTION roost_internal.search_cursor(kind text, count integer, cursor text) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF cursor IS NULL THEN
		RETURN NULL;
	ELSIF cursor !~ format('^%s(\.-?[0-9]{1,18}|\.[0-9]{19}){%s}$', kind, count) THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'before', MESSAGE = 'the position is none that this list has given';
	END IF;
	RETURN (string_to_array(cursor, '.'))[2:]::bigint[];
EXCEPTION WHEN numeric_value_out_of_range THEN
	RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'before', MESSAGE = 'the position is none that this list has given';
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_cursor(text, integer, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_cursor(text, integer, text) IS 'The numbers of a position of this kind; null for null, 22023 if it is none.';

CREATE OR REPLACE FUNCTION roost_internal.search_visible(reader_id bigint, ids bigint[], ranks real[], exact tsquery, OUT visible_ids bigint[], OUT visible_ranks real[])
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	SELECT array_agg(i.id ORDER BY i.n), array_agg(i.rank ORDER BY i.n) INTO visible_ids, visible_ranks
	FROM unnest(ids, ranks) WITH ORDINALITY AS i (id, rank, n)
	CROSS JOIN LATERAL (SELECT t.* FROM roost_data.post t WHERE t.id = i.id) p
	CROSS JOIN LATERAL (SELECT t.is_private, t.limited_at, t.status FROM roost_data.account t WHERE t.id = p.author_id) a
	WHERE p.retweet_of_id IS NULL
		AND (p.author_id = reader_id
			OR p.state = 'visible'
				AND (p.visibility = 'public' AND NOT a.is_private AND a.limited_at IS NULL
					OR p.visibility IN ('public', 'followers')
						AND EXISTS (SELECT FROM roost_data.follow f WHERE f.follower_id = reader_id AND f.followee_id = p.author_id))
				AND coalesce((SELECT s.posts_indexed FROM roost_data.search_setting s WHERE s.account_id = p.author_id), true))
		AND roost_internal.may_see(reader_id, p.author_id, p.visibility, p.state, p.mention_ids, a.is_private, a.limited_at IS NOT NULL, a.status)
		AND roost_internal.wants(reader_id, p.author_id, p.text, p.content_warning, p.hashtags)
		-- What was edited may be indexed as it was before.
		AND (p.edited_at IS NULL OR exact IS NULL
			OR roost_internal.search_vector(roost_internal.search_text(p.text, p.content_warning, p.media), p.language,
				roost_internal.search_marks(p.author_id, p.visibility, p.reply_to_id, p.reply_to_account_id, p.quote_of_id, p.language, p.mention_ids, p.media)) @@ exact);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_visible(bigint, bigint[], real[], tsquery) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_visible(bigint, bigint[], real[], tsquery) IS 'Those of the posts, and their ranks, that the reader may be shown among what it looks for: its own; public ones of accounts that are neither private nor limited; of accounts that it follows also those for followers; none of accounts that do not want their posts found, that are muted or blocked.';

CREATE OR REPLACE FUNCTION roost_internal.search_scan(
	no integer, dense boolean, exact tsquery, loose tsquery, rank tsquery, before bigint, after bigint, "limit" integer,
	OUT ids bigint[], OUT ranks real[], OUT looked bigint, OUT low_id bigint)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
	v_rank constant text := CASE WHEN rank IS NULL THEN '0::real' ELSE 'ts_rank_cd(''{0.4, 0.4, 0.7, 1}'', c.tsv, $6, 36)' END;
	v_found constant text := format('array_agg(c.id ORDER BY c.id DESC) FILTER (WHERE c.tsv @@ $1 AND c.id < $2 AND c.id > $3),
		array_agg(%s ORDER BY c.id DESC) FILTER (WHERE c.tsv @@ $1 AND c.id < $2 AND c.id > $3), count(*), min(c.id)', v_rank);
BEGIN
	IF dense THEN
		EXECUTE format('SELECT %s FROM (SELECT t.id, t.tsv FROM roost_data.search_post_%s t WHERE t.id < $2 AND t.id > $3 ORDER BY t.id DESC LIMIT $5) c', v_found, no)
		INTO ids, ranks, looked, low_id USING exact, before, after, loose, "limit", rank;
	ELSE
		EXECUTE format('SELECT %s FROM (SELECT t.id, t.tsv FROM roost_data.search_post_%s t WHERE t.tsv @@ $4 LIMIT $5) c', v_found, no)
		INTO ids, ranks, looked, low_id USING exact, before, after, loose, "limit", rank;
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_scan(integer, boolean, tsquery, tsquery, tsquery, bigint, bigint, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_scan(integer, boolean, tsquery, tsquery, tsquery, bigint, bigint, integer) IS 'What matches in a part of the index, newest first, with ranks. dense: among the next "limit" posts, down to low_id. Else among the first "limit" that the GIN index has for the loose query; only if looked is less, that was all.';

CREATE OR REPLACE FUNCTION roost_internal.search_find(
	reader_id bigint, exact tsquery, loose tsquery, rank tsquery, before bigint, after bigint, "limit" integer,
	OUT ids bigint[], OUT ranks real[], OUT stopped_id bigint)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	c_step constant integer := 500;
	c_sparse constant integer := 2000;
	v_deadline constant timestamptz := clock_timestamp() + current_setting('roost.search_time')::interval;
	v_budget bigint := current_setting('roost.search_effort');
	v_before bigint := before;
	v_part record;
	v_scan record;
	v_seen record;
	v_first boolean := true;
	v_dense boolean;
	v_from integer;
	v_to integer;
BEGIN
	ids := '{}';
	ranks := '{}';
	FOR v_part IN SELECT p.no, p.low_id FROM roost_data.search_part p WHERE p.low_id < v_before AND p.posts > 0 ORDER BY p.low_id DESC LOOP
		EXIT WHEN v_before <= after + 1;
		-- What is common is found among the newest; the rest by the index; what that has too much of by looking on.
		v_dense := v_first;
		LOOP
			v_scan := roost_internal.search_scan(v_part.no, v_dense, exact, loose, rank, v_before, after, CASE WHEN v_dense THEN c_step ELSE c_sparse END);
			v_budget := v_budget - v_scan.looked;
			IF NOT v_dense AND v_scan.looked >= c_sparse THEN
				v_dense := true;
				CONTINUE;
			END IF;
			v_from := 1;
			WHILE v_from <= coalesce(cardinality(v_scan.ids), 0) LOOP
				v_to := least(v_from + greatest("limit" - cardinality(ids), 10) + 5, cardinality(v_scan.ids));
				v_seen := roost_internal.search_visible(reader_id, v_scan.ids[v_from:v_to], v_scan.ranks[v_from:v_to], exact);
				ids := ids || v_seen.visible_ids;
				ranks := ranks || v_seen.visible_ranks;
				v_budget := v_budget - 3 * coalesce(cardinality(v_seen.visible_ids), 0);
				IF cardinality(ids) >= "limit" THEN
					ids := ids[:"limit"];
					ranks := ranks[:"limit"];
					RETURN;
				END IF;
				v_from := v_to + 1;
			END LOOP;
			-- It stops between two steps: a place within one would be a post that matches, and that the reader may not see.
			IF v_dense AND v_scan.looked >= c_step THEN
				v_before := v_scan.low_id;
			ELSE
				v_before := v_part.low_id;
			END IF;
			IF v_budget <= 0 OR clock_timestamp() > v_deadline THEN
				IF v_before > after + 1 AND v_before > 0 THEN
					stopped_id := v_before;
				END IF;
				RETURN;
			END IF;
			EXIT WHEN v_before = v_part.low_id;
			IF v_first THEN
				v_first := false;
				v_dense := false;
			END IF;
		END LOOP;
		v_first := false;
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_find(bigint, tsquery, tsquery, tsquery, bigint, bigint, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_find(bigint, tsquery, tsquery, tsquery, bigint, bigint, integer) IS 'The newest posts between after and before that match and that the reader may be shown, with their ranks, at most "limit". The work is bounded by roost.search_effort and roost.search_time: if that ends it, stopped_id is how far it has come; everything from there on has been looked at.';

CREATE OR REPLACE FUNCTION roost_internal.search_post_score(text_rank real, created_at timestamptz, likes numeric, replies numeric, retweets numeric, quotes numeric) RETURNS bigint
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT round((4 * $1
		+ ln(1 + greatest($3 + 2 * $4 + 3 * $5 + 3 * $6, 0)::double precision) / ln(2::double precision)
		+ extract(epoch FROM $2)::double precision / 86400) * 1000)::bigint
$$;
REVOKE ALL ON FUNCTION roost_internal.search_post_score(real, timestamptz, numeric, numeric, numeric, numeric) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_post_score(real, timestamptz, numeric, numeric, numeric, numeric) IS 'The score of a post that was found, in thousandths: 4 times its rank by the text (0 to 1), the logarithm to the base of 2 of what others did to it, and one for each day. So a day of age is made up for by twice as many likes, and the order of two posts does not depend on when one looks.';

CREATE OR REPLACE FUNCTION roost_internal.search_post_page(
	reader_id bigint, q text, "order" roost.search_order, "limit" integer, before text, after text,
	OUT ids bigint[], OUT next text, OUT partial boolean)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	c_pool constant integer := 200;
	v_language constant text := (SELECT a.language FROM roost_data.account a WHERE a.id = reader_id);
	v_query record := roost_internal.search_query(q, reader_id, v_language, split_part(current_setting('default_text_search_config'), '.', -1));
	v_seen constant text := '(''seen:public''' || CASE WHEN reader_id IS NULL THEN ')' ELSE format(' | ''seen:followers'' | ''from:%s'')', reader_id) END;
	v_exact tsquery;
	v_loose tsquery;
	v_before bigint := 9223372036854775807;
	v_after bigint := 0;
	v_position bigint[];
	v_found record;
	v_scores bigint[];
BEGIN
	ids := '{}';
	partial := false;
	IF v_query.exact IS NULL AND v_query.since IS NULL AND v_query.until IS NULL THEN
		RETURN;
	END IF;
	v_exact := concat_ws(' & ', v_seen, v_query.exact);
	v_loose := concat_ws(' & ', v_seen, v_query.loose);
	IF v_query.until IS NOT NULL THEN
		v_before := roost_internal.id_floor(v_query.until);
	END IF;
	IF v_query.since IS NOT NULL THEN
		v_after := roost_internal.id_floor(v_query.since) - 1;
	END IF;

	IF "order" = 'recent' THEN
		v_before := least(v_before, roost_internal.cursor_id(before));
		v_after := greatest(v_after, roost_internal.cursor_id(after));
		v_found := roost_internal.search_find(reader_id, v_exact, v_loose, NULL, v_before, v_after, "limit" + 1);
		ids := v_found.ids[:"limit"];
		IF cardinality(v_found.ids) > "limit" THEN
			next := ids["limit"];
		ELSIF v_found.stopped_id IS NOT NULL THEN
			next := v_found.stopped_id;
			partial := true;
		END IF;
		RETURN;
	END IF;

	-- The newest that match, up to where the first page began, by their scores.
	v_position := coalesce(roost_internal.search_cursor('t', 3, before), roost_internal.search_cursor('t', 3, after));
	IF v_position IS NOT NULL THEN
		v_before := least(v_before, v_position[1]);
	END IF;
	v_found := roost_internal.search_find(reader_id, v_exact, v_loose, v_query.rank::tsquery, v_before, v_after, c_pool);
	partial := v_found.stopped_id IS NOT NULL OR cardinality(v_found.ids) >= c_pool;
	SELECT array_agg(r.id ORDER BY r.score DESC, r.id DESC), array_agg(r.score ORDER BY r.score DESC, r.id DESC) INTO ids, v_scores
	FROM (
		SELECT s.id, s.score FROM (
			SELECT i.id, roost_internal.search_post_score(i.rank, p.created_at, c.likes, c.replies, c.retweets, c.quotes) AS score
			FROM unnest(v_found.ids, v_found.ranks) AS i (id, rank)
			CROSS JOIN LATERAL (SELECT t.created_at FROM roost_data.post t WHERE t.id = i.id) p
			CROSS JOIN LATERAL (SELECT coalesce(sum(t.like_count), 0) AS likes, coalesce(sum(t.reply_count), 0) AS replies,
					coalesce(sum(t.retweet_count), 0) AS retweets, coalesce(sum(t.quote_count), 0) AS quotes
				FROM roost_data.post_stat t WHERE t.post_id = i.id) c
		) s
		WHERE CASE WHEN before IS NOT NULL THEN (s.score, s.id) < (v_position[2], v_position[3])
			WHEN after IS NOT NULL THEN (s.score, s.id) > (v_position[2], v_position[3]) ELSE true END
		ORDER BY s.score DESC, s.id DESC LIMIT search_post_page."limit" + 1
	) r;
	ids := coalesce(ids, '{}');
	IF cardinality(ids) > "limit" THEN
		next := format('t.%s.%s.%s', coalesce(v_position[1], v_found.ids[1] + 1), v_scores["limit"], ids["limit"]);
		ids := ids[:"limit"];
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_post_page(bigint, text, roost.search_order, integer, text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_post_page(bigint, text, roost.search_order, integer, text, text) IS 'A page of the posts that a reader finds. next is the position of the next page, null at the end. partial: not everything has been looked at; in the order recent, next goes on.';
