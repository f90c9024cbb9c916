# common.sh: what the suites share.  Sourced by bash in the copy of the sources,
# with $work set; the suite has the arguments WORK NAME [TEST...].

# What the caller has set for libpq and for proxies would lead elsewhere.
for name in ${!PG*}; do
	case $name in PG_*) ;; *) unset "$name" ;; esac
done
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY CDPATH
export LC_ALL=C.UTF-8 TZ=UTC PGTZ=UTC
export HOME=$work
umask 022

# clean_up: stop what cluster_start and gateway_start started
clean_up() {
	local folder
	[ -z "${gateway_pid:-}" ] || kill "$gateway_pid" 2>/dev/null || true
	for folder in "${clusters[@]}"; do
		"$bin/pg_ctl" -D "$folder" -t 300 -m immediate stop >/dev/null 2>&1 || true
	done
	[ -z "${sockets:-}" ] || rm -rf "$sockets"
}

suite_start() {
	bin=$("$PG_CONFIG" --bindir)
	export PATH=$bin:$PATH
	out=$work/out/$suite
	rm -rf "$out"
	mkdir -p "$out"
	clusters=()
	passed=0 failed=0 skipped=0
	trap clean_up EXIT
}

suite_end() {
	echo "$passed $failed $skipped" >"$work/log/$suite.count"
}

# cluster_template: a server with database roost, in it the extension and its
# tables, made once a suite and stopped: others begin as copies of it
cluster_template() {
	local folder=$out/template
	local -x PGHOST=$sockets/template
	mkdir "$PGHOST"
	initdb -D "$folder" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
	cat >>"$folder/postgresql.conf" <<-END
		shared_preload_libraries = 'pg_cron,roost'
		cron.database_name = 'roost'
		cron.use_background_workers = on
		roost.database = 'roost'
		unix_socket_directories = '$PGHOST'
		listen_addresses = ''
		max_prepared_transactions = 10
		max_connections = 100
		max_worker_processes = 16
		fsync = off
		jit = off
		roost.search_time = '1min' # the default answers in part when the machine is busy
		$([ "$(df --output=avail /dev/shm 2>/dev/null | tail -n 1)" -gt 1000000 ] 2>/dev/null || echo "dynamic_shared_memory_type = 'mmap'")
	END
	clusters+=("$folder")
	cluster_run template
	psql -X -q -d postgres -c 'CREATE DATABASE roost'
	psql -X -q -v ON_ERROR_STOP=1 -c 'SET client_min_messages = warning' -c 'CREATE EXTENSION pg_cron' \
		-c 'CREATE EXTENSION roost CASCADE' -c 'SELECT roost.install()' >/dev/null
	pg_ctl -D "$folder" -w -t 300 -m fast stop >/dev/null
}

cluster_run() { # cluster_run NAME
	pg_ctl -D "$out/$1" -w -t 300 -l "$out/$1.log" start >/dev/null || {
		tail -n 30 "$out/$1.log"
		return 1
	}
}

# cluster_start NAME: a new server with database roost, in it the extension and
# its tables; further lines of configuration come on standard input.  Exports
# PGHOST, PGPORT, PGUSER and PGDATABASE for it.
cluster_start() {
	export PGPORT=5432 PGUSER=postgres PGDATABASE=roost
	[ -n "${sockets:-}" ] || sockets=$(mktemp -d /tmp/roost-test.XXXXXX)
	[ -d "$out/template" ] || cluster_template
	mkdir "$sockets/$1"
	cp -a "$out/template" "$out/$1"
	{ echo "unix_socket_directories = '$sockets/$1'"; cat; } >>"$out/$1/postgresql.conf"
	clusters+=("$out/$1")
	cluster_run "$1"
	export PGHOST=$sockets/$1
}

# tests FOLDER SUFFIX [NAME...]: the names asked for, else all there are
tests() {
	local folder=$1 suffix=$2 file
	shift 2
	if [ $# -gt 0 ]; then
		echo "$@"
	else
		for file in "$folder"/*"$suffix"; do
			[ ! -f "$file" ] || basename "$file" "$suffix"
		done
	fi
}

# count_regress LOG: adds up what pg_regress or pg_isolation_regress wrote
count_regress() {
	passed=$((passed + $(grep -cE '^(test .*\.\.\. ok|ok [0-9]+ )' "$1" || true)))
	failed=$((failed + $(grep -cE '^(test .*\.\.\. FAILED|not ok [0-9]+ )' "$1" || true)))
}

# tap NAME COMMAND...: runs it, shows and counts its TAP
tap() {
	local name=$1 log=$out/$1.tap code=0 p f s planned
	shift
	timeout "${ROOST_TEST_LIMIT:-900}" "$@" >"$log" 2>&1 </dev/null || code=$?
	if grep -qE '^# pass [0-9]+$' "$log"; then # node counts for us
		p=$(sed -n 's/^# pass //p' "$log")
		f=$(($(sed -n 's/^# fail //p; s/^# cancelled //p' "$log" | paste -sd+)))
		s=$(sed -n 's/^# skipped //p' "$log")
	else
		s=$(grep -ciE '^(ok.*# skip|1\.\.0 # skip)' "$log" || true)
		p=$(grep -cE '^ok' "$log" || true)
		p=$((p - $(grep -ciE '^ok.*# skip' "$log" || true)))
		f=$(grep -cE '^not ok' "$log" || true)
		planned=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$log")
		[ "$f" -gt 0 ] || [ "${planned:-0}" = $((p + s)) ] || [ "${planned:-none}" = 0 ] || f=1
	fi
	[ $code = 0 ] || [ "$f" -gt 0 ] || f=1
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	if [ "$f" -gt 0 ]; then
		[ $code != 124 ] || code='124: it took too long'
		echo "--- $name failed (exit code $code)"
		cat "$log"
	else
		echo "$name: $p ok, $s skipped"
		grep -iE '# skip' "$log" || true
	fi
}
