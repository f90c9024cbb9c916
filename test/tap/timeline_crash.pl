# While sessions walk at random, backends, the worker and the server's first
# process are killed again and again: after each restart every home timeline, and every
# counter, is what the tables say.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Roost;
use Walk;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Roost::node('main');
$node->append_conf('postgresql.conf', "roost.timeline_memory = '1MB'\nroost.timeline_push_limit = 12\nrestart_after_crash = on\n");
$node->start;
Walk::install($node);

my %victims = (
	'a backend' => "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND query LIKE '%walk%' AND pid <> pg_backend_pid() LIMIT 1",
	'the worker' => 'SELECT pid FROM roost.stat_worker',
	'the postmaster' => '',
);
my $seed = $ENV{ROOST_TEST_SEED} // 1000;
for my $round (1 .. 3)
{
	for my $victim (sort keys %victims)
	{
		my $walk = Walk::start($node, $seed++, 4, 100000);
		Walk::wait_for_posts($node, $walk, 60);
		if ($victim eq 'the postmaster')
		{
			Roost::crash($node);
		}
		else
		{
			my $pid = Walk::victim($node, $victims{$victim}) or die "$victim is not there: $walk->{walk}{err}";
			Roost::kill_process($node, $pid);
		}
		# the sessions are gone with the server; what they had committed is not
		$walk->finish;
		my $what = "round $round, $victim killed";
		is($node->safe_psql('roost', 'SELECT * FROM walk.all_differences() LIMIT 3'), '', "$what: no timeline differs at once");
		$node->poll_query_until('roost', 'SELECT roost.worker_sync()') or die 'the worker does not come back';
		is($node->safe_psql('roost', 'SELECT * FROM walk.all_differences() LIMIT 3'), '', "$what: no timeline differs once the worker is there");
		is($node->safe_psql('roost', 'SELECT * FROM walk.wrong_counters() LIMIT 3'), '', "$what: every counter is exact");
		is($node->safe_psql('roost', 'SELECT * FROM walk.wrong_feed() LIMIT 3'), '', "$what: the feed is what the tables say");
		$node->safe_psql('roost', "ROLLBACK PREPARED '$_'") for split /\n/, $node->safe_psql('roost', 'SELECT gid FROM pg_prepared_xacts');
	}
}

$node->stop;
done_testing();
