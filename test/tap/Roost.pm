# Servers with roost for the TAP tests.

package Roost;
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use POSIX ();

our $password = 'correct horse battery staple';

# A psql that has no server may end before it has read its query, and the
# harness dies of that ("ack Broken pipe").  Here it is a lost connection.
{
	no warnings 'redefine';
	my $psql = \&PostgreSQL::Test::Cluster::psql;
	my $poll = \&PostgreSQL::Test::Cluster::poll_query_until;

	*PostgreSQL::Test::Cluster::psql = sub {
		my ($node, $database, $sql, %options) = @_;
		my @result = eval { $psql->(@_) };
		if ($@ =~ /Broken pipe/)
		{
			die "connection error: psql has ended before it has read '$sql'" if $options{on_error_die};
			@result = (2, '', 'psql has ended before it has read its query');
			${ $options{stdout} } = $result[1] if $options{stdout};
			${ $options{stderr} } = $result[2] if $options{stderr};
		}
		elsif ($@)
		{
			die $@;
		}
		return wantarray ? @result : $result[0];
	};

	*PostgreSQL::Test::Cluster::poll_query_until = sub {
		for my $try (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
		{
			my $result = eval { $poll->(@_) };
			return $result if $@ eq '';
			die $@ unless $@ =~ /Broken pipe/;
			select(undef, undef, undef, 0.1);
		}
		return 0;
	};
}

# A node that is ready to start; database => the one that owns the shared
# memory (default roost), further options go to init().
sub node
{
	my ($name, %options) = @_;
	my $database = delete $options{database} // 'roost';
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ], %options);
	configure($node, $database);
	return $node;
}

sub configure
{
	my ($node, $database) = @_;
	$node->append_conf('postgresql.conf', qq(
shared_preload_libraries = 'pg_cron,roost'
cron.database_name = '$database'
cron.use_background_workers = on
roost.database = '$database'
max_prepared_transactions = 10
max_worker_processes = 16
jit = off
));
	return;
}

# Makes a database with the extension and its tables.
sub install
{
	my ($node, $database) = @_;
	$database //= 'roost';
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, "SET client_min_messages = warning; CREATE EXTENSION roost CASCADE; SELECT roost.install()");
	return;
}

# Kills the server's first process and waits until the others have noticed.
sub kill_postmaster
{
	my ($node) = @_;
	my $pid = $node->{_pid};
	$node->kill9;
	for my $try (1 .. 600)
	{
		return if !kill(0, $pid);
		select(undef, undef, undef, 0.1);
	}
	die 'the server does not die';
}

# Kills the server's first process and starts the server again, once the others
# have noticed and left the shared memory.
sub crash
{
	my ($node) = @_;
	my $pid = $node->{_pid};
	$node->kill9;
	for my $try (1 .. 100)
	{
		return if !kill(0, $pid) && $node->start(fail_ok => 1);
		select(undef, undef, undef, 0.1);
	}
	die 'the server does not start after a crash';
}

my %gateways;

# Starts the gateway that is installed with a server; returns its process, port
# and log.
sub gateway_start
{
	my ($node, $name, @options) = @_;
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $gateway = {
		port => $port,
		log => $node->basedir . "/$name.log",
		command => [ $node->config_data('--bindir') . '/roost-gateway', '--port', $port, @options ]
	};
	gateway_run($gateway);
	return $gateway;
}

sub gateway_run
{
	my ($gateway) = @_;
	my $pid = fork() // die;
	if ($pid == 0)
	{
		open STDOUT, '>>', $gateway->{log} or die;
		open STDERR, '>&', \*STDOUT or die;
		exec @{ $gateway->{command} } or POSIX::_exit(1);
	}
	$gateways{$pid} = $$;
	$gateway->{pid} = $pid;
	return;
}

# Ends a gateway, kindly unless a signal is given, and returns how it has ended;
# gateway_run() starts it again.
sub gateway_stop
{
	my ($gateway, $signal) = @_;
	kill $signal // 'TERM', $gateway->{pid};
	waitpid($gateway->{pid}, 0);
	delete $gateways{ $gateway->{pid} };
	return $?;
}

END
{
	my $status = $?;
	kill 'KILL', grep { $gateways{$_} == $$ } keys %gateways;
	$? = $status;
}

# Registers an account and returns its id.
sub register
{
	my ($node, $database, $username) = @_;
	return $node->safe_psql($database,
		"SELECT ((roost.auth_register('$username', '$username\@example.org', '$password')).account).id");
}

# Logs in and returns an access token.
sub login
{
	my ($node, $database, $username) = @_;
	return $node->safe_psql($database, "SELECT (roost.auth_login('$username', '$password')).access_token");
}

# Posts a text and returns its id.
sub post
{
	my ($node, $database, $actor_id, $text) = @_;
	return $node->safe_psql($database, "SELECT (roost.post_create($actor_id, '$text')).id");
}

# The texts of an account's home timeline, newest first.
sub home
{
	my ($node, $database, $actor_id) = @_;
	return $node->safe_psql($database,
		"SELECT string_agg(text, ' ' ORDER BY id DESC) FROM roost.timeline_home($actor_id, 100)");
}

# Alice, Bob and Carol, who follow each other, post and like.  Returns their ids.
sub fill
{
	my ($node, $database) = @_;
	my %id = map { $_ => register($node, $database, $_) } qw(alice bob carol);
	$node->safe_psql($database, qq(
		SELECT roost.account_follow($id{alice}, '$id{bob}');
		SELECT roost.account_follow($id{bob}, '$id{alice}');
		SELECT roost.account_follow($id{carol}, '$id{alice}');
	));
	my $post = post($node, $database, $id{alice}, 'hello \@bob #first');
	post($node, $database, $id{bob}, 'Grüße aus Köln 🐦');
	$node->safe_psql($database, qq(
		SELECT roost.post_like($id{bob}, $post);
		SELECT roost.post_retweet($id{carol}, $post);
		SELECT roost.post_create($id{bob}, 'an answer', reply_to_id => $post);
		SELECT roost.post_create($id{carol}, 'for followers', visibility => 'followers');
	));
	return %id;
}

# What a server records about itself, and what its worker derives from other
# tables with the time of its own run, as soon as it starts: trends.  Hidden
# hashtags are people's own and stay in the comparison.
my @recorded = qw(maintenance feed_state trend_state trend_hashtag_use trend_hashtag_hour
	trend_post_use trend_hashtag trend_post);

# Every table of roost with a digest of its rows, one line each, but for what is
# recorded.
sub tables
{
	my ($node, $database) = @_;
	my $recorded = join(', ', map { "'$_'" } @recorded);
	my $names = $node->safe_psql($database, qq(
		SELECT format('%I.%I', n.nspname, c.relname)
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind = 'r' AND (n.nspname = 'roost_data' AND c.relname NOT IN ($recorded) OR n.nspname = 'roost_internal' AND c.relname = 'route')
		ORDER BY 1));
	return join("\n", map {
			$node->safe_psql($database, "SELECT '$_', count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text COLLATE \"C\")) FROM $_ t")
	} split(/\n/, $names));
}

# An error's text, when the statement must fail.
sub error
{
	my ($node, $database, $sql) = @_;
	my $stderr;
	$node->psql($database, $sql, stderr => \$stderr);
	return $stderr;
}

1;
