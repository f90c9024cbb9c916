# lib.sh: what every suite of bench/run uses.

# psql as the owner of the instance
sql() { scripts/roost psql -X -q -At -v ON_ERROR_STOP=1 "$@"; }
peer_sql() { scripts/roost psql -X -q -At -v ON_ERROR_STOP=1 -d peers "$@"; }

machine() {
	echo "# $(date -u +%F) $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), $(free -g | awk '/^Mem/{print $2}') GiB"
	echo "# $(sql -c 'SELECT version()' | cut -d, -f1), roost $(sql -c 'SELECT roost.version()'), $accounts accounts, $posts posts"
	echo "# rounds=$rounds seconds=$seconds load=$(cut -d' ' -f1-3 /proc/loadavg)"
}

postmaster() { sql -c "SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1)"; }

# cpu PID...: milliseconds of CPU that these processes, and children they have
# reaped, have used
cpu() {
	local pid files=()
	for pid in "$@"; do files+=("/proc/$pid/stat"); done
	# through cat: a process that has gone is no reason to stop
	{ cat "${files[@]}" 2>/dev/null || true; } | awk -v tick="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); split($0, a, " "); s += a[12] + a[13] + a[14] + a[15] }
		END { print s * 1000 / tick }'
}
with_children() { echo "$1 $(ps -o pid= --ppid "$1" | tr '\n' ' ')"; }

# quiet: waits until the machine has been idle for a moment, at most ten seconds
quiet() {
	local i x y
	for i in $(seq 30); do
		x=$(awk 'NR==1{print $5+$6, $2+$3+$4+$5+$6+$7+$8+$9}' /proc/stat)
		sleep 0.3
		y=$(awk 'NR==1{print $5+$6, $2+$3+$4+$5+$6+$7+$8+$9}' /proc/stat)
		! echo "$x $y" | awk '{exit !(($3-$1) >= 0.9*($4-$2))}' || return 0
	done
}

median() { sort -g | awk '{a[NR]=$1} END{ if (!NR) print "-"; else if (NR%2) print a[(NR+1)/2]; else print (a[NR/2]+a[NR/2+1])/2 }'; }
# figure FILE KEY high|low: median [best] of KEY= in FILE
figure() {
	local values best
	values=$(grep -o "\b$2=[0-9.]*" "$1" | cut -d= -f2)
	if [ "$3" = high ]; then best=$(sort -g <<<"$values" | tail -1); else best=$(sort -g <<<"$values" | head -1); fi
	echo "$(median <<<"$values") [$best]"
}
middle() { grep -o "\b$2=[0-9.]*" "$1" | cut -d= -f2 | median; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0) printf "%.2f", a / b; else print "-" }'; }
