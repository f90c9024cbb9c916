# What of a request reaches the server log: no parameters, no errors of clients,
# but the faults of the server.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Roost;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Roost::node('main');
$node->append_conf('postgresql.conf', q(
log_statement = 'all'
log_min_duration_statement = 0
log_parameter_max_length = -1
log_parameter_max_length_on_error = -1
log_min_error_statement = error
autovacuum = off # (its errors are logged, too)
));
$node->start;
Roost::install($node);
Roost::register($node, 'roost', 'alice');
$node->safe_psql('roost', q(
	CREATE SCHEMA app;
	CREATE FUNCTION app.fail(secret text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'out of order' USING ERRCODE = 'XX000'; END $$;
	SELECT roost.route_add('POST', '/fail', 'app.fail', auth => 'none')));

# A prepared statement with parameters, as the gateway sends it.
sub statement
{
	my ($sql, %parameters) = @_;
	my $script = $node->basedir . '/request.sql';
	open my $out, '>', $script or die;
	print $out "$sql;\n";
	close $out;
	my $offset = -s $node->logfile;
	my ($stdout, $stderr) = run_command([
		'pgbench', '-n', '-M', 'prepared', '-t', '1', '-f', $script,
		(map { ('-D', "$_=$parameters{$_}") } keys %parameters), '-h', $node->host, '-p', $node->port, 'roost' ]);
	return ($stderr, substr(slurp_file($node->logfile), $offset));
}

sub request
{
	my ($path, $body) = @_;
	return statement("SELECT roost.handle('POST', :path, '', 'content-type: application/json', :body, '192.0.2.1')", path => $path, body => $body);
}

my ($error, $log) = request('/auth/login', qq({"identifier":"alice","password":"$Roost::password"}));
unlike($error, qr/ERROR/, 'a login succeeds');
like($log, qr/roost\.handle/, 'its statement is logged');
like($log, qr/Parameters are not logged/, 'and says that its parameters are not');
unlike($log, qr/\Q$Roost::password\E/, 'no password');

($error, $log) = request('/auth/login', '{"identifier":"alice","password":"s3cret-and-wrong"}');
like($error, qr/ERROR/, 'a login with a wrong password fails');
unlike($log, qr/s3cret|ERROR/, 'but not in the log');

($error, $log) = request('/auth/login', '{"identifier":"alice","password":"s3cret');
like($error, qr/ERROR:  the body is not valid JSON/, 'a malformed body is an error');
unlike($log, qr/s3cret|ERROR/, 'but not in the log');

($error, $log) = request('/nowhere', '{"password":"s3cret"}');
like($error, qr/ERROR:  no such route/, 'an unknown route is an error');
unlike($log, qr/s3cret|ERROR/, 'but not in the log');

($error, $log) = request('/fail', "{\"secret\":\"s3cret \xff\"}");
like($error, qr/ERROR:  invalid byte sequence/, 'a body that is not UTF-8 is an error');
unlike($log, qr/s3cret|ERROR/, 'but not in the log');

($error, $log) = request('/fail', '{"secret":"s3cret"}');
like($error, qr/ERROR:  out of order/, 'a fault of the server is an error');
like($log, qr/ERROR:  out of order/, 'in the log, too');
unlike($log, qr/s3cret/, 'without what was sent');

# Opening a stream is the same: its token is a parameter.
my $token = $node->safe_psql('roost', "SELECT roost_internal.token_make(a.id, 1, NULL) FROM roost_data.account a WHERE a.username = 'alice'");
($error, $log) = statement("SELECT * FROM roost.stream_open(:token, '192.0.2.1')", token => $token);
unlike($error, qr/ERROR/, 'a stream is opened');
like($log, qr/roost\.stream_open/, 'its statement is logged');
unlike($log, qr/\Q$token\E/, 'without the token');
($error, $log) = statement("SELECT * FROM roost.stream_open(:token, '192.0.2.1')", token => "${token}x");
like($error, qr/ERROR:  the access token is not valid/, 'a token that is not good is an error');
unlike($log, qr/\Q$token\E|ERROR/, 'but not in the log');

# So are signals of sockets: what is said of a call is for who is called.
my $signal = "SELECT roost.live_call_send(id, 0, :event, :channel, :data, NULL) FROM roost_data.account WHERE username = 'alice'";
my $conversation = $node->safe_psql('roost', "SELECT (roost.conversation_create(id, 'group')).id FROM roost_data.account WHERE username = 'alice'");
($error, $log) = statement($signal, event => 'call:offer', channel => "conversation:$conversation", data => '{"sdp":"s3cret"}');
unlike($error, qr/ERROR/, 'a signal of a call is passed on');
like($log, qr/roost\.live_call_send/, 'its statement is logged');
unlike($log, qr/s3cret/, 'without what it says');
($error, $log) = statement($signal, event => 'call:offer', channel => "conversation:$conversation", data => '{"sdp":"s3cret \u0000"}');
like($error, qr/ERROR:  unsupported Unicode escape/, 'what cannot be passed on is an error');
unlike($log, qr/s3cret|ERROR/, 'but not in the log');
($error, $log) = statement($signal, event => 'call:offer', channel => 'conversation:1', data => '{"sdp":"s3cret"}');
like($error, qr/ERROR:  the conversation does not exist/, 'as is another conversation');
unlike($log, qr/s3cret|ERROR/, 'but not in the log');
($error, $log) = statement('SELECT roost.live_signal(1, :event, :channel)', event => 'typing:start', channel => 's3cret');
like($error, qr/ERROR/, 'and a channel that does not exist');
unlike($log, qr/s3cret|ERROR/, 'but not in the log');

$node->stop;
done_testing();
