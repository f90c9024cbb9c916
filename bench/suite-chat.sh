# Conversations: messages from socket to socket, a large group, pages of a long
# history, bundles of keys.  Everything is roost alone: there is no peer.
#   CHAT_CONVERSATIONS=10000 CHAT_MESSAGES=1000 (in each) CHAT_PAIRS=100
#   CHAT_RATE=500 (messages a second) CHAT_GROUP=1000 CHAT_ONLINE=100
#   CHAT_DEVICES=500 CHAT_PREKEYS=200 (of each kind, of a device)

chat_conversations=${CHAT_CONVERSATIONS:-10000} chat_messages=${CHAT_MESSAGES:-1000} chat_pairs=${CHAT_PAIRS:-100}
chat_rate=${CHAT_RATE:-500} chat_group=${CHAT_GROUP:-1000} chat_online=${CHAT_ONLINE:-100}
chat_devices=${CHAT_DEVICES:-500} chat_prekeys=${CHAT_PREKEYS:-200}
chat_port=18084 chat_base=1000000000 chat_accounts=1000
[ "$chat_accounts" -ge "$chat_pairs" ] || chat_accounts=$chat_pairs
ulimit -Sn $((chat_pairs * 2 + chat_online + 1000)) 2>/dev/null || ulimit -Sn "$(ulimit -Hn)"

cc -O2 -o "$work/chat" bench/chat.c

# Two sides of accounts; conversation n is between n of one and n + n / accounts
# of the other.  Its messages lie between those of all others, as they came.
chat_load() {
	local start=$SECONDS
	[ "$(sql -c "SELECT count(*) FROM roost_data.conversation_direct WHERE low_id BETWEEN $chat_base AND $chat_base + $chat_accounts - 1")" != "$chat_conversations" ] || return 0
	echo "Loading $chat_conversations conversations of $chat_messages messages" >&2
	# triggers would tell the worker of all of them; their ids are of a time before its log
	sql -c "SET session_replication_role = replica" \
		-c "CREATE TEMP TABLE made AS SELECT n, $chat_base + n % $chat_accounts AS low_id,
			$chat_base + $chat_accounts + (n + n / $chat_accounts) % $chat_accounts AS high_id,
			roost_internal.id_at(now() - interval '60 days' + n * interval '1 second', n, n) AS id FROM generate_series(0, $chat_conversations - 1) n" \
		-c "INSERT INTO roost_data.account (id, username) SELECT $chat_base + n, 'chat_' || n FROM generate_series(0, 2 * $chat_accounts - 1) n ON CONFLICT DO NOTHING" \
		-c "INSERT INTO roost_data.conversation (id, kind, member_count) SELECT m.id, 'direct', 2 FROM made m" \
		-c "INSERT INTO roost_data.conversation_direct (low_id, high_id, conversation_id) SELECT m.low_id, m.high_id, m.id FROM made m" \
		-c "INSERT INTO roost_data.conversation_member (conversation_id, account_id)
			SELECT m.id, m.low_id FROM made m UNION ALL SELECT m.id, m.high_id FROM made m" \
		-c "INSERT INTO roost_data.message (id, conversation_id, sender_id, created_at, text, client_id)
			SELECT roost_internal.id_at(t.at, m.id, s), m.id, CASE WHEN s % 2 = 0 THEN m.low_id ELSE m.high_id END, t.at,
				'lorem ipsum dolor sit amet consectetur adipiscing ' || s, 'bench-' || s
			FROM generate_series(1, $chat_messages) s CROSS JOIN made m
			CROSS JOIN LATERAL (SELECT now() - interval '50 days' + (s + m.n::float8 / $chat_conversations) * interval '40 days' / $chat_messages AS at) t" \
		-c "UPDATE roost_data.conversation c SET last_message_id = (SELECT max(x.id) FROM roost_data.message x WHERE x.conversation_id = c.id)
			FROM made m WHERE m.id = c.id" >/dev/null
	sql -c "VACUUM ANALYZE roost_data.message" -c "VACUUM ANALYZE roost_data.conversation" -c "VACUUM ANALYZE roost_data.conversation_member" \
		-c "VACUUM ANALYZE roost_data.conversation_direct" -c "CHECKPOINT" >/dev/null
	echo "Loaded them in $((SECONDS - start)) s" >&2
}

# One group, and devices with as many prekeys as there were at the beginning.
chat_fill() {
	sql -c "SET session_replication_role = replica" -c "SET client_min_messages = warning" \
		-c "CREATE SCHEMA IF NOT EXISTS bench" -c "CREATE TABLE IF NOT EXISTS bench.chat_group (id bigint)" \
		-c "WITH made AS (INSERT INTO bench.chat_group SELECT roost_internal.id_next() WHERE NOT EXISTS (SELECT FROM bench.chat_group) RETURNING id),
			room AS (INSERT INTO roost_data.conversation (id, kind, title, member_count) SELECT m.id, 'group', 'bench', $chat_group FROM made m RETURNING id)
			INSERT INTO roost_data.conversation_member (conversation_id, account_id)
			SELECT r.id, $chat_base + n FROM room r CROSS JOIN generate_series(0, $chat_group - 1) n" \
		-c "INSERT INTO roost_data.key_device (account_id, number, device_id, registration_id, identity_key, signed_prekey_id, signed_prekey, signed_prekey_signature,
				kyber_prekey_id, kyber_prekey, kyber_prekey_signature)
			SELECT $chat_base + n, 1, $chat_base + n, 1, decode(repeat('05', 33), 'hex'), 1, decode(repeat('05', 33), 'hex'), decode(repeat('06', 64), 'hex'),
				1, decode(repeat('08', 1569), 'hex'), decode(repeat('07', 64), 'hex')
			FROM generate_series(0, $chat_devices - 1) n ON CONFLICT DO NOTHING" \
		-c "INSERT INTO roost_data.key_prekey (account_id, number, id, is_kyber, key, signature)
			SELECT $chat_base + n, 1, i, k, decode(repeat(CASE WHEN k THEN '08' ELSE '05' END, CASE WHEN k THEN 1569 ELSE 33 END), 'hex'),
				CASE WHEN k THEN decode(repeat('07', 64), 'hex') END
			FROM generate_series(0, $chat_devices - 1) n CROSS JOIN generate_series(1, $chat_prekeys) i CROSS JOIN (VALUES (false), (true)) v (k) ON CONFLICT DO NOTHING" \
		-c "UPDATE roost_data.key_device SET low_told_at = NULL WHERE low_told_at IS NOT NULL" -c "VACUUM ANALYZE roost_data.key_prekey" -c "CHECKPOINT" >/dev/null
}

chat_start() {
	"$("$PG_CONFIG" --bindir)/roost-gateway" --port $chat_port --access-log off --address-connections 20000 --stream-connections 20000 \
		--password-file "$ROOST_DATA/secret" --database-url "host=$ROOST_DATA/socket port=$ROOST_PG_PORT dbname=roost user=roost_gateway" >"$work/chat-server.log" 2>&1 &
	chat_pid=$!
	for _ in $(seq 200); do
		! curl -fs -o /dev/null "http://127.0.0.1:$chat_port/health" || return 0
		sleep 0.05
	done
	kill "$chat_pid"
	echo "chat: the gateway does not start" >&2
	return 1
}

# chat_measure JOB RATE SENDERS: sockets of a file of lines, one line of figures
chat_measure() {
	local before after line pids
	quiet
	pids="$chat_pid $(with_children "$(postmaster)")"
	before=$(cpu $pids)
	line=$("$work/chat" $chat_port "$2" "$seconds" "$3" <"$work/chat-$1.txt") || line="failed=1"
	after=$(cpu $pids)
	# (the messages at the beginning are not among those that it counts)
	echo "$line cpu_us=$(awk -v d="$(echo "$after - $before" | bc)" -v l="$line" -v first=$(($2 > 20 ? $2 : 20)) 'BEGIN { sub(/.* messages=/, "", l); printf "%.0f", d * 1000 / (l + first) }')" >>"$work/chat-$1.log"
}

chat_load
chat_fill
sql -F ' ' -c "SELECT d.conversation_id, roost_internal.token_make(t.account_id, 1, 1) FROM (VALUES (0), (1)) s (side), roost_data.conversation_direct d
	CROSS JOIN LATERAL (SELECT CASE side WHEN 0 THEN d.low_id ELSE d.high_id END AS account_id) t
	WHERE d.low_id BETWEEN $chat_base AND $chat_base + $chat_pairs - 1 AND d.high_id = d.low_id + $chat_accounts ORDER BY side, d.low_id" >"$work/chat-pairs.txt"
sql -F ' ' -c "SELECT g.id, roost_internal.token_make($chat_base + n, 1, 1) FROM bench.chat_group g CROSS JOIN generate_series(0, $chat_online - 1) n ORDER BY n" >"$work/chat-group.txt"
sql -c "SELECT roost_internal.token_make($chat_base + $chat_accounts + n, 1, 1) FROM generate_series(0, $chat_accounts - 1) n" >"$work/chat-tokens.txt"
sql -c "SELECT d.account_id FROM roost_data.key_device d WHERE d.account_id BETWEEN $chat_base AND $chat_base + $chat_devices - 1" >"$work/chat-devices.txt"
cat >"$work/chat-page.sql" <<-END
	\set n random(0, $chat_conversations - 1)
	SELECT d.conversation_id AS room, roost_internal.token_make(d.low_id, 1, 1) AS token FROM roost_data.conversation_direct d
	WHERE d.low_id = $chat_base + :n % $chat_accounts AND d.high_id = $chat_base + $chat_accounts + (:n + :n / $chat_accounts) % $chat_accounts \gset
	SELECT roost.handle('GET', '/conversations/' || :room || '/messages', 'limit=50', 'authorization: Bearer :token', NULL, '127.0.0.1');
END

# Pages of the history: the whole request in SQL; what a page took, from pgbench's own log.
chat_pages() {
	local user as=()
	user=$(stat -c %U "$ROOST_DATA/pg")
	[ "$user" = "$(id -un)" ] || as=(runuser -u "$user" --)
	rm -rf "$work/chat-pages"
	install -d -o "$user" "$work/chat-pages"
	quiet
	(cd "$work/chat-pages" && PGHOST="$ROOST_DATA/socket" PGPORT="$ROOST_PG_PORT" PGUSER=roost PGDATABASE=roost \
		"${as[@]}" "$("$PG_CONFIG" --bindir)/pgbench" -n -c 1 -T "$seconds" -r -f - <"$work/chat-page.sql") |
		awk '/roost.handle/ { printf "page_ms=%s\n", $1 }' >>"$work/chat-pages.log"
}

rm -f "$work"/chat-*.log
for round in $(seq "$rounds"); do
	chat_start
	chat_measure pairs "$chat_rate" "$chat_pairs"
	chat_measure group 10 1
	chat_fill
	for c in 64 200; do
		quiet
		wrk -t1 -c$c -d"${seconds}s" --latency -s bench/wrk.lua "http://127.0.0.1:$chat_port" -- bundle "$work/chat-tokens.txt" "$work/chat-devices.txt" "$round" |
			tail -1 >>"$work/chat-bundles-$c.log"
	done
	kill "$chat_pid"
	wait "$chat_pid" 2>/dev/null || true
	chat_pages
done

echo
echo "Conversations: median [best] over $rounds rounds"
chat_row() { # chat_row TITLE JOB
	echo "$1: told p50 $(figure "$work/chat-$2.log" told_p50_ms low) p99 $(figure "$work/chat-$2.log" told_p99_ms low) max $(figure "$work/chat-$2.log" told_max_ms low) ms," \
		"answer p50 $(figure "$work/chat-$2.log" answer_p50_ms low) p99 $(figure "$work/chat-$2.log" answer_p99_ms low) ms," \
		"lost $(figure "$work/chat-$2.log" lost low) twice $(figure "$work/chat-$2.log" twice low), cpu $(figure "$work/chat-$2.log" cpu_us low) us a message"
}
chat_row "$chat_rate messages/s in $chat_pairs conversations, socket to socket" pairs
chat_row "10 messages/s in a group of $chat_group, $chat_online online" group
for c in 64 200; do
	echo "bundles, $c connections: $(figure "$work/chat-bundles-$c.log" per_second high)/s, p50 $(middle "$work/chat-bundles-$c.log" p50_ms) p99 $(middle "$work/chat-bundles-$c.log" p99_ms) ms, refused $(middle "$work/chat-bundles-$c.log" refused)"
done
echo "page of 50 of the history, $chat_conversations conversations of $chat_messages messages, the whole request in SQL: $(figure "$work/chat-pages.log" page_ms low) ms"
sql -F ' ' -c "SELECT 'bytes of a message: indexes ' || round(pg_indexes_size('roost_data.message')::numeric / n, 1) || ', table ' || round(pg_table_size('roost_data.message')::numeric / n, 1)
	|| ', of which its text ' || (SELECT round(avg(octet_length(t.text)), 1) FROM (SELECT x.text FROM roost_data.message x LIMIT 100000) t)
	FROM (SELECT greatest(count(*), 1) AS n FROM roost_data.message) c"
