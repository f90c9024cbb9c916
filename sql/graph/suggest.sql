-- Whom one might follow: accounts that those follow whom one follows.

CREATE OR REPLACE FUNCTION roost_internal.suggestion_find(
	reader_id bigint, "limit" integer, before_rank bigint, after_rank bigint,
	OUT account_id bigint, OUT rank bigint, OUT followed_by_ids bigint[], OUT followed_by_count bigint
) RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 200
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	WITH unwanted AS MATERIALIZED (
		SELECT t.blocked_id AS id FROM roost_data.account_block t WHERE t.account_id = reader_id
		UNION ALL SELECT t.account_id FROM roost_data.account_block t WHERE t.blocked_id = reader_id
		UNION ALL SELECT t.muted_id FROM roost_data.account_mute t
			WHERE t.account_id = reader_id AND (t.expires_at IS NULL OR t.expires_at > roost_internal.clock_now())
	), known AS MATERIALIZED (
		-- The newest 200 follows. Who follows many says little about each of them.
		SELECT f.followee_id AS id, 1 / ln(2 + greatest(coalesce(s.following, 0), 1)) AS weight
		FROM (SELECT t.followee_id FROM roost_data.follow t WHERE t.follower_id = reader_id ORDER BY t.id DESC LIMIT 200) f
		JOIN roost_data.account a ON a.id = f.followee_id AND a.status = 'active'
		CROSS JOIN LATERAL (SELECT sum(t.following_count)::double precision AS following FROM roost_data.account_stat t WHERE t.account_id = f.followee_id) s
	), edge AS MATERIALIZED (
		-- The newest 100 follows of each of them.
		SELECT k.id AS known_id, k.weight, c.id
		FROM known k
		CROSS JOIN LATERAL (SELECT t.followee_id AS id FROM roost_data.follow t WHERE t.follower_id = k.id ORDER BY t.id DESC LIMIT 100) c
		WHERE c.id <> reader_id
	), candidate AS MATERIALIZED (
		SELECT e.id, sum(e.weight) AS weight, count(*) AS known FROM edge e GROUP BY e.id
	), best AS MATERIALIZED (
		SELECT c.id, c.weight, c.known
		FROM candidate c
		WHERE NOT EXISTS (SELECT FROM roost_data.follow t WHERE t.follower_id = reader_id AND t.followee_id = c.id)
			AND NOT EXISTS (SELECT FROM roost_data.follow_request t WHERE t.follower_id = reader_id AND t.followee_id = c.id)
			AND NOT EXISTS (SELECT FROM roost_data.suggestion_dismissal t WHERE t.account_id = reader_id AND t.dismissed_id = c.id)
			AND NOT EXISTS (SELECT FROM unwanted u WHERE u.id = c.id)
		ORDER BY c.weight DESC, c.id
		LIMIT 200
	), scored AS MATERIALIZED (
		-- What everybody follows is no discovery.
		SELECT b.id, b.known, b.weight / ln(3 + greatest(coalesce(s.followers, 0), 0)) AS score
		FROM best b
		JOIN roost_data.account a ON a.id = b.id AND a.status = 'active' AND NOT a.is_private AND a.limited_at IS NULL
		CROSS JOIN LATERAL (SELECT sum(t.follower_count)::double precision AS followers FROM roost_data.account_stat t WHERE t.account_id = b.id) s
	), ranked AS (
		SELECT s.id, (greatest(least(s.score * 1000000, 2000000000), 1)::bigint << 32) + (hashint8(s.id)::bigint & 4294967295) AS rank, s.known
		FROM scored s
		UNION ALL
		-- What is popular comes after that, if it is wanted.
		SELECT p.account_id, 1000 - p.place::bigint, 0
		FROM roost_data.account_popular p
		JOIN roost_data.account a ON a.id = p.account_id AND a.status = 'active' AND NOT a.is_private AND a.limited_at IS NULL
		WHERE (SELECT count(*) FROM scored s WHERE s.score * 1000000 < (before_rank >> 32)) < suggestion_find."limit"
			AND p.account_id <> reader_id
			AND NOT EXISTS (SELECT FROM scored s WHERE s.id = p.account_id)
			AND NOT EXISTS (SELECT FROM roost_data.follow t WHERE t.follower_id = reader_id AND t.followee_id = p.account_id)
			AND NOT EXISTS (SELECT FROM roost_data.follow_request t WHERE t.follower_id = reader_id AND t.followee_id = p.account_id)
			AND NOT EXISTS (SELECT FROM roost_data.suggestion_dismissal t WHERE t.account_id = reader_id AND t.dismissed_id = p.account_id)
			AND NOT EXISTS (SELECT FROM unwanted u WHERE u.id = p.account_id)
	), page AS MATERIALIZED (
		SELECT r.* FROM ranked r WHERE r.rank < before_rank AND r.rank > after_rank ORDER BY r.rank DESC LIMIT suggestion_find."limit"
	), why AS (
		SELECT e.id, array_agg(e.known_id ORDER BY e.weight DESC, e.known_id) AS ids
		FROM edge e WHERE e.id IN (SELECT p.id FROM page p WHERE p.known > 0) GROUP BY e.id
	)
	SELECT p.id, p.rank, w.ids[1:3], p.known::bigint
	FROM page p LEFT JOIN why w ON w.id = p.id
	ORDER BY p.rank DESC;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.suggestion_find(bigint, integer, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.suggestion_find(bigint, integer, bigint, bigint) IS 'A page of accounts that a reader might follow, the highest rank first. followed_by_ids are up to three accounts that the reader follows and that follow it, followed_by_count how many there are; none for accounts that are merely popular. Looks at 200 accounts that the reader follows and 100 that each of these follows, the newest.';

CREATE OR REPLACE FUNCTION roost.account_suggested(
	actor_id roost.id,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.suggestion
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
BEGIN
	RETURN QUERY
	WITH page AS MATERIALIZED (
		SELECT s.* FROM roost_internal.suggestion_find(actor_id, coalesce(account_suggested."limit", 20), v_before, v_after) s
	)
	SELECT a::roost.account,
		ARRAY(SELECT ROW(k.id::roost.id, k.username, k.display_name, k.avatar_url)::roost.author
			FROM pg_catalog.unnest(p.followed_by_ids) WITH ORDINALITY AS f (id, n) JOIN roost_data.account k ON k.id = f.id ORDER BY f.n),
		p.followed_by_count, p.rank
	FROM roost_internal.account_hydrate(actor_id,
		ARRAY(SELECT q.account_id FROM page q ORDER BY q.rank DESC), ARRAY(SELECT q.rank FROM page q ORDER BY q.rank DESC)) a
	JOIN page p ON p.account_id = a.id
	ORDER BY p.rank DESC;
END
$$;
REVOKE ALL ON FUNCTION roost.account_suggested(roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_suggested(roost.id, integer, roost.cursor, roost.cursor) IS 'Accounts that the caller might follow, the best first: those that accounts follow whom it follows, then popular ones. Not whom it follows or has asked, nor private accounts, nor whom it has dismissed or muted, nor between whom and it there is a block. followed_by names up to three accounts it follows that follow the account, followed_by_count says how many.';
SELECT roost_internal.route('GET', '/users/suggested', 'roost.account_suggested', auth => 'user');

CREATE OR REPLACE FUNCTION roost.account_suggestion_dismiss(actor_id roost.id, account_id roost.account_ref) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id constant bigint := roost_internal.account_resolve(account_id);
BEGIN
	PERFORM roost_internal.pair_exist(actor_id, v_account_id);
	INSERT INTO roost_data.suggestion_dismissal (account_id, dismissed_id, id)
	VALUES (actor_id, v_account_id, roost_internal.id_next(actor_id)) ON CONFLICT DO NOTHING;
	-- The newest 1,000 are kept.
	DELETE FROM roost_data.suggestion_dismissal d
	WHERE d.account_id = actor_id AND d.id <= (
		SELECT t.id FROM roost_data.suggestion_dismissal t WHERE t.account_id = actor_id ORDER BY t.id DESC OFFSET 1000 LIMIT 1);
END
$$;
REVOKE ALL ON FUNCTION roost.account_suggestion_dismiss(roost.id, roost.account_ref) FROM PUBLIC;
COMMENT ON FUNCTION roost.account_suggestion_dismiss(roost.id, roost.account_ref) IS 'Never suggests an account to the caller again. Again: changes nothing. The newest 1,000 are remembered. P0002 no such account.';
SELECT roost_internal.route('DELETE', '/users/suggested/:account_id', 'roost.account_suggestion_dismiss', auth => 'user', limit_class => 'write');

CREATE OR REPLACE FUNCTION roost_internal.suggestion_maintenance() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now constant timestamptz := roost_internal.clock_now();
	v_count bigint;
BEGIN
	WITH popular AS (
		SELECT c.account_id, row_number() OVER (ORDER BY c.followers DESC, c.account_id) AS place, c.followers
		FROM (
			SELECT s.account_id, sum(s.follower_count)::bigint AS followers
			FROM roost_data.account_stat s
			GROUP BY s.account_id HAVING sum(s.follower_count) > 0
			ORDER BY 2 DESC LIMIT 2000
		) c
		JOIN roost_data.account a ON a.id = c.account_id
		WHERE a.status = 'active' AND NOT a.is_private AND a.limited_at IS NULL AND coalesce(a.last_active_at, v_now) > v_now - interval '90 days'
		ORDER BY c.followers DESC, c.account_id
		LIMIT 200
	), kept AS (
		INSERT INTO roost_data.account_popular AS t (account_id, follower_count, place)
		SELECT p.account_id, p.followers, p.place FROM popular p
		ON CONFLICT ON CONSTRAINT account_popular_pkey DO UPDATE SET follower_count = excluded.follower_count, place = excluded.place
	)
	DELETE FROM roost_data.account_popular t WHERE NOT EXISTS (SELECT FROM popular p WHERE p.account_id = t.account_id);
	GET DIAGNOSTICS v_count = ROW_COUNT;
	RETURN v_count;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.suggestion_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.suggestion_maintenance() IS 'Finds the 200 accounts with the most followers that were active in the past 90 days (or of which that is not known). Returns how many are no longer among them.';
