# Random walks through everything that changes home timelines (walk.sql).

package Walk;
use strict;
use warnings FATAL => 'all';
use FindBin;
use Roost;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

# Makes the database, its accounts and the scripts that sessions run.
sub install
{
	my ($node) = @_;
	Roost::install($node);
	$node->safe_psql('roost', slurp_file("$FindBin::Bin/walk.sql"));
	$node->safe_psql('roost', 'SELECT walk.step() FROM generate_series(1, 300)');
	return;
}

my %scripts = (
	'step@6' => "SELECT walk.step(:seed);",
	'check@6' => "SELECT walk.check(:reader, :size);",
	'savepoint@2' => "BEGIN;\nSELECT walk.step(:seed);\nSAVEPOINT s;\nSELECT walk.step();\nROLLBACK TO s;\nSELECT walk.step();\nSELECT walk.check(:reader, :size);\nCOMMIT;",
	'rollback@1' => "BEGIN;\nSELECT walk.step(:seed);\nSELECT walk.step();\nROLLBACK;",
	'repeatable@1' => "BEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT walk.check(:reader, :size);\nSELECT count(*) FROM roost_data.post;\nSELECT walk.check(:reader, :size);\nCOMMIT;",
	'prepared@1' => "BEGIN;\nSELECT walk.step(:seed);\nPREPARE TRANSACTION 'walk_:client_id';\nSELECT walk.check(:reader, :size);\nCOMMIT PREPARED 'walk_:client_id';\nSELECT walk.check(:reader, :size);",
);

# What sessions do that only read.
my %readers = (
	'check@6' => $scripts{'check@6'},
	'transaction@1' => "BEGIN;\nSELECT walk.check(:reader, :size);\nSELECT walk.check(:reader, :size);\nCOMMIT;",
	'repeatable@1' => $scripts{'repeatable@1'},
);

# Starts sessions that walk; each makes so many transactions.
sub start
{
	return pgbench(\%scripts, @_);
}

# Starts sessions that compare, without writing.
sub watch
{
	return pgbench(\%readers, @_);
}

sub pgbench
{
	my ($scripts, $node, $seed, $clients, $transactions) = @_;
	my @files;
	for my $name (sort keys %$scripts)
	{
		my ($base, $weight) = split /\@/, $name;
		my $file = $node->basedir . "/$base.sql";
		unlink $file;
		append_to_file($file, "\\set seed random(0, 1000000)\n\\set reader random(1, 30)\n\\set size random(3, 60)\n$scripts->{$name}\n");
		push @files, '-f', "$file\@$weight";
	}
	my %walk = (out => '', err => '');
	my $harness = IPC::Run::start(
		[ 'pgbench', '-n', '-c', $clients, '-j', 2, '-t', $transactions, "--random-seed=$seed", @files,
			'-h', $node->host, '-p', $node->port, 'roost' ],
		'>', \$walk{out}, '2>', \$walk{err});
	$harness->{walk} = \%walk;
	return $harness;
}

# Waits until the walkers have made so many posts, or are at their end.
sub wait_for_posts
{
	my ($node, $walk, $count) = @_;
	my $from = $node->safe_psql('roost', 'SELECT roost_internal.id_next()');
	while ($walk->pumpable && $node->safe_psql('roost', "SELECT count(*) FROM (SELECT FROM roost_data.post WHERE id > $from LIMIT $count) p") < $count)
	{
		$walk->pump_nb;
		select(undef, undef, undef, 0.01);
	}
	return;
}

# The process that a query names, once there is one; undefined if there is none for long.
sub victim
{
	my ($node, $query) = @_;
	for my $try (1 .. 600)
	{
		my $pid = $node->safe_psql('roost', $query);
		return $pid if $pid ne '';
		select(undef, undef, undef, 0.02);
	}
	return;
}

# Waits for the walkers' end; none of them may have met an error.
sub finish
{
	my ($walk, $what) = @_;
	ok($walk->finish, "$what: the sessions came to their end");
	unlike($walk->{walk}{err}, qr/error|lies/i, "$what: no session met an error");
	return;
}

sub set
{
	my ($node, $name, $value) = @_;
	return if !$node->safe_psql('postgres', "SELECT count(*) FROM pg_settings WHERE name = '$name'");
	$node->safe_psql('postgres', "ALTER SYSTEM SET $name = '$value'");
	$node->reload;
	return;
}

1;
