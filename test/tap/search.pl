# The index of search is what the tables say: after edits and deletions, crashes, a
# rebuild, TRUNCATE, an import of the past, and where the worker has not followed.

use strict;
use warnings FATAL => 'all';
use FindBin;
use IPC::Run;
use lib $FindBin::Bin;
use Roost;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Roost::node('main');
$node->append_conf('postgresql.conf', 'roost.search_part_size = 300');
$node->start;
Roost::install($node);
my $sync = 'SELECT roost.search_sync(\'3 minutes\')';

# nothing differs from the tables
sub same
{
	my ($what) = @_;
	$node->poll_query_until('roost', "SELECT (roost.health()).status = 'ok'") or die 'the worker is not there';
	is($node->safe_psql('roost', $sync), 't', "$what: the index catches up");
	is($node->safe_psql('roost', 'SELECT * FROM roost_internal.search_check()'), '', "$what: the index is what the tables say");
	return;
}

sub found
{
	my ($q) = @_;
	return $node->safe_psql('roost', "SELECT count(*) FROM roost.search_posts('$q', \"limit\" => 200)");
}

$node->safe_psql('roost', q{
	INSERT INTO roost_data.account (id, username) SELECT n, 'searcher_' || n FROM generate_series(1, 20) n;
	INSERT INTO roost_data.account_handle (username, account_id) SELECT 'searcher_' || n, n FROM generate_series(1, 20) n;
	CREATE FUNCTION public.write(posts integer) RETURNS void LANGUAGE sql AS $$
		SELECT count(roost.post_create(1 + (random() * 19)::integer, 'axolotl number ' || n || ' #tag' || n % 7, visibility => CASE WHEN n % 5 = 0 THEN 'followers' ELSE 'public' END::roost.visibility))
		FROM generate_series(1, posts) n
	$$;
	CREATE FUNCTION public.churn() RETURNS void LANGUAGE plpgsql AS $$
	DECLARE v_id bigint; v_author bigint;
	BEGIN
		PERFORM public.write(3);
		SELECT id, author_id INTO v_id, v_author FROM roost_data.post ORDER BY random() LIMIT 1;
		IF random() < 0.5 THEN UPDATE roost_data.post SET text = 'edited quagga #changed', hashtags = '{changed}', edited_at = now() WHERE id = v_id;
		ELSE DELETE FROM roost_data.post WHERE id = v_id; END IF;
	END $$;
	SELECT public.write(1000)});
same('posts');
is(found('axolotl'), 200, 'they are found');
cmp_ok($node->safe_psql('roost', 'SELECT parts FROM roost.stat_search'), '>', 1, 'in more than one part');
$node->safe_psql('roost', q{UPDATE roost_data.post SET text = 'now a pangolin', hashtags = '{pangolin}', edited_at = now() WHERE id = (SELECT max(id) FROM roost_data.post WHERE visibility = 'public')});
$node->safe_psql('roost', q{DELETE FROM roost_data.post WHERE id IN (SELECT id FROM roost_data.post WHERE text LIKE 'axolotl%' ORDER BY id LIMIT 100)});
same('edits and deletions');
is(found('pangolin'), 1, 'the edited one is found');

# in the middle of it all
my $churn_file = PostgreSQL::Test::Utils::tempdir() . '/churn.sql';
append_to_file($churn_file, "SELECT public.churn();\n");
for my $round (1 .. 3)
{
	my $churn = IPC::Run::start([ 'pgbench', '-n', '-c', '2', '-t', '1000000', '-f', $churn_file, $node->connstr('roost') ], '>', '/dev/null', '2>', '/dev/null');
	my $before = $node->safe_psql('roost', 'SELECT coalesce(max(seq), 0) FROM roost_data.feed_log');
	$node->poll_query_until('roost', "SELECT seq > $before + 300 FROM roost_data.search_state") or die 'nothing is indexed';
	Roost::crash($node);
	$churn->finish;
	same("crash $round");
}

# where nobody has followed
$node->safe_psql('roost', 'ALTER SYSTEM SET roost.search_index = off');
$node->reload;
$node->poll_query_until('roost', "SELECT current_setting('roost.search_index') = 'off'") or die 'it is not turned off';
Roost::sync($node) for 1 .. 2;
$node->safe_psql('roost', 'SELECT public.write(50)');
Roost::sync($node);
cmp_ok($node->safe_psql('roost', 'SELECT behind FROM roost.stat_search'), '>=', 50, 'what is behind is told');
is($node->safe_psql('roost', q{SELECT count(*) FROM jsonb_array_elements(roost.gateway_stat()) m WHERE m->>'name' = 'roost_search_behind' AND (m->'samples'->0->>'value')::integer >= 50}), 1, 'and in the metrics');
$node->safe_psql('roost', 'ALTER SYSTEM RESET roost.search_index');
$node->reload;
same('turned on again');

$node->safe_psql('roost', 'UPDATE roost_data.search_state SET seq = -10');
same('the log does not lead on');
$node->safe_psql('roost', 'SELECT roost.search_rebuild()');
same('rebuild');

# imports of past times, and parts that grow too large
$node->safe_psql('roost', q{
	INSERT INTO roost_data.import_account (external_id, username) VALUES ('a', 'imported');
	SELECT roost.account_import();
	INSERT INTO roost_data.import_post (external_id, author, text, created_at) SELECT n, 'a', 'imported thylacine ' || n, timestamptz '2015-01-01' + (n * 7919 % 3000) * interval '1 hour' FROM generate_series(1, 3000) n;
	SELECT roost.post_import()});
same('import');
is(found('thylacine'), 200, 'what was imported is found');
my $largest = 'SELECT max(posts) FROM roost_data.search_part';
my $before = $node->safe_psql('roost', $largest);
$node->safe_psql('roost', "SELECT roost.maintenance_run('search')") and same("maintenance $_") for 1 .. 3;
cmp_ok($node->safe_psql('roost', $largest), '<=', 1200, "the largest part had $before posts and was divided");

$node->safe_psql('roost', 'TRUNCATE roost_data.post');
same('truncated');
is(found('axolotl OR thylacine'), 0, 'and nothing is found');
$node->safe_psql('roost', 'SELECT public.write(10)');
same('afterwards');
$node->stop;
done_testing();
