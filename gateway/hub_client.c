/*-------------------------------------------------------------------------
 *
 * hub_client.c
 *		What owners of subscribers call.
 *
 * A subscriber that is live has everything up to the hub's position, or up to
 * its own `seen`, whichever is later.  One that begins while a batch waits for
 * its answers begins after that batch; one that is live already and takes a
 * further channel then has to have it from where it is, so it catches up.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>

#include "hub_internal.h"
#include "metrics.h"

/* Returns whether a subscriber has channels. */
static bool
client_has_channels(const Subscriber *subscriber)
{
	return subscriber->flags != 0 || subscriber->topic_count > 0;
}

/* Sets which of the channels that are no topics a subscriber has. */
static void
client_set_flags(Subscriber *subscriber, uint8_t flags)
{
	HubAccount *account = subscriber->account;
	uint8_t		old = subscriber->flags;

	subscriber->flags = flags;
	hub.rooms += !!(flags & HUB_MESSAGES) - !!(old & HUB_MESSAGES);
	hub.notified += !!(flags & HUB_NOTIFICATIONS) - !!(old & HUB_NOTIFICATIONS);
	if (account == NULL)
		return;
	account->notifications += !!(flags & HUB_NOTIFICATIONS) - !!(old & HUB_NOTIFICATIONS);
	account->homes += !!(flags & HUB_HOMES) - !!(old & HUB_HOMES);
	if (account->homes > 0)
		home_need(account);
	else
		home_release(account);
}

/* Counts the channels of a subscriber. */
static int
client_count(const Subscriber *subscriber)
{
	int			count = subscriber->topic_count;

	for (int i = 0; i < HUB_FLAGS; i++)
		count += subscriber->flags >> i & 1;
	return count;
}

/* Looks for problems of a list of channels that a subscriber wants. */
static HubProblem
client_check(const Subscriber *subscriber, const char *const *channels, int count)
{
	uint8_t		flags = subscriber->flags;
	int			total = client_count(subscriber);

	if (count > HUB_CHANNELS)
		return HUB_TOO_MANY;
	for (int i = 0; i < count; i++)
	{
		HubChannel	channel;
		HubTopic   *topic;

		if (!channel_parse(channels[i], &channel))
			return HUB_UNKNOWN_CHANNEL;
		if (channel.flag && subscriber->account == NULL)
			return HUB_NEEDS_TOKEN;
		topic = channel.flag ? NULL : topic_find(channel.name, strlen(channel.name));
		if (channel.flag ? (channel.flag & flags) == 0 : topic == NULL || !topic_has(subscriber, topic))
			total++;
		flags |= channel.flag;
	}
	return total > HUB_CHANNELS ? HUB_TOO_MANY : HUB_OK;
}

/* Adds channels, which have been checked. */
static void
client_add(Subscriber *subscriber, const char *const *channels, int count)
{
	uint8_t		flags = subscriber->flags;

	for (int i = 0; i < count; i++)
	{
		HubChannel	channel;

		channel_parse(channels[i], &channel);
		if (channel.flag)
			flags |= channel.flag;
		else
			topic_enter(subscriber, channel.name);
	}
	client_set_flags(subscriber, flags);
}

/* Takes all channels away. */
static void
client_clear(Subscriber *subscriber)
{
	catchup_end(subscriber);
	client_set_flags(subscriber, 0);
	topic_leave_all(subscriber);
}

/* Enters a subscriber. */
void
hub_enter(Subscriber *subscriber)
{
	subscriber->account = NULL;
	subscriber->catching = NULL;
	subscriber->seen = 0;
	subscriber->flags = subscriber->topic_count = 0;
	subscriber->turn = -1;
	subscriber->topics = NULL;
	subscriber->mask = subscriber->own = 0;
	list_append(&hub.everybody, &subscriber->node);
	metrics->hub_subscribers[subscriber->kind->transport]++;
	account_enter(subscriber);
	session_enter(subscriber);
	hub_need();
}

/* Takes a subscriber out of everything. */
void
hub_leave(Subscriber *subscriber)
{
	turn_forget(subscriber);
	client_clear(subscriber);
	account_leave(subscriber);
	list_remove(&hub.everybody, &subscriber->node);
	metrics->hub_subscribers[subscriber->kind->transport]--;
	hub_need();
}

/* The owner has another token of the same account. */
void
hub_set_session(Subscriber *subscriber, int64_t session_id)
{
	subscriber->session_id = session_id;
	session_enter(subscriber);
}

/* The owner has said who it is. */
void
hub_set_account(Subscriber *subscriber, int64_t account_id, int64_t session_id)
{
	account_leave(subscriber);
	subscriber->account_id = account_id;
	account_enter(subscriber);
	hub_set_session(subscriber, session_id);
	catchup_change(subscriber);
}

/*
 * Adds channels from now on.  What is owed to a subscriber begins at its
 * cursor, so one that is behind the front, or whose home is not known yet,
 * catches up from there.
 */
HubProblem
hub_subscribe(Subscriber *subscriber, const char *const *channels, int count, Cursor *now)
{
	bool		fresh = !client_has_channels(subscriber) && subscriber->catching == NULL;
	HubProblem	problem = client_check(subscriber, channels, count);

	if (problem != HUB_OK)
		return problem;
	if (fresh)
		subscriber->seen = hub.front;
	client_add(subscriber, channels, count);
	if (subscriber->catching)
		catchup_change(subscriber);
	else if (hub.epoch == 0 || hub_cursor(subscriber).seq < hub.front || home_is_missing(subscriber))
		catchup_begin(subscriber, hub_cursor(subscriber).seq);
	*now = hub_cursor(subscriber);
	return HUB_OK;
}

/* Gives what a subscriber has missed since it had been at a cursor, then what happens. */
HubProblem
hub_resume(Subscriber *subscriber, const char *const *channels, int count, Cursor from)
{
	HubProblem	problem = client_check(subscriber, channels, count);

	if (client_has_channels(subscriber) || subscriber->catching)
		return HUB_NOT_FRESH;
	if (problem != HUB_OK)
		return problem;
	client_add(subscriber, channels, count);
	catchup_resume(subscriber, from);
	return HUB_OK;
}

/* Takes channels away; those that it does not have are no problem. */
void
hub_unsubscribe(Subscriber *subscriber, const char *const *channels, int count)
{
	uint8_t		flags = subscriber->flags;

	for (int i = 0; i < count; i++)
	{
		HubChannel	channel;

		if (!channel_parse(channels[i], &channel))
			continue;
		if (channel.flag)
			flags &= (uint8_t) ~channel.flag;
		else
			topic_leave(subscriber, channel.name);
	}
	client_set_flags(subscriber, flags);
	catchup_change(subscriber);
}

/* Appends the channels of a subscriber as a JSON list. */
void
hub_channels(const Subscriber *subscriber, Buffer *json)
{
	const char *comma = "";

	buffer_append(json, "[", 1);
	for (int i = 0; i < HUB_FLAGS; i++)
		if (subscriber->flags >> i & 1)
		{
			buffer_printf(json, "%s\"%s\"", comma, channel_flag_name((uint8_t) (1 << i)));
			comma = ",";
		}
	for (int i = 0; i < subscriber->topic_count; i++)
	{
		buffer_append_text(json, comma);
		buffer_append_json(json, subscriber->topics[i].topic->name);
		comma = ",";
	}
	buffer_append(json, "]", 1);
}

/* Returns whether a subscriber has any channel. */
bool
hub_has_channels(const Subscriber *subscriber)
{
	return subscriber->flags || subscriber->topic_count > 0;
}

/* Returns how far the hub is; epoch 0 if that is not known. */
Cursor
hub_position(void)
{
	return (Cursor) {hub.epoch, hub.epoch ? hub.position : 0};
}

/* Returns how far a subscriber is, as far as its channels go; epoch 0 if that is not known. */
Cursor
hub_cursor(const Subscriber *subscriber)
{
	Cursor		cursor = hub_position();

	if (subscriber->catching)
		return catchup_cursor(subscriber);
	if (cursor.epoch)
		cursor.seq = Max(cursor.seq, subscriber->seen);
	return cursor;
}
