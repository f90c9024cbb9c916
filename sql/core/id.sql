-- Ids, and what tests do with the clock and with wait points.

CREATE OR REPLACE FUNCTION roost_internal.id_next(owner_id bigint DEFAULT NULL) RETURNS bigint
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_id_next_sql';
COMMENT ON FUNCTION roost_internal.id_next(bigint) IS 'A new id, larger than every earlier one of this server, also after a crash and when the clock steps back. Its bucket is the owner''s, or random without an owner (accounts). Error 25006 in a read-only transaction, 55000 before roost.install().';
REVOKE ALL ON FUNCTION roost_internal.id_next(bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION roost_internal.id_at(created_at timestamptz, owner_id bigint, salt bigint) RETURNS bigint
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_id_at';
COMMENT ON FUNCTION roost_internal.id_at(timestamptz, bigint, bigint) IS 'The id of something imported that was made at created_at: the same for the same arguments. The sequence comes from the salt, the bucket from the owner (from the salt without an owner); two things of one millisecond and owner may collide (1 in 64), then take another salt. Error 22023 for a time before 1970 or after the year 6429.';
REVOKE ALL ON FUNCTION roost_internal.id_at(timestamptz, bigint, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION roost_internal.id_floor(at timestamptz) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_id_floor';
COMMENT ON FUNCTION roost_internal.id_floor(timestamptz) IS 'The smallest id of a time: ids below it were made before. Error 22023 for a time before 1970 or after the year 6429.';
REVOKE ALL ON FUNCTION roost_internal.id_floor(timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION roost.id_time(id roost.id) RETURNS timestamptz
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_id_time';
COMMENT ON FUNCTION roost.id_time(roost.id) IS 'When an id was made, to the millisecond.';

CREATE OR REPLACE FUNCTION roost.id_bucket(id roost.id) RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'roost_id_bucket';
COMMENT ON FUNCTION roost.id_bucket(roost.id) IS 'The bucket of an id, 0 to 1023: the same for everything of one owner.';

CREATE OR REPLACE FUNCTION roost_internal.clock_now() RETURNS timestamptz
LANGUAGE c VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'roost_clock_now';
COMMENT ON FUNCTION roost_internal.clock_now() IS 'The time of roost''s clock: the wall clock, unless a test has frozen it.';
REVOKE ALL ON FUNCTION roost_internal.clock_now() FROM PUBLIC;

CREATE OR REPLACE FUNCTION roost_internal.clock_freeze(at timestamptz, everywhere boolean DEFAULT false) RETURNS void
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'roost_clock_freeze';
COMMENT ON FUNCTION roost_internal.clock_freeze(timestamptz, boolean) IS 'For tests: stops roost''s clock at a time, in this session or in the whole server; NULL lets it run again. Error 0A000 unless built with ROOST_DEBUG=1.';
REVOKE ALL ON FUNCTION roost_internal.clock_freeze(timestamptz, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION roost_internal.debug_point_arm(name text) RETURNS void
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_debug_point_arm';
COMMENT ON FUNCTION roost_internal.debug_point_arm(text) IS 'For tests: other sessions that reach the named point in the code wait there until this session releases it or ends. Error 0A000 unless built with ROOST_DEBUG=1.';
REVOKE ALL ON FUNCTION roost_internal.debug_point_arm(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION roost_internal.debug_point_release(name text) RETURNS boolean
LANGUAGE c VOLATILE STRICT
AS 'MODULE_PATHNAME', 'roost_debug_point_release';
COMMENT ON FUNCTION roost_internal.debug_point_release(text) IS 'For tests: lets the sessions that wait at the named point go on; false if this session had not armed it. Error 0A000 unless built with ROOST_DEBUG=1.';
REVOKE ALL ON FUNCTION roost_internal.debug_point_release(text) FROM PUBLIC;
