-- Types of the job module.

CREATE TYPE roost.job AS (
	id bigint,
	queue text,
	kind text,
	payload jsonb,
	attempt integer,
	max_attempts integer,
	locked_until timestamptz,
	created_at timestamptz
);
COMMENT ON TYPE roost.job IS 'A job in the hands of a worker until locked_until. attempt: 1 the first time; name it when reporting.';
