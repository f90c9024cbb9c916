-- The job queue: work for processes outside the database.

CREATE OR REPLACE FUNCTION roost_internal.job_add(
	queue text,
	kind text,
	payload jsonb,
	run_at timestamptz DEFAULT now(),
	max_attempts integer DEFAULT 10,
	secret boolean DEFAULT false
) RETURNS bigint
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
	INSERT INTO roost_data.job (id, queue, kind, payload, run_at, max_attempts, secret)
	VALUES (roost_internal.id_next(), $1, $2, $3, $4, $5, $6)
	RETURNING id
$$;
REVOKE ALL ON FUNCTION roost_internal.job_add(text, text, jsonb, timestamptz, integer, boolean) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.job_add(text, text, jsonb, timestamptz, integer, boolean) IS 'Puts a job into a queue, to be taken once the transaction has committed and run_at has come, and at most max_attempts times. secret: the payload holds a secret and is emptied when the job is done or dead. Returns its id.';

CREATE OR REPLACE FUNCTION roost.job_take(queue text, "limit" integer DEFAULT 1, lease interval DEFAULT '1 minute')
RETURNS SETOF roost.job
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_ids bigint[];
BEGIN
	IF "limit" IS NULL OR "limit" NOT BETWEEN 1 AND 1000 THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'limit', MESSAGE = 'limit must be between 1 and 1000';
	END IF;
	IF lease IS NULL OR lease < '1 second' OR lease > '1 day' THEN
		RAISE EXCEPTION USING ERRCODE = '22023', COLUMN = 'lease', MESSAGE = 'lease must be between 1 second and 1 day';
	END IF;
	-- A worker that died in its last attempt leaves a job that nobody reports.
	UPDATE roost_data.job j SET
		dead_at = v_now,
		locked_until = NULL,
		last_error = coalesce(j.last_error || E'\n', '') || 'the lease ran out',
		payload = CASE WHEN j.secret THEN '{}' ELSE j.payload END
	WHERE j.id = ANY (ARRAY(
		SELECT d.id FROM roost_data.job d
		WHERE d.queue = job_take.queue AND d.done_at IS NULL AND d.dead_at IS NULL AND d.run_at <= v_now
			AND d.attempts >= d.max_attempts
		ORDER BY d.run_at, d.id LIMIT job_take."limit" FOR UPDATE SKIP LOCKED));
	v_ids := ARRAY(
		SELECT d.id FROM roost_data.job d
		WHERE d.queue = job_take.queue AND d.done_at IS NULL AND d.dead_at IS NULL AND d.run_at <= v_now
			AND d.attempts < d.max_attempts
		ORDER BY d.run_at, d.id LIMIT job_take."limit" FOR UPDATE SKIP LOCKED);
	RETURN QUERY
	WITH taken AS (
		UPDATE roost_data.job j SET attempts = j.attempts + 1, locked_until = v_now + lease, run_at = v_now + lease
		WHERE j.id = ANY (v_ids)
		RETURNING j.*
	)
	SELECT t.id, t.queue::text, t.kind::text, t.payload, t.attempts, t.max_attempts, t.locked_until, t.created_at
	FROM taken t ORDER BY pg_catalog.array_position(v_ids, t.id);
END
$$;
REVOKE ALL ON FUNCTION roost.job_take(text, integer, interval) FROM PUBLIC;
COMMENT ON FUNCTION roost.job_take(text, integer, interval) IS 'Takes up to "limit" due jobs of a queue (1 to 1000, the longest due first) for the time of the lease (1 second to 1 day). Several workers may take at once; each job goes to one of them, none waits for another. Report with roost.job_done or roost.job_fail before the lease ends, naming the attempt; a job not reported is due again then. 22023 for a limit or lease out of range.';

CREATE OR REPLACE FUNCTION roost.job_done(id bigint, attempt integer) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE roost_data.job j SET
		done_at = roost_internal.clock_now(),
		locked_until = NULL,
		payload = CASE WHEN j.secret THEN '{}' ELSE j.payload END
	WHERE j.id = job_done.id AND j.attempts = job_done.attempt AND j.locked_until IS NOT NULL;
	RETURN FOUND;
END
$$;
REVOKE ALL ON FUNCTION roost.job_done(bigint, integer) FROM PUBLIC;
COMMENT ON FUNCTION roost.job_done(bigint, integer) IS 'Reports that a job is done; attempt is the number that roost.job_take gave. False if another worker has taken the job since, or it is finished already.';

CREATE OR REPLACE FUNCTION roost_internal.job_delay(attempts integer) RETURNS interval
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
	SELECT least(interval '15 seconds' * pg_catalog.pow(2, least($1, 20) - 1), interval '6 hours')
$$;
REVOKE ALL ON FUNCTION roost_internal.job_delay(integer) FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.job_delay(integer) IS 'How long a job rests after so many failed attempts: 15 seconds, doubled each time, at most 6 hours.';

CREATE OR REPLACE FUNCTION roost.job_fail(id bigint, attempt integer, error text, retry_at timestamptz DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_job roost_data.job;
	v_dead boolean;
BEGIN
	SELECT j.* INTO v_job FROM roost_data.job j
	WHERE j.id = job_fail.id AND j.attempts = job_fail.attempt AND j.locked_until IS NOT NULL
	FOR UPDATE;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	v_dead := v_job.attempts >= v_job.max_attempts;
	UPDATE roost_data.job j SET
		locked_until = NULL,
		last_error = pg_catalog.left(job_fail.error, 2000),
		dead_at = CASE WHEN v_dead THEN v_now END,
		payload = CASE WHEN v_dead AND j.secret THEN '{}' ELSE j.payload END,
		-- up to a quarter more, so that jobs that failed together do not return together
		run_at = coalesce(retry_at, v_now + roost_internal.job_delay(j.attempts) * (1 + 0.25 * pg_catalog.random()))
	WHERE j.id = v_job.id;
	RETURN true;
END
$$;
REVOKE ALL ON FUNCTION roost.job_fail(bigint, integer, text, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION roost.job_fail(bigint, integer, text, timestamptz) IS 'Reports that a job failed; attempt is the number that roost.job_take gave. It is due again at retry_at, or after 15 seconds, doubled with each attempt up to 6 hours, and dead after its last attempt. Keep secrets out of error (2000 characters are kept). False if another worker has taken the job since, or it is finished already.';

CREATE OR REPLACE FUNCTION roost.job_retry(id bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE roost_data.job j SET dead_at = NULL, attempts = 0, run_at = roost_internal.clock_now()
	WHERE j.id = job_retry.id AND j.dead_at IS NOT NULL AND NOT j.secret;
	RETURN FOUND;
END
$$;
REVOKE ALL ON FUNCTION roost.job_retry(bigint) FROM PUBLIC;
COMMENT ON FUNCTION roost.job_retry(bigint) IS 'Brings a dead job back, as if it had never been tried. False if it is not dead, or its payload was emptied because it held a secret.';

CREATE OR REPLACE FUNCTION roost_internal.job_maintenance() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v_now timestamptz := roost_internal.clock_now();
	v_count bigint;
BEGIN
	DELETE FROM roost_data.job j
	WHERE (j.done_at IS NOT NULL OR j.dead_at IS NOT NULL)
		AND coalesce(j.done_at, j.dead_at) < v_now - CASE WHEN j.dead_at IS NULL THEN interval '1 day' ELSE interval '30 days' END
		AND coalesce(j.done_at, j.dead_at) < v_now - interval '1 day';
	GET DIAGNOSTICS v_count = ROW_COUNT;
	RETURN v_count;
END
$$;
REVOKE ALL ON FUNCTION roost_internal.job_maintenance() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.job_maintenance() IS 'Deletes jobs that were done more than a day ago, and those that died more than 30 days ago. Returns how many.';

CREATE OR REPLACE FUNCTION roost_internal.stat_job()
RETURNS TABLE (queue text, kind text, waiting bigint, scheduled bigint, running bigint, dead bigint, oldest_due_at timestamptz, last_error text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT j.queue, j.kind,
		pg_catalog.count(*) FILTER (WHERE j.dead_at IS NULL AND j.locked_until IS NULL AND j.run_at <= now.now
			OR j.dead_at IS NULL AND j.locked_until <= now.now),
		pg_catalog.count(*) FILTER (WHERE j.dead_at IS NULL AND j.locked_until IS NULL AND j.run_at > now.now),
		pg_catalog.count(*) FILTER (WHERE j.dead_at IS NULL AND j.locked_until > now.now),
		pg_catalog.count(*) FILTER (WHERE j.dead_at IS NOT NULL),
		min(j.run_at) FILTER (WHERE j.dead_at IS NULL AND j.run_at <= now.now),
		(pg_catalog.array_agg(j.last_error ORDER BY j.run_at DESC) FILTER (WHERE j.last_error IS NOT NULL))[1]
	FROM roost_data.job j, (SELECT roost_internal.clock_now() AS now) now
	WHERE j.done_at IS NULL
	GROUP BY j.queue, j.kind
	ORDER BY j.queue, j.kind
$$;
REVOKE ALL ON FUNCTION roost_internal.stat_job() FROM PUBLIC;
COMMENT ON FUNCTION roost_internal.stat_job() IS 'The rows of the view roost.stat_job.';

CREATE OR REPLACE VIEW roost.stat_job AS SELECT * FROM roost_internal.stat_job();
COMMENT ON VIEW roost.stat_job IS 'The jobs not yet done, by queue and kind: waiting (due), scheduled (later), running (under a lease), dead (given up), since when the oldest is due, and the newest error. No payloads.';

GRANT EXECUTE ON FUNCTION roost_internal.stat_job() TO pg_monitor;
GRANT SELECT ON roost.stat_job TO pg_monitor;
