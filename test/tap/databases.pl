# Several databases of one cluster hold a roost each; only one of them owns the
# shared memory, and they do not see each other.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Roost;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Roost::node('main', database => 'one');
$node->start;
my (%id, %token);
for my $database (qw(one two))
{
	Roost::install($node, $database);
	my %people = Roost::fill($node, $database);
	$id{$database} = \%people;
	$token{$database} = Roost::login($node, $database, 'alice');
}

for my $database (qw(one two))
{
	my $other = $database eq 'one' ? 'two' : 'one';
	my %people = %{ $id{$database} };
	is($node->safe_psql($database, "SELECT account_id FROM roost.token_verify('$token{$database}')"), $people{alice}, "$database: own token");
	like(Roost::error($node, $database, "SELECT roost.token_verify('$token{$other}')"), qr/^psql.*ERROR/, "$database: not the other's");
	my $home = Roost::home($node, $database, $people{alice});
	Roost::post($node, $database, $people{bob}, "in-$database");
	is(Roost::home($node, $database, $people{alice}), "in-$database $home", "$database: a post appears");
	unlike(Roost::home($node, $other, $id{$other}{alice}), qr/in-$database/, "$database: and not in the other");
	is($node->safe_psql($database, 'SELECT count(*) FROM roost.maintenance_run() WHERE error IS NOT NULL'), 0, "$database: maintenance runs");
}

# One in another encoding is told so, and stays empty.
$node->safe_psql('postgres', "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
$node->safe_psql('latin', 'SET client_min_messages = warning; CREATE EXTENSION roost CASCADE');
my $refusal = Roost::error($node, 'latin', 'SELECT roost.install()');
like($refusal, qr/roost needs a database in UTF-8/, 'another encoding is refused');
like($refusal, qr/HINT:.*ENCODING 'UTF8'/, 'with a way out');
is($node->safe_psql('latin', "SELECT count(*) FROM pg_namespace WHERE nspname = 'roost_data'"), 0, 'and nothing was made');

# A former copy takes the name of the one that owns the memory: the same triggers, other rows.
my $page = "SELECT cardinality(ids) FROM roost_internal.conversation_page($id{one}{alice}, 10, false, NULL, NULL, NULL)";
$node->safe_psql('one', "SELECT roost.message_create($id{one}{alice}, recipient_id => '$id{one}{bob}', text => 'hello')");
alone('one', 'CREATE DATABASE former TEMPLATE one');
$node->safe_psql('one', "SELECT roost.message_create($id{one}{alice}, recipient_id => '$id{one}{carol}', text => 'hello')");
is($node->safe_psql('one', "$page; $page"), "2\n2", 'a list of conversations is kept');
alone('one', 'ALTER DATABASE one RENAME TO later', 'ALTER DATABASE former RENAME TO one', 'ALTER DATABASE later ALLOW_CONNECTIONS true');
is($node->safe_psql('one', $page), 1, 'a database has its own rows, whatever one of the same name had');
is($node->safe_psql('later', $page), 2, 'and so has the other');

# The one that owns the memory goes away, also while the server runs.
Roost::drop_database($node, 'one');
ok(Roost::login($node, 'two', 'bob'), 'the other goes on');
$node->restart;
ok(Roost::login($node, 'two', 'bob'), 'also after a restart');

$node->stop;
done_testing();

# Runs statements while nobody is in a database.
sub alone
{
	my ($database, @statements) = @_;
	$node->safe_psql('postgres', "ALTER DATABASE $database ALLOW_CONNECTIONS false");
	$node->poll_query_until('postgres', "SELECT coalesce(bool_and(NOT pg_terminate_backend(pid)), true) FROM pg_stat_activity WHERE datname = '$database'")
		or die "somebody stays in $database";
	$node->safe_psql('postgres', $_) for @statements;
	$node->psql('postgres', "ALTER DATABASE $database ALLOW_CONNECTIONS true");
}
