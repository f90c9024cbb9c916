# common.sh: what scripts/roost and scripts/test share.  Sourced by bash.
#
# PostgreSQL refuses to run as root.  When root calls us, servers run as the
# system user "roost" (made here); otherwise as whoever calls.

# Whatever the caller has set: the user of the servers reads what is made, and cd prints nothing.
umask 022
unset CDPATH

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
PG_CONFIG=${PG_CONFIG:-pg_config}

die() {
	echo "roost: $*" >&2
	exit 1
}

# as_server COMMAND...: run it as the user of the servers, in a folder that user can enter
as_server() {
	if [ "$(id -un)" = "$server_user" ]; then
		"$@"
	else
		(cd / && HOME=/var/lib/roost runuser -u "$server_user" -- "$@")
	fi
}

# choose_user FOLDER: sets server_user; data that exists stays with its owner
choose_user() {
	if [ -d "$1" ]; then
		server_user=$(stat -c %U "$1")
		[ "$(id -u)" = 0 ] || [ "$server_user" = "$(id -un)" ] ||
			die "$1 belongs to $server_user; use sudo, or another folder with ROOST_DATA="
		[ "$server_user" = root ] || return 0
	fi
	if [ "$(id -u)" != 0 ]; then
		server_user=$(id -un)
		return 0
	fi
	server_user=roost
	id -u roost >/dev/null 2>&1 ||
		useradd --system --user-group --home-dir /var/lib/roost --no-create-home --shell /usr/sbin/nologin roost
	# Some containers come with a root folder that only root may enter: no service can run there.
	if ! (cd / && runuser -u roost -- true) 2>/dev/null; then
		echo "Only root may enter / (mode $(stat -c %a /)); opening it, so that the user roost can run programs"
		chmod a+x /
	fi
}

# reachable_folder PATH: makes a folder there that server_user owns and can
# reach, and prints its real path.  Under a closed folder such as /root that
# cannot be: then it lies in /var/lib/roost and PATH is a link to it.
reachable_folder() {
	local path=$1 real
	if [ ! -e "$path" ]; then
		if [ -L "$path" ]; then
			mkdir -p "$(readlink "$path")"
		else
			mkdir -p "$path"
		fi
	fi
	real=$(cd "$path" && pwd -P)
	if [ "$(id -un)" != "$server_user" ]; then
		if ! as_server test -x "$(dirname "$real")"; then
			[ -z "$(ls -A "$real")" ] || die "the user $server_user cannot reach $real"
			rmdir "$real"
			real=/var/lib/roost/$(printf %s "$path" | md5sum | cut -c 1-12)
			mkdir -p "$real"
			ln -sfn "$real" "$path"
		fi
		chown "$server_user:" "$real"
	fi
	chmod 755 "$real"
	echo "$real"
}

# port_busy PORT: does something on this machine answer there?
port_busy() {
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}
