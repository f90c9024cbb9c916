# What an event costs its writer: single-row inserts, each a transaction, with
# the event trigger and without it, by 8, 16 and 32 clients.  CPU is that of the
# whole server, the worker included, for one transaction.

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
	local before after
	before=$(cpu $(with_children "$(postmaster)"))
	events_pgbench "$@" >"$work/events-pgbench.log"
	after=$(cpu $(with_children "$(postmaster)"))
	awk -v ms="$(awk -v a="$after" -v b="$before" 'BEGIN { print a - b }')" '
		/^number of transactions actually processed/ { sub(/.*: /, ""); n = $1 + 0 }
		/^tps/ { tps = $3 }
		END { printf "tps=%.0f cpu_us=%.2f\n", tps, ms * 1000 / n }' "$work/events-pgbench.log"
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
echo "Inserts with an event and without: transactions/s and us of CPU for each; the ratio is with over without, 1.00: free"
for sync in on off; do
	for clients in 8 16 32; do
		rm -f "$work"/events-with*.log
		for round in $(seq $((rounds * 3))); do
			for table in $([ $((round % 2)) = 0 ] && echo without with || echo with without); do
				events_round "$clients" "$sync" "$table" >>"$work/events-$table.log"
			done
		done
		echo "$clients clients, synchronous_commit $sync: with $(figure "$work/events-with.log" tps high)/s $(figure "$work/events-with.log" cpu_us low) us;" \
			"without $(figure "$work/events-without.log" tps high)/s $(figure "$work/events-without.log" cpu_us low) us;" \
			"ratio $(ratio "$(middle "$work/events-with.log" tps)" "$(middle "$work/events-without.log" tps)") by transactions/s," \
			"$(ratio "$(middle "$work/events-without.log" cpu_us)" "$(middle "$work/events-with.log" cpu_us)") by CPU"
	done
done
sql -c "DROP SCHEMA bench CASCADE"
