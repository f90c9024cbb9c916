/*
 * position.c
 *		Positions in the log: how they are read and written, how old a
 *		standby is, and what a client must be able to see.
 */
#include "gateway/log.c"
#include "gateway/position.c"
#include "gateway/util.c"

Config		config = {.read_count = 1,.read_max_lag = 5000};

static int	tests = 0;
static int	failed = 0;

static void
ok(bool passed, const char *name)
{
	tests++;
	failed += !passed;
	printf("%s %d - %s\n", passed ? "ok" : "not ok", tests, name);
}

/* Says where the primary is. */
static void
sample(double time, uint32_t timeline, uint64_t lsn)
{
	ServerPosition primary = {.system = 7,.at = {timeline, lsn}};

	position_sample(&primary, time);
}

/* What the server says, and clients send back. */
static void
test_texts(void)
{
	ServerPosition server;
	Position	position;
	char		text[POSITION_TEXT_SIZE];
	static const char *const wrong[] = {"", "1", "1-", "-1", "g-1", "1-g", "1-1x", "123456789-1", "1-12345678901234567", " 1-1", "1--1", "0x1-1"};

	ok(position_parse("7300123456789012345 3 1A/3000148 0/FFFFFFFF standby", &server) && server.system == 7300123456789012345 &&
	   server.at.timeline == 3 && server.at.lsn == 0x1A03000148 && server.commit.lsn == 0xFFFFFFFF && server.standby,
	   "a server's position is read");
	ok(position_parse("1 1 0/0 0/0 primary", &server) && !server.standby, "a primary is no standby");
	ok(!position_parse("", &server) && !position_parse("1 1 0/0", &server), "what is cut off is refused");
	position_format((Position) {UINT32_MAX, UINT64_MAX - 1}, text);
	ok(strlen(text) < POSITION_TEXT_SIZE && position_from_client(text, &position) && position.timeline == UINT32_MAX &&
	   position.lsn == UINT64_MAX - 1, "the greatest position comes back from a client");
	for (size_t i = 0; i < lengthof(wrong); i++)
		ok(!position_from_client(wrong[i], &position), wrong[i]);
}

/* What a standby has. */
static void
test_reached(void)
{
	ok(position_reached((Position) {1, 100}, (Position) {1, 100}), "who is there has reached it");
	ok(!position_reached((Position) {1, 99}, (Position) {1, 100}), "who is before it has not");
	ok(position_reached((Position) {2, 100}, (Position) {1, 100}), "a later timeline holds the one before");
	ok(!position_reached((Position) {1, 200}, (Position) {2, 100}), "an older timeline has gone another way");
	ok(position_reached((Position) {0}, (Position) {0}), "nothing is there from the beginning");
}

/* How old a standby is. */
static void
test_age(void)
{
	ok(position_age(position_as_of((Position) {1, 1})) == 0, "nothing is old as long as the primary has not been asked");
	sample(100, 1, 1000);
	ok(position_need(0).lsn == 1000 && position_need(0).timeline == 1, "everybody needs what was there at the start");
	ok(position_age(position_as_of((Position) {1, 1000})) == 0, "who has all is not old");
	ok(position_age(position_as_of((Position) {1, 999})) > 50, "who lacks what was there first is of unknown age");
	sample(101, 1, 2000);
	sample(102, 1, 3000);
	ok(position_age(position_as_of((Position) {1, 2500})) == 1, "who is between two is as old as the earlier one");
	sample(101.5, 1, 2600);
	ok(position_age(position_as_of((Position) {1, 2500})) == 1, "an answer that comes late changes nothing");
	sample(103, 1, 3000);
	ok(position_age(position_as_of((Position) {1, 3000})) == 0, "who has all stays young while nothing happens");
	for (int i = 0; i < 10000; i++)
		sample(104 + i * 0.01, 1, 4000 + i);
	ok(position_age(position_as_of((Position) {1, 13999})) == 0, "among many samples the newest is kept");
	ok(position_age(position_as_of((Position) {1, 13499})) < 5.1 && position_age(position_as_of((Position) {1, 13499})) >= 5,
	   "they reach back as far as read-max-lag");
	ok(position_age(position_as_of((Position) {1, 3000})) > 50, "not for ever");
	sample(300, 2, 13000);
	ok(position_age(position_as_of((Position) {1, 99999})) > 50, "after a failover the old timeline is old");
	ok(position_age(position_as_of((Position) {2, 13000})) == 0, "and the new one is not");
	ok(!position_is_stranger(&(ServerPosition) {.system = 7}) && position_is_stranger(&(ServerPosition) {.system = 8}),
	   "another cluster is noticed");
}

/* What clients have written. */
static void
test_clients(void)
{
	uint64_t	alice = position_client("alice", 5);
	uint64_t	other = alice + SLOTS;	/* in the same slot */
	uint64_t	bob = position_client("bob", 3);

	ok(alice != bob && alice == position_client("alice", 5), "clients are told apart");
	position_wrote(alice, (Position) {2, 20000});
	ok(position_need(alice).lsn == 20000 && position_need(alice).timeline == 2, "a writer needs its write");
	ok(position_need(bob).lsn == 1000, "others do not");
	position_wrote(other, (Position) {2, 19000});
	ok(position_need(alice).lsn == 20000, "a client in the same slot does not take it away");
	position_wrote(other, (Position) {2, 21000});
	ok(position_need(alice).lsn == 21000, "but may ask for more");
	position_wrote(bob, (Position) {3, 15000});
	ok(position_need(alice).timeline == 3 && position_need(alice).lsn == 21000, "after a failover the later timeline counts for all");
	position_wrote(bob, (Position) {0, UINT64_MAX});
	ok(!position_reached((Position) {9, UINT64_MAX - 1}, position_need(bob)), "who may have written anywhere reads from the primary");
}

int
main(void)
{
	position_init();
	test_texts();
	test_reached();
	test_age();
	test_clients();
	printf("1..%d\n", tests);
	return failed > 0;
}
