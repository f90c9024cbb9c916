# Ids increase across restarts, crashes and promotion, also when the clock has
# stepped back meanwhile: shared memory is gone, the reserve is not.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Roost;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Roost::node('main', allows_streaming => 1);
$node->start;
Roost::install($node);
$node->safe_psql('roost', 'CREATE TABLE made (id bigint PRIMARY KEY)');

# makes ids with a clock of long ago, and returns the first and the last
sub make
{
	my ($where, $count) = @_;
	return split /\|/, $where->safe_psql('roost', qq(
SET client_min_messages = warning;
DO \$\$ BEGIN PERFORM roost_internal.clock_freeze('2001-01-01'); END \$\$;
WITH made AS (INSERT INTO made SELECT roost_internal.id_next() FROM generate_series(1, $count) RETURNING id)
SELECT min(id), max(id) FROM made));
}

my (undef, $last) = split /\|/, $node->safe_psql('roost',
	'WITH made AS (INSERT INTO made SELECT roost_internal.id_next() FROM generate_series(1, 1000) RETURNING id) SELECT min(id), max(id) FROM made');

# more than one reserve of a second, so that the sequence has been moved in between
for my $stop ('fast', 'immediate', 'kill', 'checkpoint and kill')
{
	$node->safe_psql('roost', 'CHECKPOINT') if $stop =~ /checkpoint/;
	if ($stop =~ /kill/) { Roost::crash($node) }
	else { $node->stop($stop); $node->start }
	my ($first, $next) = make($node, 100000);
	cmp_ok($first, '>', $last, "$stop: the first id is above the last");
	$last = $next;
}

# many at once: the primary key would say if two were the same
$node->pgbench('--no-vacuum --client=4 --jobs=2 --transactions=25 --protocol=prepared', 0,
	[qr/processed: 100\/100/], [qr/^$/], 'four sessions make ids',
	{ '001_id' => "INSERT INTO made SELECT roost_internal.id_next(:client_id) FROM generate_series(1, 1000)" }, 'roost');
cmp_ok($node->safe_psql('roost', 'SELECT min(id) FROM (SELECT id FROM made ORDER BY id DESC LIMIT 100000) newest'), '>', $last,
	'four sessions: all of them above the last');

# moving the reserve needs no rights, and is not undone by a rollback
$node->safe_psql('roost', qq(
CREATE ROLE caller;
CREATE FUNCTION public.id_make() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'SELECT max(roost_internal.id_next()) FROM generate_series(1, 100000)'));
my $reserved = $node->safe_psql('roost', 'SELECT last_value FROM roost_data.id_high');
my ($made, $role) = split /\|/, $node->safe_psql('roost', 'BEGIN; SET ROLE caller; SELECT public.id_make(), current_user; ROLLBACK');
is($role, 'caller', 'made as somebody without rights');
cmp_ok($node->safe_psql('roost', 'SELECT last_value FROM roost_data.id_high'), '>', $reserved, 'the reserve has been moved, for good');
cmp_ok($made >> 16, '<', $node->safe_psql('roost', 'SELECT last_value FROM roost_data.id_high'), 'above what was made');

# a restored dump may have ids of a clock that was ahead
$node->safe_psql('roost', "SELECT setval('roost_data.id_high', last_value + 5000) FROM roost_data.id_high");
$reserved = $node->safe_psql('roost', 'SELECT last_value FROM roost_data.id_high');
cmp_ok($node->safe_psql('roost', 'SELECT max(roost_internal.id_next() >> 16) FROM generate_series(1, 100000)'), '>=', $reserved,
	'a sequence that was set ahead is respected');

# an id that somebody got, from a transaction that never wrote anything else
my $got = $node->safe_psql('roost', "BEGIN; SELECT max(roost_internal.id_next()) FROM generate_series(1, 200000); COMMIT");
Roost::crash($node);
my ($first, $next) = make($node, 10);
cmp_ok($first, '>', $got, 'kill: above an id that stands in no table');
$last = $next;

# a standby has the sequence only
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
(undef, $last) = make($node, 100000);
$node->wait_for_catchup($standby);
my ($code, $out, $error) = $standby->psql('roost', 'SELECT roost_internal.id_next()');
like($error, qr/cannot make an id during recovery/, 'a standby makes none');
$node->stop('immediate');
$standby->promote;
($first, $next) = make($standby, 1000);
cmp_ok($first, '>', $last, 'promoted: the first id is above the last of the old primary');

# each database has a reserve of its own
Roost::install($standby, 'other');
my $other = $standby->safe_psql('other', 'SELECT max(roost_internal.id_next()) FROM generate_series(1, 100000)');
cmp_ok($other, '>', $next, 'another database: above, too, since the node is one');
Roost::crash($standby);
($first) = split /\|/, $standby->safe_psql('other',
	"SELECT r FROM roost_internal.clock_freeze('2001-01-01'), roost_internal.id_next() r");
cmp_ok($first, '>', $other, 'another database: above after a crash');

$standby->stop;
done_testing();
