-- Jobs: taken under a lease, done, failed, dead, retried.
SET timezone = 'UTC';
SET datestyle = 'ISO';

-- What a statement ends in: "ok", or SQLSTATE, field and message.
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_column text;
BEGIN
	EXECUTE statement;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS v_column = COLUMN_NAME;
	RETURN concat_ws(' ', SQLSTATE, nullif(v_column, ''), SQLERRM);
END
$$;

SELECT roost_internal.clock_freeze('2021-01-01 00:00:00');
SELECT roost_internal.job_add('jobtest', 'first', '{"n": 1}', '2021-01-01 00:00:00') AS j1, roost_internal.job_add('jobtest', 'second', '{"n": 2}', '2020-12-31', 2, true) AS j2,
	roost_internal.job_add('jobtest', 'later', '{"n": 3}', '2021-01-01 01:00:00') AS j3 \gset
SELECT queue, kind, waiting, scheduled, running, dead, oldest_due_at, last_error FROM roost.stat_job WHERE queue = 'jobtest';

-- The longest due first; none twice; not before its time.
SELECT kind, payload, attempt, max_attempts, locked_until FROM roost.job_take('jobtest');
SELECT kind, payload, attempt, max_attempts, locked_until FROM roost.job_take('jobtest', 10, '5 minutes');
SELECT count(*) FROM roost.job_take('jobtest', 10);
SELECT count(*) FROM roost.job_take('jobtest_other', 10);
SELECT kind, waiting, scheduled, running, dead FROM roost.stat_job WHERE queue = 'jobtest';

-- Done, once, by who holds it.
SELECT roost.job_done(:j1, 2) AS wrong_attempt, roost.job_done(:j1, 1) AS done, roost.job_done(:j1, 1) AS again, roost.job_fail(:j1, 1, 'x') AS failed, roost.job_done(1, 1) AS unknown;
SELECT payload, done_at, locked_until FROM roost_data.job WHERE id = :j1;

-- Whose lease ran out may still report, unless another has taken it.
SELECT roost_internal.clock_freeze('2021-01-01 00:01:00');
SELECT kind, waiting, running FROM roost.stat_job WHERE queue = 'jobtest' AND kind = 'second';
SELECT kind, attempt FROM roost.job_take('jobtest', 10);
SELECT roost.job_done(:j2, 1) AS too_late, roost.job_fail(:j2, 1, 'x') AS too_late;

-- Failed: it comes back later, and is dead after its last attempt; then its secrets are gone.
SELECT roost.job_fail(:j2, 2, 'no route to host');
SELECT payload, attempts, last_error, dead_at, done_at FROM roost_data.job WHERE id = :j2;
SELECT roost.job_retry(:j2) AS retried;
SELECT n, roost_internal.job_delay(n) FROM unnest(ARRAY[1, 2, 3, 10, 12, 100]) n;

SELECT roost_internal.clock_freeze('2021-01-01 01:00:00');
SELECT kind, attempt FROM roost.job_take('jobtest', 10);
SELECT roost.job_fail(:j3, 1, repeat('x', 3000));
SELECT run_at BETWEEN '2021-01-01 01:00:15' AND '2021-01-01 01:00:18.75' AS later, length(last_error) FROM roost_data.job WHERE id = :j3;
SELECT count(*) FROM roost.job_take('jobtest', 10);
SELECT roost_internal.clock_freeze('2021-01-01 01:00:19');
SELECT kind, attempt FROM roost.job_take('jobtest', 10);
SELECT roost.job_fail(:j3, 2, 'busy', '2021-01-01 05:00:00');
SELECT run_at FROM roost_data.job WHERE id = :j3;

-- A worker that dies in the last attempt leaves no zombie.
UPDATE roost_data.job SET attempts = 9 WHERE id = :j3;
SELECT roost_internal.clock_freeze('2021-01-01 05:00:00');
SELECT kind, attempt FROM roost.job_take('jobtest', 10);
SELECT roost_internal.clock_freeze('2021-01-01 05:01:00');
SELECT count(*) FROM roost.job_take('jobtest', 10);
SELECT dead_at, last_error, payload FROM roost_data.job WHERE id = :j3;
SELECT roost.job_retry(:j3) AS retried, roost.job_retry(:j3) AS again;
SELECT kind, attempt FROM roost.job_take('jobtest', 10);
SELECT roost.job_done(:j3, 1);

-- Bad arguments.
SELECT pg_temp.try(s) FROM unnest(ARRAY['SELECT roost.job_take(''jobtest'', 0)', 'SELECT roost.job_take(''jobtest'', 1001)', 'SELECT roost.job_take(''jobtest'', NULL)',
	'SELECT roost.job_take(''jobtest'', 1, ''0'')', 'SELECT roost.job_take(''jobtest'', 1, ''2 days'')', 'SELECT roost.job_take(''jobtest'', 1, NULL)']) s;
SELECT left(pg_temp.try('SELECT roost_internal.job_add(''Bad Queue'', ''x'', ''{}'')'), 5);

-- Maintenance: done ones after a day, dead ones after thirty.
SELECT roost_internal.clock_freeze('2021-01-02 00:30:00');
SELECT roost_internal.job_maintenance();
SELECT kind FROM roost_data.job WHERE queue = 'jobtest' ORDER BY id;
SELECT roost_internal.clock_freeze('2021-02-01 00:00:00');
SELECT roost_internal.job_maintenance();
SELECT count(*) FROM roost_data.job WHERE queue = 'jobtest';
SELECT roost_internal.clock_freeze(NULL);

-- A worker may take and report, a monitor may look; neither reads the table.
CREATE ROLE regress_job_worker;
CREATE ROLE regress_job_monitor IN ROLE pg_monitor;
SELECT roost.grant_worker('regress_job_worker');
SELECT roost_internal.job_add('jobtest', 'granted', '{}') AS j \gset
SET ROLE regress_job_worker;
SELECT kind FROM roost.job_take('jobtest');
SELECT roost.job_done(:j, 1);
\set VERBOSITY terse
SELECT count(*) FROM roost_data.job;
SELECT roost.job_retry(:j);
SELECT roost.account_me(1);
SET ROLE regress_job_monitor;
SELECT count(*) FROM roost.stat_job WHERE queue = 'jobtest';
SELECT roost.job_take('jobtest');
RESET ROLE;
DELETE FROM roost_data.job WHERE queue = 'jobtest';
DROP OWNED BY regress_job_worker;
DROP ROLE regress_job_worker, regress_job_monitor;
