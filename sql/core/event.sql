-- Events: what row triggers append and the worker gets after the commit.

CREATE OR REPLACE FUNCTION roost_internal.event_emit() RETURNS trigger
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_event_emit';
COMMENT ON FUNCTION roost_internal.event_emit() IS 'AFTER ROW trigger: event_emit(''kind'', ''column'', …) hands an event with the values of up to four columns (integers, booleans, timestamps) to the worker when the transaction commits. Of an update it takes the new row. Kinds are listed in extension/core/event.h.';
REVOKE ALL ON FUNCTION roost_internal.event_emit() FROM PUBLIC;

CREATE OR REPLACE FUNCTION roost_internal.relation_changed() RETURNS trigger
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_relation_changed';
COMMENT ON FUNCTION roost_internal.relation_changed() IS 'AFTER STATEMENT trigger of small tables that every backend caches: makes them read it again after the commit.';
REVOKE ALL ON FUNCTION roost_internal.relation_changed() FROM PUBLIC;
