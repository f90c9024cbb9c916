# A dump in plain SQL, restored with ON_ERROR_STOP into a database of another
# name on another cluster, is equal row by row and usable at once.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Roost;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $old = Roost::node('old');
$old->start;
Roost::install($old);
my %id = Roost::fill($old, 'roost');
my %chat = Roost::fill_chat($old, 'roost', %id);
$old->safe_psql('roost', q(
	CREATE ROLE roost_gateway LOGIN;
	SELECT roost.grant_gateway('roost_gateway');
	CREATE SCHEMA app;
	CREATE FUNCTION app.hello(name text) RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'hello ' || name $$;
	SELECT roost.route_add('GET', '/hello/:name', 'app.hello', auth => 'none');
));
my $token = Roost::login($old, 'roost', 'alice');
my $home = Roost::home($old, 'roost', $id{alice});
Roost::sync($old);    # what the worker writes is dumped, too
my $last = $old->safe_psql('roost', 'SELECT max(id) FROM roost_data.post');
my $epoch = $old->safe_psql('roost', 'SELECT epoch FROM roost.feed_position()');
my $head = $old->safe_psql('roost', 'SELECT seq, hash FROM roost.audit_head()');

# From here on the worker stands still: it would remove what it needs no more, while that is compared.
my $still = Roost::hold_worker($old);
my $tables = Roost::tables($old, 'roost');
my $file = $old->basedir . '/dump.sql';
$old->command_ok([ 'pg_dump', '-f', $file, '-d', $old->connstr('roost') ], 'dump');

my $new = Roost::node('new', database => 'none');    # so does that of the other one
$new->start;
$new->safe_psql('postgres', 'CREATE DATABASE elsewhere');
$new->safe_psql('postgres', 'CREATE ROLE roost_gateway LOGIN');
$new->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $file, '-d', $new->connstr('elsewhere') ], 'restore without an error');

is(Roost::tables($new, 'elsewhere'), $tables, 'every table is equal, row by row');
my $catalog = "$ENV{ROOST_TOP}/test/upgrade/catalog.sql";
my ($theirs, $ours) = map { scalar run_command([ 'psql', '-X', '-q', '-f', $catalog, '-d', $_ ]) }
	($old->connstr('roost'), $new->connstr('elsewhere'));
is($ours, $theirs, 'every object is equal');
$new->append_conf('postgresql.conf', "roost.database = 'elsewhere'");
$new->restart;

is($new->safe_psql('elsewhere', "SELECT account_id FROM roost.token_verify('$token')"), $id{alice}, 'a token from before still holds');
ok(Roost::login($new, 'elsewhere', 'bob'), 'people log in with their passwords');
is(Roost::home($new, 'elsewhere', $id{alice}), $home, 'timelines are the same');
my $post = Roost::post($new, 'elsewhere', $id{bob}, 'after the move');
cmp_ok($post, '>', $last, 'ids go on');
is(Roost::home($new, 'elsewhere', $id{alice}), "after the move $home", 'a new post appears');
# Conversations go on where they were.
is(Roost::chat_view($new, 'elsewhere', \%id, \%chat), Roost::chat_view($old, 'roost', \%id, \%chat), 'everybody sees the same conversations, friends and keys');
my $newest = $old->safe_psql('roost', 'SELECT greatest((SELECT max(id) FROM roost_data.message), (SELECT max(id) FROM roost_data.message_envelope))');
cmp_ok($new->safe_psql('elsewhere', "SELECT (roost.message_create($id{bob}, conversation_id => $chat{pair}, text => 'after the move')).id"), '>', $newest, 'messages go on with greater ids');
is($new->safe_psql('elsewhere', "SELECT (m.last_message).text FROM roost.conversation_list($id{alice}, 1) m"), 'after the move', 'and are at the top');
Roost::sync($new, 'elsewhere');
is($new->safe_psql('elsewhere', "SELECT count(*) FROM roost_internal.feed_check()"), 0, 'the log says what the tables say');
isnt($new->safe_psql('elsewhere', 'SELECT epoch FROM roost.feed_position()'), $epoch, 'in an epoch of its own');
is($new->safe_psql('elsewhere', "SELECT r.data::jsonb #>> '{message,text}' FROM roost.feed_position() p, LATERAL roost.stream_read(p.first_seq - 1, 10000, true) r WHERE r.event = 'message:received' ORDER BY r.seq DESC LIMIT 1"),
	'after the move', 'who listens is told');
is($new->safe_psql('elsewhere', "SELECT count(*) FROM roost.envelope_list($id{carol}, $chat{carol_device}) e"), 4, 'what waits for a device still does');
$new->safe_psql('elsewhere', "SELECT roost.envelope_ack($id{carol}, $chat{carol_device}, conversation_id => $chat{secret}, up_to => 9223372036854775807)");
is($new->safe_psql('elsewhere', 'SELECT (SELECT count(*) FROM roost_data.message_envelope), (SELECT count(*) FROM roost_data.message_ciphertext)'), '0|0', 'until that acknowledges it');
is($new->safe_psql('elsewhere', "SELECT state, delivered_count FROM roost.message_list($id{alice}, $chat{secret}, 1)"), 'delivered|1', 'and its sender knows');
like(Roost::error($new, 'elsewhere', "SELECT roost.invite_join($id{carol}, c.code) FROM roost_data.conversation_invite c WHERE c.revoked_at IS NULL"), qr/ERROR/, 'who was removed stays outside');

like($new->safe_psql('elsewhere', "SELECT roost.handle('GET', '/hello/Ann', '', '', NULL, '127.0.0.1')"),
	qr/^200\n.*\n\n"?hello Ann"?$/s, "a user's own route answers");
is($new->safe_psql('elsewhere', "SELECT has_function_privilege('roost_gateway', 'roost.gateway_config()', 'EXECUTE')"), 't', 'grants are restored');
is($new->safe_psql('elsewhere', 'SELECT roost.install() = roost.version()'), 't', 'install() finds nothing amiss');
ok($new->poll_query_until('elsewhere', "SELECT roost.worker_sync('1 minute') AND NOT EXISTS (SELECT FROM roost_data.audit_entry)"), 'what happens here is put into the chain');
is($new->safe_psql('elsewhere', 'SELECT v.ok FROM roost.audit_verify(expected_seq => ' . join(', expected_hash => ', map { "'$_'" } split(/\|/, $head)) . ') v'), 't', 'which goes on from where it was');

# pg_dump's own format, by several workers at a time.
my $directory = $old->basedir . '/dump.d';
$old->command_ok([ 'pg_dump', '-Fd', '-j2', '-f', $directory, '-d', $old->connstr('roost') ], 'dump in directory format');
$new->safe_psql('postgres', 'CREATE DATABASE third');
$new->command_ok([ 'pg_restore', '--exit-on-error', '-j2', '-d', $new->connstr('third'), $directory ], 'restore in parallel');
is(Roost::tables($new, 'third'), Roost::tables($old, 'roost'), 'every table is equal again');

# install() again and again, and uninstall() between: with conversations in it, and without.
is($new->safe_psql('third', 'SELECT roost.install() = roost.version(), roost.install() = roost.version()'), 't|t', 'install() can be repeated');
is(Roost::tables($new, 'third') =~ s/^roost_data.audit_\w+\|.*\n//gmr, Roost::tables($old, 'roost') =~ s/^roost_data.audit_\w+\|.*\n//gmr, 'and changes no row');
for my $time (1, 2)
{
	$new->safe_psql('third', "SET client_min_messages = warning; SELECT roost.uninstall('third')");
	is($new->safe_psql('third', "SELECT to_regclass('roost_data.message') IS NULL, roost.install() = roost.version()"), 't|t', "uninstalled and installed, time $time");
	is($new->safe_psql('third', 'SELECT (SELECT count(*) FROM roost_data.message), (SELECT count(*) FROM roost_data.key_device)'), '0|0', 'nothing is left');
}
my %again = Roost::fill($new, 'third');
my %chat_again = Roost::fill_chat($new, 'third', %again);
like(Roost::chat_view($new, 'third', \%again, \%chat_again), qr/message one/, 'and conversations go on');

# Where pg_cron has been made too, which only one database of a server can have:
# roost goes elsewhere without it.  (No job runs: what is compared stays as it is.)
$old->safe_psql('roost', 'BEGIN; CREATE EXTENSION pg_cron; SELECT roost.maintenance_schedule(); UPDATE cron.job SET active = false; COMMIT');
my $custom = $old->basedir . '/dump.custom';
$old->command_ok([ 'pg_dump', '-Fc', '-e', 'roost', '-e', 'pgcrypto', '-f', $custom, '-d', $old->connstr('roost') ], 'dump without pg_cron');
$new->safe_psql('postgres', 'CREATE DATABASE fourth');
$new->command_ok([ 'pg_restore', '--exit-on-error', '-d', $new->connstr('fourth'), $custom ], 'restore without pg_cron');
is(Roost::tables($new, 'fourth'), Roost::tables($old, 'roost'), 'every table is equal once more');

$still->quit;
$old->stop;
$new->stop;
done_testing();
