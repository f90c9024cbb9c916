# Memory at rest: private and proportional bytes of the gateway and of all
# PostgreSQL processes, as the kernel counts them.

# private PID...: MiB that only these processes have
private() {
	local pid files=()
	for pid in "$@"; do files+=("/proc/$pid/smaps_rollup"); done
	{ cat "${files[@]}" 2>/dev/null || true; } | awk '/^Private_(Clean|Dirty):/ { s += $2 } END { printf "%.1f", s / 1024 }'
}

gw=$(cat "$ROOST_DATA/gateway.pid")
echo
echo "Memory"
echo "gateway RSS after the load: $(awk '/^VmRSS/{printf "%.1f MiB", $2/1024}' "/proc/$gw/status")"
scripts/roost stop >&2
scripts/roost start >&2
curl -fs -o /dev/null "http://127.0.0.1:$ROOST_PORT/health"
gw=$(cat "$ROOST_DATA/gateway.pid")
echo "gateway RSS at rest: $(awk '/^VmRSS/{printf "%.1f MiB", $2/1024}' "/proc/$gw/status"), private $(private $(with_children "$gw")) MiB"
echo "PostgreSQL private at rest: $(private $(with_children "$(postmaster)")) MiB (shared memory left out)"
