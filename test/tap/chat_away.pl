# Devices that were away for days.  As long as the log goes back to its cursor a
# device gets what it has missed, each event once and in order; beyond that it is
# told so, and reads the lists.  Either way it then has what a device has that was
# there all the time.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::Bin;
use Roost;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{ROOST_TEST_SEED} // 5000;
srand($seed);
note "ROOST_TEST_SEED=$seed";
my $json = JSON::PP->new->canonical->utf8;

my $node = Roost::node('main');
$node->append_conf('postgresql.conf', "roost.limit_enabled = off\nroost.moderation_enabled = off\n");
$node->start;
Roost::install($node);
my %id = Roost::fill($node, 'roost');
my %name = reverse %id;
my %chat = Roost::fill_chat($node, 'roost', %id);
$chat{late} = $node->safe_psql('roost', "SELECT (roost.conversation_create($id{alice}, 'group', '{$id{bob},$id{carol}}', 'Late', expire_after => 200000)).id");
my @conversations = @chat{qw(pair crew late)};
# carol's other device
my $tablet = $node->safe_psql('roost', qq(
	INSERT INTO roost_data.device (id, account_id) VALUES (roost_internal.id_next($id{carol}), $id{carol});
	INSERT INTO roost_data.key_device (account_id, number, device_id, registration_id, identity_key, signed_prekey_id, signed_prekey, signed_prekey_signature, kyber_prekey_id, kyber_prekey, kyber_prekey_signature)
	SELECT account_id, 2, (SELECT max(d.id) FROM roost_data.device d WHERE d.account_id = $id{carol}), 8, identity_key, 1, signed_prekey, signed_prekey_signature, 1, kyber_prekey, kyber_prekey_signature
	FROM roost_data.key_device WHERE account_id = $id{carol} RETURNING device_id));

sub sql { return $node->safe_psql('roost', $_[0]) }
sub rows { return map { $json->decode($_) } split /\n/, sql("SELECT roost_internal.to_json(r) FROM $_[0] r") }

my $begin = sql('SELECT extract(epoch FROM now())::bigint');
my $day = 0;

# The next day, or a later one, at any hour of it.
sub sleep_until
{
	$day = shift;
	sql("SELECT roost_internal.clock_freeze(to_timestamp($begin + $day * 86400), everywhere => true)");
	Roost::sync($node) for 1 .. 3;
	return;
}

# What a device has: conversations with their members, messages and markers.
sub device { my ($account) = @_; return { account => $account, id => $id{$account}, in => {}, seen => [] } }

# Reads everything anew, as after a reset.
sub read_lists
{
	my ($device) = @_;
	my $me = $device->{id};
	$device->{in} = {};
	for my $archived (qw(false true))
	{
		my $before = 'NULL';
		while (my @page = rows("roost.conversation_list($me, 2, $before, $archived)"))
		{
			for my $row (@page)
			{
				my $in = $device->{in}{ $row->{id} } = { title => $row->{title}, read => $row->{read_id} };
				$in->{members} = { map { $_->{account}{id} => $_->{role} } rows("roost.conversation_member_list($me, $row->{id}, 100)") } if $row->{kind} eq 'group';
				my $older = 'NULL';
				while (my @messages = rows("roost.message_list($me, $row->{id}, 7, $older)"))
				{
					keep($in, $_) for @messages;
					$older = "'$messages[-1]{id}'";
				}
			}
			my $cursor = sql("SELECT l.cursor FROM roost.conversation_list($me, 2, $before, $archived) l");
			$before = "'" . (split /\n/, $cursor)[-1] . "'";
		}
	}
	return;
}

sub keep
{
	my ($in, $message) = @_;
	return if $message->{deleted_at};
	$in->{messages}{ $message->{id} } = { map { $_ => $message->{$_} } qw(text action expires_at edited_at) };
	$in->{messages}{ $message->{id} }{reactions} = { map { $_->{reaction} => $_->{count} } @{ $message->{reactions} } };
	return;
}

# Takes the events since the device's cursor; returns whether it could.
sub catch_up
{
	my ($device) = @_;
	my $recovered = 1;
	while (1)
	{
		my $page = $json->decode(sql("SELECT roost.event_list($device->{id}, '{messages}', '$device->{cursor}', 20)"));
		my $more = $page->{cursor} ne $device->{cursor};
		$device->{cursor} = $page->{cursor};
		return 0 if !$page->{recovered};
		last if !@{ $page->{events} } && !$more;
		push @{ $device->{seen} }, $_->{id} for @{ $page->{events} };
		$device->{log}{ $_->{id} } = "$_->{event} " . $json->encode($_->{data}) for @{ $page->{events} };
		take($device, $_->{event}, $_->{data}) for @{ $page->{events} };
	}
	return 1;
}

sub take
{
	my ($device, $event, $data) = @_;
	my $conversation = $data->{conversation_id} // ($data->{message} ? $data->{message}{conversation_id} : $data->{conversation} ? $data->{conversation}{id} : undef);
	return if !defined $conversation;
	if ($event eq 'conversation:member_removed' && $data->{target}{id} eq $device->{id})
	{
		delete $device->{in}{$conversation};
		return;
	}
	my $in = $device->{in}{$conversation};
	if (!$in)
	{
		# one that it does not know it asks for
		$in = $device->{in}{$conversation} = { title => sql("SELECT c.title FROM roost_data.conversation c WHERE c.id = $conversation") };
		$in->{members} = { map { $_->{account}{id} => $_->{role} } rows("roost.conversation_member_list($device->{id}, $conversation, 100)") }
			if sql("SELECT count(*) FROM roost_data.conversation_member m JOIN roost_data.conversation c ON c.id = m.conversation_id WHERE c.kind = 'group' AND c.id = $conversation AND m.account_id = $device->{id}");
	}
	my $message = $data->{message_id} // '';
	if ($event =~ /^message:(received|edited)$/) { keep($in, $data->{message}) }
	elsif ($event eq 'message:deleted') { delete $in->{messages}{$message} }
	elsif ($event eq 'message:reaction') { $in->{messages}{$message}{reactions} = { map { $_->{reaction} => $_->{count} } @{ $data->{reactions} } } }
	elsif ($event eq 'message:read' && $data->{account}{id} eq $device->{id}) { $in->{read} = $message if $message > ($in->{read} // 0) }
	elsif ($event eq 'conversation:updated') { $in->{title} = $data->{conversation}{title} }
	elsif ($event eq 'conversation:cleared') { $in->{read} = $message if $message > ($in->{read} // 0); delete @{ $in->{messages} }{ grep { $_ <= $message } keys %{ $in->{messages} } } }
	elsif ($event =~ /^conversation:member_(added|changed)$/) { $in->{members}{ $data->{member}{account}{id} } = $data->{member}{role} }
	elsif ($event eq 'conversation:member_removed') { delete $in->{members}{ $data->{target}{id} } }
	return;
}

# What a device shows, without what has disappeared.
sub shows
{
	my ($device) = @_;
	my $now = sql(q(SELECT roost_internal.to_json(roost_internal.clock_now())));
	$now =~ s/"//g;
	my @lines;
	for my $conversation (sort keys %{ $device->{in} })
	{
		my $in = $device->{in}{$conversation};
		push @lines, "conversation $conversation $in->{title} read " . ($in->{read} // '-') . ' ' . $json->encode($in->{members} // {});
		for (sort keys %{ $in->{messages} })
		{
			next if ($in->{messages}{$_}{expires_at} // '~') le $now;
			push @lines, "$_ " . $json->encode($in->{messages}{$_});
		}
	}
	return join "\n", @lines;
}

# Whether two devices show the same; says in which lines they differ.
sub same
{
	my ($got, $expected, $what) = @_;
	my ($left, $right) = map { { map { $_ => 1 } split /\n/ } } $got, $expected;
	is(join("\n", grep { !$right->{$_} } sort keys %$left), join("\n", grep { !$left->{$_} } sort keys %$right), $what);
	return;
}

# Something that one of the three does, at random.
sub act
{
	my $account = (qw(alice bob carol))[ rand 3 ];
	my $me = $id{$account};
	my $in = $conversations[ rand @conversations ];
	my $any = "(SELECT m.id FROM roost_data.message m WHERE m.conversation_id = $in AND m.action IS NULL AND m.deleted_at IS NULL ORDER BY m.id DESC OFFSET ${\int(rand 6)} LIMIT 1)";
	my $own = $any =~ s/WHERE /WHERE m.sender_id = $me AND /r;
	my @what = (
		("roost.message_create($me, conversation_id => $in, text => 'day $day: $_[0]')") x 5,
		("roost.message_update($me, $own, conversation_id => $in, text => 'changed $_[0]')") x 2,
		"roost.message_delete($me, $own, $in, 'everyone')", "roost.message_delete($me, $any, $in)", "roost.message_react($me, $any, '+', $in)", "roost.message_unreact($me, $any, '+', $in)",
		"roost.conversation_read($me, $in)", "roost.message_read($me, $any, $in)", "roost.conversation_settings($me, $in, archived => true)",
		"roost.conversation_update($me, $in, title => 'title $_[0]')",
		"roost.conversation_member_remove($me, $in, '$id{carol}')", "roost.conversation_member_add($me, $in, '{$id{carol}}')", "roost.conversation_member_update($id{alice}, $in, '$id{bob}', 'member')",
		("roost.conversation_clear($me, $in)") x ($_[0] % 4 == 0));
	# What somebody may not do, it does not.
	$node->psql('roost', "SELECT $what[ rand @what ]");
	return;
}

sleep_until(0);
my ($cursor) = $json->decode(sql("SELECT roost.event_list($id{alice})"))->{cursor};
my %always = map { $_ => device($_) } qw(alice bob carol);
my %away = map { $_ => device($_) } qw(alice bob carol);
for my $device (values %always, values %away)
{
	read_lists($device);
	$device->{cursor} = $cursor;
}
# (in the fixture, what was there before)
my $before = shows($away{bob});
like($before, qr/message one/, 'the devices have what was there before');

my (%opened, $sent);
for my $today (0 .. 5)
{
	sleep_until($today);
	act($today * 30 + $_) for 1 .. 30;
	my $targets = join(', ', map { "($id{carol}, $_, " . ($_ + 6) . ", 2, 'for $_ on day $today'::bytea)::roost.envelope_input" } 1, 2);
	sql("SELECT (roost.message_create($id{alice}, conversation_id => $chat{secret}, device_id => $chat{alice_device}, envelopes => ARRAY[$targets])).id");
	for my $envelope (rows("roost.envelope_list($id{carol}, $chat{carol_device}, 100)"))
	{
		$opened{ $envelope->{message_id} } = 1;
		sql("SELECT roost.envelope_ack($id{carol}, $chat{carol_device}, '{$envelope->{id}}')");
	}
	Roost::sync($node);
	for my $device (values %always)
	{
		catch_up($device) or BAIL_OUT("a device that is there is not told");
	}
}

sleep_until(7.5);
for my $account (qw(alice bob carol))
{
	my ($there, $late, $anew) = ($always{$account}, $away{$account}, device($account));
	read_lists($anew);
	same(shows($there), shows($anew), "$account: a device that was there has what the lists say");
	ok(catch_up($late), 'one that was away for more than a week is told what it has missed');
	same(shows($late), shows($there), 'and has the same then');
	for my $device ($there, $late)
	{
		my @rows = map { (split /\./)[0] } @{ $device->{seen} };
		is("@rows", join(' ', sort { $a <=> $b } @rows), 'in order');
		is(scalar(@rows), scalar(keys %{ { map { $_ => 1 } @rows } }), 'and each once');
	}
	my %told = map { $_ => 1 } @{ $there->{seen} };
	# (of its settings one hears again that was away from a group and came back)
	is(join("\n", grep { !/^conversation:settings/ } map { $late->{log}{$_} } grep { !$told{$_} } @{ $late->{seen} }), '', 'nothing else than what the other was told');
	cmp_ok(scalar @{ $late->{seen} }, '>=', 10, 'which is a lot');
}

# Beyond what the log keeps.
my %old = map { my $device = device($_); $device->{cursor} = $cursor; $_ => $device } qw(alice bob carol);
sleep_until(11);
$node->poll_query_until('roost', "SELECT roost.worker_sync('1 minute') AND first_seq > ${\((split /-/, $cursor)[1] + 1)} FROM roost.feed_position()") or die 'the oldest rows of the log stay';
cmp_ok(sql('SELECT first_seq FROM roost.feed_position()'), '>', (split /-/, $cursor)[1] + 1, 'the oldest rows of the log are gone');
sql("SELECT roost.message_create($id{bob}, conversation_id => $chat{pair}, text => 'eleven days later')");
Roost::sync($node);
for my $account (qw(alice bob carol))
{
	my ($there, $late) = ($always{$account}, $old{$account});
	ok(catch_up($there), "$account: a cursor of a few days ago is good");
	ok(!catch_up($late), 'one of eleven days ago is refused');
	read_lists($late);
	ok(catch_up($late), 'after the lists it goes on from the new one');
	same(shows($late), shows($there), 'and has what a device has that was always there');
}
my @waiting = rows("roost.envelope_list($id{carol}, $tablet, 100)");
is(scalar(@waiting), 6, 'what is encrypted for a device has waited for it');
is(join(' ', map { $_->{message_id} } @waiting), join(' ', (sort { $a <=> $b } keys %opened)[-6 .. -1]), 'each message that the other device has opened since it was linked');
is(join(' ', map { $_->{content} } @waiting), join(' ', map { sql("SELECT encode('for 2 on day $_', 'base64')") } 0 .. 5), 'oldest first, as it was sent');

$node->stop;
done_testing();
