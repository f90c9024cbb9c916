-- Posts as their readers see them.

CREATE OR REPLACE FUNCTION roost_internal.post_hydrate(viewer_id bigint, ids bigint[], cursors bigint[] DEFAULT NULL) RETURNS SETOF roost.post
LANGUAGE c STABLE ROWS 50
AS 'MODULE_PATHNAME', 'roost_post_hydrate';
REVOKE ALL ON FUNCTION roost_internal.post_hydrate(bigint, bigint[], bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_hydrate(bigint, bigint[], bigint[]) IS 'The posts with these ids, in this order, as the viewer (null: a stranger) sees them; those that it may not see or that are gone are left out, and so is a retweet whose original is. cursor is the id, or what cursors has at its place.';

CREATE OR REPLACE FUNCTION roost_internal.post_page(viewer_id bigint, ids bigint[], cursors bigint[] DEFAULT NULL) RETURNS SETOF roost.post
LANGUAGE c STABLE ROWS 50
AS 'MODULE_PATHNAME', 'roost_post_page';
REVOKE ALL ON FUNCTION roost_internal.post_page(bigint, bigint[], bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_page(bigint, bigint[], bigint[]) IS 'roost_internal.post_hydrate() for functions behind built-in routes that return SETOF roost.post: they must return its rows as they are, because a request gets them as JSON at once, and the function no rows.';

CREATE OR REPLACE FUNCTION roost_internal.post_hydrate_json(viewer_id bigint, ids bigint[]) RETURNS text
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'roost_post_hydrate_json';
REVOKE ALL ON FUNCTION roost_internal.post_hydrate_json(bigint, bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_hydrate_json(bigint, bigint[]) IS 'The same posts as a JSON array, as HTTP answers have them.';

CREATE OR REPLACE FUNCTION roost_internal.post_visible(viewer_id bigint, ids bigint[], seen bigint[], OUT visible_ids bigint[], OUT post_ids bigint[])
LANGUAGE c STABLE STRICT
AS 'MODULE_PATHNAME', 'roost_post_visible';
REVOKE ALL ON FUNCTION roost_internal.post_visible(bigint, bigint[], bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_visible(bigint, bigint[], bigint[]) IS 'Those of the ids that the viewer may see, in their order, and the posts that they show: the original of a retweet, else the post itself. Each post once, with the first of its ids, and none that is among seen.';

CREATE OR REPLACE FUNCTION roost_internal.post_one(viewer_id bigint, post_id bigint) RETURNS roost.post
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_post_one';
REVOKE ALL ON FUNCTION roost_internal.post_one(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_one(bigint, bigint) IS 'The post as the viewer (null: a stranger) sees it after what this transaction has done; null if it may not.';

CREATE OR REPLACE FUNCTION roost_internal.post_done(viewer_id bigint, post_id bigint) RETURNS roost.post
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_post_done';
REVOKE ALL ON FUNCTION roost_internal.post_done(bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_done(bigint, bigint) IS 'roost_internal.post_one() of a post that the viewer could see when the transaction began to do something to it. P0002 if it can no longer, because its author went private, blocked the viewer … meanwhile: nothing was done then.';

CREATE OR REPLACE FUNCTION roost.post_get(post_id roost.id, actor_id roost.id DEFAULT NULL) RETURNS roost.post
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'roost_post_get';
REVOKE ALL ON FUNCTION roost.post_get(roost.id, roost.id) FROM PUBLIC;
COMMENT ON FUNCTION roost.post_get(roost.id, roost.id) IS 'A post as the actor (null: a stranger) sees it. P0002 if there is none that it may see.';
SELECT roost_internal.route('GET', '/tweets/:post_id', 'roost.post_get', auth => 'optional', cache => 'ids');

CREATE OR REPLACE FUNCTION roost_internal.post_cache_stat(
	OUT posts bigint, OUT bytes bigint, OUT memory bigint, OUT hits bigint, OUT misses bigint,
	OUT recounts bigint, OUT stored bigint, OUT evicted bigint, OUT enabled boolean)
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_post_cache_stat';
REVOKE ALL ON FUNCTION roost_internal.post_cache_stat() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.post_cache_stat() IS 'The row of the view roost.stat_post_cache.';

CREATE OR REPLACE VIEW roost.stat_post_cache AS SELECT * FROM roost_internal.post_cache_stat();
COMMENT ON VIEW roost.stat_post_cache IS 'Posts kept in shared memory as answers have them, one row: posts, their bytes, memory (bytes set aside: roost.post_cache_memory), and since the server started hits, misses (read from the tables, also because a copy was not what the reader''s snapshot shows), recounts (copies of which only the counters were read anew), stored, evicted (for want of room). enabled is false without memory.';
GRANT EXECUTE ON FUNCTION roost_internal.post_cache_stat() TO pg_monitor;
GRANT SELECT ON roost.stat_post_cache TO pg_monitor;
