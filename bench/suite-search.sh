# Search in a million posts: what the index takes, what it costs writers, and how
# long searches take, of strangers and of accounts with 200 follows and 50 blocks.
# Texts are two phrases of real posts put together (SEARCH_TEXTS, a file of
# "id TAB time TAB tag TAB … TAB title TAB text"), or else two generated ones.

texts=${SEARCH_TEXTS:-../shared/data/posts/posts.tsv.xz}
search_texts() {
	if [ -r "$texts" ]; then
		xz -dc "$texts" | awk -F'\t' 'NR > 1 { print $8; n = split($9, part, /[.!?]|\\n/); for (i = 1; i <= n; i++) { gsub(/^ +| +$/, "", part[i]); if (length(part[i]) >= 15 && length(part[i]) <= 200) print part[i] } }'
	else
		awk 'BEGIN { srand(7); for (i = 0; i < 100000; i++) { s = ""; for (k = 0; k < 8 + rand() * 8; k++) s = s (k ? " " : "") sprintf("w%d", int(exp(rand() * log(60000)))); print s } }'
	fi | tr -d '\\\r' | sed 's/	/ /g'
}

declare -F search_pgbench >/dev/null || search_pgbench() {
	local user
	user=$(stat -c %U "$ROOST_DATA/pg")
	local as=()
	[ "$user" = "$(id -un)" ] || as=(runuser -u "$user" --)
	"${as[@]}" env PGHOST="$ROOST_DATA/socket" PGPORT="$ROOST_PG_PORT" PGUSER=roost PGDATABASE=roost "$("$PG_CONFIG" --bindir)/pgbench" "$@" 2>/dev/null
}

rm -f "$work"/search-*
search_texts >"$work/search-phrases.txt"
sql <<-END
	CREATE TEMP TABLE phrase (n serial, text text);
	\copy phrase (text) FROM '$work/search-phrases.txt'
	CREATE INDEX ON phrase (n); ANALYZE phrase;
	ALTER TABLE roost_data.post DISABLE TRIGGER USER;
	SELECT setseed(0.5);
	-- every tenth for followers, every 25th unlisted; a quarter with one of 5,000 hashtags
	UPDATE roost_data.post p SET text = left(concat_ws('. ', a.text, b.text, '#' || u.tag), 480), language = 'en', hashtags = CASE WHEN u.tag IS NOT NULL THEN ARRAY[u.tag] END,
		visibility = (CASE WHEN u.n % 10 = 3 THEN 'followers' WHEN u.n % 25 = 4 THEN 'unlisted' ELSE 'public' END)::roost.visibility
	FROM (SELECT t.id, t.n, 1 + (random() * (t.count - 1))::integer AS a, 1 + (random() * (t.count - 1))::integer AS b,
			CASE WHEN t.n % 4 = 0 THEN 'tag' || (random() ^ 3 * 5000)::integer END AS tag
		FROM (SELECT id, row_number() OVER () AS n, (SELECT count(*) FROM phrase) AS count FROM roost_data.post WHERE retweet_of_id IS NULL) t) u
	JOIN phrase a ON a.n = u.a JOIN phrase b ON b.n = u.b WHERE p.id = u.id;
	DELETE FROM roost_data.post_hashtag;
	INSERT INTO roost_data.post_hashtag SELECT unnest(hashtags), id FROM roost_data.post WHERE hashtags IS NOT NULL AND visibility = 'public';
	ALTER TABLE roost_data.post ENABLE TRIGGER USER;
	VACUUM ANALYZE roost_data.post;
	DROP TABLE IF EXISTS bench_searcher;
	CREATE TABLE bench_searcher AS SELECT row_number() OVER () AS n, a.id FROM (SELECT id FROM roost_data.account WHERE status = 'active' ORDER BY id DESC LIMIT 50) a;
	DELETE FROM roost_data.follow WHERE follower_id IN (SELECT id FROM bench_searcher);
	INSERT INTO roost_data.follow (follower_id, followee_id, id) SELECT s.id, a.id, roost_internal.id_next() FROM bench_searcher s
		CROSS JOIN LATERAL (SELECT id FROM roost_data.account WHERE id NOT IN (SELECT id FROM bench_searcher) ORDER BY hashint8(id # s.id) LIMIT 200) a;
	DELETE FROM roost_data.account_block WHERE account_id IN (SELECT id FROM bench_searcher);
	INSERT INTO roost_data.account_block (account_id, blocked_id, id) SELECT s.id, a.id, roost_internal.id_next() FROM bench_searcher s
		CROSS JOIN LATERAL (SELECT id FROM roost_data.account WHERE id NOT IN (SELECT id FROM bench_searcher) ORDER BY hashint8(id # s.id) OFFSET 200 LIMIT 50) a;
END
search_step() { sql -c "ALTER SYSTEM SET roost.search_index = $1" -c "SELECT pg_reload_conf()" -c "SELECT pg_sleep(1)" >/dev/null; }

# the index from the beginning, by a loop of its own
search_step off
sql -c "SELECT roost.search_rebuild()" >/dev/null
start=$(date +%s%N)
sql -c "DO \$\$ BEGIN WHILE roost_internal.search_run(1000) LOOP COMMIT; END LOOP; END \$\$"
built=$((($(date +%s%N) - start) / 1000000))
search_step on
sql -c "SELECT roost.search_sync('10 minutes')" >/dev/null
echo
echo "Search: $(sql -c "SELECT format('%s posts in %s parts, index %s with its tables (posts: %s)', posts, parts, pg_size_pretty(bytes), pg_size_pretty(pg_table_size('roost_data.post'))) FROM roost.stat_search")"
echo "built in $((built / 1000)) s: $(sql -c "SELECT round($built * 1000.0 / posts, 1) FROM roost.stat_search") µs a post"

# what people ask: words by how many posts have them, phrases, filters
sql <<-'END'
	DROP TABLE IF EXISTS bench_word, bench_search, bench_searched;
	CREATE TABLE bench_word AS SELECT word, ndoc FROM ts_stat('SELECT tsv FROM roost_data.search_post_' ||
		(SELECT no FROM roost_data.search_part WHERE posts > 0 ORDER BY low_id OFFSET (SELECT count(*) / 2 FROM roost_data.search_part) LIMIT 1)) WHERE word ~ '^[a-z]{2,}$';
	CREATE TABLE bench_search (kind text, q text);
	SELECT setseed(0.25);
	INSERT INTO bench_search SELECT 'common word', word FROM (SELECT word FROM bench_word ORDER BY ndoc DESC LIMIT 50) w;
	INSERT INTO bench_search SELECT 'word', word FROM (SELECT word FROM bench_word WHERE ndoc BETWEEN 20 AND 2000 ORDER BY random() LIMIT 100) w;
	INSERT INTO bench_search SELECT 'rare word', word FROM (SELECT word FROM bench_word WHERE ndoc = 1 ORDER BY random() LIMIT 100) w;
	INSERT INTO bench_search SELECT 'no such word', 'zq' || md5(n::text) FROM generate_series(1, 20) n;
	CREATE TEMP TABLE sample AS SELECT p.*, regexp_split_to_array(lower(regexp_replace(p.text, '[^[:alnum:] ]+', '', 'g')), ' +') AS w, a.username
		FROM roost_data.post p TABLESAMPLE system (1) REPEATABLE (1) JOIN roost_data.account a ON a.id = p.author_id WHERE p.retweet_of_id IS NULL ORDER BY random() LIMIT 1000;
	DELETE FROM sample WHERE w[2] = '' OR w[3] IS NULL OR w[4] IS NULL OR w[4] = '';
	INSERT INTO bench_search SELECT 'two words', w[2] || ' ' || w[4] FROM sample LIMIT 100;
	INSERT INTO bench_search SELECT 'phrase', '"' || w[2] || ' ' || w[3] || '"' FROM sample OFFSET 100 LIMIT 100;
	INSERT INTO bench_search SELECT 'phrase of common words', '"' || a.word || ' ' || b.word || '"' FROM
		(SELECT word FROM bench_word ORDER BY ndoc DESC LIMIT 10) a, (SELECT word FROM bench_word ORDER BY ndoc DESC LIMIT 5) b WHERE a.word <> b.word;
	INSERT INTO bench_search SELECT 'author', w[3] || ' from:' || username FROM sample OFFSET 200 LIMIT 50;
	INSERT INTO bench_search SELECT 'hashtag', '#' || hashtags[1] FROM sample WHERE hashtags[1] IS NOT NULL LIMIT 50;
	INSERT INTO bench_search SELECT 'time', w[3] || ' since:' || (created_at - interval '3 days')::date || ' until:' || (created_at + interval '3 days')::date FROM sample OFFSET 300 LIMIT 50;
	INSERT INTO bench_search SELECT 'filter', w[3] || ' ' || (ARRAY['has:link', 'lang:en', '-has:link', 'is:reply', '-is:reply'])[1 + n % 5] FROM (SELECT w, row_number() OVER () AS n FROM sample OFFSET 400 LIMIT 50) s;
	INSERT INTO bench_search SELECT 'beginning', left(w[3], 3) || '*' FROM sample WHERE length(w[3]) > 4 LIMIT 50;
	INSERT INTO bench_search SELECT 'either, not', w[3] || ' OR ' || w[4] || ' -' || w[2] FROM sample OFFSET 500 LIMIT 50;
	CREATE TABLE bench_searched (round integer, who text, kind text, "order" text, ms double precision, cpu double precision, found integer, partial boolean, q text);
END
# ask WHO: every search once in each order; strangers first in memory, not counted
ask() {
	sql >/dev/null <<-END
		SET jit = off;
		DO \$\$
		DECLARE
			v record;
			v_start timestamptz;
			v_result roost.search_result;
			v_ms double precision;
			v_cpu bigint;
			v_actor bigint;
		BEGIN
			FOR v IN SELECT s.kind, s.q, o.o, row_number() OVER () AS n FROM bench_search s, unnest(ARRAY['recent', 'top']::roost.search_order[]) o (o) ORDER BY md5(s.q || o.o || '$2') LOOP
				v_actor := CASE '$1' WHEN 'account' THEN (SELECT id FROM bench_searcher b WHERE b.n = 1 + v.n % 50) END;
				v_cpu := split_part(pg_read_file('/proc/self/schedstat'), ' ', 1);
				v_start := clock_timestamp();
				v_result := roost.search(v.q, v_actor, 'posts', v.o);
				v_ms := extract(epoch FROM clock_timestamp() - v_start) * 1000;
				IF $2 > 0 THEN
					INSERT INTO bench_searched VALUES ($2, '$1', v.kind, v.o, v_ms, (split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint - v_cpu) / 1e6, cardinality(v_result.posts), v_result.partial AND cardinality(v_result.posts) < 20, v.q);
				END IF;
			END LOOP;
		END \$\$;
	END
}
ask stranger 0
for round in $(seq "$rounds"); do
	quiet
	ask stranger "$round"
	ask account "$round"
done
percentiles="round(percentile_cont(0.5) WITHIN GROUP (ORDER BY cpu)::numeric, 1) AS p50, round(percentile_cont(0.95) WITHIN GROUP (ORDER BY cpu)::numeric, 1) AS p95, round(percentile_cont(0.99) WITHIN GROUP (ORDER BY cpu)::numeric, 1) AS p99,
	round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 1) AS wall50, round(percentile_cont(0.99) WITHIN GROUP (ORDER BY ms)::numeric, 1) AS wall99"
echo "a page of 20 posts, ms of the server's CPU, and by the clock of the wall, others included:"
sql -c "SELECT format('  %s, %s: p50 %s, p95 %s, p99 %s; by the wall p50 %s, p99 %s (%s searches)', who, \"order\", p50, p95, p99, wall50, wall99, count) FROM (SELECT who, \"order\", count(*), $percentiles FROM bench_searched GROUP BY who, \"order\") s ORDER BY who DESC, \"order\""
sql -c "SELECT format('  %s, %s: p50 %s, p95 %s, p99 %s; by the wall p99 %s; %s found, %s%% stopped early', kind, \"order\", p50, p95, p99, wall99, found, stopped)
	FROM (SELECT kind, \"order\", $percentiles, round(avg(found), 1) AS found, round(100 * avg(partial::integer)) AS stopped FROM bench_searched GROUP BY kind, \"order\") s ORDER BY kind, \"order\""

# accounts and hashtags
sql <<-'END'
	CREATE TEMP TABLE searched (kind text, ms double precision);
	DO $$
	DECLARE v record; v_start timestamptz;
	BEGIN
		FOR v IN SELECT 'account' AS kind, left(a.username, 2 + (hashint8(a.id) & 7)) AS q FROM (SELECT * FROM roost_data.account TABLESAMPLE system (5) REPEATABLE (2) LIMIT 300) a
			UNION ALL SELECT 'hashtag', left(h.hashtag, 1 + (hashtext(h.hashtag) & 3)) FROM (SELECT * FROM roost_data.search_hashtag LIMIT 200) h LOOP
			v_start := clock_timestamp();
			PERFORM roost.search(v.q, (SELECT id FROM bench_searcher LIMIT 1), CASE v.kind WHEN 'account' THEN 'accounts' ELSE 'hashtags' END::roost.search_type);
			INSERT INTO searched VALUES (v.kind, extract(epoch FROM clock_timestamp() - v_start) * 1000);
		END LOOP;
	END $$;
	SELECT format('  %ss: p50 %s, p99 %s', kind, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 1), round(percentile_cont(0.99) WITHIN GROUP (ORDER BY ms)::numeric, 1)) FROM searched GROUP BY kind ORDER BY kind;
END

# what it costs who writes: the same load with and without the step, in turns
cat >"$work/search-write.sql" <<-'END'
	\set a random(1, 50)
	\set p random(1, 100)
	SELECT (roost.post_create((SELECT id FROM bench_searcher WHERE n = :a), (SELECT q || ' ' || :p || ' what one writes, in about as many words as others do #tag' || :p FROM bench_search OFFSET :p LIMIT 1))).id;
END
search_write() { search_pgbench -n -c 2 -j 1 -T "$seconds" -f "$work/search-write.sql" | sed -n 's/^tps = \([0-9.]*\).*/\1/p'; }
search_write >/dev/null
for round in $(seq $((2 * rounds))); do
	# who comes first takes turns, and nothing waits from the turn before
	states="off on"
	[ $((round % 2)) = 0 ] || states="on off"
	for state in $states; do
		search_step on
		sql -c "SELECT roost.search_sync('10 minutes')" >/dev/null
		search_step "$state"
		quiet
		echo "$state=$(search_write)" >>"$work/search-write.log"
	done
done
search_step on
echo "posts written a second by two clients, with the index: $(figure "$work/search-write.log" on high), without: $(figure "$work/search-write.log" off high): $(ratio "$(middle "$work/search-write.log" on)" "$(middle "$work/search-write.log" off)")"
sql -c "ALTER SYSTEM RESET roost.search_index" -c "SELECT pg_reload_conf()" -c "DROP TABLE bench_word, bench_search, bench_searched, bench_searcher" >/dev/null
