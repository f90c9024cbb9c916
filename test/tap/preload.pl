# Without shared_preload_libraries CREATE EXTENSION says what to do; with it the
# extension loads whatever it stands next to.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Roost;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->start;

my $error = Roost::error($node, 'postgres', 'CREATE EXTENSION roost CASCADE');
like($error, qr/ERROR:  roost must be loaded via shared_preload_libraries/, 'refused without preload');
like($error, qr/HINT:  Add "roost" to shared_preload_libraries in postgresql.conf and restart the server/, 'and says how');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'roost%'"), 0, 'nothing is left behind');

$node->append_conf('postgresql.conf', "shared_preload_libraries = 'roost'");
$node->restart;
$node->safe_psql('postgres', "SET client_min_messages = warning; CREATE EXTENSION roost CASCADE; SELECT roost.install()");
is($node->safe_psql('postgres', 'SELECT scheduled FROM roost.maintenance_schedule() LIMIT 1'), 'f', 'works without pg_cron');
like($node->safe_psql('postgres', 'SELECT command FROM roost.maintenance_schedule() LIMIT 1'),
	qr/cron\.schedule_in_database\(.*'postgres'\)/, 'and prints the line for the database that has it');

my $id = Roost::register($node, 'postgres', 'alice');
is($node->safe_psql('postgres', "SELECT username FROM roost.account_get(NULL, '$id')"), 'alice', 'in another database than roost.database');

$node->adjust_conf('postgresql.conf', 'shared_preload_libraries', undef);
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$node->restart;
like(Roost::error($node, 'postgres', 'SELECT roost.version()'), qr/must be loaded via shared_preload_libraries/, 'the same message later');

$node->stop;
done_testing();
