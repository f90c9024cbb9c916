/*
 * live.c
 *		What a gateway tells about who is online, and what it asks and sends
 *		when it hears signals; the hub, the database and the clock are the
 *		test's.
 */
#include "gateway/calls.c"
#include "gateway/log.c"
#include "gateway/presence.c"
#include "gateway/signals.c"
#include "gateway/util.c"

Config		config;
static Metrics counters;
Metrics    *metrics = &counters;

static int	tests = 0;
static int	failed = 0;

static void
ok(bool passed, const char *name)
{
	tests++;
	failed += !passed;
	printf("%s %d - %s\n", passed ? "ok" : "not ok", tests, name);
}

/* The clock and the timer */
static double now = 1000;

ev_tstamp
ev_now(struct ev_loop *loop)
{
	return now;
}

void
ev_timer_start(struct ev_loop *loop, ev_timer *timer)
{
	timer->active = 1;
}

void
ev_timer_stop(struct ev_loop *loop, ev_timer *timer)
{
	timer->active = 0;
}

/* The connection that notifications come through */
static bool listened;

bool
doorbell_has_listened(void)
{
	return listened;
}

/* Lets the timer run out, if it runs; returns whether a beat has been sent. */
static PoolQuery *submitted;

static bool
tick(void)
{
	bool		runs = beat_timer.active;

	submitted = NULL;
	now += beat_timer.at;
	beat_timer.active = 0;
	if (runs)
		on_beat_timer(presence_loop, &beat_timer, 0);
	return submitted != NULL;
}

/* The database */
struct pg_result
{
	ExecStatusType status;
	int			rows;
	const char *values[8][5];
};

ExecStatusType
PQresultStatus(const PGresult *result)
{
	return result->status;
}

int
PQntuples(const PGresult *result)
{
	return result->rows;
}

char *
PQgetvalue(const PGresult *result, int row, int column)
{
	return (char *) result->values[row][column];
}

int
PQgetisnull(const PGresult *result, int row, int column)
{
	return result->values[row][column] == NULL;
}

char *
PQresultErrorMessage(const PGresult *result)
{
	return "no";
}

void
pool_submit(LaneKind lane, PoolQuery *query)
{
	submitted = query;
}

/* Answers a beat: whether the database wants everything. */
static void
answer_beat(const char *wanted)
{
	PGresult	result = {PGRES_TUPLES_OK, 1, {{wanted}}};

	beat_query.on_result(&beat_query, &result);
}

/* The hub */
static HubAccountHandler account_handler;
static int64_t present[3];
static int	present_count;
static int64_t first_viewer = 1;
static int64_t viewer_count = 0;
static char sent[4096];

void
hub_watch_accounts(HubAccountHandler handler)
{
	account_handler = handler;
}

void
hub_each_account(HubAccountHandler handler)
{
	for (int i = 0; i < present_count; i++)
		handler(present[i], true);
}

void
hub_signal_viewers(int64_t account_id, const char *channel, Buffer *into)
{
	for (int64_t i = 0; i < viewer_count; i++)
	{
		int64_t		id = first_viewer + i;

		buffer_append(into, &id, sizeof(id));
	}
}

static int64_t doubtful_viewer = 0;

void
hub_signal_doubtful(int64_t account_id, Buffer *into)
{
	if (doubtful_viewer)
		buffer_append(into, &doubtful_viewer, sizeof(doubtful_viewer));
}

void
hub_signal(int64_t account_id, const char *channel, const int64_t *viewers, int count,
		   const char *event, const char *data, size_t length)
{
	size_t		end = strlen(sent);

	snprintf(sent + end, sizeof(sent) - end, "%s %lld %s to %d from %lld: %.*s\n", event, (long long) account_id,
			 channel ? channel : "-", count, (long long) viewers[0], (int) length, data);
}

static bool messages = false;

bool
hub_has_messages(void)
{
	return messages;
}

void
hub_call(const char *told, int64_t session_id, const char *event, const char *data, size_t length)
{
	size_t		end = strlen(sent);

	snprintf(sent + end, sizeof(sent) - end, "%s to %s but %lld: %.*s\n", event, told, (long long) session_id, (int) length, data);
}

int
PQgetlength(const PGresult *result, int row, int column)
{
	return (int) strlen(result->values[row][column]);
}

static DoorbellHandler doorbell_heard;

void
doorbell_on(const char *channel, DoorbellHandler handler)
{
	if (strcmp(channel, "roost_signal") == 0)
		doorbell_heard = handler;
}

/* Returns whether the beat that was just sent tells this. */
static bool
told(const char *who, const char *gone, const char *all)
{
	return submitted == &beat_query && strcmp(beat_query.values[1], who) == 0 &&
		strcmp(beat_query.values[2], gone) == 0 && strcmp(beat_query.values[3], all) == 0;
}

static void
test_beats(void)
{
	PGresult	error = {.status = PGRES_FATAL_ERROR};

	presence_start((struct ev_loop *) &now);
	ok(strtoll(gateway_id, NULL, 10) > 0, "a gateway has a positive number");
	ok(!tick(), "it says nothing before somebody comes");
	present[present_count++] = 7;
	account_handler(7, true);
	ok(tick() && told("{7}", "{}", "t"), "the first beat tells everything");
	present[present_count++] = 8;
	account_handler(8, true);
	ok(!tick(), "one beat is under way at a time");
	answer_beat("f");
	ok(tick() && told("{8}", "{}", "f"), "what came meanwhile is told next");
	answer_beat("f");
	ok(beat_timer.at == BEAT_PERIOD && tick() && told("{}", "{}", "f"), "an empty beat says that it lives");
	answer_beat("f");

	account_handler(9, true);
	account_handler(7, false);
	account_handler(9, false);
	account_handler(7, true);
	account_handler(7, false);
	account_handler(10, true);
	ok(tick() && told("{10}", "{7,9}", "f"), "of several changes of an account only the last is told");
	account_handler(11, true);
	beat_query.on_failure(&beat_query, POOL_FULL);
	ok(tick() && told("{10,11}", "{7,9}", "f"), "what was not sent is told again, with what came since");
	beat_query.on_failure(&beat_query, POOL_LOST);
	ok(tick() && told("{7,8}", "{7,9}", "t"), "when a beat may have been lost, everything is told");
	answer_beat("t");
	ok(beat_timer.at == BEAT_PERIOD && tick() && told("{7,8}", "{7,9}", "t"), "also when there was no room for it");
	answer_beat("f");
	ok(tick() && told("{}", "{}", "f"), "then it is known");
	account_handler(12, true);
	answer_beat("t");
	ok(tick() && told("{7,8}", "{}", "t"), "a server that does not know the gateway is told everything");
	answer_beat("f");
	tick();
	beat_query.on_result(&beat_query, &error);
	ok(tick() && told("{7,8}", "{}", "t"), "and after an error, too");
	answer_beat("f");

	for (int i = 0; i < CHANGES_MAX + 10; i++)
		account_handler(100 + i, true);
	ok(changes.length <= CHANGES_MAX * sizeof(Change) && tick() && strcmp(beat_query.values[3], "t") == 0, "too many changes are not kept");
	for (int i = 0; i < CHANGES_MAX + 10; i++)
		account_handler(100 + i, false);
	answer_beat("f");
	ok(tick() && strcmp(beat_query.values[3], "t") == 0, "nor while a beat is under way");
	answer_beat("f");
	now += ENTIRE_PERIOD;
	tick();
	answer_beat("f");
	ok(tick() && told("{7,8}", "{}", "t"), "now and then everything is told");

	presence_leave();
	account_handler(7, false);
	answer_beat("f");
	ok(tick() && told("{}", "{}", "t"), "at the end everybody leaves, at once");
	answer_beat("f");
}

/* Answers the question about viewers. */
static void
answer_see(int rows, const char *const values[][2])
{
	PGresult	result = {.status = PGRES_TUPLES_OK,.rows = rows};

	for (int i = 0; i < rows; i++)
		memcpy(result.values[i], values[i], sizeof(values[i]));
	sent[0] = '\0';
	submitted = NULL;
	see_query.on_result(&see_query, &result);
}

static void
test_signals(void)
{
	static const char online_and_typing[] =
	"[[\"user:online\",\"5\",\"\",\"2026-01-31T12:00:00.000Z\"],[\"typing:start\",\"6\",\"post:9\",\"x\"],[\"typing:stop\",\"6\",\"post:9\",\"x\"]]";
	static const char *const wrong[] = {
		"", "[", "{}", "[1]", "[[]]", "[[\"user:online\"]]", "[[\"user:online\",5,\"\",\"x\"]]", "[[\"other\",\"5\",\"\",\"x\"]]",
		"[[\"user:online\",\"5\",\"post:9\",\"x\"]]", "[[\"typing:start\",\"5\",\"\",\"x\"]]", "[[\"typing:start\",\"5\",\"post:9}\",\"x\"]]",
		"[[\"typing:start\",\"5\",\"post:9\",\"0123456789012345678901234567890123456789\"]]"
	};
	static const char *const some[][2] = {{"2", NULL}, {"4", "{\"channel\":\"post:9\"}"}, {"3", NULL}, {"6", NULL}, {"99", NULL}, {"0", NULL}};
	static const char *const none[][2] = {{"1", NULL}};
	static const char *const followed[][2] = {{"2", NULL}};
	PGresult	error = {.status = PGRES_FATAL_ERROR};

	signals_start();
	viewer_count = 2;
	for (size_t i = 0; i < lengthof(wrong); i++)
	{
		submitted = NULL;
		doorbell_heard(wrong[i]);
		ok(submitted == NULL, wrong[i]);
	}
	viewer_count = 0;
	doorbell_heard(online_and_typing);
	ok(submitted == NULL && counters.signals == 3, "nobody is asked about what nobody would get");

	viewer_count = 2;
	doorbell_heard(online_and_typing);
	ok(submitted == &see_query && strcmp(see_query.values[0], "{5,5,6,6,6,6}") == 0 &&
	   strcmp(see_query.values[1], "{online,online,post:9,post:9,post:9,post:9}") == 0 &&
	   strcmp(see_query.values[2], "{1,2,1,2,1,2}") == 0, "who may see them is asked at once");
	doorbell_heard(online_and_typing);
	ok(queue.count == 3, "what comes meanwhile waits");
	answer_see(6, some);
	ok(strcmp(sent, "user:online 5 - to 1 from 2: {\"account_id\":\"5\",\"at\":\"2026-01-31T12:00:00.000Z\"}\n"
			  "typing:start 6 post:9 to 2 from 1: {\"channel\":\"post:9\"}\n"
			  "typing:stop 6 post:9 to 1 from 2: {\"channel\":\"post:9\"}\n") == 0, "signals go in order to those that may see them");
	ok(submitted == &see_query && queue.count == 0, "then the next are asked about");
	see_query.on_failure(&see_query, POOL_DOWN);
	ok(counters.signals_dropped == 3 && !under_way, "signals are dropped when the database cannot be asked");
	doorbell_heard(online_and_typing);
	doorbell_heard(online_and_typing);
	see_query.on_result(&see_query, &error);
	ok(counters.signals_dropped == 9 && !under_way && queue.count == 0, "also those that wait");

	doubtful_viewer = 3;
	viewer_count = 1;
	doorbell_heard(online_and_typing);
	ok(strcmp(see_query.values[1], "{online,online_followed,post:9,post:9}") == 0 && strcmp(see_query.values[2], "{1,3,1,1}") == 0,
	   "of those of whom it is not known, it is asked whether they follow");
	answer_see(1, followed);
	ok(strncmp(sent, "user:online 5 - to 1 from 3:", 28) == 0, "and they get it if they do");
	doubtful_viewer = 1;
	doorbell_heard(online_and_typing);
	ok(strncmp(see_query.values[1], "{online,post:9", 14) == 0, "but not of those who would get it in any case");
	doorbell_heard(online_and_typing);
	doubtful_viewer = 2;
	doorbell_heard(online_and_typing);
	viewer_count = 2;
	answer_see(1, none);
	ok(strcmp(see_query.values[1], "{online,online,post:9,post:9,post:9,post:9,online,online_followed,post:9,post:9,post:9,post:9}") == 0 &&
	   strcmp(see_query.values[2], "{1,2,1,2,1,2,1,2,1,2,1,2}") == 0, "and those of whom it becomes known are asked about once");
	answer_see(1, none);
	doubtful_viewer = 0;

	viewer_count = ASK_VIEWERS + 5;
	doorbell_heard("[[\"user:online\",\"5\",\"\",\"x\"],[\"user:offline\",\"5\",\"\",\"x\"]]");
	ok(asked_count == 1 && asked[0].count == ASK_VIEWERS && queue.count == 2, "a question has so many viewers at most");
	answer_see(1, none);
	ok(strncmp(sent, "user:online 5 - to 1 from 1:", 28) == 0 && asked_count == 2 && asked[0].count == 5 &&
	   asked[1].count == ASK_VIEWERS - 5, "the others come next");
	answer_see(1, none);
	ok(strncmp(sent, "user:online 5 - to 1 from 10001:", 32) == 0 && asked_count == 1 && asked[0].count == 10, "and the rest of the second");
	answer_see(1, none);
	ok(strncmp(sent, "user:offline 5 - to 1 from 9996:", 32) == 0 && queue.count == 0 && !under_way, "all are done");

	viewer_count = 1;
	counters.signals_dropped = 0;
	for (int i = 0; i < QUEUE_MAX + 10; i++)
		doorbell_heard("[[\"typing:stop\",\"6\",\"post:9\",\"x\"]]");
	ok(queue.count == QUEUE_MAX && counters.signals_dropped == 9, "no more than so many wait");
	see_query.on_failure(&see_query, POOL_TIMEOUT);
	ok(queue.count == 0 && !under_way, "and go");
}

static void
test_calls(void)
{
	PGresult	answer = {PGRES_TUPLES_OK, 2, {{"7", "call:offer", "11", "1 2", "{}"}, {"9", "call:hangup", "0", "3", "{\"a\":1}"}}};
	PGresult	none = {.status = PGRES_TUPLES_OK};
	PGresult	error = {.status = PGRES_FATAL_ERROR};
	static const char *const wrong[] = {
		"[[\"call:offer\",\"5\",\"\",\"x\"]]", "[[\"call:offer\",\"5\",\"call:\",\"x\"]]", "[[\"call:offer\",\"5\",\"call:-1\",\"x\"]]",
		"[[\"call:offer\",\"5\",\"post:7\",\"x\"]]", "[[\"typing:start\",\"5\",\"call:7\",\"x\"]]"
	};

	viewer_count = 0;
	submitted = NULL;
	counters.signals_dropped = 0;
	sent[0] = '\0';
	doorbell_heard(NULL);
	ok(submitted == &call_query && strcmp(call_query.values[0], "0") == 0, "when it listens for the first time, it asks how far calls are");
	call_query.on_result(&call_query, &answer);
	ok(sent[0] == '\0' && !call_under_way, "and tells nobody what was said before");
	submitted = NULL;
	doorbell_heard("[[\"call:offer\",\"5\",\"call:7\",\"x\"]]");
	ok(submitted == NULL, "of a call that nobody here gets is not asked");
	messages = true;
	for (size_t i = 0; i < lengthof(wrong); i++)
	{
		doorbell_heard(wrong[i]);
		ok(submitted == NULL, wrong[i]);
	}
	doorbell_heard("[[\"call:offer\",\"5\",\"call:7\",\"x\"],[\"call:ringing\",\"5\",\"call:8\",\"x\"],[\"call:hangup\",\"6\",\"call:9\",\"x\"]]");
	ok(submitted == &call_query && strcmp(call_query.values[0], "{7}") == 0, "it is asked at once");
	sent[0] = '\0';
	answer.rows = 1;
	call_query.on_result(&call_query, &answer);
	ok(strcmp(sent, "call:offer to 1 2 but 11: {}\n") == 0 && strcmp(call_query.values[0], "{8,9}") == 0, "what comes meanwhile is asked together");
	call_query.on_result(&call_query, &none);
	ok(counters.signals_dropped == 2 && !call_under_way, "what is gone is counted");
	doorbell_heard("[[\"call:offer\",\"5\",\"call:7\",\"x\"],[\"call:hangup\",\"6\",\"call:9\",\"x\"]]");
	call_query.on_result(&call_query, &none);
	sent[0] = '\0';
	answer.rows = 2;
	call_query.on_result(&call_query, &answer);
	ok(strcmp(sent, "call:offer to 1 2 but 11: {}\ncall:hangup to 3 but 0: {\"a\":1}\n") == 0, "in order");

	counters.signals_dropped = 0;
	for (int i = 0; i < CALLS_MAX + 3; i++)
		doorbell_heard("[[\"call:offer\",\"5\",\"call:7\",\"x\"]]");
	ok(counters.signals_dropped == 2, "no more than so many wait");
	call_query.on_failure(&call_query, POOL_TIMEOUT);
	ok(counters.signals_dropped == CALLS_MAX + 3 && !call_under_way && waiting_count == 0, "and go");
	doorbell_heard("[[\"call:offer\",\"5\",\"call:7\",\"x\"]]");
	call_query.on_result(&call_query, &error);
	ok(!call_under_way, "an error ends one question");

	listened = true;
	doorbell_heard(NULL);
	ok(submitted == &call_query && strcmp(call_query.values[0], "9") == 0, "when it listens again, it asks what was said meanwhile");
	sent[0] = '\0';
	call_query.on_result(&call_query, &answer);
	ok(strcmp(sent, "call:offer to 1 2 but 11: {}\ncall:hangup to 3 but 0: {\"a\":1}\n") == 0, "and tells it");
	submitted = NULL;
	doorbell_heard("[[\"call:hangup\",\"6\",\"call:9\",\"x\"]]");
	ok(submitted == NULL, "once");
}

int
main(void)
{
	test_beats();
	test_signals();
	test_calls();
	buffer_free(&changes);
	printf("1..%d\n", tests);
	return failed > 0;
}
