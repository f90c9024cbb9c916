# Thousands of random steps by several sessions at once: every home timeline is
# at every moment what the tables say, whatever the strategy, however little memory
# there is, and while the worker is held up.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Roost;
use Walk;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{ROOST_TEST_SEED} // 4711;
my $node = Roost::node('main');
$node->append_conf('postgresql.conf', "roost.timeline_memory = '256kB'\nroost.timeline_push_limit = 12\n");
$node->start;
Walk::install($node);

note "seed $seed";
for my $strategy (qw(hybrid push pull))
{
	Walk::set($node, 'roost.timeline_strategy', $strategy);
	my $walk = Walk::start($node, $seed++, 6, 350);

	# Meanwhile the worker is held up again and again, and authors change class.
	my $limit = 0;
	while ($walk->pumpable)
	{
		my $lock = $node->background_psql('roost', on_error_stop => 1);
		$lock->query_safe("SELECT roost_internal.debug_point_arm('worker_turn')");
		Walk::wait_for_posts($node, $walk, 30);
		is($node->safe_psql('roost', 'SELECT * FROM walk.all_differences() LIMIT 3'), '', "$strategy: no difference while the worker is held up")
			if $limit % 4 == 0;
		$lock->quit;
		Walk::set($node, 'roost.timeline_push_limit', 8 + 4 * (++$limit % 3));
		Walk::wait_for_posts($node, $walk, 30);
	}
	Walk::finish($walk, $strategy);
	is($node->safe_psql('roost', 'SELECT * FROM walk.all_differences() LIMIT 3'), '', "$strategy: no difference at the end");
	is($node->safe_psql('roost', "SELECT roost.worker_sync('1 minute')"), 't', "$strategy: the worker has done everything");
	is($node->safe_psql('roost', 'SELECT * FROM walk.all_differences() LIMIT 3'), '', "$strategy: no difference afterwards");
}

$node->stop;
done_testing();
