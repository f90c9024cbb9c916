# Posts kept in too little shared memory, while readers and writers are at work:
# every page is what the tables say under the same snapshot; memory is bounded,
# empty after a crash, and not needed.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Roost;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Roost::node('main');
$node->append_conf('postgresql.conf', "roost.post_cache_memory = '2MB'\nmax_connections = 40");
$node->start;
Roost::install($node);
$node->safe_psql('roost', q(
INSERT INTO roost_data.account (id, username, is_private) SELECT n, 'keeper_' || n, n % 10 = 0 FROM generate_series(1, 50) n;
-- from empty to longer than what is kept, which is 8 kB
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text, visibility, retweet_of_id, quote_of_id)
SELECT n, 1 + n % 50, n, '2026-01-01Z', CASE WHEN n % 11 = 0 THEN '' ELSE repeat(n || ' é" ', CASE WHEN n % 97 = 0 THEN 1500 ELSE n % 60 END) END,
	(CASE WHEN n % 13 = 0 THEN 'followers' ELSE 'public' END)::roost.visibility,
	CASE WHEN n % 11 = 0 THEN 1 + n / 3 - CASE WHEN (1 + n / 3) % 11 = 0 THEN 1 ELSE 0 END END,
	CASE WHEN n % 7 = 0 AND n % 11 <> 0 THEN 1 + n / 2 END
FROM generate_series(1, 8000) n;
INSERT INTO roost_data.follow (follower_id, followee_id, id) SELECT 7, n, n FROM generate_series(1, 50) n WHERE n <> 7;
CREATE FUNCTION posts_page(viewer_id bigint, ids bigint[], kept boolean) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('roost.post_cache', kept::text, true);
	RETURN roost_internal.post_hydrate_json(viewer_id, ids);
END $$;
-- one snapshot for all three: raises an error when they differ
CREATE FUNCTION posts_compare(seed bigint, pages integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v_ids bigint[];
	v_viewer bigint;
	v_tables text;
BEGIN
	PERFORM setseed(mod(seed, 1000) / 1000.0);
	FOR i IN 1..pages LOOP
		v_ids := ARRAY(SELECT CASE WHEN random() < 0.5 THEN 7900 + (random() * 100)::bigint ELSE 1 + (random() * 7999)::bigint END FROM generate_series(1, 50));
		v_viewer := (ARRAY[NULL, 7, 10, 21])[1 + (random() * 3)::integer];
		v_tables := posts_page(v_viewer, v_ids, false);
		IF posts_page(v_viewer, v_ids, true) <> v_tables OR posts_page(v_viewer, v_ids, true) <> v_tables THEN
			RAISE EXCEPTION 'another page for % of %', v_viewer, v_ids;
		END IF;
	END LOOP;
END $$));
Roost::sync($node);

sub stat_cache { return split /\|/, $node->safe_psql('roost', 'SELECT posts, bytes, memory, hits, evicted FROM roost.stat_post_cache') }

# alone: more posts than there is room for
$node->safe_psql('roost', 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT posts_compare(1, 300); COMMIT');
my ($posts, $bytes, $memory, $hits, $evicted) = stat_cache();
cmp_ok($posts, '>', 500, 'posts are kept');
cmp_ok($evicted, '>', 1000, 'and make room');
cmp_ok($bytes, '<=', $memory, 'within bounds');
cmp_ok($memory, '<', 2.2 * 1024 * 1024, 'which are those that were set');
cmp_ok($hits, '>', 300 * 50 / 4, 'and what is asked for often stays');

# many readers and writers
my $dir = PostgreSQL::Test::Utils::tempdir();
append_to_file("$dir/read.sql", "\\set seed random(1, 1000000)\nBEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT posts_compare(:seed, 4);\nCOMMIT;\n");
append_to_file("$dir/write.sql", q(\set id random(7900, 8000)
\set other random(1, 8000)
\set author random(1, 50)
\set what random(1, 8)
\if :what = 1
UPDATE roost_data.post SET content_warning = clock_timestamp()::text WHERE id = :id AND retweet_of_id IS NULL;
\elif :what = 2
INSERT INTO roost_data.post_like (account_id, post_id, id) VALUES (:author, :id, :id) ON CONFLICT DO NOTHING;
\elif :what = 3
DELETE FROM roost_data.post_like WHERE account_id = :author AND post_id = :id;
\elif :what = 4
UPDATE roost_data.account SET display_name = :author || clock_timestamp()::text WHERE id = :author;
\elif :what = 5
UPDATE roost_data.account SET is_private = NOT is_private WHERE id = :author;
\elif :what = 6
UPDATE roost_data.post SET visibility = CASE visibility WHEN 'public' THEN 'followers' ELSE 'public' END::roost.visibility WHERE id = :id;
\elif :what = 7
BEGIN;
SAVEPOINT a;
UPDATE roost_data.post SET language = 'en' WHERE id = :other;
ROLLBACK TO a;
UPDATE roost_data.post SET language = 'de' WHERE id = :id;
COMMIT;
\else
BEGIN;
UPDATE roost_data.post SET text = 'never' WHERE id = :id AND retweet_of_id IS NULL;
ROLLBACK;
\endif
));
my ($out, $err) = ('', '');
my $writer = IPC::Run::start(['pgbench', '-n', '-c', '3', '-t', '400', '-f', "$dir/write.sql", $node->connstr('roost')], '>', \$out, '2>', \$err);
$node->command_ok(['pgbench', '-n', '-c', '3', '-t', '60', '-f', "$dir/read.sql", $node->connstr('roost')],
	'no page differs while everything changes');
ok($writer->finish, 'and the writers come through') or diag $err;
$node->safe_psql('roost', 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT posts_compare(2, 100); COMMIT');
pass('nor afterwards');

# a crash leaves nothing behind
Roost::crash($node);
is((stat_cache())[0], 0, 'after a crash nothing is kept');
Roost::sync($node);
$node->safe_psql('roost', 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT posts_compare(3, 50); COMMIT');
cmp_ok((stat_cache())[0], '>', 100, 'and then it is again');

# another database has no part in it
Roost::install($node, 'other');
$node->safe_psql('other', q(
INSERT INTO roost_data.account (id, username) VALUES (1, 'elsewhere');
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text) VALUES (8000, 1, 8000, now(), 'elsewhere')));
is($node->safe_psql('other', q(SELECT roost_internal.post_hydrate_json(NULL, '{8000}')::json -> 0 ->> 'text')), 'elsewhere',
	'another database reads its own tables');

# none at all
$node->append_conf('postgresql.conf', "roost.post_cache_memory = 0");
$node->restart;
$node->safe_psql('roost', 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT posts_compare(4, 20); COMMIT');
is($node->safe_psql('roost', 'SELECT enabled, posts, bytes, memory, hits, stored FROM roost.stat_post_cache'), 'f|0|0|0|0|0', 'without memory the tables are read');

$node->stop;
done_testing();
