# Presence over restarts: nobody is announced as online before the gateways have
# had time to tell; who has left meanwhile is.  The worker may come and go.
# Signals are notified, several at once when they come together.  A standby
# takes none, and once promoted begins anew.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Roost;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Roost::node('main', allows_streaming => 1);
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->start;
Roost::install($node);
$node->backup('backup');
my $base = $node->safe_psql('roost', 'SELECT clock_timestamp()');

# The clock of the whole server; the worker does what is due.
sub at
{
	my ($server, $seconds) = @_;
	is($server->safe_psql('roost', "SELECT roost_internal.clock_freeze('$base'::timestamptz + interval '$seconds s', true); SELECT roost.worker_sync('1 minute')"),
		"\nt", "it is $seconds s later");
	return;
}

sub beat
{
	my ($server, $arguments) = @_;
	return $server->safe_psql('roost', "SELECT roost.live_beat($arguments); SELECT roost.worker_sync('1 minute')") =~ s/\n.*//r;
}

sub signals
{
	my ($server) = @_;
	return $server->safe_psql('roost', "SELECT string_agg(event || ' ' || account_id, ', ' ORDER BY n) FROM roost_internal.signal_list()");
}

sub online { return $_[0]->safe_psql('roost', "SELECT string_agg(account_id::text, ' ') FROM roost_internal.presence_state('{1,2,3,4,5}') WHERE online") }

# The first gateway after the start: most of its accounts were online before.
at($node, 0);
is(beat($node, "7, '{1}', '{}', false"), 't', 'a new server does not know the gateway');
is(beat($node, "7, '{1,2}', '{}', true"), 'f', 'which tells everything');
is(beat($node, "7, '{3}', '{}', false"), 'f', 'and goes on');
is(signals($node), '', 'nobody is told while the server settles');
is(online($node), '1 2 3', 'but all of them are online');
at($node, 14.9);
beat($node, "7, '{4}', '{}', false");
is(signals($node), '', 'nor at the end of that time');
at($node, 15);
beat($node, "7, '{5}', '{}', false");
is(signals($node), 'user:online 5', 'then everybody is');
beat($node, "7, '{}', '{5}', false");
beat($node, "7, '{5}', '{}', false");

# The worker.
my $worker = $node->safe_psql('roost', 'SELECT pid FROM roost.stat_worker');
$node->safe_psql('roost', "SELECT pg_terminate_backend($worker, 60000)");
ok($node->poll_query_until('roost', "SELECT pid <> $worker AND state = 'running' FROM roost.stat_worker"), 'the worker is started again');
is(beat($node, "7, '{}', '{4}', false"), 'f', 'the server knows the gateway');
is(online($node), '1 2 3 4 5', 'and who is online');
at($node, 25);
is(signals($node), 'user:online 5, user:offline 4', 'and the new worker lets them go');

# A crash: a gateway that stays says who has left meanwhile.
$worker = $node->safe_psql('roost', 'SELECT pid FROM roost.stat_worker');
kill 'KILL', $worker;
ok($node->poll_query_until('roost', "SELECT pid <> $worker AND state = 'running' FROM roost.stat_worker"), 'the server is started again after a crash');
at($node, 30);
is(online($node), '', 'nobody is known to be online');
is(beat($node, "7, '{}', '{3}', false"), 't', 'nor is the gateway');
is(beat($node, "7, '{1,2}', '{3}', true"), 'f', 'which tells everything');
is(online($node), '1 2 3', 'who has left is in the time of grace');
at($node, 39.9);
is(signals($node), '', 'no storm');
at($node, 40);
is(signals($node), 'user:offline 3', 'only who has left');
$node->restart;
at($node, 41);
is(beat($node, "7, '{}', '{}', false"), 't', 'so it is after a restart');

# Notifications.
my $listener = $node->background_psql('roost', on_error_stop => 0);
$listener->query_safe('LISTEN roost_signal');
beat($node, "7, '{}', '{}', true");
at($node, 55);
beat($node, "7, '{}', '{}', false");
my $heard = '';
sub hear
{
	my ($what) = @_;
	for my $try (1 .. 600)
	{
		$heard .= $listener->query_safe('SELECT 1');
		return 1 if $heard =~ $what;
		select(undef, undef, undef, 0.1);
	}
	return 0;
}
at($node, 56);
beat($node, "7, '{1}', '{}', false");
ok(hear(qr/"roost_signal" with payload "\[\["user:online","1","","\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"\]\]"/), 'a signal is notified');
$heard = '';
my $notifies = $node->safe_psql('roost', 'SELECT notifies FROM roost.stat_presence');
beat($node, "7, ARRAY(SELECT generate_series(1001, 1500)), '{}', false");
ok(hear(qr/\["user:online","1500"/), 'so are many');
my %accounts = map { $_ => 1 } $heard =~ /\["user:online","(1\d\d\d)"/g;
is(scalar(keys %accounts), 500, 'each of them');
my $more = $node->safe_psql('roost', "SELECT notifies - $notifies FROM roost.stat_presence");
ok($more >= 4 && $more < 100, "$more notifications hold them");
$node->append_conf('postgresql.conf', 'roost.notify_interval = -1');
$node->reload;
ok($node->poll_query_until('roost', "SELECT current_setting('roost.notify_interval') = '-1'"), 'notifications are turned off');
my $dropped = $node->safe_psql('roost', 'SELECT dropped FROM roost.stat_presence');
ok($node->poll_query_until('roost', "SELECT roost_internal.typing_start((random() * 1e9)::bigint, 'post:1') IS NULL OR roost.worker_sync('1 minute') AND dropped > $dropped FROM roost.stat_presence"),
	'then signals are dropped, and counted');
$listener->quit;

# The ring: more signals than there is room for while the worker stands still.
my $holder = Roost::hold_worker($node);
my ($written, $lost) = split /\|/, $node->safe_psql('roost', 'SELECT signals, dropped FROM roost.stat_presence');
is($node->safe_psql('roost', "SELECT roost.live_beat(7, ARRAY(SELECT generate_series(2001, 22000)), '{}', false)"), 'f', 'nobody waits for the worker');
is($node->safe_psql('roost', "SELECT signals - $written, dropped - $lost >= 20000 - 16384, dropped - $lost <= 20000 - 16384 + 100 FROM roost.stat_presence"), '20000|t|t', 'the oldest go');
$holder->query_safe("SELECT roost_internal.debug_point_release('worker_turn')");
$holder->quit;
is($node->safe_psql('roost', "SELECT roost.worker_sync('1 minute')"), 't', 'the worker goes on');

# A standby.
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
like(Roost::error($standby, 'roost', "SELECT roost.live_beat(7, '{1}', '{}', true)"), qr/cannot execute live_beat\(\) during recovery/, 'a standby takes no beats');
is(online($standby), '', 'and knows nobody');
$standby->promote;
ok($standby->poll_query_until('roost', "SELECT state = 'running' FROM roost.stat_worker"), 'it is promoted');
is($standby->safe_psql('roost', "SELECT roost.live_beat(7, '{1}', '{}', false)"), 't', 'then it wants to be told everything');
is($standby->safe_psql('roost', "SELECT roost.live_beat(7, '{1}', '{}', true)"), 'f', 'and is');
is(online($standby), '1', 'so it knows');

# Another database of the cluster has no presence, and no errors.
Roost::install($node, 'other');
is($node->safe_psql('other', "SELECT roost.live_beat(7, '{1}', '{}', true), online FROM roost_internal.presence_state('{1}')"), 'f|f', 'another database');

$standby->stop;
$node->stop;
done_testing();
