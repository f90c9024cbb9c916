-- What callers ask.

CREATE OR REPLACE FUNCTION roost_internal.search_hashtag_page(reader_id bigint, q text, "limit" integer, before text, after text) RETURNS TABLE (hashtag text, posts bigint)
LANGUAGE plpgsql STABLE ROWS 20
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_variable
DECLARE
	c_looked constant integer := 200;
	v_prefix constant text COLLATE "C" := roost_internal.hashtag_fold(ltrim(btrim(q), '#'));
	v_before constant bigint := (roost_internal.search_cursor('h', 1, before))[1];
	v_after constant bigint := (roost_internal.search_cursor('h', 1, after))[1];
	v_found text[];
	v_ids bigint[];
	v_count integer := 0;
BEGIN
	IF v_prefix = '' OR v_prefix ~ '\s' THEN
		RETURN;
	END IF;
	-- The most used of those that begin like that.
	CASE char_length(v_prefix)
		WHEN 1 THEN v_found := ARRAY(SELECT h.hashtag FROM roost_data.search_hashtag h WHERE left(h.hashtag, 1) = v_prefix ORDER BY h.magnitude DESC, h.hashtag LIMIT c_looked);
		WHEN 2 THEN v_found := ARRAY(SELECT h.hashtag FROM roost_data.search_hashtag h WHERE left(h.hashtag, 2) = v_prefix ORDER BY h.magnitude DESC, h.hashtag LIMIT c_looked);
		ELSE v_found := ARRAY(
			SELECT h.hashtag FROM (
				SELECT t.hashtag, t.magnitude FROM roost_data.search_hashtag t
				WHERE left(t.hashtag, 3) = left(v_prefix, 3) ORDER BY t.magnitude DESC, t.hashtag LIMIT 5000
			) h WHERE starts_with(h.hashtag, v_prefix) ORDER BY h.magnitude DESC, h.hashtag LIMIT c_looked);
	END CASE;
	FOR hashtag, posts IN
		SELECT r.hashtag, r.posts FROM (
			SELECT h.hashtag, h.posts, row_number() OVER (ORDER BY h.hashtag = v_prefix DESC, h.posts DESC, h.hashtag) AS place
			FROM roost_data.search_hashtag h
			WHERE h.hashtag = ANY (v_found || v_prefix) AND h.posts > 0
		) r
		WHERE (v_before IS NULL OR r.place > v_before) AND (v_after IS NULL OR r.place < v_after)
			AND NOT EXISTS (SELECT FROM roost_data.trend_hidden t WHERE t.hashtag = r.hashtag)
		ORDER BY r.place
	LOOP
		-- Nothing is told of hashtags whose posts the reader may not be shown.
		v_ids := ARRAY(SELECT t.post_id FROM roost_data.post_hashtag t WHERE t.hashtag = search_hashtag_page.hashtag ORDER BY t.post_id DESC LIMIT 50);
		IF (roost_internal.search_visible(reader_id, v_ids[:5], NULL, NULL)).visible_ids IS NOT NULL
			OR (roost_internal.search_visible(reader_id, v_ids[6:], NULL, NULL)).visible_ids IS NOT NULL THEN
			RETURN NEXT;
			v_count := v_count + 1;
			EXIT WHEN v_count >= "limit";
		END IF;
	END LOOP;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_hashtag_page(bigint, text, integer, text, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_hashtag_page(bigint, text, integer, text, text) IS 'A page of the hashtags that begin with a text, the one that is the text first, then the most used. Only those of whose newest 50 posts the reader may be shown one.';

CREATE OR REPLACE FUNCTION roost_internal.search_limit_check("limit" integer) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF "limit" IS NULL OR "limit" NOT BETWEEN 1 AND current_setting('roost.api_page_limit_max')::integer THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'limit', MESSAGE = 'the limit is out of range',
			DETAIL = format('It is between 1 and %s.', current_setting('roost.api_page_limit_max'));
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.search_limit_check(integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.search_limit_check(integer) IS 'Raises 22023 unless a page may be that long.';

CREATE OR REPLACE FUNCTION roost.search(
	q roost.search_text,
	actor_id roost.id DEFAULT NULL,
	type roost.search_type DEFAULT 'all',
	"order" roost.search_order DEFAULT 'recent',
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS roost.search_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_result roost.search_result;
	v_page record;
	v_ids bigint[];
	v_scores bigint[];
	v_hashtags roost.search_hashtag[];
BEGIN
	PERFORM roost_internal.search_limit_check("limit");
	type := CASE type WHEN 'tweets' THEN 'posts' WHEN 'users' THEN 'accounts' ELSE type END;
	IF type = 'all' AND (before IS NOT NULL OR after IS NOT NULL) THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = CASE WHEN before IS NULL THEN 'after' ELSE 'before' END, MESSAGE = 'only one kind of results has pages',
			HINT = 'Say which one: type is posts, accounts or hashtags.';
	END IF;
	v_result.partial := false;
	IF type IN ('all', 'posts') THEN
		v_page := roost_internal.search_post_page(actor_id, q, "order", "limit", before, after);
		v_result.posts := ARRAY(SELECT p FROM roost_internal.post_hydrate(actor_id, v_page.ids) p);
		v_result.partial := v_page.partial;
		v_result.next := v_page.next;
	END IF;
	IF type IN ('all', 'accounts') THEN
		SELECT array_agg(p.id ORDER BY p.score DESC, p.id DESC), array_agg(p.score ORDER BY p.score DESC, p.id DESC) INTO v_ids, v_scores
		FROM roost_internal.search_account_page(actor_id, q, "limit" + 1, before, after) p;
		v_result.accounts := ARRAY(SELECT a FROM roost_internal.account_hydrate(actor_id, v_ids[:"limit"]) a);
		IF cardinality(v_ids) > "limit" THEN
			v_result.next := format('a.%s.%s', v_scores["limit"], v_ids["limit"]);
		END IF;
	END IF;
	IF type IN ('all', 'hashtags') THEN
		v_hashtags := ARRAY(SELECT ROW(h.hashtag, h.posts)::roost.search_hashtag FROM roost_internal.search_hashtag_page(actor_id, q, "limit" + 1, before, after) h);
		v_result.hashtags := v_hashtags[:"limit"];
		IF cardinality(v_hashtags) > "limit" THEN
			v_result.next := format('h.%s', coalesce((roost_internal.search_cursor('h', 1, before))[1], 0) + "limit");
		END IF;
	END IF;
	IF type = 'all' THEN
		v_result.next := NULL;
	END IF;
	RETURN v_result;
END
$$;
REVOKE ALL ON FUNCTION roost.search(roost.search_text, roost.id, roost.search_type, roost.search_order, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.search(roost.search_text, roost.id, roost.search_type, roost.search_order, integer, roost.cursor, roost.cursor) IS
'Posts, accounts and hashtags that a text finds: words (all of them), "phrases", -not, OR, prefix*, #tag, @name, from:, to:, since:, until:, has:media, has:link, is:reply, is:quote, lang: (docs/search.md). type: one kind only, which then has pages by before and after. order: of posts. Nothing is found that the caller may not see or does not want to; what was just written can be found a moment later. 22023, column q, for a filter whose value means nothing; RO429 too many e-mail addresses were looked for.';
SELECT roost_internal.route('GET', '/search', 'roost.search', auth => 'optional', limit_class => 'search', lane => 'slow', tags => '{search}');

CREATE OR REPLACE FUNCTION roost.search_posts(
	q roost.search_text,
	actor_id roost.id DEFAULT NULL,
	"order" roost.search_order DEFAULT 'recent',
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.post
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.search_limit_check("limit");
	RETURN QUERY SELECT h.* FROM roost_internal.search_post_page(actor_id, q, "order", search_posts."limit", before, after) p
	CROSS JOIN LATERAL roost_internal.post_hydrate(actor_id, p.ids) h;
END
$$;
REVOKE ALL ON FUNCTION roost.search_posts(roost.search_text, roost.id, roost.search_order, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.search_posts(roost.search_text, roost.id, roost.search_order, integer, roost.cursor, roost.cursor) IS 'The posts of roost.search(), as rows.';

CREATE OR REPLACE FUNCTION roost.search_accounts(
	q roost.search_text,
	actor_id roost.id DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.account
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.search_limit_check("limit");
	RETURN QUERY SELECT * FROM roost_internal.account_hydrate(actor_id,
		ARRAY(SELECT p.id FROM roost_internal.search_account_page(actor_id, q, search_accounts."limit", before, after) p ORDER BY p.score DESC, p.id DESC));
END
$$;
REVOKE ALL ON FUNCTION roost.search_accounts(roost.search_text, roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.search_accounts(roost.search_text, roost.id, integer, roost.cursor, roost.cursor) IS 'The accounts of roost.search(), as rows: by user name, the beginnings of words of their names, similar names, and the whole e-mail address of those who allow that.';

CREATE OR REPLACE FUNCTION roost.search_hashtags(
	q roost.search_text,
	actor_id roost.id DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.search_hashtag
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM roost_internal.search_limit_check("limit");
	RETURN QUERY SELECT h.hashtag, h.posts FROM roost_internal.search_hashtag_page(actor_id, q, search_hashtags."limit", before, after) h;
END
$$;
REVOKE ALL ON FUNCTION roost.search_hashtags(roost.search_text, roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.search_hashtags(roost.search_text, roost.id, integer, roost.cursor, roost.cursor) IS 'The hashtags of roost.search(), as rows: those that begin with the text, the most used first.';
