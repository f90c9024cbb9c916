-- How far a standby is with the log of events.

CREATE OR REPLACE FUNCTION roost_internal.standby_stat(
	OUT following boolean, OUT epoch bigint, OUT applied_seq bigint, OUT horizon_at timestamptz, OUT batches bigint, OUT versions bigint)
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_standby_stat';
REVOKE ALL ON FUNCTION roost_internal.standby_stat() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.standby_stat() IS 'The row of roost.stat_standby.';

CREATE OR REPLACE VIEW roost.stat_standby AS SELECT * FROM roost_internal.standby_stat();
COMMENT ON VIEW roost.stat_standby IS 'How far the memory of this standby is with the log of events, one row: following (false on a primary, and before the worker of the standby has begun), epoch of the log, applied_seq (last row applied), horizon_at (every post from before that time was applied; of later ones the tables are asked), batches (of rows applied since the server started), versions (sets of followed accounts that were told apart).';
GRANT EXECUTE ON FUNCTION roost_internal.standby_stat() TO pg_monitor;
GRANT SELECT ON roost.stat_standby TO pg_monitor;
