# Timelines are what the tables say while the worker is ended, killed, cannot
# work or cannot start, and while the strategy changes, under writes.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Roost;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Roost::node('main');
$node->append_conf('postgresql.conf', q(
shared_preload_libraries = 'roost'
restart_after_crash = on
roost.timeline_push_limit = 12
));
$node->start;
Roost::install($node);

# forty accounts, some of which many follow
$node->safe_psql('roost', q(
	INSERT INTO roost_data.account (id, username) SELECT 9000 + n, 'fan_' || n FROM generate_series(1, 40) n;
	SELECT setseed(0.42);
	INSERT INTO roost_data.follow (follower_id, followee_id, id)
	SELECT 9000 + a, 9000 + b, roost_internal.id_next() FROM generate_series(1, 40) a, generate_series(1, 40) b
	WHERE a <> b AND (random() < 0.1 OR b <= 3);
	INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text)
	SELECT id, 9001 + n % 40, id, now(), '' FROM (SELECT n, roost_internal.id_next() AS id FROM generate_series(1, 400) n) p;
));

my $load_file = $node->basedir . '/load.sql';
append_to_file($load_file, q(
\set a random(9001, 9040)
\set b random(9001, 9006)
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text) SELECT id, :a, id, now(), '' FROM roost_internal.id_next() id;
INSERT INTO roost_data.follow (follower_id, followee_id, id) SELECT :a, :b, roost_internal.id_next() WHERE :a <> :b AND :a % 3 = 0 ON CONFLICT DO NOTHING;
DELETE FROM roost_data.follow WHERE follower_id = :a AND followee_id = :b AND :a % 3 = 1;
DELETE FROM roost_data.post WHERE id = (SELECT max(id) FROM roost_data.post WHERE author_id = :b AND :a % 7 = 0);
));

# begins to write, at a pace that leaves the processor to the readers
sub load
{
	my $out = '';
	return IPC::Run::start([ 'pgbench', '-n', '-c', '2', '-R', '200', '-t', '1000000', '-M', 'prepared', '-f', $load_file, $node->connstr('roost') ],
		'<', \undef, '>', \$out, '2>', \$out);
}

# the readers whose timelines are not what they are by definition
sub differing
{
	my ($source) = @_;
	return $node->safe_psql('roost', qq(
		SET roost.timeline_source = $source;
		SELECT string_agg(a.id::text, ',') FROM roost_data.account a
		WHERE roost_internal.timeline_home_ids(a.id, 60, 9223372036854775807, 0, 'all', true) IS DISTINCT FROM
			ARRAY(SELECT d.id FROM roost_internal.timeline_definition(a.id, 'all', true) d ORDER BY d.id DESC LIMIT 60)));
}

sub exact
{
	my ($name) = @_;
	is(differing($_), '', "$name: exact, from $_") for qw(inbox pull auto);
	return;
}

sub stat_worker { return $node->safe_psql('roost', "SELECT $_[0] FROM roost.stat_worker") }
sub sync { return $node->safe_psql('roost', "SELECT roost.timeline_sync('1 minute')") }

is(sync(), 't', 'the worker runs');
my $load = load();
exact('while others write');

# ended and started anew
for my $round (1 .. 3)
{
	my $pid = stat_worker('pid');
	$node->safe_psql('roost', "SELECT pg_terminate_backend($pid, 60000)");
	exact("worker ended, $round");
	ok($node->poll_query_until('roost', "SELECT pid <> $pid FROM roost.stat_worker"), 'it is back');
	exact("worker back, $round");
}

# another strategy, another limit
for my $setting ("strategy = 'push'", 'push_limit = 5', "strategy = 'pull'", "strategy = 'hybrid'", 'push_limit = 20', 'push_limit = 0', 'push_limit = 10000')
{
	$node->safe_psql('roost', "ALTER SYSTEM SET roost.timeline_$setting");
	$node->reload;
	my ($column, $value) = $setting =~ /(\w+) = '?(\w+)/;
	exact("while $setting comes");
	ok($node->poll_query_until('roost', "SELECT roost.timeline_sync('1 minute') AND (SELECT $column = '$value' FROM roost.stat_worker)"), "$setting holds");
	exact("with $setting");
}
$node->safe_psql('roost', 'ALTER SYSTEM SET roost.timeline_push_limit = 12');
$node->reload;

# the fan-out fails: whatever it has missed is void
$node->safe_psql('roost', 'ALTER INDEX roost_data.follow_followee_id_id_idx RENAME TO away; SELECT roost.cache_forget()');
ok($node->poll_query_until('roost', 'SELECT failing > 0 FROM roost.stat_worker'), 'the fan-out fails');
exact('fan-out fails');
# (after a second it tries again: until the next post comes all is well)
ok($node->poll_query_until('roost', "SELECT reason LIKE 'a step of the background worker fails%' FROM roost.health()"), 'as health says');
$node->safe_psql('roost', 'ALTER INDEX roost_data.away RENAME TO follow_followee_id_id_idx');
ok($node->poll_query_until('roost', 'SELECT failing = 0 FROM roost.stat_worker'), 'repaired, it goes on');
exact('repaired');

# killed, and all others with it
$load->signal('KILL');
eval { $load->finish };
my $pid = stat_worker('pid');
kill 9, $pid;
$node->poll_query_until('roost', "SELECT pid <> $pid AND state = 'running' FROM roost.stat_worker") or die 'the worker is not back';
exact('killed');
sync();
exact('killed, and up to date');
is(stat_worker('failures'), '0', 'no step has failed');

# what all this was for: posts are in the inboxes
is($node->safe_psql('roost', q(
	INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text) SELECT id, 9001, id, now(), '' FROM roost_internal.id_next() id;
	SELECT roost.timeline_sync('1 minute');
	SELECT count(*) > 0 AND bool_and(b.ids[1] = (SELECT max(id) FROM roost_data.post) OR 9001 = ANY (b.pulled_ids))
	FROM roost_data.follow f, roost_internal.timeline_inbox(f.follower_id) b
	WHERE f.followee_id = 9001 AND b.ids IS NOT NULL)), "t\nt", 'inboxes are filled again');

# it cannot start
$node->append_conf('postgresql.conf', "max_worker_processes = 1\nmax_logical_replication_workers = 0");
$node->restart;
$node->poll_query_until('roost', "SELECT state = 'no slot' FROM roost.stat_worker") or die 'it has a slot';
$load = load();
exact('without a worker');
is($node->safe_psql('roost', 'SELECT status FROM roost.health()'), 'degraded', 'as health says');
$load->signal('KILL');
eval { $load->finish };
$node->append_conf('postgresql.conf', 'max_worker_processes = 16');
$node->restart;
$node->poll_query_until('roost', "SELECT state = 'running' FROM roost.stat_worker") or die 'the worker does not start';
exact('with a worker again');

$node->stop;
done_testing();
