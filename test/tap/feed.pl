# The log of events and the mailboxes: while sessions write, backends, the worker
# and the server's first process are killed again and again; after each restart
# they are what the tables say, and nobody was told of anything that is gone.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Roost;
use Walk;
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Roost::node('main', allows_streaming => 1);
$node->append_conf('postgresql.conf', "restart_after_crash = on\nsynchronous_commit = on\nfsync = on\nroost.event_retention = 7d\n");
$node->start;
Walk::install($node);
$node->safe_psql('roost', slurp_file("$FindBin::Bin/feed.sql"));

# Waits for the worker and compares.
sub check
{
	my ($where, $what) = @_;
	# psql that ends before it has read its input would end the test
	select(undef, undef, undef, 0.1) until IPC::Run::run([ 'pg_isready', '-q', '-h', $where->host, '-p', $where->port ]);
	$where->poll_query_until('roost', "SELECT state = 'running' FROM roost.stat_worker") or die 'no worker';
	$where->poll_query_until('roost', 'SELECT roost.worker_sync()') or die 'the worker does not work';
	is($where->safe_psql('roost', 'SELECT * FROM roost_internal.feed_check() LIMIT 5'), '', "$what: log and mailboxes are what the tables say");
	return;
}

# Sessions that write; each makes so many transactions.
my %scripts = (
	'act@8' => "SELECT feed_test.act(:seed);",
	'walk@3' => "SELECT walk.step(:seed);",
	'savepoint@2' => "BEGIN;\nSELECT feed_test.act(:seed);\nSAVEPOINT s;\nSELECT feed_test.act();\nROLLBACK TO s;\nSELECT feed_test.act();\nCOMMIT;",
	'rollback@1' => "BEGIN;\nSELECT feed_test.act(:seed);\nROLLBACK;",
	'prepared@1' => "BEGIN;\nSELECT feed_test.act(:seed);\nPREPARE TRANSACTION 'feed_:client_id';\nCOMMIT PREPARED 'feed_:client_id';",
);
sub writers
{
	my ($seed, $clients, $transactions) = @_;
	my @files;
	for my $name (sort keys %scripts)
	{
		my ($base, $weight) = split /\@/, $name;
		my $file = $node->basedir . "/$base.sql";
		unlink $file;
		append_to_file($file, "\\set seed random(0, 1000000)\n$scripts{$name}\n");
		push @files, '-f', "$file\@$weight";
	}
	my %writers = (out => '', err => '');
	my $harness = IPC::Run::start(
		[ 'pgbench', '-n', '-c', $clients, '-j', 2, '-t', $transactions, "--random-seed=$seed", @files,
			'-h', $node->host, '-p', $node->port, 'roost' ],
		'>', \$writers{out}, '2>', \$writers{err});
	$harness->{walk} = \%writers;
	return $harness;
}

# Rolls back what a session had prepared when it was ended.
sub forget_prepared
{
	$node->safe_psql('roost', "ROLLBACK PREPARED '$_'") for split /\n/, $node->safe_psql('roost', 'SELECT gid FROM pg_prepared_xacts');
	return;
}

# A session that listens.
my %heard;
sub listener
{
	%heard = (in => '', out => '', err => '');
	my $harness = IPC::Run::start(
		[ 'psql', '-X', '-q', '-A', '-t', '-h', $node->host, '-p', $node->port, '-d', 'roost' ],
		'<', \$heard{in}, '>', \$heard{out}, '2>', \$heard{err});
	$heard{in} .= "LISTEN roost_feed;\nSELECT 'listens';\n";
	$harness->pump until $heard{out} =~ /listens/;
	return $harness;
}

# The notifications of a session that listened, as far as it lived, or up to a row.
sub notifications
{
	my ($harness, $last) = @_;
	# (the worker notifies some time after it has logged)
	for my $try (1 .. (defined $last ? 600 : 0))
	{
		last if $heard{out} =~ /"to" ?: ?$last\b/;
		$heard{in} .= "SELECT pg_sleep(0.1);\n";
		$harness->pump until $heard{in} eq '';
	}
	$heard{in} .= "SELECT 1;\n\\q\n";
	$harness->finish;
	return map { decode_json($_) } $heard{out} =~ /^Asynchronous notification "roost_feed" with payload "(.*)" received from server process with PID \d+\.$/mg;
}

# What was heard is what the log says, without a gap.
sub check_notifications
{
	my ($what, @notifications) = @_;
	my %rows;
	for my $row (split /\n/, $node->safe_psql('roost', q(
		SELECT CASE WHEN l.kind = 'filter_changed' OR l.room_id IS NOT NULL THEN json_build_object('seq', l.seq, 'kind', l.kind)
			ELSE json_build_object('seq', l.seq, 'kind', l.kind, 'account_id', l.account_id::text, 'post_id', l.post_id::text,
			'author_id', CASE WHEN l.author_id <> l.account_id THEN l.author_id::text END, 'target_id', l.target_id::text,
			'retweet_of_id', l.retweet_of_id::text, 'reply_to_account_id', l.reply_to_account_id::text) END
		FROM roost_data.feed_log l)))
	{
		my $said = decode_json($row);
		delete $said->{$_} for grep { !defined $said->{$_} } keys %$said;
		$rows{ $said->{seq} } = JSON::PP->new->canonical->encode($said);
	}
	my ($epoch) = split /\|/, $node->safe_psql('roost', 'SELECT epoch FROM roost.feed_position()');
	my ($next, $wrong, $count) = (undef, '', 0);
	for my $notification (@notifications)
	{
		my $range = "$notification->{from}..$notification->{to} ";
		$wrong .= "epoch $range" if $notification->{epoch} ne $epoch;
		$wrong .= "gap before $range" if defined $next && $notification->{from} != $next || $notification->{to} < $notification->{from};
		$next = $notification->{from};
		for my $event (@{ $notification->{events} // [] })
		{
			delete $event->{to};
			my $text = JSON::PP->new->canonical->encode($event);
			$wrong .= "gap in $range" if $event->{seq} != $next++;
			$wrong .= "$text is not " . ($rows{ $event->{seq} } // 'there') . ' ' if $text ne ($rows{ $event->{seq} } // '');
			$count++;
		}
		$wrong .= "not all of $range" if $notification->{events} && $next != $notification->{to} + 1;
		$next = $notification->{to} + 1;
		$wrong .= "$range is gone" if !$rows{ $notification->{to} };
	}
	# whose filters have changed, and who talks to whom, is nobody's business who listens
	is($wrong, '', "$what: what was notified is in the log (" . @notifications . " notifications, $count events)");
	return;
}

check($node, 'at the beginning');
my $epoch = $node->safe_psql('roost', 'SELECT epoch FROM roost.feed_position()');

# undisturbed
{
	my $listener = listener();
	my $writers = writers(1, 4, 150);
	Walk::finish($writers, 'undisturbed');
	check($node, 'undisturbed');
	is($node->safe_psql('roost', "SELECT string_agg(DISTINCT kind::text, ' ' ORDER BY kind::text) FROM roost_data.feed_log WHERE kind IN ('message_created', 'message_read', 'friend_requested', 'friend_accepted')"),
		'friend_accepted friend_requested message_created message_read', 'rooms were told');
	my $last = $node->safe_psql('roost', 'SELECT last_seq FROM roost.feed_position()');
	my @notifications = notifications($listener, $last);
	check_notifications('undisturbed', @notifications);
	is($notifications[-1]{to}, $last, 'the last one reaches to the end');
}

# killed
my %victims = (
	'a backend' => "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND query LIKE '%feed_test.act%' AND pid <> pg_backend_pid() LIMIT 1",
	'the worker' => 'SELECT pid FROM roost.stat_worker',
	'the postmaster' => '',
);
my $seed = $ENV{ROOST_TEST_SEED} // 2000;
for my $round (1 .. 2)
{
	for my $victim (sort keys %victims)
	{
		my $listener = listener();
		my $writers = writers($seed++, 4, 100000);
		Walk::wait_for_posts($node, $writers, 20 * $round);
		if ($victim eq 'the postmaster')
		{
			Roost::crash($node);
		}
		else
		{
			my $pid = Walk::victim($node, $victims{$victim}) or die "$victim is not there: $writers->{walk}{err}";
			Roost::kill_process($node, $pid);
			$writers->finish;    # all sessions end with the killed process
		}
		$writers->finish;
		my $what = "round $round, $victim killed";
		my @notifications = notifications($listener);
		check($node, $what);
		check_notifications($what, @notifications);
		forget_prepared();
	}
}
is($node->safe_psql('roost', 'SELECT epoch FROM roost.feed_position()'), $epoch, 'crashes keep the epoch');

# the worker alone ends, in the middle of its work
my $writers = writers($seed++, 4, 100000);
Walk::wait_for_posts($node, $writers, 20);
for my $time (1 .. 2)
{
	my $pid = $node->safe_psql('roost', 'SELECT pid FROM roost.stat_worker');
	$node->safe_psql('roost', "SELECT pg_terminate_backend($pid, 60000)") if $pid ne '';
	$node->poll_query_until('roost', "SELECT state = 'running' AND pid <> " . ($pid || 0) . " FROM roost.stat_worker") or die 'no worker';
	Walk::wait_for_posts($node, $writers, 20);
}
$writers->signal('INT');
$writers->finish;
# (their sessions end when what they are doing is done)
$node->poll_query_until('roost', "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'pgbench')") or die 'the sessions do not end';
forget_prepared();
check($node, 'the worker terminated');

# events are lost: the queue is too small, transactions too large
$node->append_conf('postgresql.conf', 'roost.event_queue_size = 64');
$node->restart;
$writers = writers($seed++, 4, 100);
Walk::finish($writers, 'a small queue');
my $many = "INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text) SELECT i, 1, i, now(), 'many' FROM (SELECT roost_internal.id_next() AS i FROM generate_series(1, 500)) n";
$node->safe_psql('roost', "BEGIN; $many; DELETE FROM roost_data.post_like WHERE account_id = 3; COMMIT");
check($node, 'a small queue');
cmp_ok($node->safe_psql('roost', "SELECT count(*) FROM roost_data.feed_log WHERE kind = 'events_lost'"), '>', 0, 'the log says when events were lost');
$node->append_conf('postgresql.conf', 'roost.event_queue_size = 65536');
$node->restart;

# TRUNCATE
$node->safe_psql('roost', 'TRUNCATE roost_data.post_like, roost_data.follow_request, roost_data.message, roost_data.friend_request');
check($node, 'truncated tables');

# prepared transactions outlive a crash; what was logged meanwhile is not forgotten
# (what it holds is nobody else's)
$node->safe_psql('roost', q(INSERT INTO roost_data.account (id, username, status) VALUES (40, 'walker_40', 'suspended');
	INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (40, 3, roost_internal.id_next(40))));
check($node, 'before preparing');
# (the walk may have left one of the two suspended)
$node->safe_psql('roost', "UPDATE roost_data.account SET status = 'active' WHERE id IN (2, 3)");
$node->safe_psql('roost', "BEGIN; SELECT roost.post_create(2, 'prepared \@walker_3'); DELETE FROM roost_data.follow WHERE follower_id = 40;
	INSERT INTO roost_data.message (id, conversation_id, sender_id, text) VALUES (roost_internal.id_next(110), 110, 2, 'prepared');
	SELECT roost_internal.feed_tell('message_read', 2, 3, 110, 1); PREPARE TRANSACTION 'kept'");
$node->safe_psql('roost', "BEGIN; SELECT roost.post_create(2, 'dropped \@walker_3'); PREPARE TRANSACTION 'dropped'");
Walk::finish(writers($seed++, 2, 50), 'beside a prepared transaction');
Roost::crash($node);
check($node, 'prepared and crashed');
Walk::finish(writers($seed++, 2, 50), 'beside an old prepared transaction');
$node->restart;
$node->safe_psql('roost', "ROLLBACK PREPARED 'dropped'");
$node->safe_psql('roost', "COMMIT PREPARED 'kept'");
check($node, 'committed after two restarts');
is($node->safe_psql('roost', "SELECT count(*) FROM roost_data.mailbox m JOIN roost_data.post p ON p.id = m.post_id WHERE m.account_id = 3 AND p.text = 'prepared \@walker_3'"),
	1, 'its entry is there');
is($node->safe_psql('roost', "SELECT string_agg(kind::text, ' ' ORDER BY kind) FROM roost_data.feed_log WHERE conversation_id = 110"),
	'message_created message_read', 'and what it tells to rooms');

# a standby promoted: another epoch, and nothing lost
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
Walk::finish(writers($seed++, 2, 50), 'beside a standby');
$node->wait_for_catchup($standby);
$epoch = $node->safe_psql('roost', 'SELECT epoch FROM roost.feed_position()');
is($standby->safe_psql('roost', 'SELECT epoch FROM roost.feed_position()'), $epoch, 'a standby has the epoch of its primary');
$node->stop('immediate');
$standby->promote;
check($standby, 'promoted');
isnt($standby->safe_psql('roost', 'SELECT epoch FROM roost.feed_position()'), $epoch, 'promoted: another epoch');
$standby->stop;
$node->start;

# a dump restored elsewhere: another epoch, the same mailboxes
check($node, 'before the dump');
my $file = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '-f', $file, '-e', 'roost', '-e', 'pgcrypto', '-d', $node->connstr('roost') ], 'dump');
my $new = Roost::node('new');
$new->start;
$new->safe_psql('postgres', 'CREATE DATABASE roost');
$new->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $file, '-d', $new->connstr('roost') ], 'restore under the worker\'s eyes');
# (the worker looks every second whether all is there)
ok($new->poll_query_until('roost', "SELECT epoch <> $epoch FROM roost.feed_position()"), 'restored: another epoch');
check($new, 'restored');
is($new->safe_psql('roost', 'SELECT md5(string_agg(m::text, chr(10) ORDER BY account_id, seq)) FROM roost_data.mailbox m'),
	$node->safe_psql('roost', 'SELECT md5(string_agg(m::text, chr(10) ORDER BY account_id, seq)) FROM roost_data.mailbox m'), 'the mailboxes are the same');
$new->safe_psql('roost', "SELECT roost.post_create(2, 'elsewhere \@walker_3')");
check($new, 'after the move');
$new->stop;

# too much: the oldest partitions go
$node->safe_psql('roost', "ALTER SYSTEM SET roost.event_size = '1MB'; SELECT pg_reload_conf()");
for my $time (1 .. 5)
{
	$node->safe_psql('roost', $many =~ s/500/6000/r);
	Roost::sync($node);
}
# (what somebody looks at, as autovacuum does, goes a turn later)
$node->poll_query_until('roost', "SELECT roost.worker_sync('1 minute') AND first_seq > 1 AND last_seq - first_seq < 50000 AND to_regclass('roost_data.mailbox_1') IS NULL FROM roost.feed_position()") or die 'the worker leaves what is old';
my ($first, $last, $lowest) = split /\|/, $node->safe_psql('roost', 'SELECT first_seq, last_seq, (SELECT min(seq) FROM roost_data.feed_log) FROM roost.feed_position()');
cmp_ok($first, '>', 1, 'the oldest rows are gone');
cmp_ok($last - $first, '<', 50000, 'most of them');
is($lowest, $first, 'the first that is kept is known');
is($node->safe_psql('roost', "SELECT count(*) FROM pg_class WHERE relname IN ('feed_log_1', 'mailbox_1')"), 0, 'with their tables');
check($node, 'after the oldest went');
$node->safe_psql('roost', "ALTER SYSTEM RESET roost.event_size; SELECT pg_reload_conf()");

# too old: with their time
# (what comes within ten seconds of rows that went makes no entries)
$node->safe_psql('roost', "SELECT roost_internal.clock_freeze(now() + interval '1 minute', everywhere => true)");
Walk::finish(writers($seed++, 2, 100), 'before a week passes');
check($node, 'before a week passes');
my $entries = $node->safe_psql('roost', 'SELECT count(*) FROM roost_data.mailbox');
cmp_ok($entries, '>', 0, 'there are entries');
$node->safe_psql('roost', "SELECT roost_internal.clock_freeze(now() + interval '8 days', everywhere => true)");
Roost::sync($node) for 1 .. 6;
$node->safe_psql('roost', "SELECT roost.post_create(2, 'a week later \@walker_3')");
$node->poll_query_until('roost', "SELECT roost.worker_sync('1 minute') AND count(*) = 1 FROM roost_data.feed_log") or die 'the worker leaves what is old';
check($node, 'a week later');
is($node->safe_psql('roost', "SELECT string_agg(kind::text, ' ' ORDER BY seq) FROM roost_data.feed_log"), 'post_created', 'only what is new is kept');
is($node->safe_psql('roost', 'SELECT first_seq = last_seq FROM roost.feed_position()'), 't', 'the position says so');
is($node->safe_psql('roost', 'SELECT count(*) FROM roost_data.mailbox'), $entries + 1, 'mailboxes keep more');

# in several partitions, and with ids of a clock that was ahead
$node->safe_psql('roost', q(INSERT INTO roost_data.account (id, username) VALUES (41, 'walker_41');
	INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (41, 2, roost_internal.id_at(now() + interval '20 days', 41, 1));
	INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text, mention_ids)
	SELECT i, 41, i, now(), 'from the future', '{3}' FROM (SELECT roost_internal.id_at(now() + interval '20 days', 41, 2) AS i) n));
for my $time (1 .. 3)
{
	$node->safe_psql('roost', $many =~ s/500/6000/r);
	Roost::sync($node);
}
Walk::finish(writers($seed++, 2, 100), 'in another partition');
$node->safe_psql('roost', "SELECT roost_internal.clock_freeze(now() + interval '10 days', everywhere => true)");
$node->safe_psql('roost', "SELECT roost.post_create(2, 'two days later \@walker_3')");
check($node, 'in several partitions');
cmp_ok($node->safe_psql('roost', 'SELECT count(DISTINCT tableoid) FROM roost_data.mailbox'), '>', 1, 'several partitions have entries');
$node->safe_psql('roost', "SELECT roost.account_unfollow(41, '2'); DELETE FROM roost_data.post WHERE author_id = 41");
check($node, 'undone what had ids of the future');

# what is undone goes from mailboxes though the log has forgotten it, also without a trace
my $likes = $node->safe_psql('roost', "SELECT count(*) FROM roost_data.mailbox WHERE kind = 'like'");
$node->safe_psql('roost', 'DELETE FROM roost_data.post_like WHERE (account_id, post_id) IN (SELECT actor_id, post_id FROM roost_data.mailbox)');
check($node, 'old likes deleted');
cmp_ok($node->safe_psql('roost', "SELECT count(*) FROM roost_data.mailbox WHERE kind = 'like'"), '<', $likes, 'their entries are gone');
$node->safe_psql('roost', 'TRUNCATE roost_data.post_like, roost_data.follow, roost_data.follow_request, roost_data.friend_request, roost_data.friendship');
check($node, 'old likes, follows and friends truncated');
is($node->safe_psql('roost', "SELECT count(*) FROM roost_data.mailbox WHERE kind IN ('like', 'follow', 'follow_request', 'friend_request', 'friend_accepted')"), 0, 'all their entries are gone');

$node->safe_psql('roost', "SELECT roost_internal.clock_freeze(now() + interval '120 days', everywhere => true)");
Roost::sync($node) for 1 .. 6;
# (the walk may have left one of the two suspended)
$node->safe_psql('roost', "UPDATE roost_data.account SET status = 'active' WHERE id IN (2, 3)");
$node->safe_psql('roost', "SELECT roost.post_create(2, 'months later \@walker_3')");
$node->poll_query_until('roost', "SELECT roost.worker_sync('1 minute') AND count(*) = 1 AND (SELECT count(*) FROM roost_data.feed_day) = 2 FROM roost_data.mailbox") or die 'the worker leaves what is old';
check($node, 'months later');
is($node->safe_psql('roost', "SELECT string_agg(kind::text, ' ') FROM roost_data.mailbox"), 'mention', 'mailboxes have only what is new');
is($node->safe_psql('roost', 'SELECT count(*) FROM roost_data.feed_day'), 2, 'and days are forgotten');

$node->stop;
done_testing();
