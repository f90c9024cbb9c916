# A crash loses nothing that was committed: tables, counters and timelines agree,
# ids go on, the worker comes back.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Roost;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Roost::node('main');
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->start;
Roost::install($node);
my %id = Roost::fill($node, 'roost');
my $token = Roost::login($node, 'roost', 'alice');
my $home = Roost::home($node, 'roost', $id{alice});

# check what must hold after each kind of stop
sub check
{
	my ($how) = @_;
	$node->poll_query_until('roost', "SELECT (roost.health()).status = 'ok'") or die 'the worker is not back';
	is(Roost::home($node, 'roost', $id{alice}), $home, "$how: the timeline is as it was");
	is($node->safe_psql('roost', "SELECT account_id FROM roost.token_verify('$token')"), $id{alice}, "$how: tokens hold");
	my $last = $node->safe_psql('roost', 'SELECT max(id) FROM roost_data.post');
	my $post = Roost::post($node, 'roost', $id{bob}, 'again');
	cmp_ok($post, '>', $last, "$how: ids go on");
	$home = "again $home";
	is(Roost::home($node, 'roost', $id{alice}), $home, "$how: a new post appears");
	is($node->safe_psql('roost', "SELECT post_count FROM roost.account_get(NULL, '$id{bob}')"),
		$node->safe_psql('roost', "SELECT count(*) FROM roost_data.post WHERE author_id = $id{bob}"), "$how: counters are exact");
	return;
}

check('before');
$node->restart;
check('restart');
$node->stop('immediate');
$node->start;
check('immediate stop');

# a backend dies: the postmaster starts everything anew
my $pid = $node->safe_psql('roost', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'");
kill 9, $pid;
$node->poll_query_until('roost', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'walwriter' AND pid <> $pid")
	or die 'the server is not back';
check('killed process');

# the postmaster dies; a new one must wait until the children have noticed
Roost::crash($node);
check('killed server');

$node->stop;
done_testing();
