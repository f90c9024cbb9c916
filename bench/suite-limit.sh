# One rate-limit check: what it adds to a call in SQL, against Redis and GCRA in Lua.

gcra="local t=redis.call('TIME') local now=t[1]*1000000+t[2] local step=tonumber(ARGV[1]) local burst=tonumber(ARGV[2]) local tat=tonumber(redis.call('GET',KEYS[1]) or now) if tat<now then tat=now end local nt=tat+step if nt-burst*step>now then return {0,nt-burst*step-now} end redis.call('SET',KEYS[1],string.format('%.0f',nt),'PX',math.ceil((nt-now)/1000)+1) return {1,0}"
sha=$(redis-cli -p "$REDIS_PORT" script load "$gcra")
echo
echo "Rate limit, one check"
rm -f "$work"/limit-*.log
for round in $(seq "$rounds"); do
	quiet
	sql <<-'END' >>"$work/limit-roost.log"
		SET jit = off;
		CREATE FUNCTION pg_temp.cpu() RETURNS bigint LANGUAGE sql VOLATILE AS $$
			SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint $$;
		CREATE TEMP TABLE at AS SELECT 0 AS step, pg_temp.cpu() AS cpu;
		SELECT count(b) FROM (SELECT roost.id_bucket(i::bigint) AS b FROM generate_series(1, 1000000) i) s \g /dev/null
		INSERT INTO at SELECT 1, pg_temp.cpu();
		SELECT count(h) FROM (SELECT roost.limit_hit('default', 1 + i % 100000, NULL, NULL) AS h FROM generate_series(1, 1000000) i) s \g /dev/null
		INSERT INTO at SELECT 2, pg_temp.cpu();
		SELECT format('call_ns=%s empty_ns=%s', (max(cpu) FILTER (WHERE step = 2) - max(cpu) FILTER (WHERE step = 1)) / 1000000,
			(max(cpu) FILTER (WHERE step = 1) - max(cpu) FILTER (WHERE step = 0)) / 1000000) FROM at;
	END
	redis-benchmark -p "$REDIS_PORT" --csv -r 100000 -n 50000 -c 1 evalsha "$sha" 1 limit:__rand_int__ 100000 100 2>/dev/null |
		tail -1 | awk -F'","' '{ print "per_second=" $2 }' >>"$work/limit-redis.log"
done
echo "roost.limit_hit(): $(figure "$work/limit-roost.log" call_ns low) ns CPU for both policies of the class and the SQL call; an empty C function $(figure "$work/limit-roost.log" empty_ns low) ns"
echo "Redis, GCRA in Lua, one client: $(figure "$work/limit-redis.log" per_second high) checks/s"
