# HTTP with 64 keep-alive connections: roost's gateway against Fastify, both on
# the same PostgreSQL and the same graph.

# load NAME MODE URL TOKENS IDS PID...: one run of wrk, one line of figures
load() {
	local name=$1 mode=$2 url=$3 tokens=$4 ids=$5 before after pids line pg
	shift 5
	quiet
	pids="$* $(with_children "$pm")"
	before=$(cpu $pids)
	line=$(wrk -t1 -c64 -d"${seconds}s" --latency -s bench/wrk.lua "$url" -- "$mode" "$tokens" "$ids" "$round" | tail -1)
	after=$(cpu $pids)
	echo "$line cpu_us=$(awk -v d="$(echo "$after - $before" | bc)" -v l="$line" 'BEGIN { sub(/.*requests=/, "", l); printf "%.1f", d * 1000 / (l + 0) }')" >>"$work/http-$name.log"
}

rm -f "$work"/http-*.log
pm=$(postmaster)
for round in $(seq "$rounds"); do
	gw=$(with_children "$(cat "$ROOST_DATA/gateway.pid")")
	start_peer
	peer=$(cat "$work/peer.pid")
	wrk -t1 -c64 -d1s -s bench/wrk.lua "http://127.0.0.1:$peer_port" -- peer_home "$work/peer_readers.txt" "$work/peer_ids.txt" 9 >/dev/null
	wrk -t1 -c64 -d1s -s bench/wrk.lua "http://127.0.0.1:$ROOST_PORT" -- get "$work/readers.txt" "$work/ids.txt" 9 >/dev/null
	# the newest 20,000 posts into the caches of both, which start empty
	wrk -t1 -c64 -d3s -s bench/wrk.lua "http://127.0.0.1:$peer_port" -- peer_cached "$work/peer_readers.txt" "$work/peer_ids.txt" 9 >/dev/null
	wrk -t1 -c64 -d3s -s bench/wrk.lua "http://127.0.0.1:$ROOST_PORT" -- cached "$work/readers.txt" "$work/ids.txt" 9 >/dev/null
	for mode in health get cached home post; do
		[ $mode = health ] && m=health || m=peer_$mode
		tokens=$work/peer_readers.txt
		[ $mode != post ] || tokens=$work/peer_authors.txt
		load peer-$mode $m "http://127.0.0.1:$peer_port" "$tokens" "$work/peer_ids.txt" "$peer"
		tokens=$work/readers.txt
		[ $mode != post ] || tokens=$work/authors_roost.txt
		load roost-$mode $mode "http://127.0.0.1:$ROOST_PORT" "$tokens" "$work/ids.txt" $gw
	done
	stop_peer
done

echo
echo "HTTP, wrk -t1 -c64: median [best] over $rounds rounds"
printf '%-10s %-22s %-22s %-8s %-16s %-16s %-16s %-16s %s\n' job roost/s fastify/s ratio 'p50 ms r/f' 'p99 ms r/f' 'cpu us r/f' 'refused r/f' bytes
for mode in health get cached home post; do
	r=$work/http-roost-$mode.log p=$work/http-peer-$mode.log
	printf '%-10s %-22s %-22s %-8s %-16s %-16s %-16s %-16s %s\n' $mode "$(figure "$r" per_second high)" "$(figure "$p" per_second high)" \
		"$(ratio "$(middle "$r" per_second)" "$(middle "$p" per_second)")" \
		"$(middle "$r" p50_ms)/$(middle "$p" p50_ms)" "$(middle "$r" p99_ms)/$(middle "$p" p99_ms)" \
		"$(middle "$r" cpu_us)/$(middle "$p" cpu_us)" "$(middle "$r" refused)/$(middle "$p" refused)" "$(middle "$r" bytes)/$(middle "$p" bytes)"
done
echo "cached: one of 20,000 posts; roost without a token from the cache of the gateway, the peer with its token from Redis"
