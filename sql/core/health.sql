-- Is everything well?

CREATE OR REPLACE FUNCTION roost.health() RETURNS roost.health
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN w.state IN ('running', 'standby') AND w.lag < 60 THEN 'ok' ELSE 'degraded' END,
		roost.version(), w.state, pg_catalog.round(w.lag::numeric, 3), w.standby
	FROM roost_internal.worker_stat() w
$$;
COMMENT ON FUNCTION roost.health() IS 'Whether the service is well: status is ok, or degraded when the background worker does not run or is a minute behind (requests are still answered). Cheap, reads no table.';
SELECT roost_internal.route('GET', '/health', 'roost.health', auth => 'none', limit_class => 'none');
