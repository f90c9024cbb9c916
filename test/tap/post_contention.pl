# Eight clients that like, retweet and answer the same two posts in either order
# neither deadlock nor lose a count.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Roost;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Roost::node('main');
$node->start;
Roost::install($node);
$node->safe_psql('roost', q(
INSERT INTO roost_data.account (id, username) SELECT n, 'client_' || n FROM generate_series(1, 40) n;
INSERT INTO roost_data.post (id, author_id, thread_id, created_at, text) SELECT n, 1, n, now(), 'one of two' FROM generate_series(101, 102) n;
));

# One account does one thing at a time, as people do; all accounts meet at the
# two posts.  Rows that writers wait for would deadlock here at once.
my @files;
for my $do ('like', 'unlike', 'retweet', 'unretweet', 'answer')
{
	my $call = $do eq 'answer'
		? "SELECT roost.post_create(:account, 'answer', reply_to_id => :first, quote_of_id => :second);"
		: join("\n", map { "SELECT roost.post_$do(:account, :$_);" } 'first', 'second');
	my $file = $node->basedir . "/$do.sql";
	append_to_file($file, qq(\\set account random(1, 40)
\\set first random(101, 102)
\\set second 203 - :first
BEGIN;
SELECT pg_advisory_xact_lock(:account);
$call
COMMIT;
));
	push @files, '-f', $do eq 'like' || $do eq 'retweet' ? "$file\@2" : $file;
}
command_checks_all(
	[ 'pgbench', '-n', '-c', 8, '-j', 2, '-t', 300, '-M', 'prepared', @files, '-h', $node->host, '-p', $node->port, 'roost' ],
	0, [qr/actually processed: 2400\/2400/], [qr/^(?!.*(deadlock|ERROR))/s], 'pgbench');

my $wrong = q(
SELECT p.id, p.like_count, p.retweet_count, p.reply_count, p.quote_count FROM unnest(ARRAY[101, 102]) i, roost.post_get(i) p
EXCEPT
SELECT i, (SELECT count(*) FROM roost_data.post_like WHERE post_id = i), (SELECT count(*) FROM roost_data.post WHERE retweet_of_id = i),
	(SELECT count(*) FROM roost_data.post WHERE reply_to_id = i), (SELECT count(*) FROM roost_data.post WHERE quote_of_id = i)
FROM unnest(ARRAY[101, 102]) i
);
is($node->safe_psql('roost', $wrong), '', 'the counters of the posts are exact');
my $authors = q(
SELECT count(*) FROM roost_bi.account a WHERE a.post_count <> (SELECT count(*) FROM roost_data.post p WHERE p.author_id = a.id)
);
is($node->safe_psql('roost', $authors), '0', 'the counters of the authors are exact');
cmp_ok($node->safe_psql('roost', 'SELECT max(n) FROM (SELECT count(*) AS n FROM roost_data.post_stat GROUP BY post_id) s'), '<=', 16,
	'there are about as many slots as clients');
$node->safe_psql('roost', 'SELECT roost_internal.post_maintenance()');
is($node->safe_psql('roost', 'SELECT max(n) FROM (SELECT count(*) AS n FROM roost_data.post_stat GROUP BY post_id) s'), 1, 'folded, one is left');
is($node->safe_psql('roost', $wrong), '', 'folding changes no count');

$node->stop;
done_testing();
