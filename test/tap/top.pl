# The order top without its memory: after a restart pages go on below the same place, and nothing counts as seen; the worker finds trends that outlive it.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Roost;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Roost::node('main');
$node->append_conf('postgresql.conf', "roost.rank_seen_delay = 0\nroost.trend_interval = 1");
$node->start;
Roost::install($node);
$node->safe_psql('roost', q(
INSERT INTO roost_data.account (id, username) SELECT n, 'top_' || n FROM generate_series(1, 30) n;
INSERT INTO roost_data.account_handle (username, account_id) SELECT 'top_' || n, n FROM generate_series(1, 30) n;
INSERT INTO roost_data.follow (follower_id, followee_id, id) SELECT 1, n, n FROM generate_series(2, 9) n;
SELECT count(roost.post_create(2 + n % 8, 'post ' || n)) FROM generate_series(1, 60) n;
SELECT count(roost.post_create(n, 'a #burst')) FROM generate_series(10, 20) n;
));

# a page of seven posts: their numbers, and the cursor of the last one
sub page
{
	my ($before) = @_;
	my $rows = $node->safe_psql('roost', sprintf(q(SELECT p.id, p.cursor FROM roost.timeline_home(1, 7, before => %s, "order" => 'top') p),
			defined $before ? "'$before'" : 'NULL'));
	my @rows = map { [ split /\|/ ] } split /\n/, $rows;
	return @rows ? ($rows[-1][1], map { $_->[0] } @rows) : (undef);
}

sub seen
{
	my ($id) = @_;
	return $node->safe_psql('roost', "SELECT seen_count FROM roost.timeline_explain(1, $id)");
}

# walks through all pages; the action is done after the second one
sub walk
{
	my ($action) = @_;
	my ($pages, $before, @ids, @page) = (0);
	while (1)
	{
		($before, @page) = page($before);
		last if !@page;
		push @ids, @page;
		$action->() if ++$pages == 2;
	}
	my %ids = map { $_ => 1 } @ids;
	return scalar(@ids) . ' shown, ' . scalar(keys %ids) . ' of them different';
}

my (undef, $first) = page();
is(seen($first), 1, 'what was shown is seen');
is(walk(sub { }), '60 shown, 60 of them different', 'every post once');

$node->append_conf('postgresql.conf', 'roost.rank_seen = 1');
$node->restart;
is(seen($first), 0, 'forgotten by a restart');
is(walk(sub { $node->restart }), '60 shown, 60 of them different', 'pages go on over a restart');
$node->append_conf('postgresql.conf', 'roost.rank_memory = 0');
$node->restart;
is(walk(sub { }), '60 shown, 60 of them different', 'pages without any memory');

ok($node->poll_query_until('roost', q(SELECT count(*) = 1 FROM roost.trend_hashtag_list('hour') WHERE hashtag = 'burst' AND accounts = 11)),
	'the worker has found the trend');
$node->append_conf('postgresql.conf', 'roost.trend_interval = 0');
$node->stop('immediate');
$node->start;
is($node->safe_psql('roost', q(SELECT hashtag, accounts FROM roost.trend_hashtag_list('hour'))), 'burst|11', 'it outlives the server');
$node->stop;
done_testing();
