-- Is everything well?

CREATE OR REPLACE FUNCTION roost.health() RETURNS roost.health
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN r.reason IS NULL THEN 'ok' ELSE 'degraded' END,
		roost.version(), w.state, pg_catalog.round(w.lag::numeric, 3), w.standby, w.queue_depth, r.reason
	FROM roost_internal.worker_stat() w
	CROSS JOIN LATERAL (
		SELECT CASE
			WHEN w.state = 'no slot' THEN 'no slot is free for the background worker: increase max_worker_processes'
			WHEN w.state NOT IN ('running', 'standby') THEN 'the background worker does not run: ' || w.state
			WHEN w.lag >= 60 THEN 'the background worker is a minute behind'
			WHEN w.failing > 0 THEN 'a step of the background worker fails: see the server log'
		END AS reason
	) r
$$;
COMMENT ON FUNCTION roost.health() IS 'Whether the service is well: status is ok, or degraded for the given reason when the background worker does not run, is a minute behind or fails at something. Requests are still answered, and timelines are exact, but slower. Cheap, reads no table.';
SELECT roost_internal.route('GET', '/health', 'roost.health', auth => 'none', limit_class => 'none');
