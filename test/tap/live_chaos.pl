# Streams while everything around them is killed: clients with WebSockets,
# server-sent events and long polls at two gateways, while posts, likes and
# follows are written through SQL and HTTP, and gateways, worker, backends and
# the server's first process are killed, connections cut, readers stalled, and
# strangers send garbage.  In the end every client has got exactly what the
# tables imply for its channels from its first cursor on.
#
# ROOST_TEST_SOCKETS (400), ROOST_TEST_SECONDS (40), ROOST_TEST_SEED.

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

my $sockets = $ENV{ROOST_TEST_SOCKETS} // 400;
my $seconds = $ENV{ROOST_TEST_SECONDS} // 40;
my $seed = $ENV{ROOST_TEST_SEED} // int(time());
my $accounts = 40;
srand($seed);
note "ROOST_TEST_SEED=$seed ROOST_TEST_SOCKETS=$sockets ROOST_TEST_SECONDS=$seconds";

my $node = Roost::node('main');
$node->append_conf('postgresql.conf', qq(
restart_after_crash = on
max_connections = 120
roost.password_memory = '1MB'
roost.token_access_ttl = '1h'
roost.moderation_enabled = off # thousands of posts alike are the point
));
$node->start;
Roost::install($node);
$node->safe_psql('roost', q(
	CREATE ROLE roost_gateway LOGIN;
	SELECT roost.grant_gateway('roost_gateway');
	SELECT roost.limit_exempt(network => '127.0.0.0/8', reason => 'tests');
));
$node->safe_psql('roost', slurp_file("$FindBin::Bin/live_chaos.sql"));
$node->poll_query_until('roost', 'SELECT roost.worker_sync() AND epoch IS NOT NULL FROM roost.feed_position()') or BAIL_OUT('the log does not begin');

# People who follow those after them, and posts that stay.
$node->safe_psql('roost', qq(
	INSERT INTO chaos.account SELECT n, ((roost.auth_register('user' || n, 'user' || n || '\@example.org', '$Roost::password')).account).id FROM generate_series(1, $accounts) n;
	DO \$\$ BEGIN PERFORM roost.account_follow(a.id, b.id::text) FROM chaos.account a, chaos.account b WHERE chaos.is_kept(a.id, b.id); END \$\$;
	DO \$\$ BEGIN INSERT INTO chaos.kept_post SELECT (roost.post_create(id, 'a post that stays')).id FROM chaos.account WHERE n <= 10; END \$\$;
));
my @accounts = map { my ($id, $token) = split /\|/; { id => $id, token => $token } } split /\n/, $node->safe_psql('roost',
	"SELECT id, (roost.auth_login('user' || n, '$Roost::password')).access_token FROM chaos.account ORDER BY n");
my @posts = split /\n/, $node->safe_psql('roost', 'SELECT id FROM chaos.kept_post ORDER BY id');
my @gateways = map {
	Roost::gateway_start($node, "gateway_$_", '--database-url', $node->connstr('roost') . ' user=roost_gateway', '--access-log', 'off',
		'--stream-connections', 100000, '--address-connections', 100000, '--queue-limit', 20000, '--slow-queue-limit', 20000)
} 0 .. 1;

# The clients: which account, which channels, and how connected.
my @clients;
for my $n (0 .. $sockets - 1)
{
	my $account = $n % $accounts;
	my $other = sub { 'user:' . $accounts[ ($account + shift) % $accounts ]{id} };
	my $post = sub { 'post:' . $posts[ ($n + shift) % @posts ] };
	my @channels = (
		[ 'home' ], [ 'home', 'notifications' ], [ 'home', 'notifications', 'public' ], [ $other->(1), $other->(9) ],
		[ $post->(0), $post->(3), 'hashtag:tag' . $n % 5 ], [ 'public' ], [ 'home', 'hashtag:tag' . $n % 5, $other->(2), $post->(1) ], [ 'notifications', $post->(0) ]);
	my $mix = int($n / $accounts) % 8;
	my $nobody = ($mix == 4 || $mix == 5) && $n % 2;
	push @clients, { account => $nobody ? undef : $account, channels => $channels[$mix], transport => (qw(poll sse sse), ('websocket') x 7)[ rand 10 ] };
}
$node->safe_psql('roost', 'INSERT INTO chaos.client VALUES ' . join(', ', map {
	my $client = $clients[$_];
	sprintf "(%d, %s, '{%s}', '%s')", $_, defined $client->{account} ? $accounts[ $client->{account} ]{id} : 'NULL', join(',', @{ $client->{channels} }), $client->{transport}
} 0 .. $#clients));

my ($in, $out, $err) = ('', '', '');
my $harness = IPC::Run::start([ 'node', "$FindBin::Bin/live_clients.mjs" ], '<', \$in, '>', \$out, '2>', \$err);

# Tells the clients something.
sub order
{
	$in .= "$_[0]\n";
	$harness->pump_nb;
	return;
}

# Waits until the clients have said something.
sub hear
{
	my ($pattern, $patience) = @_;
	my $end = time() + $patience;
	until ($out =~ $pattern)
	{
		$harness->pump_nb;
		if (time() > $end || !$harness->pumpable)
		{
			BAIL_OUT("the clients do not say $pattern: " . substr($out, -2000) . $err);
		}
		sleep 0.05;
	}
	return;
}

order(encode_json({ ports => [ map { $_->{port} } @gateways ], accounts => \@accounts, posts => \@posts, clients => \@clients,
	seed => $seed % 2**31, writers => 3, pause => 100 }));
hear(qr/^live $sockets$/m, 400);
pass("$sockets clients have begun");

# Sessions of SQL that do things, until they are told to end; what is killed begins again.
my @writers = map {
	my $pid = fork() // die;
	if ($pid == 0)
	{
		my $script = $node->basedir . "/acts_$_.sql";
		append_to_file($script, "SELECT chaos.act() FROM pg_sleep(0.03);\n" x 50);
		my $ended = 0;
		$SIG{TERM} = sub { $ended = 1 };
		# (not at once: a session that stays behind would go on writing)
		until ($ended)
		{
			system("psql -X -q -d '" . $node->connstr('roost') . "' -f $script > /dev/null 2>&1");
			sleep 0.1;
		}
		POSIX::_exit(0);
	}
	$pid;
} 1 .. 2;
my $parent = $$;
END { if (defined $parent && $$ == $parent) { kill 'TERM', @writers; $harness->kill_kill if $harness } }

# Asks until the server answers.
sub wait_for_server
{
	$node->poll_query_until('roost', 'SELECT true') or BAIL_OUT('the server does not come back');
	return;
}

# The process that a query names, if there is one and the server answers.
sub process
{
	my ($query) = @_;
	my ($status, $pid) = $node->psql('roost', $query);
	return $status == 0 && $pid ne '' ? $pid : undef;
}

sub kill_process
{
	my ($query) = @_;
	my $pid = process($query);
	if ($pid)
	{
		kill 'KILL', $pid;
		# it is listed until the server has noticed and begun anew
		$node->poll_query_until('roost', "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $pid)");
	}
	wait_for_server();
	return;
}

# Waits until a gateway, which may just have been started, can be told to stop.
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
	my $status = Roost::gateway_stop($gateway, $signal);
	is($status, 0, 'the gateway ends cleanly when it is told to') if $signal eq 'TERM';
	sleep rand 1;
	Roost::gateway_run($gateway);
	return;
}

my $silent = 0;
my %chaos = (
	'a gateway is killed' => sub { restart_gateway('KILL') },
	'a gateway is stopped' => sub { restart_gateway('TERM') },
	'the worker is killed' => sub { kill_process('SELECT pid FROM roost.stat_worker') },
	'a backend is killed' => sub { kill_process("SELECT pid FROM pg_stat_activity WHERE usename = 'roost_gateway' ORDER BY random() LIMIT 1") },
	'the postmaster is killed' => sub { Roost::crash($node) },
	'the doorbell is cut off' => sub { $node->psql('roost', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'roost_gateway' AND query LIKE '%LISTEN%'") },
	'all sessions are cut off' => sub { $node->psql('roost', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'roost_gateway'") },
	'the doorbell is turned off or on' => sub {
		$silent = !$silent;
		$node->psql('roost', 'ALTER SYSTEM SET roost.notify_interval = ' . ($silent ? -1 : 10));
		$node->psql('roost', 'SELECT pg_reload_conf()');
	},
	'readers stall' => sub { order('stall ' . int($sockets / 20)) },
	'clients drop' => sub { order('drop ' . int($sockets / 10)) },
	'strangers send garbage' => sub { order('abuse') },
);
my %done;
my $memory = 0;
for (my $end = time() + $seconds; time() < $end;)
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
	for my $gateway (@gateways)
	{
		my $resident = -e "/proc/$gateway->{pid}/statm" ? (split / /, slurp_file("/proc/$gateway->{pid}/statm"))[1] * 4096 : 0;
		$memory = $resident if $resident > $memory;
	}
}
note explain \%done;

# Quiet: nobody writes, everything runs, and everybody gets the rest.
order('quiet');
kill 'TERM', @writers;
waitpid $_, 0 for splice @writers;
wait_for_server();
hear(qr/^quiet$/m, 240);
$node->safe_psql('roost', 'ALTER SYSTEM RESET roost.notify_interval; ');
$node->safe_psql('roost', 'SELECT pg_reload_conf()');
$node->poll_query_until('roost', 'SELECT roost.worker_sync()') or BAIL_OUT('the worker does not come back');
is($node->safe_psql('roost', 'SELECT * FROM roost_internal.feed_check() LIMIT 5'), '', 'the log is what the tables say');
my $last = $node->safe_psql('roost', 'SELECT last_seq FROM roost.feed_position()');
my $file = $node->basedir . '/heard';
order("finish $last $file");
hear(qr/^finished $sockets$/m, 400);
$harness->finish;
diag $_ for grep { defined } ($out =~ /^(trouble.*)$/mg)[0 .. 9];
is($err, '', 'the clients had no trouble of their own');

my $rows = 0;
{
	# lines have 6 or 7 fields; the table has 8 columns
	open my $from, '<', $file or die;
	open my $to, '>', "$file.copy" or die;
	while (<$from>)
	{
		chomp;
		my @fields = split /\t/, $_, -1;
		print $to join("\t", map { $_ // '\N' } @fields[0 .. 7]), "\n";
		$rows++ if $fields[0] eq 'heard';
	}
	close $to or die;
}
$node->safe_psql('roost', "COPY chaos.line FROM '$file.copy'");
$node->safe_psql('roost', 'SELECT chaos.prepare()');
my $must = $node->safe_psql('roost', 'SELECT count(*) FROM chaos.must');
note "$rows events received, $must had to be, of $last rows; the largest gateway had " . int($memory / 1048576) . ' MB';
note $node->safe_psql('roost', "SELECT format('%s connects, %s events received twice, %s new beginnings', sum(connects), sum(doubles), sum(resets)) FROM (SELECT DISTINCT ON (n) * FROM chaos.span) s");
cmp_ok($must, '>', $sockets * 10, 'there was something to receive');
is($node->safe_psql('roost', 'SELECT count(*) OVER (), l.* FROM chaos.lost l LIMIT 10'), '', 'no client has lost an event');
is($node->safe_psql('roost', q(
	BEGIN;
	DELETE FROM chaos.heard h USING chaos.must x WHERE x.n = 3 AND h.n = x.n AND h.seq = x.seq AND h.part = x.part;
	SELECT count(*) > 0 AND count(*) = (SELECT count(*) FROM chaos.must WHERE n = 3) FROM chaos.lost WHERE n = 3;
	ROLLBACK)), 't', 'and if one had, it would show');
is($node->safe_psql('roost', 'SELECT count(*) OVER (), w.* FROM chaos.wrong w LIMIT 10'), '', 'no client has got what is not for it');
is($node->safe_psql('roost', 'SELECT n, seq, part, count(*) FROM chaos.heard GROUP BY n, seq, part HAVING count(*) > 1 LIMIT 10'), '', 'no event is told twice');
is($node->safe_psql('roost', 'SELECT * FROM chaos.span WHERE disorder > 0 LIMIT 10'), '', 'events and cursors only go forward');
is($node->safe_psql('roost', 'SELECT * FROM chaos.span WHERE resets > 0 LIMIT 10'), '', 'no client had to begin anew: the log has gone on all the time');
cmp_ok($memory, '<', 300 * 1048576, 'the memory of gateways is bounded');
for my $n (0 .. 1)
{
	wait_for_gateway($gateways[$n]);
	is(Roost::gateway_stop($gateways[$n]), 0, 'the gateway ends cleanly');
}

$node->stop;
done_testing();
