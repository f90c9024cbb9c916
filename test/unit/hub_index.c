/*
 * hub_index.c
 *		Names of channels and cursors; lists of topics; who follows whom, with
 *		very many follows; masks.
 */
/* links: gateway/log.c gateway/util.c gateway/map.c gateway/hub.c gateway/hub_batch.c gateway/hub_batch_deliver.c gateway/hub_channel.c gateway/hub_client.c gateway/hub_deliver.c gateway/hub_filter.c gateway/hub_home.c gateway/hub_room.c gateway/hub_row.c gateway/hub_session.c gateway/hub_signal.c gateway/hub_topic.c gateway/catchup.c */
#include "test/unit/hub_server.h"

#define MANY 20000

static void
check_question(const PoolQuery *query)
{
}

/* Which names are channels, and how they are kept. */
static void
test_channels(void)
{
	static const char *const good[] = {"home", "notifications", "presence", "public", "user:1", "user:9223372036854775807", "post:10",
	"conversation:7", "hashtag:x", "hashtag:äöü", "hashtag:a\"b"};
	static const char *const bad[] = {"", "homes", "Home", "user:", "user:0", "user:01", "user:-1", "user:+1", "user: 1", "user:1 ", "user:1x",
	"user:9223372036854775808", "post:", "hashtag:", "hashtag:#x", "hashtag:a b", "hashtag:a\n", "nothing:1", "public:1", "conversation:x"};
	char		longest[HUB_CHANNEL_SIZE + 1];
	HubChannel	channel;

	for (size_t i = 0; i < lengthof(good); i++)
		ok(channel_parse(good[i], &channel) && strcmp(channel.name, good[i]) == 0, good[i]);
	for (size_t i = 0; i < lengthof(bad); i++)
		ok(!channel_parse(bad[i], &channel), *bad[i] ? bad[i] : "(nothing)");
	ok(channel_parse("hashtag:RoOST", &channel) && strcmp(channel.name, "hashtag:roost") == 0, "hashtags are lower case");
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "hashtag:", 8);
	longest[HUB_CHANNEL_SIZE] = '\0';
	ok(!channel_parse(longest, &channel), "a name that is too long");
	longest[HUB_CHANNEL_SIZE - 1] = '\0';
	ok(channel_parse(longest, &channel), "the longest name");
}

/* Cursors go to clients and come back. */
static void
test_cursors(void)
{
	static const char *const bad[] = {"", "1", "1-", "-1", "-1-1", "1--1", "1-1-1", "1-1x", "x-1", " 1-1", "1-1 ", "+1-1", "1-9223372036854775808", "9223372036854775808-1"};
	Cursor		cursor = {INT64_MAX, INT64_MAX};
	char		text[HUB_CURSOR_SIZE];

	cursor_format(cursor, text);
	cursor = (Cursor) {0};
	ok(cursor_parse(text, &cursor) && cursor.epoch == INT64_MAX && cursor.seq == INT64_MAX, "the greatest cursor comes back");
	ok(cursor_parse("0-0", &cursor) && cursor.epoch == 0, "the one of nothing, too");
	for (size_t i = 0; i < lengthof(bad); i++)
		ok(!cursor_parse(bad[i], &cursor), *bad[i] ? bad[i] : "(nothing)");
}

/* ---- a subscriber that writes down what it gets ---- */

static Buffer written;

static void
on_render(const HubBatch *batch, uint64_t mask, uint64_t own, Buffer *into)
{
	for (int i = 0; i < batch->count; i++)
		if (mask >> i & 1)
			hub_item_json(&batch->items[i], own >> i & 1, into);
}

static void
on_send(Subscriber *subscriber, HubFrame *frame)
{
	buffer_append(&written, frame->data, frame->length);
	buffer_append(&written, "\n", 1);
}

static void
on_begun(Subscriber *subscriber, Cursor now)
{
}

static const SubscriberKind kind = {.render = on_render,.send = on_send,.begun = on_begun};

/* Lets everything happen that is to happen. */
static void
settle(void)
{
	for (int i = 0; i < 200 || asked_count > 0 || soon_timer->active; i++)
	{
		now += 0.01;
		hub_tick();
		if (asked_count > 0)
			pool_step();
		if (soon_timer->active)
		{
			soon_timer->active = 0;
			soon_timer->cb(NULL, soon_timer, 0);
		}
	}
}

/* Subscribes somebody; returns what is wrong. */
static HubProblem
subscribe(Subscriber *subscriber, const char *channel)
{
	Cursor		cursor;

	return hub_subscribe(subscriber, &channel, 1, &cursor);
}

/* What may be wrong with a list of channels, and that nothing has changed then. */
static void
test_problems(void)
{
	Subscriber	subscriber = {.kind = &kind};
	const char *channels[HUB_CHANNELS + 1];
	char		names[HUB_CHANNELS + 1][24];
	Buffer		json = {0};
	Cursor		cursor;

	hub_enter(&subscriber);
	ok(subscribe(&subscriber, "home") == HUB_NEEDS_TOKEN, "home needs a token");
	ok(subscribe(&subscriber, "nothing") == HUB_UNKNOWN_CHANNEL, "an unknown channel");
	for (int i = 0; i <= HUB_CHANNELS; i++)
	{
		snprintf(names[i], sizeof(names[i]), "post:%d", i + 1);
		channels[i] = names[i];
	}
	ok(hub_subscribe(&subscriber, channels, HUB_CHANNELS + 1, &cursor) == HUB_TOO_MANY, "too many at once");
	ok(subscriber.topic_count == 0 && counters.hub_topics == 0, "none of them has been taken");
	ok(hub_subscribe(&subscriber, channels, HUB_CHANNELS, &cursor) == HUB_OK, "as many as are allowed");
	ok(subscribe(&subscriber, "post:1") == HUB_OK && subscriber.topic_count == HUB_CHANNELS, "one of them again");
	ok(subscribe(&subscriber, "public") == HUB_TOO_MANY, "and one more");
	ok(hub_resume(&subscriber, channels, 1, cursor) == HUB_NOT_FRESH, "who has channels cannot resume");
	hub_unsubscribe(&subscriber, channels + 1, HUB_CHANNELS - 1);
	hub_channels(&subscriber, &json);
	ok(json.length == 10 && memcmp(json.data, "[\"post:1\"]", 10) == 0, "what is left");
	buffer_free(&json);
	hub_leave(&subscriber);
	ok(counters.hub_topics == 0 && counters.hub_subscriptions == 0, "nothing is left");
}

/* Masks and channels: one event once, home only for those whose home it is in. */
static void
test_items(void)
{
	Subscriber	fan = {.kind = &kind,.account_id = 1};
	Subscriber	stranger = {.kind = &kind};
	static const char *const channels[] = {"home", "public", "user:2", "hashtag:x"};
	Cursor		cursor;

	follows_now[1][2] = true;
	hub_enter(&fan);
	hub_enter(&stranger);
	hub_subscribe(&fan, channels, 4, &cursor);
	hub_subscribe(&stranger, channels + 1, 3, &cursor);
	settle();
	ok(home_follows(fan.account, 2) && !home_follows(fan.account, 3), "it is known whom an account follows");
	events[++log_last] = (Event) {.event = "tweet:new",.everyone = true,.author = 2,.account = 2,.topics = "user:2 hashtag:x public"};
	events[++log_last] = (Event) {.event = "tweet:new",.everyone = false,.author = 2,.account = 2,.topics = "user:2"};
	settle();
	buffer_append(&written, "", 1);
	ok(strstr(written.data, "{\"id\":\"1.0\",\"event\":\"tweet:new\",\"channels\":[\"home\",\"user:2\",\"hashtag:x\",\"public\"],\"data\":{1}}") != NULL,
	   "the follower gets it with home");
	ok(strstr(written.data, "{\"id\":\"1.0\",\"event\":\"tweet:new\",\"channels\":[\"user:2\",\"hashtag:x\",\"public\"],\"data\":{1}}\n") != NULL,
	   "the stranger without, and nothing that is not for everyone");
	ok((strstr(written.data, "\"id\":\"2.0\"") != NULL) == may_see(2, 1), "the follower gets that if it may see it");
	ok(counters.hub_deliveries == (may_see(2, 1) ? 3 : 2), "each event once");
	hub_leave(&fan);
	hub_leave(&stranger);
	settle();
}

/* An author whom very many follow who are here, and somebody who follows very many: all go one by one. */
static void
test_many(void)
{
	Subscriber *subscribers = memory_new(sizeof(Subscriber) * MANY);
	HubRow		row = {.follow = ""};
	char		text[64];
	Cursor		cursor;
	const char *home = "home";

	for (int i = 0; i < MANY; i++)
	{
		subscribers[i] = (Subscriber) {.kind = &kind,.account_id = 1000 + i};
		hub_enter(&subscribers[i]);
		hub_subscribe(&subscribers[i], &home, 1, &cursor);
		subscribe(&subscribers[i], "public");
	}
	settle();
	for (int i = 0; i < MANY; i++)
	{
		row.seq = INT64_MAX;
		row.follow = text;
		snprintf(text, sizeof(text), "+ %d 7", 1000 + i);
		home_apply(&row);
		snprintf(text, sizeof(text), "+ 1000 %d", 100000 + i);
		home_apply(&row);
	}
	ok(counters.hub_edges == 2 * MANY && home_followers(7)->count == MANY, "all follow, and one follows all");
	home_apply(&row);
	ok(counters.hub_edges == 2 * MANY, "a follow that is known changes nothing");
	for (int i = 0; i < MANY; i += 2)
	{
		snprintf(text, sizeof(text), "- %d 7", 1000 + i);
		home_apply(&row);
	}
	ok(home_followers(7)->count == MANY / 2, "half of them do not any more");
	for (int i = 0; i < MANY; i++)
		if (home_follows(account_find(1000 + i), 7) != (i % 2 == 1))
			failed++;
	ok(failed == 0, "the right half");
	for (int i = 0; i < MANY; i++)
		hub_leave(&subscribers[i]);
	ok(home_followers(7) == NULL && counters.hub_edges == 0 && counters.hub_topics == 0 && counters.hub_accounts == 0, "nothing is left");
	free(subscribers);
	settle();
}

int
main(void)
{
	log_epoch = 5;
	log_first = 1;
	hub_start((struct ev_loop *) &now);
	test_channels();
	test_cursors();
	test_problems();
	test_items();
	test_many();
	printf("1..%d\n", tests);
	return failed != 0;
}
