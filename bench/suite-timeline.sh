# Home timelines by pull, in SQL: bench/timeline.sql in a database of its own.

echo
echo "Home timeline by pull, in SQL"
quiet
sql -c "DROP DATABASE IF EXISTS bench_timeline" -c "CREATE DATABASE bench_timeline"
scripts/roost psql -X -q -v ON_ERROR_STOP=1 -d bench_timeline -c "SET client_min_messages = warning" \
	-c "CREATE EXTENSION roost CASCADE" -c "SELECT roost.install()" -f bench/timeline.sql
sql -c "DROP DATABASE bench_timeline"
