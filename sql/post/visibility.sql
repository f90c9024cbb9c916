-- Who may see a post, and who wants to: the one rule (docs/safety.md), used by
-- everything that shows posts.

CREATE OR REPLACE FUNCTION roost_internal.may_see(
	viewer_id bigint,
	author_id bigint,
	visibility roost.visibility,
	state roost.post_state,
	mention_ids bigint[],
	is_private boolean,
	is_limited boolean,
	status text
) RETURNS boolean
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'roost_post_may_see';
REVOKE ALL ON FUNCTION roost_internal.may_see(bigint, bigint, roost.visibility, roost.post_state, bigint[], boolean, boolean, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.may_see(bigint, bigint, roost.visibility, roost.post_state, bigint[], boolean, boolean, text) IS 'Whether the viewer (null: a stranger) may see a post of the author, whose account is private or not, limited or not, and has the status. Nobody sees posts of an account that is not active; its author sees a post, and nobody else one that is held or removed, or if one of the two has blocked the other; public and unlisted posts of an account that is neither private nor limited are everybody''s; those mentioned see the post, unless the account is limited; followers see all but direct ones, and direct ones of a limited account that mention them.';

CREATE OR REPLACE FUNCTION roost_internal.everybody_sees(
	visibility roost.visibility,
	state roost.post_state,
	is_private boolean,
	is_limited boolean,
	status text
) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_post_everybody_sees_sql';
REVOKE ALL ON FUNCTION roost_internal.everybody_sees(roost.visibility, roost.post_state, boolean, boolean, text) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.everybody_sees(roost.visibility, roost.post_state, boolean, boolean, text) IS 'Whether a stranger may see a post of an account that is private or not, limited or not, and has the status: roost_internal.may_see() without a viewer. It reads no table.';

CREATE OR REPLACE FUNCTION roost_internal.wants(viewer_id bigint, author_id bigint, text text, content_warning text, hashtags text[]) RETURNS boolean
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'roost_post_wants_sql';
REVOKE ALL ON FUNCTION roost_internal.wants(bigint, bigint, text, text, text[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.wants(bigint, bigint, text, text, text[]) IS 'Whether the viewer (null: a stranger, who does) wants to be shown a post that it may see and has not asked for: not if it has muted the author or a word of the text, the warning or the hashtags (folded); always its own. For an account by itself leave the rest null, for words alone the author. Mutes and words count until they expire.';
