# A standby keeps timelines in its own memory, by the log of events: whatever
# the primary is doing, every page there is what the standby's own snapshot says
# by definition.  After the promotion nothing is lost.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Roost;
use Walk;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{ROOST_TEST_SEED} // 4000;
my $primary = Roost::node('primary', allows_streaming => 1);
$primary->append_conf('postgresql.conf', "max_connections = 60\nroost.timeline_memory = '1MB'\nroost.timeline_push_limit = 12\n");
$primary->start;
Walk::install($primary);
$primary->safe_psql('roost', q(
	-- how far a standby is with the log, as its own snapshot sees it
	CREATE FUNCTION walk.is_followed() RETURNS boolean LANGUAGE sql STABLE AS
		$$ SELECT s.following AND s.applied_seq >= (SELECT max(l.seq) FROM roost_data.feed_log l) FROM roost.stat_standby s $$;
	CREATE FUNCTION walk.is_settled() RETURNS boolean LANGUAGE sql STABLE AS
		$$ SELECT s.horizon_at > roost.id_time((SELECT greatest((SELECT max(p.id) FROM roost_data.post p), (SELECT max(t.id) FROM roost_data.feed_trace t))))
			FROM roost.stat_standby s $$;
	CREATE FUNCTION walk.inbox_hits() RETURNS bigint LANGUAGE sql VOLATILE AS
		$$ SELECT hits FROM roost.stat_timeline WHERE kind = 'inbox' $$;
));
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "max_standby_streaming_delay = -1\n");
$standby->start;

# Waits until the standby has replayed and applied everything.
sub catch_up
{
	Roost::sync($primary);
	Roost::replayed($primary, $standby);
	$standby->poll_query_until('roost', 'SELECT roost.worker_sync() AND walk.is_followed()') or die 'the standby does not follow';
	return;
}

sub hits { return $standby->safe_psql('roost', 'SELECT walk.inbox_hits()') }

$primary->safe_psql('roost', "UPDATE roost_data.account SET status = 'active', is_private = false");
catch_up();
$standby->poll_query_until('roost', 'SELECT walk.is_settled()') or die 'the horizon stands still';
is($standby->safe_psql('roost', 'SELECT state, standby FROM roost.stat_worker'), 'standby|t', 'the worker of the standby runs');
is($standby->safe_psql('roost', 'SELECT * FROM walk.all_differences() LIMIT 3'), '', 'no timeline differs at the beginning');
my $before = hits();
is($standby->safe_psql('roost', 'SELECT * FROM walk.all_differences() LIMIT 3'), '', 'nor when they are read again');
cmp_ok(hits(), '>', $before, 'from memory');

# A post reaches the inboxes of the standby without being read from the table.
my $reader = $primary->safe_psql('roost', 'SELECT follower_id FROM roost_data.follow WHERE followee_id = 30 LIMIT 1');
my $post = $primary->safe_psql('roost', "SELECT (roost.post_create(30, 'to the standby')).id");
catch_up();
is($standby->safe_psql('roost', "SELECT (roost_internal.timeline_home_ids($reader, 5, 9223372036854775807, 0, 'all', true))[1]"), $post, 'a new post is on top there');
my $deliveries = $standby->safe_psql('roost', "SELECT deliveries > 0 FROM roost.stat_timeline WHERE kind = 'inbox'");
is($deliveries, 't', 'the worker of the standby has delivered it');
$primary->safe_psql('roost', "SELECT roost.account_unfollow($reader, '30')");
catch_up();
unlike($standby->safe_psql('roost', "SELECT roost_internal.timeline_home_ids($reader, 50, 9223372036854775807, 0, 'all', true)"), qr/\b$post\b/, 'unfollowing takes it away');
$primary->safe_psql('roost', "SELECT roost.account_follow($reader, '30')");
catch_up();
like($standby->safe_psql('roost', "SELECT roost_internal.timeline_home_ids($reader, 50, 9223372036854775807, 0, 'all', true)"), qr/\b$post\b/, 'following again brings it back');

# Who was followed between two reads leaves nothing behind: the reader follows the same accounts as before.
sub settle
{
	catch_up();
	$standby->poll_query_until('roost', 'SELECT walk.is_settled()') or die 'the horizon stands still';
	return;
}
sub home { return $standby->safe_psql('roost', "SET roost.timeline_source = 'inbox'; SELECT roost_internal.timeline_home_ids($reader, 50, 9223372036854775807, 0, 'all', true)") }
my $between = $primary->safe_psql('roost', "SELECT a.id FROM roost_data.account a
	WHERE a.id <> $reader AND NOT EXISTS (SELECT FROM roost_data.follow f WHERE f.follower_id = $reader AND f.followee_id = a.id)
	ORDER BY (SELECT count(*) FROM roost_data.follow f WHERE f.followee_id = a.id), a.id LIMIT 1");
my $kept = 0;
for (1 .. 60) # (as long as a trace lies above the horizon none is used)
{
	settle();
	home();
	$before = hits();
	home();
	last if $kept = hits() > $before;
}
ok($kept, 'the reader has an inbox');
$primary->safe_psql('roost', "SELECT roost.account_follow($reader, '$between')");
settle();
$post = $primary->safe_psql('roost', "SELECT (roost.post_create($between, 'between two reads')).id");
settle();
$primary->safe_psql('roost', "SELECT roost.account_unfollow($reader, '$between')");
settle();
unlike(home(), qr/\b$post\b/, 'a post of who was followed between two reads is not shown');

# While sessions walk at random on the primary, others compare on the standby.
for my $strategy (qw(hybrid push pull))
{
	Walk::set($_, 'roost.timeline_strategy', $strategy) for $primary, $standby;
	$before = hits();
	my $walk = Walk::start($primary, $seed++, 4, 100);
	my $watch = Walk::watch($standby, $seed++, 2, 500);
	Walk::finish($watch, "strategy $strategy on the standby");
	Walk::finish($walk, "strategy $strategy on the primary");
	note 'timelines from memory meanwhile: ' . (hits() - $before);
	settle();
	$before = hits();
	is($standby->safe_psql('roost', 'SELECT * FROM walk.all_differences() LIMIT 3'), '', "strategy $strategy: no timeline differs in the end") for 1, 2;
	cmp_ok(hits(), '>', $before, "strategy $strategy: they come from memory") if $strategy ne 'pull';
}
Walk::set($_, 'roost.timeline_strategy', 'hybrid') for $primary, $standby;

# A worker that is killed goes on where it was; a standby that stops begins anew.
my $walk = Walk::start($primary, $seed++, 3, 100000);
Walk::wait_for_posts($primary, $walk, 40);
my $pid = $standby->safe_psql('roost', 'SELECT pid FROM roost.stat_worker');
$standby->safe_psql('roost', "SELECT pg_terminate_backend($pid)");
$standby->poll_query_until('roost', "SELECT state = 'standby' AND pid <> $pid FROM roost.stat_worker") or die 'the worker does not come back';
Walk::finish(Walk::watch($standby, $seed++, 2, 100), 'after the end of the worker');
$standby->stop('immediate');
$standby->start;
Walk::finish(Walk::watch($standby, $seed++, 2, 100), 'after a restart of the standby');

# The primary dies under load, and the standby takes its place.
Roost::kill_postmaster($primary);
$walk->finish;
$standby->promote;
is($standby->safe_psql('roost', 'SELECT * FROM walk.all_differences() LIMIT 3'), '', 'after the promotion no timeline differs');
$standby->poll_query_until('roost', "SELECT state = 'running' FROM roost.stat_worker") or die 'the worker does not notice';
is($standby->safe_psql('roost', "SELECT roost.worker_sync('1 minute')"), 't', 'the worker of the new primary runs');
is($standby->safe_psql('roost', 'SELECT * FROM walk.all_differences() LIMIT 3'), '', 'nor once it does');
$standby->safe_psql('roost', "ROLLBACK PREPARED '$_'") for split /\n/, $standby->safe_psql('roost', 'SELECT gid FROM pg_prepared_xacts');
is($standby->safe_psql('roost', 'SELECT * FROM walk.wrong_counters() LIMIT 3'), '', 'every counter is exact');
Roost::sync($standby);
is($standby->safe_psql('roost', 'SELECT * FROM walk.wrong_feed() LIMIT 3'), '', 'the log is what the tables say');
is($standby->safe_psql('roost', "SELECT (roost.post_create(30, 'after')).id > (SELECT max(id) FROM roost_data.post WHERE text <> 'after')"), 't', 'ids go on growing');
isnt($standby->safe_psql('roost', 'SELECT epoch FROM roost_data.feed_state'), '', 'the log has an epoch');
is($standby->safe_psql('roost', 'SELECT following FROM roost.stat_standby'), 'f', 'nobody follows any more');
$walk = Walk::start($standby, $seed++, 3, 100);
Walk::finish($walk, 'on the new primary');
is($standby->safe_psql('roost', 'SELECT * FROM walk.all_differences() LIMIT 3'), '', 'and its timelines do not differ');

$standby->stop;
done_testing();
