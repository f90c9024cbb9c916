/*-------------------------------------------------------------------------
 *
 * hub_topic.c
 *		Who subscribes to what: topics, and the accounts that are here.
 *
 * A topic exists while it has subscribers; its list and theirs point to each
 * other, so that entering and leaving take the same time in a topic of ten and
 * of a hundred thousand.  An account exists while it has subscribers.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>

#include "hub_internal.h"
#include "metrics.h"

#define SLOTS_MIN 2

static Map	topics;
static Map	accounts;
static HubAccountHandler account_handler;

/* Returns a topic that has subscribers, or NULL. */
HubTopic *
topic_find(const char *name, size_t length)
{
	MapEntry   *entry = map_first(&topics, map_hash_bytes(name, length));

	for (; entry; entry = map_next(entry))
	{
		HubTopic   *topic = container_of(entry, HubTopic, entry);

		if (strncmp(topic->name, name, length) == 0 && topic->name[length] == '\0')
			return topic;
	}
	return NULL;
}

/* Makes a topic. */
static HubTopic *
topic_make(const char *name)
{
	size_t		length = strlen(name);
	HubTopic   *topic = memory_new(sizeof(HubTopic) + length + 1);

	memcpy(topic->name, name, length);
	map_add(&topics, &topic->entry, map_hash_bytes(name, length));
	metrics->hub_topics++;
	room_count(name, 1);
	return topic;
}

/* Returns whether a subscriber is in a topic. */
bool
topic_has(const Subscriber *subscriber, const HubTopic *topic)
{
	for (int i = 0; i < subscriber->topic_count; i++)
		if (subscriber->topics[i].topic == topic)
			return true;
	return false;
}

/* Enters a subscriber into a topic, unless it is there. */
void
topic_enter(Subscriber *subscriber, const char *name)
{
	HubTopic   *topic = topic_find(name, strlen(name));
	int			place = subscriber->topic_count;

	if (topic && topic_has(subscriber, topic))
		return;
	if (topic == NULL)
		topic = topic_make(name);
	if (topic->count == topic->size)
	{
		topic->size = Max(topic->size * 2, SLOTS_MIN);
		topic->slots = memory_resize(topic->slots, sizeof(HubSlot) * (size_t) topic->size);
	}
	subscriber->topics = memory_resize(subscriber->topics, sizeof(HubPlace) * (size_t) (place + 1));
	subscriber->topics[place] = (HubPlace) {topic, topic->count};
	topic->slots[topic->count++] = (HubSlot) {subscriber, place};
	subscriber->topic_count++;
	metrics->hub_subscriptions++;
}

/* Takes the subscriber's topic of an index away; its last one gets that index. */
static void
topic_leave_place(Subscriber *subscriber, int place)
{
	HubTopic   *topic = subscriber->topics[place].topic;
	int			slot = subscriber->topics[place].slot;
	HubSlot		last = topic->slots[--topic->count];
	HubPlace	moved;

	topic->slots[slot] = last;
	last.subscriber->topics[last.place].slot = slot;
	moved = subscriber->topics[--subscriber->topic_count];
	if (place < subscriber->topic_count)
	{
		subscriber->topics[place] = moved;
		moved.topic->slots[moved.slot].place = place;
	}
	metrics->hub_subscriptions--;
	if (topic->count > 0)
		return;
	map_remove(&topics, &topic->entry);
	room_count(topic->name, -1);
	free(topic->slots);
	free(topic);
	metrics->hub_topics--;
}

/* Takes a subscriber out of a topic, if it is there. */
void
topic_leave(Subscriber *subscriber, const char *name)
{
	HubTopic   *topic = topic_find(name, strlen(name));

	for (int i = 0; topic && i < subscriber->topic_count; i++)
		if (subscriber->topics[i].topic == topic)
		{
			topic_leave_place(subscriber, i);
			break;
		}
	if (subscriber->topic_count == 0)
		topic_leave_all(subscriber);
}

/* Takes a subscriber out of all topics. */
void
topic_leave_all(Subscriber *subscriber)
{
	while (subscriber->topic_count > 0)
		topic_leave_place(subscriber, subscriber->topic_count - 1);
	free(subscriber->topics);
	subscriber->topics = NULL;
}

/* Returns an account that has subscribers, or NULL. */
HubAccount *
account_find(int64_t id)
{
	MapEntry   *entry = map_first(&accounts, map_hash_number(id));

	while (entry && container_of(entry, HubAccount, entry)->id != id)
		entry = map_next(entry);
	return entry ? container_of(entry, HubAccount, entry) : NULL;
}

/* Enters a subscriber into the list of its account. */
void
account_enter(Subscriber *subscriber)
{
	HubAccount *account;

	if (subscriber->account_id == 0)
		return;
	account = account_find(subscriber->account_id);
	if (account == NULL)
	{
		account = memory_new(sizeof(HubAccount));
		account->id = subscriber->account_id;
		list_init(&account->subscribers);
		map_add(&accounts, &account->entry, map_hash_number(account->id));
		filter_enter(account);
		metrics->hub_accounts++;
		if (account_handler)
			account_handler(account->id, true);
	}
	subscriber->account = account;
	list_append(&account->subscribers, &subscriber->account_node);
}

/* Takes a subscriber, which has no channels any more, out of the list of its account. */
void
account_leave(Subscriber *subscriber)
{
	HubAccount *account = subscriber->account;

	if (account == NULL)
		return;
	subscriber->account = NULL;
	list_remove(&account->subscribers, &subscriber->account_node);
	if (account->subscribers.count > 0)
		return;
	map_remove(&accounts, &account->entry);
	filter_leave(account);
	metrics->hub_accounts--;
	if (account_handler)
		account_handler(account->id, false);
	free(account);
}

/* Calls a function with every account; it must not let any come or go. */
void
account_each(void (*called) (HubAccount *account))
{
	for (uint32_t i = 0; i < accounts.size; i++)
		for (MapEntry *entry = accounts.buckets[i]; entry; entry = entry->next)
			called(container_of(entry, HubAccount, entry));
}

/* Names who is told of accounts that come and go. */
void
hub_watch_accounts(HubAccountHandler handler)
{
	account_handler = handler;
}

/* Tells of every account that is here. */
void
hub_each_account(HubAccountHandler handler)
{
	for (uint32_t i = 0; i < accounts.size; i++)
		for (MapEntry *entry = accounts.buckets[i]; entry; entry = entry->next)
			handler(container_of(entry, HubAccount, entry)->id, true);
}
