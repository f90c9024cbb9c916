# Whoever sees a post finds its event pending while the worker has not applied
# it, and rows with the same stamp are the same rows, whatever writers do.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Roost;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Roost::node('main');
$node->append_conf('postgresql.conf', "autovacuum = off\nmax_prepared_transactions = 20\nroost.maintenance_interval = 0");
$node->start;
Roost::install($node);
$node->safe_psql('roost', q(
CREATE TABLE made (id bigserial);
CREATE FUNCTION make(n int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text)
	SELECT 100000 + i, 9000, 100000 + i, now(), '' FROM (SELECT nextval('made_id_seq') AS i FROM generate_series(1, n)) s
$$;
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text) SELECT i, 9001, i, now(), '' FROM generate_series(1, 5) i;
));

# Clients with one script each, while a reader looks until they are done; returns
# what the reader reports.
sub write_and_read
{
	my ($clients, $transactions, $reader, @scripts) = @_;
	my @files;
	for my $i (0 .. $#scripts)
	{
		my $file = $node->basedir . "/writer$i";
		unlink $file;
		append_to_file($file, $scripts[$i]);
		push @files, '-f', $file;
	}
	my $report = '';
	$node->safe_psql('roost', 'DROP TABLE IF EXISTS started, done; CREATE TABLE started (); CREATE TABLE done ()');
	my $run = IPC::Run::start([ 'psql', '-X', '-q', '-d', $node->connstr('roost'), '-c', $reader ], '2>', \$report);
	$node->poll_query_until('roost', 'SELECT count(*) > 0 FROM started') or die 'the reader does not begin';
	$node->command_ok([ 'pgbench', '-n', '-c', $clients, '-j', 2, '-t', $transactions, @files, $node->connstr('roost') ], 'writers');
	$node->safe_psql('roost', 'INSERT INTO done DEFAULT VALUES');
	$run->finish;
	note($report);
	return $report;
}

# Holds everybody at a debug point until the returned function is called.
sub hold
{
	my ($point) = @_;
	my ($in, $out) = ("SELECT roost_internal.debug_point_arm('$point');\n\\echo armed\n", '');
	my $run = IPC::Run::start([ 'psql', '-X', '-q', '-d', $node->connstr('roost') ], '<', \$in, '>', \$out);
	$run->pump until $out =~ /armed/;
	return sub {
		$in .= "\\q\n";
		$run->finish;
	};
}

# While the worker does nothing, each post that a snapshot sees is pending.
Roost::sync($node);
my $go = hold('worker_turn');
my $report = write_and_read(6, 120, q(
DO $$
DECLARE
	v_looks int := 0;
	v_known int := 0;
	v_missing bigint := 0;
	v_posts bigint := 0;
	v_look record;
BEGIN
	INSERT INTO started DEFAULT VALUES;
	COMMIT;
	LOOP
		WITH pending AS MATERIALIZED (SELECT kind, values[1] AS id FROM roost_internal.pending_events())
		SELECT count(*) AS posts, count(*) FILTER (WHERE p.id IS NULL) AS missing,
			(SELECT count(*) FROM pending WHERE kind = 'unknown') AS unknown, (SELECT count(*) FROM done) AS done INTO v_look
		FROM roost_data.post r LEFT JOIN (SELECT DISTINCT id FROM pending WHERE kind = 'post_created') p USING (id)
		WHERE r.author_id = 9000;
		v_looks := v_looks + (v_look.posts > v_posts)::int;
		IF v_look.unknown = 0 THEN
			v_known := v_known + (v_look.posts > v_posts)::int;
			v_missing := v_missing + v_look.missing;
		END IF;
		v_posts := v_look.posts;
		COMMIT;
		EXIT WHEN v_look.done > 0;
	END LOOP;
	RAISE NOTICE 'looks % known % posts % missing %', v_looks, v_known, v_posts, v_missing;
END
$$),
	"SELECT make(1);\n",
	"SELECT make(3);\n",
	"BEGIN;\nSELECT make(1);\nSAVEPOINT a;\nSELECT make(1);\nROLLBACK TO a;\nCOMMIT;\n",
	"BEGIN;\nSELECT make(1);\nROLLBACK;\n",
	"BEGIN;\nSELECT make(1);\nPREPARE TRANSACTION 'w:client_id';\nCOMMIT PREPARED 'w:client_id';\n",
	"BEGIN;\nSELECT make(1);\nPREPARE TRANSACTION 'w:client_id';\nROLLBACK PREPARED 'w:client_id';\n");
my ($looks, $known, $posts, $missing) = $report =~ /looks (\d+) known (\d+) posts (\d+) missing (\d+)/;
is($missing, 0, "no post is missing ($posts posts, $looks looks at new ones)");
cmp_ok($known, '>', 0, "they were known while new ones came ($known times)");
cmp_ok($posts, '>', 100, 'many were written');
is($node->safe_psql('roost', "SELECT count(*) FILTER (WHERE kind = 'unknown') FROM roost_internal.pending_events()"), 0, 'and all of them are known');
$go->();
Roost::sync($node);
is($node->safe_psql('roost', 'SELECT count(*) FROM roost_internal.pending_events()'), 0, 'applied, none is pending');

# One version, one content.
my $follow = 'INSERT INTO roost_data.follow (follower_id, followee_id, id) VALUES (:k, :f, 1) ON CONFLICT DO NOTHING;';
my $unfollow = 'DELETE FROM roost_data.follow WHERE follower_id = :k AND followee_id = :f;';
my $edit = "UPDATE roost_data.post SET text = random()::text WHERE id = :k;";
my $set = "\\set k random(1, 5)\n\\set f random(101, 140)\n\\set l :client_id + 1000 * :f\n";
$report = write_and_read(6, 300, q(
DO $$
DECLARE
	v_copies jsonb := '{}';
	v_hits int := 0;
	v_wrong int := 0;
	v_key text;
	v_look record;
BEGIN
	INSERT INTO started DEFAULT VALUES;
	COMMIT;
	WHILE NOT EXISTS (SELECT FROM done) LOOP
		FOR v_look IN
			SELECT 'graph' AS kind, k, roost_internal.stamp_read('graph', k) AS version,
				(SELECT string_agg(followee_id::text, ' ' ORDER BY followee_id) FROM roost_data.follow WHERE follower_id = k) AS content FROM generate_series(1, 5) k
			UNION ALL
			SELECT 'post', k, roost_internal.stamp_read('post', k), (SELECT text FROM roost_data.post WHERE id = k) FROM generate_series(1, 5) k
			UNION ALL
			SELECT 'count', k, roost_internal.stamp_read('count', k), (SELECT sum(like_count)::text FROM roost_data.post_stat WHERE post_id = k) FROM generate_series(1, 5) k
		LOOP
			CONTINUE WHEN v_look.version IS NULL;
			v_key := format('%s %s %s', v_look.kind, v_look.k, v_look.version);
			IF v_copies ? v_key THEN
				v_hits := v_hits + 1;
				v_wrong := v_wrong + (v_copies->>v_key IS DISTINCT FROM v_look.content)::int;
			ELSE
				-- the newest copy of each thing is enough
				v_copies := (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(v_copies)
					WHERE key NOT LIKE format('%s %s %%', v_look.kind, v_look.k)) || jsonb_build_object(v_key, v_look.content);
			END IF;
		END LOOP;
		COMMIT;
	END LOOP;
	RAISE NOTICE 'hits % wrong %', v_hits, v_wrong;
END
$$),
	"$set$follow\n", "$set$unfollow\n", "$set$edit\n",
	"${set}INSERT INTO roost_data.post_like (account_id, post_id, id) VALUES (:l, :k, 1) ON CONFLICT DO NOTHING;\n",
	"${set}BEGIN;\n$follow\n${unfollow}\nROLLBACK;\n",
	"${set}BEGIN;\n$follow\nSAVEPOINT a;\n$edit\nROLLBACK TO a;\nCOMMIT;\n",
	"${set}BEGIN;\n$unfollow\nPREPARE TRANSACTION 'w:client_id';\nCOMMIT PREPARED 'w:client_id';\n",
	"${set}BEGIN;\n$follow\nPREPARE TRANSACTION 'w:client_id';\nROLLBACK PREPARED 'w:client_id';\n");
my ($hits, $wrong) = $report =~ /hits (\d+) wrong (\d+)/;
is($wrong, 0, "the same version means the same rows ($hits times)");
cmp_ok($hits, '>', 100, 'it was the same often enough');
Roost::sync($node);
is($node->safe_psql('roost', "SELECT count(roost_internal.stamp_read(kind, k)) FROM generate_series(1, 5) k, unnest('{graph,post,count}'::text[]) kind"), 15,
	'afterwards nothing is under way');

# A transaction that was prepared before a crash may change anything, until it has ended.
sub good { return $node->safe_psql('roost', "SELECT roost_internal.stamp_read('graph', 1) IS NOT NULL, (SELECT string_agg(kind, ' ') FROM roost_internal.pending_events()), roost_internal.pending_horizon() > 0") }
sub running { $node->poll_query_until('roost', "SELECT state = 'running' FROM roost.stat_worker") or die 'no worker'; Roost::sync($node); return }
$node->safe_psql('roost', "BEGIN; SELECT make(1); PREPARE TRANSACTION 'old'");
$node->safe_psql('roost', "BEGIN; SELECT make(1); PREPARE TRANSACTION 'other'");
Roost::crash($node);
running();
$node->safe_psql('roost', 'SELECT roost_internal.id_next()');
is(good(), 'f|unknown|f', 'after a crash nothing is known of them');
my $generation = $node->safe_psql('roost', 'SELECT roost_internal.pending_generation()');
$node->safe_psql('roost', "ROLLBACK PREPARED 'old'");
running();
is(good(), 'f|unknown|f', 'one of them ended');
$node->safe_psql('roost', "COMMIT PREPARED 'other'");
running();
is(good(), 't||t', 'both: all is known again');
cmp_ok($node->safe_psql('roost', 'SELECT roost_internal.pending_generation()'), '>', $generation, 'and what was derived before is void');

# One that is forgotten but known keeps only its own things back.
$node->safe_psql('roost', "BEGIN; UPDATE roost_data.post SET text = 'prepared' WHERE id = 1; PREPARE TRANSACTION 'forgotten'");
is($node->safe_psql('roost', "SELECT roost_internal.stamp_read('post', 1) IS NULL, roost_internal.stamp_read('post', 2) IS NULL"), 't|f', 'a prepared transaction holds its own stamp');
$node->safe_psql('roost', "ROLLBACK PREPARED 'forgotten'");

# Before the worker has looked for them, nobody knows.
$node->stop;
$node->append_conf('postgresql.conf', "max_worker_processes = 1\nmax_logical_replication_workers = 0");
$node->start;
is(good(), 'f|unknown|f', 'without a worker nothing is known');
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 0');
$node->restart;
$node->safe_psql('roost', 'SELECT roost_internal.id_next()');
is(good(), 't||t', 'but all is where none can be prepared');

$node->stop;
done_testing();
