# A group of 1,000 members, 100 of them online at two gateways, while gateways,
# worker, backends and the server's first process are killed: every message that
# its writer sent is there once, everybody online gets each of them once and in
# order, and everybody's markers say what they have got.
#
# ROOST_TEST_SOCKETS (100), ROOST_TEST_SECONDS (20), ROOST_TEST_SEED.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Roost;
use IO::Socket::INET;
use IPC::Run ();
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'node is not here' if system('node --version > /dev/null 2>&1') != 0;

my $sockets = $ENV{ROOST_TEST_SOCKETS} // 100;
my $seconds = $ENV{ROOST_TEST_SECONDS} // 20;
my $seed = $ENV{ROOST_TEST_SEED} // int(time());
my $online = 50;
srand($seed);
note "ROOST_TEST_SEED=$seed ROOST_TEST_SOCKETS=$sockets ROOST_TEST_SECONDS=$seconds";

my $node = Roost::node('main');
$node->append_conf('postgresql.conf', qq(
restart_after_crash = on
max_connections = 120
roost.password_memory = '1MB'
roost.token_access_ttl = '1h'
roost.moderation_enabled = off # messages alike are the point
));
$node->start;
Roost::install($node);
$node->safe_psql('roost', q(
	CREATE ROLE roost_gateway LOGIN;
	SELECT roost.grant_gateway('roost_gateway');
	SELECT roost.limit_exempt(network => '127.0.0.0/8', reason => 'tests');
));
$node->poll_query_until('roost', 'SELECT roost.worker_sync() AND epoch IS NOT NULL FROM roost.feed_position()') or BAIL_OUT('the log does not begin');

# The group: who is online, on two devices each, and others who are not.
$node->safe_psql('roost', qq(
	CREATE SCHEMA chaos;
	CREATE TABLE chaos.account (n integer PRIMARY KEY, id bigint);
	CREATE TABLE chaos.line (kind text, n integer, a bigint, b bigint, c text, d text, e text, f text);
	INSERT INTO chaos.account SELECT n, ((roost.auth_register('user' || n, 'user' || n || '\@example.org', '$Roost::password')).account).id FROM generate_series(1, $online) n;
	INSERT INTO roost_data.account (id, username) SELECT roost_internal.id_next(), 'quiet_' || n FROM generate_series($online + 1, 1000) n;
	INSERT INTO roost_data.conversation (id, kind, title, member_count) VALUES (roost_internal.id_next(), 'group', 'chaos', 1000);
	INSERT INTO roost_data.conversation_member (conversation_id, account_id) SELECT c.id, a.id FROM roost_data.conversation c, roost_data.account a
	WHERE a.username LIKE 'user%' OR a.username LIKE 'quiet_%';
));
my $group = $node->safe_psql('roost', 'SELECT id FROM roost_data.conversation');
is($node->safe_psql('roost', 'SELECT count(*) FROM roost_data.conversation_member'), 1000, 'the group has a thousand members');
my @accounts = map { my ($id, $token) = split /\|/; { id => $id, token => $token } } split /\n/, $node->safe_psql('roost',
	"SELECT id, (roost.auth_login('user' || n, '$Roost::password')).access_token FROM chaos.account ORDER BY n");
my @gateways = map {
	Roost::gateway_start($node, "gateway_$_", '--database-url', $node->connstr('roost') . ' user=roost_gateway', '--access-log', 'off',
		'--stream-connections', 100000, '--address-connections', 100000, '--queue-limit', 20000, '--slow-queue-limit', 20000)
} 0 .. 1;
my @clients = map { {
	account => $_ % $online,
	channels => $_ % 5 == 0 ? [ "conversation:$group" ] : $_ % 5 == 1 ? [ 'messages', 'home', "conversation:$group" ] : [ 'messages' ],
	transport => (qw(poll sse sse), ('websocket') x 7)[ rand 10 ]
} } 0 .. $sockets - 1;

my ($in, $out, $err) = ('', '', '');
my $harness = IPC::Run::start([ 'node', "$FindBin::Bin/live_clients.mjs" ], '<', \$in, '>', \$out, '2>', \$err);
END { $harness->kill_kill if $harness }

# Tells the clients something.
sub order
{
	$in .= "$_[0]\n";
	$harness->pump_nb;
	return;
}

# Waits until the clients have said something; returns what was in parentheses.
sub hear
{
	my ($pattern, $patience) = @_;
	my $end = time() + $patience;
	until ($out =~ $pattern)
	{
		$harness->pump_nb;
		BAIL_OUT("the clients do not say $pattern: " . substr($out, -2000) . $err) if time() > $end || !$harness->pumpable;
		sleep 0.05;
	}
	return $out =~ $pattern ? $1 : undef;
}

order(encode_json({ ports => [ map { $_->{port} } @gateways ], accounts => \@accounts, posts => [], clients => \@clients, conversation => $group,
	seed => $seed % 2**31, writers => 4, pause => 60 }));
hear(qr/^live $sockets$/m, 400);
pass("$sockets clients have begun");

sub wait_for_server
{
	$node->poll_query_until('roost', 'SELECT true') or BAIL_OUT('the server does not come back');
	return;
}

# Kills the process that a query names, if there is one and the server answers.
sub kill_process
{
	my ($query) = @_;
	my ($status, $pid) = $node->psql('roost', $query);
	if ($status == 0 && $pid ne '')
	{
		kill 'KILL', $pid;
		# it is listed until the server has noticed and begun anew
		$node->poll_query_until('roost', "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $pid)");
	}
	wait_for_server();
	return;
}

sub wait_for_gateway
{
	my ($gateway) = @_;
	for my $try (1 .. 600)
	{
		return if IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $gateway->{port});
		sleep 0.1;
	}
	BAIL_OUT('the gateway does not listen');
}

sub restart_gateway
{
	my ($signal) = @_;
	my $gateway = $gateways[ rand 2 ];
	wait_for_gateway($gateway);
	Roost::gateway_stop($gateway, $signal);
	sleep rand 1;
	Roost::gateway_run($gateway);
	return;
}

my %chaos = (
	'a gateway is killed' => sub { restart_gateway('KILL') },
	'a gateway is stopped' => sub { restart_gateway('TERM') },
	'the worker is killed' => sub { kill_process('SELECT pid FROM roost.stat_worker') },
	'a backend is killed' => sub { kill_process("SELECT pid FROM pg_stat_activity WHERE usename = 'roost_gateway' ORDER BY random() LIMIT 1") },
	'the postmaster is killed' => sub { Roost::crash($node) },
	'all sessions are cut off' => sub { $node->psql('roost', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'roost_gateway'") },
	'clients drop' => sub { order('drop ' . int($sockets / 5)) },
);
my %done;
for (my $end = time() + $seconds; time() < $end || keys %done < keys %chaos;)
{
	# everything once, then anything
	my @left = sort grep { !$done{$_} } keys %chaos;
	@left = sort keys %chaos unless @left;
	my $what = $left[ rand @left ];
	note sprintf('%.1f s left: %s', $end - time(), $what);
	$chaos{$what}->();
	$done{$what}++;
	for (my $pause = time() + 0.5 + rand 2; time() < $pause; sleep 0.1)
	{
		$harness->pump_nb;
	}
}
wait_for_server();
wait_for_gateway($_) for @gateways;
order('quiet');
my $written = hear(qr/^quiet (\d+)$/m, 240);
$node->poll_query_until('roost', 'SELECT roost.worker_sync()') or BAIL_OUT('the worker does not come back');
my $last = $node->safe_psql('roost', 'SELECT last_seq FROM roost.feed_position()');
my $file = $node->basedir . '/heard';
order("finish $last $file");
hear(qr/^finished $sockets$/m, 400);
$harness->finish;
is($err, '', 'the clients had no trouble of their own');

open my $from, '<', $file or die;
open my $to, '>', "$file.copy" or die;
while (<$from>)
{
	chomp;
	my @fields = split /\t/, $_, -1;
	print $to join("\t", map { $_ // '\N' } @fields[0 .. 7]), "\n";
}
close $to or die;
$node->safe_psql('roost', "COPY chaos.line FROM '$file.copy'");

cmp_ok($written, '>', $seconds, "$written messages were written");
is($node->safe_psql('roost', 'SELECT count(*), count(DISTINCT client_id) FROM roost_data.message'), "$written|$written", 'each of them is there, once');
is($node->safe_psql('roost', 'SELECT * FROM roost_internal.feed_check() LIMIT 5'), '', 'the log is what the tables say');
is($node->safe_psql('roost', 'SELECT count(*) FROM (SELECT message_id, lag(message_id) OVER (ORDER BY seq) AS before FROM roost_data.feed_log WHERE kind = \'message_created\') l WHERE message_id < before'), 0,
	'the log has them in the order of their ids');

# What every client had to get: all messages from its first cursor on.
$node->safe_psql('roost', q(
	CREATE TABLE chaos.must AS SELECT s.n, l.seq, l.message_id FROM (SELECT n, min(a) AS low, max(b) AS high FROM chaos.line WHERE kind = 'span' GROUP BY n) s,
		roost_data.feed_log l WHERE l.kind = 'message_created' AND l.seq > s.low AND l.seq <= s.high;
	CREATE TABLE chaos.heard AS SELECT n, a AS seq, e::bigint AS message_id FROM chaos.line WHERE kind = 'heard' AND c = 'message:received';
));
cmp_ok($node->safe_psql('roost', 'SELECT count(*) FROM chaos.must'), '>', $sockets * 5, 'there was something to get');
is($node->safe_psql('roost', 'SELECT count(*) FROM (TABLE chaos.must EXCEPT ALL TABLE chaos.heard) l'), 0, 'no client has lost a message');
is($node->safe_psql('roost', 'SELECT count(*) FROM (TABLE chaos.heard EXCEPT ALL TABLE chaos.must) l'), 0, 'none was told twice, or one that there is not');
is($node->safe_psql('roost', "SELECT count(*) FROM chaos.line WHERE kind = 'span' AND (c <> '0' OR d <> '0')"), 0, 'events only go forward, and the log has gone on all the time');
is($node->safe_psql('roost', q(
	SELECT count(*) FROM chaos.line h WHERE kind = 'heard' AND c IN ('message:read', 'message:delivered')
		AND NOT EXISTS (SELECT FROM roost_data.feed_log l JOIN chaos.account a ON a.id IN (l.room_id, l.account_id) WHERE l.seq = h.a))), 0, 'receipts go to those who wrote, and to who has read');

# Everybody who is online says that it has read everything: each message has gone as far as that.
$node->safe_psql('roost', "SELECT roost.conversation_read(id, $group) FROM chaos.account");
my $others = $online - 1;
is($node->safe_psql('roost', qq(
	SELECT DISTINCT r.state, r.delivered_count, r.read_count
	FROM (SELECT sender_id, array_agg(id) AS ids FROM roost_data.message GROUP BY sender_id) s, LATERAL roost_internal.message_row(s.sender_id, $group, s.ids) r)),
	"sent|$others|$others", 'the states of all messages are right');

for my $gateway (@gateways)
{
	wait_for_gateway($gateway);
	is(Roost::gateway_stop($gateway), 0, 'the gateway ends cleanly');
}
$node->stop;
done_testing();
