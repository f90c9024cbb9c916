# Revocations and failed logins outlive a restart, a crash and a promotion; a
# standby refuses what its primary has revoked.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Roost;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Roost::node('main', allows_streaming => 1);
$node->append_conf('postgresql.conf', q(
restart_after_crash = on
roost.lockout_delay = '1h' # longer than the test
));
$node->start;
Roost::install($node);

sub make { return $node->safe_psql('roost', "SELECT roost_internal.token_make($_[0], $_[1], NULL)") }

sub verdict
{
	my ($server, $token) = @_;
	my ($stdout, $stderr);
	$server->psql('roost', "SELECT roost.token_account('$token')", stdout => \$stdout, stderr => \$stderr);
	return $stderr =~ /not accepted: (.*)/ ? $1 : $stdout;
}

sub fail_login
{
	my ($key, $times) = @_;
	$node->safe_psql('roost', "SELECT roost_internal.login_failed($key, '203.0.113.9') FROM generate_series(1, $times)");
	return;
}
sub failures { return $node->safe_psql('roost', "SELECT failures FROM roost.stat_lockout WHERE account_id = $_[0]") }

my ($good, $ended, $of_blocked) = (make(1, 2), make(1, 3), make(4, 5));
$node->safe_psql('roost', 'INSERT INTO roost_data.revocation (id) VALUES (3), (4)');
fail_login(7, 6);
# of one that fails, too
$node->psql('roost', "BEGIN; SELECT roost_internal.login_failed(8, NULL); SELECT 1 / 0; COMMIT");
Roost::sync($node);

sub check
{
	my ($server, $how) = @_;
	is(verdict($server, $good), 1, "$how: a good token holds");
	is(verdict($server, $ended), 'it has been revoked', "$how: a revoked session stays revoked");
	is(verdict($server, $of_blocked), 'it has been revoked', "$how: so does an account");
	return;
}

sub check_failures
{
	my ($how) = @_;
	is(failures(7), 6, "$how: failures are remembered");
	is(failures(8), 1, "$how: also that of a transaction that failed");
	is($node->safe_psql('roost', "SELECT roost_internal.login_locked(7, NULL) > 0, roost_internal.login_locked(8, NULL) IS NULL, roost_internal.login_locked(NULL, '203.0.113.9') IS NULL"),
		't|t|t', "$how: and so is who is locked");
	return;
}

check($node, 'before');
check_failures('before');
$node->restart;
check($node, 'restart');
check_failures('restart');
$node->stop('immediate');
$node->start;
check($node, 'immediate stop');
check_failures('immediate stop');
Roost::crash($node);
check_failures('killed server');
check($node, 'killed server');

# a failure right before an ordinary stop
fail_login(7, 1);
Roost::sync($node);
$node->restart;
is(failures(7), 7, 'failures go on after a restart');
$node->safe_psql('roost', "SELECT roost_internal.login_succeeded(7); SELECT roost.worker_sync('1 minute')");
$node->stop('immediate');
$node->start;
is(failures(7), '', 'what was forgotten stays forgotten');

# a prepared transaction that ends after a crash
my $late = make(1, 6);
$node->safe_psql('roost', "BEGIN; INSERT INTO roost_data.revocation (id) VALUES (6); PREPARE TRANSACTION 'late'");
Roost::crash($node);
is(verdict($node, $late), 1, 'a prepared revocation has no effect yet');
$node->safe_psql('roost', "COMMIT PREPARED 'late'");
is(verdict($node, $late), 'it has been revoked', 'and has it when it is committed');

# a standby
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
check($standby, 'standby');
my $there = make(1, 9);
is(verdict($standby, $there), 1, 'a standby accepts a new token');
$node->safe_psql('roost', 'INSERT INTO roost_data.revocation (id) VALUES (9)');
$node->safe_psql('roost', "SELECT roost.key_rotate('EdDSA')");
my $signed = make(1, 10);
$node->wait_for_catchup($standby);
is(verdict($standby, $there), 'it has been revoked', 'and refuses it after its primary revoked it');
is(verdict($standby, $signed), 1, 'and accepts one of a new key');
$node->stop;
$standby->promote;
check($standby, 'promoted');
is(verdict($standby, $there), 'it has been revoked', 'promoted: what came through replication holds');
$standby->safe_psql('roost', 'INSERT INTO roost_data.revocation (id) VALUES (10)');
is(verdict($standby, $signed), 'it has been revoked', 'promoted: it revokes');

# another database of the same server has neither memory nor revocations of this one
Roost::install($standby, 'other');
my $other = $standby->safe_psql('other', 'SELECT roost_internal.token_make(1, 2, NULL)');
is($standby->safe_psql('other', "SELECT roost.token_account('$other')"), 1, 'another database has keys of its own');
like(Roost::error($standby, 'roost', "SELECT roost.token_account('$other')"), qr/its key is not known/, 'which are not known elsewhere');
$standby->safe_psql('other', 'INSERT INTO roost_data.revocation (id) VALUES (2)');
like(Roost::error($standby, 'other', "SELECT roost.token_account('$other')"), qr/revoked/, 'it revokes through its table');
is(verdict($standby, $good), 1, 'and for itself only');
$standby->safe_psql('other', 'SELECT roost_internal.login_failed(7, NULL) FROM generate_series(1, 5)');
is($standby->safe_psql('other', 'SELECT roost_internal.login_locked(7, NULL) > 0'), 't', 'it locks after failed logins');
is($standby->safe_psql('roost', 'SELECT roost_internal.login_locked(7, NULL) IS NULL'), 't', 'again for itself only');

$standby->stop;
done_testing();
