-- Timelines that do not depend on whom the reader follows.

CREATE OR REPLACE FUNCTION roost.timeline_public(
	actor_id roost.id DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL
) RETURNS SETOF roost.post
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
BEGIN
	RETURN QUERY SELECT * FROM roost_internal.post_page(actor_id, ARRAY(
		SELECT p.id
		FROM roost_data.post p JOIN roost_data.account a ON a.id = p.author_id AND a.status = 'active' AND NOT a.is_private AND a.limited_at IS NULL
		WHERE p.visibility = 'public' AND p.state = 'visible' AND p.reply_to_id IS NULL AND p.retweet_of_id IS NULL
			AND p.id < v_before AND p.id > v_after
			AND (actor_id IS NULL OR roost_internal.may_see(actor_id, p.author_id, p.visibility, p.state, p.mention_ids, a.is_private, a.limited_at IS NOT NULL, a.status)
				AND roost_internal.wants(actor_id, p.author_id, p.text, p.content_warning, p.hashtags))
		ORDER BY p.id DESC
		LIMIT timeline_public."limit"));
END
$$;
REVOKE ALL ON FUNCTION roost.timeline_public(roost.id, integer, roost.cursor, roost.cursor) FROM PUBLIC;
COMMENT ON FUNCTION roost.timeline_public(roost.id, integer, roost.cursor, roost.cursor) IS 'Public posts of all accounts that are not private, newest first, without replies and retweets, and without what the caller has muted. Open to strangers.';
SELECT roost_internal.route('GET', '/tweets/public', 'roost.timeline_public', auth => 'optional', tags => '{timeline}', cache => 'list');

CREATE OR REPLACE FUNCTION roost.timeline(
	actor_id roost.id DEFAULT NULL,
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
BEGIN
	IF actor_id IS NULL THEN
		RETURN QUERY SELECT * FROM roost.timeline_public(NULL, timeline."limit", before, after);
	ELSE
		RETURN QUERY SELECT * FROM roost.timeline_home(actor_id, timeline."limit", before, after, "order", replies, own);
	END IF;
END
$$;
REVOKE ALL ON FUNCTION roost.timeline(roost.id, integer, roost.cursor, roost.cursor, roost.timeline_order, roost.timeline_replies, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost.timeline(roost.id, integer, roost.cursor, roost.cursor, roost.timeline_order, roost.timeline_replies, boolean) IS 'The home timeline of the caller; the public timeline for strangers, for whom order, replies and own mean nothing.';
SELECT roost_internal.route('GET', '/tweets', 'roost.timeline', auth => 'optional', tags => '{timeline}', cache => 'list');

CREATE OR REPLACE FUNCTION roost.timeline_account(
	account_id roost.account_ref,
	actor_id roost.id DEFAULT NULL,
	"limit" integer DEFAULT 20,
	before roost.cursor DEFAULT NULL,
	after roost.cursor DEFAULT NULL,
	replies boolean DEFAULT false,
	retweets boolean DEFAULT true
) RETURNS SETOF roost.post
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_account_id constant bigint := roost_internal.account_resolve(account_id);
	v_before constant bigint := coalesce(roost_internal.cursor_id(before), 9223372036854775807);
	v_after constant bigint := coalesce(roost_internal.cursor_id(after), 0);
	v_open boolean;
	v_hidden boolean;
BEGIN
	PERFORM roost_internal.graph_list_check(actor_id, v_account_id);
	SELECT roost_internal.may_see(actor_id, a.id, 'public', 'visible', NULL, a.is_private, a.limited_at IS NOT NULL, a.status),
		EXISTS (SELECT FROM roost_data.post t WHERE t.author_id = a.id AND t.state > 'limited')
	INTO v_open, v_hidden
	FROM roost_data.account a WHERE a.id = v_account_id;
	-- Who does not see what an account shows to most does not see the rest.
	IF v_open IS NOT TRUE THEN
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM roost_internal.post_page(actor_id, ARRAY(
		SELECT e.id
		FROM (
			SELECT t.id, t.visibility, t.retweet_of_id FROM roost_data.post t
			WHERE t.author_id = v_account_id AND t.id < v_before AND t.id > v_after
				AND (replies OR t.reply_to_account_id IS NULL)
				AND (retweets OR t.retweet_of_id IS NULL)
			ORDER BY t.id DESC
		) e
		WHERE (NOT v_hidden AND e.visibility <= 'unlisted' OR EXISTS (
				SELECT FROM roost_data.post t JOIN roost_data.account a ON a.id = t.author_id
				WHERE t.id = e.id
					AND roost_internal.may_see(actor_id, t.author_id, t.visibility, t.state, t.mention_ids, a.is_private, a.limited_at IS NOT NULL, a.status)))
			AND (e.retweet_of_id IS NULL OR EXISTS (
				SELECT FROM roost_data.post t JOIN roost_data.account a ON a.id = t.author_id
				WHERE t.id = e.retweet_of_id
					AND roost_internal.may_see(actor_id, t.author_id, t.visibility, t.state, t.mention_ids, a.is_private, a.limited_at IS NOT NULL, a.status)))
		ORDER BY e.id DESC
		LIMIT timeline_account."limit"));
END
$$;
REVOKE ALL ON FUNCTION roost.timeline_account(roost.account_ref, roost.id, integer, roost.cursor, roost.cursor, boolean, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost.timeline_account(roost.account_ref, roost.id, integer, roost.cursor, roost.cursor, boolean, boolean) IS 'The posts of an account that the caller may see, newest first: with replies only if asked for, with retweets unless told otherwise. P0002 no such account, 42501 it is private and the caller does not follow it.';
SELECT roost_internal.route('GET', '/users/:account_id/tweets', 'roost.timeline_account', auth => 'optional', tags => '{timeline}', cache => 'list');
