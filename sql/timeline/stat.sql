-- The memory of timelines.

CREATE OR REPLACE FUNCTION roost_internal.timeline_stat(
	OUT kind text, OUT used bigint, OUT slots bigint, OUT used_bytes bigint, OUT bytes bigint,
	OUT hits bigint, OUT misses bigint, OUT builds bigint, OUT builds_failed bigint, OUT evictions bigint, OUT drops bigint,
	OUT deliveries bigint, OUT undelivered bigint, OUT voids bigint, OUT pulled_authors bigint, OUT pulled_authors_max bigint)
RETURNS SETOF record
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_timeline_cache_stat';
COMMENT ON FUNCTION roost_internal.timeline_stat() IS 'The rows of roost.stat_timeline.';

CREATE OR REPLACE VIEW roost.stat_timeline AS SELECT * FROM roost_internal.timeline_stat();
COMMENT ON VIEW roost.stat_timeline IS 'The memory of timelines since the server started, one row for outboxes (the newest posts of an author) and one for inboxes (the newest posts of those a reader follows): how full it is, how often it served, and what was put into it.';
COMMENT ON COLUMN roost.stat_timeline.kind IS 'outbox or inbox.';
COMMENT ON COLUMN roost.stat_timeline.used IS 'Boxes there are, void ones that nobody has needed since among them.';
COMMENT ON COLUMN roost.stat_timeline.slots IS 'Boxes there is room for.';
COMMENT ON COLUMN roost.stat_timeline.used_bytes IS 'Memory of the boxes there are, in bytes.';
COMMENT ON COLUMN roost.stat_timeline.bytes IS 'Memory of all boxes and their index, in bytes; set at the start of the server.';
COMMENT ON COLUMN roost.stat_timeline.hits IS 'Boxes that were looked for and served.';
COMMENT ON COLUMN roost.stat_timeline.misses IS 'Boxes that were looked for and were not there, void or not ready: the tables were read.';
COMMENT ON COLUMN roost.stat_timeline.builds IS 'Boxes that were built from the tables.';
COMMENT ON COLUMN roost.stat_timeline.builds_failed IS 'Boxes that were given up, or dropped while they were built.';
COMMENT ON COLUMN roost.stat_timeline.evictions IS 'Boxes that made room for others; if many, raise roost.timeline_memory.';
COMMENT ON COLUMN roost.stat_timeline.drops IS 'Boxes that were dropped one by one because what they stand for has changed.';
COMMENT ON COLUMN roost.stat_timeline.deliveries IS 'Posts that were put into boxes by the background worker.';
COMMENT ON COLUMN roost.stat_timeline.undelivered IS 'Posts that found no good box, or one that has them already or does not want them.';
COMMENT ON COLUMN roost.stat_timeline.voids IS 'Times that all boxes of the kind became void at once, lost events not counted (see roost.stat_worker).';
COMMENT ON COLUMN roost.stat_timeline.pulled_authors IS 'Authors whose posts are not put into inboxes but read from their outboxes; NULL for outboxes.';
COMMENT ON COLUMN roost.stat_timeline.pulled_authors_max IS 'How many such authors there may be; NULL for outboxes.';

REVOKE ALL ON FUNCTION roost_internal.timeline_stat() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION roost_internal.timeline_stat() TO pg_monitor;
GRANT SELECT ON roost.stat_timeline TO pg_monitor;
