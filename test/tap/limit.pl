# What has been used of a limit outlives the server; a damaged file does not stop it.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Roost;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Roost::node('main');
$node->start;
Roost::install($node);
$node->safe_psql('roost', "SELECT roost.limit_policy_set('test', 'year', 1000, '366 days')");
my $file = $node->data_dir . '/pg_stat/roost_limit.stat';

# takes one and returns how many are left
sub hit
{
	my ($address) = @_;
	return $node->safe_psql('roost', "SELECT remaining FROM roost.limit_hit('test', NULL, '$address')");
}

is(hit('192.0.2.1'), 999, 'one is used');
is(hit('192.0.2.1'), 998, 'two are used');
is(hit('2001:db8::1'), 999, 'of another address, one');

$node->restart;
is(hit('192.0.2.1'), 997, 'restart: both are remembered');
is(hit('2001:db8::2'), 998, 'restart: also for the same /64');

# the worker saves them, too; what comes later is forgiven by a crash
is($node->safe_psql('roost', "SELECT roost.worker_sync('1 minute')"), 't', 'saved by the worker');
isnt($node->safe_psql('roost', 'SELECT dumped_at FROM roost.stat_limit'), '', 'which says when');
my $still = Roost::hold_worker($node);    # it saves them every minute
hit('192.0.2.1') for 1 .. 5;
Roost::crash($node);
eval { $still->quit };
is(hit('192.0.2.1'), 996, 'kill: what was saved is remembered, and no more');

# a backend dies: shared memory is made anew from the file
hit('192.0.2.1');
is($node->safe_psql('roost', "SELECT roost.worker_sync('1 minute')"), 't', 'saved again');
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->reload;
my $pid = $node->safe_psql('roost', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'");
kill 9, $pid;
$node->poll_query_until('roost', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'walwriter' AND pid <> $pid")
	or die 'the server is not back';
is(hit('192.0.2.1'), 994, 'killed process: remembered');

# files that are not what they should be
sub damaged
{
	my ($what, $bytes) = @_;
	$node->stop('immediate');
	open my $out, '>:raw', $file or die "$file: $!";
	print $out $bytes;
	close $out;
	my $offset = -s $node->logfile;
	$node->start;
	ok($node->log_contains(qr/ignoring invalid data in file "pg_stat\/roost_limit.stat"/, $offset), "$what: ignored, and said so");
	is(hit('192.0.2.1'), 999, "$what: it begins anew");
	return;
}

is($node->safe_psql('roost', "SELECT roost.worker_sync('1 minute')"), 't', 'saved a last time');
my $good = slurp_file($file);
(my $flipped = $good) =~ s/(.)(.{4})\z/chr(ord($1) ^ 1) . $2/es;
damaged('empty', '');
damaged('cut off', substr($good, 0, -1));
damaged('flipped', $flipped);
damaged('another version', substr($good, 0, 4) . "\xff" . substr($good, 5));
damaged('a count that does not fit', substr($good, 0, 16) . ("\xff" x 8) . substr($good, 24));
damaged('noise', join '', map { chr(($_ * 7) % 256) } 1 .. 4096);
$node->restart;
is(hit('192.0.2.1'), 998, 'and is written again');

# many at once: no more than there are
$node->safe_psql('roost', "SELECT roost_internal.clock_freeze(now(), true), roost.limit_policy_set('race', 'hour', 700, '1 hour')");
$node->pgbench('--no-vacuum --client=4 --jobs=2 --transactions=100 --protocol=prepared', 0,
	[qr/processed: 400\/400/], [qr/^$/], 'four sessions take from one limit',
	{ '001_limit' => "SELECT count(roost.limit_hit('race', 1)) FROM generate_series(1, 3)" }, 'roost');
is($node->safe_psql('roost', "SELECT denied FROM roost.stat_limit_policy WHERE class = 'race'"), 500, 'of 1200 they get 700');
$node->safe_psql('roost', "SELECT roost_internal.clock_freeze(NULL, true)");

# a smaller table keeps what fits
$node->safe_psql('roost', "SELECT count(*) FROM generate_series(1, 20000) n, roost.limit_hit('test', n)");
$node->append_conf('postgresql.conf', "roost.limit_size = '64kB'");
$node->restart;
is($node->safe_psql('roost', 'SELECT entries, live > 1000 AND live <= entries FROM roost.stat_limit'), '4096|t', 'a smaller table keeps what fits');

# a second database counts for itself
Roost::install($node, 'other');
$node->safe_psql('other', "SELECT roost.limit_policy_set('test', 'year', 1000, '366 days')");
is($node->safe_psql('other', "SELECT remaining FROM roost.limit_hit('test', NULL, '192.0.2.1')"), 999, 'another database counts for itself');

$node->stop;
done_testing();
