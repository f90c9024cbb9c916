# A base backup and the WAL bring everything back to a chosen moment.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Roost;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Roost::node('main', has_archiving => 1, allows_streaming => 1);
$node->start;
Roost::install($node);
my %id = Roost::fill($node, 'roost');
$node->backup('base');

my $kept = Roost::post($node, 'roost', $id{bob}, 'kept');
my $home = Roost::home($node, 'roost', $id{alice});
# The worker adds nothing, and removes nothing, before the restore point.
Roost::sync($node);
my $still = Roost::hold_worker($node);
my $tables = Roost::tables($node, 'roost');
$node->safe_psql('roost', "SELECT pg_create_restore_point('before the mistake')");
$still->quit;
$node->safe_psql('roost', "SELECT roost.uninstall(confirm => 'roost')");
$node->safe_psql('roost', 'SELECT pg_switch_wal()');
$node->stop;

my $restored = PostgreSQL::Test::Cluster->new('restored');
$restored->init_from_backup($node, 'base', has_restoring => 1, standby => 0);
$restored->append_conf('postgresql.conf', qq(
recovery_target_name = 'before the mistake'
recovery_target_action = 'promote'
roost.database = 'none'
));
$restored->start;
$restored->poll_query_until('roost', 'SELECT NOT pg_is_in_recovery()') or die 'not promoted';

is(Roost::tables($restored, 'roost'), $tables, 'every table is as it was');
$restored->append_conf('postgresql.conf', "roost.database = 'roost'");    # no worker has changed anything so far
$restored->restart;
is(Roost::home($restored, 'roost', $id{alice}), $home, 'timelines are as they were');
cmp_ok(Roost::post($restored, 'roost', $id{bob}, 'later'), '>', $kept, 'ids go on');
is(Roost::home($restored, 'roost', $id{alice}), "later $home", 'a new post appears');
ok(Roost::login($restored, 'roost', 'carol'), 'people log in');

$restored->stop;
done_testing();
