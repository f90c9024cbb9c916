-- The order "top" of home timelines.

CREATE OR REPLACE FUNCTION roost_internal.timeline_top(
	reader_id bigint,
	"limit" integer,
	before_rank bigint,
	after_rank bigint,
	replies roost.timeline_replies,
	own boolean
) RETURNS SETOF roost.post
LANGUAGE c STABLE ROWS 50
AS 'MODULE_PATHNAME', 'roost_timeline_top';
REVOKE ALL ON FUNCTION roost_internal.timeline_top(bigint, integer, bigint, bigint, roost.timeline_replies, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.timeline_top(bigint, integer, bigint, bigint, roost.timeline_replies, boolean) IS 'A page of the newest entries of a home timeline (roost.rank_candidates), the best first by the formula in docs/timeline.md. cursor is the entry''s place in time, in milliseconds, and in the low 16 bits which order it belongs to; that order is kept in shared memory, so that further pages go on in it. For functions that return its rows as they are.';

CREATE OR REPLACE FUNCTION roost.timeline_explain(actor_id roost.id, post_id roost.id) RETURNS roost.timeline_explanation
LANGUAGE c STABLE STRICT
AS 'MODULE_PATHNAME', 'roost_timeline_explain';
REVOKE ALL ON FUNCTION roost.timeline_explain(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.timeline_explain(roost.id, roost.id) IS 'Why a post stands where it stands in the caller''s home timeline with the order top: every term of its score. P0002 if there is no such post that the caller may see.';
SELECT roost_internal.route('GET', '/tweets/:post_id/explain', 'roost.timeline_explain', auth => 'user', tags => '{timeline}');
