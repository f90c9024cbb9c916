# Events to many WebSockets: roost's gateway, ws with Redis, socket.io with its
# Redis adapter.  A post of roost is committed, logged, read and delivered as a
# whole post to those who follow its author; the peers pass a message of 200
# bytes on.  LIVE_SOCKETS=1000 LIVE_IDLE=2000

live_sockets=${LIVE_SOCKETS:-1000} live_idle=${LIVE_IDLE:-2000}
live_port=18083
export LIVE_REDIS_PORT=$REDIS_PORT
ulimit -Sn $((live_idle + live_sockets + 1000)) 2>/dev/null || ulimit -Sn "$(ulimit -Hn)"

cc -O2 -I"$("$PG_CONFIG" --includedir)" -o "$work/live" bench/live.c -lpq
[ -d bench/peers/node_modules/ws ] || (cd bench/peers && npm ci --no-audit --no-fund >&2)

# What the sockets need: tokens of readers, and an author whom all of them follow.
sql -c "SELECT roost_internal.token_make(m.id, 1, 1) FROM roost_data.import_map m
	WHERE m.kind = 'account' AND m.external_id::int BETWEEN 1001 AND 1000 + greatest($live_sockets, $live_idle) ORDER BY m.external_id::int" >"$work/live-tokens.txt"
LIVE_AUTHOR=$(sql -c "SELECT id FROM roost_data.import_map WHERE kind = 'account' AND external_id = '$accounts'")
export LIVE_AUTHOR
sql -c "INSERT INTO roost_data.follow (follower_id, followee_id, id) SELECT m.id, $LIVE_AUTHOR, roost_internal.id_next(m.id) FROM roost_data.import_map m
	WHERE m.kind = 'account' AND m.external_id::int BETWEEN 1001 AND 1000 + greatest($live_sockets, $live_idle) AND m.id <> $LIVE_AUTHOR ON CONFLICT DO NOTHING" \
	-c "SELECT roost.worker_sync('1 minute')" >/dev/null

live_start() { # live_start KIND: a fresh server of that kind
	if [ "$1" = roost ]; then
		"$("$PG_CONFIG" --bindir)/roost-gateway" --port $live_port --access-log off --address-connections 20000 --max-connections $((live_idle + 500)) --stream-connections 20000 \
			--password-file "$ROOST_DATA/secret" --database-url "host=$ROOST_DATA/socket port=$ROOST_PG_PORT dbname=roost user=roost_gateway" >"$work/live-server.log" 2>&1 &
	else
		PORT=$live_port node "bench/peers/$1.mjs" >"$work/live-server.log" 2>&1 &
	fi
	live_pid=$!
	for _ in $(seq 200); do
		! curl -fs -o /dev/null "http://127.0.0.1:$live_port/health" || return 0
		sleep 0.05
	done
	kill "$live_pid"
	echo "live: $1 does not start" >&2
	return 1
}
live_stop() {
	kill "$live_pid"
	wait "$live_pid" 2>/dev/null || true
}

# live_measure KIND JOB ARGUMENTS...: one run, one line of figures
live_measure() {
	local kind=$1 job=$2 before after line pids=$live_pid
	shift 2
	[ "$kind" != roost ] || pids="$pids $(with_children "$(postmaster)")"
	quiet
	before=$(cpu $pids)
	line=$(PGHOST="$ROOST_DATA/socket" PGPORT=$ROOST_PG_PORT PGUSER=roost PGDATABASE=roost "$work/live" "$kind" $live_port "$@" <"$work/live-tokens.txt") || line="failed=1"
	after=$(cpu $pids)
	echo "$line cpu_s=$(echo "scale=2; ($after - $before) / 1000" | bc)" >>"$work/live-$kind-$job.log"
}

rm -f "$work"/live-*-*.log
for round in $(seq "$rounds"); do
	for kind in roost ws sio; do
		live_start $kind
		live_measure $kind idle "$live_idle" idle 3 "$live_pid"
		live_stop
		live_start $kind
		live_measure $kind flood "$live_sockets" throughput 4 "$seconds"
		live_measure $kind window "$live_sockets" throughput 64 "$seconds"
		live_measure $kind at20 "$live_sockets" latency 20 "$seconds"
		live_measure $kind at100 "$live_sockets" latency 100 "$seconds"
		live_measure $kind small $((live_sockets / 10)) latency 100 "$seconds"
		live_stop
	done
done

echo
echo "WebSockets: median [best] over $rounds rounds; $live_sockets sockets, $live_idle idle ones"
printf '%-34s %-24s %-24s %s\n' job roost ws socket.io
live_row() { # live_row TITLE JOB KEY high|low
	printf '%-34s %-24s %-24s %s\n' "$1" "$(figure "$work/live-roost-$2.log" "$3" "$4")" "$(figure "$work/live-ws-$2.log" "$3" "$4")" "$(figure "$work/live-sio-$2.log" "$3" "$4")"
}
live_row "KiB for an idle socket" idle kib low
live_row "deliveries/s, 4 events under way" flood deliveries high
live_row "deliveries/s, 64 under way" window deliveries high
for job in at20 at100 small; do
	case $job in at20) title="20/s x $live_sockets" ;; at100) title="100/s x $live_sockets" ;; *) title="100/s x $((live_sockets / 10))" ;; esac
	live_row "$title: p50 ms" $job p50_ms low
	live_row "$title: p99 ms" $job p99_ms low
	live_row "$title: lost" $job lost low
done
live_row "bytes of an event" at20 bytes low

# What sockets cost writers: posts of other accounts by 8 clients, with and
# without sockets that wait.
live_writers() { # live_writers: posts a second
	local user as=()
	user=$(stat -c %U "$ROOST_DATA/pg")
	[ "$user" = "$(id -un)" ] || as=(runuser -u "$user" --)
	"${as[@]}" env PGHOST="$ROOST_DATA/socket" PGPORT="$ROOST_PG_PORT" PGUSER=roost PGDATABASE=roost \
		"$("$PG_CONFIG" --bindir)/pgbench" -n -c 8 -j 2 -T "$seconds" -M prepared -f - 2>/dev/null <<-END | awk '/^tps/ { print $3 }'
			\set n random(1, 20)
			SELECT (roost.post_create(($live_ids)[:n], 'a text of about the length that posts have, which is sixty')).id
		END
}
rm -f "$work"/live-writers-*.log
live_ids="ARRAY[$(sql -c "SELECT string_agg(a.id::text, ',') FROM (SELECT m.id FROM roost_data.import_map m WHERE m.kind = 'account' AND m.id <> $LIVE_AUTHOR
	ORDER BY (SELECT count(*) FROM roost_data.follow f WHERE f.followee_id = m.id AND f.follower_id IN (SELECT r.id FROM roost_data.import_map r WHERE r.kind = 'account' AND r.external_id::int BETWEEN 1001 AND 1000 + $live_sockets)), m.id LIMIT 20) a")]::bigint[]"
for round in $(seq $((rounds * 2))); do
	live_start roost
	for mode in $([ $((round % 2)) = 0 ] && echo without with || echo with without); do
		quiet
		if [ $mode = with ]; then
			"$work/live" roost $live_port "$live_sockets" hold $((seconds + 3)) <"$work/live-tokens.txt" >"$work/live-hold.log" &
			holder=$!
			for _ in $(seq 200); do grep -q ready "$work/live-hold.log" && break; sleep 0.05; done
			echo "tps=$(live_writers)" >>"$work/live-writers-with.log"
			wait $holder || true
		else
			echo "tps=$(live_writers)" >>"$work/live-writers-without.log"
		fi
	done
	live_stop
done
echo "posts/s of 8 writers: $(figure "$work/live-writers-with.log" tps high) with $live_sockets sockets, $(figure "$work/live-writers-without.log" tps high) without; ratio $(ratio "$(middle "$work/live-writers-with.log" tps)" "$(middle "$work/live-writers-without.log" tps)")"
