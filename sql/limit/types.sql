-- Types of the limit module.

CREATE TYPE roost.limit_state AS (allowed boolean, "limit" bigint, remaining bigint, reset bigint, retry_after bigint);
COMMENT ON TYPE roost.limit_state IS 'How things stand with the policy that is nearest to its end: allowed, limit (units at once; 0 if no policy applied), remaining (units left), reset (seconds until all are back), retry_after (seconds until it is worth trying again, 0 if allowed).';
