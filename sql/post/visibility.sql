-- Who may see a post: the one rule, used by everything that shows posts.

CREATE OR REPLACE FUNCTION roost_internal.may_see(
	viewer_id bigint,
	author_id bigint,
	visibility roost.visibility,
	mention_ids bigint[],
	is_private boolean,
	status text
) RETURNS boolean
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'roost_post_may_see_sql';
REVOKE ALL ON FUNCTION roost_internal.may_see(bigint, bigint, roost.visibility, bigint[], boolean, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.may_see(bigint, bigint, roost.visibility, bigint[], boolean, text) IS 'Whether the viewer (null: a stranger) may see a post of the author, whose account is private or not and has the status. Nobody sees posts of an account that is not active; public and unlisted posts of an account that is not private are everybody''s; the author and those mentioned see the post; followers see all but direct ones.';
