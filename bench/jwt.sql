-- Access tokens verified in one backend: psql -f bench/jwt.sql
-- 100,000 tokens, each another one, read from a table; medians of seven runs.
\set QUIET 1
\pset format unaligned
\pset tuples_only on
SET max_parallel_workers_per_gather = 0;
SET jit = off;

CREATE TEMP TABLE token AS
SELECT roost_internal.token_make(1 + i, (1 + i) * 7, (1 + i) * 11) AS token FROM generate_series(1, 100000) i;
VACUUM ANALYZE token;
SELECT '# tokens of ' || round(avg(length(token))) || ' letters, algorithm ' || (SELECT algorithm FROM roost.key_list() WHERE signs) FROM token;

-- Nanoseconds that this backend has spent on a processor (Linux).
CREATE FUNCTION pg_temp.cpu() RETURNS bigint LANGUAGE sql VOLATILE AS $$
	SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint
$$;
CREATE FUNCTION pg_temp.measure(what text, query text, rows integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_start timestamptz;
	v_cpu bigint;
	v_seconds double precision[];
	v_cpus double precision[];
	v_result bigint;
BEGIN
	FOR run IN 0 .. 7 LOOP
		v_start := clock_timestamp();
		v_cpu := pg_temp.cpu();
		EXECUTE query INTO v_result;
		IF v_result <> rows THEN
			RAISE EXCEPTION 'expected % rows, got %', rows, v_result;
		END IF;
		IF run > 0 THEN
			v_cpus := v_cpus || (pg_temp.cpu() - v_cpu) / 1e9;
			v_seconds := v_seconds || extract(epoch FROM clock_timestamp() - v_start)::double precision;
		END IF;
	END LOOP;
	RETURN (SELECT format('%-30s %9s /s, best %9s /s; processor time %5s ns, best %5s ns', what,
			to_char(rows / percentile_cont(0.5) WITHIN GROUP (ORDER BY s), 'FM9,999,999'), to_char(rows / min(s), 'FM9,999,999'),
			round((percentile_cont(0.5) WITHIN GROUP (ORDER BY c) * 1e9 / rows)::numeric), round((min(c) * 1e9 / rows)::numeric))
		FROM unnest(v_seconds, v_cpus) v (s, c));
END $$;

SELECT pg_temp.measure('reading the tokens only', 'SELECT count(octet_length(token)) FROM token', 100000);
SELECT pg_temp.measure('roost.token_account(token)', 'SELECT count(roost.token_account(token)) FROM token', 100000);
SELECT pg_temp.measure('(roost.token_verify(token))', 'SELECT count(roost.token_verify(token)) FROM token', 100000);
SELECT pg_temp.measure('roost_internal.token_make()', 'SELECT count(roost_internal.token_make(i, i + 1, i + 2)) FROM generate_series(1, 100000) i', 100000);
