-- Events: what row triggers append and the worker gets after the commit.

CREATE OR REPLACE FUNCTION roost_internal.event_emit() RETURNS trigger
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_event_emit';
COMMENT ON FUNCTION roost_internal.event_emit() IS 'AFTER ROW trigger: event_emit(''kind'', ''column'', …) hands an event with the values of up to six columns (integers, booleans, timestamps), and of one more that is an enum, to the worker when the transaction commits; of up to eight columns written ''column?'' it only says whether they are not null, or written ''column=label|label'' whether they have one of these values of their enum (in an update, before or after it). Of an update it takes the new row. Kinds are listed in extension/core/event.h.';
REVOKE ALL ON FUNCTION roost_internal.event_emit() FROM PUBLIC;

CREATE OR REPLACE FUNCTION roost_internal.event_lose() RETURNS trigger
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_event_lose';
COMMENT ON FUNCTION roost_internal.event_lose() IS 'AFTER trigger for changes that events cannot say (another id, TRUNCATE): everything that was derived from events or is kept in shared memory is void when the transaction commits.';
REVOKE ALL ON FUNCTION roost_internal.event_lose() FROM PUBLIC;

CREATE OR REPLACE FUNCTION roost.cache_forget() RETURNS void
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_event_forget';
COMMENT ON FUNCTION roost.cache_forget() IS 'Makes everything void that is kept in shared memory, when the transaction commits; it is built anew from the tables. Call it in the transaction that writes rows of accounts, follows or posts while their triggers are disabled; nothing else needs it.';
REVOKE ALL ON FUNCTION roost.cache_forget() FROM PUBLIC;

CREATE OR REPLACE FUNCTION roost_internal.stamp_changed() RETURNS trigger
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_stamp_changed';
COMMENT ON FUNCTION roost_internal.stamp_changed() IS 'AFTER ROW or TRUNCATE trigger: stamp_changed(''kind'', ''column'', …) makes copies of the graph, post, count (a post''s counters), account, viewer (its blocks, mutes and muted words), member (its conversations) or conversation (its newest message) void whose id stands in a column, of the old row and of the new one.';
REVOKE ALL ON FUNCTION roost_internal.stamp_changed() FROM PUBLIC;

CREATE OR REPLACE FUNCTION roost_internal.stamp_read(kind text, id bigint) RETURNS bigint
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_stamp_read_sql';
COMMENT ON FUNCTION roost_internal.stamp_read(text, bigint) IS 'The version of a graph, post, count, account, viewer, member or conversation that a copy made by this statement would have; null if none may be kept or used now.';
REVOKE ALL ON FUNCTION roost_internal.stamp_read(text, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION roost_internal.pending_events(OUT kind text, OUT "values" bigint[]) RETURNS SETOF record
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_pending_events';
COMMENT ON FUNCTION roost_internal.pending_events() IS 'Events of posts and follows that are committed, or about to be, and not applied by the worker: kind and up to four values. One row of kind unknown if not all are known.';
REVOKE ALL ON FUNCTION roost_internal.pending_events() FROM PUBLIC;

CREATE OR REPLACE FUNCTION roost_internal.pending_horizon() RETURNS bigint
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_pending_horizon_sql';
COMMENT ON FUNCTION roost_internal.pending_horizon() IS 'An id: posts and follows whose events the worker has not taken have ids from there on. 0 while that is not known.';
REVOKE ALL ON FUNCTION roost_internal.pending_horizon() FROM PUBLIC;

CREATE OR REPLACE FUNCTION roost_internal.pending_generation() RETURNS bigint
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_pending_generation_sql';
COMMENT ON FUNCTION roost_internal.pending_generation() IS 'Goes up when events were lost; what was derived from events under another generation is void.';
REVOKE ALL ON FUNCTION roost_internal.pending_generation() FROM PUBLIC;

CREATE OR REPLACE FUNCTION roost_internal.relation_changed() RETURNS trigger
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_relation_changed';
COMMENT ON FUNCTION roost_internal.relation_changed() IS 'AFTER STATEMENT trigger of small tables that every backend caches: makes them read it again after the commit.';
REVOKE ALL ON FUNCTION roost_internal.relation_changed() FROM PUBLIC;
