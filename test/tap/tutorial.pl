# The tutorial's commands, as they stand in docs/tutorial.md, and the example of
# docs/api.md: what people copy from there works.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Roost;
use HTTP::Tiny;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $docs = "$FindBin::Bin/../../docs";
my $node = Roost::node('main');
$node->start;
Roost::install($node);
$node->safe_psql('roost', q(
	CREATE ROLE roost_gateway LOGIN;
	SELECT roost.grant_gateway('roost_gateway');
));

my $port = PostgreSQL::Test::Cluster::get_free_port();
my $log = $node->basedir . '/gateway.log';
our $pid = fork() // die;
if ($pid == 0)
{
	open STDOUT, '>', $log or die;
	open STDERR, '>&', \*STDOUT or die;
	exec $node->config_data('--bindir') . '/roost-gateway', '--port', $port, '--database-url', $node->connstr('roost') . ' user=roost_gateway'
		or POSIX::_exit(1);
}
my $parent = $$;
END { kill 'KILL', $pid if $pid && $$ == $parent }

# The blocks of code of a page or of one chapter of it, in their order: [language, text].
sub blocks
{
	my ($page, $chapter) = @_;
	my $text = slurp_file("$docs/$page");
	($text) = $text =~ /^## \Q$chapter\E\n(.*?)(?=^## |\z)/ms or die "$page has no chapter $chapter" if defined $chapter;
	my @blocks;
	push @blocks, [ $1, $2 ] while $text =~ /^```(\w+)\n(.*?)^```$/msg;
	return @blocks;
}

# Runs blocks in one shell, the SQL of them with psql.  Returns what each printed.
my $seen = 0;
sub run
{
	my ($before, @blocks) = @_;
	my $script = $before;
	for my $block (@blocks)
	{
		my ($language, $text) = @$block;
		$text =~ s/(127\.0\.0\.1|localhost):8080/127.0.0.1:$port/g;
		$text = "psql -X -v ON_ERROR_STOP=1 -AtF '|' <<'END OF SQL' || exit\n${text}END OF SQL\n" if $language eq 'sql';
		$script .= "$text\necho; echo ====\n" unless $text eq "make psql\n";
	}
	my $file = PostgreSQL::Test::Utils::tempdir() . '/script' . ++$seen;
	append_to_file($file, $script);
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{PGDATABASE} = 'roost';
	local $ENV{PGOPTIONS} = '-c client_min_messages=warning';
	my ($out, $err) = run_command([ 'bash', $file ]);
	unlike($err, qr/\S/, 'nothing on standard error');
	return split /\n====\n/, "$out\n";
}

my $http = HTTP::Tiny->new(timeout => 60);
for my $try (1 .. 3600)
{
	last if $http->get("http://127.0.0.1:$port/health")->{status} == 200;
	die 'the gateway does not answer' if $try == 3600;
	usleep(50_000);
}

my @tutorial = blocks('tutorial.md');
my @said = run('', @tutorial, [ 'sh', "echo \$ann\n" ]);
my $token = pop @said;
is(scalar @said, grep({ $_->[1] ne "make psql\n" } @tutorial), 'every block of the tutorial ran');
my ($people, $read, $problem, $twice, $pages, $sql, $define, $use, $hooks, $export) = @said;

is($people =~ s/\s//gr, '', 'two people register');
like($read, qr/"following":true.*"text":"hello \@ann #first".*\{"items":\[\{[^\n]*"text":"hello \@ann #first"[^\n]*"next":null\}/s, 'follow, post, read');
like($problem, qr/"code":"unknown_field".*"field":"colour"/, 'a problem names the field');
my @ids = $twice =~ /\{"id":"(\d+)","author"/g;
ok(@ids == 2 && $ids[0] eq $ids[1], 'a repeated request is done once');
is(join(' ', $pages =~ /"text":"([^"]*)"/g), 'only once hello @ann #first', 'page by page, each post once');
like($sql, qr/^\d+\|only once\|0\n\d+\|hello \@ann #first\|0\nwritten in SQL$/m, 'the same in SQL');
like($define, qr/CREATE FUNCTION/, 'a function and a route');
like($use, qr/"slow and steady".*"detail":"no shouting","field":"motto".*"detail":"[^\n]*A motto of 1 to 80 characters\.","field":"motto"/s, 'and they answer');
is($export =~ s/\s//gr, '"motto":"slowandsteady"', 'the motto is in the export');

# api.md: notes, pages and what is new
chomp $token;
my (undef, $notes) = run("TOKEN=$token\n", blocks('api.md', 'Your own function, your own route'));
like($notes, qr/\{"id":"\d+","text":"milk","created_at":"[^"]+"\}.*\{"items":\[\{"id":"\d+","text":"milk"[^\n]*\}\],"next":null\}/s, 'notes');
my @public = $node->safe_psql('roost', 'SELECT id FROM roost.timeline_public("limit" => 100)') =~ /(\d+)/g;
cmp_ok(scalar @public, '>=', 3, 'there are posts');
my (undef, $new) = run('', blocks('api.md', 'Pages'), [ 'sh', "new_since $public[-1]\n" ]);
is(join(' ', $new =~ /(\d+)/g), join(' ', @public[0 .. $#public - 1]), 'what is new comes completely, newest first');

# what an account leaves behind
my $ann = $node->safe_psql('roost', q(SELECT id FROM roost.account_get(NULL, '@ann')));
$node->safe_psql('roost', qq(SELECT roost.account_delete($ann, 'a long enough sentence')));
is($node->safe_psql('roost', 'SELECT count(*) FROM app.motto'), 0, 'the motto left with its account');

kill 'TERM', $pid;
waitpid $pid, 0;
is($?, 0, 'the gateway ended');
undef $pid;

done_testing();
