# Every committed entry gets into the chain, once, whatever ends when; retention
# and promotion keep the chain.

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
my $alice = Roost::register($node, 'roost', 'alice');

sub sql { return $node->safe_psql('roost', $_[0]) }

# Waits until nothing waits to be sealed.
sub sealed
{
	return $node->poll_query_until('roost', "SELECT roost.worker_sync('1 minute') AND NOT EXISTS (SELECT FROM roost_data.audit_entry)");
}

# How often an action stands in the chain, and in all.
sub count
{
	my ($action) = @_;
	return sql("SELECT (SELECT count(*) FROM roost_data.audit WHERE action = '$action'), (SELECT count(*) FROM roost_data.audit_entry WHERE action = '$action')");
}

sub add { return "SELECT roost_internal.audit_add('$_[0]', 'test', 1)" }

sub verified
{
	my ($what) = @_;
	is(sql('SELECT ok, reason, unsealed FROM roost.audit_verify()'), 't||0', $what);
	return;
}

# Stops whoever comes to a debug point until it is ended.
sub hold
{
	my ($point) = @_;
	my $session = $node->background_psql('roost');
	$session->query_safe("SELECT roost_internal.debug_point_arm('$point')");
	return $session;
}

# A transaction that has changed what is watched, and idles.
my $idle = $node->background_psql('roost');
$idle->query_safe("BEGIN; UPDATE roost_data.account SET role = 'moderator' WHERE id = $alice; " . add('early'));
my $others = Roost::register($node, 'roost', 'bob');
is(sql("SET lock_timeout = '1min'; SELECT count(*) FROM roost.auth_login('bob', '$Roost::password')"), '1', 'others log in beside an idle transaction');
sql(add('late'));
ok($node->poll_query_until('roost', "SELECT roost.worker_sync('1 minute') AND count(*) = 1 FROM roost_data.audit WHERE action = 'late'"), 'and are sealed');
is(count('early'), '0|0', 'while it is not seen');
is(sql('SELECT unsealed FROM roost.audit_verify()'), '0', 'nor waits');
$idle->query_safe('COMMIT');
$idle->quit;
ok(sealed(), 'once committed');
is(count('early'), '1|0', 'its entry is sealed, too');
is(sql("SELECT e.id < l.id AND e.seq > l.seq FROM roost_data.audit e, roost_data.audit l WHERE e.action = 'early' AND l.action = 'late'"), 't', 'behind later ones');

# A prepared transaction, which outlives the server.
sql('BEGIN; ' . add('prepared') . "; PREPARE TRANSACTION 'audit'");
sql(add('after prepared'));
$node->poll_query_until('roost', "SELECT roost.worker_sync('1 minute') AND count(*) = 1 FROM roost_data.audit WHERE action = 'after prepared'") or die 'it is not sealed';
is(count('prepared'), '0|0', 'a prepared transaction is not sealed');
$node->restart;
sql("COMMIT PREPARED 'audit'");
ok(sealed(), 'but once it is committed');
is(count('prepared'), '1|0', 'once');
sql('BEGIN; ' . add('prepared away') . "; PREPARE TRANSACTION 'audit'");
sql("ROLLBACK PREPARED 'audit'");
ok(sealed(), 'one rolled back');
is(count('prepared away'), '0|0', 'leaves nothing');
verified('and the chain holds');

# The server dies before entries are sealed.
my $hold = hold('worker_turn');
Roost::held($node);
sql(add('unsealed'));
is(sql("SELECT ok, unsealed, unsealed_since <= clock_timestamp() FROM roost.audit_verify()"), 't|1|t', 'what waits is told');
Roost::crash($node);
eval { $hold->quit };
ok(sealed(), 'after a crash before sealing');
is(count('unsealed'), '1|0', 'the entry is sealed');

# It dies, or only the worker does, between sealing and the commit.
$hold = hold('audit_sealed');
sql(add('half'));
Roost::held($node);
Roost::crash($node);
eval { $hold->quit };
ok(sealed(), 'after a crash while sealing');
is(count('half'), '1|0', 'the entry is sealed once');
$hold = hold('audit_sealed');
sql(add('killed'));
Roost::held($node);
my $pid = sql('SELECT pid FROM roost.stat_worker');
sql("SELECT pg_terminate_backend($pid)");
$node->poll_query_until('roost', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid");
$hold->quit;
ok(sealed(), 'after a worker that was ended while sealing');
is(count('killed'), '1|0', 'the entry is sealed once');
verified('and the chain holds');

# Many writers, transactions of all lengths, a worker that is killed meanwhile.
my @writers = map { my ($in, $n) = ('', $_); for my $i (1 .. 60) { $in .= 'BEGIN; ' . add("many.$n") . '; SELECT pg_sleep(random() * 0.01); ' . add("many.$n") . '; ' . ($i % 5 ? 'COMMIT' : 'ROLLBACK') . ";\n" }
	IPC::Run::start([ 'psql', '-X', '-q', '-o', '/dev/null', '-d', $node->connstr('roost') ], '<', \(my $text = $in)) } (1 .. 6);
for my $i (1 .. 2)
{
	my $former = sql('SELECT pid FROM roost.stat_worker');
	sql("SELECT pg_terminate_backend($former)") if $former ne '';
	$node->poll_query_until('roost', "SELECT state = 'running' AND pid <> " . ($former || 0) . ' FROM roost.stat_worker');
}
$_->finish for @writers;
ok(sealed(), 'after many writers');
is(sql("SELECT count(*), count(DISTINCT id) FROM roost_data.audit WHERE action LIKE 'many.%'"), '576|576', 'each entry stands in the chain once');
is(sql('SELECT count(*) = max(seq) AND count(DISTINCT seq) = count(*) FROM roost_data.audit'), 't', 'without gaps');
verified('and the chain holds');

# The head is told in the log; a changed one is noticed at once.
like(slurp_file($node->logfile), qr/audit trail: entry \d+ has the hash [0-9a-f]{64}/, 'the log has a head');
my ($line) = reverse(slurp_file($node->logfile) =~ /audit trail: entry (\d+ has the hash [0-9a-f]{64})/g);
my ($seq, $hash) = $line =~ /(\d+) has the hash (\w+)/;
is(sql("SELECT ok FROM roost.audit_verify(expected_seq => $seq, expected_hash => '$hash')"), 't', 'with which the chain agrees');

# Retention: whole months go, the rest is verified from the anchor.
my $rows = sql('SELECT count(*) FROM roost_data.audit');
$node->append_conf('postgresql.conf', "roost.audit_retention = '60d'");
$node->reload;
# (the entries so far are of one month, unless it has changed meanwhile)
my $month = sql("SELECT date_trunc('month', max(sealed_at)) FROM roost_data.audit");
my $partitions = sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'roost_data.audit'::regclass");
my $months = sub {
	sql("SELECT roost_internal.clock_freeze('$month'::timestamptz + interval '$_[0] months 10 days', true)");
	sql(add("month $_[0]"));
	ok(sealed(), "month $_[0]");
	return;
};
$months->($_) for (1, 2, 3);
is(sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'roost_data.audit'::regclass"), $partitions + 3, 'a partition a month');
verified('over several months the chain holds');
my $reader = $node->background_psql('roost');
$reader->query_safe('BEGIN; SELECT count(*) FROM roost_data.audit');
is(sql("SELECT purged, error FROM roost.maintenance_run('audit')"), '0|', 'nothing is dropped while somebody reads');
$reader->query_safe('COMMIT');
$reader->quit;
# (what somebody looks at, as autovacuum does, goes another time)
my $purge = sub { return $node->poll_query_until('roost', "SELECT r.error IS NULL AND (SELECT count(*) FROM roost_data.audit_anchor) = $_[0] FROM roost.maintenance_run('audit') r") };
ok($purge->($partitions), 'what is older than 60 days goes');
cmp_ok(sql('SELECT max(seq) FROM roost_data.audit_anchor'), '>=', $rows, 'all of it');
is(sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'roost_data.audit'::regclass"), '3', 'with its month');
is(sql('SELECT ok, anchor_seq > 0 FROM roost.audit_verify()'), 't|t', 'the rest is verified from the anchor, whose entry waits');
ok(sealed(), 'once it is sealed');
verified('still');
is(sql("SELECT v.ok FROM roost_data.audit_anchor a, roost.audit_verify(expected_seq => a.seq, expected_hash => encode(a.hash, 'hex')) v"), 't', 'a head noted there agrees');
my $forge = sub {
	my ($change) = @_;
	return sql("BEGIN; ALTER TABLE roost_data.audit_anchor DISABLE TRIGGER audit_anchor_guard; $change; SELECT ok, bad_seq - (SELECT max(seq) FROM roost_data.audit_anchor) FROM roost.audit_verify(); ROLLBACK");
};
is($forge->("UPDATE roost_data.audit_anchor SET hash = sha256('x')"), 'f|0', 'a changed anchor is found');
is($forge->("UPDATE roost_data.audit_anchor SET from_seq = 1, seq = seq + 1"), 'f|0', 'one that says more');
is($forge->("DELETE FROM roost_data.audit_anchor"), 'f|', 'and one that is missing');
$months->(4);
ok($purge->($partitions + 1), 'another month goes');
ok(sealed(), 'and is sealed');
is(sql('SELECT count(*), bool_and(from_seq <= seq) FROM roost_data.audit_anchor'), ($partitions + 1) . '|t', 'with an anchor of its own');
verified('the chain holds');
is($forge->("UPDATE roost_data.audit_anchor SET hash = sha256('x') WHERE from_seq = 1"), 'f|' . sql('SELECT min(seq) - max(seq) FROM roost_data.audit_anchor'), 'an older anchor that was changed is found');
like($forge->("DELETE FROM roost_data.audit_anchor WHERE from_seq > 1"), qr/^f\|[1-9]/, 'and a newer one that is missing');
sql('SELECT roost_internal.clock_freeze(NULL, true)');

# A standby has the chain, and goes on with it once it is promoted.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
sql(add('before'));
ok(sealed(), 'sealed by the primary');
Roost::replayed($node, $standby);
is($standby->safe_psql('roost', 'SELECT ok FROM roost.audit_verify()'), 't', 'the standby verifies the chain');
is($standby->safe_psql('roost', 'SELECT seq, hash FROM roost.audit_head()'), sql('SELECT seq, hash FROM roost.audit_head()'), 'it has the same head');
$hold = hold('worker_turn');
Roost::held($node);
sql(add('orphan'));
Roost::replayed($node, $standby);
$node->stop('immediate');
$standby->promote;
$node = $standby;
ok(sealed(), 'promoted, it seals what the primary did not');
is(count('orphan'), '1|0', 'once');
Roost::login($node, 'roost', 'bob');
ok(sealed(), 'and what comes');
verified('the chain holds');

# A head that was changed is noticed by the worker.
my $offset = -s $node->logfile;
sql("BEGIN; ALTER TABLE roost_data.audit_state DISABLE TRIGGER audit_state_guard; UPDATE roost_data.audit_state SET hash = sha256('x'); COMMIT");
ok($node->poll_query_until('roost', "SELECT roost.worker_sync('1 minute')") && $node->wait_for_log(qr/the head of the audit trail was changed/, $offset), 'a head that was changed is told in the log');
is(sql('SELECT ok FROM roost.audit_verify()'), 'f', 'and found');
$node->stop;
done_testing();
