# Events of prepared transactions, also when the server crashes before they end:
# then the worker knows that it has missed something.

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
$node->safe_psql('roost', qq(
CREATE TABLE watched (id bigint);
CREATE TRIGGER emit AFTER INSERT ON watched FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('job_added', 'id')));

sub prepare
{
	my ($name, $count) = @_;
	$node->safe_psql('roost', "BEGIN; INSERT INTO watched SELECT generate_series(1, $count); PREPARE TRANSACTION '$name'");
	return;
}

# events, losses and prepared transactions in doubt
sub seen
{
	$node->poll_query_until('roost', "SELECT state = 'running' FROM roost.stat_worker") or die 'no worker';
	Roost::sync($node);
	return $node->safe_psql('roost', 'SELECT (SELECT events FROM roost.stat_event WHERE kind = \'job_added\'), losses, in_doubt FROM roost.stat_worker');
}

is(seen(), '0|1|0', 'at the beginning: the loss that a start is');
prepare('a', 3);
prepare('b', 4);
is(seen(), '0|1|2', 'prepared: in doubt');
$node->safe_psql('roost', "ROLLBACK PREPARED 'b'");
$node->safe_psql('roost', "COMMIT PREPARED 'a'");
is(seen(), '3|1|0', 'ended: what was committed has come');

# as many as there can be, again and again, without waiting for the worker
for my $round (1 .. 5)
{
	prepare("round$_", 1) for 1 .. 10;
	$node->safe_psql('roost', "COMMIT PREPARED 'round$_'") for 1 .. 10;
}
is(seen(), '53|1|0', 'many: all have come');

# PREPARE that fails gives its place back
my ($code, $out, $error) = $node->psql('roost', "CREATE TEMP TABLE t (id int); BEGIN; INSERT INTO watched VALUES (1); INSERT INTO t VALUES (1); PREPARE TRANSACTION 'temp'");
like($error, qr/cannot PREPARE a transaction that has operated on temporary objects/, 'one that cannot be prepared');
is(seen(), '53|1|0', 'leaves nothing');

# crash between PREPARE and COMMIT PREPARED
prepare('c', 3);
prepare('d', 3);
Roost::crash($node);
is(seen(), '0|1|2', 'after a crash: still in doubt');
$node->safe_psql('roost', "ROLLBACK PREPARED 'd'");
is(seen(), '0|1|1', 'rolled back: nothing was missed');
$node->safe_psql('roost', "COMMIT PREPARED 'c'");
is(seen(), '0|2|0', 'committed: something was missed, which is known');
is($node->safe_psql('roost', 'SELECT count(*) FROM watched'), '56', 'the rows are there');

# one prepared after the start is not taken for an old one
prepare('e', 2);
$node->safe_psql('roost', "COMMIT PREPARED 'e'");
is(seen(), '2|2|0', 'afterwards everything goes its way');

# no prepared transactions at all
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 0');
$node->restart;
$node->safe_psql('roost', 'INSERT INTO watched VALUES (1)');
is(seen(), '1|1|0', 'without prepared transactions');

$node->stop;
done_testing();
