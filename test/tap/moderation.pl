# What policies refuse is recorded although its transaction is gone: also when
# the worker fails at first, and after a restart.

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

sub refused { return $node->safe_psql('roost', "SELECT count(*) FROM roost_data.moderation_verdict WHERE policy = 'loud' AND account_id = 71") }
sub stat_of { return $node->safe_psql('roost', "SELECT $_[0] FROM roost.stat_moderation") }

sub shout
{
	my ($account, $before, $after) = @_;
	my ($stdout, $stderr);
	$node->psql('roost', "$before SELECT id FROM roost.post_create($account, 'THIS IS FAR TOO LOUD FOR ANYBODY'); $after", stdout => \$stdout, stderr => \$stderr);
	return $stderr =~ /ERROR:  (.*)/ ? $1 : '';
}

$node->safe_psql('roost', q{
UPDATE roost_data.moderation_policy SET enabled = false;
INSERT INTO roost_data.moderation_policy (name, signal, threshold, action, dry_run, message) VALUES ('loud', 'capitals', 0.9, 'reject', false, 'not so loud');
INSERT INTO roost_data.account (id, username) VALUES (71, 'loud'), (72, 'gone')});

is(shout(71, '', ''), 'not so loud', 'a post is refused');
is(shout(71, 'BEGIN;', 'ROLLBACK;'), 'not so loud', 'and in a transaction that is rolled back');
Roost::sync($node);
is(refused(), 2, 'both are recorded');
is($node->safe_psql('roost', q{SELECT DISTINCT subject, subject_id, signal, score >= 0.9, action, dry_run, text_hash IS NOT NULL, explanation FROM roost_data.moderation_verdict}),
	'post||capitals|t|reject|f|t|', 'without the text');
is($node->safe_psql('roost', 'SELECT count(*) FROM roost_data.post'), 0, 'the posts are not there');
is($node->safe_psql('roost', q{SELECT kind, count, round(weight::numeric, 3) FROM roost_data.account_reputation WHERE account_id = 71}), 'filter|2|1.000', 'they count against the account');
is(stat_of('refused, waiting, lost'), '2|0|0', 'nothing waits');

# The worker cannot write for a while.
$node->safe_psql('roost', q{
CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'not now'; END$$;
CREATE TRIGGER refuse BEFORE INSERT ON roost_data.moderation_verdict FOR EACH ROW EXECUTE FUNCTION public.refuse()});
is(shout(71, '', ''), 'not so loud', 'refused while the worker cannot write');
Roost::sync($node);
is(stat_of('waiting, lost'), '1|0', 'it waits');
$node->safe_psql('roost', 'DROP TRIGGER refuse ON roost_data.moderation_verdict');
ok($node->poll_query_until('roost', 'SELECT waiting = 0 FROM roost.stat_moderation'), 'until the worker can');
is(refused(), 3, 'and is recorded once');

# An account that never committed has no id to be kept.
is(shout(73, "BEGIN; INSERT INTO roost_data.account (id, username) VALUES (73, 'never');", 'ROLLBACK;'), 'not so loud', 'refused to an account that is not there yet');
Roost::sync($node);
is($node->safe_psql('roost', q{SELECT count(*) FILTER (WHERE account_id IS NULL), count(*) FILTER (WHERE account_id = 73) FROM roost_data.moderation_verdict}), '1|0', 'no id of it');

# More at once than there is room for: the newest stay, and what is lost is counted.
$node->safe_psql('roost', q{
CREATE TRIGGER refuse BEFORE INSERT ON roost_data.moderation_verdict FOR EACH ROW EXECUTE FUNCTION public.refuse();
DO $$BEGIN FOR i IN 1 .. 1100 LOOP
	BEGIN PERFORM roost.post_create(71, 'THIS IS FAR TOO LOUD FOR ANYBODY'); EXCEPTION WHEN check_violation THEN NULL; END;
END LOOP; END$$});
is(stat_of('waiting, lost'), '1024|76', 'the oldest are lost');
$node->safe_psql('roost', 'DROP TRIGGER refuse ON roost_data.moderation_verdict');
ok($node->poll_query_until('roost', 'SELECT waiting = 0 FROM roost.stat_moderation'), 'the rest is written');
is(refused(), 3 + 1024, 'all of it');

$node->restart;
is(refused(), 3 + 1024, 'it is there after a restart');
is(shout(71, '', ''), 'not so loud', 'policies are, too');
Roost::sync($node);
is(refused(), 4 + 1024, 'and their record');
ok($node->safe_psql('roost', q{SELECT roost_internal.reputation(71) < -0.6}) eq 't', 'what filters do counts 1 at most');

$node->stop;
done_testing();
