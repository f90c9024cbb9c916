# The gateway in front of a primary and its standby: reads go to the standby,
# but a client never misses what it has written; a standby that is behind, has
# conflicts, goes away or is promoted is no error for anybody.

use strict;
use warnings FATAL => 'all';
use File::Copy;
use FindBin;
use lib $FindBin::Bin;
use Roost;
use HTTP::Tiny;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $primary = Roost::node('primary', allows_streaming => 1);
$primary->append_conf('postgresql.conf', 'max_connections = 120');
$primary->start;
Roost::install($primary);
$primary->safe_psql('roost', q(
	CREATE ROLE roost_gateway LOGIN;
	SELECT roost.grant_gateway('roost_gateway');
	UPDATE roost_data.limit_policy SET enabled = false;

	-- who answers
	CREATE SCHEMA probe;
	GRANT USAGE ON SCHEMA probe TO public;
	CREATE FUNCTION probe.server() RETURNS jsonb LANGUAGE sql STABLE AS
		$$ SELECT jsonb_build_object('server', current_setting('cluster_name')) $$;
	SELECT roost.route_add('GET', '/server', 'probe.server', auth => 'optional', limit_class => 'none');
	SELECT roost.route_add('GET', '/slow-server', 'probe.server', auth => 'none', limit_class => 'none', lane => 'slow');
	-- what a standby may do to a query
	CREATE FUNCTION probe.conflict() RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
	BEGIN
		IF pg_is_in_recovery() THEN
			RAISE 'canceling statement due to conflict with recovery' USING ERRCODE = '40001';
		END IF;
		RETURN probe.server();
	END $$;
	SELECT roost.route_add('GET', '/conflict', 'probe.conflict', auth => 'none', limit_class => 'none');
	CREATE FUNCTION probe.wrong() RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
	BEGIN
		RAISE 'wrong' USING ERRCODE = '22023';
	END $$;
	SELECT roost.route_add('GET', '/wrong', 'probe.wrong', auth => 'none', limit_class => 'none');
	CREATE FUNCTION probe.note() RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
	BEGIN
		RETURN probe.server();
	END $$;
	SELECT roost.route_add('POST', '/note', 'probe.note', auth => 'none', limit_class => 'none');
));
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby, 'replay');

# A connection string for the gateway.
sub url
{
	my ($node) = @_;
	return $node->connstr('roost') . ' user=roost_gateway';
}

my $gateway = Roost::gateway_start($primary, 'gateway', '--database-url', url($primary),
	'--read-url', url($standby), '--read-max-lag', '10min', '--workers', '2');
my $http = HTTP::Tiny->new(timeout => 60, keep_alive => 0);

# Sends a request and returns status, what the JSON says and the headers.
sub call
{
	my ($to, $method, $path, $body, %headers) = @_;
	my %options = (headers => \%headers);
	$options{content} = encode_json($body) if defined $body;
	$headers{'content-type'} = 'application/json' if defined $body;
	my $answer = $http->request($method, "http://127.0.0.1:$to->{port}$path", \%options);
	return ($answer->{status}, scalar(eval { decode_json($answer->{content}) }), $answer->{headers}, $answer->{content});
}

# Who answers GET /server.
sub server
{
	my ($to, %headers) = @_;
	my ($status, $json) = call($to, 'GET', '/server', undef, %headers);
	return $json->{server} // "status $status";
}

# The sum of a metric over its labels.
sub metric
{
	my ($to, $name) = @_;
	my ($status, $json, $headers, $text) = call($to, 'GET', '/metrics');
	my $sum = 0;
	$sum += $1 while $text =~ /^$name(?:\{[^}]*\})? ([0-9.e+-]+)$/mg;
	return $sum;
}

# Asks until something holds.
sub wait_until
{
	my ($holds) = @_;
	for my $try (1 .. 1200)
	{
		return 1 if $holds->();
		usleep(50_000);
	}
	return 0;
}

# Until a standby has replayed all that a process has found at the primary when
# it started, that process reads from the primary; each connection learns by
# itself how far the standby is.
ok(wait_until(sub { metric($gateway, 'roost_gateway_standby_healthy') == 2 }), 'both processes find the standby healthy');
for my $path ('/server', '/slow-server')
{
	my $row = 0;
	ok(wait_until(sub { $row = ((call($gateway, 'GET', $path))[1]{server} // '') eq 'standby' ? $row + 1 : 0; $row >= 20 }),
		"reads of $path go to the standby once that has caught up");
}
is((call($gateway, 'POST', '/note', {}))[1]{server}, 'primary', 'a write goes to the primary');

# What is written is seen, whatever the standby has replayed.
my (%token, %id);
for my $name (qw(alice bob))
{
	my ($status, $json) = call($gateway, 'POST', '/auth/register',
		{ username => $name, email => "$name\@example.org", password => $Roost::password });
	is($status, 201, "$name registers");
	($token{$name}, $id{$name}) = ($json->{access_token}, $json->{account}{id});
	($status, $json) = call($gateway, 'GET', '/users/me', undef, authorization => "Bearer $token{$name}");
	is($json->{username}, $name, 'and reads with the new token at once');
}
my $misses = 0;
for my $i (1 .. 50)
{
	my ($status, $json) = call($gateway, 'POST', '/tweets', { text => "post $i" }, authorization => "Bearer $token{alice}");
	my $id = $json->{id} // '';
	my ($found) = call($gateway, 'GET', "/tweets/$id", undef, authorization => "Bearer $token{alice}");
	my ($home, $page) = call($gateway, 'GET', '/tweets/home', undef, authorization => "Bearer $token{alice}");
	$misses++ if $found != 200 || $page->{items}[0]{id} ne $id;
}
is($misses, 0, 'fifty posts are read back at once by their author');
ok(wait_until(sub { server($gateway, authorization => "Bearer $token{alice}") eq 'standby' }), 'who has been caught up with reads from the standby again');

# What happens in conversations is told on a standby as on the primary.
$primary->safe_psql('roost', "SELECT roost.message_create($id{alice}, recipient_id => '$id{bob}', text => 'to bob')");
Roost::sync($primary);
Roost::replayed($primary, $standby);
my $told = "SELECT r.event, r.told, r.data::jsonb #>> '{message,text}' FROM roost.stream_read(0, 1000, true) r WHERE r.event = 'message:received'";
like($primary->safe_psql('roost', $told), qr/^message:received\|[0-9]+ [0-9]+\|to bob$/, 'a message is told to both');
is($standby->safe_psql('roost', $told), $primary->safe_psql('roost', $told), 'on the standby it is the same');
is($standby->safe_psql('roost', "SELECT r.data::jsonb #>> '{message,text}' FROM roost.stream_position() p, LATERAL roost.stream_resume($id{bob}, p.epoch, p.first_seq - 1, '{messages}', 100) r WHERE r.event = 'message:received'"),
	'to bob', 'and who was away gets it there');

# The standby stands still: only those who must see more go to the primary.
$primary->wait_for_catchup($standby, 'replay');
$standby->safe_psql('roost', 'SELECT pg_wal_replay_pause()');
$standby->poll_query_until('roost', q(SELECT pg_get_wal_replay_pause_state() = 'paused')) or die 'not paused';
my ($status, $json, $headers) = call($gateway, 'POST', '/tweets', { text => 'unseen' }, authorization => "Bearer $token{alice}");
my $unseen = $json->{id};
my $position = $headers->{'roost-position'};
like($position, qr/^[0-9a-f]+-[0-9a-f]+$/, 'a write tells its position');
my @seen = map { (call($gateway, 'GET', "/tweets/$unseen", undef, authorization => "Bearer $token{alice}"))[0] } 1 .. 20;
is_deeply(\@seen, [ (200) x 20 ], 'its author sees the post in every process, while the standby stands still');
is(server($gateway, authorization => "Bearer $token{alice}"), 'primary', 'because the primary answers');
cmp_ok(metric($gateway, 'roost_gateway_standby_behind_total'), '>=', 20, 'which is counted');
ok(wait_until(sub { (call($gateway, 'GET', "/tweets/$unseen", undef, authorization => "Bearer $token{bob}"))[0] == 404 }), 'others read from the standby');
($status) = call($gateway, 'GET', "/tweets/$unseen", undef, authorization => "Bearer $token{bob}", 'roost-position' => $position);
is($status, 200, 'unless they send the position');
($status) = call($gateway, 'GET', "/tweets/$unseen", undef, cookie => "roost_access=$token{bob}; roost_position=$position");
is($status, 200, 'in a cookie, too');
($status) = call($gateway, 'GET', "/tweets/$unseen", undef, cookie => "roost_access=$token{alice}");
is($status, 200, 'a token is the same in a cookie');
ok(wait_until(sub { (call($gateway, 'GET', "/tweets/$unseen", undef, authorization => "Bearer $token{bob}", 'roost-position' => 'nonsense'))[0] == 404 }),
	'what is not a position is not looked at');
($status, $json, $headers) = call($gateway, 'POST', '/auth/login', { identifier => 'alice', password => $Roost::password }, 'x-roost-cookies' => '1');
is($status, 200, 'alice logs in with cookies');
my $cookies = ref $headers->{'set-cookie'} ? $headers->{'set-cookie'} : [ $headers->{'set-cookie'} ];
my %cookie = map { /^(\w+)=([^;]*)/ ? ($1 => $2) : () } @$cookies;
like($cookie{roost_position}, qr/^[0-9a-f]+-[0-9a-f]+$/, 'the position is one of them');
is(server($gateway, cookie => "roost_access=$cookie{roost_access}"), 'primary', 'and her new token counts as having written');

# A second gateway with less patience takes the standby for what it is.
my $strict = Roost::gateway_start($primary, 'strict', '--database-url', url($primary), '--read-url', url($standby), '--read-max-lag', '500ms');
ok(wait_until(sub { (call($strict, 'GET', '/health'))[0] == 200 }), 'a gateway with less patience starts');
is((call($strict, 'GET', "/tweets/$unseen", undef, authorization => "Bearer $token{bob}"))[0], 200, 'and does not read from a standby that is behind what was there when it started');
$standby->safe_psql('roost', 'SELECT pg_wal_replay_resume()');
ok(wait_until(sub { server($strict) eq 'standby' }), 'until that has caught up');
ok(wait_until(sub { metric($strict, 'roost_gateway_standby_lag_seconds') <= 0.5 }), 'which its lag says');
$standby->safe_psql('roost', 'SELECT pg_wal_replay_pause()');
$standby->poll_query_until('roost', q(SELECT pg_get_wal_replay_pause_state() = 'paused')) or die 'not paused';
$primary->safe_psql('roost', 'CREATE TABLE probe.something ()');
ok(wait_until(sub { server($strict) eq 'primary' }), 'one that falls behind is left again');
ok(wait_until(sub { metric($strict, 'roost_gateway_standby_healthy') == 0 }), 'which the metrics say');
$standby->safe_psql('roost', 'SELECT pg_wal_replay_resume()');
ok(wait_until(sub { server($strict) eq 'standby' }), 'and taken back');
is(Roost::gateway_stop($strict), 0, 'the gateway ends without an error');

# Errors that are the standby's alone are nobody's.
my ($asked, $elsewhere) = (0, 0);
ok(wait_until(sub { $asked++; $elsewhere++ if (call($gateway, 'GET', '/conflict'))[1]{server} ne 'primary'; metric($gateway, 'roost_gateway_standby_retried_total') > 0 }),
	'a conflict with recovery is counted');
is($elsewhere, 0, "and answered by the primary ($asked)");
my $retried = metric($gateway, 'roost_gateway_standby_retried_total');
is((call($gateway, 'GET', '/wrong'))[0], 422, 'other errors are answers');
is(metric($gateway, 'roost_gateway_standby_retried_total'), $retried, 'that are not asked for again');

# Every route that may run on a standby does, with the answer of the primary at
# the same moment: scores depend on it.
my $post = $primary->safe_psql('roost', 'SELECT max(id) FROM roost_data.post');
my $group = $primary->safe_psql('roost', "SELECT id FROM roost.conversation_create($id{bob}, 'group', '{$id{alice}}', 'those')");
my $secret = $primary->safe_psql('roost', "SELECT id FROM roost.conversation_create($id{bob}, 'group', '{$id{alice}}', encryption => 'e2ee')");
my $message = $primary->safe_psql('roost', "SELECT id FROM roost.message_create($id{bob}, conversation_id => $group, text => 'to alice')");
my $invite = $primary->safe_psql('roost', "SELECT code FROM roost.invite_create($id{bob}, $group)");
my $list = $primary->safe_psql('roost', "SELECT id FROM roost.list_create($id{bob}, 'a list')");
Roost::sync($primary);
my $still = Roost::hold_worker($primary);    # what it writes would come to the standby a moment later
Roost::replayed($primary, $standby);
my $config = decode_json($primary->safe_psql('roost', 'SELECT roost.gateway_config()'));
my @routes = grep { $_->{standby} && $_->{path} !~ m{^(/api/v1)?/(server|slow-server|conflict|wrong|health)$} } @{ $config->{routes} };
my $openapi = decode_json($primary->safe_psql('roost', 'SELECT roost.openapi()'));
my @refused;
cmp_ok(scalar @routes, '>', 20, 'there are many routes for standbys');
for my $route (@routes)
{
	my $path = $route->{path};
	$path =~ s/:account_id/$id{alice}/g;
	$path =~ s{/encryption/conversations/:conversation_id}{/encryption/conversations/$secret};
	$path =~ s/:conversation_id/$group/g;
	$path =~ s/:message_id/$message/g;
	$path =~ s/:code/$invite/g;
	$path =~ s/:list_id/$list/g;
	$path =~ s/:[a-z_]*id\b/$post/g;
	$path =~ s/:[a-z_]+/alice/g;
	my $operation = $openapi->{paths}{ $route->{path} =~ s/:([a-z0-9_]+)/{$1}/gr }{get};
	my $query = join '&', map { "$_->{name}=" . ($_->{name} =~ /id/ ? $id{alice} : $_->{name} eq 'url' ? "http://localhost:8080/\@alice" : 'alice') }
		grep { ($_->{in} // '') eq 'query' && $_->{required} } @{ $operation->{parameters} };
	my $now = time;
	my $sql = qq(DO 'BEGIN PERFORM roost_internal.clock_freeze(to_timestamp($now)); END'; SELECT regexp_replace(roost.handle('GET', '$path', '$query', 'authorization: Bearer $token{bob}', NULL, '127.0.0.1'), 'RateLimit[^\\n]*\\n|"exported_at": "[^"]*"', '', 'gn'));
	my @answers = map {
		my ($out, $err) = ('', '');
		$_->psql('roost', $sql, stdout => \$out, stderr => \$err);
		"$out$err" } ($primary, $standby);
	is($answers[1], $answers[0], "GET $route->{path} answers alike on a standby");
	push @refused, "$route->{path}: " . $answers[0] =~ s/.*ERROR: +([^\n]*).*/$1/sr if $answers[0] !~ /^2/;
}
# (bob has no permissions, no decision is about him, and /users wants one of two parameters)
is(join("\n", sort grep { !m{^/admin/} } @refused), "/moderation/decisions/:decision_id: the decision does not exist\n/users: no account is asked for",
	'and all but two have one');

$still->quit;

# Statistics of both servers are among the metrics.
my $metrics = '';
# (what a server does not say in time is left out)
wait_until(sub { $metrics = (call($gateway, 'GET', '/metrics'))[3]; $metrics =~ /^roost_standby\{server="primary"\} 0$/m && $metrics =~ /^roost_standby\{server="\S+:\d+"\} 1$/m });
like($metrics, qr/^roost_standby\{server="primary"\} 0$/m, 'the primary says what it is');
like($metrics, qr/^roost_standby\{server="\S+:\d+"\} 1$/m, 'and so does the standby');
like($metrics, qr/^roost_worker_events_total\{server="primary",kind="post_created"\} \d+$/m, 'events are counted by kind');
like($metrics, qr/^roost_timeline_hits_total\{server="primary",kind="inbox"\} \d+$/m, 'and so are hits of the memory of timelines');
SKIP:
{
	my ($promtool) = grep { -x } map { "$_/promtool" } split /:/, $ENV{PATH};
	skip 'promtool is not installed (package prometheus)', 1 if !defined $promtool;
	my ($out, $err);
	my $valid = IPC::Run::run([ $promtool, 'check', 'metrics' ], '<', \$metrics, '>', \$out, '2>', \$err);
	ok($valid, 'Prometheus finds nothing wrong with them') or diag("$out$err");
}

# The standby goes and comes back.
my @statuses = map { (call($gateway, 'GET', '/server'))[0] } 1 .. 5;
$standby->stop('immediate');
push @statuses, map { (call($gateway, 'GET', '/server'))[0] } 1 .. 50;
is(server($gateway), 'primary', 'without the standby the primary answers');
$standby->start;
ok(wait_until(sub { push @statuses, (call($gateway, 'GET', '/server'))[0]; server($gateway) eq 'standby' }), 'the standby is used again when it is back');
is_deeply([ grep { $_ != 200 } @statuses ], [], 'nobody has seen an error meanwhile');

# The primary goes: reads go on, and the standby takes over.
my $both = Roost::gateway_start($primary, 'both',
	'--database-url', 'host=' . join(',', map { $_->host } $primary, $standby) . ' port=' . join(',', map { $_->port } $primary, $standby)
		. ' dbname=roost user=roost_gateway target_session_attrs=read-write',
	'--read-url', url($standby), '--read-url', url($primary), '--read-max-lag', '10min');
ok(wait_until(sub { server($both) eq 'standby' }), 'a gateway that knows both servers uses the standby');
ok(wait_until(sub { metric($both, 'roost_gateway_standby_healthy') == 1 }), 'and not the primary as a standby');
ok(wait_until(sub { server($gateway, authorization => "Bearer $token{alice}") eq 'standby' }), 'everything has arrived');
Roost::replayed($primary, $standby);
$primary->stop('immediate');
@statuses = map { (call($both, 'GET', '/server'))[0] } 1 .. 20;
is_deeply([ grep { $_ != 200 } @statuses ], [], 'reads go on without the primary');
is((call($both, 'POST', '/note', {}))[0], 503, 'writes do not');
ok(wait_until(sub { ((call($both, 'GET', '/health'))[1]{database} // '') eq 'unavailable' }), 'the gateway notices');
my $says = '';
wait_until(sub { ($status, $json) = call($both, 'GET', '/health'); ($says = "$status $json->{status} $json->{gateway}{standbys_healthy}") eq '200 degraded 1' });
is($says, '200 degraded 1', 'and says that it is degraded');
$metrics = (call($both, 'GET', '/metrics'))[3];
like($metrics, qr/^roost_gateway_clients /m, 'metrics are there without the primary');
unlike($metrics, qr/server="primary"/, 'only not its own');
$standby->promote;
ok(wait_until(sub { ((call($both, 'POST', '/note', {}))[1]{server} // '') eq 'standby' }), 'writes go to the new primary');
ok(wait_until(sub { metric($both, 'roost_gateway_standby_healthy') == 0 }), 'it is not taken for a standby any more');
ok(wait_until(sub { server($both) eq 'standby' }), 'and reads go there, too, as soon as their connections are made');
($status, $json) = call($both, 'POST', '/tweets', { text => 'after' }, authorization => "Bearer $token{alice}");
is($status, 201, 'posts are taken');
is((call($both, 'GET', "/tweets/$json->{id}", undef, authorization => "Bearer $token{alice}"))[0], 200, 'and read');
($status, my $written) = call($both, 'POST', '/messages', { conversation_id => $group, text => 'after the promotion' }, authorization => "Bearer $token{alice}");
is($status, 201, 'messages, too');
cmp_ok($written->{id}, '>', $message, 'with greater ids');
is((call($both, 'GET', "/messages/$written->{id}", undef, authorization => "Bearer $token{bob}"))[1]{text}, 'after the promotion', 'and are there for others');
Roost::sync($standby);
is((split /\n/, $standby->safe_psql('roost', $told))[-1] =~ s/.*\|//r, 'after the promotion', 'who are told');
is($standby->safe_psql('roost', 'SELECT count(*) FROM roost_internal.feed_check()'), 0, 'the log says what the tables say');

# The old primary comes back as a standby of the new one.  (What it had written
# at the last moment, and the standby has not got, must go.)
my $settings = $primary->data_dir . '/postgresql.conf';
my $kept = $primary->basedir . '/postgresql.conf';
copy($settings, $kept) or die "$settings: $!";
$standby->safe_psql('postgres', 'CHECKPOINT');    # it tells the new timeline
command_ok([ $primary->config_data('--bindir') . '/pg_rewind', '--no-sync', '--target-pgdata', $primary->data_dir, '--source-server', $standby->connstr('postgres') ],
	'the old primary is rewound');
copy($kept, $settings) or die "$settings: $!";
$primary->append_conf('postgresql.conf', "primary_conninfo = '" . $standby->connstr . "'");
$primary->set_standby_mode;
$primary->start;
ok(wait_until(sub { server($both) eq 'primary' }), 'the old primary serves reads as a standby of the new one');
is((call($both, 'POST', '/note', {}))[1]{server}, 'standby', 'writes stay where they are');
is((call($both, 'GET', "/tweets/$json->{id}", undef, authorization => "Bearer $token{alice}"))[0], 200, 'and nothing is missing');

is(Roost::gateway_stop($both), 0, 'the gateway ends without an error');
is(Roost::gateway_stop($gateway), 0, 'and so does the first');
for my $to ($gateway, $both)
{
	unlike(slurp_file($to->{log}), qr/\Q$token{alice}\E|\Q$Roost::password\E/, 'no secret is in its log');
}

$_->stop('fast') for $primary, $standby;
done_testing();
