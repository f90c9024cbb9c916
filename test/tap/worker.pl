# The worker is there when its database is, comes back when it is killed, and is
# quiet when it cannot work.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Roost;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = Roost::node('main', allows_streaming => 1);
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'roost'");
$node->start;

# the state of the worker, seen from a database
sub wait_for_state
{
	my ($where, $database, $state) = @_;
	return $where->poll_query_until($database, "SELECT state = '$state' FROM roost.stat_worker");
}

# no database: it waits for it, and writes nothing
$node->safe_psql('postgres', 'SET client_min_messages = warning; CREATE EXTENSION roost CASCADE');
ok(wait_for_state($node, 'postgres', 'no database'), 'without the database it waits');
is($node->safe_psql('postgres', 'SELECT (roost.health()).status'), 'degraded', 'and the service is degraded');
is($node->safe_psql('postgres', 'SELECT (roost.health()).reason'), 'the background worker does not run: no database', 'which says why');
is($node->safe_psql('postgres', "SELECT roost.worker_sync('10 milliseconds')"), 'f', 'nobody answers');
$node->safe_psql('postgres', 'CREATE DATABASE roost');
my $offset = -s $node->logfile;
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'roost worker' AND datname = 'roost'")
	or die 'the worker does not start';
ok(wait_for_state($node, 'postgres', 'not installed'), 'in a database without roost it waits, too');
$node->safe_psql('roost', 'SET client_min_messages = warning; CREATE EXTENSION roost CASCADE');
is($node->safe_psql('roost', "SELECT roost.worker_sync('1 minute')"), 't', 'it answers already');
is($node->safe_psql('roost', 'SELECT state FROM roost.stat_worker'), 'not installed', 'but there are no tables');
$node->safe_psql('roost', 'SELECT roost.install()');
Roost::sync($node);
is($node->safe_psql('roost', 'SELECT state FROM roost.stat_worker'), 'running', 'installed, it runs');
my $log = slurp_file($node->logfile);
unlike($log, qr/(FATAL|ERROR).*database "roost"/, 'the log is free of failures');
unlike($log, qr/background worker "roost [a-z]+" \(PID \d+\) exited/, 'and of processes that come and go');

# killed, it comes back, and has missed nothing that it was not told
sub worker_pid { return $node->safe_psql('roost', 'SELECT pid FROM roost.stat_worker') }
$node->safe_psql('roost', qq(
CREATE TABLE watched (id bigint);
CREATE TRIGGER emit AFTER INSERT ON watched FOR EACH ROW EXECUTE FUNCTION roost_internal.event_emit('job_added', 'id')));
my $pid = worker_pid();
my ($events, $losses) = split /\|/, $node->safe_psql('roost', 'SELECT events, losses FROM roost.stat_worker');
$node->safe_psql('roost', "SELECT pg_terminate_backend($pid, 60000)");
$node->safe_psql('roost', 'INSERT INTO watched VALUES (1), (2)');
ok($node->poll_query_until('roost', "SELECT pid <> $pid FROM roost.stat_worker"), 'terminated, it comes back');
Roost::sync($node);
is($node->safe_psql('roost', "SELECT events - $events, losses - $losses FROM roost.stat_worker"), '2|1',
	'with the events of the meantime, and the knowledge of a loss');

# many writers, while the worker falls asleep and wakes: every event arrives
$events = $node->safe_psql('roost', 'SELECT events FROM roost.stat_worker');
$node->pgbench('--no-vacuum --client=4 --jobs=2 --transactions=500 --protocol=prepared', 0,
	[qr/processed: 2000\/2000/], [qr/^$/], 'four sessions write',
	{ '001_event' => "INSERT INTO watched SELECT generate_series(1, 1 + :client_id)" }, 'roost');
Roost::sync($node);
is($node->safe_psql('roost', "SELECT events - $events FROM roost.stat_worker"), 500 * (1 + 2 + 3 + 4), 'and every event arrives');

# killed hard, the server starts anew, and the worker with it
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->reload;
$pid = worker_pid();
kill 9, $pid;
$node->poll_query_until('roost', "SELECT pid <> $pid AND state = 'running' FROM roost.stat_worker") or die 'the worker is not back';
is($node->safe_psql('roost', "SELECT roost.worker_sync('1 minute')"), 't', 'killed hard, it comes back');

# the extension goes and comes, the worker stays
$node->safe_psql('roost', 'SET client_min_messages = error; DROP TABLE watched');
$pid = worker_pid();
$node->safe_psql('roost', "SELECT roost.uninstall(confirm => 'roost')");
$node->safe_psql('roost', 'DROP EXTENSION roost');
Roost::sync($node, 'postgres');
is($node->safe_psql('postgres', 'SELECT state FROM roost.stat_worker'), 'not installed', 'dropped: it waits again');
$node->safe_psql('roost', 'SET client_min_messages = warning; CREATE EXTENSION roost; SELECT roost.install()');
Roost::sync($node);
is($node->safe_psql('roost', 'SELECT pid, state FROM roost.stat_worker'), "$pid|running", 'created anew: it goes on');

# a step that fails is logged and pauses, the worker goes on
$node->safe_psql('roost', 'ALTER TABLE roost_data.maintenance RENAME TO away');
my $before = -s $node->logfile;
$node->restart;
ok($node->poll_query_until('roost', 'SELECT failures > 0 FROM roost.stat_worker'), 'a step fails');
is($node->safe_psql('roost', "SELECT roost.worker_sync('1 minute'); SELECT status, reason FROM roost.health()"),
	"t\ndegraded|a step of the background worker fails: see the server log", 'and the service is degraded');
$pid = worker_pid();
Roost::sync($node) for 1 .. 3;
is(worker_pid(), $pid, 'the worker goes on');
# (it goes on failing meanwhile, ever more rarely)
my ($counted, @logged);
for my $try (1 .. 600)
{
	$counted = $node->safe_psql('roost', 'SELECT failures FROM roost.stat_worker');
	@logged = slurp_file($node->logfile, $before) =~ /ERROR:  relation "roost_data.maintenance" does not exist/g;
	last if @logged == $counted;
	usleep(100_000);
}
is(scalar @logged, $counted, 'each failure is logged, once');
$node->safe_psql('roost', 'ALTER TABLE roost_data.away RENAME TO maintenance');
ok($node->poll_query_until('roost', "SELECT roost.worker_sync('1 minute') AND failing = 0 FROM roost.stat_worker"), 'repaired, the step runs');
is($node->safe_psql('roost', 'SELECT (SELECT count(*) > 0 FROM roost_data.maintenance), status, reason FROM roost.health()'), "t|ok|", 'and all is well');

# no free slot: one line says so
$node->append_conf('postgresql.conf', 'max_worker_processes = 3');
$node->restart;
is($node->safe_psql('roost', "SELECT roost.worker_sync('1 minute')"), 't', 'three slots are enough: launcher, worker and the server\'s own');
$node->append_conf('postgresql.conf', 'max_worker_processes = 1');
$node->append_conf('postgresql.conf', 'max_logical_replication_workers = 0');
$node->restart;
ok(wait_for_state($node, 'roost', 'no slot'), 'without a slot it waits');
$log = slurp_file($node->logfile, $offset);
is($node->safe_psql('roost', 'SELECT status, reason FROM roost.health()'),
	'degraded|no slot is free for the background worker: increase max_worker_processes', 'and says so when asked');
is(() = $log =~ /no slot is free for the roost worker/g, 1, 'in the log once');
like($log, qr/HINT:  Increase max_worker_processes/, 'and what to do');
$node->append_conf('postgresql.conf', 'max_worker_processes = 0');
$offset = -s $node->logfile;
$node->restart;
is($node->safe_psql('roost', 'SELECT status, reason FROM roost.health()'),
	'degraded|the background worker does not run: stopped', 'without any slot there is no launcher, either');
like(slurp_file($node->logfile, $offset), qr/too many background workers/, 'which the server says itself');
$node->append_conf('postgresql.conf', 'max_worker_processes = 16');
$node->restart;

# a database that goes while the worker is to be started again: the launcher waits for that
ok(wait_for_state($node, 'postgres', 'running'), 'the worker runs');
$offset = -s $node->logfile;
my $session = $node->background_psql('postgres', on_error_stop => 0);
for my $try (1 .. 30)
{
	# (fails if it was started again before)
	my ($said, $failed) = $session->query("SELECT pg_terminate_backend(pid, 60000) FROM roost.stat_worker; BEGIN; ALTER DATABASE roost RENAME TO away");
	last if !$failed;
	die 'the database is not renamed' if $try == 30;
	$session->{stderr} = '';
	$session->query_safe('ROLLBACK');
}
ok($node->poll_query_until('postgres', q(SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'object' AND classid = 'pg_database'::regclass AND NOT granted)), 'somebody waits for the database');
$session->query_safe('COMMIT');
ok(wait_for_state($node, 'postgres', 'no database'), 'renamed, it is not there');
unlike(slurp_file($node->logfile, $offset), qr/FATAL:  database "roost"/, 'no worker has looked for it in vain');
$session->query_safe('ALTER DATABASE away RENAME TO roost');
$session->quit;
ok(wait_for_state($node, 'roost', 'running'), 'it is back with its name');

# a database that is dropped under the worker
$node->safe_psql('postgres', 'CREATE DATABASE spare TEMPLATE template0');
$offset = -s $node->logfile;
Roost::drop_database($node, 'roost');
ok(wait_for_state($node, 'postgres', 'no database'), 'dropped with its database, it waits');
unlike(slurp_file($node->logfile, $offset), qr/FATAL:  database "roost"/, 'quietly');
Roost::install($node);
ok(wait_for_state($node, 'roost', 'running'), 'and comes back with it');

# a standby has one of its own, which does not write
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
ok(wait_for_state($standby, 'roost', 'standby'), 'a standby has a worker');
is($standby->safe_psql('roost', "SELECT roost.worker_sync('1 minute')"), 't', 'that answers');
is($standby->safe_psql('roost', 'SELECT status, standby FROM roost.health()'), 'ok|t', 'and is well');
is($standby->safe_psql('roost', "SELECT remaining - (SELECT min(burst) FROM roost_data.limit_policy WHERE class = 'default') FROM roost.limit_hit('default', 1)"),
	'-1', 'limits count there');
is($standby->safe_psql('roost', 'SELECT failures FROM roost.stat_worker'), '0', 'no step has failed');
$node->stop;
$standby->promote;
ok(wait_for_state($standby, 'roost', 'running'), 'promoted, it runs');
Roost::sync($standby);
is($standby->safe_psql('roost', 'SELECT failures FROM roost.stat_worker'), '0', 'still no step has failed');
$standby->stop;

done_testing();
