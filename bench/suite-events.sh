# What an event costs its writer: single-row inserts, each a transaction, with
# the event trigger and without it, by 8, 16 and 32 clients.  CPU is that of the
# writers' side of the server for one transaction, and of the worker, which
# shares the machine.

events_pgbench() { # events_pgbench CLIENTS SYNC TABLE
	local user
	user=$(stat -c %U "$ROOST_DATA/pg")
	local as=()
	[ "$user" = "$(id -un)" ] || as=(runuser -u "$user" --)
	"${as[@]}" env PGHOST="$ROOST_DATA/socket" PGPORT="$ROOST_PG_PORT" PGUSER=roost PGDATABASE=roost PGOPTIONS="-c synchronous_commit=$2" \
		"$("$PG_CONFIG" --bindir)/pgbench" -n -c "$1" -j 2 -T "$events_seconds" -M prepared -f - 2>/dev/null <<-END
			INSERT INTO bench.events_$3 (author_id, body) VALUES (:client_id, 'a text of about the length that posts have, which is sixty');
		END
}

events_round() { # events_round CLIENTS SYNC TABLE
	local worker before after
	worker=$(sql -c "SELECT pid FROM roost.stat_worker")
	before="$(cpu $(with_children "$(postmaster)")) $(cpu "$worker")"
	events_pgbench "$@" >"$work/events-pgbench.log"
	sql -c "SELECT roost.worker_sync('1 minute')" >/dev/null
	after="$(cpu $(with_children "$(postmaster)")) $(cpu "$worker")"
	awk -v times="$before $after" '
		/^number of transactions actually processed/ { sub(/.*: /, ""); n = $1 + 0 }
		/^tps/ { tps = $3 }
		END { split(times, t, " "); worker = t[4] - t[2]
			printf "tps=%.0f cpu_us=%.2f worker_us=%.2f\n", tps, (t[3] - t[1] - worker) * 1000 / n, worker * 1000 / n }' "$work/events-pgbench.log"
}

events_seconds=${EVENTS_SECONDS:-1}
sql <<-'END'
	SET client_min_messages = warning;
	CREATE SCHEMA IF NOT EXISTS bench;
	DROP TABLE IF EXISTS bench.events_without, bench.events_with;
	CREATE TABLE bench.events_without (id bigint PRIMARY KEY DEFAULT roost_internal.id_next(1), author_id bigint NOT NULL, body text NOT NULL);
	CREATE TABLE bench.events_with (LIKE bench.events_without INCLUDING ALL);
	CREATE TRIGGER event AFTER INSERT ON bench.events_with FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('post_created', 'id', 'author_id');
END
echo
echo "Inserts with an event and without: transactions/s and us of CPU, the worker's behind it; 1.00: the event is free"
for sync in on off; do
	for clients in 8 16 32; do
		rm -f "$work"/events-with*.log
		for round in $(seq $((rounds * 3))); do
			for table in $([ $((round % 2)) = 0 ] && echo without with || echo with without); do
				events_round "$clients" "$sync" "$table" >>"$work/events-$table.log"
			done
		done
		echo "$clients clients, synchronous_commit $sync: with $(figure "$work/events-with.log" tps high)/s $(figure "$work/events-with.log" cpu_us low) + $(middle "$work/events-with.log" worker_us) us;" \
			"without $(figure "$work/events-without.log" tps high)/s $(figure "$work/events-without.log" cpu_us low) us;" \
			"ratio $(ratio "$(middle "$work/events-with.log" tps)" "$(middle "$work/events-without.log" tps)") by transactions/s," \
			"$(ratio "$(middle "$work/events-without.log" cpu_us)" "$(middle "$work/events-with.log" cpu_us)") by CPU"
	done
done
sql -c "DROP SCHEMA bench CASCADE"
