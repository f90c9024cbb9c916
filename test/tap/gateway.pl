# The gateway in front of a server, from start to stop: people register, follow,
# post, like and read over HTTP; the server restarts under it; it ends cleanly.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Roost;
use HTTP::Tiny;
use JSON::PP;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = Roost::node('main');
$node->start;
Roost::install($node);
$node->safe_psql('roost', q(
	CREATE ROLE roost_gateway LOGIN;
	SELECT roost.grant_gateway('roost_gateway');
));

my $port = PostgreSQL::Test::Cluster::get_free_port();
my $log = $node->basedir . '/gateway.log';
our $pid = fork() // die;
if ($pid == 0)
{
	open STDOUT, '>', $log or die;
	open STDERR, '>&', \*STDOUT or die;
	exec $node->config_data('--bindir') . '/roost-gateway', '--port', $port, '--database-url', $node->connstr('roost') . ' user=roost_gateway'
		or POSIX::_exit(1);
}
my $parent = $$;
END { kill 'KILL', $pid if $pid && $$ == $parent }

my $http = HTTP::Tiny->new(timeout => 60);

# Sends a request and returns status, headers and what the JSON says.
sub call
{
	my ($method, $path, $body, $token) = @_;
	my %options;
	$options{content} = encode_json($body) if defined $body;
	$options{headers}{'content-type'} = 'application/json' if defined $body;
	$options{headers}{authorization} = "Bearer $token" if defined $token;
	my $answer = $http->request($method, "http://127.0.0.1:$port$path", \%options);
	my $json = eval { decode_json($answer->{content}) };
	return ($answer->{status}, $answer->{headers}, $json);
}

# Asks for the health until it has a status.
sub wait_for_health
{
	my ($wanted) = @_;
	for my $try (1 .. 3600)
	{
		my ($status) = call('GET', '/health');
		return 1 if $status == $wanted;
		usleep(50_000);
	}
	return 0;
}

ok(wait_for_health(200), 'the gateway is up');
my ($status, $headers, $json);
my (%id, %token);
for my $name (qw(alice bob))
{
	($status, $headers, $json) = call('POST', '/api/v1/auth/register',
		{ username => $name, email => "$name\@example.org", password => $Roost::password });
	is($status, 201, "$name registers");
	($id{$name}, $token{$name}) = ($json->{account}{id}, $json->{access_token});
}
($status) = call('POST', "/api/v1/users/$id{bob}/follow", undef, $token{alice});
is($status, 200, 'alice follows bob');
($status, $headers, $json) = call('POST', '/api/v1/tweets', { text => 'hello from bob' }, $token{bob});
is($status, 201, 'bob posts');
my $post = $json->{id};
like($post, qr/^\d+$/, 'an id is a string of digits');
($status, $headers, $json) = call('POST', "/api/v1/tweets/$post/like", undef, $token{alice});
is($json->{like_count}, 1, 'alice likes it');
($status, $headers, $json) = call('GET', '/api/v1/tweets/home', undef, $token{alice});
is($json->{items}[0]{text}, 'hello from bob', "and reads it at the top of her timeline");
ok($json->{items}[0]{liked}, 'as one she likes');
ok($headers->{'ratelimit-remaining'}, 'the answer says what remains of the limit');

($status, $headers, $json) = call('GET', '/api/v1/tweets/home');
is($status, 401, 'a stranger has no home timeline');
like($headers->{'content-type'}, qr{^application/problem\+json}, 'errors are problems');
($status, $headers, $json) = call('POST', '/api/v1/tweets', { text => 'x', colour => 'red' }, $token{bob});
is_deeply([ $status, $json->{field} ], [ 422, 'colour' ], 'an unknown field is named');
($status, $headers, $json) = call('GET', '/openapi.json');
is($json->{openapi}, '3.1.0', 'the interface describes itself');

$node->stop('fast');
ok(wait_for_health(503), 'without a database it says so at once');
($status, $headers) = call('GET', "/api/v1/tweets/$post", undef, $token{alice});
is($status, 503, 'requests fail fast');
$node->start;
ok(wait_for_health(200), 'and it is back when the database is');
($status, $headers, $json) = call('GET', "/api/v1/tweets/$post", undef, $token{alice});
is($json->{text}, 'hello from bob', 'with everything');

kill 'TERM', $pid;
waitpid($pid, 0);
is($?, 0, 'it ends without an error');
$pid = 0;
my $text = slurp_file($log);
unlike($text, qr/\Q$Roost::password\E|\Q$token{alice}\E/, 'no secret is in its log');
unlike(slurp_file($node->logfile), qr/\Q$token{alice}\E/, 'nor in that of the server');

$node->stop;
done_testing();
