# Reading home timelines in SQL: ids and whole pages from shared memory, cold
# readers, and how soon a post shows; against the same in Redis.

cc -O2 -o "$work/redis" bench/peers/redis.c -lhiredis
cc -O2 -I"$("$PG_CONFIG" --includedir)" -o "$work/visible" bench/visible.c -lpq
rm -f "$work"/reads-*.log

# what each call costs: CPU of the backend, from its own clock, an empty call taken off
reads() { # reads SOURCE FIRST LAST CALL CALLS
	sql <<-END
		SET jit = off;
		SET roost.timeline_source = '$1';
		CREATE FUNCTION pg_temp.cpu() RETURNS bigint LANGUAGE sql VOLATILE AS \$\$
			SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint \$\$;
		CREATE TEMP TABLE reader AS SELECT id, roost_internal.token_make(id, 1, 1) AS token FROM roost_data.import_map
			WHERE kind = 'account' AND external_id::int BETWEEN $2 AND $3;
		SELECT count($4) FROM reader r \g /dev/null
		SELECT count($4) FROM reader r, generate_series(1, 3) \g /dev/null
		CREATE TEMP TABLE at AS SELECT 0 AS step, pg_temp.cpu() AS cpu, 0::bigint AS calls;
		INSERT INTO at SELECT 1, pg_temp.cpu(), n FROM (SELECT count(roost.id_bucket(r.id)) AS n FROM generate_series(1, $5) i, reader r) s;
		INSERT INTO at SELECT 2, pg_temp.cpu(), n FROM (SELECT count($4) AS n FROM generate_series(1, $5) i, reader r) s;
		SELECT format('us=%s', round((((max(cpu) FILTER (WHERE step = 2) - max(cpu) FILTER (WHERE step = 1)))::numeric / max(calls) FILTER (WHERE step = 2)
			- (max(cpu) FILTER (WHERE step = 1) - max(cpu) FILTER (WHERE step = 0))::numeric / max(calls) FILTER (WHERE step = 1)) / 1000, 2)) FROM at;
	END
}

ids="roost_internal.timeline_ids(r.id, 50)"
home="roost_internal.timeline_home_ids(r.id, 50, 9223372036854775807, 0, 'following', true)"
page="roost.handle('GET', '/tweets/home', 'limit=50', 'authorization: Bearer ' || r.token, NULL, '127.0.0.1')"
redis_readers=20000
"$work/redis" "$REDIS_PORT" fill $redis_readers 800
for round in $(seq "$rounds"); do
	quiet
	reads auto 1001 2000 "$ids" 200 >>"$work/reads-ids.log"
	reads auto 1001 2000 "$home" 20 >>"$work/reads-home.log"
	reads auto 1001 2000 "$page" 20 >>"$work/reads-page.log"
	reads pull 101 200 "$ids" 50 >>"$work/reads-cold-200.log"
	reads pull 201 300 "$ids" 20 >>"$work/reads-cold-1000.log"
	"$work/redis" "$REDIS_PORT" ids $redis_readers "$seconds" >>"$work/reads-redis-ids.log"
	"$work/redis" "$REDIS_PORT" page $redis_readers "$seconds" >>"$work/reads-redis-page.log"
	"$work/redis" "$REDIS_PORT" fanout $redis_readers 1000 "$seconds" >>"$work/reads-redis-fanout.log"
done
echo
echo "Home timelines in SQL: µs of server CPU for a call, median [best] over $rounds rounds"
echo "newest 50 ids: $(figure "$work/reads-ids.log" us low); Redis LRANGE: CPU $(figure "$work/reads-redis-ids.log" cpu_us low), round trip p50 $(figure "$work/reads-redis-ids.log" p50_us low)"
echo "page of 50 ids by all rules: $(figure "$work/reads-home.log" us low)"
echo "page of 50 posts as JSON, the whole request with token and limits: $(figure "$work/reads-page.log" us low); Redis LRANGE + MGET: CPU $(figure "$work/reads-redis-page.log" cpu_us low), round trip p50 $(figure "$work/reads-redis-page.log" p50_us low)"
echo "without an inbox, newest 50 ids: following 200 $(figure "$work/reads-cold-200.log" us low), following 1,000 $(figure "$work/reads-cold-1000.log" us low)"
echo "fan-out in Redis, deliveries per CPU second: $(figure "$work/reads-redis-fanout.log" per_cpu_second high)"

sql -c "SELECT f.followee_id || ' ' || f.follower_id FROM roost_data.follow f JOIN roost_data.import_map m ON m.id = f.follower_id
	WHERE m.kind = 'account' AND m.external_id::int BETWEEN 1001 AND 2000 ORDER BY f.id LIMIT 5000" >"$work/pairs.txt"
sql -c "DROP TABLE IF EXISTS bench_author" -c "CREATE TABLE bench_author AS SELECT row_number() OVER () AS n, id FROM roost_data.import_map
	WHERE kind = 'account' AND external_id::int <= 1000" -c "CREATE INDEX ON bench_author (n)"
echo '\set n random(1, 1000)
SELECT (roost.post_create((SELECT id FROM bench_author WHERE n = :n), $$load$$)).id;' >"$work/load.sql"
export PGHOST PGPORT=$ROOST_PG_PORT PGUSER=roost PGDATABASE=roost
PGHOST=$(sql -c 'SHOW unix_socket_directories')
for round in $(seq "$rounds"); do
	quiet
	"$("$PG_CONFIG" --bindir)/pgbench" -n -c 4 -M prepared -R 500 -T $((seconds + 2)) -f "$work/load.sql" >"$work/load.log" 2>&1 &
	sleep 1
	"$work/visible" $((seconds * 100)) <"$work/pairs.txt" >>"$work/reads-visible.log"
	wait $!
done
unset PGHOST PGPORT PGUSER PGDATABASE
echo "a post is on a follower's timeline, µs after its writer has the answer, while 500 others a second are written: p50 $(figure "$work/reads-visible.log" p50_us low), p99 $(figure "$work/reads-visible.log" p99_us low), reads it took $(figure "$work/reads-visible.log" reads low)"
