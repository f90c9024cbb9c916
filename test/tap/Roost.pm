# Servers with roost for the TAP tests.

package Roost;
use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use POSIX ();

our $password = 'correct horse battery staple';

# A server that shares its processor with others may need longer than the minute
# that pg_ctl waits by itself.
$ENV{PGCTLTIMEOUT} //= 300;

# The gateways of other suites, which may run at the same moment, take ports below.
INIT { $PostgreSQL::Test::Cluster::last_port_assigned = 30000 + int(rand(2500)) }

# A psql that has no server may end before it has read its query, and the
# harness dies of that ("ack Broken pipe").  Here it is a lost connection.
{
	no warnings 'redefine';
	my $psql = \&PostgreSQL::Test::Cluster::psql;
	my $poll = \&PostgreSQL::Test::Cluster::poll_query_until;
	my $background = \&PostgreSQL::Test::Cluster::background_psql;

	# Its time limit is that of the whole session, and some sessions last as long as their test.
	*PostgreSQL::Test::Cluster::background_psql = sub {
		my ($node, $database, %options) = @_;
		return $background->($node, $database, timeout => 3600, %options);
	};

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
max_connections = 60 # (sessions that have ended count until their processes have)
shared_buffers = 16MB
wal_keep_size = 512MB # for standbys that begin with an old backup
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

# Waits until the worker has processed all that is committed.
sub sync
{
	my ($node, $database) = @_;
	$node->poll_query_until($database // 'roost', "SELECT roost.worker_sync('1 minute')") or die 'the worker does not come along';
	return;
}

# Waits until the worker stands at a debug point.
sub held
{
	my ($node) = @_;
	$node->poll_query_until('roost',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'roost worker' AND wait_event_type = 'Lock' AND wait_event = 'advisory'")
		or die 'the worker does not come to the debug point';
	return;
}

# Lets the worker stand still until the returned session ends.
sub hold_worker
{
	my ($node) = @_;
	my $session = $node->background_psql('roost');
	$session->query_safe("SELECT roost_internal.debug_point_arm('worker_turn')");
	held($node);
	return $session;
}

# Waits until a standby has replayed all that is visible at its primary, also
# what was committed there without waiting for the disk.
sub replayed
{
	my ($primary, $standby) = @_;
	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
	return;
}

# Drops a database with all its sessions.  (DROP DATABASE waits five seconds for
# them to end.)
sub drop_database
{
	my ($node, $database) = @_;
	my $stderr;
	for my $try (1 .. 30)
	{
		return if $node->psql('postgres', "DROP DATABASE $database WITH (FORCE)", stderr => \$stderr) == 0;
		last if $stderr !~ /is being accessed by other users/;
	}
	die "the database is not dropped: $stderr";
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
	for my $try (1 .. 600)
	{
		return if !kill(0, $pid) && $node->start(fail_ok => 1);
		select(undef, undef, undef, 0.1);
	}
	die 'the server does not start after a crash';
}

# Kills another process of the server and waits until the server, which ends all
# others then and begins anew, has done so: it may notice some time later.
sub kill_process
{
	my ($node, $pid) = @_;
	kill 'KILL', $pid;
	$node->poll_query_until('postgres', "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $pid)") or die 'the server does not come back';
	return;
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

# Conversations of Alice, Bob and Carol in all their states: direct and encrypted
# ones, a group with invitations and somebody who was removed, markers, reactions,
# friends, and keys.  Returns the ids of the conversations.
sub fill_chat
{
	my ($node, $database, %id) = @_;
	my $ids = $node->safe_psql($database, qq(
		SET roost.limit_enabled = off;
		SET client_min_messages = warning;
		CREATE TEMPORARY TABLE made (name text, id bigint);
		DO \$\$
		DECLARE
			alice constant bigint := $id{alice};
			bob constant bigint := $id{bob};
			carol constant bigint := $id{carol};
			c_key constant bytea := decode(repeat('05', 33), 'hex');
			c_signature constant bytea := decode(repeat('06', 64), 'hex');
			c_kyber constant bytea := decode(repeat('08', 1569), 'hex');
			pair bigint;
			crew bigint;
			secret bigint;
			m bigint[];
			code text;
			account bigint;
			device bigint;
		BEGIN
			PERFORM roost.friend_request_accept(bob, (roost.friend_request_create(alice, bob::text)).id);
			PERFORM roost.friend_request_create(carol, bob::text);
			pair := (roost.message_create(alice, recipient_id => bob::text, text => 'Guten Tag, 朋友', client_id => 'first')).conversation_id;
			FOR i IN 1 .. 9 LOOP
				m := m || (SELECT c.id::bigint FROM roost.message_create(CASE WHEN i % 2 = 0 THEN alice ELSE bob END, conversation_id => pair, text => 'message ' || i) c);
			END LOOP;
			PERFORM roost.message_update(bob, m[1], text => 'message one'), roost.message_delete(alice, m[2], "for" => 'everyone'), roost.message_delete(alice, m[3]);
			PERFORM roost.message_react(alice, m[5], '👍'), roost.message_react(bob, m[5], '👍'), roost.message_react(bob, m[4], '🙂');
			PERFORM roost.message_delivered(bob, m[8]), roost.message_read(bob, m[6]), roost.message_create(bob, conversation_id => pair, text => 'about that', reply_to_id => m[4]);
			PERFORM roost.conversation_settings(bob, pair, muted => true, pinned => true), roost.chat_settings_set(alice, false);
			crew := (roost.conversation_create(alice, 'group', ARRAY[bob::text, carol::text], 'Crew', 'A group', expire_after => 86400)).id;
			code := (roost.invite_create(alice, crew, 3600, 5)).code;
			PERFORM roost.invite_revoke(alice, crew, (roost.invite_create(alice, crew)).code);
			PERFORM roost.message_create(carol, conversation_id => crew, text => 'disappears tomorrow'), roost.conversation_member_update(alice, crew, bob::text, 'admin');
			PERFORM roost.message_forward(bob, m[5], conversation_id => crew);
			PERFORM roost.conversation_member_remove(bob, crew, carol::text), roost.conversation_settings(bob, crew, archived => true);
			FOREACH account IN ARRAY ARRAY[alice, carol] LOOP
				device := roost_internal.id_next(account);
				INSERT INTO roost_data.device (id, account_id) VALUES (device, account);
				INSERT INTO roost_data.key_device (account_id, number, device_id, registration_id, identity_key, signed_prekey_id, signed_prekey, signed_prekey_signature, kyber_prekey_id, kyber_prekey, kyber_prekey_signature)
				VALUES (account, 1, device, 7, c_key, 1, c_key, c_signature, 1, c_kyber, c_signature);
				INSERT INTO roost_data.key_prekey (account_id, number, id, is_kyber, key, signature)
				SELECT account, 1, n, k, CASE WHEN k THEN c_kyber ELSE c_key END, CASE WHEN k THEN c_signature END FROM generate_series(1, 20) n, unnest('{t,f}'::boolean[]) k;
				INSERT INTO made VALUES (CASE account WHEN alice THEN 'alice_device' ELSE 'carol_device' END, device);
			END LOOP;
			device := (SELECT d.id FROM made d WHERE name = 'alice_device');
			secret := (roost.conversation_create(alice, 'group', ARRAY[carol::text], 'Secret', encryption => 'e2ee')).id;
			FOR i IN 1 .. 3 LOOP
				PERFORM roost.message_create(alice, conversation_id => secret, device_id => device, envelopes => ARRAY[(carol, 1, 7, 2, encode(sha256(i::text::bytea), 'base64'))::roost.envelope_input]);
			END LOOP;
			PERFORM roost.message_create(alice, conversation_id => secret, device_id => device, content => 'QUJDREVG', devices_version => (SELECT v.devices_version FROM roost.key_conversation_devices(alice, secret) v));
			PERFORM roost.key_bundle_fetch(carol, alice::text);
			INSERT INTO made VALUES ('pair', pair), ('crew', crew), ('secret', secret);
		END
		\$\$;
		SELECT name || '=' || id FROM made));
	return map { split /=/ } split /\n/, $ids;
}

# Everything that the three see of conversations, friends and keys.
sub chat_view
{
	my ($node, $database, $id, $chat) = @_;
	my $queries = join(";\n", map { my $account = $_; (
			"SELECT * FROM roost.conversation_list($account, 100)",
			"SELECT * FROM roost.conversation_list($account, 100, archived => true)",
			"SELECT * FROM roost.conversation_unread($account)",
			"SELECT m.* FROM roost_data.conversation_member c, LATERAL roost.message_list($account, c.conversation_id, 100) m WHERE c.account_id = $account ORDER BY m.id",
			"SELECT * FROM roost.friend_list($account, 100)",
			"SELECT * FROM roost.friend_request_list($account, NULL, 100)",
			"SELECT * FROM roost.key_device_list($account)",
			"SELECT roost.chat_settings_get($account)",
			"SELECT roost_internal.chat_export($account), roost_internal.friend_export($account), roost_internal.key_export($account)"
		) } @{$id}{qw(alice bob carol)});
	return $node->safe_psql($database, "$queries;
		SELECT * FROM roost.envelope_list($id->{carol}, $chat->{carol_device}, 100);
		SELECT * FROM roost.invite_list($id->{alice}, $chat->{crew}, 100);
		SELECT * FROM roost.key_conversation_devices($id->{alice}, $chat->{secret})");
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
