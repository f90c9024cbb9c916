-- Who may see a post: the one rule, used by everything that shows posts.

CREATE OR REPLACE FUNCTION roost_internal.follows(follower_id bigint, followee_id bigint) RETURNS boolean
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN EXISTS (SELECT FROM roost_data.follow f WHERE f.follower_id = follows.follower_id AND f.followee_id = follows.followee_id);
END
$$;
REVOKE ALL ON FUNCTION roost_internal.follows(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.follows(bigint, bigint) IS 'Whether the first account follows the second.';

CREATE OR REPLACE FUNCTION roost_internal.may_see(
	viewer_id bigint,
	author_id bigint,
	visibility roost.visibility,
	mention_ids bigint[],
	is_private boolean,
	status text
) RETURNS boolean
LANGUAGE sql STABLE
AS $$
	SELECT CASE
		WHEN status <> 'active' THEN false
		WHEN visibility <= 'unlisted' AND NOT is_private THEN true
		WHEN viewer_id IS NULL THEN false
		WHEN viewer_id = author_id THEN true
		WHEN viewer_id = ANY (mention_ids) THEN true
		WHEN visibility = 'direct' THEN false
		ELSE roost_internal.follows(viewer_id, author_id)
	END
$$;
REVOKE ALL ON FUNCTION roost_internal.may_see(bigint, bigint, roost.visibility, bigint[], boolean, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.may_see(bigint, bigint, roost.visibility, bigint[], boolean, text) IS 'Whether the viewer (null: a stranger) may see a post of the author, whose account is private or not and has the status. Nobody sees posts of an account that is not active; public and unlisted posts of an account that is not private are everybody''s; the author and those mentioned see the post; followers see all but direct ones.';
