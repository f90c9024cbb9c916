# Fan-out, the whole path: from a post's event in the queue to the inboxes of
# its readers, the list of followers included; CPU of the background worker,
# from its own clock, with everything else that it does for a post.
#
# 400 authors with about 1,000, 5,000 and 9,500 followers out of 100,000 readers,
# all of whom have an inbox.  "kept": lists of followers are in the worker's
# memory; "read": there is no room for them, each post reads its list anew.

fanout_restart() {
	scripts/roost stop >&2
	scripts/roost start >&2
	sql -c "SELECT roost.worker_sync('1 minute')" >/dev/null
}
fanout_clear() {
	sql -c "SET client_min_messages = warning" -c "ALTER TABLE roost_data.follow DISABLE TRIGGER USER" \
		-c "DELETE FROM roost_data.follow WHERE followee_id <= 400" -c "ALTER TABLE roost_data.follow ENABLE TRIGGER USER" \
		-c "DELETE FROM roost_data.post WHERE author_id <= 400" -c "SELECT roost.install()" >/dev/null
	sql -c "VACUUM ANALYZE roost_data.follow" -c "VACUUM ANALYZE roost_data.post" >/dev/null
}
fanout_memory() { # fanout_memory SIZE; then every list has been read once
	sql -c "ALTER SYSTEM SET roost.timeline_follower_memory = '$1'" -c "SELECT pg_reload_conf()" >/dev/null
	sleep 1
	fanout_post 1 400 400
}
fanout_post() { # fanout_post FIRST_AUTHOR LAST_AUTHOR POSTS
	sql -c "INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text)
		SELECT id, $1 + n % ($2 - $1 + 1), id, now(), 'post' FROM (SELECT n, roost_internal.id_next() AS id FROM generate_series(1, $3) n) p" \
		-c "SELECT roost.timeline_sync('1 minute')" >/dev/null
}
fanout_figures() { sql -c "SELECT w.deliveries || ' ' || split_part(pg_read_file('/proc/' || w.pid || '/schedstat'), ' ', 1) || ' ' || (pg_current_wal_insert_lsn() - '0/0') FROM roost.stat_worker w"; }
fanout_run() { # fanout_run NAME FIRST_AUTHOR LAST_AUTHOR POSTS
	local before after
	before=$(fanout_figures)
	fanout_post "$2" "$3" "$4"
	after=$(fanout_figures)
	echo "$before $after" | awk '{ d = $4 - $1; printf "millions=%.2f wal=%.2f\n", d / ($5 - $2) * 1e3, ($6 - $3) / d }' >>"$work/fanout-$1.log"
}

rm -f "$work"/fanout-*.log
sql -c "ALTER SYSTEM SET roost.timeline_memory = '600MB'" -c "ALTER SYSTEM SET roost.timeline_push_limit = 1000000"
fanout_restart
fanout_clear
sql >/dev/null <<'END'
ALTER TABLE roost_data.follow DISABLE TRIGGER USER;
INSERT INTO roost_data.follow (follower_id, followee_id, id)
SELECT 1000000 + f.r, f.a, 1000000000 + row_number() OVER (ORDER BY random())
FROM (SELECT DISTINCT a, floor(random() * 100000)::int AS r
	FROM generate_series(1, 400) a, generate_series(1, CASE WHEN a <= 300 THEN 1000 WHEN a <= 380 THEN 5000 ELSE 10000 END)) f;
ALTER TABLE roost_data.follow ENABLE TRIGGER USER;
SELECT roost.install();
VACUUM ANALYZE roost_data.follow;
SELECT roost.timeline_sync('1 minute');
SET roost.timeline_source = inbox;
SET roost.timeline_strategy = push;
SELECT sum(cardinality(roost_internal.timeline_ids(1000000 + r, 20))) FROM generate_series(0, 99999) r;
END
for round in $(seq "$rounds"); do
	quiet
	fanout_memory 64MB
	fanout_run kept-1000 1 300 2000
	fanout_run kept-5000 301 380 500
	fanout_run kept-10000 381 400 250
	fanout_memory 64kB
	fanout_run read-1000 1 300 2000
	fanout_run read-5000 301 380 500
	fanout_run read-10000 381 400 250
done

echo
echo "Fan-out, whole path: millions of deliveries per CPU second of the worker, median [best] over $rounds rounds; $(sql -c "SELECT used FROM roost.stat_timeline WHERE kind = 'inbox'") inboxes"
for followers in 1000 5000 10000; do
	echo "$followers followers: $(figure "$work/fanout-kept-$followers.log" millions high) lists kept, $(figure "$work/fanout-read-$followers.log" millions high) lists read; WAL bytes a delivery $(figure "$work/fanout-kept-$followers.log" wal low), of the posts and their log"
done

fanout_clear
sql -c "ALTER SYSTEM RESET roost.timeline_memory" -c "ALTER SYSTEM RESET roost.timeline_push_limit" -c "ALTER SYSTEM RESET roost.timeline_follower_memory"
fanout_restart
